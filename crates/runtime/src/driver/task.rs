//! The task of one run: takes in whatever has happened, lets the scheduler decide, makes it durable, acts.

mod closing;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use schema::amount::Amount;
use store::{Append, Appended, StreamName};
use subnet::Listen;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::attempt::{Answer, Caller};
use super::live::{Control, LiveRun, Phase};
use super::patience::append_patiently;
use super::{Clock, LoadedPlan};
use crate::answers;
use crate::core::{Actions, AttemptId, Core, Event, Lookup, Outcome};
use crate::error::Error;
use crate::handle::Shared;
use crate::journal::{self, Record, Turn};
use crate::prover::Prover;
use crate::view::{Run, RunState};
use crate::{rows, told};

/// Answers that wait to be taken in before their senders wait.
const ANSWERS_QUEUED: usize = 256;
/// Requests to a run that wait to be taken in.
const CONTROLS_QUEUED: usize = 8;
/// Events of one turn.
const TURN_EVENTS_MAX: usize = 4_096;
/// Bytes of answers in one turn; what is larger is committed on its own.
const TURN_BYTES_MAX: usize = 4 << 20;
/// What a task is made of.
#[derive(Debug)]
pub(crate) struct NewRun {
    pub(crate) tenant: Arc<str>,
    pub(crate) run: Run,
    /// What is set aside for it of what its tenant may spend.
    pub(crate) reserved: Amount,
    pub(crate) plan: Arc<LoadedPlan>,
    pub(crate) core: Core,
    pub(crate) prover: Prover,
    pub(crate) challenge: schema::hash::Hash,
    pub(crate) listener: Option<Arc<dyn Listen>>,
    pub(crate) clock: Clock,
    pub(crate) stream: StreamName,
    /// The stream's last record.
    pub(crate) last_record: u64,
}

/// The task of one run.
#[derive(Debug)]
pub(crate) struct Task {
    shared: Arc<Shared>,
    tenant: Arc<str>,
    live: Arc<LiveRun>,
    run: Run,
    plan: Arc<LoadedPlan>,
    core: Core,
    prover: Option<Prover>,
    facts_seen: usize,
    clock: Clock,
    stream: StreamName,
    last_record: u64,
    /// Events of the open turn.
    pending: Vec<(u64, Event)>,
    pending_bytes: usize,
    /// When the open turn is committed at the latest.
    linger_until: Option<Instant>,
    /// Attempts in tasks of their own.
    in_flight: BTreeMap<AttemptId, AbortHandle>,
    /// An attempt that nothing runs beside: it is driven here, which saves two changes of task.
    alone: Option<Alone>,
    /// What it came to while something else was waited for.
    early: Option<Answer>,
    answers: mpsc::Receiver<Answer>,
    control: mpsc::Receiver<Control>,
    /// Last, for what it says of being alive.
    caller: Caller,
}

impl Task {
    pub(crate) fn new(shared: Arc<Shared>, new: NewRun) -> Self {
        let NewRun {
            tenant,
            run,
            reserved,
            plan,
            core,
            prover,
            challenge,
            listener,
            clock,
            stream,
            last_record,
        } = new;
        let (answered, answers) = mpsc::channel(ANSWERS_QUEUED);
        let (controls, control) = mpsc::channel(CONTROLS_QUEUED);
        let live = Arc::new(LiveRun {
            reserved,
            run: parking_lot::Mutex::new(run.clone()),
            control: controls,
            phase: tokio::sync::watch::Sender::new(Phase::Live),
        });
        let caller = Caller {
            run: run.id,
            challenge,
            plan: Arc::clone(&plan),
            secrets: shared.services.secrets.of(&tenant),
            hotkey: shared.services.hotkey(&tenant).map(Arc::clone),
            services: Arc::clone(&shared.services),
            listener,
            clock,
            answers: answered,
            _alive: shared.alive.subscribe(),
        };
        Self {
            shared,
            tenant,
            live,
            run,
            plan,
            core,
            prover: Some(prover),
            facts_seen: 0,
            caller,
            clock,
            stream,
            last_record,
            pending: Vec::new(),
            pending_bytes: 0,
            linger_until: None,
            in_flight: BTreeMap::new(),
            alone: None,
            early: None,
            answers,
            control,
        }
    }

    pub(crate) const fn id(&self) -> crate::view::RunId {
        self.run.id
    }

    pub(crate) fn live(&self) -> &Arc<LiveRun> {
        &self.live
    }

    /// The append that makes the run exist: its first record and its rows.
    pub(crate) fn opening(&self, opened: &Record) -> Append {
        let append = journal::add(Append::to(self.stream.clone()).expecting(0), opened);
        // Its first turn comes with it.
        rows::open(append, &self.tenant, &Run { state: RunState::Running, ..self.run.clone() })
    }

