//! What goes wrong with a vault.

use std::io;
use std::path::PathBuf;

/// Why a vault was not opened or not changed. Where it was not changed, the file is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be read or written. Code E1701.
    #[error("{path} cannot be {done}: {source}")]
    File {
        /// The vault, its identity or its lock.
        path: PathBuf,
        /// `read` or `written`.
        done: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Others may read the vault or its identity. Code E1702.
    #[error("{path} has mode {mode:o}, which lets others read it; run `chmod 600` on it")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The vault was encrypted for another identity or by another passphrase. Code E1703.
    #[error("the vault {path} does not open: {with}")]
    DoesNotOpen {
        /// The vault.
        path: PathBuf,
        /// Which of both is wrong.
        with: &'static str,
    },
    /// The file is not a vault, is damaged, or was written by a newer version. Code E1704.
    #[error("{path} is not a vault that can be used: {why}")]
    Damaged {
        /// The vault or its identity.
        path: PathBuf,
        /// What is wrong; never holds any of the content.
        why: &'static str,
    },
    /// What opens the vault is not there. Code E1705.
    #[error("{path} {why}")]
    Locked {
        /// The vault or its identity.
        path: PathBuf,
        /// What it needs.
        why: &'static str,
    },
    /// The tenant has no key of that name. Code E1706.
    #[error("tenant `{tenant}` has no key `{name}`; {others}")]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// Whose key.
        tenant: String,
        /// The names that there are, in words.
        others: String,
    },
    /// The tenant has a key of that name. Code E1707.
    #[error("tenant `{tenant}` has a key `{name}` already, for {origin}")]
    Exists {
        /// The name.
        name: String,
        /// Whose key.
        tenant: String,
        /// Where it is sent.
        origin: String,
    },
    /// An entry is not of the form it must have. Code E1708.
    #[error("{what} {why}")]
    Entry {
        /// The part of it: `the name`.
        what: &'static str,
        /// What is wrong with it; never holds any of it, because it may be a key in the wrong place.
        why: String,
    },
    /// The key or its origin cannot be used by any call. The code is that of the inner error.
    #[error(transparent)]
    Secret(#[from] subnet::secrets::Error),
}

impl Error {
    /// The stable code of this error; its page is `docs/errors/<code>.md`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "E1701",
            Self::Exposed { .. } => "E1702",
            Self::DoesNotOpen { .. } => "E1703",
            Self::Damaged { .. } => "E1704",
            Self::Locked { .. } => "E1705",
            Self::Unknown { .. } => "E1706",
            Self::Exists { .. } => "E1707",
            Self::Entry { .. } => "E1708",
            Self::Secret(error) => error.code(),
        }
    }
}
