//! Instances of regions: what has been computed so far, and what waits for what.

use std::collections::BTreeMap;
use std::sync::Arc;

use plan_ir::graph::NodeId;
use schema::value::Value;

use super::call::Call;
use super::fan_out::FanOut;
use super::prepared::{Prepared, RegionId};

/// Number of a region's instance within its run. Never used twice, so one that ended is known by that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FrameId(pub(crate) u32);

/// One instance of a region.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) region: RegionId,
    /// The instance around it; `None` for the root.
    pub(crate) outer: Option<FrameId>,
    /// Position of the element, in the body of a fan-out.
    pub(crate) index: u32,
    /// The element, in the body of a fan-out.
    pub(crate) item: Value,
    /// What the arm's pattern bound, in a branch.
    pub(crate) bound: Vec<Value>,
    /// One per node of the region.
    pub(crate) slots: Vec<Slot>,
    /// Nodes without a value.
    pub(crate) open: usize,
    /// Nodes of inner instances that wait for a node of this one.
    pub(crate) waiters: BTreeMap<NodeId, Vec<(FrameId, NodeId)>>,
}

/// Where a node instance stands.
#[derive(Debug)]
pub(crate) enum Slot {
    /// Waits for so many parents.
    Waiting(usize),
    /// Its arm runs.
    Branch(FrameId),
    /// Its elements run.
    FanOut(Box<FanOut>),
    /// Its call runs.
    Call(Box<Call>),
    /// It has a value.
    Done(Value),
    /// It failed or was given up.
    Failed,
}

/// All instances that have not ended.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    frames: Vec<Option<Box<Frame>>>,
}

impl Frames {
    pub(crate) fn insert(&mut self, frame: Frame) -> FrameId {
        let id = FrameId(u32::try_from(self.frames.len()).unwrap_or(u32::MAX));
        self.frames.push(Some(Box::new(frame)));
        id
    }

    pub(crate) fn next_id(&self) -> FrameId {
        FrameId(u32::try_from(self.frames.len()).unwrap_or(u32::MAX))
    }

    /// The instance of the root region, until it ends.
    pub(crate) fn root(&self) -> Option<FrameId> {
        self.get(FrameId(0)).map(|_| FrameId(0))
    }

    pub(crate) fn get(&self, id: FrameId) -> Option<&Frame> {
        self.frames.get(id.0 as usize)?.as_deref()
    }

    pub(crate) fn get_mut(&mut self, id: FrameId) -> Option<&mut Frame> {
        self.frames.get_mut(id.0 as usize)?.as_deref_mut()
    }

    pub(crate) fn remove(&mut self, id: FrameId) -> Option<Box<Frame>> {
        self.frames.get_mut(id.0 as usize)?.take()
    }

    pub(crate) fn slot_mut(&mut self, id: FrameId, position: usize) -> Option<&mut Slot> {
        self.get_mut(id)?.slots.get_mut(position)
    }

    /// The instance of `region` that encloses `frame` or is it.
    pub(crate) fn enclosing(&self, frame: FrameId, region: RegionId) -> Option<FrameId> {
        let mut next = Some(frame);
        while let Some(id) = next {
            let frame = self.get(id)?;
            if frame.region == region {
                return Some(id);
            }
            next = frame.outer;
        }
        None
    }

    /// The value of `node` as seen from `frame`.
    pub(crate) fn value(&self, plan: &Prepared, frame: FrameId, node: NodeId) -> Option<&Value> {
        let facts = plan.node(node);
        let home = self.get(self.enclosing(frame, facts.region)?)?;
        match home.slots.get(facts.position)? {
            Slot::Done(value) => Some(value),
            _ => None,
        }
    }

    /// The instance of one of `opener`'s regions that encloses `frame` or is it.
    pub(crate) fn opened_by(&self, plan: &Prepared, frame: FrameId, opener: NodeId) -> Option<&Frame> {
        let mut next = Some(frame);
        while let Some(id) = next {
            let frame = self.get(id)?;
            if plan.region(frame.region).opener == Some(opener) {
                return Some(frame);
            }
            next = frame.outer;
        }
        None
    }

    /// The positions in the fan-outs around `frame`, outermost first.
    pub(crate) fn iteration(&self, plan: &Prepared, frame: FrameId) -> Arc<[u32]> {
        let mut path = Vec::new();
        let mut next = Some(frame);
        while let Some(frame) = next.and_then(|id| self.get(id)) {
            let opener = plan.region(frame.region).opener;
            if opener.is_some_and(|node| plan.kind(node) == plan_ir::graph::NodeKind::FanOut) {
                path.push(frame.index);
            }
            next = frame.outer;
        }
        path.reverse();
        path.into()
    }
}
