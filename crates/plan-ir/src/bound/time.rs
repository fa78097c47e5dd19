//! Time: the longest path. A node starts when its region does and all its parents have finished, and
//! parents may stand outside the region, where they run beside the control node.

use super::Analysis;
use crate::graph::{NodeId, NodeKind, Region};
use crate::topology::nodes;

/// Finish times, one context at a time.
pub(super) struct Time<'a> {
    analysis: &'a Analysis<'a>,
    /// Nodes of each region in completion order.
    ordered: Vec<Vec<Vec<NodeId>>>,
    /// Time of one round of a fan-out once everything outside has finished; where it has several rounds.
    round_us: Vec<u128>,
    /// Finish of each node in the context that set it; of another context it reads as long past.
    finish: Vec<(u32, u128)>,
    context: u32,
    /// What the last recorded context waited for.
    trace: Trace,
}

/// How the longest path came about.
struct Trace {
    recording: bool,
    /// The parent that made each node start when it did; `None` where its region's start did.
    via: Vec<Option<NodeId>>,
    /// The node that finished last in the regions of each control node.
    last: Vec<Option<NodeId>>,
    /// The last node of all.
    end: Option<NodeId>,
}

impl<'a> Time<'a> {
    pub(super) fn of(analysis: &'a Analysis<'a>) -> Self {
        let graph = &analysis.plan.graph;
        let count = graph.nodes.len();
        let in_order = |region: &Region| analysis.topology.in_completion_order(&region.nodes);
        let ordered = graph.nodes.iter().map(|node| node.regions.iter().map(in_order).collect()).collect();
        let trace = Trace { recording: false, via: vec![None; count], last: vec![None; count], end: None };
        let mut time = Self {
            analysis,
            ordered,
            round_us: vec![0; count],
            finish: vec![(0, 0); count],
            context: 0,
            trace,
        };
        // Inner fan-outs first: an outer round contains all rounds of an inner one.
        for (id, node) in nodes(graph).rev() {
            let rounds = analysis.size(id).map_or(0, |size| size.rounds);
            if node.kind == NodeKind::FanOut && rounds > 1 {
                let body = time.region(id, 0);
                let round_us = time.finish(&body, false);
                if let Some(slot) = time.round_us.get_mut(id.0 as usize) {
                    *slot = round_us;
                }
            }
        }
        time
    }

    /// When the last of `ids`, in completion order, finishes, if they start at 0 and everything outside is
    /// done by then.
    pub(super) fn finish(&mut self, ids: &[NodeId], recording: bool) -> u128 {
        self.context += 1;
        self.trace.recording = recording;
        let (finish, end) = self.run(ids, 0);
        if recording {
            self.trace.end = end;
        }
        finish
    }

    /// Which nodes are on the longest path of the last recorded context.
    pub(super) fn longest_path(&self) -> Vec<bool> {
        let mut marked = vec![false; self.finish.len()];
        if let Some(end) = self.trace.end {
            self.mark(end, &mut marked);
        }
        marked
    }

    /// Marks the path back from `end` to where its region started; where the path leads out of the region
    /// instead, the node outside that it came from.
    fn mark(&self, end: NodeId, marked: &mut [bool]) -> Option<NodeId> {
        let region = |id: NodeId| self.analysis.topology.place(id).map(|place| place.owner);
        let recorded = |table: &[Option<NodeId>], id: NodeId| table.get(id.0 as usize).copied().flatten();
        let mut id = end;
        loop {
            if let Some(slot) = marked.get_mut(id.0 as usize) {
                *slot = true;
            }
            let outside = recorded(&self.trace.last, id).and_then(|last| self.mark(last, marked));
            let before = outside.or_else(|| recorded(&self.trace.via, id))?;
            if region(before) != region(end) {
                return Some(before);
            }
            id = before;
        }
    }

    fn region(&self, id: NodeId, index: usize) -> Vec<NodeId> {
        self.ordered.get(id.0 as usize).and_then(|regions| regions.get(index)).cloned().unwrap_or_default()
    }

    /// When the last of `ids` finishes, and which it is, if their region starts at `start`: of several the first of the
    /// plan.
    fn run(&mut self, ids: &[NodeId], start: u128) -> (u128, Option<NodeId>) {
        let (mut latest, mut last) = (start, None);
        for id in ids {
            let (own_start, via) = self.start(*id, start);
            let finish = self.node(*id, own_start);
            if self.trace.recording
                && let Some(slot) = self.trace.via.get_mut(id.0 as usize)
            {
                *slot = via;
            }
            if let Some(slot) = self.finish.get_mut(id.0 as usize) {
                *slot = (self.context, finish);
            }
            if finish > latest || finish == latest && last.is_some_and(|last| *id < last) {
                (latest, last) = (finish, Some(*id));
            }
        }
        (latest, last)
    }

    fn start(&self, id: NodeId, region_start: u128) -> (u128, Option<NodeId>) {
        let parents = self.analysis.plan.graph.node(id).map_or(&[][..], |node| &node.parents);
        parents.iter().fold((region_start, None), |(start, via), parent| {
            match self.finish.get(parent.0 as usize) {
                Some((context, finish)) if *context == self.context && *finish > start => {
                    (*finish, Some(*parent))
                }
                _ => (start, via),
            }
        })
    }

    fn node(&mut self, id: NodeId, start: u128) -> u128 {
        let Some(node) = self.analysis.plan.graph.node(id) else { return start };
        match node.kind {
            NodeKind::Pure | NodeKind::Ensure => start,
            NodeKind::Call => {
                let legs = self.analysis.legs(id).iter();
                legs.fold(start, |time, leg| time.saturating_add(leg.once.latency_us))
            }
            NodeKind::Branch => {
                let arms = node.regions.len();
                let mut longest = (start, None);
                for index in 0..arms {
                    let arm = self.region(id, index);
                    let (finish, last) = self.run(&arm, start);
                    if finish > longest.0 {
                        longest = (finish, last);
                    }
                }
                self.note_last(id, longest.1);
                longest.0
            }
            NodeKind::FanOut => {
                // Without calls it takes no time of its own, and still ends after all its elements wait for.
                let rounds = self.analysis.size(id).map_or(1, |size| size.rounds);
                let Some(more) = rounds.checked_sub(1) else { return start };
                let body = self.region(id, 0);
                let (first, last) = self.run(&body, start);
                self.note_last(id, last);
                // By the end of the first round everything outside that any element waits for is done.
                let round_us = self.round_us.get(id.0 as usize).copied().unwrap_or(0);
                first.saturating_add(round_us.saturating_mul(u128::from(more)))
            }
        }
    }

    fn note_last(&mut self, id: NodeId, last: Option<NodeId>) {
        if self.trace.recording
            && let Some(slot) = self.trace.last.get_mut(id.0 as usize)
        {
            *slot = last;
        }
    }
}
