//! The plans that the documentation shows compile as they stand, without a warning.

use std::fs;

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
fn the_plan_of_the_readme_is_the_example_of_that_name() {
    let page = fs::read_to_string(root().join("README.md")).unwrap();
    let example = fs::read_to_string(root().join("examples/plans/first_links.orch")).unwrap();
    assert_eq!(blocks(&page).first(), Some(&example.as_str()));
    assert_compiles("README.md", &example);
}
