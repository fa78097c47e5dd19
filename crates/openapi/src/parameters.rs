//! Parameters of path, query, header and cookie.

use schema::operation::{ParameterStyle, TRANSPORT_HEADERS};
use serde_json::{Map, Value as Json};

use crate::dialect::Dialect;
use crate::document::{Document, Operation, below, object};
use crate::error::{Error, NO_FORM, shown};
use crate::import::Notes;
use crate::request::Location;

/// Headers that OpenAPI itself tells readers to ignore among parameters: body, answer and security say them.
const IGNORED: [&str; 3] = ["accept", "authorization", "content-type"];
/// Headers that the transport writes, with what a service that asks for them wants.
const SENT_ANYWAY: [&str; 4] = ["content-length", "host", "user-agent", "x-request-id"];

/// What a Swagger 2.0 parameter says beside its schema.
const BESIDE_THE_SCHEMA: [&str; 6] =
    ["allowEmptyValue", "collectionFormat", "in", "name", "required", "description"];

/// One parameter.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) location: Location,
    pub(crate) required: bool,
    pub(crate) schema: Json,
    pub(crate) doc: String,
    /// Where the schema stands.
    pub(crate) at: String,
    /// How its lists and objects are written, where that is not the common way.
    pub(crate) style: Option<ParameterStyle>,
    /// Whether it is the whole body (`in: body` of Swagger 2.0).
    pub(crate) whole_body: bool,
}

impl Document {
    /// The parameters of an operation: those of its path first, then its own, which replace one of the same name
    /// and place.
    pub(crate) fn parameters(
        &self,
        operation: &Operation,
        notes: &mut Notes,
    ) -> Result<Vec<Parameter>, Error> {
        let mut parameters: Vec<Parameter> = Vec::new();
        for at in [&operation.item, &operation.at] {
            let own_from = parameters.len();
            let Some(list) = self.resolve(at, at)?.get("parameters") else { continue };
            let at = below(at, "parameters");
            let list = list.as_array().ok_or_else(|| Error::malformed(&at, "`parameters` is a list"))?;
            for (place, parameter) in list.iter().enumerate() {
                let (parameter, at) = self.follow(parameter, format!("{at}/{place}"))?;
                let Some(parameter) = self.parameter(parameter, &at, notes)? else { continue };
                let same = |known: &Parameter| {
                    known.name == parameter.name
                        && known.location == parameter.location
                        && known.whole_body == parameter.whole_body
                };
                match parameters.iter().position(same) {
                    Some(known) if known >= own_from => {
                        let message =
                            format!("the parameter `{}` stands there twice", shown(&parameter.name));
                        return Err(Error::malformed(at, message));
                    }
                    Some(known) => {
                        if let Some(slot) = parameters.get_mut(known) {
                            *slot = parameter;
                        }
                    }
                    None => parameters.push(parameter),
                }
            }
        }
        Ok(parameters)
    }

    /// The names of all parameters of query and header that can be a text, with whether it is a header and whether it
    /// must be given; those too that the transport writes.
    pub(crate) fn named_parameters(&self, operation: &Operation) -> Result<Vec<(String, bool, bool)>, Error> {
        let mut names = Vec::new();
        for at in [&operation.item, &operation.at] {
            let list = self.resolve(at, at)?.get("parameters").and_then(Json::as_array);
            for parameter in list.into_iter().flatten() {
                let (parameter, _) = self.follow(parameter, at.clone())?;
                let text = |key: &str| parameter.get(key).and_then(Json::as_str);
                let required = parameter.get("required") == Some(&Json::Bool(true));
                let ty = parameter.get("schema").unwrap_or(parameter).get("type").and_then(Json::as_str);
                if ty.is_some_and(|ty| ty != "string") {
                    continue;
                }
                match (text("name"), text("in")) {
                    (Some(name), Some("header")) => names.push((name.to_owned(), true, required)),
                    (Some(name), Some("query")) => names.push((name.to_owned(), false, required)),
                    _ => {}
                }
            }
        }
        Ok(names)
    }

