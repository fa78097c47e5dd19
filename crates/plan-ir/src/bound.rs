//! The most a plan can cost and take, before it runs.
//!
//! Money of a call is its worst price times one plus its retries, times its votes, times one plus its hedges,
//! plus its fallback; time is the timeout per attempt, which votes and hedges share, plus `backoff * 2^(k-1) + backoff` (the jitter) before retry k, plus the fallback. A
//! fan-out of N multiplies money by N and time by `ceil(N / concurrency)`. A branch counts as the
//! costliest and as the longest of its arms. Money adds up; time is the longest path. A budget inside the plan
//! holds back what would go beyond it, so no more than that counts of what it stands around. Prices are
//! converted to the plan's currency per attempt, rounding up, as the runtime does when it reserves, so
//! what is reserved never exceeds the bound.

use schema::amount::{Amount, Currency};
use schema::limits::LIST_ELEMENTS_MAX;
use schema::price::PriceBasis;
use schema::value::Value;

use crate::expr::{Expr, ExprId, Fragment};
use crate::graph::{NodeId, NodeKind};
use crate::plan::{CompiledPlan, NodeBody, PlanBody, ScopeId, descriptor};
use crate::topology::{Topology, nodes};

mod calls;
mod counts;
mod known;
mod money;
mod purse;
mod result;
mod scopes;
mod time;

pub use calls::{Charges, ChargesOf, attempts_us};
pub use result::{Bound, BoundError, CallBudget, Contributor, ScopeBound};

use calls::Leg;
use known::Known;

/// The bound of `plan`. With `arguments`, one per parameter, lists and budgets that depend on nothing else
/// count as they are; without, parameters that have defaults stand for themselves in budgets, and lists
/// count with the longest that their type admits.
///
/// # Errors
/// All reasons that the plan has no bound; never empty.
pub fn bound(plan: &CompiledPlan, arguments: Option<&[Value]>) -> Result<Bound, Vec<BoundError>> {
    bound_by(plan, arguments, &|operation| descriptor(operation).map(|operation| Charges::from(&operation)))
}

/// As [`bound`], by what `charges_of` says of the operations instead of their entries in the plan: for who has read those.
///
/// # Errors
/// As [`bound`].
pub fn bound_by(
    plan: &CompiledPlan,
    arguments: Option<&[Value]>,
    charges_of: &ChargesOf<'_>,
) -> Result<Bound, Vec<BoundError>> {
    let topology = Topology::of(&plan.graph).map_err(|error| vec![error.into()])?;
    let count = plan.graph.nodes.len();
    if plan.body.nodes.len() != count || plan.body.node_scopes.len() != count {
        return Err(vec![BoundError::Malformed("not every node has a body and a scope")]);
    }
    let known = Known { params: &plan.body.params, arguments };
    let (legs, mut errors) = calls::legs(plan, charges_of);
    let currency = currency(plan, &known, &legs);
    let legs = calls::priced(plan, legs, currency, &mut errors);
    let busy = busy_nodes(plan);
    let given = arguments.is_some().then_some(&known);
    let sizes = fan_out_sizes(plan, &busy, given, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    let outermost = scopes::outermost(plan, &topology).map_err(|error| vec![error])?;
    let counts = counts::by_node(plan, &legs, given);
    let purses = purse::Purses::of(plan, &legs, &counts, &outermost, given, currency);
    let analysis = Analysis {
        plan,
        topology: &topology,
        legs: &legs,
        sizes: &sizes,
        outermost: &outermost,
        purses: &purses,
        currency,
    };
    let mut bound = analysis.bound(&known)?;
    let counts = counts::total(plan, &counts).map_err(|error| vec![error])?;
    // Both are within their limits.
    (bound.instances, bound.requests) = (clamp(counts.instances), clamp(counts.requests));
    Ok(bound)
}

/// What the parts of the analysis share.
struct Analysis<'a> {
    plan: &'a CompiledPlan,
    topology: &'a Topology,
    /// The call and its fallbacks, by node.
    legs: &'a [Vec<Leg>],
    /// Fan-outs with calls, by node.
    sizes: &'a [Option<FanOutSize>],
    /// By scope its nodes that are in no other node of it.
    outermost: &'a [Vec<NodeId>],
    purses: &'a purse::Purses,
    currency: Currency,
}

/// How often a fan-out runs its region.
#[derive(Clone, Copy, Debug)]
struct FanOutSize {
    elements: u64,
    /// `ceil(elements / concurrency)`.
    rounds: u64,
}

