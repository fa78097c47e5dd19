//! Which keywords are understood, and reading their values.

use serde_json::{Map, Value as Json};

use super::{MALFORMED, SchemaError, UNKNOWN_KEYWORD, UNSUPPORTED};
use crate::types::LengthRange;
use crate::wire::Kind;

/// Say nothing about which values are valid.
const ANNOTATIONS: [&str; 21] = [
    "$anchor",
    "$comment",
    "$defs",
    "$id",
    "$schema",
    "$vocabulary",
    "contentMediaType",
    "contentSchema",
    "default",
    "definitions",
    "deprecated",
    "description",
    "discriminator",
    "example",
    "examples",
    "externalDocs",
    "readOnly",
    "title",
    "writeOnly",
    "xml",
    "summary",
];

/// Narrow a scalar or a container in a way that types do not express; the peer checks them.
const UNCHECKED: [&str; 8] = [
    "dependentRequired",
    "maxProperties",
    "minProperties",
    "multipleOf",
    "pattern",
    "propertyNames",
    "uniqueItems",
    "format",
];

/// Mapped.
const MAPPED: [&str; 24] = [
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contentEncoding",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "nullable",
    "oneOf",
    "properties",
    "required",
    "type",
    "x-extensible",
    "x-maxBytes",
    "x-minBytes",
];

/// Of JSON Schema, but beyond what types express.
const REFUSED: [&str; 18] = [
    "$dynamicAnchor",
    "$dynamicRef",
    "$recursiveAnchor",
    "$recursiveRef",
    "additionalItems",
    "contains",
    "dependencies",
    "dependentSchemas",
    "else",
    "if",
    "maxContains",
    "minContains",
    "not",
    "patternProperties",
    "prefixItems",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// Members of a schema object.
pub(super) type Members = Map<String, Json>;

/// Whether the keyword says nothing about validity. Extensions (`x-..`) are annotations by convention.
pub(super) fn is_annotation(keyword: &str) -> bool {
    ANNOTATIONS.contains(&keyword) || (keyword.starts_with("x-") && !MAPPED.contains(&keyword))
}

/// Refuses keywords that are unknown or cannot be expressed.
pub(super) fn check(members: &Members, pointer: &str) -> Result<(), SchemaError> {
    for (keyword, value) in members {
        let keyword = keyword.as_str();
        if is_annotation(keyword) || UNCHECKED.contains(&keyword) || MAPPED.contains(&keyword) {
            continue;
        }
        // Closing an object or array says nothing here: answers are read open.
        if keyword.starts_with("unevaluated") && value.is_boolean() {
            continue;
        }
        if REFUSED.contains(&keyword) {
            let message = format!(
                "no type can express `{keyword}`; leave it out, or mark the answer's schema as incomplete"
            );
            return Err(SchemaError::new(UNSUPPORTED, pointer, message));
        }
        let message = format!("`{}` is no keyword of JSON Schema", super::names::shown(keyword));
        return Err(SchemaError::new(UNKNOWN_KEYWORD, pointer, message));
    }
    Ok(())
}

/// Whether the schema constrains anything.
pub(super) fn constrains(members: &Members) -> bool {
    members.keys().any(|keyword| !is_annotation(keyword) && keyword != "nullable")
}

/// Whether nothing but annotations and `nullable` stands beside the keyword.
pub(super) fn stands_alone(members: &Members, keyword: &str) -> bool {
    members.keys().all(|key| key == keyword || key == "nullable" || is_annotation(key))
}

fn malformed(pointer: &str, keyword: &str, wanted: &str) -> SchemaError {
    SchemaError::new(MALFORMED, pointer, format!("the value of `{keyword}` is not {wanted}"))
}

/// A keyword whose value is a schema's members.
pub(super) fn object<'s>(
    members: &'s Members,
    keyword: &str,
    pointer: &str,
) -> Result<Option<&'s Members>, SchemaError> {
    let wanted = |value: &'s Json| value.as_object().ok_or_else(|| malformed(pointer, keyword, "an object"));
    members.get(keyword).map(wanted).transpose()
}

/// A keyword whose value is an array.
pub(super) fn array<'s>(
    members: &'s Members,
    keyword: &str,
    pointer: &str,
) -> Result<Option<&'s [Json]>, SchemaError> {
    let wanted = |value: &'s Json| {
        value.as_array().map(Vec::as_slice).ok_or_else(|| malformed(pointer, keyword, "an array"))
    };
    members.get(keyword).map(wanted).transpose()
}

/// A keyword whose value is text.
pub(super) fn text<'s>(
    members: &'s Members,
    keyword: &str,
    pointer: &str,
) -> Result<Option<&'s str>, SchemaError> {
    let wanted = |value: &'s Json| value.as_str().ok_or_else(|| malformed(pointer, keyword, "a string"));
    members.get(keyword).map(wanted).transpose()
}

