//! `explain_plan`: what a plan would do and cost.

use std::collections::HashMap;

use proto::v1;
use rmcp::model::{JsonObject, Tool};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::Said;
use super::check_plan::source;
use super::diagnostics::{is_ok, schema as diagnostics_schema, shown, summary, summary_schema};
use super::schemas::{closed, closed_whole, list, nullable, plain, reads, tool as define};
use crate::arguments;
use crate::money;
use crate::request::Request;

pub(crate) const NAME: &str = "explain_plan";

const DESCRIPTION: &str = "Show what a plan (.orch) would do before it runs: its steps and what waits for what, the \
    operations that may serve each call, and the most each can cost and take. Nothing runs and nothing is spent.";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    source: String,
    plan: Option<String>,
}

pub(crate) fn tool() -> Tool {
    let input = closed(
        json!({
            "source": plain("string", "The text of the .orch file."),
            "plan": nullable("string", "Which plan, where the file has several."),
        }),
        &["source"],
    );
    let output = closed_whole(json!({
        "ok": plain("boolean", "Whether the plan can run."),
        "diagnostics": diagnostics_schema(),
        "plan": { "anyOf": [summary_schema(), { "type": "null" }] },
        "nodes": list(node_schema(), "The graph, parents first."),
        "contributors": list(contributor_schema(), "One row per call that costs money or time."),
        "rendered": plain("string", "The same for people."),
    }));
    define(NAME, "Explain a plan", DESCRIPTION, input, output, reads())
}

fn node_schema() -> Json {
    closed_whole(json!({
        "id": plain("integer", "Its id."),
        "kind": plain("string", "pure, ensure, call, branch or fan_out."),
        "label": plain("string", "The name of its value, where it has one."),
        "parents": list(json!({ "type": "integer" }), "The nodes it waits for."),
        "operations": list(json!({ "type": "string" }), "The operations that may serve it."),
    }))
}

fn contributor_schema() -> Json {
    closed_whole(json!({
        "label": plain("string", "The call."),
        "factors": plain("string", "How the figure comes about."),
        "cost_max": nullable("string", "The most it adds."),
        "latency_ms_max": plain("integer", "Longest time of one such call."),
    }))
}

pub(crate) async fn run(request: &Request, arguments: JsonObject) -> Said {
    let wanted: Arguments = arguments::read(arguments)?;
    let explain =
        v1::ExplainRequest { source: Some(source(wanted.source)), plan: wanted.plan.unwrap_or_default() };
    let explained = request.service.compiler().explain(explain).await?.into_inner();
    let plan = explained.explanation.unwrap_or_default();
    let labels: HashMap<u32, &str> = plan.nodes.iter().map(|node| (node.id, node.label.as_str())).collect();
    let nodes: Vec<Json> = plan.nodes.iter().map(node).collect();
    let contributors: Vec<Json> = plan
        .contributors
        .iter()
        .map(|row| {
            let label = labels.get(&row.node).copied().filter(|_| row.label.is_empty()).unwrap_or(&row.label);
            json!({
                "label": label, "factors": row.factors, "cost_max": money::text(row.cost_max.as_ref()),
                "latency_ms_max": row.latency_us_max.div_ceil(1_000),
            })
        })
        .collect();
    let content = json!({
        "ok": is_ok(&explained.diagnostics), "diagnostics": shown(&explained.diagnostics),
        "plan": plan.summary.as_ref().map(summary), "nodes": nodes, "contributors": contributors,
        "rendered": plan.rendered,
    });
    Ok(content.into())
}

fn node(node: &v1::ExplainedNode) -> Json {
    json!({
        "id": node.id, "kind": node.kind, "label": node.label, "parents": node.parents,
        "operations": node.operations,
    })
}
