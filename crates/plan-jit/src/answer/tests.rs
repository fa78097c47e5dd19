use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use schema::types::{EnumDef, EnumWire, FieldDef, VariantDef};

use super::*;

/// Numbers that decide, so that a failing case shrinks.
struct Choices(std::vec::IntoIter<u32>);

impl Choices {
    fn below(&mut self, n: u32) -> u32 {
        self.0.next().unwrap_or(0) % n.max(1)
    }

    fn one_of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len() as u32) as usize]
    }
}

const NAMES: [&str; 5] = ["alpha", "beta", "gamma", "delta", "na\u{ef}ve"];

fn length(choices: &mut Choices) -> LengthRange {
    match choices.below(4) {
        0 => LengthRange { min: 1, max: Some(3) },
        1 => LengthRange::up_to(2),
        _ => LengthRange::FULL,
    }
}

fn ty(choices: &mut Choices, defs: &mut TypeDefs, depth: u32) -> Type {
    match choices.below(if depth == 0 { 11 } else { 17 }) {
        0 => Type::INT,
        1 => Type::Bool,
        2 => Type::FLOAT,
        3 => Type::String(length(choices)),
        4 => Type::Int(IntRange { min: -3, max: 100 }),
        5 => Type::Float(FloatRange { min: 0.0, max: 1.5 }),
        6 => Type::Url,
        7 => Type::Time,
        8 => Type::Duration,
        9 => Type::Amount,
        10 => Type::Json,
        11 => Type::List(Box::new(ty(choices, defs, depth - 1)), length(choices)),
        12 => ty(choices, defs, depth - 1).optional(),
        13 => Type::Map(Box::new(ty(choices, defs, depth - 1))),
        14 => Type::Result(Box::new(ty(choices, defs, depth - 1)), Box::new(Type::STRING)),
        15 => {
            let variant = |name: &str, payload| VariantDef {
                name: name.into(),
                wire: format!("{:?}", name.to_lowercase()),
                payload,
                doc: String::new(),
            };
            let payload = ty(choices, defs, depth - 1);
            let variants = vec![variant("One", None), variant("Two", Some(payload))];
            let def = EnumDef { name: "E".into(), variants, wire: EnumWire::Literal, doc: String::new() };
            Type::Named(defs.push(TypeDef::Enum(def)))
        }
        _ => {
            let count = choices.below(5) as usize;
            let mut fields = Vec::new();
            for name in NAMES.iter().take(count) {
                let ty = ty(choices, defs, depth - 1);
                fields.push(FieldDef { name: (*name).into(), ty, doc: String::new() });
            }
            let def = RecordDef { name: "R".into(), fields, doc: String::new() };
            Type::Named(defs.push(TypeDef::Record(def)))
        }
    }
}

