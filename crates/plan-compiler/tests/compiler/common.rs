//! A lock from the project's own catalogue, and diagnostics as a user sees them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use plan_compiler::{Compilation, Options, Source, compile};
use plan_lang::{SourceFile, render};
use schema::amount::{Amount, Currency, Rate};
use schema::hash::Hash;
use schema::lock::Lock;
use schema::operation::{AdapterDescriptor, CapabilityDescriptor, OperationDescriptor, Version};
use schema::price::PriceRule;

/// The project's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Every operation and capability of the catalogue, and three operations made for tests: one that is not
/// safe to repeat, one with a known price in dollars and one with a price in TAO.
pub(crate) fn lock() -> &'static Lock {
    static LOCK: OnceLock<Lock> = OnceLock::new();
    LOCK.get_or_init(|| pinned(None))
}

fn pinned(rate: Option<Rate>) -> Lock {
    let catalog = root().join("catalog");
    let mut operations: Vec<OperationDescriptor> = Vec::new();
    for entry in fs::read_dir(catalog.join("operations")).unwrap() {
        let file = json(&entry.unwrap().path());
        for row in file["operations"].as_array().unwrap() {
            operations.push(serde_json::from_value(row.clone()).unwrap());
        }
    }
    operations.sort_by(|a, b| a.id.cmp(&b.id));
    let by_id: BTreeMap<String, OperationDescriptor> =
        operations.iter().map(|op| (op.id.clone(), op.clone())).collect();
    operations.extend(made_up(&by_id["sn22.web_search"]));
    let capabilities = json(&catalog.join("capabilities.json"));
    let capabilities = capabilities["capabilities"].as_array().unwrap().iter().map(|row| {
        let name = row["name"].as_str().unwrap();
        let adapter = |id: &serde_json::Value| {
            let id = id.as_str().unwrap();
            let source = fs::read_to_string(catalog.join(format!("adapters/{name}/{id}.orch"))).unwrap();
            AdapterDescriptor { operation: id.into(), source }
        };
        CapabilityDescriptor {
            name: name.into(),
            version: Version::FIRST,
            summary: String::new(),
            source: fs::read_to_string(catalog.join(format!("capabilities/{name}.orch"))).unwrap(),
            adapters: row["adapters"].as_array().unwrap().iter().map(adapter).collect(),
        }
    });
    Lock::pin(Hash::default(), rate, operations, capabilities).unwrap()
}

/// The lock with an exchange rate of 300 USD for one TAO.
pub(crate) fn lock_with_rate() -> Lock {
    pinned(Some(Rate { micro_usd_per_tao: 300_000_000 }))
}

fn made_up(search: &OperationDescriptor) -> Vec<OperationDescriptor> {
    let per_call = |units, currency| PriceRule::PerCall { amount: Amount::new(units, currency) };
    let text = serde_json::json!({ "type": "string" });
    let named = |name: &str, price| OperationDescriptor {
        id: format!("sn999.{name}"),
        netuid: 999,
        price,
        input: serde_json::json!({
            "type": "object",
            "properties": { "text": { "type": "string", "minLength": 1 }, "times": { "type": "integer" } },
            "required": ["text"],
        }),
        output: text.clone(),
        output_complete: true,
        example: None,
        ..search.clone()
    };
    let mut rent = named("rent", per_call(2_000, Currency::MicroUsd));
    rent.repeat.safe = false;
    let echo = named("echo", per_call(2_000, Currency::MicroUsd));
    let tao = named("tao_echo", per_call(10_000, Currency::Rao));
    let free = named("free_echo", PriceRule::Free);
    vec![rent, echo, tao, free]
}

/// Compiles `text` against [`lock`].
pub(crate) fn compiled(text: &str) -> Compilation {
    compile(&Source { name: "test.orch", text }, lock(), &Options::default())
}

/// The diagnostics of `text` as a user sees them, without colour.
pub(crate) fn shown(text: &str) -> String {
    let compilation = compiled(text);
    render(&SourceFile { name: "test.orch", text }, &compilation.diagnostics, false)
}

/// The codes of the diagnostics of `text`, in its order.
pub(crate) fn codes(text: &str) -> Vec<&'static str> {
    compiled(text).diagnostics.iter().map(|diagnostic| diagnostic.code.as_str()).collect()
}
