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
use subnet::{CallContext, CallOutcome, Client, Follow};

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
        for subnet in ["sn32", "sn34", "sn50", "sn51"] {
            secrets.insert(subnet, &samples.tools_url, &SecretString::from(samples.tools_key)).unwrap();
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
            follow: Follow::default(),
            listener: None,
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

/// What is told about a market can be found, read and taken out as numbers.
#[tokio::test]
async fn figures_of_a_page_are_taken_as_they_are_told() {
    let caller = Caller::start(Options::default()).await;
    let found = caller.search("garden robots market size").await;
    assert_eq!(found.len(), 6);
    let url = found[0]["link"].as_str().unwrap();
    let page = caller.crawl(url).await;
    let schema = json!({"type": "array", "maxItems": 3, "items": {
        "type": "object", "required": ["usd_millions", "year", "quote", "source"],
        "properties": {
            "usd_millions": {"type": "integer", "minimum": 1, "maximum": 10_000_000},
            "year": {"type": "integer", "minimum": 2015, "maximum": 2040},
            "quote": {"type": "string", "minLength": 10, "maxLength": 400},
            "source": {"type": "string", "format": "uri"},
        },
    }});
    let prompt = format!("What is the market worth?\n{url}\n{page}\n\n{ASK}\n{schema}");
    let text = caller.chat("sn64.chat_completions", &caller.samples.chat_url, &prompt).await;
    let estimates: Vec<Value> = serde_json::from_str(&text).unwrap();
    let [estimate] = estimates.as_slice() else { panic!("{text}") };
    assert_eq!((estimate["year"].as_i64(), &estimate["source"]), (Some(2026), &json!(url)));
    assert!(page.contains(estimate["quote"].as_str().unwrap()), "{page}");
    assert!(page.contains(&format!("{} million USD", estimate["usd_millions"])), "{page}");
}

#[tokio::test]
async fn a_list_that_is_to_be_revised_comes_back() {
    let caller = Caller::start(Options::default()).await;
    let schema = json!({"type": "array", "items": {"$ref": "#/$defs/Row"}, "$defs": {"Row": {
        "type": "object", "required": ["a"], "properties": {"a": {"type": "string"}},
    }}});
    for (given, comes_back) in [(r#"[{"a":"x"},{"a":"y"}]"#, true), (r#"[{"b":"x"}]"#, false)] {
        let prompt = format!("Revise this:\n{given}\n\n{ASK}\n{schema}");
        let text = caller.chat("sn64.chat_completions", &caller.samples.chat_url, &prompt).await;
        assert_eq!(text == given, comes_back, "{text}");
    }
}

#[tokio::test]
async fn both_searches_for_posts_find_the_same_ones() {
    let caller = Caller::start(Options::default()).await;
    let url = &caller.samples.search_url;
    let by_words = caller.ask(&entry("sn22.x_search"), url, json!({"query": "Halcyon", "count": 100})).await;
    let by_prompt = caller.ask(&entry("sn22.ai_x_links"), url, json!({"prompt": "Halcyon"})).await;
    assert_eq!(by_words, by_prompt["miner_tweets"]);
    let posts = by_words.as_array().unwrap();
    assert!(posts.len() == 13 && posts.is_sorted_by_key(|post| -post["like_count"].as_i64().unwrap()));
    let other = caller.ask(&entry("sn22.x_search"), url, json!({"query": "Meridian", "count": 100})).await;
    let shared = posts.iter().filter(|post| other.as_array().unwrap().contains(post)).count();
    assert_eq!(shared, 1, "one post is about neither");
    let few = caller.ask(&entry("sn22.x_search"), url, json!({"query": "Halcyon", "count": 3})).await;
    assert_eq!(few.as_array().unwrap(), &posts[..3]);
}

#[tokio::test]
async fn texts_with_words_in_common_point_in_similar_directions() {
    let caller = Caller::start(Options::default()).await;
    let texts = ["Reset a forgotten password", "I forgot my password", "Where is my invoice?", ""];
    let asked = json!({"model": "m", "input": texts});
    let made = caller.ask(&entry("sn64.embeddings"), &caller.samples.chat_url, asked).await;
    let vectors: Vec<Vec<f64>> = made["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["embedding"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect())
        .collect();
    let dot = |a: usize, b: usize| vectors[a].iter().zip(&vectors[b]).map(|(a, b)| a * b).sum::<f64>();
    assert!(dot(0, 1) > 0.5 && dot(0, 2) < 0.5 && (dot(0, 0) - 1.0).abs() < 1e-3, "{vectors:?}");
    assert!(dot(3, 3) == 0.0);
}

#[tokio::test]
async fn images_are_judged_by_their_address_and_texts_by_their_phrases() {
    let caller = Caller::start(Options::default()).await;
    let url = &caller.samples.tools_url;
    for (image, generated, confidences) in [
        ("https://photos.example/boat.jpg", false, 0.0..0.1),
        ("https://photos.example/generated/boat.jpg", true, 0.9..1.0),
        ("https://photos.example/blurred.jpg", true, 0.45..0.55),
    ] {
        let verdict = caller.ask(&entry("sn34.detect_image"), url, json!({ "image": image })).await;
        assert!(confidences.contains(&verdict["confidence"].as_f64().unwrap()), "{verdict}");
        assert!(verdict["isAI"] == generated || image.contains("blurred"), "{verdict}");
    }
    let plain = "The ferry leaves at nine and is back by noon. ".repeat(6);
    let stock = format!("{plain} Furthermore, it is important to note that it is a testament to the sea.");
    let texts = json!({"texts": [plain, stock, "short"]});
    let judged = caller.ask(&entry("sn32.detect_texts"), url, texts).await;
    assert_eq!(
        judged["results"],
        json!([{"score": 0.06}, {"score": 0.99}, {"error": {"code": "too_short"}}])
    );
    let one = caller.ask(&entry("sn32.detect_text"), url, json!({ "text": stock })).await;
    assert_eq!(one["score"], 0.99);
}

#[tokio::test]
async fn forecasts_spread_with_time_around_a_price_that_stands_still() {
    let caller = Caller::start(Options::default()).await;
    let url = &caller.samples.tools_url;
    let made = caller
        .ask(&entry("sn50.prediction_percentiles"), url, json!({"asset": "BTC", "horizon": "24h"}))
        .await;
    let steps = made["forecast_future"]["percentiles"].as_array().unwrap();
    let widths: Vec<f64> =
        steps.iter().map(|step| step["0.95"].as_f64().unwrap() - step["0.05"].as_f64().unwrap()).collect();
    assert!(widths.len() == 13 && widths.is_sorted() && widths[0] == 0.0, "{widths:?}");
    assert!(steps.iter().all(|step| step["0.5"] == made["current_price"]));
    let volatility = caller.ask(&entry("sn50.volatility"), url, json!({"asset": "ETH"})).await;
    assert_eq!(volatility["forecast_future"]["average_volatility"], 58.0);
    let odds = caller.ask(&entry("sn50.polymarket_up_down_hourly"), url, json!({"asset": "ETH"})).await;
    assert_eq!(odds["polymarket_probability_up"], 0.51);
}

#[tokio::test]
async fn machines_are_listed_in_the_shapes_of_two_markets() {
    let caller = Caller::start(Options::default()).await;
    let url = &caller.samples.tools_url;
    let gpus = caller.ask(&entry("sn4.list_inventory"), url, json!({"gpu": true})).await;
    let all = caller.ask(&entry("sn4.list_inventory"), url, json!({})).await;
    assert_eq!((gpus.as_array().unwrap().len(), all.as_array().unwrap().len()), (5, 6));
    let machines = caller.ask(&entry("sn51.list_executors"), url, json!({"size": 2})).await;
    assert_eq!(machines.as_array().unwrap().len(), 2);
    assert_eq!(machines[0]["specs"]["gpu"]["count"], 8);
}

#[tokio::test]
async fn keys_are_checked() {
    let caller = Caller::start(Options::default()).await;
    let mut secrets = SecretStore::new();
    secrets.insert("sn22", &caller.samples.search_url, &SecretString::from("a wrong key")).unwrap();
    for subnet in ["sn32", "sn34", "sn50", "sn51"] {
        secrets.insert(subnet, &caller.samples.tools_url, &SecretString::from("a wrong key")).unwrap();
    }
    let wrong = Caller { secrets, ..caller };
    let (search, tools) = (&wrong.samples.search_url, &wrong.samples.tools_url);
    for (operation, endpoint, input) in [
        ("sn22.web_search", search, json!({"query": "x"})),
        ("sn32.detect_texts", tools, json!({"texts": ["x"]})),
        ("sn34.detect_image", tools, json!({"image": "x"})),
        ("sn50.volatility", tools, json!({"asset": "BTC"})),
        ("sn51.list_executors", tools, json!({})),
    ] {
        let outcome = wrong.call(&entry(operation), endpoint, input).await;
        assert_eq!(outcome.result.unwrap_err().kind, CallErrorKind::Unauthorized, "{operation}");
    }
}

#[tokio::test]
async fn what_no_detector_or_forecast_takes_is_rejected() {
    let caller = Caller::start(Options::default()).await;
    let short = json!({"text": "x".repeat(199)});
    let url = &caller.samples.tools_url;
    let outcome = caller.call(&entry("sn32.detect_text"), url, short).await;
    assert!(matches!(outcome.result.unwrap_err().kind, CallErrorKind::Rejected | CallErrorKind::Invalid));
    let many = json!({"texts": vec!["x"; 101]});
    let outcome = caller.call(&entry("sn32.detect_texts"), url, many).await;
    assert_eq!(outcome.result.unwrap_err().kind, CallErrorKind::Rejected);
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
