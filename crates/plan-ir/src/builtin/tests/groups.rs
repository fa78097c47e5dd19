//! Functions that take elements together, and those of maps and JSON.

use std::collections::BTreeMap;

use super::*;
use crate::expr::ExprId;

/// `xs.op(x => body)` where `body` is built over the parameter.
fn keyed(
    op: Builtin,
    receiver: Literal,
    element: Type,
    body: impl FnOnce(&mut Program, ExprId) -> ExprId,
) -> Result<Value, TrapKind> {
    let mut program = Program::new();
    let receiver = program.constant(receiver);
    let x = program.local();
    let read = program.read(x, element);
    let body = body(&mut program, read);
    let whole = program.with_lambda(op, receiver, x, body, Type::list(Type::STRING));
    program.eval(whole).map_err(|trap| trap.kind)
}

fn first_letter(program: &mut Program, x: ExprId) -> ExprId {
    let one = program.constant(1);
    program.builtin(Builtin::Take, &[x, one], Type::STRING)
}

fn map(entries: &[(&str, Value)]) -> Value {
    let entries: BTreeMap<_, _> = entries.iter().map(|(key, value)| ((*key).into(), value.clone())).collect();
    Value::Map(entries.into())
}

fn of_map(entries: &[(&str, Value)]) -> Literal {
    (map(entries), Type::Map(Box::new(Type::INT))).into()
}

fn texts(items: &[&str]) -> Value {
    Value::list(items.iter().map(|text| Value::string(*text)))
}

#[test]
fn the_first_of_equals_stays() {
    let list = Type::list(Type::INT);
    assert_eq!(call(Builtin::Distinct, vec![vec![3, 1, 3, 2, 1].into()], list.clone()), Ok(ints(&[3, 1, 2])));
    assert_eq!(call(Builtin::Distinct, vec![Vec::<i64>::new().into()], list), Ok(ints(&[])));
    let words = || vec!["ape", "bee", "ant", "", "bat"].into();
    assert_eq!(
        keyed(Builtin::DistinctBy, words(), Type::STRING, first_letter),
        Ok(texts(&["ape", "bee", ""]))
    );
}

#[test]
fn groups_keep_the_order_of_their_elements_and_are_in_key_order() {
    let words = || vec!["bee", "ape", "bat", "ant"].into();
    let groups = map(&[("a", texts(&["ape", "ant"])), ("b", texts(&["bee", "bat"]))]);
    assert_eq!(keyed(Builtin::GroupBy, words(), Type::STRING, first_letter), Ok(groups));
    let last = map(&[("a", Value::string("ant")), ("b", Value::string("bat"))]);
    assert_eq!(keyed(Builtin::KeyBy, words(), Type::STRING, first_letter), Ok(last));
    let none = Vec::<&str>::new();
    assert_eq!(keyed(Builtin::GroupBy, none.into(), Type::STRING, first_letter), Ok(map(&[])));
}

#[test]
fn chunks_have_at_least_one_element() {
    let ty = Type::list(Type::list(Type::INT));
    let chunks = |items: Vec<i64>, n: i64| call(Builtin::Chunks, vec![items.into(), n.into()], ty.clone());
    for (n, expected) in [
        (1, vec![ints(&[1]), ints(&[2]), ints(&[3])]),
        (2, vec![ints(&[1, 2]), ints(&[3])]),
        (3, vec![ints(&[1, 2, 3])]),
        (i64::MAX, vec![ints(&[1, 2, 3])]),
        (0, vec![ints(&[1]), ints(&[2]), ints(&[3])]),
        (i64::MIN, vec![ints(&[1]), ints(&[2]), ints(&[3])]),
    ] {
        assert_eq!(chunks(vec![1, 2, 3], n), Ok(Value::list(expected)), "{n}");
    }
    assert_eq!(chunks(vec![], 2), Ok(ints(&[])));
}

