//! Runs over real sockets and a real store.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, reason = "tests")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use plan_ir::plan::{CompiledPlan, Tolerance};
use runtime::view::{EventState, RunEventKind, RunFilter, RunState};
use runtime::{CreateRun, Error, Options};
use schema::error::CallErrorKind;
use schema::operation::{Auth, ObservedCost, OperationDescriptor};
use schema::price::{PriceBasis, PriceRule};
use schema::types::{LengthRange, Type};
use schema::value::Value;
use store::{Memory, Sqlite};
use support::server::{Reply, Server};
use support::world::{TENANT, World, request, services};
use support::{Builder, CallOptions, LoopOptions, list_of, operation, per_call, usd};

/// A deadline that no test reaches.
const HOUR_US: u64 = 3_600_000_000;

fn echo(server: &Server) -> OperationDescriptor {
    operation("sn1.echo", &server.url, per_call(100), true)
}

async fn echoing() -> Server {
    Server::start(|question| Reply::answer(&format!("re: {question}"))).await
}

fn one_call(operation: OperationDescriptor, options: &CallOptions) -> CompiledPlan {
    let mut b = Builder::new(Some(usd(10_000)), Some(60_000_000), &[operation]);
    let arg = b.text("hello");
    let call = b.call("ask", arg, options, &[]);
    b.finish(call, Type::STRING)
}

fn fan_out(operation: OperationDescriptor, count: usize) -> CompiledPlan {
    let mut b = Builder::new(Some(usd(1_000_000)), Some(60_000_000), &[operation]);
    let list = b.texts(count);
    let each = b.fan_out("each", list, &LoopOptions::default(), &[], |b, id| {
        let item = b.item(id);
        b.call("ask", item, &CallOptions::to(0), &[])
    });
    b.finish(each, list_of(LengthRange::up_to(count as u64)))
}

