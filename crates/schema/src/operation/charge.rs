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

/// Whether a peer charges a request that it turns away before it does anything: because of the caller's key (401, 403, 407), because it
/// was not paid (402), or because there were too many (429). Any other failure may have been work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusals {
    /// It costs nothing, as with nearly every provider.
    #[default]
    Free,
    /// It may be charged as any other.
    Charged,
}

impl Refusals {
    /// Whether it costs nothing.
    #[must_use]
    pub const fn are_free(&self) -> bool {
        matches!(self, Self::Free)
    }
}

/// Why a charge that is stated cannot be read. What was stated is not quoted: nobody knows what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is there more than once.
    #[error("stands there more than once")]
    Twice,
    /// Not a number.
    #[error("is no decimal number")]
    NoNumber,
    /// Below zero.
    #[error("is negative")]
    Negative,
    /// Above what one charge states at most.
    #[error("is above 10,000 TAO or USD")]
    TooMuch,
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

    /// The charge that an answer states; `None` where it states none. `header` gives the value of a header, `body` is the
    /// answer's JSON.
    ///
    /// # Errors
    /// [`Unreadable`] where something stands there that is no charge, also one above 10,000 TAO or dollars.
    pub fn read<'h>(
        &self,
        header: impl FnOnce(&str) -> Result<Option<&'h str>, Unreadable>,
        body: Option<&Value>,
    ) -> Result<Option<Amount>, Unreadable> {
        let whole = |currency: Currency| Amount::new(currency.scale(), currency);
        let at = |pointer: &str| stated(body, pointer).map(number_text).transpose();
        let of = |text: Option<&str>, unit| text.map(|text| times(text, unit)).transpose();
        let charge = match self {
            Self::Header { name, currency } => of(header(name)?, whole(*currency))?,
            Self::Body { pointer, currency } => of(at(pointer)?.as_deref(), whole(*currency))?,
            Self::CreditsHeader { name, credit } => of(header(name)?, *credit)?,
            Self::CreditsBody { pointer, credit } => of(at(pointer)?.as_deref(), *credit)?,
            Self::Usage { tokens } => usage(tokens, body)?,
        };
        let most = |charge: &Amount| charge.currency.scale().saturating_mul(CHARGE_WHOLE_MAX);
        match charge {
            Some(charge) if charge.units > most(&charge) => Err(Unreadable::TooMuch),
            charge => Ok(charge),
        }
    }

    /// Where it is read, for people.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Header { name, .. } | Self::CreditsHeader { name, .. } => format!("the header `{name}`"),
            Self::Body { pointer, .. } | Self::CreditsBody { pointer, .. } => {
                format!("`{pointer}` of the answer")
            }
            Self::Usage { tokens } => {
                let places: Vec<String> = tokens.iter().map(|row| format!("`{}`", row.pointer)).collect();
                format!("one of {} of the answer", places.join(", "))
            }
        }
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

/// What stands at a place of the answer; nothing where that is `null`.
fn stated<'b>(body: Option<&'b Value>, pointer: &str) -> Option<&'b Value> {
    body?.pointer(pointer).filter(|value| !value.is_null())
}

/// The sum over all counts, rounded up once; `None` where one is missing.
fn usage(tokens: &[TokenPrice], body: Option<&Value>) -> Result<Option<Amount>, Unreadable> {
    let mut millionths: u128 = 0;
    for row in tokens {
        let Some(count) = stated(body, &row.pointer) else { return Ok(None) };
        let count = count.as_u64().ok_or(match count.as_i64() {
            Some(_) => Unreadable::Negative,
            None => Unreadable::NoNumber,
        })?;
        let more = u128::from(count) * u128::from(row.per_million.units);
        millionths = millionths.checked_add(more).ok_or(Unreadable::TooMuch)?;
    }
    let units = u64::try_from(millionths.div_ceil(1_000_000)).map_err(|_| Unreadable::TooMuch)?;
    Ok(tokens.first().map(|row| Amount::new(units, row.per_million.currency)))
}

fn number_text(value: &Value) -> Result<String, Unreadable> {
    match value {
        Value::Number(number) => Ok(number.to_string()),
        Value::String(text) => Ok(text.clone()),
        _ => Err(Unreadable::NoNumber),
    }
}

