//! Calls over gRPC: an operation's parameters become one protobuf message by its JSON form, and back.
//!
//! The messages come from the entry's descriptors at run time, so a subnet's service needs no generated code. The status
//! stands in the trailers.

mod broken;
mod fit;
pub(crate) mod frames;

use std::ops::ControlFlow;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, STANDARD_NO_PAD as BASE64_BARE};
use bytes::{Bytes, BytesMut};
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, StatusCode, Uri, Version, header};
use http_body_util::Full;
use prost::Message as _;
use prost_reflect::prost_types::FileDescriptorSet;
use prost_reflect::{DescriptorPool, DeserializeOptions, DynamicMessage, MethodDescriptor, SerializeOptions};
use schema::error::{CallError, CallErrorKind};
use schema::limits::CALL_BODY_BYTES_MAX;
use schema::operation::{Auth, GrpcBinding, OperationDescriptor};
use serde_json::{Map, Value};

use crate::client::CallContext;
use crate::egress::{Endpoint, USER_AGENT, Watch};
use crate::entry::Fault;
use crate::https::{Outgoing, REQUEST_ID, Redacted, unsendable};
use crate::key_headers::KeyHeaders;
use crate::miner::uuid_of;
use crate::secrets::Key;
use crate::streamed::Listen;
use crate::{code, pieces};

pub(crate) const GRPC: HeaderValue = HeaderValue::from_static("application/grpc+proto");
const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
pub(crate) const STATUS: &str = "grpc-status";
const MESSAGE: &str = "grpc-message";
const DETAILS: &str = "grpc-status-details-bin";

/// A gRPC binding, checked and taken apart once.
#[derive(Debug)]
pub(crate) struct GrpcPlan {
    endpoint: Endpoint,
    uri: Uri,
    method: MethodDescriptor,
    credential: Option<KeyHeaders>,
}

impl GrpcPlan {
    /// Checks the `binding` of `operation`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn new(
        binding: &GrpcBinding,
        operation: &OperationDescriptor,
        endpoint: Endpoint,
    ) -> Result<Self, String> {
        let method = checked(binding, operation).map_err(|fault| fault.to_string())?;
        let credential = KeyHeaders::of(&operation.auth)?;
        let path = &binding.method;
        let uri = Uri::try_from(format!("{}{}{path}", endpoint.origin(), endpoint.path()))
            .map_err(|_| format!("`{path}` does not form a URL"))?;
        Ok(Self { endpoint, uri, method, credential })
    }

    pub(crate) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The parts of the key that a request carries; empty where none is needed.
    pub(crate) fn key_parts(&self) -> Vec<&str> {
        self.credential.iter().flat_map(KeyHeaders::parts).collect()
    }

    /// Forms the request for `input`, all parameters by name.
    ///
    /// # Errors
    /// E1112 for an input that is no such message.
    pub(crate) fn request(
        &self,
        input: Map<String, Value>,
        key: Option<&Key>,
        context: &CallContext<'_>,
    ) -> Result<Outgoing, CallError> {
        let options = DeserializeOptions::new().deny_unknown_fields(true);
        let message =
            DynamicMessage::deserialize_with_options(self.method.input(), Value::Object(input), &options)
                .map_err(|error| {
                    unsendable(format!("it is no {}: {error}", self.method.input().full_name()))
                })?;
        let length = message.encoded_len();
        if length > CALL_BODY_BYTES_MAX {
            return Err(unsendable(format!(
                "the message has {length} bytes, more than {CALL_BODY_BYTES_MAX}"
            )));
        }
        let mut body = BytesMut::new();
        frames::put(&mut body, &message).map_err(unsendable)?;
        let body = body.freeze();
        let mut redacted = Redacted::new(&Method::POST, &self.endpoint);
        redacted.target(self.uri.path());
        let mut headers = HeaderMap::with_capacity(7);
        if let (Some(own), Some(key)) = (&self.credential, key) {
            own.add(key, &mut headers, &mut redacted)?;
        }
        headers.insert(header::CONTENT_TYPE, GRPC);
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        headers.insert(header::USER_AGENT, USER_AGENT);
        let texts = [(REQUEST_ID, uuid_of(&context.request_nonce)), (TIMEOUT, timeout_text(context))];
        for (name, text) in texts {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        }
        for name in [&header::CONTENT_TYPE, &REQUEST_ID] {
            if let Some(value) = headers.get(name) {
                redacted.header(name.as_str(), value.to_str().unwrap_or_default());
            }
        }
        let redacted = redacted.finish(&body);
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.version_mut() = Version::HTTP_2;
        *request.headers_mut() = headers;
        Ok(Outgoing { request, redacted, asked: None })
    }
}

