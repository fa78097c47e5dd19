//! Amounts between text, the wire and this crate.

use proto::v1;
use schema::amount::{Amount, Currency};

use crate::fault::{Fault, NO_LIMIT};

/// The limit of a tool that can spend. Without one nothing is sent.
pub(crate) fn limit(cost_max: Option<&str>) -> Result<Amount, Fault> {
    let help = "set `cost_max` to the most that this may cost, such as \"0.05 USD\"; explain_plan and get_operation say \
                what to expect";
    match cost_max {
        None => Err(Fault::new(NO_LIMIT, "`cost_max` is missing: this tool can spend money", help)),
        Some(text) => {
            text.parse().map_err(|error| Fault::new(NO_LIMIT, format!("`cost_max`: {error}"), help))
        }
    }
    .map_err(|fault: Fault| fault.with("path", "cost_max"))
}

/// For the wire.
pub(crate) fn to_wire(amount: Amount) -> v1::Amount {
    let currency = match amount.currency {
        Currency::Rao => v1::Currency::Rao,
        Currency::MicroUsd => v1::Currency::MicroUsd,
    };
    v1::Amount { units: amount.units, currency: currency.into() }
}

/// From the wire; none where it is not set.
pub(crate) fn of_wire(amount: Option<&v1::Amount>) -> Option<Amount> {
    let amount = amount?;
    let currency = match amount.currency() {
        v1::Currency::Rao => Currency::Rao,
        v1::Currency::MicroUsd => Currency::MicroUsd,
        v1::Currency::Unspecified => return None,
    };
    Some(Amount::new(amount.units, currency))
}

/// As people write it, such as `0.05 USD`; none where it is not set.
pub(crate) fn text(amount: Option<&v1::Amount>) -> Option<String> {
    of_wire(amount).map(|amount| amount.to_string())
}
