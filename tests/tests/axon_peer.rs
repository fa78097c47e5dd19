//! The axon transport against the real axon of `bittensor` 10.5.0 (`tests/peers/axon_server.py`).
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test helpers")]

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use e2e::axon::Axon;
use http_body_util::Full;
use schema::error::CallErrorKind;
use schema::operation::{OperationDescriptor, Transport};
use schema::value::Value;
use serde_json::{Map, Value as Json, json};
use subnet::egress::{EgressPolicy, Options};
use subnet::hotkey::Hotkey;
use subnet::secrets::SecretStore;
use subnet::{CallContext, CallOutcome, Client, Follow, OperationTypes, axon};

/// Generous, because the machine may be busy.
const PATIENT: Duration = Duration::from_secs(60);

/// One peer for all tests that need no special arguments.
fn shared() -> &'static Axon {
    static SHARED: OnceLock<Axon> = OnceLock::new();
    SHARED.get_or_init(|| Axon::start(&["--obey", "1"]))
}

fn operation(axon: &Axon, synapse: &str, input: Json, output: Json, signed: &[&str]) -> OperationDescriptor {
    axon.operation("peer", synapse, input, output, signed)
}

fn search(axon: &Axon) -> OperationDescriptor {
    let input = json!({
        "type": "object", "required": ["query"],
        "properties": {"query": {"type": "string"}, "count": {"type": "integer", "default": 10}},
    });
    let hit = json!({"type": "object", "required": ["link"], "properties": {"link": {"type": "string"}}});
    let output = json!({
        "type": "object", "required": ["results"],
        "properties": {"results": {"type": "array", "items": hit}},
    });
    operation(axon, "WebSearch", input, output, &["query", "count"])
}

fn types(operation: &OperationDescriptor) -> OperationTypes {
    schema::json_schema::OperationTypes::of(operation).unwrap().into()
}

fn answer_of(name: &str, schema: Json) -> Json {
    json!({"type": "object", "required": [name], "properties": {name: schema}})
}

/// The input record of `operation` with these fields, all others absent.
fn input_of(operation: &OperationDescriptor, fields: &[(&str, Value)]) -> Value {
    let types = types(operation);
    let record = types.defs.record(types.input).unwrap();
    let value = |name: &str| fields.iter().find(|(own, _)| *own == name).map(|(_, value)| value.clone());
    Value::record(record.fields.iter().map(|field| value(&field.name).unwrap_or(Value::Null)))
}

fn search_input(query: &str) -> Value {
    input_of(&search(shared()), &[("query", Value::string(query)), ("count", Value::Int(2))])
}

fn client() -> Client {
    let policy = EgressPolicy { allow_loopback: true, allow_private: false };
    Client::new(Options { policy, ..Options::default() }).unwrap()
}

async fn call_as(
    hotkey: Option<&Hotkey>,
    operation: &OperationDescriptor,
    input: &Value,
    timeout: Duration,
) -> CallOutcome {
    let client = client();
    let prepared = client.prepare(operation, types(operation), None).unwrap();
    let mut request_nonce = [0; 32];
    request_nonce[..16].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
    let context = CallContext {
        request_nonce,
        timeout,
        secrets: &SecretStore::new(),
        hotkey,
        follow: Follow::default(),
        listener: None,
    };
    client.call(&prepared, input, &context).await
}

async fn call(operation: &OperationDescriptor, input: &Value) -> CallOutcome {
    call_as(Some(&caller()), operation, input, PATIENT).await
}

fn caller() -> Hotkey {
    Hotkey::from_seed(&[9; 32])
}

fn assert_failed(outcome: &CallOutcome, kind: CallErrorKind, code: &str, words: &str) {
    let error = outcome.result.as_ref().expect_err("a failure");
    assert_eq!((error.kind, error.code.as_str()), (kind, code), "{error}");
    assert!(error.message.contains(words), "{error}");
}

