//! What a session may spend: reserved before anything is sent, settled when it is known what was charged.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;
use schema::amount::Amount;
use schema::price::unpriced_min;

use crate::fault::{Fault, SPENT};

/// The purse of a session.
#[derive(Debug)]
pub(crate) struct Purse {
    max: Amount,
    /// What a request counts for at least whose price nobody has published, units of the currency of `max`: its caller names
    /// what it may cost, and with a limit to keep has no reason to say the truth.
    unpriced_min: u64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    spent: Amount,
    /// What is set aside for what is under way, added up.
    reserved: Amount,
    /// Runs that are counted in `spent`: the same request again is answered again, and charged once.
    settled: HashSet<String>,
}

/// Money put aside for one call or run. What is dropped unsettled counts as spent: nobody knows what became of it.
#[derive(Debug)]
pub(crate) struct Reservation {
    purse: Option<Arc<Purse>>,
    /// What the call or run may cost by what its caller says.
    limit: Amount,
    amount: Amount,
    unpriced: Unpriced,
}

/// The requests without a published price that a call or run may make.
#[derive(Clone, Copy, Debug)]
struct Unpriced {
    requests: u32,
    /// The most that its other requests may cost, units of the currency of its limit.
    priced: u64,
}

impl Unpriced {
    const NONE: Self = Self { requests: 0, priced: 0 };
}

/// What a call or run that ended was charged, as the service says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Charge {
    pub(crate) total: Option<Amount>,
    /// What of it is not known for certain; where it is not known what of it is, all.
    pub(crate) unsure: Unsure,
}

/// The part of a charge that nobody knows for certain.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unsure {
    Nothing,
    /// So many requests, which count for so many units in the total.
    Requests {
        requests: u64,
        units: u64,
    },
    All,
}

impl Purse {
    /// A purse of `max`, in which each request without a published price counts for `least` at least; of another currency
    /// than `max` that says nothing.
    pub(crate) fn new(max: Amount, least: Option<Amount>) -> Self {
        let zero = Amount::zero(max.currency);
        let least = least.filter(|least| least.currency == max.currency);
        let unpriced_min = least.unwrap_or_else(|| unpriced_min(max.currency)).units;
        let state = State { spent: zero, reserved: zero, settled: HashSet::new() };
        Self { max, unpriced_min, state: Mutex::new(state) }
    }

    /// Puts `limit` aside, which is the most that something may cost, or says why it cannot.
    pub(crate) fn reserve(self: &Arc<Self>, limit: Amount) -> Result<Reservation, Fault> {
        let amount = self.set_aside(limit, Amount::zero(limit.currency), Unpriced::NONE)?;
        Ok(Reservation { purse: Some(Arc::clone(self)), limit, amount, unpriced: Unpriced::NONE })
    }

    /// Puts what something may cost that makes these requests without a price aside, in place of `held`: no less than what
    /// is counted when it ends.
    fn set_aside(&self, limit: Amount, held: Amount, unpriced: Unpriced) -> Result<Amount, Fault> {
        let Unpriced { requests, priced } = unpriced;
        let mut state = self.state.lock();
        if limit.currency != self.max.currency {
            let help = format!("give `cost_max` in {}", self.max.currency.symbol());
            let message = format!("this session counts its spending in {}", self.max.currency.symbol());
            return Err(Fault::new(SPENT, message, help)
                .with("left", self.left_of(state.spent, state.reserved).to_string()));
        }
        let others = Amount::new(state.reserved.units.saturating_sub(held.units), limit.currency);
        let left = self.left_of(state.spent, others);
        // For the last of them whatever is left will do, or less than its least could never be spent. Without anything left
        // there are no calls.
        let least = |requests: u32| u64::from(requests).saturating_mul(self.unpriced_min);
        let beside = |units: u64| priced.saturating_add(units);
        let all_but_last = least(requests.saturating_sub(1)).saturating_add(u64::from(requests > 0));
        let needed = limit.units.max(beside(all_but_last));
        if needed > left.units || left.units == 0 {
            let by_count = Amount::new(least(requests), limit.currency);
            let counted = if beside(by_count.units) > limit.units {
                let others = match priced {
                    0 => String::new(),
                    units => format!(" beside {} for the others", Amount::new(units, limit.currency)),
                };
                format!(
                    ", and {requests} requests whose price nobody has published count for {by_count}{others}"
                )
            } else {
                String::new()
            };
            let message = format!(
                "`cost_max` is {limit}{counted}; of the {} that this session may spend {left} is left ({} spent, {others} \
                 reserved by what is under way)",
                self.max, state.spent,
            );
            let help = "ask for less, wait for what is under way, or ask the user for a session with a higher --spend-max";
            return Err(Fault::new(SPENT, message, help).with("left", left.to_string()));
        }
        let amount = Amount::new(limit.units.max(beside(least(requests)).min(left.units)), limit.currency);
        state.reserved.units = others.units.saturating_add(amount.units);
        Ok(amount)
    }

