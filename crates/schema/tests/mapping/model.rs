//! Schemas with documents that are valid by them.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

/// A schema before it is spelled; most can be spelled in several ways.
#[derive(Clone, Debug)]
pub(crate) enum Model {
    Anything,
    Bool,
    Null,
    Int {
        min: i64,
        max: i64,
        exclusive: bool,
    },
    Number {
        min: i32,
        max: i32,
    },
    /// Multiples of a number.
    Steps {
        step: i64,
    },
    Text {
        min: usize,
        max: usize,
    },
    /// Capital letters only.
    Capitals,
    Formatted(usize),
    Words {
        words: Vec<usize>,
        open: bool,
        spelled: usize,
    },
    /// A literal that is no scalar.
    Constant,
    List {
        item: Box<Model>,
        min: usize,
        max: Option<usize>,
        unique: bool,
    },
    Tuple {
        places: Vec<Model>,
        rest: Option<Box<Model>>,
        old: bool,
    },
    Record {
        fields: Vec<(Model, bool)>,
        closed: bool,
        split: bool,
    },
    Map {
        value: Box<Model>,
        spelled: usize,
    },
    Nullable(Box<Model>, usize),
    /// Members of different kinds.
    Union {
        members: Vec<Model>,
        one: bool,
    },
    /// Records that nothing tells apart.
    Either(Vec<Vec<(Model, bool)>>),
    /// Records told apart by a constant.
    Tagged(Vec<Vec<(Model, bool)>>, bool),
    /// What is defined elsewhere, and can hold itself.
    Tree,
    /// Anything but `null`.
    Not,
}

const FORMATS: [(&str, &[&str]); 7] = [
    ("uri", &["https://a.example/x?y=1", "urn:x:y"]),
    ("date-time", &["2026-01-02T03:04:05Z", "1999-12-31T23:59:59.5+02:00"]),
    ("duration", &["PT4S", "P1DT2H"]),
    ("byte", &["AAEC", ""]),
    ("uuid", &["123e4567-e89b-12d3-a456-426614174000"]),
    ("ipv4", &["127.0.0.1"]),
    ("email", &["a@b.example", "anything"]),
];
const WORDS: [&str; 4] = ["new", "a-b", "a_b", ""];
const NAMES: [&str; 4] = ["alpha", "beta-2", "g/m~", "delta"];
/// No schema here has a property of such a name.
const OTHERS: [&str; 2] = ["other", "x-more"];

pub(crate) fn models() -> impl Strategy<Value = Model> {
    let leaf = prop_oneof![
        Just(Model::Anything),
        Just(Model::Bool),
        Just(Model::Null),
        (-9_i64..9, 1_i64..9, any::<bool>()).prop_map(|(min, more, exclusive)| Model::Int {
            min,
            max: min + more + 1,
            exclusive
        }),
        (-9_i32..9, 0_i32..9).prop_map(|(min, more)| Model::Number { min, max: min + more }),
        (1_i64..9).prop_map(|step| Model::Steps { step }),
        (0_usize..3, 0_usize..4).prop_map(|(min, more)| Model::Text { min, max: min + more }),
        Just(Model::Capitals),
        (0..FORMATS.len()).prop_map(Model::Formatted),
        (
            prop::sample::subsequence((0..WORDS.len()).collect::<Vec<_>>(), 1..=WORDS.len()),
            any::<bool>(),
            0_usize..3
        )
            .prop_map(|(words, open, spelled)| Model::Words { words, open, spelled }),
        Just(Model::Constant),
        Just(Model::Tree),
        Just(Model::Not),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new).boxed();
        let fields = vec((inner.clone(), any::<bool>()), 0..4);
        let kinds = (
            prop_oneof![Just(Model::Bool), Just(Model::Null)],
            prop_oneof![
                Just(Model::Steps { step: 2 }),
                Just(Model::Int { min: 0, max: 5, exclusive: false })
            ],
            prop_oneof![Just(Model::Capitals), Just(Model::Text { min: 0, max: 2 })],
            fields.clone().prop_map(|fields| Model::Record { fields, closed: false, split: false }),
            boxed.clone().prop_map(|item| Model::List { item, min: 0, max: None, unique: false }),
            1_usize..32,
        );
        prop_oneof![
            (boxed.clone(), 0_usize..3, prop::option::of(0_usize..3), any::<bool>()).prop_map(
                |(item, min, more, unique)| {
                    // Elements that differ in what no type names are the same once that is gone; and a list without
                    // equal elements may not be able to reach its least length.
                    let unique =
                        unique && matches!(*item, Model::Steps { .. } | Model::Text { .. } | Model::Bool);
                    Model::List {
                        item,
                        min: if unique { 0 } else { min },
                        max: more.map(|more| min + more),
                        unique,
                    }
                }
            ),
            (vec(inner.clone(), 1..3), prop::option::of(boxed.clone()), any::<bool>())
                .prop_map(|(places, rest, old)| Model::Tuple { places, rest, old }),
            (fields.clone(), any::<bool>(), any::<bool>())
                .prop_map(|(fields, closed, split)| Model::Record { fields, closed, split }),
            (boxed.clone(), 0_usize..3).prop_map(|(value, spelled)| Model::Map { value, spelled }),
            (boxed, 0_usize..3).prop_map(|(inner, spelled)| Model::Nullable(inner, spelled)),
            (kinds, any::<bool>()).prop_map(|((a, b, c, d, e, chosen), one)| {
                let all = [a, b, c, d, e];
                let members =
                    all.into_iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1).map(|(_, m)| m);
                Model::Union { members: members.collect(), one }
            }),
            vec(vec((inner.clone(), any::<bool>()), 1..4), 2..4).prop_map(Model::Either),
            (vec(fields, 2..4), any::<bool>())
                .prop_map(|(members, declared)| Model::Tagged(members, declared)),
        ]
    })
}

