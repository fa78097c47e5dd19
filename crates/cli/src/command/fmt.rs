//! `orch fmt`.

use std::path::Path;

use plan_lang::SourceFile;

use super::Context;
use crate::args::Fmt;
use crate::exit::{Exit, Failure};
use crate::project::{self, PlanFile};

/// Formats plan files in place, or standard input to standard output.
pub(crate) fn run(context: &Context, args: &Fmt) -> Result<(), Failure> {
    let files = project::plan_files(&args.paths)?;
    let (mut changed, mut broken) = (0, false);
    for file in &files {
        let Some(formatted) = format(context, file) else {
            broken = true;
            continue;
        };
        if file.path == Path::new("-") && !args.check {
            context.output.data(&formatted);
        } else if formatted.as_bytes() != file.bytes {
            changed += 1;
            if args.check {
                context.output.note(&format!("would reformat {}", file.name()));
            } else {
                project::write_whole(&file.path, formatted.as_bytes()).map_err(|error| {
                    let message = format!("{} cannot be written: {error}", file.name());
                    Failure::new(Exit::Failed, "E1503", message, "the file is as it was")
                })?;
                context.output.note(&format!("reformatted {}", file.name()));
            }
        }
    }
    if broken || (args.check && changed > 0) { Err(Failure::said(Exit::Failed)) } else { Ok(()) }
}

/// The formatted text, or nothing where the syntax errors were shown.
fn format(context: &Context, file: &PlanFile) -> Option<String> {
    let name = file.name();
    let text = String::from_utf8_lossy(&file.bytes);
    let result = match std::str::from_utf8(&file.bytes) {
        Ok(text) => plan_lang::format(text),
        Err(_) => Err(plan_lang::parse_bytes(&file.bytes).diagnostics().to_vec()),
    };
    result
        .inspect_err(|found| {
            let source = SourceFile { name: &name, text: &text };
            context.output.error(&plan_lang::render(&source, found, context.output.color_on_stderr()));
        })
        .ok()
}
