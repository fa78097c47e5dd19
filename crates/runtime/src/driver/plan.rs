//! A plan together with the ways to call its operations from here.

use std::sync::Arc;

use schema::operation::{Auth, OperationDescriptor as Descriptor};
use schema::price::PriceRule;
use subnet::secrets::SecretStore;
use subnet::{OperationTypes, PreparedOperation};

use super::Services;
use crate::admission;
use crate::core::Prepared;
use crate::error::Error;

/// A plan that runs can be created of. Shared by all its runs.
#[derive(Debug)]
pub struct LoadedPlan {
    /// The plan.
    pub prepared: Arc<Prepared>,
    operations: Vec<Result<PreparedOperation, NotCallable>>,
}

/// Why an operation cannot be called from here.
#[derive(Debug, Clone)]
pub(crate) struct NotCallable {
    code: String,
    reason: String,
}

impl LoadedPlan {
    /// Checks how each operation of the plan can be called with these services.
    pub(crate) fn new(prepared: Prepared, services: &Services) -> Self {
        let prepared = match &services.evaluators {
            Some(evaluators) => prepared.evaluated_by(&**evaluators),
            None => prepared,
        };
        let pinned = &prepared.plan.body.operations;
        let operations = prepared.operations().zip(pinned).map(|(descriptor, pinned)| {
            let types = OperationTypes {
                defs: Arc::clone(&prepared.types),
                input: pinned.input,
                output: pinned.output.clone(),
            };
            let endpoint = services.endpoint(&descriptor.id, descriptor.netuid);
            services
                .client
                .prepare(descriptor, types, endpoint)
                .map_err(|error| NotCallable { code: error.code().into(), reason: error.to_string() })
        });
        let operations = operations.collect();
        Self { prepared: Arc::new(prepared), operations }
    }

    /// By operation of the plan: whether it can be called from here with what `tenant` has, as things are now: keys expire.
    pub(crate) fn callable(&self, services: &Services, tenant: &str) -> Vec<Result<(), NotCallable>> {
        let secrets = services.secrets.of(tenant);
        let signs = services.hotkey(tenant).is_some();
        let one = |(operation, descriptor): (&Result<PreparedOperation, NotCallable>, &Descriptor)| {
            let operation = operation.as_ref().map_err(Clone::clone)?;
            check_credentials(operation, descriptor, &secrets, signs)
        };
        let descriptors = self.prepared.operations().map(|descriptor| &**descriptor);
        self.operations.iter().zip(descriptors).map(one).collect()
    }

    /// Whether it may be run on its own: a plan that makes calls needs a budget and a deadline.
    ///
    /// # Errors
    /// [`Error::NoLimits`].
    pub fn check_limits(&self) -> Result<(), Error> {
        admission::has_limits(&self.prepared)
    }

    pub(crate) fn operation(&self, index: u32) -> Option<&PreparedOperation> {
        self.operations.get(index as usize)?.as_ref().ok()
    }

    /// Refuses a plan with a call that no operation can serve, before anything is spent.
    pub(crate) fn check(&self, callable: &[Result<(), NotCallable>]) -> Result<(), Error> {
        let body = &self.prepared.plan.body;
        for (node, kind) in self.prepared.plan.graph.nodes.iter().zip(&body.nodes) {
            for spec in kind.legs() {
                let operations = spec.candidates.iter().map(|candidate| candidate.operation as usize);
                let mut refused =
                    operations.filter_map(|index| callable.get(index)).map(Result::as_ref).peekable();
                let first = refused.peek().and_then(|first| first.err());
                if let Some(first) = first.filter(|_| refused.all(|operation| operation.is_err())) {
                    return Err(Error::NotCallable {
                        label: node.label.clone(),
                        code: first.code.clone(),
                        reason: first.reason.clone(),
                    });
                }
            }
        }
        Ok(())
    }

    /// Whether every price of the plan is known, so that its costs need no assumption.
    #[must_use]
    pub fn has_known_prices(&self) -> bool {
        self.prepared.operations().all(|operation| operation.price != PriceRule::Unknown)
    }
}

fn check_credentials(
    operation: &PreparedOperation,
    descriptor: &Descriptor,
    secrets: &SecretStore,
    signs: bool,
) -> Result<(), NotCallable> {
    operation
        .check_secret(secrets)
        .map_err(|error| NotCallable { code: error.code().into(), reason: error.to_string() })?;
    if descriptor.auth == Auth::Hotkey && !signs {
        let reason = format!("{} wants a hotkey's signature, and no hotkey is configured", descriptor.id);
        return Err(NotCallable { code: subnet::code::HOTKEY_MISSING.into(), reason });
    }
    Ok(())
}
