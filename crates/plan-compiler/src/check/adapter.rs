//! Adapters: from the parameters of a capability to an operation's input, and from its answer back.

use plan_lang::ast::{self, AdapterMember, ExprKind as Ast};
use plan_lang::{Diagnostic, Span};
use schema::types::Type;

use super::Checker;
use super::scope::{Body, Place};
use crate::codes;
use crate::hir::{AdapterBody, Expr, VarId};

impl<'a> Checker<'a, '_> {
    /// The adapter at `at`.
    pub(super) fn adapter(&mut self, at: usize) -> AdapterBody {
        let program = self.program;
        let adapter = program.adapters.get(at);
        let ends = adapter.and_then(|adapter| {
            Some((
                adapter,
                program.capabilities.get(adapter.capability)?,
                program.operations.get(adapter.operation)?,
            ))
        });
        let Some((adapter, capability, operation)) = ends else { return AdapterBody::default() };
        self.body = Body::new(adapter.module, adapter.source);
        self.body.place = Place::Pure("an adapter");
        self.body.generic = capability.output.is_none();
        let errors = self.sink.errors();
        let params = self.bind_params(&capability.params);
        let members = self.members(adapter.decl);
        let input = Type::Named(operation.input);
        let request = match members.request {
            Some(member) => self.check(&member.value, &input, &"the request"),
            None => Expr::error(adapter.decl.span),
        };
        let (answer, response) = match members.response {
            Some(member) => self.response(&member.value, &operation.output, capability.output.as_ref()),
            None => (VarId(0), Expr::error(adapter.decl.span)),
        };
        self.lint_unused(errors);
        AdapterBody { params, answer, request, response }
    }

    fn members(&mut self, decl: &'a ast::Adapter) -> Members<'a> {
        let mut members = Members::default();
        let mut open = vec!["request", "response"];
        open.retain(|name| decl.members.iter().all(|member| member.name.name != **name));
        for member in decl.members.iter().filter(|member| !member.name.is_missing()) {
            let slot = match member.name.name.as_str() {
                "request" => &mut members.request,
                "response" => &mut members.response,
                name => {
                    let report =
                        Diagnostic::error(codes::BAD_ADAPTER, format!("an adapter has no member `{name}`"))
                            .primary(member.name.span, "unknown member");
                    let report = self.sink.did_you_mean(report, name, member.name.span, open.iter().copied());
                    self.report(report);
                    continue;
                }
            };
            if let Some(first) = slot {
                let report =
                    Diagnostic::error(codes::BAD_ADAPTER, format!("`{}` is there twice", member.name.name));
                let first = first.name.span;
                self.report(report.primary(member.name.span, "again").secondary(first, "first here"));
                continue;
            }
            *slot = Some(member);
        }
        for (name, found, right) in [
            ("request", members.request.is_some(), "request = { query }"),
            ("response", members.response.is_some(), "response = r => r.data"),
        ] {
            if !found {
                let report =
                    Diagnostic::error(codes::BAD_ADAPTER, format!("this adapter lacks its `{name}`"));
                self.report(report.primary(decl.operation.span, "incomplete").help(format!("add `{right}`")));
            }
        }
        members
    }

    /// The variable of the answer, and what the capability gets of it.
    fn response(&mut self, value: &'a ast::Expr, answer: &Type, output: Option<&Type>) -> (VarId, Expr) {
        let Some(output) = output else { return self.generic_response(value, answer) };
        match self.lambda(value, answer, Some(output), &"`response`") {
            Some(lambda) => (lambda.params.first().copied().unwrap_or(VarId(0)), *lambda.body),
            None => (VarId(0), Expr::error(value.span)),
        }
    }

    /// A response that is decoded into whatever the caller wants: text, or JSON.
    fn generic_response(&mut self, value: &'a ast::Expr, answer: &Type) -> (VarId, Expr) {
        let Some(lambda) = self.lambda(value, answer, None, &"`response`") else {
            return (VarId(0), Expr::error(value.span));
        };
        let var = lambda.params.first().copied().unwrap_or(VarId(0));
        let body = *lambda.body;
        let inner = match &body.ty {
            Type::Optional(inner) => inner,
            other => other,
        };
        if matches!(inner, Type::String(_) | Type::Json | Type::Error) {
            return (var, body);
        }
        let shown = self.show(&body.ty);
        let at = match &value.kind {
            Ast::Lambda { body, .. } => body.span,
            _ => Span::default(),
        };
        let report = Diagnostic::error(
            codes::MISMATCH,
            format!("the response of a capability `-> _` must be `String` or `Json`, not `{shown}`"),
        )
        .primary(at, format!("this is `{shown}`"))
        .note("it is decoded into the type that the caller wants");
        (var, self.fail(body.span, report))
    }
}

#[derive(Default)]
struct Members<'a> {
    request: Option<&'a AdapterMember>,
    response: Option<&'a AdapterMember>,
}
