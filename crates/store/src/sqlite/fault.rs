//! From SQLite's errors to ours.

use std::path::Path;
use std::sync::Arc;

use rusqlite::ErrorCode;

use crate::Error;

/// What stopped a statement, before it is known which file it belongs to.
#[derive(Debug)]
pub(super) enum Fault {
    Sqlite(rusqlite::Error),
    /// The file is readable by SQLite but is not what we wrote.
    Damaged(String),
    NewerSchema(u32),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Fault {
    /// The error for the store at `path`.
    pub(super) fn at(self, path: &Path) -> Error {
        let path = path.to_owned();
        match self {
            Self::Damaged(reason) => Error::Corrupt { path, reason },
            Self::NewerSchema(found) => Error::NewerSchema { path, found, supported: super::SCHEMA_VERSION },
            Self::Sqlite(error) => match error.sqlite_error_code() {
                Some(ErrorCode::NotADatabase) => {
                    Error::Corrupt { path, reason: "it is not a SQLite database".to_owned() }
                }
                Some(ErrorCode::DatabaseCorrupt) => Error::Corrupt { path, reason: error.to_string() },
                Some(ErrorCode::DiskFull) => Error::Full { path },
                Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                    Error::NotWritable { path, source: Arc::new(error) }
                }
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                    Error::Locked { path, pid: None }
                }
                _ => Error::Io { path, source: Arc::new(error) },
            },
        }
    }

    /// Whether a commit that failed like this may have reached the disk all the same.
    pub(super) fn leaves_doubt(&self) -> bool {
        matches!(self, Self::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sqlite_code_has_its_own_error() {
        let code = |extended: i32| {
            let fault =
                Fault::Sqlite(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(extended), None));
            (fault.leaves_doubt(), fault.at(Path::new("orchestra.db")).code())
        };
        use rusqlite::ffi;
        assert_eq!(code(ffi::SQLITE_FULL), (false, "E1005"));
        assert_eq!(code(ffi::SQLITE_READONLY), (false, "E1004"));
        assert_eq!(code(ffi::SQLITE_CANTOPEN), (false, "E1004"));
        assert_eq!(code(ffi::SQLITE_CORRUPT), (false, "E1002"));
        assert_eq!(code(ffi::SQLITE_NOTADB), (false, "E1002"));
        assert_eq!(code(ffi::SQLITE_BUSY), (false, "E1001"));
        assert_eq!(code(ffi::SQLITE_IOERR_FSYNC), (true, "E1006"));
    }
}
