//! The page on embedding shows the example, and the example prints what the page says.

use std::fs;

use crate::common::root;

#[path = "../../examples/embed.rs"]
#[expect(dead_code, reason = "a program of its own")]
mod embed;

/// The text of the first block marked `info`, and where it is in the page.
fn block(page: &str, info: &str) -> std::ops::Range<usize> {
    let start = page.find(&format!("```{info}\n")).unwrap() + "```\n".len() + info.len();
    start..start + page[start..].find("```").unwrap()
}

/// The hash of the plan is no part of what the page says: it is another with each version of the library.
fn without_hash(page: &str) -> String {
    let (before, after) = page.split_once("plan greet ").unwrap();
    before.to_owned() + after.trim_start_matches(|c: char| c.is_ascii_hexdigit())
}

/// `MDTEST_UPDATE=1` writes both blocks anew.
#[test]
fn the_page_is_the_example_and_its_output() {
    let path = root().join("docs/embedding.md");
    let page = fs::read_to_string(&path).unwrap();
    let lines = include_str!("../../examples/embed.rs").lines().count();
    assert!(lines <= 30, "checking, explaining and evaluating take {lines} lines");
    let mut made = page.clone();
    made.replace_range(block(&made, "rust"), include_str!("../../examples/embed.rs"));
    made.replace_range(block(&made, "text"), &embed::shown().unwrap());
    if std::env::var_os("MDTEST_UPDATE").is_some() {
        fs::write(&path, &made).unwrap();
    } else {
        assert_eq!(without_hash(&made), without_hash(&page));
    }
}
