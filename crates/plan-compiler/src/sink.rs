//! Where diagnostics are collected while several texts are checked.

use plan_lang::Diagnostic;

/// Index of a text: 0 is the plan's own file, others are capabilities and adapters of the lock.
pub(crate) type SourceId = u16;

/// All diagnostics so far, each with the text it is about.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    found: Vec<(SourceId, Diagnostic)>,
    quiet: u32,
    errors: usize,
}

impl Sink {
    /// Keeps a diagnostic, once: a policy that several calls share is checked for each of them.
    pub(crate) fn report(&mut self, source: SourceId, diagnostic: Diagnostic) {
        if self.quiet > 0 {
            return;
        }
        let known = self
            .found
            .iter()
            .rev()
            .take(SAME_WITHIN)
            .any(|(at, other)| *at == source && other.code == diagnostic.code && *other == diagnostic);
        if !known {
            self.errors += usize::from(diagnostic.is_error());
            self.found.push((source, diagnostic));
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

    /// How many errors were kept so far.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// Everything, in the order it was found.
    pub(crate) fn into_found(self) -> Vec<(SourceId, Diagnostic)> {
        self.found
    }
}

/// How far back a repeated diagnostic is looked for; keeps a file of mistakes linear.
const SAME_WITHIN: usize = 128;
