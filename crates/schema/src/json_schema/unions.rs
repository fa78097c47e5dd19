//! `oneOf` and `anyOf`: members told apart by a literal, a key, a property or their JSON kind.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::keywords::{self, Members};
use super::literals::{self, Literal};
use super::mapper::{Mapper, kind_variant};
use super::{
    At, CONTRADICTION, ENUM_VARIANTS_MAX, Mapped, SCHEMA_TOO_LARGE, SchemaError, UNSUPPORTED, names,
};
use crate::types::{EnumWire, FloatRange, IntRange, Type, VariantDef};
use crate::wire::Kind;

/// A member of a union.
pub(super) struct Member {
    /// As it stands, so that a reference keeps its name.
    pub(super) schema: Json,
    /// With references resolved, to look into.
    pub(super) members: Members,
    pub(super) at: At,
}

/// A schema and where it stands.
pub(super) type Part<'s> = (&'s Json, At);

/// Members of one JSON kind.
type Group<'m> = (Kind, Vec<&'m Member>);

impl Mapper<'_> {
    pub(super) fn union(&mut self, members: &Members, at: &At) -> Result<Mapped, SchemaError> {
        let keyword = if members.contains_key("oneOf") { "oneOf" } else { "anyOf" };
        if members.contains_key("oneOf") && members.contains_key("anyOf") {
            let message = "`oneOf` beside `anyOf` is more than a type can express";
            return Err(SchemaError::new(UNSUPPORTED, &at.pointer, message));
        }
        let mut base = members.clone();
        base.shift_remove(keyword);
        let parts = keywords::array(members, keyword, &at.pointer)?.unwrap_or_default();
        // "At least one of these fields" narrows a record; the peer checks it.
        let only_required =
            |part: &Json| part.as_object().is_some_and(|members| keywords::stands_alone(members, "required"));
        if base.contains_key("type") && parts.iter().all(only_required) {
            return self.map(&Json::Object(base), at);
        }
        let mut null = keywords::flag(members, "nullable", &at.pointer)?;
        base.shift_remove("nullable");
        let shared = keywords::constrains(&base).then_some(&base);
        // "This or `null`" is this, with its own name.
        let mut present = parts.iter().enumerate().filter(|(_, part)| !is_null(part));
        if let (Some((place, only)), None, None) = (present.next(), present.next(), shared) {
            null |= parts.len() > 1;
            let inner = at.same(&[keyword, &place.to_string()]).or_null(null);
            return Ok(self.map(only, &inner)?.or_null(null));
        }
        let mut found = Vec::new();
        let mut refused = None;
        for (place, part) in parts.iter().enumerate() {
            let place_at = At { aliases: Vec::new(), ..at.same(&[keyword, &place.to_string()]) };
            match self.collect(part, shared, &place_at, &mut found) {
                Ok(admits_null) => null |= admits_null,
                // A member that contradicts what stands beside the union has no values; the others may have.
                Err(error) if shared.is_some() && error.code == CONTRADICTION => {
                    refused = refused.or(Some(error));
                }
                Err(error) => return Err(error),
            }
        }
        if let (Some(error), true, false) = (refused, found.is_empty(), null) {
            return Err(error);
        }
        let at = at.or_null(null);
        let schema = Json::Object(members.clone());
        Ok(self.unite(&schema, found, &at)?.or_null(null))
    }

    /// Adds the members that `part` stands for; `true` where it admits `null`.
    fn collect(
        &mut self,
        part: &Json,
        shared: Option<&Members>,
        at: &At,
        found: &mut Vec<Member>,
    ) -> Result<bool, SchemaError> {
        if found.len() > ENUM_VARIANTS_MAX {
            return Err(too_many(&at.pointer));
        }
        let mut members = self.flatten(part, &at.pointer, &mut Vec::new())?;
        let mut schema = part.clone();
        if let Some(shared) = shared {
            let own = members.get("title").cloned();
            let mut inherited = shared.clone();
            inherited.shift_remove("title");
            inherited.shift_remove("description");
            members = super::merge::merge(inherited, members, &at.pointer)?;
            own.map(|title| members.insert("title".into(), title));
            schema = Json::Object(members.clone());
        }
        let nested = ["oneOf", "anyOf"].into_iter().find(|keyword| keywords::stands_alone(&members, keyword));
        if let Some((keyword, true)) = nested.map(|keyword| (keyword, members.contains_key(keyword))) {
            let mut null = keywords::flag(&members, "nullable", &at.pointer)?;
            let parts = keywords::array(&members, keyword, &at.pointer)?.unwrap_or_default();
            for (place, part) in parts.iter().enumerate() {
                let below = at.below(&[keyword, &place.to_string()], "");
                null |= self.deeper(&at.pointer, |mapper| mapper.collect(part, None, &below, found))?;
            }
            return Ok(null);
        }
        if literals::is_opaque(&members) {
            found.push(Member { schema: Json::Bool(true), members: Members::new(), at: at.clone() });
            return Ok(false);
        }
        if members.contains_key("enum") || members.contains_key("const") {
            let (literals, null) = literals::read(&members, &at.pointer)?;
            if !literals.is_empty() {
                found.push(Member { schema, members, at: at.clone() });
            }
            return Ok(null);
        }
        let types = keywords::types(&members, &at.pointer)?;
        let null = types.as_ref().is_some_and(|types| types.null);
        if types.is_none_or(|types| !types.kinds.is_empty()) {
            found.push(Member { schema, members, at: at.clone() });
        }
        Ok(null)
    }

    /// One type for the values of all `parts`, each of which is named after its own place; `at` names the union.
    pub(super) fn united(&mut self, parts: &[Part<'_>], at: &At) -> Result<Mapped, SchemaError> {
        if let [(only, place)] = parts {
            return self.map(only, place);
        }
        let mut found = Vec::new();
        let mut null = false;
        for (part, place) in parts {
            null |= self.collect(part, None, place, &mut found)?;
        }
        let union = |mapper: &mut Self| mapper.unite(&Json::Null, found, &at.or_null(null));
        Ok(self.deeper(&at.pointer, union)?.or_null(null))
    }

    fn unite(&mut self, schema: &Json, found: Vec<Member>, at: &At) -> Result<Mapped, SchemaError> {
        if found.len() > ENUM_VARIANTS_MAX {
            return Err(too_many(&at.pointer));
        }
        if let [only] = found.as_slice() {
            let inner = At { pointer: only.at.pointer.clone(), ..at.clone() };
            return self.map(&only.schema, &inner);
        }
        if let Some(mapped) = self.by_literal_or_key(schema, &found, at)? {
            return Ok(mapped);
        }
        let mut groups: Vec<Group<'_>> = Vec::new();
        for member in &found {
            // A member that admits anything makes the union opaque.
            let Some(kinds) = kinds(&member.members, &member.at.pointer)? else {
                return Ok(Mapped::plain(Type::Json));
            };
            for kind in kinds {
                match groups.iter_mut().find(|(known, _)| *known == kind) {
                    Some((_, members)) => members.push(member),
                    None => groups.push((kind, vec![member])),
                }
            }
        }
        match groups.as_slice() {
            [] => Ok(Mapped::plain(Type::Json)),
            [(kind, members)] => self.unite_kind(*kind, members, schema, at),
            _ => {
                let id = self.declare_enum(schema, at, EnumWire::Untagged)?;
                let mut variants = Vec::new();
                for (kind, members) in &groups {
                    let name = format!("{}{}", at.name, kind.variant());
                    let inner = At { name, ..at.below(&[], "") };
                    let payload = self.unite_kind(*kind, members, &Json::Null, &inner)?;
                    variants.push(kind_variant(*kind, payload.into_type()));
                }
                self.complete_enum(id, variants);
                Ok(Mapped::named(id))
            }
        }
    }

    /// Literals, and objects with one key that names the variant: `"A" | "B" | {"C": payload}`.
    fn by_literal_or_key(
        &mut self,
        schema: &Json,
        found: &[Member],
        at: &At,
    ) -> Result<Option<Mapped>, SchemaError> {
        let mut literals: Vec<Literal> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut open = false;
        let mut keyed: Vec<(&str, &Json, &At)> = Vec::new();
        for member in found {
            if is_literal(&member.members) {
                open |= is_open(member)?;
                let (read, _) = literals::read(&member.members, &member.at.pointer)?;
                literals.extend(read.into_iter().filter(|(literal, _)| seen.insert(literal.to_string())));
            } else if let Some((key, payload)) = only_key(&member.members) {
                // The same key in two members: its value may tell them apart, its name does not.
                if keyed.iter().any(|(known, ..)| *known == key) {
                    return Ok(None);
                }
                keyed.push((key, payload, &member.at));
            } else {
                return Ok(None);
            }
        }
        if literals.len() + keyed.len() > ENUM_VARIANTS_MAX {
            return Err(too_many(&at.pointer));
        }
        if keyed.is_empty() {
            return self.literal_enum(literals, open, schema, at).map(Some);
        }
        let id = self.declare_enum(schema, at, EnumWire::Literal)?;
        let mut taken = literals::Taken::default();
        let mut variants = literals::variants(&literals, &mut taken);
        for (key, payload, place) in keyed {
            let name = taken.take(names::variant(&key.into(), variants.len()));
            let inner = place.below(&["properties", key], "");
            let inner = At { name: format!("{}{name}", at.name), ..inner };
            let payload = Some(self.map(payload, &inner)?.into_type());
            variants.push(VariantDef {
                name,
                wire: Json::from(key).to_string(),
                payload,
                doc: String::new(),
            });
        }
        if open {
            literals::push_catch_all(&mut variants, &mut taken);
        }
        self.complete_enum(id, variants);
        Ok(Some(Mapped::named(id)))
    }

    /// One type for members of one kind.
    fn unite_kind(
        &mut self,
        kind: Kind,
        members: &[&Member],
        schema: &Json,
        at: &At,
    ) -> Result<Mapped, SchemaError> {
        if let [only] = members {
            let inner = At { pointer: only.at.pointer.clone(), ..at.clone() };
            return self.member(kind, only, &inner);
        }
        match kind {
            Kind::Object => {
                return match self.discriminated(schema, members, at)? {
                    Some(mapped) => Ok(mapped),
                    None => self.deeper(&at.pointer, |mapper| mapper.objects(schema, members, at)),
                };
            }
            Kind::Array => return self.deeper(&at.pointer, |mapper| mapper.arrays(members, at)),
            _ => {}
        }
        let all_literal = members.iter().all(|member| is_literal(&member.members));
        if all_literal {
            let mut all: Vec<Literal> = Vec::new();
            let mut open = false;
            for member in members {
                open |= kind == Kind::String && is_open(member)?;
                let (read, _) = literals::read(&member.members, &member.at.pointer)?;
                all.extend(read.into_iter().filter(|(literal, _)| literal_kind(literal) == kind));
            }
            let mut seen = BTreeSet::new();
            all.retain(|(literal, _)| seen.insert(literal.to_string()));
            return self.literal_enum(all, open, schema, at);
        }
        let mut united: Option<Type> = None;
        for member in members {
            // A literal beside a wider type of its kind is a hint, not a type.
            let ty = if is_literal(&member.members) {
                wide(kind)
            } else {
                let inner = At { aliases: Vec::new(), ..member.at.clone() };
                self.member(kind, member, &inner)?.ty
            };
            united = Some(match united {
                None => ty,
                Some(known) => hull(&known, &ty),
            });
        }
        Ok(Mapped::plain(united.unwrap_or(Type::Json)))
    }

    /// The part of a member that is of `kind`.
    fn member(&mut self, kind: Kind, member: &Member, at: &At) -> Result<Mapped, SchemaError> {
        let several = kinds(&member.members, &member.at.pointer)?.is_some_and(|kinds| kinds.len() > 1);
        if !several {
            return Ok(Mapped::plain(self.map(&member.schema, at)?.ty));
        }
        if is_literal(&member.members) {
            let (mut literals, _) = literals::read(&member.members, &member.at.pointer)?;
            literals.retain(|(literal, _)| literal_kind(literal) == kind);
            let open = kind == Kind::String && is_open(member)?;
            return self.literal_enum(literals, open, &Json::Null, at);
        }
        let types = keywords::types(&member.members, &member.at.pointer)?;
        let integer = types.is_some_and(|types| types.integer);
        self.kind(kind, &Json::Null, &member.members, integer, at)
    }
}

