//! What people write who come from other languages gets one error, which says the right form.

use crate::common::{codes, compiled, shown};

const HEAD: &str = "use cap { generate }
record Page { title: String, links: [Url](..9) }
enum Mood { Good, Bad, Mixed(Int) }
plan inner(depth: Int(0..9)) -> Int(0..9) { depth }
";

/// A mistake of a newcomer, around `` for the body of a `fn`; its code; what help says; and the text after the fix,
/// where there is one.
const HABITS: &[(&str, &str, &str, Option<&str>)] = &[
    (
        "fn f(xs: [Int?]) -> [Int] = xs",
        "E0502",
        "leave the `null`s out by `.present()`, or give each a value by `map`",
        Some("xs.present()"),
    ),
    ("fn f(a: Int = b, b: Int = 1) -> Int = a + b", "E0323", "write the value itself", None),
    ("fn f(a: Int = 1, b: Int = a + 1) -> Int = a + b", "E0323", "write the value itself", None),
    (
        "fn f(a: Float) -> Float = a.percent()",
        "E0306",
        "say how to round: `.percent_up(n)` or `.percent_down(n)`, on an `Amount`",
        None,
    ),
    (
        "fn f(a: Amount) -> Amount = a.percent(3)",
        "E0306",
        "say how to round: `.percent_up(n)` or `.percent_down(n)`",
        None,
    ),
    ("fn f(a: String?) -> String = a.unwrap()", "E0306", "say what stands in for `null`: `x ?? ..`", None),
    (
        "fn f(a: String?) -> String = a || \"x\"",
        "E0310",
        "what stands in for `null` is written behind `??`",
        Some("a ?? \"x\""),
    ),
    ("fn f(a: Option<String>) -> Int = 1", "E0204", "a type whose value may be `null` is written `T?`", None),
    ("fn f(a: Vec<String>) -> Int = 1", "E0204", "a list type is written `[T]`", None),
    ("fn f(a: Map<String, Int>) -> Int = 1", "E0204", "a map type is written `{String: T}`", None),
    ("fn f(a: boolean) -> Int = 1", "E0204", "write `Bool`", Some("a: Bool")),
    ("policy w = { retries: 3 }\nfn f() -> Int = 1", "E0401", "the key is `retry`", None),
    (
        "fn f(a: String) -> String = \"x {{a}}\"",
        "E0315",
        "write `{name}` for a value, and `\\{name\\}` for the characters",
        None,
    ),
    ("use SN22 { web_search as find }", "E0206", "did you mean `sn22`?", Some("use sn22 {")),
    ("use sn65536 { x }", "E0206", "subnets go from `sn0` to `sn65535`", None),
    ("use subnet99999 { x }", "E0206", "subnets go from `sn0` to `sn65535`", None),
    ("use capability { web_search as find }", "E0206", "did you mean `cap`?", Some("use cap {")),
    ("policy w = { only: [\"sn28\"] }\nfn f() -> Int = 1", "E0404", "leave out the quotes: `[sn28]`", None),
    (
        "fn f(m: {String: Int}) -> Int? = m[\"x\"]",
        "E0310",
        "look into it by `.get(..)`, which is `null` where nothing is there",
        Some("m.get(\"x\")"),
    ),
    ("fn f(a: [Int]) -> [Int] = a + a", "E0310", "join lists by `.concat(..)`", None),
    (
        "fn f(a: Int, b: Float) -> Float = a + b",
        "E0310",
        "take the `Int` as the nearest `Float` by `.to_float()`",
        None,
    ),
    (
        "fn f(m: Mood) -> Bool = m == \"Good\"",
        "E0310",
        "a variant is written `Mood.Name`, without quotes",
        None,
    ),
    ("fn f() -> String? = nil", "E0201", "what is not there is `null`", None),
    ("fn f() -> String? = None", "E0316", "what is not there is `null`", None),
    ("fn f() -> Bool = True", "E0316", "write `true`", None),
    (
        "fn f(j: Json) -> Int = Int(j)",
        "E0316",
        "`x.to_int()` reads a text, `.round()` rounds, and `x as Int` decodes JSON",
        None,
    ),
    ("fn f(a: [Int]) -> Int = if a.len() { 1 } else { 2 }", "E0301", "compare it: `x > 0`", None),
    ("fn f(a: Int) -> String = str(a)", "E0210", "write it as text: `\"{x}\"`", None),
    ("fn f(a: [Int]) -> Int = a.length", "E0304", "write the method `.len()`", Some("a.len()")),
    ("fn f(a: String) -> Int = a.length", "E0304", "write the method `.len()`", Some("a.len()")),
    ("fn f(a: [Int]) -> [Int] = a.push(3)", "E0306", "make a new list: `xs.concat([x])`", None),
    ("fn f(a: [Int]) -> [Int] = a.slice(0, 3)", "E0306", "take a part: `.skip(from).take(n)`", None),
    (
        "fn f(a: {String: Int}) -> [Int] = for x in a { 1 }",
        "E0301",
        "go through its `.entries()`, `.keys()` or `.values()`",
        None,
    ),
    (
        "fn f(a: Result<Int, String>) -> Int = a ?? 1",
        "E0310",
        "look at both cases: `match x { Ok(v) => v, Err(_) => .. }`",
        None,
    ),
    ("fn f() -> Int(0..3) = 7", "E0302", "write a value within the range, or widen the range", None),
    (
        "fn f(p: Page) -> String(..9) = p.to_json()",
        "E0302",
        "cut the value before: a part of what this gives would be broken",
        None,
    ),
    (
        "plan p() -> String with { budget: 1USD, deadline: 60s } {\n  let x = call generate(prompt: \"a\") with { timeout: 1s, max_price: 0.1USD } as String\n  x\n}",
        "E0312",
        "`as` stands before `with`: `call generate(..) as T with { .. }`",
        None,
    ),
    (
        "use sn22 { web_crawl as crawl }\nplan p() -> String with { budget: 1USD, deadline: 60s } {\n  let x = call web_crawl(url: \"https://a.example\") with { max_price: 0.01USD }\n  x\n}",
        "E0208",
        "it is imported as `crawl`",
        Some("call crawl("),
    ),
    (
        "use sn22 { web_crawl as crawl }\nplan p() -> String with { budget: 1USD, deadline: 60s } {\n  let x = call sn22.web_crawl(url: \"https://a.example\") with { max_price: 0.01USD }\n  x\n}",
        "E0208",
        "it is imported as `crawl`",
        Some("call crawl("),
    ),
    (
        "use sn22 { web_crawl as crawl }\ncapability text(url: Url) -> String\nadapter crawl as text {\n  request = { url }\n  response = r => r\n}",
        "E0205",
        "an adapter names an operation in full: `sn22.web_crawl`",
        Some("adapter sn22.web_crawl as text"),
    ),
    (
        "test \"t\" {\n  assert run inner(depth: 1) == 2\n}",
        "E0314",
        "bind it by `let` in the test before",
        None,
    ),
    (
        "test \"t\" {\n  let r = try run inner(depth: 1)\n  assert r == 1\n}",
        "E0314",
        "run it without `try`, or write `expect fails run ..`",
        Some("let r = run inner(depth: 1)"),
    ),
    (
        "test \"t\" {\n  assert (try run inner(depth: 1)) == 1\n}",
        "E0314",
        "bind it by `let` before, without `try`, or write `expect fails run ..`",
        None,
    ),
    (
        "plan p(xs: [String](..9)) -> [String(..5)](..9) {\n  return for x in xs { \"{x}!\" }\n}",
        "E0302",
        "cut each element where it is made, by `.take(5)`",
        Some("\"{x}!\".take(5)"),
    ),
    (
        "fn f(xs: [Bool]) -> [String(..5)] = xs.map(x => if x { \"long enough\" } else { \"b\" })",
        "E0302",
        "cut each element where it is made: `(..).take(5)`",
        None,
    ),
    ("test \"t\" {\n  assert cost() == 0USD\n}", "E0210", "write `cost`", Some("assert cost == 0USD")),
    (
        "test \"t\" {\n  run generate(prompt: \"a\")\n}",
        "E0209",
        "a test calls nothing: mock it, `mock generate => ..`, and run a plan that calls it",
        None,
    ),
    (
        "test \"t\" {\n  assert generate(prompt: \"a\") == 1\n}",
        "E0210",
        "a test calls nothing: mock it, `mock generate => ..`, and run a plan that calls it",
        None,
    ),
    (
        "test \"t\" { assert cost == 0.008 }",
        "E0310",
        "an amount has a unit: `0.008USD`",
        Some("cost == 0.008USD"),
    ),
    ("test \"t\" { assert elapsed < 5 }", "E0310", "a duration has a unit: `5s`", Some("elapsed < 5s")),
    (
        "fn f(a: Amount) -> Amount = a * 1.5",
        "E0310",
        "an amount is multiplied and divided by an `Int` only: `x * 3 / 2` for `x * 1.5`",
        None,
    ),
    (
        "fn f(a: Duration, b: Float) -> Duration = b * a",
        "E0310",
        "a duration is multiplied and divided by an `Int` only: `x * 3 / 2` for `x * 1.5`",
        None,
    ),
    (
        "fn f(a: Int) -> Float = a as Float",
        "E0309",
        "take the nearest `Float` by `.to_float()`",
        Some("= a.to_float()"),
    ),
    (
        "fn f(a: Int?) -> Int = match a { None => 1, x => x }",
        "E0503",
        "what is not there is `null`: `null => ..`",
        Some("null => 1, x => x"),
    ),
    (
        "fn f(a: Int?) -> Int = match a { null => 1, Some(x) => x }",
        "E0503",
        "what is not there is `null`, and a name behind it binds the rest: `null => .., x => ..`",
        None,
    ),
    (
        "fn f(a: Mood?) -> Int = match a { Good => 1, None => 2, _ => 3 }",
        "E0503",
        "what is not there is `null`: `null => ..`",
        Some("null => 2"),
    ),
    (
        "fn f(a: Bool) -> Int = match a { True => 1, false => 2 }",
        "E0503",
        "write `true => ..`",
        Some("true => 1"),
    ),
    (
        "fn f(a: Bool?) -> Int = match a { False => 1, _ => 2 }",
        "E0503",
        "write `false => ..`",
        Some("false => 1"),
    ),
    (
        "fn f(xs: [Page](..3)) -> [String(..5)](..3) = xs.map(p => p.title)",
        "E0302",
        "cut each element where it is made, by `.take(5)`",
        Some("xs.map(p => p.title.take(5))"),
    ),
    (
        "fn f(xs: [Page]) -> [String(..5)](..3)? = xs.map(p => p.title)",
        "E0302",
        "cut each element where it is made, by `.take(5)`, and the list by `.take(3)`",
        Some("xs.map(p => p.title.take(5)).take(3)"),
    ),
    (
        "fn f(xs: [Int](..3)) -> [String(..5)](..3) = xs.map(x => { let y = \"no. {x}\"; y })",
        "E0302",
        "cut each element where it is made, by `.take(5)`",
        Some("y.take(5) })"),
    ),
    (
        "fn f(xs: [[Int](..9)](..9)) -> [[Int](..2)](..3) = xs",
        "E0302",
        "cut each element by `.map(x => x.take(2))`, and the list by `.take(3)`",
        Some("xs.take(3).map(x => x.take(2))"),
    ),
    (
        "fn f(xs: [Int](..3)) -> [Int(0..5)](..3) = xs",
        "E0302",
        "check it by `.. as [Int(0..5)](..3)`, which fails where it does not fit",
        None,
    ),
    ("fn f(xs: [Int]) -> [Int](..3) = xs", "E0302", "cut it by `.take(3)`", Some("xs.take(3)")),
    (
        "fn f(c: Bool) -> Int = {\n  let x = 1\n  if c { x }\n}",
        "E0321",
        "add `else { .. }` with a value of the same type, or end the block with an expression",
        None,
    ),
    (
        "plan p(c: Bool) -> Int {\n  if c { if c { 1 } } else { 2 }\n}",
        "E0321",
        "add `else { .. }` with a value of the same type, or end the block with an expression",
        None,
    ),
    (
        "plan p(c: Bool) -> Int {\n  if c { ensure c else \"no\" }\n}",
        "E0321",
        "end it with an expression, or with `return`",
        None,
    ),
    (
        "fn f() -> Time = now()",
        "E0210",
        "a plan has no clock, so that it can be replayed: make the moment a parameter, `now: Time`",
        None,
    ),
    (
        "fn f() -> Float = random()",
        "E0210",
        "nothing is random in a plan, so that it can be replayed: make it a parameter",
        None,
    ),
    (
        "fn f() -> Int = { let a = sleep(1s)\n 1 }",
        "E0210",
        "nothing waits in a plan: `retry: { backoff: 1s }` waits before a call is made again",
        None,
    ),
    (
        "fn f(n: Int(0..9)) -> Int = range(n).len()",
        "E0210",
        "whole numbers in a row are written `1.to(9)`",
        None,
    ),
    (
        "use sn999 { free_echo as echo }\nplan p() -> String with { budget: 0USD, deadline: 1m } { echo(text: \"a\") }",
        "E0210",
        "`echo` is called: `call echo(..)`",
        Some("call echo(text: \"a\")"),
    ),
    (
        "plan p() -> Int { inner(depth: 3) }",
        "E0210",
        "`inner` is a plan: `run inner(..)`",
        Some("run inner(depth: 3)"),
    ),
    ("fn f() -> Int = inner(depth: 3)", "E0210", "`inner` is a plan: `run inner(..)`", None),
    (
        "fn f(r: Result<Int, String>) -> Int = r.unwrap_or(0)",
        "E0306",
        "look at both cases: `match x { Ok(v) => v, Err(_) => .. }`",
        None,
    ),
    ("fn f(s: String) -> Int = len(s)", "E0210", "`len` is a method: `x.len()`", None),
    ("fn f(xs: [Int]) -> [Int] = take(xs, 3)", "E0210", "`take` is a method: `x.take(n)`", None),
    ("fn f(s: String) -> String = lowercase(s)", "E0210", "write the method: `x.folded()`", None),
    ("test \"a\" {\n  assertEq(1, 1)\n}", "E0210", "what has to hold is written `assert a == b`", None),
    ("fn f() -> void = null", "E0204", "all that is run has a value: write its type, such as `Bool`", None),
    (
        "fn f(p: Page) -> String = p[\"title\"]",
        "E0310",
        "a field is read by its name: `.title`",
        Some("p.title"),
    ),
    ("fn f(s: String) -> String = s[0]", "E0310", "take a part: `.skip(from).take(n)`", None),
    ("fn f(t: Time) -> Time = t + 3600", "E0310", "a duration has a unit: `5s`", Some("t + 3600s")),
    (
        "fn f(xs: [Int]) -> [Int] = xs.sort((a, b) => a < b)",
        "E0307",
        "by a key it is `.sort_by(x => ..)`",
        None,
    ),
    (
        "fn f(xs: [Page]) -> [Page] = xs.sort(x => x.title)",
        "E0306",
        "by a key it is `.sort_by(x => ..)`",
        None,
    ),
    ("fn f(xs: [Page]) -> Page? = xs.max()", "E0306", "by a key it is `.max_by(x => ..)`", None),
    (
        "record Q { title: String, n: Int }\nfn f(p: Page) -> Q = p",
        "E0301",
        "make one of its fields: `Q { title: x.title, .. }`",
        None,
    ),
    (
        "record Q { title: String }\nfn f(p: [Page]) -> [Q] = p",
        "E0301",
        "make each of its fields: `.map(x => Q { title: x.title })`",
        None,
    ),
    ("fn f() -> Page = Page { }", "E0303", "add them; a field that may be absent is declared with `?`", None),
    (
        "fn f() -> Page = Page { title: \"a\" }",
        "E0303",
        "add it; a field that may be absent is declared with `?`",
        None,
    ),
];

