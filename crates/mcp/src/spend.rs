//! What a session may spend: reserved before anything is sent, settled when it is known what was charged.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;
use schema::amount::Amount;

use crate::fault::{Fault, SPENT};

/// What is set aside for a call at least, in the smallest unit: a cent, and a hundred-thousandth of a TAO.
const LEAST_UNITS: u64 = 10_000;

/// The purse of a session.
#[derive(Debug)]
pub(crate) struct Purse {
    max: Amount,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    spent: Amount,
    /// The limits of what is under way, added up.
    reserved: Amount,
    /// Runs that are counted in `spent`: the same request again is answered again, and charged once.
    settled: HashSet<String>,
}

/// Money put aside for one call or run. What is dropped unsettled counts as spent: nobody knows what became of it.
#[derive(Debug)]
pub(crate) struct Reservation {
    purse: Option<Arc<Purse>>,
    amount: Amount,
}

impl Purse {
    pub(crate) fn new(max: Amount) -> Self {
        let zero = Amount::zero(max.currency);
        Self { max, state: Mutex::new(State { spent: zero, reserved: zero, settled: HashSet::new() }) }
    }

    /// Puts `amount` aside, or says why it cannot.
    pub(crate) fn reserve(self: &Arc<Self>, amount: Amount) -> Result<Reservation, Fault> {
        let mut state = self.state.lock();
        let left = self.left(&state);
        if amount.currency != self.max.currency {
            let help = format!("give `cost_max` in {}", self.max.currency.symbol());
            let message = format!("this session counts its spending in {}", self.max.currency.symbol());
            return Err(Fault::new(SPENT, message, help).with("left", left.to_string()));
        }
        // An agent names its limit itself, and where no price is published nothing else bounds what it sets aside. So each
        // call sets aside a cent, or what is left, and without anything left there are no calls.
        let wanted = Amount::new(amount.units.max(LEAST_UNITS.min(left.units)), amount.currency);
        if wanted.units > left.units || left.units == 0 {
            let message = format!(
                "`cost_max` is {amount}, and of the {} that this session may spend {left} is left ({} spent, {} reserved \
                 by what is under way)",
                self.max, state.spent, state.reserved,
            );
            let help = "ask for less, wait for what is under way, or ask the user for a session with a higher --spend-max";
            return Err(Fault::new(SPENT, message, help).with("left", left.to_string()));
        }
        state.reserved.units = state.reserved.units.saturating_add(wanted.units);
        Ok(Reservation { purse: Some(Arc::clone(self)), amount: wanted })
    }

    fn left(&self, state: &State) -> Amount {
        let taken = state.spent.units.saturating_add(state.reserved.units);
        Amount::new(self.max.units.saturating_sub(taken), self.max.currency)
    }

    fn settle(&self, reserved: Amount, spent: Amount, run: Option<&str>) {
        let mut state = self.state.lock();
        state.reserved.units = state.reserved.units.saturating_sub(reserved.units);
        if run.is_none_or(|run| state.settled.insert(run.to_owned())) {
            state.spent.units = state.spent.units.saturating_add(spent.units);
        }
    }
}

impl Reservation {
    /// Where nothing limits the session.
    pub(crate) const fn unlimited(amount: Amount) -> Self {
        Self { purse: None, amount }
    }

    /// What `run` was charged, in place of the reservation. A charge in another currency than the session counts in cannot
    /// be compared, so the whole reservation counts; so it does where the charge is not `certain` and less.
    pub(crate) fn charged(mut self, run: &str, charged: Option<Amount>, certain: bool) {
        let Some(purse) = self.purse.take() else { return };
        let known = charged.filter(|charged| charged.currency == self.amount.currency);
        let counted = match known {
            Some(charged) if certain || charged.units > self.amount.units => charged,
            _ => self.amount,
        };
        purse.settle(self.amount, counted, Some(run));
    }

    /// Nothing was sent.
    pub(crate) fn release(mut self) {
        if let Some(purse) = self.purse.take() {
            purse.settle(self.amount, Amount::zero(self.amount.currency), None);
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(purse) = self.purse.take() {
            purse.settle(self.amount, self.amount, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Amount {
        text.parse().unwrap()
    }

    fn purse(max: &str) -> Arc<Purse> {
        Arc::new(Purse::new(usd(max)))
    }

    fn left(purse: &Arc<Purse>) -> String {
        purse.left(&purse.state.lock()).to_string()
    }

    #[test]
    fn what_is_under_way_counts_with_its_limit_and_then_with_its_charge() {
        let purse = purse("0.10USD");
        let first = purse.reserve(usd("0.06USD")).unwrap();
        let refused = purse.reserve(usd("0.05USD")).unwrap_err();
        assert_eq!(refused.code(), SPENT);
        assert_eq!(refused.json()["error"]["left"], "0.04 USD");
        let second = purse.reserve(usd("0.04USD")).unwrap();
        first.charged("runs/1", Some(usd("0.01USD")), true);
        second.release();
        assert_eq!(left(&purse), "0.09 USD");
    }

    #[test]
    fn the_same_run_is_charged_once_and_the_limit_itself_may_be_spent() {
        let purse = purse("0.10USD");
        for _ in 0..2 {
            purse.reserve(usd("0.05USD")).unwrap().charged("runs/1", Some(usd("0.05USD")), true);
        }
        purse.reserve(usd("0.05USD")).unwrap().charged("runs/2", Some(usd("0.05USD")), true);
        assert_eq!(left(&purse), "0 USD");
        assert!(purse.reserve(usd("0.000001USD")).is_err());
        assert!(purse.reserve(usd("0USD")).is_err(), "with nothing left nothing is called");
    }

    #[test]
    fn what_nobody_knows_counts_in_full() {
        let purse = purse("0.10USD");
        drop(purse.reserve(usd("0.03USD")).unwrap());
        assert_eq!(left(&purse), "0.07 USD");
        purse.reserve(usd("0.03USD")).unwrap().charged("runs/1", Some(usd("5rao")), true);
        assert_eq!(left(&purse), "0.04 USD");
        purse.reserve(usd("0.03USD")).unwrap().charged("runs/2", None, true);
        assert_eq!(left(&purse), "0.01 USD");
    }

    #[test]
    fn a_limit_that_an_agent_names_sets_aside_a_cent_at_least() {
        let purse = purse("0.025USD");
        let [first, second] = ["0USD", "0.000001USD"].map(|limit| purse.reserve(usd(limit)).unwrap());
        assert_eq!(left(&purse), "0.005 USD");
        let third = purse.reserve(usd("0USD")).unwrap();
        assert_eq!(left(&purse), "0 USD");
        assert!(purse.reserve(usd("0USD")).is_err());
        first.charged("runs/1", Some(usd("0.002USD")), true);
        assert_eq!(left(&purse), "0.008 USD");
        second.charged("runs/2", Some(usd("0.000001USD")), false);
        third.release();
        assert_eq!(left(&purse), "0.013 USD");
    }

    #[test]
    fn another_currency_is_refused() {
        let refused = purse("1USD").reserve(usd("1rao")).unwrap_err();
        assert!(refused.json()["error"]["help"].as_str().unwrap().contains("in USD"));
    }
}
