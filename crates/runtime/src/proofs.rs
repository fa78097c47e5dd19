//! Proofs of runs that ended, for whoever asks.

use std::sync::Arc;

use bytes::Bytes;
use proof::bundle::Bundle;
use proof::key::RuntimeKey;

use crate::error::Error;
use crate::handle::Handle;
use crate::journal::FetchError;
use crate::rows;
use crate::view::RunId;

/// Bytes from which on a proof is signed off the event loop.
const LARGE_PROOF_BYTES: usize = 1 << 20;

impl Handle {
    /// The proof bundle of a run that ended.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NoProof`], [`Error::Store`].
    pub async fn proof(&self, tenant: &str, run: RunId) -> Result<Bytes, Error> {
        let log = &*self.shared.services.log;
        let Some(detail) = rows::detail(log, tenant, run).await? else {
            self.get_run(tenant, run).await?;
            return Err(Error::NoProof { run, reason: "it has not ended" });
        };
        let none = |reason| Error::NoProof { run, reason };
        let stored =
            detail.proof().ok_or_else(|| none("none could be made when it ended; the log says why"))?;
        let bundle = stored.fetch(log).await.map_err(|error| match error {
            FetchError::Missing(_) => none("its bundle is missing from the store"),
            FetchError::Store(error) => error.into(),
        })?;
        if !self.shared.services.signs_later() {
            return Ok(bundle);
        }
        let signed = signed(bundle, Arc::clone(&self.shared.services.key)).await;
        signed.ok_or_else(|| none("its bundle is not one that this runtime can sign"))
    }
}

/// A bundle that was stored without its signature, with it.
async fn signed(bundle: Bytes, key: Arc<RuntimeKey>) -> Option<Bytes> {
    let is_small = bundle.len() < LARGE_PROOF_BYTES;
    let sign = move || {
        let mut bundle = Bundle::from_bytes(&bundle).ok()?;
        bundle.sign(&key).ok()?;
        Some(bundle.to_bytes().into())
    };
    if is_small { sign() } else { tokio::task::spawn_blocking(sign).await.ok()? }
}
