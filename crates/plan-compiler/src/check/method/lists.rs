//! Methods of lists.

use plan_ir::builtin::Builtin;
use schema::limits::LIST_ELEMENTS_MAX;
use schema::types::{IntRange, LengthRange, Type};

use super::Call;
use crate::check::Checker;
use crate::hir::Expr;
use crate::range::{self, product, skipped, sum, taken};
use crate::relate::unrefined;

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
                let (n, by) = self.count_argument(&call, 0);
                let length = if call.op == Builtin::Take { taken(length, by) } else { skipped(length, by) };
                call.with([n], same(length))
            }
            Builtin::Contains => {
                let part = self.argument(&call, 0, &unrefined(element));
                call.with([part], Type::Bool)
            }
            Builtin::First | Builtin::Last => call.gives(element.clone().optional()),
            Builtin::Flatten => match element {
                Type::List(inner, each) => call.gives(Type::List(inner.clone(), product(length, *each))),
                _ => Expr::error(call.span),
            },
            Builtin::Join => self.join(call, element, length),
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

    /// A method with a lambda that says `true` or `false` of an element.
    fn predicate(&mut self, call: Call<'a>, element: &Type, ty: Type) -> Expr {
        let lambda = self.method_lambda(&call, element, Some(&Type::Bool));
        call.with_lambda(lambda, |_| ty)
    }

    fn join(&mut self, call: Call<'a>, element: &Type, length: LengthRange) -> Expr {
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

/// How many elements of a list there can be.
fn count(length: LengthRange) -> IntRange {
    range::as_int(LengthRange { min: 0, ..length }, LIST_ELEMENTS_MAX as u64)
}

/// Where in a list an element can stand.
fn place(length: LengthRange) -> IntRange {
    let IntRange { max, .. } = count(length);
    IntRange { min: 0, max: max.saturating_sub(1).max(0) }
}
