//! Money of a run: reserved before an attempt is sent, settled once when it ended.

use std::collections::BTreeMap;

use plan_ir::graph::NodeId;
use plan_ir::plan::ScopeId;
use schema::amount::{Amount, Currency, Rate};
use schema::price::{PriceBasis, WorstPrice};

use crate::core::FrameId;

/// One budget at run time. The plan's own is the first in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum AccountId {
    /// A scope of the plan in one instance of the region it stands in.
    Scope { scope: ScopeId, frame: FrameId },
    /// A call, or one of its fallbacks, with a budget of its own.
    Call { frame: FrameId, node: NodeId, level: u32 },
}

/// What a scope may spend and has spent, in its own currency.
#[derive(Clone, Copy, Debug)]
struct Account {
    limit: Option<u64>,
    currency: Currency,
    reserved: u64,
    spent: u64,
}

/// All open accounts of a run.
#[derive(Debug)]
pub(crate) struct Accounts {
    accounts: BTreeMap<AccountId, Account>,
    rate: Option<Rate>,
}

/// Money set aside for one attempt.
#[derive(Clone, Debug)]
pub(crate) struct Reservation {
    /// The most the attempt may cost, as its price or `max_price` says.
    pub(crate) worst: WorstPrice,
    parts: Vec<(AccountId, u64)>,
}

/// Why money could not be set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A budget is too small.
    Exceeded { account: AccountId, wanted: Amount, left: Amount },
    /// The price is in another currency, and the lock pins no rate.
    NoRate,
}

impl Accounts {
    pub(crate) const fn new(rate: Option<Rate>) -> Self {
        Self { accounts: BTreeMap::new(), rate }
    }

    /// Opens the account of a scope; `limit` is its budget.
    pub(crate) fn open(&mut self, id: AccountId, limit: Option<Amount>, run: Currency) {
        let currency = limit.map_or(run, |limit| limit.currency);
        let limit = limit.map(|limit| limit.units);
        self.accounts.insert(id, Account { limit, currency, reserved: 0, spent: 0 });
    }

    pub(crate) fn close(&mut self, id: AccountId) {
        self.accounts.remove(&id);
    }

    /// Sets `worst` aside in every account of `chain`, or in none.
    pub(crate) fn reserve(&mut self, chain: &[AccountId], worst: WorstPrice) -> Result<Reservation, Refusal> {
        let mut parts = Vec::with_capacity(chain.len());
        for id in chain {
            let Some(account) = self.accounts.get(id) else { continue };
            let wanted = worst.amount.convert(account.currency, self.rate).ok_or(Refusal::NoRate)?;
            let used = account.spent.saturating_add(account.reserved);
            let left = account.limit.map(|limit| limit.saturating_sub(used));
            if let Some(left) = left.filter(|left| *left < wanted.units) {
                let left = Amount::new(left, account.currency);
                return Err(Refusal::Exceeded { account: *id, wanted, left });
            }
            parts.push((*id, wanted.units));
        }
        for (id, units) in &parts {
            if let Some(account) = self.accounts.get_mut(id) {
                account.reserved = account.reserved.saturating_add(*units);
            }
        }
        Ok(Reservation { worst, parts })
    }

    /// Whether `count` attempts fit together, each the first from the one before on that fits. If not: how many do, and
    /// why the next does not. Nothing stays set aside.
    pub(crate) fn has_room(
        &mut self,
        chain: &[AccountId],
        choices: &[WorstPrice],
        cursor: usize,
        count: u32,
    ) -> Result<(), (usize, Refusal, WorstPrice)> {
        let (mut reserved, mut cursor, mut refused) = (Vec::new(), cursor, None);
        while reserved.len() < count as usize && refused.is_none() {
            for position in (0..choices.len()).map(|step| cursor.wrapping_add(step) % choices.len()) {
                let Some(worst) = choices.get(position) else { continue };
                match self.reserve(chain, *worst) {
                    Ok(reservation) => {
                        reserved.push(reservation);
                        (cursor, refused) = (position.wrapping_add(1), None);
                        break;
                    }
                    Err(refusal) => refused = refused.or(Some((refusal, *worst))),
                }
            }
            if choices.is_empty() {
                break;
            }
        }
        for (id, units) in reserved.iter().flat_map(|reservation| &reservation.parts) {
            if let Some(account) = self.accounts.get_mut(id) {
                account.reserved = account.reserved.saturating_sub(*units);
            }
        }
        refused.map_or(Ok(()), |(refusal, worst)| Err((reserved.len(), refusal, worst)))
    }

