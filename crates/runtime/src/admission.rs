//! Whether a run may begin: its arguments, its bound and its budget, before anything is spent.

use plan_ir::bound::{Bound, Contributor, bound};
use plan_ir::graph::NodeId;
use plan_ir::interp::{Env, Meter, eval};
use plan_ir::plan::{Fallback, NodeBody, Tolerance};
use schema::amount::Amount;
use schema::price::{PriceBasis, PriceRule};
use schema::value::Value;

use crate::core::Prepared;
use crate::error::Error;
use crate::spend::{SpendCap, unpriced};

/// What the caller and its cap admit of a run.
pub(crate) struct Limits<'a> {
    /// The most it may cost.
    pub(crate) cost_max: Option<Amount>,
    /// The most requests whose price nobody has published.
    pub(crate) unpriced_max: Option<u32>,
    /// What its tenant may spend over all its runs.
    pub(crate) cap: Option<&'a SpendCap>,
}

/// Checks what the plan may cost with these arguments against its budget and the caller's own limits. Returns what is to be
/// set aside for the run, in its currency: the most it may cost; under a cap exactly with these arguments, and with what
/// requests without a price count for beyond it.
///
/// # Errors
/// [`Error::NoLimits`], [`Error::AboveMax`], [`Error::UnpricedAboveMax`], [`Error::AboveBudget`], [`Error::Unbounded`] or [`Error::Budget`].
pub(crate) fn check(plan: &Prepared, inputs: &[Value], limits: &Limits<'_>) -> Result<Amount, Error> {
    has_limits(plan)?;
    let &Limits { cost_max, unpriced_max, cap } = limits;
    let budget = budget(plan, inputs)?;
    let general = plan.bound.as_ref().filter(|bound| {
        fits(plan, bound, budget, cost_max) && admits(unpriced_max, requests_unpriced(bound))
    });
    if let Some(general) = general.filter(|_| cap.is_none()) {
        // The usual case, and cheap.
        return Ok(general.cost);
    }
    let exact = bound(&plan.plan, Some(inputs)).map_err(|errors| {
        let first = errors.into_iter().next();
        first.map_or_else(
            || Error::Budget("its bound cannot be computed".into()),
            |error| Error::Unbounded { code: error.code().into(), message: error.to_string() },
        )
    })?;
    // What is above the budget cannot be spent, so the smaller of the two is what the run may cost.
    let may_cost = budget.filter(|budget| budget.units < exact.cost.units).unwrap_or(exact.cost);
    if let Some(cost_max) = cost_max {
        let admitted = convert(plan, cost_max)?;
        if may_cost.units > admitted.units {
            return Err(Error::AboveMax { bound: may_cost, cost_max });
        }
    }
    refuse_unpriced(plan, &exact, may_cost, unpriced_max)?;
    refuse_shortage(plan, &exact, budget)?;
    Ok(cap.map_or(may_cost, |cap| cap.reservation(may_cost, &exact)))
}

/// Refuses a plan that may make more requests without a published price than its caller admits. What they are said to cost
/// is no matter here: whoever asks counts them by something else, beside what the others of `may_cost` do.
fn refuse_unpriced(
    plan: &Prepared,
    exact: &Bound,
    may_cost: Amount,
    admitted: Option<u32>,
) -> Result<(), Error> {
    let requests = requests_unpriced(exact);
    match admitted {
        Some(admitted) if !admits(Some(admitted), requests) => {
            Err(Error::UnpricedAboveMax { requests, admitted, priced: priced(plan, exact, may_cost) })
        }
        _ => Ok(()),
    }
}

fn admits(unpriced_max: Option<u32>, requests: u64) -> bool {
    unpriced_max.is_none_or(|admitted| requests <= u64::from(admitted))
}

fn requests_unpriced(bound: &Bound) -> u64 {
    unpriced(bound).fold(0, |sum, call| sum.saturating_add(call.requests))
}

/// The most that requests with a published price may cost of `may_cost`. Of a call that operations with and without one
/// may serve that is all it may cost.
fn priced(plan: &Prepared, bound: &Bound, may_cost: Amount) -> Amount {
    let calls = bound
        .contributors
        .iter()
        .filter(|call| call.basis == PriceBasis::Known || has_price(plan, call.node));
    let units = calls.fold(0_u64, |sum, call| sum.saturating_add(call.cost.units));
    Amount::new(units.min(may_cost.units), may_cost.currency)
}

