//! The sample subnets behind the real client, by the entries of the catalogue.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a broken sample should end the test"
)]

use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use samples::{Faults, Options, Samples};
use schema::error::CallErrorKind;
use schema::json_schema::OperationTypes;
use schema::operation::{AxonBinding, OperationDescriptor, Transport};
use secrecy::SecretString;
use serde_json::{Value, json};
use subnet::egress::{self, EgressPolicy};
use subnet::hotkey::Hotkey;
use subnet::secrets::SecretStore;
use subnet::{CallContext, CallOutcome, Client};

struct Caller {
    client: Client,
    secrets: SecretStore,
    hotkey: Hotkey,
    samples: Samples,
}

impl Caller {
    async fn start(options: Options) -> Self {
        let samples = samples::start(options).await.unwrap();
        let client = Client::new(egress::Options {
            policy: EgressPolicy { allow_loopback: true, allow_private: false },
            extra_roots_pem: vec![samples.ca_pem.clone()],
            ..egress::Options::default()
        })
        .unwrap();
        let mut secrets = SecretStore::new();
        secrets.insert("sn22", &samples.search_url, &SecretString::from(samples.search_key)).unwrap();
        for subnet in ["sn28", "sn64", "sn96"] {
            secrets.insert(subnet, &samples.chat_url, &SecretString::from(samples.chat_key)).unwrap();
        }
        Self { client, secrets, hotkey: Hotkey::from_seed(&[3; 32]), samples }
    }

    async fn call(&self, operation: &OperationDescriptor, endpoint: &str, input: Value) -> CallOutcome {
        static SENT: AtomicU8 = AtomicU8::new(0);
        let types = OperationTypes::of(operation).unwrap();
        let prepared = self.client.prepare(operation, types.into(), Some(endpoint)).unwrap();
        let mut request_nonce = [0; 32];
        request_nonce[0] = SENT.fetch_add(1, Ordering::Relaxed);
        let context = CallContext {
            request_nonce,
            timeout: Duration::from_secs(30),
            secrets: &self.secrets,
            hotkey: Some(&self.hotkey),
        };
        self.client.call_fields(&prepared, input.as_object().unwrap().clone(), &context).await
    }

    /// The JSON of a successful answer.
    async fn ask(&self, operation: &OperationDescriptor, endpoint: &str, input: Value) -> Value {
        let outcome = self.call(operation, endpoint, input).await;
        assert!(outcome.result.is_ok(), "{:?}", outcome.result);
        serde_json::from_slice(&outcome.response_body).unwrap()
    }

    async fn search(&self, query: &str) -> Vec<Value> {
        let found =
            self.ask(&entry("sn22.web_search"), &self.samples.search_url, json!({ "query": query })).await;
        found["data"].as_array().unwrap().clone()
    }

    async fn crawl(&self, url: &str) -> String {
        let outcome =
            self.call(&entry("sn22.web_crawl"), &self.samples.search_url, json!({ "url": url })).await;
        outcome.result.unwrap().as_str().unwrap().to_owned()
    }

    async fn chat(&self, operation: &str, endpoint: &str, prompt: &str) -> String {
        let messages = json!([{"role": "user", "content": prompt}]);
        let answer = self.ask(&entry(operation), endpoint, json!({"model": "m", "messages": messages})).await;
        answer["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
    }
}

/// An entry of the project's catalogue.
fn entry(id: &str) -> OperationDescriptor {
    let netuid: u16 = id.strip_prefix("sn").and_then(|rest| rest.split_once('.')).unwrap().0.parse().unwrap();
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "..", "..", "catalog", "operations", &format!("sn{netuid:03}.json")]
            .iter()
            .collect();
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let rows = file["operations"].as_array().unwrap();
    let row = rows.iter().find(|row| row["id"] == id).expect("in the catalogue");
    serde_json::from_value(row.clone()).unwrap()
}

