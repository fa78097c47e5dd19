//! The rules of names and types, one line each: what is admitted and which code refuses what is not.

use crate::common::{codes, compiled, shown};

/// Checks that each text has exactly these codes.
pub(crate) fn table(rows: &[(&str, &[&str])]) {
    let mut wrong = String::new();
    for (text, expected) in rows {
        let found = codes(text);
        if found != *expected {
            wrong.push_str(&format!("expected {expected:?}, found {found:?} in\n{text}\n{}\n", shown(text)));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn ranges_are_inferred() {
    table(&[
        ("fn f(a: Int(0..9), b: Int(2..5)) -> Int(0..45) = a * b", &[]),
        ("fn f(a: Int(0..9), b: Int(2..5)) -> Int(0..44) = a * b", &["E0302"]),
        ("fn f(a: Int(0..9)) -> Int(-9..0) = -a", &[]),
        ("fn f(a: Int, b: Int(1..10)) -> Int(-9..9) = a % b", &[]),
        ("fn f(xs: [Int](2..5)) -> Int(2..5) = xs.len()", &[]),
        ("fn f(xs: [Int](2..5)) -> [Int](1..3) = xs.take(3)", &[]),
        ("fn f(xs: [Int](2..5)) -> [Int](..3) = xs.skip(2)", &[]),
        ("fn f(xs: [Int](2..5)) -> [Int](..5) = xs.filter(x => x > 1)", &[]),
        ("fn f(xs: [Int](2..5)) -> [Int](2..5) = xs.filter(x => x > 1)", &["E0302"]),
        ("fn f(xss: [[Int](..8)](..5)) -> [Int](..40) = xss.flatten()", &[]),
        ("fn f(xs: [String(..10)](..3)) -> String(..34) = xs.join(\", \")", &[]),
        ("fn f(xs: [String(..10)](..3)) -> String(..33) = xs.join(\", \")", &["E0302"]),
        ("fn f(a: String(2..5), n: Int(0..99)) -> String(4..8) = \"{a}:{n}\"", &[]),
        ("fn f(a: String(2..5), n: Int(0..99)) -> String(..7) = \"{a}:{n}\"", &["E0302"]),
        ("fn f(a: Bool) -> [Int](1..2) = if a { [1] } else { [1, 2] }", &[]),
        ("fn f(a: Bool) -> Int(1..7) = if a { 1 } else { 7 }", &[]),
        ("fn f(a: String(..10)) -> Bool = a.folded() == a.normalize()", &[]),
        ("fn f(a: String(2..4), b: String(3..5)) -> String(5..9) = a + b", &[]),
        ("fn f(xs: [Int](..3)) -> Int = xs[3]", &["E0302"]),
        ("fn f(xs: [Int]) -> Int = xs[-1]", &["E0302"]),
        ("fn f(xs: [Int], i: Int(-3..-1)) -> Int = xs[i]", &["E0302"]),
        ("fn f(xs: [Int], i: Int(-3..0)) -> Int = xs[i]", &[]),
        ("fn f(xs: [Bool](..3)) -> String(2..20) = xs.to_json()", &[]),
        ("fn f(a: Float(0..1)) -> Float(0..2) = a * 2", &[]),
        ("fn f(n: Int(0..4)) -> Float(0..2) = n * 0.5", &[]),
    ]);
}

#[test]
fn a_parameter_is_called_what_an_expression_can_read() {
    table(&[
        ("fn f(within: Int) -> Int = within", &[]),
        ("fn f(`within`: Int) -> Int = within", &[]),
        ("fn f(with: Int) -> Int = 1", &["E0110"]),
        ("fn f(`x-rate`: Int) -> Int = 1", &["E0110"]),
        ("plan p(in: Int) -> Int { 1 }", &["E0110"]),
        ("record R { with: Int, `x-rate`: Int }\nfn f(r: R) -> Int = r.with + r.`x-rate`", &[]),
    ]);
}

/// What a message shows can be copied into the plan.
#[test]
fn types_that_take_a_type_are_shown_as_they_are_written() {
    let plan = |value: &str| {
        format!(
            "use sn22 {{ web_crawl as crawl }}\npolicy web = {{ timeout: 4s, max_price: 0.01USD }}\nplan p(u: [Url](..2), v: Url) -> Int with {{ budget: 1USD, deadline: 1m }} {{\n  let a = {value}\n  !a\n}}"
        )
    };
    for (value, ty) in [
        (
            "for x in u with { on_error: keep } { call crawl(url: x) with web }",
            "[Result<String, ItemError<Url>>]",
        ),
        ("try call crawl(url: v) with web", "Result<String, CallError<String>>"),
        ("call crawl(url: v) with web { quorum: { of: 3, need: 2 } }", "Voted<String>"),
    ] {
        let message = shown(&plan(value));
        assert!(message.contains(&format!("`{ty}`")), "{ty}: {message}");
        table(&[(&format!("fn f(a: {ty}) -> Int = 1"), &[])]);
    }
}

/// The lock of the tests pins no rate.
#[test]
fn literals_in_two_currencies_do_not_mix() {
    table(&[
        ("fn f() -> Amount = 1TAO + 0.1USD", &["E0707"]),
        ("fn f() -> Amount = 1TAO - 0.1USD", &["E0707"]),
        ("fn f() -> Bool = 1TAO < 0.1USD", &["E0707"]),
        ("fn f() -> Bool = 1TAO == 0.1USD", &["E0707"]),
        ("fn f(a: Amount, n: Int) -> Bool = 1TAO * n + a > 0.1USD", &["E0707"]),
        ("fn f(a: Amount) -> Bool = a > 0.1USD", &[]),
        ("fn f() -> Amount = 1TAO + 3rao", &[]),
        ("fn f() -> Bool = 1TAO > 0USD", &[]),
    ]);
}

#[test]
fn ranges_of_ordered_and_totalled_lists_are_inferred() {
    table(&[
        ("fn f(xs: [Int(0..9)](1..5)) -> [Int(0..9)](1..5) = xs.sort().reverse()", &[]),
        ("fn f(xs: [String](2..5)) -> [String](2..3) = xs.top(3, x => x.len())", &[]),
        ("fn f(xs: [String](2..5)) -> [String](2..5) = xs.sort_by(x => x)", &[]),
        ("fn f(xs: [Int(-2..9)](..5)) -> Int(-10..45) = xs.sum()", &[]),
        ("fn f(xs: [Int(-2..9)](..5)) -> Int(-10..44) = xs.sum()", &["E0302"]),
        ("fn f(xs: [Int(1..9)](2..5)) -> Int(2..45) = xs.sum()", &[]),
        ("fn f(xs: [Float(0..0.5)](2..5)) -> Float(0..2.5) = xs.sum()", &[]),
        // Ten times 0.7, added up one by one, is a little more than 7.
        ("fn f(xs: [Float(0..0.7)](..10)) -> Float(0..7) = xs.sum()", &["E0302"]),
        ("fn f(xs: [Float(0..0.7)](..10)) -> Float(0..7.000000000000001) = xs.sum()", &[]),
        ("fn f(xs: [Duration]) -> Duration = xs.sum() + (xs.max() ?? 0s)", &[]),
        ("fn f(xs: [Amount]) -> Amount = xs.sum()", &[]),
        ("fn f(xs: [Int(1..6)]) -> Float(1..6)? = xs.average()", &[]),
        ("fn f(xs: [Float(0..1)]) -> Float(0..1) = xs.average() ?? 0", &[]),
        ("fn f(xs: [Int(1..6)]) -> Int(1..6)? = xs.min()", &[]),
        ("fn f(xs: [Int](..7)) -> Int(0..7) = xs.count(x => x > 1)", &[]),
        ("fn f(xs: [Int](..7)) -> Int(0..6)? = xs.position(x => x > 1)", &[]),
        ("fn f(xs: [Int(1..6)]) -> Int(1..6)? = xs.find(x => x > 1)", &[]),
        ("fn f(xs: [String]) -> String? = xs.max_by(x => x.len()) ?? xs.min_by(x => x)", &[]),
    ]);
}

#[test]
fn ranges_of_library_results_are_inferred() {
    table(&[
        // As the page of the library says.
        ("fn f(xs: [Int(0..9)](..5)) -> Int(0..45) = xs.sum()", &[]),
        ("fn f(xs: [Int(0..9)](..5)) -> Int(0..2) = xs.take(2).len()", &[]),
        // Numbers.
        ("fn f(x: Float) -> Float(0..1) = x.clamp(0, 1)", &[]),
        ("fn f(x: Float(0.5..9)) -> Float(0.5..1) = x.clamp(0, 1)", &[]),
        ("fn f(x: Int(-5..3)) -> Int(0..5) = x.abs()", &[]),
        ("fn f(x: Int(-5..3)) -> Int(0..4) = x.abs()", &["E0302"]),
        ("fn f(x: Int(0..9), y: Int(5..20)) -> Int(0..9) = x.min(y)", &[]),
        ("fn f(x: Int(0..9), y: Int(5..20)) -> Int(5..20) = x.max(y)", &[]),
        ("fn f(x: Float(0..9)) -> Float(0..3) = x.sqrt()", &[]),
        ("fn f(x: Float(0..2.5)) -> Int(0..3) = x.round()", &[]),
        ("fn f(x: Float(0..2.5)) -> Int(0..2) = x.floor()", &[]),
        ("fn f(x: Int(0..9)) -> Float(0..9) = x.to_float()", &[]),
        ("fn f(x: Float(0..1)) -> String(4..4) = x.to_fixed(2)", &[]),
        ("fn f(n: Int(0..10)) -> [Int(1..10)](..10) = 1.to(n)", &[]),
        ("fn f() -> [Int(1..3)](3..3) = 1.to(3)", &[]),
        // Text.
        ("fn f(t: String(1..10)) -> [String(..10)](1..11) = t.split(\",\")", &[]),
        ("fn f(t: String(1..10)) -> [String(..10)](1..6) = t.split(\", \")", &[]),
        ("fn f(t: String(..9)) -> [String(1..9)](..5) = t.words()", &[]),
        ("fn f(t: String(1..9)) -> [String(..9)](1..9) = t.lines()", &[]),
        ("fn f(t: String(2..9)) -> String(2..9) = t.replace(\"a\", \"b\")", &[]),
        ("fn f(t: String(2..9)) -> String(..27) = t.replace(\"a\", \"bbb\")", &[]),
        ("fn f(t: String(2..9)) -> String(..26) = t.replace(\"a\", \"bbb\")", &["E0302"]),
        ("fn f(t: String(..3)) -> Int(-99..999)? = t.to_int()", &[]),
        ("fn f(t: String(1..3)) -> String(1..9) = t.upper()", &[]),
        ("fn f(t: String(1..3)) -> String(1..36) = t.url_encoded()", &[]),
        ("fn f(t: String(..3)) -> Int(0..3)? = t.index_of(\"x\")", &[]),
        // Lists.
        ("fn f(xs: [Int](2..7)) -> [[Int](1..3)](1..3) = xs.chunks(3)", &[]),
        ("fn f(xs: [Int](2..7), ys: [Int](1..3)) -> [Int](3..10) = xs.concat(ys)", &[]),
        ("fn f(xs: [Int(0..3)], ys: [Int(5..9)]) -> [Int(0..9)] = xs.concat(ys)", &[]),
        (
            "fn f(xs: [Int](2..7), ys: [Int](1..3)) -> [Int](1..3) = xs.zip(ys).map(p => p.left - p.right)",
            &[],
        ),
        ("fn f(xs: [Int](2..7)) -> [Int](1..7) = xs.distinct()", &[]),
        ("fn f(xs: [Int?](2..7)) -> [Int](..7) = xs.present()", &[]),
        ("fn f(xs: [String](2..7)) -> {String: [String](1..7)} = xs.group_by(x => x.take(1))", &[]),
        ("fn f(xs: [String(..5)]) -> {String: String(..5)} = xs.key_by(x => x)", &[]),
        ("fn f(xs: [Int(1..3)], n: Int) -> Int(1..3)? = xs.get(n)", &[]),
        // Maps and JSON.
        (
            "fn f(m: {String: Int(1..3)}) -> [Int(1..3)] = m.values().concat(m.entries().map(e => e.value))",
            &[],
        ),
        ("fn f(m: {String: Int}) -> {String: String} = m.map_values(v => \"{v}\")", &[]),
        ("fn f(m: {String: Int(0..3)}, o: {String: Int(2..9)}) -> {String: Int(0..9)} = m.merge(o)", &[]),
        ("fn f(x: Json) -> [Int] = x.get(\"data\").get(0).get(\"n\") as [Int]", &[]),
        ("fn f(x: Json) -> String(4..6) = x.kind()", &[]),
        // Times and URLs.
        ("fn f(t: Time) -> [Int(0..9999)](3..3) = [t.year(), t.month(), t.day()]", &[]),
        ("fn f(t: Time) -> String(10..10) = t.date()", &[]),
        ("fn f(d: Duration) -> Float = d.abs().max(1s).to_seconds()", &[]),
        ("fn f(a: Amount) -> Amount = a.percent_up(20).min(1USD)", &[]),
        ("fn f(u: Url) -> String(1..253)? = u.host()", &[]),
        ("fn f(u: Url) -> Url? = u.resolve(\"/about\")", &[]),
        ("fn f(u: Url) -> Int(0..24576) = u.path().len()", &[]),
    ]);
}

#[test]
fn arguments_of_library_functions_fit_their_receiver() {
    table(&[
        ("fn f(x: Int) -> Int = x.min(0.5)", &["E0301"]),
        ("fn f(x: Float) -> Float = x.min(1)", &[]),
        ("fn f(x: Int) -> Int = x.min()", &["E0307"]),
        ("fn f(xs: [Int]) -> Int? = xs.min(1)", &["E0307"]),
        ("fn f(x: Int) -> Int = x.round()", &["E0306"]),
        ("fn f(xs: [Int], ys: [String]) -> [Int] = xs.concat(ys)", &["E0301"]),
        ("fn f(xs: [Int], y: Int) -> Int = xs.zip(y).len()", &["E0301"]),
        ("fn f(xs: [Int], y: Int) -> Int = xs.zip(nothing).len()", &["E0201"]),
        ("fn f(xs: [Int]) -> Int = xs.group_by(x => x).len()", &["E0301"]),
        ("fn f(x: Json) -> Json = x.get(true)", &["E0301"]),
        ("fn f(m: {String: Int}) -> Int? = m.get(0)", &["E0301"]),
        ("fn f(xs: [Int]) -> [Int] = xs.present()", &["E0306"]),
        ("fn f(u: String) -> String? = u.host()", &["E0306"]),
        ("fn f(x: Amount) -> Amount = x.percent(3)", &["E0306"]),
        // A list that is mapped keeps the range of what the lambda gives.
        ("fn f(xs: [Int(0..9)](..3)) -> [Int(0..9)](..3) = xs.map(x => x)", &[]),
        ("fn f(xs: [Int(0..9)](..3)) -> [Int(0..9)](..3) = xs.map(x => { x })", &[]),
        ("fn f(xs: [Int(0..9)](..3)) -> [Int(0..18)](..3) = xs.map(x => x * 2)", &[]),
        ("fn f(xs: [Int(0..9)?](..3)) -> [Int(0..9)](..3) = xs.present().map(x => x)", &[]),
        ("fn f(xs: [Int(0..9)](..3)) -> [Int(0..9)](..3) = for x in xs { x }", &[]),
        ("fn f(xs: [Int(0..9)](..3)) -> [Int(0..9)](..3) = xs.map(x => x + 1)", &["E0302"]),
        // Records of the library are written with the types they are of, and fit like those.
        ("fn f(xs: [Int](..3)) -> Pair<Int, Int>? = xs.zip(xs).first()", &[]),
        ("fn f(xs: [Int(0..9)](..3)) -> [Pair<Int, Float>](..3) = xs.zip([0.5, 1.5, 2.5])", &[]),
        ("fn f(m: {String: Int}) -> [Entry<Int>] = m.entries()", &[]),
        ("fn f(e: Entry<Int>) -> Int = e.value", &[]),
        (
            "fn f(a: Bool, xs: [Int], ps: [Pair<Int, Int>]) -> Int = {\n  let all = if a { xs.zip(xs) } else { ps }\n  all.len()\n}",
            &[],
        ),
        ("fn f(m: {String: Int}) -> [Entry<String>] = m.entries()", &["E0301"]),
        ("fn f(m: {String: Int}) -> [Entry<Int(0..9)>] = m.entries()", &["E0302"]),
        ("fn f(m: {String: Int}) -> [Entry] = m.entries()", &["E0322"]),
        ("fn f(p: Pair<Int>) -> Int = 1", &["E0322"]),
        ("fn f(p: Pair<Int, Foo>) -> Int = 1", &["E0204"]),
        ("fn f(p: Pair<Int, Int>(..9)) -> Int = 1", &["E0318"]),
        ("record Entry { id: Int }\nfn f(e: Entry<Int>) -> Int = 1", &["E0322"]),
        // A value of one is of the types that its place wants, or of those of its fields.
        ("fn f(a: Int(0..9)) -> Pair<Int, [String]> = Pair { right: [], left: a }", &[]),
        ("fn f(a: Int, b: String) -> [Pair<Int, String>] = [Pair { left: a, right: b }]", &[]),
        ("fn f(a: [Int]) -> [Pair<Int, Int>] = a.zip(a).concat([Pair { left: 1, right: 2 }])", &[]),
        ("fn f(k: String) -> [Entry<Int(1..1)>] = [k].map(key => Entry { key, value: 1 })", &[]),
        (
            "fn f(a: Int) -> Int = Pair { left: Pair { left: a, right: true }, right: null }.left.left",
            &["E0315"],
        ),
        ("fn f() -> Pair<Int, Int> = Pair { lft: 1, right: 2 }", &["E0304"]),
        ("fn f() -> Int = Pair { lft: 1, right: 2 }.left", &["E0303"]),
        ("fn f() -> Int = Entry { key: 1, value: 2 }.value", &["E0301"]),
        ("record Pair { a: Int }\nfn f() -> Pair = Pair { a: 1 }", &[]),
        // No record of the file is one of the language, whatever its name.
        (
            "record Entry { key: String, value: Int }\nfn f(m: {String: Int}) -> [Entry] = m.entries()",
            &["E0301"],
        ),
        (
            "record Entry { key: String, value: Int }\nfn f(m: {String: Int}) -> [Entry] = m.entries().map(e => Entry { key: e.key, value: e.value })",
            &[],
        ),
    ]);
}

#[test]
fn only_what_has_an_order_is_ordered() {
    table(&[
        ("fn f(xs: [Bool]) -> [Bool] = xs.sort()", &["E0306"]),
        ("fn f(xs: [Bool]) -> [Bool] = xs.sort_by(x => x)", &["E0301"]),
        ("fn f(xs: [Int?]) -> [Int?] = xs.sort_by(x => x)", &["E0301"]),
        ("fn f(xs: [Int?]) -> [Int?] = xs.sort_by(x => x ?? 0)", &[]),
        ("fn f(xs: [String]) -> Int = xs.sum()", &["E0306"]),
        ("fn f(xs: [Int]) -> [Int] = xs.top(x => x)", &["E0307"]),
        ("fn f(xs: [Int]) -> [Int] = xs.top(x => x, 2)", &["E0311", "E0311"]),
        ("fn f(xs: [Int]) -> [Int] = xs.sort_by(2)", &["E0311"]),
        ("fn f(xs: [Int]) -> Float? = xs.map(x => nothing).average()", &["E0201"]),
        ("fn f() -> Int = [].sum()", &["E0306"]),
    ]);
}

#[test]
fn functions_are_looked_at_per_call() {
    table(&[
        (
            "fn best(xs: [Int], n: Int) -> [Int] = xs.take(n)\nfn f(xs: [Int]) -> [Int](..4) = best(xs, 4)",
            &[],
        ),
        (
            "fn best(xs: [Int], n: Int) -> [Int] = xs.take(n)\nfn f(xs: [Int]) -> [Int](..3) = best(xs, 4)",
            &["E0302"],
        ),
        (
            "fn a(xs: [Int]) -> [Int] = b(xs, 2)\nfn b(xs: [Int], n: Int) -> [Int] = xs.take(n + n)\nfn f(xs: [Int]) -> [Int](..4) = a(xs)",
            // `a` itself takes a list of any length, so its result is looked at where it is narrower.
            &["E0302"],
        ),
        (
            "fn a(xs: [Int]) -> [Int] = b(xs, 2)\nfn b(xs: [Int], n: Int) -> [Int] = xs.take(n + n)\nfn f(xs: [Int](..9)) -> [Int](..4) = a(xs)",
            &[],
        ),
        // A mistake in a function is reported once, however often it is called.
        ("fn bad(n: Int) -> Int = n + x\nfn f() -> Int = bad(1) + bad(2) + bad(3)", &["E0201"]),
        ("fn f(n: Int = 3) -> Int(..5) = g(n)\nfn g(n: Int) -> Int = n", &["E0302"]),
        ("fn f() -> Int(..5) = g()\nfn g(n: Int = 3) -> Int = n", &[]),
    ]);
}

#[test]
fn operations_of_unpinned_subnets_are_told_together() {
    let names: Vec<String> = (0..8).map(|index| format!("op{index}")).collect();
    let text = format!("use sn997 {{ {} }}", names.join(", "));
    let found = compiled(&text).diagnostics;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message, "the lock has none of 8 operations that this file uses");
    let shown: Vec<&str> = found[0].labels.iter().map(|label| label.span.text(&text)).collect();
    assert_eq!(shown, names[..6]);
    assert!(found[0].help.iter().any(|help| help.contains("orch lock update")));
}

#[test]
fn null_is_never_forgotten() {
    table(&[
        ("record R { a: String? }\nfn f(r: R) -> String = r.a ?? \"\"", &[]),
        ("record R { a: S? }\nrecord S { b: Int? }\nfn f(r: R) -> Int? = r.a?.b", &[]),
        ("record R { a: S? }\nrecord S { b: Int }\nfn f(r: R) -> Int = r.a.b", &["E0502"]),
        ("fn f(x: String?) -> Int = x.len()", &["E0502"]),
        ("fn f(x: String?) -> Int? = x?.len()", &[]),
        ("fn f(x: String?) -> String(..3)? = x?.take(3)", &[]),
        ("fn f(x: Int?) -> Int = x + 1", &["E0310"]),
        ("fn f(x: Int?) -> Bool = x == null || x == 3", &[]),
        ("fn f(x: Int) -> Bool = x == null", &["W0904"]),
        ("fn f(x: Int?) -> Int = match x { null => 0, n => n + 1 }", &[]),
        ("fn f(x: Int?) -> Int? = match x { n => n }", &[]),
        ("fn f(x: Int) -> Int? = x", &[]),
        ("fn f(x: Int?) -> Int = x as Int", &[]),
        ("fn f(xs: [String]?) -> [String] = for x in xs { x }", &["E0502"]),
        ("fn f(x: String?) -> String = \"{x}\"", &["E0319"]),
        ("fn f() -> [String?] = [\"a\", null]", &[]),
        ("fn f(a: Bool) -> Int? = if a { 1 } else { null }", &[]),
    ]);
}

#[test]
fn arguments_go_by_position_up_to_the_first_name() {
    let with =
        |call: &str| format!("fn f(a: Int, b: Int = 2) -> Int = a - b\nfn g(a: Int, b: Int) -> Int = {call}");
    table(&[
        (&with("f(a, b)"), &[]),
        (&with("f(b: b, a: a)"), &[]),
        (&with("f(b: 3, a)"), &[]),
        (&with("f(a, b: 3)"), &[]),
        (&with("f(a: 1, b)"), &[]),
        (&with("f(b: 3, 4)"), &["E0324"]),
        (&with("f(b: 3, b)"), &["E0307", "E0305"]),
        (&with("f(a: 1, a: 2)"), &["E0305"]),
        (&with("f(a, a: 2)"), &["E0305"]),
        (&with("f(c: 3, a)"), &["E0308"]),
        (&with("f(a, b, 3)"), &["E0307"]),
    ]);
}

#[test]
fn types_that_several_operations_bring_are_told_apart() {
    let chats = "use sn28 { chat_completions as gm }\nuse sn64 { chat_completions as chutes }\n";
    let with = |item: &str| format!("{chats}{item}");
    table(&[
        (&with("fn f(x: ChatCompletionsOutput) -> String = x.id"), &["E0215"]),
        (&with("fn f() -> Json = ChatCompletionsOutputUsage { total_tokens: 1 } as Json"), &["E0215"]),
        (&with("fn f() -> Json = ChatCompletionsInputMessagesItemRole.User as Json"), &["E0215"]),
        (&with("fn f() -> Json = User as Json"), &["E0316"]),
        (
            "use sn28 { chat_completions as gm, ChatCompletionsInputMessagesItemRole as Role }\n\
             use sn64 { chat_completions as chutes }\nfn f() -> Json = Role.User as Json",
            &[],
        ),
    ]);
    let found = crate::common::shown(&with("fn f() -> Json = User as Json"));
    assert!(
        found.contains("several imported operations bring a type `ChatCompletionsInputMessagesItemRole`"),
        "{found}"
    );
}

#[test]
fn casts_decode_or_narrow() {
    table(&[
        ("record R { a: Int }\nfn f(x: Json) -> R = x as R", &[]),
        ("enum E { A, B }\nfn f(x: String) -> E = x as E", &[]),
        ("enum E { A(Int) }\nfn f(x: String) -> E = x as E", &["E0309"]),
        ("enum E { A, B }\nenum F { B, C }\nfn f(x: E) -> F = x as F", &[]),
        ("enum E { A, B }\nenum F { C, D }\nfn f(x: E) -> F = x as F", &["E0309"]),
        ("enum E { A, B(Int) }\nenum F { B, C }\nfn f(x: E) -> F = x as F", &["E0309"]),
        ("fn f() -> [Json] = [{ a: [1, { b: null }] } as Json, {} as Json, [] as Json]", &[]),
        ("fn f(x: String) -> Url = x as Url", &[]),
        ("fn f(x: String) -> Time = x as Time", &[]),
        ("fn f(x: String) -> Int = x as Int", &["E0309"]),
        ("fn f(x: Int) -> Int(0..9) = x as Int(0..9)", &[]),
        ("fn f(x: Int(0..4)) -> Int(5..9) = x as Int(5..9)", &["E0309"]),
        ("fn f(x: Float) -> Int = x as Int", &["E0309"]),
        ("fn f(x: [String]) -> [Url](..3) = x as [Url](..3)", &[]),
        ("fn f(x: Url) -> String = x as String", &[]),
        ("fn f(x: Url) -> String = x", &["E0301"]),
        ("record R { a: Int }\nfn f(x: R) -> Json = x as Json", &[]),
        ("fn f(x: [Json]) -> [Int] = x.decode() as [Int]", &[]),
        ("fn f(x: [Json](..9)) -> [Int](..4) = x.decode() as [Int](..4)", &[]),
        ("fn f(x: [Int]) -> [Int] = x.decode() as [Int]", &["E0309"]),
        ("fn f(x: [Json]?) -> [Int]? = x?.decode() as [Int]", &[]),
        ("fn f(x: [Json]?) -> [Int] = x?.decode() as [Int] ?? []", &[]),
        ("fn f(x: [Json](..9)?) -> [Int](..4) = (x?.decode() as [Int](..4)) ?? []", &[]),
        ("fn f(x: [Json]) -> [Int] = x?.decode() as [Int]", &["W0904"]),
        ("fn f(x: [Json]?) -> [Int] = x.decode() as [Int]", &["E0309"]),
    ]);
}

#[test]
fn values_take_their_type_from_their_place() {
    table(&[
        ("enum S { A, B }\nfn f() -> S = A", &[]),
        ("enum S { A, B }\nfn f() -> [S] = [A, S.B]", &[]),
        ("enum S { A, B }\nfn f() -> Int = { let s = A\n 1 }", &["E0316"]),
        ("enum S { A, B }\nfn f(s: S) -> Bool = s == B", &[]),
        ("record R { a: Int, b: [String]? }\nfn f() -> R = ({ a: 1 })", &[]),
        ("fn f() -> {String: Int} = ({ a: 1, \"b c\": 2 })", &[]),
        ("fn f() -> {String: Int} = ({ \"a\": 1, \"a\": 2 })", &["E0305"]),
        ("fn f(n: Int) -> Json = ({ name: \"x\", list: [n, 2], inner: { a: null } })", &[]),
        ("fn f() -> Float = 1", &[]),
        ("fn f() -> Url = \"https://a.example/\"", &[]),
        ("fn f(u: Url) -> Bool = u == \"https://a.example/\"", &[]),
        ("fn f(u: Url) -> Bool = \"nope\" == u", &["E0320"]),
        ("fn f() -> String = \"{null}{[]}\"", &["E0319", "E0319"]),
        ("fn f() -> Result<Int, String> = Ok(1)", &[]),
        ("fn f() -> Int = { let r = Ok(1)\n 1 }", &["E0315"]),
        ("fn f() -> Time = \"2026-11-22T09:44:00Z\"", &[]),
        ("fn f(t: Time) -> Time = t + 4s", &[]),
        ("fn f(a: Amount) -> Amount = a * 2 + 0.01USD", &[]),
        ("fn f(a: Duration) -> Bool = a > 4s", &[]),
    ]);
}

#[test]
fn names_live_in_their_scope() {
    table(&[
        ("fn f(xs: [Int]) -> [Int] = xs.map(x => xs.map(x => x).len() + x)", &[]),
        ("fn f(xs: [Int]) -> Int = xs.map(y => y).len() + y", &["E0201"]),
        ("fn f(a: Bool) -> Int = { if a { let x = 1\n x } else { x } }", &["E0201"]),
        ("record Int { a: Bool }", &["E0202"]),
        ("record R { a: Bool }\nenum R { A }", &["E0202"]),
        ("fn f(a: Int, a: Int) -> Int = a", &["E0305"]),
        ("fn f() -> Int = 1\nplan f() -> Int { 1 }", &["E0202"]),
        ("use sn22 { web_search, web_search as web_search }", &["E0202"]),
        ("use cap { generate }\nuse cap { generate as g }\nfn f() -> Int = 1", &[]),
    ]);
}

#[test]
fn calls_and_policies_stand_where_they_may() {
    let plan = |body: &str| {
        format!(
            "use sn22 {{ web_crawl as crawl }}\nplan p(url: Url, n: Int = 2) -> String with {{ budget: 1USD, deadline: 5m }} {{\n{body}\n}}"
        )
    };
    table(&[
        (&plan("call crawl(url, format: \"html\") with { max_price: 0.1USD }"), &[]),
        (&plan("call crawl(url, format: \"pdf\") with { max_price: 0.1USD }"), &["E0301"]),
        (&plan("call crawl(url) with { max_price: 0.1USD, accept: t => t.len() }"), &["E0301"]),
        (&plan("call crawl(url) with { max_price: 0.1USD, retry: { max: n } }"), &["E0404"]),
        (&plan("call crawl(url) with { max_price: 0.1USD, retry: { max: 11 } }"), &["E0404"]),
        (&plan("call crawl(url) with { max_price: 0.01USD, retry: { max: 10 } }"), &["E0704"]),
        (&plan("call crawl(url) with { max_price: 0.1USD, retry: { backoff: 1s } }"), &["E0404"]),
        (
            &plan("call crawl(url) with { max_price: 0.1USD, retry: { max: 1, on: [timeout, cancelled] } }"),
            &["E0404"],
        ),
        (&plan("call crawl(url) with { max_price: 0.1USD, fallback: 3 }"), &["E0301"]),
        (&plan("call crawl(url) with { max_price: 0.1USD, concurrency: 3 }"), &["E0402"]),
        (&plan("call crawl(url) with { max_price: 0.1USD, budget: 1USD }"), &[]),
        (
            &plan(
                "let r = for i in [1, 2] with { concurrency: 0 } { call crawl(url) with { max_price: 0.1USD } }\nr.join(\"\")",
            ),
            &["E0404"],
        ),
        (&plan("if n > 1 { call crawl(url) with { max_price: 0.1USD } }\n\"done\""), &["W0903"]),
        (&plan("n + 1\n\"done\""), &["W0903"]),
        ("plan p(purse: Amount = 1USD) -> Int with { budget: purse, deadline: 5m } { 1 }", &[]),
        ("plan p(n: Int) -> Int with { budget: n, deadline: 5m } { 1 }", &["E0301"]),
        ("plan p(n: Int) -> Int with { budget: 1USD, deadline: n } { 1 }", &["E0404"]),
    ]);
}

#[test]
fn a_named_policy_sees_nothing_of_the_plan_that_uses_it() {
    let plan = |accept: &str| {
        format!(
            "use sn22 {{ web_crawl as crawl }}
policy web = {{ timeout: 4s, max_price: 0.004USD, accept: {accept} }}
fn good(text: String) -> Bool = text.len() > 3
plan p(url: Url, least: Int) -> String with {{ budget: 1USD, deadline: 1m }} {{ call crawl(url) with web }}
plan q(url: Url, least: Int) -> String with {{ budget: 1USD, deadline: 1m }} {{ call crawl(url) with web }}"
        )
    };
    table(&[
        (&plan("t => good(t)"), &[]),
        // Told once, though two calls use it.
        (&plan("t => t.len() > least"), &["E0201"]),
    ]);
}

#[test]
fn json_is_decoded_as_any_type_but_a_result() {
    let text = "fn f(j: Json) -> Result<Int, String> = j as Result<Int, String>";
    table(&[(text, &["E0309"])]);
    assert!(shown(text).contains("`as` decodes `Json` to any type but `Result`"), "{}", shown(text));
}

#[test]
fn every_type_of_a_file_has_a_value() {
    table(&[
        ("enum Nothing {}", &["E0214"]),
        ("enum Nothing {}\nfn f(n: Nothing) -> Int = match n {}", &["E0214"]),
        ("enum Tree { Branch(Tree) }", &["E0214"]),
        ("enum Tree { Left(Tree), Right(Tree) }", &["E0214"]),
        ("record Node { kids: [Node](1..) }", &["E0214"]),
        ("record Node { next: Result<Node, Node> }", &["E0214"]),
        ("record Node { edge: Edge }\nenum Edge { To(Node) }", &["E0214"]),
        ("record Node { next: Link }\nenum Link { End, To(Node) }", &[]),
        ("record Node { next: Result<Node, String> }", &[]),
        ("record Node { kids: [Node], names: {String: Node}, next: Node? }", &[]),
        ("enum Tree { Leaf, Branch(Tree) }", &[]),
        // Only what is the reason is told, not what holds it.
        ("record Node { next: Node }\nrecord List { first: Node }\nenum Some { One(List) }", &["E0214"]),
    ]);
}

#[test]
fn a_record_of_the_library_is_described_to_callers() {
    let text =
        "plan p(xs: [Int](..3)) -> [[Pair<Int, Int>](..3)](2..2) { [xs.zip(xs), xs.zip(xs.reverse())] }
plan q(a: Pair<Int, Int>, m: {String: Int}) -> Result<[Entry<Int>], Entry<Int>> { Ok(m.entries()) }\n";
    let compilation = compiled(text);
    assert_eq!(compilation.diagnostics, [], "{}", shown(text));
    let (plan, _) = compilation.plan("q").unwrap();
    let schema = schema::json_schema::to_json_schema(&plan.body.output, &plan.body.types);
    assert_eq!(schema["$defs"]["Entry"]["required"], serde_json::json!(["key", "value"]), "{schema}");
    assert!(schema.to_string().contains("\"#/$defs/Entry\""), "{schema}");
}
