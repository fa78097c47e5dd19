//! What one call costs: `CallService.Call` of `orch serve` over TCP against a bare unary call of the same server and a bare call
//! of the subnet client in the same run, rounds interleaved, beside a server that makes the same call of the subnet for its
//! caller and does nothing else; and how long `orch call` takes from its start to the first byte at
//! the subnet, on a machine that has just run it.
//!
//! Server, subnet and the server that passes on are processes of their own; the latter two are this program once more. Where
//! another `orch` is measured, the bare call is of this program still.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark prints its result and stops where it cannot go on"
)]

mod served;

use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use proto::v1;
use proto::v1::call_service_client::CallServiceClient;
use proto::v1::call_service_server::{CallService, CallServiceServer};
use schema::operation::OperationDescriptor;
use schema::value::Value;
use serde_json::json;
use served::{Served, orch, publish};
use subnet::egress::{self, EgressPolicy};
use subnet::secrets::SecretStore;
use subnet::{CallContext, Client, Follow, PreparedOperation};
use tonic::codegen::BoxStream;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

/// As `orch` has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 10;
const CALLS: usize = 200;
const STARTS: usize = 21;

/// What this program is told to be instead of the benchmark.
const SUBNET: &str = "subnet";
const PASSING_ON: &str = "passing-on";

/// What it is told to measure alone: `cargo bench .. -- calls`.
const CALLS_ALONE: &str = "calls";

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [SUBNET] => {
            let (url, _) = serve();
            be(&url);
        }
        [PASSING_ON, url] => pass_on(&operation(url)),
        [CALLS_ALONE, ..] => measure_calls(),
        _ => {
            measure_calls();
            cold();
        }
    }
}

fn measure_calls() {
    let subnet = Own::start(&[SUBNET]);
    // One thread, as a client in a process of its own has.
    let client = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!(
        "one call at a time, p50      bare unary  bare call  passed on  adds       CallService.Call  adds"
    );
    let folder = served::project();
    for (name, args) in [("in memory", &["--no-journal"][..]), ("durable", &[])] {
        let served = Served::start(folder.path(), args);
        let passes_on = Own::start(&[PASSING_ON, &subnet.url]);
        client.block_on(calls(name, &format!("http://{}", served.address), &passes_on.url, &subnet.url));
    }
}

/// This program as something else, and where it listens.
struct Own {
    child: Child,
    url: String,
}

impl Own {
    fn start(args: &[&str]) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        let mut child = command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, url: line.trim().to_owned() }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Says where threads of this process listen, and lets them do so while whoever started it is there.
fn be(url: &str) {
    println!("{url}");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

/// The same question by each way, in turn.
async fn calls(name: &str, address: &str, passes_on: &str, subnet: &str) {
    let channel = async |to: &str| Endpoint::from_shared(to.to_owned()).unwrap().connect().await.unwrap();
    let (served, mut passing) = (channel(address).await, CallServiceClient::new(channel(passes_on).await));
    publish(served.clone(), &entry(subnet)).await;
    let (mut health, mut ours) = (HealthClient::new(served.clone()), CallServiceClient::new(served));
    let asked = Asked::of(&operation(subnet));
    let request = v1::CallRequest {
        operation: OPERATION.into(),
        arguments_json: br#"{"q":"a"}"#.as_slice().into(),
        ..v1::CallRequest::default()
    };
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..ROUNDS {
        for _ in 0..CALLS {
            let begun = Instant::now();
            health.check(HealthCheckRequest { service: String::new() }).await.unwrap();
            times[0].push(begun.elapsed());
        }
        for _ in 0..CALLS {
            let begun = Instant::now();
            asked.ask().await;
            times[1].push(begun.elapsed());
        }
        for (client, times) in [&mut passing, &mut ours].into_iter().zip(&mut times[2..]) {
            for _ in 0..CALLS {
                let begun = Instant::now();
                client.call(request.clone()).await.unwrap();
                times.push(begun.elapsed());
            }
        }
    }
    let [unary, bare, passed, ours] = times.map(|mut times| median(&mut times));
    let [more, adds] = [passed, ours].map(|took| took.saturating_sub(unary + bare));
    println!(
        "{name:<24}  {unary:>13.1?}  {bare:>9.1?}  {passed:>9.1?}  {more:<9.1?}  {ours:>16.1?}  {adds:.1?}"
    );
}

/// The subnet client with one question.
struct Asked {
    client: Client,
    prepared: PreparedOperation,
    input: Value,
    secrets: SecretStore,
}

impl Asked {
    fn of(operation: &OperationDescriptor) -> Self {
        let egress = egress::Options {
            policy: EgressPolicy { allow_loopback: true, allow_private: false },
            ..egress::Options::default()
        };
        let client = Client::new(egress).unwrap();
        let types = schema::json_schema::OperationTypes::of(operation).unwrap();
        let prepared = client.prepare(operation, types.into(), None).unwrap();
        let input = Value::record([Value::string("a".to_owned())]);
        Self { client, prepared, input, secrets: SecretStore::new() }
    }

    async fn ask(&self) {
        let context = CallContext {
            request_nonce: [1; 32],
            timeout: Duration::from_secs(30),
            secrets: &self.secrets,
            hotkey: None,
            follow: Follow::default(),
            listener: None,
        };
        self.client.call(&self.prepared, &self.input, &context).await.result.unwrap();
    }
}

#[tonic::async_trait]
impl CallService for Asked {
    type StreamStream = BoxStream<v1::StreamResponse>;

    async fn call(&self, _: Request<v1::CallRequest>) -> Result<Response<v1::CallResponse>, Status> {
        self.ask().await;
        Ok(Response::new(v1::CallResponse::default()))
    }

    async fn stream(&self, _: Request<v1::StreamRequest>) -> Result<Response<Self::StreamStream>, Status> {
        Err(Status::unimplemented("only whole calls are compared"))
    }
}

/// A server that asks the subnet and does nothing else.
fn pass_on(operation: &OperationDescriptor) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let _inside = runtime.enter();
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap().with_nodelay(Some(true));
    let address = incoming.local_addr().unwrap();
    let service = CallServiceServer::new(Asked::of(operation));
    runtime.spawn(Server::builder().add_service(service).serve_with_incoming(incoming));
    be(&format!("http://{address}"));
}

