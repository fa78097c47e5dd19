//! What is looked at before the grammar is: characters that hide, depth of brackets, long runs of blanks and comments.

#![expect(clippy::panic, reason = "tests")]

use plan_lang::ast::{ExprKind, Fn, Item, TemplatePart};
use plan_lang::limits::MAX_NESTING;
use plan_lang::syntax::SyntaxToken;
use plan_lang::{codes, parse};

/// What is said of the first character of `text` that does not show.
fn hidden(text: &str) -> Option<String> {
    let parse = parse(text);
    let found = parse.diagnostics().iter().find(|found| found.code == codes::HIDDEN_CHARACTER);
    found.map(|found| found.message.clone())
}

#[test]
fn hidden_characters_are_named() {
    let all = "\u{0}\u{202E}\u{200B}\u{200C}\u{200D}\u{2060}\u{AD}\u{FEFF}\u{2028}\u{2029}\u{FE0F}\u{E0041}\u{3164}\u{7F}";
    for c in all.chars() {
        let name = format!("U+{:04X}", u32::from(c));
        assert!(hidden(&format!("a{c}b")).unwrap().contains(&name), "{name}");
    }
    assert_eq!(hidden("\u{FEFF}a\tb\r\n\u{e9}\u{4e2d}"), None);
    assert!(hidden("\u{FEFF}\u{FEFF}a").is_some());
}

#[test]
fn what_makes_emoji_may_stand_within_them_only() {
    for shown in [
        "\u{1F469}\u{200D}\u{1F467}",
        "\u{1F469}\u{1F3FD}\u{200D}\u{1F680}",
        "\u{2764}\u{FE0F}\u{200D}\u{1F525}",
        "1\u{FE0F}\u{20E3}",
    ] {
        assert_eq!(hidden(shown), None, "{shown}");
    }
    for text in ["\u{1F600}\u{200D}", "\u{200D}\u{1F600}", "a\u{200D}\u{1F600}", "a\u{FE0F}"] {
        assert!(hidden(text).is_some(), "{text:?}");
    }
}

#[test]
fn a_carriage_return_stands_before_a_line_feed_only() {
    assert_eq!(hidden("// a\r\nfn"), None);
    for text in ["// a\rfn", "\"a\rb\"", "a\r", "a\r\r\n"] {
        assert!(hidden(text).unwrap().contains("carriage return"), "{text:?}");
    }
}

/// Where `text` nests too deep.
fn too_deep(text: &str) -> Option<usize> {
    let parse = parse(text);
    let found = parse.diagnostics().iter().find(|found| found.code == codes::NESTED_TOO_DEEP);
    found.map(|found| found.span().start as usize)
}

#[test]
fn depth_counts_brackets_in_code_and_templates_only() {
    let deep = |n: usize| format!("{}1{}", "(".repeat(n), ")".repeat(n));
    assert_eq!(too_deep(&deep(MAX_NESTING)), None);
    assert_eq!(too_deep(&deep(MAX_NESTING + 1)), Some(MAX_NESTING));
    assert_eq!(too_deep(&format!("\"{}\" // {}\n", ":(".repeat(500), "{".repeat(500))), None);
    assert_eq!(too_deep(&format!("\"\"\" \" {} \"\"\"", "\\{ ( [".repeat(500))), None);
    assert_eq!(too_deep(&"\"{".repeat(MAX_NESTING)), None);
    // At the bracket, as it is this that is told, not that rules nest.
    assert_eq!(too_deep(&"\"{".repeat(MAX_NESTING + 1)), Some(2 * MAX_NESTING + 1));
    assert_eq!(too_deep(&"\"{x}\" ( [ } { } ) ] \\".repeat(500)), None);
    assert_eq!(too_deep(&"\"\\u{1F600}\"\n".repeat(500)), None);
    assert_eq!(too_deep(&"r.`(` + r.`{` + r.`\"` + f(r.`a//b`)\n".repeat(500)), None);
    // What is not closed on its line is no name.
    assert_eq!(too_deep(&"`(\n".repeat(MAX_NESTING + 1)), Some(3 * MAX_NESTING + 1));
}

/// As long as a run of blanks or comments must be that the grammar sees cut short, in bytes.
const LONG_GAP_BYTES_MIN: usize = 1_024;

/// The tokens of a text without those of blanks and comments.
fn words(text: &str) -> Vec<SyntaxToken> {
    let parse = parse(text);
    assert_eq!(parse.diagnostics(), [], "{text}");
    assert_eq!(parse.syntax().text(), text);
    parse.syntax().all_tokens().filter(|token| !token.kind().is_trivia()).collect()
}

