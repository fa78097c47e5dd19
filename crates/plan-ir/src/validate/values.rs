//! Types, values and patterns as they may stand in a plan.

use schema::decode::check;
use schema::limits::{JSON_DEPTH_MAX, LIST_ELEMENTS_MAX};
use schema::types::{Type, TypeDef, TypeDefs};
use schema::value::{Json, Value};

use super::InvalidPlan;
use crate::expr::{LocalId, Pattern};
use crate::plan::PlanBody;

/// Why something may not stand in a plan.
pub(super) type What = &'static str;

/// Every type that a definition names.
pub(super) fn types(body: &PlanBody) -> Result<(), InvalidPlan> {
    for (id, def) in body.types.iter() {
        let fail = |what| InvalidPlan::new(what, "type", id.0);
        match def {
            TypeDef::Record(record) => {
                record
                    .fields
                    .iter()
                    .try_for_each(|field| known_type(&field.ty, &body.types))
                    .map_err(fail)?;
            }
            TypeDef::Enum(def) => {
                let mut payloads = def.variants.iter().filter_map(|variant| variant.payload.as_ref());
                payloads.try_for_each(|ty| known_type(ty, &body.types)).map_err(fail)?;
            }
        }
    }
    Ok(())
}

/// Parameters and their defaults.
pub(super) fn params(body: &PlanBody) -> Result<(), InvalidPlan> {
    for (index, param) in body.params.iter().enumerate() {
        let fail = |what| InvalidPlan::new(what, "parameter", index);
        known_type(&param.ty, &body.types).map_err(fail)?;
        if let Some(default) = &param.default {
            fitting(default, &param.ty, &body.types).map_err(fail)?;
        }
    }
    Ok(())
}

/// A type whose parts are all there.
pub(super) fn known_type(ty: &Type, defs: &TypeDefs) -> Result<(), What> {
    fn known(ty: &Type, defs: &TypeDefs, levels: usize) -> Result<(), What> {
        let levels = levels.checked_sub(1).ok_or("a type nests too deep")?;
        match ty {
            Type::List(inner, _) | Type::Map(inner) | Type::Optional(inner) => known(inner, defs, levels),
            Type::Result(ok, err) => known(ok, defs, levels).and_then(|()| known(err, defs, levels)),
            Type::Named(id) => defs.get(*id).map(|_| ()).ok_or("a type that is not there"),
            Type::Float(range) if range.min.is_nan() || range.max.is_nan() => Err("a range without a bound"),
            Type::Error => Err("the type of a mistake"),
            _ => Ok(()),
        }
    }
    known(ty, defs, JSON_DEPTH_MAX)
}

/// A value that a run could have made, of the type it is said to have.
pub(super) fn fitting(value: &Value, ty: &Type, defs: &TypeDefs) -> Result<(), What> {
    sound(value, JSON_DEPTH_MAX)?;
    check(value, ty, defs).map_err(|_| "a value does not have its type")
}

/// A value within the limits on values.
fn sound(value: &Value, levels: usize) -> Result<(), What> {
    let levels = levels.checked_sub(1).ok_or("a value nests too deep")?;
    match value {
        Value::Float(value) => finite(*value),
        Value::List(items) if items.len() > LIST_ELEMENTS_MAX => Err("a list is too long"),
        Value::List(items) | Value::Record(items) => items.iter().try_for_each(|item| sound(item, levels)),
        Value::Map(entries) => entries.values().try_for_each(|item| sound(item, levels)),
        Value::Variant(_, Some(payload)) => sound(payload, levels),
        Value::Json(json) => sound_json(json, JSON_DEPTH_MAX),
        _ => Ok(()),
    }
}

fn sound_json(json: &Json, levels: usize) -> Result<(), What> {
    match json {
        Json::Float(value) => finite(*value),
        Json::Array(_) | Json::Object(_) => {
            let levels = levels.checked_sub(1).ok_or("a value nests too deep")?;
            match json {
                Json::Array(items) => items.iter().try_for_each(|item| sound_json(item, levels)),
                Json::Object(entries) => entries.values().try_for_each(|item| sound_json(item, levels)),
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

fn finite(value: f64) -> Result<(), What> {
    if value.is_finite() && !(value == 0.0 && value.is_sign_negative()) {
        Ok(())
    } else {
        Err("a float that no run could have made")
    }
}

/// A pattern; `binds` says whether a binder may stand where it does.
pub(super) fn pattern(pattern: &Pattern, binds: &mut dyn FnMut(LocalId) -> bool) -> Result<(), What> {
    fn fits(pattern: &Pattern, levels: usize, binds: &mut dyn FnMut(LocalId) -> bool) -> Result<(), What> {
        let levels = levels.checked_sub(1).ok_or("a pattern nests too deep")?;
        match pattern {
            Pattern::Any | Pattern::Variant(_, None) => Ok(()),
            Pattern::Bind(local) if binds(*local) => Ok(()),
            Pattern::Bind(_) => Err("a pattern binds out of place"),
            Pattern::Literal(value) => sound(value, JSON_DEPTH_MAX),
            Pattern::Variant(_, Some(inner)) | Pattern::Present(inner) => fits(inner, levels, binds),
        }
    }
    fits(pattern, JSON_DEPTH_MAX, binds)
}
