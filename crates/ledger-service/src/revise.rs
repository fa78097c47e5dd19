//! What filing an entry that was read elsewhere, from a document or an example, does to the one that is there.
//!
//! The first source of such an entry is its evidence: what it was read from, and the hash of that. An entry is
//! followed by the next reading of the same source and by nothing else, so neither a row of the catalogue nor one
//! that was changed by hand is overwritten unless it is asked for.

use schema::compat::{self, Change, Level};
use schema::lock::entry_bytes;
use schema::operation::{Auth, OperationDescriptor, Source, Transport, Version};

use crate::entry::Entry;
use crate::error::Error;
use crate::limits::MAX_SUMMARY_CHARS;
use crate::rules;

/// What filing an entry comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Revision {
    /// There is no entry of that id.
    New(Box<OperationDescriptor>),
    /// The one that is there says the same.
    Unchanged(Version),
    /// A version above the one that is there.
    Raised {
        /// The entry to publish.
        entry: Box<OperationDescriptor>,
        /// The version before it.
        from: Version,
        /// The gravest difference.
        level: Level,
        /// What a plan could see of it.
        changes: Vec<Change>,
    },
}

/// What filing `read` comes to, given the newest version of the entry of that id. With `replace`, an entry from
/// elsewhere is followed, too.
///
/// What no document says and somebody added to the entry stays: labels, price, how its answer comes, how a key is sent
/// over gRPC, and what a call changes, as long as the way to it is the same.
///
/// # Errors
/// [`Error::InvalidEntry`] where the entry breaks a rule of the Ledger, [`Error::Foreign`] where the one that is there
/// is from elsewhere.
pub fn revise(
    newest: Option<&OperationDescriptor>,
    mut read: OperationDescriptor,
    replace: bool,
) -> Result<Revision, Error> {
    read.summary = one_line(&read.summary);
    let Some(newest) = newest else {
        check(&read)?;
        return Ok(Revision::New(Box::new(read)));
    };
    let is_foreign = !replace && !is_same_place(newest.sources.first(), read.sources.first());
    keep(newest, &mut read);
    if !is_foreign {
        check(&read)?;
    }
    // What is said of the source is no part of what is compared: a document that changed elsewhere, or that has another name now,
    // is no news here.
    let mut alike = read.clone();
    alike.version = newest.version;
    alike.sources.clone_from(&newest.sources);
    alike.verified = newest.verified;
    alike.latency = newest.latency;
    let bytes = |entry: &OperationDescriptor| {
        entry_bytes(entry).map_err(|error| Error::InvalidEntry {
            key: entry.id.clone(),
            path: "$".into(),
            reason: error.to_string(),
        })
    };
    if bytes(&alike)? == bytes(newest)? {
        return Ok(Revision::Unchanged(newest.version));
    }
    if is_foreign {
        return Err(foreign(newest, "is from"));
    }
    if !replace && newest.sources.first() == read.sources.first() {
        return Err(foreign(newest, "was changed since it was read from the very same"));
    }
    let found = compat::operation(newest, &read);
    read.version = above(newest.version, found.level);
    let (from, level, changes) = (newest.version, found.level, found.changes);
    Ok(Revision::Raised { entry: Box::new(read), from, level, changes })
}

/// Checks an entry as publishing it would.
///
/// # Errors
/// [`Error::InvalidEntry`] with the rule that it breaks.
pub fn check(operation: &OperationDescriptor) -> Result<(), Error> {
    let entry = Entry::Operation(Box::new(operation.clone()));
    let bytes = entry.canonical_bytes().map_err(|error| Error::InvalidEntry {
        key: operation.id.clone(),
        path: "$".into(),
        reason: error.to_string(),
    })?;
    rules::check(&entry, &bytes)
}

/// The version after `version`: a plan keeps compiling against what is only compatible.
fn above(version: Version, level: Level) -> Version {
    match level {
        Level::None | Level::Compatible => Version { compatible: version.compatible + 1, ..version },
        Level::NeedsRecompile | Level::Breaking => Version { breaking: version.breaking + 1, compatible: 0 },
    }
}

fn keep(newest: &OperationDescriptor, read: &mut OperationDescriptor) {
    read.tags.clone_from(&newest.tags);
    read.observed_cost.clone_from(&newest.observed_cost);
    read.refusals = newest.refusals;
    if matches!(read.transport, Transport::Grpc(_)) && read.auth == Auth::None {
        read.auth.clone_from(&newest.auth);
        read.access = newest.access;
    }
    // Pages by a parameter that is gone are no pages any more.
    read.delivery = newest.delivery.clone().filter(|delivery| delivery.check(read).is_ok());
    if read.auth == newest.auth && read.access == newest.access {
        read.price.clone_from(&newest.price);
        read.side_effects = newest.side_effects;
        read.repeat = newest.repeat;
    }
}

/// Whether both name one document, whatever it said at the time.
fn is_same_place(one: Option<&Source>, other: Option<&Source>) -> bool {
    let place =
        |source: Option<&Source>| source.map(|source| (source.kind.clone(), source.reference.clone()));
    place(one).is_some() && place(one) == place(other)
}

fn foreign(newest: &OperationDescriptor, how: &'static str) -> Error {
    let source_name = newest.sources.first().map_or_else(String::new, |source| source.reference.clone());
    Error::Foreign { id: newest.id.clone(), how, source_name }
}

