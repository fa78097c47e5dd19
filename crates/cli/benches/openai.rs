//! What the OpenAI endpoint adds: an answer in one piece against `CallService.Call`, and the first part of a stream against
//! `CallService.Stream` and against the subnet's own stream, all in one run with rounds interleaved; and what a server of
//! its own keeps in memory while 1,000 streams are open.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark prints its result and stops where it cannot go on"
)]

mod served;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use proto::v1;
use proto::v1::call_service_client::CallServiceClient;
use proto::v1::stream_response::Event;
use rustix::process::{Resource, getrlimit, setrlimit};
use serde_json::json;
use served::{Served, publish};
use tonic::transport::{Channel, Endpoint};

const ROUNDS: usize = 10;
const CALLS: usize = 100;
/// Streams are spread over subnets, because calls in flight to one host are limited.
const SUBNETS: usize = 20;
const STREAMS_PER_SUBNET: usize = 50;
const FREE_FILES: u64 = 8_192;

/// The delta with which a stream begins, and the whole of one that ends at once.
const FIRST: &str = r#"data: {"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"fine"}}]}"#;
const LAST: &str = r#"data: {"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const WHOLE: &str = r#"{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"fine"},"finish_reason":"stop"}]}"#;

fn main() {
    let folder = served::project();
    let client = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    client.block_on(added(&Served::start(folder.path(), &["--no-journal"])));
    raise_limit();
    client.block_on(kept(&Served::start(folder.path(), &[])));
}

/// Times of one request at a time.
async fn added(served: &Served) {
    let subnet = Subnet::start();
    let address = served.address.parse().unwrap();
    let channel = connected(address).await;
    publish(channel.clone(), &entry(&subnet, &operation(0))).await;
    let call = || v1::CallRequest {
        operation: operation(0),
        arguments_json: json!({ "model": "m", "messages": messages() }).to_string().into(),
        ..v1::CallRequest::default()
    };
    let mut ours = CallServiceClient::new(channel);
    let [mut whole, mut answered, mut bare, mut told, mut streamed] = [const { Vec::new() }; 5];
    for _ in 0..ROUNDS {
        for _ in 0..CALLS {
            let begun = Instant::now();
            ours.call(call()).await.unwrap();
            whole.push(begun.elapsed());
        }
        answered.extend(times_of(address, false).await);
        bare.extend(times_of(subnet.address, true).await);
        for _ in 0..CALLS {
            let begun = Instant::now();
            let request = v1::StreamRequest { call: Some(call()), want_items: true };
            let mut events = ours.stream(request).await.unwrap().into_inner();
            let mut first = None;
            while let Some(event) = events.message().await.unwrap() {
                if matches!(event.event, Some(Event::Item(_))) {
                    first.get_or_insert_with(|| begun.elapsed());
                }
            }
            told.push(first.unwrap());
        }
        streamed.extend(times_of(address, true).await);
    }
    let [whole, answered, bare, told, streamed] = [whole, answered, bare, told, streamed].map(median);
    let ratio = answered.as_secs_f64() / whole.as_secs_f64();
    println!("one answer at a time, p50 of {}, not durable", ROUNDS * CALLS);
    println!("CallService.Call                        {whole:>9.1?}");
    println!("POST /v1/chat/completions               {answered:>9.1?}  {ratio:.2} times (aim: 1.3)");
    println!("\nfirst part of a stream, p50");
    println!("the subnet's own stream                 {bare:>9.1?}");
    println!("CallService.Stream                      {told:>9.1?}");
    let adds = streamed.saturating_sub(bare);
    println!(
        "POST /v1/chat/completions, stream       {streamed:>9.1?}  adds {adds:.1?} to the subnet's (aim: 1 ms)"
    );
}

/// Requests one after the other over one connection, each timed to its answer or to its first part.
async fn times_of(address: SocketAddr, stream: bool) -> Vec<Duration> {
    tokio::task::spawn_blocking(move || {
        let mut client = Client::connect(address);
        (0..CALLS).map(|_| client.ask(&operation(0), stream)).collect()
    })
    .await
    .unwrap()
}

