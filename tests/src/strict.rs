//! What OpenAI's strict mode admits of a schema, written down a second time: from its documentation, not from the code
//! that makes such schemas.

use serde_json::{Map, Value as Json};

/// Keywords that a schema may have.
const KEYWORDS: [&str; 9] = [
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "anyOf",
    "description",
    "$ref",
];
const KINDS: [&str; 7] = ["string", "number", "integer", "boolean", "object", "array", "null"];

/// What is wrong with a function's parameters; empty where nothing is.
#[must_use]
pub fn violations(parameters: &Json) -> Vec<String> {
    let mut checker = Checker { root: parameters, found: Vec::new(), properties: 0, literals: 0, names: 0 };
    if parameters["type"] != "object" || parameters.get("anyOf").is_some() {
        checker.found.push("the root is no object".into());
    }
    let mut root = parameters.clone();
    let defs = root.as_object_mut().and_then(|members| members.remove("$defs"));
    checker.schema(&root, "#", 0);
    for (name, def) in defs.iter().filter_map(Json::as_object).flatten() {
        checker.names += name.len();
        checker.schema(def, &format!("#/$defs/{name}"), 0);
    }
    for (what, found, limit) in [
        ("properties", checker.properties, 5_000),
        ("enum values", checker.literals, 1_000),
        ("bytes of names", checker.names, 120_000),
    ] {
        if found > limit {
            checker.found.push(format!("{found} {what} are more than {limit}"));
        }
    }
    checker.found
}

struct Checker<'a> {
    root: &'a Json,
    found: Vec<String>,
    properties: usize,
    literals: usize,
    names: usize,
}

impl Checker<'_> {
    fn schema(&mut self, schema: &Json, at: &str, depth: usize) {
        let Some(members) = schema.as_object() else { return self.wrong(at, "no object") };
        for keyword in members.keys().filter(|keyword| !KEYWORDS.contains(&keyword.as_str())) {
            self.wrong(at, &format!("has `{keyword}`"));
        }
        if let Some(reference) = members.get("$ref") {
            if members.len() > 1 {
                self.wrong(at, "has something beside `$ref`");
            }
            let target = reference.as_str().and_then(|text| self.root.pointer(text.trim_start_matches('#')));
            if target.is_none() {
                self.wrong(at, "refers to nothing");
            }
            return;
        }
        let kinds = kinds(members);
        if kinds.iter().any(|kind| !KINDS.contains(kind)) {
            self.wrong(at, "is of no known type");
        }
        match members.get("anyOf").map(|options| options.as_array()) {
            Some(Some(options)) if !options.is_empty() && kinds.is_empty() => {
                self.options(options, at, depth)
            }
            Some(_) => self.wrong(at, "has no proper `anyOf`"),
            None if kinds.is_empty() => self.wrong(at, "has no type"),
            None => {}
        }
        self.literals += members.get("enum").and_then(Json::as_array).map_or(0, Vec::len);
        if kinds.contains(&"object") {
            self.object(members, at, depth + 1);
        }
        if kinds.contains(&"array") {
            match members.get("items") {
                Some(items) => self.schema(items, &format!("{at}/items"), depth + 1),
                None => self.wrong(at, "is a list of nothing"),
            }
        }
        if depth >= 10 && kinds.iter().any(|kind| matches!(*kind, "object" | "array")) {
            self.wrong(at, "is too deep");
        }
    }

    fn options(&mut self, options: &[Json], at: &str, depth: usize) {
        let mut firsts = Vec::new();
        for (index, option) in options.iter().enumerate() {
            self.schema(option, &format!("{at}/anyOf/{index}"), depth);
            if let Some((name, first)) =
                option["properties"].as_object().and_then(|members| members.iter().next())
            {
                let first = (name.clone(), first["enum"].to_string());
                if firsts.contains(&first) {
                    self.wrong(at, &format!("has two members that begin with `{name}`"));
                }
                firsts.push(first);
            }
        }
    }

    fn object(&mut self, members: &Map<String, Json>, at: &str, depth: usize) {
        if members.get("additionalProperties") != Some(&Json::Bool(false)) {
            self.wrong(at, "is open");
        }
        let Some(properties) = members.get("properties").and_then(Json::as_object) else {
            return self.wrong(at, "has no properties");
        };
        self.properties += properties.len();
        let required: Vec<&str> = members
            .get("required")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .collect();
        let mut names: Vec<&str> = properties.keys().map(String::as_str).collect();
        let mut sorted = required.clone();
        names.sort_unstable();
        sorted.sort_unstable();
        if names != sorted {
            self.wrong(at, "does not require each of its properties");
        }
        for (name, schema) in properties {
            self.names += name.len();
            self.schema(schema, &format!("{at}/properties/{name}"), depth);
        }
    }

    fn wrong(&mut self, at: &str, what: &str) {
        self.found.push(format!("{at} {what}"));
    }
}

fn kinds(members: &Map<String, Json>) -> Vec<&str> {
    match members.get("type") {
        Some(Json::String(kind)) => vec![kind],
        Some(Json::Array(kinds)) => kinds.iter().filter_map(Json::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_strict_mode_refuses_is_found() {
        let object = |property: Json| json!({ "type": "object", "required": ["x"], "additionalProperties": false, "properties": { "x": property } });
        assert!(violations(&object(json!({ "type": ["string", "null"], "description": "d" }))).is_empty());
        for bad in [
            json!({ "type": "integer", "minimum": 1 }),
            json!({ "type": "string", "default": "a" }),
            json!({ "type": "string", "format": "uri" }),
            json!({}),
            json!({ "oneOf": [{ "type": "string" }] }),
            json!({ "anyOf": [] }),
            json!({ "$ref": "#/$defs/Nowhere" }),
            json!({ "type": "array" }),
            json!({ "type": "object", "properties": {}, "required": [] }),
            json!({ "type": "object", "properties": { "y": { "type": "null" } }, "required": [], "additionalProperties": false }),
            json!({ "anyOf": [object(json!({ "type": "string" })), object(json!({ "type": "integer" }))] }),
        ] {
            assert!(!violations(&object(bad.clone())).is_empty(), "{bad}");
        }
        assert!(!violations(&json!({ "anyOf": [object(json!({ "type": "null" }))] })).is_empty());
    }
}
