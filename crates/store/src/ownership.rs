//! One process owns a store: an operating-system lock on a file beside the database.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::{Error, private};

/// File name of the lock inside the store's directory. It holds the owner's process id as text.
pub const LOCK_FILE: &str = "store.lock";

/// Ownership of a store directory. It ends when this is dropped, or when the process ends in any way.
#[derive(Debug)]
pub(crate) struct Ownership {
    // Held for its lock alone.
    _file: File,
}

impl Ownership {
    /// Takes ownership of `dir`, which must exist. Errors: [`Error::Locked`], [`Error::NotWritable`],
    /// [`Error::Full`].
    pub(crate) fn take(dir: &Path) -> Result<Self, Error> {
        let path = dir.join(LOCK_FILE);
        let refused = |source: std::io::Error| Error::not_created(&path, source);
        let mut file = private::open_file(&path).map_err(refused)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(locked(path, &mut file)),
            Err(TryLockError::Error(source)) => return Err(refused(source)),
        }
        let write_pid = |file: &mut File| {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            writeln!(file, "{}", std::process::id())
        };
        // The id only serves a message. A full disk must not keep an operator from opening the store.
        let _ = write_pid(&mut file);
        Ok(Self { _file: file })
    }
}

fn locked(path: PathBuf, file: &mut File) -> Error {
    let mut text = String::new();
    let pid = file.take(32).read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
    Error::Locked { path, pid }
}
