use proptest::prelude::*;

use super::*;
use crate::amount::{Amount, Currency};
use crate::arbitrary::typed_value;
use crate::decode::{check, decode};
use crate::ocb::{Item, Profile};
use crate::types::{FieldDef, VariantDef};

fn sample() -> (TypeDefs, Type, Value) {
    let mut defs = TypeDefs::new();
    let variant = |name: &str, wire: &str, payload| VariantDef {
        name: name.into(),
        wire: wire.into(),
        payload,
        doc: String::new(),
    };
    let period = defs.push(TypeDef::Enum(EnumDef {
        name: "Period".into(),
        variants: vec![
            variant("PastWeek", "\"PAST_WEEK\"", None),
            variant("Days", "\"days\"", Some(Type::INT)),
            variant("Other", "", Some(Type::STRING)),
        ],
        wire: EnumWire::Literal,
        doc: String::new(),
    }));
    let fields = [
        ("query", Type::STRING),
        ("periods", Type::list(Type::Named(period))),
        ("limit", Type::INT.optional()),
        ("extra", Type::Json),
        ("price", Type::Amount),
        ("at", Type::Time),
        ("share", Type::FLOAT),
    ];
    let fields = fields.map(|(name, ty)| FieldDef { name: name.into(), ty, doc: String::new() });
    let record = RecordDef { name: "Request".into(), fields: fields.into(), doc: String::new() };
    let ty = Type::Named(defs.push(TypeDef::Record(record)));
    let value = Value::record([
        Value::string("a \"b\""),
        Value::list([
            Value::Variant(0, None),
            Value::Variant(1, Some(Value::Int(3).into())),
            Value::Variant(2, Some(Value::string("x").into())),
        ]),
        Value::Null,
        Value::Json(Json::Null),
        Value::Amount(Amount::new(20_000, Currency::MicroUsd)),
        Value::Time(0),
        Value::Float(1.0),
    ]);
    (defs, ty, value)
}

#[test]
fn requests_keep_declared_order_and_leave_absent_fields_out() {
    let (defs, ty, value) = sample();
    assert_eq!(
        to_json(&value, &ty, &defs).unwrap(),
        r#"{"query":"a \"b\"","periods":["PAST_WEEK",{"days":3},"x"],"price":"0.02USD","at":"1970-01-01T00:00:00Z","share":1.0}"#
    );
}

#[test]
fn canonical_bytes_name_variants_and_count_money() {
    let (defs, ty, value) = sample();
    let named = |key: &str, item| Item::text_map([(key.to_owned(), item)]);
    let wanted = Item::text_map([
        ("at".into(), Item::Uint(0)),
        ("price".into(), named("micro_usd", Item::Uint(20_000))),
        ("query".into(), "a \"b\"".into()),
        ("share".into(), Item::Float(1.0)),
        (
            "periods".into(),
            Item::array(["PastWeek".into(), named("Days", Item::Uint(3)), named("Other", "x".into())]),
        ),
    ]);
    assert_eq!(to_item(&value, &ty, &defs).unwrap(), wanted);
    let bytes = canonical(&value, &ty, &defs).unwrap();
    assert_eq!(bytes, wanted.encode(Profile::Value).unwrap());
    assert_eq!(from_canonical(&bytes, &ty, &defs).unwrap(), value);
}

#[test]
fn bytes_of_another_value_are_refused() {
    let (defs, ty, _) = sample();
    let id = defs.iter().find(|(_, def)| def.name() == "Period").unwrap().0;
    let period = Type::Named(id);
    for item in [
        Item::text_map([]),
        Item::from("Nope"),
        Item::from("Days"),
        Item::text_map([("PastWeek".into(), Item::Null)]),
        Item::Uint(0),
    ] {
        assert!(from_item(&item, &period, &defs).is_err(), "{item:?}");
    }
    let mut defs = TypeDefs::new();
    let field = FieldDef { name: "a".into(), ty: Type::INT.optional(), doc: String::new() };
    let record = RecordDef { name: "R".into(), fields: vec![field], doc: String::new() };
    let ty_r = Type::Named(defs.push(TypeDef::Record(record)));
    assert!(from_item(&Item::text_map([]), &ty_r, &defs).is_ok());
    for key in ["a", "b"] {
        // An absent field is a key left out, so a `null` would be a second spelling.
        let item = Item::text_map([(key.into(), Item::Null)]);
        assert!(from_item(&item, &ty_r, &defs).is_err(), "{key}");
    }
    assert!(from_canonical(b"\xa0\x00", &ty, &defs).is_err());
}

#[test]
fn a_value_of_another_type_is_not_written() {
    let (defs, ty, value) = sample();
    for (value, ty) in [
        (&value, &Type::INT),
        (&Value::Int(1), &ty),
        (&Value::record([]), &ty),
        (&Value::Null, &Type::STRING),
    ] {
        assert!(matches!(to_json(value, ty, &defs), Err(EncodeError::Misfit { .. })));
        assert!(matches!(canonical(value, ty, &defs), Err(EncodeError::Misfit { .. })));
    }
    let late = Value::Time(i64::MAX);
    assert!(matches!(to_json(&late, &Type::Time, &defs), Err(EncodeError::NotJson { .. })));
    let nan = Value::Float(f64::NAN);
    assert!(matches!(to_json(&nan, &Type::FLOAT, &defs), Err(EncodeError::NotJson { .. })));
    assert!(matches!(canonical(&nan, &Type::FLOAT, &defs), Err(EncodeError::Canonical(_))));
}

#[test]
fn a_discriminator_says_what_was_chosen() {
    let mut defs = TypeDefs::new();
    let field = FieldDef { name: "kind".into(), ty: Type::STRING, doc: String::new() };
    let cat =
        defs.push(TypeDef::Record(RecordDef { name: "Cat".into(), fields: vec![field], doc: String::new() }));
    let pet = Type::Named(defs.push(TypeDef::Enum(EnumDef {
        name: "Pet".into(),
        variants: vec![VariantDef {
            name: "Cat".into(),
            wire: "\"cat\"".into(),
            payload: Some(Type::Named(cat)),
            doc: String::new(),
        }],
        wire: EnumWire::Discriminator("kind".into()),
        doc: String::new(),
    })));
    let value = Value::Variant(0, Some(Value::record([Value::string("cow")]).into()));
    assert_eq!(to_json(&value, &pet, &defs).unwrap(), r#"{"kind":"cat"}"#);
}

proptest! {
    #[test]
    fn json_text_round_trips((typed, value) in typed_value()) {
        prop_assert_eq!(check(&value, &typed.ty, &typed.defs), Ok(()));
        let text = to_json(&value, &typed.ty, &typed.defs).unwrap();
        let read = decode(text.as_bytes(), &typed.ty, &typed.defs);
        prop_assert_eq!(read, Ok(value), "{}", text);
    }

    #[test]
    fn canonical_bytes_round_trip((typed, value) in typed_value()) {
        let bytes = canonical(&value, &typed.ty, &typed.defs).unwrap();
        prop_assert_eq!(from_canonical(&bytes, &typed.ty, &typed.defs), Ok(value.clone()));
        let again = Item::decode(&bytes, Profile::Value).unwrap().encode(Profile::Value);
        prop_assert_eq!(again, Ok(bytes));
    }
}