    /// Turns a reservation into what the attempt cost. A cost above the reservation is the peer's doing;
    /// it is booked as it is, so that the next reservation sees it. Answers what the outermost account
    /// booked, in its currency.
    pub(crate) fn settle(&mut self, reservation: &Reservation, cost: Amount) -> u64 {
        let mut outermost = None;
        for (id, reserved) in &reservation.parts {
            if let Some(account) = self.accounts.get_mut(id) {
                account.reserved = account.reserved.saturating_sub(*reserved);
                // An observed cost in a currency without a rate is as large as it was allowed to be.
                let units = cost.convert(account.currency, self.rate).map_or(*reserved, |cost| cost.units);
                account.spent = account.spent.saturating_add(units);
                outermost.get_or_insert(units);
            }
        }
        outermost.unwrap_or(0)
    }

    /// Whether a charge is above what was set aside for it. Where no rate compares the two, it is not.
    pub(crate) fn is_above(&self, reservation: &Reservation, cost: Amount) -> bool {
        let agreed = reservation.worst.amount;
        cost.convert(agreed.currency, self.rate).is_some_and(|cost| cost.units > agreed.units)
    }

    /// Whether an amount can be compared with what is counted in `currency`.
    pub(crate) fn is_comparable(&self, amount: Amount, currency: Currency) -> bool {
        amount.convert(currency, self.rate).is_some()
    }

    /// What is set aside now in the outermost account, in its currency.
    pub(crate) fn reserved_outermost(&self) -> u64 {
        self.accounts.first_key_value().map_or(0, |(_, account)| account.reserved)
    }

    /// What is set aside now in the account, in its currency.
    #[cfg(test)]
    pub(crate) fn reserved(&self, id: AccountId) -> u64 {
        self.accounts.get(&id).map_or(0, |account| account.reserved)
    }

    /// What the account has spent, in its currency; `None` where it is not open.
    pub(crate) fn spent(&self, id: AccountId) -> Option<Amount> {
        self.accounts.get(&id).map(|account| Amount::new(account.spent, account.currency))
    }
}

/// What an attempt cost and how sure that is. `sent`: the request may have left the process, and was
/// not turned away for nothing;
/// `answered`: the peer answered with success; `observed`: the charge it stated.
pub(crate) fn charge(
    worst: WorstPrice,
    sent: bool,
    answered: bool,
    observed: Option<Amount>,
) -> (Amount, PriceBasis) {
    match observed {
        _ if !sent => (Amount::zero(worst.amount.currency), PriceBasis::Known),
        Some(cost) => (cost, PriceBasis::Observed),
        None if answered || worst.amount.units == 0 => (worst.amount, worst.basis),
        None => (worst.amount, PriceBasis::Assumed),
    }
}

