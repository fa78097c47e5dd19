//! Answers that come item by item, at real sockets: what is handed on, what the whole is, and what each failure is called.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use std::sync::Mutex;
use std::time::Duration;

use schema::amount::{Amount, Currency};
use schema::error::{CallError, CallErrorKind};
use schema::json_schema::OperationTypes;
use schema::operation::{Auth, ObservedCost, OperationDescriptor, ResponseBody, TokenPrice, Transport};
use schema::value::Value as Typed;
use secrecy::SecretString;
use serde_json::{Value, json};
use subnet::secrets::SecretStore;
use subnet::{CallContext, CallOutcome, Listen};
use support::*;

/// Keeps what it hears.
#[derive(Debug, Default)]
struct Heard(Mutex<Vec<Value>>);

impl Listen for Heard {
    fn item(&self, item: &Value) {
        self.0.lock().unwrap().push(item.clone());
    }
}

impl Heard {
    fn all(&self) -> Vec<Value> {
        self.0.lock().unwrap().clone()
    }
}

/// `sn1.test` with items `{ n: Int }`.
fn streamed(origin: &str, patch: Value) -> OperationDescriptor {
    let mut streamed = operation(origin, "POST");
    let item = json!({ "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } });
    streamed.output = json!({ "type": "array", "items": item });
    let mut stream = json!({ "kind": "stream", "framing": "events", "end": "[DONE]", "item": item,
        "gather": { "kind": "items" } });
    stream.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
    streamed.delivery = Some(serde_json::from_value(stream).unwrap());
    streamed
}

async fn call(peer: &Peer, operation: &OperationDescriptor, heard: Option<&Heard>) -> CallOutcome {
    let mut secrets = SecretStore::new();
    secrets.insert("sn1", &peer.origin(), &SecretString::from("cnry-0rch3stra-12345")).unwrap();
    let client = peer.client();
    let types = OperationTypes::of(operation).unwrap();
    let prepared = client.prepare(operation, types.into(), None).unwrap();
    let listener = heard.map(|heard| heard as &dyn Listen);
    let context = CallContext { listener, ..context(&secrets, PATIENT_MS) };
    client.call_fields(&prepared, fields(json!({ "q": "x" })), &context).await
}

async fn answered(reply: Reply, patch: Value) -> (CallOutcome, Vec<Value>) {
    let peer = Peer::start(move |_| reply.clone()).await;
    let heard = Heard::default();
    let outcome = call(&peer, &streamed(&peer.origin(), patch), Some(&heard)).await;
    (outcome, heard.all())
}

fn events(body: &str) -> Reply {
    answer("200 OK", "text/event-stream; charset=utf-8", body)
}

fn error(outcome: CallOutcome) -> CallError {
    outcome.result.unwrap_err()
}

#[tokio::test]
async fn items_are_handed_on_and_gathered() {
    let body = ": hi\n\ndata: {\"n\": 1}\n\nevent: x\ndata: {\"n\":\ndata: 2}\n\ndata: [DONE]\n\n";
    let (outcome, heard) = answered(events(body), json!({})).await;
    assert_eq!(heard, [json!({ "n": 1 }), json!({ "n": 2 })]);
    let item = |n| Typed::record([Typed::Int(n)]);
    assert_eq!(outcome.result, Ok(Typed::list([item(1), item(2)])));
    assert_eq!(&outcome.response_body[..], body.as_bytes(), "the proof commits to what was received");
}

#[tokio::test]
async fn the_end_ends_it_though_the_peer_goes_on() {
    let head =
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: {\"n\": 1}\n\ndata: [DONE]\n\n"
            .to_vec();
    let (outcome, heard) =
        answered(Reply::Repeat(head, b": still here\n\n".to_vec(), Duration::from_millis(5)), json!({}))
            .await;
    assert_eq!((outcome.result.unwrap().as_list().unwrap().len(), heard.len()), (1, 1));
}

#[tokio::test]
async fn half_a_stream_is_no_answer() {
    let (outcome, heard) = answered(events("data: {\"n\": 1}\n\ndata: {\"n\": 2}"), json!({})).await;
    assert_eq!(heard.len(), 1);
    assert!(outcome.sent);
    let error = error(outcome);
    assert_eq!((error.kind, error.code.as_str()), (CallErrorKind::Unavailable, "E1130"));
    let cut = Reply::Close(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 99\r\n\r\ndata: {\"n\": 1}\n\n".to_vec());
    let (outcome, heard) = answered(cut, json!({})).await;
    assert_eq!((outcome.result.unwrap_err().code.as_str(), heard.len()), ("E1142", 1));
}

#[tokio::test]
async fn a_stream_that_never_ends_ends_with_the_time() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n".to_vec();
    let reply = Reply::Repeat(head, b"data: {\"n\": 1}\n\n".to_vec(), Duration::from_millis(1));
    let peer = Peer::start(move |_| reply.clone()).await;
    let operation = streamed(&peer.origin(), json!({}));
    let (client, secrets, heard) = (peer.client(), SecretStore::new(), Heard::default());
    let prepared = client.prepare(&operation, OperationTypes::of(&operation).unwrap().into(), None).unwrap();
    let context = CallContext { listener: Some(&heard), ..context(&secrets, 200) };
    let outcome = client.call_fields(&prepared, fields(json!({ "q": "x" })), &context).await;
    assert!(outcome.sent && !heard.all().is_empty());
    assert_eq!(outcome.result.unwrap_err().code, "E1140");
}

#[tokio::test]
async fn an_item_that_does_not_fit_is_named_with_its_path() {
    let (outcome, heard) =
        answered(events("data: {\"n\": 1}\n\ndata: {\"n\": \"two\"}\n\ndata: [DONE]\n\n"), json!({})).await;
    assert_eq!(heard.len(), 1);
    let error = error(outcome);
    assert_eq!(
        (error.kind, error.code.as_str(), error.path.as_deref()),
        (CallErrorKind::Invalid, "E1120", Some("$.n"))
    );
    assert!(error.message.starts_with("item 1: "), "{error}");
}

#[tokio::test]
async fn what_the_peer_says_within_the_stream_is_its_failure() {
    let (outcome, _) =
        answered(events("data: {\"error\": {\"message\": \"out of memory\"}}\n\n"), json!({})).await;
    let error = error(outcome);
    assert_eq!((error.kind, error.code.as_str()), (CallErrorKind::Unavailable, "E1143"));
    assert!(error.message.ends_with("out of memory"), "{error}");
}

#[tokio::test]
async fn a_key_within_a_stream_is_not_handed_on() {
    let reply = events("data: {\"n\": 1, \"k\": \"cnry-0rch3stra-12345\"}\n\ndata: [DONE]\n\n");
    let peer = Peer::start(move |_| reply.clone()).await;
    let mut operation = streamed(&peer.origin(), json!({}));
    operation.auth = Auth::Header { name: "Authorization".into(), format: "Bearer <key>".into() };
    let heard = Heard::default();
    let outcome = call(&peer, &operation, Some(&heard)).await;
    assert_eq!((heard.all().len(), outcome.response_body.len()), (0, 0));
    assert_eq!(outcome.result.unwrap_err().code, "E1113");
}

#[tokio::test]
async fn a_key_that_comes_in_pieces_is_not_kept() {
    let key = "cnry-0rch3stra-12345";
    for sizes in [3, 9, 19] {
        let pieces = key.as_bytes().chunks(sizes).map(|piece| String::from_utf8_lossy(piece));
        let event = |text| format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n");
        let usage = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}\n\n";
        let body = pieces.map(event).chain([usage.to_owned(), "data: [DONE]\n\n".into()]).collect::<String>();
        let reply = events(&body);
        let peer = Peer::start(move |_| reply.clone()).await;
        let mut operation = chat(&peer.origin());
        operation.auth = Auth::Header { name: "Authorization".into(), format: "Bearer <key>".into() };
        let outcome = call(&peer, &operation, Some(&Heard::default())).await;
        assert_eq!(outcome.result.unwrap_err().code, "E1113", "{sizes}");
        assert_eq!(
            (outcome.response_body.len(), outcome.observed_cost),
            (0, Some(Amount::new(3, Currency::MicroUsd))),
            "{sizes}"
        );
    }
}

#[tokio::test]
async fn a_key_in_pieces_is_not_kept_of_a_stream_that_breaks_off() {
    let (first, last) = ("cnry-0rch3str", "a-12345");
    let item = |text: &str| format!("data: {{\"n\":1,\"t\":\"{text}\"}}\n\n");
    for (case, rest) in [
        ("half a stream", item(last)),
        ("an event that nothing ends", item(last).trim_end().to_owned()),
        ("an item that does not fit", format!("data: {{\"n\":\"two\",\"t\":\"{last}\"}}\n\n")),
        ("a failure", format!("data: {{\"error\":{{\"message\":\"no\"}},\"t\":\"{last}\"}}\n\n")),
        ("a whole stream", format!("{}data: [DONE]\n\n", item(last))),
        ("an item that is cut off within the text", format!("data: {{\"n\":1,\"t\":\"{last}")),
        ("an event of several lines that is cut off", format!("data: {{\"n\":1,\ndata: \"t\":\"{last}")),
        ("an item that is cut off behind it", format!("data: {{\"n\":1,\"t\":\"{last}\",\"u\"\n\n")),
        ("an item that is no JSON", format!("data: {{\"t\":\"{last}\"}} and more\n\n")),
        ("what comes behind an item that does not fit", format!("data: {{\"n\":\"two\"}}\n\n{}", item(last))),
        ("what comes behind the end", format!("data: [DONE]\n\n{}", item(last))),
    ] {
        let reply = events(&format!("{}{rest}", item(first)));
        let peer = Peer::start(move |_| reply.clone()).await;
        let mut operation = streamed(&peer.origin(), json!({}));
        operation.auth = Auth::Header { name: "Authorization".into(), format: "Bearer <key>".into() };
        let outcome = call(&peer, &operation, Some(&Heard::default())).await;
        let body = String::from_utf8_lossy(&outcome.response_body).into_owned();
        assert_eq!((outcome.result.unwrap_err().code.as_str(), body.as_str()), ("E1113", ""), "{case}");
    }
    // What breaks off without it is kept, as a proof commits to it.
    let body = item(first);
    let reply = events(&body);
    let peer = Peer::start(move |_| reply.clone()).await;
    let mut operation = streamed(&peer.origin(), json!({}));
    operation.auth = Auth::Header { name: "Authorization".into(), format: "Bearer <key>".into() };
    let outcome = call(&peer, &operation, Some(&Heard::default())).await;
    assert_eq!(
        (outcome.result.unwrap_err().code.as_str(), &outcome.response_body[..]),
        ("E1130", body.as_bytes())
    );
}

#[tokio::test]
async fn a_key_in_pieces_of_a_message_is_not_kept() {
    let (first, last) = ("cnry-0rch3str", "a-12345");
    let begin = |index: u32, text: &str| json!({ "type": "content_block_start", "index": index, "content_block": { "type": "text", "text": text } });
    let part = |index: u32, text: &str| json!({ "type": "content_block_delta", "index": index, "delta": { "type": "text_delta", "text": text } });
    let start = json!({ "type": "message_start", "message": { "content": [] } });
    let end = json!({ "type": "message_stop" });
    for (case, items) in [
        ("where a block begins", vec![begin(0, first), part(0, last)]),
        (
            "between another block",
            vec![begin(0, ""), begin(1, ""), part(0, first), part(1, "x"), part(0, last)],
        ),
    ] {
        let items = [vec![start.clone()], items, vec![end.clone()]].concat();
        let reply = events(&items.iter().map(|item| format!("data: {item}\n\n")).collect::<String>());
        let peer = Peer::start(move |_| reply.clone()).await;
        let patch = json!({ "item": true, "end": null, "gather": { "kind": "message" } });
        let mut operation = streamed(&peer.origin(), patch);
        operation.output = json!(true);
        operation.auth = Auth::Header { name: "Authorization".into(), format: "Bearer <key>".into() };
        let outcome = call(&peer, &operation, Some(&Heard::default())).await;
        let body = String::from_utf8_lossy(&outcome.response_body).into_owned();
        assert_eq!((outcome.result.unwrap_err().code.as_str(), body.as_str()), ("E1113", ""), "{case}");
    }
}

#[tokio::test]
async fn lines_and_text_are_streams_too() {
    let lines = json!({ "framing": "lines", "end": null });
    let (outcome, heard) =
        answered(answer("200 OK", "application/x-ndjson", "{\"n\":1}\r\n{\"n\":2}"), lines.clone()).await;
    assert_eq!((outcome.result.unwrap().as_list().unwrap().len(), heard.len()), (2, 2));
    let (outcome, _) = answered(answer("200 OK", "text/html", "<html>"), lines).await;
    assert_eq!(outcome.result.unwrap_err().code, "E1148");
    let reply = Reply::Bytes(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n2\r\nh\xc3\r\n2\r\n\xbc!\r\n0\r\n\r\n".to_vec());
    let peer = Peer::start(move |_| reply.clone()).await;
    let mut operation = streamed(
        &peer.origin(),
        json!({ "framing": "text", "end": null, "item": { "type": "string" },
        "gather": { "kind": "text", "from": "" } }),
    );
    operation.output = json!({ "type": "string" });
    if let Transport::Http(http) = &mut operation.transport {
        http.response = ResponseBody::Text;
    }
    let heard = Heard::default();
    let outcome = call(&peer, &operation, Some(&heard)).await;
    assert_eq!(outcome.result, Ok(Typed::string("hü!")));
    assert_eq!(heard.all().iter().map(|item| item.as_str().unwrap()).collect::<String>(), "hü!");
}

/// A chat that is streamed where it is asked for, as OpenAI-compatible subnets have it.
fn chat(origin: &str) -> OperationDescriptor {
    let mut chat = streamed(
        origin,
        json!({ "ask": { "stream": true }, "item": true, "gather": { "kind": "completion" } }),
    );
    let text = json!({ "type": "string" });
    let message = json!({ "type": "object", "required": ["content"], "properties": { "content": text } });
    let choice = json!({ "type": "object", "required": ["message"], "properties": { "message": message } });
    chat.output = json!({ "type": "object", "required": ["choices"], "properties": { "choices": { "type": "array", "items": choice } } });
    let price = |pointer: &str, units| TokenPrice {
        pointer: pointer.into(),
        per_million: Amount::new(units, Currency::MicroUsd),
    };
    chat.observed_cost = Some(ObservedCost::Usage {
        tokens: vec![price("/usage/prompt_tokens", 1_000_000), price("/usage/completion_tokens", 2_000_000)],
    });
    if let Transport::Http(http) = &mut chat.transport {
        http.fixed_body = [("stream".to_owned(), json!(false))].into();
    }
    chat
}

#[tokio::test]
async fn a_chat_is_streamed_only_where_someone_listens() {
    let peer = Peer::start(|seen| {
        let body: Value = serde_json::from_slice(&seen.body).unwrap();
        let usage = json!({ "prompt_tokens": 10, "completion_tokens": 2 });
        match body["stream"] == json!(true) {
            false => {
                json_answer(&json!({ "choices": [{ "message": { "content": "Hello" } }], "usage": usage }))
            }
            true => {
                let part = |delta: Value| {
                    format!("data: {}\n\n", json!({ "choices": [{ "index": 0, "delta": delta }] }))
                };
                let last = json!({ "choices": [], "usage": usage });
                let body = [
                    part(json!({ "role": "assistant", "content": "" })),
                    part(json!({ "content": "Hel" })),
                    part(json!({ "content": "lo" })),
                ];
                events(&format!("{}data: {last}\n\ndata: [DONE]\n\n", body.concat()))
            }
        }
    })
    .await;
    let operation = chat(&peer.origin());
    let whole = call(&peer, &operation, None).await;
    let heard = Heard::default();
    let streamed = call(&peer, &operation, Some(&heard)).await;
    assert_eq!(heard.all().len(), 4);
    assert_eq!(whole.result, streamed.result);
    let message = Typed::record([Typed::string("Hello")]);
    assert_eq!(whole.result, Ok(Typed::record([Typed::list([Typed::record([message])])])));
    let cost = Some(Amount::new(14, Currency::MicroUsd));
    assert_eq!((whole.observed_cost, streamed.observed_cost), (cost, cost), "by tokens, either way");
    // A peer that does not stream answers in one piece, and that is fine.
    let plain =
        Peer::start(|_| json_answer(&json!({ "choices": [{ "message": { "content": "Hello" } }] }))).await;
    let heard = Heard::default();
    let outcome = call(&plain, &chat(&plain.origin()), Some(&heard)).await;
    assert_eq!((outcome.result, heard.all().len(), outcome.observed_cost), (whole.result, 0, None));
}

#[tokio::test]
async fn a_refusal_is_told_as_without_a_stream() {
    let reply = answer("429 Too Many Requests", "application/json", r#"{"error":{"message":"slow down"}}"#);
    let (outcome, heard) = answered(reply, json!({})).await;
    let error = error(outcome);
    assert_eq!((error.kind, heard.len()), (CallErrorKind::RateLimited, 0));
}
