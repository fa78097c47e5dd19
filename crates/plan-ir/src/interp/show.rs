//! Values as text, and how large and how deep a value is.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schema::limits::JSON_DEPTH_MAX;
use schema::text_form::{show_duration, show_time};
use schema::types::{DefId, Type, TypeDef, TypeDefs};
use schema::value::{Json, Value};

use super::meter::ELEMENT_BYTES;
use super::{Meter, Quota, TrapKind};

/// The value as a template shows it. Fixed, as these texts reach subnets and proofs:
///
/// | type | form |
/// |---|---|
/// | `String`, `Url` | as it is |
/// | `Int`, `Bool` | `-3`, `true` |
/// | `Float` | the shortest decimal that reads back as the same number, with at least one decimal place: `0.1`, `2.0`, `1e16` |
/// | `Amount` | `0.02 USD`, `0.05 TAO` |
/// | `Duration`, `Time` | ISO 8601 `PT1.5S`, RFC 3339 UTC `2026-11-22T09:44:00Z` |
/// | enum variant without payload | its name |
/// | anything else | as `to_json` |
pub(super) fn show<'v>(
    value: &'v Value,
    ty: &Type,
    defs: &TypeDefs,
    meter: &mut Meter,
) -> Result<Cow<'v, str>, TrapKind> {
    Ok(Cow::Owned(match value {
        Value::String(text) => return Ok(Cow::Borrowed(text)),
        Value::Int(value) => value.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Float(value) => format!("{value:?}"),
        Value::Amount(value) => value.to_string(),
        Value::Duration(value) => show_duration(*value),
        Value::Time(value) => show_time(*value).ok_or(TrapKind::Overflow)?,
        Value::Variant(place, None) => match variant_name(*place, ty, defs) {
            Some(name) => name.into(),
            None => to_json(value, ty, defs, meter)?,
        },
        _ => to_json(value, ty, defs, meter)?,
    }))
}

fn variant_name<'d>(place: u32, ty: &Type, defs: &'d TypeDefs) -> Option<&'d str> {
    let Type::Named(id) = ty else { return None };
    let Some(TypeDef::Enum(def)) = defs.get(*id) else { return None };
    def.variants.get(place as usize).map(|variant| variant.name.as_str())
}

/// The value as JSON text, fields in declared order.
pub(crate) fn to_json(
    value: &Value,
    ty: &Type,
    defs: &TypeDefs,
    meter: &mut Meter,
) -> Result<String, TrapKind> {
    // The parts of a value may be shared, so its text can be far larger than the value: measure first.
    written_bytes(value, meter)?;
    schema::encode::to_json(value, ty, defs)
        .map_err(|_| TrapKind::Malformed("a value does not have the type of its expression"))
}

/// Bytes the value takes when it is written out, shared parts counted each time. A lower bound of its
/// JSON text; refused where it is more than `meter` has left.
pub(crate) fn written_bytes(value: &Value, meter: &mut Meter) -> Result<usize, TrapKind> {
    let mut left = Left { steps: meter.fuel(), bytes: meter.bytes() };
    let counted = left.less_value(value);
    // No more than the meter has: each was taken from what was left.
    meter.work(meter.fuel() - left.steps)?;
    counted.map_err(TrapKind::Quota)?;
    Ok(usize::try_from(meter.bytes() - left.bytes).unwrap_or(usize::MAX))
}

/// What counting a value may still take. Every part of every result is counted, so this is the meter and its
/// error in a form that fits registers.
struct Left {
    steps: u64,
    bytes: u64,
}

impl Left {
    #[inline]
    fn less(&mut self, bytes: u64) -> Result<(), Quota> {
        self.steps = self.steps.checked_sub(1).ok_or(Quota::Steps)?;
        self.bytes = self.bytes.checked_sub(bytes).ok_or(Quota::Bytes)?;
        Ok(())
    }