    /// Whether what its tenant may spend is limited.
    pub(crate) fn is_capped(&self) -> bool {
        self.shared.cap(&self.tenant).is_some()
    }

    /// After a fold: the attempts whose results the crash lost.
    pub(crate) fn lost(&self) -> Vec<AttemptId> {
        self.core.in_flight().collect()
    }

    /// After a fold: the look-ups whose results were not taken in.
    pub(crate) fn lookups(&self) -> Vec<Lookup> {
        self.core.lookups().cloned().collect()
    }

    /// Takes in one event.
    pub(crate) fn take(&mut self, event: Event) {
        let now_us = self.clock.now_us().max(self.core.now_us());
        if let Event::AttemptDone(id, outcome) = &event {
            self.in_flight.remove(id);
            self.alone.take_if(|alone| alone.attempt == *id);
            self.pending_bytes += size(outcome);
        }
        self.pending.push((now_us, event.clone()));
        self.core.step(now_us, event);
    }

    /// Commits what was taken in so far on top of `append`, and acts on it. A claim in `append` that was
    /// used before means that nothing happened; the caller sees it in the answer.
    pub(crate) async fn commit(&mut self, append: Append) -> Result<Appended, Error> {
        let mut actions = self.core.take_actions();
        let facts = std::mem::take(&mut actions.facts);
        self.facts_seen += facts.len();
        if let Some(prover) = &mut self.prover {
            prover.absorb(facts);
        }
        let finished = actions.finished.take();
        let append = self.turn(append, &actions);
        let append = match finished {
            Some(finished) => self.close(append, *finished).await,
            None => append,
        };
        let appended = self.append(append).await?;
        if !appended.repeated {
            self.last_record = appended.last_seq;
            self.live.run.lock().clone_from(&self.run);
            let lookups = std::mem::take(&mut actions.lookups);
            self.act(actions);
            self.look_up(lookups).await?;
        }
        Ok(appended)
    }

    /// Looks for answers of earlier runs and takes in what is found.
    pub(crate) async fn look_up(&mut self, lookups: Vec<Lookup>) -> Result<(), Error> {
        let (plan, tenant) = (Arc::clone(&self.plan.prepared), Arc::clone(&self.tenant));
        let services = Arc::clone(&self.shared.services);
        let now_us = self.clock.now_us();
        let find = |lookup| answers::find(&services, &plan, &tenant, lookup, now_us);
        let found = futures_util::future::try_join_all(lookups.iter().map(find)).await?;
        for (lookup, hit) in lookups.iter().zip(found) {
            self.take(Event::LookedUp(lookup.id, hit.map(Box::new)));
        }
        Ok(())
    }

    /// Drives the run to its end.
    pub(crate) async fn drive(&mut self) -> Result<(), Error> {
        loop {
            self.collect();
            if self.is_due() {
                let append = Append::to(self.stream.clone()).expecting(self.last_record);
                self.commit(append).await?;
            }
            if self.core.has_ended() {
                return Ok(());
            }
            self.wait().await;
        }
    }

