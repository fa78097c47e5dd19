//! `orch test`: what passes, what fails and how it is told.

use std::fs;
use std::path::Path;

use crate::orch::{Folder, shape};

const TESTED: &str = include_str!("plans/tested.orch");

fn tested() -> Folder {
    let folder = Folder::project();
    folder.write("tested.orch", TESTED);
    folder.orch(["lock", "update"]).succeeds();
    folder
}

#[test]
fn every_way_to_fail_is_told_with_its_place_and_its_reason() {
    let folder = tested();
    let ran = folder.orch(["test", "tested.orch"]).exits(1);
    assert_eq!(ran.out, "");
    insta::assert_snapshot!(ran.err);
}

/// What fails inside a function or plan is shown there, and where the test asks for it.
#[test]
fn a_failure_is_told_with_both_its_places() {
    let folder = tested();
    folder.write("places.orch", include_str!("plans/places.orch"));
    insta::assert_snapshot!(folder.orch(["test", "places.orch"]).exits(1).err);
}

#[test]
fn a_name_is_shown_in_one_line() {
    let folder = tested();
    folder.write("named.orch", "edition 2026\ntest \"a\\nb \\u{1b}[31m\" {\n  assert true\n}\n");
    let ran = folder.orch(["test", "named.orch"]).succeeds();
    assert!(ran.err.contains("  ok      a\\nb \\u{1b}[31m  ("), "{}", ran.err);
}

#[test]
fn tests_are_chosen_by_name() {
    let folder = tested();
    let ran = folder.orch(["test", "--name", "fine", "tested.orch"]).succeeds();
    insta::assert_snapshot!(ran.err, @r"
    tested.orch
      ok      fine  (0.014 USD, 3.000 s)
    1 passed, 0 failed, 7 left out
    ");
    let none = folder.orch(["test", "-n", "nothing of that", "tested.orch"]).exits(2);
    assert!(none.err.contains("error[E1521]: no test has `nothing of that` in its name"), "{}", none.err);
    folder.write("plain.orch", "edition 2026\nfn one() -> Int = 1\n");
    let none = folder.orch(["test", "plain.orch"]).exits(2);
    assert!(none.err.contains("error[E1521]: there is no test"), "{}", none.err);
}

#[test]
fn a_mock_answers_with_what_a_let_has_made() {
    let folder = tested();
    folder.write(
        "lets.orch",
        "edition 2026\nuse sn22 { web_crawl as crawl }\nplan p() -> String with { budget: 1USD, deadline: 1m } {\n  \
         call crawl(url: \"https://a.example\") with { timeout: 1s, max_price: 0.001USD }\n}\ntest \"lets\" {\n  \
         let n = 3\n  let texts = 1.to(n).map(i => \"{i}\")\n  mock crawl => texts.join(\" \")\n  \
         let r = run p()\n  assert r == \"1 2 3\"\n}\n",
    );
    let ran = folder.orch(["test", "lets.orch"]).succeeds();
    assert!(ran.err.ends_with("1 passed, 0 failed\n"), "{}", ran.err);
}

#[test]
fn results_are_json_for_a_program() {
    let folder = tested();
    let ran = folder.orch(["test", "--json", "-n", "assertion", "tested.orch"]).exits(1);
    assert_eq!(ran.err, "");
    insta::assert_snapshot!(shape(ran.json()));
}

#[test]
fn a_file_that_does_not_compile_is_a_failure_and_the_others_still_run() {
    let folder = tested();
    folder.write("broken.orch", "edition 2026\ntest \"t\" {\n  assert 3\n}\n");
    let ran = folder.orch(["test", "broken.orch", "plan.orch"]).exits(1);
    assert!(ran.err.contains("error[E0301]: what is asserted must be `Bool`"), "{}", ran.err);
    assert!(ran.err.contains("1 passed, 0 failed; 1 file does not compile"), "{}", ran.err);
}

/// `plan-compiler`, whose tests compile the pages, runs no plans.
#[test]
fn the_tests_of_the_documentation_pass() {
    let folder = Folder::project();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let mut tests = 0;
    for page in ["language.md", "language-in-one-page.md"] {
        let text = fs::read_to_string(docs.join(page)).unwrap();
        let blocks = text.split("\n```orch\n").skip(1).map(|rest| rest.split("\n```").next().unwrap());
        for (at, block) in blocks.filter(|block| block.contains("\ntest \"")).enumerate() {
            tests += block.matches("\ntest \"").count();
            folder.write(format!("{page}-{at}.orch"), block);
        }
    }
    assert!(tests >= 4, "{tests}");
    folder.orch(["lock", "update"]).succeeds();
    let ran = folder.orch(["test", "."]).succeeds();
    // The project brings tests of its own.
    assert!(ran.err.contains(" passed, 0 failed"), "{}", ran.err);
    assert_eq!(ran.err.matches("language").count(), 3, "{}", ran.err);
}
