//! What a tenant may spend over all its runs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use plan_ir::plan::CompiledPlan;
use runtime::{CreateRun, Error, LoadedPlan, Options, SpendCap};
use schema::amount::{Amount, Currency};
use schema::operation::{ObservedCost, OperationDescriptor};
use schema::price::PriceRule;
use schema::types::Type;
use store::{Log, Sqlite};
use support::server::{Reply, Server};
use support::world::{World, request, services};
use support::{Builder, CallOptions, FallbackOptions, operation, per_call, usd};

const CAPPED: &str = "agent";

fn plan(server: &Server) -> CompiledPlan {
    calling(&operation("sn1.echo", &server.url, per_call(100), true), None)
}

/// A call whose price nobody has published, and of which its caller says that it costs `claim` at most.
fn unpriced(server: &Server, claim: u64) -> CompiledPlan {
    calling(&operation("sn1.echo", &server.url, PriceRule::Unknown, true), Some(usd(claim)))
}

fn calling(operation: &OperationDescriptor, max_price: Option<Amount>) -> CompiledPlan {
    let cost = ObservedCost::Header { name: "x-cost".into(), currency: Currency::MicroUsd };
    let operation = OperationDescriptor { observed_cost: Some(cost), ..operation.clone() };
    let mut b = Builder::new(Some(usd(10_000)), Some(60_000_000), &[operation]);
    let arg = b.text("hello");
    let options = CallOptions { timeout_us: 50_000_000, max_price, ..CallOptions::to(0) };
    let call = b.call("ask", arg, &options, &[]);
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
    let open = {
        let world = world(folder.path(), 350).await;
        let run = world.handle.create_run(of(CAPPED, &world.load(plan(&quick)))).await.unwrap();
        assert_eq!(world.handle.wait(CAPPED, run).await.unwrap().total, usd(100));
        let open = world.handle.create_run(of(CAPPED, &world.load(plan(&slow)))).await.unwrap();
        slow.arrived(1).await;
        world.handle.shutdown(std::time::Duration::ZERO).await;
        open
    };
    let world = world(folder.path(), 350).await;
    world.handle.wait(CAPPED, open).await.unwrap();
    let plan = world.load(plan(&quick));
    // 100 are spent, and 100 for what was under way, which is not sent again; another 100 fit, and no more.
    let run = world.handle.create_run(of(CAPPED, &plan)).await.unwrap();
    world.handle.wait(CAPPED, run).await.unwrap();
    let refused = world.handle.create_run(of(CAPPED, &plan)).await.unwrap_err();
    let Error::SpendCap { spent, reserved, .. } = &refused else { panic!("{refused}") };
    assert_eq!((*spent, *reserved), (usd(300), usd(0)));
    assert_eq!(slow.count(), 1);
}

#[tokio::test]
async fn a_call_without_a_price_that_a_restart_interrupts_counts_once() {
    let slow = Server::start(|_| Reply::answer("never").after(3_600_000)).await;
    let folder = tempfile::tempdir().unwrap();
    let open = {
        let world = world(folder.path(), 19_999).await;
        let open = world.handle.create_run(of(CAPPED, &world.load(unpriced(&slow, 0)))).await.unwrap();
        slow.arrived(1).await;
        world.handle.shutdown(std::time::Duration::ZERO).await;
        open
    };
    for _ in 0..2 {
        let world = world(folder.path(), 19_999).await;
        world.handle.wait(CAPPED, open).await.unwrap();
        let refused = world.handle.create_run(of(CAPPED, &world.load(unpriced(&slow, 0)))).await.unwrap_err();
        let Error::SpendCap { spent, reserved, .. } = &refused else { panic!("{refused}") };
        assert_eq!((*spent, *reserved), (usd(10_000), usd(0)));
    }
    assert_eq!(slow.count(), 1);
}

