//! `orch run`, and what it shares with `orch demo`: start a run, show its progress, its result, its cost
//! and its proof.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use ::proof::verify::TrustPolicy;
use plan_ir::plan::{CompiledPlan, Param};
use proto::v1;
use schema::amount::Amount;
use schema::lock::Lock;
use schema::types::Type;
use serde_json::{Map, Value, json};
use tonic::{Code, Status};
use uuid::Uuid;

use super::{Context, check, proof};
use crate::args;
use crate::exit::{Exit, Failure, exit_of};
use crate::output::{self, table};
use crate::progress::View;
use crate::project::{self, PlanFile};
use crate::service::{Connection, State, refused};

/// Times a broken watch is taken up again before it counts as a failure.
const RECONNECTS_MAX: u32 = 5;

/// A run that ended, with its proof.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) run: v1::Run,
    pub(crate) proof: Vec<u8>,
}

/// Runs a plan.
pub(crate) async fn run(context: &Context, args: &args::Run) -> Result<(), Failure> {
    let file = PlanFile::read(&args.file)?;
    let lock = project::load_lock(&file.folder())?;
    let (text, compilation) = check::compile_or_show(context, &file, &lock)?;
    let plan = choose(&compilation.plans, args.plan.as_deref(), &file)?;
    let request = v1::CreateRunRequest {
        request_id: Uuid::new_v4().to_string(),
        source: Some(source(&file, text, &lock)?),
        plan: plan.body.name.clone(),
        inputs_json: inputs(args, &plan.body.params)?.into(),
        cost_max: args.max_cost.as_deref().map(cost_max).transpose()?,
    };
    let state = if args.no_journal { State::Memory } else { State::Folder(context.config.state_folder()) };
    let connection = Connection::open(&context.config, args.server.as_deref(), state).await?;
    let view = View::new(args.progress, context.output);
    let finished = execute(&connection, request, view).await?;
    let folder = context.config.state_folder().join("proofs");
    let path = save_proof(args.proof.clone(), &folder, &finished)?;
    report(context, &finished, &path, &connection.trust())
}

