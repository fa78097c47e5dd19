//! The vault: its entries in memory, and the one file they lie in.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha3::{Digest as _, Sha3_256};
use subnet::egress::Origin;
use subnet::secrets::SecretStore;
use zeroize::Zeroizing;

use crate::entry::{self, Entry, Value};
use crate::error::Error;
use crate::files;
use crate::seal::{self, Protection, Unlock};

/// The tenant of whoever says nothing about tenants.
pub const DEFAULT_TENANT: &str = "default";
/// Most entries of one vault.
pub const ENTRIES_MAX: usize = 10_000;
/// Most bytes of all entries of one vault in their text form.
pub const VAULT_BYTES_MAX: usize = 8 << 20;
/// Encryption adds some hundred bytes, and some more for each 64 KiB.
const FILE_BYTES_MAX: u64 = VAULT_BYTES_MAX as u64 + (1 << 20);
/// What the file says it is.
const FORMAT: &str = "orchestra-keys";
/// The version of the form below.
const VERSION: u32 = 1;

/// Where a vault lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The vault's file.
    pub vault: PathBuf,
    /// The file with the identity that opens it, unless a passphrase does.
    pub identity: PathBuf,
}

impl Place {
    /// A vault with its identity beside it: `keys.identity` for `keys.age`.
    #[must_use]
    pub fn beside(vault: PathBuf) -> Self {
        Self { identity: vault.with_extension("identity"), vault }
    }

    /// What the vault is opened by; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Exposed`], or [`Error::Damaged`] where the file is no vault.
    pub fn protection(&self) -> Result<Option<Protection>, Error> {
        let sealed = files::read(&self.vault, FILE_BYTES_MAX)?;
        sealed.map(|sealed| seal::protection(&self.vault, &sealed)).transpose()
    }
}

/// The keys of all tenants. A copy in memory: only [`Vault::change`] changes the file.
#[derive(Debug)]
pub struct Vault {
    content: Content,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    format: String,
    version: u32,
    /// Mixed into fingerprints, so that nobody without the vault can try keys against one.
    salt: [u8; 16],
    /// Sorted by tenant, then by name.
    entries: Vec<Entry>,
}

/// The part that any version has.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

impl Vault {
    /// Reads the vault.
    ///
    /// # Errors
    /// [`Error::Locked`] where there is none, [`Error::DoesNotOpen`] for a wrong identity or passphrase,
    /// [`Error::Exposed`], [`Error::Damaged`], [`Error::File`].
    pub fn open(place: &Place, unlock: &Unlock) -> Result<Self, Error> {
        let path = &place.vault;
        let sealed = files::read(path, FILE_BYTES_MAX)?;
        let sealed = sealed
            .ok_or_else(|| Error::Locked { path: path.clone(), why: "is not there: no key was added yet" })?;
        let plain = unlock.open(path, &sealed)?;
        Ok(Self { content: Content::parse(path, &plain)? })
    }

    /// Changes the vault, which is made where there is none. Waits for another process that is changing it. Where
    /// `change` or the writing fails, the file stays as it was.
    ///
    /// # Errors
    /// Those of [`Vault::open`] and of `change`; [`Error::File`]; [`Error::Entry`] where it would hold more than
    /// [`VAULT_BYTES_MAX`].
    pub fn change<T>(
        place: &Place,
        unlock: &Unlock,
        change: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let _lock = files::lock(&place.vault)?;
        let mut vault = match Self::open(place, unlock) {
            Err(Error::Locked { .. }) => Self::new(&place.vault)?,
            opened => opened?,
        };
        let result = change(&mut vault)?;
        let failed = |source| Error::File { path: place.vault.clone(), done: "written", source };
        let plain = vault.content.text().map_err(failed)?;
        if plain.len() > VAULT_BYTES_MAX {
            let why = format!("would hold more than {VAULT_BYTES_MAX} bytes");
            return Err(Error::Entry { what: "the vault", why });
        }
        files::replace(&place.vault, &unlock.seal(&plain).map_err(failed)?)?;
        Ok(result)
    }

