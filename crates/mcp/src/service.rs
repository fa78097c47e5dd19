//! The gRPC clients of the service, each request of which carries the caller's authorization.

use proto::v1::call_service_client::CallServiceClient;
use proto::v1::compiler_service_client::CompilerServiceClient;
use proto::v1::ledger_service_client::LedgerServiceClient;
use proto::v1::plan_service_client::PlanServiceClient;
use proto::v1::run_service_client::RunServiceClient;
use proto::v1::tool_service_client::ToolServiceClient;
use proto::{Channel, v1};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::{Request, Status};

/// Bytes of one message from the service; results may be large.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Rows of one page.
pub(crate) const PAGE_SIZE: u32 = 500;

/// A way to the service, on behalf of one caller.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    channel: Channel,
    caller: Caller,
}

/// Who asks: the `authorization` header as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Caller(Option<MetadataValue<Ascii>>);

impl Caller {
    /// Who is known by this header.
    pub(crate) const fn new(authorization: Option<MetadataValue<Ascii>>) -> Self {
        Self(authorization)
    }

    /// The caller of an HTTP request, with or without a header.
    pub(crate) fn of(request: &http::request::Parts) -> Self {
        let header = request.headers.get(http::header::AUTHORIZATION);
        Self(header.and_then(|value| MetadataValue::try_from(value.as_bytes()).ok()))
    }
}

impl Interceptor for Caller {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(authorization) = &self.0 {
            request.metadata_mut().insert("authorization", authorization.clone());
        }
        Ok(request)
    }
}

type Way = InterceptedService<Channel, Caller>;

impl Service {
    pub(crate) const fn new(channel: Channel, caller: Caller) -> Self {
        Self { channel, caller }
    }

    fn way(&self) -> Way {
        InterceptedService::new(self.channel.clone(), self.caller.clone())
    }

    pub(crate) fn calls(&self) -> CallServiceClient<Way> {
        CallServiceClient::new(self.way()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    pub(crate) fn runs(&self) -> RunServiceClient<Way> {
        RunServiceClient::new(self.way()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    pub(crate) fn compiler(&self) -> CompilerServiceClient<Way> {
        CompilerServiceClient::new(self.way()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    pub(crate) fn ledger(&self) -> LedgerServiceClient<Way> {
        LedgerServiceClient::new(self.way()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    pub(crate) fn plans(&self) -> PlanServiceClient<Way> {
        PlanServiceClient::new(self.way()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    pub(crate) fn tools(&self) -> ToolServiceClient<Way> {
        ToolServiceClient::new(self.way()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// A run as it stands.
    pub(crate) async fn run(&self, name: &str) -> Result<v1::Run, Status> {
        let request = v1::GetRunRequest { name: name.to_owned() };
        let found = self.runs().get_run(request).await?.into_inner();
        found.run.ok_or_else(|| Status::internal("the service answers without the run"))
    }

    /// The proof bundle of a run.
    pub(crate) async fn proof(&self, name: &str) -> Result<Vec<u8>, Status> {
        let request = v1::ReadProofRequest { name: name.to_owned() };
        let mut chunks = self.runs().read_proof(request).await?.into_inner();
        let mut bundle = Vec::new();
        while let Some(part) = chunks.message().await? {
            bundle.extend_from_slice(&part.chunk);
        }
        Ok(bundle)
    }

    /// Every published plan, by name.
    pub(crate) async fn published(&self) -> Result<Vec<v1::Plan>, Status> {
        let (mut plans, mut client) = (Vec::new(), self.plans());
        let mut request = v1::ListPlansRequest { page_size: PAGE_SIZE, ..v1::ListPlansRequest::default() };
        loop {
            let page = client.list_plans(request.clone()).await?.into_inner();
            plans.extend(page.plans);
            if page.next_page_token.is_empty() {
                return Ok(plans);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// What changes whenever the published plans do.
    pub(crate) async fn generation(&self) -> Result<u64, Status> {
        let request = v1::ListPlansRequest { page_size: 1, ..v1::ListPlansRequest::default() };
        Ok(self.plans().list_plans(request).await?.into_inner().generation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authorization_of_a_caller_goes_on_as_it_came() {
        let (parts, ()) = http::Request::builder()
            .header("Authorization", "Bearer \u{e9}t\u{e9}")
            .header("cookie", "stays here")
            .body(())
            .unwrap()
            .into_parts();
        let passed = Caller::of(&parts).call(Request::new(())).unwrap();
        let passed = passed.metadata();
        assert_eq!(passed.get("authorization").unwrap().as_bytes(), "Bearer \u{e9}t\u{e9}".as_bytes());
        assert_eq!(passed.len(), 1);
        assert!(Caller::default().call(Request::new(())).unwrap().metadata().is_empty());
    }
}
