//! `run_plan`: a plan, run to its end or for as long as a client waits.

use std::time::Duration;

use proto::v1;
use rmcp::model::{JsonObject, Tool};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::Said;
use super::check_plan::source;
use super::runs::{view, view_schema};
use super::schemas::{closed, cost_max, nullable, plain, request_id, spends, tool as define};
use crate::arguments::{self, JsonText, Within};
use crate::fault::{ARGUMENTS, Fault};
use crate::request::Request;
use crate::result::INLINE_BYTES_MAX;
use crate::{follow, money};

pub(crate) const NAME: &str = "run_plan";

/// How long a client is made to wait unless it says otherwise: below the minute after which many give up.
const WAIT: Duration = Duration::from_secs(50);
/// Seconds of a wait.
pub(crate) type WaitSeconds = Within<0, 3_600>;

const DESCRIPTION: &str = "Run a plan: either the text of an .orch file (`source`), best checked by check_plan before, or a \
    plan that the server keeps (`published_plan`). Spends money: `cost_max` is needed. Gives the result when the run has \
    ended, or after `wait_seconds` the run as it stands, which goes on: get_run has its result later.";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    source: Option<String>,
    plan: Option<String>,
    published_plan: Option<String>,
    inputs_json: Option<JsonText>,
    cost_max: Option<String>,
    wait_seconds: Option<WaitSeconds>,
    request_id: Option<String>,
}

/// How a plan is run, whichever it is.
#[derive(Debug, Default)]
pub(crate) struct How {
    pub(crate) wait_seconds: Option<WaitSeconds>,
    pub(crate) request_id: Option<String>,
}

/// The members of [`How`].
pub(crate) fn how() -> (Json, Json) {
    let wait = WaitSeconds::schema(
        "How long to wait for the end of the run; 50 where left out, 0 gives its name at once.",
    );
    (wait, request_id())
}

pub(crate) fn tool() -> Tool {
    let (wait_seconds, request_id) = how();
    let input = closed(
        json!({
            "source": nullable("string", "The text of an .orch file."),
            "plan": nullable("string", "Which plan of `source`, where it has several."),
            "published_plan": nullable("string", "In place of `source`: the name of a plan that the server keeps."),
            "inputs_json": plain("string", "Its inputs by name as a JSON object, as text; \"{}\" for none."),
            "cost_max": cost_max(),
            "wait_seconds": wait_seconds,
            "request_id": request_id,
        }),
        &["inputs_json", "cost_max"],
    );
    let result = json!({ "description": "The result; `null` before the end, and where it is too large to be given here." });
    define(NAME, "Run a plan", DESCRIPTION, input, view_schema(result), spends())
}

pub(crate) async fn run(request: Request, arguments: JsonObject) -> Said {
    let wanted: Arguments = arguments::read(arguments)?;
    let published = wanted.published_plan.as_deref().map(resource_name);
    if published.is_some() == wanted.source.is_some() {
        let help = "`source` is the text of a plan, `published_plan` the name of one that the server keeps";
        let message = "give either `source` or `published_plan`";
        return Err(Fault::new(ARGUMENTS, message, help).with("path", "source"));
    }
    let create = v1::CreateRunRequest {
        source: wanted.source.map(source),
        plan: wanted.plan.unwrap_or_default(),
        inputs_json: wanted.inputs_json.unwrap_or_default().0.into(),
        published_plan: published.unwrap_or_default(),
        ..v1::CreateRunRequest::default()
    };
    let how = How { wait_seconds: wanted.wait_seconds, request_id: wanted.request_id };
    start(request, create, wanted.cost_max.as_deref(), how).await
}

/// `plans/{name}` from either form of a plan's name.
fn resource_name(name: &str) -> String {
    if name.starts_with("plans/") { name.to_owned() } else { format!("plans/{name}") }
}

/// Starts a run and waits for it. A run that failed is an error of the tool.
pub(crate) async fn start(
    mut request: Request,
    create: v1::CreateRunRequest,
    cost_max: Option<&str>,
    how: How,
) -> Said {
    let cost_max = money::limit(cost_max)?;
    let create = v1::CreateRunRequest {
        cost_max: Some(money::to_wire(cost_max)),
        request_id: how.request_id.unwrap_or_default(),
        ..create
    };
    let wait = how.wait_seconds.map_or(WAIT, |seconds| Duration::from_secs(seconds.0.into()));
    let reserved = request.reserve(cost_max)?;
    let run = follow::run(&mut request, create, reserved, wait).await?;
    match follow::failure(&run) {
        Some(fault) => Err(fault),
        None => view(&run, "", INLINE_BYTES_MAX),
    }
}
