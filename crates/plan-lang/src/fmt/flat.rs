//! What is always on one line: types, paths, patterns, names.

use super::doc::{self, Doc};
use super::strings;
use crate::syntax::{SyntaxElement, SyntaxKind, SyntaxNode};

/// A node on one line.
pub(super) fn flat(node: &SyntaxNode) -> Doc {
    let mut parts = Vec::new();
    walk(node, &mut parts);
    doc::concat(parts)
}

/// Emits the tokens with the blanks that belong between them: behind `,`, behind the `:` of a map.
fn walk(node: &SyntaxNode, parts: &mut Vec<Doc>) {
    for element in node.elements() {
        match element {
            SyntaxElement::Node(text) if text.kind() == SyntaxKind::String => {
                parts.push(strings::string(&text))
            }
            SyntaxElement::Node(inner) => walk(&inner, parts),
            SyntaxElement::Token(token) => match token.kind() {
                SyntaxKind::Whitespace | SyntaxKind::Comment => {}
                _ => {
                    let blank = if matches!(token.text(), "," | ":") { " " } else { "" };
                    parts.push(doc::text(format!("{}{blank}", token.text())));
                }
            },
        }
    }
}
