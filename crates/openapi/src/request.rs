//! What an operation takes: one set of named arguments out of parameters and body.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::bundle::{Bundle, Contract};
use crate::dialect::{Dialect, Direction};
use crate::document::{Document, Operation, below, object};
use crate::error::{Error, NO_FORM, SAME_NAME, shown};
use crate::media::Media;
use crate::parameters::Parameter;

/// The argument that is a body which is no object of named fields.
const BODY: &str = "body";

/// Levels of `allOf` and references that a body is looked into for its fields.
const BODY_DEPTH_MAX: usize = 32;

/// Where an argument goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// A segment of the path.
    Path,
    /// The query string.
    Query,
    /// A header.
    Header,
    /// A cookie.
    Cookie,
    /// The body: a field of it, or all of it where [`Request::whole_body`] says so.
    Body,
}

/// What an operation takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// One object whose properties are the arguments.
    pub contract: Contract,
    /// Where each argument goes.
    pub locations: BTreeMap<String, Location>,
    /// Media type of the body, where there is one.
    pub media_type: Option<String>,
    /// Whether the argument `body` is the body itself, rather than the arguments its fields.
    pub whole_body: bool,
}

/// The body of a request.
struct Body {
    media_type: String,
    schema: Json,
    at: String,
    required: bool,
}

impl Document {
    /// The arguments of an operation.
    ///
    /// # Errors
    /// [`Error`] where a part of it has the wrong form or refers to nothing, two arguments have one name, or the
    /// body has no form that a plan could write.
    pub fn request(&self, operation: &Operation) -> Result<Request, Error> {
        if !operation.path.starts_with('/') {
            let message = format!("the path `{}` does not start with `/`", shown(&operation.path));
            return Err(Error::malformed(&operation.item, message));
        }
        let mut bundle = Bundle::new(self, Direction::Input);
        let mut arguments = Arguments::default();
        let (bodies, parameters): (Vec<_>, Vec<_>) = self
            .parameters(operation)?
            .into_iter()
            .partition(|parameter| parameter.location == Location::Body);
        for parameter in &parameters {
            let schema = bundle.schema(&parameter.schema, &parameter.at)?;
            arguments.add(parameter, schema)?;
        }
        let body = match self.dialect {
            Dialect::Swagger2 => self.swagger_body(operation, bodies)?,
            _ => self.body(operation)?,
        };
        let mut whole_body = false;
        let mut rest = None;
        let media_type = body.as_ref().map(|body| body.media_type.clone());
        if let Some(body) = body {
            match self.fields(&body.schema, &body.at, BODY_DEPTH_MAX)? {
                Some(fields) if !fields.is_empty() => {
                    for (name, at) in &fields {
                        arguments.take(name, Location::Body, at)?;
                    }
                    // An optional body with required fields is taken to be given: hardly any document says
                    // `required` of its bodies, and all of them mean it.
                    let schema = bundle.schema(&body.schema, &body.at)?;
                    rest = Some((schema, fields));
                }
                _ => {
                    let schema = bundle.schema(&body.schema, &body.at)?;
                    let parameter = Parameter {
                        name: BODY.into(),
                        location: Location::Body,
                        required: body.required,
                        schema: Json::Null,
                        doc: String::new(),
                        at: body.at,
                        whole_body: true,
                    };
                    arguments.add(&parameter, schema)?;
                    whole_body = true;
                }
            }
        }
        let Arguments { properties, required, locations, places } = arguments;
        let mut schema = json!({ "type": "object", "properties": properties, "required": required });
        let mut field_places = Vec::new();
        if let (Some((body, fields)), Some(members)) = (rest, schema.as_object_mut()) {
            members.insert("allOf".into(), json!([body]));
            field_places = fields;
        }
        let mut contract = bundle.close(schema, operation.at.clone())?;
        for (name, at) in places.into_iter().chain(field_places) {
            contract.note_property(&name, at);
        }
        Ok(Request { contract, locations, media_type, whole_body })
    }

    fn body(&self, operation: &Operation) -> Result<Option<Body>, Error> {
        let Some(body) = self.members(operation)?.get("requestBody") else { return Ok(None) };
        let (body, at) = self.follow(body, below(&operation.at, "requestBody"))?;
        let required = body.get("required") == Some(&Json::Bool(true));
        let content_at = below(&at, "content");
        let Some(content) = body.get("content") else {
            return Err(Error::malformed(at, "the body has no `content`"));
        };
        let content = object(content, &content_at, "`content`")?;
        let Some((media, media_type, value)) = Media::best(content) else { return Ok(None) };
        let media_at = below(&content_at, media_type);
        let media_type = media_type.to_owned();
        let (value, media_at) = self.follow(value, media_at)?;
        let schema = value.get("schema");
        let at = below(&media_at, "schema");
        let schema = match (media.settled(schema), schema) {
            (Media::Json | Media::Form | Media::Any, Some(schema)) => schema.clone(),
            (Media::Json | Media::Form | Media::Any, None) => Json::Bool(true),
            (Media::Text, _) => json!({ "type": "string" }),
            (Media::Octets, _) => json!({ "type": "string", "format": "binary" }),
            (Media::Stream, _) => {
                let message = format!("a body of `{}` is a stream, which no plan sends", shown(&media_type));
                return Err(Error::new(NO_FORM, media_at, message));
            }
        };
        Ok(Some(Body { media_type, schema, at, required }))
    }

