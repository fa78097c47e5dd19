//! What a tenant may spend over all its runs, and what it has spent: reserved when a run is admitted, settled when it
//! ends.

use std::collections::BTreeMap;

use plan_ir::bound::{Bound, Contributor};
use schema::amount::{Amount, Currency};
use schema::price::{PriceBasis, PriceRule, unpriced_min};
use store::ViewScan;

use crate::core::Prepared;
use crate::error::Error;
use crate::handle::Shared;
use crate::rows;
use crate::view::{CostRow, Run, RunId};

/// Rows read at once.
const PAGE_ROWS: usize = 500;

/// The most that all runs of a tenant may cost together, by currency. In a currency that it does not name nothing may
/// be spent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpendCap {
    max: BTreeMap<Currency, u64>,
    unpriced_min: BTreeMap<Currency, u64>,
}

impl SpendCap {
    /// A cap of these amounts; of two in one currency the last counts.
    #[must_use]
    pub fn new(amounts: impl IntoIterator<Item = Amount>) -> Self {
        let by_currency = |amount: Amount| (amount.currency, amount.units);
        Self {
            max: amounts.into_iter().map(by_currency).collect(),
            unpriced_min: [Currency::MicroUsd, Currency::Rao].map(unpriced_min).map(by_currency).into(),
        }
    }

    /// The same, where a request whose price nobody has published counts for `amount` at least.
    #[must_use]
    pub fn with_unpriced_min(mut self, amount: Amount) -> Self {
        self.unpriced_min.insert(amount.currency, amount.units);
        self
    }

    /// What may be spent in a currency.
    #[must_use]
    pub fn of(&self, currency: Currency) -> Amount {
        Amount::new(self.max.get(&currency).copied().unwrap_or_default(), currency)
    }

    /// What is set aside for a run that may cost `cost` by what its caller says, and is made of these calls: as much more
    /// as those without a price count for beyond what is said of them, so that it is never less than what is counted.
    pub(crate) fn reservation(&self, cost: Amount, bound: &Bound) -> Amount {
        let least = self.unpriced(cost.currency);
        let beyond = unpriced(bound).map(|call| {
            // Where a budget holds calls back, what they cost says nothing of how many there may be.
            let is_held = call.purse.is_some() || cost.units < bound.cost.units;
            let said = if is_held { 0 } else { call.cost.units };
            least.saturating_mul(call.requests).saturating_sub(said)
        });
        let units = beyond.fold(cost.units, u64::saturating_add);
        Amount::new(units, cost.currency)
    }

    /// What a run of `plan` that ended counts for: what is known of its cost, and for what is only said by its caller at least
    /// as much as requests without a price do. Of a plan that is not known no price is.
    pub(crate) fn counted(&self, run: &Run, plan: Option<&Prepared>) -> Amount {
        let currency = run.total.currency;
        let least = self.unpriced(currency);
        let is_priced = |row: &CostRow| {
            let mut operations = plan.into_iter().flat_map(Prepared::operations);
            operations.any(|operation| operation.id == row.operation && operation.price != PriceRule::Unknown)
        };
        let row = |row: &CostRow| match row.basis {
            PriceBasis::Known | PriceBasis::Observed => row.cost.units,
            // It was set aside by its price, and nobody knows whether it was charged.
            PriceBasis::Assumed if is_priced(row) => row.cost.units,
            PriceBasis::Declared | PriceBasis::Assumed => {
                row.cost.units.max(least.saturating_mul(u64::from(row.attempts)))
            }
        };
        let rows = run.costs.iter().fold(0_u64, |sum, cost| sum.saturating_add(row(cost)));
        Amount::new(rows.max(run.total.units), currency)
    }

    fn unpriced(&self, currency: Currency) -> u64 {
        self.unpriced_min.get(&currency).copied().unwrap_or_default()
    }
}

/// The calls of which only their caller says what they may cost.
pub(crate) fn unpriced(bound: &Bound) -> impl Iterator<Item = &Contributor> {
    bound.contributors.iter().filter(|call| call.basis == PriceBasis::Declared)
}

