//! The clock of a run: starts at the wall clock or where the journal ended, whichever is later, and never
//! goes back, whatever happens to the wall clock meanwhile.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Microseconds since 1970 UTC by the wall clock.
pub(crate) fn wall_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// Time of one run in one process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start_us: u64,
    started: Instant,
}

impl Clock {
    /// A clock that is at least at `journalled_us`.
    pub(crate) fn from(journalled_us: u64) -> Self {
        Self { start_us: wall_us().max(journalled_us), started: Instant::now() }
    }

    pub(crate) fn now_us(&self) -> u64 {
        let elapsed = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.start_us.saturating_add(elapsed)
    }

    /// The moment at which this clock shows `time_us`.
    pub(crate) fn at(&self, time_us: u64) -> Instant {
        // tokio's timers cannot be set further than some years ahead.
        const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
        let ahead = Duration::from_micros(time_us.saturating_sub(self.start_us));
        self.started + ahead.min(FAR)
    }
}
