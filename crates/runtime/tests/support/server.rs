//! A subnet on a real loopback socket, that answers as it is told and counts what it was asked.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

/// What the server does with a question.
#[derive(Clone, Debug)]
pub struct Reply {
    pub after: Duration,
    pub status: u16,
    pub body: String,
    pub cost: Option<String>,
    /// Answers once a permit is there, and puts it back.
    pub gate: Option<Arc<Semaphore>>,
}

impl Reply {
    pub fn answer(text: &str) -> Self {
        let body = serde_json::json!({ "v": text }).to_string();
        Self { after: Duration::ZERO, status: 200, body, cost: None, gate: None }
    }

    pub fn after(self, ms: u64) -> Self {
        Self { after: Duration::from_millis(ms), ..self }
    }

    pub fn status(status: u16) -> Self {
        Self { status, ..Self::answer("no") }
    }
}

type Behaviour = dyn Fn(&str) -> Reply + Send + Sync;

pub struct Server {
    pub url: String,
    asked: Arc<Mutex<BTreeMap<String, u32>>>,
    total: watch::Receiver<usize>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub async fn start(behaviour: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<BTreeMap<String, u32>>> = Arc::default();
        let (count, total) = watch::channel(0);
        let count = Arc::new(count);
        let behaviour: Arc<Behaviour> = Arc::new(behaviour);
        let shared = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            loop {
                let Ok((socket, _)) = listener.accept().await else { return };
                let _ = socket.set_nodelay(true);
                let (asked, behaviour, count) =
                    (Arc::clone(&shared), Arc::clone(&behaviour), Arc::clone(&count));
                let service = service_fn(move |request| {
                    serve(request, Arc::clone(&asked), Arc::clone(&behaviour), Arc::clone(&count))
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(socket), service),
                );
            }
        });
        Self { url, asked, total, task }
    }

    /// How often each question arrived.
    pub fn asked(&self) -> BTreeMap<String, u32> {
        self.asked.lock().clone()
    }

    pub fn count(&self) -> usize {
        *self.total.borrow()
    }

    /// Waits until so many questions have arrived.
    pub async fn arrived(&self, count: usize) {
        self.total.clone().wait_for(|total| *total >= count).await.unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    request: Request<Incoming>,
    asked: Arc<Mutex<BTreeMap<String, u32>>>,
    behaviour: Arc<Behaviour>,
    count: Arc<watch::Sender<usize>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.unwrap_or_default().to_bytes();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let question = body["q"].as_str().unwrap_or_default();
    *asked.lock().entry(question.to_owned()).or_default() += 1;
    count.send_modify(|count| *count += 1);
    let reply = behaviour(question);
    if let Some(gate) = reply.gate {
        drop(gate.acquire().await.unwrap());
    }
    if !reply.after.is_zero() {
        tokio::time::sleep(reply.after).await;
    }
    let mut response = Response::new(Full::new(Bytes::from(reply.body)));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap();
    response.headers_mut().insert("content-type", "application/json".parse().unwrap());
    if let Some(cost) = reply.cost {
        response.headers_mut().insert("x-cost", cost.parse().unwrap());
    }
    Ok(response)
}
