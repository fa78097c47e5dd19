use super::*;
use crate::amount::{Amount, Currency};
use crate::limits::{JSON_DEPTH_MAX, LIST_ELEMENTS_MAX};
use crate::types::{
    DefId, EnumDef, FieldDef, FloatRange, IntRange, LengthRange, RecordDef, TypeDef, VariantDef,
};

fn field(name: &str, ty: Type) -> FieldDef {
    FieldDef { name: name.into(), ty, doc: String::new() }
}

fn variant(name: &str, wire: &str, payload: Option<Type>) -> VariantDef {
    VariantDef { name: name.into(), wire: wire.into(), payload, doc: String::new() }
}

fn record(defs: &mut TypeDefs, name: &str, fields: Vec<FieldDef>) -> Type {
    Type::Named(defs.push(TypeDef::Record(RecordDef { name: name.into(), fields, doc: String::new() })))
}

fn enumeration(defs: &mut TypeDefs, wire: EnumWire, variants: Vec<VariantDef>) -> Type {
    let def = EnumDef { name: "Choice".into(), variants, wire, doc: String::new() };
    Type::Named(defs.push(TypeDef::Enum(def)))
}

/// The value, or code, path and message of the failure.
fn read(text: &str, ty: &Type, defs: &TypeDefs) -> Result<Value, String> {
    let direct = decode(text.as_bytes(), ty, defs);
    if let Ok(json) = parse_json(text.as_bytes()) {
        let place = |result: Result<Value, DecodeError>| result.map_err(|error| (error.code, error.path));
        let tree = decode_json(&json, ty, defs);
        assert_eq!(place(tree), place(direct.clone()), "text and tree agree on {text}");
    }
    if let Ok(value) = &direct {
        assert_eq!(check(value, ty, defs), Ok(()), "what was read fits: {text}");
    }
    direct.map_err(|error| format!("{} {} {}", error.code, error.path, error.message))
}

fn scalar(text: &str, ty: &Type) -> Result<Value, String> {
    read(text, ty, &TypeDefs::new())
}

#[test]
fn integers_are_exact_or_refused() {
    let ty = Type::INT;
    for (text, value) in [
        ("0", 0),
        ("-0", 0),
        ("1.0", 1),
        ("1e3", 1000),
        ("9223372036854775807", i64::MAX),
        ("-9223372036854775808", i64::MIN),
        ("9007199254740992.0", 1 << 53),
    ] {
        assert_eq!(scalar(text, &ty), Ok(Value::Int(value)), "{text}");
    }
    for bad in ["1.5", "9223372036854775808", "9007199254740994.0", "1e300", "\"1\"", "true", "null", "[]"] {
        assert!(scalar(bad, &ty).unwrap_err().starts_with("E1120 $ expected Int, found "), "{bad}");
    }
    let small = Type::Int(IntRange { min: 0, max: 100 });
    assert_eq!(scalar("101", &small).unwrap_err(), "E1120 $ expected Int(0..100), found 101");
    // Digits that were not written are not shown.
    for (text, found) in [
        ("18446744073709551615", "18446744073709551615"),
        ("99999999999999999999", "about 1e20, which is beyond 64 bits"),
        ("12345678901234567.0", "about 1.2345678901234568e16"),
        ("1.5", "1.5"),
    ] {
        let message = format!("E1120 $ expected Int(0..100), found {found}");
        assert_eq!(scalar(text, &small).unwrap_err(), message);
    }
    let read = decode_json(&parse_json(b"9223372036854775808").unwrap(), &small, &TypeDefs::default());
    let message = "expected Int(0..100), found about 9.223372036854776e18, which is beyond 64 bits";
    assert_eq!(read.unwrap_err().message, message);
    assert_eq!(scalar("-1.0", &small).unwrap_err(), "E1120 $ expected Int(0..100), found -1");
}

#[test]
fn floats_are_finite_and_have_one_zero() {
    let share = Type::Float(FloatRange { min: 0.0, max: 1.0 });
    assert_eq!(scalar("1", &share), Ok(Value::Float(1.0)));
    assert_eq!(scalar("0.1", &share), Ok(Value::Float(0.1)));
    let Ok(Value::Float(zero)) = scalar("-0.0", &share) else { panic!() };
    assert!(zero.is_sign_positive());
    assert!(scalar("1.5", &share).unwrap_err().starts_with("E1120"));
    for not_json in ["NaN", "Infinity", "1e400", "-1e400"] {
        assert!(scalar(not_json, &Type::FLOAT).unwrap_err().starts_with("E1123 $ "), "{not_json}");
    }
    // The nearest double, as every other reader takes it.
    assert_eq!(
        scalar("0.017333333333333333333", &Type::FLOAT),
        Ok(Value::Float("0.017333333333333333333".parse().unwrap()))
    );
}

