//! Tokens where nothing else is read.

use plan_lang::limits::MAX_NESTING;
use plan_lang::parse;
use plan_lang::syntax::SyntaxKind;

/// In front of brackets that nest too deep nothing is read but the tokens.
#[test]
fn tokens_cover_a_text_without_a_hole() {
    let open = "(".repeat(MAX_NESTING + 1);
    let gap = " else{ // c\r\n}=>-> ?..  \"\"\" \u{a0}\u{301}";
    let root = parse(&format!("{open}{gap}")).syntax();
    let all: Vec<_> = root.all_tokens().skip(open.len()).collect();
    assert_eq!(all.iter().map(|token| token.text()).collect::<String>(), gap);
    let has = |kind, text| all.iter().any(|token| (token.kind(), token.text()) == (kind, text));
    assert!(has(SyntaxKind::Keyword, "else"));
    assert!(has(SyntaxKind::Comment, "// c"));
    assert!(has(SyntaxKind::Punct, "=>"));
    assert!(has(SyntaxKind::Unknown, "\u{a0}"));
}
