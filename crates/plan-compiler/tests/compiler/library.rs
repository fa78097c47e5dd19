//! The functions of the library as plans see them.

use plan_ir::builtin::Builtin;

use crate::common::{compiled, shown};
use crate::execute::execute;

/// What examples may use: any value as JSON.
const HEAD: &str = "fn json(value: Json) -> Json = value\n";

#[test]
fn every_example_gives_what_it_says() {
    for builtin in Builtin::ALL {
        let signature = builtin.signature();
        assert!(!signature.examples.is_empty(), "{} has no example", signature.name);
        for (code, gives) in signature.examples {
            let text = format!("{HEAD}plan example() -> Bool {{ ({code}) == ({gives}) }}\n");
            assert!(!compiled(&text).has_errors(), "{}", shown(&text));
            let result = execute(&text, "example", &[], |_, _| None).result;
            assert_eq!(result.as_deref(), Ok("true"), "{code} is not {gives}");
            assert!(
                code.contains(&format!("{}(", signature.name)),
                "{code} does not show {}",
                signature.name
            );
        }
    }
}

#[test]
fn an_unknown_method_says_what_to_write() {
    for (text, help) in [
        ("fn f(xs: [Int]) -> [Int] = xs.sortBy(x => x)", "did you mean `sort_by`?"),
        ("fn f(xs: [Int]) -> Int = xs.Len()", "did you mean `len`?"),
        ("fn f(xs: [Int]) -> [Int] = xs.uniq()", "did you mean `distinct`?"),
        ("fn f(xs: [Int]) -> Int = xs.size()", "did you mean `len`?"),
        ("fn f(xs: [Int]) -> [Int] = xs.sotr()", "did you mean `sort`?"),
        ("fn f(t: String) -> String = t.toUpperCase()", "did you mean `upper`?"),
        ("fn f(u: Url) -> String = u.hostname()", "did you mean `host`?"),
        ("fn f(m: {String: Int}) -> Int = m.items()", "did you mean `entries`?"),
        ("fn f(x: Json) -> Json = x.at(0)", "did you mean `get`?"),
        ("fn f(x: Float) -> Int = x.to_int()", "did you mean `floor`?"),
        ("fn f(xs: [Int]) -> [Int] = xs.flat_map(x => [x])", "write `.map(x => ..).flatten()`"),
        (
            "fn f(xs: [Int]) -> Int = xs.reduce(0)",
            "total a list by `sum`, `count`, `average`, `min` or `max`",
        ),
        ("fn f(n: Int) -> String = n.toString()", "write it as text: `\"{x}\"`"),
        (
            "fn f(a: Amount) -> Amount = a.percent(5)",
            "say how to round: `.percent_up(n)` or `.percent_down(n)`",
        ),
        (
            "record Hit { n: Int }\nfn f(xs: [Hit]) -> Int = xs.sum()",
            "`sum` is called on a list of numbers, durations or amounts: make one first by `.map(x => ..)`",
        ),
        ("fn f(xs: [Int?]) -> Int = xs.sum()", "leave the `null`s out first by `.present()`"),
        ("fn f(n: Int) -> Int = n.round()", "`round` is called on a `Float`"),
        ("fn f(x: Json) -> String = x.trim()", "`trim` is called on text: decode it first by `as`"),
        ("fn f(x: Json) -> String = x.titel()", "look into it by `.get(\"titel\")`, or decode it"),
        ("fn f(x: Json) -> String = x.title", "look into it by `.get(\"title\")`, or decode it"),
        ("fn f(x: Float) -> Int = x", "round it: `.round()`, `.floor()` or `.ceil()`"),
        ("fn f(t: String) -> Int = t", "read it: `.to_int()`"),
    ] {
        let message = shown(text);
        let message: String = message.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(message.contains(help), "{message}");
    }
}
