//! A compiled plan: everything a run needs and nothing that depends on where the source text stood.

use schema::amount::{Amount, Rate};
use schema::error::CallErrorKind;
use schema::hash::Hash;
use schema::operation::OperationDescriptor;
use schema::types::{DefId, Type, TypeDefs};
use schema::value::Value;
use serde::{Deserialize, Serialize};

use crate::expr::{ExprTable, FnId, Fragment, Pattern};
use crate::graph::Graph;

/// Version of the compiled form; a runtime refuses any other.
pub const IR_VERSION: u32 = 2;

/// Version of the library of pure functions. Results of a plan are reproduced with the version it
/// records.
pub const LIBRARY_VERSION: u32 = 1;

/// A plan, ready to run.
#[derive(Clone, Debug, PartialEq)]
pub struct CompiledPlan {
    /// Nodes and edges.
    pub graph: Graph,
    /// What the nodes do.
    pub body: PlanBody,
    /// [`LIBRARY_VERSION`] of the compiler that made it.
    pub library_version: u32,
    /// Hash of the lockfile it was compiled against.
    pub lock_hash: Hash,
    /// Where things stand in the source; not part of the plan's hash.
    pub debug: DebugInfo,
}

/// The part of a plan that only a runtime or a replay needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanBody {
    /// The plan's name.
    pub name: String,
    /// Records and enums.
    pub types: TypeDefs,
    /// Parameters in order.
    pub params: Vec<Param>,
    /// Type of the result.
    pub output: Type,
    /// Every expression.
    pub exprs: ExprTable,
    /// The `fn`s it uses.
    pub functions: Vec<Function>,
    /// One body per node of the graph, by node id.
    pub nodes: Vec<NodeBody>,
    /// Budgets and deadlines; scope 0 is the plan itself.
    pub scopes: Vec<Scope>,
    /// The scope each node belongs to, by node id.
    pub node_scopes: Vec<ScopeId>,
    /// The operations it may call, sorted by id.
    pub operations: Vec<PinnedOperation>,
    /// Exchange rate pinned by the lock.
    pub rate: Option<Rate>,
}

/// A parameter of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Its value where the caller gives none.
    pub default: Option<Value>,
    /// Documentation, empty where there is none.
    pub doc: String,
}

/// A compiled `fn`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its body; arguments are the first locals.
    pub fragment: Fragment,
}

/// Index of a scope in [`PlanBody::scopes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ScopeId(pub u32);

/// What a part of a plan may spend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scope {
    /// What it is a scope of.
    pub kind: ScopeKind,
    /// Path of `run` labels, empty for the plan itself; ends in the label of a loop or block.
    pub label: String,
    /// The scope around it; `None` for the plan itself.
    pub parent: Option<ScopeId>,
    /// Most money, an `Amount` expression over parameters; `None` where it is not limited here.
    pub budget: Option<Fragment>,
    /// Longest time, microseconds.
    pub deadline_us: Option<u64>,
}

impl Scope {
    /// A scope without limits, outside all others.
    #[must_use]
    pub const fn new(kind: ScopeKind) -> Self {
        Self { kind, label: String::new(), parent: None, budget: None, deadline_us: None }
    }
}

/// What a scope stands around.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScopeKind {
    /// The plan itself, or a sub-plan.
    Plan,
    /// A `for` with a budget of its own.
    Loop,
    /// A block that asks what it has spent.
    Block,
}

/// What a node does, by its [`crate::graph::NodeKind`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum NodeBody {
    /// Evaluates.
    Pure(Fragment),
    /// What a scope has spent, an `Amount` in the currency of the run; a [`crate::graph::NodeKind::Pure`]
    /// node. Its parents are all nodes of the scope that can spend.
    Spent(ScopeId),
    /// Fails the run with the message unless the condition holds.
    Ensure {
        /// A `Bool`.
        condition: Fragment,
        /// A `String`.
        message: Fragment,
    },
    /// Calls.
    Call(Box<CallSpec>),
    /// Evaluates the scrutinee and runs the region of the first pattern that fits.
    Branch {
        /// What is examined.
        scrutinee: Fragment,
        /// One per region.
        patterns: Vec<Pattern>,
    },
    /// Evaluates the list and runs the region once per element.
    FanOut {
        /// The list.
        list: Fragment,
        /// Type of an element.
        item: Type,
        /// Most elements at once; `None` is all.
        concurrency: Option<u32>,
        /// How many elements may fail.
        tolerate: Tolerance,
        /// What becomes of an element that fails.
        on_error: OnError,
    },
}

