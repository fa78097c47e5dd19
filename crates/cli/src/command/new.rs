//! `orch new NAME`: a folder with a plan that runs offline at once.

use std::fs;
use std::path::Path;

use plan_compiler::needs;
use serde_json::json;

use super::Context;
use crate::args::New;
use crate::exit::{Exit, Failure};
use crate::project;

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
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !plain || name.is_empty() || name.len() > NAME_LENGTH_MAX || name.starts_with('-') {
        let help = format!("use at most {NAME_LENGTH_MAX} of the letters a-z, digits, `-` and `_`");
        return Err(Failure::new(Exit::Usage, "E1512", format!("`{name}` is no name for a project"), help));
    }
    let folder = Path::new(name);
    let failed = |what: String| {
        move |error: std::io::Error| {
            Failure::new(Exit::Usage, "E1512", format!("{what}: {error}"), "choose another name or folder")
        }
    };
    let lock = lock().await?;
    // `create_dir` refuses a folder that is there, so nothing of the user's is ever overwritten.
    fs::create_dir(folder).map_err(failed(format!("the folder {name} cannot be made")))?;
    for (file, text) in FILES {
        fs::write(folder.join(file), text.replace("{name}", name))
            .map_err(failed(format!("{name}/{file} cannot be written")))?;
    }
    project::save_lock(folder, &lock.0, &lock.1)?;
    if context.output.json {
        context.output.data(&json!({ "folder": name }).to_string());
    } else {
        context.output.data(&format!("made {name}/\n\n  cd {name}\n  orch run plan.orch"));
    }
    Ok(())
}

/// The lock of the template's plan, from the facts every binary carries.
async fn lock() -> Result<(String, schema::lock::LockBodies), Failure> {
    let failed =
        |error: ledger_service::Error| Failure::new(Exit::Failed, error.code(), error.to_string(), "");
    let log = store::Sqlite::in_memory().map_err(|error| Failure::coded(error.code(), error.to_string()))?;
    let ledger = ledger_service::Options::new(std::sync::Arc::new(log)).open().await.map_err(failed)?;
    let catalog = ledger_service::Catalog::embedded().map_err(failed)?;
    ledger.load(&catalog).await.map_err(failed)?;
    let needs = FILES.first().map(|(_, text)| needs(text)).unwrap_or_default();
    let operations = needs.operations.into_iter().collect();
    let capabilities = needs.capabilities.into_iter().collect();
    let (lockfile, bodies) = ledger.snapshot().lock_for(&operations, &capabilities).map_err(failed)?;
    Ok((lockfile.to_toml(), bodies))
}