    /// The body of Swagger 2.0: one parameter, or one for each field of a form.
    fn swagger_body(&self, operation: &Operation, bodies: Vec<Parameter>) -> Result<Option<Body>, Error> {
        let consumes = self.members(operation)?.get("consumes").or_else(|| self.root.get("consumes"));
        let media_type = |fallback: &str| {
            let first = consumes.and_then(Json::as_array).and_then(|types| types.first());
            first.and_then(Json::as_str).unwrap_or(fallback).to_owned()
        };
        let whole = bodies.iter().position(|parameter| parameter.whole_body);
        if let (Some(_), true) = (whole, bodies.len() > 1) {
            let message = "the operation has a parameter that is the body, and another body beside it";
            return Err(Error::malformed(&operation.at, message));
        }
        let Some(first) = bodies.first() else { return Ok(None) };
        if whole.is_some() {
            return Ok(Some(Body {
                media_type: media_type("application/json"),
                schema: first.schema.clone(),
                at: first.at.clone(),
                required: first.required,
            }));
        }
        let required: Vec<&str> = bodies.iter().filter(|p| p.required).map(|p| p.name.as_str()).collect();
        let properties: Map<String, Json> =
            bodies.iter().map(|field| (field.name.clone(), field.schema.clone())).collect();
        Ok(Some(Body {
            media_type: media_type("application/x-www-form-urlencoded"),
            schema: json!({ "type": "object", "properties": properties, "required": required }),
            at: below(&operation.at, "parameters"),
            required: true,
        }))
    }

    /// Names and places of the fields of an object; `None` where the schema is not one object with named fields.
    fn fields(&self, schema: &Json, at: &str, depth: usize) -> Result<Option<Vec<(String, String)>>, Error> {
        let Some(depth) = depth.checked_sub(1) else { return Ok(None) };
        let mut members = match schema.as_object() {
            Some(members) => members.clone(),
            None => return Ok(None),
        };
        self.dialect.modern(&mut members, Direction::Input);
        let choice =
            ["oneOf", "anyOf"].iter().any(|keyword| members.get(*keyword).is_some_and(|p| !narrows(p)));
        let is_object = members.get("type").is_none_or(|ty| ty == "object");
        if choice || !is_object || members.contains_key("enum") || members.contains_key("const") {
            return Ok(None);
        }
        let mut fields = Vec::new();
        let mut add = |more: Vec<(String, String)>| {
            for (name, at) in more {
                if !fields.iter().any(|(known, _)| *known == name) {
                    fields.push((name, at));
                }
            }
        };
        if let Some(Json::Object(properties)) = members.get("properties") {
            let at = below(at, "properties");
            add(properties.keys().map(|name| (name.clone(), below(&at, name))).collect());
        }
        if let Some(Json::Array(required)) = members.get("required") {
            let names = required.iter().filter_map(Json::as_str);
            add(names.map(|name| (name.to_owned(), below(at, "required"))).collect());
        }
        if let Some(Json::String(target)) = members.get("$ref") {
            let pointer = crate::document::local(target, at)?;
            let schema = self.resolve(&pointer, at)?;
            match self.fields(schema, &pointer, depth)? {
                Some(more) => add(more),
                None => return Ok(None),
            }
        }
        if let Some(Json::Array(parts)) = members.get("allOf") {
            for (place, part) in parts.iter().enumerate() {
                match self.fields(part, &format!("{at}/allOf/{place}"), depth)? {
                    Some(more) => add(more),
                    None => return Ok(None),
                }
            }
        }
        Ok(Some(fields))
    }
}

/// Whether a union only says which fields must be given together; the peer checks that.
fn narrows(parts: &Json) -> bool {
    let only_required =
        |part: &Json| part.as_object().is_some_and(|members| members.keys().all(|key| key == "required"));
    parts.as_array().is_some_and(|parts| parts.iter().all(only_required))
}

/// The arguments so far.
#[derive(Default)]
struct Arguments {
    properties: Map<String, Json>,
    required: Vec<String>,
    locations: BTreeMap<String, Location>,
    places: Vec<(String, String)>,
}

impl Arguments {
    fn add(&mut self, parameter: &Parameter, mut schema: Json) -> Result<(), Error> {
        self.take(&parameter.name, parameter.location, &parameter.at)?;
        if let (Some(members), false) = (schema.as_object_mut(), parameter.doc.is_empty()) {
            members.entry("description").or_insert_with(|| parameter.doc.as_str().into());
        }
        self.properties.insert(parameter.name.clone(), schema);
        if parameter.required {
            self.required.push(parameter.name.clone());
        }
        self.places.push((parameter.name.clone(), parameter.at.clone()));
        Ok(())
    }

    fn take(&mut self, name: &str, location: Location, at: &str) -> Result<(), Error> {
        if self.locations.insert(name.to_owned(), location).is_none() {
            return Ok(());
        }
        let message =
            format!("two parameters are called `{}`, and a call names each by its name", shown(name));
        Err(Error::new(SAME_NAME, at, message))
    }
}
