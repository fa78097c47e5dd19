//! Answers as server-sent events: each part goes on the moment it comes. The answer's head waits for the first part, so
//! that a call that fails before it has said anything fails with its own status.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::{BufMut as _, Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, StatusCode};
use serde_json::Value;
use tokio::time::{Instant, timeout, timeout_at};

use crate::answer::{self, Head};
use crate::error::{Failure, code};
use crate::models::Model;
use crate::retries::Attempt;
use crate::shape::{Answer, Serves};
use crate::told::{Answered, Receipt, Telling, Told};

/// How long the head waits for the first part; well below the minute in which a server must begin to answer.
const HEAD_WAIT: Duration = Duration::from_secs(20);
/// How long nothing is said before a comment says that the stream is alive.
const ALIVE: Duration = Duration::from_secs(15);
/// Asks proxies not to hold parts back.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// What the client asked for.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) model: Arc<Model>,
    /// The id by which it was asked for.
    pub(crate) id: String,
    pub(crate) usage: bool,
}

/// A stream on its way. Dropping it cancels the call.
pub(crate) struct Stream {
    told: Telling,
    wanted: Wanted,
    attempt: Attempt,
    head: Head,
    run: String,
    /// Bytes that are ready to go.
    ready: BytesMut,
    /// Whether a part was given on, which cannot be taken back.
    said: bool,
    /// Whether the attempt whose parts were given on has ended.
    spent: bool,
    usage: Option<Value>,
    ended: bool,
}

impl Stream {
    pub(crate) fn new(told: Telling, wanted: Wanted, attempt: Attempt) -> Self {
        let head = Head::new(&wanted.id, "");
        Self {
            told,
            wanted,
            attempt,
            head,
            run: String::new(),
            ready: BytesMut::new(),
            said: false,
            spent: false,
            usage: None,
            ended: false,
        }
    }

    /// The response, when there is something to say or after a while.
    pub(crate) async fn begin(mut self) -> Result<Response, Failure> {
        let deadline = Instant::now() + HEAD_WAIT;
        while self.ready.is_empty() && !self.ended {
            match timeout_at(deadline, self.advance()).await {
                Ok(Ok(())) => {}
                Ok(Err(failure)) => {
                    self.attempt.answered();
                    return Err(failure);
                }
                Err(_) => break,
            }
        }
        let known = Receipt { run: self.run.clone(), ..Receipt::default() };
        let parts = stream::unfold(self, |mut stream| async {
            let part = stream.next().await?;
            Some((Ok::<_, Infallible>(part), stream))
        });
        let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-cache"), (BUFFERING, "no")];
        let mut response = (headers, Body::from_stream(parts)).into_response();
        known.write(response.headers_mut());
        Ok(response)
    }

    /// The next bytes; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        while self.ready.is_empty() {
            if self.ended {
                self.attempt.answered();
                return None;
            }
            match timeout(ALIVE, self.advance()).await {
                Ok(Ok(())) => {}
                Ok(Err(failure)) => {
                    // As OpenAI's clients read it: an event with `error`, and no `[DONE]`.
                    self.event(&failure.body());
                    self.ended = true;
                }
                Err(_) => self.ready.put_slice(b": alive\n\n"),
            }
        }
        Some(self.ready.split().freeze())
    }

    /// Takes in what is told next. Nothing is lost where it is dropped while it waits.
    async fn advance(&mut self) -> Result<(), Failure> {
        match self.told.next().await.transpose()? {
            Some(Told::Accepted(run)) => {
                self.head = Head::new(&self.wanted.id, &run);
                self.attempt.is_run(&run);
                self.run = run;
            }
            Some(Told::Sent | Told::Item(_)) if self.spent => return Err(self.broke_off()),
            Some(Told::Sent) => {}
            Some(Told::Ended) => self.spent = self.said,
            Some(Told::Item(part)) => self.part(part),
            Some(Told::Answered(answered)) => self.end(answered)?,
            None => return Err(self.stopped()),
        }
        Ok(())
    }

    fn kind(&self) -> Option<Answer> {
        match &self.wanted.model.shape.serves {
            Serves::Chat(_, kind) => Some(kind.clone()),
            Serves::Embeddings => None,
        }
    }

    fn part(&mut self, part: Value) {
        let chunk =
            self.kind().and_then(|kind| self.head.chunk_of(&kind, self.wanted.model.part.as_deref(), part));
        // What is of another kind comes with the answer.
        let Some(mut chunk) = chunk else { return };
        let (usage, says_more) = answer::take_usage(&mut chunk);
        self.usage = usage.or_else(|| self.usage.take());
        if says_more {
            self.chunk(chunk);
        }
    }

    /// What is left to say when the answer is there: all of it where it came in one piece, usage, cost, the end.
    fn end(&mut self, answered: Answered) -> Result<(), Failure> {
        let Answered { result, receipt } = answered;
        let usage = self.usage.take().or_else(|| result.get("usage").cloned());
        if !self.said {
            let completion = self.kind().and_then(|kind| self.head.completion(&kind, result));
            let Some(completion) = completion else {
                return Err(Failure::answer(receipt, "the answer holds no text"));
            };
            for chunk in answer::chunks_of(&self.head, &completion) {
                self.chunk(chunk);
            }
        }
        if self.wanted.usage {
            let mut last = self.head.chunk(Value::Array(Vec::new()));
            if let Value::Object(fields) = &mut last {
                fields.insert("usage".into(), usage.unwrap_or_default());
                fields.insert("orchestra".into(), receipt.json());
            }
            self.event(&last);
        }
        // A comment, which no client takes for a part of the answer.
        self.ready.put_slice(format!(": orchestra {}\n\ndata: [DONE]\n\n", receipt.json()).as_bytes());
        self.ended = true;
        Ok(())
    }

    fn chunk(&mut self, mut chunk: Value) {
        if let (true, Value::Object(fields)) = (self.wanted.usage, &mut chunk) {
            fields.insert("usage".into(), Value::Null);
        }
        self.said = true;
        self.event(&chunk);
    }

    fn event(&mut self, event: &Value) {
        self.ready.put_slice(format!("data: {event}\n\n").as_bytes());
    }

    fn broke_off(&self) -> Failure {
        let receipt = Receipt { run: self.run.clone(), ..Receipt::default() };
        Failure::answer(
            receipt,
            "the answer broke off after parts of it were given on, and the next attempt was not waited for",
        )
    }

    fn stopped(&self) -> Failure {
        let receipt = Receipt { run: self.run.clone(), ..Receipt::default() };
        let message = "the service stopped telling of the call; its run has the rest";
        Failure::new(StatusCode::BAD_GATEWAY, code::ANSWER, message).settled(receipt)
    }
}
