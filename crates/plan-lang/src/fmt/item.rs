//! Declarations.

use super::braces::List;
use super::doc::{self, Doc};
use super::expr::{body_in, expr_in, is_compact};
use super::flat::flat;
use super::stmt::{block, lines, policy, policy_fields};
use super::{has, strings, token};
use crate::syntax::{SyntaxElement, SyntaxKind, SyntaxNode};

/// An [`SyntaxKind::Item`] node: docs, comments between them, the declaration.
pub(super) fn item(node: &SyntaxNode) -> Doc {
    let mut parts = documentation(node);
    parts.extend(node.children().map(|inner| declaration(&inner)));
    doc::concat(parts)
}

/// Whether the printed declaration has more than one line, docs and comments aside.
pub(super) fn is_long(node: &SyntaxNode, printed: &str) -> bool {
    node.children().next().is_some()
        && printed.lines().skip_while(|line| line.starts_with("//")).nth(1).is_some()
}

/// The docs before the first word of `node` and the comments between them, each on its own line.
fn documentation(node: &SyntaxNode) -> Vec<Doc> {
    let mut parts = Vec::new();
    let mut only_docs = true;
    for element in node.elements() {
        match element {
            SyntaxElement::Token(token) if matches!(token.kind(), SyntaxKind::Doc | SyntaxKind::Comment) => {
                if only_docs {
                    parts.push(doc::text(token.text().trim_end()));
                    parts.push(doc::hard());
                }
            }
            SyntaxElement::Token(token) if token.kind().is_trivia() => {}
            _ => only_docs = false,
        }
    }
    parts
}

fn declaration(node: &SyntaxNode) -> Doc {
    let name = token(node, SyntaxKind::Ident);
    let inner = match node.kind() {
        SyntaxKind::Edition => vec![doc::text(format!("edition {}", token(node, SyntaxKind::Number)))],
        SyntaxKind::Use => {
            vec![doc::text("use "), path(node, 0), doc::text(" "), list(node, SyntaxKind::Imports, import)]
        }
        SyntaxKind::Record => {
            vec![doc::text(format!("record {name} ")), list(node, SyntaxKind::Fields, field)]
        }
        SyntaxKind::Enum => {
            vec![doc::text(format!("enum {name} ")), list(node, SyntaxKind::Variants, variant)]
        }
        SyntaxKind::PolicyDecl => {
            let fields = node.child(SyntaxKind::PolicyFields);
            vec![
                doc::text(format!("policy {name} = ")),
                fields.map_or_else(doc::nil, |fields| policy_fields(&fields)),
            ]
        }
        SyntaxKind::Capability => vec![signature("capability", node)],
        SyntaxKind::Adapter => {
            let body = node.child(SyntaxKind::AdapterBody).map_or_else(doc::nil, |body| lines(&body));
            vec![doc::text("adapter "), path(node, 0), doc::text(" as "), path(node, 1), doc::text(" "), body]
        }
        SyntaxKind::Fn => vec![signature("fn", node), function_body(node)],
        SyntaxKind::Plan => plan(node),
        SyntaxKind::Test => {
            let name = node.child(SyntaxKind::String).map_or_else(doc::nil, |name| strings::string(&name));
            let body = node.child(SyntaxKind::TestBlock).map_or_else(doc::nil, |body| lines(&body));
            vec![doc::text("test "), name, doc::text(" "), body]
        }
        _ => vec![doc::text(node.text())],
    };
    doc::concat(inner)
}

fn path(node: &SyntaxNode, index: usize) -> Doc {
    let path = node.children().filter(|child| child.kind() == SyntaxKind::Path).nth(index);
    path.map_or_else(doc::nil, |path| flat(&path))
}

fn list(node: &SyntaxNode, kind: SyntaxKind, member: fn(&SyntaxNode) -> Doc) -> Doc {
    node.child(kind).map_or_else(doc::nil, |inner| List::read(&inner, member).in_braces())
}

fn import(node: &SyntaxNode) -> Doc {
    let names: Vec<String> = node
        .tokens()
        .filter(|token| token.kind() == SyntaxKind::Ident)
        .map(|token| token.text().to_owned())
        .collect();
    doc::text(names.join(" as "))
}

fn field(node: &SyntaxNode) -> Doc {
    let mut parts = documentation(node);
    parts.push(doc::text(format!("{}: ", token(node, SyntaxKind::Ident))));
    parts.push(ty(node));
    doc::concat(parts)
}

fn variant(node: &SyntaxNode) -> Doc {
    let mut parts = documentation(node);
    parts.push(doc::text(token(node, SyntaxKind::Ident)));
    if has(node, "(") {
        parts.extend([doc::text("("), ty(node), doc::text(")")]);
    }
    doc::concat(parts)
}

fn ty(node: &SyntaxNode) -> Doc {
    node.child(SyntaxKind::Type).map_or_else(doc::nil, |ty| flat(&ty))
}

/// `fn name(..) -> T`.
fn signature(word: &str, node: &SyntaxNode) -> Doc {
    let params = node.child(SyntaxKind::Params);
    let params = params.map_or_else(doc::nil, |params| List::read(&params, param).in_brackets("(", ")"));
    let result = if node.token(SyntaxKind::Hole).is_some() { doc::text("_") } else { ty(node) };
    let name = token(node, SyntaxKind::Ident);
    doc::concat(vec![doc::text(format!("{word} {name}")), params, doc::text(" -> "), result])
}

fn param(node: &SyntaxNode) -> Doc {
    let mut parts = documentation(node);
    parts.push(doc::text(format!("{}: ", token(node, SyntaxKind::Ident))));
    parts.push(ty(node));
    if has(node, "=") {
        parts.extend([doc::text(" = "), expr_in(node)]);
    }
    doc::concat(parts)
}

/// The body of a function: on the line of `=` if it fits or brings its own brackets.
fn function_body(node: &SyntaxNode) -> Doc {
    let hugs = node.child(SyntaxKind::Expr).is_none_or(|body| is_compact(&body));
    if hugs {
        return doc::concat(vec![doc::text(" = "), body_in(node)]);
    }
    let body = doc::indent(doc::concat(vec![doc::line(), body_in(node)]));
    doc::group(doc::concat(vec![doc::text(" ="), body]))
}

/// A plan whose policy does not fit on the first line has it on a line of its own, and so its brace.
fn plan(node: &SyntaxNode) -> Vec<Doc> {
    let body = node.child(SyntaxKind::Block).map_or_else(doc::nil, |body| doc::group(block(&body)));
    let signature = signature("plan", node);
    match node.child(SyntaxKind::Policy) {
        None => vec![signature, doc::text(" "), body],
        Some(inner) => {
            let with = doc::indent(doc::concat(vec![doc::line(), policy(&inner)]));
            vec![doc::group(doc::concat(vec![signature, with, doc::line()])), body]
        }
    }
}
