//! What a client is told while a call or run goes on, where it asked for it.

use proto::v1;
use rmcp::RoleServer;
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::{Peer, RequestContext};

use crate::money;

/// Tells progress to the client that gave a token.
#[derive(Debug)]
pub(crate) struct Progress {
    to: Option<(ProgressToken, Peer<RoleServer>)>,
    told: u32,
}

impl Progress {
    pub(crate) fn of(context: &RequestContext<RoleServer>) -> Self {
        let token = context.meta.get_progress_token();
        Self { to: token.map(|token| (token, context.peer.clone())), told: 0 }
    }

    /// Tells one step. Whether it arrives is the client's affair.
    pub(crate) async fn tell(&mut self, message: String) {
        let Some((token, peer)) = &self.to else { return };
        self.told += 1;
        let step = ProgressNotificationParam::new(token.clone(), f64::from(self.told)).with_message(message);
        let _ = peer.notify_progress(step).await;
    }

    /// Tells an event of a run, if it is one that says something.
    pub(crate) async fn event(&mut self, event: &v1::RunEvent) {
        if self.to.is_some()
            && let Some(message) = message(event)
        {
            self.tell(message).await;
        }
    }
}

fn message(event: &v1::RunEvent) -> Option<String> {
    let mut text = match event.kind() {
        v1::RunEventKind::AttemptSent => {
            format!("{}: attempt {} sent to {}", event.node, event.attempt, event.operation)
        }
        v1::RunEventKind::AttemptDone => {
            format!("{}: attempt {} of {} {}", event.node, event.attempt, event.operation, event.state)
        }
        v1::RunEventKind::Node if !event.node.is_empty() => format!("{}: {}", event.node, event.state),
        v1::RunEventKind::Closed => format!("run {}", event.state),
        _ => return None,
    };
    if !event.message.is_empty() {
        text.push_str(&format!(", {}", event.message));
    }
    if let Some(spent) = money::text(event.spent.as_ref()) {
        text.push_str(&format!(" ({spent} so far)"));
    }
    Some(text)
}
