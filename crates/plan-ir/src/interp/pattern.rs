//! Which values a pattern takes and what it binds.

use schema::value::Value;

use super::compare::{equal, is_null};
use super::{Meter, TrapKind};
use crate::expr::{LocalId, Pattern};

/// What `pattern` binds of `value`, in the order its binders stand in the text; `None` where the value does
/// not fit. `value` is the scrutinee of a branch, and the result what [`super::Env::bound`] answers
/// within the arm.
#[must_use]
pub fn match_pattern(pattern: &Pattern, value: &Value) -> Option<Vec<Value>> {
    let mut bound = Vec::new();
    // A literal of a pattern is at most as long as the plan's source, so this needs no limit of its own.
    let mut meter = Meter::new(u64::MAX, u64::MAX);
    let fits = bind(pattern, value, &mut bound, &mut meter).unwrap_or(false);
    fits.then(|| bound.into_iter().map(|(_, value)| value).collect())
}

/// Whether `pattern` fits `value`; appends what it binds. What was appended before a misfit is to be
/// dropped by the caller.
pub(super) fn bind(
    pattern: &Pattern,
    value: &Value,
    bound: &mut Vec<(LocalId, Value)>,
    meter: &mut Meter,
) -> Result<bool, TrapKind> {
    match (pattern, value) {
        (Pattern::Any, _) => Ok(true),
        (Pattern::Bind(local), _) => {
            bound.push((*local, value.clone()));
            Ok(true)
        }
        // Literals are scalars of the scrutinee's own currency; a rate could only make two texts one.
        (Pattern::Literal(literal), _) => equal(literal, value, None, meter),
        (Pattern::Variant(place, inner), Value::Variant(found, payload)) if place == found => {
            match (inner, payload) {
                (Some(inner), Some(payload)) => bind(inner, payload, bound, meter),
                (None, _) => Ok(true),
                (Some(_), None) => Err(TrapKind::Malformed("a pattern looks into a variant that is empty")),
            }
        }
        (Pattern::Variant(..), _) => Ok(false),
        (Pattern::Present(inner), _) => Ok(!is_null(value) && bind(inner, value, bound, meter)?),
    }
}