#[test]
fn lists_are_put_together() {
    let list = Type::list(Type::INT);
    let two = |op, a: Vec<i64>, b: Vec<i64>| call(op, vec![a.into(), b.into()], list.clone());
    assert_eq!(two(Builtin::Concat, vec![1, 2], vec![3]), Ok(ints(&[1, 2, 3])));
    assert_eq!(two(Builtin::Concat, vec![], vec![]), Ok(ints(&[])));
    let full = two(Builtin::Concat, vec![1; 50_000], vec![1; 50_000]);
    assert_eq!(full.unwrap().as_list().map(<[Value]>::len), Some(100_000));
    let over = two(Builtin::Concat, vec![1; 50_000], vec![1; 50_001]);
    assert_eq!(over, Err(TrapKind::Quota(Quota::Elements)));
    let pair = |a, b| Value::record([Value::Int(a), Value::Int(b)]);
    assert_eq!(two(Builtin::Zip, vec![1, 2, 3], vec![7, 8]), Ok(Value::list([pair(1, 7), pair(2, 8)])));
    assert_eq!(two(Builtin::Zip, vec![1], vec![]), Ok(ints(&[])));
}

#[test]
fn what_is_not_there_is_null() {
    let maybe = Type::INT.optional();
    for (place, found) in
        [(0, Value::Int(7)), (1, Value::Int(8)), (2, Value::Null), (-1, Value::Null), (i64::MAX, Value::Null)]
    {
        assert_eq!(call(Builtin::Get, vec![vec![7, 8].into(), place.into()], maybe.clone()), Ok(found));
    }
    let entries = || of_map(&[("a", Value::Int(1))]);
    assert_eq!(call(Builtin::Get, vec![entries(), "a".into()], maybe.clone()), Ok(Value::Int(1)));
    assert_eq!(call(Builtin::Get, vec![entries(), "b".into()], maybe.clone()), Ok(Value::Null));
    assert_eq!(call(Builtin::Contains, vec![entries(), "a".into()], Type::Bool), Ok(Value::Bool(true)));
    assert_eq!(call(Builtin::Contains, vec![entries(), "b".into()], Type::Bool), Ok(Value::Bool(false)));
    for (wanted, place) in [(8, Value::Int(1)), (9, Value::Null)] {
        assert_eq!(
            call(Builtin::IndexOf, vec![vec![7, 8, 8].into(), wanted.into()], maybe.clone()),
            Ok(place)
        );
    }
    let items = Value::list([Value::Null, Value::Int(1), Value::Null]);
    let present = call(Builtin::Present, vec![(items, Type::list(maybe)).into()], Type::list(Type::INT));
    assert_eq!(present, Ok(ints(&[1])));
}

#[test]
fn of_json_the_null_is_jsons() {
    let null = Ok(Value::Json(Json::Null));
    let list = || Literal(Value::list([]), Type::list(Type::Json));
    for op in [Builtin::First, Builtin::Last] {
        assert_eq!(call(op, vec![list()], Type::Json), null);
    }
    assert_eq!(call(Builtin::Get, vec![list(), 0.into()], Type::Json), null);
    // The other form of the same value is looked into alike.
    let absent = || Literal(Value::Null, Type::Json);
    assert_eq!(call(Builtin::Get, vec![absent(), "a".into()], Type::Json), null);
    assert_eq!(call(Builtin::Kind, vec![absent()], Type::STRING), Ok(Value::string("null")));
}

#[test]
fn reading_one_element_does_not_cost_the_whole_list() {
    let mut program = Program::new();
    let list = program.constant(vec![1; 100_000]);
    let place = program.constant(5);
    let whole = program.builtin(Builtin::Get, &[list, place], Type::INT.optional());
    let mut meter = crate::interp::Meter::new(10, 1_000);
    let fragment = program.fragment(whole);
    let found = crate::interp::eval(&program.body, &fragment, &[], &crate::interp::NoEnv, &mut meter);
    assert_eq!(found, Ok(Value::Int(1)));
}

