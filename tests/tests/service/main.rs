//! Every method of the service over a real TCP socket, with the generated clients.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test helpers")]

mod access;
mod call;
mod capability;
mod compiler;
mod ledger;
mod lists;
mod own_keys;
mod plans;
mod protocol;
mod runs;
mod tools;
mod watch;

use e2e::service::{Clients, Served, code_of, development};
use e2e::subnet::{Reply, Subnet, micro_usd};
use server::StoreLocation;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// What one question costs, micro-dollars.
const PRICE: u64 = 100;

/// Asks about each word.
const MANY: &str = r#"
edition 2026
use sn65020 { ask }

/// Asks about each word.
plan many(words: [String(1..40)](..64)) -> [String](..64) with { budget: 1USD, deadline: 2h } {
  let answers = for word in words with { concurrency: 4 } {
    let answer = call ask(q: word) with { timeout: 60s }
    answer.v
  }
  return answers
}
"#;

/// A served service with `sn65020.ask` in its Ledger, and a connection to it.
struct World {
    served: Served,
    clients: Clients,
    subnet: Subnet,
}

impl World {
    async fn start(behaviour: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let subnet = Subnet::start(behaviour).await;
        let served = Served::start(development(StoreLocation::Memory)).await;
        let clients = Clients::connect(served.address).await;
        clients.publish(&subnet.operation("ask", micro_usd(PRICE), true)).await;
        Self { served, clients, subnet }
    }

    async fn echoing() -> Self {
        Self::start(Reply::echo).await
    }
}

/// A service without subnets.
async fn bare() -> (Served, Clients) {
    let served = Served::start(development(StoreLocation::Memory)).await;
    let clients = Clients::connect(served.address).await;
    (served, clients)
}

/// Checks a refusal: status code, stable code, and the fields that are named as wrong.
#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: Result<T, Status>, grpc: Code, code: &str, fields: &[&str]) {
    let status = result.unwrap_err();
    assert_eq!((status.code(), code_of(&status).as_str()), (grpc, code), "{status:?}");
    let violations = status.get_details_bad_request().map(|bad| bad.field_violations).unwrap_or_default();
    let named: Vec<_> = violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(named, fields, "{status:?}");
    assert!(!status.message().is_empty());
}

/// Checks that a resource is not there.
#[track_caller]
fn assert_not_found<T: std::fmt::Debug>(result: Result<T, Status>, code: &str, kind: &str, name: &str) {
    let status = result.unwrap_err();
    assert_eq!((status.code(), code_of(&status).as_str()), (Code::NotFound, code), "{status:?}");
    let resource = status.get_details_resource_info().unwrap_or_else(|| panic!("{status:?}"));
    assert_eq!((resource.resource_type.as_str(), resource.resource_name.as_str()), (kind, name));
}
