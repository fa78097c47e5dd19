//! An axon of the v10 protocol: the checks of the real one, in its order and with its words.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderValue, StatusCode};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use subnet::axon::{Envelope, body_hash, signed_message};
use subnet::hotkey::{self, Hotkey};
use subnet::ss58;

use crate::serve::{Answer, Asked, reply};
use crate::{chat, pages, web};

/// A first nonce may be this much older than the caller's own timeout.
const NONCE_DELTA_NS: u64 = 4_000_000_000;
/// Callers from this version on have the age of their first nonce checked.
const VERSION_WITH_AGE: u64 = 7_002_000;
/// Remembered nonces before those that are too old to matter are dropped.
const NONCES_REMEMBERED: usize = 65_536;
const NONCE_KEPT_NS: u64 = 600_000_000_000;

/// A synapse: the fields of a class with their defaults, as pydantic would fill them in.
struct Synapse {
    name: &'static str,
    /// Name, default as JSON text (`None` where the field is required).
    fields: &'static [(&'static str, Kind, Option<&'static str>)],
    /// All of them are signed, in this order.
    answer: &'static str,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Integer,
}

const SYNAPSES: [Synapse; 2] = [
    Synapse {
        name: "StructuredGeneration",
        fields: &[("prompt", Kind::Text, None), ("response_schema", Kind::Text, Some("\"\""))],
        answer: "answer",
    },
    Synapse {
        name: "WebSearch",
        fields: &[("query", Kind::Text, None), ("count", Kind::Integer, Some("10"))],
        answer: "results",
    },
];

/// The miner behind the axon.
pub(crate) struct Miner {
    hotkey: Hotkey,
    /// The last nonce of each caller and uuid.
    nonces: Mutex<BTreeMap<(String, String), u64>>,
}

impl Miner {
    pub(crate) const fn new(hotkey: Hotkey) -> Self {
        Self { hotkey, nonces: Mutex::new(BTreeMap::new()) }
    }

    pub(crate) fn address(&self) -> &str {
        self.hotkey.address()
    }

    pub(crate) fn answer(&self, request: &Asked) -> Answer {
        let name = request.uri().path().trim_start_matches('/');
        let Some(synapse) = SYNAPSES.iter().find(|synapse| synapse.name == name) else {
            let known: Vec<&str> = SYNAPSES.iter().map(|synapse| synapse.name).collect();
            let message = format!("Synapse name '{name}' not found. Available synapses {known:?}");
            return failed(StatusCode::NOT_FOUND, &message);
        };
        match self.checked(synapse, request) {
            Ok(fields) => respond(synapse, fields, request.headers()),
            Err(Refusal::Unverified(why)) => {
                failed(StatusCode::UNAUTHORIZED, &format!("Not Verified with error: {why}"))
            }
            Err(Refusal::Broken) => {
                failed(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error #sample")
            }
        }
    }

    fn checked(&self, synapse: &Synapse, request: &Asked) -> Result<Map<String, Value>, Refusal> {
        let headers = request.headers();
        for (field, ..) in synapse.fields.iter().filter(|(_, _, default)| default.is_none()) {
            text_of(headers, &format!("bt_header_input_obj_{field}")).ok_or(Refusal::Broken)?;
        }
        let claimed = text_of(headers, "computed_body_hash").unwrap_or_default();
        self.verify(headers, synapse.name, claimed)?;
        let body =
            serde_json::from_slice::<Map<String, Value>>(request.body()).map_err(|_| Refusal::Broken)?;
        let fields = parsed(synapse, &body).ok_or(Refusal::Broken)?;
        if body_hash(fields.values()) == claimed { Ok(fields) } else { Err(Refusal::Broken) }
    }

    fn verify(&self, headers: &HeaderMap, synapse: &str, claimed_hash: &str) -> Result<(), Refusal> {
        let of = |name: &str| text_of(headers, &format!("bt_header_dendrite_{name}"));
        let nonce = of("nonce").ok_or(Refusal::Unverified("Missing Nonce".into()))?;
        let nonce: u64 = nonce.parse().map_err(|_| Refusal::Broken)?;
        let sender = of("hotkey")
            .ok_or(Refusal::Unverified("No SS58 formatted address or public key provided.".into()))?;
        let key = ss58::decode(sender).map_err(|error| Refusal::Unverified(error.to_string()))?;
        let signature = of("signature").ok_or(Refusal::Unverified("Missing Signature".into()))?;
        let uuid = of("uuid").unwrap_or_default();
        let timeout: f64 = text_of(headers, "timeout").and_then(|text| text.parse().ok()).unwrap_or(12.0);
        let version: u64 = of("version").and_then(|text| text.parse().ok()).unwrap_or(0);
        let id = (sender.to_owned(), uuid.to_owned());
        let mut nonces = self.nonces.lock();
        match nonces.get(&id) {
            Some(last) if nonce <= *last => {
                return Err(Refusal::Unverified("Nonce is too old, a newer one was last processed".into()));
            }
            None if version >= VERSION_WITH_AGE => check_age(nonce, timeout)?,
            _ => {}
        }
        let envelope =
            Envelope { synapse, receiver: self.hotkey.address(), nonce, uuid, timeout: Default::default() };
        let message = signed_message(&envelope, sender, claimed_hash);
        let genuine = unhex(signature).is_some_and(|bytes| hotkey::verify(&key, message.as_bytes(), &bytes));
        if !genuine {
            return Err(Refusal::Unverified(format!("Signature mismatch with {message} and {signature}")));
        }
        if nonces.len() >= NONCES_REMEMBERED {
            let oldest = now_ns().saturating_sub(NONCE_KEPT_NS);
            nonces.retain(|_, last| *last >= oldest);
        }
        nonces.insert(id, nonce);
        Ok(())
    }
}

enum Refusal {
    Unverified(String),
    /// Whatever the real axon answers 500 to: headers or fields that do not parse, a body hash that does not fit.
    Broken,
}

fn check_age(nonce: u64, timeout_s: f64) -> Result<(), Refusal> {
    let allowed = NONCE_DELTA_NS.saturating_add((timeout_s.max(0.0) * 1e9) as u64);
    let age = now_ns().saturating_sub(nonce);
    if age < allowed {
        return Ok(());
    }
    let seconds = |ns: u64| ns as f64 / 1e9;
    Err(Refusal::Unverified(format!(
        "Nonce is too old: acceptable delta is {:.2} seconds but request was {:.2} seconds old",
        seconds(allowed),
        seconds(age)
    )))
}

fn now_ns() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}

