//! Virtual time and a network that does what a seed says.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use runtime::core::{
    Actions, AttemptId, Core, End, Event, Fact, Finished, Given, Outcome, Prepared, ProgressKind, Send,
};
use schema::error::{CallError, CallErrorKind};
use schema::value::Value;

/// A small generator, so that a trace depends on nothing but its seed.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }
}

/// What the network does with an attempt: after so long, this outcome; `None` is silence.
pub type Answer = Option<(u64, Result<&'static str, CallErrorKind>, Option<u64>)>;

/// One entry of a run's history: what a journal would hold.
#[derive(Clone, Debug)]
pub struct Turn {
    pub events: Vec<(u64, Event)>,
    pub actions: Actions,
}

pub struct Simulation {
    pub core: Core,
    pub turns: Vec<Turn>,
    pub now_us: u64,
    pub sent: BTreeMap<AttemptId, Send>,
    pub facts: Vec<Fact>,
    pub finished: Option<Finished>,
    pub most_in_flight: usize,
    queue: BTreeMap<(u64, u64), (AttemptId, Box<Outcome>)>,
    serial: u64,
    plan: Arc<Prepared>,
    given: Given,
}

pub const START_US: u64 = 1_700_000_000_000_000;

impl Simulation {
    pub fn new(plan: Arc<Prepared>) -> Self {
        let callable = plan.operations().map(|_| true).collect();
        let given = Given { seed: 7, callable, ..Given::default() };
        Self::with(plan, given)
    }

    pub fn with(plan: Arc<Prepared>, given: Given) -> Self {
        Self {
            core: Core::new(Arc::clone(&plan), given.clone()),
            turns: vec![],
            now_us: START_US,
            sent: BTreeMap::new(),
            facts: vec![],
            finished: None,
            most_in_flight: 0,
            queue: BTreeMap::new(),
            serial: 0,
            plan,
            given,
        }
    }

    /// Runs until nothing is left to happen; `answer` decides what each attempt meets.
    pub fn run(&mut self, mut answer: impl FnMut(&Send) -> Answer) {
        if self.turns.is_empty() {
            self.turn(vec![Event::Start], &mut answer);
        }
        while self.advance(&mut answer) {}
    }

    /// Lets the next thing happen. `false` when the run has ended or nothing will ever happen.
    pub fn advance(&mut self, answer: &mut impl FnMut(&Send) -> Answer) -> bool {
        if self.core.has_ended() {
            return false;
        }
        let arrival = self.queue.first_key_value().map(|((at, _), _)| *at);
        let timer = self.core.next_timer_us();
        let Some(next) = [arrival, timer].into_iter().flatten().min() else { return false };
        self.now_us = self.now_us.max(next);
        let mut events = vec![];
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > self.now_us {
                break;
            }
            let (attempt, outcome) = entry.remove();
            events.push(Event::AttemptDone(attempt, outcome));
        }
        if timer.is_some_and(|timer| timer <= self.now_us) {
            events.push(Event::Tick);
        }
        self.turn(events, answer);
        true
    }

    pub fn turn(&mut self, events: Vec<Event>, answer: &mut impl FnMut(&Send) -> Answer) {
        let events: Vec<_> = events.into_iter().map(|event| (self.now_us, event)).collect();
        for (at, event) in &events {
            self.core.step(*at, event.clone());
        }
        let actions = self.core.take_actions();
        self.turns.push(Turn { events, actions: actions.clone() });
        self.facts.extend(actions.facts.iter().cloned());
        // The cache is cold.
        let missed: Vec<_> = actions.lookups.iter().map(|lookup| Event::LookedUp(lookup.id, None)).collect();
        for cancelled in &actions.cancels {
            self.queue.retain(|_, (attempt, _)| attempt != cancelled);
        }
        for send in actions.sends.values() {
            assert!(self.sent.insert(send.attempt, send.clone()).is_none(), "sent twice");
            let Some((after_us, result, charge)) = answer(send) else { continue };
            let outcome = outcome(self.now_us, after_us, result, charge);
            self.serial += 1;
            self.queue.insert((self.now_us + after_us, self.serial), (send.attempt, Box::new(outcome)));
        }
        self.most_in_flight = self.most_in_flight.max(self.core.in_flight().count());
        if let Some(finished) = actions.finished {
            assert!(self.finished.is_none(), "finished twice");
            self.finished = Some(*finished);
        }
        if !missed.is_empty() {
            self.turn(missed, answer);
        }
    }

    /// The process dies and comes back after `down_us`: everything but the journalled turns is lost.
    pub fn crash(&mut self, down_us: u64, answer: &mut impl FnMut(&Send) -> Answer) {
        self.core = self.refold();
        self.queue.clear();
        self.now_us += down_us;
        let mut lost: Vec<_> = self.core.in_flight().map(Event::Interrupted).collect();
        lost.extend(self.core.lookups().map(|lookup| Event::LookedUp(lookup.id, None)));
        self.turn(lost, answer);
    }

    /// The state that the history folds to; every turn must cause what it caused before.
    pub fn refold(&self) -> Core {
        let mut core = Core::new(Arc::clone(&self.plan), self.given.clone());
        for turn in &self.turns {
            for (at, event) in &turn.events {
                core.step(*at, event.clone());
            }
            assert_eq!(trace(&core.take_actions()), trace(&turn.actions));
        }
        core
    }

    /// Everything that was done, as text.
    pub fn trace(&self) -> String {
        self.turns.iter().map(|turn| trace(&turn.actions)).collect()
    }

    pub fn value(&self) -> Value {
        match &self.finished.as_ref().expect("the run ended").end {
            End::Succeeded(value) => value.clone(),
            other => panic!("the run did not succeed: {other:?}"),
        }
    }

    pub fn error(&self) -> schema::error::PlanError {
        match &self.finished.as_ref().expect("the run ended").end {
            End::Failed(error) => error.clone(),
            other => panic!("the run did not fail: {other:?}"),
        }
    }

    pub fn elapsed_us(&self) -> u64 {
        self.core.now_us() - START_US
    }

    /// How often each attempt was settled.
    pub fn settled(&self) -> usize {
        let done = |kind: &ProgressKind| matches!(kind, ProgressKind::AttemptDone { .. });
        self.turns.iter().flat_map(|turn| &turn.actions.progress).filter(|p| done(&p.kind)).count()
    }
}

pub fn trace(actions: &Actions) -> String {
    format!("{actions:?}\n")
}

pub fn outcome(
    now_us: u64,
    after_us: u64,
    result: Result<&'static str, CallErrorKind>,
    charge: Option<u64>,
) -> Outcome {
    let sent = result != Err(CallErrorKind::Unauthorized);
    let result = match result {
        Ok(text) => Ok(Value::record([Value::string(text)])),
        Err(kind) => Err(CallError {
            // A busy peer asks for twice the time that it took to say so.
            retry_after_ms: (kind == CallErrorKind::RateLimited).then_some(after_us / 500),
            ..CallError::new(kind, "E1199", "simulated")
        }),
    };
    Outcome {
        result,
        request: Bytes::from_static(b"request"),
        response: Bytes::from_static(b"response"),
        status: None,
        pages: None,
        observed_cost: charge.map(super::usd),
        unread_charge: None,
        peer: None,
        answers: Vec::new(),
        sent,
        started_us: now_us,
        duration_us: after_us,
    }
}
