//! What the JSON Schema of an operation says of a parameter beyond its type.

use serde_json::Value as Json;

use super::ToolParam;
use crate::types::{FieldDef, Type};

/// The parameters as the entry has them.
pub(super) struct Parameters<'a> {
    properties: Option<&'a serde_json::Map<String, Json>>,
    required: Vec<&'a str>,
}

impl<'a> Parameters<'a> {
    pub(super) fn of(input: &'a Json) -> Self {
        let required = input.get("required").and_then(Json::as_array);
        Self {
            properties: input.get("properties").and_then(Json::as_object),
            required: required.into_iter().flatten().filter_map(Json::as_str).collect(),
        }
    }

    pub(super) fn param(&self, field: &FieldDef) -> ToolParam {
        let raw = self.properties.and_then(|properties| properties.get(&field.name));
        let required = match field.ty {
            // Absent and `null` are one value of opaque JSON, so its type does not say.
            Type::Json => self.required.contains(&field.name.as_str()),
            Type::Optional(_) => false,
            _ => true,
        };
        let default = raw.and_then(|raw| raw.get("default")).filter(|default| !default.is_null());
        let doc = match default {
            Some(default) if field.doc.is_empty() => format!("Left out: {default}."),
            Some(default) => format!("{} Left out: {default}.", field.doc.trim()),
            None => field.doc.clone(),
        };
        let (name, ty) = (field.name.clone(), field.ty.clone());
        ToolParam { name, ty, required, doc, rules: raw.map(rules).unwrap_or_default() }
    }
}

/// Rules that are checked when a value is sent, and that no type says.
fn rules(raw: &Json) -> Vec<String> {
    let said = |keyword: &str, words: &str| raw.get(keyword).map(|value| format!("{words} {}", shown(value)));
    let unique = raw.get("uniqueItems").filter(|unique| **unique == Json::Bool(true));
    [said("pattern", "matches"), said("multipleOf", "a multiple of")]
        .into_iter()
        .flatten()
        .chain(unique.map(|_| "no element twice".to_owned()))
        .collect()
}

fn shown(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
