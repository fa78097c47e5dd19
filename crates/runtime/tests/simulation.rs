//! The scheduler on virtual time: random plans, random schedules, random crashes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, reason = "tests")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use plan_ir::plan::{CallSpec, CompiledPlan, Fallback, HedgeAfter, NodeBody};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{RngSeed, TestRunner};
use runtime::core::{End, Event, Given, Prepared, Send};
use schema::delivery::Delivery;
use schema::error::CallErrorKind;
use schema::route::Route;
use support::random::{Item, build, calls, items, measured};
use support::simulator::{Answer, Random, START_US, Simulation};
use support::{CallOptions, prepared};

/// Anything that can happen to an attempt, chosen by the seed.
fn chaos(random: &mut Random, plan: &Prepared, send: &Send) -> Answer {
    let after_us = random.below(60_000);
    let result = match random.below(12) {
        0 => return None,
        1 => Err(CallErrorKind::Unavailable),
        2 => Err(CallErrorKind::RateLimited),
        3 => Err(CallErrorKind::Rejected),
        4 => Err(CallErrorKind::Invalid),
        5 => Err(CallErrorKind::Unauthorized),
        6 => Ok("refused"),
        _ => Ok("fine"),
    };
    // A peer that charges more than it said is the budget's business, tested there.
    let charge = (random.below(4) == 0).then(|| random.below(send.reserved.units + 1));
    let Some(task) = task(plan, send) else { return Some((after_us, result, charge)) };
    let (after_us, result) = asked_after(random, &task, result);
    Some((after_us, result, charge))
}

/// A task that a request creates: how it is asked after.
struct Asked {
    every_us: u64,
    max: Option<u32>,
    timeout_us: u64,
}

/// What the policy of a call says of the task that it orders, where it orders one.
fn task(plan: &Prepared, send: &Send) -> Option<Asked> {
    let operation = plan.operations().nth(send.operation as usize)?;
    let Some(Delivery::Task(task)) = &operation.delivery else { return None };
    let spec = call(&plan.plan, send)?;
    let every_us = spec.poll.every_us.unwrap_or(u64::from(task.every_ms) * 1_000);
    Some(Asked { every_us, max: spec.poll.max, timeout_us: spec.timeout_us })
}

/// The call that is sent: as written, or one of its fallbacks.
fn call<'p>(plan: &'p CompiledPlan, send: &Send) -> Option<&'p CallSpec> {
    let NodeBody::Call(spec) = &plan.body.nodes[send.node.0 as usize] else { return None };
    (0..send.level).try_fold(&**spec, |spec, _| match &spec.fallback {
        Some(Fallback::Call(next)) => Some(&**next),
        _ => None,
    })
}

/// When a task is done or given up, and what then is known: it is asked after in turns of some length until it is done,
/// as often as its policy says and while there is time for another turn.
fn asked_after(
    random: &mut Random,
    task: &Asked,
    done: Result<&'static str, CallErrorKind>,
) -> (u64, Result<&'static str, CallErrorKind>) {
    let turns = 1 + random.below(8);
    let mut now_us = random.below(3_000);
    for asked in 0..turns {
        let is_last = task.max.is_some_and(|max| asked >= u64::from(max));
        if is_last || task.timeout_us.saturating_sub(now_us) <= task.every_us {
            return (now_us, Err(CallErrorKind::Timeout));
        }
        now_us += task.every_us + random.below(500);
    }
    (now_us, done)
}

