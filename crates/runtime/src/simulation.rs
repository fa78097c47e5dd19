//! Runs on virtual time: the scheduler as it is, with a network that is a function.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use schema::amount::Amount;
use schema::error::CallError;
use schema::value::Value;

use crate::core::{AttemptId, Core, End, Event, Given, Outcome, Prepared, Send};

/// When a run on virtual time begins, microseconds since 1970 UTC: 1 January 2026.
const START_US: u64 = 1_767_225_600_000_000;

/// What a request meets.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// After how long, microseconds.
    pub after_us: u64,
    /// The answer as the operation gives it, or the failure.
    pub result: Result<Value, CallError>,
}

/// How a run on virtual time ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Simulated {
    /// How it ended.
    pub end: End,
    /// What it cost.
    pub cost: Amount,
    /// How long it took, microseconds of virtual time.
    pub elapsed_us: u64,
}

/// Runs `plan`. Each request is shown to `answer` when it is sent; `None` is silence. The same answers give the
/// same run.
pub fn simulate(
    plan: Arc<Prepared>,
    given: Given,
    mut answer: impl FnMut(&Send) -> Option<Reply>,
) -> Simulated {
    let mut core = Core::new(plan, given);
    let mut network = Network::default();
    let mut now_us = START_US;
    let mut events = vec![Event::Start];
    loop {
        for event in events {
            core.step(now_us, event);
        }
        let mut actions = core.take_actions();
        if let Some(finished) = actions.finished.take() {
            let elapsed_us = core.now_us().saturating_sub(START_US);
            return Simulated { end: finished.end, cost: finished.total, elapsed_us };
        }
        for cancelled in &actions.cancels {
            network.forget(*cancelled);
        }
        for send in actions.sends.values() {
            if let Some(reply) = answer(send) {
                network.send(now_us, send.attempt, reply);
            }
        }
        // Nothing ran before, so there is no answer of an earlier run.
        events = actions.lookups.iter().map(|lookup| Event::LookedUp(lookup.id, None)).collect();
        if !events.is_empty() {
            continue;
        }
        let next = [network.next_us(), core.next_timer_us()].into_iter().flatten().min();
        let Some(next) = next else {
            // INVARIANT: a request without an answer has a timeout, so something is always due.
            return Simulated { end: End::Cancelled, cost: core.spent(), elapsed_us: 0 };
        };
        now_us = now_us.max(next);
        events = network.arrived(now_us);
        if core.next_timer_us().is_some_and(|due_us| due_us <= now_us) {
            events.push(Event::Tick);
        }
    }
}

/// Answers under way, by when they arrive and in the order they were sent.
#[derive(Debug, Default)]
struct Network {
    under_way: BTreeMap<(u64, AttemptId), Box<Outcome>>,
}

impl Network {
    fn send(&mut self, now_us: u64, attempt: AttemptId, reply: Reply) {
        let outcome = Outcome {
            result: reply.result,
            request: Bytes::new(),
            response: Bytes::new(),
            status: None,
            pages: None,
            observed_cost: None,
            unread_charge: None,
            peer: None,
            answers: Vec::new(),
            sent: true,
            started_us: now_us,
            duration_us: reply.after_us,
        };
        self.under_way.insert((now_us.saturating_add(reply.after_us), attempt), Box::new(outcome));
    }

    fn forget(&mut self, attempt: AttemptId) {
        self.under_way.retain(|(_, known), _| *known != attempt);
    }

    fn next_us(&self) -> Option<u64> {
        self.under_way.first_key_value().map(|((at_us, _), _)| *at_us)
    }

    fn arrived(&mut self, now_us: u64) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(entry) = self.under_way.first_entry()
            && entry.key().0 <= now_us
        {
            let ((_, attempt), outcome) = entry.remove_entry();
            events.push(Event::AttemptDone(attempt, outcome));
        }
        events
    }
}
