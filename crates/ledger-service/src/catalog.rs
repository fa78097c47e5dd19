//! A catalogue: what a fresh Ledger starts from, as files.

use std::collections::BTreeMap;
use std::path::Path;

use schema::operation::{AdapterDescriptor, CapabilityDescriptor, OperationDescriptor, Version};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::entry::{Entry, SubnetDescriptor};
use crate::error::Error;
use crate::limits::MAX_CATALOG_FILE_BYTES;

/// The seed catalogue, `(name, text)` by name; made by `build.rs`.
const EMBEDDED: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/catalog.rs"));

/// Entries read from the files of a catalogue.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// From `subnets.json`.
    pub subnets: Vec<SubnetDescriptor>,
    /// From `operations/*.json`, in the order of the files.
    pub operations: Vec<OperationDescriptor>,
    /// From `capabilities.json`, `capabilities/*.orch` and `adapters/*/*.orch`.
    pub capabilities: Vec<CapabilityDescriptor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubnetsFile {
    #[serde(rename = "network")]
    _network: String,
    #[serde(rename = "captured_on")]
    _captured_on: String,
    #[serde(rename = "chain_block")]
    _chain_block: u64,
    subnets: Vec<SubnetDescriptor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OperationsFile {
    netuid: u16,
    #[serde(rename = "captured_on")]
    _captured_on: String,
    operations: Vec<OperationDescriptor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CapabilitiesFile {
    capabilities: Vec<CapabilityRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CapabilityRow {
    name: String,
    version: Version,
    summary: String,
    adapters: Vec<String>,
}

impl Catalog {
    /// The catalogue built into this program. Errors: [`Error::Catalog`], which a test rules out.
    pub fn embedded() -> Result<Self, Error> {
        Self::from_files(&EMBEDDED.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect())
    }

    /// The catalogue in a directory; any of its files may be absent. Errors: [`Error::Catalog`].
    pub fn read(dir: &Path) -> Result<Self, Error> {
        let mut files = BTreeMap::new();
        read_dir(dir, "", &mut files)?;
        if files.is_empty() {
            let reason = "no catalogue file is in this directory".to_owned();
            return Err(Error::Catalog { file: dir.display().to_string(), path: "$".to_owned(), reason });
        }
        Self::from_files(&files)
    }

    /// The catalogue in `files`: text by name relative to the catalogue's directory.
    fn from_files(files: &BTreeMap<String, String>) -> Result<Self, Error> {
        let mut catalog = Self::default();
        for (name, text) in files {
            if name == "subnets.json" {
                catalog.subnets = parse::<SubnetsFile>(name, text)?.subnets;
            } else if name.starts_with("operations/") && name.ends_with(".json") {
                let file: OperationsFile = parse(name, text)?;
                for (i, operation) in file.operations.iter().enumerate() {
                    if operation.netuid != file.netuid {
                        let reason = format!("{} in a file of netuid {}", operation.netuid, file.netuid);
                        return Err(wrong(name, format!("operations[{i}].netuid"), reason));
                    }
                }
                catalog.operations.extend(file.operations);
            } else if name == "capabilities.json" {
                let rows = parse::<CapabilitiesFile>(name, text)?.capabilities;
                catalog.capabilities =
                    rows.into_iter().map(|row| capability(files, row)).collect::<Result<_, _>>()?;
            }
        }
        Ok(catalog)
    }

    /// The entries in an order in which each may refer to those before it.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let subnets = self.subnets.iter().cloned().map(Box::new).map(Entry::Subnet);
        let operations = self.operations.iter().cloned().map(Box::new).map(Entry::Operation);
        let capabilities = self.capabilities.iter().cloned().map(Entry::Capability);
        subnets.chain(operations).chain(capabilities).collect()
    }
}

fn capability(files: &BTreeMap<String, String>, row: CapabilityRow) -> Result<CapabilityDescriptor, Error> {
    let text = |file: String| {
        let missing = || {
            wrong("capabilities.json", format!("capabilities[{}]", row.name), format!("{file} is missing"))
        };
        files.get(&file).cloned().ok_or_else(missing)
    };
    let source = text(format!("capabilities/{}.orch", row.name))?;
    let adapters = row.adapters.iter().map(|operation| {
        let source = text(format!("adapters/{}/{operation}.orch", row.name))?;
        Ok(AdapterDescriptor { operation: operation.clone(), source })
    });
    let adapters = adapters.collect::<Result<_, Error>>()?;
    Ok(CapabilityDescriptor { name: row.name, version: row.version, summary: row.summary, source, adapters })
}

fn read_dir(dir: &Path, prefix: &str, files: &mut BTreeMap<String, String>) -> Result<(), Error> {
    let unreadable = |path: &Path, error: &std::io::Error| {
        wrong(&path.display().to_string(), "$".to_owned(), format!("it cannot be read: {error}"))
    };
    let entries = std::fs::read_dir(dir).map_err(|error| unreadable(dir, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(dir, &error))?;
        let path = entry.path();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().map_err(|error| unreadable(&path, &error))?;
        if kind.is_dir() {
            // The layout is two directories deep; whatever lies deeper is not a catalogue's.
            if prefix.matches('/').count() < 2 {
                read_dir(&path, &format!("{name}/"), files)?;
            }
        } else if name.ends_with(".json") || name.ends_with(".orch") {
            let size = entry.metadata().map_err(|error| unreadable(&path, &error))?.len();
            if size > MAX_CATALOG_FILE_BYTES {
                let reason = format!("{size} bytes, above the limit of {MAX_CATALOG_FILE_BYTES}");
                return Err(wrong(&name, "$".to_owned(), reason));
            }
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
            files.insert(name, text);
        }
    }
    Ok(())
}

fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Error> {
    parse_json(text.as_bytes()).map_err(|(path, reason)| wrong(file, path, reason))
}

/// Parses JSON; an error is the place and the reason.
pub(crate) fn parse_json<T: DeserializeOwned>(text: &[u8]) -> Result<T, (String, String)> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        (if path == "." || path == "?" { "$".to_owned() } else { path }, error.into_inner().to_string())
    })?;
    reader.end().map_err(|error| ("$".to_owned(), error.to_string()))?;
    Ok(value)
}

fn wrong(file: &str, path: String, reason: String) -> Error {
    Error::Catalog { file: file.to_owned(), path, reason }
}
