//! Plans without calls, evaluated on the spot.

use plan_ir::interp::{PureError, TrapKind, evaluate, evaluate_json};
use schema::value::Value;

use crate::common::{codes, compiled, shown};

const TEXT: &str = "use sn999 { free_echo as echo }
enum Size { Small, Large(Int) }
fn size(n: Int) -> Size = if n < 10 { Size.Small } else { Large(n) }
plan half(n: Int, by: Int = 2) -> Int {
  ensure n >= 0 else \"{n} is below zero\"
  let all = match size(n) {
    Small => 0,
    Large(m) => m / by,
  }
  return all
}
plan twice(n: Int) -> Int {
  return run half(n) + run half(n)
}
plan ask(n: Int) -> String with { budget: 0USD, deadline: 60s } {
  return if n > 0 { call echo(text: \"a\") } else { \"none\" }
}
";

fn value(plan: &str, args: Vec<Value>) -> Result<Value, PureError> {
    let compilation = compiled(TEXT);
    evaluate(compilation.plan(plan).unwrap().0, args)
}

#[test]
fn a_plan_without_calls_has_its_value_at_once() {
    assert_eq!(value("half", vec![Value::Int(20), Value::Int(4)]), Ok(Value::Int(5)));
    assert_eq!(value("half", vec![Value::Int(20)]), Ok(Value::Int(10)), "a default stands in");
    assert_eq!(value("half", vec![Value::Int(9)]), Ok(Value::Int(0)));
    assert_eq!(value("twice", vec![Value::Int(20)]), Ok(Value::Int(20)));
    assert_eq!(value("ask", vec![Value::Int(0)]), Ok(Value::string("none")), "the call is not reached");
}

#[test]
fn what_has_no_value_says_why() {
    let message = "-1 is below zero".to_owned();
    let node = "ensure".to_owned();
    assert_eq!(value("half", vec![Value::Int(-1)]), Err(PureError::Ensure { node, message }));
    let trapped = value("half", vec![Value::Int(20), Value::Int(0)]);
    assert!(matches!(trapped, Err(PureError::Trap(trap)) if trap.kind == TrapKind::DivisionByZero));
    assert!(matches!(value("ask", vec![Value::Int(1)]), Err(PureError::Call { .. })));
    assert_eq!(value("half", vec![]), Err(PureError::Arguments { wanted: 2 }));
    assert_eq!(value("half", vec![Value::Int(1); 3]), Err(PureError::Arguments { wanted: 2 }));
}

#[test]
fn arguments_and_results_are_json_for_whoever_wants_that() {
    let text = "plan p(words: [String](..3), times: Int(0..9) = 2) -> Json { words.map(w => w.len() * times) as Json }\n";
    let compilation = compiled(text);
    let (plan, _) = compilation.root().unwrap();
    assert_eq!(evaluate_json(plan, &["[\"a\", \"bcd\"]"]).as_deref(), Ok("[2,6]"));
    assert_eq!(evaluate_json(plan, &["[\"a\"]", "9"]).as_deref(), Ok("[9]"));
    let refused = |args: &[&str]| evaluate_json(plan, args).unwrap_err().to_string();
    assert_eq!(refused(&["[]", "10"]), "the argument `times`: expected Int(0..9), found 10, at $");
    assert!(refused(&["[\"a\""]).starts_with("the argument `words`: "), "{}", refused(&["[\"a\""]));
    assert_eq!(refused(&[]), "the plan takes 2 arguments");
    assert_eq!(refused(&["[]", "1", "1"]), "the plan takes 2 arguments");
}

/// A literal is the same value as a default and where it is evaluated.
#[test]
fn a_literal_is_a_default_of_json() {
    let literals = [
        "1",
        "-1",
        "1.5",
        "-0.0",
        "\"x\"",
        "true",
        "null",
        "4s",
        "0.5USD",
        "[]",
        "[1]",
        "[1, 1.5, null, [\"a\", {}]]",
        "{}",
        "{ a: 1 }",
        "{ \"a\": null }",
        "{ a: { b: [1, 2s] } }",
        "R { a: 1, b: null } as Json",
        "[R { a: 1, b: 2.5 }]",
        "Mood.Fine as Json",
        "Mood.Bad(3) as Json",
        "[1] as Json",
    ];
    for literal in literals {
        let text = format!(
            "record R {{ a: Int, b: Float? }}\nenum Mood {{ Fine, Bad(Int) }}\n\
             fn of(j: Json = {literal}) -> Json = j\n\
             plan applied() -> Json {{ of() }}\n\
             plan passed(j: Json = {literal}) -> Json {{ j }}\n\
             plan evaluated() -> Json {{ return {literal} }}\n"
        );
        let compilation = compiled(&text);
        assert!(!compilation.has_errors(), "{}", shown(&text));
        let value = |plan| evaluate(compilation.plan(plan).unwrap().0, vec![]).unwrap();
        assert_eq!(value("passed"), value("evaluated"), "{literal}");
        assert_eq!(value("applied"), value("evaluated"), "{literal}");
    }
}

#[test]
fn a_literal_of_many_levels_is_no_default_of_json() {
    let levels = |count| format!("{}1{}", "[".repeat(count), "]".repeat(count));
    let plan = |count| format!("plan p(j: Json = {}) -> Json {{ j }}\n", levels(count));
    let most = schema::limits::JSON_DEPTH_MAX;
    assert_eq!(codes(&plan(most)), [] as [&str; 0]);
    assert_eq!(codes(&plan(most + 1)), ["E0323"]);
}
