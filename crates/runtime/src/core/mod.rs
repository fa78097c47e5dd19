//! The scheduler: a pure state machine. Events go in with the time they happened at, actions come out;
//! nothing here does I/O, reads a clock or draws a random number, so the same events give the same
//! actions, always. That is what lets the journal hold events only: the state is their fold.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use plan_ir::expr::Fragment;
use plan_ir::graph::NodeId;
use plan_ir::interp::{Env, Trap};
use schema::amount::Amount;
use schema::error::PlanError;
use schema::price::WorstPrice;
use schema::route::Route;
use schema::value::Value;

mod cache;
mod call;
mod event;
mod fact;
mod fan_out;
mod frame;
mod prepared;
mod region;
mod request;
mod round;
mod scope;
mod settle;
mod tables;
mod timers;

pub use cache::{Hit, Lookup, LookupId};
pub use event::{
    AboveAgreed, Actions, AttemptId, Cost, End, Event, Finished, Instance, NodeState, Outcome, Progress,
    ProgressKind, Send,
};
pub use fact::{Attempted, Fact, FactKind};
pub use prepared::{Malformed, Prepared};

pub(crate) use call::CANCELLED;
pub(crate) use frame::FrameId;

use crate::policy::budget::{Accounts, Reservation};
use frame::Frames;
use scope::Scopes;
use timers::{Timer, Timers};

/// What a run is given besides its plan; part of the journal's first record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Given {
    /// One value per parameter of the plan, defaults applied.
    pub inputs: Arc<[Value]>,
    /// Seeds the jitter of retries.
    pub seed: u64,
    /// By operation of the plan: whether it can be called at all here (its secret is there, its transport
    /// is spoken).
    pub callable: Vec<bool>,
    /// A cap on the plan's own budget.
    pub cost_max: Option<Amount>,
    /// By operation of the plan: what is measured of it. Of those that are missing nothing is.
    pub routes: Vec<Route>,
}

/// The state of one run.
#[derive(Debug)]
pub struct Core {
    plan: Arc<Prepared>,
    given: Given,
    now_us: u64,
    frames: Frames,
    /// Nodes whose parents are done, in the order they became so.
    ready: VecDeque<(FrameId, NodeId)>,
    attempts: BTreeMap<AttemptId, Attempt>,
    requests_made: u32,
    /// Whose look-ups are awaited.
    lookups: BTreeMap<LookupId, (FrameId, NodeId)>,
    lookups_made: u32,
    /// Instances of nodes so far, those of started fan-outs in advance.
    instances: u32,
    timers: Timers,
    scopes: Scopes,
    accounts: Accounts,
    costs: BTreeMap<(NodeId, u32), Cost>,
    spent_units: u64,
    actions: Actions,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Pending,
    Running,
    Ended,
}

/// A request whose result is awaited.
#[derive(Debug)]
struct Attempt {
    frame: FrameId,
    node: NodeId,
    /// Its vote in the round.
    vote: u32,
    operation: u32,
    /// Its position in the call's order of operations.
    position: usize,
    /// Number within the call, from 1.
    number: u32,
    sent_us: u64,
    reservation: Reservation,
    /// The most one page of the answer may cost.
    page: WorstPrice,
    /// What was asked, where an answer is kept for later runs.
    request: Option<Value>,
}

impl Core {
    /// A run that has not started.
    #[must_use]
    pub fn new(plan: Arc<Prepared>, given: Given) -> Self {
        let accounts = Accounts::new(plan.plan.body.rate);
        Self {
            plan,
            given,
            now_us: 0,
            frames: Frames::default(),
            ready: VecDeque::new(),
            attempts: BTreeMap::new(),
            requests_made: 0,
            lookups: BTreeMap::new(),
            lookups_made: 0,
            instances: 0,
            timers: Timers::default(),
            scopes: Scopes::default(),
            accounts,
            costs: BTreeMap::new(),
            spent_units: 0,
            actions: Actions::default(),
            phase: Phase::Pending,
        }
    }

    /// Takes in one event that happened at `now_us`, microseconds since 1970 UTC. Time that would go
    /// back stands still. An event for something that is over changes nothing.
    pub fn step(&mut self, now_us: u64, event: Event) {
        self.now_us = self.now_us.max(now_us);
        match (self.phase, event) {
            (Phase::Pending, Event::Start) => self.start(),
            (Phase::Pending | Phase::Running, Event::Cancel) => self.finish(End::Cancelled),
            (Phase::Running, Event::AttemptDone(id, outcome)) => self.attempt_done(id, *outcome),
            (Phase::Running, Event::Interrupted(id)) => self.attempt_interrupted(id, true),
            (Phase::Running, Event::Lost(id)) => self.attempt_interrupted(id, false),
            (Phase::Running, Event::LookedUp(id, hit)) => self.looked_up(id, hit.map(|hit| *hit)),
            (Phase::Running, Event::Tick) => self.tick(),
            _ => {}
        }
        self.settle_ready();
    }

    /// What has to be done since the last call of this. The caller makes the events durable first. An
    /// attempt that is created and given up between two calls of this is never sent.
    pub fn take_actions(&mut self) -> Actions {
        std::mem::take(&mut self.actions)
    }

    /// What [`Self::take_actions`] would give.
    #[must_use]
    pub const fn actions(&self) -> &Actions {
        &self.actions
    }

