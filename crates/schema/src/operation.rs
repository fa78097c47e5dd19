//! What the Ledger knows of one operation of one subnet.

mod auth;
mod binding;
mod charge;
mod path;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::delivery::Delivery;
use crate::price::PriceRule;

pub use auth::{Auth, SignedRequest};
pub use binding::{
    AxonBinding, GrpcBinding, HttpBinding, ParameterLocation, ParameterStyle, RequestBody, ResponseBody,
    TRANSPORT_HEADERS, Transport,
};
pub use charge::{ObservedCost, Refusals, TokenPrice, Unreadable};
pub use path::{PathPart, climbs, encoded_path, path_parts};

/// `sn<netuid>.<name>`, such as `sn22.web_search`.
pub type OperationId = String;

/// Two-part version of an entry: a plan that compiled against `1.x` keeps compiling against `1.y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version {
    /// Raised by a change that may break a plan.
    pub breaking: u32,
    /// Raised by any other change.
    pub compatible: u32,
}

impl Version {
    /// The first version of an entry.
    pub const FIRST: Self = Self { breaking: 1, compatible: 0 };
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.breaking, self.compatible)
    }
}

/// An operation: its contract, how it is reached, who may call it and what it costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationDescriptor {
    /// `sn<netuid>.<name>`.
    pub id: OperationId,
    /// The subnet.
    pub netuid: u16,
    /// Version of this entry.
    pub version: Version,
    /// One line on what it does.
    pub summary: String,
    /// Free labels for search, from the catalogue's vocabulary.
    #[serde(default)]
    pub tags: Vec<String>,
    /// How it is reached.
    pub transport: Transport,
    /// Who may call it.
    pub access: Access,
    /// How a caller identifies itself.
    pub auth: Auth,
    /// What a call changes.
    pub side_effects: SideEffects,
    /// Whether it may be sent again.
    pub repeat: Repeat,
    /// One JSON Schema object for all parameters: path, query and body merged, names unique.
    pub input: serde_json::Value,
    /// JSON Schema of the answer.
    pub output: serde_json::Value,
    /// Whether `output` is a contract; where false, the answer is `Json` whatever it says.
    pub output_complete: bool,
    /// What a call costs.
    #[serde(default)]
    pub price: PriceRule,
    /// Where the true charge of a call can be read from its answer.
    #[serde(default)]
    pub observed_cost: Option<ObservedCost>,
    /// Whether a request that is turned away is charged.
    #[serde(default, skip_serializing_if = "Refusals::are_free")]
    pub refusals: Refusals,
    /// Pinned latency figures from real calls, if there are any.
    #[serde(default)]
    pub latency: Option<LatencyFigures>,
    /// An example of input and answer.
    #[serde(default)]
    pub example: Option<Example>,
    /// Where the facts come from.
    pub sources: Vec<Source>,
    /// How its answer is got where one exchange does not bring it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// Whether a validator has checked this entry by real calls.
    #[serde(default)]
    pub verified: bool,
}

impl OperationDescriptor {
    /// Whether its answer comes page by page.
    #[must_use]
    pub const fn is_paged(&self) -> bool {
        matches!(self.delivery, Some(Delivery::Pages(_)))
    }

    /// Whether its answer is what a task came to.
    #[must_use]
    pub const fn is_task(&self) -> bool {
        matches!(self.delivery, Some(Delivery::Task(_)))
    }
}

/// Who may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Anyone.
    Open,
    /// Holders of an API key.
    Key,
    /// Anyone who pays by x402.
    X402,
    /// Hotkeys registered on the subnet.
    RegisteredHotkey,
    /// Validators with a permit and stake.
    PermitAndStake,
}

/// What a call changes outside Orchestra.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SideEffects {
    /// Nothing.
    None,
    /// Only the caller's balance: the call is charged.
    Metered,
    /// It buys something: a rental, a training run.
    SpendsMoney,
    /// It creates, changes or deletes something.
    Writes,
}

/// Whether a call may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeat {
    /// Sending it twice does no more harm than once.
    pub safe: bool,
    /// The second sending is charged again.
    pub costs_again: bool,
}

/// Latency of real calls, milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyFigures {
    /// Median.
    pub latency_ms_p50: u32,
    /// 95th percentile.
    pub latency_ms_p95: u32,
    /// 99th percentile.
    pub latency_ms_p99: u32,
    /// Number of calls behind the figures.
    pub samples: u64,
}

/// An example call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Input, all parameters merged.
    pub input: serde_json::Value,
    /// Answer.
    pub output: serde_json::Value,
    /// Whether it was published by the subnet or made up to fit the schema.
    pub provenance: ExampleProvenance,
}

/// Where an example comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExampleProvenance {
    /// Published by the subnet.
    Source,
    /// Published, then shortened.
    SourceShortened,
    /// Made up to fit the schema.
    Constructed,
}

/// Where a fact was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// `sdk_source`, `docs`, `openapi`, `chain` ...
    pub kind: String,
    /// Repository or service.
    pub reference: String,
    /// Commit, where it is a repository.
    #[serde(default)]
    pub commit: Option<String>,
    /// Path within it.
    #[serde(default)]
    pub path: Option<String>,
}

/// A capability's source text or an adapter's, as the Ledger publishes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapabilityDescriptor {
    /// Name as in `use cap { name }`.
    pub name: String,
    /// Version of this entry.
    pub version: Version,
    /// One line on what it promises.
    pub summary: String,
    /// `.orch` text: the `capability` item with the records and enums it needs.
    pub source: String,
    /// The adapters that fulfil it.
    pub adapters: Vec<AdapterDescriptor>,
}

/// An adapter from one operation to one capability.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdapterDescriptor {
    /// The operation it calls.
    pub operation: OperationId,
    /// `.orch` text: the `adapter` item.
    pub source: String,
}
