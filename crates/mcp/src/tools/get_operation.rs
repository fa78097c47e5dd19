//! `get_operation`: what one operation or capability takes and answers.

use proto::v1;
use rmcp::model::{JsonObject, Tool};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::Said;
use super::schemas::{closed, closed_whole, list, nullable, nullable_whole, plain, reads, tool as define};
use crate::arguments;
use crate::fault::Fault;
use crate::money;
use crate::request::Request;
use crate::service::{PAGE_SIZE, Service};

pub(crate) const NAME: &str = "get_operation";

const DESCRIPTION: &str = "Read what an operation (`sn22.web_search`) or a capability (`cap.generate`) takes and answers, \
    as JSON Schema, with its price and how calls of it went lately. `input_schema` is what `arguments_json` of call has to fit.";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    operation: String,
    version: Option<String>,
}

pub(crate) fn tool() -> Tool {
    let input = closed(
        json!({
            "operation": plain("string", "Its id, such as `sn22.web_search`, or a capability, such as `cap.generate`."),
            "version": nullable("string", "A version of its entry, such as `1.0`; the newest where left out."),
        }),
        &["operation"],
    );
    let output = closed_whole(json!({
        "operation": plain("string", "Its id."),
        "version": plain("string", "Version of its entry."),
        "summary": plain("string", "What it does."),
        "tags": list(json!({ "type": "string" }), "Labels."),
        "capabilities": list(json!({ "type": "string" }), "Capabilities it fulfils."),
        "operations": list(json!({ "type": "string" }), "Of a capability, the operations that fulfil it."),
        "callable": plain("boolean", "Whether it can be called."),
        "not_callable_reason": nullable("string", "Why not."),
        "price": nullable("string", "Price of one call, where it is known and always the same."),
        "access": nullable("string", "Who may call it: open, key, x402, registered_hotkey or permit_and_stake."),
        "verified": plain("boolean", "Whether its entry was checked by real calls."),
        "lately": lately_schema(),
        "input_schema": nullable("object", "JSON Schema of its arguments."),
        "output_schema": nullable("object", "JSON Schema of its answer, where one is known."),
        "definition": nullable("string", "Of a capability, its definition in the plan language."),
    }));
    define(NAME, "Read an operation", DESCRIPTION, input, output, reads())
}

pub(crate) async fn run(request: &Request, arguments: JsonObject) -> Said {
    let wanted: Arguments = arguments::read(arguments)?;
    let described =
        described(&request.service, &wanted.operation, &wanted.version.unwrap_or_default()).await?;
    Ok(described.into())
}

/// An operation or a capability, described.
pub(crate) async fn described(service: &Service, id: &str, version: &str) -> Result<Json, Fault> {
    if let Some(name) = id.strip_prefix("cap.") {
        return capability(service, name).await;
    }
    let wanted = v1::GetOperationRequest { id: id.to_owned(), version: version.to_owned() };
    let v1::GetOperationResponse { operation, lately } =
        service.ledger().get_operation(wanted).await?.into_inner();
    let found = operation.unwrap_or_default();
    let mut entry: JsonObject = serde_json::from_slice(&found.entry_json).map_err(|error| {
        let help = "the server is of another version; use the same on both sides";
        Fault::new("E1853", format!("the entry of `{id}` cannot be read: {error}"), help)
    })?;
    let knows_answer = entry.get("output_complete") == Some(&Json::Bool(true));
    Ok(json!({
        "operation": found.id, "version": found.version, "summary": found.summary, "tags": found.tags,
        "capabilities": found.capabilities, "operations": [], "callable": found.callable,
        "not_callable_reason": (!found.callable).then_some(found.not_callable_reason),
        "price": money::text(found.price.as_ref().filter(|_| found.price_known)),
        "access": found.access, "verified": found.verified,
        "lately": lately.as_ref().map(lately_json), "input_schema": entry.remove("input"),
        "output_schema": entry.remove("output").filter(|_| knows_answer), "definition": null,
    }))
}

/// How its calls went within the hour.
fn lately_json(lately: &v1::CallStatistics) -> Json {
    json!({
        "calls": lately.calls, "success_share": lately.success_share, "latency_ms_p50": lately.latency_ms_p50,
        "latency_ms_p95": lately.latency_ms_p95, "charged_p50": money::text(lately.charged_p50.as_ref()),
    })
}

fn lately_schema() -> Json {
    let description =
        "How calls of it went within the last hour, all callers together; null where none counts.";
    let calls = "How many count: the latest 200, without those that failed for a reason of the caller's.";
    let charged = "Median of what answers said that a request was charged; observed, no limit. null where too few say it.";
    let properties = json!({
        "calls": plain("integer", calls),
        "success_share": plain("number", "Share of calls that may be expected to succeed, 0 to 1."),
        "latency_ms_p50": nullable("integer", "Median latency in milliseconds, where enough of them say it."),
        "latency_ms_p95": nullable("integer", "95th percentile, where enough of them say it."),
        "charged_p50": nullable("string", charged),
    });
    nullable_whole(description, properties)
}

async fn capability(service: &Service, name: &str) -> Result<Json, Fault> {
    let target =
        v1::GetToolSchemaRequest { target: format!("cap.{name}"), format: v1::ToolFormat::JsonSchema.into() };
    // It also says which names there are, where this is none of them.
    let schema = service.tools().get_tool_schema(target).await?.into_inner();
    let mut schema: JsonObject = serde_json::from_slice(&schema.definition_json).unwrap_or_default();
    let all = v1::ListCapabilitiesRequest { page_size: PAGE_SIZE, page_token: String::new() };
    let all = service.ledger().list_capabilities(all).await?.into_inner().capabilities;
    let found = all.into_iter().find(|one| one.name == name).unwrap_or_default();
    Ok(json!({
        "operation": format!("cap.{name}"), "version": found.version, "summary": found.summary, "tags": [],
        "capabilities": [], "callable": !found.operations.is_empty(), "operations": found.operations,
        "not_callable_reason": null, "price": null, "access": null, "verified": false,
        "lately": null, "input_schema": schema.remove("input"), "output_schema": schema.remove("output"),
        "definition": found.source,
    }))
}
