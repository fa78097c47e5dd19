//! Documents from addresses, by the same way out as calls.

use std::time::Duration;

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Request, StatusCode, Uri};
use http_body_util::Full;

use super::origin::spelling;
use super::{Egress, ExchangeError, Refused, USER_AGENT};

const ACCEPT: HeaderValue =
    HeaderValue::from_static("application/json, application/yaml, text/yaml, */*;q=0.5");
/// Longest validator that is kept; a longer one is no use to anybody.
const VALIDATOR_BYTES_MAX: usize = 512;

/// What a peer said of a document, by which it can tell later that it is still the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
}

/// What a fetch brought.
#[derive(Debug)]
pub enum Fetched {
    /// The document.
    Document {
        /// The whole body.
        bytes: Bytes,
        /// For the next fetch.
        validators: Validators,
    },
    /// It is what it was at the validators that were given.
    NotModified,
}

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// There was no whole answer.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// The answer is another one than the document; where it leads instead, if it does.
    #[error("it answers with status {status}{}", location.as_deref().map(|to| format!(", which leads to `{to}`")).unwrap_or_default())]
    Status {
        /// The HTTP status.
        status: StatusCode,
        /// Where a redirect leads. It is not followed.
        location: Option<String>,
    },
}

impl From<Refused> for FetchError {
    fn from(refused: Refused) -> Self {
        Self::Exchange(refused.into())
    }
}

impl Egress {
    /// Fetches the document at `url` by `GET`; with `known`, only if it has changed since.
    ///
    /// # Errors
    /// [`FetchError`] where the address is never dialled, there is no whole answer within `limit` and the size that
    /// the options admit, or the answer has another status than 200.
    pub async fn fetch(&self, url: &str, known: &Validators, limit: Duration) -> Result<Fetched, FetchError> {
        let (place, query) = url.split_once('?').map_or((url, None), |(place, query)| (place, Some(query)));
        let endpoint = self.endpoint(place)?;
        // As it is written, with the `/` at its end that an endpoint has not.
        let rest = place.split_once("://").map_or("", |(_, rest)| rest);
        let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/");
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let uri = Uri::try_from(format!("{}{path}{query}", endpoint.origin()));
        let uri = uri.map_err(|_| spelling(url, "it is no address of a document"))?;
        let mut request = Request::new(Full::default());
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(header::USER_AGENT, USER_AGENT);
        headers.insert(header::ACCEPT, ACCEPT);
        insert(headers, header::IF_NONE_MATCH, known.etag.as_deref());
        insert(headers, header::IF_MODIFIED_SINCE, known.last_modified.as_deref());
        let (answer, _) = self.exchange(&endpoint, request, limit).await;
        let answer = answer?;
        match answer.status {
            StatusCode::OK => {
                let validators = Validators {
                    etag: text(&answer.headers, &header::ETAG),
                    last_modified: text(&answer.headers, &header::LAST_MODIFIED),
                };
                Ok(Fetched::Document { bytes: answer.body, validators })
            }
            StatusCode::NOT_MODIFIED if *known != Validators::default() => Ok(Fetched::NotModified),
            status => {
                let location = text(&answer.headers, &header::LOCATION);
                Err(FetchError::Status { status, location: location.filter(|_| status.is_redirection()) })
            }
        }
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: Option<&str>) {
    if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
        headers.insert(name, value);
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?;
    (value.len() <= VALIDATOR_BYTES_MAX).then(|| value.to_owned())
}