const OPERATION: &str = "sn65020.ask";

fn operation(url: &str) -> OperationDescriptor {
    serde_json::from_value(entry(url)).unwrap()
}

fn entry(url: &str) -> serde_json::Value {
    let schema =
        |name: &str| json!({"type": "object", "required": [name], "properties": {name: {"type": "string"}}});
    json!({
        "id": OPERATION, "netuid": 65020, "version": {"breaking": 1, "compatible": 0}, "summary": "Answers.",
        "access": "open", "auth": {"kind": "none"}, "side_effects": "none",
        "transport": {"kind": "http", "method": "POST", "base_url": url, "path": "/ask", "response": "json"},
        "repeat": {"safe": true, "costs_again": false}, "price": {"kind": "free"}, "output_complete": true,
        "input": schema("q"), "output": schema("v"), "sources": [{"kind": "test", "reference": "benchmark"}],
    })
}

/// From the start of `orch call` to the first byte of its request.
fn cold() {
    let (url, arrivals) = serve();
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "[development]\nallow_loopback = true\n[endpoints]\nsn22 = \"{url}\"\n\
         [secrets.sn22]\norigin = \"{url}\"\nenv = \"PATH\"\n"
    );
    fs::write(folder.path().join("orchestra.toml"), text).unwrap();
    let start = |extra: &[&str]| {
        let begun = Instant::now();
        let mut command =
            orch(folder.path(), &["call", "sn22.web_search", "query=a", "--max-cost", "0.01USD"]);
        let ended = command.args(extra).stdout(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        arrivals.recv().unwrap() - begun
    };
    println!("\norch call, start to first byte at the subnet, p50 of {STARTS}");
    let show = |what: &str, before: &dyn Fn(), extra: &[&str]| {
        let mut times = Vec::new();
        for _ in 0..STARTS {
            before();
            times.push(start(extra));
        }
        println!("{what:<40}  {:>9.1?}", median(&mut times));
    };
    let state = folder.path().join(".orchestra");
    show("in a folder without a store", &|| drop(fs::remove_dir_all(&state)), &[]);
    show("in a project with a store", &|| {}, &[]);
    show("with --no-journal", &|| {}, &["--no-journal"]);
    let served = Served::start(folder.path(), &[]);
    show("with --server", &|| {}, &["--server", &served.address]);
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A subnet that answers everything alike, on threads of its own, and tells when the first byte of each request came.
fn serve() -> (String, mpsc::Receiver<Instant>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, arrivals) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, sender) = (stream.unwrap(), sender.clone());
            std::thread::spawn(move || {
                stream.set_nodelay(true).unwrap();
                let (mut request, mut part, mut told) = (Vec::new(), [0; 4096], false);
                while let Ok(read @ 1..) = stream.read(&mut part) {
                    if !told {
                        // Nobody listens where only whole calls are measured.
                        let _ = sender.send(Instant::now());
                        told = true;
                    }
                    request.extend_from_slice(&part[..read]);
                    if is_whole(&request) {
                        request.clear();
                        told = false;
                        let body = r#"{"v":"fine","data":[]}"#;
                        let length = body.len();
                        let head = format!(
                            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
                        );
                        stream.write_all((head + body).as_bytes()).unwrap();
                    }
                }
            });
        }
    });
    (url, arrivals)
}

/// Whether head and body of a request have arrived.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    body.len() >= length.unwrap_or(0)
}
