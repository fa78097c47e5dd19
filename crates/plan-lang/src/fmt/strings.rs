//! Texts. Their value never changes; only the indentation of `"""`, which is not part of it, does.

use super::doc::{self, Doc};
use crate::syntax::{SyntaxElement, SyntaxKind, SyntaxNode};

/// A [`SyntaxKind::String`] node.
pub(super) fn string(node: &SyntaxNode) -> Doc {
    let text = node.text().replace("\r\n", "\n");
    if !text.contains('\n') {
        return doc::text(text);
    }
    match reindented(node, &text) {
        Some(doc) => doc,
        None => verbatim(&text),
    }
}

/// A text as it is, in its own columns.
fn verbatim(text: &str) -> Doc {
    // A text that holds line ends is one piece for the printer; only its column is wrong after it, which
    // makes lines break earlier or later but never wrongly.
    doc::text(text)
}

/// A `"""` text whose quotes stand on lines of their own, moved to the indentation of its place.
fn reindented(node: &SyntaxNode, text: &str) -> Option<Doc> {
    let parts_have_lines = node.elements().any(|element| match element {
        SyntaxElement::Node(part) => part.has_line_end(),
        SyntaxElement::Token(token) => !matches!(token.kind(), SyntaxKind::StringText | SyntaxKind::Quote),
    });
    let inner = text.strip_prefix("\"\"\"")?.strip_suffix("\"\"\"")?;
    let (first, body) = inner.split_once('\n')?;
    let (body, last) = body.rsplit_once('\n')?;
    if parts_have_lines
        || !first.trim_matches([' ', '\t']).is_empty()
        || !last.trim_matches([' ', '\t']).is_empty()
    {
        return None;
    }
    let is_blank = |line: &str| line.trim_matches([' ', '\t']).is_empty();
    let shared = body.split('\n').filter(|line| !is_blank(line)).map(indent_of).reduce(common)?;
    let mut parts = Vec::new();
    for line in body.split('\n') {
        parts.push(doc::text_line());
        // A line that is shorter than the shared indentation is blank, and empty in the value.
        parts.push(doc::text(line.strip_prefix(shared).unwrap_or("")));
    }
    parts.push(doc::text_line());
    parts.push(doc::text("\"\"\""));
    Some(doc::concat(vec![doc::text("\"\"\""), doc::indent(doc::concat(parts))]))
}

fn indent_of(line: &str) -> &str {
    let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
    line.get(..blanks).unwrap_or("")
}

fn common<'a>(a: &'a str, b: &'a str) -> &'a str {
    let shared = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    a.get(..shared).unwrap_or("")
}
