//! Every syntax message as a user sees it: the source, then the error. Review a change of the snapshots as
//! a change of the user interface.

use plan_lang::{Applicability, Parse, SourceFile, parse, render};

/// Renders the diagnostics of each source, most of which are written around `~`: statements of a plan.
fn check(name: &str, sources: &[&str]) {
    let mut shown = String::new();
    for source in sources {
        let text = match source.strip_prefix('~') {
            Some(statement) => format!("plan p(xs: [Int](..9)) -> Int {{\n  {statement}\n}}\n"),
            None => format!("{source}\n"),
        };
        let parse = parse(&text);
        let offered = parse.diagnostics().iter().filter_map(|found| Some((found, found.fix.as_ref()?)));
        for (found, fix) in offered {
            let fixed = fix.apply(&text).unwrap_or_default();
            let left = plan_lang::parse(&fixed);
            let same = |parse: &Parse| {
                parse
                    .diagnostics()
                    .iter()
                    .filter(|other| other.code == found.code && other.message == found.message)
                    .count()
            };
            let is_gone = same(&left) < same(&parse);
            let helps = left.diagnostics().len() < parse.diagnostics().len()
                || is_gone && fix.applicability == Applicability::Unsafe;
            assert!(!fixed.is_empty() && helps, "`{}` does not help:\n{text}-----\n{fixed}", fix.message);
        }
        let errors = render(&SourceFile { name: "plan.orch", text: &text }, parse.diagnostics(), false);
        assert!(!errors.is_empty(), "accepted:\n{text}");
        shown += &format!("----- SOURCE\n{text}----- ERROR\n{errors}\n");
    }
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true, snapshot_path => "messages" }, {
        insta::assert_snapshot!(name, shown);
    });
}

#[test]
fn missing_names_and_values() {
    check(
        "missing_names_and_values",
        &[
            "~let = 1",
            "~let for = 1",
            "~let _ = call f()",
            "~let x 1",
            "~let x😀 = 1",
            "fn g😀() -> Int = 1",
            "plan g👨‍👩‍👧h(x: Int) -> Int { 1 }",
            "fn g(a☎️: Int) -> Int = 1",
            "record R😀 { a: Int }",
            "fn g（） -> Int = 1",
            "~let x == 1",
            "~let x =",
            "~let x = 1 +",
            "~let x = !",
            "~let x = .5",
            "~let x = 5.",
            "~let x = x1.",
            "fn f(x: Result<Result<Result<Result<Int, Int>, Int>, Int>, Int>) -> Int = 1",
            "~let x = ()",
            "~let x = xs[]",
            "~let x: = 1",
            "~xs.",
            "~call",
            "~run (1)",
            "~call search",
            "~try search(q)",
            "~call search(query: ) with",
            "~let x = call search(q) with { timeout }",
            "~let x = call search(q) with { timeout: }",
            "~x as",
            "~return",
            "~xs.map(x => )",
            "fn f(x: Int) -> Int",
            "fn f(x: Int) -> Int x",
            "record { a: Int }",
            "record R { a Int }",
            "record R { a, b: Int }",
            "plan p(String q) -> Int { 1 }",
            "plan p(x: Int = ) -> Int { 1 }",
            "plan p -> Int { 1 }",
            "plan p() { 1 }",
            "plan p(): Int { 1 }",
            "plan p() ->\n{ 1 }",
            "plan p() -> Int",
            "plan p() -> Int = 1",
            "edition",
            "use { a }",
            "use sn22",
            "use sn22 { a as }",
            "policy web { timeout: 4s }",
            "adapter sn22.search web_search { request = 1 }",
            "adapter as web_search { request = 1 }",
            "test { assert true }",
        ],
    );
}

