//! Schemas and answers that are as bad as their size allows, for tests and benchmarks.

use serde_json::{Map, Value as Json, json};

/// A schema with an answer to read by it, where reading is what is hard.
#[derive(Debug)]
pub(crate) struct Bomb {
    pub(crate) name: &'static str,
    pub(crate) schema: Json,
    pub(crate) answer: Option<String>,
}

/// Every bomb; schemas of about `schema_bytes`, answers of about `answer_bytes`.
pub(crate) fn all(schema_bytes: usize, answer_bytes: usize) -> Vec<Bomb> {
    let mut bombs = Vec::new();
    let mut add =
        |name: &'static str, schema: Json, answer: Option<String>| bombs.push(Bomb { name, schema, answer });

    let names = |count: usize| (0..count).map(|n| format!("p{n}")).collect::<Vec<_>>();
    let properties = |count: usize, schema: Json| {
        names(count).into_iter().map(|name| (name, schema.clone())).collect::<Map<_, _>>()
    };
    let literals = |count: usize| names(count).into_iter().map(Json::from).collect::<Json>();
    let references = |count: usize| vec![json!({ "$ref": "#/$defs/X" }); count];

    // Width.
    add("one record, many fields", json!({ "properties": properties(schema_bytes / 12, json!({})) }), None);
    add(
        "many records, many fields",
        {
            let record = json!({ "type": "object", "properties": properties(1_000, json!({})) });
            json!({ "properties": properties(schema_bytes / 12_000, record) })
        },
        None,
    );
    add("many names required", json!({ "required": literals(schema_bytes / 8) }), None);
    add(
        "many parts, each with many names required",
        {
            let part = json!({ "required": literals(900) });
            json!({ "allOf": vec![part; schema_bytes / 6_000] })
        },
        None,
    );
    add(
        "many parts with one field",
        json!({ "allOf": vec![json!({ "properties": { "x": { "minLength": 1 } } }); schema_bytes / 40] }),
        None,
    );
    add(
        "many enums, many literals",
        {
            let named = json!({ "enum": literals(1_000) });
            json!({ "properties": properties(schema_bytes / 8_000, named) })
        },
        None,
    );
    add(
        "many numbers that are near each other",
        json!({ "properties": properties(schema_bytes / 12_000, json!({ "enum": (0..1_000).map(|n| 1e15 + f64::from(n)).collect::<Json>() })) }),
        None,
    );
    add(
        "a union of many texts",
        json!({ "anyOf": vec![json!({ "type": "string" }); schema_bytes / 20] }),
        None,
    );
    add(
        "a union of many constants",
        json!({ "oneOf": (0..schema_bytes / 16).map(|n| json!({ "const": n })).collect::<Json>() }),
        None,
    );
    add(
        "a union of many keys",
        {
            let member = |name: String| json!({ "required": [name], "properties": { name: {} } });
            json!({ "oneOf": names(schema_bytes / 50).into_iter().map(member).collect::<Json>() })
        },
        None,
    );
    add(
        "a union of many records",
        {
            let member = |n: usize| json!({ "type": "object", "required": [format!("r{n}")], "properties": properties(40, json!({ "type": "string", "maxLength": n })) });
            json!({ "anyOf": (0..(schema_bytes / 2_000).min(900)).map(member).collect::<Json>() })
        },
        None,
    );
    add(
        "a tuple of many",
        json!({ "prefixItems": vec![json!({ "type": "integer" }); schema_bytes / 20] }),
        None,
    );
    add(
        "many patterns for keys",
        {
            let pattern = |name: String| (format!("^{name}"), json!({ "type": "string" }));
            json!({ "additionalProperties": false, "patternProperties": names(schema_bytes / 30).into_iter().map(pattern).collect::<Map<_, _>>() })
        },
        None,
    );
    add(
        "one title many times",
        {
            let record = |n: usize| json!({ "title": "T", "type": "object", "required": ["a", "b", "c"], "properties": { "z": { "maximum": n } } });
            json!({ "prefixItems": (0..900).map(record).collect::<Json>(), "properties": properties(0, json!({})) })
        },
        None,
    );

    // Depth and repetition.
    let ladder = |levels: usize, step: &dyn Fn(Json) -> Json, end: Json| {
        let mut definitions = Map::new();
        for level in 0..levels {
            let next = json!({ "$ref": format!("#/$defs/L{}", level + 1) });
            definitions.insert(format!("L{level}"), step(next));
        }
        definitions.insert(format!("L{levels}"), end);
        json!({ "$ref": "#/$defs/L0", "$defs": definitions })
    };
    let text = json!({ "type": "string", "pattern": "^b" });
    let object = json!({ "type": "object", "required": ["a"] });
    for (name, step) in [
        ("a ladder of allOf", (|next: Json| json!({ "allOf": [next, next] })) as fn(Json) -> Json),
        ("a ladder of anyOf", |next| json!({ "anyOf": [next, next] })),
        (
            "a ladder of records",
            |next| json!({ "type": "object", "required": ["l", "r"], "properties": { "l": next, "r": next } }),
        ),
        (
            "a ladder of lists",
            |next| json!({ "anyOf": [{ "type": "array", "items": next }, { "type": "array", "items": next, "maxItems": 3 }] }),
        ),
        ("a ladder of merged records", |next| {
            json!({ "anyOf": [
            { "type": "object", "required": ["a"], "properties": { "x": next } },
            { "type": "object", "required": ["b"], "properties": { "x": { "allOf": [next] } } },
        ] })
        }),
        (
            "a ladder of fields that are merged",
            |next| json!({ "allOf": [{ "properties": { "x": next } }, { "properties": { "x": { "allOf": [next], "minProperties": 1 } } }] }),
        ),
        ("a ladder of not", |next| json!({ "not": next, "if": next, "then": next })),
    ] {
        add(name, ladder(50, &step, text.clone()), Some("\"aaaa\"".into()));
        add(name, ladder(50, &step, object.clone()), Some("{\"a\":{}}".into()));
    }
    add(
        "a union that holds itself in lists",
        json!({ "$ref": "#/$defs/T", "$defs": { "T": { "anyOf": [{ "type": "array", "items": { "$ref": "#/$defs/T" } }, { "type": "array", "items": { "type": "array", "items": { "$ref": "#/$defs/T" } } }] } } }),
        None,
    );
    add(
        "references within references",
        {
            let nested = (0..20).fold(
                json!({ "$ref": "#/$defs/X" }),
                |inner, _| json!({ "allOf": [inner, { "$ref": "#/$defs/X" }] }),
            );
            json!({ "allOf": vec![nested; schema_bytes / 1_500], "$defs": { "X": { "type": "object", "properties": properties(200, json!({ "type": "string" })) } } })
        },
        None,
    );
    add(
        "a long text, merged again and again",
        {
            let uses: Vec<Json> = references(schema_bytes / 60)
                .into_iter()
                .map(|mut reference| {
                    reference["minProperties"] = json!(1);
                    reference
                })
                .collect();
            json!({ "prefixItems": uses, "$defs": { "X": { "description": "x".repeat(schema_bytes / 2), "type": "object", "required": ["a"] } } })
        },
        None,
    );
    add(
        "long names, deep down",
        {
            let long = "n".repeat(250);
            let leaves = json!({ "type": "object", "properties": properties(schema_bytes / 40, json!({ "pattern": "a" })) });
            (0..50)
                .fold(leaves, |inner, _| json!({ "type": "object", "properties": { long.clone(): inner } }))
        },
        None,
    );

    // Reading.
    let repeated = |item: &str| {
        let list = |count: usize| format!("[{}{item}]", format!("{item},").repeat(count - 1));
        let per_list = 90_000.min(answer_bytes / (item.len() + 1));
        let lists = (answer_bytes / (per_list * (item.len() + 1))).max(1);
        format!("[{}{}]", format!("{},", list(per_list)).repeat(lists - 1), list(per_list))
    };
    let nested = |schema: Json| json!({ "type": "array", "items": { "type": "array", "items": schema } });
    add(
        "the last of a thousand literals",
        nested(json!({ "enum": literals(1_000) })),
        Some(repeated("\"p999\"")),
    );
    add(
        "the last of a thousand numbers",
        nested(json!({ "enum": (0..1_000).collect::<Json>() })),
        Some(repeated("999")),
    );
    add(
        "the last of a thousand fields",
        nested(json!({ "type": "object", "properties": properties(1_000, json!({ "type": "integer" })) })),
        Some(repeated("{\"p999\":1}")),
    );
    add(
        "nothing of a thousand fields",
        nested(json!({ "type": "object", "properties": properties(1_000, json!({ "type": "integer" })) })),
        Some(repeated("{}")),
    );
    add(
        "a thousand fields, backwards",
        nested(json!({ "type": "object", "properties": properties(1_000, json!({ "type": "integer" })) })),
        {
            let members: Vec<String> =
                names(1_000).into_iter().rev().map(|name| format!("\"{name}\":1")).collect();
            Some(repeated(&format!("{{{}}}", members.join(","))))
        },
    );
    add(
        "the last of many tags",
        {
            let member = |n: usize| json!({ "type": "object", "required": ["k"], "properties": { "k": { "const": format!("t{n}") } } });
            nested(json!({ "oneOf": (0..900).map(member).collect::<Json>() }))
        },
        Some(repeated("{\"k\":\"t899\"}")),
    );
    add(
        "the last of many keys",
        {
            let member = |n: usize| json!({ "type": "object", "required": [format!("k{n}")], "properties": { format!("k{n}"): {} } });
            nested(json!({ "oneOf": (0..900).map(member).collect::<Json>() }))
        },
        Some(repeated("{\"k899\":1}")),
    );
    add(
        "a pattern on much text",
        nested(json!({ "type": "string", "pattern": "(x+x+)+y" })),
        Some(repeated(&format!("\"{}\"", "x".repeat(1_000)))),
    );
    add(
        "many patterns on many keys",
        {
            let pattern = |name: String| (format!("[ab]*{name}[ab]{{9}}"), json!({ "type": "integer" }));
            json!({ "additionalProperties": false, "patternProperties": names(60).into_iter().map(pattern).collect::<Map<_, _>>() })
        },
        Some(format!(
            "{{{}}}",
            (0..90_000.min(answer_bytes / 80))
                .map(|n| format!("\"{}{n}\":1", "ab".repeat(30)))
                .collect::<Vec<_>>()
                .join(",")
        )),
    );
    add(
        "no two alike",
        json!({ "type": "array", "uniqueItems": true, "items": {} }),
        Some(format!(
            "[{}]",
            (0..90_000.min(answer_bytes / 90))
                .map(|n| format!("\"{}{n}\"", "a".repeat(80)))
                .collect::<Vec<_>>()
                .join(",")
        )),
    );
    add(
        "a union tried on every element",
        nested(
            json!({ "anyOf": (0..900).map(|n| json!({ "type": "string", "pattern": format!("^{}$", n % 50) })).collect::<Json>() }),
        ),
        Some(repeated("\"zz\"")),
    );
    bombs
}
