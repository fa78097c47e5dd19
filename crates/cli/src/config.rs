//! `orchestra.toml`: found in the working folder or the nearest one above it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use ::proof::builder::Show;
use serde::Deserialize;
use subnet::hotkey::{self, Hotkey};
use subnet::secrets::SecretStore;

use crate::exit::Failure;
use crate::project::reason;
use crate::{secrets, vault};

mod keys;

/// Name of the configuration file.
pub(crate) const FILE: &str = "orchestra.toml";

/// Secrets with their values, readable by the owner alone; beside the configuration.
pub(crate) const SECRETS_FILE: &str = ".orchestra/secrets.toml";

/// Who may use `orch serve`, unless the configuration names another file.
const TOKENS_FILE: &str = ".orchestra/tokens.toml";

/// Where `orch serve` listens and `--server` connects unless told otherwise.
pub(crate) const DEFAULT_ADDRESS: &str = "127.0.0.1:7410";

/// The variable with the passphrase of an encrypted hotkey; with `_FILE` at its end, that of a file with it.
const HOTKEY_PASSPHRASE: &str = "ORCHESTRA_HOTKEY_PASSPHRASE";

/// A configuration with the folder it applies to.
#[derive(Debug, Default)]
pub(crate) struct Config {
    /// The folder of the file, or the working folder where there is none.
    pub(crate) folder: PathBuf,
    found: bool,
    file: File,
}

/// The sections of the file. [`keys`] holds their names once more, for messages about others.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// For people; nothing depends on it.
    #[serde(default, rename = "package")]
    _package: Package,
    #[serde(default)]
    server: Server,
    #[serde(default)]
    development: Development,
    /// Base URLs by subnet (`sn8`) or operation id, for subnets without a host of their own.
    #[serde(default)]
    endpoints: BTreeMap<String, String>,
    #[serde(default)]
    secrets: toml::Table,
    #[serde(default)]
    keys: Keys,
    #[serde(default)]
    proofs: Proofs,
    hotkey: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Package {
    #[serde(rename = "name")]
    _name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    listen: Option<String>,
    data: Option<PathBuf>,
    store_bytes_max: Option<u64>,
    #[cfg_attr(not(feature = "openai"), expect(dead_code, reason = "the endpoint is not built in"))]
    openai_cost_max: Option<String>,
    tokens: Option<PathBuf>,
}

/// The vault of keys.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    vault: Option<PathBuf>,
    identity: Option<PathBuf>,
    tenant: Option<String>,
}

/// What proofs show besides inputs and results.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Proofs {
    #[serde(default)]
    answers: bool,
}

/// Settings that a production server must not have.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Development {
    /// Start the sample subnets and send the calls of SN22, SN28, SN64 and SN96 to them.
    #[serde(default)]
    pub(crate) samples: bool,
    /// How long each sample takes to answer.
    pub(crate) sample_latency_ms: Option<u64>,
    /// Calls may go to loopback addresses.
    #[serde(default)]
    pub(crate) allow_loopback: bool,
    /// Calls may go to private addresses.
    #[serde(default)]
    pub(crate) allow_private: bool,
    /// PEM files with further certificate authorities to trust.
    #[serde(default)]
    pub(crate) extra_roots: Vec<PathBuf>,
}

impl Config {
    /// The file at `explicit`, or the nearest one from the working folder upwards, or none.
    pub(crate) fn load(explicit: Option<&Path>) -> Result<Self, Failure> {
        let here = env::current_dir().map_err(|error| {
            let help = "change to a folder that exists";
            Failure::new("E1501", format!("the working folder cannot be read: {}", reason(&error)), help)
        })?;
        let path = match explicit {
            Some(path) => Some(path.to_owned()),
            None => here.ancestors().map(|folder| folder.join(FILE)).find(|path| path.is_file()),
        };
        let Some(path) = path else { return Ok(Self { folder: here, ..Self::default() }) };
        let file = File::read(&path).map_err(|wrong| {
            Failure::new("E1501", format!("{}{}", path.display(), wrong.what), wrong.help)
        })?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        Ok(Self { folder: folder.map_or(here, Path::to_owned), found: true, file })
    }

    /// Whether there is a file, so that the folder is that of a project.
    pub(crate) const fn is_project(&self) -> bool {
        self.found
    }

    /// The folder of the embedded store of `orch run`.
    pub(crate) fn state_folder(&self) -> PathBuf {
        self.folder.join(".orchestra")
    }

    /// The data folder of `orch serve`.
    pub(crate) fn data_folder(&self) -> PathBuf {
        self.file.server.data.as_ref().map_or_else(|| self.state_folder(), |data| self.folder.join(data))
    }

    /// Where `orch serve` listens.
    pub(crate) fn listen(&self) -> &str {
        self.file.server.listen.as_deref().unwrap_or(DEFAULT_ADDRESS)
    }

    /// Bytes that the store may grow to; as large as the disk where nothing is said.
    pub(crate) fn store_bytes_max(&self) -> Option<u64> {
        self.file.server.store_bytes_max
    }

