//! gRPC-Web by HTTP/1 as a browser sends it, beside routes that are no gRPC, and the origins whose pages may use it.
#![expect(clippy::unwrap_used, reason = "tests")]

use axum::routing::get;
use e2e::service::{Served, development};
use server::StoreLocation;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const LIST: &str = "/orchestra.v1.LedgerService/ListOperations";
const GET: &str = "/orchestra.v1.LedgerService/GetOperation";
const WEB: &str = "content-type: application/grpc-web+proto\r\nx-grpc-web: 1\r\n";
/// A message without fields.
const EMPTY: &[u8] = &[0; 5];
const PAGE: &str = "https://app.example";

/// A server that admits the pages of `origins`, with a route of its own.
async fn served(origins: &[&'static str]) -> Served {
    let mut options = development(StoreLocation::Memory);
    options.allow_origins = origins.iter().map(|origin| http::HeaderValue::from_static(origin)).collect();
    Served::beside(options, axum::Router::new().route("/hello", get(|| async { "hi" }))).await
}

/// Head and body of the answer to one request of HTTP/1.1, the head in lower case.
async fn ask(served: &Served, method: &str, path: &str, headers: &str, body: &[u8]) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let (head, body) = answer.split_at(end + 4);
    (String::from_utf8(head.to_ascii_lowercase()).unwrap(), body.to_vec())
}

fn holds(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn a_request_of_grpc_web_is_answered_with_its_trailers_in_the_body() {
    let served = served(&[]).await;
    let (head, body) = ask(&served, "POST", LIST, WEB, EMPTY).await;
    assert!(
        head.starts_with("http/1.1 200") && head.contains("content-type: application/grpc-web+proto"),
        "{head}"
    );
    assert!(holds(&body, "sn1.") && holds(&body, "grpc-status:0"), "{head}");
    let (head, _) = ask(&served, "POST", GET, WEB, EMPTY).await;
    assert!(head.contains("content-type: application/grpc-web+proto"), "{head}");
    assert!(
        head.contains("grpc-status-details-bin: ") && !head.contains("grpc-status: 0"),
        "a coded error: {head}"
    );
}

#[tokio::test]
async fn routes_beside_grpc_are_left_alone_and_what_is_not_grpc_is_told_so() {
    let served = served(&[]).await;
    let (head, body) = ask(&served, "GET", "/hello", "", b"").await;
    assert!(head.starts_with("http/1.1 200") && holds(&body, "hi"), "{head}");
    assert!(!head.contains("access-control") && !head.contains("grpc"), "{head}");
    let (head, _) = ask(&served, "GET", "/nowhere", "", b"").await;
    assert!(head.starts_with("http/1.1 404") && head.contains("content-type: application/json"), "{head}");
    for (path, status, why) in [
        ("/nowhere", "404", "there is nothing at /nowhere"),
        ("/", "404", "there is nothing at /"),
        (LIST, "415", "this request is not gRPC"),
    ] {
        let (head, body) = ask(&served, "GET", path, "", b"").await;
        assert!(head.starts_with(&format!("http/1.1 {status}")) && !head.contains("grpc-status"), "{head}");
        assert!(holds(&body, "E1516") && holds(&body, why), "{}", String::from_utf8_lossy(&body));
    }
    let (head, _) = ask(&served, "POST", LIST, "content-type: application/grpc\r\n", b"").await;
    assert!(head.starts_with("http/1.1 415"), "gRPC itself needs HTTP/2: {head}");
}

#[tokio::test]
async fn only_pages_of_an_origin_that_is_named_may_ask() {
    let preflight = |origin: &str| {
        format!(
            "origin: {origin}\r\naccess-control-request-method: POST\r\naccess-control-request-headers: x-grpc-web\r\n"
        )
    };
    let closed = served(&[]).await;
    let (head, _) = ask(&closed, "OPTIONS", LIST, &preflight(PAGE), b"").await;
    assert!(!head.contains("access-control-allow-origin"), "none is admitted unless named: {head}");

    let open = served(&[PAGE]).await;
    let (head, _) = ask(&open, "OPTIONS", LIST, &preflight(PAGE), b"").await;
    assert!(head.contains("access-control-allow-origin: https://app.example\r\n"), "{head}");
    for header in ["authorization", "x-grpc-web", "grpc-timeout", "content-type"] {
        assert!(head.contains(header), "{header}: {head}");
    }
    let (head, _) = ask(&open, "OPTIONS", LIST, &preflight("https://other.example"), b"").await;
    assert!(!head.contains("access-control-allow-origin"), "{head}");

    let (head, body) = ask(&open, "POST", LIST, &format!("{WEB}origin: {PAGE}\r\n"), EMPTY).await;
    assert!(holds(&body, "grpc-status:0"), "{head}");
    assert!(head.contains("access-control-allow-origin: https://app.example\r\n"), "{head}");
    assert!(
        head.contains("access-control-expose-headers: grpc-status,grpc-message,grpc-status-details-bin"),
        "{head}"
    );
}
