use proptest::prelude::*;
use serde_json::{Value as Document, json};

use super::*;
use crate::arbitrary::{Shape, lower, shape, typed_value, value_of};
use crate::decode::{check, decode};
use crate::encode::to_json;
use crate::json_schema::from_json_schema;
use crate::types::{FloatRange, IntRange};

#[test]
fn ranges_optionals_and_parts() {
    let defs = TypeDefs::new();
    let int = |min, max| Type::Int(IntRange { min, max });
    let float = |min, max| Type::Float(FloatRange { min, max });
    let text = |max| Type::String(LengthRange::up_to(max));
    for (from, to) in [
        (int(1, 5), int(0, 5)),
        (float(0.0, 1.0), Type::FLOAT),
        (text(3), text(4).optional()),
        (Type::Url, Type::STRING),
        (Type::Url, text(URL_LENGTH_MAX)),
        (Type::list(text(3)), Type::list(text(4).optional())),
        (Type::Map(Box::new(int(0, 1))), Type::Map(Box::new(Type::INT))),
    ] {
        for relation in [assignable, assignable_at_ledger] {
            assert_eq!(relation(&from, &to, &defs), Ok(()));
            assert!(relation(&to, &from, &defs).is_err());
        }
    }
    for (from, to) in [
        (Type::STRING, Type::Url),
        (Type::Url, text(URL_LENGTH_MAX - 1)),
        (Type::Json, Type::STRING),
        (Type::list(Type::INT), Type::List(Box::new(Type::INT), LengthRange::up_to(9))),
    ] {
        for relation in [assignable, assignable_at_ledger] {
            assert!(relation(&from, &to, &defs).is_err());
        }
    }
    // Only as documents.
    for (from, to) in [
        (Type::INT, Type::FLOAT),
        (Type::STRING, Type::Json),
        (Type::Time, Type::STRING),
        (Type::List(Box::new(Type::Bool), LengthRange::up_to(0)), Type::list(Type::INT)),
    ] {
        assert!(assignable(&from, &to, &defs).is_err());
        assert_eq!(assignable_at_ledger(&from, &to, &defs), Ok(()));
        assert!(assignable_at_ledger(&to, &from, &defs).is_err());
    }
    let why = assignable(&Type::INT.optional(), &Type::INT, &defs).unwrap_err();
    assert_eq!(why.to_string(), "Int? may be null, and Int may not");
}

/// What speaks against one property of a schema being below another.
fn why_not(properties: Document, from: &str, to: &str) -> Option<String> {
    let required: Vec<&String> = properties.as_object().unwrap().keys().collect();
    let schema = json!({ "type": "object", "required": required, "properties": properties, "$defs": {
        "Tree": { "type": "object", "required": ["next"], "properties": { "n": { "type": "integer" }, "next": { "type": "array", "items": { "$ref": "#/$defs/Tree" } } } },
        "Leaf": { "type": "object", "required": ["next"], "properties": { "next": { "type": "array", "items": { "$ref": "#/$defs/Leaf" } } } },
    } });
    let (defs, ty) = from_json_schema(&schema, "Op").unwrap();
    let Type::Named(id) = ty else { panic!() };
    let field = |name: &str| defs.record(id).unwrap().field(name).unwrap().1.ty.clone();
    assert!(assignable(&field(from), &field(to), &defs).is_err() || from == to);
    assignable_at_ledger(&field(from), &field(to), &defs).err().map(|mismatch| mismatch.to_string())
}

#[test]
fn records_are_nominal_here_and_structural_there() {
    let properties = json!({
        "wide": { "type": "object", "required": ["a", "b"], "properties": { "a": { "type": "integer", "maximum": 5 }, "b": {} } },
        "narrow": { "type": "object", "required": ["a"], "properties": { "a": { "type": "integer" } } },
        "hopeful": { "type": "object", "required": ["a"], "properties": { "a": { "type": "integer" }, "c": { "type": "string" } } },
        "opaque": { "type": "object", "required": ["a"], "properties": { "a": { "type": "integer" }, "c": {} } },
        "tree": { "$ref": "#/$defs/Tree" },
        "leaf": { "$ref": "#/$defs/Leaf" },
    });
    let why = |from: &str, to: &str| why_not(properties.clone(), from, to);
    assert_eq!(why("wide", "narrow"), None);
    assert_eq!(why("narrow", "wide").as_deref(), Some("Int is not always Int(..5), at `.a`"));
    // What is not declared may be there all the same, and be anything.
    assert_eq!(why("narrow", "hopeful").as_deref(), Some("OpNarrow has no field `c`"));
    assert_eq!(why("narrow", "opaque"), None);
    assert_eq!(why("hopeful", "narrow"), None);
    assert_eq!(why("tree", "leaf"), None);
    assert_eq!(why("leaf", "tree").as_deref(), Some("Leaf has no field `n`"));
}

