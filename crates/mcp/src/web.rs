//! The same beside gRPC on one port: streamable HTTP under `/mcp`.

use std::net::SocketAddr;
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

/// Routes that answer MCP under `/mcp` on `bound`.
///
/// A server that only this machine can reach answers only requests that name it as this machine does, from no other page
/// than this machine's own: else any web page could have a browser's user spend (DNS rebinding). What may reach any
/// other server is for the proxy before it and for tokens to say.
#[must_use = "routes answer nothing until they are served"]
pub fn router(channel: Channel, bound: SocketAddr) -> (Router, Session) {
    let server = Server::new(channel, Options::default());
    let token = CancellationToken::new();
    let config = StreamableHttpServerConfig::default().with_cancellation_token(token.clone());
    let config = match bound.ip().is_loopback() {
        true => config.with_allowed_origins(["http", "https"].iter().flat_map(|scheme| {
            ["localhost", "127.0.0.1", "[::1]"].map(|host| format!("{scheme}://{host}:*"))
        })),
        false => config.disable_allowed_hosts().disable_allowed_origins(),
    };
    let mut sessions = LocalSessionManager::default();
    sessions.session_config.keep_alive = Some(SESSION_IDLE_MAX);
    let service = StreamableHttpService::new(move || Ok(server.clone()), Arc::new(sessions), config);
    (Router::new().route_service(PATH, service), Session(token))
}
