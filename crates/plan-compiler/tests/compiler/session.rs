//! A session says and makes what a compilation from the start does, whatever is done to the text.

use std::fmt::Write as _;
use std::fs;
use std::sync::{Arc, OnceLock};

use plan_compiler::{Options, Session, Source, compile};
use plan_ir::bytes::encode;
use plan_lang::ast::Item;
use plan_lang::{Parse, parse};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use schema::lock::Lock;

use crate::common::{lock, root};
use crate::robust::tokens;
use crate::shapes::SHAPES;

/// The lock of the example plans.
fn examples_lock() -> Arc<Lock> {
    static LOCK: OnceLock<Arc<Lock>> = OnceLock::new();
    let read = || {
        let folder = root().join("examples/plans");
        let bodies = fs::read_dir(folder.join("orchestra.schemas")).unwrap().map(|entry| {
            let path = entry.unwrap().path();
            (path.file_stem().unwrap().to_str().unwrap().parse().unwrap(), fs::read(&path).unwrap())
        });
        let text = fs::read_to_string(folder.join("orchestra.lock")).unwrap();
        Arc::new(Lock::assemble(&text, &bodies.collect()).unwrap())
    };
    Arc::clone(LOCK.get_or_init(read))
}

/// The lock of everything else.
pub(crate) fn shapes_lock() -> Arc<Lock> {
    static LOCK: OnceLock<Arc<Lock>> = OnceLock::new();
    Arc::clone(LOCK.get_or_init(|| Arc::new(lock().clone())))
}

/// All texts that are edited, each with its lock.
fn texts() -> &'static [(String, Arc<Lock>)] {
    static TEXTS: OnceLock<Vec<(String, Arc<Lock>)>> = OnceLock::new();
    TEXTS.get_or_init(|| {
        let mut paths: Vec<_> = fs::read_dir(root().join("examples/plans"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ext| ext == "orch"))
            .collect();
        paths.sort();
        assert!(paths.len() >= 12);
        let examples = paths.iter().map(|path| (fs::read_to_string(path).unwrap(), examples_lock()));
        let shapes = SHAPES.iter().map(|shape| ((shape.text)(150), shapes_lock()));
        let own = [many_looks(33), deep_looks(), webs(), wrong_types()].map(|text| (text, shapes_lock()));
        examples.chain(shapes).chain(own).collect()
    })
}

/// A function that is called with that many ranges: one more than 32 is not looked at, and its plan has an error.
pub(crate) fn many_looks(count: usize) -> String {
    let mut text = String::from("fn first(xs: [String](..100)) -> [String](..100) = xs\n");
    for at in 1..=count {
        let _ = writeln!(text, "plan p{at}(xs: [String](..{at})) -> [String](..{at}) {{ first(xs) }}");
    }
    text
}

/// Functions that call one another deeper than is looked at, and a plan in the middle: with it, the looks of the last
/// plan start where it ended.
fn deep_looks() -> String {
    let mut text = String::from("fn f0(xs: [Int](..100)) -> [Int](..100) = xs\n");
    for at in 1..=20 {
        let _ = writeln!(text, "fn f{at}(xs: [Int](..100)) -> [Int](..100) = f{}(xs)", at - 1);
    }
    text.push_str("plan middle(xs: [Int](..5)) -> [Int](..5) { f10(xs) }\n");
    text.push_str("plan last(xs: [Int](..5)) -> [Int](..5) { f20(xs) }\n");
    text
}