#[test]
fn missing_words() {
    check(
        "missing_words",
        &[
            "~ensure xs.len() > 0",
            "~ensure xs.len() > 0, \"none\"",
            "~ensure xs.len() > 0 \"none\"",
            "~ensure xs.len() > 0 else",
            "~ensure else \"none\"",
            "~for xs { 1 }",
            "~for x of xs { x }",
            "~for x in { x }",
            "~for x in xs x",
            "~for in xs { x }",
            "~if { 1 }",
            "~if xs 1",
            "~if a then { 1 } else { 2 }",
            "~if a { 1 } else 2",
            "~let x = if if a { b } else { c } { 1 } else { 2 }",
            "~match { A => 1 }",
            "~match xs",
            "~match x { A 1 }",
            "~match x { A -> 1 }",
            "~match x { A if b => 1 }",
            "~match x { A | B => 1 }",
            "~match x { A => }",
            "~match x { A() => 1 }",
            "test \"t\" {\n  mock\n}",
            "test \"t\" {\n  mock f 1\n}",
            "test \"t\" {\n  mock f =>\n}",
            "test \"t\" {\n  mock f => fails\n}",
            "test \"t\" {\n  mock f => after x\n}",
            "test \"t\" {\n  mock f => after 5 x\n}",
            "test \"t\" {\n  assert\n}",
            "test \"t\" {\n  expect run p()\n}",
            "test \"t\" {\n  expect fails p()\n}",
            "test \"t\" {\n  expect fails run p() with\n}",
        ],
    );
}

#[test]
fn separators_and_brackets() {
    check(
        "separators_and_brackets",
        &[
            "~let x = 1 let y = 2",
            "~let x = a b",
            "~x = 1",
            "~let x = 1\n  x = 2",
            "~xs = [2]",
            "~let x: Int = 1\n  x: Int = 2",
            "~let y = for x in xs {\n    x := 2\n  }",
            "~var x = 1",
            "~while x { 1 }",
            "~retrun x",
            "~let x = a, b",
            "~let x = a and b",
            "~xs.map(x => { a: x })",
            "~let x = a: 1",
            "record R { a: Int b: Int }",
            "record R { a: Int; b: Int }",
            "record R {\n  a: Int\n  b: Int\n}",
            "~f(a b)",
            "~[1 2]",
            "~f(a = 1)",
            "~R { a = 1 }",
            "~f(a",
            "~f(a]",
            "~[1, 2",
            "~xs[1",
            "~(1 + 2",
            "~let x: [Int = 1",
            "~let x: Result<Int, = 1",
            "~let x = \"abc",
            "~let x = f(\"abc (d) {e})",
            "~let x = [\n    \"abc (d),\n    \"e\",\n  ]",
            "~let x = \"\"\"\n    abc",
            "~let x = \"{a\"",
            "~let x = \"{}\"",
            "~let x = \"{a b}\"",
            "plan p() -> Int {\n  1",
            "plan p() -> Int {\n  let a = for x in xs {\n    x\n  let b = 1\n  b\n}",
            "plan p() -> Int {\n  let a = xs.map(x => {\n    x\n  ensure true else \"no\"\n  a\n}\nfn f() -> Int = 1",
            "record R {\n  a: Int,\nfn f() -> Int = 1",
            "plan p() -> Int {\n  let x = 1\n  }\n  x\n}",
            "}",
            "fn f() -> Int = 1 )",
        ],
    );
}

