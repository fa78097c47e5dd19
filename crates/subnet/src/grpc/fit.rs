//! Whether the schemas of an entry say what its messages are: a field that no message has would be refused at every call,
//! and one of another kind could never be read.
//!
//! It judges what it understands of a schema, and lets pass what it does not: a schema may say less than the message.

use std::collections::BTreeSet;

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};
use serde_json::Value as Json;

use crate::entry::Fault;

/// Which way a message goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Request,
    Answer,
}

/// One comparison.
struct Fit<'a> {
    document: &'a Json,
    direction: Direction,
    /// References with the messages they were compared with: both may lead to themselves.
    seen: BTreeSet<(String, String)>,
}

/// Checks that `schema`, at `path` of the entry, is one of `message`, or of a list of them where it `streams`.
///
/// # Errors
/// The first field that does not fit.
pub(super) fn check(
    schema: &Json,
    path: &str,
    message: &MessageDescriptor,
    streams: bool,
    direction: Direction,
) -> Result<(), Fault> {
    let mut fit = Fit { document: schema, direction, seen: BTreeSet::new() };
    if streams {
        fit.list(schema, path, &Kind::Message(message.clone()))
    } else {
        fit.message(schema, path, message)
    }
}

impl<'a> Fit<'a> {
    fn message(&mut self, schema: &'a Json, path: &str, message: &MessageDescriptor) -> Result<(), Fault> {
        let Some(schema) = self.followed(schema, message.full_name()) else { return Ok(()) };
        if let Some(form) = json_form(message.full_name()) {
            return is_one_of(schema, path, form, message.full_name());
        }
        is_one_of(schema, path, &["object"], message.full_name())?;
        let properties = schema.get("properties").and_then(Json::as_object);
        for (name, schema) in properties.into_iter().flatten() {
            let path = format!("{path}.properties.{name}");
            // What is sent may have either name of a field; what comes back has that of the `.proto` file.
            let by_json =
                || message.get_field_by_json_name(name).filter(|_| self.direction == Direction::Request);
            let Some(field) = message.get_field_by_name(name).or_else(by_json) else {
                let why = format!("`{}` has no field of that name", message.full_name());
                return Err(Fault::new(path, why));
            };
            self.field(schema, &path, &field)?;
        }
        Ok(())
    }

    fn field(&mut self, schema: &'a Json, path: &str, field: &FieldDescriptor) -> Result<(), Fault> {
        match field.kind() {
            Kind::Message(entry) if field.is_map() => {
                let Some(schema) = self.followed(schema, entry.full_name()) else { return Ok(()) };
                is_one_of(schema, path, &["object"], "a map")?;
                match schema.get("additionalProperties") {
                    Some(values) => {
                        let path = format!("{path}.additionalProperties");
                        self.value(values, &path, &entry.map_entry_value_field().kind())
                    }
                    None => Ok(()),
                }
            }
            kind if field.is_list() => self.list(schema, path, &kind),
            kind => self.value(schema, path, &kind),
        }
    }

    fn list(&mut self, schema: &'a Json, path: &str, kind: &Kind) -> Result<(), Fault> {
        let Some(schema) = self.followed(schema, &format!("list of {kind:?}")) else { return Ok(()) };
        is_one_of(schema, path, &["array"], "a list")?;
        match schema.get("items") {
            Some(items) => self.value(items, &format!("{path}.items"), kind),
            None => Ok(()),
        }
    }

    fn value(&mut self, schema: &'a Json, path: &str, kind: &Kind) -> Result<(), Fault> {
        let (form, name): (&[&str], &str) = match kind {
            Kind::Message(message) => return self.message(schema, path, message),
            Kind::Enum(own) if own.full_name() == "google.protobuf.NullValue" => (&["null"], own.full_name()),
            Kind::Enum(own) => (&["string", "integer"], own.full_name()),
            Kind::Bool => (&["boolean"], "bool"),
            Kind::String => (&["string"], "string"),
            Kind::Bytes => (&["string"], "bytes"),
            Kind::Float | Kind::Double => (&["number", "integer"], "a number with a fraction"),
            // A request may spell a number as a text; answers are read with numbers.
            _ if self.direction == Direction::Request => (&["integer", "number", "string"], "an integer"),
            _ => (&["integer", "number"], "an integer"),
        };
        match self.followed(schema, name) {
            Some(schema) => is_one_of(schema, path, form, name),
            None => Ok(()),
        }
    }

    /// The schema that references lead to; `None` where that was compared with `other` before, or is not there.
    fn followed(&mut self, schema: &'a Json, other: &str) -> Option<&'a Json> {
        let mut schema = schema;
        while let Some(target) = schema.get("$ref").and_then(Json::as_str) {
            if !self.seen.insert((target.to_owned(), other.to_owned())) {
                return None;
            }
            schema = self.document.pointer(target.strip_prefix('#')?)?;
        }
        Some(schema)
    }
}

/// Checks the `type` of a schema, where it has one: `null` beside another is an absent field.
fn is_one_of(schema: &Json, path: &str, forms: &[&str], name: &str) -> Result<(), Fault> {
    let says: Vec<&str> = match schema.get("type") {
        Some(Json::String(one)) => vec![one],
        Some(Json::Array(several)) => several.iter().filter_map(Json::as_str).collect(),
        _ => return Ok(()),
    };
    if forms.is_empty() || says.iter().any(|one| forms.contains(one)) {
        return Ok(());
    }
    let why = format!("the schema says `{}`, and the message has {name} there", says.join("` or `"));
    Err(Fault::new(path, why))
}

/// The JSON form of messages that have one of their own; empty where that is any.
fn json_form(full_name: &str) -> Option<&'static [&'static str]> {
    Some(match full_name.strip_prefix("google.protobuf.")? {
        "Timestamp" | "Duration" | "FieldMask" | "StringValue" | "BytesValue" => &["string"],
        "Int32Value" | "UInt32Value" | "Int64Value" | "UInt64Value" => &["integer", "number"],
        "FloatValue" | "DoubleValue" => &["number", "integer"],
        "BoolValue" => &["boolean"],
        "ListValue" => &["array"],
        "Struct" | "Any" | "Empty" => &["object"],
        "Value" => &[],
        _ => return None,
    })
}
