//! One loopback server: accepts, reads whole requests, lets faults happen, answers.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::Faults;

/// Largest accepted request; prompts with a few pages in them have some 20 KiB.
const REQUEST_BYTES_MAX: usize = 1 << 20;
/// Longer than any caller waits.
const HANG: Duration = Duration::from_secs(600);
/// Connections kept per server before idle ones must go.
const CONNECTIONS_MAX: usize = 4_096;

/// A request with its whole body.
pub(crate) type Asked = Request<Bytes>;
/// An answer with its whole body.
pub(crate) type Answer = Response<Full<Bytes>>;
type Handler = Arc<dyn Fn(&Asked) -> Answer + Send + Sync>;

/// A running server; dropping it closes its socket and all its connections.
#[derive(Debug)]
pub(crate) struct Listener {
    address: SocketAddr,
    gate: Arc<Gate>,
    task: JoinHandle<()>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Listener {
    pub(crate) async fn start(tls: Option<TlsAcceptor>, gate: Gate, handler: Handler) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let gate = Arc::new(gate);
        let task = tokio::spawn(accept(listener, tls, Arc::clone(&gate), handler));
        Ok(Self { address, gate, task })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn served(&self) -> u64 {
        self.gate.arrived.load(Ordering::Relaxed)
    }
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, gate: Arc<Gate>, handler: Handler) {
    let mut connections = JoinSet::new();
    loop {
        // A failed accept (too many open files) passes; a failed connection is the peer's affair.
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        if connections.len() >= CONNECTIONS_MAX {
            continue;
        }
        let _ = stream.set_nodelay(true);
        let (tls, gate, handler) = (tls.clone(), Arc::clone(&gate), Arc::clone(&handler));
        connections.spawn(async move {
            match tls {
                None => converse(TokioIo::new(stream), gate, handler).await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        converse(TokioIo::new(stream), gate, handler).await;
                    }
                }
            }
        });
    }
}

async fn converse<S: Read + Write + Unpin + Send>(stream: S, gate: Arc<Gate>, handler: Handler) {
    let service = service_fn(|request: Request<Incoming>| {
        let (gate, handler) = (Arc::clone(&gate), Arc::clone(&handler));
        async move { respond(request, &gate, &handler).await }
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    // Errors are connections that ended; nobody is left to tell.
    let _ = server.timer(TokioTimer::new()).serve_connection(stream, service).await;
}

/// A request that gets no answer: hyper closes the connection.
#[derive(Debug, thiserror::Error)]
#[error("dropped on purpose")]
struct Dropped;

async fn respond(request: Request<Incoming>, gate: &Gate, handler: &Handler) -> Result<Answer, Dropped> {
    let fault = gate.next();
    let (head, body) = request.into_parts();
    let Ok(body) = Limited::new(body, REQUEST_BYTES_MAX).collect().await else {
        return Ok(problem(StatusCode::PAYLOAD_TOO_LARGE, "the request is larger than 1 MiB"));
    };
    if !gate.latency.is_zero() {
        tokio::time::sleep(gate.latency).await;
    }
    match fault {
        Some(Fault::Drop) => return Err(Dropped),
        Some(Fault::Error) => {
            return Ok(problem(StatusCode::SERVICE_UNAVAILABLE, "out of order, by request"));
        }
        Some(Fault::Misfit) => return Ok(reply(StatusCode::OK, &json!({"unexpected": ["shape"]}))),
        Some(Fault::Hang) => tokio::time::sleep(HANG).await,
        Some(Fault::RateLimit) => {
            let mut answer = problem(StatusCode::TOO_MANY_REQUESTS, "slow down");
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            return Ok(answer);
        }
        None => {}
    }
    Ok(handler(&Request::from_parts(head, body.to_bytes())))
}

/// Counts requests and decides what goes wrong with them.
#[derive(Debug)]
pub(crate) struct Gate {
    latency: Duration,
    faults: Faults,
    arrived: AtomicU64,
}

enum Fault {
    Drop,
    Error,
    RateLimit,
    Misfit,
    Hang,
}

impl Gate {
    pub(crate) const fn new(latency: Duration, faults: Faults) -> Self {
        Self { latency, faults, arrived: AtomicU64::new(0) }
    }

    fn next(&self) -> Option<Fault> {
        let number = self.arrived.fetch_add(1, Ordering::Relaxed) + 1;
        let falls = |every: u32| every > 0 && number.is_multiple_of(u64::from(every));
        let faults = &self.faults;
        [
            (faults.drop_every, Fault::Drop),
            (faults.error_every, Fault::Error),
            (faults.rate_limit_every, Fault::RateLimit),
            (faults.misfit_every, Fault::Misfit),
            (faults.hang_every, Fault::Hang),
        ]
        .into_iter()
        .find_map(|(every, fault)| falls(every).then_some(fault))
    }
}

/// An answer with a JSON body.
pub(crate) fn reply(status: StatusCode, body: &Value) -> Answer {
    with_type(status, "application/json", body.to_string())
}

/// An answer with a text body.
pub(crate) fn text(status: StatusCode, body: String) -> Answer {
    with_type(status, "text/plain; charset=utf-8", body)
}

/// An error in the form that most Python services have.
pub(crate) fn problem(status: StatusCode, detail: &str) -> Answer {
    reply(status, &json!({ "detail": detail }))
}

fn with_type(status: StatusCode, content_type: &'static str, body: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// The refusal of a request that is not `method` on a known path or lacks `authorization`, if it is one.
pub(crate) fn refused(request: &Asked, method: &Method, authorization: &str) -> Option<Answer> {
    if request.method() != method {
        return Some(problem(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"));
    }
    refused_without(request, header::AUTHORIZATION.as_str(), authorization)
}

/// The refusal of a request whose header `name` is not `wanted`, if it is one.
pub(crate) fn refused_without(request: &Asked, name: &str, wanted: &str) -> Option<Answer> {
    match request.headers().get(name).map(HeaderValue::as_bytes) {
        Some(given) if given == wanted.as_bytes() => None,
        Some(_) => Some(problem(StatusCode::UNAUTHORIZED, "Invalid API key")),
        None => Some(problem(StatusCode::UNAUTHORIZED, "Missing API key")),
    }
}

/// A parameter of the query, decoded; the first of its name.
pub(crate) fn query_parameter(request: &Asked, name: &str) -> Option<String> {
    let query = request.uri().query()?;
    query.split('&').find_map(|pair| {
        let (own, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(own) == name).then(|| decoded(value))
    })
}

/// Text without its percent-encoding; what is not UTF-8 is replaced.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = ahead;
            }
            (b'+', ..) => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
