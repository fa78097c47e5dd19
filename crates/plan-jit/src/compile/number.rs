//! Functions of numbers.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder as _, Value, types};
use plan_ir::builtin::Builtin;
use plan_ir::expr::ExprId;

use super::Refused;
use super::expr::Typed;
use super::fx::Fx;
use super::list::NOT_NATIVE;
use super::val::Val;
use crate::helper::Helper;
use crate::layout::ReprId;
use crate::run::Exit;

/// 2^63: the first float above every `Int`.
const BEYOND: f64 = 9_223_372_036_854_775_808.0;

impl Fx<'_, '_, '_> {
    pub(super) fn on_number(
        &mut self,
        id: ExprId,
        op: Builtin,
        number: ExprId,
        rest: &[ExprId],
    ) -> Result<Typed, Refused> {
        let (val, repr) = self.own_value(number)?;
        let value = Self::one(&val)?;
        let mut others = Vec::with_capacity(rest.len());
        for other in rest {
            let other = self.value(*other, repr)?;
            others.push(Self::one(&other)?);
        }
        let (result, repr) = match (op, others.as_slice()) {
            (Builtin::Lesser, [other]) => (self.lesser(value, *other, repr), repr),
            (Builtin::Greater, [other]) => (self.greater(value, *other, repr), repr),
            (Builtin::Clamp, [low, high]) => {
                let raised = self.greater(value, *low, repr);
                (self.lesser(raised, *high, repr), repr)
            }
            (Builtin::Abs, []) if repr == ReprId::FLOAT => (self.b.ins().fabs(value), repr),
            (Builtin::Abs, []) => {
                let least = self.b.ins().icmp_imm_s(IntCC::Equal, value, i64::MIN);
                self.trap_if(least, Exit::Overflow, id);
                (self.b.ins().iabs(value), repr)
            }
            (Builtin::ToFloat, []) => (self.b.ins().fcvt_from_sint(types::F64, value), ReprId::FLOAT),
            (Builtin::Sqrt, []) => {
                let root = self.b.ins().sqrt(value);
                (self.finite(id, root), ReprId::FLOAT)
            }
            (Builtin::Floor | Builtin::Ceil | Builtin::Round, []) => {
                let how = match op {
                    Builtin::Floor => 0,
                    Builtin::Ceil => 1,
                    _ => 2,
                };
                let how = self.int(how);
                let whole = self.call(Helper::FloatRound, &[how, value]).ok_or(NOT_NATIVE)?;
                (self.whole(id, whole), ReprId::INT)
            }
            _ => return Err(NOT_NATIVE),
        };
        Ok((Val::One(result), repr))
    }

    /// The smaller one, the first where they are equal.
    fn lesser(&mut self, a: Value, b: Value, repr: ReprId) -> Value {
        let above = if repr == ReprId::FLOAT {
            self.b.ins().fcmp(FloatCC::GreaterThan, a, b)
        } else {
            self.b.ins().icmp(IntCC::SignedGreaterThan, a, b)
        };
        self.b.ins().select(above, b, a)
    }

    /// The larger one, the first where they are equal.
    fn greater(&mut self, a: Value, b: Value, repr: ReprId) -> Value {
        let below = if repr == ReprId::FLOAT {
            self.b.ins().fcmp(FloatCC::LessThan, a, b)
        } else {
            self.b.ins().icmp(IntCC::SignedLessThan, a, b)
        };
        self.b.ins().select(below, b, a)
    }

    /// A whole float as an integer.
    fn whole(&mut self, id: ExprId, value: Value) -> Value {
        let (least, beyond) = (self.b.ins().f64const(-BEYOND), self.b.ins().f64const(BEYOND));
        let below = self.b.ins().fcmp(FloatCC::UnorderedOrLessThan, value, least);
        let above = self.b.ins().fcmp(FloatCC::UnorderedOrGreaterThanOrEqual, value, beyond);
        let outside = self.b.ins().bor(below, above);
        self.trap_if(outside, Exit::Overflow, id);
        self.b.ins().fcvt_to_sint_sat(types::I64, value)
    }
}
