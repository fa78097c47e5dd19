//! Canonical bytes of Ledger entries.
//!
//! They are JSON that people can read in a diff, in the one spelling that this module writes: compact,
//! keys sorted at every level, absent parts left out. The hash is over the bytes as carried.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use super::problem::Problem;
use super::{ENTRY_BYTES_MAX, LockError};
use crate::hash::{Context, Hash};
use crate::limits::JSON_DEPTH_MAX;
use crate::operation::{CapabilityDescriptor, OperationDescriptor};

/// The canonical bytes of an operation's entry. Two descriptors that say the same have the same bytes,
/// in whatever order the members of their schemas were written.
///
/// # Errors
/// `E0604` where a schema in it nests too deep or the entry is too large.
pub fn entry_bytes(operation: &OperationDescriptor) -> Result<Vec<u8>, LockError> {
    to_bytes(operation, &operation.id)
}

/// The canonical bytes of a capability's entry, adapters included.
///
/// # Errors
/// As [`entry_bytes`].
pub fn capability_bytes(capability: &CapabilityDescriptor) -> Result<Vec<u8>, LockError> {
    to_bytes(capability, &format!("cap.{}", capability.name))
}

/// Hash of an operation's entry: its name in every lock and in the Ledger's log.
///
/// # Errors
/// As [`entry_bytes`].
pub fn entry_hash(operation: &OperationDescriptor) -> Result<Hash, LockError> {
    entry_bytes(operation).map(|bytes| hash_bytes(&bytes))
}

/// Hash of a capability's entry.
///
/// # Errors
/// As [`entry_bytes`].
pub fn capability_hash(capability: &CapabilityDescriptor) -> Result<Hash, LockError> {
    capability_bytes(capability).map(|bytes| hash_bytes(&bytes))
}

/// The operation in an entry's bytes. That their hash is the pinned one is the caller's affair.
///
/// # Errors
/// `E0604` for any other bytes.
pub fn operation_from_entry(bytes: &[u8]) -> Result<OperationDescriptor, LockError> {
    from_bytes(bytes, "of an operation")
}

/// The capability in an entry's bytes.
///
/// # Errors
/// As [`operation_from_entry`].
pub fn capability_from_entry(bytes: &[u8]) -> Result<CapabilityDescriptor, LockError> {
    from_bytes(bytes, "of a capability")
}

pub(super) fn hash_bytes(bytes: &[u8]) -> Hash {
    Context::LedgerEntry.hash(&[bytes])
}

fn to_bytes(entry: &impl Serialize, id: &str) -> Result<Vec<u8>, LockError> {
    let bad = |message: String| LockError::from(Problem::BadEntry { id: id.into(), message });
    let mut json = serde_json::to_value(entry).map_err(|error| bad(error.to_string()))?;
    if let Some(members) = json.as_object_mut() {
        // So that a later version can add a part without changing the bytes of entries that do not have
        // it. Only here: inside a schema `null` means something.
        members.retain(|_, value| !value.is_null());
    }
    let sorted =
        sorted(json, 0).ok_or_else(|| bad(format!("it nests deeper than {JSON_DEPTH_MAX} levels")))?;
    let bytes = sorted.to_string().into_bytes();
    check_size(&bytes).map_err(bad)?;
    Ok(bytes)
}

fn from_bytes<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T, LockError> {
    let bad = |message: String| LockError::from(Problem::BadEntry { id: what.into(), message });
    check_size(bytes).map_err(bad)?;
    serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))
}

fn check_size(bytes: &[u8]) -> Result<(), String> {
    match bytes.len() {
        0..=ENTRY_BYTES_MAX => Ok(()),
        length => Err(format!("it has {length} bytes, more than {ENTRY_BYTES_MAX}")),
    }
}

/// The same document with keys in order; `None` where it nests too deep.
fn sorted(json: Json, depth: usize) -> Option<Json> {
    if depth > JSON_DEPTH_MAX {
        return None;
    }
    Some(match json {
        Json::Array(items) => items.into_iter().map(|item| sorted(item, depth + 1)).collect::<Option<_>>()?,
        Json::Object(members) => {
            let mut members: Vec<(String, Json)> = members.into_iter().collect();
            members.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            let members = members.into_iter().map(|(key, value)| Some((key, sorted(value, depth + 1)?)));
            Json::Object(members.collect::<Option<Map<_, _>>>()?)
        }
        scalar => scalar,
    })
}
