//! One call from its request to its answer.

use proto::v1;
use proto::v1::stream_response::Event;
use serde_json::Value;
use tonic::{Status, Streaming};

use super::{Context, Interrupts};
use crate::exit::{Exit, Failure};
use crate::service::Connection;

/// A call that was answered.
#[derive(Debug)]
pub(super) struct Followed {
    pub(super) answer: v1::CallResponse,
    /// Whether the answer was printed in parts already.
    pub(super) printed: bool,
}

/// Why there is no answer.
pub(super) enum Stopped {
    /// The service says why.
    Refused(Status),
    /// Something on this side.
    Failure(Failure),
}

/// Makes the call and waits for its answer. Ctrl-C cancels it and waits until it has settled; a second one leaves at
/// once.
pub(super) async fn follow(
    connection: &Connection,
    request: v1::CallRequest,
    context: &Context,
    print_parts: bool,
    interrupts: &mut Interrupts,
) -> Result<Followed, Stopped> {
    let mut calls = connection.calls();
    let request = v1::StreamRequest { call: Some(request), want_items: print_parts };
    let mut events = tokio::select! {
        response = calls.stream(request) => response.map_err(Stopped::Refused)?.into_inner(),
        () = interrupts.next() => {
            let message = "stopped before the call was known to have been made";
            let help = "if it was, it is cancelled, and stays within its limit";
            return Err(Stopped::Failure(Failure::new("E1508", message, help)));
        }
    };
    let mut seen = Seen { context, print_parts, run: String::new(), printed: false };
    let answer = tokio::select! {
        answer = seen.until_answered(&mut events) => Some(answer),
        () = interrupts.next() => None,
    };
    let answer = match answer {
        Some(answer) => answer,
        None => {
            context.output.note("cancelling the call; Ctrl-C again leaves at once");
            let cancel = v1::CancelRunRequest { name: seen.run.clone() };
            let mut runs = connection.runs();
            tokio::select! {
                // How it ended is told by the stream of the call itself.
                (_, answer) = async { tokio::join!(runs.cancel_run(cancel), seen.until_answered(&mut events)) } => answer,
                () = interrupts.next() => return Err(Stopped::Failure(Failure::said(Exit::Interrupted))),
            }
        }
    };
    let printed = seen.printed;
    answer.map(|answer| Followed { answer, printed }).map_err(Stopped::Refused)
}

/// Whether an attempt brought an answer, and something is to be said of its charge.
fn is_remarked(attempt: &v1::RunEvent) -> bool {
    attempt.kind() == v1::RunEventKind::AttemptDone
        && attempt.state == "succeeded"
        && !attempt.message.is_empty()
}

/// What was seen of a call so far.
struct Seen<'a> {
    context: &'a Context,
    print_parts: bool,
    run: String,
    printed: bool,
}

impl Seen<'_> {
    async fn until_answered(
        &mut self,
        events: &mut Streaming<v1::StreamResponse>,
    ) -> Result<v1::CallResponse, Status> {
        while let Some(response) = events.message().await? {
            match response.event {
                Some(Event::Completed(answer)) => return Ok(answer),
                Some(Event::Accepted(accepted)) => self.run = accepted.run,
                Some(Event::Attempt(attempt)) if self.print_parts || is_remarked(&attempt) => {
                    self.attempt(&attempt);
                }
                Some(Event::Item(item)) if self.print_parts => self.item(&item),
                Some(Event::Attempt(_) | Event::Item(_)) | None => {}
            }
        }
        Err(Status::unavailable("the answer broke off"))
    }

    fn attempt(&self, attempt: &v1::RunEvent) {
        let what = match attempt.kind() {
            v1::RunEventKind::AttemptSent => "sent",
            _ => attempt.state.as_str(),
        };
        let why = if attempt.message.is_empty() { String::new() } else { format!(": {}", attempt.message) };
        self.context.output.note(&format!("{} {what}{why}", attempt.operation));
    }

    /// A part goes to standard output as it comes, one to a line.
    fn item(&mut self, item: &v1::CallItem) {
        self.printed = true;
        if let Ok(part) = serde_json::from_slice::<Value>(&item.item_json) {
            self.context.output.document(&part);
        }
    }
}