/// The schema as a document that stands alone.
pub(crate) fn schema(model: &Model) -> Json {
    let mut schema = spelled(model);
    if let Some(members) = schema.as_object_mut() {
        members.insert("$defs".into(), json!({ "Tree": {
            "type": "object",
            "required": ["children"],
            "properties": { "name": { "type": "string" }, "children": { "type": "array", "items": { "$ref": "#/$defs/Tree" } } },
        } }));
    }
    schema
}

fn object(fields: &[(Model, bool)]) -> Map<String, Json> {
    let named = || fields.iter().zip(NAMES);
    let properties: Map<String, Json> =
        named().map(|((model, _), name)| (name.into(), spelled(model))).collect();
    let required: Vec<&str> = named().filter(|((_, required), _)| *required).map(|(_, name)| name).collect();
    let object = json!({ "type": "object", "properties": properties, "required": required });
    object.as_object().cloned().unwrap()
}

fn spelled(model: &Model) -> Json {
    match model {
        Model::Anything => json!({ "description": "anything" }),
        Model::Bool => json!({ "type": "boolean" }),
        Model::Null => json!({ "type": "null" }),
        Model::Int { min, max, exclusive: true } => {
            json!({ "type": "integer", "exclusiveMinimum": min - 1, "exclusiveMaximum": max + 1 })
        }
        Model::Int { min, max, .. } => {
            json!({ "type": "integer", "minimum": min, "maximum": max, "format": "int64" })
        }
        Model::Number { min, max } => json!({ "type": "number", "minimum": min, "maximum": max }),
        Model::Steps { step } => json!({ "type": "integer", "multipleOf": step }),
        Model::Text { min, max } => json!({ "type": "string", "minLength": min, "maxLength": max }),
        Model::Capitals => json!({ "type": "string", "pattern": "^[A-Z]+$" }),
        Model::Formatted(at) => json!({ "type": "string", "format": FORMATS[*at].0 }),
        Model::Words { words, open, spelled } => {
            let words: Vec<&str> = words.iter().map(|at| WORDS[*at]).collect();
            match spelled {
                0 if !open => {
                    json!({ "oneOf": words.iter().map(|word| json!({ "const": word })).collect::<Json>() })
                }
                1 => json!({ "enum": words, "x-extensible": open }),
                _ => json!({ "type": "string", "enum": words, "x-extensible": open }),
            }
        }
        Model::Constant => json!({ "const": { "a": [1, null] } }),
        Model::List { item, min, max, unique } => {
            let mut list =
                json!({ "type": "array", "items": spelled(item), "minItems": min, "uniqueItems": unique });
            if let Some(max) = max {
                list["maxItems"] = json!(max);
            }
            list
        }
        Model::Tuple { places, rest, old } => {
            let places: Json = places.iter().map(spelled).collect();
            let rest = rest.as_ref().map_or(json!(false), |rest| spelled(rest));
            match old {
                true => json!({ "type": "array", "items": places, "additionalItems": rest }),
                false => json!({ "type": "array", "prefixItems": places, "items": rest }),
            }
        }
        Model::Record { fields, closed, split: false } => {
            let mut record = object(fields);
            if *closed {
                record.insert("additionalProperties".into(), false.into());
            }
            record.into()
        }
        Model::Record { fields, split: true, .. } => {
            let mut first = object(fields);
            let required = first.shift_remove("required").unwrap();
            json!({ "allOf": [first, { "required": required, "minProperties": 0 }], "description": "in parts" })
        }
        Model::Map { value, spelled: 0 } => {
            json!({ "type": "object", "additionalProperties": spelled(value) })
        }
        Model::Map { value, spelled: 1 } => {
            json!({ "type": "object", "patternProperties": { "^.*$": spelled(value) } })
        }
        Model::Map { value, .. } => {
            json!({ "type": "object", "propertyNames": { "maxLength": 9 }, "additionalProperties": spelled(value) })
        }
        Model::Nullable(inner, 0) => json!({ "anyOf": [spelled(inner), { "type": "null" }] }),
        Model::Nullable(inner, 1) => json!({ "oneOf": [{ "type": "null" }, spelled(inner)] }),
        Model::Nullable(inner, _) => {
            let mut inner = spelled(inner);
            inner["nullable"] = json!(true);
            inner
        }
        Model::Union { members, one } => {
            let members: Json = members.iter().map(spelled).collect();
            json!({ if *one { "oneOf" } else { "anyOf" }: members })
        }
        Model::Either(members) => {
            json!({ "anyOf": members.iter().map(|m| Json::from(object(m))).collect::<Json>() })
        }
        Model::Tagged(members, declared) => {
            let member = |(place, fields): (usize, &Vec<(Model, bool)>)| {
                let mut member = Json::from(object(fields));
                member["properties"]["kind"] = json!({ "const": format!("kind-{place}") });
                member["required"].as_array_mut().unwrap().push("kind".into());
                member
            };
            let members: Json = members.iter().enumerate().map(member).collect();
            let mut union = json!({ "oneOf": members });
            if *declared {
                union["discriminator"] = json!({ "propertyName": "kind" });
            }
            union
        }
        Model::Tree => json!({ "$ref": "#/$defs/Tree" }),
        Model::Not => json!({ "not": { "type": "null" } }),
    }
}

