//! `get_run` and `cancel_run`, and the form in which every tool shows a run.

use proto::v1;
use rmcp::model::{JsonObject, Tool};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::Said;
use super::schemas::{closed, closed_whole, list, nullable, omitted, plain, reads, tool as define};
use crate::arguments::{self, Within};
use crate::fault::Fault;
use crate::request::Request;
use crate::result::{Answer, INLINE_BYTES_MAX, Shown};
use crate::{follow, money};

pub(crate) const GET: &str = "get_run";
pub(crate) const CANCEL: &str = "cancel_run";

/// Bytes of a result that are given in place when asked for.
type Bytes = Within<1, { 1 << 20 }>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Get {
    run: String,
    pointer: Option<String>,
    bytes_max: Option<Bytes>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cancel {
    run: String,
}

/// A member that names a run.
pub(crate) fn name() -> Json {
    plain("string", "Its name, `runs/<uuid>`.")
}

pub(crate) fn get_tool() -> Tool {
    let input = closed(
        json!({
            "run": name(),
            "pointer": nullable("string", "Only this part of the result, as a JSON pointer such as `/items/0`."),
            "bytes_max": Bytes::schema("A larger result, or part of one, is named instead of given; 32768 where left out."),
        }),
        &["run"],
    );
    let description = "Read a run or call as it stands: its state, its result or a part of it, what it cost so far and \
                       why it failed.";
    define(GET, "Read a run", description, input, view_schema(json!({})), reads())
}

pub(crate) fn cancel_tool() -> Tool {
    let description =
        "Cancel a run. What was already sent is settled and counts. A run that has ended stays as it is.";
    let hints = reads().read_only(false).destructive(true);
    define(
        CANCEL,
        "Cancel a run",
        description,
        closed(json!({ "run": name() }), &["run"]),
        view_schema(json!({})),
        hints,
    )
}

pub(crate) async fn get(request: &Request, arguments: JsonObject) -> Said {
    let wanted: Get = arguments::read(arguments)?;
    let run = request.service.run(&wanted.run).await?;
    let bytes_max = wanted.bytes_max.map_or(INLINE_BYTES_MAX, |bytes| bytes.0 as usize);
    view(&run, &wanted.pointer.unwrap_or_default(), bytes_max)
}

pub(crate) async fn cancel(request: &Request, arguments: JsonObject) -> Said {
    let Cancel { run } = arguments::read(arguments)?;
    let cancelled = request.service.runs().cancel_run(v1::CancelRunRequest { name: run }).await?.into_inner();
    view(&cancelled.run.unwrap_or_default(), "", INLINE_BYTES_MAX)
}

/// The schema of [`view`], with the schema of the result.
pub(crate) fn view_schema(result: Json) -> Json {
    let cost = closed_whole(json!({
        "label": plain("string", "The call of the plan."),
        "operation": plain("string", "The operation."),
        "calls": plain("integer", "Calls."),
        "attempts": plain("integer", "Attempts that were sent."),
        "cost": nullable("string", "What they cost."),
        "charged_above_limit": plain("boolean", "Whether a peer charged more than its price or `max_price` admits."),
    }));
    let states = ["pending", "running", "succeeded", "failed", "cancelled"];
    closed_whole(json!({
        "run": name(),
        "plan": plain("string", "Name of the plan."),
        "state": { "type": "string", "enum": states, "description": "Where it stands; while it is running, get_run says how it goes on." },
        "result": result,
        "result_omitted": omitted(),
        "error": nullable("object", "Why it failed: code, message, help and further facts."),
        "cost": nullable("string", "What it cost so far."),
        "cost_certain": plain("boolean", "Whether that is known for certain."),
        "costs": list(cost, "The same by call."),
        "proof_id": nullable("string", "Id of its proof, where it has ended; get_proof has the proof."),
    }))
}

/// A run as it stands.
pub(crate) fn view(run: &v1::Run, pointer: &str, bytes_max: usize) -> Result<Answer, Fault> {
    let shown = match run.result_json.is_empty() {
        true => Shown::nothing(),
        false => Shown::part(&run.name, &run.result_json, pointer, bytes_max)?,
    };
    let costs: Vec<Json> = run.costs.iter().map(cost).collect();
    let error = follow::failure(run).map(|fault| fault.parts());
    let content = json!({
        "run": run.name, "plan": run.plan, "state": state(run.state()),
        "result": shown.value, "result_omitted": shown.omitted, "error": error,
        "cost": money::text(run.total.as_ref()), "cost_certain": run.total_certain, "costs": costs,
        "proof_id": (!run.proof_id.is_empty()).then_some(run.proof_id.as_str()),
    });
    Ok(Answer { content, links: shown.links })
}

fn cost(row: &v1::CostRow) -> Json {
    json!({
        "label": row.label, "operation": row.operation, "calls": row.calls, "attempts": row.attempts,
        "cost": money::text(row.cost.as_ref()), "charged_above_limit": row.charged_above_agreed,
    })
}

const fn state(state: v1::RunState) -> &'static str {
    match state {
        v1::RunState::Pending | v1::RunState::Unspecified => "pending",
        v1::RunState::Running => "running",
        v1::RunState::Succeeded => "succeeded",
        v1::RunState::Failed => "failed",
        v1::RunState::Cancelled => "cancelled",
    }
}
