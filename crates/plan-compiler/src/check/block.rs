//! Blocks and statements.

use plan_lang::ast::{self, ExprKind as Ast, Stmt as AstStmt};
use plan_lang::{Diagnostic, Span};
use schema::operation::OperationDescriptor;
use schema::price::PriceRule;
use schema::types::Type;

use super::Checker;
use super::scope::Place;
use crate::codes;
use crate::hir::{Block, Effect, Expr, ExprKind, Stmt, Target};

impl<'a> Checker<'a, '_> {
    /// A block whose value is used.
    pub(super) fn block_value(&mut self, block: &'a ast::Block, want: Option<&Type>) -> Expr {
        self.scoped(|this| {
            let Some(value) = &block.value else {
                if let Some((node, span, before)) = half_an_if(block) {
                    this.statements(before);
                    let report = this.if_of_no_value(node, span, want);
                    return this.fail(block.span, report);
                }
                this.statements(&block.stmts);
                let end = Span::new(block.span.end.saturating_sub(1).max(block.span.start), block.span.end);
                let report = Diagnostic::error(codes::NO_VALUE, "this block has no value")
                    .primary(end, "expected a value before this brace")
                    .help("end it with an expression, or with `return`");
                return this.fail(block.span, report);
            };
            let stmts = this.statements(&block.stmts);
            let value = this.in_tail(true, |this| this.infer(value, want));
            this.check_spent(&value);
            let (ty, span) = (value.ty.clone(), block.span);
            if stmts.is_empty() {
                return value;
            }
            Expr::new(ExprKind::Block(Box::new(Block { stmts, value: Some(value), span })), ty, span)
        })
    }

    /// A block that only does something; a value at its end is not used.
    pub(super) fn block_effect(&mut self, block: &'a ast::Block) -> Expr {
        self.scoped(|this| {
            let mut stmts = this.statements(&block.stmts);
            if let Some(value) = &block.value {
                stmts.extend(this.expression(value));
            }
            let span = block.span;
            Expr::new(ExprKind::Block(Box::new(Block { stmts, value: None, span })), Type::Error, span)
        })
    }

    fn statements(&mut self, stmts: &'a [AstStmt]) -> Vec<Stmt> {
        // Of what stands before them, such as parameters.
        self.refuse_oversized();
        // The statements of blocks within are parts of these.
        let mut keeping = self.keeping.take();
        let checked = self.in_tail(false, |this| {
            let mut checked = Vec::with_capacity(stmts.len());
            checked.extend(stmts.iter().filter_map(|stmt| match &mut keeping {
                Some(keeping) => this.known_statement(stmt, keeping),
                None => this.statement(stmt),
            }));
            checked
        });
        if let Some(keeping) = keeping {
            self.kept = keeping.made;
        }
        checked
    }

    pub(super) fn statement(&mut self, stmt: &'a AstStmt) -> Option<Stmt> {
        let checked = match stmt {
            AstStmt::Let(stmt) => Some(self.let_statement(stmt)),
            AstStmt::Ensure(stmt) => self.ensure(stmt),
            AstStmt::Expr(expr) => self.expression(expr),
        };
        self.refuse_oversized();
        checked
    }

    fn let_statement(&mut self, stmt: &'a ast::Let) -> Stmt {
        let (value, ty) = match &stmt.ty {
            Some(ty) => {
                let ty = self.ty(ty);
                let what = format_args!("the value of `{}`", stmt.name.name);
                (self.check(&stmt.value, &ty, &what), ty)
            }
            None => {
                let value = self.infer(&stmt.value, None);
                let value = self.determined(value);
                let ty = value.ty.clone();
                (value, ty)
            }
        };
        self.refuse_rebinding(&stmt.name);
        let pure = value.effect == Effect::Pure;
        let var = self.body.bind(&stmt.name, ty);
        if !value.is_error() && (pure || self.is_paid_answer(&value)) {
            self.body.watch(var);
        }
        Stmt::Let { var, value }
    }

    fn ensure(&mut self, stmt: &'a ast::Ensure) -> Option<Stmt> {
        if let Place::Pure(place) = self.body.place {
            let word = Span::new(stmt.span.start, stmt.span.start.saturating_add(6).min(stmt.span.end));
            self.report(
                Diagnostic::error(codes::EFFECT_IN_PURE, format!("`ensure` cannot stand in {place}"))
                    .primary(word, "not here")
                    .help("pure code has a value for everything: give one, or check in the plan"),
            );
        }
        let cond = self.check(&stmt.cond, &Type::Bool, &"the condition of `ensure`");
        let message = self.in_place(Place::Pure("the message of `ensure`"), |this| {
            this.template(&stmt.message, stmt.message.span, None)
        });
        Some(Stmt::Ensure { cond, message, span: stmt.span })
    }

    /// `spent()`: what the calls of the block around have cost. Allowed where all of them are done.
    pub(super) fn spent(&mut self, span: Span) -> Expr {
        let place = match self.body.place {
            Place::Pure(place) => place,
            Place::Plan if self.body.tail => return Expr::new(ExprKind::Spent, Type::Amount, span),
            Place::Plan => "a statement",
        };
        let report = Diagnostic::error(codes::SPENT_MISPLACED, format!("`spent()` cannot stand in {place}"))
            .primary(span, "not here")
            .note("it is what all calls of a block have cost, so it stands in the block's last expression")
            .help("use it in the value of the block: `return Report { .., spent: spent() }`");
        self.fail(span, report)
    }

    fn check_spent(&mut self, value: &Expr) {
        if value.effect == Effect::Call && value.uses_spent() {
            self.report(
                Diagnostic::error(
                    codes::SPENT_MISPLACED,
                    "a call stands in the same expression as `spent()`",
                )
                .primary(value.span, "its cost is not known while this is computed")
                .help("bind the answer by `let` before"),
            );
        }
    }

    /// An expression whose value is not used.
    fn expression(&mut self, expr: &'a ast::Expr) -> Option<Stmt> {
        let value = match &expr.kind {
            Ast::If(node) => self.if_statement(node, expr.span),
            _ => self.infer(expr, None),
        };
        if matches!(value.kind, ExprKind::Error) {
            return None;
        }
        if value.effect == Effect::Pure {
            self.report(
                Diagnostic::warning(codes::UNUSED_VALUE, "the value of this statement is not used")
                    .primary(expr.span, "computed for nothing")
                    .help("bind it by `let`, or remove it"),
            );
            return None;
        }
        if self.is_paid_answer(&value) {
            self.report(
                Diagnostic::warning(codes::UNUSED_VALUE, "the answer of this call is paid for and not read")
                    .primary(expr.span, "nothing uses its answer")
                    .help("remove the call, or bind its answer by `let _answer = ..` if this is meant"),
            );
        }
        Some(Stmt::Expr(value))
    }

    /// Whether the value is the answer of a call that costs something and changes nothing, so that the answer is all
    /// that one gets for it.
    fn is_paid_answer(&self, value: &Expr) -> bool {
        let call = match &value.kind {
            ExprKind::Call(call) => call,
            ExprKind::Cast(inner) | ExprKind::Widen(inner, _) => return self.is_paid_answer(inner),
            _ => return false,
        };
        let operation = |at: usize| self.program.operations.get(at).map(|operation| operation.descriptor());
        let serving: Vec<&OperationDescriptor> = match call.target {
            Target::Operation(at) => operation(at).into_iter().collect(),
            Target::Capability(at) => {
                let of_it = self.program.adapters.iter().filter(|adapter| adapter.capability == at);
                of_it.filter_map(|adapter| operation(adapter.operation)).collect()
            }
        };
        serving.iter().all(|operation| operation.repeat.safe)
            && serving.iter().any(|operation| operation.price != PriceRule::Free)
    }
}

/// The `if` without `else` that ends a block whose value is used, where its branches have values; with its place
/// and what stands before it.
fn half_an_if(block: &ast::Block) -> Option<(&ast::If, Span, &[AstStmt])> {
    let (AstStmt::Expr(last), before) = block.stmts.split_last()? else { return None };
    let Ast::If(node) = &last.kind else { return None };
    let has_value = |block: &ast::Block| block.value.is_some() || half_an_if(block).is_some();
    let is_half = node.otherwise.is_none() && node.branches.iter().all(|branch| has_value(&branch.then));
    is_half.then_some((node, last.span, before))
}
