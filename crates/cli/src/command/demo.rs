//! `orch demo`: the main job in one command, on sample subnets on this machine.

use std::env;
use std::path::Path;

use proto::v1;
use serde_json::json;
use uuid::Uuid;

use super::{Context, proof, run};
use crate::args::Demo;
use crate::exit::{Exit, Failure};
use crate::progress::View;
use crate::service::{Connection, Local, State, local_with_samples, sample_subnets};

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
    let local = local_with_samples(&context.config, State::Folder(data.clone())).await?;
    introduce(context, &local);
    let connection = Connection::local(local).await?;
    explain(context, &connection).await?;
    let request = v1::CreateRunRequest {
        request_id: Uuid::new_v4().to_string(),
        source: Some(source()),
        plan: String::new(),
        inputs_json: inputs().to_string().into_bytes().into(),
        cost_max: None,
    };
    let view = View::new(args.progress, output);
    let finished = run::execute(&connection, request, view).await?;
    let path = run::save_proof(None, &data.join("proofs"), &finished)?;
    let policy = connection.trust();
    run::report(context, &finished, &path, &policy)?;
    let verdict = proof::check(&finished.proof, &policy);
    if !verdict.is_attributed() {
        return Err(Failure::said(Exit::ProofRefused));
    }
    output.note(&again(&path, &verdict));
    Ok(())
}

fn inputs() -> serde_json::Value {
    json!({ "company": "Halcyon", "rivals": ["Meridian", "Northwind", "Vantage"] })
}

/// Without a lock: the server pins its own Ledger's newest entries.
fn source() -> v1::PlanSource {
    v1::PlanSource { file_name: PLAN_NAME.to_owned(), text: PLAN.to_owned(), lock: None }
}

fn introduce(context: &Context, local: &Local) {
    let Some(samples) = &local.samples else { return };
    let mut lines = vec![format!("plan      {PLAN_NAME}"), format!("inputs    {}", inputs())];
    for (subnet, origin, path, _) in sample_subnets(samples) {
        lines.push(format!("{subnet:<9} sample at {origin}{path}"));
    }
    context.output.note(&lines.join("\n"));
}

/// The bound, before anything is spent.
async fn explain(context: &Context, connection: &Connection) -> Result<(), Failure> {
    let request = v1::ExplainRequest { source: Some(source()), plan: String::new() };
    let response = connection.compiler().explain(request).await;
    let response = response.map_err(|status| crate::service::refused(&status))?.into_inner();
    let Some(explanation) = response.explanation else {
        return Err(Failure::new(
            Exit::Failed,
            "E1513",
            "the plan of the demo does not compile",
            "this is a bug; please report it",
        ));
    };
    context.output.note(&format!("\n{}", explanation.rendered));
    Ok(())
}

fn again(path: &Path, verdict: &::proof::verify::Verdict) -> String {
    let run = verdict.run.as_ref().map(|run| run.proof_id.short()).unwrap_or_default();
    format!("proof id {run}..; check it again, offline: orch proof show {}", path.display())
}