/// The only field of the answer.
fn only(outcome: &CallOutcome) -> Value {
    match outcome.result.as_ref().expect("an answer").as_record() {
        Some([value]) => value.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_signed_call_is_answered() {
    let axon = shared();
    let outcome = call(&search(axon), &search_input("rust's \"async\" runtime é☃")).await;
    assert_eq!(only(&outcome).as_list().map(<[Value]>::len), Some(2));
    assert_eq!((outcome.status, outcome.sent), (Some(200), true));
    assert_eq!(outcome.peer.as_deref(), Some(axon.hotkey.as_str()));
    let canonical = String::from_utf8_lossy(&outcome.redacted_request).into_owned();
    assert!(
        canonical.starts_with(&format!("orchestra.request/1\nPOST {}/WebSearch\n", axon.origin)),
        "{canonical}"
    );
    assert!(canonical.contains("\ncomputed_body_hash: ") && !canonical.contains("signature"), "{canonical}");
}

/// Lists, maps, floats, absent optionals and characters of every kind, whose Python texts the signature covers.
#[tokio::test]
async fn every_kind_of_signed_field_hashes_as_the_peer_hashes_it() {
    let axon = shared();
    let message = json!({"type": "object", "additionalProperties": {"type": "string"}});
    let input = json!({
        "type": "object", "required": ["messages"],
        "properties": {
            "messages": {"type": "array", "items": message},
            "temperature": {"type": "number", "default": 1},
            "max_tokens": {"type": "integer", "default": 64},
            "seed": {"type": "integer"},
        },
    });
    let signed = ["messages", "temperature", "max_tokens", "seed"];
    let generate =
        operation(axon, "TextGeneration", input, answer_of("completion", json!({"type": "string"})), &signed);
    for (content, temperature, seed) in [
        ("defaults are hashed as floats and integers", Value::Null, Value::Null),
        ("plain", Value::Float(1.0), Value::Null),
        ("it's", Value::Float(0.1), Value::Int(7)),
        ("\"it's\"\\", Value::Float(1e-5), Value::Int(-1)),
        ("tab\t nl\n cr\r nul\0 del\u{7f} esc\u{1b}", Value::Float(1e16), Value::Null),
        (
            "é 你好 😀 \u{200b}\u{a0}\u{ad}\u{feff}\u{2028}\u{e000}\u{10ffff}",
            Value::Float(0.30000000000000004),
            Value::Null,
        ),
        (
            "e\u{301} \u{1f468}\u{200d}\u{1f469} \u{378}",
            Value::Float(123_456_789.123_456_79),
            Value::Int(i64::MAX),
        ),
    ] {
        let entries = [("role", "user"), ("content", content)];
        let map = entries.map(|(name, text)| (Arc::from(name), Value::string(text)));
        let messages = Value::list([Value::Map(Arc::new(map.into_iter().collect()))]);
        let fields = [
            ("messages", messages),
            ("temperature", temperature),
            ("max_tokens", Value::Int(8)),
            ("seed", seed),
        ];
        let input = input_of(&generate, &fields);
        let outcome = call(&generate, &input).await;
        assert!(matches!(only(&outcome), Value::String(_)), "{content:?}");
    }
    let input = json!({
        "type": "object", "required": ["urls"],
        "properties": {
            "urls": {"type": "array", "items": {"type": "string", "format": "uri"}},
            "keywords": {"type": "array", "items": {"type": "string"}, "default": []},
            "limit": {"type": "integer", "default": 100},
        },
    });
    let records = json!({"type": "array", "minItems": 1, "maxItems": 1, "items": {}});
    let extract =
        operation(axon, "UrlExtract", input, answer_of("data", records), &["urls", "keywords", "limit"]);
    let urls = Value::list([Value::string("https://a.example/it's"), Value::string("https://b.example")]);
    let input = input_of(&extract, &[("urls", urls), ("limit", Value::Int(1))]);
    let outcome = call(&extract, &input).await;
    assert!(outcome.result.is_ok(), "{:?}", outcome.result);
}

#[tokio::test]
async fn a_synapse_without_hash_fields_is_called_too() {
    let output = answer_of("answer", json!({"type": "string"}));
    let alive = operation(shared(), "IsAlive", json!({"type": "object"}), output, &[]);
    let outcome = call(&alive, &Value::record([])).await;
    assert_eq!(only(&outcome), Value::string("True"));
}

#[tokio::test]
async fn a_structured_answer_fits_the_schema_that_was_sent() {
    let axon = shared();
    let input = json!({
        "type": "object", "required": ["prompt"],
        "properties": {"prompt": {"type": "string"}, "response_schema": {"type": "string", "default": ""}},
    });
    let output = answer_of("answer", json!({"type": "string"}));
    let generate = operation(axon, "StructuredGeneration", input, output, &["prompt", "response_schema"]);
    let wanted = json!({
        "type": "array", "maxItems": 8,
        "items": {"$ref": "#/$defs/Claim"},
        "$defs": {"Claim": {"type": "object", "required": ["text", "stance", "sources"], "properties": {
            "text": {"type": "string", "maxLength": 40},
            "stance": {"enum": ["Ahead", "Level", "Behind"]},
            "sources": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "uri"}},
        }}},
    });
    let prompt = "Compare Acme with Zenith. See https://a.example/1 and https://b.example/2.";
    let schema = Value::string(wanted.to_string());
    let input = input_of(&generate, &[("prompt", Value::string(prompt)), ("response_schema", schema)]);
    let answer = only(&call(&generate, &input).await);
    let claims: serde_json::Value = serde_json::from_str(answer.as_str().unwrap()).unwrap();
    let claims = claims.as_array().unwrap();
    assert!(!claims.is_empty() && claims.len() <= 8);
    for claim in claims {
        assert!(claim["text"].as_str().unwrap().chars().count() <= 40, "{claim}");
        assert!(["Ahead", "Level", "Behind"].contains(&claim["stance"].as_str().unwrap()));
        assert!(claim["sources"][0].as_str().unwrap().starts_with("https://"));
    }
    let again = only(&call(&generate, &input).await);
    assert_eq!(again, answer, "equal inputs give equal answers");
}

