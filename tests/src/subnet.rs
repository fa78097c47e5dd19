//! A subnet on a real loopback socket that answers as it is told, honestly or not, and counts what it is
//! asked.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use schema::amount::{Amount, Currency};
use schema::operation::{
    Access, Auth, HttpBinding, OperationDescriptor, Repeat, RequestBody, ResponseBody, SideEffects, Source,
    Transport, Version,
};
use schema::price::PriceRule;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The netuid under which tests publish its operations; Finney does not have it.
pub const NETUID: u16 = 65_020;

/// What the subnet does with a question.
#[derive(Clone, Debug)]
pub enum Reply {
    /// `{"v": text}` after a while.
    Answer(String, Duration),
    /// This status and body.
    Status(u16, &'static str, String),
    /// These bytes, then the end of the connection.
    Raw(Vec<u8>),
    /// The first bytes once, the others again and again, at this pace.
    Endless(Vec<u8>, Vec<u8>, Duration),
    /// The first bytes, then the others once the gate is open, then the end of the connection.
    Parts(Vec<u8>, Gate, Vec<u8>),
    /// The end of the connection.
    Drop,
    /// Nothing, for as long as the caller waits.
    Silence,
    /// `{"v": text}` once the gate is open.
    Gated(String, Gate),
}

/// Holds back answers until it is opened; clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn closed() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Lets everything pass from now on.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    async fn passed(&self) {
        // The sender is this gate's own, so it cannot be gone.
        let _ = self.0.subscribe().wait_for(|open| *open).await;
    }
}

impl Reply {
    /// The answer to a question that repeats it.
    #[must_use]
    pub fn echo(question: &str) -> Self {
        Self::Answer(question.to_owned(), Duration::ZERO)
    }
}

/// A question, and the `authorization` header that came with it.
pub type Keyed = (String, Option<String>);

type Behaviour = dyn Fn(&str) -> Reply + Send + Sync;

/// A running subnet; dropping it closes its socket and its connections.
#[derive(Debug)]
pub struct Subnet {
    /// `http://127.0.0.1:<port>`.
    pub url: String,
    asked: Arc<Mutex<BTreeMap<String, u32>>>,
    keys: Arc<Mutex<Vec<Keyed>>>,
    total: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

impl Subnet {
    /// A subnet that answers questions (`POST /ask {"q": text}`) by `behaviour`.
    ///
    /// # Panics
    /// If there is no socket.
    pub async fn start(behaviour: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<BTreeMap<String, u32>>> = Arc::default();
        let keys: Arc<Mutex<Vec<Keyed>>> = Arc::default();
        let (count, total) = watch::channel(0);
        let shared = Arc::new(Shared {
            behaviour: Box::new(behaviour),
            asked: Arc::clone(&asked),
            keys: Arc::clone(&keys),
            count,
        });
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                connections.spawn(async move { converse(stream, &shared).await });
            }
        });
        Self { url, asked, keys, total, task }
    }

    /// An address at which nothing listens.
    ///
    /// # Panics
    /// If there is no socket.
    pub async fn nowhere() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    }

    /// How often each question arrived.
    #[must_use]
    pub fn asked(&self) -> BTreeMap<String, u32> {
        self.asked.lock().clone()
    }

    /// Every question that arrived, in order, with the key it came with.
    #[must_use]
    pub fn keys(&self) -> Vec<Keyed> {
        self.keys.lock().clone()
    }

    /// How many questions arrived.
    #[must_use]
    pub fn count(&self) -> usize {
        *self.total.borrow()
    }

    /// Waits until so many questions have arrived.
    pub async fn arrived(&self, count: usize) {
        // It ends with an error when the subnet does, and then nothing arrives any more.
        let _ = self.total.clone().wait_for(|total| *total >= count).await;
    }

    /// The Ledger entry `sn65020.<name>` of its one operation.
    #[must_use]
    pub fn operation(&self, name: &str, price: Amount, repeat_safe: bool) -> OperationDescriptor {
        operation(name, &self.url, price, repeat_safe)
    }
}

