//! `orchestra.lock` and the bodies beside it: found, read, written.

use std::path::{Path, PathBuf};
use std::{fs, io};

use schema::hash::Hash;
use schema::lock::{Lock, LockBodies, LockError, Lockfile};

use super::{cannot_write, reason, write_whole};
use crate::config;
use crate::exit::{Exit, Failure};

/// Name of the lockfile.
pub(crate) const LOCKFILE: &str = "orchestra.lock";

/// Name of the folder with the bodies of the lock.
pub(crate) const BODIES: &str = "orchestra.schemas";

/// A lock of another format version.
const OTHER_FORMAT: &str = "E0606";

/// The folder whose lock serves plans in `folder`: the nearest one upwards that has something of that name, up to that
/// of the project.
pub(crate) fn folder_of(folder: &Path) -> Option<PathBuf> {
    let start = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    for folder in start.ancestors() {
        // What is no file, or cannot be looked at, is an error when it is read.
        if is_there(&folder.join(LOCKFILE)) {
            return Some(folder.to_owned());
        }
        if is_project(folder) {
            return None;
        }
    }
    None
}

/// Whether what a folder holds is served by a lock of its own: it has one, or is a project.
pub(crate) fn is_apart(folder: &Path) -> bool {
    is_there(&folder.join(LOCKFILE)) || is_project(folder)
}

fn is_project(folder: &Path) -> bool {
    folder.join(config::FILE).is_file()
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().map_or_else(|error| error.kind() != io::ErrorKind::NotFound, |_| true)
}

/// The lock for plans in `folder`, or an empty lock where there is none.
pub(crate) fn load(folder: &Path) -> Result<Lock, Failure> {
    let Some(folder) = folder_of(folder) else { return Ok(Lock::empty()) };
    read(&folder.join(LOCKFILE), &folder)
}

/// The lock of the lockfile at `path`, with the bodies that lie in `folder`.
pub(crate) fn read(path: &Path, folder: &Path) -> Result<Lock, Failure> {
    let text = fs::read_to_string(path).map_err(|error| unreadable("E0601", path, &error))?;
    let bodies = read_bodies(&folder.join(BODIES))?;
    Lock::assemble(&text, &bodies).map_err(|error| refused(path, &error))
}

/// Refuses a lock in `folder` of another format: written anew, it would lose what only that format says.
pub(crate) fn check_format(folder: &Path) -> Result<(), Failure> {
    let path = folder.join(LOCKFILE);
    let Ok(text) = fs::read_to_string(&path) else { return Ok(()) };
    match Lockfile::parse(&text) {
        Err(error) if error.code == OTHER_FORMAT => Err(refused(&path, &error)),
        _ => Ok(()),
    }
}

fn refused(path: &Path, error: &LockError) -> Failure {
    let help = match error.code {
        OTHER_FORMAT => "another version of `orch` wrote it: update `orch`",
        _ => "restore both from version control, or run `orch lock update`",
    };
    Failure::new(error.code, format!("{}: {}", path.display(), error.message), help).exit(Exit::Lock)
}

fn read_bodies(folder: &Path) -> Result<LockBodies, Failure> {
    let mut bodies = LockBodies::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // A body that is missing is named when the lock is put together.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(bodies),
        Err(error) => return Err(unreadable("E0602", folder, &error)),
    };
    for entry in entries {
        let file = entry.map_err(|error| unreadable("E0602", folder, &error))?.path();
        if let Some(hash) = hash_of(&file) {
            bodies.insert(hash, fs::read(&file).map_err(|error| unreadable("E0602", &file, &error))?);
        }
    }
    Ok(bodies)
}

fn unreadable(code: &str, path: &Path, error: &io::Error) -> Failure {
    let help = "restore it from version control, or run `orch lock update`";
    Failure::new(code, format!("{} cannot be read: {}", path.display(), reason(error)), help)
}

/// The hash in the name of a body's file; other files are left alone.
fn hash_of(file: &Path) -> Option<Hash> {
    let stem = file.file_stem()?.to_str()?;
    (file.extension()? == "json").then(|| stem.parse().ok())?
}

/// Writes the lock of `folder`: bodies first, so that a crash never leaves a lockfile that names a body
/// which is not there; then the lockfile in one step; then bodies no longer named are removed.
pub(crate) fn save(folder: &Path, text: &str, bodies: &LockBodies) -> Result<(), Failure> {
    let bodies_folder = folder.join(BODIES);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error: io::Error| cannot_write(&path, &error)
    };
    fs::create_dir_all(&bodies_folder).map_err(failed(&bodies_folder))?;
    for (hash, bytes) in bodies {
        let file = bodies_folder.join(format!("{hash}.json"));
        write_whole(&file, bytes).map_err(failed(&file))?;
    }
    let path = folder.join(LOCKFILE);
    write_whole(&path, text.as_bytes()).map_err(failed(&path))?;
    for entry in fs::read_dir(&bodies_folder).map_err(failed(&bodies_folder))? {
        let file = entry.map_err(failed(&bodies_folder))?.path();
        if hash_of(&file).is_some_and(|hash| !bodies.contains_key(&hash)) {
            fs::remove_file(&file).map_err(failed(&file))?;
        }
    }
    Ok(())
}
