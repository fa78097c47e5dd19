//! The vault of keys: where it lies, and what opens it.

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;

use keys::{Place, Protection, Unlock, Vault};
use secrecy::ExposeSecret as _;
use subnet::secrets::SecretStore;

use crate::config::Config;
use crate::exit::Failure;
use crate::secrets;

/// Variables that name the vault and its identity.
const VAULT: &str = "ORCHESTRA_KEYS";
const IDENTITY: &str = "ORCHESTRA_KEYS_IDENTITY";
/// The variable that holds the passphrase; with `_FILE` at its end, the one that names a file with it.
const PASSPHRASE: &str = "ORCHESTRA_KEYS_PASSPHRASE";
/// The vault below the user's folder for data.
const DEFAULT: &str = "orchestra/keys.age";

/// Where the vault is: as the environment says, as orchestra.toml says, or in the user's folder for data. `None` for a
/// user without one.
pub(crate) fn place(config: &Config) -> Option<Place> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let of_user = || {
        // The standard asks to pass over a folder that depends on where one stands.
        let data = set("XDG_DATA_HOME").filter(|path| path.is_absolute());
        let data = data.or_else(|| Some(set("HOME")?.join(".local/share")));
        Some(data?.join(DEFAULT))
    };
    let mut place = Place::beside(set(VAULT).or_else(|| config.vault()).or_else(of_user)?);
    if let Some(identity) = set(IDENTITY).or_else(|| config.vault_identity()) {
        place.identity = identity;
    }
    Some(place)
}

/// Where the vault is or would be.
pub(crate) fn required(config: &Config) -> Result<Place, Failure> {
    place(config).ok_or_else(|| {
        let help =
            format!("name a file: `{VAULT}` in the environment, or `vault` of `[keys]` in orchestra.toml");
        Failure::new("E1705", "this user has no folder for the vault of keys", help)
    })
}

/// The keys of every tenant in the vault; none where there is no vault.
pub(crate) fn stores(config: &Config) -> Result<BTreeMap<String, SecretStore>, Failure> {
    let Some(place) = place(config) else { return Ok(BTreeMap::new()) };
    let Some((vault, _)) = open(&place)? else { return Ok(BTreeMap::new()) };
    let store = |tenant: &str| {
        let mut store = SecretStore::new();
        vault.fill(tenant, &mut store)?;
        Ok((tenant.to_owned(), store))
    };
    vault.tenants().into_iter().map(store).collect::<Result<_, _>>().map_err(failure)
}

/// The vault with what opened it; `None` where there is none.
pub(crate) fn open(place: &Place) -> Result<Option<(Vault, Unlock)>, Failure> {
    let Some(protection) = place.protection().map_err(failure)? else { return Ok(None) };
    let unlock = unlock(place, protection)?;
    Vault::open(place, &unlock).map(|vault| Some((vault, unlock))).map_err(failure)
}

/// The vault with what opened it, which must be there.
pub(crate) fn open_required(place: &Place) -> Result<(Vault, Unlock), Failure> {
    open(place)?.ok_or_else(|| {
        let message = format!("there is no vault at {}", place.vault.display());
        Failure::new("E1705", message, "`orch keys add NAME` makes one")
    })
}

/// What opens the vault, or protects a new one: a passphrase where one is wanted, else an identity, made if need be.
pub(crate) fn unlock_to_add(place: &Place, wants_passphrase: bool) -> Result<Unlock, Failure> {
    match place.protection().map_err(failure)? {
        Some(Protection::Identity) if wants_passphrase => {
            let message =
                format!("the vault {} is there, and an identity file opens it", place.vault.display());
            let help =
                "--passphrase protects a new vault: name another file by ORCHESTRA_KEYS, or leave it out";
            Err(Failure::new("E1507", message, help))
        }
        Some(protection) => unlock(place, protection),
        None if wants_passphrase => new_passphrase(),
        None => Unlock::with_identity(&place.identity, true).map_err(failure),
    }
}

fn unlock(place: &Place, protection: Protection) -> Result<Unlock, Failure> {
    match protection {
        Protection::Identity => Unlock::with_identity(&place.identity, false).map_err(failure),
        Protection::Passphrase => {
            let question = format!("passphrase of {}: ", place.vault.display());
            let passphrase = secrets::passphrase(PASSPHRASE, &question)?;
            passphrase.map(Unlock::Passphrase).ok_or_else(|| no_passphrase(place))
        }
    }
}

fn new_passphrase() -> Result<Unlock, Failure> {
    let mut typed = false;
    let question = "a passphrase for the new vault: ";
    let first = secrets::passphrase(PASSPHRASE, question)?.inspect(|_| {
        typed = env::var_os(PASSPHRASE).is_none() && env::var_os(format!("{PASSPHRASE}_FILE")).is_none();
    });
    let first = first.filter(|first| !first.expose_secret().is_empty());
    let Some(first) = first else {
        let help = format!("type one, or set {PASSPHRASE} or {PASSPHRASE}_FILE");
        return Err(Failure::new("E1705", "a new vault needs its passphrase", help));
    };
    // What is not shown is easily mistyped, and would be lost with all that it protects.
    if typed {
        let again = secrets::ask("once more: ")?;
        if again.is_none_or(|again| again.expose_secret() != first.expose_secret()) {
            return Err(Failure::new("E1703", "the two passphrases differ", "nothing was made; begin again"));
        }
    }
    Ok(Unlock::Passphrase(first))
}

fn no_passphrase(place: &Place) -> Failure {
    let message =
        format!("the vault {} wants its passphrase, and there is no terminal", place.vault.display());
    let help =
        format!("set {PASSPHRASE}_FILE to a file that holds it, or {PASSPHRASE} to the passphrase itself");
    Failure::new("E1705", message, help)
}

/// A failure of the vault on its way to the terminal.
pub(crate) fn failure(error: keys::Error) -> Failure {
    let help = match &error {
        keys::Error::Exists { name, .. } => {
            format!(
                "`orch keys rotate {name}` takes another key in its place, `orch keys remove {name}` removes it"
            )
        }
        keys::Error::Unknown { name, .. } => {
            format!("`orch keys add {name}` adds one; `orch keys list` shows those of all tenants")
        }
        _ => String::new(),
    };
    Failure::new(error.code(), error.to_string(), help)
}
