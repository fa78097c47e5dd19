//! `check_plan`: the loop in which a model mends its own plan.

use proto::v1;
use rmcp::model::{JsonObject, Tool};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::Said;
use super::diagnostics::{is_ok, schema as diagnostics_schema, shown, summary, summary_schema};
use super::schemas::{closed, closed_whole, list, plain, reads, tool as define};
use crate::arguments;
use crate::request::Request;

pub(crate) const NAME: &str = "check_plan";

const DESCRIPTION: &str = "Type-check a plan (.orch) and bound its cost and time. Nothing runs and nothing is spent. Each \
    mistake comes with its place, what to do, and often the edit that mends it; mend and check again until `ok` is true. \
    The resource orch://docs/language is the language on one page.";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    source: String,
}

pub(crate) fn tool() -> Tool {
    let input = closed(json!({ "source": plain("string", "The text of the .orch file.") }), &["source"]);
    let output = closed_whole(json!({
        "ok": plain("boolean", "Whether its plans can run."),
        "diagnostics": diagnostics_schema(),
        "plans": list(summary_schema(), "The plans of the file; empty where there are errors."),
        "rendered": plain("string", "The diagnostics as a terminal shows them."),
    }));
    define(NAME, "Check a plan", DESCRIPTION, input, output, reads())
}

pub(crate) async fn run(request: &Request, arguments: JsonObject) -> Said {
    let wanted: Arguments = arguments::read(arguments)?;
    let check = v1::CheckRequest { source: Some(source(wanted.source)) };
    let checked = request.service.compiler().check(check).await?.into_inner();
    let plans: Vec<Json> = checked.plans.iter().map(summary).collect();
    let content = json!({
        "ok": is_ok(&checked.diagnostics), "diagnostics": shown(&checked.diagnostics), "plans": plans,
        "rendered": checked.rendered,
    });
    Ok(content.into())
}

/// A file as a model writes it: without a lock, so that the server pins its own current facts.
pub(crate) fn source(text: String) -> v1::PlanSource {
    v1::PlanSource { file_name: "plan.orch".into(), text, lock: None }
}
