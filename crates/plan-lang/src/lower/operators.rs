//! Precedence of infix operators, and what follows a value: fields, arguments, an index, `as`.

use super::expr::{Slot, error_at};
use super::{Lower, ident_of, missing_at};
use crate::ast::{Arg, BinaryOp, Expr, ExprKind, Ident};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::syntax::{SyntaxElement, SyntaxKind, SyntaxNode, SyntaxToken};
use crate::text::Span;

impl Lower {
    /// A row `operand op operand ..`. All operators group to the left; precedence climbs by a stack, so a
    /// long row needs no recursion.
    pub(super) fn infix(&mut self, node: &SyntaxNode, slot: Slot) -> Expr {
        let mut operands: Vec<Expr> = Vec::new();
        let mut operators: Vec<(BinaryOp, Span)> = Vec::new();
        for element in node.elements() {
            match element {
                SyntaxElement::Token(token) if token.kind() == SyntaxKind::Operator => {
                    let Some(op) = BinaryOp::from_symbol(token.text()) else { continue };
                    self.check_line_start(&token);
                    while operators.last().is_some_and(|(last, _)| last.precedence() >= op.precedence()) {
                        self.reduce(&mut operands, &mut operators, Some((op, token.span())));
                    }
                    operators.push((op, token.span()));
                }
                SyntaxElement::Node(operand) if operand.kind() == SyntaxKind::Operand => {
                    operands.push(self.operand(&operand, slot));
                }
                SyntaxElement::Node(missing) if missing.kind() == SyntaxKind::MissingExpr => {
                    operands.push(error_at(missing.span()));
                }
                _ => {}
            }
        }
        while !operators.is_empty() {
            self.reduce(&mut operands, &mut operators, None);
        }
        operands.pop().unwrap_or_else(|| error_at(node.span()))
    }

    /// Joins the last two operands by the last operator. `next` is the operator that comes after them.
    fn reduce(
        &mut self,
        operands: &mut Vec<Expr>,
        operators: &mut Vec<(BinaryOp, Span)>,
        next: Option<(BinaryOp, Span)>,
    ) {
        let Some((op, op_span)) = operators.pop() else { return };
        let (Some(right), Some(left)) = (operands.pop(), operands.pop()) else { return };
        let span = left.span.cover(right.span);
        let chained = next.filter(|(next, _)| op.is_comparison() && next.is_comparison());
        if let Some((_, next_span)) = chained {
            // One report for a chain of any length: the rest of it has an error on its left.
            if !left.is_error() {
                self.report(
                    Diagnostic::error(codes::CHAINED_COMPARISON, "comparisons cannot be chained")
                        .primary(next_span, "second comparison")
                        .secondary(op_span, "first comparison")
                        .help("join them by `&&`: `a < b && b < c`; to compare two `Bool`s, put one into parentheses"),
                );
            }
            operands.push(error_at(span));
            return;
        }
        let kind = if left.is_error() && right.is_error() {
            ExprKind::Error
        } else {
            ExprKind::Binary { op, op_span, left: Box::new(left), right: Box::new(right) }
        };
        operands.push(Expr::new(kind, span));
    }

    /// Warns of a line that starts with `-`: it continues the line before, which is rarely meant.
    fn check_line_start(&mut self, token: &SyntaxToken) {
        if token.text() != "-" {
            return;
        }
        let starts_line = token
            .prev_token()
            .is_some_and(|before| before.kind() == SyntaxKind::Whitespace && before.text().contains('\n'));
        let hugs_operand = token.next_token().is_some_and(|after| after.kind() != SyntaxKind::Whitespace);
        if starts_line && hugs_operand {
            self.report(
                Diagnostic::warning(codes::MINUS_CONTINUES, "this `-` continues the line before")
                    .primary(token.span(), "subtracts from the value above")
                    .help("put `;` before it to start a statement, or a blank after it if you mean the difference"),
            );
        }
    }

