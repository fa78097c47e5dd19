//! The HTTPS family: an operation's parameters become one request, with a body if it has one.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Uri, header};
use http_body_util::Full;
use schema::error::{CallError, CallErrorKind};
use schema::operation::{
    Auth, HttpBinding, ParameterLocation, ParameterStyle, PathPart, ResponseBody, TRANSPORT_HEADERS, climbs,
    path_parts,
};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};

use crate::body::BodyForm;
use crate::client::CallContext;
use crate::code;
use crate::egress::{Endpoint, USER_AGENT};
use crate::entry::Fault;
use crate::key_headers::KeyHeaders;
use crate::miner::uuid_of;
use crate::secrets::{KEY_PART, Key, percent_encoded};
use crate::signed::{Asked, Facts, Signer};
use crate::styles;

/// Longest path and query together; common servers stop at 8 or 16 KiB.
pub(crate) const TARGET_BYTES_MAX: usize = 16 << 10;
/// Most bytes of one path segment's parameter.
const SEGMENT_BYTES_MAX: usize = 2_048;

/// Carries the nonce of the attempt, so that a peer's log and the proof name the same request.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// First line of the canonical form that proofs commit to.
const CANONICAL: &str = "orchestra.request/1";

/// An HTTP binding, checked and taken apart once.
#[derive(Debug)]
pub(crate) struct HttpPlan {
    method: Method,
    endpoint: Endpoint,
    path: Vec<PathPart>,
    parameters: BTreeMap<String, ParameterLocation>,
    styles: BTreeMap<String, ParameterStyle>,
    /// Those of them that are headers.
    header_parameters: Vec<(String, HeaderName)>,
    fixed_body: Map<String, Value>,
    /// There is none where no parameter can be in it; else it is sent even when every one is absent.
    body: Option<BodyForm>,
    response: ResponseBody,
    accept: HeaderValue,
    credential: Credential,
}

#[derive(Debug)]
enum Credential {
    None,
    Headers(KeyHeaders),
    Query(String),
    Signature(Box<Signer>),
}

/// A request with the bytes that proofs commit to, which hold no secret.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) request: Request<Full<Bytes>>,
    pub(crate) redacted: Bytes,
    /// What the signature of the answer is bound to, where the peer signs it.
    pub(crate) asked: Option<Asked>,
}

impl HttpPlan {
    /// Checks `binding`; `properties` are the JSON Schemas of all parameters of the operation.
    ///
    /// # Errors
    /// What is wrong with the binding, in words.
    pub(crate) fn new(
        binding: &HttpBinding,
        auth: &Auth,
        endpoint: Endpoint,
        properties: &Map<String, Value>,
    ) -> Result<Self, String> {
        let method = match binding.method.as_str() {
            "GET" => Method::GET,
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            "PATCH" => Method::PATCH,
            "DELETE" => Method::DELETE,
            other => return Err(format!("method `{other}` is none of GET, POST, PUT, PATCH, DELETE")),
        };
        let path = checked_path(binding).map_err(|fault| fault.to_string())?;
        let mut parameters = binding.parameters.clone();
        for part in &path {
            if let PathPart::Parameter(name) = part {
                if !properties.contains_key(name) {
                    return Err(format!("its path has `{{{name}}}`, which is no parameter of the operation"));
                }
                parameters.insert(name.clone(), ParameterLocation::Path);
            }
        }
        let in_path =
            |name: &str| path.iter().any(|part| matches!(part, PathPart::Parameter(own) if own == name));
        for (name, location) in &parameters {
            if *location == ParameterLocation::Path && !in_path(name) {
                return Err(format!("path parameter `{name}` does not occur in its path"));
            }
        }
        let in_body: Map<String, Value> = properties
            .iter()
            .filter(|(name, _)| !parameters.contains_key(*name))
            .map(|(name, schema)| (name.clone(), schema.clone()))
            .collect();
        for (name, style) in &binding.styles {
            let place = parameters.get(name).copied();
            if !properties.contains_key(name) || !styles::fits(*style, place) {
                return Err(format!("the style of `{name}` is none for its place"));
            }
        }
        let has_body = !binding.fixed_body.is_empty() || !in_body.is_empty();
        let body = has_body.then(|| BodyForm::new(binding, &in_body)).transpose()?;
        let signer = |signer: Result<Signer, Fault>| signer.map_err(|fault| fault.within("auth").to_string());
        let credential = match auth {
            Auth::Header { .. } | Auth::Headers { .. } => {
                KeyHeaders::of(auth)?.map_or(Credential::None, Credential::Headers)
            }
            Auth::Query { name } => Credential::Query(name.clone()),
            Auth::Signed(request) => Credential::Signature(Box::new(signer(Signer::new(request))?)),
            Auth::Btauth { receiver, signed_answers } => {
                Credential::Signature(Box::new(signer(Signer::btauth(receiver, *signed_answers))?))
            }
            Auth::None | Auth::Hotkey | Auth::Other { .. } => Credential::None,
        };
        Ok(Self {
            method,
            endpoint,
            path,
            header_parameters: header_parameters(&parameters)?,
            parameters,
            fixed_body: binding.fixed_body.clone().into_iter().collect(),
            body,
            styles: binding.styles.clone(),
            response: binding.response,
            accept: match &binding.accept {
                Some(text) => {
                    HeaderValue::from_str(text).map_err(|_| format!("`{text}` is no list of media types"))?
                }
                None => accept(binding.response),
            },
            credential,
        })
    }

