//! Expressions. What takes a node on the way gets one, and the expression reads it.

use plan_ir::expr::{Arm, BinaryOp, Expr, ExprId, Lambda, LocalId, Pattern, Widening};
use plan_ir::plan::SourceSpan;
use plan_lang::Span;
use schema::types::Type;
use schema::value::Value;

use super::Lowerer;
use super::fragment::Operand;
use crate::hir::{self, Effect, ExprKind};

impl Lowerer<'_, '_> {
    /// Adds `expr` to the current fragment.
    pub(super) fn emit(&mut self, expr: &hir::Expr) -> ExprId {
        if self.takes_node(expr) {
            let node = self.effect_node(expr, None);
            return self.read_operand(&Operand::Node(node), &expr.ty, expr.span);
        }
        let (ty, span) = (&expr.ty, expr.span);
        match &expr.kind {
            ExprKind::Var(var) => self.read(*var, ty, span),
            ExprKind::Const(value) => self.push(Expr::Const(value.clone()), ty, span),
            ExprKind::Widen(inner, Widening::Identity) => self.emit(inner),
            ExprKind::If(node) => self.emit_if(node, ty, span),
            ExprKind::Match(node) => self.emit_match(node, ty, span),
            ExprKind::Block(block) => self.emit_block(block),
            ExprKind::Builtin { op, args, lambda } => self.emit_builtin(*op, args, lambda.as_ref(), ty, span),
            ExprKind::Apply(function, args) => {
                let args = self.emit_all(args);
                let function = self.function_id(*function);
                self.push(Expr::Apply(function, args), ty, span)
            }
            ExprKind::WantedSchema => {
                let schema = self.wanted_schema();
                self.push(Expr::Const(Value::Json(schema)), &Type::Json, span)
            }
            _ => self.emit_plain(expr),
        }
    }

    /// Expressions that only have operands.
    fn emit_plain(&mut self, expr: &hir::Expr) -> ExprId {
        let lowered = match &expr.kind {
            ExprKind::Field { record, index, optional } => {
                Expr::Field { record: self.emit(record), index: *index, optional: *optional }
            }
            ExprKind::Index { list, index } => {
                let list = self.emit(list);
                Expr::Index { list, index: self.emit(index) }
            }
            ExprKind::Unary(op, operand) => Expr::Unary(*op, self.emit(operand)),
            ExprKind::Binary(op, left, right) => {
                let left = self.emit(left);
                Expr::Binary(*op, left, self.emit(right))
            }
            ExprKind::Record(def, fields) => {
                let fields = self.emit_all(fields);
                Expr::Record(self.types.def(*def), fields)
            }
            ExprKind::List(items) => Expr::List(self.emit_all(items)),
            ExprKind::Map(entries) => Expr::Map(
                entries
                    .iter()
                    .map(|(key, value)| {
                        let key = self.emit(key);
                        (key, self.emit(value))
                    })
                    .collect(),
            ),
            ExprKind::Variant(place, payload) => {
                let payload = payload.as_ref().map(|payload| self.emit(payload));
                Expr::Variant(*place, payload)
            }
            ExprKind::Template(parts) => Expr::Template(self.emit_all(parts)),
            ExprKind::Cast(inner) => Expr::Cast(self.emit(inner)),
            ExprKind::Widen(inner, widening) => Expr::Widen(self.emit(inner), *widening),
            // INVARIANT: the others are handled before, or reported by the checker.
            _ => Expr::Const(Value::Null),
        };
        let ty = if matches!(lowered, Expr::Const(_)) { Type::Bool.optional() } else { expr.ty.clone() };
        self.push(lowered, &ty, expr.span)
    }

    fn emit_all(&mut self, exprs: &[hir::Expr]) -> Vec<ExprId> {
        exprs.iter().map(|expr| self.emit(expr)).collect()
    }

