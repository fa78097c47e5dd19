//! The files of a project: plan sources, `orchestra.lock` and the bodies beside it.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use schema::hash::Hash;
use schema::limits::SOURCE_BYTES_MAX;
use schema::lock::{Lock, LockBodies};

use crate::exit::{Exit, Failure};

/// Name of the lockfile.
pub(crate) const LOCKFILE: &str = "orchestra.lock";

/// Name of the folder with the bodies of the lock.
pub(crate) const BODIES: &str = "orchestra.schemas";

/// A plan file as it was read.
#[derive(Debug)]
pub(crate) struct PlanFile {
    /// As the user wrote it; `-` for standard input.
    pub(crate) path: PathBuf,
    /// The text.
    pub(crate) bytes: Vec<u8>,
}

impl PlanFile {
    /// Reads one file, or standard input for `-`.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        // One byte more than the limit, so that the parser can say that it is too long.
        let limit = SOURCE_BYTES_MAX as u64 + 1;
        let mut bytes = Vec::new();
        let read = if path == Path::new("-") {
            io::stdin().take(limit).read_to_end(&mut bytes)
        } else {
            fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
        };
        read.map_err(|error| {
            Failure::new(
                Exit::Usage,
                "E1502",
                format!("{} cannot be read: {error}", path.display()),
                "check the path",
            )
        })?;
        Ok(Self { path: path.to_owned(), bytes })
    }

    /// The name shown in diagnostics.
    pub(crate) fn name(&self) -> String {
        if self.path == Path::new("-") { "<stdin>".into() } else { self.path.display().to_string() }
    }

    /// The folder its lock lies in.
    pub(crate) fn folder(&self) -> PathBuf {
        match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        }
    }
}

/// The plan files that `paths` name: files as they stand, folders searched for `*.orch` in depth,
/// nothing at all for the working folder; sorted.
pub(crate) fn plan_files(paths: &[PathBuf]) -> Result<Vec<PlanFile>, Failure> {
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here[..] } else { paths };
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let found = search(path).map_err(|error| {
                Failure::new(Exit::Usage, "E1502", format!("{} cannot be read: {error}", path.display()), "")
            })?;
            if found.is_empty() {
                return Err(Failure::new(
                    Exit::Usage,
                    "E1502",
                    format!("no plan (*.orch) in {}", path.display()),
                    "name a file, or make a project with `orch new NAME`",
                ));
            }
            files.extend(found);
        } else {
            files.push(path.clone());
        }
    }
    files.iter().map(|path| PlanFile::read(path)).collect()
}

fn search(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            let kind = entry.file_type()?;
            if kind.is_dir()
                && !hidden
                && entry.file_name() != "target"
                && entry.file_name() != "node_modules"
            {
                open.push(entry.path());
            } else if kind.is_file() && entry.path().extension().is_some_and(|extension| extension == "orch")
            {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    // `./plan.orch` reads better as `plan.orch`.
    Ok(found.into_iter().map(|path| path.strip_prefix("./").map(Path::to_owned).unwrap_or(path)).collect())
}

/// The lock for plans in `folder`: the nearest lockfile from there upwards, or an empty lock where there
/// is none.
pub(crate) fn load_lock(folder: &Path) -> Result<Lock, Failure> {
    let start = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let Some(path) = start.ancestors().map(|folder| folder.join(LOCKFILE)).find(|path| path.is_file()) else {
        return Ok(Lock::empty());
    };
    let unreadable = |path: &Path, error: &io::Error| {
        let help = "restore it from version control, or run `orch lock update`";
        Failure::new(Exit::Lock, "E0602", format!("{} cannot be read: {error}", path.display()), help)
    };
    let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
    let bodies_folder = path.with_file_name(BODIES);
    let mut bodies = LockBodies::new();
    if bodies_folder.is_dir() {
        for entry in fs::read_dir(&bodies_folder).map_err(|error| unreadable(&bodies_folder, &error))? {
            let file = entry.map_err(|error| unreadable(&bodies_folder, &error))?.path();
            let hash =
                file.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<Hash>().ok());
            if let Some(hash) = hash {
                bodies.insert(hash, fs::read(&file).map_err(|error| unreadable(&file, &error))?);
            }
        }
    }
    Lock::assemble(&text, &bodies).map_err(|error| {
        let help = "restore both from version control, or run `orch lock update`";
        Failure::new(Exit::Lock, error.code, format!("{}: {}", path.display(), error.message), help)
    })
}

/// Writes the lock of `folder`: bodies first, so that a crash never leaves a lockfile that names a body
/// which is not there; then the lockfile in one step; then bodies no longer named are removed.
pub(crate) fn save_lock(folder: &Path, text: &str, bodies: &LockBodies) -> Result<(), Failure> {
    let failed = |path: &Path, error: io::Error| {
        Failure::new(Exit::Failed, "E1503", format!("{} cannot be written: {error}", path.display()), "")
    };
    let bodies_folder = folder.join(BODIES);
    fs::create_dir_all(&bodies_folder).map_err(|error| failed(&bodies_folder, error))?;
    for (hash, bytes) in bodies {
        write_whole(&bodies_folder.join(format!("{hash}.json")), bytes)
            .map_err(|error| failed(&bodies_folder, error))?;
    }
    let path = folder.join(LOCKFILE);
    write_whole(&path, text.as_bytes()).map_err(|error| failed(&path, error))?;
    for entry in fs::read_dir(&bodies_folder).map_err(|error| failed(&bodies_folder, error))? {
        let file = entry.map_err(|error| failed(&bodies_folder, error))?.path();
        let hash = file.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<Hash>().ok());
        if hash.is_some_and(|hash| !bodies.contains_key(&hash)) {
            fs::remove_file(&file).map_err(|error| failed(&file, error))?;
        }
    }
    Ok(())
}

/// Replaces a file in one step: a reader sees the old content or the new, never a part.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let temporary = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = fs::File::create(&temporary).and_then(|mut file| {
        io::Write::write_all(&mut file, bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&temporary, path)).inspect_err(|_| {
        // The error that matters is the first one.
        let _ = fs::remove_file(&temporary);
    })
}
