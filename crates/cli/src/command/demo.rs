//! `orch demo`: the main job in one command, on sample subnets on this machine.

use std::env;
use std::path::Path;

use ::proof::key::PublicKey;
use schema::lock::Lock;
use serde_json::json;
use uuid::Uuid;

use super::{Context, lock, proof, run};
use crate::args::Demo;
use crate::diagnostics;
use crate::exit::{Exit, Failure};
use crate::progress::View;
use crate::project::PlanFile;
use crate::service::Connection;
use crate::service::local::{Local, State, sample_subnets};

/// The plan, as it lies in `examples/plans/`.
const PLAN: &str = include_str!("../../../../examples/plans/competitive_analysis.orch");

/// The name it is shown under.
const PLAN_NAME: &str = "examples/plans/competitive_analysis.orch";

/// Starts a Ledger, a runtime and sample subnets, runs the plan and verifies its proof.
pub(crate) async fn run(context: &Context, args: &Demo) -> Result<(), Failure> {
    let output = context.output;
    let data = args
        .data
        .clone()
        .unwrap_or_else(|| env::temp_dir().join(format!("orchestra-demo-{}", Uuid::new_v4().simple())));
    let local = Local::on_samples(State::Folder(data.clone())).await?;
    let servers = servers(&local);
    let key = local.service.public_key();
    let connection = Connection::local(local);
    let lock = lock::resolve(&connection, PLAN).await?;
    introduce(context, &lock, &servers);
    let file = PlanFile { path: PLAN_NAME.into(), bytes: PLAN.into() };
    let compiled = diagnostics::compile_or_show(context, &file, &lock)?;
    let (plan, bound) = run::choose(&compiled, None)?;
    output.note(&format!("\n{}", plan_ir::explain::explain(plan, bound)));
    let inputs = inputs().to_string().into_bytes();
    let request = run::request(&compiled, &lock, plan, inputs, None)?;
    let view = View::new(args.progress, output, plan, bound);
    let mut interrupts = run::Interrupts::new()?;
    let finished = run::execute(&connection, request, view, &mut interrupts).await?;
    let trusted = connection.trust();
    let ended = run::report(context, &finished, run::Keep::Folder(data.join("proofs")), &trusted, &compiled);
    connection.close().await;
    ended?;
    let verdict = proof::verify(finished.proof.as_deref().unwrap_or_default(), &trusted);
    if !verdict.is_attributed() {
        return Err(Failure::said(Exit::ProofRefused));
    }
    output.note(&again(&data, &finished.run.name, &key));
    Ok(())
}

fn inputs() -> serde_json::Value {
    json!({ "company": "Halcyon", "rivals": ["Meridian", "Northwind", "Vantage"] })
}

/// The sample servers: the subnet of each, and where it is.
fn servers(local: &Local) -> Vec<(&'static str, String)> {
    let Some(samples) = &local.samples else { return Vec::new() };
    let subnets = sample_subnets(samples).into_iter();
    let subnets = subnets.map(|(subnet, origin, path, _)| (subnet, format!("sample at {origin}{path}")));
    let (axon, hotkey) = (&samples.axon_url, &samples.axon_hotkey);
    let axon = format!("sample at {axon}, hotkey {hotkey}; this plan does not call it");
    subnets.chain([("axon", axon)]).collect()
}

/// Shows the plan, its inputs, and the servers it can meet. The axon is always shown, for it is of another kind.
fn introduce(context: &Context, lock: &Lock, servers: &[(&'static str, String)]) {
    let mut lines = vec![format!("plan      {PLAN_NAME}"), format!("inputs    {}", inputs())];
    let called = |subnet: &str| {
        let of = |id: &String| id.strip_prefix(subnet).is_some_and(|name| name.starts_with('.'));
        subnet == "axon" || lock.operations.keys().any(of)
    };
    let shown = servers.iter().filter(|(subnet, _)| called(subnet));
    lines.extend(shown.map(|(subnet, place)| format!("{subnet:<9} {place}")));
    context.output.note(&lines.join("\n"));
}

/// How to look at the proof again, in any folder: whom to trust is said, since no project does.
fn again(data: &Path, run: &str, key: &PublicKey) -> String {
    let proof = run::proof_path(&data.join("proofs"), run);
    format!("look at it again, offline: orch proof show {} --trust {key}", proof.display())
}
