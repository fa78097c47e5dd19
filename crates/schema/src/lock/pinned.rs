//! Operations as a lock pins them.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::LockError;
use super::entry::{entry_bytes, hash_bytes};
use crate::hash::Hash;
use crate::json_schema::{OperationTypes, SchemaError};
use crate::operation::OperationDescriptor;

/// The entry of an operation that a lock pins. As it does not change, what follows from it is worked out once, however
/// many plans compile against the lock; clones share it.
#[derive(Clone)]
pub struct PinnedEntry(Arc<Facts>);

struct Facts {
    hash: Hash,
    bytes: Vec<u8>,
    descriptor: OperationDescriptor,
    types: OnceLock<Result<OperationTypes, SchemaError>>,
}

impl PinnedEntry {
    /// The entry of `descriptor`.
    ///
    /// # Errors
    /// As [`entry_bytes`].
    pub fn new(descriptor: OperationDescriptor) -> Result<Self, LockError> {
        let bytes = entry_bytes(&descriptor)?;
        Ok(Self(Arc::new(Facts { hash: hash_bytes(&bytes), bytes, descriptor, types: OnceLock::new() })))
    }

    /// The hash of [`Self::bytes`]: the entry's name in every lock and in the Ledger's log.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.0.hash
    }

    /// The canonical bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// What the entry says.
    #[must_use]
    pub fn descriptor(&self) -> &OperationDescriptor {
        &self.0.descriptor
    }

    /// What the operation takes and answers.
    ///
    /// # Errors
    /// As [`OperationTypes::of`].
    pub fn types(&self) -> Result<&OperationTypes, &SchemaError> {
        self.0.types.get_or_init(|| OperationTypes::of(&self.0.descriptor)).as_ref()
    }
}

/// By what the entries say.
impl PartialEq for PinnedEntry {
    fn eq(&self, other: &Self) -> bool {
        self.hash() == other.hash()
    }
}

impl fmt::Debug for PinnedEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinnedEntry")
            .field("hash", &self.hash())
            .field("descriptor", self.descriptor())
            .finish()
    }
}
