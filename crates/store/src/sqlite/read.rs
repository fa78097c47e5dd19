//! Reads: each is one statement, so each sees one consistent state.

use bytes::Bytes;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
use schema::hash::Hash;

use super::fault::Fault;
use super::migrate;
use crate::name::prefix_end;
use crate::search::{Search, SearchHit, match_expression};
use crate::{
    MAX_PAGE_BYTES, MAX_PAGE_ROWS, Record, ScanOrder, StreamInfo, StreamName, ViewRow, ViewScan, blob_hash,
};

/// SQLite integers are signed; nothing we store comes near the top.
pub(super) fn sql_int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// The row of record `seq` of a stream. Greatest of the stream for any `seq` above 32 bits.
pub(super) fn record_id(stream: i64, seq: u64) -> i64 {
    (stream << 32) | sql_int(seq.min(u64::from(u32::MAX)))
}

fn seq_of(record_id: i64) -> u64 {
    record_id.unsigned_abs() & u64::from(u32::MAX)
}

pub(super) fn stream_id(connection: &Connection, name: &StreamName) -> Result<Option<i64>, Fault> {
    let mut select = connection.prepare_cached("SELECT id FROM streams WHERE name = ?1")?;
    Ok(select.query_row([name.as_str()], |row| row.get(0)).optional()?)
}

pub(super) fn last_seq_of(connection: &Connection, stream: i64) -> Result<u64, Fault> {
    let mut select = connection.prepare_cached("SELECT max(id) FROM records WHERE id BETWEEN ?1 AND ?2")?;
    let range = params![record_id(stream, 0), record_id(stream, u64::MAX)];
    let last: Option<i64> = select.query_row(range, |row| row.get(0))?;
    Ok(last.map_or(0, seq_of))
}

pub(super) fn last_seq(connection: &Connection, name: &StreamName) -> Result<u64, Fault> {
    stream_id(connection, name)?.map_or(Ok(0), |stream| last_seq_of(connection, stream))
}

pub(super) fn records(
    connection: &Connection,
    name: &StreamName,
    from_seq: u64,
    limit: usize,
) -> Result<Vec<Record>, Fault> {
    let Some(stream) = stream_id(connection, name)? else { return Ok(Vec::new()) };
    if from_seq > u64::from(u32::MAX) {
        return Ok(Vec::new());
    }
    let mut select = connection
        .prepare_cached("SELECT id, bytes FROM records WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT ?3")?;
    let range = params![record_id(stream, from_seq), record_id(stream, u64::MAX), page(limit)];
    let rows = select.query(range)?;
    collect(
        rows,
        |row| Ok(Record { seq: seq_of(row.get(0)?), bytes: blob_column(row, 1)? }),
        |record| record.bytes.len(),
    )
}

/// All records of a stream, of a database that need not be one of this version.
pub(super) fn all_records(connection: &mut Connection, name: &StreamName) -> Result<Vec<Record>, Fault> {
    all_pages(connection, |connection, before| records(connection, name, before.len() as u64 + 1, usize::MAX))
}

/// All rows of a view, of a database that need not be one of this version.
pub(super) fn all_rows(connection: &mut Connection, view: &str) -> Result<Vec<ViewRow>, Fault> {
    all_pages(connection, |connection, before: &[ViewRow]| {
        let after = before.last().map(|row| row.key.as_str());
        view_scan(connection, &ViewScan::of(view, usize::MAX).after(after))
    })
}

