//! `orch lock update | check`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proto::v1;
use schema::lock::{Lock, LockBodies, Lockfile};
use serde_json::json;

use super::Context;
use crate::args::{LedgerSource, Lock as Args};
use crate::exit::{Exit, Failure};
use crate::project::lockfile::{self, LOCKFILE};
use crate::project::{self, PlanFile};
use crate::service::Connection;
use crate::{config, diagnostics};

mod check;
mod compat;

/// Runs one of the subcommands.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<(), Failure> {
    match args {
        Args::Update { paths, source } => update(context, paths, source).await,
        Args::Check { paths, against, server } => {
            check::run(context, paths, against.as_deref(), server.as_deref()).await
        }
    }
}

/// Pins what plans use. One lock serves all plans of a folder, so naming one of them pins for all.
async fn update(context: &Context, paths: &[PathBuf], source: &LedgerSource) -> Result<(), Failure> {
    let config = context.config()?;
    let folders = folders(&config, paths)?;
    folders.iter().try_for_each(|folder| lockfile::check_format(folder))?;
    // Everything is read before anything is asked for, and asked for before anything is written.
    let wanted = folders.iter().map(|folder| Wanted::of(context, folder)).collect::<Result<Vec<_>, _>>()?;
    let connection = Connection::for_ledger(&config, source.server.as_deref(), false).await?;
    let mut locks = Vec::new();
    for wanted in &wanted {
        locks.push(wanted.resolve(&connection).await?);
    }
    let mut documents = Vec::new();
    for (folder, (text, bodies)) in folders.iter().zip(&locks) {
        let before = pins(folder);
        // A lock that is damaged has nothing to compare with.
        let old = lockfile::load(folder).ok();
        lockfile::save(folder, text, bodies)?;
        let changes = changes(&before, &pins(folder));
        let report = match (old, Lock::assemble(text, bodies)) {
            (Some(old), Ok(new)) => compat::Report::of(&old, &new, &|_| false),
            _ => compat::Report::default(),
        };
        let path = project::relative(&folder.join(LOCKFILE));
        documents.push(json!({
            "lock": path,
            "pins": bodies.len(),
            "changes": changes,
            "level": report.level().name(),
            "compatibility": report.to_json(),
        }));
        let state = if changes.is_empty() { ", unchanged" } else { "" };
        context.output.note(&format!("{}: {} pins{state}", path.display(), bodies.len()));
        for change in &changes {
            context.output.note(&format!("  {change}"));
            // What a changed pin means for plans stands below it.
            let name = change.strip_prefix("~ ").and_then(|rest| rest.rsplit_once(" -> "));
            report
                .lines_of(name.map_or("", |(name, _)| name))
                .iter()
                .for_each(|line| context.output.note(line));
        }
        if let Some(line) = report.rate_line() {
            context.output.note(&line);
        }
    }
    if context.output.json {
        context.output.document(&json!({ "locks": documents }));
    }
    Ok(())
}

