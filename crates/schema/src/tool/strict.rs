//! Arguments in the subset of JSON Schema that OpenAI's strict mode reads: every property is required and has `null` where
//! it may be left out, objects are closed, and there are no limits. What that cannot say is said in words.

use serde_json::{Map, Value as Json, json};

use super::{Tool, described};
use crate::types::{
    DefId, EnumDef, EnumWire, FloatRange, IntRange, LengthRange, RecordDef, Type, TypeDef, TypeDefs,
};

/// Levels of objects and lists within each other.
pub(super) const DEPTH_MAX: usize = 10;
/// Properties of all objects together.
pub(super) const PROPERTIES_MAX: usize = 5_000;
/// Values of all enumerations together.
pub(super) const LITERALS_MAX: usize = 1_000;
/// Bytes of all names and values together.
pub(super) const NAMES_BYTES_MAX: usize = 120_000;
/// Kinds whose schemas are one word.
const SCALARS: [&str; 4] = ["string", "integer", "number", "boolean"];
/// Literals that are shown of an enumeration that admits others.
const SHOWN_LITERALS: usize = 20;

/// The arguments of a tool, and what is said in words only; or why strict mode cannot say them.
pub(super) fn parameters(tool: &Tool) -> Result<(Json, Vec<String>), String> {
    let mut writer = Writer::new(&tool.types);
    let mut properties = Map::new();
    for param in &tool.params {
        let written = writer.value(&param.ty, &param.name, 2);
        let Some(mut value) = written else {
            if param.required {
                return Err(format!("it has no form for `{}`", param.name));
            }
            continue;
        };
        writer.unsaid.extend(param.rules.iter().map(|rule| format!("{}: {rule}", param.name)));
        if !param.required {
            value = value.or_null();
        }
        let doc = param.told(&value.rules);
        properties.insert(param.name.clone(), value.documented(doc));
    }
    writer.sizes.properties += properties.len();
    writer.sizes.names += properties.keys().map(String::len).sum::<usize>();
    writer.sizes.check()?;
    let mut schema = closed(properties);
    if let (Some(members), false) = (schema.as_object_mut(), writer.defs.is_empty()) {
        members.insert("$defs".into(), Json::Object(writer.defs));
    }
    Ok((schema, writer.unsaid))
}

/// A schema, with what it does not say.
struct Written {
    schema: Json,
    rules: Vec<String>,
}

impl Written {
    fn plain(schema: Json) -> Self {
        Self { schema, rules: Vec::new() }
    }

    fn or_null(self) -> Self {
        let nothing = json!({ "type": "null" });
        let mut schema = self.schema;
        let is_plain = schema.get("enum").is_none();
        let scalar = schema.get("type").and_then(Json::as_str).filter(|ty| is_plain && SCALARS.contains(ty));
        if let Some(scalar) = scalar.map(str::to_owned) {
            if let Some(members) = schema.as_object_mut() {
                members.insert("type".into(), json!([scalar, "null"]));
            }
        } else if let Some(options) = schema.get_mut("anyOf").and_then(Json::as_array_mut) {
            if !options.contains(&nothing) {
                options.push(nothing);
            }
        } else if !schema.get("type").is_some_and(Json::is_array) {
            schema = json!({ "anyOf": [schema, nothing] });
        }
        Self { schema, ..self }
    }

    fn documented(self, doc: String) -> Json {
        let Self { mut schema, .. } = self;
        if doc.is_empty() {
            return schema;
        }
        // Nothing may stand beside a reference.
        if schema.get("$ref").is_some() {
            schema = json!({ "anyOf": [schema] });
        }
        if let Some(members) = schema.as_object_mut() {
            members.insert("description".into(), doc.into());
        }
        schema
    }
}

/// How large a schema has become.
#[derive(Default)]
struct Sizes {
    properties: usize,
    literals: usize,
    names: usize,
    too_deep: bool,
}

impl Sizes {
    fn is_over(&self) -> bool {
        self.too_deep
            || self.properties > PROPERTIES_MAX
            || self.literals > LITERALS_MAX
            || self.names > NAMES_BYTES_MAX
    }

