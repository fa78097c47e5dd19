//! Money and states of the wire, as people and programs read them.

use proto::v1;
use schema::amount::{Amount, Currency};
use serde_json::{Value, json};

/// Money as people read it: `0.0225 USD`.
pub(crate) fn shown(amount: Option<&v1::Amount>) -> String {
    amount.and_then(of_wire).map_or_else(|| "-".into(), |amount| amount.to_string())
}

/// Money as programs read it: `{"units": 22500, "currency": "micro_usd"}`, or null.
pub(crate) fn document(amount: Option<&v1::Amount>) -> Value {
    json!(amount.and_then(of_wire))
}

/// Money of the wire, where its currency is known.
pub(crate) fn of_wire(amount: &v1::Amount) -> Option<Amount> {
    let currency = match amount.currency() {
        v1::Currency::Unspecified => return None,
        v1::Currency::Rao => Currency::Rao,
        v1::Currency::MicroUsd => Currency::MicroUsd,
    };
    Some(Amount::new(amount.units, currency))
}

/// Money for the wire.
pub(crate) fn to_wire(amount: Amount) -> v1::Amount {
    let currency = match amount.currency {
        Currency::Rao => v1::Currency::Rao,
        Currency::MicroUsd => v1::Currency::MicroUsd,
    };
    v1::Amount { units: amount.units, currency: currency.into() }
}

/// The word for a basis.
pub(crate) const fn basis(basis: v1::PriceBasis) -> &'static str {
    match basis {
        v1::PriceBasis::Unspecified => "-",
        v1::PriceBasis::Known => "known",
        v1::PriceBasis::Declared => "declared",
        v1::PriceBasis::Observed => "observed",
        v1::PriceBasis::Assumed => "assumed",
    }
}

/// The word for a state.
pub(crate) const fn state(state: v1::RunState) -> &'static str {
    match state {
        v1::RunState::Unspecified => "-",
        v1::RunState::Pending => "pending",
        v1::RunState::Running => "running",
        v1::RunState::Succeeded => "succeeded",
        v1::RunState::Failed => "failed",
        v1::RunState::Cancelled => "cancelled",
    }
}
