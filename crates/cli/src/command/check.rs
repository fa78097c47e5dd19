//! `orch check`.

mod fixes;
mod github;
mod sarif;

use std::env;
use std::path::{Path, PathBuf};

use plan_compiler::Left;
use plan_lang::Diagnostic;
use serde_json::{Value, json};

use super::Context;
use crate::args::{Check, CheckFormat};
use crate::diagnostics::{Compiled, compile, next_step, show};
use crate::exit::{Exit, Failure};
use crate::project::{self, PlanFile, lockfile};
use fixes::Fixes;

/// What became of one file.
struct Checked {
    file: PlanFile,
    /// What is shown of it: as it is now, or as `--fix` has left it.
    compiled: Compiled,
    fixes: Option<Fixes>,
    /// Why the fixes could not be written.
    failure: Option<Failure>,
}

impl Checked {
    fn has_findings(&self) -> bool {
        !self.compiled.compilation.diagnostics.is_empty()
    }
}

/// Checks plan files, and mends them where that is wanted.
pub(crate) fn run(context: &Context, args: &Check) -> Result<(), Failure> {
    let format = match args.format {
        Some(format) => format,
        None if context.output.json => CheckFormat::Json,
        None => CheckFormat::Human,
    };
    let all = match check_all(context, args, format) {
        Ok(all) => all,
        Err(failure) => {
            not_checked(context, args, format, &failure);
            return Err(failure);
        }
    };
    match format {
        CheckFormat::Human => {}
        CheckFormat::Json => context.output.document(&document(&all)),
        CheckFormat::Sarif => {
            let files: Vec<_> =
                all.iter().map(|checked| (in_repository(&checked.file), &checked.compiled)).collect();
            context.output.document(&sarif::log(&files));
        }
        CheckFormat::Github => {
            for checked in all.iter().filter(|checked| checked.has_findings()) {
                // A line is shown only beside a file, so standard input goes by the name that messages give it.
                let path = in_repository(&checked.file).unwrap_or_else(|| checked.file.name().into());
                context.output.data(&github::commands(&path, &checked.compiled));
            }
        }
    }
    sum_up(context, args, &all);
    end(context, args, all)
}

/// Checks every file. What a person reads is told on the way.
fn check_all(context: &Context, args: &Check, format: CheckFormat) -> Result<Vec<Checked>, Failure> {
    let mut all = Vec::new();
    for file in project::plan_files(&args.paths)? {
        let checked = check(file, args)?;
        if format == CheckFormat::Human {
            tell(context, &checked, args.diff);
        }
        all.push(checked);
    }
    Ok(all)
}

/// Tells a code host, which does not read what is said to a person, why nothing was checked.
fn not_checked(context: &Context, args: &Check, format: CheckFormat, failure: &Failure) {
    let missing = args.paths.iter().find(|path| !path.exists() && path.as_os_str() != "-");
    let missing = missing.map(PathBuf::as_path);
    match format {
        CheckFormat::Sarif => context.output.document(&sarif::failed(missing, failure)),
        CheckFormat::Github => context.output.data(&github::failed(missing, failure)),
        CheckFormat::Human | CheckFormat::Json => {}
    }
}

fn check(file: PlanFile, args: &Check) -> Result<Checked, Failure> {
    let lock = lockfile::load(&file.folder())?;
    if !args.fix && !args.diff {
        let compiled = compile(&file, &lock);
        return Ok(Checked { file, compiled, fixes: None, failure: None });
    }
    let (before, after, fixes) = fixes::make(&file, &lock);
    let write = !args.diff && !file.is_stdin() && !fixes.applied.is_empty();
    let failure = if write { project::replace(&file, &after.text).err() } else { None };
    // A file that stays as it is has the mistakes it had.
    let compiled = if args.diff || failure.is_some() { before } else { after };
    Ok(Checked { file, compiled, fixes: Some(fixes), failure })
}

/// Says to a person what was found in a file and what was done about it.
fn tell(context: &Context, checked: &Checked, diff: bool) {
    if let Some(failure) = &checked.failure {
        context.output.error(&failure.render());
    }
    match &checked.fixes {
        Some(fixes) if diff => {
            // Without a change there is no line, not an empty one.
            if !fixes.applied.is_empty() {
                context.output.data(&fixes.colored_diff());
            }
            return;
        }
        Some(fixes) => {
            if checked.failure.is_none() {
                fixes.lines(&checked.compiled.name).for_each(|line| context.output.note(&line));
            }
            if checked.file.is_stdin() {
                context.output.data(&checked.compiled.text);
            }
        }
        None => {}
    }
    show(context, &checked.compiled, &checked.compiled.compilation.diagnostics);
}

