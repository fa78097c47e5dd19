//! API keys: named, bound to one exact origin, never printed.
//!
//! A secret is used for an operation only if it is stored under the operation's id (`sn64.chat_completions`) or its
//! subnet (`sn64`), and only towards the origin it was stored for. A Ledger entry that moves to another host, or an
//! endpoint override, therefore gets a refusal before anything is sent, never somebody's key.

mod key;
mod tenants;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use schema::operation::OperationId;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::egress::Origin;

pub use key::{KEY_PART, Key};
pub use tenants::TenantSecrets;

/// Environment variables that begin with this hold `<origin> <key>`; the rest of the name is the secret's,
/// upper case, with `__` for the dot: `ORCHESTRA_SECRET_SN64__CHAT_COMPLETIONS`.
pub const ENVIRONMENT_PREFIX: &str = "ORCHESTRA_SECRET_";
/// Longest key in bytes; JWTs of identity providers reach about 4 KiB.
pub const SECRET_BYTES_MAX: usize = 8 << 10;
/// Most secrets in one store.
pub const SECRETS_MAX: usize = 10_000;
/// A file of secrets is configuration, not data.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Why a secret was not stored or not used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No secret is stored for the operation. Code E1105.
    #[error(
        "no secret for {operation}: store one named `{operation}` or `{subnet}` for {origin}{}{}",
        tenant.as_ref().map(|tenant| format!(" and the tenant `{tenant}`")).unwrap_or_default(),
        with_parts(parts)
    )]
    Missing {
        /// The operation that needs it.
        operation: OperationId,
        /// The subnet's name for secrets, `sn<netuid>`.
        subnet: String,
        /// Where it would be sent.
        origin: Box<Origin>,
        /// Whose it must be, where those of the deployment do not serve.
        tenant: Option<Arc<str>>,
        /// The parts that the operation needs.
        parts: Vec<String>,
    },
    /// The secret belongs to another origin. Code E1104.
    #[error("secret `{name}` is bound to {bound} and is not sent to {wanted}")]
    OtherOrigin {
        /// Name of the secret.
        name: String,
        /// The origin it was stored for.
        bound: Origin,
        /// The origin of the request.
        wanted: Origin,
    },
    /// The secret was to be used until a time that has passed. Code E1119.
    #[error("secret `{name}` for {origin} expired at {at}")]
    Expired {
        /// Name of the secret.
        name: String,
        /// The origin it is for.
        origin: Origin,
        /// When it expired, in whole seconds.
        at: Timestamp,
    },
    /// The secret cannot be stored or used as it is. Code E1106.
    #[error("secret `{name}`: {why}")]
    Unusable {
        /// Name of the secret.
        name: String,
        /// What is wrong; never holds any of its value.
        why: String,
    },
    /// The file with secrets could not be read. Code E1106.
    #[error("secrets file {path}: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong; never holds any of its content.
        why: String,
    },
}

impl Error {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "E1105",
            Self::OtherOrigin { .. } => "E1104",
            Self::Expired { .. } => "E1119",
            Self::Unusable { .. } | Self::File { .. } => "E1106",
        }
    }
}

/// The options by which `orch keys add` takes a key of several parts.
fn with_parts(parts: &[String]) -> String {
    if matches!(parts, [] | [_]) && parts.iter().all(|part| part == KEY_PART) {
        return String::new();
    }
    let options: Vec<String> = parts.iter().map(|part| format!("--part {part}")).collect();
    format!(", with its parts: `orch keys add` takes them by `{}`", options.join(" "))
}

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

/// One entry `[<name>]` of the secrets table in a configuration file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    origin: String,
    value: Option<SecretString>,
    env: Option<String>,
    /// Of a key of several parts, by name.
    parts: Option<BTreeMap<String, Part>>,
}

