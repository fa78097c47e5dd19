//! Broken and extreme input: never a panic, and messages in reasonable time.

use std::fmt::Write as _;

use plan_ir::validate::validate;

use crate::common::{codes, compiled};

pub(crate) const PLANS: [&str; 3] = [
    include_str!("plans/analyse.orch"),
    include_str!("plans/answer.orch"),
    include_str!("plans/screen.orch"),
];

/// The words and marks of a text, with where they stand.
pub(crate) fn tokens(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut tokens = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        let in_word = c.is_alphanumeric() || c == '_';
        match (start, in_word) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                tokens.push(from..at);
                start = None;
            }
            _ => {}
        }
        if !in_word && !c.is_whitespace() {
            tokens.push(at..at + c.len_utf8());
        }
    }
    tokens
}

/// One place in `n`; every place in a long run, which is one with `PROPTEST_CASES` set.
pub(crate) fn one_in(n: usize) -> usize {
    if std::env::var_os("PROPTEST_CASES").is_some() { 1 } else { n }
}

#[test]
fn a_plan_without_any_one_token_compiles_or_says_why() {
    let (mut compiled_anyway, mut refused) = (0, 0);
    for text in PLANS {
        for token in tokens(text).into_iter().step_by(one_in(5)) {
            let mut broken = text.to_owned();
            broken.replace_range(token, "");
            let compilation = compiled(&broken);
            if compilation.has_errors() {
                refused += 1;
                assert!(compilation.plans.is_empty());
            } else {
                compiled_anyway += 1;
                compilation.plans.iter().for_each(|plan| validate(plan).unwrap());
            }
        }
    }
    assert!(refused > 200 && compiled_anyway > 20, "{refused} refused, {compiled_anyway} compiled");
}

#[test]
fn a_plan_with_two_tokens_swapped_compiles_or_says_why() {
    let text = PLANS[0];
    let tokens = tokens(text);
    for pair in tokens.windows(2).step_by(one_in(4)) {
        let mut broken = text.to_owned();
        let [first, second] = [0, 1].map(|at| text.get(pair[at].clone()).unwrap());
        broken.replace_range(pair[1].clone(), first);
        broken.replace_range(pair[0].clone(), second);
        compiled(&broken).plans.iter().for_each(|plan| validate(plan).unwrap());
    }
}

#[test]
fn deep_expressions_do_not_overflow_the_stack() {
    for depth in [60, 120, 250] {
        let nested = [
            ("-".repeat(depth), "1".to_owned(), String::new()),
            ("(1 + ".repeat(depth), "1".into(), ")".repeat(depth)),
            ("[".repeat(depth), "1".into(), "]".repeat(depth)),
            ("if true { ".repeat(depth), "1".into(), " } else { 2 }".repeat(depth)),
            (String::new(), "x".into(), ".trim()".repeat(depth)),
            ("xs.map(y => ".repeat(depth), "y".into(), ")".repeat(depth)),
            ("match x { null => 1, _ => ".repeat(depth), "1".into(), " }".repeat(depth)),
            ("{ let a = 1\n".repeat(depth), "a".into(), "\n}".repeat(depth)),
        ];
        for (open, middle, close) in nested {
            let text = format!(
                "plan p(x: String, xs: [Int]) -> Json {{\nlet v = {open}{middle}{close}\nv as Json\n}}"
            );
            compiled(&text).plans.iter().for_each(|plan| validate(plan).unwrap());
        }
    }
}

#[test]
fn branches_with_calls_nest_up_to_the_limit() {
    let nested = |depth: usize| {
        let mut text = String::from(
            "use sn999 { free_echo as echo }\nplan p(n: Int) -> String with { budget: 0USD, deadline: 24h } {\n",
        );
        for level in 0..depth {
            let _ = write!(text, "if n == {level} {{ call echo(text: \"a\") }} else ");
        }
        text.push_str("{ \"none\" }\n}");
        text
    };
    let most = plan_ir::topology::REGION_DEPTH_MAX - 1;
    let compilation = compiled(&nested(most));
    assert!(!compilation.has_errors());
    validate(&compilation.plans[0]).unwrap();
    assert_eq!(codes(&nested(most + 1)), ["E0708"]);
}

#[test]
fn a_long_else_if_chain_is_no_deep_expression() {
    let mut text = String::from("fn f(n: Int) -> Int = ");
    for level in 0..5_000 {
        let _ = write!(text, "if n == {level} {{ {level} }} else ");
    }
    text.push_str("{ -1 }\nplan p(n: Int) -> Int { f(n) }");
    let compilation = compiled(&text);
    assert!(!compilation.has_errors());
    validate(&compilation.plans[0]).unwrap();
}

