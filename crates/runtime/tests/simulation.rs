//! The scheduler on virtual time: random plans, random schedules, random crashes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, reason = "tests")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use runtime::core::{End, Event, Given, Send};
use schema::error::CallErrorKind;
use support::prepared;
use support::random::{build, items};
use support::simulator::{Answer, Random, START_US, Simulation};

/// Anything that can happen to an attempt, chosen by the seed.
fn chaos(random: &mut Random, send: &Send) -> Answer {
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
    Some((after_us, result, charge))
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
        seed in any::<u64>(),
    ) {
        let plan = prepared(build(&items, budget, deadline));
        let bound = plan.bound.clone();
        let mut random = Random::new(seed);
        let mut simulation = Simulation::new(plan);
        simulation.run(|send: &Send| chaos(&mut random, send));
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
        let mut answer = |send: &Send| chaos(&mut random, send);
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
            simulation.run(|send: &Send| chaos(&mut random, send));
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
        let mut simulation = Simulation::new(plan);
        let mut answer = |send: &Send| chaos(&mut random, send);
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
        let mut simulation = Simulation::new(plan);
        let mut answer = |send: &Send| chaos(&mut random, send);
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
        let mut simulation = Simulation::new(prepared(compiled));
        simulation.run(|send: &Send| chaos(&mut random, send));
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
