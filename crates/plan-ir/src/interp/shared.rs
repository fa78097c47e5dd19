//! What another engine, or the compiler, shares with the interpreter, so that each rule has one spelling. None of it is needed
//! to evaluate an expression: that is [`super::eval`].

use schema::amount::{Amount, Rate};
use schema::types::{Type, TypeDefs};
use schema::value::{Json, Value};

use super::{Env, Machine, Meter, Trap, TrapKind, compare, convert, show};
use crate::expr::ExprId;
use crate::plan::PlanBody;

/// Evaluates the expression at `id` in the middle of an evaluation whose locals so far are `frame`. Charges
/// what the expression charges by its values; what is charged when a fragment is entered, its engine has
/// charged.
///
/// # Errors
/// As [`super::eval`].
pub fn eval_within(
    body: &PlanBody,
    id: ExprId,
    frame: Vec<Value>,
    env: &dyn Env,
    meter: &mut Meter,
) -> Result<Value, Trap> {
    Machine::within(body, env, meter, frame).value(id)
}

/// Charges for writing `value` out, as every evaluation is charged for its result; the bytes that takes.
///
/// # Errors
/// A quota, where it is more than `meter` has left.
pub fn written_bytes(value: &Value, meter: &mut Meter) -> Result<usize, TrapKind> {
    show::written_bytes(value, meter)
}

/// What `value` of type `ty` is as opaque JSON; charged to nobody.
///
/// # Errors
/// A quota, where it nests deeper than JSON may; a value that is not of the type.
pub fn opaque(value: &Value, ty: &Type, defs: &TypeDefs) -> Result<Json, TrapKind> {
    convert::opaque(value, ty, defs)
}

/// How deeply values of `ty` nest at most; `None` where the type is recursive or deeper than JSON may be:
/// then the interpreter measures each value of it that it builds.
#[must_use]
pub fn height(ty: &Type, defs: &TypeDefs) -> Option<usize> {
    show::height(ty, defs)
}

/// What `==` means.
///
/// # Errors
/// A quota.
pub fn equal(a: &Value, b: &Value, rate: Option<Rate>, meter: &mut Meter) -> Result<bool, TrapKind> {
    compare::equal(a, b, rate, meter)
}

/// The exact order of two amounts; `None` where it takes a rate and none is pinned.
#[must_use]
pub fn compare_amounts(a: Amount, b: Amount, rate: Option<Rate>) -> Option<std::cmp::Ordering> {
    compare::compare_amounts(a, b, rate)
}
