//! Where the chunks of a text start: what tells how a place moved from one version of the text to another.

use plan_lang::Span;

/// Where each chunk of a text starts, and its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout(Vec<u32>);

impl Layout {
    /// Of the starts of the chunks in their order, with the end of the last behind them.
    pub(crate) fn new(starts: Vec<u32>) -> Self {
        Self(starts)
    }

    /// The chunk that holds `offset`.
    pub(crate) fn chunk_at(&self, offset: u32) -> usize {
        // The last row is the end of the text.
        let last = self.0.len().saturating_sub(2);
        self.0.partition_point(|&start| start <= offset).saturating_sub(1).min(last)
    }

    /// Where a chunk starts; the end of the last one for the chunk behind it.
    pub(crate) fn start(&self, chunk: usize) -> Option<u32> {
        self.0.get(chunk).copied()
    }

    /// How far what is at `span` moved from here to `to`, wrapping where it moved back, if it is in a chunk that only
    /// moved. `own` is the chunk that is asked for first: at its end something of it may be missing.
    pub(crate) fn shift(&self, to: &Self, own: Option<usize>, span: Span) -> u32 {
        let start = |layout: &Self, chunk: usize| layout.start(chunk).unwrap_or(0);
        let is_in = |chunk: &usize| start(self, *chunk) <= span.start && span.end <= start(self, chunk + 1);
        let chunk = own.filter(is_in).unwrap_or_else(|| self.chunk_at(span.start));
        start(to, chunk).wrapping_sub(start(self, chunk))
    }
}
