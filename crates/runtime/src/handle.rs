//! The runtime's interface to the rest of the program.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use parking_lot::Mutex;
use plan_ir::plan::CompiledPlan;
use schema::amount::Amount;
use schema::hash::Hash;
use schema::value::Value;
use store::{Append, ViewScan};
use subnet::Listen;
use tokio::sync::{oneshot, watch};

use crate::admission::Limits;
use crate::core::Prepared;
use crate::create::{Asked, Creation};
use crate::driver::{self, LiveRun, LoadedPlan, Options, Phase, Registry, Services, Task, Turns};
use crate::driving::Driving;
use crate::error::Error;
use crate::events::Events;
use crate::journal;
use crate::spend::{Account, SpendCap};
use crate::view::{Run, RunFilter, RunId, RunPage};
use crate::{admission, inputs, rows, spend};

/// Loaded plans that are kept although no run uses them.
const PLANS_KEPT: usize = 256;
/// Most runs of one page; a larger page is lowered to this.
pub const PAGE_RUNS_MAX: usize = 500;
/// Rows that one page looks at; a filter that nothing fits must not read everything.
const PAGE_ROWS_MAX: usize = 10_000;
/// How long a shutdown waits for aborted tasks to be gone.
const LET_GO: Duration = Duration::from_secs(2);
/// Which blob holds the plan of a hash.
pub(crate) const PLANS: &str = "plans.compiled";
/// The tenant of a single-user deployment.
pub const DEFAULT_TENANT: &str = "default";

/// A run to create.
#[derive(Debug, Clone)]
pub struct CreateRun {
    /// The plan.
    pub plan: Arc<LoadedPlan>,
    /// Its arguments: a JSON object by parameter name, text.
    pub inputs_json: Bytes,
    /// The same request with the same id makes one run, for 24 hours. At most 512 bytes.
    pub request_id: Option<String>,
    /// Refuse the run if it may cost more than this.
    pub cost_max: Option<Amount>,
    /// Refuse the run if it may make more requests than this whose price nobody has published.
    pub unpriced_max: Option<u32>,
    /// Whose run it is; letters, digits, `-`, `_` and `.`.
    pub tenant: Arc<str>,
    /// Hears the items of answers that are streamed, of every attempt of the run. It is not taken up again after a crash.
    pub listener: Option<Arc<dyn Listen>>,
}

/// What became of a request for a run.
pub(crate) enum Start {
    /// A run of its own.
    Own(Started),
    /// An earlier request with the same id made this one.
    Repeated(RunId),
}

/// A run that is admitted.
pub(crate) struct Started {
    pub(crate) id: RunId,
    pub(crate) live: Arc<LiveRun>,
    driving: Driving,
    stored: oneshot::Receiver<Result<RunId, Error>>,
}

impl Started {
    /// Drives it in a task of its own and waits until it is stored; the run of an earlier request, where that had the same id.
    pub(crate) async fn stored(self, handle: &Handle) -> Result<RunId, Error> {
        let Self { id, driving, stored, .. } = self;
        driving.apart();
        told(id, stored, handle).await
    }

    /// As [`Started::stored`], but drives it here to its end.
    pub(crate) async fn ended(self, handle: &Handle) -> Result<RunId, Error> {
        let Self { id, driving, stored, .. } = self;
        driving.await;
        told(id, stored, handle).await
    }
}

async fn told(
    id: RunId,
    stored: oneshot::Receiver<Result<RunId, Error>>,
    handle: &Handle,
) -> Result<RunId, Error> {
    stored.await.unwrap_or_else(|_| {
        // It was gone before it could answer: a mistake of this program, or a shutdown.
        handle.shared.registry.leave(id);
        let closing = handle.shared.closing.load(Ordering::Acquire);
        Err(if closing { Error::Interrupted(id) } else { Error::Internal { run: id } })
    })
}

/// What everything in this crate shares.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) services: Arc<Services>,
    pub(crate) options: Options,
    pub(crate) registry: Registry,
    pub(crate) turns: Arc<Turns>,
    plans: Mutex<BTreeMap<Hash, Arc<LoadedPlan>>>,
    /// Plans that are known to be in the store.
    pub(crate) stored: Mutex<BTreeMap<Hash, ()>>,
    closing: AtomicBool,
    /// Every task holds a receiver while it lives.
    pub(crate) alive: watch::Sender<()>,
}