fn too_many(pointer: &str) -> SchemaError {
    let message = format!("the union has more than {ENUM_VARIANTS_MAX} members");
    SchemaError::new(SCHEMA_TOO_LARGE, pointer, message)
}

fn is_null(schema: &Json) -> bool {
    let members = schema.as_object();
    members.is_some_and(|members| match (members.get("type"), members.get("const"), members.get("enum")) {
        (Some(ty), None, None) => *ty == "null",
        (_, Some(constant), None) => constant.is_null(),
        (_, None, Some(Json::Array(literals))) => literals.iter().all(Json::is_null),
        _ => false,
    })
}

fn is_literal(members: &Members) -> bool {
    members.contains_key("enum") || members.contains_key("const")
}

/// Whether texts other than the literals may come.
fn is_open(member: &Member) -> Result<bool, SchemaError> {
    keywords::flag(&member.members, "x-extensible", &member.at.pointer)
}

const fn literal_kind(literal: &Json) -> Kind {
    match literal {
        Json::Bool(_) => Kind::Bool,
        Json::Number(_) => Kind::Number,
        _ => Kind::String,
    }
}

/// The kinds a member admits; `None` where it admits any.
fn kinds(members: &Members, pointer: &str) -> Result<Option<Vec<Kind>>, SchemaError> {
    if is_literal(members) {
        let mut kinds = Vec::new();
        for (literal, _) in literals::read(members, pointer)?.0 {
            let kind = literal_kind(&literal);
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        return Ok(Some(kinds));
    }
    Ok(keywords::types(members, pointer)?.map(|types| types.kinds))
}

/// The key and payload of an object that has one property, which is required.
fn only_key(members: &Members) -> Option<(&str, &Json)> {
    let properties = members.get("properties")?.as_object()?;
    let required = members.get("required")?.as_array()?;
    let [name] = required.as_slice() else { return None };
    let mut properties = properties.iter();
    let (key, payload) = properties.next()?;
    (properties.next().is_none() && name == key).then_some((key, payload))
}

const fn wide(kind: Kind) -> Type {
    match kind {
        Kind::String => Type::STRING,
        Kind::Number => Type::FLOAT,
        Kind::Bool => Type::Bool,
        Kind::Array | Kind::Object => Type::Json,
    }
}

/// The least type that has the values of both, which are of one kind and scalar.
fn hull(a: &Type, b: &Type) -> Type {
    let float = |a: FloatRange, b: FloatRange| FloatRange { min: a.min.min(b.min), max: a.max.max(b.max) };
    let widened = |range: IntRange| FloatRange {
        min: if range.min == i64::MIN { f64::NEG_INFINITY } else { range.min as f64 },
        max: if range.max == i64::MAX { f64::INFINITY } else { range.max as f64 },
    };
    match (a, b) {
        _ if a == b => a.clone(),
        (Type::Int(a), Type::Int(b)) => Type::Int(IntRange { min: a.min.min(b.min), max: a.max.max(b.max) }),
        (Type::Float(a), Type::Float(b)) => Type::Float(float(*a, *b)),
        (Type::Int(a), Type::Float(b)) | (Type::Float(b), Type::Int(a)) => {
            Type::Float(float(widened(*a), *b))
        }
        (Type::String(a), Type::String(b)) => Type::String(a.hull(*b)),
        // Texts of different formats are text.
        _ => Type::STRING,
    }
}
