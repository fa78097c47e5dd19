//! Subnets that are not there, and subnets that answer anything but what their entry says.

use std::time::Duration;

use e2e::service::{Host, counts_of, development, failure_of, result_of, total_of};
use e2e::subnet::{Reply, Subnet, micro_usd, operation};
use proto::v1;
use serde_json::json;
use server::StoreLocation;

use super::{PRICE, asking, one};

const PATIENT: &str = "timeout: 60s";

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_subnet_is_unavailable_and_costs_nothing() {
    let host = Host::open(development(StoreLocation::Memory)).await;
    let dead = Subnet::nowhere().await;
    host.clients.publish(&operation("ask", &dead, micro_usd(PRICE), true)).await;
    let policy = "timeout: 60s, retry: { max: 2, backoff: 1ms }";
    let run = host.clients.run(&one(policy), &json!({"q": "anybody there?"})).await;
    assert_eq!(failure_of(&run), ("unavailable".into(), "E1141".into(), String::new()));
    assert!(run.error.as_ref().unwrap().message.contains("refused"), "{:?}", run.error);
    // Nothing left this process, so nothing can have been charged.
    assert_eq!((total_of(&run), run.total_certain), (0, true));
    let events = host.clients.events(&run.name, 0).await;
    let sent = events.iter().filter(|event| event.kind() == v1::RunEventKind::AttemptSent).count();
    assert_eq!(sent, 3, "it was tried as often as the plan says");
    host.verified(&run).await;
}

fn raw(head: &str, body: &str) -> Reply {
    Reply::Raw(format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes())
}

fn json_of(body: impl Into<String>) -> Reply {
    Reply::Status(200, "application/json", body.into())
}

/// Every lie with the kind, code and JSON path it has to end in.
fn lies() -> Vec<(&'static str, Reply, &'static str, &'static str, &'static str)> {
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n".to_vec();
    let headers = format!("x-padding: {}\r\n", "y".repeat(1_000)).repeat(40);
    vec![
        ("another type", json_of("{\"v\": 7}"), "invalid", "E1120", "$.v"),
        ("null", json_of("{\"v\": null}"), "invalid", "E1120", "$.v"),
        ("missing", json_of("{\"w\": \"a\"}"), "invalid", "E1120", "$.v"),
        ("too long", json_of(json!({"v": "x".repeat(201)}).to_string()), "invalid", "E1120", "$.v"),
        ("no object", json_of("[\"v\"]"), "invalid", "E1120", "$"),
        ("a key twice", json_of("{\"v\": \"a\", \"v\": \"b\"}"), "invalid", "E1121", "$.v"),
        ("too deep", json_of(format!("{{\"v\": \"a\", \"w\": {deep}}}")), "invalid", "E1122", ""),
        ("cut JSON", json_of("{\"v\": \"a"), "invalid", "E1123", ""),
        ("two documents", json_of("{\"v\": \"a\"} {}"), "invalid", "E1123", ""),
        ("not UTF-8", Reply::Raw(latin_1()), "invalid", "E1123", ""),
        ("nothing", json_of(""), "invalid", "E1123", ""),
        ("HTML", Reply::Status(200, "text/html", "<html>moved</html>".into()), "invalid", "E1148", "$"),
        ("compressed", raw("200 OK\r\ncontent-encoding: gzip", "x"), "invalid", "E1148", "$"),
        (
            "endless",
            Reply::Endless(head.clone(), vec![b' '; 1 << 16], Duration::ZERO),
            "invalid",
            "E1149",
            "$",
        ),
        ("headers", raw(&format!("200 OK\r\n{}", headers.trim_end()), "{}"), "invalid", "E1149", "$"),
        ("no HTTP", Reply::Raw(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), "unavailable", "E1142", ""),
        ("short body", raw("200 OK\r\nx: y", "{\"v\":").cut(), "unavailable", "E1142", ""),
        ("closed", Reply::Drop, "unavailable", "E1142", ""),
        ("moved", raw("302 Found\r\nlocation: http://127.0.0.1:1/", ""), "rejected", "E1147", ""),
        ("no such path", Reply::Status(404, "application/json", "{}".into()), "rejected", "E1146", ""),
        ("no credentials", Reply::Status(401, "application/json", "{}".into()), "unauthorized", "E1145", ""),
        ("slow down", Reply::Status(429, "application/json", "{}".into()), "rate_limited", "E1144", ""),
        ("broken", Reply::Status(503, "text/html", "<h1>503</h1>".into()), "unavailable", "E1143", ""),
    ]
}

