//! Lambdas: arguments of methods, `accept`, sides of adapters.

use std::fmt::Display;

use plan_lang::ast::{self, Binder, ExprKind as Ast};
use plan_lang::{Diagnostic, Span};
use schema::types::Type;

use super::Checker;
use super::scope::Place;
use crate::codes;
use crate::hir::Lambda;

impl<'a> Checker<'a, '_> {
    /// A lambda over one value of type `param`, whose own value is to be a `result` if that is given.
    /// `what` names its place: "`filter`".
    pub(super) fn lambda(
        &mut self,
        expr: &'a ast::Expr,
        param: &Type,
        result: Option<&Type>,
        what: &dyn Display,
    ) -> Option<Lambda> {
        let Ast::Lambda { params, body } = &expr.kind else {
            self.no_lambda(expr, what);
            return None;
        };
        let [binder] = params.as_slice() else {
            self.lambda_params(params, expr.span, what);
            return None;
        };
        Some(self.scoped(|this| {
            let var = this.body.bind_binder(binder, param.clone());
            let place = match this.body.place {
                Place::Plan => Place::Pure("a lambda"),
                other => other,
            };
            let body = this.in_place(place, |this| match result {
                Some(result) => this.check(body, result, &format_args!("the result of the lambda of {what}")),
                None => this.infer(body, None),
            });
            Lambda { params: vec![var], body: Box::new(body) }
        }))
    }

    fn no_lambda(&mut self, expr: &'a ast::Expr, what: &dyn Display) {
        let report = Diagnostic::error(codes::LAMBDA_MISUSE, format!("{what} takes a lambda"))
            .primary(expr.span, "no lambda");
        let report = match &expr.kind {
            Ast::Error => return,
            Ast::Name(name)
                if self.module().is_some_and(|m| m.functions.contains_key(name.name.as_str())) =>
            {
                report.help(format!("write `x => {}(x)`", name.name))
            }
            _ => report.help("write `x => ..`"),
        };
        self.report(report);
    }

    fn lambda_params(&mut self, params: &[Binder], span: Span, what: &dyn Display) {
        let at = params.get(1).map_or(span, Binder::span);
        let message = format!("the lambda of {what} takes 1 value, not {}", params.len());
        self.report(Diagnostic::error(codes::ARGUMENT_COUNT, message).primary(at, "write `x => ..`"));
    }
}
