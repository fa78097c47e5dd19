//! `POST /v1/chat/completions`.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value};

use crate::answer::Head;
use crate::caller::{self, Caller};
use crate::error::Failure;
use crate::models::{Model, json_response};
use crate::retries::Attempt;
use crate::shape::{Answer, Ask, Serves};
use crate::stream::{Stream, Wanted};
use crate::{Face, messages, parameters, told};

const PATH: &str = "/v1/chat/completions";

pub(crate) async fn completions(
    State(face): State<Arc<Face>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    completed(face, &headers, body).await.unwrap_or_else(Failure::into_response)
}

async fn completed(
    face: Arc<Face>,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let (bytes, body) = caller::object(body)?;
    let caller = Caller::of(headers, face.options)?;
    let id = caller::model_of(&body)?;
    let (model, own_model) = face.models.find(&caller, id).await?;
    let Serves::Chat(ask, kind) = &model.shape.serves else {
        return Err(Failure::parameter("model", format!("{id} makes embeddings: POST /v1/embeddings")));
    };
    let arguments = arguments(&body, &model, ask, own_model)?;
    let (stream, usage) = (flag(&body, "stream")?, wants_usage(&body)?);
    let mut attempt = Attempt::begin(&face, &caller, PATH, &bytes)?;
    let wrong = |failure: Failure| wrong_argument(failure, &arguments, ask);
    if stream {
        let wanted = Wanted { model: Arc::clone(&model), id: id.to_owned(), usage };
        let told = told::tell(&face, &caller, &model.target, &arguments).await.map_err(|failure| {
            attempt.answered();
            wrong(failure)
        })?;
        return Stream::new(told, wanted, attempt).begin().await.map_err(wrong);
    }
    let answered = told::answered(&face, &caller, &model.target, &arguments).await;
    attempt.answered();
    given(answered.map_err(wrong)?, id, kind)
}

/// An answer in one piece.
fn given(answered: told::Answered, id: &str, kind: &Answer) -> Result<Response, Failure> {
    let told::Answered { result, receipt } = answered;
    let Some(completion) = Head::new(id, &receipt.run).completion(kind, result) else {
        return Err(Failure::answer(receipt, "the answer holds no text"));
    };
    let mut response = json_response(&completion);
    receipt.write(response.headers_mut());
    Ok(response)
}

fn arguments(
    body: &Map<String, Value>,
    model: &Model,
    ask: &Ask,
    own_model: Option<&str>,
) -> Result<Map<String, Value>, Failure> {
    let mut arguments = Map::new();
    put_own_model(model, own_model, &mut arguments)?;
    messages::put(body.get("messages"), &model.shape, ask, &mut arguments)?;
    parameters::put(body, &model.shape, taken(ask), &mut arguments)?;
    Ok(arguments)
}

/// The subnet's own model, where it has models.
pub(crate) fn put_own_model(
    model: &Model,
    named: Option<&str>,
    arguments: &mut Map<String, Value>,
) -> Result<(), Failure> {
    let has_models = model.shape.properties.contains_key("model");
    let value = match named {
        Some(named) if has_models => Some(Value::from(named)),
        Some(named) => {
            let message = format!("{} has no models of its own; leave out `/{named}`", model.target.name());
            return Err(Failure::parameter("model", message));
        }
        None => model.own_model.clone().filter(|_| has_models),
    };
    if value.is_none() && model.shape.required.iter().any(|name| name == "model") {
        let message =
            format!("{0} has several models: name one behind it, as in `{0}/MODEL`", model.target.name());
        return Err(Failure::parameter("model", message));
    }
    arguments.extend(value.map(|value| ("model".to_owned(), value)));
    Ok(())
}

/// The property that holds the conversation.
fn taken(ask: &Ask) -> &str {
    match ask {
        Ask::Messages => "messages",
        Ask::Text(name) => name,
    }
}

/// A refusal of an argument, by the name of the parameter it was made of.
fn wrong_argument(failure: Failure, arguments: &Map<String, Value>, ask: &Ask) -> Failure {
    let name =
        |argument: &str| if argument == taken(ask) { "messages".to_owned() } else { argument.to_owned() };
    failure.about_argument(arguments.keys(), name)
}

fn flag(body: &Map<String, Value>, name: &str) -> Result<bool, Failure> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(Failure::parameter(name, format!("`{name}` is true or false"))),
    }
}

/// Members of `stream_options` that change nothing of what is said: here nothing is padded.
const WITHOUT_EFFECT: &str = "include_obfuscation";

fn wants_usage(body: &Map<String, Value>) -> Result<bool, Failure> {
    match body.get("stream_options") {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Object(options)) => {
            let known = ["include_usage", WITHOUT_EFFECT];
            let unknown =
                options.iter().find(|(name, value)| !known.contains(&name.as_str()) && !value.is_null());
            match unknown {
                Some((name, _)) => {
                    let message =
                        format!("`stream_options` has no member `{name:.80}`; it takes {}", known.join(", "));
                    Err(Failure::parameter("stream_options", message))
                }
                None => flag(options, "include_usage"),
            }
        }
        Some(_) => Err(Failure::parameter("stream_options", "`stream_options` is an object")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_of_stream_options_that_is_unknown_is_refused() {
        let usage = |options: Value| {
            let body = Map::from_iter([("stream_options".to_owned(), options)]);
            wants_usage(&body).map_err(|failure| format!("{failure:?}"))
        };
        assert_eq!(usage(json!({ "include_usage": true, "include_obfuscation": false })), Ok(true));
        assert_eq!(usage(json!({ "other": null })), Ok(false));
        let refused = usage(json!({ "include_usage": true, "inclde_usage": true })).unwrap_err();
        assert!(refused.contains("`stream_options` has no member `inclde_usage`"), "{refused}");
        assert!(usage(json!([])).is_err());
    }
}
