//! A plan's graph, checked: everything the walk over leaves relies on is known to hold.

use plan_ir::graph::{Graph, NodeId, NodeKind, Region};
use plan_ir::topology::PLAN_EDGES_MAX;
use schema::limits::PLAN_NODES_MAX;

use crate::limits::ITERATION_DEPTH_MAX;

/// A well-formed graph in the form the walk needs.
#[derive(Clone, Debug)]
pub struct Shape {
    nodes: Vec<ShapeNode>,
    /// Region 0 is the root.
    regions: Vec<ShapeRegion>,
    /// The parents of all nodes, one after another.
    parents: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct ShapeNode {
    pub(crate) kind: NodeKind,
    /// No listed parent is in its own region, so its lock includes the head of that region.
    pub(crate) rooted: bool,
    /// The region it is in.
    region: u32,
    /// Its own regions are `first_region .. first_region + regions`.
    first_region: u32,
    pub(crate) regions: u32,
    /// Its parents are `parents_start .. parents_end` of all parents.
    parents_start: u32,
    parents_end: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct ShapeRegion {
    /// The control node it belongs to; `None` for the root.
    pub(crate) head: Option<u32>,
    pub(crate) nodes: Vec<u32>,
    /// Nodes that no node of this region lists as a parent, ascending.
    pub(crate) tails: Vec<u32>,
    pub(crate) result: u32,
}

/// Why a graph is not that of a compiled plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// No node, or more than a plan may have.
    #[error("a plan has 1 to {PLAN_NODES_MAX} nodes, not {0}")]
    NodeCount(usize),
    /// Too many edges.
    #[error("a plan has at most {PLAN_EDGES_MAX} edges, not {0}")]
    EdgeCount(usize),
    /// A region without nodes or with an unknown, unordered or twice used node.
    #[error("region {region} of node {node} is empty, or its nodes are unknown, unordered or in two regions")]
    Region {
        /// The control node, or `root`.
        node: String,
        /// Which of its regions.
        region: usize,
    },
    /// A region's result is not one of its nodes.
    #[error("the result of a region of node {node} is not one of its nodes")]
    Result {
        /// The control node, or `root`.
        node: String,
    },
    /// A node that is in no region.
    #[error("node {0} is in no region")]
    Unreachable(u32),
    /// The wrong number of regions for the kind of node.
    #[error("node {0} has a number of regions that its kind cannot have")]
    RegionCount(u32),
    /// A parent that is not before the node, or not visible from it.
    #[error(
        "node {node} names {parent} as a parent, which is not before it in its own or an enclosing region"
    )]
    Parent {
        /// The node.
        node: u32,
        /// The parent.
        parent: u32,
    },
    /// Fan-outs nested too deep.
    #[error("node {0} is nested in more than {ITERATION_DEPTH_MAX} fan-outs")]
    Depth(u32),
}

impl Shape {
    /// Checks `graph` and prepares it for the walk, in time linear in its nodes and edges.
    ///
    /// # Errors
    /// [`ShapeError`] where the graph is not one a compiler makes.
    pub fn new(graph: &Graph) -> Result<Self, ShapeError> {
        if graph.nodes.is_empty() || graph.nodes.len() > PLAN_NODES_MAX {
            return Err(ShapeError::NodeCount(graph.nodes.len()));
        }
        let edges = graph.nodes.iter().map(|node| node.parents.len()).sum();
        if edges > PLAN_EDGES_MAX {
            return Err(ShapeError::EdgeCount(edges));
        }
        let mut shape = Self::claim(graph)?;
        shape.link(graph)?;
        shape.find_tails();
        Ok(shape)
    }

    /// Number of nodes in the plan.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never: a plan has at least one node.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The kind of the node `id`; `None` where there is no such node.
    #[must_use]
    pub fn kind(&self, id: NodeId) -> Option<NodeKind> {
        self.nodes.get(id.0 as usize).map(|node| node.kind)
    }

    /// How many fan-outs the node `id` is nested in: the length of its iteration vector.
    #[must_use]
    pub fn depth(&self, id: NodeId) -> Option<usize> {
        let mut node = self.nodes.get(id.0 as usize)?;
        let mut depth = 0;
        while let Some(head) = self.region(node.region).head {
            node = self.node(head);
            depth += usize::from(node.kind == NodeKind::FanOut);
        }
        Some(depth)
    }

    #[expect(clippy::indexing_slicing, reason = "ids come from the checked graph itself")]
    pub(crate) fn node(&self, id: u32) -> &ShapeNode {
        &self.nodes[id as usize]
    }

    #[expect(clippy::indexing_slicing, reason = "region numbers come from the checked graph itself")]
    pub(crate) fn region(&self, index: u32) -> &ShapeRegion {
        &self.regions[index as usize]
    }

    /// The number of region `index` of a control node.
    pub(crate) fn region_of(&self, node: u32, index: u32) -> u32 {
        self.node(node).first_region + index
    }

    #[expect(clippy::indexing_slicing, reason = "the range was made while the list was filled")]
    pub(crate) fn parents(&self, id: u32) -> &[u32] {
        let node = self.node(id);
        &self.parents[node.parents_start as usize..node.parents_end as usize]
    }

