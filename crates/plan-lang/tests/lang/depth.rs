//! Deep nesting neither crashes nor hangs, in any construct, closed or cut in half.
//!
//! The default stack of a test thread, 2 MiB, is the smallest one the parser meets in practice.

use plan_lang::limits::{MAX_EXPRESSION_DEPTH, MAX_NESTING, MAX_SOURCE_BYTES};
use plan_lang::{codes, format, parse, rule_edges};

/// Something to nest: what opens a level, what stands in the middle, what closes a level, and how many
/// brackets a level has.
const NESTS: [(&str, &str, &str, &str, usize); 14] = [
    ("paren", "(", "1", ")", 1),
    ("list", "[", "1", "]", 1),
    ("record", "R { a: ", "1", " }", 1),
    ("map", "{ \"a\": ", "1", " }", 1),
    ("if", "if a { ", "1", " } else { 2 }", 1),
    ("if in head", "if (", "a", ") { 1 } else { 2 }", 1),
    ("match", "match a { A => ", "1", " }", 1),
    ("match block", "match a { A => { ", "1", " } }", 2),
    ("for", "for x in xs { ", "1", " }", 1),
    ("lambda", "x.map(y => ", "1", ")", 1),
    ("lambda block", "x.map(y => { ", "1", " })", 2),
    ("template", "\"{", "x", "}\"", 1),
    ("index", "x[", "1", "]", 1),
    ("call", "call f(a: 1) with { fallback: ", "1", " }", 1),
];

fn nested(open: &str, middle: &str, close: &str, levels: usize) -> String {
    format!("plan p() -> Int {{\n  let x = {}{middle}{}\n}}\n", open.repeat(levels), close.repeat(levels))
}

#[test]
fn brackets_nest_to_the_limit_and_no_deeper() {
    for (name, open, middle, close, brackets) in NESTS {
        // One brace belongs to the plan itself.
        let levels = (MAX_NESTING - 1) / brackets;
        let text = nested(open, middle, close, levels);
        let codes: Vec<_> = parse(&text).diagnostics().iter().map(|found| found.code).collect();
        assert!(!codes.contains(&codes::NESTED_TOO_DEEP), "{name}: {codes:?}");
        assert!(codes.is_empty(), "{name}: {codes:?}");
        let formatted = format(&text).unwrap();
        assert_eq!(format(&formatted).unwrap(), formatted, "{name}");
        let text = nested(open, middle, close, levels + 1);
        let codes: Vec<_> = parse(&text).diagnostics().iter().map(|found| found.code).collect();
        assert_eq!(codes, [codes::NESTED_TOO_DEEP], "{name}");
    }
}

#[test]
fn only_the_declaration_that_is_too_deep_is_lost() {
    let deep = nested("(", "1", ")", MAX_NESTING);
    let text = format!("fn f() -> Int = 1\n{deep}fn g() -> Int = 2\n");
    let parse = parse(&text);
    let codes: Vec<_> = parse.diagnostics().iter().map(|found| found.code).collect();
    assert_eq!(codes, [codes::NESTED_TOO_DEEP]);
    assert_eq!(parse.ast().items.len(), 2);
    assert_eq!(parse.update(&text).diagnostics(), parse.diagnostics());
}

#[test]
fn half_a_nest_at_the_limit_is_read() {
    for (name, open, middle, _, brackets) in NESTS {
        let text = nested(open, middle, "", (MAX_NESTING - 1) / brackets);
        let parse = parse(&text);
        assert!(parse.has_errors(), "{name}");
        assert_eq!(parse.syntax().text(), text);
    }
}

#[test]
fn what_needs_no_bracket_is_bounded_too() {
    for unit in [
        "if a { 1 } else ",
        "x => ",
        "!",
        "- ",
        "1 + ",
        "x.",
        "x ?? ",
        "for x in ",
        "match ",
        "if ",
        "try ",
        "return ",
        "A<",
        "x as ",
        "after 1s ",
        "with ",
        "mock f => ",
        "let x = ",
        "ensure ",
        "\"",
        "/// ",
        "a: ",
        "=> ",
        "1 < ",
        "x as T?.y",
        ".f()",
        "[0]",
        " as T",
        "call f ",
        "run f() ",
        "else if a { 1 } ",
    ] {
        for (head, bytes) in [
            ("plan p() -> Int {\n  x", 60_000),
            ("test \"t\" {\n  mock f => ", 10_000),
            ("fn f() -> ", 10_000),
        ] {
            // Far more than any stack would hold, here and where the tree is dropped.
            let text = format!("{head}{}\n}}\n", unit.repeat(bytes / unit.len()));
            assert_eq!(parse(&text).syntax().text(), text, "{unit}");
        }
    }
}

#[test]
fn operators_stack_to_the_limit_and_no_deeper() {
    let row = |terms: usize| format!("fn f() -> Int = {}\n", vec!["1"; terms].join(" + "));
    // The row itself is one level.
    assert!(!parse(&row(MAX_EXPRESSION_DEPTH)).has_errors());
    assert_eq!(parse(&row(MAX_EXPRESSION_DEPTH + 1)).diagnostics()[0].code, codes::EXPRESSION_TOO_DEEP);
    let fields = |count: usize| format!("fn f() -> Int = x{}\n", ".y".repeat(count));
    assert!(!parse(&fields(MAX_EXPRESSION_DEPTH - 1)).has_errors());
    assert_eq!(parse(&fields(MAX_EXPRESSION_DEPTH)).diagnostics()[0].code, codes::EXPRESSION_TOO_DEEP);
}

#[test]
fn long_lines_and_endless_braces_are_read() {
    let line = format!("fn f() -> [Int] = [{}]\n", "1, ".repeat(65_000));
    assert!(!parse(&line).has_errors());
    for text in
        ["{".repeat(200_000), "plan p() -> T {".repeat(15_000), "\"{".repeat(100_000), "(\n".repeat(100_000)]
    {
        let parse = parse(&text);
        assert!(parse.has_errors());
        assert_eq!(parse.syntax().text(), text);
    }
}

#[test]
fn a_source_is_at_most_one_mebibyte() {
    let mut text = "// x\n".repeat(MAX_SOURCE_BYTES / 5);
    text.push_str(&" ".repeat(MAX_SOURCE_BYTES - text.len()));
    assert!(!parse(&text).has_errors());
    text.push(' ');
    let parse = parse(&text);
    assert_eq!(parse.diagnostics()[0].code, codes::SOURCE_TOO_LARGE);
    assert_eq!(parse.syntax().text(), text);
}

/// What opens a level of nesting, in plans that are right and in such that are not.
const OPENERS: [&str; 10] = [
    "(",
    "[",
    "{ ",
    "R { a: ",
    "if a { ",
    "match a { A => { ",
    "x.map(y => { ",
    "\"{",
    "call f(a: 1) with { fallback: ",
    "? {",
];

fn opened(opener: &str, times: usize) -> String {
    format!("plan p() -> Int {{\n  let x = {}", opener.repeat(times))
}

/// On a stack half as large as the smallest one that the parser meets.
#[test]
fn depth_is_refused_before_the_stack_ends() {
    let all = || {
        for opener in OPENERS {
            let brackets = opener.matches(['(', '[', '{']).count();
            assert!(rule_edges(&opened(opener, MAX_NESTING / brackets)).is_some(), "{opener}");
            assert_eq!(rule_edges(&opened(opener, 20_000)), None, "{opener}");
        }
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(all).unwrap().join().unwrap();
}
