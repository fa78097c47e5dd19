//! The journal of a run: one record when it opens, then one per turn. A turn holds the events that were
//! taken in, the attempts they caused and what watchers were told; it is committed before any of that
//! leaves the process. So an intent is durable before its request is sent, and a result before it is used.

use bytes::Bytes;
use proof::answers::Answer;
use proof::attestation::Attestation;
use schema::amount::Amount;
use schema::error::CallError;
use schema::hash::Hash;
use schema::limits::INLINE_BODY_BYTES_MAX;
use schema::route::Route;
use schema::value::Value;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::{Append, BlobWrite, Log, StreamName};

use crate::core::{Actions, AttemptId, Event, Hit, LookupId, Outcome};
use crate::view::{RunEvent, RunId};

/// Version of the records; the first byte of each.
pub const JOURNAL_VERSION: u8 = 3;
/// Records above this go to the blob store, so that one append stays within its limit.
const RECORD_BYTES_MAX: usize = 256 << 10;
/// A blob above this is stored as several.
pub(crate) const PART_BYTES_MAX: usize = 8 << 20;
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
    pub(crate) challenge: Vec<u8>,
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
    LookedUp(u32, Option<JournalledHit>),
    Tick,
    Cancel,
    /// An attempt whose one answer its peer signed: the form of journals from before [`JournalledEvent::Answered`]. Events that
    /// are added stand behind the others, so that older journals are read.
    Attested(u32, Box<JournalledOutcome>, JournalledAttestation),
    /// An attempt with the answers it is made of, some of which their peer signed.
    Answered(u32, Box<JournalledOutcome>, Vec<JournalledAnswer>),
}

/// A signature that was found to hold. What it is of says how it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JournalledAttestation {
    signed: String,
    signature: Vec<u8>,
}

/// A part of an answer, by the lengths of its request and of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JournalledAnswer(u64, u64, Option<JournalledAttestation>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct JournalledHit {
    request: u32,
    answer: Body,
    origin: Hash,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct JournalledOutcome {
    /// The decoded answer, [`postcard`] of a [`Value`], rather than decoding the body again: what was used
    /// is what is replayed.
    result: Result<Body, CallError>,
    request: Body,
    response: Body,
    status: Option<u16>,
    pages: Option<u32>,
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
    /// One after the other; none is larger than [`PART_BYTES_MAX`].
    Parts(Vec<Hash>),
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
        Event::LookedUp(id, hit) => {
            let hit = hit.map(|hit| JournalledHit {
                request: hit.request,
                answer: Body::new(encode(&hit.answer).into(), blobs),
                origin: hit.origin,
            });
            JournalledEvent::LookedUp(id.0, hit)
        }
        Event::AttemptDone(id, outcome) => {
            let outcome = *outcome;
            let value = |value: Value| Body::new(encode(&value).into(), blobs);
            let result = outcome.result.map(value);
            let journalled = JournalledOutcome {
                result,
                request: Body::new(outcome.request, blobs),
                response: Body::new(outcome.response, blobs),
                status: outcome.status,
                pages: outcome.pages,
                observed_cost: outcome.observed_cost,
                peer: outcome.peer,
                sent: outcome.sent,
                started_us: outcome.started_us,
                duration_us: outcome.duration_us,
            };
            let journalled = Box::new(journalled);
            match outcome.answers.is_empty() {
                true => JournalledEvent::AttemptDone(id.0, journalled),
                false => {
                    let answers = outcome.answers.into_iter().map(JournalledAnswer::from).collect();
                    JournalledEvent::Answered(id.0, journalled, answers)
                }
            }
        }
    }
}

