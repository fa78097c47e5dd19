//! Where a run is driven: where somebody waits for its end, which saves changes of task; once they go away, in a task of its
//! own, so that no stored run is left that nobody drives.

use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt as _;
use futures_util::future::{AbortHandle, Abortable};
use tokio::runtime;

/// A run that goes on until its end, also when this is dropped.
pub(crate) struct Driving(Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Driving {
    /// Nothing is done before it is polled or dropped. The handle stops it as a crash would.
    pub(crate) fn new(run: impl Future<Output = ()> + Send + 'static) -> (Self, AbortHandle) {
        let (stop, registration) = AbortHandle::new_pair();
        // A panic is told by whom it leaves without an answer.
        // Into the box at once: it is thousands of bytes, which every wrapper would copy.
        let run = Abortable::new(AssertUnwindSafe(Box::pin(run)).catch_unwind(), registration);
        (Self(Some(Box::pin(run.map(drop)))), stop)
    }

    /// Goes on in a task of its own from now on.
    pub(crate) fn apart(self) {
        drop(self);
    }
}

impl Future for Driving {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(run) = &mut self.0 {
            std::task::ready!(run.as_mut().poll(cx));
            self.0 = None;
        }
        Poll::Ready(())
    }
}

impl Drop for Driving {
    fn drop(&mut self) {
        // Without a runtime the process is ending, and the next one takes the run up.
        if let Some(run) = self.0.take()
            && let Ok(runtime) = runtime::Handle::try_current()
        {
            drop(runtime.spawn(run));
        }
    }
}

impl std::fmt::Debug for Driving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Driving").field(&self.0.is_some()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn a_run_goes_on_when_who_drove_it_goes_away() {
        let (go, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (told, tell) = (Arc::clone(&go), Arc::clone(&gone));
        let (mut driving, _) = Driving::new(async move {
            told.notified().await;
            tell.notify_one();
        });
        assert!((&mut driving).now_or_never().is_none());
        driving.apart();
        go.notify_one();
        gone.notified().await;
    }

    #[tokio::test]
    async fn a_stopped_run_and_one_that_panics_are_over() {
        let (driving, stop) = Driving::new(std::future::pending());
        stop.abort();
        driving.await;
        let (driving, _) = Driving::new(async { panic!("as it is meant to") });
        driving.await;
    }
}
