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
    assert!(codes(&plan(" = 0.002USD")).is_empty());
    assert_eq!(codes(&plan(" = 0.001USD")), ["E0701"]);
}

#[test]
fn the_budget_of_a_sub_plan_is_known_before_the_run() {
    let plan = |arg: &str| {
        format!(
            "{ECHO}plan p(purse: Amount = 1USD) -> String with {{ budget: 1USD, deadline: 1m }} {{
  let n = call echo(text: \"a\")
  run q(cap: {arg})
}}
plan q(cap: Amount) -> String with {{ budget: cap, deadline: 1m }} {{ call echo(text: \"a\") }}"
        )
    };
    assert!(codes(&plan("0.5USD")).is_empty());
    assert!(codes(&plan("purse")).is_empty());
    assert_eq!(codes(&plan("0.5USD * n.len()")), ["E0404"]);
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

/// It is laid out as a loop over one element, which nobody wrote.
#[test]
fn a_sub_plan_that_is_tried_is_counted_as_it_is_written() {
    let text = "use sn22 { web_search as search }\n\
        plan p() -> Int with { budget: 0.01USD, deadline: 5s } {\n  match try run q() { Ok(n) => n, Err(_) => 0 }\n}\n\
        plan q() -> Int {\n  let found = call search(query: \"x\") with { timeout: 4s, max_price: 0.01USD }\n  found.data.len()\n}";
    let compilation = compiled(text);
    let (_, bound) = compilation.plan("p").unwrap();
    assert_eq!(bound.contributors[0].factors, "0.01 USD");
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
