//! Positions in source text: byte spans, and the translation of offsets to lines and columns.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A half-open range of byte offsets into one source text.
///
/// Offsets are `u32`: a source is at most [`crate::limits::MAX_SOURCE_BYTES`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte; equal to `start` for a point between two bytes.
    pub end: u32,
}

impl Span {
    /// A span from `start` to `end`, both in bytes.
    #[must_use]
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The empty span at `offset`, where something is missing.
    #[must_use]
    pub const fn at(offset: u32) -> Self {
        Self { start: offset, end: offset }
    }

    /// The smallest span that covers both.
    #[must_use]
    pub fn cover(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Length in bytes.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// Whether the span covers no byte.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// Whether `offset` lies in the span or at its end, as a cursor does.
    #[must_use]
    pub const fn touches(self, offset: u32) -> bool {
        self.start <= offset && offset <= self.end
    }

    /// Whether `other` lies inside this span.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The text of the span; empty if the span does not fit `text`.
    #[must_use]
    pub fn text(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize).unwrap_or("")
    }

    /// As a range of `usize`, for slicing with `get`.
    #[must_use]
    pub const fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}..{}", self.start, self.end)
    }
}

/// A place in a text: line and column, both counted from 0.
///
/// The unit of the column (bytes or UTF-16 code units) is that of the method that made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LineCol {
    /// Line, from 0.
    pub line: u32,
    /// Column, from 0.
    pub column: u32,
}

/// Line starts and wide characters of one text, for translating offsets in `O(log n)`.
///
/// ```
/// use plan_lang::{LineCol, LineIndex};
/// let index = LineIndex::new("a\n\u{1F600}b");
/// let b = 6;
/// assert_eq!(index.utf8(b), LineCol { line: 1, column: 4 });
/// assert_eq!(index.utf16(b), LineCol { line: 1, column: 2 });
/// assert_eq!(index.offset_utf16(LineCol { line: 1, column: 2 }), Some(b));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineIndex {
    /// Offset of the first byte of each line; never empty.
    starts: Vec<u32>,
    /// The characters that are longer in UTF-8 than in UTF-16, in order.
    wide: Vec<Wide>,
    len: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Wide {
    start: u32,
    end: u32,
    /// How many units shorter the whole text up to `end` is in UTF-16.
    shorter: u32,
}

impl LineIndex {
    /// Reads `text` once. A line ends after `\n`; a `\r` before it belongs to the line.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut starts = vec![0];
        let mut wide = Vec::new();
        let mut shorter = 0;
        for (at, c) in text.char_indices() {
            let end = offset(at + c.len_utf8());
            if c == '\n' {
                starts.push(end);
            }
            if !c.is_ascii() {
                shorter += offset(c.len_utf8() - c.len_utf16());
                wide.push(Wide { start: offset(at), end, shorter });
            }
        }
        Self { starts, wide, len: offset(text.len()) }
    }

    /// Number of lines; a text that ends in a newline has an empty last line.
    #[must_use]
    pub fn line_count(&self) -> u32 {
        offset(self.starts.len())
    }

    /// The bytes of `line`, its line end included; `None` if there is no such line.
    #[must_use]
    pub fn line(&self, line: u32) -> Option<Span> {
        let start = *self.starts.get(line as usize)?;
        let end = self.starts.get(line as usize + 1).copied().unwrap_or(self.len);
        Some(Span::new(start, end))
    }

    /// Line and column in bytes. An offset behind the text counts as its end.
    #[must_use]
    pub fn utf8(&self, offset: u32) -> LineCol {
        let offset = offset.min(self.len);
        let (line, start) = self.line_of(offset);
        LineCol { line, column: offset - start }
    }

    /// Line and column in UTF-16 code units, as the language server protocol counts by default.
    #[must_use]
    pub fn utf16(&self, offset: u32) -> LineCol {
        let offset = offset.min(self.len);
        let (line, start) = self.line_of(offset);
        LineCol { line, column: (offset - self.shorter(offset)) - (start - self.shorter(start)) }
    }

    /// The offset of a byte column; a column behind the line counts as its end. `None` if there is no
    /// such line.
    #[must_use]
    pub fn offset_utf8(&self, at: LineCol) -> Option<u32> {
        let line = self.line(at.line)?;
        Some(line.start.saturating_add(at.column).min(line.end))
    }

    /// The offset of a UTF-16 column. A column inside a surrogate pair counts as before the character.
    #[must_use]
    pub fn offset_utf16(&self, at: LineCol) -> Option<u32> {
        let line = self.line(at.line)?;
        let column = |offset: u32| {
            (offset - self.shorter(offset)).saturating_sub(line.start - self.shorter(line.start))
        };
        let first = self.wide.partition_point(|wide| wide.start < line.start);
        let left = self.wide.partition_point(|wide| wide.start < line.end && column(wide.start) < at.column);
        let offset =
            match left.checked_sub(1).filter(|&last| last >= first).and_then(|last| self.wide.get(last)) {
                None => line.start.saturating_add(at.column),
                Some(wide) if at.column < column(wide.end) => wide.start,
                Some(wide) => wide.end.saturating_add(at.column - column(wide.end)),
            };
        Some(offset.min(line.end))
    }

    fn line_of(&self, offset: u32) -> (u32, u32) {
        let line = self.starts.partition_point(|&start| start <= offset).saturating_sub(1);
        (u32::try_from(line).unwrap_or(u32::MAX), self.starts.get(line).copied().unwrap_or(0))
    }

    fn shorter(&self, offset: u32) -> u32 {
        let before = self.wide.partition_point(|wide| wide.end <= offset);
        before.checked_sub(1).and_then(|last| self.wide.get(last)).map_or(0, |wide| wide.shorter)
    }
}

/// Offsets fit `u32` because a source is at most 1 MiB; a longer text saturates and is refused elsewhere.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
