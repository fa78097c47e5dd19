//! What a session takes over of the statements of a plan: it says and makes what a compilation from the start does,
//! whichever of them are moved, doubled, left out or changed.

use std::ops::Range;
use std::sync::Arc;

use plan_compiler::{Options, Session};
use plan_lang::ast::Item;
use plan_lang::parse;
use proptest::prelude::*;
use schema::lock::Lock;

use crate::robust::tokens;
use crate::session::{Choices, assert_same, cases, shapes_lock};

/// Plans whose statements read one another, declarations around them, and what the checker makes itself.
const TEXT: &str = r#"edition 2026
use sn22 { web_search as search, WebSearchOutputDataItem as Hit }
use sn999 { echo, free_echo }
use cap { generate }

policy picky = { timeout: 4s, max_price: 0.01USD, accept: a => fits(a.data.len()) }
policy loud = { quorum: { of: 3, need: 2, by: alike } }

record Note { title: String(..80), count: Int(0..99) }

fn fits(n: Int) -> Bool = n > 0
fn alike(a: String, b: String) -> Bool = a.folded() == b.folded()
fn top(xs: [String](..50), n: Int(0..50)) -> [String](..50) = xs.take(n)

plan inner(query: String(1..80), most: Int(0..9) = 5) -> [String](..9) with { budget: 0.1USD, deadline: 30s } {
  let found = call search(query) with web
  let titles = found.data.map(h => h.title).take(9)
  ensure titles.len() >= most else "too few of {query}"
  titles
}

/// The one that is edited.
plan long(first: String(1..80), second: String(1..80), texts: [String(1..80)](..4)) -> String
  with { budget: 1USD, deadline: 1h }
{
  let query = if first.len() > 40 {
    let both = "{first} and {second}"
    both
  } else { second }
  let found = call search(query: query.take(400)) with web
  let hits = found.data.filter(h => {
    let title = h.title
    title.contains(first)
  }).take(5)
  let links = hits.map(h => h.link)
  ensure links.len() > 1 else "too few links for {query}"
  let few = call search(query: "few {first}") with picky
  let near = top(few.data.map(h => h.title).take(20), 5)
  let echoes = for text in texts with { concurrency: 2, budget: 0.01USD } { call echo(text) with { fallback: text } }
  let pairs = texts.zip(near)
  let firsts = pairs.map(p => p.left).take(3)
  let tried = try call free_echo(text: first)
  let said = match tried {
    Ok(text) => text,
    Err(_) => {
      let other = second
      other
    }
  }
  let notes = near.map(t => Note { title: t.take(80), count: near.len() })
  let more = run inner(query: second)
  let voted = call free_echo(text: second) with loud
  let text = call generate(prompt: "Of {notes.to_json()}") as String(..200) with { timeout: 9s, max_price: 0.02USD }
  ensure text != first else "nothing is said of {query}"
  call free_echo(text: second)
  let all = [echoes.join(" "), firsts.join(" "), more.join(" "), voted.value, said, text]
  return all.join("\n")
}

plan short(n: Int(0..9)) -> Int(0..99) {
  let twice = n * 2
  let most = if twice > 9 { 9 } else { twice }
  most + twice
}

policy web = { timeout: 4s, retry: { max: 1 }, max_price: 0.01USD, budget: 0.05USD }
"#;

/// Where the statements of one of the plans stand, with the space before them.
fn statements(text: &str, choices: &mut Choices) -> Vec<Range<usize>> {
    let parse = parse(text);
    let plans = parse.ast().items.iter().filter_map(|item| match item {
        Item::Plan(plan) => Some(plan),
        _ => None,
    });
    let plans: Vec<_> = plans.collect();
    if plans.is_empty() {
        return Vec::new();
    }
    // The long one more often than the others.
    let plan = plans[choices.below(plans.len() + 3).min(plans.len() - 1).max(plans.len().saturating_sub(2))];
    let spans = plan.body.stmts.iter().map(|stmt| stmt.span().range());
    let mut from = plan.body.span.range().start + 1;
    let ranges = spans.map(|span| {
        let range = from.min(span.start)..span.end;
        from = span.end;
        range
    });
    ranges.collect()
}

