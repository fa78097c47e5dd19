//! A scripted peer on loopback: it answers with exactly the bytes a test wants, in the rhythm it wants.
#![allow(
    dead_code,
    unreachable_pub,
    missing_debug_implementations,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "shared by test files that each use their own part"
)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use schema::operation::{
    Access, Auth, HttpBinding, OperationDescriptor, ParameterLocation, Repeat, RequestBody, ResponseBody,
    SideEffects, Transport, Version,
};
use schema::price::PriceRule;
use schema::types::{DefId, FieldDef, RecordDef, Type, TypeDef, TypeDefs};
use serde_json::{Map, Value, json};
use subnet::egress::{EgressPolicy, Options};
use subnet::secrets::SecretStore;
use subnet::{CallContext, CallOutcome, Client, Follow, OperationTypes, PreparedOperation};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What the peer does with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Writes these bytes, then waits for the next request.
    Bytes(Vec<u8>),
    /// Writes these bytes, then closes.
    Close(Vec<u8>),
    /// Writes the first bytes, then the second again and again, this long apart, until the caller hangs up.
    Repeat(Vec<u8>, Vec<u8>, Duration),
    /// Says nothing.
    Hang,
}

/// A whole answer with a right content length.
pub fn answer(status: &str, content_type: &str, body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let mut bytes = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    Reply::Bytes(bytes)
}

pub fn json_answer(body: &Value) -> Reply {
    answer("200 OK", "application/json", body.to_string())
}

pub struct Peer {
    pub address: SocketAddr,
    pub ca_pem: Option<String>,
    host: &'static str,
    log: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<Mutex<usize>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Script = Arc<dyn Fn(&Seen) -> Reply + Send + Sync>;

impl Peer {
    pub async fn start(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(Arc::new(script), None).await
    }

    /// With TLS for `localhost`, by an authority of its own.
    pub async fn start_tls(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let ca_key = rcgen::KeyPair::generate().unwrap();
        let mut ca = rcgen::CertificateParams::default();
        ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca_pem = ca.self_signed(&ca_key).unwrap().pem();
        let issuer = rcgen::Issuer::new(ca, ca_key);
        let key = rcgen::KeyPair::generate().unwrap();
        let leaf = rcgen::CertificateParams::new(["localhost".to_owned()])
            .unwrap()
            .signed_by(&key, &issuer)
            .unwrap();
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key)
            .unwrap();
        let mut peer = Self::serve(Arc::new(script), Some(Arc::new(config).into())).await;
        peer.ca_pem = Some(ca_pem);
        peer.host = "localhost";
        peer
    }

    async fn serve(script: Script, tls: Option<tokio_rustls::TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(Mutex::new(0));
        let (seen, count) = (Arc::clone(&log), Arc::clone(&connections));
        let task = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                *lock(&count) += 1;
                let (script, seen, tls) = (Arc::clone(&script), Arc::clone(&seen), tls.clone());
                open.spawn(async move {
                    let _ = match tls {
                        None => converse(stream, &script, &seen).await,
                        Some(acceptor) => match acceptor.accept(stream).await {
                            Ok(stream) => converse(stream, &script, &seen).await,
                            Err(error) => Err(error),
                        },
                    };
                });
            }
        });
        Self { address, ca_pem: None, host: "127.0.0.1", log, connections, task }
    }

    pub fn origin(&self) -> String {
        let scheme = if self.ca_pem.is_some() { "https" } else { "http" };
        format!("{scheme}://{}:{}", self.host, self.address.port())
    }

    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.log).clone()
    }

    pub fn connections(&self) -> usize {
        *lock(&self.connections)
    }

    /// A client that may reach this peer.
    pub fn client(&self) -> Client {
        Client::new(self.options()).unwrap()
    }

    pub fn options(&self) -> Options {
        Options {
            policy: EgressPolicy { allow_loopback: true, allow_private: false },
            extra_roots_pem: self.ca_pem.iter().cloned().collect(),
            ..Options::default()
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn converse<S>(mut stream: S, script: &Script, log: &Mutex<Vec<Seen>>) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut buffer = Vec::new();
    loop {
        let Some(seen) = read_request(&mut stream, &mut buffer).await? else { return Ok(()) };
        lock(log).push(seen.clone());
        match script(&seen) {
            Reply::Bytes(bytes) => {
                stream.write_all(&bytes).await?;
                stream.flush().await?;
            }
            Reply::Close(bytes) => {
                stream.write_all(&bytes).await?;
                return stream.shutdown().await;
            }
            Reply::Repeat(head, again, pause) => {
                stream.write_all(&head).await?;
                loop {
                    stream.write_all(&again).await?;
                    stream.flush().await?;
                    tokio::time::sleep(pause).await;
                }
            }
            Reply::Hang => {
                // Ends when the caller hangs up.
                let _ = stream.read(&mut [0; 1]).await;
                return Ok(());
            }
        }
    }
}

async fn read_request<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut Vec<u8>,
) -> std::io::Result<Option<Seen>> {
    let mut chunk = [0; 4096];
    let head_end = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        match stream.read(&mut chunk).await? {
            0 => return Ok(None),
            read => buffer.extend_from_slice(&chunk[..read]),
        }
    };
    let head = String::from_utf8_lossy(&buffer[..head_end]).into_owned();
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap_or_default().to_owned();
    let headers: Vec<(String, String)> = lines
        .filter_map(|row| row.split_once(": ").map(|(name, value)| (name.into(), value.into())))
        .collect();
    let mut seen = Seen { line, headers, body: Vec::new() };
    let length: usize = seen.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    while buffer.len() < head_end + length {
        match stream.read(&mut chunk).await? {
            0 => return Ok(None),
            read => buffer.extend_from_slice(&chunk[..read]),
        }
    }
    let rest = buffer.split_off(head_end + length);
    seen.body = buffer.split_off(head_end);
    *buffer = rest;
    Ok(Some(seen))
}

