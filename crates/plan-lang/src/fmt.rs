//! The formatter: one style, no options.
//!
//! It works on the lossless tree, so every comment is kept, and stays between the words it stood between. Texts are
//! kept as they are, but for the indentation of `"""`, which is not part of their value. Braces that the author opened
//! on a line of their own stay open; everything else is on one line if it fits 100 characters. One empty line is kept,
//! more are not.

mod braces;
mod comments;
mod doc;
mod expr;
mod flat;
mod item;
mod stmt;
mod strings;

use crate::diagnostic::Diagnostic;
use crate::limits::MAX_SOURCE_BYTES;
use crate::parser::{Parse, parse};
use crate::syntax::{SyntaxElement, SyntaxKind, SyntaxNode, SyntaxToken};

/// Characters in a line, where that is possible.
const WIDTH: usize = 100;

/// A comment that is put back may end a member of a list, which then is laid out open, so such a result is
/// formatted again until it stays as it is. Two rounds suffice for all we know; more are never tried.
const MAX_ROUNDS: usize = 5;

/// What to say of an error that the text did not have before.
const GROWN: &str = "so it would be, laid out in the one style";

/// Formats a source text.
///
/// ```
/// let text = "edition 2026\nfn f( x:Int )->Int=x*2 // twice";
/// assert_eq!(plan_lang::format(text).unwrap(), "edition 2026\nfn f(x: Int) -> Int = x * 2 // twice\n");
/// assert!(plan_lang::format("fn f(").is_err());
/// ```
///
/// # Errors
///
/// The diagnostics, if the text has a syntax error: what is not understood is not rearranged. Also if it would be larger
/// than a source may be once it is laid out.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let mut parse = parse(text);
    let mut text = text.to_owned();
    for round in 0..MAX_ROUNDS {
        if parse.has_errors() {
            let found = parse.diagnostics().iter().cloned();
            return Err(found.map(|found| if round == 0 { found } else { found.note(GROWN) }).collect());
        }
        let (formatted, settled) = format_parsed(&parse);
        let fits = formatted.len() <= MAX_SOURCE_BYTES;
        if settled && fits || formatted == text {
            return Ok(formatted);
        }
        parse.change(&formatted);
        text = formatted;
    }
    Ok(text)
}

/// The text in the one style, and whether it would stay as it is if it were formatted again.
fn format_parsed(parse: &Parse) -> (String, bool) {
    let mut out = String::new();
    let mut settled = true;
    let mut lines = Lines::default();
    let mut last_was_long = false;
    for element in parse.syntax().elements() {
        match element {
            SyntaxElement::Token(token) if token.kind() == SyntaxKind::Whitespace => lines.see(&token),
            SyntaxElement::Token(token) if token.kind() == SyntaxKind::Comment => {
                let same_line = lines.count == 0 && !out.is_empty();
                separate(&mut out, same_line, lines.count > 1 || last_was_long);
                out.push_str(token.text().trim_end());
                lines = Lines::default();
                last_was_long &= same_line;
            }
            SyntaxElement::Token(_) => {}
            SyntaxElement::Node(node) => {
                let mut item = doc::print(&item::item(&node), WIDTH);
                if let Some(whole) = comments::put_back(&node, &item) {
                    (item, settled) = (whole, false);
                }
                let is_long = item::is_long(&node, &item);
                let apart = lines.count > 1 || last_was_long || is_long && !ends_in_comment(&out);
                separate(&mut out, false, apart);
                out.push_str(&item);
                lines = Lines::default();
                last_was_long = is_long;
            }
        }
    }
    if !out.is_empty() {
        out.push('\n');
    }
    (out, settled)
}

/// Puts a blank, a line end or an empty line between what was written and what comes.
fn separate(out: &mut String, same_line: bool, empty_line: bool) {
    if out.is_empty() {
        return;
    }
    out.push_str(match (same_line, empty_line) {
        (true, _) => " ",
        (false, true) => "\n\n",
        (false, false) => "\n",
    });
}

/// Whether the last line is a comment of its own, which then belongs to what follows.
fn ends_in_comment(out: &str) -> bool {
    out.lines().next_back().is_some_and(|line| line.starts_with("//"))
}

/// Counts the line ends since the last token that is no blank.
#[derive(Default)]
struct Lines {
    count: usize,
}

impl Lines {
    fn see(&mut self, blanks: &SyntaxToken) {
        self.count += blanks.text().matches('\n').count();
    }
}

/// The text of the first token of that kind directly in `node`.
fn token(node: &SyntaxNode, kind: SyntaxKind) -> String {
    node.token(kind).map(|token| token.text().to_owned()).unwrap_or_default()
}

/// Whether a token of that text is directly in `node`.
fn has(node: &SyntaxNode, text: &str) -> bool {
    node.tokens().any(|token| token.text() == text)
}