#[test]
fn enums_and_unions_go_by_what_is_written() {
    let properties = json!({
        "ab": { "enum": ["a", "b"] },
        "abc": { "enum": ["c", "b", "a"] },
        "open": { "enum": ["a"], "x-extensible": true },
        "text": { "type": "string" },
        "short": { "type": "string", "maxLength": 1, "minLength": 1 },
        "number": { "type": "integer" },
        "list": { "type": "array", "items": { "type": "string" } },
        "union": { "type": ["string", "number"] },
        "wider": { "type": ["string", "number", "array"], "items": { "type": "string" } },
        "part": { "type": "object", "required": ["x"], "properties": { "x": { "type": "integer" } } },
        "keyed": { "oneOf": [{ "const": "a" }, { "type": "object", "required": ["string"], "properties": { "string": { "type": "string" } } }] },
    });
    let why = |from: &str, to: &str| why_not(properties.clone(), from, to);
    for (from, to) in [
        ("ab", "abc"),
        ("ab", "open"),
        ("abc", "open"),
        ("ab", "text"),
        ("abc", "short"),
        ("open", "text"),
        ("number", "union"),
        ("ab", "union"),
        ("union", "wider"),
        ("list", "wider"),
    ] {
        assert_eq!(why(from, to), None, "{from} {to}");
        assert!(why(to, from).is_some(), "{to} {from}");
    }
    for (from, to, reason) in [
        ("abc", "ab", "OpAb has no variant for C"),
        ("open", "ab", "OpAb has no variant for Other"),
        ("open", "short", "OpOpen is not always String(1..1)"),
        ("union", "keyed", "OpUnion and OpKeyed are not written alike"),
        ("ab", "part", "OpAb and OpPart are not the same kind of type"),
        ("list", "union", "OpUnion has no member for [String]"),
        ("wider", "union", "OpUnion has no variant for List"),
    ] {
        assert_eq!(why(from, to).as_deref(), Some(reason));
    }
}

/// A draw of small numbers from a seed.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 8) % limit
    }
}

fn draw(seed: u64) -> Draw {
    Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
}

/// A small change here and there: ranges, optionality, fields, variants, kinds.
fn vary(shape: &Shape, draw: &mut Draw) -> Shape {
    let length = |range: LengthRange, choice: u64| match choice {
        0 => LengthRange::FULL,
        1 => LengthRange { min: range.min, max: None },
        2 => LengthRange { min: range.min + 1, max: range.max.map(|max| max.max(range.min + 1)) },
        3 => LengthRange { min: 0, max: Some(0) },
        _ => range,
    };
    match (draw.below(12), shape) {
        (0, Shape::Optional(inner)) | (1, Shape::Union(inner)) => return vary(inner, draw),
        (0, _) => return Shape::Optional(Box::new(shape.clone())),
        (1, _) => return Shape::Union(Box::new(shape.clone())),
        (2, _) => return Shape::Plain(Type::Json),
        _ => {}
    }
    let choice = draw.below(8);
    match shape {
        Shape::Plain(Type::Int(range)) => Shape::Plain(match choice {
            0 => Type::Int(IntRange { min: range.min.saturating_sub(3), max: range.max }),
            1 => Type::FLOAT,
            2 => Type::Float(FloatRange { min: range.min as f64, max: range.max as f64 }),
            3 => Type::Float(FloatRange { min: 0.0, max: 5.0 }),
            _ => Type::Int(*range),
        }),
        Shape::Plain(Type::Float(_)) if choice == 0 => Shape::Plain(Type::FLOAT),
        Shape::Plain(Type::String(range)) => Shape::Plain(Type::String(length(*range, choice))),
        Shape::Plain(Type::Bytes(range)) if choice < 4 => Shape::Plain(Type::Bytes(length(*range, choice))),
        Shape::Plain(Type::Url | Type::Time | Type::Duration | Type::Amount | Type::Bytes(_))
            if choice < 7 =>
        {
            Shape::Plain(Type::STRING)
        }
        Shape::Plain(ty) => Shape::Plain(ty.clone()),
        Shape::List(inner, range) => Shape::List(Box::new(vary(inner, draw)), length(*range, choice)),
        Shape::Map(inner) => Shape::Map(Box::new(vary(inner, draw))),
        Shape::Optional(inner) => Shape::Optional(Box::new(vary(inner, draw))),
        Shape::Record(fields) => {
            let mut fields: Vec<_> = fields
                .iter()
                .map(|field| if choice > 4 { vary(field, draw) } else { field.clone() })
                .collect();
            match choice {
                0 | 1 => drop(fields.pop()),
                2 | 3 => fields.push(Shape::Optional(Box::new(Shape::Plain(Type::INT)))),
                4 => fields.push(Shape::Plain(Type::Json)),
                _ => {}
            }
            Shape::Record(fields)
        }
        Shape::Literals(variants) => {
            Shape::Literals(variants.iter().map(|v| v.as_ref().map(|v| vary(v, draw))).collect())
        }
        Shape::Words([a, b, c], open) => match choice {
            0 | 1 => Shape::Words([true, *b, *c], *open),
            2 | 3 => Shape::Words([*a, false, *c], *open),
            4 | 5 => Shape::Words([*a, *b, *c], !*open),
            6 => Shape::Plain(Type::STRING),
            _ => Shape::Plain(Type::String(LengthRange { min: 3, max: Some(4) })),
        },
        Shape::Union(inner) => Shape::Union(Box::new(vary(inner, draw))),
        Shape::Tagged(members) => Shape::Tagged(
            members.iter().map(|member| member.iter().map(|field| vary(field, draw)).collect()).collect(),
        ),
        Shape::Result(ok, err) => Shape::Result(Box::new(vary(ok, draw)), Box::new(vary(err, draw))),
    }
}

