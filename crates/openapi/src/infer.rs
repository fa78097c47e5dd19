//! JSON Schemas from example values: what was seen, and no more.

use serde_json::{Map, Value as Json, json};

/// The schema of `value`, with every key it has required. A list has the type that all of its elements have, an
/// empty one may hold anything; so may what was seen as values of unlike types.
pub(crate) fn schema_of(value: &Json) -> Json {
    match value {
        Json::Null => json!({}),
        Json::Bool(_) => json!({ "type": "boolean" }),
        Json::Number(number) if number.is_i64() || number.is_u64() => json!({ "type": "integer" }),
        Json::Number(_) => json!({ "type": "number" }),
        Json::String(_) => json!({ "type": "string" }),
        Json::Array(items) => {
            let has_null = items.iter().any(Json::is_null);
            let item = items.iter().filter(|item| !item.is_null()).map(schema_of).reduce(united);
            let item = item.unwrap_or_else(|| json!({}));
            json!({ "type": "array", "items": if has_null { or_null(item) } else { item } })
        }
        Json::Object(members) => {
            let properties: Map<String, Json> =
                members.iter().map(|(name, value)| (name.clone(), schema_of(value))).collect();
            let required: Vec<&String> =
                members.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name).collect();
            json!({ "type": "object", "properties": properties, "required": required })
        }
    }
}

/// The schema of what either admits: a number for an integer and a number, all keys of two objects with those required
/// that both have.
fn united(a: Json, b: Json) -> Json {
    if a == b {
        return a;
    }
    let of = |schema: &Json| schema.get("type").and_then(Json::as_str).unwrap_or_default().to_owned();
    match (of(&a).as_str(), of(&b).as_str()) {
        ("integer", "number") | ("number", "integer") => json!({ "type": "number" }),
        ("array", "array") => {
            let [a, b] = [a, b].map(|list| list.get("items").cloned().unwrap_or_default());
            // What an empty list may hold is told by the other one.
            let items = match (is_anything(&a), is_anything(&b)) {
                (true, _) => b,
                (_, true) => a,
                _ => united(a, b),
            };
            json!({ "type": "array", "items": items })
        }
        ("object", "object") => united_objects(&a, &b),
        _ => json!({}),
    }
}

fn united_objects(a: &Json, b: &Json) -> Json {
    let properties =
        |schema: &Json| schema.get("properties").and_then(Json::as_object).cloned().unwrap_or_default();
    let required =
        |schema: &Json| schema.get("required").and_then(Json::as_array).cloned().unwrap_or_default();
    let mut all = properties(a);
    for (name, schema) in properties(b) {
        let schema = match all.get(&name) {
            // `null` on one side says nothing of the type.
            Some(known) if is_anything(known) => schema,
            Some(known) if is_anything(&schema) => known.clone(),
            Some(known) => united(known.clone(), schema),
            None => schema,
        };
        all.insert(name, schema);
    }
    let theirs = required(b);
    let required: Vec<Json> = required(a).into_iter().filter(|name| theirs.contains(name)).collect();
    json!({ "type": "object", "properties": all, "required": required })
}

fn is_anything(schema: &Json) -> bool {
    schema.as_object().is_some_and(Map::is_empty)
}

fn or_null(schema: Json) -> Json {
    if is_anything(&schema) { schema } else { json!({ "anyOf": [schema, { "type": "null" }] }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_what_was_seen() {
        let object = |properties: Json, required: Json| json!({ "type": "object", "properties": properties, "required": required });
        let list = |items: Json| json!({ "type": "array", "items": items });
        let (integer, number, text) =
            (json!({ "type": "integer" }), json!({ "type": "number" }), json!({ "type": "string" }));
        for (value, schema) in [
            (json!(1), integer.clone()),
            (json!([1, 2.5]), list(number.clone())),
            (json!([]), list(json!({}))),
            (json!([1, "a"]), list(json!({}))),
            (json!([1, null]), list(json!({ "anyOf": [integer, { "type": "null" }] }))),
            (json!({ "a": "x", "b": null }), object(json!({ "a": text, "b": {} }), json!(["a"]))),
            (
                json!([{ "a": 1, "b": [] }, { "a": 2.5, "b": ["x"] }, { "a": 3, "c": true }]),
                list(object(
                    json!({ "a": number, "b": list(text), "c": { "type": "boolean" } }),
                    json!(["a"]),
                )),
            ),
        ] {
            assert_eq!(schema_of(&value), schema, "{value}");
        }
    }
}
