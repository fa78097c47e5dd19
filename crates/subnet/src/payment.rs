//! What a peer that answers 402 asks for, by x402. It is told to the user, never paid.
//!
//! Version 1 has the offer in the body (`accepts`), version 2 in the header `PAYMENT-REQUIRED`, in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderMap;
use serde_json::Value;

/// Longest part of an offer that is shown.
const SHOWN_CHARS_MAX: usize = 60;

/// The first offer of an answer in one line; `None` where it holds none.
pub(crate) fn offer_in(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let header = headers.get("payment-required").and_then(|value| BASE64.decode(value.as_bytes()).ok());
    let document: Value = serde_json::from_slice(header.as_deref().unwrap_or(body)).ok()?;
    let offers = document.get("accepts")?.as_array()?;
    let offer = offers.first()?;
    let field = |names: &[&str]| {
        let text = names.iter().find_map(|name| match offer.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        });
        let text = text.unwrap_or_else(|| "?".into());
        text.chars().filter(|c| !c.is_control()).take(SHOWN_CHARS_MAX).collect::<String>()
    };
    let more = match offers.len() {
        1 => String::new(),
        all => format!(", and {} more offers", all - 1),
    };
    Some(format!(
        "x402 offer: {} units of {} on {} to {}{more}; Orchestra does not pay",
        field(&["amount", "maxAmountRequired"]),
        field(&["asset"]),
        field(&["network"]),
        field(&["payTo"]),
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_offer_of_either_version_is_told() {
        let one = json!({ "x402Version": 1, "accepts": [
            { "scheme": "exact", "network": "base", "maxAmountRequired": "10000", "asset": "0xA", "payTo": "0xB" },
            { "network": "other" },
        ] });
        let told = offer_in(&HeaderMap::new(), one.to_string().as_bytes()).unwrap();
        assert_eq!(
            told,
            "x402 offer: 10000 units of 0xA on base to 0xB, and 1 more offers; Orchestra does not pay"
        );
        let two = json!({ "x402Version": 2, "accepts": [{ "network": "eip155:8453", "amount": "5", "asset": "USDC", "payTo": "0xC\n" }] });
        let value = BASE64.encode(two.to_string()).parse().unwrap();
        let headers = HeaderMap::from_iter([("payment-required".parse().unwrap(), value)]);
        assert_eq!(
            offer_in(&headers, b"{}").unwrap(),
            "x402 offer: 5 units of USDC on eip155:8453 to 0xC; Orchestra does not pay"
        );
        assert_eq!(offer_in(&HeaderMap::new(), b"pay!"), None);
    }
}
