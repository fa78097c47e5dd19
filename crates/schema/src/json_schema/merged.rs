//! Objects that nothing tells apart: one record with the fields of all.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::keywords;
use super::mapper::{Mapper, description};
use super::objects::{Rest, check_count};
use super::unions::{Member, Part};
use super::{AMBIGUOUS_UNION, At, Mapped, SchemaError, names};
use crate::types::{FieldDef, RecordDef, Type, TypeDef};

/// What an object is, before it is looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Named fields.
    Record,
    /// Any keys, values of one schema.
    Map,
    /// Anything.
    Free,
}

impl Mapper<'_> {
    /// The least type that has the values of all `members`, which are objects.
    pub(super) fn objects(
        &mut self,
        schema: &Json,
        members: &[&Member],
        at: &At,
    ) -> Result<Mapped, SchemaError> {
        let forms = members.iter().map(|member| form(member)).collect::<Result<Vec<_>, _>>()?;
        let all = |form: Form| forms.iter().all(|found| *found == form);
        if forms.contains(&Form::Free) {
            return Ok(Mapped::plain(Type::Json));
        }
        if all(Form::Record) {
            return self.fields_of_all(schema, members, at);
        }
        if !all(Form::Map) {
            let message = "one member of the union is a record, another a map, and nothing tells them apart";
            return Err(SchemaError::new(AMBIGUOUS_UNION, &at.pointer, message));
        }
        let mut values = Vec::new();
        for member in members {
            if let Rest::Schema(value, keyword) = Rest::of(&member.members, &member.at.pointer)? {
                values.push((value, member.at.below(&[keyword], "Value")));
            }
        }
        let value = self.united(&values, &at.below(&[], "Value"))?.into_type();
        Ok(Mapped::plain(if value == Type::Json { Type::Json } else { Type::Map(Box::new(value)) }))
    }

    /// A record whose fields are those of any member, and required where they are in every one.
    fn fields_of_all(&mut self, schema: &Json, members: &[&Member], at: &At) -> Result<Mapped, SchemaError> {
        // The same references make the same record, also within themselves.
        let key = references(members);
        if let Some(id) = key.as_ref().and_then(|key| self.merged.get(key)) {
            return Ok(Mapped::named(*id));
        }
        let name = self.name(schema, at);
        let doc = description(schema);
        let def = TypeDef::Record(RecordDef { name: name.clone(), fields: Vec::new(), doc });
        let id = self.declare(def, at)?;
        if let Some(key) = key {
            self.merged.insert(key, id);
        }
        let order = fields_in_order(members)?;
        check_count(order.len(), &at.pointer)?;
        let mut fields = Vec::new();
        for (field, is_required) in order {
            let mut parts: Vec<Part<'_>> = Vec::new();
            let mut doc = String::new();
            for member in members {
                let property = member.members.get("properties").and_then(|all| all.get(field));
                let Some(property) = property else { continue };
                if doc.is_empty() {
                    doc = description(property);
                }
                if parts.iter().all(|(known, _)| *known != property) {
                    let place = member.at.below(&["properties", field], "");
                    parts.push((property, At { name: format!("{name}{}", names::pascal(field)), ..place }));
                }
            }
            let place = At { name: format!("{name}{}", names::pascal(field)), ..at.below(&[], "") };
            let ty = match parts.is_empty() {
                true => Type::Json,
                false => self.united(&parts, &place)?.into_type(),
            };
            let ty = if is_required { ty } else { ty.optional() };
            fields.push(FieldDef { name: field.to_owned(), ty, doc });
        }
        if let Some(TypeDef::Record(def)) = self.table.defs.get_mut(id) {
            def.fields = fields;
        }
        Ok(Mapped::named(id))
    }
}

fn form(member: &Member) -> Result<Form, SchemaError> {
    let (members, pointer) = (&member.members, &member.at.pointer);
    let properties = keywords::object(members, "properties", pointer)?;
    let named = properties.is_some_and(|properties| !properties.is_empty())
        || !keywords::required(members, pointer)?.is_empty();
    Ok(match Rest::of(members, pointer)? {
        _ if named => Form::Record,
        // Keys by pattern are not looked into here.
        _ if members.contains_key("patternProperties") => Form::Free,
        Rest::Nothing => Form::Record,
        Rest::Schema(..) => Form::Map,
        Rest::Anything => Form::Free,
    })
}

/// The fields of any member, with whether each is required in every one: first those, in the order of the first
/// member that requires them, then the others by name.
fn fields_in_order<'m>(members: &[&'m Member]) -> Result<Vec<(&'m str, bool)>, SchemaError> {
    let mut required: Option<Vec<&str>> = None;
    let mut all: BTreeSet<&str> = BTreeSet::new();
    for member in members {
        let own = keywords::required(&member.members, &member.at.pointer)?;
        all.extend(own.iter().copied());
        let properties = keywords::object(&member.members, "properties", &member.at.pointer)?;
        all.extend(properties.into_iter().flat_map(|properties| properties.keys().map(String::as_str)));
        let own: BTreeSet<&str> = own.into_iter().collect();
        required = Some(match required {
            Some(known) => known.into_iter().filter(|name| own.contains(name)).collect(),
            None => {
                let mut seen = BTreeSet::new();
                let first = keywords::required(&member.members, &member.at.pointer)?;
                first.into_iter().filter(|name| seen.insert(*name)).collect()
            }
        });
    }
    let required = required.unwrap_or_default();
    let kept: BTreeSet<&str> = required.iter().copied().collect();
    let others = all.into_iter().filter(|name| !kept.contains(name)).map(|name| (name, false));
    Ok(required.iter().map(|name| (*name, true)).chain(others).collect())
}

/// The references that the members are, where all are references and nothing else.
fn references(members: &[&Member]) -> Option<String> {
    let targets = members.iter().map(|member| {
        let members = member.schema.as_object().filter(|members| members.len() == 1)?;
        members.get("$ref")?.as_str()
    });
    targets.collect::<Option<Vec<_>>>().map(|targets| targets.join(" "))
}