fn claims_schema() -> Value {
    json!({
        "type": "array", "maxItems": 8, "items": {"$ref": "#/$defs/Claim"},
        "$defs": {"Claim": {
            "type": "object", "required": ["rival", "text", "stance", "sources"],
            "properties": {
                "rival": {"type": "string", "maxLength": 80},
                "text": {"type": "string", "maxLength": 600},
                "stance": {"enum": ["Ahead", "Level", "Behind"]},
                "sources": {"type": "array", "minItems": 1, "maxItems": 8, "items": {"type": "string", "format": "uri"}},
            },
        }},
    })
}

const ASK: &str = "Reply with one JSON value that fits this JSON Schema and nothing else:";

/// What the competitive analysis of the examples does, call by call.
#[tokio::test]
async fn a_comparison_can_be_searched_read_claimed_and_summarised() {
    let caller = Caller::start(Options::default()).await;
    let samples = &caller.samples;
    let mut claims = Vec::new();
    for rival in ["Meridian", "Quillon & Söhne GmbH"] {
        let found = caller.search(&format!("Halcyon Labs versus {rival}")).await;
        let relevant: Vec<&str> = found
            .iter()
            .filter(|hit| hit["title"].as_str().unwrap().contains(rival))
            .map(|hit| hit["link"].as_str().unwrap())
            .take(4)
            .collect();
        assert!(relevant.len() == 4 && found.len() > 4, "there is noise to filter: {found:?}");
        let mut texts = Vec::new();
        for url in &relevant {
            let page = caller.crawl(url).await;
            assert!(page.contains(url) && page.contains(rival) && page.contains("Halcyon Labs"), "{page}");
            texts.push(page.chars().take(2_000).collect::<String>());
        }
        let prompt = format!("Compare Halcyon Labs with {rival}.\n{}", texts.join("\n---\n"));
        let prompt = format!("{prompt}\n\n{ASK}\n{}", claims_schema());
        let text = caller.chat("sn64.chat_completions", &samples.chat_url, &prompt).await;
        let own: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(own.len(), 4);
        for (claim, url) in own.iter().zip(&relevant) {
            assert_eq!(claim["rival"], rival);
            assert_eq!(claim["sources"], json!([url]));
            let text = claim["text"].as_str().unwrap();
            let stance = claim["stance"].as_str().unwrap().to_lowercase();
            assert!(text.contains(&format!("is {stance}")) && text.contains("Halcyon Labs"), "{claim}");
        }
        claims.extend(own);
    }
    let prompt = format!("Summarise in plain words: {}", Value::Array(claims));
    let summary = caller.chat("sn64.chat_completions", &samples.chat_url, &prompt).await;
    assert!(summary.starts_with("Against Meridian: ahead in "), "{summary}");
    assert!(summary.contains("\nAgainst Quillon & Söhne GmbH: "), "{summary}");
    assert_eq!(samples.served().search, 10);
    assert_eq!(samples.served().chat, 3);
}

#[tokio::test]
async fn three_subnets_share_one_chat_server() {
    let caller = Caller::start(Options::default()).await;
    let url = caller.samples.chat_url.clone();
    for (operation, endpoint) in [
        ("sn28.chat_completions", format!("{url}/v1")),
        ("sn64.chat_completions", url.clone()),
        ("sn96.chat_completions", url),
    ] {
        assert_eq!(caller.chat(operation, &endpoint, "What is the capital of France?").await, "Paris");
    }
}

