mod groups;
mod order;
mod scalars;
mod text;

use schema::types::{IntRange, LengthRange, Type};
use schema::value::{Json, Value};

use super::*;
use crate::expr::{BinaryOp, Expr};
use crate::interp::{Quota, TrapKind};
use crate::program::{Literal, Program};

/// `op` on constant arguments; `ty` is the type of the result.
fn call(op: Builtin, args: Vec<Literal>, ty: Type) -> Result<Value, TrapKind> {
    let mut program = Program::new();
    let args: Vec<_> = args.into_iter().map(|arg| program.constant(arg)).collect();
    let whole = program.builtin(op, &args, ty);
    program.eval(whole).map_err(|trap| trap.kind)
}

/// `xs.op(x => x > 1)`, for `Map` the comparison itself.
fn above_one(op: Builtin, items: Vec<i64>, ty: Type) -> Result<Value, TrapKind> {
    let mut program = Program::new();
    let list = program.constant(items);
    let x = program.local();
    let (value, one) = (program.read(x, Type::INT), program.constant(1));
    let test = program.add(Expr::Binary(BinaryOp::Greater, value, one), Type::Bool);
    let whole = program.with_lambda(op, list, x, test, ty);
    program.eval(whole).map_err(|trap| trap.kind)
}

fn ints(items: &[i64]) -> Value {
    Value::list(items.iter().copied().map(Value::Int))
}

#[test]
fn names_are_unique_per_receiver_and_found() {
    for builtin in Builtin::ALL {
        assert!(Builtin::named(builtin.name()).any(|found| found == builtin));
        assert!(!builtin.signature().receivers.is_empty());
        for receiver in builtin.signature().receivers {
            let found = Builtin::named(builtin.name()).filter(|found| found.is_on(*receiver));
            assert_eq!(found.collect::<Vec<_>>(), [builtin], "{receiver:?}");
        }
    }
    assert_eq!(Builtin::named("nope").next(), None);
    assert_eq!(Builtin::ALL.len(), Builtin::ALL.iter().collect::<std::collections::BTreeSet<_>>().len());
    let on_map: Vec<_> = Builtin::on(Receiver::Map).map(Builtin::name).collect();
    let expected = "len is_empty contains to_json get keys values entries merge map_values";
    assert_eq!(on_map.join(" "), expected);
}

#[test]
fn positions_in_compiled_plans_do_not_move() {
    // The position is what plan bytes hold; a reordering would silently change what old plans mean.
    let names: Vec<_> = Builtin::ALL.into_iter().map(Builtin::name).collect();
    let declared = "len is_empty filter map take skip all any flatten join contains folded normalize to_json \
                    ok errors first last trim starts_with ends_with decode \
                    sort sort_by reverse top sum min max min_by max_by average count find position \
                    distinct distinct_by group_by key_by chunks zip concat get index_of present to split lines \
                    words replace to_int to_float upper url_encoded keys values entries merge map_values abs min \
                    max clamp floor ceil round sqrt to_fixed percent_up percent_down to_seconds to_unix to_time \
                    date year month day kind scheme host path query resolve";
    assert_eq!(names.join(" "), declared);
    assert!(Builtin::ALL.into_iter().zip(0..).all(|(builtin, position)| builtin as u8 == position));
}

#[test]
fn sizes() {
    let map = (Value::Map(std::sync::Arc::new([("k".into(), Value::Int(1))].into())), Type::INT);
    for (receiver, length) in [
        (Literal::from("naïve😀"), 6),
        ("".into(), 0),
        (vec![1, 2, 3].into(), 3),
        (Vec::<i64>::new().into(), 0),
        (map.into(), 1),
    ] {
        assert_eq!(call(Builtin::Len, vec![receiver.clone()], Type::INT), Ok(Value::Int(length)));
        assert_eq!(call(Builtin::IsEmpty, vec![receiver], Type::Bool), Ok(Value::Bool(length == 0)));
    }
}

