//! When proofs are signed: before they are stored where the store outlives the process, else when they are asked for.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, reason = "tests")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use plan_ir::plan::CompiledPlan;
use proof::builder::Show;
use proof::bundle::Bundle;
use proof::key::RuntimeKey;
use runtime::view::RunState;
use runtime::{Options, Services};
use schema::types::Type;
use store::{Log, Memory, Sqlite};
use support::server::{Reply, Server};
use support::world::{TENANT, World, request, services};
use support::{Builder, CallOptions, operation, per_call, usd};

fn one_call(server: &Server) -> CompiledPlan {
    let mut b = Builder::new(
        Some(usd(10_000)),
        Some(60_000_000),
        &[operation("sn1.echo", &server.url, per_call(100), true)],
    );
    let arg = b.text("hello");
    let call = b.call("ask", arg, &CallOptions::to(0), &[]);
    b.finish(call, Type::STRING)
}

fn of_another_key(log: Arc<dyn Log>) -> World {
    let key = Arc::new(RuntimeKey::from_seed(&[8; 32]));
    World::with(Options::default(), Services { key, ..services(log) })
}

#[tokio::test]
async fn whoever_has_the_answer_of_a_call_in_memory_can_have_its_proof() {
    let server = Server::start(|_| Reply::answer("fine")).await;
    let world = World::in_memory();
    let plan = world.load(one_call(&server));
    let run = world.handle.call_to_end(request(&plan, "{}")).await.unwrap();
    assert_eq!(run.state, RunState::Succeeded);
    let first = world.proof(&run).await;
    let bundle = Bundle::from_bytes(&first).unwrap();
    assert_eq!(run.proof_id, Some(proof::statement::proof_id(&bundle.statement)));
    assert_eq!(world.proof(&run).await, first, "the same each time");
    // Nobody has signed what is stored.
    let detail = world.log.view_get("runs.detail", &format!("{TENANT}/{}", run.id)).await.unwrap().unwrap();
    let is_in = |part: &[u8]| detail.windows(part.len()).any(|window| window == part);
    assert!(is_in(&bundle.statement) && !is_in(&bundle.signatures[0].signature.0));
    // What is not signed yet still is after a shutdown.
    let last = world.handle.call_to_end(request(&plan, "{}")).await.unwrap();
    world.handle.shutdown(Duration::ZERO).await;
    world.proof(&last).await;
}

#[tokio::test]
async fn a_proof_in_memory_is_signed_by_no_other_key_than_its_run_was_opened_with() {
    let server = Server::start(|_| Reply::answer("fine")).await;
    let world = World::in_memory();
    let run = world.run(one_call(&server)).await;
    let other = of_another_key(Arc::clone(&world.log));
    assert_eq!(other.handle.proof(TENANT, run.id).await.unwrap_err().code(), "E1165");
    world.proof(&run).await;
}

#[tokio::test]
async fn a_proof_that_outlives_the_process_is_signed_before_it_is_stored() {
    let server = Server::start(|_| Reply::answer("fine")).await;
    let dir = tempfile::tempdir().unwrap();
    let (run, proof) = {
        let world = World::on_disk(dir.path());
        let run = world.run(one_call(&server)).await;
        let proof = world.proof(&run).await;
        world.handle.shutdown(Duration::ZERO).await;
        (run, proof)
    };
    let log = Sqlite::open(&store::Options::new(dir.path())).unwrap();
    let later = of_another_key(Arc::new(log));
    assert_eq!(later.handle.proof(TENANT, run.id).await.unwrap(), proof);
}

#[tokio::test]
async fn a_large_proof_is_signed_too_and_the_same_each_time() {
    let server = Server::start(|_| Reply::answer(&"x".repeat(500_000))).await;
    let dir = tempfile::tempdir().unwrap();
    let stores: [Arc<dyn Log>; 2] =
        [Arc::new(Memory::new()), Arc::new(Sqlite::open(&store::Options::new(dir.path())).unwrap())];
    for log in stores {
        let options = Options { proofs_show: Show::Everything, ..Options::default() };
        let world = World::with(options, services(log));
        let run = world.run(one_call(&server)).await;
        assert_eq!(run.state, RunState::Succeeded, "{:?}", run.error);
        let proof = world.proof(&run).await;
        assert!(proof.len() > 1 << 20);
        assert_eq!(world.proof(&run).await, proof);
    }
}
