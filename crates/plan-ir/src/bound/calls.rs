//! What one call can cost and take.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use schema::amount::{Amount, Currency, Rate};
use schema::lock::LockError;
use schema::operation::OperationDescriptor;
use schema::price::{PriceBasis, PriceError, PriceRule, WorstPrice};

use super::{BoundError, clamp};
use crate::explain::time;
use crate::graph::NodeId;
use crate::plan::{CallSpec, CompiledPlan, PinnedOperation};

/// What is wrong with a plan that says of a call what it does not pin.
const NOT_PINNED: &str = "a call names an operation that is not pinned";

/// A call or one of its fallbacks.
#[derive(Clone, Debug)]
pub(super) struct Leg {
    pub(super) target: String,
    pub(super) once: Once,
    /// The worst price of a page or of a request, in units of the plan's currency.
    pub(super) units: u64,
    pub(super) basis: PriceBasis,
}

/// What one execution of a call or of a fallback is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Once {
    /// Attempts at most.
    attempts: u64,
    /// Votes of an attempt; 1 where nothing is voted on.
    votes: u64,
    /// Requests of a vote: itself and what hedges it.
    requests: u64,
    /// Pages of a request, each charged; 1 where the answer has none.
    pages: u64,
    /// The worst price of a page or of a request, in its own currency.
    pub(super) price: Amount,
    /// Timeout of an attempt.
    timeout_us: u64,
    /// All attempts and the waits between them.
    pub(super) latency_us: u128,
}

impl Leg {
    /// All requests at most, one per page.
    pub(super) fn sent(&self) -> u128 {
        let Once { attempts, votes, requests, pages, .. } = self.once;
        let factors = [attempts, votes, requests, pages];
        factors.into_iter().fold(1, |product: u128, factor| product.saturating_mul(u128::from(factor)))
    }

    /// In units of the plan's currency.
    pub(super) fn cost(&self) -> u128 {
        self.sent().saturating_mul(u128::from(self.units))
    }
}

impl Once {
    /// Adds how the cost of one call comes about: `2 attempts x 5 votes x 0.01 USD`.
    pub(super) fn add_factors(&self, text: &mut String) {
        let counted = [
            (self.attempts, "attempts"),
            (self.votes, "votes"),
            (self.requests, "requests"),
            (self.pages, "pages"),
        ];
        // Writing to a string does not fail.
        for (count, what) in counted.into_iter().filter(|(count, _)| *count > 1) {
            let _ = write!(text, "{count} {what} x ");
        }
        let _ = write!(text, "{}", self.price);
    }

    /// Adds how the time of one call comes about, in brackets where it is a sum and `text` holds factors of it:
    /// `2 attempts x 4 s + waits of 0.4 s`.
    pub(super) fn add_times(&self, text: &mut String) {
        let attempts = u128::from(self.timeout_us).saturating_mul(u128::from(self.attempts));
        let waits = self.latency_us.saturating_sub(attempts);
        let mut own = match self.attempts {
            1 => String::new(),
            count => format!("{count} attempts x "),
        };
        own.push_str(&time(self.timeout_us));
        if waits > 0 {
            // Writing to a string does not fail.
            let _ = write!(own, " + waits of {}", time(clamp(waits)));
        }
        text.push_str(&if waits > 0 && !text.is_empty() { format!("({own})") } else { own });
    }
}

/// The legs of each node, prices in their own currencies.
pub(super) fn legs(plan: &CompiledPlan, charges_of: &ChargesOf<'_>) -> (Vec<Vec<Leg>>, Vec<BoundError>) {
    let mut entries = Entries {
        operations: &plan.body.operations,
        rate: plan.body.rate,
        charges_of,
        entries: BTreeMap::new(),
    };
    let mut errors = Vec::new();
    let legs = (0_u32..)
        .zip(&plan.body.nodes)
        .map(|(id, body)| {
            let mut legs = Vec::new();
            for spec in body.legs() {
                match entries.leg(NodeId(id), spec) {
                    Ok(leg) => legs.push(leg),
                    Err(error) => errors.push(error),
                }
            }
            legs
        })
        .collect();
    (legs, errors)
}

/// The same legs with prices converted to `currency`.
pub(super) fn priced(
    plan: &CompiledPlan,
    mut legs: Vec<Vec<Leg>>,
    currency: Currency,
    errors: &mut Vec<BoundError>,
) -> Vec<Vec<Leg>> {
    for (id, legs) in (0_u32..).zip(&mut legs) {
        for leg in legs {
            match leg.once.price.convert(currency, plan.body.rate) {
                Some(amount) => leg.units = amount.units,
                None if leg.once.price.units == 0 => leg.units = 0,
                None if plan.body.rate.is_some() => errors.push(BoundError::Saturated { what: "cost" }),
                None => errors.push(BoundError::Price {
                    node: NodeId(id),
                    target: leg.target.clone(),
                    operation: leg.target.clone(),
                    source: no_rate(leg.once.price.currency, currency),
                }),
            }
        }
    }
    legs
}

pub(super) const fn no_rate(from: Currency, to: Currency) -> PriceError {
    PriceError::NoRate { from: from.symbol(), to: to.symbol() }
}

/// What a bound goes by of an operation.
#[derive(Clone, Debug)]
pub struct Charges {
    price: PriceRule,
    is_paged: bool,
}

impl From<&OperationDescriptor> for Charges {
    fn from(operation: &OperationDescriptor) -> Self {
        Self { price: operation.price.clone(), is_paged: operation.is_paged() }
    }
}

