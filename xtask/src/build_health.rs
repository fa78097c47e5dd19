//! How long builds take: from nothing in the debug and release profiles, and after a change to one crate.
//!
//! All of it happens in a target folder of its own, so nothing else is rebuilt and nothing built helps. On
//! a machine with other work to do, the time on cores says more than the clock.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result};

use crate::{cargo_path, root, run};

/// A build and the time it may take on two cores.
struct Build {
    what: &'static str,
    /// The crate whose `lib.rs` or `main.rs` is touched before; `None` for a build from nothing.
    touched: Option<&'static str>,
    args: &'static [&'static str],
    limit_s: f64,
}

const BUILDS: [Build; 7] = [
    build("clean debug build of the workspace", None, &["build", "--workspace"], 420.0),
    build("touch schema", Some("crates/schema/src/lib.rs"), TO_BINARY, 45.0),
    build("touch plan-lang", Some("crates/plan-lang/src/lib.rs"), TO_BINARY, 15.0),
    build("touch runtime", Some("crates/runtime/src/lib.rs"), TO_BINARY, 15.0),
    build("touch server", Some("crates/server/src/lib.rs"), TO_BINARY, 15.0),
    build("touch cli", Some("crates/cli/src/main.rs"), TO_BINARY, 15.0),
    build("clean release build of orch", None, &["build", "--release", "--package", "orch"], 480.0),
];

/// What somebody who changes one crate waits for.
const TO_BINARY: &[&str] = &["build", "--package", "orch"];

const fn build(
    what: &'static str,
    touched: Option<&'static str>,
    args: &'static [&'static str],
    limit_s: f64,
) -> Build {
    Build { what, touched, args, limit_s }
}

/// Makes every build and prints what it took.
pub(crate) fn bench() -> Result<()> {
    let target = root().join("target/build-health");
    let mut rows = Vec::new();
    for build in BUILDS {
        match build.touched {
            Some(file) => touch(&root().join(file))?,
            None => remove(&target)?,
        }
        let (start, start_cpu) = (Instant::now(), cpu_of_children_s());
        run(Command::new(cargo_path()).args(build.args).env("CARGO_TARGET_DIR", &target))?;
        rows.push((build, start.elapsed().as_secs_f64(), cpu_of_children_s() - start_cpu));
    }
    let release = size_mb(&target.join("release").join(format!("orch{}", std::env::consts::EXE_SUFFIX)));
    remove(&target)?;
    println!("\n{:<36} {:>8} {:>8} {:>8}", "build", "s", "cpu s", "limit s");
    for (build, clock, cpu) in rows {
        println!("{:<36} {clock:>8.1} {cpu:>8.1} {:>8.0}", build.what, build.limit_s);
    }
    println!("release binary: {release:.1} MB");
    Ok(())
}

fn touch(file: &Path) -> Result<()> {
    let changed =
        File::options().append(true).open(file).and_then(|file| file.set_modified(SystemTime::now()));
    changed.with_context(|| format!("{} could not be touched", file.display()))
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} could not be removed", folder.display()))
        }
        _ => Ok(()),
    }
}

fn size_mb(file: &Path) -> f64 {
    fs::metadata(file).map_or(0.0, |meta| meta.len() as f64 / 1e6)
}

/// Time on cores of all processes that this one waited for, and theirs; 0 where Linux does not say so.
fn cpu_of_children_s() -> f64 {
    // `man 5 proc_pid_stat`: fields 16 and 17, in ticks of 10 ms; the second field may hold spaces.
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = after_name.split_whitespace().skip(13).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}
