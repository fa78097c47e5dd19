//! Types to JSON Schema.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::scalars::AMOUNT_FORMAT;
use crate::limits::URL_LENGTH_MAX;
use crate::types::{DefId, EnumDef, EnumWire, LengthRange, RecordDef, Type, TypeDef, TypeDefs, VariantDef};

/// A JSON Schema of the values of `ty`, as [`crate::decode::decode`] reads them: what `wanted_schema()`
/// shows a model and what clients are told about inputs. Records and enums that are used more than once
/// stand under `$defs`.
///
/// ```
/// use schema::json_schema::to_json_schema;
/// use schema::types::{IntRange, Type, TypeDefs};
/// let ty = Type::list(Type::Int(IntRange { min: 0, max: 9 }));
/// let schema = to_json_schema(&ty, &TypeDefs::new());
/// assert_eq!(schema.to_string(), r#"{"type":"array","items":{"type":"integer","minimum":0,"maximum":9}}"#);
/// ```
#[must_use]
pub fn to_json_schema(ty: &Type, defs: &TypeDefs) -> Json {
    let mut emitter = Emitter { defs, uses: BTreeMap::new(), keys: BTreeMap::new() };
    let root = match ty {
        Type::Named(id) => Some(*id),
        _ => None,
    };
    emitter.count(ty);
    let shared: Vec<DefId> = emitter
        .uses
        .iter()
        .filter(|(id, uses)| **uses > 1 && Some(**id) != root)
        .map(|(id, _)| *id)
        .collect();
    for id in &shared {
        // Records of the library name the types they are of, which no reference could hold as they are.
        let name = defs.get(*id).and_then(|def| def.name().split('<').next()).unwrap_or_default();
        let taken = |key: &str| emitter.keys.values().any(|known| known == key);
        let key = if taken(name) { super::names::numbered(name, |key| !taken(key)) } else { name.to_owned() };
        emitter.keys.insert(*id, format!("#/$defs/{key}"));
    }
    if let Some(root) = root {
        emitter.keys.insert(root, "#".into());
    }
    let mut schema = match root {
        Some(root) => emitter.definition(root),
        None => emitter.schema(ty),
    };
    if let (Some(members), false) = (schema.as_object_mut(), shared.is_empty()) {
        let definitions = shared.iter().filter_map(|id| {
            let key = emitter.keys.get(id)?.strip_prefix("#/$defs/")?;
            Some((key.to_owned(), emitter.definition(*id)))
        });
        members.insert("$defs".into(), Json::Object(definitions.collect()));
    }
    schema
}

struct Emitter<'a> {
    defs: &'a TypeDefs,
    /// How often each definition is named.
    uses: BTreeMap<DefId, usize>,
    /// References to the definitions that are not written in place.
    keys: BTreeMap<DefId, String>,
}