/// Who knows the charges of the operations that a plan pins.
pub type ChargesOf<'a> = dyn Fn(&PinnedOperation) -> Result<Charges, LockError> + 'a;

/// What matters here of the plan's operations; each is asked for once.
struct Entries<'a> {
    operations: &'a [PinnedOperation],
    rate: Option<Rate>,
    charges_of: &'a ChargesOf<'a>,
    entries: BTreeMap<u32, Charges>,
}

impl Entries<'_> {
    fn leg(&mut self, node: NodeId, spec: &CallSpec) -> Result<Leg, BoundError> {
        spec.candidates.iter().try_for_each(|candidate| self.read(candidate.operation))?;
        let price = self.worst_candidate(node, spec)?;
        let once = Once {
            attempts: u64::from(spec.retry.max) + 1,
            votes: spec.quorum.as_ref().map_or(1, |quorum| u64::from(quorum.of)),
            requests: 1 + spec.hedge.map_or(0, |hedge| u64::from(hedge.max)),
            pages: self.pages(spec)?,
            price: price.amount,
            timeout_us: spec.timeout_us,
            latency_us: attempts_us(spec),
        };
        Ok(Leg { target: spec.target.clone(), once, units: 0, basis: price.basis })
    }

    /// The dearest of the operations that may serve the call. One whose pinned price is above `max_price`
    /// may not: the runtime never routes to it.
    fn worst_candidate(&self, node: NodeId, spec: &CallSpec) -> Result<WorstPrice, BoundError> {
        let (mut worst, mut refused) = (None, None);
        for candidate in &spec.candidates {
            let rule = &self.entry(candidate.operation)?.price;
            let price_error = |source| BoundError::Price {
                node,
                target: spec.target.clone(),
                operation: self
                    .operations
                    .get(candidate.operation as usize)
                    .map_or_else(String::new, |operation| operation.id.clone()),
                source,
            };
            match worst_price(rule, spec.max_price, self.rate) {
                Ok(price) => worst = Some(dearer(worst, price, self.rate).map_err(price_error)?),
                Err(error @ PriceError::AboveMax { .. }) => refused = Some(price_error(error)),
                Err(error) => return Err(price_error(error)),
            }
        }
        worst.ok_or_else(|| refused.unwrap_or(BoundError::Malformed("a call has no operation to serve it")))
    }

    /// Pages that are charged at most: those the call reads, where an operation that may serve it has any.
    fn pages(&self, spec: &CallSpec) -> Result<u64, BoundError> {
        let mut pages = 1;
        for candidate in &spec.candidates {
            if self.entry(candidate.operation)?.is_paged {
                pages = u64::from(spec.pages);
            }
        }
        Ok(pages)
    }

    /// The charges of an operation, which [`Self::read`] has read.
    fn entry(&self, operation: u32) -> Result<&Charges, BoundError> {
        self.entries.get(&operation).ok_or(BoundError::Malformed(NOT_PINNED))
    }

    /// Sees to it that the charges of an operation are known.
    fn read(&mut self, operation: u32) -> Result<(), BoundError> {
        if self.entries.contains_key(&operation) {
            return Ok(());
        }
        let pinned = self.operations.get(operation as usize).ok_or(BoundError::Malformed(NOT_PINNED))?;
        let charges = (self.charges_of)(pinned)?;
        self.entries.insert(operation, charges);
        Ok(())
    }
}

/// [`PriceRule::worst`], with `max_price` compared across currencies too.
fn worst_price(
    rule: &PriceRule,
    max_price: Option<Amount>,
    rate: Option<Rate>,
) -> Result<WorstPrice, PriceError> {
    let worst = rule.worst(max_price)?;
    match max_price {
        Some(max) if max.currency != worst.amount.currency => {
            let converted = worst.amount.convert(max.currency, rate);
            match converted.ok_or_else(|| no_rate(worst.amount.currency, max.currency))? {
                price if price.units > max.units => Err(PriceError::AboveMax { price, max_price: max }),
                _ => Ok(worst),
            }
        }
        _ => Ok(worst),
    }
}

fn dearer(a: Option<WorstPrice>, b: WorstPrice, rate: Option<Rate>) -> Result<WorstPrice, PriceError> {
    let Some(a) = a else { return Ok(b) };
    if a.amount.units == 0 {
        return Ok(WorstPrice { basis: a.basis.max(b.basis), ..b });
    }
    if b.amount.units == 0 {
        return Ok(a);
    }
    let same = b.amount.convert(a.amount.currency, rate);
    let same = same.ok_or_else(|| no_rate(b.amount.currency, a.amount.currency))?;
    // Of equal prices the less certain one decides what the bound rests on.
    Ok(if (same.units, b.basis) > (a.amount.units, a.basis) { b } else { a })
}

/// The longest that the attempts of one level of a call take, with the waits between them, microseconds.
#[must_use]
pub fn attempts_us(spec: &CallSpec) -> u128 {
    let retries = spec.retry.max;
    let attempts = u128::from(spec.timeout_us).saturating_mul(u128::from(retries) + 1);
    // The sum over k = 1 ..= retries of backoff * 2^(k-1) + backoff.
    let doubling = 1_u128.checked_shl(retries).map_or(u128::MAX, |power| power - 1);
    let waits =
        u128::from(spec.retry.backoff_us).saturating_mul(doubling.saturating_add(u128::from(retries)));
    attempts.saturating_add(waits)
}
