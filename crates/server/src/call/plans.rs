//! The plans of calls, made once for each version of an operation and each set of terms: making one takes longer than
//! running it. Which operations of a capability can be called depends on the keys that the caller has, and is looked at with
//! each call.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash as Hashed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ledger_service::{Callability, Published, Snapshot};
use plan_compiler::{CallRefused, CallTerms, DEFAULT_TIMEOUT_US, capability_call, one_call};
use plan_ir::bound::Bound;
use plan_ir::plan::CompiledPlan;
use runtime::LoadedPlan;
use schema::amount::{Amount, Currency};
use schema::hash::Hash;
use schema::lock::{Lock, PinnedEntry};
use schema::operation::{CapabilityDescriptor, ObservedCost, OperationDescriptor};
use schema::price::{PriceBasis, PriceRule};
use tonic::Status;

use crate::ledger;
use crate::run::failed;
use crate::status::{bad_field, status};

/// Plans that are kept. When one more is made all are let go, which a client that names a new limit for each call can
/// bring about, and which costs the next calls a millisecond.
const PLANS_KEPT: usize = 1_024;

/// Plans of calls.
#[derive(Debug, Default)]
pub(super) struct CallPlans {
    known: Mutex<HashMap<Key, Arc<CallPlan>>>,
    choices: Mutex<HashMap<(Hash, Hash), Arc<Choice>>>,
}

/// What a plan of a call follows from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    /// The operation's entry, or the capability's.
    entry: Hash,
    /// Of a capability, whose operations may change.
    snapshot: Option<Hash>,
    /// Of a capability, the operations that are left out.
    lacking: BTreeSet<String>,
    terms: CallTerms,
}

/// The operations that a capability may be called by.
#[derive(Debug)]
struct Choice {
    lock: Lock,
    /// By id, a plan that only calls this one, to see whether somebody has what it takes.
    each: Vec<(String, Arc<LoadedPlan>)>,
}

/// An operation or capability that is ready to be called.
#[derive(Debug)]
pub(super) struct CallPlan {
    pub(super) loaded: Arc<LoadedPlan>,
    /// The most it can cost.
    pub(super) cost_max: Amount,
    pub(super) basis: PriceBasis,
    /// The operations that may answer; one where it was named.
    pub(super) operations: Vec<Called>,
}

/// An operation as it is called.
#[derive(Clone, Debug)]
pub(super) struct Called {
    pub(super) id: String,
    pub(super) version: String,
    /// 64 hex digits.
    pub(super) entry_hash: String,
}

impl CallPlans {
    /// The plan that calls this version of an operation, for `cost_max` where it has no price of its own.
    pub(super) async fn operation(
        &self,
        snapshot: &Snapshot,
        published: &Arc<Published<OperationDescriptor>>,
        cost_max: Option<Amount>,
        timeout: Option<Duration>,
        runtime: &runtime::Handle,
    ) -> Result<Arc<CallPlan>, Status> {
        let max_price = cost_max.filter(|_| published.descriptor.price == PriceRule::Unknown);
        let terms = terms(max_price, timeout);
        let key = Key { entry: published.hash, snapshot: None, lacking: BTreeSet::new(), terms };
        let (own, snapshot, runtime) = (Arc::clone(published), snapshot.id(), runtime.clone());
        kept(&self.known, key, move || {
            let lock = Lock::pin(snapshot, None, [own.descriptor.clone()], []);
            let lock = lock.map_err(|error| status(error.code, error.to_string()))?;
            let (plan, bound) = one_operation(&lock, &own.descriptor.id, &terms)?;
            Ok(CallPlan::new(runtime.load(plan).map_err(failed)?, &bound))
        })
        .await
    }

    /// The plan that calls a capability by whatever operation answers, of those that `tenant` has the keys for.
    pub(super) async fn capability(
        &self,
        snapshot: &Arc<Snapshot>,
        published: &Published<CapabilityDescriptor>,
        cost_max: Option<Amount>,
        timeout: Option<Duration>,
        (runtime, tenant): (&runtime::Handle, &str),
    ) -> Result<Arc<CallPlan>, Status> {
        let terms = terms(cost_max, timeout);
        let name = published.descriptor.name.clone();
        let choice = self.choice(snapshot, published, runtime).await?;
        let lacking = choice.lacking(runtime, tenant);
        let key =
            Key { entry: published.hash, snapshot: Some(snapshot.id()), lacking: lacking.clone(), terms };
        let runtime = runtime.clone();
        kept(&self.known, key, move || {
            let admits = |id: &str| !lacking.contains(id);
            let (plan, bound) =
                capability_call(&choice.lock, &name, &terms, &admits).map_err(call_refused)?;
            Ok(CallPlan::new(runtime.load(plan).map_err(failed)?, &bound))
        })
        .await
    }

