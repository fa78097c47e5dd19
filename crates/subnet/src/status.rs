//! What a status other than success means to a plan.

use std::time::SystemTime;

use http::{HeaderMap, StatusCode, header};
use schema::error::{CallError, CallErrorKind};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::secrets::Key;
use crate::{code, payment};

/// Longest part of a peer's own message that is repeated to the user.
const DETAIL_CHARS_MAX: usize = 200;
/// Bodies above this are not searched for a message.
const DETAIL_BYTES_MAX: usize = 64 << 10;
/// A peer that asks to wait longer than a day means "never".
pub(crate) const RETRY_AFTER_MS_MAX: u64 = 24 * 60 * 60 * 1_000;

/// The error for an answer with `status` whose words repeat the caller's key and are left out; `None` for success.
pub(crate) fn refusal_of(status: StatusCode, headers: &HeaderMap) -> Option<CallError> {
    let mut told = HeaderMap::new();
    told.extend(headers.get(header::RETRY_AFTER).map(|wait| (header::RETRY_AFTER, wait.clone())));
    let mut error = error_of(status, &told, b"", None, SystemTime::now())?;
    error.message.push_str("; what it says repeats the caller's API key, so it is not kept");
    Some(error)
}

/// The error for an answer with `status`; `None` for success. `key` is taken out of whatever the peer said.
pub(crate) fn error_of(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    key: Option<&Key>,
    now: SystemTime,
) -> Option<CallError> {
    if status.is_success() {
        return None;
    }
    let (kind, code, meaning) = match status.as_u16() {
        401 | 403 | 407 => {
            (CallErrorKind::Unauthorized, code::UNAUTHORIZED, "the peer refused the credentials")
        }
        408 | 504 => (CallErrorKind::Timeout, code::TIMEOUT, "the peer ran out of time"),
        402 => (CallErrorKind::Rejected, code::PAYMENT_REQUIRED, "the peer wants to be paid first"),
        429 => (CallErrorKind::RateLimited, code::RATE_LIMITED, "the peer asks to slow down"),
        300..=399 => {
            (CallErrorKind::Rejected, code::REDIRECT, "the peer redirects, and redirects are not followed")
        }
        500..=599 => (CallErrorKind::Unavailable, code::PEER_FAILED, "the peer failed"),
        _ => (CallErrorKind::Rejected, code::REJECTED, "the peer refused the request"),
    };
    let offer = (status == StatusCode::PAYMENT_REQUIRED).then(|| payment::offer_in(headers, body)).flatten();
    let detail =
        offer.or_else(|| detail_of(body, key)).map(|detail| format!(": {detail}")).unwrap_or_default();
    let mut error = CallError::new(kind, code, format!("{meaning} (status {}){detail}", status.as_u16()));
    error.retry_after_ms = retry_after_ms(headers, now);
    Some(error)
}

/// `Retry-After` in either of its forms, seconds or a date.
fn retry_after_ms(headers: &HeaderMap, now: SystemTime) -> Option<u64> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    let wait_ms = match text.parse::<u64>() {
        Ok(seconds) => seconds.saturating_mul(1_000),
        Err(_) => {
            let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            let now = jiff::Timestamp::try_from(now).ok()?;
            u64::try_from(until.as_millisecond() - now.as_millisecond()).unwrap_or(0)
        }
    };
    Some(wait_ms.min(RETRY_AFTER_MS_MAX))
}

/// The peer's own words, where it gave any that fit a line.
fn detail_of(body: &[u8], key: Option<&Key>) -> Option<String> {
    let text = std::str::from_utf8(body.get(..DETAIL_BYTES_MAX.min(body.len()))?).ok()?.trim();
    let words = match serde_json::from_str::<Value>(text) {
        Ok(document) => message_in(&document)?.to_owned(),
        Err(_) if text.starts_with(['<', '{', '[']) || text.is_empty() => return None,
        Err(_) => text.to_owned(),
    };
    let parts = key.into_iter().flat_map(Key::texts);
    let words = parts.fold(words, |words, part| words.replace(part.expose_secret(), "[redacted]"));
    let line: String =
        words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(DETAIL_CHARS_MAX).collect();
    Some(line)
}

/// What an item of a stream says went wrong, where it is an error instead: OpenAI-compatible peers have no other way
/// to tell once an answer has begun.
pub(crate) fn error_in(item: &Value) -> Option<String> {
    let error = item.as_object()?.get("error").filter(|error| error.is_object())?;
    let words = error.get("message").and_then(Value::as_str).unwrap_or("it does not say why");
    Some(words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(DETAIL_CHARS_MAX).collect())
}

/// The field that frameworks put their message in: FastAPI `detail`, axons `message`, OpenAI `error.message`.
fn message_in(document: &Value) -> Option<&str> {
    ["message", "detail", "error", "msg"].into_iter().find_map(|name| match document.get(name)? {
        Value::String(text) => Some(text.as_str()),
        inner @ Value::Object(_) => inner.get("message")?.as_str(),
        Value::Array(items) => items.first()?.get("msg")?.as_str(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_after_is_read_in_both_forms_and_capped() {
        let now = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_445_412_480);
        let wait = |text: &str| {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, text.parse().expect("header"))]);
            retry_after_ms(&headers, now)
        };
        assert_eq!(wait("7"), Some(7_000));
        assert_eq!(wait("Wed, 21 Oct 2015 07:28:05 GMT"), Some(5_000));
        assert_eq!(wait("Wed, 21 Oct 2015 07:27:00 GMT"), Some(0));
        assert_eq!(wait("99999999999999999999"), None);
        assert_eq!(wait("9999999999999999999"), Some(RETRY_AFTER_MS_MAX));
        assert_eq!(wait("soon"), None);
    }

    #[test]
    fn a_peers_words_are_shown_on_one_line_without_the_key() {
        let key = Key::from("sk-canary-1");
        let detail = |body: &str| detail_of(body.as_bytes(), Some(&key));
        assert_eq!(
            detail(r#"{"detail":"key sk-canary-1\nis wrong"}"#).as_deref(),
            Some("key [redacted] is wrong")
        );
        assert_eq!(detail(r#"{"error":{"message":"no credit"}}"#).as_deref(), Some("no credit"));
        assert_eq!(
            detail(r#"{"detail":[{"loc":["body"],"msg":"JSON decode error"}]}"#).as_deref(),
            Some("JSON decode error")
        );
        assert_eq!(detail("<html>..."), None);
        assert_eq!(detail("slow down\u{1b}[31m").as_deref(), Some("slow down [31m"));
    }
}
