//! Conditions as control flow: where a condition only decides where to go on, it never becomes a value.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder as _};
use plan_ir::expr::{BinaryOp, Expr, ExprId, UnaryOp};

use super::Refused;
use super::fx::Fx;
use super::table::Way;
use super::text::Text;
use super::val::Val;
use crate::layout::ReprId;

impl Fx<'_, '_, '_> {
    /// Goes to `yes` where the condition holds, to `no` where it does not. Both may be reached from elsewhere,
    /// too.
    pub(super) fn branch(&mut self, id: ExprId, yes: Block, no: Block) -> Result<(), Refused> {
        self.enter()?;
        let expr = self.unit.table.expr(id)?;
        if self.unit.table.way(id)? != Way::Native || self.unit.table.repr(id)? != ReprId::BOOL {
            self.branch_on_value(id, yes, no)?;
        } else {
            match expr {
                Expr::Unary(UnaryOp::Not, operand) => self.branch(*operand, no, yes)?,
                Expr::Binary(op @ (BinaryOp::And | BinaryOp::Or), left, right) => {
                    self.branch_logic(*op, *left, *right, yes, no)?;
                }
                Expr::Binary(BinaryOp::Equal, left, right) => self.branch_equal(*left, *right, yes, no)?,
                Expr::Binary(BinaryOp::NotEqual, left, right) => self.branch_equal(*left, *right, no, yes)?,
                Expr::Apply(function, args) if self.is_in_place(*function)? => {
                    self.enter_in_place(*function, args, |fx, body| fx.branch(body, yes, no))?;
                }
                _ => self.branch_on_value(id, yes, no)?,
            }
        }
        self.leave();
        Ok(())
    }

    fn branch_on_value(&mut self, id: ExprId, yes: Block, no: Block) -> Result<(), Refused> {
        let condition = self.condition(id)?;
        self.b.ins().brif(condition, yes, &[], no, &[]);
        Ok(())
    }

    pub(super) fn branch_logic(
        &mut self,
        op: BinaryOp,
        left: ExprId,
        right: ExprId,
        yes: Block,
        no: Block,
    ) -> Result<(), Refused> {
        let more = self.b.create_block();
        if op == BinaryOp::And {
            self.branch(left, more, no)?;
        } else {
            self.branch(left, yes, more)?;
        }
        self.continue_in(more);
        self.branch(right, yes, no)
    }

    /// `==`, of texts without a value for each step.
    fn branch_equal(&mut self, left: ExprId, right: ExprId, yes: Block, no: Block) -> Result<(), Refused> {
        let repr = self.unit.table.common(left, right)?;
        let repr = repr.ok_or(Refused::Malformed("values of two types are compared"))?;
        let left = self.value(left, repr)?;
        let right = self.value(right, repr)?;
        let inner = self.unit.table.layouts.present(repr);
        match (&left, &right, inner) {
            (Val::Two(a, a_len), Val::Two(b, b_len), None) if repr == ReprId::TEXT => {
                self.charge(1);
                self.branch_same_text((*a, *a_len), (*b, *b_len), yes, no)
            }
            (Val::Either(tag, held), Val::Present(other), Some(ReprId::TEXT))
            | (Val::Present(other), Val::Either(tag, held), Some(ReprId::TEXT)) => {
                // The comparison with null is charged, too.
                self.charge(1);
                let other = Self::two(other)?;
                // The length of a text that is `null` is 0, which tells where the other is known to have bytes.
                if self.known_texts.get(&other.0).is_none_or(|text| text.is_empty()) {
                    let some = self.b.create_block();
                    self.b.ins().brif(*tag, some, &[], no, &[]);
                    self.continue_in(some);
                }
                self.branch_same_text(Self::two(held)?, other, yes, no)
            }
            _ => {
                let same = self.same(&left, &right, repr)?;
                self.b.ins().brif(same, yes, &[], no, &[]);
                Ok(())
            }
        }
    }

    fn branch_same_text(&mut self, a: Text, b: Text, yes: Block, no: Block) -> Result<(), Refused> {
        let longer = self.b.create_block();
        let same_length = self.b.ins().icmp(IntCC::Equal, a.1, b.1);
        self.b.ins().brif(same_length, longer, &[], no, &[]);
        self.continue_in(longer);
        let same = self.same_bytes(a, b)?;
        self.b.ins().brif(same, yes, &[], no, &[]);
        Ok(())
    }
}
