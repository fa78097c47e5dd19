//! `x as T`.

use plan_ir::expr::Widening;
use plan_lang::{Diagnostic, Fix, Span, ast};
use schema::types::{EnumDef, EnumWire, Type, TypeDefs};

use super::Checker;
use super::literal::{present, to_json};
use super::out_of_range::takes_postfix;
use crate::codes;
use crate::hir::{Expr, ExprKind};
use crate::relate::Conversion;
use crate::resolve::article;

/// Whether values of one type may stand for values of another.
enum Castable {
    /// Some do.
    Maybe,
    /// None ever does.
    Never,
    /// The pair has no meaning.
    No,
}

impl<'a> Checker<'a, '_> {
    pub(super) fn cast(&mut self, value: &'a ast::Expr, ty: &'a ast::Type, span: Span) -> Expr {
        let target = self.ty(ty);
        if let ast::ExprKind::Call(call) = &value.kind
            && let Some(report) = self.asked_too_late(call, ty.span)
        {
            let failed = self.fail(span, report);
            return Expr { ty: target, ..failed };
        }
        // What is written out as JSON needs no type of its own.
        let want = matches!(target, Type::Json).then_some(&target);
        let value = self.infer(value, want);
        if value.is_error() || matches!(target, Type::Error) {
            return Expr { ty: target, ..Expr::error(span) };
        }
        if let Ok(conversion) = self.convert(&value.ty, &target) {
            return match conversion {
                Conversion::Identity => {
                    let ty = crate::relate::narrowed(&target, &value.ty);
                    let effect = value.effect;
                    let kind = ExprKind::Widen(Box::new(value), Widening::Identity);
                    Expr { kind, ty, span, effect }
                }
                conversion => self.apply_conversion(value, &conversion, &target),
            };
        }
        if matches!(target, Type::Json) {
            return to_json(value);
        }
        let value = if are_plain_enums(&value.ty, &target, &self.types) { to_json(value) } else { value };
        match castable(&value.ty, &target, &self.types) {
            Castable::Maybe => self.decoded_text(value, &target, span),
            Castable::Never => {
                let (found, wanted) = self.show_apart(&value.ty, &target);
                let message = format!("no `{found}` is ever {} `{wanted}`", article(&wanted));
                let report = Diagnostic::error(codes::BAD_CAST, message)
                    .primary(ty.span, "out of reach")
                    .secondary(value.span, format!("this is `{found}`"));
                self.fail(span, report)
            }
            Castable::No => {
                let report = self.no_cast(&value, &target, ty.span);
                self.fail(span, report)
            }
        }
    }

    fn no_cast(&self, value: &Expr, target: &Type, at: Span) -> Diagnostic {
        let (found, wanted) = self.show_apart(&value.ty, target);
        let report = Diagnostic::error(
            codes::BAD_CAST,
            format!("{} `{found}` cannot be decoded as `{wanted}`", article(&found)),
        )
        .primary(at, "no decode leads here")
        .secondary(value.span, format!("this is `{found}`"))
        .note(
            "`as` decodes `Json` to any type but `Result`, `String` to `Url`, `Time`, `Duration`, `Amount` or an enum, an enum \
             to another that has variants in common with it, and checks whether a value lies in a narrower range",
        );
        match (&value.ty, present(target)) {
            (Type::Json, Type::Result(..)) => {
                report.help("decode what it is if all went well, or look into it first: `.get(\"ok\")`")
            }
            (Type::Int(_), Type::Float(_)) => {
                let report = report.help("take the nearest `Float` by `.to_float()`");
                if takes_postfix(value) && *present(target) == Type::FLOAT {
                    let cast = Span::new(value.span.end, at.end);
                    report.fix(Fix::maybe("write `.to_float()`").replace(cast, ".to_float()"))
                } else {
                    report
                }
            }
            (Type::Float(_), Type::Int(_)) => report.help("round it: `.round()`, `.floor()` or `.ceil()`"),
            (Type::String(_), Type::Int(_)) => {
                report.help("read it: `.to_int()`, which is `null` where the text is no number")
            }
            (Type::String(_), Type::Float(_)) => {
                report.help("read it: `.to_float()`, which is `null` where the text is no number")
            }
            (_, Type::String(_)) => report.help("write it as text: `\"{x}\"`, or as JSON: `x.to_json()`"),
            (Type::Named(def), _) if is_union(*def, &self.types) => {
                report.help("look at its members by `match`")
            }
            _ => report,
        }
    }
}

