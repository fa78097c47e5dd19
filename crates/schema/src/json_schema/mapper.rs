//! The walk over a schema.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::keywords::{self, Members, Types};
use super::names::{self, Names};
use super::{
    At, BAD_REFERENCE, MALFORMED, Mapped, SCHEMA_DEPTH_MAX, SCHEMA_TOO_LARGE, SCHEMA_TYPES_MAX,
    SCHEMA_VISITS_MAX, SchemaError,
};
use crate::types::{DefId, EnumDef, EnumWire, Type, TypeDef, TypeDefs, VariantDef};
use crate::wire::Kind;

/// Schemas of one title that are remembered for comparison.
const SAME_TITLE_MAX: usize = 16;

/// The definitions and names that the schemas of one operation share.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) defs: TypeDefs,
    pub(super) names: Names,
    /// Schemas with a `title` that were mapped: the same schema again is the same type.
    titled: BTreeMap<String, Vec<(Json, DefId)>>,
    /// Parts of schemas that were visited or copied.
    visited: usize,
}

/// What is known of a reference.
#[derive(Clone, Debug)]
enum Reference {
    /// Being resolved; the type, once it has a place in the table.
    Open(Option<Mapped>),
    /// Resolved.
    Done(Mapped),
}

/// Maps one document.
pub(super) struct Mapper<'a> {
    pub(super) document: &'a Json,
    pub(super) table: &'a mut Table,
    references: BTreeMap<String, Reference>,
    /// Records that unions of references were mapped to, by those references.
    pub(super) merged: BTreeMap<String, DefId>,
    depth: usize,
}

impl<'a> Mapper<'a> {
    pub(super) const fn new(document: &'a Json, table: &'a mut Table) -> Self {
        Self { document, table, references: BTreeMap::new(), merged: BTreeMap::new(), depth: 0 }
    }

    /// The type of the whole document.
    pub(super) fn root(mut self, name: &str) -> Result<Type, SchemaError> {
        let at = self.root_at(name);
        Ok(self.map(self.document, &at)?.into_type())
    }

    /// Where the document stands; `#` means it.
    pub(super) fn root_at(&mut self, name: &str) -> At {
        self.references.insert("#".into(), Reference::Open(None));
        At { pointer: "#".into(), name: name.into(), aliases: vec![("#".into(), false)] }
    }

    /// Accounts for a look at every part of `schema`, as copying it takes. References that are merged are
    /// looked at where they are used, so a small document can ask for exponential work.
    pub(super) fn look_at(&mut self, schema: &Json, pointer: &str) -> Result<(), SchemaError> {
        self.visit(parts(schema), pointer)
    }

    fn visit(&mut self, parts: usize, pointer: &str) -> Result<(), SchemaError> {
        self.table.visited = self.table.visited.saturating_add(parts);
        if self.table.visited <= SCHEMA_VISITS_MAX {
            return Ok(());
        }
        let message = format!("mapping looks at more than {SCHEMA_VISITS_MAX} parts");
        Err(SchemaError::new(SCHEMA_TOO_LARGE, pointer, message))
    }

    pub(super) fn map(&mut self, schema: &Json, at: &At) -> Result<Mapped, SchemaError> {
        self.visit(1, &at.pointer)?;
        self.deeper(&at.pointer, |mapper| mapper.map_members(schema, at))
    }

