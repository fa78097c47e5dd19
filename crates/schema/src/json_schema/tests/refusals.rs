//! Schemas that are not mapped: what is wrong with them and where, and what is too large.

use super::*;

#[test]
fn what_cannot_be_mapped_is_refused_with_code_and_place() {
    let inside = |schema: Json| json!({ "type": "object", "properties": { "a/b": schema } });
    for (schema, wanted) in [
        (json!(false), "E0610 #"),
        (json!(3), "E0610 #"),
        (inside(json!({ "type": "text" })), "E0610 #/properties/a~1b"),
        (inside(json!({ "type": "string", "minLength": "x" })), "E0610 #/properties/a~1b"),
        (inside(json!({ "type": "string", "minLength": 3, "maxLength": 2 })), "E0610 #/properties/a~1b"),
        (inside(json!({ "type": "integer", "minimum": 3, "maximum": 2 })), "E0610 #/properties/a~1b"),
        (inside(json!({ "type": "number", "exclusiveMinimum": true })), "E0610 #/properties/a~1b"),
        (inside(json!({ "type": "string", "enum": [1] })), "E0610 #/properties/a~1b"),
        (inside(json!({ "type": "string", "maxLenght": 3 })), "E0611 #/properties/a~1b"),
        (
            inside(
                json!({ "oneOf": [{ "type": "object", "required": ["a"] }, { "type": "object", "additionalProperties": { "type": "integer" } }] }),
            ),
            "E0612 #/properties/a~1b",
        ),
        (
            inside(
                json!({ "oneOf": [{ "type": "object", "required": ["a"] }, { "type": "object", "required": ["b", "c"] }], "discriminator": { "propertyName": "a" } }),
            ),
            "E0612 #/properties/a~1b",
        ),
        (inside(json!({ "type": "object", "patternProperties": [] })), "E0610 #/properties/a~1b"),
        (inside(json!({ "type": "array", "prefixItems": {} })), "E0610 #/properties/a~1b"),
        (inside(json!({ "type": "object", "additionalProperties": 3 })), "E0610 #/properties/a~1b"),
        (
            inside(json!({ "type": "object", "required": ["a"], "additionalProperties": 3 })),
            "E0610 #/properties/a~1b",
        ),
        (inside(json!({ "not": { "tpye": "string" } })), "E0611 #/properties/a~1b/not"),
        (inside(json!({ "pattern": 3 })), "E0610 #/properties/a~1b"),
        (inside(json!({ "$dynamicRef": "#node" })), "E0613 #/properties/a~1b"),
        (inside(json!({ "$recursiveRef": "#" })), "E0613 #/properties/a~1b"),
        (inside(json!({ "oneOf": [{}], "anyOf": [{}] })), "E0613 #/properties/a~1b"),
        (inside(json!({ "$ref": "other.json#/x" })), "E0614 #/properties/a~1b"),
        (inside(json!({ "$ref": "#/$defs/None" })), "E0614 #/properties/a~1b"),
        (inside(json!({ "$ref": "#anchor" })), "E0614 #/properties/a~1b"),
        (json!({ "$ref": "#" }), "E0614 #"),
        (json!({ "type": "array", "items": { "$ref": "#" } }), "E0614 #/items"),
        (json!({ "allOf": [{ "$ref": "#" }, { "type": "object" }] }), "E0614 #/allOf/0"),
        (
            inside(json!({ "allOf": [{ "type": "string" }, { "type": "integer" }] })),
            "E0615 #/properties/a~1b",
        ),
        (
            inside(json!({ "allOf": [{ "format": "uri" }, { "format": "date-time" }] })),
            "E0615 #/properties/a~1b",
        ),
    ] {
        assert_eq!(code(schema.clone()), wanted, "{schema}");
    }
}

