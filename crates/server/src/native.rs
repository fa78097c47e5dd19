//! Native code for the expressions of plans that are hot, where this build has the compiler and the machine is one it
//! knows; elsewhere the interpreter gives the same values.

use std::sync::Arc;

use plan_ir::interp::Evaluators;
use schema::hash::Hash;

/// The native code of this process. Cheap to clone; clones share everything.
#[derive(Clone, Debug)]
pub struct Native {
    #[cfg(feature = "native")]
    tiers: Option<Arc<plan_jit::Tiered>>,
}

#[cfg(feature = "native")]
impl Native {
    /// Starts the thread that compiles. Without one everything is interpreted.
    pub(crate) fn start() -> Self {
        let engine = plan_jit::Engine::new();
        let engine = engine.inspect_err(|error| tracing::info!(%error, "plans are interpreted")).ok();
        let tiers = plan_jit::Tiered::new(engine, plan_jit::TierLimits::default());
        let tiers = tiers.inspect_err(|error| tracing::warn!(%error, "no thread compiles plans"));
        Self { tiers: tiers.ok().map(Arc::new) }
    }

    pub(crate) fn evaluators(&self) -> Option<Arc<dyn Evaluators>> {
        self.tiers.clone().map(|tiers| tiers as Arc<dyn Evaluators>)
    }

    /// Whether there is code of the plan with this hash.
    #[must_use]
    pub fn has(&self, plan: Hash) -> bool {
        self.tiers.as_ref().is_some_and(|tiers| tiers.has_code(plan))
    }

    /// Blocks until no plan waits to be compiled: for tests, and for measuring.
    pub fn wait_until_idle(&self) {
        if let Some(tiers) = &self.tiers {
            tiers.wait_until_idle();
        }
    }
}

#[cfg(not(feature = "native"))]
impl Native {
    pub(crate) fn start() -> Self {
        Self {}
    }

    #[expect(clippy::unused_self, reason = "as in a build with native code")]
    pub(crate) fn evaluators(&self) -> Option<Arc<dyn Evaluators>> {
        None
    }

    /// Whether there is code of the plan with this hash.
    #[must_use]
    pub fn has(&self, _: Hash) -> bool {
        false
    }

    /// Blocks until no plan waits to be compiled: for tests, and for measuring.
    pub fn wait_until_idle(&self) {}
}
