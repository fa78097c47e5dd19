//! What is said of a value that may be out of range, and what brings it into range.

use std::fmt::Display;

use plan_ir::builtin::Builtin;
use plan_lang::{Diagnostic, Fix};
use schema::types::{LengthRange, Type};

use super::Checker;
use super::coerce::valued;
use crate::codes;
use crate::hir::{Expr, ExprKind};

/// How long what is too long may be: the value, and each element of it.
struct Cut {
    whole: Option<u64>,
    each: Option<u64>,
}

impl Checker<'_, '_> {
    /// `expr`, which `what` names, is a `target` but for its range.
    pub(super) fn out_of_range(&self, expr: &Expr, target: &Type, what: &dyn Display) -> Diagnostic {
        let (found, wanted) = self.show_apart(&expr.ty, target);
        let message = format!("{what} must be `{wanted}`, but this is `{found}`");
        let cut = self.cut(&expr.ty, target);
        let label = match cut {
            Some(Cut { whole: None, each: Some(_) }) => "its elements may be out of range",
            _ if never_fits(&expr.ty, target) => "is out of range",
            _ => "may be out of range",
        };
        let report = Diagnostic::error(codes::OUT_OF_RANGE, message).primary(expr.span, label);
        if matches!(&expr.kind, ExprKind::List(items) if items.is_empty()) {
            return report.help("write an element, or let the list be empty: a range of `(0..)`");
        }
        if matches!(expr.kind, ExprKind::Const(_)) {
            return report.help("write a value within the range, or widen the range");
        }
        if let ExprKind::Builtin { op: Builtin::ToJson | Builtin::UrlEncoded, .. } = expr.kind {
            return report.help("cut the value before: a part of what this gives would be broken");
        }
        match cut {
            Some(Cut { whole, each: Some(each) }) => elements_cut(report, expr, whole, each),
            Some(Cut { whole: Some(max), each: None }) => {
                let report = report.help(format!("cut it by `.take({max})`"));
                if takes_postfix(expr) {
                    let fix = Fix::maybe(format!("add `.take({max})`"));
                    report.fix(fix.insert(expr.span.end, format!(".take({max})")))
                } else {
                    report
                }
            }
            // `a / b as T` would check `b`.
            _ if matches!(expr.kind, ExprKind::Binary(..) | ExprKind::Unary(..)) => {
                report.help(format!("check it by `(..) as {wanted}`, which fails where it does not fit"))
            }
            _ => report.help(format!("check it by `.. as {wanted}`, which fails where it does not fit")),
        }
    }

    /// Where `take` makes a `wanted` of every value of type `found`.
    fn cut(&self, found: &Type, wanted: &Type) -> Option<Cut> {
        match (found, wanted) {
            (Type::String(found), Type::String(wanted)) => {
                Some(Cut { whole: Some(shorter(*found, *wanted)?), each: None })
            }
            (Type::List(element, found), Type::List(to, wanted)) => {
                let whole = if found.within(*wanted) { None } else { Some(shorter(*found, *wanted)?) };
                let each = match self.convert(element, to) {
                    Ok(_) => None,
                    Err(_) => match self.cut(element, to)? {
                        Cut { whole, each: None } => whole,
                        Cut { .. } => return None,
                    },
                };
                Some(Cut { whole, each })
            }
            (Type::String(_) | Type::List(..), Type::Optional(wanted)) => self.cut(found, wanted),
            _ => None,
        }
    }
}

/// The most that is to be taken of what is only too long.
fn shorter(found: LengthRange, wanted: LengthRange) -> Option<u64> {
    wanted.max.filter(|_| found.min >= wanted.min)
}

/// Help for a list whose elements are too long: they are cut best where they are made.
fn elements_cut(report: Diagnostic, list: &Expr, whole: Option<u64>, each: u64) -> Diagnostic {
    let take = format!(".take({each})");
    let list_take = whole.map(|max| format!(".take({max})")).unwrap_or_default();
    let too = whole.map_or_else(String::new, |max| format!(", and the list by `.take({max})`"));
    let fix = Fix::maybe("cut each element");
    match made_by(list) {
        Some(element) if !takes_postfix(element) => {
            report.help(format!("cut each element where it is made: `(..){take}`{too}"))
        }
        Some(element) => {
            let report = report.help(format!("cut each element where it is made, by `{take}`{too}"));
            let fix = fix.insert(element.span.end, take);
            match whole {
                Some(_) if takes_postfix(list) => report.fix(fix.insert(list.span.end, list_take)),
                Some(_) => report,
                None => report.fix(fix),
            }
        }
        None => {
            let report = report.help(format!("cut each element by `.map(x => x{take})`{too}"));
            match takes_postfix(list) {
                true => report.fix(fix.insert(list.span.end, format!("{list_take}.map(x => x{take})"))),
                false => report,
            }
        }
    }
}

/// What makes each element of a list, where it stands in the text as a part of the list.
fn made_by(list: &Expr) -> Option<&Expr> {
    let element = match &list.kind {
        ExprKind::Builtin { op: Builtin::Map, lambda: Some(lambda), .. } => &lambda.body,
        ExprKind::For(node) => &node.body,
        _ => return None,
    };
    Some(valued(element)).filter(|element| element.span != list.span)
}

/// Whether no value of a type is one of the other, which has another range.
fn never_fits(found: &Type, wanted: &Type) -> bool {
    let apart = |a: &LengthRange, b: &LengthRange| {
        b.max.is_some_and(|max| a.min > max) || a.max.is_some_and(|max| max < b.min)
    };
    match (found, wanted) {
        (found, Type::Optional(wanted)) => never_fits(found, wanted),
        (Type::Int(a), Type::Int(b)) => a.min > b.max || a.max < b.min,
        (Type::Float(a), Type::Float(b)) => a.min > b.max || a.max < b.min,
        (Type::String(a), Type::String(b)) | (Type::List(_, a), Type::List(_, b)) => apart(a, b),
        _ => false,
    }
}

/// Whether `.f()` can be written right behind the expression.
pub(super) fn takes_postfix(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Var(_) | ExprKind::Field { .. } | ExprKind::Builtin { .. } | ExprKind::Template(_)
    )
}
