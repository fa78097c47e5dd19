//! Schemas that stand alone: what they refer to comes with them, under `$defs`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use crate::CONTRACT_VALUES_MAX;
use crate::dialect::Direction;
use crate::document::{Document, below, local};
use crate::error::{Error, TOO_LARGE};

/// Keywords whose value is one schema.
const SCHEMA: [&str; 12] = [
    "additionalItems",
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords whose value is a list of schemas.
const SCHEMAS: [&str; 5] = ["allOf", "anyOf", "items", "oneOf", "prefixItems"];
/// Keywords whose value is a mapping of names to schemas.
const NAMED: [&str; 6] =
    ["$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"];

/// Formats that answers are not held to. For JSON Schema they are remarks, and common frameworks send times without a
/// zone, addresses without a host and UUIDs without dashes under them: such an answer would be refused after it was
/// paid.
const LOOSE: [&str; 7] = ["date", "date-time", "duration", "time", "uri", "url", "uuid"];

/// A schema that stands alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Contract {
    /// JSON Schema 2020-12; references lead to its own `$defs`.
    pub schema: Json,
    /// Where the schema itself stands in the document, as a JSON pointer; for one that was put together from
    /// several, where they all stand.
    pub at: String,
    /// Formats that it does not have, although the document says them.
    pub loosened: Vec<&'static str>,
    /// Places in the schema, such as `/$defs/Hit`, with the places in the document that they come from.
    sources: BTreeMap<String, String>,
}

impl Contract {
    /// A schema of anything, in place of one that the document does not have.
    pub(crate) fn unknown(at: String) -> Self {
        Self { schema: Json::Object(Map::new()), at, loosened: Vec::new(), sources: BTreeMap::new() }
    }

    /// The place in the document of a `pointer` into [`Self::schema`].
    #[must_use]
    pub fn locate(&self, pointer: &str) -> String {
        let path = pointer.strip_prefix('#').unwrap_or(pointer);
        // Every place in `sources` is two segments deep.
        let end = path.match_indices('/').nth(2).map_or(path.len(), |(end, _)| end);
        let (place, rest) = path.split_at_checked(end).unwrap_or((path, ""));
        match self.sources.get(place) {
            Some(source) => format!("{source}{rest}"),
            None => format!("{}{path}", self.at),
        }
    }

    /// Notes that the property `name` of a schema that was put together comes from `at`.
    pub(crate) fn note_property(&mut self, name: &str, at: String) {
        self.sources.insert(below("/properties", name), at);
    }
}

/// Makes schemas of one document stand alone.
pub(crate) struct Bundle<'a> {
    document: &'a Document,
    direction: Direction,
    /// Whether a text with a media type is a file, as in a form of parts.
    has_files: bool,
    /// Formats that were left out.
    loosened: BTreeSet<&'static str>,
    /// Places that are referred to, with their names under `$defs`.
    names: BTreeMap<String, String>,
    taken: BTreeSet<String>,
    open: Vec<String>,
    values: usize,
}

impl<'a> Bundle<'a> {
    pub(crate) const fn new(document: &'a Document, direction: Direction) -> Self {
        Self {
            document,
            direction,
            has_files: false,
            loosened: BTreeSet::new(),
            names: BTreeMap::new(),
            taken: BTreeSet::new(),
            open: Vec::new(),
            values: 0,
        }
    }

    /// Takes texts with a media type for files from now on.
    pub(crate) const fn reads_files(&mut self, has_files: bool) {
        self.has_files = has_files;
    }

    /// What is said of one schema in words that the types know, and left out where services do not keep to it.
    fn settle(&mut self, members: &mut Map<String, Json>) {
        let format = members.get("format").and_then(Json::as_str);
        if self.direction == Direction::Answer
            && let Some(known) = LOOSE.iter().find(|loose| Some(**loose) == format)
        {
            members.shift_remove("format");
            self.loosened.insert(known);
        }
        // Since 3.1 a file is a text with a media type and no encoding.
        let is_file = self.has_files
            && members.contains_key("contentMediaType")
            && !members.contains_key("contentEncoding")
            && !members.contains_key("format");
        if is_file {
            members.insert("format".into(), "binary".into());
        }
    }

