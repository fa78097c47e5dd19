//! From missing and unfit parts of the tree to messages a person understands.
//!
//! One message for each kind of part, worded by what is around it. Of several on one line only the first
//! is kept: the others are echoes of the same mistake.

mod brackets;
mod foreign;
mod forms;
mod missing;
mod misspelt;
mod names;
mod separators;
mod unfit;

use std::cell::OnceCell;
use std::collections::BTreeSet;

use brackets::OutsideLines;
pub(crate) use foreign::loop_help;
pub(crate) use misspelt::before_brace;

use crate::diagnostic::{self, Diagnostic};
use crate::limits::MAX_REPORTED_ERRORS;
use crate::syntax::{SyntaxElement, SyntaxKind, SyntaxNode};
use crate::text::{LineIndex, Span};

/// Broken lines of one declaration after which only what misleads about the rest is looked at. More than are ever shown,
/// as some turn out to be echoes; few enough for messages that look at all of the declaration.
const MAX_FOUND: usize = 2 * MAX_REPORTED_ERRORS;

/// What was found, and where the tree shows it, which may be another place than the one to look at.
struct Found {
    at: u32,
    /// Where the part of the tree starts that it was found in.
    around: u32,
    message: Diagnostic,
    /// From here to the end of the declaration everything was misread because of this.
    misread_from: Option<u32>,
}

/// A place in which something breaks the grammar.
pub(crate) struct Unsound {
    pub(crate) span: Span,
    /// Where reading stopped, if it did before the end: what is missing there may well follow.
    pub(crate) unread_from: Option<u32>,
}

/// Adds a message for every line of `root` that breaks the grammar; nothing outside of `unsound` does, places in the
/// order of the text. `text` is the text of `root`. Returns the places where nothing that a later check finds is
/// to be believed.
pub(crate) fn collect(
    root: &SyntaxNode,
    text: &str,
    unsound: &[Unsound],
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Span> {
    if unsound.is_empty() {
        return Vec::new();
    }
    let place_of = |child: &SyntaxNode| {
        let start = child.span().start;
        let place = unsound.get(unsound.partition_point(|place| place.span.end < start))?;
        (place.span.start <= start).then_some(place)
    };
    let lines = OnceCell::new();
    let source = Source { text, lines: &lines };
    let mut echoes = Echoes::after(diagnostics, source);
    let mut misread = Vec::new();
    // Text between declarations after a broken one is what that one lost.
    let mut broken = !diagnostics.is_empty();
    for child in root.children() {
        let Some(place) = place_of(&child) else {
            broken = false;
            continue;
        };
        let unread_from = place.unread_from.unwrap_or(u32::MAX);
        if child.span().start >= unread_from {
            continue;
        }
        if child.kind() == SyntaxKind::ErrorItem {
            // A declaration that was not read at all has been reported.
            let unread = diagnostics.iter().any(|known| child.span().contains(known.span()));
            if !broken && !unread {
                let at = child.span().start;
                let message = unfit::item(&child, source);
                echoes.keep(Found { at, around: at, message, misread_from: None }, diagnostics);
            }
            broken = true;
            continue;
        }
        let found = source.walk(&child, unread_from);
        broken = !found.is_empty();
        let from = found.iter().filter_map(|found| found.misread_from).min();
        misread.extend(from.map(|from| Span::new(from, child.span().end)));
        for found in found {
            let believed = from.is_none_or(|from| found.at < from || found.misread_from == Some(from));
            if believed {
                echoes.keep(found, diagnostics);
            }
        }
        // What comes now stands behind all that will be shown.
        if diagnostics.len() >= MAX_REPORTED_ERRORS {
            break;
        }
    }
    misread
}

/// The lines that have a message: whatever else is found on them is an echo.
struct Echoes<'a> {
    source: Source<'a>,
    seen: BTreeSet<u32>,
}

impl<'a> Echoes<'a> {
    fn after(known: &[Diagnostic], source: Source<'a>) -> Self {
        Self { source, seen: known.iter().map(|known| source.line(known.span().start)).collect() }
    }

    /// Adds a message unless it is an echo. To be called in the order of the text; a message may point to another
    /// line than the one it was found in.
    fn keep(&mut self, found: Found, messages: &mut Vec<Diagnostic>) {
        let (own, around) = (self.source.line(found.at), self.source.line(found.around));
        let shown = self.source.line(found.message.span().start);
        let seen = |line: &u32| self.seen.contains(line);
        // What started on a line that is broken already ends wrongly because of that.
        let echo = seen(&own) || around != own && seen(&around) || seen(&shown);
        self.seen.extend([own, shown]);
        if !echo && !messages.last().is_some_and(|last| mends(last, &found.message)) {
            messages.push(found.message);
        }
    }
}

/// Whether the fix of one message is part of that of the one before it: the same mistake again.
fn mends(before: &Diagnostic, again: &Diagnostic) -> bool {
    let (Some(before), Some(again)) = (&before.fix, &again.fix) else { return false };
    again.edits.iter().all(|edit| before.edits.contains(edit))
}

/// Adds what later checks found, except errors on lines that already have one and in misread places.
pub(crate) fn merge(
    text: &str,
    diagnostics: &mut Vec<Diagnostic>,
    misread: &[Span],
    checks: Vec<Diagnostic>,
) {
    if diagnostics.is_empty() {
        diagnostics.extend(checks);
    } else if !checks.is_empty() {
        let lines = LineIndex::new(text);
        let line = |found: &Diagnostic| lines.utf8(found.span().start).line;
        let broken: BTreeSet<u32> = diagnostics.iter().map(line).collect();
        let believed = checks.into_iter().filter(|check| {
            !broken.contains(&line(check)) && !misread.iter().any(|place| place.contains(check.span()))
        });
        diagnostics.extend(believed);
    }
    diagnostic::sort(diagnostics);
    diagnostics.dedup();
    diagnostics.truncate(MAX_REPORTED_ERRORS);
}

