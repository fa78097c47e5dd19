//! Where the true charge of a call can be read.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::amount::{Amount, Currency};
use crate::pointer;

/// Where the charge of a call can be read. What is read is rounded up to whole units, so that no charge is understated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ObservedCost {
    /// A decimal number in an answer header.
    Header {
        /// Header name, lower case.
        name: String,
        /// What the number counts, in whole TAO or dollars.
        currency: Currency,
    },
    /// A decimal number in the answer's JSON.
    Body {
        /// Where: a JSON pointer (RFC 6901) to a number, or to a text of one.
        pointer: String,
        /// What the number counts, in whole TAO or dollars.
        currency: Currency,
    },
    /// A number of credits in an answer header.
    CreditsHeader {
        /// Header name, lower case.
        name: String,
        /// What one credit costs.
        credit: Amount,
    },
    /// A number of credits in the answer's JSON.
    CreditsBody {
        /// Where: a JSON pointer to a number, or to a text of one.
        pointer: String,
        /// What one credit costs.
        credit: Amount,
    },
    /// Counts of tokens in the answer's JSON, each with its price.
    Usage {
        /// One row per count that is charged.
        tokens: Vec<TokenPrice>,
    },
}

/// Whole TAO or dollars that one charge states at most. What is above was not meant as a charge: it would end every
/// budget and limit that it counts in, and sums of such charges do not fit an amount.
const CHARGE_WHOLE_MAX: u64 = 10_000;

/// A count of tokens and what they cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenPrice {
    /// Where the count is: a JSON pointer, such as `/usage/prompt_tokens`.
    pub pointer: String,
    /// Price of a million of them.
    pub per_million: Amount,
}

impl ObservedCost {
    /// The currency of the charge.
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        match self {
            Self::Header { currency, .. } | Self::Body { currency, .. } => Some(*currency),
            Self::CreditsHeader { credit, .. } | Self::CreditsBody { credit, .. } => Some(credit.currency),
            Self::Usage { tokens } => tokens.first().map(|row| row.per_million.currency),
        }
    }

    /// Whether it needs the answer's body.
    #[must_use]
    pub const fn reads_body(&self) -> bool {
        matches!(self, Self::Body { .. } | Self::CreditsBody { .. } | Self::Usage { .. })
    }

    /// The charge that an answer states; `None` where it states none, none that can be read, or one above
    /// 10,000 TAO or dollars, which is no charge. `header` gives the value of a header, `body` is the answer's JSON.
    pub fn read<'h>(
        &self,
        header: impl FnOnce(&str) -> Option<&'h str>,
        body: Option<&Value>,
    ) -> Option<Amount> {
        let whole = |currency: Currency| Amount::new(currency.scale(), currency);
        let at = |pointer: &str| number_text(body?.pointer(pointer)?);
        let charge = match self {
            Self::Header { name, currency } => times(header(name)?, whole(*currency)),
            Self::Body { pointer, currency } => times(&at(pointer)?, whole(*currency)),
            Self::CreditsHeader { name, credit } => times(header(name)?, *credit),
            Self::CreditsBody { pointer, credit } => times(&at(pointer)?, *credit),
            Self::Usage { tokens } => usage(tokens, body?),
        };
        charge.filter(|charge| charge.units <= charge.currency.scale().saturating_mul(CHARGE_WHOLE_MAX))
    }

    /// Checks it as part of an entry.
    ///
    /// # Errors
    /// The field that is wrong, and why.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let pointer = |text: &str| pointer::check(text).map_err(|why| ("pointer", why));
        match self {
            Self::Header { name, .. } | Self::CreditsHeader { name, .. } => {
                match !name.is_empty()
                    && name.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase())
                {
                    true => Ok(()),
                    false => Err(("name", format!("`{name}` is no header name in lower case"))),
                }
            }
            Self::Body { pointer: text, .. } | Self::CreditsBody { pointer: text, .. } => pointer(text),
            Self::Usage { tokens } => {
                let Some(first) = tokens.first() else {
                    return Err(("tokens", "no count of tokens is charged".into()));
                };
                if tokens.iter().any(|row| row.per_million.currency != first.per_million.currency) {
                    return Err(("tokens", "prices in two currencies do not add up".into()));
                }
                tokens.iter().try_for_each(|row| pointer(&row.pointer))
            }
        }
    }
}

