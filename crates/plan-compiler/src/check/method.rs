//! Methods of the library.

use plan_ir::builtin::{Builtin, Receiver};
use plan_lang::{Diagnostic, Span, ast};
use schema::limits::{LIST_ELEMENTS_MAX, URL_LENGTH_MAX};
use schema::types::{IntRange, LengthRange, Type};

use super::Checker;
use super::text_length::json_length;
use crate::codes;
use crate::hir::{Expr, ExprKind, Lambda};
use crate::range::{self, product, skipped, sum, taken};
use crate::relate::unrefined;

/// Full case folding makes at most three characters of one.
const FOLDED_CHARS_MAX: u64 = 3;
/// Compatibility composition makes at most 18 characters of one (U+FDFA), each folded after that.
const NORMALIZED_CHARS_MAX: u64 = 18 * FOLDED_CHARS_MAX;

impl<'a> Checker<'a, '_> {
    pub(super) fn method(
        &mut self,
        receiver: &'a ast::Expr,
        method: &'a ast::Ident,
        args: &'a [ast::Arg],
        optional: bool,
        span: Span,
    ) -> Expr {
        let value = self.infer(receiver, None);
        if value.is_error() || method.is_missing() {
            // Lambdas have no parameter types here, so only plain arguments are looked at.
            for arg in args.iter().filter(|arg| !matches!(arg.value.kind, ast::ExprKind::Lambda { .. })) {
                self.infer(&arg.value, None);
            }
            return Expr::error(span);
        }
        let dot = Span::new(receiver.span.end, method.span.start);
        match (&value.ty, optional) {
            (Type::Optional(inner), true) => {
                let inner = (**inner).clone();
                let var = self.body.anonymous(inner.clone(), receiver.span);
                let present = Expr::new(ExprKind::Var(var), inner, receiver.span);
                let result = self.method_on(present, method, args, span);
                if result.is_error() { result } else { self.if_present(value, var, result, span) }
            }
            (Type::Optional(_), false) if method.name != Builtin::ToJson.name() => {
                let report = self.null_access(&value, &format!("{}(..)", method.name), dot);
                self.fail(span, report)
            }
            (_, true) => {
                self.never_null(&value, dot);
                self.method_on(value, method, args, span)
            }
            (_, false) => self.method_on(value, method, args, span),
        }
    }

    fn method_on(&mut self, value: Expr, method: &'a ast::Ident, args: &'a [ast::Arg], span: Span) -> Expr {
        let receivers = receivers(&value.ty);
        let found = Builtin::named(&method.name).filter(|op| {
            let on = op.signature().receivers;
            on.iter().any(|on| *on == Receiver::Any || receivers.contains(on))
        });
        let Some(op) = found else {
            let report = self.no_method(&value, method, &receivers);
            return self.fail(span, report);
        };
        let signature = op.signature();
        let expected = signature.arguments.len() + usize::from(signature.lambda.is_some());
        if args.len() != expected {
            return self.method_arguments(op, method, args, span);
        }
        if let Some(name) = args.iter().find_map(|arg| arg.name.as_ref()) {
            let report = Diagnostic::error(codes::UNKNOWN_ARGUMENT, "arguments of methods have no names");
            return self.fail(span, report.primary(name.span, "remove the name"));
        }
        let arg = args.first().map(|arg| &arg.value);
        match &value.ty {
            Type::List(element, length) if op != Builtin::ToJson => {
                let (element, length) = ((**element).clone(), *length);
                self.list_method(op, value, &element, length, arg, span)
            }
            Type::String(length) if op != Builtin::ToJson => {
                let length = *length;
                self.text_method(op, value, length, arg, span)
            }
            Type::Url if op != Builtin::ToJson => {
                self.text_method(op, value, LengthRange { min: 3, max: Some(URL_LENGTH_MAX) }, arg, span)
            }
            ty => {
                let ty = match op {
                    Builtin::Len => Type::Int(IntRange { min: 0, max: i64::MAX }),
                    Builtin::IsEmpty => Type::Bool,
                    _ => Type::String(json_length(ty, &self.types)),
                };
                builtin(op, vec![value], None, ty, span)
            }
        }
    }

    fn list_method(
        &mut self,
        op: Builtin,
        list: Expr,
        element: &Type,
        length: LengthRange,
        arg: Option<&'a ast::Expr>,
        span: Span,
    ) -> Expr {
        let no_minimum = LengthRange { min: 0, ..length };
        let same = |length| Type::List(Box::new(element.clone()), length);
        match op {
            Builtin::Len => {
                let ty = Type::Int(range::as_int(length, LIST_ELEMENTS_MAX as u64));
                builtin(op, vec![list], None, ty, span)
            }
            Builtin::IsEmpty => builtin(op, vec![list], None, Type::Bool, span),
            Builtin::Filter | Builtin::All | Builtin::Any => {
                let lambda = self.method_lambda(op, arg, element, Some(&Type::Bool));
                let ty = if op == Builtin::Filter { same(no_minimum) } else { Type::Bool };
                with_lambda(op, list, lambda, |_| ty, span)
            }
            Builtin::Map => {
                let lambda = self.method_lambda(op, arg, element, None);
                with_lambda(op, list, lambda, |body| Type::List(Box::new(body.clone()), length), span)
            }
            Builtin::Take | Builtin::Skip => {
                let (n, count) = self.count(op, arg, span);
                let length = if op == Builtin::Take { taken(length, count) } else { skipped(length, count) };
                builtin(op, vec![list, n], None, same(length), span)
            }
            Builtin::Contains => {
                let part = self.argument(arg, &unrefined(element), op, span);
                builtin(op, vec![list, part], None, Type::Bool, span)
            }
            Builtin::First | Builtin::Last => builtin(op, vec![list], None, element.clone().optional(), span),
            Builtin::Flatten => match element {
                Type::List(inner, each) => {
                    let ty = Type::List(inner.clone(), product(length, *each));
                    builtin(op, vec![list], None, ty, span)
                }
                _ => Expr::error(span),
            },
            Builtin::Join => {
                let separator = self.argument(arg, &Type::STRING, op, span);
                let (Type::String(each), Type::String(between)) = (element, &separator.ty) else {
                    return Expr::error(span);
                };
                let gaps = LengthRange {
                    min: length.min.saturating_sub(1),
                    max: length.max.map(|max| max.saturating_sub(1)),
                };
                let ty = Type::String(sum(product(length, *each), product(gaps, *between)));
                builtin(op, vec![list, separator], None, ty, span)
            }
            Builtin::Ok | Builtin::Errors => match element {
                Type::Result(ok, err) => {
                    let side = if op == Builtin::Ok { ok } else { err };
                    builtin(op, vec![list], None, Type::List(side.clone(), no_minimum), span)
                }
                _ => Expr::error(span),
            },
            _ => Expr::error(span),
        }
    }

    fn text_method(
        &mut self,
        op: Builtin,
        text: Expr,
        length: LengthRange,
        arg: Option<&'a ast::Expr>,
        span: Span,
    ) -> Expr {
        let at_most =
            |times: u64| LengthRange { min: 0, max: length.max.and_then(|max| max.checked_mul(times)) };
        match op {
            Builtin::Len => {
                let ty = Type::Int(range::as_int(length, i64::MAX.unsigned_abs()));
                builtin(op, vec![text], None, ty, span)
            }
            Builtin::IsEmpty => builtin(op, vec![text], None, Type::Bool, span),
            Builtin::Contains | Builtin::StartsWith | Builtin::EndsWith => {
                let part = self.argument(arg, &Type::STRING, op, span);
                builtin(op, vec![text, part], None, Type::Bool, span)
            }
            Builtin::Take | Builtin::Skip => {
                let (n, count) = self.count(op, arg, span);
                let length = if op == Builtin::Take { taken(length, count) } else { skipped(length, count) };
                builtin(op, vec![text, n], None, Type::String(length), span)
            }
            Builtin::Trim => builtin(op, vec![text], None, Type::String(at_most(1)), span),
            // Folding never removes a character; normalizing may.
            Builtin::Folded => {
                let ty = Type::String(LengthRange { min: length.min, ..at_most(FOLDED_CHARS_MAX) });
                builtin(op, vec![text], None, ty, span)
            }
            Builtin::Normalize => {
                builtin(op, vec![text], None, Type::String(at_most(NORMALIZED_CHARS_MAX)), span)
            }
            _ => Expr::error(span),
        }
    }

    fn method_lambda(
        &mut self,
        op: Builtin,
        arg: Option<&'a ast::Expr>,
        element: &Type,
        result: Option<&Type>,
    ) -> Option<Lambda> {
        self.lambda(arg?, element, result, &format!("`{}`", op.name()))
    }

    fn argument(&mut self, arg: Option<&'a ast::Expr>, ty: &Type, op: Builtin, span: Span) -> Expr {
        match arg {
            Some(arg) => self.check(arg, ty, &format!("the argument of `{}`", op.name())),
            None => Expr::error(span),
        }
    }

    /// The `n` of `take` and `skip`, with its range.
    fn count(&mut self, op: Builtin, arg: Option<&'a ast::Expr>, span: Span) -> (Expr, IntRange) {
        let n = self.argument(arg, &Type::INT, op, span);
        let range = match &n.ty {
            Type::Int(range) => *range,
            _ => IntRange::FULL,
        };
        (n, range)
    }

    /// `xs.decode() as [T]`.
    pub(super) fn decode_list(
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
        if optional {
            return self.not_executed(
                "`?.decode()`",
                span,
                "say what stands in for `null` first: `(x ?? []).decode()`",
            );
        }
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
        let decoded = Type::List(element.clone(), length);
        let decoded = builtin(Builtin::DecodeList, vec![list], None, decoded, span);
        if length.within(*wanted_length) {
            decoded
        } else {
            Expr::new(ExprKind::Cast(Box::new(decoded)), wanted.clone(), span)
        }
    }
}

/// What the library calls a value of this type.
fn receivers(ty: &Type) -> Vec<Receiver> {
    match ty {
        Type::List(element, _) => {
            let mut receivers = vec![Receiver::List];
            receivers.extend(match **element {
                Type::List(..) => Some(Receiver::Lists),
                Type::String(_) => Some(Receiver::Texts),
                Type::Result(..) => Some(Receiver::Results),
                _ => None,
            });
            receivers
        }
        Type::String(_) | Type::Url => vec![Receiver::Text],
        Type::Map(_) => vec![Receiver::Map],
        _ => Vec::new(),
    }
}

fn with_lambda(
    op: Builtin,
    list: Expr,
    lambda: Option<Lambda>,
    ty: impl FnOnce(&Type) -> Type,
    span: Span,
) -> Expr {
    match lambda {
        Some(lambda) => {
            let ty = ty(&lambda.body.ty);
            builtin(op, vec![list], Some(lambda), ty, span)
        }
        None => Expr::error(span),
    }
}

/// A call of the library.
pub(super) fn builtin(op: Builtin, args: Vec<Expr>, lambda: Option<Lambda>, ty: Type, span: Span) -> Expr {
    Expr::new(ExprKind::Builtin { op, args, lambda }, ty, span)
}
