//! What this crate adds to a call: the same POST of 512 bytes to the same loopback server, by the bare hyper client
//! and by [`subnet::Client`] with encoding, checks and typed decoding; rounds interleaved, medians of rounds.
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, reason = "a benchmark")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioIo};
use schema::operation::OperationDescriptor;
use schema::value::Value;
use serde_json::json;
use subnet::egress::{EgressPolicy, Options};
use subnet::secrets::SecretStore;
use subnet::{CallContext, Client, Follow, PreparedOperation};
use tokio::net::TcpListener;

const ROUNDS: usize = 9;
const CALLS: usize = 4_000;

type Bare = legacy::Client<legacy::connect::HttpConnector, Full<Bytes>>;

fn main() {
    // Client and server share two threads, as in the floors that other clients were measured with.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    let origin = serve().await;
    let bare: Bare = legacy::Client::builder(TokioExecutor::new()).build_http();
    let policy = EgressPolicy { allow_loopback: true, allow_private: false };
    let client = Client::new(Options { policy, ..Options::default() }).unwrap();
    let operation = operation(&origin);
    let types = schema::json_schema::OperationTypes::of(&operation).unwrap();
    let prepared = client.prepare(&operation, types.into(), None).unwrap();
    println!(
        "{:>9}  {:>22}  {:>22}  {:>9}",
        "in flight", "bare: us/call (calls/s)", "ours: us/call (calls/s)", "adds us"
    );
    for in_flight in [1, 8, 64] {
        let mut rows = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            rows[0].push(timed(in_flight, |calls| bare_calls(bare.clone(), origin.clone(), calls)).await);
            rows[1].push(timed(in_flight, |calls| our_calls(client.clone(), prepared.clone(), calls)).await);
        }
        let [bare, ours] = rows.map(|mut row| {
            row.sort();
            row[ROUNDS / 2]
        });
        // With n in flight a call waits for n - 1 others; its share of the machine is the whole time over the calls.
        let micros = |time: Duration| time.as_secs_f64() * 1e6 / CALLS as f64;
        let shown = |time: Duration| format!("{:.1} ({:.0})", micros(time), 1e6 / micros(time));
        println!(
            "{in_flight:>9}  {:>23}  {:>23}  {:>9.1}",
            shown(bare),
            shown(ours),
            micros(ours) - micros(bare)
        );
    }
}

async fn timed<F>(in_flight: usize, task: impl Fn(usize) -> F) -> Duration
where
    F: Future<Output = ()> + Send + 'static,
{
    let begun = Instant::now();
    let tasks: Vec<_> = (0..in_flight).map(|_| tokio::spawn(task(CALLS / in_flight))).collect();
    for task in tasks {
        task.await.unwrap();
    }
    begun.elapsed()
}

fn text() -> String {
    "x".repeat(500)
}

async fn bare_calls(client: Bare, origin: String, calls: usize) {
    let uri: http::Uri = format!("{origin}/items").parse().unwrap();
    let body = Bytes::from(format!(r#"{{"q":"{}"}}"#, text()));
    for _ in 0..calls {
        let request = http::Request::post(uri.clone()).header("content-type", "application/json");
        let response = client.request(request.body(Full::new(body.clone())).unwrap()).await.unwrap();
        response.into_body().collect().await.unwrap();
    }
}

async fn our_calls(client: Client, operation: PreparedOperation, calls: usize) {
    let input = Value::record([Value::string(text())]);
    let secrets = SecretStore::new();
    let timeout = Duration::from_secs(30);
    let context = CallContext {
        request_nonce: [1; 32],
        timeout,
        secrets: &secrets,
        hotkey: None,
        follow: Follow::default(),
        listener: None,
    };
    for _ in 0..calls {
        client.call(&operation, &input, &context).await.result.unwrap();
    }
}

fn operation(origin: &str) -> OperationDescriptor {
    let schema = json!({"type": "object", "required": ["q"], "properties": {"q": {"type": "string"}}});
    serde_json::from_value(json!({
        "id": "sn1.bench", "netuid": 1, "version": {"breaking": 1, "compatible": 0}, "summary": "", "access": "open",
        "transport": {"kind": "http", "method": "POST", "base_url": origin, "path": "/items", "response": "json"},
        "auth": {"kind": "none"}, "side_effects": "none", "repeat": {"safe": true, "costs_again": false},
        "input": schema, "output": schema, "output_complete": true, "sources": [],
    }))
    .unwrap()
}

/// Echoes the body.
async fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let echo = service_fn(|request: http::Request<hyper::body::Incoming>| async {
            let body = request.into_body().collect().await?.to_bytes();
            let mut answer = http::Response::new(Full::new(body));
            let json = http::HeaderValue::from_static("application/json");
            answer.headers_mut().insert(http::header::CONTENT_TYPE, json);
            Ok::<_, hyper::Error>(answer)
        });
        let echo = Arc::new(echo);
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            let echo = Arc::clone(&echo);
            tokio::spawn(async move {
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), &*echo)
                    .await;
            });
        }
    });
    format!("http://{address}")
}