/// The decimal number `text` times `unit`, exactly, rounded up.
fn times(text: &str, unit: Amount) -> Result<Amount, Unreadable> {
    use Unreadable::{Negative, NoNumber, TooMuch};
    let text = text.trim();
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| NoNumber)?),
        None => (text, 0),
    };
    let (is_negative, mantissa) =
        mantissa.strip_prefix('-').map_or((false, mantissa), |mantissa| (true, mantissa));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !(digits(whole) && digits(fraction)) || whole.len() + fraction.len() == 0 {
        return Err(NoNumber);
    }
    if is_negative {
        return Err(Negative);
    }
    let fraction = fraction.trim_end_matches('0');
    let mut number: u128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        let more = number.checked_mul(10).and_then(|number| number.checked_add(u128::from(digit - b'0')));
        number = more.ok_or(TooMuch)?;
    }
    let number = number.checked_mul(u128::from(unit.units)).ok_or(TooMuch)?;
    let places = i32::try_from(fraction.len()).ok().and_then(|places| places.checked_sub(exponent));
    let places = places.ok_or(NoNumber)?;
    let power = 10u128.checked_pow(places.unsigned_abs());
    let units = match (places > 0, power) {
        _ if number == 0 => 0,
        (true, Some(power)) => number.div_ceil(power),
        (true, None) => 1,
        (false, power) => power.and_then(|power| number.checked_mul(power)).ok_or(TooMuch)?,
    };
    Ok(Amount::new(u64::try_from(units).map_err(|_| TooMuch)?, unit.currency))
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
            rule.read(|name| Ok((name == "x-cost").then_some(text)), None).map(|read| read.unwrap().units)
        };
        assert_eq!(read("0.004"), Ok(4_000));
        assert_eq!(read(" 1 "), Ok(1_000_000));
        assert_eq!(read(".5"), Ok(500_000));
        assert_eq!(read("0.0000001"), Ok(1));
        assert_eq!(read("0.0000010"), Ok(1));
        assert_eq!(read("1e-3"), Ok(1_000));
        assert_eq!(read("1.5e-7"), Ok(1));
        assert_eq!(read("1e-99"), Ok(1));
        assert_eq!(read("0e99"), Ok(0));
        assert_eq!(read("2E3"), Ok(2_000_000_000));
        assert_eq!(read("10000"), Ok(10_000_000_000));
        let large = ["10000.000001", "18446744073709.551615", "99999999999999999999", "1e30"];
        let refused = [
            (&["", ".", "1e", "0.1 USD", "NaN", "-", "--1", "1e99999999999"][..], Unreadable::NoNumber),
            (&["-1", "-0.5", "-1e-3"], Unreadable::Negative),
            (&large, Unreadable::TooMuch),
        ];
        for (texts, why) in refused {
            texts.iter().for_each(|text| assert_eq!(read(text), Err(why), "{text}"));
        }
        let rule = ObservedCost::Header { name: "x-cost".into(), currency: USD };
        assert_eq!(rule.read(|_| Ok(None), None), Ok(None), "what is not there is not wrong");
        assert_eq!(rule.read(|_| Err(Unreadable::Twice), None), Err(Unreadable::Twice));
    }

    #[test]
    fn credits_and_tokens_have_their_price() {
        let body = json!({ "cost": 0.25, "credits": "3", "usage": { "in": 1_000, "out": 3 } });
        let read = |rule: ObservedCost| {
            rule.read(|_| Ok(Some("1.5")), Some(&body)).map(|read| read.map(|amount| amount.units))
        };
        let credit = Amount::new(200_001, USD);
        assert_eq!(read(ObservedCost::Body { pointer: "/cost".into(), currency: USD }), Ok(Some(250_000)));
        assert_eq!(read(ObservedCost::CreditsHeader { name: "x".into(), credit }), Ok(Some(300_002)));
        assert_eq!(read(ObservedCost::CreditsBody { pointer: "/credits".into(), credit }), Ok(Some(600_003)));
        let price = |pointer: &str, units| TokenPrice {
            pointer: pointer.into(),
            per_million: Amount::new(units, USD),
        };
        let tokens = vec![price("/usage/in", 500_000), price("/usage/out", 1_500_000)];
        assert_eq!(read(ObservedCost::Usage { tokens }), Ok(Some(505)), "500 and 4.5, rounded once");
        let tokens = vec![price("/usage/in", 1), price("/usage/other", 1)];
        assert_eq!(
            read(ObservedCost::Usage { tokens }),
            Ok(None),
            "a count that is not there is not nothing"
        );
        for (stated, why) in [
            (json!(-3), Unreadable::Negative),
            (json!(0.5), Unreadable::NoNumber),
            (json!("3"), Unreadable::NoNumber),
        ] {
            let body = json!({ "n": stated });
            let rule = ObservedCost::Usage { tokens: vec![price("/n", 1)] };
            assert_eq!(rule.read(|_| Ok(None), Some(&body)), Err(why), "{body}");
        }
        for (stated, expected) in [(json!(null), Ok(None)), (json!(true), Err(Unreadable::NoNumber))] {
            let rule = ObservedCost::Body { pointer: "/n".into(), currency: USD };
            assert_eq!(rule.read(|_| Ok(None), Some(&json!({ "n": stated }))), expected);
        }
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
