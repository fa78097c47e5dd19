//! What the compiler knows of a plan's expressions before it emits anything: how each is represented, who
//! evaluates it, and the facts that decide what may be fused.

use plan_ir::expr::{BinaryOp, Expr, ExprId, FnId, Pattern, UnaryOp, Widening};
use plan_ir::interp::EVAL_DEPTH_MAX;
use plan_ir::plan::PlanBody;
use schema::value::Value;

use super::Refused;
use super::facts::Facts;
use crate::layout::{Layouts, Repr, ReprId};

/// Who evaluates an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Native code.
    Native,
    /// The interpreter, on operands that native code has evaluated.
    Operands,
    /// The interpreter, from its leaves on.
    Subtree,
}

/// A plan's expressions with their representations.
#[derive(Debug)]
pub(crate) struct Table<'p> {
    pub(crate) body: &'p PlanBody,
    pub(crate) layouts: Layouts,
    /// The representation of each expression's type.
    reprs: Vec<ReprId>,
    pub(super) facts: Vec<Option<Facts>>,
}

impl<'p> Table<'p> {
    pub(crate) fn new(body: &'p PlanBody) -> Self {
        let mut layouts = Layouts::new();
        let reprs: Vec<ReprId> = body.exprs.types.iter().map(|ty| layouts.of(ty, &body.types)).collect();
        let facts = vec![None; body.exprs.exprs.len()];
        Self { body, layouts, reprs, facts }
    }

