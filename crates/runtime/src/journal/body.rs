//! Bytes of a journal: in its record, or in the blob store where they are many.

use bytes::Bytes;
use schema::hash::Hash;
use schema::limits::INLINE_BODY_BYTES_MAX;
use serde::{Deserialize, Serialize};
use store::{BlobWrite, Log};

/// A blob above this is stored as several.
pub(crate) const PART_BYTES_MAX: usize = 8 << 20;

/// Bytes in the journal, or in the blob store where they are many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Body {
    /// Written in one piece, to the same bytes as one by one.
    Inline(#[serde(with = "serde_bytes")] Vec<u8>),
    Blob(Hash),
    /// One after the other; none is larger than [`PART_BYTES_MAX`].
    Parts(Vec<Hash>),
}

impl Body {
    pub(crate) fn new(bytes: Bytes, blobs: &mut Vec<BlobWrite>) -> Self {
        if bytes.len() <= INLINE_BODY_BYTES_MAX {
            return Self::Inline(bytes.into());
        }
        match *spill(&bytes, blobs) {
            [hash] => Self::Blob(hash),
            ref parts => Self::Parts(parts.to_vec()),
        }
    }

    pub(crate) async fn fetch(self, log: &dyn Log) -> Result<Bytes, FetchError> {
        let hashes = match self {
            Self::Inline(bytes) => return Ok(bytes.into()),
            Self::Blob(hash) => vec![hash],
            Self::Parts(hashes) => hashes,
        };
        gather(log, &hashes).await
    }
}

/// Bytes that cannot be fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    /// The store does not have this blob.
    #[error("blob {} is missing", .0.short())]
    Missing(Hash),
    /// What the bytes should say cannot be read from them.
    #[error("{0}")]
    Unreadable(String),
    /// The store failed, which says nothing of what it holds.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl From<String> for FetchError {
    fn from(what: String) -> Self {
        Self::Unreadable(what)
    }
}

/// Moves bytes to `blobs`, to several where they are more than the store takes in one.
pub(crate) fn spill(bytes: &Bytes, blobs: &mut Vec<BlobWrite>) -> Vec<Hash> {
    let mut hashes = Vec::new();
    let mut rest = bytes.clone();
    loop {
        let blob = BlobWrite::new(rest.split_to(rest.len().min(PART_BYTES_MAX)));
        hashes.push(blob.hash());
        blobs.push(blob);
        if rest.is_empty() {
            return hashes;
        }
    }
}

/// What [`spill`] moved to blobs.
pub(crate) async fn gather(log: &dyn Log, hashes: &[Hash]) -> Result<Bytes, FetchError> {
    let mut gathered = Vec::new();
    for hash in hashes {
        match log.get_blob(hash).await? {
            Some(bytes) if hashes.len() == 1 => return Ok(bytes),
            Some(bytes) => gathered.extend_from_slice(&bytes),
            None => return Err(FetchError::Missing(*hash)),
        }
    }
    Ok(gathered.into())
}

#[cfg(test)]
mod tests {
    use store::{Append, StreamName};

    use super::*;

    #[test]
    fn bytes_in_a_journal_have_the_form_of_a_list_of_numbers() {
        let body = Body::Inline(vec![7, 0, 255]);
        let bytes = crate::journal::encode(&body);
        // Which variant, how many, and they themselves, as in journals from before they were written in one piece.
        assert_eq!(bytes, [0, 3, 7, 0, 255]);
        assert_eq!(bytes[1..], crate::journal::encode(&vec![7_u8, 0, 255]));
        assert_eq!(crate::journal::decode::<Body>(&bytes), Ok(body));
    }

    #[tokio::test]
    async fn bytes_are_split_where_a_blob_would_be_too_large() {
        for (len, parts) in [(PART_BYTES_MAX, 1), (PART_BYTES_MAX + 1, 2), (store::MAX_BLOB_BYTES + 1, 3)] {
            let log = store::Memory::new();
            let bytes: Bytes = (0..len).map(|at| (at % 251) as u8).collect();
            let mut blobs = Vec::new();
            let hashes = spill(&bytes, &mut blobs);
            assert_eq!((hashes.len(), blobs.len()), (parts, parts));
            let append = Append { blobs, ..Append::to(StreamName::new("s").unwrap()) };
            let missing = gather(&log, &hashes).await.unwrap_err();
            assert!(matches!(missing, FetchError::Missing(hash) if hash == hashes[0]));
            log.append(append.record("x")).await.unwrap();
            assert_eq!(gather(&log, &hashes).await.unwrap(), bytes);
        }
    }
}
