//! One call from its request to its answer.

use proto::v1;
use proto::v1::stream_response::Event;
use serde_json::Value;
use tonic::{Status, Streaming};
use tonic_types::StatusExt as _;

use super::{Context, Interrupts};
use crate::exit::{Exit, Failure};
use crate::service::{Connection, again};

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

/// Makes the call and waits for its answer, over as many connections as it takes. Ctrl-C cancels it and waits until it has settled; a
/// second one leaves at once.
pub(super) async fn follow(
    connection: &Connection,
    request: v1::CallRequest,
    context: &Context,
    print_parts: bool,
    interrupts: &mut Interrupts,
) -> Result<Followed, Failure> {
    let mut seen = Seen::nothing(connection, request, context, print_parts);
    let answer = tokio::select! {
        answer = seen.until_answered() => Some(answer),
        () = interrupts.next() => None,
    };
    if let Some(answer) = answer {
        return Ok(seen.followed(answer));
    }
    let Some(accepted) = &seen.accepted else {
        let message = "stopped before the call was known to have been made";
        return Err(Failure::new("E1508", message, "if it was, it is cancelled, and stays within its limit"));
    };
    context.output.note("cancelling the call; Ctrl-C again leaves at once");
    let cancel = v1::CancelRunRequest { name: accepted.run.clone() };
    let mut runs = connection.runs();
    let answer = tokio::select! {
        // How it ended is told by the stream of the call itself.
        (_, answer) = async { tokio::join!(runs.cancel_run(cancel), seen.until_answered()) } => answer,
        () = interrupts.next() => return Err(Failure::said(Exit::Interrupted)),
    };
    Ok(seen.followed(answer))
}

/// Whether the service says how the call ended, and not the way to it that it broke.
fn has_ended(status: &Status) -> bool {
    status.get_details_error_info().is_some_and(|info| info.metadata.contains_key("run"))
}

/// What an attempt says of its charge, which stands behind why it failed where it did.
fn charge_remark(attempt: &v1::RunEvent) -> Option<&str> {
    let message = attempt.message.as_str();
    let at = CHARGE_REMARKS.iter().filter_map(|code| message.rfind(code)).max()?;
    message.get(at..)
}

/// What was seen of a call so far.
struct Seen<'a> {
    connection: &'a Connection,
    context: &'a Context,
    /// It has an id of its own, so that asking again calls nothing twice: the answer is that of the first.
    request: v1::StreamRequest,
    /// Where the call is told of, while the connection holds.
    events: Option<Streaming<v1::StreamResponse>>,
    /// Connections that broke.
    broken: u32,
    print_parts: bool,
    accepted: Option<v1::CallAccepted>,
    charge_remarks: Vec<String>,
    printed: bool,
}

impl<'a> Seen<'a> {
    fn nothing(
        connection: &'a Connection,
        request: v1::CallRequest,
        context: &'a Context,
        print_parts: bool,
    ) -> Self {
        let request = v1::StreamRequest { call: Some(request), want_items: print_parts };
        Self {
            connection,
            context,
            request,
            events: None,
            broken: 0,
            print_parts,
            accepted: None,
            charge_remarks: Vec::new(),
            printed: false,
        }
    }

    fn followed(self, ended: Result<v1::CallResponse, Status>) -> Followed {
        let Self { accepted, charge_remarks, printed, .. } = self;
        Followed { ended, accepted, charge_remarks, printed }
    }

    /// Where this is dropped before it has ended, it can be called again.
    async fn until_answered(&mut self) -> Result<v1::CallResponse, Status> {
        loop {
            let status = match self.until_answered_or_broken().await {
                Err(status) if !has_ended(&status) => status,
                ended => return ended,
            };
            self.events = None;
            if !again(self.connection, &status, &mut self.broken).await {
                return Err(status);
            }
            if self.broken == 1 {
                self.context.output.note("the connection broke; asking again, which calls nothing twice");
            }
            // What was told of the call is told anew, and parts of an answer are not: it is printed whole.
            self.charge_remarks.clear();
            self.printed = false;
        }
    }

    async fn until_answered_or_broken(&mut self) -> Result<v1::CallResponse, Status> {
        while let Some(event) = self.next().await? {
            match event {
                Event::Completed(answer) => return Ok(answer),
                Event::Accepted(accepted) => self.accepted = Some(accepted),
                Event::Attempt(attempt) => self.attempt(&attempt),
                Event::Item(item) if self.print_parts => self.item(&item),
                Event::Item(_) => {}
            }
        }
        Err(Status::unavailable("the answer broke off"))
    }

    async fn next(&mut self) -> Result<Option<Event>, Status> {
        let events = match &mut self.events {
            Some(events) => events,
            None => {
                let events = self.connection.calls().stream(self.request.clone()).await?;
                self.events.insert(events.into_inner())
            }
        };
        Ok(events.message().await?.and_then(|response| response.event))
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
