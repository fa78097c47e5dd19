//! One expression: what kind it is and who checks that kind.

use std::fmt::Display;

use plan_ir::builtin::Builtin;
use plan_ir::builtin::elsewhere::{instead_of, names_here};
use plan_lang::ast::{self, ExprKind as Ast};
use plan_lang::{Diagnostic, Fix, Span};
use schema::types::Type;

use super::Checker;
use super::method::{snake_case, written};
use super::scope::Place;
use crate::codes;
use crate::hir::{Expr, ExprKind};

impl<'a> Checker<'a, '_> {
    /// The expression with its type. `want` is the type that its place wants, if there is one: literals,
    /// anonymous records and branches follow it. The caller converts.
    pub(super) fn infer(&mut self, expr: &'a ast::Expr, want: Option<&Type>) -> Expr {
        let span = expr.span;
        match &expr.kind {
            Ast::Error => Expr::error(span),
            Ast::Literal(literal) => self.literal(literal, span, want),
            Ast::Template(template) => self.template(template, span, want),
            Ast::Name(name) => self.name(name),
            Ast::Variant { of, variant, payload } => {
                self.variant(of.as_ref(), variant, payload.as_deref(), span, want)
            }
            Ast::List(items) => self.list(items, span, want),
            Ast::Record { name, fields } => self.record(name, fields, span, want),
            Ast::Anonymous(fields) => self.anonymous(fields, span, want),
            Ast::Block(block) => self.block_value(block, want),
            Ast::Call(call) => self.call(call, want),
            Ast::Run(run) => self.run_plan(run),
            Ast::Try(inner) => self.try_to(inner, span),
            Ast::For(node) => self.for_loop(node, span),
            Ast::If(node) => self.if_value(node, span, want),
            Ast::Match(node) => self.match_value(node, span, want),
            Ast::Lambda { .. } => self.fail(
                span,
                Diagnostic::error(codes::LAMBDA_MISUSE, "a lambda is no value")
                    .primary(span, "not here")
                    .note("lambdas are arguments of methods such as `map`, of `accept` and of adapters"),
            ),
            Ast::Unary { op, operand, .. } => self.unary(*op, operand, span, want),
            Ast::Binary { op, op_span, left, right } => self.binary(*op, *op_span, left, right, span, want),
            Ast::Apply { function, args } => self.apply(function, args, span),
            Ast::Method { receiver, method, args, optional } => {
                self.method(receiver, method, args, *optional, span)
            }
            Ast::Field { base, field, optional } => self.field(base, field, *optional, span),
            Ast::Index { base, index } => self.index(base, index, span),
            Ast::Cast { value, ty } => self.cast(value, ty, span),
            Ast::Decode { value, ty, optional } => self.decode_list(value, ty, *optional, span),
        }
    }

    /// The expression as a `target`. `what` names its place in messages: "the argument `query`".
    pub(super) fn check(&mut self, expr: &'a ast::Expr, target: &Type, what: &dyn Display) -> Expr {
        let found = self.infer(expr, Some(target));
        self.coerce(found, target, what)
    }

    /// Looks at an expression whose place is not known, for its own mistakes: what hangs on the place was reported with
    /// it. A lambda has no parameter types there.
    pub(super) fn look_at(&mut self, expr: &'a ast::Expr) {
        if !matches!(expr.kind, Ast::Lambda { .. }) {
            self.infer(expr, Some(&Type::Error));
        }
    }

    /// [`Self::look_at`] of arguments.
    pub(super) fn look_at_all(&mut self, args: &'a [ast::Arg]) {
        args.iter().for_each(|arg| self.look_at(&arg.value));
    }

    fn name(&mut self, name: &ast::Ident) -> Expr {
        if name.is_missing() {
            return Expr::error(name.span);
        }
        if let Some(id) = self.body.lookup(&name.name) {
            self.body.mark_used(id);
            let ty = self.body.var(id).map_or(Type::Error, |var| var.ty.clone());
            return Expr::new(ExprKind::Var(id), ty, name.span);
        }
        let report = self.unknown_name(name);
        self.fail(name.span, report)
    }

    fn unknown_name(&self, name: &ast::Ident) -> Diagnostic {
        let text = name.name.as_str();
        let report = Diagnostic::error(codes::UNKNOWN_NAME, format!("there is no value `{text}`"))
            .primary(name.span, "unknown name");
        if let Some(module) = self.module() {
            if module.targets.contains_key(text) {
                return report.help(self.way_to_call(text));
            }
            if module.plans.contains_key(text) {
                return report.help(format!("`{text}` is a plan: `run {text}(..)`"));
            }
            if module.functions.contains_key(text) {
                return report.help(format!("`{text}` is a function: `{text}(..)`"));
            }
            if module.policies.contains_key(text) {
                return report.help(format!("`{text}` is a policy: `with {text}`"));
            }
        }
        match text {
            "nil" | "undefined" | "none" => report.help("what is not there is `null`"),
            "calls" if self.body.calls.is_some() => report.help("write `calls(operation)`"),
            "calls" | "cost" | "elapsed" => of_tests(report, text),
            _ => {
                let report = self.sink.did_you_mean(report, text, name.span, self.body.visible());
                match self.upper_case_of(text).filter(|_| report.fix.is_none()) {
                    Some(meant) => report.meant(&meant, name.span),
                    None => report,
                }
            }
        }
    }

    /// `f(x)`.
    fn apply(&mut self, function: &'a ast::Ident, args: &'a [ast::Arg], span: Span) -> Expr {
        if function.is_missing() {
            return Expr::error(span);
        }
        let found = self.module().and_then(|module| module.functions.get(function.name.as_str())).copied();
        if let Some(index) = found {
            return self.apply_fn(index, function, args, span);
        }
        match function.name.as_str() {
            "wanted_schema" if self.body.generic => {
                self.no_arguments(function, args);
                return Expr::new(ExprKind::WantedSchema, Type::Json, span);
            }
            "calls" if self.body.calls.is_some() => return self.calls_of(args, span),
            "spent" => {
                self.no_arguments(function, args);
                return self.spent(span);
            }
            _ => {}
        }
        // Their own mistakes still count.
        self.look_at_all(args);
        let report = match self.body.lookup(&function.name) {
            Some(id) => {
                self.body.mark_used(id);
                value_called(function, args, span)
            }
            None => self.unknown_function(function),
        };
        self.fail(span, report)
    }

    /// How what an operation or capability gives is got where the body is.
    pub(super) fn way_to_call(&self, name: &str) -> String {
        match self.body.calls {
            Some(_) => {
                format!("a test calls nothing: mock it, `mock {name} => ..`, and run a plan that calls it")
            }
            None => format!("`{name}` is called: `call {name}(..)`"),
        }
    }

    fn unknown_function(&self, function: &ast::Ident) -> Diagnostic {
        let name = function.name.as_str();
        let report = Diagnostic::error(codes::UNKNOWN_FUNCTION, format!("there is no function `{name}`"))
            .primary(function.span, "unknown function");
        let Some(module) = self.module() else { return report };
        let with_word = |report: Diagnostic, word: &str| match self.body.place {
            Place::Plan => report
                .fix(Fix::maybe(format!("write `{word}`")).insert(function.span.start, format!("{word} "))),
            Place::Pure(_) => report,
        };
        if module.targets.contains_key(name) {
            return with_word(report.help(self.way_to_call(name)), "call");
        }
        if module.plans.contains_key(name) {
            return with_word(report.help(format!("`{name}` is a plan: `run {name}(..)`")), "run");
        }
        match name {
            "calls" | "cost" | "elapsed" => of_tests(report, name),
            "wanted_schema" => {
                report.note("`wanted_schema()` has a meaning in adapters of a capability `-> _` only")
            }
            _ if let Some(op) = Builtin::named(name).next() => {
                report.help(format!("`{name}` is a method: `x{}`", written(op)))
            }
            "print" | "println" | "log" => {
                report.help("a plan prints nothing: what it computes is its result")
            }
            "int" | "float" => report.help(format!("write `x.to_{name}()`")),
            "now" | "today" | "time" => report.help(
                "a plan has no clock, so that it can be replayed: make the moment a parameter, `now: Time`",
            ),
            "random" | "rand" | "uuid" => {
                report.help("nothing is random in a plan, so that it can be replayed: make it a parameter")
            }
            "sleep" | "wait" | "delay" => report
                .help("nothing waits in a plan: `retry: { backoff: 1s }` waits before a call is made again"),
            "range" => report.help("whole numbers in a row are written `1.to(9)`"),
            "assertEq" | "assert_eq" | "assertEquals" | "assert_equal" | "assert_equals" => {
                report.help("what has to hold is written `assert a == b`")
            }
            _ if let Some(help) = instead_of(name) => report.help(help),
            _ => {
                let report = self.sink.did_you_mean(
                    report,
                    name,
                    function.span,
                    module.functions.all().keys().copied(),
                );
                let method =
                    names_here(&snake_case(name)).next().and_then(|name| Builtin::named(name).next());
                match method.filter(|_| report.help.is_none()) {
                    Some(op) => report.help(format!("write the method: `x{}`", written(op))),
                    None => report,
                }
            }
        }
    }

    fn no_arguments(&mut self, function: &ast::Ident, args: &[ast::Arg]) {
        if let Some(first) = args.first() {
            self.report(
                Diagnostic::error(codes::ARGUMENT_COUNT, format!("`{}` takes no arguments", function.name))
                    .primary(first.span, "not expected"),
            );
        }
    }

    /// Whether calls and runs may stand here; reports where not.
    pub(super) fn may_call(&mut self, what: &str, span: Span) -> bool {
        let Place::Pure(place) = self.body.place else { return true };
        let report = match self.body.place {
            Place::TEST => {
                let message = format!("{what} stands in a test alone or behind `let x =`");
                Diagnostic::error(codes::EFFECT_IN_PURE, message)
                    .primary(span, "inside an expression")
                    .help("bind it by `let` in the test before")
            }
            _ => Diagnostic::error(codes::EFFECT_IN_PURE, format!("{what} cannot stand in {place}"))
                .primary(span, "not here")
                .note("money and time are spent only where a plan can be seen to do so")
                .help("bind it by `let` in the plan before; loop over calls by `for`"),
        };
        self.report(report);
        false
    }
}

/// `x()`, where `x` is a value.
fn value_called(name: &ast::Ident, args: &[ast::Arg], span: Span) -> Diagnostic {
    let report =
        Diagnostic::error(codes::UNKNOWN_FUNCTION, format!("`{}` is a value, not a function", name.name))
            .primary(name.span, "not called");
    if !args.is_empty() {
        return report;
    }
    let behind = Span::new(name.span.end, span.end);
    report.help(format!("write `{}`", name.name)).fix(Fix::maybe("remove the parentheses").delete(behind))
}

fn of_tests(report: Diagnostic, name: &str) -> Diagnostic {
    report.note(format!("`{name}` has a meaning in tests only"))
}
