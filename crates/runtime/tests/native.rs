//! Runs whose expressions are native code give what interpreted ones give, proof included.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::sync::Arc;

use plan_compiler::{Options, Source, compile};
use plan_ir::graph::NodeId;
use plan_ir::interp::Evaluators;
use plan_ir::plan::CompiledPlan;
use plan_jit::{Engine, TierLimits, Tiered};
use proof::bundle::Bundle;
use proof::commit::{NodeCommit, Outcome};
use runtime::view::{Run, RunState};
use schema::lock::Lock;
use store::Memory;
use support::world::{TENANT, World, request, services};

const PLAN: &str = r#"edition 2026
record Offer { name: String(..20), price: Int(0..), tags: [String(..10)](..4) }
record Pick { names: String, sum: Int, best: [Offer](..3) }
fn cheap(offers: [Offer](..2000), most: Int) -> [Offer](..2000) = offers.filter(o => o.price <= most)
plan pick(offers: [Offer](..2000), most: Int, by: Int) -> Pick {
  let kept = cheap(offers, most)
  let each = for o in kept.take(3) { "{o.name}: {o.price / by}" }
  ensure each.len() > 0 else "nothing is as cheap as {most}"
  return Pick {
    names: each.join(", "),
    sum: kept.map(o => o.price * 2).sum(),
    best: kept.sort_by(o => o.price).take(3),
  }
}
"#;

fn plan() -> CompiledPlan {
    let compilation = compile(&Source { name: "pick.orch", text: PLAN }, &Lock::empty(), &Options::default());
    assert!(!compilation.has_errors(), "{:#?}", compilation.diagnostics);
    compilation.plan("pick").unwrap().0.clone()
}

fn inputs(most: u32, by: u32) -> String {
    let offer = |i: u32| format!(r#"{{ "name": "offer {i}", "price": {}, "tags": ["a"] }}"#, i * 7919 % 1000);
    let offers: Vec<String> = (0..1_500).map(offer).collect();
    format!(r#"{{ "offers": [{}], "most": {most}, "by": {by} }}"#, offers.join(", "))
}

async fn run(world: &World, inputs: &str) -> Run {
    let id = world.handle.create_run(request(&world.load(plan()), inputs)).await.unwrap();
    world.handle.wait(TENANT, id).await.unwrap()
}

/// What became of each node, as the proof says.
async fn outcomes(world: &World, run: &Run) -> Vec<(NodeId, Vec<u32>, Outcome)> {
    let proof = world.proof(run).await;
    let commits = Bundle::from_bytes(&proof).unwrap().commits;
    let commits = commits.iter().map(|bytes| NodeCommit::from_bytes(bytes).unwrap());
    commits.map(|commit| (commit.node, commit.iteration, commit.outcome)).collect()
}

#[tokio::test]
async fn a_plan_that_comes_again_runs_native_and_gives_the_same() {
    let tiers =
        Tiered::new(Some(Engine::new().unwrap()), TierLimits { heat_steps: 1, ..TierLimits::default() });
    let tiers = Arc::new(tiers.unwrap());
    let log = || Arc::new(Memory::new());
    let evaluators: Arc<dyn Evaluators> = Arc::<Tiered>::clone(&tiers);
    let native = runtime::Services { evaluators: Some(evaluators), ..services(log()) };
    let native = World::with(runtime::Options::default(), native);
    let interpreted = World::over(log());
    let hash = native.load(plan()).prepared.hash;
    assert!(!tiers.has_code(hash), "interpreted at once");
    run(&native, &inputs(600, 1)).await;
    tiers.wait_until_idle();
    assert!(tiers.has_code(hash), "compiled once it was hot");
    // A value, a division by zero in a loop, a condition that fails.
    for (most, by, code) in [(600, 3, None), (999, 1, None), (600, 0, Some("E0802")), (0, 1, None)] {
        let inputs = inputs(most, by);
        let (fast, slow) = (run(&native, &inputs).await, run(&interpreted, &inputs).await);
        assert_eq!((fast.state, &fast.result_json, fast.total), (slow.state, &slow.result_json, slow.total));
        assert_eq!(fast.error, slow.error);
        assert_eq!(fast.error.as_ref().map(|error| error.code.as_str()), code);
        assert_eq!(outcomes(&native, &fast).await, outcomes(&interpreted, &slow).await);
        assert!(code.is_some() || fast.state == RunState::Succeeded);
    }
}
