//! What an operation takes: one set of named arguments out of parameters and body.

use std::collections::BTreeMap;

use schema::operation::ParameterStyle;
use serde_json::{Map, Value as Json, json};

use crate::bundle::{Bundle, Contract};
use crate::dialect::{Dialect, Direction};
use crate::document::{Document, Operation, below, object};
use crate::error::{Error, NO_FORM, SAME_NAME, shown};
use crate::import::{Note, Notes};
use crate::media::{Media, is_plain_json};
use crate::parameters::Parameter;

/// The argument that is a body which is no object of named fields.
pub(crate) const BODY: &str = "body";

const URLENCODED: &str = "application/x-www-form-urlencoded";

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
    /// How lists and objects are written, of arguments outside a JSON body where that is not the common way.
    pub styles: BTreeMap<String, ParameterStyle>,
    /// Media type of the body, where there is one.
    pub media_type: Option<String>,
    /// Media types of fields of a form, as the document says them.
    pub field_types: BTreeMap<String, String>,
    /// Whether the argument `body` is the body itself, rather than the arguments its fields.
    pub whole_body: bool,
    /// What was left out, and chosen.
    pub notes: Vec<Note>,
}

/// The body of a request.
struct Body {
    media_type: String,
    schema: Json,
    at: String,
    required: bool,
    /// Its `encoding`, by field, with the place of it.
    encoding: Map<String, Json>,
    encoding_at: String,
    /// Styles of fields that are parameters of their own in the document.
    styles: BTreeMap<String, ParameterStyle>,
}

impl Body {
    fn new(media_type: String, schema: Json, at: String, required: bool) -> Self {
        let (encoding, encoding_at, styles) = (Map::new(), String::new(), BTreeMap::new());
        Self { media_type, schema, at, required, encoding, encoding_at, styles }
    }

