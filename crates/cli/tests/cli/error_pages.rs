//! The plans on the pages of codes that come up while a plan runs: their tests fail with the code, and pass once
//! mended. Mistakes that the compiler finds are tried where it is tested.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::orch::Folder;

/// What a plan with mocks can come to: the other codes of runs take a peer, a crash or a limit that the compiler
/// keeps plans from.
const CODES: [&str; 15] = [
    "E1150", "E1151", "E1153", "E1154", "E1158", "E1401", "E1403", "E1601", "E1602", "E1603", "E1604",
    "E1605", "E1606", "E1607", "E1608",
];

/// The marks of a page's two plans.
const MARKS: [&str; 2] = ["fails", "ok"];

/// The text between a fence with `orch` and this mark and the next fence.
fn snippet<'p>(page: &'p str, mark: &str) -> Option<&'p str> {
    let (_, rest) = page.split_once(&format!("```orch {mark}\n"))?;
    rest.split_once("```").map(|(text, _)| text)
}

#[test]
fn plans_fail_and_succeed_as_their_pages_say() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
    let folder = Folder::project();
    fs::remove_file(folder.path("plan.orch")).unwrap();
    let mut shown = BTreeSet::new();
    for entry in fs::read_dir(pages).unwrap() {
        let path = entry.unwrap().path();
        let code = path.file_stem().unwrap().to_str().unwrap();
        let page = fs::read_to_string(&path).unwrap();
        for mark in MARKS.iter().filter(|_| ("E08".."F").contains(&code)) {
            if let Some(text) = snippet(&page, mark) {
                folder.write(format!("{code}_{mark}.orch"), text);
                shown.insert(format!("{code}_{mark}.orch"));
            }
        }
    }
    let known = CODES.iter().flat_map(|code| MARKS.map(|mark| format!("{code}_{mark}.orch")));
    assert_eq!(shown, known.collect(), "a page whose plans are tried by nobody");

    folder.orch(["lock", "update"]).succeeds();
    folder.orch(["fmt", "--check"]).succeeds();
    let tested = folder.orch(["test", "--json"]).exits(1).json();
    let files = tested["files"].as_array().unwrap();
    assert_eq!(files.len(), shown.len());
    for file in files {
        let name = file["file"].as_str().unwrap();
        let (code, mark) = name.trim_end_matches(".orch").split_once('_').unwrap();
        assert_eq!(file["diagnostics"].as_array().unwrap().len(), 0, "{name}: {}", file["diagnostics"]);
        let [test] = file["tests"].as_array().unwrap().as_slice() else { panic!("{name} has one test") };
        assert_eq!(test["passed"], mark == "ok", "{name}: {test}");
        if mark == "fails" {
            // Of a run that failed the note says why.
            let failure = &test["failure"];
            let note = format!("code {code}, see `orch explain {code}`");
            let notes = failure["notes"].as_array().unwrap();
            assert!(failure["code"] == code || notes.iter().any(|known| *known == note), "{name}: {test}");
        }
    }
}
