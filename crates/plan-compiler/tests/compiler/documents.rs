//! The plans that the documentation shows compile as they stand, without a warning.

use std::collections::BTreeSet;
use std::fs;

use plan_ir::builtin::Builtin;
use plan_lang::{SourceFile, render};

use crate::common::{compiled, root};

/// Every block marked `orch` of a Markdown page.
fn blocks(page: &str) -> Vec<&str> {
    page.split("```orch\n").skip(1).filter_map(|rest| rest.split_once("```").map(|(text, _)| text)).collect()
}

fn assert_compiles(name: &str, text: &str) {
    let found = compiled(text).diagnostics;
    assert!(found.is_empty(), "{name}\n{}", render(&SourceFile { name, text }, &found, false));
}

#[test]
fn the_language_guide_names_every_function_of_the_library() {
    let page = fs::read_to_string(root().join("docs/language.md")).unwrap();
    let section =
        page.split("\n## ").find(|section| section.starts_with("Functions of the library")).unwrap();
    let named: BTreeSet<&str> = section.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
    for builtin in Builtin::ALL {
        assert!(named.contains(builtin.name()), "{} is missing", builtin.name());
    }
}

/// The page is committed for readers; `ORCHESTRA_UPDATE_DOCS=1` writes it anew when the table changes.
#[test]
fn the_page_of_the_library_is_what_its_table_gives() {
    let path = root().join("docs/library.md");
    let made = plan_ir::builtin::reference();
    if std::env::var_os("ORCHESTRA_UPDATE_DOCS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    assert!(committed == made, "docs/library.md is out of date: run this test with ORCHESTRA_UPDATE_DOCS=1");
}

#[test]
fn the_plan_of_the_readme_is_the_example_of_that_name() {
    let page = fs::read_to_string(root().join("README.md")).unwrap();
    let example = fs::read_to_string(root().join("examples/plans/first_links.orch")).unwrap();
    let block = *blocks(&page).first().unwrap();
    assert_compiles("README.md", block);
    // Whole, but for what the file says of itself and its tests.
    let (before, after) = example.split_once(block).unwrap();
    assert!(before.lines().all(|line| line.starts_with("//")), "{before}");
    assert!(after.starts_with("\ntest \"") && !after.contains("\nplan "), "{after}");
}
