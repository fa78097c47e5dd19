//! Random plans, and runs of them that know nothing of how leaves are ordered.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod attested;
pub(crate) mod cases;
pub(crate) mod forge;

use std::collections::BTreeMap;
use std::sync::Arc;

use plan_ir::bytes::node_bytes;
use plan_ir::graph::{Graph, Node, NodeId, NodeKind, Region};
use plan_ir::plan::{IR_VERSION, LIBRARY_VERSION};
use proof::attempt::Attempt;
use proof::body::RunSecret;
use proof::builder::{Closing, Contents, NodeRecord, Opening, PeerRecord, ProofBuilder, ProofPlan, Show};
use proof::bundle::Bundle;
use proof::commit::{Kind, OperationRef, Outcome, Times};
use proof::cost::{Cost, Money};
use proof::key::RuntimeKey;
use proof::statement::RunResult;
use proof::verify::TrustPolicy;
use schema::error::CallErrorKind;
use schema::hash::Hash;
use schema::ocb::{Item, MapBuilder, Profile};
use schema::price::PriceBasis;

/// When every run of the tests opens, microseconds.
pub(crate) const OPENED: u64 = 1_790_000_000_000_000;

/// SplitMix64: the same numbers everywhere for the same seed.
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

pub(crate) fn key() -> RuntimeKey {
    RuntimeKey::from_seed(&[42; 32])
}

pub(crate) fn policy() -> TrustPolicy {
    TrustPolicy::of_key(key().public(), "tests")
}

/// A node without regions.
pub(crate) fn node(kind: NodeKind, label: &str, parents: &[u32]) -> Node {
    control(kind, label, parents, Vec::new())
}

pub(crate) fn control(kind: NodeKind, label: &str, parents: &[u32], regions: Vec<Region>) -> Node {
    Node { kind, label: label.into(), parents: parents.iter().copied().map(NodeId).collect(), regions }
}

/// A region whose result is its last node.
pub(crate) fn region(nodes: &[u32]) -> Region {
    let nodes: Vec<NodeId> = nodes.iter().copied().map(NodeId).collect();
    Region { result: nodes.last().copied(), nodes }
}

pub(crate) fn plan(graph: &Graph) -> Arc<ProofPlan> {
    Arc::new(ProofPlan::new(plan_bytes(graph)).unwrap())
}

/// A compiled plan with this graph and a body that only a runtime would open.
pub(crate) fn plan_bytes(graph: &Graph) -> Vec<u8> {
    let ids = |region: &Region| Item::array(region.nodes.iter().map(|id| id.0.into()));
    let nodes = graph.nodes.iter().map(node_bytes).map(|bytes| Item::decode(&bytes, Profile::Proof).unwrap());
    let result = graph.root.result.map(|id| id.0);
    let root = MapBuilder::new().with(1, ids(&graph.root)).with_some(2, result).build();
    let graph = MapBuilder::new().with(1, Item::array(nodes)).with(2, root).build();
    let plan = MapBuilder::new().with(1, IR_VERSION).with(2, graph).with(3, vec![0xbd; 16]);
    let plan = plan.with(4, LIBRARY_VERSION).with(5, Hash([7; 32]));
    plan.build().encode(Profile::Proof).unwrap()
}

/// A random well-formed graph of about `size` nodes.
pub(crate) fn random_graph(rng: &mut Rng, size: u64) -> Graph {
    let mut nodes = Vec::new();
    let root = random_region(rng, size.max(1), 3, &[], &mut nodes);
    Graph { nodes, root }
}

