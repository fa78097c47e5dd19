//! Interpreted at once, native when it pays: a plan starts in the interpreter and is compiled in the background
//! once it has cost enough there, because it came again or its lists are long.
//!
//! How much a plan has cost is counted in steps of the meter, not in time, so that the same evaluations are
//! compiled on every machine. An evaluation gives the same result either way, so nobody need know which it was.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};
use plan_ir::expr::Fragment;
use plan_ir::interp::{Env, Meter, Trap, eval};
use plan_ir::plan::CompiledPlan;
use schema::hash::Hash;
use schema::value::Value;

use crate::engine::Engine;
use crate::helper::ABI_VERSION;
use crate::native::NativePlan;

/// Bounds of a [`Tiered`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TierLimits {
    /// Steps in the interpreter after which a plan is compiled.
    pub heat_steps: u64,
    /// Plans that are remembered, compiled or not.
    pub plans_max: usize,
    /// Bytes of machine code of all remembered plans.
    pub code_bytes_max: usize,
    /// Plans that wait to be compiled; what is more stays in the interpreter until it comes again.
    pub queue_max: usize,
}

impl Default for TierLimits {
    /// 100,000 steps are some milliseconds in the interpreter, about as long as a small plan takes to compile.
    fn default() -> Self {
        Self { heat_steps: 100_000, plans_max: 256, code_bytes_max: 32 << 20, queue_max: 64 }
    }
}

/// What a compiled plan is remembered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    plan: Hash,
    abi: u32,
}

/// Plans with their native code, and a thread that compiles.
#[derive(Debug)]
pub struct Tiered {
    shared: Arc<Shared>,
    worker: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    limits: TierLimits,
    plans: Mutex<Plans>,
    /// `None` once the thread is to end.
    queue: Mutex<Option<SyncSender<Arc<Entry>>>>,
    /// Plans that are queued or being compiled.
    open: Mutex<usize>,
    none_open: Condvar,
}

#[derive(Debug, Default)]
struct Plans {
    by_key: BTreeMap<Key, (u64, Arc<Entry>)>,
    /// Counts lookups; the plan that was looked up longest ago goes first.
    lookups: u64,
}

#[derive(Debug)]
struct Entry {
    plan: Arc<CompiledPlan>,
    /// Steps in the interpreter so far.
    heat: AtomicU64,
    queued: AtomicBool,
    /// Set once: the code, or nothing where there is none.
    native: OnceLock<Option<NativePlan>>,
}

/// A plan whose expressions are evaluated by whatever is fastest now. Cheap to clone.
#[derive(Clone, Debug)]
pub struct TieredPlan {
    entry: Arc<Entry>,
    shared: Arc<Shared>,
}

impl Tiered {
    /// Starts the thread that compiles; without an engine nothing ever is.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn new(engine: Option<Engine>, limits: TierLimits) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(limits.queue_max);
        let shared = Arc::new(Shared {
            limits,
            plans: Mutex::new(Plans::default()),
            queue: Mutex::new(engine.is_some().then_some(sender)),
            open: Mutex::new(0),
            none_open: Condvar::new(),
        });
        let worker = match engine {
            Some(engine) => {
                let shared = Arc::clone(&shared);
                let thread = std::thread::Builder::new().name("plan-jit-tier".into());
                Some(thread.spawn(move || compile_all(&engine, &receiver, &shared))?)
            }
            None => None,
        };
        Ok(Self { shared, worker })
    }

    /// The plan with this hash of its bytes.
    #[must_use]
    pub fn plan(&self, hash: Hash, plan: &Arc<CompiledPlan>) -> TieredPlan {
        let key = Key { plan: hash, abi: ABI_VERSION };
        let mut plans = self.shared.plans.lock();
        plans.lookups += 1;
        let now = plans.lookups;
        let (last, entry) = plans.by_key.entry(key).or_insert_with(|| {
            let entry = Entry {
                plan: Arc::clone(plan),
                heat: AtomicU64::new(0),
                queued: AtomicBool::new(false),
                native: OnceLock::new(),
            };
            (now, Arc::new(entry))
        });
        *last = now;
        let entry = Arc::clone(entry);
        plans.trim(&self.shared.limits);
        TieredPlan { entry, shared: Arc::clone(&self.shared) }
    }

    /// Blocks until nothing waits to be compiled: for tests, and for measuring.
    pub fn wait_until_idle(&self) {
        let mut open = self.shared.open.lock();
        while *open > 0 {
            self.shared.none_open.wait(&mut open);
        }
    }
}

