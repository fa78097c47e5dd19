//! From entries to appends: what is new, in what order, and in how many pieces.

use std::collections::BTreeSet;

use store::{Append, IndexWrite, MAX_APPEND_BYTES, MAX_APPEND_RECORDS, Record, StreamName};

use crate::entry::{Entry, Publication, entry_hash};
use crate::error::Error;
use crate::limits::MAX_ENTRIES;
use crate::rules;
use crate::search::{INDEX, document};
use crate::snapshot::Snapshot;
use crate::texts;

/// Documents that are indexed with one append.
const INDEXED_AT_ONCE: usize = 50;

/// One append with the state it leads to.
pub(crate) struct Step {
    pub(crate) append: Append,
    pub(crate) after: Snapshot,
}

/// The publication of `entry` on top of `state`; `None` if that version is published with the same content.
///
/// Errors: [`Error::InvalidEntry`], [`Error::Immutable`], [`Error::Outdated`], [`Error::UnknownOperation`].
pub(crate) fn admit(state: &Snapshot, entry: &Entry) -> Result<Option<Publication>, Error> {
    let invalid = |reason: String| Error::InvalidEntry { key: entry.key(), path: "$".to_owned(), reason };
    let bytes = entry.canonical_bytes().map_err(|error| invalid(error.to_string()))?;
    rules::check(entry, &bytes)?;
    if let Entry::Capability(capability) = entry {
        capability.adapters.iter().try_for_each(|adapter| state.operation(&adapter.operation).map(drop))?;
    }
    let hash = entry_hash(&bytes);
    let versions = state.versions_of(entry);
    let version = entry.version();
    if let Some((_, published)) = versions.iter().find(|(published, _)| *published == version) {
        return if *published == hash {
            Ok(None)
        } else {
            Err(Error::Immutable { key: entry.key(), version })
        };
    }
    let newest = versions.last().copied();
    if let Some((newest, _)) = newest
        && newest > version
    {
        return Err(Error::Outdated { key: entry.key(), version, newest });
    }
    if newest.is_none() && state.count_like(entry) >= MAX_ENTRIES {
        return Err(invalid(format!("the Ledger holds {MAX_ENTRIES} entries of this kind already")));
    }
    let previous = newest.map(|(_, hash)| hash);
    let publication = Publication { entry: entry.clone(), bytes, hash, previous };
    if let Entry::Capability(capability) = entry {
        let mut after = state.clone();
        after.fold(&publication);
        texts::check(&after, capability)?;
    }
    Ok(Some(publication))
}

/// The appends that publish `entries` on top of `state`, as few as the store's limits allow.
pub(crate) fn plan(state: &Snapshot, stream: &StreamName, entries: &[Entry]) -> Result<Vec<Step>, Error> {
    let mut steps = Vec::new();
    let mut after = state.clone();
    let mut publications: Vec<Publication> = Vec::new();
    let mut records = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        let Some(publication) = admit(&after, entry)? else { continue };
        let record = publication.record().map_err(|error| Error::InvalidEntry {
            key: entry.key(),
            path: "$".to_owned(),
            reason: error.to_string(),
        })?;
        if bytes + record.len() > MAX_APPEND_BYTES || records.len() >= MAX_APPEND_RECORDS / 2 {
            steps.push(step(stream, &mut after, &mut publications, std::mem::take(&mut records)));
            bytes = 0;
        }
        bytes += record.len();
        records.push(record);
        after.fold(&publication);
        publications.push(publication);
    }
    if !records.is_empty() {
        steps.push(step(stream, &mut after, &mut publications, records));
    }
    Ok(steps)
}

fn step(
    stream: &StreamName,
    after: &mut Snapshot,
    publications: &mut Vec<Publication>,
    records: Vec<bytes::Bytes>,
) -> Step {
    after.seal();
    let expected = after.last_index() - records.len() as u64;
    let index = index_writes(after, &touched(after, publications));
    publications.clear();
    let append = Append { records, index, ..Append::to(stream.clone()).expecting(expected) };
    Step { append, after: after.clone() }
}

/// The appends that bring the records of another store's Ledger into a store that has none.
pub(crate) fn copies(stream: &StreamName, records: &[Record]) -> Vec<Append> {
    let mut appends: Vec<Append> = Vec::new();
    let mut bytes = 0;
    for record in records {
        bytes += record.bytes.len();
        match appends.last_mut() {
            Some(last) if bytes <= MAX_APPEND_BYTES && last.records.len() < MAX_APPEND_RECORDS => {
                last.records.push(record.bytes.clone());
            }
            _ => {
                bytes = record.bytes.len();
                let expected = record.seq.saturating_sub(1);
                appends.push(Append {
                    records: vec![record.bytes.clone()],
                    ..Append::to(stream.clone()).expecting(expected)
                });
            }
        }
    }
    appends
}

/// The appends that make the search index of a Ledger whose records have none.
pub(crate) fn indexing(stream: &StreamName, state: &Snapshot) -> Vec<Append> {
    let ids: Vec<&str> = state.operations().map(|published| published.descriptor.id.as_str()).collect();
    let some = |ids: &[&str]| Append {
        index: index_writes(state, &ids.iter().map(|id| (*id).to_owned()).collect()),
        ..Append::to(stream.clone())
    };
    ids.chunks(INDEXED_AT_ONCE).map(some).collect()
}

/// Operations whose document in the search index changes with these publications.
fn touched(after: &Snapshot, publications: &[Publication]) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for publication in publications {
        match &publication.entry {
            Entry::Operation(operation) => {
                ids.insert(operation.id.clone());
            }
            // An adapter that an earlier version had and this one has not leaves a stale document too.
            Entry::Capability(_) => {
                ids.extend(after.operations().map(|published| published.descriptor.id.clone()))
            }
            Entry::Subnet(subnet) => {
                let own = after.operations().filter(|published| published.descriptor.netuid == subnet.netuid);
                ids.extend(own.map(|published| published.descriptor.id.clone()));
            }
        }
    }
    ids
}

/// Documents for operations, as they are in `state`.
pub(crate) fn index_writes(state: &Snapshot, ids: &BTreeSet<String>) -> Vec<IndexWrite> {
    let current = ids.iter().filter_map(|id| state.operation(id).ok());
    current
        .map(|published| IndexWrite {
            index: INDEX.to_owned(),
            key: published.descriptor.id.clone(),
            doc: Some(document(state, &published.descriptor)),
        })
        .collect()
}
