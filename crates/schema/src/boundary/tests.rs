use serde_json::json;

use super::*;

/// What is wrong with a value, or nothing.
fn broken(schema: &Json, value: &Json) -> Option<String> {
    let checks = Checks::of(schema).unwrap_or_else(|error| panic!("{error}"));
    checks.check(value).err().map(|error| {
        assert_eq!(error.code, RULE_BROKEN);
        error.to_string()
    })
}

#[test]
fn each_rule_is_kept_and_broken() {
    for (schema, good, bad, why) in [
        (
            json!({ "type": "string", "pattern": "^a" }),
            json!("ab"),
            json!("b"),
            "the text does not match the pattern `^a`, at $",
        ),
        (
            json!({ "type": "string", "format": "ipv4" }),
            json!("1.2.3.4"),
            json!("x"),
            "the text has not the form `ipv4`, at $",
        ),
        (json!({ "type": "integer", "multipleOf": 3 }), json!(9), json!(10), "10 is no multiple of 3, at $"),
        (
            json!({ "type": "number", "multipleOf": 0.1 }),
            json!(0.3),
            json!(0.35),
            "0.35 is no multiple of 0.1, at $",
        ),
        (
            json!({ "type": "array", "uniqueItems": true }),
            json!([1, "1", [1]]),
            json!([1, 2, 1.0]),
            "elements 0 and 2 are the same, at $",
        ),
        (
            json!({ "type": "object", "minProperties": 1 }),
            json!({ "a": 1 }),
            json!({}),
            "it has 0 members, which is less than 1, at $",
        ),
        (
            json!({ "type": "object", "maxProperties": 1 }),
            json!({ "a": 1 }),
            json!({ "a": 1, "b": 1 }),
            "it has 2 members, which is more than 1, at $",
        ),
        (
            json!({ "propertyNames": { "maxLength": 2 } }),
            json!({ "ab": 1 }),
            json!({ "abc": 1 }),
            "the key `abc` is not what its schema admits, at $",
        ),
        (
            json!({ "dependentRequired": { "a": ["b"] } }),
            json!({ "a": null }),
            json!({ "a": 1 }),
            "with `a` goes `b`, which is missing, at $",
        ),
        (
            json!({ "dependencies": { "a": ["b"] } }),
            json!({ "b": 1 }),
            json!({ "a": 1 }),
            "with `a` goes `b`, which is missing, at $",
        ),
        (
            json!({ "dependentSchemas": { "a": { "required": ["b"] } } }),
            json!({ "a": 1, "b": 2 }),
            json!({ "a": 1 }),
            "it is not what its schema demands of one with `a`, at $",
        ),
        (
            json!({ "dependencies": { "a": { "required": ["b"] } } }),
            json!({ "a": 1, "b": 2 }),
            json!({ "a": 1 }),
            "it is not what its schema demands of one with `a`, at $",
        ),
        (
            json!({ "type": "string", "not": { "enum": ["x"] } }),
            json!("y"),
            json!("x"),
            "it is what `not` of its schema rules out, at $",
        ),
        (
            json!({ "if": { "properties": { "k": { "const": "a" } }, "required": ["k"] }, "then": { "required": ["b"] }, "else": { "required": ["c"] } }),
            json!({ "k": "a", "b": 1 }),
            json!({ "k": "a" }),
            "it is not what `then` of its schema demands, at $",
        ),
        (
            json!({ "if": { "required": ["k"] }, "else": { "required": ["c"] } }),
            json!({ "c": 1 }),
            json!({}),
            "it is not what `else` of its schema demands, at $",
        ),
        (
            json!({ "type": "array", "contains": { "minimum": 5 } }),
            json!([1, 5]),
            json!([1]),
            "0 elements are what `contains` of its schema says, which is less than 1, at $",
        ),
        (
            json!({ "type": "array", "contains": { "const": 1 }, "minContains": 0, "maxContains": 1 }),
            json!([]),
            json!([1, 1]),
            "2 elements are what `contains` of its schema says, which is more than 1, at $",
        ),
        (
            json!({ "prefixItems": [{ "type": "string" }, { "type": "integer" }], "items": { "type": "boolean" } }),
            json!(["a", 1, true]),
            json!(["a", 1, 2]),
            "element 2 is not what its place in the schema demands, at $",
        ),
        (
            json!({ "items": [{ "type": "string" }], "additionalItems": { "type": "integer" } }),
            json!(["a", 1]),
            json!([1, 1]),
            "element 0 is not what its place in the schema demands, at $",
        ),
        (
            json!({ "patternProperties": { "^x-": { "type": "string" } } }),
            json!({ "x-a": "b", "c": 1 }),
            json!({ "x-a": 1 }),
            "the value of `x-a` is not what its schema admits under such a key, at $",
        ),
        (
            json!({ "patternProperties": { "^x-": {} }, "additionalProperties": { "type": "string" } }),
            json!({ "x-a": 1, "c": "d" }),
            json!({ "c": 1 }),
            "the value of `c` is not what its schema admits, at $",
        ),
        (
            json!({ "const": { "a": [1] } }),
            json!({ "a": [1.0] }),
            json!({ "a": [2] }),
            "it is none of the values that its schema lists, at $",
        ),
        (
            json!({ "enum": [[1], "a"] }),
            json!("a"),
            json!([2]),
            "it is none of the values that its schema lists, at $",
        ),
    ] {
        assert_eq!(broken(&schema, &good), None, "{schema}");
        assert_eq!(broken(&schema, &bad).as_deref(), Some(why), "{schema}");
    }
}

