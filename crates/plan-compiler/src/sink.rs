//! Where diagnostics are collected while several texts are checked.

use foldhash::HashSet;
use plan_lang::{Diagnostic, Span};

/// Index of a text: 0 is the plan's own file, others are capabilities and adapters of the lock.
pub(crate) type SourceId = u16;

/// All diagnostics so far, each with the text it is about.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    found: Vec<(SourceId, Diagnostic)>,
    /// Where they are.
    places: HashSet<(SourceId, Span)>,
    quiet: u32,
    errors: usize,
    warnings: usize,
    told: usize,
}

impl Sink {
    /// Keeps a diagnostic, once: a policy that several calls share is checked for each of them. Of errors and of
    /// warnings, those after the first [`KEPT_MAX`] only count.
    pub(crate) fn report(&mut self, source: SourceId, diagnostic: Diagnostic) {
        if self.quiet > 0 {
            return;
        }
        self.told += 1;
        let same = |(other, found): &(SourceId, Diagnostic)| *other == source && *found == diagnostic;
        let place = (source, diagnostic.span());
        let known = self.places.contains(&place) && self.found.iter().rev().take(SAME_WITHIN).any(same);
        if !known {
            let count = if diagnostic.is_error() { &mut self.errors } else { &mut self.warnings };
            *count += 1;
            if *count <= KEPT_MAX {
                self.found.push((source, diagnostic));
                self.places.insert(place);
            }
        }
    }

    /// Until [`Self::leave_quiet`], drops what is reported: for code that is checked once more only to
    /// learn its types.
    pub(crate) fn enter_quiet(&mut self) {
        self.quiet += 1;
    }

    /// Ends what [`Self::enter_quiet`] began.
    pub(crate) fn leave_quiet(&mut self) {
        self.quiet = self.quiet.saturating_sub(1);
    }

    /// Whether more errors only count: then they need no help.
    pub(crate) fn is_full(&self) -> bool {
        self.errors >= KEPT_MAX
    }

    /// `report` with the nearest of the candidates to `name`, which stands at `span`, as help and fix. One that would only count is
    /// left as it is: of 1 MiB of misspelt names each would be compared with all that there are.
    pub(crate) fn did_you_mean<'c>(
        &self,
        report: Diagnostic,
        name: &str,
        span: Span,
        candidates: impl IntoIterator<Item = &'c str>,
    ) -> Diagnostic {
        if self.is_full() {
            return report;
        }
        report.did_you_mean(name, span, candidates.into_iter().take(CANDIDATES_MAX))
    }

    /// How many errors were reported so far.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// How often something was reported so far, what was known included.
    pub(crate) fn told(&self) -> usize {
        self.told
    }

    /// Everything, in the order it was found.
    pub(crate) fn into_found(self) -> Vec<(SourceId, Diagnostic)> {
        self.found
    }
}

/// Far more than are shown, so that those at the start of the text are among them whatever order they are found in.
pub(crate) const KEPT_MAX: usize = 20 * crate::DIAGNOSTICS_MAX;

/// Names that a misspelt one is compared with. Keeps a long file of mistakes linear.
pub(crate) const CANDIDATES_MAX: usize = 500;

/// How far back a repeated diagnostic is looked for; keeps a file of mistakes linear.
const SAME_WITHIN: usize = 128;
