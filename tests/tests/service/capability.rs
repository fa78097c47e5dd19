//! `CallService` with a capability: operations of several subnets are tried until one answers.

use std::time::Duration;

use e2e::service::{Clients, code_of};
use e2e::subnet::{Reply, Subnet, micro_usd};
use proto::v1;
use proto::v1::stream_response::Event;
use schema::amount::Currency;
use schema::operation::{
    AdapterDescriptor, Auth, CapabilityDescriptor, ObservedCost, OperationDescriptor, Version,
};
use schema::price::PriceRule;
use serde_json::{Value as Json, json};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{assert_not_found, assert_refused, bare};

/// The capability, as operations name it.
const REPLY: &str = "cap.reply";

/// Two subnets that fulfil [`REPLY`], and a service that knows them.
struct World {
    _served: e2e::service::Served,
    clients: Clients,
    /// Costs 100 micro-dollars.
    cheap: Subnet,
    /// Costs 300.
    dear: Subnet,
}

impl World {
    async fn start(
        cheap: impl Fn(&str) -> Reply + Send + Sync + 'static,
        dear: impl Fn(&str) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let (cheap, dear) = (Subnet::start(cheap).await, Subnet::start(dear).await);
        let (served, clients) = bare().await;
        // The dearer one stands first in the entry, so that what decides is the price.
        clients.publish(&dear.operation("dear", micro_usd(300), true)).await;
        clients.publish(&cheap.operation("cheap", micro_usd(100), true)).await;
        clients.publish_capability(&capability(&["sn65020.dear", "sn65020.cheap"])).await;
        Self { _served: served, clients, cheap, dear }
    }

    fn counts(&self) -> (usize, usize) {
        (self.cheap.count(), self.dear.count())
    }
}

fn capability(operations: &[&str]) -> CapabilityDescriptor {
    let adapter = |operation: &&str| AdapterDescriptor {
        operation: (*operation).into(),
        source: format!(
            "adapter {operation} as reply {{\n  request = {{ q: question }}\n  response = r => r.v as String(1..40)\n}}"
        ),
    };
    CapabilityDescriptor {
        name: "reply".into(),
        version: Version::FIRST,
        summary: "A reply to a question.".into(),
        source:
            "/// A reply.\ncapability reply(question: String(1..40), mood: String? = null) -> String(1..40)"
                .into(),
        adapters: operations.iter().map(adapter).collect(),
    }
}

fn reply(question: &str) -> v1::CallRequest {
    v1::CallRequest {
        operation: REPLY.into(),
        arguments_json: json!({ "question": question }).to_string().into_bytes().into(),
        ..v1::CallRequest::default()
    }
}

const fn usd(micro: u64) -> Option<v1::Amount> {
    Some(v1::Amount { units: micro, currency: v1::Currency::MicroUsd as i32 })
}

async fn call(clients: &Clients, request: v1::CallRequest) -> Result<v1::CallResponse, Status> {
    clients.calls().call(request).await.map(tonic::Response::into_inner)
}

fn result(answer: &v1::CallResponse) -> Json {
    serde_json::from_slice(&answer.result_json).unwrap()
}

