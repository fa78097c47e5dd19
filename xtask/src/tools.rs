//! What tests and checks need beyond Rust: Python environments in the ignored folder `.tools/`, and the ignored
//! `node_modules` of our packages for Node. They are made on first use and made anew when their requirements change.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{root, run};

/// The `bin` folder of the virtual environment `.tools/{name}` with `requirements` installed.
pub(crate) fn venv(name: &str, requirements: &[&str], constraints: Option<&str>) -> Result<PathBuf> {
    let folder = root().join(".tools").join(name);
    let bin = folder.join("bin");
    let wanted = wanted(requirements.iter().chain(constraints.iter()))?;
    let marker = folder.join("installed");
    if fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
        return Ok(bin);
    }
    println!("Installing {} into .tools/{name} (once)", requirements.join(", "));
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder))
        .context("Python 3 with its venv module is needed (Debian: apt-get install python3-venv)")?;
    let mut pip = Command::new(bin.join("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    for file in requirements {
        pip.arg("--requirement").arg(root().join(file));
    }
    if let Some(file) = constraints {
        pip.arg("--constraint").arg(root().join(file));
    }
    run(&mut pip).with_context(|| {
        format!(
            "the packages of {} could not be installed; a Python package index must be reachable",
            requirements.join(", ")
        )
    })?;
    fs::write(&marker, wanted).with_context(|| format!("{} could not be written", marker.display()))?;
    Ok(bin)
}

/// Installs what the package of Node in `folder` depends on, as its lockfile has it.
pub(crate) fn npm(folder: &str) -> Result<()> {
    let package = root().join(folder);
    let marker = package.join("node_modules/.installed");
    let wanted = wanted([format!("{folder}/package-lock.json").as_str()].iter())?;
    if fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("Installing the packages of {folder} (once)");
    run(Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(&package))
    .context("Node 20 or later with npm is needed, and a package index must be reachable")?;
    fs::write(&marker, wanted).with_context(|| format!("{} could not be written", marker.display()))
}

fn wanted<'a>(files: impl Iterator<Item = &'a &'a str>) -> Result<String> {
    files
        .map(|file| {
            fs::read_to_string(root().join(file)).with_context(|| format!("{file} could not be read"))
        })
        .collect()
}
