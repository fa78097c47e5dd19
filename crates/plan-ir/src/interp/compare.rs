//! Equality and order of values.

use std::cmp::Ordering;

use schema::amount::{Amount, Currency, Rate};
use schema::value::{Json, Value};

use super::{Meter, TrapKind};

/// Whether the value is the absent optional.
pub(crate) const fn is_null(value: &Value) -> bool {
    matches!(value, Value::Null | Value::Json(Json::Null))
}

/// Whether two values are equal, element by element. Amounts of two currencies are equal if they are worth
/// exactly the same at `rate`; without a rate only zeros are.
#[inline]
pub fn equal(a: &Value, b: &Value, rate: Option<Rate>, meter: &mut Meter) -> Result<bool, TrapKind> {
    meter.work(1)?;
    match (a, b) {
        (Value::String(a), Value::String(b)) => same_bytes(a.as_bytes(), b.as_bytes(), meter),
        (Value::Bytes(a), Value::Bytes(b)) => same_bytes(a, b, meter),
        (Value::Amount(a), Value::Amount(b)) => Ok(compare_amounts(*a, *b, rate) == Some(Ordering::Equal)),
        (Value::List(a), Value::List(b)) | (Value::Record(a), Value::Record(b)) => {
            all_equal(a.iter(), b.iter(), |a, b| equal(a, b, rate, meter))
        }
        (Value::Map(a), Value::Map(b)) => all_equal(a.iter(), b.iter(), |(key_a, a), (key_b, b)| {
            Ok(same_bytes(key_a.as_bytes(), key_b.as_bytes(), meter)? && equal(a, b, rate, meter)?)
        }),
        (Value::Variant(place_a, a), Value::Variant(place_b, b)) => match (a, b) {
            _ if place_a != place_b => Ok(false),
            (Some(a), Some(b)) => equal(a, b, rate, meter),
            (a, b) => Ok(a.is_none() && b.is_none()),
        },
        (Value::Json(a), Value::Json(b)) => same_json(a, b, meter),
        _ if is_null(a) || is_null(b) => Ok(is_null(a) && is_null(b)),
        _ => Ok(a == b),
    }
}

fn same_json(a: &Json, b: &Json, meter: &mut Meter) -> Result<bool, TrapKind> {
    meter.work(1)?;
    match (a, b) {
        (Json::String(a), Json::String(b)) => same_bytes(a.as_bytes(), b.as_bytes(), meter),
        (Json::Array(a), Json::Array(b)) => all_equal(a.iter(), b.iter(), |a, b| same_json(a, b, meter)),
        (Json::Object(a), Json::Object(b)) => all_equal(a.iter(), b.iter(), |(key_a, a), (key_b, b)| {
            Ok(same_bytes(key_a.as_bytes(), key_b.as_bytes(), meter)? && same_json(a, b, meter)?)
        }),
        _ => Ok(a == b),
    }
}

fn same_bytes(a: &[u8], b: &[u8], meter: &mut Meter) -> Result<bool, TrapKind> {
    if a.len() != b.len() {
        return Ok(false);
    }
    meter.scan(a.len())?;
    Ok(a == b)
}

fn all_equal<T>(
    a: impl ExactSizeIterator<Item = T>,
    b: impl ExactSizeIterator<Item = T>,
    mut same: impl FnMut(T, T) -> Result<bool, TrapKind>,
) -> Result<bool, TrapKind> {
    if a.len() != b.len() {
        return Ok(false);
    }
    for (a, b) in a.zip(b) {
        if !same(a, b)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The order of two scalars.
#[inline]
pub(crate) fn order(
    a: &Value,
    b: &Value,
    rate: Option<Rate>,
    meter: &mut Meter,
) -> Result<Ordering, TrapKind> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Ok(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => {
            a.partial_cmp(b).ok_or(TrapKind::Malformed("a float is not a number"))
        }
        (Value::String(a), Value::String(b)) => {
            meter.scan(a.len().min(b.len()))?;
            Ok(a.cmp(b))
        }
        (Value::Time(a), Value::Time(b)) | (Value::Duration(a), Value::Duration(b)) => Ok(a.cmp(b)),
        (Value::Amount(a), Value::Amount(b)) => compare_amounts(*a, *b, rate).ok_or(TrapKind::NoRate),
        _ => Err(TrapKind::Malformed("values without an order are compared")),
    }
}

/// The exact order of two amounts; `None` where it takes a rate and none is pinned.
pub(crate) fn compare_amounts(a: Amount, b: Amount, rate: Option<Rate>) -> Option<Ordering> {
    if a.currency == b.currency || a.units == 0 || b.units == 0 {
        return Some(a.units.cmp(&b.units));
    }
    let rate = rate?;
    // In units of 10^-9 micro-dollars, which both are whole numbers of.
    let worth = |amount: Amount| {
        u128::from(amount.units)
            * match amount.currency {
                Currency::Rao => u128::from(rate.micro_usd_per_tao),
                Currency::MicroUsd => u128::from(Currency::Rao.scale()),
            }
    };
    Some(worth(a).cmp(&worth(b)))
}