/// Documents that are valid by the schema.
pub(crate) fn documents(model: &Model) -> BoxedStrategy<Json> {
    match model {
        Model::Anything => anything(),
        Model::Bool => any::<bool>().prop_map(Json::from).boxed(),
        Model::Null => Just(Json::Null).boxed(),
        Model::Int { min, max, .. } => (*min..=*max, any::<bool>())
            .prop_map(|(n, float)| if float { json!(n as f64) } else { json!(n) })
            .boxed(),
        Model::Number { min, max } => {
            let (min, max) = (f64::from(*min), f64::from(*max));
            (0.0..=1.0).prop_map(move |share: f64| json!(min + share * (max - min))).boxed()
        }
        Model::Steps { step } => {
            let step = *step;
            (-50_i64..50).prop_map(move |n| json!(n * step)).boxed()
        }
        Model::Text { min, max } => {
            vec(any::<char>(), *min..=*max).prop_map(|c| Json::from(String::from_iter(c))).boxed()
        }
        Model::Capitals => "[A-Z]{1,3}".prop_map(Json::from).boxed(),
        Model::Formatted(at) => prop::sample::select(FORMATS[*at].1.to_vec()).prop_map(Json::from).boxed(),
        Model::Words { words, open, spelled } => {
            let mut words: Vec<&str> = words.iter().map(|at| WORDS[*at]).collect();
            if *open && *spelled != 0 {
                words.push("something else");
            }
            prop::sample::select(words).prop_map(Json::from).boxed()
        }
        Model::Constant => Just(json!({ "a": [1, null] })).boxed(),
        Model::List { item, min, max, unique } => {
            let unique = *unique;
            let items = vec(documents(item), *min..=max.unwrap_or(min + 3));
            items
                .prop_map(move |mut items| {
                    if unique {
                        let mut seen: Vec<Json> = Vec::new();
                        items.retain(|item| {
                            let new = seen.iter().all(|known| !same(known, item));
                            seen.push(item.clone());
                            new
                        });
                    }
                    Json::from(items)
                })
                .boxed()
        }
        Model::Tuple { places, rest, .. } => {
            let first: Vec<_> = places.iter().map(documents).collect();
            let count = 0..=places.len();
            let more =
                rest.as_ref().map_or(Just(Vec::new()).boxed(), |rest| vec(documents(rest), 0..3).boxed());
            (first, more, count)
                .prop_map(|(mut first, more, count)| {
                    // Later places are left out, or all are there and more.
                    if count < first.len() {
                        first.truncate(count);
                    } else {
                        first.extend(more);
                    }
                    Json::from(first)
                })
                .boxed()
        }
        Model::Record { fields, closed, split } => record(fields, *closed && !split, None),
        Model::Map { value, .. } => prop::collection::btree_map("[a-z]{0,3}", documents(value), 0..3)
            .prop_map(|entries| entries.into_iter().collect::<Json>())
            .boxed(),
        Model::Nullable(inner, _) => prop_oneof![Just(Json::Null), documents(inner)].boxed(),
        Model::Union { members, .. } => prop::strategy::Union::new(members.iter().map(documents)).boxed(),
        Model::Either(members) => {
            prop::strategy::Union::new(members.iter().map(|fields| record(fields, true, None))).boxed()
        }
        Model::Tagged(members, _) => {
            let member = |(place, fields): (usize, &Vec<(Model, bool)>)| {
                record(fields, false, Some(format!("kind-{place}")))
            };
            prop::strategy::Union::new(members.iter().enumerate().map(member)).boxed()
        }
        Model::Tree => tree().boxed(),
        Model::Not => anything().prop_filter("not null", |json| !json.is_null()).boxed(),
    }
}

