//! How many node instances and requests a run can have: both add up along the plan, multiply in a fan-out
//! and are the largest of a branch's arms, as money does. A run holds every instance in memory and gives
//! each a leaf in its proof, so these are bounded even where nothing costs anything.

use schema::limits::{RUN_CALLS_MAX, RUN_INSTANCES_MAX};

use super::{BoundError, Known, calls::Leg};
use crate::graph::{NodeId, NodeKind};
use crate::plan::{CompiledPlan, NodeBody};
use crate::topology::nodes;

/// Instances and requests, saturating.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Instances of nodes. A fan-out over a list without an upper bound counts with no element: the run
    /// itself counts those.
    pub(super) instances: u128,
    /// Requests of calls: retries, votes, hedges, pages and fallbacks included.
    pub(super) requests: u128,
}

impl Counts {
    fn plus(self, other: Self) -> Self {
        Self {
            instances: self.instances.saturating_add(other.instances),
            requests: self.requests.saturating_add(other.requests),
        }
    }

    fn times(self, elements: u64) -> Self {
        let elements = u128::from(elements);
        Self {
            instances: self.instances.saturating_mul(elements),
            requests: self.requests.saturating_mul(elements),
        }
    }

    fn larger(self, other: Self) -> Self {
        Self { instances: self.instances.max(other.instances), requests: self.requests.max(other.requests) }
    }
}

/// The counts of the whole plan.
///
/// # Errors
/// [`BoundError::TooMany`] above [`RUN_INSTANCES_MAX`] or [`RUN_CALLS_MAX`].
pub(super) fn total(plan: &CompiledPlan, by_node: &[Counts]) -> Result<Counts, BoundError> {
    let root = &plan.graph.root.nodes;
    let total = sum(by_node, root);
    let limits = [
        ("requests", u128::from(RUN_CALLS_MAX), (|counts| counts.requests) as fn(Counts) -> u128),
        ("steps", u128::from(RUN_INSTANCES_MAX), |counts| counts.instances),
    ];
    for (what, limit, count) in limits {
        if count(total) > limit {
            // The outermost step that brings most of them; of equal ones the first.
            let culprit = root.iter().rev().max_by_key(|id| count(at(by_node, **id))).copied();
            let node = culprit.unwrap_or(NodeId(0));
            let label = plan.graph.node(node).map(|node| node.label.clone()).unwrap_or_default();
            return Err(BoundError::TooMany { node, label, what, count: count(total), limit });
        }
    }
    Ok(total)
}

/// The counts of each node, its regions included.
pub(super) fn by_node(plan: &CompiledPlan, legs: &[Vec<Leg>], known: Option<&Known<'_>>) -> Vec<Counts> {
    let mut counts = vec![Counts::default(); plan.graph.nodes.len()];
    // The nodes of a region have larger ids than its control node.
    for (id, node) in nodes(&plan.graph).rev() {
        let mut own = Counts { instances: 1, requests: 0 };
        let regions = node.regions.iter().map(|region| sum(&counts, &region.nodes));
        match node.kind {
            NodeKind::Pure | NodeKind::Ensure => {}
            NodeKind::Call => {
                let legs = legs.get(id.0 as usize).map_or(&[][..], Vec::as_slice);
                own.requests = legs.iter().map(Leg::sent).fold(0, u128::saturating_add);
            }
            NodeKind::FanOut => {
                let each = regions.fold(Counts::default(), Counts::plus);
                own = own.plus(each.times(elements(plan, id, known)));
            }
            NodeKind::Branch => own = own.plus(regions.fold(Counts::default(), Counts::larger)),
        }
        if let Some(slot) = counts.get_mut(id.0 as usize) {
            *slot = own;
        }
    }
    counts
}

/// The longest list a fan-out can go over; 0 where nothing bounds it.
fn elements(plan: &CompiledPlan, id: NodeId, known: Option<&Known<'_>>) -> u64 {
    match plan.body.nodes.get(id.0 as usize) {
        Some(NodeBody::FanOut { list, .. }) => super::elements_max(plan, list, known).unwrap_or(0),
        _ => 0,
    }
}

fn at(counts: &[Counts], id: NodeId) -> Counts {
    counts.get(id.0 as usize).copied().unwrap_or_default()
}

/// The counts of `nodes`, of which none contains another.
pub(super) fn sum(counts: &[Counts], nodes: &[NodeId]) -> Counts {
    nodes.iter().fold(Counts::default(), |total, id| total.plus(at(counts, *id)))
}
