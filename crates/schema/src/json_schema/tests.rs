use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::arbitrary::{typed, typed_value};
use crate::types::{EnumWire, TypeDef};

/// All definitions and the type, as text.
fn show(schema: &Json) -> String {
    match from_json_schema(schema, "Op") {
        Ok((defs, ty)) => dump(&defs, &ty),
        Err(error) => format!("{} {} {}", error.code, error.pointer, error.message),
    }
}

fn dump(defs: &TypeDefs, ty: &Type) -> String {
    let mut text = String::new();
    for (_, def) in defs.iter() {
        let parts: Vec<String> = match def {
            TypeDef::Record(def) => {
                def.fields.iter().map(|field| format!("{}: {}", field.name, defs.show(&field.ty))).collect()
            }
            TypeDef::Enum(def) => {
                let variant = |v: &crate::types::VariantDef| {
                    let payload = v.payload.as_ref().map(|ty| format!("({})", defs.show(ty)));
                    format!("{}{} = {}", v.name, payload.unwrap_or_default(), v.wire)
                };
                def.variants.iter().map(variant).collect()
            }
        };
        let kind = match def {
            TypeDef::Record(_) => "record".into(),
            TypeDef::Enum(def) => match &def.wire {
                EnumWire::Literal => "enum".into(),
                EnumWire::Untagged => "union".into(),
                EnumWire::Discriminator(property) => format!("union by {property}"),
            },
        };
        text.push_str(&format!("{kind} {} {{ {} }}\n", def.name(), parts.join(", ")));
    }
    text + &defs.show(ty)
}

fn code(schema: Json) -> String {
    match from_json_schema(&schema, "Op") {
        Ok((defs, ty)) => dump(&defs, &ty),
        Err(error) => format!("{} {}", error.code, error.pointer),
    }
}

