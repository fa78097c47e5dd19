//! Waiting for a disk that is full or fails.

use std::sync::Arc;
use std::time::Duration;

use store::{Append, Appended};
use tokio::time::Instant;

use crate::view::RunId;

/// How long to wait at first before an append is tried again that a full or failing disk refused.
const APPEND_RETRIES: [Duration; 3] =
    [Duration::from_millis(100), Duration::from_millis(400), Duration::from_millis(1_500)];
/// And how long after those, as long as [`super::Options::disk_patience`] lasts.
const APPEND_RETRY_MAX: Duration = Duration::from_secs(5);

/// Appends; what a full or failing disk refuses is tried again at least [`APPEND_RETRIES`] times and
/// for `patience`.
pub(super) async fn append_patiently(
    log: Arc<dyn store::Log>,
    append: Append,
    patience: Duration,
    run: RunId,
) -> Result<Appended, store::Error> {
    let started = Instant::now();
    let mut short = APPEND_RETRIES.into_iter();
    let mut is_told = false;
    loop {
        let error = match log.append(append.clone()).await {
            Err(error @ (store::Error::Full { .. } | store::Error::Io { .. })) => error,
            done => return done,
        };
        let wait = match short.next() {
            Some(wait) => wait,
            None if started.elapsed() >= patience => return Err(error),
            None => APPEND_RETRY_MAX,
        };
        if wait == APPEND_RETRY_MAX && !is_told {
            is_told = true;
            tracing::warn!(%run, code = error.code(), %error, "the run waits for the disk");
        }
        tokio::time::sleep(wait).await;
    }
}