/// The sum over all counts, rounded up once.
fn usage(tokens: &[TokenPrice], body: &Value) -> Option<Amount> {
    let currency = tokens.first()?.per_million.currency;
    let mut millionths: u128 = 0;
    for row in tokens {
        let count = body.pointer(&row.pointer)?.as_u64()?;
        millionths = millionths.checked_add(u128::from(count) * u128::from(row.per_million.units))?;
    }
    Some(Amount::new(u64::try_from(millionths.div_ceil(1_000_000)).ok()?, currency))
}

fn number_text(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        _ => None,
    }
}

/// The decimal number `text` times `unit`, exactly, rounded up.
fn times(text: &str, unit: Amount) -> Option<Amount> {
    let text = text.trim();
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !(digits(whole) && digits(fraction)) || whole.len() + fraction.len() == 0 {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let mut number: u128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        number = number.checked_mul(10)?.checked_add(u128::from(digit - b'0'))?;
    }
    let number = number.checked_mul(u128::from(unit.units))?;
    let places = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    let power = 10u128.checked_pow(places.unsigned_abs());
    let units = match (places > 0, power) {
        _ if number == 0 => 0,
        (true, Some(power)) => number.div_ceil(power),
        (true, None) => 1,
        (false, power) => number.checked_mul(power?)?,
    };
    Some(Amount::new(u64::try_from(units).ok()?, unit.currency))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const USD: Currency = Currency::MicroUsd;

    #[test]
    fn stated_charges_are_read_exactly_and_rounded_up() {
        let read = |text: &str| {
            let rule = ObservedCost::Header { name: "x-cost".into(), currency: USD };
            rule.read(|name| (name == "x-cost").then_some(text), None).map(|amount| amount.units)
        };
        assert_eq!(read("0.004"), Some(4_000));
        assert_eq!(read(" 1 "), Some(1_000_000));
        assert_eq!(read(".5"), Some(500_000));
        assert_eq!(read("0.0000001"), Some(1));
        assert_eq!(read("0.0000010"), Some(1));
        assert_eq!(read("1e-3"), Some(1_000));
        assert_eq!(read("1.5e-7"), Some(1));
        assert_eq!(read("1e-99"), Some(1));
        assert_eq!(read("0e99"), Some(0));
        assert_eq!(read("2E3"), Some(2_000_000_000));
        assert_eq!(read("10000"), Some(10_000_000_000));
        let large = ["10000.000001", "18446744073709.551615", "99999999999999999999", "1e30"];
        for bad in ["", ".", "-1", "1e", "0.1 USD", "NaN"].into_iter().chain(large) {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn credits_and_tokens_have_their_price() {
        let body = json!({ "cost": 0.25, "credits": "3", "usage": { "in": 1_000, "out": 3 } });
        let read = |rule: ObservedCost| rule.read(|_| Some("1.5"), Some(&body)).map(|amount| amount.units);
        let credit = Amount::new(200_001, USD);
        assert_eq!(read(ObservedCost::Body { pointer: "/cost".into(), currency: USD }), Some(250_000));
        assert_eq!(read(ObservedCost::CreditsHeader { name: "x".into(), credit }), Some(300_002));
        assert_eq!(read(ObservedCost::CreditsBody { pointer: "/credits".into(), credit }), Some(600_003));
        let price = |pointer: &str, units| TokenPrice {
            pointer: pointer.into(),
            per_million: Amount::new(units, USD),
        };
        let tokens = vec![price("/usage/in", 500_000), price("/usage/out", 1_500_000)];
        assert_eq!(read(ObservedCost::Usage { tokens }), Some(505), "500 and 4.5, rounded once");
        let tokens = vec![price("/usage/other", 1)];
        assert_eq!(read(ObservedCost::Usage { tokens }), None, "a count that is not there is not nothing");
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let wrong = |rule: ObservedCost| rule.check().unwrap_err().0;
        assert_eq!(wrong(ObservedCost::Header { name: "X-Cost".into(), currency: USD }), "name");
        assert_eq!(wrong(ObservedCost::Body { pointer: "cost".into(), currency: USD }), "pointer");
        assert_eq!(wrong(ObservedCost::Usage { tokens: Vec::new() }), "tokens");
        let price = |currency| TokenPrice { pointer: "/a".into(), per_million: Amount::new(1, currency) };
        assert_eq!(wrong(ObservedCost::Usage { tokens: vec![price(USD), price(Currency::Rao)] }), "tokens");
    }
}
