//! Every limit, at its edge and one past it.

use openapi::{
    CONTRACT_VALUES_MAX, DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX, DOCUMENT_VALUES_MAX, Document,
    OPERATIONS_MAX,
};
use serde_json::{Map, Value, json};

fn code(text: &str) -> Option<&'static str> {
    Document::read(text.as_bytes()).err().map(|error| error.code)
}

#[test]
fn documents_have_a_length_a_depth_and_a_number_of_values() {
    let head = "{\"openapi\":\"3.1.0\",\"x\":";
    let padded = |bytes: usize| format!("{head}1}}{}", " ".repeat(bytes - head.len() - 2));
    assert_eq!(code(&padded(DOCUMENT_BYTES_MAX)), None);
    assert_eq!(code(&padded(DOCUMENT_BYTES_MAX + 1)), Some("E1251"));
    // The document itself is a level.
    let nested = |depth: usize| format!("{head}{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert_eq!(code(&nested(DOCUMENT_DEPTH_MAX)), None);
    assert_eq!(code(&nested(DOCUMENT_DEPTH_MAX + 1)), Some("E1251"));
    // The document, its version, the list, and what is in it.
    let many = |values: usize| format!("{head}[{}0]}}", "0,".repeat(values - 4));
    assert_eq!(code(&many(DOCUMENT_VALUES_MAX)), None);
    assert_eq!(code(&many(DOCUMENT_VALUES_MAX + 1)), Some("E1251"));
    // The document, its version, the anchored list twice (where it stands and as it is kept), the list of its
    // repetitions, and what fills up the rest.
    let many = |values: usize| {
        let (block, rest) = (1_000, values - 2 - 2 * 1_000 - 1);
        let (repeated, left) = (rest / block, rest % block);
        let list = "0,".repeat(block - 1);
        let filled = format!("{}{}", "*a,".repeat(repeated), "0,".repeat(left));
        format!("openapi: 3.1.0\na: &a [{list}]\nx: [{filled}]\n")
    };
    assert_eq!(code(&many(DOCUMENT_VALUES_MAX)), None);
    assert_eq!(code(&many(DOCUMENT_VALUES_MAX + 1)), Some("E1251"));
}

#[test]
fn a_document_has_a_number_of_operations() {
    let many = |count: usize| {
        let paths: Map<String, Value> =
            (0..count).map(|n| (format!("/p{n}"), json!({ "get": {} }))).collect();
        let document = json!({ "openapi": "3.1.0", "paths": paths }).to_string();
        Document::read(document.as_bytes())
            .unwrap()
            .operations()
            .map(|all| all.len())
            .map_err(|error| error.code)
    };
    assert_eq!(many(OPERATIONS_MAX), Ok(OPERATIONS_MAX));
    assert_eq!(many(OPERATIONS_MAX + 1), Err("E1251"));
}

#[test]
fn the_schemas_of_an_operation_have_a_number_of_values() {
    let with = |values: usize| {
        let schema = json!({ "enum": (0..values).collect::<Vec<_>>() });
        let responses = json!({ "200": { "content": { "application/json": { "schema": schema } } } });
        let document =
            json!({ "openapi": "3.1.0", "paths": { "/a": { "get": { "responses": responses } } } });
        let document = Document::read(document.to_string().as_bytes()).unwrap();
        let operations = document.operations().unwrap();
        document.answer(operations.first().unwrap()).map(drop).map_err(|error| error.code)
    };
    // The schema counts for itself and its one keyword, the list for itself.
    let rest = 4;
    assert_eq!(with(CONTRACT_VALUES_MAX - rest), Ok(()));
    assert_eq!(with(CONTRACT_VALUES_MAX - rest + 1), Err("E1251"));
}
