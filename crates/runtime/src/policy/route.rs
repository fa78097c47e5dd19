//! Which of the operations that may serve a call is asked first.

use plan_ir::plan::CallSpec;
use schema::price::{PriceBasis, PriceRule, WorstPrice};

use crate::core::Prepared;

/// An operation that may serve a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Position in the call's candidates.
    pub(crate) candidate: usize,
    /// The most one attempt costs.
    pub(crate) worst: WorstPrice,
}

/// The candidates of `spec` in the order they are tried: known prices first and cheapest first, then the
/// lock's order. One that cannot be called here (`callable`, by operation) counts only where none can; one
/// whose price is above the call's `max_price`, or has no bound at all, never does.
pub(crate) fn order(plan: &Prepared, spec: &CallSpec, callable: &[bool]) -> Vec<Choice> {
    let admitted = spec.candidates.iter().enumerate().filter_map(|(candidate, route)| {
        let price = &plan.operation(route.operation).descriptor.price;
        worst(plan, price, spec).map(|worst| (Choice { candidate, worst }, route.operation))
    });
    let admitted: Vec<_> = admitted.collect();
    let can = |operation: u32| callable.get(operation as usize).copied().unwrap_or(false);
    let any = admitted.iter().any(|(_, operation)| can(*operation));
    let mut options: Vec<_> =
        admitted.into_iter().filter(|(_, op)| !any || can(*op)).map(|(option, _)| option).collect();
    options.sort_by_key(|option| match option.worst.basis {
        PriceBasis::Known => plan.in_run_currency(option.worst.amount).unwrap_or(u64::MAX),
        _ => u64::MAX,
    });
    options
}

/// The bound of one attempt; `None` where the plan does not admit the price. The rule itself compares
/// prices of one currency only.
fn worst(plan: &Prepared, price: &PriceRule, spec: &CallSpec) -> Option<WorstPrice> {
    let worst = price.worst(spec.max_price).ok()?;
    let Some(max) = spec.max_price.filter(|max| max.currency != worst.amount.currency) else {
        return Some(worst);
    };
    let price = worst.amount.convert(max.currency, plan.plan.body.rate)?;
    (price.units <= max.units).then_some(worst)
}
