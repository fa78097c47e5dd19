//! Strings and numbers.

use super::keywords::{self, Members};
use super::{MALFORMED, SchemaError};
use crate::types::{FloatRange, IntRange, LengthRange, Type};

/// The `format` of money, in schemas that this crate writes.
pub(super) const AMOUNT_FORMAT: &str = "orchestra-amount";

pub(crate) fn string(members: &Members, pointer: &str) -> Result<Type, SchemaError> {
    let range = keywords::lengths(members, "minLength", "maxLength", pointer)?;
    if keywords::text(members, "contentEncoding", pointer)?.is_some_and(|encoding| encoding == "base64") {
        return bytes(members, range, pointer);
    }
    // Octets in any other encoding are the text they are written as.
    Ok(match keywords::text(members, "format", pointer)? {
        Some("uri") => Type::Url,
        Some("date-time") => Type::Time,
        Some("duration") => Type::Duration,
        Some("byte" | "binary") => bytes(members, range, pointer)?,
        Some(AMOUNT_FORMAT) => Type::Amount,
        // Any other format narrows the text; the peer checks it.
        _ => Type::String(range),
    })
}

/// `minLength` and `maxLength` count characters of base64; four of them are at most three octets.
fn bytes(members: &Members, text: LengthRange, pointer: &str) -> Result<Type, SchemaError> {
    if members.contains_key("x-minBytes") || members.contains_key("x-maxBytes") {
        return keywords::lengths(members, "x-minBytes", "x-maxBytes", pointer).map(Type::Bytes);
    }
    Ok(Type::Bytes(LengthRange { min: 0, max: text.max.map(|max| max.saturating_mul(3) / 4) }))
}

pub(crate) fn number(members: &Members, integer: bool, pointer: &str) -> Result<Type, SchemaError> {
    let bound = |keyword: &str| keywords::number(members, keyword, pointer);
    let (least, above) = (bound("minimum")?, bound("exclusiveMinimum")?);
    let (most, below) = (bound("maximum")?, bound("exclusiveMaximum")?);
    let empty = |ok: bool| {
        let message = "no number lies between the bounds";
        if ok { Ok(()) } else { Err(SchemaError::new(MALFORMED, pointer, message)) }
    };
    if integer {
        let format = integer_format(keywords::text(members, "format", pointer)?);
        let min = [least.map(ceil), above.map(|n| floor(n).saturating_add(1))].into_iter().flatten();
        let max = [most.map(floor), below.map(|n| ceil(n).saturating_sub(1))].into_iter().flatten();
        let min = min.fold(i128::from(format.min), i128::max);
        let max = max.fold(i128::from(format.max), i128::min);
        empty(min <= max)?;
        let clamp = |value: i128| i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX });
        return Ok(Type::Int(IntRange { min: clamp(min), max: clamp(max) }));
    }
    let float = |number: &serde_json::Number| number.as_f64().map(|value| value + 0.0);
    let min = [least.and_then(float), above.and_then(float).map(f64::next_up)].into_iter().flatten();
    let max = [most.and_then(float), below.and_then(float).map(f64::next_down)].into_iter().flatten();
    let range =
        FloatRange { min: min.fold(f64::NEG_INFINITY, f64::max), max: max.fold(f64::INFINITY, f64::min) };
    empty(range.min <= range.max)?;
    Ok(Type::Float(range))
}

/// The widths that generated documents declare.
fn integer_format(format: Option<&str>) -> IntRange {
    match format {
        Some("int8") => IntRange { min: i8::MIN.into(), max: i8::MAX.into() },
        Some("int16") => IntRange { min: i16::MIN.into(), max: i16::MAX.into() },
        Some("int32") => IntRange { min: i32::MIN.into(), max: i32::MAX.into() },
        Some("uint8") => IntRange { min: 0, max: u8::MAX.into() },
        Some("uint16") => IntRange { min: 0, max: u16::MAX.into() },
        Some("uint32") => IntRange { min: 0, max: u32::MAX.into() },
        Some("uint" | "uint64") => IntRange { min: 0, max: i64::MAX },
        _ => IntRange::FULL,
    }
}

fn floor(number: &serde_json::Number) -> i128 {
    whole(number, f64::floor)
}

fn ceil(number: &serde_json::Number) -> i128 {
    whole(number, f64::ceil)
}

fn whole(number: &serde_json::Number, round: impl Fn(f64) -> f64) -> i128 {
    let exact = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and what is beyond 64 bits is clamped")]
    exact.unwrap_or_else(|| number.as_f64().map_or(0, |value| round(value) as i128))
}
