//! OpenAPI documents of subnets.

use openapi::Document;

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
}
