//! `Stance.Ahead`, `Ahead`, `Ok(x)`: values of enums and results.

use plan_lang::{Diagnostic, Fix, Span, ast, suggest};
use schema::types::{DefId, Type};

use super::Checker;
use super::literal::present;
use crate::codes;
use crate::hir::{Expr, ExprKind};
use crate::program::TypeName;
use crate::relate;
use crate::resolve::{Lookup, ambiguous, article, listed, lookup};
use crate::sink::CANDIDATES_MAX;

/// What a variant name was found to be.
pub(super) struct FoundVariant {
    pub(super) place: u32,
    pub(super) payload: Option<Type>,
}

/// The variant of `Result` that other languages call `name`.
fn side_of_result(name: &str) -> Option<&'static str> {
    match name {
        "Okay" | "Success" | "Succeeded" | "Value" | "Right" | "Some" => Some("Ok"),
        "Error" | "Failure" | "Failed" | "Fail" | "Left" | "None" => Some("Err"),
        _ => None,
    }
}

/// What other languages call `null`.
fn is_nothing(name: &str) -> bool {
    matches!(name, "None" | "Nothing" | "Null" | "NULL" | "Nil")
}

/// What is meant by a name in upper case that other languages have.
fn written_here(name: &str) -> Option<&'static str> {
    Some(match name {
        "True" => "write `true`",
        "False" => "write `false`",
        name if is_nothing(name) => "what is not there is `null`",
        "Some" | "Just" => "a value that is there is written as it is",
        "Int" => "`x.to_int()` reads a text, `.round()` rounds, and `x as Int` decodes JSON",
        "Float" => {
            "`x.to_float()` reads a text or takes the nearest to an `Int`, and `x as Float` decodes JSON"
        }
        "String" => "write it as text: `\"{x}\"`",
        "Bool" | "Url" | "Time" | "Duration" | "Amount" | "Json" | "Bytes" => {
            "a type stands behind `as`: `x as T`"
        }
        _ => return None,
    })
}