    /// Whether its fields are sent as parts of a form, files among them.
    fn has_parts(&self) -> bool {
        Media::of(&self.media_type) == Media::Form
            && self.media_type.trim_start().to_ascii_lowercase().starts_with("multipart/")
    }
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
        let mut notes = Notes::default();
        let (bodies, parameters): (Vec<_>, Vec<_>) = self
            .parameters(operation, &mut notes)?
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
        let mut field_types = BTreeMap::new();
        let mut whole_body = false;
        let mut rest = None;
        let media_type = body.as_ref().map(|body| body.media_type.clone());
        if let Some(body) = body {
            bundle.reads_files(body.has_parts());
            let is_json = matches!(Media::of(&body.media_type), Media::Json | Media::Any);
            match self.fields(&body.schema, &body.at, BODY_DEPTH_MAX)? {
                // A field that is called as a parameter is, as in `PUT /items/{id}`, has a place within `body` only.
                Some(fields) if is_json && fields.iter().any(|(name, _)| arguments.has(name)) => {
                    notes.chosen(
                        "input",
                        "the body is one argument, `body`: a field of it is called as a parameter is",
                    );
                    arguments.whole(&mut bundle, body)?;
                    whole_body = true;
                }
                // Nor has one without a name anywhere else.
                Some(fields) if is_json && fields.iter().any(|(name, _)| name.trim().is_empty()) => {
                    notes.chosen("input", "the body is one argument, `body`: a field of it has no name");
                    arguments.whole(&mut bundle, body)?;
                    whole_body = true;
                }
                Some(fields) if !fields.is_empty() => {
                    if let Some((_, at)) = fields.iter().find(|(name, _)| name.trim().is_empty()) {
                        return Err(Error::new(NO_FORM, at, "a field of the form has no name"));
                    }
                    field_types = self.field_types(&body, &mut arguments, &mut notes)?;
                    for (name, at) in &fields {
                        arguments.take(name, Location::Body, at)?;
                    }
                    // An optional body with required fields is taken to be given: hardly any document says
                    // `required` of its bodies, and all of them mean it.
                    let schema = bundle.schema(&body.schema, &body.at)?;
                    rest = Some((schema, fields));
                }
                _ => {
                    arguments.whole(&mut bundle, body)?;
                    whole_body = true;
                }
            }
        }
        let Arguments { properties, required, locations, styles, places } = arguments;
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
        Ok(Request { contract, locations, styles, media_type, field_types, whole_body, notes: notes.0 })
    }

    /// Media types of fields by `encoding`; styles go to the arguments.
    fn field_types(
        &self,
        body: &Body,
        arguments: &mut Arguments,
        notes: &mut Notes,
    ) -> Result<BTreeMap<String, String>, Error> {
        let mut types = BTreeMap::new();
        arguments.styles.extend(body.styles.clone());
        if Media::of(&body.media_type) != Media::Form {
            return Ok(types);
        }
        for (name, encoding) in &body.encoding {
            let at = below(&body.encoding_at, name);
            let encoding = object(encoding, &at, "the encoding of a field")?;
            if let Some(text) = encoding.get("contentType").and_then(Json::as_str) {
                types.insert(name.clone(), text.to_owned());
            }
            if encoding.contains_key("headers") {
                notes.left_out("input", format!("the headers of the part `{}`", shown(name)));
            }
            let (schema, _) = self.follow(&body.schema, body.at.clone())?;
            let schema = schema.pointer(&below("/properties", name)).cloned().unwrap_or_default();
            if let Some(style) = self.style_of_field(encoding, &schema, &at)? {
                arguments.styles.insert(name.clone(), style);
            }
        }
        Ok(types)
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
        let encoding = value.get("encoding").and_then(Json::as_object).cloned().unwrap_or_default();
        let encoding_at = below(&media_at, "encoding");
        Ok(Some(Body { encoding, encoding_at, ..Body::new(media_type, schema, at, required) }))
    }

    /// The body of Swagger 2.0: one parameter, or one for each field of a form.
    fn swagger_body(&self, operation: &Operation, bodies: Vec<Parameter>) -> Result<Option<Body>, Error> {
        let consumes = self.members(operation)?.get("consumes").or_else(|| self.root.get("consumes"));
        let types: Vec<&str> =
            consumes.and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect();
        let whole = bodies.iter().position(|parameter| parameter.whole_body);
        if let (Some(_), true) = (whole, bodies.len() > 1) {
            let message = "the operation has a parameter that is the body, and another body beside it";
            return Err(Error::malformed(&operation.at, message));
        }
        let Some(first) = bodies.first() else { return Ok(None) };
        if whole.is_some() {
            let best = types.iter().min_by_key(|name| (Media::of(name), !is_plain_json(name)));
            let media_type = best.copied().unwrap_or("application/json").to_owned();
            let schema = match Media::of(&media_type).settled(Some(&first.schema)) {
                Media::Json | Media::Form | Media::Any => first.schema.clone(),
                Media::Text => json!({ "type": "string" }),
                Media::Octets => json!({ "type": "string", "format": "binary" }),
                Media::Stream => {
                    let message =
                        format!("a body of `{}` is a stream, which no plan sends", shown(&media_type));
                    return Err(Error::new(NO_FORM, &first.at, message));
                }
            };
            return Ok(Some(Body::new(media_type, schema, first.at.clone(), first.required)));
        }
        // Fields of a form are one, whatever the whole document consumes; with a file among them it has parts.
        let has_file = bodies.iter().any(|field| field.schema.get("type").is_some_and(|ty| ty == "file"));
        let says = |wanted: &str| types.iter().any(|name| name.trim().starts_with(wanted));
        let is_parts = has_file || (says("multipart/form-data") && !says(URLENCODED));
        let media_type = if is_parts { "multipart/form-data" } else { URLENCODED };
        let required: Vec<&str> = bodies.iter().filter(|p| p.required).map(|p| p.name.as_str()).collect();
        let properties: Map<String, Json> =
            bodies.iter().map(|field| (field.name.clone(), field.schema.clone())).collect();
        let styles = bodies.iter().filter_map(|field| Some((field.name.clone(), field.style?))).collect();
        let schema = json!({ "type": "object", "properties": properties, "required": required });
        let at = below(&operation.at, "parameters");
        Ok(Some(Body { styles, ..Body::new(media_type.to_owned(), schema, at, true) }))
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
    styles: BTreeMap<String, ParameterStyle>,
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
        if let Some(style) = parameter.style {
            self.styles.insert(parameter.name.clone(), style);
        }
        if parameter.required {
            self.required.push(parameter.name.clone());
        }
        self.places.push((parameter.name.clone(), parameter.at.clone()));
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.locations.contains_key(name)
    }

    /// Adds a body that is one argument.
    fn whole(&mut self, bundle: &mut Bundle<'_>, body: Body) -> Result<(), Error> {
        let schema = bundle.schema(&body.schema, &body.at)?;
        let parameter = Parameter {
            name: BODY.into(),
            location: Location::Body,
            required: body.required,
            style: None,
            schema: Json::Null,
            doc: String::new(),
            at: body.at,
            whole_body: true,
        };
        self.add(&parameter, schema)
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
