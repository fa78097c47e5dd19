//! One request and its answer, within limits.

use std::error::Error as StdError;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response, StatusCode, Version, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper_util::client::legacy::connect::{HttpInfo, capture_connection};
use schema::limits::RESPONSE_HEADER_BYTES_MAX;
use tokio::time::Instant;

use super::connect::ConnectError;
use super::{Egress, Endpoint, Refused};

/// A complete answer.
#[derive(Debug)]
pub struct Exchange {
    /// HTTP status.
    pub status: StatusCode,
    /// Answer headers, within the limits.
    pub headers: HeaderMap,
    /// The whole body as received.
    pub body: Bytes,
    /// What followed the body, as gRPC has its status there.
    pub trailers: HeaderMap,
    /// The address that answered.
    pub remote: Option<SocketAddr>,
}

/// Sees an answer while it comes.
pub(crate) trait Watch: Send {
    /// The head, before any of the body.
    fn head(&mut self, status: StatusCode, headers: &HeaderMap);
    /// The next part of the body. After a `Break` no more of it is read.
    fn part(&mut self, bytes: &[u8]) -> ControlFlow<()>;
}

/// For answers that are of use only as a whole.
#[derive(Debug)]
struct Unwatched;

impl Watch for Unwatched {
    fn head(&mut self, _: StatusCode, _: &HeaderMap) {}

    fn part(&mut self, _: &[u8]) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Spans of one exchange, from the moment it was asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// Until the host's in-flight cap let it through.
    pub queued: Duration,
    /// Until the first byte of the answer: the headers.
    pub first_byte: Option<Duration>,
    /// Until the end.
    pub total: Duration,
}

/// Why there is no complete answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// The place is never dialled; nothing was sent.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// No connection, so nothing was sent.
    #[error("{what}")]
    Connect {
        /// The step that failed: resolving, connecting or TLS.
        what: &'static str,
        /// The cause.
        #[source]
        source: Arc<dyn StdError + Send + Sync>,
    },
    /// The time was over.
    #[error("no complete answer within {} ms", limit.as_millis())]
    Timeout {
        /// The time that was allowed.
        limit: Duration,
        /// Whether the request may have left this process.
        sent: bool,
    },
    /// The connection ended before the answer did.
    #[error("the peer closed the connection before the answer was complete")]
    Cut,
    /// The answer is not HTTP, or its head breaks a limit of the parser.
    #[error("the answer is not acceptable HTTP: {0}")]
    Protocol(String),
    /// Headers beyond the limit.
    #[error("the answer's headers exceed {RESPONSE_HEADER_BYTES_MAX} bytes")]
    HeadersTooLarge,
    /// A body beyond the limit.
    #[error("the answer's body exceeds {limit} bytes")]
    BodyTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// A content coding, although none was asked for.
    #[error("the answer is encoded as `{0}` although only identity was asked for")]
    Encoded(String),
}

impl ExchangeError {
    /// Whether the request may have left this process; where not, it costs nothing.
    #[must_use]
    pub const fn sent(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Connect { .. } => false,
            Self::Timeout { sent, .. } => *sent,
            _ => true,
        }
    }
}

impl Egress {
    /// Sends `request`, whose URI must begin with `endpoint`'s origin, and reads the whole answer within `limit`.
    /// Waiting for the host's in-flight cap counts. A redirect is an answer like any other; it is not followed.
    pub async fn exchange(
        &self,
        endpoint: &Endpoint,
        request: Request<Full<Bytes>>,
        limit: Duration,
    ) -> (Result<Exchange, ExchangeError>, Timings) {
        self.exchange_watched(endpoint, request, limit, &mut Unwatched).await
    }

    /// As [`Egress::exchange`], and `watch` sees the answer while it comes.
    pub(crate) async fn exchange_watched(
        &self,
        endpoint: &Endpoint,
        mut request: Request<Full<Bytes>>,
        limit: Duration,
        watch: &mut dyn Watch,
    ) -> (Result<Exchange, ExchangeError>, Timings) {
        let begun = Instant::now();
        let mut timings = Timings::default();
        if let Err(refused) = check_place(endpoint, &request) {
            return (Err(refused.into()), timings);
        }
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT_ENCODING, header::HeaderValue::from_static("identity"));
        let connection = capture_connection(&mut request);
        let work = async {
            // The semaphore is never closed, so `acquire` fails only at shutdown of the whole process.
            let _permit = endpoint.permits.acquire().await.map_err(|_| ExchangeError::Cut)?;
            timings.queued = begun.elapsed();
            // The turn may come in the same moment as the end of the time, by which whoever had it has given up too.
            if timings.queued >= limit {
                return Err(ExchangeError::Timeout { limit, sent: false });
            }
            let client =
                if request.version() == Version::HTTP_2 { &self.shared.http2 } else { &self.shared.client };
            let response = client.request(request).await.map_err(classify)?;
            timings.first_byte = Some(begun.elapsed());
            let remote = response.extensions().get::<HttpInfo>().map(HttpInfo::remote_addr);
            check_head(&response, self.shared.body_bytes_max)?;
            let (head, body) = response.into_parts();
            watch.head(head.status, &head.headers);
            let (body, trailers) = read_body(body, self.shared.body_bytes_max, watch).await?;
            Ok((head, body, trailers, remote))
        };
        let result = tokio::time::timeout(limit, work).await;
        timings.total = begun.elapsed();
        let result = match result {
            Ok(Ok((head, body, trailers, remote))) => {
                Ok(Exchange { status: head.status, headers: head.headers, body, trailers, remote })
            }
            Ok(Err(error)) => Err(error),
            // A request is only written once it has a connection.
            Err(_) => Err(ExchangeError::Timeout { limit, sent: connection.connection_metadata().is_some() }),
        };
        (result, timings)
    }
}

