//! Bodies of requests over HTTP: JSON, forms, parts and octets.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::HeaderValue;
use schema::error::CallError;
use schema::limits::CALL_BODY_BYTES_MAX;
use schema::operation::{HttpBinding, ParameterStyle, RequestBody};
use serde_json::{Map, Value};

use crate::https::{plain_text, unsendable};
use crate::secrets::percent_encoded;
use crate::styles;

/// How the parameters that go nowhere else are written as a body.
#[derive(Debug)]
pub(crate) enum BodyForm {
    Json {
        media_type: HeaderValue,
    },
    /// One parameter as JSON.
    Whole {
        parameter: String,
        media_type: HeaderValue,
    },
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
    /// Checks the body of `binding`; `properties` are the JSON Schemas of the parameters in it.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn new(binding: &HttpBinding, properties: &Map<String, Value>) -> Result<Self, String> {
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
        let json = || binding.media_type.as_deref().map_or(Ok(JSON), media);
        let alone = |name: &String| match properties.len() == 1 && binding.fixed_body.is_empty() {
            true => Ok(name.clone()),
            false => Err(format!("its body is `{name}` alone, and other parameters have no place")),
        };
        Ok(match &binding.body {
            RequestBody::Json => Self::Json { media_type: json()? },
            RequestBody::Whole { parameter } => {
                known(parameter)?;
                Self::Whole { parameter: alone(parameter)?, media_type: json()? }
            }
            RequestBody::Form => Self::Form,
            RequestBody::Multipart { media_types } => {
                for (name, text) in media_types {
                    media(text)?;
                    let schema = known(name)?;
                    if !is_file(schema) && schema.get("$ref").is_none() {
                        return Err(format!(
                            "`{name}` has a media type, but is no file: by its schema it is no octets"
                        ));
                    }
                }
                let files = properties.iter().filter(|(_, schema)| is_file(schema));
                let files = files.map(|(name, _)| (name.clone(), OCTETS.to_owned()));
                let mut files: BTreeMap<String, String> = files.collect();
                files.extend(media_types.clone());
                Self::Multipart { files }
            }
            RequestBody::Raw { parameter, media_type } => Self::Raw {
                is_octets: is_octets(known(parameter)?),
                parameter: parameter.clone(),
                media_type: media(media_type)?,
            },
        })
    }

    /// Whether it can say `null`.
    pub(crate) const fn has_null(&self) -> bool {
        matches!(self, Self::Json { .. } | Self::Whole { .. })
    }

    /// Content type and octets of a body with these properties, nothing where there is none to send. `mark` is unique
    /// to the request.
    ///
    /// # Errors
    /// E1112 for what has no such form, or is too long.
    pub(crate) fn write(
        &self,
        body: &Map<String, Value>,
        styles: &BTreeMap<String, ParameterStyle>,
        mark: &str,
    ) -> Result<Option<(HeaderValue, Bytes)>, CallError> {
        let (media_type, bytes) = match self {
            Self::Json { media_type } => (media_type.clone(), to_json(body)?),
            Self::Whole { parameter, media_type } => match body.get(parameter) {
                Some(value) => (media_type.clone(), to_json(value)?),
                None => return Ok(None),
            },
            Self::Form => (FORM, form(body, styles)?),
            Self::Multipart { files } => {
                let boundary = format!("orchestra-{mark}");
                let media_type = HeaderValue::from_str(&format!("multipart/form-data; boundary={boundary}"));
                (
                    media_type.map_err(|error| unsendable(error.to_string()))?,
                    parts(body, files, styles, &boundary)?,
                )
            }
            Self::Raw { parameter, is_octets, media_type } => {
                let Some(value) = body.get(parameter) else { return Ok(None) };
                (
                    media_type.clone(),
                    if *is_octets { octets(parameter, value)? } else { text_of(value).into_bytes() },
                )
            }
        };
        Ok(Some((media_type, sized(bytes)?)))
    }
}

/// An object of fields as JSON.
///
/// # Errors
/// E1112 for one that is too long.
pub(crate) fn json(fields: &Map<String, Value>) -> Result<Bytes, CallError> {
    sized(to_json(fields)?)
}

fn sized(bytes: Vec<u8>) -> Result<Bytes, CallError> {
    if bytes.len() > CALL_BODY_BYTES_MAX {
        let message = format!("the body has {} bytes, more than {CALL_BODY_BYTES_MAX}", bytes.len());
        return Err(unsendable(message));
    }
    Ok(bytes.into())
}

fn to_json(value: &impl serde::Serialize) -> Result<Vec<u8>, CallError> {
    serde_json::to_vec(value).map_err(|error| unsendable(error.to_string()))
}

