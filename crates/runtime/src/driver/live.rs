//! Runs that this process is driving.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;

use crate::error::Error;
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
    /// As of the last commit.
    pub(crate) run: Mutex<Run>,
    pub(crate) control: mpsc::Sender<Control>,
    pub(crate) phase: watch::Sender<Phase>,
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
}

#[derive(Debug)]
struct Entry {
    tenant: Arc<str>,
    live: Arc<LiveRun>,
    task: Option<AbortHandle>,
}

impl Registry {
    /// Enters a run; `false` if `limit` are there already, or this one is.
    pub(crate) fn enter(&self, id: RunId, tenant: &Arc<str>, live: &Arc<LiveRun>, limit: usize) -> bool {
        let mut runs = self.runs.lock();
        if runs.driven.len() >= limit || runs.driven.contains_key(&id) {
            return false;
        }
        runs.stalled.remove(&id);
        runs.driven.insert(id, Entry { tenant: Arc::clone(tenant), live: Arc::clone(live), task: None });
        true
    }

    pub(crate) fn set_task(&self, id: RunId, task: AbortHandle) {
        if let Some(entry) = self.runs.lock().driven.get_mut(&id) {
            entry.task = Some(task);
        }
    }

    pub(crate) fn leave(&self, id: RunId) {
        self.runs.lock().driven.remove(&id);
    }

    /// The run is not driven any more, though it has not ended.
    pub(crate) fn stall(&self, id: RunId) {
        let mut runs = self.runs.lock();
        if let Some(entry) = runs.driven.remove(&id) {
            runs.stalled.insert(id, Entry { task: None, ..entry });
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
            if let Some(task) = entry.task.take() {
                task.abort();
            }
            entry.live.phase.send_replace(Phase::Stalled(Error::Closing));
            runs.stalled.insert(id, entry);
        }
    }
}
