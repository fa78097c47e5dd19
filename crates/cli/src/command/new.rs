//! `orch new NAME`: a folder with a plan that runs offline at once.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use plan_compiler::needs;
use schema::lock::LockBodies;
use serde_json::json;

use super::Context;
use crate::args::New;
use crate::exit::Failure;
use crate::project::{self, lockfile};

/// Files of a new project: name and text, `{name}` being the project's.
const FILES: [(&str, &str); 4] = [
    ("plan.orch", include_str!("../../templates/plan.orch")),
    ("orchestra.toml", include_str!("../../templates/orchestra.toml")),
    ("README.md", include_str!("../../templates/README.md")),
    (".gitignore", include_str!("../../templates/gitignore")),
];

/// Characters of the longest name of a project.
const NAME_LENGTH_MAX: usize = 64;

/// Makes the folder.
pub(crate) async fn run(context: &Context, args: &New) -> Result<(), Failure> {
    let name = &args.name;
    check_name(name)?;
    let (lock, bodies) = lock().await?;
    let folder = Path::new(name);
    // `create_dir` refuses a folder that is there, so nothing of the user's is ever overwritten.
    fs::create_dir(folder).map_err(|error| {
        let message = format!("the folder {name} cannot be made: {}", project::reason(&error));
        Failure::new("E1512", message, "choose another name, or work in another folder")
    })?;
    let written = write(folder, name, &lock, &bodies);
    // A half-made project would only be in the way of the next attempt; the folder is this command's own.
    written.inspect_err(|_| drop(fs::remove_dir_all(folder)))?;
    if context.output.json {
        context.output.document(&json!({ "folder": name, "plan": format!("{name}/plan.orch") }));
    } else {
        context.output.note(&format!("made {name}/ with a plan that runs on sample subnets; next:\n"));
        context.output.data(&format!("cd {name}\norch run plan.orch"));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.len() <= NAME_LENGTH_MAX && !name.starts_with('-') && name.chars().all(plain)
    {
        return Ok(());
    }
    let help = format!(
        "use 1 to {NAME_LENGTH_MAX} of the letters a-z and A-Z, digits, `-` and `_`; the project is made in the \
         working folder"
    );
    Err(Failure::new("E1512", format!("`{name}` is no name for a project"), help))
}

fn write(folder: &Path, name: &str, lock: &str, bodies: &LockBodies) -> Result<(), Failure> {
    for (file, text) in FILES {
        let path = folder.join(file);
        fs::write(&path, text.replace("{name}", name))
            .map_err(|error| project::cannot_write(&path, &error))?;
    }
    lockfile::save(folder, lock, bodies)
}

/// The lock of the template's plan, from the facts every binary carries.
async fn lock() -> Result<(String, LockBodies), Failure> {
    let failed = |error: ledger_service::Error| Failure::new(error.code(), error.to_string(), error.help());
    let ledger = ledger_service::Options::new(Arc::new(store::Memory::new())).open().await.map_err(failed)?;
    let catalog = ledger_service::Catalog::embedded().map_err(failed)?;
    ledger.load(&catalog).await.map_err(failed)?;
    let needs = FILES.first().map(|(_, text)| needs(text)).unwrap_or_default();
    let operations = needs.operations.into_iter().collect();
    let capabilities = needs.capabilities.into_iter().collect();
    let (lockfile, bodies) = ledger.snapshot().lock_for(&operations, &capabilities).map_err(failed)?;
    Ok((lockfile.to_toml(), bodies))
}
