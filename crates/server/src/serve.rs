//! The gRPC server around the services: limits, health, reflection; and the way to the services without a server.

use std::future::Future;
use std::time::Duration;

use axum::response::Response;
use http::HeaderValue;
use proto::Channel;
use proto::v1::call_service_server::CallServiceServer;
use proto::v1::compiler_service_server::CompilerServiceServer;
use proto::v1::ledger_service_server::LedgerServiceServer;
use proto::v1::plan_service_server::PlanServiceServer;
use proto::v1::run_service_server::RunServiceServer;
use proto::v1::tool_service_server::ToolServiceServer;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::{Router, TcpIncoming};
use tonic_health::server::HealthReporter;
use tower::util::MapResponseLayer;

use crate::access::Guard;
use crate::browser;
use crate::call::Calls;
use crate::coded::coded;
use crate::compiler::Compiler;
use crate::inside;
use crate::ledger::Ledger;
use crate::open::Service;
use crate::own_machine;
use crate::plans::Plans;
use crate::run::Runs;
use crate::tools::Tools;

/// Streams of one connection at once. Left unset, the HTTP/2 library admits any number.
const STREAMS_PER_CONNECTION_MAX: u32 = 128;
/// Resets that a peer may provoke before the connection is closed (RUSTSEC-2024-0003, CVE-2025-8671).
const LOCAL_ERROR_RESETS_MAX: usize = 64;
/// Streams reset before they were accepted (CVE-2023-44487).
const PENDING_ACCEPT_RESETS_MAX: usize = 20;
/// Bytes of the headers of one request.
const HEADER_LIST_BYTES_MAX: u32 = 16 << 10;
/// Bytes of one request message: source, lock bodies and inputs together.
const REQUEST_BYTES_MAX: usize = 16 << 20;
/// Longest time until a call begins to answer.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// How long calls may go on when all runs have stopped.
const DRAIN: Duration = Duration::from_secs(1);
/// Connections idle for this long are asked whether they live.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(30);

/// Header of every answer by gRPC, with or without a token: which server answers ([`store::Server::instance`]).
pub const INSTANCE_HEADER: &str = "orchestra-instance";