/// Whether a schema is that of one file or of a list of them, or may be: of octets, or `null`.
fn is_file(schema: &Value) -> bool {
    let parts = ["anyOf", "oneOf"].iter().find_map(|keyword| schema.get(keyword)?.as_array());
    is_octets(schema)
        || schema.get("items").is_some_and(is_octets)
        || parts.is_some_and(|parts| parts.iter().any(is_file))
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

/// The rows of a field: one an element, or one in the style of the field.
fn rows(
    name: &str,
    value: &Value,
    styles: &BTreeMap<String, ParameterStyle>,
) -> Result<Vec<String>, CallError> {
    if let Some(style) = styles.get(name) {
        return Ok(vec![styles::text(name, value, Some(*style))?]);
    }
    Ok(elements(value).iter().filter(|item| !item.is_null()).map(text_of).collect())
}

fn form(body: &Map<String, Value>, styles: &BTreeMap<String, ParameterStyle>) -> Result<Vec<u8>, CallError> {
    let mut text = String::new();
    for (name, value) in body {
        for row in rows(name, value, styles)? {
            let mark = if text.is_empty() { "" } else { "&" };
            let _ = write!(text, "{mark}{}={}", percent_encoded(name), percent_encoded(&row));
        }
    }
    Ok(text.into_bytes())
}

/// RFC 7578.
fn parts(
    body: &Map<String, Value>,
    files: &BTreeMap<String, String>,
    styles: &BTreeMap<String, ParameterStyle>,
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
            for file in elements(value).iter().filter(|file| !file.is_null()) {
                part(name, &more, &octets(name, file)?);
            }
            continue;
        }
        if styles.contains_key(name) {
            for row in rows(name, value, styles)? {
                part(name, "", row.as_bytes());
            }
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

    fn binding(body: RequestBody) -> HttpBinding {
        let mut binding: HttpBinding = serde_json::from_value(
            json!({ "method": "POST", "base_url": "https://a.example", "path": "/", "response": "json" }),
        )
        .unwrap();
        binding.body = body;
        binding
    }

    fn written(body: RequestBody, fields: Value) -> (String, String) {
        written_as(body, fields, BTreeMap::new())
    }

    fn written_as(
        body: RequestBody,
        fields: Value,
        styles: BTreeMap<String, ParameterStyle>,
    ) -> (String, String) {
        let octets = json!({ "type": "string", "contentEncoding": "base64" });
        let properties = json!({
            "file": octets, "maybe": { "anyOf": [octets, { "type": "null" }] }, "files": { "items": octets },
            "named": { "$ref": "#/$defs/File" }, "a": {}, "tags": {}, "o": {},
        });
        let form = BodyForm::new(&binding(body), properties.as_object().unwrap()).unwrap();
        let (media_type, bytes) = form.write(fields.as_object().unwrap(), &styles, "m").unwrap().unwrap();
        (media_type.to_str().unwrap().into(), String::from_utf8_lossy(&bytes).into_owned())
    }

    #[test]
    fn a_form_has_a_row_an_element() {
        let (media_type, text) =
            written(RequestBody::Form, json!({ "a": "x y&ü", "tags": [1, true, null], "o": { "k": 1 } }));
        assert_eq!(media_type, "application/x-www-form-urlencoded");
        assert_eq!(text, "a=x%20y%26%C3%BC&tags=1&tags=true&o=%7B%22k%22%3A1%7D");
        let styles = BTreeMap::from([("tags".to_owned(), ParameterStyle::Comma)]);
        assert_eq!(written_as(RequestBody::Form, json!({ "tags": [1, true] }), styles).1, "tags=1%2Ctrue");
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
    fn what_may_be_a_file_is_one() {
        let body = RequestBody::Multipart { media_types: [("named".into(), "image/png".into())].into() };
        let (_, text) = written(body, json!({ "maybe": "aGk=", "files": ["YQ==", "Yg=="], "named": "aGk=" }));
        let part = |name: &str, media_type: &str, content: &str| {
            format!(
                "--orchestra-m\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\n\
                 Content-Type: {media_type}\r\n\r\n{content}\r\n"
            )
        };
        let octets = |name: &str, content: &str| part(name, "application/octet-stream", content);
        let expected = octets("maybe", "hi")
            + &octets("files", "a")
            + &octets("files", "b")
            + &part("named", "image/png", "hi")
            + "--orchestra-m--\r\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_whole_body_is_one_parameter_as_json() {
        let properties = json!({ "body": { "type": "array" } });
        let properties = properties.as_object().unwrap();
        let mut whole = binding(RequestBody::Whole { parameter: "body".into() });
        whole.media_type = Some("application/vnd.a+json".into());
        let form = BodyForm::new(&whole, properties).unwrap();
        let write = |fields: Value| form.write(fields.as_object().unwrap(), &BTreeMap::new(), "m").unwrap();
        let sent = (HeaderValue::from_static("application/vnd.a+json"), Bytes::from_static(b"[1,{}]"));
        assert_eq!(write(json!({ "body": [1, {}] })), Some(sent));
        assert_eq!(write(json!({})), None);
        whole.fixed_body.insert("stream".into(), json!(false));
        assert!(BodyForm::new(&whole, properties).unwrap_err().contains("alone"));
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
        let wrong =
            |body: RequestBody| BodyForm::new(&binding(body), properties.as_object().unwrap()).unwrap_err();
        let raw = |parameter: &str, media_type: &str| RequestBody::Raw {
            parameter: parameter.into(),
            media_type: media_type.into(),
        };
        assert!(wrong(raw("b", "a/b")).contains("`b`"));
        assert!(wrong(raw("a", "png")).contains("`png`"));
        let files = RequestBody::Multipart { media_types: [("a".into(), "a/b".into())].into() };
        assert!(wrong(files).contains("no file"));
        let form = BodyForm::Raw { parameter: "a".into(), is_octets: true, media_type: JSON };
        let wrong = form.write(json!({ "a": "%" }).as_object().unwrap(), &BTreeMap::new(), "m");
        assert_eq!(wrong.unwrap_err().code, "E1112");
    }
}
