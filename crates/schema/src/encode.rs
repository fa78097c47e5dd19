//! [`Value`] to JSON, as peers and clients see it, and to canonical bytes, as proofs hash it.
//!
//! JSON keeps the declared order of fields and leaves absent optionals out. Opaque [`Json`] that is
//! `null` counts as absent in a record, because `Json?` is `Json`. Canonical bytes are OCB1-V: a record is
//! a map by field name with absent fields left out, an enum value the name of its variant (or a map from
//! that name to the payload), a moment or span whole microseconds, an amount a map from its unit to a
//! whole number. They do not depend on how an enum stands in JSON.

use crate::ocb::OcbError;
use crate::text_form::{show_bytes, show_duration, show_time};
use crate::types::{EnumDef, EnumWire, RecordDef, Type, TypeDef, TypeDefs};
use crate::value::{Json, Value};
use crate::wire::text_of;

mod canonical;

pub use canonical::{canonical, from_canonical, from_item, to_item};

/// Why a value is not written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The value is not of the type it was said to be. The checker rules it out.
    #[error("a value is not of its type {expected}")]
    Misfit {
        /// The type.
        expected: String,
    },
    /// A moment outside the years 0 to 9999, or a number that is not finite.
    #[error("{what} cannot be written as JSON")]
    NotJson {
        /// What it is.
        what: &'static str,
    },
    /// Canonical bytes could not be written or read.
    #[error("canonical bytes: {0}")]
    Canonical(#[from] OcbError),
}

/// `value` of type `ty` as JSON text: compact, fields in declared order, absent optionals left out.
///
/// # Errors
/// [`EncodeError`] where the value is not of the type or holds what JSON cannot.
///
/// ```
/// use schema::encode::to_json;
/// use schema::types::{Type, TypeDefs};
/// use schema::value::Value;
/// let spans = Type::list(Type::Duration);
/// let text = to_json(&Value::list([Value::Duration(4_000_000)]), &spans, &TypeDefs::new())?;
/// assert_eq!(text, r#"["PT4S"]"#);
/// # Ok::<(), schema::encode::EncodeError>(())
/// ```
pub fn to_json(value: &Value, ty: &Type, defs: &TypeDefs) -> Result<String, EncodeError> {
    to_json_value(value, ty, defs).map(|json| json.to_string())
}

/// [`to_json`] as a tree, for a transport that puts parts of it in different places.
///
/// # Errors
/// As [`to_json`].
pub fn to_json_value(value: &Value, ty: &Type, defs: &TypeDefs) -> Result<serde_json::Value, EncodeError> {
    use serde_json::Value as Out;
    Ok(match (value, ty) {
        (Value::Null, Type::Optional(_)) => Out::Null,
        (_, Type::Optional(inner)) => to_json_value(value, inner, defs)?,
        (Value::Bool(value), Type::Bool) => Out::Bool(*value),
        (Value::Int(value), Type::Int(_)) => Out::from(*value),
        (Value::Float(value), Type::Float(_)) => number(*value)?,
        (Value::String(text), Type::String(_) | Type::Url) => Out::from(&**text),
        (Value::Bytes(bytes), Type::Bytes(_)) => Out::from(show_bytes(bytes)),
        (Value::Time(us), Type::Time) => Out::from(
            show_time(*us).ok_or(EncodeError::NotJson { what: "a moment outside years 0 to 9999" })?,
        ),
        (Value::Duration(us), Type::Duration) => Out::from(show_duration(*us)),
        (Value::Amount(amount), Type::Amount) => Out::from(amount.to_string().replace(' ', "")),
        (Value::Json(json), Type::Json) => json.to_serde()?,
        (Value::List(items), Type::List(element, _)) => {
            items.iter().map(|item| to_json_value(item, element, defs)).collect::<Result<_, _>>()?
        }
        (Value::Map(entries), Type::Map(element)) => Out::Object(
            entries
                .iter()
                .map(|(key, item)| Ok((key.as_ref().into(), to_json_value(item, element, defs)?)))
                .collect::<Result<_, EncodeError>>()?,
        ),
        (Value::Variant(0, Some(payload)), Type::Result(ok, _)) => {
            one("ok", to_json_value(payload, ok, defs)?)
        }
        (Value::Variant(1, Some(payload)), Type::Result(_, err)) => {
            one("err", to_json_value(payload, err, defs)?)
        }
        (_, Type::Named(id)) => match (value, defs.get(*id)) {
            (Value::Record(fields), Some(TypeDef::Record(def))) => record(fields, def, ty, defs)?,
            (Value::Variant(place, payload), Some(TypeDef::Enum(def))) => {
                enumeration(*place, payload.as_deref(), def, ty, defs)?
            }
            _ => return Err(misfit(ty, defs)),
        },
        _ => return Err(misfit(ty, defs)),
    })
}