/// What each operation cost, by its id.
fn costs(answer: &v1::CallResponse) -> Vec<(&str, u64)> {
    let mut rows: Vec<_> =
        answer.costs.iter().map(|row| (row.operation.as_str(), row.cost.as_ref().unwrap().units)).collect();
    rows.sort_unstable();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cheapest_answers_and_the_others_are_not_asked() {
    let world = World::start(Reply::echo, Reply::echo).await;
    let answer = call(&world.clients, reply("a")).await.unwrap();
    assert_eq!((result(&answer), answer.operation.as_str()), (json!("a"), "sn65020.cheap"));
    assert_eq!((answer.version.as_str(), answer.entry_hash.len()), ("1.0", 64));
    assert_eq!((answer.total, answer.total_certain), (usd(100), true));
    assert_eq!(world.counts(), (1, 0));
    assert_eq!(world.clients.get(&answer.run).await.plan, REPLY);
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_the_next_is_asked_and_both_are_charged() {
    let misfit = || Reply::Answer(String::new(), Duration::ZERO);
    let cheap = move |question: &str| match question {
        "misfit" => misfit(),
        "no json" => Reply::Status(200, "application/json", "{".into()),
        "unavailable" => Reply::Status(503, "text/plain", "busy".into()),
        "refused" => Reply::Status(422, "text/plain", "no".into()),
        _ => Reply::Drop,
    };
    let world = World::start(cheap, Reply::echo).await;
    for (asked, question) in (1..).zip(["misfit", "no json", "unavailable", "refused", "gone"]) {
        let answer =
            call(&world.clients, v1::CallRequest { cost_max: usd(400), ..reply(question) }).await.unwrap();
        assert_eq!((result(&answer), answer.operation.as_str()), (json!(question), "sn65020.dear"));
        assert_eq!(world.counts().1, asked);
        let entry = v1::GetOperationRequest { id: "sn65020.dear".into(), version: String::new() };
        let entry =
            world.clients.ledger().get_operation(entry).await.unwrap().into_inner().operation.unwrap();
        assert_eq!(answer.entry_hash, entry.entry_hash);
        let total = answer.total.unwrap().units;
        assert_eq!(costs(&answer).iter().map(|(_, units)| units).sum::<u64>(), total);
        assert!(total <= 400, "{question}: {total}");
        if matches!(question, "misfit" | "no json") {
            // An answer came and is paid, whatever it is worth.
            assert_eq!(costs(&answer), [("sn65020.cheap", 100), ("sn65020.dear", 300)], "{question}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_none_answers_all_that_was_sent_is_told() {
    let world = World::start(
        |_| Reply::Answer(String::new(), Duration::ZERO),
        |_| Reply::Answer(String::new(), Duration::ZERO),
    )
    .await;
    let refused = call(&world.clients, reply("a")).await.unwrap_err();
    let told = refused.get_details_error_info().unwrap().metadata;
    assert_eq!((told["charged"].as_str(), told["call_kind"].as_str()), ("0.0004 USD", "invalid"));
    assert_eq!(world.counts(), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_subnet_leaves_half_of_the_time_to_the_next() {
    let world = World::start(|_| Reply::Silence, Reply::echo).await;
    let timeout = Some(Duration::from_secs(2).try_into().unwrap());
    let answer = call(&world.clients, v1::CallRequest { timeout, ..reply("a") }).await.unwrap();
    // Had the first waited for all of it, there would be no answer.
    assert_eq!((answer.operation.as_str(), world.counts()), ("sn65020.dear", (1, 1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_holds_for_all_attempts_together() {
    let world = World::start(|_| Reply::Answer(String::new(), Duration::ZERO), Reply::echo).await;
    // Enough for the first, not for both.
    let refused =
        call(&world.clients, v1::CallRequest { cost_max: usd(399), ..reply("a") }).await.unwrap_err();
    assert_eq!(refused.get_details_error_info().unwrap().metadata["charged"], "0.0001 USD");
    assert_eq!(world.counts(), (1, 0));
    let answer = call(&world.clients, v1::CallRequest { cost_max: usd(400), ..reply("a") }).await.unwrap();
    assert_eq!(answer.total, usd(400));
    // Not even for the first: nothing is sent.
    let refused =
        call(&world.clients, v1::CallRequest { cost_max: usd(99), ..reply("a") }).await.unwrap_err();
    assert_eq!((refused.code(), code_of(&refused).as_str()), (Code::FailedPrecondition, "E1402"));
    assert!(!refused.get_details_error_info().unwrap().metadata.contains_key("run"));
    assert_eq!(world.counts(), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_price_a_limit_is_needed_and_shared() {
    let world = World::start(|_| Reply::Answer(String::new(), Duration::ZERO), Reply::echo).await;
    let unpriced = |name: &str, subnet: &Subnet| OperationDescriptor {
        price: PriceRule::Unknown,
        version: Version { compatible: 1, ..Version::FIRST },
        ..subnet.operation(name, micro_usd(0), true)
    };
    world.clients.publish(&unpriced("dear", &world.dear)).await;
    // One has a price, so there is a limit for it.
    let refused = call(&world.clients, reply("a")).await.unwrap_err();
    assert_eq!(refused.get_details_error_info().unwrap().metadata["charged"], "0.0001 USD");
    let answer = call(&world.clients, v1::CallRequest { cost_max: usd(500), ..reply("a") }).await.unwrap();
    assert_eq!(
        (costs(&answer), answer.total_certain),
        (vec![("sn65020.cheap", 100), ("sn65020.dear", 400)], false)
    );
    assert_eq!(answer.version, "1.1");

    world.clients.publish(&unpriced("cheap", &world.cheap)).await;
    let refused = call(&world.clients, reply("a")).await;
    assert_refused(refused, Code::InvalidArgument, "E0703", &["cost_max"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_whose_key_is_missing_is_left_out() {
    let world = World::start(Reply::echo, Reply::echo).await;
    let keyed = |name: &str, subnet: &Subnet, price: u64| OperationDescriptor {
        auth: Auth::Header { name: "authorization".into(), format: "Bearer <key>".into() },
        version: Version { compatible: 1, ..Version::FIRST },
        ..subnet.operation(name, micro_usd(price), true)
    };
    world.clients.publish(&keyed("cheap", &world.cheap, 100)).await;
    let answer = call(&world.clients, reply("a")).await.unwrap();
    assert_eq!((answer.operation.as_str(), answer.total), ("sn65020.dear", usd(300)));
    world.clients.publish(&keyed("dear", &world.dear, 300)).await;
    let refused = call(&world.clients, reply("a")).await.unwrap_err();
    assert_eq!((refused.code(), code_of(&refused).as_str()), (Code::FailedPrecondition, "E1105"));
    assert_eq!(world.counts(), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_tells_each_attempt() {
    let world = World::start(|_| Reply::Drop, Reply::echo).await;
    let request = v1::StreamRequest { call: Some(reply("a")), want_items: false };
    let mut stream = world.clients.calls().stream(request).await.unwrap().into_inner();
    let (mut attempts, mut completed) = (Vec::new(), None);
    while let Some(response) = stream.message().await.unwrap() {
        match response.event.unwrap() {
            Event::Accepted(accepted) => assert_eq!(accepted.cost_max, usd(400)),
            Event::Attempt(attempt) => attempts.push((attempt.kind(), attempt.operation)),
            Event::Item(item) => panic!("{item:?}"),
            Event::Completed(answer) => completed = Some(answer),
        }
    }
    let (sent, done) = (v1::RunEventKind::AttemptSent, v1::RunEventKind::AttemptDone);
    let (cheap, dear) = ("sn65020.cheap".to_owned(), "sn65020.dear".to_owned());
    assert_eq!(attempts, [(sent, cheap.clone()), (done, cheap), (sent, dear.clone()), (done, dear.clone())]);
    assert_eq!(completed.unwrap().operation, dear);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_called_is_refused_and_nothing_is_sent() {
    let world = World::start(Reply::echo, Reply::echo).await;
    let unknown = call(&world.clients, v1::CallRequest { operation: "cap.repyl".into(), ..reply("a") }).await;
    assert!(unknown.as_ref().unwrap_err().message().contains("`reply`"), "{unknown:?}");
    assert_not_found(unknown, "E1202", "capability", "repyl");
    let newest = v1::CallRequest { version: "1.0".into(), ..reply("a") };
    assert!(call(&world.clients, newest).await.is_ok());
    let older = v1::CallRequest { version: "0.9".into(), ..reply("a") };
    assert_refused(call(&world.clients, older).await, Code::InvalidArgument, "E1510", &["version"]);
    let long = call(&world.clients, reply(&"x".repeat(41))).await;
    assert_refused(long, Code::InvalidArgument, "E1163", &["arguments_json"]);
    assert_eq!(world.counts(), (1, 0));

    // Only an operation that nobody can call fulfils it now.
    let mut axon = world.cheap.operation("axon", micro_usd(1), true);
    axon.transport = schema::operation::Transport::Other { protocol: "smoke".into(), base_url: None };
    world.clients.publish(&axon).await;
    let version = Version { compatible: 1, ..Version::FIRST };
    world
        .clients
        .publish_capability(&CapabilityDescriptor { version, ..capability(&["sn65020.axon"]) })
        .await;
    let refused = call(&world.clients, reply("a")).await.unwrap_err();
    assert_eq!((refused.code(), code_of(&refused).as_str()), (Code::FailedPrecondition, "E1210"));
    assert!(refused.message().contains("cap.reply"), "{}", refused.message());
    assert_eq!(world.counts(), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_charges_in_tao_is_in_nobodys_way() {
    let cheap = |question: &str| match question {
        "gone" => Reply::Drop,
        question => Reply::echo(question),
    };
    let world = World::start(cheap, Reply::echo).await;
    let mut tao = world.dear.operation("tao", micro_usd(0), true);
    tao.price = PriceRule::Unknown;
    tao.observed_cost = Some(ObservedCost::Header { name: "x-cost".into(), currency: Currency::Rao });
    world.clients.publish(&tao).await;
    let version = Version { compatible: 1, ..Version::FIRST };
    let operations = capability(&["sn65020.tao", "sn65020.cheap"]);
    world.clients.publish_capability(&CapabilityDescriptor { version, ..operations }).await;
    for cost_max in [None, usd(400)] {
        let answer = call(&world.clients, v1::CallRequest { cost_max, ..reply("a") }).await.unwrap();
        assert_eq!(answer.operation, "sn65020.cheap");
    }
    assert!(call(&world.clients, v1::CallRequest { cost_max: usd(400), ..reply("gone") }).await.is_err());
    assert_eq!(world.counts().1, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_call_with_the_same_id_is_made_once() {
    let world = World::start(Reply::echo, Reply::echo).await;
    let request = || v1::CallRequest { request_id: "one".into(), ..reply("a") };
    let first = call(&world.clients, request()).await.unwrap();
    let second = call(&world.clients, request()).await.unwrap();
    assert_eq!((first.run, first.operation), (second.run, second.operation));
    assert_eq!(world.counts(), (1, 0));
}
