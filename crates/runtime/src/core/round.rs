//! One attempt of a call: its votes, each a request and what hedges it, all under one timeout. A call without
//! `quorum` has one vote, one without `hedge` one request a vote.

use std::sync::Arc;

use plan_ir::graph::NodeId;
use plan_ir::interp::{self, Meter, Trap};
use plan_ir::plan::{CallSpec, Quorum};
use schema::error::{CallError, CallErrorKind};
use schema::price::WorstPrice;
use schema::value::Value;

use super::call::{Failure, State};
use super::event::AttemptId;
use super::fact::FactKind;
use super::timers::{Timer, TimerKey};
use super::{Attempt, Core, FrameId};
use crate::policy::quorum;

/// No answer within the attempt's timeout.
const TIMED_OUT: &str = "E1153";
/// Too few votes agreed.
const NO_QUORUM: &str = "E1158";
/// Another request brought the answer first.
const OVERTAKEN: &str = "E1159";

/// The requests of one attempt.
#[derive(Debug)]
pub(crate) struct Round {
    pub(super) timeout: TimerKey,
    pub(super) votes: Vec<Vote>,
}

/// One answer that is asked for.
#[derive(Debug)]
pub(super) struct Vote {
    /// Requests whose answers are awaited.
    pub(super) requests: Vec<AttemptId>,
    /// Further ones that may be sent.
    pub(super) hedges_left: u32,
    pub(super) hedge: Option<TimerKey>,
    ended: Option<Result<Answer, CallError>>,
}

/// An answer that the plan accepts, and the request that brought it.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) value: Value,
    pub(super) request: AttemptId,
}

impl Core {
    /// Sends the requests of the next attempt.
    pub(super) fn begin_round(&mut self, frame: FrameId, node: NodeId) {
        let plan = Arc::clone(&self.plan);
        let Some(spec) = self.call_mut(frame, node).and_then(|call| plan.call(node, call.level)) else {
            return;
        };
        let timeout = self.set_timeout(frame, node, spec);
        let count = spec.quorum.as_ref().map_or(1, |quorum| quorum.of);
        let hedges_left = spec.hedge.map_or(0, |hedge| hedge.max);
        let vote = || Vote { requests: Vec::new(), hedges_left, hedge: None, ended: None };
        let round = Round { timeout, votes: (0..count).map(|_| vote()).collect() };
        if let Some(call) = self.call_mut(frame, node) {
            call.state = State::Round(round);
        }
        let decides = spec.quorum.as_ref().map_or(Ok(()), |quorum| self.can_decide(frame, node, quorum));
        for index in 0..count {
            let asked = decides.clone().and_then(|()| self.ask_next(frame, node, spec, index));
            if let Err(error) = asked
                && let Some(vote) = self.vote_mut(frame, node, index)
            {
                vote.ended = Some(Err(error));
            }
        }
        self.advance_round(frame, node);
    }

    /// Whether the budget has room for as many votes as must agree: fewer are paid for nothing.
    fn can_decide(&mut self, frame: FrameId, node: NodeId, quorum: &Quorum) -> Result<(), CallError> {
        let Some(call) = self.call_ref(frame, node) else { return Ok(()) };
        let worst: Vec<WorstPrice> = call.choices.iter().map(|choice| choice.worst).collect();
        let (cursor, chain) = (call.cursor, self.accounts_of(frame, node));
        let refused = self.accounts.has_room(&chain, &worst, cursor, quorum.need);
        refused.map_err(|(paid, refusal, worst)| {
            let CallError { message, .. } = self.over_budget(refusal, worst);
            let need = quorum.need;
            let message =
                format!("no vote is asked for, as {need} must agree and {paid} can be paid: {message}");
            CallError { message, ..self.over_budget(refusal, worst) }
        })
    }

    pub(super) fn set_timeout(&mut self, frame: FrameId, node: NodeId, spec: &CallSpec) -> TimerKey {
        let deadline_us = self.now_us.saturating_add(spec.timeout_us);
        self.timers.set(deadline_us, Timer::Round { frame, node })
    }

