//! Texts that repeat one part: what the language has, in places where it belongs and where it does not, and what the
//! generator once found.

use plan_compiler::MEMBERS_MAX;

/// A text of any size.
pub(crate) struct Part {
    /// Once.
    pub(crate) head: &'static str,
    /// As often as a declaration may have members, and what ends them; nothing where empty.
    pub(crate) members: (&'static str, &'static str),
    /// As often as fits; `@` is a number that counts.
    pub(crate) unit: &'static str,
    /// What stands between so many of it and the next; `@` is the number of those before.
    pub(crate) between: Option<(usize, &'static str)>,
    /// Once.
    pub(crate) tail: &'static str,
}

impl Part {
    /// A text of at most `size` bytes.
    pub(crate) fn text(&self, size: usize) -> String {
        let (member, end) = self.members;
        let members = if member.is_empty() { 0 } else { MEMBERS_MAX };
        let members: String = (0..members).map(|at| numbered(member, at)).collect();
        let mut text = format!("{}{members}{end}", self.head);
        for count in 0.. {
            let mut unit = numbered(self.unit, count);
            if let Some((group, between)) = self.between
                && count > 0
                && count % group == 0
            {
                unit.insert_str(0, &numbered(between, count));
            }
            if text.len() + unit.len() + self.tail.len() > size {
                break;
            }
            text.push_str(&unit);
        }
        text + self.tail
    }

