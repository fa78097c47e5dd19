//! Names that are near to a misspelt one.

use plan_lang::suggest;
use proptest::prelude::*;

/// The longest name that is compared, in characters.
const NAME_CHARS_MAX: usize = 64;

fn chars(name: &str) -> usize {
    name.chars().count()
}

/// [`suggest`] without anything that rules candidates out.
fn plainly<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    if chars(name) > NAME_CHARS_MAX {
        return None;
    }
    let folded = name.to_lowercase();
    let near = |candidate: &&'a str| {
        if *candidate == name || chars(candidate) > NAME_CHARS_MAX {
            return None;
        }
        let distance = strsim::damerau_levenshtein(&folded, &candidate.to_lowercase());
        (distance <= chars(&folded) / 3).then_some((distance, *candidate))
    };
    let found = candidates.iter().filter_map(near).min_by_key(|(distance, _)| *distance);
    found.map(|(_, candidate)| candidate)
}

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

/// Asserts that `other` is taken for `name` where as many differences may be as there are, and not where fewer may. What stands before
/// both makes them so long that so many may be.
fn assert_near_by(name: &str, other: &str) {
    let distance = strsim::damerau_levenshtein(&name.to_lowercase(), &other.to_lowercase());
    let allowed = |differences: usize| {
        let before = "z".repeat((3 * differences).saturating_sub(chars(name)));
        let (name, other) = (format!("{before}{name}"), format!("{before}{other}"));
        (chars(&name) / 3, suggest(&name, [&*other]).is_some())
    };
    if name != other {
        assert!(allowed(distance).1, "{name} {other}: {distance}");
    }
    let (fewer, found) = allowed(distance.saturating_sub(1));
    assert!(fewer >= distance || !found, "{name} {other}: {distance}");
}

#[test]
fn whatever_two_short_words_differ_in_is_counted() {
    let words = words(&['a', 'b', 'c'], 5);
    for name in words.iter().skip(1) {
        for other in &words {
            assert_near_by(name, other);
        }
    }
}

#[test]
fn case_and_letters_of_any_script_are_counted() {
    let words =
        ["", "a", "concurency", "concurrency", "TimeOut", "timeout", "\u{e9}t\u{e9}", "K\u{212a}", "kk"];
    for (a, b) in words.iter().flat_map(|a| words.map(|b| (*a, b))) {
        assert_near_by(a, b);
    }
    assert_near_by("abcd", "AXYZ");
    assert_near_by("aaaa", "a");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn suggestions_are_those_of_the_plain_way(
        name in "[a-cA\u{e9}_]{0,9}|[a-z_]{3,20}|[ab]{60,66}",
        others in prop::collection::vec("[a-cA\u{e9}_]{0,9}|[ab]{60,66}", 0..30),
        slips in prop::collection::vec((0..20_usize, 0..20_usize, prop::char::range('a', 'd')), 0..12),
    ) {
        // Some that are near: with letters swapped, left out, and put in.
        let mut slipped: Vec<char> = name.chars().collect();
        let mut candidates = others;
        for (at, to, c) in slips {
            match slipped.len() {
                0 => slipped.push(c),
                chars if to % 3 == 0 => slipped.swap(at % chars, to % chars),
                chars if to % 3 == 1 => { slipped.remove(at % chars); }
                chars => slipped.insert(at % chars, c),
            }
            candidates.push(slipped.iter().collect());
        }
        let candidates: Vec<&str> = candidates.iter().map(String::as_str).collect();
        prop_assert_eq!(suggest(&name, candidates.iter().copied()), plainly(&name, &candidates));
    }
}
