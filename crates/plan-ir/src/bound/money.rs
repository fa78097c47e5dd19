//! Money: adds up along the plan, multiplies in a fan-out, is the largest of a branch's arms, and is never more
//! than a purse around it holds.

use std::collections::BTreeMap;

use super::Analysis;
use super::purse::{Purse, within};
use crate::graph::{NodeId, NodeKind};
use crate::plan::ScopeId;
use crate::topology::nodes;

/// Costs in units of the plan's currency.
pub(super) struct Money<'a> {
    analysis: &'a Analysis<'a>,
    /// Of each node, its regions included.
    costs: Vec<u128>,
    /// Of one execution of each scope, without its own purse.
    scopes: Vec<u128>,
    /// The costliest region of each branch; 0 elsewhere.
    costliest: Vec<u32>,
}

impl<'a> Money<'a> {
    pub(super) fn of(analysis: &'a Analysis<'a>) -> Self {
        let graph = &analysis.plan.graph;
        let count = graph.nodes.len();
        let mut money =
            Self { analysis, costs: vec![0; count], scopes: Vec::new(), costliest: vec![0; count] };
        // The nodes of a region have larger ids than its control node.
        for (id, node) in nodes(graph).rev() {
            let regions = (0_u32..).zip(&node.regions);
            let regions =
                regions.map(|(index, region)| (money.sum(&region.nodes, analysis.scope_of(id)), index));
            let cost = match node.kind {
                NodeKind::Pure | NodeKind::Ensure => 0,
                NodeKind::Call => analysis.purses.call(id, analysis.legs(id)),
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
        let scopes = (0_u32..).map(ScopeId).zip(analysis.outermost);
        money.scopes = scopes.map(|(scope, nodes)| money.sum(nodes, scope)).collect();
        money
    }

    /// One execution of a scope, without its own purse.
    pub(super) fn scope(&self, scope: ScopeId) -> u128 {
        self.scopes.get(scope.0 as usize).copied().unwrap_or(0)
    }

    /// The purse of a scope, if all that is in it can cost more.
    pub(super) fn binding(&self, scope: ScopeId) -> Option<&'a Purse> {
        self.analysis.purses.scope(scope).filter(|purse| purse.units < self.scope(scope))
    }

    /// Whether the cost of this region of `control` is the one that counts.
    pub(super) fn counts(&self, control: NodeId, region: u32) -> bool {
        self.costliest.get(control.0 as usize) == Some(&region)
    }

    /// The cost of `nodes`, of which none contains another, in the purses that are inside `around`. All of
    /// a purse's outermost nodes are neighbours.
    fn sum(&self, nodes: &[NodeId], around: ScopeId) -> u128 {
        let mut by_scope = BTreeMap::new();
        for id in nodes {
            let cost = self.costs.get(id.0 as usize).copied().unwrap_or(0);
            add(&mut by_scope, self.analysis.scope_of(*id), cost);
        }
        // A scope has a larger id than the one around it.
        let mut total = 0_u128;
        while let Some((scope, cost)) = by_scope.pop_last() {
            match self.analysis.parent(scope).filter(|_| scope > around) {
                Some(parent) => add(&mut by_scope, parent, within(self.analysis.purses.scope(scope), cost)),
                None => total = total.saturating_add(cost),
            }
        }
        total
    }
}

fn add(by_scope: &mut BTreeMap<ScopeId, u128>, scope: ScopeId, cost: u128) {
    let sum = by_scope.entry(scope).or_default();
    *sum = sum.saturating_add(cost);
}
