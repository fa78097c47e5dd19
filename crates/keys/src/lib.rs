//! The vault: API keys of tenants, in one file that is encrypted at rest.
//!
//! The file is an [age](https://age-encryption.org/v1) file around JSON, opened by an identity file beside it or by a
//! passphrase. It is read once, when a process starts: [`Vault::fill`] puts a tenant's keys into the
//! [`SecretStore`](subnet::secrets::SecretStore) that calls look them up in, in memory. It is changed by
//! [`Vault::change`] alone, which replaces the whole file in one step while no other process may.
//!
//! This crate must never write a key anywhere but into the vault, print one, or put one into an error; it asks nobody
//! for anything and reads no environment. Read [`Vault`], [`Place`], [`Unlock`] and [`Entry`] first.
//!
//! ```
//! use keys::{Place, Unlock, Value, Vault};
//! # let folder = tempfile::tempdir()?;
//! let place = Place::beside(folder.path().join("keys.age"));
//! let unlock = Unlock::with_identity(&place.identity, true)?;
//! Vault::change(&place, &unlock, |vault| {
//!     vault.add("default", "sn22", "https://api.desearch.ai", None, Value::new("a-key".into(), None)?)
//! })?;
//! let mut secrets = subnet::secrets::SecretStore::new();
//! Vault::open(&place, &unlock)?.fill("default", &mut secrets)?;
//! assert_eq!(secrets.names().count(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod entry;
mod error;
mod files;
mod seal;
mod vault;

pub use entry::{
    Entry, KEY_PART, LABEL_CHARS_MAX, PART_NAME_BYTES_MAX, PARTS_MAX, TENANT_BYTES_MAX, Value, is_tenant,
    netuid_of,
};
pub use error::Error;
pub use seal::{Protection, Unlock};
pub use vault::{
    DEFAULT_TENANT, ENTRIES_MAX, Place, VAULT_BYTES_MAX, Vault, check_names, check_origin, check_tenant,
};