    pub(crate) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(crate) const fn response(&self) -> ResponseBody {
        self.response
    }

    /// The parts of the key that a request carries; empty where none is needed.
    pub(crate) fn key_parts(&self) -> Vec<&str> {
        match &self.credential {
            Credential::Headers(headers) => headers.parts().collect(),
            Credential::Query(_) => vec![KEY_PART],
            Credential::None | Credential::Signature(_) => Vec::new(),
        }
    }

    /// SS58 address of the hotkey that a request is signed for.
    pub(crate) fn receiver(&self) -> Option<&str> {
        match &self.credential {
            Credential::Signature(signer) => signer.receiver(),
            _ => None,
        }
    }

    /// Forms the request for `input`, all parameters by name. `key` must be given where [`Self::key_parts`] has any.
    ///
    /// # Errors
    /// A [`CallErrorKind::Rejected`] with code E1112 for an input that cannot be sent, E1108 without a hotkey where one
    /// signs.
    pub(crate) fn request(
        &self,
        input: Map<String, Value>,
        key: Option<&Key>,
        context: &CallContext<'_>,
    ) -> Result<Outgoing, CallError> {
        let request_id = uuid_of(&context.request_nonce);
        let mut target = self.target(&input)?;
        let mut headers = self.headers(&input, &request_id)?;
        let mut redacted = Redacted::new(&self.method, &self.endpoint);
        match (&self.credential, key) {
            (Credential::Headers(own), Some(key)) => {
                redacted.target(&target);
                own.add(key, &mut headers, &mut redacted)?;
            }
            (Credential::Query(name), Some(key)) => {
                let key = key.part(KEY_PART).ok_or_else(|| unsendable("the key has no part `key`".into()))?;
                let mark = if target.contains('?') { '&' } else { '?' };
                let name = percent_encoded(name);
                redacted.target(&format!("{target}{mark}{name}=<key>"));
                let _ = write!(target, "{mark}{name}={}", percent_encoded(key.expose_secret()));
            }
            _ => redacted.target(&target),
        }
        if target.len() > TARGET_BYTES_MAX {
            return Err(unsendable(format!(
                "path and query have {} bytes, more than {TARGET_BYTES_MAX}",
                target.len()
            )));
        }
        let body = self.body(input, &request_id, &mut headers)?;
        for name in self.told().chain([&header::CONTENT_TYPE, &REQUEST_ID]) {
            if let Some(value) = headers.get(name) {
                redacted.header(name.as_str(), &String::from_utf8_lossy(value.as_bytes()));
            }
        }
        let mut asked = None;
        if let Credential::Signature(signer) = &self.credential {
            let facts =
                Facts { method: self.method.as_str(), target: &target, body: &body, uuid: &request_id };
            let signed = signer.sign(&facts, context.hotkey()?).map_err(unsendable)?;
            for (name, value, holds_signature) in signed.headers {
                if !holds_signature {
                    redacted.header(name.as_str(), value.to_str().unwrap_or_default());
                }
                headers.insert(name, value);
            }
            asked = signer.answers_are_signed().then_some(signed.asked);
        }
        let redacted = redacted.finish(&body);
        let uri = Uri::try_from(format!("{}{target}", self.endpoint.origin()))
            .map_err(|_| unsendable("the parameters do not form a URL".into()))?;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(Outgoing { request, redacted, asked })
    }

    /// The parameters that are headers.
    fn told(&self) -> impl Iterator<Item = &HeaderName> {
        self.header_parameters.iter().map(|(_, header)| header)
    }

    /// All headers but those of the body and the credential.
    fn headers(&self, input: &Map<String, Value>, request_id: &str) -> Result<HeaderMap, CallError> {
        let mut headers = HeaderMap::with_capacity(6 + self.header_parameters.len());
        for (name, header) in &self.header_parameters {
            let Some(value) = input.get(name).filter(|value| !value.is_null()) else { continue };
            let text = styles::text(name, value, self.style(name))?;
            let value = HeaderValue::from_str(&text)
                .map_err(|_| unsendable(format!("parameter `{name}` cannot be sent in a header")))?;
            headers.insert(header.clone(), value);
        }
        headers.insert(header::ACCEPT, self.accept.clone());
        headers.insert(header::USER_AGENT, USER_AGENT);
        if let Ok(value) = HeaderValue::from_str(request_id) {
            headers.insert(REQUEST_ID, value);
        }
        Ok(headers)
    }

