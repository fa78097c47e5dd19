//! Expressions: values, what follows them, and the bracketed forms.

use super::{Case, Effects, Lower, ident_of, member_span, missing_at, operators};
use crate::ast::{
    Arg, Binder, Branch, Call, Expr, ExprKind, FieldInit, For, Ident, If, Literal, Match, MatchArm, Run,
    UnaryOp,
};
use crate::codes;
use crate::diagnostic::{Diagnostic, Fix};
use crate::messages::{before_brace, loop_help};
use crate::syntax::{SyntaxElement, SyntaxKind, SyntaxNode, SyntaxToken};
use crate::text::Span;

/// What an expression is used for.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Slot {
    /// Its value is used.
    Value,
    /// Its value may also be a lambda.
    ValueOrLambda,
    /// It is a statement: an `if` needs no `else`.
    Statement,
}

impl Lower {
    /// The `index`-th expression directly in `node`; an error expression if it is missing.
    pub(super) fn expr_in(&mut self, node: &SyntaxNode, index: usize, slot: Slot) -> Expr {
        match node.children().filter(|child| child.kind() == SyntaxKind::Expr).nth(index) {
            Some(expr) => self.expr(&expr, slot),
            None => error_at(Span::at(missing_at(node))),
        }
    }

    /// The body of a function, lambda or match arm: a block or an expression.
    pub(super) fn body_in(&mut self, node: &SyntaxNode, is_root: bool) -> Expr {
        let Some(block) = node.child(SyntaxKind::Block) else { return self.expr_in(node, 0, Slot::Value) };
        let span = block.span();
        let block = self.deeper(1, span, |lower| lower.block(&block, is_root));
        block.map_or_else(|| error_at(span), |block| Expr::new(ExprKind::Block(Box::new(block)), span))
    }

    /// An [`SyntaxKind::Expr`] node.
    pub(super) fn expr(&mut self, node: &SyntaxNode, slot: Slot) -> Expr {
        let span = node.span();
        if let Some(lambda) = node.child(SyntaxKind::Lambda) {
            if slot != Slot::ValueOrLambda {
                self.report(
                    Diagnostic::error(codes::LAMBDA_PLACE, "a lambda cannot stand here")
                        .primary(span, "")
                        .note("a lambda is an argument of a built-in method, the value of `accept:` or a member of an adapter")
                        .help("write a `fn`, and name it where it is used"),
                );
            }
            let lambda = self.deeper(1, span, |lower| lower.lambda(&lambda));
            return lambda.unwrap_or_else(|| error_at(span));
        }
        let operators = node.tokens().filter(|token| token.kind() == SyntaxKind::Operator).count();
        let slot = if operators == 0 { slot } else { Slot::Value };
        // A row of operators is at worst a tree of that height.
        let result = self.deeper(1 + operators, span, |lower| lower.infix(node, slot));
        result.unwrap_or_else(|| error_at(span))
    }

    fn lambda(&mut self, node: &SyntaxNode) -> Expr {
        let mut params = Vec::new();
        for token in node.child(SyntaxKind::LambdaParams).into_iter().flat_map(|params| params.tokens()) {
            match token.kind() {
                SyntaxKind::Ident => params.push(self.binder(&token)),
                SyntaxKind::Hole => params.push(Binder::Ignore(token.span())),
                _ => {}
            }
        }
        let body = self.with_effects(Effects::None("a lambda"), |lower| lower.body_in(node, false));
        Expr::new(ExprKind::Lambda { params, body: Box::new(body) }, node.span())
    }

    fn binder(&mut self, token: &SyntaxToken) -> Binder {
        let ident = ident_of(token);
        self.check_case(&ident, Case::Lower, "a binding");
        Binder::Name(ident)
    }

    /// An [`SyntaxKind::Operand`] node: prefix operators, a value, and what follows it.
    pub(super) fn operand(&mut self, node: &SyntaxNode, slot: Slot) -> Expr {
        let mut prefixes = Vec::new();
        let mut primary = None;
        let mut followers = Vec::new();
        for element in node.elements() {
            match element {
                SyntaxElement::Token(token) if token.kind() == SyntaxKind::Operator => prefixes.push(token),
                SyntaxElement::Token(token) if token.kind().is_trivia() => {}
                element if primary.is_none() => primary = Some(element),
                SyntaxElement::Node(follower) => followers.push(follower),
                SyntaxElement::Token(_) => {}
            }
        }
        let span = node.span();
        let Some(primary) = primary else { return error_at(span) };
        let slot = if prefixes.is_empty() && followers.is_empty() { slot } else { Slot::Value };
        let steps = operators::steps(&followers);
        let result = self.deeper(prefixes.len(), span, |lower| {
            let value = lower.deeper(steps, span, |lower| lower.primary(&primary, slot))?;
            Some(lower.follow(value, &followers, steps))
        });
        // Too deep to be read: the operators would only make it deeper.
        result.flatten().map_or_else(|| error_at(span), |value| self.prefix(value, &prefixes))
    }