/// Declarations that use one another in every way there is.
fn webs() -> String {
    let text = r#"edition 2026
use sn22 { web_search as search, WebSearchOutputDataItem as Hit }
use sn999 { echo, free_echo, rent }
use cap { generate }

policy web = { timeout: 4s, retry: { max: 1 }, max_price: 0.01USD, accept: a => fits(a.data.len()) }
policy loud = { quorum: { of: 3, need: 2, by: alike } }

record Point { x: Int(0..9), y: Int(0..9) }
record Line { from: Point, to: Point, kind: Kind }
enum Kind { Short, Long(Int(0..9)), Curved(Point) }

fn fits(n: Int) -> Bool = n > 0 && n < most()
fn most() -> Int(0..99) = 50
fn alike(a: String, b: String) -> Bool = a.folded() == b.folded()
fn length(line: Line, scale: Int(1..9) = 2) -> Int(0..999) = match line.kind {
  Short => scale,
  Long(n) => n * scale,
  Curved(p) => p.x + p.y,
}
fn top(xs: [String](..50), n: Int(0..50)) -> [String](..50) = xs.take(n)
fn even(n: Int) -> Bool = if n == 0 { true } else { odd(n - 1) }
fn odd(n: Int) -> Bool = n == 1

plan inner(query: String(1..80)) -> [String](..5) with { budget: 0.1USD, deadline: 30s } {
  let found = call search(query) with web
  top(found.data.map(h => h.title).take(50), 5)
}
plan echoes(texts: [String(1..80)](..4)) -> [String](..4) with { budget: 1USD, deadline: 60s } {
  for text in texts with { concurrency: 2 } { call echo(text) with { fallback: text } }
}
plan outer(query: String(1..80)) -> String with { budget: 2USD, deadline: 5m } {
  let titles = run inner(query)
  let said = run echoes([query, "b"])
  let unused = length(Line { from: Point { x: 1, y: 2 }, to: Point { x: 1, y: 2 }, kind: Kind.Long(3) })
  said.join(titles.join(query)).take(80)
}
test "an echo" {
  mock echo => "b"
  let got = run echoes(["a"])
  assert got.len() == 1 && cost < 1USD
}
test "all of it" {
  mock search => fails timeout
  expect fails run outer("a")
}
"#;
    text.to_owned()
}

/// Types that are used by their names, through functions and through other types, some of them wrongly: what is said
/// of that suggests names of all types and variants.
fn wrong_types() -> String {
    let text = r#"use sn22 { web_search as search, WebSearchOutputDataItem as Hit }
capability rated(text: String(1..80)) -> Rating
adapter sn999.free_echo as rated {
  request = { text }
  response = r => rate(r.len())
}
use sn999 { free_echo }

record Rating { level: Level, why: String(..40) }
enum Level { Low, High(Int(0..9)), Mixed([Level](..3)) }
record Tree { value: Int(0..9), left: Tree?, right: Tree? }
record Bag { trees: [Tree](..4), rating: Rating? }

fn rate(n: Int) -> Rating = Rating { level: if n > 3 { Level.High(9) } else { Level.Low }, why: "length" }
fn deep(bag: Bag) -> Int = bag.trees.first()?.left?.value ?? 0
fn points(bag: Bag) -> Int(0..9) = match bag.rating?.level ?? Level.Low {
  Low => 0,
  High(n) => n,
  Mixed(_) => 1,
}
fn pairs(bag: Bag) -> [Pair<Tree, Int>](..4) = bag.trees.zip(bag.trees.map(t => t.value)).take(4)
fn inner(bag: Bag) -> Int = points(bag) + deep(bag)
fn misspelt(bag: Bga) -> Levl = Levl.Low
fn without() -> Level = if points(Bag { trees: [], rating: null }) > 1 { Lwo } else { High }
fn bare() -> Int = match Mixed { low => 1, _ => 2 }
fn lower() -> Level = level.Low
fn lacks(tree: Tree) -> Bag = Bag { tree: [tree] }
plan asks(query: String(1..80)) -> String(..80) with { budget: 0.1USD, deadline: 30s } {
  let found = call search(query) with { max_price: 0.01USD }
  let rating = call rated(text: query)
  let hits = found.data.map(h => h.title).take(points(Bag { trees: [], rating }))
  hits.join(rating.why).take(80)
}
"#;
    text.to_owned()
}

/// What decides, number by number.
pub(crate) struct Choices(pub(crate) std::vec::IntoIter<u32>);

impl Choices {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0.next().unwrap_or(0) as usize % n.max(1)
    }

    pub(crate) fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