    /// Waits until something happens or is due.
    async fn wait(&mut self) {
        let timer = self.core.next_timer_us().map(|at| self.clock.at(at));
        let wake = [timer, self.linger_until].into_iter().flatten().min();
        let alone = async {
            match (self.early.take(), &mut self.alone) {
                (Some(answer), _) => answer,
                (None, Some(alone)) => alone.answer.as_mut().await,
                (None, None) => std::future::pending().await,
            }
        };
        let asleep = async {
            match wake {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let event = tokio::select! {
            biased;
            Some(Control::Cancel) = self.control.recv() => Some(Event::Cancel),
            Some((id, outcome)) = self.answers.recv() => Some(Event::AttemptDone(id, outcome)),
            (id, outcome) = alone => Some(Event::AttemptDone(id, outcome)),
            () = asleep => None,
        };
        if let Some(event) = event {
            self.take(event);
        }
    }

    /// Takes in everything else that has happened, then what is due.
    fn collect(&mut self) {
        while self.pending.len() < TURN_EVENTS_MAX && self.pending_bytes < TURN_BYTES_MAX {
            if let Ok(Control::Cancel) = self.control.try_recv() {
                self.take(Event::Cancel);
            } else if let Ok((id, outcome)) = self.answers.try_recv() {
                self.take(Event::AttemptDone(id, outcome));
            } else {
                break;
            }
        }
        if self.core.next_timer_us().is_some_and(|due_us| due_us <= self.clock.now_us()) {
            self.take(Event::Tick);
        }
    }

    /// Whether the open turn has to be committed now. Results that cause nothing outward may wait for
    /// others for a moment, so that a fan-out does not cost one flush per element.
    fn is_due(&mut self) -> bool {
        if self.pending.is_empty() {
            self.linger_until = None;
            return false;
        }
        let now = Instant::now();
        let until = *self.linger_until.get_or_insert(now + self.shared.options.linger);
        self.core.actions().is_outward()
            || now >= until
            || self.pending_bytes >= TURN_BYTES_MAX
            || self.pending.len() >= TURN_EVENTS_MAX
            || (self.core.in_flight().next().is_none() && self.core.lookups().next().is_none())
    }

    /// Adds the open turn to `append`.
    fn turn(&mut self, append: Append, actions: &Actions) -> Append {
        let prepared = &self.plan.prepared;
        let mut told = Vec::with_capacity(actions.progress.len());
        for progress in &actions.progress {
            self.run.last_seq += 1;
            told.push(told::event(prepared, self.run.last_seq, progress));
        }
        self.run.total = self.core.spent();
        self.run.state = RunState::Running;
        let mut blobs = Vec::new();
        let events = std::mem::take(&mut self.pending);
        (self.pending_bytes, self.linger_until) = (0, None);
        let turn = Turn::new(events, actions, told, &mut blobs);
        let mut append = journal::add(append, &Record::Turn(turn));
        append.blobs.append(&mut blobs);
        append
    }

    /// Appends, patiently where the disk is full. Nothing of a refused append is kept, so it can be tried
    /// again as it is. Meanwhile watchers and requests to the run wait, as they do for a slow disk. A run
    /// that is not stored yet is refused after a moment instead: nothing is lost but the request.
    async fn append(&mut self, append: Append) -> Result<Appended, Error> {
        let log = Arc::clone(&self.shared.services.log);
        let is_stored = self.last_record > 0;
        let patience = if is_stored { self.shared.options.disk_patience } else { Duration::ZERO };
        let patient = append_patiently(log, append, patience, self.run.id);
        let Some(alone) = self.alone.as_mut().filter(|_| self.early.is_none()) else {
            return Ok(patient.await?);
        };
        // The attempt that is driven here must not stand still while the disk works.
        tokio::pin!(patient);
        tokio::select! {
            biased;
            done = &mut patient => return Ok(done?),
            answer = alone.answer.as_mut() => self.early = Some(answer),
        }
        Ok(patient.await?)
    }

    /// Does what the committed turn decided.
    fn act(&mut self, actions: Actions) {
        for cancelled in actions.cancels {
            self.alone.take_if(|alone| alone.attempt == cancelled);
            self.early.take_if(|(attempt, _)| *attempt == cancelled);
            if let Some(task) = self.in_flight.remove(&cancelled) {
                task.abort();
            }
        }
        let idle = self.in_flight.is_empty() && self.alone.is_none() && self.early.is_none();
        let is_alone = idle && actions.sends.len() == 1;
        for (attempt, send) in actions.sends {
            if is_alone {
                let answer = Box::pin(self.caller.clone().perform(send));
                self.alone = Some(Alone { attempt, answer });
            } else {
                self.in_flight.insert(attempt, self.caller.spawn(send));
            }
        }
    }

    /// Ends the task; `result` is how driving ended.
    pub(crate) fn leave(self, result: Result<(), Error>) {
        let phase = match result {
            Ok(()) => {
                let Run { id, plan, state, total, .. } = &self.run;
                tracing::info!(run = %id, plan, state = state.name(), paid = %total, "run ended");
                Phase::Ended
            }
            Err(error) => {
                tracing::error!(run = %self.run.id, code = error.code(), %error, "the run stopped here");
                Phase::Stalled(error)
            }
        };
        match &phase {
            Phase::Stalled(_) => self.shared.registry.stall(self.run.id),
            Phase::Live | Phase::Ended => {
                self.shared.registry.settle(&self.run, &self.plan.prepared);
            }
        }
        self.live.phase.send_replace(phase);
    }
}

/// An attempt that the run's own task drives.
struct Alone {
    attempt: AttemptId,
    answer: Pin<Box<dyn Future<Output = Answer> + Send>>,
}

impl std::fmt::Debug for Alone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Alone").field(&self.attempt).finish()
    }
}

impl Drop for Task {
    /// A run that is not driven any more has nobody to take its answers.
    fn drop(&mut self) {
        for task in self.in_flight.values() {
            task.abort();
        }
    }
}

/// Bytes an event adds to its turn.
fn size(outcome: &Outcome) -> usize {
    outcome.request.len() + 2 * outcome.response.len()
}

/// A run before its first event.
pub(crate) fn fresh_run(id: crate::view::RunId, plan: &LoadedPlan, created_at_us: u64) -> Run {
    let prepared = &plan.prepared;
    Run {
        id,
        plan: prepared.name().to_owned(),
        plan_hash: prepared.hash,
        state: RunState::Pending,
        result_json: None,
        error: None,
        costs: Vec::new(),
        total: Amount::zero(prepared.currency),
        total_certain: true,
        created_at_us,
        ended_at_us: None,
        proof_id: None,
        last_seq: 0,
    }
}