#[test]
fn misspelt_words() {
    check(
        "misspelt_words",
        &[
            "plna p() -> Int { 1 }",
            "recrod R { a: Int }",
            "polcy web = { timeout: 3s }",
            "capabilty f(x: Int) -> Int",
            "~fro x in xs { x }",
            "~lett y = 1",
            "~fr x in xs { x }",
            "~let y = fro x in xs { x }",
            "~let y = mach x {\n    A => 1,\n    B => 2,\n  }",
            "fn f(x: Bool) -> Int = iff x { 1 } else { 2 }",
            "fn f(x: Bool) -> Int = if x { 1 } esle { 2 }",
            "fn f(x: Json) -> String = x sa String",
            "plan p() -> Int wiht { budget: 1USD } { 1 }",
            "plan p() -> Int\n  wiht { budget: 1USD } { 1 }",
            "~let y = call search(q)\n    wiht { timeout: 1s }",
            "~let y = for x in xs wiht { concurrency: 2 } { x }",
            "~ensure true esle \"no\"",
            "use sn22 { web_search sa search }",
            "~lt y = 1",
            "~let y = try cal search(q)",
            "~let y = [cal search(q)]",
            "~let y = cal search(q)",
            "~let y = tyr call search(q)",
            "~let y = call search(q) wiht { timeout: 1s }",
            "~if a { 1 } esle { 2 }",
            "~for x on xs { x }",
            "test \"t\" {\n  mokc f => 1\n  assret true\n}",
            "test \"t\" {\n  mock f => sequnce [1, 2]\n}",
            "test \"t\" {\n  mock f => fials timeout\n}",
            "test \"t\" {\n  mock f => aftr 5s 1\n}",
            "test \"t\" {\n  expect fials run p()\n}",
            "test \"t\" {\n  expect fails rnu p()\n}",
            "test \"t\" {\n  mock f(query: \"a\") => 1\n}",
            "~let x = 1ussd",
            "~let x = 60mx",
            "plan p() -> Int with { budget: 1 ussd } { 1 }",
            "plan p() -> Int with { deadline: 60 seconds } { 1 }",
            "plan p() -> Int with { deadline: 3 minuts } { 1 }",
            "plan p() -> Int with { deadline: 3 months } { 1 }",
            "plan p() -> Int with { budget: 1 EUR } { 1 }",
            "plan p() -> Int with { deadline 3s } { 1 }",
            "fn f() -> R = { a: 1, b: 2 }",
            "~let x = call(search)",
            "~let x = call(search, query: q)",
            "~let x = run(inner, 1)",
            "policy web = { timeout: 4s }\nplan p() -> Int { call search(q) with { web } }",
            "policy web = { timeout: 4s }\nplan p() -> Int { call search(q) with { web, cache: 1h } }",
            "~match x { A -> 1, B -> 2, C(n) -> n }",
            "~match x {\n    A -> 1,\n    B -> \"->\",\n    E => 3,\n    F -> 4\n  }",
            "~y: Int = 3",
            "~x.a = 3",
        ],
    );
}

#[test]
fn a_long_number_is_shown_by_its_start() {
    let found = |digits: usize| {
        let text = format!("fn f() -> Int = {}", "1".repeat(digits));
        parse(&text).diagnostics()[0].message.clone()
    };
    assert_eq!(found(40), format!("`{}` is too large", "1".repeat(40)));
    assert_eq!(found(100_000), format!("`{}..` is too large", "1".repeat(40)));
}

/// Of a file that is no text, what comes before the mistake is read; that it breaks off there is no mistake of its own.
#[test]
fn what_breaks_off_in_bytes_that_are_no_text_is_not_told() {
    let codes = |bytes: &[u8]| -> Vec<&'static str> {
        plan_lang::parse_bytes(bytes).diagnostics().iter().map(|found| found.code.as_str()).collect()
    };
    assert_eq!(codes(b"plan p() -> String {\n  \"caf\xe9\"\n}\n"), ["E0103"]);
    assert_eq!(codes(b"fn f() -> Int = 1\nplan p() -> String {\n  // caf\xe9\n  \"a\"\n}\n"), ["E0103"]);
    assert_eq!(codes(b"fn f() -> Int 1\nplan p() -> String { \"\xff\" }\n"), ["E0103", "E0111"]);
}