pub(crate) fn misfit(ty: &Type, defs: &TypeDefs) -> EncodeError {
    EncodeError::Misfit { expected: defs.show(ty) }
}

/// Whether a record leaves the field out.
fn is_absent(value: &Value) -> bool {
    matches!(value, Value::Null | Value::Json(Json::Null))
}

fn number(value: f64) -> Result<serde_json::Value, EncodeError> {
    serde_json::Number::from_f64(value + 0.0)
        .map(serde_json::Value::Number)
        .ok_or(EncodeError::NotJson { what: "a number that is not finite" })
}

fn one(key: &str, value: serde_json::Value) -> serde_json::Value {
    serde_json::Value::Object(std::iter::once((key.to_owned(), value)).collect())
}

fn record(
    fields: &[Value],
    def: &RecordDef,
    ty: &Type,
    defs: &TypeDefs,
) -> Result<serde_json::Value, EncodeError> {
    if fields.len() != def.fields.len() {
        return Err(misfit(ty, defs));
    }
    let written = fields.iter().zip(&def.fields).filter(|(value, _)| !is_absent(value));
    let entries =
        written.map(|(value, field)| Ok((field.name.clone(), to_json_value(value, &field.ty, defs)?)));
    entries.collect::<Result<_, EncodeError>>().map(serde_json::Value::Object)
}

fn enumeration(
    place: u32,
    payload: Option<&Value>,
    def: &EnumDef,
    ty: &Type,
    defs: &TypeDefs,
) -> Result<serde_json::Value, EncodeError> {
    let wrong = || misfit(ty, defs);
    let variant = def.variants.get(place as usize).ok_or_else(wrong)?;
    let literal = || serde_json::from_str::<serde_json::Value>(&variant.wire).map_err(|_| wrong());
    match (&def.wire, payload, &variant.payload) {
        (EnumWire::Literal, None, None) => literal(),
        (EnumWire::Literal, Some(value), Some(inner)) => {
            let payload = to_json_value(value, inner, defs)?;
            if variant.wire.is_empty() {
                return Ok(payload);
            }
            Ok(one(&text_of(&variant.wire).ok_or_else(wrong)?, payload))
        }
        (EnumWire::Untagged, Some(value), Some(inner)) => to_json_value(value, inner, defs),
        (EnumWire::Discriminator(property), Some(value), Some(inner)) => {
            let mut payload = to_json_value(value, inner, defs)?;
            let object = payload.as_object_mut().ok_or_else(wrong)?;
            // The variant is what the plan chose; its record cannot say otherwise.
            object.insert(property.clone(), literal()?);
            Ok(payload)
        }
        _ => Err(wrong()),
    }
}

impl Json {
    /// The same document as a tree of serde, keys in order.
    ///
    /// # Errors
    /// [`EncodeError::NotJson`] where a number is not finite; a document that was read has none.
    pub fn to_serde(&self) -> Result<serde_json::Value, EncodeError> {
        use serde_json::Value as Out;
        Ok(match self {
            Self::Null => Out::Null,
            Self::Bool(value) => Out::Bool(*value),
            Self::Int(value) => Out::from(*value),
            Self::Float(value) => number(*value)?,
            Self::String(text) => Out::from(&**text),
            Self::Array(items) => items.iter().map(Self::to_serde).collect::<Result<_, _>>()?,
            Self::Object(entries) => Out::Object(
                entries
                    .iter()
                    .map(|(key, value)| Ok((key.as_ref().into(), value.to_serde()?)))
                    .collect::<Result<_, EncodeError>>()?,
            ),
        })
    }

    /// The same document as compact text, keys in order.
    ///
    /// # Errors
    /// As [`Json::to_serde`].
    pub fn to_text(&self) -> Result<String, EncodeError> {
        self.to_serde().map(|json| json.to_string())
    }
}

impl From<&serde_json::Value> for Json {
    /// An integer beyond 64 bits becomes the nearest double, as when it is read from text.
    fn from(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(value) => Self::Int(value),
                None => Self::float(number.as_f64().unwrap_or(0.0)),
            },
            serde_json::Value::String(text) => Self::String(text.as_str().into()),
            serde_json::Value::Array(items) => Self::Array(items.iter().map(Self::from).collect()),
            serde_json::Value::Object(entries) => Self::Object(std::sync::Arc::new(
                entries.iter().map(|(key, value)| (key.as_str().into(), Self::from(value))).collect(),
            )),
        }
    }
}

#[cfg(test)]
mod tests;