    fn check(&self) -> Result<(), String> {
        match self.is_over() {
            true => Err("the arguments are larger or deeper than it admits".to_owned()),
            false => Ok(()),
        }
    }
}

struct Writer<'a> {
    types: &'a TypeDefs,
    /// Definitions that are being written, outermost first, with the key of those that refer to themselves.
    open: Vec<(DefId, Option<String>)>,
    defs: Map<String, Json>,
    unsaid: Vec<String>,
    sizes: Sizes,
}

impl<'a> Writer<'a> {
    fn new(types: &'a TypeDefs) -> Self {
        Self { types, open: Vec::new(), defs: Map::new(), unsaid: Vec::new(), sizes: Sizes::default() }
    }

    /// A value at `path`, below `depth` levels; `None` where strict mode has no form for it.
    fn value(&mut self, ty: &Type, path: &str, depth: usize) -> Option<Written> {
        if self.sizes.is_over() {
            return None;
        }
        let (schema, rule) = match ty {
            Type::Bool => (json!({ "type": "boolean" }), None),
            Type::Int(range) => (json!({ "type": "integer" }), int_rule(*range)),
            Type::Float(range) => (json!({ "type": "number" }), float_rule(*range)),
            Type::String(range) => (text(), length_rule(*range, "character")),
            Type::Bytes(range) => {
                let length = length_rule(*range, "byte").map(|length| format!(", {length}"));
                (text(), Some(format!("base64{}", length.unwrap_or_default())))
            }
            Type::Url => (text(), Some("an absolute URL".into())),
            Type::Time => (text(), Some("a moment in RFC 3339, such as 2026-01-31T12:00:00Z".into())),
            Type::Duration => (text(), Some("a time span in ISO 8601, such as PT30S".into())),
            Type::Amount => (text(), Some("money, such as 0.02USD".into())),
            Type::Json => (any(), Some("any JSON but objects, which strict mode cannot say".into())),
            // What is opaque in a list is an object nearly always.
            Type::List(element, _) if **element == Type::Json => {
                return self.nothing(path, "a list of objects of any form");
            }
            Type::List(element, range) => {
                let depth = self.deeper(depth);
                let items = self.value(element, &format!("{path}[]"), depth)?;
                let items = self.with_rules(items);
                (json!({ "type": "array", "items": items }), length_rule(*range, "element"))
            }
            Type::Optional(inner) => return Some(self.value(inner, path, depth)?.or_null()),
            Type::Named(id) => return self.named(*id, path, depth),
            Type::Result(ok, err) => {
                let options = [self.keyed("ok", ok, path, depth), self.keyed("err", err, path, depth)];
                return union(options.into_iter().flatten().collect());
            }
            Type::Map(_) => return self.nothing(path, "an object with keys of its own"),
            Type::Error => return None,
        };
        let rules: Vec<String> = rule.into_iter().collect();
        self.unsaid.extend(rules.iter().map(|rule| format!("{path}: {rule}")));
        Some(Written { schema, rules })
    }

    /// What cannot be said at all.
    fn nothing(&mut self, path: &str, what: &str) -> Option<Written> {
        self.unsaid.push(format!("{path}: {what}, which strict mode cannot say, so it is left out"));
        None
    }

    fn deeper(&mut self, depth: usize) -> usize {
        self.sizes.too_deep |= depth > DEPTH_MAX;
        depth + 1
    }

    fn with_rules(&self, written: Written) -> Json {
        let doc = described("", &written.rules);
        written.documented(doc)
    }

    /// A definition where it stands, or a reference to the one around it.
    fn named(&mut self, id: DefId, path: &str, depth: usize) -> Option<Written> {
        let def = self.types.get(id)?;
        if let Some(at) = self.open.iter().position(|(open, _)| *open == id) {
            let key = match self.open.get(at).and_then(|(_, key)| key.clone()) {
                Some(key) => key,
                None => self.new_key(def.name()),
            };
            self.open.get_mut(at)?.1 = Some(key.clone());
            return Some(Written::plain(json!({ "$ref": format!("#/$defs/{key}") })));
        }
        self.open.push((id, None));
        let written = match def {
            TypeDef::Record(record) => self.record(record, path, depth).map(Written::plain),
            TypeDef::Enum(def) => self.enumeration(def, path, depth),
        };
        let key = self.open.pop().and_then(|(_, key)| key);
        match (written, key) {
            (Some(written), Some(key)) => {
                self.defs.insert(key.clone(), written.schema);
                Some(Written { schema: json!({ "$ref": format!("#/$defs/{key}") }), rules: written.rules })
            }
            (written, _) => written,
        }
    }

