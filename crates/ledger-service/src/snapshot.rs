//! One state of the Ledger: the fold of its log up to one record.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schema::hash::{Context, Hash};
use schema::operation::{CapabilityDescriptor, OperationDescriptor, OperationId, Version};

use crate::callable::Callability;
use crate::entry::{Entry, Publication, Published, SubnetDescriptor};
use crate::error::{Error, most_similar};

/// All versions of one entry, oldest first.
type Versions<T> = BTreeMap<Version, Arc<Published<T>>>;

/// An immutable state of the Ledger.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    id: Hash,
    last_index: u64,
    operations: BTreeMap<OperationId, Versions<OperationDescriptor>>,
    capabilities: BTreeMap<String, Versions<CapabilityDescriptor>>,
    subnets: BTreeMap<u16, Versions<SubnetDescriptor>>,
    /// Of the newest version of each operation; kept because judging one means mapping its schemas.
    callability: BTreeMap<OperationId, Callability>,
    /// Which capabilities each operation fulfils, by the newest version of each capability.
    fulfils: BTreeMap<OperationId, BTreeSet<String>>,
}

impl Snapshot {
    /// Hash over the newest version of every entry. Two Ledgers with the same content have the same id, whatever
    /// the order it was published in.
    #[must_use]
    pub fn id(&self) -> Hash {
        self.id
    }

    /// Number of records of the log behind this state.
    #[must_use]
    pub fn last_index(&self) -> u64 {
        self.last_index
    }

    /// The newest version of an operation. Errors: [`Error::UnknownOperation`].
    pub fn operation(&self, id: &str) -> Result<&Arc<Published<OperationDescriptor>>, Error> {
        self.operations.get(id).and_then(newest).ok_or_else(|| Error::UnknownOperation {
            id: id.to_owned(),
            suggestion: most_similar(id, self.operations.keys().map(String::as_str)),
        })
    }

    /// One version of an operation. Errors: [`Error::UnknownOperation`], [`Error::UnknownVersion`].
    pub fn operation_version(
        &self,
        id: &str,
        version: Version,
    ) -> Result<&Arc<Published<OperationDescriptor>>, Error> {
        self.operation(id)?;
        let versions = self.operations.get(id);
        versions
            .and_then(|versions| versions.get(&version))
            .ok_or_else(|| self.unknown_version(id, &version.to_string()))
    }

    /// One version of a capability, if it was published.
    #[must_use]
    pub fn capability_version(
        &self,
        name: &str,
        version: Version,
    ) -> Option<&Arc<Published<CapabilityDescriptor>>> {
        self.capabilities.get(name)?.get(&version)
    }

    /// A version of an operation as people write it: `1.0`, or nothing for the newest. Errors: as
    /// [`Snapshot::operation_version`].
    pub fn operation_at(
        &self,
        id: &str,
        version: &str,
    ) -> Result<&Arc<Published<OperationDescriptor>>, Error> {
        if version.is_empty() {
            return self.operation(id);
        }
        let parsed = version.split_once('.').and_then(|(breaking, compatible)| {
            Some(Version { breaking: breaking.parse().ok()?, compatible: compatible.parse().ok()? })
        });
        match parsed {
            Some(version) => self.operation_version(id, version),
            None => self.operation(id).and_then(|_| Err(self.unknown_version(id, version))),
        }
    }

    fn unknown_version(&self, id: &str, version: &str) -> Error {
        let versions = self.operations.get(id).into_iter().flat_map(BTreeMap::keys);
        let available = versions.map(Version::to_string).collect::<Vec<_>>().join(", ");
        Error::UnknownVersion { key: id.to_owned(), version: version.to_owned(), available }
    }

    /// The newest version of a capability. Errors: [`Error::UnknownCapability`].
    pub fn capability(&self, name: &str) -> Result<&Arc<Published<CapabilityDescriptor>>, Error> {
        self.capabilities.get(name).and_then(newest).ok_or_else(|| Error::UnknownCapability {
            name: name.to_owned(),
            suggestion: most_similar(name, self.capabilities.keys().map(String::as_str)),
        })
    }

    /// The newest version of a subnet, if it is listed.
    #[must_use]
    pub fn subnet(&self, netuid: u16) -> Option<&Arc<Published<SubnetDescriptor>>> {
        self.subnets.get(&netuid).and_then(newest)
    }

