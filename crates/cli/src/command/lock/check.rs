//! `orch lock check`: whether a lock is whole, and what going to another one means.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use plan_lang::Diagnostic;
use schema::compat::Level;
use schema::lock::{Lock, Lockfile};
use serde_json::{Value, json};

use super::compat::Report;
use super::{Context, Wanted, folders};
use crate::config::Config;
use crate::diagnostics::{Compiled, compile, show};
use crate::exit::{Exit, Failure, exit_of};
use crate::project::lockfile::{self, LOCKFILE};
use crate::project::{self, PlanFile};
use crate::service::Connection;

/// The word for what the Ledger would pin now.
const LEDGER: &str = "ledger";

/// Checks the locks of `paths`, by themselves or against a snapshot.
pub(super) async fn run(
    context: &Context,
    paths: &[PathBuf],
    against: Option<&Path>,
    server: Option<&str>,
) -> Result<(), Failure> {
    let config = context.config()?;
    let folders = folders(&config, paths)?;
    let snapshot = match (against, server) {
        (None, None) => None,
        (Some(path), None) if path == Path::new(LEDGER) => Some(Snapshot::ledger(&config, None).await?),
        (None, Some(url)) => Some(Snapshot::ledger(&config, Some(url)).await?),
        (Some(path), Some(url)) if path == Path::new(LEDGER) => {
            Some(Snapshot::ledger(&config, Some(url)).await?)
        }
        (Some(path), None) => Some(Snapshot::Lock(Box::new(read(path)?))),
        (Some(_), Some(_)) => {
            let help = "leave out one of them; --server alone compares with what the Ledger there would pin";
            return Err(Failure::new("E1507", "a snapshot is a lock or a server, not both", help));
        }
    };
    let mut documents = Vec::new();
    let mut exits = Vec::new();
    for folder in &folders {
        let wanted = Wanted::of(context, folder)?;
        let (document, exit) = match &snapshot {
            None => by_itself(context, folder, &wanted)?,
            Some(snapshot) => compared(context, folder, &wanted, snapshot).await?,
        };
        documents.push(document);
        exits.extend(exit);
    }
    if context.output.json {
        context.output.document(&json!({ "locks": documents }));
    }
    // The gravest, where there are several locks.
    let order = [Exit::Lock, Exit::Breaking, Exit::NeedsRecompile];
    match order.into_iter().find(|exit| exits.contains(exit)).or(exits.first().copied()) {
        Some(exit) => Err(Failure::said(exit)),
        None => Ok(()),
    }
}

/// What a lock is compared with.
enum Snapshot {
    Lock(Box<Lock>),
    /// What a Ledger would pin for the same plans.
    Ledger(Box<Connection>),
}

impl Snapshot {
    async fn ledger(config: &Config, url: Option<&str>) -> Result<Self, Failure> {
        Connection::for_ledger(config, url, false).await.map(|connection| Self::Ledger(Box::new(connection)))
    }
}

/// The lock that a path names: a lockfile with its bodies beside it, or a folder with both.
fn read(path: &Path) -> Result<Lock, Failure> {
    let kind = fs::metadata(path).map_err(|error| project::cannot_read(path, &error))?;
    let folder = match path.parent().filter(|_| !kind.is_dir()) {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    };
    let file = if kind.is_dir() { path.join(LOCKFILE) } else { path.to_owned() };
    if !file.is_file() {
        let help = "name a lockfile, a folder with one, or the word `ledger`";
        return Err(Failure::new("E1502", format!("there is no {LOCKFILE} in {}", path.display()), help));
    }
    lockfile::read(&file, folder)
}

/// Whether the lock is whole and unmodified, pins what plans use, and they compile against it.
fn by_itself(context: &Context, folder: &Path, wanted: &Wanted) -> Result<(Value, Option<Exit>), Failure> {
    let home = lockfile::folder_of(folder).unwrap_or_else(|| folder.to_owned());
    let lock = lockfile::load(folder)?;
    let path = project::relative(&home.join(LOCKFILE));
    as_written(&home)?;
    let missing = missing(&lock, wanted);
    let unused = unused(&lock, wanted);
    let plans = Plans::compile(&wanted.files, &lock);
    let document = json!({
        "lock": path,
        "pins": lock.operations.len() + lock.capabilities.len(),
        "missing": missing.iter().map(|(name, file)| json!({ "name": name, "file": file })).collect::<Value>(),
        "unused": unused,
        "errors": plans.errors(),
        "files": plans.to_json(),
    });
    let exit = if missing.is_empty() { plans.exit() } else { Some(Exit::Lock) };
    if !context.output.json {
        plans.show(context);
        for (name, file) in &missing {
            let failure =
                Failure::new("E0205", format!("{file}: `{name}` is not pinned"), "run `orch lock update`");
            context.output.error(&failure.render());
        }
        let pins = lock.operations.len() + lock.capabilities.len();
        let state = if missing.is_empty() { "whole" } else { "not complete" };
        let plans = format!("{} of {} files compile", plans.good(), wanted.files.len());
        context.output.note(&format!("{}: {pins} pins, {state}; {plans}", path.display()));
        for name in &unused {
            context
                .output
                .note(&format!("  {name} is pinned and not used; `orch lock update` lets go of it"));
        }
    }
    Ok((document, exit))
}