    fn new(path: &Path) -> Result<Self, Error> {
        let mut salt = [0_u8; 16];
        getrandom::fill(&mut salt).map_err(|error| Error::File {
            path: path.into(),
            done: "written",
            source: std::io::Error::other(error),
        })?;
        let content = Content { format: FORMAT.into(), version: VERSION, salt, entries: Vec::new() };
        Ok(Self { content })
    }

    /// All entries, by tenant, then by name.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.content.entries
    }

    /// The entry `name` of `tenant`.
    ///
    /// # Errors
    /// [`Error::Unknown`]; [`Error::Entry`] for what is no name.
    pub fn entry(&self, tenant: &str, name: &str) -> Result<&Entry, Error> {
        let found = self.place_of(tenant, name)?.ok().and_then(|at| self.content.entries.get(at));
        found.ok_or_else(|| self.unknown(tenant, name))
    }

    fn entry_mut(&mut self, tenant: &str, name: &str) -> Result<&mut Entry, Error> {
        let unknown = self.unknown(tenant, name);
        let found = self.place_of(tenant, name)?.ok().and_then(|at| self.content.entries.get_mut(at));
        found.ok_or(unknown)
    }

    /// Where the entry is, or where it would be.
    fn place_of(&self, tenant: &str, name: &str) -> Result<Result<usize, usize>, Error> {
        check_names(tenant, name)?;
        Ok(self.content.entries.binary_search_by(|entry| entry.place().cmp(&(tenant, name))))
    }

    /// Adds a key for requests to `origin`, under the name of a subnet or an operation.
    ///
    /// # Errors
    /// [`Error::Exists`]; [`Error::Entry`] for a name, tenant or label of another form, or more than [`ENTRIES_MAX`]
    /// entries; [`Error::Secret`] for an origin that is none.
    pub fn add(
        &mut self,
        tenant: &str,
        name: &str,
        origin: &str,
        label: Option<&str>,
        value: Value,
    ) -> Result<(), Error> {
        entry::check_label(label)?;
        let at = match self.place_of(tenant, name)? {
            Err(at) => at,
            Ok(_) => {
                let origin = self.entry(tenant, name)?.origin.clone();
                return Err(Error::Exists { name: name.into(), tenant: tenant.into(), origin });
            }
        };
        if self.content.entries.len() >= ENTRIES_MAX {
            let why = format!("holds {ENTRIES_MAX} keys, and takes no more");
            return Err(Error::Entry { what: "the vault", why });
        }
        let origin = check_origin(name, origin)?;
        let (tenant, name, label) = (tenant.into(), name.into(), label.map(str::to_owned));
        let entry = Entry { tenant, name, origin: origin.to_string(), label, value, next: None };
        self.content.entries.insert(at, entry);
        Ok(())
    }

    /// Lets `value` take the place of the key in use; one that waited is dropped.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn replace(&mut self, tenant: &str, name: &str, value: Value) -> Result<(), Error> {
        let entry = self.entry_mut(tenant, name)?;
        entry.value = value;
        entry.next = None;
        Ok(())
    }

    /// Keeps `value` beside the key in use until it has been tested; `None` drops one that waits.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn set_next(&mut self, tenant: &str, name: &str, value: Option<Value>) -> Result<(), Error> {
        self.entry_mut(tenant, name)?.next = value;
        Ok(())
    }

    /// Removes a key, and one that waits to take its place.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub fn remove(&mut self, tenant: &str, name: &str) -> Result<(), Error> {
        let at = self.place_of(tenant, name)?.map_err(|_| self.unknown(tenant, name))?;
        self.content.entries.remove(at);
        Ok(())
    }

    /// Whose keys there are.
    #[must_use]
    pub fn tenants(&self) -> BTreeSet<&str> {
        self.content.entries.iter().map(Entry::tenant).collect()
    }

    /// Puts the keys of `tenant` that are in use into `store`, expired ones too, so that a call can say so. A secret
    /// without a part named `key` is left out: the store holds one key under a name.
    ///
    /// # Errors
    /// [`Error::Secret`] where the store takes no more.
    pub fn fill(&self, tenant: &str, store: &mut SecretStore) -> Result<(), Error> {
        for entry in self.content.entries.iter().filter(|entry| entry.tenant == tenant) {
            let parts = entry.value.parts().map(|(name, part)| (name.to_owned(), part));
            store.insert_parts(&entry.name, &entry.origin, parts, entry.value.expires_at())?;
        }
        Ok(())
    }

    /// Eight hex digits that tell secrets of this vault apart and are of no use to learn or to try one without it.
    #[must_use]
    pub fn fingerprint(&self, value: &Value) -> String {
        let mut digest =
            Sha3_256::new().chain_update(b"orchestra key fingerprint v1\0").chain_update(self.content.salt);
        for text in value.texts() {
            digest = digest.chain_update((text.len() as u64).to_le_bytes()).chain_update(text);
        }
        digest.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
    }

    fn unknown(&self, tenant: &str, name: &str) -> Error {
        let names: Vec<&str> = self
            .content
            .entries
            .iter()
            .filter(|entry| entry.tenant == tenant)
            .map(|entry| entry.name.as_str())
            .collect();
        let others = match names.as_slice() {
            [] => "it has none".to_owned(),
            names => format!("it has {}", names.join(", ")),
        };
        Error::Unknown { name: name.into(), tenant: tenant.into(), others }
    }
}