#[test]
fn numbers_in_a_row_are_no_more_than_a_list_has() {
    let row = |a: i64, b: i64| call(Builtin::To, vec![a.into(), b.into()], Type::list(Type::INT));
    assert_eq!(row(-1, 2), Ok(ints(&[-1, 0, 1, 2])));
    assert_eq!(row(3, 3), Ok(ints(&[3])));
    assert_eq!(row(3, 2), Ok(ints(&[])));
    assert_eq!(row(i64::MAX, i64::MIN), Ok(ints(&[])));
    assert_eq!(row(i64::MAX, i64::MAX), Ok(ints(&[i64::MAX])));
    assert_eq!(row(1, 100_000).unwrap().as_list().map(<[Value]>::len), Some(100_000));
    assert_eq!(row(0, 100_000), Err(TrapKind::Quota(Quota::Elements)));
    assert_eq!(row(i64::MIN, i64::MAX), Err(TrapKind::Quota(Quota::Elements)));
}

#[test]
fn maps_are_taken_apart_and_put_together() {
    let entries = || of_map(&[("b", Value::Int(2)), ("a", Value::Int(1))]);
    let list = Type::list(Type::INT);
    assert_eq!(call(Builtin::Keys, vec![entries()], list.clone()), Ok(texts(&["a", "b"])));
    assert_eq!(call(Builtin::Values, vec![entries()], list.clone()), Ok(ints(&[1, 2])));
    let entry = |key: &str, value| Value::record([Value::string(key), Value::Int(value)]);
    let expected = Value::list([entry("a", 1), entry("b", 2)]);
    assert_eq!(call(Builtin::Entries, vec![entries()], list), Ok(expected));
    let other = of_map(&[("b", Value::Int(7)), ("c", Value::Int(8))]);
    let merged = map(&[("a", Value::Int(1)), ("b", Value::Int(7)), ("c", Value::Int(8))]);
    assert_eq!(call(Builtin::Merge, vec![entries(), other], Type::Map(Box::new(Type::INT))), Ok(merged));
    let above_one = |program: &mut Program, x| {
        let one = program.constant(1);
        program.add(Expr::Binary(BinaryOp::Greater, x, one), Type::Bool)
    };
    let mapped = map(&[("a", Value::Bool(false)), ("b", Value::Bool(true))]);
    assert_eq!(keyed(Builtin::MapValues, entries(), Type::INT, above_one), Ok(mapped));
}

#[test]
fn json_is_looked_into_without_failing() {
    let array = Json::Array([Json::Int(1), Json::Null].into());
    let object = Json::Object(BTreeMap::from([("a".into(), array.clone())]).into());
    let get = |json: &Json, at: Literal| {
        call(Builtin::Get, vec![(Value::Json(json.clone()), Type::Json).into(), at], Type::Json)
    };
    let null = Ok(Value::Json(Json::Null));
    assert_eq!(get(&object, "a".into()), Ok(Value::Json(array.clone())));
    assert_eq!(get(&object, "b".into()), null);
    assert_eq!(get(&object, 0.into()), null);
    assert_eq!(get(&array, 0.into()), Ok(Value::Json(Json::Int(1))));
    assert_eq!(get(&array, 2.into()), null);
    assert_eq!(get(&array, (-1).into()), null);
    assert_eq!(get(&Json::Int(1), "a".into()), null);
    let of = |op, json: &Json, ty| call(op, vec![(Value::Json(json.clone()), Type::Json).into()], ty);
    assert_eq!(of(Builtin::Keys, &object, Type::list(Type::STRING)), Ok(texts(&["a"])));
    assert_eq!(of(Builtin::Keys, &array, Type::list(Type::STRING)), Ok(texts(&[])));
    for (json, kind) in [
        (Json::Null, "null"),
        (Json::Bool(true), "bool"),
        (Json::Int(1), "number"),
        (Json::Float(0.5), "number"),
        (Json::String("x".into()), "string"),
        (array, "array"),
        (object, "object"),
    ] {
        assert_eq!(of(Builtin::Kind, &json, Type::STRING), Ok(Value::string(kind)));
    }
}
