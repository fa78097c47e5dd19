//! What the Ledger tells the runtime about where to send calls, and what the runtime tells the Ledger
//! about how they went.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::error::CallErrorKind;
use crate::operation::OperationId;

/// Live facts about operations, as a run sees them. Empty where nothing is measured yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RouteTable {
    /// One row per operation with live facts.
    pub routes: BTreeMap<OperationId, Route>,
    /// The median of the charges that recent answers of an operation state, each for one request. It is observed: no plan goes by it,
    /// and it bounds nothing.
    pub charged: BTreeMap<OperationId, Amount>,
}

/// Live facts about one operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// How many recent calls of it are known.
    pub calls: u32,
    /// Median latency of those that were answered or timed out, milliseconds.
    pub latency_ms_p50: Option<u32>,
    /// Their 95th percentile, milliseconds; there from 100 of them on.
    pub latency_ms_p95: Option<u32>,
    /// Share of calls that may be expected to succeed, by [`Route::success_share_of`].
    pub success_share: Option<f64>,
    /// Current price, where one is published.
    pub price: Option<Amount>,
}

impl Route {
    /// The share of calls that may be expected to succeed where `succeeded` of `calls` did: by Laplace's rule of succession, so
    /// that few calls say little. Of none it is a half, so an operation that fails comes after one that was not tried, and one
    /// that succeeds before it.
    #[must_use]
    pub fn success_share_of(succeeded: usize, calls: usize) -> f64 {
        (succeeded as f64 + 1.0) / (calls as f64 + 2.0)
    }
}

/// One attempt, as the Ledger's statistics want it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallSample {
    /// The operation.
    pub operation: OperationId,
    /// When the attempt started, microseconds since 1970 UTC.
    pub started_at_us: i64,
    /// From send to last byte, microseconds.
    pub duration_us: u64,
    /// `None` for success.
    pub error: Option<CallErrorKind>,
    /// What a request of it cost, where the answer says so: of an answer in pages, a page.
    pub cost: Option<Amount>,
}
