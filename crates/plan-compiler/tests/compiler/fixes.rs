//! Fixes: each removes what it is offered for, and all safe ones together give a text that can be read.

use std::collections::HashMap;

use plan_compiler::{Fixed, Left, Options, Source, fix};
use plan_lang::{Applicability, Diagnostic, parse};

use crate::common::{codes, compiled, lock};
use crate::pages::{all_codes, failing};
use crate::robust::{PLANS, one_in, tokens};

fn fixed(text: &str) -> Fixed {
    fix(&Source { name: "test.orch", text }, lock(), &Options::default())
}

fn syntax_errors(text: &str) -> usize {
    parse(text).diagnostics().iter().filter(|found| found.is_error()).count()
}

#[test]
fn every_fix_removes_what_it_is_for() {
    let (mut safe, mut others) = (0, 0);
    for code in all_codes() {
        let Some(text) = failing(code) else { continue };
        let found = compiled(&text).diagnostics;
        let of_code = |found: &[Diagnostic]| found.iter().filter(|found| found.code == code).count();
        for fix in found.iter().filter_map(|found| found.fix.as_ref()) {
            let fixed = fix.apply(&text).unwrap();
            let left = compiled(&fixed).diagnostics;
            assert!(syntax_errors(&fixed) <= syntax_errors(&text), "{code}: {}\n{fixed}", fix.message);
            assert!(of_code(&left) < of_code(&found), "{code}: {}\n{left:#?}", fix.message);
            let is_safe = fix.applicability == Applicability::Safe;
            assert!(!is_safe || left.len() < found.len(), "{code}: {}\n{left:#?}", fix.message);
            *(if is_safe { &mut safe } else { &mut others }) += 1;
        }
    }
    assert!(safe >= 8 && others >= 20, "{safe} safe and {others} other fixes");
}

#[test]
fn fixing_is_done_when_it_is_done() {
    let mut changed = 0;
    for text in PLANS {
        for token in tokens(text).into_iter().step_by(one_in(40)) {
            for other in ["", ";", ":", "=", "=="] {
                let mut broken = text.to_owned();
                broken.replace_range(token.clone(), other);
                let once = fixed(&broken);
                if once.applied.is_empty() {
                    assert_eq!(once.text, broken);
                    continue;
                }
                changed += 1;
                assert!(
                    syntax_errors(&once.text) <= syntax_errors(&broken),
                    "{broken}\n-----\n{}",
                    once.text
                );
                assert!(
                    once.compilation.diagnostics.len() < compiled(&broken).diagnostics.len()
                        || syntax_errors(&once.text) < syntax_errors(&broken)
                );
                let twice = fixed(&once.text);
                assert!(
                    twice.applied.is_empty() && twice.left == once.left,
                    "{broken}\n-----\n{}",
                    twice.text
                );
            }
        }
    }
    assert!(changed > 6, "{changed}");
}

/// A word that is misspelt, in upper case for lower or forgotten anywhere in a plan: no fix that is offered makes a text
/// that is harder to read, and nearly all of them leave fewer mistakes.
#[test]
fn no_fix_breaks_a_text() {
    let (mut tried, mut idle) = (0, Vec::new());
    // Most fixes lead back to the plan as it was.
    let mut known: HashMap<String, Read> = HashMap::new();
    for text in PLANS {
        for token in tokens(text).into_iter().step_by(one_in(3)) {
            for slip in slips(&text[token.clone()]) {
                let mut broken = text.to_owned();
                broken.replace_range(token.clone(), &slip);
                let Read { syntax_errors, diagnostics: found } = Read::of(&broken);
                for (found_for, fix) in found.iter().filter_map(|found| Some((found, found.fix.as_ref()?))) {
                    let fixed = fix.apply(&broken).unwrap();
                    let read = known.entry(fixed).or_insert_with_key(|fixed| Read::of(fixed));
                    let shown = || format!("{found_for:?}\n{}", fix.apply(&broken).unwrap());
                    assert!(read.syntax_errors <= syntax_errors, "{}", shown());
                    tried += 1;
                    let left = &read.diagnostics;
                    let same = |all: &[Diagnostic]| {
                        all.iter()
                            .filter(|one| (one.code, &one.message) == (found_for.code, &found_for.message))
                            .count()
                    };
                    if left.len() >= found.len() && same(left) >= same(&found) {
                        idle.push(shown());
                    }
                }
            }
        }
    }
    assert!(tried > 300 && idle.is_empty(), "{} of {tried}\n{}", idle.len(), idle.join("\n"));
}

