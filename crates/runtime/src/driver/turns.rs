//! Requests with the same id are looked at one after the other, so that a repetition finds the run of the first.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OwnedMutexGuard;

type Key = (Arc<str>, String);
type Line = Arc<tokio::sync::Mutex<()>>;

/// The request ids that are being looked at.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    lines: Mutex<BTreeMap<Key, Line>>,
}

/// A place in the line of one id; while it has the turn, nobody else looks at the id.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Arc<Turns>,
    key: Key,
    line: Line,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits until every earlier request of the tenant with this id is stored or refused.
    pub(crate) async fn take(self: &Arc<Self>, tenant: &Arc<str>, id: &str) -> Turn {
        let key = (Arc::clone(tenant), id.to_owned());
        let line = Arc::clone(self.lines.lock().entry(key.clone()).or_default());
        let mut turn = Turn { turns: Arc::clone(self), key, line, guard: None };
        turn.guard = Some(Arc::clone(&turn.line).lock_owned().await);
        turn
    }
}

impl Drop for Turn {
    /// The last one takes the line away: whoever joins it does so under the lock that is held here.
    fn drop(&mut self) {
        let mut lines = self.turns.lines.lock();
        self.guard = None;
        let (own, in_the_map) = (1, 1);
        if Arc::strong_count(&self.line) == own + in_the_map {
            lines.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn equal_ids_wait_others_do_not_and_nothing_is_kept() {
        let (turns, tenant) = (Arc::new(Turns::default()), Arc::from("a"));
        let first = turns.take(&tenant, "x").await;
        assert!(turns.take(&tenant, "y").now_or_never().is_some());
        assert!(turns.take(&Arc::from("b"), "x").now_or_never().is_some());
        // One that goes away while it waits, and one that goes on.
        let mut gone = Box::pin(turns.take(&tenant, "x"));
        let mut second = Box::pin(turns.take(&tenant, "x"));
        assert!((&mut gone).now_or_never().is_none() && (&mut second).now_or_never().is_none());
        drop(gone);
        drop(first);
        drop(second.now_or_never().unwrap());
        assert_eq!(turns.lines.lock().len(), 0);
    }
}
