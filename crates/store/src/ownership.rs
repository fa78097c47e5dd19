//! One process owns a store: an operating-system lock on a file beside the database.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::{Error, private};

/// File name of the lock inside the store's directory. It holds the owner's process id as text and, where the owner is a server,
/// on two more lines where it answers and as which.
pub const LOCK_FILE: &str = "store.lock";

/// The most that is read of what an owner has written into it.
const SAID_BYTES_MAX: u64 = 512;

/// The server that owns a store, for those who are refused it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Where it answers.
    pub address: String,
    /// What it alone calls itself there: the same address may lead to another server, elsewhere or after it.
    pub instance: String,
}

/// Ownership of a store directory. It ends when this is dropped, or when the process ends in any way.
#[derive(Debug)]
pub(crate) struct Ownership {
    file: File,
}

impl Ownership {
    /// Takes ownership of `dir`, which must exist, and says which server the owner is, if it is one. Errors: [`Error::Locked`],
    /// [`Error::NotWritable`], [`Error::Full`].
    pub(crate) fn take(dir: &Path, server: Option<&Server>) -> Result<Self, Error> {
        let path = dir.join(LOCK_FILE);
        let refused = |source: io::Error| Error::not_created(&path, source);
        let mut file = private::open_file(&path).map_err(refused)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(locked(path, &mut file)),
            Err(TryLockError::Error(source)) => return Err(refused(source)),
        }
        // It only serves those who are refused. A full disk must not keep an operator from opening the store.
        let _ = say(&file, server);
        Ok(Self { file })
    }

    /// Takes back that the owner is a server: it answers nobody any more, and goes on to own the store for a while.
    pub(crate) fn is_no_server(&self) {
        let _ = say(&self.file, None);
    }
}

/// In place of what was said before, which goes first: a reader finds nothing rather than what is untrue.
fn say(mut file: &File, server: Option<&Server>) -> io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    let mut said = format!("{}\n", std::process::id());
    if let Some(Server { address, instance }) = server {
        said.push_str(&format!("{address}\n{instance}\n"));
    }
    file.write_all(said.as_bytes())
}

fn locked(path: PathBuf, file: &mut File) -> Error {
    let mut text = String::new();
    // What cannot be read says nothing.
    let _ = file.take(SAID_BYTES_MAX).read_to_string(&mut text);
    let mut lines = text.lines();
    let pid = lines.next().and_then(|pid| pid.trim().parse().ok());
    let server = lines.next().zip(lines.next());
    let server =
        server.map(|(address, instance)| Server { address: address.into(), instance: instance.into() });
    Error::Locked { path, pid, server }
}