#[test]
fn scalars_and_their_bounds() {
    for (schema, ty) in [
        (json!({ "type": "boolean" }), "Bool"),
        (json!({ "type": "integer" }), "Int"),
        (json!({ "type": "integer", "minimum": 1, "maximum": 100 }), "Int(1..100)"),
        (json!({ "type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 10 }), "Int(1..9)"),
        (json!({ "type": "integer", "minimum": 0.5, "maximum": 1e30 }), "Int(1..)"),
        (json!({ "type": "integer", "format": "uint8" }), "Int(0..255)"),
        (json!({ "type": "integer", "maximum": 18_446_744_073_709_551_615_u64, "minimum": 0 }), "Int(0..)"),
        (json!({ "type": "number", "minimum": 0, "maximum": 1 }), "Float(0..1)"),
        (json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1 }), "Float(5e-324..1)"),
        (json!({ "type": ["integer", "number"] }), "Float"),
        (json!({ "type": "number", "multipleOf": 0.01 }), "Float"),
        (json!({ "type": "string", "minLength": 1, "maxLength": 600, "pattern": "^a" }), "String(1..600)"),
        (json!({ "type": "string", "format": "uri" }), "Url"),
        (json!({ "type": "string", "format": "date-time" }), "Time"),
        (json!({ "type": "string", "format": "duration" }), "Duration"),
        (json!({ "type": "string", "format": "uuid" }), "String"),
        (json!({ "type": "string", "format": "byte", "maxLength": 8 }), "Bytes(..6)"),
        (json!({ "type": "string", "contentEncoding": "base64" }), "Bytes"),
        (
            json!({ "type": "array", "items": { "type": "string" }, "maxItems": 3, "uniqueItems": true }),
            "[String](..3)",
        ),
        (json!({ "type": "array" }), "[Json]"),
        (json!({ "items": { "type": "integer" } }), "[Int]"),
        (json!({ "type": "object", "additionalProperties": { "type": "integer" } }), "{String: Int}"),
        (json!({ "type": "object", "additionalProperties": {} }), "Json"),
        (json!({ "type": "object", "properties": {} }), "Json"),
        (json!({ "type": "object" }), "Json"),
        (json!({ "type": ["string", "null"] }), "String?"),
        (json!({ "type": "string", "nullable": true }), "String?"),
        (json!({ "type": "null" }), "Json"),
        (json!({ "enum": [true, false] }), "Bool"),
        (json!({}), "Json"),
        (json!(true), "Json"),
        (json!({ "description": "anything", "x-note": 1 }), "Json"),
    ] {
        assert_eq!(code(schema.clone()), ty, "{schema}");
    }
}

#[test]
fn records_are_named_after_their_place() {
    let schema = json!({
        "type": "object",
        "required": ["data", "note"],
        "properties": {
            "zeta": { "type": "integer" },
            "alpha": { "type": "object", "properties": { "x": { "type": "string" } } },
            "note": { "type": ["string", "null"] },
            "data": { "type": "array", "items": {
                "type": "object",
                "properties": { "link": { "type": "string" }, "tags": { "type": "array", "items": { "enum": ["a-b", "a_b"] } } },
                "required": ["link"],
            } },
            "by_key": { "type": "object", "additionalProperties": { "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } } },
            "hit": { "title": "Hit", "type": "object", "required": ["a"], "properties": {} },
            "hit2": { "title": "Hit", "type": "object", "required": ["a"], "properties": {} },
            "hit3": { "title": "Hit", "type": "object", "required": ["b"], "properties": {} },
            "url": { "title": "Url", "type": "object", "required": ["b"], "properties": {} },
        },
    });
    insta::assert_snapshot!(show(&schema), @r#"
    record Op { data: [OpDataItem], note: String?, alpha: OpAlpha?, by_key: {String: OpByKeyValue}?, hit: Hit?, hit2: Hit?, hit3: OpHit3?, url: OpUrl?, zeta: Int? }
    record OpDataItem { link: String, tags: [OpDataItemTagsItem]? }
    enum OpDataItemTagsItem { AB = "a-b", AB2 = "a_b" }
    record OpAlpha { x: String? }
    record OpByKeyValue { n: Int }
    record Hit { a: Json }
    record OpHit3 { b: Json }
    record OpUrl { b: Json }
    Op
    "#);
}

#[test]
fn unions() {
    let schema = json!({ "type": "object", "properties": {
        "content": { "type": ["string", "array", "null"], "maxLength": 9 },
        "choice": { "type": ["string", "object"] },
        "size": { "type": ["integer", "string"] },
        "state": { "anyOf": [{ "type": "object", "required": ["id"], "properties": { "id": { "type": "string" } } }, { "type": "null" }] },
        "factor": { "enum": [null, 2, 4] },
        "kind": { "const": "chat.completion" },
        "level": { "oneOf": [{ "const": "low", "description": "cheap" }, { "const": "high" }] },
        "model": { "anyOf": [{ "type": "string" }, { "enum": ["a", "b"] }] },
        "open": { "enum": ["a", "b"], "x-extensible": true },
        "reply": { "oneOf": [
            { "type": "object", "properties": { "Success": { "type": "object", "required": ["n"], "properties": { "n": { "type": "integer" } } } }, "required": ["Success"] },
            { "type": "object", "properties": { "Error": { "type": "string" } }, "required": ["Error"] },
            { "const": "pending" },
        ] },
        "part": { "oneOf": [
            { "type": "object", "required": ["type", "text"], "properties": { "type": { "const": "text" }, "text": { "type": "string" } } },
            { "type": "object", "required": ["type", "url"], "properties": { "type": { "enum": ["image", "video"] }, "url": { "type": "string" } } },
            { "type": "string" },
        ] },
        "number": { "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "number", "maximum": 5 }] },
        "ip": { "anyOf": [{ "type": "string", "format": "ipv4" }, { "type": "string", "format": "uri" }] },
        "any": { "anyOf": [{ "type": "string" }, {}] },
        "nested": { "anyOf": [{ "anyOf": [{ "type": "string" }, { "type": "null" }] }, { "type": "boolean" }] },
        "either": { "type": "object", "properties": { "a": { "type": "integer" } }, "anyOf": [{ "required": ["a"] }, { "required": ["b"] }] },
    } });
    insta::assert_snapshot!(show(&schema), @r#"
    record Op { any: Json, choice: OpChoice?, content: OpContent?, either: OpEither?, factor: OpFactor?, ip: String?, kind: OpKind?, level: OpLevel?, model: String?, nested: OpNested?, number: Float?, open: OpOpen?, part: OpPart?, reply: OpReply?, size: OpSize?, state: OpState? }
    union OpChoice { Text(String) = "string", Object(Json) = "object" }
    union OpContent { Text(String(..9)) = "string", List([Json]) = "array" }
    record OpEither { a: Int? }
    enum OpFactor { V2 = 2, V4 = 4 }
    enum OpKind { ChatCompletion = "chat.completion" }
    enum OpLevel { Low = "low", High = "high" }
    union OpNested { Text(String) = "string", Flag(Bool) = "boolean" }
    enum OpOpen { A = "a", B = "b", Other(String) =  }
    union OpPart { Object(OpPartObject) = "object", Text(String) = "string" }
    union by type OpPartObject { Text(OpPartObjectText) = "text", Image(OpPartObjectImage) = "image", Video(OpPartObjectImage) = "video" }
    record OpPartObjectText { type: OpPartObjectTextType, text: String }
    enum OpPartObjectTextType { Text = "text" }
    record OpPartObjectImage { type: OpPartObjectImageType, url: String }
    enum OpPartObjectImageType { Image = "image", Video = "video" }
    enum OpReply { Pending = "pending", Success(OpReplySuccess) = "Success", Error(String) = "Error" }
    record OpReplySuccess { n: Int }
    union OpSize { Number(Int) = "number", Text(String) = "string" }
    record OpState { id: String }
    Op
    "#);
}

#[test]
fn references_recursion_and_merging() {
    let schema = json!({
        "$ref": "#/$defs/Node",
        "$defs": {
            "Node": { "type": "object", "required": ["value"], "properties": {
                "value": { "$ref": "#/$defs/value~1of" },
                "next": { "anyOf": [{ "$ref": "#/$defs/Node" }, { "type": "null" }] },
                "children": { "type": "array", "items": { "$ref": "#/$defs/Node" } },
                "tree": { "$ref": "#/$defs/Tree" },
                "pet": { "oneOf": [{ "$ref": "#/$defs/Cat" }, { "$ref": "#/$defs/Dog" }],
                    "discriminator": { "propertyName": "kind", "mapping": { "feline": "#/$defs/Cat" } } },
                "extended": { "allOf": [{ "$ref": "#/$defs/Cat" }, { "required": ["age"], "properties": { "age": { "type": "integer", "maximum": 5 }, "lives": { "minimum": 2 } } }] },
                "documented": { "allOf": [{ "$ref": "#/$defs/Dog" }], "description": "a dog" },
            } },
            "value/of": { "type": "integer", "minimum": 1 },
            "Tree": { "anyOf": [{ "type": "string" }, { "type": "array", "items": { "$ref": "#/$defs/Tree" } }] },
            "Cat": { "type": "object", "required": ["kind"], "properties": { "kind": { "type": "string" }, "lives": { "type": "integer", "maximum": 9 } } },
            "Dog": { "type": "object", "required": ["kind"], "properties": { "kind": { "type": "string" } } },
        },
    });
    insta::assert_snapshot!(show(&schema), @r#"
    record Node { value: Int(1..), children: [Node]?, documented: Dog?, extended: NodeExtended?, next: Node?, pet: NodePet?, tree: Tree? }
    record Dog { kind: String }
    record NodeExtended { kind: String, age: Int(..5), lives: Int(2..9)? }
    union by kind NodePet { Feline(Cat) = "feline", Dog(Dog) = "Dog" }
    record Cat { kind: String, lives: Int(..9)? }
    union Tree { Text(String) = "string", List([Tree]) = "array" }
    Node
    "#);
    let own = json!({ "type": "object", "required": ["up"], "properties": { "up": { "anyOf": [{ "$ref": "#" }, { "type": "null" }] } } });
    assert_eq!(code(own), "record Op { up: Op? }\nOp");
}

#[test]
fn what_nothing_tells_apart_is_one_type_with_the_values_of_all() {
    let schema = json!({ "type": "object", "properties": {
        "lists": { "anyOf": [{ "type": "array", "items": { "type": "string" }, "maxItems": 2 }, { "type": "array", "items": { "type": "integer" }, "minItems": 1, "maxItems": 5 }] },
        "any_list": { "anyOf": [{ "type": "array", "items": { "type": "string" } }, { "type": "array" }] },
        "embed": { "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }, { "type": "array", "items": { "type": "array", "items": { "type": "number" } } }] },
        "lease": { "oneOf": [
            { "type": "object", "required": ["id", "host"], "properties": { "host": { "type": "string" }, "id": { "type": "integer" }, "note": { "type": "string" } } },
            { "type": "object", "required": ["id", "key"], "properties": { "key": { "type": "string" }, "id": { "type": "string" }, "note": { "type": "string", "maxLength": 3 } } },
        ] },
        "again": { "anyOf": [{ "$ref": "#/$defs/A" }, { "$ref": "#/$defs/B" }] },
        "maps": { "anyOf": [{ "type": "object", "additionalProperties": { "type": "string" } }, { "type": "object", "additionalProperties": { "type": "integer" } }] },
        "free": { "anyOf": [{ "type": "object", "properties": { "a": {} } }, { "type": "object" }] },
        "kinds": { "oneOf": [
            { "type": "object", "required": ["type"], "properties": { "type": { "const": "a" }, "x": { "type": "integer" } } },
            { "type": "object", "required": ["type"], "properties": { "type": { "enum": ["b", "c"] } } },
            { "type": "object", "required": ["type"], "properties": { "type": { "const": "c" } } },
        ] },
    }, "$defs": {
        "A": { "type": "object", "required": ["a"], "properties": { "a": { "type": "integer" }, "next": { "anyOf": [{ "$ref": "#/$defs/A" }, { "$ref": "#/$defs/B" }] } } },
        "B": { "type": "object", "required": ["b"], "properties": { "b": { "type": "integer" }, "next": { "anyOf": [{ "$ref": "#/$defs/A" }, { "$ref": "#/$defs/B" }] } } },
    } });
    insta::assert_snapshot!(show(&schema), @r#"
    record Op { again: OpAgain?, any_list: [Json]?, embed: OpEmbed?, free: Json, kinds: OpKinds?, lease: OpLease?, lists: [OpListsItem](..5)?, maps: {String: OpMapsValue}? }
    record OpAgain { a: Int?, b: Int?, next: OpAgain? }
    union OpEmbed { Text(String) = "string", List([OpEmbedListItem]) = "array" }
    union OpEmbedListItem { Text(String) = "string", List([Float]) = "array" }
    record OpKinds { type: OpKindsType, x: Int? }
    enum OpKindsType { A = "a", B = "b", C = "c" }
    record OpLease { id: OpLeaseId, host: String?, key: String?, note: String? }
    union OpLeaseId { Number(Int) = "number", Text(String) = "string" }
    union OpListsItem { Text(String) = "string", Number(Int) = "number" }
    union OpMapsValue { Text(String) = "string", Number(Int) = "number" }
    Op
    "#);
}

#[test]
fn tuples_patterns_and_older_spellings() {
    for (schema, ty) in [
        (
            json!({ "type": "array", "prefixItems": [{ "type": "number" }, { "type": "number" }], "items": false }),
            "[Float](..2)",
        ),
        (
            json!({ "prefixItems": [{ "type": "number" }, { "type": "integer" }], "minItems": 2, "maxItems": 2 }),
            "[Float](2..2)",
        ),
        (json!({ "prefixItems": [{ "type": "string" }] }), "[Json]"),
        (json!({ "prefixItems": [{ "type": "string" }], "unevaluatedItems": false }), "[String](..1)"),
        (
            json!({ "items": [{ "type": "string" }], "additionalItems": { "type": "string", "maxLength": 3 } }),
            "[String]",
        ),
        (json!({ "items": false }), "[Json](..0)"),
        (json!({ "unevaluatedItems": { "type": "boolean" } }), "[Bool]"),
        (json!({ "contains": { "const": 1 } }), "[Json]"),
        (json!({ "patternProperties": { "^.*$": { "type": "integer" } } }), "{String: Int}"),
        (
            json!({ "patternProperties": { "^a": { "type": "integer" }, "^b": { "type": "number" } }, "additionalProperties": false }),
            "{String: Float}",
        ),
        (json!({ "patternProperties": { "^a": { "type": "integer" } } }), "Json"),
        (
            json!({ "patternProperties": { "^a": { "type": "integer" } }, "additionalProperties": { "type": "integer", "minimum": 0 } }),
            "{String: Int}",
        ),
        (json!({ "type": "object", "unevaluatedProperties": { "type": "string" } }), "{String: String}"),
        (json!({ "format": "int32" }), "Int(-2147483648..2147483647)"),
        (json!({ "format": "double" }), "Float"),
        (json!({ "format": "email" }), "String"),
        (json!({ "type": "string", "contentEncoding": "base64url" }), "String"),
        (json!({ "not": { "type": "string" } }), "Json"),
        (json!({ "type": "integer", "if": { "minimum": 5 }, "then": { "multipleOf": 5 } }), "Int"),
        (json!({ "const": { "a": 1 } }), "Json"),
        (json!({ "enum": ["a", ["b"]] }), "Json"),
        (json!({ "anyOf": [{ "const": ["a"] }, { "type": "string" }] }), "Json"),
        (json!({ "type": "integer", "anyOf": [{ "type": "string" }, { "minimum": 3 }] }), "Int(3..)"),
        (json!({ "allOf": [{ "type": "integer", "format": "int64" }, { "format": "timestamp" }] }), "Int"),
    ] {
        assert_eq!(code(schema.clone()), ty, "{schema}");
    }
    let extended = json!({ "allOf": [
        { "type": "object", "properties": { "x": { "oneOf": [{ "type": "string" }, { "type": "integer" }] }, "y": { "pattern": "a" } } },
        { "type": "object", "properties": { "x": { "oneOf": [{ "type": "string" }, { "type": "boolean" }] }, "y": { "pattern": "b" } } },
    ] });
    insta::assert_snapshot!(show(&extended), @r#"
    record Op { x: OpX?, y: String? }
    union OpX { Text(String) = "string", Flag(Bool) = "boolean" }
    Op
    "#);
}

#[test]
fn field_order_does_not_depend_on_member_order() {
    let a = json!({ "type": "object", "required": ["b"], "properties": { "a": { "type": "integer" }, "b": { "type": "object", "properties": { "z": {}, "y": {} } } } });
    let b = json!({ "properties": { "b": { "properties": { "y": {}, "z": {} }, "type": "object" }, "a": { "type": "integer" } }, "required": ["b"], "type": "object" });
    assert_eq!(from_json_schema(&a, "Op"), from_json_schema(&b, "Op"));
}

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

fn operation(input: Json, output: Json, complete: bool) -> crate::operation::OperationDescriptor {
    serde_json::from_value(json!({
        "id": "sn22.web_search", "netuid": 22, "version": { "breaking": 1, "compatible": 0 }, "summary": "",
        "transport": { "kind": "other", "protocol": "grpc", "base_url": null }, "access": "open",
        "auth": { "kind": "none" }, "side_effects": "none", "repeat": { "safe": true, "costs_again": false },
        "input": input, "output": output, "output_complete": complete, "sources": [],
    }))
    .unwrap()
}

#[test]
fn operations_have_named_parameters_and_named_answers() {
    let input = json!({
        "title": "SearchRequest", "type": "object", "required": ["query", "limit"], "additionalProperties": false,
        "properties": {
            "query": { "type": "string", "maxLength": 600 },
            "limit": { "type": "integer", "default": 10 },
            "sort": { "enum": ["new", "top"] },
        },
    });
    let hits = json!({ "type": "object", "required": ["data"], "properties": { "data": { "type": "array", "items":
        { "type": "object", "required": ["link"], "properties": { "link": { "type": "string" } } } } } });
    let types = OperationTypes::of(&operation(input.clone(), hits, true)).unwrap();
    insta::assert_snapshot!(dump(&types.defs, &types.output), @r#"
    record WebSearchOutput { data: [WebSearchOutputDataItem] }
    record WebSearchOutputDataItem { link: String }
    record WebSearchInput { query: String(..600), limit: Int?, sort: WebSearchInputSort? }
    enum WebSearchInputSort { New = "new", Top = "top" }
    WebSearchOutput
    "#);
    assert_eq!(types.defs.record(types.input).unwrap().name, "WebSearchInput");

    let loose = OperationTypes::of(&operation(json!({}), json!({ "type": "nonsense" }), false)).unwrap();
    assert_eq!(loose.output, Type::Json);
    assert_eq!(loose.defs.record(loose.input).unwrap().fields, []);

    for (bad, code) in [
        (json!({ "type": "string" }), INPUT_NOT_NAMED),
        (json!({ "oneOf": [{ "type": "object" }] }), INPUT_NOT_NAMED),
    ] {
        let error = OperationTypes::of(&operation(bad, json!({}), true)).unwrap_err();
        assert_eq!((error.code, error.pointer.as_str()), (code, "input#"));
    }
    for (bad, code, pointer) in [
        (json!({ "$dynamicRef": "#x" }), UNSUPPORTED, "output#"),
        (json!({ "if": { "misspelt": 1 } }), UNKNOWN_KEYWORD, "output#/if"),
    ] {
        let error = OperationTypes::of(&operation(input.clone(), bad, true)).unwrap_err();
        assert_eq!((error.code, error.pointer.as_str()), (code, pointer));
    }
}

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