#[tokio::test]
async fn answers_fit_schemas_of_every_kind() {
    let caller = Caller::start(Options::default()).await;
    let url = &caller.samples.chat_url;
    for (schema, fits) in [
        (
            json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "integer", "minimum": 3, "maximum": 5}}}),
            (|value| (3..=5).contains(&value["a"].as_i64().unwrap())) as fn(&Value) -> bool,
        ),
        (json!({"type": "number", "minimum": 0, "maximum": 1}), |value| {
            (0.0..=1.0).contains(&value.as_f64().unwrap())
        }),
        (json!({"type": "boolean"}), Value::is_boolean),
        (json!({"enum": ["x", "y"]}), |value| value == "x" || value == "y"),
        (json!({"type": "array", "minItems": 3, "items": {"type": "string"}}), |value| {
            value.as_array().unwrap().len() == 3
        }),
        (json!({"anyOf": [{"type": "null"}, {"type": "integer"}]}), Value::is_i64),
        (json!({"type": ["string", "null"], "maxLength": 5}), |value| {
            value.as_str().unwrap().chars().count() <= 5
        }),
        (json!({"type": "object", "properties": {"next": {"$ref": "#"}}}), Value::is_object),
        (json!({"const": 7}), |value| value == 7),
    ] {
        let text =
            caller.chat("sn64.chat_completions", url, &format!("Say something.\n\n{ASK}\n{schema}")).await;
        let value: Value = serde_json::from_str(&text).expect("JSON");
        assert!(fits(&value), "{schema}: {value}");
    }
    let schema = json!({"type": "string", "maxLength": 4000});
    let text = caller.chat("sn64.chat_completions", url, &format!("Say something.\n\n{ASK}\n{schema}")).await;
    assert!(text.starts_with("In short: Say something."), "a text is not quoted: {text}");
}

#[tokio::test]
async fn keys_are_checked() {
    let caller = Caller::start(Options::default()).await;
    let mut secrets = SecretStore::new();
    secrets.insert("sn22", &caller.samples.search_url, &SecretString::from("a wrong key")).unwrap();
    let wrong = Caller { secrets, ..caller };
    let outcome =
        wrong.call(&entry("sn22.web_search"), &wrong.samples.search_url, json!({"query": "x"})).await;
    assert_eq!(outcome.result.unwrap_err().kind, CallErrorKind::Unauthorized);
}

#[tokio::test]
async fn charges_are_stated_as_the_real_search_states_them() {
    let caller = Caller::start(Options::default()).await;
    let outcome =
        caller.call(&entry("sn22.web_search"), &caller.samples.search_url, json!({"query": "x"})).await;
    assert_eq!(outcome.observed_cost.unwrap().to_string(), "0.0025 USD");
}

#[tokio::test]
async fn pages_outside_the_sample_web_are_refused() {
    let caller = Caller::start(Options::default()).await;
    for url in [
        "https://api.example.com/",
        "http://bench.example/A/vs/B/speed",
        "https://bench.example/A/vs/B/price",
        "x",
    ] {
        let outcome =
            caller.call(&entry("sn22.web_crawl"), &caller.samples.search_url, json!({ "url": url })).await;
        assert_eq!(outcome.result.unwrap_err().kind, CallErrorKind::Rejected, "{url}");
    }
}

#[tokio::test]
async fn faults_fall_by_count() {
    let faults =
        Faults { error_every: 2, rate_limit_every: 3, misfit_every: 5, drop_every: 7, hang_every: 0 };
    let caller = Caller::start(Options { faults, ..Options::default() }).await;
    let mut kinds = Vec::new();
    for _ in 1..=8 {
        let outcome =
            caller.call(&entry("sn22.web_search"), &caller.samples.search_url, json!({"query": "x"})).await;
        kinds.push(outcome.result.err().map(|error| error.kind));
    }
    use CallErrorKind::{Invalid, RateLimited, Unavailable};
    let expected = [
        None,
        Some(Unavailable),
        Some(RateLimited),
        Some(Unavailable),
        Some(Invalid),
        Some(Unavailable),
        Some(Unavailable),
        Some(Unavailable),
    ];
    assert_eq!(kinds, expected);
}

