//! Who may use a server: tokens, each with a name that its runs belong to and a limit on what they may cost together.
//!
//! A server without tokens serves everybody who reaches it, as the tenant [`runtime::DEFAULT_TENANT`]. With at least one,
//! every request but those for health and reflection needs `authorization: Bearer TOKEN`.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll};

use axum::Router;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, Request, StatusCode};
use jiff::Timestamp;
use runtime::{DEFAULT_TENANT, SpendCap};
use schema::hash::Hash;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tonic::Status;
use tonic_types::StatusExt as _;
use tower::{Layer, Service};

use crate::status::status;

/// How the methods begin that change what others see.
const PUBLISHING: [&str; 2] = ["Publish", "Withdraw"];
/// What is guarded. Health and reflection answer anybody, and what is answered beside gRPC asks these services itself, with
/// the token it was given.
const GUARDED: &str = "/orchestra.v1.";

/// SHA-256 of a token, all that a server keeps of it. A token has 32 random bytes, so a fast hash hides it well.
#[must_use]
pub fn token_hash(token: &str) -> Hash {
    Hash(Sha256::digest(token).into())
}

/// Who holds a token, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The tenant of everything that is done with the token; letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// What all runs made with it may cost together; without a limit where it is `None`.
    pub spend_cap: Option<SpendCap>,
    /// Whether it may publish operations, capabilities and plans.
    pub may_publish: bool,
    /// Whether its runs call with keys of its own only, never with those of the server.
    pub own_keys: bool,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
}

/// The tokens of a server, by hash.
#[derive(Clone, Debug, Default)]
pub struct Access(Arc<BTreeMap<Hash, Grant>>);

impl Access {
    /// These tokens; nobody needs one where there are none.
    #[must_use]
    pub fn new(grants: BTreeMap<Hash, Grant>) -> Self {
        Self(Arc::new(grants))
    }

    /// Whether everybody is served.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn spend_caps(&self) -> BTreeMap<Arc<str>, SpendCap> {
        let capped = self.0.values().filter_map(|grant| Some((grant, grant.spend_cap.as_ref()?)));
        capped.map(|(grant, cap)| (Arc::from(grant.name.as_str()), cap.clone())).collect()
    }

    /// Whom the server's own keys serve: the holders of tokens without keys of their own, and whoever needs no token.
    pub(crate) fn served(&self) -> impl Iterator<Item = &str> {
        let holders = self.0.values().filter(|grant| !grant.own_keys).map(|grant| grant.name.as_str());
        holders.chain([DEFAULT_TENANT])
    }

    /// Routes beside gRPC that answer only who shows a token; all who ask where there are none.
    pub(crate) fn holders_only(&self, routes: Router) -> Router {
        if self.is_open() {
            return routes;
        }
        let access = self.clone();
        routes.layer(from_fn(move |request: axum::extract::Request, next: Next| {
            let refused = access.grant(request.headers()).err();
            async move {
                match refused {
                    None => next.run(request).await,
                    Some(refused) => unauthenticated(&refused, request.headers().contains_key(AUTHORIZATION)),
                }
            }
        }))
    }

    /// Lets a request pass with the tenant it is of, or says why not.
    fn check<B>(&self, mut request: Request<B>) -> Result<Request<B>, Status> {
        let path = request.uri().path();
        if self.is_open() || !path.starts_with(GUARDED) {
            return Ok(request);
        }
        let grant = self.grant(request.headers())?;
        let method = path.rsplit('/').next().unwrap_or_default();
        if PUBLISHING.iter().any(|word| method.starts_with(word)) && !grant.may_publish {
            let message = format!("the token `{}` may not publish", grant.name);
            return Err(status("E1519", message));
        }
        let tenant = Tenant(Arc::from(grant.name.as_str()));
        request.extensions_mut().insert(tenant);
        Ok(request)
    }

    fn grant(&self, headers: &HeaderMap) -> Result<&Grant, Status> {
        let mut all = headers.get_all(AUTHORIZATION).iter();
        let header = all.next();
        let header =
            header.ok_or_else(|| status("E1517", "this server wants a token, and the request has none"))?;
        if all.any(|other| other != header) {
            return Err(status("E1517", "the request has two `authorization` headers, and they differ"));
        }
        let token = header.to_str().ok().and_then(bearer);
        let token = token
            .ok_or_else(|| status("E1517", "the `authorization` header is not of the form `Bearer TOKEN`"))?;
        let grant = self.0.get(&token_hash(token));
        let grant = grant.ok_or_else(|| status("E1517", "this server does not know the token"))?;
        match grant.expires_at {
            Some(at) if Timestamp::now() >= at => {
                Err(status("E1518", format!("the token `{}` expired at {at}", grant.name)))
            }
            _ => Ok(grant),
        }
    }
}

