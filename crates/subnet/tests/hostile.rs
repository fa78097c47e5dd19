//! Peers and resolvers that misbehave: every case ends in time, in bounds, and under its own name.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use schema::error::{CallErrorKind, CallErrorKind::*};
use serde_json::json;
use subnet::egress::{EgressPolicy, Options, Resolve};
use subnet::secrets::SecretStore;
use subnet::{CallOutcome, Client};
use support::*;
use tokio::net::TcpListener;

/// Long enough for a busy machine to connect and send, short enough to wait for.
const SHORT_MS: u64 = 1_500;

fn assert_failed(outcome: &CallOutcome, kind: CallErrorKind, code: &str, sent: bool) {
    let error = outcome.result.as_ref().expect_err("a failure");
    assert_eq!((error.kind, error.code.as_str(), outcome.sent), (kind, code, sent), "{error}");
}

#[tokio::test]
async fn a_peer_that_never_answers_costs_the_timeout_and_no_more() {
    let begun = Instant::now();
    let outcome = call_once(Reply::Hang, SHORT_MS).await;
    assert_failed(&outcome, Timeout, "E1140", true);
    assert!(begun.elapsed() >= Duration::from_millis(SHORT_MS));
    assert!(outcome.timings.first_byte.is_none());
}

#[tokio::test]
async fn a_drip_an_endless_body_and_a_flood_of_interim_answers_end_with_the_timeout() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    let drip = Reply::Repeat(
        format!("{head}content-length: 1000\r\n\r\n").into(),
        b" ".into(),
        Duration::from_millis(20),
    );
    let slow_head = Reply::Repeat(head.into(), b"x: y\r\n".into(), Duration::from_millis(20));
    let interim =
        Reply::Repeat(Vec::new(), b"HTTP/1.1 103 Early Hints\r\n\r\n".into(), Duration::from_millis(1));
    for reply in [drip, slow_head, interim] {
        assert_failed(&call_once(reply, SHORT_MS).await, Timeout, "E1140", true);
    }
}

#[tokio::test]
async fn an_endless_body_ends_at_the_limit() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n".to_vec();
    let reply = Reply::Repeat(head, vec![b' '; 64 << 10], Duration::ZERO);
    let outcome = call_once(reply, PATIENT_MS).await;
    assert_failed(&outcome, Invalid, "E1149", true);
    assert!(outcome.response_body.is_empty());
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    let mut chunk = b"10000\r\n".to_vec();
    chunk.extend_from_slice(&vec![b' '; 64 << 10]);
    chunk.extend_from_slice(b"\r\n");
    assert_failed(
        &call_once(Reply::Repeat(chunked, chunk, Duration::ZERO), PATIENT_MS).await,
        Invalid,
        "E1149",
        true,
    );
}

#[tokio::test]
async fn the_body_limit_is_exact_whether_announced_or_not() {
    let limit = 1_000;
    for (length, fits) in [(limit, true), (limit + 1, false)] {
        let body = format!(r#"{{"n":1{}}}"#, " ".repeat(length - 7));
        let announced = answer("200 OK", "application/json", &body);
        let unannounced = Reply::Close(format!("HTTP/1.1 200 OK\r\n\r\n{body}").into());
        for reply in [announced, unannounced] {
            let peer = Peer::start(move |_| reply.clone()).await;
            let client = Client::new(Options { body_bytes_max: limit, ..peer.options() }).unwrap();
            let prepared = prepare(&client, &operation(&peer.origin(), "POST"));
            let outcome = client
                .call_fields(&prepared, fields(json!({})), &context(&SecretStore::new(), PATIENT_MS))
                .await;
            if fits {
                assert!(outcome.result.is_ok(), "{:?}", outcome.result);
            } else {
                assert_failed(&outcome, Invalid, "E1149", true);
            }
        }
    }
}

#[tokio::test]
async fn an_announced_giant_is_refused_without_being_read() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 9000000000000000000\r\n\r\n";
    assert_failed(
        &call_once(Reply::Repeat(head.into(), b"x".into(), Duration::from_millis(5)), PATIENT_MS).await,
        Invalid,
        "E1149",
        true,
    );
}

