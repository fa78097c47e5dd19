//! Files that only their owner may read, replaced in one step.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::Error;

/// At most `limit` bytes of a file that nobody else may read; `None` where there is none.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let failed = |source| Error::File { path: path.into(), done: "read", source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let meta = file.metadata().map_err(failed)?;
    if let Some(mode) = exposed_mode(&meta) {
        return Err(Error::Exposed { path: path.into(), mode });
    }
    // Grown on the way, the buffer would leave copies behind in freed memory.
    let size = meta.len().min(limit) + 1;
    let mut content = Zeroizing::new(Vec::with_capacity(usize::try_from(size).unwrap_or_default()));
    let read = file.take(limit + 1).read_to_end(&mut content).map_err(failed)?;
    if read as u64 > limit {
        return Err(Error::Damaged { path: path.into(), why: "it is larger than any vault" });
    }
    Ok(Some(content))
}

/// Puts `content` in the place of the file: whoever reads sees the old or the new, and so does a machine that lost its
/// power meanwhile.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), Error> {
    let failed = |source| Error::File { path: path.into(), done: "written", source };
    // Through a link, so that the link stays one.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let beside = suffixed(&path, &format!(".new-{}", std::process::id()));
    let written = create(&beside, content).and_then(|()| fs::rename(&beside, &path));
    written.and_then(|()| sync_folder(&path)).map_err(|error| {
        // The error that matters is the first one.
        let _ = fs::remove_file(&beside);
        failed(error)
    })
}

/// Writes a file for its owner alone. A file that an earlier process left half-written is
/// replaced, and not written into: its mode may be another one.
fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Waits until no other process changes the file, and keeps others from it until the answer is dropped. The lock is a
/// file of its own, because a change replaces the file.
pub(crate) fn lock(path: &Path) -> Result<File, Error> {
    let lock = suffixed(path, ".lock");
    let locked = make_folder(path).and_then(|()| {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        private(&mut options);
        let file = options.open(&lock)?;
        file.lock()?;
        Ok(file)
    });
    locked.map_err(|source| Error::File { path: lock, done: "written", source })
}

/// Makes the folder of a file, for its owner alone, where it is not there.
fn make_folder(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    #[cfg(not(unix))]
    let _ = options;
}

/// A renamed file is there after a crash only when its folder has been written.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The permission bits if group or others have any; `None` where files have none.
fn exposed_mode(meta: &fs::Metadata) -> Option<u32> {
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o777;
        (mode & 0o077 != 0).then_some(mode)
    }
    #[cfg(not(unix))]
    {
        let _ = meta;
        None
    }
}
