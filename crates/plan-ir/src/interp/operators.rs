//! Infix operators: in which order their operands are evaluated, and which are not.

use schema::amount::Rate;
use schema::value::Value;

use super::compare::{equal, is_null, order};
use super::machine::at_hand;
use super::{Machine, Meter, Trap, TrapKind, arithmetic};
use crate::expr::{BinaryOp, Expr, ExprId};

impl Machine<'_> {
    /// Infix operators. A chain such as `a + b + c` leans left and is followed without nesting.
    /// A chain of one or two, as most are, needs no list of them.
    pub(super) fn infix(
        &mut self,
        id: ExprId,
        op: BinaryOp,
        left: ExprId,
        right: ExprId,
    ) -> Result<Value, Trap> {
        match self.expr(left)? {
            Expr::Binary(inner, first, second) if !matches!(self.expr(*first)?, Expr::Binary(..)) => {
                let value = self.binary(left, *inner, *first, *second)?;
                self.operate(id, op, value, right)
            }
            Expr::Binary(..) => self.chain(id),
            _ => self.binary(id, op, left, right),
        }
    }

    fn chain(&mut self, id: ExprId) -> Result<Value, Trap> {
        let (mut chain, mut first) = (Vec::new(), id);
        while let Expr::Binary(op, left, right) = self.expr(first)? {
            chain.push((first, *op, *right));
            first = *left;
        }
        let mut value = self.value(first)?;
        while let Some((at, op, right)) = chain.pop() {
            value = self.operate(at, op, value, right)?;
        }
        Ok(value)
    }

    #[inline]
    fn binary(&mut self, at: ExprId, op: BinaryOp, left: ExprId, right: ExprId) -> Result<Value, Trap> {
        if !matches!(op, BinaryOp::And | BinaryOp::Or | BinaryOp::Coalesce)
            && let Some(left) = at_hand(self.body, &self.frame, self.depth, left)
            && let Some(right) = at_hand(self.body, &self.frame, self.depth, right)
        {
            return combine(op, left, right, self.body.rate, self.meter).map_err(|kind| kind.at(at));
        }
        let left = self.value(left)?;
        self.operate(at, op, left, right)
    }

    #[inline]
    fn operate(&mut self, at: ExprId, op: BinaryOp, left: Value, right: ExprId) -> Result<Value, Trap> {
        match (op, &left) {
            (BinaryOp::And, Value::Bool(false)) | (BinaryOp::Or, Value::Bool(true)) => return Ok(left),
            (BinaryOp::And | BinaryOp::Or, Value::Bool(_)) => return self.condition(right).map(Value::Bool),
            (BinaryOp::Coalesce, value) if !is_null(value) => return Ok(left),
            (BinaryOp::Coalesce, _) => return self.value(right),
            _ => {}
        }
        let result = match at_hand(self.body, &self.frame, self.depth, right) {
            Some(right) => combine(op, &left, right, self.body.rate, self.meter),
            None => {
                let right = self.value(right)?;
                combine(op, &left, &right, self.body.rate, self.meter)
            }
        };
        result.map_err(|kind| kind.at(at))
    }
}

/// What an operator gives that looks at both of its operands.
#[inline]
fn combine(
    op: BinaryOp,
    left: &Value,
    right: &Value,
    rate: Option<Rate>,
    meter: &mut Meter,
) -> Result<Value, TrapKind> {
    let holds = match op {
        BinaryOp::Equal => equal(left, right, rate, meter)?,
        BinaryOp::NotEqual => !equal(left, right, rate, meter)?,
        BinaryOp::Less => order(left, right, rate, meter)?.is_lt(),
        BinaryOp::LessEqual => order(left, right, rate, meter)?.is_le(),
        BinaryOp::Greater => order(left, right, rate, meter)?.is_gt(),
        BinaryOp::GreaterEqual => order(left, right, rate, meter)?.is_ge(),
        _ => {
            if let (BinaryOp::Add, Value::String(left), Value::String(right)) = (op, left, right) {
                meter.text(left.len().saturating_add(right.len()))?;
                return Ok(Value::string([left.as_ref(), right.as_ref()].concat()));
            }
            return arithmetic::binary(op, left, right, rate);
        }
    };
    Ok(Value::Bool(holds))
}