    pub(crate) fn expr(&self, id: ExprId) -> Result<&'p Expr, Refused> {
        self.body.exprs.get(id).ok_or(Refused::Malformed("an expression that is not there"))
    }

    /// How a value of the expression's type is represented.
    pub(crate) fn repr(&self, id: ExprId) -> Result<ReprId, Refused> {
        self.reprs.get(id.0 as usize).copied().ok_or(Refused::Malformed("an expression without a type"))
    }

    pub(super) fn kind(&self, id: ExprId) -> Result<&Repr, Refused> {
        self.repr(id).map(|repr| self.layouts.get(repr))
    }

    /// The facts of what is evaluated as a fragment.
    pub(crate) fn root(&mut self, id: ExprId) -> Result<Facts, Refused> {
        let facts = self.facts(id)?;
        if facts.height > EVAL_DEPTH_MAX {
            return Err(Refused::Limit("operands nest too deep"));
        }
        Ok(facts)
    }

    /// The fragment of function `id`.
    pub(crate) fn function(&self, id: FnId) -> Result<&'p plan_ir::plan::Function, Refused> {
        self.body.functions.get(id.0 as usize).ok_or(Refused::Malformed("a function that is not there"))
    }

    /// Who evaluates the expression. What native code does not do is the interpreter's, so an expression
    /// or library function that is new is never a reason not to compile.
    pub(crate) fn way(&self, id: ExprId) -> Result<Way, Refused> {
        let native = |holds: bool| Ok(if holds { Way::Native } else { Way::Operands });
        match self.expr(id)? {
            Expr::Const(_)
            | Expr::Param(_)
            | Expr::Node(_)
            | Expr::Item(_)
            | Expr::Bound(..)
            | Expr::Local(_)
            | Expr::Let { .. }
            | Expr::Apply(..)
            | Expr::Template(_) => Ok(Way::Native),
            Expr::If { condition, .. } => {
                Ok(if self.repr(*condition)? == ReprId::BOOL { Way::Native } else { Way::Subtree })
            }
            Expr::Match { scrutinee, arms } => {
                let repr = self.repr(*scrutinee)?;
                let fits = arms.iter().all(|arm| self.pattern_fits(&arm.pattern, repr));
                Ok(if fits { Way::Native } else { Way::Subtree })
            }
            Expr::Field { record, index, optional } => {
                let repr = self.repr(*record)?;
                let of = if *optional { self.layouts.present(repr).unwrap_or(repr) } else { repr };
                native(self.layouts.field(of, *index).is_some())
            }
            Expr::Index { list, index } => {
                native(matches!(self.kind(*list)?, Repr::List(_)) && self.repr(*index)? == ReprId::INT)
            }
            Expr::Unary(op, operand) => native(match op {
                UnaryOp::Not => self.repr(*operand)? == ReprId::BOOL,
                UnaryOp::Negate => {
                    matches!(self.kind(*operand)?, Repr::Int | Repr::Float | Repr::Duration)
                }
            }),
            Expr::Binary(op, left, right) => self.binary_way(*op, *left, *right),
            Expr::Record(_, fields) => {
                let repr = self.layouts.unboxed(self.repr(id)?);
                native(matches!(self.layouts.get(repr), Repr::Record(wanted) if wanted.len() == fields.len()))
            }
            Expr::List(_) => native(matches!(self.kind(id)?, Repr::List(_))),
            Expr::Map(_) | Expr::Cast(_) | Expr::DecodeText(_) => Ok(Way::Operands),
            Expr::Variant(place, payload) => native(match self.kind(id)? {
                Repr::Variants(payloads) => {
                    payloads.get(*place as usize).is_some_and(|wanted| wanted.is_some() == payload.is_some())
                }
                _ => false,
            }),
            Expr::Widen(inner, widening) => match widening {
                Widening::Identity => Ok(Way::Native),
                Widening::Inject(place) => native(match self.kind(id)? {
                    Repr::Variants(payloads) => matches!(payloads.get(*place as usize), Some(Some(_))),
                    _ => false,
                }),
                Widening::IntToFloat => native(self.repr(*inner)? == ReprId::INT),
                Widening::ToJson => Ok(Way::Operands),
            },
            Expr::Builtin { op, args, lambda } => self.builtin_way(id, *op, args, lambda.as_ref()),
        }
    }

    fn binary_way(&self, op: BinaryOp, left: ExprId, right: ExprId) -> Result<Way, Refused> {
        use BinaryOp::{
            Add, And, Coalesce, Divide, Equal, Greater, GreaterEqual, Less, LessEqual, Multiply, NotEqual,
            Or, Remainder, Subtract,
        };
        let reprs = (self.repr(left)?, self.repr(right)?);
        let native = match op {
            Coalesce => true,
            And | Or => {
                if reprs != (ReprId::BOOL, ReprId::BOOL) {
                    return Ok(Way::Subtree);
                }
                true
            }
            Equal | NotEqual => self.common(left, right)?.is_some(),
            Less | LessEqual | Greater | GreaterEqual => reprs.0 == reprs.1 && self.is_ordered(reprs.0),
            Add | Subtract | Multiply | Divide | Remainder => {
                match (self.layouts.get(reprs.0), self.layouts.get(reprs.1)) {
                    (Repr::Int, Repr::Int) | (Repr::Float, Repr::Float) => true,
                    (Repr::Duration, Repr::Duration) | (Repr::Time, Repr::Duration) => {
                        matches!(op, Add | Subtract)
                    }
                    (Repr::Time, Repr::Time) => op == Subtract,
                    (Repr::Duration, Repr::Int) | (Repr::Amount, Repr::Int) => {
                        matches!(op, Multiply | Divide)
                    }
                    (Repr::Int, Repr::Duration) | (Repr::Int, Repr::Amount) => op == Multiply,
                    (Repr::Text, Repr::Text) => op == Add,
                    // Of two currencies one is converted, which is nothing for a loop.
                    _ => false,
                }
            }
        };
        Ok(if native { Way::Native } else { Way::Operands })
    }

    /// Whether native code compares two values of `repr` by `<`.
    pub(crate) fn is_ordered(&self, repr: ReprId) -> bool {
        matches!(self.layouts.get(repr), Repr::Int | Repr::Float | Repr::Text | Repr::Time | Repr::Duration)
    }

    /// The representation in which native code compares both sides of an `==`.
    pub(crate) fn common(&self, left: ExprId, right: ExprId) -> Result<Option<ReprId>, Refused> {
        let (l, r) = (self.repr(left)?, self.repr(right)?);
        let wraps = |whole: ReprId, part: ReprId| self.layouts.present(whole) == Some(part);
        Ok(match () {
            () if l == ReprId::OPAQUE || r == ReprId::OPAQUE => None,
            () if l == r || wraps(l, r) => Some(l),
            () if wraps(r, l) => Some(r),
            () if self.layouts.present(l).is_some() && self.is_null(right) => Some(l),
            () if self.layouts.present(r).is_some() && self.is_null(left) => Some(r),
            () => None,
        })
    }

    /// Whether the expression is the literal `null`, whose type is any optional.
    pub(crate) fn is_null(&self, id: ExprId) -> bool {
        matches!(self.body.exprs.get(id), Some(Expr::Const(Value::Null)))
    }

    /// Whether the pattern can be tested on values of `repr` without the interpreter.
    fn pattern_fits(&self, pattern: &Pattern, repr: ReprId) -> bool {
        match (pattern, self.layouts.get(repr)) {
            (Pattern::Any | Pattern::Bind(_), _) => true,
            (Pattern::Present(inner), Repr::Optional(present)) => self.pattern_fits(inner, *present),
            (Pattern::Present(inner), _) => self.pattern_fits(inner, repr),
            (Pattern::Literal(Value::Null), Repr::Optional(_) | Repr::Opaque) => true,
            (Pattern::Literal(_), Repr::Optional(present)) => self.pattern_fits(pattern, *present),
            (Pattern::Literal(literal), of) => matches!(
                (literal, of),
                (Value::Bool(_), Repr::Bool)
                    | (Value::Int(_), Repr::Int)
                    | (Value::Float(_), Repr::Float)
                    | (Value::String(_), Repr::Text)
                    | (Value::Time(_), Repr::Time)
                    | (Value::Duration(_), Repr::Duration)
            ),
            (Pattern::Variant(..), Repr::Optional(present)) => self.pattern_fits(pattern, *present),
            (Pattern::Variant(place, inner), Repr::Variants(payloads)) => {
                match (inner, payloads.get(*place as usize)) {
                    (None, Some(_)) => true,
                    (Some(inner), Some(Some(payload))) => self.pattern_fits(inner, *payload),
                    _ => false,
                }
            }
            (Pattern::Variant(..), _) => false,
        }
    }
}
