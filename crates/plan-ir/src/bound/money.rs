//! Money: adds up along the plan, multiplies in a fan-out, is the largest of a branch's arms.

use super::Analysis;
use crate::graph::{NodeId, NodeKind};
use crate::topology::nodes;

/// The cost of each node, its regions included, in units of the plan's currency.
pub(super) struct Money {
    costs: Vec<u128>,
    /// The costliest region of each branch; 0 elsewhere.
    costliest: Vec<u32>,
}

impl Money {
    pub(super) fn of(analysis: &Analysis<'_>) -> Self {
        let graph = &analysis.plan.graph;
        let mut money = Self { costs: vec![0; graph.nodes.len()], costliest: vec![0; graph.nodes.len()] };
        // The nodes of a region have larger ids than its control node.
        for (id, node) in nodes(graph).rev() {
            let regions = (0_u32..).zip(&node.regions).map(|(index, r)| (money.sum(&r.nodes), index));
            let cost = match node.kind {
                NodeKind::Pure | NodeKind::Ensure => 0,
                NodeKind::Call => {
                    analysis.legs(id).iter().fold(0_u128, |sum, leg| sum.saturating_add(leg.cost()))
                }
                NodeKind::FanOut => {
                    let elements = analysis.size(id).map_or(0, |size| size.elements);
                    let each = regions.fold(0_u128, |sum, (cost, _)| sum.saturating_add(cost));
                    each.saturating_mul(u128::from(elements))
                }
                NodeKind::Branch => {
                    // Of equal arms the first.
                    let (cost, index) =
                        regions.fold((0, 0), |best, arm| if arm.0 > best.0 { arm } else { best });
                    if let Some(slot) = money.costliest.get_mut(id.0 as usize) {
                        *slot = index;
                    }
                    cost
                }
            };
            if let Some(slot) = money.costs.get_mut(id.0 as usize) {
                *slot = cost;
            }
        }
        money
    }

    /// The cost of all of `nodes`, of which none contains another.
    pub(super) fn sum(&self, nodes: &[NodeId]) -> u128 {
        nodes
            .iter()
            .filter_map(|id| self.costs.get(id.0 as usize))
            .fold(0, |sum: u128, cost| sum.saturating_add(*cost))
    }

    /// Whether the cost of this region of `control` is the one that counts.
    pub(super) fn counts(&self, control: NodeId, region: u32) -> bool {
        self.costliest.get(control.0 as usize) == Some(&region)
    }
}