    async fn choice(
        &self,
        snapshot: &Arc<Snapshot>,
        published: &Published<CapabilityDescriptor>,
        runtime: &runtime::Handle,
    ) -> Result<Arc<Choice>, Status> {
        let key = (published.hash, snapshot.id());
        let (snapshot, name, runtime) =
            (Arc::clone(snapshot), published.descriptor.name.clone(), runtime.clone());
        kept(&self.choices, key, move || {
            let names = BTreeSet::from([name]);
            let (lockfile, bodies) = snapshot.lock_for(&BTreeSet::new(), &names).map_err(ledger::failed)?;
            let lock = Lock::assemble(&lockfile.to_toml(), &bodies)
                .map_err(|error| status(error.code, error.to_string()))?;
            Choice::new(lock, &runtime)
        })
        .await
    }
}

/// What is known under `key`, made where nothing is.
async fn kept<K: Eq + Hashed, T: Send + 'static>(
    known: &Mutex<HashMap<K, Arc<T>>>,
    key: K,
    make: impl FnOnce() -> Result<T, Status> + Send + 'static,
) -> Result<Arc<T>, Status> {
    if let Some(known) = known.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Ok(Arc::clone(known));
    }
    // Bounded by the limits on schemas, but long enough to stall the other tasks of a thread.
    let made = tokio::task::spawn_blocking(make).await;
    let stopped = |_| status("E1511", "the compiler stopped unexpectedly; please report the operation");
    let made = Arc::new(made.map_err(stopped)??);
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= PLANS_KEPT {
        known.clear();
    }
    known.insert(key, Arc::clone(&made));
    Ok(made)
}

impl CallPlan {
    fn new(loaded: Arc<LoadedPlan>, bound: &Bound) -> Self {
        let pinned = loaded.prepared.operations().zip(&loaded.prepared.plan.body.operations);
        let called = pinned.map(|(descriptor, pinned)| Called {
            id: descriptor.id.clone(),
            version: descriptor.version.to_string(),
            entry_hash: pinned.entry.to_hex(),
        });
        let operations = called.collect();
        Self { loaded, cost_max: bound.cost, basis: bound.basis, operations }
    }
}

fn terms(max_price: Option<Amount>, timeout: Option<Duration>) -> CallTerms {
    let timeout_us =
        timeout.map_or(DEFAULT_TIMEOUT_US, |timeout| u64::try_from(timeout.as_micros()).unwrap_or(u64::MAX));
    CallTerms { max_price, timeout_us }
}

impl Choice {
    fn new(lock: Lock, runtime: &runtime::Handle) -> Result<Self, Status> {
        let one = |(id, entry): (&String, &PinnedEntry)| {
            // Whatever it costs: nothing is sent.
            let charged = entry.descriptor().observed_cost.as_ref().and_then(ObservedCost::currency);
            let nothing = Amount::zero(charged.unwrap_or(Currency::MicroUsd));
            let terms = CallTerms { max_price: Some(nothing), timeout_us: DEFAULT_TIMEOUT_US };
            let (plan, _) = one_operation(&lock, id, &terms)?;
            Ok::<_, Status>((id.clone(), runtime.load(plan).map_err(failed)?))
        };
        let each = lock.operations.iter().map(one).collect::<Result<_, _>>()?;
        Ok(Self { lock, each })
    }

    /// The operations that `tenant` cannot call now, such as those whose key is missing, unless there is none but such: then
    /// the call says what is missing.
    fn lacking(&self, runtime: &runtime::Handle, tenant: &str) -> BTreeSet<String> {
        let lacks = |plan: &LoadedPlan| runtime.callable(plan, tenant) == [false];
        let lacking: BTreeSet<String> =
            self.each.iter().filter(|(_, plan)| lacks(plan)).map(|(id, _)| id.clone()).collect();
        if lacking.len() == self.each.len() { BTreeSet::new() } else { lacking }
    }
}

/// The plan that calls an operation of `lock`.
fn one_operation(lock: &Lock, id: &str, terms: &CallTerms) -> Result<(CompiledPlan, Bound), Status> {
    if let Some(entry) = lock.operations.get(id)
        && let Callability::No(reason) = Callability::of(entry.descriptor())
    {
        return Err(ledger::failed(ledger_service::Error::NotCallable { id: id.to_owned(), reason }));
    }
    one_call(lock, id, terms).map_err(call_refused)
}

fn call_refused(error: CallRefused) -> Status {
    match &error {
        CallRefused::PriceUnknown { .. }
        | CallRefused::NothingLeft { .. }
        | CallRefused::OtherCurrency { .. } => bad_field(error.code(), "cost_max", error.to_string()),
        CallRefused::Timeout { .. } => bad_field(error.code(), "timeout", error.to_string()),
        _ => status(error.code(), error.to_string()),
    }
}