impl Analysis<'_> {
    fn bound(&self, known: &Known<'_>) -> Result<Bound, Vec<BoundError>> {
        let money = money::Money::of(self);
        let mut time = time::Time::of(self);
        let root = self.topology.in_completion_order(&self.plan.graph.root.nodes);
        let latency_us = time.finish(&root, true);
        let longest = time.longest_path();
        let cost = money.scope(ScopeId(0));
        let (scopes, mut errors) = scopes::bounds(self, &money, &mut time, known);
        let cost = u64::try_from(cost).map_err(|_| errors.push(BoundError::Saturated { what: "cost" }));
        let latency_us =
            u64::try_from(latency_us).map_err(|_| errors.push(BoundError::Saturated { what: "time" }));
        match (cost, latency_us) {
            (Ok(units), Ok(latency_us)) if errors.is_empty() => {
                let contributors = self.contributors(&money, &longest);
                let declared = contributors.iter().any(|row| row.basis == PriceBasis::Declared);
                let call_budgets = self.call_budgets();
                Ok(Bound {
                    cost: Amount::new(units, self.currency),
                    latency_us,
                    instances: 0,
                    requests: 0,
                    basis: if declared { PriceBasis::Declared } else { PriceBasis::Known },
                    contributors,
                    scopes,
                    call_budgets,
                })
            }
            _ => Err(errors),
        }
    }

    fn call_budgets(&self) -> Vec<CallBudget> {
        let rate = self.plan.body.rate;
        let calls = (0_u32..).map(NodeId).zip(self.legs);
        let levels = calls.flat_map(|(node, legs)| {
            self.purses.of_call(node, legs).filter_map(move |(level, purse, cost)| {
                // A purse has a rate to its currency, where it needs one.
                let cost = Amount::new(clamp(cost), self.currency).convert(purse.budget.currency, rate)?;
                Some(CallBudget { node, level, cost, budget: purse.budget })
            })
        });
        levels.collect()
    }

    fn scope_of(&self, id: NodeId) -> ScopeId {
        self.plan.body.node_scopes.get(id.0 as usize).copied().unwrap_or(ScopeId(0))
    }

    /// The scope around a scope; it has a smaller id.
    fn parent(&self, scope: ScopeId) -> Option<ScopeId> {
        self.plan.body.scopes.get(scope.0 as usize)?.parent.filter(|parent| *parent < scope)
    }

    fn size(&self, id: NodeId) -> Option<FanOutSize> {
        self.sizes.get(id.0 as usize).copied().flatten()
    }

    fn legs(&self, id: NodeId) -> &[Leg] {
        self.legs.get(id.0 as usize).map_or(&[], Vec::as_slice)
    }

    fn contributors(&self, money: &money::Money<'_>, longest: &[bool]) -> Vec<Contributor> {
        let mut rows = Vec::with_capacity(self.legs.iter().map(Vec::len).sum());
        for (id, node) in nodes(&self.plan.graph) {
            let (mut loops, mut rounds, mut elements) = (Vec::new(), 1_u64, 1_u128);
            let mut turns = Vec::new();
            let mut in_cost = true;
            for (control, region) in self.topology.around(id) {
                in_cost &= money.counts(control, region);
                if let Some(size) = self.size(control) {
                    rounds = rounds.saturating_mul(size.rounds);
                    elements = elements.saturating_mul(u128::from(size.elements));
                    // A loop over one element is what `try run` is laid out as.
                    if size.elements != 1 {
                        loops.push(format!("{} {} x ", size.elements, self.plural(control)));
                    }
                    if size.rounds != 1 {
                        turns.push(format!("{} rounds of {} x ", size.rounds, self.plural(control)));
                    }
                }
            }
            loops.reverse();
            turns.reverse();
            for (level, leg) in self.legs(id).iter().enumerate() {
                let (cost, purse) = self.spent_by(money, id, level, leg);
                rows.push(Contributor {
                    node: id,
                    label: if level == 0 { node.label.clone() } else { format!("{} (fallback)", node.label) },
                    target: leg.target.clone(),
                    cost: Amount::new(clamp(cost), self.currency),
                    requests: clamp(leg.sent().saturating_mul(elements)),
                    purse,
                    latency_us: clamp(leg.once.latency_us.saturating_mul(u128::from(rounds))),
                    basis: leg.basis,
                    in_cost,
                    in_latency: longest.get(id.0 as usize).copied().unwrap_or(false),
                    span: self.plan.debug.nodes.get(id.0 as usize).copied().unwrap_or_default(),
                    how: result::How { loops: loops.concat(), turns: turns.concat(), once: leg.once },
                });
            }
        }
        rows
    }

    /// What one leg can cost in the whole plan, and the outermost purse around it that may run out. From the
    /// inside out: loops multiply, purses hold back.
    fn spent_by(
        &self,
        money: &money::Money<'_>,
        id: NodeId,
        level: usize,
        leg: &Leg,
    ) -> (u128, Option<Amount>) {
        let own = self
            .purses
            .of_call(id, self.legs(id))
            .filter(|(at, purse, most)| *at <= level && purse.units < *most);
        let mut own: Vec<&purse::Purse> = own.map(|(_, purse, _)| purse).collect();
        own.reverse();
        let (mut cost, mut scope) = (leg.cost(), self.scope_of(id));
        let mut last = None;
        let mut hold = |cost: &mut u128, purse: &purse::Purse| {
            *cost = purse.units.min(*cost);
            last = Some(purse.budget);
        };
        own.into_iter().for_each(|purse| hold(&mut cost, purse));
        let loops = self
            .topology
            .around(id)
            .map(|(control, _)| (self.scope_of(control), self.size(control).map_or(1, |size| size.elements)));
        for (around, elements) in loops.chain([(ScopeId(0), 1)]) {
            while scope > around {
                money.binding(scope).into_iter().for_each(|purse| hold(&mut cost, purse));
                scope = self.parent(scope).unwrap_or(around);
            }
            cost = cost.saturating_mul(u128::from(elements));
        }
        (cost, last)
    }

    /// What a fan-out goes over, in the plural as it was named: the parameter, or the fan-out itself.
    fn plural(&self, id: NodeId) -> &str {
        let list = match self.plan.body.nodes.get(id.0 as usize) {
            Some(NodeBody::FanOut { list, .. }) => list.body,
            _ => return "elements",
        };
        let label = self.plan.graph.node(id).map_or("elements", |node| node.label.as_str());
        let own = label.rsplit('.').next().unwrap_or(label);
        match unconverted(&self.plan.body, list) {
            Some(Expr::Param(index)) => {
                self.plan.body.params.get(*index as usize).map_or(own, |param| param.name.as_str())
            }
            _ => own,
        }
    }
}

