//! What other languages call the functions of the library: for messages and completions that lead to the name here.

use std::sync::LazyLock;

/// The names here for one from elsewhere, in snake case.
pub fn names_here(elsewhere: &str) -> impl Iterator<Item = &'static str> {
    pairs().filter(move |(_, other)| *other == elsewhere).map(|(name, _)| name)
}

/// What does it here, where no single function does.
#[must_use]
pub fn instead_of(elsewhere: &str) -> Option<&'static str> {
    static HELPS: LazyLock<Pairs> =
        LazyLock::new(|| split(INSTEAD.iter().map(|(others, help)| (*help, *others))));
    HELPS.iter().find(|(_, other)| *other == elsewhere).map(|(help, _)| *help)
}

/// Each name here with one that others give it, in snake case.
pub fn pairs() -> impl Iterator<Item = (&'static str, &'static str)> {
    static PAIRS: LazyLock<Pairs> = LazyLock::new(|| split(OTHER_NAMES.iter().copied()));
    PAIRS.iter().copied()
}

/// What is here, and one name from elsewhere for it.
type Pairs = Vec<(&'static str, &'static str)>;

/// A row for each of the names from elsewhere, which stand in one text with spaces between: names are compared with all
/// of them for each message about one.
fn split(rows: impl Iterator<Item = (&'static str, &'static str)>) -> Pairs {
    rows.flat_map(|(here, others)| others.split(' ').map(move |other| (here, other))).collect()
}

/// Each name with the names that others give it.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("abs", "absolute magnitude"),
    ("all", "every"),
    ("any", "some exists"),
    ("average", "mean avg"),
    ("ceil", "ceiling round_up"),
    ("chunks", "chunk batch batched in_groups_of"),
    ("clamp", "coerce_in limit_to"),
    ("concat", "extend plus chain add_all"),
    ("contains", "includes has has_key contains_key include"),
    ("count", "count_if tally"),
    ("date", "to_date iso_date"),
    ("distinct", "unique uniq dedup dedupe"),
    ("distinct_by", "unique_by uniq_by dedup_by"),
    ("ends_with", "endswith has_suffix"),
    ("entries", "items pairs to_list"),
    ("filter", "where find_all keep"),
    ("find", "detect first_where search"),
    ("first", "head"),
    ("flatten", "flat"),
    ("floor", "round_down trunc to_int"),
    ("folded", "lower lowercase to_lower to_lowercase to_lower_case casefold downcase"),
    ("get", "at nth lookup fetch element_at"),
    ("group_by", "group groups_by"),
    ("host", "hostname domain"),
    ("index_of", "find position search"),
    ("join", "implode intercalate"),
    ("key_by", "index_by associate_by to_map"),
    ("kind", "type type_of typeof"),
    ("last", "tail"),
    ("len", "length size count"),
    ("lines", "split_lines"),
    ("map", "select collect"),
    ("map_values", "transform_values"),
    ("max", "at_least maximum greatest"),
    ("merge", "union update assign"),
    ("min", "at_most minimum least"),
    ("path", "pathname"),
    ("position", "find_index index_where"),
    ("present", "compact non_null filter_not_null not_null"),
    ("query", "param query_param search_param"),
    ("replace", "replace_all sub gsub"),
    ("resolve", "join"),
    ("reverse", "reversed rev"),
    ("round", "to_int"),
    ("skip", "drop offset"),
    ("sort", "sorted order"),
    ("sort_by", "order_by sorted_by"),
    ("split", "explode tokenize"),
    ("starts_with", "startswith has_prefix"),
    ("sum", "total add"),
    ("take", "limit truncate left"),
    ("to", "range up_to until upto through"),
    ("to_fixed", "round_to fixed format"),
    ("to_float", "parse_float float to_number number as_float"),
    ("to_int", "parse_int int as_int"),
    ("to_json", "json stringify serialize dump"),
    ("to_seconds", "seconds as_secs as_seconds in_seconds total_seconds"),
    ("to_time", "from_unix"),
    ("to_unix", "timestamp unix epoch"),
    ("top", "top_k top_n largest nlargest"),
    ("trim", "strip"),
    ("upper", "uppercase to_upper to_uppercase to_upper_case upcase"),
    ("url_encoded", "url_encode encode_uri_component percent_encode quote"),
    ("words", "split_words split_whitespace"),
    ("zip", "zip_with"),
];

/// What several methods or an operator do here.
const INSTEAD: &[(&str, &str)] = &[
    ("push append prepend", "make a new list: `xs.concat([x])`"),
    ("slice substring substr", "take a part: `.skip(from).take(n)`"),
    ("flat_map bind", "write `.map(x => ..).flatten()`"),
    ("filter_map", "write `.map(x => ..).present()`"),
    ("fold foldl reduce inject aggregate", "total a list by `sum`, `count`, `average`, `min` or `max`"),
    ("sum_by sum_of", "write `.map(x => ..).sum()`"),
    ("sort_desc sort_by_desc sort_descending", "write `.sort_by(x => ..).reverse()`, or `.top(n, x => ..)`"),
    ("for_each each", "loop by `for x in xs { .. }`, or make a list by `map`"),
    ("is_null is_none is_some", "compare: `x == null`"),
    ("unwrap unwrap_or or_else get_or_else or", "say what stands in for `null`: `x ?? ..`"),
    ("to_string to_text to_str str string", "write it as text: `\"{x}\"`"),
    ("pow square", "multiply: `x * x`"),
    ("mod rem modulo", "write `a % b`"),
    ("plus minus times", "use an operator: `a + b`, `a - b`, `a * b`"),
    (
        "parse from_string from_str",
        "read a number by `.to_int()` or `.to_float()`, and a time, URL or duration by `x as T`",
    ),
    ("percent", "say how to round: `.percent_up(n)` or `.percent_down(n)`"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::Builtin;

    #[test]
    fn every_name_here_is_one() {
        let is_snake = |name: &str| !name.contains(|c: char| c.is_ascii_uppercase());
        for (name, other) in pairs() {
            assert!(Builtin::named(name).next().is_some(), "{name}");
            assert!(is_snake(other), "{other}");
            assert_ne!(name, other);
        }
        for (others, _) in INSTEAD {
            for other in others.split(' ') {
                assert_eq!(Builtin::named(other).next(), None, "{other} is a method");
            }
        }
    }
}
