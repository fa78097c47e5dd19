//! A run that somebody waits for: when they go away, it is cancelled.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::driver::Control;
use crate::error::Error;
use crate::handle::{CreateRun, Handle, Start};
use crate::view::{Run, RunId};

/// A run that is cancelled when this is dropped before its end: attempts that were sent are settled, and what they
/// cost is recorded.
#[derive(Debug)]
pub struct Call {
    handle: Handle,
    tenant: Arc<str>,
    run: RunId,
    cancel: Cancel,
}

impl Call {
    /// The run.
    #[must_use]
    pub const fn run(&self) -> RunId {
        self.run
    }

    /// Whose run it is.
    #[must_use]
    pub const fn tenant(&self) -> &Arc<str> {
        &self.tenant
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// As [`Handle::wait`].
    pub async fn ended(mut self) -> Result<Run, Error> {
        let ended = self.handle.wait(&self.tenant, self.run).await;
        self.cancel.disarm();
        ended
    }
}

/// Cancels a run when it is dropped.
#[derive(Debug)]
struct Cancel(Option<mpsc::Sender<Control>>);

impl Cancel {
    fn disarm(&mut self) {
        self.0 = None;
    }
}

impl Drop for Cancel {
    fn drop(&mut self) {
        if let Some(control) = self.0.take() {
            // Closed where the run has just ended; full where it has been told before.
            let _ = control.try_send(Control::Cancel);
        }
    }
}

impl Handle {
    /// Creates a run and starts it, for somebody who waits for its end. Where this future or the [`Call`] is dropped
    /// before, the run is cancelled; a run that an earlier request with the same id made goes on.
    ///
    /// # Errors
    /// As [`Handle::create_run`].
    pub async fn call(&self, request: CreateRun) -> Result<Call, Error> {
        let tenant = Arc::clone(&request.tenant);
        let started = match self.start(request).await? {
            Start::Own(started) => started,
            Start::Repeated(run) => {
                return Ok(Call { handle: self.clone(), tenant, run, cancel: Cancel(None) });
            }
        };
        let id = started.id;
        let mut cancel = Cancel(Some(started.live.control.clone()));
        let created = started.stored(self).await;
        if !created.as_ref().is_ok_and(|run| *run == id) {
            cancel.disarm();
        }
        Ok(Call { handle: self.clone(), tenant, run: created?, cancel })
    }

    /// As [`Handle::call`] and [`Call::ended`] together, for somebody who needs nothing of the run before its end.
    ///
    /// # Errors
    /// As [`Handle::create_run`] and [`Handle::wait`].
    pub async fn call_to_end(&self, request: CreateRun) -> Result<Run, Error> {
        let tenant = Arc::clone(&request.tenant);
        let started = match self.start(request).await? {
            Start::Own(started) => started,
            Start::Repeated(run) => return self.wait(&tenant, run).await,
        };
        let (own, live) = (started.id, Arc::clone(&started.live));
        let mut cancel = Cancel(Some(live.control.clone()));
        let run = started.ended(self).await;
        cancel.disarm();
        match run? {
            run if run == own => live.now(),
            earlier => self.wait(&tenant, earlier).await,
        }
    }
}
