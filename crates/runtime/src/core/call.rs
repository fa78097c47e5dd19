//! A call: attempts, retries, acceptance and fallback.

use std::sync::Arc;

use plan_ir::graph::NodeId;
use plan_ir::plan::{CallSpec, Fallback};
use schema::amount::Amount;
use schema::error::{CallError, CallErrorKind, PlanError};
use schema::price::{PriceBasis, WorstPrice};
use schema::value::Value;

use super::event::{AboveAgreed, AttemptId, Cost, NodeState, Outcome, ProgressKind, Send};
use super::fact::{Attempted, FactKind};
use super::frame::Slot;
use super::timers::{Timer, TimerKey};
use super::{Attempt, Core, FrameId};
use crate::policy::budget::{Refusal, charge, weaker};
use crate::policy::retry;
use crate::policy::route::{self, Choice};

/// The region of a call was given up, or the run cancelled.
pub(crate) const CANCELLED: &str = "E1156";
/// `accept` refused an answer.
const UNACCEPTED: &str = "E1151";
/// A crash between intent and result of a call that may not be repeated.
const INTERRUPTED: &str = "E1152";
/// No answer within the attempt's timeout.
const TIMED_OUT: &str = "E1153";
/// The plan or adapter could not form the request.
const NO_REQUEST: &str = "E1154";
/// No operation is admitted by the call's policies.
const NO_OPERATION: &str = "E1155";
/// The reservation does not fit a budget.
const OVER_BUDGET: &str = "E1401";
/// The price has no rate to the budget's currency.
const NO_RATE: &str = "E1403";

/// A call under way.
#[derive(Debug)]
pub(crate) struct Call {
    /// 0 is the call as written, 1 its fallback call, and so on.
    level: u32,
    args: Vec<Value>,
    /// The operations of this level in the order they are tried.
    choices: Vec<Choice>,
    /// Which of them is next.
    cursor: usize,
    /// Retries of this level.
    retries: u32,
    /// Attempts of all levels.
    attempts: u32,
    /// Operations that were sent something.
    asked: Vec<u32>,
    waits: Waits,
}

#[derive(Clone, Copy, Debug)]
enum Waits {
    Nothing,
    Answer(AttemptId, TimerKey),
    Backoff(TimerKey),
}

impl Core {
    pub(super) fn start_call(&mut self, frame: FrameId, node: NodeId) {
        let call = Call {
            level: 0,
            args: Vec::new(),
            choices: Vec::new(),
            cursor: 0,
            retries: 0,
            attempts: 0,
            asked: Vec::new(),
            waits: Waits::Nothing,
        };
        self.fact(frame, node, FactKind::Started);
        self.set_slot(frame, node, Slot::Call(Box::new(call)));
        self.node_progress(frame, node, NodeState::Running, "");
        self.begin_level(frame, node, 0);
    }

    /// Begins the call as written, or one of its fallback calls.
    fn begin_level(&mut self, frame: FrameId, node: NodeId, level: u32) {
        let plan = Arc::clone(&self.plan);
        let Some(spec) = plan.call(node, level) else { return };
        let args = spec.args.iter().map(|arg| self.eval(frame, arg, &[])).collect::<Result<Vec<_>, _>>();
        let args = match args {
            Ok(args) => args,
            Err(trap) => {
                let error = self.trapped(frame, node, &trap);
                return self.fail_node(frame, node, error);
            }
        };
        self.fact(frame, node, FactKind::Given(args.clone()));
        let choices = route::order(&plan, spec, &self.given.callable);
        let Some(call) = self.call_mut(frame, node) else { return };
        (call.level, call.args, call.choices) = (level, args, choices);
        (call.cursor, call.retries, call.waits) = (0, 0, Waits::Nothing);
        self.send(frame, node);
    }

