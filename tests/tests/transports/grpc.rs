//! gRPC with the catalogue's own entries, against the service's published classes on grpcio.

use std::sync::OnceLock;

use schema::operation::Transport;

use super::*;

fn peer() -> &'static Peer {
    static SHARED: OnceLock<Peer> = OnceLock::new();
    SHARED.get_or_init(|| start("grpc_server", &[]))
}

/// The catalogue's entry, at the stand-in.
fn catalogued(id: &str) -> OperationDescriptor {
    let file = std::fs::read(e2e::root().join("catalog/operations/sn013.json")).unwrap();
    let file: Json = serde_json::from_slice(&file).unwrap();
    let entry = file["operations"].as_array().unwrap().iter().find(|entry| entry["id"] == id).unwrap();
    let mut entry: OperationDescriptor = serde_json::from_value(entry.clone()).unwrap();
    entry.netuid = 65_030;
    if let Transport::Grpc(grpc) = &mut entry.transport {
        grpc.base_url = peer().origin.clone();
    }
    entry
}

fn caller() -> Caller<'static> {
    Caller { key: Some(peer().said("key")), ..Caller::default() }
}

#[tokio::test]
async fn messages_have_the_types_of_the_entry() {
    let (answer, outcome) = caller().call(&catalogued("sn13.list_topics"), json!({ "source": "ai" })).await;
    assert_eq!(answer["details"][0]["label_value"], json!("r/ai"));
    assert_eq!(
        answer["details"][0]["content_size_bytes"],
        json!(9_007_199_254_740_993_u64),
        "beyond what a double holds"
    );
    assert_eq!(
        answer["details"][0]["adj_content_size_bytes"],
        json!(0),
        "what proto3 leaves out is its default"
    );
    let kept = String::from_utf8_lossy(&outcome.redacted_request).into_owned();
    assert!(kept.contains("/sn13.v1.Sn13Service/ListTopics") && !kept.contains(peer().said("key")), "{kept}");
    let (answer, _) =
        caller().call(&catalogued("sn13.validate_reddit_topic"), json!({ "topic": "r/x" })).await;
    assert_eq!((&answer["exists"], &answer["over18"]), (&json!(true), &json!(false)));
    let input = json!({ "source": "X", "usernames": ["@a", "@b"], "limit": 5, "start_date": "2025-04-15T00:00:00Z", "keyword_mode": "any" });
    let (answer, _) = caller().call(&catalogued("sn13.on_demand_data"), input).await;
    assert_eq!(answer["data"][1]["user"], json!("@b"));
    assert_eq!((&answer["status"], &answer["meta"]), (&json!("success"), &json!({ "mode": "any" })));
}

#[tokio::test]
async fn a_status_is_the_failure_it_says() {
    let topics = catalogued("sn13.list_topics");
    let (_, outcome) = caller().call(&topics, json!({ "source": "busy" })).await;
    assert_eq!(failure(&outcome, "slow down, ü"), is("rate_limited", "E1144"));
    assert_eq!(outcome.result.unwrap_err().retry_after_ms, Some(1_500), "by RetryInfo");
    let (_, outcome) = caller().call(&topics, json!({ "source": "none" })).await;
    assert_eq!(failure(&outcome, "no such source"), is("rejected", "E1146"));
    let wrong = Caller { key: Some("another-key-987654321"), ..Caller::default() };
    let (_, outcome) = wrong.call(&catalogued("sn13.on_demand_data"), json!({ "source": "X" })).await;
    assert_eq!(failure(&outcome, "no such key"), is("unauthorized", "E1145"));
    // The stand-in has no such service.
    let (_, outcome) =
        caller().call(&catalogued("sn13.gravity_get_dataset"), json!({ "dataset_id": "x" })).await;
    assert_eq!(failure(&outcome, "status 12"), is("rejected", "E1146"));
}

/// The streaming method beside the service, with descriptors made of the entry's own.
fn streaming() -> OperationDescriptor {
    let proto = r#"syntax = "proto3"; package sn13.v1;
        message ListTopicsRequest { string source = 1; }
        message ListTopicsResponseDetail { string label_value = 1; uint64 content_size_bytes = 2; }
        service StreamService { rpc StreamTopics(ListTopicsRequest) returns (stream ListTopicsResponseDetail); }"#;
    let folder = e2e::folder();
    std::fs::write(folder.path().join("stream.proto"), proto).unwrap();
    let descriptors = protox::compile(["stream.proto"], [folder.path()]).unwrap();
    use base64::Engine as _;
    use prost::Message as _;
    let descriptors = base64::engine::general_purpose::STANDARD.encode(descriptors.encode_to_vec());
    let item = object(2, &[("label_value", text()), ("content_size_bytes", integer())]);
    entry(&json!({
        "transport": { "kind": "grpc", "base_url": peer().origin, "method": "/sn13.v1.StreamService/StreamTopics", "descriptors": descriptors },
        "input": object(1, &[("source", text())]), "output": { "type": "array", "items": item },
    }))
}

#[tokio::test]
async fn a_stream_of_messages_is_a_list_and_heard_one_by_one() {
    let heard = Heard::default();
    let caller = Caller { heard: Some(&heard), ..Caller::default() };
    let (answer, _) = caller.call(&streaming(), json!({ "source": "abc" })).await;
    let labels: Vec<&str> =
        answer.as_array().unwrap().iter().map(|item| item["label_value"].as_str().unwrap()).collect();
    assert_eq!(labels, ["a", "b", "c"]);
    assert_eq!(Json::from(heard.0.lock().unwrap().clone()), answer);
    let (answer, _) = Caller::default().call(&streaming(), json!({ "source": "" })).await;
    assert_eq!(answer, json!([]));
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_the_status_it_ends_with() {
    let heard = Heard::default();
    let caller = Caller { heard: Some(&heard), ..Caller::default() };
    let (_, outcome) = caller.call(&streaming(), json!({ "source": "cut" })).await;
    assert_eq!(failure(&outcome, "going away"), is("unavailable", "E1143"));
    assert_eq!(heard.0.lock().unwrap().len(), 3);
}
