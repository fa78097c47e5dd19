//! Full-text search: user words in, ranked keys out, no query syntax in between.

use std::collections::BTreeSet;

use crate::name::check_key;
use crate::{Error, MAX_SEARCH_CHARS, MAX_SEARCH_TERMS, MAX_TAGS};

/// A search over one index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// Index name.
    pub index: String,
    /// What the user typed. Any text is valid; each word matches by prefix and by stem, and documents that hold
    /// more (and rarer) of the words rank higher. Without any word all documents match, sorted by key.
    pub text: String,
    /// Only documents that carry all of these tags.
    pub tags: BTreeSet<String>,
    /// Hits at most; lowered to [`crate::MAX_PAGE_ROWS`].
    pub limit: usize,
    /// Hits to leave out first: how pages continue.
    pub offset: usize,
}

/// One document found.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchHit {
    /// Document key.
    pub key: String,
    /// Greater is better; comparable within one search only. 0 without search words.
    pub score: f64,
}

impl Search {
    pub(crate) fn check(&self) -> Result<(), Error> {
        check_key("index name", &self.index)?;
        self.tags.iter().try_for_each(|tag| check_key("tag", tag))?;
        let chars = self.text.chars().count();
        for (what, actual, limit) in [
            ("characters of a search", chars, MAX_SEARCH_CHARS),
            ("tags of a search", self.tags.len(), MAX_TAGS),
        ] {
            if actual > limit {
                return Err(Error::TooLarge { what, actual: actual as u64, limit: limit as u64 });
            }
        }
        Ok(())
    }
}

/// The FTS5 expression for what a user typed; `None` if it holds no word.
///
/// Every word is made of letters and digits only and stands in quotes, so no input can reach the query grammar.
pub(crate) fn match_expression(text: &str) -> Option<String> {
    let mut seen = BTreeSet::new();
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let terms: Vec<String> = words
        .filter(|word| seen.insert(word.to_lowercase()))
        .take(MAX_SEARCH_TERMS)
        .map(|word| format!("\"{word}\"*"))
        .collect();
    if terms.is_empty() { None } else { Some(terms.join(" OR ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_and_quotes_never_reach_the_query() {
        assert_eq!(
            match_expression("a\" OR b* NEAR(c) -d : {e}").as_deref(),
            Some("\"a\"* OR \"OR\"* OR \"b\"* OR \"NEAR\"* OR \"c\"* OR \"d\"* OR \"e\"*")
        );
        assert_eq!(match_expression(" -*\"'(){}^:\0 "), None);
    }

    #[test]
    fn words_beyond_the_limit_are_left_out() {
        let words = |n: usize| (0..n).map(|i| format!("w{i}")).collect::<Vec<_>>().join(" ");
        let at = match_expression(&words(MAX_SEARCH_TERMS));
        assert_eq!(at, match_expression(&words(MAX_SEARCH_TERMS + 1)));
    }

    #[test]
    fn text_at_and_above_the_limit() {
        let search = |n| Search { index: "i".into(), text: "ä".repeat(n), ..Search::default() };
        assert!(search(MAX_SEARCH_CHARS).check().is_ok());
        assert_eq!(search(MAX_SEARCH_CHARS + 1).check().unwrap_err().code(), "E1009");
    }
}
