//! Runs that an earlier process left behind, killed or stopped: the service of this process has taken them
//! up, so this process also sees them to their end.

use std::path::Path;

use proto::v1;

use super::watch::{read_proof, watch};
use super::{Context, Interrupts, proof_path};
use crate::command::proof;
use crate::exit::Failure;
use crate::output::money;
use crate::progress::View;
use crate::project;
use crate::service::Connection;

/// Names of the runs that were taken up.
#[derive(Debug)]
pub(super) struct Earlier {
    names: Vec<String>,
}

impl Earlier {
    /// The runs under way in a service of this process, before it is asked for another.
    pub(super) async fn find(context: &Context, connection: &Connection) -> Result<Self, Failure> {
        if connection.local.is_none() {
            return Ok(Self { names: Vec::new() });
        }
        let mut names = Vec::new();
        for state in [v1::RunState::Running, v1::RunState::Pending] {
            let request =
                v1::ListRunsRequest { state: state.into(), page_size: 500, ..v1::ListRunsRequest::default() };
            let response = connection.runs().list_runs(request).await;
            let page = response.map_err(|status| connection.refused(&status))?.into_inner();
            for run in page.runs {
                context
                    .output
                    .note(&format!("taking up {} of `{}`, left by an earlier process", run.name, run.plan));
                names.push(run.name);
            }
        }
        Ok(Self { names })
    }

    /// Waits for them to end and says how they did. Ctrl-C leaves them to the next process.
    pub(super) async fn finish(
        self,
        context: &Context,
        connection: &Connection,
        folder: &Path,
        interrupts: &mut Interrupts,
    ) {
        for name in self.names {
            let ended = tokio::select! {
                ended = finish(context, connection, folder, &name) => ended,
                () = interrupts.next() => {
                    return context.output.note("what is left of earlier runs is taken up by the next `orch run`");
                }
            };
            // The run that was asked for has its own result; this one may not take it away.
            match ended {
                Ok(line) => context.output.note(&line),
                Err(failure) => context.output.note(&format!("{name}: {}", failure.message)),
            }
        }
    }
}

async fn finish(
    context: &Context,
    connection: &Connection,
    folder: &Path,
    name: &str,
) -> Result<String, Failure> {
    watch(connection, name, &mut 0, &mut View::silent(context.output)).await?;
    let request = v1::GetRunRequest { name: name.to_owned() };
    let run = connection.runs().get_run(request).await.map_err(|status| connection.refused(&status))?;
    let run = run.into_inner().run.unwrap_or_default();
    let bundle = read_proof(connection, name).await.map_err(|status| connection.refused(&status))?;
    let path = proof_path(folder, name);
    project::make_parent(&path)
        .and_then(|()| project::write_whole(&path, &bundle))
        .map_err(|error| project::cannot_write(&path, &error))?;
    let verdict = proof::verify(&bundle, &connection.trust());
    Ok(format!(
        "{name} of `{}`: {}, {} in all\nproof {} ({})",
        run.plan,
        money::state(run.state()),
        money::shown(run.total.as_ref()),
        project::relative(&path).display(),
        proof::verdict_line(&verdict)
    ))
}
