//! A connection that can be cut: a TCP forwarder between a client and a server.

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinHandle};

/// A running forwarder; dropping it cuts everything.
#[derive(Debug)]
pub struct Cable {
    /// Where clients connect.
    pub address: SocketAddr,
    connections: Arc<Mutex<Vec<AbortHandle>>>,
    task: JoinHandle<()>,
}

impl Cable {
    /// Forwards connections to `target`.
    ///
    /// # Panics
    /// If there is no socket.
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections: Arc<Mutex<Vec<AbortHandle>>> = Arc::default();
        let opened = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let forward = tokio::spawn(async move {
                    let Ok(mut far) = TcpStream::connect(target).await else { return };
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                });
                opened.lock().push(forward.abort_handle());
            }
        });
        Self { address, connections, task }
    }

    /// Cuts every connection there is; new ones are forwarded again.
    pub fn cut(&self) {
        for connection in self.connections.lock().drain(..) {
            connection.abort();
        }
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}