#[test]
fn lambdas_visit_every_element_in_order() {
    let list = Type::list(Type::INT);
    assert_eq!(above_one(Builtin::Filter, vec![3, 1, 2], list.clone()), Ok(ints(&[3, 2])));
    let mapped = Value::list([true, false].map(Value::Bool));
    assert_eq!(above_one(Builtin::Map, vec![2, 1], Type::list(Type::Bool)), Ok(mapped));
    for (items, all, any) in [
        (vec![2, 3], true, true),
        (vec![1, 2], false, true),
        (vec![0, 1], false, false),
        (vec![], true, false),
    ] {
        assert_eq!(above_one(Builtin::All, items.clone(), Type::Bool), Ok(Value::Bool(all)), "{items:?}");
        assert_eq!(above_one(Builtin::Any, items.clone(), Type::Bool), Ok(Value::Bool(any)), "{items:?}");
    }
    // A predicate that is no Bool.
    let mut program = Program::new();
    let (list, x) = (program.constant(vec![1]), program.local());
    let body = program.read(x, Type::INT);
    for op in [Builtin::Filter, Builtin::All, Builtin::Any] {
        let whole = program.with_lambda(op, list, x, body, Type::Bool);
        assert!(matches!(program.trap(whole), TrapKind::Malformed(_)));
    }
}

#[test]
fn slices_of_lists_and_texts() {
    let list = Type::list(Type::INT);
    for (n, taken, skipped) in [
        (0, &[][..], &[1, 2, 3][..]),
        (2, &[1, 2], &[3]),
        (3, &[1, 2, 3], &[]),
        (9, &[1, 2, 3], &[]),
        (-1, &[], &[1, 2, 3]),
    ] {
        let args = || vec![vec![1, 2, 3].into(), n.into()];
        assert_eq!(call(Builtin::Take, args(), list.clone()), Ok(ints(taken)));
        assert_eq!(call(Builtin::Skip, args(), list.clone()), Ok(ints(skipped)));
    }
    let args = || vec!["naïve".into(), 3.into()];
    assert_eq!(call(Builtin::Take, args(), Type::STRING), Ok(Value::string("naï")));
    assert_eq!(call(Builtin::Skip, args(), Type::STRING), Ok(Value::string("ve")));
}

#[test]
fn ends_of_lists() {
    let maybe = Type::INT.optional();
    assert_eq!(call(Builtin::First, vec![vec![1, 2].into()], maybe.clone()), Ok(Value::Int(1)));
    assert_eq!(call(Builtin::Last, vec![vec![1, 2].into()], maybe.clone()), Ok(Value::Int(2)));
    for op in [Builtin::First, Builtin::Last] {
        assert_eq!(call(op, vec![Vec::<i64>::new().into()], maybe.clone()), Ok(Value::Null));
    }
}

#[test]
fn flattening_stops_at_the_limit_on_lists() {
    let nested = |lists: usize, length: usize| {
        let inner = Value::list((0..length).map(|_| Value::Int(1)));
        (Value::list(vec![inner; lists]), Type::list(Type::list(Type::INT)))
    };
    let list = Type::list(Type::INT);
    let flat = call(Builtin::Flatten, vec![nested(2, 3).into()], list.clone());
    assert_eq!(flat, Ok(ints(&[1; 6])));
    let full = call(Builtin::Flatten, vec![nested(100, 1_000).into()], list.clone());
    assert_eq!(full.unwrap().as_list().map(<[Value]>::len), Some(100_000));
    let over = call(Builtin::Flatten, vec![nested(101, 1_000).into()], list);
    assert_eq!(over, Err(TrapKind::Quota(Quota::Elements)));
}

#[test]
fn joining() {
    for (parts, joined) in [(vec!["a", "b", "c"], "a, b, c"), (vec!["a"], "a")] {
        assert_eq!(
            call(Builtin::Join, vec![parts.into(), ", ".into()], Type::STRING),
            Ok(Value::string(joined))
        );
    }
    let empty = call(Builtin::Join, vec![Vec::<&str>::new().into(), ", ".into()], Type::STRING);
    assert_eq!(empty, Ok(Value::string("")));
    // 1,000 times one text of 100 kB is more than an evaluation may build.
    let large = Value::list(vec![Value::string("x".repeat(100_000)); 1_000]);
    let parts = (large, Type::list(Type::STRING));
    let over = call(Builtin::Join, vec![parts.into(), "".into()], Type::STRING);
    assert_eq!(over, Err(TrapKind::Quota(Quota::Bytes)));
}

