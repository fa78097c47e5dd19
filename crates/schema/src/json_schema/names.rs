//! Names of types and variants.

use std::collections::BTreeSet;

/// Names that mean something in every plan.
const RESERVED: [&str; 20] = [
    "Amount",
    "Bool",
    "Bytes",
    "CallError",
    "Duration",
    "Err",
    "Error",
    "Float",
    "Int",
    "ItemError",
    "Json",
    "List",
    "Map",
    "Ok",
    "PlanError",
    "Result",
    "String",
    "Time",
    "Url",
    "Voted",
];

/// The names of one table.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// The first of the wanted names that is free; with a number where none is.
    pub(super) fn take(&mut self, wanted: &[&str]) -> String {
        let free = wanted.iter().find(|name| !name.is_empty() && self.is_free(name));
        let name = free.map_or_else(
            || {
                let stem = wanted.iter().rev().find(|name| !name.is_empty()).unwrap_or(&"Type");
                numbered(stem, |name| self.is_free(name))
            },
            |name| (*name).to_owned(),
        );
        self.0.insert(name.clone());
        name
    }

    fn is_free(&self, name: &str) -> bool {
        !self.0.contains(name) && !RESERVED.contains(&name)
    }
}

/// `stem` with the least number from 2 on that makes it free.
pub(super) fn numbered(stem: &str, is_free: impl Fn(&str) -> bool) -> String {
    (2_u32..).map(|number| format!("{stem}{number}")).find(|name| is_free(name)).unwrap_or_default()
}

/// `text` as the name of a type: `web_search` and `web-search` are `WebSearch`, `isAI` is `IsAI`,
/// `PAST_WEEK` is `PastWeek`. Empty where it has no letter or digit.
pub(super) fn pascal(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut name = String::new();
    for word in words {
        let shouted = word.len() > 1 && !word.chars().any(|c| c.is_ascii_lowercase());
        for (place, c) in word.chars().enumerate() {
            name.push(match place {
                0 => c.to_ascii_uppercase(),
                _ if shouted => c.to_ascii_lowercase(),
                _ => c,
            });
        }
    }
    name
}

/// At most 40 characters of a name from outside, for messages.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

/// The name of the enum variant for a JSON literal.
pub(super) fn variant(literal: &serde_json::Value, place: usize) -> String {
    let name = match literal {
        serde_json::Value::String(text) => pascal(text),
        serde_json::Value::Bool(value) => if *value { "True" } else { "False" }.into(),
        other => {
            let text = other.to_string().replace('-', "Minus").replace('.', "_");
            if text.starts_with("Minus") { text } else { format!("V{text}") }
        }
    };
    match name.chars().next() {
        None => format!("V{place}"),
        Some(first) if first.is_ascii_digit() => format!("V{name}"),
        Some(_) => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_follow_the_text() {
        for (text, name) in [
            ("web_search", "WebSearch"),
            ("hacker_news_search", "HackerNewsSearch"),
            ("isAI", "IsAI"),
            ("PAST_24_HOURS", "Past24Hours"),
            ("gpt-4o", "Gpt4o"),
            ("A", "A"),
            ("é", ""),
        ] {
            assert_eq!(pascal(text), name);
        }
        for (literal, name) in [
            (json!("PAST_WEEK"), "PastWeek"),
            (json!("2xl"), "V2xl"),
            (json!(">="), "V7"),
            (json!(2), "V2"),
            (json!(-1), "Minus1"),
            (json!(0.5), "V0_5"),
            (json!(true), "True"),
        ] {
            assert_eq!(variant(&literal, 7), name);
        }
    }

    #[test]
    fn clashes_are_resolved_in_order() {
        let mut names = Names::default();
        assert_eq!(names.take(&["Hit", "SearchHit"]), "Hit");
        assert_eq!(names.take(&["Hit", "SearchHit"]), "SearchHit");
        assert_eq!(names.take(&["Hit", "SearchHit"]), "SearchHit2");
        assert_eq!(names.take(&["Url", "SearchUrl"]), "SearchUrl");
        assert_eq!(names.take(&["", ""]), "Type2");
    }
}
