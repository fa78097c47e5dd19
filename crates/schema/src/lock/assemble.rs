//! Locks from their parts and back.

use std::collections::BTreeMap;

use super::entry::{capability_bytes, capability_from_entry, hash_bytes, operation_from_entry};
use super::problem::Problem;
use super::{
    LOCKFILE_VERSION, Lock, LockBodies, LockError, LockedCapability, LockedOperation, Lockfile, PinnedEntry,
};
use crate::amount::Rate;
use crate::hash::Hash;
use crate::operation::{CapabilityDescriptor, OperationDescriptor, OperationId};

impl Lock {
    /// A lock that pins nothing: for plans that call nothing.
    #[must_use]
    pub fn empty() -> Self {
        let lockfile = Lockfile {
            version: LOCKFILE_VERSION,
            snapshot: Hash::default(),
            rate: None,
            operations: Vec::new(),
            capabilities: Vec::new(),
        };
        Self {
            hash: lockfile.hash(),
            snapshot: lockfile.snapshot,
            rate: None,
            operations: BTreeMap::new(),
            capabilities: BTreeMap::new(),
        }
    }

    /// A lock that pins these entries of a snapshot.
    ///
    /// # Errors
    /// Where an entry stands there twice, cannot be written, or an adapter's operation is not pinned.
    pub fn pin(
        snapshot: Hash,
        rate: Option<Rate>,
        operations: impl IntoIterator<Item = OperationDescriptor>,
        capabilities: impl IntoIterator<Item = CapabilityDescriptor>,
    ) -> Result<Self, LockError> {
        let mut lock = Self { snapshot, rate, ..Self::empty() };
        for operation in operations {
            let id = operation.id.clone();
            if lock.operations.insert(id.clone(), PinnedEntry::new(operation)?).is_some() {
                return Err(Problem::Duplicate { id }.into());
            }
        }
        for capability in capabilities {
            let hash = hash_bytes(&capability_bytes(&capability)?);
            let name = capability.name.clone();
            if lock.capabilities.insert(name.clone(), (hash, capability)).is_some() {
                return Err(Problem::Duplicate { id: format!("cap.{name}") }.into());
            }
        }
        lock.check_adapters()?;
        lock.hash = lock.to_lockfile().hash();
        Ok(lock)
    }

    /// The lock whose text is `toml_text`, with its bodies. Every body is hashed, read and compared with
    /// what the text pins, and the text with its sum, where it has one; bodies that nothing pins are ignored.
    ///
    /// # Errors
    /// [`LockError`] with the code of what is wrong.
    pub fn assemble(toml_text: &str, bodies: &LockBodies) -> Result<Self, LockError> {
        let lockfile = Lockfile::parse(toml_text)?;
        let mut lock = Self {
            hash: lockfile.hash(),
            snapshot: lockfile.snapshot,
            rate: lockfile.rate,
            operations: BTreeMap::new(),
            capabilities: BTreeMap::new(),
        };
        for pin in &lockfile.operations {
            let body = trusted_body(bodies, pin.entry, &pin.id)?;
            let operation = PinnedEntry::new(operation_from_entry(body)?)?;
            spelled_so(body, operation.bytes(), &pin.id)?;
            same_pins(pin, &locked_operation(&operation))?;
            lock.operations.insert(pin.id.clone(), operation);
        }
        for pin in &lockfile.capabilities {
            let id = format!("cap.{}", pin.name);
            let body = trusted_body(bodies, pin.entry, &id)?;
            let capability = capability_from_entry(body)?;
            spelled_so(body, &capability_bytes(&capability)?, &id)?;
            let mut fulfilling = capability.adapters.iter().map(|adapter| &adapter.operation);
            let unpinned =
                |id: &&OperationId| pin.operations.contains(*id) && !lock.operations.contains_key(*id);
            if let Some(operation) = fulfilling.find(unpinned).cloned() {
                return Err(Problem::Unpinned { capability: pin.name.clone(), operation }.into());
            }
            same_capability_pins(pin, &lock.locked_capability(pin.entry, &capability))?;
            lock.capabilities.insert(pin.name.clone(), (pin.entry, capability));
        }
        // Last, since all that was found before says more.
        lockfile.check_sum(toml_text)?;
        Ok(lock)
    }