fn check_invariants(
    simulation: &Simulation,
    budget: Option<u64>,
    crashes: bool,
) -> Result<(), TestCaseError> {
    let finished = simulation.finished.as_ref();
    prop_assert!(finished.is_some(), "every run ends");
    let finished = finished.unwrap();
    prop_assert_eq!(simulation.core.in_flight().count(), 0);
    prop_assert_eq!(simulation.core.reserved().units, 0, "every reservation is settled");
    let summed: u64 = finished.costs.iter().map(|row| row.cost.units).sum();
    prop_assert_eq!(finished.total.units, summed);
    if let Some(budget) = budget {
        prop_assert!(finished.total.units <= budget, "{} > {budget}", finished.total.units);
    }
    let attempts: u32 = finished.costs.iter().map(|row| row.attempts).sum();
    prop_assert!(attempts as usize <= simulation.sent.len());
    if !crashes {
        // Attempts that were given up before they were handed out are settled too, at no cost.
        prop_assert!(simulation.settled() >= simulation.sent.len());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        // `PROPTEST_CASES=10000` makes a long run.
        cases: ProptestConfig::default().cases.max(500),
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_plan_on_any_schedule_ends_within_its_budget_and_deadline(
        items in items(),
        budget in prop::option::of(0..20_000_u64),
        deadline in prop::option::of(1_000..500_000_u64),
        measured in measured(),
        seed in any::<u64>(),
    ) {
        let plan = prepared(build(&items, budget, deadline));
        let bound = plan.bound.clone();
        let mut random = Random::new(seed);
        let routes = measured.into_iter().map(|latency_ms_p95| Route { latency_ms_p95, ..Route::default() });
        let callable = plan.operations().map(|_| true).collect();
        let given = Given { seed: 7, callable, routes: routes.collect(), ..Given::default() };
        let mut simulation = Simulation::with(Arc::clone(&plan), given);
        simulation.run(|send: &Send| chaos(&mut random, &plan, send));
        check_invariants(&simulation, budget, false)?;
        let bound = bound.expect("every random plan is bounded");
        prop_assert!(simulation.finished.as_ref().unwrap().total.units <= bound.cost.units);
        prop_assert!(simulation.elapsed_us() <= bound.latency_us, "{} > {}", simulation.elapsed_us(), bound.latency_us);
        if let Some(deadline) = deadline {
            prop_assert!(simulation.elapsed_us() <= deadline);
        }
    }

    #[test]
    fn every_run_can_be_proven(
        items in items(),
        budget in prop::option::of(0..20_000_u64),
        deadline in prop::option::of(1_000..500_000_u64),
        seed in any::<u64>(),
        cancel in prop::option::of(0..20_usize),
    ) {
        let plan = prepared(build(&items, budget, deadline));
        let mut random = Random::new(seed);
        let mut simulation = Simulation::new(Arc::clone(&plan));
        let mut answer = |send: &Send| chaos(&mut random, &plan, send);
        if let Some(cancel) = cancel {
            simulation.turn(vec![Event::Start], &mut answer);
            for _ in 0..cancel {
                simulation.advance(&mut answer);
            }
            simulation.turn(vec![Event::Cancel], &mut answer);
        }
        simulation.run(answer);
        let failures = support::proven(&plan, &simulation);
        prop_assert!(failures.is_empty(), "{failures:?}");
    }

    #[test]
    fn the_same_events_cause_the_same_trace(items in items(), seed in any::<u64>()) {
        let plan = prepared(build(&items, None, None));
        let run = || {
            let mut random = Random::new(seed);
            let mut simulation = Simulation::new(Arc::clone(&plan));
            simulation.run(|send: &Send| chaos(&mut random, &plan, send));
            simulation
        };
        let (first, second) = (run(), run());
        prop_assert_eq!(first.trace(), second.trace());
        first.refold();
    }

    #[test]
    fn crashes_lose_nothing_that_was_journalled(
        items in items(),
        budget in 0..20_000_u64,
        seed in any::<u64>(),
        kills in prop::collection::btree_set(1..40_usize, 1..4),
    ) {
        let plan = prepared(build(&items, Some(budget), None));
        let mut random = Random::new(seed);
        let mut simulation = Simulation::new(Arc::clone(&plan));
        let mut answer = |send: &Send| chaos(&mut random, &plan, send);
        simulation.turn(vec![Event::Start], &mut answer);
        let mut step = 0;
        loop {
            step += 1;
            if kills.contains(&step) && !simulation.core.has_ended() {
                simulation.crash(1_000, &mut answer);
            }
            if !simulation.advance(&mut answer) {
                break;
            }
        }
        check_invariants(&simulation, Some(budget), true)?;
    }

    #[test]
    fn a_cancelled_run_ends_at_once_and_settles_what_it_sent(
        items in items(), seed in any::<u64>(), steps in 0..20_usize,
    ) {
        let plan = prepared(build(&items, None, None));
        let mut random = Random::new(seed);
        let mut simulation = Simulation::new(Arc::clone(&plan));
        let mut answer = |send: &Send| chaos(&mut random, &plan, send);
        simulation.turn(vec![Event::Start], &mut answer);
        for _ in 0..steps {
            simulation.advance(&mut answer);
        }
        let ended = simulation.core.has_ended();
        simulation.turn(vec![Event::Cancel], &mut answer);
        check_invariants(&simulation, None, false)?;
        if !ended {
            prop_assert_eq!(&simulation.finished.as_ref().unwrap().end, &End::Cancelled);
        }
    }

    #[test]
    fn a_node_starts_after_everything_it_waits_for(items in items(), seed in any::<u64>()) {
        let compiled = build(&items, None, None);
        let graph = compiled.graph.clone();
        let mut random = Random::new(seed);
        let plan = prepared(compiled);
        let mut simulation = Simulation::new(Arc::clone(&plan));
        simulation.run(|send: &Send| chaos(&mut random, &plan, send));
        let mut done = BTreeSet::new();
        for fact in &simulation.facts {
            let (node, iteration) = (fact.instance.node, fact.instance.iteration.clone());
            match &fact.kind {
                runtime::core::FactKind::Completed(_) => {
                    done.insert((node, iteration.clone()));
                }
                runtime::core::FactKind::Started => {}
                _ => continue,
            }
            for parent in &graph.node(node).unwrap().parents {
                let seen = (0..=iteration.len()).any(|n| done.contains(&(*parent, iteration[..n].into())));
                prop_assert!(seen, "{node:?} ran before {parent:?}");
            }
        }
    }
}

/// Of one call at a time, what the random plans above are made of: so what is said of any plan is said of these as well.
#[test]
fn random_calls_are_hedged_at_p95_and_order_tasks_that_are_done_or_given_up() {
    let mut runner = TestRunner::deterministic();
    let (mut hedged, mut done, mut given_up) = (0, 0, 0);
    for seed in 0..1_000 {
        let options = calls().new_tree(&mut runner).unwrap().current();
        // Each further request of the call itself is a hedge then.
        let options = CallOptions { retries: 0, quorum: None, ..options };
        let at_p95 = options.hedge.is_some_and(|(after, _)| after == HedgeAfter::P95);
        let plan = prepared(build(&[Item::Call { options, after: vec![] }], None, None));
        let mut random = Random::new(seed);
        let mut simulation = Simulation::new(Arc::clone(&plan));
        simulation.run(|send: &Send| {
            let answer = chaos(&mut random, &plan, send);
            if task(&plan, send).is_some() {
                done += usize::from(matches!(answer, Some((_, Ok(_), _))));
                given_up += usize::from(matches!(answer, Some((_, Err(CallErrorKind::Timeout), _))));
            }
            answer
        });
        hedged += usize::from(at_p95 && simulation.sent.values().filter(|send| send.level == 0).count() > 1);
    }
    assert!(hedged > 5 && done > 20 && given_up > 20, "{hedged} {done} {given_up}");
}

#[test]
fn time_never_goes_back_even_if_events_say_so() {
    let mut builder = support::Builder::new(None, None, &support::random::operations());
    let arg = builder.text("q");
    let call = builder.call("a", arg, &support::CallOptions::to(0), &[]);
    let plan = prepared(builder.finish(call, schema::types::Type::STRING));
    let callable = vec![true; 4];
    let given = Given { inputs: Arc::from([]), seed: 1, callable, ..Given::default() };
    let mut simulation = Simulation::with(plan, given);
    simulation.turn(vec![Event::Start], &mut |_: &Send| None);
    simulation.core.step(5, Event::Tick);
    assert_eq!(simulation.core.now_us(), START_US);
}