    /// Applies what follows a value, from left to right, in that many steps. The last step is the outermost
    /// node of the AST, so what is inside an earlier one is deeper.
    pub(super) fn follow(&mut self, value: Expr, followers: &[SyntaxNode], steps: usize) -> Expr {
        let mut value = value;
        let mut rest = followers.iter();
        let mut outside = steps;
        while let Some(node) = rest.next() {
            outside = outside.saturating_sub(1);
            self.depth += outside;
            let span = Span::new(value.span.start, node.span().end);
            value = match node.kind() {
                SyntaxKind::Member => {
                    let args = rest.as_slice().first().filter(|next| next.kind() == SyntaxKind::Args);
                    if args.is_some() {
                        rest.next();
                    }
                    let cast = rest.as_slice().first().filter(|next| next.kind() == SyntaxKind::Cast);
                    let (next, used_cast) = self.member(value, node, args, cast);
                    if used_cast {
                        rest.next();
                    }
                    next
                }
                SyntaxKind::Args => self.apply(value, node),
                SyntaxKind::Index => {
                    let index = Box::new(self.expr_in(node, 0, Slot::Value));
                    Expr::new(ExprKind::Index { base: Box::new(value), index }, span)
                }
                SyntaxKind::Cast => {
                    let ty = self.type_in(node, 0);
                    Expr::new(ExprKind::Cast { value: Box::new(value), ty }, span)
                }
                _ => value,
            };
            self.depth -= outside;
        }
        value
    }

    /// `.name`, `.name(..)`, `.decode() as T`; also whether the cast was part of it.
    fn member(
        &mut self,
        base: Expr,
        node: &SyntaxNode,
        args: Option<&SyntaxNode>,
        cast: Option<&SyntaxNode>,
    ) -> (Expr, bool) {
        let name = match node.token(SyntaxKind::Ident) {
            Some(token) => ident_of(&token),
            None => Ident::missing(missing_at(node)),
        };
        let optional = node.tokens().any(|token| token.text() == "?.");
        let span = Span::new(base.span.start, args.unwrap_or(node).span().end);
        if name.is_missing() {
            return (error_at(span), false);
        }
        if let ExprKind::Variant { of: None, variant: of, payload: None } = &base.kind
            && name.is_upper()
        {
            let of = Some(of.clone());
            let payload = args.and_then(|args| self.payload(args));
            return (Expr::new(ExprKind::Variant { of, variant: name, payload }, span), false);
        }
        let base = Box::new(base);
        let Some(args) = args else {
            return (Expr::new(ExprKind::Field { base, field: name, optional }, span), false);
        };
        let args = self.args(args, Slot::ValueOrLambda);
        if name.name != "decode" || !args.is_empty() {
            return (
                Expr::new(ExprKind::Method { receiver: base, method: name, args, optional }, span),
                false,
            );
        }
        let Some(cast) = cast else {
            self.report(
                Diagnostic::error(codes::DECODE_WITHOUT_AS, "`.decode()` does not say what to decode to")
                    .primary(Span::at(span.end), "expected `as` and a type")
                    .help("write `.decode() as [T]`"),
            );
            return (error_at(span), false);
        };
        let ty = self.type_in(cast, 0);
        let span = Span::new(span.start, cast.span().end);
        (Expr::new(ExprKind::Decode { value: base, ty, optional }, span), true)
    }

    /// Parentheses behind a value that is no field: a function, or what a variant carries.
    fn apply(&mut self, callee: Expr, args: &SyntaxNode) -> Expr {
        let span = Span::new(callee.span.start, args.span().end);
        let kind = match callee.kind {
            ExprKind::Name(function) => ExprKind::Apply { function, args: self.args(args, Slot::Value) },
            ExprKind::Variant { of, variant, payload: None } => {
                ExprKind::Variant { of, variant, payload: self.payload(args) }
            }
            ExprKind::Error => ExprKind::Error,
            _ => {
                self.report(
                    Diagnostic::error(codes::NOT_CALLABLE, "only a function or method can be called")
                        .primary(callee.span, "this is a value")
                        .secondary(args.span(), "arguments")
                        .note("functions are no values: what is called is always named where it is called"),
                );
                ExprKind::Error
            }
        };
        Expr::new(kind, span)
    }

    /// What a variant carries: exactly one value without a name.
    fn payload(&mut self, args: &SyntaxNode) -> Option<Box<Expr>> {
        let span = args.span();
        let mut args: Vec<Arg> = self.args(args, Slot::Value);
        if args.len() == 1 && args.iter().all(|arg| arg.name.is_none()) {
            return args.pop().map(|arg| Box::new(arg.value));
        }
        self.report(
            Diagnostic::error(codes::NOT_CALLABLE, "a variant carries exactly one value, without a name")
                .primary(span, "")
                .help("a record is written `Name { field: value }`; for a variant to carry more, let it carry a record"),
        );
        Some(Box::new(error_at(span)))
    }
}

/// How many nodes of the AST what follows a value makes: a field and its arguments are one.
pub(super) fn steps(followers: &[SyntaxNode]) -> usize {
    let pairs = followers.iter().zip(followers.iter().skip(1));
    let joined = pairs.filter(|(a, b)| a.kind() == SyntaxKind::Member && b.kind() == SyntaxKind::Args);
    followers.len() - joined.count()
}
