//! Embeds the pages of `docs/errors`, so that `orch explain CODE` needs no files.

#![expect(clippy::expect_used, reason = "a build script has no better way to fail")]

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut pages: Vec<(String, String)> = fs::read_dir(&folder)
        .expect("docs/errors is part of the source")
        .map(|entry| entry.expect("docs/errors can be listed").path())
        .filter_map(|path| {
            let code = path.file_stem()?.to_str()?.to_owned();
            let is_page = path.extension()? == "md" && code.len() == 5 && code.starts_with(['E', 'W']);
            is_page.then(|| (code, fs::read_to_string(&path).expect("a page is text")))
        })
        .collect();
    pages.sort();
    let mut source = String::from("[\n");
    for (code, text) in pages {
        // Writing to a string cannot fail.
        let _ = writeln!(source, "    ({code:?}, {text:?}),");
    }
    source.push_str("]\n");
    let target = Path::new(&env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("pages.rs");
    fs::write(target, source).expect("OUT_DIR can be written");
}
