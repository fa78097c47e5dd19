//! What one call came to.

use bytes::Bytes;
use http::HeaderMap;
use schema::amount::{Amount, Currency};
use schema::error::CallError;
use schema::operation::ObservedCost;
use schema::value::Value;

use crate::egress::Timings;

/// The result of one call with everything a journal, a proof and a ledger of money need.
#[derive(Debug, Clone)]
pub struct CallOutcome {
    /// The decoded answer, or why there is none.
    pub result: Result<Value, CallError>,
    /// The request in canonical form, without secrets and signatures: what `request_commit` commits to. Of several
    /// exchanges all of them, one after the other with a line end between.
    pub redacted_request: Bytes,
    /// The body as received; empty where none was, or where it repeated the caller's key. Of several exchanges all
    /// of them, one after the other with a line end between.
    pub response_body: Bytes,
    /// HTTP status, where an answer began.
    pub status: Option<u16>,
    /// When things happened.
    pub timings: Timings,
    /// Pages of the answer that were asked for, each charged; 1 where it comes in one piece.
    pub pages: u32,
    /// The charge that the peer stated, where the descriptor says where to read it.
    pub observed_cost: Option<Amount>,
    /// SS58 address of the miner the request was signed for. Axon answers are not signed, so this says who was
    /// asked, not who answered.
    pub peer: Option<String>,
    /// Whether the request may have left this process. Where not, the call costs nothing.
    pub sent: bool,
}

impl CallOutcome {
    /// A call that ended before anything was sent.
    pub(crate) fn unsent(error: CallError) -> Self {
        Self {
            result: Err(error),
            redacted_request: Bytes::new(),
            response_body: Bytes::new(),
            status: None,
            timings: Timings::default(),
            pages: 1,
            observed_cost: None,
            peer: None,
            sent: false,
        }
    }
}

/// The charge in an answer's headers, rounded up to whole units so that no charge is understated.
pub(crate) fn observed_cost(rule: Option<&ObservedCost>, headers: &HeaderMap) -> Option<Amount> {
    let ObservedCost::Header { name, currency } = rule?;
    let text = headers.get(name)?.to_str().ok()?.trim();
    decimal_rounded_up(text, *currency)
}

fn decimal_rounded_up(text: &str, currency: Currency) -> Option<Amount> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !(digits(whole) && digits(fraction)) || whole.len() + fraction.len() == 0 {
        return None;
    }
    let mut units =
        if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? }.checked_mul(currency.scale())?;
    let mut place = currency.scale();
    let mut finer = false;
    for digit in fraction.bytes().map(|byte| u64::from(byte - b'0')) {
        place /= 10;
        units = units.checked_add(digit * place)?;
        finer |= place == 0 && digit > 0;
    }
    Some(Amount::new(units.checked_add(u64::from(finer))?, currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stated_charges_are_read_exactly_and_rounded_up() {
        let read = |text: &str| decimal_rounded_up(text, Currency::MicroUsd).map(|amount| amount.units);
        assert_eq!(read("0.004"), Some(4_000));
        assert_eq!(read("1"), Some(1_000_000));
        assert_eq!(read(".5"), Some(500_000));
        assert_eq!(read("0.0000001"), Some(1));
        assert_eq!(read("0.0000010"), Some(1));
        for bad in ["", ".", "-1", "1e-3", "0.1 USD", "99999999999999999999"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
