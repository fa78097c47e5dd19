//! `allOf`: one schema that says what all members say.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::keywords::{self, Members};
use super::mapper::{Mapper, local};
use super::{At, BAD_REFERENCE, CONTRADICTION, MALFORMED, Mapped, SchemaError, names};

impl Mapper<'_> {
    pub(super) fn merged(&mut self, schema: &Json, at: &At) -> Result<Mapped, SchemaError> {
        // `allOf` with one member and nothing beside it is that member: older generators write it to put
        // a description beside a reference.
        if let Some([only]) = schema.get("allOf").and_then(Json::as_array).map(Vec::as_slice)
            && schema.as_object().is_some_and(|members| keywords::stands_alone(members, "allOf"))
        {
            let null = schema.get("nullable") == Some(&Json::Bool(true));
            return Ok(self.map(only, &at.same(&["allOf", "0"]).or_null(null))?.or_null(null));
        }
        let members = self.flatten(schema, &at.pointer, &mut Vec::new())?;
        self.map(&Json::Object(members), at)
    }

    /// The members of `schema` with references and `allOf` at its top resolved and merged.
    pub(super) fn flatten(
        &mut self,
        schema: &Json,
        pointer: &str,
        visiting: &mut Vec<String>,
    ) -> Result<Members, SchemaError> {
        self.look_at(schema, pointer)?;
        let members = match schema {
            Json::Bool(true) => return Ok(Members::new()),
            Json::Object(members) => members,
            _ => return Err(SchemaError::new(MALFORMED, pointer, "a schema is an object, or `true`")),
        };
        keywords::check(members, pointer)?;
        let mut own = members.clone();
        let reference = own.shift_remove("$ref");
        let all = own.shift_remove("allOf");
        let own_keywords: Vec<String> = own.keys().cloned().collect();
        let mut merged = own;
        if reference.is_some() {
            let target = keywords::text(members, "$ref", pointer)?.unwrap_or_default();
            let target_pointer = local(target, pointer)?;
            if visiting.contains(&target_pointer) {
                let message = format!("`{}` leads to itself", names::shown(target));
                return Err(SchemaError::new(BAD_REFERENCE, pointer, message));
            }
            let schema = self.resolve(&target_pointer, pointer)?;
            visiting.push(target_pointer.clone());
            let mut other =
                self.deeper(pointer, |mapper| mapper.flatten(schema, &target_pointer, visiting))?;
            visiting.pop();
            if other.get("title").is_none() && target_pointer != "#" {
                // The referenced type keeps the name it has where it stands.
                let segment = target_pointer.rsplit('/').next().unwrap_or_default();
                other.insert("title".into(), segment.into());
            }
            merged = merge_into(merged, other, &own_keywords, pointer)?;
        }
        if all.is_some() {
            let parts = keywords::array(members, "allOf", pointer)?.unwrap_or_default();
            for (place, part) in parts.iter().enumerate() {
                let place = format!("{pointer}/allOf/{place}");
                let other = self.deeper(pointer, |mapper| mapper.flatten(part, &place, visiting))?;
                let other = if parts.len() > 1 { without_name(other) } else { other };
                merged = merge_into(merged, other, &own_keywords, pointer)?;
            }
        }
        Ok(merged)
    }
}

/// What several parts make up together is none of the parts, so it takes no name from them.
fn without_name(mut members: Members) -> Members {
    members.shift_remove("title");
    members.shift_remove("description");
    members
}

/// The members that say what both say; annotations of `a` win.
pub(super) fn merge(a: Members, b: Members, pointer: &str) -> Result<Members, SchemaError> {
    merge_into(a, b, &[], pointer)
}

/// The same; the keywords of `own` stand in the schema that extends the others.
fn merge_into(mut a: Members, b: Members, own: &[String], pointer: &str) -> Result<Members, SchemaError> {
    for (keyword, theirs) in b {
        match a.get_mut(&keyword) {
            None => drop(a.insert(keyword, theirs)),
            Some(ours) if *ours == theirs => {}
            Some(ours) => {
                let taken = std::mem::take(ours);
                *ours = merge_keyword(&keyword, taken, theirs, own, pointer)?;
            }
        }
    }
    Ok(a)
}

