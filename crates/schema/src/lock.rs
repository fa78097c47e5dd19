//! `orchestra.lock`: what a plan compiled against, pinned, so that compiling needs no network and gives
//! the same plan tomorrow. Bodies that do not belong in a text file people read (operation descriptors,
//! capability sources) lie beside it in `orchestra.schemas/<hash>`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::amount::Rate;
use crate::hash::Hash;
use crate::operation::{Access, CapabilityDescriptor, OperationId, Repeat, Version};
use crate::price::PriceRule;

/// Version of the lockfile format this crate reads and writes.
pub const LOCKFILE_VERSION: u32 = 1;

/// Bytes of `orchestra.lock`: thousands of pins.
pub const LOCKFILE_BYTES_MAX: usize = 4 << 20;
/// Bytes of one entry's body.
pub const ENTRY_BYTES_MAX: usize = 1 << 20;

mod assemble;
mod entry;
mod pinned;
mod problem;
mod text;

pub use entry::{
    capability_bytes, capability_from_entry, capability_hash, entry_bytes, entry_hash, operation_from_entry,
};
pub use pinned::PinnedEntry;

/// A lock that cannot be read, written or trusted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("[{code}] {message}")]
#[non_exhaustive]
pub struct LockError {
    /// Stable code of the error page, `E0601` to `E0609`.
    pub code: &'static str,
    /// What is wrong and where.
    pub message: String,
}

/// The text part of a lock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lockfile {
    /// [`LOCKFILE_VERSION`].
    pub version: u32,
    /// Id of the Ledger snapshot the pins were taken from.
    pub snapshot: Hash,
    /// Exchange rate, where the Ledger had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// Pinned operations, sorted by id.
    #[serde(default, rename = "operation")]
    pub operations: Vec<LockedOperation>,
    /// Pinned capabilities, sorted by name.
    #[serde(default, rename = "capability")]
    pub capabilities: Vec<LockedCapability>,
}

/// The pins of one operation. `entry` covers all the others; they are repeated for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedOperation {
    /// `sn<netuid>.<name>`.
    pub id: OperationId,
    /// Version of the entry.
    pub version: Version,
    /// Hash of the entry's canonical bytes; also the name of its file in `orchestra.schemas/`.
    pub entry: Hash,
    /// Price rule.
    pub price: PriceRule,
    /// Whether it may be sent again.
    pub repeat: Repeat,
    /// Who may call it.
    pub access: Access,
}

/// The pins of one capability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedCapability {
    /// Name as in `use cap { name }`.
    pub name: String,
    /// Version of the entry.
    pub version: Version,
    /// Hash of the entry's canonical bytes, adapters included.
    pub entry: Hash,
    /// Operations that fulfil it, in order; each is pinned above. The entry may know more, which could
    /// not be called when the lock was made.
    pub operations: Vec<OperationId>,
}

/// A lock with its bodies, ready to compile against: every hash has been checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Lock {
    /// Hash of the lockfile's canonical text without its sum; part of every plan hash.
    pub hash: Hash,
    /// Id of the snapshot.
    pub snapshot: Hash,
    /// Exchange rate.
    pub rate: Option<Rate>,
    /// Pinned operations by id.
    pub operations: BTreeMap<OperationId, PinnedEntry>,
    /// Pinned capabilities by name, with the hash of each entry.
    pub capabilities: BTreeMap<String, (Hash, CapabilityDescriptor)>,
}

/// The bodies of a lock by hash: canonical bytes of entries.
pub type LockBodies = BTreeMap<Hash, Vec<u8>>;

#[cfg(test)]
mod tests;