#[test]
fn long_chains_of_functions_and_plans_do_not_nest() {
    let mut text = String::from("fn f0(n: Int) -> Int = n\n");
    for index in 1..3_000 {
        let _ = writeln!(text, "fn f{index}(n: Int) -> Int = f{}(n) + 1", index - 1);
    }
    let _ = writeln!(text, "plan p(n: Int(0..9)) -> Int {{ f2999(n) }}");
    let compilation = compiled(&text);
    assert!(!compilation.has_errors());
    validate(&compilation.plans[0]).unwrap();

    let chain = |length: usize| {
        let mut text = String::from("plan p0(n: Int) -> Int { n + 1 }\n");
        for index in 1..length {
            let _ = writeln!(text, "plan p{index}(n: Int) -> Int {{ run p{}(n) }}", index - 1);
        }
        text
    };
    assert!(codes(&chain(100)).is_empty());
    assert_eq!(codes(&chain(102)), ["E0708"]);
}

#[test]
fn functions_that_call_functions_twice_are_looked_at_in_linear_time() {
    let mut text = String::from("fn f0(n: Int) -> Int = n\n");
    for index in 1..40 {
        let _ = writeln!(text, "fn f{index}(n: Int) -> Int = f{0}(n + 1) + f{0}(n + 2)", index - 1);
    }
    let _ = writeln!(text, "plan p(n: Int(0..9)) -> Int {{ f39(n) }}");
    assert!(codes(&text).is_empty());
}

#[test]
fn what_cannot_be_read_at_all_is_not_checked() {
    let text =
        |lines: usize| format!("fn f() -> Int = \"a\"\nplan p() -> Int {{\n{}}}\n", "1 2\n".repeat(lines));
    let count = |lines: usize, code: &str| codes(&text(lines)).iter().filter(|found| **found == code).count();
    let most = plan_lang::limits::MAX_REPORTED_ERRORS;
    assert_eq!((count(most - 1, "E0119"), count(most - 1, "E0301")), (most - 1, 1));
    assert_eq!((count(most, "E0119"), count(most, "E0301")), (most, 0));
}

#[test]
fn what_is_not_read_to_its_end_is_not_checked() {
    let text = |mistakes: usize| {
        let broken = format!("fn f() -> Int = R {{ {} }}", "a ".repeat(mistakes));
        format!("fn g() -> Int = \"a\"\n{broken}\nfn h() -> Int = 1\n")
    };
    let most = plan_lang::limits::MAX_BROKEN_PLACES;
    assert_eq!(codes(&text(most - 1)), ["E0301", "E0118"]);
    assert_eq!(codes(&text(most + 1)), ["E0118"]);
}

#[test]
fn a_file_of_mistakes_gives_a_message_each() {
    let mut text = String::new();
    for index in 0..500 {
        let _ = writeln!(text, "fn f{index}(n: Int) -> Int = n + missing{index}");
    }
    assert_eq!(codes(&text).len(), 500);
    text.insert_str(0, "fn g(n: Int) -> Int = missing\nfn unused(n: Int) -> Int = { let m = n\n n }\n");
    let shortened = compiled(&text).diagnostics;
    assert_eq!(shortened.len(), 500);
    assert_eq!(shortened[499].notes.last().unwrap(), "2 more messages are not shown");
    assert!(shortened[..499].iter().all(|d| d.is_error() && d.notes.is_empty()));
    // Those that will not be shown are not even kept.
    let names: String = (0..12_000).map(|index| format!("missing{index},\n")).collect();
    let shortened = compiled(&format!("fn f() -> [Int] = [\n{names}]\n")).diagnostics;
    assert_eq!(shortened[499].notes.last().unwrap(), "9500 or more messages are not shown");
}

#[test]
fn a_large_circle_is_a_short_message() {
    let circle = |of: usize, line: fn(usize, usize) -> String| -> String {
        (0..of).map(|at| line(at, (at + 1) % of)).collect()
    };
    let functions = |at, next| format!("fn f{at}() -> Int = f{next}()\n");
    let plans = |at, next| format!("plan p{at}() -> Int {{ return run p{next}() }}\n");
    let records = |at, next| format!("record R{at} {{ next: R{next} }}\n");
    for (text, message) in [
        (
            circle(10_000, functions),
            "the functions `f0`, `f1`, `f2`, `f3`, `f4` and 9995 others lead back to one another",
        ),
        (
            circle(6, functions),
            "the functions `f0`, `f1`, `f2`, `f3`, `f4` and 1 other lead back to one another",
        ),
        (circle(2, functions), "the functions `f0`, `f1` lead back to one another"),
        (circle(30, plans), "the plans `p0`, `p1`, `p2`, `p3`, `p4` and 25 others lead back to one another"),
        (circle(30, records), "the record `R0` > `R1` > `R2` > `R3` > `R4` and 25 others contains itself"),
    ] {
        let found = compiled(&text).diagnostics;
        let found: Vec<_> = found.iter().filter(|found| found.message == message).collect();
        assert_eq!(found.len(), 1, "{message}");
        assert!(found[0].labels.len() <= 5, "{message}");
    }
}

