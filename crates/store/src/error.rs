//! What can go wrong with a store, each with a stable code and the next step for the operator.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{Server, StreamName};

/// A failure of the store. It is `Clone` because one failed group commit is the answer to every append in it.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process owns the store, or holds the database open for writing.
    #[error("the store {} is in use by {}", path.display(), owner(*pid, server.as_ref()))]
    Locked {
        /// Lock file or database.
        path: PathBuf,
        /// Process id written by the owner, when it could be read.
        pid: Option<u32>,
        /// The owner, when it is a server.
        server: Option<Server>,
    },
    /// The database file is damaged, or is not a store at all.
    #[error("the store {} cannot be read: {reason}", path.display())]
    Corrupt {
        /// Database file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The database was written by a newer version of this program.
    #[error("the store {} has schema version {found}; this program reads up to {supported}", path.display())]
    NewerSchema {
        /// Database file.
        path: PathBuf,
        /// Version found in the file.
        found: u32,
        /// Newest version this program knows.
        supported: u32,
    },
    /// The directory or the file cannot be created or written.
    #[error("the store {} cannot be opened for writing", path.display())]
    NotWritable {
        /// Directory, lock file or database.
        path: PathBuf,
        /// The refusal.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// No space is left on the disk, or the configured size is reached. Nothing of the append was kept.
    #[error("the store {} is full; nothing of this append was kept", path.display())]
    Full {
        /// Database file.
        path: PathBuf,
    },
    /// The operating system or SQLite refused an operation.
    #[error("the store {} failed", path.display())]
    Io {
        /// Database file.
        path: PathBuf,
        /// The refusal.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// An earlier commit failed in a way that leaves unknown what reached the disk; appends are refused until the
    /// store is opened again, which settles it.
    #[error("the store {} stopped accepting appends after a disk failure: {reason}", path.display())]
    Stopped {
        /// Database file.
        path: PathBuf,
        /// The failure that stopped it.
        reason: String,
    },
    /// The stream does not end where the writer believed: someone else appended, or owns it now.
    #[error("stream {stream} ends at {actual}, not at {expected}")]
    Fenced {
        /// The stream.
        stream: StreamName,
        /// What the writer expected.
        expected: u64,
        /// Where the stream really ends.
        actual: u64,
    },
    /// An idempotency key was used before for a different request.
    #[error("key `{key}` was already used for a different request")]
    ClaimConflict {
        /// The key, as the caller sent it.
        key: String,
        /// The stream made by the first use.
        stream: StreamName,
    },
    /// A limit of this crate was exceeded (`MAX_...`).
    #[error("{what} is {actual}, above the limit of {limit}")]
    TooLarge {
        /// What was measured, with its unit.
        what: &'static str,
        /// Measured value.
        actual: u64,
        /// The limit.
        limit: u64,
    },
    /// A stream, view or key name holds what a name must not hold.
    #[error("`{name}` cannot be a {what}: {reason}")]
    InvalidName {
        /// The refused name.
        name: String,
        /// What it was meant to name.
        what: &'static str,
        /// The rule it breaks.
        reason: &'static str,
    },
    /// The store was closed while the request waited.
    #[error("the store was closed")]
    Closed,
}

impl Error {
    /// The directory or file at `path` could not be created or opened.
    pub(crate) fn not_created(path: &Path, source: std::io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::NotWritable { path, source: Arc::new(source) },
        }
    }

    /// The stable code; its page is `docs/errors/<code>.md`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "E1001",
            Self::Corrupt { .. } => "E1002",
            Self::NewerSchema { .. } => "E1003",
            Self::NotWritable { .. } => "E1004",
            Self::Full { .. } => "E1005",
            Self::Io { .. } | Self::Stopped { .. } => "E1006",
            Self::Fenced { .. } => "E1007",
            Self::ClaimConflict { .. } => "E1008",
            Self::TooLarge { .. } => "E1009",
            Self::InvalidName { .. } => "E1010",
            Self::Closed => "E1011",
        }
    }

    /// What to do next, in one sentence.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "stop that process, talk to it with `--server`, or use another directory",
            Self::Corrupt { .. } => {
                "move the file away and restore a backup; `sqlite3 FILE .recover` may save what is readable"
            }
            Self::NewerSchema { .. } => "use the newer program, or another directory",
            Self::NotWritable { .. } => "check that the directory exists and that this user may write to it",
            Self::Full { .. } => "free disk space or raise the store's size limit, then try again",
            Self::Io { .. } => "check the disk and the file's permissions, then try again",
            Self::Stopped { .. } => "check the disk, then restart: opening the store settles what was kept",
            Self::Fenced { .. } => "read the stream again; if another owner writes it, stop writing",
            Self::ClaimConflict { .. } => "use a new request id for a new request",
            Self::TooLarge { .. } => "split the request; bodies above 64 KiB belong in blobs",
            Self::InvalidName { .. } => "choose a name that fits the rule",
            Self::Closed => "open the store again",
        }
    }
}

fn owner(pid: Option<u32>, server: Option<&Server>) -> String {
    let who = pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
    match server {
        Some(Server { address, .. }) => format!("{who}, which serves it at {address}"),
        None => who,
    }
}
