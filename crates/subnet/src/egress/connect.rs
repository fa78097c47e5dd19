//! From a checked origin to a connection with a checked address.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tower_service::Service;

use super::{EgressPolicy, Origin, Refused, address};

/// Time for resolving and connecting together; an attempt's own timeout usually ends sooner.
const CONNECT: Duration = Duration::from_secs(10);
/// Head start of each address before the next one is tried beside it (RFC 8305 recommends 250 ms).
const STAGGER: Duration = Duration::from_millis(250);
/// Addresses that are tried.
const ADDRESSES_MAX: usize = 4;

/// Turns a host name into addresses.
pub trait Resolve: Send + Sync + 'static {
    /// All addresses of `host`, in order of preference.
    fn resolve(
        &self,
        host: Arc<str>,
        port: u16,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;
}

/// The operating system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(
        &self,
        host: Arc<str>,
        port: u16,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((&*host, port)).await?.collect()) })
    }
}

/// Why there is no connection; found again in the source chain of the client's error.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("the name does not resolve")]
    Resolve(#[source] io::Error),
    #[error("no connection")]
    Tcp(#[source] io::Error),
    #[error("no connection within {} s", CONNECT.as_secs())]
    Timeout,
}

#[derive(Clone)]
pub(super) struct Connector {
    policy: EgressPolicy,
    resolver: Arc<dyn Resolve>,
}

impl Connector {
    pub(super) fn new(policy: EgressPolicy, resolver: Arc<dyn Resolve>) -> Self {
        Self { policy, resolver }
    }

    async fn connect(self, uri: Uri) -> Result<TokioIo<TcpStream>, ConnectError> {
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            let refused = Refused::Spelling { text: String::new(), why: "it has no scheme or host" };
            return Err(refused.into());
        };
        let origin = Origin::parse(&format!("{scheme}://{authority}"))?;
        origin.admit(self.policy)?;
        let work = async {
            let addresses = self.addresses(&origin).await?;
            let stream = first_connected(&addresses).await?;
            self.check_connected(&origin, &stream)?;
            stream.set_nodelay(true).map_err(ConnectError::Tcp)?;
            Ok(TokioIo::new(stream))
        };
        tokio::time::timeout(CONNECT, work).await.unwrap_or(Err(ConnectError::Timeout))
    }

    /// All addresses, each of them admissible: one bad address among good ones is an attack or a mistake, and either
    /// way not a public endpoint.
    async fn addresses(&self, origin: &Origin) -> Result<Vec<SocketAddr>, ConnectError> {
        let addresses = match (origin.socket_address(), origin.name()) {
            (Some(address), _) => vec![address],
            (None, name) => {
                self.resolver.resolve(name.into(), origin.port()).await.map_err(ConnectError::Resolve)?
            }
        };
        for address in &addresses {
            self.check(origin, address.ip())?;
            // A name must not turn plain HTTP towards a public place; only development names come here at all.
            if !origin.is_https()
                && origin.socket_address().is_none()
                && address::range_of(address.ip()).is_none()
            {
                let why = "plain HTTP to a public address needs the address itself, not a name";
                return Err(Refused::Place { origin: origin.to_string(), why }.into());
            }
        }
        if addresses.is_empty() {
            return Err(ConnectError::Resolve(io::Error::new(
                io::ErrorKind::NotFound,
                "the name has no address",
            )));
        }
        Ok(addresses)
    }

    fn check(&self, origin: &Origin, address: IpAddr) -> Result<(), Refused> {
        match address::denied(address, self.policy) {
            None => Ok(()),
            Some(range) => Err(Refused::Address { origin: origin.to_string(), address, range: range.name() }),
        }
    }

    /// This machine's own public addresses are in no list; a connection to one has the same address at both ends.
    fn check_connected(&self, origin: &Origin, stream: &TcpStream) -> Result<(), ConnectError> {
        let own = stream.local_addr().map_err(ConnectError::Tcp)?.ip();
        let peer = stream.peer_addr().map_err(ConnectError::Tcp)?.ip();
        self.check(origin, peer)?;
        if own == peer && !self.policy.allow_loopback {
            let refused =
                Refused::Address { origin: origin.to_string(), address: peer, range: "this machine's own" };
            return Err(refused.into());
        }
        Ok(())
    }
}

/// The first of the addresses that accepts, each with a head start over the next.
async fn first_connected(addresses: &[SocketAddr]) -> Result<TcpStream, ConnectError> {
    let mut attempts = JoinSet::new();
    let mut waiting = addresses.iter().take(ADDRESSES_MAX).copied();
    let mut last = io::Error::from(io::ErrorKind::NotConnected);
    loop {
        if let Some(address) = waiting.next() {
            attempts.spawn(TcpStream::connect(address));
        }
        let more = waiting.len() > 0;
        let ended = tokio::select! {
            ended = attempts.join_next() => ended,
            () = tokio::time::sleep(STAGGER), if more => continue,
        };
        match ended {
            Some(Ok(Ok(stream))) => return Ok(stream),
            Some(Ok(Err(error))) => last = error,
            Some(Err(error)) => last = io::Error::other(error),
            None if more => {}
            None => return Err(ConnectError::Tcp(last)),
        }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}
