//! Runs that this process is driving.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::AbortHandle;
use parking_lot::Mutex;
use schema::amount::Amount;
use tokio::sync::{mpsc, watch};

use crate::core::Prepared;
use crate::error::Error;
use crate::spend::Account;
use crate::view::{Run, RunId};

/// What can be asked of a run under way.
#[derive(Debug)]
pub(crate) enum Control {
    Cancel,
}

/// Whether a run is being driven.
#[derive(Debug, Clone)]
pub(crate) enum Phase {
    Live,
    /// It ended, and its rows say how.
    Ended,
    /// It cannot go on in this process. What is journalled is safe; a restart takes it up again.
    Stalled(Error),
}

/// A run that this process drives.
#[derive(Debug)]
pub(crate) struct LiveRun {
    /// What is set aside for it of what its tenant may spend.
    pub(crate) reserved: Amount,
    /// As of the last commit.
    pub(crate) run: Mutex<Run>,
    pub(crate) control: mpsc::Sender<Control>,
    pub(crate) phase: watch::Sender<Phase>,
}

impl LiveRun {
    /// The run as it stands after its last commit.
    ///
    /// # Errors
    /// The reason for which it stopped, where it cannot go on in this process.
    pub(crate) fn now(&self) -> Result<Run, Error> {
        if let Phase::Stalled(error) = &*self.phase.borrow() {
            return Err(error.clone());
        }
        Ok(self.run.lock().clone())
    }
}

/// Stalled runs that are remembered with their reasons; beyond, the oldest are forgotten.
const STALLED_KEPT: usize = 10_000;

/// All runs that this process drives, and those it cannot drive any more.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    runs: Mutex<Runs>,
}

#[derive(Debug, Default)]
struct Runs {
    driven: BTreeMap<RunId, Entry>,
    /// Who asks for one of these is told why it stopped.
    stalled: BTreeMap<RunId, Entry>,
    /// Of tenants that have a cap.
    accounts: BTreeMap<Arc<str>, Account>,
}

#[derive(Debug)]
struct Entry {
    tenant: Arc<str>,
    live: Arc<LiveRun>,
    stop: Option<AbortHandle>,
}

impl Registry {
    /// Keeps the account of a tenant from now on.
    pub(crate) fn open_account(&self, tenant: &Arc<str>, account: Account) {
        self.runs.lock().accounts.insert(Arc::clone(tenant), account);
    }

    /// Enters a new run where there is room for it and its tenant may spend what it may cost.
    pub(crate) fn admit(
        &self,
        id: RunId,
        tenant: &Arc<str>,
        live: &Arc<LiveRun>,
        limit: usize,
    ) -> Result<(), Error> {
        let mut runs = self.runs.lock();
        if runs.driven.len() >= limit {
            return Err(Error::Busy { limit });
        }
        if let Some(account) = runs.accounts.get(tenant) {
            account.admit(tenant, live.reserved, runs.reserved(tenant))?;
        }
        runs.enter(id, tenant, live);
        Ok(())
    }

    /// Enters a run that is taken up; `false` if it is there already.
    pub(crate) fn take_up(&self, id: RunId, tenant: &Arc<str>, live: &Arc<LiveRun>) -> bool {
        let mut runs = self.runs.lock();
        if runs.driven.contains_key(&id) {
            return false;
        }
        runs.enter(id, tenant, live);
        true
    }

    pub(crate) fn set_stop(&self, id: RunId, stop: AbortHandle) {
        if let Some(entry) = self.runs.lock().driven.get_mut(&id) {
            entry.stop = Some(stop);
        }
    }

    /// The run is not driven any more, because it was never stored.
    pub(crate) fn leave(&self, id: RunId) {
        self.runs.lock().driven.remove(&id);
    }

    /// The run has ended.
    pub(crate) fn settle(&self, run: &Run, plan: &Prepared) {
        let mut runs = self.runs.lock();
        if let Some(entry) = runs.driven.remove(&run.id) {
            runs.spent(&entry.tenant, run, Some(plan));
        }
    }

    /// A run that was never driven here has ended.
    pub(crate) fn spent(&self, tenant: &str, run: &Run) {
        self.runs.lock().spent(tenant, run, None);
    }

    /// The run is not driven any more, though it has not ended.
    pub(crate) fn stall(&self, id: RunId) {
        let mut runs = self.runs.lock();
        if let Some(entry) = runs.driven.remove(&id) {
            runs.stalled.insert(id, Entry { stop: None, ..entry });
        }
        if runs.stalled.len() > STALLED_KEPT {
            runs.stalled.pop_first();
        }
    }

    pub(crate) fn is_driven(&self, id: RunId) -> bool {
        self.runs.lock().driven.contains_key(&id)
    }

    /// A run that is driven, or stalled.
    pub(crate) fn get(&self, tenant: &str, id: RunId) -> Option<Arc<LiveRun>> {
        let runs = self.runs.lock();
        let entry = runs.driven.get(&id).or_else(|| runs.stalled.get(&id));
        entry.filter(|entry| *entry.tenant == *tenant).map(|entry| Arc::clone(&entry.live))
    }

    /// Runs that are driven.
    pub(crate) fn len(&self) -> usize {
        self.runs.lock().driven.len()
    }

    /// Stops driving everything, as a crash would.
    pub(crate) fn abort_all(&self) {
        let mut runs = self.runs.lock();
        for (id, mut entry) in std::mem::take(&mut runs.driven) {
            if let Some(stop) = entry.stop.take() {
                stop.abort();
            }
            entry.live.phase.send_replace(Phase::Stalled(Error::Interrupted(id)));
            runs.stalled.insert(id, entry);
        }
    }
}

impl Runs {
    fn enter(&mut self, id: RunId, tenant: &Arc<str>, live: &Arc<LiveRun>) {
        self.stalled.remove(&id);
        self.driven.insert(id, Entry { tenant: Arc::clone(tenant), live: Arc::clone(live), stop: None });
    }

    /// What runs of the tenant that have not ended may cost.
    fn reserved(&self, tenant: &str) -> impl Iterator<Item = Amount> {
        let open = self.driven.values().chain(self.stalled.values());
        open.filter(move |entry| *entry.tenant == *tenant).map(|entry| entry.live.reserved)
    }

    fn spent(&mut self, tenant: &str, run: &Run, plan: Option<&Prepared>) {
        if let Some(account) = self.accounts.get_mut(tenant) {
            account.settle(run, plan);
        }
    }
}
