//! What the services tell of a call while it goes on, whether an operation, a capability or a plan makes it.

use std::time::Duration;

use futures_util::stream::{BoxStream, StreamExt as _};
use http::{HeaderMap, HeaderName, HeaderValue};
use proto::v1::call_service_client::CallServiceClient;
use proto::v1::stream_response::Event;
use proto::{Channel, v1};
use schema::amount::{Amount, Currency};
use serde_json::{Map, Value, json};

use crate::caller::Caller;
use crate::error::Failure;
use crate::models::Target;
use crate::{ANSWER_BYTES_MAX, Face, plan};

/// How long a request waits whose answer comes in one piece: a server begins to answer within a minute or not at all.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(50);
/// How long a stream goes on where the caller does not say; what OpenAI's own clients wait.
const STREAM_TIMEOUT: Duration = Duration::from_secs(600);

/// What a call came to besides its answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Receipt {
    pub(crate) run: String,
    /// Such as `0.004 USD`.
    pub(crate) cost: String,
    pub(crate) certain: bool,
    /// 64 hex digits.
    pub(crate) proof: String,
    /// What answered; empty where nothing did.
    pub(crate) operation: String,
}

/// An answer with its receipt.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) result: Value,
    pub(crate) receipt: Receipt,
}

/// Something that a call tells.
#[derive(Debug)]
pub(crate) enum Told {
    /// It is on its way as this run.
    Accepted(String),
    /// An attempt was sent. Its first parts may come before that.
    Sent,
    /// An attempt has ended. All its parts came before that.
    Ended,
    /// The next part of the answer.
    Item(Value),
    /// The answer; nothing comes after it.
    Answered(Answered),
}

/// A call in its order.
pub(crate) type Telling = BoxStream<'static, Result<Told, Failure>>;

impl Receipt {
    const HEADERS: [&str; 5] = [
        "x-orchestra-run",
        "x-orchestra-cost",
        "x-orchestra-cost-certain",
        "x-orchestra-proof",
        "x-orchestra-operation",
    ];

    /// Whether it is certain that nothing was charged.
    pub(crate) fn is_free(&self) -> bool {
        self.certain && self.cost.parse::<Amount>().is_ok_and(|cost| cost.units == 0)
    }

    /// What was charged, for people.
    pub(crate) fn sentence(&self) -> String {
        let charged = if self.cost.is_empty() { "an unknown amount" } else { &self.cost };
        let certain = if self.certain { "" } else { ", which is not certain" };
        format!("charged {charged}{certain}; {}", self.run)
    }

    pub(crate) fn json(&self) -> Value {
        let Self { run, cost, certain, proof, operation } = self;
        json!({ "run": run, "cost": cost, "cost_certain": certain, "proof": proof, "operation": operation })
    }

    /// Writes what is known into the headers of an answer.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let certain = if self.cost.is_empty() {
            ""
        } else if self.certain {
            "true"
        } else {
            "false"
        };
        let values = [&self.run, &self.cost, certain, &self.proof, &self.operation];
        for (name, value) in Self::HEADERS.into_iter().zip(values).filter(|(_, value)| !value.is_empty()) {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        // Where OpenAI's clients look for the id of a request.
        if let Ok(run) = HeaderValue::from_str(&self.run) {
            headers.insert(HeaderName::from_static("x-request-id"), run);
        }
    }
}

/// Makes the call and waits for its answer.
pub(crate) async fn answered(
    face: &Face,
    caller: &Caller,
    target: &Target,
    arguments: &Map<String, Value>,
) -> Result<Answered, Failure> {
    if let Target::Plan(name) = target {
        return plan::answered(face, caller, name, arguments).await;
    }
    let timeout = caller.timeout.unwrap_or(WAIT_MAX);
    if timeout > WAIT_MAX {
        let message = format!(
            "{} s are more than the {} that an answer in one piece may take; with `\"stream\": true` it may take longer",
            timeout.as_secs(),
            WAIT_MAX.as_secs()
        );
        return Err(Failure::unreadable(message).about("X-Orchestra-Timeout"));
    }
    let response = calls(face).call(caller.request(call(caller, target, arguments, timeout))).await?;
    read(response.into_inner())
}

