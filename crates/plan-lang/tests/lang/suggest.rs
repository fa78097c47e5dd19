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
