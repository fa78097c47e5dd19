//! How long builds take: from nothing in the debug and release profiles, after a change to one crate, and with the
//! compiler's tests, which are run too.
//!
//! All of it happens to a copy of the sources, with a target folder of its own: nothing else is rebuilt, and
//! nothing that is built helps. On a machine with other work to do, the time on cores says more than the
//! clock.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::{cargo_path, root, run};

/// A build and the time it may take on two cores.
struct Build {
    what: &'static str,
    /// The file that is changed before; `None` for a build from nothing.
    changed: Option<&'static str>,
    args: &'static [&'static str],
    /// Whether what the compiler needs to build a part again is written down, as it is by default outside of releases.
    is_incremental: bool,
    limit_s: f64,
}

const BUILDS: [Build; 8] = [
    build("clean debug build of the workspace", None, &["build", "--workspace"], 420.0),
    build("after a change to schema", Some("crates/schema/src/lib.rs"), TO_BINARY, 45.0),
    build("after a change to plan-lang", Some("crates/plan-lang/src/lib.rs"), TO_BINARY, 15.0),
    build("after a change to runtime", Some("crates/runtime/src/lib.rs"), TO_BINARY, 15.0),
    build("after a change to server", Some("crates/server/src/lib.rs"), TO_BINARY, 15.0),
    build("after a change to cli", Some("crates/cli/src/main.rs"), TO_BINARY, 15.0),
    Build {
        is_incremental: false,
        ..build("clean build and run of the compiler's tests", None, COMPILERS_TESTS, 120.0)
    },
    build("clean release build of orch", None, &["build", "--release", "--package", "orch"], 480.0),
];

/// What somebody who changes one crate waits for.
const TO_BINARY: &[&str] = &["build", "--package", "orch"];

const COMPILERS_TESTS: &[&str] =
    &["test", "--quiet", "--package", "plan-lang", "--package", "plan-ir", "--package", "plan-compiler"];

/// A change that those who depend on a crate see too.
const CHANGE: &[u8] =
    b"\n/// Added by a benchmark.\n#[must_use]\npub const fn added_by_benchmark() -> u32 {\n    7\n}\n";

/// Not sources: what is built, installed or kept by version control.
const LEFT_OUT: [&str; 3] = ["target", ".tools", ".git"];

const fn build(
    what: &'static str,
    changed: Option<&'static str>,
    args: &'static [&'static str],
    limit_s: f64,
) -> Build {
    Build { what, changed, args, is_incremental: true, limit_s }
}

/// Makes every build and prints what it took.
pub(crate) fn bench() -> Result<()> {
    let folder = root().join("target/build-health");
    let (sources, target) = (folder.join("sources"), folder.join("target"));
    remove(&folder)?;
    copy(&root(), &sources)?;
    let mut rows = Vec::new();
    for build in BUILDS {
        match build.changed {
            Some(file) => change(&sources.join(file))?,
            None => remove(&target)?,
        }
        let (start, start_cpu) = (Instant::now(), cpu_of_children_s());
        let mut command = Command::new(cargo_path());
        match build.is_incremental {
            true => command.env_remove("CARGO_INCREMENTAL"),
            false => command.env("CARGO_INCREMENTAL", "0"),
        };
        run(command.args(build.args).current_dir(&sources).env("CARGO_TARGET_DIR", &target))?;
        rows.push((build, start.elapsed().as_secs_f64(), cpu_of_children_s() - start_cpu));
    }
    let binary = target.join("release").join(format!("orch{}", std::env::consts::EXE_SUFFIX));
    let binary_mb = fs::metadata(binary).map_or(0.0, |meta| meta.len() as f64 / 1e6);
    remove(&folder)?;
    println!("\n{:<44} {:>8} {:>8} {:>8}", "build", "s", "cpu s", "limit s");
    for (build, clock, cpu) in rows {
        println!("{:<44} {clock:>8.1} {cpu:>8.1} {:>8.0}", build.what, build.limit_s);
    }
    println!("release binary: {binary_mb:.1} MB; cores: {}", std::thread::available_parallelism()?);
    Ok(())
}

fn change(file: &Path) -> Result<()> {
    let changed = fs::File::options().append(true).open(file).and_then(|mut file| file.write_all(CHANGE));
    changed.with_context(|| format!("{} could not be changed", file.display()))
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} could not be removed", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Copies files and folders; links are no sources.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("{} could not be made", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("{} could not be read", from.display()))? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        if kind.is_file() {
            fs::copy(entry.path(), to.join(name)).with_context(|| format!("{:?}", entry.path()))?;
        } else if kind.is_dir() && !LEFT_OUT.iter().any(|left_out| name == *left_out) {
            copy(&entry.path(), &to.join(name))?;
        }
    }
    Ok(())
}

/// Time on cores of all processes that this one waited for, and theirs; 0 where Linux does not say so.
fn cpu_of_children_s() -> f64 {
    // `man 5 proc_pid_stat`: fields 16 and 17, in ticks of 10 ms; the second field may hold spaces.
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = after_name.split_whitespace().skip(13).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}
