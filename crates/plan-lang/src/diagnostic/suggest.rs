//! "Did you mean": the candidate that is nearest to a misspelt name.

use super::{Diagnostic, Fix};
use crate::text::Span;

/// Longest name that is compared, in characters. The work grows with the product of two lengths, and a
/// longer name is no slip of a finger.
const NAME_CHARS_MAX: usize = 64;

/// The candidate that `name` was most probably meant to be, or `None` if nothing is near enough.
///
/// A difference of case only always counts. Otherwise about one letter in three may differ
/// (Damerau-Levenshtein, so a swap of neighbours is one difference); of equally near candidates the
/// first wins, so pass them in a stable order. Names of more than 64 characters are near to nothing.
///
/// ```
/// use plan_lang::suggest;
/// assert_eq!(suggest("concurency", ["budget", "concurrency"]), Some("concurrency"));
/// assert_eq!(suggest("uri", ["snippet", "title"]), None);
/// ```
pub fn suggest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = chars(name)?;
    let folded = name.to_lowercase();
    // Below three letters everything is near to everything.
    let allowed = folded.chars().count() / 3;
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        // Each character more or less is a difference.
        let near = chars(candidate).is_some_and(|other| other.abs_diff(length) <= allowed);
        if candidate == name || !near {
            continue;
        }
        let distance = strsim::damerau_levenshtein(&folded, &candidate.to_lowercase());
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

impl Diagnostic {
    /// Says what `written`, which stands at `span`, was meant to be, and offers that; nothing where none of the
    /// candidates is near (see [`suggest`]).
    #[must_use]
    pub fn did_you_mean<'a>(
        self,
        written: &str,
        span: Span,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        match suggest(written, candidates) {
            Some(near) => self
                .help(format!("did you mean `{near}`?"))
                .fix(Fix::maybe(format!("use `{near}`")).replace(span, near)),
            None => self,
        }
    }
}

/// How many characters a name has, if it is short enough to be compared.
fn chars(name: &str) -> Option<usize> {
    let count = name.chars().take(NAME_CHARS_MAX + 1).count();
    (count <= NAME_CHARS_MAX).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_only() {
        assert_eq!(suggest("Timeout", ["timeout"]), Some("timeout"));
        assert_eq!(suggest("tiemout", ["budget", "timeout"]), Some("timeout"));
        assert_eq!(suggest("ab", ["cd", "ac"]), None);
        assert_eq!(suggest("retries", ["retry", "quorum"]), None);
        assert_eq!(suggest("hit", ["hits", "bits"]), Some("hits"));
        assert_eq!(suggest("same", ["same"]), None);
    }

    #[test]
    fn long_names_are_not_compared() {
        let [short, longest, longer] =
            [NAME_CHARS_MAX - 1, NAME_CHARS_MAX, NAME_CHARS_MAX + 1].map(|n| "a".repeat(n));
        assert_eq!(suggest(&longest, [&*longer, &*short]), Some(&*short));
        assert_eq!(suggest(&longer, [&*longest]), None);
        assert_eq!(suggest("\u{c9}t\u{e9}s", ["\u{e9}t\u{e9}"]), Some("\u{e9}t\u{e9}"));
    }
}
