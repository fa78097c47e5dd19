//! The canonical order of leaves and the parents of their locks, spelled out; and graphs that have none.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::convert::Infallible;
use std::fmt::Write as _;

use plan_ir::graph::{Graph, NodeId, NodeKind, Region};
use proof::leaves::{Control, Leaf, Place, WalkError, walk};
use proof::limits::{ITERATION_DEPTH_MAX, LEAVES_MAX, LOCK_PARENTS_MAX};
use proof::shape::{Shape, ShapeError};
use support::{control, node, region, sample_graph};

/// One line per leaf: ordinal, label, place, iteration, and the ordinals of its parents.
fn leaves(graph: &Graph, mut decide: impl FnMut(&Leaf<'_>) -> Control) -> String {
    let mut text = String::new();
    let end = walk::<Infallible>(&Shape::new(graph).unwrap(), |leaf| {
        let label = &graph.node(leaf.node).unwrap().label;
        let place = match leaf.place {
            Place::Node => String::new(),
            Place::Arm(arm) => format!(" arm {arm}"),
            Place::Join => format!(" join of {:?}", leaf.results),
        };
        writeln!(text, "{} {label}{:?}{place} <- {:?}", leaf.ordinal, leaf.iteration, leaf.parents).unwrap();
        Ok(if leaf.place == Place::Node { decide(leaf) } else { Control::None })
    })
    .unwrap();
    writeln!(text, "tails {:?}, result {}", end.tails, end.result).unwrap();
    text
}

fn kind(graph: &Graph, leaf: &Leaf<'_>) -> NodeKind {
    graph.node(leaf.node).unwrap().kind
}

#[test]
fn a_loop_with_a_branch_inside() {
    let graph = sample_graph();
    let text = leaves(&graph, |leaf| match (kind(&graph, leaf), leaf.iteration) {
        (NodeKind::FanOut, _) => Control::Count(2),
        (NodeKind::Branch, [element]) => Control::Arm(*element),
        _ => Control::None,
    });
    // `scrape` reads only a node outside the loop, so the loop's head comes first among its parents;
    // so do the nodes in the arms of `long`.
    let expected = "\
0 search[] <- []
1 best[] <- [0]
2 pages[] <- [1]
3 scrape[0] <- [2, 0]
4 long[0] <- [3]
5 whole[0] <- [4, 3]
6 long[0] arm 1 <- [4]
7 long[0] join of [5] <- [5, 6]
8 scrape[1] <- [2, 0]
9 long[1] <- [8]
10 long[1] arm 0 <- [9]
11 summary[1] <- [9, 8]
12 short[1] <- [11]
13 long[1] join of [12] <- [10, 12]
14 pages[] join of [7, 13] <- [7, 13]
15 some[] <- [14]
16 report[] <- [14, 15]
tails [16], result 16
";
    assert_eq!(text, expected);
}

#[test]
fn a_loop_over_nothing_and_one_that_never_began() {
    let graph = sample_graph();
    let empty = leaves(&graph, |leaf| match kind(&graph, leaf) {
        NodeKind::FanOut => Control::Count(0),
        _ => Control::None,
    });
    let expected = "\
0 search[] <- []
1 best[] <- [0]
2 pages[] <- [1]
3 pages[] join of [] <- [2]
4 some[] <- [3]
5 report[] <- [3, 4]
tails [5], result 5
";
    assert_eq!(empty, expected);
    let never = leaves(&graph, |_| Control::None);
    let expected = "\
0 search[] <- []
1 best[] <- [0]
2 pages[] <- [1]
3 some[] <- [2]
4 report[] <- [2, 3]
tails [4], result 4
";
    assert_eq!(never, expected);
}

#[test]
fn loops_in_loops_with_several_tails() {
    let graph = Graph {
        nodes: vec![
            node(NodeKind::Call, "a", &[]),
            control(NodeKind::FanOut, "outer", &[0], vec![region(&[2, 3])]),
            node(NodeKind::Call, "b", &[]),
            control(NodeKind::FanOut, "inner", &[2], vec![region(&[4, 5, 6])]),
            node(NodeKind::Call, "c", &[0]),
            node(NodeKind::Call, "d", &[2, 4]),
            node(NodeKind::Call, "e", &[]),
        ],
        root: region(&[0, 1]),
    };
    let text = leaves(&graph, |leaf| match (kind(&graph, leaf), leaf.iteration) {
        (NodeKind::FanOut, []) => Control::Count(2),
        (NodeKind::FanOut, [element]) => Control::Count(*element + 1),
        _ => Control::None,
    });
    let expected = "\
0 a[] <- []
1 outer[] <- [0]
2 b[0] <- [1]
3 inner[0] <- [2]
4 c[0, 0] <- [3, 0]
5 d[0, 0] <- [2, 4]
6 e[0, 0] <- [3]
7 inner[0] join of [6] <- [5, 6]
8 b[1] <- [1]
9 inner[1] <- [8]
10 c[1, 0] <- [9, 0]
11 d[1, 0] <- [8, 10]
12 e[1, 0] <- [9]
13 c[1, 1] <- [9, 0]
14 d[1, 1] <- [8, 13]
15 e[1, 1] <- [9]
16 inner[1] join of [12, 15] <- [11, 12, 14, 15]
17 outer[] join of [7, 16] <- [7, 16]
tails [17], result 17
";
    assert_eq!(text, expected);
}

#[test]
fn a_decision_that_the_node_cannot_make_ends_the_walk() {
    let shape = Shape::new(&sample_graph()).unwrap();
    let decide = |at: u32, control: Control| {
        let end = walk::<Infallible>(&shape, |leaf| {
            let one = if leaf.ordinal == 2 { Control::Count(1) } else { Control::None };
            Ok(if leaf.ordinal == at { control } else { one })
        });
        end.map(|_| ())
    };
    assert_eq!(decide(4, Control::Arm(1)), Ok(()));
    assert_eq!(decide(4, Control::Arm(2)), Err(WalkError::Control { ordinal: 4 }));
    assert_eq!(decide(4, Control::Count(1)), Err(WalkError::Control { ordinal: 4 }));
    assert_eq!(decide(2, Control::Arm(0)), Err(WalkError::Control { ordinal: 2 }));
    assert_eq!(decide(0, Control::Count(1)), Err(WalkError::Control { ordinal: 0 }));
    assert_eq!(decide(2, Control::Count(LEAVES_MAX + 1)), Err(WalkError::Leaves));
}

#[test]
fn leaves_and_parents_are_limited() {
    // Two leaves before the elements, one after.
    let graph = |body: &[u32]| Graph {
        nodes: vec![
            node(NodeKind::Pure, "list", &[]),
            control(NodeKind::FanOut, "each", &[0], vec![region(&[2])]),
            node(NodeKind::Pure, "item", body),
        ],
        root: region(&[0, 1]),
    };
    let count = |graph: &Graph, count: u32| {
        let decide = |leaf: &Leaf<'_>| match kind(graph, leaf) {
            NodeKind::FanOut if leaf.place == Place::Node => Control::Count(count),
            _ => Control::None,
        };
        walk::<Infallible>(&Shape::new(graph).unwrap(), |leaf| Ok(decide(leaf))).map(|end| end.leaves)
    };
    let plain = graph(&[]);
    assert_eq!(count(&plain, LEAVES_MAX - 3), Ok(LEAVES_MAX));
    assert_eq!(count(&plain, LEAVES_MAX - 2), Err(WalkError::Leaves));
    // Each of 99 outer values is a parent in each of n bodies: 100 with the head, and 1 of the join.
    let mut wide = Graph { nodes: Vec::new(), root: Region::default() };
    for id in 0..99 {
        wide.nodes.push(node(NodeKind::Pure, "value", &[]));
        wide.root.nodes.push(NodeId(id));
    }
    wide.nodes.push(control(NodeKind::FanOut, "each", &[], vec![region(&[100])]));
    wide.nodes.push(node(NodeKind::Pure, "item", &(0..99).collect::<Vec<_>>()));
    wide.root.nodes.push(NodeId(99));
    wide.root.result = Some(NodeId(99));
    let most = u32::try_from(LOCK_PARENTS_MAX / 101).unwrap();
    assert_eq!(count(&wide, most), Ok(most + 101));
    assert_eq!(count(&wide, most + 1), Err(WalkError::Parents));
}

