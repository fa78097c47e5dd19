//! Methods of maps.

use plan_ir::builtin::Builtin;
use schema::types::{IntRange, Type};

use super::Call;
use crate::check::Checker;
use crate::hir::Expr;
use crate::prelude;
use crate::relate::{join, unrefined};

impl<'a> Checker<'a, '_> {
    pub(super) fn map_method(&mut self, call: Call<'a>, value: &Type) -> Expr {
        match call.op {
            Builtin::Len => call.gives(Type::Int(IntRange { min: 0, max: i64::MAX })),
            Builtin::IsEmpty => call.gives(Type::Bool),
            Builtin::Contains => {
                let key = self.argument(&call, 0, &Type::STRING);
                call.with([key], Type::Bool)
            }
            Builtin::Get => {
                let key = self.argument(&call, 0, &Type::STRING);
                call.with([key], value.clone().optional())
            }
            Builtin::Keys => call.gives(Type::list(Type::STRING)),
            Builtin::Values => call.gives(Type::list(value.clone())),
            Builtin::Entries => {
                let entry = prelude::entry(&self.types, value);
                let entry = self.types.intern(entry);
                call.gives(Type::list(Type::Named(entry)))
            }
            Builtin::Merge => {
                let other = self.argument(&call, 0, &Type::Map(Box::new(unrefined(value))));
                let Type::Map(other_value) = &other.ty else { return Expr::error(call.span) };
                let joined = join(value, other_value).unwrap_or_else(|| unrefined(value));
                call.with([other], Type::Map(Box::new(joined)))
            }
            Builtin::MapValues => {
                let lambda = self.method_lambda(&call, value, None);
                call.with_lambda(lambda, |body| Type::Map(Box::new(body.clone())))
            }
            _ => Expr::error(call.span),
        }
    }
}
