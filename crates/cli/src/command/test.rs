//! `orch test`.

use plan_compiler::Options;
use plan_ir::plan::SourceSpan;
use plan_ir::plan_test::CompiledTest;
use plan_lang::diagnostic::in_one_line;
use plan_lang::{Code, Diagnostic, Span};
use runtime::plan_test::{TestFailure, TestReport, run_test};
use serde_json::{Value, json};

use super::Context;
use crate::args::Test;
use crate::diagnostics::{self, Compiled, compile_with, next_step, show};
use crate::exit::{Exit, Failure};
use crate::project::{self, lockfile};

/// How the tests of all files went.
#[derive(Debug, Default)]
struct Tally {
    passed: usize,
    failed: usize,
    left_out: usize,
    /// The first failure's diagnostic, or the first mistake of a file that does not compile.
    first: Option<Diagnostic>,
    /// Files that do not compile.
    broken: usize,
}

/// Runs the tests of plan files.
pub(crate) fn run(context: &Context, args: &Test) -> Result<(), Failure> {
    let files = project::plan_files(&args.paths)?;
    let mut tally = Tally::default();
    let mut documents = Vec::new();
    for file in &files {
        let compiled = compile_with(file, &lockfile::load(&file.folder())?, &Options::with_tests());
        documents.push(run_file(context, args, &compiled, &mut tally));
    }
    if context.output.json {
        context.output.document(&json!({
            "passed": tally.passed, "failed": tally.failed, "left_out": tally.left_out, "files": documents,
        }));
    } else {
        sum_up(context, &tally);
    }
    if tally.passed + tally.failed + tally.broken == 0 {
        let (message, help) = match &args.name {
            Some(name) if tally.left_out > 0 => {
                (format!("no test has `{name}` in its name"), "leave out `--name` to run all of them")
            }
            _ => (
                "there is no test in these files".to_owned(),
                "write one: `test \"..\" { mock op => v; let r = run p(..); assert .. }`",
            ),
        };
        return Err(Failure::new("E1521", message, help));
    }
    if tally.failed + tally.broken == 0 { Ok(()) } else { Err(Failure::said(Exit::Failed)) }
}

fn run_file(context: &Context, args: &Test, compiled: &Compiled, tally: &mut Tally) -> Value {
    let output = &context.output;
    if compiled.compilation.has_errors() {
        tally.broken += 1;
        let errors: Vec<Diagnostic> =
            compiled.compilation.diagnostics.iter().filter(|found| found.is_error()).cloned().collect();
        tally.first = tally.first.take().or_else(|| errors.first().cloned());
        if !output.json {
            show(context, compiled, &errors);
        }
        return json!({ "file": compiled.name, "diagnostics": compiled.to_json(), "tests": [] });
    }
    let wanted = |test: &&CompiledTest| args.name.as_ref().is_none_or(|name| test.name.contains(name));
    let tests: Vec<&CompiledTest> = compiled.compilation.tests.iter().filter(wanted).collect();
    tally.left_out += compiled.compilation.tests.len() - tests.len();
    if !output.json && !tests.is_empty() {
        output.note(&compiled.name);
    }
    let rows = tests.into_iter().map(|test| {
        let report = run_test(test);
        let diagnostic = report.failure.as_ref().map(to_diagnostic);
        tally.passed += usize::from(diagnostic.is_none());
        tally.failed += usize::from(diagnostic.is_some());
        if !output.json {
            tell(context, compiled, &report, diagnostic.as_ref());
        }
        let row = row(compiled, &report, diagnostic.as_ref());
        tally.first = tally.first.take().or(diagnostic);
        row
    });
    let rows: Vec<Value> = rows.collect();
    json!({ "file": compiled.name, "diagnostics": compiled.to_json(), "tests": rows })
}

fn tell(context: &Context, compiled: &Compiled, report: &TestReport, failure: Option<&Diagnostic>) {
    let cost = report.cost.map(|cost| cost.to_string()).unwrap_or_else(|| "two currencies".into());
    let seconds = report.elapsed_us as f64 / 1e6;
    let how = if failure.is_none() { "ok" } else { "FAILED" };
    let line = format!("  {how:<6}  {}  ({cost}, {seconds:.3} s)", in_one_line(report.name.as_str()));
    match failure {
        None => context.output.note(&line),
        Some(failure) => {
            context.output.error(&line);
            show(context, compiled, std::slice::from_ref(failure));
        }
    }
}

fn sum_up(context: &Context, tally: &Tally) {
    let Tally { passed, failed, left_out, .. } = tally;
    let left_out = if *left_out > 0 { format!(", {left_out} left out") } else { String::new() };
    let broken = match tally.broken {
        0 => String::new(),
        1 => "; 1 file does not compile".to_owned(),
        many => format!("; {many} files do not compile"),
    };
    context.output.note(&format!("{passed} passed, {failed} failed{left_out}{broken}"));
    if let Some(first) = &tally.first {
        context.output.note(&next_step(first));
    }
}

fn row(compiled: &Compiled, report: &TestReport, failure: Option<&Diagnostic>) -> Value {
    let shown = failure.map(|failure| diagnostics::to_json(&compiled.text, std::slice::from_ref(failure)));
    json!({
        "name": report.name,
        "passed": failure.is_none(),
        "cost": report.cost,
        "elapsed_us": report.elapsed_us,
        "failure": shown.and_then(|shown| shown.get(0).cloned()),
    })
}

/// A failure as the compiler's findings are shown.
fn to_diagnostic(failure: &TestFailure) -> Diagnostic {
    let place = |span: SourceSpan| Span::new(span.start, span.end);
    let mut diagnostic = Diagnostic::error(Code::new(failure.code), failure.message.clone())
        .primary(place(failure.span), "here");
    if let Some((span, why)) = failure.related {
        diagnostic = diagnostic.secondary(place(span), why);
    }
    failure.notes.iter().fold(diagnostic, |diagnostic, note| diagnostic.note(note.clone()))
}
