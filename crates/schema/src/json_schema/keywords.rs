//! Which keywords are understood, and reading their values.

use serde_json::{Map, Value as Json};

use super::{MALFORMED, SchemaError, UNKNOWN_KEYWORD, UNSUPPORTED};
use crate::types::LengthRange;
use crate::wire::Kind;

/// Say nothing about which values are valid.
const ANNOTATIONS: [&str; 23] = [
    "$anchor",
    "$comment",
    "$defs",
    "$dynamicAnchor",
    "$id",
    "$recursiveAnchor",
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
    "summary",
    "title",
    "writeOnly",
    "xml",
];

/// Narrow a value in a way that types do not express; [`crate::boundary`] checks them where values go out and
/// come in.
const BOUNDARY: [&str; 17] = [
    "contains",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "format",
    "if",
    "maxContains",
    "maxProperties",
    "minContains",
    "minProperties",
    "multipleOf",
    "not",
    "pattern",
    "propertyNames",
    "then",
    "uniqueItems",
];

/// Mapped.
const MAPPED: [&str; 29] = [
    "$ref",
    "additionalItems",
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
    "patternProperties",
    "prefixItems",
    "properties",
    "required",
    "type",
    "unevaluatedItems",
    "unevaluatedProperties",
    "x-extensible",
    "x-maxBytes",
    "x-minBytes",
];

/// Of JSON Schema, but beyond what a type that stands alone can express.
const REFUSED: [&str; 2] = ["$dynamicRef", "$recursiveRef"];

/// Members of a schema object.
pub(crate) type Members = Map<String, Json>;

/// Whether the keyword says nothing about validity. Extensions (`x-..`) are annotations by convention.
pub(crate) fn is_annotation(keyword: &str) -> bool {
    ANNOTATIONS.contains(&keyword) || (keyword.starts_with("x-") && !MAPPED.contains(&keyword))
}

/// Refuses keywords that are unknown or cannot be expressed.
pub(crate) fn check(members: &Members, pointer: &str) -> Result<(), SchemaError> {
    for keyword in members.keys() {
        let keyword = keyword.as_str();
        if is_annotation(keyword) || BOUNDARY.contains(&keyword) || MAPPED.contains(&keyword) {
            continue;
        }
        if REFUSED.contains(&keyword) {
            let message = format!("where `{keyword}` leads depends on who refers to it; refer by `$ref`");
            return Err(SchemaError::new(UNSUPPORTED, pointer, message));
        }
        let message = format!("`{}` is no keyword of JSON Schema", super::names::shown(keyword));
        return Err(SchemaError::new(UNKNOWN_KEYWORD, pointer, message));
    }
    Ok(())
}

/// Whether the schema constrains anything.
pub(crate) fn constrains(members: &Members) -> bool {
    members.keys().any(|keyword| !is_annotation(keyword) && keyword != "nullable")
}

/// Whether the keyword narrows values in a way that types do not express.
pub(crate) fn is_boundary(keyword: &str) -> bool {
    BOUNDARY.contains(&keyword) && keyword != "format"
}

/// Whether nothing but annotations and `nullable` stands beside the keyword.
pub(crate) fn stands_alone(members: &Members, keyword: &str) -> bool {
    members.keys().all(|key| key == keyword || key == "nullable" || is_annotation(key))
}

fn malformed(pointer: &str, keyword: &str, wanted: &str) -> SchemaError {
    SchemaError::new(MALFORMED, pointer, format!("the value of `{keyword}` is not {wanted}"))
}

/// A keyword whose value is a schema's members.
pub(crate) fn object<'s>(
    members: &'s Members,
    keyword: &str,
    pointer: &str,
) -> Result<Option<&'s Members>, SchemaError> {
    let wanted = |value: &'s Json| value.as_object().ok_or_else(|| malformed(pointer, keyword, "an object"));
    members.get(keyword).map(wanted).transpose()
}

