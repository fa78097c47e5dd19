//! What is certain before a plan runs is told when it is checked, and what is not is not.

use crate::common::{compiled, shown};

const HEAD: &str = "use sn22 { web_crawl as crawl }
use sn999 { echo, rent, free_echo }
use cap { web_search }
enum Mood { Good, Bad }
";

/// A text behind [`HEAD`], and the one message it gets: its code, and words of it.
const CERTAIN: [(&str, &str, &str); 18] = [
    ("fn f(x: Int) -> Int = x / 0", "W0911", "`/` always fails here"),
    ("fn f(x: Int) -> Int = { let none = 0; x % none }", "W0911", "`%` always fails here"),
    ("fn f(x: Float) -> Float = x / 0.0", "W0911", "`/` always fails here"),
    ("fn f() -> Int = 9223372036854775807 + 1", "W0911", "`+` always fails here"),
    ("fn f(x: Int(2..9)) -> Int = 9223372036854775807 * x", "W0911", "`*` always fails here"),
    ("fn f(x: Int(0..9)) -> Bool = x > 20", "W0912", "`>` is always false here"),
    ("fn f(x: Int(0..9)) -> Bool = x <= 9", "W0912", "`<=` is always true here"),
    ("fn f(x: Float(0.0..1.0)) -> Bool = x != 2.0", "W0912", "`!=` is always true here"),
    ("fn f(x: String(..3)) -> Bool = x == \"abcd\"", "W0912", "`==` is always false here"),
    ("fn f(xs: [Int](2..)) -> Bool = xs == []", "W0912", "`==` is always false here"),
    ("fn f() -> Url = \"abc\" as Url", "E0320", "this text is no URL"),
    ("fn f() -> Time = \"soon\" as Time", "E0320", "this text is no moment"),
    ("fn f() -> Duration = \"4s\" as Duration", "E0320", "this text is no `Duration`"),
    ("fn f() -> Amount = \"2 cents\" as Amount", "E0320", "this text is no `Amount`"),
    ("fn f() -> Mood = \"Goood\" as Mood", "E0320", "this text is no `Mood`"),
    ("test \"\" { assert true }", "E0122", "the name of the test is empty"),
    ("test \"t\" { mock crawl => \"a\" }", "W0903", "nothing in this test calls `crawl`"),
    (
        "plan p() -> Int { 1 }\ntest \"t\" {\n  mock echo => \"a\"\n  let x = run p()\n  assert x == 1\n}",
        "W0903",
        "nothing in this test calls `echo`",
    ),
];

/// Nothing is said of these.
const OPEN: [&str; 13] = [
    "fn f(x: Int(0..9)) -> Int = 9 / x",
    "fn f(x: Int(0..9)) -> Int = 9223372036854775807 + x",
    "fn f(x: Int(0..9)) -> Bool = x > 8",
    "fn f(x: Int(0..9)?) -> Bool = x == 20",
    "fn f(x: String(..3)) -> Bool = x == \"abc\"",
    "fn f() -> Url = \"https://a.example\" as Url",
    "fn f() -> Duration = \"PT4S\" as Duration",
    "fn f() -> Mood = \"Good\" as Mood",
    "test \"t\" { assert 1 + 1 == 2 }",
    // By way of a sub-plan, of a policy, and of the capability that an operation serves.
    "plan inner() -> String with { budget: 1USD, deadline: 60s } { call echo(text: \"a\") }
plan p() -> String with { budget: 1USD, deadline: 60s } { run inner() }
test \"t\" {\n  mock echo => \"a\"\n  let x = run p()\n  assert x == \"a\"\n}",
    "policy w = { fallback: call free_echo(text: \"b\") }
plan p() -> String with { budget: 1USD, deadline: 90s } { call echo(text: \"a\") with w }
test \"t\" {\n  mock echo => fails timeout\n  mock free_echo => \"b\"\n  let x = run p()\n  assert x == \"b\"\n}",
    "plan p() -> Int with { budget: 1USD, deadline: 60s } {
  let found = call web_search(query: \"a\") with { max_price: 0.1USD }
  found.len()\n}
use sn22 { web_search as of_sn22 }
test \"t\" {\n  mock of_sn22 => fails timeout\n  expect fails run p()\n}",
    "fn f(x: String) -> String = \"{x}.\"",
];

#[test]
fn what_is_certain_is_told() {
    for (text, code, message) in CERTAIN {
        let text = format!("{HEAD}{text}\n");
        let found = compiled(&text).diagnostics;
        let found: Vec<_> = found.iter().map(|found| (found.code.as_str(), found.message.as_str())).collect();
        assert_eq!(found, [(code, message)], "{}", shown(&text));
    }
}

#[test]
fn what_may_be_otherwise_is_not_told() {
    for text in OPEN {
        let text = format!("{HEAD}{text}\n");
        assert_eq!(shown(&text), "");
    }
}

#[test]
fn an_answer_that_is_paid_for_is_read() {
    let plan = |body: &str| {
        format!("{HEAD}plan p() -> Int with {{ budget: 1USD, deadline: 120s }} {{\n  {body}\n  1\n}}\n")
    };
    for (body, is_told) in [
        ("call echo(text: \"a\")", true),
        ("let x = call echo(text: \"a\")", true),
        ("call crawl(url: \"https://a.example\") with { max_price: 0.1USD }", true),
        ("call web_search(query: \"a\") with { max_price: 0.1USD }", true),
        // Meant, free, and with an effect of its own.
        ("let _x = call echo(text: \"a\")", false),
        ("call free_echo(text: \"a\")", false),
        ("call rent(text: \"a\")", false),
    ] {
        let text = plan(body);
        let found = compiled(&text).diagnostics;
        let told = found.iter().any(|found| found.code.as_str() == "W0903");
        assert!(told == is_told && found.len() == usize::from(is_told), "{}", shown(&text));
    }
}