/// The messages and services of a set of descriptors. Of a file with another syntax the pool makes an error that it
/// cannot place, and panics, so that is looked at before.
fn pool_of(descriptors: &[u8]) -> Result<DescriptorPool, String> {
    let set = FileDescriptorSet::decode(descriptors).map_err(|error| error.to_string())?;
    let known = |syntax: &str| matches!(syntax, "proto2" | "proto3");
    if let Some(file) = set.file.iter().find(|file| !file.syntax.as_deref().is_none_or(known)) {
        return Err(format!("{:?} has the syntax {:?}, not proto2 or proto3", file.name(), file.syntax()));
    }
    DescriptorPool::decode(descriptors).map_err(|error| error.to_string())
}

/// The method that `binding` names, whose messages are what the schemas of `operation` say.
///
/// # Errors
/// What is wrong with it, by its place in the entry.
pub(crate) fn checked(
    binding: &GrpcBinding,
    operation: &OperationDescriptor,
) -> Result<MethodDescriptor, Fault> {
    let unreadable = |why: String| Fault::new("transport.descriptors", why);
    let descriptors = BASE64
        .decode(&binding.descriptors)
        .map_err(|_| unreadable("its descriptors are not base64".into()))?;
    let pool =
        pool_of(&descriptors).map_err(|why| unreadable(format!("its descriptors cannot be read: {why}")))?;
    let path = &binding.method;
    let named = path.strip_prefix('/').and_then(|path| path.split_once('/'));
    let method = named.and_then(|(service, method)| {
        pool.get_service_by_name(service)?.methods().find(|own| own.name() == method)
    });
    let wrong = |why: String| Fault::new("transport.method", why);
    let method = method.ok_or_else(|| wrong(format!("its descriptors have no method `{path}`")))?;
    if method.is_client_streaming() {
        return Err(wrong(format!("`{path}` takes a stream of requests, and a call has one")));
    }
    // A scheme that nobody here speaks is listed, like any other interface that cannot be called yet.
    if !matches!(operation.auth, Auth::None | Auth::Header { .. } | Auth::Headers { .. } | Auth::Other { .. })
    {
        let why = "over gRPC a caller identifies itself by headers, or not at all";
        return Err(Fault::new("auth", why));
    }
    fit::check(&operation.input, "input", &method.input(), false, fit::Direction::Request)?;
    if operation.output_complete {
        let streams = method.is_server_streaming();
        fit::check(&operation.output, "output", &method.output(), streams, fit::Direction::Answer)?;
    }
    Ok(method)
}

/// At most eight digits and a unit; what remains to the peer, so that it stops working when nobody waits.
fn timeout_text(context: &CallContext<'_>) -> String {
    match context.timeout.as_millis() {
        ms if ms < 100_000_000 => format!("{ms}m"),
        ms => format!("{}S", (ms / 1_000).min(99_999_999)),
    }
}

/// Reads the messages of one answer.
pub(crate) struct MessageReader<'a> {
    method: &'a MethodDescriptor,
    listener: Option<&'a dyn Listen>,
    pending: BytesMut,
    messages: Vec<Value>,
    /// What came of messages that are none, or only half of one: received, and so recorded.
    rest: Vec<Value>,
    /// Whether it ends within a message.
    is_cut: bool,
    failed: Option<CallError>,
}

impl<'a> MessageReader<'a> {
    pub(crate) fn new(plan: &'a GrpcPlan, listener: Option<&'a dyn Listen>) -> Self {
        let listener = listener.filter(|_| plan.method.is_server_streaming());
        Self {
            method: &plan.method,
            listener,
            pending: BytesMut::new(),
            messages: Vec::new(),
            rest: Vec::new(),
            is_cut: false,
            failed: None,
        }
    }

