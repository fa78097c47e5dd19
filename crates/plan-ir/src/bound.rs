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
use schema::lock::LockError;
use schema::price::{PriceBasis, PriceError};
use schema::value::Value;

use crate::expr::{Expr, ExprId, Fragment};
use crate::graph::{NodeId, NodeKind};
use crate::interp::{Env, Meter, eval};
use crate::plan::{CompiledPlan, NodeBody, Param, PlanBody, ScopeId, SourceSpan};
use crate::topology::{GraphError, Topology, nodes};

mod calls;

pub use calls::attempts_us;
mod counts;
mod money;
mod purse;
mod scopes;
mod time;

use calls::Leg;

/// The most a plan can cost and take.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// Money, in the currency of the plan's budget.
    pub cost: Amount,
    /// Time, microseconds.
    pub latency_us: u64,
    /// Instances of nodes; at most [`schema::limits::RUN_INSTANCES_MAX`].
    pub instances: u64,
    /// Requests of calls: retries, votes, hedges, pages and fallbacks included; at most
    /// [`schema::limits::RUN_CALLS_MAX`].
    pub requests: u64,
    /// [`PriceBasis::Known`] where every price comes from a pinned rule; [`PriceBasis::Declared`] where one
    /// is only the plan's own `max_price`.
    pub basis: PriceBasis,
    /// One row per call and per fallback call, by node.
    pub contributors: Vec<Contributor>,
    /// The plan itself, then every part of it that has a budget or a deadline of its own.
    pub scopes: Vec<ScopeBound>,
    /// The calls with a budget of their own that is known, as written and as fallbacks.
    pub call_budgets: Vec<CallBudget>,
}

/// The most one execution of a call can cost, beside what it may spend.
#[derive(Clone, Debug, PartialEq)]
pub struct CallBudget {
    /// The call's node.
    pub node: NodeId,
    /// 0 for the call as written, 1 for its fallback call, and so on.
    pub level: usize,
    /// With its fallbacks and without this budget, in the budget's currency.
    pub cost: Amount,
    /// What it may spend.
    pub budget: Amount,
}

/// The part of one call, or of one fallback, in a bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Contributor {
    /// The call's node.
    pub node: NodeId,
    /// The node's label; a fallback says so.
    pub label: String,
    /// What is called, as the plan wrote it.
    pub target: String,
    /// How the cost comes about, such as `5 rivals x 4 pages x 2 attempts x 0.004 USD`.
    pub factors: String,
    /// The product of the factors, or what budgets inside the plan hold of it; in the plan's currency.
    pub cost: Amount,
    /// The outermost budget inside the plan that may be spent before everything in it is bought.
    pub purse: Option<Amount>,
    /// All its attempts and waits, times the rounds of the fan-outs around it, microseconds.
    pub latency_us: u64,
    /// Where the price comes from.
    pub basis: PriceBasis,
    /// Whether `cost` is part of the plan's: it is in no arm that a costlier one outweighs.
    pub in_cost: bool,
    /// Whether `latency_us` is part of the plan's: it is on the longest path.
    pub in_latency: bool,
    /// Where the call stands.
    pub span: SourceSpan,
}

impl Contributor {
    /// How its cost comes about and what that is: `9 urls x 0.01 USD = 0.09 USD`.
    #[must_use]
    pub fn priced(&self) -> String {
        let Self { factors, cost, .. } = self;
        match self.purse {
            Some(budget) => format!("{factors}, until a budget of {budget} is spent"),
            None if *factors == cost.to_string() => factors.clone(),
            None => format!("{factors} = {cost}"),
        }
    }
}

/// The bound of one execution of a plan or sub-plan, beside what it may spend.
#[derive(Clone, Debug, PartialEq)]
pub struct ScopeBound {
    /// The scope.
    pub scope: ScopeId,
    /// Path of `run` labels, empty for the plan itself.
    pub label: String,
    /// Money of one execution without its own budget, in the budget's currency, else in the plan's.
    pub cost: Amount,
    /// Time of one execution from the moment its inputs are there, microseconds.
    pub latency_us: u64,
    /// Its budget, where it declares one and the arguments it depends on are known.
    pub budget: Option<Amount>,
    /// Its deadline, microseconds, where it declares one.
    pub deadline_us: Option<u64>,
}

impl ScopeBound {
    /// Whether the bound is above the budget (`E0701`).
    #[must_use]
    pub fn exceeds_budget(&self) -> bool {
        self.budget.is_some_and(|budget| self.cost.units > budget.units)
    }

    /// Whether the bound is above the deadline (`E0704`).
    #[must_use]
    pub fn exceeds_deadline(&self) -> bool {
        self.deadline_us.is_some_and(|deadline| self.latency_us > deadline)
    }
}

