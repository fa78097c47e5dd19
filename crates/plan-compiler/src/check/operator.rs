//! Operators.

use plan_ir::expr::{BinaryOp, UnaryOp};
use plan_ir::range;
use plan_lang::ast::{self, BinaryOp as AstBinary, ExprKind as Ast, UnaryOp as AstUnary};
use plan_lang::{Diagnostic, Fix, Span};
use schema::amount::Currency;
use schema::types::Type;
use schema::value::Value;

use super::Checker;
use super::literal::present;
use crate::codes;
use crate::hir::{Expr, ExprKind};
use crate::relate::{self, arithmetic, is_ordered, unrefined};

impl<'a> Checker<'a, '_> {
    pub(super) fn unary(
        &mut self,
        op: AstUnary,
        operand: &'a ast::Expr,
        span: Span,
        want: Option<&Type>,
    ) -> Expr {
        match op {
            AstUnary::Not => {
                let operand = self.check(operand, &Type::Bool, &"the operand of `!`");
                Expr::new(ExprKind::Unary(UnaryOp::Not, Box::new(operand)), Type::Bool, span)
            }
            AstUnary::Neg => {
                let operand = self.infer(operand, want.map(unrefined).as_ref());
                let ty = match &operand.ty {
                    Type::Int(a) => Type::Int(range::negated(*a)),
                    Type::Float(a) => Type::Float(range::negated_float(*a)),
                    Type::Duration => Type::Duration,
                    Type::Error => return Expr::error(span),
                    other => {
                        let shown = self.show(other);
                        let report = Diagnostic::error(
                            codes::BAD_OPERANDS,
                            format!("`-` does not apply to `{shown}`"),
                        );
                        return self.fail(span, report.primary(operand.span, format!("this is `{shown}`")));
                    }
                };
                Expr::new(ExprKind::Unary(UnaryOp::Negate, Box::new(operand)), ty, span)
            }
        }
    }

    pub(super) fn binary(
        &mut self,
        op: AstBinary,
        op_span: Span,
        left: &'a ast::Expr,
        right: &'a ast::Expr,
        span: Span,
        want: Option<&Type>,
    ) -> Expr {
        let ir = lower_op(op);
        match op {
            AstBinary::And | AstBinary::Or => {
                let what = format_args!("an operand of `{}`", op.symbol());
                let left = self.infer(left, Some(&Type::Bool));
                if op == AstBinary::Or && matches!(left.ty, Type::Optional(_)) {
                    self.look_at(right);
                    let report = self.or_for_null(&left, op_span);
                    return self.fail(span, report);
                }
                let left = self.coerce(left, &Type::Bool, &what);
                let right = self.check(right, &Type::Bool, &what);
                Expr::new(ExprKind::Binary(ir, Box::new(left), Box::new(right)), Type::Bool, span)
            }
            AstBinary::Coalesce => self.coalesce(left, op_span, right, span, want),
            AstBinary::Eq | AstBinary::Ne => {
                let (left, right) = self.pair(left, right, None);
                self.equality(ir, op, op_span, left, right, span)
            }
            AstBinary::Lt | AstBinary::Le | AstBinary::Gt | AstBinary::Ge => {
                let (left, right) = self.pair(left, right, None);
                self.ordering(ir, op, op_span, left, right, span)
            }
            AstBinary::Add | AstBinary::Sub | AstBinary::Mul | AstBinary::Div | AstBinary::Rem => {
                let (left, right) = self.pair(left, right, want);
                self.arithmetic(ir, op, op_span, left, right, span)
            }
        }
    }

    /// Both operands; a literal takes its type from the other side.
    fn pair(&mut self, left: &'a ast::Expr, right: &'a ast::Expr, want: Option<&Type>) -> (Expr, Expr) {
        // Of the wanted type only its kind counts: `1 + x` where a `Float` is wanted.
        let want = want.map(|want| unrefined(present(want))).filter(|want| matches!(want, Type::Float(_)));
        if is_literal(left) && !is_literal(right) {
            let right = self.infer(right, want.as_ref());
            let hint = unrefined(&right.ty);
            (self.infer(left, Some(&hint)), right)
        } else {
            let left = self.infer(left, want.as_ref());
            let hint = if is_literal(right) || want.is_none() {
                unrefined(&left.ty)
            } else {
                want.unwrap_or(Type::Error)
            };
            let right = self.infer(right, Some(&hint));
            (left, right)
        }
    }

    fn arithmetic(
        &mut self,
        ir: BinaryOp,
        op: AstBinary,
        op_span: Span,
        left: Expr,
        right: Expr,
        span: Span,
    ) -> Expr {
        if self.two_currencies(op_span, &left, &right) {
            return Expr::error(span);
        }
        let (left, right) = self.both_floats(left, right);
        self.lint_failing(ir, op, op_span, &left, &right);
        match arithmetic(ir, &left.ty, &right.ty) {
            Some(Type::Error) => Expr::error(span),
            Some(ty) => Expr::new(ExprKind::Binary(ir, Box::new(left), Box::new(right)), ty, span),
            None => {
                let report = self.bad_operands(op, op_span, &left, &right);
                self.fail(span, report)
            }
        }
    }

    /// Reports amounts that can never meet: of two currencies, as literals say, while the lock pins no rate.
    fn two_currencies(&mut self, op_span: Span, left: &Expr, right: &Expr) -> bool {
        let (Some(a), Some(b)) = (currency(left), currency(right)) else { return false };
        let never = a != b && self.program.lock.rate.is_none();
        if never {
            self.report(
                Diagnostic::error(codes::NO_RATE, "TAO and USD do not mix: the lock pins no exchange rate")
                    .primary(op_span, "")
                    .secondary(left.span, a.symbol())
                    .secondary(right.span, b.symbol())
                    .help("write all amounts in one currency, or run `orch lock update` to pin a rate"),
            );
        }
        never
    }

    /// An exact `Int` next to a `Float` becomes one.
    fn both_floats(&mut self, left: Expr, right: Expr) -> (Expr, Expr) {
        match (&left.ty, &right.ty) {
            (Type::Int(_), Type::Float(_)) => (self.exact_float(left), right),
            (Type::Float(_), Type::Int(_)) => (left, self.exact_float(right)),
            _ => (left, right),
        }
    }

    fn exact_float(&mut self, expr: Expr) -> Expr {
        match self.convert(&expr.ty, &Type::FLOAT) {
            Ok(conversion) => self.apply_conversion(expr, &conversion, &Type::FLOAT),
            Err(_) => expr,
        }
    }

    fn equality(
        &mut self,
        ir: BinaryOp,
        op: AstBinary,
        op_span: Span,
        left: Expr,
        right: Expr,
        span: Span,
    ) -> Expr {
        if self.two_currencies(op_span, &left, &right) {
            return Expr::error(span);
        }
        let (left, right) = self.both_floats(left, right);
        let (to_left, to_right) = (unrefined(&left.ty), unrefined(&right.ty));
        for (value, other) in [(&left, &right), (&right, &left)] {
            let is_null = matches!(value.kind, ExprKind::Const(Value::Null));
            if is_null && !matches!(other.ty, Type::Optional(_) | Type::Json | Type::Error) {
                let shown = self.show(&other.ty);
                self.report(
                    Diagnostic::warning(
                        codes::NEVER_NULL,
                        "a value that is never `null` is compared with `null`",
                    )
                    .primary(other.span, format!("this is `{shown}`")),
                );
            }
        }
        let (left, right) = if let Ok(conversion) = self.convert(&unrefined(&right.ty), &to_left) {
            (left, self.apply_conversion(right, &conversion, &to_left))
        } else if let Ok(conversion) = self.convert(&unrefined(&left.ty), &to_right) {
            (self.apply_conversion(left, &conversion, &to_right), right)
        } else {
            let report = self.bad_operands(op, op_span, &left, &right);
            return self.fail(span, report);
        };
        self.lint_certain(op, op_span, &left, &right);
        Expr::new(ExprKind::Binary(ir, Box::new(left), Box::new(right)), Type::Bool, span)
    }

    fn ordering(
        &mut self,
        ir: BinaryOp,
        op: AstBinary,
        op_span: Span,
        left: Expr,
        right: Expr,
        span: Span,
    ) -> Expr {
        if self.two_currencies(op_span, &left, &right) {
            return Expr::error(span);
        }
        let (left, right) = self.both_floats(left, right);
        let ordered = match (&left.ty, &right.ty) {
            (Type::Error, _) | (_, Type::Error) => return Expr::error(span),
            (a, b) => is_ordered(a) && unrefined(a) == unrefined(b),
        };
        if !ordered {
            let report = self.bad_operands(op, op_span, &left, &right);
            return self.fail(span, report);
        }
        self.lint_certain(op, op_span, &left, &right);
        Expr::new(ExprKind::Binary(ir, Box::new(left), Box::new(right)), Type::Bool, span)
    }

    fn coalesce(
        &mut self,
        left: &'a ast::Expr,
        op_span: Span,
        right: &'a ast::Expr,
        span: Span,
        want: Option<&Type>,
    ) -> Expr {
        let left = self.infer(left, want);
        let inner = match &left.ty {
            Type::Error => {
                self.look_at(right);
                return Expr::error(span);
            }
            Type::Optional(inner) if **inner == Type::Error => {
                want.map(|w| present(w).clone()).unwrap_or(Type::Error)
            }
            Type::Optional(inner) => (**inner).clone(),
            Type::Json => Type::Json,
            Type::Result(..) => {
                self.look_at(right);
                let shown = self.show(&left.ty);
                let report = Diagnostic::error(codes::BAD_OPERANDS, "`??` looks at `null`, not at failures")
                    .primary(op_span, "")
                    .secondary(left.span, format!("this is `{shown}`"))
                    .help("look at both cases: `match x { Ok(v) => v, Err(_) => .. }`");
                return self.fail(span, report);
            }
            other => {
                let shown = self.show(other);
                let cut = Span::new(left.span.end, right.span.end);
                self.report(
                    Diagnostic::warning(codes::NEVER_NULL, "`??` behind a value that is never `null`")
                        .primary(op_span, "its right side is never used")
                        .secondary(left.span, format!("this is `{shown}`"))
                        .fix(Fix::maybe("remove it").delete(cut)),
                );
                other.clone()
            }
        };
        let right = self.infer(right, Some(&unrefined(&inner)));
        let target = match &right.ty {
            Type::Optional(_) => unrefined(&inner).optional(),
            _ => unrefined(&inner),
        };
        let right = self.coerce(right, &target, &"the value behind `??`");
        if right.is_error() {
            return Expr::error(span);
        }
        let ty = relate::join(&inner, &right.ty).unwrap_or(target);
        Expr::new(ExprKind::Binary(BinaryOp::Coalesce, Box::new(left), Box::new(right)), ty, span)
    }

    /// `a || b` as in languages where what is not there counts as false.
    fn or_for_null(&self, left: &Expr, op_span: Span) -> Diagnostic {
        let shown = self.show(&left.ty);
        Diagnostic::error(codes::BAD_OPERANDS, format!("`||` does not apply to `{shown}`"))
            .primary(op_span, "")
            .secondary(left.span, format!("this is `{shown}`"))
            .help("what stands in for `null` is written behind `??`")
            .fix(Fix::maybe("write `??`").replace(op_span, "??"))
    }

    fn bad_operands(&self, op: AstBinary, op_span: Span, left: &Expr, right: &Expr) -> Diagnostic {
        let (a, b) = self.show_apart(&unrefined(&left.ty), &unrefined(&right.ty));
        let symbol = op.symbol();
        let report =
            Diagnostic::error(codes::BAD_OPERANDS, format!("`{symbol}` does not apply to `{a}` and `{b}`"))
                .primary(op_span, "")
                .secondary(left.span, format!("`{a}`"))
                .secondary(right.span, format!("`{b}`"));
        match (&left.ty, &right.ty) {
            (Type::Optional(_), _) | (_, Type::Optional(_)) => {
                report.help("say what stands in for `null` by `?? ..`")
            }
            (Type::Json, _) | (_, Type::Json) => report.help("JSON is opaque until it is decoded: `.. as T`"),
            (Type::List(..), Type::List(..)) if op == AstBinary::Add => {
                report.help("join lists by `.concat(..)`")
            }
            (Type::Int(_), Type::Float(_)) | (Type::Float(_), Type::Int(_)) => {
                report.help("take the `Int` as the nearest `Float` by `.to_float()`")
            }
            (Type::Named(def), Type::String(_)) | (Type::String(_), Type::Named(def))
                if self.types.enumeration(*def).is_some() =>
            {
                let name = self.show(&Type::Named(*def));
                report.help(format!("a variant is written `{name}.Name`, without quotes"))
            }
            (Type::String(_), _) | (_, Type::String(_)) if op == AstBinary::Add => {
                report.help("put values into a text by `\"{x}\"`")
            }
            (Type::Url, Type::String(_)) | (Type::String(_), Type::Url) => {
                report.help("decode the text: `.. as Url`")
            }
            (Type::Duration, Type::Duration) if op == AstBinary::Div => {
                report.help("their ratio is that of their seconds: `a.to_seconds() / b.to_seconds()`")
            }
            (quantity @ (Type::Amount | Type::Duration), Type::Int(_) | Type::Float(_)) => {
                of_quantity(report, op, quantity, right)
            }
            (Type::Time, Type::Int(_) | Type::Float(_)) => of_quantity(report, op, &Type::Duration, right),
            (Type::Int(_) | Type::Float(_), quantity @ (Type::Amount | Type::Duration)) => {
                of_quantity(report, op, quantity, left)
            }
            _ => report,
        }
    }
}

