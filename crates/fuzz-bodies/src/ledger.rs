//! What plans are compiled against: a part of the catalogue, small enough to be checked some thousand times.

use std::sync::OnceLock;

use schema::hash::Hash;
use schema::lock::Lock;
use schema::operation::{AdapterDescriptor, CapabilityDescriptor, OperationDescriptor, Version};
use serde_json::Value;

const OPERATIONS: [&str; 2] = [
    include_str!("../../../catalog/operations/sn022.json"),
    include_str!("../../../catalog/operations/sn028.json"),
];

/// Name, source, operation of its adapter and source of that.
const CAPABILITIES: [(&str, &str, &str, &str); 2] = [
    (
        "web_search",
        include_str!("../../../catalog/capabilities/web_search.orch"),
        "sn22.web_search",
        include_str!("../../../catalog/adapters/web_search/sn22.web_search.orch"),
    ),
    (
        "generate",
        include_str!("../../../catalog/capabilities/generate.orch"),
        "sn28.chat_completions",
        include_str!("../../../catalog/adapters/generate/sn28.chat_completions.orch"),
    ),
];

/// The lock of every text.
pub fn ledger() -> &'static Lock {
    static LOCK: OnceLock<Lock> = OnceLock::new();
    LOCK.get_or_init(|| {
        let operations: Vec<OperationDescriptor> = OPERATIONS.iter().flat_map(|file| rows(file)).collect();
        let capabilities = CAPABILITIES.map(|(name, source, operation, adapter)| CapabilityDescriptor {
            name: name.into(),
            version: Version::FIRST,
            summary: String::new(),
            source: source.into(),
            adapters: vec![AdapterDescriptor { operation: operation.into(), source: adapter.into() }],
        });
        let lock = Lock::pin(Hash::default(), None, operations, capabilities);
        assert!(lock.is_ok(), "the catalogue is broken: {lock:?}");
        lock.unwrap_or_else(|_| Lock::empty())
    })
}

fn rows(file: &str) -> Vec<OperationDescriptor> {
    let mut file: Value = serde_json::from_str(file).unwrap_or_default();
    let rows = file.get_mut("operations").map(Value::take).unwrap_or_default();
    let rows = serde_json::from_value(rows);
    assert!(rows.is_ok(), "the catalogue is broken: {rows:?}");
    rows.unwrap_or_default()
}