#[test]
fn rules_are_found_wherever_a_value_goes() {
    let schema = json!({
        "type": "object",
        "properties": {
            "list": { "type": "array", "items": { "$ref": "#/$defs/Code" } },
            "map": { "type": "object", "additionalProperties": { "$ref": "#/$defs/Code" } },
            "both": { "allOf": [{ "type": "string" }, { "$ref": "#/$defs/Code" }] },
            "one": { "oneOf": [{ "$ref": "#/$defs/Code" }, { "type": "integer" }] },
            "next": { "$ref": "#" },
        },
        "$defs": { "Code": { "type": ["string", "null"], "pattern": "^[A-Z]+$" } },
    });
    for (value, why) in [
        (
            json!({ "list": ["A", null], "map": { "x": "B" }, "both": "C", "one": 3, "next": { "next": null } }),
            None,
        ),
        (json!({ "list": ["A", "b"] }), Some("$.list[1]")),
        (json!({ "map": { "a b": "b" } }), Some("$.map[\"a b\"]")),
        (json!({ "both": "c" }), Some("$.both")),
        (json!({ "one": "c" }), Some("$.one")),
        (json!({ "next": { "next": { "both": "c" } } }), Some("$.next.next.both")),
    ] {
        let found = Checks::of(&schema).unwrap().check(&value).err().map(|error| error.path);
        assert_eq!(found.as_deref(), why, "{value}");
    }
}

#[test]
fn objects_are_read_open_and_null_is_absent() {
    let closed = json!({ "anyOf": [
        { "type": "object", "additionalProperties": false, "properties": { "a": { "type": "string", "pattern": "x" } } },
        { "type": "integer" },
    ] });
    assert_eq!(broken(&closed, &json!({ "a": null, "more": 1 })), None);
    assert!(broken(&closed, &json!({ "a": "y" })).is_some());
    // Wherever in the schema the property is told of.
    let apart = |ty: Json| json!({ "not": { "allOf": [{ "properties": { "a": { "type": ty } } }], "required": ["a"] } });
    assert!(broken(&apart(json!(["string", "null"])), &json!({})).is_some());
    assert_eq!(broken(&apart(json!("string")), &json!({})), None);
}

#[test]
fn what_is_required_and_may_be_null_is_put() {
    let text = json!({ "type": "string" });
    for (property, value, put) in [
        (json!({ "type": ["string", "null"] }), json!({}), json!({ "a": null })),
        (json!({ "anyOf": [text, { "type": "null" }] }), json!({}), json!({ "a": null })),
        (json!({ "enum": ["x", null] }), json!({}), json!({ "a": null })),
        (json!({ "allOf": [text], "nullable": true }), json!({}), json!({ "a": null })),
        (json!({ "$ref": "#/$defs/N" }), json!({}), json!({ "a": null })),
        (json!({}), json!({}), json!({ "a": null })),
        (text.clone(), json!({}), json!({})),
        (json!({ "type": ["string", "null"] }), json!({ "a": "x" }), json!({ "a": "x" })),
    ] {
        let record =
            json!({ "type": "object", "required": ["a"], "properties": { "a": property, "b": property } });
        let defs = json!({ "N": { "type": ["integer", "null"] }, "R": record });
        let reference = json!({ "$ref": "#/$defs/R", "$defs": defs });
        let list = json!({ "type": "array", "items": reference, "$defs": defs });
        let map = json!({ "type": "object", "additionalProperties": reference, "$defs": defs });
        let union = json!({ "anyOf": [text, reference, { "type": "null" }], "$defs": defs });
        let all = json!({ "allOf": [reference, { "properties": { "c": text } }], "$defs": defs });
        let apart =
            json!({ "allOf": [{ "properties": { "a": property } }, {}], "required": ["a"], "$defs": defs });
        // Required in one part of `allOf`, told of beside it or in another.
        let beside =
            json!({ "properties": { "a": property }, "allOf": [{ "required": ["a"] }], "$defs": defs });
        let another = json!({ "allOf": [{ "allOf": [{ "required": ["a"] }] }, { "properties": { "a": property } }], "$defs": defs });
        let member = json!({ "anyOf": [text, beside], "$defs": defs });
        let places = json!({ "prefixItems": [text, reference], "items": reference, "$defs": defs });
        let keys = json!({ "patternProperties": { "^k": reference }, "$defs": defs });
        let others =
            json!({ "patternProperties": { "^x": text }, "additionalProperties": reference, "$defs": defs });
        for (schema, value, put) in [
            (&beside, value.clone(), put.clone()),
            (&another, value.clone(), put.clone()),
            (&member, value.clone(), put.clone()),
            (&places, json!(["x", value, value]), json!(["x", put, put])),
            (&keys, json!({ "k": value, "l": {} }), json!({ "k": put, "l": {} })),
            (&others, json!({ "k": value, "x": "" }), json!({ "k": put, "x": "" })),
            (&reference, value.clone(), put.clone()),
            (&list, json!([value]), json!([put])),
            (&map, json!({ "k": value }), json!({ "k": put })),
            (&union, value.clone(), put.clone()),
            (&all, value.clone(), put.clone()),
            (&apart, value.clone(), put.clone()),
        ] {
            let mut found = value.clone();
            Checks::of(schema).unwrap().put_nulls(&mut found);
            assert_eq!(found, put, "{schema}");
        }
    }
}

