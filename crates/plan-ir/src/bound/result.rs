//! What a bound says, and why there is none.

use schema::amount::Amount;
use schema::lock::LockError;
use schema::price::{PriceBasis, PriceError};

use super::calls::Once;
use crate::explain::time;
use crate::graph::NodeId;
use crate::plan::{ScopeId, SourceSpan};
use crate::topology::GraphError;

/// The most a plan can cost and take.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// Money, in the currency of the plan's budget.
    pub cost: Amount,
    /// Time, microseconds.
    pub latency_us: u64,
    /// Instances of nodes; at most [`schema::limits::RUN_INSTANCES_MAX`].
    pub instances: u64,
    /// Requests of calls: retries, votes, hedges, pages and fallbacks included; at most
    /// [`schema::limits::RUN_CALLS_MAX`].
    pub requests: u64,
    /// [`PriceBasis::Known`] where every price comes from a pinned rule; [`PriceBasis::Declared`] where one
    /// is only the plan's own `max_price`.
    pub basis: PriceBasis,
    /// One row per call and per fallback call, by node.
    pub contributors: Vec<Contributor>,
    /// The plan itself, then every part of it that has a budget or a deadline of its own.
    pub scopes: Vec<ScopeBound>,
    /// The calls with a budget of their own that is known, as written and as fallbacks.
    pub call_budgets: Vec<CallBudget>,
}

/// The most one execution of a call can cost, beside what it may spend.
#[derive(Clone, Debug, PartialEq)]
pub struct CallBudget {
    /// The call's node.
    pub node: NodeId,
    /// 0 for the call as written, 1 for its fallback call, and so on.
    pub level: usize,
    /// With its fallbacks and without this budget, in the budget's currency.
    pub cost: Amount,
    /// What it may spend.
    pub budget: Amount,
}

/// The part of one call, or of one fallback, in a bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Contributor {
    /// The call's node.
    pub node: NodeId,
    /// The node's label; a fallback says so.
    pub label: String,
    /// What is called, as the plan wrote it.
    pub target: String,
    /// The product of its factors, or what budgets inside the plan hold of it; in the plan's currency.
    pub cost: Amount,
    /// Requests at most, one per page, in all elements of the loops around it; budgets hold none of them back.
    pub requests: u64,
    /// The outermost budget inside the plan that may be spent before everything in it is bought.
    pub purse: Option<Amount>,
    /// All its attempts and waits, times the rounds of the fan-outs around it, microseconds.
    pub latency_us: u64,
    /// Where the price comes from.
    pub basis: PriceBasis,
    /// Whether `cost` is part of the plan's: it is in no arm that a costlier one outweighs.
    pub in_cost: bool,
    /// Whether `latency_us` is part of the plan's: it is on the longest path.
    pub in_latency: bool,
    /// Where the call stands.
    pub span: SourceSpan,
    /// What its texts are made of.
    pub(super) how: How,
}

/// How the cost and the time of a call come about. As text only when it is asked for: of a large plan that is
/// bounded again and again most is never read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct How {
    /// The loops around it, each with a multiplication sign behind it.
    pub(super) loops: String,
    /// The same in rounds.
    pub(super) turns: String,
    pub(super) once: Once,
}

impl Contributor {
    /// How the cost comes about, such as `5 rivals x 4 pages x 2 attempts x 0.004 USD`.
    #[must_use]
    pub fn factors(&self) -> String {
        let mut text = self.how.loops.clone();
        self.how.once.add_factors(&mut text);
        text
    }

    /// How `latency_us` comes about, such as `5 rounds of urls x (2 attempts x 4 s + waits of 0.4 s)`.
    #[must_use]
    pub fn times(&self) -> String {
        let mut text = self.how.turns.clone();
        self.how.once.add_times(&mut text);
        text
    }

    /// How its cost comes about and what that is: `9 urls x 0.01 USD = 0.09 USD`.
    #[must_use]
    pub fn priced(&self) -> String {
        let (factors, cost) = (self.factors(), self.cost);
        match self.purse {
            Some(budget) => format!("{factors}, until a budget of {budget} is spent"),
            None if factors == cost.to_string() => factors,
            None => format!("{factors} = {cost}"),
        }
    }

