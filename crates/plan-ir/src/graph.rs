//! The shape of a plan: nodes, edges and nested regions. This part of a compiled plan is all that a
//! verifier needs to know which locks must exist and which lock includes which.

use serde::{Deserialize, Serialize};

/// Index of a node in [`Graph::nodes`]. Ids are in canonical topological order: every parent of a node
/// has a smaller id, and a control node has a smaller id than all nodes of its regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u32);

/// All nodes of a plan with its sub-plans inlined.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Graph {
    /// Every node, nested ones included, by id.
    pub nodes: Vec<Node>,
    /// The nodes outside any branch or loop.
    pub root: Region,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// What it does when its parents are done.
    pub kind: NodeKind,
    /// The name of the `let` it came from, or of its operation, sub-plan labels in front:
    /// `arbitrate.text`.
    pub label: String,
    /// The nodes it waits for, ascending: those whose values it reads and the `ensure`s that gate it.
    /// They are in its own region or an enclosing one; the control node that opens its region is
    /// implied and not listed.
    pub parents: Vec<NodeId>,
    /// Sub-graphs: the arms of a branch in order, the body of a fan-out; empty otherwise.
    pub regions: Vec<Region>,
}

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// Evaluates an expression.
    Pure,
    /// Fails the run unless a condition holds; its value is `true`.
    Ensure,
    /// Calls an operation.
    Call,
    /// Runs one of its regions; its value is that region's.
    Branch,
    /// Runs its region once per element of a list; its value is the list of the region's values.
    FanOut,
}

/// A sub-graph that runs as a whole or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// Its nodes, ascending, without those of nested regions.
    pub nodes: Vec<NodeId>,
    /// The node whose value is the region's. Never missing: the compiler adds a pure node where a block
    /// yields a value from outside.
    pub result: Option<NodeId>,
}

impl Graph {
    /// The node at `id`.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }
}