    fn target(&self, input: &Map<String, Value>) -> Result<String, CallError> {
        let mut target = self.endpoint.path().to_owned();
        for part in &self.path {
            match part {
                PathPart::Literal(text) => target.push_str(text),
                PathPart::Parameter(name) => {
                    let value = input.get(name).unwrap_or(&Value::Null);
                    let encode = |text: &str| path_segment(name, text);
                    let segment = styles::segment(name, value, self.style(name), &encode)?;
                    if matches!(segment.as_str(), "" | "." | "..") {
                        return Err(unsendable(format!("path parameter `{name}` is empty")));
                    }
                    target.push_str(&segment);
                }
            }
        }
        if target.is_empty() {
            target.push('/');
        }
        let mut mark = '?';
        for (name, _) in self.parameters.iter().filter(|(_, location)| **location == ParameterLocation::Query)
        {
            let Some(value) = input.get(name) else { continue };
            for row in styles::query_rows(name, value, self.style(name))? {
                let _ = write!(target, "{mark}{row}");
                mark = '&';
            }
        }
        Ok(target)
    }

    fn body(
        &self,
        input: Map<String, Value>,
        request_id: &str,
        headers: &mut HeaderMap,
    ) -> Result<Bytes, CallError> {
        let Some(form) = &self.body else { return Ok(Bytes::new()) };
        let mut body: Map<String, Value> = input
            .into_iter()
            .filter(|(name, value)| {
                (form.has_null() || !value.is_null()) && !self.parameters.contains_key(name)
            })
            .collect();
        for (name, value) in &self.fixed_body {
            body.insert(name.clone(), value.clone());
        }
        let Some((media_type, bytes)) = form.write(&body, &self.styles, request_id)? else {
            return Ok(Bytes::new());
        };
        headers.insert(header::CONTENT_TYPE, media_type);
        Ok(bytes)
    }

    fn style(&self, name: &str) -> Option<ParameterStyle> {
        self.styles.get(name).copied()
    }
}

/// A request as proofs see it: request line, the headers that matter, an empty line, the body.
pub(crate) struct Redacted {
    method: Method,
    origin: String,
    text: String,
}

impl Redacted {
    pub(crate) fn new(method: &Method, endpoint: &Endpoint) -> Self {
        Self {
            method: method.clone(),
            origin: endpoint.origin().to_string(),
            text: String::with_capacity(256),
        }
    }

    /// Path and query, with `<key>` in place of a secret.
    pub(crate) fn target(&mut self, target: &str) {
        let _ = write!(self.text, "{CANONICAL}\n{} {}{target}\n", self.method, self.origin);
    }

    pub(crate) fn header(&mut self, name: &str, value: &str) {
        let _ = writeln!(self.text, "{name}: {value}");
    }

    pub(crate) fn finish(self, body: &[u8]) -> Bytes {
        let mut bytes = self.text.into_bytes();
        bytes.reserve_exact(1 + body.len());
        bytes.push(b'\n');
        bytes.extend_from_slice(body);
        bytes.into()
    }
}

/// The path of a binding, taken apart.
///
/// # Errors
/// Why no request can be sent there.
pub(crate) fn checked_path(binding: &HttpBinding) -> Result<Vec<PathPart>, Fault> {
    let wrong = |why| Fault::new("transport.path", format!("the path `{}` {why}", binding.path));
    path_parts(&binding.path).map_err(wrong)
}

/// The parameters that are headers, each with the header that it is.
///
/// # Errors
/// What is wrong with one, in words.
pub(crate) fn header_parameters(
    parameters: &BTreeMap<String, ParameterLocation>,
) -> Result<Vec<(String, HeaderName)>, String> {
    let headers = parameters.iter().filter(|(_, location)| **location == ParameterLocation::Header);
    headers
        .map(|(name, _)| match HeaderName::try_from(name.as_str()) {
            Ok(header) if TRANSPORT_HEADERS.contains(&header.as_str()) => {
                Err(format!("header parameter `{name}` is a header that the transport writes"))
            }
            Ok(header) => Ok((name.clone(), header)),
            Err(_) => Err(format!("header parameter `{name}` is no header name")),
        })
        .collect()
}

fn accept(response: ResponseBody) -> HeaderValue {
    HeaderValue::from_static(match response {
        ResponseBody::Json => "application/json",
        ResponseBody::Text => "text/plain, text/*;q=0.9, */*;q=0.1",
        ResponseBody::Bytes => "*/*",
    })
}

/// The encoded value of a path parameter. Encoding alone is not enough: many servers decode `%2F` and `%2E` before
/// they route, so a value that would climb there is refused, also when it comes encoded already.
fn path_segment(name: &str, text: &str) -> Result<String, CallError> {
    let refuse = |why: &str| Err(unsendable(format!("path parameter `{name}` {why}")));
    if text.is_empty() {
        return refuse("is empty");
    }
    if text.len() > SEGMENT_BYTES_MAX {
        return refuse("is longer than 2,048 bytes");
    }
    if text.chars().any(char::is_control) {
        return refuse("holds control characters");
    }
    if climbs(text) {
        return refuse("would climb out of its place in the path");
    }
    Ok(percent_encoded(text))
}

/// Scalars as they stand in a URL; `None` for what has no such form.
pub(crate) fn plain_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

pub(crate) fn unsendable(why: String) -> CallError {
    CallError::new(CallErrorKind::Rejected, code::INPUT, format!("the input cannot be sent: {why}"))
}
