//! What is looked at before the grammar is: size, encoding, characters that hide, depth of brackets.

use std::ops::Range;

use crate::codes;
use crate::diagnostic::{Diagnostic, Fix};
use crate::limits::{MAX_NESTING, MAX_SOURCE_BYTES};
use crate::text::Span;

/// Refuses a text that is too long to read.
pub(super) fn size(text: &str) -> Option<Diagnostic> {
    (text.len() > MAX_SOURCE_BYTES).then(|| {
        Diagnostic::error(
            codes::SOURCE_TOO_LARGE,
            format!("the file has {} bytes, at most {MAX_SOURCE_BYTES} are read", text.len()),
        )
        .primary(Span::default(), "")
        .help("split it into several files, or pass data as inputs of the plan")
    })
}

/// What to say about bytes that are no UTF-8; `valid` is how many before the mistake are.
pub(super) fn not_utf8(valid: usize, bad: &[u8]) -> Diagnostic {
    let at = u32::try_from(valid).unwrap_or(u32::MAX);
    let bytes: Vec<String> = bad.iter().map(|byte| format!("0x{byte:02X}")).collect();
    Diagnostic::error(codes::NOT_UTF8, "the file is not UTF-8 text")
        .primary(Span::at(at), format!("no character is encoded as {} here", bytes.join(" ")))
        .help("save the file as UTF-8")
}

/// Points at the first character that does not show: NUL and other controls, spaces without a width, and marks
/// that turn the direction of text, so that a reader sees other code than the compiler. A byte order mark may
/// start a text.
pub(super) fn hidden_characters(text: &str) -> Option<Diagnostic> {
    let bom = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
    let mut before = None;
    let mut chars = text.char_indices().skip_while(|(at, _)| *at < bom).peekable();
    let (at, c) = loop {
        let (at, c) = chars.next()?;
        if is_hidden(before, c, chars.peek().map(|(_, c)| *c)) {
            break (at, c);
        }
        before = Some(c);
    };
    let start = u32::try_from(at).unwrap_or(u32::MAX);
    let span = Span::new(start, start + u32::try_from(c.len_utf8()).unwrap_or(1));
    let report = |message: String| Diagnostic::error(codes::HIDDEN_CHARACTER, message);
    Some(if c == '\r' {
        report("a carriage return stands without a line feed".into())
            .primary(span, "some programs start a line here, others show none")
            .note("what stands behind it can look like part of a comment, or like code outside of it")
            .help("end lines by a line feed, with or without a carriage return before it")
            .fix(Fix::maybe("start a line").replace(span, "\n"))
    } else {
        report(format!("the character U+{:04X} cannot be seen", u32::from(c)))
            .primary(span, "here, between what you see")
            .note("characters that do not show, or turn the direction of text, can make code read differently than it runs")
            .help(format!("delete it, or write `\\u{{{:x}}}` if a text needs it", u32::from(c)))
            .fix(Fix::maybe("delete it").delete(span))
    })
}

/// Whether `c` does not show between its neighbours. The default-ignorable characters of Unicode, with what
/// makes emoji where it does: joiners between pictures, and selectors behind them.
fn is_hidden(before: Option<char>, c: char, after: Option<char>) -> bool {
    match c {
        '\r' => after != Some('\n'),
        '\t' | '\n' => false,
        c if c.is_ascii() => c.is_ascii_control(),
        '\u{200D}' => {
            !(before.is_some_and(|c| is_picture(c) || c == '\u{FE0F}') && after.is_some_and(is_picture))
        }
        '\u{FE0E}' | '\u{FE0F}' => !(before.is_some_and(is_picture) || after == Some('\u{20E3}')),
        '\u{80}'..='\u{9F}'
        | '\u{AD}'
        | '\u{34F}'
        | '\u{61C}'
        | '\u{115F}'..='\u{1160}'
        | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}'
        | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{3164}'
        | '\u{FE00}'..='\u{FE0D}'
        | '\u{FEFF}'
        | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}' => true,
        _ => false,
    }
}

/// Symbols that emoji are made of, skin tones among them.
fn is_picture(c: char) -> bool {
    matches!(c, '\u{A9}' | '\u{AE}' | '\u{203C}' | '\u{2049}' | '\u{2100}'..='\u{2BFF}' | '\u{3030}' | '\u{303D}'
        | '\u{3297}' | '\u{3299}' | '\u{1F000}'..='\u{1FAFF}')
}

/// Shortest run of blanks and comments that [`look`] tells of, in bytes.
const LONG_GAP_BYTES_MIN: usize = 1_024;