/// The last lines for a person: how much was looked at, found, and done.
fn sum_up(context: &Context, args: &Check, all: &[Checked]) {
    let plans: usize = all.iter().map(|checked| checked.compiled.compilation.plans.len()).sum();
    let (errors, warnings) = (count_errors(all), count_all(all) - count_errors(all));
    let files = count(all.len(), "file");
    let found = format!("{}, {}", count(errors, "error"), count(warnings, "warning"));
    context.output.note(&format!("checked {files}, {}: {found}", count(plans, "plan")));
    for checked in all.iter().filter(|checked| checked.failure.is_none()) {
        let uncovered = checked.fixes.as_ref().map_or(0, |fixes| fixes.uncovered);
        if uncovered > 0 {
            let (name, mistakes) = (&checked.compiled.name, count(uncovered, "mistake"));
            context.output.note(&match args.diff {
                true => format!("{name} would show {mistakes} that what would be mended hides"),
                false => format!("{name} shows {mistakes} that what was mended had hidden"),
            });
        }
    }
    let made: Vec<usize> = all
        .iter()
        .filter(|checked| checked.failure.is_none())
        .filter_map(|checked| checked.fixes.as_ref())
        .map(|fixes| fixes.applied.len())
        .filter(|made| *made > 0)
        .collect();
    if !made.is_empty() {
        let verb = if args.diff { "would make" } else { "made" };
        let number = count_fixes(made.iter().sum());
        context.output.note(&format!("{verb} {number} in {}", count(made.len(), "file")));
    }
    for checked in all.iter().filter(|checked| checked.failure.is_none()) {
        let name = &checked.compiled.name;
        match checked.fixes.as_ref().and_then(|fixes| fixes.left) {
            Some(Left::Rounds) => {
                context.output.note(&format!("{name} has more to mend: run `orch check --fix` again"));
            }
            Some(Left::NoBetter) => context.output.note(&format!(
                "{name} has fixes that would leave no fewer mistakes: mend its first error, then run `orch check --fix` again"
            )),
            None => {}
        }
    }
    if let Some(first) = first_error(all).filter(|_| !args.diff) {
        context.output.note(&next_step(first));
    }
}

fn end(context: &Context, args: &Check, all: Vec<Checked>) -> Result<(), Failure> {
    let would_change =
        args.diff && all.iter().any(|checked| checked.fixes.as_ref().is_some_and(|f| !f.applied.is_empty()));
    let findings = count_errors(&all) > 0 || would_change;
    // Where a person does not read it, it is in the document, or still to be said.
    let said = context.output.json || args.format.is_none_or(|format| format == CheckFormat::Human);
    match all.into_iter().find_map(|checked| checked.failure) {
        Some(failure) if said => Err(Failure::said(failure.exit)),
        Some(failure) => Err(failure),
        None if findings => Err(Failure::said(Exit::Failed)),
        None => Ok(()),
    }
}

fn document(all: &[Checked]) -> Value {
    let files: Vec<Value> = all
        .iter()
        .map(|checked| {
            let mut file = json!({
                "file": checked.compiled.name,
                "diagnostics": checked.compiled.to_json(),
            });
            if let (Some(fixes), Some(fields)) = (&checked.fixes, file.as_object_mut()) {
                fields.insert("fixes".into(), fixes.to_json());
                fields.insert("diff".into(), fixes.diff().into());
                if checked.file.is_stdin() {
                    fields.insert("text".into(), checked.compiled.text.clone().into());
                }
            }
            if let (Some(failure), Some(fields)) = (&checked.failure, file.as_object_mut()) {
                fields.insert("error".into(), failure.parts());
            }
            file
        })
        .collect();
    let errors = count_errors(all);
    json!({ "errors": errors, "warnings": count_all(all) - errors, "files": files })
}

/// The path that a code host knows a file by: from the root of the checkout where GitHub says which that is,
/// else from the working folder. Standard input has none.
fn in_repository(file: &PlanFile) -> Option<PathBuf> {
    if file.is_stdin() {
        return None;
    }
    let whole = std::fs::canonicalize(&file.path).unwrap_or_else(|_| file.path.clone());
    let checkout = env::var_os("GITHUB_WORKSPACE").and_then(|root| std::fs::canonicalize(root).ok());
    let inside = checkout.and_then(|root| whole.strip_prefix(root).map(Path::to_owned).ok());
    Some(inside.unwrap_or_else(|| project::relative(&whole)))
}

fn first_error(all: &[Checked]) -> Option<&Diagnostic> {
    all.iter()
        .find_map(|checked| checked.compiled.compilation.diagnostics.iter().find(|found| found.is_error()))
}

fn count_errors(all: &[Checked]) -> usize {
    all.iter()
        .flat_map(|checked| &checked.compiled.compilation.diagnostics)
        .filter(|found| found.is_error())
        .count()
}

fn count_all(all: &[Checked]) -> usize {
    all.iter().map(|checked| checked.compiled.compilation.diagnostics.len()).sum()
}

fn count_fixes(number: usize) -> String {
    if number == 1 { "1 fix".to_owned() } else { format!("{number} fixes") }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
