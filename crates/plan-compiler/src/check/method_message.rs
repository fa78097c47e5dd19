//! Messages about methods.

use plan_ir::builtin::{Builtin, Receiver};
use plan_lang::{Diagnostic, Fix, Span, ast};
use schema::types::{Type, TypeDef};

use super::Checker;
use crate::codes;
use crate::hir::Expr;
use crate::resolve::did_you_mean;

/// What other languages call the methods of this one.
const OTHER_NAMES: [(&str, &str); 16] = [
    ("length", "len"),
    ("size", "len"),
    ("count", "len"),
    ("lower", "folded"),
    ("lowercase", "folded"),
    ("to_lowercase", "folded"),
    ("includes", "contains"),
    ("limit", "take"),
    ("slice", "take"),
    ("drop", "skip"),
    ("strip", "trim"),
    ("flat", "flatten"),
    ("every", "all"),
    ("some", "any"),
    ("select", "map"),
    ("where", "filter"),
];

impl Checker<'_, '_> {
    pub(super) fn method_arguments(
        &mut self,
        op: Builtin,
        method: &ast::Ident,
        args: &[ast::Arg],
        span: Span,
    ) -> Expr {
        let signature = op.signature();
        let mut takes: Vec<&str> = signature.arguments.to_vec();
        if signature.lambda.is_some() {
            takes.push("x => ..");
        }
        let right = format!(".{}({})", signature.name, takes.join(", "));
        let message = format!("`{}` takes {}, not {}", method.name, counted(takes.len()), args.len());
        let report = Diagnostic::error(codes::ARGUMENT_COUNT, message)
            .primary(method.span, format!("write `{right}`"))
            .note(format!("{} {}", signature.summary, example(op)));
        self.fail(span, report)
    }

    pub(super) fn no_method(&self, value: &Expr, method: &ast::Ident, receivers: &[Receiver]) -> Diagnostic {
        let shown = self.show(&value.ty);
        let report =
            Diagnostic::error(codes::UNKNOWN_METHOD, format!("`{shown}` has no method `{}`", method.name))
                .primary(method.span, "unknown method")
                .secondary(value.span, format!("this is `{shown}`"));
        if let Type::Named(def) = &value.ty
            && let Some(TypeDef::Record(record)) = self.types.get(*def)
            && record.field(&method.name).is_some()
        {
            return report.help(format!("`{}` is a field: write it without parentheses", method.name));
        }
        if matches!(value.ty, Type::Json) {
            return report.help("JSON is opaque until it is decoded: `.. as T`");
        }
        let mut names: Vec<&str> = Vec::new();
        for receiver in receivers.iter().chain([&Receiver::Any]) {
            for name in Builtin::on(*receiver).map(Builtin::name) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        let report = report.note(format!("`{shown}` has: {}", names.join(", ")));
        let elsewhere =
            OTHER_NAMES.iter().find(|(other, name)| *other == method.name && names.contains(name));
        match elsewhere {
            Some((_, name)) => report
                .help(format!("did you mean `{name}`?"))
                .fix(Fix::maybe(format!("use `{name}`")).replace(method.span, *name)),
            None => did_you_mean(report, &method.name, method.span, names),
        }
    }
}

fn counted(arguments: usize) -> String {
    match arguments {
        0 => "no arguments".into(),
        1 => "1 argument".into(),
        many => format!("{many} arguments"),
    }
}

fn example(op: Builtin) -> String {
    let (code, gives) = op.signature().example;
    format!("`{code}` is `{gives}`")
}
