//! The arguments of an operation in the one form of entries: an object whose properties are all of them.

use std::collections::BTreeMap;

use schema::operation::{
    Auth, ParameterLocation, ParameterStyle, PathPart, RequestBody, encoded_path, path_parts,
};
use serde_json::{Map, Value as Json, json};

use super::{Locations, Notes, files};
use crate::error::{Error, shown};
use crate::media::{Media, is_plain_json};
use crate::request::{BODY, Location, Request};
use crate::secrets::is_secret;

/// The property that switches streaming on, in every API that is shaped like OpenAI's.
const STREAM: &str = "stream";

/// What may stand in a schema whose properties become arguments of their own: all else says something of the object
/// as a whole, so it stays one.
const PLAIN: [&str; 8] =
    ["type", "properties", "required", "title", "description", "additionalProperties", "example", "examples"];

/// Arguments as an entry has them.
pub(crate) struct Arguments {
    /// JSON Schema of all of them.
    pub(crate) input: Json,
    /// Where those go that are not in the body.
    pub(crate) parameters: Locations,
    /// Properties of the body that are always the same.
    pub(crate) fixed_body: BTreeMap<String, Json>,
    /// How lists and objects are written.
    pub(crate) styles: BTreeMap<String, ParameterStyle>,
    /// Media type of a JSON body that is not plain JSON.
    pub(crate) media_type: Option<String>,
    /// Form of the body, or the name of one that a binding of HTTP cannot say.
    pub(crate) body: Result<RequestBody, &'static str>,
}

impl Arguments {
    pub(crate) fn of(request: &Request, auth: &Auth, notes: &mut Notes) -> Self {
        let mut input = flat(&request.contract.schema, &request.locations);
        let mut body = form_of(request, &input, notes);
        let mut parameters = Locations::new();
        for (name, location) in &request.locations {
            match location {
                Location::Path => drop(parameters.insert(name.clone(), ParameterLocation::Path)),
                Location::Query | Location::Header
                    if *auth == Auth::None && is_secret(name) && !is_required(&input, name) =>
                {
                    without(&mut input, name);
                    notes.left_out("input", format!("the optional `{}`, by its name a key", shown(name)));
                }
                Location::Query if is_of(auth, name, false) => without(&mut input, name),
                Location::Query => drop(parameters.insert(name.clone(), ParameterLocation::Query)),
                Location::Header if is_of(auth, name, true) => without(&mut input, name),
                Location::Header => drop(parameters.insert(name.clone(), ParameterLocation::Header)),
                Location::Cookie if is_required(&input, name) => body = Err("cookie parameters"),
                Location::Cookie => {
                    without(&mut input, name);
                    notes.left_out("input", format!("the optional cookie `{}`", shown(name)));
                }
                Location::Body => {}
            }
        }
        for name in names_of(&input).filter(|name| is_secret(name)) {
            notes.guessed(
                "input",
                format!(
                    "`{}` is a plain argument, though named like a secret: proofs show what is given for it",
                    shown(name)
                ),
            );
        }
        let mut fixed_body = BTreeMap::new();
        let is_in_body = request.locations.get(STREAM) == Some(&Location::Body) && !request.whole_body;
        if is_in_body && body == Ok(RequestBody::Json) && is_flag(input.pointer("/properties/stream")) {
            without(&mut input, STREAM);
            fixed_body.insert(STREAM.to_owned(), Json::Bool(false));
            notes.guessed("fixed_body", "`stream` is false: a plan reads whole answers");
        }
        let styles = request.styles.iter().filter(|(name, _)| names_of(&input).any(|own| own == *name));
        let styles = styles.map(|(name, style)| (name.clone(), *style)).collect();
        let is_json = matches!(body, Ok(RequestBody::Json | RequestBody::Whole { .. }));
        let of_vendor = |media_type: &&String| {
            is_json && Media::of(media_type) == Media::Json && !is_plain_json(media_type)
        };
        let media_type = request.media_type.as_ref().filter(of_vendor).map(|text| text.trim().to_owned());
        Self { input, parameters, styles, fixed_body, media_type, body }
    }
}

/// The template of a path as requests are sent there: what no URL has is percent-encoded.
///
/// # Errors
/// Where none can be, or path and parameters disagree.
pub(crate) fn sent_path(path: &str, parameters: &Locations, at: &str) -> Result<String, Error> {
    let wrong = |what: String| Err(Error::malformed(at, what));
    let sent = encoded_path(path);
    let parts = match path_parts(&sent) {
        Ok(parts) => parts,
        Err(why) => return wrong(format!("the path `{}` {why}", shown(path))),
    };
    let named = |part: PathPart| match part {
        PathPart::Parameter(name) => Some(name),
        PathPart::Literal(_) => None,
    };
    let named: Vec<String> = parts.into_iter().filter_map(named).collect();
    for name in &named {
        if parameters.get(name) != Some(&ParameterLocation::Path) {
            return wrong(format!("the path has `{{{}}}`, and no parameter is called so", shown(name)));
        }
    }
    let in_path = parameters.iter().filter(|(_, location)| **location == ParameterLocation::Path);
    for (name, _) in in_path {
        if !named.contains(name) {
            return wrong(format!("the parameter `{}` has no place in the path", shown(name)));
        }
    }
    Ok(sent)
}

