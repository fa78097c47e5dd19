//! A store in memory: sorted maps that change under one lock.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::ready;
use std::ops::Bound;

use bytes::Bytes;
use parking_lot::Mutex;
use schema::hash::Hash;

use crate::name::prefix_end;
use crate::sqlite::MemoryIndex;
use crate::watch::Watchers;
use crate::{
    Append, Appended, BlobWrite, BoxFuture, Claim, Error, IndexWrite, Log, MAX_PAGE_BYTES, MAX_PAGE_ROWS,
    MAX_STREAM_RECORDS, Record, ScanOrder, Search, SearchHit, Stats, StreamInfo, StreamName, ViewRow,
    ViewScan, ViewWrite, Watch,
};

/// Expired claims removed along with each new one, so that the map cannot grow without bound.
const EXPIRED_CLAIMS_SWEPT: usize = 8;

/// A store that lives and dies with this value. Appends are atomic but not durable, and cost microseconds. Only full-text
/// search is SQLite's, from the first search on.
#[derive(Debug, Default)]
pub struct Memory {
    state: Mutex<State>,
    /// Taken after the state, where both are.
    index: Mutex<Index>,
    watchers: Watchers,
}

/// The full-text index. Most stores in memory are never searched, and making it takes longer than all else.
#[derive(Debug, Default)]
struct Index {
    made: Option<MemoryIndex>,
    /// What it does not have yet, by index and key.
    waiting: BTreeMap<(String, String), IndexWrite>,
}

#[derive(Debug, Default)]
struct State {
    streams: BTreeMap<StreamName, Vec<Bytes>>,
    views: HashMap<String, BTreeMap<String, Bytes>>,
    blobs: HashMap<Hash, Bytes>,
    claims: Claims,
    stats: Stats,
}

/// Claims by scope and key.
#[derive(Debug, Default)]
struct Claims {
    used: HashMap<(String, String), Use>,
    by_expiry: BTreeSet<(u64, String, String)>,
}

/// What a claim was used for.
#[derive(Debug)]
struct Use {
    digest: Hash,
    stream: StreamName,
    last_seq: u64,
    expires_at_us: u64,
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Every refusal is decided before the first change.
    fn commit(&self, append: Append) -> Result<Appended, Error> {
        append.check()?;
        let grows = !append.records.is_empty();
        let mut state = self.state.lock();
        let earlier = append.claim.as_ref().map(|claim| state.claims.earlier(claim)).transpose()?;
        let done = match earlier.flatten() {
            Some(repeated) => repeated,
            None => {
                let last_seq = state.next(&append)?;
                self.index.lock().put(&append.index);
                state.apply(append, last_seq)
            }
        };
        state.stats.appends += 1;
        drop(state);
        if grows && !done.repeated {
            self.watchers.notify(&done.stream, done.last_seq);
        }
        Ok(done)
    }

    fn find(&self, search: &Search) -> Result<Vec<SearchHit>, Error> {
        search.check()?;
        self.index.lock().search(search)
    }
}

impl Index {
    fn put(&mut self, writes: &[IndexWrite]) {
        let keyed = |write: &IndexWrite| ((write.index.clone(), write.key.clone()), write.clone());
        self.waiting.extend(writes.iter().map(keyed));
    }

    fn search(&mut self, search: &Search) -> Result<Vec<SearchHit>, Error> {
        let made = match &mut self.made {
            Some(made) => made,
            None if self.waiting.is_empty() => return Ok(Vec::new()),
            none => none.insert(MemoryIndex::new()?),
        };
        if !self.waiting.is_empty() {
            let writes: Vec<IndexWrite> = self.waiting.values().cloned().collect();
            made.write(&writes)?;
            self.waiting.clear();
        }
        made.search(search)
    }
}

impl State {
    fn last_seq(&self, stream: &StreamName) -> u64 {
        self.streams.get(stream).map_or(0, |records| records.len() as u64)
    }

