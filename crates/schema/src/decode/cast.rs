//! `x as T`.

use super::{DecodeError, check, decode_json};
use crate::types::{Type, TypeDef, TypeDefs};
use crate::value::{Json, Value};

/// The value of type `to` that `value` stands for: opaque JSON is decoded, text becomes a `Url`, `Time`,
/// `Duration` or enum, anything else must fit as it is. Lists, maps and optionals are cast element by
/// element. Which casts make sense at all is the checker's affair.
///
/// # Errors
/// [`DecodeError`] with the path of the first misfit.
pub fn cast(value: &Value, to: &Type, defs: &TypeDefs) -> Result<Value, DecodeError> {
    let below = |segment: String| {
        move |error: DecodeError| DecodeError {
            path: error.path.replacen('$', &format!("${segment}"), 1),
            ..error
        }
    };
    match (value, to) {
        (Value::Null | Value::Json(Json::Null), Type::Optional(_)) => Ok(Value::Null),
        (Value::Json(_), Type::Json) => Ok(value.clone()),
        (_, Type::Optional(inner)) => cast(value, inner, defs),
        (Value::Json(json), _) => decode_json(json, to, defs),
        (Value::String(text), Type::Time | Type::Duration | Type::Amount | Type::Bytes(_)) => {
            decode_json(&Json::String(text.clone()), to, defs)
        }
        (Value::String(text), Type::Named(id)) if matches!(defs.get(*id), Some(TypeDef::Enum(_))) => {
            decode_json(&Json::String(text.clone()), to, defs)
        }
        (Value::List(items), Type::List(element, _)) => {
            let cast_items = items
                .iter()
                .enumerate()
                .map(|(index, item)| cast(item, element, defs).map_err(below(format!("[{index}]"))))
                .collect::<Result<Vec<_>, _>>()?;
            let list = Value::List(cast_items.into());
            check(&list, to, defs).map(|()| list)
        }
        (Value::Map(entries), Type::Map(element)) => {
            let cast_entries = entries
                .iter()
                .map(|(key, item)| {
                    let item = cast(item, element, defs).map_err(below(format!(".{key}")))?;
                    Ok((key.clone(), item))
                })
                .collect::<Result<_, _>>()?;
            Ok(Value::Map(std::sync::Arc::new(cast_entries)))
        }
        _ => check(value, to, defs).map(|()| value.clone()),
    }
}
