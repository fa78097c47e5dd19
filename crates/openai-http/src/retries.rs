//! Requests that are under way, or that their client left: a client that repeats one of them by itself would pay twice
//! without a word. Where a request names an id, the services make it once and nothing is to be remembered here.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::StatusCode;

use crate::Face;
use crate::caller::Caller;
use crate::error::{Failure, code};

/// Longer than a client goes on repeating.
const REMEMBERED: Duration = Duration::from_secs(600);
/// Requests that are remembered at once; beyond that the oldest may be forgotten.
const REMEMBERED_MAX: usize = 10_000;

/// Requests by a hash of who sent what to where.
#[derive(Debug, Default)]
pub(crate) struct Underway {
    hasher: RandomState,
    known: Mutex<HashMap<u64, (Instant, Option<String>)>>,
}

/// One request. Forgotten when it is answered, remembered when it is dropped without.
#[derive(Debug)]
pub(crate) struct Attempt {
    face: Arc<Face>,
    key: Option<u64>,
}

impl Attempt {
    /// Takes a request on.
    ///
    /// # Errors
    /// If it repeats one that may have been paid.
    pub(crate) fn begin(face: &Arc<Face>, caller: &Caller, path: &str, body: &[u8]) -> Result<Self, Failure> {
        if !caller.request_id.is_empty() {
            return Ok(Self { face: Arc::clone(face), key: None });
        }
        let authorization = caller.authorization.as_ref().map(|value| value.as_encoded_bytes());
        let key = face.underway.hasher.hash_one((authorization, path, body));
        let mut known = face.underway.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if let Some((since, run)) = known.get(&key)
            && caller.repeats
            && now.duration_since(*since) < REMEMBERED
        {
            return Err(refused(run.as_deref()));
        }
        if known.len() >= REMEMBERED_MAX {
            known.retain(|_, (since, _)| now.duration_since(*since) < REMEMBERED);
        }
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        known.insert(key, (now, None));
        drop(known);
        Ok(Self { face: Arc::clone(face), key: Some(key) })
    }

    /// The run that makes it.
    pub(crate) fn is_run(&self, run: &str) {
        let mut known = self.face.underway.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = self.key.and_then(|key| known.get_mut(&key)) {
            *known = Some(run.to_owned());
        }
    }

    /// The client was told how it ended.
    pub(crate) fn answered(&mut self) {
        if let Some(key) = self.key.take() {
            self.face.underway.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        }
    }
}

fn refused(run: Option<&str>) -> Failure {
    let run = run.map(|run| format!(" ({run})")).unwrap_or_default();
    let message = format!(
        "the client repeats a request that it has left unanswered{run} and that may be charged; nothing more was sent. \
         Give each request an `Idempotency-Key`, which makes repeating safe, or set the client's `max_retries` to 0"
    );
    Failure::new(StatusCode::CONFLICT, code::PAID_TWICE, message).about("Idempotency-Key")
}
