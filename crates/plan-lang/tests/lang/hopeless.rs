//! Texts with so many mistakes that they are not read to their end.

use plan_lang::limits::{MAX_BROKEN_PLACES, MAX_REPORTED_ERRORS, MAX_SOURCE_BYTES};
use plan_lang::{Parse, format, parse};

/// A declaration with one broken place.
const BROKEN: &str = "fn f() -> Int =\n";
const SOUND: &str = "fn g() -> Int = 1\n";

fn same(left: &Parse, right: &Parse) {
    assert_eq!(left.diagnostics(), right.diagnostics());
    assert_eq!(left.ast(), right.ast());
    assert_eq!(left.is_complete(), right.is_complete());
    assert_eq!(left.syntax().text(), right.syntax().text());
    assert!(left.chunks().map(|chunk| chunk.items()).eq(right.chunks().map(|chunk| chunk.items())));
}

#[test]
fn reading_stops_at_the_limit_and_no_earlier() {
    let text = |broken: usize| format!("{}{SOUND}", BROKEN.repeat(broken));
    let read = parse(&text(MAX_BROKEN_PLACES - 1));
    assert!(read.is_complete());
    assert_eq!(read.ast().items.len(), MAX_BROKEN_PLACES);
    assert!(read.diagnostics().iter().all(|found| found.notes.is_empty()));

    let stopped = parse(&text(MAX_BROKEN_PLACES));
    assert!(!stopped.is_complete());
    assert_eq!(stopped.ast().items.len(), MAX_BROKEN_PLACES);
    assert_eq!(stopped.diagnostics().len(), MAX_REPORTED_ERRORS);
    assert!(stopped.diagnostics().last().unwrap().notes[0].contains("the rest of the file is not read"));
    assert_eq!(stopped.syntax().text(), text(MAX_BROKEN_PLACES));
    assert_eq!(format(&text(MAX_BROKEN_PLACES)).unwrap_err(), stopped.diagnostics());
}

#[test]
fn an_update_stops_where_parsing_anew_does() {
    let broken = BROKEN.repeat(MAX_BROKEN_PLACES / 2);
    let texts = [
        format!("{broken}{SOUND}{broken}{SOUND}"),
        format!("{broken}{broken}{SOUND}{broken}{SOUND}"),
        format!("{broken}{broken}{broken}"),
        format!("{broken}{SOUND}{broken}fn h() -> Int = 2\n"),
    ];
    let parses = texts.each_ref().map(|text| parse(text));
    for before in &parses {
        for (text, after) in texts.iter().zip(&parses) {
            same(&before.update(text), after);
        }
    }
}

#[test]
fn a_long_declaration_is_read_until_it_is_hopeless() {
    let fill = |head: &str, unit: &str, bytes: usize| {
        format!("{head}{}", unit.repeat((bytes - head.len()) / unit.len()))
    };
    let said = |parse: &Parse| -> Vec<_> {
        parse
            .diagnostics()
            .iter()
            .map(|found| (found.code, found.message.clone(), found.labels.clone()))
            .collect()
    };
    for (head, unit, tail) in [
        ("enum E {\n", "a\n", "}\n"),
        ("fn f() -> R = R { ", "a ", "}\n"),
        ("fn f() -> Int = {\n", "\"x\n", "}\n"),
        ("// c\nfn f(\n", "a\n", ") -> Int = 1\n"),
    ] {
        let text = fill(head, unit, MAX_SOURCE_BYTES - tail.len()) + tail;
        let stopped = parse(&text);
        assert!(!stopped.is_complete(), "{head}");
        assert_eq!(stopped.syntax().text(), text, "{head}");
        // What is said of its beginning is what is said of a text that ends there.
        let whole = parse(&(fill(head, unit, 900) + tail));
        assert!(whole.is_complete(), "{head}");
        assert_eq!(said(&stopped), said(&whole), "{head}");
    }
    // A declaration of that length that is right but for its end is read.
    let text = format!("{}\nx y\n}}\n", fill("plan p() -> Int {\n", "f(1)\n", MAX_SOURCE_BYTES / 8));
    let parse = parse(&text);
    assert!(parse.is_complete());
    assert_eq!(parse.diagnostics().len(), 1);
}