/// What there is to say of a text.
struct Read {
    syntax_errors: usize,
    diagnostics: Vec<Diagnostic>,
}

impl Read {
    fn of(text: &str) -> Self {
        let diagnostics = compiled(text).diagnostics;
        let of_syntax = |found: &&Diagnostic| found.is_error() && found.code.as_str().starts_with("E01");
        let syntax_errors = diagnostics.iter().filter(of_syntax).count();
        Self { syntax_errors, diagnostics }
    }
}

fn slips(word: &str) -> Vec<String> {
    let mut letters: Vec<char> = word.chars().collect();
    let mut slips = vec![String::new()];
    if letters.len() > 1 && letters[0].is_alphabetic() {
        let other: String = if letters[0].is_uppercase() {
            word.to_lowercase()
        } else {
            word[..1].to_uppercase() + &word[1..]
        };
        slips.extend([other, format!("{word}s")]);
        letters.remove(letters.len() / 2);
        slips.push(letters.into_iter().collect());
    }
    slips.retain(|slip| slip != word);
    slips
}

#[test]
fn what_cannot_be_mended_is_in_nobodys_way() {
    let text = "fn f(x: Int) -> Int x\nfn g(x: Int) -> Int = (x\nfn h(x: Bool(1..2)) -> Int = 1\n";
    let mended = fixed(text);
    assert_eq!(mended.text, "fn f(x: Int) -> Int = x\nfn g(x: Int) -> Int = (x\nfn h(x: Bool) -> Int = 1\n");
    assert_eq!((mended.applied.len(), mended.left, mended.compilation.diagnostics.len()), (2, None, 1));
    let beside = fixed("policy w = { timeout: $4 }\npolicy v = { timeout: 4sec }\n");
    assert_eq!(beside.text, "policy w = { timeout: $4 }\npolicy v = { timeout: 4s }\n");
}

/// What a range was to keep out comes in without it, which the author decides.
#[test]
fn a_range_that_a_type_cannot_have_is_not_removed_unasked() {
    for ty in [
        "Amount(..1USD)",
        "Duration(0s..5s)",
        "Url(..50)",
        "Json(..5)",
        "{String: Int}(..5)",
        "Result<Int, Int>(..5)",
        "Voted<Int>(..5)",
        "R(..5)",
    ] {
        let text = format!("record R {{ a: Int }}\nfn f(a: {ty}) -> Int = 1\n");
        let left = fixed(&text);
        assert_eq!(left.text, text);
        let [found] = &left.compilation.diagnostics[..] else { panic!("{}", crate::common::shown(&text)) };
        let fix = found.fix.as_ref().unwrap();
        assert_eq!((found.code.as_str(), fix.applicability), ("E0318", Applicability::Unsafe), "{text}");
        assert_eq!(codes(&fix.apply(&text).unwrap()), Vec::<&str>::new(), "{text}");
    }
}

/// More mistakes than are reported at once, in one declaration.
#[test]
fn many_fixes_are_all_made() {
    let lets = |unit: &str, count: usize| -> String {
        (0..count).map(|at| format!("  let a{at} = 4{unit}\n")).collect()
    };
    let text = |unit: &str| format!("plan p() -> Int {{\n{}  1\n}}\n", lets(unit, 1_500));
    let mended = fixed(&text("sec"));
    assert_eq!((mended.applied.len(), mended.left), (1_500, None));
    assert_eq!(mended.text, text("s"));
}

