//! Publishing, rebuilding, listing, searching and locking.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::Arc;

use ledger_service::{
    Catalog, DEFAULT_PAGE_ROWS, Error, Handle, MAX_ADAPTERS, MAX_ENTRY_BYTES, MAX_ID_BYTES, MAX_PAGE_ROWS,
    MAX_SEARCH_HITS, MAX_SUMMARY_CHARS, MAX_TAGS, OperationFilter, Options, PageRequest, SearchRequest,
    SubnetFilter,
};
use schema::operation::{Auth, OperationDescriptor, SideEffects, Transport, Version};
use store::{Append, Log, Memory, StreamName};

fn memory() -> Arc<dyn Log> {
    Arc::new(Memory::new())
}

async fn open(log: &Arc<dyn Log>) -> Handle {
    Options::new(Arc::clone(log)).open().await.unwrap()
}

async fn loaded() -> Handle {
    let ledger = open(&memory()).await;
    ledger.load(&Catalog::embedded().unwrap()).await.unwrap();
    ledger
}

/// The catalogue, but for one operation that no version of Orchestra speaks the protocol of.
async fn with_a_protocol_of_its_own(id: &str) -> Handle {
    let mut catalog = Catalog::embedded().unwrap();
    let operation = catalog.operations.iter_mut().find(|operation| operation.id == id).unwrap();
    operation.transport = Transport::Other { protocol: "quic".into(), base_url: None };
    operation.auth = Auth::None;
    let ledger = open(&memory()).await;
    ledger.load(&catalog).await.unwrap();
    ledger
}

fn operation(id: &str) -> OperationDescriptor {
    Catalog::embedded().unwrap().operations.into_iter().find(|operation| operation.id == id).unwrap()
}

fn version(breaking: u32, compatible: u32) -> Version {
    Version { breaking, compatible }
}

fn set<const N: usize>(items: [&str; N]) -> BTreeSet<String> {
    items.map(str::to_owned).into()
}

#[tokio::test]
async fn publishing_again_changes_nothing_and_a_version_never_changes() {
    let log = memory();
    let ledger = open(&log).await;
    let first = operation("sn22.web_search");
    let (published, added) = ledger.publish_operation(first.clone()).await.unwrap();
    assert!(added && published.index == 1 && published.previous.is_none());
    let before = ledger.snapshot();

    let (again, added) = ledger.publish_operation(first.clone()).await.unwrap();
    assert!(!added && again == published);
    assert_eq!(ledger.snapshot(), before);
    assert_eq!(log.last_seq(&StreamName::new("ledger").unwrap()).await.unwrap(), 1);

    let other = OperationDescriptor { summary: "Something else.".into(), ..first.clone() };
    let error = ledger.publish_operation(other.clone()).await.unwrap_err();
    assert!(matches!(&error, Error::Immutable { key, .. } if key == "sn22.web_search"), "{error}");

    let next = OperationDescriptor { version: version(1, 2), ..other.clone() };
    let (second, added) = ledger.publish_operation(next).await.unwrap();
    assert!(added && second.previous == Some(published.hash) && second.index == 2);
    assert_ne!(ledger.snapshot().id(), before.id());

    let lower = OperationDescriptor { version: version(0, 9), ..other };
    let error = ledger.publish_operation(lower).await.unwrap_err();
    assert!(matches!(&error, Error::Outdated { newest, .. } if *newest == version(1, 2)), "{error}");

    let snapshot = ledger.snapshot();
    assert_eq!(snapshot.operation("sn22.web_search").unwrap(), &second);
    assert_eq!(snapshot.operation_version("sn22.web_search", version(1, 1)).unwrap(), &published);
    assert_eq!(snapshot.operation_at("sn22.web_search", "").unwrap(), &second);
    assert_eq!(snapshot.operation_at("sn22.web_search", "1.1").unwrap(), &published);
    for bad in ["1", "one.two", "1.0.0", "-1.0", "9.9"] {
        assert_eq!(snapshot.operation_at("sn22.web_search", bad).unwrap_err().code(), "E1208");
    }
    assert_eq!(snapshot.operation_at("sn22.nothing", "x").unwrap_err().code(), "E1201");
    let error = snapshot.operation_version("sn22.web_search", version(7, 0)).unwrap_err();
    assert_eq!(error.to_string(), "`sn22.web_search` has no version 7.0; it has 1.1, 1.2");
    // The old content under the old version is still a no-op, though it is no longer the newest.
    assert!(!ledger.publish_operation(first).await.unwrap().1);
}