/// The folders whose locks serve `paths`: without any that of the working folder within the
/// project, or the working folder where there is no project.
fn folders(config: &config::Config, paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for path in paths {
        let folder = folder_for(path)?;
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    if folders.is_empty() {
        folders.push(if config.is_project() { nearest(&config.folder) } else { PathBuf::from(".") });
    }
    Ok(folders)
}

/// The folder whose lock serves the working folder, within the project.
fn nearest(project: &Path) -> PathBuf {
    let whole = fs::canonicalize(project).unwrap_or_else(|_| project.to_owned());
    lockfile::folder_of(Path::new("."))
        .filter(|folder| *folder != whole && folder.starts_with(&whole))
        .unwrap_or_else(|| project.to_owned())
}

/// The folder whose lock serves `path`: itself, or for a file that of the nearest lock, else its own.
fn folder_for(path: &Path) -> Result<PathBuf, Failure> {
    if project::is_stdin(path) {
        let message = "standard input has no folder for a lock";
        return Err(Failure::new("E1507", message, "name the plan file or its folder"));
    }
    let kind = fs::metadata(path).map_err(|error| project::cannot_read(path, &error))?;
    if kind.is_dir() {
        return Ok(path.to_owned());
    }
    let own = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let own = own.map_or_else(|| PathBuf::from("."), Path::to_owned);
    Ok(lockfile::folder_of(&own).unwrap_or(own))
}

/// What the plans of a folder use, and which file asked for it first.
struct Wanted {
    request: v1::ResolveLockRequest,
    asked: BTreeMap<String, String>,
    files: Vec<PlanFile>,
}

impl Wanted {
    fn of(context: &Context, folder: &Path) -> Result<Self, Failure> {
        // A folder inside with a lock or a project of its own is served by that.
        let inside = |folder: &Path| !lockfile::is_apart(folder);
        let mut wanted =
            Self { request: v1::ResolveLockRequest::default(), asked: BTreeMap::new(), files: Vec::new() };
        for path in project::plans_in(folder, &inside)? {
            let file = PlanFile::read(&project::relative(&path))?;
            // An import that cannot be read would lose its pin.
            let needs = plan_compiler::needs(&diagnostics::parse_or_show(context, &file)?);
            for name in needs.operations.iter().chain(&needs.capabilities) {
                wanted.asked.entry(name.clone()).or_insert_with(|| file.name());
            }
            wanted.request.operations.extend(needs.operations);
            wanted.request.capabilities.extend(needs.capabilities);
            wanted.files.push(file);
        }
        Ok(wanted)
    }

    async fn resolve(&self, connection: &Connection) -> Result<(String, LockBodies), Failure> {
        let response = connection.ledger().resolve_lock(self.request.clone()).await;
        let response = response.map_err(|status| self.refused(connection.refused(&status)))?;
        checked(response.into_inner().lock.unwrap_or_default())
    }

    /// Each unknown name is reported where it stands.
    fn refused(&self, mut failure: Failure) -> Failure {
        let placed = |line: &str| {
            let named = |name: &str| line.contains(&format!("`{name}`"));
            match self.asked.iter().find(|(name, _)| named(name)) {
                Some((_, file)) => format!("{file}: {line}"),
                None => line.to_owned(),
            }
        };
        let lines: Vec<String> = failure.message.lines().map(placed).collect();
        failure.message = lines.join("\n  ");
        failure
    }
}

/// A lock that came over the wire, checked.
fn checked(lock: v1::Lock) -> Result<(String, LockBodies), Failure> {
    let help = "the Ledger it came from is of another version; update it, or use another";
    let mut bodies = LockBodies::new();
    for body in lock.bodies {
        let hash = body.hash.parse().map_err(|error| {
            Failure::new("E0603", format!("the Ledger gave a lock with a bad hash: {error}"), help)
        })?;
        bodies.insert(hash, body.content.to_vec());
    }
    Lock::assemble(&lock.toml, &bodies)
        .map_err(|error| Failure::new(error.code, error.message, help).exit(Exit::Lock))?;
    Ok((lock.toml, bodies))
}

/// The lock of what a plan's text uses, from the service's Ledger.
pub(crate) async fn resolve(connection: &Connection, text: &str) -> Result<Lock, Failure> {
    let needs = plan_compiler::needs(text);
    let request = v1::ResolveLockRequest {
        operations: needs.operations.into_iter().collect(),
        capabilities: needs.capabilities.into_iter().collect(),
    };
    let response = connection.ledger().resolve_lock(request).await;
    let response = response.map_err(|status| connection.refused(&status))?.into_inner();
    let (text, bodies) = checked(response.lock.unwrap_or_default())?;
    Lock::assemble(&text, &bodies)
        .map_err(|error| Failure::new(error.code, error.message, "").exit(Exit::Lock))
}

/// Version and entry of every pin by name; none where there is no lockfile that can be read.
fn pins(folder: &Path) -> BTreeMap<String, (String, String)> {
    let text = fs::read_to_string(folder.join(LOCKFILE)).unwrap_or_default();
    let Ok(lockfile) = Lockfile::parse(&text) else { return BTreeMap::new() };
    let operations =
        lockfile.operations.iter().map(|pin| (pin.id.clone(), (pin.version.to_string(), pin.entry.short())));
    let capabilities = lockfile
        .capabilities
        .iter()
        .map(|pin| (format!("cap {}", pin.name), (pin.version.to_string(), pin.entry.short())));
    operations.chain(capabilities).collect()
}

/// What a reader of the difference wants to know, one line per pin.
fn changes(
    before: &BTreeMap<String, (String, String)>,
    after: &BTreeMap<String, (String, String)>,
) -> Vec<String> {
    let added = after.iter().filter(|(name, _)| !before.contains_key(*name));
    let removed = before.iter().filter(|(name, _)| !after.contains_key(*name));
    let changed = after.iter().filter_map(|(name, new)| {
        let old = before.get(name).filter(|old| *old != new)?;
        // Two entries of one version can only come from two Ledgers.
        let of = |(version, entry): &(String, String)| {
            if old.0 == new.0 { format!("{version} ({entry})") } else { version.clone() }
        };
        Some(format!("~ {name} {} -> {}", of(old), of(new)))
    });
    added
        .map(|(name, (version, _))| format!("+ {name} {version}"))
        .chain(removed.map(|(name, (version, _))| format!("- {name} {version}")))
        .chain(changed)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_pin_by_pin() {
        let pins = |rows: &[(&str, &str, &str)]| {
            rows.iter()
                .map(|(name, version, entry)| ((*name).into(), ((*version).into(), (*entry).into())))
                .collect()
        };
        let before = pins(&[("a", "1.0", "x"), ("b", "1.0", "x"), ("c", "1.0", "x"), ("d", "1.0", "x")]);
        let after = pins(&[("a", "1.0", "x"), ("b", "1.1", "y"), ("c", "1.0", "z"), ("e", "2.0", "x")]);
        assert_eq!(
            changes(&before, &after),
            ["+ e 2.0", "- d 1.0", "~ b 1.0 -> 1.1", "~ c 1.0 (x) -> 1.0 (z)"]
        );
        assert!(changes(&before, &before).is_empty());
    }
}
