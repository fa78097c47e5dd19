//! Whole plans: what they compile to and what they are told.

use plan_ir::bound::Contributor;
use plan_ir::validate::validate;

use crate::common::{compiled, shown};
use crate::shapes::SHAPES;

#[test]
fn the_competitive_analysis_costs_42_cents_and_takes_53_seconds() {
    let compilation = compiled(include_str!("plans/analyse.orch"));
    let (plan, bound) = compilation.plan("analyse").unwrap();
    validate(plan).unwrap();
    assert_eq!(bound.cost.to_string(), "0.42 USD");
    assert_eq!(bound.latency_us, 53_000_000);
    let factors: Vec<String> = bound.contributors.iter().map(Contributor::factors).collect();
    assert_eq!(
        factors,
        [
            "5 rivals x 2 attempts x 0.004 USD",
            "5 rivals x 4 pages x 2 attempts x 0.004 USD",
            "5 rivals x 2 attempts x 0.02 USD",
            "0.02 USD",
        ]
    );
    assert_eq!(compilation.diagnostics, []);
}

#[test]
fn the_ensemble_costs_11_cents_and_takes_21_seconds() {
    let compilation = compiled(include_str!("plans/answer.orch"));
    let (plan, bound) = compilation.plan("answer").unwrap();
    validate(plan).unwrap();
    assert_eq!(bound.cost.to_string(), "0.11 USD");
    assert_eq!(bound.latency_us, 21_000_000);
}

#[test]
fn the_batch_may_outgrow_its_purse_and_stops_buying() {
    let compilation = compiled(include_str!("plans/screen.orch"));
    let (plan, bound) = compilation.plan("screen").unwrap();
    validate(plan).unwrap();
    assert_eq!(bound.cost.to_string(), "1.6 USD");
    assert_eq!(bound.latency_us, 13 * 12_200_000);
    insta::assert_snapshot!(shown(include_str!("plans/screen.orch")));
}

/// What is measured of a shape is what it says: of one that has errors no plan is made.
#[test]
fn shapes_have_errors_where_they_say_so() {
    for shape in &SHAPES {
        let text = (shape.text)(150);
        let edits = [shape.body, shape.signature].map(|(from, to)| text.replace(from, to));
        for edit in &edits {
            assert_ne!(*edit, text, "{}", shape.name);
        }
        for text in edits.iter().chain([&text]) {
            let found = compiled(text).diagnostics;
            let error = found.iter().find(|found| found.is_error());
            assert_eq!(error.is_some(), shape.has_errors, "{}: {error:?}", shape.name);
        }
    }
}
