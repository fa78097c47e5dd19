//! The project's own catalogue: its schemas map, and its examples are values of the mapped types.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use schema::decode::decode;
use schema::json_schema::OperationTypes;
use schema::operation::{ExampleProvenance, OperationDescriptor, ResponseBody, Transport};
use schema::types::{Type, TypeDef};

/// Share of operations with a complete answer schema whose schemas must map.
const MAPPED_SHARE_MIN: f64 = 0.95;

fn operations() -> Vec<OperationDescriptor> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog/operations");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |file: &std::path::PathBuf| -> Vec<OperationDescriptor> {
        let text = std::fs::read_to_string(file).unwrap();
        let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
        serde_json::from_value(document.get_mut("operations").unwrap().take()).unwrap()
    };
    files.iter().flat_map(read).collect()
}

#[test]
fn complete_schemas_map_and_examples_decode() {
    let (mut complete, mut mapped, mut records, mut examples) = (0_u32, 0_u32, 0_u32, 0_u32);
    let mut problems = Vec::new();
    let operations = operations();
    for operation in &operations {
        let id = &operation.id;
        complete += u32::from(operation.output_complete);
        let types = match OperationTypes::of(operation) {
            Ok(types) => types,
            Err(error) => {
                println!("{id}: {error}");
                assert!(
                    operation.output_complete,
                    "{id}: an incomplete answer is `Json`, so only inputs fail"
                );
                continue;
            }
        };
        mapped += u32::from(operation.output_complete);
        let is_record = |def: &TypeDef| matches!(def, TypeDef::Record(_));
        records += u32::try_from(types.defs.iter().filter(|(_, def)| is_record(def)).count()).unwrap();
        let Some(example) = &operation.example else { continue };
        examples += 1;
        let input = decode(example.input.to_string().as_bytes(), &Type::Named(types.input), &types.defs);
        if let Err(error) = input {
            problems.push(format!("{id} input: {error}"));
        }
        let is_text =
            matches!(&operation.transport, Transport::Http(http) if http.response != ResponseBody::Json);
        let output = decode(example.output.to_string().as_bytes(), &types.output, &types.defs);
        if let (Err(error), false) = (output, is_text && example.output.is_null()) {
            let made_up = example.provenance == ExampleProvenance::Constructed;
            problems.push(format!("{id} output (made up: {made_up}): {error}"));
        }
    }
    println!(
        "{} operations, {complete} complete, {mapped} of them mapped, {records} records, {examples} examples",
        operations.len()
    );
    assert_eq!(problems, Vec::<String>::new());
    assert!(f64::from(mapped) >= MAPPED_SHARE_MIN * f64::from(complete));
    assert!(complete > 50, "the catalogue is there");
}
