//! The journal of a run: one record when it opens, then one per turn. A turn holds the events that were
//! taken in, the attempts they caused and what watchers were told; it is committed before any of that
//! leaves the process. So an intent is durable before its request is sent, and a result before it is used.

use bytes::Bytes;
use schema::amount::Amount;
use schema::error::CallError;
use schema::hash::Hash;
use schema::limits::INLINE_BODY_BYTES_MAX;
use schema::value::Value;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::{Append, BlobWrite, Log, StreamName};

use crate::core::{Actions, AttemptId, Event, Outcome};
use crate::view::{RunEvent, RunId};

/// Version of the records; the first byte of each.
pub const JOURNAL_VERSION: u8 = 1;
/// Records above this go to the blob store, so that one append stays within its limit.
const RECORD_BYTES_MAX: usize = 256 << 10;
/// Records read at once when a run is recovered or watched.
pub(crate) const PAGE_RECORDS: usize = 256;

/// A record of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Record {
    /// The first one.
    Opened(Box<Opened>),
    /// A turn.
    Turn(Turn),
    /// The record is this blob.
    Spilled(Hash),
}

/// What is fixed when a run is stored. Holds the run's secret, so journals are as private as keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Opened {
    pub(crate) run: RunId,
    pub(crate) plan_hash: Hash,
    pub(crate) inputs: Vec<Value>,
    pub(crate) callable: Vec<bool>,
    pub(crate) cost_max: Option<Amount>,
    /// Salts of the proof and the jitter of retries are derived from this.
    pub(crate) secret: [u8; 32],
    pub(crate) challenge: Vec<u8>,
    pub(crate) challenge_signature: Vec<u8>,
    pub(crate) header: Vec<u8>,
    pub(crate) created_at_us: u64,
}

/// One turn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Turn {
    /// What was taken in, with the run's time.
    pub(crate) events: Vec<(u64, JournalledEvent)>,
    /// The attempts that are sent once this is durable. They follow from the events; they are written
    /// down so that a later version of this program that would decide otherwise notices.
    pub(crate) intents: Vec<Intent>,
    /// What watchers are told.
    pub(crate) told: Vec<RunEvent>,
}

/// An attempt about to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Intent {
    pub(crate) attempt: u32,
    pub(crate) operation: u32,
    pub(crate) reserved: Amount,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum JournalledEvent {
    Start,
    AttemptDone(u32, Box<JournalledOutcome>),
    Interrupted(u32),
    Tick,
    Cancel,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct JournalledOutcome {
    /// The decoded answer, [`postcard`] of a [`Value`], rather than decoding the body again: what was used
    /// is what is replayed.
    result: Result<Body, CallError>,
    request: Body,
    response: Body,
    status: Option<u16>,
    observed_cost: Option<Amount>,
    peer: Option<String>,
    sent: bool,
    started_us: u64,
    duration_us: u64,
}

/// Bytes in the journal, or in the blob store where they are many.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Body {
    Inline(Vec<u8>),
    Blob(Hash),
}

/// A journal that cannot be read or written.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A record is of another version of this program, or damaged.
    #[error("record {seq} of run {run} cannot be read: {what}")]
    Unreadable {
        /// The run.
        run: RunId,
        /// Position of the record.
        seq: u64,
        /// What is wrong with it.
        what: String,
    },
    /// This program would have done something else than the journal says.
    #[error(
        "the journal of run {run} does not replay: record {seq} sent other attempts than this version would"
    )]
    Diverged {
        /// The run.
        run: RunId,
        /// Position of the record.
        seq: u64,
    },
}

impl JournalError {
    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Unreadable { .. } | Self::Diverged { .. } => "E1171",
        }
    }
}

/// The stream of a run's journal.
pub(crate) fn stream(tenant: &str, run: RunId) -> Result<StreamName, store::Error> {
    StreamName::new(&format!("runs/{tenant}/{run}"))
}

impl Turn {
    /// The record of events and what they caused; bodies that are too large go to `blobs`.
    pub(crate) fn new(
        events: Vec<(u64, Event)>,
        actions: &Actions,
        told: Vec<RunEvent>,
        blobs: &mut Vec<BlobWrite>,
    ) -> Self {
        let events = events.into_iter().map(|(at, event)| (at, journalled(event, blobs))).collect();
        Self { events, intents: intents(actions), told }
    }
}

/// The intents among what a turn caused.
pub(crate) fn intents(actions: &Actions) -> Vec<Intent> {
    let intent = |send: &crate::core::Send| Intent {
        attempt: send.attempt.0,
        operation: send.operation,
        reserved: send.reserved,
    };
    actions.sends.values().map(intent).collect()
}