#[test]
fn limits_hold_at_n_and_not_at_n_plus_1() {
    let nested = |depth: usize| {
        (1..depth).fold(json!({ "type": "array" }), |items, _| json!({ "type": "array", "items": items }))
    };
    assert!(from_json_schema(&nested(SCHEMA_DEPTH_MAX), "Op").is_ok());
    assert_eq!(from_json_schema(&nested(SCHEMA_DEPTH_MAX + 1), "Op").unwrap_err().code, SCHEMA_TOO_LARGE);

    let record = json!({ "type": "object", "required": ["a"] });
    let of = |count: usize, schema: &Json| {
        let properties: serde_json::Map<_, _> =
            (0..count).map(|n| (format!("p{n}"), schema.clone())).collect();
        json!({ "type": "object", "properties": properties })
    };
    // The document itself, two records in it, and theirs.
    let many = |count: usize| {
        let half = (count - 3) / 2;
        json!({ "type": "object", "properties": { "a": of(half, &record), "b": of(count - 3 - half, &record) } })
    };
    assert!(from_json_schema(&many(SCHEMA_TYPES_MAX), "Op").is_ok());
    assert_eq!(from_json_schema(&many(SCHEMA_TYPES_MAX + 1), "Op").unwrap_err().code, SCHEMA_TOO_LARGE);

    let wide = |count: usize| of(count, &json!({ "type": "integer" }));
    assert!(from_json_schema(&wide(RECORD_FIELDS_MAX), "Op").is_ok());
    assert_eq!(from_json_schema(&wide(RECORD_FIELDS_MAX + 1), "Op").unwrap_err().code, SCHEMA_TOO_LARGE);
    let either =
        |count: usize| json!({ "anyOf": [wide(count - 1), { "type": "object", "required": ["x"] }] });
    assert!(from_json_schema(&either(RECORD_FIELDS_MAX), "Op").is_ok());
    assert_eq!(from_json_schema(&either(RECORD_FIELDS_MAX + 1), "Op").unwrap_err().code, SCHEMA_TOO_LARGE);

    let union = |count: usize| json!({ "anyOf": vec![json!({ "type": "string" }); count] });
    assert!(from_json_schema(&union(ENUM_VARIANTS_MAX), "Op").is_ok());
    assert_eq!(from_json_schema(&union(ENUM_VARIANTS_MAX + 1), "Op").unwrap_err().code, SCHEMA_TOO_LARGE);

    let literals = |count: usize| json!({ "enum": (0..count).collect::<Vec<_>>() });
    assert!(from_json_schema(&literals(ENUM_VARIANTS_MAX), "Op").is_ok());
    assert_eq!(from_json_schema(&literals(ENUM_VARIANTS_MAX + 1), "Op").unwrap_err().code, SCHEMA_TOO_LARGE);

    // Chains and circles of references, through every construct that follows them.
    for link in [
        |next: Json| json!({ "$ref": next }),
        |next: Json| json!({ "allOf": [{ "$ref": next }, { "type": "object" }] }),
        |next: Json| json!({ "anyOf": [{ "$ref": next }, { "type": "string" }] }),
        |next: Json| json!({ "type": "object", "properties": { "x": { "$ref": next, "minLength": 1 } } }),
    ] {
        for (length, last) in [(20_000, "#/$defs/L1"), (20_000, "#/$defs/L0"), (1, "#/$defs/L0")] {
            let target =
                |level: usize| if level == length { last.to_owned() } else { format!("#/$defs/L{level}") };
            let definitions: serde_json::Map<_, _> =
                (0..length).map(|level| (format!("L{level}"), link(target(level + 1).into()))).collect();
            let chain = json!({ "$ref": "#/$defs/L0", "$defs": definitions });
            let error = from_json_schema(&chain, "Op").err().map(|error| error.code);
            assert!(matches!(error, Some(SCHEMA_TOO_LARGE | BAD_REFERENCE)), "{length} {error:?}");
        }
    }

    // Thirty levels, each merging the next one twice: 2^30 schemas, were they all visited.
    let mut definitions = serde_json::Map::new();
    for level in 0..30 {
        let next = json!({ "$ref": format!("#/$defs/L{}", level + 1) });
        definitions.insert(format!("L{level}"), json!({ "allOf": [next, next] }));
    }
    definitions.insert("L30".into(), json!({ "type": "object" }));
    let bomb = json!({ "$ref": "#/$defs/L0", "$defs": definitions });
    assert_eq!(from_json_schema(&bomb, "Op").unwrap_err().code, SCHEMA_TOO_LARGE);
}