#[tokio::test]
async fn a_run_calls_over_the_wire_and_ends_with_result_costs_events_and_proof() {
    let server = echoing().await;
    let world = World::in_memory();
    let run = world.run(one_call(echo(&server), &CallOptions::to(0))).await;
    assert_eq!(run.state, RunState::Succeeded);
    assert_eq!(run.result_json.as_deref(), Some(r#""re: hello""#));
    assert_eq!((run.total, run.total_certain), (usd(100), true));
    let row = &run.costs[0];
    assert_eq!(
        (row.label.as_str(), row.operation.as_str(), row.calls, row.attempts),
        ("ask", "sn1.echo", 1, 1)
    );
    assert!(run.ended_at_us.unwrap() >= run.created_at_us);
    let events = world.events(run.id, 0).await;
    let told: Vec<_> = events.iter().map(|event| (event.seq, event.kind, event.state)).collect();
    assert_eq!(
        told,
        [
            (1, RunEventKind::Opened, EventState::Running),
            (2, RunEventKind::Node, EventState::Running),
            (3, RunEventKind::AttemptSent, EventState::Running),
            (4, RunEventKind::AttemptDone, EventState::Succeeded),
            (5, RunEventKind::Node, EventState::Succeeded),
            (6, RunEventKind::Closed, EventState::Succeeded),
        ]
    );
    assert_eq!((events[3].operation.as_str(), events[3].attempt, events[3].spent), ("sn1.echo", 1, usd(100)));
    assert_eq!(run.last_seq, 6);
    world.proof(&run).await;
    // The rows say the same once the run is no longer in memory.
    assert_eq!(world.handle.get_run(TENANT, run.id).await.unwrap(), run);
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn what_the_peer_says_it_cost_is_what_it_cost() {
    let server = Server::start(|_| Reply { cost: Some("0.00004".into()), ..Reply::answer("fine") }).await;
    let currency = schema::amount::Currency::MicroUsd;
    let observed_cost = Some(ObservedCost::Header { name: "x-cost".into(), currency });
    let run = World::in_memory()
        .run(one_call(OperationDescriptor { observed_cost, ..echo(&server) }, &CallOptions::to(0)))
        .await;
    assert_eq!((run.total, run.costs[0].basis), (usd(40), PriceBasis::Observed));
}

#[tokio::test]
async fn failures_of_the_wire_become_typed_errors_of_the_run() {
    let world = World::in_memory();
    for (reply, kind) in [
        (Reply::status(500), CallErrorKind::Unavailable),
        (Reply::status(400), CallErrorKind::Rejected),
        (Reply { body: "{}".into(), ..Reply::answer("") }, CallErrorKind::Invalid),
        (Reply::answer("late").after(60_000), CallErrorKind::Timeout),
    ] {
        let server = Server::start(move |_| reply.clone()).await;
        let options = CallOptions { timeout_us: 100_000, ..CallOptions::to(0) };
        let run = world.run(one_call(echo(&server), &options)).await;
        assert_eq!(run.state, RunState::Failed);
        let error = run.error.clone().unwrap();
        assert_eq!((error.call.unwrap().kind, error.node.as_deref()), (kind, Some("ask#0")));
        // An answer that does not fit is charged as the price says; of the others nobody knows.
        assert_eq!((run.total, run.total_certain), (usd(100), kind == CallErrorKind::Invalid));
        world.proof(&run).await;
    }
    // Nobody listens: nothing was sent, so nothing is owed.
    let gone = echoing().await;
    let plan = one_call(echo(&gone), &CallOptions::to(0));
    drop(gone);
    let run = world.run(plan).await;
    assert_eq!(run.error.clone().unwrap().call.unwrap().kind, CallErrorKind::Unavailable);
    assert_eq!((run.total, run.total_certain), (usd(0), true));
    world.proof(&run).await;
}

#[tokio::test]
async fn a_durable_fan_out_of_100_commits_at_most_6_times() {
    let server = echoing().await;
    let dir = tempfile::tempdir().unwrap();
    let world = World::on_disk(dir.path());
    let plan = world.load(fan_out(echo(&server), 100));
    let before = world.log.stats().commits;
    let id = world.create(&plan).await.unwrap();
    let run = world.handle.wait(TENANT, id).await.unwrap();
    let commits = world.log.stats().commits - before;
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.error);
    assert_eq!((run.total, run.costs[0].calls), (usd(10_000), 100));
    assert!(commits <= 6, "{commits} commits");
    world.proof(&run).await;
}

#[tokio::test]
async fn a_request_id_makes_one_run_and_refuses_another_request() {
    let server = echoing().await;
    let world = World::in_memory();
    let plan = world.load(one_call(echo(&server), &CallOptions::to(0)));
    let other = world.load(fan_out(echo(&server), 2));
    let with_id = |plan| runtime::CreateRun { request_id: Some("id-1".into()), ..request(plan, "") };
    let same = futures_util::future::join_all((0..5).map(|_| world.handle.create_run(with_id(&plan)))).await;
    let ids: std::collections::BTreeSet<_> = same.into_iter().map(Result::unwrap).collect();
    assert_eq!(ids.len(), 1);
    let id = *ids.first().unwrap();
    world.handle.wait(TENANT, id).await.unwrap();
    assert_eq!(world.handle.create_run(with_id(&plan)).await.unwrap(), id);
    let refused = world.handle.create_run(with_id(&other)).await.unwrap_err();
    assert_eq!(refused.code(), "E1008");
    assert!(matches!(refused, Error::RequestConflict(key) if key == "id-1"));
    assert_eq!((server.count(), world.handle.runs_under_way()), (1, 0));
    let another = runtime::CreateRun { tenant: "other".into(), ..with_id(&other) };
    assert_ne!(world.handle.create_run(another).await.unwrap(), id, "ids of tenants never meet");
}

#[tokio::test]
async fn a_watcher_sees_every_event_once_wherever_it_begins() {
    let server = Server::start(|question| Reply::answer(question).after(5)).await;
    let world = World::in_memory();
    let plan = world.load(fan_out(echo(&server), 20));
    let id = world.create(&plan).await.unwrap();
    // Follows the run while it goes on, reconnecting after every third event.
    let mut seen = vec![];
    'reconnect: loop {
        let mut events = world.handle.watch(TENANT, id, seen.len() as u64).await.unwrap();
        for _ in 0..3 {
            match events.next().await.unwrap() {
                Some(event) => seen.push(event),
                None => break 'reconnect,
            }
        }
    }
    assert_eq!(seen, world.events(id, 0).await);
    let numbers: Vec<_> = seen.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=seen.len() as u64).collect::<Vec<_>>());
    assert!(seen.windows(2).all(|pair| pair[0].time_us <= pair[1].time_us));
    assert_eq!(seen.last().unwrap().kind, RunEventKind::Closed);
    assert!(world.events(id, seen.len() as u64).await.is_empty());
    assert_eq!(world.events(id, seen.len() as u64 - 1).await.len(), 1);
    let nobody = "0192f0c1-0000-7000-8000-000000000001".parse().unwrap();
    assert_eq!(world.handle.watch(TENANT, nobody, 0).await.unwrap_err().code(), "E1164");
    assert_eq!(world.handle.watch("other", id, 0).await.unwrap_err().code(), "E1164");
    assert_eq!(world.handle.get_run("other", id).await.unwrap_err().code(), "E1164");
}