/// Why a service cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The listener failed.
    #[error(transparent)]
    Transport(#[from] tonic::transport::Error),
    /// The descriptors built into the program do not fit together.
    #[error(transparent)]
    Reflection(#[from] tonic_reflection::server::Error),
}

impl Service {
    /// Serves until `shutdown` resolves. Then new runs and connections are refused, and runs and calls get a
    /// few seconds to end; what takes longer is cut, and the next process takes up its runs. `web` is what the port
    /// answers beside gRPC, by HTTP/1 and HTTP/2.
    ///
    /// # Errors
    /// If the listener fails.
    pub async fn serve(
        &self,
        listener: TcpListener,
        web: axum::Router,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let of_own_machine = self.is_open() && listener.local_addr().is_ok_and(|at| at.ip().is_loopback());
        let (router, health) = self.router(web, of_own_machine).await?;
        let (told, stopping) = oneshot::channel();
        let reporter = health.clone();
        let drain = async move {
            shutdown.await;
            self.leave_address();
            set_health(&reporter, tonic_health::ServingStatus::NotServing).await;
            let _ = told.send(());
        };
        // Parts of a stream are small, and each would wait for the client's word on the one before.
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let served = router.serve_with_incoming_shutdown(incoming, drain);
        let cut = async {
            if stopping.await.is_err() {
                // The server ended by itself, and says why.
                return std::future::pending().await;
            }
            // Watchers wait for the end of their runs and of this server, and connections wait for watchers.
            self.close().await;
            clear_health(health).await;
            tokio::time::sleep(DRAIN).await;
        };
        tokio::select! {
            served = served => Ok(served?),
            () = cut => Ok(()),
        }
    }

    /// Routes that answer only who shows a token, where there are tokens.
    #[must_use = "routes answer nothing until they are served"]
    pub fn holders_only(&self, routes: axum::Router) -> axum::Router {
        self.access().holders_only(routes)
    }

    /// The way to this service for clients in its own process: no connection and no frames are between them, an answer is read
    /// while it is made, and a request that is dropped is cancelled. Until an answer begins, it takes as long as over a connection at
    /// most. Health and reflection are for those outside. It keeps the service's store open.
    #[must_use]
    pub fn channel(&self) -> Channel {
        inside::channel(self.guarded(self.services()))
    }

    async fn router(
        &self,
        web: axum::Router,
        of_own_machine: bool,
    ) -> Result<(Router, HealthReporter), ServeError> {
        let (health, health_service) = tonic_health::server::health_reporter();
        set_health(&health, tonic_health::ServingStatus::Serving).await;
        let grpc = self
            .services()
            .add_service(health_service)
            .add_service(reflection().build_v1()?)
            .add_service(reflection().build_v1alpha()?);
        let instance = HeaderValue::from(self.instance());
        let named = MapResponseLayer::new(move |mut response: Response| {
            response.headers_mut().insert(INSTANCE_HEADER, instance.clone());
            response
        });
        let grpc = self.guarded(grpc).layer(named);
        let routes = browser::admit(grpc, self.allow_origins()).merge(web);
        let routes = match of_own_machine {
            true => own_machine::only(routes, self.allow_origins()),
            false => routes,
        };
        let router = Server::builder()
            .accept_http1(true)
            .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
            .http2_max_local_error_reset_streams(Some(LOCAL_ERROR_RESETS_MAX))
            .http2_max_pending_accept_reset_streams(Some(PENDING_ACCEPT_RESETS_MAX))
            .http2_max_header_list_size(HEADER_LIST_BYTES_MAX)
            .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
            .timeout(CALL_TIMEOUT)
            .add_routes(Routes::from(routes));
        Ok((router, health))
    }

    /// The routes, for those who may use them, with a code on every error; also on that of one that panics.
    fn guarded(&self, routes: Routes) -> axum::Router {
        let routes = routes.into_axum_router().layer(Guard(self.access().clone()));
        inside::caught(routes).layer(MapResponseLayer::new(coded))
    }

    /// Our own services.
    fn services(&self) -> Routes {
        Routes::default()
            .add_service(
                CallServiceServer::new(Calls::new(self)).max_decoding_message_size(REQUEST_BYTES_MAX),
            )
            .add_service(
                CompilerServiceServer::new(Compiler::new(self)).max_decoding_message_size(REQUEST_BYTES_MAX),
            )
            .add_service(
                LedgerServiceServer::new(Ledger::new(self)).max_decoding_message_size(REQUEST_BYTES_MAX),
            )
            .add_service(
                PlanServiceServer::new(Plans::new(self)).max_decoding_message_size(REQUEST_BYTES_MAX),
            )
            .add_service(RunServiceServer::new(Runs::new(self)).max_decoding_message_size(REQUEST_BYTES_MAX))
            .add_service(ToolServiceServer::new(Tools::new(self)))
    }
}

/// The names under which health is asked for; the empty one is the whole server.
const HEALTH_NAMES: [&str; 7] = [
    "",
    <CallServiceServer<Calls> as NamedService>::NAME,
    <CompilerServiceServer<Compiler> as NamedService>::NAME,
    <LedgerServiceServer<Ledger> as NamedService>::NAME,
    <PlanServiceServer<Plans> as NamedService>::NAME,
    <RunServiceServer<Runs> as NamedService>::NAME,
    <ToolServiceServer<Tools> as NamedService>::NAME,
];

async fn set_health(health: &HealthReporter, status: tonic_health::ServingStatus) {
    for name in HEALTH_NAMES {
        health.set_service_status(name, status).await;
    }
}

/// Ends the streams of those who watch the health.
async fn clear_health(mut health: HealthReporter) {
    for name in HEALTH_NAMES {
        health.clear_service_status(name).await;
    }
}

/// Files that reflection serves: our own and those of error details, so that tools can show them.
fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
}