/// What all pages have, each read by what is `before` it; nothing of a database that was not made yet.
fn all_pages<T>(
    connection: &mut Connection,
    page: impl Fn(&Connection, &[T]) -> Result<Vec<T>, Fault>,
) -> Result<Vec<T>, Fault> {
    // One moment for all pages.
    let transaction = connection.transaction()?;
    let mut all = Vec::new();
    if !migrate::is_made(&transaction)? {
        return Ok(all);
    }
    loop {
        let page = page(&transaction, &all)?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

pub(super) fn streams(
    connection: &Connection,
    prefix: &str,
    after: Option<&StreamName>,
    limit: usize,
) -> Result<Vec<StreamInfo>, Fault> {
    // With `after` below the prefix the prefix decides, and the other way round.
    let sql = "SELECT name, (SELECT max(id) FROM records WHERE id BETWEEN s.id << 32 AND (s.id << 32) | 0xffffffff)
               FROM streams s WHERE name >= ?1 AND name > ?2 AND (?3 IS NULL OR name < ?3) ORDER BY name LIMIT ?4";
    let after = after.map_or("", StreamName::as_str);
    let mut select = connection.prepare_cached(sql)?;
    let rows = select.query(params![prefix, after, prefix_end(prefix), page(limit)])?;
    collect(
        rows,
        |row| {
            let last: Option<i64> = row.get(1)?;
            Ok(StreamInfo { name: StreamName::stored(row.get(0)?), last_seq: last.map_or(0, seq_of) })
        },
        |_| 0,
    )
}

pub(super) fn view_get(connection: &Connection, view: &str, key: &str) -> Result<Option<Bytes>, Fault> {
    let mut select = connection.prepare_cached("SELECT value FROM views WHERE view = ?1 AND key = ?2")?;
    Ok(select.query_row([view, key], |row| blob_column(row, 0)).optional()?)
}

pub(super) fn view_scan(connection: &Connection, scan: &ViewScan) -> Result<Vec<ViewRow>, Fault> {
    let end = prefix_end(&scan.prefix);
    let after = scan.after.as_deref();
    let sql = match scan.order {
        ScanOrder::Ascending => {
            "SELECT key, value FROM views WHERE view = ?1 AND key >= ?2 AND (?3 IS NULL OR key < ?3)
             AND key > ifnull(?4, '') ORDER BY key LIMIT ?5"
        }
        ScanOrder::Descending => {
            "SELECT key, value FROM views WHERE view = ?1 AND key >= ?2 AND (?3 IS NULL OR key < ?3)
             AND (?4 IS NULL OR key < ?4) ORDER BY key DESC LIMIT ?5"
        }
    };
    let mut select = connection.prepare_cached(sql)?;
    let rows = select.query(params![scan.view, scan.prefix, end, after, page(scan.limit)])?;
    collect(rows, |row| Ok(ViewRow { key: row.get(0)?, value: blob_column(row, 1)? }), |row| row.value.len())
}

pub(super) fn search(connection: &Connection, search: &Search) -> Result<Vec<SearchHit>, Fault> {
    let mut values: Vec<Value> = vec![Value::Text(search.index.clone())];
    let mut sql = match match_expression(&search.text) {
        Some(expression) => {
            values.push(Value::Text(expression));
            // Weights of title and text; bm25 is smaller for better matches.
            "SELECT d.key, -bm25(search, 4.0, 1.0) AS score FROM search JOIN search_docs d ON d.id = search.rowid
             WHERE d.name = ?1 AND search MATCH ?2"
                .to_owned()
        }
        None => "SELECT d.key, 0.0 AS score FROM search_docs d WHERE d.name = ?1".to_owned(),
    };
    for tag in &search.tags {
        values.push(Value::Text(tag.clone()));
        let n = values.len();
        sql.push_str(&format!(
            " AND EXISTS (SELECT 1 FROM search_tags t WHERE t.doc = d.id AND t.tag = ?{n})"
        ));
    }
    values.push(Value::Integer(page(search.limit)));
    values.push(Value::Integer(i64::try_from(search.offset).unwrap_or(i64::MAX)));
    let n = values.len();
    sql.push_str(&format!(" ORDER BY score DESC, d.key LIMIT ?{} OFFSET ?{n}", n - 1));
    let mut select = connection.prepare_cached(&sql)?;
    let rows = select.query(params_from_iter(values))?;
    collect(rows, |row| Ok(SearchHit { key: row.get(0)?, score: row.get(1)? }), |_| 0)
}

pub(super) fn blob(connection: &Connection, hash: &Hash) -> Result<Option<Bytes>, Fault> {
    let mut select = connection.prepare_cached("SELECT bytes FROM blobs WHERE hash = ?1")?;
    let Some(bytes) = select.query_row([hash.0], |row| blob_column(row, 0)).optional()? else {
        return Ok(None);
    };
    if blob_hash(&bytes) != *hash {
        return Err(Fault::Damaged("a stored body does not match its hash".to_owned()));
    }
    Ok(Some(bytes))
}

pub(super) fn verify(connection: &Connection) -> Result<(), Fault> {
    let report: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if report == "ok" { Ok(()) } else { Err(Fault::Damaged(report)) }
}

fn blob_column(row: &Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
    Ok(Bytes::from(row.get::<_, Vec<u8>>(column)?))
}

fn page(limit: usize) -> i64 {
    sql_int(limit.min(MAX_PAGE_ROWS) as u64)
}

/// Rows until the page is full by bytes; at least one.
fn collect<T>(
    mut rows: rusqlite::Rows<'_>,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    weigh: impl Fn(&T) -> usize,
) -> Result<Vec<T>, Fault> {
    let (mut found, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let item = read(row)?;
        bytes += weigh(&item);
        if bytes > MAX_PAGE_BYTES && !found.is_empty() {
            break;
        }
        found.push(item);
    }
    Ok(found)
}
