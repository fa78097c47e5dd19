//! What peers say they charged.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, reason = "tests")]

mod support;

use plan_ir::plan::CompiledPlan;
use runtime::view::{Run, RunEventKind, RunState};
use schema::amount::Currency;
use schema::operation::{ObservedCost, OperationDescriptor, Refusals};
use schema::price::PriceBasis;
use schema::types::Type;
use support::server::{Reply, Server};
use support::world::World;
use support::{Builder, CallOptions, operation, per_call, usd};

/// A subnet whose price is 100 micro-USD and whose answers say that they cost `charge` USD.
async fn charging(charge: &'static str) -> Server {
    Server::start(move |_| Reply { cost: Some(charge.into()), ..Reply::answer("fine") }).await
}

/// Two calls, one after the other, under a budget of 10,000 micro-USD.
fn two_calls(server: &Server) -> CompiledPlan {
    let observed_cost = Some(ObservedCost::Header { name: "x-cost".into(), currency: Currency::MicroUsd });
    let operation = operation("sn1.echo", &server.url, per_call(100), true);
    let mut b = Builder::new(
        Some(usd(10_000)),
        Some(60_000_000),
        &[OperationDescriptor { observed_cost, ..operation }],
    );
    let arg = b.text("hello");
    let first = b.call("first", arg, &CallOptions::to(0), &[]);
    let arg = b.text("again");
    let second = b.call("second", arg, &CallOptions::to(0), &[first]);
    b.finish(second, Type::STRING)
}

#[tokio::test]
async fn a_charge_above_the_agreed_is_booked_shown_and_counted() {
    let server = charging("0.9").await;
    let world = World::in_memory();
    let run = world.run(two_calls(&server)).await;
    // The answer was taken; what is left of the budget admits no second call.
    assert_eq!((run.state, server.count()), (RunState::Failed, 1));
    assert_eq!(run.error.as_ref().unwrap().code, "E1401");
    assert_eq!((run.total, run.total_certain), (usd(900_000), true));
    let row = &run.costs[0];
    assert_eq!((row.label.as_str(), row.cost, row.basis), ("first", usd(900_000), PriceBasis::Observed));
    assert!(row.charged_above_agreed);
    let events = world.events(run.id, 0).await;
    let done = events.iter().find(|event| event.kind == RunEventKind::AttemptDone).unwrap();
    assert_eq!(done.message, "[E1406] charged 0.9 USD, above the agreed 0.0001 USD");
    assert_eq!(done.spent, usd(900_000));
    world.proof(&run).await;
}

#[tokio::test]
async fn a_charge_is_above_the_agreed_from_the_next_unit_on() {
    for (charge, above) in [("0.0001", false), ("0.000101", true)] {
        let server = charging(charge).await;
        let world = World::in_memory();
        let run = world.run(two_calls(&server)).await;
        assert_eq!(run.state, RunState::Succeeded);
        assert!(run.costs.iter().all(|row| row.charged_above_agreed == above), "{charge}");
        let events = world.events(run.id, 0).await;
        assert_eq!(events.iter().any(|event| event.message.contains("E1406")), above, "{charge}");
    }
}

#[tokio::test]
async fn a_charge_that_cannot_be_read_is_told_and_booked_as_one_that_is_missing() {
    for (charge, why) in [
        ("free", "is no decimal number"),
        ("-0.5", "is negative"),
        ("10000.01", "is above 10,000 TAO or USD"),
    ] {
        let server = charging(charge).await;
        let world = World::in_memory();
        let run = world.run(two_calls(&server)).await;
        assert_eq!((run.state, run.total), (RunState::Succeeded, usd(200)), "{charge}");
        assert!(run.costs.iter().all(|row| row.basis == PriceBasis::Known));
        let events = world.events(run.id, 0).await;
        let done = events.iter().find(|event| event.kind == RunEventKind::AttemptDone).unwrap();
        let told = format!("[E1408] the charge that is stated cannot be read: the header `x-cost` {why}");
        assert_eq!((done.operation.as_str(), &done.message), ("sn1.echo", &told));
        world.proof(&run).await;
    }
    // One that is not there is nothing to tell.
    let server = Server::start(|_| Reply::answer("fine")).await;
    let world = World::in_memory();
    let run = world.run(two_calls(&server)).await;
    assert_eq!((run.state, run.total), (RunState::Succeeded, usd(200)));
    assert!(world.events(run.id, 0).await.iter().all(|event| event.message.is_empty()));
}

/// One call that may be repeated twice, of a peer that answers with `status`.
async fn turned_away(status: u16, refusals: Refusals, cost: Option<&'static str>) -> (World, Run) {
    let server = Server::start(move |_| Reply { cost: cost.map(Into::into), ..Reply::status(status) }).await;
    let observed_cost = Some(ObservedCost::Header { name: "x-cost".into(), currency: Currency::MicroUsd });
    let operation = operation("sn1.echo", &server.url, per_call(100), true);
    let operation = OperationDescriptor { observed_cost, refusals, ..operation };
    let mut b = Builder::new(Some(usd(10_000)), Some(60_000_000), &[operation]);
    let arg = b.text("hello");
    let only = b.call("only", arg, &CallOptions::to(0), &[]);
    let world = World::in_memory();
    let run = world.run(b.finish(only, Type::STRING)).await;
    assert_eq!((run.state, server.count()), (RunState::Failed, 1), "{status}");
    (world, run)
}

#[tokio::test]
async fn a_request_that_is_turned_away_costs_nothing_unless_its_entry_says_so() {
    for status in [401, 402, 403, 407, 429] {
        let (world, run) = turned_away(status, Refusals::Free, None).await;
        let row = &run.costs[0];
        assert_eq!((row.attempts, row.cost, row.basis), (1, usd(0), PriceBasis::Known), "{status}");
        assert!(run.total_certain);
        world.proof(&run).await;
        let (_, run) = turned_away(status, Refusals::Charged, None).await;
        assert_eq!((run.total, run.costs[0].basis), (usd(100), PriceBasis::Assumed), "{status}");
        // What the peer says it charged is what it charged.
        let (_, run) = turned_away(status, Refusals::Free, Some("0.00003")).await;
        assert_eq!((run.total, run.costs[0].basis), (usd(30), PriceBasis::Observed), "{status}");
    }
    // What failed on its way, or was refused for what it says, may have been work.
    for status in [400, 404, 422, 500, 503] {
        let (_, run) = turned_away(status, Refusals::Free, None).await;
        assert_eq!((run.total, run.costs[0].basis), (usd(100), PriceBasis::Assumed), "{status}");
    }
}
