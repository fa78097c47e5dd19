//! From missing and unfit parts of the tree to messages a person understands.
//!
//! One message for each kind of part, worded by what is around it. Of several on one line only the first
//! is kept: the others are echoes of the same mistake.

mod brackets;
mod foreign;
mod missing;
mod unfit;

use std::collections::BTreeSet;

use crate::diagnostic::{self, Diagnostic};
use crate::limits::MAX_REPORTED_ERRORS;
use crate::syntax::{SyntaxElement, SyntaxKind, SyntaxNode};
use crate::text::{LineIndex, Span};

/// Adds a message for every line of `root` that breaks the grammar. `text` is the text of `root`.
pub(crate) fn collect(root: &SyntaxNode, text: &str, diagnostics: &mut Vec<Diagnostic>) {
    let source = Source { text };
    let mut found = Vec::new();
    // Text between declarations after a broken one is what that one lost.
    let mut broken = !diagnostics.is_empty();
    for child in root.children() {
        let before = found.len();
        if child.kind() == SyntaxKind::ErrorItem {
            if !broken {
                found.push(unfit::item(&child, source));
            }
            broken = true;
        } else {
            source.walk(&child, &mut found);
            broken = found.len() > before;
        }
    }
    if !found.is_empty() {
        diagnostic::sort(&mut found);
        let lines = LineIndex::new(text);
        let mut last = None;
        found.retain(|message| last.replace(lines.utf8(message.span().start).line) != Some(lines.utf8(message.span().start).line));
        diagnostics.append(&mut found);
    }
}

/// Adds what the later checks found, except errors on lines that already have one, and sorts.
pub(crate) fn merge(text: &str, diagnostics: &mut Vec<Diagnostic>, checks: Vec<Diagnostic>) {
    if diagnostics.is_empty() {
        diagnostics.extend(checks);
    } else if !checks.is_empty() {
        let lines = LineIndex::new(text);
        let line = |found: &Diagnostic| lines.utf8(found.span().start).line;
        let broken: BTreeSet<u32> = diagnostics.iter().map(line).collect();
        diagnostics.extend(checks.into_iter().filter(|check| !broken.contains(&line(check))));
    }
    diagnostic::sort(diagnostics);
    diagnostics.dedup();
    diagnostics.truncate(MAX_REPORTED_ERRORS);
}

/// The text that a tree was made from, to look around in.
#[derive(Clone, Copy)]
struct Source<'a> {
    text: &'a str,
}

impl<'a> Source<'a> {
    /// Collects the messages of a declaration. By a stack of its own, as trees may be deep.
    fn walk(self, item: &SyntaxNode, found: &mut Vec<Diagnostic>) {
        let mut stack = vec![SyntaxElement::Node(item.clone())];
        while let Some(element) = stack.pop() {
            let kind = element.kind();
            match element {
                SyntaxElement::Token(token) if kind.is_error() => found.push(unfit::token(&token)),
                SyntaxElement::Token(_) => {}
                SyntaxElement::Node(node) if kind.is_missing() => found.push(missing::message(&node, self)),
                SyntaxElement::Node(node) if kind.is_error() => found.push(unfit::message(&node, self)),
                SyntaxElement::Node(node) => {
                    found.extend(brackets::record_in_head(&node));
                    let first = stack.len();
                    stack.extend(node.elements());
                    if let Some(children) = stack.get_mut(first..) {
                        children.reverse();
                    }
                }
            }
        }
    }

    /// The first token after `offset` that is no blank or comment: a word, a number's first digits, or one
    /// character (two for arrows and `==`). Empty at the end.
    fn next(self, offset: u32) -> (&'a str, Span) {
        let mut at = offset as usize;
        loop {
            let rest = self.text.get(at..).unwrap_or("");
            let blank = rest.len() - rest.trim_start().len();
            let rest = rest.get(blank..).unwrap_or("");
            at += blank;
            if rest.starts_with("//") && (!rest.starts_with("///") || rest.starts_with("////")) {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            let word = rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len());
            let len = match word {
                0 if rest.starts_with("///") => 3,
                0 if ["=>", "->", "==", "..", "?."].iter().any(|token| rest.starts_with(token)) => 2,
                0 => rest.chars().next().map_or(0, char::len_utf8),
                word => word,
            };
            let start = u32::try_from(at).unwrap_or(u32::MAX);
            let span = Span::new(start, start + u32::try_from(len).unwrap_or(0));
            return (rest.get(..len).unwrap_or(""), span);
        }
    }

    /// Like [`Self::next`], but empty if a line end comes first.
    fn next_on_line(self, offset: u32) -> (&'a str, Span) {
        let (token, span) = self.next(offset);
        let between = Span::new(offset, span.start).text(self.text);
        if between.contains('\n') { ("", Span::at(offset)) } else { (token, span) }
    }

    /// The last character before `offset` that is no blank.
    fn last_char(self, offset: u32) -> Option<char> {
        self.text.get(..offset as usize).and_then(|before| before.trim_end().chars().next_back())
    }

    /// The blanks that the line of `offset` starts with, and whether nothing else is before `offset`.
    fn indent(self, offset: u32) -> (&'a str, bool) {
        let before = self.text.get(..offset as usize).unwrap_or("");
        let line = before.rsplit_once('\n').map_or(before, |(_, line)| line);
        let rest = self.text.get(before.len() - line.len()..).unwrap_or("");
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        (rest.get(..blanks).unwrap_or(""), line.len() <= blanks)
    }
}

/// "`word`", or "the end of the file".
fn shown(token: &str) -> String {
    if token.is_empty() { "the end of the line".to_owned() } else { format!("`{token}`") }
}

/// The first name in `node`, for messages.
fn name_of(node: &SyntaxNode) -> Option<String> {
    node.token(SyntaxKind::Ident).map(|token| token.text().to_owned())
}