#[tokio::test]
async fn a_rebuild_from_the_first_entry_gives_the_same_state_and_search() {
    let log = memory();
    let ledger = open(&log).await;
    ledger.load(&Catalog::embedded().unwrap()).await.unwrap();
    let newer = OperationDescriptor {
        version: version(1, 2),
        tags: vec!["rare_tag".into()],
        ..operation("sn22.web_search")
    };
    ledger.publish_operation(newer).await.unwrap();

    let rebuilt = open(&log).await;
    assert_eq!(rebuilt.snapshot(), ledger.snapshot());

    // The records alone, copied to another store, carry everything.
    let copy = memory();
    let stream = StreamName::new("ledger").unwrap();
    for record in log.read(&stream, 1, 10_000).await.unwrap() {
        copy.append(Append::to(stream.clone()).record(record.bytes)).await.unwrap();
    }
    assert_eq!(open(&copy).await.snapshot(), ledger.snapshot());

    let found =
        rebuilt.search(&SearchRequest { tags: set(["rare_tag"]), ..SearchRequest::default() }).await.unwrap();
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn the_snapshot_id_depends_on_content_not_on_order() {
    let (a, b) = (operation("sn22.web_search"), operation("sn64.chat_completions"));
    let (one, other) = (open(&memory()).await, open(&memory()).await);
    one.publish_operation(a.clone()).await.unwrap();
    assert_ne!(one.snapshot().id(), other.snapshot().id());
    one.publish_operation(b.clone()).await.unwrap();
    other.publish_operation(b).await.unwrap();
    other.publish_operation(a).await.unwrap();
    assert_eq!(one.snapshot().id(), other.snapshot().id());
}

#[tokio::test]
async fn a_changed_dropped_or_swapped_record_is_noticed() {
    let log = memory();
    let ledger = open(&log).await;
    ledger.publish_operation(operation("sn22.web_search")).await.unwrap();
    let newer = OperationDescriptor { version: version(1, 2), ..operation("sn22.web_search") };
    ledger.publish_operation(newer).await.unwrap();
    let stream = StreamName::new("ledger").unwrap();
    let records: Vec<_> =
        log.read(&stream, 1, 9).await.unwrap().into_iter().map(|r| r.bytes.to_vec()).collect();
    let [first, second] = records.as_slice() else { unreachable!() };
    let mut changed = first.clone();
    let at = changed.len() - 10;
    *changed.get_mut(at).unwrap() ^= 1;
    for bad in [
        vec![changed, second.clone()],
        vec![second.clone()],
        vec![second.clone(), first.clone()],
        vec![vec![]],
    ] {
        let copy = memory();
        for record in bad {
            copy.append(Append::to(stream.clone()).record(record)).await.unwrap();
        }
        let error = Options::new(copy).open().await.unwrap_err();
        assert_eq!(error.code(), "E1209", "{error}");
    }
}

#[tokio::test]
async fn a_ledger_begins_with_the_records_of_another() {
    let (log, copy) = (memory(), memory());
    let first = open(&log).await;
    first.load(&Catalog::embedded().unwrap()).await.unwrap();
    let newer = OperationDescriptor { version: version(9, 0), ..operation("sn22.web_search") };
    first.publish_operation(newer.clone()).await.unwrap();
    let stream = StreamName::new(ledger_service::STREAM).unwrap();
    let records = log.read(&stream, 1, 10_000).await.unwrap();
    let begin = |records: Vec<store::Record>| Options::new(Arc::clone(&copy)).beginning_with(records).open();

    let ledger = begin(records.clone()).await.unwrap();
    assert_eq!(ledger.snapshot(), first.snapshot());
    let request = SearchRequest::for_text("web search");
    let (found, wanted) = (ledger.search(&request).await.unwrap(), first.search(&request).await.unwrap());
    assert!(!found.is_empty());
    let ids = |hits: &[ledger_service::SearchHit]| {
        hits.iter().map(|hit| hit.operation.descriptor.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&found), ids(&wanted));
    // It goes on from there as any other, and a log that has one is not begun again.
    let next = OperationDescriptor { version: version(9, 1), ..newer };
    assert!(ledger.publish_operation(next).await.unwrap().1);
    assert!(begin(records.clone()).await.is_err());
    // Records that do not follow each other are no Ledger.
    let copy = memory();
    let torn = Options::new(copy).beginning_with(records.into_iter().rev().collect()).open().await;
    assert!(torn.is_err());
}

#[tokio::test]
async fn entries_that_break_a_rule_are_refused_with_their_place() {
    let ledger = open(&memory()).await;
    let good = || operation("sn34.detect_image");
    let with = |change: fn(&mut OperationDescriptor)| {
        let mut operation = good();
        change(&mut operation);
        operation
    };
    let cases = [
        (with(|o| o.id = "sn22.detect_image".into()), "id"),
        (with(|o| o.id = "sn34.Detect".into()), "id"),
        (with(|o| o.summary = " ".into()), "summary"),
        (with(|o| o.summary = "a\nb".into()), "summary"),
        (with(|o| o.summary = "x".repeat(MAX_SUMMARY_CHARS + 1)), "summary"),
        (with(|o| o.tags = vec!["Not A Tag".into()]), "tags"),
        (with(|o| o.tags = (0..=MAX_TAGS).map(|i| format!("t{i}")).collect()), "tags"),
        (with(|o| o.sources.clear()), "sources"),
        (with(|o| o.input = serde_json::json!(true)), "input.type"),
        (with(|o| o.input["properties"][" "] = serde_json::json!({})), "input.properties"),
        (with(|o| header(o, "a b")), "transport.parameters"),
        (with(|o| header(o, "host")), "transport.parameters"),
        (with(|o| http(o).method = "FETCH".into()), "transport.method"),
        (with(|o| http(o).base_url = "ftp://x.example".into()), "transport.base_url"),
        (with(|o| http(o).path = "x".into()), "transport.path"),
        (with(|o| http(o).path = "/{id}".into()), "transport.path"),
        (with(|o| drop(http(o).fixed_body.insert("image".into(), true.into()))), "transport.fixed_body"),
        (with(|o| o.example.as_mut().unwrap().output = "x".repeat(MAX_ENTRY_BYTES).into()), "$"),
    ];
    for (operation, place) in cases {
        let error = ledger.publish_operation(operation).await.unwrap_err();
        assert!(matches!(&error, Error::InvalidEntry { path, .. } if path == place), "{place}: {error}");
    }
    let at_limit = OperationDescriptor {
        summary: "x".repeat(MAX_SUMMARY_CHARS),
        tags: (0..MAX_TAGS).map(|i| format!("t{i}")).collect(),
        ..good()
    };
    ledger.publish_operation(at_limit).await.unwrap();
    assert_eq!(ledger.snapshot().last_index(), 1);
}

/// Gives it a parameter of this name that is sent as a header.
fn header(operation: &mut OperationDescriptor, name: &str) {
    let properties = operation.input.pointer_mut("/properties").and_then(|all| all.as_object_mut());
    properties.unwrap().insert(name.into(), serde_json::json!({ "type": "string" }));
    http(operation).parameters.insert(name.into(), schema::operation::ParameterLocation::Header);
}

fn http(operation: &mut OperationDescriptor) -> &mut schema::operation::HttpBinding {
    let Transport::Http(http) = &mut operation.transport else { unreachable!() };
    http
}

#[tokio::test]
async fn json_that_is_no_operation_is_refused_with_its_path() {
    let ledger = open(&memory()).await;
    let mut json = serde_json::to_value(operation("sn22.web_search")).unwrap();
    *json.pointer_mut("/repeat/safe").unwrap() = "yes".into();
    let error = ledger.publish_operation_json(json.to_string().as_bytes()).await.unwrap_err();
    assert!(matches!(&error, Error::InvalidEntry { path, .. } if path == "repeat.safe"), "{error}");
    for bad in ["", "{", "[]", "{\"id\": 1}"] {
        assert_eq!(ledger.publish_operation_json(bad.as_bytes()).await.unwrap_err().code(), "E1204");
    }
}

#[tokio::test]
async fn a_capability_needs_its_operations() {
    let ledger = open(&memory()).await;
    let capability = Catalog::embedded().unwrap().capabilities.remove(0);
    let error = ledger.publish_capability(capability.clone()).await.unwrap_err();
    assert_eq!(error.code(), "E1201", "{error}");
    for adapter in &capability.adapters {
        ledger.publish_operation(operation(&adapter.operation)).await.unwrap();
    }
    assert!(ledger.publish_capability(capability.clone()).await.unwrap());
    assert!(!ledger.publish_capability(capability.clone()).await.unwrap());
    // A newer version without one adapter takes the operation out of the capability, in state and search.
    let mut newer = capability;
    newer.version = version(2, 0);
    let gone = newer.adapters.remove(0).operation;
    ledger.publish_capability(newer).await.unwrap();
    assert_eq!(ledger.snapshot().capabilities_of(&gone).count(), 0);
    let request = SearchRequest { capability: Some("generate".into()), ..SearchRequest::default() };
    let found = ledger.search(&request).await.unwrap();
    assert!(!found.is_empty() && found.iter().all(|hit| hit.operation.descriptor.id != gone));
}

#[tokio::test]
async fn lists_come_in_pages_bound_to_their_filter() {
    let ledger = loaded().await;
    let snapshot = ledger.snapshot();
    let filter = OperationFilter { tag: Some("compute_rental".into()), ..OperationFilter::default() };
    let mut ids = Vec::new();
    let mut page = PageRequest { size: 5, token: String::new() };
    loop {
        let rows = snapshot.list_operations(&filter, &page).unwrap();
        assert!(rows.rows.len() <= 5);
        ids.extend(rows.rows.iter().map(|row| row.descriptor.id.clone()));
        if rows.next.is_empty() {
            break;
        }
        page.token = rows.next;
    }
    let expected =
        snapshot.operations().map(|p| &p.descriptor).filter(|o| o.tags.contains(&"compute_rental".into()));
    assert_eq!(ids, expected.map(|o| o.id.clone()).collect::<Vec<_>>());
    assert_eq!(ids.len(), 17);

    let other = OperationFilter { netuid: Some(51), ..filter };
    for (filter, token) in [(&other, page.token.as_str()), (&other, "garbage!"), (&other, "AAAA")] {
        let request = PageRequest { size: 5, token: token.into() };
        let error = snapshot.list_operations(filter, &request).unwrap_err();
        assert_eq!(error.code(), "E1207");
    }
    let chat = OperationFilter { capability: Some("generate".into()), ..OperationFilter::default() };
    assert_eq!(snapshot.list_operations(&chat, &PageRequest::default()).unwrap().rows.len(), 3);

    let all =
        |size| snapshot.list_subnets(&SubnetFilter::default(), &PageRequest { size, token: String::new() });
    assert_eq!(all(0).unwrap().rows.len(), DEFAULT_PAGE_ROWS);
    assert_eq!(all(MAX_PAGE_ROWS + 1).unwrap().rows.len(), 129);
    let first = all(100).unwrap();
    let rest = PageRequest { size: 100, token: first.next };
    assert_eq!(snapshot.list_subnets(&SubnetFilter::default(), &rest).unwrap().rows.len(), 29);
    assert_eq!(snapshot.list_capabilities(&PageRequest::default()).unwrap().rows.len(), 3);
}

#[tokio::test]
async fn search_finds_ranks_filters_and_explains() {
    let ledger = loaded().await;
    let find = |request: SearchRequest| {
        let ledger = ledger.clone();
        async move {
            let hits = ledger.search(&request).await.unwrap();
            hits.into_iter().map(|hit| (hit.operation.descriptor.id.clone(), hit.reason)).collect::<Vec<_>>()
        }
    };
    let hits = find(SearchRequest::for_text("web search")).await;
    assert_eq!(
        hits.first().unwrap(),
        &(
            "sn22.web_search".to_owned(),
            "it has this name; fulfils `web_search`; `web`, `search` in its id; `web`, `search` in its summary; \
             `web`, `search` in its tags"
                .to_owned()
        )
    );
    let top = |hits: &[(String, String)]| hits.first().unwrap().0.clone();
    assert_eq!(top(&find(SearchRequest::for_text("is this image generated?")).await), "sn34.detect_image");
    assert_eq!(top(&find(SearchRequest::for_text("sn50.volatility")).await), "sn50.volatility");
    assert!(find(SearchRequest::for_text("weather")).await.iter().any(|(id, _)| id == "sn18.forecast_point"));
    assert!(find(SearchRequest::for_text("Chutes")).await.iter().any(|(id, _)| id.starts_with("sn64.")));
    assert!(find(SearchRequest::for_text("zzzzzz")).await.is_empty());

    let tagged = SearchRequest { tags: set(["web_search"]), ..SearchRequest::default() };
    assert_eq!(find(tagged).await.len(), 4);
    let fulfilling = SearchRequest { capability: Some("generate".into()), ..SearchRequest::default() };
    assert_eq!(find(fulfilling).await.len(), 3);
    let cannot = find(SearchRequest::for_text("miner_positions")).await;
    assert!(cannot.first().unwrap().1.contains("not callable: "), "{cannot:?}");
    let many = SearchRequest { limit: usize::MAX, ..SearchRequest::default() };
    assert_eq!(find(many).await.len(), MAX_SEARCH_HITS);
    let unknown = SearchRequest { capability: Some("generat".into()), ..SearchRequest::default() };
    assert_eq!(ledger.search(&unknown).await.unwrap_err().code(), "E1202");
    assert_eq!(find(SearchRequest { limit: 3, ..SearchRequest::default() }).await.len(), 3);
}

#[tokio::test]
async fn an_operation_whose_schema_does_not_map_is_listed_but_not_callable() {
    let ledger = open(&memory()).await;
    let mut odd = operation("sn22.web_search");
    odd.output =
        serde_json::json!({ "type": "object", "properties": { "node": { "$dynamicRef": "#node" } } });
    let id = odd.id.clone();
    ledger.publish_operation(odd.clone()).await.unwrap();
    let hits = ledger.search(&SearchRequest::for_text("web")).await.unwrap();
    let reason = "not callable: its schema does not map to types: [E0613]";
    assert!(hits.first().unwrap().reason.contains(reason), "{hits:?}");
    let error = ledger.snapshot().lock_for(&set([&id]), &set([])).unwrap_err();
    assert!(error.to_string().contains("output#"), "{error}");
    assert_eq!(error.code(), "E1210");
    // As an incomplete schema it is `Json`, and callable.
    let mended = OperationDescriptor { output_complete: false, version: version(1, 2), ..odd };
    ledger.publish_operation(mended).await.unwrap();
    ledger.snapshot().lock_for(&set([&id]), &set([])).unwrap();
}

#[tokio::test]
async fn limits_of_entries_hold_at_n_and_refuse_at_n_plus_one() {
    let ledger = open(&memory()).await;
    let named = |length: usize| OperationDescriptor {
        id: format!("sn22.{}", "x".repeat(length - 5)),
        ..operation("sn22.web_search")
    };
    ledger.publish_operation(named(MAX_ID_BYTES)).await.unwrap();
    assert_eq!(ledger.publish_operation(named(MAX_ID_BYTES + 1)).await.unwrap_err().code(), "E1204");

    let sized = |bytes: usize| {
        let mut operation = operation("sn22.web_search");
        operation.example.as_mut().unwrap().output = "".into();
        let rest = schema::lock::entry_bytes(&operation).unwrap().len();
        operation.example.as_mut().unwrap().output = "x".repeat(bytes - rest).into();
        operation
    };
    assert_eq!(ledger.publish_operation(sized(MAX_ENTRY_BYTES + 1)).await.unwrap_err().code(), "E1204");
    ledger.publish_operation(sized(MAX_ENTRY_BYTES)).await.unwrap();

    let adapters = |count: usize| {
        let mut capability = Catalog::embedded().unwrap().capabilities.remove(0);
        let adapter = capability.adapters.remove(0);
        capability.adapters = (0..count)
            .map(|i| schema::operation::AdapterDescriptor {
                operation: format!("sn1.o{i}"),
                ..adapter.clone()
            })
            .collect();
        capability
    };
    for (count, code) in [(MAX_ADAPTERS, "E1201"), (MAX_ADAPTERS + 1, "E1204")] {
        assert_eq!(ledger.publish_capability(adapters(count)).await.unwrap_err().code(), code);
    }
}

#[tokio::test]
async fn a_lock_pins_operations_capabilities_and_what_fulfils_them() {
    let ledger = loaded().await;
    let snapshot = ledger.snapshot();
    let (lock, bodies) = snapshot.lock_for(&set(["sn22.web_crawl"]), &set(["generate"])).unwrap();
    assert_eq!(lock.snapshot, snapshot.id());
    let ids: Vec<_> = lock.operations.iter().map(|operation| operation.id.as_str()).collect();
    assert_eq!(
        ids,
        ["sn22.web_crawl", "sn28.chat_completions", "sn64.chat_completions", "sn96.chat_completions"]
    );
    assert_eq!(bodies.len(), 5);
    for operation in &lock.operations {
        let body = schema::lock::operation_from_entry(bodies.get(&operation.entry).unwrap()).unwrap();
        assert_eq!((&body.id, body.repeat), (&operation.id, operation.repeat));
        assert_eq!(body.side_effects, SideEffects::Metered);
        assert_eq!(schema::hash::Context::LedgerEntry.hash(&[&bodies[&operation.entry]]), operation.entry);
    }
    let assembled = schema::lock::Lock::assemble(&lock.to_toml(), &bodies).unwrap();
    assert_eq!((assembled.operations.len(), assembled.capabilities.len()), (4, 1));
    // The same Ledger gives the same lock.
    assert_eq!(
        loaded().await.snapshot().lock_for(&set(["sn22.web_crawl"]), &set(["generate"])).unwrap().0,
        lock
    );
}

#[tokio::test]
async fn a_lock_leaves_out_what_fulfils_a_capability_and_cannot_be_called() {
    let snapshot = with_a_protocol_of_its_own("sn13.on_demand_data").await.snapshot();
    let of = |name: &str| snapshot.capability(name).unwrap().descriptor.adapters.clone();
    assert!(of("social_posts").iter().any(|adapter| adapter.operation == "sn13.on_demand_data"));
    let (lock, bodies) = snapshot.lock_for(&set([]), &set(["social_posts"])).unwrap();
    assert_eq!(lock.capabilities[0].operations, ["sn22.ai_x_links", "sn22.x_search"]);
    let assembled = schema::lock::Lock::assemble(&lock.to_toml(), &bodies).unwrap();
    assert_eq!((assembled.operations.len(), assembled.to_lockfile()), (2, lock));
}

#[tokio::test]
async fn a_lock_of_what_is_unknown_or_not_callable_is_refused() {
    let ledger = with_a_protocol_of_its_own("sn34.detect_video").await;
    let snapshot = ledger.snapshot();
    let lock = |operation: &str, capability: &str| {
        let some = |name: &str| if name.is_empty() { set([]) } else { set([name]) };
        snapshot.lock_for(&some(operation), &some(capability)).unwrap_err()
    };
    let error = lock("sn22.websearch", "");
    assert_eq!(error.code(), "E1201");
    assert_eq!(error.to_string(), "there is no operation `sn22.websearch`; did you mean `sn22.web_search`?");
    assert_eq!(lock("nonsense", "").to_string(), "there is no operation `nonsense`");
    assert_eq!(lock("", "generat").to_string(), "there is no capability `generat`; did you mean `generate`?");
    assert_eq!(lock("sn34.detect_video", "").code(), "E1210");
    // One that only lacks a host can be locked: the deployment may name one.
    // Of several that are refused all are told, one line each.
    let many = (0..25).map(|n| format!("sn22.nothing_{n:02}")).collect();
    let error =
        snapshot.lock_for(&set(["sn22.web_crawll", "sn22.web_crawl"]), &set(["generat"])).unwrap_err();
    let said = "there is no operation `sn22.web_crawll`; did you mean `sn22.web_crawl`?
there is no capability `generat`; did you mean `generate`?";
    assert_eq!((error.code(), error.to_string().as_str()), ("E1201", said));
    let error = snapshot.lock_for(&many, &set([])).unwrap_err().to_string();
    assert_eq!((error.lines().count(), error.lines().last()), (21, Some("and 5 more")));
    snapshot.lock_for(&set(["sn65.new_lease"]), &set([])).unwrap();
}