/// Why a plan has no bound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BoundError {
    /// A fan-out with calls over a list of any length.
    #[error("`{label}` makes calls for each element of a list without an upper bound")]
    Unbounded {
        /// The fan-out.
        node: NodeId,
        /// Its label.
        label: String,
    },
    /// A call whose price cannot be bounded.
    #[error("the cost of `{target}` has no bound: {source}")]
    Price {
        /// The call.
        node: NodeId,
        /// What the plan calls.
        target: String,
        /// The operation that has no bound.
        operation: String,
        /// Why.
        source: PriceError,
    },
    /// A budget in a currency that cannot be compared with the cost.
    #[error("the budget of `{label}` cannot be compared with its cost: {source}")]
    Budget {
        /// The scope's label, empty for the plan itself.
        label: String,
        /// Why.
        source: PriceError,
    },
    /// A bound that does not fit 64 bits.
    #[error("the {what} of the plan is beyond any bound that could be meant")]
    Saturated {
        /// `cost` or `time`.
        what: &'static str,
    },
    /// More requests or steps than a run may have.
    #[error("a run can have {count} {what}, above the limit of {limit}; most come from `{label}`")]
    TooMany {
        /// The outermost node that brings most of them.
        node: NodeId,
        /// Its label.
        label: String,
        /// `requests` or `steps`.
        what: &'static str,
        /// How many, saturating.
        count: u128,
        /// How many may be.
        limit: u128,
    },
    /// A pinned entry that cannot be read.
    #[error(transparent)]
    Entry(#[from] LockError),
    /// The graph breaks a rule.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The compiled plan contradicts itself.
    #[error("the compiled plan is malformed: {0}")]
    Malformed(&'static str),
}

impl BoundError {
    /// Code of the error page.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unbounded { .. } => "E0702",
            Self::Price { .. } | Self::Budget { .. } => "E0703",
            Self::Saturated { .. } => "E0706",
            Self::TooMany { .. } => "E0709",
            Self::Entry(error) => error.code,
            Self::Graph(error) => error.code(),
            Self::Malformed(_) => "E0806",
        }
    }

    /// The node it is about, where it is about one.
    #[must_use]
    pub const fn node(&self) -> Option<NodeId> {
        match self {
            Self::Unbounded { node, .. } | Self::Price { node, .. } | Self::TooMany { node, .. } => {
                Some(*node)
            }
            _ => None,
        }
    }
}

/// The bound of `plan`. With `arguments`, one per parameter, lists and budgets that depend on nothing else
/// count as they are; without, parameters that have defaults stand for themselves in budgets, and lists
/// count with the longest that their type admits.
///
/// # Errors
/// All reasons that the plan has no bound; never empty.
pub fn bound(plan: &CompiledPlan, arguments: Option<&[Value]>) -> Result<Bound, Vec<BoundError>> {
    let topology = Topology::of(&plan.graph).map_err(|error| vec![error.into()])?;
    let count = plan.graph.nodes.len();
    if plan.body.nodes.len() != count || plan.body.node_scopes.len() != count {
        return Err(vec![BoundError::Malformed("not every node has a body and a scope")]);
    }
    let known = Known { params: &plan.body.params, arguments };
    let (legs, mut errors) = calls::legs(plan);
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
        let mut rows = Vec::new();
        for (id, node) in nodes(&self.plan.graph) {
            let (mut factors, mut rounds) = (Vec::new(), 1_u64);
            let mut in_cost = true;
            for (control, region) in self.topology.around(id) {
                in_cost &= money.counts(control, region);
                if let Some(size) = self.size(control) {
                    rounds = rounds.saturating_mul(size.rounds);
                    // A loop over one element is what `try run` is laid out as.
                    if size.elements != 1 {
                        factors.push(format!("{} {}", size.elements, self.plural(control)));
                    }
                }
            }
            factors.reverse();
            for (level, leg) in self.legs(id).iter().enumerate() {
                let mut factors = factors.clone();
                factors.extend(leg.factors());
                let (cost, purse) = self.spent_by(money, id, level, leg);
                rows.push(Contributor {
                    node: id,
                    label: if level == 0 { node.label.clone() } else { format!("{} (fallback)", node.label) },
                    target: leg.target.clone(),
                    factors: factors.join(" x "),
                    cost: Amount::new(clamp(cost), self.currency),
                    purse,
                    latency_us: clamp(leg.latency_us.saturating_mul(u128::from(rounds))),
                    basis: leg.basis,
                    in_cost,
                    in_latency: longest.get(id.0 as usize).copied().unwrap_or(false),
                    span: self.plan.debug.nodes.get(id.0 as usize).copied().unwrap_or_default(),
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
    let mut prices = legs.iter().flatten().filter(|leg| leg.price.units > 0).map(|leg| leg.price.currency);
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

/// What is known of the parameters.
struct Known<'a> {
    params: &'a [Param],
    arguments: Option<&'a [Value]>,
}

impl Known<'_> {
    fn amount(&self, body: &PlanBody, fragment: Option<&Fragment>) -> Option<Amount> {
        match eval(body, fragment?, &[], self, &mut Meter::default()) {
            Ok(Value::Amount(amount)) => Some(amount),
            _ => None,
        }
    }

    fn length(&self, body: &PlanBody, list: &Fragment) -> Option<u64> {
        match eval(body, list, &[], self, &mut Meter::default()) {
            Ok(Value::List(items)) => Some(items.len() as u64),
            _ => None,
        }
    }
}

impl Env for Known<'_> {
    fn param(&self, index: u32) -> Option<Value> {
        match self.arguments {
            Some(arguments) => arguments.get(index as usize).cloned(),
            None => self.params.get(index as usize)?.default.clone(),
        }
    }

    fn node(&self, _: NodeId) -> Option<Value> {
        None
    }

    fn item(&self, _: NodeId) -> Option<Value> {
        None
    }

    fn bound(&self, _: NodeId, _: u32) -> Option<Value> {
        None
    }
}

#[cfg(test)]
mod tests;