#[test]
fn one_fix_may_uncover_the_next() {
    let text = "fn f(x: Int): Int x\n";
    let mended = fixed(text);
    assert_eq!(mended.text, "fn f(x: Int) -> Int = x\n");
    let codes: Vec<_> = mended.applied.iter().map(|fix| fix.diagnostic.code.as_str()).collect();
    assert_eq!(codes, ["E0114", "E0111"]);
    assert_eq!((mended.applied[1].at.line, mended.applied[1].at.column), (0, 19));
}

/// What broken syntax hides is no mistake of the fix; what is wrong where it wrote is.
#[test]
fn a_fix_makes_no_mistake_of_its_own() {
    let uncovering = fixed("fn f(x: Int) -> Int x + missing + gone\n");
    assert_eq!(uncovering.text, "fn f(x: Int) -> Int = x + missing + gone\n");
    assert_eq!((uncovering.applied.len(), uncovering.uncovered, uncovering.left), (1, 2, None));
    let seen = fixed("fn f(x: Int) -> Int x\nfn g() -> Int = \"a\"\n");
    assert_eq!((seen.applied.len(), seen.uncovered), (1, 0));
    // A `:` makes a named argument of what was compared, and methods have none.
    for text in [
        "fn f(a: String, b: String) -> Bool = a.contains(b=b.folded())\n",
        "fn f(a: Int, b: Int) -> Bool = g(a=b)\nfn g(x: Bool) -> Bool = x\n",
        "fn f(a: [Int], b: Bool) -> Int = if b=is_empty() { 1 } else { 2 }\n",
    ] {
        let found = compiled(text).diagnostics;
        assert!(
            found
                .iter()
                .any(|found| found.fix.as_ref().is_some_and(|fix| fix.applicability == Applicability::Safe)),
            "{text}"
        );
        let left = fixed(text);
        assert_eq!((left.text.as_str(), left.left, left.uncovered), (text, Some(Left::NoBetter), 0));
    }
    // Beside one that is made.
    let beside =
        fixed("fn f(a: String, b: String) -> Bool = a.contains(b=b.folded())\nfn g(x: Int) -> Int x\n");
    assert!(beside.text.ends_with("(b=b.folded())\nfn g(x: Int) -> Int = x\n"), "{}", beside.text);
}

#[test]
fn layout_is_kept_unless_it_was_in_style() {
    let in_style = "fn f(x: Bool(1..2)) -> Int = if x { 1 } else { 2 }\n";
    assert_eq!(fixed(in_style).text, "fn f(x: Bool) -> Int = if x { 1 } else { 2 }\n");
    let long = format!(
        "plan p({}: Bool(1..2), {}: Bool) -> Int {{\n  return 1\n}}\n",
        "first".repeat(8),
        "second".repeat(7)
    );
    let laid_out = plan_lang::format(&long).unwrap();
    let mended = fixed(&laid_out).text;
    assert_eq!(plan_lang::format(&mended).unwrap(), mended);
    let loose = "fn f( x:Bool(1..2) )->Int=1\n";
    assert_eq!(fixed(loose).text, "fn f( x:Bool )->Int=1\n");
}

