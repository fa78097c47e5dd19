//! `orch serve`.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::Context;
use crate::args;
use crate::config::Config;
use crate::exit::{Exit, Failure};
#[cfg(feature = "mcp")]
use crate::pages;
use crate::project;
use crate::service::local::{Local, STORE_IN_USE, State};

/// Target of the log of the library that speaks MCP.
const MCP_LIBRARY: &str = "rmcp";

/// Serves until SIGINT or SIGTERM.
pub(crate) async fn run(context: &Context, args: &args::Serve) -> Result<(), Failure> {
    let log = args.log.as_deref().unwrap_or(if context.output.quiet { "warn" } else { "info" });
    start_log(context, log)?;
    let config = context.config()?;
    let address = args.listen.as_deref().unwrap_or_else(|| config.listen());
    // The port first: a second server on one address is told so before it touches the store.
    let listener = listen(address).await?;
    let bound = listener.local_addr().map_err(|error| {
        Failure::new("E1509", format!("the listening address cannot be read: {error}"), "").exit(Exit::Failed)
    })?;
    let stopped = stop_signal()?;
    let folder = (!args.no_journal).then(|| args.data.clone().unwrap_or_else(|| config.data_folder()));
    let origins = args.allow_origin.clone();
    let reached = from_here(bound).to_string();
    let state = folder.clone().map_or(State::Memory, State::Folder);
    let local = Local::for_clients(&config, state, reached, origins).await;
    let local = if folder.is_some() { local.map_err(in_use) } else { local }?;
    announce(context, bound, folder.as_deref());
    if !bound.ip().is_loopback() && local.service.is_open() {
        tracing::warn!(%bound, "whoever reaches this address may start runs: `orch tokens add` makes it ask for a token");
    }
    let faces = Faces::open(&config, args, &local).await?;
    let web = faces.web.clone();
    let stopped = async {
        stopped.await;
        faces.end();
    };
    let served = local.service.serve(listener, web, stopped).await;
    context.output.note(match folder {
        Some(_) => "stopping; runs under way are taken up by the next start",
        None => "stopping; nothing is kept",
    });
    local.service.close().await;
    served.map_err(|error| {
        Failure::new("E1509", format!("the server stopped: {error}"), "start it again").exit(Exit::Failed)
    })
}

/// What the port answers beside gRPC: each face is a client of the service like any other.
struct Faces {
    web: axum::Router,
    #[cfg(feature = "mcp")]
    session: mcp::Session,
}

impl Faces {
    #[cfg_attr(
        not(feature = "openai"),
        expect(unused_variables, reason = "what only the face without a session needs")
    )]
    async fn open(config: &Config, args: &args::Serve, local: &Local) -> Result<Self, Failure> {
        let channel = local.service.channel();
        let web = axum::Router::new();
        #[cfg(feature = "openai")]
        let web = {
            let cost_max =
                args.openai_cost_max.map_or_else(|| config.openai_cost_max(), |given| Ok(Some(given)))?;
            web.merge(openai_http::router(channel.clone(), openai_http::Options { cost_max }))
        };
        #[cfg(feature = "mcp")]
        let (agents, session) = mcp::router(channel, pages::markdown);
        // A client is to be told before it has a session; each of its requests shows the token anew.
        #[cfg(feature = "mcp")]
        let web = web.merge(local.service.holders_only(agents));
        Ok(Self {
            web,
            #[cfg(feature = "mcp")]
            session,
        })
    }

    /// Ends the sessions of clients, for which a server that stops would wait.
    fn end(self) {
        #[cfg(feature = "mcp")]
        self.session.end();
    }
}

/// Where programs of this machine reach what listens at an address: what listens at all of its addresses listens at the loopback too.
fn from_here(bound: SocketAddr) -> SocketAddr {
    let mut reached = bound;
    match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => reached.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => reached.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    reached
}

/// A store has one server at a time.
fn in_use(failure: Failure) -> Failure {
    if failure.code != STORE_IN_USE {
        return failure;
    }
    let help =
        "stop that process, or give this server a folder of its own with --data, or none with --no-journal";
    Failure { help: help.to_owned(), ..failure }
}

async fn listen(address: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        let help = match error.kind() {
            io::ErrorKind::AddrInUse => {
                "another program listens there: stop it, or choose an address with --listen (port 0 picks a free one)"
            }
            io::ErrorKind::PermissionDenied => "ports below 1024 need privileges; choose another with --listen",
            io::ErrorKind::AddrNotAvailable => "this machine has no such address; 127.0.0.1 is its own",
            _ => "an address is HOST:PORT, such as 127.0.0.1:7410",
        };
        Failure::new("E1509", format!("cannot listen on {address}: {}", project::reason(&error)), help)
    })
}

/// The address goes to standard output, so that a script that asked for port 0 can read it.
fn announce(context: &Context, address: SocketAddr, folder: Option<&Path>) {
    let data = folder.map(|folder| project::relative(folder).display().to_string());
    if context.output.json {
        context.output.document(&json!({ "listening": address.to_string(), "data": data }));
    } else {
        context.output.data(&format!("listening on {address}"));
        let kept = data.map_or_else(|| "nothing is kept".to_owned(), |folder| format!("data in {folder}"));
        context.output.note(&format!("{kept}; Ctrl-C stops"));
    }
}

/// What happens goes to standard error, filtered; message content and keys are in no log line.
pub(crate) fn start_log(context: &Context, filter: &str) -> Result<(), Failure> {
    let mut filter: Targets = filter.parse().map_err(|error| {
        let help = "such as `info`, `debug`, or `info,runtime=debug`; --log and ORCHESTRA_LOG set it";
        Failure::new("E1507", format!("`{filter}` is no filter for the log: {error}"), help)
    })?;
    // The library of MCP logs messages with what is in them; whoever wants that asks for it by name.
    if !filter.iter().any(|(target, _)| target.starts_with(MCP_LIBRARY)) {
        filter = filter.with_target(MCP_LIBRARY, LevelFilter::OFF);
    }
    let log = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_writer(io::stderr)
        .with_ansi(context.output.color_on_stderr());
    // A second log in one process could only come from this process itself.
    let _ = if context.output.json {
        log.json().finish().with(filter).try_init()
    } else {
        log.finish().with(filter).try_init()
    };
    Ok(())
}

/// Resolves at the first SIGINT or SIGTERM.
pub(crate) fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    let failed = |error: io::Error| {
        Failure::new("E1509", format!("signals cannot be received: {error}"), "").exit(Exit::Failed)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_reached_where_it_listens_and_at_the_loopback_where_it_listens_everywhere() {
        for (bound, reached) in [
            ("0.0.0.0:7410", "127.0.0.1:7410"),
            ("[::]:7410", "[::1]:7410"),
            ("192.0.2.7:7410", "192.0.2.7:7410"),
            // Such an address means nothing without the interface it is of.
            ("[fe80::1%2]:7410", "[fe80::1%2]:7410"),
        ] {
            assert_eq!(from_here(bound.parse().unwrap()).to_string(), reached);
        }
    }
}
