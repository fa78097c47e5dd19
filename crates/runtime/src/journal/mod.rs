//! The journal of a run: one record when it opens, then one per turn. A turn holds the events that were
//! taken in, the attempts they caused and what watchers were told; it is committed before any of that
//! leaves the process. So an intent is durable before its request is sent, and a result before it is used.

mod body;
mod journalled;

use schema::amount::Amount;
use schema::hash::Hash;
use schema::route::Route;
use schema::value::Value;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::{Append, BlobWrite, Log, StreamName};

use crate::core::{Actions, Event};
use crate::view::{RunEvent, RunId};
pub(crate) use body::{Body, FetchError};
use body::{gather, spill};
use journalled::journalled;
pub(crate) use journalled::{JournalledEvent, event};

/// Version of the records; the first byte of each.
pub const JOURNAL_VERSION: u8 = 3;
/// Records above this go to the blob store, so that one append stays within its limit.
const RECORD_BYTES_MAX: usize = 256 << 10;
/// Most records and rows of a call are no longer.
const USUAL_BYTES: usize = 512;
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
    /// The record is these blobs, one after the other. A turn is one record whatever its size, so that it
    /// is durable as a whole or not at all.
    Parts(Vec<Hash>),
}

/// What is fixed when a run is stored. Holds the run's secret, so journals are as private as keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Opened {
    pub(crate) run: RunId,
    pub(crate) plan_hash: Hash,
    pub(crate) inputs: Vec<Value>,
    pub(crate) callable: Vec<bool>,
    pub(crate) cost_max: Option<Amount>,
    pub(crate) routes: Vec<Route>,
    /// Salts of the proof and the jitter of retries are derived from this.
    pub(crate) secret: [u8; 32],
    #[serde(with = "serde_bytes")]
    pub(crate) challenge: Vec<u8>,
    #[serde(with = "serde_bytes")]
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
    /// Bytes of a record, or of a row where `seq` is 0, cannot be fetched. A store that is damaged stays so; one that
    /// fails otherwise may have the bytes the next time.
    pub(crate) fn of_body(run: RunId, seq: u64, error: FetchError) -> Self {
        match error {
            FetchError::Store(error) if !matches!(error, store::Error::Corrupt { .. }) => Self::Store(error),
            error => Self::Unreadable { run, seq, what: error.to_string() },
        }
    }

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

/// Adds a record to an append; one that is too large becomes blobs and their addresses.
pub(crate) fn add(mut append: Append, record: &Record) -> Append {
    let bytes = versioned(record);
    if bytes.len() <= RECORD_BYTES_MAX {
        return append.record(bytes);
    }
    let spilled = match *spill(&bytes.into(), &mut append.blobs) {
        [hash] => Record::Spilled(hash),
        ref parts => Record::Parts(parts.to_vec()),
    };
    append.record(versioned(&spilled))
}

/// Reads a record, following it to the blob store where it is there.
pub(crate) async fn read(log: &dyn Log, run: RunId, record: &store::Record) -> Result<Record, JournalError> {
    let unreadable = |what: String| JournalError::Unreadable { run, seq: record.seq, what };
    let hashes = match unversioned(&record.bytes).map_err(unreadable)? {
        Record::Spilled(hash) => vec![hash],
        Record::Parts(hashes) => hashes,
        read => return Ok(read),
    };
    let bytes = gather(log, &hashes).await.map_err(|error| JournalError::of_body(run, record.seq, error))?;
    unversioned(&bytes).map_err(unreadable)
}

/// Bytes of stored data: a version, then [`postcard`].
pub(crate) fn versioned<T: Serialize>(data: &T) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(USUAL_BYTES);
    bytes.push(JOURNAL_VERSION);
    // Only maps and sequences of unknown length fail, and the types here have none.
    postcard::to_extend(data, bytes).unwrap_or_default()
}

/// The data that [`versioned`] made `bytes` of.
pub(crate) fn unversioned<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    match bytes.split_first() {
        Some((&JOURNAL_VERSION, rest)) => decode(rest),
        Some((other, _)) => Err(format!("it has version {other}, and this program knows {JOURNAL_VERSION}")),
        None => Err("it is empty".into()),
    }
}

pub(crate) fn encode<T: Serialize>(data: &T) -> Vec<u8> {
    // Only maps and sequences of unknown length fail, and the types here have none.
    postcard::to_stdvec(data).unwrap_or_default()
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    match postcard::take_from_bytes(bytes) {
        Ok((data, [])) => Ok(data),
        Ok((_, rest)) => Err(format!("{} bytes are left over", rest.len())),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::body::PART_BYTES_MAX;
    use super::*;

    /// A run whose journal is unreadable is ended for good; one whose store fails is taken up the next time.
    #[test]
    fn a_store_that_fails_says_nothing_of_what_it_holds() {
        let of = |error| JournalError::of_body(RunId([1; 16]), 3, error);
        assert!(matches!(of(FetchError::Store(store::Error::Closed)), JournalError::Store(_)));
        let damaged = store::Error::Corrupt { path: "store.db".into(), reason: "a page".into() };
        for error in
            [FetchError::Store(damaged), FetchError::Missing(Hash([1; 32])), "no event".to_owned().into()]
        {
            assert!(matches!(of(error), JournalError::Unreadable { seq: 3, .. }));
        }
    }

    #[tokio::test]
    async fn a_record_is_one_whatever_its_size() {
        let log = store::Memory::new();
        let run = RunId([1; 16]);
        let stream = StreamName::new("s").unwrap();
        for (seq, len) in (1..).zip([10, RECORD_BYTES_MAX, PART_BYTES_MAX, store::MAX_BLOB_BYTES]) {
            let told = RunEvent {
                seq,
                time_us: 0,
                kind: crate::view::RunEventKind::Closed,
                node: String::new(),
                iteration: Vec::new(),
                state: crate::view::EventState::Failed,
                attempt: 0,
                operation: String::new(),
                message: "x".repeat(len),
                spent: Amount::zero(schema::amount::Currency::MicroUsd),
            };
            let turn = Record::Turn(Turn { events: Vec::new(), intents: Vec::new(), told: vec![told] });
            log.append(add(Append::to(stream.clone()), &turn)).await.unwrap();
            let records = log.read(&stream, seq, 10).await.unwrap();
            assert_eq!((records.len(), records[0].seq), (1, seq));
            assert_eq!(read(&log, run, &records[0]).await.unwrap(), turn);
        }
    }
}
