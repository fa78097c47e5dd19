//! Runs of plans that are given as text, on a simulated network.

use std::sync::Arc;

use plan_compiler::{Options, Source, compile};
use plan_ir::bound::Bound;
use runtime::core::{Given, Prepared, Send};
use schema::lock::{Lock, PinnedEntry};
use schema::operation::{LatencyFigures, OperationDescriptor};

use super::simulator::{Answer, Simulation};
use super::{operation, per_call};

pub const MS: u64 = 1_000;

const HEAD: &str = "edition 2026
use sn1 { echo, once, OnceOutput }
policy quick = { timeout: 1s, retry: { max: 1, backoff: 10ms } }

capability ask(q: String(..100)) -> String
adapter sn1.echo as ask { request = { q }
  response = r => r.v }
adapter sn2.echo as ask { request = { q }
  response = r => r.v }
adapter sn3.echo as ask { request = { q }
  response = r => r.v }
";

fn lock(latency: Option<LatencyFigures>) -> Lock {
    let operations = [
        operation("sn1.echo", "https://subnet.example", per_call(100), true),
        operation("sn1.once", "https://subnet.example", per_call(1_000), false),
        operation("sn2.echo", "https://subnet.example", per_call(200), true),
        operation("sn3.echo", "https://subnet.example", per_call(300), true),
    ];
    let mut lock = Lock::empty();
    let operations = operations.map(|operation| OperationDescriptor { latency, ..operation });
    lock.operations = operations.into_iter().map(|d| (d.id.clone(), PinnedEntry::new(d).unwrap())).collect();
    lock
}

fn compiled(text: &str) -> (Arc<Prepared>, Bound) {
    compiled_with(text, &lock(None))
}

fn compiled_with(text: &str, lock: &Lock) -> (Arc<Prepared>, Bound) {
    let text = format!("{HEAD}{text}");
    let compilation = compile(&Source { name: "test.orch", text: &text }, lock, &Options::default());
    assert!(!compilation.has_errors(), "{:#?}", compilation.diagnostics);
    let (plan, bound) = compilation.plan("main").unwrap();
    (Arc::new(Prepared::new(Arc::new(plan.clone())).unwrap()), bound.clone())
}

/// The plan `main` in `text`.
pub fn prepare(text: &str) -> Arc<Prepared> {
    compiled(text).0
}

/// The same, of operations whose entries say this 95th percentile of their latency.
pub fn prepare_with_p95(text: &str, latency_ms_p95: u32) -> Arc<Prepared> {
    let latency_ms_p50 = latency_ms_p95 / 2;
    let figures =
        LatencyFigures { latency_ms_p50, latency_ms_p95, latency_ms_p99: latency_ms_p95, samples: 100 };
    compiled_with(text, &lock(Some(figures))).0
}

/// A simulated run of the plan `main` in `text`; it keeps its bound, and its proof verifies.
pub fn run(text: &str, inputs: &str, answer: impl FnMut(&Send) -> Answer) -> Simulation {
    let (plan, bound) = compiled(text);
    let inputs =
        runtime::inputs::decode(&plan.plan.body.params, &plan.plan.body.types, inputs.as_bytes()).unwrap();
    let callable = vec![true; plan.operations().count()];
    let given = Given { inputs: Arc::clone(&inputs), seed: 7, callable, ..Given::default() };
    let mut simulation = Simulation::with(Arc::clone(&plan), given);
    simulation.run(answer);
    let finished = simulation.finished.as_ref().unwrap();
    assert!(finished.total.units <= bound.cost.units && simulation.elapsed_us() <= bound.latency_us);
    let failures = super::proven_with(&plan, &simulation, &inputs);
    assert!(failures.is_empty(), "{failures:?}");
    simulation
}

pub fn json(simulation: &Simulation) -> String {
    let body = &simulation.core.plan().plan.body;
    schema::encode::to_json(&simulation.value(), &body.output, &body.types).unwrap()
}

pub fn question(send: &Send) -> &str {
    send.request.as_record().unwrap()[0].as_str().unwrap()
}

pub fn fine(_: &Send) -> Answer {
    Some((10 * MS, Ok("fine"), None))
}
