//! Texts of plans: read, laid out, compiled.

use std::sync::OnceLock;

use plan_compiler::{Options, Source, compile, fix};
use plan_doc::page::{Page, html, markdown};
use plan_lang::syntax::SyntaxKind;
use plan_lang::{
    Diagnostic, Parse, SourceFile, format as format_text, parse as parse_text, parse_bytes, render,
};
use schema::hash::Hash;
use schema::lock::Lock;

/// Longest text that is looked at in every way; longer ones are only compiled.
const THOROUGH_BYTES_MAX: usize = 2_000;

/// Reading keeps every byte, reports what it does not understand, and gives the same whether it starts anew or from an
/// earlier state.
pub fn parse(data: &[u8]) {
    let parse = parse_bytes(data);
    let Ok(text) = std::str::from_utf8(data) else {
        assert!(parse.has_errors(), "bytes that are no text are read without a word");
        return;
    };
    assert_eq!(parse.syntax().text(), text, "the tree is not the text");
    let root = parse.syntax();
    let broken = root.descendants().any(|node| node.kind().is_missing() || node.kind().is_error())
        || root.all_tokens().any(|token| token.kind().is_error());
    assert!(!broken || parse.has_errors(), "silent about a broken tree");
    well_placed(text, parse.diagnostics());
    let shown = render(&SourceFile { name: "fuzz.orch", text }, parse.diagnostics(), false);
    assert_eq!(shown.is_empty(), parse.diagnostics().is_empty());
    // As an editor has it: the text grows.
    let mut half = text.len() / 2;
    while !text.is_char_boundary(half) {
        half -= 1;
    }
    let grown = parse_text(text.get(..half).unwrap_or("")).update(text);
    assert_eq!(grown.diagnostics(), parse.diagnostics(), "an update finds something else");
    assert_eq!(grown.syntax().text(), text);
}

/// Places lie in the text and on borders of characters, and fixes can be made.
fn well_placed(text: &str, found: &[Diagnostic]) {
    for diagnostic in found {
        for label in &diagnostic.labels {
            assert!(text.get(label.span.range()).is_some(), "a place outside the text: {diagnostic:?}");
        }
        if let Some(fix) = &diagnostic.fix {
            assert!(fix.apply(text).is_some(), "a fix that cannot be made: {diagnostic:?}");
        }
        assert!(!diagnostic.message.is_empty());
    }
}

/// A text is laid out exactly if it can be read; that changes no meaning and loses no comment, and happens once.
pub fn format(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let before = parse_text(text);
    let Ok(formatted) = format_text(text) else {
        assert!(before.has_errors(), "a text without errors is not laid out");
        return;
    };
    assert!(!before.has_errors(), "a text with errors is laid out");
    let after = parse_text(&formatted);
    assert!(!after.has_errors(), "broken by layout:\n{formatted}");
    assert_eq!(comments(&before), comments(&after), "comments are lost or swapped:\n{formatted}");
    assert_eq!(format_text(&formatted).as_deref(), Ok(formatted.as_str()), "laid out twice:\n{formatted}");
    if text.len() <= THOROUGH_BYTES_MAX {
        assert_eq!(meaning(&before), meaning(&after), "another meaning:\n{formatted}");
    }
}

/// The comments and docs of a text, in order.
fn comments(parse: &Parse) -> Vec<String> {
    let tokens = parse.syntax().all_tokens();
    let kept = tokens.filter(|token| matches!(token.kind(), SyntaxKind::Comment | SyntaxKind::Doc));
    kept.map(|token| token.text().trim_end().to_owned()).collect()
}

/// The AST without positions, which are shown as `@12..34`.
fn meaning(parse: &Parse) -> String {
    let shown = format!("{:?}", parse.ast().items);
    let mut parts = shown.split('@');
    let mut meaning = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        meaning.push('@');
        meaning.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.'));
    }
    meaning
}

/// Compiling gives messages or plans; plans are well formed and survive being written and read, and everything that
/// shows them has something to show.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let source = Source { name: "fuzz.orch", text };
    let compilation = compile(&source, ledger(), &Options::with_tests());
    well_placed(text, &compilation.diagnostics);
    assert!(!compilation.has_errors() || compilation.plans.is_empty(), "plans of a text with errors");
    assert_eq!(compilation.plans.len(), compilation.bounds.len());
    for (plan, bound) in compilation.plans.iter().zip(&compilation.bounds) {
        assert_eq!(plan_ir::validate::validate(plan), Ok(()), "a plan that breaks a rule");
        let bytes = plan_ir::bytes::encode(plan);
        let read = bytes.as_ref().ok().map(|bytes| plan_ir::bytes::decode(bytes));
        // A plan may be too large to be written.
        assert!(
            read.is_none_or(|read| read.is_ok_and(|read| read.body == plan.body)),
            "a plan that is read otherwise"
        );
        if text.len() <= THOROUGH_BYTES_MAX {
            let page = Page::of(&source, plan, bound);
            assert!(markdown(&page).contains("## Graph") && html(&page).contains("</svg>"));
            assert!(plan_doc::to_dot(&page.graph).ends_with("}\n"));
        }
    }
    if text.len() <= THOROUGH_BYTES_MAX {
        let fixed = fix(&source, ledger(), &Options::default());
        assert!(fixed.applied.is_empty() || !parse_text(&fixed.text).has_errors(), "a fix that breaks");
        let again = fix(&Source { name: "fuzz.orch", text: &fixed.text }, ledger(), &Options::default());
        assert!(again.applied.is_empty() || fixed.withheld, "fixes that are never done");
    }
}

/// A small Ledger.
fn ledger() -> &'static Lock {
    static LOCK: OnceLock<Lock> = OnceLock::new();
    LOCK.get_or_init(|| {
        let ledger: serde_json::Value =
            serde_json::from_str(include_str!("../ledger.json")).unwrap_or_default();
        let part = |name: &str| ledger.get(name).cloned().unwrap_or_default();
        let operations: Vec<_> = serde_json::from_value(part("operations")).unwrap_or_default();
        let capabilities: Vec<_> = serde_json::from_value(part("capabilities")).unwrap_or_default();
        let lock = Lock::pin(Hash::default(), None, operations, capabilities);
        assert!(lock.is_ok(), "the Ledger of the fuzzers is broken");
        lock.unwrap_or_else(|_| Lock::empty())
    })
}
