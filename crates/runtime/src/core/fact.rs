//! What a proof has to know of each node instance, in the order it happened.

use schema::amount::Amount;
use schema::error::CallErrorKind;
use schema::hash::Hash;
use schema::price::PriceBasis;
use schema::value::Value;

use super::event::{AttemptId, Instance, Outcome};

/// One thing that happened to a node instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// When, microseconds by the run's clock.
    pub time_us: u64,
    /// To which.
    pub instance: Instance,
    /// What.
    pub kind: FactKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum FactKind {
    /// A call began.
    Started,
    /// A call has its arguments.
    Given(Vec<Value>),
    /// A branch decided for an arm.
    TookArm(u32),
    /// A fan-out knows its elements.
    FannedOut(Value),
    /// An attempt came to its end.
    Attempted(Box<Attempted>),
    /// An answer was accepted that later runs may use: what was asked, and the answer as it came.
    Answered {
        /// The request that brought it.
        attempt: AttemptId,
        /// Position of the operation in the plan.
        operation: u32,
        /// The operation's input.
        request: Value,
        /// Pages it was to have at most.
        pages: u32,
        /// Its answer.
        answer: Value,
    },
    /// A vote was decided, or failed to be, by the answers to these requests; the first speaks for the most of them.
    Counted(Vec<AttemptId>),
    /// The value of a call is the answer to this request.
    Chose(AttemptId),
    /// The value of a call is an answer of an earlier run.
    Cached {
        /// Position of the operation that gave it, in the plan.
        operation: u32,
        /// The lock of the leaf that made it.
        origin: Hash,
    },
    /// It has its value.
    Completed(Value),
    /// It failed, with the code of the error.
    Failed(String),
    /// It was given up.
    Cancelled,
}

/// An attempt that was settled.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempted {
    /// Which.
    pub attempt: AttemptId,
    /// Position of the operation in the plan.
    pub operation: u32,
    /// When it was sent, microseconds by the run's clock.
    pub sent_us: u64,
    /// What came of it.
    pub outcome: Outcome,
    /// Why it gave no value; the plan may refuse what the peer thought an answer.
    pub error: Option<CallErrorKind>,
    /// What it cost, in the currency of its price.
    pub cost: Amount,
    /// How sure the cost is.
    pub basis: PriceBasis,
}
