//! Bounds of the plan and of each sub-plan with limits of its own.

use super::calls::no_rate;
use super::money::Money;
use super::time::Time;
use super::{Analysis, BoundError, Known, ScopeBound};
use crate::graph::NodeId;
use crate::plan::{CompiledPlan, ScopeId};
use crate::topology::{Topology, nodes};
use schema::amount::Amount;

pub(super) fn bounds(
    analysis: &Analysis<'_>,
    money: &Money<'_>,
    time: &mut Time<'_>,
    known: &Known<'_>,
) -> (Vec<ScopeBound>, Vec<BoundError>) {
    let body = &analysis.plan.body;
    let (mut bounds, mut errors) = (Vec::new(), Vec::new());
    for ((id, scope), top) in (0_u32..).zip(&body.scopes).zip(analysis.outermost) {
        if id > 0 && scope.budget.is_none() && scope.deadline_us.is_none() {
            continue;
        }
        let cost = u64::try_from(money.scope(ScopeId(id))).map(|units| Amount::new(units, analysis.currency));
        let latency = u64::try_from(time.finish(&analysis.topology.in_completion_order(top), false));
        let (Ok(cost), Ok(latency_us)) = (cost, latency) else {
            errors.push(BoundError::Saturated { what: "cost or time" });
            continue;
        };
        let budget = known.amount(body, scope.budget.as_ref());
        let cost = match budget.map(|budget| (budget, cost.convert(budget.currency, body.rate))) {
            None => cost,
            Some((_, Some(converted))) => converted,
            Some((budget, None)) => {
                let source = no_rate(cost.currency, budget.currency);
                errors.push(BoundError::Budget { label: scope.label.clone(), source });
                continue;
            }
        };
        bounds.push(ScopeBound {
            scope: ScopeId(id),
            label: scope.label.clone(),
            cost,
            latency_us,
            budget,
            deadline_us: scope.deadline_us,
        });
    }
    (bounds, errors)
}

/// For each scope its nodes that are in no control node of the same scope: one execution of it. A
/// sub-plan stands in one region, so they are neighbours, and fan-outs around it do not multiply it.
pub(super) fn outermost(plan: &CompiledPlan, topology: &Topology) -> Result<Vec<Vec<NodeId>>, BoundError> {
    let body = &plan.body;
    let scope_of = |id: NodeId| body.node_scopes.get(id.0 as usize).copied();
    let mut outermost = vec![Vec::new(); body.scopes.len()];
    for (id, _) in nodes(&plan.graph) {
        let around = topology.place(id).and_then(|place| place.owner);
        let stop = around.and_then(|(control, _)| scope_of(control));
        let mut next = scope_of(id);
        while let Some(scope) = next.filter(|scope| Some(*scope) != stop) {
            let index = scope.0 as usize;
            outermost
                .get_mut(index)
                .ok_or(BoundError::Malformed("a node is in a scope that is not there"))?
                .push(id);
            let parent = body.scopes.get(index).and_then(|scope| scope.parent);
            if parent.is_some_and(|parent| parent >= scope) {
                return Err(BoundError::Malformed("a scope is not after the one around it"));
            }
            next = parent;
        }
    }
    Ok(outermost)
}