/// A schema of what both say. Many of them make one list, not a nest as deep as there are many.
fn both(ours: Json, theirs: Json) -> Json {
    let mut parts = match ours {
        Json::Object(mut members)
            if members.len() == 1 && members.get("allOf").is_some_and(Json::is_array) =>
        {
            match members.remove("allOf") {
                Some(Json::Array(parts)) => parts,
                _ => Vec::new(),
            }
        }
        other => vec![other],
    };
    parts.push(theirs);
    serde_json::json!({ "allOf": parts })
}

fn merge_keyword(
    keyword: &str,
    ours: Json,
    theirs: Json,
    own: &[String],
    pointer: &str,
) -> Result<Json, SchemaError> {
    let contradiction = || {
        let message = format!("the members of `allOf` disagree on `{keyword}`");
        SchemaError::new(CONTRADICTION, pointer, message)
    };
    let number = |value: &Json| value.as_f64().ok_or_else(contradiction);
    match keyword {
        "title" | "description" => Ok(ours),
        _ if keywords::is_annotation(keyword) => Ok(ours),
        "minimum" | "exclusiveMinimum" | "minLength" | "minItems" => {
            Ok(if number(&ours)? >= number(&theirs)? { ours } else { theirs })
        }
        "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" => {
            Ok(if number(&ours)? <= number(&theirs)? { ours } else { theirs })
        }
        // Not expressed in types, so it does not matter which one is kept: both are checked at the boundary.
        _ if keywords::is_boundary(keyword) => Ok(ours),
        "prefixItems" | "additionalItems" | "unevaluatedItems" | "unevaluatedProperties" => Ok(ours),
        // Either has all the values of both; the last word is that of the schema that extends the other.
        "oneOf" | "anyOf" => Ok(if own.iter().any(|own| own == keyword) { ours } else { theirs }),
        "format" if !keywords::is_mapped_format(&ours) && !keywords::is_mapped_format(&theirs) => Ok(ours),
        "x-extensible" => Ok(Json::Bool(ours == Json::Bool(true) && theirs == Json::Bool(true))),
        "nullable" => Ok(Json::Bool(false)),
        "required" => match (ours, theirs) {
            (Json::Array(mut ours), Json::Array(theirs)) => {
                let known: BTreeSet<String> =
                    ours.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
                let is_new = |name: &Json| name.as_str().is_none_or(|name| !known.contains(name));
                ours.extend(theirs.into_iter().filter(is_new));
                Ok(Json::Array(ours))
            }
            _ => Err(contradiction()),
        },
        "enum" => match (ours, theirs) {
            (Json::Array(mut ours), Json::Array(theirs)) => {
                let theirs: BTreeSet<String> = theirs.iter().map(Json::to_string).collect();
                ours.retain(|value| theirs.contains(&value.to_string()));
                Ok(Json::Array(ours))
            }
            _ => Err(contradiction()),
        },
        "type" => merge_types(&ours, &theirs).ok_or_else(contradiction),
        "properties" | "patternProperties" => match (ours, theirs) {
            (Json::Object(mut ours), Json::Object(theirs)) => {
                for (name, theirs) in theirs {
                    match ours.get_mut(&name) {
                        None => drop(ours.insert(name, theirs)),
                        Some(ours) if *ours == theirs => {}
                        Some(ours) => *ours = both(std::mem::take(ours), theirs),
                    }
                }
                Ok(Json::Object(ours))
            }
            _ => Err(contradiction()),
        },
        // Answers are read open, so closing one part says nothing about the others.
        "additionalProperties" if ours.is_boolean() => Ok(theirs),
        "additionalProperties" if theirs.is_boolean() => Ok(ours),
        "items" | "additionalProperties" => Ok(both(ours, theirs)),
        _ => Err(contradiction()),
    }
}

/// The types that both admit; `None` where there is none.
fn merge_types(ours: &Json, theirs: &Json) -> Option<Json> {
    let names = |value: &Json| -> Vec<String> {
        match value {
            Json::Array(names) => names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
            other => other.as_str().map(str::to_owned).into_iter().collect(),
        }
    };
    let theirs = names(theirs);
    let admits = |name: &str| theirs.iter().any(|other| other == name);
    let common: Vec<Json> = names(ours)
        .into_iter()
        .filter_map(|name| match name.as_str() {
            "number" if !admits("number") && admits("integer") => Some("integer".into()),
            "integer" if admits("number") => Some(name.into()),
            other => admits(other).then(|| Json::from(other)),
        })
        .collect();
    match common.as_slice() {
        [] => None,
        [only] => Some(only.clone()),
        _ => Some(Json::Array(common)),
    }
}
