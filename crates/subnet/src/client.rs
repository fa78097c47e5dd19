//! Calls of operations: prepare once, call often.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, Method, Request, Uri, header};
use http_body_util::Full;
use schema::decode::decode_body;
use schema::encode::to_json_value;
use schema::error::{CallError, CallErrorKind};
use schema::operation::{
    Auth, AxonBinding, ObservedCost, OperationDescriptor, OperationId, ResponseBody, Transport,
};
use schema::types::{DefId, Type, TypeDefs};
use schema::value::Value;
use secrecy::SecretString;
use serde_json::Map;

use crate::egress::{self, Egress, Endpoint, Exchange, ExchangeError, Origin, Refused, RootError};
use crate::hotkey::Hotkey;
use crate::https::{HttpPlan, Outgoing, Redacted, body_bytes, unsendable};
use crate::outcome::{CallOutcome, observed_cost};
use crate::secrets::{self, SecretStore};
use crate::{axon, code, ss58, status};

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

/// An operation that was checked and taken apart once. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PreparedOperation {
    shared: Arc<Prepared>,
}

#[derive(Debug)]
struct Prepared {
    id: OperationId,
    netuid: u16,
    types: OperationTypes,
    observed_cost: Option<ObservedCost>,
    wire: Wire,
}

#[derive(Debug)]
enum Wire {
    Http(HttpPlan),
    Axon(AxonPlan),
}

