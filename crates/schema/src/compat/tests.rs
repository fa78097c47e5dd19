use serde_json::{Value as Json, json};

use super::*;

fn entry(input: Json, output: Json) -> OperationDescriptor {
    serde_json::from_value(json!({
        "id": "sn1.find", "netuid": 1, "version": { "breaking": 1, "compatible": 0 }, "summary": "",
        "transport": { "kind": "other", "protocol": "grpc", "base_url": null }, "access": "open",
        "auth": { "kind": "none" }, "side_effects": "none", "repeat": { "safe": true, "costs_again": false },
        "input": input, "output": output, "output_complete": true, "sources": [],
    }))
    .unwrap()
}

fn lines(found: &Compatibility) -> Vec<String> {
    assert_eq!(found.level, found.changes.iter().map(|change| change.level).max().unwrap_or_default());
    found
        .changes
        .iter()
        .map(|change| format!("{} {}: {}", change.level, change.path, change.reason))
        .collect()
}

/// What one field of an answer says of its change.
fn answer(old: Json, new: Json) -> Vec<String> {
    let of = |field: Json| json!({ "type": "object", "required": ["f"], "properties": { "f": field } });
    lines(&operation(
        &entry(json!({ "type": "object" }), of(old)),
        &entry(json!({ "type": "object" }), of(new)),
    ))
}

/// What one parameter says of its change.
fn argument(old: Json, new: Json) -> Vec<String> {
    let of = |field: Json| json!({ "type": "object", "required": ["f"], "properties": { "f": field } });
    lines(&operation(&entry(of(old), json!({})), &entry(of(new), json!({}))))
}

#[test]
fn what_only_people_read_is_no_change() {
    let old = entry(json!({ "type": "object" }), json!({ "type": "string" }));
    let mut new = entry(
        json!({ "type": "object", "description": "nothing" }),
        json!({ "description": "text", "type": "string", "examples": ["a"] }),
    );
    new.summary = "Finds.".into();
    new.tags = vec!["search".into()];
    new.verified = true;
    assert_eq!(operation(&old, &new), Compatibility::default());
    assert_eq!(operation(&old, &old).level, Level::None);
}

#[test]
fn answers_may_become_narrower_and_not_wider() {
    let small = json!({ "type": "integer", "minimum": 0, "maximum": 9 });
    let large = json!({ "type": "integer" });
    for (old, new, forth, back) in [
        (
            small.clone(),
            large.clone(),
            "breaking output.f: was Int(0..9), may be Int now",
            "needs-recompile output.f: was Int, is Int(0..9) only",
        ),
        (
            json!({ "type": "string", "maxLength": 3 }),
            json!({ "type": "string" }),
            "breaking output.f: was String(..3), may be String now",
            "needs-recompile output.f: was String, is String(..3) only",
        ),
        (
            json!({ "type": "array", "items": { "type": "string" }, "maxItems": 3 }),
            json!({ "type": "array", "items": { "type": "string" } }),
            "breaking output.f: was [Json](..3), may be [Json] now",
            "needs-recompile output.f: was [Json], is [Json](..3) only",
        ),
        (
            json!({ "type": "array", "items": small }),
            json!({ "type": "array", "items": large }),
            "breaking output.f[]: was Int(0..9), may be Int now",
            "needs-recompile output.f[]: was Int, is Int(0..9) only",
        ),
        (
            json!({ "type": "integer" }),
            json!({ "type": ["integer", "null"] }),
            "breaking output.f: may be absent now",
            "needs-recompile output.f: is always there now",
        ),
        (
            json!({ "type": "string", "format": "uri" }),
            json!({ "type": "string" }),
            "breaking output.f: was Url, may be String now",
            "needs-recompile output.f: was String, is Url only",
        ),
        (
            json!({ "type": "integer" }),
            json!({ "type": "number" }),
            "breaking output.f: was Int, may be Float now",
            "needs-recompile output.f: was Float, is Int only",
        ),
        (
            json!({ "type": "integer" }),
            json!({}),
            "breaking output.f: was Int, may be Json now",
            "needs-recompile output.f: was Json, is Int only",
        ),
        (
            json!({ "enum": ["a"] }),
            json!({ "enum": ["a", "b"] }),
            "breaking output.f: may be B now",
            "needs-recompile output.f: is never B any more",
        ),
        (
            json!({ "enum": ["a"] }),
            json!({ "enum": ["a"], "x-extensible": true }),
            "breaking output.f: may be Other now",
            "needs-recompile output.f: is never Other any more",
        ),
        (
            json!({ "additionalProperties": { "type": "integer" } }),
            json!({ "additionalProperties": { "type": "number" } }),
            "breaking output.f{}: was Int, may be Float now",
            "needs-recompile output.f{}: was Float, is Int only",
        ),
    ] {
        assert_eq!(answer(old.clone(), new.clone()), [forth], "{old} {new}");
        assert_eq!(answer(new.clone(), old.clone()), [back], "{new} {old}");
    }
    assert_eq!(
        answer(
            json!({ "enum": ["a"], "x-extensible": true }),
            json!({ "enum": ["a", "b"], "x-extensible": true })
        ),
        ["needs-recompile output.f: B has a name now, and was a text like any other"]
    );
    assert_eq!(
        answer(json!({ "type": "string" }), json!({ "type": "boolean" })),
        ["breaking output.f: was String, may be Bool now"]
    );
}

