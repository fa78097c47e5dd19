//! What can go wrong with a call and with a run: closed, serialisable, shown to users and kept in proofs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why one call failed. Closed: plans match on it exhaustively.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallError {
    /// The kind plans and `retry.on` name.
    pub kind: CallErrorKind,
    /// Stable code of the error page, such as `E1104`.
    pub code: String,
    /// What happened, for people; never holds a secret.
    pub message: String,
    /// JSON path of the misfit, for [`CallErrorKind::Invalid`].
    pub path: Option<String>,
    /// How long the peer asked to wait, milliseconds, where it said so.
    pub retry_after_ms: Option<u64>,
}

/// The kinds of a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallErrorKind {
    /// No answer within the attempt's timeout.
    Timeout,
    /// Could not connect, was cut off, or the peer answered that it is out of order.
    Unavailable,
    /// The peer asked to slow down.
    RateLimited,
    /// Credentials missing or refused.
    Unauthorized,
    /// The peer refused the request.
    Rejected,
    /// The answer does not fit the schema.
    Invalid,
    /// The plan's `accept` refused the answer.
    Unaccepted,
    /// Too few votes agreed.
    NoQuorum,
    /// The reservation would exceed a budget.
    OverBudget,
    /// A crash between intent and result, and the call may not be repeated.
    Interrupted,
    /// The run was cancelled.
    Cancelled,
}

impl CallErrorKind {
    /// All kinds, in declared order.
    pub const ALL: [Self; 11] = [
        Self::Timeout,
        Self::Unavailable,
        Self::RateLimited,
        Self::Unauthorized,
        Self::Rejected,
        Self::Invalid,
        Self::Unaccepted,
        Self::NoQuorum,
        Self::OverBudget,
        Self::Interrupted,
        Self::Cancelled,
    ];

    /// The kinds that `retry` repeats unless `on` says otherwise.
    pub const RETRIED: [Self; 5] =
        [Self::Timeout, Self::Unavailable, Self::RateLimited, Self::Invalid, Self::Unaccepted];

    /// The name in `retry.on`, in journals and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
            Self::RateLimited => "rate_limited",
            Self::Unauthorized => "unauthorized",
            Self::Rejected => "rejected",
            Self::Invalid => "invalid",
            Self::Unaccepted => "unaccepted",
            Self::NoQuorum => "no_quorum",
            Self::OverBudget => "over_budget",
            Self::Interrupted => "interrupted",
            Self::Cancelled => "cancelled",
        }
    }

    /// The name as an enum variant in plans.
    #[must_use]
    pub const fn variant(self) -> &'static str {
        match self {
            Self::Timeout => "Timeout",
            Self::Unavailable => "Unavailable",
            Self::RateLimited => "RateLimited",
            Self::Unauthorized => "Unauthorized",
            Self::Rejected => "Rejected",
            Self::Invalid => "Invalid",
            Self::Unaccepted => "Unaccepted",
            Self::NoQuorum => "NoQuorum",
            Self::OverBudget => "OverBudget",
            Self::Interrupted => "Interrupted",
            Self::Cancelled => "Cancelled",
        }
    }
}

impl CallError {
    /// An error of `kind` with its page's `code`.
    #[must_use]
    pub fn new(kind: CallErrorKind, code: &str, message: impl Into<String>) -> Self {
        Self { kind, code: code.into(), message: message.into(), path: None, retry_after_ms: None }
    }

    /// An answer that does not fit at the JSON `path`.
    #[must_use]
    pub fn invalid(code: &str, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..Self::new(CallErrorKind::Invalid, code, message) }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.kind.name())?;
        match &self.path {
            Some(path) => write!(f, " at {path}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for CallError {}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanError {
    /// Stable code of the error page.
    pub code: String,
    /// What happened, for people.
    pub message: String,
    /// The node that failed, as `label#id[i][j]`, where one did.
    pub node: Option<String>,
    /// Byte offsets of the failing expression in the plan's source, where known.
    pub span: Option<(u32, u32)>,
    /// The failed call, where a call failed.
    pub call: Option<CallError>,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.code, self.message)?;
        match &self.node {
            Some(node) => write!(f, " (at {node})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for PlanError {}