    /// The text and the bodies of this lock; [`Lock::assemble`] takes them back.
    ///
    /// # Errors
    /// Where a capability that was changed after it was pinned cannot be written.
    pub fn to_parts(&self) -> Result<(String, LockBodies), LockError> {
        let mut bodies = LockBodies::new();
        for operation in self.operations.values() {
            bodies.insert(operation.hash(), operation.bytes().to_vec());
        }
        for (hash, capability) in self.capabilities.values() {
            bodies.insert(*hash, capability_bytes(capability)?);
        }
        Ok((self.to_lockfile().to_toml(), bodies))
    }

    /// The text part of this lock.
    #[must_use]
    pub fn to_lockfile(&self) -> Lockfile {
        let operations = self.operations.values().map(locked_operation);
        let capabilities =
            self.capabilities.values().map(|(hash, entry)| self.locked_capability(*hash, entry));
        Lockfile {
            version: LOCKFILE_VERSION,
            snapshot: self.snapshot,
            rate: self.rate,
            operations: operations.collect(),
            capabilities: capabilities.collect(),
        }
    }

    /// Of the operations that fulfil the capability, those that could not be called when the lock was made are
    /// not pinned; the order is the entry's.
    fn locked_capability(&self, entry: Hash, capability: &CapabilityDescriptor) -> LockedCapability {
        let adapters = capability.adapters.iter().map(|adapter| &adapter.operation);
        let operations = adapters.filter(|operation| self.operations.contains_key(*operation)).cloned();
        LockedCapability {
            name: capability.name.clone(),
            version: capability.version,
            entry,
            operations: operations.collect(),
        }
    }

    fn check_adapters(&self) -> Result<(), LockError> {
        for (name, (_, capability)) in &self.capabilities {
            let unpinned =
                capability.adapters.iter().find(|adapter| !self.operations.contains_key(&adapter.operation));
            if let Some(adapter) = unpinned {
                let operation = adapter.operation.clone();
                return Err(Problem::Unpinned { capability: name.clone(), operation }.into());
            }
        }
        Ok(())
    }
}

fn trusted_body<'b>(bodies: &'b LockBodies, pinned: Hash, id: &str) -> Result<&'b [u8], LockError> {
    let missing = || LockError::from(Problem::MissingBody { id: id.into(), hash: pinned });
    let body = bodies.get(&pinned).ok_or_else(missing)?;
    let found = hash_bytes(body);
    if found != pinned {
        return Err(Problem::WrongBody { id: id.into(), pinned, found }.into());
    }
    Ok(body)
}

/// Refuses a body that says the same in another way: what was pinned would not be what was read.
fn spelled_so(body: &[u8], canonical: &[u8], id: &str) -> Result<(), LockError> {
    if canonical == body {
        return Ok(());
    }
    let message = "it is not spelled as the Ledger spells entries".into();
    Err(Problem::BadEntry { id: id.into(), message }.into())
}

fn locked_operation(entry: &PinnedEntry) -> LockedOperation {
    let operation = entry.descriptor();
    LockedOperation {
        id: operation.id.clone(),
        version: operation.version,
        entry: entry.hash(),
        price: operation.price.clone(),
        repeat: operation.repeat,
        access: operation.access,
    }
}

fn same_pins(pin: &LockedOperation, body: &LockedOperation) -> Result<(), LockError> {
    let fields = [
        ("id", pin.id == body.id),
        ("version", pin.version == body.version),
        ("price", pin.price == body.price),
        ("repeat", pin.repeat == body.repeat),
        ("access", pin.access == body.access),
    ];
    first_difference(&fields, &pin.id)
}

fn same_capability_pins(pin: &LockedCapability, body: &LockedCapability) -> Result<(), LockError> {
    let fields = [
        ("name", pin.name == body.name),
        ("version", pin.version == body.version),
        ("operations", pin.operations == body.operations),
    ];
    first_difference(&fields, &format!("cap.{}", pin.name))
}

fn first_difference(fields: &[(&'static str, bool)], id: &str) -> Result<(), LockError> {
    match fields.iter().find(|(_, same)| !same) {
        Some((field, _)) => Err(Problem::PinDiffers { id: id.into(), field }.into()),
        None => Ok(()),
    }
}
