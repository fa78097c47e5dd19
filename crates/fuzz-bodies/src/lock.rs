//! Lockfiles and the entries they pin.

use schema::lock::{Lock, LockBodies, Lockfile, capability_from_entry, entry_bytes, operation_from_entry};

/// Reads a lock with its bodies; what it is refused with has a code. What is read is written as the same.
pub(crate) fn lockfile(text: &str, bodies: &LockBodies) -> Option<Lock> {
    match Lockfile::parse(text) {
        Ok(file) => assert_eq!(Lockfile::parse(&file.to_toml()), Ok(file), "written otherwise:\n{text}"),
        Err(error) => assert!(error.code.starts_with("E060") && !error.message.is_empty(), "{error}"),
    }
    match Lock::assemble(text, bodies) {
        Ok(lock) => {
            let parts = lock.to_parts();
            let again = parts.as_ref().map(|(text, bodies)| Lock::assemble(text, bodies));
            assert_eq!(again, Ok(Ok(lock.clone())), "a lock that is written otherwise:\n{text}");
            Some(lock)
        }
        Err(error) => {
            assert!(error.code.starts_with("E060") && !error.message.is_empty(), "{error}");
            None
        }
    }
}

/// The body of an entry is an operation that can be written again, a capability, or refused with its code.
pub(crate) fn entry(bytes: &[u8]) {
    match operation_from_entry(bytes) {
        Ok(operation) => assert!(entry_bytes(&operation).is_ok(), "an entry that cannot be written"),
        Err(error) => assert_eq!(error.code, "E0604"),
    }
    if let Err(error) = capability_from_entry(bytes) {
        assert_eq!(error.code, "E0604");
    }
}
