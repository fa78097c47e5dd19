//! The one way out of this process.
//!
//! Everything sent to a subnet, a miner or a webhook passes here: the endpoint's spelling is checked, its name is
//! resolved once, every address it resolves to is judged, and the connection is made to a judged address. A pooled
//! connection was judged when it was made. There are no redirects, no proxies from the environment and no
//! decompression. Two classes of place are dialled: `https` anywhere public, and plain `http` to the public address
//! of a validator or miner; loopback and private addresses only where a development setting says so.

mod address;
mod connect;
mod exchange;
mod fetch;
mod origin;

pub use connect::{Resolve, SystemResolver};
pub use exchange::{Exchange, ExchangeError, Timings};
pub(crate) use exchange::{Watch, deepest};
pub use fetch::{FetchError, Fetched, Validators};
pub use origin::Origin;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use http_body_util::Full;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use parking_lot::Mutex;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use schema::limits::{CALL_BODY_BYTES_MAX, RESPONSE_HEADER_BYTES_MAX};
use tokio::sync::Semaphore;

use connect::Connector;

/// What this program calls itself to every peer.
pub(crate) const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("orchestra/", env!("CARGO_PKG_VERSION")));
/// Calls in flight to one host unless configured otherwise. Measured: past about 64 the 99th percentile of a
/// client explodes while throughput stays the same.
pub const IN_FLIGHT_PER_HOST: usize = 64;
/// Most headers of one answer.
pub const RESPONSE_HEADERS_MAX: usize = 128;
/// An idle connection is kept shorter than the five seconds of common servers (uvicorn, Node), so that a request is
/// hardly ever written into a connection that the peer is just closing.
const IDLE: Duration = Duration::from_secs(4);
/// Read buffer of a connection; above the header limit, so that this crate's own count decides.
const READ_BUFFER_BYTES: usize = 2 * RESPONSE_HEADER_BYTES_MAX;
/// Headers of one answer over HTTP/2 before the connection refuses them; above the header limit, as above.
const HEADER_LIST_BYTES: u32 = 2 * RESPONSE_HEADER_BYTES_MAX as u32;
/// Hosts whose in-flight counters are remembered before unused ones are dropped.
const HOSTS_REMEMBERED: usize = 4_096;

/// Settings for development and tests; both off, as in production, is the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EgressPolicy {
    /// Admits 127.0.0.0/8 and ::1, and local names.
    pub allow_loopback: bool,
    /// Admits RFC 1918 and fc00::/7 addresses, and local names.
    pub allow_private: bool,
}

/// What the egress path may do and how much of it.
#[derive(Clone)]
pub struct Options {
    /// Which special addresses are admitted.
    pub policy: EgressPolicy,
    /// Root certificates in PEM that are trusted besides the public ones, such as a demo's own authority.
    pub extra_roots_pem: Vec<String>,
    /// Calls in flight to one host, at least 1.
    pub in_flight_per_host: usize,
    /// Largest accepted body.
    pub body_bytes_max: usize,
    /// Answers names; [`SystemResolver`] outside tests.
    pub resolver: Arc<dyn Resolve>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            policy: EgressPolicy::default(),
            extra_roots_pem: Vec::new(),
            in_flight_per_host: IN_FLIGHT_PER_HOST,
            body_bytes_max: CALL_BODY_BYTES_MAX,
            resolver: Arc::new(SystemResolver),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("policy", &self.policy)
            .field("extra_roots", &self.extra_roots_pem.len())
            .field("in_flight_per_host", &self.in_flight_per_host)
            .field("body_bytes_max", &self.body_bytes_max)
            .finish_non_exhaustive()
    }
}

/// A request that is not sent because of where it would go.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The endpoint is not written in the one accepted form. Code E1102.
    #[error("endpoint `{text}` is refused: {why}")]
    Spelling {
        /// The endpoint, shortened and without credentials.
        text: String,
        /// What is wrong.
        why: &'static str,
    },
    /// The endpoint is of a kind that is never dialled. Code E1102.
    #[error("{origin} is refused: {why}")]
    Place {
        /// Where it would have gone.
        origin: String,
        /// Why not.
        why: &'static str,
    },
    /// The endpoint is, or resolves to, an address that is never dialled. Code E1101.
    #[error("{origin} is refused: {address} is a {range} address")]
    Address {
        /// Where it would have gone.
        origin: String,
        /// The offending address.
        address: IpAddr,
        /// The range it lies in.
        range: &'static str,
    },
}

