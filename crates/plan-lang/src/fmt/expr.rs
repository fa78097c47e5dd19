//! Expressions.

use super::braces::List;
use super::doc::{self, Doc};
use super::flat::flat;
use super::stmt::{block, policy};
use super::{has, strings, token};
use crate::ast::BinaryOp;
use crate::syntax::{SyntaxElement, SyntaxKind, SyntaxNode};

/// The first expression directly in `node`.
pub(super) fn expr_in(node: &SyntaxNode) -> Doc {
    node.child(SyntaxKind::Expr).map_or_else(doc::nil, |inner| expr(&inner))
}

/// A block or expression after `=>` or `=`.
pub(super) fn body_in(node: &SyntaxNode) -> Doc {
    match node.child(SyntaxKind::Block) {
        Some(inner) => doc::group(block(&inner)),
        None => expr_in(node),
    }
}

/// An [`SyntaxKind::Expr`] node: a lambda, or operands and operators in a row.
pub(super) fn expr(node: &SyntaxNode) -> Doc {
    if let Some(inner) = node.child(SyntaxKind::Lambda) {
        return lambda(&inner);
    }
    if node.tokens().any(|token| token.kind() == SyntaxKind::Comment) {
        return commented_row(node);
    }
    let mut operands = node.children().map(|inner| operand(&inner));
    let first = operands.next().unwrap_or_else(doc::nil);
    let operators = node.tokens().filter_map(|token| BinaryOp::from_symbol(token.text()));
    row(first, operators.zip(operands).collect())
}

/// Operands, each with the operator before it.
type Row = Vec<(BinaryOp, Doc)>;

/// A row that does not fit breaks before each of its loosest operators; what binds tighter stays together
/// where it can.
fn row(first: Doc, rest: Row) -> Doc {
    let Some(loosest) = rest.iter().map(|(op, _)| op.precedence()).min() else { return first };
    let mut head = (first, Row::new());
    let mut lines: Vec<(BinaryOp, Doc, Row)> = Vec::new();
    for (op, operand) in rest {
        if op.precedence() == loosest {
            lines.push((op, operand, Row::new()));
        } else {
            lines.last_mut().map_or(&mut head.1, |(_, _, tighter)| tighter).push((op, operand));
        }
    }
    let lines = lines.into_iter().flat_map(|(op, first, tighter)| {
        [doc::line(), doc::text(format!("{} ", op.symbol())), row(first, tighter)]
    });
    let lines = doc::indent(doc::concat(lines.collect()));
    // Its own lines, should it break too, stand deeper than those of this row.
    let head = doc::indent(row(head.0, head.1));
    doc::group(doc::concat(vec![head, lines]))
}

/// A row with comments in it breaks before each operator.
fn commented_row(node: &SyntaxNode) -> Doc {
    let (mut parts, mut rest) = (Vec::new(), Vec::new());
    for element in node.elements() {
        match element {
            SyntaxElement::Node(inner) if parts.is_empty() => parts.push(operand(&inner)),
            SyntaxElement::Node(inner) => rest.push(operand(&inner)),
            SyntaxElement::Token(token) if token.kind() == SyntaxKind::Operator => {
                rest.extend([doc::hard(), doc::text(format!("{} ", token.text()))]);
            }
            SyntaxElement::Token(_) => {}
        }
    }
    if rest.is_empty() {
        return doc::concat(parts);
    }
    parts.push(doc::indent(doc::concat(rest)));
    doc::group(doc::concat(parts))
}