    /// A request is late: another one is sent, if the budget has room for it.
    pub(super) fn hedge_due(&mut self, frame: FrameId, node: NodeId, vote: u32) {
        let plan = Arc::clone(&self.plan);
        let Some(spec) = self.call_mut(frame, node).and_then(|call| plan.call(node, call.level)) else {
            return;
        };
        let Some(open) = self.vote_mut(frame, node, vote) else { return };
        open.hedge = None;
        open.hedges_left = open.hedges_left.saturating_sub(1);
        if self.ask_next(frame, node, spec, vote).is_err()
            && let Some(open) = self.vote_mut(frame, node, vote)
        {
            // The request under way still counts.
            open.hedges_left = 0;
        }
    }

    pub(super) fn round_timed_out(&mut self, frame: FrameId, node: NodeId) {
        let votes = match self.call_mut(frame, node).map(|call| &call.state) {
            Some(State::Round(round)) => round.votes.len(),
            _ => return,
        };
        for index in (0_u32..).take(votes) {
            let Some(vote) = self.vote_mut(frame, node, index) else { return };
            if vote.ended.is_some() {
                continue;
            }
            let requests = std::mem::take(&mut vote.requests);
            let hedge = vote.hedge.take();
            let mut last = None;
            for id in requests {
                last = self.abandon_late(id).or(last);
            }
            if let Some(timer) = hedge {
                self.timers.remove(timer);
            }
            let error = last.unwrap_or_else(|| late(0));
            if let Some(vote) = self.vote_mut(frame, node, index) {
                vote.ended = Some(Err(error));
            }
        }
        self.advance_round(frame, node);
    }

    fn abandon_late(&mut self, id: AttemptId) -> Option<CallError> {
        let attempt = self.attempts.remove(&id)?;
        let error = late(self.now_us.saturating_sub(attempt.sent_us));
        self.abandon(id, &attempt, &error);
        Some(error)
    }

    /// A request came to its end: its vote has, too, if it brought an answer or was the last.
    pub(super) fn request_ended(
        &mut self,
        id: AttemptId,
        attempt: &Attempt,
        ended: Result<Answer, CallError>,
    ) {
        let (frame, node) = (attempt.frame, attempt.node);
        let Some(vote) = self.vote_mut(frame, node, attempt.vote) else { return };
        vote.requests.retain(|request| *request != id);
        if vote.ended.is_some() || (ended.is_err() && !vote.requests.is_empty()) {
            return;
        }
        vote.ended = Some(ended);
        let (hedge, others) = (vote.hedge.take(), std::mem::take(&mut vote.requests));
        if let Some(timer) = hedge {
            self.timers.remove(timer);
        }
        let message = "another request brought the answer first";
        let overtaken = CallError::new(CallErrorKind::Cancelled, OVERTAKEN, message);
        self.abandon_all(others, &overtaken);
        self.advance_round(frame, node);
    }

    fn abandon_all(&mut self, requests: Vec<AttemptId>, error: &CallError) {
        for id in requests {
            if let Some(attempt) = self.attempts.remove(&id) {
                self.abandon(id, &attempt, error);
            }
        }
    }

    /// Ends the round if enough of its votes have.
    fn advance_round(&mut self, frame: FrameId, node: NodeId) {
        let plan = Arc::clone(&self.plan);
        let Some(call) = self.call_ref(frame, node) else { return };
        let State::Round(round) = &call.state else { return };
        let Some(spec) = plan.call(node, call.level) else { return };
        let all = round.votes.iter().all(|vote| vote.ended.is_some());
        let Some(quorum) = &spec.quorum else {
            if all {
                self.end_single(frame, node);
            }
            return;
        };
        if !all && !quorum.early {
            return;
        }
        let answers: Vec<Answer> = round.votes.iter().filter_map(Vote::answer).cloned().collect();
        match self.largest_group(frame, quorum, &answers) {
            Err(trap) => {
                let error = self.trapped(frame, node, &trap);
                self.stop_round(frame, node);
                self.fail_call(frame, node, error);
            }
            Ok(group) if all || group.agreed >= quorum.need => {
                self.end_vote(frame, node, quorum, &answers, group);
            }
            Ok(_) => {}
        }
    }

    fn end_single(&mut self, frame: FrameId, node: NodeId) {
        let ended = self.stop_round(frame, node).and_then(|round| round.votes.into_iter().next()?.ended);
        match ended {
            Some(Ok(answer)) => {
                self.fact(frame, node, FactKind::Chose(answer.request));
                self.call_succeeded(frame, node, answer.value);
            }
            Some(Err(error)) => self.call_failed(frame, node, error.into()),
            None => {}
        }
    }