#[test]
fn fields_of_answers_may_be_added() {
    let record = |fields: Json, required: Json| json!({ "type": "object", "properties": fields, "required": required });
    let old = record(json!({ "a": { "type": "integer" } }), json!(["a"]));
    let more = record(json!({ "a": { "type": "integer" }, "b": { "type": "string" } }), json!(["a"]));
    let always = record(json!({ "a": { "type": "integer" }, "b": { "type": "string" } }), json!(["a", "b"]));
    assert_eq!(answer(old.clone(), more.clone()), ["compatible output.f.b: is new"]);
    assert_eq!(answer(more, old.clone()), ["breaking output.f.b: is gone"]);
    assert_eq!(
        answer(old.clone(), always),
        ["needs-recompile output.f.b: is new and always there: answers from before lack it"]
    );
    // A type of its own comes under the operation's name; one that the schema names may not be the only one.
    let own = record(json!({ "a": { "type": "integer" }, "b": { "enum": ["x"] } }), json!(["a"]));
    assert_eq!(answer(old.clone(), own), ["compatible output.f.b: is new"]);
    let foreign =
        record(json!({ "a": { "type": "integer" }, "b": { "title": "Hit", "enum": ["x"] } }), json!(["a"]));
    assert_eq!(
        answer(old.clone(), foreign),
        [
            "needs-recompile types.Hit: is new, and another operation may bring a type of that name",
            "compatible output.f.b: is new",
        ]
    );
    let titled = |title: &str| {
        let mut titled = old.clone();
        titled["title"] = json!(title);
        titled
    };
    assert_eq!(
        answer(titled("Old"), titled("New")),
        [
            "needs-recompile output.f: its type was called Old, is New",
            "needs-recompile types.New: is new, and another operation may bring a type of that name",
            "needs-recompile types.Old: is gone, and a plan may name it",
        ]
    );
}

#[test]
fn arguments_may_become_wider_and_not_narrower() {
    let record = |fields: Json| json!({ "type": "object", "properties": fields });
    for (old, new, forth, back) in [
        (
            json!({ "type": "integer", "maximum": 5 }),
            json!({ "type": "integer" }),
            "compatible input.f: was Int(..5), may be Int now",
            "breaking input.f: was Int, must be Int(..5) now",
        ),
        (
            json!({ "type": "integer" }),
            json!({ "type": "number" }),
            "needs-recompile input.f: was Int, is written as Float now",
            "breaking input.f: was Float, must be Int now",
        ),
        (
            json!({ "type": "string" }),
            json!({ "type": ["string", "null"] }),
            "compatible input.f: may be left out now",
            "breaking input.f: must be given now",
        ),
        (
            json!({ "type": "array", "items": { "type": "string", "maxLength": 3 } }),
            json!({ "type": "array", "items": { "type": "string" } }),
            "compatible input.f[]: was String(..3), may be String now",
            "breaking input.f[]: was String, must be String(..3) now",
        ),
        (
            json!({ "type": "string", "format": "uri" }),
            json!({ "type": "string" }),
            "needs-recompile input.f: was Url, is written as String now",
            "breaking input.f: was String, must be Url now",
        ),
        (
            json!({ "enum": ["a"] }),
            json!({ "enum": ["a", "b"] }),
            "needs-recompile input.f: may be B now",
            "breaking input.f: must not be B any more",
        ),
        (
            record(json!({ "a": { "type": "integer" } })),
            record(json!({ "a": { "type": "integer" }, "b": {} })),
            "needs-recompile input.f.b: is new: a record with such a field was read without it",
            "breaking input.f.b: is no field any more",
        ),
        (
            record(json!({ "a": { "type": "integer", "maximum": 1 } })),
            record(json!({ "a": { "type": "integer" } })),
            "needs-recompile input.f.a: was Int(..1), may be Int now",
            "breaking input.f.a: was Int, must be Int(..1) now",
        ),
        (
            json!({ "type": "string", "pattern": "a" }),
            json!({ "type": "string" }),
            "compatible input.f: need not keep a rule any more: pattern \"a\"",
            "breaking input.f: must keep a new rule: pattern \"a\"",
        ),
    ] {
        assert_eq!(argument(old.clone(), new.clone()), [forth], "{old} {new}");
        assert_eq!(argument(new.clone(), old.clone()), [back], "{new} {old}");
    }
    let many = argument(
        json!({ "type": "string" }),
        json!({ "type": ["string", "array"], "items": { "type": "string" } }),
    );
    assert_eq!(many, ["compatible input.f: was String, may be FindInputF now"]);
    let of = |properties: Json, required: Json| {
        entry(json!({ "type": "object", "properties": properties, "required": required }), json!({}))
    };
    let one = of(json!({ "a": {} }), json!(["a"]));
    let found = |new: &OperationDescriptor| lines(&operation(&one, new));
    assert_eq!(
        found(&of(json!({ "a": {}, "b": { "type": "string" } }), json!(["a"]))),
        ["compatible input.b: is new and may be left out"]
    );
    assert_eq!(
        found(&of(json!({ "a": {}, "b": { "type": "string" } }), json!(["a", "b"]))),
        ["breaking input.b: is new and must be given"]
    );
    assert_eq!(found(&of(json!({}), json!([]))), ["breaking input.a: is no parameter any more"]);
}

