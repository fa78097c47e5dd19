//! Published plans, each a tool of its own.

use proto::v1;
use rmcp::model::{JsonObject, Tool};
use schema::tool::tool_name;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::Said;
use super::diagnostics::schema_of;
use super::run_plan::{How, WaitSeconds, how, start};
use super::runs::view_schema;
use super::schemas::{closed, cost_max, reads, spends, tool as define};
use crate::arguments::{self, JsonText};
use crate::fault::Fault;
use crate::money;
use crate::request::Request;
use crate::service::Service;

/// What the names of these tools begin with, so that no plan takes the name of another tool.
const PREFIX: &str = "plan_";
/// What only the names of tools have that were cut.
const CUT: char = '-';
/// Where the definitions of a schema stand.
const DEFINITIONS: &str = "$defs";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    inputs: Option<JsonText>,
    cost_max: Option<String>,
    wait_seconds: Option<WaitSeconds>,
    request_id: Option<String>,
}

/// The plan whose tool has this name.
async fn published_as(service: &Service, tool: &str) -> Result<Option<String>, Fault> {
    match tool.strip_prefix(PREFIX) {
        Some(_) if tool.contains(CUT) => {
            let plans = service.published().await?;
            Ok(plans.into_iter().map(|plan| plan.name).find(|name| tool_name(name) == tool))
        }
        plain => Ok(plain.map(|plan| format!("plans/{plan}"))),
    }
}

/// A tool for each published plan.
pub(crate) async fn tools(service: &Service) -> Result<Vec<Tool>, Fault> {
    let plans = service.published().await?;
    Ok(plans.iter().filter_map(tool).collect())
}

fn tool(plan: &v1::Plan) -> Option<Tool> {
    let summary = plan.summary.as_ref()?;
    let (inputs, definitions) = hoisted(schema_of(&summary.input_schema_json), "inputs");
    let (wait_seconds, request_id) = how();
    let properties = json!({ "inputs": inputs, "cost_max": cost_max(), "wait_seconds": wait_seconds, "request_id": request_id });
    let input = with_definitions(closed(properties, &["inputs", "cost_max"]), definitions);
    let (result, definitions) = hoisted(schema_of(&summary.output_schema_json), "result");
    let output = with_definitions(view_schema(json!({ "anyOf": [result, { "type": "null" }] })), definitions);
    let hints = if asks_nobody(summary) { reads() } else { spends() };
    Some(define(tool_name(&plan.name), summary.name.clone(), description(summary), input, output, hints))
}

/// Whether the plan only computes: any call takes time.
fn asks_nobody(plan: &v1::PlanSummary) -> bool {
    plan.latency_us_max == 0
}

fn description(plan: &v1::PlanSummary) -> String {
    let doc = if plan.doc.is_empty() { format!("Run the plan `{}`.", plan.name) } else { plan.doc.clone() };
    if asks_nobody(plan) {
        return format!("{doc}\n\nIt asks no subnet and costs nothing; `cost_max` may be `0USD`.");
    }
    let bound = match money::text(plan.cost_max.as_ref()) {
        Some(cost) => format!("A run costs at most {cost}"),
        None => "A run has no bound of its own on its cost".to_owned(),
    };
    let seconds = plan.latency_us_max.div_ceil(1_000_000);
    format!("{doc}\n\n{bound} and takes at most {seconds} s. Spends money: `cost_max` is needed.")
}

/// A schema as a part of another, and its definitions, which stand at the root of the whole. A schema that refers to
/// itself becomes one of them.
fn hoisted(schema: Json, name: &str) -> (Json, Map<String, Json>) {
    let Json::Object(mut members) = schema else { return (schema, Map::new()) };
    members.remove("$schema");
    let mut definitions = match members.remove(DEFINITIONS) {
        Some(Json::Object(definitions)) => definitions,
        _ => Map::new(),
    };
    let mut schema = Json::Object(members);
    let free =
        (0..).map(|n| format!("{name}{n}")).find(|key| !definitions.contains_key(key)).unwrap_or_default();
    let own = format!("#/{DEFINITIONS}/{free}");
    let mut refers = redirect(&mut schema, &own);
    for definition in definitions.values_mut() {
        refers |= redirect(definition, &own);
    }
    if refers {
        definitions.insert(free, schema);
        schema = json!({ "$ref": own });
    }
    (schema, definitions)
}

/// Makes every reference to the root one to `own`; whether there was one.
fn redirect(schema: &mut Json, own: &str) -> bool {
    match schema {
        Json::Object(members) => members.iter_mut().fold(false, |found, (key, value)| {
            if key == "$ref" && value == "#" {
                *value = own.into();
                return true;
            }
            redirect(value, own) || found
        }),
        Json::Array(items) => {
            items.iter_mut().filter_map(|item| redirect(item, own).then_some(())).count() > 0
        }
        _ => false,
    }
}

fn with_definitions(mut schema: Json, definitions: Map<String, Json>) -> Json {
    if let (Some(members), false) = (schema.as_object_mut(), definitions.is_empty()) {
        members.insert(DEFINITIONS.to_owned(), Json::Object(definitions));
    }
    schema
}

/// Runs the plan whose tool has this name; nothing where no plan has it.
pub(crate) async fn run(request: Request, tool: &str, arguments: JsonObject) -> Option<Said> {
    match published_as(&request.service, tool).await {
        Ok(plan) => Some(run_published(request, plan?, arguments).await),
        Err(fault) => Some(Err(fault)),
    }
}

async fn run_published(request: Request, plan: String, arguments: JsonObject) -> Said {
    let wanted: Arguments = arguments::read(arguments)?;
    let create = v1::CreateRunRequest {
        published_plan: plan,
        inputs_json: wanted.inputs.unwrap_or_default().0.into(),
        ..v1::CreateRunRequest::default()
    };
    let how = How { wait_seconds: wanted.wait_seconds, request_id: wanted.request_id };
    start(request, create, wanted.cost_max.as_deref(), how).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_that_asks_nobody_is_no_tool_that_spends() {
        let hints = |latency_us_max| {
            let summary = v1::PlanSummary { name: "p".into(), latency_us_max, ..v1::PlanSummary::default() };
            let plan = v1::Plan { name: "plans/p".into(), summary: Some(summary), ..v1::Plan::default() };
            let tool = tool(&plan).unwrap();
            (tool.annotations.unwrap(), tool.description.unwrap())
        };
        let (pure, told) = hints(0);
        assert_eq!((pure.read_only_hint, pure.destructive_hint), (Some(true), Some(false)));
        assert!(told.contains("costs nothing"), "{told}");
        let (calls, told) = hints(1);
        assert_eq!((calls.read_only_hint, calls.destructive_hint), (Some(false), Some(true)));
        assert!(told.contains("Spends money"), "{told}");
    }

    #[test]
    fn definitions_go_to_the_root_and_a_reference_to_the_root_follows() {
        let schema = json!({
            "type": "object",
            "properties": { "next": { "anyOf": [{ "$ref": "#" }, { "type": "null" }] }, "at": { "$ref": "#/$defs/At" } },
            "$defs": { "At": { "type": "integer" } },
        });
        let (part, definitions) = hoisted(schema, "result");
        assert_eq!(part, json!({ "$ref": "#/$defs/result0" }));
        assert_eq!(definitions["At"], json!({ "type": "integer" }));
        assert_eq!(definitions["result0"]["properties"]["next"]["anyOf"][0], part);
    }
}
