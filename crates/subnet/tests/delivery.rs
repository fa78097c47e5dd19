//! Answers that one exchange does not bring: pages and tasks, at real sockets.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use schema::amount::{Amount, Currency};
use schema::delivery::Delivery;
use schema::error::CallErrorKind;
use schema::json_schema::OperationTypes;
use schema::operation::{ObservedCost, OperationDescriptor, ParameterLocation, Transport};
use schema::value::Value as Typed;
use serde_json::{Value, json};
use subnet::secrets::SecretStore;
use subnet::{CallContext, CallOutcome, Follow};
use support::*;

/// `GET /list?q=&from=` with the answer `{ items: [Int], next: .. }`, in pages as `next` says.
fn paged(origin: &str, next: Value) -> OperationDescriptor {
    let mut paged = operation(origin, "GET");
    if let Transport::Http(http) = &mut paged.transport {
        http.path = "/list".into();
        http.parameters = ["q", "from"].map(|name| (name.to_owned(), ParameterLocation::Query)).into();
    }
    paged.input = json!({ "type": "object", "properties": { "q": { "type": "string" }, "from": {} } });
    paged.output = json!({ "type": "object", "required": ["items"],
        "properties": { "items": { "type": "array", "items": { "type": "integer" } }, "next": { "type": ["string", "null"] } } });
    paged.observed_cost = Some(ObservedCost::Header { name: "x-cost".into(), currency: Currency::MicroUsd });
    paged.delivery =
        serde_json::from_value(json!({ "kind": "pages", "items": "/items", "next": next })).unwrap();
    paged
}