/// The cap and the admission belong to the endpoint, so a request for another place must not pass under its name.
fn check_place(endpoint: &Endpoint, request: &Request<Full<Bytes>>) -> Result<(), Refused> {
    let (uri, origin) = (request.uri(), endpoint.origin());
    let scheme = if origin.is_https() { "https" } else { "http" };
    if uri.scheme_str() == Some(scheme)
        && uri.authority().is_some_and(|own| own.as_str() == origin.authority())
    {
        return Ok(());
    }
    let why = "the request is addressed to another place";
    Err(Refused::Place { origin: origin.to_string(), why })
}

fn check_head(response: &Response<Incoming>, body_bytes_max: usize) -> Result<(), ExchangeError> {
    // As on the wire: `name: value\r\n`.
    let bytes: usize =
        response.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if bytes > RESPONSE_HEADER_BYTES_MAX {
        return Err(ExchangeError::HeadersTooLarge);
    }
    for coding in response.headers().get_all(header::CONTENT_ENCODING) {
        if !coding.as_bytes().eq_ignore_ascii_case(b"identity") {
            let shown = String::from_utf8_lossy(coding.as_bytes()).chars().take(40).collect();
            return Err(ExchangeError::Encoded(shown));
        }
    }
    let announced = response.body().size_hint().lower();
    if usize::try_from(announced).map_or(true, |announced| announced > body_bytes_max) {
        return Err(ExchangeError::BodyTooLarge { limit: body_bytes_max });
    }
    Ok(())
}

/// Most bytes reserved on the word of a `Content-Length` alone.
const RESERVED_BYTES_MAX: u64 = 64 << 10;

async fn read_body(
    mut body: Incoming,
    limit: usize,
    watch: &mut dyn Watch,
) -> Result<(Bytes, HeaderMap), ExchangeError> {
    let announced = body.size_hint().lower();
    let mut first: Option<Bytes> = None;
    let mut all = BytesMut::new();
    let mut trailers = HeaderMap::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let data = match frame.map_err(classify_body)?.into_data() {
            Ok(data) => data,
            Err(frame) => {
                trailers = frame.into_trailers().unwrap_or_default();
                continue;
            }
        };
        length += data.len();
        if length > limit {
            return Err(ExchangeError::BodyTooLarge { limit });
        }
        let is_over = watch.part(&data).is_break();
        // Most answers are one frame, and are then handed on without a copy.
        match first.take() {
            None if all.is_empty() => first = Some(data),
            None => all.extend_from_slice(&data),
            Some(start) => {
                all.reserve(usize::try_from(announced.min(RESERVED_BYTES_MAX)).unwrap_or_default());
                all.extend_from_slice(&start);
                all.extend_from_slice(&data);
            }
        }
        if is_over {
            break;
        }
    }
    Ok((first.unwrap_or_else(|| all.freeze()), trailers))
}

fn classify_body(error: hyper::Error) -> ExchangeError {
    if error.is_parse() { ExchangeError::Protocol(deepest(&error)) } else { ExchangeError::Cut }
}

fn classify(error: hyper_util::client::legacy::Error) -> ExchangeError {
    let connecting = error.is_connect();
    let mut cause: Option<&(dyn StdError + 'static)> = Some(&error);
    while let Some(current) = cause {
        match current.downcast_ref::<ConnectError>() {
            Some(ConnectError::Refused(refused)) => return refused.clone().into(),
            Some(ConnectError::Resolve(_)) => return connect_failed("the name does not resolve", error),
            Some(ConnectError::Tcp(_) | ConnectError::Timeout) => {
                return connect_failed("no connection", error);
            }
            None => {}
        }
        if let Some(parse) = current.downcast_ref::<hyper::Error>().filter(|error| error.is_parse()) {
            return ExchangeError::Protocol(deepest(parse));
        }
        cause = current.source();
    }
    if connecting { connect_failed("no TLS connection", error) } else { ExchangeError::Cut }
}

fn connect_failed(what: &'static str, source: hyper_util::client::legacy::Error) -> ExchangeError {
    ExchangeError::Connect { what, source: Arc::new(source) }
}

/// The innermost cause, which is the one that says what happened.
pub(crate) fn deepest(error: &dyn StdError) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