    fn less_value(&mut self, value: &Value) -> Result<(), Quota> {
        self.less(ELEMENT_BYTES)?;
        match value {
            Value::String(text) => self.less(text.len() as u64),
            Value::Bytes(bytes) => self.less(bytes.len() as u64),
            Value::List(items) | Value::Record(items) => self.less_values(items),
            Value::Map(entries) => entries.iter().try_for_each(|(key, item)| {
                self.less(key.len() as u64)?;
                self.less_value(item)
            }),
            Value::Variant(_, Some(payload)) => self.less_value(payload),
            Value::Json(json) => self.less_json(json),
            _ => Ok(()),
        }
    }

    /// Scalars and texts, which most parts of values are, need no call.
    fn less_values(&mut self, values: &[Value]) -> Result<(), Quota> {
        for value in values {
            match value {
                Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::Null => self.less(ELEMENT_BYTES)?,
                Value::String(text) => {
                    self.less(ELEMENT_BYTES)?;
                    self.less(text.len() as u64)?;
                }
                other => self.less_value(other)?,
            }
        }
        Ok(())
    }

    fn less_json(&mut self, json: &Json) -> Result<(), Quota> {
        self.less(ELEMENT_BYTES)?;
        match json {
            Json::String(text) => self.less(text.len() as u64),
            Json::Array(items) => items.iter().try_for_each(|item| self.less_json(item)),
            Json::Object(entries) => entries.iter().try_for_each(|(key, item)| {
                self.less(key.len() as u64)?;
                self.less_json(item)
            }),
            _ => Ok(()),
        }
    }
}

/// Whether the value is nested at most as deeply as JSON may be.
pub(super) fn nests_within(value: &Value, meter: &mut Meter) -> Result<bool, TrapKind> {
    fn within(value: &Value, levels: usize, meter: &mut Meter) -> Result<bool, TrapKind> {
        meter.work(1)?;
        let Some(levels) = levels.checked_sub(1) else { return Ok(false) };
        let mut parts: Box<dyn Iterator<Item = &Value>> = match value {
            Value::List(items) | Value::Record(items) => Box::new(items.iter()),
            Value::Map(entries) => Box::new(entries.values()),
            Value::Variant(_, Some(payload)) => Box::new(std::iter::once(payload.as_ref())),
            _ => return Ok(true),
        };
        parts.try_fold(true, |fits, part| Ok(fits && within(part, levels, meter)?))
    }
    within(value, JSON_DEPTH_MAX, meter)
}

/// How deeply values of `ty` nest at most; `None` where the type is recursive or deeper than JSON may be.
pub(crate) fn height(ty: &Type, defs: &TypeDefs) -> Option<usize> {
    measure(ty, defs, JSON_DEPTH_MAX, &mut BTreeMap::new())
}

fn measure(ty: &Type, defs: &TypeDefs, levels: usize, known: &mut BTreeMap<DefId, usize>) -> Option<usize> {
    // Recursive types run out of levels, so they need no test of their own.
    let levels = levels.checked_sub(1)?;
    if let Type::Named(id) = ty
        && let Some(below) = known.get(id)
    {
        return (*below <= levels).then_some(*below + 1);
    }
    let parts: Vec<&Type> = match ty {
        Type::List(inner, _) | Type::Map(inner) | Type::Optional(inner) => vec![inner],
        Type::Result(ok, err) => vec![ok, err],
        Type::Named(id) => match defs.get(*id) {
            Some(TypeDef::Record(def)) => def.fields.iter().map(|field| &field.ty).collect(),
            Some(TypeDef::Enum(def)) => def.variants.iter().filter_map(|v| v.payload.as_ref()).collect(),
            None => Vec::new(),
        },
        _ => Vec::new(),
    };
    let mut below = 0;
    for part in parts {
        below = below.max(measure(part, defs, levels, known)?);
    }
    if let Type::Named(id) = ty {
        known.insert(*id, below);
    }
    Some(below + 1)
}
