//! `enum` and `const`.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::keywords::{self, Members, Types};
use super::mapper::Mapper;
use super::{At, ENUM_VARIANTS_MAX, MALFORMED, Mapped, SCHEMA_TOO_LARGE, SchemaError, UNSUPPORTED, names};
use crate::types::{EnumWire, Type, VariantDef};
use crate::wire::Kind;

/// A literal with its documentation.
pub(super) type Literal = (Json, String);

impl Mapper<'_> {
    pub(super) fn literals(&mut self, members: &Members, at: &At) -> Result<Mapped, SchemaError> {
        let (literals, null) = read(members, &at.pointer)?;
        let at = at.or_null(null);
        let open = keywords::flag(members, "x-extensible", &at.pointer)?;
        let schema = Json::Object(members.clone());
        Ok(self.literal_enum(literals, open, &schema, &at)?.or_null(null))
    }

    /// An enum of literals. All booleans are `Bool`; nothing at all is the `null` around it.
    pub(super) fn literal_enum(
        &mut self,
        literals: Vec<Literal>,
        open: bool,
        schema: &Json,
        at: &At,
    ) -> Result<Mapped, SchemaError> {
        let has = |wanted: bool| literals.iter().any(|(literal, _)| *literal == Json::Bool(wanted));
        if literals.is_empty() || (literals.len() == 2 && has(true) && has(false)) {
            return Ok(Mapped::plain(if literals.is_empty() { Type::Json } else { Type::Bool }));
        }
        if let Some(id) = self.known_title(schema) {
            return Ok(Mapped::named(id));
        }
        let id = self.declare_enum(schema, at, EnumWire::Literal)?;
        let mut taken = Taken::default();
        let mut variants = variants(&literals, &mut taken);
        if open {
            push_catch_all(&mut variants, &mut taken);
        }
        self.complete_enum(id, variants);
        self.note_title(schema, id);
        Ok(Mapped::named(id))
    }
}

/// The names of one enum's variants.
#[derive(Default)]
pub(super) struct Taken(BTreeSet<String>);

impl Taken {
    /// `wanted`, with a number where it is taken; taken from now on.
    pub(super) fn take(&mut self, wanted: String) -> String {
        let is_free = |name: &str| !self.0.contains(name);
        let name = if is_free(&wanted) { wanted } else { names::numbered(&wanted, is_free) };
        self.0.insert(name.clone());
        name
    }
}

/// The variant of an enum that may grow: any text that is none of its literals.
pub(super) fn push_catch_all(variants: &mut Vec<VariantDef>, taken: &mut Taken) {
    let name = taken.take("Other".into());
    variants.push(VariantDef { name, wire: String::new(), payload: Some(Type::STRING), doc: String::new() });
}

/// Variants without payload for `literals`, names unique.
pub(super) fn variants(literals: &[Literal], taken: &mut Taken) -> Vec<VariantDef> {
    let variant = |(place, (literal, doc)): (usize, &Literal)| VariantDef {
        name: taken.take(names::variant(literal, place)),
        wire: literal.to_string(),
        payload: None,
        doc: doc.clone(),
    };
    literals.iter().enumerate().map(variant).collect()
}

/// Whether a list or an object is among the literals.
pub(crate) fn is_opaque(members: &Members) -> bool {
    let is_container = |literal: &Json| literal.is_array() || literal.is_object();
    let listed = members.get("enum").and_then(Json::as_array);
    members.get("const").is_some_and(is_container) || listed.is_some_and(|all| all.iter().any(is_container))
}

/// The literals that `enum`, `const` and `type` together admit, and whether `null` is one.
pub(super) fn read(members: &Members, pointer: &str) -> Result<(Vec<Literal>, bool), SchemaError> {
    let listed = keywords::array(members, "enum", pointer)?;
    let constant = members.get("const");
    let candidates: Vec<&Json> = match (listed, constant) {
        (Some(listed), None) => listed.iter().collect(),
        (listed, Some(constant)) => {
            std::iter::once(constant).filter(|c| listed.is_none_or(|listed| listed.contains(c))).collect()
        }
        (None, None) => Vec::new(),
    };
    if candidates.len() > ENUM_VARIANTS_MAX {
        let message = format!("the enum has more than {ENUM_VARIANTS_MAX} literals");
        return Err(SchemaError::new(SCHEMA_TOO_LARGE, pointer, message));
    }
    let types = members.contains_key("type").then(|| keywords::types(members, pointer)).transpose()?;
    let doc = if constant.is_some() {
        super::mapper::description(&Json::Object(members.clone()))
    } else {
        String::new()
    };
    let mut null = keywords::flag(members, "nullable", pointer)?;
    let mut literals: Vec<Literal> = Vec::new();
    let mut seen = BTreeSet::new();
    for literal in candidates {
        if !admits(types.as_ref().and_then(Option::as_ref), literal) {
            continue;
        }
        match literal {
            Json::Null => null = true,
            Json::Array(_) | Json::Object(_) => {
                let message = "a literal is a string, a number, a boolean or null";
                return Err(SchemaError::new(UNSUPPORTED, pointer, message));
            }
            _ => {
                if seen.insert(literal.to_string()) {
                    literals.push((literal.clone(), doc.clone()));
                }
            }
        }
    }
    if literals.is_empty() && !null {
        return Err(SchemaError::new(MALFORMED, pointer, "no value fits the enum"));
    }
    Ok((literals, null))
}

fn admits(types: Option<&Types>, literal: &Json) -> bool {
    let Some(types) = types else { return true };
    let kind = match literal {
        Json::Null => return types.null,
        Json::Bool(_) => Kind::Bool,
        Json::Number(number) => {
            let whole = number.as_f64().is_some_and(|value| value.fract() == 0.0);
            return types.kinds.contains(&Kind::Number) && (whole || !types.integer);
        }
        Json::String(_) => Kind::String,
        Json::Array(_) => Kind::Array,
        Json::Object(_) => Kind::Object,
    };
    types.kinds.contains(&kind)
}
