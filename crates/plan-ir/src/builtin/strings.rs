//! Functions of text. They look at Unicode scalars, never at bytes, and use tables pinned by version:
//! those of the standard library change with the compiler.

use caseless::Caseless as _;
use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::UnicodeNormalization as _;

/// The Unicode version of `folded`, `normalize` and `upper`.
pub const UNICODE_VERSION: (u8, u8, u8) = (16, 0, 0);

/// Number of Unicode scalars.
#[must_use]
pub fn len(text: &str) -> i64 {
    i64::try_from(text.chars().count()).unwrap_or(i64::MAX)
}

/// The byte at which scalar `n` starts, or the end; 0 where `n` is negative.
fn boundary(text: &str, n: i64) -> usize {
    let Ok(n) = usize::try_from(n) else { return 0 };
    text.char_indices().nth(n).map_or(text.len(), |(at, _)| at)
}

/// At most the first `n` scalars.
#[must_use]
pub fn take(text: &str, n: i64) -> &str {
    text.split_at_checked(boundary(text, n)).map_or(text, |(head, _)| head)
}

/// All but the first `n` scalars.
#[must_use]
pub fn skip(text: &str, n: i64) -> &str {
    text.split_at_checked(boundary(text, n)).map_or("", |(_, tail)| tail)
}

/// Without white space at both ends.
#[must_use]
pub fn trim(text: &str) -> &str {
    text.trim_matches(is_white_space)
}

/// Full case folding.
#[must_use]
pub fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().default_case_fold().collect()
}

pub(super) fn upper(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_uppercase();
    }
    let mut upper = String::with_capacity(text.len());
    for c in text.chars() {
        let mapped = unicode_case_mapping::to_uppercase(c);
        if mapped == [0; 3] {
            upper.push(c);
        }
        upper.extend(mapped.into_iter().filter(|c| *c != 0).filter_map(char::from_u32));
    }
    upper
}

pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_white_space).filter(|word| !word.is_empty())
}

/// Where `part` first stands, in scalars.
pub(super) fn index_of(text: &str, part: &str) -> Option<usize> {
    text.split_once(part).map(|(before, _)| before.chars().count())
}

/// `text` with every `part` replaced; an empty part stands nowhere.
pub(super) fn replace(text: &str, part: &str, by: &str) -> String {
    if part.is_empty() { text.into() } else { text.replace(part, by) }
}

/// Bytes of what [`replace`] gives.
pub(super) fn replaced_length(text: &str, part: &str, by: &str) -> usize {
    if part.is_empty() {
        return text.len();
    }
    let count = text.matches(part).count();
    // Occurrences do not overlap, so they are no longer than the text.
    text.len().saturating_sub(count.saturating_mul(part.len())).saturating_add(count.saturating_mul(by.len()))
}

/// The number that an optional sign and decimal digits stand for.
pub(super) fn to_int(text: &str) -> Option<i64> {
    unsigned_part(text).bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// The number nearest to a decimal one: digits, maybe with a point between and an exponent behind.
pub(super) fn to_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = unsigned_part(text)
        .split_once(['e', 'E'])
        .map_or((unsigned_part(text), None), |(mantissa, exponent)| (mantissa, Some(exponent)));
    let (whole, fraction) =
        mantissa.split_once('.').map_or((mantissa, None), |(whole, fraction)| (whole, Some(fraction)));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_decimal =
        digits(whole) && fraction.is_none_or(digits) && exponent.is_none_or(|e| digits(unsigned_part(e)));
    let value: f64 = is_decimal.then(|| text.parse().ok()).flatten()?;
    // `-0` is `0` in plans.
    value.is_finite().then_some(value + 0.0)
}

/// What follows one sign, if there is one.
fn unsigned_part(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn hex_digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('0').to_ascii_uppercase()
}

/// Percent-encoded but for the characters that mean nothing in a URL (RFC 3986, unreserved).
pub(super) fn url_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.extend(['%', hex_digit(byte >> 4), hex_digit(byte & 15)]),
        }
    }
    encoded
}

/// Compatibility composition, full case folding, then letters with their marks and digits only.
#[must_use]
pub fn normalize(text: &str) -> String {
    // Folding can leave what NFKC would compose, and dropping a character can bring a mark next to its
    // letter, so the order is: compose, fold, drop, compose.
    text.nfkc().default_case_fold().nfkc().filter(|c| is_letter_or_digit(*c)).nfkc().collect()
}

