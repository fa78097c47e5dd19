//! Keys of tenants: whose key a call is made with, by every way to make one.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use e2e::service::{Clients, Host, code_of, development, in_folder, request, result_of};
use e2e::subnet::{Gate, Reply, Subnet, micro_usd};
use proto::v1;
use schema::operation::{Access as OperationAccess, AdapterDescriptor, Auth, CapabilityDescriptor};
use schema::operation::{OperationDescriptor, Version};
use secrecy::SecretString;
use serde_json::json;
use server::access::{Access, Grant};
use server::{Options, StoreLocation};
use subnet::secrets::SecretStore;
use tonic::{Code, Request};

use super::access::{by, grant};
use super::{MANY, PRICE};

fn keyed(name: &str, subnet: &Subnet, price: u64) -> OperationDescriptor {
    let auth = Auth::Header { name: "authorization".into(), format: "Bearer <key>".into() };
    OperationDescriptor {
        auth,
        access: OperationAccess::Key,
        ..subnet.operation(name, micro_usd(price), true)
    }
}

fn keys(subnet: &Subnet, keys: &[(&str, &str)]) -> SecretStore {
    let mut store = SecretStore::new();
    for (name, key) in keys {
        store.insert(name, &subnet.url, &SecretString::from(*key)).unwrap();
    }
    store
}

/// `rich` has a key of its own, `plain` none, and `alone` uses keys of its own only, of which it has none.
fn with_tokens(options: Options, subnet: &Subnet) -> Options {
    let own = |name| {
        let (hash, granted) = grant(name, None);
        (hash, Grant { own_keys: true, ..granted })
    };
    let grants = [grant("rich", None), grant("plain", None), own("alone"), own("both")];
    Options {
        access: Access::new(BTreeMap::from(grants)),
        secrets: keys(subnet, &[("sn65020", "cnry-0rch3stra-key-of-the-server")]),
        secrets_of: BTreeMap::from([
            ("rich".to_owned(), keys(subnet, &[("sn65020", "cnry-0rch3stra-key-of-rich")])),
            ("both".to_owned(), keys(subnet, &[("sn65020.ask", "cnry-0rch3stra-key-of-both")])),
            // Nobody holds a token of this name.
            ("stranger".to_owned(), keys(subnet, &[("sn65020", "cnry-0rch3stra-key-of-a-stranger")])),
        ]),
        ..options
    }
}

async fn publish(host: &Host, operation: OperationDescriptor) {
    host.service.ledger().publish_operation(operation).await.unwrap();
}

/// Which key each question came with.
fn came(subnet: &Subnet) -> BTreeSet<(String, String)> {
    let key = |key: Option<String>| key.unwrap_or_default().trim_start_matches("Bearer ").to_owned();
    subnet.keys().into_iter().map(|(question, asked)| (question, key(asked))).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    pairs.iter().map(|(question, key)| ((*question).to_owned(), (*key).to_owned())).collect()
}

fn call(operation: &str, arguments: serde_json::Value) -> v1::CallRequest {
    v1::CallRequest {
        operation: operation.into(),
        arguments_json: arguments.to_string().into_bytes().into(),
        ..v1::CallRequest::default()
    }
}

async fn ended(clients: &Clients, name: &str, run: &str) -> v1::Run {
    let watch = v1::WatchRunRequest { name: run.to_owned(), after_seq: 0 };
    let mut events = clients.runs().watch_run(by(name, watch)).await.unwrap().into_inner();
    while events.message().await.unwrap().is_some() {}
    let get = v1::GetRunRequest { name: run.to_owned() };
    clients.runs().get_run(by(name, get)).await.unwrap().into_inner().run.unwrap()
}

