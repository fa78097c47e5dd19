//! Runs as callers see them: plain data, also the form in which they are stored.

use std::fmt;
use std::str::FromStr;

use schema::amount::Amount;
use schema::error::PlanError;
use schema::hash::Hash;
use schema::price::PriceBasis;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Name of a run: a UUID of version 7, so names sort by time of creation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RunId(pub [u8; 16]);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Uuid::from_bytes(self.0).hyphenated().fmt(f)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RunId({self})")
    }
}

/// Text that is not a UUID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name of a run is a UUID, not `{0}`")]
pub struct ParseRunIdError(String);

impl FromStr for RunId {
    type Err = ParseRunIdError;

    fn from_str(text: &str) -> Result<Self, ParseRunIdError> {
        // Only the hyphenated form is printed, so only that is a name.
        let uuid = Uuid::try_parse(text).ok().filter(|uuid| uuid.hyphenated().to_string() == text);
        let bad = || ParseRunIdError(text.chars().take(80).collect());
        uuid.map(|uuid| Self(uuid.into_bytes())).ok_or_else(bad)
    }
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Stored, not started.
    Pending,
    /// Under way.
    Running,
    /// Ended with a result.
    Succeeded,
    /// Ended with an error.
    Failed,
    /// Cancelled.
    Cancelled,
}

impl RunState {
    /// Whether the run is over.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// The name in JSON and on terminals.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One execution of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its name.
    pub id: RunId,
    /// Name of the plan.
    pub plan: String,
    /// Hash of the compiled plan.
    pub plan_hash: Hash,
    /// Where it stands.
    pub state: RunState,
    /// The result as JSON text, where it succeeded. Left out of lists.
    pub result_json: Option<String>,
    /// Why it failed, where it did.
    pub error: Option<PlanError>,
    /// What it cost, by call of the plan, in plan order; complete once it ended. Left out of lists.
    pub costs: Vec<CostRow>,
    /// What it cost so far, in the currency of the plan's budget.
    pub total: Amount,
    /// Whether every part of `total` is known or was observed.
    pub total_certain: bool,
    /// When it was stored, microseconds since 1970 UTC.
    pub created_at_us: u64,
    /// When it ended, microseconds since 1970 UTC.
    pub ended_at_us: Option<u64>,
    /// Id of its proof, where it ended.
    pub proof_id: Option<Hash>,
    /// Number of its latest event.
    pub last_seq: u64,
}

/// What one call of a plan paid to one operation, over all its instances and attempts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostRow {
    /// The node's label.
    pub label: String,
    /// The operation.
    pub operation: String,
    /// Calls.
    pub calls: u32,
    /// Attempts that were sent.
    pub attempts: u32,
    /// What they cost.
    pub cost: Amount,
    /// The weakest basis of any of them.
    pub basis: PriceBasis,
    /// Whether a peer charged more for any of them than was set aside for it. `cost` holds what it charged.
    pub charged_above_agreed: bool,
}

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunEvent {
    /// Number within the run, from 1, without gaps.
    pub seq: u64,
    /// When, microseconds by the run's clock, which never goes back.
    pub time_us: u64,
    /// What it tells.
    pub kind: RunEventKind,
    /// The node's label, where it speaks of a node.
    pub node: String,
    /// Positions in the loops around the node, outermost first.
    pub iteration: Vec<u32>,
    /// State of the node or run.
    pub state: EventState,
    /// Number of the attempt within its call, from 1; 0 where it speaks of none.
    pub attempt: u32,
    /// The operation, where it speaks of an attempt.
    pub operation: String,
    /// What went wrong, where something did, also a charge above the agreed one; of a loop that starts, the number of its elements.
    pub message: String,
    /// Money spent by the run so far.
    pub spent: Amount,
}

/// What an event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEventKind {
    /// The run was stored.
    Opened,
    /// A node changed its state.
    Node,
    /// An attempt was sent.
    AttemptSent,
    /// An attempt ended.
    AttemptDone,
    /// The run ended. Nothing follows.
    Closed,
}

/// State of a node, an attempt or a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventState {
    /// Under way.
    Running,
    /// Waits before the next attempt.
    Waiting,
    /// Has its value.
    Succeeded,
    /// Failed.
    Failed,
    /// Given up.
    Cancelled,
}

impl EventState {
    /// The name in JSON and on terminals.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Which runs a list holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only runs in this state.
    pub state: Option<RunState>,
    /// Only runs of the plan with this name.
    pub plan: Option<String>,
}

/// A page of a list, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct RunPage {
    /// The runs, without results and cost tables.
    pub runs: Vec<Run>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<RunId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_names_have_one_form() {
        let text = "0192f0c1-0000-7000-8000-000000000001";
        let id: RunId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        for bad in ["", "0192F0C1-0000-7000-8000-000000000001", "0192f0c1000070008000000000000001", "{x}"] {
            assert!(bad.parse::<RunId>().is_err(), "{bad}");
        }
    }
}
