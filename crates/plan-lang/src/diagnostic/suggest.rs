//! "Did you mean": the candidate that is nearest to a misspelt name.

use std::borrow::Cow;

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
    let own = Shape::of(name)?;
    let folded = name.to_lowercase();
    let places = Places::of(&folded);
    // Below three letters everything is near to everything.
    let mut allowed = folded.chars().count() / 3;
    let mut best = None;
    for candidate in candidates {
        if own.is_far(candidate, allowed) || candidate == name {
            continue;
        }
        let counted = places.as_ref().filter(|_| candidate.is_ascii());
        let distance = match counted.map(|places| places.changes(candidate, allowed * 3 / 2)) {
            Some(None) => continue,
            Some(Some(few @ ..=2)) => few,
            _ => strsim::damerau_levenshtein(&folded, &candidate.to_lowercase()),
        };
        if distance <= allowed {
            best = Some(candidate);
            // Another one must be nearer.
            let Some(nearer) = distance.checked_sub(1) else { break };
            allowed = nearer;
        }
    }
    best
}

/// A field or an argument as a text writes it after `.` and before `:`: between back-quotes where it is no word.
///
/// ```
/// use plan_lang::written_name;
/// assert_eq!((written_name("query"), written_name("$top")), ("query".into(), "`$top`".into()));
/// assert_eq!((written_name("a.b"), written_name("9x")), ("`a.b`".into(), "`9x`".into()));
/// ```
#[must_use]
pub fn written_name(name: &str) -> Cow<'_, str> {
    if is_word(name) { Cow::Borrowed(name) } else { Cow::Owned(format!("`{name}`")) }
}

fn is_word(name: &str) -> bool {
    name.starts_with(|c: char| c == '_' || c.is_alphabetic())
        && name.chars().all(|c| c == '_' || c.is_alphanumeric())
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
            Some(near) => self.meant(near, span),
            None => self,
        }
    }

    /// Says that `name` was meant at `span`, and offers it.
    #[must_use]
    pub fn meant(self, name: &str, span: Span) -> Self {
        // A path is words with dots between.
        let is_path = name.split('.').all(is_word);
        let written = if is_path { Cow::Borrowed(name) } else { written_name(name) };
        self.help(format!("did you mean `{name}`?"))
            .fix(Fix::maybe(format!("use `{name}`")).replace(span, written))
    }
}

/// What tells of most names that they are far from each other, without comparing them letter by letter.
#[derive(Clone, Copy)]
struct Shape {
    chars: usize,
    /// Which characters it has, whatever their case; `None` of a name that is not ASCII, whose case may fold to anything.
    letters: Option<u128>,
}

impl Shape {
    /// `None` of a name that is too long to be compared.
    fn of(name: &str) -> Option<Self> {
        Some(Self { chars: compared_chars(name)?, letters: letters(name) })
    }

    /// Whether more than `allowed` differences are certain, or `candidate` is too long to be compared. Each character more or
    /// less is one, and each one that the other name lacks takes one of its own.
    fn is_far(self, candidate: &str, allowed: usize) -> bool {
        let Some(chars) = compared_chars(candidate) else { return true };
        // Letters are looked at last: of most candidates it is the length that tells.
        if self.chars.abs_diff(chars) > allowed {
            return true;
        }
        let (Some(own), Some(others)) = (self.letters, letters(candidate)) else { return false };
        let lacking = (own & !others).count_ones().max((others & !own).count_ones());
        lacking as usize > allowed
    }
}

/// How many characters a name has; `None` of one that is too long to be compared.
fn compared_chars(name: &str) -> Option<usize> {
    let chars = if name.is_ascii() { name.len() } else { name.chars().take(NAME_CHARS_MAX + 1).count() };
    (chars <= NAME_CHARS_MAX).then_some(chars)
}

/// Which characters a name has, whatever their case, a bit for each; `None` of one that is not ASCII, whose case may fold to
/// anything.
fn letters(name: &str) -> Option<u128> {
    let bit = |byte: u8| 1_u128 << byte.to_ascii_lowercase();
    name.is_ascii().then(|| name.bytes().fold(0, |letters, byte| letters | bit(byte)))
}

