//! Documents by the way out of calls: what is asked, what comes back, and what each failure is.

mod support;

use std::time::Duration;

use subnet::egress::{ExchangeError, FetchError, Fetched, Validators};
use support::*;

const PATIENT: Duration = Duration::from_millis(PATIENT_MS);

fn with_etag(body: &str) -> Reply {
    let head = format!("HTTP/1.1 200 OK\r\netag: \"a\"\r\ncontent-length: {}\r\n\r\n", body.len());
    Reply::Bytes(format!("{head}{body}").into_bytes())
}

#[tokio::test]
async fn a_document_is_fetched_as_its_address_is_written_and_once() {
    let peer = Peer::start(|seen| match seen.header("if-none-match") {
        Some("\"a\"") => Reply::Bytes(b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec()),
        _ => with_etag("text"),
    })
    .await;
    let client = peer.client();
    let url = format!("{}/docs/?format=json", peer.origin());
    let first = client.egress().fetch(&url, &Validators::default(), PATIENT).await.unwrap();
    let Fetched::Document { bytes, validators } = first else { unreachable!() };
    assert_eq!((&bytes[..], validators.etag.as_deref()), (&b"text"[..], Some("\"a\"")));
    let again = client.egress().fetch(&url, &validators, PATIENT).await.unwrap();
    assert!(matches!(again, Fetched::NotModified));
    let seen = peer.seen();
    assert_eq!(seen[0].line, "GET /docs/?format=json HTTP/1.1");
    assert!(seen[0].header("user-agent").unwrap().starts_with("orchestra/"));
}

#[tokio::test]
async fn whatever_is_no_document_is_told_apart() {
    let peer = Peer::start(|seen| match seen.line.split(' ').nth(1).unwrap() {
        "/moved" => Reply::Bytes(
            b"HTTP/1.1 301 Moved\r\nlocation: https://x.example/\r\ncontent-length: 0\r\n\r\n".to_vec(),
        ),
        // Nobody asked whether it changed.
        "/same" => Reply::Bytes(b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec()),
        "/silent" => Reply::Hang,
        _ => answer("404 Not Found", "text/html", "<html>"),
    })
    .await;
    let client = peer.client();
    let fetch = async |path: &str, limit| {
        let url = format!("{}{path}", peer.origin());
        client.egress().fetch(&url, &Validators::default(), limit).await.unwrap_err()
    };
    let moved = fetch("/moved", PATIENT).await;
    assert_eq!(
        moved.to_string(),
        "it answers with status 301 Moved Permanently, which leads to `https://x.example/`"
    );
    for (path, expected) in [("/same", 304), ("/gone", 404)] {
        let FetchError::Status { status, location } = fetch(path, PATIENT).await else { unreachable!() };
        assert_eq!((status.as_u16(), location), (expected, None));
    }
    let silent = fetch("/silent", Duration::from_millis(1)).await;
    assert!(matches!(silent, FetchError::Exchange(ExchangeError::Timeout { .. })), "{silent}");
    let refused = client.egress().fetch("http://10.0.0.1:8080/x", &Validators::default(), PATIENT).await;
    assert!(matches!(refused, Err(FetchError::Exchange(ExchangeError::Refused(_)))));
    let blanks = client.egress().fetch("https://a.example/?a b", &Validators::default(), PATIENT).await;
    assert!(matches!(blanks, Err(FetchError::Exchange(ExchangeError::Refused(_)))));
}
