//! What came of one exchange: its answer in the declared form, or the failure it is.

use std::ops::ControlFlow;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use proof::attestation::Attestation;
use schema::amount::Amount;
use schema::error::{CallError, CallErrorKind};
use schema::operation::{ObservedCost, ResponseBody, Unreadable};
use serde_json::Value;

use crate::egress::{self, Exchange, ExchangeError, Timings, Watch};
use crate::grpc::MessageReader;
use crate::secrets::Key;
use crate::signed::Asked;
use crate::streamed::StreamReader;
use crate::{code, echo, status, twresp};

/// What reads an answer while it comes, and makes its JSON, text or octets of it.
pub(crate) enum Reader<'a> {
    /// The body as it is.
    Whole(ResponseBody),
    /// A stream of items; boxed, as most answers are none.
    Items(Box<StreamReader<'a>>),
    /// Messages of gRPC.
    Messages(Box<MessageReader<'a>>),
}

impl Watch for Reader<'_> {
    fn head(&mut self, status: StatusCode, headers: &HeaderMap) {
        match self {
            Self::Whole(_) => {}
            Self::Items(reader) => reader.head(status, headers),
            Self::Messages(reader) => reader.head(status, headers),
        }
    }

    fn part(&mut self, bytes: &[u8]) -> ControlFlow<()> {
        match self {
            Self::Whole(_) => ControlFlow::Continue(()),
            Self::Items(reader) => reader.part(bytes),
            Self::Messages(reader) => reader.part(bytes),
        }
    }
}

impl Reader<'_> {
    /// Takes what came last and nothing ends.
    fn close(&mut self) {
        match self {
            Self::Whole(_) => {}
            Self::Items(reader) => reader.close(),
            Self::Messages(reader) => reader.close(),
        }
    }

    /// Whether `key` comes in pieces, and is whole only in what they make together; of an answer that breaks off, too.
    fn is_pieced(&self, key: &Key) -> bool {
        let is_echoed = |text: String| echo::is_echoed(key, text.as_bytes());
        match self {
            Self::Whole(_) => false,
            Self::Items(reader) => reader.pieces().any(is_echoed),
            Self::Messages(reader) => reader.pieces().any(is_echoed),
        }
    }

    /// The answer of a success in its declared form.
    fn finish(self, exchange: &Exchange) -> Result<Bytes, CallError> {
        let made = match self {
            // A success without content, in an exchange that is otherwise JSON.
            Self::Whole(ResponseBody::Json)
                if matches!(exchange.status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT) =>
            {
                return Ok(Bytes::from_static(b"null"));
            }
            Self::Whole(form) => return check_form(&exchange.headers, form).map(|()| exchange.body.clone()),
            Self::Items(reader) if !reader.is_stream() => {
                return check_form(&exchange.headers, ResponseBody::Json).map(|()| exchange.body.clone());
            }
            Self::Items(reader) => reader.finish()?,
            Self::Messages(reader) => reader.finish(&exchange.headers, &exchange.trailers)?,
        };
        Ok(made.to_string().into_bytes().into())
    }
}

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
    /// Why the charge that is stated cannot be read, where one is stated.
    pub(crate) unread_charge: Option<String>,
    /// The signature of the one who was asked over the answer.
    pub(crate) attestation: Option<Attestation>,
    pub(crate) sent: bool,
}

impl Exchanged {
    /// Whether the peer turned the request away before it did anything.
    pub(crate) fn is_turned_away(&self) -> bool {
        let turned_away = [code::UNAUTHORIZED, code::PAYMENT_REQUIRED, code::RATE_LIMITED];
        self.body.as_ref().is_err_and(|error| turned_away.contains(&error.code.as_str()))
    }

    pub(crate) fn unsent(error: CallError) -> Self {
        Self {
            body: Err(error),
            redacted_request: Bytes::new(),
            response_body: Bytes::new(),
            status: None,
            timings: Timings::default(),
            observed_cost: None,
            unread_charge: None,
            attestation: None,
            sent: false,
        }
    }

    /// Takes an answer that `reader` has read; `asked` where its sender signs it, `cost` tells where its charge is.
    pub(crate) fn take(
        &mut self,
        exchange: Exchange,
        key: Option<&Key>,
        mut reader: Reader<'_>,
        asked: Option<&Asked>,
        cost: Option<&ObservedCost>,
    ) {
        reader.close();
        self.status = Some(exchange.status.as_u16());
        // Errors quote the content type and the words of a gRPC status.
        let shown = [Some(&exchange.headers), Some(&exchange.trailers)].into_iter().flatten();
        let shown = shown.flat_map(|headers| ["content-type", "grpc-message"].map(|name| headers.get(name)));
        let shown = shown.flatten().map(|value| value.as_bytes()).chain([exchange.body.as_ref()]);
        let is_echoed = key.is_some_and(|key| shown.into_iter().any(|part| echo::is_echoed(key, part)));
        let is_made = !matches!(reader, Reader::Whole(_));
        let is_pieced = !is_echoed && key.is_some_and(|key| reader.is_pieced(key));
        self.body = match is_echoed {
            true => {
                Err(status::refusal_of(exchange.status, &exchange.headers).unwrap_or_else(repeats_the_key))
            }
            false => self.answer(&exchange, key, reader, asked),
        };
        let read = cost.map(|rule| observed_cost(rule, &exchange.headers, self.body.as_deref().ok()));
        (self.observed_cost, self.unread_charge) = match read.transpose() {
            Ok(read) => (read.flatten(), None),
            Err(unread) => (None, Some(unread)),
        };
        // Readers may put texts of several places together. Only now: what it stated that it cost, it cost all the same.
        let is_joined = |key| is_made && self.body.as_ref().is_ok_and(|body| echo::is_echoed(key, body));
        if is_pieced || key.is_some_and(is_joined) {
            self.body = Err(repeats_the_key());
            self.attestation = None;
        } else if !is_echoed {
            self.response_body = exchange.body;
        }
    }

    fn answer(
        &mut self,
        exchange: &Exchange,
        key: Option<&Key>,
        reader: Reader<'_>,
        asked: Option<&Asked>,
    ) -> Result<Bytes, CallError> {
        if let Some(asked) = asked {
            self.attestation =
                twresp::verify(asked, exchange.status.as_u16(), &exchange.headers, &exchange.body)?;
        }
        let failed =
            status::error_of(exchange.status, &exchange.headers, &exchange.body, key, SystemTime::now());
        match failed {
            Some(error) => Err(error),
            None => reader.finish(exchange),
        }
    }
}

/// The charge that an answer states, or why that cannot be read.
fn observed_cost(
    rule: &ObservedCost,
    headers: &HeaderMap,
    body: Option<&[u8]>,
) -> Result<Option<Amount>, String> {
    let body = body.filter(|_| rule.reads_body()).and_then(|body| serde_json::from_slice::<Value>(body).ok());
    // Which of several would be the charge, nobody has said.
    let header = |name: &str| {
        let mut all = headers.get_all(name).iter();
        match (all.next(), all.next()) {
            (None, _) => Ok(None),
            (Some(only), None) => only.to_str().map(Some).map_err(|_| Unreadable::NoNumber),
            (Some(_), Some(_)) => Err(Unreadable::Twice),
        }
    };
    rule.read(header, body.as_ref()).map_err(|why| format!("{} {why}", rule.place()))
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
