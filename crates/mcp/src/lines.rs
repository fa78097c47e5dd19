//! Messages in lines, as standard input and output have them. The library passes over a line that is not JSON, or that is too
//! long, and its sender would wait for an answer for ever; here it is told so, as JSON-RPC has it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use rmcp::RoleServer;
use rmcp::model::{ErrorData, RequestId};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::fault::{ARGUMENTS, Fault};
use crate::id_of::IdOf;

/// Bytes of the longest line that is read, without its end: above what any tool takes.
const LINE_BYTES_MAX: usize = 16 << 20;

/// A line that is passed over.
struct Unreadable {
    error: ErrorData,
    /// Of the message in it, where it has one that is known.
    id: Option<RequestId>,
}

/// A transport that answers what it cannot read.
pub(crate) struct Lines<R: AsyncRead + Unpin, W: AsyncWrite> {
    inner: AsyncRwTransport<RoleServer, Looked<R>, W>,
    unreadable: UnboundedReceiver<Unreadable>,
    /// An answer on its way, kept here as receiving may be given up and taken up again.
    telling: Option<Pin<Box<dyn Future<Output = io::Result<()>> + Send>>>,
}

impl<R, W> Lines<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    pub(crate) fn new(read: R, write: W) -> Self {
        let (found, unreadable) = unbounded_channel();
        let looked = Looked { read, line: Vec::new(), long: None, found };
        // It counts the end of a line, too.
        let inner = AsyncRwTransport::new(looked, write).with_max_line_length(LINE_BYTES_MAX + 1);
        Self { inner, unreadable, telling: None }
    }

    fn tell(&mut self, line: Unreadable) {
        let Unreadable { error, id } = line;
        self.telling = Some(Box::pin(self.inner.send(TxJsonRpcMessage::<RoleServer>::error(error, id))));
    }
}

impl<R, W> Transport<RoleServer> for Lines<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.inner.send(item)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            if let Some(telling) = &mut self.telling {
                let told = telling.await;
                self.telling = None;
                // Nobody is there any more.
                told.ok()?;
            }
            let received = tokio::select! {
                biased;
                Some(line) = self.unreadable.recv() => {
                    self.tell(line);
                    continue;
                }
                received = self.inner.receive() => received,
            };
            // What came last may be what cannot be read.
            match (received, self.unreadable.try_recv()) {
                (None, Ok(line)) => self.tell(line),
                (received, Err(_)) => return received,
                (Some(received), Ok(line)) => {
                    self.tell(line);
                    return Some(received);
                }
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.inner.close().await
    }
}

/// A reader that looks at each line which passes.
struct Looked<R> {
    read: R,
    line: Vec<u8>,
    /// Of a line that is too long, in place of what it says.
    long: Option<IdOf>,
    found: UnboundedSender<Unreadable>,
}

impl<R> Looked<R> {
    fn look(&mut self, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (head, tail) = bytes.split_at(end);
            self.add(head);
            self.end();
            bytes = tail.get(1..).unwrap_or_default();
        }
        self.add(bytes);
    }

    /// Ends a line; the last one may have no end of its own.
    fn end(&mut self) {
        let line = std::mem::take(&mut self.line);
        if let Some(id) = self.long.take() {
            self.pass_over(too_long(), id.found());
            return;
        }
        // As a value: what is only passed over is not asked for its depth, numbers and characters.
        if !line.trim_ascii().is_empty()
            && let Err(error) = serde_json::from_slice::<serde_json::Value>(&line)
        {
            self.pass_over(ErrorData::parse_error(format!("the line is not JSON: {error}"), None), None);
        }
    }

    fn pass_over(&self, error: ErrorData, id: Option<RequestId>) {
        // Without a receiver the session is over.
        let _ = self.found.send(Unreadable { error, id });
    }

    fn add(&mut self, bytes: &[u8]) {
        if self.long.is_none() && self.line.len() + bytes.len() > LINE_BYTES_MAX {
            let mut id = IdOf::default();
            id.look(&std::mem::take(&mut self.line));
            self.long = Some(id);
        }
        match &mut self.long {
            Some(id) => id.look(bytes),
            None => self.line.extend_from_slice(bytes),
        }
    }
}

