//! Blocks, statements, policies.

use super::braces::List;
use super::doc::{self, Doc};
use super::expr::{args, call, expr_in};
use super::flat::flat;
use super::{has, strings, token};
use crate::syntax::{SyntaxElement, SyntaxKind, SyntaxNode};

/// A block. One that is a single expression, and that the author left on one line, stays there if the
/// group around it fits.
pub(super) fn block(node: &SyntaxNode) -> Doc {
    let list = List::read(node, stmt);
    let is_value = node.children().next().is_some_and(|only| only.kind() == SyntaxKind::ExprStmt);
    if is_value && list.is_single_line() { list.in_line() } else { list.in_block() }
}

/// The statements of a test or the members of an adapter.
pub(super) fn lines(node: &SyntaxNode) -> Doc {
    List::read(node, stmt).in_block()
}

fn stmt(node: &SyntaxNode) -> Doc {
    let inner = match node.kind() {
        SyntaxKind::Let => {
            let ty = node.child(SyntaxKind::Type).map(|ty| doc::concat(vec![doc::text(": "), flat(&ty)]));
            let name = doc::text(format!("let {}", token(node, SyntaxKind::Ident)));
            doc::concat(vec![name, ty.unwrap_or_else(doc::nil), doc::text(" = "), expr_in(node)])
        }
        SyntaxKind::Ensure => {
            let reason = doc::indent(doc::concat(vec![doc::line(), doc::text("else "), string_in(node)]));
            doc::group(doc::concat(vec![doc::text("ensure "), expr_in(node), reason]))
        }
        SyntaxKind::Return => doc::concat(vec![doc::text("return "), expr_in(node)]),
        SyntaxKind::Assert => doc::concat(vec![doc::text("assert "), expr_in(node)]),
        SyntaxKind::Mock => {
            let target = node.child(SyntaxKind::Path).map_or_else(doc::nil, |path| flat(&path));
            doc::concat(vec![doc::text("mock "), target, doc::text(" => "), mock_value_in(node)])
        }
        SyntaxKind::Expect => {
            let run = node.child(SyntaxKind::Run).map_or_else(doc::nil, |run| call(&run));
            let mut parts = vec![doc::text("expect fails "), run];
            if has(node, "with") {
                parts.extend([doc::text(" with "), string_in(node)]);
            }
            doc::concat(parts)
        }
        SyntaxKind::AdapterMember => {
            doc::concat(vec![doc::text(format!("{} = ", token(node, SyntaxKind::Ident))), expr_in(node)])
        }
        _ => expr_in(node),
    };
    let end = if continues(node) { ";" } else { "" };
    doc::concat(vec![inner, doc::text(end)])
}

/// Whether the next statement would continue this one without a `;`: it starts with `-`.
fn continues(node: &SyntaxNode) -> bool {
    let mut next = node.next();
    while let Some(element) = next {
        match element {
            SyntaxElement::Node(node) => return node.first_token().is_some_and(|token| token.text() == "-"),
            SyntaxElement::Token(token) if token.kind().is_trivia() || token.text() == ";" => {
                next = token.next_sibling();
            }
            SyntaxElement::Token(_) => return false,
        }
    }
    false
}

fn string_in(node: &SyntaxNode) -> Doc {
    node.child(SyntaxKind::String).map_or_else(doc::nil, |text| strings::string(&text))
}

fn mock_value_in(node: &SyntaxNode) -> Doc {
    node.child(SyntaxKind::MockValue).map_or_else(|| expr_in(node), |value| mock_value(&value))
}

fn mock_value(node: &SyntaxNode) -> Doc {
    let Some(shape) = node.children().next() else { return doc::nil() };
    match shape.kind() {
        SyntaxKind::MockFails => {
            let args = shape.child(SyntaxKind::Args).map_or_else(doc::nil, |inner| args(&inner));
            doc::concat(vec![doc::text(format!("fails {}", token(&shape, SyntaxKind::Ident))), args])
        }
        SyntaxKind::MockAfter => {
            let delay = doc::text(format!("after {} ", token(&shape, SyntaxKind::Number)));
            doc::concat(vec![delay, mock_value_in(&shape)])
        }
        SyntaxKind::MockSequence => {
            let values = List::read(&shape, mock_value).in_brackets("[", "]");
            doc::concat(vec![doc::text("sequence "), values])
        }
        _ => expr_in(node),
    }
}

/// `with name { key: value }`.
pub(super) fn policy(node: &SyntaxNode) -> Doc {
    let mut parts = vec![doc::text("with")];
    if let Some(path) = node.child(SyntaxKind::Path) {
        parts.extend([doc::text(" "), flat(&path)]);
    }
    if let Some(fields) = node.child(SyntaxKind::PolicyFields) {
        parts.extend([doc::text(" "), policy_fields(&fields)]);
    }
    doc::concat(parts)
}

/// The keys of a policy in braces.
pub(super) fn policy_fields(node: &SyntaxNode) -> Doc {
    List::read(node, policy_field).in_braces()
}

fn policy_field(node: &SyntaxNode) -> Doc {
    let key = doc::text(format!("{}: ", token(node, SyntaxKind::Ident)));
    let value = match node.child(SyntaxKind::PolicyFields) {
        Some(fields) => policy_fields(&fields),
        None => match node.token(SyntaxKind::Percent) {
            Some(percent) => doc::text(percent.text()),
            None => expr_in(node),
        },
    };
    doc::concat(vec![key, value])
}
