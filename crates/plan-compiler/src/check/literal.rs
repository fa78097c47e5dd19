//! Literals, templates and lists.

use std::collections::BTreeMap;
use std::sync::Arc;

use plan_ir::expr::Widening;
use plan_ir::range;
use plan_lang::ast::{self, Literal, TemplatePart};
use plan_lang::{Diagnostic, Fix, Span};
use schema::amount::{Amount, Currency};
use schema::text_form::{parse_time, url_misfit};
use schema::types::{EnumWire, FloatRange, IntRange, LengthRange, Type, TypeDef};
use schema::value::{Json, Value};

use super::Checker;
use super::text_length::shown_length;
use crate::codes;
use crate::hir::{Expr, ExprKind};
use crate::program::Origin;
use crate::relate;
use crate::resolve::{article, is_broken};

/// Integers up to this size are exact as `Float` (2^53).
const EXACT_FLOAT: u64 = 1 << 53;

/// The type without its `?`.
pub(super) fn present(ty: &Type) -> &Type {
    match ty {
        Type::Optional(inner) => inner,
        other => other,
    }
}

impl<'a> Checker<'a, '_> {
    pub(super) fn literal(&mut self, literal: &Literal, span: Span, want: Option<&Type>) -> Expr {
        let want = want.map(present);
        let (value, ty) = match literal {
            Literal::Null => match want {
                Some(Type::Json) => (Value::Json(Json::Null), Type::Json),
                // Fits every optional; `let` asks for more.
                _ => (Value::Null, Type::Optional(Box::new(Type::Error))),
            },
            Literal::Bool(value) => (Value::Bool(*value), Type::Bool),
            Literal::Int(value) => match want {
                Some(Type::Float(_)) if value.unsigned_abs() <= EXACT_FLOAT => {
                    let value = *value as f64;
                    (Value::Float(value), Type::Float(FloatRange { min: value, max: value }))
                }
                _ => (Value::Int(*value), Type::Int(IntRange { min: *value, max: *value })),
            },
            Literal::Float(value) => {
                // Stored without a sign on zero, like every float.
                let value = *value + 0.0;
                (Value::Float(value), Type::Float(FloatRange { min: value, max: value }))
            }
            Literal::DurationUs(us) => (Value::Duration(*us), Type::Duration),
            Literal::Rao(units) | Literal::MicroUsd(units) => match amount(literal, *units) {
                Some(amount) => (Value::Amount(amount), Type::Amount),
                None => {
                    let report = Diagnostic::error(codes::BAD_LITERAL, "money is never negative");
                    return self.fail(span, report.primary(span, "below zero"));
                }
            },
        };
        let literal = Expr::constant(value, ty, span);
        if want == Some(&Type::Json) { to_json(literal) } else { literal }
    }

    pub(super) fn template(&mut self, template: &'a ast::Template, span: Span, want: Option<&Type>) -> Expr {
        if let Some(text) = template.as_text() {
            return self.text(text, span, want);
        }
        let mut parts = Vec::with_capacity(template.parts.len());
        let mut length = LengthRange::exactly(0);
        for part in &template.parts {
            let part = match part {
                TemplatePart::Text(text) => {
                    let count = LengthRange::exactly(text.chars().count() as u64);
                    Expr::constant(Value::string(text.as_str()), Type::String(count), span)
                }
                TemplatePart::Expr(expr) if matches!(expr.kind, ast::ExprKind::Anonymous(_)) => {
                    let report = Diagnostic::error(codes::UNDETERMINED, "braces in a text are not doubled")
                        .primary(expr.span, "the braces of a record without a name")
                        .help("write `{name}` for a value, and `\\{name\\}` for the characters");
                    self.fail(expr.span, report)
                }
                TemplatePart::Expr(expr) => {
                    let part = self.infer(expr, None);
                    self.shown(part)
                }
            };
            length = range::sum(length, shown_length(&part.ty, &self.types));
            parts.push(part);
        }
        if let ([TemplatePart::Expr(inner)], [part]) = (template.parts.as_slice(), parts.as_slice()) {
            self.lint_template(part, inner, span);
        }
        // How long the text is hangs on what was reported.
        if parts.iter().any(Expr::is_error) {
            return Expr::error(span);
        }
        let text = Expr::new(ExprKind::Template(parts), Type::String(length), span);
        if want.map(present) == Some(&Type::Json) { to_json(text) } else { text }
    }

    /// Lints `"{x}"` of a text `x`: the text itself.
    fn lint_template(&mut self, part: &Expr, inner: &ast::Expr, span: Span) {
        if !matches!(part.ty, Type::String(_)) {
            return;
        }
        let report = Diagnostic::warning(codes::NEEDLESS_TEMPLATE, "this template is a text by itself")
            .primary(span, "the same as what stands between the braces");
        // What binds less than a text in quotes would need parentheses instead.
        let is_one = matches!(
            inner.kind,
            ast::ExprKind::Name(_)
                | ast::ExprKind::Field { .. }
                | ast::ExprKind::Method { .. }
                | ast::ExprKind::Apply { .. }
                | ast::ExprKind::Index { .. }
                | ast::ExprKind::Template(_)
        );
        let quotes = Fix::safe("remove the quotes and braces")
            .delete(Span::new(span.start, inner.span.start))
            .delete(Span::new(inner.span.end, span.end));
        self.report(if is_one { report.fix(quotes) } else { report.help("leave out the quotes and braces") });
    }

    /// A value in a template; reported where it has no text of its own.
    fn shown(&mut self, part: Expr) -> Expr {
        let help = match &part.ty {
            Type::Optional(_) => "say what stands in for `null`: `{x ?? \"..\"}`",
            Type::List(element, _) if matches!(**element, Type::String(_)) => {
                "join the texts: `{xs.join(\", \")}`"
            }
            Type::List(..) | Type::Map(_) | Type::Result(..) | Type::Json => {
                "write it as JSON: `{x.to_json()}`"
            }
            Type::Bytes(_) => "octets have no text",
            Type::Named(def) => match self.types.get(*def) {
                Some(TypeDef::Enum(def)) if def.variants.iter().all(|v| v.payload.is_none()) => return part,
                _ => "write it as JSON: `{x.to_json()}`",
            },
            _ => return part,
        };
        if is_broken(&part.ty) && !relate::is_undetermined(&part.ty) {
            return Expr::error(part.span);
        }
        let shown = self.show(&part.ty);
        let report = Diagnostic::error(
            codes::NOT_SHOWN,
            format!("{} `{shown}` cannot stand in a text", article(&shown)),
        )
        .primary(part.span, format!("this is `{shown}`"))
        .help(help);
        self.fail(part.span, report)
    }

    /// A text without parts to fill in: a `Url`, `Time` or word of the Ledger where one is wanted.
    pub(super) fn text(&mut self, text: &str, span: Span, want: Option<&Type>) -> Expr {
        match want.map(present) {
            Some(Type::Url) => match url_misfit(text) {
                None => return Expr::constant(Value::string(text), Type::Url, span),
                Some(why) => {
                    return self.fail(span, no_url(text, why, span));
                }
            },
            Some(Type::Time) => match parse_time(text) {
                Some(us) => return Expr::constant(Value::Time(us), Type::Time, span),
                None => {
                    let report = Diagnostic::error(codes::BAD_LITERAL, "this text is no moment")
                        .primary(span, "expected RFC 3339, such as `2026-11-22T09:44:00Z`");
                    return self.fail(span, report);
                }
            },
            Some(Type::Named(def)) => {
                if let Some(word) = self.ledger_word(*def, text) {
                    return Expr::constant(word, Type::Named(*def), span);
                }
            }
            _ => {}
        }
        let length = LengthRange::exactly(text.chars().count() as u64);
        let literal = Expr::constant(Value::string(text), Type::String(length), span);
        if want.map(present) == Some(&Type::Json) { to_json(literal) } else { literal }
    }

    /// The variant of an enum of the Ledger whose literal in JSON is `text`: adapters write the words of
    /// a subnet's API as that does.
    fn ledger_word(&self, def: schema::types::DefId, text: &str) -> Option<Value> {
        if !matches!(self.program.origin(def), Origin::Ledger(_)) {
            return None;
        }
        let wire = serde_json::Value::from(text).to_string();
        let enumeration = self.types.enumeration(def).filter(|def| def.wire == EnumWire::Literal)?;
        let place = enumeration.variants.iter().position(|v| v.payload.is_none() && v.wire == wire)?;
        Some(Value::Variant(u32::try_from(place).ok()?, None))
    }

    pub(super) fn list(&mut self, items: &'a [ast::Expr], span: Span, want: Option<&Type>) -> Expr {
        let want =
            want.map(present).and_then(|want| self.member_of_kind(want, |ty| matches!(ty, Type::List(..))));
        let element = match &want {
            Some(Type::List(element, _)) => Some((**element).clone()),
            Some(Type::Json) => want.clone(),
            // The list does not fit its place: that is the mistake, not what its elements lack.
            Some(_) => Some(Type::Error),
            None => None,
        };
        let mut values = Vec::new();
        for item in items {
            values.push(match &element {
                Some(Type::Json) => self.json_value(item),
                Some(element) => self.check(item, element, &"an element of this list"),
                None => self.infer(item, None),
            });
        }
        let length = LengthRange::exactly(values.len() as u64);
        let ty = match element {
            Some(element) => values
                .iter()
                .try_fold(Type::Error, |joined, value| relate::join(&joined, &value.ty))
                .unwrap_or(element),
            None => match self.unify(&mut values, "an element of this list") {
                Some(ty) => ty,
                None => return Expr::error(span),
            },
        };
        let list = Expr::new(ExprKind::List(values), Type::List(Box::new(ty), length), span);
        if want == Some(Type::Json) { to_json(list) } else { list }
    }

    /// Gives all `values` one type; reports the first that has none in common with those before it.
    pub(super) fn unify(&mut self, values: &mut [Expr], what: &str) -> Option<Type> {
        let mut joined = Type::Error;
        for value in values.iter() {
            match relate::join(&joined, &value.ty) {
                Some(ty) => joined = ty,
                None => {
                    let (found, before) = self.show_apart(&value.ty, &joined);
                    self.report(
                        Diagnostic::error(
                            codes::MISMATCH,
                            format!("{what} must be `{before}`, not `{found}`"),
                        )
                        .primary(value.span, format!("this is `{found}`"))
                        .secondary(
                            values.first().map_or(value.span, |v| v.span),
                            format!("this is `{before}`"),
                        ),
                    );
                    return None;
                }
            }
        }
        // What was reported might have told the type.
        if relate::is_undetermined(&joined) && values.iter().any(Expr::is_error) {
            return Some(Type::Error);
        }
        for value in values.iter_mut() {
            if let Ok(conversion) = self.convert(&value.ty, &joined)
                && conversion != relate::Conversion::Identity
            {
                let taken = std::mem::replace(value, Expr::error(value.span));
                *value = self.apply_conversion(taken, &conversion, &joined);
            }
        }
        Some(joined)
    }

    /// An expression where opaque JSON is built: whatever it is, it becomes JSON.
    pub(super) fn json_value(&mut self, expr: &'a ast::Expr) -> Expr {
        to_json(self.infer(expr, Some(&Type::Json)))
    }

    /// Of a union, the one member of a kind; of any other type, itself.
    pub(super) fn member_of_kind(&self, ty: &Type, is_kind: impl Fn(&Type) -> bool) -> Option<Type> {
        let Type::Named(def) = ty else { return Some(ty.clone()) };
        match self.types.get(*def) {
            Some(TypeDef::Enum(def)) if def.wire == EnumWire::Untagged => {
                let mut members =
                    def.variants.iter().filter_map(|v| v.payload.as_ref()).filter(|ty| is_kind(ty));
                match (members.next(), members.next()) {
                    (Some(only), None) => Some(only.clone()),
                    _ => None,
                }
            }
            _ => Some(ty.clone()),
        }
    }
}