#[tokio::test]
async fn requests_that_a_budget_holds_back_are_set_aside_all_the_same() {
    let server = Server::start(|_| Reply::answer("fine")).await;
    let folder = tempfile::tempdir().unwrap();
    let unpriced = operation("sn1.echo", &server.url, PriceRule::Unknown, true);
    let mut b = Builder::new(Some(usd(12_000)), Some(60_000_000), &[unpriced]);
    let arg = b.text("hello");
    let options = CallOptions {
        retries: 2,
        max_price: Some(usd(12_000)),
        fallback: Some(FallbackOptions::Value("none".into())),
        ..CallOptions::to(0)
    };
    let call = b.call("ask", arg, &options, &[]);
    let plan = b.finish(call, Type::STRING);
    let world = world(folder.path(), 41_999).await;
    let refused = world.handle.create_run(of(CAPPED, &world.load(plan))).await.unwrap_err();
    let Error::SpendCap { cost, .. } = &refused else { panic!("{refused}") };
    assert_eq!(*cost, usd(12_000 + 3 * 10_000));
}

#[tokio::test]
async fn what_is_counted_was_set_aside_where_only_some_calls_have_a_price() {
    let server = Server::start(|_| Reply::answer("fine")).await;
    let folder = tempfile::tempdir().unwrap();
    let priced = operation("sn1.echo", &server.url, per_call(50_000), true);
    let unpriced = operation("sn2.echo", &server.url, PriceRule::Unknown, true);
    let mut b = Builder::new(Some(usd(100_000)), Some(60_000_000), &[priced, unpriced]);
    let arg = b.text("hello");
    let claims = [None, Some(0), Some(3_000), Some(20_000)];
    let calls = claims.map(|claim| {
        let to = CallOptions::to(u32::from(claim.is_some()));
        let options = CallOptions { timeout_us: 50_000_000, max_price: claim.map(usd), ..to };
        b.call("ask", arg, &options, &[])
    });
    let plan = b.finish(calls[3], Type::STRING);
    let counted = 50_000 + 10_000 + 10_000 + 20_000;
    let world = world(folder.path(), 2 * counted - 1).await;
    let plan = world.load(plan);
    let run = world.handle.create_run(of(CAPPED, &plan)).await.unwrap();
    assert_eq!(world.handle.wait(CAPPED, run).await.unwrap().total, usd(73_000));
    let refused = world.handle.create_run(of(CAPPED, &plan)).await.unwrap_err();
    let Error::SpendCap { spent, cost, .. } = &refused else { panic!("{refused}") };
    assert_eq!((*spent, *cost), (usd(counted), usd(counted)));
}

