//! What is valid by a schema is a value of its type and keeps its rules.

use proptest::prelude::*;
use schema::boundary::Checks;
use schema::decode::decode;
use schema::encode::to_json;
use schema::json_schema::{from_json_schema, to_json_schema};
use serde_json::Value as Json;

use crate::model::{documents, models, schema};

fn has_null_member(document: &Json) -> bool {
    match document {
        Json::Object(members) => members.values().any(|value| value.is_null() || has_null_member(value)),
        Json::Array(items) => items.iter().any(has_null_member),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn valid_documents_are_values_and_come_back(
        (schema, documents) in models().prop_flat_map(|model| {
            (Just(schema(&model)), prop::collection::vec(documents(&model), 3))
        })
    ) {
        let mapped = from_json_schema(&schema, "Op");
        // Records that nothing tells apart can have fields that have no type in common.
        if mapped.as_ref().is_err_and(|error| error.code == "E0612") {
            return Ok(());
        }
        let (defs, ty) = mapped.map_err(|error| TestCaseError::fail(format!("{error} in {schema:#}")))?;
        let checks = Checks::of(&schema).unwrap();
        for document in documents {
            let value = decode(document.to_string().as_bytes(), &ty, &defs);
            prop_assert!(value.is_ok(), "{value:?}\n{document}\n{schema:#}");
            let kept = checks.check(&document);
            prop_assert!(kept.is_ok(), "{kept:?}\n{document}\n{schema:#}");
            // Written and read again it is the same value, and still valid, but for the absent field and `null`,
            // which are one value here and two where a schema requires a field that may be `null`.
            let value = value.unwrap();
            let text = to_json(&value, &ty, &defs).unwrap();
            prop_assert_eq!(decode(text.as_bytes(), &ty, &defs).unwrap(), value);
            let written: Json = serde_json::from_str(&text).unwrap();
            let kept = checks.check(&written);
            prop_assert!(kept.is_ok() || has_null_member(&document), "{kept:?}\n{document}\n{written}\n{schema:#}");
            // What clients are told of the type admits it, too.
            let told = from_json_schema(&to_json_schema(&ty, &defs), "Op");
            let (told_defs, told) = told.map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert!(decode(text.as_bytes(), &told, &told_defs).is_ok(), "{text}\n{schema:#}");
        }
    }
}
