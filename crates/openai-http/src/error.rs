//! Errors in the form of OpenAI's API: a status by which its clients choose their exception, our stable code, the
//! parameter that is wrong, what was charged, and whether the request may be repeated without paying twice.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::told::Receipt;

/// Stable codes of this crate.
pub(crate) mod code {
    /// A request that cannot be read.
    pub(crate) const UNREADABLE: &str = "E1820";
    /// A model that does not exist.
    pub(crate) const NO_MODEL: &str = "E1821";
    /// A parameter that the model cannot honour.
    pub(crate) const PARAMETER: &str = "E1822";
    /// A repetition that might be paid twice.
    pub(crate) const PAID_TWICE: &str = "E1823";
    /// An answer that cannot be given in the form of a completion.
    pub(crate) const ANSWER: &str = "E1824";
    /// An answer that takes longer than a request waits.
    pub(crate) const TOO_LONG: &str = "E1825";
}

/// Read by OpenAI's clients: whether they may repeat a request by themselves.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
/// How long a client waits where the service does not say.
const RETRY_DELAY: Duration = Duration::from_secs(1);
/// Nonstandard, but what proxies log of a request that was cancelled; clients do not repeat it.
const CANCELLED: u16 = 499;

/// A request that gets no answer.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    code: Box<str>,
    message: Box<str>,
    param: Option<Box<str>>,
    retry_after: Option<Duration>,
    /// What became of the call, where one was made.
    receipt: Option<Box<Receipt>>,
    call_kind: Option<Box<str>>,
    /// JSON path of what does not fit in the subnet's answer.
    path: Option<Box<str>>,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, code: &str, message: impl Into<Box<str>>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            param: None,
            retry_after: None,
            receipt: None,
            call_kind: None,
            path: None,
        }
    }

    /// A request that cannot be read.
    pub(crate) fn unreadable(message: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code::UNREADABLE, message)
    }

    /// A parameter that is wrong or cannot be honoured.
    pub(crate) fn parameter(param: impl Into<Box<str>>, message: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code::PARAMETER, message).about(param)
    }

    /// An answer that was paid for and cannot be given on.
    pub(crate) fn answer(receipt: Receipt, message: impl Into<Box<str>>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, code::ANSWER, message).settled(receipt)
    }

    pub(crate) fn about(mut self, param: impl Into<Box<str>>) -> Self {
        self.param = Some(param.into());
        self
    }

    pub(crate) fn settled(mut self, receipt: Receipt) -> Self {
        self.receipt = Some(Box::new(receipt));
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// With `param` as the client knows it, where the service complained about arguments: `name` gives that of an
    /// argument.
    pub(crate) fn about_argument<'a>(
        mut self,
        arguments: impl IntoIterator<Item = &'a String>,
        name: impl Fn(&str) -> String,
    ) -> Self {
        if self.param.as_deref().is_some_and(|param| matches!(param, "arguments_json" | "inputs_json")) {
            let named = |argument: &&String| {
                [format!("$.{argument}"), format!("`{argument}`")]
                    .iter()
                    .any(|place| self.message.contains(place))
            };
            self.param = arguments.into_iter().find(named).map(|argument| name(argument).into());
        }
        self
    }

    /// The object `error` of the body.
    pub(crate) fn body(&self) -> Value {
        let mut error = Map::new();
        error.insert("message".into(), self.text().into());
        error.insert("type".into(), self.kind().into());
        error.insert("param".into(), self.param.as_deref().into());
        error.insert("code".into(), (*self.code).into());
        if let Some(kind) = &self.call_kind {
            error.insert("call_kind".into(), (**kind).into());
        }
        if let Some(path) = &self.path {
            error.insert("path".into(), (**path).into());
        }
        if let Some(receipt) = &self.receipt {
            error.insert("orchestra".into(), receipt.json());
        }
        json!({ "error": error })
    }

    fn text(&self) -> String {
        match self.receipt.as_deref() {
            Some(receipt) => format!("{} ({})", self.message, receipt.sentence()),
            None => self.message.clone().into(),
        }
    }

    fn kind(&self) -> &'static str {
        match self.status.as_u16() {
            401 => "authentication_error",
            402 => "insufficient_quota",
            403 => "permission_error",
            404 => "not_found_error",
            429 => "rate_limit_error",
            400..500 => "invalid_request_error",
            _ => "server_error",
        }
    }

    /// Whether a repetition might be paid for once more, or cannot help.
    fn must_not_repeat(&self) -> bool {
        self.status == StatusCode::CONFLICT || self.receipt.as_ref().is_some_and(|receipt| !receipt.is_free())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body().to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self.must_not_repeat() {
            headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
        }
        if let Some(wait) = self.retry_after {
            headers.insert(
                RETRY_AFTER,
                HeaderValue::from(wait.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX)),
            );
        }
        if let Some(receipt) = &self.receipt {
            receipt.write(headers);
        }
        response
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info();
        let reason = info.map_or(code::UNREADABLE, |info| info.reason.as_str());
        let metadata = |name: &str| info.and_then(|info| info.metadata.get(name)).cloned();
        let receipt = metadata("run").map(|run| Receipt {
            run,
            cost: metadata("charged").unwrap_or_default(),
            certain: metadata("certain").is_some_and(|certain| certain == "true"),
            proof: metadata("proof_id").unwrap_or_default(),
            operation: metadata("operation").unwrap_or_default(),
        });
        let call_kind = metadata("call_kind");
        let http = http_status(status.code(), reason, call_kind.as_deref(), receipt.is_some());
        let violated = details.bad_request().and_then(|request| request.field_violations.first());
        let retry_after = matches!(http.as_u16(), 429 | 503)
            .then(|| details.retry_info().and_then(|info| info.retry_delay).unwrap_or(RETRY_DELAY));
        let param = violated.map(|violation| match violation.field.as_str() {
            "cost_max" => "X-Orchestra-Cost-Max".to_owned(),
            "timeout" => "X-Orchestra-Timeout".to_owned(),
            "request_id" => "Idempotency-Key".to_owned(),
            "operation" | "published_plan" | "name" => "model".to_owned(),
            field => field.to_owned(),
        });
        Self {
            param: param.map(Into::into),
            retry_after,
            receipt: receipt.map(Box::new),
            call_kind: call_kind.map(Into::into),
            path: metadata("path").map(Into::into),
            ..Self::new(http, reason, status.message())
        }
    }
}

