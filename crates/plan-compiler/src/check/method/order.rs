//! Methods that order or total a list.

use plan_ir::builtin::Builtin;
use plan_ir::range::{summed, summed_float, taken};
use schema::types::{FloatRange, LengthRange, Type};

use super::Call;
use crate::check::Checker;
use crate::hir::Expr;

impl<'a> Checker<'a, '_> {
    pub(super) fn ordering_method(&mut self, call: Call<'a>, element: &Type, length: LengthRange) -> Expr {
        let same = |length| Type::List(Box::new(element.clone()), length);
        match call.op {
            Builtin::Sort | Builtin::Reverse => call.gives(same(length)),
            Builtin::Min | Builtin::Max => call.gives(element.clone().optional()),
            Builtin::Sum => call.gives(total(element, length)),
            Builtin::Average => call.gives(mean(element).optional()),
            Builtin::SortBy => {
                let lambda = self.key_lambda(&call, element);
                call.with_lambda(lambda, |_| same(length))
            }
            Builtin::MinBy | Builtin::MaxBy => {
                let lambda = self.key_lambda(&call, element);
                call.with_lambda(lambda, |_| element.clone().optional())
            }
            Builtin::Top => {
                let (n, by) = self.int_argument(&call, 0);
                let lambda = self.key_lambda(&call, element);
                let call_with_n = |ty: Type, lambda| {
                    super::builtin(call.op, vec![call.receiver, n], Some(lambda), ty, call.span)
                };
                match lambda {
                    Some(lambda) => call_with_n(same(taken(length, by)), lambda),
                    None => Expr::error(call.span),
                }
            }
            _ => self.grouping_method(call, element, length),
        }
    }
}

fn total(element: &Type, length: LengthRange) -> Type {
    match element {
        Type::Int(each) => Type::Int(summed(length, *each)),
        Type::Float(each) => Type::Float(summed_float(length, *each)),
        other => other.clone(),
    }
}

/// The average lies between the elements, as floats.
fn mean(element: &Type) -> Type {
    match element {
        Type::Int(each) => Type::Float(FloatRange { min: each.min as f64, max: each.max as f64 }),
        other => other.clone(),
    }
}
