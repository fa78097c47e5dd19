//! The endpoint for clients of OpenAI's API: `/v1/models`, `/v1/chat/completions` and `/v1/embeddings`, where a model is
//! an operation, a capability or a published plan. A client of the gRPC services and nothing more: what it may do, what
//! it costs and how it is proven is decided there.
//!
//! Read [`router`] first, then `chat` for the way of a request, `shape` for what can be a model and `parameters` for what
//! becomes of each parameter. `docs/openai.md` is the page for users.
#![forbid(unsafe_code)]

mod answer;
mod caller;
mod chat;
mod embeddings;
mod error;
mod json;
mod messages;
mod models;
mod parameters;
mod plan;
mod retries;
mod shape;
mod stream;
mod told;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::{Method, StatusCode, Uri};
use proto::Channel;
use schema::amount::Amount;
use schema::limits::CALL_BODY_BYTES_MAX;

use error::{Failure, code};
use models::Models;
use retries::Underway;

/// Bytes of the largest body; what the services admit as arguments.
const BODY_BYTES_MAX: usize = CALL_BODY_BYTES_MAX;
/// Bytes of the largest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// How the endpoint behaves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The most that a request may cost which does not say so itself.
    pub cost_max: Option<Amount>,
}

/// What every request needs.
#[derive(Debug)]
struct Face {
    service: Channel,
    options: Options,
    models: Models,
    underway: Underway,
}

/// The endpoint below `/v1`, as a client of the services behind `service`.
pub fn router(service: Channel, options: Options) -> Router {
    let models = Models::new(service.clone());
    let face = Arc::new(Face { service, options, models, underway: Underway::default() });
    Router::new()
        .route("/v1/models", get(models::list).fallback(wrong_method))
        .route("/v1/models/{*id}", get(models::one).fallback(wrong_method))
        .route("/v1/chat/completions", post(chat::completions).fallback(wrong_method))
        .route("/v1/embeddings", post(embeddings::embeddings).fallback(wrong_method))
        .route("/v1/{*rest}", axum::routing::any(nothing_there))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(face)
}

async fn wrong_method(method: Method, uri: Uri) -> Response {
    let message = format!("{} does not take {method}", uri.path());
    Failure::new(StatusCode::METHOD_NOT_ALLOWED, code::UNREADABLE, message).into_response()
}

async fn nothing_there(uri: Uri) -> Response {
    let hint = match uri.path() {
        "/v1/completions" | "/v1/responses" => {
            "; write the prompt as a message of role `user` and ask /v1/chat/completions"
        }
        path if path.starts_with("/v1/images") => {
            "; pictures come from operations by CallService, `orch call` or MCP: `orch ledger search image`"
        }
        _ => "",
    };
    let message = format!(
        "there is no {}; there are /v1/models, /v1/models/{{id}}, /v1/chat/completions and /v1/embeddings{hint}",
        uri.path()
    );
    Failure::new(StatusCode::NOT_FOUND, code::UNREADABLE, message).into_response()
}
