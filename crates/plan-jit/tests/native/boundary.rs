//! What comes in from outside, and what native code does not take.

use plan_ir::expr::{BinaryOp, Expr, ExprId, Fragment, LocalId};
use plan_ir::interp::{Meter, NoEnv, TrapKind, eval};
use plan_jit::{Coverage, Outcome, Refused};
use schema::limits::LIST_ELEMENTS_MAX;
use schema::types::Type;
use schema::value::Value;

use crate::common::{Arguments, ENGINE, floats, ints, plan};

#[test]
fn numbers_that_no_plan_may_hold_are_left_to_the_interpreter() {
    let plan = plan("plan p(xs: [Float]) -> [Bool] { xs.map(x => x < 1.0) }");
    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0] {
        let (_, outcome) = plan.both(vec![floats(&[0.5, wrong])]);
        assert_eq!(outcome, Outcome::Undecided, "{wrong}");
    }
    let (expected, outcome) = plan.both(vec![floats(&[0.5, 0.0])]);
    assert_eq!(outcome, Outcome::Done(expected));
}

#[test]
fn values_of_another_type_are_left_to_the_interpreter() {
    let plan = plan("plan p(xs: [Int]) -> [Int] { xs.map(x => x + 1) }");
    for wrong in [Value::Null, Value::Int(1), floats(&[1.0]), Value::list([Value::Int(1), Value::Null])] {
        let (expected, outcome) = plan.both(vec![wrong]);
        assert!(matches!(expected.unwrap_err().kind, TrapKind::Malformed(_)));
        assert_eq!(outcome, Outcome::Undecided);
    }
    let (expected, outcome) = plan.both(vec![]);
    assert!(matches!(expected.unwrap_err().kind, TrapKind::Malformed(_)));
    assert_eq!(outcome, Outcome::Undecided);
    let long = vec![1; LIST_ELEMENTS_MAX + 1];
    assert_eq!(plan.both(vec![ints(&long)]).1, Outcome::Undecided);
    assert!(matches!(plan.both(vec![ints(&long[1..])]).1, Outcome::Done(Ok(_))));
}

#[test]
fn a_fragment_that_is_not_compiled_is_interpreted() {
    let plan = plan("plan p(x: Int) -> Int { x + 1 }");
    let native = ENGINE.compile(&plan.plan.body).unwrap();
    assert_eq!(native.refused(), [(plan.fragment, Refused::NoLoop)]);
    let args = Arguments(vec![Value::Int(1)]);
    let outcome = native.eval_native(&plan.fragment, &[], &args, &mut Meter::default());
    assert_eq!(outcome, Outcome::NotCompiled);
    assert_eq!(native.eval(&plan.fragment, &[], &args, &mut Meter::default()), Ok(Value::Int(2)));
}

/// A plan body with these expressions, and the fragment of the last one.
fn table(exprs: Vec<(Expr, Type)>, frame: u32) -> (plan_ir::plan::PlanBody, Fragment) {
    let mut body = plan("plan p(x: Int) -> Int { x + 1 }").plan.body.clone();
    let last = ExprId(exprs.len() as u32 - 1);
    (body.exprs.exprs, body.exprs.types) = exprs.into_iter().unzip();
    body.functions.clear();
    body.nodes.clear();
    (body, Fragment { params: 0, frame, body: last })
}

