//! Every code has a page, and its snippets do what it says.

use std::fs;

use plan_compiler::codes;
use plan_lang::{Code, Diagnostic, SourceFile, render};

use crate::common::{compiled, root};

/// Mistakes that no snippet can show: size, depth, encoding, what cannot be seen, and a broken entry of the Ledger.
const WITHOUT_SNIPPET: [&str; 6] = ["E0101", "E0102", "E0103", "E0104", "E0105", "E0217"];

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
    for code in all_codes() {
        let path = root().join(format!("docs/errors/{code}.md"));
        let Ok(page) = fs::read_to_string(&path) else {
            wrong.push(format!("{code} has no page"));
            continue;
        };
        assert!(page.starts_with(&format!("# {code}: ")), "{code}");
        if WITHOUT_SNIPPET.contains(&code.as_str()) {
            continue;
        }
        let (Some(fails), Some(ok)) = (snippet(&page, "orch fails"), snippet(&page, "orch ok")) else {
            wrong.push(format!("{code} lacks a snippet"));
            continue;
        };
        let found = compiled(fails).diagnostics;
        if found.is_empty() || found.iter().any(|d| d.code != code) {
            wrong.push(format!("{code} fails otherwise:\n{}", show(fails, &found)));
        }
        let found = compiled(ok).diagnostics;
        if !found.is_empty() {
            wrong.push(format!("{code} is not mended:\n{}", show(ok, &found)));
        }
        if plan_lang::format(ok).as_deref() != Ok(ok) {
            wrong.push(format!("{code}: the mended snippet is not formatted"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The messages of all pages whose code starts so, each behind its snippet.
fn messages(prefix: &str) -> String {
    let mut all = String::new();
    for code in all_codes().filter(|code| code.as_str().starts_with(prefix)) {
        let Some(text) = failing(code) else { continue };
        let shown = show(&text, &compiled(&text).diagnostics);
        all.push_str(&format!("---- {code}\n{text}----\n{shown}\n"));
    }
    all
}

#[test]
fn messages_about_syntax() {
    insta::assert_snapshot!(messages("E01"));
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

/// Texts for the mistakes that no page can show, and what is shown of them.
#[test]
fn messages_about_what_no_page_can_show() {
    let sum = |terms: usize| format!("fn f() -> Int = {}\n", vec!["1"; terms].join(" + "));
    let cases = [
        ("E0101", format!("// {}\n", "x".repeat(1 << 20))),
        ("E0102", format!("fn f() -> Int = {}1{}\n", "(".repeat(129), ")".repeat(129))),
        ("E0104", "fn f() -> String = \"a\u{0}b\"\n".to_owned()),
        ("E0104", "fn f() -> Int = 1 // \u{202E}\n".to_owned()),
        ("E0105", sum(257)),
    ];
    let mut all = String::new();
    for (code, text) in cases {
        let found = compiled(&text).diagnostics;
        assert!(
            !found.is_empty() && found.iter().all(|found| found.code.as_str() == code),
            "{code} {found:?}"
        );
        all.push_str(&format!("---- {code}\n{}\n", show(&text, &found)));
    }
    let parse = plan_lang::parse_bytes(b"fn f() -> Int = 1\n// \xff\xfe\n");
    let text = "fn f() -> Int = 1\n// \u{FFFD}\u{FFFD}\n";
    all.push_str(&format!("---- E0103\n{}\n", show(text, parse.diagnostics())));
    insta::assert_snapshot!(all);
}