/// The refusal as HTTP has it (RFC 6750, section 3).
fn unauthenticated(refused: &Status, shows_one: bool) -> Response {
    let challenge = match shows_one {
        true => "Bearer realm=\"orchestra\", error=\"invalid_token\"",
        false => "Bearer realm=\"orchestra\"",
    };
    let code = refused.get_details_error_info().map(|info| info.reason).unwrap_or_default();
    let help = "send `authorization: Bearer TOKEN`; who runs the server makes one by `orch tokens add`";
    let body = json!({ "error": { "code": code, "message": refused.message(), "help": help } });
    let headers = [(WWW_AUTHENTICATE, challenge), (CONTENT_TYPE, "application/json")];
    (StatusCode::UNAUTHORIZED, headers, format!("{body}\n")).into_response()
}

/// The token of an `authorization` header; its scheme is written in any case (RFC 9110, section 11.1).
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

/// Whose request it is.
#[derive(Clone, Debug)]
struct Tenant(Arc<str>);

/// Whose request it is: the token's, or everybody's where the server has no tokens.
pub(crate) fn tenant<T>(request: &tonic::Request<T>) -> Arc<str> {
    let tenant = request.extensions().get::<Tenant>();
    tenant.map_or_else(|| Arc::from(DEFAULT_TENANT), |tenant| Arc::clone(&tenant.0))
}

/// Puts services behind [`Access`].
#[derive(Clone, Debug)]
pub(crate) struct Guard(pub(crate) Access);

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { access: self.0.clone(), inner }
    }
}

/// Services behind [`Access`].
#[derive(Clone, Debug)]
pub(crate) struct Guarded<S> {
    access: Access,
    inner: S,
}

impl<S, B> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.access.check(request) {
            Ok(request) => Box::pin(self.inner.call(request)),
            Err(refused) => Box::pin(std::future::ready(Ok(refused.into_http()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str, authorization: Option<&str>) -> Request<()> {
        let request = Request::builder().uri(format!("http://server{path}"));
        let request = match authorization {
            Some(value) => request.header(AUTHORIZATION, value),
            None => request,
        };
        request.body(()).unwrap()
    }

    fn grant(name: &str) -> Grant {
        Grant { name: name.into(), spend_cap: None, may_publish: false, own_keys: false, expires_at: None }
    }

    fn access() -> Access {
        Access::new(BTreeMap::from([
            (token_hash("plain"), grant("plain")),
            (token_hash("editor"), Grant { may_publish: true, ..grant("editor") }),
            (token_hash("old"), Grant { expires_at: Some(Timestamp::UNIX_EPOCH), ..grant("old") }),
        ]))
    }

    #[test]
    fn a_token_names_the_tenant_and_what_else_there_is_is_refused() {
        let access = access();
        let tenant_of = |authorization| {
            let request = access.check(request("/orchestra.v1.RunService/GetRun", authorization));
            request.map(|request| request.extensions().get::<Tenant>().unwrap().0.to_string())
        };
        assert_eq!(tenant_of(Some("Bearer plain")).unwrap(), "plain");
        assert_eq!(tenant_of(Some("bearer  editor")).unwrap(), "editor");
        for (authorization, code) in [
            (None, "E1517"),
            (Some("Bearer unknown"), "E1517"),
            (Some("Bearer "), "E1517"),
            (Some("Basic plain"), "E1517"),
            (Some("plain"), "E1517"),
            (Some("Bearer old"), "E1518"),
        ] {
            let refused = tenant_of(authorization).unwrap_err();
            assert_eq!(refused.code(), tonic::Code::Unauthenticated, "{authorization:?}");
            let info = tonic_types::StatusExt::get_details_error_info(&refused).unwrap();
            assert_eq!(info.reason, code, "{authorization:?}");
        }
    }

    #[test]
    fn publishing_wants_a_right_and_health_wants_nothing() {
        let access = access();
        let publish = "/orchestra.v1.LedgerService/PublishOperation";
        assert!(access.check(request(publish, Some("Bearer editor"))).is_ok());
        let refused = access.check(request(publish, Some("Bearer plain"))).unwrap_err();
        assert_eq!(refused.code(), tonic::Code::PermissionDenied);
        assert!(access.check(request("/grpc.health.v1.Health/Check", None)).is_ok());
        assert!(Access::default().check(request(publish, None)).is_ok());
    }

    /// A new method that changes something must be put on one side or the other.
    #[test]
    fn every_method_that_changes_what_others_see_is_named_like_one() {
        use prost::Message as _;
        let files = prost_types::FileDescriptorSet::decode(proto::FILE_DESCRIPTOR_SET).unwrap();
        let ours = files.file.iter().filter(|file| file.package() == "orchestra.v1");
        let methods = ours.flat_map(|file| &file.service).flat_map(|service| &service.method);
        let changing = methods.filter(|method| {
            let level = method.options.as_ref().map(|options| options.idempotency_level());
            level != Some(prost_types::method_options::IdempotencyLevel::NoSideEffects)
        });
        let (publishing, mut own): (Vec<&str>, Vec<&str>) = changing
            .map(|method| method.name())
            .partition(|name| PUBLISHING.iter().any(|word| name.starts_with(word)));
        own.sort_unstable();
        assert_eq!(own, ["Call", "CancelRun", "CreateRun", "Stream"], "a caller's own");
        assert!(publishing.len() >= 4, "{publishing:?}");
    }
}