const PIECES: [&str; 26] = [
    " ",
    "\n",
    "\n\n// aside\n",
    "{",
    "}",
    "(",
    ")",
    "\"",
    "\"\"\"",
    ",",
    ".",
    ":",
    "=",
    "x",
    "0",
    "9",
    "\u{e9}",
    "\u{0}",
    "///",
    " + 1",
    "fn ",
    "\nplan q(x: Int(0..9)) -> Int { x }\n",
    "\nfn most() -> Int(0..99) = 7\n",
    "\nuse sn22 { web_search }\n",
    "\nedition 2026\n",
    "\npolicy web = { timeout: 1s }\n",
];

fn boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// One edit of `text`; `first` is what it was before all edits.
fn edited(text: &str, first: &str, choices: &mut Choices) -> String {
    let mut new = text.to_owned();
    let words = tokens(text);
    let choice = choices.below(18);
    let moves_items = matches!(choice, 5..=7);
    let parse = moves_items.then(|| parse(text));
    let items: Vec<_> = parse.iter().flat_map(Parse::chunks).map(|chunk| chunk.span.range()).collect();
    match choice {
        0 => new.insert_str(boundary(text, choices.below(text.len() + 1)), choices.of(&PIECES)),
        1 => {
            let start = boundary(text, choices.below(text.len() + 1));
            let end = boundary(text, (start + choices.below(8)).min(text.len()));
            new.replace_range(start.min(end)..end, "");
        }
        2 if !words.is_empty() => {
            let (word, other) = (&words[choices.below(words.len())], &words[choices.below(words.len())]);
            new.replace_range(word.clone(), &text[other.clone()]);
        }
        3 if !words.is_empty() => new.replace_range(words[choices.below(words.len())].clone(), ""),
        // One name everywhere, or once.
        4 if !words.is_empty() => {
            let word = &text[words[choices.below(words.len())].clone()];
            let renamed = format!("{word}{}", choices.of(&["a", "1", "_"]));
            let times = choices.of(&[1, usize::MAX]);
            new = if word.trim().is_empty() { new } else { text.replacen(word, &renamed, times) };
        }
        5 if !items.is_empty() => {
            let (item, to) =
                (items[choices.below(items.len())].clone(), items[choices.below(items.len())].start);
            new.insert_str(to, &text[item]);
        }
        6 if !items.is_empty() => new.replace_range(items[choices.below(items.len())].clone(), ""),
        7 if items.len() > 1 => {
            let at = choices.below(items.len() - 1);
            let (one, next) = (items[at].clone(), items[at + 1].clone());
            new.replace_range(one.start..next.end, &format!("{}{}", &text[next], &text[one]));
        }
        // A number: a range of a signature, a price, a bound.
        8 => {
            let numbers: Vec<_> = words
                .iter()
                .filter(|word| text[(*word).clone()].starts_with(|c: char| c.is_ascii_digit()))
                .collect();
            if !numbers.is_empty() {
                let number = numbers[choices.below(numbers.len())].clone();
                new.replace_range(number, choices.of(&["0", "1", "2", "5", "7", "50", "400", "9s", "1USD"]));
            }
        }
        9 => new.insert_str(0, choices.of(&["// head\n", "\n", "edition 2026\n", "// \u{e9}\n"])),
        10 => new.push_str(choices.of(&PIECES)),
        11..=15 => new = with_other_types(text, choices),
        _ => first.clone_into(&mut new),
    }
    // Doubling again and again would only take long.
    if new.len() > 2 * first.len() + 200 { first.to_owned() } else { new }
}

