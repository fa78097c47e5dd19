//! Taking up runs that a process left behind.

use std::sync::Arc;

use proof::builder::{Opened, Show};
use schema::amount::Amount;
use schema::hash::Hash;
use store::{Append, ViewScan};

use super::task::{NewRun, Task, fresh_run};
use super::{Clock, LoadedPlan};
use crate::admission::{self, Limits};
use crate::core::{Core, Event, Given, Prepared};
use crate::driving::Driving;
use crate::error::Error;
use crate::handle::Shared;
use crate::journal::{self, JournalError, Record, Turn};
use crate::prover::Prover;
use crate::view::{EventState, Run, RunEvent, RunEventKind, RunId, RunState};
use crate::{inputs, rows};

/// Rows read at once.
const PAGE_ROWS: usize = 500;
/// Runs folded at once; each may hold many answers.
const FOLDING_MAX: usize = 16;

/// Starts a task for every run that has not ended; returns how many there are. When it returns, each is
/// being driven or was given up.
pub(crate) async fn recover(shared: &Arc<Shared>) -> Result<usize, Error> {
    let folding = Arc::new(tokio::sync::Semaphore::new(FOLDING_MAX));
    let mut after: Option<String> = None;
    let mut found = 0;
    let mut taking_up = tokio::task::JoinSet::new();
    loop {
        let scan = ViewScan::of(rows::OPEN, PAGE_ROWS).after(after.as_deref());
        let page = shared.services.log.view_scan(scan).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.key.clone());
        for row in page {
            let Some((tenant, run)) = row.key.rsplit_once('/') else { continue };
            let Ok(run) = run.parse::<RunId>() else { continue };
            if shared.registry.is_driven(run) {
                continue;
            }
            found += 1;
            let (shared, tenant, folding) = (Arc::clone(shared), Arc::from(tenant), Arc::clone(&folding));
            taking_up.spawn(async move {
                let permit = folding.acquire().await;
                take_up(shared, tenant, run, permit).await;
            });
        }
    }
    while taking_up.join_next().await.is_some() {}
    Ok(found)
}

/// Ends a run that an earlier process left behind as cancelled, without going on with it: nothing more is sent, and what was
/// sent before is settled as it is where the process ends.
pub(crate) async fn cancel(shared: &Arc<Shared>, tenant: &str, run: RunId) -> Result<(), Error> {
    let mut task = fold(shared, &Arc::from(tenant), run).await?;
    task.take(Event::Cancel);
    drive(shared, &Arc::from(tenant), run, task);
    Ok(())
}

async fn take_up(
    shared: Arc<Shared>,
    tenant: Arc<str>,
    run: RunId,
    permit: Result<tokio::sync::SemaphorePermit<'_>, tokio::sync::AcquireError>,
) {
    let folded = fold(&shared, &tenant, run).await;
    drop(permit);
    let task = match folded {
        Ok(task) => task,
        Err(Error::Journal(error @ (JournalError::Unreadable { .. } | JournalError::Diverged { .. }))) => {
            give_up(&shared, &tenant, run, &error).await;
            return;
        }
        Err(error) => {
            tracing::error!(%run, code = error.code(), %error, "the run cannot be taken up");
            return;
        }
    };
    drive(&shared, &tenant, run, task);
}

/// Drives a run unless something does already.
fn drive(shared: &Arc<Shared>, tenant: &Arc<str>, run: RunId, task: Task) {
    let live = Arc::clone(task.live());
    if shared.registry.take_up(run, tenant, &live) {
        let (driving, stop) = Driving::new(crate::handle::resume(task));
        shared.registry.set_stop(run, stop);
        driving.apart();
    }
}

/// The state that a journal folds to.
async fn fold(shared: &Arc<Shared>, tenant: &Arc<str>, run: RunId) -> Result<Task, Error> {
    let log = &*shared.services.log;
    let stream = journal::stream(tenant, run)?;
    let mut records = log.read(&stream, 1, journal::PAGE_RECORDS).await?;
    let unreadable = |seq, what: &str| JournalError::Unreadable { run, seq, what: what.into() };
    let first = records.first().ok_or_else(|| unreadable(1, "the journal is empty"))?;
    let Record::Opened(opened) = journal::read(log, run, first).await? else {
        return Err(unreadable(1, "it does not open a run").into());
    };
    let plan = shared.plan(opened.plan_hash).await?.ok_or_else(|| unreadable(1, "its plan is missing"))?;
    let (mut core, mut prover) = begin(&plan, &opened, shared.options.proofs_show)?;
    let mut summary = fresh_run(run, &plan, opened.created_at_us);
    let mut last_record = 1;
    let mut from = 2;
    loop {
        for record in records.iter().filter(|record| record.seq >= from) {
            let Record::Turn(turn) = journal::read(log, run, record).await? else {
                return Err(unreadable(record.seq, "it is no turn").into());
            };
            replay(log, run, record.seq, &mut core, &mut prover, &mut summary, turn).await?;
            last_record = record.seq;
        }
        from = last_record + 1;
        records = log.read(&stream, from, journal::PAGE_RECORDS).await?;
        if records.is_empty() {
            break;
        }
    }
    let challenge = proof::challenge::challenge_hash(&opened.challenge);
    // It was admitted once; where that cannot be told again, everything that is left is reserved for it.
    let limits = Limits { cost_max: opened.cost_max, unpriced_max: None, cap: shared.cap(tenant) };
    let reserved = admission::check(&plan.prepared, &opened.inputs, &limits)
        .unwrap_or(Amount::new(u64::MAX, plan.prepared.currency));
    let clock = Clock::from(core.now_us());
    let tenant = Arc::clone(tenant);
    summary.total = core.spent();
    let new = NewRun {
        tenant,
        run: summary,
        reserved,
        plan,
        core,
        prover,
        challenge,
        listener: None,
        clock,
        stream,
        last_record,
    };
    Ok(Task::new(Arc::clone(shared), new))
}