    /// The newest version of every operation, by id.
    pub fn operations(&self) -> impl Iterator<Item = &Arc<Published<OperationDescriptor>>> {
        self.operations.values().filter_map(newest)
    }

    /// The newest version of every capability, by name.
    pub fn capabilities(&self) -> impl Iterator<Item = &Arc<Published<CapabilityDescriptor>>> {
        self.capabilities.values().filter_map(newest)
    }

    /// The newest version of every subnet, by netuid.
    pub fn subnets(&self) -> impl Iterator<Item = &Arc<Published<SubnetDescriptor>>> {
        self.subnets.values().filter_map(newest)
    }

    /// Whether the newest version of an operation can be called. Errors: [`Error::UnknownOperation`].
    pub fn callability(&self, id: &str) -> Result<&Callability, Error> {
        self.operation(id)?;
        // INVARIANT: both maps have the same keys.
        Ok(self.callability.get(id).unwrap_or(&Callability::Yes))
    }

    /// Names of the capabilities that an operation fulfils.
    pub fn capabilities_of(&self, operation: &str) -> impl Iterator<Item = &str> {
        self.fulfils.get(operation).into_iter().flatten().map(String::as_str)
    }

    /// Number of operations of a subnet.
    #[must_use]
    pub fn operation_count(&self, netuid: u16) -> usize {
        self.operations().filter(|published| published.descriptor.netuid == netuid).count()
    }

    /// Version and hash of every published version of an entry, oldest first.
    pub(crate) fn versions_of(&self, entry: &Entry) -> Vec<(Version, Hash)> {
        fn list<T>(versions: Option<&Versions<T>>) -> Vec<(Version, Hash)> {
            versions.into_iter().flatten().map(|(version, published)| (*version, published.hash)).collect()
        }
        match entry {
            Entry::Operation(descriptor) => list(self.operations.get(&descriptor.id)),
            Entry::Capability(descriptor) => list(self.capabilities.get(&descriptor.name)),
            Entry::Subnet(descriptor) => list(self.subnets.get(&descriptor.netuid)),
        }
    }

    /// Number of entries of the kind of `entry`.
    pub(crate) fn count_like(&self, entry: &Entry) -> usize {
        match entry {
            Entry::Operation(_) => self.operations.len(),
            Entry::Capability(_) => self.capabilities.len(),
            Entry::Subnet(_) => self.subnets.len(),
        }
    }

    /// Adds the next publication of the log. Call [`Snapshot::seal`] after the last one.
    pub(crate) fn fold(&mut self, publication: &Publication) {
        self.last_index += 1;
        let index = self.last_index;
        match &publication.entry {
            Entry::Operation(descriptor) => {
                let published = publication.published(OperationDescriptor::clone(descriptor), index);
                self.operations
                    .entry(descriptor.id.clone())
                    .or_default()
                    .insert(descriptor.version, published);
                self.callability.insert(descriptor.id.clone(), Callability::of(descriptor));
            }
            Entry::Capability(descriptor) => {
                let published = publication.published(descriptor.clone(), index);
                let name = &descriptor.name;
                self.capabilities.entry(name.clone()).or_default().insert(descriptor.version, published);
                self.fulfils.values_mut().for_each(|names| {
                    names.remove(name);
                });
                for adapter in &descriptor.adapters {
                    self.fulfils.entry(adapter.operation.clone()).or_default().insert(name.clone());
                }
                self.fulfils.retain(|_, names| !names.is_empty());
            }
            Entry::Subnet(descriptor) => {
                let published = publication.published(SubnetDescriptor::clone(descriptor), index);
                self.subnets.entry(descriptor.netuid).or_default().insert(descriptor.version, published);
            }
        }
    }

    /// Computes the id.
    pub(crate) fn seal(&mut self) {
        let mut hasher = Context::LedgerSnapshot.hasher();
        // Entries name themselves in their bytes and the maps are sorted, so their hashes in order are enough.
        let operations = self.operations().map(|published| published.hash);
        let capabilities = self.capabilities().map(|published| published.hash);
        let subnets = self.subnets().map(|published| published.hash);
        for hash in operations.chain(capabilities).chain(subnets) {
            hasher.update(&hash.0);
        }
        self.id = hasher.finish();
    }
}

fn newest<T>(versions: &Versions<T>) -> Option<&Arc<Published<T>>> {
    versions.last_key_value().map(|(_, published)| published)
}