    /// How its time comes about and what that is: `2 attempts x 4 s + waits of 0.4 s = 8.4 s`.
    #[must_use]
    pub fn timed(&self) -> String {
        let (times, total) = (self.times(), time(self.latency_us));
        if times == total { total } else { format!("{times} = {total}") }
    }
}

/// The bound of one execution of a plan or sub-plan, beside what it may spend.
#[derive(Clone, Debug, PartialEq)]
pub struct ScopeBound {
    /// The scope.
    pub scope: ScopeId,
    /// Path of `run` labels, empty for the plan itself.
    pub label: String,
    /// Money of one execution without its own budget, in the budget's currency, else in the plan's.
    pub cost: Amount,
    /// Time of one execution from the moment its inputs are there, microseconds.
    pub latency_us: u64,
    /// Its budget, where it declares one and the arguments it depends on are known.
    pub budget: Option<Amount>,
    /// Its deadline, microseconds, where it declares one.
    pub deadline_us: Option<u64>,
}

impl ScopeBound {
    /// Whether the bound is above the budget (`E0701`).
    #[must_use]
    pub fn exceeds_budget(&self) -> bool {
        self.budget.is_some_and(|budget| self.cost.units > budget.units)
    }

    /// Whether the bound is above the deadline (`E0704`).
    #[must_use]
    pub fn exceeds_deadline(&self) -> bool {
        self.deadline_us.is_some_and(|deadline| self.latency_us > deadline)
    }
}

/// Why a plan has no bound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BoundError {
    /// A fan-out with calls over a list of any length.
    #[error("`{label}` makes calls for each element of a list without an upper bound")]
    Unbounded {
        /// The fan-out.
        node: NodeId,
        /// Its label.
        label: String,
    },
    /// A call whose price cannot be bounded.
    #[error("the cost of `{target}` has no bound: {source}")]
    Price {
        /// The call.
        node: NodeId,
        /// What the plan calls.
        target: String,
        /// The operation that has no bound.
        operation: String,
        /// Why.
        source: PriceError,
    },
    /// A budget in a currency that cannot be compared with the cost.
    #[error("the budget of `{label}` cannot be compared with its cost: {source}")]
    Budget {
        /// The scope's label, empty for the plan itself.
        label: String,
        /// Why.
        source: PriceError,
    },
    /// A bound that does not fit 64 bits.
    #[error("the {what} of the plan is beyond any bound that could be meant")]
    Saturated {
        /// `cost` or `time`.
        what: &'static str,
    },
    /// More requests or steps than a run may have.
    #[error("a run can have {count} {what}, above the limit of {limit}; most come from `{label}`")]
    TooMany {
        /// The outermost node that brings most of them.
        node: NodeId,
        /// Its label.
        label: String,
        /// `requests` or `steps`.
        what: &'static str,
        /// How many, saturating.
        count: u128,
        /// How many may be.
        limit: u128,
    },
    /// A pinned entry that cannot be read.
    #[error(transparent)]
    Entry(#[from] LockError),
    /// The graph breaks a rule.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The compiled plan contradicts itself.
    #[error("the compiled plan is malformed: {0}")]
    Malformed(&'static str),
}

impl BoundError {
    /// Code of the error page.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unbounded { .. } => "E0702",
            Self::Price { .. } | Self::Budget { .. } => "E0703",
            Self::Saturated { .. } => "E0706",
            Self::TooMany { .. } => "E0709",
            Self::Entry(error) => error.code,
            Self::Graph(error) => error.code(),
            Self::Malformed(_) => "E0806",
        }
    }

    /// The node it is about, where it is about one.
    #[must_use]
    pub const fn node(&self) -> Option<NodeId> {
        match self {
            Self::Unbounded { node, .. } | Self::Price { node, .. } | Self::TooMany { node, .. } => {
                Some(*node)
            }
            _ => None,
        }
    }
}
