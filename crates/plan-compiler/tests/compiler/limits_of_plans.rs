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
