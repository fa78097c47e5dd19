//! Any JSON as a schema: it maps, or it is refused with a code and a place; nothing panics or hangs.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use crate::import::{import, import_any};
use crate::model::{documents, models, schema};

const KEYWORDS: [&str; 44] = [
    "type",
    "properties",
    "required",
    "items",
    "oneOf",
    "anyOf",
    "allOf",
    "enum",
    "const",
    "$ref",
    "$defs",
    "not",
    "if",
    "then",
    "else",
    "minLength",
    "maxLength",
    "minimum",
    "exclusiveMaximum",
    "maxItems",
    "minItems",
    "format",
    "title",
    "nullable",
    "additionalProperties",
    "discriminator",
    "propertyName",
    "contentEncoding",
    "x-extensible",
    "default",
    "pattern",
    "patternProperties",
    "prefixItems",
    "contains",
    "minContains",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "propertyNames",
    "unevaluatedProperties",
    "multipleOf",
    "uniqueItems",
    "description",
    "kind",
];

fn scalar() -> impl Strategy<Value = Json> {
    let word = prop::sample::select(vec![
        "string",
        "integer",
        "number",
        "boolean",
        "array",
        "object",
        "null",
        "kind",
        "uri",
        "date-time",
        "base64",
        "int32",
        "#",
        "#/$defs/a",
        "#/properties/a",
        "#/anyOf/0",
        "#/items",
        "x.json",
        "^a",
        "(?=a)",
        "[",
    ]);
    prop_oneof![
        any::<bool>().prop_map(Json::from),
        (-3_i64..9).prop_map(Json::from),
        Just(json!(0.5)),
        Just(json!(1e300)),
        Just(json!(u64::MAX)),
        word.prop_map(Json::from),
        Just(Json::Null),
    ]
}

/// Documents of the words of JSON Schema, mostly nonsense.
fn nonsense() -> impl Strategy<Value = Json> {
    let keyword = prop::sample::select(KEYWORDS.to_vec());
    scalar().prop_recursive(6, 60, 5, move |inner| {
        prop_oneof![
            3 => prop::collection::vec((keyword.clone(), inner.clone()), 0..5)
                .prop_map(|members| members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Json>()),
            1 => prop::collection::vec(inner, 0..4).prop_map(Json::from),
        ]
    })
}

/// One thing about a document changed: a member gone, renamed or replaced, a part put in the place of another.
fn changed(document: &mut Json, at: &mut usize, with: &Json, how: u8) {
    if *at == 0 {
        *at = usize::MAX;
        match (how % 4, document) {
            (0, Json::Object(members)) if !members.is_empty() => {
                let key = members.keys().next().cloned().unwrap();
                members.shift_remove(&key);
            }
            (1, Json::Object(members)) if !members.is_empty() => {
                let key = members.keys().next_back().cloned().unwrap();
                let value = members.shift_remove(&key).unwrap();
                members.insert(KEYWORDS[usize::from(how) % KEYWORDS.len()].into(), value);
            }
            (2, Json::Array(items)) if !items.is_empty() => items.push(items[0].clone()),
            (_, document) => *document = with.clone(),
        }
        return;
    }
    *at -= 1;
    let mut each = |value: &mut Json| {
        if *at != usize::MAX {
            changed(value, at, with, how);
        }
    };
    match document {
        Json::Object(members) => Map::values_mut(members).for_each(&mut each),
        Json::Array(items) => items.iter_mut().for_each(&mut each),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn nonsense_maps_or_is_refused(schema in nonsense(), document in nonsense()) {
        import(&schema, &document);
    }

    #[test]
    fn schemas_with_a_mistake_map_or_are_refused(
        (mut schema, document) in models().prop_flat_map(|model| (Just(schema(&model)), documents(&model))),
        changes in prop::collection::vec((0_usize..60, nonsense(), any::<u8>()), 1..4),
    ) {
        for (mut at, with, how) in changes {
            changed(&mut schema, &mut at, &with, how);
        }
        import(&schema, &document);
    }
}

/// Schemas that once went wrong, or that are known to be hard.
#[test]
fn the_corpus_maps_or_is_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mapping/corpus");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let schema: Json = serde_json::from_str(&text).unwrap();
        import_any(&schema);
        files += 1;
    }
    assert!(files >= 10, "the corpus is there");
}
