//! Bodies of requests over HTTP: JSON, forms, parts and octets.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::HeaderValue;
use schema::error::CallError;
use schema::limits::CALL_BODY_BYTES_MAX;
use schema::operation::RequestBody;
use serde_json::{Map, Value};

use crate::https::{plain_text, unsendable};
use crate::secrets::percent_encoded;

/// How the parameters that go nowhere else are written as a body.
#[derive(Debug)]
pub(crate) enum BodyForm {
    Json,
    Form,
    /// Media type of each parameter that is a file.
    Multipart {
        files: BTreeMap<String, String>,
    },
    Raw {
        parameter: String,
        is_octets: bool,
        media_type: HeaderValue,
    },
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const OCTETS: &str = "application/octet-stream";

impl BodyForm {
    /// Checks `body`; `properties` are the JSON Schemas of all parameters.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn new(body: &RequestBody, properties: &Map<String, Value>) -> Result<Self, String> {
        let media = |text: &str| {
            let is_media =
                text.split_once('/').is_some_and(|(kind, form)| !kind.is_empty() && !form.is_empty());
            let value = HeaderValue::from_str(text).ok().filter(|_| is_media);
            value.ok_or_else(|| format!("`{text}` is no media type"))
        };
        let known = |name: &str| {
            properties
                .get(name)
                .ok_or_else(|| format!("its body names `{name}`, which is no parameter of the operation"))
        };
        Ok(match body {
            RequestBody::Json => Self::Json,
            RequestBody::Form => Self::Form,
            RequestBody::Multipart { media_types } => {
                for (name, text) in media_types {
                    media(text)?;
                    if !is_octets(known(name)?) {
                        return Err(format!(
                            "`{name}` has a media type, but is no file: by its schema it is no octets"
                        ));
                    }
                }
                let files = properties.iter().filter(|(_, schema)| is_octets(schema));
                let typed = |name: &String| media_types.get(name).map_or(OCTETS, String::as_str).to_owned();
                Self::Multipart { files: files.map(|(name, _)| (name.clone(), typed(name))).collect() }
            }
            RequestBody::Raw { parameter, media_type } => Self::Raw {
                is_octets: is_octets(known(parameter)?),
                parameter: parameter.clone(),
                media_type: media(media_type)?,
            },
        })
    }

    /// Content type and octets of a body with these properties. `mark` is unique to the request.
    ///
    /// # Errors
    /// E1112 for what has no such form, or is too long.
    pub(crate) fn write(
        &self,
        body: &Map<String, Value>,
        mark: &str,
    ) -> Result<(HeaderValue, Bytes), CallError> {
        let (media_type, bytes) = match self {
            Self::Json => (JSON, serde_json::to_vec(body).map_err(|error| unsendable(error.to_string()))?),
            Self::Form => (FORM, form(body)),
            Self::Multipart { files } => {
                let boundary = format!("orchestra-{mark}");
                let media_type = HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}"));
                (media_type.map_err(|error| unsendable(error.to_string()))?, parts(body, files, &boundary)?)
            }
            Self::Raw { parameter, is_octets, media_type } => {
                let value = body.get(parameter).unwrap_or(&Value::Null);
                (
                    media_type.clone(),
                    if *is_octets { octets(parameter, value)? } else { text_of(value).into_bytes() },
                )
            }
        };
        if bytes.len() > CALL_BODY_BYTES_MAX {
            return Err(unsendable(format!(
                "the body has {} bytes, more than {CALL_BODY_BYTES_MAX}",
                bytes.len()
            )));
        }
        Ok((media_type, bytes.into()))
    }
}

/// Whether a schema is that of `Bytes`, which JSON has as base64.
fn is_octets(schema: &Value) -> bool {
    let is = |key: &str, words: &[&str]| {
        schema.get(key).and_then(Value::as_str).is_some_and(|word| words.contains(&word))
    };
    is("contentEncoding", &["base64"]) || is("format", &["binary", "byte"])
}

fn octets(name: &str, value: &Value) -> Result<Vec<u8>, CallError> {
    let text = value.as_str().unwrap_or_default();
    BASE64.decode(text).map_err(|error| unsendable(format!("parameter `{name}` is not base64: {error}")))
}

/// Scalars as they are, anything else as JSON.
fn text_of(value: &Value) -> String {
    plain_text(value).unwrap_or_else(|| value.to_string())
}

