//! `orch fmt`.

use plan_lang::{Diagnostic, SourceFile};
use serde_json::json;

use super::Context;
use crate::args::Fmt;
use crate::diagnostics;
use crate::exit::{Exit, Failure};
use crate::project::{self, PlanFile};

/// Formats plan files in place, or standard input to standard output.
pub(crate) fn run(context: &Context, args: &Fmt) -> Result<(), Failure> {
    let files = project::plan_files(&args.paths)?;
    let (mut changed, mut broken) = (Vec::new(), Vec::new());
    for file in &files {
        match format(file) {
            Err(found) => {
                let text = String::from_utf8_lossy(&file.bytes);
                if !context.output.json {
                    let source = SourceFile { name: &file.name(), text: &text };
                    context.output.error(&plan_lang::render(
                        &source,
                        &found,
                        context.output.color_on_stderr(),
                    ));
                }
                broken.push(json!({
                    "file": file.name(),
                    "diagnostics": diagnostics::to_json(&text, &found),
                }));
            }
            Ok(formatted) => {
                let differs = formatted.as_bytes() != file.bytes;
                if differs {
                    changed.push(file.name());
                }
                finish(context, args.check, file, &formatted, differs)?;
            }
        }
    }
    // What standard input became is the answer itself.
    if context.output.json && (args.check || !files.iter().any(PlanFile::is_stdin)) {
        context.output.document(&json!({ "files": files.len(), "changed": changed, "broken": broken }));
    }
    let clean = broken.is_empty() && (!args.check || changed.is_empty());
    if clean { Ok(()) } else { Err(Failure::said(Exit::Failed)) }
}

/// Says or writes what became of one file.
fn finish(
    context: &Context,
    check: bool,
    file: &PlanFile,
    formatted: &str,
    differs: bool,
) -> Result<(), Failure> {
    if check {
        if differs && !context.output.json {
            context.output.note(&format!("would reformat {}", file.name()));
        }
    } else if file.is_stdin() {
        context.output.data(formatted);
    } else if differs {
        project::replace(file, formatted)?;
        if !context.output.json {
            context.output.note(&format!("reformatted {}", file.name()));
        }
    }
    Ok(())
}

/// The formatted text, or the syntax errors.
fn format(file: &PlanFile) -> Result<String, Vec<Diagnostic>> {
    match std::str::from_utf8(&file.bytes) {
        Ok(text) => plan_lang::format(text),
        Err(_) => Err(plan_lang::parse_bytes(&file.bytes).diagnostics().to_vec()),
    }
}