#[tokio::test]
async fn the_axon_answers_signed_calls_and_refuses_the_rest() {
    let caller = Caller::start(Options::default()).await;
    let samples = &caller.samples;
    let [search, generate] = samples.axon_operations();
    let found =
        caller.ask(&search, &samples.axon_url, json!({"query": "Halcyon vs Meridian", "count": 3})).await;
    assert_eq!(found["results"].as_array().unwrap().len(), 3);
    assert!(
        caller.ask(&search, &samples.axon_url, json!({"query": "it's \"quoted\""})).await["results"]
            .is_array()
    );
    let schema = json!({"type": "array", "items": {"type": "integer"}}).to_string();
    let made =
        caller.ask(&generate, &samples.axon_url, json!({"prompt": "p", "response_schema": schema})).await;
    assert!(serde_json::from_str::<Vec<i64>>(made["answer"].as_str().unwrap()).is_ok());

    let change = |change: &dyn Fn(&mut AxonBinding)| {
        let mut changed = search.clone();
        if let Transport::Axon(binding) = &mut changed.transport {
            change(binding);
        }
        changed
    };
    let other = Hotkey::from_seed(&[1; 32]).address().to_owned();
    for (operation, kind, words) in [
        (change(&|b| b.hotkey = other.clone()), CallErrorKind::Unauthorized, "Signature mismatch with"),
        (change(&|b| b.synapse = "Nope".into()), CallErrorKind::Rejected, "Synapse name 'Nope' not found"),
        (change(&|b| b.hash_fields.reverse()), CallErrorKind::Unavailable, "Internal Server Error"),
    ] {
        let outcome = caller.call(&operation, &samples.axon_url, json!({"query": "q", "count": 1})).await;
        let error = outcome.result.unwrap_err();
        assert!(error.kind == kind && error.message.contains(words), "{error}");
    }
}

/// The nonce rules of the real axon: the same bytes twice, and a first nonce from an hour ago.
#[tokio::test]
async fn the_axon_refuses_replays_and_stale_requests() {
    use bytes::Bytes;
    use std::time::{SystemTime, UNIX_EPOCH};

    let caller = Caller::start(Options::default()).await;
    let fields = json!({"query": "q", "count": 1}).as_object().unwrap().clone();
    let request = |age: Duration, uuid: &str| {
        let nonce = (SystemTime::now() - age).duration_since(UNIX_EPOCH).unwrap().as_nanos();
        let envelope = subnet::axon::Envelope {
            synapse: "WebSearch",
            receiver: &caller.samples.axon_hotkey,
            nonce: u64::try_from(nonce).unwrap(),
            uuid,
            timeout: Duration::from_secs(12),
        };
        let names = ["query".to_owned(), "count".to_owned()];
        subnet::axon::headers(&envelope, &fields, &names[..1], &names, &caller.hotkey).unwrap()
    };
    let send = async |headers: &http::HeaderMap| {
        let endpoint = caller.client.egress().endpoint(&caller.samples.axon_url).unwrap();
        let body = Bytes::from(serde_json::to_vec(&fields).unwrap());
        let mut request = http::Request::post(format!("{}/WebSearch", caller.samples.axon_url));
        *request.headers_mut().unwrap() = headers.clone();
        let request = request.body(http_body_util::Full::new(body)).unwrap();
        let exchange =
            caller.client.egress().exchange(&endpoint, request, Duration::from_secs(30)).await.0.unwrap();
        (exchange.status.as_u16(), String::from_utf8_lossy(&exchange.body).into_owned())
    };
    let fresh = request(Duration::ZERO, "one");
    assert_eq!(send(&fresh).await.0, 200);
    let (status, body) = send(&fresh).await;
    assert!(status == 401 && body.contains("a newer one was last processed"), "{body}");
    let (status, body) = send(&request(Duration::from_secs(3_600), "two")).await;
    assert!(status == 401 && body.contains("acceptable delta is 16.00 seconds"), "{body}");
    assert_eq!(send(&request(Duration::from_secs(15), "three")).await.0, 200);
}

#[tokio::test]
async fn dropping_the_samples_closes_their_sockets() {
    let caller = Caller::start(Options::default()).await;
    let address = caller.samples.axon_url.strip_prefix("http://").unwrap().to_owned();
    assert!(tokio::net::TcpStream::connect(&address).await.is_ok());
    drop(caller);
    // The task that holds the socket ends when the runtime next turns to it.
    while tokio::net::TcpStream::connect(&address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
