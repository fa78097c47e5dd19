//! The types that schemas and operations map to.

use super::*;

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
