//! `CallService`: one operation, called once.

use std::time::Duration;

use e2e::service::{Clients, Served, code_of, in_folder, verified};
use e2e::subnet::{Gate, Reply, Subnet, micro_usd};
use proto::v1;
use proto::v1::stream_response::Event;
use schema::operation::{Auth, OperationDescriptor, Transport, Version};
use schema::price::PriceRule;
use serde_json::{Value as Json, json};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use super::{PRICE, World, assert_not_found, assert_refused};

const ASK: &str = "sn65020.ask";

fn request(operation: &str, arguments: &Json) -> v1::CallRequest {
    v1::CallRequest {
        operation: operation.into(),
        arguments_json: arguments.to_string().into_bytes().into(),
        ..v1::CallRequest::default()
    }
}

fn ask(question: &str) -> v1::CallRequest {
    request(ASK, &json!({ "q": question }))
}

fn usd(micro: u64) -> Option<v1::Amount> {
    Some(v1::Amount { units: micro, currency: v1::Currency::MicroUsd.into() })
}

fn wait(timeout: Duration) -> Option<prost_types::Duration> {
    Some(timeout.try_into().unwrap())
}

async fn call(clients: &Clients, request: v1::CallRequest) -> Result<v1::CallResponse, Status> {
    clients.calls().call(request).await.map(tonic::Response::into_inner)
}

/// The events of a stream, and the error it ended with.
async fn streamed(clients: &Clients, request: v1::CallRequest) -> (Vec<Event>, Option<Status>) {
    let request = v1::StreamRequest { call: Some(request), want_items: true };
    let mut stream = match clients.calls().stream(request).await {
        Ok(response) => response.into_inner(),
        Err(status) => return (Vec::new(), Some(status)),
    };
    let mut events = Vec::new();
    loop {
        match stream.message().await {
            Ok(Some(response)) => events.extend(response.event),
            Ok(None) => return (events, None),
            Err(status) => return (events, Some(status)),
        }
    }
}

/// The metadata of a call that failed after it was made.
fn told(status: &Status) -> std::collections::HashMap<String, String> {
    status.get_details_error_info().unwrap().metadata
}

async fn only_run(clients: &Clients) -> v1::Run {
    let page = clients.runs().list_runs(v1::ListRunsRequest::default()).await.unwrap().into_inner();
    assert_eq!(page.runs.len(), 1);
    clients.get(&page.runs[0].name).await
}

