//! Messages about methods.

use plan_ir::builtin::elsewhere::{instead_of, names_here};
use plan_ir::builtin::{Builtin, Receiver};
use plan_lang::{Diagnostic, Span, ast};
use schema::types::{Type, TypeDef};

use super::names::{name_near, snake_case};
use crate::check::Checker;
use crate::codes;
use crate::hir::Expr;
use crate::relate::unrefined;
use crate::resolve::listed;

impl<'a> Checker<'a, '_> {
    pub(super) fn method_arguments(
        &mut self,
        op: Builtin,
        method: &ast::Ident,
        args: &'a [ast::Arg],
        span: Span,
    ) -> Expr {
        self.look_at_all(args);
        let signature = op.signature();
        let takes = signature.arguments.len() + usize::from(signature.lambda.is_some());
        let message = format!("`{}` takes {}, not {}", method.name, counted(takes), args.len());
        let report = Diagnostic::error(codes::ARGUMENT_COUNT, message)
            .primary(method.span, format!("write `{}`", written(op)))
            .note(format!("{} {}", signature.summary, example(op)));
        let has_lambda = args.iter().any(|arg| matches!(arg.value.kind, ast::ExprKind::Lambda { .. }));
        let by_key = by_key(&method.name).filter(|_| has_lambda && signature.lambda.is_none());
        self.fail(
            span,
            match by_key {
                Some(by_key) => report.help(format!("by a key it is `{}`", written(by_key))),
                None => report,
            },
        )
    }

    pub(super) fn no_method(&self, value: &Expr, method: &ast::Ident, receivers: &[Receiver]) -> Diagnostic {
        let shown = self.show(&value.ty);
        let report =
            Diagnostic::error(codes::UNKNOWN_METHOD, format!("`{shown}` has no method `{}`", method.name))
                .primary(method.span, "unknown method")
                .secondary(value.span, format!("this is `{shown}`"));
        if self.sink.is_full() {
            return report;
        }
        if let Type::Named(def) = &value.ty
            && let Some(TypeDef::Record(record)) = self.types.get(*def)
            && record.field(&method.name).is_some()
        {
            return report.help(format!("`{}` is a field: write it without parentheses", method.name));
        }
        let mut names: Vec<&str> = Vec::new();
        for receiver in receivers {
            for name in Builtin::on(*receiver).map(Builtin::name) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names.sort_unstable();
        let of = match &value.ty {
            Type::Optional(inner) => self.show(inner),
            _ => shown,
        };
        let report = report.note(format!("`{of}` has: {}", names.join(", ")));
        let snake = snake_case(&method.name);
        let same = names.iter().copied().find(|name| *name == snake);
        let known = same.or_else(|| names_here(&snake).find(|name| names.contains(name)));
        if let Some(name) = known {
            return report.meant(name, method.span);
        }
        if matches!(value.ty, Type::Result(..)) && called_on(&method.name).is_none() {
            return report.help("look at both cases: `match x { Ok(v) => v, Err(_) => .. }`");
        }
        if let Some(help) = instead_of(&snake) {
            return match method_in(help).filter(|shown| !names.contains(shown)).and_then(called_on) {
                Some(on) => report.help(format!("{help}, on {on}")),
                None => report.help(help),
            };
        }
        if let Some(by_key) = by_key(&method.name).filter(|op| names.contains(&op.name())) {
            return report.help(format!("by a key it is `{}`", written(by_key)));
        }
        if let Some(on) = called_on(&method.name) {
            let first = match &value.ty {
                Type::List(element, _) if matches!(**element, Type::Optional(_)) => {
                    ": leave the `null`s out first by `.present()`"
                }
                Type::List(..) if on.contains("list of") => ": make one first by `.map(x => ..)`",
                Type::Json => ": decode it first by `as`",
                _ => "",
            };
            return report.help(format!("`{}` is called on {on}{first}", method.name));
        }
        let report = match value.ty {
            Type::Json => report.help(look_into(&method.name)),
            _ => report,
        };
        match name_near(&snake).filter(|name| names.contains(name)) {
            Some(name) if plan_lang::suggest(&method.name, names.iter().copied()).is_none() => {
                report.meant(name, method.span)
            }
            _ => self.sink.did_you_mean(report, &method.name, method.span, names),
        }
    }

    /// A key that nothing orders.
    pub(super) fn no_key(&self, op: Builtin, key: &Expr) -> Diagnostic {
        let shown = self.show(&unrefined(&key.ty));
        let message = format!("the key of `{}` must be a number, text, time, duration or amount", op.name());
        let report =
            Diagnostic::error(codes::MISMATCH, message).primary(key.span, format!("this is `{shown}`"));
        match &key.ty {
            Type::Optional(_) => report.help("say what stands in for `null` by `?? ..`"),
            Type::Json => report.help("decode it: `.. as Float`"),
            Type::Bool => report.help("give each case a number: `if .. { 1 } else { 0 }`"),
            Type::Named(_) => report.help("order by one of its fields"),
            _ => report,
        }
    }
}

/// The call of a function of the library, as it is written behind its receiver: `.take(n)`.
pub(in crate::check) fn written(op: Builtin) -> String {
    let signature = op.signature();
    let mut takes: Vec<&str> = signature.arguments.iter().map(|(name, _)| *name).collect();
    if signature.lambda.is_some() {
        takes.push("x => ..");
    }
    format!(".{}({})", signature.name, takes.join(", "))
}

/// What does the same as `name` by a key of each element: `sort_by`.
fn by_key(name: &str) -> Option<Builtin> {
    Builtin::named(&format!("{name}_by")).next()
}

/// The first method that stands in a text, as `.name(..)`.
fn method_in(text: &str) -> Option<&str> {
    text.split('.').skip(1).find_map(|rest| {
        let (name, _) = rest.split_once('(')?;
        (!name.is_empty() && name.chars().all(|c| c == '_' || c.is_alphanumeric())).then_some(name)
    })
}

/// What methods of this name are called on, in words.
fn called_on(name: &str) -> Option<String> {
    let mut receivers: Vec<&str> = Builtin::named(name)
        .flat_map(|op| op.signature().receivers)
        .map(|receiver| receiver.described())
        .collect();
    receivers.dedup();
    (!receivers.is_empty()).then(|| listed(receivers))
}

/// How to get at a member of opaque JSON.
pub(in crate::check) fn look_into(member: &str) -> String {
    format!("JSON is opaque: look into it by `.get(\"{member}\")`, or decode it: `.. as T`")
}

fn counted(arguments: usize) -> String {
    match arguments {
        0 => "no arguments".into(),
        1 => "1 argument".into(),
        many => format!("{many} arguments"),
    }
}

fn example(op: Builtin) -> String {
    op.signature().examples.first().map_or_else(String::new, |(code, gives)| format!("`{code}` is `{gives}`"))
}
