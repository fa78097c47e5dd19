//! The levels of compatibility as laws, over generated schemas and small changes of them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "../mapping/model.rs"]
mod model;
mod vary;

use proptest::prelude::*;
use schema::boundary::Checks;
use schema::compat::{Level, operation};
use schema::decode::decode;
use schema::encode::to_json;
use schema::json_schema::OperationTypes;
use schema::operation::OperationDescriptor;
use schema::types::Type;
use serde_json::{Value as Json, json};

use model::{Model, documents, models, schema};
use vary::{draw, vary};

fn entry(input: Json, output: Json) -> OperationDescriptor {
    serde_json::from_value(json!({
        "id": "sn1.op", "netuid": 1, "version": { "breaking": 1, "compatible": 0 }, "summary": "",
        "transport": { "kind": "other", "protocol": "grpc", "base_url": null }, "access": "open",
        "auth": { "kind": "none" }, "side_effects": "none", "repeat": { "safe": true, "costs_again": false },
        "input": input, "output": output, "output_complete": true, "sources": [],
    }))
    .unwrap()
}

/// The model as the answer of an operation.
fn answering(model: &Model) -> OperationDescriptor {
    entry(json!({ "type": "object" }), schema(model))
}

/// The model as the one parameter of an operation.
fn asking(model: &Model) -> OperationDescriptor {
    let mut schema = schema(model);
    let definitions = schema.as_object_mut().unwrap().shift_remove("$defs").unwrap();
    let input =
        json!({ "type": "object", "properties": { "p": schema }, "required": ["p"], "$defs": definitions });
    entry(input, json!({}))
}

/// A model, two steps of change, and documents of each.
fn steps() -> impl Strategy<Value = ([Model; 3], [Vec<Json>; 3])> {
    (models(), any::<u64>()).prop_flat_map(|(first, seed)| {
        let mut draw = draw(seed);
        let second = vary(&first, &mut draw);
        let third = vary(&second, &mut draw);
        let of = |model: &Model| prop::collection::vec(documents(model), 4);
        let documents = [of(&first), of(&second), of(&third)];
        (Just([first, second, third]), documents)
    })
}

/// Whether a document is an answer of the operation, or with `written` one that a plan could have written as such.
fn reads(document: &Json, operation: &OperationDescriptor) -> bool {
    let types = OperationTypes::of(operation).unwrap();
    decode(document.to_string().as_bytes(), &types.output, &types.defs).is_ok()
        && Checks::of(&operation.output).unwrap().check(document).is_ok()
}

/// What the runtime keeps of an answer: what its type names.
fn recorded(document: &Json, operation: &OperationDescriptor) -> Json {
    let types = OperationTypes::of(operation).unwrap();
    let value = decode(document.to_string().as_bytes(), &types.output, &types.defs).unwrap();
    serde_json::from_str(&to_json(&value, &types.output, &types.defs).unwrap()).unwrap()
}

/// Whether a document is an argument of the operation.
fn takes(document: &Json, operation: &OperationDescriptor) -> bool {
    let types = OperationTypes::of(operation).unwrap();
    let input = json!({ "p": document });
    decode(input.to_string().as_bytes(), &Type::Named(types.input), &types.defs).is_ok()
        && Checks::of(&operation.input).unwrap().check(&input).is_ok()
}

fn maps(operation: &OperationDescriptor) -> bool {
    OperationTypes::of(operation).is_ok()
}

/// An absent field and `null` are one value to plans, and two to a rule that asks for the field.
fn has_null_member(document: &Json) -> bool {
    match document {
        Json::Object(members) => members.values().any(|value| value.is_null() || has_null_member(value)),
        Json::Array(items) => items.iter().any(has_null_member),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_version_is_compatible_with_itself(model in models()) {
        for operation_of in [answering, asking] {
            let entry = operation_of(&model);
            prop_assert_eq!(operation(&entry, &entry).level, Level::None);
        }
    }

    #[test]
    fn plans_read_the_answers_of_versions_that_do_not_break((models, documents) in steps()) {
        for (old, new) in [(0, 1), (1, 0), (0, 2), (2, 0)] {
            let (before, after) = (answering(&models[old]), answering(&models[new]));
            if !maps(&before) || !maps(&after) {
                continue;
            }
            let found = operation(&before, &after);
            if found.level == Level::Breaking {
                continue;
            }
            for document in &documents[new] {
                prop_assert!(
                    reads(document, &before),
                    "{document}\n{:#}\n{:#}\n{:?}", before.output, after.output, found
                );
            }
            // Answers from before are read where the level promises it.
            if found.level == Level::NeedsRecompile {
                continue;
            }
            for document in documents[old].iter().filter(|document| !has_null_member(document)) {
                let recorded = recorded(document, &before);
                prop_assert!(
                    reads(&recorded, &after),
                    "{recorded}\n{:#}\n{:#}\n{:?}", before.output, after.output, found
                );
            }
        }
    }

    #[test]
    fn versions_that_do_not_break_take_the_arguments_of_plans((models, documents) in steps()) {
        for (old, new) in [(0, 1), (1, 0), (0, 2), (2, 0)] {
            let (before, after) = (asking(&models[old]), asking(&models[new]));
            if !maps(&before) || !maps(&after) || operation(&before, &after).level == Level::Breaking {
                continue;
            }
            let types = OperationTypes::of(&before).unwrap();
            for document in documents[old].iter().filter(|document| !has_null_member(document)) {
                // What a plan sends is written by the type, and has no members of its own.
                let input = json!({ "p": document }).to_string();
                let value = decode(input.as_bytes(), &Type::Named(types.input), &types.defs).unwrap();
                let sent: Json =
                    serde_json::from_str(&to_json(&value, &Type::Named(types.input), &types.defs).unwrap()).unwrap();
                let sent = sent.get("p").cloned().unwrap_or_default();
                prop_assert!(
                    takes(&sent, &after),
                    "{sent}\n{:#}\n{:#}\n{:?}", before.input, after.input, operation(&before, &after)
                );
            }
        }
    }

    #[test]
    fn steps_that_do_not_break_lead_to_versions_that_do_not_break((models, _) in steps()) {
        for operation_of in [answering, asking] {
            let [a, b, c] = [&models[0], &models[1], &models[2]].map(operation_of);
            if ![&a, &b, &c].iter().all(|entry| maps(entry)) {
                continue;
            }
            let level = |from, to| operation(from, to).level;
            let worst = level(&a, &b).max(level(&b, &c));
            prop_assert!(
                level(&a, &c) <= worst,
                "{:?}\n{:#}\n{:#}\n{:#}\n{:#}\n{:#}\n{:#}",
                operation(&a, &c), a.input, a.output, b.input, b.output, c.input, c.output
            );
        }
    }
}

/// The laws would hold if everything were said to break: all levels occur.
#[test]
fn the_changes_that_the_laws_are_tried_on_are_of_every_level() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..600 {
        let (models, _) = steps().new_tree(&mut runner).unwrap().current();
        for operation_of in [answering, asking] {
            let (before, after) = (operation_of(&models[0]), operation_of(&models[1]));
            if maps(&before) && maps(&after) {
                *counts.entry(operation(&before, &after).level).or_insert(0) += 1;
            }
        }
    }
    assert!(Level::ALL.iter().all(|level| counts.get(level).is_some_and(|count| *count > 20)), "{counts:?}");
}
