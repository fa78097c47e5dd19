//! Whole plans: what they compile to and what they are told.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod common;

use common::{compiled, shown};

#[test]
fn competitive_analysis() {
    let text = include_str!("plans/analyse.orch");
    let compilation = compiled(text);
    println!("{}", shown(text));
    let (plan, bound) = compilation.plan("analyse").unwrap();
    println!("{bound:#?}");
    println!("{:#?}", plan.graph);
    plan_ir::validate::validate(plan).unwrap();
}

#[test]
fn others() {
    println!("{}", shown(include_str!("plans/answer.orch")));
    println!("{}", shown(include_str!("plans/screen.orch")));
}
