//! `POST /v1/embeddings`.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value, json};

use crate::caller::{self, Caller};
use crate::chat::put_own_model;
use crate::error::Failure;
use crate::models::json_response;
use crate::retries::Attempt;
use crate::shape::{Serves, Shape, is};
use crate::{Face, parameters, told};

const PATH: &str = "/v1/embeddings";

/// How vectors are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    /// A list of numbers.
    Float,
    /// Single-precision floats, the least byte first, in base64: what OpenAI's clients ask for.
    Base64,
}

pub(crate) async fn embeddings(
    State(face): State<Arc<Face>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    embedded(face, &headers, body).await.unwrap_or_else(Failure::into_response)
}

async fn embedded(
    face: Arc<Face>,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let (bytes, mut body) = caller::object(body)?;
    let caller = Caller::of(headers, face.options)?;
    let id = caller::model_of(&body)?.to_owned();
    let (model, own_model) = face.models.find(&caller, &id).await?;
    if model.shape.serves != Serves::Embeddings {
        return Err(Failure::parameter("model", format!("{id} answers chat: POST /v1/chat/completions")));
    }
    let encoding = encoding(body.get("encoding_format"))?;
    let mut arguments = Map::new();
    put_own_model(&model, own_model, &mut arguments)?;
    arguments.insert("input".into(), input(body.remove("input"), &model.shape)?);
    parameters::put(&body, &model.shape, "input", &mut arguments)?;
    let mut attempt = Attempt::begin(&face, &caller, PATH, &bytes)?;
    let answered = told::answered(&face, &caller, &model.target, &arguments).await;
    attempt.answered();
    let told::Answered { result, receipt } =
        answered.map_err(|failure| failure.about_argument(arguments.keys(), str::to_owned))?;
    let Some(list) = list(result, &id, encoding) else {
        return Err(Failure::answer(receipt, "the answer is no list of vectors"));
    };
    let mut response = json_response(&list);
    receipt.write(response.headers_mut());
    Ok(response)
}

fn encoding(format: Option<&Value>) -> Result<Encoding, Failure> {
    match format.map(Value::as_str) {
        None | Some(Some("float")) => Ok(Encoding::Float),
        Some(Some("base64")) => Ok(Encoding::Base64),
        Some(_) => Err(Failure::parameter("encoding_format", "`encoding_format` is `float` or `base64`")),
    }
}

/// The texts in the form that the model takes.
fn input(input: Option<Value>, shape: &Shape) -> Result<Value, Failure> {
    let wrong = |message: &str| Failure::parameter("input", message);
    let takes = |kind: &str| shape.properties.get("input").is_some_and(|schema| is(schema, schema, kind));
    match input {
        None | Some(Value::Null) => Err(wrong("`input` is missing")),
        Some(Value::String(text)) if takes("string") => Ok(text.into()),
        Some(Value::String(text)) => Ok(json!([text])),
        Some(Value::Array(texts)) if texts.is_empty() => Err(wrong("`input` is empty")),
        Some(Value::Array(texts)) if !texts.iter().all(Value::is_string) => {
            Err(wrong("this model takes texts, not tokens"))
        }
        Some(Value::Array(texts)) if takes("array") => Ok(texts.into()),
        Some(Value::Array(mut texts)) if texts.len() == 1 => Ok(texts.pop().unwrap_or_default()),
        Some(Value::Array(_)) => Err(wrong("this model takes one text at a time")),
        Some(_) => Err(wrong("`input` is a text or a list of texts")),
    }
}

/// The answer as OpenAI's list, by `index`.
fn list(result: Value, model: &str, encoding: Encoding) -> Option<Value> {
    let Value::Object(mut whole) = result else { return None };
    let Some(Value::Array(rows)) = whole.remove("data") else { return None };
    let data: Option<Vec<Value>> = rows
        .into_iter()
        .enumerate()
        .map(|(at, mut row)| {
            let vector = row.get_mut("embedding")?.take();
            let index = row.get("index").cloned().unwrap_or_else(|| at.into());
            Some(json!({ "object": "embedding", "index": index, "embedding": encoded(vector, encoding)? }))
        })
        .collect();
    let own = whole.remove("model").filter(Value::is_string);
    // Some clients read the counts without asking whether there are any; what is not known stays null.
    let usage = whole.remove("usage").unwrap_or_default();
    Some(
        json!({ "object": "list", "data": data?, "model": own.unwrap_or_else(|| model.into()), "usage": usage }),
    )
}

fn encoded(vector: Value, encoding: Encoding) -> Option<Value> {
    if encoding == Encoding::Float || vector.is_string() {
        return Some(vector);
    }
    let Value::Array(numbers) = vector else { return None };
    let mut bytes = Vec::with_capacity(numbers.len() * size_of::<f32>());
    for number in &numbers {
        #[expect(clippy::cast_possible_truncation, reason = "what the encoding is")]
        let number = number.as_f64()? as f32;
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    Some(BASE64.encode(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_written_as_asked() {
        let rows = || json!({ "data": [{ "embedding": [0.5, -1.0] }, { "embedding": [], "index": 7 }] });
        let floats = list(rows(), "sn1.e", Encoding::Float).unwrap();
        assert_eq!(floats["data"][0], json!({ "object": "embedding", "index": 0, "embedding": [0.5, -1.0] }));
        assert_eq!((&floats["data"][1]["index"], &floats["model"]), (&json!(7), &json!("sn1.e")));
        let packed = list(rows(), "sn1.e", Encoding::Base64).unwrap();
        assert_eq!(packed["data"][0]["embedding"], "AAAAPwAAgL8=");
        assert_eq!(list(json!({ "data": [{}] }), "m", Encoding::Float), None);
    }

    #[test]
    fn texts_take_the_form_of_the_schema() {
        let shape = |kind: &str| {
            let properties = Map::from_iter([("input".to_owned(), json!({ "type": kind }))]);
            Shape { properties, required: Vec::new(), serves: Serves::Embeddings }
        };
        let fits = |value: Value, kind: &str| input(Some(value), &shape(kind)).ok();
        assert_eq!(fits(json!("a"), "array"), Some(json!(["a"])));
        assert_eq!(fits(json!("a"), "string"), Some(json!("a")));
        assert_eq!(fits(json!(["a"]), "string"), Some(json!("a")));
        assert_eq!(fits(json!(["a", "b"]), "string"), None);
        assert_eq!(fits(json!([1, 2]), "array"), None);
        assert_eq!(fits(json!([]), "array"), None);
    }
}