    fn end_vote(
        &mut self,
        frame: FrameId,
        node: NodeId,
        quorum: &Quorum,
        answers: &[Answer],
        group: quorum::Group,
    ) {
        let Some(round) = self.stop_round(frame, node) else { return };
        let mut counted: Vec<AttemptId> = answers.iter().map(|answer| answer.request).collect();
        if let Some(first) = counted.get_mut(..=group.leader) {
            first.rotate_right(1);
            self.fact(frame, node, FactKind::Counted(counted));
        }
        let leader = answers.get(group.leader).filter(|_| group.agreed >= quorum.need);
        if let Some(leader) = leader {
            self.fact(frame, node, FactKind::Chose(leader.request));
            let share = f64::from(group.agreed) / f64::from(quorum.of);
            let counted = [i64::from(group.agreed), i64::from(quorum.of)].map(Value::Int);
            let [agreed, of] = counted;
            let voted = Value::record([leader.value.clone(), agreed, of, Value::Float(share)]);
            return self.call_succeeded(frame, node, voted);
        }
        // Where nobody answered, there was nothing to agree on: the reason is what kept them from it.
        let silent = round.votes.into_iter().rev().find_map(|vote| vote.ended?.err());
        let failure = match silent.filter(|_| answers.is_empty()) {
            Some(error) => error.into(),
            None => Failure {
                error: no_quorum(quorum, answers.len(), group.agreed),
                votes: answers.iter().map(|answer| answer.value.clone()).collect(),
            },
        };
        self.call_failed(frame, node, failure);
    }

    fn largest_group(
        &self,
        frame: FrameId,
        quorum: &Quorum,
        answers: &[Answer],
    ) -> Result<quorum::Group, Trap> {
        let rate = self.plan.plan.body.rate;
        let by = quorum.by.and_then(|by| self.plan.plan.body.functions.get(by.0 as usize));
        quorum::largest_group(answers, |leader, answer| match by {
            // Answers too large to be compared do not agree.
            None => {
                Ok(interp::equal(&leader.value, &answer.value, rate, &mut Meter::default()).unwrap_or(false))
            }
            Some(function) => {
                let pair = [leader.value.clone(), answer.value.clone()];
                Ok(self.eval(frame, &function.fragment, &pair)? == Value::Bool(true))
            }
        })
    }

    /// Ends the round: requests still under way are given up, timers removed.
    fn stop_round(&mut self, frame: FrameId, node: NodeId) -> Option<Round> {
        let call = self.call_mut(frame, node)?;
        let State::Round(mut round) = std::mem::replace(&mut call.state, State::Nothing) else { return None };
        let message = "enough of the others agreed";
        let error = CallError::new(CallErrorKind::Cancelled, OVERTAKEN, message);
        self.clear_round(&mut round, &error);
        Some(round)
    }

    pub(super) fn give_up_round(&mut self, mut round: Round, error: &CallError) {
        self.clear_round(&mut round, error);
    }

    fn clear_round(&mut self, round: &mut Round, error: &CallError) {
        self.timers.remove(round.timeout);
        for vote in &mut round.votes {
            if let Some(timer) = vote.hedge.take() {
                self.timers.remove(timer);
            }
            let requests = std::mem::take(&mut vote.requests);
            self.abandon_all(requests, error);
        }
    }

    pub(super) fn vote_mut(&mut self, frame: FrameId, node: NodeId, vote: u32) -> Option<&mut Vote> {
        match &mut self.call_mut(frame, node)?.state {
            State::Round(round) => round.votes.get_mut(vote as usize),
            _ => None,
        }
    }
}

impl Vote {
    fn answer(&self) -> Option<&Answer> {
        self.ended.as_ref()?.as_ref().ok()
    }
}

fn late(waited_us: u64) -> CallError {
    let waited = waited_us as f64 / 1e6;
    let message = format!("no answer within the timeout: waited {waited:.3} s");
    CallError::new(CallErrorKind::Timeout, TIMED_OUT, message)
}

fn no_quorum(quorum: &Quorum, answers: usize, agreed: u32) -> CallError {
    let message = format!(
        "{agreed} of {} votes agree, and {} must ({answers} were answered and accepted)",
        quorum.of, quorum.need
    );
    CallError::new(CallErrorKind::NoQuorum, NO_QUORUM, message)
}
