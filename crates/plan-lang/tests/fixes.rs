//! Fixes keep what they promise. On the examples of the messages every fix removes its message (see
//! `messages.rs`); here every token of whole files is forgotten, or written as another language has it: a safe
//! fix then leaves fewer mistakes than there were.

#![expect(clippy::unwrap_used, clippy::string_slice, reason = "tests")]

use plan_lang::syntax::SyntaxKind;
use plan_lang::{Applicability, Parse, SourceFile, parse, render};

const FIXTURES: [&str; 5] = [
    include_str!("fixtures/analyse.orch"),
    include_str!("fixtures/answer.orch"),
    include_str!("fixtures/screen.orch"),
    include_str!("fixtures/web_search_adapter.orch"),
    include_str!("fixtures/everything.orch"),
];

/// What is written here, and what people write who come from elsewhere.
const HABITS: [(&str, &str); 13] = [
    (",", ";"),
    (",", ""),
    (":", "="),
    (":", ""),
    ("=>", "->"),
    ("=>", ":"),
    ("->", ":"),
    ("->", "=>"),
    ("=", "=="),
    ("=", ":"),
    ("in", "of"),
    ("else", ","),
    ("as", "=>"),
];

fn errors(parse: &Parse) -> usize {
    parse.diagnostics().iter().filter(|found| found.is_error()).count()
}

/// How many safe fixes were tried, and what is shown of those that left no fewer mistakes.
#[derive(Default)]
struct Tally {
    tried: usize,
    idle: Vec<String>,
}

/// Tries every safe fix that is offered for `text`.
fn check(text: &str, base: &Parse, tally: &mut Tally) {
    let before = base.update(text);
    for found in before.diagnostics() {
        let Some(fix) = found.fix.as_ref().filter(|fix| fix.applicability == Applicability::Safe) else {
            continue;
        };
        let fixed = fix.apply(text).unwrap();
        let after = before.update(&fixed);
        if errors(&after) >= errors(&before) {
            let file = SourceFile { name: "x.orch", text };
            tally.idle.push(render(&file, before.diagnostics(), false));
        }
        tally.tried += 1;
    }
}

/// The texts that come from `text` by one slip each.
fn slips(text: &str, visit: &mut dyn FnMut(&str)) {
    let tokens = parse(text).syntax().all_tokens();
    for token in tokens.filter(|token| token.kind() != SyntaxKind::Whitespace) {
        let (before, after) = (&text[..token.span().start as usize], &text[token.span().end as usize..]);
        let mut put = |other: &str| visit(&format!("{before}{other}{after}"));
        put("");
        HABITS.iter().filter(|(here, _)| *here == token.text()).for_each(|(_, other)| put(other));
        if token.kind() == SyntaxKind::Number {
            let number = token.text();
            put(&number.replacen('0', "_0", 1));
            put(&number.to_lowercase());
            put(&number.replace('s', "sec"));
        }
    }
}

#[test]
fn safe_fixes_help_whatever_slipped() {
    let mut tally = Tally::default();
    for text in FIXTURES {
        let base = parse(text);
        slips(text, &mut |broken| check(broken, &base, &mut tally));
    }
    // A quote that is forgotten makes two mistakes of one; no guess is always right.
    assert!(tally.tried > 500 && tally.idle.len() * 50 < tally.tried, "{}", tally.idle.join("\n"));
}