#[test]
fn containing() {
    for (receiver, wanted, found) in [
        (Literal::from("naïve"), Literal::from("ïv"), true),
        ("naïve".into(), "iv".into(), false),
        ("a".into(), "".into(), true),
        (vec![1, 2].into(), 2.into(), true),
        (vec![1, 2].into(), 3.into(), false),
        (vec!["https://a.example"].into(), "https://a.example".into(), true),
    ] {
        assert_eq!(call(Builtin::Contains, vec![receiver, wanted], Type::Bool), Ok(Value::Bool(found)));
    }
    let on_text = |op, part: &str| call(op, vec!["naïve".into(), part.into()], Type::Bool);
    assert_eq!(on_text(Builtin::StartsWith, "naï"), Ok(Value::Bool(true)));
    assert_eq!(on_text(Builtin::StartsWith, "aï"), Ok(Value::Bool(false)));
    assert_eq!(on_text(Builtin::EndsWith, "ïve"), Ok(Value::Bool(true)));
    assert_eq!(on_text(Builtin::EndsWith, "na"), Ok(Value::Bool(false)));
}

#[test]
fn forms_of_text() {
    for (op, text, result) in [
        (Builtin::Folded, "STRASSE", "strasse"),
        (Builtin::Folded, "straße", "strasse"),
        (Builtin::Normalize, "The  Answer:\u{a0}４２!", "theanswer42"),
        (Builtin::Trim, "\t a b \n", "a b"),
    ] {
        assert_eq!(call(op, vec![text.into()], Type::STRING), Ok(Value::string(result)));
    }
}

#[test]
fn json_text_is_compact_and_in_declared_order() {
    use schema::types::{FieldDef, RecordDef, TypeDef};
    let mut program = Program::new();
    let field = |name: &str, ty| FieldDef { name: name.into(), ty, doc: String::new() };
    let def = program.body.types.push(TypeDef::Record(RecordDef {
        name: "R".into(),
        fields: vec![field("z", Type::Duration), field("a", Type::STRING), field("m", Type::INT.optional())],
        doc: String::new(),
    }));
    let record = Value::record([Value::Duration(4_000_000), Value::string("\"é\n"), Value::Null]);
    let record = program.constant((Value::list([record]), Type::list(Type::Named(def))));
    let json = program.builtin(Builtin::ToJson, &[record], Type::STRING);
    assert_eq!(program.eval(json), Ok(Value::string(r#"[{"z":"PT4S","a":"\"é\n"}]"#)));
    let text = call(Builtin::ToJson, vec!["a".into()], Type::STRING);
    assert_eq!(text, Ok(Value::string("\"a\"")));
    let list = call(Builtin::ToJson, vec![vec![1, 2].into()], Type::STRING);
    assert_eq!(list, Ok(Value::string("[1,2]")));
    let wrong = call(Builtin::ToJson, vec![Literal(Value::Int(1), Type::STRING)], Type::STRING);
    assert!(matches!(wrong, Err(TrapKind::Malformed(_))));
}

#[test]
fn results_are_sorted_apart() {
    let results =
        Value::list([Value::ok(Value::Int(1)), Value::err(Value::string("x")), Value::ok(Value::Int(2))]);
    let receiver = || Literal(results.clone(), Type::INT);
    assert_eq!(call(Builtin::Ok, vec![receiver()], Type::list(Type::INT)), Ok(ints(&[1, 2])));
    let errors = call(Builtin::Errors, vec![receiver()], Type::list(Type::STRING));
    assert_eq!(errors, Ok(Value::list([Value::string("x")])));
}

#[test]
fn decoding_a_list_keeps_what_fits() {
    let percent = Type::Int(IntRange { min: 0, max: 100 });
    let result = Type::List(Box::new(percent), LengthRange::FULL);
    let items = [Json::Int(1), Json::String("x".into()), Json::Int(101), Json::Int(2)];
    let as_list = Value::list(items.clone().map(Value::Json));
    let as_json = Value::Json(Json::Array(items.into()));
    for receiver in [as_list, as_json] {
        let decoded = call(Builtin::DecodeList, vec![Literal(receiver, Type::Json)], result.clone());
        assert_eq!(decoded, Ok(ints(&[1, 2])));
    }
    let no_array = call(Builtin::DecodeList, vec![Literal(Value::Json(Json::Int(1)), Type::Json)], result);
    assert!(matches!(no_array, Err(TrapKind::Decode { .. })));
}

#[test]
fn wrong_arguments_are_a_trap_and_never_a_panic() {
    for builtin in Builtin::ALL {
        for args in [
            vec![],
            vec![Literal::from(1)],
            vec![true.into(), 1.into()],
            vec!["a".into(), true.into()],
            vec![vec![1].into(), true.into(), 1.into()],
        ] {
            // Some of these fit some functions; what matters is that all come back.
            if let Err(kind) = call(builtin, args, Type::INT) {
                assert!(matches!(kind, TrapKind::Malformed(_)), "{builtin:?}: {kind}");
            }
        }
    }
}
