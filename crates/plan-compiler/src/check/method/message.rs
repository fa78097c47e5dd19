//! Messages about methods.

use plan_ir::builtin::{Builtin, Receiver};
use plan_lang::{Diagnostic, Fix, Span, ast};
use schema::types::{Type, TypeDef};

use crate::check::Checker;
use crate::codes;
use crate::hir::Expr;
use crate::relate::unrefined;
use crate::resolve::{did_you_mean, listed};

/// What other languages call the methods of this one.
const OTHER_NAMES: [(&str, &str); 22] = [
    ("length", "len"),
    ("size", "len"),
    ("sorted", "sort"),
    ("order_by", "sort_by"),
    ("reversed", "reverse"),
    ("total", "sum"),
    ("mean", "average"),
    ("find_index", "position"),
    ("head", "first"),
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

impl<'a> Checker<'a, '_> {
    pub(super) fn method_arguments(
        &mut self,
        op: Builtin,
        method: &ast::Ident,
        args: &'a [ast::Arg],
        span: Span,
    ) -> Expr {
        self.infer_plain(args);
        let signature = op.signature();
        let mut takes: Vec<&str> = signature.arguments.iter().map(|(name, _)| *name).collect();
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
        for receiver in receivers {
            for name in Builtin::on(*receiver).map(Builtin::name) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names.sort_unstable();
        let report = report.note(format!("`{shown}` has: {}", names.join(", ")));
        let other = OTHER_NAMES.iter().find(|(other, name)| *other == method.name && names.contains(name));
        if let Some((_, name)) = other {
            return report
                .help(format!("did you mean `{name}`?"))
                .fix(Fix::maybe(format!("use `{name}`")).replace(method.span, *name));
        }
        match Builtin::named(&method.name).next() {
            Some(elsewhere) => {
                report.help(format!("`{}` is called on {}", method.name, called_on(elsewhere)))
            }
            None => did_you_mean(report, &method.name, method.span, names),
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

/// The receivers of a method in words.
fn called_on(op: Builtin) -> String {
    listed(op.signature().receivers.iter().map(|receiver| receiver.described()))
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
