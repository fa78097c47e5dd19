//! Every kind of trap, fired by native code at the place in the text where the interpreter traps.

use plan_ir::interp::{Meter, Quota, Trap, TrapKind};
use plan_jit::Outcome;
use schema::amount::{Amount, Currency};
use schema::value::{Json, Value};

use crate::common::{floats, ints, plan, texts};

/// A plan that native code ends by itself with this code, at this place of its text.
fn traps(text: &str, args: Vec<Value>, code: &str, place: &str) {
    let plan = plan(text);
    let (expected, outcome) = plan.both(args);
    let trap = expected.expect_err(text);
    assert_eq!(outcome, Outcome::Done(Err(trap.clone())), "{text}");
    assert_eq!(trap.kind.code(), code, "{text}");
    let error = trap.to_plan_error(&plan.plan.debug, None);
    let (start, end) = error.span.expect(text);
    assert_eq!(plan.text.get(start as usize..end as usize), Some(place), "{text}");
}

#[test]
fn numbers_out_of_range() {
    for (body, place) in [
        ("x * 4", "x * 4"),
        ("x + 9223372036854775807", "x + 9223372036854775807"),
        ("0 - x - 2 - 9223372036854775807", "0 - x - 2 - 9223372036854775807"),
        ("(1 - x) / (x - 9223372036854775806) * 2", "(1 - x) / (x - 9223372036854775806) * 2"),
    ] {
        let text = format!("plan p(xs: [Int]) -> [Int] {{ xs.map(x => {body}) }}");
        traps(&text, vec![ints(&[1, 9_223_372_036_854_775_807])], "E0801", place);
    }
    let least = vec![ints(&[i64::MIN])];
    traps("plan p(xs: [Int]) -> [Int] { xs.map(x => -x) }", least.clone(), "E0801", "-x");
    traps("plan p(xs: [Int]) -> [Int] { xs.map(x => x / -1) }", least.clone(), "E0801", "x / -1");
    traps("plan p(xs: [Int]) -> [Int] { xs.map(x => x.abs()) }", least.clone(), "E0801", "x.abs()");
    traps("plan p(xs: [Int]) -> Int { xs.sum() }", vec![ints(&[i64::MAX, 1, -1])], "E0801", "xs.sum()");
    // The one quotient that overflows has remainder 0.
    let rest = plan("plan p(xs: [Int]) -> [Int] { xs.map(x => x % -1) }").both(least);
    assert_eq!(rest, (Ok(ints(&[0])), Outcome::Done(Ok(ints(&[0])))));
}

#[test]
fn floats_that_are_not_finite() {
    let large = || vec![floats(&[0.5, 1e308])];
    for (body, place) in [
        ("x * 10.0", "x * 10.0"),
        ("1.0 / (x - 0.5)", "1.0 / (x - 0.5)"),
        ("x % 0.0", "x % 0.0"),
        ("(0.0 - x).sqrt()", "(0.0 - x).sqrt()"),
    ] {
        let text = format!("plan p(xs: [Float]) -> [Float] {{ xs.map(x => {body}) }}");
        traps(&text, large(), "E0801", place);
    }
    traps("plan p(xs: [Float]) -> [Int] { xs.map(x => x.round()) }", large(), "E0801", "x.round()");
    traps("plan p(xs: [Float]) -> Float { xs.sum() }", vec![floats(&[1e308, 1e308])], "E0801", "xs.sum()");
}

#[test]
fn times_and_money_out_of_range() {
    let late = Value::list([Value::Time(0), Value::Time(253_402_300_799_999_999)]);
    traps("plan p(xs: [Time]) -> [Time] { xs.map(t => t + 1ms) }", vec![late], "E0801", "t + 1ms");
    let spans = Value::list([Value::Duration(i64::MAX)]);
    traps("plan p(xs: [Duration]) -> [Duration] { xs.map(d => d * 2) }", vec![spans], "E0801", "d * 2");
    let sums = Value::list([Value::Amount(Amount::new(u64::MAX, Currency::Rao))]);
    traps("plan p(xs: [Amount]) -> [Amount] { xs.map(a => a * 2) }", vec![sums.clone()], "E0801", "a * 2");
    traps("plan p(xs: [Amount]) -> [Amount] { xs.map(a => a * -1) }", vec![sums.clone()], "E0801", "a * -1");
    traps("plan p(xs: [Amount]) -> [Amount] { xs.map(a => a + a) }", vec![sums], "E0801", "a + a");
}

#[test]
fn division_by_zero() {
    traps("plan p(xs: [Int]) -> [Int] { xs.map(x => 8 / x) }", vec![ints(&[2, 0])], "E0802", "8 / x");
    traps("plan p(xs: [Int]) -> [Int] { xs.map(x => 8 % x) }", vec![ints(&[2, 0])], "E0802", "8 % x");
    let sums = Value::list([Value::Amount(Amount::new(8, Currency::Rao))]);
    let text = "plan p(xs: [Amount], n: Int) -> [Amount] { xs.map(a => a / n) }";
    traps(text, vec![sums, Value::Int(0)], "E0802", "a / n");
}

#[test]
fn places_outside_of_a_list() {
    let text = "plan p(xs: [Int]) -> [Int] { xs.map(x => xs[x]) }";
    traps(text, vec![ints(&[0, 2])], "E0803", "xs[x]");
    for wrong in [2, -1, i64::MAX, i64::MIN] {
        let (expected, outcome) = plan(text).both(vec![ints(&[0, wrong])]);
        let Err(Trap { kind: TrapKind::Index { index, length }, .. }) = expected.clone() else { panic!() };
        assert_eq!((index, length), (wrong, 2));
        assert_eq!(outcome, Outcome::Done(expected));
    }
}