/// Help for a number next to an amount or a duration.
fn of_quantity(report: Diagnostic, op: AstBinary, quantity: &Type, number: &Expr) -> Diagnostic {
    let (what, unit, like) = match quantity {
        Type::Amount => ("an amount", "USD", "`0.008USD`"),
        _ => ("a duration", "s", "`5s`"),
    };
    match op {
        AstBinary::Mul | AstBinary::Div if matches!(number.ty, Type::Float(_)) => report
            .help(format!("{what} is multiplied and divided by an `Int` only: `x * 3 / 2` for `x * 1.5`")),
        AstBinary::Mul | AstBinary::Div | AstBinary::Rem => report,
        _ => {
            let report = report.help(format!("{what} has a unit: {like}"));
            let is_literal = matches!(number.kind, ExprKind::Const(Value::Int(0..) | Value::Float(0.0..)));
            match is_literal {
                true => report.fix(Fix::maybe(format!("add `{unit}`")).insert(number.span.end, unit)),
                false => report,
            }
        }
    }
}

/// The currency of an amount, where its literals say it. Nothing is as little in any.
fn currency(amount: &Expr) -> Option<Currency> {
    match &amount.kind {
        ExprKind::Const(Value::Amount(amount)) => (amount.units > 0).then_some(amount.currency),
        ExprKind::Binary(_, left, right) if amount.ty == Type::Amount => {
            currency(left).or_else(|| currency(right))
        }
        _ => None,
    }
}

fn is_literal(expr: &ast::Expr) -> bool {
    match &expr.kind {
        Ast::Literal(_) => true,
        Ast::Template(template) => template.as_text().is_some(),
        Ast::Unary { operand, .. } => is_literal(operand),
        Ast::List(items) => items.is_empty(),
        Ast::Variant { of: None, .. } => true,
        _ => false,
    }
}

const fn lower_op(op: AstBinary) -> BinaryOp {
    match op {
        AstBinary::Mul => BinaryOp::Multiply,
        AstBinary::Div => BinaryOp::Divide,
        AstBinary::Rem => BinaryOp::Remainder,
        AstBinary::Add => BinaryOp::Add,
        AstBinary::Sub => BinaryOp::Subtract,
        AstBinary::Coalesce => BinaryOp::Coalesce,
        AstBinary::Eq => BinaryOp::Equal,
        AstBinary::Ne => BinaryOp::NotEqual,
        AstBinary::Lt => BinaryOp::Less,
        AstBinary::Le => BinaryOp::LessEqual,
        AstBinary::Gt => BinaryOp::Greater,
        AstBinary::Ge => BinaryOp::GreaterEqual,
        AstBinary::And => BinaryOp::And,
        AstBinary::Or => BinaryOp::Or,
    }
}
