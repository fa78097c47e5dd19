//! Patterns: ECMA-262 expressions in the syntax of an engine that never backtracks.

use std::sync::OnceLock;

use regex::{Regex, RegexBuilder};

/// Bytes that one compiled pattern may take.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Characters of a pattern that is compiled.
const PATTERN_CHARS_MAX: usize = 4_096;

/// A pattern, compiled when it is first needed.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) text: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), compiled: OnceLock::new() }
    }

    /// Whether the pattern can be told at all.
    pub(super) fn is_known(&self) -> bool {
        self.regex().is_some()
    }

    /// Whether the pattern is found in `text`; so it is for one that cannot be told.
    pub(super) fn is_found_in(&self, text: &str) -> bool {
        self.regex().is_none_or(|regex| regex.is_match(text))
    }

    fn regex(&self) -> Option<&Regex> {
        let compile = || {
            if self.text.chars().nth(PATTERN_CHARS_MAX).is_some() {
                return None;
            }
            let translated = translated(&self.text)?;
            RegexBuilder::new(&translated).size_limit(PATTERN_BYTES_MAX).build().ok()
        };
        self.compiled.get_or_init(compile).as_ref()
    }
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
        ] {
            let pattern = Pattern::new(pattern);
            assert!(pattern.is_known(), "{}", pattern.text);
            assert!(pattern.is_found_in(fits), "{} {fits:?}", pattern.text);
            assert!(!pattern.is_found_in(misfits), "{} {misfits:?}", pattern.text);
        }
    }

    #[test]
    fn what_cannot_be_told_in_linear_time_is_not_checked() {
        for pattern in
            ["(?=a)", "(?<!a)b", r"(a)\1", r"\k<x>", "[", "(", "[^]", r"a{1000}{1000}{1000}", r"a\B"]
        {
            let pattern = Pattern::new(pattern);
            assert!(!pattern.is_known() && pattern.is_found_in("anything"), "{}", pattern.text);
        }
        let longest = Pattern::new(&"a".repeat(PATTERN_CHARS_MAX));
        let longer = Pattern::new(&"a".repeat(PATTERN_CHARS_MAX + 1));
        assert!(longest.is_known() && !longer.is_known());
    }
}