/// One edit of the statements of a plan.
fn edited(text: &str, choices: &mut Choices) -> String {
    let all = statements(text, choices);
    let mut new = text.to_owned();
    if all.is_empty() {
        return TEXT.to_owned();
    }
    let one = all[choices.below(all.len())].clone();
    let other = all[choices.below(all.len())].clone();
    match choices.below(12) {
        // Left out, doubled, moved, changed with another.
        0 => new.replace_range(one, ""),
        1 => new.insert_str(other.end, &text[one]),
        2 => {
            let (first, last) = if one.start < other.start { (one, other) } else { (other, one) };
            if first.end <= last.start {
                new.replace_range(last.clone(), &text[first.clone()]);
                new.replace_range(first, &text[last]);
            }
        }
        3 => new.insert_str(
            one.end,
            choices.of(&["\n  // aside", "\n  let more_of_it = 1", "\n\n  ensure true else \"no\""]),
        ),
        // A word, or a number.
        4..=6 => {
            let words: Vec<_> = tokens(&text[one.clone()]);
            let others: Vec<_> = tokens(&text[other.clone()]);
            if !words.is_empty() && !others.is_empty() {
                let word = words[choices.below(words.len())].clone();
                let with = &text[other][others[choices.below(others.len())].clone()];
                new.replace_range(one.start + word.start..one.start + word.end, with);
            }
        }
        7 | 8 => {
            let words: Vec<_> = tokens(&text[one.clone()]);
            let is_number = |word: &&Range<usize>| {
                text[one.clone()][(*word).clone()].starts_with(|c: char| c.is_ascii_digit())
            };
            let numbers: Vec<_> = words.iter().filter(is_number).collect();
            if !numbers.is_empty() {
                let word = numbers[choices.below(numbers.len())].clone();
                new.replace_range(
                    one.start + word.start..one.start + word.end,
                    choices.of(&["0", "1", "3", "9", "40", "99", "9s", "5USD"]),
                );
            }
        }
        // Something before or around it.
        9 => new.insert_str(0, choices.of(&["// head\n", "\n", "// \u{e9}\n"])),
        10 => {
            let (from, to) = choices.of(&[
                ("0.05USD", "0.005USD"),
                ("policy web = {", "policy web = {  "),
                ("most: Int(0..9) = 5", "most: Int(0..9) = 4"),
                ("texts: [String(1..80)](..4)", "texts: [String(1..80)](..3)"),
                (
                    "first: String(1..80), second: String(1..80)",
                    "second: String(1..80), first: String(1..70)",
                ),
                ("first: String(1..80)", "first: String(1..79), also: Int(0..9) = 1"),
                (") -> String\n", ") -> String(..900)\n"),
                ("budget: 1USD", "budget: 0.1USD"),
                ("plan long(", "plan longer("),
                ("plan short(n: Int(0..9))", "plan short(n: Int(0..9), p: Pair<Int, String>)"),
                ("texts: [String(1..80)](..4)", "texts: [String(1..80)](..4), z: Pair<String, Bool>"),
                ("plan inner(query: String(1..80)", "plan inner(query: String(1..60)"),
                ("run inner(query: second)", "run long(first: second, second, texts)"),
                ("\nplan short", "\n\nrecord Other { n: Int }\n\nplan short"),
                ("n > 0", "n > 1"),
                ("count: Int(0..99) }", "count: Int(0..9) }"),
            ]);
            new = new.replacen(from, to, 1);
        }
        _ => TEXT.clone_into(&mut new),
    }
    if new.len() > 2 * TEXT.len() { TEXT.to_owned() } else { new }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn statements_are_taken_over_as_they_would_be_checked(numbers in prop::collection::vec(any::<u32>(), 30..160)) {
        let mut choices = Choices(numbers.into_iter());
        let lock = shapes_lock();
        let mut session = Session::new("test.orch", Arc::clone(&lock), Options::default());
        let (mut text, mut sound) = (TEXT.to_owned(), TEXT.to_owned());
        while choices.0.len() > 0 {
            assert_same(&mut session, &text, &lock, &Options::default(), choices.below(100));
            // What is broken once stays so through most edits, and of it no plan is made.
            if !session.has_errors() {
                sound.clone_from(&text);
            } else if choices.below(3) > 0 {
                text.clone_from(&sound);
            }
            // Several at once now and then, as where a file is read again.
            for _ in 0..=choices.below(5) / 3 {
                text = edited(&text, &mut choices);
            }
        }
    }
}

