//! Functions that order, count and total.

use schema::amount::{Amount, Currency, Rate};

use super::*;
use crate::interp::{Meter, NoEnv, eval};

/// `xs.op(args.., x => body)` where `body` is built over the parameter.
fn with_body(
    op: Builtin,
    list: Literal,
    args: &[i64],
    body: impl FnOnce(&mut Program, crate::expr::ExprId) -> crate::expr::ExprId,
    ty: Type,
) -> Result<Value, TrapKind> {
    let mut program = Program::new();
    let Type::List(element, _) = list.1.clone() else { panic!("no list") };
    let list = program.constant(list);
    let mut operands = vec![list];
    operands.extend(args.iter().map(|arg| program.constant(*arg)));
    let x = program.local();
    let read = program.read(x, *element);
    let body = body(&mut program, read);
    let lambda = Some(crate::expr::Lambda { params: vec![x], body });
    let whole = program.add(Expr::Builtin { op, args: operands, lambda }, ty);
    program.eval(whole).map_err(|trap| trap.kind)
}

/// `xs.op(args.., x => x.len())` over texts.
fn by_length(op: Builtin, items: Vec<&str>, args: &[i64]) -> Result<Value, TrapKind> {
    let length = |program: &mut Program, x| program.builtin(Builtin::Len, &[x], Type::INT);
    with_body(op, items.into(), args, length, Type::list(Type::STRING))
}

fn texts(items: &[&str]) -> Value {
    Value::list(items.iter().map(|text| Value::string(*text)))
}

fn rao(units: u64) -> Amount {
    Amount::new(units, Currency::Rao)
}

fn micro_usd(units: u64) -> Amount {
    Amount::new(units, Currency::MicroUsd)
}

#[test]
fn sorting_is_ascending_and_stable() {
    let list = Type::list(Type::INT);
    assert_eq!(call(Builtin::Sort, vec![vec![3, 1, 2, 1].into()], list.clone()), Ok(ints(&[1, 1, 2, 3])));
    assert_eq!(call(Builtin::Sort, vec![Vec::<i64>::new().into()], list.clone()), Ok(ints(&[])));
    assert_eq!(call(Builtin::Reverse, vec![vec![3, 1, 2].into()], list), Ok(ints(&[2, 1, 3])));
    let floats = vec![0.5, -1e300, f64::MAX, 0.0].into();
    assert_eq!(
        call(Builtin::Sort, vec![floats], Type::list(Type::FLOAT)),
        Ok(Value::list([-1e300, 0.0, 0.5, f64::MAX].map(Value::Float)))
    );
    // By scalars: an umlaut comes behind every letter without one, a capital before every small one.
    let words = vec!["zebra", "Ärger", "a", "", "B", "😀"].into();
    assert_eq!(
        call(Builtin::Sort, vec![words], Type::list(Type::STRING)),
        Ok(texts(&["", "B", "a", "zebra", "Ärger", "😀"]))
    );
    assert_eq!(
        by_length(Builtin::SortBy, vec!["bb", "c", "aa", "", "a"], &[]),
        Ok(texts(&["", "c", "a", "bb", "aa"]))
    );
    for kind in [Value::Time, Value::Duration] {
        let values = (Value::list([2, -1, 0].map(kind)), Type::list(Type::Duration));
        let sorted = call(Builtin::Sort, vec![values.into()], Type::list(Type::Duration));
        assert_eq!(sorted, Ok(Value::list([-1, 0, 2].map(kind))));
    }
}

#[test]
fn the_largest_come_first_and_equals_in_their_order() {
    let words = || vec!["bb", "c", "aa", "ddd", "ee"];
    for (n, taken) in [
        (0, &[][..]),
        (-5, &[]),
        (1, &["ddd"]),
        (3, &["ddd", "bb", "aa"]),
        (5, &["ddd", "bb", "aa", "ee", "c"]),
        (i64::MAX, &["ddd", "bb", "aa", "ee", "c"]),
    ] {
        assert_eq!(by_length(Builtin::Top, words(), &[n]), Ok(texts(taken)), "{n}");
    }
    assert_eq!(by_length(Builtin::Top, vec![], &[2]), Ok(texts(&[])));
}

