//! Runs whose disk fills while they are under way.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, reason = "tests")]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use plan_ir::plan::CompiledPlan;
use runtime::Options;
use runtime::view::{RunEventKind, RunFilter, RunState};
use schema::types::Type;
use store::{Append, Log, Sqlite, StreamName};
use support::server::{Reply, Server};
use support::world::{TENANT, World, services};
use support::{Builder, CallOptions, operation, per_call, usd};
use tokio::sync::Semaphore;

/// An answer that needs room of its own.
const ANSWER_BYTES: usize = 40_000;
const STORE_BYTES: u64 = 1 << 20;

/// A subnet that answers "ask" once the gate is open, at length, and anything else never.
async fn gated() -> (Server, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let answers = Arc::clone(&gate);
    let server = Server::start(move |question| match question {
        "ask" => Reply { gate: Some(Arc::clone(&answers)), ..Reply::answer(&"x".repeat(ANSWER_BYTES)) },
        _ => Reply::answer("never").after(3_600_000),
    })
    .await;
    (server, gate)
}

/// Asks; unless it `ends`, it then asks what is never answered.
fn plan(server: &Server, ends: bool) -> CompiledPlan {
    let echo = operation("sn1.echo", &server.url, per_call(100), true);
    let mut b = Builder::new(Some(usd(10_000)), Some(3_600_000_000), &[echo]);
    let options = CallOptions { timeout_us: 3_000_000_000, ..CallOptions::to(0) };
    let arg = b.text("ask");
    let first = b.call("first", arg, &options, &[]);
    if ends {
        return b.finish(first, Type::STRING);
    }
    let arg = b.text("wait");
    let second = b.call("second", arg, &options, &[first]);
    b.finish(second, Type::STRING)
}

fn small_store(dir: &Path) -> Arc<dyn Log> {
    let options = store::Options { max_bytes: Some(STORE_BYTES), ..store::Options::new(dir) };
    Arc::new(Sqlite::open(&options).unwrap())
}

fn ballast() -> Append {
    Append::to(StreamName::new("ballast").unwrap())
}

/// Leaves no room for an answer; tells how many rows make room again.
async fn fill(log: &dyn Log) -> usize {
    let mut rows = 0;
    for size in [60_000, 4_000, 500] {
        loop {
            match log.append(ballast().view("ballast", rows.to_string(), vec![0; size])).await {
                Ok(_) => rows += 1,
                Err(error) => break assert_eq!(error.code(), "E1005", "{error}"),
            }
        }
    }
    rows
}

async fn make_room(log: &dyn Log, rows: usize) {
    for row in 0..rows {
        log.append(ballast().drop_view("ballast", row.to_string())).await.unwrap();
    }
}

#[tokio::test]
async fn a_run_whose_disk_fills_waits_and_goes_on_by_itself() {
    let (server, gate) = gated().await;
    let dir = tempfile::tempdir().unwrap();
    let world = World::over(small_store(dir.path()));
    let ends = world.create(&world.load(plan(&server, true))).await.unwrap();
    let waits = world.create(&world.load(plan(&server, false))).await.unwrap();
    server.arrived(2).await;
    // Rows say so too, for whoever has no run in memory.
    let other = World::over(Arc::clone(&world.log));
    assert_eq!(other.handle.get_run(TENANT, ends).await.unwrap().state, RunState::Running);

    let rows = fill(&*world.log).await;
    gate.add_permits(2);
    let mut events = world.handle.watch(TENANT, ends, 3).await.unwrap();
    let cancelled = {
        let handle = world.handle.clone();
        tokio::spawn(async move { handle.cancel_run(TENANT, waits).await })
    };
    let soon = Duration::from_millis(700);
    assert!(tokio::time::timeout(soon, events.next()).await.is_err(), "told before it was stored");
    for run in [ends, waits] {
        assert_eq!(world.handle.get_run(TENANT, run).await.unwrap().state, RunState::Running);
    }
    let running = RunFilter { state: Some(RunState::Running), plan: None };
    assert_eq!(world.handle.list_runs(TENANT, &running, None, 9).await.unwrap().runs.len(), 2);
    assert!(!cancelled.is_finished(), "nothing is cancelled that is not stored as cancelled");
    assert_eq!(world.handle.runs_under_way(), 2);

    make_room(&*world.log, rows).await;
    let run = world.handle.wait(TENANT, ends).await.unwrap();
    assert_eq!((run.state, run.total), (RunState::Succeeded, usd(100)));
    world.proof(&run).await;
    let mut last = None;
    while let Some(event) = events.next().await.unwrap() {
        last = Some(event.kind);
    }
    assert_eq!(last, Some(RunEventKind::Closed));
    let run = cancelled.await.unwrap().unwrap();
    assert_eq!(run.state, RunState::Cancelled);
    world.proof(&run).await;
}

#[tokio::test]
async fn a_run_that_stopped_for_its_disk_says_so_until_it_is_taken_up() {
    let (server, gate) = gated().await;
    let dir = tempfile::tempdir().unwrap();
    let impatient = Options { disk_patience: Duration::ZERO, ..Options::default() };
    let world = World::with(impatient, services(small_store(dir.path())));
    let id = world.create(&world.load(plan(&server, true))).await.unwrap();
    server.arrived(1).await;
    let rows = fill(&*world.log).await;
    gate.add_permits(1);
    assert_eq!(world.handle.wait(TENANT, id).await.unwrap_err().code(), "E1005");

    // It is not under way any more, and everybody who asks is told why.
    assert_eq!(world.handle.runs_under_way(), 0);
    assert_eq!(world.handle.wait(TENANT, id).await.unwrap_err().code(), "E1005");
    assert_eq!(world.handle.cancel_run(TENANT, id).await.unwrap_err().code(), "E1005");
    assert_eq!(world.handle.get_run(TENANT, id).await.unwrap().state, RunState::Running);
    // A process that knows nothing of it does not pretend either.
    let other = World::over(Arc::clone(&world.log));
    assert_eq!(other.handle.wait(TENANT, id).await.unwrap_err().code(), "E1175");
    for (handle, code) in [(&world.handle, "E1005"), (&other.handle, "E1175")] {
        let mut events = handle.watch(TENANT, id, 0).await.unwrap();
        for seq in 1..=3 {
            assert_eq!(events.next().await.unwrap().unwrap().seq, seq);
        }
        assert_eq!(events.next().await.unwrap_err().code(), code);
    }

    make_room(&*world.log, rows).await;
    assert_eq!(world.handle.recover().await.unwrap(), 1);
    let run = world.handle.wait(TENANT, id).await.unwrap();
    assert_eq!((run.state, run.costs[0].attempts), (RunState::Succeeded, 2));
    world.proof(&run).await;
    assert_eq!(world.handle.cancel_run(TENANT, id).await.unwrap(), run);
}
