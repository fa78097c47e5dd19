//! Budgets and deadlines beyond what the pages show.

use plan_compiler::{Options, Source, compile};

use crate::common::{codes, compiled, lock_with_rate};

const ECHO: &str = "use sn999 { echo, tao_echo, free_echo, rent }\n";

#[test]
fn pinned_prices_need_no_max_price() {
    let text = format!(
        "{ECHO}plan p() -> String with {{ budget: 0.002USD, deadline: 1m }} {{ call echo(text: \"a\") }}
plan q() -> String with {{ budget: 0.001USD, deadline: 1m }} {{ call echo(text: \"a\") }}
plan r() -> String with {{ budget: 0USD, deadline: 1m }} {{ call free_echo(text: \"a\") }}"
    );
    assert_eq!(codes(&text), ["E0701"]);
    let cheap = format!(
        "{ECHO}plan p() -> String with {{ budget: 1USD, deadline: 1m }} {{ call echo(text: \"a\") with {{ max_price: 0.001USD }} }}"
    );
    assert_eq!(codes(&cheap), ["E0408"]);
}

#[test]
fn two_currencies_meet_at_the_pinned_rate() {
    let text = format!(
        "{ECHO}plan p() -> String with {{ budget: 0.01USD, deadline: 1m }} {{ call tao_echo(text: \"a\") }}"
    );
    assert_eq!(codes(&text), ["E0707"]);
    let lock = lock_with_rate();
    let compilation = compile(&Source { name: "p.orch", text: &text }, &lock, &Options::default());
    assert!(!compilation.has_errors());
    let sum = Source { name: "p.orch", text: "fn f() -> Amount = 1TAO + 0.1USD" };
    assert!(!compile(&sum, &lock, &Options::default()).has_errors());
    // 10,000 rao at 300 USD for one TAO.
    assert_eq!(compilation.bounds[0].cost.to_string(), "0.003 USD");
}

#[test]
fn a_symbolic_budget_counts_with_its_default() {
    let plan = |default: &str| {
        format!(
            "{ECHO}plan p(purse: Amount{default}) -> String with {{ budget: purse, deadline: 1m }} {{ call echo(text: \"a\") }}"
        )
    };
    assert!(codes(&plan("")).is_empty());
    let compilation = compiled(&plan(""));
    let (symbolic, bound) = compilation.plan("p").unwrap();
    let text = plan_ir::explain::explain(symbolic, bound);
    assert!(text.contains("costs at most 0.002 USD of a budget that the inputs say"), "{text}");
    assert!(codes(&plan(" = 0.002USD")).is_empty());
    assert_eq!(codes(&plan(" = 0.001USD")), ["E0701"]);
}

#[test]
fn the_budget_of_a_sub_plan_is_known_before_the_run() {
    let plan = |arg: &str| {
        format!(
            "{ECHO}plan p(purse: Amount = 1USD) -> String with {{ budget: 1USD, deadline: 1m }} {{
  let _n = call echo(text: \"a\")
  run q(cap: {arg})
}}
plan q(cap: Amount) -> String with {{ budget: cap, deadline: 1m }} {{ call echo(text: \"a\") }}"
        )
    };
    assert!(codes(&plan("0.5USD")).is_empty());
    assert!(codes(&plan("purse")).is_empty());
    assert_eq!(codes(&plan("0.5USD * _n.len()")), ["E0404"]);
}

/// What a part can spend is all it counts, and that is said where it counts.
#[test]
fn a_part_counts_no_more_than_its_own_budget() {
    const CRAWL: &str = "use sn22 { web_crawl as crawl }\npolicy web = { timeout: 1s, max_price: 0.01USD }\n";
    let plan = |limits: &str, a: &str| {
        format!(
            "{CRAWL}plan p(u: [Url](..9), v: Url) -> [String] with {{ {limits} }} {{\n  let a = {a}\n  \
             let b = call crawl(url: v) with web\n  return a.concat([b])\n}}\n\
             plan q(u: [Url](..9)) -> [String] with {{ budget: 0.03USD, deadline: 9s }} {{\n  \
             for x in u with {{ on_error: drop }} {{ call crawl(url: x) with web }}\n}}"
        )
    };
    let read = "for x in u with { budget: 0.03USD, on_error: drop } { call crawl(url: x) with web }";
    let tried = "[match try call crawl(url: v) with web { retry: { max: 5 }, budget: 0.03USD } { Ok(t) => t, Err(_) => \"\" }]";
    for (a, own) in [(read, 1), ("run q(u)", 0), (tried, 1)] {
        // The warning about the part itself, and that of `q`.
        let warnings = vec!["W0901"; own + 1];
        let cost = |text: &str| compiled(text).plan("p").unwrap().1.cost.to_string();
        let fits = plan("budget: 0.04USD, deadline: 20s", a);
        assert_eq!((codes(&fits), cost(&fits).as_str()), (warnings, "0.04 USD"), "{a}");
        assert!(codes(&plan("budget: 0.0399USD, deadline: 20s", a)).contains(&"E0701"), "{a}");
    }
    let compilation = compiled(&plan("budget: 0.04USD, deadline: 20s", read));
    let (compiled, bound) = compilation.plan("p").unwrap();
    let text = plan_ir::explain::explain(compiled, bound);
    assert!(text.contains("9 u x 0.01 USD, declared; until a budget of 0.03 USD is spent"), "{text}");
}

#[test]
fn each_page_of_an_answer_is_a_request() {
    let plan = |elements: u32, pages: u32| {
        format!(
            "use sn22 {{ web_search as search }}\nplan p(topics: [String(1..9)](..{elements})) -> Int with {{ budget: 1000USD, deadline: 7d }} {{\n  \
             let all = for topic in topics {{ call search(query: topic) with {{ timeout: 1s, retry: {{ max: 1 }}, page: {{ max: {pages} }}, max_price: 0.001USD }} }}\n  all.len()\n}}"
        )
    };
    let compilation = compiled(&plan(2, 3));
    let (compiled, bound) = compilation.plan("p").unwrap();
    assert_eq!(bound.requests, 2 * 2 * 3);
    assert!(plan_ir::explain::explain(compiled, bound).contains("sends at most 12 requests"));
    assert!(codes(&plan(100, 100)).is_empty());
    assert_eq!(codes(&plan(101, 100)), ["E0709"]);
}

#[test]
fn plans_that_others_run_need_no_budget() {
    let text = format!(
        "{ECHO}plan p() -> String with {{ budget: 1USD, deadline: 1m }} {{ run q() }}
plan q() -> String {{ call echo(text: \"a\") }}
plan r() -> Int {{ 1 }}"
    );
    assert!(codes(&text).is_empty());
    assert_eq!(compiled(&text).plans.len(), 3);
}

/// Each of its labels says how a part of the sum comes about.
#[test]
fn a_deadline_is_counted_as_a_budget_is() {
    let plan = |policy: &str, each: &str| {
        format!(
            "use sn22 {{ web_crawl as crawl }}\nplan p(urls: [Url](..9), last: Url) -> [String] with {{ budget: 1USD, deadline: 5s }} {{\n  \
             let all = for url in urls with {{ {each} }} {{ call crawl(url) with {{ max_price: 0.01USD, {policy} }} }}\n  \
             all.concat([call crawl(url: last) with {{ timeout: 500ms, max_price: 0.01USD }}])\n}}"
        )
    };
    let told = |policy: &str, each: &str| {
        let found = compiled(&plan(policy, each)).diagnostics;
        assert_eq!(found.iter().map(|found| found.code.as_str()).collect::<Vec<_>>(), ["E0704"]);
        let texts: Vec<String> = found[0].labels.iter().map(|label| label.text.clone()).collect();
        (found[0].message.clone(), texts)
    };
    let longest = |time: &str| format!("`p` can take {time}, longer than its deadline of 5 s");
    for (policy, each, time, how) in [
        ("timeout: 8s", "concurrency: 9", "8 s", "8 s"),
        ("timeout: 4s", "concurrency: 4", "12 s", "3 rounds of urls x 4 s = 12 s"),
        (
            "timeout: 4s, retry: { max: 1, backoff: 200ms }",
            "",
            "8.4 s",
            "2 attempts x 4 s + waits of 0.4 s = 8.4 s",
        ),
        (
            "timeout: 4s, retry: { max: 1, backoff: 200ms }",
            "concurrency: 1",
            "75.6 s",
            "9 rounds of urls x (2 attempts x 4 s + waits of 0.4 s) = 75.6 s",
        ),
    ] {
        let (message, labels) = told(policy, each);
        assert_eq!(message, longest(time));
        assert_eq!(labels, [format!("`crawl`: {how}"), "the deadline is 5 s".to_owned()]);
    }
    let (message, labels) =
        told("timeout: 4s, fallback: call crawl(url) with { timeout: 2s, max_price: 0.01USD }", "");
    assert_eq!((message, labels.len()), (longest("6 s"), 3));
    assert_eq!(labels[..2], ["`crawl`: 4 s", "`crawl`: 2 s"]);
}

#[test]
fn of_calls_that_take_equally_long_the_first_is_told() {
    let call = "call crawl(url) with { timeout: 4s, max_price: 0.01USD }";
    let text = format!(
        "use sn22 {{ web_crawl as crawl }}\nplan p(url: Url) -> [String] with {{ budget: 1USD, deadline: 3s }} {{\n  \
         let a = {call}\n  let b = {call}\n  let c = {call}\n  [a, b, c]\n}}"
    );
    let found = compiled(&text).diagnostics;
    assert_eq!(found.iter().map(|found| found.code.as_str()).collect::<Vec<_>>(), ["E0704"]);
    let mut labels = found[0].labels.iter().filter(|label| label.text.starts_with("`crawl`"));
    let label = labels.next().unwrap();
    assert!(text[..label.span.range().start].ends_with("let a = "), "{found:?}");
    assert!(labels.next().is_none(), "{found:?}");
}

/// Of a plan, a loop, a call and a fallback: each says what it is for and what it would have to be.
#[test]
fn what_is_above_a_limit_is_labelled_and_can_be_raised() {
    let plan = |limits: &str, each: &str, call: &str| {
        format!(
            "use sn22 {{ web_crawl as crawl }}\nplan p(urls: [Url](..9)) -> [String] with {{ {limits} }} {{\n  \
             for url in urls{each} {{ call crawl(url) with {{ timeout: 4s, max_price: 0.01USD{call} }} }}\n}}"
        )
    };
    let enough = "budget: 1USD, deadline: 9s";
    let fallback = ", fallback: call crawl(url) with { timeout: 1s, max_price: 0.03USD, budget: 0.02USD }";
    for (text, code, labels, raised) in [
        (
            plan("budget: 0.08USD, deadline: 9s", "", ""),
            "E0701",
            ["the budget is 0.08 USD", "`crawl`: 9 urls x 0.01 USD = 0.09 USD"],
            "raise the budget to `0.09USD`",
        ),
        (
            plan("budget: 1USD, deadline: 3s", "", ""),
            "E0704",
            ["the deadline is 3 s", "`crawl`: 4 s"],
            "raise the deadline to `4s`",
        ),
        (
            plan(enough, " with { budget: 0.08USD }", ""),
            "E0701",
            ["its budget is 0.08 USD", "`crawl`: 9 urls x 0.01 USD"],
            "raise its budget to `0.09USD`",
        ),
        (
            plan(enough, "", ", retry: { max: 1 }, budget: 0.015USD"),
            "E0701",
            ["its budget is 0.015 USD", "`crawl`: 9 urls x 2 attempts x 0.01 USD"],
            "raise its budget to `0.02USD`",
        ),
        (
            plan(enough, "", fallback),
            "E0701",
            ["its budget is 0.02 USD", "`crawl`: 9 urls x 0.03 USD"],
            "raise its budget to `0.03USD`",
        ),
    ] {
        let found = compiled(&text).diagnostics;
        assert_eq!(found.iter().map(|found| found.code.as_str()).collect::<Vec<_>>(), [code], "{text}");
        for label in labels {
            assert!(found[0].labels.iter().any(|known| known.text == label), "{label}\n{found:#?}");
        }
        let fix = found[0].fix.as_ref().unwrap();
        assert_eq!(fix.message, raised);
        let limit = found[0].labels.iter().find(|label| label.primary).unwrap().span;
        assert_eq!(fix.edits[0].span, limit, "what is raised is what the message points at");
        assert!(codes(&fix.apply(&text).unwrap()).is_empty(), "{raised}");
    }
}

/// Nobody gets such a plan by accident: it is there only for who asks for it, and only where nothing else is wrong.
#[test]
fn plans_beyond_their_limits_are_kept_to_be_explained() {
    let plan = |limits: &str| {
        format!(
            "{ECHO}plan p() -> String with {{ {limits} }} {{ call echo(text: \"a\") with {{ timeout: 4s }} }}\n"
        )
    };
    let kept = |text: &str, options: &Options| {
        let compilation = compile(&Source { name: "p.orch", text }, crate::common::lock(), options);
        assert!(compilation.has_errors());
        (compilation.plans.len(), compilation.bounds.len(), compilation.sub_plans.len())
    };
    let with_sub_plan = format!(
        "{}plan q() -> String with {{ budget: 1USD, deadline: 9s }} {{ run p() }}",
        plan("budget: 0USD, deadline: 9s")
    );
    for (text, all) in [
        (plan("budget: 0.001USD, deadline: 9s"), (1, 1, 0)),
        (plan("budget: 1USD, deadline: 1s"), (1, 1, 0)),
        (plan("budget: 1USD"), (1, 1, 0)),
        (with_sub_plan, (2, 2, 1)),
    ] {
        assert_eq!(kept(&text, &Options::to_explain()), all, "{text}");
        for options in [Options::default(), Options::with_tests()] {
            assert_eq!(kept(&text, &options), (0, 0, 0), "{text}");
        }
        let more = format!("{text}fn f() -> Int = true");
        assert_eq!(kept(&more, &Options::to_explain()), (0, 0, 0), "{text}");
    }
    let no_bound = format!(
        "{ECHO}plan p(words: [String]) -> [String] with {{ budget: 0USD, deadline: 9s }} {{ for word in words {{ call echo(text: word) }} }}"
    );
    assert_eq!(kept(&no_bound, &Options::to_explain()), (0, 0, 0));
}

#[test]
fn what_cannot_be_raised_is_not_offered_to_be() {
    let of_the_input = "use sn22 { web_crawl as crawl }\n\
        plan p(url: Url, purse: Amount = 0.001USD) -> String with { budget: purse, deadline: 9s } {\n  \
        call crawl(url) with { timeout: 4s, max_price: 0.01USD }\n}";
    // A deadline is at most seven days.
    let too_long = "use sn22 { web_crawl as crawl }\n\
        plan p(urls: [Url](..9)) -> [String] with { budget: 1USD, deadline: 7d } {\n  \
        for url in urls with { concurrency: 1 } { call crawl(url) with { timeout: 1d, max_price: 0.01USD } }\n}";
    // For other runs of its plan the parameter may be another.
    let of_a_parameter = "use sn22 { web_crawl as crawl }\n\
        plan p(urls: [Url](..9)) -> Int with { budget: 1USD, deadline: 1h } { run q(urls, b: 0.02USD) }\n\
        plan q(urls: [Url](..9), b: Amount) -> Int {\n  \
        let all = for url in urls with { budget: b, concurrency: 1 } { call crawl(url) with { timeout: 4s, max_price: 0.01USD } }\n  \
        all.len()\n}";
    for (text, code) in [(of_the_input, "E0701"), (too_long, "E0704"), (of_a_parameter, "E0701")] {
        let found = compiled(text).diagnostics;
        assert_eq!(found[0].code.as_str(), code);
        assert_eq!(found[0].fix, None, "{code}");
    }
}

/// Two calls by one policy are told to raise its budget to the same.
#[test]
fn a_budget_that_several_share_is_raised_for_the_dearest() {
    let text = "use sn22 { web_crawl as crawl }\npolicy cheap = { budget: 0.005USD, timeout: 4s }\n\
        plan p(url: Url) -> String with { budget: 1USD, deadline: 1m } {\n  \
        let one = call crawl(url) with cheap { max_price: 0.01USD }\n  \
        let two = call crawl(url) with cheap { max_price: 0.02USD }\n  one + two\n}";
    let found = compiled(text).diagnostics;
    let raised: Vec<&str> =
        found.iter().flat_map(|found| &found.fix).map(|fix| fix.edits[0].text.as_str()).collect();
    assert_eq!(raised, ["0.02USD", "0.02USD"], "{found:?}");
}

/// What is told to be declared may be: no deadline is longer than seven days.
#[test]
fn a_deadline_that_is_missing_is_one_that_there_can_be() {
    let text = "use sn22 { web_crawl as crawl }\n\
        plan p(urls: [Url](..9)) -> [String] with { budget: 1USD } {\n  \
        for url in urls with { concurrency: 1 } { call crawl(url) with { timeout: 1d, max_price: 0.01USD } }\n}";
    let found = compiled(text).diagnostics;
    assert_eq!(found[0].code.as_str(), "E0705");
    assert_eq!(found[0].help.as_deref(), Some("add `deadline: 168h` to its policy"));
}

/// It is laid out as a loop over one element, which nobody wrote.
#[test]
fn a_sub_plan_that_is_tried_is_counted_as_it_is_written() {
    let text = "use sn22 { web_search as search }\n\
        plan p() -> Int with { budget: 0.01USD, deadline: 5s } {\n  match try run q() { Ok(n) => n, Err(_) => 0 }\n}\n\
        plan q() -> Int {\n  let found = call search(query: \"x\") with { timeout: 4s, max_price: 0.01USD }\n  found.data.len()\n}";
    let compilation = compiled(text);
    let (_, bound) = compilation.plan("p").unwrap();
    assert_eq!(bound.contributors[0].factors(), "0.01 USD");
}

#[test]
fn a_narrowed_argument_bounds_the_loop_of_a_sub_plan() {
    let text = format!(
        "{ECHO}plan p(words: [String](..50)) -> Int with {{ budget: 0.006USD, deadline: 1m }} {{ run q(words: words.take(3)) }}
plan q(words: [String](..50)) -> Int {{
  let all = for word in words {{ call echo(text: \"{{word}}!\") }}
  all.len()
}}"
    );
    assert!(codes(&text).is_empty());
    assert_eq!(compiled(&text).plan("p").unwrap().1.cost.to_string(), "0.006 USD");
}

#[test]
fn the_dearest_operation_of_a_capability_counts() {
    let text = format!(
        "{ECHO}capability say(text: String(1..)) -> String
adapter sn999.free_echo as say {{
  request = {{ text }}
  response = t => t
}}
adapter sn999.echo as say {{
  request = {{ text }}
  response = t => t
}}
plan p() -> String with {{ budget: 1USD, deadline: 1m }} {{ call say(text: \"a\") }}
plan q() -> String with {{ budget: 1USD, deadline: 1m }} {{ call say(text: \"a\") with {{ max_price: 0.001USD }} }}"
    );
    assert!(codes(&text).is_empty());
    let compilation = compiled(&text);
    assert_eq!(compilation.plan("p").unwrap().1.cost.to_string(), "0.002 USD");
    assert_eq!(compilation.plan("q").unwrap().1.cost.to_string(), "0 USD");
}

#[test]
fn unsafe_operations_are_never_retried() {
    let plan = |retry: &str| {
        format!(
            "{ECHO}plan p() -> String with {{ budget: 1USD, deadline: 5m }} {{ call rent(text: \"a\") with {{ retry: {{ max: {retry} }} }} }}"
        )
    };
    assert_eq!(codes(&plan("1")), ["E0405"]);
    assert!(codes(&plan("0")).is_empty());
}
