//! The plans of calls, made once for each version of an operation and each set of terms: making one takes longer than
//! running it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ledger_service::{Callability, Published, Snapshot};
use plan_compiler::{CallRefused, CallTerms, DEFAULT_TIMEOUT_US, one_call};
use plan_ir::bound::Bound;
use plan_ir::plan::CompiledPlan;
use runtime::LoadedPlan;
use schema::amount::Amount;
use schema::hash::Hash;
use schema::lock::Lock;
use schema::operation::OperationDescriptor;
use schema::price::{PriceBasis, PriceRule};
use tonic::Status;

use crate::ledger;
use crate::run::failed;
use crate::status::{bad_field, status};

/// Plans that are kept. When one more is made all are let go, which a client that names a new limit for each call can
/// bring about, and which costs the next calls a millisecond.
const PLANS_KEPT: usize = 1_024;

/// Plans of calls by entry and terms.
#[derive(Debug, Default)]
pub(super) struct CallPlans {
    known: Mutex<HashMap<(Hash, CallTerms), Arc<CallPlan>>>,
}

/// An operation that is ready to be called.
#[derive(Debug)]
pub(super) struct CallPlan {
    pub(super) loaded: Arc<LoadedPlan>,
    /// The most it can cost.
    pub(super) cost_max: Amount,
    pub(super) basis: PriceBasis,
    /// Its id.
    pub(super) operation: String,
    pub(super) version: String,
    /// 64 hex digits.
    pub(super) entry_hash: String,
}

impl CallPlans {
    /// The plan that calls this version of an operation, for `cost_max` where it has no price of its own.
    pub(super) async fn get(
        &self,
        snapshot: &Snapshot,
        published: &Arc<Published<OperationDescriptor>>,
        cost_max: Option<Amount>,
        timeout: Option<Duration>,
        runtime: &runtime::Handle,
    ) -> Result<Arc<CallPlan>, Status> {
        let max_price = cost_max.filter(|_| published.descriptor.price == PriceRule::Unknown);
        let timeout_us = timeout
            .map_or(DEFAULT_TIMEOUT_US, |timeout| u64::try_from(timeout.as_micros()).unwrap_or(u64::MAX));
        let key = (published.hash, CallTerms { max_price, timeout_us });
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(known));
        }
        let made = make(snapshot.id(), published, key.1, runtime).await?;
        let made = Arc::new(made);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= PLANS_KEPT {
            known.clear();
        }
        known.insert(key, Arc::clone(&made));
        Ok(made)
    }
}

async fn make(
    snapshot: Hash,
    published: &Arc<Published<OperationDescriptor>>,
    terms: CallTerms,
    runtime: &runtime::Handle,
) -> Result<CallPlan, Status> {
    let (own, runtime) = (Arc::clone(published), runtime.clone());
    // Bounded by the limits on schemas, but long enough to stall the other tasks of a thread.
    let made = tokio::task::spawn_blocking(move || {
        let (plan, bound) = compile(snapshot, &own.descriptor, &terms)?;
        Ok::<_, Status>((runtime.load(plan).map_err(failed)?, bound))
    });
    let stopped = |_| status("E1511", "the compiler stopped unexpectedly; please report the operation");
    let (loaded, bound) = made.await.map_err(stopped)??;
    Ok(CallPlan {
        loaded,
        cost_max: bound.cost,
        basis: bound.basis,
        operation: published.descriptor.id.clone(),
        version: published.descriptor.version.to_string(),
        entry_hash: published.hash.to_hex(),
    })
}

fn compile(
    snapshot: Hash,
    operation: &OperationDescriptor,
    terms: &CallTerms,
) -> Result<(CompiledPlan, Bound), Status> {
    let id = &operation.id;
    if let Callability::No(reason) = Callability::of(operation) {
        return Err(ledger::failed(ledger_service::Error::NotCallable { id: id.clone(), reason }));
    }
    let lock = Lock::pin(snapshot, None, [operation.clone()], []);
    let lock = lock.map_err(|error| status(error.code, error.to_string()))?;
    one_call(&lock, id, terms).map_err(|error| match &error {
        CallRefused::PriceUnknown { .. } => bad_field(error.code(), "cost_max", error.to_string()),
        CallRefused::Timeout { .. } => bad_field(error.code(), "timeout", error.to_string()),
        _ => status(error.code(), error.to_string()),
    })
}