    /// Where the stream ends after `append`.
    fn next(&self, append: &Append) -> Result<u64, Error> {
        let actual = self.last_seq(&append.stream);
        if let Some(expected) = append.expected_seq
            && expected != actual
        {
            return Err(Error::Fenced { stream: append.stream.clone(), expected, actual });
        }
        let next = actual + append.records.len() as u64;
        if next > MAX_STREAM_RECORDS {
            let what = "records of a stream";
            return Err(Error::TooLarge { what, actual: next, limit: MAX_STREAM_RECORDS });
        }
        Ok(next)
    }

    fn apply(&mut self, append: Append, last_seq: u64) -> Appended {
        let Append { stream, records, claim, views, blobs, .. } = append;
        self.stats.commits += 1;
        self.stats.largest_group = 1;
        self.stats.records += records.len() as u64;
        for blob in &blobs {
            self.blobs.entry(blob.hash()).or_insert_with(|| own(blob.bytes()));
        }
        if !records.is_empty() {
            self.streams.entry(stream.clone()).or_default().extend(records.iter().map(own));
        }
        for ViewWrite { view, key, value } in views {
            let rows = self.views.entry(view).or_default();
            match value {
                Some(value) => drop(rows.insert(key, own(&value))),
                None => drop(rows.remove(&key)),
            }
        }
        if let Some(claim) = claim {
            self.claims.put(claim, &stream, last_seq);
        }
        Appended { stream, last_seq, repeated: false }
    }

    fn read(&self, stream: &StreamName, from_seq: u64, limit: usize) -> Vec<Record> {
        let records = self.streams.get(stream).map_or(&[][..], Vec::as_slice);
        let skipped = usize::try_from(from_seq.saturating_sub(1)).unwrap_or(usize::MAX);
        let rows = records.iter().zip(1_u64..).skip(skipped);
        let rows = rows.map(|(bytes, seq)| Record { seq, bytes: bytes.clone() });
        page(rows, limit, |record| record.bytes.len())
    }

    fn streams(&self, prefix: &str, after: Option<&StreamName>, limit: usize) -> Vec<StreamInfo> {
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        let named = self.streams.range((after, Bound::Unbounded));
        let rows = named
            .skip_while(|(name, _)| name.as_str() < prefix)
            .take_while(|(name, _)| name.as_str().starts_with(prefix))
            .map(|(name, records)| StreamInfo { name: name.clone(), last_seq: records.len() as u64 });
        page(rows, limit, |_| 0)
    }

    fn scan(&self, scan: &ViewScan) -> Vec<ViewRow> {
        let Some(rows) = self.views.get(&scan.view) else { return Vec::new() };
        let end = prefix_end(&scan.prefix);
        let (mut from, mut to) =
            (Bound::Included(scan.prefix.as_str()), end.as_deref().map_or(Bound::Unbounded, Bound::Excluded));
        match (scan.after.as_deref(), scan.order) {
            (Some(after), ScanOrder::Ascending) if after >= scan.prefix.as_str() => {
                from = Bound::Excluded(after);
            }
            (Some(after), ScanOrder::Descending) if end.as_deref().is_none_or(|end| after < end) => {
                to = Bound::Excluded(after);
            }
            _ => {}
        }
        // A range that ends before it begins would be a panic.
        if let (Bound::Included(from) | Bound::Excluded(from), Bound::Excluded(to)) = (from, to)
            && from >= to
        {
            return Vec::new();
        }
        let row = |(key, value): (&String, &Bytes)| ViewRow { key: key.clone(), value: value.clone() };
        let found = rows.range::<str, _>((from, to));
        match scan.order {
            ScanOrder::Ascending => page(found.map(row), scan.limit, |row| row.value.len()),
            ScanOrder::Descending => page(found.rev().map(row), scan.limit, |row| row.value.len()),
        }
    }
}

impl Claims {
    /// What an append with this claim is answered because the claim was used before.
    fn earlier(&self, claim: &Claim) -> Result<Option<Appended>, Error> {
        let used = self.used.get(&(claim.scope.clone(), claim.key.clone()));
        match used.filter(|used| used.expires_at_us > claim.now_us) {
            None => Ok(None),
            Some(Use { digest, stream, .. }) if *digest != claim.digest => {
                Err(Error::ClaimConflict { key: claim.key.clone(), stream: stream.clone() })
            }
            Some(Use { stream, last_seq, .. }) => {
                Ok(Some(Appended { stream: stream.clone(), last_seq: *last_seq, repeated: true }))
            }
        }
    }