/// A summary in the form of the Ledger: visible text of one line, cut between words.
fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let mut line = String::new();
    for word in words {
        if line.chars().count() + word.chars().count() + 2 > MAX_SUMMARY_CHARS {
            line.push('…');
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

#[cfg(test)]
mod tests {
    use schema::amount::{Amount, Currency};
    use schema::price::PriceRule;
    use serde_json::json;

    use super::*;

    fn entry(output: serde_json::Value, hash: &str) -> OperationDescriptor {
        serde_json::from_value(json!({
            "id": "sn1.find", "netuid": 1, "version": { "breaking": 1, "compatible": 0 }, "summary": "Finds.",
            "transport": {
                "kind": "http", "method": "GET", "base_url": "https://a.example", "path": "/find", "response": "json",
            },
            "access": "key", "auth": { "kind": "query", "name": "key" }, "side_effects": "metered",
            "repeat": { "safe": true, "costs_again": true }, "input": { "type": "object" },
            "output": output, "output_complete": true,
            "sources": [{ "kind": "openapi", "reference": "https://a.example/openapi.json", "commit": hash }],
        }))
        .unwrap()
    }

    fn rank(maximum: u32) -> serde_json::Value {
        let rank = json!({ "type": "integer", "minimum": 0, "maximum": maximum });
        json!({ "type": "object", "required": ["rank"], "properties": { "rank": rank } })
    }

    #[test]
    fn what_says_the_same_is_no_new_version_whatever_its_document_became() {
        let mut there = entry(rank(9), "blake3:1");
        there.verified = true;
        let again = revise(Some(&there), entry(rank(9), "blake3:2"), false);
        assert_eq!(again.unwrap(), Revision::Unchanged(Version::FIRST));
        // Nor is the same under another name; what differs from elsewhere is refused.
        let mut elsewhere = entry(rank(9), "blake3:1");
        elsewhere.sources[0].reference = "copy.json".into();
        let again = revise(Some(&there), elsewhere.clone(), false);
        assert_eq!(again.unwrap(), Revision::Unchanged(Version::FIRST));
        elsewhere.output = rank(5);
        assert_eq!(revise(Some(&there), elsewhere, false).unwrap_err().code(), "E1211");
    }

    #[test]
    fn versions_rise_by_what_a_change_asks_of_plans() {
        let there = entry(rank(9), "blake3:1");
        for (output, breaking, compatible) in [(rank(99), 2, 0), (rank(5), 2, 0)] {
            let Revision::Raised { entry, from, changes, .. } =
                revise(Some(&there), entry(output, "blake3:2"), false).unwrap()
            else {
                unreachable!()
            };
            assert_eq!(from, Version::FIRST);
            assert_eq!(entry.version, Version { breaking, compatible });
            assert!(changes.iter().any(|change| change.path == "output.rank"), "{changes:?}");
        }
        let mut more = rank(9);
        more["properties"]["note"] = json!({ "type": "string" });
        let Revision::Raised { entry, level, .. } =
            revise(Some(&there), entry(more, "blake3:2"), false).unwrap()
        else {
            unreachable!()
        };
        assert_eq!((entry.version.to_string().as_str(), level), ("1.1", Level::Compatible));
    }

    #[test]
    fn an_entry_from_elsewhere_is_left_alone_unless_it_is_asked_for() {
        let mut there = entry(rank(9), "blake3:1");
        there.sources[0].kind = "docs".into();
        let error = revise(Some(&there), entry(rank(5), "blake3:1"), false).unwrap_err();
        assert_eq!(error.code(), "E1211");
        let replaced = revise(Some(&there), entry(rank(5), "blake3:1"), true).unwrap();
        assert!(matches!(replaced, Revision::Raised { .. }));
        // Changed by hand since it was read.
        let by_hand = entry(rank(8), "blake3:1");
        let error = revise(Some(&by_hand), entry(rank(9), "blake3:1"), false).unwrap_err();
        assert!(error.to_string().contains("was changed since"), "{error}");
    }

    #[test]
    fn what_no_document_says_stays() {
        let mut there = entry(rank(9), "blake3:1");
        there.price = PriceRule::PerCall { amount: Amount::new(5_000, Currency::MicroUsd) };
        there.tags = vec!["web_search".into()];
        assert!(matches!(
            revise(Some(&there), entry(rank(9), "blake3:1"), false),
            Ok(Revision::Unchanged(_))
        ));
        let mut moved = entry(rank(9), "blake3:2");
        moved.auth = schema::operation::Auth::Query { name: "token".into() };
        let Revision::Raised { entry, .. } = revise(Some(&there), moved, false).unwrap() else {
            unreachable!()
        };
        assert_eq!((entry.price, entry.tags.len()), (PriceRule::Unknown, 1));
    }

    #[test]
    fn summaries_are_cut_between_words() {
        assert_eq!(one_line(" a\n b\u{7}c "), "a b c");
        let long = one_line(&"word ".repeat(100));
        assert!(long.ends_with("word…") && long.chars().count() <= MAX_SUMMARY_CHARS, "{long}");
        assert_eq!(one_line(&"x".repeat(500)), "…");
    }
}