#[test]
fn rules_of_answers_are_what_plans_hold_them_to() {
    let (old, new) = (json!({ "type": "string" }), json!({ "type": "string", "format": "uuid" }));
    assert_eq!(
        answer(old.clone(), new.clone()),
        ["needs-recompile output.f: keeps a new rule, which answers from before may break: format \"uuid\""]
    );
    assert_eq!(
        answer(new, old),
        ["breaking output.f: may break a rule that plans hold it to: format \"uuid\""]
    );
    let list =
        |schema: Json| json!({ "type": "array", "items": { "$ref": "#/$defs/X" }, "$defs": { "X": schema } });
    let of = |schema: Json| entry(json!({ "type": "object" }), list(schema));
    let tree = |pattern: &str| json!({ "type": "object", "required": ["x"], "properties": { "x": { "type": "string", "pattern": pattern }, "next": { "$ref": "#/$defs/X" } } });
    assert_eq!(
        lines(&operation(&of(tree("a")), &of(tree("b")))),
        [
            "breaking output[].x: may break a rule that plans hold it to: pattern \"a\"",
            "needs-recompile output[].x: keeps a new rule, which answers from before may break: pattern \"b\"",
        ]
    );
}

#[test]
fn facts_that_bounds_and_requests_are_made_of() {
    let old = entry(json!({ "type": "object" }), json!({}));
    let with = |change: &dyn Fn(&mut OperationDescriptor)| {
        let mut new = old.clone();
        change(&mut new);
        lines(&operation(&old, &new))
    };
    let price = crate::price::PriceRule::PerCall { amount: "0.02USD".parse().unwrap() };
    assert_eq!(
        with(&|new| new.price = price.clone()),
        ["needs-recompile price: was unknown, is 0.02 USD a call"]
    );
    assert_eq!(
        with(&|new| new.access = crate::operation::Access::X402),
        ["needs-recompile access: was open, is x402"]
    );
    assert_eq!(
        with(&|new| new.repeat.safe = false),
        ["breaking repeat.safe: is not safe to repeat any more"]
    );
    assert_eq!(
        with(&|new| new.repeat.costs_again = true),
        ["needs-recompile repeat.costs_again: is charged again now"]
    );
    assert_eq!(
        with(&|new| new.auth = crate::operation::Auth::Hotkey),
        ["needs-recompile auth: wants its callers to identify themselves in another way"]
    );
    assert_eq!(with(&|new| new.output = json!({ "$ref": "x" })).len(), 1);
    assert_eq!(with(&|new| new.output_complete = false), Vec::<String>::new());
    let mut broken = old.clone();
    broken.output = json!({ "$ref": "x" });
    assert_eq!(operation(&broken, &old), Compatibility::default());
    assert_eq!(operation(&old, &broken).level, Level::Breaking);
}

#[test]
fn capabilities_are_told_by_their_texts() {
    let of = |source: &str, adapters: &[(&str, &str)]| CapabilityDescriptor {
        name: "c".into(),
        version: crate::operation::Version::FIRST,
        summary: String::new(),
        source: source.into(),
        adapters: adapters
            .iter()
            .map(|(operation, source)| crate::operation::AdapterDescriptor {
                operation: (*operation).into(),
                source: (*source).into(),
            })
            .collect(),
    };
    let old = of("capability c() -> Int", &[("sn1.a", "x"), ("sn1.b", "y")]);
    assert_eq!(
        capability(&old, &of("capability c() -> Int\n", &[("sn1.b", "y"), ("sn1.a", "x")])).level,
        Level::None
    );
    assert_eq!(
        lines(&capability(&old, &of("capability c() -> Bool", &[("sn1.a", "z"), ("sn1.c", "x")]))),
        [
            "needs-recompile adapters.sn1.a: is another text",
            "needs-recompile adapters.sn1.b: is gone",
            "needs-recompile adapters.sn1.c: is new",
            "needs-recompile source: is another text",
        ]
    );
}

#[test]
fn levels_ascend_and_have_names() {
    assert!(Level::ALL.is_sorted());
    assert_eq!(
        Level::ALL.map(|level| level.to_string()),
        ["none", "compatible", "needs-recompile", "breaking"]
    );
    let whole = Compatibility::whole(Level::Breaking, "is gone");
    assert_eq!((whole.level, lines(&whole)), (Level::Breaking, vec!["breaking : is gone".to_owned()]));
}
