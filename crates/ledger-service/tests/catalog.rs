//! The real catalogue, and catalogues that are not right.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use ledger_service::{Callability, Catalog, Error, MAX_CATALOG_FILE_BYTES, Options};
use plan_compiler::{Source, compile};
use schema::delivery::Delivery;
use schema::hash::Hash;
use schema::lock::Lock;
use schema::operation::{ObservedCost, OperationDescriptor, SideEffects, Transport};
use store::{Memory, Sqlite};
use tempfile::TempDir;

fn embedded() -> Catalog {
    Catalog::embedded().unwrap()
}

#[tokio::test]
async fn the_catalogue_loads_whole_in_few_commits_and_again_for_nothing() {
    let dir = TempDir::new().unwrap();
    let log = Arc::new(Sqlite::open(&store::Options::new(dir.path())).unwrap());
    let ledger = Options::new(Arc::clone(&log) as Arc<dyn store::Log>).open().await.unwrap();
    let report = ledger.load(&embedded()).await.unwrap();
    assert_eq!((report.added, report.unchanged), (129 + 114 + 3, 0));
    assert!(store::Log::stats(&*log).commits <= 2);
    let again = ledger.load(&embedded()).await.unwrap();
    assert_eq!((again.added, again.unchanged), (0, report.added));
    let snapshot = ledger.snapshot();
    assert_eq!(snapshot.subnets().count(), 129);
    assert_eq!(snapshot.operations().count(), 114);
    assert_eq!(snapshot.operation_count(22), 10);
}

#[test]
fn it_holds_the_facts_it_should() {
    let catalog = embedded();
    let netuids: BTreeSet<u16> = catalog.operations.iter().map(|operation| operation.netuid).collect();
    assert_eq!(netuids.len(), 17);
    let subnets: BTreeSet<u16> = catalog.subnets.iter().map(|subnet| subnet.netuid).collect();
    assert_eq!(subnets, (0..=128).collect());
    let ids: BTreeSet<&str> = catalog.operations.iter().map(|operation| operation.id.as_str()).collect();
    assert_eq!(ids.len(), 114);
    for operation in &catalog.operations {
        assert!(!operation.verified && !operation.sources.is_empty(), "{}", operation.id);
        assert!(subnets.contains(&operation.netuid));
    }
    let find = |id: &str| catalog.operations.iter().find(|operation| operation.id == id).unwrap();
    for chat in ["sn28.chat_completions", "sn64.chat_completions", "sn96.chat_completions"] {
        let chat = find(chat);
        assert_eq!(chat.side_effects, SideEffects::Metered);
        assert!(chat.repeat.safe && chat.repeat.costs_again);
        let Transport::Http(http) = &chat.transport else { unreachable!() };
        assert_eq!(http.fixed_body.get("stream"), Some(&false.into()));
    }
    let search = find("sn22.web_search");
    let header = ObservedCost::Header {
        name: "x-desearch-cost-usd".into(),
        currency: schema::amount::Currency::MicroUsd,
    };
    assert_eq!(search.observed_cost, Some(header));
    assert!(!find("sn56.create_chat").repeat.safe);
}

/// The Ledger looks only at adapters whose operation can be called; those of the others have to be right too.
#[test]
fn adapters_compile_whether_their_operation_can_be_called_or_not() {
    let catalog = embedded();
    let text: String = catalog
        .capabilities
        .iter()
        .map(|capability| format!("use cap {{ {} }}\n", capability.name))
        .collect();
    let lock = Lock::pin(Hash::default(), None, catalog.operations, catalog.capabilities).unwrap();
    let source = Source { name: "all.orch", text: &format!("edition 2026\n{text}") };
    let compilation = compile(&source, &lock, &plan_compiler::Options::default());
    assert!(compilation.diagnostics.is_empty(), "{:#?}", compilation.diagnostics);
}

#[test]
fn what_is_said_to_come_by_pages_can_be_asked_for_pages() {
    let catalog = embedded();
    let by_pages = |summary: &str| summary.contains("by page");
    let said: Vec<_> = catalog.operations.iter().filter(|operation| by_pages(&operation.summary)).collect();
    assert!(!said.is_empty());
    for operation in said {
        assert!(matches!(operation.delivery, Some(Delivery::Pages(_))), "{}", operation.id);
    }
}