#[test]
fn records_that_hold_records_do_not_nest() {
    let mut text = String::from("record R0 { n: Int }\n");
    for index in 1..3_000 {
        let _ = writeln!(text, "record R{index} {{ r: R{} }}", index - 1);
    }
    let _ = writeln!(text, "plan p(r: R2999) -> R2999 {{ r }}");
    assert!(!compiled(&text).has_errors());
}

#[test]
fn limits_hold_at_n_and_not_beyond() {
    let lets = |count: usize| {
        let mut text = String::from("fn f(n: Int) -> Int = {\n");
        for index in 1..count {
            let _ = writeln!(text, "let _v{index} = n");
        }
        text.push_str("n\n}\nplan p(n: Int) -> Int { f(n) }");
        text
    };
    let most = plan_ir::interp::FRAME_LOCALS_MAX as usize;
    assert!(codes(&lets(most)).is_empty());
    assert_eq!(codes(&lets(most + 1)), ["E0708"]);

    let lists = |depth: usize| {
        format!("plan p(x: {}Int{}) -> Int {{ x.len() }}", "[".repeat(depth), "]".repeat(depth))
    };
    assert!(codes(&lists(63)).is_empty());
    assert_eq!(codes(&lists(64)), ["E0708"]);

    let fallbacks = |count: usize| {
        let call = "call echo(text: \"a\")";
        let open = format!("{call} with {{ fallback: ").repeat(count);
        let close = " }".repeat(count);
        format!(
            "use sn999 {{ free_echo as echo }}\nplan p() -> String with {{ budget: 0USD, deadline: 24h }} {{ {open}{call}{close} }}"
        )
    };
    assert!(codes(&fallbacks(8)).is_empty());
    assert_eq!(codes(&fallbacks(9)), ["E0404"]);

    let pattern = |depth: usize| {
        format!(
            "enum L {{ Cons(L), Nil }}\nfn f(l: L) -> Int = match l {{ {}_{} => 1, _ => 2 }}\nplan p(l: L) -> Int {{ f(l) }}",
            "Cons(".repeat(depth),
            ")".repeat(depth)
        )
    };
    assert!(codes(&pattern(63)).is_empty());
    assert_eq!(codes(&pattern(64)), ["E0503"]);

    let nodes = |count: usize| {
        let mut text = String::from("plan p(n: Int(0..9)) -> Int {\n");
        for index in 1..count {
            let _ = writeln!(text, "let _v{index} = n + 1");
        }
        text.push_str("n * 2\n}");
        text
    };
    let most = schema::limits::PLAN_NODES_MAX;
    assert!(codes(&nodes(most)).is_empty());
    assert_eq!(codes(&nodes(most + 1)), ["E0708"]);
}

#[test]
fn records_of_the_language_are_found_again_without_a_search() {
    // Each `zip` makes a type of its own; 20,000 of them looked up one by one would take minutes.
    let mut text = String::from("fn f(xs: [Int](..9)) -> Int = {\n");
    for n in 0..20_000 {
        let _ = writeln!(text, "let x{n} = xs.zip({n}.to({n}))");
    }
    text.push_str("xs.len()\n}\n");
    assert!(codes(&text).iter().all(|code| *code == "W0903"), "{:?}", codes(&text).first());
}

#[test]
fn a_type_or_signature_has_a_thousand_members_at_most() {
    let members = |count: usize, member: &str| {
        (0..count).map(|at| member.replace('@', &at.to_string())).collect::<String>()
    };
    for (head, member, tail) in [
        ("record R {", "f@: Int,", "}\n"),
        ("enum E {", "V@,", "}\n"),
        ("fn f(", "a@: Int,", ") -> Int = 1\n"),
        ("plan p(", "a@: Int,", ") -> Int { 1 }\n"),
    ] {
        assert_eq!(codes(&format!("{head}{}{tail}", members(1_000, member))), [""; 0]);
        assert_eq!(codes(&format!("{head}{}{tail}", members(1_001, member))), ["E0708"], "{head}");
    }
}