fn random_region(rng: &mut Rng, size: u64, depth: u64, outside: &[NodeId], nodes: &mut Vec<Node>) -> Region {
    let mut visible = outside.to_vec();
    let mut own = Vec::new();
    for _ in 0..1 + rng.below(size) {
        let id = NodeId(u32::try_from(nodes.len()).unwrap());
        let mut parents: Vec<NodeId> = visible.iter().copied().filter(|_| rng.chance(30)).collect();
        parents.sort_unstable();
        let kind = match rng.below(if depth > 0 { 10 } else { 6 }) {
            0..=2 => NodeKind::Call,
            3 | 4 => NodeKind::Pure,
            5 => NodeKind::Ensure,
            6 | 7 => NodeKind::Branch,
            _ => NodeKind::FanOut,
        };
        nodes.push(Node { kind, label: format!("n{}", id.0), parents, regions: Vec::new() });
        let regions = match kind {
            NodeKind::Branch => 1 + rng.below(3),
            NodeKind::FanOut => 1,
            NodeKind::Pure | NodeKind::Ensure | NodeKind::Call => 0,
        };
        for _ in 0..regions {
            let inner = random_region(rng, size / 2, depth - 1, &visible, nodes);
            nodes[id.0 as usize].regions.push(inner);
        }
        visible.push(id);
        own.push(id);
    }
    Region { result: own.last().copied(), nodes: own }
}

/// What is decided for an instance of a node.
type Decision<'a, T> = Box<dyn FnMut(NodeId, &[u32]) -> T + 'a>;
/// The same, of so many arms.
type ArmDecision<'a> = Box<dyn FnMut(NodeId, &[u32], u32) -> u32 + 'a>;

/// What is decided during a run.
pub(crate) struct Script<'a> {
    /// Whether this instance fails by itself.
    pub(crate) fails: Decision<'a, bool>,
    /// Which of so many arms.
    pub(crate) arm: ArmDecision<'a>,
    /// How many elements.
    pub(crate) count: Decision<'a, u32>,
    /// Whether a loop comes to its value though an element failed.
    pub(crate) tolerates: bool,
}

impl Script<'_> {
    /// Nothing fails, the first arm is taken, every loop has two elements.
    pub(crate) fn plain() -> Self {
        Self {
            fails: Box::new(|_, _| false),
            arm: Box::new(|_, _, _| 0),
            count: Box::new(|_, _| 2),
            tolerates: false,
        }
    }

    pub(crate) fn random(seed: u64) -> Self {
        let roll = move |salt: u64, id: NodeId, at: &[u32]| {
            let start = seed ^ salt.wrapping_mul(0x5851_f42d_4c95_7f2d) ^ u64::from(id.0) << 32;
            at.iter().fold(Rng(start).next(), |state, index| Rng(state ^ u64::from(*index)).next())
        };
        let failing = if seed.is_multiple_of(2) { 0 } else { 8 };
        Self {
            fails: Box::new(move |id, at| roll(1, id, at) % 100 < failing),
            arm: Box::new(move |id, at, arms| (roll(2, id, at) % u64::from(arms)) as u32),
            count: Box::new(move |id, at| (roll(3, id, at) % 4) as u32),
            tolerates: !seed.is_multiple_of(3),
        }
    }
}

/// One instance as the run left it.
#[derive(Clone)]
struct Made {
    node: NodeId,
    iteration: Vec<u32>,
    outcome: Outcome,
    times: Times,
    output: Vec<u8>,
}

/// Runs a graph by recursion over its regions, without the walk that proofs are made with.
struct Run<'g, 's> {
    graph: &'g Graph,
    script: Script<'s>,
    /// Of each node's latest instance, seen from outside: whether it has a value, and when it was over.
    state: BTreeMap<NodeId, (bool, u64)>,
    made: Vec<Made>,
}

impl Run<'_, '_> {
    /// Whether all of the region has values, and when the last of it was over.
    fn region(&mut self, region: &Region, at: &[u32], from: u64) -> (bool, u64) {
        let mut all = (true, from);
        for &id in &region.nodes {
            let node = &self.graph.nodes[id.0 as usize];
            let mut ready = (true, from);
            for parent in &node.parents {
                let (ok, end) = self.state[parent];
                ready = (ready.0 && ok, ready.1.max(end));
            }
            let state = if ready.0 { self.node(id, at, ready.1) } else { (false, ready.1) };
            self.state.insert(id, state);
            all = (all.0 && state.0, all.1.max(state.1));
        }
        all
    }