/// The signed fields in declared order, defaults filled in; `None` where one has another type.
fn parsed(synapse: &Synapse, body: &Map<String, Value>) -> Option<Map<String, Value>> {
    let mut fields = Map::new();
    for (name, kind, default) in synapse.fields {
        let value = match (body.get(*name), default) {
            (Some(value), _) => value.clone(),
            (None, Some(default)) => serde_json::from_str(default).ok()?,
            (None, None) => return None,
        };
        let fits = match kind {
            Kind::Text => value.is_string(),
            Kind::Integer => value.is_i64() || value.is_u64(),
        };
        if !fits {
            return None;
        }
        fields.insert((*name).into(), value);
    }
    Some(fields)
}

/// The whole synapse with its answer field, and the headers that a real axon adds.
fn respond(synapse: &Synapse, mut fields: Map<String, Value>, asked: &HeaderMap) -> Answer {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let made = match synapse.name {
        "WebSearch" => {
            let count = fields
                .get("count")
                .and_then(Value::as_u64)
                .and_then(|n| usize::try_from(n).ok())
                .unwrap_or(0);
            Value::Array(web::hits(pages::search(text("query"), 0)).into_iter().take(count).collect())
        }
        _ => {
            let schema: Option<Value> = serde_json::from_str(text("response_schema")).ok();
            Value::String(chat::complete(text("prompt"), schema.as_ref()))
        }
    };
    fields.insert(synapse.answer.into(), made);
    fields.insert("name".into(), synapse.name.into());
    let mut answer = reply(StatusCode::OK, &Value::Object(fields));
    let headers = answer.headers_mut();
    headers.insert("name", HeaderValue::from_static(synapse.name));
    headers.insert("bt_header_axon_status_code", HeaderValue::from_static("200"));
    headers.insert("bt_header_axon_status_message", HeaderValue::from_static("Success"));
    for echoed in ["timeout", "computed_body_hash"] {
        if let Some(value) = asked.get(echoed) {
            headers.insert(echoed, value.clone());
        }
    }
    answer
}

fn failed(status: StatusCode, message: &str) -> Answer {
    reply(status, &json!({ "message": message }))
}

fn text_of<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn unhex(signature: &str) -> Option<[u8; 64]> {
    let digits = signature.strip_prefix("0x")?.as_bytes();
    let pairs =
        digits.chunks_exact(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    pairs.collect::<Option<Vec<u8>>>()?.try_into().ok()
}
