//! Whether the members of a union are told apart by what they are, before any rule is asked.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::canonical;
use crate::json_schema::{is_opaque, keywords, local};
use crate::wire::Kind;

/// References that are followed from a member to what it is.
const HOPS_MAX: usize = 8;

/// What a member is at first sight.
struct Sight {
    kinds: Vec<Kind>,
    /// Required properties that have one of a few values.
    tags: BTreeMap<String, BTreeSet<String>>,
}

/// Whether at most one of `parts` can have a value by its kind and its tags alone. A reader then knows which member it
/// has, and need not try them all.
pub(crate) fn told_apart(document: &Json, parts: &[Json]) -> bool {
    let Some(sights) = parts.iter().map(|part| sight(document, part)).collect::<Option<Vec<_>>>() else {
        return false;
    };
    let alike = |kind: Kind| sights.iter().filter(move |sight| sight.kinds.contains(&kind));
    let apart = |kind: Kind| alike(kind).nth(1).is_none();
    [Kind::String, Kind::Number, Kind::Bool, Kind::Array].into_iter().all(apart)
        && (apart(Kind::Object) || tagged(&alike(Kind::Object).collect::<Vec<_>>()))
}

/// What sets the member apart, in a word: its tags, else its kinds.
pub(crate) fn label(document: &Json, part: &Json) -> String {
    let Some(sight) = sight(document, part) else { return String::new() };
    let tags: Vec<String> = sight.tags.into_values().flatten().collect();
    if tags.is_empty() {
        return sight.kinds.iter().map(|kind| kind.variant()).collect::<Vec<_>>().join("|");
    }
    tags.join("|")
}

/// Whether a property has another value in each.
fn tagged(sights: &[&Sight]) -> bool {
    let Some(first) = sights.first() else { return true };
    first.tags.keys().any(|name| {
        let mut seen = BTreeSet::new();
        sights
            .iter()
            .all(|sight| sight.tags.get(name).is_some_and(|values| values.iter().all(|v| seen.insert(v))))
    })
}

fn sight(document: &Json, part: &Json) -> Option<Sight> {
    let part = followed(document, part)?;
    let members = part.as_object()?;
    // A literal that is no scalar makes the whole union opaque.
    if ["allOf", "anyOf", "oneOf"].iter().any(|keyword| members.contains_key(*keyword)) || is_opaque(members)
    {
        return None;
    }
    let literals = match members.get("const") {
        Some(constant) => Some(std::slice::from_ref(constant)),
        None => members.get("enum").and_then(Json::as_array).map(Vec::as_slice),
    };
    let kinds = match literals {
        Some(literals) => literals.iter().filter_map(kind).collect(),
        None => keywords::types(members, "").ok()??.kinds,
    };
    let mut tags = BTreeMap::new();
    let properties = members.get("properties").and_then(Json::as_object);
    for name in keywords::required(members, "").ok()? {
        let Some(property) = properties.and_then(|all| followed(document, all.get(name)?)) else { continue };
        let open = property.get("x-extensible").is_some_and(|flag| *flag != Json::Bool(false));
        let values = match (property.get("const"), property.get("enum").and_then(Json::as_array)) {
            _ if open => continue,
            (Some(constant), _) => BTreeSet::from([canonical(constant)]),
            (None, Some(values)) => values.iter().map(canonical).collect(),
            (None, None) => continue,
        };
        tags.insert(name.to_owned(), values);
    }
    Some(Sight { kinds, tags })
}

fn followed<'a>(document: &'a Json, mut schema: &'a Json) -> Option<&'a Json> {
    for _ in 0..HOPS_MAX {
        let Some(target) = schema.get("$ref") else { return Some(schema) };
        // What stands beside a reference narrows it.
        if schema.as_object()?.len() > 1 {
            return None;
        }
        let pointer = local(target.as_str()?, "").ok()?;
        schema = document.pointer(pointer.strip_prefix('#').unwrap_or(&pointer))?;
    }
    None
}

fn kind(literal: &Json) -> Option<Kind> {
    match literal {
        Json::Null => None,
        Json::Bool(_) => Some(Kind::Bool),
        Json::Number(_) => Some(Kind::Number),
        Json::String(_) => Some(Kind::String),
        Json::Array(_) => Some(Kind::Array),
        Json::Object(_) => Some(Kind::Object),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_and_tags_tell_apart_and_nothing_else_does() {
        let tag = |value: Json| json!({ "type": "object", "required": ["k"], "properties": { "k": value } });
        for (parts, apart) in [
            (json!([{ "type": "string" }, { "type": "integer" }, { "type": "null" }]), true),
            (json!([{ "type": "string" }, { "const": "a" }]), false),
            (json!([{ "enum": [1, null] }, { "const": "a" }]), true),
            (json!([{ "type": "string" }, {}]), false),
            (
                json!([tag(json!({ "const": "a" })), tag(json!({ "enum": ["b", "c"] })), { "type": "string" }]),
                true,
            ),
            (json!([tag(json!({ "const": "a" })), tag(json!({ "enum": ["a", "c"] }))]), false),
            (
                json!([tag(json!({ "const": "a" })), tag(json!({ "enum": ["b"], "x-extensible": true }))]),
                false,
            ),
            (json!([tag(json!({ "const": "a" })), { "type": "object" }]), false),
            (json!([{ "$ref": "#/x" }, { "type": "integer" }]), true),
            (json!([{ "$ref": "#/x", "minLength": 1 }, { "type": "integer" }]), false),
            (json!([{ "allOf": [{ "type": "string" }] }, { "type": "integer" }]), false),
        ] {
            let document = json!({ "x": { "type": "string" }, "anyOf": parts });
            assert_eq!(told_apart(&document, document["anyOf"].as_array().unwrap()), apart, "{document}");
        }
    }
}
