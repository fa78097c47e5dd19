//! Conversions, and the messages where there is none.

use std::fmt::Display;

use plan_ir::builtin::Builtin;
use plan_ir::expr::Widening;
use plan_lang::{Diagnostic, Fix, Span, suggest, written_name};
use schema::types::{DefId, EnumWire, Type, VariantDef};
use schema::value::{Json, Value};

use super::Checker;
use super::cast::is_read_from_text;
use super::literal::present;
use super::out_of_range::takes_postfix;
use super::policy_value::{AMOUNTS, DURATIONS, with_units};
use crate::codes;
use crate::hir::{Expr, ExprKind, Lambda, Match, Pattern};
use crate::program::Module;
use crate::relate::{Conversion, Misfit, unrefined};
use crate::resolve::{Lookup, is_broken, lookup};

impl Checker<'_, '_> {
    /// `expr` as a `target`, or what is wrong with it. `what` names its place.
    pub(super) fn coerce(&mut self, expr: Expr, target: &Type, what: &dyn Display) -> Expr {
        match self.convert(&expr.ty, target) {
            Ok(conversion) => self.apply_conversion(expr, &conversion, target),
            Err(misfit) => {
                let report = self.misfit(valued(&expr), target, what, misfit);
                self.fail(expr.span, report)
            }
        }
    }

    /// Does what [`crate::relate::convert`] found.
    pub(super) fn apply_conversion(&mut self, expr: Expr, conversion: &Conversion, target: &Type) -> Expr {
        let span = expr.span;
        let target = match (conversion, target) {
            (Conversion::Identity, _) => return expr,
            (Conversion::Present(_), _) => target,
            (_, Type::Optional(inner)) => inner,
            _ => target,
        };
        match conversion {
            Conversion::Identity => expr,
            Conversion::IntToFloat => {
                let ty = crate::relate::narrowed(target, &expr.ty);
                match expr.kind {
                    ExprKind::Const(Value::Int(value)) => {
                        Expr::constant(Value::Float(value as f64), ty, span)
                    }
                    _ => Expr::new(ExprKind::Widen(Box::new(expr), Widening::IntToFloat), ty, span),
                }
            }
            Conversion::Inject(place, inner) => {
                let payload = self.payload_of(target, *place);
                let inner = self.apply_conversion(expr, inner, &payload);
                Expr::new(ExprKind::Widen(Box::new(inner), Widening::Inject(*place)), target.clone(), span)
            }
            Conversion::Elements(inner) => self.convert_elements(expr, inner, target),
            Conversion::Present(inner) => self.convert_present(expr, inner, target),
            Conversion::Fields(fields) => self.convert_fields(expr, fields, target),
        }
    }

    fn payload_of(&self, union: &Type, place: u32) -> Type {
        let Type::Named(def) = union else { return Type::Error };
        let variant = self.types.enumeration(*def).and_then(|def| def.variants.get(place as usize));
        variant.and_then(|variant| variant.payload.clone()).unwrap_or(Type::Error)
    }

    fn convert_elements(&mut self, list: Expr, inner: &Conversion, target: &Type) -> Expr {
        let (Type::List(from, range), Type::List(to, _)) = (&list.ty, target) else { return list };
        let (from, to, range, span) = ((**from).clone(), (**to).clone(), *range, list.span);
        let item = self.body.anonymous(from.clone(), span);
        let body = self.apply_conversion(Expr::new(ExprKind::Var(item), from, span), inner, &to);
        let lambda = Lambda { params: vec![item], body: Box::new(body) };
        let kind = ExprKind::Builtin { op: Builtin::Map, args: vec![list], lambda: Some(lambda) };
        Expr::new(kind, Type::List(Box::new(to), range), span)
    }

    fn convert_present(&mut self, value: Expr, inner: &Conversion, target: &Type) -> Expr {
        let (Type::Optional(from), Type::Optional(to)) = (&value.ty, target) else { return value };
        let (from, to, span) = ((**from).clone(), (**to).clone(), value.span);
        let var = self.body.anonymous(from.clone(), span);
        let converted = self.apply_conversion(Expr::new(ExprKind::Var(var), from, span), inner, &to);
        self.if_present(value, var, converted, span)
    }

