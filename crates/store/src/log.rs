//! The seam: what the rest of the program knows of a store.

use std::fmt;
use std::pin::Pin;

use bytes::Bytes;
use schema::hash::Hash;

use crate::{Append, Appended, Claim, Error, Search, SearchHit, StreamName, Watch};

/// A boxed future: the trait must be usable as `Arc<dyn Log>`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An append-only log of streams with views, search and blobs beside it.
///
/// Reads see every append that was acknowledged before they began. A future of `append` that is dropped does not
/// take the append back: it may or may not have happened.
pub trait Log: Send + Sync + fmt::Debug {
    /// Appends atomically and durably; answers only when both hold.
    ///
    /// Errors: [`Error::Fenced`], [`Error::ClaimConflict`] and [`Error::TooLarge`] concern this append alone and
    /// leave nothing of it; [`Error::Full`] and [`Error::Io`] likewise leave nothing of it.
    fn append(&self, append: Append) -> BoxFuture<'_, Result<Appended, Error>>;

    /// What an append with this claim would be answered because the claim was used before; `None` where it was not.
    ///
    /// Errors: [`Error::ClaimConflict`] where it was used for something else.
    fn claimed(&self, claim: &Claim) -> BoxFuture<'_, Result<Option<Appended>, Error>>;

    /// Up to `limit` records from `from_seq` on (the first record is 1). A page may end early by
    /// [`crate::MAX_PAGE_BYTES`]; only an empty answer means the end. An unknown stream is an empty one.
    fn read(
        &self,
        stream: &StreamName,
        from_seq: u64,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Record>, Error>>;

    /// Sequence number of the last record; 0 if there is none.
    fn last_seq(&self, stream: &StreamName) -> BoxFuture<'_, Result<u64, Error>>;

    /// Streams whose name starts with `prefix`, sorted, after the name `after`.
    fn streams(
        &self,
        prefix: &str,
        after: Option<&StreamName>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StreamInfo>, Error>>;

    /// One row of a view.
    fn view_get(&self, view: &str, key: &str) -> BoxFuture<'_, Result<Option<Bytes>, Error>>;

    /// A page of a view's rows, sorted by key.
    fn view_scan(&self, scan: ViewScan) -> BoxFuture<'_, Result<Vec<ViewRow>, Error>>;

    /// Documents of a full-text index, best first.
    fn search(&self, search: Search) -> BoxFuture<'_, Result<Vec<SearchHit>, Error>>;

    /// Stores a body durably under its BLAKE3 hash; storing it again changes nothing.
    fn put_blob(&self, bytes: Bytes) -> BoxFuture<'_, Result<Hash, Error>>;

    /// A body by its hash, checked against it ([`Error::Corrupt`] if it does not match).
    fn get_blob(&self, hash: &Hash) -> BoxFuture<'_, Result<Option<Bytes>, Error>>;

    /// Tells when a stream grew. Lossy: several appends may be told once; the log is the truth.
    fn watch(&self, stream: &StreamName) -> Watch;

    /// Whether what was appended is there in the next process. Where it is not, what can be made of it at any time need not
    /// be made before somebody asks.
    fn is_durable(&self) -> bool;

    /// What this store did since it was opened.
    fn stats(&self) -> Stats;
}

/// One record of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Position in the stream; the first is 1, without gaps.
    pub seq: u64,
    /// The bytes, as appended.
    pub bytes: Bytes,
}

/// A stream that holds at least one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamInfo {
    /// Its name.
    pub name: StreamName,
    /// Sequence number of its last record.
    pub last_seq: u64,
}

/// Which rows of a view a page holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewScan {
    /// View name.
    pub view: String,
    /// Only keys that start with this.
    pub prefix: String,
    /// Only keys beyond this one, in the order of the scan.
    pub after: Option<String>,
    /// Rows at most; lowered to [`crate::MAX_PAGE_ROWS`]. A page may also end early by
    /// [`crate::MAX_PAGE_BYTES`]; only an empty page means the end.
    pub limit: usize,
    /// Direction.
    pub order: ScanOrder,
}

impl ViewScan {
    /// The first `limit` rows of `view`, ascending.
    #[must_use]
    pub fn of(view: &str, limit: usize) -> Self {
        let (prefix, order) = (String::new(), ScanOrder::Ascending);
        Self { view: view.to_owned(), prefix, after: None, limit, order }
    }

    /// Only keys that start with `prefix`.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// Only keys beyond `after`, in the order of the scan.
    #[must_use]
    pub fn after(mut self, after: Option<&str>) -> Self {
        self.after = after.map(str::to_owned);
        self
    }

    /// Greatest key first.
    #[must_use]
    pub fn descending(mut self) -> Self {
        self.order = ScanOrder::Descending;
        self
    }
}

/// Direction of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanOrder {
    /// Smallest key first.
    Ascending,
    /// Greatest key first.
    Descending,
}

/// One row of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewRow {
    /// Row key.
    pub key: String,
    /// Row value.
    pub value: Bytes,
}

/// Counters since the store was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Transactions that changed something and were committed (each is one flush to disk if the store is durable).
    pub commits: u64,
    /// Appends acknowledged.
    pub appends: u64,
    /// Records acknowledged.
    pub records: u64,
    /// Most appends that shared one commit.
    pub largest_group: u64,
}