fn is_union(def: schema::types::DefId, defs: &TypeDefs) -> bool {
    defs.enumeration(def).is_some_and(|def| def.wire == EnumWire::Untagged)
}

/// Whether both are enums that are written as text, and some text is of both: operations have enums of their own
/// for what plans take for the same.
fn are_plain_enums(from: &Type, to: &Type, defs: &TypeDefs) -> bool {
    let plain = |ty: &Type| match ty {
        Type::Named(def) => defs.enumeration(*def).filter(|def| def.wire == EnumWire::Literal),
        _ => None,
    };
    let (Some(from), Some(to)) = (plain(from), plain(to)) else { return false };
    let texts = |def: &EnumDef| -> Vec<_> {
        def.variants.iter().filter(|v| v.payload.is_none()).map(|v| v.wire.clone()).collect()
    };
    let wanted = texts(to);
    texts(from).iter().any(|wire| wanted.contains(wire))
}

/// Whether a text may be one of its variants.
pub(super) fn is_read_from_text(def: &EnumDef) -> bool {
    def.wire == EnumWire::Literal && def.variants.iter().any(|variant| variant.payload.is_none())
}

fn castable(from: &Type, to: &Type, defs: &TypeDefs) -> Castable {
    let overlap = |overlaps: bool| if overlaps { Castable::Maybe } else { Castable::Never };
    match (from, to) {
        (Type::Error, _) | (_, Type::Error) => Castable::Maybe,
        (Type::Json, Type::Result(..)) => Castable::No,
        (Type::Json, _) => Castable::Maybe,
        (Type::Optional(from), Type::Optional(to)) => castable(from, to, defs),
        (_, Type::Optional(to)) => castable(from, to, defs),
        (Type::Optional(from), _) if from.as_ref() == to => Castable::Maybe,
        (Type::Optional(from), _) => castable(from, to, defs),
        (Type::String(_), Type::Url | Type::Time | Type::Duration | Type::Amount | Type::Bytes(_)) => {
            Castable::Maybe
        }
        (Type::Url, Type::String(_)) => Castable::Maybe,
        (Type::String(_), Type::Named(def)) => match defs.enumeration(*def).is_some_and(is_read_from_text) {
            true => Castable::Maybe,
            false => Castable::No,
        },
        (Type::Int(a), Type::Int(b)) => overlap(a.min <= b.max && b.min <= a.max),
        (Type::Float(a), Type::Float(b)) => overlap(a.min <= b.max && b.min <= a.max),
        (Type::String(a), Type::String(b)) | (Type::Bytes(a), Type::Bytes(b)) => {
            overlap(a.min <= b.max.unwrap_or(u64::MAX) && b.min <= a.max.unwrap_or(u64::MAX))
        }
        (Type::List(from, a), Type::List(to, b)) => {
            let lengths = a.min <= b.max.unwrap_or(u64::MAX) && b.min <= a.max.unwrap_or(u64::MAX);
            match castable_or_same(from, to, defs) {
                Castable::Maybe => overlap(lengths),
                other => other,
            }
        }
        (Type::Map(from), Type::Map(to)) => castable_or_same(from, to, defs),
        _ => Castable::No,
    }
}

fn castable_or_same(from: &Type, to: &Type, defs: &TypeDefs) -> Castable {
    if from == to { Castable::Maybe } else { castable(from, to, defs) }
}
