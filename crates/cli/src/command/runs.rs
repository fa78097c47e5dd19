//! `orch runs list | show | cancel | proof`: what a server, or this project, has run before. Nothing is taken up by looking.

mod name;

use std::collections::BTreeMap;
use std::path::Path;

use proto::v1;
use serde_json::{Value, json};
use tonic::Status;

use super::Context;
use super::run::{cost_rows, proof_path, read_proof};
use crate::args::{RunSource, Runs};
use crate::command::proof;
use crate::exit::Failure;
use crate::output::money;
use crate::output::table::{aligned, figures, tabbed, text};
use crate::project;
use crate::service::Connection;

/// Runs one of the subcommands.
pub(crate) async fn run(context: &Context, args: &Runs) -> Result<(), Failure> {
    match args {
        Runs::List { plan, limit, source } => list(context, source, plan.as_deref(), *limit).await,
        Runs::Show { run, source } => show(context, source, run).await,
        Runs::Cancel { run, source } => cancel(context, source, run).await,
        Runs::Proof { run, out, source } => fetch_proof(context, source, run, out.as_deref()).await,
    }
}

async fn connect(context: &Context, source: &RunSource) -> Result<Connection, Failure> {
    Connection::for_looking(&context.config()?, source.server.as_deref()).await
}

