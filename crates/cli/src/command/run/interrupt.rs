//! Ctrl-C: the first asks for an orderly end, the second does not wait for it.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Failure;

/// The Ctrl-C that arrive from now on.
#[derive(Debug)]
pub(crate) struct Interrupts(Signal);

impl Interrupts {
    /// From now on Ctrl-C no longer ends the process by itself.
    pub(crate) fn new() -> Result<Self, Failure> {
        signal(SignalKind::interrupt()).map(Self).map_err(|error| {
            let message = format!("Ctrl-C cannot be watched for: {error}");
            Failure::new("E1509", message, "").exit(crate::exit::Exit::Failed)
        })
    }

    /// Resolves at the next one.
    pub(crate) async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            // The process gets no more signals, so there is nothing to wait for.
            std::future::pending::<()>().await;
        }
    }
}
