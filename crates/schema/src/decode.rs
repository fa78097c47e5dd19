//! JSON to [`Value`], checked against a [`Type`] while it is read.
//!
//! Answers come from strangers, so the reader holds no intermediate tree, stops at the first misfit and
//! has a limit on everything. What a type does not name is skipped, but never unseen: a duplicate key is
//! refused wherever it stands, because two readers could take different values from it.
//!
//! The typed reader is written once against [`serde::Deserializer`]; JSON text, opaque [`Json`] and any
//! later parser go through the same code.

use crate::error::CallError;
use crate::limits::CALL_BODY_BYTES_MAX;
use crate::operation::ResponseBody;
use crate::types::{EnumWire, Type, TypeDef, TypeDefs};
use crate::value::{Json, Value};

mod cast;
mod check;
mod index;
mod json;
mod misfit;
mod part;
mod typed;

pub use cast::cast;
pub use check::check;
pub use part::{PartSeed, SkipSeed, text_fits};

use json::JsonSource;
use misfit::Context;
use typed::Seed;

pub(crate) use misfit::{key_segment, quoted};
pub(crate) use typed::text_misfit;
/// Largest magnitude up to which every integer is a double: beyond it, a number with a fraction or exponent
/// may have lost digits, so it is no `Int`.
pub const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Code of an answer that does not fit its type.
pub const MISFIT: &str = "E1120";
/// Code of an object that names one key twice.
pub const DUPLICATE_KEY: &str = "E1121";
/// Code of an answer that is too deep, too long or too large.
pub const TOO_LARGE: &str = "E1122";
/// Code of an answer that is not JSON.
pub const NOT_JSON: &str = "E1123";

/// Fields of all records of one document together, absent ones included; each takes memory of its own.
pub const DECODED_FIELDS_MAX: usize = 8_000_000;

/// Why JSON does not become a value of the wanted type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}, at {path}")]
#[non_exhaustive]
pub struct DecodeError {
    /// [`MISFIT`], [`DUPLICATE_KEY`], [`TOO_LARGE`] or [`NOT_JSON`].
    pub code: &'static str,
    /// Where, as a JSON path such as `$.data[3].link`.
    pub path: String,
    /// What was expected and what was found. Text of an answer is not repeated, as it may be a secret,
    /// except a word where one of a closed set was expected.
    pub message: String,
}

impl From<DecodeError> for CallError {
    fn from(error: DecodeError) -> Self {
        Self::invalid(error.code, error.path, error.message)
    }
}

/// The value of type `ty` that the JSON document `bytes` holds.
///
/// # Errors
/// [`DecodeError`] with the path of the first misfit.
///
/// ```
/// use schema::decode::decode;
/// use schema::types::{LengthRange, Type, TypeDefs};
/// use schema::value::Value;
/// let words = Type::List(Box::new(Type::STRING), LengthRange::up_to(2));
/// let defs = TypeDefs::new();
/// assert_eq!(decode(br#"["a"]"#, &words, &defs)?, Value::list([Value::string("a")]));
/// assert_eq!(decode(br#"["a", 1]"#, &words, &defs).unwrap_err().path, "$[1]");
/// # Ok::<(), schema::decode::DecodeError>(())
/// ```
pub fn decode(bytes: &[u8], ty: &Type, defs: &TypeDefs) -> Result<Value, DecodeError> {
    let mut cx = Context::new(defs);
    if bytes.len() > CALL_BODY_BYTES_MAX {
        let size = bytes.len();
        return Err(cx.large(format!("{size} bytes are more than the limit of {CALL_BODY_BYTES_MAX}")));
    }
    let mut source = serde_json::Deserializer::from_slice(bytes);
    let read = Seed::read(&mut cx, ty, &mut source);
    read.and_then(|value| source.end().map(|()| value)).map_err(|error| cx.into_error(&error))
}

/// The JSON document `bytes` as it stands.
///
/// # Errors
/// As [`decode`].
pub fn parse_json(bytes: &[u8]) -> Result<Json, DecodeError> {
    let defs = TypeDefs::new();
    match decode(bytes, &Type::Json, &defs)? {
        Value::Json(json) => Ok(json),
        _ => Ok(Json::Null),
    }
}

/// The value of type `ty` that opaque `json` holds: what `json as T` means.
///
/// # Errors
/// As [`decode`].
pub fn decode_json(json: &Json, ty: &Type, defs: &TypeDefs) -> Result<Value, DecodeError> {
    let mut cx = Context::new(defs);
    Seed::read(&mut cx, ty, JsonSource(json)).map_err(|error| cx.into_error(&error))
}

/// The same for what a caller wrote: a key that a record does not have is a misfit. In the answer of a
/// subnet it is a field of a newer version, here a slip that would go unnoticed.
///
/// # Errors
/// As [`decode`].
pub fn decode_exact(json: &Json, ty: &Type, defs: &TypeDefs) -> Result<Value, DecodeError> {
    let mut cx = Context::new(defs);
    cx.exact = true;
    Seed::read(&mut cx, ty, JsonSource(json)).map_err(|error| cx.into_error(&error))
}

/// The value of type `ty` that a text answer holds. A type that is text takes the text itself; for any
/// other the text is JSON, which models like to put into a Markdown code fence.
///
/// # Errors
/// As [`decode`].
pub fn decode_text(text: &str, ty: &Type, defs: &TypeDefs) -> Result<Value, DecodeError> {
    let as_string = |text: &str| decode_json(&Json::String(text.into()), ty, defs);
    let wanted = match ty {
        Type::Optional(inner) => inner,
        other => other,
    };
    match wanted {
        Type::String(_) => as_string(text),
        Type::Url | Type::Time | Type::Duration | Type::Amount | Type::Bytes(_) => as_string(text.trim()),
        Type::Named(id) if is_word_enum(defs.get(*id)) && !unfenced(text).starts_with(['"', '{']) => {
            as_string(unfenced(text))
        }
        _ => decode(unfenced(text).as_bytes(), ty, defs),
    }
}

/// The value of an answer's body, as its transport declares it.
///
/// # Errors
/// As [`decode`]; text that is not UTF-8 is [`NOT_JSON`].
pub fn decode_body(
    body: &[u8],
    form: ResponseBody,
    ty: &Type,
    defs: &TypeDefs,
) -> Result<Value, DecodeError> {
    match form {
        ResponseBody::Json => decode(body, ty, defs),
        ResponseBody::Text => match std::str::from_utf8(body) {
            Ok(text) if matches!(ty, Type::Json) => Ok(Value::Json(Json::String(text.into()))),
            Ok(text) => decode_text(text, ty, defs),
            Err(error) => Err(DecodeError {
                code: NOT_JSON,
                path: "$".into(),
                message: format!("the text is not UTF-8: {error}"),
            }),
        },
        ResponseBody::Bytes => {
            let value = Value::Bytes(body.into());
            check(&value, ty, defs).map(|()| value)
        }
    }
}

/// Whether values of the enum can be written as bare words.
fn is_word_enum(def: Option<&TypeDef>) -> bool {
    match def {
        Some(TypeDef::Enum(def)) => {
            def.wire == EnumWire::Literal
                && def.variants.iter().any(|v| v.payload.is_none() && v.wire.starts_with('"'))
        }
        _ => false,
    }
}

/// `text` without the white space and the Markdown code fence around it.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    match inner.and_then(|inner| inner.split_once('\n')) {
        // The first line is the language's name.
        Some((info, body)) if !info.contains(['{', '[', '"']) => body.trim(),
        _ => text,
    }
}

#[cfg(test)]
mod tests;
