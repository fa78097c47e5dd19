//! Broken texts: whatever is deleted, doubled, swapped or inserted, the parser does not panic, keeps every
//! byte, reports what it does not understand and keeps the declarations that were not touched.

#![expect(clippy::unwrap_used, clippy::string_slice, reason = "tests")]

use std::ops::Range;

use plan_lang::syntax::{SyntaxElement, SyntaxKind, SyntaxNode};
use plan_lang::{Parse, parse};

use crate::edits::assert_same;
use crate::support::one_in;

const FIXTURES: [(&str, &str); 5] = [
    ("analyse.orch", include_str!("../fixtures/analyse.orch")),
    ("answer.orch", include_str!("../fixtures/answer.orch")),
    ("screen.orch", include_str!("../fixtures/screen.orch")),
    ("web_search_adapter.orch", include_str!("../fixtures/web_search_adapter.orch")),
    ("everything.orch", include_str!("../fixtures/everything.orch")),
];

/// What is put before a token: each bracket, quote, separator and keyword that changes how text is read.
const INSERTIONS: [&str; 17] = [
    "(", ")", "[", "]", "{", "}", "\"", "\"\"\"", ",", "=>", "let ", "with ", "if ", "\n", "///", "x ",
    "\u{0}",
];

/// How often untouched declarations survived.
#[derive(Default)]
struct Tally {
    kept: usize,
    lost: usize,
}

impl Tally {
    fn share_kept(&self) -> f64 {
        self.kept as f64 / (self.kept + self.lost) as f64
    }
}

/// Tokens that carry meaning, as offsets into the text.
fn tokens(root: &SyntaxNode) -> Vec<Range<usize>> {
    root.all_tokens()
        .filter(|token| token.kind() != SyntaxKind::Whitespace)
        .map(|t| t.span().range())
        .collect()
}

/// A text without mistakes, of which mutations are made.
struct Base {
    parse: Parse,
    /// Where its declarations are, and their texts.
    items: Vec<(Range<usize>, &'static str)>,
}

impl Base {
    fn of(text: &'static str) -> Self {
        let parse = parse(text);
        let items = parse.syntax().children().filter(|child| child.kind() == SyntaxKind::Item);
        let items = items.map(|item| (item.span().range(), item.span().text(text))).collect();
        Self { parse, items }
    }

