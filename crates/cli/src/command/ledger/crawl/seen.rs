//! What was seen of documents, so that only what changed is fetched and filed again.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use subnet::egress::Validators;

use crate::config::Config;
use crate::exit::Failure;
use crate::project;

/// The file, in the state folder.
const FILE: &str = "documents.json";

/// One document as it was filed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// BLAKE3 of its bytes, in hex.
    pub(super) blake3: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_modified: Option<String>,
}

impl Seen {
    pub(super) fn new(digest: &str, validators: Validators) -> Self {
        let Validators { etag, last_modified } = validators;
        Self { blake3: digest.to_owned(), etag, last_modified }
    }

    pub(super) fn validators(&self) -> Validators {
        Validators { etag: self.etag.clone(), last_modified: self.last_modified.clone() }
    }
}

/// Documents by Ledger (empty for that of this project) and address.
#[derive(Debug, Default)]
pub(super) struct Memory {
    file: PathBuf,
    ledgers: BTreeMap<String, BTreeMap<String, Seen>>,
}

impl Memory {
    /// What is remembered. A file that is lost or damaged costs a fetch of everything, and nothing else.
    pub(super) fn load(config: &Config) -> Self {
        let file = config.state_folder().join(FILE);
        let bytes = fs::read(&file).unwrap_or_default();
        Self { ledgers: serde_json::from_slice(&bytes).unwrap_or_default(), file }
    }

    pub(super) fn get(&self, ledger: &str, url: &str) -> Option<&Seen> {
        self.ledgers.get(ledger)?.get(url)
    }

    pub(super) fn put(&mut self, ledger: &str, url: &str, seen: Seen) {
        self.ledgers.entry(ledger.to_owned()).or_default().insert(url.to_owned(), seen);
    }

    pub(super) fn save(&self) -> Result<(), Failure> {
        let bytes = serde_json::to_vec_pretty(&self.ledgers).unwrap_or_default();
        project::make_parent(&self.file)
            .and_then(|()| project::write_whole(&self.file, &bytes))
            .map_err(|error| project::cannot_write(&self.file, &error))
    }
}
