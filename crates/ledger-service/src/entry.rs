//! Entries: what is published, its canonical bytes, and its place in the log.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use schema::hash::{Context, Hash};
use schema::operation::{CapabilityDescriptor, OperationDescriptor, Source, Version};
use serde::{Deserialize, Serialize};

/// A subnet, as the Ledger knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubnetDescriptor {
    /// Its number.
    pub netuid: u16,
    /// Version of this entry.
    #[serde(default = "first")]
    pub version: Version,
    /// Its name on the chain, or the registry's where the chain has a placeholder.
    pub name: String,
    /// The name in lower case with hyphens.
    pub slug: String,
    /// The other name, where chain and registry disagree: it may have changed hands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_name: Option<String>,
    /// State of its on-chain identity.
    pub status: SubnetStatus,
    /// Labels from the catalogue's vocabulary.
    pub tags: Vec<String>,
    /// Whether its facts may be out of date or belong to a former tenant.
    pub stale_risk: bool,
    /// Home page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website_url: Option<String>,
    /// Source code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository_url: Option<String>,
    /// Documentation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs_url: Option<String>,
    /// Wire protocols it is known to speak.
    #[serde(default)]
    pub transports: Vec<String>,
    /// Bases of its interfaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub api_base_urls: Vec<String>,
    /// Where it describes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub openapi_urls: Vec<String>,
    /// A public path that answers while the service is up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_probe: Option<HealthProbe>,
    /// Where the facts come from.
    pub sources: Vec<Source>,
    /// Whether a validator has checked this entry.
    #[serde(default)]
    pub verified: bool,
}

/// A public path that answers while the service is up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthProbe {
    /// `GET` or `HEAD`.
    pub method: String,
    /// Scheme and host.
    pub base_url: String,
    /// Path below it.
    pub path: String,
}

/// State of a subnet's on-chain identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubnetStatus {
    /// In use.
    Active,
    /// Netuid 0.
    Root,
    /// Its identity says that it is given up.
    DeprecatedOnChain,
    /// Its identity is empty or a placeholder.
    IdentityPlaceholder,
}

impl SubnetStatus {
    /// The word used in files and interfaces.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Root => "root",
            Self::DeprecatedOnChain => "deprecated_on_chain",
            Self::IdentityPlaceholder => "identity_placeholder",
        }
    }
}

const fn first() -> Version {
    Version::FIRST
}

/// What an entry describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An [`OperationDescriptor`].
    Operation,
    /// A [`CapabilityDescriptor`].
    Capability,
    /// A [`SubnetDescriptor`].
    Subnet,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Operation => "operation",
            Self::Capability => "capability",
            Self::Subnet => "subnet",
        })
    }
}

/// One published version of an entry. It never changes.
#[derive(Debug, PartialEq)]
pub struct Published<T> {
    /// What it says.
    pub descriptor: T,
    /// Hash of `bytes`, in the context of Ledger entries.
    pub hash: Hash,
    /// Its canonical bytes, as they stand in the log.
    pub bytes: Bytes,
    /// Hash of the version before it.
    pub previous: Option<Hash>,
    /// Its place in the log, from 1: it holds from this entry on.
    pub index: u64,
}

/// An entry of any kind.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    Operation(Box<OperationDescriptor>),
    Capability(CapabilityDescriptor),
    Subnet(Box<SubnetDescriptor>),
}

impl Entry {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Operation(_) => Kind::Operation,
            Self::Capability(_) => Kind::Capability,
            Self::Subnet(_) => Kind::Subnet,
        }
    }

    /// Id, name or netuid.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Operation(descriptor) => descriptor.id.clone(),
            Self::Capability(descriptor) => descriptor.name.clone(),
            Self::Subnet(descriptor) => descriptor.netuid.to_string(),
        }
    }

    pub(crate) fn version(&self) -> Version {
        match self {
            Self::Operation(descriptor) => descriptor.version,
            Self::Capability(descriptor) => descriptor.version,
            Self::Subnet(descriptor) => descriptor.version,
        }
    }

    /// The canonical bytes: for what plans pin, the spelling of [`schema::lock`], so that a lock's bodies are
    /// these very bytes.
    pub(crate) fn canonical_bytes(&self) -> Result<Bytes, serde_json::Error> {
        let pinned = |bytes: Result<Vec<u8>, schema::lock::LockError>| {
            bytes.map_err(|error| serde::ser::Error::custom(error.message))
        };
        let bytes = match self {
            Self::Operation(descriptor) => pinned(schema::lock::entry_bytes(descriptor)),
            Self::Capability(descriptor) => pinned(schema::lock::capability_bytes(descriptor)),
            Self::Subnet(descriptor) => serde_json::to_vec(descriptor),
        };
        bytes.map(Bytes::from)
    }

    fn parse(kind: Kind, bytes: &[u8]) -> Result<Self, serde_json::Error> {
        Ok(match kind {
            Kind::Operation => Self::Operation(Box::new(serde_json::from_slice(bytes)?)),
            Kind::Capability => Self::Capability(serde_json::from_slice(bytes)?),
            Kind::Subnet => Self::Subnet(Box::new(serde_json::from_slice(bytes)?)),
        })
    }
}

/// Hash of an entry's canonical bytes.
pub(crate) fn entry_hash(bytes: &[u8]) -> Hash {
    Context::LedgerEntry.hash(&[bytes])
}

/// First line of a record of the log; the entry's bytes follow unchanged.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    kind: Kind,
    hash: Hash,
    previous: Option<Hash>,
}

/// An entry with everything the log says about it.
#[derive(Clone, Debug)]
pub(crate) struct Publication {
    pub(crate) entry: Entry,
    pub(crate) bytes: Bytes,
    pub(crate) hash: Hash,
    pub(crate) previous: Option<Hash>,
}

impl Publication {
    /// The record for the log.
    pub(crate) fn record(&self) -> Result<Bytes, serde_json::Error> {
        let header = Header { kind: self.entry.kind(), hash: self.hash, previous: self.previous };
        let mut record = serde_json::to_vec(&header)?;
        record.push(b'\n');
        record.extend_from_slice(&self.bytes);
        Ok(record.into())
    }

    /// Reads a record back. Errors: what is wrong with it.
    pub(crate) fn from_record(record: &Bytes) -> Result<Self, String> {
        let end = record.iter().position(|&byte| byte == b'\n').ok_or("it has no header line")?;
        let header: Header =
            serde_json::from_slice(&record.slice(..end)).map_err(|error| format!("its header: {error}"))?;
        let bytes = record.slice(end + 1..);
        if entry_hash(&bytes) != header.hash {
            return Err("its bytes do not match its hash".to_owned());
        }
        let entry = Entry::parse(header.kind, &bytes).map_err(|error| format!("its entry: {error}"))?;
        Ok(Self { entry, bytes, hash: header.hash, previous: header.previous })
    }

    pub(crate) fn published<T>(&self, descriptor: T, index: u64) -> Arc<Published<T>> {
        let (hash, bytes, previous) = (self.hash, self.bytes.clone(), self.previous);
        Arc::new(Published { descriptor, hash, bytes, previous, index })
    }
}