    fn tokens(&self) -> Vec<Range<usize>> {
        tokens(&self.parse.syntax())
    }
}

fn is_broken(element: &SyntaxElement) -> bool {
    let is_unfit = |node: SyntaxNode| {
        let kind = node.kind();
        kind.is_missing() || kind.is_error() || node.tokens().any(|token| token.kind().is_error())
    };
    match element {
        SyntaxElement::Node(node) => node.descendants().any(is_unfit),
        SyntaxElement::Token(token) => token.kind().is_error(),
    }
}

/// Parses a mutation of `base` that touched `touched` and checks what must always hold.
fn check(base: &Base, text: &str, touched: Range<usize>, tally: &mut Tally) {
    let parse = base.parse.update(text);
    let root = parse.syntax();
    assert_eq!(root.text(), text, "lossy tree");
    let (broken, sound): (Vec<_>, Vec<_>) = root.elements().partition(is_broken);
    if !broken.is_empty() {
        assert!(parse.has_errors(), "silent about a broken tree:\n{text}");
    }
    let end = u32::try_from(text.len()).unwrap();
    for found in parse.diagnostics() {
        for label in &found.labels {
            assert!(
                label.span.end <= end && text.get(label.span.range()).is_some(),
                "bad span in {found:?}\n{text}"
            );
        }
        for edit in found.fix.iter().flat_map(|fix| &fix.edits) {
            assert!(text.get(edit.span.range()).is_some(), "bad fix in {found:?}\n{text}");
        }
    }
    let intact = sound.iter().filter(|element| element.kind() == SyntaxKind::Item);
    let intact: Vec<&str> = intact.map(|item| item.span().text(text)).collect();
    for (span, item) in &base.items {
        if span.start <= touched.end && touched.start <= span.end {
            continue;
        }
        if intact.contains(item) {
            tally.kept += 1;
        } else {
            tally.lost += 1;
        }
    }
}

#[test]
fn every_token_can_be_deleted() {
    let mut tally = Tally::default();
    for (_, text) in FIXTURES {
        let base = Base::of(text);
        for token in base.tokens() {
            let mutated = format!("{}{}", &text[..token.start], &text[token.end..]);
            check(&base, &mutated, token, &mut tally);
        }
    }
    assert!(tally.share_kept() >= 0.995, "{}", tally.share_kept());
}

#[test]
fn every_token_can_be_doubled_or_swapped() {
    let mut tally = Tally::default();
    for (_, text) in FIXTURES {
        let base = Base::of(text);
        let tokens = base.tokens();
        for (token, next) in tokens.iter().zip(tokens.iter().skip(1)).step_by(one_in(3)) {
            let doubled = format!("{} {}", &text[..token.end], &text[token.start..]);
            check(&base, &doubled, token.clone(), &mut tally);
            let swapped = format!(
                "{}{}{}{}{}",
                &text[..token.start],
                &text[next.clone()],
                &text[token.end..next.start],
                &text[token.clone()],
                &text[next.end..]
            );
            check(&base, &swapped, token.start..next.end, &mut tally);
        }
    }
    assert!(tally.share_kept() >= 0.995, "{}", tally.share_kept());
}

#[test]
fn anything_can_be_inserted() {
    let mut tally = Tally::default();
    for (file, (_, text)) in FIXTURES.iter().enumerate() {
        let base = Base::of(text);
        for (index, token) in base.tokens().into_iter().enumerate() {
            // Each place gets some of the insertions, each insertion some of the places.
            let parts = one_in(INSERTIONS.len());
            for (which, insertion) in INSERTIONS.iter().enumerate() {
                if (index + file) % parts != which % parts {
                    continue;
                }
                let mutated = format!("{}{insertion}{}", &text[..token.start], &text[token.start..]);
                check(&base, &mutated, token.clone(), &mut tally);
            }
        }
    }
    assert!(tally.share_kept() >= 0.995, "{}", tally.share_kept());
}

#[test]
fn every_prefix_can_be_read() {
    for (_, text) in FIXTURES {
        let base = parse(text);
        for end in (0..text.len()).step_by(7).filter(|end| text.is_char_boundary(*end)) {
            assert_eq!(base.update(&text[..end]).syntax().text(), &text[..end]);
        }
    }
}

#[test]
fn an_update_is_the_same_as_a_fresh_parse() {
    for (_, text) in FIXTURES {
        let base = parse(text);
        for token in tokens(&base.syntax()).into_iter().step_by(11) {
            let mutated = format!("{}{}", &text[..token.start], &text[token.end..]);
            let (fresh, updated) = (parse(&mutated), base.update(&mutated));
            assert_eq!(format!("{:?}", fresh.syntax()), format!("{:?}", updated.syntax()));
            assert_eq!(fresh.ast(), updated.ast());
            assert_eq!(fresh.diagnostics(), updated.diagnostics());
            // And back: what was broken is not remembered.
            assert!(!updated.update(text).has_errors());
        }
    }
}

#[test]
fn a_text_that_changes_in_place_is_the_same_as_a_fresh_parse() {
    for (_, text) in FIXTURES {
        let whole = parse(text);
        let tokens = tokens(&whole.syntax());
        let mut changing = whole.clone();
        let mut change = |mutated: &str, fresh: &Parse| {
            changing.change(mutated);
            assert_same(fresh, &changing, mutated);
            assert_eq!(
                changing.chunks().map(|chunk| chunk.items()).sum::<usize>(),
                changing.ast().items.len()
            );
            assert!(changing.chunks().all(|chunk| chunk.span.text(mutated) == &**chunk.text()));
        };
        // Each version lacks another token, so that what is taken over moves to and fro.
        for (token, other) in tokens.iter().zip(tokens.iter().rev()).step_by(13) {
            let without = |gone: &Range<usize>| format!("{}{}", &text[..gone.start], &text[gone.end..]);
            let doubled = format!("{}\n{}{text}", without(other), without(token));
            for mutated in [without(token), doubled] {
                change(&mutated, &parse(&mutated));
            }
            change(text, &whole);
        }
    }
}
