//! How an operation is reached: the wire protocols with what each needs to form a request.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A wire protocol with what it needs to form a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Transport {
    /// HTTP.
    Http(HttpBinding),
    /// gRPC, unary or with a stream of answers.
    Grpc(GrpcBinding),
    /// The axon protocol of the v10 Bittensor SDK.
    Axon(AxonBinding),
    /// A protocol this version describes but cannot call.
    Other {
        /// Its name: `websocket`, `quic` ...
        protocol: String,
        /// Where it is served, where known.
        base_url: Option<String>,
    },
}

/// How an operation maps to one HTTP exchange.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpBinding {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// Scheme, host and path prefix. Braces mark a part that the deployment must fill in.
    pub base_url: String,
    /// Path template below `base_url`, with `{name}` for path parameters.
    pub path: String,
    /// Where each parameter that is not in the body goes; one not named here is a body property.
    #[serde(default)]
    pub parameters: BTreeMap<String, ParameterLocation>,
    /// Body properties that are always sent as they stand here, such as `"stream": false`; plans do
    /// not see them.
    #[serde(default)]
    pub fixed_body: BTreeMap<String, serde_json::Value>,
    /// Form of the body.
    #[serde(default, skip_serializing_if = "RequestBody::is_json")]
    pub body: RequestBody,
    /// What kind of body comes back.
    pub response: ResponseBody,
}

/// Where a parameter goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterLocation {
    /// A segment of the path.
    Path,
    /// The query string.
    Query,
    /// A header of the parameter's name.
    Header,
}

/// Form of a request's body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum RequestBody {
    /// A JSON object of all parameters that go nowhere else.
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `multipart/form-data`. Parameters that are octets by the input's schema become files.
    Multipart {
        /// Media type of each file that has another one than `application/octet-stream`.
        #[serde(default)]
        media_types: BTreeMap<String, String>,
    },
    /// One parameter as it is: octets, or a text.
    Raw {
        /// Its name.
        parameter: String,
        /// Media type of the body.
        media_type: String,
    },
}

impl RequestBody {
    /// Whether it is JSON.
    #[must_use]
    pub const fn is_json(&self) -> bool {
        matches!(self, Self::Json)
    }
}

/// Form of an answer's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseBody {
    /// A JSON document.
    Json,
    /// Text, handed on as one string.
    Text,
    /// Octets.
    Bytes,
}

/// What gRPC needs beyond the schema. Input and answer are the protobuf messages in their JSON form, with the field
/// names of the `.proto` file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrpcBinding {
    /// Scheme and host.
    pub base_url: String,
    /// `/package.Service/Method`.
    pub method: String,
    /// A `google.protobuf.FileDescriptorSet` with the service and all it refers to, in base64.
    pub descriptors: String,
}

/// What the v10 axon protocol needs beyond the schema.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AxonBinding {
    /// Class name of the synapse, which is also the path.
    pub synapse: String,
    /// SS58 address of the miner's hotkey.
    pub hotkey: String,
    /// `http://ip:port` of the miner.
    pub base_url: String,
    /// Names of the fields that the body hash covers, in the class's declared order.
    pub hash_fields: Vec<String>,
}
