//! What is seen of a run: how it ended and what it cost, its events, its place in lists.

use std::sync::Arc;

use runtime::Options;
use runtime::view::{EventState, RunEventKind, RunFilter, RunState};
use schema::error::CallErrorKind;
use schema::operation::{ObservedCost, OperationDescriptor};
use schema::price::{PriceBasis, PriceRule};
use store::Memory;

use crate::support::server::{Reply, Server};
use crate::support::world::{TENANT, World, services};
use crate::support::{CallOptions, usd};
use crate::{echo, echoing, fan_out, one_call};

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
async fn unknown_prices_are_reported_as_declared() {
    let server = echoing().await;
    let unknown = OperationDescriptor { price: PriceRule::Unknown, ..echo(&server) };
    let options = CallOptions { max_price: Some(usd(70)), ..CallOptions::to(0) };
    let run = World::in_memory().run(one_call(unknown, &options)).await;
    assert_eq!((run.total, run.costs[0].basis, run.total_certain), (usd(70), PriceBasis::Declared, false));
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