#[derive(Debug)]
struct AxonPlan {
    endpoint: Endpoint,
    uri: Uri,
    synapse: String,
    receiver: String,
    required: Vec<String>,
    signed: Vec<String>,
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
    /// The caller's signing key, for axons.
    pub hotkey: Option<&'a Hotkey>,
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
                return Err(unsupported("a hotkey signature over HTTP".into()));
            }
            (Transport::Http(http), auth) => {
                let properties = property_names(&operation.input);
                Wire::Http(HttpPlan::new(http, auth, admit(&http.base_url)?, &properties).map_err(binding)?)
            }
            (Transport::Axon(axon), Auth::Hotkey) => {
                let required = required_names(&operation.input);
                Wire::Axon(AxonPlan::new(axon, admit(&axon.base_url)?, required).map_err(binding)?)
            }
            (Transport::Axon(_), _) => return Err(binding("an axon's auth is the caller's hotkey".into())),
        };
        Ok(PreparedOperation {
            shared: Arc::new(Prepared {
                id: id.clone(),
                netuid: operation.netuid,
                types,
                observed_cost: operation.observed_cost.clone(),
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
        let ready = operation
            .key(context.secrets)
            .and_then(|key| Ok((key, operation.outgoing(fields, key, context)?)));
        let (key, outgoing) = match ready {
            Ok(ready) => ready,
            Err(error) => return CallOutcome::unsent(error),
        };
        let endpoint = operation.wire.endpoint();
        let (result, timings) = self.egress.exchange(endpoint, outgoing.request, context.timeout).await;
        let mut outcome = CallOutcome {
            redacted_request: outgoing.redacted,
            timings,
            peer: operation.wire.receiver().map(str::to_owned),
            sent: true,
            ..CallOutcome::unsent(CallError::new(CallErrorKind::Unavailable, code::CUT, ""))
        };
        match result {
            Ok(exchange) => operation.settle(&mut outcome, exchange, key),
            Err(error) => {
                outcome.sent = error.sent();
                outcome.result = Err(call_error(&error));
            }
        }
        outcome
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

    /// Identifies the secret a call would use, for cache keys; `None` for an operation that needs none.
    ///
    /// # Errors
    /// [`secrets::Error`] where the call would fail for want of it.
    pub fn secret_identity(&self, secrets: &SecretStore) -> Result<Option<[u8; 32]>, secrets::Error> {
        let needed = self.shared.wire.needs_key();
        needed.then(|| secrets.identity(&self.shared.id, self.shared.netuid, self.origin())).transpose()
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
    const fn endpoint(&self) -> &Endpoint {
        match self {
            Self::Http(plan) => plan.endpoint(),
            Self::Axon(plan) => &plan.endpoint,
        }
    }

    const fn needs_key(&self) -> bool {
        match self {
            Self::Http(plan) => plan.needs_key(),
            Self::Axon(_) => false,
        }
    }

    fn receiver(&self) -> Option<&str> {
        match self {
            Self::Http(_) => None,
            Self::Axon(plan) => Some(&plan.receiver),
        }
    }

    const fn response(&self) -> ResponseBody {
        match self {
            Self::Http(plan) => plan.response(),
            Self::Axon(_) => ResponseBody::Json,
        }
    }
}

impl Prepared {
    fn key<'s>(&self, secrets: &'s SecretStore) -> Result<Option<&'s SecretString>, CallError> {
        if !self.wire.needs_key() {
            return Ok(None);
        }
        let found = secrets.resolve(&self.id, self.netuid, self.wire.endpoint().origin());
        found
            .map(Some)
            .map_err(|error| CallError::new(CallErrorKind::Unauthorized, error.code(), error.to_string()))
    }

    fn outgoing(
        &self,
        fields: Map<String, serde_json::Value>,
        key: Option<&SecretString>,
        context: &CallContext<'_>,
    ) -> Result<Outgoing, CallError> {
        let outgoing = match &self.wire {
            Wire::Http(plan) => plan.request(fields, key, &uuid_of(&context.request_nonce))?,
            Wire::Axon(plan) => plan.request(&fields, context)?,
        };
        if key.is_some_and(|key| secrets::is_echoed(key, &outgoing.redacted)) {
            // It would end in the proof; and the plan's author has it in a place where it does not belong.
            return Err(unsendable("one of the parameters contains the API key itself".into()));
        }
        Ok(outgoing)
    }

    fn settle(&self, outcome: &mut CallOutcome, exchange: Exchange, key: Option<&SecretString>) {
        outcome.status = Some(exchange.status.as_u16());
        outcome.observed_cost = observed_cost(self.observed_cost.as_ref(), &exchange.headers);
        if key.is_some_and(|key| secrets::is_echoed(key, &exchange.body)) {
            let message = "the answer repeats the caller's API key, so it is not kept";
            outcome.result = Err(CallError::invalid(code::ECHO, "$", message));
            return;
        }
        outcome.response_body = exchange.body;
        let body = &outcome.response_body;
        let form = self.wire.response();
        let failed = status::error_of(exchange.status, &exchange.headers, body, key, SystemTime::now());
        outcome.result = match failed {
            Some(error) => Err(error),
            None => check_form(&exchange.headers, form)
                .and_then(|()| Ok(decode_body(body, form, &self.types.output, &self.types.defs)?)),
        };
    }
}

impl AxonPlan {
    fn new(binding: &AxonBinding, endpoint: Endpoint, required: Vec<String>) -> Result<Self, String> {
        ss58::decode(&binding.hotkey).map_err(|error| format!("the miner's hotkey: {error}"))?;
        if endpoint.origin().is_https() || !endpoint.path().is_empty() {
            return Err("an axon is served at http://address:port, without a path".into());
        }
        let synapse = &binding.synapse;
        if synapse.is_empty() || !synapse.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(format!("`{synapse}` is no class name of a synapse"));
        }
        let uri = Uri::try_from(format!("{}/{synapse}", endpoint.origin()))
            .map_err(|_| format!("`{synapse}` does not form a URL"))?;
        Ok(Self {
            endpoint,
            uri,
            synapse: synapse.clone(),
            receiver: binding.hotkey.clone(),
            required,
            signed: binding.hash_fields.clone(),
        })
    }

    fn request(
        &self,
        fields: &Map<String, serde_json::Value>,
        context: &CallContext<'_>,
    ) -> Result<Outgoing, CallError> {
        let hotkey = context.hotkey.ok_or_else(|| {
            let message = "an axon is called with a hotkey's signature, and no hotkey is configured";
            CallError::new(CallErrorKind::Unauthorized, code::HOTKEY_MISSING, message)
        })?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let uuid = uuid_of(&context.request_nonce);
        let envelope = axon::Envelope {
            synapse: &self.synapse,
            receiver: &self.receiver,
            nonce: u64::try_from(now.as_nanos()).unwrap_or(u64::MAX),
            uuid: &uuid,
            timeout: context.timeout,
        };
        let headers = axon::headers(&envelope, fields, &self.required, &self.signed, hotkey)
            .map_err(|error| unsendable(error.to_string()))?;
        // Absent and null are one value in plans; an axon hashes both as `None`, but may not accept a null where a
        // field has a default of another type. So null is sent only where the hash says it.
        let mut body = fields.clone();
        body.retain(|name, value| !value.is_null() || self.signed.contains(name));
        for name in &self.signed {
            body.entry(name.as_str()).or_insert(serde_json::Value::Null);
        }
        let body = body_bytes(&body)?;
        let mut redacted = Redacted::new(&Method::POST, &self.endpoint);
        redacted.target(self.uri.path());
        for (name, value) in headers.iter().filter(|(name, _)| *name != "bt_header_dendrite_signature") {
            redacted.header(name.as_str(), value.to_str().unwrap_or_default());
        }
        let redacted = redacted.finish(&body);
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = headers;
        Ok(Outgoing { request, redacted })
    }
}

/// The first half of the nonce in the form of a UUID (version 8, RFC 9562: custom), which every peer accepts.
fn uuid_of(request_nonce: &[u8; 32]) -> String {
    use std::fmt::Write as _;

    let mut text = String::with_capacity(36);
    for (index, byte) in request_nonce.iter().take(16).enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let byte = match index {
            6 => byte & 0x0f | 0x80,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn property_names(input: &serde_json::Value) -> Vec<String> {
    let properties = input.get("properties").and_then(serde_json::Value::as_object);
    properties.map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
}

fn required_names(input: &serde_json::Value) -> Vec<String> {
    let required = input.get("required").and_then(serde_json::Value::as_array);
    required.into_iter().flatten().filter_map(serde_json::Value::as_str).map(str::to_owned).collect()
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

fn call_error(error: &ExchangeError) -> CallError {
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
