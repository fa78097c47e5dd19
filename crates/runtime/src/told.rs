//! What watchers are told, from what the scheduler does.

use crate::core::{AboveAgreed, Cost, End, Instance, NodeState, Prepared, Progress, ProgressKind};
use crate::view::{CostRow, EventState, RunEvent, RunEventKind};

/// A peer charged more than the price or `max_price` it was asked under.
const ABOVE_AGREED: &str = "E1406";
/// A peer stated a charge that cannot be read.
const UNREAD_CHARGE: &str = "E1408";

/// The event number `seq` of a run of `plan`.
pub(crate) fn event(plan: &Prepared, seq: u64, progress: &Progress) -> RunEvent {
    let Progress { time_us, spent, .. } = *progress;
    let plain = |kind, state| RunEvent {
        seq,
        time_us,
        kind,
        node: String::new(),
        iteration: Vec::new(),
        state,
        attempt: 0,
        operation: String::new(),
        message: String::new(),
        spent,
    };
    let of = |event: RunEvent, instance: &Instance| RunEvent {
        node: plan.label(instance.node).to_owned(),
        iteration: instance.iteration.to_vec(),
        ..event
    };
    match &progress.kind {
        ProgressKind::Opened => plain(RunEventKind::Opened, EventState::Running),
        ProgressKind::Node { instance, state, message } => {
            let event = of(plain(RunEventKind::Node, state_of(*state)), instance);
            RunEvent { message: message.clone(), ..event }
        }
        ProgressKind::AttemptSent { instance, attempt, operation } => {
            let event = of(plain(RunEventKind::AttemptSent, EventState::Running), instance);
            RunEvent { attempt: *attempt, operation: operation_id(plan, *operation), ..event }
        }
        ProgressKind::AttemptDone { instance, attempt, operation, error, above, unread_charge, .. } => {
            let state = if error.is_some() { EventState::Failed } else { EventState::Succeeded };
            let event = of(plain(RunEventKind::AttemptDone, state), instance);
            let failed = error.as_ref().map(|error| format!("[{}] {error}", error.code));
            let unread = unread_charge
                .as_ref()
                .map(|why| format!("[{UNREAD_CHARGE}] the charge that is stated cannot be read: {why}"));
            let message = [failed, above.as_ref().map(above_agreed), unread].into_iter().flatten();
            let message = message.collect::<Vec<_>>().join("; ");
            RunEvent { attempt: *attempt, operation: operation_id(plan, *operation), message, ..event }
        }
        ProgressKind::Closed { end } => {
            let (state, message) = match end {
                End::Succeeded(_) => (EventState::Succeeded, String::new()),
                End::Failed(error) => (EventState::Failed, error.to_string()),
                End::Cancelled => (EventState::Cancelled, String::new()),
            };
            RunEvent { message, ..plain(RunEventKind::Closed, state) }
        }
    }
}

/// A row of the cost table.
pub(crate) fn cost_row(plan: &Prepared, cost: &Cost) -> CostRow {
    CostRow {
        label: plan.label(cost.node).to_owned(),
        operation: operation_id(plan, cost.operation),
        calls: cost.calls,
        attempts: cost.attempts,
        cost: cost.cost,
        basis: cost.basis,
        charged_above_agreed: cost.above_agreed,
    }
}

fn above_agreed(above: &AboveAgreed) -> String {
    format!("[{ABOVE_AGREED}] charged {}, above the agreed {}", above.charged, above.agreed)
}

fn operation_id(plan: &Prepared, index: u32) -> String {
    plan.operation(index).descriptor.id.clone()
}

const fn state_of(state: NodeState) -> EventState {
    match state {
        NodeState::Running => EventState::Running,
        NodeState::Waiting => EventState::Waiting,
        NodeState::Succeeded => EventState::Succeeded,
        NodeState::Failed => EventState::Failed,
        NodeState::Cancelled => EventState::Cancelled,
    }
}
