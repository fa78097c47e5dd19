//! Fragments: pure expressions with the frame they are evaluated in, and what they read from outside.

use plan_ir::expr::{Expr, ExprId, Fragment, LocalId};
use plan_ir::graph::NodeId;
use plan_ir::interp::FRAME_LOCALS_MAX;
use plan_ir::plan::SourceSpan;
use plan_lang::Span;
use schema::types::Type;
use schema::value::Value;

use super::Lowerer;
use crate::hir;
use crate::relate::narrowed;

/// What a variable stands for.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    /// A parameter of the plan.
    Param(u32),
    Node(NodeId),
    /// The element of a fan-out.
    Item(NodeId),
    /// What the taken arm of a branch binds.
    Bound(NodeId, u32),
    /// A local of the current fragment.
    Local(LocalId),
    Const(Value),
}

/// A fragment that is being made.
#[derive(Debug, Default)]
pub(super) struct Frag {
    params: u32,
    locals: u32,
    reads: Vec<NodeId>,
    /// Whether it reads anything but parameters of the plan.
    outside: bool,
}

/// What a fragment reads.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// Each as often as it is read.
    pub(super) nodes: Vec<NodeId>,
    pub(super) outside: bool,
}

impl Lowerer<'_, '_> {
    /// A fragment of `params` arguments whose body `body` makes.
    pub(super) fn fragment(
        &mut self,
        params: u32,
        body: impl FnOnce(&mut Self) -> ExprId,
    ) -> (Fragment, Reads) {
        self.frags.push(Frag { params, locals: params, ..Frag::default() });
        let body = body(self);
        let frag = self.frags.pop().unwrap_or_default();
        let reads = Reads { nodes: frag.reads, outside: frag.outside };
        (Fragment { params: frag.params, frame: frag.locals, body }, reads)
    }

    /// A fragment without arguments.
    pub(super) fn closed(&mut self, expr: &hir::Expr) -> (Fragment, Reads) {
        self.fragment(0, |this| this.emit(expr))
    }

    /// A new local of the current fragment.
    pub(super) fn local(&mut self) -> LocalId {
        let Some(frag) = self.frags.last_mut() else { return LocalId(0) };
        let local = LocalId(frag.locals);
        frag.locals = frag.locals.saturating_add(1);
        self.crowded |= frag.locals > FRAME_LOCALS_MAX;
        local
    }

    /// Adds an expression.
    pub(super) fn push(&mut self, expr: Expr, ty: &Type, span: Span) -> ExprId {
        self.push_at(expr, ty, self.place(span))
    }

    /// Adds an expression whose place in the text at hand is known.
    pub(super) fn push_at(&mut self, expr: Expr, ty: &Type, place: SourceSpan) -> ExprId {
        let id = ExprId(u32::try_from(self.exprs.exprs.len()).unwrap_or(u32::MAX));
        let ty = self.types.map(ty);
        self.exprs.exprs.push(expr);
        self.exprs.types.push(ty);
        self.expr_spans.push(place);
        id
    }

    /// Reads a variable.
    pub(super) fn read(&mut self, var: hir::VarId, ty: &Type, span: Span) -> ExprId {
        let Some((operand, found)) = self.env.get(self.slot(var)).and_then(Option::as_ref) else {
            // INVARIANT: the checker binds every variable before it is read.
            return self.push(Expr::Const(Value::Null), &Type::Bool.optional(), span);
        };
        let (operand, ty) = (operand.clone(), narrowed(ty, found));
        self.read_operand(&operand, &ty, span)
    }

    /// Reads an operand.
    pub(super) fn read_operand(&mut self, operand: &Operand, ty: &Type, span: Span) -> ExprId {
        let expr = match operand {
            Operand::Param(index) => Expr::Param(*index),
            Operand::Local(local) => Expr::Local(*local),
            Operand::Const(value) => Expr::Const(value.clone()),
            Operand::Node(node) => {
                if let Some(frag) = self.frags.last_mut() {
                    frag.reads.push(*node);
                    frag.outside = true;
                }
                Expr::Node(*node)
            }
            Operand::Item(node) => {
                self.mark_outside();
                Expr::Item(*node)
            }
            Operand::Bound(node, index) => {
                self.mark_outside();
                Expr::Bound(*node, *index)
            }
        };
        self.push(expr, ty, span)
    }

    fn mark_outside(&mut self) {
        if let Some(frag) = self.frags.last_mut() {
            frag.outside = true;
        }
    }
}
