//! Events as lines of text, and as JSON.

use std::time::Duration;

use proto::v1;
use serde_json::{Value, json};

use crate::output::money;

/// The line of an event; nothing for those that only a live view needs.
pub(super) fn plain(event: &v1::RunEvent, at: Duration, spent: &str) -> Option<String> {
    let reason = if event.message.is_empty() { String::new() } else { format!(": {}", event.message) };
    let text = match event.kind() {
        v1::RunEventKind::Unspecified | v1::RunEventKind::Heartbeat => return None,
        v1::RunEventKind::Opened => "run     opened".to_owned(),
        v1::RunEventKind::Node if matches!(event.state.as_str(), "running" | "waiting") => return None,
        v1::RunEventKind::Node => format!("node    {} {}{reason}", name(event), event.state),
        v1::RunEventKind::AttemptSent => {
            let again =
                if event.attempt > 1 { format!(" (attempt {})", event.attempt) } else { String::new() };
            format!("call    {} -> {}{again}", name(event), event.operation)
        }
        v1::RunEventKind::AttemptDone if event.message.is_empty() => return None,
        v1::RunEventKind::AttemptDone => {
            format!("attempt {} of {} {}{reason}", event.attempt, name(event), event.state)
        }
        v1::RunEventKind::Closed => format!("run     {}{reason}, {spent} spent", event.state),
    };
    Some(format!("{:>7.3}s  {text}", at.as_secs_f64()))
}

/// The event for a program: every field of the wire that is set.
pub(super) fn json(event: &v1::RunEvent) -> Value {
    let kind = match event.kind() {
        v1::RunEventKind::Unspecified => "unspecified",
        v1::RunEventKind::Opened => "opened",
        v1::RunEventKind::Node => "node",
        v1::RunEventKind::AttemptSent => "attempt_sent",
        v1::RunEventKind::AttemptDone => "attempt_done",
        v1::RunEventKind::Closed => "closed",
        v1::RunEventKind::Heartbeat => "heartbeat",
    };
    let time_us = event.time.as_ref().map(|time| time.seconds * 1_000_000 + i64::from(time.nanos) / 1_000);
    json!({
        "seq": event.seq,
        "time_us": time_us,
        "kind": kind,
        "node": event.node,
        "iteration": event.iteration,
        "state": event.state,
        "attempt": event.attempt,
        "operation": event.operation,
        "message": event.message,
        "spent": money::document(event.spent.as_ref()),
    })
}

/// `label[0][2]`.
pub(super) fn name(event: &v1::RunEvent) -> String {
    let indices: String = event.iteration.iter().map(|index| format!("[{index}]")).collect();
    format!("{}{indices}", event.node)
}