/// The same document with a member more or less, or another scalar, here and there.
fn noised(document: &mut Document, draw: &mut Draw) {
    const NAMES: [&str; 7] = ["alpha", "beta", "gamma", "delta", "kind", "one", "ok"];
    let odd = |draw: &mut Draw| match draw.below(6) {
        0 => json!(null),
        1 => json!(7),
        2 => json!("one"),
        3 => json!({ "alpha": 1 }),
        4 => json!([0.5]),
        _ => json!(true),
    };
    match document {
        Document::Object(members) => {
            members.values_mut().for_each(|value| noised(value, draw));
            let name = NAMES[usize::try_from(draw.below(NAMES.len() as u64)).unwrap()];
            match draw.below(3) {
                0 => drop(members.insert(name.into(), odd(draw))),
                1 if draw.below(3) == 0 => drop(members.shift_remove(name)),
                _ => {}
            }
        }
        Document::Array(items) => {
            items.iter_mut().for_each(|value| noised(value, draw));
            if draw.below(5) == 0 {
                items.push(odd(draw));
            }
        }
        scalar if draw.below(8) == 0 => *scalar = odd(draw),
        _ => {}
    }
}

/// Shapes of which each decides something: little nesting, words and records more often than not.
fn telling() -> impl Strategy<Value = Shape> {
    let words = (any::<[bool; 3]>(), any::<bool>()).prop_map(|(words, open)| Shape::Words(words, open));
    let numbers = prop::sample::select(vec![(0, 4), (-9, 9), (i64::MIN, i64::MAX)])
        .prop_map(|(min, max)| Shape::Plain(Type::Int(IntRange { min, max })));
    let small = prop_oneof![words, numbers, Just(Shape::Plain(Type::STRING)), Just(Shape::Plain(Type::Json))];
    let record = prop::collection::vec(small.clone(), 1..4).prop_map(Shape::Record);
    prop_oneof![2 => small, 3 => record, 3 => shape()]
}

/// A table with three types, each a little different from the one before.
fn three_related() -> impl Strategy<Value = (TypeDefs, [Type; 3], u64)> {
    (telling(), any::<u64>()).prop_map(|(a, seed)| {
        let mut changes = draw(seed);
        let b = vary(&a, &mut changes);
        let c = vary(&b, &mut changes);
        let mut defs = TypeDefs::new();
        let types = [a, b, c].map(|shape| lower(&shape, &mut defs));
        (defs, types, seed)
    })
}

/// As [`three_related`], with documents that are values of the first, or nearly.
fn with_documents() -> impl Strategy<Value = (TypeDefs, [Type; 3], Vec<Document>)> {
    three_related().prop_flat_map(|(defs, types, seed)| {
        let value = value_of(&types[0], &defs);
        let first = types[0].clone();
        let table = defs.clone();
        let documents = value.prop_map(move |value| {
            let text = to_json(&value, &first, &table).unwrap();
            let document: Document = serde_json::from_str(&text).unwrap();
            let noised = (0..8).map(|more| {
                let mut document = document.clone();
                noised(&mut document, &mut draw(seed.wrapping_add(more)));
                document
            });
            std::iter::once(document.clone()).chain(noised).collect()
        });
        (Just(defs), Just(types), documents)
    })
}

