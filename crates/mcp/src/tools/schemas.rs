//! Pieces of the tools' schemas. Inputs are closed objects of plain keywords, as strict modes of models ask; what may be
//! left out also admits `null`.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value as Json, json};

/// A tool with its schemas.
pub(crate) fn tool(
    name: impl Into<std::borrow::Cow<'static, str>>,
    title: impl Into<String>,
    description: impl Into<std::borrow::Cow<'static, str>>,
    input: Json,
    output: Json,
    hints: ToolAnnotations,
) -> Tool {
    Tool::new(name, description, object(input))
        .with_title(title)
        .with_raw_output_schema(object(output))
        .with_annotations(hints)
}

/// Of a tool that only reads what the service itself knows.
pub(crate) fn reads() -> ToolAnnotations {
    ToolAnnotations::new().read_only(true).destructive(false).idempotent(true).open_world(false)
}

/// Of a tool that asks subnets and may spend money. It destroys nothing of the user's, but money is gone.
pub(crate) fn spends() -> ToolAnnotations {
    ToolAnnotations::new().read_only(false).destructive(true).idempotent(false).open_world(true)
}

fn object(schema: Json) -> Arc<JsonObject> {
    Arc::new(match schema {
        Json::Object(members) => members,
        _ => JsonObject::new(),
    })
}

/// A closed object.
pub(crate) fn closed(properties: Json, required: &[&str]) -> Json {
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// A closed object each member of which is there.
pub(crate) fn closed_whole(properties: Json) -> Json {
    let required = names(&properties);
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// Such an object, or `null`.
pub(crate) fn nullable_whole(description: &str, properties: Json) -> Json {
    let required = names(&properties);
    json!({
        "type": ["object", "null"], "description": description, "properties": properties, "required": required,
        "additionalProperties": false,
    })
}

fn names(properties: &Json) -> Vec<String> {
    properties.as_object().into_iter().flat_map(|members| members.keys().cloned()).collect()
}

/// A member of plain type.
pub(crate) fn plain(kind: &str, description: &str) -> Json {
    json!({ "type": kind, "description": description })
}

/// One that may be `null`.
pub(crate) fn nullable(kind: &str, description: &str) -> Json {
    json!({ "type": [kind, "null"], "description": description })
}

/// A list.
pub(crate) fn list(items: Json, description: &str) -> Json {
    json!({ "type": "array", "items": items, "description": description })
}

/// The limit without which no tool spends.
pub(crate) fn cost_max() -> Json {
    plain(
        "string",
        "The most this may cost, such as \"0.05 USD\" or \"0.001 TAO\". Nothing is sent if it may cost more.",
    )
}

/// What the client may choose so that a request sent twice is done once.
pub(crate) fn request_id() -> Json {
    nullable(
        "string",
        "Any text of your choice, such as a UUID: the same request with the same id is done once in 24 hours.",
    )
}

/// What stands for a result that is too large.
pub(crate) fn omitted() -> Json {
    let description = "Set where `result` is too large to be given here: its bytes, its members, and the resource that has it. \
        get_run gives parts of it.";
    let properties = json!({
        "kind": { "type": "string" }, "members": { "type": "integer" },
        "keys": { "type": "array", "items": { "type": "string" } },
        "bytes": { "type": "integer" }, "resource": { "type": "string" },
    });
    nullable_whole(description, properties)
}
