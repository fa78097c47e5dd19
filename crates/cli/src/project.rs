//! The files of a project: plan sources here, the lock in [`lockfile`].

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use schema::limits::SOURCE_BYTES_MAX;

use crate::exit::Failure;

pub(crate) mod lockfile;

/// What plan files end in.
const EXTENSION: &str = "orch";

/// Files that one command looks at; more means that it was started in the wrong folder.
const PLAN_FILES_MAX: usize = 10_000;

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
        let bytes = read(path, SOURCE_BYTES_MAX as u64 + 1)?;
        Ok(Self { path: path.to_owned(), bytes })
    }

    /// Whether it is standard input.
    pub(crate) fn is_stdin(&self) -> bool {
        is_stdin(&self.path)
    }

    /// The name shown in diagnostics.
    pub(crate) fn name(&self) -> String {
        if self.is_stdin() { "<stdin>".into() } else { self.path.display().to_string() }
    }

    /// The folder its lock is looked for from.
    pub(crate) fn folder(&self) -> PathBuf {
        match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        }
    }
}

/// Whether a path stands for standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// At most `limit` bytes of a file, or of standard input for `-`.
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = if is_stdin(path) {
        io::stdin().take(limit).read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    read.map(|_| bytes).map_err(|error| cannot_read(path, &error))
}

/// The plan files that `paths` name: files as they stand, folders searched for `*.orch` in depth,
/// nothing at all for the working folder; sorted, each once, under the name it has first.
pub(crate) fn plan_files(paths: &[PathBuf]) -> Result<Vec<PlanFile>, Failure> {
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here[..] } else { paths };
    let mut files: Vec<PathBuf> = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(plans_in(path, &|_| true)?);
        } else {
            files.push(path.clone());
        }
    }
    // One file has many names: `a.orch`, `./a.orch`, a link. What is not there is told by the name it was given.
    let mut seen = std::collections::BTreeSet::new();
    files.retain(|path| seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone())));
    files.iter().map(|path| PlanFile::read(path)).collect()
}

/// The plans in a folder and the folders in it for which `enter` holds; at least one.
pub(crate) fn plans_in(folder: &Path, enter: &dyn Fn(&Path) -> bool) -> Result<Vec<PathBuf>, Failure> {
    let found = search(folder, enter).map_err(|error| cannot_read(folder, &error))?;
    let shown = folder.display();
    if found.is_empty() {
        let help = "name a plan file, or make a project with `orch new NAME`";
        return Err(Failure::new("E1502", format!("there is no plan (*.{EXTENSION}) in {shown}"), help));
    }
    if found.len() > PLAN_FILES_MAX {
        let message = format!("there are more than {PLAN_FILES_MAX} plans in {shown}");
        return Err(Failure::new("E1502", message, "name the folder or the files you mean"));
    }
    Ok(found)
}

fn search(folder: &Path, enter: &dyn Fn(&Path) -> bool) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let (kind, path, name) = (entry.file_type()?, entry.path(), entry.file_name());
            let skipped =
                name.to_string_lossy().starts_with('.') || name == "target" || name == "node_modules";
            if kind.is_dir() && !skipped && enter(&path) {
                open.push(path);
            } else if kind.is_file() && path.extension().is_some_and(|extension| extension == EXTENSION) {
                found.push(path);
            }
            if found.len() > PLAN_FILES_MAX {
                return Ok(found);
            }
        }
    }
    found.sort();
    // `./plan.orch` reads better as `plan.orch`.
    Ok(found.into_iter().map(|path| path.strip_prefix("./").map(Path::to_owned).unwrap_or(path)).collect())
}

/// A file or folder that cannot be read, with what was probably meant.
pub(crate) fn cannot_read(path: &Path, error: &io::Error) -> Failure {
    let message = format!("{} cannot be read: {}", path.display(), reason(error));
    let help = match error.kind() {
        io::ErrorKind::NotFound => similar(path).map_or_else(
            || "check the path; it is taken from the working folder".to_owned(),
            |near| format!("did you mean `{}`?", near.display()),
        ),
        io::ErrorKind::IsADirectory => "name a file in it".to_owned(),
        io::ErrorKind::PermissionDenied => "check who may read it".to_owned(),
        _ => "check the path".to_owned(),
    };
    Failure::new("E1502", message, help)
}