    fn node(&mut self, id: NodeId, at: &[u32], ready: u64) -> (bool, u64) {
        let graph = self.graph;
        let node = &graph.nodes[id.0 as usize];
        let end = ready + 10 + u64::from(id.0);
        if (self.script.fails)(id, at) {
            self.push(id, at, Outcome::Failed { code: "E1103".into(), join: false }, ready, end, Vec::new());
            return (false, end);
        }
        match node.kind {
            NodeKind::Call | NodeKind::Pure => {
                let (outcome, call) = (Outcome::Pure, node.kind == NodeKind::Call);
                let outcome = if call { Outcome::Call } else { outcome };
                self.push(id, at, outcome, ready, end, value_of(id, at));
                (true, end)
            }
            NodeKind::Ensure => {
                self.push(id, at, Outcome::Ensure, ready, end, vec![0xf5]);
                (true, end)
            }
            NodeKind::Branch => {
                let arm = (self.script.arm)(id, at, u32::try_from(node.regions.len()).unwrap());
                let head = proof::value::number_bytes(u64::from(arm));
                self.push(id, at, Outcome::Branch { arm }, ready, end, head);
                let (ok, inner) = self.region(&node.regions[arm as usize], at, end);
                let result = node.regions[arm as usize].result.unwrap();
                let value = self.output(result, at);
                self.join(id, at, ok, inner, value)
            }
            NodeKind::FanOut => {
                let count = (self.script.count)(id, at);
                let items = (0..count).map(|index| proof::value::number_bytes(u64::from(index))).collect();
                self.push(id, at, Outcome::FanOut { count }, ready, end, list(items));
                let (mut all, mut last, mut values) = (true, end, Vec::new());
                for index in 0..count {
                    let at = [at, &[index]].concat();
                    let (ok, inner) = self.region(&node.regions[0], &at, end);
                    if ok {
                        values.push(self.output(node.regions[0].result.unwrap(), &at));
                    }
                    (all, last) = (all && ok, last.max(inner));
                }
                self.join(id, at, all || self.script.tolerates, last, list(values))
            }
        }
    }

    fn join(&mut self, id: NodeId, at: &[u32], ok: bool, ready: u64, value: Vec<u8>) -> (bool, u64) {
        let end = ready + 1;
        if ok {
            self.push(id, at, Outcome::Join, ready, end, value);
        } else if id.0.is_multiple_of(2) {
            self.push(id, at, Outcome::Failed { code: "E1001".into(), join: true }, ready, end, Vec::new());
        } else {
            // A join nobody recorded becomes a skipped leaf.
            return (false, ready);
        }
        (ok, end)
    }

    fn output(&self, id: NodeId, at: &[u32]) -> Vec<u8> {
        let of = |made: &&Made| made.node == id && made.iteration == at;
        self.made.iter().rev().find(of).map_or_else(Vec::new, |made| made.output.clone())
    }

    fn push(&mut self, node: NodeId, at: &[u32], outcome: Outcome, start: u64, end: u64, output: Vec<u8>) {
        let times = Times { start_us: start, end_us: end, monotonic_us: end - start };
        self.made.push(Made { node, iteration: at.to_vec(), outcome, times, output });
    }
}

fn value_of(id: NodeId, at: &[u32]) -> Vec<u8> {
    let mut text = format!("value of {}{at:?}", id.0).into_bytes();
    text.truncate(23);
    [&[0x60 | u8::try_from(text.len()).unwrap()], &*text].concat()
}

fn list(items: Vec<Vec<u8>>) -> Vec<u8> {
    assert!(items.len() < 24, "short lists only");
    [&[0x80 | u8::try_from(items.len()).unwrap()][..], &items.concat()].concat()
}

pub(crate) fn opening(inputs: &[u8]) -> Opening<'_> {
    Opening {
        run_id: [0x17; 16],
        inputs,
        opened_at_us: OPENED,
        nonce: [9; 32],
        build_hash: Hash([3; 32]),
        ledger: None,
        tenant: None,
        payment_hash: None,
    }
}

/// The inputs of every run of the tests: `{"topic": "x"}`.
pub(crate) const INPUTS: &[u8] = b"\xa1\x65topic\x61x";

