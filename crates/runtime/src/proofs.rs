//! Proofs of runs that ended, for whoever asks.

use std::sync::Arc;

use bytes::Bytes;
use proof::bundle::{Bundle, SignError};
use proof::key::RuntimeKey;
use tokio::task::JoinError;

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
    /// [`Error::NotFound`]; [`Error::NoProof`]; [`Error::Store`] and [`Error::Journal`] where rows cannot be read;
    /// [`Error::Internal`] where signing stopped, which leaves the proof as it was.
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
            FetchError::Store(error) => error.into(),
            FetchError::Missing(_) | FetchError::Unreadable(_) => {
                none("its bundle is missing from the store")
            }
        })?;
        if !self.shared.services.signs_later() {
            return Ok(bundle);
        }
        let signed = signed(bundle, Arc::clone(&self.shared.services.key)).await;
        signed.map_err(|_| Error::Internal { run })?.map_err(|error| {
            tracing::error!(%run, %error, "the proof cannot be signed");
            none("its bundle is not one that this runtime can sign")
        })
    }
}

/// A bundle that was stored without its signature, with it.
async fn signed(bundle: Bytes, key: Arc<RuntimeKey>) -> Result<Result<Bytes, SignError>, JoinError> {
    let is_small = bundle.len() < LARGE_PROOF_BYTES;
    let sign = move || {
        let mut bundle = Bundle::from_bytes(&bundle)?;
        bundle.sign(&key)?;
        Ok(bundle.to_bytes().into())
    };
    if is_small { Ok(sign()) } else { tokio::task::spawn_blocking(sign).await }
}
