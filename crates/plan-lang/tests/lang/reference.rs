//! The parser that is made of the grammar reads every text as pest's own machine does, to every edge.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::sync::LazyLock;

use pest::Token;
use pest_vm::Vm;
use proptest::prelude::*;

use plan_lang::{RuleEdge, rule_edges};

/// What pest itself makes of the grammar.
static REFERENCE: LazyLock<Vm> = LazyLock::new(|| {
    let grammar = include_str!("../../../../grammar/orch.pest");
    let (_, rules) = pest_meta::parse_and_optimize(grammar).unwrap();
    Vm::new(rules)
});

fn expected(text: &str) -> Vec<RuleEdge> {
    let pairs = REFERENCE.parse("file", text).unwrap();
    let edges = pairs.tokens().map(|token| match token {
        Token::Start { rule, pos } => (rule, false, pos),
        Token::End { rule, pos } => (rule, true, pos),
    });
    let edges = edges.filter(|(rule, ..)| *rule != "EOI");
    edges.map(|(rule, is_end, pos)| RuleEdge { rule: rule.to_owned(), is_end, at: pos.pos() }).collect()
}

/// Every plan that the project has, right or wrong.
pub(crate) static TEXTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut folders: Vec<_> = ["examples", "crates", "tests"].map(|folder| root.join(folder)).into();
    let mut texts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("node_modules") && !path.is_symlink() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "orch") {
                texts.push(String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned());
            }
        }
    }
    assert!(texts.len() > 20, "{} plans were found", texts.len());
    texts
});

#[test]
fn every_plan_of_the_project_is_read_as_pest_reads_it() {
    for text in &*TEXTS {
        assert_eq!(rule_edges(text).unwrap(), expected(text), "{text}");
    }
}

/// What is put into plans to break them.
pub(crate) const PIECES: [&str; 40] = [
    "", " ", "\n", "\r\n", "\t", "//", "///", "//// x\n", "\"", "\"\"\"", "{", "}", "(", ")", "[", "]", "<",
    ">", ",", ";", ":", ".", "..", "?", "?.", "??", "=", "=>", "->", "-", "!", "\\u{", "\0", "é", "plan p(",
    "\nfn f(", "if ", "else ", "as ", "0.5USD",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn broken_plans_are_read_as_pest_reads_them(
        which in any::<prop::sample::Index>(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..12_usize, prop::sample::select(&PIECES[..])), 1..8),
    ) {
        let mut text = which.get(&TEXTS[..]).clone();
        // Of a long one a part is enough, and pest takes its time.
        text.truncate(text.floor_char_boundary(6_000));
        for (at, len, piece) in cuts {
            let start = text.floor_char_boundary(at.index(text.len() + 1));
            let end = text.floor_char_boundary((start + len).min(text.len())).max(start);
            text.replace_range(start..end, piece);
        }
        prop_assert_eq!(rule_edges(&text).unwrap(), expected(&text), "{}", text);
    }
}