#[test]
fn graphs_that_no_compiler_makes_are_refused() {
    let check = |change: &dyn Fn(&mut Graph)| {
        let mut graph = sample_graph();
        change(&mut graph);
        Shape::new(&graph).map(|_| ()).unwrap_err()
    };
    let parents = |id: usize, parents: &'static [u32]| {
        move |graph: &mut Graph| graph.nodes[id].parents = parents.iter().copied().map(NodeId).collect()
    };
    let refused = |node, parent| ShapeError::Parent { node, parent };
    assert_eq!(check(&parents(1, &[1])), refused(1, 1), "itself");
    assert_eq!(check(&parents(1, &[2])), refused(1, 2), "later");
    assert_eq!(check(&parents(1, &[99])), refused(1, 99), "unknown");
    assert_eq!(check(&parents(9, &[2, 2])), refused(9, 2), "twice");
    assert_eq!(check(&parents(9, &[8, 2])), refused(9, 2), "not ascending");
    assert_eq!(check(&parents(9, &[3])), refused(9, 3), "inside a loop");
    assert_eq!(check(&parents(3, &[2])), refused(3, 2), "its own loop");
    assert_eq!(check(&parents(5, &[4])), refused(5, 4), "its own branch");
    assert_eq!(check(&parents(7, &[5])), refused(7, 5), "another arm");
    // Node 8 is outside the loop and before the node inside that reads it, but after the loop.
    let late = |graph: &mut Graph| {
        graph.nodes = vec![
            node(NodeKind::Pure, "list", &[]),
            control(NodeKind::FanOut, "each", &[0], vec![region(&[3])]),
            node(NodeKind::Pure, "late", &[]),
            node(NodeKind::Pure, "item", &[2]),
        ];
        graph.root = region(&[0, 1, 2]);
    };
    assert_eq!(check(&late), refused(3, 2), "after the loop it is read in");
    assert_eq!(check(&|graph| graph.nodes.clear()), ShapeError::NodeCount(0));
    assert_eq!(check(&|graph| _ = graph.root.nodes.remove(1)), ShapeError::Unreachable(1));
    assert_eq!(check(&|graph| graph.nodes[2].kind = NodeKind::Call), ShapeError::RegionCount(2));
    assert_eq!(check(&|graph| graph.nodes[0].kind = NodeKind::Branch), ShapeError::RegionCount(0));
    let two = |graph: &mut Graph| graph.nodes[2].regions.push(region(&[3]));
    assert_eq!(check(&two), ShapeError::RegionCount(2));
    let root = |region| ShapeError::Region { node: "root".into(), region };
    assert_eq!(check(&|graph| graph.root.nodes.swap(0, 1)), root(0));
    assert_eq!(check(&|graph| graph.root.nodes.push(NodeId(10))), root(0));
    assert_eq!(check(&|graph| graph.root.nodes.clear()), root(0));
    let stolen = |graph: &mut Graph| graph.nodes[2].regions[0] = region(&[3, 4, 9]);
    assert_eq!(check(&stolen), ShapeError::Region { node: "2".into(), region: 0 });
    let result = |graph: &mut Graph| graph.nodes[4].regions[1].result = Some(NodeId(5));
    assert_eq!(check(&result), ShapeError::Result { node: "4".into() });
    assert_eq!(check(&|graph| graph.root.result = None), ShapeError::Result { node: "root".into() });
}

#[test]
fn loops_nest_to_a_limit() {
    let nested = |depth: u32| {
        let loops = (0..depth).map(|id| control(NodeKind::FanOut, "l", &[], vec![region(&[id + 1])]));
        let nodes = loops.chain([node(NodeKind::Pure, "x", &[])]).collect();
        Shape::new(&Graph { nodes, root: region(&[0]) }).map(|_| ())
    };
    let most = u32::try_from(ITERATION_DEPTH_MAX).unwrap();
    assert_eq!(nested(most), Ok(()));
    assert_eq!(nested(most + 1), Err(ShapeError::Depth(most)));
}
