//! What every gRPC tool expects of a server: health, reflection in both versions, errors that can be read.

use prost::Message as _;
use prost_types::FileDescriptorProto;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::{v1, v1alpha};

use super::bare;

const SERVICES: [&str; 4] = [
    "orchestra.v1.CallService",
    "orchestra.v1.CompilerService",
    "orchestra.v1.LedgerService",
    "orchestra.v1.RunService",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_service_is_healthy_and_no_other_is_known() {
    let (_served, clients) = bare().await;
    let mut health = HealthClient::new(clients.channel());
    for service in SERVICES.into_iter().chain([""]) {
        let request = HealthCheckRequest { service: service.into() };
        assert_eq!(health.check(request).await.unwrap().into_inner().status(), ServingStatus::Serving);
    }
    let unknown = health.check(HealthCheckRequest { service: "orchestra.v1.Nope".into() }).await;
    assert_eq!(unknown.unwrap_err().code(), Code::NotFound);
}

/// The same conversation in one version of the protocol: the services, the file of each, and the files of the
/// error details, without which tools show errors as base64.
macro_rules! converse {
    ($version:ident, $clients:expr) => {{
        use $version::server_reflection_client::ServerReflectionClient;
        use $version::server_reflection_request::MessageRequest;
        use $version::server_reflection_response::MessageResponse;

        let symbols = SERVICES.iter().copied().chain([
            "google.rpc.ErrorInfo",
            "google.rpc.BadRequest",
            "google.rpc.ResourceInfo",
            "google.rpc.RetryInfo",
            "orchestra.v1.RunService.WatchRun",
            "orchestra.v1.Nope",
        ]);
        let asked = [MessageRequest::ListServices(String::new())]
            .into_iter()
            .chain(symbols.map(|symbol| MessageRequest::FileContainingSymbol(symbol.into())))
            .map(|message| $version::ServerReflectionRequest {
                message_request: Some(message),
                ..Default::default()
            });
        let asked: Vec<_> = asked.collect();
        let mut client = ServerReflectionClient::new($clients.channel());
        let stream = client.server_reflection_info(tokio_stream::iter(asked)).await.unwrap();
        let mut stream = stream.into_inner();
        let (mut services, mut files, mut unknown) = (Vec::new(), Vec::new(), None);
        loop {
            match stream.message().await {
                Ok(Some(answer)) => match answer.message_response.unwrap() {
                    MessageResponse::ListServicesResponse(list) => {
                        services.extend(list.service.into_iter().map(|service| service.name));
                    }
                    MessageResponse::FileDescriptorResponse(found) => {
                        files.extend(found.file_descriptor_proto);
                    }
                    MessageResponse::ErrorResponse(error) => unknown = Some(error.error_code),
                    other => panic!("{other:?}"),
                },
                Ok(None) => break,
                Err(status) => {
                    unknown = Some(status.code() as i32);
                    break;
                }
            }
        }
        assert_eq!(unknown, Some(Code::NotFound as i32));
        (services, files)
    }};
}

fn assert_described((services, files): (Vec<String>, Vec<Vec<u8>>)) {
    for service in SERVICES {
        assert!(services.iter().any(|listed| listed == service), "{services:?}");
    }
    let files: Vec<_> =
        files.iter().map(|file| FileDescriptorProto::decode(file.as_slice()).unwrap()).collect();
    let named =
        |name: &str| files.iter().find(|file| file.name() == name).unwrap_or_else(|| panic!("{name}"));
    let runs = named("orchestra/v1/run.proto");
    let methods: Vec<_> = runs.service[0].method.iter().map(|method| method.name()).collect();
    assert_eq!(methods, ["CreateRun", "GetRun", "WatchRun", "CancelRun", "ListRuns", "ReadProof"]);
    let details = files.iter().filter(|file| file.package() == "google.rpc");
    let details: Vec<_> = details.flat_map(|file| &file.message_type).map(|message| message.name()).collect();
    assert!(details.contains(&"ErrorInfo") && details.contains(&"RetryInfo"), "{details:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_describes_services_and_error_details_in_both_versions() {
    let (_served, clients) = bare().await;
    assert_described(converse!(v1, clients));
    assert_described(converse!(v1alpha, clients));
}
