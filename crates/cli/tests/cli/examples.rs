//! Every plan of `examples/plans` compiles, is formatted, and runs on samples in its own folder.

use std::path::Path;

use crate::orch::{Folder, copy};

/// Inputs by file; a new example needs a row here.
const INPUTS: [(&str, &[&str]); 2] = [
    ("competitive_analysis.orch", &["--input", "company=Halcyon", "--input", "rivals=[\"Meridian\"]"]),
    ("first_links.orch", &["--input", "query=Halcyon versus Meridian"]),
];

fn examples() -> Folder {
    let folder = Folder::empty();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plans"), &folder.path("."));
    // Whoever tried them here may have left state behind.
    let _ = std::fs::remove_dir_all(folder.path(".orchestra"));
    folder
}

#[test]
fn they_compile_against_their_lock_and_are_formatted() {
    let folder = examples();
    let checked = folder.orch(["check"]).succeeds();
    assert!(checked.err.contains("0 errors"), "{}", checked.err);
    folder.orch(["fmt", "--check"]).succeeds();
    let update = folder.orch(["lock", "update"]).succeeds();
    assert!(update.err.ends_with("pins, unchanged\n"), "the lock is behind the catalogue:\n{}", update.err);
}

#[test]
fn their_tests_pass() {
    let tested = examples().orch(["test"]).succeeds();
    assert!(tested.err.contains(" passed, 0 failed"), "{}", tested.err);
}

#[test]
fn they_run_on_samples() {
    let folder = examples();
    for file in folder.files(".").iter().filter(|path| path.extension().is_some_and(|e| e == "orch")) {
        let name = file.file_name().unwrap().to_str().unwrap();
        let inputs = INPUTS.iter().find(|(file, _)| *file == name);
        let (_, inputs) = inputs.unwrap_or_else(|| panic!("{name} has no inputs in this test"));
        let ran = folder.orch([&["run", name, "--json"], *inputs].concat()).succeeds().json();
        assert_eq!(ran["state"], "succeeded");
        assert!(!ran["result"].is_null());
    }
}