/// Whatever stands between its words, a text has the same ones, each in its place.
#[test]
fn words_stand_where_they_do_around_gaps_of_any_length() {
    let parts = ["fn f(", "a: Int,", ") -> Int = {", "let b", "= a", "b }"];
    let plain = words(&parts.join("\n "));
    let blank = " ".repeat(LONG_GAP_BYTES_MIN);
    let comments = "// c\n".repeat(LONG_GAP_BYTES_MIN);
    for gap in [
        format!("{}\n", " ".repeat(LONG_GAP_BYTES_MIN - 2)),
        format!("{}\n", " ".repeat(LONG_GAP_BYTES_MIN - 1)),
        format!("\n{blank}"),
        format!("{blank}\n{blank}"),
        format!("{blank}\r\n"),
        comments.clone(),
        format!(" {comments}// d\n"),
        format!("{blank}// (((\n  // \"\n"),
    ] {
        // In one place each, and in all of them.
        for place in 0..=parts.len() {
            let mut text = String::new();
            let mut starts = Vec::new();
            for (index, part) in parts.iter().enumerate() {
                starts.push(text.len());
                text.push_str(part);
                text.push_str(if index == place || place == parts.len() { &gap } else { "\n " });
            }
            let found = words(&text);
            assert!(
                found
                    .iter()
                    .map(|word| (word.kind(), word.text()))
                    .eq(plain.iter().map(|word| (word.kind(), word.text())))
            );
            for word in &found {
                assert_eq!(word.span().text(&text), word.text());
            }
            let nodes = parse(&text).syntax().descendants().map(|node| node.span()).collect::<Vec<_>>();
            // A node starts and ends with a word.
            for node in nodes.iter().skip(1) {
                let edges = [node.start, node.end];
                let known =
                    |at: &u32| found.iter().any(|word| word.span().start == *at || word.span().end == *at);
                assert!(edges.iter().all(known), "{node:?} {gap:?}");
            }
        }
    }
}

/// The function that `text` is, of which nothing is to be said.
fn function(text: &str) -> Fn {
    let parse = parse(text);
    assert_eq!(parse.diagnostics(), [], "{text}");
    let [Item::Fn(function)] = &parse.ast().items[..] else { panic!("no function") };
    function.clone()
}

#[test]
fn what_looks_like_a_gap_in_texts_and_docs_is_kept() {
    let blank = " ".repeat(LONG_GAP_BYTES_MIN);
    for inner in [
        blank.clone(),
        format!("a{blank}"),
        format!("a{blank}b"),
        format!("//{blank}"),
        format!("////{blank}b"),
    ] {
        let docs = function(&format!("/// {inner}.\nfn f() -> Int = 1\n")).docs;
        assert_eq!(docs, Some(format!("{inner}.")));
        for [open, close] in [["\"", "\""], ["\"\"\"", "\"\"\""]] {
            let ExprKind::Template(text) =
                function(&format!("fn f() -> String = {open}{inner}{close}\n")).body.kind
            else {
                panic!("no text");
            };
            assert_eq!(text.parts, [TemplatePart::Text(inner.clone())]);
        }
    }
    let comments = "// c\n".repeat(LONG_GAP_BYTES_MIN);
    assert_eq!(function(&format!("{comments}/// d\nfn f() -> Int = 1\n")).docs.as_deref(), Some("d"));
    assert_eq!(words(&format!("fn f() -> String = \"{{{blank}1{blank}}}\"\n")).len(), 12);
}

/// A message that quotes one shows its escape.
#[test]
fn no_message_holds_what_cannot_be_seen() {
    for c in ['\u{7}', '\u{85}', '\r', '\0', '\u{9b}'] {
        for text in [
            "C x\n",
            "fn C() -> Int = 1\n",
            "fn f(a: Int C) -> C = 1C\n",
            "fn f() -> String = \"\\C\"\n",
            "fn f() -> String = \"\"\"\\C\"\"\"\n",
            "fn f() -> Int = match a { C => 1 C, }\n",
            "plan p() -> Int {\n C\n 1 C 2\n xC yC(\n}\n",
            "record R { C a C: Int C, }",
            "enum E { C, A C }",
            "policy w = { C: C }",
            "use `aC` { `C` }\n",
        ] {
            let text = text.replace('C', &c.to_string());
            let parse = parse(&text);
            assert!(parse.has_errors(), "{text:?}");
            for found in parse.diagnostics() {
                let labels = found.labels.iter().map(|label| &label.text);
                let fix = found.fix.iter().map(|fix| &fix.message);
                let mut parts =
                    labels.chain(&found.notes).chain(&found.help).chain(fix).chain([&found.message]);
                assert!(parts.all(|part| !part.contains(char::is_control)), "{text:?}: {found:?}");
            }
        }
    }
}