#[test]
fn a_short_file_cannot_mean_more_than_fits_into_memory() {
    let calls: String = (0..3_000).map(|at| format!("let a{at} = x + {at}\n")).collect();
    let base = format!("plan base(x: Int(0..9)) -> Int {{\n{calls}[a0, a2999].len()\n}}\n");
    let runs = |count: usize| -> String {
        (0..count).map(|at| format!("plan p{at}(x: Int(0..9)) -> Int {{ run base(x) }}\n")).collect()
    };
    assert!(!compiled(&format!("{base}{}", runs(20))).has_errors());
    let compilation = compiled(&format!("{base}{}", runs(2_000)));
    assert_eq!(compilation.diagnostics.iter().filter(|d| d.code.as_str() == "E0708").count(), 1);
    assert!(compilation.plans.is_empty());
}

#[test]
fn a_type_that_doubles_with_each_line_is_refused_in_time() {
    let mut text = String::from("edition 2026\nplan p(c: Bool, r0: Int) -> Int {\n");
    for line in 1..=60 {
        let before = line - 1;
        writeln!(text, "  let r{line} = if c {{ Ok(r{before}) }} else {{ Err(r{before}) }}").unwrap();
    }
    text.push_str("  return r0\n}\n");
    let found = codes(&text);
    assert!(found.contains(&"E0708"), "{found:?}");
    let chained = ".map(x => if c { Ok(x) } else { Err(x) })".repeat(60);
    let found = codes(&format!(
        "edition 2026\nplan p(c: Bool, xs: [Int](..3)) -> Int {{ return xs{chained}.len() }}\n"
    ));
    assert!(found.contains(&"E0708"), "{found:?}");
}

#[test]
fn a_very_long_declaration_with_a_mistake_hides_what_is_wrong_with_types() {
    let file = |lines: usize| {
        let body = "  let a = 1 + 2\n".repeat(lines);
        codes(&format!(
            "edition 2026\nfn f() -> Int = \"a\"\nplan p() -> Int {{\n{body}  let b =\n  return 1\n}}\n"
        ))
    };
    let (short, long) = (file(10), file(5_000));
    let types = |found: &[&str]| found.contains(&"E0301");
    assert!(types(&short), "{short:?}");
    assert!(!long.is_empty() && !types(&long), "{long:?}");
}

/// A text that a plan writes with escapes, quoted by whatever message: in one line, as escapes.
#[test]
fn no_message_holds_what_a_text_hides() {
    let hidden = "a\\nb\\u{1b}c\\r";
    let head = "enum E { A, B }\nuse sn22 { web_crawl as crawl }\nplan p(u: Url) -> String { \"a\" }\n";
    for text in [
        format!("fn f() -> {{String: Int}} = ({{ \"{hidden}\": 1, \"{hidden}\": 2 }})"),
        format!("fn f() -> {{String: Int}} = ({{ \"{hidden}\": true }})"),
        format!("test \"{hidden}\" {{ }}\ntest \"{hidden}\" {{ }}"),
        format!("fn f() -> Url = \"{hidden}\""),
        format!("fn f() -> Url = \"https://{hidden}\""),
        format!("fn f() -> Time = \"{hidden}\""),
        format!("fn f() -> E = \"{hidden}\""),
        format!("fn f(e: E) -> Int = match e {{ \"{hidden}\" => 1, _ => 2 }}"),
        format!("fn f(e: String) -> Int = match e {{ \"{hidden}\" => 1, \"{hidden}\" => 3 }}"),
        format!("fn f() -> Int = \"{hidden}\""),
        format!("fn f() -> Duration = \"{hidden}\""),
        format!("fn f() -> Int = \"{hidden}\".foo()"),
        format!("fn f() -> Int = \"{hidden}\" as Int"),
        format!("fn f() -> Url = \"{hidden}\" as Url"),
        format!("fn f() -> E = \"{hidden}\" as E"),
        format!("fn f(j: Json) -> Int = j.\"{hidden}\""),
        format!("policy w = {{ timeout: \"{hidden}\", prefer: \"{hidden}\", only: [\"{hidden}\"] }}"),
        format!("policy w = {{ \"{hidden}\": 1 }}"),
        format!("fn f(e: E) -> Int = (({{ \"{hidden}\": e }}) as Int)"),
        format!(
            "test \"a\" {{ mock crawl => fails invalid(\"{hidden}\", 1)\n expect fails run p(\"{hidden}\") with 1 }}"
        ),
    ] {
        let found = compiled(&format!("{head}{text}\n")).diagnostics;
        assert!(!found.is_empty(), "{text}");
        for found in found {
            let labels = found.labels.iter().map(|label| &label.text);
            let fix = found.fix.iter().map(|fix| &fix.message);
            let mut parts = labels.chain(&found.notes).chain(&found.help).chain(fix).chain([&found.message]);
            assert!(parts.all(|part| !part.contains(char::is_control)), "{text}: {found:?}");
        }
    }
}
