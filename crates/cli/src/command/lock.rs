//! `orch lock update`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proto::v1;
use schema::lock::LockBodies;
use serde_json::json;

use super::{Context, ledger};
use crate::args::LedgerSource;
use crate::exit::{Exit, Failure};
use crate::project::{self, LOCKFILE, PlanFile};
use crate::service::refused;

/// Pins what the plans of a folder use. One lockfile serves all plans that `paths` name; it lies in the
/// folder they share, which is the named folder or the one of the first file.
pub(crate) async fn update(
    context: &Context,
    paths: &[PathBuf],
    source: &LedgerSource,
) -> Result<(), Failure> {
    let files = project::plan_files(paths)?;
    let folder = match paths.first() {
        None => PathBuf::from("."),
        Some(path) if path.is_dir() => path.clone(),
        Some(_) => files.first().map_or_else(PathBuf::new, PlanFile::folder),
    };
    let mut request = v1::ResolveLockRequest::default();
    // Which file asks for what, so that an unknown name can be reported where it stands.
    let mut asked: BTreeMap<String, String> = BTreeMap::new();
    for file in &files {
        let needs = plan_compiler::needs(&String::from_utf8_lossy(&file.bytes));
        for name in needs.operations.iter().chain(&needs.capabilities) {
            asked.entry(name.clone()).or_insert_with(|| file.name());
        }
        request.operations.extend(needs.operations);
        request.capabilities.extend(needs.capabilities);
    }
    let connection = ledger::connect(context, source).await?;
    let response = connection.ledger().resolve_lock(request).await.map_err(|status| {
        let mut failure = refused(&status);
        if let Some((_, file)) = asked.iter().find(|(name, _)| failure.message.contains(&format!("`{name}`")))
        {
            failure.message = format!("{file}: {}", failure.message);
        }
        failure
    })?;
    let lock = response.into_inner().lock.unwrap_or_default();
    save(&folder, &lock)?;
    let pins = lock.bodies.len();
    if context.output.json {
        context.output.data(&json!({ "lock": folder.join(LOCKFILE), "pins": pins }).to_string());
    } else {
        context.output.note(&format!("{}: {pins} pins", folder.join(LOCKFILE).display()));
    }
    Ok(())
}

/// Checks a lock that came over the wire and writes it.
pub(crate) fn save(folder: &Path, lock: &v1::Lock) -> Result<(), Failure> {
    let mut bodies = LockBodies::new();
    for body in &lock.bodies {
        let hash = body.hash.parse().map_err(|error| {
            Failure::new(Exit::Lock, "E0603", format!("the server sent a lock with a bad hash: {error}"), "")
        })?;
        bodies.insert(hash, body.content.to_vec());
    }
    schema::lock::Lock::assemble(&lock.toml, &bodies)
        .map_err(|error| Failure::new(Exit::Lock, error.code, error.message, ""))?;
    project::save_lock(folder, &lock.toml, &bodies)
}
