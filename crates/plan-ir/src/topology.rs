//! Whether a graph is well formed, and who contains and who follows whom.

use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};
use schema::limits::PLAN_NODES_MAX;

use crate::graph::{Graph, Node, NodeId, NodeKind, Region};

/// Edges of one plan, counted over all nodes' parents.
pub const PLAN_EDGES_MAX: usize = 50_000;
/// Nesting of branches and fan-outs in one plan, sub-plans inlined.
pub const REGION_DEPTH_MAX: usize = 128;

/// A graph that breaks a rule of [`crate::graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// More than [`PLAN_NODES_MAX`] nodes.
    #[error("the plan has {count} nodes, more than {PLAN_NODES_MAX}; split it or loop with `for`")]
    TooManyNodes {
        /// How many.
        count: usize,
    },
    /// More than [`PLAN_EDGES_MAX`] edges.
    #[error("the plan has {count} edges, more than {PLAN_EDGES_MAX}; split it or gather values in a record")]
    TooManyEdges {
        /// How many.
        count: usize,
    },
    /// Branches and fan-outs nest deeper than [`REGION_DEPTH_MAX`].
    #[error("node {} nests more than {REGION_DEPTH_MAX} branches and loops deep", node.0)]
    TooDeep {
        /// The node.
        node: NodeId,
    },
    /// A node that is in no region, in two, or not before the control node of its region.
    #[error("node {} is not in exactly one region after its control node", node.0)]
    Membership {
        /// The node.
        node: NodeId,
    },
    /// Nodes of a region that do not ascend, or a result that is not among them.
    #[error("a region of node {} is out of order or has no result of its own", node.map_or(0, |n| n.0))]
    Region {
        /// The control node; `None` for the plan's own region.
        node: Option<NodeId>,
    },
    /// A node of a kind that cannot have this number of regions.
    #[error("node {} has the wrong number of regions for its kind", node.0)]
    Regions {
        /// The node.
        node: NodeId,
    },
    /// Parents that do not ascend, come later, or are neither in the node's region nor around it.
    #[error("node {} cannot wait for node {}", node.0, parent.0)]
    Parent {
        /// The node.
        node: NodeId,
        /// What it claims to wait for.
        parent: NodeId,
    },
    /// Nodes that wait for each other through a region.
    #[error("node {} waits for itself", node.0)]
    Cycle {
        /// One of them.
        node: NodeId,
    },
}

impl GraphError {
    /// Code of the error page: `E0808` for a limit, `E0806` for a graph that contradicts itself.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooManyNodes { .. } | Self::TooManyEdges { .. } | Self::TooDeep { .. } => "E0808",
            _ => "E0806",
        }
    }
}

/// The region a node is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The control node and which of its regions; `None` for the plan's own region.
    pub owner: Option<(NodeId, u32)>,
    /// Number of control nodes around it.
    pub depth: usize,
}

/// A well-formed graph seen from each node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    places: Vec<Place>,
    children: Vec<Vec<NodeId>>,
    completion: Vec<u32>,
}

impl Topology {
    /// Checks `graph` against every rule of [`crate::graph`].
    ///
    /// # Errors
    /// The first rule it breaks.
    pub fn of(graph: &Graph) -> Result<Self, GraphError> {
        let count = graph.nodes.len();
        if count > PLAN_NODES_MAX {
            return Err(GraphError::TooManyNodes { count });
        }
        let edges = graph.nodes.iter().map(|node| node.parents.len()).sum();
        if edges > PLAN_EDGES_MAX {
            return Err(GraphError::TooManyEdges { count: edges });
        }
        let places = places(graph)?;
        let mut topology = Self { places, children: vec![Vec::new(); count], completion: Vec::new() };
        for (id, node) in nodes(graph) {
            topology.check_parents(id, node)?;
            for parent in &node.parents {
                if let Some(children) = topology.children.get_mut(parent.0 as usize) {
                    children.push(id);
                }
            }
        }
        topology.completion = if topology.end_by_ids(graph) {
            (0_u32..).take(count).collect()
        } else {
            topology.completion_ranks(graph)?
        };
        Ok(topology)
    }

    /// The region `node` is in.
    #[must_use]
    pub fn place(&self, node: NodeId) -> Option<Place> {
        self.places.get(node.0 as usize).copied()
    }

