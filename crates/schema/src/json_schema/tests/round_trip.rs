//! Types written as JSON Schema, and read back from it.

use proptest::prelude::*;

use super::*;
use crate::arbitrary::{typed, typed_value};

#[test]
fn wanted_schemas_share_what_is_used_twice() {
    let schema = json!({ "type": "object", "required": ["a", "b"], "properties": {
        "a": { "$ref": "#/$defs/Hit" }, "b": { "type": "array", "items": { "$ref": "#/$defs/Hit" }, "maxItems": 2 },
        "c": { "type": ["string", "null"], "description": "a note" },
    }, "$defs": { "Hit": { "type": "object", "required": ["x"], "properties": { "x": { "enum": ["p", "q"] } } } } });
    let (defs, ty) = from_json_schema(&schema, "Op").unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&to_json_schema(&ty, &defs)).unwrap(), @r##"
    {
      "title": "Op",
      "type": "object",
      "properties": {
        "a": {
          "$ref": "#/$defs/Hit"
        },
        "b": {
          "type": "array",
          "items": {
            "$ref": "#/$defs/Hit"
          },
          "maxItems": 2
        },
        "c": {
          "type": [
            "string",
            "null"
          ],
          "description": "a note"
        }
      },
      "required": [
        "a",
        "b"
      ],
      "additionalProperties": false,
      "$defs": {
        "Hit": {
          "title": "Hit",
          "type": "object",
          "properties": {
            "x": {
              "title": "HitX",
              "type": "string",
              "enum": [
                "p",
                "q"
              ]
            }
          },
          "required": [
            "x"
          ],
          "additionalProperties": false
        }
      }
    }
    "##);
}

/// Whether two types are the same but for the places of their definitions; recursive types are compared
/// by name.
fn same(a: &Type, a_defs: &TypeDefs, b: &Type, b_defs: &TypeDefs) -> bool {
    let sorted = |defs: &TypeDefs, ty: &Type| {
        let text = dump(defs, ty);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    sorted(a_defs, a) == sorted(b_defs, b)
}

fn holds_result(ty: &Type, defs: &TypeDefs) -> bool {
    match ty {
        Type::Result(..) => true,
        Type::List(inner, _) | Type::Map(inner) | Type::Optional(inner) => holds_result(inner, defs),
        _ => defs.iter().any(|(_, def)| match def {
            TypeDef::Record(def) => def.fields.iter().any(|field| direct_result(&field.ty)),
            TypeDef::Enum(def) => def.variants.iter().filter_map(|v| v.payload.as_ref()).any(direct_result),
        }),
    }
}

fn direct_result(ty: &Type) -> bool {
    match ty {
        Type::Result(..) => true,
        Type::List(inner, _) | Type::Map(inner) | Type::Optional(inner) => direct_result(inner),
        _ => false,
    }
}

/// Documents of the words of JSON Schema, mostly nonsense.
fn noise() -> impl Strategy<Value = Json> {
    let word = prop::sample::select(vec![
        "string",
        "integer",
        "number",
        "boolean",
        "array",
        "object",
        "null",
        "a",
        "uri",
        "#",
        "#/$defs/a",
    ]);
    let leaf = prop_oneof![
        any::<bool>().prop_map(Json::from),
        (-3_i64..9).prop_map(Json::from),
        Just(json!(0.5)),
        word.prop_map(Json::from),
        Just(Json::Null),
    ];
    let keyword = prop::sample::select(vec![
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
        "a",
        "minLength",
        "maxLength",
        "minimum",
        "exclusiveMaximum",
        "maxItems",
        "format",
        "title",
        "nullable",
        "additionalProperties",
        "discriminator",
        "propertyName",
        "contentEncoding",
        "x-extensible",
        "default",
    ]);
    leaf.prop_recursive(6, 60, 5, move |inner| {
        prop_oneof![
            3 => prop::collection::vec((keyword.clone(), inner.clone()), 0..5)
                .prop_map(|members| members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Json>()),
            1 => prop::collection::vec(inner, 0..4).prop_map(Json::from),
        ]
    })
}

proptest! {
    #[test]
    fn noise_is_refused_or_mapped_and_what_maps_can_be_written(schema in noise()) {
        if let Ok((defs, ty)) = from_json_schema(&schema, "Op") {
            prop_assert!(from_json_schema(&to_json_schema(&ty, &defs), "Op").is_ok(), "{schema}");
        }
    }

    #[test]
    fn types_survive_the_way_through_json_schema(typed in typed()) {
        // A result reads back as the enum it looks like.
        if holds_result(&typed.ty, &typed.defs) {
            return Ok(());
        }
        let schema = to_json_schema(&typed.ty, &typed.defs);
        let (defs, ty) = from_json_schema(&schema, "Op").map_err(|e| TestCaseError::fail(format!("{e} in {schema:#}")))?;
        prop_assert!(
            same(&typed.ty, &typed.defs, &ty, &defs),
            "{}\n=>\n{}\nby {schema:#}", dump(&typed.defs, &typed.ty), dump(&defs, &ty),
        );
    }

    #[test]
    fn values_fit_the_type_their_schema_maps_to((typed, value) in typed_value()) {
        let schema = to_json_schema(&typed.ty, &typed.defs);
        let (defs, ty) = from_json_schema(&schema, "Op").map_err(|e| TestCaseError::fail(format!("{e} in {schema:#}")))?;
        let text = crate::encode::to_json(&value, &typed.ty, &typed.defs).unwrap();
        let read = crate::decode::decode(text.as_bytes(), &ty, &defs);
        prop_assert!(read.is_ok(), "{read:?} {text} {schema:#}");
    }
}