    /// Gives every node its region and every region its number; a node in two regions or in none is
    /// refused.
    fn claim(graph: &Graph) -> Result<Self, ShapeError> {
        let mut owner: Vec<Option<u32>> = vec![None; graph.nodes.len()];
        let mut regions = Vec::new();
        add_region(&mut regions, &mut owner, None, 0, &graph.root)?;
        let mut nodes = Vec::with_capacity(graph.nodes.len());
        let mut depths: Vec<usize> = Vec::with_capacity(graph.nodes.len());
        for (id, node) in (0_u32..).zip(&graph.nodes) {
            // A control node comes before the nodes of its regions, so its regions have claimed this
            // node by now or never will.
            let Some(region) = owner.get(id as usize).copied().flatten() else {
                return Err(ShapeError::Unreachable(id));
            };
            let count_fits = match node.kind {
                NodeKind::Pure | NodeKind::Ensure | NodeKind::Call => node.regions.is_empty(),
                NodeKind::Branch => !node.regions.is_empty(),
                NodeKind::FanOut => node.regions.len() == 1,
            };
            if !count_fits {
                return Err(ShapeError::RegionCount(id));
            }
            let head = regions.get(region as usize).and_then(|region: &ShapeRegion| region.head);
            let around = head.and_then(|head| depths.get(head as usize)).copied().unwrap_or(0);
            let depth = around + usize::from(node.kind == NodeKind::FanOut);
            if depth > ITERATION_DEPTH_MAX {
                return Err(ShapeError::Depth(id));
            }
            depths.push(depth);
            let first_region = length(&regions);
            for (index, inner) in node.regions.iter().enumerate() {
                add_region(&mut regions, &mut owner, Some(id), index, inner)?;
            }
            nodes.push(ShapeNode {
                kind: node.kind,
                rooted: false,
                region,
                first_region,
                regions: length(&node.regions),
                parents_start: 0,
                parents_end: 0,
            });
        }
        Ok(Self { nodes, regions, parents: Vec::new() })
    }

    /// Checks every edge: a parent is in the same region and before the node, or in an enclosing region
    /// and before the control node there that the node is inside of.
    fn link(&mut self, graph: &Graph) -> Result<(), ShapeError> {
        // The node that is being visited in each region on the path from the root.
        let mut active: Vec<Option<u32>> = vec![None; self.regions.len()];
        let mut path: Vec<(u32, usize)> = vec![(0, 0)];
        while let Some((region, cursor)) = path.last_mut() {
            let (region, position) = (*region, *cursor);
            *cursor += 1;
            let visited = self.region(region).nodes.get(position).copied();
            if let Some(slot) = active.get_mut(region as usize) {
                *slot = visited;
            }
            let Some(id) = visited else {
                path.pop();
                continue;
            };
            let start = length(&self.parents);
            let mut rooted = true;
            let mut last = None;
            for parent in graph.node(NodeId(id)).map_or(&[][..], |node| &node.parents) {
                let refused = ShapeError::Parent { node: id, parent: parent.0 };
                let Some(parent_region) = self.nodes.get(parent.0 as usize).map(|node| node.region) else {
                    return Err(refused);
                };
                let reached = active.get(parent_region as usize).copied().flatten();
                if last >= Some(parent.0) || reached.is_none_or(|reached| parent.0 >= reached) {
                    return Err(refused);
                }
                last = Some(parent.0);
                rooted &= parent_region != region;
                self.parents.push(parent.0);
            }
            let end = length(&self.parents);
            if let Some(node) = self.nodes.get_mut(id as usize) {
                (node.rooted, node.parents_start, node.parents_end) = (rooted, start, end);
                let inner = node.first_region..node.first_region + node.regions;
                path.extend(inner.rev().map(|region| (region, 0)));
            }
        }
        Ok(())
    }

    fn find_tails(&mut self) {
        let mut has_child = vec![false; self.nodes.len()];
        for id in 0..length(&self.nodes) {
            for &parent in self.parents(id) {
                if self.node(parent).region == self.node(id).region
                    && let Some(flag) = has_child.get_mut(parent as usize)
                {
                    *flag = true;
                }
            }
        }
        for region in &mut self.regions {
            let is_tail = |id: &&u32| has_child.get(**id as usize) == Some(&false);
            region.tails = region.nodes.iter().filter(is_tail).copied().collect();
        }
    }
}

fn add_region(
    regions: &mut Vec<ShapeRegion>,
    owner: &mut [Option<u32>],
    head: Option<u32>,
    index: usize,
    region: &Region,
) -> Result<(), ShapeError> {
    let name = || head.map_or_else(|| "root".to_owned(), |head| head.to_string());
    let number = length(regions);
    let mut before = head;
    for node in &region.nodes {
        let slot = owner.get_mut(node.0 as usize);
        match slot {
            Some(slot @ None) if before < Some(node.0) => *slot = Some(number),
            _ => return Err(ShapeError::Region { node: name(), region: index }),
        }
        before = Some(node.0);
    }
    if region.nodes.is_empty() {
        return Err(ShapeError::Region { node: name(), region: index });
    }
    let result = region.result.filter(|result| region.nodes.binary_search(result).is_ok());
    let result = result.ok_or_else(|| ShapeError::Result { node: name() })?.0;
    let nodes = region.nodes.iter().map(|node| node.0).collect();
    regions.push(ShapeRegion { head, nodes, tails: Vec::new(), result });
    Ok(())
}

/// Nodes, regions and edges of one plan are counted with 32 bits; a plan's bytes are far fewer.
fn length<T>(list: &[T]) -> u32 {
    u32::try_from(list.len()).unwrap_or(u32::MAX)
}