async fn started(clients: &Clients, name: &str, words: &[&str]) -> String {
    let create = by(name, request(MANY, &json!({ "words": words })));
    clients.runs().create_run(create).await.unwrap().into_inner().run.unwrap().name
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_and_runs_use_the_keys_of_their_token_and_no_others() {
    let subnet = Subnet::start(Reply::echo).await;
    let host = Host::open(with_tokens(development(StoreLocation::Memory), &subnet)).await;
    publish(&host, keyed("ask", &subnet, PRICE)).await;
    let clients = &host.clients;

    for name in ["rich", "plain", "both"] {
        let asked = call("sn65020.ask", json!({ "q": format!("a call of {name}") }));
        clients.calls().call(by(name, asked)).await.unwrap();
        let question = format!("a run of {name}");
        let run = started(clients, name, &[&question]).await;
        assert_eq!(result_of(&ended(clients, name, &run).await), json!([question]));
    }
    let refused = clients.runs().create_run(by("alone", request(MANY, &json!({"words": ["a"]})))).await;
    let refused = refused.unwrap_err();
    assert_eq!((refused.code(), code_of(&refused).as_str()), (Code::FailedPrecondition, "E1105"));
    assert!(refused.message().contains("and the tenant `alone`"), "{refused:?}");
    assert!(!format!("{refused:?}").contains("cnry"));
    let refused =
        clients.calls().call(by("alone", call("sn65020.ask", json!({"q": "a"})))).await.unwrap_err();
    assert_eq!(code_of(&refused), "E1105");

    let expected = [
        ("a call of rich", "cnry-0rch3stra-key-of-rich"),
        ("a run of rich", "cnry-0rch3stra-key-of-rich"),
        ("a call of plain", "cnry-0rch3stra-key-of-the-server"),
        ("a run of plain", "cnry-0rch3stra-key-of-the-server"),
        ("a call of both", "cnry-0rch3stra-key-of-both"),
        ("a run of both", "cnry-0rch3stra-key-of-both"),
    ];
    assert_eq!(came(&subnet), pairs(&expected));
}

/// The same plan, held by the server for all, is asked anew for each who has a key of another.
#[tokio::test(flavor = "multi_thread")]
async fn no_answer_that_one_key_paid_for_is_given_to_the_holder_of_another() {
    let cached = MANY.replace("timeout: 60s", "timeout: 60s, cache: 1h");
    let subnet = Subnet::start(Reply::echo).await;
    let host = Host::open(with_tokens(development(StoreLocation::Memory), &subnet)).await;
    publish(&host, keyed("ask", &subnet, PRICE)).await;
    let clients = &host.clients;
    for name in ["rich", "plain", "rich", "plain"] {
        let create: Request<_> = by(name, request(&cached, &json!({"words": ["same"]})));
        let run = clients.runs().create_run(create).await.unwrap().into_inner().run.unwrap().name;
        assert_eq!(result_of(&ended(clients, name, &run).await), json!(["same"]));
    }
    let expected = [("same", "cnry-0rch3stra-key-of-rich"), ("same", "cnry-0rch3stra-key-of-the-server")];
    assert_eq!((came(&subnet), subnet.count()), (pairs(&expected), 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capability_goes_where_the_caller_has_a_key() {
    let (cheap, dear) = (Subnet::start(Reply::echo).await, Subnet::start(Reply::echo).await);
    let mut options = with_tokens(development(StoreLocation::Memory), &cheap);
    // The server can call the dear one only, `rich` the cheap one as well.
    options.secrets = keys(&dear, &[("sn65020.dear", "cnry-0rch3stra-key-of-the-server")]);
    options
        .secrets_of
        .insert("rich".into(), keys(&cheap, &[("sn65020.cheap", "cnry-0rch3stra-key-of-rich")]));
    let host = Host::open(options).await;
    publish(&host, keyed("cheap", &cheap, 100)).await;
    publish(&host, keyed("dear", &dear, 300)).await;
    let adapter = |operation: &str| AdapterDescriptor {
        operation: operation.into(),
        source: format!(
            "adapter {operation} as reply {{\n  request = {{ q: question }}\n  response = r => r.v as String(1..40)\n}}"
        ),
    };
    let capability = CapabilityDescriptor {
        name: "reply".into(),
        version: Version::FIRST,
        summary: "A reply to a question.".into(),
        source: "/// A reply.\ncapability reply(question: String(1..40)) -> String(1..40)".into(),
        adapters: vec![adapter("sn65020.cheap"), adapter("sn65020.dear")],
    };
    host.service.ledger().publish_capability(capability).await.unwrap();
    // Whoever asks first decides nothing for the next.
    for (name, by_whom) in [("plain", "sn65020.dear"), ("rich", "sn65020.cheap"), ("plain", "sn65020.dear")] {
        let asked = by(name, call("cap.reply", json!({ "question": name })));
        let answer = host.clients.calls().call(asked).await.unwrap().into_inner();
        assert_eq!(answer.operation, by_whom, "{name}");
    }
    let asked = by("alone", call("cap.reply", json!({"question": "alone"})));
    assert_eq!(code_of(&host.clients.calls().call(asked).await.unwrap_err()), "E1105");
    assert_eq!(came(&cheap), pairs(&[("rich", "cnry-0rch3stra-key-of-rich")]));
    assert_eq!(came(&dear), pairs(&[("plain", "cnry-0rch3stra-key-of-the-server")]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_taken_up_goes_on_with_the_keys_of_its_token() {
    let gate = Gate::closed();
    let held = gate.clone();
    let subnet = Subnet::start(move |question| Reply::Gated(question.to_owned(), held.clone())).await;
    let folder = e2e::folder();
    let options = || {
        let options = with_tokens(in_folder(folder.path()), &subnet);
        Options { close_grace: Duration::ZERO, ..options }
    };
    let mut runs = Vec::new();
    {
        let host = Host::open(options()).await;
        publish(&host, keyed("ask", &subnet, PRICE)).await;
        for name in ["rich", "plain", "both"] {
            runs.push((name, started(&host.clients, name, &[name]).await));
        }
        subnet.arrived(3).await;
        host.service.close().await;
    }
    // The token `both` is withdrawn meanwhile, and so is everything that it could use.
    let mut options = options();
    let left = [grant("rich", None), grant("plain", None)];
    options.access = Access::new(BTreeMap::from(left));
    options.secrets_of.remove("both");
    let host = Host::open(options).await;
    subnet.arrived(5).await;
    gate.open();
    for (name, run) in &runs[..2] {
        assert_eq!(result_of(&ended(&host.clients, name, run).await), json!([name]));
    }
    let expected = [
        ("rich", "cnry-0rch3stra-key-of-rich"),
        ("plain", "cnry-0rch3stra-key-of-the-server"),
        ("both", "cnry-0rch3stra-key-of-both"),
    ];
    assert_eq!(came(&subnet), pairs(&expected));
    let both = runs[2].1.trim_start_matches("runs/").parse().unwrap();
    let run = host.service.runtime().wait("both", both).await.unwrap();
    let error = run.error.unwrap();
    assert!(error.to_string().contains("E1105") || error.to_string().contains("no secret"), "{error:?}");
    assert_eq!(subnet.asked()["both"], 1, "it is not asked with a key of the server");
}