/// The text with a type more or less, or with one that has another name or other members.
fn with_other_types(text: &str, choices: &mut Choices) -> String {
    let mut new = text.to_owned();
    let parse = parse(text);
    let items = &parse.ast().items;
    let types: Vec<&Item> =
        items.iter().filter(|item| matches!(item, Item::Record(_) | Item::Enum(_))).collect();
    // Of types, variants, imports and misspelt ones, and of what the language has.
    let is_upper = |name: &&str| name.starts_with(|c: char| c.is_ascii_uppercase());
    let written = tokens(text).into_iter().map(|word| &text[word]).filter(is_upper);
    let names: Vec<&str> =
        written.chain(["Another", "Pair", "Entry", "PlanError", "WebSearchOutputDataItem"]).collect();
    let name = choices.of(&names);
    let what = choices.below(6);
    if what < 2 || types.is_empty() {
        let other = choices.of(&names);
        let declared =
            choices.of(&["record @ { x: # }", "enum @ { #, Other(#) }", "record @ { value: Int }"]);
        let declared = format!("\n{}\n", declared.replace('@', name).replace('#', other));
        let ends: Vec<usize> = items.iter().map(|item| item.span().range().end).chain([text.len()]).collect();
        new.insert_str(choices.of(&ends), &declared);
        return new;
    }
    let item = types[choices.below(types.len())];
    let range = item.span().range();
    let declared = item.name().map_or(range.start..range.start, |name| name.span.range());
    match what {
        2 => new.replace_range(range, ""),
        3 => new.replace_range(declared, name),
        4 if !declared.is_empty() => new = text.replace(&text[declared], name),
        // One more member, or another type of one.
        _ if choices.below(2) == 0 => {
            let member = if matches!(item, Item::Record(_)) { "n: Int? , " } else { "Neither, " };
            new = text.replacen(
                &text[range.clone()],
                &text[range].replacen('{', &format!("{{ {member}"), 1),
                1,
            );
        }
        _ => {
            let words: Vec<_> = tokens(&text[range.clone()]).into_iter().skip(2).collect();
            if !words.is_empty() {
                let word = words[choices.below(words.len())].clone();
                new.replace_range(range.start + word.start..range.start + word.end, name);
            }
        }
    }
    new
}

/// The session has what a compilation from the start has; of its plans the one that `pick` says.
pub(crate) fn assert_same(session: &mut Session, text: &str, lock: &Lock, options: &Options, pick: usize) {
    let cold = compile(&Source { name: "test.orch", text }, lock, options);
    assert_eq!(session.update(text), cold.diagnostics, "in:\n{text}");
    assert_eq!(session.has_errors(), cold.has_errors());
    if cold.plans.is_empty() {
        assert!(session.plan("p").is_none());
        return;
    }
    let at = pick % cold.plans.len();
    let (plan, bound) = session.plan(&cold.plans[at].body.name).unwrap();
    assert_eq!(encode(&plan).unwrap(), encode(&cold.plans[at]).unwrap());
    assert_eq!(plan, cold.plans[at]);
    assert_eq!(format!("{bound:?}"), format!("{:?}", cold.bounds[at]));
}

/// Edits a text again and again. Returns how many of its versions had no error.
fn edit(numbers: Vec<u32>) -> usize {
    let mut choices = Choices(numbers.into_iter());
    let (first, lock) = &texts()[choices.below(texts().len())];
    let options = choices.of(&[false, true]);
    let options = if options { Options::with_tests() } else { Options::default() };
    let mut session = Session::new("test.orch", Arc::clone(lock), options.clone());
    let mut text = first.clone();
    let mut sound = 0;
    while choices.0.len() > 0 {
        assert_same(&mut session, &text, lock, &options, choices.below(100));
        sound += usize::from(!session.has_errors());
        text = edited(&text, first, &mut choices);
    }
    let whole = session.compilation();
    assert_eq!(whole.diagnostics, session.diagnostics());
    sound
}

