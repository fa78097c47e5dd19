//! What a schema says and no type does, so that it is told and not lost in silence.

use serde_json::{Map, Value as Json};

use super::Notes;
use crate::bundle::Contract;
use crate::error::shown;

/// Keywords that hold values and no schemas.
const VALUES: [&str; 5] = ["const", "default", "enum", "example", "examples"];
/// Keywords that hold schemas by name.
const NAMED: [&str; 3] = ["$defs", "patternProperties", "properties"];

/// Tells what of `contract` does not hold of values of its type. Each kind is told once, with the first place.
pub(super) fn tell(contract: &Contract, field: &'static str, notes: &mut Notes) {
    for format in &contract.loosened {
        notes.left_out(field, format!("`format: {format}`, which services often do not keep to: a `String`"));
    }
    let mut found: Vec<(&str, String)> = Vec::new();
    walk(&contract.schema, "", &mut |pointer, members| {
        for what in losses(members) {
            if !found.iter().any(|(known, _)| *known == what) {
                found.push((what, contract.locate(pointer)));
            }
        }
    });
    for (what, at) in found {
        notes.left_out(field, format!("{what}, at {}", shown(&at)));
    }
}

fn losses(members: &Map<String, Json>) -> Vec<&'static str> {
    let mut losses = Vec::new();
    let more = members.get("additionalProperties").and_then(Json::as_object);
    let named = members.get("properties").and_then(Json::as_object);
    if more.is_some_and(|more| !more.is_empty()) && named.is_some_and(|named| !named.is_empty()) {
        losses.push("the type of properties without names, beside those that have one");
    }
    if members.contains_key("discriminator")
        && !members.contains_key("oneOf")
        && !members.contains_key("anyOf")
    {
        losses.push("the kinds of an object that only a `discriminator` tells apart");
    }
    let pattern = members.get("pattern").and_then(Json::as_str).unwrap_or_default();
    if ["(?=", "(?!", "(?<=", "(?<!"].iter().any(|mark| pattern.contains(mark)) {
        losses.push("a pattern that looks ahead or behind");
    }
    let is_text = members.get("type").is_some_and(|ty| ty == "string");
    let values = members.get("enum").and_then(Json::as_array).into_iter().flatten();
    if is_text && values.into_iter().any(|value| value.is_number() || value.is_boolean()) {
        losses
            .push("values of an enum of texts that are numbers or flags, as YAML reads them without quotes");
    }
    losses
}

/// Calls `each` on every object, with its place.
fn walk(json: &Json, at: &str, each: &mut impl FnMut(&str, &Map<String, Json>)) {
    match json {
        Json::Object(members) => {
            each(at, members);
            for (key, value) in members {
                let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                match value {
                    _ if VALUES.contains(&key.as_str()) => {}
                    // Names of what is there, and no schema themselves.
                    Json::Object(named) if NAMED.contains(&key.as_str()) => {
                        for (name, value) in named {
                            let name = name.replace('~', "~0").replace('/', "~1");
                            walk(value, &format!("{at}/{name}"), each);
                        }
                    }
                    value => walk(value, &at, each),
                }
            }
        }
        Json::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                walk(item, &format!("{at}/{place}"), each);
            }
        }
        _ => {}
    }
}
