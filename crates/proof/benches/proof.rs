//! What a proof costs: making one, per run and per node; checking one of 1,000 nodes; its size.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use plan_ir::bytes::node_bytes;
use plan_ir::graph::{Node, NodeId, NodeKind};
use plan_ir::plan::{IR_VERSION, LIBRARY_VERSION};
use proof::attempt::Attempt;
use proof::body::RunSecret;
use proof::builder::{Closing, Contents, NodeRecord, Opening, PeerRecord, ProofBuilder, ProofPlan, Show};
use proof::bundle::Bundle;
use proof::commit::{OperationRef, Outcome, Times};
use proof::cost::{Cost, Money};
use proof::key::RuntimeKey;
use proof::statement::RunResult;
use proof::verify::{TrustPolicy, verify};
use schema::hash::Hash;
use schema::ocb::{Item, MapBuilder, Profile};
use schema::price::PriceBasis;

const NOW: u64 = 1_790_000_000_000_000;

/// A plan of `count` calls, each of which waits for the two before it.
fn plan(count: u32) -> Arc<ProofPlan> {
    let nodes = (0..count).map(|id| {
        let parents = (id.saturating_sub(2)..id).map(NodeId).collect();
        let node = Node { kind: NodeKind::Call, label: format!("step{id}"), parents, regions: Vec::new() };
        Item::decode(&node_bytes(&node), Profile::Proof).unwrap()
    });
    let nodes = Item::array(nodes);
    let root = MapBuilder::new().with(1, Item::array((0..count).map(Item::from))).with(2, count - 1);
    let graph = MapBuilder::new().with(1, nodes).with(2, root);
    let plan = MapBuilder::new().with(1, IR_VERSION).with(2, graph).with(3, vec![0; 4_096]);
    let plan = plan.with(4, LIBRARY_VERSION).with(5, Hash([7; 32])).build();
    Arc::new(ProofPlan::new(plan.encode(Profile::Proof).unwrap()).unwrap())
}

fn key() -> RuntimeKey {
    RuntimeKey::from_seed(&[42; 32])
}

/// Every call with bodies of `body` bytes, one attempt, a price, and where `peer` a signing peer.
fn prove(plan: &Arc<ProofPlan>, key: &RuntimeKey, body: &[u8], peer: bool) -> Bundle<'static> {
    let secret = RunSecret::new([5; 32]);
    let opening = Opening {
        run_id: [1; 16],
        inputs: b"\xa0",
        opened_at_us: NOW,
        nonce: [9; 32],
        build_hash: Hash([3; 32]),
        ledger: None,
        tenant: None,
        payment_hash: None,
    };
    let opened = opening.open(plan, &secret, key.public()).unwrap();
    let mut builder = ProofBuilder::new(Arc::clone(plan), opened, secret, b"\xa0", Show::Run).unwrap();
    let count = u64::try_from(plan.graph.shape.len()).unwrap();
    for id in 0..count {
        let start = NOW + id * 250_000;
        let times = Times { start_us: start, end_us: start + 250_000, monotonic_us: 249_998 };
        let node = NodeId(u32::try_from(id).unwrap());
        let operation = OperationRef { netuid: 64, id: "sn64.chat_completions".into() };
        let cost = Cost { money: Money { rao: 0, micro_usd: 1_234 }, basis: PriceBasis::Declared };
        let attempt = Attempt {
            operation: operation.clone(),
            start_us: start,
            end_us: start + 250_000,
            error: None,
            cost: Some(cost),
        };
        let mut record = NodeRecord::new(node, &[], Outcome::Call, times);
        record.operation = Some(operation);
        record.ledger_entry = Some(Hash([8; 32]));
        record.contents =
            Contents { input: Some(body), request: Some(body), response: Some(body), output: Some(body) };
        record.attempts = std::slice::from_ref(&attempt);
        record.peer = peer.then_some(PeerRecord {
            scheme: "axon-v10/sr25519",
            key: &[7; 32],
            signature: Some(&[6; 64]),
            signed: None,
        });
        builder.record(&record).unwrap();
    }
    let closing =
        Closing { result: RunResult::Succeeded, output: Some(b"\xa0"), closed_at_us: NOW + count * 250_000 };
    builder.finish(&closing, key).unwrap()
}

