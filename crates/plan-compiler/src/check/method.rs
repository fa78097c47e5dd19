//! Methods of the library: which one a name means on a receiver. What each gives is in a file per receiver.

mod decode;
mod json;
mod lists;
mod maps;
mod message;
mod names;
mod order;
mod scalars;
mod text;
mod urls;

use plan_ir::builtin::{Builtin, Receiver};
use plan_lang::{Diagnostic, Span, ast};
use schema::types::{IntRange, Type};

pub(super) use message::{look_into, written};
pub(super) use names::snake_case;

use super::Checker;
use super::text_length::json_length;
use crate::codes;
use crate::hir::{Expr, ExprKind, Lambda};
use crate::relate::is_ordered;

/// A method call whose function is found and whose arguments are as many as it takes.
struct Call<'a> {
    op: Builtin,
    receiver: Expr,
    args: &'a [ast::Arg],
    span: Span,
}

impl<'a> Checker<'a, '_> {
    pub(super) fn method(
        &mut self,
        receiver: &'a ast::Expr,
        method: &'a ast::Ident,
        args: &'a [ast::Arg],
        optional: bool,
        span: Span,
    ) -> Expr {
        if self.is_misspelt_variant(receiver, method) {
            self.look_at_all(args);
            return Expr::error(span);
        }
        let value = self.infer(receiver, None);
        if value.is_error() || method.is_missing() {
            self.look_at_all(args);
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
                self.look_at_all(args);
                let report = self.method_of_optional(&value, method, dot);
                self.fail(span, report)
            }
            (_, true) => {
                let receiver = value.clone();
                let result = self.method_on(value, method, args, span);
                if !result.is_error() {
                    self.never_null(&receiver, dot);
                }
                result
            }
            (_, false) => self.method_on(value, method, args, span),
        }
    }

    /// A method of a value that may be `null`: known of what it is where it is not, or meant for `null` elsewhere.
    fn method_of_optional(&self, value: &Expr, method: &ast::Ident, dot: Span) -> Diagnostic {
        let Type::Optional(inner) = &value.ty else { return self.null_access(value, &method.name, dot) };
        let receivers = receivers(inner);
        let is_known = Builtin::named(&method.name).any(|op| receivers.iter().any(|on| op.is_on(*on)));
        if is_known {
            return self.null_access(value, &format!("{}(..)", method.name), dot);
        }
        self.no_method(value, method, &receivers)
    }

    fn method_on(&mut self, value: Expr, method: &'a ast::Ident, args: &'a [ast::Arg], span: Span) -> Expr {
        let receivers = receivers(&value.ty);
        let Some(op) = Builtin::named(&method.name).find(|op| receivers.iter().any(|on| op.is_on(*on)))
        else {
            self.look_at_all(args);
            if is_unknown_list(&value.ty) {
                return Expr::error(span);
            }
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
        let result = self.method_call(Call { op, receiver: value, args, span });
        match &result.kind {
            // The range of the result hangs on what was reported.
            ExprKind::Builtin { args, .. } if args.iter().any(Expr::is_error) => Expr::error(span),
            _ => result,
        }
    }

    fn method_call(&mut self, call: Call<'a>) -> Expr {
        match call.receiver.ty.clone() {
            ty if call.op == Builtin::ToJson => {
                let length = json_length(&ty, &self.types);
                call.gives(Type::String(length))
            }
            Type::List(element, length) => self.list_method(call, &element, length),
            Type::String(length) => self.text_method(call, length),
            Type::Url => self.url_method(call),
            Type::Map(value) => self.map_method(call, &value),
            Type::Json => self.json_method(call),
            ty => self.scalar_method(call, &ty),
        }
    }

    /// The lambda of the call, whose own value is to be a `result` if that is given.
    fn method_lambda(&mut self, call: &Call<'a>, element: &Type, result: Option<&Type>) -> Option<Lambda> {
        let lambda = &call.args.last()?.value;
        self.lambda(lambda, element, result, &format_args!("`{}`", call.op.name()))
    }

    /// The lambda of the call, whose own value is to be a key with an order.
    fn key_lambda(&mut self, call: &Call<'a>, element: &Type) -> Option<Lambda> {
        let lambda = self.method_lambda(call, element, None)?;
        if is_ordered(&lambda.body.ty) || lambda.body.is_error() {
            return Some(lambda);
        }
        let report = self.no_key(call.op, &lambda.body);
        self.report(report);
        None
    }

    /// The argument at `place` as a `ty`.
    fn argument(&mut self, call: &Call<'a>, place: usize, ty: &Type) -> Expr {
        match call.args.get(place) {
            Some(arg) => self.check(&arg.value, ty, &format_args!("the argument of `{}`", call.op.name())),
            None => Expr::error(call.span),
        }
    }

    /// An `Int` argument at `place`, with its range.
    fn int_argument(&mut self, call: &Call<'a>, place: usize) -> (Expr, IntRange) {
        let n = self.argument(call, place, &Type::INT);
        let range = match &n.ty {
            Type::Int(range) => *range,
            _ => IntRange::FULL,
        };
        (n, range)
    }
}

