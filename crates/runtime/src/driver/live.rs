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

/// All runs that this process drives.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    runs: Mutex<BTreeMap<RunId, Entry>>,
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
        if runs.len() >= limit || runs.contains_key(&id) {
            return false;
        }
        runs.insert(id, Entry { tenant: Arc::clone(tenant), live: Arc::clone(live), task: None });
        true
    }

    pub(crate) fn set_task(&self, id: RunId, task: AbortHandle) {
        if let Some(entry) = self.runs.lock().get_mut(&id) {
            entry.task = Some(task);
        }
    }

    pub(crate) fn leave(&self, id: RunId) {
        self.runs.lock().remove(&id);
    }

    pub(crate) fn get(&self, tenant: &str, id: RunId) -> Option<Arc<LiveRun>> {
        let runs = self.runs.lock();
        runs.get(&id).filter(|entry| *entry.tenant == *tenant).map(|entry| Arc::clone(&entry.live))
    }

    pub(crate) fn len(&self) -> usize {
        self.runs.lock().len()
    }

    /// Stops driving everything, as a crash would.
    pub(crate) fn abort_all(&self) {
        for entry in std::mem::take(&mut *self.runs.lock()).into_values() {
            if let Some(task) = entry.task {
                task.abort();
            }
            entry.live.phase.send_replace(Phase::Stalled(Error::Closing));
        }
    }
}