/// One part of a key.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    value: Option<SecretString>,
    env: Option<String>,
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

    /// Adds the entries of a configuration table: `<name> = { origin = "https://..", value = ".." }`, or `env`
    /// in place of `value` to name an environment variable that holds the key, or `parts`, a table of such pairs by name,
    /// for a key of several. Where a variable is not set, an
    /// earlier secret of the name stays; without one, a call that needs the secret fails, and no other.
    ///
    /// # Errors
    /// [`Error::Unusable`] for an entry of another form.
    pub fn extend_from_table(
        &mut self,
        table: &toml::Table,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(), Error> {
        // Quoting rules of TOML keys allow the dot of an operation id: `[secrets."sn64.chat_completions"]`.
        for (name, value) in table {
            let unusable = |why: String| Error::Unusable { name: name.clone(), why };
            // The parser's own message would quote the line, and with it the key.
            let entry: Entry = value.clone().try_into().map_err(|_: toml::de::Error| {
                unusable("its entry must have `origin` and one of `value`, `env` and `parts`".into())
            })?;
            let parts = match (entry.value, entry.env, entry.parts) {
                (value @ Some(_), None, None) => [(KEY_PART.to_owned(), Part { value, env: None })].into(),
                (None, env @ Some(_), None) => [(KEY_PART.to_owned(), Part { value: None, env })].into(),
                (None, None, Some(parts)) => parts,
                _ => {
                    return Err(unusable("its entry needs exactly one of `value`, `env` and `parts`".into()));
                }
            };
            self.insert_entry(name, &entry.origin, parts, environment)?;
        }
        Ok(())
    }

    fn insert_entry(
        &mut self,
        name: &str,
        origin: &str,
        parts: BTreeMap<String, Part>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(), Error> {
        let mut known = Vec::new();
        for (part, Part { value, env }) in parts {
            match (value, env) {
                (Some(value), None) => known.push((part, value)),
                (None, Some(variable)) => match environment(&variable).map(SecretString::from) {
                    Some(value) => known.push((part, value)),
                    None if self.secrets.contains_key(name) => return Ok(()),
                    None => return self.set(name, origin, Content::Unset { variable }, None),
                },
                _ => {
                    let why = format!("its part `{part}` needs exactly one of `value` and `env`");
                    return Err(Error::Unusable { name: name.into(), why });
                }
            }
        }
        self.insert_parts(name, origin, known, None)
    }

    /// Adds the `[secrets]` table of a TOML file that only its owner may read and that holds nothing else.
    ///
    /// # Errors
    /// [`Error::File`] if the file is unreadable, too large, not TOML, readable by others or holds anything beside
    /// that table;
    /// [`Error::Unusable`] for one of its entries.
    pub fn extend_from_file(
        &mut self,
        path: &Path,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(), Error> {
        let failed = |why: String| Error::File { path: path.into(), why };
        let text = read_private(path).map_err(failed)?;
        // As above, the parser's message is not shown because it quotes the file.
        let document: toml::Table = toml::from_str(&text).map_err(|error| {
            let line =
                error.span().and_then(|span| text.get(..span.start)).map_or(1, |head| head.lines().count());
            failed(format!("not TOML, near line {line}"))
        })?;
        // Passed over, a key stored as `[sn22]` would be missed only when a call fails for want of it.
        if let Some(stray) = document.keys().find(|name| *name != "secrets") {
            return Err(failed(match secret_name(stray) {
                Some(name) => format!("`{name}` must stand in the secrets table: write `[secrets.{name}]`"),
                None => {
                    "an entry stands outside of the secrets table: write each as `[secrets.sn22]`, with the \
                         name of its subnet or operation"
                        .into()
                }
            }));
        }
        match document.get("secrets") {
            None => Ok(()),
            Some(toml::Value::Table(table)) => self.extend_from_table(table, environment),
            Some(_) => Err(failed("`secrets` must be a table".into())),
        }
    }

    /// Adds every variable that begins with [`ENVIRONMENT_PREFIX`]: `ORCHESTRA_SECRET_SN22="https://host key"`.
    ///
    /// # Errors
    /// [`Error::Unusable`] for a variable of another form.
    pub fn extend_from_environment(
        &mut self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), Error> {
        for (variable, value) in variables {
            let Some(name) = variable.strip_prefix(ENVIRONMENT_PREFIX) else { continue };
            let value = Zeroizing::new(value);
            let name = name.to_ascii_lowercase().replace("__", ".");
            let Some((origin, key)) = value.trim().split_once(' ') else {
                let why =
                    format!("{variable} must hold `<origin> <key>`, such as `https://api.example.com abc`");
                return Err(Error::Unusable { name, why });
            };
            self.insert(&name, origin, &SecretString::from(key))?;
        }
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

/// `text` if it is plainly the name of a subnet, which may be shown: what else stands in a file may be a key.
fn secret_name(text: &str) -> Option<&str> {
    let digits = text.strip_prefix("sn")?;
    ((1..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
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

/// The permission bits if group or others have any; always `None` where files have none.
pub(crate) fn exposed_mode(meta: &std::fs::Metadata) -> Option<u32> {
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o777;
        (mode & 0o077 != 0).then_some(mode)
    }
    #[cfg(not(unix))]
    {
        let _ = meta;
        None
    }
}

fn read_private(path: &Path) -> Result<Zeroizing<String>, String> {
    use std::io::Read as _;

    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let meta = file.metadata().map_err(|error| error.to_string())?;
    if let Some(mode) = exposed_mode(&meta) {
        return Err(format!("mode {mode:o} lets others read it; run `chmod 600` on it"));
    }
    let mut text = Zeroizing::new(String::new());
    let read = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if read as u64 > FILE_BYTES_MAX { Err(format!("larger than {FILE_BYTES_MAX} bytes")) } else { Ok(text) }
}
