//! Functions of numbers, amounts, durations and times.

use schema::amount::{Amount, Currency, Rate};
use schema::text_form::{TIME_US_MAX, TIME_US_MIN, parse_time};

use super::*;

fn time(text: &str) -> Literal {
    Literal(Value::Time(parse_time(text).unwrap()), Type::Time)
}

fn duration(us: i64) -> Literal {
    Literal(Value::Duration(us), Type::Duration)
}

fn usd(micro: u64) -> Amount {
    Amount::new(micro, Currency::MicroUsd)
}

#[test]
fn distances_from_zero() {
    for (number, distance) in
        [(-3, Ok(Value::Int(3))), (3, Ok(Value::Int(3))), (i64::MIN, Err(TrapKind::Overflow))]
    {
        assert_eq!(call(Builtin::Abs, vec![number.into()], Type::INT), distance);
    }
    assert_eq!(call(Builtin::Abs, vec![(-0.5).into()], Type::FLOAT), Ok(Value::Float(0.5)));
    assert_eq!(call(Builtin::Abs, vec![duration(-5)], Type::Duration), Ok(Value::Duration(5)));
    assert_eq!(call(Builtin::Abs, vec![duration(i64::MIN)], Type::Duration), Err(TrapKind::Overflow));
}

#[test]
fn the_smaller_and_the_larger_of_two() {
    let pairs: [(Literal, Literal, Type); 5] = [
        (1.into(), 2.into(), Type::INT),
        ((-0.5).into(), 0.0.into(), Type::FLOAT),
        (duration(-1), duration(1), Type::Duration),
        (time("2026-01-01T00:00:00Z"), time("2026-01-01T00:00:01Z"), Type::Time),
        (usd(1).into(), usd(2).into(), Type::Amount),
    ];
    for (low, high, ty) in pairs {
        for args in [vec![low.clone(), high.clone()], vec![high.clone(), low.clone()]] {
            assert_eq!(call(Builtin::Lesser, args.clone(), ty.clone()), Ok(low.0.clone()));
            assert_eq!(call(Builtin::Greater, args, ty.clone()), Ok(high.0.clone()));
        }
        let clamped = |value: &Literal| {
            call(Builtin::Clamp, vec![value.clone(), low.clone(), high.clone()], ty.clone())
        };
        assert_eq!((clamped(&low), clamped(&high)), (Ok(low.0.clone()), Ok(high.0.clone())));
        // With bounds the wrong way round the upper one stands.
        let crossed = call(Builtin::Clamp, vec![low.clone(), high.clone(), low.clone()], ty.clone());
        assert_eq!(crossed, Ok(low.0.clone()));
    }
    for (value, clamped) in [(-7, 0), (0, 0), (3, 3), (5, 5), (9, 5)] {
        let found = call(Builtin::Clamp, vec![value.into(), 0.into(), 5.into()], Type::INT);
        assert_eq!(found, Ok(Value::Int(clamped)));
    }
    let texts = call(Builtin::Lesser, vec!["a".into(), "b".into()], Type::STRING);
    assert!(matches!(texts, Err(TrapKind::Malformed(_))));
}

#[test]
fn amounts_of_two_currencies_take_a_rate() {
    let args = || vec![Literal::from(usd(300)), Amount::new(1_000, Currency::Rao).into()];
    assert!(matches!(call(Builtin::Lesser, args(), Type::Amount), Err(TrapKind::NoRate)));
    let mut program = Program::new();
    program.body.rate = Some(Rate { micro_usd_per_tao: 200_000_000 });
    let operands: Vec<_> = args().into_iter().map(|arg| program.constant(arg)).collect();
    let least = program.builtin(Builtin::Lesser, &operands, Type::Amount);
    assert_eq!(program.eval(least), Ok(Value::Amount(Amount::new(1_000, Currency::Rao))));
}

#[test]
fn floats_become_whole() {
    for (x, floor, ceil, round) in [
        (1.5, 1, 2, 2),
        (-1.5, -2, -1, -2),
        (2.5, 2, 3, 3),
        (0.49, 0, 1, 0),
        (-0.2, -1, 0, 0),
        (7.0, 7, 7, 7),
        (-9_223_372_036_854_775_808.0, i64::MIN, i64::MIN, i64::MIN),
    ] {
        assert_eq!(call(Builtin::Floor, vec![x.into()], Type::INT), Ok(Value::Int(floor)), "{x}");
        assert_eq!(call(Builtin::Ceil, vec![x.into()], Type::INT), Ok(Value::Int(ceil)), "{x}");
        assert_eq!(call(Builtin::Round, vec![x.into()], Type::INT), Ok(Value::Int(round)), "{x}");
    }
    for x in [9_223_372_036_854_775_808.0, -9_223_372_036_854_777_856.0, f64::MAX, f64::MIN] {
        for op in [Builtin::Floor, Builtin::Ceil, Builtin::Round] {
            assert_eq!(call(op, vec![x.into()], Type::INT), Err(TrapKind::Overflow), "{x}");
        }
    }
    let largest = call(Builtin::ToFloat, vec![i64::MAX.into()], Type::FLOAT);
    assert_eq!(largest, Ok(Value::Float(9_223_372_036_854_775_808.0)));
}

