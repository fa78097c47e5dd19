//! A small Ledger that no change of the catalogue reaches, and plans compiled against it.

use plan_compiler::{Compilation, Options, Source, compile};
use plan_lang::{SourceFile, render};
use schema::hash::Hash;
use schema::lock::Lock;
use schema::operation::{CapabilityDescriptor, OperationDescriptor};

/// Branches, loops, sub-plans in sub-plans, fallbacks, an arm that another outweighs.
pub(crate) const COMPARE: &str = include_str!("../fixtures/compare.orch");

/// The lock of all fixtures.
pub(crate) fn lock() -> Lock {
    let ledger: serde_json::Value = serde_json::from_str(include_str!("../fixtures/ledger.json")).unwrap();
    let operations: Vec<OperationDescriptor> = serde_json::from_value(ledger["operations"].clone()).unwrap();
    let capabilities: Vec<CapabilityDescriptor> =
        serde_json::from_value(ledger["capabilities"].clone()).unwrap();
    Lock::pin(Hash::default(), None, operations, capabilities).unwrap()
}

/// A text without errors, compiled.
pub(crate) fn compiled(text: &str) -> Compilation {
    let compilation = compile(&Source { name: "test.orch", text }, &lock(), &Options::default());
    let shown = render(&SourceFile { name: "test.orch", text }, &compilation.diagnostics, false);
    assert!(!compilation.has_errors(), "{shown}");
    compilation
}
