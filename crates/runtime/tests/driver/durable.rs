//! Runs on disk: how often they commit, and what becomes of them after a restart.

use std::sync::Arc;
use std::time::Duration;

use runtime::Options;
use runtime::view::{RunEventKind, RunFilter, RunState};
use schema::types::Type;
use schema::value::Value;
use store::Sqlite;

use crate::support::server::{Reply, Server};
use crate::support::world::{TENANT, World, services};
use crate::support::{Builder, CallOptions, LoopOptions, usd};
use crate::{HOUR_US, echo, echoing, fan_out, one_call};

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
