//! Answers of earlier runs: when they are taken, when not, and what their proofs point to.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, reason = "tests")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use plan_ir::plan::CompiledPlan;
use proof::bundle::Bundle;
use proof::commit::{NodeCommit, Outcome};
use runtime::CreateRun;
use runtime::view::{Run, RunState};
use schema::types::Type;
use support::server::{Reply, Server};
use support::world::{World, request};
use support::{Builder, CallOptions, FallbackOptions, operation, per_call, usd};

const HOUR_US: u64 = 3_600_000_000;

/// A server that counts what it is asked.
async fn counting() -> (Server, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let server = Server::start(move |question| {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        Reply::answer(&format!("{number}: {question}"))
    });
    (server.await, asked)
}

fn asks(server: &Server, question: &str, options: &CallOptions) -> CompiledPlan {
    let echo = operation("sn1.echo", &server.url, per_call(100), true);
    let mut b = Builder::new(Some(usd(10_000)), Some(60_000_000), &[echo]);
    let arg = b.text(question);
    let call = b.call("ask", arg, options, &[]);
    b.finish(call, Type::STRING)
}

fn cached() -> CallOptions {
    CallOptions { cache_us: Some(HOUR_US), ..CallOptions::to(0) }
}

fn result(run: &Run) -> &str {
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.error);
    run.result_json.as_deref().unwrap()
}

#[tokio::test]
async fn an_accepted_answer_serves_later_runs_at_no_cost_and_the_proof_points_to_the_run_that_paid() {
    let (server, asked) = counting().await;
    let world = World::in_memory();
    let first = world.run(asks(&server, "q", &cached())).await;
    let second = world.run(asks(&server, "q", &cached())).await;
    assert_eq!((result(&first), result(&second)), ("\"1: q\"", "\"1: q\""));
    assert_eq!((first.total, second.total, asked.load(Ordering::SeqCst)), (usd(100), usd(0), 1));
    let paid = world.proof(&first).await;
    let free = world.proof(&second).await;
    let commit = NodeCommit::from_bytes(&Bundle::from_bytes(&free).unwrap().commits[0]).unwrap();
    let paid = Bundle::from_bytes(&paid).unwrap();
    let genesis = proof::lock::genesis(&paid.header);
    let lock = proof::lock::lock(&genesis, 0, &paid.commits[0], [].iter());
    assert_eq!(commit.outcome, Outcome::Cached { origin: lock });
    assert_eq!((commit.attempts, commit.cost), (None, None));
}

#[tokio::test]
async fn another_question_an_older_answer_or_another_tenant_is_asked_anew() {
    let (server, asked) = counting().await;
    let world = World::in_memory();
    world.run(asks(&server, "q", &cached())).await;
    let other = world.run(asks(&server, "other", &cached())).await;
    let brief = CallOptions { cache_us: Some(1), ..CallOptions::to(0) };
    let anew = world.run(asks(&server, "q", &brief)).await;
    let plain = world.run(asks(&server, "q", &CallOptions::to(0))).await;
    assert_eq!((result(&other), result(&anew), result(&plain)), ("\"2: other\"", "\"3: q\"", "\"4: q\""));
    let plan = world.load(asks(&server, "q", &cached()));
    let stranger = CreateRun { tenant: "somebody".into(), ..request(&plan, "") };
    let id = world.handle.create_run(stranger).await.unwrap();
    assert_eq!(result(&world.handle.wait("somebody", id).await.unwrap()), "\"5: q\"");
    // The newest answer is the one that is kept.
    assert_eq!(result(&world.run(asks(&server, "q", &cached())).await), "\"3: q\"");
    assert_eq!(asked.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn what_a_plan_does_not_accept_is_neither_kept_nor_taken() {
    let (server, asked) = counting().await;
    let world = World::in_memory();
    let fallback = Some(FallbackOptions::Value("stand-in".into()));
    let refusing = CallOptions { refuse: Some("1: q".into()), fallback, ..cached() };
    // Refused when it is new: a fallback is never kept.
    assert_eq!(result(&world.run(asks(&server, "q", &refusing)).await), "\"stand-in\"");
    assert_eq!(result(&world.run(asks(&server, "q", &cached())).await), "\"2: q\"");
    // Refused when it is old: this plan wants another one than that.
    let refusing = CallOptions { refuse: Some("2: q".into()), ..refusing };
    assert_eq!(result(&world.run(asks(&server, "q", &refusing)).await), "\"3: q\"");
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn answers_survive_a_restart() {
    let (server, asked) = counting().await;
    let dir = tempfile::tempdir().unwrap();
    let before = World::on_disk(dir.path());
    before.run(asks(&server, "q", &cached())).await;
    before.handle.shutdown(std::time::Duration::ZERO).await;
    drop(before);
    let after = World::on_disk(dir.path());
    assert_eq!(result(&after.run(asks(&server, "q", &cached())).await), "\"1: q\"");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}
