//! Patterns against the type they are matched with.

use std::collections::BTreeSet;

use plan_lang::ast::{self, PatternKind as Ast};
use plan_lang::{Diagnostic, Fix, Span};
use schema::types::{Type, TypeDef};
use schema::value::Value;

use super::Checker;
use super::literal::present;
use crate::codes;
use crate::hir::{Expr, ExprKind, Pattern, VarId};

/// Where arms take `null`, so that a name which a later arm binds there is something: the variants around it, from
/// outside in.
#[derive(Debug, Default)]
pub(super) struct NullsTaken(BTreeSet<Vec<u32>>);

impl NullsTaken {
    /// Adds that of an arm.
    pub(super) fn add(&mut self, pattern: &Pattern) {
        let (mut path, mut pattern) = (Vec::new(), pattern);
        loop {
            pattern = match pattern {
                Pattern::Present(inner) => inner,
                Pattern::Variant(place, Some(inner)) => {
                    path.push(*place);
                    inner
                }
                Pattern::Literal(Value::Null) => {
                    self.0.insert(path);
                    return;
                }
                _ => return,
            };
        }
    }
}

/// A place in the value that is matched.
#[derive(Clone)]
pub(super) struct At<'n> {
    taken: &'n NullsTaken,
    /// The variants around it.
    path: Vec<u32>,
}

impl<'n> At<'n> {
    /// The value itself, where the arms before are known.
    pub(super) const fn start(taken: &'n NullsTaken) -> Self {
        Self { taken, path: Vec::new() }
    }

    /// What variant `place` carries.
    fn inside(mut self, place: u32) -> Self {
        self.path.push(place);
        self
    }

    fn null_is_taken(&self) -> bool {
        self.taken.0.contains(&self.path)
    }
}