fn creation(criterion: &mut Criterion) {
    let key = key();
    let mut group = criterion.benchmark_group("create");
    for nodes in [1, 1_000] {
        let plan = plan(nodes);
        for (name, body) in [("bodies of 64 B", vec![b'x'; 64]), ("bodies of 2 KiB", vec![b'x'; 2_048])] {
            group.bench_function(format!("{nodes} nodes, {name}"), |bencher| {
                bencher.iter(|| prove(&plan, &key, black_box(&body), false));
            });
        }
    }
    let plan = plan(1_000);
    let bundle = prove(&plan, &key, b"x", false);
    group.bench_function("write the file of 1000 nodes", |bencher| bencher.iter(|| bundle.to_bytes()));
    group.finish();
}

fn verification(criterion: &mut Criterion) {
    let key = key();
    let policy = TrustPolicy::of_key(key.public(), "bench");
    let mut group = criterion.benchmark_group("verify");
    for nodes in [1, 1_000] {
        let bytes = prove(&plan(nodes), &key, &[b'x'; 2_048], false).to_bytes();
        assert!(verify(&bytes, &policy).is_attributed());
        group.bench_function(format!("{nodes} nodes"), |bencher| {
            bencher.iter(|| verify(black_box(&bytes), &policy));
        });
    }
    group.finish();
}

fn sizes(_: &mut Criterion) {
    let (key, plan) = (key(), plan(1_000));
    for (name, peer) in [("without", false), ("with", true)] {
        let bundle = prove(&plan, &key, b"x", peer);
        let commits: usize = bundle.commits.iter().map(|commit| commit.len()).sum();
        let file = bundle.to_bytes().len();
        println!(
            "size {name} peer signatures: {} B per node commit, {file} B per 1000 nodes",
            commits / 1_000
        );
    }
    let one = prove(&self::plan(1), &key, b"x", false);
    let file = one.to_bytes().len() - one.plan.len();
    println!("size of a run of one call: {file} B and its plan");
}

/// The figures that the project promises, beside what it promises.
fn aims(_: &mut Criterion) {
    let key = key();
    let (small, large) = (plan(1), plan(1_000));
    let body = vec![b'x'; 2_048];
    let [one, all] =
        [&small, &large].map(|plan| median_us(|| drop(prove(plan, &key, black_box(&body), false))));
    let node = (all - one) / 999.0;
    let sign = median_us(|| {
        black_box(key.sign(proof::key::RUN_TYPE, black_box(&[7; 256])));
    });
    println!(
        "aim  creation, per run:  {:>8.1} us of 80 us (two signatures take {:.1} us)",
        one - node,
        2.0 * sign
    );
    println!("aim  creation, per node: {node:>8.1} us of 12 us");
    let policy = TrustPolicy::of_key(key.public(), "bench");
    let bytes = prove(&large, &key, &body, false).to_bytes();
    let checked = median_us(|| drop(black_box(verify(black_box(&bytes), &policy))));
    println!("aim  verification of 1,000 nodes: {:.2} ms of 5 ms", checked / 1e3);
}

/// Median of 101 rounds.
fn median_us(mut what: impl FnMut()) -> f64 {
    let mut times: Vec<Duration> = (0..101)
        .map(|_| {
            let start = Instant::now();
            what();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times.get(50).map_or(0.0, |time| time.as_secs_f64() * 1e6)
}

fn signing(criterion: &mut Criterion) {
    let key = key();
    let payload = [7_u8; 256];
    let signature = key.sign(proof::key::RUN_TYPE, &payload);
    let public = key.public();
    criterion.bench_function("sign", |bencher| {
        bencher.iter(|| key.sign(proof::key::RUN_TYPE, black_box(&payload)));
    });
    criterion.bench_function("verify strict", |bencher| {
        bencher.iter(|| public.verify(proof::key::RUN_TYPE, black_box(&payload), &signature));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30);
    targets = aims, sizes, signing, creation, verification
}
criterion_main!(benches);