#[test]
fn extremes_are_the_first_of_their_kind() {
    let maybe = Type::INT.optional();
    for (items, least, most) in [
        (vec![2, 1, 3], Value::Int(1), Value::Int(3)),
        (vec![7], Value::Int(7), Value::Int(7)),
        (vec![], Value::Null, Value::Null),
        (vec![i64::MAX, i64::MIN], Value::Int(i64::MIN), Value::Int(i64::MAX)),
    ] {
        assert_eq!(call(Builtin::Min, vec![items.clone().into()], maybe.clone()), Ok(least));
        assert_eq!(call(Builtin::Max, vec![items.into()], maybe.clone()), Ok(most));
    }
    let words = || vec!["bb", "c", "aa", "a"];
    assert_eq!(by_length(Builtin::MinBy, words(), &[]), Ok(Value::string("c")));
    assert_eq!(by_length(Builtin::MaxBy, words(), &[]), Ok(Value::string("bb")));
    assert_eq!(by_length(Builtin::MaxBy, vec![], &[]), Ok(Value::Null));
}

#[test]
fn amounts_are_ordered_by_worth_where_a_rate_is_pinned() {
    // At 300 USD for one TAO, 1,000 rao are 0.0003 USD.
    let amounts = || vec![micro_usd(400), rao(1_000), micro_usd(0), micro_usd(300)];
    let run = |op, rate, items: Vec<Amount>| {
        let mut program = Program::new();
        program.body.rate = rate;
        let list = program.constant(items);
        let whole = program.builtin(op, &[list], Type::list(Type::Amount));
        program.eval(whole).map_err(|trap| trap.kind)
    };
    let rate = Some(Rate { micro_usd_per_tao: 300_000_000 });
    let list = |items: &[Amount]| Value::list(items.iter().copied().map(Value::Amount));
    let sorted = [micro_usd(0), rao(1_000), micro_usd(300), micro_usd(400)];
    assert_eq!(run(Builtin::Sort, rate, amounts()), Ok(list(&sorted)));
    assert_eq!(run(Builtin::Max, rate, amounts()), Ok(Value::Amount(micro_usd(400))));
    assert_eq!(run(Builtin::Sum, rate, amounts()), Ok(Value::Amount(micro_usd(1_000))));
    // Without one they mix only where one of them is nothing.
    for op in [Builtin::Sort, Builtin::Min, Builtin::Sum] {
        assert!(matches!(run(op, None, amounts()), Err(TrapKind::NoRate)), "{op:?}");
    }
    let mixed = vec![rao(5), micro_usd(0), rao(3)];
    assert_eq!(run(Builtin::Sort, None, mixed.clone()), Ok(list(&[micro_usd(0), rao(3), rao(5)])));
    assert_eq!(run(Builtin::Max, None, mixed), Ok(Value::Amount(rao(5))));
}