/// The event that was journalled, its bodies fetched.
pub(crate) async fn event(log: &dyn Log, event: JournalledEvent) -> Result<Event, String> {
    Ok(match event {
        JournalledEvent::Start => Event::Start,
        JournalledEvent::Interrupted(id) => Event::Interrupted(AttemptId(id)),
        JournalledEvent::LookedUp(id, None) => Event::LookedUp(LookupId(id), None),
        JournalledEvent::LookedUp(id, Some(hit)) => {
            let answer = decode(&hit.answer.fetch(log).await?)?;
            let hit = Hit { request: hit.request, answer, origin: hit.origin };
            Event::LookedUp(LookupId(id), Some(Box::new(hit)))
        }
        JournalledEvent::Tick => Event::Tick,
        JournalledEvent::Cancel => Event::Cancel,
        JournalledEvent::AttemptDone(id, outcome) => {
            Event::AttemptDone(AttemptId(id), Box::new(outcome.fetch(log).await?))
        }
        JournalledEvent::Attested(id, outcome, attestation) => {
            let mut outcome = outcome.fetch(log).await?;
            let attestation = Some(attestation.read()?);
            outcome.answers = vec![Answer::new(&outcome.request, &outcome.response, attestation)];
            Event::AttemptDone(AttemptId(id), Box::new(outcome))
        }
        JournalledEvent::Answered(id, outcome, answers) => {
            let answers = answers.into_iter().map(JournalledAnswer::read).collect::<Result<_, _>>()?;
            let outcome = Outcome { answers, ..outcome.fetch(log).await? };
            Event::AttemptDone(AttemptId(id), Box::new(outcome))
        }
    })
}

impl JournalledOutcome {
    /// The outcome, but for what peers signed of it.
    async fn fetch(self, log: &dyn Log) -> Result<Outcome, String> {
        let result = match self.result {
            Ok(body) => Ok(decode(&body.fetch(log).await?)?),
            Err(error) => Err(error),
        };
        Ok(Outcome {
            result,
            request: self.request.fetch(log).await?,
            response: self.response.fetch(log).await?,
            status: self.status,
            pages: self.pages,
            observed_cost: self.observed_cost,
            unread_charge: None,
            peer: self.peer,
            answers: Vec::new(),
            sent: self.sent,
            started_us: self.started_us,
            duration_us: self.duration_us,
        })
    }
}

impl JournalledAttestation {
    fn read(self) -> Result<Attestation, String> {
        Attestation::read(self.signed, &self.signature)
            .ok_or_else(|| "what a peer signed is not what peers sign".into())
    }
}

impl JournalledAnswer {
    fn read(self) -> Result<Answer, String> {
        let Self(request, response, signed) = self;
        Ok(Answer { request, response, attestation: signed.map(JournalledAttestation::read).transpose()? })
    }
}

impl From<Answer> for JournalledAnswer {
    fn from(answer: Answer) -> Self {
        let signed = answer.attestation.map(|Attestation { signed, signature, .. }| JournalledAttestation {
            signed,
            signature: signature.to_vec(),
        });
        Self(answer.request, answer.response, signed)
    }
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

    pub(crate) async fn fetch(self, log: &dyn Log) -> Result<Bytes, String> {
        let hashes = match self {
            Self::Inline(bytes) => return Ok(bytes.into()),
            Self::Blob(hash) => vec![hash],
            Self::Parts(hashes) => hashes,
        };
        match gather(log, &hashes).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(missing)) => Err(format!("body {} is missing", missing.short())),
            Err(error) => Err(error.to_string()),
        }
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