/// A keyword whose value is a number.
pub(super) fn number<'s>(
    members: &'s Members,
    keyword: &str,
    pointer: &str,
) -> Result<Option<&'s serde_json::Number>, SchemaError> {
    let wanted = |value: &'s Json| value.as_number().ok_or_else(|| malformed(pointer, keyword, "a number"));
    members.get(keyword).map(wanted).transpose()
}

/// `true` where the flag is set.
pub(super) fn flag(members: &Members, keyword: &str, pointer: &str) -> Result<bool, SchemaError> {
    match members.get(keyword) {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| malformed(pointer, keyword, "true or false")),
    }
}

/// The lengths that two keywords admit.
pub(super) fn lengths(
    members: &Members,
    min: &str,
    max: &str,
    pointer: &str,
) -> Result<LengthRange, SchemaError> {
    let length = |keyword: &str| {
        let Some(number) = number(members, keyword, pointer)? else { return Ok(None) };
        let whole = number.as_u64().or_else(|| whole_length(number.as_f64()?));
        whole.map(Some).ok_or_else(|| malformed(pointer, keyword, "a length"))
    };
    let range = LengthRange { min: length(min)?.unwrap_or(0), max: length(max)? };
    if range.max.is_some_and(|max| max < range.min) {
        let message = format!("`{min}` is greater than `{max}`");
        return Err(SchemaError::new(MALFORMED, pointer, message));
    }
    Ok(range)
}

/// `2.0` is a length, too.
fn whole_length(number: f64) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be whole and in range"
    )]
    (number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number)).then_some(number as u64)
}

/// The names under `required`.
pub(super) fn required<'s>(members: &'s Members, pointer: &str) -> Result<Vec<&'s str>, SchemaError> {
    let names = array(members, "required", pointer)?.unwrap_or_default();
    let name =
        |name: &'s Json| name.as_str().ok_or_else(|| malformed(pointer, "required", "a list of names"));
    names.iter().map(name).collect()
}

/// What `type` admits, in order; `None` where the schema leaves it open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Types {
    pub(super) kinds: Vec<Kind>,
    pub(super) null: bool,
    /// Whether numbers must be whole.
    pub(super) integer: bool,
}

/// The types that a schema admits. Where `type` is left out but keywords of one kind stand there, that
/// kind is meant: nobody writes `properties` to admit a number.
pub(super) fn types(members: &Members, pointer: &str) -> Result<Option<Types>, SchemaError> {
    let null = flag(members, "nullable", pointer)?;
    let names = match members.get("type") {
        None => return Ok(implied(members).map(|kind| Types { kinds: vec![kind], null, integer: false })),
        Some(Json::String(name)) => vec![name.as_str()],
        Some(Json::Array(names)) => {
            let name = |name: &'_ Json| name.as_str().map(str::to_owned);
            let names: Option<Vec<_>> = names.iter().map(name).collect();
            let names = names.ok_or_else(|| malformed(pointer, "type", "a list of type names"))?;
            return collect(names.iter().map(String::as_str), null, pointer).map(Some);
        }
        Some(_) => return Err(malformed(pointer, "type", "a type name")),
    };
    collect(names.into_iter(), null, pointer).map(Some)
}

fn collect<'s>(
    names: impl Iterator<Item = &'s str>,
    null: bool,
    pointer: &str,
) -> Result<Types, SchemaError> {
    let mut types = Types { null, ..Types::default() };
    let mut number = false;
    for name in names {
        let kind = match name {
            "null" => {
                types.null = true;
                continue;
            }
            "string" => Kind::String,
            "number" => {
                number = true;
                Kind::Number
            }
            "integer" => {
                types.integer = true;
                Kind::Number
            }
            "boolean" => Kind::Bool,
            "array" => Kind::Array,
            "object" => Kind::Object,
            other => {
                let message = format!("`{}` is no type of JSON Schema", super::names::shown(other));
                return Err(SchemaError::new(MALFORMED, pointer, message));
            }
        };
        if !types.kinds.contains(&kind) {
            types.kinds.push(kind);
        }
    }
    types.integer &= !number;
    Ok(types)
}

fn implied(members: &Members) -> Option<Kind> {
    let any = |keywords: &[&str]| keywords.iter().any(|keyword| members.contains_key(*keyword));
    if any(&[
        "properties",
        "additionalProperties",
        "required",
        "minProperties",
        "maxProperties",
        "propertyNames",
    ]) {
        Some(Kind::Object)
    } else if any(&["items", "minItems", "maxItems", "uniqueItems"]) {
        Some(Kind::Array)
    } else if any(&["minLength", "maxLength", "pattern", "format", "contentEncoding"]) {
        Some(Kind::String)
    } else if any(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]) {
        Some(Kind::Number)
    } else {
        None
    }
}