impl Call<'_> {
    /// The call, without further arguments.
    fn gives(self, ty: Type) -> Expr {
        builtin(self.op, vec![self.receiver], None, ty, self.span)
    }

    /// The call with values as its arguments.
    fn with(self, args: impl IntoIterator<Item = Expr>, ty: Type) -> Expr {
        let args = std::iter::once(self.receiver).chain(args).collect();
        builtin(self.op, args, None, ty, self.span)
    }

    /// The call with a lambda as its argument; without one it was reported.
    fn with_lambda(self, lambda: Option<Lambda>, ty: impl FnOnce(&Type) -> Type) -> Expr {
        match lambda {
            Some(lambda) => {
                let ty = ty(&lambda.body.ty);
                builtin(self.op, vec![self.receiver], Some(lambda), ty, self.span)
            }
            None => Expr::error(self.span),
        }
    }
}

/// What the library calls a value of this type.
pub(super) fn receivers(ty: &Type) -> Vec<Receiver> {
    match ty {
        Type::List(element, _) => {
            let mut receivers = vec![Receiver::List];
            receivers.extend(match **element {
                Type::List(..) => Some(Receiver::Lists),
                Type::String(_) => Some(Receiver::Texts),
                Type::Result(..) => Some(Receiver::Results),
                Type::Optional(_) => Some(Receiver::Optionals),
                _ => None,
            });
            if is_ordered(element) {
                receivers.push(Receiver::Ordered);
            }
            if matches!(**element, Type::Int(_) | Type::Float(_)) {
                receivers.extend([Receiver::Summable, Receiver::Numbers]);
            }
            if matches!(**element, Type::Duration | Type::Amount) {
                receivers.push(Receiver::Summable);
            }
            receivers
        }
        Type::String(_) => vec![Receiver::Text],
        Type::Url => vec![Receiver::Text, Receiver::Url],
        Type::Map(_) => vec![Receiver::Map],
        Type::Int(_) => vec![Receiver::Int],
        Type::Float(_) => vec![Receiver::Float],
        Type::Amount => vec![Receiver::Amount],
        Type::Duration => vec![Receiver::Duration],
        Type::Time => vec![Receiver::Time],
        Type::Json => vec![Receiver::Json],
        _ => vec![Receiver::Any],
    }
}

/// A list of elements that were reported; `[]` is none, it has no elements.
fn is_unknown_list(ty: &Type) -> bool {
    matches!(ty, Type::List(element, length) if **element == Type::Error && length.max != Some(0))
}

/// A call of the library.
pub(super) fn builtin(op: Builtin, args: Vec<Expr>, lambda: Option<Lambda>, ty: Type, span: Span) -> Expr {
    Expr::new(ExprKind::Builtin { op, args, lambda }, ty, span)
}
