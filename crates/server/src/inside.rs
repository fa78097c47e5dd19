//! The way to the services without a server, and what holds with and without one: a service that panics leaves nobody waiting.

use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::HttpBody;
use axum::response::Response;
use axum::routing::future::RouteFuture;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, Request, header};
use http_body::{Frame, SizeHint};
use proto::Channel;
use tokio::sync::mpsc;
use tonic::body::Body;
use tonic::{Status, TimeoutExpired};
use tower::util::MapFutureLayer;
use tower::{ServiceExt as _, service_fn};

use crate::serve::CALL_TIMEOUT;
use crate::status::status;

/// Header of a request that says how long its sender waits.
const TIMEOUT: &str = "grpc-timeout";
/// Digits of such a time at most, by the protocol.
const TIMEOUT_DIGITS_MAX: usize = 8;

/// The way to `routes` for clients in their own process.
pub(crate) fn channel(routes: Router) -> Channel {
    proto::channel(service_fn(move |request: Request<Body>| {
        let within = CALL_TIMEOUT.min(timeout_of(request.headers()).unwrap_or(CALL_TIMEOUT));
        begun(routes.clone().oneshot(request), within)
    }))
}

/// The same routes, where one that panics is answered for with E1179: before it answers, and while its answer is made.
pub(crate) fn caught(routes: Router) -> Router {
    routes.layer(MapFutureLayer::new(|answer: RouteFuture<Infallible>| {
        AssertUnwindSafe(answer).catch_unwind().map(|answered| match answered {
            Ok(Ok(response)) => {
                Ok::<_, Infallible>(response.map(|body| axum::body::Body::new(Caught(Some(body)))))
            }
            Ok(Err(never)) => match never {},
            Err(_) => Ok(panicked().into_http()),
        })
    }))
}

/// What a service begins to answer, within the time that it has.
async fn begun(
    answer: impl Future<Output = Result<Response, Infallible>>,
    within: Duration,
) -> Result<Response, Status> {
    match tokio::time::timeout(within, answer).await {
        Ok(Ok(response)) => Ok(response),
        Err(_) => Err(Status::from_error(TimeoutExpired(()).into())),
    }
}

