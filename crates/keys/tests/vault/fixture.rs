//! A vault in a folder of its own.

use std::fs;

use keys::{DEFAULT_TENANT, Error, Place, Unlock, Value, Vault};
use secrecy::SecretString;
use tempfile::TempDir;

pub(crate) const CANARY: &str = "cnry-0rch3stra-vault-key";
pub(crate) const ORIGIN: &str = "https://api.desearch.ai";

pub(crate) struct Fixture {
    pub(crate) folder: TempDir,
    pub(crate) place: Place,
    pub(crate) unlock: Unlock,
}

impl Fixture {
    /// A vault with one key, opened by an identity.
    pub(crate) fn new() -> Self {
        // `cargo xtask test` searches it for the key afterwards.
        let kept = std::env::var_os("ORCHESTRA_SUITE").is_some();
        let folder = tempfile::Builder::new().disable_cleanup(kept).tempdir().unwrap();
        let place = Place::beside(folder.path().join("private/keys.age"));
        let unlock = Unlock::with_identity(&place.identity, true).unwrap();
        let fixture = Self { folder, place, unlock };
        fixture.change(|vault| vault.add(DEFAULT_TENANT, "sn22", ORIGIN, Some("mine"), key(CANARY))).unwrap();
        fixture
    }

    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Vault) -> Result<T, Error>) -> Result<T, Error> {
        Vault::change(&self.place, &self.unlock, change)
    }

    pub(crate) fn open(&self) -> Result<Vault, Error> {
        Vault::open(&self.place, &self.unlock)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(&self.place.vault).unwrap()
    }
}

pub(crate) fn key(text: &str) -> Value {
    Value::new(SecretString::from(text), None).unwrap()
}

pub(crate) fn shown(error: &Error) -> String {
    format!("{error} {error:?}")
}
