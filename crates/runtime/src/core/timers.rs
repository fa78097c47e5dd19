//! What waits for time to pass.

use std::collections::BTreeMap;

use plan_ir::graph::NodeId;
use plan_ir::plan::ScopeId;

use super::frame::FrameId;

/// What is to happen at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// The timeout of an attempt.
    Round {
        frame: FrameId,
        node: NodeId,
    },
    /// A request of a vote is late.
    Hedge {
        frame: FrameId,
        node: NodeId,
        vote: u32,
    },
    Backoff {
        frame: FrameId,
        node: NodeId,
    },
    Deadline {
        scope: ScopeId,
        frame: FrameId,
    },
}

/// A set timer: when it is due, and a number that keeps timers of one moment in the order they were set.
pub(crate) type TimerKey = (u64, u32);

#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeMap<TimerKey, Timer>,
    set: u32,
}

impl Timers {
    pub(crate) fn set(&mut self, due_us: u64, timer: Timer) -> TimerKey {
        self.set = self.set.wrapping_add(1);
        let key = (due_us, self.set);
        self.due.insert(key, timer);
        key
    }

    pub(crate) fn remove(&mut self, key: TimerKey) {
        self.due.remove(&key);
    }

    pub(crate) fn clear(&mut self) {
        self.due.clear();
    }

    pub(crate) fn next_us(&self) -> Option<u64> {
        self.due.first_key_value().map(|((due_us, _), _)| *due_us)
    }

    /// Takes the earliest timer if it is due.
    pub(crate) fn pop_due(&mut self, now_us: u64) -> Option<Timer> {
        let entry = self.due.first_entry()?;
        (entry.key().0 <= now_us).then(|| entry.remove())
    }
}
