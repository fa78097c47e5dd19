//! Unary operators and the arithmetic ones among the binary.

use schema::amount::{Amount, Rate};
use schema::text_form::{TIME_US_MAX, TIME_US_MIN};
use schema::value::Value;

use super::TrapKind;
use crate::expr::{BinaryOp, UnaryOp};

const ILL_TYPED: TrapKind = TrapKind::Malformed("an operator has operands of the wrong type");

pub(super) fn unary(op: UnaryOp, value: &Value) -> Result<Value, TrapKind> {
    match (op, value) {
        (UnaryOp::Not, Value::Bool(value)) => Ok(Value::Bool(!value)),
        (UnaryOp::Negate, Value::Int(value)) => int(value.checked_neg()),
        (UnaryOp::Negate, Value::Float(value)) => float(-value),
        (UnaryOp::Negate, Value::Duration(value)) => duration(value.checked_neg()),
        _ => Err(ILL_TYPED),
    }
}

/// `+`, `-`, `*`, `/` and `%`:
///
/// | operands | operators | result |
/// |---|---|---|
/// | `Int`, `Int` | all | `Int` |
/// | `Float`, `Float` | all | `Float` |
/// | `Amount`, `Amount` | `+` `-` | `Amount` in the left one's currency |
/// | `Amount`, `Int` (`*` either way) | `*` `/` | `Amount`; a quotient is rounded down |
/// | `Duration`, `Duration` | `+` `-` | `Duration` |
/// | `Duration`, `Int` (`*` either way) | `*` `/` | `Duration`, truncated |
/// | `Time`, `Duration` | `+` `-` | `Time` |
/// | `Time`, `Time` | `-` | `Duration` |
/// | `String`, `String` | `+` | in [`super::machine`], where it is charged |
#[inline]
pub(super) fn binary(op: BinaryOp, a: &Value, b: &Value, rate: Option<Rate>) -> Result<Value, TrapKind> {
    use BinaryOp::{Add, Divide, Multiply, Subtract};
    match (a, op, b) {
        (Value::Int(a), _, Value::Int(b)) => integers(op, *a, *b),
        (Value::Float(a), _, Value::Float(b)) => floats(op, *a, *b),
        (Value::Amount(a), Add | Subtract, Value::Amount(b)) => amounts(op, *a, *b, rate),
        (Value::Amount(a), Multiply, Value::Int(n)) | (Value::Int(n), Multiply, Value::Amount(a)) => {
            amount(*a, u64::try_from(*n).ok().and_then(|n| a.units.checked_mul(n)))
        }
        (Value::Amount(_) | Value::Duration(_), Divide, Value::Int(0)) => Err(TrapKind::DivisionByZero),
        (Value::Amount(a), Divide, Value::Int(n)) => {
            amount(*a, u64::try_from(*n).ok().and_then(|n| a.units.checked_div(n)))
        }
        (Value::Duration(a), Add, Value::Duration(b)) => duration(a.checked_add(*b)),
        (Value::Duration(a), Subtract, Value::Duration(b)) => duration(a.checked_sub(*b)),
        (Value::Duration(a), Multiply, Value::Int(n)) | (Value::Int(n), Multiply, Value::Duration(a)) => {
            duration(a.checked_mul(*n))
        }
        (Value::Duration(a), Divide, Value::Int(n)) => duration(a.checked_div(*n)),
        (Value::Time(a), Add, Value::Duration(b)) => time(a.checked_add(*b)),
        (Value::Time(a), Subtract, Value::Duration(b)) => time(a.checked_sub(*b)),
        (Value::Time(a), Subtract, Value::Time(b)) => duration(a.checked_sub(*b)),
        _ => Err(ILL_TYPED),
    }
}

/// `a + b` of numbers, amounts and durations.
pub(crate) fn add(a: &Value, b: &Value, rate: Option<Rate>) -> Result<Value, TrapKind> {
    binary(BinaryOp::Add, a, b, rate)
}

#[inline]
fn integers(op: BinaryOp, a: i64, b: i64) -> Result<Value, TrapKind> {
    use BinaryOp::{Add, Divide, Multiply, Remainder, Subtract};
    match op {
        Divide | Remainder if b == 0 => Err(TrapKind::DivisionByZero),
        Add | Subtract | Multiply | Divide | Remainder => int(whole(op, a, b)),
        _ => Err(ILL_TYPED),
    }
}

/// The arithmetic of `Int`; `None` where it traps, and of other operators.
#[inline]
pub(super) const fn whole(op: BinaryOp, a: i64, b: i64) -> Option<i64> {
    match op {
        BinaryOp::Add => a.checked_add(b),
        BinaryOp::Subtract => a.checked_sub(b),
        BinaryOp::Multiply => a.checked_mul(b),
        BinaryOp::Divide => a.checked_div(b),
        // The one quotient that overflows has remainder 0.
        BinaryOp::Remainder if b != 0 => Some(a.wrapping_rem(b)),
        _ => None,
    }
}

#[inline]
fn floats(op: BinaryOp, a: f64, b: f64) -> Result<Value, TrapKind> {
    real(op, a, b).map_or(Err(ILL_TYPED), float)
}

/// The arithmetic of `Float`, before [`finite`]; `None` of other operators.
#[inline]
pub(super) fn real(op: BinaryOp, a: f64, b: f64) -> Option<f64> {
    match op {
        BinaryOp::Add => Some(a + b),
        BinaryOp::Subtract => Some(a - b),
        BinaryOp::Multiply => Some(a * b),
        BinaryOp::Divide => Some(a / b),
        BinaryOp::Remainder => Some(a % b),
        _ => None,
    }
}

fn amounts(op: BinaryOp, a: Amount, b: Amount, rate: Option<Rate>) -> Result<Value, TrapKind> {
    let b = match b.convert(a.currency, rate) {
        Some(b) => b,
        None if rate.is_none() => return Err(TrapKind::NoRate),
        None => return Err(TrapKind::Overflow),
    };
    let result = if op == BinaryOp::Add { a.checked_add(b) } else { a.checked_sub(b) };
    result.map(Value::Amount).ok_or(TrapKind::Overflow)
}

fn int(value: Option<i64>) -> Result<Value, TrapKind> {
    value.map(Value::Int).ok_or(TrapKind::Overflow)
}

/// A finite float, `-0.0` as `0.0`.
pub(crate) fn float(value: f64) -> Result<Value, TrapKind> {
    finite(value).map(Value::Float).ok_or(TrapKind::Overflow)
}

#[inline]
pub(super) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value + 0.0)
}

fn duration(value: Option<i64>) -> Result<Value, TrapKind> {
    value.map(Value::Duration).ok_or(TrapKind::Overflow)
}

fn time(value: Option<i64>) -> Result<Value, TrapKind> {
    value.filter(|us| (TIME_US_MIN..=TIME_US_MAX).contains(us)).map(Value::Time).ok_or(TrapKind::Overflow)
}

fn amount(of: Amount, units: Option<u64>) -> Result<Value, TrapKind> {
    units.map(|units| Value::Amount(Amount { units, ..of })).ok_or(TrapKind::Overflow)
}
