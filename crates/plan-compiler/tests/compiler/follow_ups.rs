//! One mistake is told once: what follows from it is silent.

use crate::common::{codes, compiled, shown};
use crate::rules::table;

#[test]
fn one_mistake_is_one_message() {
    table(&[
        ("fn f(x: Missing) -> Int = x.field.other + 1", &["E0204"]),
        ("fn f() -> Int = { let x = missing\n let y = x + 1\n y * x.len() }", &["E0201"]),
        ("fn f(xs: [Int]) -> Int = xs.map(x => x.nothing).filter(y => y > 1).len()", &["E0304"]),
        ("record R { a: Missing }\nfn f(r: R) -> Int = r.a + 1", &["E0204"]),
        (
            "use sn22 { nope_search as search }\nplan p() -> Int with { budget: 1USD, deadline: 1m } {\n let r = call search(query: \"a\") with { max_price: 1USD }\n r.data.len()\n}",
            &["E0205"],
        ),
        (
            "use sn22 { nope_search as search, NopeSearchOutputDataItem as Hit }\nfn f(h: Hit) -> String = h.title",
            &["E0205"],
        ),
        ("use sn997 { a, b, Hit }\nuse sn998 { c as d }\nfn f(h: Hit) -> String = h.title", &["E0205"]),
        ("use sn997 { a }\nuse sn22 { nope }", &["E0205", "E0205"]),
        ("fn f(x: Int?) -> Int = match x { null => missing, n => n }", &["E0201"]),
        ("enum E { A, B }\nfn f(e: E) -> Int = match e { A => 1, C => 2 }", &["E0316"]),
        ("plan p() -> Int { run missing(1).len() }", &["E0209"]),
        (
            "policy p = { timeout: 4, timout: 3s }\nuse sn22 { web_crawl }\nplan q(url: Url) -> String with { budget: 1USD, deadline: 1m } { call web_crawl(url) with p }",
            &["E0404", "E0401"],
        ),
    ]);
}

/// What hangs on a value that is not known is not known, and no second mistake.
#[test]
fn what_follows_from_an_unknown_value_is_silent() {
    let of_names = [
        "fn f(x: String(..9)) -> String(..9) = \"{x}{y}\"",
        "fn f(x: String(..9)) -> String(..9) = \"Hello {x.nam}\"",
        "fn f(xs: [Int](..9)) -> [String(..3)](..9) = xs.map(x => \"{y}\")",
        "fn f(xs: [Int](..9)) -> [[Int](..3)](..3) = xs.chunks(y)",
        "fn f(a: Int?) -> Int = a + y",
        "fn f(a: Int?) -> Int = y * a",
        "fn f(a: Int) -> Int = a.len",
    ];
    for text in of_names {
        assert_eq!(codes(text).len(), 1, "{}", shown(text));
    }
    let mock = |answer: &str| {
        format!("use sn22 {{ web_search as search }}\ntest \"a\" {{\n  mock search => {answer}\n}}\n")
    };
    for (answer, found) in [("[{ title: \"a\" }]", "a list"), ("[Good]", "a list"), ("[1]", "`[Int]`")] {
        let text = mock(answer);
        assert_eq!(codes(&text), ["E0301"], "{}", shown(&text));
        let message = &compiled(&text).diagnostics[0].message;
        assert_eq!(*message, format!("the answer of this mock must be `WebSearchOutput`, not {found}"));
    }
    // `?.` is no second mistake of a member that is not there.
    table(&[
        ("record R { a: Int }\nfn f(r: R) -> Int = r?.b", &["E0304"]),
        ("record R { a: Int }\nfn f(r: R) -> Int = r?.b()", &["E0306"]),
        ("record R { a: Int }\nfn f(r: R) -> Int = r?.a", &["W0904"]),
        ("fn f(s: String) -> Int = s?.len()", &["W0904"]),
    ]);
}

/// What hangs on an import that failed is not known, and nothing is said of it.
#[test]
fn one_wrong_import_is_one_mistake() {
    let rest = "enum Mood { Good, Bad(Int) }
policy web = { timeout: 4s, max_price: 0.01USD }
record R { v: Verdict, mood: Mood }
fn seen(v: Verdict) -> Bool = v.isAI && match v.level { Low => true, High(x) => x > 1, _ => false }
fn made() -> Verdict = Verdict { isAI: true, mood: Good, xs: [], none: null, inner: { a: Bad(1) } }
plan p(q: String(..100)) -> R with { budget: 1USD, deadline: 1m } {
  let found = call search(query: q, mood: Good, moods: [Good, Bad(3)], none: null, xs: [], e: { a: Good }) with web
  let chosen = call search(mood: if q == \"\" { Good } else { Bad(1) }) with web { accept: a => a.mood == Good }
  let a = match found { Good(n) => 1, Bad => 2, null => 3, \"x\" => 4, Low(High(x)) => x, 4s => 6 }
  let b = match found.kind { Ok(x) => x, Err(NoQuorum(votes)) => votes, _ => null }
  let c = match try call search(query: q) with web { Ok(v) => v.data, Err(e) => [] }
  let d = found.data.filter(x => x.mood == Good).with_default(Good)
  let e = found.mood ?? Good
  let f = if found.ok { null } else { found.x }
  let g = [null, found.x]
  ensure found.ok && chosen.mood == Bad(1) else \"{a}{b}{c}{d}{e}{f}{g}\"
  return R { v: found.v, mood: found.mood }
}
test \"x\" {
  mock search => { data: [], mood: Good, none: null, inner: { a: Bad(1) } }
  let r = run p(q: \"a\")
  assert r.v.level == Low
  assert calls(search) == 1
}
";
    for (operation, code) in [
        ("use sn22 { web_serch as search }", "E0205"),
        ("use cap { web_serch as search }", "E0207"),
        ("use sn022x { web_search as search }", "E0206"),
    ] {
        let text = format!("{operation}\nuse sn34 {{ DetectImagOutput as Verdict }}\n{rest}");
        table(&[(&text, &[code])]);
    }
    let uses = "use sn34 { DetectImagOutput as Verdict }\nfn f(v: Verdict?) -> Int = match v { null => 1, Low(x) => x, v => v.x.y }";
    table(&[(uses, &["E0204"])]);
}
