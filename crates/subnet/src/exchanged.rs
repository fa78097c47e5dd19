//! What came of one exchange: its answer in the declared form, or the failure it is.

use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, header};
use schema::amount::Amount;
use schema::error::{CallError, CallErrorKind};
use schema::operation::{ObservedCost, ResponseBody};
use secrecy::SecretString;

use crate::egress::{self, Exchange, ExchangeError, Timings};
use crate::outcome::observed_cost;
use crate::{code, echo, status};

/// What came of one exchange.
#[derive(Debug)]
pub(crate) struct Exchanged {
    /// The body, if it is an answer in the declared form.
    pub(crate) body: Result<Bytes, CallError>,
    pub(crate) redacted_request: Bytes,
    /// The body as received, also of a refusal; empty where it repeats the caller's key.
    pub(crate) response_body: Bytes,
    pub(crate) status: Option<u16>,
    pub(crate) timings: Timings,
    pub(crate) observed_cost: Option<Amount>,
    pub(crate) sent: bool,
}

impl Exchanged {
    pub(crate) fn unsent(error: CallError) -> Self {
        Self {
            body: Err(error),
            redacted_request: Bytes::new(),
            response_body: Bytes::new(),
            status: None,
            timings: Timings::default(),
            observed_cost: None,
            sent: false,
        }
    }

    pub(crate) fn take(
        &mut self,
        exchange: Exchange,
        key: Option<&SecretString>,
        form: ResponseBody,
        cost: Option<&ObservedCost>,
    ) {
        self.status = Some(exchange.status.as_u16());
        self.observed_cost = observed_cost(cost, &exchange.headers);
        // Errors quote the content type.
        let content_type = exchange.headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes());
        let shown = [Some(exchange.body.as_ref()), content_type];
        if key.is_some_and(|key| shown.into_iter().flatten().any(|part| echo::is_echoed(key, part))) {
            self.body = Err(repeats_the_key());
            return;
        }
        self.response_body = exchange.body;
        let body = &self.response_body;
        let failed = status::error_of(exchange.status, &exchange.headers, body, key, SystemTime::now());
        self.body = match failed {
            Some(error) => Err(error),
            None => check_form(&exchange.headers, form).map(|()| body.clone()),
        };
    }
}

/// Whether the answer's content type admits the declared form. Absent and vague types are let through, because the
/// decoder has the last word; what is plainly something else gets a message that says so.
fn check_form(headers: &HeaderMap, form: ResponseBody) -> Result<(), CallError> {
    let content_type = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?"));
    let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
    let (essence, parameters) = content_type.split_once(';').unwrap_or((&content_type, ""));
    let essence = essence.trim();
    let charset = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("charset="));
    let utf8 = charset.is_none_or(|name| matches!(name.trim_matches('"'), "utf-8" | "utf8" | "us-ascii"));
    let admitted = match form {
        ResponseBody::Json => {
            utf8 && (matches!(
                essence,
                "" | "application/json" | "text/json" | "text/plain" | "application/octet-stream"
            ) || essence.ends_with("+json"))
        }
        ResponseBody::Text => {
            utf8 && (essence.is_empty()
                || essence.starts_with("text/") && essence != "text/event-stream"
                || matches!(essence, "application/json" | "application/xml" | "application/markdown"))
        }
        ResponseBody::Bytes => essence != "text/html",
    };
    if admitted {
        return Ok(());
    }
    let wanted = match form {
        ResponseBody::Json => "JSON in UTF-8",
        ResponseBody::Text => "text in UTF-8",
        ResponseBody::Bytes => "octets",
    };
    let shown: String = content_type.chars().filter(|c| !c.is_control()).take(60).collect();
    Err(CallError::invalid(code::FORM, "$", format!("the answer is `{shown}`, expected {wanted}")))
}

pub(crate) fn repeats_the_key() -> CallError {
    CallError::invalid(code::ECHO, "$", "the answer repeats the caller's API key, so it is not kept")
}

pub(crate) fn call_error(error: &ExchangeError) -> CallError {
    let message = error.to_string();
    match error {
        ExchangeError::Refused(refused) => CallError::new(CallErrorKind::Rejected, refused.code(), message),
        ExchangeError::Connect { source, .. } => {
            let cause = egress::deepest(source.as_ref());
            CallError::new(CallErrorKind::Unavailable, code::CONNECT, format!("{message}: {cause}"))
        }
        ExchangeError::Timeout { .. } => CallError::new(CallErrorKind::Timeout, code::TIMEOUT, message),
        ExchangeError::Cut | ExchangeError::Protocol(_) => {
            CallError::new(CallErrorKind::Unavailable, code::CUT, message)
        }
        ExchangeError::HeadersTooLarge | ExchangeError::BodyTooLarge { .. } => {
            CallError::invalid(code::TOO_LARGE, "$", message)
        }
        ExchangeError::Encoded(_) => CallError::invalid(code::FORM, "$", message),
    }
}
