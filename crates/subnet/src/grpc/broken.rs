//! Messages that are none, read as far as they go: one that was cut off, or that has a field which cannot be read. Nobody is
//! given what comes of it; it is only searched for texts that must not be kept.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use prost_reflect::{Kind, MessageDescriptor};
use serde_json::map::Entry;
use serde_json::{Map, Value};

/// Messages inside each other that are looked into, as many as of one that is whole.
const DEPTH_MAX: u32 = 100;
/// The field by which elements are told apart when their texts are put together.
const INDEX: &str = "index";

/// The texts of `bytes`, each where the JSON of a `message` has it. A text that nothing ends, or that is none, is there as far
/// as it goes; what stands behind a field that cannot be told from the next is left out, to the end of the message that it is in.
pub(super) fn value(message: &MessageDescriptor, bytes: &[u8]) -> Value {
    Reader { rest: bytes }.message(message, DEPTH_MAX)
}

/// What stands behind a tag.
enum Raw<'a> {
    Varint(u64),
    Fixed32(u32),
    Fixed64(u64),
    /// As much as there is.
    Bytes(&'a [u8]),
    /// Its fields are next.
    Group,
    EndOfGroup,
}

/// What a field is in JSON.
struct Field {
    name: String,
    kind: Kind,
    is_list: bool,
    is_map: bool,
}

impl Field {
    fn of(message: &MessageDescriptor, number: u32) -> Option<Self> {
        if let Some(field) = message.get_field(number) {
            let (is_list, is_map) = (field.is_list(), field.is_map());
            return Some(Self { name: field.name().to_owned(), kind: field.kind(), is_list, is_map });
        }
        let field = message.get_extension(number)?;
        let name = field.json_name().to_owned();
        Some(Self { name, kind: field.kind(), is_list: field.is_list(), is_map: false })
    }

    fn put(self, members: &mut Map<String, Value>, value: Value) {
        if self.is_map {
            let Value::Object(mut entry) = value else { return };
            let key = match (entry.remove("key"), &self.kind) {
                (Some(Value::String(key)), _) => key,
                (Some(key), _) => key.to_string(),
                (None, Kind::Message(entry)) => default_key(&entry.map_entry_key_field().kind()).to_owned(),
                (None, _) => return,
            };
            let value = entry.remove("value").unwrap_or_default();
            let map = members.entry(self.name).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(map) = map {
                map.insert(key, value);
            }
        } else if self.is_list {
            let list = members.entry(self.name).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.push(value);
            }
        } else {
            put(members, self.name, value);
        }
    }
}

/// The key of an entry that does not say it.
fn default_key(kind: &Kind) -> &'static str {
    match kind {
        Kind::String => "",
        Kind::Bool => "false",
        _ => "0",
    }
}

/// Adds a member. The fields of a message that comes twice are put together, and of anything else the last counts.
fn put(members: &mut Map<String, Value>, name: String, value: Value) {
    match members.entry(name) {
        Entry::Vacant(vacant) => drop(vacant.insert(value)),
        Entry::Occupied(mut occupied) => merge(occupied.get_mut(), value),
    }
}

