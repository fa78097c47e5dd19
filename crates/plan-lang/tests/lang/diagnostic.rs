//! What is said of a text, as it is shown, given to programs, and mended.

use plan_lang::diagnostic::apply_safe;
use plan_lang::{Code, Diagnostic, Fix, SourceFile, Span, codes, render};

/// Whoever makes a message may quote a plan as it is.
#[test]
fn no_part_of_a_message_breaks_the_line_or_moves_the_cursor() {
    let quoted = "a\nb\u{1b}[31m\u{85}\tc";
    let found = Diagnostic::error(codes::BAD_NUMBER, format!("`{quoted}` is wrong"))
        .primary(Span::at(0), quoted)
        .secondary(Span::at(0), quoted)
        .note(quoted)
        .help(quoted)
        .fix(Fix::maybe(format!("write `{quoted}`")).insert(0, quoted));
    let shown = r"a\nb\u{1b}[31m\u{85}\tc";
    assert_eq!(found.message, format!("`{shown}` is wrong"));
    let labels: Vec<&str> = found.labels.iter().map(|label| label.text.as_str()).collect();
    assert_eq!((labels.as_slice(), found.notes.as_slice()), (&[shown; 2][..], &[shown.to_owned()][..]));
    assert_eq!(found.help.as_deref(), Some(shown));
    let fix = found.fix.unwrap();
    assert_eq!(fix.message, format!("write `{shown}`"));
    assert_eq!(fix.edits[0].text, quoted, "what a fix writes is no message");
}

#[test]
fn fix_applies_edits_in_source_order() {
    let fix = Fix::safe("swap").replace(Span::new(4, 5), "a").replace(Span::new(0, 1), "b").insert(2, "+");
    assert_eq!(fix.apply("a = b;").as_deref(), Some("b += a;"));
    let overlap = Fix::safe("no").replace(Span::new(0, 3), "x").replace(Span::new(2, 4), "y");
    assert_eq!(overlap.apply("a = b;"), None);
    assert_eq!(Fix::safe("no").insert(99, "x").apply("a"), None);
}

#[test]
fn json_has_every_part() {
    let found = Diagnostic::error(Code::new("E0101"), "m").primary(Span::new(1, 2), "l").note("n");
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["code"], "E0101");
    assert_eq!(json["severity"], "error");
    assert_eq!(json["labels"][0]["span"]["end"], 2);
}

fn found(fix: Fix) -> Diagnostic {
    Diagnostic::error(Code::new("E0101"), "m").fix(fix)
}

#[test]
fn fixes_that_touch_wait_for_the_next_round() {
    let text = "abcdef";
    let all = [
        found(Fix::safe("late").replace(Span::new(4, 5), "E")),
        found(Fix::safe("outer").replace(Span::new(0, 1), "A").replace(Span::new(3, 4), "D")),
        found(Fix::safe("inside").replace(Span::new(1, 2), "B")),
        found(Fix::safe("at the end").insert(6, "!")),
        found(Fix::maybe("not sure").replace(Span::new(5, 6), "F")),
        found(Fix::safe("outside the text").insert(99, "!")),
        found(Fix::safe("nothing")),
        Diagnostic::error(Code::new("E0101"), "without a fix"),
    ];
    let (fixed, done) = apply_safe(text, &all).unwrap();
    assert_eq!((fixed.as_str(), &done[..]), ("AbcDef!", &[1, 3][..]));
    assert_eq!(apply_safe(text, &all[4..]), None);
}

#[test]
fn looks_like_rustc() {
    let text = "plan p() -> Int {\n  let x 1\n}\n";
    let found = Diagnostic::error(Code::new("E0110"), "`=` is missing after `let x`")
        .primary(Span::new(25, 25), "expected `=`")
        .secondary(Span::new(20, 23), "this `let`")
        .note("a binding is `let name = value`")
        .fix(Fix::safe("add `=`").insert(25, " ="));
    let file = SourceFile { name: "a.orch", text };
    insta::assert_snapshot!(render(&file, &[found], false));
}