/// How long the sender of a request waits; `None` where it does not say, or not as the protocol has it.
fn timeout_of(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(TIMEOUT)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let is_number = digits.len() <= TIMEOUT_DIGITS_MAX && digits.bytes().all(|byte| byte.is_ascii_digit());
    let count: u64 = digits.parse().ok().filter(|_| is_number)?;
    Some(match unit {
        "H" => Duration::from_secs(count * 60 * 60),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

/// Does the `work` of a task that tells its answers by `sender`; where it panics, that is the last of them.
pub(crate) async fn told<T>(sender: mpsc::Sender<Result<T, Status>>, work: impl Future<Output = ()>) {
    if AssertUnwindSafe(work).catch_unwind().await.is_err() {
        // Nobody hears it any more where the client went away.
        let _ = sender.send(Err(panicked())).await;
    }
}

fn panicked() -> Status {
    status("E1179", "the service stopped on a mistake of this program, which its log names")
}

/// An answer on its way; nothing once its making has panicked.
struct Caught(Option<axum::body::Body>);

impl HttpBody for Caught {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        if let Ok(polled) = catch_unwind(AssertUnwindSafe(|| Pin::new(body).poll_frame(context))) {
            return polled;
        }
        let half_made = self.0.take();
        // What a panic left may panic again when it is dropped.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(half_made)));
        // The end of an answer by gRPC is its status, which stands where the answer stopped.
        let mut status = panicked().into_http::<()>().into_parts().0.headers;
        status.remove(header::CONTENT_TYPE);
        Poll::Ready(Some(Ok(Frame::trailers(status))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

#[cfg(test)]
mod tests {
    use proto::v1;
    use proto::v1::call_service_client::CallServiceClient;
    use proto::v1::call_service_server::{CallService, CallServiceServer};
    use tokio::net::TcpListener;
    use tokio::time::Instant;
    use tokio_stream::StreamExt as _;
    use tonic::service::Routes;
    use tonic::transport::Server;
    use tonic::transport::server::TcpIncoming;
    use tonic::{Code, Response};
    use tonic_types::StatusExt as _;

    use super::*;

    /// A service that panics, at once or after a part of its answer, or never answers.
    struct Mistaken;

    type Parts = Pin<Box<dyn tokio_stream::Stream<Item = Result<v1::StreamResponse, Status>> + Send>>;

    #[tonic::async_trait]
    impl CallService for Mistaken {
        type StreamStream = Parts;

        async fn call(
            &self,
            request: tonic::Request<v1::CallRequest>,
        ) -> Result<Response<v1::CallResponse>, Status> {
            match request.get_ref().operation.as_str() {
                "late" => std::future::pending().await,
                _ => panic!("a mistake"),
            }
        }

        async fn stream(&self, _: tonic::Request<v1::StreamRequest>) -> Result<Response<Parts>, Status> {
            let parts = tokio_stream::iter([false, true]).then(async |panics| {
                // The part before goes on its way while this one is waited for.
                tokio::task::yield_now().await;
                if panics { panic!("a mistake") } else { Ok(v1::StreamResponse::default()) }
            });
            Ok(Response::new(Box::pin(parts)))
        }
    }

    fn routes() -> Router {
        caught(Routes::new(CallServiceServer::new(Mistaken)).into_axum_router())
    }

    fn code(status: &Status) -> String {
        status.get_details_error_info().unwrap().reason
    }

    async fn is_told_of_each_mistake(channel: Channel) {
        let mut client = CallServiceClient::new(channel);
        for _ in 0..2 {
            let failed = client.call(v1::CallRequest::default()).await.unwrap_err();
            assert_eq!((failed.code(), code(&failed).as_str()), (Code::Internal, "E1179"));
            let mut parts = client.stream(v1::StreamRequest::default()).await.unwrap().into_inner();
            assert!(parts.message().await.unwrap().is_some());
            let failed = parts.message().await.unwrap_err();
            assert_eq!((failed.code(), code(&failed).as_str()), (Code::Internal, "E1179"));
            assert!(parts.message().await.unwrap().is_none());
        }
    }

    #[tokio::test]
    async fn who_asks_a_service_that_panics_goes_on_with_its_error() {
        is_told_of_each_mistake(channel(routes())).await;
    }

    #[tokio::test]
    async fn so_does_who_asks_it_over_a_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let server = Server::builder().add_routes(Routes::from(routes()));
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        let connection = tonic::transport::Endpoint::try_from(address).unwrap().connect().await.unwrap();
        is_told_of_each_mistake(proto::channel(connection)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_begins_within_the_time_of_its_request_and_of_the_service() {
        let mut client = CallServiceClient::new(channel(routes()));
        for (asked, waited) in
            [(None, CALL_TIMEOUT), (Some(5), Duration::from_secs(5)), (Some(3_600), CALL_TIMEOUT)]
        {
            let mut request =
                tonic::Request::new(v1::CallRequest { operation: "late".into(), ..Default::default() });
            if let Some(seconds) = asked {
                request.set_timeout(Duration::from_secs(seconds));
            }
            let since = Instant::now();
            let late = client.call(request).await.unwrap_err();
            assert_eq!((late.code(), late.message()), (Code::Cancelled, "Timeout expired"));
            // The clock is that of the test; it is counted in milliseconds.
            assert_eq!(since.elapsed().as_secs(), waited.as_secs());
        }
    }

    #[tokio::test]
    async fn the_last_answer_of_a_task_that_panics_is_its_error() {
        let (sender, mut answers) = mpsc::channel(2);
        let own = sender.clone();
        let work = async move {
            own.send(Ok(1)).await.unwrap();
            panic!("a mistake");
        };
        tokio::spawn(told(sender, work)).await.unwrap();
        assert_eq!(answers.recv().await.unwrap().unwrap(), 1);
        assert_eq!(code(&answers.recv().await.unwrap().unwrap_err()), "E1179");
        assert!(answers.recv().await.is_none());
    }

    #[test]
    fn a_timeout_is_what_the_protocol_says() {
        let read = |text: &str| {
            timeout_of(&HeaderMap::from_iter([(TIMEOUT.parse().unwrap(), text.parse().unwrap())]))
        };
        for (text, time) in [
            ("1H", Duration::from_secs(3_600)),
            ("2M", Duration::from_secs(120)),
            ("3S", Duration::from_secs(3)),
            ("4m", Duration::from_millis(4)),
            ("5u", Duration::from_micros(5)),
            ("99999999n", Duration::from_nanos(99_999_999)),
        ] {
            assert_eq!(read(text), Some(time), "{text}");
        }
        for text in ["", "S", "1", "1s", "+1S", "-1S", "100000000S", "1.5S", "1\u{fc}"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(timeout_of(&HeaderMap::new()), None);
    }
}