    /// The schema with its references led to `$defs`.
    pub(crate) fn schema(&mut self, schema: &Json, at: &str) -> Result<Json, Error> {
        self.count(at)?;
        let Json::Object(members) = schema else { return self.copy(schema, at) };
        let mut members = members.clone();
        // A shallow copy costs what it has.
        self.values = self.values.saturating_add(members.len());
        self.document.dialect.modern(&mut members, self.direction);
        self.settle(&mut members);
        let mut modern = Map::new();
        for (keyword, value) in members {
            let below = below(at, &keyword);
            let value = match (keyword.as_str(), value) {
                ("$ref", Json::String(target)) => {
                    let pointer = local(&target, at)?;
                    self.document.resolve(&pointer, at)?;
                    format!("#/$defs/{}", escaped(&self.name(pointer))).into()
                }
                ("discriminator", value) => self.discriminator(value, &below)?,
                (keyword, Json::Object(schemas)) if NAMED.contains(&keyword) => {
                    Json::Object(self.named(schemas, &below)?)
                }
                (keyword, Json::Array(schemas)) if SCHEMAS.contains(&keyword) => {
                    let schemas = schemas.iter().enumerate();
                    let schemas =
                        schemas.map(|(place, schema)| self.schema(schema, &format!("{below}/{place}")));
                    Json::Array(schemas.collect::<Result<_, _>>()?)
                }
                (keyword, schema @ Json::Object(_)) if SCHEMA.contains(&keyword) => {
                    self.schema(&schema, &below)?
                }
                (_, value) => self.copy(&value, &below)?,
            };
            modern.insert(keyword, value);
        }
        Ok(Json::Object(modern))
    }

    fn named(&mut self, schemas: Map<String, Json>, at: &str) -> Result<Map<String, Json>, Error> {
        let mapped = schemas.into_iter().map(|(name, schema)| {
            let at = below(at, &name);
            let schema = self.schema(&schema, &at)?;
            Ok((name, schema))
        });
        mapped.collect()
    }

    /// `mapping` names schemas by reference, or by their bare names.
    fn discriminator(&mut self, mut value: Json, at: &str) -> Result<Json, Error> {
        self.copy(&value, at)?;
        if let Some(Json::Object(mapping)) = value.get_mut("mapping") {
            for target in mapping.values_mut() {
                let Json::String(text) = target else { continue };
                let pointer = if text.contains(['#', '/', '.']) {
                    local(text, at)?
                } else {
                    below(self.document.dialect.schemas().trim_end_matches('/'), text)
                };
                // One that leads nowhere is no member of the union; the mapper has the last word.
                if self.document.resolve(&pointer, at).is_ok() {
                    *text = format!("#/$defs/{}", escaped(&self.name(pointer)));
                }
            }
        }
        Ok(value)
    }

    /// The name under `$defs` of what stands at `pointer`.
    fn name(&mut self, pointer: String) -> String {
        if let Some(name) = self.names.get(&pointer) {
            return name.clone();
        }
        let segment = pointer.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
        let segment = if segment.is_empty() || segment == "#" { "Document".to_owned() } else { segment };
        let mut name = segment.clone();
        let mut number = 2_u32;
        while !self.taken.insert(name.clone()) {
            name = format!("{segment}{number}");
            number += 1;
        }
        self.names.insert(pointer.clone(), name.clone());
        self.open.push(pointer);
        name
    }

    /// `schema`, with everything that was referred to since the start.
    pub(crate) fn close(mut self, mut schema: Json, at: String) -> Result<Contract, Error> {
        let mut definitions = Map::new();
        while let Some(pointer) = self.open.pop() {
            let target = self.document.resolve(&pointer, &pointer)?;
            let definition = self.schema(target, &pointer)?;
            let name = self.names.get(&pointer).cloned().unwrap_or_default();
            definitions.insert(name, definition);
        }
        definitions.sort_keys();
        if let (Some(members), false) = (schema.as_object_mut(), definitions.is_empty()) {
            match members.get_mut("$defs") {
                // Its own definitions are referred to through the document, so these are not missed.
                Some(Json::Object(own)) => *own = definitions,
                _ => {
                    members.insert("$defs".into(), Json::Object(definitions));
                }
            }
        }
        let sources = self.names.iter().map(|(pointer, name)| (below("/$defs", name), pointer.clone()));
        let loosened = self.loosened.iter().copied().collect();
        Ok(Contract { schema, at, loosened, sources: sources.collect() })
    }

    fn copy(&mut self, value: &Json, at: &str) -> Result<Json, Error> {
        self.values = self.values.saturating_add(values(value));
        self.count(at)?;
        Ok(value.clone())
    }

    fn count(&mut self, at: &str) -> Result<(), Error> {
        self.values = self.values.saturating_add(1);
        if self.values <= CONTRACT_VALUES_MAX {
            return Ok(());
        }
        let message = format!("the schemas of one operation have more than {CONTRACT_VALUES_MAX} values");
        Err(Error::new(TOO_LARGE, at, message))
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1").replace('%', "%25")
}

fn values(json: &Json) -> usize {
    match json {
        Json::Object(members) => members.values().map(values).fold(1, usize::saturating_add),
        Json::Array(items) => items.iter().map(values).fold(1, usize::saturating_add),
        _ => 1,
    }
}