/// The text that a tree was made from, to look around in.
#[derive(Clone, Copy)]
struct Source<'a> {
    text: &'a str,
    /// Where lines start, once that is asked for: looking back for a line end takes as long as the line is.
    lines: &'a OnceCell<LineIndex>,
}

impl<'a> Source<'a> {
    /// Collects the messages of a declaration. By a stack of its own, as trees may be deep.
    fn walk(self, item: &SyntaxNode, unread_from: u32) -> Vec<Found> {
        let mut stack = vec![SyntaxElement::Node(item.clone())];
        let mut found: Vec<Found> = Vec::new();
        let outside = OnceCell::new();
        while let Some(element) = stack.pop() {
            let at = element.span().start;
            let diagnosed = match element.kind() {
                kind if kind.is_missing() && at >= unread_from => None,
                SyntaxKind::MissingBrace => {
                    let lines = outside.get_or_init(|| OutsideLines::of(item, self));
                    element.parent().and_then(|node| {
                        let line = lines.first_in(&node);
                        // That the last brace is missing is an echo if anything before it was wrong.
                        let counts = line.is_some() || found.is_empty();
                        counts.then(|| brackets::unclosed_brace(&node, line, self))
                    })
                }
                // Only this and the brace can change what else is believed.
                SyntaxKind::MissingQuote => self.diagnose(&element),
                _ if found.len() >= MAX_FOUND => None,
                _ if found.last().is_some_and(|last| self.line(last.at) == self.line(at)) => None,
                _ => self.diagnose(&element),
            };
            if let Some((message, misread_from)) = diagnosed {
                let around = element.parent().map_or(at, |parent| parent.span().start);
                found.push(Found { at, around, message, misread_from });
            }
            if let SyntaxElement::Node(node) = element
                && !node.kind().is_error()
            {
                let first = stack.len();
                stack.extend(node.elements());
                if let Some(children) = stack.get_mut(first..) {
                    children.reverse();
                }
            }
        }
        found
    }

    /// The line of an offset.
    fn line(self, offset: u32) -> u32 {
        self.lines.get_or_init(|| LineIndex::new(self.text)).utf8(offset).line
    }

    /// What is wrong with a node or token itself, and from where on that made the rest be misread.
    fn diagnose(self, element: &SyntaxElement) -> Option<(Diagnostic, Option<u32>)> {
        let (kind, at) = (element.kind(), element.span().start);
        // In a text, what follows an expression may be text that was not meant to be any.
        let is_known = matches!(kind, SyntaxKind::MissingQuote | SyntaxKind::ErrorInterpolation);
        let breaks = kind.is_missing() || kind.is_error() && matches!(element, SyntaxElement::Node(_));
        let breaks = breaks && !is_known;
        let parent = element.parent().filter(|_| breaks);
        if let Some(form) = parent.and_then(|parent| forms::message(parent.kind(), at, self)) {
            return Some((form, None));
        }
        let message = match element {
            SyntaxElement::Token(token) if kind.is_error() => unfit::token(token),
            SyntaxElement::Token(_) => return None,
            SyntaxElement::Node(node) => match kind {
                SyntaxKind::MissingQuote => return Some(brackets::unclosed_text(&node.parent()?, at, self)),
                kind if kind.is_missing() => missing::message(node, self),
                kind if kind.is_error() => unfit::message(node, self),
                _ => brackets::record_in_head(node)?,
            },
        };
        let misread_from = misspelt::opens_block(&message).then_some(at);
        Some((message, misread_from))
    }

    /// The first token after `offset` that is no blank or comment: a word, a number's first digits, or one
    /// character (two for arrows and `==`). Empty at the end.
    fn next(self, offset: u32) -> (&'a str, Span) {
        let mut at = offset as usize;
        loop {
            let rest = self.text.get(at..).unwrap_or("");
            let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            let rest = rest.get(blank..).unwrap_or("");
            at += blank;
            if rest.starts_with("//") && (!rest.starts_with("///") || rest.starts_with("////")) {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            let word = rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len());
            let len = match word {
                0 if rest.starts_with("///") => 3,
                0 if ["=>", "->", "==", "..", "?.", "&&", "||"]
                    .iter()
                    .any(|token| rest.starts_with(token)) =>
                {
                    2
                }
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

    /// The last word or character before `offset`, blanks aside.
    fn before(self, offset: u32) -> (&'a str, Span) {
        let before = self.text.get(..offset as usize).unwrap_or("").trim_end();
        let is_word = |c: char| c == '_' || c.is_alphanumeric();
        let rest = before.trim_end_matches(is_word);
        let last = before.chars().next_back().map_or(0, char::len_utf8);
        let start = if rest.len() < before.len() { rest.len() } else { before.len() - last };
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        (before.get(start..).unwrap_or(""), Span::new(place(start), place(before.len())))
    }

    /// The last character before `offset` that is no blank.
    fn last_char(self, offset: u32) -> Option<char> {
        self.text.get(..offset as usize).and_then(|before| before.trim_end().chars().next_back())
    }

    /// The blanks that the line of `offset` starts with, and whether nothing else is before `offset`.
    fn indent(self, offset: u32) -> (&'a str, bool) {
        let lines = self.lines.get_or_init(|| LineIndex::new(self.text));
        let column = lines.utf8(offset).column;
        let rest = self.text.get(offset.saturating_sub(column) as usize..).unwrap_or("");
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        (rest.get(..blanks).unwrap_or(""), column as usize <= blanks)
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