/// The plan named, or the only one.
pub(crate) fn choose<'a>(
    plans: &'a [CompiledPlan],
    name: Option<&str>,
    file: &PlanFile,
) -> Result<&'a CompiledPlan, Failure> {
    let names: Vec<&str> = plans.iter().map(|plan| plan.body.name.as_str()).collect();
    let fail = |message: String, help: String| Failure::new(Exit::Usage, "E1506", message, help);
    match (name, plans) {
        (_, []) => Err(fail(
            format!("{} has no plan", file.name()),
            "a plan starts with `plan name(..) -> T`".into(),
        )),
        (None, [plan]) => Ok(plan),
        (None, _) => Err(fail(
            format!("{} has several plans: {}", file.name(), names.join(", ")),
            "choose one with --plan".into(),
        )),
        (Some(name), _) => plans.iter().find(|plan| plan.body.name == name).ok_or_else(|| {
            let help = plan_lang::suggest(name, names.iter().copied()).map_or_else(
                || format!("it has {}", names.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            fail(format!("{} has no plan `{name}`", file.name()), help)
        }),
    }
}

/// The wire form of a file with its lock.
fn source(file: &PlanFile, text: String, lock: &Lock) -> Result<v1::PlanSource, Failure> {
    let (toml, bodies) = lock
        .to_parts()
        .map_err(|error| Failure::new(Exit::Lock, error.code, error.to_string(), "run `orch lock update`"))?;
    let bodies = bodies
        .into_iter()
        .map(|(hash, content)| v1::LockBody { hash: hash.to_hex(), content: content.into() })
        .collect();
    Ok(v1::PlanSource { file_name: file.name(), text, lock: Some(v1::Lock { toml, bodies }) })
}

fn cost_max(text: &str) -> Result<v1::Amount, Failure> {
    let amount: Amount = text
        .parse()
        .map_err(|error| Failure::new(Exit::Usage, "E1507", format!("--max-cost: {error}"), ""))?;
    Ok(output::from_amount(amount))
}

/// The inputs as one JSON object.
fn inputs(args: &args::Run, params: &[Param]) -> Result<Vec<u8>, Failure> {
    if let Some(path) = &args.inputs_file {
        let mut bytes = Vec::new();
        let read = if path == Path::new("-") {
            io::stdin().read_to_end(&mut bytes).map(|_| ())
        } else {
            fs::read(path).map(|content| bytes = content)
        };
        read.map_err(|error| {
            Failure::new(
                Exit::Usage,
                "E1502",
                format!("{} cannot be read: {error}", path.display()),
                "check the path",
            )
        })?;
        return Ok(bytes);
    }
    let mut object = Map::new();
    for input in &args.inputs {
        let (name, value) = input.split_once('=').ok_or_else(|| {
            let help = "write it like --input company=Acme or --input 'rivals=[\"A\", \"B\"]'";
            Failure::new(Exit::Usage, "E1507", format!("`{input}` is not of the form NAME=VALUE"), help)
        })?;
        let ty = params.iter().find(|param| param.name == name).map(|param| &param.ty);
        if object.insert(name.to_owned(), input_value(ty, name, value)?).is_some() {
            return Err(Failure::new(Exit::Usage, "E1507", format!("input `{name}` is given twice"), ""));
        }
    }
    Ok(Value::Object(object).to_string().into_bytes())
}

/// Text for a parameter that is text, JSON for any other.
fn input_value(ty: Option<&Type>, name: &str, text: &str) -> Result<Value, Failure> {
    let inner = match ty {
        Some(Type::Optional(inner)) if text != "null" => Some(&**inner),
        other => other,
    };
    let is_text = matches!(
        inner,
        Some(Type::String(_) | Type::Url | Type::Time | Type::Duration | Type::Amount | Type::Bytes(_))
    );
    let quoted = text.starts_with('"') && text.ends_with('"') && text.len() > 1;
    if is_text && !quoted {
        return Ok(Value::String(text.to_owned()));
    }
    serde_json::from_str(text).map_err(|error| {
        let help = "quote it for the shell, such as --input 'rivals=[\"A\", \"B\"]'";
        Failure::new(Exit::Usage, "E1507", format!("input `{name}` is not JSON: {error}"), help)
    })
}

/// Starts the run, shows its events, and fetches the run and its proof when it has ended. Ctrl-C cancels
/// the run and waits for it to settle; a second one leaves at once.
pub(crate) async fn execute(
    connection: &Connection,
    request: v1::CreateRunRequest,
    mut view: View,
) -> Result<Finished, Failure> {
    let mut runs = connection.runs();
    let created = runs.create_run(request).await.map_err(|status| refused(&status))?;
    let name = created.into_inner().run.unwrap_or_default().name;
    let watched = tokio::select! {
        watched = watch(connection, &name, &mut view) => watched,
        _ = tokio::signal::ctrl_c() => cancel(connection, &name, &mut view).await,
    };
    view.finish();
    watched?;
    let run = runs.get_run(v1::GetRunRequest { name: name.clone() }).await;
    let run = run.map_err(|status| refused(&status))?.into_inner().run.unwrap_or_default();
    let proof = read_proof(connection, &name).await.map_err(|status| refused(&status))?;
    Ok(Finished { run, proof })
}

async fn watch(connection: &Connection, name: &str, view: &mut View) -> Result<(), Failure> {
    let mut after_seq = 0;
    let mut reconnects = 0;
    loop {
        match follow(connection, name, &mut after_seq, view).await {
            Ok(()) => return Ok(()),
            Err(status) if status.code() == Code::Unavailable && reconnects < RECONNECTS_MAX => {
                reconnects += 1
            }
            Err(status) => return Err(refused(&status)),
        }
    }
}

/// Shows events from `after_seq` on until the run has ended.
async fn follow(
    connection: &Connection,
    name: &str,
    after_seq: &mut u64,
    view: &mut View,
) -> Result<(), Status> {
    let request = v1::WatchRunRequest { name: name.to_owned(), after_seq: *after_seq };
    let mut events = connection.runs().watch_run(request).await?.into_inner();
    while let Some(response) = events.message().await? {
        if let Some(event) = response.event {
            *after_seq = event.seq;
            view.event(&event);
        }
    }
    Ok(())
}

async fn cancel(connection: &Connection, name: &str, view: &mut View) -> Result<(), Failure> {
    let request = v1::CancelRunRequest { name: name.to_owned() };
    connection.runs().cancel_run(request).await.map_err(|status| refused(&status))?;
    tokio::select! {
        watched = watch(connection, name, view) => watched,
        _ = tokio::signal::ctrl_c() => Err(Failure::said(Exit::Interrupted)),
    }
}

async fn read_proof(connection: &Connection, name: &str) -> Result<Vec<u8>, Status> {
    let mut chunks =
        connection.runs().read_proof(v1::ReadProofRequest { name: name.to_owned() }).await?.into_inner();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.message().await? {
        bytes.extend_from_slice(&chunk.chunk);
    }
    Ok(bytes)
}

/// Writes the proof where the user said, or under the run's own name in `folder`.
pub(crate) fn save_proof(
    path: Option<PathBuf>,
    folder: &Path,
    finished: &Finished,
) -> Result<PathBuf, Failure> {
    let id = finished.run.name.trim_start_matches("runs/");
    let path = path.unwrap_or_else(|| folder.join(format!("{id}.orchproof")));
    let written = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => fs::create_dir_all(parent),
        _ => Ok(()),
    };
    written.and_then(|()| project::write_whole(&path, &finished.proof)).map_err(|error| {
        Failure::new(Exit::Failed, "E1503", format!("{} cannot be written: {error}", path.display()), "")
    })?;
    Ok(path)
}

