//! Applying appends inside a transaction, and group commits.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::fault::Fault;
use super::{Shared, read};
use crate::{
    Append, Appended, BlobWrite, Claim, Error, IndexDoc, IndexWrite, MAX_STREAM_RECORDS, Stats, StreamName,
    ViewWrite,
};

/// Expired claims removed along with each new one, so that the table cannot grow without bound.
const EXPIRED_CLAIMS_SWEPT: i64 = 8;

/// The answer to one append: done, or refused for a reason of its own before anything was written.
type Answer = Result<Appended, Error>;

/// Commits `appends` in one transaction. A fault means that nothing of any of them was kept.
pub(super) fn commit_group(
    connection: &mut Connection,
    appends: &[&Append],
    shared: &Shared,
) -> Result<Vec<Answer>, Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let answers = appends.iter().map(|append| apply(&transaction, append)).collect::<Result<Vec<_>, _>>()?;
    let changed = answers.iter().any(|answer| matches!(answer, Ok(done) if !done.repeated));
    if changed {
        transaction.commit()?;
    } else {
        transaction.rollback()?;
    }
    publish(appends, &answers, changed, shared);
    Ok(answers)
}

fn publish(appends: &[&Append], answers: &[Answer], changed: bool, shared: &Shared) {
    let counters = &shared.counters;
    let mut group = 0;
    for (append, answer) in appends.iter().zip(answers) {
        let Ok(done) = answer else { continue };
        group += 1;
        if done.repeated || append.records.is_empty() {
            continue;
        }
        counters.records.fetch_add(append.records.len() as u64, Ordering::Relaxed);
        shared.watchers.notify(&done.stream, done.last_seq);
    }
    counters.appends.fetch_add(group, Ordering::Relaxed);
    counters.largest_group.fetch_max(group, Ordering::Relaxed);
    counters.commits.fetch_add(u64::from(changed), Ordering::Relaxed);
}

/// Applies one append. Every refusal is decided before the first write, so a refused append needs no undoing and
/// cannot harm the others of its group.
fn apply(transaction: &Transaction<'_>, append: &Append) -> Result<Answer, Fault> {
    if let Some(claim) = &append.claim
        && let Some(answer) = earlier_use(transaction, claim)?
    {
        return Ok(answer);
    }
    let stream = read::stream_id(transaction, &append.stream)?;
    let last_seq = stream.map_or(Ok(0), |id| read::last_seq_of(transaction, id))?;
    if let Some(expected) = append.expected_seq
        && expected != last_seq
    {
        return Ok(Err(Error::Fenced { stream: append.stream.clone(), expected, actual: last_seq }));
    }
    let new_last = last_seq + append.records.len() as u64;
    if new_last > MAX_STREAM_RECORDS {
        let what = "records of a stream";
        return Ok(Err(Error::TooLarge { what, actual: new_last, limit: MAX_STREAM_RECORDS }));
    }
    for blob in &append.blobs {
        put_blob(transaction, blob)?;
    }
    if !append.records.is_empty() {
        let stream = stream.map_or_else(|| create_stream(transaction, &append.stream), Ok)?;
        let mut insert = transaction.prepare_cached("INSERT INTO records (id, bytes) VALUES (?1, ?2)")?;
        for (record, seq) in append.records.iter().zip(last_seq + 1..) {
            insert.execute(params![read::record_id(stream, seq), &record[..]])?;
        }
    }
    for write in &append.views {
        put_view(transaction, write)?;
    }
    for write in &append.index {
        put_index(transaction, write)?;
    }
    if let Some(claim) = &append.claim {
        put_claim(transaction, claim, &append.stream, new_last)?;
    }
    Ok(Ok(Appended { stream: append.stream.clone(), last_seq: new_last, repeated: false }))
}

fn create_stream(transaction: &Transaction<'_>, name: &StreamName) -> Result<i64, Fault> {
    transaction.prepare_cached("INSERT INTO streams (name) VALUES (?1)")?.execute([name.as_str()])?;
    Ok(transaction.last_insert_rowid())
}