#[test]
fn roots() {
    for (x, root) in [(0.0, 0.0), (2.25, 1.5), (2.0, std::f64::consts::SQRT_2)] {
        assert_eq!(call(Builtin::Sqrt, vec![x.into()], Type::FLOAT), Ok(Value::Float(root)));
    }
    assert_eq!(call(Builtin::Sqrt, vec![(-1e-300).into()], Type::FLOAT), Err(TrapKind::Overflow));
}

#[test]
fn decimals_are_rounded_from_the_exact_value() {
    for (x, decimals, text) in [
        (0.125, 2, "0.12"),
        (0.375, 2, "0.38"),
        // As a double it lies just below 1.005.
        (1.005, 2, "1.00"),
        (0.5, 0, "0"),
        (1.5, 0, "2"),
        (-2.5, 0, "-2"),
        (-0.04, 1, "0.0"),
        (-0.4, 0, "0"),
        (-0.06, 1, "-0.1"),
        (1e21, 1, "1000000000000000000000.0"),
        (0.1, 20, "0.10000000000000000555"),
        (0.1, 99, "0.10000000000000000555"),
        (0.1, -1, "0"),
    ] {
        let found = call(Builtin::ToFixed, vec![x.into(), decimals.into()], Type::STRING);
        assert_eq!(found, Ok(Value::string(text)), "{x} {decimals}");
    }
}

#[test]
fn hundredths_of_amounts() {
    for (units, percent, up, down) in [
        (100, 7, 7, 7),
        (25, 50, 13, 12),
        (1, 1, 1, 0),
        (0, 99, 0, 0),
        (3, 250, 8, 7),
        (u64::MAX, 100, u64::MAX, u64::MAX),
    ] {
        let args = || vec![Literal::from(usd(units)), percent.into()];
        assert_eq!(call(Builtin::PercentUp, args(), Type::Amount), Ok(Value::Amount(usd(up))));
        assert_eq!(call(Builtin::PercentDown, args(), Type::Amount), Ok(Value::Amount(usd(down))));
    }
    for (units, percent) in [(u64::MAX, 101), (1, -1)] {
        for op in [Builtin::PercentUp, Builtin::PercentDown] {
            assert_eq!(
                call(op, vec![usd(units).into(), percent.into()], Type::Amount),
                Err(TrapKind::Overflow)
            );
        }
    }
}

#[test]
fn the_calendar_is_in_utc() {
    for (text, year, month, day, date) in [
        ("2026-11-22T23:30:00-02:00", 2026, 11, 23, "2026-11-23"),
        ("2000-02-29T12:00:00Z", 2000, 2, 29, "2000-02-29"),
        ("0000-01-01T00:00:00Z", 0, 1, 1, "0000-01-01"),
        ("9999-12-31T23:59:59.999999Z", 9999, 12, 31, "9999-12-31"),
        ("1969-12-31T23:59:59.999999Z", 1969, 12, 31, "1969-12-31"),
    ] {
        assert_eq!(call(Builtin::Year, vec![time(text)], Type::INT), Ok(Value::Int(year)), "{text}");
        assert_eq!(call(Builtin::Month, vec![time(text)], Type::INT), Ok(Value::Int(month)), "{text}");
        assert_eq!(call(Builtin::Day, vec![time(text)], Type::INT), Ok(Value::Int(day)), "{text}");
        assert_eq!(call(Builtin::Date, vec![time(text)], Type::STRING), Ok(Value::string(date)), "{text}");
    }
}

#[test]
fn seconds_since_1970() {
    for (us, seconds) in [(0, 0), (999_999, 0), (1_000_000, 1), (-1, -1), (TIME_US_MAX, 253_402_300_799)] {
        let moment = Literal(Value::Time(us), Type::Time);
        assert_eq!(call(Builtin::ToUnix, vec![moment], Type::INT), Ok(Value::Int(seconds)));
    }
    let first = TIME_US_MIN / 1_000_000;
    for (seconds, moment) in [
        (0, Value::Time(0)),
        (first, Value::Time(TIME_US_MIN)),
        (first - 1, Value::Null),
        (253_402_300_799, Value::Time(253_402_300_799_000_000)),
        (253_402_300_800, Value::Null),
        (i64::MAX, Value::Null),
    ] {
        assert_eq!(
            call(Builtin::ToTime, vec![seconds.into()], Type::Time.optional()),
            Ok(moment),
            "{seconds}"
        );
    }
    for (us, seconds) in [(0, 0.0), (1_500_000, 1.5), (-1, -1e-6), (i64::MAX, 9_223_372_036_854.775)] {
        assert_eq!(call(Builtin::ToSeconds, vec![duration(us)], Type::FLOAT), Ok(Value::Float(seconds)));
    }
}