/// Where each letter stands in a name of ASCII letters, a bit for a place: what compares names a whole column of the table at a time
/// (Hyyro's bit-vector algorithm), where the exact distance takes a table for each candidate.
struct Places {
    of: [u64; 128],
    chars: usize,
}

impl Places {
    /// `None` of a name that is empty, or not ASCII.
    fn of(folded: &str) -> Option<Self> {
        let mut of = [0; 128];
        for (at, byte) in folded.bytes().enumerate() {
            *of.get_mut(usize::from(byte))? |= 1_u64.checked_shl(u32::try_from(at).ok()?)?;
        }
        let chars = folded.len();
        (chars > 0).then_some(Self { of, chars })
    }

    /// In how many changes the name becomes the ASCII `candidate` where no letter takes part in two; `None` of more than `limit`.
    ///
    /// Letters that are swapped around others can make three of these of two differences, and it is never more than that. So one or
    /// two are the exact distance, and what has more than half as many again as are allowed is too far.
    fn changes(&self, candidate: &str, limit: usize) -> Option<usize> {
        let last = 1_u64 << (self.chars - 1);
        // The column of the table, as differences of neighbours: one more, one less; and those that cost nothing on the diagonal.
        let (mut more, mut less, mut same) = (u64::MAX, 0_u64, 0_u64);
        let (mut distance, mut before) = (self.chars, 0_u64);
        for (at, byte) in candidate.bytes().enumerate() {
            let here = self.of.get(usize::from(byte.to_ascii_lowercase())).copied().unwrap_or_default();
            let swapped = ((!same & here) << 1) & before;
            same = ((here & more).wrapping_add(more) ^ more) | here | less | swapped;
            let (up, down) = (less | !(same | more), same & more);
            if up & last != 0 {
                distance += 1;
            } else if down & last != 0 {
                distance -= 1;
            }
            // Each character that is left makes it one less at most.
            if distance > limit + (candidate.len() - at - 1) {
                return None;
            }
            let (up, down) = (up << 1 | 1, down << 1);
            (more, less, before) = (down | !(same | up), up & same, here);
        }
        (distance <= limit).then_some(distance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All words of up to this many letters of these.
    fn words(letters: &[char], longest: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut last = all.clone();
        for _ in 0..longest {
            last = last.iter().flat_map(|word| letters.iter().map(move |c| format!("{word}{c}"))).collect();
            all.extend(last.iter().cloned());
        }
        all
    }

    #[test]
    fn changes_are_nearly_the_distance() {
        let words = words(&['a', 'b', 'c'], 5);
        for name in words.iter().skip(1) {
            let places = Places::of(name).unwrap();
            for other in &words {
                let distance = strsim::damerau_levenshtein(name, other);
                let changes = places.changes(other, 9).unwrap();
                assert!(
                    distance <= changes && changes <= distance * 3 / 2,
                    "{name} {other}: {distance}, {changes}"
                );
                assert!(changes > 2 || changes == distance, "{name} {other}: {distance}, {changes}");
                for limit in 0..6 {
                    assert_eq!(
                        places.changes(other, limit),
                        (changes <= limit).then_some(changes),
                        "{name} {other}"
                    );
                }
            }
        }
    }

    #[test]
    fn shapes_rule_out_only_what_is_far() {
        let is_far = |a: &str, b: &str, allowed| Shape::of(a).unwrap().is_far(b, allowed);
        let words =
            ["", "a", "concurency", "concurrency", "TimeOut", "timeout", "\u{e9}t\u{e9}", "K\u{212a}", "kk"];
        for (a, b) in words.iter().flat_map(|a| words.map(|b| (*a, b))) {
            let distance = strsim::damerau_levenshtein(&a.to_lowercase(), &b.to_lowercase());
            assert!(!is_far(a, b, distance), "{a} {b}");
        }
        assert!(is_far("abcd", "AXYZ", 2) && !is_far("abcd", "AXYZ", 3));
        assert!(is_far("aaaa", "a", 2) && !is_far("aaaa", "a", 3));
    }
}