    /// `converted`, which reads `var`, where `value` is not null; else null.
    pub(super) fn if_present(
        &mut self,
        value: Expr,
        var: crate::hir::VarId,
        converted: Expr,
        span: Span,
    ) -> Expr {
        let ty = converted.ty.clone().optional();
        let null = absent(ty.clone(), span);
        let arms = vec![(Pattern::Present(Box::new(Pattern::Bind(var))), converted), (Pattern::Any, null)];
        Expr::new(ExprKind::Match(Box::new(Match { value, arms })), ty, span)
    }

    fn convert_fields(&mut self, record: Expr, fields: &[Option<(u32, Conversion)>], target: &Type) -> Expr {
        let (Type::Named(from), Type::Named(to)) = (&record.ty, target) else { return record };
        let (from, to, span) = (*from, *to, record.span);
        // The record is read once per field, so it is bound first.
        let var = self.body.anonymous(record.ty.clone(), span);
        let types: Vec<(Type, Option<Type>)> = self.types.record(to).map_or_else(Vec::new, |def| {
            let source = self.types.record(from);
            let field_type = |at: u32| source.and_then(|s| s.fields.get(at as usize)).map(|f| f.ty.clone());
            let pairs = def.fields.iter().zip(fields);
            pairs.map(|(f, from)| (f.ty.clone(), from.as_ref().and_then(|(at, _)| field_type(*at)))).collect()
        });
        let mut values = Vec::new();
        for (field, (to, from)) in fields.iter().zip(types) {
            values.push(match (field, from) {
                (Some((index, inner)), Some(from)) => {
                    let base = Expr::new(ExprKind::Var(var), record.ty.clone(), span);
                    let kind = ExprKind::Field { record: Box::new(base), index: *index, optional: false };
                    self.apply_conversion(Expr::new(kind, from, span), inner, &to)
                }
                _ => absent(to, span),
            });
        }
        let built = Expr::new(ExprKind::Record(to, values), Type::Named(to), span);
        let arms = vec![(Pattern::Bind(var), built)];
        Expr::new(ExprKind::Match(Box::new(Match { value: record, arms })), Type::Named(to), span)
    }

    fn misfit(&self, expr: &Expr, target: &Type, what: &dyn Display, misfit: Misfit) -> Diagnostic {
        // Of another kind, its range says nothing.
        let (found, wanted) = match misfit {
            Misfit::Kind => self.show_apart(&unrefined(&expr.ty), target),
            _ => self.show_apart(&expr.ty, target),
        };
        match misfit {
            Misfit::Kind => {
                let found = match &expr.ty {
                    Type::List(..) if is_broken(&expr.ty) => "a list".to_owned(),
                    _ => format!("`{found}`"),
                };
                let report =
                    Diagnostic::error(codes::MISMATCH, format!("{what} must be `{wanted}`, not {found}"))
                        .primary(expr.span, format!("this is {found}"));
                match is_broken(&expr.ty) {
                    true => report,
                    false => self.mismatch_help(report, expr, target),
                }
            }
            Misfit::Null => {
                let is_null = matches!(expr.kind, ExprKind::Const(Value::Null));
                let (inside, found) = match expr.ty {
                    _ if is_null => ("this is `null`", "null".to_owned()),
                    Type::Optional(_) => ("this may be `null`", found),
                    Type::List(..) => ("an element of this may be `null`", found),
                    _ => ("a part of this may be `null`", found),
                };
                let message = format!("{what} must be `{wanted}`, but {inside}");
                let report = Diagnostic::error(codes::MAY_BE_NULL, message)
                    .primary(expr.span, format!("this is `{found}`"));
                match &expr.ty {
                    _ if is_null => report.help("give a value"),
                    Type::List(element, _) if matches!(**element, Type::Optional(_)) => {
                        let report = report
                            .help("leave the `null`s out by `.present()`, or give each a value by `map`");
                        if takes_postfix(expr) {
                            let fix = Fix::maybe("leave the `null`s out");
                            report.fix(fix.insert(expr.span.end, ".present()"))
                        } else {
                            report
                        }
                    }
                    Type::List(..) | Type::Map(_) => {
                        report.help("make a new value of each by `map`, with `?? ..` for what may be `null`")
                    }
                    Type::Named(_) => {
                        report.help("make a new record, with `?? ..` for each field that may be `null`")
                    }
                    _ => report
                        .help("say what stands in for `null` by `?? ..`, or look at both cases by `match`"),
                }
            }
            Misfit::Range => self.out_of_range(expr, target, what),
        }
    }

