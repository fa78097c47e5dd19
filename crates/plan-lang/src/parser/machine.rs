//! What the functions that are made of the grammar's rules do to a text: a parsing expression grammar, run.
//!
//! Each method that answers whether something fits moves behind it if it does, and leaves everything as it was if not.

use super::grammar::Rule;

/// How deep rules may stand in one another before a text is not read: more than any text takes whose brackets nest to
/// [`MAX_NESTING`](crate::limits::MAX_NESTING). What reads brackets beforehand can be misled by a broken text.
const MAX_RULES_DEEP: usize = 4_096;

/// Where a rule starts or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) rule: Rule,
    pub(super) is_end: bool,
    pub(super) at: u32,
}

#[derive(Debug)]
pub(super) struct Machine<'a> {
    text: &'a str,
    at: usize,
    edges: Vec<Edge>,
    /// Whether rules leave no edges: within a token, and while looking ahead.
    is_quiet: bool,
    depth: usize,
    is_too_deep: bool,
}

impl<'a> Machine<'a> {
    /// The edges of all rules that `rule` makes of `text`, in order. `None` if it does not fit, or nests too deep.
    pub(super) fn run(text: &'a str, rule: fn(&mut Machine<'a>) -> bool) -> Option<Vec<Edge>> {
        let mut machine =
            Machine { text, at: 0, edges: Vec::new(), is_quiet: false, depth: 0, is_too_deep: false };
        (rule(&mut machine) && !machine.is_too_deep).then_some(machine.edges)
    }

    #[inline]
    pub(super) fn is_at_start(&self) -> bool {
        self.at == 0
    }

    #[inline]
    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// The next byte; 0 at the end of the text.
    #[inline]
    pub(super) fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// One byte of ASCII other than 0.
    #[inline]
    pub(super) fn byte(&mut self, fits: impl FnOnce(u8) -> bool) -> bool {
        let fits = fits(self.peek());
        self.at += usize::from(fits);
        fits
    }

    /// As many bytes as fit: single ones of ASCII, or all up to one of these.
    #[inline]
    pub(super) fn skip(&mut self, fits: impl Fn(u8) -> bool) -> bool {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        self.at += rest.iter().position(|byte| !fits(*byte)).unwrap_or(rest.len());
        true
    }

    #[inline]
    pub(super) fn char(&mut self, fits: impl FnOnce(char) -> bool) -> bool {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(c) if fits(c) => {
                self.at += c.len_utf8();
                true
            }
            _ => false,
        }
    }

    #[inline]
    pub(super) fn text(&mut self, text: &str) -> bool {
        let fits = self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(text.as_bytes()));
        self.at += if fits { text.len() } else { 0 };
        fits
    }

    /// One after the other.
    #[inline]
    pub(super) fn all(&mut self, fits: impl FnOnce(&mut Self) -> bool) -> bool {
        let (at, edges) = (self.at, self.edges.len());
        let fits = fits(self);
        if !fits {
            self.at = at;
            self.edges.truncate(edges);
        }
        fits
    }

    /// As often as it fits.
    #[inline]
    pub(super) fn many(&mut self, fits: impl Fn(&mut Self) -> bool) -> bool {
        while fits(self) {}
        true
    }

    /// Whether something fits, without moving.
    #[inline]
    pub(super) fn is_ahead(&mut self, fits: impl FnOnce(&mut Self) -> bool) -> bool {
        let at = self.at;
        let was_quiet = std::mem::replace(&mut self.is_quiet, true);
        let fits = fits(self);
        self.is_quiet = was_quiet;
        self.at = at;
        fits
    }

    /// A rule that others may stand in.
    #[inline]
    pub(super) fn node(&mut self, rule: Rule, fits: impl FnOnce(&mut Self) -> bool) -> bool {
        let edges = self.edges.len();
        self.edge(rule, false, self.at);
        let fits = fits(self);
        if fits {
            self.edge(rule, true, self.at);
        } else {
            self.edges.truncate(edges);
        }
        fits
    }

    /// A rule without others in it.
    #[inline]
    pub(super) fn token(&mut self, rule: Rule, fits: impl FnOnce(&mut Self) -> bool) -> bool {
        let start = self.at;
        let was_quiet = std::mem::replace(&mut self.is_quiet, true);
        let fits = fits(self);
        self.is_quiet = was_quiet;
        if fits {
            self.edge(rule, false, start);
            self.edge(rule, true, self.at);
        }
        fits
    }

    #[inline]
    fn edge(&mut self, rule: Rule, is_end: bool, at: usize) {
        if !self.is_quiet {
            self.edges.push(Edge { rule, is_end, at: u32::try_from(at).unwrap_or(u32::MAX) });
        }
    }

    /// A rule that can contain itself.
    #[inline]
    pub(super) fn deeper(&mut self, fits: impl FnOnce(&mut Self) -> bool) -> bool {
        self.depth += 1;
        if self.depth > MAX_RULES_DEEP {
            // From here on nothing fits, whatever is tried next.
            self.is_too_deep = true;
            self.text = "";
        }
        let fits = !self.is_too_deep && fits(self);
        self.depth -= 1;
        fits
    }
}
