//! One append: records of a stream and everything that changes with them, all or nothing.

use std::collections::BTreeSet;

use bytes::Bytes;
use schema::hash::Hash;

use crate::name::check_key;
use crate::{
    Error, MAX_APPEND_BYTES, MAX_APPEND_RECORDS, MAX_APPEND_VIEW_BYTES, MAX_APPEND_WRITES, MAX_BLOB_BYTES,
    MAX_TAGS, StreamName, blob_hash,
};

/// Records for the end of one stream, with the changes that take effect in the same instant.
#[derive(Debug, Clone)]
pub struct Append {
    /// The stream; it begins to exist with its first record.
    pub stream: StreamName,
    /// Where the stream must end now (0 = no record yet); `None` appends wherever it ends.
    pub expected_seq: Option<u64>,
    /// The records, in order. Their bytes are not interpreted. May be empty.
    pub records: Vec<Bytes>,
    /// Makes the append idempotent.
    pub claim: Option<Claim>,
    /// Rows of views to set or remove.
    pub views: Vec<ViewWrite>,
    /// Documents of full-text indexes to set or remove.
    pub index: Vec<IndexWrite>,
    /// Bodies that the records name by hash; stored no later than the records.
    pub blobs: Vec<BlobWrite>,
}

/// An idempotency key. A second append with the same scope and key, made before `expires_at_us`, returns the
/// first one's reference if the digest is the same, and [`Error::ClaimConflict`] if it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Keys of different scopes never meet; for example tenant + method.
    pub scope: String,
    /// The caller's key (a request id).
    pub key: String,
    /// Digest of the whole request: what "the same request" means.
    pub digest: Hash,
    /// The present time, microseconds UTC: a claim that expired before it counts as absent.
    pub now_us: u64,
    /// When the key is forgotten, microseconds UTC.
    pub expires_at_us: u64,
}

/// One row of a view to set (`Some`) or remove (`None`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewWrite {
    /// View name.
    pub view: String,
    /// Row key; rows sort by its bytes.
    pub key: String,
    /// The value, or `None` to remove the row.
    pub value: Option<Bytes>,
}

/// One document of a full-text index to set (`Some`) or remove (`None`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexWrite {
    /// Index name.
    pub index: String,
    /// Document key.
    pub key: String,
    /// The document, or `None` to remove it.
    pub doc: Option<IndexDoc>,
}

/// What a search looks into.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexDoc {
    /// Weighs four times as much as `text` in the ranking.
    pub title: String,
    /// The rest of what may be searched for.
    pub text: String,
    /// Exact labels that a search can demand.
    pub tags: BTreeSet<String>,
}

/// A blob with its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobWrite {
    hash: Hash,
    bytes: Bytes,
}

impl BlobWrite {
    /// Addresses `bytes`.
    #[must_use]
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { hash: blob_hash(&bytes), bytes }
    }

    /// The address.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The body.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

/// An append that is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The stream that holds the records; for a repeated claim, that of the first use.
    pub stream: StreamName,
    /// Sequence number of the stream's last record after this append (for a repeated claim: after the first use).
    pub last_seq: u64,
    /// The claim had been used by the same request before, and nothing was written now.
    pub repeated: bool,
}

impl Append {
    /// An append to `stream` with nothing in it yet.
    #[must_use]
    pub fn to(stream: StreamName) -> Self {
        Self {
            stream,
            expected_seq: None,
            records: Vec::new(),
            claim: None,
            views: Vec::new(),
            index: Vec::new(),
            blobs: Vec::new(),
        }
    }

    /// Demands that the stream ends at `seq` (0 = no record yet).
    #[must_use]
    pub fn expecting(mut self, seq: u64) -> Self {
        self.expected_seq = Some(seq);
        self
    }

    /// Adds a record.
    #[must_use]
    pub fn record(mut self, bytes: impl Into<Bytes>) -> Self {
        self.records.push(bytes.into());
        self
    }

    /// Sets a row of a view.
    #[must_use]
    pub fn view(mut self, view: &str, key: impl Into<String>, value: impl Into<Bytes>) -> Self {
        self.views.push(ViewWrite { view: view.to_owned(), key: key.into(), value: Some(value.into()) });
        self
    }