/// What one tenant with a cap has spent in runs that ended.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    cap: SpendCap,
    settled: BTreeMap<Currency, u64>,
}

impl Account {
    pub(crate) fn new(cap: SpendCap) -> Self {
        Self { cap, settled: BTreeMap::new() }
    }

    /// Adds a run of `plan` that ended.
    pub(crate) fn settle(&mut self, run: &Run, plan: Option<&Prepared>) {
        self.add(self.cap.counted(run, plan));
    }

    fn add(&mut self, cost: Amount) {
        let settled = self.settled.entry(cost.currency).or_default();
        *settled = settled.saturating_add(cost.units);
    }

    /// Whether a run that may cost `cost` fits beside what was spent and `reserved` for others under way.
    pub(crate) fn admit(
        &self,
        tenant: &str,
        cost: Amount,
        reserved: impl Iterator<Item = Amount>,
    ) -> Result<(), Error> {
        let currency = cost.currency;
        let spent = self.settled.get(&currency).copied().unwrap_or_default();
        let reserved = reserved
            .filter(|amount| amount.currency == currency)
            .fold(0_u64, |sum, amount| sum.saturating_add(amount.units));
        let cap = self.cap.of(currency);
        let committed = spent.saturating_add(reserved);
        // What is known to cost nothing may always run, whatever was spent before.
        if cost.units == 0 || committed.saturating_add(cost.units) <= cap.units {
            return Ok(());
        }
        Err(Error::SpendCap {
            tenant: tenant.to_owned(),
            cost,
            cap,
            spent: Amount::new(spent, currency),
            reserved: Amount::new(reserved, currency),
        })
    }
}

/// What the runs of a tenant that ended have cost, as their rows say.
pub(crate) async fn settled(shared: &Shared, tenant: &str, account: &mut Account) -> Result<(), Error> {
    let log = &*shared.services.log;
    let prefix = format!("{tenant}/");
    let mut after: Option<String> = None;
    loop {
        let scan = ViewScan::of(rows::RUNS, PAGE_ROWS).prefix(&prefix).after(after.as_deref());
        let page = log.view_scan(scan).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.key.clone());
        for row in page {
            let id = row.key.strip_prefix(&prefix).and_then(|id| id.parse::<RunId>().ok());
            let Some(id) = id else { continue };
            let mut run = rows::read_summary(id, &row.value)?;
            if !run.state.has_ended() {
                continue;
            }
            if !run.total_certain
                && let Some(whole) = rows::get(log, tenant, id).await?
            {
                run = whole;
            }
            let is_assumed = run.costs.iter().any(|row| row.basis == PriceBasis::Assumed);
            // One that cannot be read any more counts as one without prices.
            let plan = if is_assumed { shared.plan(run.plan_hash).await.ok().flatten() } else { None };
            account.settle(&run, plan.as_ref().map(|plan| &*plan.prepared));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(units: u64) -> Amount {
        Amount::new(units, Currency::MicroUsd)
    }

    #[test]
    fn what_was_spent_and_what_is_reserved_count_against_the_cap_of_their_currency() {
        let mut account = Account::new(SpendCap::new([usd(100)]));
        let rao = Amount::new(1_000, Currency::Rao);
        account.add(usd(40));
        account.add(rao);
        assert!(account.admit("a", usd(60), [rao].into_iter()).is_ok());
        assert!(account.admit("a", usd(30), [usd(30), rao].into_iter()).is_ok());
        let refused = account.admit("a", usd(31), [usd(30)].into_iter()).unwrap_err();
        assert_eq!(refused.code(), "E1407");
        assert_eq!(
            refused.to_string(),
            "`a` may spend 0.0001 USD in all: 0.00004 USD are spent and 0.00003 USD reserved for runs under way, so \
             a run that may cost 0.000031 USD does not fit"
        );
        // No cap in a currency admits nothing that costs anything in it.
        assert!(account.admit("a", Amount::new(1, Currency::Rao), std::iter::empty()).is_err());
        assert!(account.admit("a", Amount::new(0, Currency::Rao), std::iter::empty()).is_ok());
    }
}
