//! Blocks, statements, patterns.

use super::expr::Slot;
use super::{Case, Lower, missing_at, path_of};
use crate::ast::{
    Block, Ensure, ExpectFails, Expr, ExprKind, Ident, Let, Literal, Mock, MockValue, MockValueKind, Path,
    Pattern, PatternKind, Run, Stmt, Template, TestStmt,
};
use crate::codes;
use crate::diagnostic::{Diagnostic, Fix};
use crate::syntax::{SyntaxElement, SyntaxKind, SyntaxNode};
use crate::text::Span;

impl Lower {
    /// The block directly in `node`; an empty one if it is missing.
    pub(super) fn block_in(&mut self, node: &SyntaxNode) -> Block {
        match node.child(SyntaxKind::Block) {
            Some(block) => self.block(&block, false),
            None => Block { stmts: Vec::new(), value: None, span: Span::at(missing_at(node)) },
        }
    }

    /// A block; the body of a plan or function if `is_root`.
    pub(super) fn block(&mut self, node: &SyntaxNode, is_root: bool) -> Block {
        let mut stmts = Vec::new();
        let mut value: Option<Box<Expr>> = None;
        let mut nodes = node.children().filter(|child| is_stmt(child.kind())).peekable();
        while let Some(stmt) = nodes.next() {
            let is_last = nodes.peek().is_none();
            match stmt.kind() {
                SyntaxKind::Return => {
                    let expr = self.expr_in(&stmt, 0, Slot::Value);
                    self.check_return(&stmt, is_root, is_last);
                    if is_last {
                        value = Some(Box::new(expr));
                    } else {
                        stmts.push(Stmt::Expr(expr));
                    }
                }
                SyntaxKind::ExprStmt => {
                    let expr = self.expr_in(&stmt, 0, Slot::Statement);
                    if is_last && !is_statement_only(&expr) {
                        value = Some(Box::new(expr));
                    } else {
                        stmts.push(Stmt::Expr(expr));
                    }
                }
                _ => stmts.extend(self.stmt(&stmt)),
            }
        }
        Block { stmts, value, span: node.span() }
    }

    fn check_return(&mut self, node: &SyntaxNode, is_root: bool, is_last: bool) {
        if is_root && is_last {
            return;
        }
        let start = node.span().start;
        let word = Span::new(start, start + 6);
        let mut report =
            Diagnostic::error(codes::RETURN_PLACE, "`return` stands only at the end of a plan or function")
                .primary(word, "")
                .note("a plan is a graph, not a sequence: nothing can leave it early");
        if is_last && is_left_early(node) {
            report = report.help("let the whole `if` be the value: `return if condition { 1 } else { 2 }`");
        } else if is_last {
            let blanks = Span::new(start, start + 7);
            report = report
                .help("the last expression of a block is its value")
                .fix(Fix::maybe("remove `return`").delete(blanks));
        } else {
            report = report.help("use `if` or `match` to choose a value, or `ensure` to fail");
        }
        self.report(report);
    }

    fn stmt(&mut self, node: &SyntaxNode) -> Option<Stmt> {
        match node.kind() {
            SyntaxKind::Let => Some(Stmt::Let(Let {
                name: self.cased_ident(node, Case::Lower, "a binding"),
                ty: self.optional_type_in(node),
                value: self.expr_in(node, 0, Slot::Value),
                span: node.span(),
            })),
            SyntaxKind::Ensure => Some(Stmt::Ensure(Ensure {
                cond: self.expr_in(node, 0, Slot::Value),
                message: self
                    .template_in(node)
                    .unwrap_or_else(|| Template { parts: Vec::new(), span: Span::at(missing_at(node)) }),
                span: node.span(),
            })),
            SyntaxKind::ExprStmt => Some(Stmt::Expr(self.expr_in(node, 0, Slot::Statement))),
            SyntaxKind::Return => {
                self.report(
                    Diagnostic::error(codes::RETURN_PLACE, "a test returns nothing")
                        .primary(node.span(), "")
                        .help("write `assert` and what must hold"),
                );
                None
            }
            _ => None,
        }
    }

    /// The statements of a test.
    pub(super) fn test_body(&mut self, node: &SyntaxNode) -> Vec<TestStmt> {
        let block = node.child(SyntaxKind::TestBlock);
        block.iter().flat_map(SyntaxNode::children).filter_map(|stmt| self.test_stmt(&stmt)).collect()
    }

    fn test_stmt(&mut self, node: &SyntaxNode) -> Option<TestStmt> {
        Some(match node.kind() {
            SyntaxKind::Mock => {
                let target = self.path(node, 0);
                let value = self.mock_value_in(node);
                TestStmt::Mock(Mock { target, value, span: node.span() })
            }
            SyntaxKind::Assert => TestStmt::Assert(self.expr_in(node, 0, Slot::Value)),
            SyntaxKind::Expect => {
                let run = node.child(SyntaxKind::Run).map(|run| self.run(&run));
                let run = run.unwrap_or_else(|| missing_run(missing_at(node)));
                let message = self.template_in(node);
                TestStmt::ExpectFails(ExpectFails { run, message, span: node.span() })
            }
            _ => TestStmt::Stmt(self.stmt(node)?),
        })
    }

    fn mock_value_in(&mut self, node: &SyntaxNode) -> MockValue {
        if let Some(value) = node.child(SyntaxKind::MockValue) {
            return self.mock_value(&value);
        }
        let value = self.expr_in(node, 0, Slot::Value);
        MockValue { span: value.span, kind: MockValueKind::Value(Box::new(value)) }
    }