#[test]
fn habits_of_other_languages_get_the_right_form() {
    for (text, code, help, mended) in HABITS {
        let text = format!("{HEAD}{text}\n");
        let found = compiled(&text).diagnostics;
        let errors: Vec<_> = found.iter().filter(|found| found.is_error()).collect();
        let [only] = errors.as_slice() else { panic!("{}", shown(&text)) };
        assert_eq!((only.code.as_str(), only.help.as_deref()), (*code, Some(*help)), "{text}");
        let fixed = only.fix.as_ref().and_then(|fix| fix.apply(&text));
        assert_eq!(fixed.is_some(), mended.is_some(), "{text}");
        if let (Some(fixed), Some(mended)) = (fixed, mended) {
            assert!(fixed.contains(mended), "{fixed}");
            assert_eq!(compiled(&fixed).diagnostics.iter().find(|left| left.is_error()), None, "{fixed}");
        }
    }
}

#[test]
fn a_result_of_the_wrong_type_is_shown_where_it_is() {
    for body in ["{\n  let y = u + 1\n  return y\n}", "{\n  let y = u + 1\n  y\n}"] {
        for head in ["plan p(u: Int(0..9)) -> String ", "fn f(u: Int(0..9)) -> String = "] {
            let text = format!(
                "{head}{}",
                if head.starts_with("fn") { body.replace("return ", "") } else { body.to_owned() }
            );
            let found = compiled(&text).diagnostics;
            assert_eq!(found.first().map(|found| found.span().text(&text)), Some("y"), "{text}");
        }
    }
}

