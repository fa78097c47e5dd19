//! Where secrets come from: tables of configuration, files and the environment.

use std::collections::BTreeMap;
use std::path::Path;

use secrecy::SecretString;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{Content, Error, KEY_PART, SecretStore};

/// Environment variables that begin with this hold `<origin> <key>`; the rest of the name is the secret's,
/// upper case, with `__` for the dot: `ORCHESTRA_SECRET_SN64__CHAT_COMPLETIONS`.
pub const ENVIRONMENT_PREFIX: &str = "ORCHESTRA_SECRET_";
/// A file of secrets is configuration, not data.
const FILE_BYTES_MAX: u64 = 1 << 20;

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
}

/// `text` if it is plainly the name of a subnet, which may be shown: what else stands in a file may be a key.
fn secret_name(text: &str) -> Option<&str> {
    let digits = text.strip_prefix("sn")?;
    ((1..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
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