#[test]
fn the_text_that_is_edited_is_sound() {
    let mut session = Session::new("test.orch", shapes_lock(), Options::default());
    let errors: Vec<_> = session.update(TEXT).iter().filter(|found| found.is_error()).cloned().collect();
    assert_eq!(errors, []);
}

/// Places of what is taken over move with the text, those of a policy behind the plan as well as its own.
#[test]
fn what_stands_elsewhere_moves_as_it_does_there() {
    let lock = shapes_lock();
    let mut session = Session::new("test.orch", Arc::clone(&lock), Options::default());
    let dear = TEXT.replace("0.05USD", "0.005USD");
    let later = dear.replace("let query =", "// A longer plan.\n  let query =");
    let another = later.replace("let query =", "let unread = 1\n  let query =");
    for text in [&dear, &later, &another, &dear, TEXT, &later] {
        assert_same(&mut session, text, &lock, &Options::default(), 1);
    }
    let found = session.diagnostics().iter().filter(|found| found.is_error());
    let places = found.map(|found| &later[found.span().range()]);
    assert!(places.eq(["0.005USD"; 3]));
}

/// What a block within a statement binds has its own place, moved as often as the statement is: once.
#[test]
fn what_is_bound_within_a_statement_moves_with_it() {
    let lock = shapes_lock();
    let mut session = Session::new("test.orch", Arc::clone(&lock), Options::default());
    let text = "plan p(a: Int(0..9), xs: [Int(0..9)](..4)) -> Int {\n  let x = if a > 4 {\n    let b = a + 1\n    b * 2\n  } else { 0 }\n  let ys = xs.map(n => {\n    let m = n * 2\n    m + a\n  })\n  x + ys.len()\n}\n";
    for text in
        [text, &text.replace("  let x", "  // A longer plan.\n  let x"), &format!("// head\n{text}"), text]
    {
        assert_same(&mut session, text, &lock, &Options::default(), 0);
    }
}

/// What a plan says of itself is seen by no statement of it, but by one that runs it.
#[test]
fn statements_stay_under_another_signature() {
    let lock = Arc::new(Lock::empty());
    let text = "plan p(a: Int(0..9), b: Int(0..9)) -> Int with { deadline: 1h } {\n  let x = a + b\n  x * 2\n}\nplan q(a: Int(0..9)) -> Int {\n  let y = run p(a, b: a)\n  y\n}\n";
    let again = text.replace("let x = a + b", "let x = run p(a, b: a)");
    for text in [text, &again] {
        let mut session = Session::new("test.orch", Arc::clone(&lock), Options::default());
        for version in [
            text,
            &text.replace("b: Int(0..9)", "b: Int(0..8)"),
            &text.replace("(a: Int(0..9), b", "(c: Int(0..9), b"),
            &text.replace("1h", "2h"),
            &text.replace("plan p(", "plan r("),
            &text.replace("plan p(a: Int(0..9), b", "plan q(b: Int(0..9), a"),
            text,
        ] {
            assert_same(&mut session, version, &lock, &Options::default(), 0);
        }
    }
}

