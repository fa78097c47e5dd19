//! Facts of expressions: what the interpreter charges for one, how deep it nests, and what it may do.

use plan_ir::builtin::Builtin;
use plan_ir::expr::{BinaryOp, Expr, ExprId, Pattern, UnaryOp, Widening};

use super::Refused;
use super::table::{Table, Way};
use crate::layout::ReprId;

/// Facts of an expression and everything below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// What entering it costs: expressions below it, each as often as it is an operand. Lambdas and
    /// functions are charged when they are entered.
    pub(crate) cost: u64,
    /// Nested evaluations of the interpreter, this one included.
    pub(crate) height: u32,
    /// Nested evaluations below this one.
    tail: u32,
    /// It may end in a trap that is no quota.
    pub(crate) traps: bool,
    /// It is charged by its values.
    pub(crate) charges: bool,
    /// It looks at what the meter has left, so it has to be charged in the interpreter's order.
    pub(crate) peeks: bool,
    /// It has a loop that native code runs.
    pub(crate) loops: bool,
}

impl Facts {
    /// Whether evaluating it more or less often makes no difference but time.
    pub(crate) const fn silent(self) -> bool {
        !self.traps && !self.charges && !self.peeks
    }

    const fn join(&mut self, other: Self) {
        self.traps |= other.traps;
        self.charges |= other.charges;
        self.peeks |= other.peeks;
        self.loops |= other.loops;
    }
}

