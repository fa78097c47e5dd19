//! The error pages of this crate: each code has one, and the schemas on it do what it says.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::path::Path;

use schema::json_schema::{OperationTypes, SchemaError};
use schema::operation::OperationDescriptor;
use serde_json::{Value, json};

fn page(code: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors");
    std::fs::read_to_string(folder.join(format!("{code}.md")))
        .unwrap_or_else(|_| panic!("{code} has no page"))
}

/// The JSON in fences with this info string.
fn snippets(page: &str, info: &str) -> Vec<Value> {
    let fence = format!("```{info}\n");
    let bodies = page.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap());
    bodies.map(|body| serde_json::from_str(body).unwrap()).collect()
}

fn map(schema: &Value, input: bool) -> Result<OperationTypes, SchemaError> {
    let (input, output) = if input { (schema.clone(), json!({})) } else { (json!({}), schema.clone()) };
    let operation: OperationDescriptor = serde_json::from_value(json!({
        "id": "sn1.op", "netuid": 1, "version": { "breaking": 1, "compatible": 0 }, "summary": "",
        "transport": { "kind": "other", "protocol": "grpc", "base_url": null }, "access": "open",
        "auth": { "kind": "none" }, "side_effects": "none", "repeat": { "safe": true, "costs_again": false },
        "input": input, "output": output, "output_complete": true, "sources": [],
    }))
    .unwrap();
    OperationTypes::of(&operation)
}

#[test]
fn schemas_on_the_pages_fail_and_map_as_they_say() {
    for number in 610..=617 {
        let code = format!("E0{number}");
        let page = page(&code);
        assert!(page.starts_with(&format!("# {code}: ")), "{code} names itself");
        let (failing, mapping) = (snippets(&page, "json fails"), snippets(&page, "json ok"));
        // The limits on page E0616 would take pages of their own to reach.
        assert_eq!((failing.len(), mapping.len()), if number == 616 { (0, 0) } else { (1, 1) }, "{code}");
        for schema in failing {
            assert_eq!(map(&schema, number == 617).unwrap_err().code, code);
        }
        for schema in mapping {
            map(&schema, number == 617).unwrap();
        }
    }
}

#[test]
fn every_code_has_a_page() {
    for code in (601..=607).map(|number| format!("E0{number}")).chain((1120..=1124).map(|n| format!("E{n}")))
    {
        let page = page(&code);
        assert!(page.starts_with(&format!("# {code}: ")) && page.contains("## What to do"), "{code}");
    }
}
