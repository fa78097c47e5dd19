//! Every code has a page, and its snippets do what it says.

use std::fs;

use plan_compiler::codes;
use plan_lang::{Code, Diagnostic, SourceFile, render};

use crate::common::{compiled, root};

/// The text between a fence with `info` and the next fence.
fn snippet<'p>(page: &'p str, info: &str) -> Option<&'p str> {
    let (_, rest) = page.split_once(&format!("```{info}\n"))?;
    rest.split_once("```").map(|(text, _)| text)
}

/// Every code of a mistake in a plan, of the parser and of the checker.
pub(crate) fn all_codes() -> impl Iterator<Item = Code> {
    plan_lang::codes::ALL.iter().chain(codes::ALL).copied()
}

/// The failing snippet of a code's page, where it has one.
pub(crate) fn failing(code: Code) -> Option<String> {
    let page = fs::read_to_string(root().join(format!("docs/errors/{code}.md"))).unwrap();
    snippet(&page, "orch fails").map(str::to_owned)
}

fn show(text: &str, diagnostics: &[Diagnostic]) -> String {
    render(&SourceFile { name: "page.orch", text }, diagnostics, false)
}

#[test]
fn snippets_fail_and_pass_as_their_pages_say() {
    let mut wrong = Vec::new();
    for code in codes::ALL {
        let path = root().join(format!("docs/errors/{code}.md"));
        let Ok(page) = fs::read_to_string(&path) else {
            wrong.push(format!("{code} has no page"));
            continue;
        };
        assert!(page.starts_with(&format!("# {code}: ")), "{code}");
        // A broken entry of the Ledger is nothing a plan can show.
        if *code == codes::BROKEN_CAPABILITY {
            continue;
        }
        let (Some(fails), Some(ok)) = (snippet(&page, "orch fails"), snippet(&page, "orch ok")) else {
            wrong.push(format!("{code} lacks a snippet"));
            continue;
        };
        let found = compiled(fails).diagnostics;
        if found.is_empty() || found.iter().any(|d| d.code != *code) {
            wrong.push(format!("{code} fails otherwise:\n{}", show(fails, &found)));
        }
        let found = compiled(ok).diagnostics;
        if !found.is_empty() {
            wrong.push(format!("{code} is not mended:\n{}", show(ok, &found)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The messages of all pages whose code starts so, each behind its snippet.
fn messages(prefix: &str) -> String {
    let mut all = String::new();
    for code in codes::ALL.iter().filter(|code| code.as_str().starts_with(prefix)) {
        let page = fs::read_to_string(root().join(format!("docs/errors/{code}.md"))).unwrap();
        let Some(text) = snippet(&page, "orch fails") else { continue };
        let shown = show(text, &compiled(text).diagnostics);
        all.push_str(&format!("---- {code}\n{text}----\n{shown}\n"));
    }
    all
}

#[test]
fn messages_about_names() {
    insta::assert_snapshot!(messages("E02"));
}

#[test]
fn messages_about_types() {
    insta::assert_snapshot!(messages("E03"));
}

#[test]
fn messages_about_policies() {
    insta::assert_snapshot!(messages("E04"));
}

#[test]
fn messages_about_matches() {
    insta::assert_snapshot!(messages("E05"));
}

#[test]
fn messages_about_bounds() {
    insta::assert_snapshot!(messages("E07"));
}

#[test]
fn lints() {
    insta::assert_snapshot!(messages("W09"));
}
