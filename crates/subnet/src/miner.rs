//! Calls of axons: an operation's parameters become one signed synapse.

use std::time::{SystemTime, UNIX_EPOCH};

use http::{Method, Request, Uri};
use http_body_util::Full;
use schema::error::CallError;
use schema::operation::AxonBinding;
use serde_json::{Map, Number, Value};

use crate::body;
use crate::client::CallContext;
use crate::egress::Endpoint;
use crate::https::{Outgoing, Redacted, unsendable};
use crate::{axon, ss58};

/// Nesting of lists whose numbers are brought into the declared form.
const FORM_DEPTH_MAX: usize = 8;

/// An axon binding, checked and taken apart once.
#[derive(Debug)]
pub(crate) struct AxonPlan {
    endpoint: Endpoint,
    uri: Uri,
    synapse: String,
    receiver: String,
    required: Vec<String>,
    signed: Vec<String>,
    /// The JSON Schema of each parameter.
    properties: Map<String, Value>,
}

impl AxonPlan {
    /// Checks `binding`; `input` is the JSON Schema of the parameters.
    ///
    /// # Errors
    /// What is wrong with the binding, in words.
    pub(crate) fn new(binding: &AxonBinding, endpoint: Endpoint, input: &Value) -> Result<Self, String> {
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
        let properties = input.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        if let Some(unknown) = binding.hash_fields.iter().find(|name| !properties.contains_key(*name)) {
            return Err(format!("signed field `{unknown}` is no parameter of the operation"));
        }
        let required = input.get("required").and_then(Value::as_array).into_iter().flatten();
        Ok(Self {
            endpoint,
            uri,
            synapse: synapse.clone(),
            receiver: binding.hotkey.clone(),
            required: required.filter_map(Value::as_str).map(str::to_owned).collect(),
            signed: binding.hash_fields.clone(),
            properties,
        })
    }

    pub(crate) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(crate) fn receiver(&self) -> &str {
        &self.receiver
    }

    /// Forms and signs the request for `input`, all parameters by name.
    ///
    /// # Errors
    /// E1108 without a hotkey, E1112 for an input that cannot be sent.
    pub(crate) fn request(
        &self,
        input: Map<String, Value>,
        context: &CallContext<'_>,
    ) -> Result<Outgoing, CallError> {
        let hotkey = context.hotkey()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let uuid = uuid_of(&context.request_nonce);
        let envelope = axon::Envelope {
            synapse: &self.synapse,
            receiver: &self.receiver,
            nonce: u64::try_from(now.as_nanos()).unwrap_or(u64::MAX),
            uuid: &uuid,
            timeout: context.timeout,
        };
        let fields = self.fields(input);
        let headers = axon::headers(&envelope, &fields, &self.required, &self.signed, hotkey)
            .map_err(|error| unsendable(error.to_string()))?;
        let body = body::json(&fields)?;
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
        Ok(Outgoing { request, redacted, asked: None })
    }

    /// The synapse's fields as the axon will hash them. Its hash covers defaults and declared types, so what is left
    /// out is sent with its default, and an integer in a number field as a float. A signed field without a default is
    /// sent as null.
    fn fields(&self, mut input: Map<String, Value>) -> Map<String, Value> {
        for name in &self.signed {
            if input.get(name).is_none_or(Value::is_null) {
                let default = self.properties.get(name).and_then(|schema| schema.get("default"));
                input.insert(name.clone(), default.cloned().unwrap_or_default());
            }
        }
        for (name, value) in &mut input {
            if let Some(schema) = self.properties.get(name) {
                bring_into_form(value, schema, 0);
            }
        }
        input
    }
}

fn bring_into_form(value: &mut Value, schema: &Value, depth: usize) {
    match value {
        Value::Number(number) if schema.get("type").and_then(Value::as_str) == Some("number") => {
            if let Some(float) = number.as_f64().and_then(Number::from_f64) {
                *number = float;
            }
        }
        Value::Array(items) if depth < FORM_DEPTH_MAX => {
            if let Some(inner) = schema.get("items") {
                items.iter_mut().for_each(|item| bring_into_form(item, inner, depth + 1));
            }
        }
        _ => {}
    }
}

/// The first half of the nonce in the form of a UUID (version 8, RFC 9562: custom), which every peer accepts.
pub(crate) fn uuid_of(request_nonce: &[u8; 32]) -> String {
    let mut half = [0; 16];
    half.copy_from_slice(&request_nonce[..16]);
    uuid::Builder::from_custom_bytes(half).into_uuid().to_string()
}