/// An [`SyntaxKind::Operand`] node. Two or more method calls that do not fit break before each dot.
fn operand(node: &SyntaxNode) -> Doc {
    let elements: Vec<SyntaxElement> = node.elements().collect();
    let must_break = elements.iter().any(|element| element.kind() == SyntaxKind::Comment);
    let pairs = elements.iter().zip(elements.iter().skip(1));
    let is_call = |(a, b): &(&SyntaxElement, &SyntaxElement)| {
        a.kind() == SyntaxKind::Member && b.kind() == SyntaxKind::Args
    };
    let breaks = must_break || pairs.filter(is_call).count() > 1;
    let mut parts = Vec::new();
    let mut chain = Vec::new();
    let mut seen_primary = false;
    for (index, element) in elements.iter().enumerate() {
        match element {
            SyntaxElement::Token(token) => match token.kind() {
                SyntaxKind::Whitespace | SyntaxKind::Comment => {}
                SyntaxKind::Operator => parts.push(doc::text(token.text())),
                _ => {
                    seen_primary = true;
                    parts.push(doc::text(token.text()));
                }
            },
            SyntaxElement::Node(inner) if !seen_primary => {
                seen_primary = true;
                parts.push(primary(inner));
            }
            SyntaxElement::Node(inner) => {
                let called = elements.get(index + 1).is_some_and(|next| next.kind() == SyntaxKind::Args);
                if inner.kind() == SyntaxKind::Member && breaks && (called || must_break) {
                    chain.push(if must_break { doc::hard() } else { doc::soft() });
                }
                chain.push(follower(inner));
            }
        }
    }
    if breaks {
        parts.push(doc::indent(doc::concat(chain)));
        return doc::group(doc::concat(parts));
    }
    parts.extend(chain);
    doc::concat(parts)
}

fn follower(node: &SyntaxNode) -> Doc {
    match node.kind() {
        SyntaxKind::Member => {
            let dot = if has(node, "?.") { "?." } else { "." };
            doc::text(format!("{dot}{}", token(node, SyntaxKind::Ident)))
        }
        SyntaxKind::Args => args(node),
        SyntaxKind::Index => doc::concat(vec![doc::text("["), expr_in(node), doc::text("]")]),
        SyntaxKind::Cast => cast(node),
        _ => doc::text(node.text()),
    }
}

/// ` as T`.
fn cast(node: &SyntaxNode) -> Doc {
    let ty = node.child(SyntaxKind::Type).map_or_else(doc::nil, |ty| flat(&ty));
    doc::concat(vec![doc::text(" as "), ty])
}

fn primary(node: &SyntaxNode) -> Doc {
    match node.kind() {
        SyntaxKind::String => strings::string(node),
        SyntaxKind::NameRef => doc::text(node.text()),
        SyntaxKind::Paren => {
            let inner = doc::indent(doc::concat(vec![doc::soft(), expr_in(node)]));
            doc::group(doc::concat(vec![doc::text("("), inner, doc::soft(), doc::text(")")]))
        }
        SyntaxKind::List => List::read(node, expr).in_brackets("[", "]"),
        SyntaxKind::RecordLit => {
            let name = doc::text(format!("{} ", token(node, SyntaxKind::Ident)));
            doc::concat(vec![name, List::read(node, init).in_braces()])
        }
        SyntaxKind::AnonRecord => List::read(node, init).in_braces(),
        SyntaxKind::Call | SyntaxKind::Run => call(node),
        SyntaxKind::Try => {
            let inner = node.children().next().map_or_else(doc::nil, |inner| call(&inner));
            doc::concat(vec![doc::text("try "), inner])
        }
        SyntaxKind::For => for_loop(node),
        SyntaxKind::If => condition(node),
        SyntaxKind::Match => {
            let arms =
                node.child(SyntaxKind::Arms).map_or_else(doc::nil, |arms| List::read(&arms, arm).in_braces());
            doc::concat(vec![doc::text("match "), expr_in(node), doc::text(" "), arms])
        }
        _ => doc::text(node.text()),
    }
}

/// `call path(..) as T with ..` or `run path(..)`.
pub(super) fn call(node: &SyntaxNode) -> Doc {
    let word = if node.kind() == SyntaxKind::Run { "run " } else { "call " };
    let mut parts = vec![doc::text(word)];
    for inner in node.children() {
        match inner.kind() {
            SyntaxKind::Path => parts.push(flat(&inner)),
            SyntaxKind::Args => parts.push(args(&inner)),
            SyntaxKind::Cast => parts.push(cast(&inner)),
            SyntaxKind::Policy => {
                parts.push(doc::text(" "));
                parts.push(policy(&inner));
            }
            _ => {}
        }
    }
    doc::concat(parts)
}