/// The entry of [`ASK`] in another version, changed.
fn changed(world: &World, change: impl FnOnce(&mut OperationDescriptor)) -> OperationDescriptor {
    let mut operation = world.subnet.operation("ask", micro_usd(PRICE), true);
    operation.version = Version { compatible: 1, ..Version::FIRST };
    change(&mut operation);
    operation
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_gives_answer_costs_and_receipt() {
    let World { served, clients, subnet } = World::echoing().await;
    let answer = call(&clients, v1::CallRequest { want_receipt: true, ..ask("a") }).await.unwrap();
    assert_eq!(serde_json::from_slice::<Json>(&answer.result_json).unwrap(), json!({"v": "a"}));
    assert_eq!((answer.total, answer.total_certain), (usd(PRICE), true));
    let [row] = answer.costs.as_slice() else { panic!("{:?}", answer.costs) };
    assert_eq!((row.operation.as_str(), row.calls, row.attempts), (ASK, 1, 1));
    assert_eq!((answer.version.as_str(), answer.entry_hash.len()), ("1.0", 64));
    assert!(answer.latency_us > 0);
    // It is a run like any other, and its receipt is that run's proof.
    let run = clients.get(&answer.run).await;
    assert_eq!((run.plan.as_str(), run.state()), (ASK, v1::RunState::Succeeded));
    assert_eq!(run.proof_id, answer.proof_id);
    verified(&answer.receipt, &run, &served.host.trust());
    assert_eq!(clients.proof(&run.name).await.unwrap(), answer.receipt);
    assert!(call(&clients, ask("b")).await.unwrap().receipt.is_empty());
    assert_eq!(subnet.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_tells_the_call_while_it_goes_on() {
    let World { served: _served, clients, subnet: _subnet } = World::echoing().await;
    let (events, error) = streamed(&clients, ask("a")).await;
    assert!(error.is_none(), "{error:?}");
    let [Event::Accepted(accepted), Event::Attempt(sent), Event::Attempt(done), Event::Completed(answer)] =
        events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert_eq!((accepted.cost_max, accepted.basis()), (usd(PRICE), v1::PriceBasis::Known));
    assert_eq!(accepted.run, answer.run);
    assert_eq!((sent.kind(), sent.operation.as_str()), (v1::RunEventKind::AttemptSent, ASK));
    assert_eq!((done.kind(), done.state.as_str()), (v1::RunEventKind::AttemptDone, "succeeded"));
    assert_eq!(answer.result_json, br#"{"v":"a"}"#.as_slice());

    let empty = clients.calls().stream(v1::StreamRequest::default()).await;
    assert_refused(empty, Code::InvalidArgument, "E1510", &["call"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_called_is_refused_and_costs_nothing() {
    let World { served: _served, clients, subnet } = World::echoing().await;
    let unknown = call(&clients, request("sn65020.aks", &json!({}))).await;
    assert!(unknown.as_ref().unwrap_err().message().contains("did you mean `sn65020.ask`?"), "{unknown:?}");
    assert_not_found(unknown, "E1201", "operation", "sn65020.aks");
    let version = v1::CallRequest { version: "9.0".into(), ..ask("a") };
    assert_not_found(call(&clients, version).await, "E1208", "operation version", ASK);
    for (arguments, code, message) in [
        (json!([]), "E1160", "the inputs are no JSON object: they are a list"),
        (json!({"p": "a", "q": "a"}), "E1161", "there is no input `p`"),
        (json!({}), "E1162", "`q` is missing: give a value of type String"),
        (json!({"q": 5}), "E1163", "`q` does not fit String"),
        (json!({"q": {"a": [1]}}), "E1163", "at $.q"),
    ] {
        let refused = call(&clients, request(ASK, &arguments)).await;
        let said = refused.as_ref().unwrap_err().message().to_owned();
        assert!(said.contains(message), "{said}");
        assert_refused(refused, Code::InvalidArgument, code, &["arguments_json"]);
    }
    let text =
        |arguments_json: &'static [u8]| v1::CallRequest { arguments_json: arguments_json.into(), ..ask("") };
    assert_refused(
        call(&clients, text(b"{\"q\":")).await,
        Code::InvalidArgument,
        "E1160",
        &["arguments_json"],
    );
    let dear = v1::CallRequest { cost_max: usd(PRICE - 1), ..ask("a") };
    let dear = call(&clients, dear).await;
    assert!(!told(dear.as_ref().unwrap_err()).contains_key("run"));
    assert_refused(dear, Code::FailedPrecondition, "E1402", &[]);
    let no_currency = v1::CallRequest { cost_max: Some(v1::Amount::default()), ..ask("a") };
    assert_refused(call(&clients, no_currency).await, Code::InvalidArgument, "E1510", &["cost_max"]);
    let long_id = v1::CallRequest { request_id: "x".repeat(129), ..ask("a") };
    assert_refused(call(&clients, long_id).await, Code::InvalidArgument, "E1510", &["request_id"]);
    assert_eq!(subnet.count(), 0);
    assert!(
        clients.runs().list_runs(v1::ListRunsRequest::default()).await.unwrap().into_inner().runs.is_empty()
    );
    // At the limit.
    call(&clients, v1::CallRequest { cost_max: usd(PRICE), ..ask("a") }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn timeouts_have_limits() {
    let World { served: _served, clients, subnet: _subnet } = World::echoing().await;
    let with = |timeout: Duration| v1::CallRequest { timeout: wait(timeout), ..ask("a") };
    let week = Duration::from_secs(7 * 24 * 3_600);
    let step = Duration::from_micros(1);
    call(&clients, with(Duration::from_secs(50))).await.unwrap();
    let longer = call(&clients, with(Duration::from_secs(50) + step)).await;
    assert!(longer.as_ref().unwrap_err().message().contains("Stream waits longer"));
    assert_refused(longer, Code::InvalidArgument, "E1510", &["timeout"]);
    assert!(streamed(&clients, with(week)).await.1.is_none());
    let (_, error) = streamed(&clients, with(week + step)).await;
    assert_refused(error.map_or(Ok(()), Err), Code::InvalidArgument, "E0404", &["timeout"]);
    assert_refused(call(&clients, with(Duration::ZERO)).await, Code::InvalidArgument, "E0404", &["timeout"]);
    let negative = Some(prost_types::Duration { seconds: -1, nanos: 0 });
    let negative = call(&clients, v1::CallRequest { timeout: negative, ..ask("a") }).await;
    assert_refused(negative, Code::InvalidArgument, "E1510", &["timeout"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_nobody_published_needs_a_limit() {
    let world = World::echoing().await;
    world.clients.publish(&changed(&world, |operation| operation.price = PriceRule::Unknown)).await;
    let clients = &world.clients;
    assert_refused(call(clients, ask("a")).await, Code::InvalidArgument, "E0703", &["cost_max"]);
    let answer = call(clients, v1::CallRequest { cost_max: usd(7), ..ask("a") }).await.unwrap();
    assert_eq!((answer.total, answer.total_certain, answer.version.as_str()), (usd(7), false, "1.1"));
    assert_eq!(answer.costs[0].basis(), v1::PriceBasis::Declared);
    // The version with a price is still there.
    let pinned = v1::CallRequest { version: "1.0".into(), ..ask("a") };
    let answer = call(clients, pinned).await.unwrap();
    assert_eq!((answer.total, answer.version.as_str()), (usd(PRICE), "1.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_key_and_an_unknown_protocol_are_told_before_anything_is_sent() {
    let world = World::echoing().await;
    let keyed = changed(&world, |operation| {
        operation.auth = Auth::Header { name: "authorization".into(), format: "Bearer <key>".into() };
    });
    let mut spoken = world.subnet.operation("speak", micro_usd(PRICE), true);
    spoken.transport = Transport::Other { protocol: "websocket".into(), base_url: None };
    for operation in [&keyed, &spoken] {
        world.clients.publish(operation).await;
    }
    let clients = &world.clients;
    assert_refused(call(clients, ask("a")).await, Code::FailedPrecondition, "E1105", &[]);
    let spoken = request("sn65020.speak", &json!({"q": "a"}));
    assert_refused(call(clients, spoken).await, Code::FailedPrecondition, "E1210", &[]);
    assert_eq!(world.subnet.count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_an_answer_says_why_and_what_was_charged() {
    let World { served: _served, clients, subnet: _subnet } = World::start(|question| match question {
        "down" => Reply::Status(503, "text/plain", "no".into()),
        "busy" => Reply::Raw(b"HTTP/1.1 429 Slow\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n".to_vec()),
        "slow" => Reply::Silence,
        "long" => Reply::Answer("x".repeat(201), Duration::ZERO),
        other => Reply::echo(other),
    })
    .await;
    for (question, grpc, codes, kind, path) in [
        ("down", Code::Unavailable, &["E1143"][..], "unavailable", None),
        ("busy", Code::ResourceExhausted, &["E1144"], "rate_limited", None),
        // The transport says so, or the scheduler where that is busy.
        ("slow", Code::DeadlineExceeded, &["E1140", "E1153"], "timeout", None),
        ("long", Code::FailedPrecondition, &["E1120"], "invalid", Some("$.v")),
    ] {
        let request = v1::CallRequest { timeout: wait(Duration::from_millis(300)), ..ask(question) };
        let status = call(&clients, request.clone()).await.unwrap_err();
        let code = code_of(&status);
        assert_eq!(status.code(), grpc, "{status:?}");
        assert!(codes.contains(&code.as_str()), "{status:?}");
        let told = told(&status);
        assert_eq!(told.get("call_kind").map(String::as_str), Some(kind));
        assert_eq!(told.get("path").map(String::as_str), path);
        let wait = status.get_details_retry_info().and_then(|info| info.retry_delay);
        assert_eq!(wait, (question == "busy").then_some(Duration::from_secs(7)));
        let run = clients.get(&told["run"]).await;
        assert_eq!(run.error.unwrap().code, code);
        assert_eq!(
            (told["proof_id"].as_str(), told["certain"].as_str()),
            (run.proof_id.as_str(), if run.total_certain { "true" } else { "false" })
        );
        let charged = format!("{} USD", run.total.unwrap().units as f64 / 1e6);
        assert_eq!((told["charged"].as_str(), told["operation"].as_str()), (charged.as_str(), ASK));
        let (events, error) = streamed(&clients, request).await;
        assert!(codes.contains(&code_of(&error.unwrap()).as_str()));
        assert!(matches!(events.first(), Some(Event::Accepted(_))), "{events:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_makes_one_call() {
    let World { served: _served, clients, subnet } = World::echoing().await;
    let same = v1::CallRequest { request_id: Uuid::new_v4().to_string(), ..ask("a") };
    let (one, two) = tokio::join!(call(&clients, same.clone()), call(&clients, same.clone()));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!((&one.run, &one.result_json), (&two.run, &two.result_json));
    assert_eq!(call(&clients, same.clone()).await.unwrap().run, one.run);
    assert_eq!(subnet.count(), 1);
    let other = v1::CallRequest { request_id: same.request_id, ..ask("b") };
    assert_refused(call(&clients, other).await, Code::AlreadyExists, "E1008", &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_cancels_its_call_and_its_cost_is_recorded() {
    for (streaming, within) in [(false, false), (true, false), (false, true), (true, true)] {
        let World { served, clients, subnet } = World::start(|_| Reply::Silence).await;
        let client = if within {
            served.host.clients.clone()
        } else {
            // On a connection of its own, which goes with it.
            Clients::connect(served.address).await
        };
        let gone = tokio::spawn(async move {
            if streaming {
                drop(streamed(&client, ask("a")).await)
            } else {
                drop(call(&client, ask("a")).await)
            }
        });
        subnet.arrived(1).await;
        gone.abort();
        let name = only_run(&clients).await.name;
        let run = clients.ended(&name).await;
        assert_eq!(run.state(), v1::RunState::Cancelled);
        assert_eq!((run.total, run.total_certain), (usd(PRICE), false));
        served.host.verified(&run).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_of_the_client_cancels_its_call() {
    let World { served: _served, clients, subnet: _subnet } = World::start(|_| Reply::Silence).await;
    let mut request = tonic::Request::new(ask("a"));
    request.set_timeout(Duration::from_millis(200));
    assert!(clients.calls().call(request).await.is_err());
    let name = only_run(&clients).await.name;
    assert_eq!(clients.ended(&name).await.state(), v1::RunState::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parts_of_an_answer_come_while_it_is_made() {
    let gate = Gate::closed();
    let closed = gate.clone();
    let body = |items: &str| format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n{items}");
    let world = World::start(move |question| match question {
        "half" => Reply::Raw(body("data: {\"t\": \"a\"}\n\n").into_bytes()),
        _ => Reply::Parts(
            body("data: {\"t\": \"a\"}\n\n").into_bytes(),
            closed.clone(),
            b"data: {\"t\": \"b\"}\n\ndata: [DONE]\n\n".to_vec(),
        ),
    })
    .await;
    world
        .clients
        .publish(&changed(&world, |operation| {
            operation.output = json!({ "type": "array", "items": { "type": "object" } });
            operation.delivery = serde_json::from_value(json!({
                "kind": "stream", "framing": "events", "end": "[DONE]", "gather": { "kind": "items" },
                "item": { "type": "object", "required": ["t"], "properties": { "t": { "type": "string" } } },
            }))
            .unwrap();
        }))
        .await;
    let request = v1::StreamRequest { call: Some(ask("x")), want_items: true };
    let mut stream = world.clients.calls().stream(request).await.unwrap().into_inner();
    let mut seen = Vec::new();
    while let Some(response) = stream.message().await.unwrap() {
        match response.event.unwrap() {
            Event::Item(item) => {
                seen.push((item.index, String::from_utf8(item.item_json.to_vec()).unwrap()));
                // The rest is sent only now, so the first part cannot have waited for it.
                gate.open();
            }
            Event::Completed(answer) => {
                assert_eq!(answer.result_json, br#"[{"t":"a"},{"t":"b"}]"#.as_slice());
                assert_eq!(answer.total, usd(PRICE));
            }
            Event::Accepted(_) | Event::Attempt(_) => {}
        }
    }
    assert_eq!(seen, [(0, r#"{"t":"a"}"#.to_owned()), (1, r#"{"t":"b"}"#.to_owned())]);
    let (events, error) = streamed(&world.clients, ask("half")).await;
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Item(_))).count(), 1);
    let error = error.unwrap();
    assert_eq!(code_of(&error), "E1130");
    assert_eq!(told(&error)["charged"], micro_usd(PRICE).to_string(), "it was sent, so it may be charged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_any_length_is_answered_at_once_and_fits_into_headers() {
    let (_served, clients) = super::bare().await;
    for operation in [
        "a".repeat(1_000_000),
        format!("sn22.{}", "é".repeat(200_000)),
        format!("cap.{}", "x".repeat(1_000_000)),
    ] {
        let request = v1::CallRequest { operation: operation.clone(), ..v1::CallRequest::default() };
        let refused = clients.calls().call(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound, "{refused:?}");
        assert!(refused.message().len() < 2_000 && !e2e::service::code_of(&refused).is_empty());
        let get = v1::GetOperationRequest { id: operation, version: String::new() };
        assert_eq!(clients.ledger().get_operation(get).await.unwrap_err().code(), Code::NotFound);
    }
}

/// Nobody may take it for a call that was not made.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_under_way_when_the_server_stops_is_named_and_not_asked_for_again() {
    let gate = Gate::closed();
    let held = gate.clone();
    let subnet = Subnet::start(move |question| Reply::Gated(question.into(), held.clone())).await;
    let folder = e2e::folder();
    let mut options = in_folder(folder.path());
    options.close_grace = Duration::from_millis(100);
    let served = Served::start(options).await;
    let clients = Clients::connect(served.address).await;
    clients.publish(&subnet.operation("ask", micro_usd(PRICE), true)).await;
    let request = v1::StreamRequest { call: Some(ask("b")), want_items: false };
    let mut streamed = clients.calls().stream(request).await.unwrap().into_inner();
    let mut once = clients.calls();
    let once = tokio::spawn(async move { once.call(ask("a")).await });
    subnet.arrived(2).await;
    let host = served.stop().await;
    let once = once.await.unwrap().unwrap_err();
    let streamed = loop {
        match streamed.message().await {
            Ok(message) => assert!(message.is_some(), "it has not ended"),
            Err(status) => break status,
        }
    };
    for status in [once, streamed] {
        assert_eq!((status.code(), code_of(&status).as_str()), (Code::Unavailable, "E1173"), "{status:?}");
        let info = status.get_details_error_info().unwrap();
        assert!(info.metadata["run"].starts_with("runs/"), "{info:?}");
        assert_eq!(info.metadata["certain"], "false");
        assert!(status.get_details_retry_info().is_none());
    }
    let refused = host.clients.calls().call(ask("c")).await.unwrap_err();
    let info = refused.get_details_error_info().unwrap();
    assert_eq!((info.reason.as_str(), info.metadata.get("run")), ("E1173", None));
    assert!(refused.get_details_retry_info().is_some(), "nothing was made");
    gate.open();
}
