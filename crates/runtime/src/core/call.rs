//! A call: as the plan wrote it, then its fallback calls, each with its attempts, and what becomes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use plan_ir::bound::attempts_us;
use plan_ir::graph::NodeId;
use plan_ir::plan::{CallSpec, Fallback};
use schema::error::{CallError, CallErrorKind, PlanError};
use schema::value::Value;

use super::cache::Lookup;
use super::event::NodeState;
use super::fact::FactKind;
use super::frame::Slot;
use super::round::Round;
use super::timers::{Timer, TimerKey};
use super::{Core, FrameId};
use crate::policy::budget::AccountId;
use crate::policy::retry;
use crate::policy::route::{self, Choice};

/// The region of a call was given up, or the run cancelled.
pub(crate) const CANCELLED: &str = "E1156";
/// No operation is admitted by the call's policies.
const NO_OPERATION: &str = "E1155";

/// A call under way.
#[derive(Debug)]
pub(crate) struct Call {
    /// 0 is the call as written, 1 its fallback call, and so on.
    pub(super) level: u32,
    pub(super) args: Vec<Value>,
    /// The operations of this level in the order they are asked.
    pub(super) choices: Vec<Choice>,
    /// Which of them is asked next.
    pub(super) cursor: usize,
    /// Retries of this level.
    retries: u32,
    /// When this level began, microseconds.
    begun_us: u64,
    /// Until when choices, by position, asked to be left alone, microseconds.
    pub(super) rests: BTreeMap<usize, u64>,
    /// Whether an attempt was put off because a peer asked for it.
    put_off: bool,
    /// Requests of all levels.
    pub(super) requests: u32,
    /// Operations that were sent something.
    pub(super) asked: Vec<u32>,
    /// The budgets of the levels so far that have one.
    pub(super) accounts: Vec<AccountId>,
    pub(super) state: State,
}

/// What a call waits for.
#[derive(Debug)]
pub(super) enum State {
    Nothing,
    /// An answer of an earlier run.
    Lookup(Lookup),
    /// The requests of an attempt.
    Round(Round),
    /// The next attempt.
    Backoff(TimerKey),
}

impl Call {
    /// When the next attempt is made that the plan's backoff would make at `planned_us`: later where every operation
    /// asked to be left alone for longer. `None` where an attempt then could end after the time that the plan's bound
    /// counts for all of them.
    fn next_attempt_us(&mut self, spec: &CallSpec, planned_us: u64) -> Option<u64> {
        let rest_of = |position| self.rests.get(&position).copied().unwrap_or(0);
        let rested_us = (0..self.choices.len()).map(rest_of).min().unwrap_or(0);
        self.put_off |= rested_us > planned_us;
        let at_us = planned_us.max(rested_us);
        // Without such a wait the bound holds as it is, and clocks that are a little late do no harm.
        let within = attempts_us(spec).saturating_sub(spec.timeout_us.into());
        let latest_us = u128::from(self.begun_us).saturating_add(within);
        (!self.put_off || u128::from(at_us) <= latest_us).then_some(at_us)
    }

    /// Whether the choice asked to be left alone beyond `now_us`.
    pub(super) fn rests(&self, position: usize, now_us: u64) -> bool {
        self.rests.get(&position).is_some_and(|until_us| *until_us > now_us)
    }

    /// An attempt begins again after a crash, `lost_us` after it had begun.
    pub(super) fn begin_later(&mut self, lost_us: u64) {
        self.begun_us = self.begun_us.saturating_add(lost_us);
    }
}

/// Why an attempt gave nothing.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: CallError,
    /// The answers that did not agree.
    pub(super) votes: Vec<Value>,
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        Self { error, votes: Vec::new() }
    }
}