#[test]
fn text_like_scalars() {
    let three = Type::String(LengthRange { min: 1, max: Some(3) });
    assert_eq!(scalar("\"äöü\"", &three), Ok(Value::string("äöü")));
    assert_eq!(scalar("\"abcd\"", &three).unwrap_err(), "E1120 $ expected String(1..3), found 4 characters");
    assert!(scalar("\"\"", &three).is_err());
    assert_eq!(scalar("\"PT4S\"", &Type::Duration), Ok(Value::Duration(4_000_000)));
    assert_eq!(scalar("\"1970-01-01T00:00:01Z\"", &Type::Time), Ok(Value::Time(1_000_000)));
    let two_cents = Amount::new(20_000, Currency::MicroUsd);
    assert_eq!(scalar("\"0.02USD\"", &Type::Amount), Ok(Value::Amount(two_cents)));
    let bytes = Type::Bytes(LengthRange::up_to(2));
    assert_eq!(scalar("\"aGk=\"", &bytes), Ok(Value::Bytes(b"hi"[..].into())));
    assert!(scalar("\"aGkh\"", &bytes).is_err());
    assert!(scalar("\"https://a.example\"", &Type::Url).is_ok());
    for (text, ty) in [
        ("\"a.example\"", Type::Url),
        ("\"yesterday\"", Type::Time),
        ("\"4s\"", Type::Duration),
        ("\"2 cents\"", Type::Amount),
        ("\"?\"", Type::Bytes(LengthRange::FULL)),
        ("7", Type::STRING),
    ] {
        assert!(scalar(text, &ty).unwrap_err().starts_with("E1120 $ "), "{text}");
    }
    assert!(scalar("\"\\ud800\"", &Type::STRING).unwrap_err().starts_with("E1123"));
    assert!(decode(b"\"\xff\"", &Type::STRING, &TypeDefs::new()).is_err());
}

fn page() -> (TypeDefs, Type) {
    let mut defs = TypeDefs::new();
    let hit = record(
        &mut defs,
        "Hit",
        vec![field("link", Type::Url), field("title", Type::STRING.optional()), field("raw", Type::Json)],
    );
    let page =
        record(&mut defs, "Page", vec![field("data", Type::List(Box::new(hit), LengthRange::up_to(2)))]);
    (defs, page)
}