    /// When an [`Event::Tick`] is due, microseconds; `None` while nothing waits for time to pass.
    #[must_use]
    pub fn next_timer_us(&self) -> Option<u64> {
        self.timers.next_us()
    }

    /// The attempts whose results are awaited.
    pub fn in_flight(&self) -> impl Iterator<Item = AttemptId> {
        self.attempts.keys().copied()
    }

    /// Whether the run has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// The run's clock: the latest time any event brought, microseconds.
    #[must_use]
    pub const fn now_us(&self) -> u64 {
        self.now_us
    }

    /// The plan.
    #[must_use]
    pub const fn plan(&self) -> &Arc<Prepared> {
        &self.plan
    }

    /// What the run has spent, in its currency.
    #[must_use]
    pub fn spent(&self) -> Amount {
        Amount::new(self.spent_units, self.plan.currency)
    }

    /// Money set aside for attempts in flight, in the run's currency; zero once the run ended.
    #[must_use]
    pub fn reserved(&self) -> Amount {
        Amount::new(self.accounts.reserved_outermost(), self.plan.currency)
    }

    fn start(&mut self) {
        self.phase = Phase::Running;
        self.progress(ProgressKind::Opened);
        let root = self.frames.next_id();
        if let Err(error) = self.open_root_scope(root) {
            return self.finish(End::Failed(*error));
        }
        let root = prepared::RegionId::ROOT;
        // Within the limit: a plan has fewer nodes than a run may have instances.
        self.admit_instances(root, 1);
        self.open_frame(root, None, 0, Value::Null, Vec::new());
    }

    /// Starts nodes until none is ready.
    fn settle_ready(&mut self) {
        while let Some((frame, node)) = self.ready.pop_front() {
            self.start_node(frame, node);
        }
    }

    fn tick(&mut self) {
        while let Some(timer) = self.timers.pop_due(self.now_us) {
            match timer {
                Timer::Round { frame, node } => self.round_timed_out(frame, node),
                Timer::Hedge { frame, node, vote } => self.hedge_due(frame, node, vote),
                Timer::Backoff { frame, node } => self.backoff_over(frame, node),
                Timer::Deadline { scope, frame } => self.deadline_passed(scope, frame),
            }
            self.settle_ready();
        }
    }

    /// Ends the run. Whatever is in flight is given up and settled.
    fn finish(&mut self, end: End) {
        if let Some(root) = self.frames.root() {
            self.tear_down(root);
        }
        self.phase = Phase::Ended;
        self.ready.clear();
        self.timers.clear();
        self.progress(ProgressKind::Closed { end: end.clone() });
        let costs = self.costs.values().cloned().collect();
        self.actions.finished = Some(Box::new(Finished { end, costs, total: self.spent() }));
    }

    fn progress(&mut self, kind: ProgressKind) {
        let (time_us, spent) = (self.now_us, self.spent());
        self.actions.progress.push(Progress { time_us, kind, spent });
    }

    fn node_progress(&mut self, frame: FrameId, node: NodeId, state: NodeState, message: impl Into<String>) {
        let instance = self.instance(frame, node);
        self.progress(ProgressKind::Node { instance, state, message: message.into() });
    }

    fn fact(&mut self, frame: FrameId, node: NodeId, kind: FactKind) {
        let instance = self.instance(frame, node);
        self.actions.facts.push(Fact { time_us: self.now_us, instance, kind });
    }

    fn instance(&self, frame: FrameId, node: NodeId) -> Instance {
        Instance { node, iteration: self.frames.iteration(&self.plan, frame) }
    }

    /// The value of an expression of the plan as seen from `frame`.
    fn eval(&self, frame: FrameId, fragment: &Fragment, args: &[Value]) -> Result<Value, Trap> {
        let view = View { core: self, frame };
        self.plan.eval(fragment, args, &view)
    }

    fn trapped(&self, frame: FrameId, node: NodeId, trap: &Trap) -> PlanError {
        trap.to_plan_error(&self.plan.plan.debug, Some(self.name_of(frame, node)))
    }

    /// `label#id[i][j]`.
    fn name_of(&self, frame: FrameId, node: NodeId) -> String {
        let instance = self.instance(frame, node);
        self.plan.show(&instance)
    }

    fn error(&self, frame: FrameId, node: NodeId, code: &str, message: String) -> PlanError {
        PlanError {
            code: code.into(),
            message,
            node: Some(self.name_of(frame, node)),
            span: self.plan.span(node),
            call: None,
        }
    }
}

/// What expressions of a node see.
struct View<'a> {
    core: &'a Core,
    frame: FrameId,
}

impl Env for View<'_> {
    fn param(&self, index: u32) -> Option<Value> {
        self.core.given.inputs.get(index as usize).cloned()
    }

    fn node(&self, node: NodeId) -> Option<Value> {
        self.core.frames.value(&self.core.plan, self.frame, node).cloned()
    }

    fn item(&self, fan_out: NodeId) -> Option<Value> {
        self.core.frames.opened_by(&self.core.plan, self.frame, fan_out).map(|frame| frame.item.clone())
    }

    fn bound(&self, branch: NodeId, index: u32) -> Option<Value> {
        let frame = self.core.frames.opened_by(&self.core.plan, self.frame, branch)?;
        frame.bound.get(index as usize).cloned()
    }
}