    /// Removes a row of a view, if it is there.
    #[must_use]
    pub fn drop_view(mut self, view: &str, key: impl Into<String>) -> Self {
        self.views.push(ViewWrite { view: view.to_owned(), key: key.into(), value: None });
        self
    }

    /// Sets a document of a full-text index.
    #[must_use]
    pub fn index(mut self, index: &str, key: impl Into<String>, doc: IndexDoc) -> Self {
        self.index.push(IndexWrite { index: index.to_owned(), key: key.into(), doc: Some(doc) });
        self
    }

    /// Makes the append idempotent.
    #[must_use]
    pub fn claim(mut self, claim: Claim) -> Self {
        self.claim = Some(claim);
        self
    }

    /// Stores a body with the records that name it.
    #[must_use]
    pub fn blob(mut self, bytes: impl Into<Bytes>) -> Self {
        self.blobs.push(BlobWrite::new(bytes));
        self
    }

    /// Checks every limit and name. Each implementation of [`crate::Log`] calls this before it does anything.
    pub fn check(&self) -> Result<(), Error> {
        within("records of an append", self.records.len(), MAX_APPEND_RECORDS)?;
        within("bytes of an append", self.records.iter().map(Bytes::len).sum(), MAX_APPEND_BYTES)?;
        within("view and index writes of an append", self.views.len() + self.index.len(), MAX_APPEND_WRITES)?;
        for blob in &self.blobs {
            within("bytes of a blob", blob.bytes.len(), MAX_BLOB_BYTES)?;
        }
        if let Some(claim) = &self.claim {
            check_key("claim scope", &claim.scope)?;
            check_key("claim key", &claim.key)?;
        }
        let mut view_bytes = 0_usize;
        for write in &self.views {
            check_key("view name", &write.view)?;
            check_key("view key", &write.key)?;
            view_bytes += write.value.as_ref().map_or(0, Bytes::len);
        }
        for write in &self.index {
            check_key("index name", &write.index)?;
            check_key("index key", &write.key)?;
            let Some(doc) = &write.doc else { continue };
            within("tags of a document", doc.tags.len(), MAX_TAGS)?;
            doc.tags.iter().try_for_each(|tag| check_key("tag", tag))?;
            view_bytes += doc.title.len() + doc.text.len();
        }
        within("view and index bytes of an append", view_bytes, MAX_APPEND_VIEW_BYTES)
    }
}

fn within(what: &'static str, actual: usize, limit: usize) -> Result<(), Error> {
    if actual > limit {
        return Err(Error::TooLarge { what, actual: actual as u64, limit: limit as u64 });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Append {
        Append::to(StreamName::new("s").unwrap())
    }

    fn refused(append: &Append) -> bool {
        matches!(append.check(), Err(Error::TooLarge { .. }))
    }

    #[test]
    fn limits_hold_at_n_and_refuse_at_n_plus_one() {
        let records = |n: usize| Append { records: vec![Bytes::new(); n], ..empty() };
        assert!(!refused(&records(MAX_APPEND_RECORDS)) && refused(&records(MAX_APPEND_RECORDS + 1)));

        let bytes = |n: usize| empty().record(vec![0; n - 10]).record(vec![0; 10]);
        assert!(!refused(&bytes(MAX_APPEND_BYTES)) && refused(&bytes(MAX_APPEND_BYTES + 1)));

        let row = ViewWrite { view: "v".into(), key: "k".into(), value: None };
        let rows = |n: usize| Append { views: vec![row.clone(); n], ..empty() };
        assert!(!refused(&rows(MAX_APPEND_WRITES)) && refused(&rows(MAX_APPEND_WRITES + 1)));

        let view = |n: usize| empty().view("v", "k", vec![0; n]);
        assert!(!refused(&view(MAX_APPEND_VIEW_BYTES)) && refused(&view(MAX_APPEND_VIEW_BYTES + 1)));

        let blob = |n: usize| empty().blob(vec![0; n]);
        assert!(!refused(&blob(MAX_BLOB_BYTES)) && refused(&blob(MAX_BLOB_BYTES + 1)));

        let tags = |n: usize| {
            let tags = (0..n).map(|i| i.to_string()).collect();
            empty().index("i", "k", IndexDoc { tags, ..IndexDoc::default() })
        };
        assert!(!refused(&tags(MAX_TAGS)) && refused(&tags(MAX_TAGS + 1)));
    }
}
