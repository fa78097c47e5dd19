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

/// Points at the first character that does not show: NUL and other controls, and marks that turn the
/// direction of text, so that a reader sees other code than the compiler.
pub(super) fn hidden_characters(text: &str) -> Option<Diagnostic> {
    let (at, c) = text.char_indices().find(|&(_, c)| is_hidden(c))?;
    let start = u32::try_from(at).unwrap_or(u32::MAX);
    let span = Span::new(start, start + u32::try_from(c.len_utf8()).unwrap_or(1));
    Some(
        Diagnostic::error(codes::HIDDEN_CHARACTER, format!("the character U+{:04X} cannot be seen", u32::from(c)))
            .primary(span, "here, between what you see")
            .note("control characters and marks that turn the direction of text can make code read differently than it runs")
            .help(format!("delete it, or write `\\u{{{:x}}}` if a text needs it", u32::from(c)))
            .fix(Fix::maybe("delete it").delete(span)),
    )
}

fn is_hidden(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        c if c.is_ascii() => c.is_ascii_control(),
        '\u{80}'..='\u{9F}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            true
        }
        _ => false,
    }
}

/// Shortest run of blanks and comments that [`look`] tells of, in bytes.
const LONG_GAP_BYTES_MIN: usize = 1_024;

/// Goes through `chunk` once: where its long runs of blanks and comments are, or, as an error, the place where
/// brackets nest deeper than [`MAX_NESTING`].
///
/// This reads strings and comments as the grammar does in correct text. In broken text the two may
/// differ; then pest's stack guard refuses what this lets through.
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
    fn depth_counts_brackets_in_code_and_templates_only() {
        let deep = |n: usize| format!("{}1{}", "(".repeat(n), ")".repeat(n));
        let too_deep = |text: &str| look(text).err();
        assert_eq!(too_deep(&deep(MAX_NESTING)), None);
        assert_eq!(too_deep(&deep(MAX_NESTING + 1)), Some(MAX_NESTING));
        assert_eq!(too_deep(&format!("\"{}\" // {}\n", ":(".repeat(500), "{".repeat(500))), None);
        assert_eq!(too_deep(&format!("\"\"\" \" {} \"\"\"", "\\{ ( [".repeat(500))), None);
        assert_eq!(too_deep(&"\"{".repeat(MAX_NESTING)), None);
        assert!(too_deep(&"\"{".repeat(MAX_NESTING + 1)).is_some());
        assert_eq!(too_deep(&"\"{x}\" ( [ } { } ) ] \\".repeat(500)), None);
        assert_eq!(too_deep(&"\"\\u{1F600}\"\n".repeat(500)), None);
    }

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

    #[test]
    fn hidden_characters_are_named() {
        assert!(hidden_characters("a\u{0}b").unwrap().message.contains("U+0000"));
        assert!(hidden_characters("a\u{202E}b").unwrap().message.contains("U+202E"));
        assert_eq!(hidden_characters("a\tb\r\n\u{e9}\u{4e2d}\u{1F600}\u{200D}"), None);
    }
}
