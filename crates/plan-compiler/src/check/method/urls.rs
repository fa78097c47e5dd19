//! Methods of URLs; those of text look at its text.

use plan_ir::builtin::Builtin;
use schema::limits::URL_LENGTH_MAX;
use schema::types::{LengthRange, Type};

use super::Call;
use super::text::URL_ENCODED_CHARS_MAX;
use crate::check::Checker;
use crate::check::text_length::URL_LENGTH;
use crate::hir::Expr;

/// The longest host that is given.
const HOST_LENGTH: LengthRange = LengthRange { min: 1, max: Some(253) };

impl<'a> Checker<'a, '_> {
    pub(super) fn url_method(&mut self, call: Call<'a>) -> Expr {
        match call.op {
            // It ends before the first colon.
            Builtin::Scheme => {
                call.gives(Type::String(LengthRange { min: 1, max: Some(URL_LENGTH_MAX - 1) }))
            }
            Builtin::Host => call.gives(Type::String(HOST_LENGTH).optional()),
            Builtin::Path => {
                call.gives(Type::String(LengthRange::up_to(URL_LENGTH_MAX * URL_ENCODED_CHARS_MAX)))
            }
            Builtin::Query => {
                let name = self.argument(&call, 0, &Type::STRING);
                // Decoding makes no text longer.
                call.with([name], Type::String(LengthRange::up_to(URL_LENGTH_MAX)).optional())
            }
            Builtin::Resolve => {
                let link = self.argument(&call, 0, &Type::STRING);
                call.with([link], Type::Url.optional())
            }
            _ => self.text_method(call, URL_LENGTH),
        }
    }
}
