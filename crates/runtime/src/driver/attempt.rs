//! One attempt on the wire.

use std::sync::Arc;
use std::time::Duration;

use schema::amount::Amount;
use schema::error::{CallError, CallErrorKind};
use schema::hash::{Context, Hash};
use schema::route::CallSample;
use subnet::hotkey::Hotkey;
use subnet::secrets::SecretStore;
use subnet::{CallContext, CallOutcome, Follow, Listen};
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use super::{Clock, LoadedPlan, Services};
use crate::core::{AttemptId, Outcome, Send};
use crate::view::RunId;

/// What came of an attempt.
pub(crate) type Answer = (AttemptId, Box<Outcome>);

/// How much earlier than the scheduler the transport gives up, at most: only the transport knows whether
/// anything was sent, so its word should come first.
const EARLIER: Duration = Duration::from_millis(4);

/// What all attempts of a run share.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) run: RunId,
    pub(crate) challenge: Hash,
    pub(crate) plan: Arc<LoadedPlan>,
    pub(crate) services: Arc<Services>,
    /// What the tenant of the run calls with.
    pub(crate) secrets: Arc<SecretStore>,
    pub(crate) hotkey: Option<Arc<Hotkey>>,
    pub(crate) listener: Option<Arc<dyn Listen>>,
    pub(crate) clock: Clock,
    pub(crate) answers: mpsc::Sender<Answer>,
    /// Dropped last, so that whoever waits for this attempt to be gone finds the services released.
    pub(crate) _alive: watch::Receiver<()>,
}

impl Caller {
    /// Performs an attempt.
    pub(crate) async fn perform(self, send: Send) -> Answer {
        let started_us = self.clock.now_us();
        let outcome = self.call(&send, started_us).await;
        self.sample(&send, &outcome);
        (send.attempt, Box::new(outcome))
    }

    /// Performs an attempt in a task of its own and tells the run what came of it.
    pub(crate) fn spawn(&self, send: Send) -> AbortHandle {
        let caller = self.clone();
        let task = tokio::spawn(async move {
            let answers = caller.answers.clone();
            // A run that is over does not listen any more.
            let _ = answers.send(caller.perform(send).await).await;
        });
        task.abort_handle()
    }

    async fn call(&self, send: &Send, started_us: u64) -> Outcome {
        let Some(operation) = self.plan.operation(send.operation) else {
            let message = "the operation cannot be called from here any more";
            let error = CallError::new(CallErrorKind::Unauthorized, "E1155", message);
            return Outcome::unsent(error, started_us);
        };
        let left = Duration::from_micros(send.deadline_us.saturating_sub(started_us));
        let context = CallContext {
            request_nonce: self.nonce(send.attempt).0,
            timeout: left.saturating_sub(EARLIER.min(left / 10)),
            secrets: &self.secrets,
            hotkey: self.hotkey.as_deref(),
            follow: self.follow(send),
            listener: self.listener.as_deref(),
        };
        let CallOutcome {
            result,
            redacted_request,
            response_body,
            status,
            timings,
            pages,
            observed_cost,
            unread_charge,
            peer,
            answers,
            sent,
        } = self.services.client.call(operation, &send.request, &context).await;
        Outcome {
            result,
            request: redacted_request,
            response: response_body,
            status,
            pages: Some(pages),
            observed_cost,
            unread_charge,
            peer,
            answers,
            sent,
            started_us,
            duration_us: u64::try_from(timings.total.as_micros()).unwrap_or(u64::MAX),
        }
    }

    /// How far an answer in pages is read, and how a task is asked after.
    fn follow(&self, send: &Send) -> Follow {
        let Some(spec) = self.plan.prepared.call(send.node, send.level) else { return Follow::default() };
        Follow {
            pages: spec.pages,
            every: spec.poll.every_us.map(Duration::from_micros),
            polls: spec.poll.max,
        }
    }

    /// Unique for each sending, and bound to the challenge the run answers.
    fn nonce(&self, attempt: AttemptId) -> Hash {
        Context::Challenge.hash(&[&self.challenge.0, &self.run.0, &attempt.0.to_be_bytes()])
    }

    fn sample(&self, send: &Send, outcome: &Outcome) {
        let Some(samples) = &self.services.samples else { return };
        let Some(operation) = self.plan.operation(send.operation) else { return };
        let sample = CallSample {
            operation: operation.id().clone(),
            started_at_us: i64::try_from(outcome.started_us).unwrap_or(i64::MAX),
            duration_us: outcome.duration_us,
            error: outcome.result.as_ref().err().map(|error| error.kind),
            cost: outcome.observed_cost.map(|cost| each(cost, outcome.pages)),
        };
        // Statistics never hold up a run.
        let _ = samples.try_send(sample);
    }
}

/// What one of so many requests cost: entries price each page of an answer.
fn each(cost: Amount, requests: Option<u32>) -> Amount {
    Amount::new(cost.units.div_ceil(u64::from(requests.unwrap_or(1).max(1))), cost.currency)
}
