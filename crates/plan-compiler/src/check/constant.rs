//! Values that are known when a plan is compiled.

use std::collections::BTreeMap;
use std::sync::Arc;

use plan_ir::expr::{UnaryOp, Widening};
use plan_ir::interp::shared;
use plan_lang::Diagnostic;
use schema::types::TypeDefs;
use schema::value::Value;

use super::Checker;
use super::scope::{Body, Place};
use crate::codes;
use crate::hir::{Expr, ExprKind};
use crate::program::Param;

impl<'a> Checker<'a, '_> {
    /// The default of each parameter. The others are in scope, so that one that names another is told what it is.
    pub(super) fn defaults_of(&mut self, params: &[Param<'a>]) -> Vec<Option<Expr>> {
        if params.iter().all(|param| param.default.is_none() && Body::has_room_for(&param.ty)) {
            return params.iter().map(|_| None).collect();
        }
        self.scoped(|this| {
            for param in params {
                this.body.bind(param.name, param.ty.clone());
            }
            params.iter().map(|param| this.default(param)).collect()
        })
    }

    /// The default of a parameter.
    fn default(&mut self, param: &Param<'a>) -> Option<Expr> {
        let default = param.default?;
        let what = format_args!("the default of `{}`", param.name.name);
        let value = self.in_place(Place::Pure("a default"), |this| this.check(default, &param.ty, &what));
        if value.is_error() || matches!(value.kind, ExprKind::Error) {
            return Some(value);
        }
        Some(match constant_value(&value, &self.types) {
            Some(constant) => Expr::constant(constant, value.ty, value.span),
            None => {
                let report = Diagnostic::error(codes::NOT_CONSTANT, format!("{what} is not constant"));
                let label =
                    if matches!(value.kind, ExprKind::Var(_)) { "another parameter" } else { "computed" };
                let report = report.primary(value.span, label).help("write the value itself");
                self.fail(value.span, report)
            }
        })
    }
}

/// The value of an expression made of literals alone, as evaluating it would give it.
pub(crate) fn constant_value(expr: &Expr, types: &TypeDefs) -> Option<Value> {
    let one = |part: &Expr| constant_value(part, types);
    let all = |parts: &[Expr]| parts.iter().map(one).collect::<Option<Vec<_>>>();
    Some(match &expr.kind {
        ExprKind::Const(value) => value.clone(),
        ExprKind::List(items) => Value::list(all(items)?),
        ExprKind::Record(_, fields) => Value::record(all(fields)?),
        ExprKind::Variant(place, None) => Value::Variant(*place, None),
        ExprKind::Variant(place, Some(payload)) => Value::Variant(*place, Some(Arc::new(one(payload)?))),
        ExprKind::Map(entries) => {
            let mut map = BTreeMap::new();
            for (key, value) in entries {
                let Value::String(key) = one(key)? else { return None };
                map.insert(key, one(value)?);
            }
            Value::Map(Arc::new(map))
        }
        ExprKind::Unary(UnaryOp::Negate, inner) => match one(inner)? {
            Value::Int(value) => Value::Int(value.checked_neg()?),
            Value::Float(value) => Value::Float(0.0 - value),
            Value::Duration(value) => Value::Duration(value.checked_neg()?),
            _ => return None,
        },
        ExprKind::Widen(inner, widening) => match (widening, one(inner)?) {
            (Widening::Identity, value) => value,
            (Widening::Inject(place), value) => Value::Variant(*place, Some(Arc::new(value))),
            (Widening::IntToFloat, Value::Int(value)) => Value::Float(value as f64),
            (Widening::IntToFloat, _) => return None,
            (Widening::ToJson, value) => Value::Json(shared::opaque(&value, &inner.ty, types).ok()?),
        },
        _ => return None,
    })
}