/// What [`spill`] moved to blobs, or the blob that is missing.
pub(crate) async fn gather(log: &dyn Log, hashes: &[Hash]) -> Result<Result<Bytes, Hash>, store::Error> {
    let mut gathered = Vec::new();
    for hash in hashes {
        match log.get_blob(hash).await? {
            Some(bytes) if hashes.len() == 1 => return Ok(Ok(bytes)),
            Some(bytes) => gathered.extend_from_slice(&bytes),
            None => return Ok(Err(*hash)),
        }
    }
    Ok(Ok(gathered.into()))
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
    let missing = |hash: Hash| unreadable(format!("its blob {} is missing", hash.short()));
    let bytes = gather(log, &hashes).await?.map_err(missing)?;
    unversioned(&bytes).map_err(unreadable)
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
    use super::*;

    #[tokio::test]
    async fn bytes_are_split_where_a_blob_would_be_too_large() {
        for (len, parts) in [(PART_BYTES_MAX, 1), (PART_BYTES_MAX + 1, 2), (store::MAX_BLOB_BYTES + 1, 3)] {
            let log = store::Memory::new();
            let bytes: Bytes = (0..len).map(|at| (at % 251) as u8).collect();
            let mut blobs = Vec::new();
            let hashes = spill(&bytes, &mut blobs);
            assert_eq!((hashes.len(), blobs.len()), (parts, parts));
            let append = Append { blobs, ..Append::to(StreamName::new("s").unwrap()) };
            assert_eq!(gather(&log, &hashes).await.unwrap(), Err(hashes[0]));
            log.append(append.record("x")).await.unwrap();
            assert_eq!(gather(&log, &hashes).await.unwrap(), Ok(bytes));
        }
    }

    fn answered(answers: Vec<Answer>) -> Event {
        let outcome = Outcome {
            result: Ok(Value::string("yes")),
            request: Bytes::from_static(b"rq"),
            response: Bytes::from_static(b"rs"),
            status: Some(200),
            pages: Some(1),
            observed_cost: None,
            unread_charge: None,
            peer: Some("5C".into()),
            answers,
            sent: true,
            started_us: 3,
            duration_us: 4,
        };
        Event::AttemptDone(AttemptId(7), Box::new(outcome))
    }

    const TEXT: &str = "twresp/1\nsr25519\n1790000000000000000\n5CzRdZLnRxWkyWoGZZbfvSCY4mbw1cmsow5q8cgZyGg1aiDq\n\
                        5CA3onFpA75kRSgNkF6twsDeumSA5NhLhxQWSdraSEL8vScn\n200\n\
                        5021e624e752b001ce3e3846e8f158ed4aeb93a4c9a72fdb35a0c5b14a0eea84";

    /// [`answered`] at 9, as journals had it before answers had signatures.
    const UNSIGNED: &str = "0301010901070000050403796573000272710002727301c801010100010235430103040000";

    #[tokio::test]
    async fn journals_from_before_there_were_signatures_or_parts_are_read() {
        let log = store::Memory::new();
        let new = |event| Turn::new(vec![(9, event)], &Actions::default(), Vec::new(), &mut Vec::new());
        let turn = |event| versioned(&Record::Turn(new(event)));
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let written = turn(answered(Vec::new()));
        assert_eq!(hex(&written), UNSIGNED);
        let signed = Attestation::read(TEXT.into(), &[6; 64]);
        let one = vec![Answer::new(b"rq", b"rs", signed.clone())];
        let parts = vec![Answer::new(b"r", b"", signed), Answer::new(b"", b"r", None)];
        for event in [answered(Vec::new()), answered(one.clone()), answered(parts)] {
            let Ok(Record::Turn(mut read)) = unversioned(&turn(event.clone())) else { panic!("a turn") };
            let (at_us, journalled) = read.events.remove(0);
            assert_eq!((at_us, super::event(&log, journalled).await), (9, Ok(event)));
        }

        // A journal from before answers had parts says that the whole answer is signed.
        let mut before = new(answered(Vec::new()));
        let (_, JournalledEvent::AttemptDone(7, outcome)) = before.events.remove(0) else {
            panic!("an outcome")
        };
        let attestation = JournalledAttestation { signed: TEXT.into(), signature: vec![6; 64] };
        before.events.push((9, JournalledEvent::Attested(7, outcome, attestation)));
        let bytes = versioned(&Record::Turn(before));
        assert_eq!(bytes[4], 6, "the number of the event");
        let Ok(Record::Turn(mut read)) = unversioned(&bytes) else { panic!("a turn") };
        assert_eq!(super::event(&log, read.events.remove(0).1).await, Ok(answered(one)));
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