/// Creates and looks after runs. Cheap to clone; clones share everything.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
}

impl Handle {
    /// A runtime over these services. Call [`Handle::recover`] before the first run is created.
    #[must_use]
    pub fn new(options: Options, services: Services) -> Self {
        let shared = Shared {
            services: Arc::new(services),
            options,
            registry: Registry::default(),
            turns: Arc::default(),
            plans: Mutex::default(),
            stored: Mutex::default(),
            closing: AtomicBool::new(false),
            alive: watch::Sender::new(()),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Counts what the tenants that have a cap have spent so far. Until then, and before [`Handle::recover`], their caps
    /// are not heeded.
    ///
    /// # Errors
    /// [`Error::Store`] and [`Error::Journal`] where the rows of their runs cannot be read.
    pub async fn open_accounts(&self) -> Result<(), Error> {
        for (tenant, cap) in &self.shared.options.spend_caps {
            let mut account = Account::new(cap.clone());
            spend::settled(&self.shared, tenant, &mut account).await?;
            self.shared.registry.open_account(tenant, account);
        }
        Ok(())
    }

    /// Takes up every run that an earlier process left behind; returns how many there are. What was in
    /// flight is treated by the crash rule: a call is sent again only if that does no harm and its price
    /// fits the budget once more, and where its tenant has a cap only by the retries of the plan.
    ///
    /// # Errors
    /// [`Error::Store`] where the list of open runs cannot be read.
    pub async fn recover(&self) -> Result<usize, Error> {
        driver::recover(&self.shared).await
    }

    /// Checks a plan and how its operations can be called from here. Plans are kept by hash.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn load(&self, plan: CompiledPlan) -> Result<Arc<LoadedPlan>, Error> {
        let prepared = Prepared::new(Arc::new(plan))?;
        if let Some(known) = self.shared.plans.lock().get(&prepared.hash) {
            return Ok(Arc::clone(known));
        }
        let loaded = Arc::new(LoadedPlan::new(prepared, &self.shared.services));
        self.shared.keep(&loaded);
        Ok(loaded)
    }

    /// By operation of a plan: whether runs of `tenant` could call it now.
    #[must_use]
    pub fn callable(&self, plan: &LoadedPlan, tenant: &str) -> Vec<bool> {
        plan.callable(&self.shared.services, tenant).iter().map(Result::is_ok).collect()
    }

    /// Creates a run and starts it. When this returns, the run is durable and on its way.
    ///
    /// # Errors
    /// [`Error::Input`], [`Error::NotCallable`], [`Error::AboveBudget`], [`Error::AboveMax`] and the like,
    /// before anything is spent; [`Error::RequestConflict`]; [`Error::Busy`]; [`Error::Store`].
    pub async fn create_run(&self, request: CreateRun) -> Result<RunId, Error> {
        match self.start(request).await? {
            Start::Own(started) => started.stored(self).await,
            Start::Repeated(run) => Ok(run),
        }
    }

    /// Admits a run and sets about storing it. A repeated request is no new run, so it is asked neither whether it may be
    /// made nor whether it fits what its tenant may spend.
    pub(crate) async fn start(&self, request: CreateRun) -> Result<Start, Error> {
        self.shared.check_open()?;
        let body = &request.plan.prepared.plan.body;
        let inputs = inputs::decode(&body.params, &body.types, &request.inputs_json)?;
        let asked = Asked::of(&self.shared, &request, &inputs).await?;
        if let Some(asked) = &asked
            && let Some(run) = asked.earlier(&self.shared).await?
        {
            return Ok(Start::Repeated(run));
        }
        self.admit(request, inputs, asked).map(Start::Own)
    }

    fn admit(
        &self,
        request: CreateRun,
        inputs: Arc<[Value]>,
        asked: Option<Asked>,
    ) -> Result<Started, Error> {
        self.shared.check_open()?;
        let callable = request.plan.callable(&self.shared.services, &request.tenant);
        request.plan.check(&callable)?;
        let cap = self.shared.cap(&request.tenant);
        let limits = Limits { cost_max: request.cost_max, unpriced_max: request.unpriced_max, cap };
        let reserved = admission::check(&request.plan.prepared, &inputs, &limits)?;
        let new = Creation::new(
            &self.shared,
            request,
            inputs,
            callable.iter().map(Result::is_ok),
            asked,
            reserved,
        )?;
        let (id, limit) = (new.opened.run, self.shared.options.runs_max);
        let live = Arc::clone(new.task.live());
        self.shared.registry.admit(id, &new.request.tenant, &live, limit)?;
        let (reply, stored) = oneshot::channel();
        let (driving, stop) = Driving::new(new.run(Arc::clone(&self.shared), reply));
        self.shared.registry.set_stop(id, stop);
        Ok(Started { id, live, driving, stored })
    }

    /// A run as it stands after its last commit.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Store`] and [`Error::Journal`] where it cannot be read.
    pub async fn get_run(&self, tenant: &str, run: RunId) -> Result<Run, Error> {
        if let Some(live) = self.shared.registry.get(tenant, run) {
            let snapshot = live.run.lock().clone();
            return Ok(snapshot);
        }
        rows::get(&*self.shared.services.log, tenant, run).await?.ok_or(Error::NotFound(run))
    }

    /// Waits for the end of a run.
    ///
    /// # Errors
    /// As [`Handle::get_run`]; the reason for which the run stopped, where it cannot go on here.
    pub async fn wait(&self, tenant: &str, run: RunId) -> Result<Run, Error> {
        if let Some(live) = self.shared.registry.get(tenant, run) {
            let mut phase = live.phase.subscribe();
            let _ = phase.wait_for(|phase| !matches!(phase, Phase::Live)).await;
            return live.now();
        }
        let run_now = self.get_run(tenant, run).await?;
        if run_now.state.has_ended() { Ok(run_now) } else { Err(self.not_driven(run)) }
    }

    /// The events of a run after number `after_seq`, without a gap. Of a run that stopped here, those
    /// that are stored, then the reason.
    ///
    /// # Errors
    /// As [`Handle::get_run`].
    pub async fn watch(&self, tenant: &str, run: RunId, after_seq: u64) -> Result<Events, Error> {
        let log = &self.shared.services.log;
        let live = self.shared.registry.get(tenant, run);
        let key = rows::key(tenant, run);
        if live.is_none() && log.view_get(rows::RUNS, &key).await?.is_none() {
            return Err(Error::NotFound(run));
        }
        let stream = journal::stream(tenant, run)?;
        // What ended has its last event stored; of what did not, nothing more will come.
        let stopped = || watch::Sender::new(Phase::Stalled(self.not_driven(run))).subscribe();
        let phase = live.map_or_else(stopped, |live| live.phase.subscribe());
        Ok(Events::new(Arc::clone(log), run, stream, after_seq, phase))
    }

    /// Asks a run to stop and waits until it has. Attempts that were sent are settled. Cancelling a run
    /// that ended changes nothing. One that an earlier process left behind is ended without going on with it.
    ///
    /// # Errors
    /// As [`Handle::wait`].
    pub async fn cancel_run(&self, tenant: &str, run: RunId) -> Result<Run, Error> {
        if let Some(live) = self.shared.registry.get(tenant, run) {
            // Closed where the run has just ended; full where it has been told before.
            let _ = live.control.try_send(driver::Control::Cancel);
        } else if !self.get_run(tenant, run).await?.state.has_ended()
            && !self.shared.closing.load(Ordering::Acquire)
        {
            driver::cancel(&self.shared, tenant, run).await?;
        }
        self.wait(tenant, run).await
    }

    /// Why a run that has not ended makes no progress here.
    fn not_driven(&self, run: RunId) -> Error {
        let closing = self.shared.closing.load(Ordering::Acquire);
        if closing { Error::Interrupted(run) } else { Error::NotDriven(run) }
    }

    /// A page of runs, newest first, after the run `after`.
    ///
    /// # Errors
    /// [`Error::Store`] and [`Error::Journal`] where rows cannot be read.
    pub async fn list_runs(
        &self,
        tenant: &str,
        filter: &RunFilter,
        after: Option<RunId>,
        page_size: usize,
    ) -> Result<RunPage, Error> {
        let size = page_size.clamp(1, PAGE_RUNS_MAX);
        let mut after = after.map(|run| rows::key(tenant, run));
        let (mut runs, mut looked_at, mut last) = (Vec::with_capacity(size), 0, None);
        while looked_at < PAGE_ROWS_MAX {
            let scan = ViewScan::of(rows::RUNS, size).prefix(&format!("{tenant}/")).descending();
            let page = self.shared.services.log.view_scan(scan.after(after.as_deref())).await?;
            if page.is_empty() {
                return Ok(RunPage { runs, next: None });
            }
            for row in page {
                looked_at += 1;
                let Some(id) = row.key.rsplit_once('/').and_then(|(_, id)| id.parse().ok()) else { continue };
                let run = self.summary(tenant, id, &row.value)?;
                last = Some(id);
                if filter.state.is_none_or(|state| run.state == state)
                    && filter.plan.as_ref().is_none_or(|plan| run.plan == *plan)
                {
                    runs.push(run);
                }
                if runs.len() == size {
                    return Ok(RunPage { runs, next: last });
                }
                after = Some(row.key);
            }
        }
        Ok(RunPage { runs, next: last })
    }

    /// Runs under way in this process.
    #[must_use]
    pub fn runs_under_way(&self) -> usize {
        self.shared.registry.len()
    }

    /// Refuses new runs, waits up to `grace` for those under way, then stops driving the rest; what they
    /// had in flight is treated as interrupted when they are taken up again.
    pub async fn shutdown(&self, grace: Duration) {
        self.shared.closing.store(true, Ordering::Release);
        let deadline = tokio::time::Instant::now() + grace;
        while self.shared.registry.len() > 0 && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.shared.registry.abort_all();
        // Aborted tasks let go of the store when they are next polled, which is at once.
        let _ = tokio::time::timeout(LET_GO, self.shared.alive.closed()).await;
    }

    fn summary(&self, tenant: &str, id: RunId, row: &[u8]) -> Result<Run, Error> {
        if let Some(live) = self.shared.registry.get(tenant, id) {
            let run = live.run.lock();
            return Ok(Run { result_json: None, costs: Vec::new(), ..run.clone() });
        }
        Ok(rows::read_summary(id, row)?)
    }
}

impl Shared {
    fn check_open(&self) -> Result<(), Error> {
        if self.closing.load(Ordering::Acquire) { Err(Error::Closing) } else { Ok(()) }
    }