#[test]
fn whatever_is_not_callable_says_why() {
    let catalog = embedded();
    let reasons: Vec<(&str, String)> = catalog
        .operations
        .iter()
        .filter_map(|operation| {
            Some((operation.id.as_str(), Callability::of(operation).reason()?.to_owned()))
        })
        .collect();
    let count = |text: &str| reasons.iter().filter(|(_, reason)| reason.contains(text)).count();
    assert_eq!(count("needs a host"), 5 + 3 + 1 + 4);
    assert_eq!(reasons.len(), 13);
}

fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn one_operation(change: impl Fn(&mut serde_json::Value)) -> String {
    let operation: OperationDescriptor = embedded().operations.into_iter().find(|o| o.netuid == 22).unwrap();
    let mut json =
        serde_json::json!({ "netuid": 22, "captured_on": "2026-11-22", "operations": [operation] });
    change(&mut json);
    json.to_string()
}

#[test]
fn a_directory_of_ones_own_is_read_like_the_embedded_one() {
    let dir = TempDir::new().unwrap();
    write(dir.path(), "operations/own.json", &one_operation(|_| ()));
    write(dir.path(), "README.md", "not a part of it");
    let catalog = Catalog::read(dir.path()).unwrap();
    assert_eq!((catalog.operations.len(), catalog.subnets.len(), catalog.capabilities.len()), (1, 0, 0));
}

#[test]
fn a_malformed_file_is_named_with_the_place_of_the_mistake() {
    let place = |name: &str, text: &str| {
        let dir = TempDir::new().unwrap();
        write(dir.path(), name, text);
        match Catalog::read(dir.path()).unwrap_err() {
            Error::Catalog { file, path, .. } => (file, path),
            other => unreachable!("{other}"),
        }
    };
    let set = |pointer: &'static str, value: serde_json::Value| {
        one_operation(move |json| *json.pointer_mut(pointer).unwrap() = value.clone())
    };
    let file = "operations/x.json";
    for (text, path) in [
        (set("/operations/0/netuid", 23.into()), "operations[0].netuid"),
        (set("/operations/0/netuid", "x".into()), "operations[0].netuid"),
        (set("/operations/0/access", "friends".into()), "operations[0].access"),
        (set("/operations/0/repeat", serde_json::json!({ "safe": true })), "operations[0].repeat"),
        (set("/operations", 1.into()), "operations"),
        ("{ not json".to_owned(), "$"),
        (format!("{} trailing", one_operation(|_| ())), "$"),
    ] {
        assert_eq!(place(file, &text), (file.to_owned(), path.to_owned()));
    }
    let capability = r#"{"capabilities": [{"name": "x", "version": {"breaking": 1, "compatible": 0}, "summary": "X.", "adapters": []}]}"#;
    assert_eq!(
        place("capabilities.json", capability),
        ("capabilities.json".into(), "capabilities[x]".into())
    );
}

#[test]
fn a_file_at_and_above_the_limit() {
    let dir = TempDir::new().unwrap();
    let text = one_operation(|_| ());
    let padded = |size: usize| format!("{text}{}", " ".repeat(size - text.len()));
    let limit = usize::try_from(MAX_CATALOG_FILE_BYTES).unwrap();
    write(dir.path(), "operations/own.json", &padded(limit));
    Catalog::read(dir.path()).unwrap();
    write(dir.path(), "operations/own.json", &padded(limit + 1));
    assert_eq!(Catalog::read(dir.path()).unwrap_err().code(), "E1203");
}

#[test]
fn a_directory_without_a_catalogue_is_an_error() {
    let dir = TempDir::new().unwrap();
    assert_eq!(Catalog::read(dir.path()).unwrap_err().code(), "E1203");
    assert_eq!(Catalog::read(&dir.path().join("absent")).unwrap_err().code(), "E1203");
}

#[tokio::test]
async fn a_bad_entry_in_a_catalogue_leaves_the_ledger_as_it_was() {
    let ledger = Options::new(Arc::new(Memory::new())).open().await.unwrap();
    let mut catalog = embedded();
    catalog.operations.last_mut().unwrap().summary.clear();
    assert_eq!(ledger.load(&catalog).await.unwrap_err().code(), "E1204");
    assert_eq!(ledger.snapshot().last_index(), 0);
}