#[test]
fn an_enum_that_cannot_be_read_is_one_mistake() {
    let uses = "fn f() -> M = M.Good\nfn g(m: M) -> Int = match m { Good => 1, Bad => 2 }\nfn h(m: M) -> Int = match m { good => 1, bad => 2 }\n";
    for (declaration, code) in [
        ("enum M", "E0115"),
        ("enum M {}", "E0214"),
        ("enum M = Good | Bad", "E0115"),
        ("enum M { \"good\", \"bad\" }", "E0132"),
        ("enum M { good, Bad }", "E0150"),
    ] {
        let text = format!("{declaration}\n{uses}");
        let found = compiled(&text).diagnostics;
        let errors: Vec<&str> = found.iter().filter(|d| d.is_error()).map(|d| d.code.as_str()).collect();
        assert_eq!(errors, [code], "{}", shown(&text));
    }
    let mended = format!("enum M {{ Good, Worse }}\n{uses}");
    assert_eq!(codes(&mended).iter().filter(|code| **code == "E0316").count(), 1, "{}", shown(&mended));
}

#[test]
fn what_a_declaration_may_have_lost_is_no_mistake_elsewhere() {
    let uses = "fn f() -> M = M.Bad\nfn g(m: M) -> Int = match m { Good => 1, Bad => 2, Worse => 3 }\nfn h(m: M) -> Int = match m { Good(n) => 1, other => 2 }\nfn i() -> M = M.Good(1)\n";
    for declaration in [
        "enum M { Good, @ Bad, Worse }",
        "enum M { Good, #Bad, Worse }",
        "enum M { Good, Bad(, Worse }",
        "enum M { Good; Bad \"x\", Worse }",
        "enum M { Good, 2Bad, Worse",
        "enum M { Good @ (Int), Bad, Worse }",
    ] {
        let text = format!("{declaration}\n{uses}");
        let found = compiled(&text).diagnostics;
        let end = u32::try_from(declaration.len()).unwrap();
        assert!(!found.is_empty() && found.iter().all(|found| found.span().start <= end), "{}", shown(&text));
    }
    let uses = "fn f(r: R) -> Int = r.b\nfn g() -> R = R { a: 1, b: 2, c: 3 }\nfn h() -> R = ({ b: 2 })\n";
    for declaration in [
        "record R { a: Int, @ b: Int, c: Int }",
        "record R { a: Int, b, c: Int }",
        "record R { a: Int, #b: Int",
    ] {
        let text = format!("{declaration}\n{uses}");
        let found = compiled(&text).diagnostics;
        let end = u32::try_from(declaration.len()).unwrap();
        assert!(!found.is_empty() && found.iter().all(|found| found.span().start <= end), "{}", shown(&text));
    }
    // What could be read counts.
    let text = "enum M { Good, @ Bad }\nrecord R { a: Int, @ b: Int }\nfn f() -> M = 3\nfn g() -> R = R { a: \"x\" }\n";
    assert_eq!(codes(text).len(), 4, "{}", shown(text));
}

