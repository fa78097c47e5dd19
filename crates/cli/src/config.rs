//! `orchestra.toml`: found in the working folder or the nearest one above it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde::Deserialize;
use subnet::hotkey::Hotkey;
use subnet::secrets::SecretStore;

use crate::exit::{Exit, Failure};

/// Name of the configuration file.
pub(crate) const FILE: &str = "orchestra.toml";

/// Where `orch serve` listens and `--server` connects unless told otherwise.
pub(crate) const DEFAULT_ADDRESS: &str = "127.0.0.1:7410";

/// A configuration with the folder it applies to.
#[derive(Debug, Default)]
pub(crate) struct Config {
    /// The folder of the file, or the working folder where there is none.
    pub(crate) folder: PathBuf,
    file: File,
}

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
}

/// Settings that a production server must not have.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Development {
    /// Start the sample subnets and send the calls of SN22, SN28, SN64 and SN96 to them.
    #[serde(default)]
    pub(crate) samples: bool,
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
            Failure::new(Exit::Usage, "E1501", format!("the working folder cannot be read: {error}"), "")
        })?;
        let path = match explicit {
            Some(path) => Some(path.to_owned()),
            None => here.ancestors().map(|folder| folder.join(FILE)).find(|path| path.is_file()),
        };
        let Some(path) = path else { return Ok(Self { folder: here, file: File::default() }) };
        let wrong = |why: String| {
            Failure::new(
                Exit::Usage,
                "E1501",
                format!("{}: {why}", path.display()),
                "the sections are [package], [server], [development], [endpoints], [secrets]; see the README",
            )
        };
        let text = fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        let file: File = toml::from_str(&text).map_err(|error| wrong(error.to_string().trim_end().into()))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let config = Self { folder: folder.map_or(here, Path::to_owned), file };
        config.refuse_plain_secrets().map_err(wrong)?;
        Ok(config)
    }

    /// A key written into a file that is meant to be shared would end up in version control.
    fn refuse_plain_secrets(&self) -> Result<(), String> {
        for (name, entry) in &self.file.secrets {
            if entry.get("value").is_some() {
                return Err(format!(
                    "[secrets.{name}] holds a key; name an environment variable with `env`, or move the entry \
                     to {SECRETS_FILE}, readable by you alone"
                ));
            }
        }
        Ok(())
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

    /// Development settings.
    pub(crate) fn development(&self) -> &Development {
        &self.file.development
    }

    /// Base URLs that replace those of the Ledger.
    pub(crate) fn endpoints(&self) -> &BTreeMap<String, String> {
        &self.file.endpoints
    }

    /// Every secret: of the configuration, of the private file beside it, of the environment; a later one
    /// of the same name wins.
    pub(crate) fn secrets(&self) -> Result<SecretStore, Failure> {
        let fail = |error: subnet::secrets::Error| {
            Failure::new(Exit::MissingSecret, error.code(), error.to_string(), "")
        };
        let mut secrets = SecretStore::new();
        let environment = |name: &str| env::var(name).ok();
        secrets.extend_from_table(&self.file.secrets, &environment).map_err(fail)?;
        let private = self.folder.join(SECRETS_FILE);
        if private.exists() {
            secrets.extend_from_file(&private, &environment).map_err(fail)?;
        }
        secrets.extend_from_environment(env::vars()).map_err(fail)?;
        Ok(secrets)
    }

    /// The hotkey that signs calls of axons, where one is configured.
    pub(crate) fn hotkey(&self) -> Result<Option<Hotkey>, Failure> {
        let Some(path) = &self.file.hotkey else { return Ok(None) };
        Hotkey::load(&self.folder.join(path))
            .map(Some)
            .map_err(|error| Failure::new(Exit::MissingSecret, error.code(), error.to_string(), ""))
    }

    /// The texts of the extra certificate authorities.
    pub(crate) fn extra_roots(&self) -> Result<Vec<String>, Failure> {
        let read = |path: &PathBuf| {
            let path = self.folder.join(path);
            fs::read_to_string(&path).map_err(|error| {
                Failure::new(
                    Exit::Usage,
                    "E1501",
                    format!("{}: {error}", path.display()),
                    "check `development.extra_roots`",
                )
            })
        };
        self.file.development.extra_roots.iter().map(read).collect()
    }
}

/// Secrets with their values, readable by the owner alone.
pub(crate) const SECRETS_FILE: &str = ".orchestra/secrets.toml";
