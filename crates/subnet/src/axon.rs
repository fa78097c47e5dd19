//! The v10 axon protocol: what a request to a miner must carry.
//!
//! A request is one JSON object sent to `/<SynapseClass>`; its headers carry the caller's sr25519 signature over a
//! nonce, both hotkeys, a uuid and a hash of some of the body's fields. Answers are not signed, so nothing here
//! attributes one to a miner. `tests/peers` holds requests captured from the real SDK.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::{HeaderName, HeaderValue, InvalidHeaderName, InvalidHeaderValue};
use http::{HeaderMap, header};
use serde_json::{Map, Value};
use sha3::{Digest as _, Sha3_256};

use crate::hotkey::{Hotkey, hex};
use crate::python;

/// The SDK version that requests declare, as major * 10^6 + minor * 10^3 + patch. From 7002000 on axons check the
/// age of the nonce, which is wanted: 10.5.0 is the last release with axons.
const SDK_VERSION: &str = "10005000";

/// What a request says of itself besides its fields; the signature covers all but `timeout`.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// Class name of the synapse.
    pub synapse: &'a str,
    /// SS58 address of the miner.
    pub receiver: &'a str,
    /// Nanoseconds since 1970. An axon refuses one older than 4 s plus the timeout, and, for a uuid it has seen,
    /// one that is not larger than the last.
    pub nonce: u64,
    /// Scope of the nonce. Fresh for each request, because concurrent requests on one uuid overtake one another.
    pub uuid: &'a str,
    /// How long the caller will wait.
    pub timeout: Duration,
}

/// A header that cannot be sent: a field or class name with other characters than headers have.
#[derive(Debug, thiserror::Error)]
#[error("synapse or field name cannot be sent in a header")]
pub struct HeaderError {
    source: http::Error,
}

impl From<InvalidHeaderName> for HeaderError {
    fn from(source: InvalidHeaderName) -> Self {
        Self { source: source.into() }
    }
}

impl From<InvalidHeaderValue> for HeaderError {
    fn from(source: InvalidHeaderValue) -> Self {
        Self { source: source.into() }
    }
}

/// The hash an axon computes over `values`, the signed fields in the synapse's declared order.
#[must_use]
pub fn body_hash<'a>(values: impl IntoIterator<Item = &'a Value>) -> String {
    let mut all = Sha3_256::new();
    for value in values {
        all.update(digest_hex(&Sha3_256::digest(python::str_of(value))));
    }
    digest_hex(&all.finalize())
}

fn digest_hex(digest: &[u8]) -> String {
    hex(digest).split_off(2)
}

/// The text that the caller signs.
#[must_use]
pub fn signed_message(envelope: &Envelope<'_>, sender: &str, body_hash: &str) -> String {
    let Envelope { nonce, receiver, uuid, .. } = envelope;
    format!("{nonce}.{sender}.{receiver}.{uuid}.{body_hash}")
}

/// All headers of a signed request. `required` names the fields without a default, `signed` those that the hash
/// covers, in declared order; a signed field that is absent from `fields` counts as `None`.
///
/// # Errors
/// [`HeaderError`] for names that no header can carry.
pub fn headers(
    envelope: &Envelope<'_>,
    fields: &Map<String, Value>,
    required: &[String],
    signed: &[String],
    hotkey: &Hotkey,
) -> Result<HeaderMap, HeaderError> {
    let hash = body_hash(signed.iter().map(|name| fields.get(name).unwrap_or(&Value::Null)));
    let signature = hotkey.sign(signed_message(envelope, hotkey.address(), &hash).as_bytes());
    let timeout = format!("{:?}", envelope.timeout.as_secs_f64());
    let nonce = envelope.nonce.to_string();
    let mut headers = HeaderMap::with_capacity(12 + required.len());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in [
        ("name", envelope.synapse),
        ("timeout", &timeout),
        ("bt_header_axon_hotkey", envelope.receiver),
        ("bt_header_dendrite_version", SDK_VERSION),
        ("bt_header_dendrite_nonce", &nonce),
        ("bt_header_dendrite_uuid", envelope.uuid),
        ("bt_header_dendrite_hotkey", hotkey.address()),
        ("bt_header_dendrite_signature", &hex(&signature)),
        ("computed_body_hash", &hash),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value)?);
    }
    for field in required {
        let name = HeaderName::try_from(format!("bt_header_input_obj_{field}"))?;
        let empty = BASE64.encode(empty_of(fields.get(field).unwrap_or(&Value::Null)));
        headers.insert(name, HeaderValue::from_str(&empty)?);
    }
    Ok(headers)
}

/// JSON of the empty value of the same kind, which is all an axon wants to see of a required field in its header.
fn empty_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "false",
        Value::Number(number) if number.is_f64() => "0.0",
        Value::Number(_) => "0",
        Value::String(_) => "\"\"",
        Value::Array(_) => "[]",
        Value::Object(_) => "{}",
    }
}
