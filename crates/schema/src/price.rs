//! What a call costs: the rule the Ledger stores, the lock pins, and both the bound and the runtime
//! evaluate here.

use serde::{Deserialize, Serialize};

use crate::amount::{Amount, Currency};

/// How a subnet charges for one call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum PriceRule {
    /// Nobody has published a price. A plan must declare `max_price` to call it.
    #[default]
    Unknown,
    /// Costs nothing.
    Free,
    /// The same for every call.
    PerCall {
        /// The price of one call.
        amount: Amount,
    },
}

/// How sure a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceBasis {
    /// From the pinned price rule.
    Known,
    /// From the plan's own `max_price`, because no rule is known.
    Declared,
    /// Read from the peer's answer.
    Observed,
    /// Charged at its reservation because the true charge is not known.
    Assumed,
}

/// What a request counts for at least against a limit on spending whose price nobody has published: a cent, or about as much in
/// TAO. Its caller names what it may cost, and with a limit to keep has no reason to say the truth.
#[must_use]
pub const fn unpriced_min(currency: Currency) -> Amount {
    match currency {
        Currency::MicroUsd => Amount::new(10_000, currency),
        Currency::Rao => Amount::new(50_000, currency),
    }
}

/// The most one attempt may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorstPrice {
    /// Upper bound of one attempt.
    pub amount: Amount,
    /// Where the bound comes from.
    pub basis: PriceBasis,
}

/// A price that cannot be bounded or admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PriceError {
    /// No rule and no `max_price`.
    #[error("the price is not known, and the call declares no `max_price`")]
    Unbounded,
    /// The pinned rule already exceeds `max_price`.
    #[error("the pinned price {price} is above `max_price` {max_price}")]
    AboveMax {
        /// The pinned price.
        price: Amount,
        /// What the plan admits.
        max_price: Amount,
    },
    /// Two currencies and no pinned rate between them.
    #[error("{from} cannot be compared with {to}: the lock pins no exchange rate")]
    NoRate {
        /// Symbol of the price's currency.
        from: &'static str,
        /// Symbol of the wanted currency.
        to: &'static str,
    },
}

impl PriceRule {
    /// The most one attempt may cost under this rule and the call's `max_price`. The amount keeps the
    /// currency of its source; the caller converts at the pinned rate.
    ///
    /// # Errors
    /// [`PriceError::Unbounded`] where neither gives a bound, [`PriceError::AboveMax`] where the rule
    /// is above `max_price` in the same currency.
    pub fn worst(&self, max_price: Option<Amount>) -> Result<WorstPrice, PriceError> {
        let known = |amount| WorstPrice { amount, basis: PriceBasis::Known };
        match (self, max_price) {
            (Self::Unknown, None) => Err(PriceError::Unbounded),
            (Self::Unknown, Some(amount)) => Ok(WorstPrice { amount, basis: PriceBasis::Declared }),
            (Self::Free, max_price) => {
                let currency = max_price.map_or(crate::amount::Currency::MicroUsd, |max| max.currency);
                Ok(known(Amount::zero(currency)))
            }
            (Self::PerCall { amount }, Some(max))
                if amount.currency == max.currency && amount.units > max.units =>
            {
                Err(PriceError::AboveMax { price: *amount, max_price: max })
            }
            (Self::PerCall { amount }, _) => Ok(known(*amount)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Currency;

    #[test]
    fn an_unknown_price_needs_a_declared_one() {
        let cent = Amount::new(10_000, Currency::MicroUsd);
        assert_eq!(PriceRule::Unknown.worst(None), Err(PriceError::Unbounded));
        assert_eq!(
            PriceRule::Unknown.worst(Some(cent)),
            Ok(WorstPrice { amount: cent, basis: PriceBasis::Declared })
        );
        let rule = PriceRule::PerCall { amount: Amount::new(20_000, Currency::MicroUsd) };
        assert!(matches!(rule.worst(Some(cent)), Err(PriceError::AboveMax { .. })));
        assert_eq!(rule.worst(None).unwrap().basis, PriceBasis::Known);
        assert_eq!(PriceRule::Free.worst(None).unwrap().amount.units, 0);
    }
}