/// `sn1.test`: GET `/items/{id}` or POST `/items`, with `id`, `q` and any body properties.
pub fn operation(base_url: &str, method: &str) -> OperationDescriptor {
    let path = if method == "GET" { "/items/{id}" } else { "/items" };
    let parameters = if method == "GET" {
        BTreeMap::from([("id".into(), ParameterLocation::Path), ("q".into(), ParameterLocation::Query)])
    } else {
        BTreeMap::new()
    };
    OperationDescriptor {
        id: "sn1.test".into(),
        netuid: 1,
        version: Version::FIRST,
        summary: "A test.".into(),
        tags: Vec::new(),
        transport: Transport::Http(HttpBinding {
            method: method.into(),
            base_url: base_url.into(),
            path: path.into(),
            parameters,
            styles: BTreeMap::new(),
            fixed_body: BTreeMap::new(),
            body: RequestBody::Json,
            media_type: None,
            accept: None,
            response: ResponseBody::Json,
        }),
        access: Access::Open,
        auth: Auth::None,
        side_effects: SideEffects::None,
        repeat: Repeat { safe: true, costs_again: false },
        input: json!({"type": "object", "properties": {"id": {"type": "string"}, "q": {"type": "string"}}}),
        output: json!({}),
        output_complete: true,
        price: PriceRule::Free,
        observed_cost: None,
        refusals: Default::default(),
        latency: None,
        delivery: None,
        example: None,
        sources: Vec::new(),
        verified: false,
    }
}

/// The answer is `{ "n": Int }`, the input `{ id, q }`.
pub fn types() -> OperationTypes {
    let field = |name: &str, ty: Type| FieldDef { name: name.into(), ty, doc: String::new() };
    let record = |name: &str, fields: Vec<FieldDef>| {
        TypeDef::Record(RecordDef { name: name.into(), fields, doc: String::new() })
    };
    let mut defs = TypeDefs::new();
    let input =
        record("Input", vec![field("id", Type::STRING.optional()), field("q", Type::STRING.optional())]);
    let input: DefId = defs.push(input);
    let output = defs.push(record("Output", vec![field("n", Type::INT)]));
    OperationTypes { defs: Arc::new(defs), input, output: Type::Named(output) }
}

pub fn text_types() -> OperationTypes {
    OperationTypes { output: Type::STRING, ..types() }
}

pub fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        other => panic!("{other} is no object"),
    }
}

pub fn context(secrets: &SecretStore, timeout_ms: u64) -> CallContext<'_> {
    CallContext {
        request_nonce: [7; 32],
        timeout: Duration::from_millis(timeout_ms),
        secrets,
        hotkey: None,
        follow: Follow::default(),
        listener: None,
    }
}

/// Generous, for calls that are to succeed on a busy machine.
pub const PATIENT_MS: u64 = 30_000;

/// One POST of `{"q": "x"}` to a peer with this script.
pub async fn call_once(reply: Reply, timeout_ms: u64) -> CallOutcome {
    let peer = Peer::start(move |_| reply.clone()).await;
    let client = peer.client();
    let prepared = prepare(&client, &operation(&peer.origin(), "POST"));
    client.call_fields(&prepared, fields(json!({"q": "x"})), &context(&SecretStore::new(), timeout_ms)).await
}

pub fn prepare(client: &Client, operation: &OperationDescriptor) -> PreparedOperation {
    client.prepare(operation, types(), None).unwrap()
}
