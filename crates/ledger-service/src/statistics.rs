//! How calls of operations went lately: what the runtime chooses between them by.
//!
//! Attempts are told here when they end. The latest of each operation count, and none that is older than an hour: what was slow
//! then may be fast now. They lie in the store too, so that the next process begins with them.

mod calls;

use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use schema::route::{CallSample, RouteTable};
use store::{Append, Log, StreamName, ViewRow, ViewScan};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval};

use crate::error::Error;
use calls::Calls;

/// Appends are of a stream; this one gets no records.
const STREAM: &str = "statistics";
/// The view whose rows are the calls of each operation.
pub const STATISTICS: &str = "statistics.calls";
/// Rows read at a time.
const PAGE: usize = 1_000;
/// Rows written at a time.
const WRITES: usize = 100;
/// Calls that wait to be taken in; what comes while so many wait does not count.
const WAITING: usize = 8_192;
/// How often calls are taken in. A task that was woken by every call would slow each down.
const EVERY: Duration = Duration::from_secs(1);
/// After so many times they are stored: a crash loses what came since.
const STORED_EVERY: u32 = 30;

/// The statistics of a process. They end when this is dropped.
#[derive(Clone, Debug)]
pub struct Statistics {
    samples: mpsc::Sender<CallSample>,
    routes: watch::Receiver<RouteTable>,
    closing: mpsc::Sender<oneshot::Sender<()>>,
}

impl Statistics {
    /// Reads what an earlier process left in `log`, and goes on with it in a task. What the store has of an operation comes
    /// before what `beginning` has, rows of [`STATISTICS`] in another store.
    ///
    /// Errors: [`Error::Store`].
    pub async fn open(log: &Arc<dyn Log>, beginning: Vec<ViewRow>) -> Result<Self, Error> {
        let mut calls = Calls::default();
        beginning.into_iter().for_each(|row| calls.read(row.key, &row.value));
        read_stored(&**log, &mut calls).await?;
        let (samples, told) = mpsc::channel(WAITING);
        let (table, routes) = watch::channel(calls.routes(now_us()));
        let (closing, closed) = mpsc::channel(1);
        let task = Task { calls, told, table, log: Arc::downgrade(log), stream: StreamName::new(STREAM)? };
        tokio::spawn(task.run(closed));
        Ok(Self { samples, routes, closing })
    }

    /// Where attempts are told to.
    #[must_use]
    pub fn samples(&self) -> mpsc::Sender<CallSample> {
        self.samples.clone()
    }

    /// What is known of each operation.
    #[must_use]
    pub fn routes(&self) -> watch::Receiver<RouteTable> {
        self.routes.clone()
    }

    /// Stores what was told so far; what is told later does not count.
    pub async fn close(&self) {
        let (reply, stored) = oneshot::channel();
        if self.closing.send(reply).await.is_ok() {
            // Dropped where the process is ending.
            let _ = stored.await;
        }
    }
}

/// What takes the calls in.
struct Task {
    calls: Calls,
    told: mpsc::Receiver<CallSample>,
    table: watch::Sender<RouteTable>,
    /// The store is released when its owner drops it, unless it is being written to at that moment.
    log: Weak<dyn Log>,
    stream: StreamName,
}

impl Task {
    async fn run(mut self, mut closed: mpsc::Receiver<oneshot::Sender<()>>) {
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut until_stored = STORED_EVERY;
        loop {
            tokio::select! {
                biased;
                reply = closed.recv() => {
                    // Nobody closed it: as in a crash.
                    let Some(reply) = reply else { return };
                    self.take_in();
                    self.store().await;
                    drop(reply);
                    return;
                }
                _ = tick.tick() => self.take_in(),
            }
            until_stored -= 1;
            if until_stored == 0 {
                self.store().await;
                until_stored = STORED_EVERY;
            }
        }
    }

    /// Takes in what was told, and tells what is known then.
    fn take_in(&mut self) {
        while let Ok(sample) = self.told.try_recv() {
            self.calls.take(&sample);
        }
        let routes = self.calls.routes(now_us());
        self.table.send_if_modified(|known| {
            let changes = *known != routes;
            *known = routes;
            changes
        });
    }

    /// Stores what has changed. What a full or broken disk refuses stays to be stored the next time.
    async fn store(&mut self) {
        let changed = self.calls.changed();
        let Some(log) = self.log.upgrade().filter(|_| !changed.is_empty()) else { return };
        for operations in changed.chunks(WRITES) {
            let mut append = Append::to(self.stream.clone());
            for operation in operations {
                append = match self.calls.row(operation) {
                    Some(row) => append.view(STATISTICS, operation, row),
                    None => append.drop_view(STATISTICS, operation),
                };
            }
            if log.append(append).await.is_err() {
                return;
            }
            self.calls.are_stored(operations);
        }
    }
}

/// Reads what is in the store.
async fn read_stored(log: &dyn Log, calls: &mut Calls) -> Result<(), Error> {
    let mut after = None;
    loop {
        let page = log.view_scan(ViewScan::of(STATISTICS, PAGE).after(after.as_deref())).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.key.clone());
        for row in page {
            calls.read(row.key, &row.value);
        }
    }
}

/// Microseconds since 1970 UTC.
fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
