//! What the compiler says, for models: codes, places, help and fixes.

use proto::v1;
use serde_json::{Value as Json, json};

use super::schemas::{closed_whole, list, nullable, plain};
use crate::money;

/// Microseconds of a millisecond.
const US_PER_MS: u64 = 1_000;

/// The schema of [`shown`].
pub(crate) fn schema() -> Json {
    let place = |text: &str| {
        closed_whole(json!({
            "line": plain("integer", "Line, from 1."), "column": plain("integer", "Column in bytes, from 1."),
            "start": plain("integer", "First byte."), "end": plain("integer", "One past the last byte."),
            "text": plain("string", text),
        }))
    };
    let (label, edit) = (place("What is the matter there."), place("What to put in its place."));
    let fix = json!({
        "type": ["object", "null"],
        "description": "An edit that mends it, where there is one.",
        "properties": {
            "message": plain("string", "What it does."),
            "safe": plain("boolean", "Whether it keeps the plan's meaning."),
            "edits": list(edit, "Replacements, in order of their places."),
        },
        "required": ["message", "safe", "edits"],
        "additionalProperties": false,
    });
    let diagnostic = closed_whole(json!({
        "code": plain("string", "Stable code, such as `E0304`."),
        "severity": { "type": "string", "enum": ["error", "warning", "note"], "description": "How bad it is." },
        "message": plain("string", "What is wrong."),
        "labels": list(label, "The places; the first is the main one."),
        "notes": list(json!({ "type": "string" }), "Further facts."),
        "help": nullable("string", "What to do next."),
        "fix": fix,
    }));
    list(diagnostic, "Everything the compiler has to say.")
}

/// Diagnostics.
pub(crate) fn shown(diagnostics: &[v1::Diagnostic]) -> Vec<Json> {
    diagnostics.iter().map(diagnostic).collect()
}

/// Whether none of them is an error.
pub(crate) fn is_ok(diagnostics: &[v1::Diagnostic]) -> bool {
    diagnostics.iter().all(|one| one.severity() != v1::Severity::Error)
}

fn diagnostic(one: &v1::Diagnostic) -> Json {
    let severity = match one.severity() {
        v1::Severity::Error | v1::Severity::Unspecified => "error",
        v1::Severity::Warning => "warning",
        v1::Severity::Note => "note",
    };
    let labels: Vec<Json> = one.labels.iter().map(|label| place(label.span.as_ref(), &label.text)).collect();
    let fix = one.fix.as_ref().map(|fix| {
        let edits: Vec<Json> = fix.edits.iter().map(|edit| place(edit.span.as_ref(), &edit.text)).collect();
        json!({ "message": fix.message, "safe": fix.safe, "edits": edits })
    });
    json!({
        "code": one.code, "severity": severity, "message": one.message, "labels": labels, "notes": one.notes,
        "help": (!one.help.is_empty()).then_some(one.help.as_str()), "fix": fix,
    })
}

fn place(span: Option<&v1::Span>, text: &str) -> Json {
    let span = span.copied().unwrap_or_default();
    json!({ "line": span.line, "column": span.column, "start": span.start, "end": span.end, "text": text })
}

/// The schema of [`summary`].
pub(crate) fn summary_schema() -> Json {
    closed_whole(json!({
        "name": plain("string", "Its name."),
        "doc": plain("string", "Its documentation."),
        "plan_hash": plain("string", "Hash of the compiled plan."),
        "input_schema": plain("object", "JSON Schema of its inputs."),
        "output_schema": plain("object", "JSON Schema of its result."),
        "cost_max": nullable("string", "The most a run can cost; `null` where there is no bound."),
        "latency_ms_max": plain("integer", "The longest a run can take."),
    }))
}

/// What a caller of a plan needs to know.
pub(crate) fn summary(plan: &v1::PlanSummary) -> Json {
    json!({
        "name": plan.name, "doc": plan.doc, "plan_hash": plan.plan_hash,
        "input_schema": schema_of(&plan.input_schema_json), "output_schema": schema_of(&plan.output_schema_json),
        "cost_max": money::text(plan.cost_max.as_ref()), "latency_ms_max": plan.latency_us_max.div_ceil(US_PER_MS),
    })
}

/// A schema from its text; one that admits everything where the service gave none.
pub(crate) fn schema_of(text: &[u8]) -> Json {
    serde_json::from_slice(text).ok().filter(Json::is_object).unwrap_or_else(|| json!({}))
}
