//! The events of a run, from any point on, without a gap.

use std::collections::VecDeque;
use std::sync::Arc;

use store::{Log, StreamName, Watch};
use tokio::sync::watch;

use crate::driver::Phase;
use crate::error::Error;
use crate::journal::{self, Record};
use crate::view::{RunEvent, RunEventKind, RunId};

/// Reads the events of a run from its journal: first those that are there, then each as it is committed.
/// Ends after the run's last event.
#[derive(Debug)]
pub struct Events {
    log: Arc<dyn Log>,
    run: RunId,
    stream: StreamName,
    after_seq: u64,
    next_record: u64,
    read: VecDeque<RunEvent>,
    // Begun before the first read, so that nothing is committed unseen in between.
    grown: Watch,
    phase: Option<watch::Receiver<Phase>>,
    ended: bool,
}

impl Events {
    pub(crate) fn new(
        log: Arc<dyn Log>,
        run: RunId,
        stream: StreamName,
        after_seq: u64,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        let grown = log.watch(&stream);
        Self {
            log,
            run,
            stream,
            after_seq,
            next_record: 1,
            read: VecDeque::new(),
            grown,
            phase: Some(phase),
            ended: false,
        }
    }

    /// The next event; `None` after the last one. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`Error::Journal`] where the journal cannot be read; the reason for which the run stopped, where it
    /// cannot go on in this process.
    pub async fn next(&mut self) -> Result<Option<RunEvent>, Error> {
        loop {
            if self.read.front().is_some_and(|event| event.kind == RunEventKind::Closed) {
                self.close().await;
            }
            if let Some(event) = self.read.pop_front() {
                return Ok(Some(event));
            }
            if self.ended || (!self.fill().await? && !self.wait().await?) {
                return Ok(None);
            }
        }
    }

    /// The last event was read. Whoever sees it and asks for the run must find it ended, and the task is
    /// a moment behind its own commit.
    async fn close(&mut self) {
        self.ended = true;
        if let Some(phase) = &mut self.phase {
            let _ = phase.wait_for(|phase| !matches!(phase, Phase::Live)).await;
        }
    }

    /// Reads on; `false` where nothing new is there.
    async fn fill(&mut self) -> Result<bool, Error> {
        let records = self.log.read(&self.stream, self.next_record, journal::PAGE_RECORDS).await?;
        if records.is_empty() {
            return Ok(false);
        }
        for record in &records {
            let read = match journal::read(&*self.log, self.run, record).await {
                // What comes before a record that cannot be read is told first.
                Err(_) if !self.read.is_empty() => return Ok(true),
                read => read?,
            };
            if let Record::Turn(turn) = read {
                // What the caller has seen already still says whether the run has ended.
                let seen = turn.told.iter().rfind(|event| event.seq <= self.after_seq);
                if seen.is_some_and(|event| event.kind == RunEventKind::Closed) {
                    self.close().await;
                }
                self.read.extend(turn.told.into_iter().filter(|event| event.seq > self.after_seq));
            }
            self.next_record = record.seq + 1;
        }
        Ok(true)
    }

    /// Waits until there may be more; `false` where there never will be.
    async fn wait(&mut self) -> Result<bool, Error> {
        let Some(phase) = &mut self.phase else {
            return Ok(self.grown.grown().await.is_some());
        };
        if let Phase::Stalled(error) = &*phase.borrow_and_update() {
            return Err(error.clone());
        }
        tokio::select! {
            grown = self.grown.grown() => Ok(grown.is_some()),
            // The last commit came before the change of phase, so it is read next; after that there is
            // nobody left to say more.
            changed = phase.changed() => {
                if changed.is_err() {
                    self.phase = None;
                }
                Ok(true)
            }
        }
    }
}
