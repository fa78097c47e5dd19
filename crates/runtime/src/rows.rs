//! The views of runs in the store: a summary and a detail row for each, and a row while it is under way.

use bytes::Bytes;
use schema::hash::Hash;
use serde::{Deserialize, Serialize};
use store::{Append, BlobWrite, Log};

use crate::journal::{Body, JournalError, gather, spill, unversioned, versioned};
use crate::view::{CostRow, Run, RunId};

/// Summaries by `<tenant>/<run>`; names sort by time.
pub(crate) const RUNS: &str = "runs";
/// What lists leave out.
const DETAILS: &str = "runs.detail";
/// Bytes up to which a proof is stored in the row of its run: that of a call, not that of a large plan.
const INLINE_PROOF_BYTES_MAX: usize = 8 << 10;
/// Runs that have not ended.
pub(crate) const OPEN: &str = "runs.open";

/// What lists leave out of a run that ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Detail {
    result: Option<Body>,
    costs: Vec<CostRow>,
    pub(crate) proof: StoredProof,
}

/// Where the proof bundle of a run is.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum StoredProof {
    /// None could be made.
    None,
    /// In this blob.
    Blob(Hash),
    /// In these, one after the other.
    Parts(Vec<Hash>),
    /// Here. What is added stands behind the others, so that older rows are read.
    Inline(#[serde(with = "serde_bytes")] Vec<u8>),
}

impl StoredProof {
    /// A bundle as it is stored; what goes to blobs is added to `blobs`. A small one is not worth an address.
    fn new(bundle: Vec<u8>, blobs: &mut Vec<BlobWrite>) -> Self {
        if bundle.len() <= INLINE_PROOF_BYTES_MAX {
            return Self::Inline(bundle);
        }
        match *spill(&bundle.into(), blobs) {
            [hash] => Self::Blob(hash),
            ref parts => Self::Parts(parts.to_vec()),
        }
    }

    /// The bundle; `None` where there is none.
    ///
    /// # Errors
    /// The first blob that is missing.
    pub(crate) async fn fetch(self, log: &dyn Log) -> Result<Option<Result<Bytes, Hash>>, store::Error> {
        let hashes = match self {
            Self::None => return Ok(None),
            Self::Inline(bundle) => return Ok(Some(Ok(bundle.into()))),
            Self::Blob(hash) => vec![hash],
            Self::Parts(hashes) => hashes,
        };
        gather(log, &hashes).await.map(Some)
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
    let proof = proof.map_or(StoredProof::None, |bundle| StoredProof::new(bundle, &mut blobs));
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
            let bytes = body.fetch(log).await.map_err(unreadable)?;
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