/// How many elements of a fan-out may fail before it fails as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tolerance {
    /// This many.
    Count(u32),
    /// This share of the elements in hundredths of a percent, rounded down to whole elements.
    BasisPoints(u32),
    /// Any number.
    All,
}

/// What becomes of an element that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnError {
    /// It counts against the tolerance and is left out of the list.
    Drop,
    /// It stands in the list as `Err(ItemError)`.
    Keep {
        /// The `ItemError { index, item, error }` record of this fan-out, whose `error` field is the
        /// `PlanError { code, message, node }` record.
        item_error: DefId,
    },
}

/// How a task is asked after until it is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poll {
    /// Between two questions, microseconds; `None` as the operation's entry says.
    pub every_us: Option<u64>,
    /// Questions at most; `None` until the attempt's time is over.
    pub max: Option<u32>,
}

/// A call with its policies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallSpec {
    /// The name as the plan wrote it.
    pub target: String,
    /// Arguments, evaluated once and shared by all candidates.
    pub args: Vec<Fragment>,
    /// The operations that may serve the call, in the lock's order; one where the plan names an
    /// operation, several where it names a capability.
    pub candidates: Vec<Candidate>,
    /// Type of one answer.
    pub output: Type,
    /// Per attempt, from the moment the call is ready, microseconds.
    pub timeout_us: u64,
    /// Further attempts after a failure.
    pub retry: Retry,
    /// Several answers at once that have to agree.
    pub quorum: Option<Quorum>,
    /// A second request where the first takes long; the first accepted answer counts.
    pub hedge: Option<Hedge>,
    /// A predicate over the decoded answer; a refusal is a failed attempt.
    pub accept: Option<Fragment>,
    /// The most the plan pays for one request.
    pub max_price: Option<Amount>,
    /// The most the call spends with all it sends, fallback included: an `Amount` expression.
    pub budget: Option<Fragment>,
    /// How old an accepted answer of an earlier run may be that is taken instead of asking, microseconds.
    pub cache_us: Option<u64>,
    /// Pages of a paged answer that are read at most.
    pub pages: u32,
    /// How a task is asked after.
    pub poll: Poll,
    /// Which operation is asked first.
    pub prefer: Prefer,
    /// What stands in when all attempts failed.
    pub fallback: Option<Fallback>,
    /// Of a `try`: the node's value is a `Result` whose error is this enum, one variant per
    /// [`CallErrorKind`] in its order. Only the call as written has it, not its fallbacks.
    pub caught: Option<DefId>,
}

impl NodeBody {
    /// The [`CallSpec::legs`] of a call; of anything else none.
    pub fn legs(&self) -> impl Iterator<Item = &CallSpec> {
        let call = match self {
            Self::Call(spec) => Some(&**spec),
            _ => None,
        };
        call.into_iter().flat_map(CallSpec::legs)
    }
}

impl CallSpec {
    /// The call as written, then its fallback calls, in the order in which they are made. What stands in for the last
    /// may be a value.
    pub fn legs(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |call| match &call.fallback {
            Some(Fallback::Call(next)) => Some(&**next),
            _ => None,
        })
    }

    /// A call that is sent once.
    #[must_use]
    pub fn once(
        target: impl Into<String>,
        candidates: Vec<Candidate>,
        output: Type,
        timeout_us: u64,
    ) -> Self {
        Self {
            target: target.into(),
            args: Vec::new(),
            candidates,
            output,
            timeout_us,
            retry: Retry { max: 0, backoff_us: 0, on: Vec::new() },
            quorum: None,
            hedge: None,
            accept: None,
            max_price: None,
            budget: None,
            cache_us: None,
            pages: 1,
            poll: Poll::default(),
            prefer: Prefer::Cheapest,
            fallback: None,
            caught: None,
        }
    }

    /// The most requests one attempt sends: a vote each, and what hedges each vote.
    #[must_use]
    pub fn requests_per_attempt(&self) -> u64 {
        let votes = self.quorum.as_ref().map_or(1, |quorum| u64::from(quorum.of));
        votes.saturating_mul(1 + self.hedge.as_ref().map_or(0, |hedge| u64::from(hedge.max)))
    }

    /// Type of what the call gives to the plan or to the call it stands in for: [`CallSpec::output`], or the
    /// `Voted` record around it.
    #[must_use]
    pub fn settled(&self) -> Type {
        match &self.quorum {
            Some(quorum) => Type::Named(quorum.voted),
            None => self.output.clone(),
        }
    }

    /// Type of the node's value.
    #[must_use]
    pub fn value(&self) -> Type {
        match self.caught {
            Some(error) => Type::Result(Box::new(self.settled()), Box::new(Type::Named(error))),
            None => self.settled(),
        }
    }
}