    /// Applies prefix operators, the innermost last in the text. `-1` is a literal.
    fn prefix(&mut self, value: Expr, operators: &[SyntaxToken]) -> Expr {
        operators.iter().rev().fold(value, |operand, token| {
            let op_span = token.span();
            let span = op_span.cover(operand.span);
            let op = if token.text() == "-" { UnaryOp::Neg } else { UnaryOp::Not };
            let negated = match (op, &operand.kind) {
                (UnaryOp::Neg, ExprKind::Literal(literal)) => negate(literal),
                _ => None,
            };
            let kind = match negated {
                Some(literal) => ExprKind::Literal(literal),
                None => ExprKind::Unary { op, op_span, operand: Box::new(operand) },
            };
            Expr::new(kind, span)
        })
    }

    fn primary(&mut self, element: &SyntaxElement, slot: Slot) -> Expr {
        let span = element.span();
        let kind = match element {
            SyntaxElement::Token(token) => match (token.kind(), token.text()) {
                (SyntaxKind::Number, text) => self.negative_aware_number(text, token),
                (SyntaxKind::Keyword, "null") => Some(ExprKind::Literal(Literal::Null)),
                (SyntaxKind::Keyword, word) => Some(ExprKind::Literal(Literal::Bool(word == "true"))),
                _ => None,
            },
            SyntaxElement::Node(node) => self.primary_node(node, slot),
        };
        Expr::new(kind.unwrap_or(ExprKind::Error), span)
    }

    fn primary_node(&mut self, node: &SyntaxNode, slot: Slot) -> Option<ExprKind> {
        Some(match node.kind() {
            SyntaxKind::String => ExprKind::Template(self.template(node)),
            SyntaxKind::NameRef => {
                let ident = self.ident(node);
                if ident.is_upper() {
                    ExprKind::Variant { of: None, variant: ident, payload: None }
                } else {
                    ExprKind::Name(ident)
                }
            }
            SyntaxKind::Paren => self.expr_in(node, 0, Slot::Value).kind,
            SyntaxKind::List => {
                let elements = node.children().filter(|child| child.kind() == SyntaxKind::Expr);
                ExprKind::List(elements.map(|element| self.expr(&element, Slot::Value)).collect())
            }
            SyntaxKind::RecordLit => {
                let name = self.ident(node);
                self.record_name(node, &name);
                ExprKind::Record { name, fields: self.inits(node) }
            }
            SyntaxKind::AnonRecord => ExprKind::Anonymous(self.inits(node)),
            SyntaxKind::Call => ExprKind::Call(Box::new(self.call(node))),
            SyntaxKind::Run => ExprKind::Run(Box::new(self.run(node))),
            SyntaxKind::Try => ExprKind::Try(Box::new(self.tried(node))),
            SyntaxKind::For => ExprKind::For(Box::new(self.for_loop(node))),
            SyntaxKind::If => ExprKind::If(Box::new(self.condition(node, slot))),
            SyntaxKind::Match => ExprKind::Match(Box::new(self.match_on(node))),
            _ => return None,
        })
    }

    /// A number; one that only fits with a `-` before it is left to [`Self::prefix`].
    fn negative_aware_number(&mut self, text: &str, token: &SyntaxToken) -> Option<ExprKind> {
        let negative = token.parent().is_some_and(|operand| {
            operand
                .tokens()
                .take_while(|t| t != token)
                .any(|t| t.kind() == SyntaxKind::Operator && t.text() == "-")
        });
        if negative && text == MIN_INT_DIGITS {
            return Some(ExprKind::Literal(Literal::Int(i64::MIN)));
        }
        self.number(text, token.span()).map(ExprKind::Literal)
    }

