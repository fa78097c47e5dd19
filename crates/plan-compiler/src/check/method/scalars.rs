//! Methods of numbers, amounts, durations and times.

use plan_ir::builtin::Builtin;
use plan_ir::range;
use schema::text_form::{TIME_US_MAX, TIME_US_MIN};
use schema::types::{FloatRange, IntRange, LengthRange, Type};

use super::Call;
use crate::check::Checker;
use crate::hir::Expr;
use crate::relate::unrefined;

/// `2026-11-22`.
const DATE_LENGTH: LengthRange = LengthRange::exactly(10);
/// Whole seconds of the first and the last moment.
const UNIX: IntRange =
    IntRange { min: TIME_US_MIN.div_euclid(1_000_000), max: TIME_US_MAX.div_euclid(1_000_000) };
/// Seconds of the shortest and the longest duration.
const SECONDS: FloatRange = FloatRange { min: i64::MIN as f64 / 1e6, max: i64::MAX as f64 / 1e6 };

impl<'a> Checker<'a, '_> {
    pub(super) fn scalar_method(&mut self, call: Call<'a>, ty: &Type) -> Expr {
        let int = |min, max| Type::Int(IntRange { min, max });
        match (call.op, ty) {
            (Builtin::Lesser | Builtin::Greater, _) => {
                let other = self.argument(&call, 0, &unrefined(ty));
                let ty = extreme(call.op, ty, &other.ty);
                call.with([other], ty)
            }
            (Builtin::Clamp, _) => {
                let low = self.argument(&call, 0, &unrefined(ty));
                let high = self.argument(&call, 1, &unrefined(ty));
                let ty = extreme(Builtin::Lesser, &extreme(Builtin::Greater, ty, &low.ty), &high.ty);
                call.with([low, high], ty)
            }
            (Builtin::PercentUp | Builtin::PercentDown, _) => {
                let percent = self.argument(&call, 0, &Type::INT);
                call.with([percent], Type::Amount)
            }
            (Builtin::To, Type::Int(first)) => {
                let (last, by) = self.int_argument(&call, 0);
                let (element, length) = range::row(*first, by);
                call.with([last], Type::List(Box::new(Type::Int(element)), length))
            }
            (Builtin::ToTime, _) => call.gives(Type::Time.optional()),
            (Builtin::ToUnix, _) => call.gives(Type::Int(UNIX)),
            (Builtin::Date, _) => call.gives(Type::String(DATE_LENGTH)),
            (Builtin::Year, _) => call.gives(int(0, 9_999)),
            (Builtin::Month, _) => call.gives(int(1, 12)),
            (Builtin::Day, _) => call.gives(int(1, 31)),
            (Builtin::ToSeconds, _) => call.gives(Type::Float(SECONDS)),
            (Builtin::Abs, Type::Int(of)) => {
                let ty = Type::Int(range::absolute(*of));
                call.gives(ty)
            }
            (Builtin::Abs, Type::Duration) => call.gives(Type::Duration),
            (Builtin::ToFloat, Type::Int(of)) => {
                let ty = Type::Float(FloatRange { min: of.min as f64, max: of.max as f64 });
                call.gives(ty)
            }
            (_, Type::Float(of)) => self.float_method(call, *of),
            _ => Expr::error(call.span),
        }
    }

    fn float_method(&mut self, call: Call<'a>, of: FloatRange) -> Expr {
        match call.op {
            Builtin::Abs => call.gives(Type::Float(range::absolute_float(of))),
            Builtin::Sqrt => {
                let root = FloatRange { min: of.min.max(0.0).sqrt(), max: of.max.max(0.0).sqrt() };
                call.gives(Type::Float(root))
            }
            Builtin::Floor => call.gives(Type::Int(range::whole(of, f64::floor))),
            Builtin::Ceil => call.gives(Type::Int(range::whole(of, f64::ceil))),
            Builtin::Round => call.gives(Type::Int(range::whole(of, f64::round))),
            Builtin::ToFixed => {
                let (decimals, by) = self.int_argument(&call, 0);
                call.with([decimals], Type::String(range::fixed_length(of, by)))
            }
            _ => Expr::error(call.span),
        }
    }
}

/// The type of the smaller or larger of two values.
fn extreme(op: Builtin, a: &Type, b: &Type) -> Type {
    match (a, b) {
        (Type::Int(a), Type::Int(b)) if op == Builtin::Lesser => Type::Int(range::lesser(*a, *b)),
        (Type::Int(a), Type::Int(b)) => Type::Int(range::greater(*a, *b)),
        (Type::Float(a), Type::Float(b)) if op == Builtin::Lesser => Type::Float(range::lesser_float(*a, *b)),
        (Type::Float(a), Type::Float(b)) => Type::Float(range::greater_float(*a, *b)),
        // One that was reported fits everywhere.
        _ => unrefined(a),
    }
}