impl Core {
    pub(super) fn start_call(&mut self, frame: FrameId, node: NodeId) {
        let call = Call {
            level: 0,
            args: Vec::new(),
            choices: Vec::new(),
            cursor: 0,
            retries: 0,
            begun_us: 0,
            rests: BTreeMap::new(),
            put_off: false,
            requests: 0,
            asked: Vec::new(),
            accounts: Vec::new(),
            state: State::Nothing,
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
                return self.fail_call(frame, node, error);
            }
        };
        self.fact(frame, node, FactKind::Given(args.clone()));
        let choices = route::order(&plan, spec, &self.given);
        let now_us = self.now_us;
        let Some(call) = self.call_mut(frame, node) else { return };
        (call.level, call.args, call.choices) = (level, args, choices);
        (call.cursor, call.retries, call.state) = (0, 0, State::Nothing);
        (call.begun_us, call.put_off) = (now_us, false);
        call.rests.clear();
        if let Err(error) = self.open_call_budget(frame, node, spec) {
            return self.fail_call(frame, node, *error);
        }
        match spec.cache_us {
            Some(age_us) => self.look_up(frame, node, spec, age_us),
            None => self.begin_round(frame, node),
        }
    }

    /// A call has what it gives to the plan.
    pub(super) fn call_succeeded(&mut self, frame: FrameId, node: NodeId, value: Value) {
        let caught = self.plan.call(node, 0).is_some_and(|spec| spec.caught.is_some());
        self.close_call(frame, node);
        self.complete(frame, node, if caught { Value::ok(value) } else { value });
    }

    /// An attempt failed, or none could be made: repeat, fall back, hand the failure to the plan, or fail.
    pub(super) fn call_failed(&mut self, frame: FrameId, node: NodeId, mut failure: Failure) {
        let plan = Arc::clone(&self.plan);
        let (now_us, seed, last) = (self.now_us, self.given.seed, self.requests_made);
        let Some(call) = self.call_mut(frame, node) else { return };
        call.state = State::Nothing;
        let Some(spec) = plan.call(node, call.level) else { return };
        if retry::repeats(&spec.retry, call.retries, failure.error.kind) {
            call.retries += 1;
            let wait_us = retry::delay_us(&spec.retry, call.retries, seed, last);
            if let Some(at_us) = call.next_attempt_us(spec, now_us.saturating_add(wait_us)) {
                let timer = self.timers.set(at_us, Timer::Backoff { frame, node });
                if let Some(call) = self.call_mut(frame, node) {
                    call.state = State::Backoff(timer);
                }
                return self.node_progress(frame, node, NodeState::Waiting, failure.error.message);
            }
            failure.error.message.push_str(match failure.error.retry_after_ms {
                Some(_) => "; the wait it asks for is longer than the call's attempts may take",
                None => "; waits that peers asked for have used up the time of further attempts",
            });
        }
        match &spec.fallback {
            Some(Fallback::Call(_)) => {
                let level = call.level + 1;
                self.begin_level(frame, node, level);
            }
            Some(Fallback::Value(fragment)) => match self.eval(frame, fragment, &[]) {
                Ok(value) => self.call_succeeded(frame, node, value),
                Err(trap) => {
                    let error = self.trapped(frame, node, &trap);
                    self.fail_call(frame, node, error);
                }
            },
            None if plan.call(node, 0).is_some_and(|spec| spec.caught.is_some()) => {
                self.close_call(frame, node);
                self.complete(frame, node, Value::err(caught(failure)));
            }
            None => {
                let error = failure.error;
                let plain = self.error(frame, node, &error.code, error.message.clone());
                self.fail_call(frame, node, PlanError { call: Some(error), ..plain });
            }
        }
    }

    pub(super) fn fail_call(&mut self, frame: FrameId, node: NodeId, error: PlanError) {
        self.close_call(frame, node);
        self.fail_node(frame, node, error);
    }

    pub(super) fn backoff_over(&mut self, frame: FrameId, node: NodeId) {
        if let Some(call) = self.call_mut(frame, node) {
            call.state = State::Nothing;
            self.begin_round(frame, node);
        }
    }

    /// The region of a call is given up.
    pub(super) fn give_up_call(&mut self, frame: FrameId, node: NodeId) {
        let Some(call) = self.call_mut(frame, node) else { return };
        match std::mem::replace(&mut call.state, State::Nothing) {
            State::Nothing => {}
            State::Lookup(lookup) => self.forget_lookup(lookup.id),
            State::Backoff(timer) => self.timers.remove(timer),
            State::Round(round) => {
                let message = "the rest of its region failed or was cancelled";
                self.give_up_round(round, &CallError::new(CallErrorKind::Cancelled, CANCELLED, message));
            }
        }
        self.close_call(frame, node);
    }

    /// Closes the budgets of a call that has ended.
    fn close_call(&mut self, frame: FrameId, node: NodeId) {
        let Some(call) = self.call_mut(frame, node) else { return };
        for account in std::mem::take(&mut call.accounts) {
            self.accounts.close(account);
        }
    }

    fn open_call_budget(
        &mut self,
        frame: FrameId,
        node: NodeId,
        spec: &CallSpec,
    ) -> Result<(), Box<PlanError>> {
        let Some(fragment) = spec.budget else { return Ok(()) };
        let limit = self.amount(frame, &fragment, Some((frame, node)))?;
        let currency = self.plan.currency;
        let Some(call) = self.call_mut(frame, node) else { return Ok(()) };
        let account = AccountId::Call { frame, node, level: call.level };
        call.accounts.push(account);
        self.accounts.open(account, Some(limit), currency);
        Ok(())
    }

    pub(super) fn call_mut(&mut self, frame: FrameId, node: NodeId) -> Option<&mut Call> {
        match self.frames.slot_mut(frame, self.plan.node(node).position)? {
            Slot::Call(call) => Some(call),
            _ => None,
        }
    }

    pub(super) fn call_ref(&self, frame: FrameId, node: NodeId) -> Option<&Call> {
        match self.frames.get(frame)?.slots.get(self.plan.node(node).position)? {
            Slot::Call(call) => Some(call),
            _ => None,
        }
    }
}

/// A failure as the plan sees it: a variant per kind, with the path of a misfit or the votes.
fn caught(failure: Failure) -> Value {
    let kind = failure.error.kind;
    let place = CallErrorKind::ALL.iter().position(|known| *known == kind).unwrap_or(0);
    let payload = match kind {
        CallErrorKind::Invalid => Some(Value::string(failure.error.path.as_deref().unwrap_or("$"))),
        CallErrorKind::NoQuorum => Some(Value::list(failure.votes)),
        _ => None,
    };
    Value::Variant(u32::try_from(place).unwrap_or(0), payload.map(Arc::new))
}

pub(super) fn no_operation(spec: &CallSpec) -> CallError {
    let target = &spec.target;
    let message =
        format!("no operation may serve `{target}`: every price is above its `max_price` or unknown");
    CallError::new(CallErrorKind::Unavailable, NO_OPERATION, message)
}
