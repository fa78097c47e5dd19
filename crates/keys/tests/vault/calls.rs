//! Calls with keys of a vault.

use std::fs;

use keys::{DEFAULT_TENANT, Place, Unlock, Vault};
use schema::value::Value;
use subnet::secrets::SecretStore;

use crate::fixture::{CANARY, key};
use crate::support::{bearer, call, client, operation, prepare, serve};

#[tokio::test]
async fn a_call_takes_its_key_from_memory() {
    let origin = serve(CANARY);
    let folder = tempfile::tempdir().unwrap();
    let place = Place::beside(folder.path().join("private/keys.age"));
    let unlock = Unlock::with_identity(&place.identity, true).unwrap();
    let add = |vault: &mut Vault| {
        vault.add(DEFAULT_TENANT, "sn1", &origin, None, key("another-key"))?;
        vault.add(DEFAULT_TENANT, "sn2", &origin, None, key(CANARY))
    };
    Vault::change(&place, &unlock, add).unwrap();
    let mut secrets = SecretStore::new();
    Vault::open(&place, &unlock).unwrap().fill(DEFAULT_TENANT, &mut secrets).unwrap();
    // From here on nothing of the vault can be read.
    let path = folder.path().to_owned();
    folder.close().unwrap();
    assert!(!path.exists() && fs::read(&place.vault).is_err() && Vault::open(&place, &unlock).is_err());
    let client = client();
    for (netuid, right) in [(2, true), (1, false)] {
        let operation = prepare(&client, &operation(netuid, &origin, &bearer()));
        let answer = call(&client, &operation, &secrets).await.result.unwrap();
        assert_eq!(answer, Value::record([Value::Bool(right)]), "sn{netuid}");
    }
}