impl<'a> Checker<'a, '_> {
    pub(super) fn variant(
        &mut self,
        of: Option<&'a ast::Ident>,
        variant: &'a ast::Ident,
        payload: Option<&'a ast::Expr>,
        span: Span,
        want: Option<&Type>,
    ) -> Expr {
        let is_null = of.is_none() && self.is_null_elsewhere(variant, want);
        let want = want.map(present);
        let ty = match (of, want) {
            _ if variant.is_missing() => None,
            (None, Some(ty)) if is_null => {
                let message = format!("`{}` has no variant `{}`", self.show(ty), variant.name);
                let report = Diagnostic::error(codes::UNKNOWN_VARIANT, message);
                self.report(report.primary(variant.span, "unknown variant").meant("null", variant.span));
                None
            }
            (None, Some(Type::Result(..))) => want.cloned(),
            (None, _) if matches!(variant.name.as_str(), "Ok" | "Err") => {
                return self.undirected_result(variant, payload, span);
            }
            (Some(of), _) => self.enum_named(of, variant),
            // Where it stands was reported.
            (None, Some(Type::Error)) => None,
            (None, Some(Type::Named(def))) if self.types.enumeration(*def).is_some() => want.cloned(),
            (None, _) => {
                let report = self.bare_variant(variant);
                self.report(report);
                None
            }
        };
        let Some(ty) = ty else {
            payload.into_iter().for_each(|payload| self.look_at(payload));
            return Expr::error(span);
        };
        match self.find_variant(&ty, variant) {
            Some(found) => self.variant_value(ty, variant, found, payload, span),
            None => {
                payload.into_iter().for_each(|payload| self.look_at(payload));
                Expr::error(span)
            }
        }
    }

    /// Whether other languages write `null` so, where it may stand, and no variant has that name.
    fn is_null_elsewhere(&self, variant: &ast::Ident, want: Option<&Type>) -> bool {
        let Some(Type::Optional(inner)) = want else { return false };
        let is_enum = matches!(**inner, Type::Named(def) if self.types.enumeration(def).is_some());
        is_enum
            && is_nothing(&variant.name)
            && !self.variants(inner).iter().any(|(name, _)| *name == variant.name)
    }

    fn variant_value(
        &mut self,
        ty: Type,
        variant: &ast::Ident,
        found: FoundVariant,
        payload: Option<&'a ast::Expr>,
        span: Span,
    ) -> Expr {
        let name = &variant.name;
        let inner = match (payload, &found.payload) {
            (None, None) => None,
            (payload, wanted) if payload.is_some() != wanted.is_some() && self.is_unread(&ty) => {
                payload.into_iter().for_each(|payload| self.look_at(payload));
                return Expr::error(span);
            }
            (Some(payload), Some(wanted)) => {
                Some(Box::new(self.check(payload, wanted, &format_args!("the payload of `{name}`"))))
            }
            (None, Some(wanted)) => {
                let shown = self.show(wanted);
                let report = Diagnostic::error(
                    codes::PAYLOAD,
                    format!("`{name}` carries {} `{shown}`", article(&shown)),
                )
                .primary(variant.span, "its payload is missing")
                .help(format!("write `{name}(..)`"));
                return self.fail(span, report);
            }
            (Some(payload), None) => {
                self.look_at(payload);
                let report = Diagnostic::error(codes::PAYLOAD, format!("`{name}` carries nothing"))
                    .primary(payload.span, "not expected")
                    .help(format!("write `{name}`"));
                return self.fail(span, report);
            }
        };
        Expr::new(ExprKind::Variant(found.place, inner), ty, span)
    }

    /// `Ok(x)` where nothing tells the type of the other side.
    fn undirected_result(
        &mut self,
        variant: &ast::Ident,
        payload: Option<&'a ast::Expr>,
        span: Span,
    ) -> Expr {
        let Some(payload) = payload else {
            let report = Diagnostic::error(codes::PAYLOAD, format!("`{}` carries a value", variant.name));
            return self.fail(span, report.primary(span, "its payload is missing"));
        };
        let inner = self.infer(payload, None);
        if inner.is_error() {
            return Expr::error(span);
        }
        let known = Box::new(inner.ty.clone());
        let (place, ty) = match variant.name.as_str() {
            "Ok" => (0, Type::Result(known, Box::new(Type::Error))),
            _ => (1, Type::Result(Box::new(Type::Error), known)),
        };
        Expr::new(ExprKind::Variant(place, Some(Box::new(inner))), ty, span)
    }

    /// The enum called `of`, which stands before `variant`.
    pub(super) fn enum_named(&mut self, of: &ast::Ident, variant: &ast::Ident) -> Option<Type> {
        let module = self.module()?;
        let found = lookup(module, &of.name);
        match found {
            Lookup::Found(TypeName::Def(def)) if self.types.enumeration(def).is_some() => {
                Some(Type::Named(def))
            }
            Lookup::Found(TypeName::Broken) => None,
            Lookup::Unknown if module.broken_import || of.is_missing() => None,
            Lookup::Ambiguous => {
                self.report(ambiguous(of));
                None
            }
            Lookup::Found(TypeName::Def(_)) => {
                let report = Diagnostic::error(codes::UNKNOWN_TYPE, format!("`{}` is no enum", of.name));
                self.report(report.primary(of.span, "expected an enum"));
                None
            }
            Lookup::Unknown if matches!(of.name.as_str(), "Result" | "CallError") => {
                let message = format!("a variant of `{}` is written without its type", of.name);
                let before = Span::new(of.span.start, variant.span.start);
                self.report(
                    Diagnostic::error(codes::UNKNOWN_TYPE, message)
                        .primary(of.span, "not expected")
                        .fix(Fix::maybe(format!("write `{}`", variant.name)).delete(before)),
                );
                None
            }
            Lookup::Unknown => {
                let report =
                    Diagnostic::error(codes::UNKNOWN_TYPE, format!("there is no enum `{}`", of.name))
                        .primary(of.span, "unknown enum");
                let names = module.types.all().keys().chain(module.brought.keys()).map(String::as_str);
                let report = self.sink.did_you_mean(report, &of.name, of.span, names);
                self.report(report);
                None
            }
        }
    }

    /// The variants of an enum or a result, with what they carry.
    pub(super) fn variants<'t>(&'t self, ty: &'t Type) -> Vec<(&'t str, Option<&'t Type>)> {
        match ty {
            Type::Result(ok, err) => vec![("Ok", Some(&**ok)), ("Err", Some(&**err))],
            Type::Named(def) => self.types.enumeration(*def).map_or_else(Vec::new, |def| {
                def.variants.iter().map(|v| (v.name.as_str(), v.payload.as_ref())).collect()
            }),
            _ => Vec::new(),
        }
    }

    /// The variant of `ty`; reported where there is none.
    pub(super) fn find_variant(&mut self, ty: &Type, variant: &ast::Ident) -> Option<FoundVariant> {
        let variants = self.variants(ty);
        let mut named = variants.iter().zip(0_u32..).filter(|((name, _), _)| *name == variant.name);
        if let Some(((_, payload), place)) = named.next() {
            return Some(FoundVariant { place, payload: payload.cloned() });
        }
        if self.is_unread(ty) {
            return None;
        }
        let shown = self.show(ty);
        let names: Vec<&str> = variants.iter().map(|(name, _)| *name).collect();
        let report =
            Diagnostic::error(codes::UNKNOWN_VARIANT, format!("`{shown}` has no variant `{}`", variant.name))
                .primary(variant.span, "unknown variant")
                .note(format!("`{shown}` has: {}", listed(&names)));
        self.report(match side_of_result(&variant.name).filter(|_| matches!(ty, Type::Result(..))) {
            Some(side) => report.meant(side, variant.span),
            None if is_nothing(&variant.name) => report.help(format!(
                "what is not there is `null`, which is a value of `{shown}?` and not of `{shown}`"
            )),
            None => self.sink.did_you_mean(report, &variant.name, variant.span, names),
        });
        None
    }

    /// Whether `ty` is an enum or a record that may have variants or fields besides those that could be read.
    pub(super) fn is_unread(&self, ty: &Type) -> bool {
        matches!(present(ty), Type::Named(def) if self.program.unread.contains(def))
    }

    /// `Mood.god`, `Mood.mixed(1)`: a name in lower case behind an enum is a misspelt variant, and reported as one.
    pub(super) fn is_misspelt_variant(&mut self, base: &ast::Expr, member: &ast::Ident) -> bool {
        let ast::ExprKind::Variant { of: None, variant: of, payload: None } = &base.kind else {
            return false;
        };
        let def = self.module().and_then(|module| match lookup(module, &of.name) {
            Lookup::Found(TypeName::Def(def)) => Some(def),
            _ => None,
        });
        let Some(def) = def.filter(|def| self.types.enumeration(*def).is_some()) else { return false };
        if !member.is_missing() {
            self.find_variant(&Type::Named(def), member);
        }
        true
    }

    /// The enum, or the variant with its enum, that is called `name` but for its letter case.
    pub(super) fn upper_case_of(&self, name: &str) -> Option<String> {
        let module = self.module()?;
        let is_same = |other: &str| other.eq_ignore_ascii_case(name);
        let declared = module.types.all().iter().filter_map(|(of, found)| match found {
            TypeName::Def(def) => Some((of, *def)),
            TypeName::Broken => None,
        });
        let brought = module.brought.iter().filter_map(|(of, defs)| match defs.as_slice() {
            [def] => Some((of, *def)),
            _ => None,
        });
        declared.chain(brought).take(CANDIDATES_MAX).find_map(|(of, def)| {
            let found = self.types.enumeration(def)?;
            let variant = || found.variants.iter().find(|variant| is_same(&variant.name));
            if is_same(of) {
                Some(of.clone())
            } else {
                variant().map(|variant| format!("{of}.{}", variant.name))
            }
        })
    }

    /// An upper-case name whose enum nothing tells.
    fn bare_variant(&self, variant: &ast::Ident) -> Diagnostic {
        let name = &variant.name;
        let report =
            Diagnostic::error(codes::UNKNOWN_VARIANT, format!("nothing tells which enum `{name}` is of"));
        let report = report.primary(variant.span, "a variant without its enum");
        let Some(module) = self.module() else { return report };
        let known = |found: &TypeName| match found {
            TypeName::Def(def) => Some(*def),
            TypeName::Broken => None,
        };
        if let Lookup::Found(TypeName::Def(def)) = lookup(module, name)
            && self.types.record(def).is_some()
        {
            return report.help(format!("`{name}` is a record: write `{name} {{ .. }}`"));
        }
        let has_variant =
            |def: &DefId| self.types.enumeration(*def).is_some_and(|e| e.variant(name).is_some());
        let declared =
            module.types.all().iter().filter(|(_, found)| known(found).as_ref().is_some_and(has_variant));
        let declared = declared.map(|(of, _)| of);
        let brought = || module.brought.iter().filter(|(_, defs)| defs.iter().any(has_variant));
        let ambiguous = brought().map(|(of, _)| of).next();
        let brought = brought().filter(|(_, defs)| defs.len() == 1).map(|(of, _)| of);
        match declared.chain(brought).next() {
            Some(of) => report.help(format!("write `{of}.{name}`")).fix(
                Fix::maybe(format!("write `{of}.{name}`")).replace(variant.span, format!("{of}.{name}")),
            ),
            None if let Some(help) = written_here(name) => report.help(help),
            None => match ambiguous {
                Some(of) => report.help(format!(
                    "several imported operations bring a type `{of}`: import the one that is meant, `use snN {{ {of} as Name }}`"
                )),
                None => {
                    let declared = module.types.all().iter().filter_map(|(of, found)| Some((of, known(found)?)));
                    let brought = module.brought.iter().filter_map(|(of, defs)| match defs.as_slice() {
                        [def] => Some((of, *def)),
                        _ => None,
                    });
                    self.nearest_variant(report, variant, declared.chain(brought))
                }
            },
        }
    }

    /// The variant of any of these enums that a misspelt one was meant to be.
    fn nearest_variant<'n>(
        &self,
        report: Diagnostic,
        variant: &ast::Ident,
        enums: impl Iterator<Item = (&'n String, DefId)>,
    ) -> Diagnostic {
        let of_enum = |(of, def): (&'n String, DefId)| {
            let variants = self.types.enumeration(def).map_or(&[][..], |found| &found.variants);
            variants.iter().map(move |variant| (variant.name.as_str(), of))
        };
        let all: Vec<(&str, &String)> = enums.flat_map(of_enum).take(CANDIDATES_MAX).collect();
        let near = suggest(&variant.name, all.iter().map(|(name, _)| *name));
        match near.and_then(|near| all.iter().find(|(name, _)| *name == near)) {
            Some((name, of)) => report.meant(&format!("{of}.{name}"), variant.span),
            None => report.help("no enum of this file has such a variant"),
        }
    }

    /// Reports an expression whose type nothing tells.
    pub(super) fn determined(&mut self, expr: Expr) -> Expr {
        if !relate::is_undetermined(&expr.ty) {
            return expr;
        }
        let report = Diagnostic::error(codes::UNDETERMINED, "nothing tells the type of this value")
            .primary(expr.span, "needs a type")
            .help("write it: `let x: [String] = []`, `let x: String? = null`");
        self.fail(expr.span, report)
    }
}