/// Memory of a server with many open streams.
async fn kept(served: &Served) {
    let subnets: Vec<Subnet> = (0..SUBNETS).map(|_| Subnet::start()).collect();
    let address = served.address.parse().unwrap();
    let channel = connected(address).await;
    for (at, subnet) in subnets.iter().enumerate() {
        publish(channel.clone(), &entry(subnet, &operation(at))).await;
    }
    let one = move || Client::connect(address).ask(&operation(0), true);
    tokio::task::spawn_blocking(one).await.unwrap();
    let before = resident_mib(&served.child);
    subnets.iter().for_each(|subnet| subnet.gate.close());
    // One after the other, so that what is measured is what open streams keep and not what a rush leaves behind.
    let open = move || {
        (0..SUBNETS * STREAMS_PER_SUBNET)
            .map(|at| {
                let mut client = Client::connect(address);
                client.send(&operation(at % SUBNETS), true);
                client.read_until("fine");
                client
            })
            .collect::<Vec<_>>()
    };
    let clients = tokio::task::spawn_blocking(open).await.unwrap();
    let with = resident_mib(&served.child);
    println!("\nmemory of the server process            {before:>5.0} MiB");
    let streams = SUBNETS * STREAMS_PER_SUBNET;
    println!("with {streams} open streams                  {with:>5.0} MiB (aim: 150 MB)");
    subnets.iter().for_each(|subnet| subnet.gate.open());
    let end = move || clients.into_iter().for_each(|mut client| client.read_until("[DONE]"));
    tokio::task::spawn_blocking(end).await.unwrap();
}

fn resident_mib(child: &Child) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<u32>().unwrap() as f64 / 1_024.0
}

/// Each stream is two connections of the server, and as many of this process; a child inherits the limit.
fn raise_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = Some(limit.maximum.map_or(FREE_FILES, |most| most.min(FREE_FILES)));
    setrlimit(Resource::Nofile, limit).unwrap();
}

