//! `orch check`.

use serde_json::json;

use super::Context;
use crate::args::Files;
use crate::diagnostics::{compile, next_step, show};
use crate::exit::{Exit, Failure};
use crate::project::{self, lockfile};

/// Checks plan files.
pub(crate) fn run(context: &Context, args: &Files) -> Result<(), Failure> {
    let files = project::plan_files(&args.paths)?;
    let (mut errors, mut warnings, mut plans) = (0, 0, 0);
    let mut first = None;
    let mut documents = Vec::new();
    for file in &files {
        let compiled = compile(file, &lockfile::load(&file.folder())?);
        let found = &compiled.compilation.diagnostics;
        let here = found.iter().filter(|diagnostic| diagnostic.is_error()).count();
        errors += here;
        warnings += found.len() - here;
        plans += compiled.compilation.plans.len();
        first = first.or_else(|| found.iter().find(|diagnostic| diagnostic.is_error()).cloned());
        if context.output.json {
            documents.push(json!({ "file": compiled.name, "diagnostics": compiled.to_json() }));
        } else {
            show(context, &compiled, found);
        }
    }
    if context.output.json {
        context.output.document(&json!({ "errors": errors, "warnings": warnings, "files": documents }));
    } else {
        let files = count(files.len(), "file");
        let found = format!("{}, {}", count(errors, "error"), count(warnings, "warning"));
        context.output.note(&format!("checked {files}, {}: {found}", count(plans, "plan")));
        if let Some(first) = &first {
            context.output.note(&next_step(first));
        }
    }
    if errors == 0 { Ok(()) } else { Err(Failure::said(Exit::Failed)) }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