/// `{"v": "é"}` in another character set than the only one that JSON has.
fn latin_1() -> Vec<u8> {
    let mut answer =
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n".to_vec();
    answer.extend_from_slice(b"{\"v\": \"\xe9\"}");
    answer
}

trait Cut {
    fn cut(self) -> Self;
}

impl Cut for Reply {
    /// Announces more than it sends.
    fn cut(self) -> Self {
        match self {
            Self::Raw(bytes) => {
                let text = String::from_utf8(bytes).unwrap();
                Self::Raw(text.replace("content-length: ", "content-length: 9").into_bytes())
            }
            other => other,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_lie_of_a_subnet_has_its_own_name() {
    let (host, subnet) = asking(|question| {
        let lies = lies();
        let lie = lies.into_iter().find(|(name, ..)| *name == question);
        lie.map_or_else(|| Reply::echo(question), |(_, reply, ..)| reply)
    })
    .await;
    for (name, _, kind, code, path) in lies() {
        let run = host.clients.run(&one(PATIENT), &json!({ "q": name })).await;
        let (found_kind, found_code, found_path) = failure_of(&run);
        assert_eq!((found_kind.as_str(), found_code.as_str()), (kind, code), "{name}: {:?}", run.error);
        assert!(found_path.starts_with(path), "{name}: {found_path}");
        assert_eq!(found_path.is_empty(), kind != "invalid", "{name}: {found_path}");
        // It was asked, so it may charge, unless it turned the request away.
        let price = if matches!(code, "E1144" | "E1145") { 0 } else { PRICE };
        assert_eq!((counts_of(&run), total_of(&run)), ((1, 1), price), "{name}");
        host.verified(&run).await;
    }
    let run = host.clients.run(&one(PATIENT), &json!({"q": "the truth"})).await;
    assert_eq!(result_of(&run), "the truth");
    assert_eq!(subnet.count(), lies().len() + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drip_that_never_ends_costs_the_timeout_and_no_more() {
    let (host, _subnet) = asking(|_| {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n";
        Reply::Endless(head.to_vec(), b" ".to_vec(), Duration::from_millis(20))
    })
    .await;
    let run = host.clients.run(&one("timeout: 1s"), &json!({"q": "drip"})).await;
    let (kind, code, _) = failure_of(&run);
    assert!(kind == "timeout" && ["E1140", "E1153"].contains(&code.as_str()), "{:?}", run.error);
    assert_eq!(total_of(&run), PRICE);
    host.verified(&run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_liar_that_mends_its_ways_is_healed_by_retries_and_each_lie_is_paid() {
    let lied = std::sync::atomic::AtomicUsize::new(0);
    let (host, subnet) =
        asking(move |question| match lied.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => Reply::Drop,
            1 => json_of("{\"v\": 7}"),
            2 => Reply::Status(200, "text/html", "<html>".into()),
            _ => Reply::echo(question),
        })
        .await;
    let policy = "timeout: 60s, retry: { max: 3, backoff: 1ms }";
    let run = host.clients.run(&one(policy), &json!({"q": "well?"})).await;
    assert_eq!(result_of(&run), "well?");
    assert_eq!((counts_of(&run), total_of(&run)), ((1, 4), 4 * PRICE));
    assert_eq!(subnet.count(), 4);
    host.verified(&run).await;
}
