//! Tokens of the text between the edges of rules: blanks, comments, keywords, punctuation.

use crate::syntax::SyntaxKind;

/// Splits `gap` into tokens that cover it without a hole.
pub(super) fn tokens(gap: &str) -> impl Iterator<Item = (SyntaxKind, &str)> {
    let mut rest = gap;
    std::iter::from_fn(move || {
        let (kind, len) = first(rest)?;
        let (token, after) = rest.split_at_checked(len)?;
        rest = after;
        Some((kind, token))
    })
}

/// Kind and length of the first token; `None` at the end.
fn first(text: &str) -> Option<(SyntaxKind, usize)> {
    let c = text.chars().next()?;
    let while_len = |keep: fn(char) -> bool| text.find(|c| !keep(c)).unwrap_or(text.len());
    Some(match c {
        ' ' | '\t' | '\r' | '\n' | '\u{FEFF}' => {
            (SyntaxKind::Whitespace, while_len(|c| matches!(c, ' ' | '\t' | '\r' | '\n' | '\u{FEFF}')))
        }
        '/' if text.starts_with("//") => (SyntaxKind::Comment, comment_len(text)),
        '"' if text.starts_with("\"\"\"") => (SyntaxKind::Quote, 3),
        '"' => (SyntaxKind::Quote, 1),
        c if is_word_start(c) => (SyntaxKind::Keyword, while_len(is_word)),
        '=' | '-' if text.get(1..2) == Some(">") => (SyntaxKind::Punct, 2),
        '.' if text.starts_with("..") => (SyntaxKind::Punct, 2),
        '?' if text.starts_with("?.") => (SyntaxKind::Punct, 2),
        '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | ',' | ';' | ':' | '.' | '=' => (SyntaxKind::Punct, 1),
        '?' | '!' | '+' | '-' | '*' | '/' | '%' | '&' | '|' => (SyntaxKind::Operator, 1),
        c => (SyntaxKind::Unknown, c.len_utf8()),
    })
}

/// A comment ends before its line end, of whatever style.
fn comment_len(text: &str) -> usize {
    let line = text.find('\n').unwrap_or(text.len());
    match text.get(..line) {
        Some(comment) => comment.trim_end_matches('\r').len(),
        None => line,
    }
}

fn is_word_start(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}
