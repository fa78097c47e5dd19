//! `LedgerService`.

use std::collections::BTreeSet;

use e2e::service::Clients;
use e2e::subnet::{micro_usd, operation};
use proto::v1;
use schema::operation::{AdapterDescriptor, CapabilityDescriptor, OperationDescriptor, Transport, Version};
use serde_json::Value as Json;
use tonic::{Code, Status};

use super::{assert_not_found, assert_refused, bare};

async fn list(
    clients: &Clients,
    request: v1::ListOperationsRequest,
) -> Result<v1::ListOperationsResponse, Status> {
    clients.ledger().list_operations(request).await.map(tonic::Response::into_inner)
}

/// Ids of all pages, and their number.
async fn all(clients: &Clients, mut request: v1::ListOperationsRequest) -> (Vec<String>, usize) {
    let (mut ids, mut pages) = (Vec::new(), 0);
    loop {
        let page = list(clients, request.clone()).await.unwrap();
        ids.extend(page.operations.into_iter().map(|operation| operation.id));
        pages += 1;
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return (ids, pages);
        }
    }
}

async fn publish(
    clients: &Clients,
    operation: &OperationDescriptor,
) -> Result<v1::PublishOperationResponse, Status> {
    let entry_json = serde_json::to_vec(operation).unwrap().into();
    let request = v1::PublishOperationRequest { entry_json };
    clients.ledger().publish_operation(request).await.map(tonic::Response::into_inner)
}

