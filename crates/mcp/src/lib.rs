//! The service as an MCP server: its operations, plans and runs as tools, resources and a prompt of language models, over
//! standard input and output ([`stdio`]) or beside gRPC on one port ([`router`]).
//!
//! A client of the gRPC service like any other: it looks nothing up and decides nothing that the service can. What it adds
//! is that no tool spends money without a limit, and a limit for a whole session ([`Options::spend_max`]). The
//! `authorization` header of an HTTP request goes on with the gRPC requests made for it, unread.
//!
//! Read first: [`server`](self) for the protocol, `tools` for the tools, one file each, and `spend` for the money.
#![forbid(unsafe_code)]

mod arguments;
mod fault;
mod follow;
mod id_of;
mod lines;
mod money;
mod owner;
mod progress;
mod prompt;
mod request;
mod resources;
mod result;
mod server;
mod service;
mod spend;
mod tools;
mod web;

use std::pin::pin;

use proto::Channel;
use rmcp::ServiceExt as _;
use schema::amount::Amount;
use tonic::metadata::{Ascii, MetadataValue};

pub use web::{Session, router};

/// The guide of the language that models read: `orch://docs/language`.
pub(crate) const GUIDE: &str = include_str!("../../../docs/language-in-one-page.md");

/// How a session over standard input and output goes.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the service is to be shown as the `authorization` of each request, such as `Bearer TOKEN`.
    pub authorization: Option<MetadataValue<Ascii>>,
    /// The most that everything called and run in the session may cost together; no limit where it is not set.
    pub spend_max: Option<Amount>,
    /// What each request counts for at least of it whose price nobody has published, in its currency; where it is not set, a
    /// cent or about as much in TAO.
    pub unpriced_min: Option<Amount>,
    /// What errors mean: `orch://docs/errors/CODE`.
    pub error_page: ErrorPage,
}

/// The page of an error code in Markdown; `None` where there is no such code.
pub type ErrorPage = fn(&str) -> Option<&'static str>;

impl Default for Options {
    fn default() -> Self {
        Self { authorization: None, spend_max: None, unpriced_min: None, error_page: |_| None }
    }
}

/// Why a session did not start or broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken(String);

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Broken {}

/// Serves one client over standard input and output until it closes them or `stop` resolves: then what is open is cancelled, and
/// told so within two seconds. Nothing else may be written to standard output meanwhile.
///
/// # Errors
/// If the client's first message is not one of the protocol.
pub async fn stdio(channel: Channel, options: Options, stop: impl Future<Output = ()>) -> Result<(), Broken> {
    let server = server::Server::new(channel, options);
    let (read, write) = rmcp::transport::io::stdio_pipes();
    let mut stop = pin!(stop);
    let begun = tokio::select! {
        begun = server.serve(lines::Lines::new(read, write)) => begun,
        () = &mut stop => return Ok(()),
    };
    let running = match begun {
        Ok(running) => running,
        // A client that closes before its first message has nothing to be told.
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
        Err(error) => return Err(Broken(error.to_string())),
    };
    let session = running.cancellation_token();
    let mut ended = pin!(running.waiting());
    let ended = tokio::select! {
        ended = &mut ended => ended,
        () = stop => {
            session.cancel();
            ended.await
        }
    };
    ended.map(drop).map_err(|error| Broken(error.to_string()))
}
