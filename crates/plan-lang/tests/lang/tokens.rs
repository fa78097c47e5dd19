//! Tokens and nodes are of the kind that is named for what they are.

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

/// From the first kind to the last.
#[test]
fn what_is_in_a_tree_has_its_own_kind() {
    let text = "// c\n/// d\nfn f(x: Int?) -> Int = match x { _ => 1 + \"a{20%}\" }\n";
    let broken = "fn f(x: [Map<A]) -> Int 1_0\nfn (x: Int(80)) -> Int = #\nx\n";
    for (text, kind, own) in [
        (text, SyntaxKind::Whitespace, " "),
        (text, SyntaxKind::Comment, "// c"),
        (text, SyntaxKind::Doc, "/// d"),
        (text, SyntaxKind::Ident, "f"),
        (text, SyntaxKind::Hole, "_"),
        (text, SyntaxKind::Keyword, "match"),
        (text, SyntaxKind::Number, "1"),
        (text, SyntaxKind::Quote, "\""),
        (text, SyntaxKind::StringText, "a"),
        (text, SyntaxKind::Operator, "+"),
        (text, SyntaxKind::Punct, "=>"),
        (text, SyntaxKind::File, text),
        (text, SyntaxKind::Params, "(x: Int?)"),
        (text, SyntaxKind::Pattern, "_"),
        (broken, SyntaxKind::BadNumber, "1_0"),
        (broken, SyntaxKind::Unknown, "#"),
        (broken, SyntaxKind::ErrorItem, "#\nx"),
        (broken, SyntaxKind::ErrorRefine, "(80)"),
        (broken, SyntaxKind::MissingName, ""),
        (broken, SyntaxKind::MissingEq, ""),
        (broken, SyntaxKind::MissingAngle, ""),
    ] {
        let root = parse(text).syntax();
        let nodes = root.descendants().map(|node| (node.kind(), node.text()));
        let tokens = root.all_tokens().map(|token| (token.kind(), token.text().to_owned()));
        let all: Vec<_> = nodes.chain(tokens).collect();
        assert!(all.contains(&(kind, own.to_owned())), "{kind:?} in {all:?}");
        assert_eq!(kind.is_missing(), own.is_empty(), "{kind:?}");
    }
    assert!(SyntaxKind::MissingAngle.is_missing() && SyntaxKind::MissingName.is_missing());
    assert!(SyntaxKind::ErrorRefine.is_error() && !SyntaxKind::Pattern.is_missing());
}