async fn connected(address: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

/// Id of the operation of one of the subnets.
fn operation(at: usize) -> String {
    format!("sn65020.chat{at}")
}

fn entry(subnet: &Subnet, operation: &str) -> serde_json::Value {
    let text = json!({ "type": "string" });
    let object = |required: &[&str], properties: serde_json::Value| json!({ "type": "object", "required": required, "properties": properties });
    let list = |items: serde_json::Value| json!({ "type": "array", "items": items });
    let message = object(&["role", "content"], json!({ "role": text, "content": text }));
    let choice = object(
        &["index", "message"],
        json!({ "index": { "type": "integer" }, "message": message, "finish_reason": text }),
    );
    json!({
        "id": operation, "netuid": 65020, "version": { "breaking": 1, "compatible": 0 }, "summary": "Chats.",
        "access": "open", "auth": { "kind": "none" }, "side_effects": "none",
        "transport": { "kind": "http", "method": "POST", "base_url": format!("http://{}", subnet.address),
            "path": "/v1/chat/completions", "response": "json", "fixed_body": { "stream": false } },
        "repeat": { "safe": true, "costs_again": false }, "price": { "kind": "free" }, "output_complete": true,
        "input": object(&["model", "messages"], json!({ "model": text, "messages": list(message.clone()) })),
        "output": object(&["id", "object", "model", "choices"],
            json!({ "id": text, "object": text, "model": text, "choices": list(choice) })),
        "delivery": { "kind": "stream", "framing": "events", "end": "[DONE]", "item": true,
            "gather": { "kind": "completion" }, "ask": { "stream": true } },
        "example": { "provenance": "constructed", "input": { "model": "m", "messages": [] }, "output": {} },
        "sources": [{ "kind": "test", "reference": "benchmark" }],
    })
}

fn messages() -> serde_json::Value {
    json!([{ "role": "user", "content": "Say something." }])
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A client over HTTP/1.1 that does nothing but write and read.
struct Client {
    connection: TcpStream,
    read: Vec<u8>,
}

impl Client {
    fn connect(address: SocketAddr) -> Self {
        let connection = TcpStream::connect(address).unwrap();
        connection.set_nodelay(true).unwrap();
        Self { connection, read: Vec::new() }
    }

    fn send(&mut self, model: &str, stream: bool) {
        let body = json!({ "model": model, "messages": messages(), "stream": stream }).to_string();
        let length = body.len();
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        self.connection.write_all((head + &body).as_bytes()).unwrap();
    }

    /// Reads until `text` has come, and forgets what came up to then.
    fn read_until(&mut self, text: &str) {
        let mut part = [0; 4_096];
        loop {
            let found = self.read.windows(text.len()).position(|window| window == text.as_bytes());
            if let Some(at) = found {
                self.read.drain(..at + text.len());
                return;
            }
            let count = self.connection.read(&mut part).unwrap();
            assert!(count > 0, "{}", String::from_utf8_lossy(&self.read));
            self.read.extend_from_slice(&part[..count]);
        }
    }

    /// The time to an answer, or to the first part of a stream, which is then read to its end.
    fn ask(&mut self, model: &str, stream: bool) -> Duration {
        let begun = Instant::now();
        self.send(model, stream);
        if !stream {
            self.read_until("\"fine\"");
            let time = begun.elapsed();
            // What the endpoint fills in stands last.
            self.read_until("\"created\":");
            self.read_until("}");
            return time;
        }
        self.read_until("fine");
        let time = begun.elapsed();
        // The chunk that ends the body.
        self.read_until("[DONE]");
        self.read_until("0\r\n\r\n");
        time
    }
}

/// Holds streams open after their first part.
#[derive(Default)]
struct Gate {
    closed: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn close(&self) {
        *self.closed.lock().unwrap() = true;
    }

    fn open(&self) {
        *self.closed.lock().unwrap() = false;
        self.opened.notify_all();
    }

    fn pass(&self) {
        drop(self.opened.wait_while(self.closed.lock().unwrap(), |closed| *closed).unwrap());
    }
}

/// A subnet that answers everything alike, on threads of its own.
struct Subnet {
    address: SocketAddr,
    gate: Arc<Gate>,
}

impl Subnet {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let gate = Arc::new(Gate::default());
        let own = Arc::clone(&gate);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, gate) = (stream.unwrap(), Arc::clone(&own));
                // A thousand of them wait at once.
                let thread = std::thread::Builder::new().stack_size(128 << 10);
                thread.spawn(move || converse(stream, &gate)).unwrap();
            }
        });
        Self { address, gate }
    }
}

fn converse(mut stream: TcpStream, gate: &Gate) {
    stream.set_nodelay(true).unwrap();
    let (mut request, mut part) = (Vec::new(), [0; 4_096]);
    while let Ok(read @ 1..) = stream.read(&mut part) {
        request.extend_from_slice(&part[..read]);
        if !is_whole(&request) {
            continue;
        }
        let text = String::from_utf8_lossy(&request).replace(' ', "");
        let answered = if text.contains("\"stream\":true") {
            answer_stream(&mut stream, gate)
        } else {
            let length = WHOLE.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
            );
            stream.write_all((head + WHOLE).as_bytes())
        };
        request.clear();
        if answered.is_err() {
            return;
        }
    }
}

fn answer_stream(stream: &mut TcpStream, gate: &Gate) -> std::io::Result<()> {
    let chunk = |text: &str| format!("{:x}\r\n{text}\n\n\r\n", text.len() + 2);
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all((head.to_owned() + &chunk(FIRST)).as_bytes())?;
    gate.pass();
    stream.write_all((chunk(LAST) + &chunk("data: [DONE]") + "0\r\n\r\n").as_bytes())
}

/// Whether head and body of a request have arrived.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    body.len() >= length.unwrap_or(0)
}
