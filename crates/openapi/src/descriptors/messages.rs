//! Messages as JSON Schema: the shape of their JSON form as calls write and read it, with the field names of the
//! `.proto` file, 64-bit integers as numbers, and fields without presence always there in an answer.

use std::collections::BTreeSet;

use prost_reflect::{Cardinality, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value as Json, json};

use super::comments::Comments;

/// Which way messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// To the peer: what is left out is the default.
    Request,
    /// From the peer: what has no presence is always there.
    Answer,
}

/// Schemas of one direction, and the messages that they refer to.
pub(super) struct Messages<'a> {
    direction: Direction,
    comments: &'a mut Comments,
    open: Vec<MessageDescriptor>,
    named: BTreeSet<String>,
}

impl<'a> Messages<'a> {
    /// The schema of all parameters: the fields of `message`. `None` where its JSON form has no named fields.
    pub(super) fn request(message: &MessageDescriptor, comments: &'a mut Comments) -> Option<Json> {
        let is_named = well_known(message).is_none() || message.full_name() == "google.protobuf.Empty";
        let mut messages = Self::new(Direction::Request, comments);
        let Json::Object(mut schema) = messages.record(message) else { return None };
        schema.shift_remove("title");
        is_named.then(|| messages.with_definitions(schema))
    }

    /// The schema of an answer: `message`, or the list of them where the method `streams`.
    pub(super) fn answer(message: &MessageDescriptor, streams: bool, comments: &'a mut Comments) -> Json {
        let mut messages = Self::new(Direction::Answer, comments);
        let one = messages.message(message);
        let schema = if streams { json!({ "type": "array", "items": one }) } else { one };
        match schema {
            Json::Object(schema) => messages.with_definitions(schema),
            other => other,
        }
    }

    const fn new(direction: Direction, comments: &'a mut Comments) -> Self {
        Self { direction, comments, open: Vec::new(), named: BTreeSet::new() }
    }

    /// Adds every message that is referred to, as its own definition: the same message twice is one type.
    fn with_definitions(mut self, mut schema: Map<String, Json>) -> Json {
        let mut definitions = std::collections::BTreeMap::new();
        while let Some(message) = self.open.pop() {
            let record = self.record(&message);
            definitions.insert(message.full_name().to_owned(), record);
        }
        if !definitions.is_empty() {
            schema.insert("$defs".into(), Json::Object(definitions.into_iter().collect()));
        }
        Json::Object(schema)
    }

    fn message(&mut self, message: &MessageDescriptor) -> Json {
        if let Some(schema) = well_known(message) {
            return schema;
        }
        if self.named.insert(message.full_name().to_owned()) {
            self.open.push(message.clone());
        }
        json!({ "$ref": format!("#/$defs/{}", message.full_name()) })
    }

    fn record(&mut self, message: &MessageDescriptor) -> Json {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in message.fields() {
            if self.is_required(&field) {
                required.push(field.name().to_owned());
            }
            let schema = self.field(&field);
            properties.insert(field.name().to_owned(), schema);
        }
        json!({
            "title": title(message.full_name(), message.package_name()),
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    }

    fn is_required(&self, field: &FieldDescriptor) -> bool {
        field.cardinality() == Cardinality::Required
            || (self.direction == Direction::Answer && !field.supports_presence())
    }

    fn field(&mut self, field: &FieldDescriptor) -> Json {
        let mut schema = match field.kind() {
            Kind::Message(entry) if field.is_map() => {
                let values = self.value(&entry.map_entry_value_field().kind());
                json!({ "type": "object", "additionalProperties": values })
            }
            kind if field.is_list() => json!({ "type": "array", "items": self.value(&kind) }),
            kind => self.value(&kind),
        };
        let said = self.description(field);
        if let (false, Json::Object(members)) = (said.is_empty(), &mut schema) {
            members.insert("description".into(), said.into());
        }
        schema
    }

    /// What the file says of a field, and which others it excludes.
    fn description(&mut self, field: &FieldDescriptor) -> String {
        let comment = self.comments.above(&field.parent_file(), field.path());
        let Some(oneof) = field.containing_oneof().filter(|oneof| !oneof.is_synthetic()) else {
            return comment;
        };
        let names: Vec<String> = oneof.fields().map(|field| format!("`{}`", field.name())).collect();
        format!("{comment} At most one of {}.", names.join(", ")).trim_start().to_owned()
    }

    fn value(&mut self, kind: &Kind) -> Json {
        match kind {
            Kind::Bool => json!({ "type": "boolean" }),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => json!({ "type": "integer", "format": "int32" }),
            Kind::Uint32 | Kind::Fixed32 => json!({ "type": "integer", "format": "uint32" }),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => json!({ "type": "integer", "format": "int64" }),
            Kind::Uint64 | Kind::Fixed64 => json!({ "type": "integer", "format": "uint64" }),
            Kind::Float | Kind::Double => json!({ "type": "number" }),
            Kind::String => json!({ "type": "string" }),
            Kind::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
            Kind::Enum(own) => enumeration(own),
            Kind::Message(message) => self.message(message),
        }
    }
}

fn enumeration(own: &EnumDescriptor) -> Json {
    if own.full_name() == "google.protobuf.NullValue" {
        return json!({ "type": "null" });
    }
    let names: Vec<String> = own.values().map(|value| value.name().to_owned()).collect();
    json!({ "title": title(own.full_name(), own.package_name()), "type": "string", "enum": names })
}

/// The name of a type: without its package, and with what it stands in.
fn title(full_name: &str, package: &str) -> String {
    let own = full_name.strip_prefix(package).unwrap_or(full_name);
    own.trim_start_matches('.').replace('.', "_")
}

/// The JSON form of the messages that have one of their own.
fn well_known(message: &MessageDescriptor) -> Option<Json> {
    Some(match message.full_name().strip_prefix("google.protobuf.")? {
        "Timestamp" => json!({ "type": "string", "format": "date-time" }),
        "Duration" => json!({ "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]{1,9})?s$",
            "description": "Seconds, such as `1.5s`." }),
        "FieldMask" => {
            json!({ "type": "string", "description": "Paths of fields, with commas between them." })
        }
        "Empty" => json!({ "type": "object", "properties": {}, "additionalProperties": false }),
        // The message that is in it names its own type, as `@type`.
        "Any" | "Struct" => json!({ "type": "object" }),
        "Value" => json!({}),
        "ListValue" => json!({ "type": "array", "items": {} }),
        "BoolValue" => json!({ "type": "boolean" }),
        "Int32Value" => json!({ "type": "integer", "format": "int32" }),
        "UInt32Value" => json!({ "type": "integer", "format": "uint32" }),
        "Int64Value" => json!({ "type": "integer", "format": "int64" }),
        "UInt64Value" => json!({ "type": "integer", "format": "uint64" }),
        "FloatValue" | "DoubleValue" => json!({ "type": "number" }),
        "StringValue" => json!({ "type": "string" }),
        "BytesValue" => json!({ "type": "string", "contentEncoding": "base64" }),
        _ => return None,
    })
}