impl Content {
    fn parse(path: &Path, plain: &[u8]) -> Result<Self, Error> {
        // The parser's own message would quote the content.
        let damaged = |why| Error::Damaged { path: path.into(), why };
        let head: Head = serde_json::from_slice(plain).map_err(|_| damaged("it does not hold keys"))?;
        if head.format != FORMAT {
            return Err(damaged("it does not hold keys"));
        }
        if head.version != VERSION {
            return Err(damaged("it was written by another version of this program"));
        }
        let mut content: Self = serde_json::from_slice(plain)
            .map_err(|_| damaged("its entries are not of the form they must have"))?;
        // Somebody with age at hand may have written them in another order.
        content.entries.sort_by(|a, b| a.place().cmp(&b.place()));
        Ok(content)
    }

    /// In a buffer of enough size from the start: grown on the way, it would leave copies in freed memory.
    fn text(&self) -> std::io::Result<Zeroizing<Vec<u8>>> {
        let size = 200 + self.entries.iter().map(Entry::bytes_max).sum::<usize>();
        let mut text = Zeroizing::new(Vec::with_capacity(size));
        serde_json::to_writer(&mut *text, self)?;
        Ok(text)
    }
}

/// The origin that the key of `name` may be sent to: by TLS, or within this machine.
///
/// # Errors
/// [`Error::Secret`].
pub fn check_origin(name: &str, origin: &str) -> Result<Origin, Error> {
    let unusable = |why| Error::from(subnet::secrets::Error::Unusable { name: name.into(), why });
    let origin = Origin::parse(origin).map_err(|refused| unusable(refused.to_string()))?;
    let stays_here = origin.socket_address().is_some_and(|address| address.ip().is_loopback());
    if !origin.is_https() && !stays_here {
        let why = format!("{origin} is reached without TLS, and everybody on the way could read the key");
        return Err(unusable(why));
    }
    Ok(origin)
}

/// Whether a key can have that name, and a tenant his. What is wrong is not shown: people paste keys where names belong.
///
/// # Errors
/// [`Error::Entry`].
pub fn check_names(tenant: &str, name: &str) -> Result<(), Error> {
    if entry::netuid_of(name).is_none() {
        let why = "is not that of a subnet, such as `sn22`, or of an operation, such as `sn22.web_search`";
        return Err(Error::Entry { what: "the name", why: why.into() });
    }
    check_tenant(tenant)
}

/// Whether a tenant can have that name, which is not shown either.
///
/// # Errors
/// [`Error::Entry`].
pub fn check_tenant(tenant: &str) -> Result<(), Error> {
    if !entry::is_tenant(tenant) {
        let why = "must have 1 to 64 letters, digits, `-`, `_` and `.`";
        return Err(Error::Entry { what: "the tenant's name", why: why.into() });
    }
    Ok(())
}