/// The status that makes OpenAI's clients raise the exception that fits.
fn http_status(code: Code, reason: &str, call_kind: Option<&str>, was_made: bool) -> StatusCode {
    let is_money = reason.starts_with("E14") || call_kind == Some("over_budget");
    match code {
        Code::ResourceExhausted | Code::FailedPrecondition if is_money => StatusCode::PAYMENT_REQUIRED,
        Code::Cancelled => StatusCode::from_u16(CANCELLED).unwrap_or(StatusCode::BAD_REQUEST),
        Code::InvalidArgument | Code::OutOfRange | Code::FailedPrecondition if !was_made => {
            StatusCode::BAD_REQUEST
        }
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        // The call was made, and what the subnet answered is of no use.
        _ if was_made => StatusCode::BAD_GATEWAY,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tonic_types::ErrorDetails;

    use super::*;

    fn failed(code: Code, reason: &str, metadata: &[(&str, &str)], wait: Option<Duration>) -> Response {
        let metadata = metadata.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut details = ErrorDetails::new();
        details.set_error_info(reason, "orchestra", metadata.collect::<HashMap<_, _>>());
        details.set_retry_info(wait);
        Failure::from(Status::with_error_details(code, "no", details)).into_response()
    }

    #[test]
    fn every_kind_of_refusal_has_the_status_that_its_exception_is_raised_for() {
        let made = [("run", "runs/1"), ("charged", "0.001 USD"), ("certain", "true")];
        let over = [("call_kind", "over_budget"), ("run", "runs/1")];
        for (code, reason, metadata, status) in [
            (Code::Unauthenticated, "E1517", [].as_slice(), 401),
            (Code::PermissionDenied, "E1519", &[], 403),
            (Code::FailedPrecondition, "E1402", &[], 402),
            (Code::ResourceExhausted, "E1407", &[], 402),
            (Code::ResourceExhausted, "E1104", &over, 402),
            (Code::ResourceExhausted, "E1172", &[], 429),
            (Code::NotFound, "E1201", &[], 404),
            (Code::AlreadyExists, "E1008", &[], 409),
            (Code::FailedPrecondition, "E1206", &[], 400),
            (Code::FailedPrecondition, "E1121", &made, 502),
            (Code::InvalidArgument, "E1121", &made, 502),
            (Code::DeadlineExceeded, "E1104", &made, 504),
            (Code::Unavailable, "E1175", &[], 503),
            (Code::Cancelled, "E1508", &made, 499),
            (Code::Internal, "E1511", &[], 500),
        ] {
            assert_eq!(failed(code, reason, metadata, None).status().as_u16(), status, "{code:?} {reason}");
        }
    }

    #[test]
    fn what_may_have_been_charged_is_not_to_be_repeated() {
        let busy = failed(Code::ResourceExhausted, "E1172", &[], Some(Duration::from_millis(2_500)));
        assert_eq!(
            (&busy.headers()[RETRY_AFTER], busy.headers().get(SHOULD_RETRY)),
            (&HeaderValue::from(3), None)
        );
        let unknown = failed(Code::Unavailable, "E1173", &[("run", "runs/1"), ("certain", "false")], None);
        assert_eq!(unknown.headers().get(SHOULD_RETRY), Some(&HeaderValue::from_static("false")));
        let free = [("run", "runs/1"), ("charged", "0 USD"), ("certain", "true")];
        let free = failed(Code::Unavailable, "E1104", &free, None);
        assert_eq!(
            (&free.headers()[RETRY_AFTER], free.headers().get(SHOULD_RETRY)),
            (&HeaderValue::from(1), None)
        );
        for charged in [("0.001 USD", "true"), ("0 USD", "false"), ("", "")] {
            let made = [("run", "runs/1"), ("charged", charged.0), ("certain", charged.1)];
            let failed = failed(Code::Unavailable, "E1104", &made, Some(RETRY_DELAY));
            assert_eq!(failed.headers()[SHOULD_RETRY], "false", "{charged:?}");
            // Whoever repeats it all the same knows when.
            assert_eq!(failed.headers()[RETRY_AFTER], "1");
        }
    }
}