#[tokio::test]
async fn a_body_shorter_than_announced_is_unavailable() {
    let reply = b"HTTP/1.1 200 OK\r\ncontent-length: 4096\r\n\r\n{\"n\": 1}".to_vec();
    let outcome = call_once(Reply::Close(reply), PATIENT_MS).await;
    assert_failed(&outcome, Unavailable, "E1142", true);
    assert_eq!(outcome.status, None);
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7\r\n{\"n\":1}\r\n".to_vec();
    assert_failed(&call_once(Reply::Close(chunked), PATIENT_MS).await, Unavailable, "E1142", true);
}

#[tokio::test]
async fn a_body_longer_than_announced_is_cut_where_it_was_to_end() {
    let reply = b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n{\"n\":1}HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n{\"n\":2}".to_vec();
    let peer = Peer::start(move |_| Reply::Bytes(reply.clone())).await;
    let client = peer.client();
    let prepared = prepare(&client, &operation(&peer.origin(), "POST"));
    let secrets = SecretStore::new();
    for _ in 0..3 {
        // The second, uninvited answer must never be taken for the answer to the next request.
        let outcome = client.call_fields(&prepared, fields(json!({})), &context(&secrets, PATIENT_MS)).await;
        if let Ok(value) = outcome.result {
            assert_eq!(value, schema::value::Value::record([schema::value::Value::Int(1)]));
        }
    }
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_is_unavailable_and_counts_as_sent() {
    for reply in [Vec::new(), b"HTTP/1.1 200 OK\r\ncontent-le".to_vec()] {
        assert_failed(&call_once(Reply::Close(reply), PATIENT_MS).await, Unavailable, "E1142", true);
    }
}

#[tokio::test]
async fn what_is_not_http_is_unavailable() {
    for reply in [
        "SSH-2.0-OpenSSH_9.6\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1 twohundred OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 7\r\ncontent-length: 8\r\n\r\n{\"n\":1}",
        "HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "+OK Dovecot ready.\r\n",
    ] {
        let outcome = call_once(Reply::Close(reply.into()), PATIENT_MS).await;
        assert_failed(&outcome, Unavailable, "E1142", true);
    }
}

#[tokio::test]
async fn compressed_answers_are_refused() {
    for coding in ["gzip", "br", "zstd", "deflate", "identity, gzip", "x-unknown"] {
        let reply =
            format!("HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: 7\r\n\r\n{{\"n\":1}}");
        assert_failed(&call_once(Reply::Bytes(reply.into()), PATIENT_MS).await, Invalid, "E1148", true);
    }
    let identity =
        b"HTTP/1.1 200 OK\r\ncontent-encoding: Identity\r\ncontent-length: 7\r\n\r\n{\"n\":1}".to_vec();
    assert!(call_once(Reply::Bytes(identity), PATIENT_MS).await.result.is_ok());
}

#[tokio::test]
async fn the_limit_on_headers_is_exact() {
    // `content-length: 7\r\n` has 19 bytes, `x: \r\n` has 5.
    let reply = |bytes: usize| {
        let pad = "p".repeat(bytes - 19 - 5);
        Reply::Bytes(format!("HTTP/1.1 200 OK\r\ncontent-length: 7\r\nx: {pad}\r\n\r\n{{\"n\":1}}").into())
    };
    assert!(call_once(reply(32 << 10), PATIENT_MS).await.result.is_ok());
    assert_failed(&call_once(reply((32 << 10) + 1), PATIENT_MS).await, Invalid, "E1149", true);
    let many = |count: usize| {
        let rows: String = (1..count).map(|index| format!("x{index}: y\r\n")).collect();
        Reply::Bytes(format!("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n{rows}\r\n{{\"n\":1}}").into())
    };
    assert!(call_once(many(128), PATIENT_MS).await.result.is_ok());
    assert_failed(&call_once(many(129), PATIENT_MS).await, Unavailable, "E1142", true);
    // Headers without end stop at the read buffer.
    let endless = Reply::Repeat(b"HTTP/1.1 200 OK\r\n".to_vec(), vec![b'h'; 4 << 10], Duration::ZERO);
    assert_failed(&call_once(endless, PATIENT_MS).await, Unavailable, "E1142", true);
}

#[tokio::test]
async fn a_closed_port_costs_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::new(loopback()).unwrap();
    let prepared = prepare(&client, &operation(&origin, "POST"));
    let outcome =
        client.call_fields(&prepared, fields(json!({})), &context(&SecretStore::new(), PATIENT_MS)).await;
    assert_failed(&outcome, Unavailable, "E1141", false);
}

#[tokio::test]
async fn calls_above_the_cap_of_a_host_wait_their_turn_and_time_out_unsent() {
    let peer = Peer::start(|_| Reply::Hang).await;
    let client = Client::new(Options { in_flight_per_host: 2, ..peer.options() }).unwrap();
    let prepared = prepare(&client, &operation(&peer.origin(), "POST"));
    let secrets = SecretStore::new();
    let (first, last) = (context(&secrets, 4 * SHORT_MS), context(&secrets, SHORT_MS));
    let call = |context| client.call_fields(&prepared, fields(json!({})), context);
    let (a, b, c) = tokio::join!(call(&first), call(&first), call(&last));
    let sent = [a, b, c].iter().filter(|outcome| outcome.sent).count();
    assert_eq!((sent, peer.seen().len()), (2, 2));
}

#[tokio::test]
async fn a_stale_pooled_connection_is_replaced_without_a_failure() {
    // The peer closes after each answer without saying so beforehand.
    let peer = Peer::start(|_| match json_answer(&json!({"n": 1})) {
        Reply::Bytes(bytes) => Reply::Close(bytes),
        other => other,
    })
    .await;
    let client = peer.client();
    let prepared = prepare(&client, &operation(&peer.origin(), "POST"));
    let secrets = SecretStore::new();
    for round in 1..=5 {
        let outcome = client.call_fields(&prepared, fields(json!({})), &context(&secrets, PATIENT_MS)).await;
        if outcome.result.is_err() {
            // The close can overtake nothing but a request that was already on its way.
            assert_failed(&outcome, Unavailable, "E1142", true);
        }
        assert!(peer.connections() >= round.min(2));
    }
}

fn loopback() -> Options {
    Options { policy: EgressPolicy { allow_loopback: true, allow_private: false }, ..Options::default() }
}

/// Answers each question with the next of its lists, and the last one for ever after.
struct Scripted {
    answers: Vec<Vec<SocketAddr>>,
    asked: AtomicUsize,
}

impl Resolve for Scripted {
    fn resolve(
        &self,
        _: Arc<str>,
        _: u16,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>> {
        let turn = self.asked.fetch_add(1, Ordering::Relaxed).min(self.answers.len() - 1);
        let answer = self.answers[turn].clone();
        Box::pin(async move { Ok(answer) })
    }
}

fn resolving(answers: &[&[&str]], policy: EgressPolicy) -> (Client, Arc<Scripted>) {
    let answers =
        answers.iter().map(|list| list.iter().map(|text| text.parse().unwrap()).collect()).collect();
    let resolver = Arc::new(Scripted { answers, asked: AtomicUsize::new(0) });
    let options =
        Options { policy, resolver: Arc::clone(&resolver) as Arc<dyn Resolve>, ..Options::default() };
    (Client::new(options).unwrap(), resolver)
}

#[tokio::test]
async fn a_name_with_any_special_address_is_refused_before_a_packet_leaves() {
    let canary = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = canary.local_addr().unwrap().to_string();
    let mapped = format!("[::ffff:127.0.0.1]:{}", canary.local_addr().unwrap().port());
    for answers in [
        vec![own.as_str()],
        vec!["1.1.1.1:443", own.as_str()],
        vec!["[2606:4700:4700::1111]:443", "169.254.169.254:443"],
        vec!["[64:ff9b::7f00:1]:443"],
        vec!["[2002:7f00:1::]:443"],
        vec!["10.0.0.1:443"],
        vec!["0.0.0.0:443"],
        vec![mapped.as_str()],
        vec!["[fe80::1]:443"],
    ] {
        let (client, resolver) = resolving(&[&answers], EgressPolicy::default());
        let prepared = prepare(&client, &operation("https://rebind.example.com", "POST"));
        let outcome =
            client.call_fields(&prepared, fields(json!({})), &context(&SecretStore::new(), PATIENT_MS)).await;
        assert_failed(&outcome, Rejected, "E1101", false);
        assert_eq!(resolver.asked.load(Ordering::Relaxed), 1);
    }
    let accepted = tokio::time::timeout(Duration::from_millis(50), canary.accept()).await;
    assert!(accepted.is_err(), "the canary saw a connection");
}

#[tokio::test]
async fn the_checked_address_is_the_dialled_one_and_each_connection_is_checked_anew() {
    let peer = Peer::start(|_| match json_answer(&json!({"n": 1})) {
        Reply::Bytes(bytes) => Reply::Close(bytes),
        other => other,
    })
    .await;
    let good = peer.address.to_string();
    let policy = EgressPolicy { allow_loopback: true, allow_private: false };
    // First the peer, then the metadata service: a guard that resolves again to connect would dial the second.
    let (client, resolver) = resolving(&[&[&good], &["169.254.169.254:80"]], policy);
    let prepared = prepare(&client, &operation("http://peer.test:8091", "POST"));
    let secrets = SecretStore::new();
    let first = client.call_fields(&prepared, fields(json!({})), &context(&secrets, PATIENT_MS)).await;
    assert!(first.result.is_ok(), "{:?}", first.result);
    assert_eq!(resolver.asked.load(Ordering::Relaxed), 1);
    assert_eq!(peer.seen()[0].header("host"), Some("peer.test:8091"));
    let second = client.call_fields(&prepared, fields(json!({})), &context(&secrets, PATIENT_MS)).await;
    if second.result.as_ref().is_err_and(|error| error.code != "E1142") {
        assert_failed(&second, Rejected, "E1101", false);
    }
}

#[tokio::test]
async fn a_name_that_does_not_resolve_costs_nothing() {
    let (client, _) = resolving(&[&[]], EgressPolicy::default());
    let prepared = prepare(&client, &operation("https://nowhere.example.com", "POST"));
    let outcome =
        client.call_fields(&prepared, fields(json!({})), &context(&SecretStore::new(), PATIENT_MS)).await;
    assert_failed(&outcome, Unavailable, "E1141", false);
}

#[tokio::test]
async fn plain_http_never_reaches_a_public_place_by_name() {
    let policy = EgressPolicy { allow_loopback: true, allow_private: true };
    let (client, _) = resolving(&[&["44.1.2.3:8091"]], policy);
    let prepared = prepare(&client, &operation("http://ledger:8091", "POST"));
    let outcome =
        client.call_fields(&prepared, fields(json!({})), &context(&SecretStore::new(), PATIENT_MS)).await;
    assert_failed(&outcome, Rejected, "E1102", false);
}

/// Run by the test below in a process of its own, whose environment names a proxy.
#[tokio::test]
#[ignore = "needs the environment that `proxies_of_the_environment_are_not_used` makes"]
async fn child_with_a_proxy_in_its_environment() {
    let peer = Peer::start(|_| json_answer(&json!({"n": 1}))).await;
    let client = peer.client();
    let prepared = prepare(&client, &operation(&peer.origin(), "POST"));
    let outcome =
        client.call_fields(&prepared, fields(json!({})), &context(&SecretStore::new(), PATIENT_MS)).await;
    assert!(std::env::var("HTTP_PROXY").is_ok() && outcome.result.is_ok());
}

#[tokio::test]
async fn proxies_of_the_environment_are_not_used() {
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let mut child = tokio::task::spawn_blocking(move || {
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "child_with_a_proxy_in_its_environment"]);
        for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            command.env(name, &address);
        }
        command.output().unwrap()
    });
    tokio::select! {
        output = &mut child => {
            let output = output.unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success() && text.contains("1 passed"), "{text}");
        }
        _ = proxy.accept() => panic!("the proxy was dialled"),
    }
}