#[tokio::test]
async fn a_cancelled_run_stops_at_once_and_settles_what_it_sent() {
    let server = Server::start(|_| Reply::answer("never").after(3_600_000)).await;
    let world = World::in_memory();
    let options = CallOptions { timeout_us: 50_000_000, ..CallOptions::to(0) };
    let plan = world.load(one_call(echo(&server), &options));
    let id = world.create(&plan).await.unwrap();
    server.arrived(1).await;
    assert_eq!(world.handle.get_run(TENANT, id).await.unwrap().state, RunState::Running);
    assert_eq!(world.handle.proof(TENANT, id).await.unwrap_err().code(), "E1165");
    let run = world.handle.cancel_run(TENANT, id).await.unwrap();
    assert_eq!((run.state, run.total, run.total_certain), (RunState::Cancelled, usd(100), false));
    assert_eq!(run.costs[0].basis, PriceBasis::Assumed);
    world.proof(&run).await;
    assert_eq!(world.handle.cancel_run(TENANT, id).await.unwrap(), run);
}

#[tokio::test]
async fn a_call_is_cancelled_when_nobody_waits_for_it_any_more() {
    let server = Server::start(|_| Reply::answer("never").after(3_600_000)).await;
    let world = World::in_memory();
    let options = CallOptions { timeout_us: 50_000_000, ..CallOptions::to(0) };
    let plan = world.load(one_call(echo(&server), &options));
    let request = CreateRun { request_id: Some("once".into()), ..request(&plan, "{}") };
    let call = world.handle.call(request.clone()).await.unwrap();
    let id = call.run();
    server.arrived(1).await;
    // Who asks again, with the same id, waits for the same run and does not end it.
    let again = world.handle.call(request).await.unwrap();
    assert_eq!(again.run(), id);
    drop(again);
    let waiting = tokio::spawn(call.ended());
    tokio::task::yield_now().await;
    assert_eq!(world.handle.get_run(TENANT, id).await.unwrap().state, RunState::Running);
    waiting.abort();
    let run = world.handle.wait(TENANT, id).await.unwrap();
    assert_eq!((run.state, run.total, run.total_certain), (RunState::Cancelled, usd(100), false));
    world.proof(&run).await;
}

