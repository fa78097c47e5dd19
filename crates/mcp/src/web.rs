//! The same beside gRPC on one port: streamable HTTP under `/mcp`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use crate::Options;
use crate::server::Server;

/// Where it answers.
const PATH: &str = "/mcp";
/// A session that nobody has used for as long is forgotten; its client begins another.
const SESSION_IDLE_MAX: Duration = Duration::from_secs(3_600);

/// The sessions of a router; dropping it ends them.
#[derive(Debug)]
pub struct Session(CancellationToken);

impl Session {
    /// Ends every session, so that a server that drains does not wait for their streams.
    pub fn end(&self) {
        self.0.cancel();
    }
}

/// Routes that answer MCP under `/mcp`. Whose requests they answer is for the server around them to say.
#[must_use = "routes answer nothing until they are served"]
pub fn router(channel: Channel) -> (Router, Session) {
    let server = Server::new(channel, Options::default());
    let token = CancellationToken::new();
    let config = StreamableHttpServerConfig::default()
        .with_cancellation_token(token.clone())
        .disable_allowed_hosts()
        .disable_allowed_origins();
    let mut sessions = LocalSessionManager::default();
    sessions.session_config.keep_alive = Some(SESSION_IDLE_MAX);
    let service = StreamableHttpService::new(move || Ok(server.clone()), Arc::new(sessions), config);
    (Router::new().route_service(PATH, service), Session(token))
}