#[test]
fn records_read_open_and_name_the_misfit() {
    let (defs, page) = page();
    let hit = |title| Value::record([Value::string("https://a.example"), title, Value::Json(Json::Null)]);
    let good = [
        r#"{"data": [{"link": "https://a.example", "title": null}]}"#,
        r#"{"x": {"deep": [1, {"a": 1}]}, "data": [{"raw": null, "y": 1, "link": "https://a.example"}]}"#,
    ];
    for text in good {
        let wanted = Value::record([Value::list([hit(Value::Null)])]);
        assert_eq!(read(text, &page, &defs), Ok(wanted), "{text}");
    }
    for (text, error) in [
        (
            r#"{"data": [{"link": "https://a.example"}, {"link": "a"}]}"#,
            "E1120 $.data[1].link expected Url, found a text that is none: relative URL without a base",
        ),
        (r#"{"data": [{"title": "t"}]}"#, "E1120 $.data[0].link expected Url, but `link` is missing"),
        (r#"{"data": [{"link": null}]}"#, "E1120 $.data[0].link expected Url, found null"),
        (r#"{"data": [[]]}"#, "E1120 $.data[0] expected Hit, found an array"),
        ("[]", "E1120 $ expected Page, found an array"),
    ] {
        assert_eq!(read(text, &page, &defs).unwrap_err(), error);
    }
    let one = r#"{"link": "https://a.example"}"#;
    let three = format!(r#"{{"data": [{one}, {one}, {one}]}}"#);
    assert_eq!(
        read(&three, &page, &defs).unwrap_err(),
        "E1120 $.data expected [Hit](..2), found more elements"
    );
}

#[test]
fn duplicate_keys_are_refused_at_every_level() {
    let (defs, page) = page();
    for (text, path) in [
        (r#"{"data": [], "data": []}"#, "$.data"),
        (r#"{"x": 1, "data": [], "x": 1}"#, "$.x"),
        (r#"{"x": [{"a": 1, "\u0061": 2}], "data": []}"#, "$.x[0].a"),
        (
            r#"{"data": [{"link": "https://a.example", "raw": {"a b": {"c": 0, "c": 0}}}]}"#,
            "$.data[0].raw[\"a b\"].c",
        ),
    ] {
        let error = decode(text.as_bytes(), &page, &defs).unwrap_err();
        assert_eq!((error.code, error.path.as_str()), (DUPLICATE_KEY, path), "{text}");
    }
    let map = Type::Map(Box::new(Type::INT));
    assert_eq!(decode(br#"{"a": 1, "a": 1}"#, &map, &defs).unwrap_err().code, DUPLICATE_KEY);
    assert_eq!(
        decode(br#"{"ok": 1, "ok": 1}"#, &Type::Result(Box::new(Type::INT), Box::new(Type::INT)), &defs)
            .unwrap_err()
            .code,
        DUPLICATE_KEY
    );
}

#[test]
fn limits_hold_at_n_and_not_at_n_plus_1() {
    let defs = TypeDefs::new();
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(decode(nested(JSON_DEPTH_MAX).as_bytes(), &Type::Json, &defs).is_ok());
    let error = decode(nested(JSON_DEPTH_MAX + 1).as_bytes(), &Type::Json, &defs).unwrap_err();
    assert_eq!(error.code, TOO_LARGE);
    let mut table = TypeDefs::new();
    let empty = record(&mut table, "Empty", vec![]);
    let ignored = format!("{{\"x\": {}}}", nested(JSON_DEPTH_MAX));
    assert_eq!(decode(ignored.as_bytes(), &empty, &table).unwrap_err().code, TOO_LARGE);

    let numbers = |count: usize| format!("[0{}]", ",0".repeat(count - 1));
    for ty in [Type::Json, Type::list(Type::INT)] {
        assert!(decode(numbers(LIST_ELEMENTS_MAX).as_bytes(), &ty, &defs).is_ok());
        let error = decode(numbers(LIST_ELEMENTS_MAX + 1).as_bytes(), &ty, &defs).unwrap_err();
        assert_eq!(error.code, TOO_LARGE);
    }

    let text = |bytes: usize| format!("\"{}\"", "a".repeat(bytes - 2));
    assert!(decode(text(CALL_BODY_BYTES_MAX).as_bytes(), &Type::STRING, &defs).is_ok());
    let error = decode(text(CALL_BODY_BYTES_MAX + 1).as_bytes(), &Type::STRING, &defs).unwrap_err();
    assert_eq!(error.code, TOO_LARGE);
}

#[test]
fn enums_by_literal() {
    let mut defs = TypeDefs::new();
    let period = enumeration(
        &mut defs,
        EnumWire::Literal,
        vec![
            variant("PastWeek", "\"PAST_WEEK\"", None),
            variant("Quote", "\"a\\\"b\"", None),
            variant("V3", "3", None),
            variant("True", "true", None),
            variant("Custom", "\"custom\"", Some(Type::INT)),
        ],
    );
    for (text, place) in [("\"PAST_WEEK\"", 0), ("\"a\\\"b\"", 1), ("3", 2), ("3.0", 2), ("true", 3)] {
        assert_eq!(read(text, &period, &defs), Ok(Value::Variant(place, None)), "{text}");
    }
    let custom = Value::Variant(4, Some(Value::Int(5).into()));
    assert_eq!(read(r#"{"custom": 5, "note": 1}"#, &period, &defs), Ok(custom));
    assert_eq!(
        read("\"PAST_DAY\"", &period, &defs).unwrap_err(),
        r#"E1120 $ expected Choice ("PAST_WEEK", "a\"b", 3, true), found `PAST_DAY`"#
    );
    for bad in ["4", "false", "{}", "[]", "null", "\"custom\"", r#"{"custom": "x"}"#] {
        assert!(read(bad, &period, &defs).is_err(), "{bad}");
    }
    let many = (0..20).map(|n| variant(&format!("V{n}"), &n.to_string(), None)).collect();
    let many = enumeration(&mut defs, EnumWire::Literal, many);
    let refused = read("20", &many, &defs).unwrap_err();
    assert!(refused.ends_with("10, 11 and 8 more), found 20"), "{refused}");
    let open = enumeration(
        &mut defs,
        EnumWire::Literal,
        vec![variant("A", "\"a\"", None), variant("Other", "", Some(Type::STRING))],
    );
    assert_eq!(read("\"a\"", &open, &defs), Ok(Value::Variant(0, None)));
    assert_eq!(read("\"b\"", &open, &defs), Ok(Value::Variant(1, Some(Value::string("b").into()))));
}

#[test]
fn unions_by_kind_and_by_discriminator() {
    let mut defs = TypeDefs::new();
    let content = enumeration(
        &mut defs,
        EnumWire::Untagged,
        vec![
            variant("Text", "\"string\"", Some(Type::STRING)),
            variant("List", "\"array\"", Some(Type::list(Type::Json))),
        ],
    );
    assert_eq!(read("\"x\"", &content, &defs), Ok(Value::Variant(0, Some(Value::string("x").into()))));
    assert_eq!(read("[]", &content, &defs), Ok(Value::Variant(1, Some(Value::list([]).into()))));
    assert_eq!(read("1", &content, &defs).unwrap_err(), "E1120 $ expected Choice, found 1");
    assert_eq!(read("null", &content.clone().optional(), &defs), Ok(Value::Null));

    let cat = record(&mut defs, "Cat", vec![field("kind", Type::STRING), field("lives", Type::INT)]);
    let dog = record(&mut defs, "Dog", vec![field("kind", Type::STRING)]);
    let pet = enumeration(
        &mut defs,
        EnumWire::Discriminator("kind".into()),
        vec![variant("Cat", "\"cat\"", Some(cat)), variant("Dog", "\"dog\"", Some(dog))],
    );
    let cat = Value::record([Value::string("cat"), Value::Int(9)]);
    assert_eq!(read(r#"{"lives": 9, "kind": "cat"}"#, &pet, &defs), Ok(Value::Variant(0, Some(cat.into()))));
    let list = Type::list(pet);
    for (text, path) in [
        (r#"[{"kind": "cat"}]"#, "$[0].lives"),
        (r#"[{"kind": "cow"}]"#, "$[0].kind"),
        (r#"[{}]"#, "$[0].kind"),
    ] {
        assert_eq!(decode(text.as_bytes(), &list, &defs).unwrap_err().path, path);
    }
}

#[test]
fn recursive_records_results_and_maps() {
    let mut defs = TypeDefs::new();
    let tree = record(&mut defs, "Tree", vec![field("children", Type::list(Type::Named(DefId(0))))]);
    let error = decode(br#"{"children": [{"children": [{}]}]}"#, &tree, &defs).unwrap_err();
    assert_eq!(error.path, "$.children[0].children[0].children");
    let result = Type::Result(Box::new(Type::INT), Box::new(Type::STRING));
    assert_eq!(read(r#"{"ok": 1}"#, &result, &defs), Ok(Value::ok(Value::Int(1))));
    assert_eq!(read(r#"{"err": "x"}"#, &result, &defs), Ok(Value::err(Value::string("x"))));
    assert!(read(r#"{"ok": 1, "err": "x"}"#, &result, &defs).is_err());
    assert!(read("{}", &result, &defs).is_err());
    let map = Type::Map(Box::new(Type::INT));
    assert_eq!(decode(br#"{"a-1": 1, "b c": "x"}"#, &map, &defs).unwrap_err().path, "$[\"b c\"]");
}

#[test]
fn text_answers() {
    let mut defs = TypeDefs::new();
    let word = enumeration(
        &mut defs,
        EnumWire::Literal,
        vec![variant("Ahead", "\"Ahead\"", None), variant("Behind", "\"Behind\"", None)],
    );
    let text = |text: &str, ty: &Type| decode_text(text, ty, &defs).ok();
    assert_eq!(text("{\"a\": 1}", &Type::STRING), Some(Value::string("{\"a\": 1}")));
    assert_eq!(text(" https://a.example\n", &Type::Url), Some(Value::string("https://a.example")));
    assert_eq!(text("Ahead\n", &word), Some(Value::Variant(0, None)));
    assert_eq!(text("\"Behind\"", &word), Some(Value::Variant(1, None)));
    assert_eq!(text("sideways", &word), None);
    let list = Type::list(Type::INT);
    let three = Some(Value::list([Value::Int(3)]));
    for fenced in ["[3]", "```json\n[3]\n```", "```\n[3]```", "\n ```JSON \r\n[3]\n```\n"] {
        assert_eq!(text(fenced, &list), three, "{fenced}");
    }
    assert_eq!(decode_text("Sure! [3]", &list, &defs).unwrap_err().code, NOT_JSON);
    assert_eq!(text("plain", &Type::Json), None);
    let body = |body: &[u8], form, ty: &Type| decode_body(body, form, ty, &defs);
    assert_eq!(body(b"hi", ResponseBody::Text, &Type::STRING), Ok(Value::string("hi")));
    assert_eq!(body(b"\xff", ResponseBody::Text, &Type::STRING).unwrap_err().code, NOT_JSON);
    let bytes = Type::Bytes(LengthRange::up_to(2));
    assert_eq!(body(b"\xff", ResponseBody::Bytes, &bytes), Ok(Value::Bytes(b"\xff"[..].into())));
    assert_eq!(body(b"abc", ResponseBody::Bytes, &bytes).unwrap_err().code, MISFIT);
}

#[test]
fn casts_decode_narrow_and_keep() {
    let mut defs = TypeDefs::new();
    let word = enumeration(&mut defs, EnumWire::Literal, vec![variant("A", "\"a\"", None)]);
    let small = Type::Int(IntRange { min: 0, max: 9 });
    let share = Type::Float(FloatRange { min: 0.0, max: 1.0 });
    for (value, to, wanted) in [
        (Value::Json(Json::Int(3)), small.clone(), Value::Int(3)),
        (Value::Int(3), small.clone(), Value::Int(3)),
        (Value::Int(3), small.clone().optional(), Value::Int(3)),
        (Value::Float(0.5), share, Value::Float(0.5)),
        (Value::string("a"), word, Value::Variant(0, None)),
        (Value::string("PT1S"), Type::Duration, Value::Duration(1_000_000)),
        (Value::string("https://a.example"), Type::Url, Value::string("https://a.example")),
        (
            Value::list([Value::Json(Json::Int(1)), Value::Json(Json::Int(2))]),
            Type::list(small.clone()),
            Value::list([Value::Int(1), Value::Int(2)]),
        ),
    ] {
        assert_eq!(cast(&value, &to, &defs), Ok(wanted));
    }
    let list = Value::list([Value::Json(Json::Int(1)), Value::Json(Json::Int(10))]);
    assert_eq!(cast(&list, &Type::list(small.clone()), &defs).unwrap_err().path, "$[1]");
    assert_eq!(cast(&Value::Int(10), &small, &defs).unwrap_err().message, "expected Int(0..9), found 10");
    assert!(cast(&Value::string("a.example"), &Type::Url, &defs).is_err());
}

#[test]
fn check_follows_the_declared_layout() {
    let (defs, page) = page();
    let hit = Value::record([Value::string("https://a.example"), Value::Null, Value::Json(Json::Null)]);
    assert_eq!(check(&Value::record([Value::list([hit.clone()])]), &page, &defs), Ok(()));
    let bad = Value::record([Value::list([hit, Value::record([Value::Null, Value::Null])])]);
    let error = check(&bad, &page, &defs).unwrap_err();
    assert_eq!((error.path.as_str(), error.code), ("$.data[1]", MISFIT));
    assert!(check(&Value::Float(f64::NAN), &Type::FLOAT, &defs).is_err());
    assert!(check(&Value::Float(f64::INFINITY), &Type::FLOAT, &defs).is_err());
}

#[test]
fn exact_reading_refuses_what_a_record_does_not_have() {
    let mut defs = TypeDefs::new();
    let dog = record(&mut defs, "Dog", vec![field("name", Type::STRING)]);
    let union = enumeration(
        &mut defs,
        EnumWire::Discriminator("kind".into()),
        vec![variant("Dog", "\"dog\"", Some(dog.clone()))],
    );
    let list = Type::List(Box::new(dog.clone()), LengthRange::FULL);
    let exact = |text: &str, ty: &Type| {
        decode_exact(&parse_json(text.as_bytes()).unwrap(), ty, &defs)
            .map_err(|error| format!("{} {} {}", error.code, error.path, error.message))
    };
    for (text, ty) in [
        (r#"{"name":"Rex"}"#, &dog),
        (r#"[{"name":"Rex"}]"#, &list),
        (r#"{"kind":"dog","name":"Rex"}"#, &union),
    ] {
        assert_eq!(exact(text, ty), read(text, ty, &defs), "{text}");
    }
    let refused = exact(r#"[{"name":"Rex","nmae":"x"}]"#, &list);
    assert_eq!(refused, Err("E1120 $[0].nmae `Dog` has no such field; it has `name`".into()));
    let refused = exact(r#"{"kind":"dog","name":"Rex","age":3}"#, &union);
    assert_eq!(refused, Err("E1120 $.age `Dog` has no such field; it has `name`".into()));
    assert!(read(r#"{"name":"Rex","age":3}"#, &dog, &defs).is_ok(), "a subnet may have newer fields");
}