fn journalled(event: Event, blobs: &mut Vec<BlobWrite>) -> JournalledEvent {
    match event {
        Event::Start => JournalledEvent::Start,
        Event::Interrupted(id) => JournalledEvent::Interrupted(id.0),
        Event::Tick => JournalledEvent::Tick,
        Event::Cancel => JournalledEvent::Cancel,
        Event::AttemptDone(id, outcome) => {
            let outcome = *outcome;
            let value = |value: Value| Body::new(encode(&value).into(), blobs);
            let result = outcome.result.map(value);
            let journalled = JournalledOutcome {
                result,
                request: Body::new(outcome.request, blobs),
                response: Body::new(outcome.response, blobs),
                status: outcome.status,
                observed_cost: outcome.observed_cost,
                peer: outcome.peer,
                sent: outcome.sent,
                started_us: outcome.started_us,
                duration_us: outcome.duration_us,
            };
            JournalledEvent::AttemptDone(id.0, Box::new(journalled))
        }
    }
}

/// The event that was journalled, its bodies fetched.
pub(crate) async fn event(log: &dyn Log, event: JournalledEvent) -> Result<Event, String> {
    Ok(match event {
        JournalledEvent::Start => Event::Start,
        JournalledEvent::Interrupted(id) => Event::Interrupted(AttemptId(id)),
        JournalledEvent::Tick => Event::Tick,
        JournalledEvent::Cancel => Event::Cancel,
        JournalledEvent::AttemptDone(id, outcome) => {
            let outcome = *outcome;
            let result = match outcome.result {
                Ok(body) => Ok(decode(&body.fetch(log).await?)?),
                Err(error) => Err(error),
            };
            let outcome = Outcome {
                result,
                request: outcome.request.fetch(log).await?,
                response: outcome.response.fetch(log).await?,
                status: outcome.status,
                observed_cost: outcome.observed_cost,
                peer: outcome.peer,
                sent: outcome.sent,
                started_us: outcome.started_us,
                duration_us: outcome.duration_us,
            };
            Event::AttemptDone(AttemptId(id), Box::new(outcome))
        }
    })
}

impl Body {
    pub(crate) fn new(bytes: Bytes, blobs: &mut Vec<BlobWrite>) -> Self {
        if bytes.len() <= INLINE_BODY_BYTES_MAX {
            return Self::Inline(bytes.into());
        }
        let blob = BlobWrite::new(bytes);
        let hash = blob.hash();
        blobs.push(blob);
        Self::Blob(hash)
    }

    pub(crate) async fn fetch(self, log: &dyn Log) -> Result<Bytes, String> {
        match self {
            Self::Inline(bytes) => Ok(bytes.into()),
            Self::Blob(hash) => match log.get_blob(&hash).await {
                Ok(Some(bytes)) => Ok(bytes),
                Ok(None) => Err(format!("body {} is missing", hash.short())),
                Err(error) => Err(error.to_string()),
            },
        }
    }
}

/// Adds a record to an append; one that is too large becomes a blob and its address.
pub(crate) fn add(mut append: Append, record: &Record) -> Append {
    let bytes = versioned(record);
    if bytes.len() <= RECORD_BYTES_MAX {
        return append.record(bytes);
    }
    let blob = BlobWrite::new(bytes);
    let spilled = versioned(&Record::Spilled(blob.hash()));
    append.blobs.push(blob);
    append.record(spilled)
}

/// Reads a record, following it to the blob store where it is there.
pub(crate) async fn read(log: &dyn Log, run: RunId, record: &store::Record) -> Result<Record, JournalError> {
    let unreadable = |what: String| JournalError::Unreadable { run, seq: record.seq, what };
    match unversioned(&record.bytes).map_err(unreadable)? {
        Record::Spilled(hash) => {
            let bytes = log.get_blob(&hash).await?.ok_or_else(|| unreadable("its blob is missing".into()))?;
            unversioned(&bytes).map_err(unreadable)
        }
        read => Ok(read),
    }
}

/// Bytes of stored data: a version, then [`postcard`].
pub(crate) fn versioned<T: Serialize>(data: &T) -> Vec<u8> {
    let mut bytes = vec![JOURNAL_VERSION];
    bytes.extend_from_slice(&encode(data));
    bytes
}

/// The data that [`versioned`] made `bytes` of.
pub(crate) fn unversioned<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    match bytes.split_first() {
        Some((&JOURNAL_VERSION, rest)) => decode(rest),
        Some((other, _)) => Err(format!("it has version {other}, and this program knows {JOURNAL_VERSION}")),
        None => Err("it is empty".into()),
    }
}

fn encode<T: Serialize>(data: &T) -> Vec<u8> {
    // Only maps and sequences of unknown length fail, and the types here have none.
    postcard::to_stdvec(data).unwrap_or_default()
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    match postcard::take_from_bytes(bytes) {
        Ok((data, [])) => Ok(data),
        Ok((_, rest)) => Err(format!("{} bytes are left over", rest.len())),
        Err(error) => Err(error.to_string()),
    }
}
