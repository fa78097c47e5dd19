//! Which leaves a run has and in which order: derived from the plan's graph and from what its control
//! nodes decided, never from what a bundle lists.
//!
//! # The rule
//! The leaves of a run are those of its root region with an empty iteration vector. The leaves of a
//! region, for an iteration vector `v`, are those of its nodes in ascending id, each as follows.
//!
//! - **Pure, ensure, call**: one leaf, whether the node ran, failed or was skipped.
//! - **Branch** that decided for an arm: its *head* leaf, which commits the index of the arm; then, for
//!   every arm in the plan's order, the leaves of the arm's region (for the arm that was taken, with the
//!   same `v`) or one *arm* leaf (for any other); then its *join* leaf.
//! - **Fan-out** that knows its elements: its *head* leaf, which commits their number `n`; then for each
//!   `i` in `0..n` the leaves of its region with `v + [i]`; then its *join* leaf.
//! - A branch or fan-out that failed to decide, or was skipped: its head leaf alone.
//!
//! Leaves are numbered from 0 in this order; the number is the leaf's *ordinal*.
//!
//! # Parents of a lock
//! Seen from its own region and from enclosed ones, a node is represented by its *outer* leaf: the join
//! leaf of a branch or fan-out that has one, else the node's only leaf. In the same instance of an
//! enclosing region, that leaf always has a smaller ordinal. The parents of a leaf are, in this order:
//!
//! - of a **node's leaf** (a head included): the head leaf of the control node whose region it is in, if
//!   there is one and the node lists no parent of its own region; then the outer leaf of each listed
//!   parent, ascending by id.
//! - of an **arm** leaf: the head leaf of its branch.
//! - of a **branch's join**: arm by arm in the plan's order, the outer leaves of the *tails* of the arm
//!   that was taken, ascending by id, or the arm leaf.
//! - of a **fan-out's join**: for each element in order, the outer leaves of the tails of its body,
//!   ascending by id; where there is no element, the head leaf.
//!
//! A tail of a region is a node that no node of the same region lists as a parent. Parents are not
//! merged: a leaf that is reached twice counts twice.
//!
//! A node that did not run still has its leaf, with a reason, so its descendants keep their locks' shape.

use plan_ir::graph::{NodeId, NodeKind};

use crate::limits::{LEAVES_MAX, LOCK_PARENTS_MAX};
use crate::shape::Shape;

/// What a leaf stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A node; of a branch or fan-out, its head.
    Node,
    /// An arm of a branch that was not taken, by index.
    Arm(u32),
    /// The end of a branch or fan-out.
    Join,
}

/// A leaf the run must have.
#[derive(Clone, Copy, Debug)]
pub struct Leaf<'a> {
    /// Its number, from 0.
    pub ordinal: u32,
    /// The node it belongs to.
    pub node: NodeId,
    /// What of the node.
    pub place: Place,
    /// Index of the element in each enclosing fan-out, outermost first.
    pub iteration: &'a [u32],
    /// Ordinals of the leaves whose locks its lock includes, in order.
    pub parents: &'a [u32],
    /// Of a join, the outer leaves of the results of the regions that ran, in order; else empty.
    pub results: &'a [u32],
}

/// What a leaf decided about the leaves that follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Nothing.
    None,
    /// A branch took this arm.
    Arm(u32),
    /// A fan-out has this many elements.
    Count(u32),
}

/// What is known when all leaves were visited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walked {
    /// Number of leaves.
    pub leaves: u32,
    /// Outer leaves of the root's tails, ascending by node.
    pub tails: Vec<u32>,
    /// The outer leaf of the plan's result.
    pub result: u32,
}

/// Why a walk ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WalkError<E> {
    /// The visitor refused a leaf.
    #[error("{0}")]
    Refused(E),
    /// A decision that the kind of node cannot make, or for an arm it does not have.
    #[error("leaf {ordinal}: a decision that its node cannot make")]
    Control {
        /// The leaf that decided.
        ordinal: u32,
    },
    /// More than [`LEAVES_MAX`] leaves.
    #[error("a run has at most {LEAVES_MAX} leaves")]
    Leaves,
    /// More than [`LOCK_PARENTS_MAX`] parents of locks.
    #[error("the locks of a run include at most {LOCK_PARENTS_MAX} parents")]
    Parents,
}

