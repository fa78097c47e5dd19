//! From SQLite's errors to ours.

use std::path::Path;
use std::sync::Arc;

use rusqlite::ErrorCode;

use crate::{Error, private};

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
                    Error::Locked { path, pid: None, server: None }
                }
                _ => Error::Io { path, source: Arc::new(error) },
            },
        }
    }

    /// Whether the system admits no writing where SQLite would write.
    pub(super) fn is_refused(&self) -> bool {
        let refused = [ErrorCode::ReadOnly, ErrorCode::CannotOpen, ErrorCode::PermissionDenied];
        matches!(self, Self::Sqlite(error) if error.sqlite_error_code().is_some_and(|code| refused.contains(&code)))
    }

    /// As [`Fault::at`], for a store that is being opened: no append is in doubt, so a write that failed on a disk
    /// without space means just that.
    pub(super) fn at_open(self, path: &Path) -> Error {
        let full = self.may_be_full_disk() && path.parent().is_some_and(private::is_disk_full);
        if full { Error::Full { path: path.to_owned() } } else { self.at(path) }
    }

    /// Whether SQLite reports a full disk like this. What extends the database has a code of its own; the index of
    /// the write-ahead log and the flushing of files have not.
    fn may_be_full_disk(&self) -> bool {
        use rusqlite::ffi;
        let Self::Sqlite(rusqlite::Error::SqliteFailure(error, _)) = self else { return false };
        matches!(
            error.extended_code,
            ffi::SQLITE_IOERR_SHMSIZE
                | ffi::SQLITE_IOERR_SHMMAP
                | ffi::SQLITE_IOERR_WRITE
                | ffi::SQLITE_IOERR_FSYNC
                | ffi::SQLITE_IOERR_DIR_FSYNC
        )
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
        assert_eq!(code(ffi::SQLITE_IOERR_SHMSIZE), (true, "E1006"));
    }

    #[test]
    fn a_failed_write_at_opening_is_a_full_disk_only_where_the_disk_is_full() {
        use rusqlite::ffi;
        let fault = |extended: i32| {
            Fault::Sqlite(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(extended), None))
        };
        for extended in [ffi::SQLITE_IOERR_SHMSIZE, ffi::SQLITE_IOERR_WRITE] {
            assert!(fault(extended).may_be_full_disk());
            // The folder of this test has space.
            let dir = tempfile::TempDir::new().unwrap();
            assert_eq!(fault(extended).at_open(&dir.path().join("orchestra.db")).code(), "E1006");
        }
        for extended in [ffi::SQLITE_IOERR_READ, ffi::SQLITE_CORRUPT, ffi::SQLITE_BUSY, ffi::SQLITE_READONLY]
        {
            assert!(!fault(extended).may_be_full_disk());
        }
    }
}
