//! What is not gRPC on the routes of gRPC, and what asks for a path that nothing answers: told in words that a person at
//! `curl` or a browser can read.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use http::{Method, StatusCode, Version, header};
use serde_json::json;

/// Code of a request that cannot be read, or that asks for what is not there.
const CODE: &str = "E1516";

/// The routes of gRPC, with an answer in JSON to what is not gRPC.
pub(crate) fn told(grpc: Router) -> Router {
    grpc.layer(from_fn(|request: Request, next: Next| async move {
        match refusal(&request) {
            None => next.run(request).await,
            Some(refused) => refused,
        }
    }))
}

fn refusal<B>(request: &http::Request<B>) -> Option<Response> {
    let kind = request.headers().get(header::CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
    let is_web = kind.starts_with(b"application/grpc-web");
    let is_grpc = is_web || (kind.starts_with(b"application/grpc") && request.version() >= Version::HTTP_2);
    // A browser asks first, and says nothing of gRPC then.
    if is_grpc || request.method() == Method::OPTIONS {
        return None;
    }
    let path = request.uri().path();
    let (status, message, help) = if is_method(path) {
        let message = format!("{path} is a method of gRPC, and this request is not gRPC");
        let help = "send gRPC over HTTP/2, or gRPC-Web; `content-type` says which";
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, message, help)
    } else {
        let help = "gRPC services are listed by reflection; beside them are /mcp for agents, and /v1/models, \
                    /v1/chat/completions and /v1/embeddings for clients of OpenAI's API, where they are built in";
        (StatusCode::NOT_FOUND, format!("there is nothing at {path}"), help)
    };
    let body = json!({ "error": { "code": CODE, "message": message, "help": help } });
    Some((status, [(header::CONTENT_TYPE, "application/json")], format!("{body}\n")).into_response())
}

/// Whether a path has the form `/package.Service/Method`.
fn is_method(path: &str) -> bool {
    let parts = path.trim_start_matches('/').split_once('/');
    parts
        .is_some_and(|(service, method)| service.contains('.') && !method.is_empty() && !method.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(version: Version, path: &str, kind: &str) -> Option<u16> {
        let request = http::Request::post(path).version(version).header(header::CONTENT_TYPE, kind);
        refusal(&request.body(()).unwrap()).map(|refused| refused.status().as_u16())
    }

    #[test]
    fn what_is_not_grpc_is_told_so() {
        let method = "/orchestra.v1.RunService/GetRun";
        for (version, path, kind, refused) in [
            (Version::HTTP_2, method, "application/grpc", None),
            (Version::HTTP_11, method, "application/grpc-web+proto", None),
            (Version::HTTP_11, method, "application/grpc", Some(415)),
            (Version::HTTP_2, method, "application/json", Some(415)),
            (Version::HTTP_2, "/nobody.Knows/It", "application/grpc", None),
            (Version::HTTP_11, "/", "", Some(404)),
            (Version::HTTP_11, "/v1", "application/json", Some(404)),
            (Version::HTTP_2, "/mcp/", "application/json", Some(404)),
        ] {
            assert_eq!(status(version, path, kind), refused, "{version:?} {path} {kind}");
        }
    }
}