/// Goes through `chunk` once: where its long runs of blanks and comments are, or, as an error, the place where
/// brackets nest deeper than [`MAX_NESTING`].
///
/// This reads strings and comments as the grammar does in correct text. In broken text the two may
/// differ; then the parser's own limit refuses what this lets through.
pub(super) fn look(chunk: &str) -> Result<Vec<Range<usize>>, usize> {
    let mut open: Vec<Open> = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    let mut gaps = Vec::new();
    let mut gap_start = None;
    while let Some(rest) = chunk.get(at..) {
        let Some(c) = rest.chars().next() else { break };
        let mut len = c.len_utf8();
        let mut is_gap = false;
        let push = match (open.last(), c) {
            (Some(Open::Line | Open::Text), '\\') => {
                len += rest.chars().nth(1).filter(|next| *next != '\n').map_or(0, char::len_utf8);
                // `\u{1F600}` opens nothing.
                if rest.starts_with("\\u{") {
                    len += 1;
                }
                None
            }
            (Some(Open::Line), '"' | '\n') => {
                open.pop();
                None
            }
            (Some(Open::Text), '"') if rest.starts_with("\"\"\"") => {
                open.pop();
                len = 3;
                None
            }
            (Some(Open::Line | Open::Text), '{') => Some(Open::Brace),
            (Some(Open::Line | Open::Text), _) => None,
            // A name may hold anything.
            (_, '`') => {
                len = quoted_name(rest).unwrap_or(len);
                None
            }
            (_, '"') if rest.starts_with("\"\"\"") => {
                len = 3;
                Some(Open::Text)
            }
            (_, '"') => Some(Open::Line),
            (_, '/') if rest.starts_with("//") => {
                len = rest.find('\n').unwrap_or(rest.len());
                is_gap = !rest.starts_with("///") || rest.starts_with("////");
                None
            }
            (_, ' ' | '\t' | '\r' | '\n') => {
                is_gap = true;
                None
            }
            (_, '{') => Some(Open::Brace),
            (_, '(' | '[') => Some(Open::Paren),
            (Some(Open::Paren), ')' | ']') => {
                open.pop();
                depth -= 1;
                None
            }
            (_, '}') => {
                depth -= close_brace(&mut open);
                None
            }
            _ => None,
        };
        if let Some(push) = push {
            if push.counts() {
                depth += 1;
                if depth > MAX_NESTING {
                    return Err(at);
                }
            }
            open.push(push);
        }
        if is_gap {
            gap_start.get_or_insert(at);
        } else {
            note_gap(&mut gaps, gap_start.take(), at);
        }
        at += len;
    }
    note_gap(&mut gaps, gap_start, at);
    Ok(gaps)
}

/// How long the name between back-quotes is that `text` starts with.
fn quoted_name(text: &str) -> Option<usize> {
    let name = text.strip_prefix('`')?;
    let end = name
        .find(['`', '\n'])
        .filter(|end| *end > 0 && name.get(*end..).is_some_and(|rest| rest.starts_with('`')))?;
    Some(end + 2)
}

fn note_gap(gaps: &mut Vec<Range<usize>>, start: Option<usize>, end: usize) {
    gaps.extend(start.filter(|start| end - start >= LONG_GAP_BYTES_MIN).map(|start| start..end));
}

/// What to say where [`look`] found a bracket.
pub(super) fn too_deep_at(offset: usize) -> Diagnostic {
    let start = u32::try_from(offset).unwrap_or(u32::MAX);
    Diagnostic::error(codes::NESTED_TOO_DEEP, format!("brackets nest deeper than {MAX_NESTING}"))
        .primary(Span::new(start, start + 1), "one too many")
        .help("bind inner parts to names by `let`, or move them into a `fn` or a plan of their own")
}

#[derive(Clone, Copy, PartialEq)]
enum Open {
    Paren,
    Brace,
    /// In `"..`.
    Line,
    /// In `"""..`.
    Text,
}

impl Open {
    fn counts(self) -> bool {
        matches!(self, Self::Paren | Self::Brace)
    }
}

/// Closes what a `}` closes: everything down to the last `{`; nothing if there is none. Returns how many
/// brackets that were.
fn close_brace(open: &mut Vec<Open>) -> usize {
    let Some(brace) = open.iter().rposition(|open| *open == Open::Brace) else { return 0 };
    open.drain(brace..).filter(|open| open.counts()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_gaps_are_found_in_code_only() {
        let blank = " ".repeat(LONG_GAP_BYTES_MIN);
        let short = " ".repeat(LONG_GAP_BYTES_MIN - 1);
        let end = 1 + LONG_GAP_BYTES_MIN;
        let found = |text: &str| -> Vec<(usize, usize)> {
            look(text).unwrap().into_iter().map(|gap| (gap.start, gap.end)).collect()
        };
        assert_eq!(found(&format!("a{blank}b")), [(1, end)]);
        assert_eq!(found(&format!("a{blank}")), [(1, end)]);
        assert_eq!(found(&format!("a{short}b")), []);
        assert_eq!(found(&format!("\"{blank}\" \"\"\"{blank}\"\"\" /// {blank}\n")), []);
        assert_eq!(found(&format!("\"{{{blank}}}\"")).len(), 1);
        let comments = "// c\n".repeat(LONG_GAP_BYTES_MIN);
        assert_eq!(found(&format!("a {comments}/// d\n")), [(1, 2 + comments.len())]);
    }
}
