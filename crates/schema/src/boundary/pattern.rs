//! Patterns: ECMA-262 expressions as automata that read each character once, whatever the pattern.
//!
//! A pattern and the text it is asked of both come from strangers. So the automaton is made whole before it is used,
//! within a fixed size; a pattern that would need more is not checked, and said to be so.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use regex_automata::Input;
use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::util::syntax;

/// Bytes of one automaton, and of making it; what stays below takes some thirty milliseconds at worst.
const AUTOMATON_BYTES_MAX: usize = 512 << 10;
/// Bytes of the form before it.
const PROGRAM_BYTES_MAX: usize = 256 << 10;
/// Characters of a pattern that is compiled.
const PATTERN_CHARS_MAX: usize = 500;

/// Patterns of one schema that are looked into.
const PATTERNS_MAX: usize = 64;

type Automaton = dense::DFA<Vec<u32>>;

/// A pattern, compiled when it is first needed. Clones share what was compiled.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) text: String,
    compiled: Arc<OnceLock<Option<Automaton>>>,
}

impl Pattern {
    fn new(text: &str) -> Self {
        Self { text: text.to_owned(), compiled: Arc::default() }
    }

    /// A pattern that is not looked into.
    fn unknown(text: &str) -> Self {
        Self { text: text.to_owned(), compiled: Arc::new(OnceLock::from(None)) }
    }

    /// Whether the pattern can be told at all.
    pub(super) fn is_known(&self) -> bool {
        self.automaton().is_some()
    }

    /// Whether the pattern is found in `text`; so it is for one that cannot be told.
    pub(super) fn is_found_in(&self, text: &str) -> bool {
        let Some(automaton) = self.automaton() else { return true };
        // It never gives up, as it was made without states that would.
        automaton.try_search_fwd(&Input::new(text).earliest(true)).map_or(true, |found| found.is_some())
    }

    fn automaton(&self) -> Option<&Automaton> {
        self.compiled.get_or_init(|| compile(&self.text)).as_ref()
    }
}

/// The patterns of one schema, equal ones compiled once.
#[derive(Debug, Default)]
pub(super) struct Patterns(BTreeMap<String, Pattern>);

impl Patterns {
    /// The pattern with this text; one more than [`PATTERNS_MAX`] is not looked into.
    pub(super) fn get(&mut self, text: &str) -> Pattern {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let pattern = if self.0.len() < PATTERNS_MAX { Pattern::new(text) } else { Pattern::unknown(text) };
        self.0.insert(text.to_owned(), pattern.clone());
        pattern
    }
}

fn compile(pattern: &str) -> Option<Automaton> {
    if pattern.chars().nth(PATTERN_CHARS_MAX).is_some() {
        return None;
    }
    let dfa = dense::Config::new()
        .accelerate(false)
        .start_kind(StartKind::Unanchored)
        .dfa_size_limit(Some(AUTOMATON_BYTES_MAX))
        .determinize_size_limit(Some(AUTOMATON_BYTES_MAX));
    let program = regex_automata::nfa::thompson::Config::new().nfa_size_limit(Some(PROGRAM_BYTES_MAX));
    dense::Builder::new()
        .configure(dfa)
        .thompson(program)
        .syntax(syntax::Config::new())
        .build(&translated(pattern)?)
        .ok()
}

/// The same expression in the engine's syntax: classes of ASCII characters as ECMA-262 means them, escapes that the
/// engine does not know, and brackets that it would read as its own. `None` for what it does not have.
fn translated(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len() + 8);
    let mut characters = text.chars().peekable();
    let mut in_class = false;
    while let Some(c) = characters.next() {
        match c {
            '\\' => escape(&mut characters, in_class, &mut out)?,
            '[' if in_class => out.push_str("\\["),
            '[' => {
                in_class = true;
                out.push('[');
                if characters.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                // `[]` has no characters, `[^]` has all; the engine would read on.
                if characters.peek() == Some(&']') {
                    return None;
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            // Operators of the engine's classes.
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
            }
            '(' if !in_class && characters.peek() == Some(&'?') => {
                characters.next();
                match (characters.next()?, characters.peek().copied()) {
                    (':', _) => out.push_str("(?:"),
                    ('<', Some(next)) if next != '=' && next != '!' => out.push_str("(?<"),
                    // Looking ahead and behind.
                    _ => return None,
                }
            }
            // White space and `#` mean themselves: the engine's verbose mode is off.
            other => out.push(other),
        }
    }
    Some(out)
}

