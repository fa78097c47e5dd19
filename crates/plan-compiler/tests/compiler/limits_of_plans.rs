//! Plans that are too large because of the plans they run.

use crate::common::{compiled, shown};

/// Plans of which each runs the next `times` times.
fn chain(plans: usize, times: usize) -> String {
    let runs = |next: usize| vec![format!("run p{next}(x)"); times].join(" + ");
    let outer: String = (0..plans - 1)
        .map(|at| format!("plan p{at}(x: Int(0..9)) -> Int {{ {} }}\n", runs(at + 1)))
        .collect();
    format!("{outer}plan p{}(x: Int(0..9)) -> Int {{ x }}\n", plans - 1)
}

fn messages(text: &str) -> Vec<String> {
    compiled(text).diagnostics.into_iter().map(|found| format!("{} {}", found.code, found.message)).collect()
}

#[test]
fn plans_run_plans_a_hundred_deep() {
    assert_eq!(shown(&chain(101, 1)), "");
    let too_deep = |plan: &str| format!("E0708 `{plan}` runs plans in plans more than 100 deep");
    assert_eq!(messages(&chain(102, 1)), [too_deep("p0")]);
    // Those further out are too deep because of it.
    assert_eq!(messages(&chain(130, 1)), [too_deep("p28")]);
}

#[test]
fn of_plans_that_double_the_first_that_is_too_large_is_told() {
    let found = messages(&chain(18, 2));
    assert_eq!(found, ["E0708 `p4` has more than 10000 nodes with its sub-plans"]);
}

#[test]
fn a_fallback_in_braces_is_a_record_of_the_answer() {
    let plan = |fallback: &str| {
        format!(
            "use sn22 {{ web_search }}\nplan p(q: String(1..9)) -> Int with {{ budget: 1USD, deadline: 60s }} {{\n  let x = \
             call web_search(query: q) with {{ fallback: {fallback}, max_price: 0.1USD }}\n  x.data.len()\n}}\n"
        )
    };
    let good = "{ data: [{ title: \"none\", snippet: \"\", link: \"https://a.example\" }] }";
    for fallback in ["{ data: [] }", "WebSearchOutput { data: [] }", good] {
        assert_eq!(shown(&plan(fallback)), "");
    }
    for (fallback, code) in [("{ dta: [] }", "E0304"), ("{ data: 3 }", "E0301"), ("{ data: 20% }", "E0404")] {
        let text = plan(fallback);
        let codes = crate::common::codes(&text);
        assert_eq!(codes, [code], "{}", shown(&text));
    }
}