/// Makes the call and tells it while it goes on. It is cancelled when the telling is dropped.
pub(crate) async fn tell(
    face: &Face,
    caller: &Caller,
    target: &Target,
    arguments: &Map<String, Value>,
) -> Result<Telling, Failure> {
    if let Target::Plan(name) = target {
        return plan::tell(face, caller, name, arguments).await;
    }
    let timeout = caller.timeout.unwrap_or(STREAM_TIMEOUT);
    let request =
        v1::StreamRequest { call: Some(call(caller, target, arguments, timeout)), want_items: true };
    let responses = calls(face).stream(caller.request(request)).await?.into_inner();
    Ok(responses.filter_map(|response| async { told(response).transpose() }).boxed())
}

fn calls(face: &Face) -> CallServiceClient<Channel> {
    CallServiceClient::new(face.service.clone()).max_decoding_message_size(ANSWER_BYTES_MAX)
}

fn call(
    caller: &Caller,
    target: &Target,
    arguments: &Map<String, Value>,
    timeout: Duration,
) -> v1::CallRequest {
    v1::CallRequest {
        operation: target.name().to_owned(),
        arguments_json: json_bytes(arguments).into(),
        cost_max: caller.amount(),
        timeout: prost_types::Duration::try_from(timeout).ok(),
        request_id: caller.request_id.clone(),
        ..v1::CallRequest::default()
    }
}

/// Arguments as JSON text.
pub(crate) fn json_bytes(arguments: &Map<String, Value>) -> Vec<u8> {
    // Writing JSON to memory does not fail.
    serde_json::to_vec(arguments).unwrap_or_default()
}

fn told(response: Result<v1::StreamResponse, tonic::Status>) -> Result<Option<Told>, Failure> {
    Ok(match response?.event {
        Some(Event::Accepted(accepted)) => Some(Told::Accepted(accepted.run)),
        Some(Event::Attempt(attempt)) => match attempt.kind() {
            v1::RunEventKind::AttemptSent => Some(Told::Sent),
            v1::RunEventKind::AttemptDone => Some(Told::Ended),
            _ => None,
        },
        // What is no JSON is no part; the answer has it all the same.
        Some(Event::Item(item)) => serde_json::from_slice(&item.item_json).ok().map(Told::Item),
        Some(Event::Completed(completed)) => Some(Told::Answered(read(completed)?)),
        None => None,
    })
}

fn read(response: v1::CallResponse) -> Result<Answered, Failure> {
    let receipt = Receipt {
        run: response.run,
        cost: shown(response.total),
        certain: response.total_certain,
        proof: response.proof_id,
        operation: response.operation,
    };
    with_result(&response.result_json, receipt)
}

/// The answer whose JSON text is `result`.
pub(crate) fn with_result(result: &[u8], receipt: Receipt) -> Result<Answered, Failure> {
    match serde_json::from_slice(result) {
        Ok(result) => Ok(Answered { result, receipt }),
        Err(error) => Err(Failure::answer(receipt, format!("the answer is not JSON: {error}"))),
    }
}

/// `0.004 USD`; empty where it is not said.
pub(crate) fn shown(amount: Option<v1::Amount>) -> String {
    let amount = amount.and_then(|amount| {
        let currency = match amount.currency() {
            v1::Currency::Rao => Currency::Rao,
            v1::Currency::MicroUsd => Currency::MicroUsd,
            v1::Currency::Unspecified => return None,
        };
        Some(Amount::new(amount.units, currency))
    });
    amount.map(|amount| amount.to_string()).unwrap_or_default()
}