#[test]
fn tables_that_lie_are_refused_or_interpreted_and_never_run_into_memory() {
    let int = |value| (Expr::Const(Value::Int(value)), Type::INT);
    let text = || (Expr::Const(Value::string("a")), Type::STRING);
    let list = || (Expr::Const(ints(&[1])), Type::list(Type::INT));
    let add = |a, b, ty| (Expr::Binary(BinaryOp::Add, ExprId(a), ExprId(b)), ty);
    let local = |n, ty| (Expr::Local(LocalId(n)), ty);
    let bound = |local, value, body, ty| {
        (Expr::Let { local: LocalId(local), value: ExprId(value), body: ExprId(body) }, ty)
    };
    let cases = [
        // Its own operand, an operand that is not there, one that comes later.
        vec![add(0, 0, Type::INT)],
        vec![int(1), add(0, 9, Type::INT)],
        vec![add(1, 1, Type::INT), int(1)],
        // Types that are not so.
        vec![(Expr::Const(Value::string("a")), Type::INT)],
        vec![int(1), text(), add(0, 1, Type::INT)],
        vec![text(), text(), add(0, 1, Type::INT)],
        vec![int(1), (Expr::Field { record: ExprId(0), index: 0, optional: false }, Type::INT)],
        vec![list(), (Expr::Index { list: ExprId(0), index: ExprId(0) }, Type::INT)],
        vec![int(1), (Expr::Unary(plan_ir::expr::UnaryOp::Not, ExprId(0)), Type::Bool)],
        vec![
            int(1),
            (Expr::Variant(7, Some(ExprId(0))), Type::Result(Box::new(Type::INT), Box::new(Type::INT))),
        ],
        // Locals that are not bound, outside their frame, of another type, or bound while they are bound.
        vec![local(0, Type::INT)],
        vec![int(1), local(5, Type::INT), bound(5, 0, 1, Type::INT)],
        vec![int(1), local(0, Type::STRING), bound(0, 0, 1, Type::STRING)],
        vec![int(1), local(0, Type::INT), bound(0, 0, 1, Type::INT), bound(0, 0, 2, Type::INT)],
        // No arm fits.
        vec![int(1), (Expr::Match { scrutinee: ExprId(0), arms: vec![] }, Type::INT)],
    ];
    for exprs in cases {
        let (body, fragment) = table(exprs, 2);
        let native = ENGINE.compile_fragments(&body, &[fragment], Coverage::All).unwrap();
        let expected = eval(&body, &fragment, &[], &NoEnv, &mut Meter::default());
        let outcome = native.eval_native(&fragment, &[], &NoEnv, &mut Meter::default());
        match outcome {
            Outcome::Done(result) => assert_eq!(result, expected, "{:?}", body.exprs),
            Outcome::Undecided | Outcome::NotCompiled => {}
        }
        assert_eq!(native.eval(&fragment, &[], &NoEnv, &mut Meter::default()), expected);
    }
}

#[test]
fn what_is_too_deep_or_too_large_is_refused() {
    let chain = |length: u32| {
        let mut exprs = vec![(Expr::Const(Value::Int(1)), Type::INT)];
        for at in 0..length {
            exprs.push((Expr::Unary(plan_ir::expr::UnaryOp::Negate, ExprId(at)), Type::INT));
        }
        table(exprs, 0)
    };
    for (length, compiles) in [(255, true), (256, false)] {
        let (body, fragment) = chain(length);
        let native = ENGINE.compile_fragments(&body, &[fragment], Coverage::All).unwrap();
        assert_eq!(native.covers(&fragment), compiles, "{length}");
        let expected = eval(&body, &fragment, &[], &NoEnv, &mut Meter::default());
        assert_eq!(native.eval(&fragment, &[], &NoEnv, &mut Meter::default()), expected);
        assert_eq!(expected.is_ok(), compiles, "native code takes all that the interpreter takes");
    }
    // Shared operands double with each line: 2^40 additions.
    let mut exprs = vec![(Expr::Const(Value::Int(0)), Type::INT)];
    for at in 0..40 {
        exprs.push((Expr::Binary(BinaryOp::Add, ExprId(at), ExprId(at)), Type::INT));
    }
    let (body, fragment) = table(exprs, 0);
    let native = ENGINE.compile_fragments(&body, &[fragment], Coverage::All).unwrap();
    assert!(matches!(native.refused(), [(_, Refused::Limit(_))]), "{:?}", native.refused());
}

#[test]
fn functions_that_call_each_other_in_a_circle_are_refused() {
    let (mut body, _) = table(vec![(Expr::Const(Value::Int(1)), Type::INT)], 0);
    body.exprs.exprs.push(Expr::Apply(plan_ir::expr::FnId(0), vec![]));
    body.exprs.types.push(Type::INT);
    let fragment = Fragment { params: 0, frame: 0, body: ExprId(1) };
    body.functions.push(plan_ir::plan::Function { name: "f".into(), fragment });
    let native = ENGINE.compile_fragments(&body, &[fragment], Coverage::All).unwrap();
    assert!(matches!(native.refused(), [(_, Refused::Malformed(_))]), "{:?}", native.refused());
}