/// The form of the body, or the name of one that a binding cannot say.
fn form_of(request: &Request, input: &Json, notes: &mut Notes) -> Result<RequestBody, &'static str> {
    let Some(media_type) = request.media_type.as_deref() else { return Ok(RequestBody::Json) };
    let is_multipart = media_type.trim_start().to_ascii_lowercase().starts_with("multipart/");
    let mut in_body = request.locations.iter().filter(|(_, location)| **location == Location::Body);
    match (Media::of(media_type), in_body.next()) {
        (Media::Json | Media::Any, _) if request.whole_body => {
            Ok(RequestBody::Whole { parameter: BODY.into() })
        }
        (Media::Json | Media::Any, _) => Ok(RequestBody::Json),
        (Media::Form, _) if request.whole_body => Err("form without names"),
        (Media::Form, _) if is_multipart => {
            Ok(RequestBody::Multipart { media_types: files::media_types(request, input, notes) })
        }
        (Media::Form, _) => Ok(RequestBody::Form),
        (Media::Text | Media::Octets, Some((parameter, _))) => {
            Ok(RequestBody::Raw { parameter: parameter.clone(), media_type: media_type.trim().to_owned() })
        }
        (Media::Text | Media::Octets, None) => Err("body without a name"),
        (Media::Stream, _) => Err("stream body"),
    }
}

/// Whether the parameter is the one that holds the key; keys are no arguments.
fn is_of(auth: &Auth, name: &str, in_header: bool) -> bool {
    match auth {
        Auth::Header { name: own, .. } => in_header && own.eq_ignore_ascii_case(name),
        Auth::Headers { headers } => in_header && headers.keys().any(|own| own.eq_ignore_ascii_case(name)),
        Auth::Query { name: own } => !in_header && own == name,
        _ => false,
    }
}

fn is_required(input: &Json, name: &str) -> bool {
    let required = input.get("required").and_then(Json::as_array);
    required.is_some_and(|required| required.iter().any(|own| own == name))
}

/// The names of all arguments.
fn names_of(input: &Json) -> impl Iterator<Item = &String> {
    input.get("properties").and_then(Json::as_object).into_iter().flat_map(Map::keys)
}

fn is_flag(schema: Option<&Json>) -> bool {
    let Some(schema) = schema else { return false };
    let is_boolean = |schema: &Json| match schema.get("type") {
        Some(Json::Array(types)) => types.iter().any(|ty| ty == "boolean"),
        ty => ty.is_some_and(|ty| ty == "boolean"),
    };
    let parts = ["anyOf", "oneOf"].iter().find_map(|keyword| schema.get(keyword)?.as_array());
    is_boolean(schema) || parts.is_some_and(|parts| parts.iter().any(is_boolean))
}

/// Removes a property.
fn without(input: &mut Json, name: &str) {
    if let Some(Json::Object(properties)) = input.get_mut("properties") {
        properties.shift_remove(name);
    }
    if let Some(Json::Array(required)) = input.get_mut("required") {
        required.retain(|own| own != name);
    }
}

/// The arguments as one object that names them all in its `properties`.
fn flat(schema: &Json, locations: &BTreeMap<String, Location>) -> Json {
    let mut input = schema.clone();
    let body = input.pointer("/allOf/0").map(|body| resolved(&input, body).clone());
    if let (Some(body), Some(members)) = (body, input.as_object_mut()) {
        match body.as_object().filter(|body| is_plain(body)) {
            Some(body) => {
                members.shift_remove("allOf");
                merge(members, body);
                drop_unused(&mut input);
            }
            // What the object as a whole demands stays beside the names.
            None => {
                let names = locations.iter().filter(|(_, location)| **location == Location::Body);
                if let Some(Json::Object(properties)) = members.get_mut("properties") {
                    for (name, _) in names {
                        properties.entry(name.clone()).or_insert_with(|| json!({}));
                    }
                }
            }
        }
    }
    if input.get("required").and_then(Json::as_array).is_some_and(Vec::is_empty)
        && let Some(members) = input.as_object_mut()
    {
        members.shift_remove("required");
    }
    input
}

fn is_plain(body: &Map<String, Json>) -> bool {
    body.keys().all(|key| PLAIN.contains(&key.as_str()) || key.starts_with("x-"))
}

/// What a reference to the schema's own definitions stands for.
pub(super) fn resolved<'a>(document: &'a Json, mut schema: &'a Json) -> &'a Json {
    // As many as the document has definitions, so that a circle ends.
    let hops = document.get("$defs").and_then(Json::as_object).map_or(0, Map::len);
    for _ in 0..hops {
        let target = schema.get("$ref").and_then(Json::as_str).filter(|_| schema.get("properties").is_none());
        let pointer = target.and_then(|target| target.strip_prefix('#'));
        match pointer.and_then(|pointer| document.pointer(pointer)) {
            Some(found) => schema = found,
            None => break,
        }
    }
    schema
}

fn merge(members: &mut Map<String, Json>, body: &Map<String, Json>) {
    for (key, value) in body {
        match (key.as_str(), members.get_mut(key), value) {
            ("properties", Some(Json::Object(own)), Json::Object(more)) => {
                own.extend(more.iter().map(|(name, schema)| (name.clone(), schema.clone())));
            }
            ("required", Some(Json::Array(own)), Json::Array(more)) => own.extend(more.iter().cloned()),
            ("properties" | "required" | "additionalProperties", None, value) => {
                members.insert(key.clone(), value.clone());
            }
            _ => {}
        }
    }
}

/// Drops definitions that nothing refers to any more.
fn drop_unused(input: &mut Json) {
    let text = input.to_string();
    let Some(Json::Object(definitions)) = input.get_mut("$defs") else { return };
    definitions.retain(|name, _| text.contains(&format!("\"#/$defs/{name}\"")));
    if definitions.is_empty()
        && let Some(members) = input.as_object_mut()
    {
        members.shift_remove("$defs");
    }
}
