//! Every transport against a server that is not ours: the btauth/1 peers of PyPI, and labelled stand-ins on FastAPI and
//! grpcio for what only the subnets themselves run (`tests/peers/README.md`).
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test helpers")]

mod attested;
mod btauth;
mod grpc;
mod grpc_bytes;
mod http;
mod imported;

use std::sync::Mutex;
use std::time::Duration;

use e2e::peer::Peer;
use schema::encode::to_json_value;
use schema::json_schema::OperationTypes;
use schema::operation::OperationDescriptor;
use secrecy::SecretString;
use serde_json::{Map, Value as Json, json};
use subnet::egress::{EgressPolicy, Options};
use subnet::hotkey::Hotkey;
use subnet::secrets::SecretStore;
use subnet::{CallContext, CallOutcome, Client, Follow, Listen};

/// Generous, because the machine may be busy.
const PATIENT: Duration = Duration::from_secs(60);

fn start(script: &str, args: &[&str]) -> Peer {
    Peer::start("ORCH_PEER_V11_PYTHON", "venv-v11", script, args)
}

/// An entry as a catalogue has it: `patch` over an operation without parameters whose answer is anything.
fn entry(patch: &Json) -> OperationDescriptor {
    let mut entry = json!({
        "id": "sn65030.peer", "netuid": 65030, "version": { "breaking": 1, "compatible": 0 }, "summary": "A peer.",
        "access": "open", "auth": { "kind": "none" }, "side_effects": "none",
        "repeat": { "safe": true, "costs_again": false },
        "input": { "type": "object", "properties": {} }, "output": {}, "output_complete": true,
        "sources": [{ "kind": "test", "reference": "tests/peers" }],
    });
    entry.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
    serde_json::from_value(entry).unwrap()
}

/// The JSON Schema of an object with these properties, the first `required` of them required.
fn object(required: usize, properties: &[(&str, Json)]) -> Json {
    let named = |(name, schema): &(&str, Json)| ((*name).to_owned(), schema.clone());
    let must: Vec<&str> = properties.iter().take(required).map(|(name, _)| *name).collect();
    json!({ "type": "object", "required": must,
        "properties": Map::from_iter(properties.iter().map(named)), "additionalProperties": false })
}

fn text() -> Json {
    json!({ "type": "string" })
}

fn integer() -> Json {
    json!({ "type": "integer" })
}

/// Keeps what it hears.
#[derive(Debug, Default)]
struct Heard(Mutex<Vec<Json>>);

impl Listen for Heard {
    fn item(&self, item: &Json) {
        self.0.lock().unwrap().push(item.clone());
    }
}

/// What a call needs besides its input.
#[derive(Default)]
struct Caller<'a> {
    key: Option<&'a str>,
    /// Of a key of several parts, each with its name.
    parts: &'a [(&'a str, &'a str)],
    hotkey: Option<Hotkey>,
    heard: Option<&'a Heard>,
    pages: Option<u32>,
}

impl Caller<'_> {
    /// The answer as JSON, besides the outcome.
    async fn call(&self, operation: &OperationDescriptor, input: Json) -> (Json, CallOutcome) {
        let policy = EgressPolicy { allow_loopback: true, allow_private: false };
        let client = Client::new(Options { policy, ..Options::default() }).unwrap();
        let types = OperationTypes::of(operation).unwrap();
        let prepared = client.prepare(operation, types.clone().into(), None).unwrap();
        let mut secrets = SecretStore::new();
        if let Some(key) = self.key {
            secrets.insert("sn65030", prepared.origin().as_str(), &SecretString::from(key)).unwrap();
        }
        if !self.parts.is_empty() {
            let parts = self.parts.iter().map(|(name, part)| ((*name).to_owned(), SecretString::from(*part)));
            secrets.insert_parts("sn65030", prepared.origin().as_str(), parts, None).unwrap();
        }
        let mut request_nonce = [0; 32];
        request_nonce[..16].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
        let context = CallContext {
            request_nonce,
            timeout: PATIENT,
            secrets: &secrets,
            hotkey: self.hotkey.as_ref(),
            follow: Follow { pages: self.pages.unwrap_or(1), ..Follow::default() },
            listener: self.heard.map(|heard| heard as &dyn Listen),
        };
        let Json::Object(fields) = input else { panic!("the input is an object") };
        let outcome = client.call_fields(&prepared, fields, &context).await;
        let answer = outcome
            .result
            .as_ref()
            .map_or(Json::Null, |value| to_json_value(value, &types.output, &types.defs).unwrap());
        (answer, outcome)
    }
}

/// Kind and code of the failure, and whether its message has these words.
fn failure(outcome: &CallOutcome, words: &str) -> (&'static str, String) {
    let error = outcome.result.as_ref().unwrap_err();
    assert!(error.message.contains(words), "{error}");
    (error.kind.name(), error.code.clone())
}

fn is(kind: &'static str, code: &str) -> (&'static str, String) {
    (kind, code.to_owned())
}