impl<'a> Checker<'a, '_> {
    /// The pattern, with its names bound in the current scope; `None` where it was reported.
    pub(super) fn pattern(&mut self, pattern: &'a ast::Pattern, ty: &Type, at: At<'_>) -> Option<Pattern> {
        match &pattern.kind {
            Ast::Error => None,
            Ast::Wildcard => Some(Pattern::Any),
            Ast::Binding(name) => Some(match ty {
                Type::Optional(inner) if at.null_is_taken() => {
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
                self.variant_pattern(of.as_ref(), variant, payload.as_deref(), ty, at, pattern.span)
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
        let report = self.never(what, ty, span);
        self.report(report);
        None
    }

    fn never(&self, what: &str, ty: &str, span: Span) -> Diagnostic {
        Diagnostic::error(codes::BAD_PATTERN, format!("no `{ty}` matches this pattern"))
            .primary(span, format!("{what} is never one"))
    }

    fn variant_pattern(
        &mut self,
        of: Option<&ast::Ident>,
        variant: &'a ast::Ident,
        payload: Option<&'a ast::Pattern>,
        ty: &Type,
        at: At<'_>,
        span: Span,
    ) -> Option<Pattern> {
        let bind_all = |this: &mut Self| {
            if let Some(payload) = payload {
                this.pattern(payload, &Type::Error, at.clone());
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
        if of.is_none()
            && let Some(meant) = self.value_as_elsewhere(&variant.name, payload, ty, &at, span)
        {
            return meant;
        }
        if !is_enum {
            let shown = self.show(ty);
            self.never_matches("a variant", &shown, span);
            return bind_all(self);
        }
        if let Some(of) = of {
            match self.enum_named(of, variant) {
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
            (Some(_), None) if self.is_unread(&inner) => return bind_all(self),
            (Some(payload), Some(ty)) => {
                Some(Box::new(self.pattern(payload, &ty, at.inside(found.place))?))
            }
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

impl<'a> Checker<'a, '_> {
    /// `None`, `Some(x)` and `True` as in languages where they are variants, with what was meant: that makes no
    /// mistakes of the other arms.
    fn value_as_elsewhere(
        &mut self,
        name: &str,
        payload: Option<&'a ast::Pattern>,
        ty: &Type,
        at: &At<'_>,
        span: Span,
    ) -> Option<Option<Pattern>> {
        let inner = present(ty);
        if self.variants(inner).iter().any(|(variant, _)| *variant == name) {
            return None;
        }
        let shown = self.show(ty);
        let never = self.never("a variant", &shown, span);
        let (report, meant) = match (name, payload, ty) {
            ("Some" | "Just", Some(payload), Type::Optional(_)) => {
                let meant = self.pattern(payload, inner, at.clone()).map(|inside| wrapped(inside, ty));
                let help =
                    "what is not there is `null`, and a name behind it binds the rest: `null => .., x => ..`";
                (never.help(help), meant)
            }
            ("None" | "Nothing" | "Nil" | "Null", None, Type::Optional(_)) => {
                let fix = Fix::maybe("write `null`").replace(span, "null");
                let help = "what is not there is `null`: `null => ..`";
                (never.help(help).fix(fix), Some(Pattern::Literal(Value::Null)))
            }
            ("True" | "False", None, _) if *inner == Type::Bool => {
                let right = name.to_lowercase();
                let fix = Fix::maybe(format!("write `{right}`")).replace(span, right.clone());
                let meant = wrapped(Pattern::Literal(Value::Bool(name == "True")), ty);
                (never.help(format!("write `{right} => ..`")).fix(fix), Some(meant))
            }
            _ => return None,
        };
        self.report(report);
        Some(meant)
    }
}

/// A name that an arm binds and that is, but for its letter case, a variant of what it binds.
pub(super) struct Lookalike<'a> {
    pub(super) var: VarId,
    pub(super) name: &'a ast::Ident,
    pub(super) variant: String,
}

impl<'a> Checker<'a, '_> {
    /// The name in `pattern`, as it is `written`, that looks like a variant of `ty`.
    pub(super) fn lookalike(
        &self,
        pattern: &Pattern,
        written: &'a ast::Pattern,
        ty: &Type,
    ) -> Option<Lookalike<'a>> {
        let (mut pattern, mut written, mut ty) = (pattern, written, ty);
        loop {
            match (pattern, &written.kind) {
                (Pattern::Present(inner), _) => (pattern, ty) = (inner, present(ty)),
                (Pattern::Variant(place, Some(inner)), Ast::Variant { payload: Some(payload), .. }) => {
                    let (_, carried) = *self.variants(ty).get(*place as usize)?;
                    (pattern, written, ty) = (inner, payload, carried?);
                }
                (Pattern::Bind(var), Ast::Binding(name)) => {
                    let variants = self.variants(present(ty)).into_iter().map(|(variant, _)| variant);
                    let null = matches!(ty, Type::Optional(_)).then_some("null");
                    let is_null =
                        |name: &str| matches!(name, "nul" | "nil" | "none" | "nothing" | "undefined");
                    let variant = variants.chain(null).find(|variant| {
                        // One in lower case was reported where it is declared.
                        let is_other_case = *variant != name.name && variant.eq_ignore_ascii_case(&name.name);
                        is_other_case || *variant == "null" && is_null(&name.name)
                    })?;
                    return Some(Lookalike { var: *var, name, variant: variant.to_owned() });
                }
                _ => return None,
            }
        }
    }

    /// Lints a name that looks like a variant, where nothing reads it. Whether it did.
    pub(super) fn lint_lookalike(&mut self, found: &Lookalike<'_>) -> bool {
        let is_read = self.body.is_used(found.var);
        self.body.mark_used(found.var);
        if is_read {
            return false;
        }
        let (name, variant) = (&found.name.name, &found.variant);
        self.report(
            Diagnostic::warning(
                codes::NAME_LIKE_VARIANT,
                format!("`{name}` takes every value, not `{variant}` alone"),
            )
            .primary(found.name.span, "a new name, that nothing reads")
            .note("a word in lower case binds what is matched")
            .meant(variant, found.name.span),
        );
        true
    }
}

/// The pattern for what an optional holds.
fn wrapped(pattern: Pattern, ty: &Type) -> Pattern {
    match ty {
        Type::Optional(_) => Pattern::Present(Box::new(pattern)),
        _ => pattern,
    }
}