async fn get(clients: &Clients, id: &str, version: &str) -> Result<v1::Operation, Status> {
    let request = v1::GetOperationRequest { id: id.into(), version: version.into() };
    let response = clients.ledger().get_operation(request).await?;
    Ok(response.into_inner().operation.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_are_read_whole_and_missing_ones_named() {
    let (_served, clients) = bare().await;
    let search = get(&clients, "sn22.web_search", "").await.unwrap();
    assert_eq!((search.netuid, search.version.as_str(), search.access.as_str()), (22, "1.1", "key"));
    assert!(search.callable && !search.price_known && !search.verified);
    assert_eq!(search.capabilities, ["web_search"]);
    let entry: OperationDescriptor = serde_json::from_slice(&search.entry_json).unwrap();
    assert_eq!(entry.id, search.id);
    assert_eq!(get(&clients, "sn22.web_search", "1.1").await.unwrap(), search);

    let missing = get(&clients, "sn22.web_serch", "").await;
    assert!(missing.as_ref().unwrap_err().message().contains("did you mean `sn22.web_search`?"));
    assert_not_found(missing, "E1201", "operation", "sn22.web_serch");
    for version in ["1.0", "one", "1.1 "] {
        let missing = get(&clients, "sn22.web_search", version).await;
        assert_not_found(missing, "E1208", "operation version", "sn22.web_search");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_come_by_pages_that_fit_their_filter() {
    let (_served, clients) = bare().await;
    let sized = |page_size| v1::ListOperationsRequest { page_size, ..Default::default() };
    let (ids, pages) = all(&clients, sized(25)).await;
    assert_eq!((ids.len(), pages), (114, 5));
    assert!(ids.is_sorted() && ids.iter().collect::<BTreeSet<_>>().len() == 114);
    assert_eq!(all(&clients, sized(0)).await, (ids.clone(), 3), "50 unless asked otherwise");
    assert_eq!(all(&clients, sized(u32::MAX)).await, (ids.clone(), 1), "500 at most");

    let of_22 = v1::ListOperationsRequest { netuid: Some(22), ..sized(2) };
    let (found, _) = all(&clients, of_22.clone()).await;
    assert!(found.len() > 2 && found.iter().all(|id| id.starts_with("sn22.")), "{found:?}");
    let tagged = v1::ListOperationsRequest { tag: "web_search".into(), ..sized(3) };
    assert!(all(&clients, tagged).await.0.contains(&"sn22.web_crawl".to_owned()));
    let able = v1::ListOperationsRequest { capability: "generate".into(), ..sized(1) };
    let chats = ["sn28.chat_completions", "sn64.chat_completions", "sn96.chat_completions"];
    assert_eq!(all(&clients, able.clone()).await, (chats.map(str::to_owned).to_vec(), 3));

    let first = list(&clients, of_22.clone()).await.unwrap();
    assert!(first.operations.iter().all(|row| row.entry_json.is_empty()), "rows are short");
    for foreign in [
        v1::ListOperationsRequest { page_token: first.next_page_token.clone(), ..sized(2) },
        v1::ListOperationsRequest { page_token: first.next_page_token, ..able },
        v1::ListOperationsRequest { page_token: "bogus".into(), ..sized(2) },
        v1::ListOperationsRequest { page_token: "x".repeat(10_000), ..sized(2) },
    ] {
        assert_refused(list(&clients, foreign).await, Code::InvalidArgument, "E1207", &["page_token"]);
    }
    let too_large = v1::ListOperationsRequest { netuid: Some(65_536), ..sized(2) };
    assert_refused(list(&clients, too_large).await, Code::InvalidArgument, "E1510", &["netuid"]);
    let unknown = v1::ListOperationsRequest { capability: "generat".into(), ..sized(2) };
    assert_not_found(list(&clients, unknown).await, "E1202", "capability", "generat");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_ranks_and_filters() {
    let (_served, clients) = bare().await;
    let search = async |query: &str, tags: &[&str], capability: &str, limit| {
        let tags = tags.iter().map(|&tag| tag.to_owned()).collect();
        let request =
            v1::SearchOperationsRequest { query: query.into(), tags, capability: capability.into(), limit };
        clients.ledger().search_operations(request).await.map(|response| response.into_inner().hits)
    };
    let ids = |hits: Vec<v1::SearchHit>| -> Vec<String> {
        assert!(hits.iter().all(|hit| !hit.reason.is_empty()));
        hits.into_iter().map(|hit| hit.operation.unwrap().id).collect()
    };
    let found = ids(search("web search", &[], "", 0).await.unwrap());
    assert!(found[0] == "sn22.web_search" && found.len() <= 20, "{found:?}");
    assert_eq!(ids(search("web search", &[], "", 1).await.unwrap()), ["sn22.web_search"]);
    let chats = ids(search("", &[], "generate", 0).await.unwrap());
    assert_eq!(chats.len(), 3, "{chats:?}");
    let tagged = ids(search("", &["web_search"], "", 0).await.unwrap());
    assert!(!tagged.is_empty() && tagged.len() < 114, "{tagged:?}");
    // Nothing that is typed is a query language.
    for odd in ["\"", "web AND (", "title:web", "*", "'; DROP TABLE search; --", "\u{0}", "😀"] {
        search(odd, &[], "", 5).await.unwrap();
    }
    assert_refused(search(&"x".repeat(1_001), &[], "", 5).await, Code::InvalidArgument, "E1009", &[]);
    assert_not_found(search("web", &[], "nope", 0).await, "E1202", "capability", "nope");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_version_stays_and_only_newer_ones_follow() {
    let (_served, clients) = bare().await;
    let first = operation("ask", "https://ask.example", micro_usd(5), true);
    let stored = publish(&clients, &first).await.unwrap();
    assert!(stored.changed);
    let row = stored.operation.unwrap();
    assert_eq!((row.id.as_str(), row.price.unwrap().units), ("sn65020.ask", 5));
    let again = publish(&clients, &first).await.unwrap();
    assert!(!again.changed && again.operation.unwrap().entry_hash == row.entry_hash);

    let changed = OperationDescriptor { summary: "Something else.".into(), ..first.clone() };
    assert_refused(publish(&clients, &changed).await, Code::AlreadyExists, "E1205", &[]);
    let next = OperationDescriptor { version: Version { breaking: 1, compatible: 4 }, ..changed };
    assert!(publish(&clients, &next).await.unwrap().changed);
    let between = OperationDescriptor { version: Version { breaking: 1, compatible: 2 }, ..next.clone() };
    assert_refused(publish(&clients, &between).await, Code::FailedPrecondition, "E1206", &[]);
    assert_eq!(get(&clients, "sn65020.ask", "").await.unwrap().version, "1.4");
    assert_eq!(get(&clients, "sn65020.ask", "1.0").await.unwrap().entry_hash, row.entry_hash);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_breaks_a_rule_is_refused_with_its_place() {
    let (_served, clients) = bare().await;
    let good = serde_json::to_value(operation("ask", "https://ask.example", micro_usd(5), true)).unwrap();
    let with = |pointer: &str, value: Json| {
        let mut entry = good.clone();
        *entry.pointer_mut(pointer).unwrap() = value;
        entry.to_string()
    };
    for (entry, place) in [
        ("{".to_owned(), "entry_json:$"),
        (with("/netuid", "x".into()), "entry_json:netuid"),
        (with("/id", "sn1.ask".into()), "entry_json:id"),
        (with("/transport/path", "ask".into()), "entry_json:transport.path"),
        (with("/input/type", "string".into()), "entry_json:input.type"),
        (format!("{good} x"), "entry_json:$"),
    ] {
        let request = v1::PublishOperationRequest { entry_json: entry.into() };
        let refused = clients.ledger().publish_operation(request).await;
        assert_refused(refused, Code::InvalidArgument, "E1204", &[place]);
    }
    assert_not_found(get(&clients, "sn65020.ask", "").await, "E1201", "operation", "sn65020.ask");
}

#[tokio::test(flavor = "multi_thread")]
async fn capabilities_are_published_with_adapters_of_known_operations() {
    let (_served, clients) = bare().await;
    let adapter = |operation: &str| AdapterDescriptor {
        operation: operation.into(),
        source: format!(
            "adapter {operation} as answer {{\n  request = {{ q: question }}\n  response = r => r.v\n}}"
        ),
    };
    let capability = CapabilityDescriptor {
        name: "answer".into(),
        version: Version::FIRST,
        summary: "An answer.".into(),
        source: "/// An answer.\ncapability answer(question: String(1..)) -> String".into(),
        adapters: vec![adapter("sn65020.ask")],
    };
    let publish = async |capability: &CapabilityDescriptor| {
        let entry_json = serde_json::to_vec(capability).unwrap().into();
        clients.ledger().publish_capability(v1::PublishCapabilityRequest { entry_json }).await
    };
    assert_not_found(publish(&capability).await, "E1201", "operation", "sn65020.ask");
    clients.publish(&operation("ask", "https://ask.example", micro_usd(5), true)).await;
    let stored = publish(&capability).await.unwrap().into_inner();
    assert!(stored.changed && stored.capability.unwrap().operations == ["sn65020.ask"]);
    assert!(!publish(&capability).await.unwrap().into_inner().changed);

    let broken = CapabilityDescriptor { source: "capability answer(".into(), ..capability.clone() };
    let broken = CapabilityDescriptor { version: Version { breaking: 1, compatible: 1 }, ..broken };
    let status = publish(&broken).await.unwrap_err();
    assert_refused::<()>(Err(status), Code::InvalidArgument, "E1204", &["entry_json:source"]);
    let request = v1::PublishCapabilityRequest { entry_json: b"{\"name\": 1}".to_vec().into() };
    let status = clients.ledger().publish_capability(request).await.unwrap_err();
    assert_refused::<()>(Err(status), Code::InvalidArgument, "E1204", &["entry_json:name"]);

    let page = v1::ListCapabilitiesRequest { page_size: 3, ..Default::default() };
    let first = clients.ledger().list_capabilities(page.clone()).await.unwrap().into_inner();
    let page_token = first.next_page_token;
    let rest = clients.ledger().list_capabilities(v1::ListCapabilitiesRequest { page_token, ..page }).await;
    let rest = rest.unwrap().into_inner();
    let names = first.capabilities.iter().chain(&rest.capabilities).map(|row| row.name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["answer", "generate", "social_posts", "web_search"]);
    assert!(rest.next_page_token.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_netuid_is_listed() {
    let (_served, clients) = bare().await;
    let mut netuids = Vec::new();
    let mut request = v1::ListSubnetsRequest { page_size: 50, ..Default::default() };
    loop {
        let page = clients.ledger().list_subnets(request.clone()).await.unwrap().into_inner();
        netuids.extend(page.subnets.iter().map(|subnet| subnet.netuid));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(netuids, (0..129).collect::<Vec<_>>());
    let request = v1::ListSubnetsRequest { page_token: "bogus".into(), ..Default::default() };
    let refused = clients.ledger().list_subnets(request).await;
    assert_refused(refused, Code::InvalidArgument, "E1207", &["page_token"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_pins_what_it_is_asked_for_with_all_it_needs() {
    let (_served, clients) = bare().await;
    let lock = clients.lock(&["sn22.web_crawl"], &["generate"]).await;
    for pinned in ["sn22.web_crawl", "generate", "sn28.chat_completions", "sn64.chat_completions"] {
        assert!(lock.toml.contains(pinned), "{pinned}: {}", lock.toml);
    }
    assert_eq!(lock.bodies.len(), 5);
    let resolve = async |operations: &[&str], capabilities: &[&str]| {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let request =
            v1::ResolveLockRequest { operations: owned(operations), capabilities: owned(capabilities) };
        clients.ledger().resolve_lock(request).await
    };
    assert_not_found(resolve(&["sn22.nope"], &[]).await, "E1201", "operation", "sn22.nope");
    assert_not_found(resolve(&[], &["nope"]).await, "E1202", "capability", "nope");
    let mut strange =
        e2e::subnet::operation("strange", "http://127.0.0.1:1", e2e::subnet::micro_usd(1), true);
    strange.transport = Transport::Other { protocol: "quic".into(), base_url: None };
    clients.publish(&strange).await;
    let id = strange.id;
    for id in all(&clients, v1::ListOperationsRequest::default()).await.0 {
        let operation = get(&clients, &id, "").await.unwrap();
        assert_eq!(operation.callable, operation.not_callable_reason.is_empty());
    }
    assert!(get(&clients, &id, "").await.unwrap().not_callable_reason.contains("not supported yet"));
    assert_refused(resolve(&[&id], &[]).await, Code::FailedPrecondition, "E1210", &[]);
}
