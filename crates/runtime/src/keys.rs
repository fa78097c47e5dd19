//! The runtime's signing key: 32 secret bytes in a file of the data directory, made on first use.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use proof::key::RuntimeKey;
use zeroize::Zeroizing;

/// Name of the key's file in the data directory.
pub const KEY_FILE: &str = "runtime.key";

/// A key that cannot be used or made.
#[derive(Debug, thiserror::Error)]
#[error("the runtime key {}: {what}", path.display())]
pub struct KeyError {
    path: PathBuf,
    what: String,
    source: Option<io::Error>,
}

impl KeyError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "E1174"
    }
}

/// The key in `dir`, made if there is none. The file is readable by its owner alone.
///
/// # Errors
/// [`KeyError`] where the file cannot be read or made, is not a key, or others may read it.
pub fn load_or_create(dir: &Path) -> Result<RuntimeKey, KeyError> {
    let path = dir.join(KEY_FILE);
    let failed = |what: &str| {
        let (path, what) = (path.clone(), what.to_owned());
        move |source: io::Error| KeyError { path, what, source: Some(source) }
    };
    match File::open(&path) {
        Ok(file) => read(&path, file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            std::fs::create_dir_all(dir).map_err(failed("its directory cannot be made"))?;
            create(&path).map_err(failed("it cannot be made"))
        }
        Err(error) => Err(failed("it cannot be opened")(error)),
    }
}

/// A key that lives as long as this process.
///
/// # Errors
/// Where the operating system gives no random bytes.
pub fn ephemeral() -> io::Result<RuntimeKey> {
    Ok(RuntimeKey::from_seed(&*random()?))
}

fn read(path: &Path, mut file: File) -> Result<RuntimeKey, KeyError> {
    let fail = |what: &str, source| KeyError { path: path.to_owned(), what: what.to_owned(), source };
    let meta = file.metadata().map_err(|error| fail("it cannot be read", Some(error)))?;
    if let Some(mode) = exposed_mode(&meta) {
        return Err(fail(&format!("mode {mode:o} lets others read it; run `chmod 600` on it"), None));
    }
    let mut seed = Zeroizing::new([0_u8; 32]);
    if meta.len() != 32 {
        return Err(fail("it is not a file of 32 bytes; restore it from a backup, or move it away", None));
    }
    file.read_exact(&mut *seed).map_err(|error| fail("it cannot be read", Some(error)))?;
    Ok(RuntimeKey::from_seed(&seed))
}

/// Written beside and then linked, so that a crash leaves a whole key or none, and of two processes that
/// start at once both end with the same one.
fn create(path: &Path) -> io::Result<RuntimeKey> {
    let seed = random()?;
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    file.write_all(&*seed)?;
    file.sync_all()?;
    let linked = std::fs::hard_link(&beside, path);
    std::fs::remove_file(&beside)?;
    match linked {
        Ok(()) => Ok(RuntimeKey::from_seed(&seed)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let mut other = Zeroizing::new([0_u8; 32]);
            File::open(path)?.read_exact(&mut *other)?;
            Ok(RuntimeKey::from_seed(&other))
        }
        Err(error) => Err(error),
    }
}

fn random() -> io::Result<Zeroizing<[u8; 32]>> {
    let mut seed = Zeroizing::new([0_u8; 32]);
    getrandom::fill(&mut *seed).map_err(io::Error::other)?;
    Ok(seed)
}

/// The permission bits if group or others have any; `None` where files have none.
fn exposed_mode(meta: &std::fs::Metadata) -> Option<u32> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept_private() {
        let dir = tempfile::tempdir().unwrap();
        let first = load_or_create(dir.path()).unwrap();
        assert_eq!(load_or_create(dir.path()).unwrap().public(), first.public());
        let path = dir.path().join(KEY_FILE);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            mode(0o640);
            assert!(load_or_create(dir.path()).unwrap_err().to_string().contains("640"));
            mode(0o600);
        }
        std::fs::write(&path, [1; 31]).unwrap();
        assert_eq!(load_or_create(dir.path()).unwrap_err().code(), "E1174");
    }
}
