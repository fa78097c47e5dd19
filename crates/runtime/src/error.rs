//! What can go wrong with a request to the runtime.

use schema::amount::Amount;

use crate::core::Malformed;
use crate::inputs::InputError;
use crate::journal::JournalError;
use crate::view::RunId;

/// A request that was refused, or a run that cannot go on here.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The compiled plan contradicts itself.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// An argument is wrong.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A call of the plan can be served by no operation here. Nothing was spent.
    #[error("`{label}` cannot be called: {reason}")]
    NotCallable {
        /// Label of the call.
        label: String,
        /// Code of the reason, such as `E1105` for a missing secret.
        code: String,
        /// Why, with what to do.
        reason: String,
    },
    /// The run may cost more than the caller admits.
    #[error("the run may cost {bound}, more than the {cost_max} that the request admits")]
    AboveMax {
        /// The most it may cost.
        bound: Amount,
        /// What the request admits.
        cost_max: Amount,
    },
    /// The run may make more requests without a published price than the caller admits.
    #[error(
        "the run may make {requests} requests whose price nobody has published, more than the {admitted} that the request \
         admits"
    )]
    UnpricedAboveMax {
        /// How many it may make.
        requests: u64,
        /// How many the request admits.
        admitted: u32,
        /// The most that its other requests may cost.
        priced: Amount,
    },
    /// The run may cost more than the plan's budget, and a call of the plan would fail the run for it.
    #[error(
        "with these inputs the plan may cost {bound}, more than its budget of {budget}; the largest part is {part}"
    )]
    AboveBudget {
        /// The most it may cost.
        bound: Amount,
        /// The plan's budget.
        budget: Amount,
        /// The largest contributor.
        part: String,
    },
    /// The run may cost more than is left of what its tenant may spend.
    #[error(
        "`{tenant}` may spend {cap} in all: {spent} are spent and {reserved} reserved for runs under way, so a run that \
         may cost {cost} does not fit"
    )]
    SpendCap {
        /// Whose run it is.
        tenant: String,
        /// The most it may cost.
        cost: Amount,
        /// What all runs of the tenant may cost together.
        cap: Amount,
        /// What those that ended have cost.
        spent: Amount,
        /// What those under way may cost.
        reserved: Amount,
    },
    /// The most the run may cost cannot be computed.
    #[error("the cost of the run has no bound: {message}")]
    Unbounded {
        /// Code of the reason.
        code: String,
        /// Why.
        message: String,
    },
    /// The plan makes calls and declares no budget or no deadline.
    #[error(
        "plan `{plan}` declares no {missing}, so it can only be run by other plans; add `with {{ budget: .., \
         deadline: .. }}`"
    )]
    NoLimits {
        /// Its name.
        plan: String,
        /// What it does not declare.
        missing: &'static str,
    },
    /// The budget has no value, or none that costs can be compared with.
    #[error("the plan's budget cannot be used: {0}")]
    Budget(String),
    /// There is no such run.
    #[error("there is no run {0}")]
    NotFound(RunId),
    /// The run has no proof (yet).
    #[error("run {run} has no proof: {reason}")]
    NoProof {
        /// The run.
        run: RunId,
        /// Why not.
        reason: &'static str,
    },
    /// The request id was used before for another request.
    #[error("request id `{0}` was used before for a different request")]
    RequestConflict(String),
    /// As many runs are under way as may be.
    #[error("{limit} runs are under way, as many as are admitted at once")]
    Busy {
        /// The limit.
        limit: usize,
    },
    /// The runtime is shutting down.
    #[error("the runtime is shutting down")]
    Closing,
    /// The runtime has shut down while the run was under way.
    #[error("the runtime shut down while run {0} was under way; what the run had sent may be charged for")]
    Interrupted(RunId),
    /// The run has not ended, and nothing in this process drives it.
    #[error(
        "run {0} has not ended and is not driven by this process; the log says why, and a restart takes it up"
    )]
    NotDriven(RunId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The header of the run's proof cannot be made.
    #[error(transparent)]
    Proof(#[from] proof::builder::BuildError),
    /// The run stopped because of a mistake in this program; a restart takes it up again.
    #[error("run {run} stopped because of an internal error; restarting takes it up again")]
    Internal {
        /// The run.
        run: RunId,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomness,
}

impl Error {
    /// The stable code; its page is `docs/errors/<code>.md`.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Malformed(error) => error.code(),
            Self::Input(error) => error.code(),
            Self::NotCallable { code, .. } | Self::Unbounded { code, .. } => code,
            Self::AboveMax { .. } | Self::UnpricedAboveMax { .. } | Self::AboveBudget { .. } => "E1402",
            Self::Budget(_) => "E1403",
            Self::SpendCap { .. } => "E1407",
            Self::NoLimits { .. } => "E1405",
            Self::NotFound(_) => "E1164",
            Self::NoProof { .. } => "E1165",
            Self::RequestConflict(_) => "E1008",
            Self::Busy { .. } => "E1172",
            Self::Closing | Self::Interrupted(_) => "E1173",
            Self::NotDriven(_) => "E1175",
            Self::Store(error) => error.code(),
            Self::Journal(error) => error.code(),
            Self::Proof(_) => "E1321",
            Self::Internal { .. } | Self::NoRandomness => "E1179",
        }
    }
}
