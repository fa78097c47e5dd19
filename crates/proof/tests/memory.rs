//! A verifier's memory is bounded by the bundle it is given, whatever the bundle claims. One test, for
//! the peak is that of the whole process.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod support;

use std::borrow::Cow;

use peak_alloc::PeakAlloc;
use plan_ir::graph::{Graph, NodeId, NodeKind};
use proof::body::{Field, RunSecret};
use proof::builder::{Closing, NodeRecord, ProofBuilder, Show};
use proof::bundle::{Bundle, Disclosure};
use proof::commit::{Outcome, Times};
use proof::statement::RunResult;
use proof::verify::verify;
use support::{INPUTS, OPENED, Script, control, key, node, opening, plan, policy, prove, region};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What a plan of the most nodes and edges may take on top of four times the bundle.
const PLAN_BYTES: usize = 4 << 20;

fn assert_bounded(name: &str, bytes: &[u8], valid: bool) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let verdict = verify(bytes, &policy());
    let peak = MEMORY.peak_usage() - before;
    assert_eq!(verdict.valid, valid, "{name}: {:?}", verdict.failures);
    println!("{name}: {} bytes, peak {peak}, {:.2} times", bytes.len(), peak as f64 / bytes.len() as f64);
    assert!(peak <= 4 * bytes.len() + PLAN_BYTES, "{name}: {peak} for {} bytes", bytes.len());
}

/// A cancelled run with a loop of `count` elements that never began: the shortest leaves there are.
fn skipped_elements(count: u32) -> Bundle<'static> {
    let graph = Graph {
        nodes: vec![control(NodeKind::FanOut, "f", &[], vec![region(&[1])]), node(NodeKind::Call, "c", &[])],
        root: region(&[0]),
    };
    let (plan, secret) = (plan(&graph), RunSecret::new([5; 32]));
    let opened = opening(INPUTS).open(&plan, &secret, key().public()).unwrap();
    let mut builder = ProofBuilder::new(plan, opened, secret, INPUTS, Show::Nothing).unwrap();
    let times = Times { start_us: OPENED, end_us: OPENED, monotonic_us: 0 };
    builder.record(&NodeRecord::new(NodeId(0), &[], Outcome::FanOut { count }, times)).unwrap();
    let closing = Closing { result: RunResult::Cancelled, output: None, closed_at_us: OPENED };
    builder.finish(&closing, &key()).unwrap()
}

/// As many nodes and edges as a plan may have.
fn largest_graph() -> Graph {
    let parents = |id: u32| (id.saturating_sub(5)..id).collect::<Vec<_>>();
    let nodes = (0..10_000).map(|id| node(NodeKind::Call, "n", &parents(id))).collect();
    Graph { nodes, root: region(&(0..10_000).collect::<Vec<_>>()) }
}

#[test]
fn at_most_four_times_the_bundle() {
    let long = skipped_elements(40_000);
    assert_bounded("shortest leaves", &long.to_bytes(), true);

    let mut loops = support::sample_graph();
    loops.nodes.truncate(4);
    loops.nodes[2] = control(NodeKind::FanOut, "f", &[1], vec![region(&[3])]);
    loops.root = region(&[0, 1, 2]);
    let calls = Script { count: Box::new(|_, _| 20), ..Script::plain() };
    assert_bounded("calls with all content", &prove(&loops, calls, Show::Everything, 1).to_bytes(), true);

    let mut garbage = long.clone();
    garbage.commits = vec![Cow::Owned(vec![0; 64]); 100_000];
    assert_bounded("leaves that are none", &garbage.to_bytes(), false);

    let mut shown = long.clone();
    let disclosure = |ordinal| Disclosure {
        ordinal: Some(ordinal),
        field: Field::Output,
        salt: [0; 32],
        bytes: Cow::Borrowed(b""),
    };
    shown.disclosures = (0..100_000).map(disclosure).collect();
    assert_bounded("content of nothing", &shown.to_bytes(), false);

    let mut large = long.clone();
    large.plan = support::plan_bytes(&largest_graph()).into();
    large.commits.truncate(1);
    assert_bounded("the largest plan", &large.to_bytes(), false);

    // Regions and nodes of a few bytes, far more than a plan can have.
    let mut hostile = long.clone();
    let regions = [0xa1, 0x01, 0x81, 0x00].repeat(1 << 20);
    let head = [0xa5, 1, 1, 2, 0xa2, 1, 0x81, 0xa4, 1, 3, 2, 0x60, 3, 0x80, 4, 0x9a, 0, 0x10, 0, 0];
    hostile.plan = Cow::Owned([&head[..], &regions].concat());
    assert_bounded("regions without end", &hostile.to_bytes(), false);
}