#[test]
fn a_fix_in_a_long_line_is_told_without_it() {
    for (spaces, shown) in [(999, true), (1_000, false)] {
        let text = format!("a{}\n", " ".repeat(spaces));
        let found = Diagnostic::error(Code::new("E0110"), "no")
            .primary(Span::new(0, 1), "")
            .fix(Fix::safe("write b").replace(Span::new(0, 1), "b"));
        let output = render(&SourceFile { name: "a.orch", text: &text }, &[found], false);
        assert!(output.contains("help: write b"));
        assert_eq!(output.contains("+ b"), shown, "{output}");
    }
}

#[test]
fn wrong_spans_do_not_hide_the_message() {
    let file = SourceFile { name: "a.orch", text: "\u{e9}" };
    for span in [Span::new(1, 1), Span::new(0, 900), Span::new(700, 900), Span::new(2, 1)] {
        let found = Diagnostic::error(Code::new("E0110"), "here").primary(span, "x");
        assert!(render(&file, &[found], false).contains("here"), "{span:?}");
    }
}

#[test]
fn places_far_into_a_file_are_shown_by_their_lines() {
    let text = format!("{}let x 1\nlet y 2\n", "// a\n".repeat(20_000));
    let at = |back: usize| Span::at(u32::try_from(text.len() - back).unwrap());
    let found = Diagnostic::error(Code::new("E0110"), "no")
        .primary(at(11), "here")
        .secondary(Span::new(0, 2), "first")
        .fix(Fix::safe("add `=`").insert(at(11).start, "="));
    let last = Diagnostic::error(Code::new("E0110"), "no").primary(at(0), "end");
    let file = SourceFile { name: "a.orch", text: &text };
    let output = render(&file, &[found, last], false);
    assert!(output.contains("--> a.orch:20001:6\n"), "{output}");
    assert!(output.contains("\n20001 | let x 1\n") && output.contains("\n    1 | // a\n"), "{output}");
    assert!(output.contains("\n20001 | let x= 1\n"), "{output}");
    assert!(output.contains("\n20002 | let y 2\n      |        ^ end\n"), "{output}");
}

/// The renderer looks at all text that it is given for each message: of a long line it is given the part around the place, and
/// of places that are far apart each with its own lines.
#[test]
fn of_long_lines_and_far_places_only_what_is_near_is_shown() {
    let long = format!("let a = [{} bad, {}]", "é, ".repeat(20_000), "z, ".repeat(20_000));
    let text = format!("first\n{long}\n{}last\n", "x\n".repeat(20_000));
    let at = text.find("bad").unwrap() as u32;
    let far = text.find("last").unwrap() as u32;
    let label = |start: u32, length: u32| Span::new(start, start + length);
    let found = Diagnostic::error(Code::new("E0201"), "there is no value `bad`")
        .primary(label(at, 3), "unknown")
        .secondary(label(far, 4), "declared here");
    insta::assert_snapshot!(render(&SourceFile { name: "a.orch", text: &text }, &[found], false));
    // A place without an end in sight, and one at the end of the text.
    let whole =
        Diagnostic::error(Code::new("E0102"), "unclosed").primary(label(6, long.len() as u32), "opens");
    let end = Diagnostic::error(Code::new("E0102"), "ends").primary(label(6 + long.len() as u32, 0), "here");
    let text = format!("first\n{long}");
    let output = render(&SourceFile { name: "a.orch", text: &text }, &[whole, end], false);
    assert!(output.contains("--> a.orch:2:1\n") && output.contains("2 | let a = [é, é, "), "{output}");
    assert!(output.contains("^ opens") && output.len() < 5_000, "{output}");
    assert!(output.contains(&format!("--> a.orch:2:{}\n", long.chars().count() + 1)), "{output}");
}
