//! Names of operations.

use std::collections::BTreeSet;

/// The operation's name in a Ledger: `listHits` and `list-hits` are `list_hits`. Empty where the text has no letter
/// or digit.
pub(crate) fn snake(text: &str) -> String {
    let mut name = String::new();
    let mut previous = ' ';
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if c.is_ascii_alphanumeric() {
            let starts_word = c.is_ascii_uppercase()
                && (previous.is_ascii_lowercase()
                    || previous.is_ascii_digit()
                    || (previous.is_ascii_uppercase()
                        && characters.peek().is_some_and(char::is_ascii_lowercase)));
            if starts_word && !name.is_empty() && !name.ends_with('_') {
                name.push('_');
            }
            name.push(c.to_ascii_lowercase());
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        previous = c;
    }
    name.truncate(name.trim_end_matches('_').len());
    name
}

/// `wanted`, with the least number from 2 on where it is taken; taken from now on.
pub(crate) fn unique(wanted: String, taken: &mut BTreeSet<String>) -> String {
    let mut name = wanted.clone();
    let mut number = 2_u32;
    while !taken.insert(name.clone()) {
        name = format!("{wanted}_{number}");
        number += 1;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_text() {
        for (text, name) in [
            ("listHits", "list_hits"),
            ("list-hits", "list_hits"),
            ("getHTTPStatus", "get_http_status"),
            ("V2 Get  Item/{id}", "v2_get_item_id"),
            ("get_/hits/{hitId}/", "get_hits_hit_id"),
            ("é", ""),
        ] {
            assert_eq!(snake(text), name);
        }
    }

    #[test]
    fn a_taken_name_gets_a_number() {
        let mut taken = BTreeSet::new();
        let names = ["a", "a", "a_2", "a"].map(|name| unique(name.into(), &mut taken));
        assert_eq!(names, ["a", "a_2", "a_2_2", "a_3"]);
    }
}
