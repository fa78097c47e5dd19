//! Calls over HTTP(S) to real sockets: what is sent, what comes back, and what each failure is called.

mod support;

use std::collections::BTreeMap;

use schema::amount::{Amount, Currency};
use schema::error::CallErrorKind;
use schema::operation::{
    Auth, ObservedCost, ParameterLocation, ParameterStyle, RequestBody, ResponseBody, Transport,
};
use schema::value::Value as Typed;
use serde_json::json;
use subnet::secrets::SecretStore;
use subnet::{Client, PrepareError};
use support::*;

#[tokio::test]
async fn parameters_go_where_the_binding_says_and_the_answer_is_decoded() {
    let peer = Peer::start(|_| json_answer(&json!({"n": 42, "unknown": [1]}))).await;
    let client = peer.client();
    let secrets = SecretStore::new();
    let get = prepare(&client, &operation(&format!("{}/v1/", peer.origin()), "GET"));
    let outcome = client
        .call_fields(
            &get,
            fields(json!({"id": "a b/ü?#&%", "q": "x=1&y=ü ~"})),
            &context(&secrets, PATIENT_MS),
        )
        .await;
    assert_eq!(outcome.result, Ok(Typed::record([Typed::Int(42)])));
    assert_eq!((outcome.status, outcome.sent), (Some(200), true));
    assert_eq!(&outcome.response_body[..], br#"{"n":42,"unknown":[1]}"#);
    assert!(outcome.timings.first_byte.unwrap() <= outcome.timings.total);
    let mut post = operation(&peer.origin(), "POST");
    if let Transport::Http(http) = &mut post.transport {
        http.fixed_body = BTreeMap::from([("stream".into(), json!(false))]);
    }
    let post = prepare(&client, &post);
    let outcome = client
        .call_fields(&post, fields(json!({"q": "hällo", "id": null})), &context(&secrets, PATIENT_MS))
        .await;
    assert!(outcome.result.is_ok());
    let seen = peer.seen();
    assert_eq!(seen[0].line, "GET /v1/items/a%20b%2F%C3%BC%3F%23%26%25?q=x%3D1%26y%3D%C3%BC%20~ HTTP/1.1");
    assert!(seen[0].body.is_empty());
    assert_eq!(seen[1].line, "POST /items HTTP/1.1");
    assert_eq!(String::from_utf8_lossy(&seen[1].body), r#"{"q":"hällo","stream":false}"#);
    assert_eq!(seen[1].header("content-type"), Some("application/json"));
    assert_eq!(seen[1].header("accept-encoding"), Some("identity"));
    assert_eq!(seen[1].header("x-request-id"), Some("07070707-0707-8707-8707-070707070707"));
    assert_eq!(peer.connections(), 1, "the connection is kept");
}

#[tokio::test]
async fn the_canonical_request_is_stable_and_complete() {
    let peer = Peer::start(|_| json_answer(&json!({"n": 1}))).await;
    let client = peer.client();
    let prepared = prepare(&client, &operation(&peer.origin(), "POST"));
    let outcome = client
        .call_fields(&prepared, fields(json!({"q": "x"})), &context(&SecretStore::new(), PATIENT_MS))
        .await;
    let expected = format!(
        "orchestra.request/1\nPOST {}/items\ncontent-type: application/json\n\
         x-request-id: 07070707-0707-8707-8707-070707070707\n\n{{\"q\":\"x\"}}",
        peer.origin()
    );
    assert_eq!(String::from_utf8_lossy(&outcome.redacted_request), expected);
}

#[tokio::test]
async fn an_input_record_is_sent_by_the_names_of_its_fields() {
    let peer = Peer::start(|_| json_answer(&json!({"n": 1}))).await;
    let client = peer.client();
    let prepared = prepare(&client, &operation(&peer.origin(), "POST"));
    let secrets = SecretStore::new();
    let input = Typed::record([Typed::Null, Typed::string("x")]);
    assert!(client.call(&prepared, &input, &context(&secrets, PATIENT_MS)).await.result.is_ok());
    assert_eq!(peer.seen()[0].body, br#"{"q":"x"}"#);
    let outcome =
        client.call(&prepared, &Typed::record([Typed::Int(1)]), &context(&secrets, PATIENT_MS)).await;
    assert_eq!((outcome.result.unwrap_err().code.as_str(), outcome.sent), ("E1112", false));
}

#[tokio::test]
async fn null_is_sent_where_a_property_is_required_and_may_be_null() {
    let peer = Peer::start(|_| json_answer(&json!({"n": 1}))).await;
    let client = peer.client();
    let mut operation = operation(&peer.origin(), "POST");
    let note = json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] });
    let inner =
        json!({ "type": "object", "required": ["note"], "properties": { "note": note, "more": note } });
    operation.input = json!({ "type": "object", "required": ["id", "q", "o"], "properties": {
        "id": note, "q": note, "more": note, "o": inner } });
    if let Transport::Http(http) = &mut operation.transport {
        http.path = "/items".into();
        http.parameters = BTreeMap::from([("q".into(), ParameterLocation::Query)]);
    }
    let prepared = prepare(&client, &operation);
    let secrets = SecretStore::new();
    for input in [json!({ "o": {} }), json!({ "id": null, "q": null, "more": null, "o": { "note": null } })] {
        let outcome = client.call_fields(&prepared, fields(input), &context(&secrets, PATIENT_MS)).await;
        assert!(outcome.result.is_ok());
    }
    for seen in peer.seen() {
        assert_eq!(seen.line, "POST /items HTTP/1.1", "a query has no null");
        let sent: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
        assert_eq!(sent, json!({ "id": null, "o": { "note": null } }));
    }
    if let Transport::Http(http) = &mut operation.transport {
        http.body = RequestBody::Form;
    }
    let form = prepare(&client, &operation);
    let outcome = client
        .call_fields(&form, fields(json!({ "o": { "note": "n" } })), &context(&secrets, PATIENT_MS))
        .await;
    assert!(outcome.result.is_ok());
    assert_eq!(peer.seen()[2].body, b"o=%7B%22note%22%3A%22n%22%7D", "nor has a form");
}

