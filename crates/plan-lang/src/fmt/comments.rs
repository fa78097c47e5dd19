//! Comments within an expression or a head, where no line of their own is left to them by the layout.
//!
//! A declaration is laid out without them, and they are put back behind the word they stood behind: one that shared
//! the line of that word ends the line there, another has a line to itself. What stood behind a comment goes on below it.

use crate::parser::parse;
use crate::syntax::{SyntaxElement, SyntaxKind, SyntaxNode};

/// Blanks before what goes on below a comment.
const CONTINUED: usize = 2;

/// `printed` with those comments of `node` that it lacks; `None` if it lacks none.
pub(super) fn put_back(node: &SyntaxNode, printed: &str) -> Option<String> {
    if !node.holds(SyntaxKind::Comment) {
        return None;
    }
    let (before, after) = (words(node), words(&parse(printed).syntax()));
    let count = |words: &[Word]| words.iter().filter(|word| word.is_comment()).count();
    if count(&before) == count(&after) {
        return None;
    }
    Some(match lost(&before, &after) {
        Some(lost) => insert(printed, &lost),
        // Never seen; a declaration as it is loses nothing.
        None => node.text().trim().replace("\r\n", "\n"),
    })
}

/// What the layout keeps in its order: a token, a whole text or a comment.
struct Word {
    kind: SyntaxKind,
    text: String,
    end: usize,
    /// Whether a line ends between it and what stands before it.
    below: bool,
}

impl Word {
    fn is_comment(&self) -> bool {
        self.kind == SyntaxKind::Comment
    }

    /// Whether the layout may add or spare it: one behind the last member, parentheses of one parameter.
    fn may_go(&self) -> bool {
        matches!(self.text.as_str(), "," | ";" | "(" | ")")
    }

    fn is_separator(&self) -> bool {
        matches!(self.text.as_str(), "," | ";")
    }

    fn is_same(&self, other: &Self) -> bool {
        let text = |word: &Self| word.kind == SyntaxKind::String || word.text == other.text;
        self.kind == other.kind && text(self)
    }
}

fn words(node: &SyntaxNode) -> Vec<Word> {
    let mut words = Vec::new();
    let mut below = false;
    read(node, &mut words, &mut below);
    words
}

fn read(node: &SyntaxNode, words: &mut Vec<Word>, below: &mut bool) {
    for element in node.elements() {
        let (kind, text, span) = match &element {
            SyntaxElement::Node(text) if text.kind() == SyntaxKind::String => {
                (text.kind(), text.text().to_string(), text.span())
            }
            SyntaxElement::Node(inner) => {
                read(inner, words, below);
                continue;
            }
            SyntaxElement::Token(token) if token.kind() == SyntaxKind::Whitespace => {
                *below |= token.text().contains('\n');
                continue;
            }
            SyntaxElement::Token(token) => (token.kind(), token.text().trim_end().to_owned(), token.span()),
        };
        let end = span.start as usize + text.trim_end().len();
        words.push(Word { kind, text, end, below: std::mem::take(below) });
    }
}

/// A comment to put back.
struct Lost<'w> {
    /// The end of the word before it in the printed text.
    at: usize,
    text: &'w str,
    own_line: bool,
    /// Whether what stands there is a comment, behind which there is no room for another.
    crowded: bool,
}

/// The comments of `before` that `after` lacks; `None` if the two differ in more than comments and what may go.
fn lost<'w>(before: &'w [Word], after: &[Word]) -> Option<Vec<Lost<'w>>> {
    let mut lost = Vec::new();
    let mut rest = after.iter().peekable();
    let (mut at, mut crowded) = (0, false);
    for word in before {
        if word.is_comment() {
            while rest.peek().is_some_and(|next| next.is_separator()) {
                (at, crowded) = (rest.next()?.end, false);
            }
            match rest.next_if(|next| next.is_comment() && next.text == word.text) {
                Some(kept) => (at, crowded) = (kept.end, true),
                None => lost.push(Lost { at, text: &word.text, own_line: word.below, crowded }),
            }
            continue;
        }
        if let Some(same) = rest.next_if(|next| next.is_same(word)) {
            (at, crowded) = (same.end, false);
            continue;
        }
        if word.may_go() {
            continue;
        }
        while rest.peek().is_some_and(|next| next.may_go() && !next.is_same(word)) {
            rest.next();
        }
        (at, crowded) = (rest.next_if(|next| next.is_same(word))?.end, false);
    }
    rest.all(|left| left.may_go()).then_some(lost)
}

fn insert(printed: &str, lost: &[Lost<'_>]) -> String {
    let mut out = String::with_capacity(printed.len() + 64);
    let mut done = 0;
    let mut lost = lost.iter().peekable();
    while let Some(first) = lost.peek() {
        let at = first.at;
        out.push_str(printed.get(done..at).unwrap_or(""));
        let rest = printed.get(at..).unwrap_or("");
        let line = rest.lines().next().unwrap_or("");
        let goes_on = !line.trim().is_empty();
        let indent = if goes_on { continued(printed, at, line) } else { next_line(rest) };
        let mut crowded = first.crowded;
        while let Some(comment) = lost.next_if(|next| next.at == at) {
            let below = crowded || comment.own_line;
            out.push_str(&if below { line_end(indent) } else { " ".to_owned() });
            out.push_str(comment.text);
            crowded = true;
        }
        done = at + rest.len() - rest.trim_start_matches(' ').len();
        if goes_on {
            out.push_str(&line_end(indent));
        } else {
            done = at + line.len();
        }
    }
    out.push_str(printed.get(done..).unwrap_or(""));
    out
}

fn line_end(indent: usize) -> String {
    format!("\n{}", " ".repeat(indent))
}

/// The indentation of the `rest` of the line that is broken at `at`.
fn continued(printed: &str, at: usize, rest: &str) -> usize {
    let line = printed.get(..at).unwrap_or("").rsplit('\n').next().unwrap_or("");
    let deeper = !rest.trim_start().starts_with(['{', '}', ')', ']']) || rest.trim_end().ends_with('}');
    indent_of(line) + if deeper { CONTINUED } else { 0 }
}

fn next_line(rest: &str) -> usize {
    rest.lines().nth(1).map_or(0, indent_of)
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}
