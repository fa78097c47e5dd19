//! Methods of lists.

use plan_ir::builtin::Builtin;
use plan_ir::range::{self, product, skipped, sum, taken};
use plan_lang::Diagnostic;
use schema::limits::LIST_ELEMENTS_MAX;
use schema::types::{IntRange, LengthRange, Type};

use super::Call;
use crate::check::Checker;
use crate::codes;
use crate::hir::Expr;
use crate::prelude;
use crate::relate::{join, unrefined};

impl<'a> Checker<'a, '_> {
    pub(super) fn list_method(&mut self, call: Call<'a>, element: &Type, length: LengthRange) -> Expr {
        let no_minimum = LengthRange { min: 0, ..length };
        let same = |length| Type::List(Box::new(element.clone()), length);
        match call.op {
            Builtin::Len => call.gives(Type::Int(range::as_int(length, LIST_ELEMENTS_MAX as u64))),
            Builtin::IsEmpty => call.gives(Type::Bool),
            Builtin::Filter => self.predicate(call, element, same(no_minimum)),
            Builtin::All | Builtin::Any => self.predicate(call, element, Type::Bool),
            Builtin::Count => self.predicate(call, element, Type::Int(count(length))),
            Builtin::Find => self.predicate(call, element, element.clone().optional()),
            Builtin::Position => self.predicate(call, element, Type::Int(place(length)).optional()),
            Builtin::Map => {
                let lambda = self.method_lambda(&call, element, None);
                call.with_lambda(lambda, |body| Type::List(Box::new(body.clone()), length))
            }
            Builtin::Take | Builtin::Skip => {
                let (n, by) = self.int_argument(&call, 0);
                let length = if call.op == Builtin::Take { taken(length, by) } else { skipped(length, by) };
                call.with([n], same(length))
            }
            Builtin::Contains => {
                let part = self.argument(&call, 0, &unrefined(element));
                call.with([part], Type::Bool)
            }
            Builtin::IndexOf => {
                let part = self.argument(&call, 0, &unrefined(element));
                call.with([part], Type::Int(place(length)).optional())
            }
            Builtin::Get => {
                let at = self.argument(&call, 0, &Type::INT);
                call.with([at], element.clone().optional())
            }
            Builtin::First | Builtin::Last => call.gives(element.clone().optional()),
            Builtin::Flatten => match element {
                Type::List(inner, each) => call.gives(Type::List(inner.clone(), product(length, *each))),
                _ => Expr::error(call.span),
            },
            Builtin::Join => self.join_texts(call, element, length),
            Builtin::Ok | Builtin::Errors => match element {
                Type::Result(ok, err) => {
                    let side = if call.op == Builtin::Ok { ok } else { err };
                    call.gives(Type::List(side.clone(), no_minimum))
                }
                _ => Expr::error(call.span),
            },
            _ => self.ordering_method(call, element, length),
        }
    }

    /// Methods that take elements together.
    pub(super) fn grouping_method(&mut self, call: Call<'a>, element: &Type, length: LengthRange) -> Expr {
        let list = |element: Type, length| Type::List(Box::new(element), length);
        match call.op {
            Builtin::Distinct => call.gives(list(element.clone(), some_of(length))),
            Builtin::DistinctBy => {
                let lambda = self.method_lambda(&call, element, None);
                call.with_lambda(lambda, |_| list(element.clone(), some_of(length)))
            }
            Builtin::GroupBy => {
                let lambda = self.method_lambda(&call, element, Some(&Type::STRING));
                let group = LengthRange { min: 1, max: length.max.map(|max| max.max(1)) };
                call.with_lambda(lambda, |_| Type::Map(Box::new(list(element.clone(), group))))
            }
            Builtin::KeyBy => {
                let lambda = self.method_lambda(&call, element, Some(&Type::STRING));
                call.with_lambda(lambda, |_| Type::Map(Box::new(element.clone())))
            }
            Builtin::Present => match element {
                Type::Optional(inner) => {
                    call.gives(list((**inner).clone(), LengthRange { min: 0, ..length }))
                }
                _ => Expr::error(call.span),
            },
            Builtin::Chunks => {
                let (n, by) = self.int_argument(&call, 0);
                let (count, each) = range::chunked(length, by);
                call.with([n], list(list(element.clone(), each), count))
            }
            Builtin::Concat => self.concat(call, element, length),
            Builtin::Zip => self.zip(call, element, length),
            _ => Expr::error(call.span),
        }
    }

    fn concat(&mut self, call: Call<'a>, element: &Type, length: LengthRange) -> Expr {
        let more = self.argument(&call, 0, &Type::list(unrefined(element)));
        let Type::List(other, more_length) = &more.ty else { return Expr::error(call.span) };
        let joined = join(element, other).unwrap_or_else(|| unrefined(element));
        let ty = Type::List(Box::new(joined), sum(length, *more_length));
        call.with([more], ty)
    }

    fn zip(&mut self, call: Call<'a>, element: &Type, length: LengthRange) -> Expr {
        let other = match call.args.first() {
            Some(arg) => self.infer(&arg.value, None),
            None => Expr::error(call.span),
        };
        let Type::List(right, other_length) = &other.ty else {
            if !other.is_error() {
                let shown = self.show(&other.ty);
                let message = format!("the argument of `zip` must be a list, not `{shown}`");
                let report = Diagnostic::error(codes::MISMATCH, message);
                self.report(report.primary(other.span, format!("this is `{shown}`")));
            }
            return Expr::error(call.span);
        };
        let pair = prelude::pair(&self.types, element, right);
        let pair = self.types.intern(pair);
        let ty = Type::List(Box::new(Type::Named(pair)), range::shorter(length, *other_length));
        call.with([other], ty)
    }

    /// A method with a lambda that says `true` or `false` of an element.
    fn predicate(&mut self, call: Call<'a>, element: &Type, ty: Type) -> Expr {
        let lambda = self.method_lambda(&call, element, Some(&Type::Bool));
        call.with_lambda(lambda, |_| ty)
    }

    fn join_texts(&mut self, call: Call<'a>, element: &Type, length: LengthRange) -> Expr {
        let separator = self.argument(&call, 0, &Type::STRING);
        let (Type::String(each), Type::String(between)) = (element, &separator.ty) else {
            return Expr::error(call.span);
        };
        let gaps = LengthRange {
            min: length.min.saturating_sub(1),
            max: length.max.map(|max| max.saturating_sub(1)),
        };
        let ty = Type::String(sum(product(length, *each), product(gaps, *between)));
        call.with([separator], ty)
    }
}

/// At least one element if there is one, at most all.
fn some_of(length: LengthRange) -> LengthRange {
    LengthRange { min: length.min.min(1), ..length }
}

/// How many elements of a list there can be.
fn count(length: LengthRange) -> IntRange {
    range::as_int(LengthRange { min: 0, ..length }, LIST_ELEMENTS_MAX as u64)
}

/// Where in a list an element can stand.
fn place(length: LengthRange) -> IntRange {
    let IntRange { max, .. } = count(length);
    IntRange { min: 0, max: max.saturating_sub(1).max(0) }
}