/// The less certain of two.
pub(crate) fn weaker(a: PriceBasis, b: PriceBasis) -> PriceBasis {
    let doubt = |basis| match basis {
        PriceBasis::Observed => 0,
        PriceBasis::Known => 1,
        PriceBasis::Declared => 2,
        PriceBasis::Assumed => 3,
    };
    if doubt(a) >= doubt(b) { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: AccountId = AccountId::Scope { scope: ScopeId(0), frame: FrameId(0) };
    const INNER: AccountId = AccountId::Scope { scope: ScopeId(1), frame: FrameId(0) };

    fn usd(units: u64) -> Amount {
        Amount::new(units, Currency::MicroUsd)
    }

    fn known(amount: Amount) -> WorstPrice {
        WorstPrice { amount, basis: PriceBasis::Known }
    }

    fn nested() -> Accounts {
        let mut accounts = Accounts::new(Some(Rate { micro_usd_per_tao: 300_000_000 }));
        accounts.open(ROOT, Some(usd(100)), Currency::MicroUsd);
        accounts.open(INNER, Some(usd(50)), Currency::MicroUsd);
        accounts
    }

    #[test]
    fn a_reservation_fits_every_budget_around_it_or_takes_nothing() {
        let mut accounts = nested();
        let first = accounts.reserve(&[ROOT, INNER], known(usd(40))).unwrap();
        let refused = accounts.reserve(&[ROOT, INNER], known(usd(11))).unwrap_err();
        assert_eq!(refused, Refusal::Exceeded { account: INNER, wanted: usd(11), left: usd(10) });
        assert_eq!(accounts.reserved(ROOT), 40);
        accounts.reserve(&[ROOT, INNER], known(usd(10))).unwrap();
        accounts.settle(&first, usd(5));
        assert_eq!((accounts.spent(ROOT), accounts.reserved(ROOT)), (Some(usd(5)), 10));
        accounts.reserve(&[ROOT, INNER], known(usd(35))).unwrap();
        accounts.reserve(&[ROOT], known(usd(50))).unwrap();
        assert!(accounts.reserve(&[ROOT], known(usd(1))).is_err());
    }

    #[test]
    fn room_for_several_is_looked_for_and_not_taken() {
        let mut accounts = nested();
        let choices = [known(usd(30)), known(usd(10))];
        // 30, 10 and, as 30 fits no more, 10 again make the 50 of the inner budget.
        assert_eq!(accounts.has_room(&[ROOT, INNER], &choices, 0, 3), Ok(()));
        let (paid, refusal, worst) = accounts.has_room(&[ROOT, INNER], &choices, 0, 4).unwrap_err();
        assert_eq!((paid, worst), (3, known(usd(30))));
        assert_eq!(refusal, Refusal::Exceeded { account: INNER, wanted: usd(30), left: usd(0) });
        assert_eq!((accounts.reserved(ROOT), accounts.reserved(INNER)), (0, 0));
        assert_eq!(accounts.has_room(&[ROOT], &[], 0, 1), Ok(()));
    }

    #[test]
    fn other_currencies_count_at_the_pinned_rate_rounded_up() {
        let mut accounts = nested();
        let rao = Amount::new(34, Currency::Rao);
        let held = accounts.reserve(&[ROOT], known(rao)).unwrap();
        assert_eq!(accounts.reserved(ROOT), 11);
        accounts.settle(&held, rao);
        assert_eq!(accounts.spent(ROOT), Some(usd(11)));
        let mut without = Accounts::new(None);
        without.open(ROOT, None, Currency::MicroUsd);
        assert_eq!(without.reserve(&[ROOT], known(rao)).unwrap_err(), Refusal::NoRate);
    }

    #[test]
    fn an_overcharge_is_booked_and_stops_what_follows() {
        let mut accounts = nested();
        let held = accounts.reserve(&[ROOT], known(usd(10))).unwrap();
        accounts.settle(&held, usd(99));
        assert!(accounts.reserve(&[ROOT], known(usd(2))).is_err());
        assert!(accounts.reserve(&[ROOT], known(usd(1))).is_ok());
    }

    #[test]
    fn what_is_not_known_is_charged_at_its_reservation() {
        let declared = WorstPrice { amount: usd(9), basis: PriceBasis::Declared };
        assert_eq!(charge(declared, false, false, None), (usd(0), PriceBasis::Known));
        assert_eq!(charge(declared, true, true, None), (usd(9), PriceBasis::Declared));
        assert_eq!(charge(known(usd(9)), true, true, None), (usd(9), PriceBasis::Known));
        assert_eq!(charge(known(usd(9)), true, false, None), (usd(9), PriceBasis::Assumed));
        assert_eq!(charge(declared, true, false, Some(usd(2))), (usd(2), PriceBasis::Observed));
        assert_eq!(charge(known(usd(0)), true, false, None), (usd(0), PriceBasis::Known));
        assert_eq!(weaker(PriceBasis::Known, PriceBasis::Assumed), PriceBasis::Assumed);
        assert_eq!(weaker(PriceBasis::Known, PriceBasis::Observed), PriceBasis::Known);
    }
}
