//! Programs in browsers: gRPC-Web over HTTP/1 and HTTP/2, and the origins whose pages may use it.

use std::time::Duration;

use axum::Router;
use http::{HeaderName, HeaderValue, Method, header};
use tonic_web::GrpcWebLayer;
use tower_http::cors::CorsLayer;

use crate::not_grpc;

/// What a page may read of an answer beside what every page may: how a call ended, and why.
const EXPOSED: [&str; 3] = ["grpc-status", "grpc-message", "grpc-status-details-bin"];
/// What gRPC-Web and Connect send beside the headers that every page may send.
const SENT: [&str; 4] = ["grpc-timeout", "x-grpc-web", "x-user-agent", "connect-protocol-version"];
/// How long a browser may remember what is allowed.
const REMEMBERED: Duration = Duration::from_secs(600);

/// The routes of gRPC, answering gRPC-Web too. Pages of `origins`, and no others, may call
/// them. Routes that are merged later are left as they are: the layer of gRPC-Web refuses all that is not gRPC.
pub(crate) fn admit(grpc: Router, origins: &[HeaderValue]) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(origins.to_vec())
        .allow_methods([Method::POST])
        .allow_headers(
            [header::CONTENT_TYPE, header::AUTHORIZATION]
                .into_iter()
                .chain(SENT.map(HeaderName::from_static))
                .collect::<Vec<_>>(),
        )
        .expose_headers(EXPOSED.map(HeaderName::from_static))
        .max_age(REMEMBERED);
    not_grpc::told(grpc.route_layer(GrpcWebLayer::new()).route_layer(cors))
}
