//! Calls of operations: prepare once, call often.

use std::sync::Arc;
use std::time::Duration;

use schema::decode::decode_body;
use schema::encode::to_json_value;
use schema::error::{CallError, CallErrorKind};
use schema::operation::{
    Auth, ObservedCost, OperationDescriptor, OperationId, Refusals, ResponseBody, Transport,
};
use schema::types::{DefId, Type, TypeDefs};
use schema::value::Value;
use serde_json::Map;

use crate::delivery::{self, Follow, Way};
use crate::egress::{self, Egress, Endpoint, Origin, Refused, RootError};
use crate::exchanged::{Exchanged, Reader, call_error, repeats_the_key};
use crate::grpc::{GrpcPlan, MessageReader};
use crate::hotkey::Hotkey;
use crate::https::{HttpPlan, Outgoing, unsendable};
use crate::miner::AxonPlan;
use crate::outcome::CallOutcome;
use crate::rules::Rules;
use crate::secrets::{self, Key, SecretStore};
use crate::streamed::{Listen, StreamPlan, StreamReader};
use crate::{code, echo};

/// Calls operations over their own transports. Cheap to clone; clones share connections and caps.
#[derive(Debug, Clone)]
pub struct Client {
    egress: Egress,
}

/// Types of an operation as its plan sees them.
#[derive(Debug, Clone)]
pub struct OperationTypes {
    /// The table that the other two refer to.
    pub defs: Arc<TypeDefs>,
    /// The input record.
    pub input: DefId,
    /// The answer.
    pub output: Type,
}

impl From<schema::json_schema::OperationTypes> for OperationTypes {
    fn from(types: schema::json_schema::OperationTypes) -> Self {
        Self { defs: Arc::new(types.defs), input: types.input, output: types.output }
    }
}

/// An operation that was checked and taken apart once. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PreparedOperation {
    shared: Arc<Prepared>,
}

#[derive(Debug)]
pub(crate) struct Prepared {
    id: OperationId,
    netuid: u16,
    types: OperationTypes,
    rules: Rules,
    observed_cost: Option<ObservedCost>,
    pub(crate) refusals: Refusals,
    pub(crate) wire: Wire,
    pub(crate) delivery: Option<Way>,
}

#[derive(Debug)]
pub(crate) enum Wire {
    Http(HttpPlan),
    Grpc(GrpcPlan),
    Axon(AxonPlan),
}

/// Why an operation cannot be called at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// Its endpoint is never dialled.
    #[error("{operation}: {refused}")]
    Refused {
        /// The operation.
        operation: OperationId,
        /// Why.
        #[source]
        refused: Refused,
    },
    /// No request can be formed from its entry. Code E1109.
    #[error("{operation}: {why}")]
    Binding {
        /// The operation.
        operation: OperationId,
        /// What is wrong.
        why: String,
    },
    /// It needs a transport or an auth scheme that this version does not speak. Code E1111.
    #[error("{operation}: {what} is described in the Ledger, but this version cannot speak it")]
    Unsupported {
        /// The operation.
        operation: OperationId,
        /// The transport or scheme.
        what: String,
    },
}

impl PrepareError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused { refused, .. } => refused.code(),
            Self::Binding { .. } => code::BINDING,
            Self::Unsupported { .. } => code::UNSUPPORTED,
        }
    }
}

/// What one call needs besides its input.
#[derive(Debug, Clone, Copy)]
pub struct CallContext<'a> {
    /// Unique for each sending: retries, hedge legs and votes each have their own. It becomes the request id, and
    /// for axons the uuid that scopes the nonce.
    pub request_nonce: [u8; 32],
    /// From now to the last byte, waiting for the host's in-flight cap included.
    pub timeout: Duration,
    /// The caller's keys.
    pub secrets: &'a SecretStore,
    /// The caller's signing key, for peers that want a signature.
    pub hotkey: Option<&'a Hotkey>,
    /// How far an answer is followed that one exchange does not bring.
    pub follow: Follow,
    /// Hears the items of an answer that is streamed; where it can be asked for in one piece as well, only with a
    /// listener it is streamed at all.
    pub listener: Option<&'a dyn Listen>,
}

impl<'a> CallContext<'a> {
    /// The caller's signing key.
    ///
    /// # Errors
    /// E1108 where there is none.
    pub(crate) fn hotkey(&self) -> Result<&'a Hotkey, CallError> {
        self.hotkey.ok_or_else(|| {
            let message = "this peer is called with a hotkey's signature, and no hotkey is configured";
            CallError::new(CallErrorKind::Unauthorized, code::HOTKEY_MISSING, message)
        })
    }
}

impl Client {
    /// A client; opens no connection.
    ///
    /// # Errors
    /// [`RootError`] if an extra root certificate is not one.
    pub fn new(options: egress::Options) -> Result<Self, RootError> {
        Ok(Self { egress: Egress::new(options)? })
    }

