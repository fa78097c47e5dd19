//! What is certain before a plan runs: a computation that always fails, a comparison that always says the same, a text
//! that never decodes.

use plan_ir::expr::BinaryOp;
use plan_ir::range;
use plan_lang::ast::BinaryOp as AstBinary;
use plan_lang::{Diagnostic, Span};
use schema::decode::cast;
use schema::types::{FloatRange, IntRange, LengthRange, Type};
use schema::value::Value;

use super::Checker;
use crate::codes;
use crate::hir::{Expr, ExprKind};

impl Checker<'_, '_> {
    /// Lints arithmetic that fails whatever its operands are.
    pub(super) fn lint_failing(
        &mut self,
        ir: BinaryOp,
        op: AstBinary,
        op_span: Span,
        left: &Expr,
        right: &Expr,
    ) {
        let divides = matches!(ir, BinaryOp::Divide | BinaryOp::Remainder);
        let is_zero = match right.ty {
            Type::Int(range) => range == (IntRange { min: 0, max: 0 }),
            Type::Float(range) => range == (FloatRange { min: 0.0, max: 0.0 }),
            _ => false,
        };
        let symbol = op.symbol();
        if divides && is_zero {
            let report = Diagnostic::warning(codes::ALWAYS_FAILS, format!("`{symbol}` always fails here"));
            self.report(report.primary(right.span, "this is zero").secondary(op_span, ""));
        } else if let (Type::Int(a), Type::Int(b)) = (&left.ty, &right.ty)
            && range::overflows(ir, *a, *b)
        {
            let report = Diagnostic::warning(codes::ALWAYS_FAILS, format!("`{symbol}` always fails here"))
                .primary(op_span, "the result is beyond what an `Int` holds")
                .note(format!("an `Int` lies between {} and {}", i64::MIN, i64::MAX));
            self.report(report);
        }
    }

    /// Lints a comparison whose answer the types of its operands give. In a test, that is what is tested.
    pub(super) fn lint_certain(&mut self, op: AstBinary, op_span: Span, left: &Expr, right: &Expr) {
        if self.body.calls.is_some() {
            return;
        }
        let Some(answer) = compared(op, &left.ty, &right.ty) else { return };
        let message = format!("`{}` is always {answer} here", op.symbol());
        let mut report = Diagnostic::warning(codes::ALWAYS_SAME, message).primary(op_span, "");
        for operand in [left, right] {
            if !matches!(operand.kind, ExprKind::Const(_)) {
                let shown = self.show(&operand.ty);
                report = report.secondary(operand.span, format!("this is `{shown}`"));
            }
        }
        self.report(report.help("remove it, or compare with a value that the type can have"));
    }

    /// What `as` makes of a text written out: it is decoded here as it would be while the plan runs.
    pub(super) fn decoded_text(&mut self, value: Expr, target: &Type, span: Span) -> Expr {
        let ExprKind::Const(constant @ Value::String(text)) = &value.kind else {
            return Expr::new(ExprKind::Cast(Box::new(value)), target.clone(), span);
        };
        if matches!(target, Type::Url | Type::Time) {
            return Expr { span, ..self.text(text, value.span, Some(target)) };
        }
        match cast(constant, target, &self.types) {
            Ok(decoded) => Expr::constant(decoded, target.clone(), span),
            Err(error) => {
                let message = format!("this text is no `{}`", self.show(target));
                let report = Diagnostic::error(codes::BAD_LITERAL, message);
                let report = report.primary(value.span, error.message);
                let report = self.variant_in_quotes(report, &value, target);
                self.fail(span, report)
            }
        }
    }
}

/// The answer of `a op b`, where no value of the types gives another.
fn compared(op: AstBinary, a: &Type, b: &Type) -> Option<bool> {
    let order = match (a, b) {
        (Type::Int(a), Type::Int(b)) => Order::of((a.min, a.max), (b.min, b.max)),
        (Type::Float(a), Type::Float(b)) => Order::of((a.min, a.max), (b.min, b.max)),
        (Type::String(a), Type::String(b)) | (Type::List(_, a), Type::List(_, b)) => {
            return match op {
                AstBinary::Eq if apart(*a, *b) => Some(false),
                AstBinary::Ne if apart(*a, *b) => Some(true),
                _ => None,
            };
        }
        _ => return None,
    };
    match op {
        AstBinary::Lt => order.less(),
        AstBinary::Le => order.greater().map(|greater| !greater),
        AstBinary::Gt => order.greater(),
        AstBinary::Ge => order.less().map(|less| !less),
        AstBinary::Eq => order.equal(),
        AstBinary::Ne => order.equal().map(|equal| !equal),
        _ => None,
    }
}

/// Whether no length is in both ranges.
fn apart(a: LengthRange, b: LengthRange) -> bool {
    a.max.is_some_and(|max| max < b.min) || b.max.is_some_and(|max| max < a.min)
}

/// How all of one range stand to all of another.
struct Order {
    below: bool,
    at_most: bool,
    above: bool,
    at_least: bool,
}

impl Order {
    fn of<T: PartialOrd>(a: (T, T), b: (T, T)) -> Self {
        Self { below: a.1 < b.0, at_most: a.1 <= b.0, above: a.0 > b.1, at_least: a.0 >= b.1 }
    }

    fn less(&self) -> Option<bool> {
        if self.below { Some(true) } else { self.at_least.then_some(false) }
    }

    fn greater(&self) -> Option<bool> {
        if self.above { Some(true) } else { self.at_most.then_some(false) }
    }

    fn equal(&self) -> Option<bool> {
        if self.below || self.above { Some(false) } else { (self.at_most && self.at_least).then_some(true) }
    }
}
