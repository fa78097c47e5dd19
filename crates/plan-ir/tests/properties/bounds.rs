//! Random plans: a bound never falls when something grows, its parts add up, and no simulated run exceeds
//! it.

use std::collections::BTreeMap;

use crate::generate::Choices;
use crate::generate::plans::plan;
use plan_ir::bound::bound;
use plan_ir::bytes::{decode, decode_outline, encode, plan_hash};
use plan_ir::graph::{NodeId, NodeKind};
use plan_ir::plan::{CallSpec, CompiledPlan, Fallback, Hedge, HedgeAfter, NodeBody, Quorum};
use plan_ir::topology::Topology;
use plan_ir::validate::validate;
use proptest::prelude::*;
use schema::amount::{Amount, Currency};
use schema::types::{DefId, Type};

fn figures(plan: &CompiledPlan) -> (u64, u64) {
    let bound = bound(plan, None).unwrap();
    (bound.cost.units, bound.latency_us)
}

fn calls(plan: &mut CompiledPlan) -> Vec<&mut CallSpec> {
    plan.body
        .nodes
        .iter_mut()
        .filter_map(|body| match body {
            NodeBody::Call(spec) => Some(spec.as_mut()),
            _ => None,
        })
        .collect()
}

/// One run of a plan: calls fail and take time as the numbers say, within what their policies allow.
struct Simulation<'a> {
    plan: &'a CompiledPlan,
    topology: Topology,
    choices: Choices,
    cost: u64,
}

impl Simulation<'_> {
    /// When the last of `nodes` finishes, if they start at `start`.
    fn run(&mut self, nodes: &[NodeId], start: u64, finished: &mut BTreeMap<NodeId, u64>) -> u64 {
        let mut latest = start;
        for id in self.topology.in_completion_order(nodes) {
            let node = self.plan.graph.node(id).unwrap();
            let ready = node.parents.iter().map(|parent| finished[parent]).fold(start, u64::max);
            let finish = match &self.plan.body.nodes[id.0 as usize] {
                NodeBody::Pure(_) | NodeBody::Ensure { .. } | NodeBody::Spent(_) => ready,
                NodeBody::Call(spec) => ready + self.call(spec),
                NodeBody::Branch { .. } => {
                    let arm = self.choices.below(node.regions.len() as u32) as usize;
                    self.run(&node.regions[arm].nodes, ready, &mut finished.clone())
                }
                NodeBody::FanOut { list, concurrency, .. } => {
                    let Type::List(_, length) = &self.plan.body.exprs.types[list.body.0 as usize] else {
                        unreachable!()
                    };
                    let elements = self.choices.below(length.max.unwrap() as u32 + 1);
                    let mut slots = vec![ready; concurrency.unwrap_or(100) as usize];
                    for _ in 0..elements {
                        slots.sort_unstable();
                        slots[0] = self.run(&node.regions[0].nodes, slots[0], &mut finished.clone());
                    }
                    slots.into_iter().fold(ready, u64::max)
                }
            };
            finished.insert(id, finish);
            latest = latest.max(finish);
        }
        latest
    }

    fn call(&mut self, spec: &CallSpec) -> u64 {
        let mut time = 0;
        for attempt in 0..=spec.retry.max {
            if attempt > 0 {
                let jitter = u64::from(self.choices.below(101)) * spec.retry.backoff_us / 100;
                time += (spec.retry.backoff_us << (attempt - 1)) + jitter;
            }
            // Each attempt is charged at most its price: the rule's, else what the plan admits.
            // Every request of a hedged attempt may be sent and is then paid.
            let price = if spec.candidates.iter().any(|candidate| candidate.operation == 1) {
                spec.max_price.unwrap().units
            } else {
                10_000
            };
            let hedges = spec.hedge.map_or(0, |hedge| self.choices.below(hedge.max + 1));
            self.cost += price * u64::from(1 + hedges);
            let percent = *self.choices.one_of(&[100, 0, 50]);
            time += spec.timeout_us * percent / 100;
            if self.choices.below(4) == 3 {
                return time;
            }
        }
        match &spec.fallback {
            Some(Fallback::Call(fallback)) => time + self.call(fallback),
            _ => time,
        }
    }
}

