//! What the headers of a request say: who calls, what it may cost, how long it may take, and whether it was sent before.

use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, StatusCode};
use proto::v1;
use schema::amount::{Amount, Currency};
use serde_json::{Map, Value};
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};

use axum::extract::rejection::BytesRejection;

use crate::Options;
use crate::error::{Failure, code};
use crate::json;

const COST_MAX: &str = "x-orchestra-cost-max";
const TIMEOUT: &str = "x-orchestra-timeout";
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Sent by OpenAI's clients: how often they have repeated the request by themselves.
const RETRY_COUNT: &str = "x-stainless-retry-count";

/// The headers of a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// Passed on as it is; the services know what it means.
    pub(crate) authorization: Option<MetadataValue<Ascii>>,
    pub(crate) cost_max: Option<Amount>,
    pub(crate) timeout: Option<Duration>,
    /// Empty for none.
    pub(crate) request_id: String,
    /// Whether the client repeats by itself what it has sent before.
    pub(crate) repeats: bool,
}

impl Caller {
    pub(crate) fn of(headers: &HeaderMap, options: Options) -> Result<Self, Failure> {
        for name in [COST_MAX, TIMEOUT, IDEMPOTENCY_KEY, AUTHORIZATION.as_str()] {
            let mut all = headers.get_all(name).iter();
            let first = all.next();
            if all.any(|other| Some(other) != first) {
                return Err(
                    Failure::unreadable(format!("header {name} is there twice and differs")).about(name)
                );
            }
        }
        let text = |name: &str| match headers.get(name).map(|value| value.to_str()) {
            Some(Ok(text)) => Ok(Some(text.trim())),
            Some(Err(_)) => Err(Failure::unreadable(format!("header {name} is no text")).about(name)),
            None => Ok(None),
        };
        let cost_max = text(COST_MAX)?.map(|text| {
            text.parse::<Amount>()
                .map_err(|error| Failure::unreadable(error.to_string()).about("X-Orchestra-Cost-Max"))
        });
        let timeout = text(TIMEOUT)?.map(|text| {
            let seconds = text
                .strip_suffix('s')
                .unwrap_or(text)
                .trim_end()
                .parse::<u32>()
                .ok()
                .filter(|seconds| *seconds > 0);
            let message = format!("`{text}` is no timeout; write whole seconds, such as `90` or `90s`");
            seconds.ok_or_else(|| Failure::unreadable(message).about("X-Orchestra-Timeout"))
        });
        let authorization = headers.get(AUTHORIZATION).map(|value| {
            MetadataValue::try_from(value.as_bytes())
                .map_err(|_| Failure::unreadable("header authorization is no text").about("Authorization"))
        });
        Ok(Self {
            authorization: authorization.transpose()?,
            cost_max: cost_max.transpose()?.or(options.cost_max),
            timeout: timeout.transpose()?.map(|seconds| Duration::from_secs(seconds.into())),
            request_id: text(IDEMPOTENCY_KEY)?.unwrap_or_default().to_owned(),
            repeats: text(RETRY_COUNT)?.is_some_and(|count| count != "0"),
        })
    }

    /// `message` in the name of the caller.
    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(authorization) = &self.authorization {
            request.metadata_mut().insert("authorization", authorization.clone());
        }
        request
    }

    /// The limit of the cost as the services take it.
    pub(crate) fn amount(&self) -> Option<v1::Amount> {
        self.cost_max.map(|amount| v1::Amount {
            units: amount.units,
            currency: match amount.currency {
                Currency::Rao => v1::Currency::Rao,
                Currency::MicroUsd => v1::Currency::MicroUsd,
            }
            .into(),
        })
    }
}

/// The JSON object of a request's body.
pub(crate) fn object(body: Result<Bytes, BytesRejection>) -> Result<(Bytes, Map<String, Value>), Failure> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            code::UNREADABLE,
            format!(
                "the body has more than {} MiB, the most that the arguments of a call may have",
                crate::BODY_BYTES_MAX >> 20
            ),
        ),
        _ => Failure::unreadable("the body broke off, or one of its chunks is none: send the request again"),
    })?;
    match json::read(&body) {
        Ok(Value::Object(object)) => Ok((body, object)),
        Ok(_) => Err(Failure::unreadable("the body is no JSON object")),
        Err((why, Some(place))) => Err(Failure::unreadable(why).about(place)),
        Err((why, None)) => Err(Failure::unreadable(why)),
    }
}

/// The parameter `model`.
pub(crate) fn model_of(body: &Map<String, Value>) -> Result<&str, Failure> {
    match body.get("model") {
        Some(Value::String(model)) if !model.is_empty() => Ok(model),
        Some(_) => {
            Err(Failure::parameter("model", "`model` is the id of a model: GET /v1/models lists them"))
        }
        None => Err(Failure::parameter("model", "`model` is missing: GET /v1/models lists them")),
    }
}