/// Calls `visit` for every leaf in order; what it returns decides which leaves follow.
///
/// # Errors
/// [`WalkError`]: what `visit` refused, a decision that does not fit its node, or a limit.
pub fn walk<E>(
    shape: &Shape,
    visit: impl FnMut(&Leaf<'_>) -> Result<Control, E>,
) -> Result<Walked, WalkError<E>> {
    let mut walk = Walk {
        shape,
        visit,
        outer: vec![0; shape.len()],
        head: vec![0; shape.len()],
        iteration: Vec::new(),
        frames: Vec::new(),
        parents: Vec::new(),
        leaves: 0,
        lock_parents: 0,
    };
    walk.run()
}

struct Walk<'s, F> {
    shape: &'s Shape,
    visit: F,
    /// The outer leaf of each node in the latest instance of its region. That instance is always the
    /// one the reader means: it is the region being walked or one around it.
    outer: Vec<u32>,
    /// The head leaf of each node in the latest instance of its region.
    head: Vec<u32>,
    iteration: Vec<u32>,
    /// An explicit stack: a hostile plan may nest as deep as it has nodes.
    frames: Vec<Frame>,
    /// Scratch for the parents of one leaf.
    parents: Vec<u32>,
    leaves: u32,
    lock_parents: u64,
}

enum Frame {
    /// The next node of a region.
    Region { region: u32, next: usize },
    /// The next arm of a branch.
    Branch { node: u32, taken: u32, next: u32, ends: Ends },
    /// The next element of a fan-out.
    FanOut { node: u32, count: u32, next: u32, ends: Ends },
}

/// What a join will be told about the regions before it.
#[derive(Default)]
struct Ends {
    parents: Vec<u32>,
    results: Vec<u32>,
}

