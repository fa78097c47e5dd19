//! Schemas of subnets, as types and as checks of what types cannot say.

use schema::boundary::Checks;
use schema::decode::decode;
use schema::json_schema::{OperationTypes, from_json_schema, to_json_schema};
use serde_json::{Value as Json, json};

/// [`import`] with a few documents that often fit.
pub(crate) fn import_any(schema: &Json) {
    for document in [json!(null), json!({}), json!([{}, "a", 1]), json!({ "kind": "a", "a": { "a": [] } })] {
        import(schema, &document);
    }
}

/// Everything that is done with a schema; `document` is any JSON.
pub(crate) fn import(schema: &Json, document: &Json) {
    match from_json_schema(schema, "Op") {
        Ok((defs, ty)) => {
            let told = to_json_schema(&ty, &defs);
            assert!(from_json_schema(&told, "Op").is_ok(), "{schema}\n{told}");
            if let Err(error) = decode(document.to_string().as_bytes(), &ty, &defs) {
                assert!(error.code.starts_with("E112") && error.path.starts_with('$'), "{error}");
            }
        }
        Err(error) => assert!(error.code.starts_with("E06") && error.pointer.starts_with('#'), "{error}"),
    }
    match Checks::of(schema) {
        Ok(checks) => {
            if let Err(error) = checks.check(document) {
                assert!(error.code.starts_with("E112") && error.path.starts_with('$'), "{error}");
            }
            assert!(checks.unchecked().iter().all(|(place, _)| place.starts_with('#')));
        }
        Err(error) => assert!(error.code.starts_with("E06") && error.pointer.starts_with('#'), "{error}"),
    }
    if let Err(error) = OperationTypes::from_schemas("op", schema, Some(schema)) {
        let place = error.pointer.strip_prefix("input").or_else(|| error.pointer.strip_prefix("output"));
        assert!(
            error.code.starts_with("E06") && place.is_some_and(|place| place.starts_with('#')),
            "{error}"
        );
    }
}