/// A document for the type, most of the time.
fn document(choices: &mut Choices, ty: &Type, defs: &TypeDefs) -> String {
    if choices.below(40) == 1 {
        return any_json(choices, 2);
    }
    match ty {
        Type::Bool => choices.one_of(&["true", "false"]).into(),
        Type::Int(_) => choices
            .one_of(&[
                "0",
                "7",
                "-3",
                "100",
                "1.0",
                "1e1",
                "-0",
                "2.5",
                "9223372036854775807",
                "9223372036854775808",
            ])
            .into(),
        Type::Float(_) => choices
            .one_of(&["0.5", "1", "0", "-0.0", "1.5", "1e400", "2", "18446744073709551615", "1e-400"])
            .into(),
        Type::String(_) => choices
            .one_of(&["\"a\"", "\"\"", "\"\u{e9}\\n\"", "\"\\u0061b\"", "\"abcd\"", "\"\u{1f600}\""])
            .into(),
        Type::Url => {
            choices.one_of(&["\"https://a.example/x\"", "\"nowhere\"", "\"https:\\/\\/b.example\""]).into()
        }
        Type::Time => {
            choices.one_of(&["\"2026-11-22T09:44:00Z\"", "\"today\"", "\"1970-01-01T00:00:00+01:00\""]).into()
        }
        Type::Duration => choices.one_of(&["\"PT4S\"", "\"P1D\"", "\"4s\""]).into(),
        Type::Amount => choices.one_of(&["\"0.02USD\"", "\"3rao\"", "\"3EUR\""]).into(),
        Type::Json | Type::Error | Type::Bytes(_) => any_json(choices, 2),
        Type::Optional(_) if choices.below(2) == 0 => "null".into(),
        Type::Optional(inner) => document(choices, inner, defs),
        Type::List(element, _) => {
            let count = choices.below(4);
            let items: Vec<String> = (0..count).map(|_| document(choices, element, defs)).collect();
            format!("[{}]", items.join(choices.one_of(&[",", " , ", ",,"])))
        }
        Type::Map(value) => {
            let count = choices.below(4);
            let entries = (0..count).map(|_| {
                let key = choices.one_of(&["\"k\"", "\"j\"", "\"\\u006b\"", "\"\""]);
                format!("{key}:{}", document(choices, value, defs))
            });
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        Type::Result(ok, err) => {
            let (key, ty) = if choices.below(2) == 0 { ("ok", ok) } else { ("err", err) };
            format!("{{\"{key}\":{}}}", document(choices, ty, defs))
        }
        Type::Named(id) => match defs.get(*id).unwrap() {
            TypeDef::Enum(def) => match def.variants.iter().find_map(|variant| variant.payload.as_ref()) {
                Some(payload) if choices.below(2) == 0 => {
                    format!("{{\"two\":{}}}", document(choices, payload, defs))
                }
                _ => choices.one_of(&["\"one\"", "\"two\"", "\"\\u006fne\""]).into(),
            },
            TypeDef::Record(def) => object(choices, def, defs),
        },
    }
}

/// An object for the record: fields in any order, some absent, some twice, others among them.
fn object(choices: &mut Choices, def: &RecordDef, defs: &TypeDefs) -> String {
    let mut entries = Vec::new();
    for field in &def.fields {
        if choices.below(if matches!(field.ty, Type::Optional(_) | Type::Json) { 2 } else { 30 }) == 1 {
            continue;
        }
        let key = match choices.below(6) {
            0 if field.name == "alpha" => "\"\\u0061lpha\"".to_owned(),
            _ => format!("\"{}\"", field.name),
        };
        entries.push(format!("{key}:{}", document(choices, &field.ty, defs)));
    }
    for _ in 0..choices.below(3) {
        let key = choices.one_of(&["\"extra\"", "\"more\"", "\"ex\\u0074ra\"", "\"last\""]);
        entries.push(format!("{key}:{}", any_json(choices, 2)));
    }
    if choices.below(25) == 1 && !entries.is_empty() {
        entries.push(entries[0].clone());
    }
    if choices.below(3) == 1 {
        entries.reverse();
    }
    format!("{{{}}}", entries.join(choices.one_of(&[",", " ,\n"])))
}

fn any_json(choices: &mut Choices, depth: u32) -> String {
    match choices.below(if depth == 0 { 5 } else { 8 }) {
        0 => "null".into(),
        1 => "true".into(),
        2 => choices.one_of(&["1", "-1.5", "1e9", "01", "1e999"]).into(),
        3 | 4 => choices.one_of(&["\"x\"", "\"\\q\"", "\"\\ud800\"", "\"\u{7}\""]).into(),
        5 => format!("[{},{}]", any_json(choices, depth - 1), any_json(choices, depth - 1)),
        6 => "[".repeat(choices.below(70) as usize) + &"]".repeat(choices.below(70) as usize),
        _ => {
            let keys = [choices.one_of(&["a", "b"]), choices.one_of(&["a", "c", "d"])];
            let values = keys.map(|key| format!("\"{key}\":{}", any_json(choices, depth - 1)));
            format!("{{{}}}", values.join(","))
        }
    }
}

/// Both readers agree on whether the document is accepted, on its value, and on what is wrong with it.
fn agree(body: &[u8], ty: &Type, defs: &Arc<TypeDefs>) -> Result<bool, TestCaseError> {
    let reader = AnswerReader::new(ty, defs, Shape::new(ty, defs)).unwrap();
    let expected = decode(body, ty, defs);
    let flat = reader.laid_out(body);
    prop_assert_eq!(
        flat.is_some(),
        expected.is_ok(),
        "{:?} as {}",
        String::from_utf8_lossy(body),
        defs.show(ty)
    );
    let found = reader.read(body).map(|answer| match answer {
        Answer::Flat(flat) => flat.to_value().unwrap(),
        Answer::Value(value) => value,
    });
    prop_assert_eq!(&found, &expected);
    // Numbers are compared bit by bit, so that zeros have one sign.
    prop_assert_eq!(format!("{found:?}"), format!("{expected:?}"));
    Ok(expected.is_ok())
}

fn config() -> Config {
    // `PROPTEST_CASES=100000` makes a long run.
    let cases = Config::default().cases.max(1_000);
    Config { cases, rng_seed: RngSeed::Fixed(20_261_122), failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn answers_are_read_as_the_reference_reads_them(numbers in prop::collection::vec(any::<u32>(), 0..200)) {
        let (mut choices, mut defs) = (Choices(numbers.into_iter()), TypeDefs::new());
        let ty = ty(&mut choices, &mut defs, 3);
        let document = document(&mut choices, &ty, &defs);
        agree(document.as_bytes(), &ty, &Arc::new(defs))?;
    }

    #[test]
    fn damaged_answers_too(
        numbers in prop::collection::vec(any::<u32>(), 0..200),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..3),
    ) {
        let (mut choices, mut defs) = (Choices(numbers.into_iter()), TypeDefs::new());
        let ty = ty(&mut choices, &mut defs, 3);
        let mut document = document(&mut choices, &ty, &defs).into_bytes();
        for (index, byte) in changes {
            let at = index.index(document.len());
            document[at] = byte;
        }
        agree(&document, &ty, &Arc::new(defs))?;
    }
}

#[test]
fn most_documents_of_the_generator_are_accepted() {
    let (mut accepted, mut number) = (0, 99_u32);
    for _ in 0..500 {
        let numbers: Vec<u32> = std::iter::repeat_with(|| {
            number ^= number << 13;
            number ^= number >> 17;
            number ^= number << 5;
            number
        })
        .take(200)
        .collect();
        let (mut choices, mut defs) = (Choices(numbers.into_iter()), TypeDefs::new());
        let ty = ty(&mut choices, &mut defs, 3);
        let document = document(&mut choices, &ty, &defs);
        accepted += u32::from(agree(document.as_bytes(), &ty, &Arc::new(defs)).unwrap());
    }
    assert!((150..450).contains(&accepted), "{accepted} of 500");
}

#[test]
fn limits_are_those_of_the_reference() {
    let defs = Arc::new(TypeDefs::new());
    let list = |count: usize| format!("[{}]", vec!["1"; count].join(","));
    let ints = Type::list(Type::INT);
    for (count, accepted) in [(100_000, true), (100_001, false)] {
        assert_eq!(agree(list(count).as_bytes(), &ints, &defs).unwrap(), accepted, "{count}");
    }
    let mut nested = Type::INT;
    for _ in 0..65 {
        nested = Type::list(nested);
    }
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    for (levels, accepted) in [(64, true), (65, false)] {
        assert_eq!(agree(deep(levels).as_bytes(), &nested, &defs).unwrap(), accepted, "{levels}");
    }
    let large = format!("\"{}\"", "x".repeat(CALL_BODY_BYTES_MAX - 2));
    assert!(agree(large.as_bytes(), &Type::STRING, &defs).unwrap());
    assert!(!agree(format!("{large} ").as_bytes(), &Type::STRING, &defs).unwrap());
    assert!(!agree(b"\"\xff\"", &Type::STRING, &defs).unwrap());
}

#[test]
fn a_shape_of_another_type_is_refused() {
    let defs = Arc::new(TypeDefs::new());
    assert!(AnswerReader::new(&Type::INT, &defs, Shape::new(&Type::FLOAT, &defs)).is_none());
    assert!(AnswerReader::new(&Type::Url, &defs, Shape::new(&Type::STRING, &defs)).is_some());
}
