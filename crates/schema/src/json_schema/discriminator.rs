//! Objects told apart by the value of one property.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::literals;
use super::mapper::{Mapper, local};
use super::unions::Member;
use super::{AMBIGUOUS_UNION, At, Mapped, SchemaError, names};
use crate::types::{EnumWire, Type, VariantDef};

impl Mapper<'_> {
    /// Objects told apart by a property: the one `discriminator` names, or one whose values differ in
    /// every member; `None` where there is no such property.
    pub(super) fn discriminated(
        &mut self,
        schema: &Json,
        members: &[&Member],
        at: &At,
    ) -> Result<Option<Mapped>, SchemaError> {
        let ambiguous = |message: String| SchemaError::new(AMBIGUOUS_UNION, &at.pointer, message);
        let declared = schema.get("discriminator").and_then(|d| d.get("propertyName")).and_then(Json::as_str);
        let (property, tags) = match declared {
            Some(property) => {
                let tags = members.iter().map(|member| self.declared_tags(schema, member, property));
                let tags: Option<Vec<_>> = tags.collect();
                let tags = tags.filter(|tags| are_distinct(tags)).ok_or_else(|| {
                    let property = names::shown(property);
                    ambiguous(format!("`{property}` does not tell every member of the union apart"))
                })?;
                (property.to_owned(), tags)
            }
            None => match self.implied(members) {
                Some(implied) => implied,
                None => return Ok(None),
            },
        };
        let id = self.declare_enum(schema, at, EnumWire::Discriminator(property))?;
        let mut variants: Vec<VariantDef> = Vec::new();
        let mut taken = literals::Taken::default();
        for (member, tags) in members.iter().zip(tags) {
            let first =
                names::variant(&Json::from(tags.first().cloned().unwrap_or_default()), variants.len());
            let inner = At { name: format!("{}{first}", at.name), ..member.at.clone() };
            let payload = self.map(&member.schema, &inner)?.ty;
            if !matches!(&payload, Type::Named(id) if self.table.defs.record(*id).is_some()) {
                return Err(ambiguous("a member of the union is no record".into()));
            }
            for tag in tags {
                let wire = Json::from(tag);
                let name = taken.take(names::variant(&wire, variants.len()));
                let payload = Some(payload.clone());
                variants.push(VariantDef { name, wire: wire.to_string(), payload, doc: String::new() });
            }
        }
        self.complete_enum(id, variants);
        Ok(Some(Mapped::named(id)))
    }
}

impl Mapper<'_> {
    /// The constants of a property, if it has any and no others can come.
    fn constants(&mut self, member: &Member, property: &str) -> Option<Vec<String>> {
        let schema = member.members.get("properties")?.get(property)?;
        let resolved;
        let members = match schema.as_object()? {
            members if members.contains_key("$ref") || members.contains_key("allOf") => {
                resolved = self.flatten(schema, &member.at.pointer, &mut Vec::new()).ok()?;
                &resolved
            }
            members => members,
        };
        let (literals, null) = literals::read(members, "").ok()?;
        let texts: Option<Vec<String>> =
            literals.iter().map(|(literal, _)| literal.as_str().map(str::to_owned)).collect();
        let open = members.get("x-extensible").is_some_and(|flag| *flag != Json::Bool(false));
        texts.filter(|texts| !texts.is_empty() && !null && !open)
    }

    /// The values under which a member goes: its constants, or the names that `mapping` or its reference
    /// give it.
    fn declared_tags(&mut self, schema: &Json, member: &Member, property: &str) -> Option<Vec<String>> {
        if let Some(tags) = self.constants(member, property) {
            return Some(tags);
        }
        let target = member.schema.get("$ref").and_then(Json::as_str)?;
        let pointer = local(target, "").ok()?;
        let mapping = schema.get("discriminator").and_then(|d| d.get("mapping")).and_then(Json::as_object);
        let mut tags: Vec<String> = mapping
            .into_iter()
            .flatten()
            .filter(|(_, to)| to.as_str().and_then(|to| local(to, "").ok()).as_ref() == Some(&pointer))
            .map(|(tag, _)| tag.clone())
            .collect();
        tags.sort_unstable();
        if tags.is_empty() {
            tags.push(pointer.rsplit('/').next()?.to_owned());
        }
        Some(tags)
    }

    /// The first property by name that is required in every member and has another constant in each.
    fn implied(&mut self, members: &[&Member]) -> Option<(String, Vec<Vec<String>>)> {
        let (first, _) = members.split_first()?;
        let properties = first.members.get("properties")?.as_object()?;
        let names: BTreeSet<&String> = properties.keys().collect();
        names.into_iter().find_map(|name| {
            let tags = members.iter().map(|member| {
                let required = member.members.get("required")?.as_array()?;
                required.iter().find(|required| *required == name)?;
                self.constants(member, name)
            });
            let tags: Vec<Vec<String>> = tags.collect::<Option<_>>()?;
            are_distinct(&tags).then(|| (name.clone(), tags))
        })
    }
}

fn are_distinct(tags: &[Vec<String>]) -> bool {
    let mut seen = BTreeSet::new();
    tags.iter().flatten().all(|tag| seen.insert(tag))
}
