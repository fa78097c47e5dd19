//! `orch serve`.

use std::net::SocketAddr;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::Context;
use crate::args;
use crate::exit::{Exit, Failure};
use crate::service::{self, State};

/// Serves until SIGINT or SIGTERM.
pub(crate) async fn run(context: &Context, args: &args::Serve) -> Result<(), Failure> {
    let address = args.listen.as_deref().unwrap_or_else(|| context.config.listen());
    // The port first: a second server on one address is told so before it touches the store.
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let help = "another program may listen there: stop it, or choose an address with --listen";
        Failure::new(Exit::Usage, "E1509", format!("cannot listen on {address}: {error}"), help)
    })?;
    let bound = listener.local_addr().map_err(|error| {
        Failure::new(Exit::Failed, "E1509", format!("the listening address cannot be read: {error}"), "")
    })?;
    let folder = args.data.clone().unwrap_or_else(|| context.config.data_folder());
    let local = service::local(&context.config, State::Folder(folder.clone())).await?;
    announce(context, bound, &folder.display().to_string());
    let stopped = stop_signal()?;
    local
        .service
        .serve(listener, stopped)
        .await
        .map_err(|error| Failure::new(Exit::Failed, "E1509", format!("the server stopped: {error}"), ""))?;
    local.service.close().await;
    context.output.note("stopped");
    Ok(())
}

/// The address goes to standard output, so that a script that asked for port 0 can read it.
fn announce(context: &Context, address: SocketAddr, folder: &str) {
    if context.output.json {
        context.output.data(&json!({ "listening": address.to_string(), "data": folder }).to_string());
    } else {
        context.output.data(&format!("listening on {address}"));
        context.output.note(&format!("data in {folder}"));
    }
}

/// Resolves at the first SIGINT or SIGTERM.
fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(Exit::Failed, "E1509", format!("signals cannot be received: {error}"), "")
    };
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
