//! Lossy notice that a stream grew.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::StreamName;

/// Waits for a stream to grow.
#[derive(Debug)]
pub struct Watch {
    receiver: watch::Receiver<u64>,
}

impl Watch {
    /// Waits until the stream grew since the last call (or since the watch began) and returns the sequence number
    /// of its last record then. `None`: the store was closed.
    pub async fn grown(&mut self) -> Option<u64> {
        self.receiver.changed().await.ok()?;
        Some(*self.receiver.borrow_and_update())
    }
}

/// Who watches which stream.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    streams: Mutex<BTreeMap<StreamName, watch::Sender<u64>>>,
}

impl Watchers {
    pub(crate) fn watch(&self, stream: &StreamName) -> Watch {
        let mut streams = self.streams.lock();
        // Senders nobody listens to any more are swept here, so the map holds at most the live watches + 1.
        streams.retain(|_, sender| sender.receiver_count() > 0);
        let sender = streams.entry(stream.clone()).or_insert_with(|| watch::channel(0).0);
        Watch { receiver: sender.subscribe() }
    }

    pub(crate) fn notify(&self, stream: &StreamName, last_seq: u64) {
        if let Some(sender) = self.streams.lock().get(stream) {
            sender.send_modify(|seq| *seq = last_seq.max(*seq));
        }
    }
}
