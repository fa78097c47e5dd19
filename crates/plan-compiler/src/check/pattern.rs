//! Patterns against the type they are matched with.

use plan_lang::ast::{self, PatternKind as Ast};
use plan_lang::{Diagnostic, Span};
use schema::types::{Type, TypeDef};
use schema::value::Value;

use super::Checker;
use super::literal::present;
use crate::codes;
use crate::hir::{Expr, ExprKind, Pattern};

impl<'a> Checker<'a, '_> {
    /// The pattern, with its names bound in the current scope; `None` where it was reported.
    /// `null_done`: an arm before takes `null`, so what is bound here is not.
    pub(super) fn pattern(
        &mut self,
        pattern: &'a ast::Pattern,
        ty: &Type,
        null_done: bool,
    ) -> Option<Pattern> {
        match &pattern.kind {
            Ast::Error => None,
            Ast::Wildcard => Some(Pattern::Any),
            Ast::Binding(name) => Some(match ty {
                Type::Optional(inner) if null_done => {
                    Pattern::Present(Box::new(Pattern::Bind(self.body.bind(name, (**inner).clone()))))
                }
                _ => Pattern::Bind(self.body.bind(name, ty.clone())),
            }),
            Ast::Literal(ast::Literal::Null) => match ty {
                Type::Optional(_) | Type::Json | Type::Error => Some(Pattern::Literal(Value::Null)),
                _ => {
                    let shown = self.show(ty);
                    self.never_matches("`null`", &shown, pattern.span)
                }
            },
            Ast::Literal(literal) => {
                let value = self.literal(literal, pattern.span, Some(ty));
                self.literal_pattern(value, ty, pattern.span)
            }
            Ast::Text(text) => {
                let value = self.text(text, pattern.span, Some(ty));
                self.literal_pattern(value, ty, pattern.span)
            }
            Ast::Variant { of, variant, payload } => {
                self.variant_pattern(of.as_ref(), variant, payload.as_deref(), ty, pattern.span)
            }
        }
    }

    fn literal_pattern(&mut self, value: Expr, ty: &Type, span: Span) -> Option<Pattern> {
        if value.is_error() {
            return None;
        }
        let shown = self.show(ty);
        let inner = present(ty);
        if matches!(inner, Type::Json) {
            return self.never_matches("undecoded JSON", &shown, span);
        }
        let Ok(conversion) = self.convert(&value.ty, inner) else {
            return self.never_matches("this value", &shown, span);
        };
        let value = self.apply_conversion(value, &conversion, inner);
        let ExprKind::Const(value) = value.kind else {
            return self.never_matches("this value", &shown, span);
        };
        // A word of the Ledger in text form is a variant.
        let pattern = match value {
            Value::Variant(place, None) => Pattern::Variant(place, None),
            value => Pattern::Literal(value),
        };
        Some(wrapped(pattern, ty))
    }

    fn never_matches(&mut self, what: &str, ty: &str, span: Span) -> Option<Pattern> {
        let report = Diagnostic::error(codes::BAD_PATTERN, format!("no `{ty}` matches this pattern"));
        self.report(report.primary(span, format!("{what} is never one")));
        None
    }

    fn variant_pattern(
        &mut self,
        of: Option<&ast::Ident>,
        variant: &'a ast::Ident,
        payload: Option<&'a ast::Pattern>,
        ty: &Type,
        span: Span,
    ) -> Option<Pattern> {
        let bind_all = |this: &mut Self| {
            if let Some(payload) = payload {
                this.pattern(payload, &Type::Error, false);
            }
            None
        };
        let inner = present(ty).clone();
        let is_enum = match &inner {
            Type::Error => return bind_all(self),
            Type::Result(..) => true,
            Type::Named(def) => matches!(self.types.get(*def), Some(TypeDef::Enum(_))),
            _ => false,
        };
        if variant.is_missing() {
            return bind_all(self);
        }
        if !is_enum {
            let shown = self.show(ty);
            self.never_matches("a variant", &shown, span);
            return bind_all(self);
        }
        if let Some(of) = of {
            match self.enum_named(of) {
                Some(named) if named == inner => {}
                Some(_) => {
                    let shown = self.show(&inner);
                    let what = format!("a variant of `{}`", of.name);
                    self.never_matches(&what, &shown, of.span);
                    return bind_all(self);
                }
                None => return bind_all(self),
            }
        }
        let Some(found) = self.find_variant(&inner, variant) else { return bind_all(self) };
        let sub = match (payload, found.payload) {
            (None, _) => None,
            (Some(payload), Some(ty)) => Some(Box::new(self.pattern(payload, &ty, false)?)),
            (Some(payload), None) => {
                let report = Diagnostic::error(codes::PAYLOAD, format!("`{}` carries nothing", variant.name));
                self.report(
                    report.primary(payload.span, "not expected").help(format!("write `{}`", variant.name)),
                );
                return bind_all(self);
            }
        };
        Some(wrapped(Pattern::Variant(found.place, sub), ty))
    }
}

/// The pattern for what an optional holds.
fn wrapped(pattern: Pattern, ty: &Type) -> Pattern {
    match ty {
        Type::Optional(_) => Pattern::Present(Box::new(pattern)),
        _ => pattern,
    }
}
