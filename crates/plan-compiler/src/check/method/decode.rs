//! `xs.decode() as [T]`.

use plan_ir::builtin::Builtin;
use plan_lang::{Diagnostic, Span, ast};
use schema::types::{LengthRange, Type};

use super::builtin;
use crate::check::Checker;
use crate::codes;
use crate::hir::{Expr, ExprKind};

impl<'a> Checker<'a, '_> {
    /// `xs.decode() as [T]`.
    pub(in crate::check) fn decode_list(
        &mut self,
        value: &'a ast::Expr,
        ty: &'a ast::Type,
        optional: bool,
        span: Span,
    ) -> Expr {
        let list = self.infer(value, None);
        let wanted = self.ty(ty);
        let Type::List(element, wanted_length) = &wanted else {
            if !matches!(wanted, Type::Error) {
                let shown = self.show(&wanted);
                let report =
                    Diagnostic::error(codes::BAD_CAST, format!("`decode` gives a list, not `{shown}`"));
                self.report(report.primary(ty.span, "expected `[T]`"));
            }
            return Expr::error(span);
        };
        let (element, wanted_length) = ((**element).clone(), *wanted_length);
        match (&list.ty, optional) {
            (Type::Optional(inner), true) => {
                let inner = (**inner).clone();
                let var = self.body.anonymous(inner.clone(), list.span);
                let present = Expr::new(ExprKind::Var(var), inner, list.span);
                let result = self.decoded(present, &element, wanted_length, span);
                if result.is_error() { result } else { self.if_present(list, var, result, span) }
            }
            (_, true) if !list.is_error() => {
                let shown = self.show(&list.ty);
                self.report(
                    Diagnostic::warning(codes::NEVER_NULL, "`?.` on a value that is never `null`")
                        .primary(list.span, format!("this is `{shown}`"))
                        .help("write `.decode()`"),
                );
                self.decoded(list, &element, wanted_length, span)
            }
            _ => self.decoded(list, &element, wanted_length, span),
        }
    }

    /// The elements of `list` that are of the type `element`.
    fn decoded(&mut self, list: Expr, element: &Type, wanted: LengthRange, span: Span) -> Expr {
        let found = match &list.ty {
            Type::Error => return Expr::error(span),
            Type::Json => LengthRange::FULL,
            Type::List(inner, length) if matches!(**inner, Type::Json) => *length,
            other => {
                let shown = self.show(other);
                let report =
                    Diagnostic::error(codes::BAD_CAST, format!("only JSON is decoded, not `{shown}`"))
                        .primary(list.span, format!("this is `{shown}`"));
                return self.fail(span, report);
            }
        };
        let length = LengthRange { min: 0, max: found.max };
        let decoded = Type::List(Box::new(element.clone()), length);
        let decoded = builtin(Builtin::DecodeList, vec![list], None, decoded, span);
        if length.within(wanted) {
            decoded
        } else {
            let ty = Type::List(Box::new(element.clone()), wanted);
            Expr::new(ExprKind::Cast(Box::new(decoded)), ty, span)
        }
    }
}