    /// The name of a record literal; a word that is no keyword here reads as one before `{`.
    fn record_name(&mut self, node: &SyntaxNode, name: &Ident) {
        let no_statement = |name: &Ident| {
            let message = format!("`{}` starts no statement", name.name);
            Diagnostic::error(codes::NO_STATEMENT, message).primary(name.span, "")
        };
        let before = std::iter::successors(node.first_token(), SyntaxToken::prev_token).skip(1);
        let mut before = before.filter(|token| !token.kind().is_trivia());
        let in_mock = std::iter::successors(node.parent(), SyntaxNode::parent).take(4);
        if let Some(help) = loop_help(&name.name) {
            self.report(no_statement(name).help(help));
        } else if name.name == "sequence" && in_mock.into_iter().any(|node| node.kind() == SyntaxKind::Mock) {
            self.report(no_statement(name).help("write `sequence [..]`, with an answer for each request"));
        } else if !name.is_upper()
            && let Some(keyword) = before.next().and_then(|token| before_brace(&name.name, token.text()))
        {
            self.report(no_statement(name).meant(keyword, name.span));
        } else {
            self.check_case(name, Case::Upper, "a record");
        }
    }

    fn inits(&mut self, node: &SyntaxNode) -> Vec<FieldInit> {
        let inits = node.children().filter(|child| child.kind() == SyntaxKind::Init);
        inits.filter_map(|init| self.init(&init)).collect()
    }

    fn init(&mut self, node: &SyntaxNode) -> Option<FieldInit> {
        let (key, quoted) = match node.child(SyntaxKind::String) {
            Some(text) => {
                let text = self.fixed_text(&text, "the key of a map");
                (Ident::new(text.value, text.span), true)
            }
            None => (ident_of(&node.token(SyntaxKind::Ident)?), false),
        };
        let has_value = node.tokens().any(|token| token.text() == ":");
        let value =
            if has_value { self.expr_in(node, 0, Slot::Value) } else { self.shorthand(&key, quoted, node) };
        Some(FieldInit { key, quoted, value, shorthand: !has_value, span: member_span(node) })
    }

    /// The value of `{ name }`: the binding of that name. A name that no binding can have needs a value.
    fn shorthand(&mut self, key: &Ident, quoted: bool, node: &SyntaxNode) -> Expr {
        let written = node.token(SyntaxKind::Ident);
        let is_plain =
            written.is_some_and(|token| !token.text().starts_with('`') && !is_reserved(token.text()));
        if quoted || !is_plain || key.is_upper() {
            let name = &key.name;
            self.report(
                Diagnostic::error(codes::MISSING_EXPR, format!("the value of `{name}` is missing"))
                    .primary(key.span, "")
                    .note("only a name that can be a binding may stand for both key and value")
                    .fix(Fix::maybe("give it a value").insert(key.span.end, ": null")),
            );
            return error_at(key.span);
        }
        Expr::new(ExprKind::Name(key.clone()), key.span)
    }

    /// Arguments between parentheses.
    pub(super) fn args(&mut self, node: &SyntaxNode, slot: Slot) -> Vec<Arg> {
        let args = node.children().filter(|child| child.kind() == SyntaxKind::Arg);
        args.map(|arg| {
            let name = arg.token(SyntaxKind::Ident).map(|name| ident_of(&name));
            let value = self.expr_in(&arg, 0, slot);
            Arg { name, value, span: arg.span() }
        })
        .collect()
    }

    fn args_in(&mut self, node: &SyntaxNode) -> Vec<Arg> {
        node.child(SyntaxKind::Args).map(|args| self.args(&args, Slot::Value)).unwrap_or_default()
    }

    fn call(&mut self, node: &SyntaxNode) -> Call {
        self.check_effect(node, "call");
        let wanted = node.child(SyntaxKind::Cast).map(|cast| self.type_in(&cast, 0));
        Call {
            target: self.path(node, 0),
            args: self.args_in(node),
            wanted,
            policy: self.policy_in(node),
            span: node.span(),
        }
    }

    pub(super) fn run(&mut self, node: &SyntaxNode) -> Run {
        self.check_effect(node, "run");
        Run { plan: self.path(node, 0), args: self.args_in(node), span: node.span() }
    }

