//! API keys: named, bound to one exact origin, never printed.
//!
//! A secret is used for an operation only if it is stored under the operation's id (`sn64.chat_completions`) or its
//! subnet (`sn64`), and only towards the origin it was stored for. A Ledger entry that moves to another host, or an
//! endpoint override, therefore gets a refusal before anything is sent, never somebody's key.

mod error;
mod key;
mod sources;
mod tenants;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use schema::operation::OperationId;
use secrecy::{ExposeSecret as _, SecretString};

use crate::egress::Origin;

pub use error::Error;
pub use key::{KEY_PART, Key};
pub use sources::ENVIRONMENT_PREFIX;
pub(crate) use sources::exposed_mode;
pub use tenants::TenantSecrets;

/// Longest key in bytes; JWTs of identity providers reach about 4 KiB.
pub const SECRET_BYTES_MAX: usize = 8 << 10;
/// Most secrets in one store.
pub const SECRETS_MAX: usize = 10_000;

/// The secrets of one tenant.
#[derive(Clone, Default)]
pub struct SecretStore {
    secrets: BTreeMap<String, Secret>,
    /// Whose they are, where there are several.
    tenant: Option<Arc<str>>,
    /// Asked for what these have neither under an operation's name nor under its subnet's.
    behind: Option<Arc<Self>>,
}

#[derive(Clone)]
struct Secret {
    origin: Origin,
    key: Content,
    /// From then on it is refused.
    expires_at: Option<Timestamp>,
}

#[derive(Clone)]
enum Content {
    Known(Key),
    /// The environment variable that should hold it is not set, which matters to a call that needs it alone.
    Unset {
        variable: String,
    },
}

impl fmt::Debug for SecretStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.secrets.iter().map(|(name, secret)| (name, secret.origin.as_str())))
            .finish()
    }
}

impl SecretStore {
    /// A store without secrets.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stores `key` under `name` (`sn22` or an operation id) for requests to `origin` (`https://host[:port]`),
    /// replacing one of that name.
    ///
    /// # Errors
    /// [`Error::Unusable`] for an empty or over-long key, control characters, or an origin that is not one.
    pub fn insert(&mut self, name: &str, origin: &str, key: &SecretString) -> Result<(), Error> {
        self.insert_parts(name, origin, [(KEY_PART.to_owned(), key.clone())], None)
    }

    /// As [`SecretStore::insert`], for a key of named parts, and one that is refused from `expires_at` on.
    ///
    /// # Errors
    /// As [`SecretStore::insert`]; an expired key is stored, so that a call can say that it has expired.
    pub fn insert_parts(
        &mut self,
        name: &str,
        origin: &str,
        parts: impl IntoIterator<Item = (String, SecretString)>,
        expires_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        let unusable = |why: String| Error::Unusable { name: name.into(), why };
        let mut checked = BTreeMap::new();
        for (part, key) in parts {
            let text = key.expose_secret().trim();
            if text.is_empty() || text.len() > SECRET_BYTES_MAX {
                return Err(unusable(format!("its value must have 1 to {SECRET_BYTES_MAX} bytes")));
            }
            if !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                return Err(unusable("its value holds characters that cannot be sent in a header".into()));
            }
            checked.insert(part, SecretString::from(text));
        }
        if checked.is_empty() {
            return Err(unusable("it has no parts".into()));
        }
        self.set(name, origin, Content::Known(Key::new(checked)), expires_at)
    }

    fn set(
        &mut self,
        name: &str,
        origin: &str,
        key: Content,
        expires_at: Option<Timestamp>,
    ) -> Result<(), Error> {
        let unusable = |why: String| Error::Unusable { name: name.into(), why };
        let origin = Origin::parse(origin).map_err(|refused| unusable(refused.to_string()))?;
        if self.secrets.len() >= SECRETS_MAX && !self.secrets.contains_key(name) {
            return Err(unusable(format!("a store holds at most {SECRETS_MAX} secrets")));
        }
        self.secrets.insert(name.into(), Secret { origin, key, expires_at });
        Ok(())
    }

    /// Drops what is stored for a subnet (`sn22`) and for its operations.
    pub fn forget_subnet(&mut self, subnet: &str) {
        self.secrets.retain(|name, _| name.split('.').next() != Some(subnet));
    }

    fn of_tenant(self, tenant: &str) -> Self {
        Self { tenant: Some(Arc::from(tenant)), ..self }
    }

    fn before(self, behind: &Arc<Self>) -> Self {
        Self { behind: Some(Arc::clone(behind)), ..self }
    }

    /// Names and origins of all secrets, for listings.
    pub fn names(&self) -> impl Iterator<Item = (&str, &Origin)> {
        self.secrets.iter().map(|(name, secret)| (name.as_str(), &secret.origin))
    }

    /// The key for `operation` at `origin`: the one named like the operation, else the one named like its subnet, else what
    /// stands behind this store has. A key that is there and cannot be used ends the search: another would not be meant.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::OtherOrigin`], [`Error::Expired`], or [`Error::Unusable`] where its variable is not
    /// set or it has not all of `parts`.
    pub fn resolve<'n>(
        &self,
        operation: &OperationId,
        netuid: u16,
        origin: &Origin,
        parts: impl IntoIterator<Item = &'n str>,
    ) -> Result<&Key, Error> {
        let subnet = format!("sn{netuid}");
        let found = [operation, &subnet].into_iter().find_map(|name| self.secrets.get_key_value(name));
        let Some((name, secret)) = found else {
            return match &self.behind {
                Some(behind) => behind.resolve(operation, netuid, origin, parts),
                None => Err(Error::Missing {
                    operation: operation.clone(),
                    subnet,
                    origin: Box::new(origin.clone()),
                    tenant: self.tenant.clone(),
                    parts: parts.into_iter().map(str::to_owned).collect(),
                }),
            };
        };
        let name = name.clone();
        if let Some(at) = secret.expires_at.filter(|at| *at <= Timestamp::now()) {
            return Err(Error::Expired { name, origin: origin.clone(), at });
        }
        if secret.origin != *origin {
            return Err(Error::OtherOrigin { name, bound: secret.origin.clone(), wanted: origin.clone() });
        }
        match &secret.key {
            Content::Known(key) => match parts.into_iter().find(|part| key.part(part).is_none()) {
                None => Ok(key),
                Some(part) => {
                    let has = key.names().collect::<Vec<_>>().join("`, `");
                    let why = format!("{operation} needs its part `{part}`, and it has `{has}`");
                    Err(Error::Unusable { name, why })
                }
            },
            Content::Unset { variable } => {
                let why = format!("environment variable {variable} is not set");
                Err(Error::Unusable { name, why })
            }
        }
    }
}

const fn is_reserved(c: char) -> bool {
    !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~'))
}

/// Percent-encoding of everything but RFC 3986's unreserved characters.
pub(crate) fn percent_encoded(text: &str) -> String {
    use fmt::Write as _;

    let mut out = String::with_capacity(text.len() + text.len() / 4);
    for byte in text.bytes() {
        if is_reserved(char::from(byte)) {
            let _ = write!(out, "%{byte:02X}");
        } else {
            out.push(char::from(byte));
        }
    }
    out
}
