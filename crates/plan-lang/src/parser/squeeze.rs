//! The text that the grammar sees: long runs of blanks and comments are short in it.
//!
//! The grammar looks past blanks wherever something could go on, at every level of nesting anew. In a text of
//! reasonable gaps that costs nothing; a megabyte of comments behind 120 open brackets takes several times as long.

use std::borrow::Cow;
use std::ops::Range;

/// A text with its long gaps cut short.
pub(super) struct Squeezed<'a> {
    text: Cow<'a, str>,
    cuts: Vec<Cut>,
}

/// A gap that was cut short.
struct Cut {
    /// Where what is left of it ends in the squeezed text.
    end: usize,
    /// Bytes of what is left.
    left: usize,
    /// Bytes removed so far, here included.
    removed: usize,
}

impl<'a> Squeezed<'a> {
    /// Cuts the `gaps` of `text` short, which ascend.
    pub(super) fn new(text: &'a str, gaps: &[Range<usize>]) -> Self {
        if gaps.is_empty() {
            return Self { text: Cow::Borrowed(text), cuts: Vec::new() };
        }
        let (mut short, mut cuts, mut done, mut removed) = (String::new(), Vec::new(), 0, 0);
        for gap in gaps {
            short.push_str(text.get(done..gap.start).unwrap_or(""));
            let stands_for = left_of(text.get(gap.clone()).unwrap_or(""));
            short.push_str(stands_for);
            removed += gap.len() - stands_for.len();
            cuts.push(Cut { end: short.len(), left: stands_for.len(), removed });
            done = gap.end;
        }
        short.push_str(text.get(done..).unwrap_or(""));
        Self { text: Cow::Owned(short), cuts }
    }

    /// What the grammar is to read.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The offset in the whole text for one in [`Self::text`]. Before a gap it stays before it, within it moves to its
    /// end.
    pub(super) fn whole(&self, at: usize) -> usize {
        let index = self.cuts.partition_point(|cut| cut.end - cut.left < at);
        at + index.checked_sub(1).and_then(|last| self.cuts.get(last)).map_or(0, |cut| cut.removed)
    }
}

/// What means the same as a gap: whether there is a line end in it, and whether the next token starts its line.
fn left_of(gap: &str) -> &'static str {
    match (gap.contains('\n'), gap.ends_with('\n')) {
        (true, true) => "\n",
        (true, false) => "\n ",
        (false, _) => " ",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_lead_back_to_the_whole_text() {
        let text = "ab.........cd,,,,\n,,,,e";
        let squeezed = Squeezed::new(text, &[2..11, 13..22]);
        assert_eq!(squeezed.text(), "ab cd\n e");
        let whole: Vec<usize> = (0..=squeezed.text().len()).map(|at| squeezed.whole(at)).collect();
        assert_eq!(whole, [0, 1, 2, 11, 12, 13, 21, 22, 23]);
        let untouched = Squeezed::new(text, &[]);
        assert_eq!((untouched.text(), untouched.whole(7)), (text, 7));
    }
}