#[tokio::test]
async fn lists_in_a_query_are_repeated_and_scalars_keep_their_text() {
    let peer = Peer::start(|_| json_answer(&json!({"n": 1}))).await;
    let client = peer.client();
    let mut operation = operation(&peer.origin(), "GET");
    operation.input = json!({"properties": {"id": {}, "q": {}, "flag": {}}});
    if let Transport::Http(http) = &mut operation.transport {
        http.parameters.insert("flag".into(), ParameterLocation::Query);
    }
    let prepared = prepare(&client, &operation);
    for input in [json!({"id": 7, "q": ["a", "b c"], "flag": true}), json!({"id": 7, "q": [], "flag": null})]
    {
        let outcome =
            client.call_fields(&prepared, fields(input), &context(&SecretStore::new(), PATIENT_MS)).await;
        assert!(outcome.result.is_ok());
    }
    let lines: Vec<String> = peer.seen().into_iter().map(|seen| seen.line).collect();
    assert_eq!(lines, ["GET /items/7?flag=true&q=a&q=b%20c HTTP/1.1", "GET /items/7 HTTP/1.1"]);
}

#[tokio::test]
async fn path_parameters_that_climb_are_refused_and_nothing_is_sent() {
    let peer = Peer::start(|_| json_answer(&json!({"n": 1}))).await;
    let client = peer.client();
    let prepared = prepare(&client, &operation(&peer.origin(), "GET"));
    let secrets = SecretStore::new();
    for id in [
        "",
        ".",
        "..",
        "../admin",
        "a/../b",
        "a/..",
        "./x",
        "..\\x",
        "%2e%2e",
        "%2E%2e/x",
        "..%2fadmin",
        "..%2Fadmin",
        "a%2f..%2fb",
        "..%5cx",
        ".%2e",
        "a\0b",
        "a%00b",
        "a\nb",
        "a\r\nHost: evil",
    ] {
        let outcome =
            client.call_fields(&prepared, fields(json!({"id": id})), &context(&secrets, PATIENT_MS)).await;
        let error = outcome.result.expect_err(id);
        assert_eq!((error.kind, error.code.as_str()), (CallErrorKind::Rejected, "E1112"), "{id:?}");
        assert!(!outcome.sent);
    }
    for id in ["...", "a..b", "v1.2", "key/with/slashes", ".hidden"] {
        let outcome =
            client.call_fields(&prepared, fields(json!({"id": id})), &context(&secrets, PATIENT_MS)).await;
        assert!(outcome.result.is_ok(), "{id:?}");
    }
    assert_eq!(peer.seen().len(), 5);
    let at = |length: usize| fields(json!({"id": "a".repeat(length)}));
    assert!(client.call_fields(&prepared, at(2_048), &context(&secrets, PATIENT_MS)).await.result.is_ok());
    assert!(!client.call_fields(&prepared, at(2_049), &context(&secrets, PATIENT_MS)).await.sent);
}

