//! Lists between brackets: members in braces, arguments, elements.

use super::Lines;
use super::doc::{self, Doc};
use crate::syntax::{SyntaxElement, SyntaxKind, SyntaxNode};

/// One member, with the comments around it.
struct Entry {
    above: Vec<Doc>,
    doc: Doc,
    behind: Vec<Doc>,
    empty_line_before: bool,
}

/// The members of a list with their comments, in order.
#[derive(Default)]
pub(super) struct List {
    entries: Vec<Entry>,
    /// Behind the opening bracket, on its line.
    opening: Vec<Doc>,
    /// Before the closing bracket, on lines of their own.
    closing: Vec<Doc>,
    /// Whether the author broke the line behind the opening bracket.
    opened: bool,
}

impl List {
    /// Reads the members and comments directly in `node`, which starts and ends with a bracket.
    pub(super) fn read(node: &SyntaxNode, member: fn(&SyntaxNode) -> Doc) -> Self {
        let mut list = Self::default();
        let mut above = Vec::new();
        let mut lines = Lines::default();
        let mut above_gap = false;
        let mut inside = false;
        for element in node.elements() {
            match element {
                SyntaxElement::Token(token) => match token.kind() {
                    SyntaxKind::Whitespace => lines.see(&token),
                    SyntaxKind::Comment if inside => {
                        let comment = token.text().trim_end();
                        match (lines.count, list.entries.last_mut()) {
                            (0, Some(last)) if above.is_empty() => last.behind.push(doc::suffix(comment)),
                            (0, None) if above.is_empty() => list.opening.push(doc::suffix(comment)),
                            _ => {
                                let gap = lines.count > 1 && !(above.is_empty() && list.entries.is_empty());
                                if above.is_empty() {
                                    above_gap = gap;
                                    above.push(doc::text(comment));
                                } else {
                                    let gap = if gap { doc::hard() } else { doc::nil() };
                                    above.push(doc::concat(vec![gap, doc::text(comment)]));
                                }
                            }
                        }
                        list.opened |= list.entries.is_empty() && lines.count > 0;
                        lines = Lines::default();
                    }
                    _ => {
                        // The opening bracket may stand behind a name.
                        let opens = matches!(token.text(), "{" | "(" | "[");
                        inside |= opens;
                        if inside {
                            lines = Lines::default();
                        }
                    }
                },
                SyntaxElement::Node(child) if inside => {
                    list.opened |= list.entries.is_empty() && lines.count > 0;
                    let gap = if above.is_empty() { lines.count > 1 } else { above_gap };
                    let empty_line_before = gap && !list.entries.is_empty();
                    let doc = member(&child);
                    list.entries.push(Entry {
                        above: std::mem::take(&mut above),
                        doc,
                        behind: Vec::new(),
                        empty_line_before,
                    });
                    lines = Lines::default();
                }
                SyntaxElement::Node(_) => {}
            }
        }
        list.closing = above;
        list
    }

    fn has_comments(&self) -> bool {
        !self.opening.is_empty()
            || !self.closing.is_empty()
            || self.entries.iter().any(|entry| !entry.above.is_empty() || !entry.behind.is_empty())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && !self.has_comments()
    }

    /// Whether it is one member without comments.
    pub(super) fn is_only(&self) -> bool {
        self.entries.len() == 1 && !self.has_comments()
    }

    /// Whether it is one member that may share a line with its brackets.
    pub(super) fn is_single_line(&self) -> bool {
        self.entries.len() == 1 && !self.has_comments() && !self.opened
    }

    /// Members in braces: broken if the author broke behind the brace, one line if they fit otherwise.
    pub(super) fn in_braces(self) -> Doc {
        if self.is_empty() {
            return doc::text("{}");
        }
        if self.opened || self.has_comments() {
            return self.broken("{", ",", "}");
        }
        self.fitted("{", doc::line(), "}")
    }

    /// Members in parentheses or brackets: one line if they fit.
    pub(super) fn in_brackets(self, open: &str, close: &str) -> Doc {
        if self.is_empty() {
            return doc::text(format!("{open}{close}"));
        }
        if self.has_comments() {
            return self.broken(open, ",", close);
        }
        self.fitted(open, doc::soft(), close)
    }

    /// The only member, close to its brackets: `f(x => { .. })`.
    pub(super) fn hugged(mut self, open: &str, close: &str) -> Doc {
        let only = self.entries.pop().map_or_else(doc::nil, |entry| entry.doc);
        doc::concat(vec![doc::text(open), only, doc::text(close)])
    }

    /// Statements: each on its own line, without separators.
    pub(super) fn in_block(self) -> Doc {
        if self.is_empty() { doc::text("{}") } else { self.broken("{", "", "}") }
    }

    /// One statement that stays on the line of its braces if the group around fits.
    pub(super) fn in_line(mut self) -> Doc {
        let only = self.entries.pop().map_or_else(doc::nil, |entry| entry.doc);
        let inner = doc::indent(doc::concat(vec![doc::line(), only]));
        doc::concat(vec![doc::text("{"), inner, doc::line(), doc::text("}")])
    }

    fn fitted(self, open: &str, edge: Doc, close: &str) -> Doc {
        let mut parts = Vec::new();
        let count = self.entries.len();
        let first = if matches!(close, "}") { doc::line() } else { doc::soft() };
        parts.push(first);
        for (index, entry) in self.entries.into_iter().enumerate() {
            parts.push(entry.doc);
            if index + 1 < count {
                parts.push(doc::text(","));
                parts.push(doc::line());
            }
        }
        parts.push(doc::if_broken(","));
        let inner = doc::indent(doc::concat(parts));
        doc::group(doc::concat(vec![doc::text(open), inner, edge, doc::text(close)]))
    }

    fn broken(self, open: &str, separator: &str, close: &str) -> Doc {
        let mut parts = self.opening;
        for entry in self.entries {
            if entry.empty_line_before {
                parts.push(doc::hard());
            }
            for comment in entry.above {
                parts.push(doc::hard());
                parts.push(comment);
            }
            parts.push(doc::hard());
            parts.push(entry.doc);
            parts.push(doc::text(separator));
            parts.extend(entry.behind);
        }
        for comment in self.closing {
            parts.push(doc::hard());
            parts.push(comment);
        }
        doc::concat(vec![doc::text(open), doc::indent(doc::concat(parts)), doc::hard(), doc::text(close)])
    }
}