    fn left_of(&self, spent: Amount, reserved: Amount) -> Amount {
        let taken = spent.units.saturating_add(reserved.units);
        Amount::new(self.max.units.saturating_sub(taken), self.max.currency)
    }

    fn settle(&self, reserved: Amount, spent: Amount, run: Option<&str>) {
        let mut state = self.state.lock();
        state.reserved.units = state.reserved.units.saturating_sub(reserved.units);
        if run.is_none_or(|run| state.settled.insert(run.to_owned())) {
            state.spent.units = state.spent.units.saturating_add(spent.units);
        }
    }

    /// What a charge counts for, where `reserved` was set aside for it, of which `priced` is for requests with a price. One
    /// in another currency than the session counts in cannot be compared, so all that was set aside counts.
    fn counted(&self, charge: Charge, reserved: Amount, priced: u64) -> Amount {
        let Some(total) = charge.total.filter(|total| total.currency == reserved.currency) else {
            return reserved;
        };
        let units = match charge.unsure {
            Unsure::Nothing => total.units,
            Unsure::All => total.units.max(reserved.units),
            Unsure::Requests { requests, units } => {
                let sure = total.units.saturating_sub(units);
                // For the last request there may have been less than its least.
                let rest = reserved.units.saturating_sub(sure.min(priced));
                let least = requests.saturating_mul(self.unpriced_min).min(rest);
                sure.saturating_add(units.max(least))
            }
        };
        Amount::new(units, reserved.currency)
    }
}

impl Reservation {
    /// Where nothing limits the session.
    pub(crate) const fn unlimited(limit: Amount) -> Self {
        Self { purse: None, limit, amount: limit, unpriced: Unpriced::NONE }
    }

    /// How many requests without a published price it is for; any number where nothing limits the session.
    pub(crate) fn unpriced_max(&self) -> Option<u32> {
        self.purse.as_ref().map(|_| self.unpriced.requests)
    }

    /// Sets aside what so many requests without a published price count for beside the others, which may cost `priced`, or gives
    /// back what was set aside and says why that does not fit. Where nobody says what the others may cost that is all of the limit.
    pub(crate) fn for_unpriced(mut self, requests: u32, priced: Option<Amount>) -> Result<Self, Fault> {
        let Some(purse) = self.purse.as_ref() else { return Ok(self) };
        let priced = priced.filter(|priced| priced.currency == self.limit.currency).unwrap_or(self.limit);
        let unpriced = Unpriced { requests, priced: priced.units.min(self.limit.units) };
        match purse.set_aside(self.limit, self.amount, unpriced) {
            Ok(amount) => {
                (self.amount, self.unpriced) = (amount, unpriced);
                Ok(self)
            }
            Err(fault) => {
                self.release();
                Err(fault)
            }
        }
    }

