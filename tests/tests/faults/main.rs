//! Everything around a service that can be wrong: subnets that are dead or lie, keys that are missing or
//! belong elsewhere, places that are never called, and a store that is full, damaged or taken. Each gives one
//! coded error, and nothing is lost or half-written.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helpers")]

mod command;
mod keys;
mod store;
mod subnets;

use e2e::service::{Clients, Host, development};
use e2e::subnet::{Reply, Subnet, micro_usd};
use server::StoreLocation;

/// What one question costs, micro-dollars.
const PRICE: u64 = 100;

/// Asks one question, by `POLICY`.
const ONE: &str = r#"
edition 2026
use sn65020 { ask }

plan one(q: String(..200)) -> String with { budget: 1USD, deadline: 30m } {
  let answer = call ask(q) with { POLICY }
  return answer.v
}
"#;

fn one(policy: &str) -> String {
    ONE.replace("POLICY", policy)
}

/// A service in memory with `sn65020.ask` of this subnet in its Ledger.
async fn asking(behaviour: impl Fn(&str) -> Reply + Send + Sync + 'static) -> (Host, Subnet) {
    let subnet = Subnet::start(behaviour).await;
    let host = Host::open(development(StoreLocation::Memory)).await;
    host.clients.publish(&subnet.operation("ask", micro_usd(PRICE), true)).await;
    (host, subnet)
}

async fn run_count(clients: &Clients) -> usize {
    let request = proto::v1::ListRunsRequest::default();
    clients.runs().list_runs(request).await.unwrap().into_inner().runs.len()
}