/// A file that cannot be written; it is as it was before.
pub(crate) fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    let message = format!("{} cannot be written: {}", path.display(), reason(error));
    Failure::new(
        "E1503",
        message,
        "check that the folder is there, that you may write to it, and that the disk is not full",
    )
}

/// The file beside `path` whose name is nearest.
fn similar(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let names: Vec<String> = fs::read_dir(folder.unwrap_or(Path::new(".")))
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    let near = plan_lang::suggest(path.file_name()?.to_str()?, names.iter().map(String::as_str))?;
    Some(path.with_file_name(near))
}

/// Why the system refused, in words and without its number.
pub(crate) fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        io::ErrorKind::NotADirectory => "a part of the path is no folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::AlreadyExists => "it is there already".to_owned(),
        _ => {
            let text = error.to_string();
            text.split_once(" (os error").map_or(text.as_str(), |(text, _)| text).to_owned()
        }
    }
}

/// A path as it is shorter to read: from the working folder, where it lies in it.
pub(crate) fn relative(path: &Path) -> PathBuf {
    let here = std::env::current_dir().and_then(fs::canonicalize).unwrap_or_default();
    let shown = path.strip_prefix(&here).or_else(|_| path.strip_prefix(".")).unwrap_or(path);
    if shown.as_os_str().is_empty() { PathBuf::from(".") } else { shown.to_owned() }
}

/// Makes sure that `path` can be written, before something is done that cannot be repeated.
pub(crate) fn writable(path: &Path) -> Result<(), Failure> {
    replaceable(path)
        .and_then(|()| make_parent(path))
        .and_then(|()| {
            let probe = beside(path);
            fs::write(&probe, b"")?;
            fs::remove_file(&probe)
        })
        .map_err(|error| cannot_write(path, &error))
}

/// Only a file is replaced by a file: a device or a pipe of that name would be gone.
fn replaceable(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(there) if there.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(there) if !there.is_file() => Err(io::Error::other("it is a device or a pipe, not a file")),
        _ => Ok(()),
    }
}

/// Makes the folder of a file, where it is not there yet.
pub(crate) fn make_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => {
            fs::create_dir_all(parent).map_err(|error| match error.kind() {
                // What is there is a file.
                io::ErrorKind::AlreadyExists => io::ErrorKind::NotADirectory.into(),
                _ => error,
            })
        }
        _ => Ok(()),
    }
}

/// Replaces a file in one step: a reader sees the old content or the new, never a part.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replaceable(path)?;
    let same_length = fs::metadata(path).is_ok_and(|old| old.len() == bytes.len() as u64);
    if same_length && fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    // Through a link, so that the link stays one; with the mode the file had.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let temporary = beside(&path);
    let written = fs::File::create(&temporary).and_then(|mut file| {
        if let Ok(old) = fs::metadata(&path) {
            file.set_permissions(old.permissions())?;
        }
        io::Write::write_all(&mut file, bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&temporary, &path)).inspect_err(|_| {
        // The error that matters is the first one.
        let _ = fs::remove_file(&temporary);
    })
}

/// Replaces the text of a plan file that a command has worked on, unless it has become another one meanwhile.
pub(crate) fn replace(file: &PlanFile, text: &str) -> Result<(), Failure> {
    let path = &file.path;
    let kind = fs::metadata(path).map_err(|error| cannot_write(path, &error))?;
    if !kind.is_file() {
        let message = format!("{} cannot be written: it is no regular file", path.display());
        return Err(Failure::new("E1503", message, "write what it holds to a file, and name that"));
    }
    // Not a moment earlier: what happens between this and the renaming is lost.
    if fs::read(path).map_err(|error| cannot_read(path, &error))? != file.bytes {
        let message = format!("{} was changed by somebody else meanwhile, and is left alone", path.display());
        return Err(Failure::new("E1520", message, "run the command again"));
    }
    write_whole(path, text.as_bytes()).map_err(|error| cannot_write(path, &error))
}

/// A name of this process's own in the folder of `path`.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.{}", std::process::id()))
}
