//! Clients that go away in the middle of an answer: the subnet is left, and what the call may have cost is recorded.

use e2e::service::total_of;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

impl Server {
    /// Begins a completion; the connection is the client's whole interest in it.
    async fn asks(&self, model: &str, prompt: &str, stream: bool) -> TcpStream {
        let body = json!({ "model": model, "stream": stream,
            "messages": [{ "role": "user", "content": prompt }] })
        .to_string();
        let address = self.orch.address;
        let mut connection = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        connection.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        connection
    }

    /// Waits until the stand-in has seen something of this name.
    async fn saw(&self, name: &str) {
        let address = self.peer.origin.strip_prefix("http://").unwrap();
        let mut connection = TcpStream::connect(address).await.unwrap();
        let request = format!("GET /seen/{name} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }

    /// The run of the last request, when it has ended.
    async fn last(&self) -> v1::Run {
        let clients = Clients::connect(self.orch.address).await;
        let page = clients.runs().list_runs(v1::ListRunsRequest::default()).await.unwrap().into_inner();
        clients.ended(&page.runs[0].name).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_leaves_is_cancelled_and_its_cost_is_recorded() {
    let server = Server::start("").await;
    for (model, prompt, stream, name, price) in [
        ("sn65031.chat/hangs-whole", "Hi.", false, "hangs-whole", 2_500),
        ("sn65031.chat/hangs-stream", "Hi.", true, "hangs-stream", 2_500),
        ("sn65031.chat/endless-left", "Hi.", true, "endless-left", 2_500),
        ("plans/answers", "hangs-plan", false, "hangs-plan", 1_000),
        ("plans/answers", "hangs-told", true, "hangs-told", 1_000),
    ] {
        let mut connection = server.asks(model, prompt, stream).await;
        server.saw(name).await;
        if name.starts_with("endless") {
            // In the middle of the answer.
            let mut told = Vec::new();
            while told.windows(6).filter(|bytes| bytes == b"data: ").count() < 3 {
                told.push(connection.read_u8().await.unwrap());
            }
        }
        drop(connection);
        server.saw(&format!("{name}-gone")).await;
        let run = server.last().await;
        assert_eq!(run.state(), v1::RunState::Cancelled, "{name}");
        assert_eq!((total_of(&run), run.total_certain), (price, false), "{name}: {:?}", run.costs);
        assert_eq!(run.costs.iter().map(|row| row.attempts).sum::<u32>(), 1, "{name}");
        assert!(!run.proof_id.is_empty(), "{name}");
    }
}