fn merge(before: &mut Value, value: Value) {
    match (before, value) {
        (Value::Object(before), Value::Object(members)) => {
            for (name, value) in members {
                put(before, name, value);
            }
        }
        (Value::Array(before), Value::Array(mut elements)) => before.append(&mut elements),
        (before, value) => *before = value,
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// The next field's number and what it has; `None` where nothing more can be read.
    fn next(&mut self) -> Option<(u32, Raw<'a>)> {
        let next = self.field();
        if next.is_none() {
            self.rest = &[];
        }
        next
    }

    fn field(&mut self) -> Option<(u32, Raw<'a>)> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| *number > 0)?;
        let raw = match tag & 7 {
            0 => Raw::Varint(self.varint()?),
            1 => Raw::Fixed64(u64::from_le_bytes(self.chunk()?)),
            2 => {
                let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
                let (bytes, rest) = self.rest.split_at(length.min(self.rest.len()));
                self.rest = rest;
                Raw::Bytes(bytes)
            }
            3 => Raw::Group,
            4 => Raw::EndOfGroup,
            5 => Raw::Fixed32(u32::from_le_bytes(self.chunk()?)),
            _ => return None,
        };
        Some((number, raw))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn chunk<const BYTES: usize>(&mut self) -> Option<[u8; BYTES]> {
        let (chunk, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*chunk)
    }

    /// The message that all of the rest is, or its group to the end of that.
    fn message(&mut self, message: &MessageDescriptor, depth: u32) -> Value {
        if message.full_name() == "google.protobuf.Any" {
            return self.any(message, depth);
        }
        let mut members = Map::new();
        // One that does not say its index has the first.
        let index = message.get_field_by_name(INDEX);
        if index.is_some_and(|index| !index.is_list() && !index.supports_presence()) {
            members.insert(INDEX.into(), 0.into());
        }
        while let Some((number, raw)) = self.next() {
            if matches!(raw, Raw::EndOfGroup) {
                break;
            }
            let field = Field::of(message, number);
            let value = self.value(field.as_ref().map(|field| &field.kind), &raw, depth);
            if let (Some(field), Some(value)) = (field, value) {
                field.put(&mut members, value);
            }
        }
        well_known(message.full_name(), members)
    }

    /// What a field of this kind has, where it can hold a text or tell texts apart.
    fn value(&mut self, kind: Option<&Kind>, raw: &Raw<'a>, depth: u32) -> Option<Value> {
        let value = match (kind, raw) {
            (Some(Kind::Message(message)), Raw::Group) if depth > 0 => self.message(message, depth - 1),
            (_, Raw::Group) => {
                self.skip_group();
                return None;
            }
            (Some(Kind::Message(message)), Raw::Bytes(bytes)) if depth > 0 => {
                Reader { rest: bytes }.message(message, depth - 1)
            }
            (Some(Kind::String), Raw::Bytes(bytes)) => String::from_utf8_lossy(bytes).into(),
            (Some(Kind::Bytes), Raw::Bytes(bytes)) => BASE64.encode(bytes).into(),
            (Some(Kind::Bool), Raw::Varint(number)) => (*number != 0).into(),
            (Some(Kind::Int32 | Kind::Int64), Raw::Varint(number)) => number.cast_signed().into(),
            (Some(Kind::Uint32 | Kind::Uint64), Raw::Varint(number)) => (*number).into(),
            (Some(Kind::Sint32 | Kind::Sint64), Raw::Varint(number)) => {
                ((number >> 1).cast_signed() ^ -(number & 1).cast_signed()).into()
            }
            (Some(Kind::Fixed32), Raw::Fixed32(number)) => (*number).into(),
            (Some(Kind::Sfixed32), Raw::Fixed32(number)) => number.cast_signed().into(),
            (Some(Kind::Fixed64), Raw::Fixed64(number)) => (*number).into(),
            (Some(Kind::Sfixed64), Raw::Fixed64(number)) => number.cast_signed().into(),
            _ => return None,
        };
        Some(value)
    }

    fn skip_group(&mut self) {
        let mut open = 1_usize;
        while open > 0 {
            match self.next() {
                None => return,
                Some((_, Raw::Group)) => open += 1,
                Some((_, Raw::EndOfGroup)) => open -= 1,
                Some(_) => {}
            }
        }
    }

    /// A message of any type, whose fields stand beside the type's name.
    fn any(&mut self, message: &MessageDescriptor, depth: u32) -> Value {
        let (mut url, mut bytes) = (String::new(), &[][..]);
        while let Some((number, raw)) = self.next() {
            match (number, raw) {
                (1, Raw::Bytes(text)) => url = String::from_utf8_lossy(text).into_owned(),
                (2, Raw::Bytes(value)) => bytes = value,
                (_, Raw::Group) => self.skip_group(),
                (_, Raw::EndOfGroup) => break,
                _ => {}
            }
        }
        let name = url.rsplit('/').next().unwrap_or_default();
        let inner = message.parent_pool().get_message_by_name(name).filter(|_| depth > 0);
        let value = inner.map(|inner| Reader { rest: bytes }.message(&inner, depth - 1));
        let mut members = match value {
            Some(Value::Object(members)) => members,
            Some(value) => Map::from_iter([("value".to_owned(), value)]),
            None => Map::from_iter([("value".to_owned(), BASE64.encode(bytes).into())]),
        };
        members.insert("@type".into(), url.into());
        Value::Object(members)
    }
}

/// The form of the messages that are no objects in JSON, or that are the object which they hold.
fn well_known(name: &str, mut members: Map<String, Value>) -> Value {
    let Some(name) = name.strip_prefix("google.protobuf.") else { return Value::Object(members) };
    let mut first = |names: &[&str]| names.iter().find_map(|name| members.remove(*name)).unwrap_or_default();
    match name {
        "Value" => first(&["string_value", "struct_value", "list_value", "bool_value"]),
        "Struct" => first(&["fields"]),
        "ListValue" => first(&["values"]),
        "StringValue" | "BytesValue" | "BoolValue" | "Int32Value" | "Int64Value" | "UInt32Value"
        | "UInt64Value" => first(&["value"]),
        _ => Value::Object(members),
    }
}

#[cfg(test)]
mod tests;
