//! `orch run`, and what it shares with `orch demo`: start a run, show its progress, its result, its cost
//! and its proof.

mod earlier;
mod inputs;
mod interrupt;
mod report;
mod watch;

use std::path::{Path, PathBuf};

use plan_ir::bound::Bound;
use plan_ir::plan::CompiledPlan;
use proto::v1;
use schema::amount::Amount;
use schema::lock::Lock;
use uuid::Uuid;

use super::{Context, plans, proof};
use crate::args;
use crate::diagnostics::{self, Compiled};
use crate::exit::Failure;
use crate::output::money;
use crate::progress::View;
use crate::project::{self, PlanFile, lockfile};
use crate::service::Connection;
use crate::service::local::State;

pub(crate) use interrupt::Interrupts;
pub(crate) use report::{Keep, cost_rows, report};
pub(crate) use watch::{execute, read_proof, with_advice};

/// Ends of file names of proofs.
const PROOF_EXTENSION: &str = ::proof::bundle::FILE_EXTENSION;

/// Runs a plan.
pub(crate) async fn run(context: &Context, args: &args::Run) -> Result<(), Failure> {
    inputs::check_sources(args)?;
    let published = args.file.to_str().filter(|name| name.starts_with(plans::PREFIX) && !args.file.exists());
    let (file, lock) = match published {
        Some(name) => kept(context, args, name).await?,
        None => {
            let file = PlanFile::read(&args.file)?;
            let lock = lockfile::load(&file.folder())?;
            (file, lock)
        }
    };
    let compiled = diagnostics::compile_or_show(context, &file, &lock)?;
    let (plan, bound) = choose(
        &compiled,
        published.and_then(|name| name.strip_prefix(plans::PREFIX)).or(args.plan.as_deref()),
    )?;
    let inputs = inputs::read(args, &plan.body)?;
    let cost_max = args.max_cost.as_deref().map(cost_max).transpose()?;
    // What the run costs cannot be had back, so the place for its proof is tried first.
    args.proof.as_deref().map_or(Ok(()), project::writable)?;
    let config = context.config()?;
    let mut interrupts = Interrupts::new()?;
    let state = if args.no_journal { State::Memory } else { State::Folder(config.state_folder()) };
    let connection = Connection::for_runs(&config, args.server.as_deref(), state).await?;
    let earlier = earlier::Earlier::find(context, &connection).await?;
    let mut request = request(&compiled, &lock, plan, inputs, cost_max)?;
    if let Some(name) = published {
        request = v1::CreateRunRequest {
            source: None,
            plan: String::new(),
            published_plan: name.to_owned(),
            ..request
        };
    }
    let view = View::new(args.progress, context.output, plan, bound);
    let finished = execute(&connection, request, view, &mut interrupts).await?;
    let folder = config.state_folder().join("proofs");
    let trusted = proof::trusted(&config, &connection)?;
    let keep = match &args.proof {
        Some(file) => Keep::File(file.clone()),
        // The key of a run that is kept nowhere goes with this process, so its proof would be of no use.
        None if args.no_journal => Keep::Nowhere,
        None => Keep::Folder(folder.clone()),
    };
    let makes_calls = !plan.body.operations.is_empty();
    if makes_calls && connection.local.as_ref().is_some_and(|local| local.samples.is_some()) {
        context
            .output
            .note("calls went to sample subnets on this machine: `samples = true` in orchestra.toml");
    }
    let ended = report(context, &finished, keep, &trusted, &compiled);
    if !finished.interrupted {
        earlier.finish(context, &connection, &folder, &mut interrupts).await;
    }
    connection.close().await;
    ended
}