    fn put(&mut self, claim: Claim, stream: &StreamName, last_seq: u64) {
        let Claim { scope, key, digest, now_us, expires_at_us } = claim;
        for _ in 0..EXPIRED_CLAIMS_SWEPT {
            match self.by_expiry.pop_first() {
                Some((at, scope, key)) if at <= now_us => drop(self.used.remove(&(scope, key))),
                Some(later) => {
                    self.by_expiry.insert(later);
                    break;
                }
                None => break,
            }
        }
        let used = Use { digest, stream: stream.clone(), last_seq, expires_at_us };
        if let Some(old) = self.used.insert((scope.clone(), key.clone()), used) {
            self.by_expiry.remove(&(old.expires_at_us, scope.clone(), key.clone()));
        }
        self.by_expiry.insert((expires_at_us, scope, key));
    }
}

impl Log for Memory {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<Appended, Error>> {
        Box::pin(async move { self.commit(append) })
    }

    fn claimed(&self, claim: &Claim) -> BoxFuture<'_, Result<Option<Appended>, Error>> {
        Box::pin(ready(self.state.lock().claims.earlier(claim)))
    }

    fn read(
        &self,
        stream: &StreamName,
        from_seq: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, Error>> {
        Box::pin(ready(Ok(self.state.lock().read(stream, from_seq, limit))))
    }

    fn last_seq(&self, stream: &StreamName) -> BoxFuture<'_, Result<u64, Error>> {
        Box::pin(ready(Ok(self.state.lock().last_seq(stream))))
    }

    fn streams(
        &self,
        prefix: &str,
        after: Option<&StreamName>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StreamInfo>, Error>> {
        Box::pin(ready(Ok(self.state.lock().streams(prefix, after, limit))))
    }

    fn view_get(&self, view: &str, key: &str) -> BoxFuture<'_, Result<Option<Bytes>, Error>> {
        let value = self.state.lock().views.get(view).and_then(|rows| rows.get(key)).cloned();
        Box::pin(ready(Ok(value)))
    }

    fn view_scan(&self, scan: ViewScan) -> BoxFuture<'_, Result<Vec<ViewRow>, Error>> {
        Box::pin(ready(Ok(self.state.lock().scan(&scan))))
    }

    fn search(&self, search: Search) -> BoxFuture<'_, Result<Vec<SearchHit>, Error>> {
        Box::pin(async move { self.find(&search) })
    }

    fn put_blob(&self, bytes: Bytes) -> BoxFuture<'_, Result<Hash, Error>> {
        Box::pin(async move {
            let blob = BlobWrite::new(bytes);
            let hash = blob.hash();
            // An append without records: the stream named here never begins to exist.
            let append = Append { blobs: vec![blob], ..Append::to(StreamName::new("blobs")?) };
            self.commit(append)?;
            Ok(hash)
        })
    }

    fn get_blob(&self, hash: &Hash) -> BoxFuture<'_, Result<Option<Bytes>, Error>> {
        Box::pin(ready(Ok(self.state.lock().blobs.get(hash).cloned())))
    }

    fn watch(&self, stream: &StreamName) -> Watch {
        self.watchers.watch(stream)
    }

    fn is_durable(&self) -> bool {
        false
    }

    fn stats(&self) -> Stats {
        self.state.lock().stats
    }
}

/// A copy: what is kept must not hold on to the buffer that it is a part of.
fn own(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

/// Rows until the page is full; at least one where there is any.
fn page<T>(rows: impl Iterator<Item = T>, limit: usize, weigh: impl Fn(&T) -> usize) -> Vec<T> {
    let (mut found, mut bytes) = (Vec::new(), 0);
    for row in rows.take(limit.min(MAX_PAGE_ROWS)) {
        bytes += weigh(&row);
        if bytes > MAX_PAGE_BYTES && !found.is_empty() {
            break;
        }
        found.push(row);
    }
    found
}