impl Table<'_> {
    /// The facts of the expression at `root`. Without recursion, as tables may be long.
    pub(crate) fn facts(&mut self, root: ExprId) -> Result<Facts, Refused> {
        let mut open: Vec<(ExprId, bool)> = vec![(root, false)];
        while let Some((id, ready)) = open.pop() {
            if self.known(id)?.is_some() {
                continue;
            }
            if ready {
                let facts = self.combined(id)?;
                if let Some(slot) = self.facts.get_mut(id.0 as usize) {
                    *slot = Some(facts);
                }
                continue;
            }
            open.push((id, true));
            let expr = self.expr(id)?;
            let mut below = Vec::new();
            expr.each_operand(|operand| below.push(operand));
            below.extend(expr.lambda().map(|lambda| lambda.body));
            if below.iter().any(|operand| *operand >= id) {
                return Err(Refused::Malformed("an expression is its own operand"));
            }
            if let Expr::Apply(function, _) = expr {
                let body = self.function(*function)?.fragment.body;
                if self.known(body)?.is_none() && open.contains(&(body, true)) {
                    return Err(Refused::Malformed("a function calls itself"));
                }
                below.push(body);
            }
            for operand in below {
                if self.known(operand)?.is_none() {
                    open.push((operand, false));
                }
            }
        }
        self.known(root)?.ok_or(Refused::Malformed("an expression without facts"))
    }

    fn known(&self, id: ExprId) -> Result<Option<Facts>, Refused> {
        self.facts.get(id.0 as usize).copied().ok_or(Refused::Malformed("an expression that is not there"))
    }

    fn part(&self, id: ExprId) -> Result<Facts, Refused> {
        self.known(id)?.ok_or(Refused::Malformed("a function calls itself"))
    }

    /// The facts of `id` from those of its parts.
    fn combined(&self, id: ExprId) -> Result<Facts, Refused> {
        let expr = self.expr(id)?;
        let mut facts = Facts { cost: 1, ..self.own(id, expr)? };
        let mut operands = Vec::new();
        expr.each_operand(|operand| operands.push(operand));
        for operand in &operands {
            let part = self.part(*operand)?;
            facts.cost = facts.cost.saturating_add(part.cost);
            facts.join(part);
        }
        if let Some(lambda) = expr.lambda() {
            let body = self.part(lambda.body)?;
            facts.join(body);
            facts.tail = body.height;
        }
        if let Expr::Apply(function, _) = expr {
            let body = self.part(self.function(*function)?.fragment.body)?;
            facts.join(body);
            facts.tail = body.height;
        }
        for operand in operands {
            let part = self.part(operand)?;
            let nests = if self.continues(expr, operand) { part.tail } else { part.height };
            facts.tail = facts.tail.max(nests);
        }
        facts.height = facts.tail.saturating_add(1);
        Ok(facts)
    }

    /// Whether the interpreter goes on with `operand` on the same level.
    fn continues(&self, expr: &Expr, operand: ExprId) -> bool {
        match expr {
            Expr::Let { body, .. } => operand == *body,
            Expr::If { then, otherwise, condition } => {
                operand != *condition && (operand == *then || operand == *otherwise)
            }
            Expr::Match { scrutinee, .. } => operand != *scrutinee,
            Expr::Widen(_, Widening::Identity) => true,
            Expr::Binary(_, left, right) => {
                operand == *left
                    && left != right
                    && matches!(self.body.exprs.get(operand), Some(Expr::Binary(..)))
            }
            _ => false,
        }
    }

    /// What the expression itself does.
    fn own(&self, id: ExprId, expr: &Expr) -> Result<Facts, Refused> {
        let nothing = Facts::default();
        let charged = Facts { charges: true, ..nothing };
        let trapping = Facts { traps: true, ..nothing };
        if self.way(id)? != Way::Native {
            return Ok(Facts { traps: true, charges: true, peeks: true, ..nothing });
        }
        Ok(match expr {
            Expr::Const(_)
            | Expr::Param(_)
            | Expr::Node(_)
            | Expr::Item(_)
            | Expr::Bound(..)
            | Expr::Local(_)
            | Expr::Let { .. }
            | Expr::If { .. }
            | Expr::Field { .. }
            | Expr::Unary(UnaryOp::Not, _)
            | Expr::Widen(_, Widening::Identity | Widening::IntToFloat) => nothing,
            Expr::Match { arms, .. } => Facts {
                // A table that lies may have no arm that fits.
                traps: !arms.last().is_some_and(|arm| matches!(arm.pattern, Pattern::Any | Pattern::Bind(_))),
                charges: arms.iter().any(|arm| has_literal(&arm.pattern)),
                ..nothing
            },
            Expr::Index { .. } | Expr::Unary(UnaryOp::Negate, _) => trapping,
            Expr::Binary(op, left, _) => match op {
                BinaryOp::And | BinaryOp::Or | BinaryOp::Coalesce => nothing,
                BinaryOp::Equal | BinaryOp::NotEqual => charged,
                BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual => {
                    if self.repr(*left)? == ReprId::TEXT { charged } else { nothing }
                }
                _ if self.repr(*left)? == ReprId::TEXT => charged,
                _ => trapping,
            },
            Expr::Record(..) | Expr::List(_) | Expr::Variant(..) | Expr::Widen(..) | Expr::Apply(..) => {
                charged
            }
            Expr::Template(parts) => {
                let mut facts = charged;
                for part in parts {
                    if !self.shows(*part)? {
                        facts = Facts { traps: true, charges: true, peeks: true, ..nothing };
                    }
                }
                facts
            }
            Expr::Builtin { op, lambda, .. } => match op {
                Builtin::Abs | Builtin::Floor | Builtin::Ceil | Builtin::Round | Builtin::Sqrt => trapping,
                Builtin::Lesser | Builtin::Greater | Builtin::Clamp | Builtin::ToFloat => nothing,
                Builtin::Sum => Facts { traps: true, ..charged },
                _ => Facts { loops: lambda.is_some(), ..charged },
            },
            Expr::Map(_) | Expr::Cast(_) | Expr::DecodeText(_) => {
                Facts { traps: true, charges: true, peeks: true, ..nothing }
            }
        })
    }

    /// Whether native code shows a part of a template.
    pub(crate) fn shows(&self, part: ExprId) -> Result<bool, Refused> {
        Ok(matches!(self.repr(part)?, ReprId::TEXT | ReprId::INT | ReprId::BOOL | ReprId::FLOAT))
    }
}

fn has_literal(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::Literal(_) => true,
        Pattern::Variant(_, Some(inner)) | Pattern::Present(inner) => has_literal(inner),
        Pattern::Any | Pattern::Bind(_) | Pattern::Variant(_, None) => false,
    }
}
