//! `orch plans publish | list | show | withdraw`: plans that a server, or this project, keeps by name.

use std::path::Path;

use proto::v1;
use serde_json::{Value, json};

use super::Context;
use super::run::{choose, source};
use crate::args::{LedgerSource, Plans};
use crate::diagnostics;
use crate::exit::Failure;
use crate::output::money;
use crate::output::table::{aligned, figures, tabbed, text};
use crate::project::{PlanFile, lockfile};
use crate::service::Connection;

/// What stands before the name of a published plan.
pub(crate) const PREFIX: &str = "plans/";
/// Rows of one page of a list.
const PAGE_SIZE: u32 = 500;

/// Runs one of the subcommands.
pub(crate) async fn run(context: &Context, args: &Plans) -> Result<(), Failure> {
    match args {
        Plans::Publish { file, plan, source } => publish(context, source, file, plan.as_deref()).await,
        Plans::List { source } => list(context, source).await,
        Plans::Show { name, source } => show(context, source, name).await,
        Plans::Withdraw { name, source } => withdraw(context, source, name).await,
    }
}

async fn connect(context: &Context, source: &LedgerSource, change: bool) -> Result<Connection, Failure> {
    let (config, url) = (context.config()?, source.server.as_deref());
    match change {
        true => Connection::for_plans(&config, url).await,
        false => Connection::for_looking(&config, url).await,
    }
}

async fn publish(
    context: &Context,
    server: &LedgerSource,
    file: &Path,
    plan: Option<&str>,
) -> Result<(), Failure> {
    let file = PlanFile::read(file)?;
    let lock = lockfile::load(&file.folder())?;
    // What is wrong with it is shown with its lines, as by all commands.
    let compiled = diagnostics::compile_or_show(context, &file, &lock)?;
    let (plan, _) = choose(&compiled, plan)?;
    let plan = plan.body.name.clone();
    let request = v1::PublishPlanRequest { source: Some(source(&compiled, &lock)?), plan };
    let connection = connect(context, server, true).await?;
    let answer = connection.plans().publish_plan(request).await;
    let answer = answer.map_err(|status| connection.refused(&status))?.into_inner();
    connection.close().await;
    let plan = answer.plan.unwrap_or_default();
    if context.output.json {
        let mut fields = document(&plan);
        fields.insert("changed".into(), answer.changed.into());
        context.output.document(&Value::Object(fields));
    } else {
        let unchanged = if answer.changed { "" } else { ", unchanged" };
        context.output.data(&format!("{} revision {}{unchanged}", plan.name, plan.revision));
    }
    Ok(())
}

async fn list(context: &Context, source: &LedgerSource) -> Result<(), Failure> {
    let connection = connect(context, source, false).await?;
    let mut plans = Vec::new();
    let mut request = v1::ListPlansRequest { page_size: PAGE_SIZE, page_token: String::new() };
    loop {
        let page = connection.plans().list_plans(request.clone()).await;
        let page = page.map_err(|status| connection.refused(&status))?.into_inner();
        plans.extend(page.plans);
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    connection.close().await;
    if context.output.json {
        let rows: Vec<Value> = plans.iter().map(|plan| Value::Object(document(plan))).collect();
        context.output.document(&json!({ "plans": rows }));
        return Ok(());
    }
    if plans.is_empty() {
        context.output.note("no plan is published; `orch plans publish FILE` publishes one");
        return Ok(());
    }
    let cells = |plan: &v1::Plan| {
        let summary = plan.summary.clone().unwrap_or_default();
        let cost = money::shown(summary.cost_max.as_ref());
        vec![plan.name.clone(), plan.revision.to_string(), cost, first_line(&summary.doc)]
    };
    let rows: Vec<Vec<String>> = plans.iter().map(cells).collect();
    if context.output.stdout_is_terminal() {
        let columns = [text("PLAN"), figures("REVISION"), figures("COSTS AT MOST"), text("WHAT IT DOES")];
        let width = usize::from(console::Term::stdout().size().1);
        context.output.data(&aligned(&columns, &rows, width));
    } else {
        context.output.data(&tabbed(&rows));
    }
    Ok(())
}

async fn show(context: &Context, source: &LedgerSource, name: &str) -> Result<(), Failure> {
    let connection = connect(context, source, false).await?;
    let plan = fetch(&connection, name).await?;
    connection.close().await;
    let file = plan.source.clone().unwrap_or_default();
    if context.output.json {
        let mut fields = document(&plan);
        fields.insert("file_name".into(), file.file_name.into());
        fields.insert("text".into(), file.text.into());
        fields.insert("lock".into(), file.lock.map(|lock| lock.toml).into());
        context.output.document(&Value::Object(fields));
        return Ok(());
    }
    let summary = plan.summary.clone().unwrap_or_default();
    context.output.data(&format!(
        "{} revision {}\n\n  costs at most  {}\n  plan           {}\n\n{}",
        plan.name,
        plan.revision,
        money::shown(summary.cost_max.as_ref()),
        summary.plan_hash,
        file.text
    ));
    Ok(())
}

async fn withdraw(context: &Context, source: &LedgerSource, name: &str) -> Result<(), Failure> {
    let connection = connect(context, source, true).await?;
    let name = full(name);
    let answer = connection.plans().withdraw_plan(v1::WithdrawPlanRequest { name: name.clone() }).await;
    answer.map_err(|status| connection.refused(&status))?;
    connection.close().await;
    if context.output.json {
        context.output.document(&json!({ "withdrawn": name }));
    } else {
        context.output.note(&format!("{name} is withdrawn"));
    }
    Ok(())
}

/// A published plan with its text.
pub(crate) async fn fetch(connection: &Connection, name: &str) -> Result<v1::Plan, Failure> {
    let answer = connection.plans().get_plan(v1::GetPlanRequest { name: full(name) }).await;
    let plan = answer.map_err(|status| connection.refused(&status))?.into_inner().plan;
    Ok(plan.unwrap_or_default())
}

/// The name as the service has it.
fn full(name: &str) -> String {
    if name.starts_with(PREFIX) { name.to_owned() } else { format!("{PREFIX}{name}") }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

/// A plan for a program.
fn document(plan: &v1::Plan) -> serde_json::Map<String, Value> {
    let summary = plan.summary.clone().unwrap_or_default();
    let schema = |json: &[u8]| serde_json::from_slice::<Value>(json).unwrap_or_default();
    let document = json!({
        "plan": plan.name,
        "revision": plan.revision,
        "doc": summary.doc,
        "plan_hash": summary.plan_hash,
        "cost_max": money::document(summary.cost_max.as_ref()),
        "latency_us_max": summary.latency_us_max,
        "input_schema": schema(&summary.input_schema_json),
        "output_schema": schema(&summary.output_schema_json),
    });
    match document {
        Value::Object(fields) => fields,
        _ => serde_json::Map::new(),
    }
}
