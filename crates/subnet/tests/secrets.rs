//! Keys reach exactly the origin they are bound to, and nothing that is kept or shown.
#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::path::Path;

use base64::Engine as _;
use schema::error::CallErrorKind;
use schema::operation::{Auth, OperationDescriptor, ResponseBody, Transport};
use schema::types::Type;
use secrecy::SecretString;
use serde_json::json;
use subnet::secrets::{Error, KEY_PART, SecretStore, TenantSecrets};
use subnet::{CallOutcome, OperationTypes};
use support::*;

const CANARY: &str = "cnry-0rch3stra-5f1d0c9a-KEY";

fn store(name: &str, origin: &str) -> SecretStore {
    let mut store = SecretStore::new();
    store.insert(name, origin, &SecretString::from(CANARY)).unwrap();
    store
}

fn with_header(base: &str) -> OperationDescriptor {
    let auth = Auth::Header { name: "Authorization".into(), format: "Bearer <key>".into() };
    OperationDescriptor { auth, ..operation(base, "POST") }
}

fn with_query(base: &str) -> OperationDescriptor {
    OperationDescriptor { auth: Auth::Query { name: "api key".into() }, ..operation(base, "GET") }
}

/// Everything of an outcome that is kept or shown anywhere.
fn traces(outcome: &CallOutcome) -> String {
    let mut text = format!("{outcome:?} {:?}", outcome.result);
    text.push_str(&String::from_utf8_lossy(&outcome.redacted_request));
    text.push_str(&String::from_utf8_lossy(&outcome.response_body));
    if let Err(error) = &outcome.result {
        text.push_str(&format!("{error} {}", serde_json::to_string(error).unwrap()));
    }
    text
}

#[tokio::test]
async fn a_key_goes_into_the_header_and_nowhere_else() {
    let peer = Peer::start(|_| json_answer(&json!({"n": 1}))).await;
    let client = peer.client();
    let secrets = store("sn1", &peer.origin());
    let prepared = prepare(&client, &with_header(&peer.origin()));
    let outcome =
        client.call_fields(&prepared, fields(json!({"q": "x"})), &context(&secrets, PATIENT_MS)).await;
    assert!(outcome.result.is_ok());
    assert_eq!(peer.seen()[0].header("authorization"), Some(format!("Bearer {CANARY}").as_str()));
    assert!(!traces(&outcome).contains(CANARY));
    let canonical = String::from_utf8_lossy(&outcome.redacted_request).into_owned();
    assert!(canonical.contains("authorization: Bearer <key>\n"), "{canonical}");
    assert!(!format!("{secrets:?} {prepared:?} {client:?}").contains(CANARY));
}

