//! Files that only their owner may read: journals hold what runs were asked, what was answered, and the secrets that
//! proofs are opened with.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

/// Creates the directory for its owner alone. One that exists keeps its mode: others may have files in it.
pub(crate) fn create_dir(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Opens the file for reading and writing, creating it for its owner alone whatever the umask says.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    tighten(path);
    Ok(file)
}

/// Takes the rights of group and others from a file that exists. A file of another owner is left as it is: who let
/// this process write there has decided who may read it.
pub(crate) fn tighten(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let Ok(meta) = std::fs::metadata(path) else { return };
        let mode = meta.permissions().mode() & 0o7777;
        if meta.is_file() && mode & 0o077 != 0 {
            // Only the owner and root may; for anybody else this fails, and that is the answer.
            let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & !0o077));
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}

/// Whether the file system of `dir` has no block left for this user. SQLite reports a full disk as such only where
/// it extends the database; for its other files it is a failed write without a cause.
pub(crate) fn is_disk_full(dir: &Path) -> bool {
    #[cfg(unix)]
    {
        // Creating the index of the write-ahead log needs 32 KiB at once.
        const INDEX_BYTES: u64 = 32 << 10;
        rustix::fs::statvfs(dir)
            .is_ok_and(|fs| fs.f_blocks > 0 && fs.f_bavail.saturating_mul(fs.f_frsize) < INDEX_BYTES)
    }
    #[cfg(not(unix))]
    {
        let _ = dir;
        false
    }
}
