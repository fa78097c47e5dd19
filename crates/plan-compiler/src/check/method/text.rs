//! Methods of text.

use plan_ir::builtin::Builtin;
use plan_ir::range::{self, skipped, taken};
use schema::types::{LengthRange, Type};

use super::Call;
use crate::check::Checker;
use crate::hir::Expr;

/// Full case folding makes at most three characters of one.
const FOLDED_CHARS_MAX: u64 = 3;
/// So does full upper case.
const UPPER_CHARS_MAX: u64 = 3;
/// A character has at most four octets, each of which takes three characters.
pub(super) const URL_ENCODED_CHARS_MAX: u64 = 12;
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
                let (n, by) = self.int_argument(&call, 0);
                let length = if call.op == Builtin::Take { taken(length, by) } else { skipped(length, by) };
                call.with([n], Type::String(length))
            }
            Builtin::Trim => call.gives(Type::String(at_most(1))),
            // Folding never removes a character; normalizing may.
            Builtin::Folded => {
                call.gives(Type::String(LengthRange { min: length.min, ..at_most(FOLDED_CHARS_MAX) }))
            }
            Builtin::Normalize => call.gives(Type::String(at_most(NORMALIZED_CHARS_MAX))),
            Builtin::Upper => {
                call.gives(Type::String(LengthRange { min: length.min, ..at_most(UPPER_CHARS_MAX) }))
            }
            Builtin::UrlEncoded => {
                call.gives(Type::String(LengthRange { min: length.min, ..at_most(URL_ENCODED_CHARS_MAX) }))
            }
            Builtin::ToInt => call.gives(Type::Int(range::of_digits(length)).optional()),
            Builtin::ToFloat => call.gives(Type::FLOAT.optional()),
            Builtin::IndexOf => {
                let part = self.argument(&call, 0, &Type::STRING);
                let place = range::as_int(LengthRange { min: 0, ..length }, i64::MAX.unsigned_abs());
                call.with([part], Type::Int(place).optional())
            }
            _ => self.parting_method(call, length),
        }
    }

    /// Methods that look at the parts of a text.
    fn parting_method(&mut self, call: Call<'a>, length: LengthRange) -> Expr {
        let list = |each, count| Type::List(Box::new(Type::String(each)), count);
        let part = LengthRange { min: 0, ..length };
        let at_least_one = length.min.min(1);
        match call.op {
            Builtin::Split => {
                let separator = self.argument(&call, 0, &Type::STRING);
                let Type::String(by) = separator.ty else { return Expr::error(call.span) };
                // Between separators of no length stand at most all characters, and nothing where there are none.
                let max = length.max.map(|max| (max / by.min.max(1)).saturating_add(1));
                let min = if by.min > 0 { 1 } else { at_least_one };
                call.with([separator], list(part, LengthRange { min, max }))
            }
            Builtin::Lines => call.gives(list(part, LengthRange { min: at_least_one, ..length })),
            Builtin::Words => {
                // Each but the last has white space behind it.
                let count = LengthRange { min: 0, max: length.max.map(|max| max.div_ceil(2)) };
                let word = LengthRange { min: 1, max: length.max.map(|max| max.max(1)) };
                call.gives(list(word, count))
            }
            Builtin::Replace => {
                let part = self.argument(&call, 0, &Type::STRING);
                let by = self.argument(&call, 1, &Type::STRING);
                let (Type::String(old), Type::String(new)) = (&part.ty, &by.ty) else {
                    return Expr::error(call.span);
                };
                let ty = Type::String(range::replaced(length, *old, *new));
                call.with([part, by], ty)
            }
            _ => Expr::error(call.span),
        }
    }
}
