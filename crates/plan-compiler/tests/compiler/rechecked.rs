//! What a session checks anew when its text changes: what can see the change, and nothing else.

use std::sync::Arc;

use plan_compiler::{Options, Session, Source, compile};
use plan_lang::ast::Item;
use plan_lang::limits::MAX_REPORTED_ERRORS;
use schema::lock::Lock;

use crate::session::many_looks;

const TEXT: &str = "record Point { x: Int, y: Int }
record Line { from: Point, to: Point }
enum Color { Red, Blue }
fn color(n: Int) -> Color = if n > 0 { Color.Red } else { Color.Blue }
fn x(point: Point) -> Int = point.x
fn start(line: Line) -> Int = x(line.from)
fn wrong(n: Int) -> Int = n + Gren
plan sum(a: Int(0..9), b: Int(0..9)) -> Int { a + b }
test \"of nothing\" { assert 1 + 1 == 2 }
";

/// Of which bodies it was known what to say when [`TEXT`] became `text`, by their names.
fn known_in(text: &str) -> String {
    let mut session = Session::new("test.orch", Arc::new(Lock::empty()), Options::with_tests());
    session.update(TEXT);
    assert_eq!(session.rechecked().len(), 6, "from nothing, all");
    session.update(text);
    let (parse, checked) = (session.parse(), session.rechecked());
    let bodies =
        parse.ast().items.iter().filter(|item| matches!(item, Item::Fn(_) | Item::Plan(_) | Item::Test(_)));
    let known = bodies.filter(|item| !checked.contains(&item.span().start));
    let names: Vec<&str> = known.map(|item| item.name().map_or("test", |name| &name.name)).collect();
    names.join(" ")
}

#[test]
fn what_is_kept_is_what_sees_nothing_of_the_change() {
    let all = "color x start wrong sum test";
    assert_eq!(known_in(TEXT), all);
    assert_eq!(known_in(&TEXT.replace("test", "// aside\n\ntest")), "color x start wrong test");
    // What is said of `wrong` may suggest any type, and any name.
    let sound = "color x start sum test";
    for more in ["record Other { n: Int }\n", "fn other(n: Int) -> Int = n\n", "test \"b\" { assert true }\n"]
    {
        assert_eq!(known_in(&format!("{more}{TEXT}")), sound);
        assert_eq!(known_in(&format!("{TEXT}{more}")), sound);
    }
    assert_eq!(known_in(&TEXT.replace("Blue }", "Blue, Gold }")), "x start sum test");
    assert_eq!(known_in(&TEXT.replace("y: Int }", "y: Int, z: Int }")), "color sum test");
    assert_eq!(known_in(&TEXT.replace("record Line", "record Lines")), "color x sum test");
    assert_eq!(known_in(&TEXT.replace("fn x(", "fn y(")), "color sum test");
    assert_eq!(known_in(&TEXT.replace("= point.x", "= point.y")), "color wrong sum test");
    assert_eq!(known_in(&format!("use cap {{ generate }}\n{TEXT}")), "");
}

/// Blanks at the end of a declaration, and what comes behind it, are none of its own.
#[test]
fn what_stands_right_behind_a_body_does_not_change_it() {
    let text = "plan p(n: Int(0..9)) -> Int {\n  let m = n + 1\n  m\n}";
    let mut session = Session::new("test.orch", Arc::new(Lock::empty()), Options::default());
    for (version, checked) in [
        (text.to_owned(), 1),
        (format!("{text}\n"), 0),
        (format!("{text}\nrecord R {{ n: Int }}\n"), 0),
        (format!("{text}\n\n\nfn f(n: Int) -> Int = n\n"), 1),
        (format!("{text} // said of it\n"), 1),
        (text.to_owned(), 1),
        (format!("{text}\n{text}\n"), 0),
        (format!("{text}\n\n{text}"), 0),
    ] {
        session.update(&version);
        assert_eq!(session.rechecked().len(), checked, "{version}");
        let cold =
            compile(&Source { name: "test.orch", text: &version }, &Lock::empty(), &Options::default());
        assert_eq!(session.diagnostics(), cold.diagnostics);
    }
}