/// A keyword whose value is an array.
pub(crate) fn array<'s>(
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
pub(crate) fn text<'s>(
    members: &'s Members,
    keyword: &str,
    pointer: &str,
) -> Result<Option<&'s str>, SchemaError> {
    let wanted = |value: &'s Json| value.as_str().ok_or_else(|| malformed(pointer, keyword, "a string"));
    members.get(keyword).map(wanted).transpose()
}

/// A keyword whose value is a number.
pub(crate) fn number<'s>(
    members: &'s Members,
    keyword: &str,
    pointer: &str,
) -> Result<Option<&'s serde_json::Number>, SchemaError> {
    let wanted = |value: &'s Json| value.as_number().ok_or_else(|| malformed(pointer, keyword, "a number"));
    members.get(keyword).map(wanted).transpose()
}

/// `true` where the flag is set.
pub(crate) fn flag(members: &Members, keyword: &str, pointer: &str) -> Result<bool, SchemaError> {
    match members.get(keyword) {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| malformed(pointer, keyword, "true or false")),
    }
}

/// The lengths that two keywords admit.
pub(crate) fn lengths(
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
pub(crate) fn required<'s>(members: &'s Members, pointer: &str) -> Result<Vec<&'s str>, SchemaError> {
    let names = array(members, "required", pointer)?.unwrap_or_default();
    let name =
        |name: &'s Json| name.as_str().ok_or_else(|| malformed(pointer, "required", "a list of names"));
    names.iter().map(name).collect()
}

/// What `type` admits, in order; `None` where the schema leaves it open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Types {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) null: bool,
    /// Whether numbers must be whole.
    pub(crate) integer: bool,
}

/// The types that a schema admits. Where `type` is left out but keywords of one kind stand there, that
/// kind is meant: nobody writes `properties` to admit a number.
pub(crate) fn types(members: &Members, pointer: &str) -> Result<Option<Types>, SchemaError> {
    let null = flag(members, "nullable", pointer)?;
    let names = match members.get("type") {
        None => {
            let format = members.get("format").and_then(Json::as_str);
            let integer =
                format.is_some_and(|format| format.starts_with("int") || format.starts_with("uint"));
            return Ok(implied(members).map(|kind| Types { kinds: vec![kind], null, integer }));
        }
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

/// Whether the format has a type of its own; others narrow text or say how a number is stored.
pub(crate) fn is_mapped_format(format: &Json) -> bool {
    let mapped = ["uri", "date-time", "duration", "byte", "binary", super::scalars::AMOUNT_FORMAT];
    format.as_str().is_none_or(|format| mapped.contains(&format))
}

/// Formats of numbers; a schema may leave `type` out beside them, too.
const NUMBER_FORMATS: [&str; 12] = [
    "decimal", "double", "float", "int", "int16", "int32", "int64", "int8", "uint", "uint32", "uint64",
    "uint8",
];

fn implied(members: &Members) -> Option<Kind> {
    let any = |keywords: &[&str]| keywords.iter().any(|keyword| members.contains_key(*keyword));
    let format = members.get("format").and_then(Json::as_str);
    if any(&[
        "properties",
        "patternProperties",
        "additionalProperties",
        "required",
        "minProperties",
        "maxProperties",
        "propertyNames",
        "dependentRequired",
        "dependentSchemas",
        "unevaluatedProperties",
    ]) {
        Some(Kind::Object)
    } else if any(&[
        "items",
        "prefixItems",
        "minItems",
        "maxItems",
        "uniqueItems",
        "contains",
        "unevaluatedItems",
    ]) {
        Some(Kind::Array)
    } else if any(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"])
        || format.is_some_and(|format| NUMBER_FORMATS.contains(&format))
    {
        Some(Kind::Number)
    } else if any(&["minLength", "maxLength", "pattern", "format", "contentEncoding"]) {
        Some(Kind::String)
    } else {
        None
    }
}