    fn check_effect(&mut self, node: &SyntaxNode, word: &str) {
        let start = node.span().start;
        let span = Span::new(start, start + u32::try_from(word.len()).unwrap_or(0));
        match self.effects {
            Effects::All => {}
            Effects::RunOnly if word == "run" => {}
            Effects::RunOnly => self.report(
                Diagnostic::error(
                    codes::CALL_PLACE,
                    "a test does not call: it mocks operations and runs plans",
                )
                .primary(span, "")
                .help("write `run` and the name of a plan"),
            ),
            Effects::None(place) => self.report(
                Diagnostic::error(
                    codes::CALL_PLACE,
                    format!("`{word}` cannot stand in {place}, which is pure"),
                )
                .primary(span, "")
                .help(match place {
                    "a lambda" => format!("loop over a list by `for x in xs {{ {word} .. }}`"),
                    _ => "do it in a plan, bind the answer by `let`, and pass that on".to_owned(),
                }),
            ),
        }
    }

    fn tried(&mut self, node: &SyntaxNode) -> Expr {
        let inner = node.children().next();
        let span = inner.as_ref().map_or_else(|| Span::at(node.span().end), SyntaxNode::span);
        let kind = match inner {
            Some(inner) if inner.kind() == SyntaxKind::Call => ExprKind::Call(Box::new(self.call(&inner))),
            Some(inner) if inner.kind() == SyntaxKind::Run => ExprKind::Run(Box::new(self.run(&inner))),
            _ => ExprKind::Error,
        };
        Expr::new(kind, span)
    }

    fn for_loop(&mut self, node: &SyntaxNode) -> For {
        let mut names = node.tokens().filter(|t| matches!(t.kind(), SyntaxKind::Ident | SyntaxKind::Hole));
        let binder = match names.next() {
            Some(token) if token.kind() == SyntaxKind::Ident => self.binder(&token),
            Some(hole) => Binder::Ignore(hole.span()),
            None => Binder::Ignore(Span::at(missing_at(node))),
        };
        For {
            binder,
            list: self.expr_in(node, 0, Slot::Value),
            policy: self.policy_in(node),
            body: self.block_in(node),
        }
    }

    fn condition(&mut self, node: &SyntaxNode, slot: Slot) -> If {
        let mut branches = vec![self.branch(node)];
        let others = node.children().filter(|child| child.kind() == SyntaxKind::ElseIf);
        branches.extend(others.map(|other| self.branch(&other)));
        let otherwise = node.child(SyntaxKind::Else).map(|otherwise| self.block_in(&otherwise));
        if otherwise.is_none() && slot != Slot::Statement {
            let span = node.span();
            self.report(
                Diagnostic::error(codes::IF_WITHOUT_ELSE, "an `if` without `else` has no value")
                    .primary(Span::new(span.start, span.start + 2), "its value is used here")
                    .help("add `else { .. }` with a value of the same type, `null` for instance"),
            );
        }
        If { branches, otherwise }
    }

    fn branch(&mut self, node: &SyntaxNode) -> Branch {
        Branch { cond: self.expr_in(node, 0, Slot::Value), then: self.block_in(node) }
    }

    fn match_on(&mut self, node: &SyntaxNode) -> Match {
        let value = self.expr_in(node, 0, Slot::Value);
        let arms = node.child(SyntaxKind::Arms);
        let arms = arms.iter().flat_map(SyntaxNode::children).filter(|child| child.kind() == SyntaxKind::Arm);
        let arms = arms.map(|arm| MatchArm {
            pattern: self.pattern_in(&arm),
            body: self.body_in(&arm, false),
            span: member_span(&arm),
        });
        Match { value, arms: arms.collect() }
    }
}

/// An expression that could not be read and was reported.
pub(super) fn error_at(span: Span) -> Expr {
    Expr::new(ExprKind::Error, span)
}

/// The digits of the least `Int`, which fit only with their sign.
const MIN_INT_DIGITS: &str = "9223372036854775808";

fn negate(literal: &Literal) -> Option<Literal> {
    Some(match literal {
        // The least `Int` comes without its sign, see `negative_aware_number`.
        Literal::Int(i64::MIN) => Literal::Int(i64::MIN),
        Literal::Int(value) => Literal::Int(-value),
        Literal::Float(value) => Literal::Float(-value),
        Literal::DurationUs(value) => Literal::DurationUs(-value),
        Literal::Rao(value) => Literal::Rao(-value),
        Literal::MicroUsd(value) => Literal::MicroUsd(-value),
        Literal::Null | Literal::Bool(_) => return None,
    })
}

/// Words that no binding can have as its name.
pub(crate) fn is_reserved(word: &str) -> bool {
    const RESERVED: [&str; 17] = [
        "let", "ensure", "return", "if", "else", "match", "for", "in", "with", "as", "call", "run", "try",
        "null", "true", "false", "_",
    ];
    RESERVED.contains(&word)
}
