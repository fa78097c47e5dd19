//! The reference page of the library, made of the table.

use std::fmt::Write as _;

use super::{Builtin, Receiver};

const INTRODUCTION: &str = "# Functions of the library

They are called as methods and all are pure: the same arguments give the same result on every machine and in
every replay. None fails but by a quota, where a number leaves what its type holds, or where two currencies
meet and the lock pins no rate. Every example on this page is run by the tests, which also make this page
from the table of functions.

`T`, `U` and `E` stand for any type. `K` is a type that `<` orders: `Int`, `Float`, `String`, `Time`,
`Duration` or `Amount`. `N` is one that `+` adds up: `Int`, `Float`, `Duration` or `Amount`. What is written
`x => K` is a lambda over one element. Text is counted in Unicode scalars, places from 0. In the examples
`json(x)` is `x` as opaque `Json`.

The types are the widest ones. Ranges of the receiver and of the arguments narrow them: of an
`xs: [Int(0..9)](..5)`, `xs.sum()` is an `Int(0..45)`, `xs.take(2).len()` an `Int(0..2)`.
";

/// The sections of the page: a title, and what the functions are called on first that it describes.
const SECTIONS: [(&str, &[Receiver]); 8] = [
    (
        "Lists",
        &[
            Receiver::List,
            Receiver::Lists,
            Receiver::Texts,
            Receiver::Results,
            Receiver::Optionals,
            Receiver::Ordered,
            Receiver::Summable,
            Receiver::Numbers,
        ],
    ),
    ("Text", &[Receiver::Text]),
    ("Maps", &[Receiver::Map]),
    ("Numbers", &[Receiver::Int, Receiver::Float]),
    ("Money", &[Receiver::Amount]),
    ("Times and durations", &[Receiver::Time, Receiver::Duration]),
    ("JSON", &[Receiver::Json, Receiver::JsonList, Receiver::Any]),
    ("URLs", &[Receiver::Url]),
];

/// A function with where it stands on the page.
struct Entry {
    builtin: Builtin,
    section: usize,
    anchor: String,
}

/// The page as Markdown: every function with how it is called, what it does and examples.
#[must_use]
pub fn reference() -> String {
    let mut page = String::from(INTRODUCTION);
    let entries = entries();
    for (section, (title, receivers)) in SECTIONS.iter().enumerate() {
        let _ = write!(page, "\n## {title}\n");
        let also: Vec<String> = entries
            .iter()
            .filter(|entry| entry.section != section)
            .filter(|entry| entry.builtin.signature().receivers.iter().any(|on| receivers.contains(on)))
            .map(|entry| format!("[`{}`](#{})", entry.builtin.name(), entry.anchor))
            .collect();
        if !also.is_empty() {
            let _ = write!(page, "\nAlso: {}.\n", also.join(", "));
        }
        if receivers.contains(&Receiver::Url) {
            page.push_str("\nThe functions of text look at the text of a URL.\n");
        }
        for entry in entries.iter().filter(|entry| entry.section == section) {
            describe(entry.builtin, &mut page);
        }
    }
    page
}

/// All functions in the order of the page. A later heading of the same name has a number in its anchor.
fn entries() -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for (section, (_, receivers)) in SECTIONS.iter().enumerate() {
        let first = |builtin: &Builtin| builtin.signature().receivers.first().copied();
        let mut of_section: Vec<Builtin> = Builtin::ALL
            .into_iter()
            .filter(|builtin| first(builtin).is_some_and(|on| receivers.contains(&on)))
            .collect();
        of_section.sort_by_key(|builtin| builtin.name());
        for builtin in of_section {
            let name = builtin.name();
            let anchor = match entries.iter().filter(|entry| entry.builtin.name() == name).count() {
                0 => name.into(),
                earlier => format!("{name}-{earlier}"),
            };
            entries.push(Entry { builtin, section, anchor });
        }
    }
    entries
}

/// Writing to a string does not fail.
fn describe(builtin: Builtin, page: &mut String) {
    let signature = builtin.signature();
    let calls: Vec<String> = signature.calls().collect();
    let _ = write!(
        page,
        "\n### {}\n\n```\n{}\n```\n\n{}\n\n",
        signature.name,
        calls.join("\n"),
        signature.summary
    );
    for (code, gives) in signature.examples {
        let _ = writeln!(page, "- `{code}` is `{gives}`");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_stands_on_the_page_once() {
        let mut described: Vec<Builtin> = entries().into_iter().map(|entry| entry.builtin).collect();
        described.sort();
        assert_eq!(described, Builtin::ALL);
        let page = reference();
        assert_eq!(page.matches("\n### ").count(), Builtin::ALL.len());
        assert!(page.contains("Also: [`abs`](#abs), [`clamp`](#clamp), [`max`](#max-1), [`min`](#min-1)."));
    }
}
