//! Operators on numbers, times and texts. Each is checked in the code, so none can fault.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder as _, Value, types};
use plan_ir::expr::{BinaryOp, ExprId};
use schema::text_form::{TIME_US_MAX, TIME_US_MIN};

use super::Refused;
use super::expr::Typed;
use super::fx::Fx;
use super::val::Val;
use crate::helper::Helper;
use crate::layout::{Repr, ReprId};
use crate::run::Exit;

impl Fx<'_, '_, '_> {
    pub(super) fn negated(&mut self, condition: Value) -> Value {
        self.b.ins().icmp_imm_u(IntCC::Equal, condition, 0)
    }

    pub(super) fn negation(&mut self, id: ExprId, operand: ExprId) -> Result<Typed, Refused> {
        let (val, repr) = self.own_value(operand)?;
        let value = Self::one(&val)?;
        if repr == ReprId::FLOAT {
            let negated = self.b.ins().fneg(value);
            let zero = self.b.ins().f64const(0.0);
            return Ok((Val::One(self.b.ins().fadd(negated, zero)), repr));
        }
        let zero = self.int(0);
        let (result, overflow) = self.b.ins().ssub_overflow(zero, value);
        self.trap_if(overflow, Exit::Overflow, id);
        Ok((Val::One(result), repr))
    }

    /// Operators that evaluate both sides.
    pub(super) fn binary(
        &mut self,
        id: ExprId,
        op: BinaryOp,
        left: ExprId,
        right: ExprId,
    ) -> Result<Typed, Refused> {
        use BinaryOp::{
            Add, And, Divide, Equal, Greater, GreaterEqual, Less, LessEqual, Multiply, NotEqual, Or,
            Remainder, Subtract,
        };
        match op {
            And | Or => self.logic(op, left, right),
            Equal | NotEqual => self.equality(op == Equal, left, right),
            Less | LessEqual | Greater | GreaterEqual => self.order(op, left, right),
            Add | Subtract | Multiply | Divide | Remainder => self.arithmetic(id, op, left, right),
            BinaryOp::Coalesce => Err(Refused::Malformed("an operator that is not native")),
        }
    }

    /// `&&` and `||`, whose right side is evaluated only where it counts.
    fn logic(&mut self, op: BinaryOp, left: ExprId, right: ExprId) -> Result<Typed, Refused> {
        let (yes, no, done) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        let result = self.b.append_block_param(done, types::I8);
        self.branch_logic(op, left, right, yes, no)?;
        for (block, holds) in [(yes, 1), (no, 0)] {
            self.continue_in(block);
            let holds = self.b.ins().iconst(types::I8, holds);
            self.b.ins().jump(done, &[holds.into()]);
        }
        self.continue_in(done);
        Ok((Val::One(result), ReprId::BOOL))
    }

    fn arithmetic(
        &mut self,
        id: ExprId,
        op: BinaryOp,
        left: ExprId,
        right: ExprId,
    ) -> Result<Typed, Refused> {
        let (left, left_repr) = self.own_value(left)?;
        let (right, right_repr) = self.own_value(right)?;
        match (self.layout(left_repr), self.layout(right_repr)) {
            (Repr::Float, Repr::Float) => self.floats(id, op, &left, &right),
            (Repr::Text, Repr::Text) => self.appended(&left, &right),
            (Repr::Amount, Repr::Int) => self.amount_by(id, op, &left, &right),
            (Repr::Int, Repr::Amount) => self.amount_by(id, op, &right, &left),
            (Repr::Time, Repr::Duration) => {
                let time = self.integers(id, op, &left, &right)?;
                self.within_years(id, time);
                Ok((Val::One(time), ReprId::TIME))
            }
            (Repr::Int, Repr::Int) => Ok((Val::One(self.integers(id, op, &left, &right)?), ReprId::INT)),
            (Repr::Time, Repr::Time)
            | (Repr::Duration, Repr::Duration | Repr::Int)
            | (Repr::Int, Repr::Duration) => {
                Ok((Val::One(self.integers(id, op, &left, &right)?), ReprId::DURATION))
            }
            _ => Err(Refused::Malformed("an operator that is not native")),
        }
    }

    fn integers(&mut self, id: ExprId, op: BinaryOp, left: &Val, right: &Val) -> Result<Value, Refused> {
        let (a, b) = (Self::one(left)?, Self::one(right)?);
        let (result, overflow) = match op {
            BinaryOp::Add => self.b.ins().sadd_overflow(a, b),
            BinaryOp::Subtract => self.b.ins().ssub_overflow(a, b),
            BinaryOp::Multiply => self.b.ins().smul_overflow(a, b),
            BinaryOp::Divide => {
                self.nonzero(id, b);
                let least = self.b.ins().icmp_imm_s(IntCC::Equal, a, i64::MIN);
                let minus_one = self.b.ins().icmp_imm_s(IntCC::Equal, b, -1);
                let overflow = self.b.ins().band(least, minus_one);
                self.trap_if(overflow, Exit::Overflow, id);
                return Ok(self.b.ins().sdiv(a, b));
            }
            BinaryOp::Remainder => {
                self.nonzero(id, b);
                // The one quotient that overflows has remainder 0, as has every division by 1.
                let minus_one = self.b.ins().icmp_imm_s(IntCC::Equal, b, -1);
                let one = self.int(1);
                let divisor = self.b.ins().select(minus_one, one, b);
                return Ok(self.b.ins().srem(a, divisor));
            }
            _ => return Err(Refused::Malformed("an operator that is not native")),
        };
        self.trap_if(overflow, Exit::Overflow, id);
        Ok(result)
    }

    fn nonzero(&mut self, id: ExprId, divisor: Value) {
        let zero = self.b.ins().icmp_imm_s(IntCC::Equal, divisor, 0);
        self.trap_if(zero, Exit::DivisionByZero, id);
    }

    fn within_years(&mut self, id: ExprId, time: Value) {
        let early = self.b.ins().icmp_imm_s(IntCC::SignedLessThan, time, TIME_US_MIN);
        let late = self.b.ins().icmp_imm_s(IntCC::SignedGreaterThan, time, TIME_US_MAX);
        let outside = self.b.ins().bor(early, late);
        self.trap_if(outside, Exit::Overflow, id);
    }

    fn floats(&mut self, id: ExprId, op: BinaryOp, left: &Val, right: &Val) -> Result<Typed, Refused> {
        let (a, b) = (Self::one(left)?, Self::one(right)?);
        let result = match op {
            BinaryOp::Add => self.b.ins().fadd(a, b),
            BinaryOp::Subtract => self.b.ins().fsub(a, b),
            BinaryOp::Multiply => self.b.ins().fmul(a, b),
            BinaryOp::Divide => self.b.ins().fdiv(a, b),
            _ => {
                let result = self.call(Helper::FloatRemainder, &[a, b]);
                result.ok_or(Refused::Malformed("a remainder"))?
            }
        };
        Ok((Val::One(self.finite(id, result)), ReprId::FLOAT))
    }

    /// A float that is finite, `-0.0` as `0.0`.
    pub(super) fn finite(&mut self, id: ExprId, value: Value) -> Value {
        // A number less itself is 0, unless it is infinite or no number: then it is no number.
        let difference = self.b.ins().fsub(value, value);
        let outside = self.b.ins().fcmp(FloatCC::Unordered, difference, difference);
        self.trap_if(outside, Exit::Overflow, id);
        let zero = self.b.ins().f64const(0.0);
        self.b.ins().fadd(value, zero)
    }

    /// An amount times or by a number, which is not negative.
    fn amount_by(&mut self, id: ExprId, op: BinaryOp, amount: &Val, by: &Val) -> Result<Typed, Refused> {
        let ((units, currency), by) = (Self::two(amount)?, Self::one(by)?);
        if op == BinaryOp::Divide {
            self.nonzero(id, by);
        }
        let negative = self.b.ins().icmp_imm_s(IntCC::SignedLessThan, by, 0);
        self.trap_if(negative, Exit::Overflow, id);
        let units = if op == BinaryOp::Divide {
            self.b.ins().udiv(units, by)
        } else {
            let (units, overflow) = self.b.ins().umul_overflow(units, by);
            self.trap_if(overflow, Exit::Overflow, id);
            units
        };
        Ok((Val::Two(units, currency), ReprId::AMOUNT))
    }

    fn appended(&mut self, left: &Val, right: &Val) -> Result<Typed, Refused> {
        let ((a, a_len), (b, b_len)) = (Self::two(left)?, Self::two(right)?);
        let length = self.b.ins().iadd(a_len, b_len);
        self.charge_text(length);
        Ok((self.concat(&[(a, a_len), (b, b_len)])?, ReprId::TEXT))
    }
}