/// As many as there are texts, or what `PROPTEST_CASES` says: each is a row of versions.
pub(crate) fn cases() -> Config {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let cases = asked.unwrap_or(24);
    Config { cases, rng_seed: RngSeed::Fixed(20_261_128), failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_session_says_what_a_compilation_says(numbers in prop::collection::vec(any::<u32>(), 30..120)) {
        edit(numbers);
    }
}

#[test]
fn the_texts_that_are_edited_are_sound() {
    // Guards the property: of texts that have errors anyway nothing is lowered.
    let sound = texts().iter().filter(|(text, lock)| {
        !compile(&Source { name: "test.orch", text }, lock, &Options::with_tests()).has_errors()
    });
    assert!(sound.count() >= 12 + 4);
    let (text, lock) = (webs(), shapes_lock());
    let found =
        compile(&Source { name: "test.orch", text: &text }, &lock, &Options::with_tests()).diagnostics;
    assert!(found.iter().all(|found| !found.is_error()), "{found:?}");
    // Of wrong ones those that are meant to be are, and no others.
    let text = wrong_types();
    let found =
        compile(&Source { name: "test.orch", text: &text }, &lock, &Options::with_tests()).diagnostics;
    let parse = parse(&text);
    let is_wrong = |item: &&Item| found.iter().any(|found| item.span().contains(found.span()));
    let wrong = parse.ast().items.iter().filter(is_wrong).filter_map(Item::name);
    let wrong: Vec<&str> = wrong.map(|name| name.name.as_str()).collect();
    assert_eq!(wrong, ["misspelt", "without", "bare", "lower", "lacks"], "{found:?}");
}

/// Every version of a text in turn, and that the messages are as many as told.
fn versions(lock: &Arc<Lock>, versions: &[(&str, usize)]) {
    let options = Options::with_tests();
    let mut session = Session::new("test.orch", Arc::clone(lock), options.clone());
    for (at, (text, messages)) in versions.iter().enumerate() {
        assert_same(&mut session, text, lock, &options, at);
        assert_eq!(session.diagnostics().len(), *messages, "version {at}: {:?}", session.diagnostics());
    }
}

#[test]
fn looks_at_a_function_are_counted_over_all_bodies() {
    let (full, over) = (many_looks(32), many_looks(33));
    // The last plan is over the limit until another one is gone, wherever that stands.
    let without = over.replace("plan p7(xs: [String](..7)) -> [String](..7) { first(xs) }\n", "");
    let same = over.replace("[String](..7)", "[String](..8)");
    versions(
        &shapes_lock(),
        &[(&full, 0), (&over, 1), (&without, 0), (&over, 1), (&same, 0), (&full, 0), (&over, 1)],
    );
}

#[test]
fn looks_inside_one_another_depend_on_those_before() {
    let deep = deep_looks();
    let alone = deep.replace("{ f10(xs) }", "{ f0(xs) }");
    versions(&shapes_lock(), &[(&deep, 0), (&alone, 1), (&deep, 0), (&alone, 1)]);
}

#[test]
fn what_a_body_sees_of_others_is_checked_again() {
    let base = "fn a(xs: [Int](..9)) -> [Int](..9) = xs.take(2)\nfn b(xs: [Int](..9)) -> [Int](..9) = a(xs)\nplan p(xs: [Int](..5)) -> [Int](..2) { b(xs) }\nplan q(xs: [Int](..5)) -> [Int](..2) { run p(xs) }\n";
    let wider = base.replace("take(2)", "take(3)");
    let moved = format!("// head\n{wider}");
    let narrower = base.replace("-> [Int](..2) { b(xs) }", "-> [Int](..1) { b(xs).take(1) }");
    let gone = base.replace("fn a(", "fn c(");
    versions(
        &shapes_lock(),
        &[(base, 0), (&wider, 1), (&moved, 1), (base, 0), (&narrower, 0), (&gone, 2), (base, 0)],
    );
}

#[test]
fn a_plan_that_no_other_runs_any_more_needs_a_budget() {
    let ran = "use sn999 { echo }\nplan inner(t: String(1..80)) -> String { call echo(text: t) }\nplan outer(t: String(1..80)) -> String with { budget: 1USD, deadline: 60s } { run inner(t) }\n";
    let alone = ran.replace("{ run inner(t) }", "{ t }");
    versions(&shapes_lock(), &[(ran, 0), (&alone, 1), (ran, 0), (&alone, 1)]);
}

#[test]
fn a_mock_may_be_asked_by_any_policy() {
    let policy = |of: &str| format!("policy w = {{ fallback: call {of}(text: \"a\") }}\n");
    let text = |policy: &str| {
        let test = |name: &str| {
            format!("test \"{name}\" {{\n  mock echo => \"b\"\n  let x = run p(t: 1)\n  assert x == 1\n}}\n")
        };
        format!(
            "use sn999 {{ echo, free_echo }}\n{policy}plan p(t: Int(0..9)) -> Int {{ t }}\nplan q(t: String(1..80)) -> String with {{ budget: 1USD, deadline: 60s }} {{ call echo(text: t) with w }}\n{}{}",
            test("a"),
            test("b")
        )
    };
    let (other, same) = (text(&policy("free_echo")), text(&policy("echo")));
    versions(
        &shapes_lock(),
        &[(&other, 2), (&same, 0), (&other, 2), (&format!("// head\n{same}"), 0), (&same, 0)],
    );
}

#[test]
fn a_function_of_an_adapter_is_part_of_the_plans_that_call() {
    let text = |lets: u32| {
        let lets: String = (0..lets).map(|at| format!("  let _v{at} = t\n")).collect();
        format!(
            "use sn999 {{ free_echo }}\ncapability said(t: String(1..80)) -> String\nadapter sn999.free_echo as said {{\n  request = {{ text: t }}\n  response = r => odd(r)\n}}\nfn odd(t: String) -> String = {{\n{lets}  t\n}}\nplan p() -> String with {{ budget: 0USD, deadline: 60s }} {{ call said(t: \"a\") }}\n"
        )
    };
    let most = plan_ir::interp::FRAME_LOCALS_MAX;
    versions(&shapes_lock(), &[(&text(1), 0), (&text(most + 1), 1), (&text(2), 0)]);
}

#[test]
fn a_text_too_long_to_read_and_none_at_all() {
    let long = " ".repeat(plan_lang::limits::MAX_SOURCE_BYTES + 1);
    versions(&shapes_lock(), &[("", 0), (&long, 1), ("fn f() -> Int = 1\n", 0), (&long, 1), ("", 0)]);
}

#[test]
fn a_chain_as_long_as_a_file_can_be_needs_no_stack() {
    let mut text = String::from("fn f0(n: Int) -> Int = n\n");
    for at in 1.. {
        let line = format!("fn f{at}(n: Int) -> Int = f{}(n)\n", at - 1);
        if text.len() + line.len() > plan_lang::limits::MAX_SOURCE_BYTES {
            break;
        }
        text.push_str(&line);
    }
    let changed = text.replacen("Int = n", "Int = m", 1);
    versions(&shapes_lock(), &[(&text, 0), (&changed, 1)]);
}

#[test]
fn what_a_body_sees_of_types_is_checked_again() {
    // By its name, through a type, through a function, and through a capability.
    let base = "use sn999 { free_echo }\nrecord Inner { n: Int(0..9) }\nrecord Outer { inner: Inner }\ncapability made(t: String(1..80)) -> Outer\nadapter sn999.free_echo as made {\n  request = { text: t }\n  response = r => ({ inner: { n: if r.len() > 4 { 4 } else { 2 } } })\n}\nfn make(n: Int) -> Outer = Outer { inner: { n: if n > 4 { 4 } else { 2 } } }\nfn named(inner: Inner) -> Int(0..9) = inner.n\nfn through() -> Int(0..9) = make(3).inner.n\nplan called() -> Int(0..9) with { budget: 0USD, deadline: 60s } { (call made(t: \"a\")).inner.n }\n";
    let other = base.replace("record Inner { n:", "record Inner { m:");
    let wider = base.replace("{ n: Int(0..9) }", "{ n: Int(0..99) }");
    let more = base.replace("{ n: Int(0..9) }", "{ n: Int(0..9), more: Int? }");
    let moved = base.replace("record Inner { n: Int(0..9) }\n", "") + "record Inner { n: Int(0..9) }\n";
    versions(
        &shapes_lock(),
        &[(base, 0), (&other, 5), (base, 0), (&wider, 3), (&more, 0), (&moved, 0), (&wider, 3), (base, 0)],
    );
}

#[test]
fn a_type_takes_the_name_of_one_that_was_not_declared() {
    // Of the library and of an import: who names them means another type at once, who does not is not concerned.
    let base = "use sn22 { web_search as search }\nfn swap(p: Pair<Int, Int>) -> Pair<Int, Int> = Pair { left: p.right, right: p.left }\nfn zipped(xs: [Int](..3)) -> [Int](..3) = xs.zip(xs).map(p => p.left)\nplan titles(q: String(1..80)) -> [String] with { budget: 1USD, deadline: 60s } { (call search(query: q) with { max_price: 0.01USD }).data.map(h => h.title) }\nfn title(hit: WebSearchOutputDataItem) -> String = hit.title\n";
    let pair = format!("{base}record Pair {{ left: Int }}\n");
    let hit = format!("{base}record WebSearchOutputDataItem {{ title: Int }}\n");
    versions(&shapes_lock(), &[(base, 0), (&pair, 4), (base, 0), (&hit, 1), (&pair, 4), (&hit, 1)]);
}

#[test]
fn a_type_of_the_name_of_an_import_is_not_that_of_the_ledger() {
    let base = "use sn22 { web_search as search, WebSearchOutputDataItem as Hit }\nplan titles(q: String(1..80)) -> [String] with { budget: 1USD, deadline: 60s } { (call search(query: q) with { max_price: 0.01USD }).data.map(h => h.title) }\n";
    for twice in ["record Hit { x: Int }\n", "enum Hit { A }\n"] {
        let twice = format!("{base}{twice}");
        versions(&shapes_lock(), &[(base, 0), (&twice, 1), (base, 0)]);
        let found = compile(&Source { name: "test.orch", text: &twice }, lock(), &Options::default());
        let places = found.diagnostics[0].labels.iter().map(|label| label.span.range().start);
        let starts: Vec<usize> = twice.match_indices("Hit").map(|(at, _)| at).collect();
        assert_eq!(places.rev().collect::<Vec<_>>(), starts);
    }
    let twice = base.replace("{ web_search", "{ WebSearchOutput as Hit, web_search");
    let found = compile(&Source { name: "test.orch", text: &twice }, lock(), &Options::default());
    let [first, second] = [0, 1].map(|at| twice.match_indices("Hit").map(|(at, _)| at).nth(at));
    let places = found.diagnostics[0].labels.iter().map(|label| Some(label.span.range().start));
    assert_eq!(places.collect::<Vec<_>>(), [second, first]);
}

#[test]
fn what_is_suggested_follows_the_types() {
    let lock = shapes_lock();
    let mut session = Session::new("test.orch", Arc::clone(&lock), Options::default());
    let mut helps = |types: &str| {
        let text = format!("{types}fn f(p: Pont) -> Int = 1\nfn g() -> Int = match Ned {{ _ => 1 }}\n");
        assert_same(&mut session, &text, &lock, &Options::default(), 0);
        let helps = session.diagnostics().iter().map(|found| found.help.clone().unwrap_or_default());
        helps.collect::<Vec<_>>()
    };
    let of = |point: &str, red: &str| vec![point.to_owned(), red.to_owned()];
    let none = "no enum of this file has such a variant";
    assert_eq!(helps("record Point { x: Int }\n"), of("did you mean `Point`?", none));
    assert_eq!(helps("record Font { x: Int }\n"), of("did you mean `Font`?", none));
    assert_eq!(
        helps("record Font { x: Int }\nenum Color { Red }\n"),
        of("did you mean `Font`?", "did you mean `Color.Red`?")
    );
    assert_eq!(helps("enum Color { Blue, Ned }\n"), of("", "write `Color.Ned`"));
}

#[test]
fn bodies_move_as_others_come_and_go() {
    // The looks at `first` count on when it has another place, and messages stay where they belong.
    let (full, over) = (many_looks(32), many_looks(33));
    let before = |text: &str| format!("fn zeroth(x: Int) -> Int = x\n{text}fn last(x: Int) -> Int = x\n");
    let test = "test \"a\" {\n  assert tru\n}\n";
    let twice = format!("{full}{test}{test}");
    let apart = format!("{test}{full}{test}");
    versions(
        &shapes_lock(),
        &[
            (&full, 0),
            (&before(&full), 0),
            (&before(&over), 1),
            (&before(&full), 0),
            (&over, 1),
            (&full, 0),
            (&twice, 3),
            (&before(&twice), 3),
            (&apart, 3),
            (&twice.replace("first", "other"), 3),
            (&format!("{full}{test}{}", test.replace("\"a\"", "\"longer\"")), 2),
            (&format!("{full}{}{test}", test.replace("\"a\"", "\"longer\"")), 2),
            (&format!("{test}{full}"), 1),
        ],
    );
}