#[test]
fn text_that_fits_nowhere() {
    check(
        "text_that_fits_nowhere",
        &[
            "import sn22",
            "plna p() -> Int { 1 }",
            "plan (x)",
            "let x = 1",
            "42",
            "/// Docs of nothing.",
            "/// Docs.\nuse sn22 { a }",
            "~/// Docs.\n  1",
            "~{ a: 1 }",
            "~else { 1 }",
            "~) 1",
            "~let x = 'a'",
            "~let x = \u{201C}a\u{201D}",
            "~# comment",
            "~let x =\u{a0}1",
            "~let x = $5",
            "fn f(xs: [Int]) -> [Int] = xs.map(_ + 1)",
            "test \"a\" { let r = run p() assert r == 2 }",
            "plan p() -> Int { let r = 1 assert r == 2\n r }",
            "~let x = 1_000",
            "~let x = 1e9",
            "~let x = 4sec",
            "~let x = 4foo",
            "~let x = 0.5usd",
            "~let x: String(80) = \"\"",
            "record R { a: Int, ? }",
            "record R { /// x\n}",
            "enum E { a: Int }",
            "use sn22 { a.b }",
            "policy web = { timeout = 4s }",
            "policy web = { timeout: 4s; retry: { max: 1 } }",
            "plan p(x: Int, 1) -> Int { x }",
            "~R { ..a }",
            "~f(x, , y)",
            "adapter a as b {\n  let x = 1\n}",
        ],
    );
}

#[test]
fn rules_beyond_the_grammar() {
    check(
        "rules_beyond_the_grammar",
        &[
            "~let x = a < b < c",
            "~let x = a == b == c != d",
            "~let f = x => x",
            "~call f(x => x)",
            "~f(x => x)",
            "~if a { return 1 }\n  2",
            "~return 1\n  2",
            "~if a { 1 } else { return 2 }",
            "fn f() -> Int = call g()",
            "~xs.map(x => run p(x))",
            "plan p(x: Int = call f()) -> Int { x }",
            "test \"t\" {\n  let x = call f()\n}",
            "test \"t\" {\n  return 1\n}",
            "~let x = if a { 1 }",
            "~let x = \"a } b\"",
            "~let x = \"nothing about query}\"",
            "~let x = \"a {x}} b\"",
            "~let x = \"\\{ name}\"",
            "~let x = \"{a\n  }\"",
            "~let x = \"\\q\"",
            "~let x = \"\\u{110000}\"",
            "~let x = \"\"\"\\\n  \"\"\"",
            "~let x = \"\"\"\\\r\n  \"\"\"",
            "~let x = \"\"\"\\u{1\n  f}\"\"\"",
            "~let x = \"\"\"\n  a\nb\n  \"\"\"",
            "~let x = 9223372036854775808",
            "~let x = 0.0000001USD",
            "~let x = call f() with { tolerate: 120% }",
            "edition 2025",
            "record R {}\nedition 2026",
            "edition 2026\nedition 2026",
            "edition 1.5",
            "record hit { a: Int }",
            "enum E { ahead }",
            "~let X = 1",
            "~for X in xs { 1 }",
            "~let x = hit { a: 1 }",
            "~let x = xs.len()(1)",
            "~let x = Kind.Bad(1, 2)",
            "test \"a {b}\" {}",
            "~match x { \"{a}\" => 1, _ => 2 }",
            "~let x = { \"{a}\": 1 }",
            "~let x = { in }",
            "~let x = xs.decode()",
            "~if Foo { a: 1 } == x { 1 } else { 2 }",
            "~let x = a\n  -b",
            "~let x = a \u{202E} b",
            "~let x = \"\u{0}\"",
        ],
    );
}

