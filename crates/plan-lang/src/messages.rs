//! From missing and unfit parts of the tree to messages a person understands, one per line of source.

use crate::diagnostic::Diagnostic;
use crate::syntax::{SyntaxElement, SyntaxKind, SyntaxNode};

pub(crate) fn collect(root: &SyntaxNode, _text: &str, into: &mut Vec<Diagnostic>) {
    for node in root.descendants() {
        if node.kind().is_missing() || node.kind().is_error() {
            into.push(
                Diagnostic::error(crate::codes::NO_ITEM, format!("{:?}", node.kind()))
                    .primary(node.span(), ""),
            );
        }
    }
    let _ = |e: SyntaxElement| e.kind() == SyntaxKind::File;
}

pub(crate) fn merge(_text: &str, into: &mut Vec<Diagnostic>, checks: Vec<Diagnostic>) {
    into.extend(checks);
    crate::diagnostic::sort(into);
}
