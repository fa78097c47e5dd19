//! Sessions belong to whoever began them. The id that a client is given is the library's with a tag behind it, which only this
//! process can make, of that id and the client's `authorization`: who has learned an id can do nothing with it by another token.

use std::hash::{BuildHasher as _, RandomState};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
/// No session has this id.
const NOBODYS: HeaderValue = HeaderValue::from_static("none");

/// Tells whose sessions are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owners(RandomState);

impl Owners {
    /// The id that `owner` is given of a session that is called `id` here.
    fn given(&self, owner: &[u8], id: &str) -> Option<HeaderValue> {
        let tag = self.0.hash_one((owner, id));
        HeaderValue::from_str(&format!("{id}.{tag:016x}")).ok()
    }

    /// The session's own id, where it was given to `owner`.
    fn own(&self, owner: &[u8], given: &HeaderValue) -> Option<HeaderValue> {
        let (id, _) = given.to_str().ok()?.rsplit_once('.')?;
        (self.given(owner, id)? == *given).then(|| HeaderValue::from_str(id).ok())?
    }
}

/// Puts the session's own id in the place of the one that its owner was given, and the other way round.
pub(crate) async fn own_sessions(State(owners): State<Owners>, mut request: Request, next: Next) -> Response {
    let owner = request.headers().get(AUTHORIZATION).map_or_else(Vec::new, |value| value.as_bytes().to_vec());
    if let Some(given) = request.headers_mut().get_mut(SESSION) {
        *given = owners.own(&owner, given).unwrap_or(NOBODYS);
    }
    let mut response = next.run(request).await;
    if let Some(id) = response.headers_mut().get_mut(SESSION) {
        let given = id.to_str().ok().and_then(|id| owners.given(&owner, id));
        *id = given.unwrap_or(NOBODYS);
    }
    response
}