    /// What `run` was charged, in place of what was set aside.
    pub(crate) fn charged(mut self, run: &str, charge: Charge) {
        if let Some(purse) = self.purse.take() {
            let counted = purse.counted(charge, self.amount, self.unpriced.priced);
            purse.settle(self.amount, counted, Some(run));
        }
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
    use schema::amount::Currency;

    use super::*;

    fn usd(text: &str) -> Amount {
        text.parse().unwrap()
    }

    fn purse(max: &str) -> Arc<Purse> {
        Arc::new(Purse::new(usd(max), None))
    }

    fn left(purse: &Arc<Purse>) -> String {
        let state = purse.state.lock();
        purse.left_of(state.spent, state.reserved).to_string()
    }

    /// What requests with a price may cost where there are none.
    const NO_OTHERS: Option<Amount> = Some(Amount::zero(Currency::MicroUsd));

    fn sure(total: &str) -> Charge {
        Charge { total: Some(usd(total)), unsure: Unsure::Nothing }
    }

    #[test]
    fn what_is_under_way_counts_with_its_limit_and_then_with_its_charge() {
        let purse = purse("0.10USD");
        let first = purse.reserve(usd("0.06USD")).unwrap();
        let refused = purse.reserve(usd("0.05USD")).unwrap_err();
        assert_eq!(refused.code(), SPENT);
        assert_eq!(refused.json()["error"]["left"], "0.04 USD");
        let second = purse.reserve(usd("0.04USD")).unwrap();
        first.charged("runs/1", sure("0.01USD"));
        second.release();
        assert_eq!(left(&purse), "0.09 USD");
    }

    #[test]
    fn the_same_run_is_charged_once_and_the_limit_itself_may_be_spent() {
        let purse = purse("0.10USD");
        for _ in 0..2 {
            purse.reserve(usd("0.05USD")).unwrap().charged("runs/1", sure("0.05USD"));
        }
        purse.reserve(usd("0.05USD")).unwrap().charged("runs/2", sure("0.05USD"));
        assert_eq!(left(&purse), "0 USD");
        assert!(purse.reserve(usd("0.000001USD")).is_err());
        assert!(purse.reserve(usd("0USD")).is_err(), "with nothing left nothing is called");
    }

    #[test]
    fn a_charge_above_what_was_set_aside_counts_as_it_is() {
        let purse = purse("0.10USD");
        purse.reserve(usd("0.01USD")).unwrap().charged("runs/1", sure("0.07USD"));
        assert_eq!(left(&purse), "0.03 USD");
        let unsure = Unsure::Requests { requests: 1, units: 5_000 };
        let charge = Charge { total: Some(usd("0.025USD")), unsure };
        purse.reserve(usd("0.01USD")).unwrap().charged("runs/2", charge);
        assert_eq!(left(&purse), "0 USD");
    }

    #[test]
    fn what_nobody_knows_counts_in_full() {
        let purse = purse("0.10USD");
        drop(purse.reserve(usd("0.03USD")).unwrap());
        assert_eq!(left(&purse), "0.07 USD");
        purse.reserve(usd("0.03USD")).unwrap().charged("runs/1", sure("5rao"));
        assert_eq!(left(&purse), "0.04 USD");
        let nothing = Charge { total: None, unsure: Unsure::Nothing };
        purse.reserve(usd("0.03USD")).unwrap().charged("runs/2", nothing);
        assert_eq!(left(&purse), "0.01 USD");
    }

    #[test]
    fn a_limit_that_an_agent_names_sets_aside_a_cent_at_least() {
        let purse = purse("0.025USD");
        let unpriced = |limit: &str| purse.reserve(usd(limit)).unwrap().for_unpriced(1, NO_OTHERS);
        let [first, second] = ["0USD", "0.000001USD"].map(|limit| unpriced(limit).unwrap());
        assert_eq!(left(&purse), "0.005 USD");
        let third = unpriced("0USD").unwrap();
        assert_eq!(left(&purse), "0 USD");
        assert!(purse.reserve(usd("0USD")).is_err());
        first.charged("runs/1", sure("0.002USD"));
        assert_eq!(left(&purse), "0.008 USD");
        second.charged("runs/2", Charge { total: Some(usd("0.000001USD")), unsure: Unsure::All });
        third.release();
        assert_eq!(left(&purse), "0.013 USD");
    }

    #[test]
    fn each_request_without_a_price_sets_a_cent_aside_and_the_last_what_is_left() {
        let purse = purse("0.10USD");
        let nine = purse.reserve(usd("0.001USD")).unwrap().for_unpriced(9, NO_OTHERS).unwrap();
        assert_eq!((left(&purse).as_str(), nine.unpriced_max()), ("0.01 USD", Some(9)));
        let refused = purse.reserve(usd("0.001USD")).unwrap().for_unpriced(2, NO_OTHERS).unwrap_err();
        assert_eq!((refused.code(), left(&purse).as_str()), (SPENT, "0.01 USD"));
        assert!(refused.message().contains("2 requests whose price nobody has published count for 0.02 USD"));
        // Three were sent, of which two are said to have cost next to nothing.
        let unsure = Unsure::Requests { requests: 2, units: 2 };
        nine.charged("runs/1", Charge { total: Some(usd("0.005002USD")), unsure });
        assert_eq!(left(&purse), "0.075 USD");
        let eight = purse.reserve(usd("0USD")).unwrap().for_unpriced(8, NO_OTHERS).unwrap();
        assert_eq!(left(&purse), "0 USD");
        eight.release();
        assert!(purse.reserve(usd("0USD")).unwrap().for_unpriced(9, NO_OTHERS).is_err());
        assert_eq!(left(&purse), "0.075 USD");
    }

    #[test]
    fn requests_without_a_price_are_set_aside_beside_what_the_others_may_cost() {
        let mixed = |max: &str, priced: Option<&str>| {
            let purse = purse(max);
            let five = purse.reserve(usd("0.051USD")).unwrap().for_unpriced(5, priced.map(usd));
            five.map(|five| (purse, five))
        };
        let refused = mixed("0.06USD", Some("0.05USD")).unwrap_err();
        let message = refused.message();
        assert!(
            message
                .contains("5 requests whose price nobody has published count for 0.05 USD beside 0.05 USD")
        );
        // Whatever there is, no more counts than was set aside, also for the last one.
        let unsure = Unsure::Requests { requests: 5, units: 5 };
        for (max, set_aside) in [("0.2USD", "0.1 USD"), ("0.095USD", "0 USD")] {
            let (purse, five) = mixed(max, Some("0.05USD")).unwrap();
            assert_eq!(left(&purse), set_aside);
            five.charged("runs/1", Charge { total: Some(usd("0.050005USD")), unsure });
            assert_eq!(left(&purse), set_aside);
            assert!(purse.state.lock().spent.units <= usd(max).units);
        }
        // Of what nobody knows to be for something else all is.
        for unknown in [None, Some("5rao")] {
            assert_eq!(left(&mixed("0.2USD", unknown).unwrap().0), "0.099 USD");
        }
        assert!(mixed("0.09USD", None).is_err());
    }

    #[test]
    fn what_has_a_price_sets_aside_what_it_may_cost_and_no_more() {
        let purse = purse("0.010USD");
        let under_way = [0; 4].map(|_| purse.reserve(usd("0.0025USD")).unwrap());
        assert_eq!(left(&purse), "0 USD");
        for (number, open) in under_way.into_iter().enumerate() {
            open.charged(&format!("runs/{number}"), sure("0.0025USD"));
        }
        assert_eq!(left(&purse), "0 USD");
    }

    #[test]
    fn what_a_request_counts_for_at_least_can_be_set() {
        let purse = Arc::new(Purse::new(usd("1USD"), Some(usd("0.3USD"))));
        let three = purse.reserve(usd("0USD")).unwrap().for_unpriced(3, NO_OTHERS).unwrap();
        assert_eq!(left(&purse), "0.1 USD");
        three.charged("runs/1", Charge { total: None, unsure: Unsure::All });
        assert_eq!(left(&purse), "0.1 USD");
    }

    #[test]
    fn another_currency_is_refused() {
        let refused = purse("1USD").reserve(usd("1rao")).unwrap_err();
        assert!(refused.json()["error"]["help"].as_str().unwrap().contains("in USD"));
    }
}