#[tokio::test]
async fn a_call_to_its_end_tells_how_it_ended_and_is_cancelled_when_it_is_given_up() {
    let server = Server::start(|question| match question {
        "never" => Reply::answer("never").after(3_600_000),
        other => Reply::answer(other),
    })
    .await;
    let world = World::in_memory();
    let options = CallOptions { timeout_us: 50_000_000, ..CallOptions::to(0) };
    let mut plan = Builder::new(Some(usd(10_000)), Some(HOUR_US), &[echo(&server)]);
    let question = plan.param("question", Type::STRING, None);
    let asked = plan.call("ask", question, &options, &[]);
    let plan = world.load(plan.finish(asked, Type::STRING));
    let once = CreateRun { request_id: Some("once".into()), ..request(&plan, r#"{"question": "now"}"#) };
    let run = world.handle.call_to_end(once.clone()).await.unwrap();
    assert_eq!(
        (run.state, run.result_json.as_deref(), run.total),
        (RunState::Succeeded, Some("\"now\""), usd(100))
    );
    assert_eq!(world.handle.call_to_end(once).await.unwrap(), run);
    assert_eq!(server.count(), 1);
    let refused = world.handle.call_to_end(request(&plan, "{}")).await;
    assert_eq!(refused.unwrap_err().code(), "E1162");
    let given_up = {
        let handle = world.handle.clone();
        let request = request(&plan, r#"{"question": "never"}"#);
        tokio::spawn(async move { handle.call_to_end(request).await })
    };
    server.arrived(2).await;
    given_up.abort();
    let page = world.handle.list_runs(TENANT, &RunFilter::default(), None, 10).await.unwrap();
    let last = world.handle.wait(TENANT, page.runs[0].id).await.unwrap();
    assert_eq!((last.state, last.total, last.total_certain), (RunState::Cancelled, usd(100), false));
    world.proof(&last).await;
}

#[tokio::test]
async fn a_call_that_is_given_up_before_it_is_stored_is_cancelled() {
    let server = Server::start(|_| Reply::answer("never").after(3_600_000)).await;
    let world = World::in_memory();
    let plan = world.load(one_call(echo(&server), &CallOptions::to(0)));
    let mut call = Box::pin(world.handle.call(request(&plan, "{}")));
    let polled = std::future::poll_fn(|context| std::task::Poll::Ready(call.as_mut().poll(context))).await;
    assert!(polled.is_pending());
    drop(call);
    let page = async {
        loop {
            let page = world.handle.list_runs(TENANT, &RunFilter::default(), None, 10).await.unwrap();
            if let [run] = page.runs.as_slice() {
                return world.handle.wait(TENANT, run.id).await.unwrap();
            }
            tokio::task::yield_now().await;
        }
    };
    assert_eq!(page.await.state, RunState::Cancelled);
}

#[tokio::test]
async fn wrong_arguments_are_named_before_anything_is_spent() {
    let server = echoing().await;
    let world = World::in_memory();
    let mut b = Builder::new(Some(usd(10_000)), Some(HOUR_US), &[echo(&server)]);
    let question = b.param("question", Type::String(LengthRange::up_to(10)), None);
    b.param("limit", Type::INT, Some(Value::Int(3)));
    let call = b.call("ask", question, &CallOptions::to(0), &[]);
    let plan = world.load(b.finish(call, Type::STRING));
    for (inputs, code, message) in [
        ("[]", "E1160", "the inputs are no JSON object: they are a list"),
        (r#"{"question":"#, "E1160", "the inputs are no JSON object"),
        (r#"{"qestion":"a"}"#, "E1161", "there is no input `qestion`; did you mean `question`?"),
        (r#"{"question":"a","xyz":1}"#, "E1161", "there is no input `xyz`; taken are question, limit"),
        ("{}", "E1162", "`question` is missing: give a value of type String(..10)"),
        (r#"{"question":"longer than ten"}"#, "E1163", "`question` does not fit String(..10)"),
        (r#"{"question":"a","limit":"x"}"#, "E1163", "at $.limit"),
        (r#"{"question":"a","question":"b"}"#, "E1160", "question"),
    ] {
        let refused = world.handle.create_run(request(&plan, inputs)).await.unwrap_err();
        assert_eq!(refused.code(), code, "{inputs}");
        assert!(refused.to_string().contains(message), "{refused}");
    }
    let fine = world.handle.create_run(request(&plan, r#"{"question":"hi","limit":null}"#)).await.unwrap();
    assert_eq!(world.handle.wait(TENANT, fine).await.unwrap().result_json.as_deref(), Some(r#""re: hi""#));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_missing_secret_is_refused_before_anything_is_spent_unless_another_operation_serves() {
    let server = echoing().await;
    let world = World::in_memory();
    let auth = Auth::Header { name: "authorization".into(), format: "Bearer <key>".into() };
    let locked = OperationDescriptor { auth, ..operation("sn1.a_locked", &server.url, per_call(50), true) };
    let plan = world.load(one_call(locked.clone(), &CallOptions::to(0)));
    let refused = world.create(&plan).await.unwrap_err();
    assert_eq!(refused.code(), "E1105", "{refused}");
    assert!(refused.to_string().contains("sn1.a_locked"), "{refused}");

    let mut b = Builder::new(
        Some(usd(1_000)),
        Some(HOUR_US),
        &[locked, operation("sn1.b_open", &server.url, per_call(100), true)],
    );
    let arg = b.text("hello");
    let call = b.call("ask", arg, &CallOptions { operations: vec![0, 1], ..CallOptions::to(0) }, &[]);
    let run = world.run(b.finish(call, Type::STRING)).await;
    assert_eq!((run.state, run.costs[0].operation.as_str()), (RunState::Succeeded, "sn1.b_open"));
}

#[tokio::test]
async fn a_run_that_may_cost_too_much_is_refused_before_it_starts() {
    let server = echoing().await;
    let world = World::in_memory();
    let capped = |plan, cap| runtime::CreateRun { cost_max: Some(usd(cap)), ..request(plan, "") };
    let plan = world.load(fan_out(echo(&server), 3));
    let refused = world.handle.create_run(capped(&plan, 299)).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.to_string().as_str()),
        ("E1402", "the run may cost 0.0003 USD, more than the 0.000299 USD that the request admits")
    );
    world.handle.create_run(capped(&plan, 300)).await.unwrap();

    // A budget that comes with the inputs is held against the bound when the run is admitted.
    let with_purse = |tolerate| {
        let mut b = Builder::new(Some(usd(1_000_000)), Some(HOUR_US), &[echo(&server)]);
        let purse = b.param("purse", Type::Amount, Some(Value::Amount(usd(1_000))));
        b.budget(purse);
        let list = b.texts(3);
        let options = LoopOptions { concurrency: Some(1), tolerate, keep: false, budget: None };
        let each = b.fan_out("each", list, &options, &[], |b, id| {
            let item = b.item(id);
            b.call("ask", item, &CallOptions::to(0), &[])
        });
        world.load(b.finish(each, list_of(LengthRange::up_to(3))))
    };
    let strict = with_purse(Tolerance::Count(0));
    let refused = world.handle.create_run(request(&strict, r#"{"purse":"0.0002USD"}"#)).await.unwrap_err();
    assert_eq!(refused.code(), "E1402");
    assert!(refused.to_string().contains("0.0003 USD, more than its budget of 0.0002 USD"), "{refused}");
    world.handle.create_run(request(&strict, "")).await.unwrap();
    // A plan that goes on without what it cannot buy may begin.
    let frugal = with_purse(Tolerance::All);
    let id = world.handle.create_run(request(&frugal, r#"{"purse":"0.0002USD"}"#)).await.unwrap();
    let run = world.handle.wait(TENANT, id).await.unwrap();
    assert_eq!((run.state, run.total), (RunState::Succeeded, usd(200)));
}

#[tokio::test]
async fn a_plan_with_calls_needs_limits_of_its_own() {
    let server = Server::start(Reply::answer).await;
    let world = World::in_memory();
    for (budget, deadline_us, missing) in [
        (None, None, "no budget and no deadline"),
        (None, Some(HOUR_US), "no budget"),
        (Some(usd(1_000)), None, "no deadline"),
    ] {
        let mut b = Builder::new(budget, deadline_us, &[echo(&server)]);
        let arg = b.text("hello");
        let call = b.call("ask", arg, &CallOptions::to(0), &[]);
        let plan = world.load(b.finish(call, Type::STRING));
        let refused = world.create(&plan).await.unwrap_err();
        assert_eq!(refused.code(), "E1405");
        assert!(refused.to_string().contains(missing), "{refused}");
    }
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn large_answers_survive_a_restart() {
    let large = "x".repeat(200 << 10);
    let text = large.clone();
    let server = Server::start(move |question| match question {
        "hello" => Reply::answer(&text),
        _ => Reply::answer("short").after(if question.len() > 100 { 0 } else { 3_600_000 }),
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    let plan = {
        let mut b = Builder::new(Some(usd(10_000)), Some(HOUR_US), &[echo(&server)]);
        let arg = b.text("hello");
        let first = b.call("first", arg, &CallOptions::to(0), &[]);
        let arg = b.text("wait");
        let options = CallOptions { timeout_us: 3_000_000_000, ..CallOptions::to(0) };
        let second = b.call("second", arg, &options, &[]);
        let parts = [b.node_value(first), b.node_value(second)];
        let both = b.joined(&parts);
        let both = b.pure("both", both, &[first, second]);
        b.finish(both, Type::STRING)
    };
    let id = {
        let world = World::on_disk(dir.path());
        let plan = world.load(plan);
        let id = world.create(&plan).await.unwrap();
        let mut events = world.handle.watch(TENANT, id, 0).await.unwrap();
        while events.next().await.unwrap().unwrap().kind != RunEventKind::AttemptDone {}
        world.handle.shutdown(Duration::ZERO).await;
        id
    };
    let world = World::on_disk(dir.path());
    assert_eq!(world.handle.recover().await.unwrap(), 1);
    let mut events = world.handle.watch(TENANT, id, 0).await.unwrap();
    // The call in flight is safe to repeat, so it is sent again; the other one is not.
    loop {
        let event = events.next().await.unwrap().unwrap();
        if event.kind == RunEventKind::AttemptSent && event.attempt == 2 {
            break;
        }
    }
    server.arrived(3).await;
    let asked = server.asked();
    assert_eq!((asked["hello"], asked["wait"]), (1, 2));
    let run = world.handle.cancel_run(TENANT, id).await.unwrap();
    assert_eq!((run.state, run.total), (RunState::Cancelled, usd(300)));
    world.proof(&run).await;
}

#[tokio::test]
async fn a_turn_above_the_size_of_a_blob_survives_a_restart() {
    const ELEMENTS: usize = 5_000;
    let server = Server::start(|_| Reply::answer("late").after(3_600_000)).await;
    let dir = tempfile::tempdir().unwrap();
    let plan = {
        let mut b = Builder::new(Some(usd(10_000)), Some(HOUR_US), &[echo(&server)]);
        let list = b.texts(ELEMENTS);
        // Watchers are told of every branch, by its label: 20 MB in the first turn.
        let label = "x".repeat(2_000);
        let each = b.fan_out("each", list, &LoopOptions::default(), &[], |b, id| {
            let item = b.item(id);
            let condition = b.constant(Value::Bool(true), Type::Bool);
            b.branch(
                &label,
                condition,
                &[],
                vec![Box::new(|b| b.pure("this", item, &[])), Box::new(|b| b.pure("that", item, &[]))],
            )
        });
        let arg = b.text("wait");
        let options = CallOptions { timeout_us: 3_000_000_000, ..CallOptions::to(0) };
        let call = b.call("call", arg, &options, &[each]);
        b.finish(call, Type::STRING)
    };
    let id = {
        let world = World::on_disk(dir.path());
        let plan = world.load(plan);
        let id = world.create(&plan).await.unwrap();
        server.arrived(1).await;
        world.handle.shutdown(Duration::ZERO).await;
        id
    };
    let world = World::on_disk(dir.path());
    assert_eq!(world.handle.recover().await.unwrap(), 1);
    server.arrived(2).await;
    let run = world.handle.cancel_run(TENANT, id).await.unwrap();
    assert_eq!((run.state, run.total), (RunState::Cancelled, usd(200)));
    let events = world.events(id, 0).await;
    assert!((1..).zip(&events).all(|(seq, event)| event.seq == seq));
    let branches = events.iter().filter(|event| event.node.starts_with("xx")).count();
    assert_eq!(branches, 2 * ELEMENTS);
    assert!(branches * 2_000 > store::MAX_BLOB_BYTES);
    world.proof(&run).await;
}

#[tokio::test]
async fn lists_are_paged_newest_first_and_filtered() {
    let server = echoing().await;
    let world = World::in_memory();
    let fine = world.load(one_call(echo(&server), &CallOptions::to(0)));
    let mut all = vec![];
    for _ in 0..5 {
        let id = world.create(&fine).await.unwrap();
        world.handle.wait(TENANT, id).await.unwrap();
        all.insert(0, id);
    }
    let mut listed = vec![];
    let mut after = None;
    loop {
        let page = world.handle.list_runs(TENANT, &RunFilter::default(), after, 2).await.unwrap();
        listed.extend(page.runs.iter().map(|run| run.id));
        assert!(page.runs.len() <= 2 && page.runs.iter().all(|run| run.result_json.is_none()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(listed, all);
    let failed = RunFilter { state: Some(RunState::Failed), plan: None };
    assert!(world.handle.list_runs(TENANT, &failed, None, 10).await.unwrap().runs.is_empty());
    let named = RunFilter { state: Some(RunState::Succeeded), plan: Some("test".into()) };
    assert_eq!(world.handle.list_runs(TENANT, &named, None, 10).await.unwrap().runs.len(), 5);
    assert!(world.handle.list_runs("other", &RunFilter::default(), None, 10).await.unwrap().runs.is_empty());
}

#[tokio::test]
async fn runs_above_the_limit_are_refused() {
    let server = Server::start(|_| Reply::answer("never").after(3_600_000)).await;
    let log = Arc::new(Memory::new());
    let world = World::with(Options { runs_max: 2, ..Options::default() }, services(log));
    let options = CallOptions { timeout_us: 50_000_000, ..CallOptions::to(0) };
    let plan = world.load(one_call(echo(&server), &options));
    let first = world.create(&plan).await.unwrap();
    world.create(&plan).await.unwrap();
    assert_eq!(world.create(&plan).await.unwrap_err().code(), "E1172");
    world.handle.cancel_run(TENANT, first).await.unwrap();
    world.create(&plan).await.unwrap();
    world.handle.shutdown(Duration::ZERO).await;
    assert_eq!(world.create(&plan).await.unwrap_err().code(), "E1173");
}

#[tokio::test]
async fn a_full_store_refuses_a_run_and_leaves_nothing_half_written() {
    let server = echoing().await;
    let dir = tempfile::tempdir().unwrap();
    let options = store::Options { max_bytes: Some(160 << 10), ..store::Options::new(dir.path()) };
    let impatient = Options { disk_patience: Duration::ZERO, ..Options::default() };
    let world = World::with(impatient, services(Arc::new(Sqlite::open(&options).unwrap())));
    let plan = world.load(one_call(echo(&server), &CallOptions::to(0)));
    let mut stopped = None;
    for _ in 0..200 {
        match world.create(&plan).await {
            Ok(id) => {
                if let Err(error) = world.handle.wait(TENANT, id).await {
                    stopped = Some(error);
                    break;
                }
            }
            Err(error) => {
                stopped = Some(error);
                break;
            }
        }
    }
    assert_eq!(stopped.unwrap().code(), "E1005");
    // Something smaller may still fit; what does not is refused as clearly.
    for _ in 0..3 {
        let again = world.create(&plan).await;
        assert!(again.is_ok() || again.unwrap_err().code() == "E1005");
    }
    world.handle.shutdown(Duration::from_secs(10)).await;
    drop(world);
    // With room again, a run that was stopped half-way is taken up and ends.
    let world = World::on_disk(dir.path());
    world.handle.recover().await.unwrap();
    let page = world.handle.list_runs(TENANT, &RunFilter::default(), None, 500).await.unwrap();
    let mut attempts = 0;
    for run in page.runs {
        let run = world.handle.wait(TENANT, run.id).await.unwrap();
        assert_eq!(run.state, RunState::Succeeded);
        attempts += run.costs.iter().map(|row| row.attempts as usize).sum::<usize>();
    }
    assert!(server.count() <= attempts, "nothing was sent whose intent was not stored");
}

#[tokio::test]
async fn unknown_prices_are_reported_as_declared() {
    let server = echoing().await;
    let unknown = OperationDescriptor { price: PriceRule::Unknown, ..echo(&server) };
    let options = CallOptions { max_price: Some(usd(70)), ..CallOptions::to(0) };
    let run = World::in_memory().run(one_call(unknown, &options)).await;
    assert_eq!((run.total, run.costs[0].basis, run.total_certain), (usd(70), PriceBasis::Declared, false));
}

#[tokio::test]
async fn a_journal_that_cannot_be_replayed_ends_its_run_with_a_reason() {
    let server = Server::start(|_| Reply::answer("never").after(3_600_000)).await;
    let dir = tempfile::tempdir().unwrap();
    let options = CallOptions { timeout_us: 50_000_000, ..CallOptions::to(0) };
    let mut runs = vec![];
    {
        let world = World::on_disk(dir.path());
        let plan = world.load(one_call(echo(&server), &options));
        for _ in 0..2 {
            runs.push(world.create(&plan).await.unwrap());
        }
        server.arrived(2).await;
        world.handle.shutdown(Duration::ZERO).await;
        // A record of a later version, and one that is damaged.
        for (run, bytes) in runs.iter().zip([&[99_u8, 1, 2][..], &[runtime::JOURNAL_VERSION, 1, 255, 255]]) {
            let stream = store::StreamName::new(&format!("runs/{TENANT}/{run}")).unwrap();
            world.log.append(store::Append::to(stream).record(bytes.to_vec())).await.unwrap();
        }
    }
    let world = World::on_disk(dir.path());
    assert_eq!(world.handle.recover().await.unwrap(), 2);
    for run in runs {
        let ended = world.handle.wait(TENANT, run).await.unwrap();
        assert_eq!((ended.state, ended.total_certain), (RunState::Failed, false));
        assert_eq!(ended.error.unwrap().code, "E1171");
        // What can be read is told, then why there is no more.
        let mut events = world.handle.watch(TENANT, run, 0).await.unwrap();
        for seq in 1..=3 {
            assert_eq!(events.next().await.unwrap().unwrap().seq, seq);
        }
        assert_eq!(events.next().await.unwrap_err().code(), "E1171");
    }
    assert_eq!(server.count(), 2, "nothing is bought again");
    assert_eq!(world.handle.recover().await.unwrap(), 0);
}

#[tokio::test]
async fn every_attempt_is_told_to_whoever_keeps_statistics() {
    let server = Server::start(|question| match question {
        "item 0" => Reply::status(500),
        _ => Reply::answer("fine"),
    })
    .await;
    let (samples, mut told) = tokio::sync::mpsc::channel(8);
    let log = Arc::new(Memory::new());
    let services = runtime::Services { samples: Some(samples), ..services(log) };
    let world = World::with(Options::default(), services);
    world.run(fan_out(echo(&server), 2)).await;
    let mut errors = [told.recv().await.unwrap(), told.recv().await.unwrap()];
    errors.sort_by_key(|sample| sample.error);
    assert_eq!((errors[0].error, errors[1].error), (None, Some(CallErrorKind::Unavailable)));
    assert!(errors.iter().all(|sample| sample.operation == "sn1.echo" && sample.started_at_us > 0));
}
