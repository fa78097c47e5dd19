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
    /// How lists and objects are written, of parameters that do not follow the common way of their place: a list as
    /// one row an element, an object as JSON. Fields of a form may be among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub styles: BTreeMap<String, ParameterStyle>,
    /// Body properties that are always sent as they stand here, such as `"stream": false`; plans do
    /// not see them.
    #[serde(default)]
    pub fixed_body: BTreeMap<String, serde_json::Value>,
    /// Form of the body.
    #[serde(default, skip_serializing_if = "RequestBody::is_json")]
    pub body: RequestBody,
    /// Media type of a JSON body that is not sent as `application/json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What is asked for in `accept` where the form of the answer alone does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept: Option<String>,
    /// What kind of body comes back.
    pub response: ResponseBody,
}

/// Headers that the transport writes by itself, or that would break the exchange: no parameter is one of them.
pub const TRANSPORT_HEADERS: [&str; 17] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "x-request-id",
];

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

/// How a list or an object is written outside a JSON body. A single value is the same in each but the last four.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterStyle {
    /// As one text of JSON.
    Json,
    /// `a,b`; an object as `name,value,name,value`.
    Comma,
    /// `a,b`; an object as `name=value,name=value`.
    Pairs,
    /// `a b`, in a query or a form.
    Space,
    /// `a|b`, in a query or a form.
    Pipe,
    /// Elements with tabs between them, in a query or a form.
    Tab,
    /// Each field of an object as a parameter of the query of its own.
    Fields,
    /// `filter[name]=value` for each field of the object `filter` in a query.
    Deep,
    /// `.a,b` in a path; an object as `.name,value`.
    Label,
    /// `.a.b` in a path; an object as `.name=value`.
    LabelExploded,
    /// `;id=a,b` in a path; an object as `;id=name,value`.
    Matrix,
    /// `;id=a;id=b` in a path; an object as `;name=value`.
    MatrixExploded,
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
    /// One parameter as a JSON document: a list, a value, or an object whose fields are no parameters. Nothing is
    /// sent where it is absent.
    Whole {
        /// Its name.
        parameter: String,
    },
    /// `multipart/form-data`. Parameters that are octets, or lists of octets, by the input's schema become files.
    Multipart {
        /// Media type of each file that has another one than `application/octet-stream`, or whose schema is a
        /// reference.
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
