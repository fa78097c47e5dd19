//! Fixes keep what they promise. Every token of whole files is forgotten, or written as another language has it, and
//! every keyword is misspelt: whatever fix is then offered leaves fewer mistakes than there were, and a keyword is known
//! in what was written for it.

#![expect(clippy::unwrap_used, clippy::string_slice, reason = "tests")]

use std::collections::BTreeMap;

use plan_lang::syntax::SyntaxKind;
use plan_lang::{Diagnostic, Parse, SourceFile, parse, render};

const FIXTURES: [&str; 5] = [
    include_str!("../fixtures/analyse.orch"),
    include_str!("../fixtures/answer.orch"),
    include_str!("../fixtures/screen.orch"),
    include_str!("../fixtures/web_search_adapter.orch"),
    include_str!("../fixtures/everything.orch"),
];

/// What is written here, and what people write who come from elsewhere.
const HABITS: [(&str, &str); 11] = [
    (",", ";"),
    (":", "="),
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

/// Keywords in what is not known as them.
const UNKNOWN: [&str; 3] = ["if: f", "if: fi", "if: i"];

fn errors(parse: &Parse) -> usize {
    parse.diagnostics().iter().filter(|found| found.is_error()).count()
}

/// How many fixes were tried, and what is shown of those that left no fewer mistakes.
#[derive(Default)]
struct Tally {
    tried: usize,
    idle: Vec<String>,
}

/// Tries every fix that is offered for `text`. Returns how many mistakes there are, and the texts that fixes made.
fn check(text: &str, base: &Parse, tally: &mut Tally) -> (usize, Vec<String>) {
    let before = base.update(text);
    let mistakes = errors(&before);
    let mut all_fixed = Vec::new();
    for (found, fix) in before.diagnostics().iter().filter_map(|found| Some((found, found.fix.as_ref()?))) {
        let fixed = fix.apply(text).unwrap();
        let after = before.update(&fixed);
        let is_left = |other: &Diagnostic| (other.code, &other.message) == (found.code, &found.message);
        if errors(&after) >= mistakes && after.diagnostics().iter().any(is_left) {
            let file = SourceFile { name: "x.orch", text };
            tally.idle.push(format!("{}\n{}", fix.message, render(&file, before.diagnostics(), false)));
        }
        tally.tried += 1;
        all_fixed.push(fixed);
    }
    (mistakes, all_fixed)
}

/// The texts that come from `text` by one slip each.
fn slips(text: &str, visit: &mut dyn FnMut(&str)) {
    let tokens = parse(text).syntax().all_tokens();
    for token in tokens.filter(|token| token.kind() != SyntaxKind::Whitespace) {
        let (before, after) = (&text[..token.span().start as usize], &text[token.span().end as usize..]);
        let mut put = |other: &str| {
            if other != token.text() {
                visit(&format!("{before}{other}{after}"));
            }
        };
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
fn fixes_help_whatever_slipped() {
    let mut tally = Tally::default();
    for text in FIXTURES {
        let base = parse(text);
        slips(text, &mut |broken| drop(check(broken, &base, &mut tally)));
    }
    assert!(tally.tried > 1_000 && tally.idle.is_empty(), "{}\n{}", tally.tried, tally.idle.join("\n"));
}

/// Every word that is misspelt by one letter: left out, or swapped with its neighbour.
fn misspelt(word: &str) -> Vec<String> {
    let letters: Vec<char> = word.chars().collect();
    let without = |at: usize| letters.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, c)| c).collect();
    let swapped = |at: usize| {
        let mut letters = letters.clone();
        letters.swap(at, at + 1);
        letters.into_iter().collect()
    };
    let mut all: Vec<String> = (0..letters.len()).map(without).collect();
    all.extend((1..letters.len()).map(|at| swapped(at - 1)));
    all.retain(|other| other != word && !other.is_empty());
    // Without either of two letters that are the same it is the same word.
    all.dedup();
    all
}

#[test]
fn a_misspelt_keyword_is_known() {
    let (mut tally, mut unknown) = (Tally::default(), BTreeMap::new());
    for text in FIXTURES {
        let base = parse(text);
        for token in base.syntax().all_tokens().filter(|token| token.kind() == SyntaxKind::Keyword) {
            for word in misspelt(token.text()) {
                let mut broken = text.to_owned();
                broken.replace_range(token.span().range(), &word);
                let (mistakes, fixed) = check(&broken, &base, &mut tally);
                if mistakes > 0 && !fixed.iter().any(|fixed| fixed == text) {
                    *unknown.entry((token.text().to_owned(), word)).or_insert(0) += 1;
                }
            }
        }
    }
    assert!(tally.tried > 500 && tally.idle.is_empty(), "{}\n{}", tally.tried, tally.idle.join("\n"));
    // Of these, too little is left.
    let unknown: Vec<String> =
        unknown.into_keys().map(|(word, written)| format!("{word}: {written}")).collect();
    assert_eq!(unknown, UNKNOWN);
}
