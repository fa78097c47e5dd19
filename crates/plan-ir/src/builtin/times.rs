//! Functions of times and durations. The calendar is the proleptic Gregorian one in UTC.

use schema::text_form::{TIME_US_MAX, TIME_US_MIN, calendar_date};
use schema::value::Value;

use super::Builtin;
use super::receive::WRONG_RECEIVER;
use crate::interp::{TrapKind, float};

const SECOND_US: i64 = 1_000_000;

pub(super) fn of(op: Builtin, value: &Value, rest: &[Value]) -> Result<Value, TrapKind> {
    match (op, value, rest) {
        (Builtin::ToSeconds, Value::Duration(us), []) => float(*us as f64 / SECOND_US as f64),
        (Builtin::ToUnix, Value::Time(us), []) => Ok(Value::Int(us.div_euclid(SECOND_US))),
        (Builtin::ToTime, Value::Int(seconds), []) => {
            let us = seconds.checked_mul(SECOND_US).filter(|us| (TIME_US_MIN..=TIME_US_MAX).contains(us));
            Ok(us.map_or(Value::Null, Value::Time))
        }
        (Builtin::Year, Value::Time(us), []) => Ok(Value::Int(calendar_date(*us).0)),
        (Builtin::Month, Value::Time(us), []) => Ok(Value::Int(calendar_date(*us).1)),
        (Builtin::Day, Value::Time(us), []) => Ok(Value::Int(calendar_date(*us).2)),
        _ => Err(WRONG_RECEIVER),
    }
}

/// The day as `2026-11-22`.
pub(super) fn date(value: &Value, rest: &[Value]) -> Result<String, TrapKind> {
    let (Value::Time(us), []) = (value, rest) else { return Err(WRONG_RECEIVER) };
    let (year, month, day) = calendar_date(*us);
    Ok(format!("{year:04}-{month:02}-{day:02}"))
}
