//! The views of runs in the store: a summary and a detail row for each, and a row while it is under way.

use bytes::Bytes;
use schema::hash::Hash;
use serde::{Deserialize, Serialize};
use store::{Append, Log};

use crate::journal::{Body, JournalError, unversioned, versioned};
use crate::view::{CostRow, Run, RunId};

/// Summaries by `<tenant>/<run>`; names sort by time.
pub(crate) const RUNS: &str = "runs";
/// What lists leave out.
const DETAILS: &str = "runs.detail";
/// Runs that have not ended.
pub(crate) const OPEN: &str = "runs.open";

/// What lists leave out of a run that ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Detail {
    result: Option<Body>,
    costs: Vec<CostRow>,
    proof: StoredProof,
}

/// The proof bundle of a run as rows have it: what a [`Body`] is, behind the variants of rows from when none was inline.
#[derive(Debug, Serialize, Deserialize)]
enum StoredProof {
    /// None could be made.
    None,
    Blob(Hash),
    Parts(Vec<Hash>),
    Inline(#[serde(with = "serde_bytes")] Vec<u8>),
}

impl From<Option<Body>> for StoredProof {
    fn from(body: Option<Body>) -> Self {
        match body {
            None => Self::None,
            Some(Body::Blob(hash)) => Self::Blob(hash),
            Some(Body::Parts(hashes)) => Self::Parts(hashes),
            Some(Body::Inline(bytes)) => Self::Inline(bytes),
        }
    }
}

impl Detail {
    /// The proof bundle; `None` where none could be made.
    pub(crate) fn proof(self) -> Option<Body> {
        match self.proof {
            StoredProof::None => None,
            StoredProof::Blob(hash) => Some(Body::Blob(hash)),
            StoredProof::Parts(hashes) => Some(Body::Parts(hashes)),
            StoredProof::Inline(bytes) => Some(Body::Inline(bytes)),
        }
    }
}

pub(crate) fn key(tenant: &str, run: RunId) -> String {
    format!("{tenant}/{run}")
}

/// Sets the rows of a run that begins.
pub(crate) fn open(append: Append, tenant: &str, run: &Run) -> Append {
    let key = key(tenant, run.id);
    append.view(RUNS, key.clone(), versioned(&summary(run))).view(OPEN, key, Bytes::new())
}

/// Sets the rows of a run that ended.
pub(crate) fn close(append: Append, tenant: &str, run: &Run, proof: Option<Vec<u8>>) -> Append {
    let key = key(tenant, run.id);
    let mut blobs = Vec::new();
    let result = run.result_json.clone().map(|text| Body::new(text.into(), &mut blobs));
    let proof = proof.map(|bundle| Body::new(bundle.into(), &mut blobs)).into();
    let detail = Detail { result, costs: run.costs.clone(), proof };
    let mut append = append
        .view(RUNS, key.clone(), versioned(&summary(run)))
        .view(DETAILS, key.clone(), versioned(&detail))
        .drop_view(OPEN, key);
    append.blobs.extend(blobs);
    append
}

fn summary(run: &Run) -> Run {
    Run { result_json: None, costs: Vec::new(), ..run.clone() }
}

/// The summary in the bytes of a row.
pub(crate) fn read_summary(run: RunId, bytes: &[u8]) -> Result<Run, JournalError> {
    unversioned(bytes).map_err(|what| JournalError::Unreadable { run, seq: 0, what })
}

/// A run as its rows have it.
pub(crate) async fn get(log: &dyn Log, tenant: &str, id: RunId) -> Result<Option<Run>, JournalError> {
    let Some(row) = log.view_get(RUNS, &key(tenant, id)).await? else { return Ok(None) };
    let mut run = read_summary(id, &row)?;
    if let Some(detail) = detail(log, tenant, id).await? {
        let unreadable = |what| JournalError::Unreadable { run: id, seq: 0, what };
        if let Some(body) = detail.result {
            let bytes = body.fetch(log).await.map_err(|error| JournalError::of_body(id, 0, error))?;
            let text = String::from_utf8(bytes.into()).map_err(|error| unreadable(error.to_string()))?;
            run.result_json = Some(text);
        }
        run.costs = detail.costs;
    }
    Ok(Some(run))
}

pub(crate) async fn detail(log: &dyn Log, tenant: &str, run: RunId) -> Result<Option<Detail>, JournalError> {
    let Some(row) = log.view_get(DETAILS, &key(tenant, run)).await? else { return Ok(None) };
    let detail = unversioned(&row).map_err(|what| JournalError::Unreadable { run, seq: 0, what })?;
    Ok(Some(detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_from_before_proofs_were_inline_are_read() {
        let hash = Hash([7; 32]);
        let row = |proof: &[u8]| [&versioned(&(None::<Body>, Vec::<CostRow>::new()))[..], proof].concat();
        let read = |proof: &[u8]| unversioned::<Detail>(&row(proof)).unwrap().proof();
        assert_eq!(read(&[0]), None);
        assert_eq!(read(&crate::journal::encode(&(1_u8, hash))), Some(Body::Blob(hash)));
        assert_eq!(read(&crate::journal::encode(&(2_u8, [hash].as_slice()))), Some(Body::Parts(vec![hash])));
        assert_eq!(read(&[3, 2, 7, 8]), Some(Body::Inline(vec![7, 8])));
    }
}
