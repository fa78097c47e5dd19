//! The same beside gRPC on one port: streamable HTTP under `/mcp`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::middleware::{from_fn_with_state, map_response_with_state};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use proto::Channel;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::fault::Fault;
use crate::owner::{Owners, own_sessions};
use crate::server::Server;
use crate::{ErrorPage, Options};

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
pub fn router(channel: Channel, error_page: ErrorPage) -> (Router, Session) {
    let server = Server::new(channel, Options { error_page, ..Options::default() });
    let token = CancellationToken::new();
    let config = StreamableHttpServerConfig::default()
        .with_cancellation_token(token.clone())
        .disable_allowed_hosts()
        .disable_allowed_origins();
    let mut sessions = LocalSessionManager::default();
    sessions.session_config.keep_alive = Some(SESSION_IDLE_MAX);
    let service = StreamableHttpService::new(move || Ok(server.clone()), Arc::new(sessions), config);
    let routes = Router::new().route_service(PATH, service);
    let routes = routes.layer(map_response_with_state(token.clone(), in_json));
    let routes = routes.layer(from_fn_with_state(Owners::default(), own_sessions));
    (routes, Session(token))
}

/// Bytes of the longest refusal in plain text.
const REFUSAL_BYTES_MAX: usize = 64 << 10;
/// JSON-RPC: what was sent is not JSON, or no message of the protocol.
const NOT_JSON: i32 = -32_700;
const NO_MESSAGE: i32 = -32_600;
/// JSON-RPC: the server could not answer.
const INTERNAL: i32 = -32_603;
/// How the library says that a handler gave no answer, as where sessions end because the server drains.
const STOPPED: &str = "Encounter an error when empty response";

/// What the library refuses in plain text, as the error of JSON-RPC that it is.
async fn in_json(State(ended): State<CancellationToken>, response: Response) -> Response {
    let is_text = !response.headers().contains_key(CONTENT_TYPE);
    let is_refusal = response.status().is_client_error() || response.status().is_server_error();
    if !is_refusal || !is_text {
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(text) = axum::body::to_bytes(body, REFUSAL_BYTES_MAX).await else {
        return parts.status.into_response();
    };
    let text = String::from_utf8_lossy(&text);
    if ended.is_cancelled() && text.starts_with(STOPPED) {
        return stopped();
    }
    let (status, code, message) = match text.strip_prefix("fail to deserialize request body ") {
        // It says so of JSON that is no message as well, but then of no place in it.
        Some(why) if !why.contains(" at line ") => {
            (StatusCode::BAD_REQUEST, NO_MESSAGE, format!("the body is no message of JSON-RPC: {why}"))
        }
        Some(why) => (StatusCode::BAD_REQUEST, NOT_JSON, format!("the body is not JSON: {why}")),
        None if parts.status.is_server_error() => (parts.status, INTERNAL, text.into_owned()),
        None => (parts.status, NO_MESSAGE, text.into_owned()),
    };
    let body = json!({ "jsonrpc": "2.0", "id": null, "error": { "code": code, "message": message } });
    let mut response = (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response();
    for (name, value) in parts.headers.iter().filter(|(name, _)| **name != CONTENT_LENGTH) {
        response.headers_mut().insert(name, value.clone());
    }
    response
}

/// The answer to a request that a stopping server interrupts.
fn stopped() -> Response {
    let help = "what it had sent may be charged for: when the service answers again, its list of runs and get_run say what \
                became of it; a request with a `request_id` may be sent again as it is";
    let fault = Fault::new("E1173", "the server is stopping, and the request was interrupted", help);
    let error = json!({ "code": INTERNAL, "message": fault.message(), "data": fault.json() });
    let body = json!({ "jsonrpc": "2.0", "id": null, "error": error });
    (StatusCode::SERVICE_UNAVAILABLE, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_that_a_stopping_server_interrupts_is_an_error_of_json_rpc() {
        let text = format!("{STOPPED}: no response message received from handler");
        let plain = || http::Response::builder().status(500).body(text.clone().into()).unwrap();
        let ended = CancellationToken::new();
        let told = in_json(State(ended.clone()), plain()).await;
        assert_eq!(told.status(), StatusCode::INTERNAL_SERVER_ERROR);
        ended.cancel();
        let told = in_json(State(ended), plain()).await;
        assert_eq!(
            (told.status(), told.headers()[CONTENT_TYPE].to_str().unwrap()),
            (StatusCode::SERVICE_UNAVAILABLE, "application/json")
        );
        let body = axum::body::to_bytes(told.into_body(), REFUSAL_BYTES_MAX).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!((&body["jsonrpc"], &body["error"]["code"]), (&json!("2.0"), &json!(INTERNAL)));
        assert_eq!(body["error"]["data"]["error"]["code"], "E1173");
    }
}