fn too_long() -> ErrorData {
    let message = format!("the line has more than {LINE_BYTES_MAX} bytes (16 MiB), so it was not read");
    let fault = Fault::new(
        ARGUMENTS,
        message.clone(),
        "send less in one message; the session goes on with the next line",
    );
    ErrorData::invalid_request(message, Some(fault.json()))
}

impl<R: AsyncRead + Unpin> AsyncRead for Looked<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (before, room) = (buffer.filled().len(), buffer.remaining());
        let polled = Pin::new(&mut self.read).poll_read(context, buffer);
        match buffer.filled().get(before..).unwrap_or_default() {
            [] if room > 0 && polled.is_ready() => self.end(),
            passed => self.look(passed),
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

    use super::*;

    #[tokio::test]
    async fn a_line_that_is_not_json_is_answered_and_the_session_goes_on() {
        let (mut client, server) = tokio::io::duplex(1 << 10);
        let (output, answers) = tokio::io::duplex(1 << 10);
        let mut lines = Lines::new(server, output);
        let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let deep = "[".repeat(200);
        let sent = format!("nonsense\n\n{ping}\n{{\"jsonrpc\":\n\"\\ud800\"\n1e999\n{deep}\n{{\"last\":");
        tokio::spawn(async move {
            client.write_all(sent.as_bytes()).await.unwrap();
        });
        assert!(lines.receive().await.is_some());
        assert!(lines.receive().await.is_none());
        drop(lines);
        let mut answers = BufReader::new(answers).lines();
        for _ in 0..6 {
            let answer = answers.next_line().await.unwrap().unwrap();
            let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
            assert_eq!((&answer["error"]["code"], answer.get("result")), (&(-32_700).into(), None));
            assert!(answer["error"]["message"].as_str().unwrap().starts_with("the line is not JSON: "));
        }
        assert_eq!(answers.next_line().await.unwrap(), None);
    }

    /// A request to `ping` in a line of so many bytes.
    fn ping(id: u32, bytes: usize) -> String {
        let head = r#"{"params":{"id":"none","pad":""#;
        let tail = format!(r#""}},"jsonrpc":"2.0","method":"ping","id":{id}}}"#);
        format!("{head}{}{tail}", "x".repeat(bytes - head.len() - tail.len()))
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_answered_by_its_id_and_the_session_goes_on() {
        let (mut client, server) = tokio::io::duplex(1 << 16);
        let (output, answers) = tokio::io::duplex(1 << 16);
        let mut lines = Lines::new(server, output);
        let sent = [
            ping(1, LINE_BYTES_MAX),
            ping(2, LINE_BYTES_MAX + 1),
            ping(3, 100),
            "x".repeat(2 * LINE_BYTES_MAX),
            ping(4, 100),
        ];
        tokio::spawn(async move {
            for line in sent {
                client.write_all(format!("{line}\n").as_bytes()).await.unwrap();
            }
            // The last line has no end.
            client.write_all(ping(5, LINE_BYTES_MAX + 1).as_bytes()).await.unwrap();
        });
        let mut received = Vec::new();
        while let Some(message) = lines.receive().await {
            received.push(serde_json::to_value(message).unwrap()["id"].clone());
        }
        assert_eq!(received, [1, 3, 4], "one at the limit and those that are short");
        drop(lines);
        let mut answers = BufReader::new(answers).lines();
        for id in [serde_json::json!(2), serde_json::Value::Null, serde_json::json!(5)] {
            let answer = answers.next_line().await.unwrap().unwrap();
            let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
            let error = &answer["error"];
            assert_eq!((&answer["id"], &error["code"]), (&id, &(-32_600).into()), "{answer}");
            assert_eq!(error["data"]["error"]["code"], "E1850", "{answer}");
            assert!(error["message"].as_str().unwrap().starts_with("the line has more than 16777216 bytes"));
        }
        assert_eq!(answers.next_line().await.unwrap(), None);
    }
}
