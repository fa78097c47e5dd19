//! `orch` as servers should run it: compiled with what a rehearsal showed of which code calls go through
//! (<https://doc.rust-lang.org/rustc/profile-guided-optimization.html>), and laid out anew by what another shows of the result
//! ([`layout`]).
//!
//! A call runs through two thousand functions once each; where the compiler knows which, it puts what runs close together.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::layout::{self, Bolt};
use crate::{cargo_path, root, run};

const PROFILE: &str = "dist";

/// The benchmarks that are rehearsed: those of a server, and of `orch call` as it starts.
const BENCHES: [&[&str]; 3] = [&["call"], &["openai"], &["mcp"]];

/// The same without what starts: of how a server is laid out those say nothing, and each process writes down what it counted.
const SERVED: [&[&str]; 3] = [&["call", "--", "calls"], &["openai"], &["mcp"]];

/// What else is, in the folder of the example plans: reading, checking, running and proving plans.
const COMMANDS: [&[&str]; 3] = [&["check"], &["test"], &["demo", "--data", "../../target/guided/demo"]];

/// Names to the benchmarks the `orch` that they measure.
const OTHER_BINARY: &str = "ORCHESTRA_BENCH_BINARY";

/// Builds `orch`, rehearses, and builds it by what was seen.
pub(crate) fn build() -> Result<()> {
    let compiler = Compiler::installed()?;
    let profdata = compiler.profdata(env::var_os("LLVM_PROFDATA"))?;
    let bolt = compiler.bolt(env::var_os("LLVM_BOLT"), env::var_os("MERGE_FDATA"))?;
    let folder = root().join("target/guided");
    let [rehearsal, build, counts, demo] =
        ["rehearsal", "build", "counts", "demo"].map(|name| folder.join(name));
    // What an earlier rehearsal left counts for nothing, and cargo does not see that libraries were built by its profile.
    for earlier in [&build, &counts, &demo] {
        remove(earlier)?;
    }
    rehearse(&compiler.orch(&rehearsal, &[&format!("-Cprofile-generate={}", counts.display())])?)?;
    let profile = folder.join("orch.profdata");
    run(Command::new(profdata).arg("merge").arg("--output").arg(&profile).arg(&counts))?;
    remove(&counts)?;
    remove(&demo)?;
    let by_profile = format!("-Cprofile-use={}", profile.display());
    let (next, done) = (folder.join("orch.next"), folder.join("orch"));
    match &bolt {
        Some(bolt) => {
            let guided = compiler.orch(&build, &[&[by_profile.as_str()], &layout::FLAGS[..]].concat())?;
            layout::lay_out(bolt, &guided, &next, &folder, |counting| {
                SERVED.iter().try_for_each(|which| bench(counting, which))
            })?;
        }
        None => {
            let guided = compiler.orch(&build, &[&by_profile])?;
            fs::copy(&guided, &next).with_context(|| format!("{}", next.display()))?;
        }
    }
    // One that is running stays what it is.
    fs::rename(&next, &done).with_context(|| format!("{}", done.display()))?;
    println!(
        "\nbuilt target/guided/orch; `{OTHER_BINARY}=$PWD/target/guided/orch cargo xtask bench call` measures it"
    );
    Ok(())
}

pub(crate) fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Does with this `orch` what servers do.
fn rehearse(orch: &Path) -> Result<()> {
    BENCHES.iter().try_for_each(|which| bench(orch, which))?;
    for args in COMMANDS {
        run(Command::new(orch).args(args).current_dir(root().join("examples/plans")))?;
    }
    Ok(())
}

/// Runs a benchmark with this `orch`: its name, and what it is told.
fn bench(orch: &Path, which: &[&str]) -> Result<()> {
    let mut command = Command::new(cargo_path());
    command.args(["bench", "--package", "orch", "--bench"]).args(which);
    run(command.env(OTHER_BINARY, orch))
}

/// What compiles.
struct Compiler {
    /// The platform, such as `x86_64-unknown-linux-gnu`.
    host: String,
    /// Major version of its LLVM: tools of another do not read what its programs count.
    llvm: String,
    sysroot: PathBuf,
}

impl Compiler {
    fn installed() -> Result<Self> {
        let version = rustc(&["--version", "--verbose"])?;
        let line = |name: &str| {
            let value = version.lines().find_map(|line| line.strip_prefix(name));
            value.map(str::to_owned).with_context(|| format!("`rustc --version --verbose` says no `{name}`"))
        };
        let llvm = line("LLVM version: ")?;
        let llvm = llvm.split('.').next().unwrap_or_default().to_owned();
        let sysroot = PathBuf::from(rustc(&["--print", "sysroot"])?.trim());
        Ok(Self { host: line("host: ")?, llvm, sysroot })
    }

