//! Random plans with the bounds they must keep.

use plan_ir::graph::NodeId;
use plan_ir::plan::{CompiledPlan, HedgeAfter, Poll, Tolerance};
use proptest::prelude::*;
use schema::amount::{Amount, Currency, Rate};
use schema::delivery::{Delivery, NextPage, Pages, Task};
use schema::operation::{LatencyFigures, OperationDescriptor};
use schema::price::PriceRule;
use schema::types::Type;
use schema::value::Value;

use super::{Builder, CallOptions, FallbackOptions, LoopOptions, operation, per_call, usd};

/// A plan before it is built.
#[derive(Clone, Debug)]
pub enum Item {
    Call { options: CallOptions, after: Vec<prop::sample::Index> },
    For { count: usize, options: LoopOptions, body: Vec<Item>, after: Vec<prop::sample::Index> },
    If { taken: bool, then: Vec<Item>, otherwise: Vec<Item>, after: Vec<prop::sample::Index> },
    Sub { budget: Option<Amount>, deadline_us: Option<u64>, body: Vec<Item> },
    Ensure { holds: bool },
}

/// What is rounded up when it becomes micro-dollars.
const RATE: Rate = Rate { micro_usd_per_tao: 1_500_000_000 };

/// A budget in either currency.
fn purse(units: std::ops::Range<u64>) -> impl Strategy<Value = Amount> {
    let currency = prop_oneof![3 => Just(Currency::MicroUsd), 1 => Just(Currency::Rao)];
    (units, currency).prop_map(|(units, currency)| Amount::new(units, currency))
}

pub fn calls() -> impl Strategy<Value = CallOptions> {
    let fallback = prop_oneof![
        3 => Just(None),
        1 => Just(Some(FallbackOptions::Value("stands in".into()))),
        1 => (0..4_u32, prop::option::weighted(0.3, purse(50..1_000))).prop_map(|(op, budget)| {
            let options = CallOptions { max_price: Some(usd(500)), budget, ..CallOptions::to(op) };
            Some(FallbackOptions::Call(Box::new(options)))
        }),
    ];
    let operations = prop::collection::vec(0..OPERATIONS, 1..3);
    let after = prop_oneof![(1_000..30_000_u64).prop_map(HedgeAfter::Us), Just(HedgeAfter::P95)];
    let hedge = prop::option::weighted(0.3, (after, 1..3_u32));
    let poll = (prop::option::of(500..10_000_u64), prop::option::of(1..6_u32))
        .prop_map(|(every_us, max)| Poll { every_us, max });
    let votes = prop::option::weighted(0.2, (2..5_u32, 1..4_u32, any::<bool>()));
    let votes = votes.prop_map(|votes| votes.map(|(of, need, early)| (of, need.min(of), early)));
    let budget = prop::option::weighted(0.2, purse(50..2_000));
    let cache = prop::option::weighted(0.2, Just(1_000_000));
    let policies = (hedge, votes, budget, cache, 1..4_u32, poll);
    (operations, 1..50_u64, 0..3_u32, 0..20_u64, any::<bool>(), fallback, policies).prop_map(
        |(
            operations,
            timeout,
            retries,
            backoff,
            refuse,
            fallback,
            (hedge, quorum, budget, cache_us, pages, poll),
        )| {
            CallOptions {
                hedge,
                quorum,
                budget,
                pages,
                poll,
                // What votes agree on is not kept, and a fallback would have to be a vote as well.
                cache_us: cache_us.filter(|_| quorum.is_none()),
                operations,
                timeout_us: timeout * 1_000,
                retries,
                backoff_us: backoff * 1_000,
                max_price: Some(usd(500)),
                refuse: refuse.then(|| "refused".into()),
                fallback: fallback.filter(|_| quorum.is_none()),
                ..CallOptions::to(0)
            }
        },
    )
}

fn after() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    prop::collection::vec(any::<prop::sample::Index>(), 0..3)
}

pub fn items() -> impl Strategy<Value = Vec<Item>> {
    let leaf = prop_oneof![
        6 => (calls(), after()).prop_map(|(options, after)| Item::Call { options, after }),
        1 => prop::bool::weighted(0.9).prop_map(|holds| Item::Ensure { holds }),
    ];
    let tree = leaf.prop_recursive(3, 24, 4, |inner| {
        let body = prop::collection::vec(inner, 1..4);
        let tolerate = prop_oneof![
            Just(Tolerance::Count(0)),
            (0..3_u32).prop_map(Tolerance::Count),
            Just(Tolerance::BasisPoints(5_000)),
            Just(Tolerance::All)
        ];
        let budget = prop::option::weighted(0.3, purse(50..3_000));
        let options = (prop::option::of(1..4_u32), tolerate, any::<bool>(), budget).prop_map(
            |(concurrency, tolerate, keep, budget)| LoopOptions { concurrency, tolerate, keep, budget },
        );
        prop_oneof![
            (0..5_usize, options, body.clone(), after())
                .prop_map(|(count, options, body, after)| Item::For { count, options, body, after }),
            (any::<bool>(), body.clone(), body.clone(), after())
                .prop_map(|(taken, then, otherwise, after)| Item::If { taken, then, otherwise, after }),
            (prop::option::of(purse(100..5_000)), prop::option::of(1_000..200_000_u64), body)
                .prop_map(|(budget, deadline_us, body)| Item::Sub { budget, deadline_us, body }),
        ]
    });
    prop::collection::vec(tree, 1..5)
}