#[tokio::test]
async fn a_key_of_several_parts_goes_into_as_many_headers() {
    // The peer repeats one of them.
    let echo = |seen: &Seen| json!({ "n": 1, "note": seen.header("x-client-secret") });
    let peer = Peer::start(move |seen| match seen.header("x-client-id") {
        Some("id-1") => json_answer(&json!({ "n": 1 })),
        _ => json_answer(&echo(seen)),
    })
    .await;
    let client = peer.client();
    let headers = [("X-Client-Id", "<id>"), ("X-Client-Secret", "Secret <secret>")];
    let auth = Auth::Headers { headers: headers.map(|(name, format)| (name.into(), format.into())).into() };
    let prepared = prepare(&client, &OperationDescriptor { auth, ..operation(&peer.origin(), "POST") });
    let store = |parts: &[(&str, &str)]| {
        let mut store = SecretStore::new();
        let parts = parts.iter().map(|(name, part)| ((*name).to_owned(), SecretString::from(*part)));
        store.insert_parts("sn1", &peer.origin(), parts, None).unwrap();
        store
    };
    let secrets = store(&[("id", "id-1"), ("secret", CANARY)]);
    let call = async |secrets: &SecretStore| {
        client.call_fields(&prepared, fields(json!({"q": "x"})), &context(secrets, PATIENT_MS)).await
    };
    let outcome = call(&secrets).await;
    assert!(outcome.result.is_ok(), "{:?}", outcome.result);
    let seen = peer.seen();
    assert_eq!(seen[0].header("x-client-id"), Some("id-1"));
    assert_eq!(seen[0].header("x-client-secret"), Some(format!("Secret {CANARY}").as_str()));
    let canonical = String::from_utf8_lossy(&outcome.redacted_request).into_owned();
    assert!(canonical.contains("x-client-id: <id>\nx-client-secret: Secret <secret>\n"), "{canonical}");
    assert!(!traces(&outcome).contains(CANARY) && !traces(&outcome).contains("id-1"));
    // Any part that comes back is found.
    let other = store(&[("id", "id-2"), ("secret", CANARY)]);
    let outcome = call(&other).await;
    assert!(!traces(&outcome).contains(CANARY), "{}", traces(&outcome));
    // A part that is missing is told before anything is sent.
    let sent = peer.seen().len();
    for parts in [&[("key", CANARY)][..], &[("id", "id-1")]] {
        let refused = prepared.check_secret(&store(parts)).unwrap_err();
        assert!(refused.to_string().contains("needs its part `"), "{refused}");
        let error = call(&store(parts)).await.result.unwrap_err();
        assert_eq!((error.kind, error.code.as_str()), (CallErrorKind::Unauthorized, "E1106"));
    }
    assert_eq!(peer.seen().len(), sent);
}