    /// The most a request to the OpenAI endpoint may cost which does not say so.
    #[cfg(feature = "openai")]
    pub(crate) fn openai_cost_max(&self) -> Result<Option<schema::amount::Amount>, Failure> {
        let parsed = self.file.server.openai_cost_max.as_deref().map(str::parse).transpose();
        parsed.map_err(|error: schema::amount::ParseAmountError| {
            Failure::new(
                "E1501",
                format!("`openai_cost_max` of [server]: {error}"),
                "correct it in orchestra.toml",
            )
        })
    }

    /// The file of tokens that `orch serve` accepts, and whether the configuration names it.
    pub(crate) fn tokens_file(&self) -> (PathBuf, bool) {
        let configured = self.file.server.tokens.as_ref();
        let path = self.folder.join(configured.map_or_else(|| Path::new(TOKENS_FILE), PathBuf::as_path));
        (path, configured.is_some())
    }

    /// What proofs of runs show.
    pub(crate) const fn proofs_show(&self) -> Show {
        if self.file.proofs.answers { Show::Answers } else { Show::Run }
    }

    /// Development settings.
    pub(crate) fn development(&self) -> &Development {
        &self.file.development
    }

    /// Base URLs that replace those of the Ledger.
    pub(crate) fn endpoints(&self) -> &BTreeMap<String, String> {
        &self.file.endpoints
    }

    /// The vault of keys, where one is configured.
    pub(crate) fn vault(&self) -> Option<PathBuf> {
        self.file.keys.vault.as_ref().map(|vault| self.folder.join(vault))
    }

    /// The identity that opens the vault, where one is configured.
    pub(crate) fn vault_identity(&self) -> Option<PathBuf> {
        self.file.keys.identity.as_ref().map(|identity| self.folder.join(identity))
    }

    /// Whose keys of the vault are this process's own.
    pub(crate) fn tenant(&self) -> &str {
        self.file.keys.tenant.as_deref().unwrap_or(::keys::DEFAULT_TENANT)
    }

    /// Every secret of this process: of the vault, of the configuration, of the private file beside it, of the
    /// environment; a later one of the same name wins. And the secrets of the vault by tenant.
    pub(crate) fn secrets(&self) -> Result<(SecretStore, BTreeMap<String, SecretStore>), Failure> {
        let tenants = vault::stores(self)?;
        let mut secrets = tenants.get(self.tenant()).cloned().unwrap_or_default();
        self.add_plain(&mut secrets)?;
        Ok((secrets, tenants))
    }

    /// Every secret that is not of the vault.
    pub(crate) fn plain_secrets(&self) -> Result<SecretStore, Failure> {
        let mut secrets = SecretStore::new();
        self.add_plain(&mut secrets)?;
        Ok(secrets)
    }

    fn add_plain(&self, secrets: &mut SecretStore) -> Result<(), Failure> {
        let fail = |error: subnet::secrets::Error| Failure::new(error.code(), error.to_string(), "");
        let environment = |name: &str| env::var(name).ok();
        secrets.extend_from_table(&self.file.secrets, &environment).map_err(fail)?;
        let private = self.folder.join(SECRETS_FILE);
        if private.exists() {
            secrets.extend_from_file(&private, &environment).map_err(fail)?;
        }
        // A variable that is not text cannot hold a key, and is none of our business unless it is ours.
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        secrets.extend_from_environment(env::vars_os().filter_map(text)).map_err(fail)
    }

    /// The hotkey that signs calls of axons, where one is configured.
    pub(crate) fn hotkey(&self) -> Result<Option<Hotkey>, Failure> {
        let Some(path) = &self.file.hotkey else { return Ok(None) };
        read_hotkey(&self.folder.join(path)).map(Some)
    }

    /// The texts of the extra certificate authorities.
    pub(crate) fn extra_roots(&self) -> Result<Vec<String>, Failure> {
        let read = |path: &PathBuf| {
            let path = self.folder.join(path);
            fs::read_to_string(&path).map_err(|error| {
                let help = "check `extra_roots` of `[development]` in orchestra.toml";
                Failure::new("E1501", format!("{} cannot be read: {}", path.display(), reason(&error)), help)
            })
        };
        self.file.development.extra_roots.iter().map(read).collect()
    }
}

/// The hotkey in a file; its passphrase is asked for where it has one.
pub(crate) fn read_hotkey(path: &Path) -> Result<Hotkey, Failure> {
    let read = match Hotkey::load(path) {
        Err(hotkey::Error::Encrypted { .. }) => {
            let question = format!("passphrase of {}: ", path.display());
            let passphrase = secrets::passphrase(HOTKEY_PASSPHRASE, &question)?.ok_or_else(|| {
                let message =
                    format!("hotkey file {} is encrypted, and there is no terminal", path.display());
                let help = format!(
                    "set {HOTKEY_PASSPHRASE}_FILE to a file with its passphrase, or {HOTKEY_PASSPHRASE}"
                );
                Failure::new("E1107", message, help)
            })?;
            Hotkey::load_encrypted(path, &passphrase)
        }
        read => read,
    };
    read.map_err(|error| Failure::new(error.code(), error.to_string(), ""))
}