impl Drop for Tiered {
    fn drop(&mut self) {
        // The thread ends with the plan it is at.
        self.shared.queue.lock().take();
        if let Some(worker) = self.worker.take() {
            // It has nothing to say; a panic of the code generator is caught before.
            let _ = worker.join();
        }
    }
}

impl Plans {
    /// Forgets what was looked up longest ago, until the rest is within the limits. Whoever holds a plan keeps it.
    fn trim(&mut self, limits: &TierLimits) {
        let code = |entry: &Arc<Entry>| entry.native().map_or(0, NativePlan::code_bytes);
        let mut bytes: usize = self.by_key.values().map(|(_, entry)| code(entry)).sum();
        while self.by_key.len() > 1 && (self.by_key.len() > limits.plans_max || bytes > limits.code_bytes_max)
        {
            let oldest = self.by_key.iter().min_by_key(|(_, (last, _))| *last).map(|(key, _)| *key);
            let Some((_, entry)) = oldest.and_then(|key| self.by_key.remove(&key)) else { return };
            bytes -= code(&entry);
        }
    }
}

impl Entry {
    fn native(&self) -> Option<&NativePlan> {
        self.native.get().and_then(Option::as_ref)
    }
}

impl TieredPlan {
    /// As [`plan_ir::interp::eval`].
    ///
    /// # Errors
    /// As [`plan_ir::interp::eval`].
    pub fn eval(
        &self,
        fragment: &Fragment,
        args: &[Value],
        env: &dyn Env,
        meter: &mut Meter,
    ) -> Result<Value, Trap> {
        if let Some(native) = self.entry.native()
            && native.covers(fragment)
        {
            return native.eval(fragment, args, env, meter);
        }
        let before = meter.fuel();
        let result = eval(&self.entry.plan.body, fragment, args, env, meter);
        if self.entry.native.get().is_none() {
            self.warm(before.saturating_sub(meter.fuel()));
        }
        result
    }

    /// The native code, once there is some.
    #[must_use]
    pub fn native(&self) -> Option<&NativePlan> {
        self.entry.native()
    }

    /// Counts steps in the interpreter, and has the plan compiled when they are enough.
    fn warm(&self, steps: u64) {
        let heat = self.entry.heat.fetch_add(steps, Ordering::Relaxed).saturating_add(steps);
        if heat < self.shared.limits.heat_steps || self.entry.queued.swap(true, Ordering::Relaxed) {
            return;
        }
        let queue = self.shared.queue.lock();
        let Some(sender) = queue.as_ref() else { return };
        *self.shared.open.lock() += 1;
        match sender.try_send(Arc::clone(&self.entry)) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                // Its next evaluation asks again.
                self.entry.queued.store(false, Ordering::Relaxed);
                self.shared.closed();
            }
        }
    }
}

impl Shared {
    /// Notes that one plan less waits.
    fn closed(&self) {
        let mut open = self.open.lock();
        *open = open.saturating_sub(1);
        if *open == 0 {
            self.none_open.notify_all();
        }
    }
}

fn compile_all(engine: &Engine, queue: &Receiver<Arc<Entry>>, shared: &Shared) {
    while let Ok(entry) = queue.recv() {
        if shared.queue.lock().is_some() {
            let native = engine.compile(&entry.plan.body).ok().filter(NativePlan::has_code);
            // INVARIANT: a plan is queued once.
            let _ = entry.native.set(native);
        }
        shared.closed();
    }
}