    fn mock_value(&mut self, node: &SyntaxNode) -> MockValue {
        let span = node.span();
        let shape = node.children().next();
        let kind = match shape {
            Some(shape) if shape.kind() == SyntaxKind::MockFails => {
                let args = shape.child(SyntaxKind::Args);
                let args = args.map(|args| self.args(&args, Slot::Value)).unwrap_or_default();
                MockValueKind::Fails { error: self.ident(&shape), args }
            }
            Some(shape) if shape.kind() == SyntaxKind::MockAfter => {
                let delay_us = self.delay(&shape);
                MockValueKind::After { delay_us, value: Box::new(self.mock_value_in(&shape)) }
            }
            Some(shape) if shape.kind() == SyntaxKind::MockSequence => {
                let values = shape.children().filter(|child| child.kind() == SyntaxKind::MockValue);
                MockValueKind::Sequence(values.map(|value| self.mock_value(&value)).collect())
            }
            _ => MockValueKind::Value(Box::new(self.expr_in(node, 0, Slot::Value))),
        };
        MockValue { kind, span }
    }

    /// The delay of `after 5s`, in microseconds; 0 if it is missing.
    fn delay(&mut self, node: &SyntaxNode) -> u64 {
        let Some(token) = node.token(SyntaxKind::Number) else { return 0 };
        match self.number(token.text(), token.span()) {
            Some(Literal::DurationUs(delay)) => u64::try_from(delay).unwrap_or(0),
            None => 0,
            Some(_) => {
                self.report(
                    Diagnostic::error(codes::MISSING_NUMBER, "`after` takes a duration")
                        .primary(token.span(), "this has no unit of time")
                        .help("write `after 5s` or `after 200ms`"),
                );
                0
            }
        }
    }

    /// The pattern directly in `node`; an error pattern if it is missing.
    pub(super) fn pattern_in(&mut self, node: &SyntaxNode) -> Pattern {
        match node.child(SyntaxKind::Pattern) {
            Some(pattern) => self.pattern(&pattern),
            None => Pattern { kind: PatternKind::Error, span: Span::at(missing_at(node)) },
        }
    }

    fn pattern(&mut self, node: &SyntaxNode) -> Pattern {
        let negative = node.tokens().any(|token| token.text() == "-");
        let found = node
            .elements()
            .find(|element| !element.kind().is_trivia() && element.kind() != SyntaxKind::Operator);
        let kind = match found {
            Some(SyntaxElement::Token(token)) => match token.kind() {
                SyntaxKind::Hole => PatternKind::Wildcard,
                SyntaxKind::Number => {
                    let signed =
                        if negative { format!("-{}", token.text()) } else { token.text().to_owned() };
                    self.number(&signed, token.span()).map_or(PatternKind::Error, PatternKind::Literal)
                }
                SyntaxKind::Keyword => PatternKind::Literal(match token.text() {
                    "null" => Literal::Null,
                    word => Literal::Bool(word == "true"),
                }),
                _ => PatternKind::Error,
            },
            Some(SyntaxElement::Node(shape)) if shape.kind() == SyntaxKind::VariantPattern => {
                self.variant_pattern(&shape)
            }
            Some(SyntaxElement::Node(shape)) if shape.kind() == SyntaxKind::String => {
                PatternKind::Text(self.fixed_text(&shape, "a pattern").value)
            }
            _ => PatternKind::Error,
        };
        Pattern { kind, span: node.span() }
    }

    fn variant_pattern(&mut self, node: &SyntaxNode) -> PatternKind {
        let Some(path) = node.child(SyntaxKind::Path).map(|path| path_of(&path)) else {
            return PatternKind::Error;
        };
        let has_payload = node.tokens().any(|token| token.text() == "(");
        let mut segments = path.segments.into_iter();
        let (first, second, third) = (segments.next(), segments.next(), segments.next());
        let Some(first) = first else { return PatternKind::Error };
        if second.is_none() && !has_payload && !first.is_upper() {
            return PatternKind::Binding(first);
        }
        let (of, variant) = match second {
            Some(second) => (Some(first), second),
            None => (None, first),
        };
        self.check_case(&variant, Case::Upper, "a variant");
        let (false, None) = (variant.is_missing() || !variant.is_upper(), third) else {
            return PatternKind::Error;
        };
        let payload = has_payload.then(|| Box::new(self.pattern_in(node)));
        PatternKind::Variant { of, variant, payload }
    }
}

fn is_stmt(kind: SyntaxKind) -> bool {
    matches!(kind, SyntaxKind::Let | SyntaxKind::Ensure | SyntaxKind::Return | SyntaxKind::ExprStmt)
}

/// An `if` without `else` has no value, wherever it stands.
fn is_statement_only(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::If(condition) if condition.otherwise.is_none())
}

fn missing_run(offset: u32) -> Run {
    let missing = Ident::missing(offset);
    let span = missing.span;
    Run { plan: Path { segments: vec![missing], span }, args: Vec::new(), span }
}

/// Whether the `return` stands in an `if` without `else`, so that what it gives would be nobody's value.
fn is_left_early(node: &SyntaxNode) -> bool {
    let branch = node.parent().and_then(|block| block.parent());
    branch.is_some_and(|branch| branch.kind() == SyntaxKind::If && branch.child(SyntaxKind::Else).is_none())
}