/// What keeps a text from being a URL, mostly its scheme.
fn no_url(text: &str, why: String, span: Span) -> Diagnostic {
    let report = Diagnostic::error(codes::BAD_LITERAL, "this text is no URL");
    if text.contains("://") || text.starts_with(['/', '.', '#', '?']) || text.is_empty() {
        return report.primary(span, why);
    }
    let report = report
        .primary(span, "it does not say how to get there")
        .help("a URL starts with its scheme: `https://example.com`");
    // Behind the one quote of a text without escapes.
    if span.len() as usize == text.len() + 2 && url_misfit(&format!("https://{text}")).is_none() {
        return report.fix(Fix::maybe("add `https://`").insert(span.start + 1, "https://"));
    }
    report
}

/// The value as opaque JSON.
pub(super) fn to_json(value: Expr) -> Expr {
    if matches!(value.ty, Type::Json | Type::Error) {
        return value;
    }
    let span = value.span;
    match value.kind {
        ExprKind::Const(constant) => match constant_json(&constant) {
            Some(json) => Expr::constant(Value::Json(json), Type::Json, span),
            None => {
                let inner = Expr::constant(constant, value.ty, span);
                Expr::new(ExprKind::Widen(Box::new(inner), Widening::ToJson), Type::Json, span)
            }
        },
        _ => Expr::new(ExprKind::Widen(Box::new(value), Widening::ToJson), Type::Json, span),
    }
}

/// JSON whose form does not depend on the type.
fn constant_json(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => Json::Int(*value),
        Value::String(text) => Json::String(text.clone()),
        Value::Json(json) => json.clone(),
        Value::List(items) if items.is_empty() => Json::Array(Arc::new([])),
        Value::Map(entries) if entries.is_empty() => Json::Object(Arc::new(BTreeMap::new())),
        _ => return None,
    })
}

fn amount(literal: &Literal, units: i64) -> Option<Amount> {
    let currency = match literal {
        Literal::Rao(_) => Currency::Rao,
        _ => Currency::MicroUsd,
    };
    Some(Amount::new(u64::try_from(units).ok()?, currency))
}
