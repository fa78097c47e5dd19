//! Which fields of a form are files, and of which media type.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::Notes;
use super::arguments::resolved;
use crate::error::shown;
use crate::request::{Location, Request};

const OCTETS: &str = "application/octet-stream";

/// Levels of `allOf` that a body is looked into for a field.
const DEPTH_MAX: usize = 8;

/// Media types of the files that have another one than octets, or that only a reference tells to be files.
pub(super) fn media_types(request: &Request, input: &Json, notes: &mut Notes) -> BTreeMap<String, String> {
    let mut types = BTreeMap::new();
    let in_body = request.locations.iter().filter(|(_, location)| **location == Location::Body);
    for (name, _) in in_body {
        let said = request.field_types.get(name);
        let schema = field(input, input, name, DEPTH_MAX);
        let schema = schema.filter(|schema| is_file(input, schema));
        let first = said.map(|said| said.split(',').next().unwrap_or_default().trim().to_owned());
        let concrete = first.filter(|first| first.contains('/') && !first.contains('*'));
        match (schema, said, concrete) {
            (Some(_), _, Some(concrete)) => drop(types.insert(name.clone(), concrete)),
            (Some(schema), said, None) => {
                if let Some(said) = said {
                    let text = format!("`{}` is sent as octets, not as `{}`", shown(name), shown(said));
                    notes.left_out("body", text);
                }
                if schema.get("$ref").is_some() {
                    types.insert(name.clone(), OCTETS.to_owned());
                }
            }
            (None, Some(said), _) => {
                let text = format!("the media type `{}` of the field `{}`", shown(said), shown(name));
                notes.left_out("body", text);
            }
            (None, None, _) => {}
        }
    }
    types
}

/// The schema of a field, by `properties` or within `allOf`.
fn field<'a>(input: &'a Json, schema: &'a Json, name: &str, depth: usize) -> Option<&'a Json> {
    let depth = depth.checked_sub(1)?;
    let schema = resolved(input, schema);
    let own = schema.get("properties").and_then(|properties| properties.get(name));
    let own = own.filter(|own| own.as_object().is_none_or(|members| !members.is_empty()));
    let parts = schema.get("allOf").and_then(Json::as_array);
    own.or_else(|| parts?.iter().find_map(|part| field(input, part, name, depth)))
}

/// Whether values are octets, lists of them, or `null`.
fn is_file(input: &Json, schema: &Json) -> bool {
    let schema = resolved(input, schema);
    let is_octets = |schema: &Json| {
        let schema = resolved(input, schema);
        let format = schema.get("format").and_then(Json::as_str);
        matches!(format, Some("binary" | "byte"))
            || schema.get("contentEncoding").is_some_and(|encoding| encoding == "base64")
    };
    let parts = ["anyOf", "oneOf"].iter().find_map(|keyword| schema.get(keyword)?.as_array());
    is_octets(schema)
        || schema.get("items").is_some_and(is_octets)
        || parts.is_some_and(|parts| {
            parts.iter().any(|part| is_octets(part) || part.get("items").is_some_and(is_octets))
        })
}