impl Drop for Subnet {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// `units` micro-dollars.
#[must_use]
pub fn micro_usd(units: u64) -> Amount {
    Amount::new(units, Currency::MicroUsd)
}

/// The Ledger entry `sn65020.<name>`: `POST /ask {"q": text}` at `base_url`, answered `{"v": text}`.
#[must_use]
pub fn operation(name: &str, base_url: &str, price: Amount, repeat_safe: bool) -> OperationDescriptor {
    OperationDescriptor {
        id: format!("sn{NETUID}.{name}"),
        netuid: NETUID,
        version: Version::FIRST,
        summary: "Answers questions, for tests.".into(),
        tags: Vec::new(),
        transport: Transport::Http(HttpBinding {
            method: "POST".into(),
            base_url: base_url.into(),
            path: "/ask".into(),
            parameters: BTreeMap::new(),
            styles: BTreeMap::new(),
            fixed_body: BTreeMap::new(),
            body: RequestBody::Json,
            media_type: None,
            accept: None,
            response: ResponseBody::Json,
        }),
        access: Access::Open,
        auth: Auth::None,
        side_effects: SideEffects::Metered,
        repeat: Repeat { safe: repeat_safe, costs_again: true },
        input: json!({
            "type": "object", "required": ["q"], "additionalProperties": false,
            "properties": {"q": {"type": "string"}},
        }),
        output: json!({
            "type": "object", "required": ["v"],
            "properties": {"v": {"type": "string", "maxLength": 200}},
        }),
        output_complete: true,
        price: PriceRule::PerCall { amount: price },
        observed_cost: None,
        refusals: Default::default(),
        latency: None,
        delivery: None,
        example: None,
        sources: vec![Source { kind: "test".into(), reference: "tests".into(), commit: None, path: None }],
        verified: false,
    }
}

struct Shared {
    behaviour: Box<Behaviour>,
    asked: Arc<Mutex<BTreeMap<String, u32>>>,
    keys: Arc<Mutex<Vec<Keyed>>>,
    count: watch::Sender<usize>,
}

/// Errors are connections that ended.
async fn converse(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while let Some((question, key)) = read_question(&mut stream).await? {
        let reply = (shared.behaviour)(&question);
        shared.keys.lock().push((question.clone(), key));
        *shared.asked.lock().entry(question).or_default() += 1;
        shared.count.send_modify(|count| *count += 1);
        if !respond(&mut stream, reply).await? {
            return stream.shutdown().await;
        }
    }
    Ok(())
}

/// The text of the next request's `q` and its key; `None` at the end of the connection.
async fn read_question(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Keyed>> {
    let (mut length, mut key) = (0, None);
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let Some((name, value)) = line.trim_end().split_once(':') else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().map_err(io::Error::other)?,
            "authorization" => key = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let body: Json = serde_json::from_slice(&body).unwrap_or_default();
    Ok(Some((body["q"].as_str().unwrap_or_default().to_owned(), key)))
}

/// Whether the connection goes on.
async fn respond(stream: &mut BufReader<TcpStream>, reply: Reply) -> io::Result<bool> {
    match reply {
        Reply::Answer(text, after) => {
            if !after.is_zero() {
                tokio::time::sleep(after).await;
            }
            answer(stream, &text).await
        }
        Reply::Gated(text, gate) => {
            gate.passed().await;
            answer(stream, &text).await
        }
        Reply::Status(status, content_type, body) => {
            stream.write_all(&http(status, content_type, &body)).await?;
            Ok(true)
        }
        Reply::Raw(bytes) => {
            stream.write_all(&bytes).await?;
            Ok(false)
        }
        Reply::Parts(first, gate, rest) => {
            stream.write_all(&first).await?;
            gate.passed().await;
            stream.write_all(&rest).await?;
            Ok(false)
        }
        Reply::Endless(first, again, pace) => {
            stream.write_all(&first).await?;
            loop {
                stream.write_all(&again).await?;
                tokio::time::sleep(pace).await;
            }
        }
        Reply::Drop => Ok(false),
        Reply::Silence => {
            // Until the caller gives up and closes the connection.
            stream.read_u8().await?;
            Ok(false)
        }
    }
}

async fn answer(stream: &mut BufReader<TcpStream>, text: &str) -> io::Result<bool> {
    let body = json!({ "v": text }).to_string();
    stream.write_all(&http(200, "application/json", &body)).await?;
    Ok(true)
}

/// An answer as bytes.
#[must_use]
pub fn http(status: u16, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} .\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}
