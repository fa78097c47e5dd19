//! What the generated clients are made over.

use tonic::Status;
use tonic::body::Body;
use tonic::codegen::{Body as HttpBody, Bytes, Service, StdError, http};
use tower::ServiceExt as _;
use tower::util::BoxCloneSyncService;

/// A way to the services: a connection to a server, or the services of this process themselves. Cheap to clone.
pub type Channel = BoxCloneSyncService<http::Request<Body>, http::Response<Body>, Status>;

/// The way through `service`, which takes requests of gRPC: a connection such as `tonic::transport::Channel`, or the routes of a
/// server in this process.
pub fn channel<S, B>(service: S) -> Channel
where
    S: Service<http::Request<Body>, Response = http::Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<StdError>,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<StdError>,
{
    let service = service.map_response(|response| response.map(Body::new));
    Channel::new(service.map_err(|error| Status::from_error(error.into())))
}