/// The expression below casts and widenings.
fn unconverted(body: &PlanBody, mut id: ExprId) -> Option<&Expr> {
    loop {
        match body.exprs.get(id)? {
            // Operands have smaller ids, which also ends this loop on a table that lies.
            Expr::Cast(inner) | Expr::Widen(inner, _) if *inner < id => id = *inner,
            other => return Some(other),
        }
    }
}

fn clamp(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// The currency of the plan's budget; without one that of all prices, else dollars.
fn currency(plan: &CompiledPlan, known: &Known<'_>, legs: &[Vec<Leg>]) -> Currency {
    let budget = plan.body.scopes.first().and_then(|scope| known.amount(&plan.body, scope.budget.as_ref()));
    let mut prices =
        legs.iter().flatten().filter(|leg| leg.once.price.units > 0).map(|leg| leg.once.price.currency);
    match (budget, prices.next()) {
        (Some(budget), _) => budget.currency,
        (None, Some(first)) if prices.all(|other| other == first) => first,
        _ => Currency::MicroUsd,
    }
}

/// Whether a node makes calls, itself or in its regions.
fn busy_nodes(plan: &CompiledPlan) -> Vec<bool> {
    let mut busy = vec![false; plan.graph.nodes.len()];
    // The nodes of a region have larger ids than its control node.
    for (id, node) in nodes(&plan.graph).rev() {
        let inside = node.regions.iter().flat_map(|region| &region.nodes);
        let calls = node.kind == NodeKind::Call
            || inside.into_iter().any(|inner| busy.get(inner.0 as usize).copied().unwrap_or(false));
        if let Some(slot) = busy.get_mut(id.0 as usize) {
            *slot = calls;
        }
    }
    busy
}

fn fan_out_sizes(
    plan: &CompiledPlan,
    busy: &[bool],
    known: Option<&Known<'_>>,
    errors: &mut Vec<BoundError>,
) -> Vec<Option<FanOutSize>> {
    let mut sizes = vec![None; plan.graph.nodes.len()];
    for (((id, node), body), slot) in nodes(&plan.graph).zip(&plan.body.nodes).zip(&mut sizes) {
        let NodeBody::FanOut { list, concurrency, .. } = body else { continue };
        if !busy.get(id.0 as usize).copied().unwrap_or(false) {
            continue;
        }
        match elements_max(plan, list, known) {
            Some(elements) => {
                let at_once = concurrency.map_or(LIST_ELEMENTS_MAX as u64, u64::from).max(1);
                *slot = Some(FanOutSize { elements, rounds: elements.div_ceil(at_once) });
            }
            None => errors.push(BoundError::Unbounded { node: id, label: node.label.clone() }),
        }
    }
    sizes
}

/// The longest that a list can be: as it is where the parameters say it, else as its type has it.
fn elements_max(plan: &CompiledPlan, list: &Fragment, known: Option<&Known<'_>>) -> Option<u64> {
    let by_type = || plan.body.exprs.ty(list.body).and_then(schema::types::Type::elements_max);
    known.and_then(|known| known.length(&plan.body, list)).or_else(by_type)
}

#[cfg(test)]
mod tests;