/// What is offered, where the nearest change would compile no better or mean something else.
#[test]
fn a_fix_is_what_was_meant() {
    let asks = |ty: &str, policy: &str| {
        format!(
            "use cap {{ generate }}\nplan p(q: String(1..9)) -> Int with {{ budget: 1USD, deadline: 1m }} {{\n  let a: {ty} = call generate(prompt: q){policy}\n  1\n}}"
        )
    };
    let policy = " with { max_price: 0.1USD }";
    for (text, from, to) in [
        ("fn f() -> Duration = \"4s\"".to_owned(), "\"4s\"", "4s"),
        ("fn f() -> Amount = \"0.02USD\"".to_owned(), "\"0.02USD\"", "0.02USD"),
        ("fn f() -> String = \"\\u0041b\"".to_owned(), "\\u0041", "\\u{0041}"),
        (asks("Int(0..9)", policy), " with { max", " as Int(0..9) with { max"),
        (asks("[String](..3)", policy), " with { max", " as [String](..3) with { max"),
        (
            "plan p() -> Int { 1 }\ntest \"a\" {\n  expect fail run p()\n}".to_owned(),
            "expect fail run",
            "expect fails run",
        ),
        ("fn f() -> Int = {\n  x := 3\n  x\n}".to_owned(), "x := 3", "let x = 3"),
        (
            asks("String", policy).replace("(prompt: q)", "({ prompt: q }) as String"),
            "{ prompt: q }",
            "prompt: q",
        ),
        ("fn f(query: String) -> String = \"about query}\"".to_owned(), "query}", "{query}"),
        ("fn f(xs: [Int]) -> Int = xs.lenght()".to_owned(), "lenght", "len"),
        ("policy w = { prefer: \"cheapest\" }".to_owned(), "\"cheapest\"", "cheapest"),
        ("policy w = { timeout: \"4s\" }".to_owned(), "\"4s\"", "4s"),
        // A field that is written by its name alone gets a value of its own.
        (
            "record R { name: String(..3) }\nfn f(name: String) -> R = R { name }".to_owned(),
            "R { name }",
            "R { name: name.take(3) }",
        ),
        (
            "record R { name: String }\nfn f(nam: String) -> R = R { name }".to_owned(),
            "R { name }",
            "R { name: nam }",
        ),
        (
            "record R { Name: String }\nfn f(name: String) -> R = R { name }".to_owned(),
            "R { name }",
            "R { Name: name }",
        ),
        (
            "enum E { Alpha, Beta }\nfn f(e: E) -> Int = match e { alpha => 1, Beta => 2 }".to_owned(),
            "alpha",
            "Alpha",
        ),
        ("fn f(x: Int?) -> Int = match x { none => 1, y => 2 }".to_owned(), "none", "null"),
        (
            "fn f(r: Result<Int, String>) -> Int = match r { Result.Ok(n) => n, _ => 2 }".to_owned(),
            "Result.Ok",
            "Ok",
        ),
        (
            "use sn22 { web_crawl as crawl }\nplan p() -> Int { 1 }\ntest \"a\" {\n  mock crawl => fail timeout\n  let a = run p()\n}".to_owned(),
            "fail timeout",
            "fails timeout",
        ),
        (
            "use sn22 { web_crawl as crawl }\nplan p(u: Url) -> String with { budget: 1USD, deadline: 1m } {\n  call crawl(url: u) { max_price: 0.1USD }\n}".to_owned(),
            "{ max_price",
            "with { max_price",
        ),
    ] {
        let found = compiled(&text).diagnostics;
        let fix = found.iter().find_map(|found| found.fix.as_ref()).unwrap_or_else(|| panic!("{text}"));
        let fixed = fix.apply(&text).unwrap();
        assert_eq!(fixed, text.replacen(from, to, 1));
        assert!(compiled(&fixed).diagnostics.iter().all(|found| !found.is_error()), "{fixed}");
    }
    // Nothing is offered where nothing is meant.
    for text in [
        "fn f() -> Duration = \"PT4S\"",
        "fn f() -> Duration = \"4USD\"",
        "plan p(x: Bool) -> Int {\n  if x { return 1 }\n  return 2\n}",
        "plan p() -> Int {\n  loop { }\n  1\n}",
        "plan p() -> Int {\n  let x = 1\n  x = 2\n  x\n}",
        "fn f(x: Int?) -> Int = match x { Some(n) => n, _ => 1 }",
    ] {
        let found = compiled(text).diagnostics;
        assert!(!found.is_empty() && found.iter().all(|found| found.fix.is_none()), "{text}\n{found:#?}");
    }
}