impl<E, F: FnMut(&Leaf<'_>) -> Result<Control, E>> Walk<'_, F> {
    fn run(&mut self) -> Result<Walked, WalkError<E>> {
        self.frames.push(Frame::Region { region: 0, next: 0 });
        while let Some(frame) = self.frames.pop() {
            match frame {
                Frame::Region { region, next } => self.region(region, next)?,
                Frame::Branch { node, taken, next, ends } => self.branch(node, taken, next, ends)?,
                Frame::FanOut { node, count, next, ends } => self.fan_out(node, count, next, ends)?,
            }
        }
        let root = self.shape.region(0);
        let tails = root.tails.iter().map(|&tail| at(&self.outer, tail)).collect();
        Ok(Walked { leaves: self.leaves, tails, result: at(&self.outer, root.result) })
    }

    fn region(&mut self, region: u32, next: usize) -> Result<(), WalkError<E>> {
        let shape = self.shape;
        let Some(&node) = shape.region(region).nodes.get(next) else {
            self.close_region(region);
            return Ok(());
        };
        self.frames.push(Frame::Region { region, next: next + 1 });
        let mut parents = std::mem::take(&mut self.parents);
        parents.clear();
        if let (true, Some(head)) = (shape.node(node).rooted, shape.region(region).head) {
            parents.push(at(&self.head, head));
        }
        parents.extend(shape.parents(node).iter().map(|&parent| at(&self.outer, parent)));
        let ordinal = self.leaves;
        let control = self.leaf(node, Place::Node, &parents, &[])?;
        self.parents = parents;
        put(&mut self.head, node, ordinal);
        put(&mut self.outer, node, ordinal);
        let bad = WalkError::Control { ordinal };
        let ends = Ends::default();
        match (control, shape.node(node).kind) {
            (Control::None, _) => {}
            (Control::Arm(taken), NodeKind::Branch) if taken < shape.node(node).regions => {
                self.frames.push(Frame::Branch { node, taken, next: 0, ends });
            }
            (Control::Count(count), NodeKind::FanOut) => {
                // Every element has at least one leaf.
                if count > LEAVES_MAX {
                    return Err(WalkError::Leaves);
                }
                self.frames.push(Frame::FanOut { node, count, next: 0, ends });
            }
            _ => return Err(bad),
        }
        Ok(())
    }

    /// Hands the ends of a region that was walked to the control node it belongs to.
    fn close_region(&mut self, region: u32) {
        let region = self.shape.region(region);
        let ends = match self.frames.last_mut() {
            Some(Frame::Branch { ends, .. }) => ends,
            Some(Frame::FanOut { ends, .. }) => {
                self.iteration.pop();
                ends
            }
            Some(Frame::Region { .. }) | None => return,
        };
        ends.parents.extend(region.tails.iter().map(|&tail| at(&self.outer, tail)));
        ends.results.push(at(&self.outer, region.result));
    }

    fn branch(&mut self, node: u32, taken: u32, next: u32, mut ends: Ends) -> Result<(), WalkError<E>> {
        if next == self.shape.node(node).regions {
            return self.join(node, &ends);
        }
        if next == taken {
            self.frames.push(Frame::Branch { node, taken, next: next + 1, ends });
            self.frames.push(Frame::Region { region: self.shape.region_of(node, next), next: 0 });
            return Ok(());
        }
        ends.parents.push(self.leaves);
        let head = [at(&self.head, node)];
        self.plain_leaf(node, Place::Arm(next), &head, &[])?;
        self.frames.push(Frame::Branch { node, taken, next: next + 1, ends });
        Ok(())
    }

    fn fan_out(&mut self, node: u32, count: u32, next: u32, mut ends: Ends) -> Result<(), WalkError<E>> {
        if next == count {
            if count == 0 {
                ends.parents.push(at(&self.head, node));
            }
            return self.join(node, &ends);
        }
        self.frames.push(Frame::FanOut { node, count, next: next + 1, ends });
        self.iteration.push(next);
        self.frames.push(Frame::Region { region: self.shape.region_of(node, 0), next: 0 });
        Ok(())
    }

    fn join(&mut self, node: u32, ends: &Ends) -> Result<(), WalkError<E>> {
        put(&mut self.outer, node, self.leaves);
        self.plain_leaf(node, Place::Join, &ends.parents, &ends.results)
    }

    /// A leaf after which nothing is left to decide.
    fn plain_leaf(
        &mut self,
        node: u32,
        place: Place,
        parents: &[u32],
        results: &[u32],
    ) -> Result<(), WalkError<E>> {
        let ordinal = self.leaves;
        match self.leaf(node, place, parents, results)? {
            Control::None => Ok(()),
            Control::Arm(_) | Control::Count(_) => Err(WalkError::Control { ordinal }),
        }
    }

    fn leaf(
        &mut self,
        node: u32,
        place: Place,
        parents: &[u32],
        results: &[u32],
    ) -> Result<Control, WalkError<E>> {
        let ordinal = self.leaves;
        if ordinal >= LEAVES_MAX {
            return Err(WalkError::Leaves);
        }
        self.lock_parents = self.lock_parents.saturating_add(parents.len() as u64);
        if self.lock_parents > LOCK_PARENTS_MAX {
            return Err(WalkError::Parents);
        }
        self.leaves += 1;
        let iteration = &self.iteration;
        let leaf = Leaf { ordinal, node: NodeId(node), place, iteration, parents, results };
        (self.visit)(&leaf).map_err(WalkError::Refused)
    }
}

/// The entry of node `id`; the tables have one for every node of the shape.
fn at(table: &[u32], id: u32) -> u32 {
    table.get(id as usize).copied().unwrap_or_default()
}

fn put(table: &mut [u32], id: u32, ordinal: u32) {
    if let Some(slot) = table.get_mut(id as usize) {
        *slot = ordinal;
    }
}
