//! What a file uses of the Ledger: what its lock must pin.

use std::collections::BTreeSet;

use plan_lang::ast::Item;
use schema::operation::OperationId;

use crate::resolve::{Namespace, namespace};

/// The operations and capabilities that a file names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Operations by id, sorted. Those that serve its capabilities are not among them.
    pub operations: Vec<OperationId>,
    /// Capabilities by name, sorted.
    pub capabilities: Vec<String>,
}

/// What the imports and adapters of `source` name. It needs no lock and reads as much as it can of a text
/// with mistakes.
///
/// ```
/// let needs = plan_compiler::needs("use sn22 { web_search as search }\nuse cap { generate }\n");
/// assert_eq!(needs.operations, ["sn22.web_search"]);
/// assert_eq!(needs.capabilities, ["generate"]);
/// ```
#[must_use]
pub fn needs(source: &str) -> Needs {
    let parse = plan_lang::parse(source);
    let mut operations = BTreeSet::new();
    let mut capabilities = BTreeSet::new();
    for item in &parse.ast().items {
        match item {
            Item::Use(item) => {
                let names = item.imports.iter().map(|import| &import.name).filter(|name| !name.is_missing());
                match namespace(&item.from) {
                    Namespace::Capabilities => capabilities.extend(names.map(|name| name.name.clone())),
                    Namespace::Subnet(subnet) => {
                        let operation_names = names.filter(|name| !name.is_upper());
                        operations.extend(operation_names.map(|name| format!("{subnet}.{}", name.name)));
                    }
                    Namespace::Unknown => {}
                }
            }
            Item::Adapter(item) if !item.operation.is_missing() => {
                operations.insert(item.operation.dotted());
            }
            _ => {}
        }
    }
    Needs { operations: operations.into_iter().collect(), capabilities: capabilities.into_iter().collect() }
}