impl Refused {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Address { .. } => "E1101",
            Self::Spelling { .. } | Self::Place { .. } => "E1102",
        }
    }
}

/// A root certificate that cannot be used. Code E1110.
#[derive(Debug, thiserror::Error)]
#[error("extra root certificate {index}: {why}")]
pub struct RootError {
    index: usize,
    why: String,
}

impl RootError {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "E1110"
    }
}

type HttpClient = Client<HttpsConnector<Connector>, Full<Bytes>>;

/// The egress path with its connection pool. Cheap to clone; clones share the pool and the caps.
#[derive(Clone)]
pub struct Egress {
    shared: Arc<Shared>,
}

struct Shared {
    client: HttpClient,
    /// For requests of that version, which gRPC needs; without TLS by prior knowledge.
    http2: HttpClient,
    policy: EgressPolicy,
    in_flight_per_host: usize,
    body_bytes_max: usize,
    permits: Mutex<BTreeMap<Origin, Arc<Semaphore>>>,
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress").field("policy", &self.shared.policy).finish_non_exhaustive()
    }
}

/// An admitted endpoint: the origin, its path prefix and its share of the in-flight cap.
#[derive(Clone)]
pub struct Endpoint {
    origin: Origin,
    path: Arc<str>,
    permits: Arc<Semaphore>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path)
    }
}

impl Endpoint {
    /// Scheme, host and port.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Path prefix: empty, or beginning with `/` and not ending in it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl Egress {
    /// Builds the path; opens no connection.
    ///
    /// # Errors
    /// [`RootError`] if an extra root certificate is not one.
    pub fn new(options: Options) -> Result<Self, RootError> {
        let tls = tls_config(&options.extra_roots_pem)?;
        let https = |tls| hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        let connector = Connector::new(options.policy, options.resolver);
        let mut builder = Client::builder(TokioExecutor::new());
        builder
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(options.in_flight_per_host)
            .pool_timer(TokioTimer::new());
        let client = builder
            .clone()
            .http1_max_buf_size(READ_BUFFER_BYTES)
            .http1_max_headers(RESPONSE_HEADERS_MAX)
            .build(https(tls.clone()).enable_http1().wrap_connector(connector.clone()));
        let http2 = builder
            .http2_only(true)
            .http2_max_header_list_size(HEADER_LIST_BYTES)
            .build(https(tls).enable_http2().wrap_connector(connector));
        Ok(Self {
            shared: Arc::new(Shared {
                client,
                http2,
                policy: options.policy,
                in_flight_per_host: options.in_flight_per_host.clamp(1, Semaphore::MAX_PERMITS),
                body_bytes_max: options.body_bytes_max,
                permits: Mutex::default(),
            }),
        })
    }

    /// Admits an endpoint such as `https://api.example.com/v1`. A name is judged again, by its addresses, whenever a
    /// connection is made.
    ///
    /// # Errors
    /// [`Refused`] where nothing may ever be sent to it.
    pub fn endpoint(&self, text: &str) -> Result<Endpoint, Refused> {
        let (origin, path) = origin::parse_endpoint(text)?;
        origin.admit(self.shared.policy)?;
        let permits = self.permits_of(&origin);
        Ok(Endpoint { origin, path: path.into(), permits })
    }

    /// Bytes of the largest body that is read.
    pub(crate) fn body_bytes_max(&self) -> usize {
        self.shared.body_bytes_max
    }

    fn permits_of(&self, origin: &Origin) -> Arc<Semaphore> {
        let mut permits = self.shared.permits.lock();
        if let Some(found) = permits.get(origin) {
            return Arc::clone(found);
        }
        if permits.len() >= HOSTS_REMEMBERED {
            permits.retain(|_, unused| Arc::strong_count(unused) > 1);
        }
        let fresh = Arc::new(Semaphore::new(self.shared.in_flight_per_host));
        permits.insert(origin.clone(), Arc::clone(&fresh));
        fresh
    }
}

fn tls_config(extra_roots_pem: &[String]) -> Result<rustls::ClientConfig, RootError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for (index, pem) in extra_roots_pem.iter().enumerate() {
        let failed = |why: String| RootError { index, why };
        let mut found = 0;
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|error| failed(format!("{error:?}")))?;
            roots.add(certificate).map_err(|error| failed(error.to_string()))?;
            found += 1;
        }
        if found == 0 {
            return Err(failed("it holds no PEM certificate".into()));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| RootError { index: 0, why: error.to_string() })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
