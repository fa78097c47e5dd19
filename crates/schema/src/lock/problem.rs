//! What can be wrong with a lock, in words and codes.

use super::{LOCKFILE_BYTES_MAX, LOCKFILE_VERSION, LockError};
use crate::hash::Hash;
use crate::operation::OperationId;

/// A problem; `id` is an operation or `cap.<name>`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    #[error("orchestra.lock cannot be read at line {line}, column {column}: {message}")]
    Unreadable { line: usize, column: usize, message: String },
    #[error("orchestra.lock has {bytes} bytes, more than {LOCKFILE_BYTES_MAX}")]
    TooLarge { bytes: usize },
    #[error("the body of {id} is missing: orchestra.schemas/{hash}")]
    MissingBody { id: String, hash: Hash },
    #[error("the body of {id} was changed: orchestra.schemas/{pinned} has the hash {found}")]
    WrongBody { id: String, pinned: Hash, found: Hash },
    #[error("the entry {id} is not canonical: {message}")]
    BadEntry { id: String, message: String },
    #[error("orchestra.lock pins another {field} of {id} than its body has")]
    PinDiffers { id: String, field: &'static str },
    #[error("orchestra.lock has format version {found}; this version reads {LOCKFILE_VERSION}")]
    Version { found: i64 },
    #[error("orchestra.lock pins {id} twice")]
    Duplicate { id: String },
    #[error("orchestra.lock pins cap.{capability} but not {operation}, which fulfils it")]
    Unpinned { capability: String, operation: OperationId },
    #[error("orchestra.lock says that it has {said} pins, and has {pins}: it was cut off or edited")]
    CutOff { said: usize, pins: usize },
    #[error("orchestra.lock was edited: its sum is not that of what it holds")]
    Edited,
}

impl Problem {
    /// Code of the problem's page.
    const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } | Self::TooLarge { .. } => "E0601",
            Self::MissingBody { .. } => "E0602",
            Self::WrongBody { .. } => "E0603",
            Self::BadEntry { .. } => "E0604",
            Self::PinDiffers { .. } => "E0605",
            Self::Version { .. } => "E0606",
            Self::Duplicate { .. } | Self::Unpinned { .. } => "E0607",
            Self::CutOff { .. } | Self::Edited => "E0609",
        }
    }
}

impl From<Problem> for LockError {
    fn from(problem: Problem) -> Self {
        Self { code: problem.code(), message: problem.to_string() }
    }
}
