//! `hit.title`, `hit?.title`, `xs[i]`.

use std::collections::BTreeSet;

use plan_ir::builtin::Builtin;
use plan_ir::builtin::elsewhere::names_here;
use plan_lang::{Diagnostic, Fix, Span, ast, written_name};
use schema::types::{IntRange, Type, TypeDef};
use schema::value::Value;

use super::Checker;
use super::method::{look_into, receivers, snake_case};
use crate::codes;
use crate::hir::{Expr, ExprKind};

impl<'a> Checker<'a, '_> {
    pub(super) fn field(
        &mut self,
        base: &'a ast::Expr,
        field: &'a ast::Ident,
        optional: bool,
        span: Span,
    ) -> Expr {
        if self.is_misspelt_variant(base, field) {
            return Expr::error(span);
        }
        let record = self.infer(base, None);
        if record.is_error() || field.is_missing() {
            return Expr::error(span);
        }
        let dot = Span::new(base.span.end, field.span.start);
        let inner = match (&record.ty, optional) {
            (Type::Optional(inner), true) => (**inner).clone(),
            (Type::Optional(_), false) => {
                let report = self.null_access(&record, &field.name, dot);
                return self.fail(span, report);
            }
            (other, _) => other.clone(),
        };
        let found = match &inner {
            Type::Named(def) => self.types.record(*def).and_then(|record| record.field(&field.name)),
            _ => None,
        };
        let Some((index, declared)) = found else {
            if self.is_unread(&inner) {
                return Expr::error(span);
            }
            let report = self.no_such_field(&inner, field);
            return self.fail(span, report);
        };
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        let declared = declared.ty.clone();
        let may_be_null = matches!(record.ty, Type::Optional(_));
        if optional && !may_be_null {
            self.never_null(&record, dot);
        }
        let optional = optional && may_be_null;
        let ty = if optional { declared.optional() } else { declared };
        if matches!(ty, Type::Error) {
            return Expr::error(span);
        }
        Expr::new(ExprKind::Field { record: Box::new(record), index, optional }, ty, span)
    }

    fn no_such_field(&self, ty: &Type, field: &ast::Ident) -> Diagnostic {
        let report = self.no_field(ty, field, &BTreeSet::new());
        if Builtin::named(&field.name).next().is_some() {
            return report.help(format!("`{0}` is a method: write `.{0}(..)`", field.name));
        }
        let snake = snake_case(&field.name);
        let receivers = receivers(ty);
        let is_here = |name: &str| Builtin::named(name).any(|op| receivers.iter().any(|on| op.is_on(*on)));
        let method =
            if is_here(&snake) { Some(&*snake) } else { names_here(&snake).find(|name| is_here(name)) };
        if let Some(name) = method {
            let fix = Fix::maybe(format!("use `{name}()`")).replace(field.span, format!("{name}()"));
            return report.help(format!("write the method `.{name}()`")).fix(fix);
        }
        match ty {
            Type::Json => report.help(look_into(&field.name)),
            Type::Map(_) => report.help(format!("look into a map by `.get(\"{}\")`", field.name)),
            Type::List(..) => {
                report.help("this is a list: take an element by `.first()` or `[i]`, or loop by `map`")
            }
            Type::Result(..) => report.help("look at both cases: `match x { Ok(v) => .., Err(e) => .. }`"),
            Type::Named(def) if matches!(self.types.get(*def), Some(TypeDef::Enum(_))) => {
                report.help("an enum has variants: look at them by `match`")
            }
            _ => report,
        }
    }

    /// `.` on a value that may be `null`.
    pub(super) fn null_access(&self, value: &Expr, member: &str, dot: Span) -> Diagnostic {
        let shown = self.show(&value.ty);
        Diagnostic::error(codes::MAY_BE_NULL, format!("`{member}` is read of a value that may be `null`"))
            .primary(value.span, format!("this is `{shown}`"))
            .help(format!(
                "write `?.{member}`, which is `null` where the value is, or look at both cases by `match`"
            ))
            .fix(Fix::maybe("write `?.`").replace(dot, "?."))
    }

    /// `?.` on a value that is never `null`.
    pub(super) fn never_null(&mut self, value: &Expr, dot: Span) {
        let shown = self.show(&value.ty);
        self.report(
            Diagnostic::warning(codes::NEVER_NULL, "`?.` on a value that is never `null`")
                .primary(value.span, format!("this is `{shown}`"))
                .fix(Fix::safe("write `.`").replace(dot, ".")),
        );
    }

    pub(super) fn index(&mut self, base: &'a ast::Expr, index: &'a ast::Expr, span: Span) -> Expr {
        let list = self.infer(base, None);
        if !matches!(list.ty, Type::List(..) | Type::Optional(_) | Type::Error) {
            return self.no_list(&list, index, span);
        }
        let index = self.check(index, &Type::INT, &"an index");
        match &list.ty {
            Type::Error => Expr::error(span),
            Type::List(element, range) => {
                let ty = (**element).clone();
                let most = range.max.unwrap_or(u64::MAX);
                if let Type::Int(IntRange { min, max }) = &index.ty
                    && (*max < 0 || u64::try_from(*min).is_ok_and(|min| min >= most))
                {
                    let shown = self.show(&list.ty);
                    let report =
                        Diagnostic::error(codes::OUT_OF_RANGE, "this index is always outside the list")
                            .primary(index.span, "the first element is `[0]`")
                            .secondary(list.span, format!("this is `{shown}`"));
                    let from_end = "no index counts from the end; the last element is `.last()`";
                    return self.fail(span, if *max < 0 { report.help(from_end) } else { report });
                }
                let kind = ExprKind::Index { list: Box::new(list), index: Box::new(index) };
                Expr::new(kind, ty, span)
            }
            Type::Optional(_) => {
                let report = Diagnostic::error(codes::MAY_BE_NULL, "this list may be `null`")
                    .primary(list.span, "may be `null`")
                    .help("say what stands in for `null` by `?? []`");
                self.fail(span, report)
            }
            _ => Expr::error(span),
        }
    }

    /// `[index]` behind what has no elements.
    fn no_list(&mut self, value: &Expr, index: &'a ast::Expr, span: Span) -> Expr {
        let key = self.infer(index, Some(&Type::Error));
        let shown = self.show(&value.ty);
        let report =
            Diagnostic::error(codes::BAD_OPERANDS, format!("only lists have elements, not `{shown}`"))
                .primary(value.span, format!("this is `{shown}`"));
        let field = match &key.kind {
            ExprKind::Const(Value::String(text)) => Some(text),
            _ => None,
        };
        let report = match (&value.ty, field) {
            (Type::Map(_) | Type::Json, _) => {
                let fix = Fix::maybe("write `.get(..)`")
                    .replace(Span::new(value.span.end, key.span.start), ".get(")
                    .replace(Span::new(key.span.end, span.end), ")");
                report.help("look into it by `.get(..)`, which is `null` where nothing is there").fix(fix)
            }
            (Type::Named(def), Some(field))
                if self.types.record(*def).is_some_and(|record| record.field(field).is_some()) =>
            {
                let field = format!(".{}", written_name(field));
                let fix = Fix::maybe(format!("write `{field}`"));
                let report = report.help(format!("a field is read by its name: `{field}`"));
                report.fix(fix.replace(Span::new(value.span.end, span.end), field))
            }
            (Type::String(_), _) => report.help("take a part: `.skip(from).take(n)`"),
            _ => report,
        };
        self.fail(span, report)
    }
}