    /// Runs `inner` one level further down. References count as levels, so a chain of them is bounded.
    pub(super) fn deeper<T>(
        &mut self,
        pointer: &str,
        inner: impl FnOnce(&mut Self) -> Result<T, SchemaError>,
    ) -> Result<T, SchemaError> {
        if self.depth >= SCHEMA_DEPTH_MAX {
            let message = format!("schemas nest deeper than {SCHEMA_DEPTH_MAX} levels");
            return Err(SchemaError::new(SCHEMA_TOO_LARGE, pointer, message));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn map_members(&mut self, schema: &Json, at: &At) -> Result<Mapped, SchemaError> {
        let members = match schema {
            Json::Bool(true) => return Ok(Mapped::plain(Type::Json)),
            Json::Bool(false) => {
                return Err(SchemaError::new(MALFORMED, &at.pointer, "no value fits the schema `false`"));
            }
            Json::Object(members) => members,
            _ => return Err(SchemaError::new(MALFORMED, &at.pointer, "a schema is an object or a boolean")),
        };
        keywords::check(members, &at.pointer)?;
        if !keywords::constrains(members) {
            return Ok(Mapped::plain(Type::Json));
        }
        if let Some(target) = keywords::text(members, "$ref", &at.pointer)? {
            if !keywords::stands_alone(members, "$ref") {
                return self.merged(schema, at);
            }
            let null = keywords::flag(members, "nullable", &at.pointer)?;
            return Ok(self.reference(target, &at.or_null(null))?.or_null(null));
        }
        if members.contains_key("allOf") {
            return self.merged(schema, at);
        }
        if members.contains_key("oneOf") || members.contains_key("anyOf") {
            self.look_at(schema, &at.pointer)?;
            return self.union(members, at);
        }
        if super::literals::is_opaque(members) {
            // A list or an object as a literal; whether it is that one is checked at the boundary.
            return Ok(Mapped::plain(Type::Json));
        }
        if members.contains_key("enum") || members.contains_key("const") {
            self.look_at(schema, &at.pointer)?;
            return self.literals(members, at);
        }
        let types = keywords::types(members, &at.pointer)?;
        self.typed(schema, members, types, at)
    }

    /// A schema whose members say what kinds of value it admits.
    fn typed(
        &mut self,
        schema: &Json,
        members: &Members,
        types: Option<Types>,
        at: &At,
    ) -> Result<Mapped, SchemaError> {
        // `type` was absent and nothing implied one, or it is `null`: nothing to read but JSON.
        let Some(types) = types.filter(|types| !types.kinds.is_empty()) else {
            return Ok(Mapped::plain(Type::Json));
        };
        let at = at.or_null(types.null);
        let mapped = match types.kinds.as_slice() {
            [kind] => self.kind(*kind, schema, members, types.integer, &at)?,
            kinds => {
                self.look_at(schema, &at.pointer)?;
                let id = self.declare_enum(schema, &at, EnumWire::Untagged)?;
                let mut variants = Vec::new();
                for kind in kinds {
                    let inner = At { name: format!("{}{}", at.name, kind.variant()), ..at.below(&[], "") };
                    let payload = self.kind(*kind, &untitled(members), members, types.integer, &inner)?;
                    variants.push(kind_variant(*kind, payload.into_type()));
                }
                self.complete_enum(id, variants);
                Mapped::named(id)
            }
        };
        Ok(mapped.or_null(types.null))
    }

    pub(super) fn kind(
        &mut self,
        kind: Kind,
        schema: &Json,
        members: &Members,
        integer: bool,
        at: &At,
    ) -> Result<Mapped, SchemaError> {
        let pointer = &at.pointer;
        let ty = match kind {
            Kind::Bool => Type::Bool,
            Kind::String => super::scalars::string(members, pointer)?,
            Kind::Number => super::scalars::number(members, integer, pointer)?,
            Kind::Array => return self.array(members, at),
            Kind::Object => return self.object(schema, members, at),
        };
        Ok(Mapped::plain(ty))
    }

    /// The type a local reference leads to.
    pub(super) fn reference(&mut self, target: &str, at: &At) -> Result<Mapped, SchemaError> {
        let pointer = local(target, &at.pointer)?;
        match self.references.get(&pointer) {
            Some(Reference::Done(mapped) | Reference::Open(Some(mapped))) => return Ok(mapped.clone()),
            Some(Reference::Open(None)) => {
                let message =
                    format!("`{}` leads to itself without a record in between", names::shown(target));
                return Err(SchemaError::new(BAD_REFERENCE, &at.pointer, message));
            }
            None => {}
        }
        let schema = self.resolve(&pointer, &at.pointer)?;
        let segment = pointer.rsplit('/').next().unwrap_or_default();
        let name = if pointer == "#" { String::new() } else { names::pascal(segment) };
        let name = if name.is_empty() { at.name.clone() } else { name };
        self.references.insert(pointer.clone(), Reference::Open(None));
        let mut aliases = at.aliases.clone();
        aliases.push((pointer.clone(), false));
        let inner = At { pointer: pointer.clone(), name, aliases };
        let mapped = self.map(schema, &inner)?;
        self.references.insert(pointer, Reference::Done(mapped.clone()));
        Ok(mapped)
    }

    /// The schema at a pointer into the document.
    pub(super) fn resolve(&self, pointer: &str, from: &str) -> Result<&'a Json, SchemaError> {
        let path = pointer.strip_prefix('#').unwrap_or(pointer);
        self.document.pointer(path).ok_or_else(|| {
            let message = format!("the schema has nothing at `{}`", names::shown(pointer));
            SchemaError::new(BAD_REFERENCE, from, message)
        })
    }

    /// A place for a definition whose parts are yet to be mapped; references to it work from now on.
    pub(super) fn declare(&mut self, def: TypeDef, at: &At) -> Result<DefId, SchemaError> {
        if self.table.defs.len() >= SCHEMA_TYPES_MAX {
            let message = format!("the schema has more than {SCHEMA_TYPES_MAX} records and enums");
            return Err(SchemaError::new(SCHEMA_TOO_LARGE, &at.pointer, message));
        }
        let id = self.table.defs.push(def);
        for (alias, nullable) in &at.aliases {
            let mapped = Mapped::named(id).or_null(*nullable);
            self.references.insert(alias.clone(), Reference::Open(Some(mapped)));
        }
        Ok(id)
    }

    pub(super) fn declare_enum(
        &mut self,
        schema: &Json,
        at: &At,
        wire: EnumWire,
    ) -> Result<DefId, SchemaError> {
        let name = self.name(schema, at);
        let doc = description(schema);
        self.declare(TypeDef::Enum(EnumDef { name, variants: Vec::new(), wire, doc }), at)
    }

    pub(super) fn complete_enum(&mut self, id: DefId, variants: Vec<VariantDef>) {
        if let Some(TypeDef::Enum(def)) = self.table.defs.get_mut(id) {
            def.variants = variants;
        }
    }

    /// A free name for the type of `schema`.
    pub(super) fn name(&mut self, schema: &Json, at: &At) -> String {
        let title = schema.get("title").and_then(Json::as_str).map(names::pascal).unwrap_or_default();
        let title = if title.starts_with(|c: char| c.is_ascii_digit()) { "" } else { &title };
        self.table.names.take(&[title, &at.name])
    }

    /// The type of an equal schema with the same title, if one was mapped.
    pub(super) fn known_title(&self, schema: &Json) -> Option<DefId> {
        let known = self.table.titled.get(schema.get("title")?.as_str()?)?;
        known.iter().find(|(known, _)| known == schema).map(|(_, id)| *id)
    }

    /// Notes what the titled schema was mapped to. A schema with references may mean something else in
    /// another document.
    pub(super) fn note_title(&mut self, schema: &Json, id: DefId) {
        if let Some(title) = schema.get("title").and_then(Json::as_str)
            && !has_reference(schema)
        {
            let known = self.table.titled.entry(title.into()).or_default();
            if known.len() < SAME_TITLE_MAX {
                known.push((schema.clone(), id));
            }
        }
    }
}

/// Octets of text that count as a part.
const TEXT_PER_PART: usize = 64;

/// Parts of a document: values within values, and long text by its length.
fn parts(json: &Json) -> usize {
    let text = |text: &String| 1 + text.len() / TEXT_PER_PART;
    match json {
        Json::Object(members) => {
            let of_member = |(key, value): (&String, &Json)| text(key) + parts(value) - 1;
            members.iter().map(of_member).fold(1, usize::saturating_add)
        }
        Json::Array(items) => items.iter().map(parts).fold(1, usize::saturating_add),
        Json::String(value) => text(value),
        _ => 1,
    }
}

fn has_reference(schema: &Json) -> bool {
    match schema {
        Json::Object(members) => members.contains_key("$ref") || members.values().any(has_reference),
        Json::Array(items) => items.iter().any(has_reference),
        _ => false,
    }
}

/// The schema without its name: a member of a union is not the union.
fn untitled(members: &Members) -> Json {
    let kept = members.iter().filter(|(keyword, _)| *keyword != "title" && *keyword != "description");
    Json::Object(kept.map(|(keyword, value)| (keyword.clone(), value.clone())).collect())
}

pub(super) fn kind_variant(kind: Kind, payload: Type) -> VariantDef {
    VariantDef {
        name: kind.variant().into(),
        wire: kind.wire().into(),
        payload: Some(payload),
        doc: String::new(),
    }
}

/// The `description` of a schema.
pub(super) fn description(schema: &Json) -> String {
    schema.get("description").and_then(Json::as_str).unwrap_or_default().into()
}

/// A reference as a pointer with `#`, percent-encoding resolved.
pub(crate) fn local(target: &str, from: &str) -> Result<String, SchemaError> {
    let refused = || {
        let message = format!(
            "`{}` is no reference within this schema; put what it leads to under `$defs`",
            names::shown(target)
        );
        SchemaError::new(BAD_REFERENCE, from, message)
    };
    let fragment = target.strip_prefix('#').ok_or_else(refused)?;
    if !fragment.is_empty() && !fragment.starts_with('/') {
        return Err(refused());
    }
    let mut bytes = fragment.bytes();
    let mut decoded = vec![b'#'];
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next().unwrap_or(b'?'), bytes.next().unwrap_or(b'?')];
            let digits = std::str::from_utf8(&digits).map_err(|_| refused())?;
            decoded.push(u8::from_str_radix(digits, 16).map_err(|_| refused())?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).map_err(|_| refused())
}
