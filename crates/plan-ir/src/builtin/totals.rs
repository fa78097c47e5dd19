//! Functions that make one number of a list.

use schema::amount::{Amount, Currency};
use schema::types::Type;
use schema::value::Value;

use super::receive::WRONG_RECEIVER;
use crate::expr::ExprId;
use crate::interp::{Machine, TrapKind, add, float};

impl Machine<'_> {
    /// `0 + a + b + ..`; the type of the expression says what 0 is where the list is empty.
    pub(super) fn sum(&self, id: ExprId, items: &[Value]) -> Result<Value, TrapKind> {
        let zero = match items.first() {
            Some(Value::Amount(first)) => Value::Amount(Amount::zero(first.currency)),
            Some(first) => zero_like(first).ok_or(WRONG_RECEIVER)?,
            None => self.ty(id).ok().and_then(zero_of).ok_or(WRONG_RECEIVER)?,
        };
        if let Value::Int(zero) = zero {
            let mut items = items.iter();
            return items.try_fold(zero, add_int).map(Value::Int);
        }
        items.iter().try_fold(zero, |sum, item| add(&sum, item, self.rate()))
    }
}

/// [`add`] of whole numbers, which most sums are of.
#[inline]
fn add_int(sum: i64, item: &Value) -> Result<i64, TrapKind> {
    match item {
        Value::Int(item) => sum.checked_add(*item).ok_or(TrapKind::Overflow),
        _ => Err(WRONG_RECEIVER),
    }
}

fn zero_like(value: &Value) -> Option<Value> {
    match value {
        Value::Int(_) => Some(Value::Int(0)),
        Value::Float(_) => Some(Value::Float(0.0)),
        Value::Duration(_) => Some(Value::Duration(0)),
        _ => None,
    }
}

fn zero_of(ty: &Type) -> Option<Value> {
    match ty {
        Type::Int(_) => Some(Value::Int(0)),
        Type::Float(_) => Some(Value::Float(0.0)),
        Type::Duration => Some(Value::Duration(0)),
        Type::Amount => Some(Value::Amount(Amount::zero(Currency::MicroUsd))),
        _ => None,
    }
}

/// The sum by the count. Integers are summed exactly and rounded once; floats from left to right, which
/// overflows where their sum does. Rounding never takes it past the smallest or the largest element.
pub(super) fn average(items: &[Value]) -> Result<Value, TrapKind> {
    let Some(first) = items.first() else { return Ok(Value::Null) };
    let count = items.len() as f64;
    match first {
        Value::Int(first) => {
            let (mut sum, mut least, mut most) = (0_i128, *first, *first);
            for item in items {
                let Value::Int(item) = item else { return Err(WRONG_RECEIVER) };
                sum += i128::from(*item);
                (least, most) = (least.min(*item), most.max(*item));
            }
            float((sum as f64 / count).max(least as f64).min(most as f64))
        }
        Value::Float(first) => {
            let (mut sum, mut least, mut most) = (0.0, *first, *first);
            for item in items {
                let Value::Float(item) = item else { return Err(WRONG_RECEIVER) };
                sum += *item;
                (least, most) = (least.min(*item), most.max(*item));
            }
            if !f64::is_finite(sum) {
                return Err(TrapKind::Overflow);
            }
            float((sum / count).max(least).min(most))
        }
        _ => Err(WRONG_RECEIVER),
    }
}
