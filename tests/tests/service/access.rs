//! Tokens: who is served, whose runs are seen, what may be spent.

use std::collections::BTreeMap;

use e2e::service::{Clients, Served, code_of, development, request, source};
use e2e::subnet::{Reply, Subnet, micro_usd};
use proto::v1;
use proto::v1::run_service_client::RunServiceClient;
use runtime::SpendCap;
use schema::amount::{Amount, Currency};
use serde_json::json;
use server::StoreLocation;
use server::access::{Access, Grant, token_hash};
use tonic::{Code, IntoRequest, Request};

use super::{MANY, PRICE, assert_not_found};

pub(super) fn grant(name: &str, spend_max: Option<u64>) -> (schema::hash::Hash, Grant) {
    let spend_cap = spend_max.map(|units| SpendCap::new([Amount::new(units, Currency::MicroUsd)]));
    let may_publish = spend_max.is_none();
    (token_hash(name), Grant { name: name.into(), spend_cap, may_publish, own_keys: false, expires_at: None })
}

/// A request with the token that is its holder's name.
pub(super) fn by<T>(name: &str, message: T) -> Request<T> {
    let mut request = message.into_request();
    request.metadata_mut().insert("authorization", format!("Bearer {name}").parse().unwrap());
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_keep_runs_apart_and_limit_what_each_may_spend() {
    let subnet = Subnet::start(Reply::echo).await;
    let access = Access::new(BTreeMap::from([grant("one", Some(5 * PRICE)), grant("two", None)]));
    let options = server::Options { access, ..development(StoreLocation::Memory) };
    let served = Served::start(options).await;
    let clients = Clients::connect(served.address).await;
    served
        .host
        .service
        .ledger()
        .publish_operation(subnet.operation("ask", micro_usd(PRICE), true))
        .await
        .unwrap();

    let refused = clients.runs().create_run(request(MANY, &json!({"words": ["a"]}))).await.unwrap_err();
    assert_eq!((refused.code(), code_of(&refused).as_str()), (Code::Unauthenticated, "E1517"));
    let check = v1::CheckRequest { source: Some(source(MANY)) };
    let refused = clients.compiler().check(check).await.unwrap_err();
    assert_eq!(code_of(&refused), "E1517", "every service asks");

    let mut runs: RunServiceClient<_> = clients.runs();
    let three = json!({"words": ["a", "b", "c"]});
    let run = runs.create_run(by("one", request(MANY, &three))).await.unwrap().into_inner().run.unwrap();
    let get = v1::GetRunRequest { name: run.name.clone() };
    assert_not_found(runs.get_run(by("two", get.clone())).await, "E1164", "run", &run.name);
    let watch = v1::WatchRunRequest { name: run.name.clone(), after_seq: 0 };
    assert_not_found(runs.watch_run(by("two", watch.clone())).await, "E1164", "run", &run.name);
    let cancel = v1::CancelRunRequest { name: run.name.clone() };
    assert_not_found(runs.cancel_run(by("two", cancel)).await, "E1164", "run", &run.name);
    let mut events = runs.watch_run(by("one", watch)).await.unwrap().into_inner();
    while events.message().await.unwrap().is_some() {}
    let proof = v1::ReadProofRequest { name: run.name.clone() };
    assert_not_found(runs.read_proof(by("two", proof)).await, "E1164", "run", &run.name);
    let list = |name| by(name, v1::ListRunsRequest::default());
    assert_eq!(runs.list_runs(list("one")).await.unwrap().into_inner().runs.len(), 1);
    assert_eq!(runs.list_runs(list("two")).await.unwrap().into_inner().runs.len(), 0);

    // Three of five are spent: another three do not fit, two do, and others have nothing to do with it.
    let refused = runs.create_run(by("one", request(MANY, &three))).await.unwrap_err();
    assert_eq!((refused.code(), code_of(&refused).as_str()), (Code::FailedPrecondition, "E1407"));
    assert_eq!(subnet.count(), 3);
    // What is repeated under its id is no new run, so it is answered though nothing is left.
    let rest = v1::CreateRunRequest {
        request_id: uuid::Uuid::new_v4().to_string(),
        ..request(MANY, &json!({"words": ["a", "b"]}))
    };
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(runs.create_run(by("one", rest.clone())).await.unwrap().into_inner().run.unwrap().name);
    }
    assert!(made.iter().all(|name| *name == made[0]));
    let refused = runs.create_run(by("one", request(MANY, &json!({"words": ["a"]})))).await.unwrap_err();
    assert_eq!(code_of(&refused), "E1407");
    runs.create_run(by("two", request(MANY, &three))).await.unwrap();
}