    /// The texts that its messages make together, place by place.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = String> {
        pieces::joined(self.messages.iter().chain(&self.rest))
    }

    /// Takes what no message ends, after the last part: half a message, and what stands behind one that is none.
    pub(crate) fn close(&mut self) {
        self.is_cut = !self.pending.is_empty();
        while let Some(bytes) = frames::take_broken(&mut self.pending) {
            self.rest.push(broken::value(&self.method.output(), &bytes));
        }
    }

    /// The answer's JSON: a message, or the list of them where the method streams. `headers` and `trailers` have the
    /// status.
    ///
    /// # Errors
    /// The status that is not OK, what is no message, or half a message.
    pub(crate) fn finish(mut self, headers: &HeaderMap, trailers: &HeaderMap) -> Result<Value, CallError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        // An answer without a message has its status in the head.
        let from = if trailers.contains_key(STATUS) { trailers } else { headers };
        if let Some(error) = status_error(from) {
            return Err(error);
        }
        if self.is_cut {
            return Err(CallError::new(
                CallErrorKind::Unavailable,
                code::STREAM_CUT,
                "the answer ends within a message",
            ));
        }
        match (self.method.is_server_streaming(), self.messages.len()) {
            (true, _) => Ok(Value::Array(self.messages)),
            (false, 1) => Ok(self.messages.swap_remove(0)),
            (false, got) => Err(CallError::invalid(
                code::FORM,
                "$",
                format!("the answer has {got} messages instead of one"),
            )),
        }
    }

    fn messages(&mut self) -> Result<(), CallError> {
        loop {
            let Some(message) = frames::take(&mut self.pending, CALL_BODY_BYTES_MAX)? else { return Ok(()) };
            let message = match self.read(message.clone()) {
                Ok(message) => message,
                Err(error) => {
                    self.rest.push(broken::value(&self.method.output(), &message));
                    return Err(error);
                }
            };
            if let Some(listener) = self.listener {
                listener.item(&message);
            }
            self.messages.push(message);
        }
    }

    fn read(&self, bytes: Bytes) -> Result<Value, CallError> {
        let output = self.method.output();
        let refuse = |why: String| {
            CallError::invalid(code::FORM, "$", format!("the answer is no {}: {why}", output.full_name()))
        };
        let message =
            DynamicMessage::decode(output.clone(), bytes).map_err(|error| refuse(error.to_string()))?;
        json_of(&message).map_err(|error| refuse(error.to_string()))
    }
}

fn json_of(message: &DynamicMessage) -> Result<Value, serde_json::Error> {
    let options = SerializeOptions::new()
        .stringify_64_bit_integers(false)
        .use_proto_field_name(true)
        .skip_default_fields(false);
    message.serialize_with_options(serde_json::value::Serializer, &options)
}

impl Watch for MessageReader<'_> {
    fn head(&mut self, _: StatusCode, _: &HeaderMap) {}

    fn part(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        self.pending.extend_from_slice(bytes);
        if let Err(error) = self.messages() {
            self.failed = Some(error);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

/// The error that a gRPC status is; `None` where it is OK.
pub(crate) fn status_error(headers: &HeaderMap) -> Option<CallError> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(status) = text(STATUS) else {
        return Some(CallError::new(
            CallErrorKind::Unavailable,
            code::CUT,
            "the answer ended without a gRPC status",
        ));
    };
    // Numbers and names by the gRPC documentation, "Status codes and their use in gRPC".
    let (kind, code, meaning) = match status.parse::<u32>() {
        Ok(0) => return None,
        Ok(1 | 10) => (CallErrorKind::Unavailable, code::PEER_FAILED, "the peer gave the request up"),
        Ok(4) => (CallErrorKind::Timeout, code::TIMEOUT, "the peer ran out of time"),
        Ok(8) => (CallErrorKind::RateLimited, code::RATE_LIMITED, "the peer asks to slow down"),
        Ok(7 | 16) => (CallErrorKind::Unauthorized, code::UNAUTHORIZED, "the peer refused the credentials"),
        Ok(3 | 5 | 6 | 9 | 11 | 12) => {
            (CallErrorKind::Rejected, code::REJECTED, "the peer refused the request")
        }
        _ => (CallErrorKind::Unavailable, code::PEER_FAILED, "the peer failed"),
    };
    let words = text(MESSAGE).map(|words| format!(": {}", shown(words))).unwrap_or_default();
    let mut error = CallError::new(kind, code, format!("{meaning} (gRPC status {status}){words}"));
    error.retry_after_ms = text(DETAILS).and_then(retry_after_ms);
    Some(error)
}

/// `grpc-message` is percent-encoded.
fn shown(words: &str) -> String {
    let mut bytes = Vec::with_capacity(words.len());
    let mut rest = words.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| {
            tail.get(..2).and_then(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        });
        match escaped.flatten() {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

/// `google.rpc.Status`, as the details of a status carry it.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, prost::Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<prost_types::Duration>,
}

fn retry_after_ms(details: &str) -> Option<u64> {
    let bytes = BASE64_BARE.decode(details.trim_end_matches('=')).ok()?;
    let status = RpcStatus::decode(bytes.as_slice()).ok()?;
    let info = status.details.iter().find(|detail| detail.type_url.ends_with("/google.rpc.RetryInfo"))?;
    let delay = RetryInfo::decode(info.value.as_slice()).ok()?.retry_delay?;
    let ms = u64::try_from(delay.seconds).ok()?.saturating_mul(1_000);
    Some(
        ms.saturating_add(u64::try_from(delay.nanos / 1_000_000).ok()?)
            .min(crate::status::RETRY_AFTER_MS_MAX),
    )
}