fn escape(
    characters: &mut std::iter::Peekable<std::str::Chars<'_>>,
    in_class: bool,
    out: &mut String,
) -> Option<()> {
    const SPACE: &str = "\\t\\n\\x0B\\x0C\\r \\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}\\x{205F}\\x{3000}\\x{FEFF}";
    let class = |out: &mut String, negated: bool, members: &str| match (in_class, negated) {
        (true, false) => out.push_str(members),
        (_, true) => out.push_str(&format!("[^{members}]")),
        (false, false) => out.push_str(&format!("[{members}]")),
    };
    match characters.next()? {
        'd' => class(out, false, "0-9"),
        'D' => class(out, true, "0-9"),
        'w' => class(out, false, "A-Za-z0-9_"),
        'W' => class(out, true, "A-Za-z0-9_"),
        's' => class(out, false, SPACE),
        'S' => class(out, true, SPACE),
        'b' if in_class => out.push_str("\\x08"),
        'b' => out.push_str("(?-u:\\b)"),
        // Not a boundary could fall within a character, which the engine does not allow in text.
        'B' => return None,
        'c' => {
            let letter = characters.next().filter(char::is_ascii_alphabetic)?;
            out.push_str(&format!("\\x{{{:X}}}", u32::from(letter.to_ascii_uppercase()) - 64));
        }
        'x' => out.push_str(&format!("\\x{{{}}}", digits(characters, 2)?)),
        'u' if characters.next_if_eq(&'{').is_some() => {
            let mut code = String::new();
            loop {
                match characters.next()? {
                    '}' => break,
                    digit if digit.is_ascii_hexdigit() && code.len() < 6 => code.push(digit),
                    _ => return None,
                }
            }
            out.push_str(&format!("\\x{{{code}}}"));
        }
        'u' => out.push_str(&format!("\\x{{{}}}", digits(characters, 4)?)),
        '0' if !characters.peek().is_some_and(char::is_ascii_digit) => out.push_str("\\x00"),
        // Back references.
        '0'..='9' | 'k' => return None,
        property @ ('p' | 'P') => {
            out.push('\\');
            out.push(property);
        }
        letter @ ('f' | 'n' | 'r' | 't' | 'v') => {
            out.push('\\');
            out.push(letter);
        }
        letter if letter.is_ascii_alphanumeric() => out.push(letter),
        other if other.is_ascii_punctuation() => {
            out.push('\\');
            out.push(other);
        }
        other => out.push(other),
    }
    Some(())
}

fn digits(characters: &mut std::iter::Peekable<std::str::Chars<'_>>, count: usize) -> Option<String> {
    let digits: String = characters.by_ref().take(count).collect();
    (digits.len() == count && digits.chars().all(|digit| digit.is_ascii_hexdigit())).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_ecma_262() {
        for (pattern, fits, misfits) in [
            ("a", "cab", "dog"),
            ("^a$", "a", "a\n"),
            (r"^\d+$", "12", "१२"),
            (r"^[\d.]+$", "1.2", "x"),
            (r"^\w+$", "a_1", "é"),
            (r"^[^\s]+$", "ab", "a\u{a0}b"),
            (r"^\S\W$", "a!", "ab"),
            (r"^\/v1\/", "/v1/x", "v1"),
            (r"^[a-z&&b]$", "&", "B"),
            (r"^[[a]$", "[", "b"),
            (r"^A\x42\u0043\u{44}\cJ$", "ABCD\n", "ABCD"),
            (r"^\p{Lu}\p{L}*$", "Éa", "éa"),
            (r"^(?:ab){2}(?<name>c)$", "ababc", "abc"),
            (r"^sn\d{1,3}\.[a-z_]+$", "sn22.web_search", "sn22"),
            (r"^\-\:\@$", "-:@", "-"),
            (r"\bcat\b", "a cat", "concat"),
            (r"^[\p{L}\p{N} ._-]+$", "Ünï-1", "a/b"),
            (r"^5[1-9A-HJ-NP-Za-km-z]{47}$", "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UHjJM694ty", "5FHneW46"),
        ] {
            let pattern = Pattern::new(pattern);
            assert!(pattern.is_known(), "{}", pattern.text);
            assert!(pattern.is_found_in(fits), "{} {fits:?}", pattern.text);
            assert!(!pattern.is_found_in(misfits), "{} {misfits:?}", pattern.text);
        }
    }

    #[test]
    fn what_cannot_be_told_in_linear_time_is_not_checked() {
        for pattern in [
            "(?=a)",
            "(?<!a)b",
            r"(a)\1",
            r"\k<x>",
            "[",
            "(",
            "[^]",
            r"a{1000}{1000}{1000}",
            r"a\B",
            "[ab]*a[ab]{20}",
        ] {
            let pattern = Pattern::new(pattern);
            assert!(!pattern.is_known() && pattern.is_found_in("anything"), "{}", pattern.text);
        }
        let longest = Pattern::new(&"a".repeat(PATTERN_CHARS_MAX));
        let longer = Pattern::new(&"a".repeat(PATTERN_CHARS_MAX + 1));
        assert!(longest.is_known() && !longer.is_known());
    }

    #[test]
    fn a_schema_has_a_number_of_patterns() {
        let mut patterns = Patterns::default();
        for number in 0..PATTERNS_MAX {
            assert!(patterns.get(&format!("a{number}")).is_known());
        }
        assert!(!patterns.get("one more").is_known());
        assert!(patterns.get("a0").is_known());
    }
}