/// A list is written as one row an element.
fn elements(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        other => std::slice::from_ref(other),
    }
}

fn form(body: &Map<String, Value>) -> Vec<u8> {
    let mut text = String::new();
    for (name, value) in body {
        for item in elements(value).iter().filter(|item| !item.is_null()) {
            let mark = if text.is_empty() { "" } else { "&" };
            let _ = write!(text, "{mark}{}={}", percent_encoded(name), percent_encoded(&text_of(item)));
        }
    }
    text.into_bytes()
}

/// RFC 7578.
fn parts(
    body: &Map<String, Value>,
    files: &BTreeMap<String, String>,
    boundary: &str,
) -> Result<Vec<u8>, CallError> {
    let mut bytes = Vec::new();
    let mut part = |name: &str, more: &str, content: &[u8]| {
        let name = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"{}\r\n\r\n",
            more.replace("{name}", &name)
        );
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(content);
        bytes.extend_from_slice(b"\r\n");
    };
    for (name, value) in body {
        if let Some(media_type) = files.get(name) {
            let more = format!("; filename=\"{{name}}\"\r\nContent-Type: {media_type}");
            part(name, &more, &octets(name, value)?);
            continue;
        }
        for item in elements(value).iter().filter(|item| !item.is_null()) {
            let more =
                if item.is_object() || item.is_array() { "\r\nContent-Type: application/json" } else { "" };
            part(name, more, text_of(item).as_bytes());
        }
    }
    bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(body: RequestBody, fields: Value) -> (String, String) {
        let properties = json!({ "file": { "type": "string", "contentEncoding": "base64" }, "a": {}, "tags": {}, "o": {} });
        let form = BodyForm::new(&body, properties.as_object().unwrap()).unwrap();
        let (media_type, bytes) = form.write(fields.as_object().unwrap(), "m").unwrap();
        (media_type.to_str().unwrap().into(), String::from_utf8_lossy(&bytes).into_owned())
    }

    #[test]
    fn a_form_has_a_row_an_element() {
        let (media_type, text) =
            written(RequestBody::Form, json!({ "a": "x y&ü", "tags": [1, true, null], "o": { "k": 1 } }));
        assert_eq!(media_type, "application/x-www-form-urlencoded");
        assert_eq!(text, "a=x%20y%26%C3%BC&tags=1&tags=true&o=%7B%22k%22%3A1%7D");
    }

    #[test]
    fn parts_carry_files_texts_and_json() {
        let body = RequestBody::Multipart { media_types: [("file".into(), "video/mp4".into())].into() };
        let (media_type, text) = written(body, json!({ "file": "aGk=", "a": "x", "o": { "k": 1 } }));
        assert_eq!(media_type, "multipart/form-data; boundary=orchestra-m");
        let part = |head: &str, content: &str| {
            format!("--orchestra-m\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n")
        };
        let expected = part("name=\"file\"; filename=\"file\"\r\nContent-Type: video/mp4", "hi")
            + &part("name=\"a\"", "x")
            + &part("name=\"o\"\r\nContent-Type: application/json", r#"{"k":1}"#)
            + "--orchestra-m--\r\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_raw_body_is_one_parameter() {
        let raw = |parameter: &str| RequestBody::Raw {
            parameter: parameter.into(),
            media_type: "image/png".into(),
        };
        assert_eq!(written(raw("file"), json!({ "file": "aGk=" })), ("image/png".into(), "hi".into()));
        assert_eq!(written(raw("a"), json!({ "a": "text" })).1, "text");
    }

    #[test]
    fn what_forms_no_body_is_told() {
        let properties = json!({ "a": {} });
        let wrong = |body: RequestBody| BodyForm::new(&body, properties.as_object().unwrap()).unwrap_err();
        let raw = |parameter: &str, media_type: &str| RequestBody::Raw {
            parameter: parameter.into(),
            media_type: media_type.into(),
        };
        assert!(wrong(raw("b", "a/b")).contains("`b`"));
        assert!(wrong(raw("a", "png")).contains("`png`"));
        let files = RequestBody::Multipart { media_types: [("a".into(), "a/b".into())].into() };
        assert!(wrong(files).contains("no file"));
        let form = BodyForm::Raw { parameter: "a".into(), is_octets: true, media_type: JSON };
        assert_eq!(form.write(json!({ "a": "%" }).as_object().unwrap(), "m").unwrap_err().code, "E1112");
    }
}