    /// How it begins, as far as that tells it from the others.
    pub(crate) fn beginning(&self) -> String {
        format!("{}{}", self.head, self.members.0)
    }
}

fn numbered(text: &str, number: usize) -> String {
    text.replace('@', &number.to_string())
}

const fn part(head: &'static str, unit: &'static str, tail: &'static str) -> Part {
    Part { head, members: ("", ""), unit, between: None, tail }
}

/// The same behind a declaration with as many members as there may be.
const fn of_many(
    head: &'static str,
    members: (&'static str, &'static str),
    unit: &'static str,
    tail: &'static str,
) -> Part {
    Part { head, members, unit, between: None, tail }
}

/// Plans with so many of a statement each, of operations and capabilities that are pinned: a plan has at most
/// [`schema::limits::PLAN_NODES_MAX`] nodes.
const fn plans(count: usize, unit: &'static str) -> Part {
    Part { head: PINNED_PLAN, members: ("", ""), unit, between: Some((count, NEXT_PLAN)), tail: "1\n}\n" }
}

/// The same with a budget and a deadline that no plan keeps to.
const fn over(count: usize, unit: &'static str) -> Part {
    Part { head: OVER_PLAN, members: ("", ""), unit, between: Some((count, NEXT_OVER)), tail: "1\n}\n" }
}

macro_rules! pinned {
    ($($text:expr),*) => {
        concat!("use sn22 { web_crawl as f, health }\nuse cap { web_search }\npolicy m = { max_price: 0.01USD }\npolicy o = { max_price: 0.01USD, budget: 0.005USD }\n", $($text),*)
    };
}

macro_rules! of_pinned {
    ($name:literal, $policy:literal) => {
        concat!(
            "plan ",
            $name,
            "(url: Url, xs: [Url](..9), q: String(1..100)) -> Int with { ",
            $policy,
            " } {\n"
        )
    };
}

const PINNED_PLAN: &str = pinned!(of_pinned!("p", "budget: 1000USD, deadline: 7d"));
const NEXT_PLAN: &str = concat!("1\n}\n", of_pinned!("p@", "budget: 1000USD, deadline: 7d"));
const OVER_PLAN: &str = pinned!(of_pinned!("p", "budget: 0.001USD, deadline: 1s"));
const NEXT_OVER: &str = concat!("1\n}\n", of_pinned!("p@", "budget: 0.001USD, deadline: 1s"));

const PLAN: &str = "plan p(xs: [Int](..9), x: Int) -> Int {\n";

/// As many open brackets as there may be, nearly.
const NESTED: &str = "fn f() -> Int = [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1";

pub(crate) const PARTS: &[Part] = &[
    // What is right, in great numbers.
    part("", "// c\n", ""),
    part("", " ", ""),
    part("", "\n", ""),
    part("", "fn f@(x: Int(0..9)) -> Int(0..18) = x * 2\n", ""),
    part("", "fn f@(x: Int) -> Int = f@(x)\n", ""),
    part("", "record R@ { a: Int, b: [R@]? }\n", ""),
    part("", "enum E@ { A, B(E@), C(Int) }\n", ""),
    part("", "fn f@(e: CallError<Int(@..@)>) -> Int = 1\n", ""),
    part("", "fn f@(e: [Int(@..@)](..2)) -> Int = e.zip(e).len()\n", ""),
    part("", "policy p@ = { timeout: 4s }\n", ""),
    part("", "plan p@(x: Int(0..9)) -> Int { x + 1 }\n", ""),
    part("", "test \"t@\" { assert 1 == 1 }\n", ""),
    part("", "use sn@ { a }\n", ""),
    part("record R {\n", "  /// d\n  a@: Int,\n", "}\n"),
    part("fn f(", "a@: Int, ", ") -> Int = 1\n"),
    part(PLAN, "let v@ = x + @\n", "1\n}\n"),
    part(PLAN, "let v@ = xs.map(y => y * 2).filter(y => y > @)\n", "1\n}\n"),
    part(PLAN, "ensure x > @ else \"no {x}\"\n", "1\n}\n"),
    part("fn f() -> [Int] = [", "1, ", "]\n"),
    // Much to say of one line.
    part("fn f() -> [Int] = [", "no@, ", "]\n"),
    part("fn f(x: Bool) -> Int = match x { ", "true => @, ", "false => 0 }\n"),
    part("fn f() -> [[Int]] = [", "[@], ", "]\n"),
    part("fn f(x: Int) -> String = \"", "{x} ", "\"\n"),
    part("fn f(x: Int) -> String = \"\"\"\n", "  {x} a\n", "  \"\"\"\n"),
    part("fn f(x: Int) -> Int = ", "if x == @ { 1 } else ", "{ 2 }\n"),
    part("fn f(x: Int) -> Int = match x {\n", "  @ => 1,\n", "  _ => 2,\n}\n"),
    part("fn f(x: String) -> Int = match x {\n", "  \"@\" => 1,\n", "  _ => 2,\n}\n"),
    part("test \"t\" {\n", "mock f@ => @\n", "}\n"),
    part("test \"t\" {\nmock f => sequence [", "after 1s \"a\", ", "]\n}\n"),
    // Rows without a bracket.
    part("fn f(x: Int) -> Int = x", " + x", "\n"),
    part("fn f(x: Int) -> Int = ", "-", "1\n"),
    part("fn f(x: Int) -> Int = x", ".y", "\n"),
    part("fn f(x: Int) -> Int = x", "?.y", "\n"),
    part("fn f(x: Int) -> Int = x", ".trim()", "\n"),
    part("fn f(x: Int) -> Int = x", " ?? x", "\n"),
    part("fn f(x: Int) -> Int = x", " as Int", "\n"),
    part("fn f(x: Int) -> Int = x", "[0]", "\n"),
    part("fn f(x: Int) -> Int = ", "x => ", "1\n"),
    part("fn f(x: Int) -> Bool = x", " < x", "\n"),
    part(PLAN, "for x in ", "xs { x }\n}\n"),
    part(PLAN, "return ", "1\n}\n"),
    part(PLAN, "let x = ", "1\n}\n"),
    part(PLAN, "ensure ", "1\n}\n"),
    part(PLAN, "call f(a: 1) with ", "p\n}\n"),
    part("fn f() -> ", "A<", "\n"),
    part("use a", ".b", " { c }\n"),
    // Brackets and quotes.
    part("fn f() -> Int = ", "(", "1\n"),
    part("", ")", ""),
    part("", "\"", ""),
    part("", "\"\"\"", ""),
    part("", "\"{", ""),
    part("", "{", ""),
    part("", "}", ""),
    part("", "([{", ""),
    part("fn f() -> String = \"", "{}", "\"\n"),
    part("fn f() -> String = \"", "}", "\"\n"),
    part("fn f() -> String = \"", "\\q", "\"\n"),
    part("fn f() -> String = \"", "\\u{", "\"\n"),
    part("fn f() -> Int = {\n", "\"x\n", "}\n"),
    part("fn f() -> Int = {\n", "\"\"\"x\n", "}\n"),
    // Long gaps where every bracket could go on.
    part(NESTED, " ", "2\n"),
    part(NESTED, "// c\n", "2\n"),
    // Mistakes, each on a line of its own.
    part("", "x\n", ""),
    part("", "/// d\n", ""),
    part("", "/// d\n// c\n", ""),
    part("", "/// d\n\nx\n", ""),
    part("", "fn\n", ""),
    part("", "plan p(\n", ""),
    part("", "record R {\n", ""),
    part("", "edition 2026\n", ""),
    part(PLAN, "a b\n", "}\n"),
    part(PLAN, "/// d\n", "}\n"),
    part(PLAN, "let\n", "}\n"),
    part(PLAN, "x = @\n", "}\n"),
    part(PLAN, "else { 1 }\n", "}\n"),
    part(PLAN, "if x { 1 }\n", "}\n"),
    part(PLAN, "match x {\n", "}\n"),
    part(PLAN, "call g@(a: 1)\n", "}\n"),
    part(PLAN, "run q@()\n", "}\n"),
    part(PLAN, "y@\n", "}\n"),
    part(PLAN, "x.foo@()\n", "}\n"),
    part(PLAN, "(((\n", "}\n"),
    part(PLAN, ")))\n", "}\n"),
    part("record R {\n", "a: Int\n", "}\n"),
    part("record R {\n", "a@ b\n", "}\n"),
    part("record R {\n", "a: Int,\n", "}\n"),
    part("enum E {\n", "a\n", "}\n"),
    part("fn f(\n", "a\n", ") -> Int = 1\n"),
    part("policy p = {\n", "timeot@: 4s,\n", "}\n"),
    part("policy p = {\n", "retry: {\n", "}\n"),
    part("policy p = { retry: {\n", "mx@: 4,\n", "} }\n"),
    part("policy p = { only: [", "sn22.a@, ", "] }\n"),
    part(PLAN, "call f(a: 1) with p@\n", "}\n"),
    part("fn g(a: Int) -> Int = a\nfn f() -> Int = g(", "b@: 1, ", ")\n"),
    part("fn g(a: Int) -> Int = a\nfn f() -> Int = g(", "1, ", ")\n"),
    part("plan q(a: Int(0..9)) -> Int { a }\nplan p() -> Int { run q(", "b@: 1, ", ") }\n"),
    part("record R { a: Int }\nfn f() -> R = R { ", "b@: 1, ", "}\n"),
    part("record R { a: Int }\nfn f() -> R = R { ", "a: 1, ", "}\n"),
    part("record R { ", "a@: Int, ", "}\nfn f() -> R = R {}\n"),
    part("enum E { ", "A@, ", "}\nfn f(e: E) -> Int = match e { }\n"),
    part("enum E { A, B }\nfn f(e: E) -> Int = match e {\n", "  E.C@ => 1,\n", "}\n"),
    part("fn f(x: Int) -> Int = match x {\n", "  a@ => 1,\n", "}\n"),
    part("record R { ", "a@: T@, ", "}\n"),
    part("fn f() -> String = \"", "{y@} ", "\"\n"),
    part("fn f() -> {String: Int} = {", "\"a@\": 1, ", "}\n"),
    part("fn f() -> {String: Int} = {", "\"a\": 1, ", "}\n"),
    part("test \"t\" {\n", "assert a@ == 1\n", "}\n"),
    part("use sn22 {\n", "x@,\n", "}\n"),
    part("", "use sn22 { web_search as a@ }\n", ""),
    part("", "use cap { c@ }\n", ""),
    part("capability c(", "a@: Int, ", ") -> Int\n"),
    part("", "adapter sn22.x@ as c { request = {} }\n", ""),
    part("adapter sn22.x as c {\n", "m@ = 1\n", "}\n"),
    of_many("record R { ", ("a@: Int, ", "}\nfn f() -> R = R { "), "b@: 1, ", "}\n"),
    of_many("record R { ", ("a@: Int, ", "}\nfn f(r: R) -> Int = 1"), " + r.b@", "\n"),
    of_many("record R { ", ("a@: Int, ", "}\nfn f(r: R) -> [Int] = ["), "r.b@, ", "]\n"),
    of_many("fn g(", ("a@: Int, ", ") -> Int = 1\nfn f() -> Int = g("), "b@: 1, ", ")\n"),
    of_many("enum E { ", ("A@, ", "}\nfn f(e: E) -> Int = match e {\n"), "E.B@ => 1,\n", "}\n"),
    of_many("enum E { ", ("A@(Int), ", "}\nfn f() -> [E] = ["), "E.B@(1), ", "]\n"),
    of_many("", ("fn g@() -> Int = 1\n", ""), "fn f() -> Int = h@()\n", ""),
    of_many("", ("fn g@() -> Int = 1\n", "fn f() -> [Int] = ["), "h@(), ", "]\n"),
    of_many("", ("record R@ { a: Int }\n", "fn f() -> [Int] = ["), "S@ { a: 1 }, ", "]\n"),
    of_many("", ("policy p@ = { timeout: 4s }\n", "plan p() -> Int {\n"), "call f(a: 1) with q@\n", "}\n"),
    of_many("plan p() -> Int {\n", ("let a@ = 1\n", ""), "b@\n", "}\n"),
    of_many("use sn22 { ", ("x@, ", "}\nplan p() -> Int {\n"), "call y@(a: 1)\n", "}\n"),
    part("use sn22 {\n", "x.y\n", "}\n"),
    // Calls of what is pinned, with bounds and without.
    plans(9_000, "call health()\n"),
    plans(9_000, "call f(url)\n"),
    plans(9_000, "call f(url) with m\n"),
    plans(9_000, "call f(url) with o\n"),
    plans(9_000, "let a@ = call f(url) with m\n"),
    plans(9_000, "let a@ = try call f(url) with m\n"),
    plans(9_000, "call f(url) with { max_price: 0.01USD, budget: 0.005USD }\n"),
    plans(9_000, "call f(url) with { max_price: 0.01USD, fallback: call f(url) with o }\n"),
    plans(
        2_000,
        "call f(url) with { max_price: 0.01USD, retry: { max: 3 }, hedge: { after: 1s }, cache: 1h }\n",
    ),
    plans(4_500, "let a@ = call health()\nlet b@ = [a@, a@].len()\n"),
    plans(2_000, "call web_search(query: q)\n"),
    plans(2_000, "call web_search(query: q) with o\n"),
    plans(2_000, "call web_search(query: q) with { max_price: 0.01USD, only: [sn22] }\n"),
    plans(2_000, "for x in xs { call f(url: x) with m }\n"),
    plans(2_000, "for x in xs with { budget: 0.005USD } { call f(url: x) with m }\n"),
    plans(2_000, "for x in xs with { budget: 0.001USD, tolerate: 100% } { call f(url: x) with o }\n"),
    plans(30, "for x in xs { for y in xs { for z in xs { call f(url: x) with o } } }\n"),
    plans(4_500, "for x in [q, q, q] { call health() }\n"),
    plans(1_600, "if q == \"@\" { call f(url) with o } else { call f(url) with o }\n"),
    over(9_000, "call f(url) with m\n"),
    over(9_000, "call f(url) with o\n"),
    over(2_000, "call f(url) with { max_price: 0.01USD, timeout: 1h, retry: { max: 9 } }\n"),
    over(2_000, "for x in xs with { budget: 0.001USD } { call f(url: x) with m }\n"),
    part(pinned!("plan p(xs: [Url]) -> Int {\n"), "for x in xs { call f(url: x) with m }\n", "1\n}\n"),
    part(pinned!("plan p(url: Url) -> Int {\n"), "run p(url)\n", "1\n}\n"),
    of_many(
        pinned!("plan s(url: Url) -> Int {\n"),
        ("call f(url) with m\n", "1\n}\n"),
        "plan p@(url: Url) -> Int { run s(url) }\n",
        "",
    ),
    of_many(
        pinned!(
            "plan s(url: Url, b: Amount) -> Int with { budget: b } { call f(url) with m\n1 }\nplan t(url: Url) -> Int {\n"
        ),
        ("run s(url, b: 0.001USD)\n", "1\n}\n"),
        "plan p@(url: Url) -> Int { run t(url) }\n",
        "",
    ),
    of_many(
        pinned!("plan s(url: Url) -> Int {\n"),
        ("call f(url) with m\n", "1\n}\n"),
        "test \"t@\" {\nmock f => fails timeout\nlet x = run s(url: \"https://a.b\")\nassert x == 1\n}\n",
        "",
    ),
    part("fn f(x: Int) -> Int = match x {\n", "1 -> 2\n", "}\n"),
    // Found by the generator.
    part(PLAN, ": d\n@", "}\n"),
    part("record R {\nin ..\"\"\"\n", "/// d\n// c\n", "}\n"),
];