pub(super) fn earlier_use(connection: &Connection, claim: &Claim) -> Result<Option<Answer>, Fault> {
    let mut select = connection.prepare_cached(
        "SELECT digest, stream, last_seq FROM claims WHERE scope = ?1 AND key = ?2 AND expires_at_us > ?3",
    )?;
    let found = select.query_row(params![claim.scope, claim.key, read::sql_int(claim.now_us)], |row| {
        Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?, row.get::<_, i64>(2)?))
    });
    let Some((digest, stream, last_seq)) = found.optional()? else { return Ok(None) };
    let stream = StreamName::stored(stream);
    if digest != claim.digest.0 {
        return Ok(Some(Err(Error::ClaimConflict { key: claim.key.clone(), stream })));
    }
    Ok(Some(Ok(Appended { stream, last_seq: last_seq.unsigned_abs(), repeated: true })))
}

fn put_claim(
    transaction: &Transaction<'_>,
    claim: &Claim,
    stream: &StreamName,
    last_seq: u64,
) -> Result<(), Fault> {
    transaction
        .prepare_cached(
            "DELETE FROM claims WHERE id IN
             (SELECT id FROM claims WHERE expires_at_us <= ?1 ORDER BY expires_at_us LIMIT ?2)",
        )?
        .execute(params![read::sql_int(claim.now_us), EXPIRED_CLAIMS_SWEPT])?;
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO claims (scope, key, digest, stream, last_seq, expires_at_us)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            claim.scope,
            claim.key,
            claim.digest.0,
            stream.as_str(),
            read::sql_int(last_seq),
            read::sql_int(claim.expires_at_us)
        ])?;
    Ok(())
}

fn put_blob(transaction: &Transaction<'_>, blob: &BlobWrite) -> Result<(), Fault> {
    transaction
        .prepare_cached("INSERT OR IGNORE INTO blobs (hash, bytes) VALUES (?1, ?2)")?
        .execute(params![blob.hash().0, &blob.bytes()[..]])?;
    Ok(())
}

fn put_view(transaction: &Transaction<'_>, write: &ViewWrite) -> Result<(), Fault> {
    match &write.value {
        Some(value) => transaction
            .prepare_cached("INSERT OR REPLACE INTO views (view, key, value) VALUES (?1, ?2, ?3)")?
            .execute(params![write.view, write.key, &value[..]])?,
        None => transaction
            .prepare_cached("DELETE FROM views WHERE view = ?1 AND key = ?2")?
            .execute(params![write.view, write.key])?,
    };
    Ok(())
}

pub(super) fn put_index(transaction: &Transaction<'_>, write: &IndexWrite) -> Result<(), Fault> {
    let old: Option<i64> = transaction
        .prepare_cached("SELECT id FROM search_docs WHERE name = ?1 AND key = ?2")?
        .query_row(params![write.index, write.key], |row| row.get(0))
        .optional()?;
    if let Some(id) = old {
        transaction.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([id])?;
        transaction.prepare_cached("DELETE FROM search_tags WHERE doc = ?1")?.execute([id])?;
        transaction.prepare_cached("DELETE FROM search_docs WHERE id = ?1")?.execute([id])?;
    }
    let Some(IndexDoc { title, text, tags }) = &write.doc else { return Ok(()) };
    transaction
        .prepare_cached("INSERT INTO search_docs (name, key) VALUES (?1, ?2)")?
        .execute(params![write.index, write.key])?;
    let id = transaction.last_insert_rowid();
    transaction
        .prepare_cached("INSERT INTO search (rowid, title, body) VALUES (?1, ?2, ?3)")?
        .execute(params![id, title, text])?;
    put_tags(transaction, id, tags)
}

fn put_tags(transaction: &Transaction<'_>, doc: i64, tags: &BTreeSet<String>) -> Result<(), Fault> {
    let mut insert = transaction.prepare_cached("INSERT INTO search_tags (doc, tag) VALUES (?1, ?2)")?;
    for tag in tags {
        insert.execute(params![doc, tag])?;
    }
    Ok(())
}

/// Counters behind [`Stats`].
#[derive(Debug, Default)]
pub(super) struct Counters {
    commits: AtomicU64,
    appends: AtomicU64,
    records: AtomicU64,
    largest_group: AtomicU64,
}

impl Counters {
    pub(super) fn stats(&self) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            commits: get(&self.commits),
            appends: get(&self.appends),
            records: get(&self.records),
            largest_group: get(&self.largest_group),
        }
    }
}