    fn new_key(&self, name: &str) -> String {
        let used = |key: &str| {
            self.defs.contains_key(key) || self.open.iter().any(|(_, open)| open.as_deref() == Some(key))
        };
        let numbered = (2_u32..).map(|number| format!("{name}{number}"));
        std::iter::once(name.to_owned()).chain(numbered).find(|key| !used(key)).unwrap_or_default()
    }

    fn record(&mut self, record: &RecordDef, path: &str, depth: usize) -> Option<Json> {
        let depth = self.deeper(depth);
        let mut properties = Map::new();
        for field in &record.fields {
            let Some(mut value) = self.value(&field.ty, &format!("{path}.{}", field.name), depth) else {
                // What may be absent can be left out; without the rest there is no such record.
                field.ty.absent()?;
                continue;
            };
            if field.ty.absent().is_some() {
                value = value.or_null();
            }
            self.sizes.properties += 1;
            self.sizes.names += field.name.len();
            let doc = described(&field.doc, &value.rules);
            properties.insert(field.name.clone(), value.documented(doc));
        }
        Some(closed(properties))
    }

    fn enumeration(&mut self, def: &EnumDef, path: &str, depth: usize) -> Option<Written> {
        let literals: Vec<Json> = def
            .variants
            .iter()
            .filter(|variant| variant.payload.is_none())
            .map(|variant| literal(&variant.wire))
            .collect();
        let payloads =
            || def.variants.iter().filter_map(|variant| Some((variant, variant.payload.as_ref()?)));
        let options = match &def.wire {
            EnumWire::Literal if payloads().any(|(variant, _)| variant.wire.is_empty()) => {
                let known: Vec<String> = literals.iter().take(SHOWN_LITERALS).map(Json::to_string).collect();
                let rule = format!("{} or another text", known.join(", "));
                self.unsaid.push(format!("{path}: {rule}"));
                return Some(Written { schema: text(), rules: vec![rule] });
            }
            EnumWire::Literal => {
                let mut options: Vec<Json> = self.literals(&literals).into_iter().collect();
                for (variant, ty) in payloads() {
                    options.extend(self.keyed(
                        &crate::wire::text_of(&variant.wire).unwrap_or_default(),
                        ty,
                        path,
                        depth,
                    ));
                }
                options
            }
            EnumWire::Untagged => {
                let mut options = Vec::new();
                for (variant, ty) in payloads() {
                    let kind = crate::wire::text_of(&variant.wire).unwrap_or_default();
                    let written = match (ty, kind.as_str()) {
                        (Type::Json, "object") => self.nothing(path, "an object of any form"),
                        (Type::Json, "array") => {
                            Some(Written::plain(json!({ "type": "array", "items": any() })))
                        }
                        (Type::Json, kind) => Some(Written::plain(json!({ "type": kind }))),
                        _ => self.value(ty, path, depth),
                    };
                    options.extend(written.map(|written| self.with_rules(written)));
                }
                options
            }
            EnumWire::Discriminator(property) => {
                let mut options = Vec::new();
                for (variant, ty) in payloads() {
                    let written = self.value(ty, path, depth);
                    options.extend(
                        written.map(|written| told_apart(written.schema, property, &literal(&variant.wire))),
                    );
                }
                options
            }
        };
        union(options)
    }

    /// One of these literals.
    fn literals(&mut self, literals: &[Json]) -> Option<Json> {
        let kind = match literals.first()? {
            Json::String(_) => "string",
            Json::Bool(_) => "boolean",
            Json::Number(number) if number.is_f64() => "number",
            Json::Number(_) => "integer",
            _ => "null",
        };
        self.sizes.literals += literals.len();
        self.sizes.names += literals.iter().filter_map(Json::as_str).map(str::len).sum::<usize>();
        let same = |literal: &Json| match kind {
            "string" => literal.is_string(),
            "boolean" => literal.is_boolean(),
            "number" => literal.is_f64(),
            "integer" => literal.is_i64() || literal.is_u64(),
            _ => literal.is_null(),
        };
        Some(match literals.iter().all(same) {
            true => json!({ "type": kind, "enum": literals }),
            false => json!({ "enum": literals }),
        })
    }