/// A signature that names a type with arguments numbers it over the whole file.
#[test]
fn types_that_a_signature_makes_have_other_numbers() {
    let lock = Arc::new(Lock::empty());
    let take = |text: &str, edits: &[(&str, &str)]| {
        let mut session = Session::new("test.orch", Arc::clone(&lock), Options::default());
        assert_same(&mut session, text, &lock, &Options::default(), 0);
        for (from, to) in edits {
            let version = text.replace(from, to);
            assert_ne!(version, text);
            assert_same(&mut session, &version, &lock, &Options::default(), 0);
            assert_same(&mut session, text, &lock, &Options::default(), 0);
        }
    };
    take(
        "plan p(a: Pair<Int(0..9), Int>) -> Int {\n  let x = a.left\n  x\n}\n",
        &[("Pair<Int(0..9), Int>", "Pair<String, Int>"), ("a: Pair<Int(0..9), Int>", "a: Int(0..9)")],
    );
    take(
        "plan p(xs: [Int](..3)) -> [Pair<Int, Int>](..3) {\n  let ps = xs.zip(xs)\n  let n = ps.len()\n  ps.take(n)\n}\n",
        &[("-> [Pair<Int, Int>](..3)", "-> Int"), ("xs: [Int](..3)", "xs: [Int](..3), z: Entry<Int>")],
    );
    take(
        "plan p(n: Int) -> Int with { budget: 1USD, deadline: 1h } {\n  let y = run q(n)\n  let z = y.left\n  z\n}\nplan q(n: Int) -> Pair<Int, Int> {\n  Pair { left: n, right: n }\n}\n",
        &[("p(n: Int)", "p(n: Int, z: Entry<Int>)"), ("p(n: Int)", "p(n: Int, z: Pair<Bool, Bool>)")],
    );
}

/// Each version makes a type that none before it had, and statements behind name one that all have.
#[test]
fn types_that_many_versions_made_do_not_change_what_one_means() {
    let lock = Arc::new(Lock::empty());
    let mut session = Session::new("test.orch", Arc::clone(&lock), Options::default());
    let version = |number: usize| {
        format!(
            "plan p(xs: [Int](..3)) -> Int {{\n  let made = Pair {{ left: {number}, right: \"{number}\" }}\n  let ps = xs.zip(xs)\n  \
             let sums = ps.map(p => p.left + p.right)\n  sums.len() + made.left\n}}\n"
        )
    };
    for number in 0..300 {
        assert_same(&mut session, &version(number), &lock, &Options::default(), 0);
    }
}

/// A type that is too large is told of at its own statement, whatever is known of those around it.
#[test]
fn types_that_are_too_large_are_told_of_one_by_one() {
    let lock = Arc::new(Lock::empty());
    let doubled = |name: &str| {
        let next = |at: usize| format!("  let {name}{at} = [Ok({name}{0}), Err({name}{0})]\n", at - 1);
        format!("  let {name}0 = n\n{}", (1..=8).map(next).collect::<String>())
    };
    let (large, other) = ("  let _x = [Ok(a8), Err(a8)]\n", "  let _y = [Ok(b8), Err(b8)]\n");
    let (small, block) =
        ("  let _x = a8\n", "  let s = if n > 4 { let q = n\n q } else { 2 }\n  ensure s > 0 else \"no\"\n");
    let version = |parts: &[&str]| {
        let parts = parts.concat();
        format!("plan p(n: Int(0..9)) -> Int {{\n{}{}{parts}  n\n}}\n", doubled("a"), doubled("b"))
    };
    let mut session = Session::new("test.orch", Arc::clone(&lock), Options::default());
    for (parts, errors) in [
        (vec![large, other], 2),
        (vec![small, other], 1),
        (vec![other], 1),
        (vec![block], 0),
        (vec![large, block, other], 2),
        (vec![large, other, block], 2),
        (vec![small, block], 0),
    ] {
        assert_same(&mut session, &version(&parts), &lock, &Options::default(), 0);
        let found = session.diagnostics().iter().filter(|found| found.is_error());
        assert_eq!(found.map(|found| found.code.to_string()).collect::<Vec<_>>(), vec!["E0708"; errors]);
    }
}
