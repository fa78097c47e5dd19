//! What goes into the scheduler and what comes out.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use plan_ir::graph::NodeId;
use proof::answers::Answer;
use schema::amount::Amount;
use schema::error::{CallError, PlanError};
use schema::price::PriceBasis;
use schema::value::Value;

use super::cache::{Hit, Lookup, LookupId};
use super::fact::Fact;

/// Number of a request within its run, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(pub u32);

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The run begins.
    Start,
    /// An attempt came to its end.
    AttemptDone(AttemptId, Box<Outcome>),
    /// A crash lay between the attempt's intent and its result.
    Interrupted(AttemptId),
    /// The same, in a run whose attempts are counted: it is repeated by the retries of the plan only.
    Lost(AttemptId),
    /// What a look-up found.
    LookedUp(LookupId, Option<Box<Hit>>),
    /// Time passed: at least [`super::Core::next_timer_us`].
    Tick,
    /// Somebody asked to stop the run.
    Cancel,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The decoded answer, or why there is none.
    pub result: Result<Value, CallError>,
    /// The request without secrets, as proofs commit to it.
    pub request: Bytes,
    /// The answer's body as received.
    pub response: Bytes,
    /// HTTP status, where an answer began.
    pub status: Option<u16>,
    /// Requests that are charged, such as pages; none where the peer turned the request away. `None` where that is not known.
    pub pages: Option<u32>,
    /// The charge the peer stated.
    pub observed_cost: Option<Amount>,
    /// Why a charge that the peer stated could not be read. It is told and not journalled: nothing is decided by it.
    pub unread_charge: Option<String>,
    /// Whom the request was signed for, where the transport signs.
    pub peer: Option<String>,
    /// What it is made of, where peers signed any of that: each answer with the signature that holds, if it has one.
    pub answers: Vec<Answer>,
    /// Whether the request may have left this process; where not, it costs nothing.
    pub sent: bool,
    /// When it was handed to the transport, microseconds by the run's clock.
    pub started_us: u64,
    /// From there to its end, microseconds.
    pub duration_us: u64,
}

/// What the driver has to do, in order, once the events that caused it are durable.
#[derive(Clone, Debug, Default)]
pub struct Actions {
    /// Attempts to send.
    pub sends: BTreeMap<AttemptId, Send>,
    /// Attempts in flight whose results are no longer wanted.
    pub cancels: Vec<AttemptId>,
    /// Answers of earlier runs to look for.
    pub lookups: Vec<Lookup>,
    /// What watchers see.
    pub progress: Vec<Progress>,
    /// What the proof has to know.
    pub facts: Vec<Fact>,
    /// The run's end.
    pub finished: Option<Box<Finished>>,
}

impl Actions {
    /// Whether anything here is visible outside the run, so that it must be durable first.
    #[must_use]
    pub fn is_outward(&self) -> bool {
        !self.sends.is_empty() || !self.lookups.is_empty() || self.finished.is_some()
    }
}

/// An attempt to send.
#[derive(Clone, Debug)]
pub struct Send {
    /// The attempt.
    pub attempt: AttemptId,
    /// The call.
    pub node: NodeId,
    /// 0 for the call as written, 1 for its fallback call, and so on.
    pub level: u32,
    /// Position of the operation in the plan.
    pub operation: u32,
    /// The operation's input.
    pub request: Value,
    /// When the attempt ends without an answer, microseconds by the run's clock.
    pub deadline_us: u64,
    /// What it may cost.
    pub reserved: Amount,
}

/// One step that watchers see.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// When, microseconds by the run's clock.
    pub time_us: u64,
    /// What happened.
    pub kind: ProgressKind,
    /// Money spent by the run so far, in its currency.
    pub spent: Amount,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum ProgressKind {
    /// The run started.
    Opened,
    /// A node changed its state.
    Node {
        /// Which.
        instance: Instance,
        /// To what.
        state: NodeState,
        /// Why, where it failed; how many, where it fans out.
        message: String,
    },
    /// An attempt is sent.
    AttemptSent {
        /// The node.
        instance: Instance,
        /// Number of the attempt within the call, from 1.
        attempt: u32,
        /// Position of the operation in the plan.
        operation: u32,
    },
    /// An attempt ended.
    AttemptDone {
        /// The node.
        instance: Instance,
        /// Number of the attempt within the call, from 1.
        attempt: u32,
        /// Position of the operation in the plan.
        operation: u32,
        /// What went wrong, if anything did.
        error: Option<CallError>,
        /// What it cost.
        cost: Amount,
        /// How sure the cost is.
        basis: PriceBasis,
        /// The peer stated a charge above what it may cost.
        above: Option<AboveAgreed>,
        /// Why a charge that the peer stated could not be read.
        unread_charge: Option<String>,
    },
    /// The run ended.
    Closed {
        /// How.
        end: End,
    },
}

/// A charge above what the attempt may have cost by its price or `max_price`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AboveAgreed {
    /// What the peer stated.
    pub charged: Amount,
    /// What had been set aside for it.
    pub agreed: Amount,
}

/// A node instance: a node and its position in the fan-outs around it, outermost first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instance {
    /// The node.
    pub node: NodeId,
    /// One index per fan-out around it.
    pub iteration: Arc<[u32]>,
}

/// Where a node instance stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeState {
    /// Started.
    Running,
    /// Waits before the next attempt.
    Waiting,
    /// Has its value.
    Succeeded,
    /// Failed for good.
    Failed,
    /// Given up because something around it failed.
    Cancelled,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// With its result.
    Succeeded(Value),
    /// With an error.
    Failed(PlanError),
    /// Somebody stopped it.
    Cancelled,
}

/// The end of a run with its accounts.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// How it ended.
    pub end: End,
    /// What it cost, one row per node and operation, in plan order.
    pub costs: Vec<Cost>,
    /// The sum of all rows, in the currency of the run.
    pub total: Amount,
}

/// What one node paid to one operation, over all its instances and attempts.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// The node.
    pub node: NodeId,
    /// Position of the operation in the plan.
    pub operation: u32,
    /// Calls that used it.
    pub calls: u32,
    /// Attempts that were sent.
    pub attempts: u32,
    /// What they cost, in the currency of the run.
    pub cost: Amount,
    /// The weakest basis of any of them.
    pub basis: PriceBasis,
    /// Whether a peer charged more than agreed for any of them.
    pub above_agreed: bool,
}
