//! Every schema of the catalogue against the types it maps to.

use ledger_service::Catalog;
use schema::decode::decode;
use schema::json_schema::OperationTypes;
use schema::types::Type;

#[test]
fn every_operation_maps_to_types() {
    let catalog = Catalog::embedded().unwrap();
    let failed: Vec<String> = catalog
        .operations
        .iter()
        .filter_map(|operation| Some(format!("{}: {}", operation.id, OperationTypes::of(operation).err()?)))
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn every_example_fits_its_types() {
    let catalog = Catalog::embedded().unwrap();
    let (mut inputs, mut outputs, mut failed) = (0, 0, Vec::new());
    for operation in &catalog.operations {
        let Some(example) = &operation.example else { continue };
        let types = OperationTypes::of(operation).unwrap();
        let input = serde_json::to_vec(&example.input).unwrap();
        match decode(&input, &Type::Named(types.input), &types.defs) {
            Ok(_) => inputs += 1,
            Err(error) => failed.push(format!("{} input: {error}", operation.id)),
        }
        if operation.output_complete {
            let output = serde_json::to_vec(&example.output).unwrap();
            match decode(&output, &types.output, &types.defs) {
                Ok(_) => outputs += 1,
                Err(error) => failed.push(format!("{} output: {error}", operation.id)),
            }
        } else {
            assert_eq!(types.output, Type::Json, "{}", operation.id);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
    // Every operation with an answer to show has an example; so many of those have a complete schema.
    assert_eq!((inputs, outputs), (89, 85));
}
