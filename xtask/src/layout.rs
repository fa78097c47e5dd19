//! Puts the code of a program that a rehearsal goes through side by side
//! ([BOLT](https://github.com/llvm/llvm-project/blob/main/bolt/README.md)): what runs of a function stands apart from what
//! does not, and functions that call one another stand together.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::guided::remove;
use crate::run;

/// Flags of rustc for a program that can be laid out anew: where it refers to itself is kept, and so are names.
pub(crate) const FLAGS: [&str; 2] = ["-Cstrip=none", "-Clink-arg=-Wl,--emit-relocs"];

/// Written by hand in assembly, by rules of its own: stays as it is.
const BY_HAND: &str = "-skip-funcs=ring_core.*,blake3_.*";

/// As BOLT's manual advises; and functions that do the same are one.
const LAYOUT: [&str; 6] = [
    "-reorder-blocks=ext-tsp",
    "-reorder-functions=cdsort",
    "-split-functions",
    "-split-all-cold",
    "-split-eh",
    "-icf=safe",
];

/// The tools.
#[derive(Debug)]
pub(crate) struct Bolt {
    pub(crate) bolt: PathBuf,
    /// Adds up what several processes counted.
    pub(crate) merge: PathBuf,
}

/// Makes `result` of `program`, laid out by what `rehearse` does with one that counts. Keeps its own files in `folder`.
pub(crate) fn lay_out(
    tools: &Bolt,
    program: &Path,
    result: &Path,
    folder: &Path,
    rehearse: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let [counting, counts, profile] = ["orch.counting", "layout", "orch.fdata"].map(|name| folder.join(name));
    remove(&counts)?;
    fs::create_dir_all(&counts).with_context(|| format!("{}", counts.display()))?;
    let mut bolt = Command::new(&tools.bolt);
    bolt.arg(program).arg("-instrument").arg("-o").arg(&counting);
    bolt.arg(format!("-instrumentation-file={}", counts.join("counts").display()));
    // Each process writes down its own at its end.
    run(bolt.args(["-instrumentation-file-append-pid", BY_HAND]))?;
    rehearse(&counting)?;
    let counted: Vec<PathBuf> =
        fs::read_dir(&counts)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    if counted.is_empty() {
        bail!("the rehearsal of {} counted nothing", counting.display());
    }
    run(Command::new(&tools.merge).args(&counted).arg("-o").arg(&profile))?;
    let mut bolt = Command::new(&tools.bolt);
    bolt.arg(program).arg("-o").arg(result).arg(format!("-data={}", profile.display()));
    run(bolt.args(LAYOUT).args([BY_HAND, "-remove-symtab"]))?;
    remove(&counts)?;
    fs::remove_file(&counting).with_context(|| format!("{} cannot be removed", counting.display()))
}
