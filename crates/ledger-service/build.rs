//! Builds the seed catalogue into the binary, so that `orch` works wherever it is copied.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let variable = |name| env::var_os(name).map(PathBuf::from).ok_or(io::ErrorKind::NotFound);
    let catalog = variable("CARGO_MANIFEST_DIR")?.join("../../catalog");
    println!("cargo:rerun-if-changed={}", catalog.display());
    let mut files = Vec::new();
    collect(&catalog, &mut files)?;
    files.sort();
    let mut table = String::from("[\n");
    for file in files {
        let name = file.strip_prefix(&catalog).map_err(io::Error::other)?;
        let path = file.canonicalize()?;
        // `{:?}` writes a Rust string literal.
        let _ = writeln!(
            table,
            "    ({:?}, include_str!({:?})),",
            name.to_string_lossy(),
            path.to_string_lossy()
        );
    }
    table.push_str("]\n");
    fs::write(variable("OUT_DIR")?.join("catalog.rs"), table)
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            println!("cargo:rerun-if-changed={}", path.display());
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "json" || extension == "orch") {
            files.push(path);
        }
    }
    Ok(())
}