#[test]
fn sums_go_from_left_to_right() {
    let sum = |items: Literal, ty: Type| call(Builtin::Sum, vec![items], ty);
    assert_eq!(sum(vec![1, 2, 3].into(), Type::INT), Ok(Value::Int(6)));
    assert_eq!(sum(vec![0.1, 0.2, 0.3].into(), Type::FLOAT), Ok(Value::Float(0.1 + 0.2 + 0.3)));
    for (ty, zero) in [
        (Type::INT, Value::Int(0)),
        (Type::FLOAT, Value::Float(0.0)),
        (Type::Duration, Value::Duration(0)),
        (Type::Amount, Value::Amount(micro_usd(0))),
    ] {
        assert_eq!(sum((Value::list([]), Type::list(ty.clone())).into(), ty), Ok(zero));
    }
    let spans = (Value::list([1, -3].map(Value::Duration)), Type::list(Type::Duration));
    assert_eq!(sum(spans.into(), Type::Duration), Ok(Value::Duration(-2)));
    assert_eq!(sum(vec![rao(1), rao(2)].into(), Type::Amount), Ok(Value::Amount(rao(3))));
    // What overflows on the way overflows, even if the rest would bring it back.
    assert_eq!(sum(vec![i64::MAX, 1, -1].into(), Type::INT), Err(TrapKind::Overflow));
    assert_eq!(sum(vec![f64::MAX, f64::MAX, -f64::MAX].into(), Type::FLOAT), Err(TrapKind::Overflow));
    assert_eq!(sum(vec![rao(u64::MAX), rao(1)].into(), Type::Amount), Err(TrapKind::Overflow));
}

#[test]
fn averages_stay_between_their_elements() {
    let average = |items: Literal| call(Builtin::Average, vec![items], Type::FLOAT.optional());
    assert_eq!(average(vec![1, 2].into()), Ok(Value::Float(1.5)));
    assert_eq!(average(Vec::<i64>::new().into()), Ok(Value::Null));
    // Their sum by three would be 0.10000000000000002.
    assert_eq!(average(vec![0.1, 0.1, 0.1].into()), Ok(Value::Float(0.1)));
    // Integers do not overflow on the way.
    assert_eq!(average(vec![i64::MAX, i64::MAX].into()), Ok(Value::Float(i64::MAX as f64)));
    assert_eq!(average(vec![i64::MIN, i64::MAX].into()), Ok(Value::Float(-0.5)));
    assert_eq!(average(vec![f64::MAX, f64::MAX].into()), Err(TrapKind::Overflow));
}

#[test]
fn what_passes_is_counted_and_found() {
    let maybe = Type::INT.optional();
    for (items, count, found, place) in [
        (vec![0, 2, 1, 3], 2, Value::Int(2), Value::Int(1)),
        (vec![0, 1], 0, Value::Null, Value::Null),
        (vec![], 0, Value::Null, Value::Null),
    ] {
        assert_eq!(above_one(Builtin::Count, items.clone(), Type::INT), Ok(Value::Int(count)), "{items:?}");
        assert_eq!(above_one(Builtin::Find, items.clone(), maybe.clone()), Ok(found), "{items:?}");
        assert_eq!(above_one(Builtin::Position, items.clone(), maybe.clone()), Ok(place), "{items:?}");
    }
}

/// Steps used by `xs.op()` for a list of `items`.
fn steps(op: Builtin, items: Literal, ty: Type) -> u64 {
    let mut program = Program::new();
    let list = program.constant(items);
    let whole = program.builtin(op, &[list], ty);
    let mut meter = Meter::default();
    let before = meter.fuel();
    eval(&program.body, &program.fragment(whole), &[], &NoEnv, &mut meter).unwrap();
    before - meter.fuel()
}

#[test]
fn the_order_of_the_elements_does_not_change_the_charge() {
    let list = Type::list(Type::INT);
    let up: Vec<i64> = (0..1_000).collect();
    let down: Vec<i64> = (0..1_000).rev().collect();
    assert_eq!(steps(Builtin::Sort, up.into(), list.clone()), steps(Builtin::Sort, down.into(), list));
    // Long texts that agree for long take longer to compare, and are charged for it.
    let long = "x".repeat(32_000);
    let words = |text: &str| -> Literal { vec![text; 8].into() };
    let texts = Type::list(Type::STRING);
    let (short, long) =
        (steps(Builtin::Sort, words("x"), texts.clone()), steps(Builtin::Sort, words(&long), texts));
    // Four levels of 8,000 steps, and what the result is written out for.
    assert_eq!(long - short, 32_000);
}