    fn mismatch_help(&self, report: Diagnostic, expr: &Expr, target: &Type) -> Diagnostic {
        let target = present(target);
        let wanted = self.show(target);
        let is_literal = matches!(expr.kind, ExprKind::Const(_));
        match (&expr.ty, target) {
            (Type::Json, _) => report.help(format!("decode it: `.. as {wanted}`")),
            (Type::String(_), Type::Int(_) | Type::Float(_) | Type::Bool) if is_literal => {
                without_quotes(report, expr)
            }
            (Type::String(_), Type::Duration | Type::Amount) if is_literal && is_quantity(expr, target) => {
                unquoted(report, expr)
            }
            (Type::String(_), Type::Url | Type::Time | Type::Duration | Type::Amount) => {
                report.help(format!("decode it: `.. as {wanted}`"))
            }
            (Type::Int(_) | Type::Float(_), Type::Duration) => unit_missing(report, expr, &DURATIONS),
            (Type::Int(_) | Type::Float(_), Type::Amount) => unit_missing(report, expr, &AMOUNTS),
            (Type::Duration, Type::Int(_)) => report.help("take its seconds: `.to_seconds().round()`"),
            (Type::Duration, Type::Float(_)) => report.help("take its seconds: `.to_seconds()`"),
            (Type::Url, Type::String(_)) => report.help("write it as text: `\"{url}\"`"),
            (Type::String(_), Type::Named(_)) if is_literal => self.variant_in_quotes(report, expr, target),
            (Type::String(_), Type::Named(def)) if self.types.enumeration(*def).is_some_and(is_read_from_text) => {
                report.help(format!("decode it: `.. as {wanted}`"))
            }
            (Type::Optional(_), Type::Bool) => report.help("compare it: `x != null`"),
            (Type::Int(_) | Type::Float(_), Type::Bool) => report.help("compare it: `x > 0`"),
            (Type::String(_), Type::Bool) => report.help("compare it: `x != \"\"`"),
            (Type::Int(_) | Type::Float(_) | Type::Bool, Type::String(_)) => {
                report.help("write it as text: `\"{x}\"`")
            }
            (Type::Int(_), Type::Float(_)) => report.help(
                "only an `Int` within 2^53 is exact as a `Float`: narrow it by `as`, or take the nearest by `.to_float()`",
            ),
            (Type::Float(_), Type::Int(_)) if !is_literal => report.help("round it: `.round()`, `.floor()` or `.ceil()`"),
            (Type::String(_), Type::Int(_)) => report.help("read it: `.to_int()`"),
            (Type::String(_), Type::Float(_)) => report.help("read it: `.to_float()`"),
            (Type::Named(from), Type::Named(to)) if let Some(made) = self.record_of(*from, *to) => {
                report.help(format!("make one of its fields: `{made}`"))
            }
            (Type::List(from, _), Type::List(to, _))
                if let (Type::Named(from), Type::Named(to)) = (&**from, &**to)
                    && let Some(made) = self.record_of(*from, *to) =>
            {
                report.help(format!("make each of its fields: `.map(x => {made})`"))
            }
            (Type::List(found, _), other) if self.convert(found, other).is_ok() => report
                .help("this is a list of them: take one by `.first()` or `[i]`, or loop by `for` or `map`"),
            (found, Type::List(element, _)) if self.convert(found, element).is_ok() => {
                report.help("make it a list: `[..]`")
            }
            _ => report,
        }
    }

    /// How a record is made of one of another type, in short.
    fn record_of(&self, from: DefId, to: DefId) -> Option<String> {
        let (from, to) = (self.types.record(from)?, self.types.record(to)?);
        let name = &to.fields.first()?.name;
        let field = written_name(name);
        let value = if from.field(name).is_some() { format!("x.{field}") } else { "..".to_owned() };
        let rest = if to.fields.len() > 1 { ", .." } else { "" };
        // A value of `Pair<A, B>` is written `Pair { .. }`.
        let record = to.name.split('<').next().unwrap_or(&to.name);
        Some(format!("{record} {{ {field}: {value}{rest} }}"))
    }

