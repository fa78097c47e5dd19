//! Whether a value fits a type: what a narrowing cast asks, and what the runtime asks of inputs.

use super::DecodeError;
use super::misfit::{Context, quoted};
use super::typed::text_misfit;
use crate::text_form::{TIME_US_MAX, TIME_US_MIN, url_misfit};
use crate::types::{RecordDef, Type, TypeDef, TypeDefs};
use crate::value::Value;

/// Checks that `value` is one of type `ty`.
///
/// # Errors
/// [`DecodeError`] with the path of the first misfit.
pub fn check(value: &Value, ty: &Type, defs: &TypeDefs) -> Result<(), DecodeError> {
    let mut cx = Context::new(defs);
    fits(&mut cx, value, ty).map_err(|error| cx.into_error(&error))
}

type Misfit = serde::de::value::Error;

fn fits(cx: &mut Context<'_>, value: &Value, ty: &Type) -> Result<(), Misfit> {
    let (defs, good) = (cx.defs, Ok(()));
    let found = match (value, ty) {
        (_, Type::Error)
        | (Value::Null, Type::Optional(_))
        | (Value::Bool(_), Type::Bool)
        | (Value::Duration(_), Type::Duration)
        | (Value::Amount(_), Type::Amount)
        | (Value::Json(_), Type::Json) => return good,
        (_, Type::Optional(inner)) => return fits(cx, value, inner),
        (Value::Int(number), Type::Int(range)) if range.contains(*number) => return good,
        (Value::Float(number), Type::Float(range)) if number.is_finite() && range.contains(*number) => {
            return good;
        }
        (Value::Time(us), Type::Time) if (TIME_US_MIN..=TIME_US_MAX).contains(us) => return good,
        (Value::Bytes(bytes), Type::Bytes(range)) if range.contains(bytes.len() as u64) => return good,
        (Value::String(text), Type::String(range)) => match text_misfit(text, *range) {
            None => return good,
            Some(length) => format!("{length} characters"),
        },
        (Value::String(text), Type::Url) => match url_misfit(text) {
            None => return good,
            Some(why) => format!("a text that is none: {why}"),
        },
        (Value::List(items), Type::List(element, range)) if range.contains(items.len() as u64) => {
            for (index, item) in items.iter().enumerate() {
                fits(cx, item, element).map_err(|error| cx.below_index(index, error))?;
            }
            return good;
        }
        (Value::Map(entries), Type::Map(element)) => {
            for (key, item) in entries.iter() {
                fits(cx, item, element).map_err(|error| cx.below_key(key, error))?;
            }
            return good;
        }
        (Value::Variant(place @ (0 | 1), Some(payload)), Type::Result(ok, err)) => {
            let (key, ty) = if *place == 0 { ("ok", ok) } else { ("err", err) };
            return fits(cx, payload, ty).map_err(|error| cx.below_key(key, error));
        }
        (Value::Record(fields), Type::Named(id)) => match defs.record(*id) {
            Some(def) if def.fields.len() == fields.len() => return record(cx, fields, def),
            _ => describe(value),
        },
        (Value::Variant(place, payload), Type::Named(id)) => match defs.get(*id) {
            Some(TypeDef::Enum(def)) => match (def.variants.get(*place as usize), payload) {
                (Some(variant), None) if variant.payload.is_none() => return good,
                (Some(variant), Some(payload)) => match &variant.payload {
                    Some(ty) => {
                        return fits(cx, payload, ty).map_err(|e| cx.below_key(&variant.name, e));
                    }
                    None => format!("`{}` with a payload", variant.name),
                },
                (Some(variant), None) => format!("`{}` without its payload", variant.name),
                (None, _) => describe(value),
            },
            _ => describe(value),
        },
        _ => describe(value),
    };
    Err(cx.misfit(&defs.show(ty), &found))
}

fn record(cx: &mut Context<'_>, fields: &[Value], def: &RecordDef) -> Result<(), Misfit> {
    for (value, field) in fields.iter().zip(&def.fields) {
        fits(cx, value, &field.ty).map_err(|error| cx.below_key(&field.name, error))?;
    }
    Ok(())
}

/// A value as messages name it.
fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => quoted(&value.to_string()),
        Value::String(_) => "text".into(),
        Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
        Value::Time(_) => "a moment".into(),
        Value::Duration(_) => "a duration".into(),
        Value::Amount(_) => "an amount".into(),
        Value::List(items) => format!("a list of {}", items.len()),
        Value::Map(_) => "a map".into(),
        Value::Record(_) => "another record".into(),
        Value::Variant(..) => "a variant of another enum".into(),
        Value::Json(_) => "undecoded JSON".into(),
    }
}
