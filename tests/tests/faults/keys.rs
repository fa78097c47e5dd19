//! Keys that are missing or belong elsewhere, and places that are never called.

use std::fs;
use std::path::Path;

use e2e::service::{Host, code_of, development, in_folder, result_of};
use e2e::subnet::{Reply, Subnet, micro_usd, operation};
use schema::operation::{Access, Auth, OperationDescriptor, Transport};
use secrecy::SecretString;
use serde_json::json;
use server::{Options, StoreLocation};
use tonic::Code;

use super::{PRICE, one, run_count};

/// Long enough to be looked for everywhere.
const KEY: &str = "cnry-0rch3stra-0123456789abcdef";

fn with_key(operation: OperationDescriptor) -> OperationDescriptor {
    let auth = Auth::Header { name: "Authorization".into(), format: "Bearer <key>".into() };
    OperationDescriptor { auth, access: Access::Key, ..operation }
}

/// A service whose `sn65020.ask` needs a key, and which has one for `origin` if that is given.
async fn keyed(mut options: Options, subnet: &Subnet, origin: Option<&str>) -> Host {
    if let Some(origin) = origin {
        options.secrets.insert("sn65020", origin, &SecretString::from(KEY)).unwrap();
    }
    let host = Host::open(options).await;
    host.clients.publish(&with_key(subnet.operation("ask", micro_usd(PRICE), true))).await;
    host
}

/// Refused with this code before anything is stored, sent or spent.
async fn assert_not_begun(host: &Host, code: &str, words: &str) {
    let plan = one("timeout: 60s");
    let refused = host.clients.start(&plan, &json!({"q": "hello"})).await.unwrap_err();
    assert_eq!((refused.code(), code_of(&refused).as_str()), (Code::FailedPrecondition, code), "{refused:?}");
    assert!(refused.message().contains(words), "{refused:?}");
    assert!(!format!("{refused:?}").contains(KEY));
    assert_eq!(run_count(&host.clients).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_key_and_one_for_another_origin_are_told_before_the_run() {
    let subnet = Subnet::start(Reply::echo).await;
    let memory = || development(StoreLocation::Memory);
    let none = keyed(memory(), &subnet, None).await;
    assert_not_begun(&none, "E1105", "store one named `sn65020.ask` or `sn65020`").await;
    let elsewhere = keyed(memory(), &subnet, Some("https://api.example.com")).await;
    assert_not_begun(&elsewhere, "E1104", "bound to https://api.example.com").await;
    // Another port is another origin.
    let port = subnet.url.replace("http://127.0.0.1:", "");
    let next_port = format!("http://127.0.0.1:{}", port.parse::<u16>().unwrap() ^ 1);
    let beside = keyed(memory(), &subnet, Some(&next_port)).await;
    assert_not_begun(&beside, "E1104", &subnet.url).await;
    // An endpoint that the deployment replaces does not take the key along.
    let mut moved = memory();
    let other = Subnet::start(Reply::echo).await;
    moved.endpoints.insert("sn65020".into(), other.url.clone());
    let moved = keyed(moved, &subnet, Some(&subnet.url)).await;
    assert_not_begun(&moved, "E1104", &other.url).await;
    assert_eq!((subnet.count(), other.count()), (0, 0));
}

/// Whether a file below `folder` holds the key.
fn holds_key(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds_key(&path);
        }
        fs::read(path).unwrap().windows(KEY.len()).any(|bytes| bytes == KEY.as_bytes())
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_leaves_no_trace_in_store_events_and_proof() {
    let subnet = Subnet::start(|question| match question {
        // As frameworks do in debug mode.
        "leak" => Reply::Status(200, "application/json", json!({ "v": KEY }).to_string()),
        "leak in an error" => Reply::Status(500, "text/plain", format!("bad key Bearer {KEY}")),
        other => Reply::echo(other),
    })
    .await;
    let folder = e2e::folder();
    let host = keyed(in_folder(folder.path()), &subnet, Some(&subnet.url)).await;
    for (question, code) in [("hello", None), ("leak", Some("E1113")), ("leak in an error", Some("E1143"))] {
        let run = host.clients.run(&one("timeout: 60s"), &json!({ "q": question })).await;
        match code {
            None => assert_eq!(result_of(&run), question),
            Some(code) => assert_eq!(run.error.as_ref().unwrap().code, code),
        }
        let events = host.clients.events(&run.name, 0).await;
        assert!(!format!("{run:?} {events:?}").contains(KEY), "{question}");
        let proof = host.clients.proof(&run.name).await.unwrap();
        assert!(!proof.windows(KEY.len()).any(|bytes| bytes == KEY.as_bytes()), "{question}");
        host.verified(&run).await;
    }
    host.service.close().await;
    assert!(!holds_key(folder.path()));
}

#[tokio::test(flavor = "multi_thread")]
async fn places_that_are_never_called_are_refused_before_the_run() {
    let subnet = Subnet::start(Reply::echo).await;
    for (base_url, code) in [
        (subnet.url.as_str(), "E1101"),
        ("http://127.1.2.3:80", "E1101"),
        ("http://[::1]:8080", "E1101"),
        ("http://10.1.2.3:8091", "E1101"),
        ("http://169.254.169.254", "E1101"),
        ("https://[::ffff:127.0.0.1]", "E1101"),
        ("https://0.0.0.0", "E1101"),
        ("http://api.example.com", "E1102"),
        ("https://localhost", "E1102"),
        ("https://user:password@api.example.com", "E1102"),
        ("http://2130706433", "E1102"),
    ] {
        let host = Host::open(Options::new(StoreLocation::Memory)).await;
        host.clients.publish(&operation("ask", base_url, micro_usd(PRICE), true)).await;
        let refused = host.clients.start(&one("timeout: 60s"), &json!({"q": "x"})).await.unwrap_err();
        assert_eq!(code_of(&refused), code, "{base_url}: {refused:?}");
        assert_eq!(refused.code(), Code::FailedPrecondition, "{base_url}");
        assert_eq!(run_count(&host.clients).await, 0);
    }
    // Nor by way of the deployment's own settings.
    let mut options = Options::new(StoreLocation::Memory);
    options.endpoints.insert("sn65020.ask".into(), subnet.url.clone());
    let host = Host::open(options).await;
    host.clients.publish(&operation("ask", "https://api.example.com", micro_usd(PRICE), true)).await;
    assert_not_begun(&host, "E1101", "loopback").await;
    assert_eq!(subnet.count(), 0);
}

/// An entry that needs an axon but names an HTTP auth cannot be called, whatever keys there are.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_contradicts_itself_is_refused_before_the_run() {
    let host = Host::open(development(StoreLocation::Memory)).await;
    let mut entry = operation("ask", "http://127.0.0.1:9", micro_usd(PRICE), true);
    entry.auth = Auth::Hotkey;
    assert!(matches!(entry.transport, Transport::Http(_)));
    host.clients.publish(&entry).await;
    assert_not_begun(&host, "E1111", "hotkey").await;
}
