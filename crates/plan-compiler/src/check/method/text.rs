//! Methods of text.

use plan_ir::builtin::Builtin;
use schema::types::{LengthRange, Type};

use super::Call;
use crate::check::Checker;
use crate::hir::Expr;
use crate::range::{self, skipped, taken};

/// Full case folding makes at most three characters of one.
const FOLDED_CHARS_MAX: u64 = 3;
/// Compatibility composition makes at most 18 characters of one (U+FDFA), each folded after that.
const NORMALIZED_CHARS_MAX: u64 = 18 * FOLDED_CHARS_MAX;

impl<'a> Checker<'a, '_> {
    pub(super) fn text_method(&mut self, call: Call<'a>, length: LengthRange) -> Expr {
        let at_most =
            |times: u64| LengthRange { min: 0, max: length.max.and_then(|max| max.checked_mul(times)) };
        match call.op {
            Builtin::Len => call.gives(Type::Int(range::as_int(length, i64::MAX.unsigned_abs()))),
            Builtin::IsEmpty => call.gives(Type::Bool),
            Builtin::Contains | Builtin::StartsWith | Builtin::EndsWith => {
                let part = self.argument(&call, 0, &Type::STRING);
                call.with([part], Type::Bool)
            }
            Builtin::Take | Builtin::Skip => {
                let (n, by) = self.count_argument(&call, 0);
                let length = if call.op == Builtin::Take { taken(length, by) } else { skipped(length, by) };
                call.with([n], Type::String(length))
            }
            Builtin::Trim => call.gives(Type::String(at_most(1))),
            // Folding never removes a character; normalizing may.
            Builtin::Folded => {
                call.gives(Type::String(LengthRange { min: length.min, ..at_most(FOLDED_CHARS_MAX) }))
            }
            Builtin::Normalize => call.gives(Type::String(at_most(NORMALIZED_CHARS_MAX))),
            _ => Expr::error(call.span),
        }
    }
}
