//! `orchestra.lock` from a snapshot.

use std::collections::BTreeSet;

use schema::lock::{LOCKFILE_VERSION, LockBodies, LockedCapability, LockedOperation, Lockfile};
use schema::operation::CapabilityDescriptor;

use crate::callable::Callability;
use crate::entry::Published;
use crate::error::Error;
use crate::snapshot::Snapshot;

impl Snapshot {
    /// Pins operations and capabilities, and every operation that fulfils one of those capabilities.
    ///
    /// An operation asked for by id must be callable, if need be on a host that the deployment names. Of a
    /// capability, operations that cannot be called as they stand and are not asked for by id are left out, as
    /// long as one remains.
    ///
    /// Errors: [`Error::UnknownOperation`], [`Error::UnknownCapability`], [`Error::NotCallable`], and
    /// [`Error::NotLockable`] for several of them.
    pub fn lock_for(
        &self,
        operations: &BTreeSet<String>,
        capabilities: &BTreeSet<String>,
    ) -> Result<(Lockfile, LockBodies), Error> {
        let mut bodies = LockBodies::new();
        let mut wanted = operations.clone();
        let mut refused: Vec<Error> =
            operations.iter().filter_map(|id| self.lockable_operation(id).err()).collect();
        let mut locked_capabilities = Vec::with_capacity(capabilities.len());
        for name in capabilities {
            match self.lockable_capability(name, operations) {
                Ok((published, admissible)) => {
                    wanted.extend(admissible.iter().cloned());
                    bodies.insert(published.hash, published.bytes.to_vec());
                    locked_capabilities.push(LockedCapability {
                        name: name.clone(),
                        version: published.descriptor.version,
                        entry: published.hash,
                        operations: admissible,
                    });
                }
                Err(error) => refused.push(error),
            }
        }
        if refused.len() > 1 {
            return Err(Error::NotLockable(refused));
        }
        if let Some(only) = refused.pop() {
            return Err(only);
        }
        let mut locked_operations = Vec::with_capacity(wanted.len());
        for id in wanted {
            let published = self.operation(&id)?;
            let descriptor = &published.descriptor;
            bodies.insert(published.hash, published.bytes.to_vec());
            locked_operations.push(LockedOperation {
                id,
                version: descriptor.version,
                entry: published.hash,
                price: descriptor.price.clone(),
                repeat: descriptor.repeat,
                access: descriptor.access,
            });
        }
        let lockfile = Lockfile {
            version: LOCKFILE_VERSION,
            snapshot: self.id(),
            rate: None,
            operations: locked_operations,
            capabilities: locked_capabilities,
        };
        Ok((lockfile, bodies))
    }

    fn lockable_operation(&self, id: &str) -> Result<(), Error> {
        match self.callability(id)? {
            Callability::No(reason) => Err(Error::NotCallable { id: id.to_owned(), reason: reason.clone() }),
            _ => Ok(()),
        }
    }

    /// A capability, with the operations that may fulfil it in a lock with `operations`.
    fn lockable_capability(
        &self,
        name: &str,
        operations: &BTreeSet<String>,
    ) -> Result<(&Published<CapabilityDescriptor>, Vec<String>), Error> {
        let published = self.capability(name)?;
        let mut admissible = Vec::new();
        for adapter in &published.descriptor.adapters {
            let asked_for = operations.contains(&adapter.operation);
            if asked_for || *self.callability(&adapter.operation)? == Callability::Yes {
                admissible.push(adapter.operation.clone());
            }
        }
        if admissible.is_empty() {
            let reason = "no operation that can be called fulfils it".to_owned();
            return Err(Error::NotCallable { id: format!("cap.{name}"), reason });
        }
        Ok((published, admissible))
    }
}