#[test]
fn what_does_not_fit_its_type() {
    let text = "plan p(xs: [Int]) -> [Int(0..9)] { xs.map(x => x as Int(0..9)) }";
    traps(text, vec![ints(&[3, 10])], "E0804", "x as Int(0..9)");
    let json = Value::list([Value::Json(Json::Int(1)), Value::Json(Json::String("a".into()))]);
    traps("plan p(xs: [Json]) -> [Int] { xs.map(x => x as Int) }", vec![json], "E0804", "x as Int");
    // Two currencies and no rate.
    let sums =
        Value::list([Amount::new(8, Currency::Rao), Amount::new(8, Currency::MicroUsd)].map(Value::Amount));
    let text = "plan p(xs: [Amount]) -> [Bool] { xs.map(a => a < 1USD) }";
    traps(text, vec![sums], "E0707", "a < 1USD");
}

#[test]
fn a_later_function_of_a_loop_leaves_the_order_of_traps_to_the_interpreter() {
    // The interpreter filters all before it divides: element 2 traps before element 1 does.
    let text =
        "plan p(xs: [Int]) -> [Int] { xs.filter(x => 6 / (x - 2) > 0 || x == 1).map(x => 6 / (x - 1)) }";
    let (expected, outcome) = plan(text).both(vec![ints(&[1, 2])]);
    assert_eq!(expected.as_ref().unwrap_err().kind, TrapKind::DivisionByZero);
    assert_eq!(outcome, Outcome::Undecided);
    // A function on top of a loop comes after it.
    traps(
        "plan p(xs: [Int]) -> [Int] { xs.filter(x => x > 1).sort().map(x => 6 / (x - 2)) }",
        vec![ints(&[1, 2])],
        "E0802",
        "6 / (x - 2)",
    );
}

/// What both engines make of a plan that runs into a limit.
fn limited(text: &str, args: Vec<Value>, meter: &Meter) -> TrapKind {
    let (expected, outcome) = plan(text).both_within(args, meter);
    assert_eq!(outcome, Outcome::Undecided, "{text}");
    expected.expect_err(text).kind
}

#[test]
fn limits_are_decided_by_the_interpreter() {
    let thousand: Vec<i64> = (0..1_000).collect();
    let text = "plan p(xs: [Int]) -> Int { xs.map(x => x + 1).len() }";
    let kind = limited(text, vec![ints(&thousand)], &Meter::new(1_000, 1 << 20));
    assert_eq!(kind, TrapKind::Quota(Quota::Steps));
    let kind = limited(text, vec![ints(&thousand)], &Meter::new(1 << 20, 15_999));
    assert_eq!(kind, TrapKind::Quota(Quota::Bytes));
    let text = "plan p(ts: [String]) -> String { ts.map(t => ts.join(t)).join(\"\") }";
    let long = "x".repeat(10_000);
    let kind = limited(text, vec![texts(&[long.as_str(); 100])], &Meter::default());
    assert_eq!(kind, TrapKind::Quota(Quota::Bytes));
    let text = "plan p(xs: [Int]) -> Int { xs.map(x => xs).flatten().len() }";
    let kind = limited(text, vec![ints(&thousand)], &Meter::default());
    assert_eq!(kind, TrapKind::Quota(Quota::Elements));
}

#[test]
fn exactly_enough_is_enough() {
    let plan = plan("plan p(xs: [Int]) -> [Int] { xs.filter(x => x % 2 == 0).map(x => x * 3) }");
    let args = || vec![ints(&[1, 2, 3, 4])];
    let mut meter = Meter::default();
    let all = Meter::default();
    plan.interpreted(&crate::common::Arguments(args()), &mut meter).unwrap();
    let (fuel, bytes) = (all.fuel() - meter.fuel(), all.bytes() - meter.bytes());
    // What the result takes is looked at, not taken.
    let written = 16 * 3;
    let (expected, outcome) = plan.both_within(args(), &Meter::new(fuel, bytes + written));
    assert_eq!(outcome, Outcome::Done(expected));
    for meter in [Meter::new(fuel - 1, bytes + written), Meter::new(fuel, bytes + written - 1)] {
        let (expected, outcome) = plan.both_within(args(), &meter);
        assert!(matches!(expected, Err(Trap { kind: TrapKind::Quota(_), .. })), "{meter:?}");
        assert_eq!(outcome, Outcome::Undecided);
    }
}

#[test]
fn a_meter_that_runs_out_before_a_trap_is_what_ends_an_evaluation() {
    // What each call charges adds up until the last element traps.
    let plan =
        plan("fn f(x: Int) -> Int = 6 / (x - 2)\nplan p(xs: [Int]) -> [Int] { xs.filter(x => f(x) > 0) }");
    let mut kinds = Vec::new();
    for fuel in 0..120 {
        let (expected, outcome) = plan.both_within(vec![ints(&[3, 4, 5, 2])], &Meter::new(fuel, 1 << 20));
        let kind = expected.unwrap_err().kind;
        assert_eq!(matches!(outcome, Outcome::Undecided), matches!(kind, TrapKind::Quota(_)), "{fuel}");
        kinds.push(kind);
    }
    assert_eq!(kinds.first(), Some(&TrapKind::Quota(Quota::Steps)));
    assert_eq!(kinds.last(), Some(&TrapKind::DivisionByZero));
}
