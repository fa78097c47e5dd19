//! Answers in pages and by tasks: what they cost, and what stays within the bound.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use plan_compiler::{Options, Source, compile};
use plan_ir::plan::CompiledPlan;
use runtime::view::{Run, RunState};
use schema::amount::{Amount, Currency};
use schema::lock::Lock;
use schema::operation::{ObservedCost, OperationDescriptor};
use schema::price::PriceRule;
use serde_json::{Value, json};
use store::Memory;
use support::server::{Reply, Server};
use support::world::{World, services};
use support::{operation, per_call, usd};

fn entry(server: &Server, name: &str, output: Value, delivery: Value) -> OperationDescriptor {
    OperationDescriptor {
        input: json!({ "type": "object", "required": ["q"],
            "properties": { "q": { "type": "string" }, "cursor": { "type": "string" } } }),
        output,
        delivery: serde_json::from_value(delivery).unwrap(),
        ..operation(name, &server.url, per_call(100), true)
    }
}

fn listing(server: &Server) -> OperationDescriptor {
    let output = json!({ "type": "object", "required": ["items"],
        "properties": { "items": { "type": "array", "items": { "type": "integer" } }, "next": { "type": "string" } } });
    let next = json!({ "by": "cursor", "parameter": "cursor", "from": "/next" });
    entry(server, "sn1.list", output, json!({ "kind": "pages", "items": "/items", "next": next }))
}

/// The plan `main` with a call of `list` under `policy`, and the most it can cost.
fn plan(operation: OperationDescriptor, policy: &str, value: &str) -> (CompiledPlan, Amount) {
    let name = operation.id.split_once('.').unwrap().1.to_owned();
    let lock = Lock::pin(schema::hash::Hash::default(), None, [operation], []).unwrap();
    let text = format!(
        "edition 2026\nuse sn1 {{ {name} }}\nplan main() -> Int with {{ budget: 0.001USD, deadline: 60s }} {{\n  \
         let got = call {name}(q: \"x\") with {{ timeout: 20s, {policy} }}\n  return {value}\n}}\n"
    );
    let compilation = compile(&Source { name: "pages.orch", text: &text }, &lock, &Options::default());
    assert!(!compilation.has_errors(), "{:#?}", compilation.diagnostics);
    let (plan, bound) = compilation.plan("main").unwrap();
    (plan.clone(), bound.cost)
}

/// Three pages of two numbers each.
async fn pages() -> Server {
    let asked = AtomicU32::new(0);
    Server::start(move |_| {
        let page = asked.fetch_add(1, Ordering::SeqCst) % 3;
        let next = (page < 2).then(|| format!("after {page}"));
        Reply { body: json!({ "items": [page, page], "next": next }).to_string(), ..Reply::answer("") }
    })
    .await
}

fn result(run: &Run) -> &str {
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.error);
    run.result_json.as_deref().unwrap()
}

#[tokio::test]
async fn each_page_that_is_read_is_charged_and_all_that_may_be_are_in_the_bound() {
    for (policy, bound, count, cost) in [
        ("retry: { max: 0 }", 100, "2", 100),
        ("page: { max: 2 }", 200, "4", 200),
        // What is reserved for pages that do not come is given back.
        ("page: { max: 9 }", 900, "6", 300),
    ] {
        let server = pages().await;
        let world = World::in_memory();
        let (plan, most) = plan(listing(&server), policy, "got.items.len()");
        let run = world.run(plan).await;
        assert_eq!((result(&run), run.total, most), (count, usd(cost), usd(bound)), "{policy}");
        assert_eq!((run.costs[0].calls, run.costs[0].attempts), (1, 1));
        world.proof(&run).await;
    }
}

/// As its entry prices it.
#[tokio::test]
async fn statistics_are_told_what_a_page_costs() {
    let asked = AtomicU32::new(0);
    let server = Server::start(move |_| {
        let page = asked.fetch_add(1, Ordering::SeqCst);
        let next = (page < 2).then(|| format!("after {page}"));
        let body = json!({ "items": [page], "next": next }).to_string();
        Reply {
            body,
            cost: Some(["0.00003", "0.00001", "0.00001"][page as usize].into()),
            ..Reply::answer("")
        }
    })
    .await;
    let observed_cost = Some(ObservedCost::Header { name: "x-cost".into(), currency: Currency::MicroUsd });
    let (plan, _) = plan(
        OperationDescriptor { observed_cost, ..listing(&server) },
        "page: { max: 3 }",
        "got.items.len()",
    );
    let (samples, mut told) = tokio::sync::mpsc::channel(1);
    let services = runtime::Services { samples: Some(samples), ..services(Arc::new(Memory::new())) };
    let run = World::with(runtime::Options::default(), services).run(plan).await;
    assert_eq!((result(&run), run.total), ("3", usd(50)));
    assert_eq!(told.recv().await.unwrap().cost, Some(usd(17)));
}

#[tokio::test]
async fn a_kept_answer_serves_only_as_many_pages_as_it_was_asked_for() {
    let server = pages().await;
    let world = World::in_memory();
    let mut runs = Vec::new();
    for pages in [3, 3, 1] {
        let policy = format!("cache: 1h, page: {{ max: {pages} }}");
        let run = world.run(plan(listing(&server), &policy, "got.items.len()").0).await;
        runs.push((result(&run).to_owned(), run.total.units));
    }
    assert_eq!(runs, [("6".into(), 300), ("6".into(), 0), ("2".into(), 100)]);
}

#[tokio::test]
async fn a_task_is_charged_once_however_often_it_is_asked_after() {
    let asked = AtomicU32::new(0);
    let server = Server::start(move |_| {
        let body = match asked.fetch_add(1, Ordering::SeqCst) {
            0 => json!({ "id": 7 }),
            1 | 2 => json!({ "state": "running" }),
            _ => json!({ "state": "done", "n": 42 }),
        };
        Reply { body: body.to_string(), ..Reply::answer("") }
    })
    .await;
    let output = json!({ "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } });
    let task = json!({ "kind": "task", "id": "/id", "path": "/tasks/{id}", "state": "/state",
        "done": ["done"], "failed": ["failed"], "every_ms": 3_600_000 });
    let operation = entry(&server, "sn1.make", output, task);
    let price = PriceRule::PerCall { amount: usd(250) };
    let (plan, most) =
        plan(OperationDescriptor { price, ..operation }, "poll: { every: 1ms, max: 9 }", "got.n");
    let world = World::in_memory();
    let run = world.run(plan).await;
    assert_eq!((result(&run), run.total, most), ("42", usd(250), usd(250)));
    world.proof(&run).await;
}
