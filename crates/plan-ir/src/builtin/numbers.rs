//! Functions of numbers and amounts.

use std::cmp::Ordering;

use schema::amount::{Amount, Rate};
use schema::limits::LIST_ELEMENTS_MAX;
use schema::value::Value;

use super::Builtin;
use super::receive::WRONG_RECEIVER;
use crate::expr::ExprId;
use crate::interp::{Machine, Meter, Quota, Trap, TrapKind, float, order};

/// Most decimals of `to_fixed`: more than a double has.
const DECIMALS_MAX: i64 = 20;

pub(super) fn of(op: Builtin, value: &Value, rest: &[Value]) -> Result<Value, TrapKind> {
    match (op, value, rest) {
        (Builtin::Abs, Value::Int(n), []) => n.checked_abs().map(Value::Int).ok_or(TrapKind::Overflow),
        (Builtin::Abs, Value::Duration(us), []) => {
            us.checked_abs().map(Value::Duration).ok_or(TrapKind::Overflow)
        }
        (Builtin::Abs, Value::Float(x), []) => float(x.abs()),
        (Builtin::ToFloat, Value::Int(n), []) => float(*n as f64),
        (Builtin::Floor, Value::Float(x), []) => whole(x.floor()),
        (Builtin::Ceil, Value::Float(x), []) => whole(x.ceil()),
        (Builtin::Round, Value::Float(x), []) => whole(x.round()),
        // Of a negative number it is not a number.
        (Builtin::Sqrt, Value::Float(x), []) => float(x.sqrt()),
        (Builtin::PercentUp | Builtin::PercentDown, Value::Amount(amount), [Value::Int(percent)]) => {
            hundredths(*amount, *percent, op == Builtin::PercentUp)
        }
        _ => Err(WRONG_RECEIVER),
    }
}

/// A whole float as an integer, if it is one of 64 bits.
fn whole(x: f64) -> Result<Value, TrapKind> {
    /// 2^63: the first float above every `i64`.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if (-BEYOND..BEYOND).contains(&x) { Ok(Value::Int(x as i64)) } else { Err(TrapKind::Overflow) }
}

fn hundredths(amount: Amount, percent: i64, up: bool) -> Result<Value, TrapKind> {
    let percent = u64::try_from(percent).map_err(|_| TrapKind::Overflow)?;
    let product = u128::from(amount.units) * u128::from(percent);
    let units = if up { product.div_ceil(100) } else { product / 100 };
    let units = u64::try_from(units).map_err(|_| TrapKind::Overflow)?;
    Ok(Value::Amount(Amount { units, ..amount }))
}

/// `min`, `max` and `clamp` of two or three values of one type.
pub(super) fn between(
    op: Builtin,
    value: &Value,
    rest: &[Value],
    rate: Option<Rate>,
    meter: &mut Meter,
) -> Result<Value, TrapKind> {
    let mut pick = |a: &Value, b: &Value, wrong: Ordering| {
        let scalars = !matches!(a, Value::String(_));
        let order = if scalars { order(a, b, rate, meter)? } else { return Err(WRONG_RECEIVER) };
        Ok(if order == wrong { b.clone() } else { a.clone() })
    };
    match (op, rest) {
        (Builtin::Lesser, [other]) => pick(value, other, Ordering::Greater),
        (Builtin::Greater, [other]) => pick(value, other, Ordering::Less),
        (Builtin::Clamp, [low, high]) => {
            let raised = pick(value, low, Ordering::Less)?;
            pick(&raised, high, Ordering::Greater)
        }
        _ => Err(WRONG_RECEIVER),
    }
}

/// The number with a fixed count of decimals. Rounded from its exact value, halves to even; nothing is
/// shown as negative zero.
pub(super) fn to_fixed(value: &Value, rest: &[Value]) -> Result<String, TrapKind> {
    let (Value::Float(x), [Value::Int(decimals)]) = (value, rest) else { return Err(WRONG_RECEIVER) };
    let decimals = usize::try_from((*decimals).clamp(0, DECIMALS_MAX)).unwrap_or(0);
    let text = format!("{x:.decimals$}");
    Ok(match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) => digits.into(),
        _ => text,
    })
}

impl Machine<'_> {
    /// The numbers from `first` to the argument, both included.
    pub(super) fn numbers_to(&mut self, id: ExprId, first: i64, rest: &[Value]) -> Result<Value, Trap> {
        let [Value::Int(last)] = rest else { return Err(WRONG_RECEIVER.at(id)) };
        let count = (i128::from(*last) - i128::from(first) + 1).max(0);
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        if count > LIST_ELEMENTS_MAX as u64 {
            return Err(TrapKind::Quota(Quota::Elements).at(id));
        }
        self.meter.work(count).map_err(|kind| kind.at(id))?;
        self.list(id, (first..=*last).map(Value::Int).collect())
    }
}
