//! Rules beyond types: those that arguments must keep, and those that answers are held to.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::{Change, Level};
use crate::boundary::{canonical, label, told_apart};
use crate::json_schema::{keywords, local};
use crate::operation::OperationDescriptor;

/// Schemas that are looked at for rules.
const LOOKS_MAX: usize = 50_000;
/// Characters of a rule that a reason repeats.
const SHOWN_MAX: usize = 60;

pub(super) fn compare(old: &OperationDescriptor, new: &OperationDescriptor, changes: &mut Vec<Change>) {
    let mut change = |level: Level, (path, rule): &(String, String), what: &str| {
        let shown: String = rule.chars().take(SHOWN_MAX).collect();
        changes.push(Change { level, path: path.clone(), reason: format!("{what} {shown}") });
    };
    let (before, after) = (of(&old.input, "input"), of(&new.input, "input"));
    after.difference(&before).for_each(|rule| change(Level::Breaking, rule, "must keep a new rule:"));
    before
        .difference(&after)
        .for_each(|rule| change(Level::Compatible, rule, "need not keep a rule any more:"));
    let answer = |operation: &OperationDescriptor| {
        if operation.output_complete { of(&operation.output, "output") } else { BTreeSet::new() }
    };
    let (before, after) = (answer(old), answer(new));
    let loose = "may break a rule that plans hold it to:";
    before.difference(&after).for_each(|rule| change(Level::Breaking, rule, loose));
    let strict = "keeps a new rule, which answers from before may break:";
    after.difference(&before).for_each(|rule| change(Level::NeedsRecompile, rule, strict));
}

/// The rules of a schema, each with the path of the values that it is for.
fn of(schema: &Json, root: &str) -> BTreeSet<(String, String)> {
    let definitions = schema.get("$defs").or_else(|| schema.get("definitions"));
    let definitions = definitions.map(digest).unwrap_or_default();
    let mut walk = Walk {
        document: schema,
        definitions: &definitions,
        open: BTreeSet::new(),
        found: BTreeSet::new(),
        looks: 0,
    };
    walk.schema(schema, root);
    if walk.looks > LOOKS_MAX {
        // Not every rule was seen, so any difference counts.
        walk.found.insert((root.to_owned(), format!("too many to list, {}", digest(schema))));
    }
    walk.found
}

/// A name of what a schema says, for one that is too long to repeat.
fn digest(schema: &Json) -> String {
    let hash = blake3::hash(canonical(&telling(schema)).as_bytes());
    hash.to_hex().chars().take(16).collect()
}

struct Walk<'a> {
    document: &'a Json,
    /// Stands for everything that rules may refer to.
    definitions: &'a str,
    /// References that are being followed: a circle is walked once.
    open: BTreeSet<String>,
    found: BTreeSet<(String, String)>,
    looks: usize,
}

impl Walk<'_> {
    fn schema(&mut self, schema: &Json, path: &str) {
        self.looks += 1;
        let Some(members) = schema.as_object().filter(|_| self.looks <= LOOKS_MAX) else { return };
        // Where the type tells nothing, it does not tell either that `null` is let off.
        let lax = members.get("type").is_none() && members.get("nullable") == Some(&Json::Bool(true));
        let path = &if lax { format!("{path}?") } else { path.to_owned() };
        for (keyword, value) in members {
            match (keyword.as_str(), value) {
                ("$ref", Json::String(target)) => self.reference(target, path),
                ("allOf", Json::Array(parts)) => parts.iter().for_each(|part| self.schema(part, path)),
                ("anyOf" | "oneOf", Json::Array(parts)) => {
                    if told_apart(self.document, parts) {
                        for part in parts {
                            let path = format!("{path}<{}>", label(self.document, part));
                            self.schema(part, &path);
                        }
                    } else if self.has_rules(parts) {
                        // Its members are tried as they stand.
                        self.rule(keyword, value, path);
                    }
                }
                ("properties", Json::Object(properties)) => {
                    for (name, property) in properties {
                        self.schema(property, &format!("{path}.{name}"));
                    }
                }
                ("items", Json::Object(_)) => self.schema(value, &format!("{path}[]")),
                ("additionalProperties", Json::Object(_)) => self.schema(value, &format!("{path}{{}}")),
                // The type says the rest.
                ("patternProperties" | "prefixItems" | "additionalItems", _) => {
                    self.rule(keyword, value, path)
                }
                ("items", Json::Array(_)) => self.rule(keyword, value, path),
                ("format", Json::String(format)) if crate::boundary::checks_format(format) => {
                    self.rule(keyword, value, path);
                }
                ("const" | "enum", _) if crate::json_schema::is_opaque(members) => {
                    self.rule(keyword, value, path)
                }
                (keyword, value) if keywords::is_boundary(keyword) => self.rule(keyword, value, path),
                _ => {}
            }
        }
    }

    /// Whether there is any rule in the schemas.
    fn has_rules(&mut self, schemas: &[Json]) -> bool {
        let mut inner = Walk {
            document: self.document,
            definitions: self.definitions,
            open: self.open.clone(),
            found: BTreeSet::new(),
            looks: self.looks,
        };
        schemas.iter().for_each(|schema| inner.schema(schema, ""));
        self.looks = inner.looks;
        !inner.found.is_empty()
    }

    fn rule(&mut self, keyword: &str, value: &Json, path: &str) {
        let mut rule = format!("{keyword} {}", canonical(&telling(value)));
        // What a rule refers to is part of it.
        if rule.contains("\"$ref\"") {
            rule.push_str(" with ");
            rule.push_str(self.definitions);
        }
        self.found.insert((path.to_owned(), rule));
    }

    fn reference(&mut self, target: &str, path: &str) {
        let Ok(pointer) = local(target, "") else { return };
        if self.open.contains(&pointer) {
            return;
        }
        let Some(schema) = self.document.pointer(pointer.strip_prefix('#').unwrap_or(&pointer)) else {
            return;
        };
        self.open.insert(pointer.clone());
        self.schema(schema, path);
        self.open.remove(&pointer);
    }
}

/// The same without what only people read.
fn telling(json: &Json) -> Json {
    match json {
        Json::Object(members) => {
            let kept = members.iter().filter(|(key, value)| !(value.is_string() && is_for_people(key)));
            kept.map(|(key, value)| (key.clone(), telling(value))).collect()
        }
        Json::Array(items) => items.iter().map(telling).collect(),
        scalar => scalar.clone(),
    }
}

fn is_for_people(keyword: &str) -> bool {
    matches!(keyword, "title" | "description" | "summary" | "$comment")
}
