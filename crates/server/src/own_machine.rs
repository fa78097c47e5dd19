//! A server that only its own machine can reach and that asks nobody for a token: pages in a browser of that machine reach
//! it as well, whoever wrote them, and must not spend its user's money.
//!
//! A page of another origin can send a simple request without asking first, and one whose name is made to lead to this
//! machine (DNS rebinding) can send any. The first is told by its `Origin`, the second by the name it calls the server.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, Uri, header};

use crate::status::status;

/// Code of a request that a page elsewhere may have made.
const ELSEWHERE: &str = "E1551";

/// The routes, refusing what a page of another origin than `origins` and this machine's own may have sent.
pub(crate) fn only(router: Router, origins: &[HeaderValue]) -> Router {
    let origins: Arc<[HeaderValue]> = origins.into();
    router.layer(from_fn(move |request: Request, next: Next| {
        let origins = Arc::clone(&origins);
        async move {
            match check(&request, &origins) {
                Ok(()) => next.run(request).await,
                Err(why) => refusal(&request, &why),
            }
        }
    }))
}

fn check<B>(request: &http::Request<B>, origins: &[HeaderValue]) -> Result<(), String> {
    let text = |name| request.headers().get(name).map(|value: &HeaderValue| value.to_str().unwrap_or("?"));
    let named = request.uri().authority().map(|authority| authority.as_str()).or_else(|| text(header::HOST));
    if let Some(name) = named.filter(|name| !is_own(name)) {
        return Err(format!(
            "the request calls this server `{name}`, and it is reached by names of its own machine only"
        ));
    }
    let Some(origin) = request.headers().get(header::ORIGIN) else { return Ok(()) };
    let own = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    let own = own.as_ref().and_then(Uri::authority).is_some_and(|authority| is_own(authority.as_str()));
    if own || origins.contains(origin) {
        return Ok(());
    }
    Err(format!("pages of {} are not admitted", text(header::ORIGIN).unwrap_or_default()))
}

/// Whether `HOST` or `HOST:PORT` names this machine as it names itself.
fn is_own(authority: &str) -> bool {
    if let Ok(address) = authority.parse::<SocketAddr>() {
        return address.ip().is_loopback();
    }
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !host.contains(':') => host,
        _ => authority,
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    is_loopback || host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost")
}

fn refusal<B>(request: &http::Request<B>, why: &str) -> Response {
    let kind = request.headers().get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc")) {
        return status(ELSEWHERE, why).into_http();
    }
    (StatusCode::FORBIDDEN, format!("[{ELSEWHERE}] {why}\n")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(host: &str, origin: Option<&str>) -> Result<(), String> {
        let mut request = http::Request::builder().uri("/v1/chat/completions").header(header::HOST, host);
        if let Some(origin) = origin {
            request = request.header(header::ORIGIN, origin);
        }
        check(&request.body(()).unwrap(), &[HeaderValue::from_static("https://app.example")])
    }

    #[test]
    fn names_and_pages_of_this_machine_pass_and_those_of_others_do_not() {
        for host in [
            "localhost",
            "LOCALHOST:7410",
            "127.0.0.1:7410",
            "127.1.2.3",
            "[::1]:7410",
            "[::1]",
            "a.localhost:1",
        ] {
            assert_eq!(checked(host, None), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:7410",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "10.0.0.1:1",
            "",
        ] {
            assert!(checked(host, None).unwrap_err().contains("calls this server"), "{host}");
        }
        for origin in ["http://localhost:3000", "http://127.0.0.1:1", "https://app.example"] {
            assert_eq!(checked("localhost", Some(origin)), Ok(()), "{origin}");
        }
        for origin in
            ["https://evil.example", "null", "http://localhost.evil.example", "https://app.example:444"]
        {
            assert!(checked("localhost", Some(origin)).unwrap_err().contains("not admitted"), "{origin}");
        }
    }
}