#[test]
fn forms_of_other_languages() {
    check(
        "forms_of_other_languages",
        &[
            "record R { a: String[] }",
            "record R { a: list[str] }",
            "plan p(a: dict[str, int]) -> Int { 1 }",
            "plan p(a: String | null) -> Int { 1 }",
            "plan p(a: String | Int) -> Int { 1 }",
            "fn f(a: Int) -> Int[] = [a]",
            "record R { a: Int(0, 9) }",
            "record R { a: Int(0..=9) }",
            "record R { a?: Int }",
            "fn f(a?: Int) -> Int = 1",
            "record R { a: Int?? }",
            "record R { a: Int = 3 }",
            "enum E { A = 1 }",
            "enum E { A(Int, Int) }",
            "enum E { A(x: Int) }",
            "enum E { A { x: Int } }",
            "~match x { case A => 1 }",
            "~match x { A => 1, else => 2 }",
            "~match x { A n => n, _ => 2 }",
            "~match x { A, B => n }",
            "enum E { A | B }",
            "enum E = { A, B }",
            "plan p() -> Int = { 1 }",
            "plan p() Int { 1 }",
            "use sn22.web_search",
            "use sn22 web_search",
            "use sn22::web_search",
            "use sn22 { web_search: search }",
            "import sn22.web_search",
            "adapter sn22.a for b {}",
            "adapter sn22.a as b {\n  request: { a }\n}",
            "test works { assert true }",
            "test \"t\" { expect fails p(a) }",
            "test \"t\" { mock f => sequence { a: 1 } }",
            "record R { a: ?Int }",
            "fn f(a: Bool) -> Int = if a { 1 } elif b { 2 } else { 3 }",
            "~xs.map(x -> x + 1)",
            "~let x = 'a {y}'",
            "~let x = \"a {y\"",
            "~match x { E::A => 1 }",
            "~match x { 1..3 => 2 }",
            "~match x { R { a } => a }",
            "~E::A(3)",
            "~f((Url) hit.link)",
            "~let x = (Url) hit.link",
            "~xs.map(h->h.link)",
            "~let ys = xs.fold(0, (a, b) -> a + b)",
            "~let y = call f(x) with { accept: r -> r.ok }",
            "~hit->link",
            "~match x { A => h->link, B => 2 }",
            "~match x { A(n)->n, good->bad }",
            "~ensure a.len() = 1 else \"..\"",
            "~if a = 1 { 2 } else { 3 }",
            "test \"t\" {\n  expect r.len() == 1\n}",
            "~assert xs.len() > 0",
            "~expect r == 1",
            "use sn22::{\n  web_search\n}",
            "~let x = switch mood {\n    Good => 1,\n    Bad => 2,\n  }",
            "~x as! Url",
            "~match mood { .Good => 1, .Bad => 2 }",
            "record R { a: String(..2_000) }",
            "record R { a: Int(1_000..2_000) }",
            "~xs.map(|x| x + 1)",
            "~xs.map(lambda x: x + 1)",
            "~xs.map((x: Int) => x + 1)",
            "~[x + 1 for x in xs]",
            "~[...xs, 1]",
            "~xs[0..2]",
            "~xs[1:]",
            "~let r = 0..9",
            "~for i in 0..9 { i }",
            "~for (x in xs) { x }",
            "~for k, v in xs { k }",
            "~let mut y = 1",
            "~let x with { timeout: 1s } = call search(q)",
            "~let x = search(q) with { timeout: 1s }",
            "~let x = await call search(q)",
            "~let x = new Page { a: 1 }",
            "plan p() -> Int with { budget: 0.1 USD } { 1 }",
            "plan p() -> Int with { deadline: 10 s } { 1 }",
            "policy w = { ...web, cache: 1h }",
            "plan p() with { budget: 1USD } -> Int { 1 }",
            "~x === 1",
            "~x !== 1",
            "~x <> 1",
            "~y += 1",
            "~y++",
            "~2 ** 3",
            "~a ? 1 : 2",
            "fn f(x: Int) -> Int = x > 1 ? 2 : 3",
            "~a!",
            "~f\"abc\"",
            "~let x = `abc ${y}`",
            "~a and b",
            "~a or b",
            "~a is b",
            "~if not a { 1 }",
            "~a & 2",
            "fn f(a: Int) -> Int = a & 2",
            "fn f(a: String) -> String = a |> trim",
            "fn f(a: Int) -> Int = a # once",
            "fn f(a: Int) -> Int = a\n/* once */",
            "fn f(a: Amount = 0.01EUR) -> Int = 1",
        ],
    );
}
