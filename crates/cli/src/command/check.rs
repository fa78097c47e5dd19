//! `orch check`, and compiling for the commands that need a plan.

use plan_compiler::{Compilation, Options, Source};
use plan_lang::{Diagnostic, SourceFile};
use schema::lock::Lock;
use serde_json::{Value, json};

use super::Context;
use crate::args::Files;
use crate::exit::{Exit, Failure, exit_of};
use crate::project::{self, PlanFile};

/// Checks plan files.
pub(crate) fn run(context: &Context, args: &Files) -> Result<(), Failure> {
    let files = project::plan_files(&args.paths)?;
    let (mut errors, mut warnings, mut plans) = (0, 0, 0);
    let mut documents = Vec::new();
    for file in &files {
        let lock = project::load_lock(&file.folder())?;
        let (text, compilation) = compile(file, &lock);
        errors += compilation.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
        warnings += compilation.diagnostics.iter().filter(|diagnostic| !diagnostic.is_error()).count();
        plans += compilation.plans.len();
        if context.output.json {
            documents.push(
                json!({ "file": file.name(), "diagnostics": diagnostics_json(&compilation.diagnostics) }),
            );
        } else {
            show(context, file, &text, &compilation.diagnostics);
        }
    }
    if context.output.json {
        context
            .output
            .data(&json!({ "errors": errors, "warnings": warnings, "files": documents }).to_string());
    } else {
        let files = count(files.len(), "file");
        let found = format!("{}, {}", count(errors, "error"), count(warnings, "warning"));
        context.output.note(&format!("checked {files}, {}: {found}", count(plans, "plan")));
    }
    if errors == 0 { Ok(()) } else { Err(Failure::said(Exit::Failed)) }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

fn diagnostics_json(diagnostics: &[Diagnostic]) -> Value {
    serde_json::to_value(diagnostics).unwrap_or_default()
}

/// Compiles a file; a text that is not UTF-8 gives the one diagnostic that says so.
pub(crate) fn compile(file: &PlanFile, lock: &Lock) -> (String, Compilation) {
    let name = file.name();
    match std::str::from_utf8(&file.bytes) {
        Ok(text) => {
            let source = Source { name: &name, text };
            (text.to_owned(), plan_compiler::compile(&source, lock, &Options::default()))
        }
        Err(_) => {
            let diagnostics = plan_lang::parse_bytes(&file.bytes).diagnostics().to_vec();
            let text = String::from_utf8_lossy(&file.bytes).into_owned();
            (text, Compilation { diagnostics, ..Compilation::default() })
        }
    }
}

/// The plans of a file without errors; where there are errors they are shown and the command ends.
pub(crate) fn compile_or_show(
    context: &Context,
    file: &PlanFile,
    lock: &Lock,
) -> Result<(String, Compilation), Failure> {
    let (text, compilation) = compile(file, lock);
    let diagnostics = &compilation.diagnostics;
    let errors: Vec<&Diagnostic> = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).collect();
    if context.output.json && !errors.is_empty() {
        context.output.data(&json!({ "diagnostics": diagnostics_json(diagnostics) }).to_string());
    } else if !context.output.json {
        let relevant: Vec<Diagnostic> = diagnostics
            .iter()
            .filter(|diagnostic| errors.is_empty() || diagnostic.is_error())
            .cloned()
            .collect();
        if !errors.is_empty() || !context.output.quiet {
            show(context, file, &text, &relevant);
        }
    }
    match errors.first() {
        None => Ok((text, compilation)),
        Some(first) => {
            // A plan that cannot keep its budget, or pins that do not match, end as they would at run time.
            let exit = if errors.len() == 1 { exit_of(first.code.as_str()) } else { Exit::Failed };
            Err(Failure::said(exit))
        }
    }
}

/// Diagnostics to standard error, as rustc shows them.
fn show(context: &Context, file: &PlanFile, text: &str, diagnostics: &[Diagnostic]) {
    if !diagnostics.is_empty() {
        let name = file.name();
        let source = SourceFile { name: &name, text };
        context.output.error(&plan_lang::render(&source, diagnostics, context.output.color_on_stderr()));
    }
}
