//! The reference interpreter: what a pure expression means. Any faster engine must give the same value
//! or the same trap, and charge the same [`Meter`].
//!
//! # Rules
//! - Evaluation is total: it ends in a value or in one of the coded traps of [`TrapKind`]. It is bounded by
//!   a [`Meter`], by [`EVAL_DEPTH_MAX`] and by the limit on lists.
//! - `Int` is checked 64-bit: overflow traps. Division truncates toward zero and the remainder has the sign
//!   of the dividend; a zero divisor traps.
//! - `Float` is IEEE 754 double without fast-math. A result that is not finite is
//!   [`TrapKind::Overflow`], `1.0 / 0.0` included, so no value is ever infinite or NaN; `-0.0` is `0.0`.
//! - `Amount` is never negative: a difference below zero is an overflow. Of two currencies the right one is
//!   converted to the left one's at the plan's pinned rate, rounding up; comparison across currencies is
//!   exact. `Time` stays within the years 0000 to 9999.
//! - Strings are compared by Unicode scalars and counted in Unicode scalars. Maps iterate in key order.
//! - `null` of an optional and JSON `null` are one value.

use std::fmt;
use std::sync::Arc;

use schema::error::PlanError;
use schema::hash::Hash;
use schema::limits::LIST_ELEMENTS_MAX;
use schema::value::Value;

use crate::expr::{ExprId, Fragment};
use crate::graph::NodeId;
use crate::plan::{CompiledPlan, DebugInfo, PlanBody};

mod arithmetic;
mod build;
mod compare;
mod convert;
mod machine;
mod meter;
mod operators;
mod pattern;
mod pure;
mod quick;
pub mod shared;
mod show;

pub(crate) use arithmetic::{add, float};
pub use compare::equal;
pub(crate) use compare::{compare_amounts, is_null, order};
pub(crate) use machine::Machine;
pub(crate) use meter::text_steps;
pub use meter::{EVAL_BYTES_MAX, EVAL_FUEL_MAX, Meter};
pub use pattern::match_pattern;
pub use pure::{PureError, evaluate, evaluate_json};
pub(crate) use show::{to_json, written_bytes};

/// Nesting of operands and function calls while one expression is evaluated. Chains of infix operators,
/// `let`s and branches do not nest. Chosen so that an unoptimised build stays within 1.5 of the 2 MiB of
/// stack that threads start with.
pub const EVAL_DEPTH_MAX: u32 = 256;

/// Locals of one frame.
pub const FRAME_LOCALS_MAX: u32 = 10_000;

/// Where an expression finds values from outside; what an environment does not say of itself, it does not have. Values are
/// cheap to clone.
pub trait Env {
    /// The plan's argument at this place.
    fn param(&self, _: u32) -> Option<Value> {
        None
    }
    /// The value of a finished node.
    fn node(&self, _: NodeId) -> Option<Value> {
        None
    }
    /// The current element of an enclosing fan-out.
    fn item(&self, _: NodeId) -> Option<Value> {
        None
    }
    /// What the taken arm of an enclosing branch bound at this position.
    fn bound(&self, _: NodeId, _: u32) -> Option<Value> {
        None
    }
}

/// An environment without values, for expressions that are closed: a `fn`, a default, a constant budget.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEnv;

impl Env for NoEnv {}

/// An evaluation that has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}")]
pub struct Trap {
    /// Why.
    pub kind: TrapKind,
    /// The expression that trapped.
    pub expr: ExprId,
}

/// Why an evaluation has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrapKind {
    /// A number, amount, time or duration outside what its type holds.
    #[error("the result is out of range")]
    Overflow,
    /// `Int` or duration divided by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// `xs[i]` outside the list.
    #[error("index {index} is outside a list of {length}")]
    Index {
        /// The index.
        index: i64,
        /// Elements of the list.
        length: u64,
    },
    /// Money of two currencies meets, and no rate is pinned.
    #[error("TAO and USD do not mix: the lock pins no exchange rate")]
    NoRate,
    /// A cast whose value does not fit.
    #[error("{message}, at {path}")]
    Decode {
        /// Where, as a JSON path within the value; `$` is the value itself.
        path: String,
        /// What was expected and what was found.
        message: String,
    },
    /// A limit on work or size.
    #[error("{0}")]
    Quota(Quota),
    /// The compiled plan contradicts itself; never the case for what this compiler makes.
    #[error("the compiled plan is malformed: {0}")]
    Malformed(&'static str),
}

/// The limit an evaluation ran into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Quota {
    /// [`Meter`] is out of steps.
    #[error("the expression takes more steps than it may")]
    Steps,
    /// [`Meter`] is out of bytes.
    #[error("the expression builds more bytes than it may")]
    Bytes,
    /// A list above [`LIST_ELEMENTS_MAX`].
    #[error("a list would have more than {LIST_ELEMENTS_MAX} elements")]
    Elements,
    /// Nesting above [`EVAL_DEPTH_MAX`], or a value nested deeper than JSON may be.
    #[error("the expression or its value is nested too deeply")]
    Depth,
}

impl TrapKind {
    /// Code of the error page.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Overflow => "E0801",
            Self::DivisionByZero => "E0802",
            Self::Index { .. } => "E0803",
            Self::NoRate => "E0707",
            Self::Decode { .. } => "E0804",
            Self::Quota(_) => "E0805",
            Self::Malformed(_) => "E0806",
        }
    }

    pub(crate) const fn at(self, expr: ExprId) -> Trap {
        Trap { kind: self, expr }
    }
}

impl Trap {
    /// The failure of a run whose node `node` trapped, with the span of the expression where `debug`
    /// knows it and it stands in the plan's own source.
    #[must_use]
    pub fn to_plan_error(&self, debug: &DebugInfo, node: Option<String>) -> PlanError {
        let span = debug.exprs.get(self.expr.0 as usize).filter(|span| span.source == 0 && span.end > 0);
        PlanError {
            code: self.kind.code().into(),
            message: self.kind.to_string(),
            node,
            span: span.map(|span| (span.start, span.end)),
            call: None,
        }
    }
}

/// The value of `fragment` applied to `args`.
///
/// # Errors
/// A [`Trap`]. What `meter` was charged until then stays charged.
pub fn eval(
    body: &PlanBody,
    fragment: &Fragment,
    args: &[Value],
    env: &dyn Env,
    meter: &mut Meter,
) -> Result<Value, Trap> {
    let value = Machine::new(body, env, meter).call(fragment, args.to_vec(), fragment.body)?;
    // Parts may be shared, so a value can be far larger written out than in memory; it is written out by
    // whoever journals or hashes it.
    show::written_bytes(&value, meter).map_err(|kind| kind.at(fragment.body))?;
    Ok(value)
}

/// Evaluates the expressions of one plan, as [`eval`] does: value, trap and what the meter is charged for a value are
/// the same, bit for bit. The interpreter is what a plan without one has.
pub trait Evaluator: fmt::Debug + Send + Sync {
    /// As [`eval`].
    ///
    /// # Errors
    /// As [`eval`].
    fn eval(
        &self,
        fragment: &Fragment,
        args: &[Value],
        env: &dyn Env,
        meter: &mut Meter,
    ) -> Result<Value, Trap>;
}

/// Where plans find their [`Evaluator`].
pub trait Evaluators: fmt::Debug + Send + Sync {
    /// That of the plan whose bytes have this hash.
    fn of(&self, hash: Hash, plan: &Arc<CompiledPlan>) -> Arc<dyn Evaluator>;
}

#[cfg(test)]
mod tests;
