//! Which of the operations that may serve a call is asked first.

use plan_ir::plan::{CallSpec, Prefer};
use schema::amount::Amount;
use schema::price::{PriceBasis, PriceRule, WorstPrice};
use schema::route::Route;

use crate::core::{Given, Prepared};

/// An operation that may serve a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Position in the call's candidates.
    pub(crate) candidate: usize,
    /// The most one attempt costs: all pages of its answer.
    pub(crate) worst: WorstPrice,
    /// The most one page costs; the same where the answer has no pages.
    pub(crate) page: WorstPrice,
}

/// The price of so many pages; `None` beyond what an amount holds.
pub(crate) fn times(page: WorstPrice, pages: u32) -> Option<WorstPrice> {
    let units = page.amount.units.checked_mul(u64::from(pages))?;
    Some(WorstPrice { amount: Amount::new(units, page.amount.currency), ..page })
}

/// The candidates of `spec` in the order they are asked: the best by what the call prefers first, one whose price
/// or latency is not known last, else the lock's order. One that cannot be called here counts only where none can; one
/// whose price is above the call's `max_price`, or has no bound at all, never does. The same is asked of a
/// live price above the pinned one.
pub(crate) fn order(plan: &Prepared, spec: &CallSpec, given: &Given) -> Vec<Choice> {
    let admitted = spec.candidates.iter().enumerate().filter_map(|(candidate, route)| {
        let descriptor = &plan.operation(route.operation).descriptor;
        let page = worst_page(plan, &descriptor.price, spec)?;
        let worst = if descriptor.is_paged() { times(page, spec.pages)? } else { page };
        let live = given.routes.get(route.operation as usize).and_then(|route| route.price);
        let dearer = live.is_some_and(|live| is_dearer(plan, live, page.amount));
        (!dearer).then_some((Choice { candidate, worst, page }, route.operation))
    });
    let admitted: Vec<_> = admitted.collect();
    let can = |operation: u32| given.callable.get(operation as usize).copied().unwrap_or(false);
    let any = admitted.iter().any(|(_, operation)| can(*operation));
    let mut options: Vec<_> = admitted.into_iter().filter(|(_, op)| !any || can(*op)).collect();
    options.sort_by_key(|(option, operation)| rank(plan, spec.prefer, option, *operation, given));
    options.into_iter().map(|(option, _)| option).collect()
}

/// The smaller, the better; [`u64::MAX`] for a price or latency that is not known, and a half for a share.
fn rank(plan: &Prepared, prefer: Prefer, option: &Choice, operation: u32, given: &Given) -> u64 {
    let live = given.routes.get(operation as usize);
    let known = match prefer {
        Prefer::Cheapest => match option.worst.basis {
            PriceBasis::Known => plan.in_run_currency(option.worst.amount),
            _ => None,
        },
        Prefer::Fastest => {
            let pinned = plan.operation(operation).descriptor.latency.map(|figures| figures.latency_ms_p50);
            live.and_then(|live| live.latency_ms_p50).or(pinned).map(u64::from)
        }
        // Shares in parts of a billion: floats have no total order.
        Prefer::MostReliable => {
            let share = live.and_then(|live| live.success_share);
            let lost = 1.0 - share.unwrap_or_else(|| Route::success_share_of(0, 0)).clamp(0.0, 1.0);
            Some((lost * 1e9) as u64)
        }
    };
    known.unwrap_or(u64::MAX)
}

/// Whether a live price is above the one that the plan was compiled against.
fn is_dearer(plan: &Prepared, live: Amount, pinned: Amount) -> bool {
    live.convert(pinned.currency, plan.plan.body.rate).is_none_or(|live| live.units > pinned.units)
}

/// The bound of one page; `None` where the plan does not admit the price. The rule itself compares
/// prices of one currency only.
fn worst_page(plan: &Prepared, price: &PriceRule, spec: &CallSpec) -> Option<WorstPrice> {
    let worst = price.worst(spec.max_price).ok()?;
    let Some(max) = spec.max_price.filter(|max| max.currency != worst.amount.currency) else {
        return Some(worst);
    };
    let price = worst.amount.convert(max.currency, plan.plan.body.rate)?;
    (price.units <= max.units).then_some(worst)
}