/// Votes: all are sent at once, to different operations where there are several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quorum {
    /// How many are sent.
    pub of: u32,
    /// How many have to agree.
    pub need: u32,
    /// When two answers agree, a function of both; `==` where none is named.
    pub by: Option<FnId>,
    /// Whether the others are given up once enough agree.
    pub early: bool,
    /// The record `Voted { value, agreed, of, share }`.
    pub voted: DefId,
}

/// Further requests for the same answer while the first is awaited. They share the attempt's timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hedge {
    /// When the next one is sent, from the sending of the one before.
    pub after: HedgeAfter,
    /// How many further ones.
    pub max: u32,
}

/// When a request is hedged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HedgeAfter {
    /// After so many microseconds.
    Us(u64),
    /// When 95 of 100 requests to the operation are answered: as measured lately, else as its pinned entry has it.
    P95,
}

/// Which of the operations that may serve a call is asked first; of equals the first of the lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Prefer {
    /// The lowest price; what has none that is known comes last.
    #[default]
    Cheapest,
    /// The lowest median latency, as measured lately, else as the pinned entry has it; what has none comes last.
    Fastest,
    /// The largest share of calls that may be expected to succeed, as measured lately; a half of what was not called.
    MostReliable,
}

/// One way to serve a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Index in [`PlanBody::operations`].
    pub operation: u32,
    /// From the arguments to the operation's input record.
    pub request: Fragment,
    /// From the arguments followed by the decoded answer to the call's output; `Invalid` where it traps.
    pub response: Fragment,
}

/// Further attempts after a failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Attempts after the first.
    pub max: u32,
    /// Wait before attempt k (k from 1): `backoff * 2^(k-1)` plus jitter in `[0, backoff]`, microseconds.
    pub backoff_us: u64,
    /// The failures that are repeated.
    pub on: Vec<CallErrorKind>,
}

/// What stands in for a call that failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fallback {
    /// A value.
    Value(Fragment),
    /// Another call, with policies of its own.
    Call(Box<CallSpec>),
}

/// An operation with the entry it was compiled against.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PinnedOperation {
    /// Hash of the Ledger entry.
    pub entry: Hash,
    /// The entry as canonical bytes ([`schema::lock`]); parsed once per run.
    pub entry_bytes: Vec<u8>,
    /// The input record in [`PlanBody::types`].
    pub input: DefId,
    /// Type of the answer.
    pub output: Type,
    /// Id, for messages.
    pub id: String,
}

/// Positions in source, by expression and node id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebugInfo {
    /// Name of each source text; 0 is the plan's own file, others are capabilities of the Ledger.
    pub sources: Vec<String>,
    /// Span of each expression.
    pub exprs: Vec<SourceSpan>,
    /// Span of each node.
    pub nodes: Vec<SourceSpan>,
}

/// A place in one of the sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSpan {
    /// Index in [`DebugInfo::sources`].
    pub source: u16,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// Parses the pinned entry of an operation. Kept here so that bound, runtime and tools read it alike.
///
/// # Errors
/// Where the bytes are not an entry; a compiler of this version never makes such a plan.
pub fn descriptor(operation: &PinnedOperation) -> Result<OperationDescriptor, schema::lock::LockError> {
    schema::lock::operation_from_entry(&operation.entry_bytes)
}