proptest! {
    #![proptest_config(crate::generate::cases(500))]

    #[test]
    fn no_run_costs_or_takes_more_than_the_bound(
        numbers in prop::collection::vec(any::<u32>(), 0..200),
        outcomes in prop::collection::vec(prop::collection::vec(any::<u32>(), 0..400), 1..4),
    ) {
        let plan = plan(numbers);
        let (cost, latency_us) = figures(&plan);
        for outcome in outcomes {
            let topology = Topology::of(&plan.graph).unwrap();
            let mut run = Simulation { plan: &plan, topology, choices: Choices::new(outcome), cost: 0 };
            let time = run.run(&plan.graph.root.nodes, 0, &mut BTreeMap::new());
            prop_assert!(time <= latency_us, "{time} us > {latency_us} us");
            prop_assert!(run.cost <= cost, "{} > {cost}", run.cost);
        }
    }

    #[test]
    fn the_rows_add_up(numbers in prop::collection::vec(any::<u32>(), 0..200)) {
        let mut plan = plan(numbers);
        let result = bound(&plan, None).unwrap();
        let cost: u64 = result.contributors.iter().filter(|row| row.in_cost).map(|row| row.cost.units).sum();
        prop_assert_eq!(cost, result.cost.units);
        // In one round each, the calls of the longest path follow each other without a gap.
        for body in &mut plan.body.nodes {
            if let NodeBody::FanOut { concurrency, list, .. } = body {
                *concurrency = None;
                let Type::List(_, length) = &mut plan.body.exprs.types[list.body.0 as usize] else {
                    unreachable!()
                };
                length.max = length.max.map(|max| max.max(1));
            }
        }
        let result = bound(&plan, None).unwrap();
        let rows = result.contributors.iter().filter(|row| row.in_latency);
        prop_assert_eq!(rows.map(|row| row.latency_us).sum::<u64>(), result.latency_us);
    }

    #[test]
    fn a_bound_never_falls_when_a_call_may_do_more(
        numbers in prop::collection::vec(any::<u32>(), 0..200),
        which in any::<prop::sample::Index>(),
    ) {
        let before = plan(numbers);
        let (cost, latency_us) = figures(&before);
        let grow: [fn(&mut CallSpec); 6] = [
            |spec| spec.retry.max += 1,
            |spec| {
                let max = 1 + spec.hedge.map_or(0, |hedge| hedge.max);
                spec.hedge = Some(Hedge { after: HedgeAfter::P95, max });
            },
            |spec| {
                let of = 1 + spec.quorum.as_ref().map_or(1, |quorum| quorum.of);
                spec.quorum = Some(Quorum { of, need: 1, by: None, early: false, voted: DefId(0) });
            },
            |spec| spec.timeout_us += 1,
            |spec| spec.retry.backoff_us += 1,
            |spec| spec.max_price = spec.max_price.map(|max| Amount::new(max.units + 1, Currency::MicroUsd)),
        ];
        for change in grow {
            let mut after = before.clone();
            let mut calls = calls(&mut after);
            if calls.is_empty() {
                return Ok(());
            }
            let index = which.index(calls.len());
            change(calls[index]);
            let (more_cost, more_latency_us) = figures(&after);
            prop_assert!(more_cost >= cost && more_latency_us >= latency_us);
        }
        let mut longer = before.clone();
        for ty in &mut longer.body.exprs.types {
            if let Type::List(_, length) = ty {
                length.max = length.max.map(|max| max + 1);
            }
        }
        let (more_cost, more_latency_us) = figures(&longer);
        prop_assert!(more_cost >= cost && more_latency_us >= latency_us);
        let mut narrower = before;
        for body in &mut narrower.body.nodes {
            if let NodeBody::FanOut { concurrency, .. } = body {
                *concurrency = Some(1);
            }
        }
        prop_assert!(figures(&narrower).0 == cost && figures(&narrower).1 >= latency_us);
    }

    #[test]
    fn plans_survive_as_bytes(numbers in prop::collection::vec(any::<u32>(), 0..200)) {
        let plan = plan(numbers);
        prop_assert_eq!(validate(&plan), Ok(()));
        let bytes = encode(&plan).unwrap();
        let back = decode(&bytes).unwrap();
        prop_assert_eq!(plan_hash(&encode(&back).unwrap()), plan_hash(&bytes));
        prop_assert_eq!(&decode_outline(&bytes).unwrap().graph, &plan.graph);
        prop_assert_eq!(back, plan);
    }

    #[test]
    fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode(&bytes).is_err());
    }
}

#[test]
fn generated_plans_have_every_kind_of_node() {
    let mut kinds = std::collections::HashSet::new();
    for seed in 0..200_u32 {
        let numbers =
            (0..200).map(|n| (n * 2_654_435_761_u64 + u64::from(seed) * 40_503) as u32 >> 7).collect();
        kinds.extend(plan(numbers).graph.nodes.iter().map(|node| node.kind));
    }
    for kind in [NodeKind::Pure, NodeKind::Ensure, NodeKind::Call, NodeKind::Branch, NodeKind::FanOut] {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
}