#[test]
fn a_schema_without_rules_costs_nothing() {
    let schema = json!({ "type": "object", "required": ["a"], "properties": {
        "a": { "anyOf": [{ "type": "string", "maxLength": 5 }, { "enum": [1, 2] }] }, "b": { "items": { "minimum": 3 } },
    }, "additionalProperties": false });
    assert!(Checks::of(&schema).unwrap().is_empty());
    assert!(
        Checks::of(&json!({ "properties": { "a": { "pattern": "x" } } })).unwrap().unchecked().is_empty()
    );
    let ahead = Checks::of(&json!({ "properties": { "a": { "pattern": "(?=x)" } } })).unwrap();
    assert_eq!(ahead.unchecked(), [("#/properties/a".to_owned(), "(?=x)".to_owned())]);
    assert_eq!(ahead.check(&json!({ "a": "y" })), Ok(()));
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    for (schema, code, pointer) in [
        (json!({ "not": { "tpye": "string" } }), "E0611", "#/not"),
        (json!({ "not": 3 }), "E0610", "#/not"),
        (json!({ "if": { "$ref": "#/nowhere" } }), "E0614", "#/if"),
        (json!({ "pattern": 3 }), "E0610", "#"),
        (json!({ "multipleOf": 0 }), "E0610", "#"),
        (json!({ "dependentRequired": { "a": "b" } }), "E0610", "#"),
        (json!({ "dependencies": { "a": [1] } }), "E0610", "#"),
        (json!({ "contains": {}, "minContains": -1 }), "E0610", "#"),
        (json!({ "patternProperties": { "x/y": { "minimum": "1" } } }), "E0610", "#/patternProperties/x~1y"),
    ] {
        let error = Checks::of(&schema).unwrap_err();
        assert_eq!((error.code, error.pointer.as_str()), (code, pointer), "{schema}");
    }
    let deep = (0..=64).fold(json!({}), |inner, _| json!({ "not": inner }));
    assert_eq!(Checks::of(&deep).unwrap_err().code, "E0616");
}

#[test]
fn a_check_that_would_take_too_long_ends_early() {
    let circle = json!({ "not": { "$ref": "#" } });
    assert_eq!(Checks::of(&circle).unwrap().check(&json!(1)).unwrap_err().code, crate::decode::TOO_LARGE);
    // Each level looks at the next one twice: 2^40 looks.
    let mut definitions = serde_json::Map::new();
    for level in 0..40 {
        let next = json!({ "$ref": format!("#/$defs/L{}", level + 1) });
        definitions.insert(format!("L{level}"), json!({ "anyOf": [next, next] }));
    }
    definitions.insert("L40".into(), json!({ "type": "string", "pattern": "^b" }));
    let bomb = json!({ "$ref": "#/$defs/L0", "$defs": definitions });
    assert_eq!(Checks::of(&bomb).unwrap().check(&json!("a")).unwrap_err().code, crate::decode::TOO_LARGE);
}

#[test]
fn keys_of_arguments_are_those_that_the_schema_knows() {
    let labels = json!({ "patternProperties": { "^x-": { "type": "string" }, "^y": { "type": "string" } },
        "additionalProperties": false });
    let schema = json!({ "type": "object", "properties": { "labels": labels } });
    let value = |key: &str| json!({ "labels": { "x-a": "1", key: "2" } });
    let arguments = Checks::of_arguments(&schema).unwrap();
    assert_eq!(arguments.check(&value("y")), Ok(()));
    let broken = arguments.check(&value("z")).unwrap_err();
    assert_eq!(broken.code, RULE_BROKEN);
    assert_eq!(broken.to_string(), "the key `z` matches none of `^x-`, `^y`, at $.labels");
    // An answer may have more than was promised, and another schema says that other keys are fine.
    assert_eq!(Checks::of(&schema).unwrap().check(&value("z")), Ok(()));
    let open = json!({ "patternProperties": { "^x-": {} } });
    assert_eq!(Checks::of_arguments(&open).unwrap().check(&json!({ "z": 1 })), Ok(()));
}
