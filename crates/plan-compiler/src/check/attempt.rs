//! `try`: failures as values.

use plan_ir::plan::{OnError, Tolerance};
use plan_lang::{Diagnostic, Fix, Span, ast};
use schema::types::{IntRange, LengthRange, Type};
use schema::value::Value;

use super::Checker;
use super::scope::Place;
use crate::codes;
use crate::hir::{Expr, ExprKind, For, Match, Pattern};
use crate::prelude::{self, PLAN_ERROR};

impl<'a> Checker<'a, '_> {
    /// `try call ..` or `try run ..`.
    pub(super) fn try_to(&mut self, inner: &'a ast::Expr, span: Span) -> Expr {
        if self.body.place == Place::TEST && matches!(inner.kind, ast::ExprKind::Run(_)) {
            let report = self.try_in_test(inner, span);
            let report =
                report.help("bind it by `let` before, without `try`, or write `expect fails run ..`");
            return self.fail(span, report);
        }
        let value = self.infer(inner, None);
        match value.kind {
            ExprKind::Call(call) => self.caught(*call, span),
            ExprKind::Run(_) => self.try_run(value, span),
            _ => Expr::error(span),
        }
    }

    /// What is wrong with `try run ..` as a step of a test or the value of a `let` there; `None` if `value` is none.
    pub(super) fn step_tried(&mut self, value: &'a ast::Expr) -> Option<Diagnostic> {
        let ast::ExprKind::Try(inner) = &value.kind else { return None };
        let ast::ExprKind::Run(run) = &inner.kind else { return None };
        let report = self.try_in_test(inner, value.span);
        let report = report.help("run it without `try`, or write `expect fails run ..`");
        let is_in_brackets = value.span.end != run.span.end;
        Some(match is_in_brackets {
            true => report,
            false => {
                let word = Span::new(value.span.start, run.span.start);
                report.fix(Fix::maybe("run it without `try`").delete(word))
            }
        })
    }

    fn try_in_test(&mut self, run: &'a ast::Expr, span: Span) -> Diagnostic {
        self.in_place(Place::Plan, |this| this.infer(run, None));
        Diagnostic::error(codes::EFFECT_IN_PURE, "`try` cannot stand in a test")
            .primary(Span::new(span.start, run.span.end), "not here")
            .note("a run that fails makes the test fail, unless the test expects it to")
    }

    /// A loop over one element that keeps its failure, taken apart again: a sub-plan fails like the body of
    /// a loop does, as a whole.
    fn try_run(&mut self, run: Expr, span: Span) -> Expr {
        let one = Type::Int(IntRange { min: 0, max: 0 });
        let exactly_one = LengthRange::exactly(1);
        let output = run.ty.clone();
        let item_error = prelude::item_error(&mut self.types, one.clone());
        let list_ty = Type::List(Box::new(one.clone()), exactly_one);
        let list = Expr::constant(Value::list([Value::Int(0)]), list_ty, span);
        let item = self.body.anonymous(one.clone(), span);
        let tolerate = Tolerance::All;
        let on_error = OnError::Keep { item_error };
        let node = For { item, list, concurrency: None, tolerate, on_error, budget: None, body: run };
        let kept = Type::Result(Box::new(output.clone()), Box::new(Type::Named(item_error)));
        let kept_list = Type::List(Box::new(kept.clone()), exactly_one);
        let list = Expr::new(ExprKind::For(Box::new(node)), kept_list, span);
        let first = Expr::constant(Value::Int(0), one, span);
        let element = Expr::new(ExprKind::Index { list: Box::new(list), index: Box::new(first) }, kept, span);

        let error_ty = Type::Named(PLAN_ERROR);
        let result = Type::Result(Box::new(output.clone()), Box::new(error_ty.clone()));
        let ok = self.body.anonymous(output.clone(), span);
        let err = self.body.anonymous(Type::Named(item_error), span);
        let read = |var, ty: &Type| Expr::new(ExprKind::Var(var), ty.clone(), span);
        // `error` is the third field of an `ItemError`.
        let record = Box::new(read(err, &Type::Named(item_error)));
        let error = Expr::new(ExprKind::Field { record, index: 2, optional: false }, error_ty, span);
        let variant = |place, payload| {
            Expr::new(ExprKind::Variant(place, Some(Box::new(payload))), result.clone(), span)
        };
        let bound = |place, var| Pattern::Variant(place, Some(Box::new(Pattern::Bind(var))));
        let arms = vec![(bound(0, ok), variant(0, read(ok, &output))), (bound(1, err), variant(1, error))];
        Expr::new(ExprKind::Match(Box::new(Match { value: element, arms })), result.clone(), span)
    }
}
