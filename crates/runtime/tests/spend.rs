//! What a tenant may spend over all its runs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use plan_ir::plan::CompiledPlan;
use runtime::{CreateRun, Error, LoadedPlan, Options, SpendCap};
use schema::types::Type;
use store::{Log, Sqlite};
use support::server::{Reply, Server};
use support::world::{World, request, services};
use support::{Builder, CallOptions, operation, per_call, usd};

const CAPPED: &str = "agent";

fn plan(server: &Server) -> CompiledPlan {
    let mut b = Builder::new(
        Some(usd(10_000)),
        Some(60_000_000),
        &[operation("sn1.echo", &server.url, per_call(100), true)],
    );
    let arg = b.text("hello");
    let call = b.call("ask", arg, &CallOptions { timeout_us: 50_000_000, ..CallOptions::to(0) }, &[]);
    b.finish(call, Type::STRING)
}

async fn world(folder: &Path, cap: u64) -> World {
    let log: Arc<dyn Log> = Arc::new(Sqlite::open(&store::Options::new(folder)).unwrap());
    let spend_caps = BTreeMap::from([(Arc::from(CAPPED), SpendCap::new([usd(cap)]))]);
    let world = World::with(Options { spend_caps, ..Options::default() }, services(log));
    world.handle.open_accounts().await.unwrap();
    world.handle.recover().await.unwrap();
    world
}

fn of(tenant: &str, plan: &Arc<LoadedPlan>) -> CreateRun {
    CreateRun { tenant: tenant.into(), ..request(plan, "") }
}

#[tokio::test]
async fn runs_under_way_reserve_what_they_may_cost() {
    let server = Server::start(|_| Reply::answer("never").after(3_600_000)).await;
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path(), 250).await;
    let plan = world.load(plan(&server));
    let first = world.handle.create_run(of(CAPPED, &plan)).await.unwrap();
    let second = world.handle.create_run(of(CAPPED, &plan)).await.unwrap();
    let refused = world.handle.create_run(of(CAPPED, &plan)).await.unwrap_err();
    let Error::SpendCap { spent, reserved, cap, cost, .. } = &refused else { panic!("{refused}") };
    assert_eq!((*spent, *reserved, *cap, *cost), (usd(0), usd(200), usd(250), usd(100)));
    // Others have nothing to do with it.
    let other = world.handle.create_run(of("other", &plan)).await.unwrap();
    server.arrived(3).await;
    for run in [first, second] {
        // Cancelled after it was sent: it is charged what it may have cost.
        assert_eq!(world.handle.cancel_run(CAPPED, run).await.unwrap().total, usd(100));
    }
    world.handle.cancel_run("other", other).await.unwrap();
    assert_eq!(world.handle.create_run(of(CAPPED, &plan)).await.unwrap_err().code(), "E1407");
}

#[tokio::test]
async fn what_was_spent_and_what_is_under_way_counts_after_a_restart() {
    let quick = Server::start(|_| Reply::answer("fine")).await;
    let slow = Server::start(|_| Reply::answer("never").after(3_600_000)).await;
    let folder = tempfile::tempdir().unwrap();
    {
        let world = world(folder.path(), 350).await;
        let run = world.handle.create_run(of(CAPPED, &world.load(plan(&quick)))).await.unwrap();
        assert_eq!(world.handle.wait(CAPPED, run).await.unwrap().total, usd(100));
        world.handle.create_run(of(CAPPED, &world.load(plan(&slow)))).await.unwrap();
        slow.arrived(1).await;
        world.handle.shutdown(std::time::Duration::ZERO).await;
    }
    let world = world(folder.path(), 350).await;
    let plan = world.load(plan(&quick));
    // 100 are spent, and at least 100 reserved for what was taken up; another 100 fit, and no more.
    let run = world.handle.create_run(of(CAPPED, &plan)).await.unwrap();
    world.handle.wait(CAPPED, run).await.unwrap();
    let refused = world.handle.create_run(of(CAPPED, &plan)).await.unwrap_err();
    let Error::SpendCap { spent, reserved, .. } = &refused else { panic!("{refused}") };
    assert_eq!((*spent, *reserved), (usd(200), usd(100)));
}

#[tokio::test]
async fn of_many_runs_at_once_no_more_are_admitted_than_the_cap_holds() {
    let server = Server::start(|_| Reply::answer("fine")).await;
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path(), 1_000).await;
    let plan = world.load(plan(&server));
    let all = (0..40).map(|_| world.handle.create_run(of(CAPPED, &plan)));
    let admitted = futures_util::future::join_all(all).await.into_iter().filter(Result::is_ok).count();
    assert_eq!(admitted, 10);
}