    /// The egress path beneath, for webhooks and documents that are no operations.
    #[must_use]
    pub const fn egress(&self) -> &Egress {
        &self.egress
    }

    /// Checks a descriptor and takes it apart. `endpoint` replaces its base URL, as deployments and tests do; a
    /// secret is still only sent to the origin it is bound to.
    ///
    /// # Errors
    /// [`PrepareError`] where it can never be called.
    pub fn prepare(
        &self,
        operation: &OperationDescriptor,
        types: OperationTypes,
        endpoint: Option<&str>,
    ) -> Result<PreparedOperation, PrepareError> {
        let id = &operation.id;
        let binding = |why: String| PrepareError::Binding { operation: id.clone(), why };
        let unsupported = |what: String| PrepareError::Unsupported { operation: id.clone(), what };
        let admit = |base: &str| {
            let refused = |refused| PrepareError::Refused { operation: id.clone(), refused };
            self.egress.endpoint(endpoint.unwrap_or(base)).map_err(refused)
        };
        let wire = match (&operation.transport, &operation.auth) {
            (_, Auth::Other { scheme }) => return Err(unsupported(format!("auth scheme `{scheme}`"))),
            (Transport::Other { protocol, .. }, _) => {
                return Err(unsupported(format!("transport `{protocol}`")));
            }
            (Transport::Http(_), Auth::Hotkey) => {
                return Err(unsupported("a hotkey signature over HTTP without its form".into()));
            }
            (Transport::Http(http), auth) => {
                let plan = HttpPlan::new(http, auth, admit(&http.base_url)?, &properties(&operation.input));
                Wire::Http(plan.map_err(binding)?)
            }
            (Transport::Grpc(grpc), _) => {
                Wire::Grpc(GrpcPlan::new(grpc, operation, admit(&grpc.base_url)?).map_err(binding)?)
            }
            (Transport::Axon(axon), Auth::Hotkey) => {
                Wire::Axon(AxonPlan::new(axon, admit(&axon.base_url)?, &operation.input).map_err(binding)?)
            }
            (Transport::Axon(_), _) => return Err(binding("an axon's auth is the caller's hotkey".into())),
        };
        if let Some(delivery) = &operation.delivery {
            let told = |(field, why)| binding(format!("delivery.{field}: {why}"));
            delivery.check(operation).map_err(told)?;
        }
        let delivery =
            operation.delivery.as_ref().map(|delivery| Way::new(delivery, operation, &admit)).transpose()?;
        Ok(PreparedOperation {
            shared: Arc::new(Prepared {
                delivery,
                id: id.clone(),
                netuid: operation.netuid,
                types,
                rules: Rules::of(operation).map_err(|error| binding(error.to_string()))?,
                observed_cost: match &operation.observed_cost {
                    Some(rule) => {
                        rule.check()
                            .map_err(|(field, why)| binding(format!("observed_cost.{field}: {why}")))?;
                        Some(rule.clone())
                    }
                    None => None,
                },
                refusals: operation.refusals,
                wire,
            }),
        })
    }

    /// Calls `operation` with `input`, a record of its input type.
    pub async fn call(
        &self,
        operation: &PreparedOperation,
        input: &Value,
        context: &CallContext<'_>,
    ) -> CallOutcome {
        match operation.fields(input) {
            Ok(fields) => self.call_fields(operation, fields, context).await,
            Err(error) => CallOutcome::unsent(error),
        }
    }

    /// As [`Client::call`], with the input as JSON by parameter name.
    pub async fn call_fields(
        &self,
        operation: &PreparedOperation,
        fields: Map<String, serde_json::Value>,
        context: &CallContext<'_>,
    ) -> CallOutcome {
        let operation = operation.shared.as_ref();
        match operation.rules.admit(fields) {
            Ok(fields) => delivery::deliver(self, operation, fields, context).await,
            Err(error) => CallOutcome::unsent(error),
        }
    }

    /// One exchange by `wire`: what came back, where it is an answer in the declared form. `stream` tells how it is
    /// streamed, if it is.
    pub(crate) async fn exchange(
        &self,
        operation: &Prepared,
        wire: &Wire,
        stream: Option<&StreamPlan>,
        fields: Map<String, serde_json::Value>,
        context: &CallContext<'_>,
    ) -> Exchanged {
        let ready =
            operation.key(context.secrets).and_then(|key| Ok((key, wire.outgoing(fields, key, context)?)));
        let (key, outgoing) = match ready {
            Ok(ready) => ready,
            Err(error) => return Exchanged::unsent(error),
        };
        let mut reader = match (stream, wire) {
            (Some(stream), _) => Reader::Items(Box::new(StreamReader::new(stream, context.listener, key))),
            (None, Wire::Grpc(plan)) => {
                Reader::Messages(Box::new(MessageReader::new(plan, context.listener)))
            }
            (None, wire) => Reader::Whole(wire.response()),
        };
        let (result, timings) = self
            .egress
            .exchange_watched(wire.endpoint(), outgoing.request, context.timeout, &mut reader)
            .await;
        let mut exchanged = Exchanged {
            redacted_request: outgoing.redacted,
            timings,
            sent: true,
            ..Exchanged::unsent(CallError::new(CallErrorKind::Unavailable, code::CUT, ""))
        };
        match result {
            Ok(exchange) => {
                exchanged.take(
                    exchange,
                    key,
                    reader,
                    outgoing.asked.as_ref(),
                    operation.observed_cost.as_ref(),
                );
            }
            Err(error) => {
                exchanged.sent = error.sent();
                let error = call_error(&error);
                let echoed = key.is_some_and(|key| echo::is_echoed(key, error.message.as_bytes()));
                exchanged.body = Err(if echoed { repeats_the_key() } else { error });
            }
        }
        exchanged
    }
}