/// Runs `graph` and proves it; the order in which records arrive depends on `seed`.
pub(crate) fn prove(graph: &Graph, script: Script<'_>, show: Show, seed: u64) -> Bundle<'static> {
    let mut run = Run { graph, script, state: BTreeMap::new(), made: Vec::new() };
    let (ok, end) = run.region(&graph.root, &[], OPENED);
    let output = run.output(graph.root.result.unwrap(), &[]);
    let plan = plan(graph);
    let secret = RunSecret::new([5; 32]);
    let opened = opening(INPUTS).open(&plan, &secret, key().public()).unwrap();
    let mut builder = ProofBuilder::new(plan, opened, secret, INPUTS, show).unwrap();
    let mut rng = Rng(seed);
    while !run.made.is_empty() {
        let made = run.made.swap_remove(rng.below(run.made.len() as u64) as usize);
        record(graph, &mut builder, &made);
    }
    let failed = RunResult::Failed { code: "E1101".into() };
    let closing = Closing {
        result: if ok { RunResult::Succeeded } else { failed },
        output: ok.then_some(&*output),
        closed_at_us: end + 5,
    };
    builder.finish(&closing, &key()).unwrap()
}

fn record(graph: &Graph, builder: &mut ProofBuilder, made: &Made) {
    let mut record = NodeRecord::new(made.node, &made.iteration, made.outcome.clone(), made.times);
    let has_output = !matches!(made.outcome.kind(), Kind::Fail);
    record.contents = Contents {
        input: Some(b"\xa1\x61q\x03"),
        output: has_output.then_some(&*made.output),
        ..Contents::default()
    };
    let is_call = graph.nodes[made.node.0 as usize].kind == NodeKind::Call;
    let attempts = if is_call { attempts(made) } else { Vec::new() };
    if is_call {
        record.operation = Some(operation(made.node));
        record.ledger_entry = Some(Hash([8; 32]));
        record.contents.request = Some(b"GET /search?q=x");
        record.contents.response = Some(b"{\"hits\":[]}");
        record.attempts = &attempts;
        record.peer = made.node.0.is_multiple_of(3).then_some(PeerRecord {
            scheme: "axon-v10/sr25519",
            key: &[7; 32],
            signature: Some(&[6; 64]),
            signed: Some(b"nonce.hotkey"),
        });
    }
    builder.record(&record).unwrap();
}

fn operation(node: NodeId) -> OperationRef {
    let netuid = 22 + u16::try_from(node.0 % 3).unwrap();
    OperationRef { netuid, id: format!("sn{netuid}.search") }
}

fn attempts(made: &Made) -> Vec<Attempt> {
    let attempt = |error, units, basis| Attempt {
        operation: operation(made.node),
        start_us: made.times.start_us,
        end_us: made.times.end_us,
        error,
        cost: Some(Cost { money: Money { rao: units, micro_usd: units / 3 }, basis }),
    };
    vec![
        attempt(Some(CallErrorKind::Timeout), 0, PriceBasis::Assumed),
        attempt(None, 1_000 + u64::from(made.node.0), PriceBasis::Known),
    ]
}

/// A plan with one of everything: a call, a loop with a branch inside, a gate, a result.
pub(crate) fn sample_graph() -> Graph {
    Graph {
        nodes: vec![
            node(NodeKind::Call, "search", &[]),
            node(NodeKind::Pure, "best", &[0]),
            control(NodeKind::FanOut, "pages", &[1], vec![region(&[3, 4])]),
            node(NodeKind::Call, "scrape", &[0]),
            control(NodeKind::Branch, "long", &[3], vec![region(&[5]), region(&[6, 7])]),
            node(NodeKind::Pure, "whole", &[3]),
            node(NodeKind::Call, "summary", &[3]),
            node(NodeKind::Pure, "short", &[6]),
            node(NodeKind::Ensure, "some", &[2]),
            node(NodeKind::Call, "report", &[2, 8]),
        ],
        root: region(&[0, 1, 2, 8, 9]),
    }
}

pub(crate) fn panic_on(failures: &proof::verify::Verdict) {
    if !failures.valid {
        panic!("{:#?}", failures.failures);
    }
}