/// Whether an operation with a published price may serve the call of `node`, which is one, or a fallback of it.
fn has_price(plan: &Prepared, node: NodeId) -> bool {
    let mut candidates = plan.body(node).legs().flat_map(|spec| &spec.candidates);
    candidates.any(|candidate| {
        let operation = plan.operations.get(candidate.operation as usize);
        operation.is_none_or(|operation| operation.descriptor.price != PriceRule::Unknown)
    })
}

/// Refuses a plan whose budget may not suffice for a call that fails the plan then.
fn refuse_shortage(plan: &Prepared, exact: &Bound, budget: Option<Amount>) -> Result<(), Error> {
    let Some(budget) = budget.filter(|budget| budget.units < exact.cost.units) else { return Ok(()) };
    let unhandled = |row: &&Contributor| row.in_cost && row.cost.units > 0 && !handles(plan, row.node);
    match exact.contributors.iter().filter(unhandled).max_by_key(|row| row.cost.units) {
        None => Ok(()),
        Some(row) => {
            let part = format!("{} ({})", row.priced(), row.label);
            Err(Error::AboveBudget { bound: exact.cost, budget, part })
        }
    }
}

/// A plan that only other plans run may leave its limits to them; on its own it would have none.
pub(crate) fn has_limits(plan: &Prepared) -> Result<(), Error> {
    let body = &plan.plan.body;
    let calls = body.nodes.iter().any(|node| matches!(node, NodeBody::Call(_)));
    let Some(scope) = body.scopes.first().filter(|_| calls) else { return Ok(()) };
    let missing = match (&scope.budget, scope.deadline_us) {
        (Some(_), Some(_)) => return Ok(()),
        (None, Some(_)) => "budget",
        (Some(_), None) => "deadline",
        (None, None) => "budget and no deadline",
    };
    Err(Error::NoLimits { plan: body.name.clone(), missing })
}

fn fits(plan: &Prepared, bound: &Bound, budget: Option<Amount>, cost_max: Option<Amount>) -> bool {
    let within = |limit: Option<Amount>| match limit {
        None => true,
        Some(limit) => plan.in_run_currency(limit).is_some_and(|units| bound.cost.units <= units),
    };
    within(budget) && within(cost_max)
}

/// The plan's budget in the run's currency, with the actual arguments.
fn budget(plan: &Prepared, inputs: &[Value]) -> Result<Option<Amount>, Error> {
    let body = &plan.plan.body;
    let Some(fragment) = body.scopes.first().and_then(|scope| scope.budget.as_ref()) else { return Ok(None) };
    match eval(body, fragment, &[], &Arguments(inputs), &mut Meter::default()) {
        Ok(Value::Amount(budget)) => convert(plan, budget).map(Some),
        Ok(_) => Err(Error::Budget("it is no amount".into())),
        Err(trap) => Err(Error::Budget(trap.to_string())),
    }
}

fn convert(plan: &Prepared, amount: Amount) -> Result<Amount, Error> {
    let no_rate = || Error::Budget(format!("{amount} has no exchange rate to the plan's prices in the lock"));
    plan.in_run_currency(amount).map(|units| Amount::new(units, plan.currency)).ok_or_else(no_rate)
}

/// Whether the plan goes on where a call of `node` does not fit the budget: a value stands in for it, or
/// a loop around it goes on without the element.
fn handles(plan: &Prepared, node: NodeId) -> bool {
    let stands_in =
        |node: NodeId| plan.body(node).legs().any(|spec| matches!(spec.fallback, Some(Fallback::Value(_))));
    let goes_on = |node: NodeId| match plan.body(node) {
        NodeBody::FanOut { tolerate, .. } => *tolerate == Tolerance::All,
        _ => false,
    };
    stands_in(node) || plan.openers(node).any(goes_on)
}

struct Arguments<'a>(&'a [Value]);

impl Env for Arguments<'_> {
    fn param(&self, index: u32) -> Option<Value> {
        self.0.get(index as usize).cloned()
    }
}