    fn keyed(&mut self, key: &str, ty: &Type, path: &str, depth: usize) -> Option<Json> {
        let depth = self.deeper(depth);
        let value = self.value(ty, &format!("{path}.{key}"), depth)?;
        self.sizes.properties += 1;
        self.sizes.names += key.len();
        let value = self.with_rules(value);
        Some(closed(Map::from_iter([(key.to_owned(), value)])))
    }
}

fn text() -> Json {
    json!({ "type": "string" })
}

/// Any JSON without objects, one level of lists deep.
fn any() -> Json {
    let scalars =
        [text(), json!({ "type": "number" }), json!({ "type": "boolean" }), json!({ "type": "null" })];
    let list = json!({ "type": "array", "items": { "anyOf": &scalars } });
    json!({ "anyOf": scalars.into_iter().chain([list]).collect::<Vec<_>>() })
}

fn union(mut options: Vec<Json>) -> Option<Written> {
    match options.len() {
        0 => None,
        1 => options.pop().map(Written::plain),
        _ => Some(Written::plain(json!({ "anyOf": options }))),
    }
}

/// An object with these properties, all of them required, and no others.
fn closed(properties: Map<String, Json>) -> Json {
    let required: Vec<&String> = properties.keys().collect();
    json!({ "type": "object", "required": required, "additionalProperties": false, "properties": properties })
}

/// A member of a union told apart by `property`, which stands first and has one value: members that begin with the same
/// property and do not differ in it are refused.
fn told_apart(mut schema: Json, property: &str, literal: &Json) -> Json {
    let Some(properties) = schema.get_mut("properties").and_then(Json::as_object_mut) else { return schema };
    let mut first = Map::from_iter([(property.to_owned(), json!({ "type": "string", "enum": [literal] }))]);
    properties.shift_remove(property);
    first.append(properties);
    closed(first)
}

fn literal(wire: &str) -> Json {
    serde_json::from_str(wire).unwrap_or_default()
}

fn int_rule(IntRange { min, max }: IntRange) -> Option<String> {
    let min = (min != i64::MIN).then(|| min.to_string());
    range_rule(min, (max != i64::MAX).then(|| max.to_string()), "")
}

fn float_rule(FloatRange { min, max }: FloatRange) -> Option<String> {
    // An exclusive bound is the next double, which takes hundreds of digits to write out.
    let shorter = |near: f64, bound: f64| near.to_string().len() < bound.to_string().len();
    let low = min.is_finite().then(|| match min.next_down() {
        below if shorter(below, min) => format!("above {below}"),
        _ => format!("at least {min}"),
    });
    let high = max.is_finite().then(|| match max.next_up() {
        above if shorter(above, max) => format!("below {above}"),
        _ => format!("at most {max}"),
    });
    let both: Vec<String> = low.into_iter().chain(high).collect();
    (!both.is_empty()).then(|| both.join(", "))
}

/// `unit` is one of what is counted.
fn length_rule(range: LengthRange, unit: &str) -> Option<String> {
    let min = (range.min > 0).then(|| range.min.to_string());
    let last = range.max.unwrap_or(range.min);
    let plural = if last == 1 { "" } else { "s" };
    range_rule(min, range.max.map(|max| max.to_string()), &format!(" {unit}{plural}"))
}

fn range_rule(min: Option<String>, max: Option<String>, unit: &str) -> Option<String> {
    match (min, max) {
        (None, None) => None,
        (Some(min), None) => Some(format!("at least {min}{unit}")),
        (None, Some(max)) => Some(format!("at most {max}{unit}")),
        (Some(min), Some(max)) if min == max => Some(format!("exactly {min}{unit}")),
        (Some(min), Some(max)) => Some(format!("from {min} to {max}{unit}")),
    }
}