/// How many [`operations`] there are.
pub const OPERATIONS: u32 = 7;

/// Operations with known prices, one of them not safe to repeat, one whose answer comes in pages and one whose answer is
/// a task, a free one, one of unknown price, and one with a price in TAO. Of two it is known how long they take.
pub fn operations() -> Vec<OperationDescriptor> {
    let url = "https://subnet.example";
    let next = NextPage::Offset { parameter: "q".into() };
    let pages = Delivery::Pages(Pages { items: String::new(), next });
    let task = Delivery::Task(Task {
        id: "/id".into(),
        path: "/tasks/{id}".into(),
        state: "/state".into(),
        done: vec!["done".into()],
        failed: vec![],
        result_path: None,
        result: "/result".into(),
        every_ms: 4,
    });
    let latency = |latency_ms_p95: u32| {
        let (latency_ms_p50, latency_ms_p99) = (latency_ms_p95 / 2, latency_ms_p95 * 2);
        Some(LatencyFigures { latency_ms_p50, latency_ms_p95, latency_ms_p99, samples: 100 })
    };
    vec![
        OperationDescriptor { latency: latency(10), ..operation("sn1.cheap", url, per_call(100), true) },
        operation("sn1.dear", url, per_call(400), false),
        operation("sn1.free", url, PriceRule::Free, true),
        operation("sn1.unknown", url, PriceRule::Unknown, true),
        OperationDescriptor { delivery: Some(pages), ..operation("sn1.volumes", url, per_call(150), true) },
        operation("sn1.wares", url, PriceRule::PerCall { amount: Amount::new(67, Currency::Rao) }, true),
        OperationDescriptor {
            delivery: Some(task),
            latency: latency(25),
            ..operation("sn1.works", url, per_call(120), true)
        },
    ]
}

/// What is measured of each operation, if anything: when 95 of 100 of its answers are there, milliseconds.
pub fn measured() -> impl Strategy<Value = Vec<Option<u32>>> {
    prop::collection::vec(prop::option::of(1..60_u32), OPERATIONS as usize)
}

pub fn build(items: &[Item], budget: Option<u64>, deadline_us: Option<u64>) -> CompiledPlan {
    let mut builder = Builder::new(budget.map(usd), deadline_us, &operations());
    let result = block(&mut builder, items, None);
    let mut plan = builder.finish(result, Type::STRING);
    plan.body.rate = Some(RATE);
    plan
}

/// Adds the items of one block; its value reads all of theirs.
fn block(b: &mut Builder, items: &[Item], element_of: Option<NodeId>) -> NodeId {
    let mut gate: Vec<NodeId> = vec![];
    let mut values: Vec<NodeId> = vec![];
    for item in items {
        add(b, item, element_of, &mut gate, &mut values);
    }
    let done = b.text("done");
    let parents: Vec<_> = values.iter().chain(&gate).copied().collect();
    b.pure("value", done, &parents)
}

fn add(
    b: &mut Builder,
    item: &Item,
    element_of: Option<NodeId>,
    gate: &mut Vec<NodeId>,
    values: &mut Vec<NodeId>,
) {
    let chosen = |after: &[prop::sample::Index], gate: &[NodeId], values: &[NodeId]| {
        let mut parents = gate.to_vec();
        if !values.is_empty() {
            parents.extend(after.iter().map(|index| *index.get(values)));
        }
        parents
    };
    match item {
        Item::Call { options, after } => {
            let arg = match element_of {
                Some(fan_out) => b.item(fan_out),
                None => b.text("question"),
            };
            let parents = chosen(after, gate, values);
            values.push(b.call("call", arg, options, &parents));
        }
        Item::For { count, options, body, after } => {
            let parents = chosen(after, gate, values);
            let list = b.texts(*count);
            values.push(b.fan_out("loop", list, options, &parents, |b, id| block(b, body, Some(id))));
        }
        Item::If { taken, then, otherwise, after } => {
            let parents = chosen(after, gate, values);
            let condition = b.constant(Value::Bool(*taken), Type::Bool);
            values.push(b.branch(
                "choice",
                condition,
                &parents,
                vec![Box::new(|b| block(b, then, element_of)), Box::new(|b| block(b, otherwise, element_of))],
            ));
        }
        Item::Sub { budget, deadline_us, body } => {
            b.scope("sub", *budget, *deadline_us, |b| {
                for item in body {
                    add(b, item, element_of, gate, values);
                }
            });
        }
        Item::Ensure { holds } => {
            let condition = b.constant(Value::Bool(*holds), Type::Bool);
            let parents = gate.clone();
            gate.push(b.ensure(condition, "a condition", &parents));
        }
    }
}
