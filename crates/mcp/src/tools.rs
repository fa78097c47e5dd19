//! The tools: one file each, with its definition and what it does.

mod call;
mod check_plan;
mod diagnostics;
mod explain_plan;
mod get_operation;
mod get_proof;
mod plan;
mod run_plan;
mod runs;
mod schemas;
mod search;

use rmcp::model::{JsonObject, Tool};

use crate::fault::Fault;
use crate::request::Request;
use crate::result::Answer;
use crate::service::Service;

pub(crate) use get_operation::described as operation;
pub(crate) use runs::view as run_view;

/// What a tool said.
pub(crate) type Said = Result<Answer, Fault>;

/// The tools that are always there, then a tool for each published plan.
pub(crate) async fn all(service: &Service) -> Result<Vec<Tool>, Fault> {
    let mut tools = vec![
        search::tool(),
        get_operation::tool(),
        call::tool(),
        check_plan::tool(),
        explain_plan::tool(),
        run_plan::tool(),
        runs::get_tool(),
        runs::cancel_tool(),
        get_proof::tool(),
    ];
    tools.extend(plan::tools(service).await?);
    Ok(tools)
}

/// Runs the tool with this name; nothing where there is none.
pub(crate) async fn run(request: Request, name: &str, arguments: JsonObject) -> Option<Said> {
    let said = match name {
        search::NAME => search::run(&request, arguments).await,
        get_operation::NAME => get_operation::run(&request, arguments).await,
        call::NAME => Box::pin(call::run(request, arguments)).await,
        check_plan::NAME => check_plan::run(&request, arguments).await,
        explain_plan::NAME => explain_plan::run(&request, arguments).await,
        run_plan::NAME => Box::pin(run_plan::run(request, arguments)).await,
        runs::GET => runs::get(&request, arguments).await,
        runs::CANCEL => runs::cancel(&request, arguments).await,
        get_proof::NAME => get_proof::run(&request, arguments).await,
        _ => Box::pin(plan::run(request, name, arguments)).await?,
    };
    Some(said)
}
