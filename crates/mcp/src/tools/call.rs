//! `call`: one operation, called once.

use std::time::Duration;

use proto::v1;
use rmcp::model::{JsonObject, Tool};
use serde::Deserialize;
use serde_json::json;

use super::Said;
use super::schemas::{
    closed, closed_whole, cost_max, nullable, omitted, plain, request_id, spends, tool as define,
};
use crate::arguments::{self, JsonText, Within};
use crate::request::Request;
use crate::result::{Answer, INLINE_BYTES_MAX, Shown};
use crate::{follow, money};

pub(crate) const NAME: &str = "call";

const DESCRIPTION: &str = "Call one operation of a subnet once and get its typed answer, what it cost and a proof. Spends \
    money: `cost_max` is needed. get_operation says what `arguments_json` has to hold. For several steps write a plan \
    instead (check_plan, run_plan).";

/// A week at most.
type TimeoutSeconds = Within<1, 604_800>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    operation: String,
    arguments_json: Option<JsonText>,
    cost_max: Option<String>,
    version: Option<String>,
    timeout_seconds: Option<TimeoutSeconds>,
    request_id: Option<String>,
}

pub(crate) fn tool() -> Tool {
    let input = closed(
        json!({
            "operation": plain("string", "Its id, such as `sn22.web_search`, or a capability, such as `cap.generate`, whose operations are tried, the cheapest first."),
            "arguments_json": plain("string", "Its arguments by name as a JSON object, as text, such as \"{\\\"query\\\": \\\"tea\\\"}\"."),
            "cost_max": cost_max(),
            "version": nullable("string", "A version of its entry, such as `1.0`; the newest where left out."),
            "timeout_seconds": TimeoutSeconds::schema("Longest wait for the answer; 30 where left out."),
            "request_id": request_id(),
        }),
        &["operation", "arguments_json", "cost_max"],
    );
    let output = closed_whole(json!({
        "result": { "description": "The answer; `null` where it is too large to be given here." },
        "result_omitted": omitted(),
        "operation": plain("string", "The operation that answered."),
        "version": plain("string", "Version of its entry."),
        "cost": nullable("string", "What it cost."),
        "cost_certain": plain("boolean", "Whether that is known for certain."),
        "charged_above_limit": plain("boolean", "Whether the peer charged more than its price or `cost_max` admits."),
        "run": plain("string", "The run that made the call; get_proof has its proof."),
        "proof_id": plain("string", "Id of its proof."),
        "latency_ms": plain("integer", "How long it took."),
    }));
    define(NAME, "Call an operation", DESCRIPTION, input, output, spends())
}

pub(crate) async fn run(mut request: Request, arguments: JsonObject) -> Said {
    let wanted: Arguments = arguments::read(arguments)?;
    let cost_max = money::limit(wanted.cost_max.as_deref())?;
    let timeout =
        wanted.timeout_seconds.map(|seconds| prost_types::Duration { seconds: seconds.0.into(), nanos: 0 });
    let call = v1::CallRequest {
        operation: wanted.operation,
        version: wanted.version.unwrap_or_default(),
        arguments_json: wanted.arguments_json.unwrap_or_default().0.into(),
        cost_max: Some(money::to_wire(cost_max)),
        timeout,
        request_id: wanted.request_id.unwrap_or_default(),
        want_receipt: false,
        unpriced_requests_max: None,
    };
    let reserved = request.reserve(cost_max)?;
    let answer = follow::call(&mut request, call, reserved).await?;
    let shown = Shown::part(&answer.run, &answer.result_json, "", INLINE_BYTES_MAX)?;
    let content = json!({
        "result": shown.value, "result_omitted": shown.omitted,
        "operation": answer.operation, "version": answer.version,
        "cost": money::text(answer.total.as_ref()), "cost_certain": answer.total_certain,
        "charged_above_limit": answer.costs.iter().any(|row| row.charged_above_agreed),
        "run": answer.run, "proof_id": answer.proof_id,
        "latency_ms": Duration::from_micros(answer.latency_us).as_millis(),
    });
    Ok(Answer { content, links: shown.links })
}