#[test]
fn all_forgotten_variants_are_counted() {
    for (variants, rest) in
        [(6, ""), (7, ""), (8, " and 1 more"), (66, " and 59 more"), (1000, " and 993 more")]
    {
        let names: Vec<String> = (0..variants).map(|at| format!("V{at}")).collect();
        let text = format!(
            "enum E {{ {} }}\nfn f(e: E?) -> Int = match e {{ V1 => 1, null => 2 }}\n",
            names.join(", ")
        );
        let found = compiled(&text).diagnostics;
        let message = &found.iter().find(|found| found.code.as_str() == "E0501").unwrap().message;
        assert!(message.starts_with("this `match` forgets `V0`, `V2`"), "{message}");
        assert!(
            message.ends_with(rest) && message.contains(" more") != rest.is_empty(),
            "{variants}: {message}"
        );
    }
}

#[test]
fn one_mistake_in_a_policy_is_one_error() {
    let call = |policy: &str| {
        format!(
            "{HEAD}plan p() -> String with {{ budget: 1USD, deadline: 60s }} {{\n  let x = call generate(prompt: \"a\") as String with {{ timeout: 1s, max_price: 0.1USD, {policy} }}\n  x.value\n}}\n"
        )
    };
    for policy in [
        "quorum: 3",
        "quorum: { of: 3 }",
        "quorum: { of: 3, need: 9 }",
        "quorum: { of: 3, need: 2, by: sme }",
    ] {
        let text = call(policy);
        assert_eq!(codes(&text).len(), 1, "{}", shown(&text));
    }
    let text = call("retry: { count: 1 }").replace("x.value", "x");
    assert_eq!(codes(&text), ["E0401"], "{}", shown(&text));
}

/// A price that cannot be read is there: that it is missing is not told as well.
#[test]
fn a_price_that_cannot_be_read_is_one_error() {
    let text = |price: &str| {
        format!(
            "{HEAD}policy paid = {{ max_price: {price} }}
plan p() -> String with {{ budget: 1USD, deadline: 60s }} {{
  let x = call generate(prompt: \"a\") as String with {{ max_price: {price} }}
  let y = call generate(prompt: \"b\") as String with paid
  x + y
}}
"
        )
    };
    for price in ["0.004usd", "$0.004", "0.004EUR", ".004USD"] {
        let text = text(price);
        assert_eq!(codes(&text).len(), 2, "{}", shown(&text));
        assert!(!codes(&text).contains(&"E0703"), "{}", shown(&text));
    }
    assert_eq!(codes(&text("0.004USD")), Vec::<&str>::new());
    assert!(codes(&text("0.004USD").replace("max_price", "budget")).contains(&"E0703"));
}