    /// A text where an enum is wanted: perhaps one of its variants.
    pub(super) fn variant_in_quotes(&self, report: Diagnostic, expr: &Expr, target: &Type) -> Diagnostic {
        let (ExprKind::Const(Value::String(text)), Type::Named(def)) = (&expr.kind, target) else {
            return report;
        };
        let Some(found) = self.types.enumeration(*def) else { return report };
        let module = self.module();
        // The name may be that of an imported type, which is written nowhere.
        let is_there = |module: &Module<'_>| {
            module.types.all();
            matches!(lookup(module, &found.name), Lookup::Found(_))
        };
        let is_written = module.is_some_and(is_there);
        let right = |variant: &VariantDef| match is_written {
            true => format!("{}.{}", found.name, variant.name),
            false => variant.name.clone(),
        };
        if let Some((_, variant)) = found.variant(text) {
            let right = right(variant);
            return report.fix(Fix::maybe(format!("write `{right}`")).replace(expr.span, right));
        }
        // A misspelt one, in the words of the plan or of the subnet.
        let words = |variant: &VariantDef| match found.wire {
            EnumWire::Literal => [variant.name.clone(), variant.wire.trim_matches('"').to_owned()],
            _ => [variant.name.clone(), String::new()],
        };
        let all: Vec<(String, &VariantDef)> =
            found.variants.iter().flat_map(|variant| words(variant).map(|word| (word, variant))).collect();
        let near = suggest(text, all.iter().map(|(word, _)| word.as_str()));
        let meant = near.and_then(|near| all.iter().find(|(word, _)| word == near));
        match meant.map(|(_, variant)| right(variant)) {
            Some(right) => report.meant(&right, expr.span),
            None => report.help(format!("a variant is written `{}.Name`, without quotes", found.name)),
        }
    }
}

/// The expression that gives the value of a block.
pub(super) fn valued(mut expr: &Expr) -> &Expr {
    while let ExprKind::Block(block) = &expr.kind
        && let Some(value) = &block.value
    {
        expr = value;
    }
    expr
}

/// Whether a text literal would be one of the wanted type without its quotes.
fn is_quantity(expr: &Expr, target: &Type) -> bool {
    let ExprKind::Const(Value::String(text)) = &expr.kind else { return false };
    let (durations, amounts) = UNITS.split_at(5);
    is_unit(text, if matches!(target, Type::Amount) { amounts } else { durations })
}

/// The units of durations, then those of amounts.
const UNITS: [&str; 8] = ["ms", "s", "m", "h", "d", "TAO", "rao", "USD"];

/// Whether `text` is digits and one of the units.
fn is_unit(text: &str, units: &[&str]) -> bool {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end).unwrap_or((text, ""));
    digits.parse::<f64>().is_ok() && digits.starts_with(|c: char| c.is_ascii_digit()) && units.contains(&unit)
}

/// A number where a duration or an amount is wanted.
fn unit_missing(report: Diagnostic, expr: &Expr, units: &[&str]) -> Diagnostic {
    match &expr.kind {
        ExprKind::Const(Value::Int(number)) => report.help(with_units(&number.to_string(), units)),
        ExprKind::Const(Value::Float(number)) => report.help(with_units(&number.to_string(), units)),
        // Only an `Int` multiplies exactly.
        _ if matches!(expr.ty, Type::Int(_)) => {
            let unit = units.first().copied().unwrap_or_default();
            report.help(format!("multiply one of its unit: `1{unit} * n`"))
        }
        _ => report,
    }
}

/// A text where a number or `Bool` is wanted: perhaps only its quotes are too much.
fn without_quotes(report: Diagnostic, expr: &Expr) -> Diagnostic {
    let ExprKind::Const(Value::String(text)) = &expr.kind else { return report };
    let digits = text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains(['e', 'E', '_']);
    let is_number = digits && text.parse::<f64>().is_ok_and(f64::is_finite);
    if is_number || matches!(&**text, "true" | "false") {
        return unquoted(report, expr);
    }
    report
}

fn unquoted(report: Diagnostic, expr: &Expr) -> Diagnostic {
    let ExprKind::Const(Value::String(text)) = &expr.kind else { return report };
    report.fix(Fix::maybe("remove the quotes").replace(expr.span, &**text))
}

/// What stands for a field or argument that is not there.
pub(super) fn absent(ty: Type, span: Span) -> Expr {
    let value = if ty == Type::Json { Value::Json(Json::Null) } else { Value::Null };
    Expr::constant(value, ty, span)
}
