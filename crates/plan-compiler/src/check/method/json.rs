//! Methods of opaque JSON.

use plan_ir::builtin::Builtin;
use schema::types::{LengthRange, Type};

use super::Call;
use crate::check::Checker;
use crate::hir::Expr;

/// `null` or `bool` to `number`, `string` or `object`.
const KIND_LENGTH: LengthRange = LengthRange { min: 4, max: Some(6) };

impl<'a> Checker<'a, '_> {
    pub(super) fn json_method(&mut self, call: Call<'a>) -> Expr {
        match call.op {
            Builtin::Get => {
                let at = match call.args.first() {
                    Some(arg) => self.infer(&arg.value, Some(&Type::STRING)),
                    None => Expr::error(call.span),
                };
                // A place of an array, or a key of an object.
                let at = match at.ty {
                    Type::Int(_) => at,
                    _ => self.coerce(at, &Type::STRING, &"the argument of `get`"),
                };
                call.with([at], Type::Json)
            }
            Builtin::Keys => call.gives(Type::list(Type::STRING)),
            Builtin::Kind => call.gives(Type::String(KIND_LENGTH)),
            _ => Expr::error(call.span),
        }
    }
}