fn reads(document: &Document, ty: &Type, defs: &TypeDefs) -> bool {
    decode(document.to_string().as_bytes(), ty, defs).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn reflexive_and_below_its_optional((typed, value) in typed_value()) {
        for relation in [assignable, assignable_at_ledger] {
            prop_assert_eq!(relation(&typed.ty, &typed.ty, &typed.defs), Ok(()));
            prop_assert_eq!(relation(&typed.ty, &typed.ty.clone().optional(), &typed.defs), Ok(()));
        }
        prop_assert_eq!(check(&value, &typed.ty, &typed.defs), Ok(()));
    }

    #[test]
    fn covariant_in_every_part((defs, [a, b, _], _) in three_related()) {
        for relation in [assignable, assignable_at_ledger] {
            if relation(&a, &b, &defs).is_err() {
                continue;
            }
            let wrap = |ty: &Type| {
                let boxed = || Box::new(ty.clone());
                [Type::list(ty.clone()), Type::Map(boxed()), ty.clone().optional(), Type::Result(boxed(), Box::new(Type::Bool))]
            };
            for (a, b) in wrap(&a).iter().zip(&wrap(&b)) {
                prop_assert_eq!(relation(a, b, &defs), Ok(()));
            }
        }
        // A record of the wider field is above the record of the narrower.
        let mut defs = defs;
        let record = |ty: &Type, defs: &mut TypeDefs| {
            let field = crate::types::FieldDef { name: "f".into(), ty: ty.clone(), doc: String::new() };
            let def = RecordDef { name: "R".into(), fields: vec![field], doc: String::new() };
            Type::Named(defs.push(TypeDef::Record(def)))
        };
        let (of_a, of_b) = (record(&a, &mut defs), record(&b, &mut defs));
        prop_assert_eq!(
            assignable_at_ledger(&of_a, &of_b, &defs).is_ok(),
            assignable_at_ledger(&a, &b, &defs).is_ok()
        );
    }

    #[test]
    fn transitive((defs, [a, b, c], _) in three_related()) {
        for relation in [assignable, assignable_at_ledger] {
            for (a, b, c) in [(&a, &b, &c), (&c, &b, &a), (&b, &a, &c), (&a, &c, &b), (&c, &a, &b), (&b, &c, &a)] {
                if relation(a, b, &defs).is_ok() && relation(b, c, &defs).is_ok() {
                    prop_assert_eq!(relation(a, c, &defs), Ok(()), "{} {} {}", defs.show(a), defs.show(b), defs.show(c));
                }
            }
        }
    }

    #[test]
    fn a_document_of_a_type_is_one_of_every_type_above((defs, types, documents) in with_documents()) {
        for (from, to) in types.iter().flat_map(|from| types.iter().map(move |to| (from, to))) {
            if from == to || assignable_at_ledger(from, to, &defs).is_err() {
                continue;
            }
            for document in documents.iter().filter(|document| reads(document, from, &defs)) {
                prop_assert!(reads(document, to, &defs), "{document} {} {}", defs.show(from), defs.show(to));
            }
        }
    }

    #[test]
    fn types_below_each_other_admit_the_same((defs, [a, b, _], documents) in with_documents()) {
        if assignable_at_ledger(&a, &b, &defs).is_ok() && assignable_at_ledger(&b, &a, &defs).is_ok() {
            for document in &documents {
                prop_assert_eq!(reads(document, &a, &defs), reads(document, &b, &defs), "{}", document);
            }
        }
        // In the language they are the same type.
        if assignable(&a, &b, &defs).is_ok() && assignable(&b, &a, &defs).is_ok() {
            prop_assert_eq!(&a, &b);
        }
    }

    #[test]
    fn values_keep_their_form_in_the_language(
        (defs, from, to, value) in three_related().prop_flat_map(|(defs, [a, b, _], _)| {
            let value = value_of(&a, &defs);
            (Just(defs), Just(a), Just(b), value)
        })
    ) {
        if assignable(&from, &to, &defs).is_ok() {
            prop_assert_eq!(check(&value, &to, &defs), Ok(()));
        }
    }
}

/// The laws above would hold for a relation of nothing: often enough, types are related.
#[test]
fn the_types_that_the_laws_are_tried_on_are_often_related() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut chains, mut mutual, mut cases) = (0, 0, 0);
    for _ in 0..2_000 {
        let (defs, [a, b, c], _) = three_related().new_tree(&mut runner).unwrap().current();
        let below = |from: &Type, to: &Type| assignable_at_ledger(from, to, &defs).is_ok();
        cases += 1;
        chains += u32::from(a != b && b != c && below(&a, &b) && below(&b, &c));
        mutual += u32::from(a != b && below(&a, &b) && below(&b, &a));
    }
    assert!(chains * 50 > cases && mutual * 50 > cases, "{chains} chains, {mutual} mutual, of {cases}");
}
