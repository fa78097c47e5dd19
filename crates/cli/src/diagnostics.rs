//! Compiling for the commands that need a plan, and showing what the compiler says.

use plan_compiler::{Compilation, Options, Source};
use plan_lang::{Diagnostic, LineIndex, SourceFile, Span};
use schema::lock::Lock;
use serde_json::{Map, Value, json};

use crate::command::Context;
use crate::exit::{Exit, Failure, exit_of};
use crate::project::PlanFile;

/// A file with what the compiler made of it.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// The name shown in diagnostics.
    pub(crate) name: String,
    /// The text; what is not UTF-8 in it is replaced.
    pub(crate) text: String,
    /// Plans, bounds and diagnostics.
    pub(crate) compilation: Compilation,
}

/// Compiles a file; a text that is not UTF-8 gives the one diagnostic that says so.
pub(crate) fn compile(file: &PlanFile, lock: &Lock) -> Compiled {
    compile_with(file, lock, &Options::default())
}

/// As [`compile`], with options.
pub(crate) fn compile_with(file: &PlanFile, lock: &Lock, options: &Options) -> Compiled {
    let name = file.name();
    match std::str::from_utf8(&file.bytes) {
        Ok(text) => {
            let source = Source { name: &name, text };
            let compilation = plan_compiler::compile(&source, lock, options);
            Compiled { text: text.to_owned(), compilation, name }
        }
        Err(_) => {
            let diagnostics = plan_lang::parse_bytes(&file.bytes).diagnostics().to_vec();
            let text = String::from_utf8_lossy(&file.bytes).into_owned();
            Compiled { name, text, compilation: Compilation { diagnostics, ..Compilation::default() } }
        }
    }
}

/// The plans of a file without errors; where there are errors they are shown and the command ends.
pub(crate) fn compile_or_show(context: &Context, file: &PlanFile, lock: &Lock) -> Result<Compiled, Failure> {
    let compiled = compile(file, lock);
    show_found(context, &compiled, Map::new())?;
    Ok(compiled)
}

/// Shows what the compiler found. Where there are errors the command ends with them; of a program they are then a member
/// of `document`.
pub(crate) fn show_found(
    context: &Context,
    compiled: &Compiled,
    document: Map<String, Value>,
) -> Result<(), Failure> {
    let (errors, warnings): (Vec<Diagnostic>, Vec<Diagnostic>) =
        compiled.compilation.diagnostics.iter().cloned().partition(Diagnostic::is_error);
    let Some(first) = errors.first() else {
        if !context.output.quiet && !context.output.json {
            show(context, compiled, &warnings);
        }
        return Ok(());
    };
    show_errors(context, compiled, &errors, first, document);
    // A plan that cannot keep its budget, or pins that do not match, end as they would at run time.
    let exits: Vec<Exit> = errors.iter().map(|error| exit_of(error.code.as_str())).collect();
    let alike = exits.iter().all(|exit| Some(exit) == exits.first());
    Err(Failure::said(exits.first().copied().filter(|_| alike).unwrap_or(Exit::Failed)))
}

fn show_errors(
    context: &Context,
    compiled: &Compiled,
    errors: &[Diagnostic],
    first: &Diagnostic,
    mut document: Map<String, Value>,
) {
    if context.output.json {
        document.insert("diagnostics".to_owned(), compiled.to_json());
        context.output.document(&Value::Object(document));
    } else {
        show(context, compiled, errors);
        context.output.note(&next_step(first));
    }
}

/// The text of a file that can be read to its end; where it cannot, its errors are shown and the command
/// ends.
pub(crate) fn parse_or_show(context: &Context, file: &PlanFile) -> Result<String, Failure> {
    let diagnostics = plan_lang::parse_bytes(&file.bytes).diagnostics().to_vec();
    let text = String::from_utf8_lossy(&file.bytes).into_owned();
    let errors: Vec<Diagnostic> =
        diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).cloned().collect();
    let Some(first) = errors.first() else { return Ok(text) };
    let compilation = Compilation { diagnostics, ..Compilation::default() };
    show_errors(context, &Compiled { name: file.name(), text, compilation }, &errors, first, Map::new());
    Err(Failure::said(Exit::Failed))
}

/// Diagnostics to standard error, as rustc shows them.
pub(crate) fn show(context: &Context, compiled: &Compiled, diagnostics: &[Diagnostic]) {
    if !diagnostics.is_empty() {
        let source = SourceFile { name: &compiled.name, text: &compiled.text };
        let text = plan_lang::render(&source, diagnostics, context.output.color_on_stderr());
        context.output.error(&(text.trim_end().to_owned() + "\n\n"));
    }
}

/// Where more about a diagnostic is to be found.
pub(crate) fn next_step(first: &Diagnostic) -> String {
    format!("`orch explain {}` says more about the first", first.code)
}

impl Compiled {
    /// The diagnostics for a program: lines and columns from 0, columns in bytes; described in
    /// docs/formats.md.
    pub(crate) fn to_json(&self) -> Value {
        to_json(&self.text, &self.compilation.diagnostics)
    }
}

/// Diagnostics about `text` for a program.
pub(crate) fn to_json(text: &str, diagnostics: &[Diagnostic]) -> Value {
    let lines = LineIndex::new(text);
    let place = |span: Span| {
        let (start, end) = (lines.utf8(span.start), lines.utf8(span.end));
        json!({
            "start": span.start,
            "end": span.end,
            "line": start.line,
            "column": start.column,
            "end_line": end.line,
            "end_column": end.column,
        })
    };
    let label = |label: &plan_lang::Label| json!({ "span": place(label.span), "text": label.text, "primary": label.primary });
    let fix = |fix: &plan_lang::Fix| {
        let edit = |edit: &plan_lang::Edit| json!({ "span": place(edit.span), "text": edit.text });
        json!({
            "message": fix.message,
            "edits": fix.edits.iter().map(edit).collect::<Value>(),
            "applicability": fix.applicability,
        })
    };
    let one = |diagnostic: &Diagnostic| {
        json!({
            "code": diagnostic.code,
            "severity": diagnostic.severity,
            "message": diagnostic.message,
            "labels": diagnostic.labels.iter().map(label).collect::<Value>(),
            "notes": diagnostic.notes,
            "help": diagnostic.help,
            "fix": diagnostic.fix.as_ref().map(fix),
        })
    };
    diagnostics.iter().map(one).collect()
}