    /// The tool that puts counts together: the one that is named, else the first that there is.
    fn profdata(&self, named: Option<OsString>) -> Result<PathBuf> {
        let llvm = &self.llvm;
        self.tool("llvm-profdata", "LLVM_PROFDATA", named)?.with_context(|| {
            format!(
                "there is no llvm-profdata of LLVM {llvm}, which rustc has: `rustup component add llvm-tools` installs it, \
                 and so does Debian's package llvm-{llvm}; LLVM_PROFDATA names one elsewhere"
            )
        })
    }

    /// The tools that lay a program out, found the same way; where there are none, says what is done without.
    fn bolt(&self, bolt: Option<OsString>, merge: Option<OsString>) -> Result<Option<Bolt>> {
        let bolt = self.tool("llvm-bolt", "LLVM_BOLT", bolt)?;
        let merge = self.tool("merge-fdata", "MERGE_FDATA", merge)?;
        let tools = bolt.zip(merge).map(|(bolt, merge)| Bolt { bolt, merge });
        if tools.is_none() {
            let llvm = &self.llvm;
            println!(
                "there is no llvm-bolt with merge-fdata of LLVM {llvm}: `orch` is not laid out anew, and a call takes longer. \
                 For Linux, Debian's packages bolt-{llvm} and libbolt-{llvm}-dev have them; LLVM_BOLT and MERGE_FDATA name \
                 others"
            );
        }
        Ok(tools)
    }

    fn tool(&self, name: &str, variable: &str, named: Option<OsString>) -> Result<Option<PathBuf>> {
        let is_there = |tool: &PathBuf| {
            Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success())
        };
        if let Some(named) = named.map(PathBuf::from) {
            if !is_there(&named) {
                bail!("{variable} names {}, which cannot be run", named.display());
            }
            return Ok(Some(named));
        }
        let component = self.sysroot.join("lib/rustlib").join(&self.host).join("bin").join(name);
        let distribution = PathBuf::from(format!("{name}-{}", self.llvm));
        Ok([component, distribution].into_iter().find(is_there))
    }

    /// `orch`, compiled with these flags beside those that `RUSTFLAGS` has; those of a configuration of cargo do not count.
    fn orch(&self, folder: &Path, more: &[&str]) -> Result<PathBuf> {
        let flags = env::var("RUSTFLAGS").unwrap_or_default();
        let flags: Vec<&str> = flags.split_whitespace().chain(more.iter().copied()).collect();
        let mut command = Command::new(cargo_path());
        command.args(["build", "--package", "orch", "--bin", "orch", "--profile", PROFILE]);
        // With a target that is named, what only helps to build is compiled without the flag.
        command.args(["--target", &self.host]).arg("--target-dir").arg(folder);
        // So separated, a folder may have a space in its name.
        run(command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f")))?;
        Ok(folder.join(&self.host).join(PROFILE).join("orch"))
    }
}

fn rustc(args: &[&str]) -> Result<String> {
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(compiler).args(args).output().context("`rustc` could not be started")?;
    if !output.status.success() {
        bail!("`rustc {}` failed: {}", args.join(" "), String::from_utf8_lossy(&output.stderr));
    }
    String::from_utf8(output.stdout).context("`rustc` does not write UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_compiles_is_known() {
        let compiler = Compiler::installed().unwrap();
        assert!(compiler.llvm.parse::<u32>().is_ok(), "{}", compiler.llvm);
        assert!(compiler.sysroot.join("lib/rustlib").join(&compiler.host).is_dir(), "{}", compiler.host);
    }

    #[test]
    fn the_tool_is_that_of_the_compiler_unless_another_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let compiler =
            Compiler { host: "a-b-c".to_owned(), llvm: "0".to_owned(), sysroot: folder.path().to_owned() };
        let missing = compiler.profdata(None).unwrap_err().to_string();
        assert!(missing.contains("llvm-profdata of LLVM 0") && missing.contains("llvm-tools"), "{missing}");
        let own = folder.path().join("lib/rustlib/a-b-c/bin/llvm-profdata");
        fs::create_dir_all(own.parent().unwrap()).unwrap();
        // Any program that runs will do.
        std::os::unix::fs::symlink(cargo_path(), &own).unwrap();
        assert_eq!(compiler.profdata(None).unwrap(), own);
        assert_eq!(compiler.profdata(Some(cargo_path().into())).unwrap(), cargo_path());
        let wrong = compiler.profdata(Some("no such tool".into())).unwrap_err().to_string();
        assert!(wrong.contains("LLVM_PROFDATA names no such tool"), "{wrong}");
    }

    #[test]
    fn a_program_is_laid_out_where_both_tools_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let compiler =
            Compiler { host: "a-b-c".to_owned(), llvm: "0".to_owned(), sysroot: folder.path().to_owned() };
        let named = || Some(cargo_path().into());
        assert!(compiler.bolt(None, None).unwrap().is_none());
        assert!(compiler.bolt(named(), None).unwrap().is_none());
        assert_eq!(compiler.bolt(named(), named()).unwrap().unwrap().merge, cargo_path());
        let wrong = compiler.bolt(named(), Some("no such tool".into())).unwrap_err().to_string();
        assert!(wrong.contains("MERGE_FDATA names no such tool"), "{wrong}");
    }
}
