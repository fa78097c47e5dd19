//! OpenAPI documents of subnets.

use openapi::{Document, Origin};
use schema::json_schema::OperationTypes;

/// Reads everything there is to read.
pub(crate) fn read(text: &[u8]) {
    let coded = |error: openapi::Error| assert!(error.code.starts_with("E125"), "{error}");
    let document = match Document::read(text) {
        Ok(document) => document,
        Err(error) => return coded(error),
    };
    let operations = document.operations().unwrap_or_else(|error| {
        coded(error);
        Vec::new()
    });
    for operation in &operations {
        document.request(operation).map(drop).unwrap_or_else(coded);
        document.answer(operation).map(drop).unwrap_or_else(coded);
    }
    let Ok(import) = document.import(&Origin { netuid: 1, ..Origin::default() }) else { return };
    assert_eq!(import.operations.len(), operations.len());
    for entry in import.operations.into_iter().filter_map(|operation| operation.entry.ok()) {
        // What becomes an entry can be typed.
        let types = OperationTypes::of(&entry.descriptor);
        assert!(types.is_ok(), "{types:?}");
    }
}