/// Letters, numbers, and the marks that belong to letters: without them words of many scripts would fall
/// together. Variation selectors are marks only by category; they choose a glyph.
fn is_letter_or_digit(c: char) -> bool {
    use GeneralCategory::{
        DecimalNumber, LetterNumber, LowercaseLetter, ModifierLetter, NonspacingMark, OtherLetter,
        OtherNumber, SpacingMark, TitlecaseLetter, UppercaseLetter,
    };
    match get_general_category(c) {
        UppercaseLetter | LowercaseLetter | TitlecaseLetter | ModifierLetter | OtherLetter
        | DecimalNumber | LetterNumber | OtherNumber | SpacingMark => true,
        NonspacingMark => !matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}'),
        _ => false,
    }
}

/// The property `White_Space`.
const fn is_white_space(c: char) -> bool {
    matches!(
        c,
        '\u{9}'..='\u{d}'
            | ' '
            | '\u{85}'
            | '\u{a0}'
            | '\u{1680}'
            | '\u{2000}'..='\u{200a}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{202f}'
            | '\u{205f}'
            | '\u{3000}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn all_tables_are_of_one_unicode_version() {
        let (major, minor, patch) = UNICODE_VERSION;
        let wide = (u64::from(major), u64::from(minor), u64::from(patch));
        assert_eq!(unicode_normalization::UNICODE_VERSION, UNICODE_VERSION);
        assert_eq!(unicode_general_category::UNICODE_VERSION, wide);
        assert_eq!(caseless::UNICODE_VERSION, wide);
        assert_eq!(unicode_case_mapping::UNICODE_VERSION, wide);
    }

    #[test]
    fn positions_count_scalars() {
        let text = "a😀é\u{301}z";
        assert_eq!(len(text), 5);
        assert_eq!(take(text, 2), "a😀");
        assert_eq!(skip(text, 2), "é\u{301}z");
        assert_eq!((take(text, 0), skip(text, 0)), ("", text));
        assert_eq!((take(text, 5), skip(text, 5)), (text, ""));
        assert_eq!((take(text, i64::MAX), skip(text, i64::MAX)), (text, ""));
        assert_eq!((take(text, -1), skip(text, -1)), ("", text));
    }

    #[test]
    fn folding_is_full_and_the_same_everywhere() {
        for (text, folded_text) in [
            ("", ""),
            ("ABC xyz", "abc xyz"),
            ("Straße", "strasse"),
            ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
            ("ﬀ", "ff"),
            ("İ", "i\u{307}"),
            ("日本", "日本"),
        ] {
            assert_eq!(folded(text), folded_text, "{text}");
        }
    }

    #[test]
    fn normalizing_keeps_letters_marks_and_digits() {
        for (text, normal) in [
            ("Paris", "paris"),
            ("  paris. ", "paris"),
            ("PARÍS", "parís"),
            ("Pari\u{301}s", "parís"),
            ("ＡＢＣ　１２３", "abc123"),
            ("ﬁne ①", "fine1"),
            ("E\u{200d}\u{301}", "é"),
            ("1\u{fe0f}\u{20e3}", "1"),
            ("हिन्दी", "हिन्दी"),
            ("—!?", ""),
        ] {
            assert_eq!(normalize(text), normal, "{text}");
        }
    }

    #[test]
    fn white_space_is_unicodes() {
        assert_eq!(trim("\u{a0}\u{3000} \ta b\u{2028}\n"), "a b");
        assert_eq!(trim("\u{200b}a"), "\u{200b}a", "a zero-width space is none");
        assert_eq!(trim(" \n"), "");
    }

    proptest! {
        #[test]
        fn take_and_skip_share_a_text_out(text in "\\PC{0,20}", n in -3_i64..25) {
            prop_assert_eq!(format!("{}{}", take(&text, n), skip(&text, n)), text);
        }

        #[test]
        fn folding_and_normalizing_twice_is_once(text in "\\PC{0,12}") {
            prop_assert_eq!(folded(&folded(&text)), folded(&text));
            prop_assert_eq!(normalize(&normalize(&text)), normalize(&text));
            prop_assert_eq!(normalize(&folded(&text)), normalize(&text));
        }
    }
}