/// Prints the result, the cost table and the verdict on the proof; fails as the run failed.
pub(crate) fn report(
    context: &Context,
    finished: &Finished,
    proof_path: &Path,
    trusted: &TrustPolicy,
) -> Result<(), Failure> {
    let run = &finished.run;
    let verdict = proof::verdict_line(&finished.proof, trusted);
    if context.output.json {
        context.output.data(&run_json(run, proof_path, &verdict).to_string());
    } else {
        if let Ok(result) = serde_json::from_slice::<Value>(&run.result_json) {
            context.output.data(&serde_json::to_string_pretty(&result).unwrap_or_default());
        }
        context.output.note(&format!("\n{}", cost_table(run)));
        context.output.note(&format!("proof {} ({verdict})", proof_path.display()));
    }
    match (&run.error, run.state()) {
        (Some(error), _) => Err(run_failure(error)),
        (None, v1::RunState::Cancelled) => Err(Failure::new(
            Exit::Interrupted,
            "E1508",
            "the run was cancelled",
            "its proof shows what was done and paid",
        )),
        (None, _) => Ok(()),
    }
}

fn run_failure(error: &v1::RunError) -> Failure {
    let mut message = error.message.clone();
    if !error.path.is_empty() {
        message = format!("{message}, at {} of the answer", error.path);
    }
    if !error.node.is_empty() {
        message = format!("{message} (node {})", error.node);
    }
    let help = if error.code.is_empty() {
        String::new()
    } else {
        format!("docs/errors/{}.md says what this means", error.code)
    };
    let exit = if error.call_kind == "over_budget" { Exit::OverBudget } else { exit_of(&error.code) };
    // A run that failed on a secret or a store has said so before it started; afterwards it is a failed run.
    let exit = if exit == Exit::OverBudget { exit } else { Exit::Failed };
    Failure::new(exit, error.code.clone(), message, help)
}

fn cost_table(run: &v1::Run) -> String {
    let mut rows: Vec<Vec<String>> = run
        .costs
        .iter()
        .map(|row| {
            vec![
                row.label.clone(),
                row.operation.clone(),
                row.calls.to_string(),
                row.attempts.to_string(),
                output::amount(row.cost.as_ref()),
                output::basis(row.basis()).to_owned(),
            ]
        })
        .collect();
    let (calls, attempts) =
        run.costs.iter().fold((0, 0), |(calls, attempts), row| (calls + row.calls, attempts + row.attempts));
    let sure = if run.total_certain { "" } else { "at most" };
    rows.push(vec![
        "total".into(),
        String::new(),
        calls.to_string(),
        attempts.to_string(),
        output::amount(run.total.as_ref()),
        sure.into(),
    ]);
    // Always with columns: it goes to standard error, which people read.
    table(&["CALL", "OPERATION", "CALLS", "ATTEMPTS", "COST", "BASIS"], &rows, true)
}

fn run_json(run: &v1::Run, proof_path: &Path, verdict: &str) -> Value {
    let costs: Vec<Value> = run
        .costs
        .iter()
        .map(|row| {
            json!({
                "label": row.label,
                "operation": row.operation,
                "calls": row.calls,
                "attempts": row.attempts,
                "cost": output::amount(row.cost.as_ref()),
                "basis": output::basis(row.basis()),
            })
        })
        .collect();
    let error = run.error.as_ref().map(|error| {
        json!({
            "code": error.code,
            "message": error.message,
            "node": error.node,
            "call_kind": error.call_kind,
            "path": error.path,
        })
    });
    json!({
        "run": run.name,
        "plan": run.plan,
        "state": output::state(run.state()),
        "result": serde_json::from_slice::<Value>(&run.result_json).ok(),
        "error": error,
        "costs": costs,
        "total": output::amount(run.total.as_ref()),
        "total_certain": run.total_certain,
        "proof": { "file": proof_path, "id": run.proof_id, "verdict": verdict },
    })
}