/// Arguments. A single one that has an end of its own stays close to the parentheses.
pub(super) fn args(node: &SyntaxNode) -> Doc {
    let list = List::read(node, arg);
    let only = node.child(SyntaxKind::Arg).and_then(|only| only.child(SyntaxKind::Expr));
    let hugs = only.is_some_and(|only| only.child(SyntaxKind::Lambda).is_some() || is_compact(&only));
    if hugs && list.is_only() {
        return list.hugged("(", ")");
    }
    list.in_brackets("(", ")")
}

fn arg(node: &SyntaxNode) -> Doc {
    let name = node.token(SyntaxKind::Ident).map(|name| format!("{}: ", name.text())).unwrap_or_default();
    doc::concat(vec![doc::text(name), expr_in(node)])
}

fn init(node: &SyntaxNode) -> Doc {
    let key = match node.child(SyntaxKind::String) {
        Some(key) => key.text(),
        None => token(node, SyntaxKind::Ident),
    };
    let colon = if has(node, ":") { ": " } else { "" };
    doc::concat(vec![doc::text(format!("{key}{colon}")), expr_in(node)])
}

/// Whether an expression is a single value that starts and ends with its own brackets, or a short one.
pub(super) fn is_compact(node: &SyntaxNode) -> bool {
    let mut operands = node.children();
    let (Some(only), None) = (operands.next(), operands.next()) else { return false };
    let mut values = only.children();
    match (values.next(), values.next()) {
        (Some(value), None) => matches!(
            value.kind(),
            SyntaxKind::String
                | SyntaxKind::NameRef
                | SyntaxKind::List
                | SyntaxKind::RecordLit
                | SyntaxKind::AnonRecord
                | SyntaxKind::For
                | SyntaxKind::If
                | SyntaxKind::Match
                | SyntaxKind::Call
                | SyntaxKind::Run
        ),
        (None, _) => true,
        _ => false,
    }
}

fn lambda(node: &SyntaxNode) -> Doc {
    let params = node.child(SyntaxKind::LambdaParams);
    let names: Vec<String> = params
        .iter()
        .flat_map(SyntaxNode::tokens)
        .filter(|token| matches!(token.kind(), SyntaxKind::Ident | SyntaxKind::Hole))
        .map(|token| token.text().to_owned())
        .collect();
    let names = match names.as_slice() {
        [only] => only.clone(),
        names => format!("({})", names.join(", ")),
    };
    doc::concat(vec![doc::text(format!("{names} => ")), body_in(node)])
}

fn for_loop(node: &SyntaxNode) -> Doc {
    let binder = node.tokens().find(|token| matches!(token.kind(), SyntaxKind::Ident | SyntaxKind::Hole));
    let binder = binder.map(|token| token.text().to_owned()).unwrap_or_default();
    let mut parts = vec![doc::text(format!("for {binder} in ")), expr_in(node), doc::text(" ")];
    if let Some(inner) = node.child(SyntaxKind::Policy) {
        parts.push(policy(&inner));
        parts.push(doc::text(" "));
    }
    parts.push(body_in_block(node));
    doc::concat(parts)
}

fn body_in_block(node: &SyntaxNode) -> Doc {
    node.child(SyntaxKind::Block).map_or_else(doc::nil, |inner| doc::group(block(&inner)))
}

/// All branches on one line if they fit, else every block on lines of its own.
fn condition(node: &SyntaxNode) -> Doc {
    let mut parts = vec![doc::text("if "), expr_in(node), doc::text(" ")];
    parts.extend(node.child(SyntaxKind::Block).map(|inner| block(&inner)));
    for inner in node.children() {
        match inner.kind() {
            SyntaxKind::ElseIf => {
                parts.extend([doc::text(" else if "), expr_in(&inner), doc::text(" ")]);
            }
            SyntaxKind::Else => parts.push(doc::text(" else ")),
            _ => continue,
        }
        parts.extend(inner.child(SyntaxKind::Block).map(|inner| block(&inner)));
    }
    doc::group(doc::concat(parts))
}

fn arm(node: &SyntaxNode) -> Doc {
    let pattern = node.child(SyntaxKind::Pattern).map_or_else(doc::nil, |pattern| flat(&pattern));
    doc::concat(vec![pattern, doc::text(" => "), body_in(node)])
}