    /// The nodes that wait for `node` directly, ascending.
    #[must_use]
    pub fn children(&self, node: NodeId) -> &[NodeId] {
        self.children.get(node.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// The control nodes around `node` with the region taken, innermost first.
    pub fn around(&self, node: NodeId) -> impl Iterator<Item = (NodeId, u32)> + '_ {
        let owner = |node: NodeId| self.place(node).and_then(|place| place.owner);
        std::iter::successors(owner(node), move |(control, _)| owner(*control))
    }

    /// Whether an expression of `node` may read `other`: it is in the same region or one around it.
    #[must_use]
    pub fn sees(&self, node: NodeId, other: NodeId) -> bool {
        let region = |id: NodeId| self.place(id).map(|place| place.owner);
        let Some(wanted) = region(other) else { return false };
        region(node) == Some(wanted) || self.around(node).any(|(control, _)| region(control) == Some(wanted))
    }

    /// `nodes` in an order in which each ends after all that must have ended before it. Ids do not tell: a
    /// node in a region may wait for one outside with a larger id than its control node.
    #[must_use]
    pub fn in_completion_order(&self, nodes: &[NodeId]) -> Vec<NodeId> {
        let mut ordered = nodes.to_vec();
        ordered.sort_by_key(|id| self.completion.get(id.0 as usize));
        ordered
    }

    fn check_parents(&self, id: NodeId, node: &Node) -> Result<(), GraphError> {
        let mut last = None;
        for parent in &node.parents {
            let ascends = last.is_none_or(|last| last < *parent);
            if !ascends || *parent >= id || !self.sees(id, *parent) {
                return Err(GraphError::Parent { node: id, parent: *parent });
            }
            last = Some(*parent);
        }
        Ok(())
    }

    /// Whether ids are an order in which nothing ends before what it waits for: so they are where what a region waits for
    /// outside was done before its control node.
    fn end_by_ids(&self, graph: &Graph) -> bool {
        nodes(graph).all(|(id, node)| {
            node.parents.iter().all(|parent| {
                let of_parent = self.place(*parent).map(|place| place.owner);
                let mut around = self.around(id);
                // The control node that holds this one where the parent is.
                let beside =
                    around.find(|(control, _)| self.place(*control).map(|place| place.owner) == of_parent);
                beside.is_none_or(|(control, _)| *parent < control)
            })
        })
    }

    /// Ids rule out cycles of parents, but not through regions: a node inside may wait for one outside
    /// that waits for the control node. So each node is two events, its start and its end.
    fn completion_ranks(&self, graph: &Graph) -> Result<Vec<u32>, GraphError> {
        let count = graph.nodes.len();
        let waits: usize = graph.nodes.iter().map(|node| node.parents.len()).sum();
        let mut events = DiGraph::<(), (), u32>::with_capacity(2 * count, 3 * count + waits);
        for _ in 0..2 * count {
            events.add_node(());
        }
        let start = |id: NodeId| NodeIndex::new(2 * id.0 as usize);
        let end = |id: NodeId| NodeIndex::new(2 * id.0 as usize + 1);
        for (id, node) in nodes(graph) {
            events.add_edge(start(id), end(id), ());
            for parent in &node.parents {
                events.add_edge(end(*parent), start(id), ());
            }
            if let Some((control, _)) = self.place(id).and_then(|place| place.owner) {
                events.add_edge(start(control), start(id), ());
                events.add_edge(end(id), end(control), ());
            }
        }
        let order = toposort(&events, None).map_err(|cycle| GraphError::Cycle {
            node: NodeId(u32::try_from(cycle.node_id().index() / 2).unwrap_or(u32::MAX)),
        })?;
        let mut ranks = vec![0; count];
        for (rank, event) in (0_u32..).zip(order) {
            // Each node's end comes after its start, so the end's rank stays.
            if let Some(slot) = ranks.get_mut(event.index() / 2) {
                *slot = rank;
            }
        }
        Ok(ranks)
    }
}

/// All nodes with their ids.
pub(crate) fn nodes(graph: &Graph) -> impl DoubleEndedIterator<Item = (NodeId, &Node)> + ExactSizeIterator {
    // At most `PLAN_NODES_MAX` nodes, checked before this is used.
    graph
        .nodes
        .iter()
        .enumerate()
        .map(|(index, node)| (NodeId(u32::try_from(index).unwrap_or(u32::MAX)), node))
}

fn places(graph: &Graph) -> Result<Vec<Place>, GraphError> {
    let mut places = vec![None; graph.nodes.len()];
    place_region(&graph.root, None, 0, &mut places)?;
    // A control node comes before the nodes of its regions, so its own place is known when it is reached.
    for (id, node) in nodes(graph) {
        let fits = match node.kind {
            NodeKind::Pure | NodeKind::Ensure | NodeKind::Call => node.regions.is_empty(),
            NodeKind::Branch => !node.regions.is_empty(),
            NodeKind::FanOut => node.regions.len() == 1,
        };
        if !fits {
            return Err(GraphError::Regions { node: id });
        }
        let place = places.get(id.0 as usize).copied().flatten();
        let depth = place.ok_or(GraphError::Membership { node: id })?.depth + 1;
        if depth > REGION_DEPTH_MAX && !node.regions.is_empty() {
            return Err(GraphError::TooDeep { node: id });
        }
        for (index, region) in (0_u32..).zip(&node.regions) {
            place_region(region, Some((id, index)), depth, &mut places)?;
        }
    }
    places
        .into_iter()
        .zip(0..)
        .map(|(place, index)| place.ok_or(GraphError::Membership { node: NodeId(index) }))
        .collect()
}

fn place_region(
    region: &Region,
    owner: Option<(NodeId, u32)>,
    depth: usize,
    places: &mut [Option<Place>],
) -> Result<(), GraphError> {
    let control = owner.map(|(control, _)| control);
    let mut last = control;
    for (position, id) in region.nodes.iter().enumerate() {
        let slot = places.get_mut(id.0 as usize);
        let after_control = control.is_none_or(|control| *id > control);
        match slot {
            Some(slot @ None) if after_control => *slot = Some(Place { owner, depth }),
            _ => return Err(GraphError::Membership { node: *id }),
        }
        if position > 0 && last.is_some_and(|last| *id <= last) {
            return Err(GraphError::Region { node: control });
        }
        last = Some(*id);
    }
    match region.result {
        Some(result) if region.nodes.binary_search(&result).is_ok() => Ok(()),
        _ => Err(GraphError::Region { node: control }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(kind: NodeKind, parents: &[u32], regions: &[&[u32]]) -> Node {
        Node {
            kind,
            label: "n".into(),
            parents: parents.iter().copied().map(NodeId).collect(),
            regions: regions.iter().map(|nodes| region(nodes)).collect(),
        }
    }

    fn region(nodes: &[u32]) -> Region {
        Region {
            nodes: nodes.iter().copied().map(NodeId).collect(),
            result: nodes.last().copied().map(NodeId),
        }
    }

    fn pure(parents: &[u32]) -> Node {
        node(NodeKind::Pure, parents, &[])
    }

    fn graph(root: &[u32], nodes: Vec<Node>) -> Graph {
        Graph { nodes, root: region(root) }
    }

    #[test]
    fn regions_and_children_are_found() {
        // 0; for 1 { 2; if 3 { 4 } else { 5 } }; 6
        let graph = graph(
            &[0, 1, 6],
            vec![
                pure(&[]),
                node(NodeKind::FanOut, &[0], &[&[2, 3]]),
                pure(&[0]),
                node(NodeKind::Branch, &[2], &[&[4], &[5]]),
                pure(&[2]),
                pure(&[0]),
                pure(&[1]),
            ],
        );
        let topology = Topology::of(&graph).unwrap();
        assert_eq!(topology.children(NodeId(0)), [NodeId(1), NodeId(2), NodeId(5)]);
        assert_eq!(topology.around(NodeId(5)).collect::<Vec<_>>(), [(NodeId(3), 1), (NodeId(1), 0)]);
        assert_eq!(topology.place(NodeId(5)).unwrap().depth, 2);
        assert!(topology.sees(NodeId(5), NodeId(2)) && topology.sees(NodeId(5), NodeId(0)));
        assert!(!topology.sees(NodeId(5), NodeId(4)) && !topology.sees(NodeId(6), NodeId(2)));
    }

    #[test]
    fn every_rule_is_enforced() {
        use GraphError as E;
        let (n0, n1, n2) = (NodeId(0), NodeId(1), NodeId(2));
        let fan_out = |inner: &[u32]| node(NodeKind::FanOut, &[], &[inner]);
        let cases = [
            (graph(&[], vec![]), E::Region { node: None }),
            (graph(&[0], vec![]), E::Membership { node: n0 }),
            (graph(&[0], vec![pure(&[]), pure(&[])]), E::Membership { node: n1 }),
            (graph(&[0, 0], vec![pure(&[])]), E::Membership { node: n0 }),
            (graph(&[1, 0], vec![pure(&[]), pure(&[])]), E::Region { node: None }),
            (graph(&[0, 1], vec![fan_out(&[1]), pure(&[])]), E::Membership { node: n1 }),
            (graph(&[1], vec![pure(&[]), fan_out(&[0])]), E::Membership { node: n0 }),
            (graph(&[0], vec![fan_out(&[])]), E::Region { node: Some(n0) }),
            (graph(&[0], vec![node(NodeKind::FanOut, &[], &[])]), E::Regions { node: n0 }),
            (graph(&[0], vec![node(NodeKind::Branch, &[], &[])]), E::Regions { node: n0 }),
            (graph(&[0], vec![node(NodeKind::Call, &[], &[&[1]]), pure(&[])]), E::Regions { node: n0 }),
            (graph(&[0], vec![pure(&[0])]), E::Parent { node: n0, parent: n0 }),
            (graph(&[0, 1], vec![pure(&[1]), pure(&[])]), E::Parent { node: n0, parent: n1 }),
            (graph(&[0], vec![pure(&[7])]), E::Parent { node: n0, parent: NodeId(7) }),
            (
                graph(&[0, 1, 2], vec![pure(&[]), pure(&[]), pure(&[1, 0])]),
                E::Parent { node: n2, parent: n0 },
            ),
            (graph(&[0, 2], vec![fan_out(&[1]), pure(&[]), pure(&[1])]), E::Parent { node: n2, parent: n1 }),
        ];
        for (graph, error) in cases {
            assert_eq!(Topology::of(&graph), Err(error), "{graph:?}");
        }
    }

    #[test]
    fn a_cycle_through_a_region_is_found() {
        // 0 is a loop whose body, 2, waits for 1, which waits for the loop.
        let graph = graph(&[0, 1], vec![node(NodeKind::FanOut, &[], &[&[2]]), pure(&[0]), pure(&[1])]);
        assert!(matches!(Topology::of(&graph), Err(GraphError::Cycle { .. })));
    }

    #[test]
    fn a_node_ends_after_what_its_regions_wait_for() {
        // A loop with the body 3; 1 and 2 stand behind it.
        let with = |parents: &[u32]| {
            let nodes = vec![node(NodeKind::FanOut, &[], &[&[3]]), pure(&[]), pure(&[]), pure(parents)];
            graph(&[0, 1, 2], nodes)
        };
        let order = |graph: &Graph| Topology::of(graph).unwrap().in_completion_order(&graph.root.nodes);
        let ends = |graph: &Graph, id: u32| order(graph).iter().position(|node| node.0 == id).unwrap();
        let free = with(&[]);
        assert_eq!(order(&free), [NodeId(0), NodeId(1), NodeId(2)]);
        let waiting = with(&[1, 2]);
        assert!(ends(&waiting, 0) > ends(&waiting, 1) && ends(&waiting, 0) > ends(&waiting, 2));
    }

    #[test]
    fn limits_hold_at_n_and_not_past_it() {
        let chain = |count: u32| {
            let ids: Vec<u32> = (0..count).collect();
            graph(&ids, ids.iter().map(|id| pure(if *id == 0 { &[] } else { &[0] })).collect())
        };
        assert!(Topology::of(&chain(10_000)).is_ok());
        assert_eq!(Topology::of(&chain(10_001)), Err(GraphError::TooManyNodes { count: 10_001 }));

        let dense = |edges: usize| {
            // 100 nodes that 500 others all wait for.
            let all: Vec<u32> = (0..600).collect();
            let mut graph = graph(&all, vec![pure(&[]); 600]);
            for (index, node) in graph.nodes.iter_mut().enumerate().skip(100) {
                let left = edges.saturating_sub((index - 100) * 100);
                node.parents = (0..100).take(left).map(NodeId).collect();
            }
            graph
        };
        assert!(Topology::of(&dense(50_000)).is_ok());
        let mut one_more = dense(50_000);
        one_more.nodes[99].parents = vec![n(0)];
        assert_eq!(Topology::of(&one_more), Err(GraphError::TooManyEdges { count: 50_001 }));

        let nest = |depth: u32| {
            let mut nodes: Vec<Node> =
                (0..depth).map(|id| node(NodeKind::FanOut, &[], &[&[id + 1]])).collect();
            nodes.push(pure(&[]));
            graph(&[0], nodes)
        };
        assert!(Topology::of(&nest(128)).is_ok());
        assert_eq!(Topology::of(&nest(129)), Err(GraphError::TooDeep { node: n(128) }));
    }

    fn n(id: u32) -> NodeId {
        NodeId(id)
    }
}