/// The same bytes twice: the axon must refuse the second, and the refusal must be the caller's `Unauthorized`.
#[tokio::test]
async fn a_replayed_request_is_refused() {
    let (first, again) = {
        let request = Signed::new(shared(), SystemTime::now());
        (request.send().await, request.send().await)
    };
    assert_eq!(first.0, 200, "{}", first.1);
    assert_eq!(again.0, 401, "{}", again.1);
    assert!(again.1.contains("Nonce is too old"), "{}", again.1);
}

#[tokio::test]
async fn a_request_older_than_its_timeout_is_refused() {
    let hour_ago = SystemTime::now() - Duration::from_secs(3_600);
    let (status, body) = Signed::new(shared(), hour_ago).send().await;
    assert_eq!(status, 401);
    assert!(body.contains("acceptable delta"), "{body}");
}

#[tokio::test]
async fn a_changed_signature_or_body_is_refused() {
    let mut forged = Signed::new(shared(), SystemTime::now());
    let zeros = format!("0x{}", "0".repeat(128));
    forged.headers.insert("bt_header_dendrite_signature", zeros.parse().unwrap());
    let (status, body) = forged.send().await;
    assert!(status == 401 && body.contains("Signature mismatch"), "{status} {body}");
    let mut tampered = Signed::new(shared(), SystemTime::now());
    tampered.body = Bytes::from_static(br#"{"query": "other", "count": 2}"#);
    assert_eq!(tampered.send().await.0, 500);
}

/// A signed search whose bytes a test can change and send as often as it likes.
struct Signed {
    origin: String,
    headers: http::HeaderMap,
    body: Bytes,
}

impl Signed {
    fn new(axon: &Axon, at: SystemTime) -> Self {
        let mut fields = Map::new();
        fields.insert("query".into(), "q".into());
        fields.insert("count".into(), 2.into());
        let uuid = uuid::Uuid::new_v4().to_string();
        let envelope = axon::Envelope {
            synapse: "WebSearch",
            receiver: &axon.hotkey,
            nonce: u64::try_from(at.duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap(),
            uuid: &uuid,
            timeout: Duration::from_secs(12),
        };
        let names = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let headers =
            axon::headers(&envelope, &fields, &names(&["query"]), &names(&["query", "count"]), &caller())
                .unwrap();
        Self { origin: axon.origin.clone(), headers, body: serde_json::to_vec(&fields).unwrap().into() }
    }

    async fn send(&self) -> (u16, String) {
        let client = client();
        let endpoint = client.egress().endpoint(&self.origin).unwrap();
        let mut request = http::Request::post(format!("{}/WebSearch", self.origin));
        *request.headers_mut().unwrap() = self.headers.clone();
        let request = request.body(Full::new(self.body.clone())).unwrap();
        let exchange = client.egress().exchange(&endpoint, request, PATIENT).await.0.unwrap();
        (exchange.status.as_u16(), String::from_utf8_lossy(&exchange.body).into_owned())
    }
}

#[tokio::test]
async fn a_request_for_another_miner_is_unauthorized() {
    let mut operation = search(shared());
    if let Transport::Axon(binding) = &mut operation.transport {
        binding.hotkey = Hotkey::from_seed(&[1; 32]).address().into();
    }
    let outcome = call(&operation, &search_input("q")).await;
    assert_failed(&outcome, CallErrorKind::Unauthorized, "E1145", "Signature mismatch");
}

#[tokio::test]
async fn a_call_without_a_hotkey_is_not_sent() {
    let operation = search(shared());
    let outcome = call_as(None, &operation, &search_input("q"), PATIENT).await;
    assert_failed(&outcome, CallErrorKind::Unauthorized, "E1108", "hotkey");
    assert!(!outcome.sent);
}

#[tokio::test]
async fn an_unknown_synapse_is_rejected() {
    let mut operation = search(shared());
    if let Transport::Axon(binding) = &mut operation.transport {
        binding.synapse = "Nope".into();
    }
    let outcome = call(&operation, &search_input("q")).await;
    assert_failed(&outcome, CallErrorKind::Rejected, "E1146", "Synapse name 'Nope' not found");
}

/// A wrong order of hash fields, and a required field that is not announced: what a wrong Ledger entry looks like.
#[tokio::test]
async fn an_entry_that_does_not_fit_the_synapse_fails_at_the_peer() {
    let mut swapped = search(shared());
    if let Transport::Axon(binding) = &mut swapped.transport {
        binding.hash_fields.reverse();
    }
    let mut unannounced = search(shared());
    unannounced.input["required"] = json!([]);
    for operation in [swapped, unannounced] {
        let input = input_of(&operation, &[("query", Value::string("q")), ("count", Value::Int(2))]);
        let outcome = call(&operation, &input).await;
        assert_failed(&outcome, CallErrorKind::Unavailable, "E1143", "Internal Server Error");
    }
}

#[tokio::test]
async fn each_fault_of_the_peer_has_its_kind() {
    for (fault, kind, code, words) in [
        ("error", CallErrorKind::Unavailable, "E1143", "status 500"),
        ("wrong_schema", CallErrorKind::Invalid, "E1120", "expected"),
        ("drop", CallErrorKind::Unavailable, "E1142", "closed"),
        ("truncate", CallErrorKind::Unavailable, "E1142", "closed"),
    ] {
        let input = search_input(&format!("fault:{fault}"));
        let outcome = call(&search(shared()), &input).await;
        assert_failed(&outcome, kind, code, words);
        assert!(outcome.sent, "{fault}");
    }
    // The connection pool is none the worse for it.
    assert!(call(&search(shared()), &search_input("q")).await.result.is_ok());
}

#[tokio::test]
async fn a_slow_peer_costs_the_timeout() {
    let input = search_input("fault:hang");
    let timeout = Duration::from_millis(1_500);
    let outcome = call_as(Some(&caller()), &search(shared()), &input, timeout).await;
    assert_failed(&outcome, CallErrorKind::Timeout, "E1140", "1500 ms");
    assert!(outcome.sent && outcome.timings.total >= timeout);
}

/// Keeps what it hears.
#[derive(Debug, Default)]
struct Heard(std::sync::Mutex<Vec<Json>>);

impl subnet::Listen for Heard {
    fn item(&self, item: &Json) {
        self.0.lock().unwrap().push(item.clone());
    }
}

#[tokio::test]
async fn a_streaming_synapse_is_heard_word_by_word_and_answers_the_whole() {
    let axon = shared();
    let input =
        json!({"type": "object", "required": ["prompt"], "properties": {"prompt": {"type": "string"}}});
    let mut stream = operation(axon, "TextStream", input, json!({"type": "string"}), &["prompt"]);
    stream.delivery = serde_json::from_value(json!({
        "kind": "stream", "framing": "text", "item": {"type": "string"}, "gather": {"kind": "text", "from": ""},
    }))
    .unwrap();
    let (client, heard, secrets, hotkey) = (client(), Heard::default(), SecretStore::new(), caller());
    let prepared = client.prepare(&stream, types(&stream), None).unwrap();
    let context = CallContext {
        request_nonce: [5; 32],
        timeout: PATIENT,
        secrets: &secrets,
        hotkey: Some(&hotkey),
        follow: Follow::default(),
        listener: Some(&heard),
    };
    let outcome =
        client.call(&prepared, &input_of(&stream, &[("prompt", Value::string("tell me"))]), &context).await;
    let whole = outcome.result.unwrap();
    let whole = whole.as_str().unwrap();
    assert_eq!(whole.split_whitespace().count(), 16);
    let heard: Vec<Json> = heard.0.lock().unwrap().clone();
    assert!(heard.len() > 1, "{heard:?}");
    assert_eq!(heard.iter().map(|item| item.as_str().unwrap()).collect::<String>(), whole);
}

#[tokio::test]
async fn concurrent_calls_do_not_overtake_one_another() {
    let axon = shared();
    let client = client();
    let prepared = client.prepare(&search(axon), types(&search(axon)), None).unwrap();
    let mut calls = tokio::task::JoinSet::new();
    for index in 0..16 {
        let (client, prepared, hotkey) = (client.clone(), prepared.clone(), caller());
        calls.spawn(async move {
            let mut request_nonce = [0; 32];
            request_nonce[..16].copy_from_slice(uuid::Uuid::new_v4().as_bytes());
            let secrets = SecretStore::new();
            let context = CallContext {
                request_nonce,
                timeout: PATIENT,
                secrets: &secrets,
                hotkey: Some(&hotkey),
                follow: Follow::default(),
                listener: None,
            };
            client.call(&prepared, &search_input(&format!("q{index}")), &context).await
        });
    }
    for outcome in calls.join_all().await {
        assert!(outcome.result.is_ok(), "{:?}", outcome.result);
    }
}

#[tokio::test]
async fn a_caller_who_is_not_on_the_list_is_unauthorized() {
    let other = Hotkey::from_seed(&[2; 32]);
    let axon = tokio::task::spawn_blocking(move || Axon::start(&["--allow", other.address()])).await.unwrap();
    let outcome = call(&search(&axon), &search_input("q")).await;
    assert_failed(&outcome, CallErrorKind::Unauthorized, "E1145", "Key is blacklisted: Unrecognized hotkey.");
    let listed = Hotkey::from_seed(&[2; 32]);
    let outcome = call_as(Some(&listed), &search(&axon), &search_input("q"), PATIENT).await;
    assert!(outcome.result.is_ok());
}