async fn list(context: &Context, source: &RunSource, plan: Option<&str>, limit: u32) -> Result<(), Failure> {
    let connection = connect(context, source).await?;
    let limit = limit as usize;
    let plan = plan.unwrap_or_default();
    let mut request =
        v1::ListRunsRequest { plan: plan.to_owned(), page_size: 500, ..v1::ListRunsRequest::default() };
    let mut runs = Vec::new();
    loop {
        let page = connection.runs().list_runs(request.clone()).await;
        let page = page.map_err(|status| connection.refused(&status))?.into_inner();
        runs.extend(page.runs);
        if runs.len() >= limit || page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let nothing = nothing(&connection, plan);
    connection.close().await;
    runs.truncate(limit);
    if context.output.json {
        let rows: Vec<Value> = runs.iter().map(document).collect();
        context.output.document(&json!({ "runs": rows }));
        return Ok(());
    }
    if runs.is_empty() {
        context.output.note(&nothing);
        return Ok(());
    }
    let cells = |run: &v1::Run| {
        let began = time(run.create_time.as_ref()).unwrap_or_default();
        let total = money::shown(run.total.as_ref());
        vec![run.name.clone(), began, run.plan.clone(), money::state(run.state()).to_owned(), total]
    };
    let rows: Vec<Vec<String>> = runs.iter().map(cells).collect();
    if context.output.stdout_is_terminal() {
        let columns = [text("RUN"), text("BEGAN"), text("PLAN"), text("STATE"), figures("COST")];
        let width = usize::from(console::Term::stdout().size().1);
        context.output.data(&aligned(&columns, &rows, width));
    } else {
        context.output.data(&tabbed(&rows));
    }
    Ok(())
}

/// What an empty list means. A server shows the runs of whoever asks.
fn nothing(connection: &Connection, plan: &str) -> String {
    let option = connection.option();
    match (connection.server(), plan) {
        (None, "") => "nothing has been run here; `orch run FILE` runs a plan".to_owned(),
        (Some((url, true)), "") => {
            format!(
                "the server at {url} has no runs of this token; `orch run FILE{option}` runs a plan there"
            )
        }
        (Some((url, false)), "") => {
            format!("the server at {url} has no runs; `orch run FILE{option}` runs a plan there")
        }
        (None, plan) => format!("no run here is of `{plan}`; without --plan all of them are listed"),
        (Some((url, shows_token)), plan) => {
            let own = if shows_token { " of this token" } else { "" };
            format!("the server at {url} has no run of `{plan}`{own}; without --plan all of them are listed")
        }
    }
}

async fn show(context: &Context, source: &RunSource, run: &str) -> Result<(), Failure> {
    let connection = connect(context, source).await?;
    let name = name::whole(&connection, run).await.map_err(|failure| advised(&connection, failure))?;
    let answer = connection.runs().get_run(v1::GetRunRequest { name }).await;
    let run = answer.map_err(|status| refused(&connection, &status))?.into_inner().run.unwrap_or_default();
    let steps = steps(&connection, &run).await?;
    connection.close().await;
    if context.output.json {
        let mut shown = document(&run);
        if let Value::Object(fields) = &mut shown {
            fields.insert("steps".into(), steps.iter().map(Step::document).collect());
            fields.insert("costs".into(), cost_rows(&run.costs).into());
            fields.insert("result".into(), serde_json::from_slice(&run.result_json).unwrap_or(Value::Null));
        }
        context.output.document(&shown);
        return Ok(());
    }
    let sure = if run.total_certain { "" } else { " (at most)" };
    let mut lines = vec![
        format!("{} of {}: {}", run.name, run.plan, money::state(run.state())),
        format!("  began   {}", time(run.create_time.as_ref()).unwrap_or_else(|| "-".into())),
        format!("  ended   {}", time(run.end_time.as_ref()).unwrap_or_else(|| "-".into())),
        format!("  paid    {}{sure}", money::shown(run.total.as_ref())),
    ];
    lines.extend(run.error.as_ref().map(|error| format!("  failed  {}: {}", error.code, error.message)));
    let rows: Vec<Vec<String>> = steps.iter().map(Step::cells).collect();
    let columns = [text("STEP"), text("STATE"), figures("ATTEMPTS"), text("OPERATION")];
    if !rows.is_empty() {
        lines.push(format!("\n{}", aligned(&columns, &rows, usize::MAX).trim_end()));
    }
    context.output.data(&lines.join("\n"));
    Ok(())
}

/// Cancels a run and waits until it has ended. One that ended before is told of as it is.
async fn cancel(context: &Context, source: &RunSource, run: &str) -> Result<(), Failure> {
    let connection = connect(context, source).await?;
    let name = name::whole(&connection, run).await.map_err(|failure| advised(&connection, failure))?;
    let get = v1::GetRunRequest { name: name.clone() };
    let before = connection.runs().get_run(get).await.map_err(|status| refused(&connection, &status))?;
    let had_ended = before.into_inner().run.is_some_and(|run| run.end_time.is_some());
    let answer = connection.runs().cancel_run(v1::CancelRunRequest { name }).await;
    let answer = answer.map_err(|status| refused(&connection, &status))?;
    let run = answer.into_inner().run.unwrap_or_default();
    connection.close().await;
    if context.output.json {
        let mut shown = document(&run);
        if let Value::Object(fields) = &mut shown {
            // Between the two questions it may have ended by itself.
            let cancelled = !had_ended && run.state() == v1::RunState::Cancelled;
            fields.insert("cancelled".into(), cancelled.into());
            fields.insert("costs".into(), cost_rows(&run.costs).into());
        }
        context.output.document(&shown);
        return Ok(());
    }
    let (state, sure) = (money::state(run.state()), if run.total_certain { "" } else { " at most" });
    let before = if had_ended { "had ended before: " } else { "" };
    let paid = money::shown(run.total.as_ref());
    context.output.data(&format!("{} of {}: {before}{state}, paid{sure} {paid}", run.name, run.plan));
    Ok(())
}

async fn fetch_proof(
    context: &Context,
    source: &RunSource,
    run: &str,
    out: Option<&Path>,
) -> Result<(), Failure> {
    let connection = connect(context, source).await?;
    let name = name::whole(&connection, run).await.map_err(|failure| advised(&connection, failure))?;
    let bundle = read_proof(&connection, &name).await.map_err(|status| refused(&connection, &status))?;
    let config = context.config()?;
    let trusted = proof::trusted(&config, &connection)?;
    connection.close().await;
    let folder = config.state_folder().join("proofs");
    let path = out.map_or_else(|| proof_path(&folder, &name), Path::to_owned);
    project::make_parent(&path)
        .and_then(|()| project::write_whole(&path, &bundle))
        .map_err(|error| project::cannot_write(&path, &error))?;
    let verdict = proof::verdict_line(&proof::verify(&bundle, &trusted));
    if context.output.json {
        context.output.document(&json!({ "run": name, "file": path, "verdict": verdict }));
    } else {
        context.output.data(&format!("{} ({verdict})", project::relative(&path).display()));
    }
    Ok(())
}

/// A step of a run as its last event has it.
struct Step {
    name: String,
    state: String,
    attempts: u32,
    operation: String,
}

impl Step {
    fn cells(&self) -> Vec<String> {
        let attempts = if self.attempts == 0 { String::new() } else { self.attempts.to_string() };
        vec![self.name.clone(), self.state.clone(), attempts, self.operation.clone()]
    }

    fn document(&self) -> Value {
        let Self { name, state, attempts, operation } = self;
        json!({ "step": name, "state": state, "attempts": attempts, "operation": operation })
    }
}

/// The steps that have begun so far, in the order in which they did.
async fn steps(connection: &Connection, run: &v1::Run) -> Result<Vec<Step>, Failure> {
    let request = v1::WatchRunRequest { name: run.name.clone(), after_seq: 0 };
    let events = connection.runs().watch_run(request).await;
    let mut events = events.map_err(|status| connection.refused(&status))?.into_inner();
    let mut steps: Vec<Step> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut seen = 0;
    // What comes later is not waited for.
    while seen < run.last_seq {
        let answer = events.message().await.map_err(|status| connection.refused(&status))?;
        let Some(event) = answer.and_then(|answer| answer.event) else { break };
        seen = event.seq;
        if event.node.is_empty() {
            continue;
        }
        let indices: String = event.iteration.iter().map(|index| format!("[{index}]")).collect();
        let name = format!("{}{indices}", event.node);
        let place = *places.entry(name.clone()).or_insert_with(|| {
            steps.push(Step { name, state: String::new(), attempts: 0, operation: String::new() });
            steps.len() - 1
        });
        let Some(step) = steps.get_mut(place) else { continue };
        match event.kind() {
            v1::RunEventKind::Node => step.state = event.state,
            v1::RunEventKind::AttemptSent => {
                step.attempts += 1;
                step.operation = event.operation;
            }
            _ => {}
        }
    }
    Ok(steps)
}

/// A run as programs read it, without its result.
fn document(run: &v1::Run) -> Value {
    let error = run.error.as_ref().map(|error| json!({ "code": error.code, "message": error.message }));
    json!({
        "run": run.name,
        "plan": run.plan,
        "plan_hash": run.plan_hash,
        "state": money::state(run.state()),
        "error": error,
        "total": money::document(run.total.as_ref()),
        "total_certain": run.total_certain,
        "began": time(run.create_time.as_ref()),
        "ended": time(run.end_time.as_ref()),
        "proof_id": run.proof_id,
    })
}

/// What to do about a run that is not there, or about what is no name of one.
fn refused(connection: &Connection, status: &Status) -> Failure {
    advised(connection, connection.refused(status))
}

fn advised(connection: &Connection, failure: Failure) -> Failure {
    if !matches!(failure.code.as_str(), "E1164" | "E1510") {
        return failure;
    }
    let elsewhere =
        if connection.local.is_some() { "; those of a server are seen with --server URL" } else { "" };
    let list = format!("`orch runs list{}` names the runs there are{elsewhere}", connection.option());
    let help = match failure.code.as_str() {
        "E1510" => format!("write a run's id, or its beginning from 4 characters on; {list}"),
        _ => list,
    };
    Failure { help, ..failure }
}

fn time(time: Option<&prost_types::Timestamp>) -> Option<String> {
    let time = time?;
    jiff::Timestamp::new(time.seconds, time.nanos).ok().map(|time| time.to_string())
}