fn begin(plan: &Arc<LoadedPlan>, opened: &journal::Opened, show: Show) -> Result<(Core, Prover), Error> {
    let prepared: &Arc<Prepared> = &plan.prepared;
    let given = Given {
        inputs: opened.inputs.as_slice().into(),
        seed: seed(&opened.secret),
        callable: opened.callable.clone(),
        cost_max: opened.cost_max,
        routes: opened.routes.clone(),
    };
    let unreadable = |what: String| JournalError::Unreadable { run: opened.run, seq: 1, what };
    let proof = Opened { challenge: opened.challenge.clone(), header: opened.header.clone() };
    let canonical = inputs::canonical(&prepared.plan.body, &opened.inputs);
    let canonical = canonical.map_err(|error| unreadable(error.to_string()))?;
    let prover = Prover::new(Arc::clone(prepared), proof, &opened.secret, &canonical, show);
    Ok((Core::new(Arc::clone(prepared), given), prover))
}

/// The seed of a run's jitter, from its secret.
pub(crate) fn seed(secret: &[u8; 32]) -> u64 {
    let hash = schema::hash::Context::Challenge.hash(&[b"jitter", secret]);
    hash.0.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

async fn replay(
    log: &dyn store::Log,
    run: RunId,
    seq: u64,
    core: &mut Core,
    prover: &mut Prover,
    summary: &mut Run,
    turn: Turn,
) -> Result<(), Error> {
    for (at_us, event) in turn.events {
        let event = journal::event(log, event).await;
        core.step(at_us, event.map_err(|error| JournalError::of_body(run, seq, error))?);
    }
    let actions = core.take_actions();
    if journal::intents(&actions) != turn.intents {
        return Err(JournalError::Diverged { run, seq }.into());
    }
    prover.absorb(actions.facts);
    summary.last_seq = turn.told.last().map_or(summary.last_seq, |event| event.seq);
    summary.state = RunState::Running;
    Ok(())
}

impl Task {
    /// Applies the crash rule to what is in flight, then goes on. Of a run that was cancelled nothing is.
    pub(crate) async fn resume(&mut self) -> Result<(), Error> {
        // What is set aside under a cap is for so many attempts as the plan has.
        let event = if self.is_capped() { Event::Lost } else { Event::Interrupted };
        for attempt in self.lost() {
            self.take(event(attempt));
        }
        self.look_up(self.lookups()).await?;
        self.drive().await
    }
}

/// Ends a run whose journal cannot be read by this version, so that nobody waits for it.
async fn give_up(shared: &Arc<Shared>, tenant: &str, run: RunId, error: &JournalError) {
    tracing::error!(%run, code = error.code(), %error, "the run is given up");
    let log = &shared.services.log;
    let Ok(Some(mut summary)) = rows::get(&**log, tenant, run).await else { return };
    let Ok(stream) = journal::stream(tenant, run) else { return };
    let now_us = super::wall_us();
    summary.last_seq = last_told(&**log, run, &stream).await + 1;
    summary.state = RunState::Failed;
    summary.ended_at_us = Some(now_us);
    summary.total_certain = false;
    let failure = schema::error::PlanError {
        code: error.code().into(),
        message: error.to_string(),
        node: None,
        span: None,
        call: None,
    };
    let closed = RunEvent {
        seq: summary.last_seq,
        time_us: now_us,
        kind: RunEventKind::Closed,
        node: String::new(),
        iteration: Vec::new(),
        state: EventState::Failed,
        attempt: 0,
        operation: String::new(),
        message: failure.to_string(),
        spent: summary.total,
    };
    summary.error = Some(failure);
    let turn = Turn { events: Vec::new(), intents: Vec::new(), told: vec![closed] };
    let append = journal::add(Append::to(stream), &Record::Turn(turn));
    match log.append(rows::close(append, tenant, &summary, None)).await {
        Ok(_) => shared.registry.spent(tenant, &summary),
        Err(error) => tracing::error!(%run, code = error.code(), %error, "the run could not be given up"),
    }
}

/// Number of the last event that can still be read.
async fn last_told(log: &dyn store::Log, run: RunId, stream: &store::StreamName) -> u64 {
    let (mut from, mut last) = (1, 0);
    while let Ok(records) = log.read(stream, from, journal::PAGE_RECORDS).await {
        let Some(end) = records.last() else { break };
        from = end.seq + 1;
        for record in &records {
            if let Ok(Record::Turn(turn)) = journal::read(log, run, record).await {
                last = turn.told.last().map_or(last, |event| event.seq);
            }
        }
    }
    last
}

/// The plan of a hash that runs were made of.
pub(crate) async fn load_plan(shared: &Shared, hash: Hash) -> Result<Option<Arc<LoadedPlan>>, Error> {
    // Blobs are addressed by plain BLAKE3; a row says which blob is the plan of which hash.
    let log = &*shared.services.log;
    let Some(row) = log.view_get(crate::handle::PLANS, &hash.to_hex()).await? else { return Ok(None) };
    let Ok(blob) = <[u8; 32]>::try_from(&row[..]) else { return Ok(None) };
    let Some(bytes) = log.get_blob(&Hash(blob)).await? else { return Ok(None) };
    let prepared = Prepared::from_bytes(bytes)?;
    Ok(Some(Arc::new(LoadedPlan::new(prepared, &shared.services))))
}