impl Emitter<'_> {
    fn count(&mut self, ty: &Type) {
        match ty {
            Type::List(inner, _) | Type::Map(inner) | Type::Optional(inner) => self.count(inner),
            Type::Result(ok, err) => {
                self.count(ok);
                self.count(err);
            }
            Type::Named(id) => {
                let uses = self.uses.entry(*id).or_default();
                *uses += 1;
                if *uses > 1 {
                    return;
                }
                match self.defs.get(*id) {
                    Some(TypeDef::Record(def)) => def.fields.iter().for_each(|field| self.count(&field.ty)),
                    Some(TypeDef::Enum(def)) => {
                        def.variants.iter().filter_map(|v| v.payload.as_ref()).for_each(|ty| self.count(ty));
                    }
                    None => {}
                }
            }
            _ => {}
        }
    }

    fn schema(&self, ty: &Type) -> Json {
        match ty {
            Type::Bool => json!({ "type": "boolean" }),
            Type::Int(range) => {
                let mut schema = json!({ "type": "integer" });
                insert_some(&mut schema, "minimum", (range.min != i64::MIN).then_some(range.min));
                insert_some(&mut schema, "maximum", (range.max != i64::MAX).then_some(range.max));
                schema
            }
            Type::Float(range) => {
                let mut schema = json!({ "type": "number" });
                insert_some(&mut schema, "minimum", range.min.is_finite().then_some(range.min));
                insert_some(&mut schema, "maximum", range.max.is_finite().then_some(range.max));
                schema
            }
            Type::String(range) => lengths(json!({ "type": "string" }), "minLength", "maxLength", *range),
            Type::Bytes(range) => {
                let schema = json!({ "type": "string", "contentEncoding": "base64" });
                lengths(schema, "x-minBytes", "x-maxBytes", *range)
            }
            Type::Url => json!({ "type": "string", "format": "uri", "maxLength": URL_LENGTH_MAX }),
            Type::Time => json!({ "type": "string", "format": "date-time" }),
            Type::Duration => json!({ "type": "string", "format": "duration" }),
            Type::Amount => json!({
                "type": "string",
                "format": AMOUNT_FORMAT,
                "pattern": "^[0-9]+([.][0-9]+)?(TAO|USD|rao)$",
            }),
            Type::Json | Type::Error => json!({}),
            Type::List(element, range) => {
                let schema = json!({ "type": "array", "items": self.schema(element) });
                lengths(schema, "minItems", "maxItems", *range)
            }
            Type::Map(element) => json!({ "type": "object", "additionalProperties": self.schema(element) }),
            Type::Optional(inner) => nullable(self.schema(inner)),
            Type::Named(id) => match self.keys.get(id) {
                Some(key) => json!({ "$ref": key }),
                None => self.definition(*id),
            },
            Type::Result(ok, err) => {
                json!({ "oneOf": [keyed("ok", self.schema(ok)), keyed("err", self.schema(err))] })
            }
        }
    }

    fn definition(&self, id: DefId) -> Json {
        match self.defs.get(id) {
            Some(TypeDef::Record(def)) => self.record(def),
            Some(TypeDef::Enum(def)) => self.enumeration(def),
            None => json!({}),
        }
    }

    fn record(&self, def: &RecordDef) -> Json {
        let mut schema = titled(&def.name, &def.doc);
        let properties = def.fields.iter().map(|field| {
            let mut property = self.schema(&field.ty);
            if let (Some(members), false) = (property.as_object_mut(), field.doc.is_empty()) {
                members.insert("description".into(), field.doc.as_str().into());
            }
            (field.name.clone(), property)
        });
        let required = def.fields.iter().filter(|field| field.ty.absent().is_none());
        schema.insert("type".into(), "object".into());
        schema.insert("properties".into(), Json::Object(properties.collect()));
        schema.insert("required".into(), required.map(|field| Json::from(field.name.as_str())).collect());
        // A model that is shown this should not invent fields.
        schema.insert("additionalProperties".into(), false.into());
        Json::Object(schema)
    }

    fn enumeration(&self, def: &EnumDef) -> Json {
        let mut schema = titled(&def.name, &def.doc);
        let payloads =
            def.variants.iter().any(|variant| variant.payload.is_some() && !variant.wire.is_empty());
        let members = |schemas: Vec<Json>| Json::Array(schemas);
        match &def.wire {
            EnumWire::Literal if payloads => {
                let variants = def.variants.iter().map(|variant| match &variant.payload {
                    Some(ty) if !variant.wire.is_empty() => keyed(&text(variant), self.schema(ty)),
                    Some(ty) => self.schema(ty),
                    None => json!({ "const": literal(variant) }),
                });
                schema.insert("oneOf".into(), members(variants.collect()));
            }
            EnumWire::Literal => {
                let closed = def.variants.iter().filter(|variant| variant.payload.is_none());
                let literals: Vec<Json> = closed.map(literal).collect();
                if literals.len() < def.variants.len() {
                    schema.insert("x-extensible".into(), true.into());
                }
                if literals.iter().all(Json::is_string) {
                    schema.insert("type".into(), "string".into());
                }
                schema.insert("enum".into(), Json::Array(literals));
            }
            EnumWire::Untagged => {
                let payloads = def.variants.iter().filter_map(|variant| variant.payload.as_ref());
                let kinds = def.variants.iter().map(text);
                // Opaque JSON of one kind: an object of no known form.
                let schemas = payloads.zip(kinds).map(|(ty, kind)| match ty {
                    Type::Json => json!({ "type": kind }),
                    _ => self.schema(ty),
                });
                schema.insert("anyOf".into(), members(schemas.collect()));
            }
            EnumWire::Discriminator(property) => {
                let variants = def.variants.iter().map(|variant| self.tagged(variant, property));
                schema.insert("discriminator".into(), json!({ "propertyName": property }));
                schema.insert("oneOf".into(), members(variants.collect()));
            }
        }
        Json::Object(schema)
    }

    /// A member of a union told apart by `property`: its record, in which that property is a constant.
    fn tagged(&self, variant: &VariantDef, property: &str) -> Json {
        let Some(ty) = &variant.payload else { return json!({}) };
        let record = match ty {
            Type::Named(id) => self.defs.record(*id),
            _ => None,
        };
        let Some(record) = record else { return self.schema(ty) };
        let constant = record.field(property).is_some_and(|(_, field)| match &field.ty {
            Type::Named(id) => self.defs.enumeration(*id).is_some_and(|def| def.wire == EnumWire::Literal),
            _ => false,
        });
        if constant {
            return self.schema(ty);
        }
        let mut schema = self.record(record);
        if let Some(properties) = schema.get_mut("properties").and_then(Json::as_object_mut) {
            properties.insert(property.into(), json!({ "const": literal(variant) }));
        }
        schema
    }
}

fn titled(name: &str, doc: &str) -> Map<String, Json> {
    let mut schema = Map::new();
    schema.insert("title".into(), name.into());
    if !doc.is_empty() {
        schema.insert("description".into(), doc.into());
    }
    schema
}

fn keyed(key: &str, payload: Json) -> Json {
    let mut properties = Map::new();
    properties.insert(key.into(), payload);
    json!({ "type": "object", "properties": properties, "required": [key], "additionalProperties": false })
}

/// `schema`, or `null`.
fn nullable(mut schema: Json) -> Json {
    let plain = schema.get("enum").is_none() && schema.get("title").is_none();
    if let Some(Json::String(ty)) = schema.get("type").filter(|_| plain).cloned() {
        if let Some(members) = schema.as_object_mut() {
            members.insert("type".into(), json!([ty, "null"]));
        }
        return schema;
    }
    json!({ "anyOf": [schema, { "type": "null" }] })
}

fn literal(variant: &VariantDef) -> Json {
    serde_json::from_str(&variant.wire).unwrap_or_default()
}

fn text(variant: &VariantDef) -> String {
    crate::wire::text_of(&variant.wire).unwrap_or_default()
}

fn insert_some(schema: &mut Json, keyword: &str, value: Option<impl Into<Json>>) {
    if let (Some(members), Some(value)) = (schema.as_object_mut(), value) {
        members.insert(keyword.into(), value.into());
    }
}

fn lengths(mut schema: Json, min: &str, max: &str, range: LengthRange) -> Json {
    insert_some(&mut schema, min, (range.min > 0).then_some(range.min));
    insert_some(&mut schema, max, range.max);
    schema
}
