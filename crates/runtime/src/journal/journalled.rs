//! Events as a journal has them: their bodies may be in the blob store.

use proof::answers::Answer;
use proof::attestation::Attestation;
use schema::amount::Amount;
use schema::error::CallError;
use schema::hash::Hash;
use schema::value::Value;
use serde::{Deserialize, Serialize};
use store::{BlobWrite, Log};

use super::body::{Body, FetchError};
use super::{decode, encode};
use crate::core::{AttemptId, Event, Hit, LookupId, Outcome};

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
    Lost(u32),
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

/// The form that a journal has of an event; bodies that are too large go to `blobs`.
pub(super) fn journalled(event: Event, blobs: &mut Vec<BlobWrite>) -> JournalledEvent {
    match event {
        Event::Start => JournalledEvent::Start,
        Event::Interrupted(id) => JournalledEvent::Interrupted(id.0),
        Event::Lost(id) => JournalledEvent::Lost(id.0),
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
pub(crate) async fn event(log: &dyn Log, event: JournalledEvent) -> Result<Event, FetchError> {
    Ok(match event {
        JournalledEvent::Start => Event::Start,
        JournalledEvent::Interrupted(id) => Event::Interrupted(AttemptId(id)),
        JournalledEvent::Lost(id) => Event::Lost(AttemptId(id)),
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
            let answers = answers.into_iter().map(JournalledAnswer::read).collect::<Result<_, String>>()?;
            let outcome = Outcome { answers, ..outcome.fetch(log).await? };
            Event::AttemptDone(AttemptId(id), Box::new(outcome))
        }
    })
}

impl JournalledOutcome {
    /// The outcome, but for what peers signed of it.
    async fn fetch(self, log: &dyn Log) -> Result<Outcome, FetchError> {
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::{Record, Turn, unversioned, versioned};
    use super::*;
    use crate::core::Actions;

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
            assert_eq!((at_us, super::event(&log, journalled).await.unwrap()), (9, event));
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
        assert_eq!(super::event(&log, read.events.remove(0).1).await.unwrap(), answered(one));
    }
}