    /// Sends the next attempt to the first operation, from the cursor on, whose price fits the budget.
    fn send(&mut self, frame: FrameId, node: NodeId) {
        let plan = Arc::clone(&self.plan);
        let Some(call) = self.call_mut(frame, node) else { return };
        let (level, cursor, count) = (call.level, call.cursor, call.choices.len());
        let Some(spec) = plan.call(node, level) else { return };
        let mut refused = None;
        for step in 0..count {
            let position = (cursor + step) % count;
            match self.try_choice(frame, node, spec, position) {
                Ok(()) => return,
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        let error = refused.unwrap_or_else(|| no_operation(spec));
        self.call_failed(frame, node, error);
    }

    fn try_choice(
        &mut self,
        frame: FrameId,
        node: NodeId,
        spec: &CallSpec,
        position: usize,
    ) -> Result<(), CallError> {
        let Some(call) = self.call_mut(frame, node) else { return Ok(()) };
        let Some(choice) = call.choices.get(position).copied() else { return Ok(()) };
        let args = call.args.clone();
        let Some(candidate) = spec.candidates.get(choice.candidate) else { return Ok(()) };
        let request = self.eval(frame, &candidate.request, &args).map_err(|trap| {
            CallError::new(
                CallErrorKind::Rejected,
                NO_REQUEST,
                format!("the request cannot be formed: {trap}"),
            )
        })?;
        let chain = self.accounts_of(frame, node);
        let reservation = self
            .accounts
            .reserve(&chain, choice.worst)
            .map_err(|refusal| self.over_budget(refusal, choice.worst))?;

        self.attempts_made = self.attempts_made.wrapping_add(1);
        let id = AttemptId(self.attempts_made);
        let deadline_us = self.now_us.saturating_add(spec.timeout_us);
        let timer = self.timers.set(deadline_us, Timer::AttemptTimeout(id));
        let mut number = 0;
        if let Some(call) = self.call_mut(frame, node) {
            call.attempts = call.attempts.saturating_add(1);
            number = call.attempts;
            (call.cursor, call.waits) = (position, Waits::Answer(id, timer));
        }
        let operation = candidate.operation;
        let attempt = Attempt { frame, node, operation, position, number, sent_us: self.now_us, reservation };
        self.attempts.insert(id, attempt);
        let reserved = choice.worst.amount;
        self.actions.sends.insert(id, Send { attempt: id, operation, request, deadline_us, reserved });
        let instance = self.instance(frame, node);
        self.progress(ProgressKind::AttemptSent { instance, attempt: number, operation });
        Ok(())
    }

    pub(super) fn attempt_done(&mut self, id: AttemptId, outcome: Outcome) {
        let Some(attempt) = self.attempts.remove(&id) else { return };
        let (frame, node) = (attempt.frame, attempt.node);
        let judged = self.judge(&attempt, &outcome.result);
        self.settle(&attempt, outcome, judged.as_ref().err());
        match judged {
            Ok(value) => {
                self.stop_waiting(frame, node);
                self.complete(frame, node, value);
            }
            Err(error) => self.call_failed(frame, node, error),
        }
    }

    pub(super) fn attempt_timed_out(&mut self, id: AttemptId) {
        let Some(attempt) = self.attempts.remove(&id) else { return };
        let (frame, node) = (attempt.frame, attempt.node);
        let waited = self.now_us.saturating_sub(attempt.sent_us) as f64 / 1e6;
        let message = format!("no answer within the timeout: waited {waited:.3} s");
        let error = CallError::new(CallErrorKind::Timeout, TIMED_OUT, message);
        self.abandon(id, &attempt, &error);
        self.call_failed(frame, node, error);
    }

    /// A crash lay between intent and result. Sent again only if that does no harm and fits the budget;
    /// the retries of the plan are not touched, for the plan's own failures did not cause it.
    pub(super) fn attempt_interrupted(&mut self, id: AttemptId) {
        let plan = Arc::clone(&self.plan);
        let Some(attempt) = self.attempts.remove(&id) else { return };
        let (frame, node) = (attempt.frame, attempt.node);
        let message = "the process ended between the request and its answer, and it is not known whether the peer \
                       acted on it";
        let error = CallError::new(CallErrorKind::Interrupted, INTERRUPTED, message);
        let outcome = Outcome::unanswered(error.clone(), true, attempt.sent_us, self.now_us);
        self.settle(&attempt, outcome, Some(&error));
        self.stop_waiting(frame, node);
        let level = self.call_mut(frame, node).map_or(0, |call| call.level);
        let safe = plan.operation(attempt.operation).descriptor.repeat.safe;
        let Some(spec) = plan.call(node, level) else { return };
        if !safe || self.try_choice(frame, node, spec, attempt.position).is_err() {
            self.call_failed(frame, node, error);
        }
    }

    pub(super) fn backoff_over(&mut self, frame: FrameId, node: NodeId) {
        if let Some(call) = self.call_mut(frame, node) {
            call.waits = Waits::Nothing;
            self.send(frame, node);
        }
    }

    /// The region of a call is given up.
    pub(super) fn give_up_call(&mut self, frame: FrameId, node: NodeId) {
        let waits = self.call_mut(frame, node).map_or(Waits::Nothing, |call| call.waits);
        match waits {
            Waits::Nothing => {}
            Waits::Backoff(timer) => self.timers.remove(timer),
            Waits::Answer(id, timer) => {
                self.timers.remove(timer);
                if let Some(attempt) = self.attempts.remove(&id) {
                    let message = "the rest of its region failed or was cancelled";
                    let error = CallError::new(CallErrorKind::Cancelled, CANCELLED, message);
                    self.abandon(id, &attempt, &error);
                }
            }
        }
    }

    /// What an answer means to the plan: its value, or why it is refused.
    fn judge(&mut self, attempt: &Attempt, result: &Result<Value, CallError>) -> Result<Value, CallError> {
        let plan = Arc::clone(&self.plan);
        let answer = result.clone()?;
        let (frame, node) = (attempt.frame, attempt.node);
        let gone = || CallError::new(CallErrorKind::Cancelled, CANCELLED, "the call is over");
        let call = self.call_mut(frame, node).ok_or_else(gone)?;
        let choice = call.choices.get(attempt.position).copied().ok_or_else(gone)?;
        let mut args = call.args.clone();
        let spec = plan.call(node, call.level).ok_or_else(gone)?;
        let candidate = spec.candidates.get(choice.candidate).ok_or_else(gone)?;
        args.push(answer);
        let value = self.eval(frame, &candidate.response, &args).map_err(|trap| misfit(&trap))?;
        let Some(accept) = &spec.accept else { return Ok(value) };
        match self.eval(frame, accept, std::slice::from_ref(&value)) {
            Ok(Value::Bool(true)) => Ok(value),
            Ok(_) => {
                let message = "the plan's `accept` refused the answer";
                Err(CallError::new(CallErrorKind::Unaccepted, UNACCEPTED, message))
            }
            Err(trap) => {
                let message = format!("the plan's `accept` could not be evaluated on the answer: {trap}");
                Err(CallError::new(CallErrorKind::Unaccepted, UNACCEPTED, message))
            }
        }
    }

    /// An attempt failed, or none could be made: repeat, fall back or fail.
    fn call_failed(&mut self, frame: FrameId, node: NodeId, error: CallError) {
        self.stop_waiting(frame, node);
        let plan = Arc::clone(&self.plan);
        let (now_us, seed, last) = (self.now_us, self.given.seed, self.attempts_made);
        let Some(call) = self.call_mut(frame, node) else { return };
        let Some(spec) = plan.call(node, call.level) else { return };
        if retry::repeats(&spec.retry, call.retries, error.kind) {
            call.retries += 1;
            // The next operation may not share what made this one fail.
            call.cursor = call.cursor.wrapping_add(1);
            let wait_us = retry::delay_us(&spec.retry, call.retries, seed, last);
            let timer = self.timers.set(now_us.saturating_add(wait_us), Timer::Backoff { frame, node });
            if let Some(call) = self.call_mut(frame, node) {
                call.waits = Waits::Backoff(timer);
            }
            return self.node_progress(frame, node, NodeState::Waiting, error.message);
        }
        match &spec.fallback {
            Some(Fallback::Call(_)) => {
                let level = call.level + 1;
                self.begin_level(frame, node, level);
            }
            Some(Fallback::Value(fragment)) => match self.eval(frame, fragment, &[]) {
                Ok(value) => self.complete(frame, node, value),
                Err(trap) => {
                    let error = self.trapped(frame, node, &trap);
                    self.fail_node(frame, node, error);
                }
            },
            None => {
                let (code, message) = (error.code.clone(), error.message.clone());
                let plain = self.error(frame, node, &code, message);
                self.fail_node(frame, node, PlanError { call: Some(error), ..plain });
            }
        }
    }

    /// Gives up an attempt; one that was not handed out yet is never sent and costs nothing.
    fn abandon(&mut self, id: AttemptId, attempt: &Attempt, error: &CallError) {
        let sent = self.actions.sends.remove(&id).is_none();
        if sent {
            self.actions.cancels.push(id);
        }
        let outcome = Outcome::unanswered(error.clone(), sent, attempt.sent_us, self.now_us);
        self.settle(attempt, outcome, Some(error));
    }

    /// Books what an attempt cost. Called exactly once for each attempt.
    fn settle(&mut self, attempt: &Attempt, outcome: Outcome, error: Option<&CallError>) {
        let Attempt { frame, node, operation, number, sent_us, ref reservation, .. } = *attempt;
        let worst = reservation.worst;
        // A peer that answered with success has done its work, even where the answer does not fit.
        let answered = outcome.result.is_ok() || outcome.status.is_some_and(|status| status / 100 == 2);
        let (cost, basis) = charge(worst, outcome.sent, answered, outcome.observed_cost);
        // A peer may charge what it likes, and what is paid is paid: it is booked as it is, and shown.
        let above = self
            .accounts
            .is_above(reservation, cost)
            .then_some(AboveAgreed { charged: cost, agreed: worst.amount });
        let booked = Amount::new(self.accounts.settle(reservation, cost), self.plan.currency);
        if outcome.sent {
            let first = self.call_mut(frame, node).is_none_or(|call| {
                let first = !call.asked.contains(&operation);
                if first {
                    call.asked.push(operation);
                }
                first
            });
            self.book(node, operation, first, booked, basis);
            if let Some(row) = self.costs.get_mut(&(node, operation)) {
                row.above_agreed |= above.is_some();
            }
        }
        let instance = self.instance(frame, node);
        let attempted =
            Attempted { operation, sent_us, outcome, error: error.map(|error| error.kind), cost, basis };
        self.fact(frame, node, FactKind::Attempted(Box::new(attempted)));
        let kind = ProgressKind::AttemptDone {
            instance,
            attempt: number,
            operation,
            error: error.cloned(),
            cost: booked,
            basis,
            above,
        };
        self.progress(kind);
    }

    fn book(&mut self, node: NodeId, operation: u32, first: bool, booked: Amount, basis: PriceBasis) {
        let currency = self.plan.currency;
        let row = self.costs.entry((node, operation)).or_insert(Cost {
            node,
            operation,
            calls: 0,
            attempts: 0,
            cost: Amount::zero(currency),
            basis,
            above_agreed: false,
        });
        row.calls = row.calls.saturating_add(u32::from(first));
        row.attempts = row.attempts.saturating_add(1);
        row.cost.units = row.cost.units.saturating_add(booked.units);
        row.basis = weaker(row.basis, basis);
        self.spent_units = self.spent_units.saturating_add(booked.units);
    }

    fn stop_waiting(&mut self, frame: FrameId, node: NodeId) {
        let Some(call) = self.call_mut(frame, node) else { return };
        let waits = std::mem::replace(&mut call.waits, Waits::Nothing);
        if let Waits::Answer(_, timer) | Waits::Backoff(timer) = waits {
            self.timers.remove(timer);
        }
    }

    fn call_mut(&mut self, frame: FrameId, node: NodeId) -> Option<&mut Call> {
        match self.frames.slot_mut(frame, self.plan.node(node).position)? {
            Slot::Call(call) => Some(call),
            _ => None,
        }
    }

    fn over_budget(&self, refusal: Refusal, worst: WorstPrice) -> CallError {
        match refusal {
            Refusal::Exceeded { scope, wanted, left } => {
                let label = self.plan.scope(scope).0.label.as_str();
                let whose = if label.is_empty() { "the plan" } else { label };
                let message =
                    format!("an attempt may cost {wanted}, and the budget of {whose} has {left} left");
                CallError::new(CallErrorKind::OverBudget, OVER_BUDGET, message)
            }
            Refusal::NoRate => {
                let message = format!(
                    "{} cannot be charged to the budget: the lock pins no exchange rate",
                    worst.amount
                );
                CallError::new(CallErrorKind::OverBudget, NO_RATE, message)
            }
        }
    }
}

impl Outcome {
    /// An attempt that ended before anything was sent.
    #[must_use]
    pub fn unsent(error: CallError, now_us: u64) -> Self {
        Self::unanswered(error, false, now_us, now_us)
    }

    fn unanswered(error: CallError, sent: bool, started_us: u64, now_us: u64) -> Self {
        Self {
            result: Err(error),
            request: bytes::Bytes::new(),
            response: bytes::Bytes::new(),
            status: None,
            observed_cost: None,
            peer: None,
            sent,
            started_us,
            duration_us: now_us.saturating_sub(started_us),
        }
    }
}

fn no_operation(spec: &CallSpec) -> CallError {
    let target = &spec.target;
    let message =
        format!("no operation may serve `{target}`: every price is above its `max_price` or unknown");
    CallError::new(CallErrorKind::Unavailable, NO_OPERATION, message)
}

/// An adapter that cannot read an answer means that the answer does not fit.
fn misfit(trap: &plan_ir::interp::Trap) -> CallError {
    use plan_ir::interp::TrapKind;

    let path = match &trap.kind {
        TrapKind::Decode { path, .. } => path.as_str(),
        _ => "$",
    };
    CallError::invalid(trap.kind.code(), path, format!("the answer cannot be read: {trap}"))
}