fn tasked(origin: &str, patch: Value) -> OperationDescriptor {
    let mut tasked = operation(origin, "POST");
    tasked.output =
        json!({ "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } });
    let mut task = json!({ "kind": "task", "id": "/task/id", "path": "/tasks/{id}", "state": "/state",
        "done": ["done"], "failed": ["failed"], "result": "/result", "every_ms": 1 });
    task.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
    tasked.delivery = Some(serde_json::from_value::<Delivery>(task).unwrap());
    tasked
}

async fn call(peer: &Peer, operation: &OperationDescriptor, input: Value, follow: Follow) -> CallOutcome {
    let (client, secrets) = (peer.client(), SecretStore::new());
    let types = OperationTypes::of(operation).unwrap();
    let prepared = client.prepare(operation, types.into(), None).unwrap();
    let context = CallContext { follow, ..context(&secrets, PATIENT_MS) };
    client.call_fields(&prepared, fields(input), &context).await
}

/// An answer that says what it cost.
fn with_cost(body: &Value) -> Reply {
    let body = body.to_string();
    let head = format!("HTTP/1.1 200 OK\r\nx-cost: 0.001\r\ncontent-length: {}\r\n\r\n", body.len());
    Reply::Bytes(format!("{head}{body}").into_bytes())
}

fn pages(pages: u32) -> Follow {
    Follow { pages, ..Follow::default() }
}

/// Three pages: [1, 2], [3, 4], [5]; a page after the last is empty.
async fn numbers() -> Peer {
    Peer::start(|seen| {
        let from =
            seen.line.split_once("from=").map_or("0", |(_, rest)| rest.split(['&', ' ']).next().unwrap());
        let first: u32 = from.trim_start_matches('c').parse().unwrap_or(0);
        let items: Vec<u32> = (first + 1..=5).take(2).collect();
        let next = (first + 2 < 5).then(|| format!("c{}", first + 2));
        with_cost(&json!({ "items": items, "next": next }))
    })
    .await
}

fn int(value: &Typed) -> i64 {
    match value {
        Typed::Int(int) => *int,
        other => panic!("{other:?} is no Int"),
    }
}

fn items(outcome: &CallOutcome) -> String {
    let value = outcome.result.as_ref().unwrap().as_record().unwrap()[0].as_list().unwrap();
    value.iter().map(|item| int(item).to_string()).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn pages_are_read_until_the_last_or_as_many_as_are_wanted() {
    let peer = numbers().await;
    let cursor = json!({ "by": "cursor", "parameter": "from", "from": "/next" });
    let offset = json!({ "by": "offset", "parameter": "from" });
    let cost = |units| Some(Amount::new(units, Currency::MicroUsd));
    for (next, wanted, got, asked) in [
        (&cursor, 1, "1 2", 1),
        (&cursor, 2, "1 2 3 4", 2),
        (&cursor, 9, "1 2 3 4 5", 3),
        (&offset, 2, "1 2 3 4", 2),
        // Only an empty page says that an offset is beyond the end.
        (&offset, 9, "1 2 3 4 5", 4),
    ] {
        let outcome =
            call(&peer, &paged(&peer.origin(), next.clone()), json!({ "q": "x" }), pages(wanted)).await;
        assert_eq!(items(&outcome), got);
        assert_eq!((outcome.pages, outcome.observed_cost), (asked, cost(u64::from(asked) * 1_000)));
        let requests =
            String::from_utf8_lossy(&outcome.redacted_request).matches("orchestra.request/1").count();
        let bodies = String::from_utf8_lossy(&outcome.response_body).matches("items").count();
        assert_eq!((requests, bodies), (asked as usize, asked as usize));
    }
    let outcome = call(&peer, &paged(&peer.origin(), offset), json!({ "q": "x", "from": 2 }), pages(9)).await;
    assert_eq!(items(&outcome), "3 4 5", "from where the call says");
}

#[tokio::test]
async fn a_page_that_fails_fails_the_call_and_those_before_it_are_charged() {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let peer = Peer::start(move |_| match count.fetch_add(1, Ordering::SeqCst) {
        0 => json_answer(&json!({ "items": [1] })),
        1 => json_answer(&json!({ "items": ["two"] })),
        _ => json_answer(&json!({ "list": [] })),
    })
    .await;
    let next = json!({ "by": "number", "parameter": "from", "first": 1 });
    let outcome = call(&peer, &paged(&peer.origin(), next.clone()), json!({}), pages(5)).await;
    let error = outcome.result.unwrap_err();
    assert_eq!((error.kind, error.path.as_deref()), (CallErrorKind::Invalid, Some("$.items[0]")));
    assert!(error.message.starts_with("page 2: "), "{error}");
    assert_eq!((outcome.pages, outcome.observed_cost), (2, None));
    let lines: Vec<String> = peer.seen().into_iter().map(|seen| seen.line).collect();
    assert_eq!(lines, ["GET /list HTTP/1.1", "GET /list?from=2 HTTP/1.1"]);
    let mut odd = paged(&peer.origin(), next);
    odd.output = json!({});
    let error = call(&peer, &odd, json!({}), pages(5)).await.result.unwrap_err();
    assert_eq!((error.code.as_str(), error.path.as_deref()), ("E1116", Some("$.items")));
}

#[tokio::test]
async fn pages_that_go_round_are_not_paid_for_ever() {
    let cursor = json!({ "by": "cursor", "parameter": "from", "from": "/next" });
    let number = json!({ "by": "number", "parameter": "from", "first": 1 });
    type Page = fn(&str) -> Value;
    let rows: [(&Value, Page, u32); 3] = [
        (&cursor, |_| json!({ "items": [1, 2], "next": "same" }), 2),
        (
            &cursor,
            |line| json!({ "items": [line.len()], "next": if line.contains("from=a") { "bb" } else { "a" } }),
            3,
        ),
        (&number, |_| json!({ "items": [1, 2] }), 2),
    ];
    for (next, page, read) in rows {
        let peer = Peer::start(move |seen| with_cost(&page(&seen.line))).await;
        let outcome = call(&peer, &paged(&peer.origin(), next.clone()), json!({}), pages(9)).await;
        let error = outcome.result.unwrap_err();
        assert_eq!((error.code.as_str(), error.path.as_deref()), ("E1117", Some("$.items")), "{error}");
        assert!(error.message.starts_with(&format!("page {read}: the pages go round")), "{error}");
        let charged = Amount::new(u64::from(read) * 1_000, Currency::MicroUsd);
        assert_eq!((outcome.pages, outcome.observed_cost), (read, Some(charged)));
    }
}

/// A task that is done when it was asked after a few times.
async fn worker(states: &'static [&'static str]) -> Peer {
    let asked = AtomicU32::new(0);
    Peer::start(move |seen| match seen.line.as_str() {
        "POST /items HTTP/1.1" => json_answer(&json!({ "task": { "id": "t 1" } })),
        "GET /tasks/t%201 HTTP/1.1" => {
            let at = asked.fetch_add(1, Ordering::SeqCst) as usize;
            match states[at.min(states.len() - 1)] {
                "busy" => answer("503 Service Unavailable", "text/plain", ""),
                state => json_answer(&json!({ "state": state, "result": { "n": at } })),
            }
        }
        "GET /results/t%201 HTTP/1.1" => json_answer(&json!({ "result": { "n": 42 } })),
        _ => answer("404 Not Found", "text/plain", ""),
    })
    .await
}

#[tokio::test]
async fn a_task_is_created_once_and_asked_after_until_it_is_done() {
    let peer = worker(&["new", "busy", "running", "done"]).await;
    let outcome =
        call(&peer, &tasked(&peer.origin(), json!({})), json!({ "q": "x" }), Follow::default()).await;
    assert_eq!(int(&outcome.result.unwrap().as_record().unwrap()[0]), 3);
    assert_eq!((outcome.pages, outcome.sent, outcome.status), (1, true, Some(200)));
    let created = peer.seen().iter().filter(|seen| seen.line.starts_with("POST")).count();
    assert_eq!((created, peer.seen().len()), (1, 5));
    // The record has what created the task and what it came to, not every question.
    assert_eq!(String::from_utf8_lossy(&outcome.redacted_request).matches("orchestra.request/1").count(), 2);

    let peer = worker(&["done"]).await;
    let apart = tasked(&peer.origin(), json!({ "result_path": "/results/{id}" }));
    let outcome = call(&peer, &apart, json!({ "q": "x" }), Follow::default()).await;
    assert_eq!(int(&outcome.result.unwrap().as_record().unwrap()[0]), 42);
}

#[tokio::test]
async fn a_task_that_fails_or_takes_too_long_is_a_coded_failure() {
    let fails = |states, patch: Value, follow| async move {
        let peer = worker(states).await;
        let outcome = call(&peer, &tasked(&peer.origin(), patch), json!({ "q": "x" }), follow).await;
        let error = outcome.result.unwrap_err();
        (error.code, error.kind, error.message)
    };
    let few = Follow { polls: Some(3), every: Some(Duration::from_micros(1)), ..Follow::default() };
    let (code, kind, message) = fails(&["new", "failed"], json!({}), few).await;
    assert_eq!((code.as_str(), kind), ("E1114", CallErrorKind::Rejected));
    assert!(message.contains("`failed`"), "{message}");
    let (code, kind, message) = fails(&["running"], json!({}), few).await;
    assert_eq!((code.as_str(), kind), ("E1115", CallErrorKind::Timeout));
    assert!(message.contains("3 questions"), "{message}");
    // Nor is a task created that the call has no time to ask after.
    let never = Follow { every: Some(Duration::from_secs(3600)), ..Follow::default() };
    let peer = worker(&["done"]).await;
    let outcome = call(&peer, &tasked(&peer.origin(), json!({})), json!({ "q": "x" }), never).await;
    assert_eq!((outcome.result.unwrap_err().code.as_str(), outcome.sent), ("E1115", false));
    assert_eq!(peer.seen().len(), 0);
    for patch in [json!({ "id": "/id" }), json!({ "state": "/status" }), json!({ "result": "/answer" })] {
        assert_eq!(fails(&["done"], patch, few).await.0, "E1116");
    }
}

#[tokio::test]
async fn a_busy_task_is_asked_after_when_the_peer_says() {
    let peer = Peer::start(|seen| match seen.line.as_str() {
        "POST /items HTTP/1.1" => json_answer(&json!({ "task": { "id": 7 } })),
        _ => Reply::Bytes(b"HTTP/1.1 429 Slow\r\nretry-after: 3600\r\ncontent-length: 0\r\n\r\n".to_vec()),
    })
    .await;
    let outcome =
        call(&peer, &tasked(&peer.origin(), json!({})), json!({ "q": "x" }), Follow::default()).await;
    let error = outcome.result.unwrap_err();
    assert_eq!((error.code.as_str(), error.retry_after_ms), ("E1115", Some(3_600_000)), "{error}");
    assert!(error.message.contains("after 1 questions, and the peer asks to wait 3600 s"), "{error}");
    assert_eq!(peer.seen().len(), 2);
}

#[tokio::test]
async fn a_task_costs_the_most_that_an_answer_about_it_states() {
    let stating = |cost: &str, body: Value| {
        let body = body.to_string();
        let head = format!("HTTP/1.1 200 OK\r\nx-cost: {cost}\r\ncontent-length: {}\r\n\r\n", body.len());
        Reply::Bytes(format!("{head}{body}").into_bytes())
    };
    for (created, done, charged) in [("0.001", "0.02", 20_000), ("0.02", "0", 20_000), ("?", "0.003", 3_000)]
    {
        let peer = Peer::start(move |seen| match seen.line.as_str() {
            "POST /items HTTP/1.1" => stating(created, json!({ "task": { "id": 7 } })),
            _ => stating(done, json!({ "state": "done", "result": { "n": 1 } })),
        })
        .await;
        let mut operation = tasked(&peer.origin(), json!({}));
        operation.observed_cost =
            Some(ObservedCost::Header { name: "x-cost".into(), currency: Currency::MicroUsd });
        let outcome = call(&peer, &operation, json!({ "q": "x" }), Follow::default()).await;
        assert_eq!(outcome.observed_cost, Some(Amount::new(charged, Currency::MicroUsd)));
    }
}

#[tokio::test]
async fn an_id_that_stands_in_no_path_is_the_answers_fault() {
    let peer = Peer::start(|_| json_answer(&json!({ "task": { "id": "../../admin" } }))).await;
    let outcome =
        call(&peer, &tasked(&peer.origin(), json!({})), json!({ "q": "x" }), Follow::default()).await;
    let error = outcome.result.unwrap_err();
    assert_eq!((error.code.as_str(), error.path.as_deref()), ("E1116", Some("$.task.id")), "{error}");
    assert_eq!((outcome.sent, peer.seen().len()), (true, 1));
}

#[test]
fn an_entry_that_cannot_be_followed_is_refused_before_anything_is_sent() {
    let refused = |operation: &OperationDescriptor| {
        let client = subnet::Client::new(subnet::egress::Options::default()).unwrap();
        client.prepare(operation, types(), None).unwrap_err().to_string()
    };
    let cursor = json!({ "by": "cursor", "parameter": "after", "from": "/next" });
    let message = refused(&paged("https://a.example", cursor));
    assert!(message.contains("delivery.next.parameter: `after` is no parameter"), "{message}");
    let message = refused(&tasked("https://a.example", json!({ "path": "/tasks/{id}/{x}" })));
    assert!(message.contains("{x}"), "{message}");
}
