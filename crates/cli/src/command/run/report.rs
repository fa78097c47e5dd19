//! What a run gave: its result, what it cost, its proof, and why it failed where it did.

use std::path::PathBuf;

use ::proof::verify::TrustPolicy;
use plan_lang::{Code, Diagnostic, SourceFile, Span};
use proto::v1;
use serde_json::{Value, json};

use super::watch::Finished;
use super::{Context, proof_path};
use crate::command::proof;
use crate::diagnostics::Compiled;
use crate::exit::{Exit, Failure, exit_of};
use crate::output::money;
use crate::output::table::{aligned, figures, text};
use crate::pages;
use crate::project;

/// The failed calls' kind for a budget that ran out.
const OVER_BUDGET: &str = "over_budget";

/// A proof that was checked, and written where it is to be kept.
struct Saved {
    path: Option<PathBuf>,
    verdict: String,
}

/// Where the proof of a run is kept.
#[derive(Debug)]
pub(crate) enum Keep {
    /// In this file.
    File(PathBuf),
    /// In this folder, under the run's own name.
    Folder(PathBuf),
    /// Nowhere.
    Nowhere,
}

/// Keeps the proof, prints everything, and fails as the run failed.
pub(crate) fn report(
    context: &Context,
    finished: &Finished,
    keep: Keep,
    trusted: &TrustPolicy,
    compiled: &Compiled,
) -> Result<(), Failure> {
    let run = &finished.run;
    let path = match keep {
        Keep::File(path) => Some(path),
        Keep::Folder(folder) => Some(proof_path(&folder, &run.name)),
        Keep::Nowhere => None,
    };
    let saved = finished.proof.clone().and_then(|bundle| save(path, &bundle, trusted));
    if context.output.json {
        context.output.document(&document(run, saved.as_ref()));
    } else {
        if let Ok(result) = serde_json::from_slice::<Value>(&run.result_json) {
            context.output.data(&serde_json::to_string_pretty(&result).unwrap_or_default());
        }
        context.output.note(&format!("\n{}", cost_table(run)));
        if let Ok(Saved { path, verdict }) = &saved {
            let place = path.as_deref().map_or_else(
                || "not kept; --proof FILE keeps it".to_owned(),
                |path| project::relative(path).display().to_string(),
            );
            context.output.note(&format!("proof {place} ({verdict})"));
        }
    }
    match (&run.error, run.state()) {
        (Some(error), _) => Err(failed(context, error, compiled)),
        (None, v1::RunState::Cancelled) => {
            let cancelled =
                Failure::new("E1508", "the run was cancelled", "its proof shows what was done and paid");
            // The document says so already.
            Err(if context.output.json { Failure::said(Exit::Interrupted) } else { cancelled })
        }
        // The result is there; a proof that is not is still a failure of this command.
        (None, _) if context.output.json => saved.map(|_| ()).map_err(|failure| Failure::said(failure.exit)),
        (None, _) => saved.map(|_| ()),
    }
}

fn save(path: Option<PathBuf>, bundle: &[u8], trusted: &TrustPolicy) -> Result<Saved, Failure> {
    if let Some(path) = &path {
        project::make_parent(path)
            .and_then(|()| project::write_whole(path, bundle))
            .map_err(|error| project::cannot_write(path, &error))?;
    }
    let verdict = proof::verdict_line(&proof::verify(bundle, trusted));
    Ok(Saved { path, verdict })
}

/// Shows why the run failed, at its place in the plan where that is known.
fn failed(context: &Context, error: &v1::RunError, compiled: &Compiled) -> Failure {
    // A run that failed on a secret or a store failed as a run; only money has an exit code of its own.
    let over_budget = error.call_kind == OVER_BUDGET || exit_of(&error.code) == Exit::OverBudget;
    let exit = if over_budget { Exit::OverBudget } else { Exit::Failed };
    if context.output.json {
        return Failure::said(exit);
    }
    // Some reasons name the place themselves.
    let told = error.path.is_empty() || error.message.ends_with(&format!("at {}", error.path));
    let at = if told { String::new() } else { format!(", at {} of the answer", error.path) };
    let message = format!("{}{at}", error.message);
    let node = if error.node.is_empty() { String::new() } else { format!(" (in {})", error.node) };
    let page = pages::find(&error.code);
    let (Some(page), Some(span)) = (page, error.span) else {
        return Failure::new(error.code.clone(), format!("the run failed: {message}{node}"), "").exit(exit);
    };
    let diagnostic = Diagnostic::error(Code::new(page.code), format!("the run failed: {message}"))
        .primary(Span::new(span.start, span.end), error.node.clone())
        .help(format!("`orch explain {}` says what it means and what to do", page.code));
    let source = SourceFile { name: &compiled.name, text: &compiled.text };
    context.output.error(&plan_lang::render(&source, &[diagnostic], context.output.color_on_stderr()));
    Failure::said(exit)
}

fn cost_table(run: &v1::Run) -> String {
    let mut rows: Vec<Vec<String>> = run
        .costs
        .iter()
        .map(|row| {
            vec![
                row.label.clone(),
                row.operation.clone(),
                row.calls.to_string(),
                row.attempts.to_string(),
                money::shown(row.cost.as_ref()),
                basis(row),
            ]
        })
        .collect();
    let (calls, attempts) =
        run.costs.iter().fold((0, 0), |(calls, attempts), row| (calls + row.calls, attempts + row.attempts));
    let above = run.costs.iter().any(|row| row.charged_above_agreed);
    let sure = match (run.total_certain, above) {
        (_, true) => "above agreed",
        (true, false) => "",
        (false, false) => "at most",
    };
    let total = money::shown(run.total.as_ref());
    rows.push(vec![
        "total".into(),
        String::new(),
        calls.to_string(),
        attempts.to_string(),
        total,
        sure.into(),
    ]);
    let columns = [
        text("CALL"),
        text("OPERATION"),
        figures("CALLS"),
        figures("ATTEMPTS"),
        figures("COST"),
        text("BASIS"),
    ];
    aligned(&columns, &rows, usize::MAX)
}

fn basis(row: &v1::CostRow) -> String {
    let above = if row.charged_above_agreed { ", above agreed" } else { "" };
    format!("{}{above}", money::basis(row.basis()))
}

/// A table of costs for a program.
pub(crate) fn cost_rows(costs: &[v1::CostRow]) -> Vec<Value> {
    costs
        .iter()
        .map(|row| {
            json!({
                "label": row.label,
                "operation": row.operation,
                "calls": row.calls,
                "attempts": row.attempts,
                "cost": money::document(row.cost.as_ref()),
                "basis": money::basis(row.basis()),
                "charged_above_agreed": row.charged_above_agreed,
            })
        })
        .collect()
}

fn document(run: &v1::Run, saved: Result<&Saved, &Failure>) -> Value {
    let costs = cost_rows(&run.costs);
    let error = run.error.as_ref().map(|error| {
        json!({
            "code": error.code,
            "message": error.message,
            "node": error.node,
            "call_kind": error.call_kind,
            "path": error.path,
        })
    });
    let proof = match saved {
        Ok(saved) => json!({ "file": saved.path, "id": run.proof_id, "verdict": saved.verdict }),
        Err(failure) => failure.json(),
    };
    json!({
        "run": run.name,
        "plan": run.plan,
        "plan_hash": run.plan_hash,
        "state": money::state(run.state()),
        "result": serde_json::from_slice::<Value>(&run.result_json).ok(),
        "error": error,
        "costs": costs,
        "total": money::document(run.total.as_ref()),
        "total_certain": run.total_certain,
        "proof": proof,
    })
}
