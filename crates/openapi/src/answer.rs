//! What an operation answers where it succeeds.

use schema::operation::ResponseBody;
use serde_json::{Value as Json, json};

use crate::bundle::{Bundle, Contract};
use crate::dialect::{Dialect, Direction};
use crate::document::{Document, Operation, below, object};
use crate::error::{Error, NO_FORM, shown};
use crate::media::{Media, is_plain_json};

/// A successful answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Schema of the body; `null` where there is none.
    pub contract: Contract,
    /// Form of the body; `None` where there is none.
    pub form: Option<ResponseBody>,
    /// Whether the document says what is in the body.
    pub complete: bool,
    /// Media type of a JSON body that is not plain JSON.
    pub media_type: Option<String>,
}

/// The body of one response.
struct Body<'a> {
    media: Media,
    schema: Option<&'a Json>,
    at: String,
    media_type: Option<String>,
}

impl Document {
    /// The answer of an operation: what its responses of the statuses 200 to 299 hold, else its default response.
    ///
    /// # Errors
    /// [`Error`] where a part of it has the wrong form or refers to nothing, or the answer has no form that a plan
    /// could read: a stream, or different forms for different statuses.
    pub fn answer(&self, operation: &Operation) -> Result<Answer, Error> {
        let at = below(&operation.at, "responses");
        let responses = match self.members(operation)?.get("responses") {
            Some(responses) => object(responses, &at, "`responses`")?,
            None => return Err(Error::malformed(&operation.at, "the operation has no `responses`")),
        };
        let is_success = |status: &str| status.len() == 3 && status.starts_with('2');
        let mut statuses: Vec<&String> = responses.keys().filter(|status| is_success(status)).collect();
        statuses.sort();
        if statuses.is_empty() {
            statuses.extend(responses.keys().filter(|status| *status == "default"));
        }
        if statuses.is_empty() {
            // Only failures are described, so what comes back otherwise is not known.
            let contract = Contract::unknown(at);
            return Ok(Answer {
                contract,
                form: Some(ResponseBody::Json),
                complete: false,
                media_type: None,
            });
        }
        let mut bodies: Vec<Body<'_>> = Vec::new();
        let mut may_be_empty = false;
        for status in statuses {
            let Some(response) = responses.get(status) else { continue };
            let (response, at) = self.follow(response, below(&at, status))?;
            object(response, &at, "a response")?;
            let Some(body) = self.response_body(operation, response, &at)? else {
                may_be_empty |= matches!(status.as_str(), "204" | "205");
                continue;
            };
            if bodies.iter().all(|known| known.schema != body.schema || known.media != body.media) {
                bodies.push(body);
            }
        }
        self.united(&bodies, may_be_empty, &at)
    }

    fn united(&self, bodies: &[Body<'_>], may_be_empty: bool, at: &str) -> Result<Answer, Error> {
        let mut bundle = Bundle::new(self, Direction::Answer);
        let Some(first) = bodies.first() else {
            let contract = bundle.close(json!({ "type": "null" }), at.to_owned())?;
            return Ok(Answer { contract, form: None, complete: true, media_type: None });
        };
        if bodies.iter().any(|body| body.media != first.media) {
            let message = "the answer has another form for another status";
            return Err(Error::new(NO_FORM, at, message));
        }
        let complete = bodies.iter().all(|body| body.schema.is_some());
        match first.media {
            Media::Text => self.plain(bundle, first, json!({ "type": "string" }), ResponseBody::Text),
            Media::Octets => {
                let schema = json!({ "type": "string", "format": "binary" });
                self.plain(bundle, first, schema, ResponseBody::Bytes)
            }
            _ => {
                let mut schemas = Vec::new();
                for body in bodies {
                    schemas.push(bundle.schema(body.schema.unwrap_or(&Json::Bool(true)), &body.at)?);
                }
                let (schema, at) = match schemas.len() {
                    1 => (schemas.pop().unwrap_or_default(), first.at.clone()),
                    _ => (json!({ "oneOf": schemas }), at.to_owned()),
                };
                // The transport hands an answer without content on as `null`.
                let schema = match may_be_empty && complete {
                    true => json!({ "anyOf": [schema, { "type": "null" }] }),
                    false => schema,
                };
                // `true` cannot carry definitions, and needs none.
                Ok(Answer {
                    contract: bundle.close(schema, at)?,
                    form: Some(ResponseBody::Json),
                    complete,
                    media_type: first.media_type.clone(),
                })
            }
        }
    }

    /// Text and octets: what a schema says of their length counts, what it says of structure does not.
    fn plain(
        &self,
        mut bundle: Bundle<'_>,
        body: &Body<'_>,
        otherwise: Json,
        form: ResponseBody,
    ) -> Result<Answer, Error> {
        let is_text =
            |schema: &&Json| form == ResponseBody::Text && schema.get("type").is_some_and(|t| t == "string");
        let schema = match body.schema.filter(is_text) {
            Some(schema) => bundle.schema(schema, &body.at)?,
            None => otherwise,
        };
        Ok(Answer {
            contract: bundle.close(schema, body.at.clone())?,
            form: Some(form),
            complete: true,
            media_type: None,
        })
    }

    /// The body of one response, `None` where it has none.
    fn response_body<'a>(
        &'a self,
        operation: &Operation,
        response: &'a Json,
        at: &str,
    ) -> Result<Option<Body<'a>>, Error> {
        if self.dialect == Dialect::Swagger2 {
            return self.swagger_response(operation, response, at);
        }
        let Some(content) = response.get("content") else { return Ok(None) };
        let content_at = below(at, "content");
        let content = object(content, &content_at, "`content`")?;
        let Some((media, media_type, value)) = Media::best(content) else { return Ok(None) };
        let (value, media_at) = self.follow(value, below(&content_at, media_type))?;
        if media == Media::Stream {
            let message = format!("an answer of `{}` is a stream, which no plan reads", shown(media_type));
            return Err(Error::new(NO_FORM, media_at, message));
        }
        let schema = value.get("schema");
        let media_type = vendor(media, media_type);
        Ok(Some(Body { media: media.settled(schema), schema, at: below(&media_at, "schema"), media_type }))
    }

    fn swagger_response<'a>(
        &'a self,
        operation: &Operation,
        response: &'a Json,
        at: &str,
    ) -> Result<Option<Body<'a>>, Error> {
        let Some(schema) = response.get("schema") else { return Ok(None) };
        let produces = self.members(operation)?.get("produces").or_else(|| self.root.get("produces"));
        let types = produces.and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
        let best = types.map(|name| (Media::of(name), !is_plain_json(name), name)).min();
        let media_type = best.and_then(|(media, _, name)| vendor(media, name));
        let best = best.map_or(Media::Json, |(media, ..)| media);
        let is_file = schema.get("type").is_some_and(|ty| ty == "file");
        let media = match best {
            _ if is_file => Media::Octets,
            Media::Stream => {
                return Err(Error::new(NO_FORM, at, "the answer is a stream, which no plan reads"));
            }
            other => other.settled(Some(schema)),
        };
        Ok(Some(Body { media, schema: Some(schema), at: below(at, "schema"), media_type }))
    }
}

/// A media type of JSON that is not plain JSON.
fn vendor(media: Media, media_type: &str) -> Option<String> {
    let is_vendor = media == Media::Json && !is_plain_json(media_type);
    is_vendor.then(|| media_type.trim().to_owned())
}