/// A published plan as the file it was, with its lock: inputs are checked and progress is shown as for any other.
async fn kept(context: &Context, args: &args::Run, name: &str) -> Result<(PlanFile, Lock), Failure> {
    if args.no_journal || args.plan.is_some() {
        let message = "a published plan has one name, and is run where it is kept";
        return Err(Failure::new("E1507", message, "leave out --plan and --no-journal"));
    }
    let connection = Connection::for_looking(&context.config()?, args.server.as_deref()).await?;
    let plan = plans::fetch(&connection, name).await?;
    connection.close().await;
    let source = plan.source.unwrap_or_default();
    let lock = source.lock.unwrap_or_default();
    let body = |body: v1::LockBody| Some((body.hash.parse().ok()?, body.content.to_vec()));
    let bodies = lock.bodies.into_iter().filter_map(body).collect();
    let lock = Lock::assemble(&lock.toml, &bodies)
        .map_err(|error| Failure::new(error.code, error.message, "publish the plan again"))?;
    Ok((PlanFile { path: args.file.clone(), bytes: source.text.into_bytes() }, lock))
}

/// The request for one run of a plan.
pub(crate) fn request(
    compiled: &Compiled,
    lock: &Lock,
    plan: &CompiledPlan,
    inputs_json: Vec<u8>,
    cost_max: Option<v1::Amount>,
) -> Result<v1::CreateRunRequest, Failure> {
    Ok(v1::CreateRunRequest {
        request_id: Uuid::new_v4().to_string(),
        source: Some(source(compiled, lock)?),
        plan: plan.body.name.clone(),
        inputs_json: inputs_json.into(),
        cost_max,
        published_plan: String::new(),
        unpriced_requests_max: None,
    })
}

/// The plan named, else the only one that no other of the file runs, with its bound.
pub(crate) fn choose<'a>(
    compiled: &'a Compiled,
    name: Option<&str>,
) -> Result<(&'a CompiledPlan, &'a Bound), Failure> {
    let plans = &compiled.compilation.plans;
    let names: Vec<&str> = plans.iter().map(|plan| plan.body.name.as_str()).collect();
    let file = &compiled.name;
    let fail = |message: String, help: String| Failure::new("E1506", message, help);
    let chosen = match (name, names.as_slice()) {
        (_, []) => Err(fail(
            format!("{file} has no plan"),
            "a plan starts with `plan name(..) -> T`; a file without one can only be checked".into(),
        )),
        (None, _) => compiled.compilation.root().map(|(plan, _)| plan.body.name.as_str()).ok_or_else(|| {
            let message = format!("{file} has several plans: {}", names.join(", "));
            fail(message, "choose one with --plan NAME".into())
        }),
        (Some(name), _) if names.contains(&name) => Ok(name),
        (Some(name), _) => {
            let help = plan_lang::suggest(name, names.iter().copied()).map_or_else(
                || format!("it has {}", names.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            Err(fail(format!("{file} has no plan `{name}`"), help))
        }
    };
    let bug = || fail(format!("{file} has a plan without a bound"), "this is a bug; please report it".into());
    chosen.and_then(|name| compiled.compilation.plan(name).ok_or_else(bug))
}

/// The wire form of a file with its lock.
pub(crate) fn source(compiled: &Compiled, lock: &Lock) -> Result<v1::PlanSource, Failure> {
    let (toml, bodies) =
        lock.to_parts().map_err(|error| Failure::new(error.code, error.message, "run `orch lock update`"))?;
    let bodies = bodies
        .into_iter()
        .map(|(hash, content)| v1::LockBody { hash: hash.to_hex(), content: content.into() })
        .collect();
    Ok(v1::PlanSource {
        file_name: compiled.name.clone(),
        text: compiled.text.clone(),
        lock: Some(v1::Lock { toml, bodies }),
    })
}

/// The amount of `--max-cost`.
pub(crate) fn cost_max(text: &str) -> Result<v1::Amount, Failure> {
    let amount: Amount = text.parse().map_err(|error| {
        Failure::new("E1507", format!("--max-cost: {error}"), "such as --max-cost 0.10USD")
    })?;
    Ok(money::to_wire(amount))
}

/// Where the proof of a run goes unless the user says otherwise.
pub(crate) fn proof_path(folder: &Path, run: &str) -> PathBuf {
    folder.join(format!("{}.{PROOF_EXTENSION}", run.trim_start_matches("runs/")))
}