    /// What the tenant may spend over all its runs, where there is a limit.
    pub(crate) fn cap(&self, tenant: &str) -> Option<&SpendCap> {
        self.options.spend_caps.get(tenant)
    }

    /// The plan of a hash that a stored run was made of.
    pub(crate) async fn plan(&self, hash: Hash) -> Result<Option<Arc<LoadedPlan>>, Error> {
        if let Some(known) = self.plans.lock().get(&hash) {
            return Ok(Some(Arc::clone(known)));
        }
        let loaded = driver::load_plan(self, hash).await?;
        if let Some(loaded) = &loaded {
            self.keep(loaded);
        }
        Ok(loaded)
    }

    fn keep(&self, plan: &Arc<LoadedPlan>) {
        let mut plans = self.plans.lock();
        if plans.len() >= PLANS_KEPT {
            plans.retain(|_, kept| Arc::strong_count(kept) > 1);
        }
        plans.insert(plan.prepared.hash, Arc::clone(plan));
    }

    /// Adds the plan to the first append of a run, unless the store has it.
    pub(crate) fn store_plan(&self, append: Append, plan: &Prepared) -> Append {
        if self.stored.lock().contains_key(&plan.hash) {
            return append;
        }
        let blob = store::BlobWrite::new(plan.bytes.clone());
        let mut append = append.view(PLANS, plan.hash.to_hex(), blob.hash().0.to_vec());
        append.blobs.push(blob);
        append
    }
}

/// Drives a run to its end.
pub(crate) async fn drive(mut task: Box<Task>) {
    let driven = AssertUnwindSafe(task.drive()).catch_unwind().await;
    let run = task.id();
    task.leave(driven.unwrap_or(Err(Error::Internal { run })));
}

/// Drives a run that was taken up.
pub(crate) async fn resume(mut task: Task) {
    let driven = AssertUnwindSafe(task.resume()).catch_unwind().await;
    let run = task.id();
    task.leave(driven.unwrap_or(Err(Error::Internal { run })));
}