    /// Whether the expression itself is a node, not just something in it.
    pub(super) fn takes_node(&self, expr: &hir::Expr) -> bool {
        match &expr.kind {
            ExprKind::Call(_) | ExprKind::Run(_) | ExprKind::For(_) | ExprKind::Spent => true,
            ExprKind::If(node) => {
                let later = node.branches.iter().skip(1).any(|(cond, _)| cond.effect > Effect::Pure);
                let values = node.branches.iter().map(|(_, value)| value).chain(&node.otherwise);
                later || values.into_iter().any(|value| value.effect > Effect::Pure)
            }
            ExprKind::Match(node) => node.arms.iter().any(|(_, body)| body.effect > Effect::Pure),
            ExprKind::Binary(BinaryOp::And | BinaryOp::Or | BinaryOp::Coalesce, _, right) => {
                right.effect > Effect::Pure
            }
            ExprKind::Block(_) => expr.effect > Effect::Pure,
            ExprKind::Widen(inner, Widening::Identity) => self.takes_node(inner),
            _ => false,
        }
    }

    /// A chain of `else if` is as long as the file allows, so it is built from its end without nesting.
    fn emit_if(&mut self, node: &hir::If, ty: &Type, span: Span) -> ExprId {
        let mut parts = Vec::new();
        for (cond, value) in &node.branches {
            let cond = self.emit(cond);
            parts.push((cond, self.emit(value)));
        }
        let mut last = match &node.otherwise {
            Some(value) => self.emit(value),
            None => self.push(Expr::Const(Value::Null), &Type::Bool.optional(), span),
        };
        for (condition, then) in parts.into_iter().rev() {
            last = self.push(Expr::If { condition, then, otherwise: last }, ty, span);
        }
        last
    }

    fn emit_match(&mut self, node: &hir::Match, ty: &Type, span: Span) -> ExprId {
        let scrutinee = self.emit(&node.value);
        let mut arms = Vec::new();
        for (pattern, body) in &node.arms {
            let pattern = self.local_pattern(pattern);
            arms.push(Arm { pattern, body: self.emit(body) });
        }
        self.push(Expr::Match { scrutinee, arms }, ty, span)
    }

    /// A pattern whose names become locals.
    fn local_pattern(&mut self, pattern: &hir::Pattern) -> Pattern {
        match pattern {
            hir::Pattern::Any => Pattern::Any,
            hir::Pattern::Bind(var) => {
                let local = self.local();
                self.bind(*var, Operand::Local(local), Type::Error);
                Pattern::Bind(local)
            }
            hir::Pattern::Literal(value) => Pattern::Literal(value.clone()),
            hir::Pattern::Variant(place, inner) => {
                let inner = inner.as_ref().map(|inner| Box::new(self.local_pattern(inner)));
                Pattern::Variant(*place, inner)
            }
            hir::Pattern::Present(inner) => Pattern::Present(Box::new(self.local_pattern(inner))),
        }
    }

    /// A pure block: nested `let`s, built from the end without nesting.
    fn emit_block(&mut self, block: &hir::Block) -> ExprId {
        let mut lets = Vec::new();
        for stmt in &block.stmts {
            match stmt {
                hir::Stmt::Kept(placed) => {
                    self.at_its_place(placed, |this| this.emit_let(placed.stmt(), &mut lets));
                }
                _ => self.emit_let(stmt, &mut lets),
            }
        }
        let Some(value) = &block.value else {
            return self.push(Expr::Const(Value::Null), &Type::Bool.optional(), block.span);
        };
        let mut body = self.emit(value);
        for (local, bound, place) in lets.into_iter().rev() {
            body = self.push_at(Expr::Let { local, value: bound, body }, &value.ty, place);
        }
        body
    }

    /// A `let` of a pure block: its local, its value and where that stands.
    fn emit_let(&mut self, stmt: &hir::Stmt, lets: &mut Vec<(LocalId, ExprId, SourceSpan)>) {
        if let hir::Stmt::Let { var, value } = stmt {
            let (place, ty) = (self.place(value.span), value.ty.clone());
            let value = self.emit(value);
            let local = self.local();
            self.bind(*var, Operand::Local(local), ty);
            lets.push((local, value, place));
        }
    }

    fn emit_builtin(
        &mut self,
        op: plan_ir::builtin::Builtin,
        args: &[hir::Expr],
        lambda: Option<&hir::Lambda>,
        ty: &Type,
        span: Span,
    ) -> ExprId {
        let args = self.emit_all(args);
        let lambda = lambda.map(|lambda| {
            let params = lambda.params.iter().map(|var| {
                let local = self.local();
                self.bind(*var, Operand::Local(local), Type::Error);
                local
            });
            let params = params.collect();
            Lambda { params, body: self.emit(&lambda.body) }
        });
        self.push(Expr::Builtin { op, args, lambda }, ty, span)
    }
}
