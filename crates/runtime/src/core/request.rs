//! One request: what is asked and reserved, and what its answer means.

use std::sync::Arc;

use plan_ir::graph::NodeId;
use plan_ir::interp::{Trap, TrapKind};
use plan_ir::plan::{CallSpec, HedgeAfter};
use schema::error::{CallError, CallErrorKind};
use schema::value::Value;

use super::call::{State, no_operation};
use super::event::{AttemptId, Outcome, ProgressKind, Send};
use super::fact::FactKind;
use super::round::Answer;
use super::timers::Timer;
use super::{Attempt, Core, FrameId};
use crate::policy::route::Choice;

/// `accept` refused an answer.
const UNACCEPTED: &str = "E1151";
/// A crash between intent and result of a call that may not be repeated.
const INTERRUPTED: &str = "E1152";
/// The plan or adapter could not form the request.
const NO_REQUEST: &str = "E1154";

impl Core {
    /// Asks the first operation, from the cursor on, that may be asked now and whose price fits the budget.
    pub(super) fn ask_next(
        &mut self,
        frame: FrameId,
        node: NodeId,
        spec: &CallSpec,
        vote: u32,
    ) -> Result<(), CallError> {
        let Some(call) = self.call_mut(frame, node) else { return Ok(()) };
        let (cursor, count) = (call.cursor, call.choices.len());
        let mut refused = None;
        for step in 0..count {
            let position = cursor.wrapping_add(step) % count;
            if self.call_ref(frame, node).is_some_and(|call| call.rests(position, self.now_us)) {
                continue;
            }
            match self.ask(frame, node, spec, vote, position) {
                Ok(()) => return Ok(()),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        Err(refused.unwrap_or_else(|| no_operation(spec)))
    }

    fn ask(
        &mut self,
        frame: FrameId,
        node: NodeId,
        spec: &CallSpec,
        vote: u32,
        position: usize,
    ) -> Result<(), CallError> {
        let Some(call) = self.call_mut(frame, node) else { return Ok(()) };
        let Some(choice) = call.choices.get(position).copied() else { return Ok(()) };
        let (request, operation) = self.request_of(frame, node, spec, &choice)?;
        let chain = self.accounts_of(frame, node);
        let reservation = self
            .accounts
            .reserve(&chain, choice.worst)
            .map_err(|refusal| self.over_budget(refusal, choice.worst))?;
        self.requests_made = self.requests_made.wrapping_add(1);
        let id = AttemptId(self.requests_made);
        let (mut number, mut deadline_us) = (0, self.now_us);
        if let Some(call) = self.call_mut(frame, node) {
            call.requests = call.requests.saturating_add(1);
            number = call.requests;
            // The next operation may not share what makes this one fail, or slow.
            call.cursor = position.wrapping_add(1);
            if let State::Round(round) = &mut call.state {
                deadline_us = round.timeout.0;
                if let Some(vote) = round.votes.get_mut(vote as usize) {
                    vote.requests.push(id);
                }
            }
        }
        self.hedge_later(frame, node, spec, vote, operation);
        let kept = spec.cache_us.is_some().then(|| request.clone());
        let sent_us = self.now_us;
        let attempt = Attempt {
            frame,
            node,
            vote,
            operation,
            position,
            number,
            sent_us,
            reservation,
            page: choice.page,
            request: kept,
        };
        self.attempts.insert(id, attempt);
        let reserved = choice.worst.amount;
        let level = self.call_ref(frame, node).map_or(0, |call| call.level);
        let send = Send { attempt: id, node, level, operation, request, deadline_us, reserved };
        self.actions.sends.insert(id, send);
        let instance = self.instance(frame, node);
        self.progress(ProgressKind::AttemptSent { instance, attempt: number, operation });
        Ok(())
    }

    /// What a choice is asked, and which operation that is.
    pub(super) fn request_of(
        &mut self,
        frame: FrameId,
        node: NodeId,
        spec: &CallSpec,
        choice: &Choice,
    ) -> Result<(Value, u32), CallError> {
        let args = self.call_mut(frame, node).map(|call| call.args.clone()).unwrap_or_default();
        let Some(candidate) = spec.candidates.get(choice.candidate) else {
            return Err(no_operation(spec));
        };
        let request = self.eval(frame, &candidate.request, &args).map_err(|trap| {
            let message = format!("the request cannot be formed: {trap}");
            CallError::new(CallErrorKind::Rejected, NO_REQUEST, message)
        })?;
        Ok((request, candidate.operation))
    }

    /// Sets the timer of the vote's next hedge, if it may have one.
    fn hedge_later(&mut self, frame: FrameId, node: NodeId, spec: &CallSpec, vote: u32, operation: u32) {
        let Some(hedge) = &spec.hedge else { return };
        let after_us = match hedge.after {
            HedgeAfter::Us(us) => Some(us),
            HedgeAfter::P95 => self.p95_us(operation).map(|us| us.min(spec.timeout_us)),
        };
        let Some(after_us) = after_us else { return };
        if self.vote_mut(frame, node, vote).is_some_and(|vote| vote.hedges_left > 0) {
            let at_us = self.now_us.saturating_add(after_us);
            let timer = self.timers.set(at_us, Timer::Hedge { frame, node, vote });
            if let Some(vote) = self.vote_mut(frame, node, vote) {
                vote.hedge = Some(timer);
            }
        }
    }

    /// The 95th percentile of an operation's latency, measured or pinned, microseconds.
    fn p95_us(&self, operation: u32) -> Option<u64> {
        let live = self.given.routes.get(operation as usize).and_then(|route| route.latency_ms_p95);
        let pinned = self.plan.operation(operation).descriptor.latency.map(|figures| figures.latency_ms_p95);
        live.or(pinned).map(|ms| u64::from(ms) * 1_000)
    }

    pub(super) fn attempt_done(&mut self, id: AttemptId, outcome: Outcome) {
        let Some(attempt) = self.attempts.remove(&id) else { return };
        let level = self.call_ref(attempt.frame, attempt.node).map_or(0, |call| call.level);
        let pages = self.plan.call(attempt.node, level).map_or(1, |spec| spec.pages);
        self.keep_rest(&attempt, &outcome);
        let judged = match &outcome.result {
            Ok(answer) => self.judge(attempt.frame, attempt.node, attempt.position, answer.clone()),
            Err(error) => Err(error.clone()),
        };
        if let (Ok(_), Ok(answer), Some(request)) = (&judged, &outcome.result, &attempt.request) {
            let answered = FactKind::Answered {
                attempt: id,
                operation: attempt.operation,
                request: request.clone(),
                pages,
                answer: answer.clone(),
            };
            self.fact(attempt.frame, attempt.node, answered);
        }
        self.settle(id, &attempt, outcome, judged.as_ref().err());
        let ended = judged.map(|value| Answer { value, request: id });
        self.request_ended(id, &attempt, ended);
    }

    /// Remembers for how long the peer asked to be left alone.
    fn keep_rest(&mut self, attempt: &Attempt, outcome: &Outcome) {
        let asked_ms = outcome.result.as_ref().err().and_then(|error| error.retry_after_ms);
        let Some(asked_ms) = asked_ms else { return };
        let until_us = self.now_us.saturating_add(asked_ms.saturating_mul(1_000));
        if let Some(call) = self.call_mut(attempt.frame, attempt.node) {
            call.rests.insert(attempt.position, until_us);
        }
    }

    /// A crash lay between intent and result. Sent again only if that is wanted, does no harm and fits the budget;
    /// the retries of the plan are not touched, for the plan's own failures did not cause it.
    pub(super) fn attempt_interrupted(&mut self, id: AttemptId, again: bool) {
        let plan = Arc::clone(&self.plan);
        let Some(attempt) = self.attempts.remove(&id) else { return };
        let (frame, node, vote) = (attempt.frame, attempt.node, attempt.vote);
        let message = "the process ended between the request and its answer, and it is not known whether the peer \
                       acted on it";
        let error = CallError::new(CallErrorKind::Interrupted, INTERRUPTED, message);
        let outcome = Outcome::unanswered(error.clone(), true, attempt.sent_us, self.now_us);
        self.settle(id, &attempt, outcome, Some(&error));
        let Some(spec) = self.call_mut(frame, node).and_then(|call| plan.call(node, call.level)) else {
            return;
        };
        if let Some(open) = self.vote_mut(frame, node, vote) {
            open.requests.retain(|request| *request != id);
            if let Some(timer) = open.hedge.take() {
                self.timers.remove(timer);
            }
        }
        // What is sent again has the time of a whole attempt.
        let timeout = self.set_timeout(frame, node, spec);
        if let Some(call) = self.call_mut(frame, node)
            && let State::Round(round) = &mut call.state
        {
            let before = std::mem::replace(&mut round.timeout, timeout);
            call.begin_later(timeout.0.saturating_sub(before.0));
            self.timers.remove(before);
        }
        let again = again && plan.operation(attempt.operation).descriptor.repeat.safe;
        if !again || self.ask(frame, node, spec, vote, attempt.position).is_err() {
            self.request_ended(id, &attempt, Err(error));
        }
    }

    /// What an answer means to the plan: its value, or why it is refused.
    pub(super) fn judge(
        &self,
        frame: FrameId,
        node: NodeId,
        position: usize,
        answer: Value,
    ) -> Result<Value, CallError> {
        let gone = || CallError::new(CallErrorKind::Cancelled, super::call::CANCELLED, "the call is over");
        let call = self.call_ref(frame, node).ok_or_else(gone)?;
        let choice = call.choices.get(position).copied().ok_or_else(gone)?;
        let spec = self.plan.call(node, call.level).ok_or_else(gone)?;
        let candidate = spec.candidates.get(choice.candidate).ok_or_else(gone)?;
        let mut args = call.args.clone();
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
}

/// An adapter that cannot read an answer means that the answer does not fit.
fn misfit(trap: &Trap) -> CallError {
    let path = match &trap.kind {
        TrapKind::Decode { path, .. } => path.as_str(),
        _ => "$",
    };
    CallError::invalid(trap.kind.code(), path, format!("the answer cannot be read: {trap}"))
}
