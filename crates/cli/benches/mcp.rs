//! What MCP adds to a call: the tool `call` over HTTP and over standard input and output against the bare
//! `CallService.Call` of the same server, rounds interleaved.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark prints its result and stops where it cannot go on"
)]

mod served;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use proto::v1;
use proto::v1::call_service_client::CallServiceClient;
use serde_json::{Value as Json, json};
use served::{Served, orch, publish, stop};
use tonic::transport::Endpoint;

const ROUNDS: usize = 10;
const CALLS: usize = 100;
const OPERATION: &str = "sn65020.ask";

fn main() {
    let folder = served::project();
    let served = Served::start(folder.path(), &[]);
    let address = &served.address;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    let channel = runtime.block_on(endpoint.connect()).unwrap();
    runtime.block_on(publish(channel.clone(), &entry(&subnet())));
    let mut grpc = CallServiceClient::new(channel);
    let (mut http, mut stdio) = (Http::open(address), Pipes::open(folder.path(), address));
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for _ in 0..CALLS {
            let begun = Instant::now();
            runtime.block_on(grpc.call(request())).unwrap();
            times[0].push(begun.elapsed());
        }
        for _ in 0..CALLS {
            times[1].push(http.call());
        }
        for _ in 0..CALLS {
            times[2].push(stdio.call());
        }
    }
    let [bare, http, stdio] = times.map(|mut times| median(&mut times));
    println!("one call at a time, p50 of {}, durable", ROUNDS * CALLS);
    println!("CallService.Call      {bare:>9.1?}");
    for (name, time) in [("MCP over HTTP", http), ("MCP over stdio", stdio)] {
        println!("{name:<20}  {time:>9.1?}  adds {:.1?}", time.saturating_sub(bare));
    }
}

fn request() -> v1::CallRequest {
    v1::CallRequest {
        operation: OPERATION.into(),
        arguments_json: br#"{"q":"a"}"#.as_slice().into(),
        cost_max: Some(v1::Amount { units: 1, currency: v1::Currency::MicroUsd.into() }),
        ..v1::CallRequest::default()
    }
}

fn tool_call(id: u64) -> String {
    let arguments =
        json!({ "operation": OPERATION, "arguments_json": r#"{"q":"a"}"#, "cost_max": "0.000001 USD" });
    message("tools/call", id, json!({ "name": "call", "arguments": arguments }))
}

fn initialize() -> String {
    let params = json!({
        "protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": { "name": "benchmark", "version": "1" },
    });
    message("initialize", 0, params)
}

const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

fn message(method: &str, id: u64, params: Json) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
}

/// Whether an answer of a tool has what was asked for.
fn hold(answer: &Json) {
    assert_eq!(answer["result"]["structuredContent"]["result"]["v"], "fine", "{answer}");
}

/// A session over HTTP/1.1, on one connection.
struct Http {
    stream: BufReader<TcpStream>,
    address: String,
    session: String,
    id: u64,
}

impl Http {
    fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut http = Self {
            stream: BufReader::new(stream),
            address: address.to_owned(),
            session: String::new(),
            id: 0,
        };
        http.session = http.post(&initialize()).0;
        http.post(INITIALIZED);
        http
    }

    fn call(&mut self) -> Duration {
        self.id += 1;
        let body = tool_call(self.id);
        let begun = Instant::now();
        let (_, answer) = self.post(&body);
        let took = begun.elapsed();
        hold(&answer);
        took
    }

    /// The session that the answer names, and the last message in it.
    fn post(&mut self, body: &str) -> (String, Json) {
        let session = match self.session.as_str() {
            "" => String::new(),
            session => format!("mcp-session-id: {session}\r\nmcp-protocol-version: 2025-06-18\r\n"),
        };
        let request = format!(
            "POST /mcp HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             accept: application/json, text/event-stream\r\n{session}content-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let (mut named, mut length, mut chunked) = (String::new(), 0, false);
        loop {
            let line = self.line();
            let (name, value) = line.split_once(": ").unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "mcp-session-id" => value.clone_into(&mut named),
                "content-length" => length = value.parse().unwrap(),
                "transfer-encoding" => chunked = true,
                _ if line.is_empty() => break,
                _ => {}
            }
        }
        let text = if chunked { self.chunks() } else { self.bytes(length) };
        let data = text.lines().filter_map(|line| line.strip_prefix("data: ")).next_back();
        (named, serde_json::from_str(data.unwrap_or(&text)).unwrap_or_default())
    }

    fn chunks(&mut self) -> String {
        let mut text = String::new();
        loop {
            let length = usize::from_str_radix(&self.line(), 16).unwrap();
            text.push_str(&self.bytes(length));
            self.line();
            if length == 0 {
                return text;
            }
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn bytes(&mut self, length: usize) -> String {
        let mut bytes = vec![0; length];
        self.stream.read_exact(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }
}

/// A session over pipes, with a process that works on the same server.
struct Pipes {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    id: u64,
}

impl Pipes {
    fn open(folder: &Path, address: &str) -> Self {
        let mut command = orch(folder, &["mcp", "--server", address]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut pipes = Self { child, stdin, stdout, id: 0 };
        pipes.ask(&initialize());
        writeln!(pipes.stdin, "{INITIALIZED}").unwrap();
        pipes
    }

    fn call(&mut self) -> Duration {
        self.id += 1;
        let body = tool_call(self.id);
        let begun = Instant::now();
        let answer = self.ask(&body);
        let took = begun.elapsed();
        hold(&answer);
        took
    }

    fn ask(&mut self, body: &str) -> Json {
        writeln!(self.stdin, "{body}").unwrap();
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

impl Drop for Pipes {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

fn entry(url: &str) -> Json {
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

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A subnet that answers everything alike, on threads of its own.
fn subnet() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                stream.set_nodelay(true).unwrap();
                let (mut request, mut part) = (Vec::new(), [0; 4096]);
                while let Ok(read @ 1..) = stream.read(&mut part) {
                    request.extend_from_slice(&part[..read]);
                    // All of these requests end alike.
                    if request.ends_with(br#"{"q":"a"}"#) {
                        request.clear();
                        let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{\"v\":\"fine\"}";
                        stream.write_all(answer.as_bytes()).unwrap();
                    }
                }
            });
        }
    });
    url
}