#[tokio::test]
async fn a_key_in_the_query_is_sent_encoded_and_redacted_everywhere() {
    let peer = Peer::start(|_| json_answer(&json!({"n": 1}))).await;
    let client = peer.client();
    let mut secrets = SecretStore::new();
    secrets.insert("sn1.test", &peer.origin(), &SecretString::from("a&b=c d/canary")).unwrap();
    let prepared = prepare(&client, &with_query(&peer.origin()));
    for (input, line, canonical) in [
        (
            json!({"id": "1", "q": "x"}),
            "GET /items/1?q=x&api%20key=a%26b%3Dc%20d%2Fcanary HTTP/1.1",
            "/items/1?q=x&api%20key=<key>\n",
        ),
        (
            json!({"id": "1"}),
            "GET /items/1?api%20key=a%26b%3Dc%20d%2Fcanary HTTP/1.1",
            "/items/1?api%20key=<key>\n",
        ),
    ] {
        let outcome = client.call_fields(&prepared, fields(input), &context(&secrets, PATIENT_MS)).await;
        assert!(outcome.result.is_ok());
        assert_eq!(peer.seen().pop().unwrap().line, line);
        let text = traces(&outcome);
        assert!(!text.contains("canary") && text.contains(canonical), "{text}");
    }
    let target = |seen: &Seen| seen.line.split(' ').nth(1).unwrap_or_default().to_owned();
    let echo = Peer::start(move |seen| {
        answer("404 Not Found", "text/plain", format!("no such page: {}", target(seen)))
    })
    .await;
    let mut secrets = SecretStore::new();
    secrets.insert("sn1", &echo.origin(), &SecretString::from("a&b=c d/canary")).unwrap();
    let prepared = prepare(&echo.client(), &with_query(&echo.origin()));
    let outcome = echo
        .client()
        .call_fields(&prepared, fields(json!({"id": "1"})), &context(&secrets, PATIENT_MS))
        .await;
    assert_eq!(outcome.result.as_ref().unwrap_err().code, "E1146");
    assert!(!traces(&outcome).contains("canary"));
    // Failures of every stage: refused by the peer, cut off, timed out, not connected.
    let mut failed = 0;
    for (reply, timeout_ms) in [
        (answer("401 Unauthorized", "application/json", r#"{"detail":"bad key"}"#), PATIENT_MS),
        (Reply::Close(Vec::new()), PATIENT_MS),
        (Reply::Hang, 200),
        (Reply::Close(b"GARBAGE\r\n\r\n".to_vec()), PATIENT_MS),
    ] {
        let peer = Peer::start(move |_| reply.clone()).await;
        let client = peer.client();
        let secrets = store("sn1", &peer.origin());
        let prepared = prepare(&client, &with_query(&peer.origin()));
        let outcome =
            client.call_fields(&prepared, fields(json!({"id": "1"})), &context(&secrets, timeout_ms)).await;
        assert!(outcome.result.is_err() && !traces(&outcome).contains(CANARY));
        failed += 1;
    }
    assert_eq!(failed, 4);
}

#[tokio::test]
async fn a_key_for_another_origin_is_refused_before_anything_is_sent() {
    let peer = Peer::start(|_| json_answer(&json!({"n": 1}))).await;
    let client = peer.client();
    let port = peer.address.port();
    let prepared = prepare(&client, &with_header(&peer.origin()));
    for origin in [
        format!("https://127.0.0.1:{port}"),
        format!("http://127.0.0.2:{port}"),
        format!("http://127.0.0.1:{}", port ^ 1),
        format!("http://localhost:{port}"),
        "https://api.example.com".into(),
    ] {
        let secrets = store("sn1", &origin);
        let outcome = client.call_fields(&prepared, fields(json!({})), &context(&secrets, PATIENT_MS)).await;
        let error = outcome.result.as_ref().unwrap_err();
        assert_eq!(
            (error.kind, error.code.as_str(), outcome.sent),
            (CallErrorKind::Unauthorized, "E1104", false)
        );
        assert!(error.message.contains(&peer.origin()) && !traces(&outcome).contains(CANARY), "{error}");
        assert!(matches!(prepared.check_secret(&secrets), Err(Error::OtherOrigin { .. })));
    }
    // An override of the endpoint does not take the key along.
    let moved =
        client.prepare(&with_header("https://api.example.com"), types(), Some(&peer.origin())).unwrap();
    let secrets = store("sn1", "https://api.example.com");
    let outcome = client.call_fields(&moved, fields(json!({})), &context(&secrets, PATIENT_MS)).await;
    assert_eq!(outcome.result.unwrap_err().code, "E1104");
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn a_missing_key_is_a_typed_error_and_nothing_is_sent() {
    let peer = Peer::start(|_| json_answer(&json!({"n": 1}))).await;
    let client = peer.client();
    let prepared = prepare(&client, &with_header(&peer.origin()));
    for secrets in [SecretStore::new(), store("sn2", &peer.origin()), store("sn1.other", &peer.origin())] {
        let outcome = client.call_fields(&prepared, fields(json!({})), &context(&secrets, PATIENT_MS)).await;
        let error = outcome.result.unwrap_err();
        assert_eq!(
            (error.kind, error.code.as_str(), outcome.sent),
            (CallErrorKind::Unauthorized, "E1105", false)
        );
        assert!(error.message.contains("`sn1.test`") && error.message.contains("`sn1`"), "{error}");
    }
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn an_answer_or_error_that_repeats_the_key_is_not_kept() {
    for (reply, code) in [
        (json_answer(&json!({"n": 1, "headers": {"authorization": format!("Bearer {CANARY}")}})), "E1113"),
        // What is refused stays what its status says.
        (
            answer("401 Unauthorized", "application/json", format!(r#"{{"detail":"no key {CANARY}"}}"#)),
            "E1145",
        ),
        (answer("500 Oops", "text/plain", format!("panic at {CANARY}")), "E1143"),
    ] {
        let peer = Peer::start(move |_| reply.clone()).await;
        let client = peer.client();
        let secrets = store("sn1", &peer.origin());
        let prepared = prepare(&client, &with_header(&peer.origin()));
        let outcome = client.call_fields(&prepared, fields(json!({})), &context(&secrets, PATIENT_MS)).await;
        assert_eq!(outcome.result.as_ref().unwrap_err().code, code);
        assert!(outcome.response_body.is_empty() && !traces(&outcome).contains(CANARY));
    }
}

/// A key with characters that each encoding writes in another way.
const ODD_KEY: &str = "cnry/5f1d+0c9a?KEY>";

/// What a call with [`ODD_KEY`] to a peer that answers with `reply` comes to.
async fn call_with_odd_key(reply: Reply, response: ResponseBody, output: OperationTypes) -> CallOutcome {
    let peer = Peer::start(move |_| reply.clone()).await;
    let client = peer.client();
    let mut secrets = SecretStore::new();
    secrets.insert("sn1", &peer.origin(), &SecretString::from(ODD_KEY)).unwrap();
    let mut operation = with_header(&peer.origin());
    if let Transport::Http(binding) = &mut operation.transport {
        binding.response = response;
    }
    let prepared = client.prepare(&operation, output, None).unwrap();
    client.call_fields(&prepared, fields(json!({})), &context(&secrets, PATIENT_MS)).await
}

/// The key as peers may write it; each is valid inside a JSON string.
fn writings_of_the_odd_key() -> [String; 8] {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    [
        ODD_KEY.into(),
        ODD_KEY.bytes().map(|byte| format!("\\u{byte:04x}")).collect(),
        ODD_KEY.replace('/', "\\/"),
        ODD_KEY.replace('/', "%2f").replace('+', "%2B").replace('?', "%3f").replace('>', "%3E"),
        STANDARD.encode(ODD_KEY),
        URL_SAFE_NO_PAD.encode(ODD_KEY),
        STANDARD.encode(format!("Bearer {ODD_KEY}")),
        STANDARD.encode(format!("user:{ODD_KEY}")),
    ]
}

fn assert_dropped(outcome: &CallOutcome, case: &str) {
    let error = outcome.result.as_ref().err().map(|error| (error.kind, error.code.as_str()));
    assert_eq!(error, Some((CallErrorKind::Invalid, "E1113")), "{case}");
    assert!(outcome.response_body.is_empty() && !traces(outcome).contains("cnry"), "{case}");
}

#[tokio::test]
async fn an_answer_that_repeats_the_key_in_another_writing_is_not_kept() {
    let json_types = || OperationTypes { output: Type::Json, ..types() };
    for writing in writings_of_the_odd_key() {
        for (body, output) in [
            // A field that the type has, one that it leaves out, names of both kinds, and opaque JSON.
            (format!(r#""at {writing}.""#), text_types()),
            (format!(r#"{{"n": 1, "ignored": [{{"deep": "{writing}"}}]}}"#), types()),
            (format!(r#"{{"n": 1, "{writing}": 2}}"#), types()),
            (format!(r#"{{"headers": {{"a": ["Bearer {writing}"], "{writing}": null}}}}"#), json_types()),
            // JSON that a string of JSON holds.
            (json!({"n": 1, "log": format!(r#"{{"k":"{writing}"}}"#)}).to_string(), types()),
        ] {
            let reply = answer("200 OK", "application/json", &body);
            assert_dropped(&call_with_odd_key(reply, ResponseBody::Json, output).await, &body);
        }
        for (body, response) in [
            (format!("my key is {writing}, \\ and 100 % so"), ResponseBody::Text),
            (format!("\0\u{1}{writing}"), ResponseBody::Bytes),
        ] {
            let reply = answer("200 OK", "text/plain", &body);
            assert_dropped(&call_with_odd_key(reply, response, text_types()).await, &body);
        }
        let reply = answer("422 No", "application/json", format!(r#"{{"detail": "bad {writing}"}}"#));
        let outcome = call_with_odd_key(reply, ResponseBody::Json, types()).await;
        assert_eq!(outcome.result.as_ref().unwrap_err().code, "E1146");
        assert!(outcome.response_body.is_empty() && !traces(&outcome).contains("cnry"));
    }
}

/// A key of HTTP Basic is sent in base64 however it is stored, and neither it nor the password comes back.
#[tokio::test]
async fn a_user_and_password_are_sent_as_http_basic_has_them() {
    use base64::engine::general_purpose::STANDARD;

    let password = "cnry:5f1d-0c9a";
    let pair = format!("me:{password}");
    let encoded = STANDARD.encode(&pair);
    let basic = |base: &str| {
        let auth = Auth::Header { name: "Authorization".into(), format: "Basic <key>".into() };
        OperationDescriptor { auth, ..operation(base, "POST") }
    };
    for stored in [pair.clone(), encoded.clone(), format!("Basic {encoded}")] {
        for (told, is_secret) in [(password, true), (&pair, true), (&encoded, true), ("me", false)] {
            for status in ["200 OK", "422 No"] {
                let reply = answer(status, "application/json", json!({ "n": 1, "detail": told }).to_string());
                let peer = Peer::start(move |_| reply.clone()).await;
                let client = peer.client();
                let mut secrets = SecretStore::new();
                secrets.insert("sn1", &peer.origin(), &SecretString::from(stored.as_str())).unwrap();
                let prepared = prepare(&client, &basic(&peer.origin()));
                let outcome =
                    client.call_fields(&prepared, fields(json!({})), &context(&secrets, PATIENT_MS)).await;
                assert_eq!(peer.seen()[0].header("authorization"), Some(format!("Basic {encoded}").as_str()));
                assert_eq!(outcome.response_body.is_empty(), is_secret, "{stored} {told} {status}");
                assert!(!traces(&outcome).contains("cnry"), "{stored} {told} {status}");
                let input = fields(json!({ "q": format!("with {told}") }));
                let sent = client.call_fields(&prepared, input, &context(&secrets, PATIENT_MS)).await.sent;
                assert_eq!(sent, !is_secret, "{stored} {told}");
            }
        }
    }
}

#[tokio::test]
async fn headers_that_errors_quote_are_searched_too() {
    for head in [
        format!("content-type: text/html; x={ODD_KEY}"),
        format!("content-type: {ODD_KEY}"),
        format!("content-encoding: {ODD_KEY}"),
    ] {
        let reply =
            Reply::Bytes(format!("HTTP/1.1 200 OK\r\n{head}\r\ncontent-length: 2\r\n\r\n{{}}").into());
        assert_dropped(&call_with_odd_key(reply, ResponseBody::Json, types()).await, &head);
    }
}

#[tokio::test]
async fn answers_full_of_escapes_that_do_not_repeat_the_key_are_kept() {
    let body = json!({"n": 7, "text": "line\n\"quoted\" \u{1} 50%25 %2F \\ cnry/5f1d+0c9a?KEY"}).to_string();
    let reply = answer("200 OK", "application/json", &body);
    let outcome = call_with_odd_key(reply, ResponseBody::Json, types()).await;
    assert!(outcome.result.is_ok(), "{outcome:?}");
    assert_eq!(outcome.response_body, body.as_bytes());
}

#[tokio::test]
async fn an_input_that_contains_the_key_is_not_sent() {
    let peer = Peer::start(|_| json_answer(&json!({"n": 1}))).await;
    let client = peer.client();
    let secrets = store("sn1", &peer.origin());
    let prepared = prepare(&client, &with_header(&peer.origin()));
    let input = fields(json!({"q": format!("my key is {CANARY}")}));
    let outcome = client.call_fields(&prepared, input, &context(&secrets, PATIENT_MS)).await;
    assert_eq!((outcome.result.as_ref().unwrap_err().code.as_str(), outcome.sent), ("E1112", false));
    assert!(!traces(&outcome).contains(CANARY));
}

#[tokio::test]
async fn an_expired_key_is_a_typed_error_and_nothing_is_sent() {
    let peer = Peer::start(|_| json_answer(&json!({"n": 1}))).await;
    let client = peer.client();
    let prepared = prepare(&client, &with_header(&peer.origin()));
    let past: jiff::Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let mut secrets = SecretStore::new();
    secrets
        .insert_parts("sn1", &peer.origin(), [(KEY_PART.into(), SecretString::from(CANARY))], Some(past))
        .unwrap();
    let outcome = client.call_fields(&prepared, fields(json!({})), &context(&secrets, PATIENT_MS)).await;
    let error = outcome.result.as_ref().unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (CallErrorKind::Unauthorized, "E1119"));
    assert!(error.message.ends_with("expired at 2026-01-02T03:04:05Z"), "{error}");
    assert!(!outcome.sent && peer.connections() == 0 && !traces(&outcome).contains(CANARY));
    assert!(matches!(prepared.check_secret(&secrets), Err(Error::Expired { .. })));
    // What has not expired is sent, and a key under the name takes the time of the one before with it.
    let later = jiff::Timestamp::MAX;
    for expires_at in [Some(later), None] {
        secrets
            .insert_parts("sn1", &peer.origin(), [(KEY_PART.into(), SecretString::from(CANARY))], expires_at)
            .unwrap();
        let outcome = client.call_fields(&prepared, fields(json!({})), &context(&secrets, PATIENT_MS)).await;
        assert!(outcome.result.is_ok());
    }
}

#[test]
fn a_variable_that_is_not_set_hides_no_earlier_secret() {
    let mut secrets = store("sn22", "https://api.desearch.ai");
    let table = r#"sn22 = { origin = "https://other.example", env = "UNSET" }"#;
    secrets.extend_from_table(&toml::from_str(table).unwrap(), &|_| None).unwrap();
    let (_, origin) = secrets.names().next().unwrap();
    assert_eq!(origin.as_str(), "https://api.desearch.ai");
    secrets.extend_from_table(&toml::from_str(table).unwrap(), &|_| Some("k".into())).unwrap();
    assert_eq!(secrets.names().next().unwrap().1.as_str(), "https://other.example");
}

#[test]
fn stores_are_filled_from_tables_files_and_the_environment() {
    let environment = |name: &str| (name == "DESEARCH").then(|| format!("{CANARY}\n"));
    let mut store = SecretStore::new();
    let table = r#"
        sn22 = { origin = "https://api.desearch.ai", env = "DESEARCH" }
        "sn64.chat_completions" = { origin = "https://LLM.chutes.ai:443", value = "cpk_x" }
    "#;
    store.extend_from_table(&toml::from_str(table).unwrap(), &environment).unwrap();
    let variables = [
        ("ORCHESTRA_SECRET_SN28", format!("https://api.saygm.com {CANARY}")),
        ("ORCHESTRA_SECRET_SN96__CHAT_COMPLETIONS", format!("https://api.verathos.ai  {CANARY}")),
        ("PATH", "/bin".into()),
    ];
    store.extend_from_environment(variables.map(|(name, value)| (name.to_owned(), value))).unwrap();
    let names: Vec<(String, String)> =
        store.names().map(|(name, origin)| (name.into(), origin.to_string())).collect();
    assert_eq!(
        names,
        [
            ("sn22", "https://api.desearch.ai"),
            ("sn28", "https://api.saygm.com"),
            ("sn64.chat_completions", "https://llm.chutes.ai"),
            ("sn96.chat_completions", "https://api.verathos.ai"),
        ]
        .map(|(name, origin)| (name.to_owned(), origin.to_owned()))
    );
    assert!(!format!("{store:?}").contains(CANARY));
}

#[test]
fn entries_that_cannot_be_used_are_refused_without_showing_the_key() {
    let none = |_: &str| None;
    for table in [
        format!(r#"sn1 = "{CANARY}""#),
        format!(r#"sn1 = {{ value = "{CANARY}" }}"#),
        format!(r#"sn1 = {{ origin = "https://a.example", value = "{CANARY}", env = "X" }}"#),
        format!(r#"sn1 = {{ origin = "https://a.example", value = "{CANARY}", extra = 1 }}"#),
        format!(r#"sn1 = {{ origin = "https://a.example", key = "{CANARY}" }}"#),
        format!(r#"sn1 = {{ origin = "https://a.example/path", value = "{CANARY}" }}"#),
        format!(r#"sn1 = {{ origin = "https://user:{CANARY}@a.example", value = "{CANARY}" }}"#),
        format!(r#"sn1 = {{ origin = "a.example", value = "{CANARY}" }}"#),
        format!(r#"sn1 = {{ origin = "https://a.example", value = "{CANARY}\r\nx: y" }}"#),
        format!(r#"sn1 = {{ origin = "https://a.example", value = "{CANARY}é" }}"#),
        r#"sn1 = { origin = "https://a.example", value = "  " }"#.into(),
        r#"sn1 = { origin = "https://a.example" }"#.into(),
        format!(r#"sn1 = {{ origin = "https://a.example", value = "{}" }}"#, "k".repeat((8 << 10) + 1)),
    ] {
        let error =
            SecretStore::new().extend_from_table(&toml::from_str(&table).unwrap(), &none).expect_err(&table);
        assert_eq!(error.code(), "E1106");
        assert!(!format!("{error} {error:?}").contains("cnry"), "{error:?}");
    }
    let unset = r#"sn1 = { origin = "https://a.example", env = "UNSET" }"#;
    SecretStore::new().extend_from_table(&toml::from_str(unset).unwrap(), &none).unwrap();
    let longest = format!(r#"sn1 = {{ origin = "https://a.example", value = "{}" }}"#, "k".repeat(8 << 10));
    SecretStore::new().extend_from_table(&toml::from_str(&longest).unwrap(), &none).unwrap();
    let variable = [("ORCHESTRA_SECRET_SN1".to_owned(), CANARY.to_owned())];
    let error = SecretStore::new().extend_from_environment(variable).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(CANARY));
}

#[test]
fn a_file_of_secrets_must_be_private_and_its_errors_do_not_quote_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let write = |content: &str, mode: u32| {
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let load = |path: &Path| {
        let mut store = SecretStore::new();
        store.extend_from_file(path, &|_| None).map(|()| store)
    };
    let good = format!("[secrets.sn1]\norigin = \"https://a.example\"\nvalue = \"{CANARY}\"\n");
    write(&good, 0o600);
    assert_eq!(load(&path).unwrap().names().count(), 1);
    for mode in [0o640, 0o604, 0o660, 0o644] {
        write(&good, mode);
        let error = load(&path).expect_err("exposed");
        assert!(error.to_string().contains("chmod 600") && !error.to_string().contains(CANARY), "{error}");
    }
    write(&format!("[secrets.sn1]\nvalue = \"{CANARY}\nx"), 0o600);
    let error = load(&path).unwrap_err();
    assert!(error.to_string().contains("near line"), "{error}");
    assert!(!format!("{error} {error:?}").contains(CANARY));
    write(&format!("secrets = \"{CANARY}\""), 0o600);
    assert!(!load(&path).unwrap_err().to_string().contains(CANARY));
    write("# nothing yet\n", 0o600);
    assert_eq!(load(&path).unwrap().names().count(), 0);
    // Out of its place, an entry is refused and not passed over.
    let entry = format!("origin = \"https://a.example\"\nvalue = \"{CANARY}\"\n");
    for (content, hint) in [
        (format!("[sn22]\n{entry}"), "`[secrets.sn22]`"),
        (format!("{good}[sn1]\n{entry}"), "`[secrets.sn1]`"),
        (format!("[\"sn64.chat_completions\"]\n{entry}"), "`[secrets.sn22]`"),
        (format!("[secret.sn22]\n{entry}"), "`[secrets.sn22]`"),
        (format!("{CANARY} = 1\n{good}"), "`[secrets.sn22]`"),
        (entry.clone(), "`[secrets.sn22]`"),
    ] {
        write(&content, 0o600);
        let error = load(&path).expect_err(&content);
        assert_eq!(error.code(), "E1106");
        assert!(error.to_string().contains(hint), "{error}");
        assert!(!format!("{error} {error:?}").contains(CANARY), "{error}");
    }
    write(&format!("# {}", "x".repeat(1 << 20)), 0o600);
    assert!(load(&path).is_err());
    assert!(load(&folder.path().join("missing.toml")).is_err());
}

/// An operation's own key comes before its subnet's, a tenant's before the deployment's, and a key that is there and cannot
/// be used is not passed over.
#[tokio::test]
async fn a_tenant_calls_with_its_own_key_and_with_that_of_nobody_else() {
    let peer = Peer::start(|_| json_answer(&json!({"n": 1}))).await;
    let client = peer.client();
    let prepared = prepare(&client, &with_header(&peer.origin()));
    let of = |name: &str, origin: &str, key: &str| {
        let mut store = SecretStore::new();
        store.insert(name, origin, &SecretString::from(key)).unwrap();
        store
    };
    let here = peer.origin();
    let tenants =
        TenantSecrets::new(of("sn1.test", &here, "shared-key"), ["plain", "rich", "elsewhere", "other"])
            .with("rich", of("sn1", &here, "rich-key"))
            .with("elsewhere", of("sn1", "https://a.example", "key-for-another-origin"))
            .with("other", of("sn2", &here, "key-for-another-subnet"))
            .with("alone", of("sn1", &here, "alone-key"));
    for (tenant, wanted) in [
        ("plain", Ok("shared-key")),
        ("rich", Ok("rich-key")),
        ("elsewhere", Err("E1104")),
        ("other", Ok("shared-key")),
        ("alone", Ok("alone-key")),
        ("nobody", Err("E1105")),
    ] {
        let secrets = tenants.of(tenant);
        let before = peer.seen().len();
        let outcome = client.call_fields(&prepared, fields(json!({})), &context(&secrets, PATIENT_MS)).await;
        let checked = prepared.check_secret(&secrets).map_err(|error| error.code());
        assert_eq!(checked.err(), wanted.err(), "{tenant}");
        match wanted {
            Ok(key) => {
                let seen = peer.seen();
                assert_eq!(seen[before].header("authorization"), Some(format!("Bearer {key}").as_str()));
            }
            Err(code) => {
                let error = outcome.result.unwrap_err();
                assert_eq!((error.code.as_str(), peer.seen().len()), (code, before), "{tenant}");
            }
        }
        assert_eq!(tenants.is_served(tenant), !["alone", "nobody"].contains(&tenant));
    }
    let error = prepared.check_secret(&tenants.of("nobody")).unwrap_err().to_string();
    assert!(
        error.ends_with("for {here} and the tenant `nobody`".replace("{here}", &here).as_str()),
        "{error}"
    );
}

#[tokio::test]
async fn a_missing_key_of_several_parts_names_the_options_that_take_them() {
    let peer = Peer::start(|_| json_answer(&json!({"n": 1}))).await;
    let headers = [("X-Client-Id", "<id>"), ("X-Client-Secret", "Secret <secret>")];
    let auth = Auth::Headers { headers: headers.map(|(name, format)| (name.into(), format.into())).into() };
    let prepared =
        prepare(&peer.client(), &OperationDescriptor { auth, ..operation(&peer.origin(), "POST") });
    let error = prepared.check_secret(&SecretStore::new()).unwrap_err();
    assert_eq!(error.code(), "E1105");
    assert!(error.to_string().ends_with("takes them by `--part id --part secret`"), "{error}");
}
