//! One call from its request to its answer.

use proto::v1;
use proto::v1::stream_response::Event;
use serde_json::Value;
use tonic::{Status, Streaming};

use super::{Context, Interrupts};
use crate::exit::{Exit, Failure};
use crate::service::Connection;

/// What stands before what an attempt says of its charge: one above the agreed, and one that cannot be read.
const CHARGE_REMARKS: [&str; 2] = ["[E1406] ", "[E1408] "];

/// A call that was made.
#[derive(Debug)]
pub(super) struct Followed {
    /// Its answer, or why there is none as the service says it.
    pub(super) ended: Result<v1::CallResponse, Status>,
    /// Its run, where the service said that it is on its way.
    pub(super) accepted: Option<v1::CallAccepted>,
    /// What attempts say of their charges.
    pub(super) charge_remarks: Vec<String>,
    /// Whether the answer was printed in parts already.
    pub(super) printed: bool,
}

/// Makes the call and waits for its answer. Ctrl-C cancels it and waits until it has settled; a second one leaves at
/// once.
pub(super) async fn follow(
    connection: &Connection,
    request: v1::CallRequest,
    context: &Context,
    print_parts: bool,
    interrupts: &mut Interrupts,
) -> Result<Followed, Failure> {
    let mut calls = connection.calls();
    let request = v1::StreamRequest { call: Some(request), want_items: print_parts };
    let mut seen = Seen { context, print_parts, accepted: None, charge_remarks: Vec::new(), printed: false };
    let response = tokio::select! {
        response = calls.stream(request) => response,
        () = interrupts.next() => {
            let message = "stopped before the call was known to have been made";
            let help = "if it was, it is cancelled, and stays within its limit";
            return Err(Failure::new("E1508", message, help));
        }
    };
    let mut events = match response {
        Ok(response) => response.into_inner(),
        Err(status) => return Ok(seen.followed(Err(status))),
    };
    let answer = tokio::select! {
        answer = seen.until_answered(&mut events) => Some(answer),
        () = interrupts.next() => None,
    };
    let answer = match answer {
        Some(answer) => answer,
        None => {
            context.output.note("cancelling the call; Ctrl-C again leaves at once");
            let name = seen.accepted.as_ref().map(|accepted| accepted.run.clone()).unwrap_or_default();
            let cancel = v1::CancelRunRequest { name };
            let mut runs = connection.runs();
            tokio::select! {
                // How it ended is told by the stream of the call itself.
                (_, answer) = async { tokio::join!(runs.cancel_run(cancel), seen.until_answered(&mut events)) } => answer,
                () = interrupts.next() => return Err(Failure::said(Exit::Interrupted)),
            }
        }
    };
    Ok(seen.followed(answer))
}

/// What an attempt says of its charge, which stands behind why it failed where it did.
fn charge_remark(attempt: &v1::RunEvent) -> Option<&str> {
    let message = attempt.message.as_str();
    let at = CHARGE_REMARKS.iter().filter_map(|code| message.rfind(code)).max()?;
    message.get(at..)
}

/// What was seen of a call so far.
struct Seen<'a> {
    context: &'a Context,
    print_parts: bool,
    accepted: Option<v1::CallAccepted>,
    charge_remarks: Vec<String>,
    printed: bool,
}

impl Seen<'_> {
    fn followed(self, ended: Result<v1::CallResponse, Status>) -> Followed {
        let Self { accepted, charge_remarks, printed, .. } = self;
        Followed { ended, accepted, charge_remarks, printed }
    }

    async fn until_answered(
        &mut self,
        events: &mut Streaming<v1::StreamResponse>,
    ) -> Result<v1::CallResponse, Status> {
        while let Some(response) = events.message().await? {
            match response.event {
                Some(Event::Completed(answer)) => return Ok(answer),
                Some(Event::Accepted(accepted)) => self.accepted = Some(accepted),
                Some(Event::Attempt(attempt)) => self.attempt(&attempt),
                Some(Event::Item(item)) if self.print_parts => self.item(&item),
                Some(Event::Item(_)) | None => {}
            }
        }
        Err(Status::unavailable("the answer broke off"))
    }

    fn attempt(&mut self, attempt: &v1::RunEvent) {
        let remark = charge_remark(attempt);
        self.charge_remarks.extend(remark.map(str::to_owned));
        let why = match remark {
            _ if self.print_parts => attempt.message.as_str(),
            Some(remark) => remark,
            None => return,
        };
        let what = match attempt.kind() {
            v1::RunEventKind::AttemptSent => "sent",
            _ => attempt.state.as_str(),
        };
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
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