#[tokio::test]
async fn what_a_caller_says_of_a_price_that_nobody_published_does_not_lower_what_counts() {
    // It charges 2,500 whatever its caller said.
    let stated = Server::start(|_| Reply { cost: Some("0.0025".into()), ..Reply::answer("fine") }).await;
    let silent = Server::start(|_| Reply::answer("fine")).await;
    for (server, counted) in [(&stated, 2_500), (&silent, 10_000)] {
        let folder = tempfile::tempdir().unwrap();
        let cap = 25_000;
        {
            let world = world(folder.path(), cap).await;
            let plan = world.load(unpriced(server, 0));
            // Each sets aside 10,000, so of many at once two are admitted.
            let all = (0..20).map(|_| world.handle.create_run(of(CAPPED, &plan)));
            let admitted = futures_util::future::join_all(all).await;
            let admitted: Vec<_> = admitted.into_iter().filter_map(Result::ok).collect();
            assert_eq!(admitted.len(), 2);
            for run in admitted {
                world.handle.wait(CAPPED, run).await.unwrap();
            }
            world.handle.shutdown(std::time::Duration::from_secs(5)).await;
        }
        // The same after a restart.
        let world = world(folder.path(), cap).await;
        let plan = world.load(unpriced(server, 0));
        let mut spent = 2 * counted;
        while spent + 10_000 <= cap {
            let run = world.handle.create_run(of(CAPPED, &plan)).await.unwrap();
            world.handle.wait(CAPPED, run).await.unwrap();
            spent += counted;
        }
        let refused = world.handle.create_run(of(CAPPED, &plan)).await.unwrap_err();
        let Error::SpendCap { spent: known, cost, .. } = &refused else { panic!("{refused}") };
        assert_eq!((*known, *cost), (usd(spent), usd(10_000)));
    }
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

/// The same request, as often as it is sent.
fn repeated(plan: &Arc<LoadedPlan>) -> CreateRun {
    CreateRun { request_id: Some("the same".into()), ..of(CAPPED, plan) }
}

#[tokio::test]
async fn a_request_that_is_repeated_is_answered_whatever_was_spent() {
    let server = Server::start(|_| Reply::answer("fine")).await;
    let folder = tempfile::tempdir().unwrap();
    let first = {
        let world = world(folder.path(), 100).await;
        let plan = world.load(plan(&server));
        let first = world.handle.create_run(repeated(&plan)).await.unwrap();
        // While it is under way, and when it has ended, all the money is spoken for.
        assert_eq!(world.handle.create_run(repeated(&plan)).await.unwrap(), first);
        assert_eq!(world.handle.wait(CAPPED, first).await.unwrap().total, usd(100));
        assert_eq!(world.handle.create_run(repeated(&plan)).await.unwrap(), first);
        assert_eq!(world.handle.create_run(of(CAPPED, &plan)).await.unwrap_err().code(), "E1407");
        world.handle.shutdown(std::time::Duration::from_secs(5)).await;
        first
    };
    let world = world(folder.path(), 100).await;
    let plan = world.load(plan(&server));
    assert_eq!(world.handle.create_run(repeated(&plan)).await.unwrap(), first);
    let call = world.handle.call(repeated(&plan)).await.unwrap();
    assert_eq!((call.run(), call.ended().await.unwrap().total), (first, usd(100)));
    // Another request under its id is a mistake, which a limit does not hide.
    let other = CreateRun { cost_max: Some(usd(100)), ..repeated(&plan) };
    assert_eq!(world.handle.create_run(other).await.unwrap_err().code(), "E1008");
    assert_eq!(world.handle.create_run(of(CAPPED, &plan)).await.unwrap_err().code(), "E1407");
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn of_equal_requests_at_once_the_first_is_paid_and_all_are_answered() {
    let server = Server::start(|_| Reply::answer("fine")).await;
    let folder = tempfile::tempdir().unwrap();
    let world = world(folder.path(), 100).await;
    let plan = world.load(plan(&server));
    let all = (0..20).map(|_| world.handle.create_run(repeated(&plan)));
    let all = futures_util::future::join_all(all).await;
    let runs: std::collections::BTreeSet<_> = all.into_iter().map(Result::unwrap).collect();
    assert_eq!(runs.len(), 1);
    for run in runs {
        assert_eq!(world.handle.wait(CAPPED, run).await.unwrap().total, usd(100));
    }
}

/// The first of two equal requests does not fit, so it made nothing that the second could be answered with.
#[tokio::test]
async fn a_refused_request_is_not_remembered() {
    let server = Server::start(|_| Reply::answer("fine")).await;
    let folder = tempfile::tempdir().unwrap();
    let plan_bytes = plan(&server);
    {
        let world = world(folder.path(), 99).await;
        let plan = world.load(plan_bytes.clone());
        for _ in 0..2 {
            assert_eq!(world.handle.create_run(repeated(&plan)).await.unwrap_err().code(), "E1407");
        }
        world.handle.shutdown(std::time::Duration::from_secs(5)).await;
    }
    let world = world(folder.path(), 100).await;
    let run = world.handle.create_run(repeated(&world.load(plan_bytes))).await.unwrap();
    assert_eq!(world.handle.wait(CAPPED, run).await.unwrap().total, usd(100));
}
