//! What was taken, guessed and refused, for people and for programs.

use std::collections::BTreeMap;

use openapi::NoteKind;
use serde_json::{Value, json};

use super::{Counts, Filed, Outcome, Problem};
use crate::output::table::{aligned, text};

/// Ids that are named where many operations share a note.
const NAMED: usize = 3;

/// The report for people.
pub(in super::super) fn report(outcomes: &[Outcome]) -> String {
    let columns = [text("OPERATION"), text("FILED"), text("CALL")];
    let row = |outcome: &Outcome| {
        let filed = match &outcome.not_callable {
            Some(_) => format!("{}, not callable", word(&outcome.filed)),
            None => word(&outcome.filed),
        };
        vec![outcome.id.clone(), filed, outcome.call.clone()]
    };
    let rows: Vec<Vec<String>> = outcomes.iter().map(row).collect();
    let mut out = if rows.is_empty() { String::new() } else { aligned(&columns, &rows, usize::MAX) };
    out.push_str(&changes(outcomes));
    out.push_str(&notes(outcomes));
    out.push_str(&refusals(outcomes));
    out
}

/// One line of counts.
pub(in super::super) fn summary(counts: Counts, dry_run: bool) -> String {
    let Counts { new, raised, unchanged, conflicts, refused } = counts;
    let would = if dry_run { "would be " } else { "" };
    let mut parts = vec![
        format!("{new} {would}new"),
        format!("{raised} {would}raised"),
        format!("{unchanged} unchanged"),
    ];
    if conflicts > 0 {
        parts.push(format!("{conflicts} in conflict"));
    }
    if refused > 0 {
        parts.push(format!("{refused} refused"));
    }
    parts.join(", ")
}

/// Every operation that was not filed, with why and what to do.
pub(in super::super) fn refusals(outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    for outcome in outcomes {
        let (Filed::Refused(problem) | Filed::Conflict(problem)) = &outcome.filed else { continue };
        out.push_str(&format!(
            "\n[{}] {}\n  {}\n  at {}\n",
            problem.code, outcome.call, problem.message, problem.at
        ));
        if !problem.help.is_empty() {
            out.push_str(&format!("  help: {}\n", problem.help));
        }
    }
    out
}

/// What changed of entries that were raised.
pub(in super::super) fn changes(outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    for outcome in outcomes {
        let Filed::Raised { changes, .. } = &outcome.filed else { continue };
        for change in changes {
            let place = if change.path.is_empty() { "it" } else { &change.path };
            out.push_str(&format!("\n{} {}: {place} {}", outcome.id, change.level, change.reason));
        }
    }
    if out.is_empty() { out } else { out + "\n" }
}

/// Notes, and reasons why something cannot be called, with the operations that they are of: most are the same for many.
fn notes(outcomes: &[Outcome]) -> String {
    let mut notes: BTreeMap<(NoteKind, String), Vec<&str>> = BTreeMap::new();
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for outcome in outcomes {
        for note in &outcome.notes {
            let text = format!("{} {}", note.field, note.text);
            notes.entry((note.kind, text)).or_default().push(&outcome.id);
        }
        if let Some(reason) = &outcome.not_callable {
            reasons.entry(reason).or_default().push(&outcome.id);
        }
    }
    let kind = |kind: NoteKind| kind.name().replace('_', " ");
    let notes = notes.into_iter().map(|((of, text), ids)| shared(&format!("{}: {text}", kind(of)), &ids));
    let reasons = reasons.into_iter().map(|(reason, ids)| shared(&format!("not callable: {reason}"), &ids));
    notes.chain(reasons).collect()
}

/// What is said of several operations, with the first of them.
fn shared(text: &str, ids: &[&str]) -> String {
    let named: Vec<&str> = ids.iter().take(NAMED).copied().collect();
    let more = ids.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("\n{text}\n  of {}{more}\n", named.join(", "))
}

fn word(filed: &Filed) -> String {
    match filed {
        Filed::New(version) => format!("new {version}"),
        Filed::Unchanged(version) => format!("unchanged {version}"),
        Filed::Raised { from, to, level, .. } => format!("{from} -> {to} {level}"),
        Filed::Conflict(_) => "conflict".into(),
        Filed::Refused(_) => "refused".into(),
    }
}

/// One operation for a program.
pub(in super::super) fn operation_json(outcome: &Outcome) -> Value {
    let problem = |problem: &Problem| json!({ "code": problem.code, "at": problem.at, "message": problem.message, "help": problem.help });
    let (kind, version, was, why) = match &outcome.filed {
        Filed::New(version) => ("new", Some(version), None, None),
        Filed::Unchanged(version) => ("unchanged", Some(version), None, None),
        Filed::Raised { from, to, .. } => ("raised", Some(to), Some(from), None),
        Filed::Conflict(why) => ("conflict", None, None, Some(problem(why))),
        Filed::Refused(why) => ("refused", None, None, Some(problem(why))),
    };
    let (level, changes) = match &outcome.filed {
        Filed::Raised { level, changes, .. } => (Some(level.name()), changes.as_slice()),
        _ => (None, [].as_slice()),
    };
    let change = |change: &schema::compat::Change| json!({ "level": change.level.name(), "path": change.path, "reason": change.reason });
    let note =
        |note: &openapi::Note| json!({ "kind": note.kind.name(), "field": note.field, "text": note.text });
    json!({
        "operation": outcome.id,
        "call": outcome.call,
        "at": outcome.at,
        "filed": kind,
        "version": version.map(ToString::to_string),
        "was": was.map(ToString::to_string),
        "level": level,
        "changes": changes.iter().map(change).collect::<Value>(),
        "notes": outcome.notes.iter().map(note).collect::<Value>(),
        "callable": why.is_none() && outcome.not_callable.is_none(),
        "not_callable_reason": outcome.not_callable,
        "refusal": why,
    })
}
