//! Records and maps.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::keywords::{self, Members};
use super::mapper::{Mapper, description};
use super::names;
use super::unions::Part;
use super::{At, MALFORMED, Mapped, RECORD_FIELDS_MAX, SCHEMA_TOO_LARGE, SchemaError};
use crate::types::{DefId, FieldDef, RecordDef, Type, TypeDef};

/// Characters of a field's name.
const FIELD_NAME_MAX: usize = 256;

/// Which fields may be absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    /// Those that are not required: an answer.
    NotRequired,
    /// Also those with a default: parameters.
    OrDefault,
}

/// What an object may hold beside its named properties.
pub(super) enum Rest<'s> {
    Anything,
    Nothing,
    /// Values of this schema, which stands under this keyword.
    Schema(&'s Json, &'static str),
}

impl<'s> Rest<'s> {
    pub(super) fn of(members: &'s Members, pointer: &str) -> Result<Self, SchemaError> {
        for keyword in ["additionalProperties", "unevaluatedProperties"] {
            match members.get(keyword) {
                None => {}
                Some(Json::Bool(true)) => return Ok(Self::Anything),
                Some(Json::Bool(false)) => return Ok(Self::Nothing),
                Some(Json::Object(members)) if !keywords::constrains(members) => return Ok(Self::Anything),
                Some(schema @ Json::Object(_)) => return Ok(Self::Schema(schema, keyword)),
                Some(_) => {
                    let message = format!("the value of `{keyword}` is no schema");
                    return Err(SchemaError::new(MALFORMED, pointer, message));
                }
            }
        }
        Ok(Self::Anything)
    }
}

/// Refuses a record with too many fields.
pub(super) fn check_count(fields: usize, pointer: &str) -> Result<(), SchemaError> {
    if fields <= RECORD_FIELDS_MAX {
        return Ok(());
    }
    let message = format!("the record has more than {RECORD_FIELDS_MAX} fields");
    Err(SchemaError::new(SCHEMA_TOO_LARGE, pointer, message))
}

/// Whether a pattern is one of the usual spellings of "any key".
fn matches_everything(pattern: &str) -> bool {
    let inner = pattern.strip_prefix('^').unwrap_or(pattern);
    let inner = inner.strip_suffix('$').unwrap_or(inner);
    matches!(inner, "" | ".*" | ".+" | "(.*)" | "(.+)" | "[\\s\\S]*")
}

impl Mapper<'_> {
    pub(super) fn object(
        &mut self,
        schema: &Json,
        members: &Members,
        at: &At,
    ) -> Result<Mapped, SchemaError> {
        let properties = keywords::object(members, "properties", &at.pointer)?;
        let required = keywords::required(members, &at.pointer)?;
        let rest = Rest::of(members, &at.pointer)?;
        if properties.is_some_and(|properties| !properties.is_empty()) || !required.is_empty() {
            if let Some(id) = self.known_title(schema) {
                return Ok(Mapped::named(id));
            }
            let id = self.record(schema, members, at, Absence::NotRequired)?;
            self.note_title(schema, id);
            return Ok(Mapped::named(id));
        }
        let patterns = keywords::object(members, "patternProperties", &at.pointer)?;
        let patterns: Vec<(&String, &Json)> = patterns.into_iter().flatten().collect();
        let rest = match rest {
            // A pattern that every key matches leaves no other keys.
            Rest::Anything if patterns.iter().any(|(pattern, _)| matches_everything(pattern)) => {
                Rest::Nothing
            }
            other => other,
        };
        match &rest {
            Rest::Nothing if patterns.is_empty() => {
                self.record(schema, members, at, Absence::NotRequired).map(Mapped::named)
            }
            Rest::Anything => Ok(Mapped::plain(Type::Json)),
            _ => {
                let mut values: Vec<Part<'_>> = Vec::new();
                for (pattern, value) in patterns.iter().filter(|(_, value)| **value != Json::Bool(false)) {
                    values.push((value, at.below(&["patternProperties", pattern], "Value")));
                }
                if let Rest::Schema(value, keyword) = rest {
                    values.push((value, at.below(&[keyword], "Value")));
                }
                let element = self.united(&values, &at.below(&[], "Value"))?.into_type();
                // An object of anything is opaque.
                let map = if element == Type::Json { Type::Json } else { Type::Map(Box::new(element)) };
                Ok(Mapped::plain(map))
            }
        }
    }

    /// Required fields in the order of `required`, then the others by name.
    pub(super) fn record(
        &mut self,
        schema: &Json,
        members: &Members,
        at: &At,
        absence: Absence,
    ) -> Result<DefId, SchemaError> {
        let name = self.name(schema, at);
        let def = RecordDef { name: name.clone(), fields: Vec::new(), doc: description(schema) };
        let id = self.declare(TypeDef::Record(def), at)?;
        let anything = Json::Bool(true);
        let empty = Members::new();
        let properties = keywords::object(members, "properties", &at.pointer)?.unwrap_or(&empty);
        let mut seen = BTreeSet::new();
        let mut order = keywords::required(members, &at.pointer)?;
        order.retain(|name| seen.insert(*name));
        let needed = order.len();
        let mut optional: Vec<&str> =
            properties.keys().map(String::as_str).filter(|name| !seen.contains(name)).collect();
        optional.sort_unstable();
        order.append(&mut optional);
        check_count(order.len(), &at.pointer)?;

        // Types of fields are named after the record as it is called now.
        let base = At { name, ..at.below(&[], "") };
        let mut fields: Vec<FieldDef> = Vec::with_capacity(order.len());
        for (place, field) in order.into_iter().enumerate() {
            let below = base.below(&["properties", field], &names::pascal(field));
            if field.chars().count() > FIELD_NAME_MAX {
                let message = format!("the name of a property has more than {FIELD_NAME_MAX} characters");
                return Err(SchemaError::new(SCHEMA_TOO_LARGE, &base.pointer, message));
            }
            let inner = properties.get(field).unwrap_or(&anything);
            let ty = self.map(inner, &below)?.into_type();
            let default = absence == Absence::OrDefault && inner.get("default").is_some();
            let ty = if place >= needed || default { ty.optional() } else { ty };
            fields.push(FieldDef { name: field.into(), ty, doc: description(inner) });
        }
        if let Some(TypeDef::Record(def)) = self.table.defs.get_mut(id) {
            def.fields = fields;
        }
        Ok(id)
    }
}