/// Refuses a lockfile that somebody has edited: it would read the same, but the next update would change it.
fn as_written(folder: &Path) -> Result<(), Failure> {
    let path = folder.join(LOCKFILE);
    // Without a lockfile there is nothing to edit; a checkout may change the ends of its lines.
    let Ok(text) = fs::read_to_string(&path) else { return Ok(()) };
    let text = text.replace("\r\n", "\n");
    match Lockfile::parse(&text) {
        Ok(lockfile) if lockfile.to_toml() != text => {
            let message =
                format!("{} is not as `orch lock update` writes it", project::relative(&path).display());
            Err(Failure::new("E0609", message, "restore it from version control, or run `orch lock update`"))
        }
        _ => Ok(()),
    }
}

/// What plans use and the lock does not pin, with the file that asks for it.
fn missing(lock: &Lock, wanted: &Wanted) -> Vec<(String, String)> {
    let is_pinned = |name: &str| lock.operations.contains_key(name) || lock.capabilities.contains_key(name);
    let missing = wanted.asked.iter().filter(|(name, _)| !is_pinned(name));
    missing.map(|(name, file)| (name.clone(), file.clone())).collect()
}

/// What the lock pins and no plan uses, neither by itself nor through a capability.
fn unused(lock: &Lock, wanted: &Wanted) -> Vec<String> {
    let through: BTreeSet<&String> = lock
        .capabilities
        .iter()
        .filter(|(name, _)| wanted.asked.contains_key(*name))
        .flat_map(|(_, (_, entry))| entry.adapters.iter().map(|adapter| &adapter.operation))
        .collect();
    let operations =
        lock.operations.keys().filter(|id| !wanted.asked.contains_key(*id) && !through.contains(id)).cloned();
    let capabilities = lock.capabilities.keys().filter(|name| !wanted.asked.contains_key(*name));
    operations.chain(capabilities.map(|name| format!("cap {name}"))).collect()
}

/// What going from the lock of a folder to a snapshot asks of its plans.
async fn compared(
    context: &Context,
    folder: &Path,
    wanted: &Wanted,
    snapshot: &Snapshot,
) -> Result<(Value, Option<Exit>), Failure> {
    let old = lockfile::load(folder)?;
    let resolved;
    let new = match snapshot {
        Snapshot::Lock(lock) => lock.as_ref(),
        Snapshot::Ledger(connection) => {
            let (text, bodies) = wanted.resolve(connection).await?;
            resolved = Lock::assemble(&text, &bodies)
                .map_err(|error| Failure::new(error.code, error.message, "").exit(Exit::Lock))?;
            &resolved
        }
    };
    let unused = unused(&old, wanted);
    let needed = |name: &str| unused.iter().all(|other| other.strip_prefix("cap ").unwrap_or(other) != name);
    let report = Report::of(&old, new, &needed);
    // The entries tell what may happen to any plan; whether it does happen to these is plain to see.
    let before = Plans::compile(&wanted.files, &old);
    let after = Plans::compile(&wanted.files, new);
    let broken = before.broken_in(&after);
    let level = if broken.is_empty() { report.level() } else { Level::Breaking };
    let path =
        project::relative(&lockfile::folder_of(folder).unwrap_or_else(|| folder.to_owned()).join(LOCKFILE));
    let document = json!({
        "lock": path,
        "level": level.name(),
        "compatibility": report.to_json(),
        "broken": broken.iter().map(|plan| json!({ "file": plan.name, "diagnostics": plan.to_json() })).collect::<Value>(),
    });
    if !context.output.json {
        context.output.data(&format!("{}: {level}\n{}", path.display(), report.for_people()));
        for plan in &broken {
            let errors: Vec<Diagnostic> = errors(plan).cloned().collect();
            context.output.error(&format!("{} does not compile against the snapshot:\n", plan.name));
            show(context, plan, &errors);
        }
    }
    let exit = match level {
        Level::None | Level::Compatible => None,
        Level::NeedsRecompile => Some(Exit::NeedsRecompile),
        Level::Breaking => Some(Exit::Breaking),
    };
    Ok((document, exit))
}

/// The plan files of a folder, compiled against one lock.
struct Plans(Vec<Compiled>);

impl Plans {
    fn compile(files: &[PlanFile], lock: &Lock) -> Self {
        Self(files.iter().map(|file| compile(file, lock)).collect())
    }

    fn errors(&self) -> usize {
        self.0.iter().map(|plan| errors(plan).count()).sum()
    }

    fn good(&self) -> usize {
        self.0.iter().filter(|plan| errors(plan).next().is_none()).count()
    }

    /// How the command ends for the sake of the plans.
    fn exit(&self) -> Option<Exit> {
        let exits: Vec<Exit> =
            self.0.iter().flat_map(errors).map(|error| exit_of(error.code.as_str())).collect();
        let first = exits.first().copied()?;
        Some(if exits.iter().all(|exit| *exit == first) { first } else { Exit::Failed })
    }

    fn show(&self, context: &Context) {
        for plan in &self.0 {
            let errors: Vec<Diagnostic> = errors(plan).cloned().collect();
            show(context, plan, &errors);
        }
    }

    fn to_json(&self) -> Value {
        self.0.iter().map(|plan| json!({ "file": plan.name, "diagnostics": plan.to_json() })).collect()
    }

    /// The plans that compile here and not there, as they are there.
    fn broken_in<'p>(&self, there: &'p Self) -> Vec<&'p Compiled> {
        let both = self.0.iter().zip(&there.0);
        both.filter(|(here, there)| errors(here).next().is_none() && errors(there).next().is_some())
            .map(|(_, there)| there)
            .collect()
    }
}

fn errors(plan: &Compiled) -> impl Iterator<Item = &Diagnostic> {
    plan.compilation.diagnostics.iter().filter(|diagnostic| diagnostic.is_error())
}