impl PreparedOperation {
    /// The operation's id.
    #[must_use]
    pub fn id(&self) -> &OperationId {
        &self.shared.id
    }

    /// Where requests go.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        self.shared.wire.endpoint().origin()
    }

    /// The parts of the key that calls need; none where they need no key.
    #[must_use]
    pub fn key_parts(&self) -> Vec<&str> {
        self.shared.wire.key_parts()
    }

    /// Whether a call would find the secret that it needs, if it needs one.
    ///
    /// # Errors
    /// [`secrets::Error`] as the call would end with.
    pub fn check_secret(&self, secrets: &SecretStore) -> Result<(), secrets::Error> {
        let parts = self.shared.wire.key_parts();
        if parts.is_empty() {
            return Ok(());
        }
        secrets.resolve(&self.shared.id, self.shared.netuid, self.origin(), parts).map(drop)
    }

    fn fields(&self, input: &Value) -> Result<Map<String, serde_json::Value>, CallError> {
        let types = &self.shared.types;
        match to_json_value(input, &Type::Named(types.input), &types.defs) {
            Ok(serde_json::Value::Object(fields)) => Ok(fields),
            Ok(_) => Err(unsendable("it is not a record".into())),
            Err(error) => Err(unsendable(error.to_string())),
        }
    }
}

impl Wire {
    fn outgoing(
        &self,
        fields: Map<String, serde_json::Value>,
        key: Option<&Key>,
        context: &CallContext<'_>,
    ) -> Result<Outgoing, CallError> {
        let outgoing = match self {
            Self::Http(plan) => plan.request(fields, key, context)?,
            Self::Grpc(plan) => plan.request(fields, key, context)?,
            Self::Axon(plan) => plan.request(fields, context)?,
        };
        if key.is_some_and(|key| echo::is_echoed(key, &outgoing.redacted)) {
            // It would end in the proof; and the plan's author has it in a place where it does not belong.
            return Err(unsendable("one of the parameters contains the API key itself".into()));
        }
        Ok(outgoing)
    }

    const fn endpoint(&self) -> &Endpoint {
        match self {
            Self::Http(plan) => plan.endpoint(),
            Self::Grpc(plan) => plan.endpoint(),
            Self::Axon(plan) => plan.endpoint(),
        }
    }

    /// The parts of the key that a request carries; empty where none is needed.
    fn key_parts(&self) -> Vec<&str> {
        match self {
            Self::Http(plan) => plan.key_parts(),
            Self::Grpc(plan) => plan.key_parts(),
            Self::Axon(_) => Vec::new(),
        }
    }

    pub(crate) fn receiver(&self) -> Option<&str> {
        match self {
            Self::Http(plan) => plan.receiver(),
            Self::Grpc(_) => None,
            Self::Axon(plan) => Some(plan.receiver()),
        }
    }

    const fn response(&self) -> ResponseBody {
        match self {
            Self::Http(plan) => plan.response(),
            Self::Grpc(_) | Self::Axon(_) => ResponseBody::Json,
        }
    }
}

impl Prepared {
    fn key<'s>(&self, secrets: &'s SecretStore) -> Result<Option<&'s Key>, CallError> {
        let parts = self.wire.key_parts();
        if parts.is_empty() {
            return Ok(None);
        }
        let found = secrets.resolve(&self.id, self.netuid, self.wire.endpoint().origin(), parts);
        found
            .map(Some)
            .map_err(|error| CallError::new(CallErrorKind::Unauthorized, error.code(), error.to_string()))
    }

    /// The value of an answer's body.
    pub(crate) fn decode(&self, body: &[u8]) -> Result<Value, CallError> {
        let form = match self.delivery {
            // Its items were put together as JSON.
            Some(Way::Stream { .. }) => ResponseBody::Json,
            _ => self.wire.response(),
        };
        let value = decode_body(body, form, &self.types.output, &self.types.defs)?;
        self.rules.check_answer(body, form).map(|()| value)
    }
}

/// The JSON Schemas of all parameters.
pub(crate) fn properties(input: &serde_json::Value) -> Map<String, serde_json::Value> {
    input.get("properties").and_then(serde_json::Value::as_object).cloned().unwrap_or_default()
}