/// Also where the declaration breaks off, and what is wrong with it stands at its end.
#[test]
fn blanks_behind_what_breaks_off_are_read_as_from_nothing() {
    let text = "fn half(n: Int(0..9)) -> Int {\n  let m = if n > 4 { n / 2 } else { n }\n  m\n}\n\nplan p(n: Int(0..9)) -> Int {\n  let m = half(n)\n  ensure m > 1 else \"few {m}\"\n  match m {\n    1 => half(2),\n    _ => m,\n  }\n}\n\ntest \"t\" {\n  let out = run p(5)\n  assert out == 2\n}\n";
    let lock = Arc::new(Lock::empty());
    for (cut, _) in text.char_indices() {
        let mut session = Session::new("test.orch", Arc::clone(&lock), Options::with_tests());
        for behind in
            ["", "\n", "\n\n  \n", " ", "\nrecord R { n: Int }\n", "\n\n\nrecord R { n: Int }\n", ""]
        {
            let version = format!("{}{behind}", &text[..cut]);
            session.update(&version);
            let source = Source { name: "test.orch", text: &version };
            let cold = compile(&source, &lock, &Options::with_tests());
            assert_eq!(session.diagnostics(), cold.diagnostics, "{version:?}");
        }
    }
}

/// What is said of a body without looking at more than what it names is known whatever else is declared.
#[test]
fn a_message_that_suggests_nothing_is_kept() {
    let text = "record Point { x: Int, y: Int }
fn lost(point: Point) -> Int = point.z
fn odd(n: Int) -> Bool = n.folded() == 1
fn unlike(n: Int) -> String = n
fn near(n: Int) -> Int = unlik(n)
";
    let mut session = Session::new("test.orch", Arc::new(Lock::empty()), Options::default());
    let names = |session: &Session| -> Vec<String> {
        let (parse, checked) = (session.parse(), session.rechecked());
        let items = parse.ast().items.iter().filter(|item| checked.contains(&item.span().start));
        items.map(|item| item.name().unwrap().name.clone()).collect()
    };
    session.update(text);
    assert_eq!((names(&session).len(), session.diagnostics().len()), (4, 4));
    for more in ["record Other { n: Int }\n", "fn other(n: Int) -> Int = n\n"] {
        for text in [
            format!("{more}{text}"),
            format!("{text}{more}"),
            text.replace("fn odd", &format!("{more}fn odd")),
        ] {
            let cold =
                compile(&Source { name: "test.orch", text: &text }, &Lock::empty(), &Options::default());
            assert_eq!(session.update(&text), cold.diagnostics);
            assert!(
                names(&session).iter().all(|name| name == "near" || name == "other"),
                "{:?}",
                names(&session)
            );
        }
    }
    session.update(&text.replace("y: Int }", "z: Int }"));
    assert_eq!(names(&session), ["lost", "near"]);
}

/// Of a text with as many syntax errors as are ever reported nothing else is said.
#[test]
fn of_a_hopeless_text_nothing_is_checked() {
    let mut session = Session::new("test.orch", Arc::new(Lock::empty()), Options::with_tests());
    session.update(TEXT);
    session.update(&format!("{TEXT}{}", "fn f() -> Int =\n".repeat(MAX_REPORTED_ERRORS)));
    assert_eq!(session.diagnostics().len(), MAX_REPORTED_ERRORS);
    assert!(session.rechecked().is_empty());
    // What was known before is known still.
    session.update(&TEXT.replace("= point.x", "= point.y"));
    assert_eq!((session.rechecked().len(), session.diagnostics().len()), (2, 1));
}

/// Then what is said of a body depends on all before it.
#[test]
fn all_is_checked_again_where_a_limit_is_met() {
    let checked_beside_one_more = |count: usize| {
        let mut session = Session::new("test.orch", Arc::new(Lock::empty()), Options::default());
        let text = many_looks(count);
        session.update(&text);
        let bodies = session.rechecked().len();
        session.update(&format!("{text}fn more() -> Int = 1\n"));
        (bodies + 1, session.rechecked().len())
    };
    let (_, few) = checked_beside_one_more(32);
    let (bodies, all) = checked_beside_one_more(33);
    assert_eq!((few, all), (1, bodies));
}
