//! What a tenant may spend over all its runs, and what it has spent: reserved when a run is admitted, settled when it
//! ends.

use std::collections::BTreeMap;
use std::fmt;

use schema::amount::{Amount, Currency};
use store::{Log, ViewScan};

use crate::error::Error;
use crate::rows;
use crate::view::RunId;

/// Rows read at once.
const PAGE_ROWS: usize = 500;

/// The most that all runs of a tenant may cost together, by currency. In a currency that it does not name nothing may
/// be spent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpendCap(BTreeMap<Currency, u64>);

impl SpendCap {
    /// A cap of these amounts; of two in one currency the last counts.
    #[must_use]
    pub fn new(amounts: impl IntoIterator<Item = Amount>) -> Self {
        Self(amounts.into_iter().map(|amount| (amount.currency, amount.units)).collect())
    }

    /// What may be spent in a currency.
    #[must_use]
    pub fn of(&self, currency: Currency) -> Amount {
        Amount::new(self.0.get(&currency).copied().unwrap_or_default(), currency)
    }
}

impl fmt::Display for SpendCap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amounts = self.0.iter().map(|(currency, units)| Amount::new(*units, *currency).to_string());
        f.write_str(&amounts.collect::<Vec<_>>().join(" and "))
    }
}

/// What one tenant with a cap has spent in runs that ended.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    cap: SpendCap,
    settled: BTreeMap<Currency, u64>,
}

impl Account {
    pub(crate) const fn new(cap: SpendCap) -> Self {
        Self { cap, settled: BTreeMap::new() }
    }

    /// Adds what a run cost that ended.
    pub(crate) fn settle(&mut self, cost: Amount) {
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
        // What costs nothing may always run, whatever was spent before.
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
pub(crate) async fn settled(log: &dyn Log, tenant: &str, account: &mut Account) -> Result<(), Error> {
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
            let run = rows::read_summary(id, &row.value)?;
            if run.state.has_ended() {
                account.settle(run.total);
            }
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
        account.settle(usd(40));
        account.settle(rao);
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