/// Whether two documents are the same by value.
fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a.as_f64() == b.as_f64(),
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

fn anything() -> BoxedStrategy<Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (-9_i64..9).prop_map(Json::from),
        ".{0,3}".prop_map(Json::from)
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::btree_map("[a-z]{1,3}", inner, 0..3)
                .prop_map(|entries| entries.into_iter().collect::<Json>()),
        ]
    })
    .boxed()
}

fn tree() -> impl Strategy<Value = Json> {
    let leaf = Just(json!({ "children": [] })).boxed();
    leaf.prop_recursive(3, 8, 3, |inner| {
        (vec(inner, 0..3), any::<bool>()).prop_map(|(children, named)| {
            if named { json!({ "children": children, "name": "n" }) } else { json!({ "children": children }) }
        })
    })
}

/// Objects with the required fields and some of the others, in any order, with members that are not declared unless
/// `closed`.
fn record(fields: &[(Model, bool)], closed: bool, tag: Option<String>) -> BoxedStrategy<Json> {
    let field = |((model, required), name): (&(Model, bool), &'static str)| {
        let value = documents(model);
        let value = if *required { value.prop_map(Some).boxed() } else { prop::option::of(value).boxed() };
        value.prop_map(move |value| (name, value))
    };
    let fields: Vec<_> = fields.iter().zip(NAMES).map(field).collect();
    let others = prop::collection::btree_map(prop::sample::select(OTHERS.to_vec()), anything(), 0..3);
    (fields, others, any::<bool>())
        .prop_map(move |(fields, others, reversed)| {
            let mut members: Vec<(String, Json)> =
                fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
            members.extend(tag.iter().map(|tag| ("kind".to_owned(), Json::from(tag.as_str()))));
            if !closed {
                members.extend(others.into_iter().map(|(name, value)| (name.to_owned(), value)));
            }
            if reversed {
                members.reverse();
            }
            members.into_iter().collect::<Json>()
        })
        .boxed()
}