    /// A parameter; `None` for one that is left out.
    fn parameter(&self, node: &Json, at: &str, notes: &mut Notes) -> Result<Option<Parameter>, Error> {
        let members = object(node, at, "a parameter")?;
        let text = |key: &str| members.get(key).and_then(Json::as_str);
        let name = text("name").ok_or_else(|| Error::malformed(at, "the parameter has no `name`"))?;
        if name.trim().is_empty() && text("in") != Some("body") {
            if is_required(members) {
                let message = "the `name` of a parameter that must be given is empty";
                return Err(Error::malformed(below(at, "name"), message));
            }
            notes.left_out("input", "an optional parameter whose `name` is empty");
            return Ok(None);
        }
        let location = match (text("in"), self.dialect) {
            (Some("path"), _) => Location::Path,
            (Some("query" | "querystring"), _) => Location::Query,
            (Some("header"), _) => Location::Header,
            (Some("cookie"), _) => Location::Cookie,
            (Some("body" | "formData"), Dialect::Swagger2) => Location::Body,
            (Some(other), _) => {
                let message = format!("a parameter in `{}` is not known", shown(other));
                return Err(Error::malformed(at, message));
            }
            (None, _) => return Err(Error::malformed(at, "the parameter does not say what it is `in`")),
        };
        let required = is_required(members);
        let header = name.to_ascii_lowercase();
        if location == Location::Header && TRANSPORT_HEADERS.contains(&header.as_str()) {
            return match header.as_str() {
                header if IGNORED.contains(&header) => Ok(None),
                header if required && !SENT_ANYWAY.contains(&header) => {
                    let message =
                        format!("the header `{}` must be given, and no parameter can be it", shown(name));
                    Err(Error::new(NO_FORM, at, message))
                }
                _ => {
                    let text = format!("the header `{}`, which the transport writes by itself", shown(name));
                    notes.left_out("input", text);
                    Ok(None)
                }
            };
        }
        if location == Location::Header && !is_header_name(name) {
            if required {
                let message =
                    format!("the header `{}` must be given, and no header can be called so", shown(name));
                return Err(Error::malformed(below(at, "name"), message));
            }
            notes.left_out(
                "input",
                format!("the optional header `{}`: no header can be called so", shown(name)),
            );
            return Ok(None);
        }
        let (schema, schema_at) = self.schema_of_parameter(members, at)?;
        let style = match self.style(members, location, &schema, at) {
            Err(error) if error.code == NO_FORM && !required => {
                notes.left_out("input", format!("the optional `{}`: {error}", shown(name)));
                return Ok(None);
            }
            style => style?,
        };
        Ok(Some(Parameter {
            name: name.to_owned(),
            location,
            required,
            style,
            schema,
            doc: text("description").unwrap_or_default().to_owned(),
            at: schema_at,
            whole_body: text("in") == Some("body"),
        }))
    }

    fn schema_of_parameter(&self, members: &Map<String, Json>, at: &str) -> Result<(Json, String), Error> {
        if let Some(schema) = members.get("schema") {
            return Ok((schema.clone(), below(at, "schema")));
        }
        if self.dialect == Dialect::Swagger2 {
            let kept = members.iter().filter(|(key, _)| !BESIDE_THE_SCHEMA.contains(&key.as_str()));
            let schema = kept.map(|(key, value)| (key.clone(), value.clone())).collect();
            return Ok((Json::Object(schema), at.to_owned()));
        }
        // A parameter written as JSON text.
        let content =
            members.get("content").and_then(Json::as_object).and_then(|content| content.iter().next());
        match content {
            Some((media, value)) => {
                let at = below(&below(&below(at, "content"), media), "schema");
                Ok((value.get("schema").cloned().unwrap_or(Json::Bool(true)), at))
            }
            None => Err(Error::malformed(at, "the parameter has no `schema`")),
        }
    }
}

/// Whether a call has to give it; what is in the path always.
fn is_required(members: &Map<String, Json>) -> bool {
    members.get("in").is_some_and(|place| place == "path")
        || members.get("required") == Some(&Json::Bool(true))
}

/// Whether a header can be called so, as HTTP has it.
fn is_header_name(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
