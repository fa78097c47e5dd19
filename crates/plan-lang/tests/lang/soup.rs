//! Texts that nobody would write: random rows of tokens, odd line ends, bytes that are no text.

use plan_lang::syntax::SyntaxKind;
use plan_lang::{codes, format, parse, parse_bytes};
use proptest::prelude::*;

use crate::text;

const TOKENS: [&str; 74] = [
    "plan",
    "fn",
    "record",
    "enum",
    "policy",
    "test",
    "use",
    "edition",
    "adapter",
    "capability",
    "let",
    "ensure",
    "return",
    "if",
    "else",
    "match",
    "for",
    "in",
    "with",
    "as",
    "call",
    "run",
    "try",
    "null",
    "true",
    "mock",
    "fails",
    "after",
    "sequence",
    "assert",
    "expect",
    "x",
    "Foo",
    "String",
    "`a b`",
    "_",
    "1",
    "0.5",
    "4s",
    "3rao",
    "20%",
    "1_0",
    "\"",
    "\"\"\"",
    "\"t\"",
    "\"{x}\"",
    "\\",
    "\"\"\"\\",
    "\"\"\"\\u{",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    ",",
    ";",
    ":",
    ".",
    "..",
    "?.",
    "??",
    "->",
    "=>",
    "=",
    "==",
    "&&",
    "-",
    "!",
    "// c",
    "/// d",
    "\n",
];

fn soup() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        20 => proptest::sample::select(TOKENS.as_slice()).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        2 => Just("\nplan p() -> T {\n".to_owned()),
        1 => Just("\r\n".to_owned()),
    ];
    let blank = proptest::sample::select(["", " ", "\n"].as_slice());
    proptest::collection::vec((token, blank), 0..60)
        .prop_map(|row| row.into_iter().flat_map(|(token, blank)| [token, blank.to_owned()]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_row_of_tokens_has_a_tree(text in soup()) {
        text::parse(text.as_bytes());
        text::format(&text);
    }

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        text::parse(&bytes);
        if std::str::from_utf8(&bytes).is_err() {
            prop_assert_eq!(parse_bytes(&bytes).diagnostics()[0].code, codes::NOT_UTF8);
        }
    }
}

#[test]
fn what_comes_before_bad_bytes_is_kept() {
    let parse = parse_bytes(b"fn f() -> Int = 1\nfn g() -> \xFF\xFEInt = 2\n");
    assert_eq!(parse.diagnostics()[0].code, codes::NOT_UTF8);
    assert_eq!(parse.diagnostics()[0].span().start, 28);
    assert_eq!(parse.ast().items.len(), 2);
    assert_eq!(
        parse_bytes("fn \u{e9}".as_bytes().split_last().unwrap().1).diagnostics()[0].code,
        codes::NOT_UTF8
    );
}

#[test]
fn line_ends_of_every_style_mean_the_same() {
    let unix = include_str!("../fixtures/everything.orch");
    let windows = unix.replace('\n', "\r\n");
    let mut mixed = String::new();
    for (index, line) in unix.lines().enumerate() {
        mixed.push_str(line);
        mixed.push_str(if index % 3 == 0 { "\r\n" } else { "\n" });
    }
    for text in [&windows, &mixed] {
        let parse = parse(text);
        assert_eq!(parse.diagnostics(), []);
        assert_eq!(parse.syntax().text(), *text);
        assert_eq!(format(text).unwrap(), format(unix).unwrap());
        let returns = parse.syntax().all_tokens().filter(|token| token.text().contains('\r'));
        // Only blanks, and texts with several lines, hold them.
        assert!(
            returns.into_iter().all(|t| matches!(t.kind(), SyntaxKind::Whitespace | SyntaxKind::StringText))
        );
    }
}

#[test]
fn a_byte_order_mark_is_a_blank() {
    let parse = parse("\u{FEFF}edition 2026\n");
    assert_eq!(parse.diagnostics(), []);
    assert_eq!(parse.ast().items.len(), 1);
}

#[test]
fn hidden_characters_are_refused_wherever_they_are() {
    for text in [
        "fn f() -> Int = 1 // \u{202E}\n",
        "fn f() -> String = \"\u{0}\"\n",
        "\u{0}",
        "fn f\u{7}() -> Int = 1\n",
    ] {
        assert_eq!(parse(text).diagnostics()[0].code, codes::HIDDEN_CHARACTER, "{text:?}");
    }
}

#[test]
fn a_label_covers_whole_characters() {
    for text in
        ["plan p() -> T {\n \"\"\"\n\u{a1}\"\"\"\n}\n", "plan p() -> T {\n  if x {\n    y\n\u{e9}\u{e9}\n}\n"]
    {
        let parse = parse(text);
        assert!(parse.has_errors());
        let mut spans = parse.diagnostics().iter().flat_map(|found| &found.labels).map(|label| label.span);
        assert!(spans.all(|span| text.get(span.range()).is_some()), "{:?}", parse.diagnostics());
    }
}
