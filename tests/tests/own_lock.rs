//! A lock that pins entries the Ledger at hand does not hold: a project's own one compiles all the same, as
//! after a fresh clone; one that a client sends to a server does not.

use e2e::service::{Clients, Host, code_of, development, request, result_of};
use e2e::subnet::{Reply, Subnet, micro_usd};
use proto::v1;
use serde_json::json;
use server::StoreLocation;

const PLAN: &str = r#"edition 2026
use sn65020 { ask }
plan go(question: String(1..100)) -> String with { budget: 0.10USD, deadline: 60s } {
  let answer = call ask(q: question) with { timeout: 20s }
  answer.v
}
"#;

async fn clients(trust_locks: bool) -> (Host, Clients) {
    let mut options = development(StoreLocation::Memory);
    options.trust_locks = trust_locks;
    let host = Host::open(options).await;
    let clients = host.clients.clone();
    (host, clients)
}

/// The lock of a Ledger that holds an operation no other Ledger has.
async fn foreign_lock(subnet: &Subnet) -> v1::Lock {
    let (_host, clients) = clients(false).await;
    clients.publish(&subnet.operation("ask", micro_usd(100), true)).await;
    clients.lock(&["sn65020.ask"], &[]).await
}

#[tokio::test]
async fn a_projects_own_lock_needs_no_ledger_that_holds_it() {
    let subnet = Subnet::start(Reply::echo).await;
    let lock = foreign_lock(&subnet).await;
    let mut create = request(PLAN, &json!({ "question": "hello" }));
    create.source.as_mut().unwrap().lock = Some(lock);

    let (_host, own) = clients(true).await;
    let run = own.runs().create_run(create.clone()).await.unwrap().into_inner().run.unwrap();
    let run = own.ended(&run.name).await;
    assert_eq!(run.state(), v1::RunState::Succeeded, "{run:?}");
    assert!(result_of(&run).to_string().contains("hello"));
    assert_eq!(subnet.count(), 1);

    let (_host, other) = clients(false).await;
    let refused = other.runs().create_run(create).await.unwrap_err();
    assert_eq!(code_of(&refused), "E0608");
    assert_eq!(subnet.count(), 1);
}
