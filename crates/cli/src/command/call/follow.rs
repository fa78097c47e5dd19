//! One call from its request to its answer.

use proto::v1;
use proto::v1::stream_response::Event;
use serde_json::Value;
use tonic::{Status, Streaming};
use tonic_types::StatusExt as _;

use super::{Context, Interrupts};
use crate::exit::{Exit, Failure};
use crate::service::{Connection, again, is_broken_connection};

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
    if seen.accepted.is_none() {
        return Err(stopped_early(seen.breaks.broken));
    }
    context.output.note("cancelling the call; Ctrl-C again leaves at once");
    seen.is_cancelled = true;
    let answer = tokio::select! {
        answer = seen.until_answered() => answer,
        () = interrupts.next() => return Err(Failure::said(Exit::Interrupted)),
    };
    Ok(seen.followed(answer))
}

/// Why nothing more is known of a call that nobody took before Ctrl-C. Whoever serves it learns from the connection alone that its
/// client has gone.
fn stopped_early(broken: u32) -> Failure {
    let message = "stopped before the call was known to have been made";
    let help = match broken {
        0 => "if it was, it is cancelled, and stays within its limit",
        _ => "the connection had broken: if it was made, it goes on within its limit",
    };
    Failure::new("E1508", message, help)
}

/// Cancels a call, or says that the way to its server broke. How it ended, also before it was cancelled, is told by the stream of
/// the call itself.
async fn cancel(connection: &Connection, name: String) -> Result<(), Status> {
    match connection.runs().cancel_run(v1::CancelRunRequest { name }).await {
        Err(status) if is_broken_connection(&status) => Err(status),
        _ => Ok(()),
    }
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

/// Connections that broke since something was heard that was not known before.
#[derive(Debug, Default)]
struct Breaks {
    broken: u32,
    /// What was told of the call so far; each connection tells it from the start. Parts of the answer are told once.
    told: usize,
    /// How much of that this connection has told.
    told_here: usize,
}

impl Breaks {
    fn heard(&mut self, event: &Event) {
        let is_new = match event {
            Event::Item(_) => true,
            _ => {
                self.told_here += 1;
                self.told_here > self.told
            }
        };
        self.told = self.told.max(self.told_here);
        if is_new {
            self.broken = 0;
        }
    }

    fn connects_anew(&mut self) {
        self.told_here = 0;
    }
}

/// What was seen of a call so far.
struct Seen<'a> {
    connection: &'a Connection,
    context: &'a Context,
    /// It has an id of its own, so that asking again calls nothing twice: the answer is that of the first.
    request: v1::StreamRequest,
    /// Where the call is told of, while the connection holds.
    events: Option<Streaming<v1::StreamResponse>>,
    breaks: Breaks,
    /// Whether it is to end. Until it has, every connection begins with saying so: a server that starts again goes on with the
    /// call, and one that broke off may not have heard.
    is_cancelled: bool,
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
            breaks: Breaks::default(),
            is_cancelled: false,
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
            if !again(self.connection, &status, &mut self.breaks.broken).await {
                return Err(status);
            }
            if self.breaks.broken == 1 {
                self.context.output.note("the connection broke; asking again, which calls nothing twice");
            }
            // What was told of the call is told anew, and parts of an answer are not: it is printed whole.
            self.charge_remarks.clear();
            self.printed = false;
        }
    }

    async fn until_answered_or_broken(&mut self) -> Result<v1::CallResponse, Status> {
        let (connection, run) =
            (self.connection, self.accepted.as_ref().map(|accepted| accepted.run.clone()));
        let cancelled = run.filter(|_| self.is_cancelled).map(|name| cancel(connection, name));
        match cancelled {
            Some(cancelled) => tokio::select! {
                answer = self.until_told() => answer,
                Err(status) = cancelled => Err(status),
            },
            None => self.until_told().await,
        }
    }

    async fn until_told(&mut self) -> Result<v1::CallResponse, Status> {
        while let Some(event) = self.next().await? {
            self.breaks.heard(&event);
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
                self.breaks.connects_anew();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_nobody_is_known_to_have_taken_counts_as_cancelled_only_over_a_whole_connection() {
        assert!(stopped_early(0).help.contains("it is cancelled"));
        assert!(stopped_early(1).help.contains("it goes on within its limit"));
    }

    #[test]
    fn what_is_heard_for_the_first_time_begins_the_count_of_breaks_anew() {
        let accepted = Event::Accepted(v1::CallAccepted::default());
        let attempt = Event::Attempt(v1::RunEvent::default());
        let item = Event::Item(v1::CallItem::default());
        let mut breaks = Breaks::default();
        for (told, broken) in [
            (&[&accepted][..], 1),
            (&[&accepted], 2),
            (&[], 3),
            (&[&accepted, &attempt], 1),
            (&[&accepted, &attempt], 2),
            (&[&accepted, &attempt, &item], 1),
        ] {
            breaks.connects_anew();
            told.iter().for_each(|event| breaks.heard(event));
            breaks.broken += 1;
            assert_eq!(breaks.broken, broken, "{breaks:?}");
        }
    }
}
