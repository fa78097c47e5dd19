//! Messages in lines, as standard input and output have them. The library passes over a line that is not JSON, and its
//! sender would wait for an answer for ever; here it is told so, as JSON-RPC has it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use rmcp::RoleServer;
use rmcp::model::ErrorData;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Bytes of the longest line that is looked at: above what any tool takes.
const LINE_BYTES_MAX: usize = 16 << 20;

/// A transport that answers what it cannot read.
pub(crate) struct Lines<R: AsyncRead + Unpin, W: AsyncWrite> {
    inner: AsyncRwTransport<RoleServer, Looked<R>, W>,
    unreadable: UnboundedReceiver<String>,
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
        let looked = Looked { read, line: Vec::new(), is_long: false, found };
        Self { inner: AsyncRwTransport::new(looked, write), unreadable, telling: None }
    }

    fn tell(&mut self, why: &str) {
        let error = ErrorData::parse_error(format!("the line is not JSON: {why}"), None);
        self.telling = Some(Box::pin(self.inner.send(TxJsonRpcMessage::<RoleServer>::error(error, None))));
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
                Some(why) = self.unreadable.recv() => {
                    self.tell(&why);
                    continue;
                }
                received = self.inner.receive() => received,
            };
            // What came last may be what cannot be read.
            match (received, self.unreadable.try_recv()) {
                (None, Ok(why)) => self.tell(&why),
                (received, Err(_)) => return received,
                (Some(received), Ok(why)) => {
                    self.tell(&why);
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
    /// Whether the line is too long to be looked at.
    is_long: bool,
    found: UnboundedSender<String>,
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
        let is_text = !std::mem::take(&mut self.is_long) && !line.trim_ascii().is_empty();
        // As a value: what is only passed over is not asked for its depth, numbers and characters.
        if let (true, Err(error)) = (is_text, serde_json::from_slice::<serde_json::Value>(&line)) {
            // Without a receiver the session is over.
            let _ = self.found.send(error.to_string());
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.is_long |= self.line.len() + bytes.len() > LINE_BYTES_MAX;
        if self.is_long {
            self.line.clear();
        } else {
            self.line.extend_from_slice(bytes);
        }
    }
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
}