#[tokio::test]
async fn the_size_of_requests_is_limited() {
    let peer = Peer::start(|_| json_answer(&json!({"n": 1}))).await;
    let client = peer.client();
    let secrets = SecretStore::new();
    let post = prepare(&client, &operation(&peer.origin(), "POST"));
    // `{"q":""}` has 8 bytes.
    let body = |length: usize| fields(json!({"q": "x".repeat(length - 8)}));
    assert!(client.call_fields(&post, body(8 << 20), &context(&secrets, PATIENT_MS)).await.result.is_ok());
    let outcome = client.call_fields(&post, body((8 << 20) + 1), &context(&secrets, PATIENT_MS)).await;
    assert_eq!((outcome.result.unwrap_err().code.as_str(), outcome.sent), ("E1112", false));
    let get = prepare(&client, &operation(&peer.origin(), "GET"));
    // `/items/1?q=` has 11 bytes.
    let query = |length: usize| fields(json!({"id": "1", "q": "x".repeat(length - 11)}));
    assert!(client.call_fields(&get, query(16 << 10), &context(&secrets, PATIENT_MS)).await.result.is_ok());
    assert!(!client.call_fields(&get, query((16 << 10) + 1), &context(&secrets, PATIENT_MS)).await.sent);
}

#[tokio::test]
async fn each_status_has_its_kind() {
    for (status, kind, code) in [
        ("400 Bad Request", CallErrorKind::Rejected, "E1146"),
        ("401 Unauthorized", CallErrorKind::Unauthorized, "E1145"),
        ("402 Payment Required", CallErrorKind::Rejected, "E1132"),
        ("403 Forbidden", CallErrorKind::Unauthorized, "E1145"),
        ("404 Not Found", CallErrorKind::Rejected, "E1146"),
        ("408 Request Timeout", CallErrorKind::Timeout, "E1140"),
        ("413 Content Too Large", CallErrorKind::Rejected, "E1146"),
        ("422 Unprocessable Content", CallErrorKind::Rejected, "E1146"),
        ("429 Too Many Requests", CallErrorKind::RateLimited, "E1144"),
        ("500 Internal Server Error", CallErrorKind::Unavailable, "E1143"),
        ("502 Bad Gateway", CallErrorKind::Unavailable, "E1143"),
        ("503 Service Unavailable", CallErrorKind::Unavailable, "E1143"),
        ("504 Gateway Timeout", CallErrorKind::Timeout, "E1140"),
        ("599 Whatever", CallErrorKind::Unavailable, "E1143"),
    ] {
        let outcome =
            call_once(answer(status, "application/json", r#"{"detail":"because"}"#), PATIENT_MS).await;
        let error = outcome.result.expect_err(status);
        assert_eq!((error.kind, error.code.as_str()), (kind, code), "{status}");
        assert!(error.message.ends_with(": because"), "{error}");
        assert!(outcome.sent && outcome.status.is_some());
        assert_eq!(&outcome.response_body[..], br#"{"detail":"because"}"#);
    }
}

#[tokio::test]
async fn a_rate_limit_says_how_long_to_wait() {
    let reply = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 3\r\ncontent-length: 0\r\n\r\n".to_vec();
    let error = call_once(Reply::Bytes(reply), PATIENT_MS).await.result.unwrap_err();
    assert_eq!((error.kind, error.retry_after_ms), (CallErrorKind::RateLimited, Some(3_000)));
}

#[tokio::test]
async fn redirects_are_refused_and_not_followed() {
    let target = Peer::start(|_| json_answer(&json!({"n": 1}))).await;
    let location = format!("{}/elsewhere", target.origin());
    for status in [
        "301 Moved Permanently",
        "302 Found",
        "303 See Other",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let reply =
            format!("HTTP/1.1 {status}\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n").into_bytes();
        let error = call_once(Reply::Bytes(reply), PATIENT_MS).await.result.unwrap_err();
        assert_eq!((error.kind, error.code.as_str()), (CallErrorKind::Rejected, "E1147"), "{status}");
    }
    assert_eq!(target.connections(), 0);
}

#[tokio::test]
async fn answers_in_another_form_are_invalid() {
    for (content_type, body, code, path) in [
        ("text/html; charset=utf-8", "<html>Sign in</html>", "E1148", "$"),
        ("application/xhtml+xml", "<html/>", "E1148", "$"),
        ("text/event-stream", "data: {}\n\n", "E1148", "$"),
        ("image/png", "x", "E1148", "$"),
        ("application/json; charset=utf-16", r#"{"n":1}"#, "E1148", "$"),
    ] {
        let error =
            call_once(answer("200 OK", content_type, body), PATIENT_MS).await.result.expect_err(content_type);
        assert_eq!((error.kind, error.code.as_str()), (CallErrorKind::Invalid, code), "{content_type}");
        assert_eq!(error.path.as_deref(), Some(path));
    }
    for (body, path) in [
        (r#"{"n":"1"}"#, "$.n"),
        (r#"{"m":1}"#, "$.n"),
        (r#"{"n":1,"n":2}"#, "$.n"),
        (r#"{"n":1"#, "$"),
        ("", "$"),
        ("<html>", "$"),
        ("[]", "$"),
        (r#"{"n":1e999}"#, "$.n"),
    ] {
        let error =
            call_once(answer("200 OK", "application/json", body), PATIENT_MS).await.result.expect_err(body);
        assert_eq!(error.kind, CallErrorKind::Invalid, "{body}");
        assert!(error.path.as_deref().is_some_and(|found| found.starts_with(path)), "{body}: {error}");
    }
    let deep = format!(r#"{{"n":1,"x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let error = call_once(answer("200 OK", "application/json", deep), PATIENT_MS).await.result.unwrap_err();
    assert_eq!(error.kind, CallErrorKind::Invalid);
    for content_type in
        ["application/json", "application/problem+json", "text/plain", "application/json;charset=UTF-8"]
    {
        assert!(call_once(answer("200 OK", content_type, r#"{"n":1}"#), PATIENT_MS).await.result.is_ok());
    }
    let bare = b"HTTP/1.1 201 Created\r\ncontent-length: 7\r\n\r\n{\"n\":1}".to_vec();
    assert!(call_once(Reply::Bytes(bare), PATIENT_MS).await.result.is_ok());
}

#[tokio::test]
async fn rules_beyond_the_types_hold_on_both_sides() {
    let peer = Peer::start(|seen| {
        let odd = seen.body.windows(3).any(|window| window == b"odd");
        json_answer(&json!({ "n": if odd { 7 } else { 8 } }))
    })
    .await;
    let client = peer.client();
    let mut operation = operation(&peer.origin(), "POST");
    operation.input = json!({ "type": "object", "properties": {
        "id": { "type": "string" }, "q": { "type": "string", "pattern": "^[a-z]+$" } } });
    operation.output =
        json!({ "type": "object", "properties": { "n": { "type": "integer", "multipleOf": 2 } } });
    let prepared = prepare(&client, &operation);
    let secrets = SecretStore::new();
    let context = context(&secrets, PATIENT_MS);
    let call = |q: &str| client.call_fields(&prepared, fields(json!({ "q": q })), &context);
    assert!(call("even").await.result.is_ok());
    let outcome = call("odd").await;
    assert!(outcome.sent);
    let error = outcome.result.unwrap_err();
    assert_eq!((error.kind, error.code.as_str()), (CallErrorKind::Invalid, "E1124"));
    assert_eq!(error.path.as_deref(), Some("$.n"));
    let sent = peer.seen().len();
    let outcome = call("No!").await;
    let error = outcome.result.unwrap_err();
    assert_eq!((error.kind, error.code.as_str(), outcome.sent), (CallErrorKind::Rejected, "E1124", false));
    assert_eq!(error.path.as_deref(), Some("$.q"));
    assert_eq!(peer.seen().len(), sent);
    // Where the Ledger knows no contract of the answer, none is held against it.
    operation.output_complete = false;
    let loose = prepare(&client, &operation);
    let outcome = client.call_fields(&loose, fields(json!({ "q": "odd" })), &context).await;
    assert!(outcome.result.is_ok());
}

#[tokio::test]
async fn text_answers_are_one_string() {
    let peer = Peer::start(|seen| match seen.body.len() {
        0..=9 => answer("200 OK", "text/plain; charset=utf-8", "Grüße\n"),
        10..=12 => answer("200 OK", "text/plain", b"\xff\xfe"),
        13..=15 => answer("200 OK", "image/png", "x"),
        _ => answer("200 OK", "text/markdown", ""),
    })
    .await;
    let client = peer.client();
    let mut operation = operation(&peer.origin(), "POST");
    if let Transport::Http(http) = &mut operation.transport {
        http.response = ResponseBody::Text;
    }
    let prepared = client.prepare(&operation, text_types(), None).unwrap();
    let secrets = SecretStore::new();
    let call = async |q: &str| {
        client.call_fields(&prepared, fields(json!({"q": q})), &context(&secrets, PATIENT_MS)).await
    };
    // `{"q":""}` has 8 bytes.
    assert_eq!(call("").await.result, Ok(Typed::string("Grüße\n")));
    assert_eq!(call("abc").await.result.unwrap_err().kind, CallErrorKind::Invalid);
    assert_eq!(call("abcdef").await.result.unwrap_err().code, "E1148");
    assert_eq!(call("abcdefghijkl").await.result, Ok(Typed::string("")));
}

#[tokio::test]
async fn stated_charges_are_observed() {
    let reply = b"HTTP/1.1 200 OK\r\nx-cost-usd: 0.0123\r\ncontent-length: 7\r\n\r\n{\"n\":1}".to_vec();
    let peer = Peer::start(move |_| Reply::Bytes(reply.clone())).await;
    let client = peer.client();
    let mut operation = operation(&peer.origin(), "POST");
    operation.observed_cost =
        Some(ObservedCost::Header { name: "x-cost-usd".into(), currency: Currency::MicroUsd });
    let prepared = prepare(&client, &operation);
    let outcome =
        client.call_fields(&prepared, fields(json!({})), &context(&SecretStore::new(), PATIENT_MS)).await;
    assert_eq!(outcome.observed_cost, Some(Amount::new(12_300, Currency::MicroUsd)));
}

#[tokio::test]
async fn a_charge_that_cannot_be_read_is_told_and_never_quoted() {
    for (headers, why) in [
        (
            "x-cost-usd: 0.01\r\nx-cost-usd: 0.02\r\n",
            Some("the header `x-cost-usd` stands there more than once"),
        ),
        ("x-cost-usd: key-7\r\n", Some("the header `x-cost-usd` is no decimal number")),
        ("x-cost-usd: -1\r\n", Some("the header `x-cost-usd` is negative")),
        ("", None),
    ] {
        let reply = format!("HTTP/1.1 200 OK\r\n{headers}content-length: 7\r\n\r\n{{\"n\":1}}").into_bytes();
        let peer = Peer::start(move |_| Reply::Bytes(reply.clone())).await;
        let client = peer.client();
        let mut operation = operation(&peer.origin(), "POST");
        operation.observed_cost =
            Some(ObservedCost::Header { name: "x-cost-usd".into(), currency: Currency::MicroUsd });
        let prepared = prepare(&client, &operation);
        let outcome =
            client.call_fields(&prepared, fields(json!({})), &context(&SecretStore::new(), PATIENT_MS)).await;
        assert!(outcome.result.is_ok());
        assert_eq!((outcome.observed_cost, outcome.unread_charge.as_deref()), (None, why));
    }
}

#[tokio::test]
async fn tls_needs_a_trusted_certificate_for_the_very_name() {
    let peer = Peer::start_tls(|_| json_answer(&json!({"n": 1}))).await;
    let secrets = SecretStore::new();
    let call = async |client: &Client, base: &str| {
        let prepared = prepare(client, &operation(base, "POST"));
        client.call_fields(&prepared, fields(json!({})), &context(&secrets, PATIENT_MS)).await
    };
    let trusting = peer.client();
    assert!(call(&trusting, &peer.origin()).await.result.is_ok());
    let by_address = format!("https://{}", peer.address);
    let untrusting =
        Client::new(subnet::egress::Options { extra_roots_pem: Vec::new(), ..peer.options() }).unwrap();
    for (client, base) in [(&trusting, by_address), (&untrusting, peer.origin())] {
        let outcome = call(client, &base).await;
        let error = outcome.result.unwrap_err();
        assert_eq!(
            (error.kind, error.code.as_str(), outcome.sent),
            (CallErrorKind::Unavailable, "E1141", false),
            "{error}"
        );
    }
    assert_eq!(peer.seen().len(), 1);
}

#[tokio::test]
async fn a_root_that_is_no_certificate_is_an_error() {
    for pem in ["", "not pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let options = subnet::egress::Options { extra_roots_pem: vec![pem.into()], ..Default::default() };
        assert_eq!(Client::new(options).map(|_| ()).unwrap_err().code(), "E1110", "{pem}");
    }
}

#[tokio::test]
async fn descriptors_that_cannot_be_called_say_why() {
    let client = Client::new(Default::default()).unwrap();
    let base = "https://api.example.com";
    let binding = |change: &dyn Fn(&mut schema::operation::HttpBinding)| {
        let mut operation = operation(base, "GET");
        if let Transport::Http(http) = &mut operation.transport {
            change(http);
        }
        client.prepare(&operation, types(), None).map(|_| ())
    };
    assert_eq!(binding(&|_| ()), Ok(()));
    for change in [
        (|http| http.method = "TRACE".into()) as fn(&mut schema::operation::HttpBinding),
        |http| http.method = "get".into(),
        |http| http.path = "items".into(),
        |http| http.path = "/items/{id".into(),
        |http| http.path = "/items/{}".into(),
        |http| http.path = "/items/{other}".into(),
        |http| http.path = "/items/../{id}".into(),
        |http| http.path = "/items/{id}?x=1".into(),
        |http| http.path = "/items/ü/{id}".into(),
        |http| http.path = "/items".into(),
        // What the transport writes itself would replace what is given.
        |http| http.parameters.extend([("User-Agent".into(), ParameterLocation::Header)]),
        |http| http.parameters.extend([("X-Request-Id".into(), ParameterLocation::Header)]),
        |http| http.parameters.extend([("accept-encoding".into(), ParameterLocation::Header)]),
        |http| http.styles.extend([("q".into(), ParameterStyle::Matrix)]),
        |http| http.styles.extend([("other".into(), ParameterStyle::Comma)]),
        |http| http.accept = Some("a\nb".into()),
    ] {
        assert!(matches!(binding(&change), Err(PrepareError::Binding { .. })));
    }
    let error = binding(&|http| http.base_url = "http://{validator_host}:48888".into()).unwrap_err();
    assert_eq!(error.code(), "E1102");
    let auth = |auth: Auth| {
        let operation = schema::operation::OperationDescriptor { auth, ..operation(base, "GET") };
        client.prepare(&operation, types(), None).map(|_| ()).map_err(|error| error.code())
    };
    assert_eq!(auth(Auth::Hotkey), Err("E1111"));
    assert_eq!(auth(Auth::Other { scheme: "x402".into() }), Err("E1111"));
    assert_eq!(auth(Auth::Header { name: "a b".into(), format: "<key>".into() }), Err("E1109"));
    assert_eq!(auth(Auth::Header { name: "Authorization".into(), format: "Bearer".into() }), Err("E1109"));
    let mut grpc = operation(base, "GET");
    grpc.transport = Transport::Other { protocol: "grpc".into(), base_url: None };
    assert_eq!(client.prepare(&grpc, types(), None).unwrap_err().code(), "E1111");
    // A deployment fills in what the entry leaves open.
    let mut open = operation("http://{validator_host}:48888", "GET");
    open.id = "sn8.x".into();
    let prepared = client.prepare(&open, types(), Some("http://44.1.2.3:48888")).unwrap();
    assert_eq!(prepared.origin().as_str(), "http://44.1.2.3:48888");
}
