//! One process owns a store: an operating-system lock on a file beside the database.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::{Error, private};

/// File name of the lock inside the store's directory. It holds the owner's process id as text and, on a second line, where the
/// owner answers those who are refused the store.
pub const LOCK_FILE: &str = "store.lock";

/// The most that is read of what an owner has written into it.
const SAID_BYTES_MAX: u64 = 512;

/// Ownership of a store directory. It ends when this is dropped, or when the process ends in any way.
#[derive(Debug)]
pub(crate) struct Ownership {
    // Held for its lock alone.
    _file: File,
}

impl Ownership {
    /// Takes ownership of `dir`, which must exist, and says where the owner answers. Errors: [`Error::Locked`],
    /// [`Error::NotWritable`], [`Error::Full`].
    pub(crate) fn take(dir: &Path, address: Option<&str>) -> Result<Self, Error> {
        let path = dir.join(LOCK_FILE);
        let refused = |source: io::Error| Error::not_created(&path, source);
        let mut file = private::open_file(&path).map_err(refused)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(locked(path, &mut file)),
            Err(TryLockError::Error(source)) => return Err(refused(source)),
        }
        // It only serves those who are refused. A full disk must not keep an operator from opening the store.
        let _ = say(&mut file, address);
        Ok(Self { _file: file })
    }
}

/// In place of what an owner before said.
fn say(file: &mut File, address: Option<&str>) -> io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    let said =
        format!("{}\n{}", std::process::id(), address.map_or_else(String::new, |at| format!("{at}\n")));
    file.write_all(said.as_bytes())
}

fn locked(path: PathBuf, file: &mut File) -> Error {
    let mut text = String::new();
    // What cannot be read says nothing.
    let _ = file.take(SAID_BYTES_MAX).read_to_string(&mut text);
    let mut lines = text.lines();
    let pid = lines.next().and_then(|pid| pid.trim().parse().ok());
    Error::Locked { path, pid, address: lines.next().map(str::to_owned) }
}
