//! What peers say they charged.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, reason = "tests")]

mod support;

use plan_ir::plan::CompiledPlan;
use runtime::view::{RunEventKind, RunState};
use schema::amount::Currency;
use schema::operation::{ObservedCost, OperationDescriptor};
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
