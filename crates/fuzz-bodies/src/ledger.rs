//! What comes from outside beside texts: schemas of subnets, and lockfiles.

use schema::json_schema::OperationTypes;
use schema::lock::{Lock, LockBodies};
use schema::operation::OperationDescriptor;
use serde_json::{Value, json};

/// A schema maps to types, or is refused with a code.
pub fn schema(data: &[u8]) {
    let Ok(schema) = serde_json::from_slice::<Value>(data) else { return };
    for (input, output) in [(schema.clone(), json!({})), (json!({ "type": "object" }), schema)] {
        let entry = json!({
            "id": "sn1.op", "netuid": 1, "version": { "breaking": 1, "compatible": 0 }, "summary": "",
            "transport": { "kind": "other", "protocol": "grpc", "base_url": null }, "access": "open",
            "auth": { "kind": "none" }, "side_effects": "none", "repeat": { "safe": true, "costs_again": false },
            "input": input, "output": output, "output_complete": true, "sources": [],
        });
        let Ok(operation) = serde_json::from_value::<OperationDescriptor>(entry) else { continue };
        match OperationTypes::of(&operation) {
            Ok(types) => {
                // What was made can be shown.
                assert!(!types.types.show(&types.output).is_empty());
            }
            Err(error) => assert!(error.code.starts_with("E06"), "{error:?}"),
        }
    }
}

/// A lockfile is read as a whole, or refused with a code.
pub fn lock(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Err(error) = Lock::assemble(text, &LockBodies::new()) {
        assert!(error.code.starts_with("E06") && !error.message.is_empty(), "{error:?}");
    }
}
