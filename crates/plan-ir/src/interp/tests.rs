use schema::amount::{Amount, Currency, Rate};
use schema::types::{
    EnumDef, EnumWire, FieldDef, IntRange, LengthRange, RecordDef, Type, TypeDef, VariantDef,
};
use schema::value::{Json, Value};

use super::*;
use crate::builtin::Builtin;
use crate::expr::{Arm, BinaryOp as Op, Expr, LocalId, Pattern, UnaryOp, Widening};
use crate::program::{Literal, Program};

fn usd(units: u64) -> Value {
    Value::Amount(Amount::new(units, Currency::MicroUsd))
}

fn rao(units: u64) -> Value {
    Value::Amount(Amount::new(units, Currency::Rao))
}

fn of(value: Value) -> Literal {
    // The operators look at values only.
    Literal(value, Type::INT)
}

fn infix(op: Op, a: Value, b: Value) -> Result<Value, TrapKind> {
    let mut program = Program::new();
    program.body.rate = Some(Rate { micro_usd_per_tao: 300_000_000 });
    let (a, b) = (program.constant(of(a)), program.constant(of(b)));
    let whole = program.binary(op, a, b);
    program.eval(whole).map_err(|trap| {
        assert_eq!(trap.expr, whole, "the operator is what traps");
        trap.kind
    })
}

#[test]
fn integers_are_checked() {
    use TrapKind::{DivisionByZero, Overflow};
    for (a, op, b, result) in [
        (7, Op::Add, -9, Ok(-2)),
        (i64::MAX, Op::Add, 1, Err(Overflow)),
        (i64::MIN, Op::Subtract, 1, Err(Overflow)),
        (i64::MAX, Op::Multiply, 2, Err(Overflow)),
        (i64::MIN, Op::Divide, -1, Err(Overflow)),
        (i64::MIN, Op::Remainder, -1, Ok(0)),
        (-7, Op::Divide, 2, Ok(-3)),
        (-7, Op::Remainder, 2, Ok(-1)),
        (7, Op::Remainder, -2, Ok(1)),
        (1, Op::Divide, 0, Err(DivisionByZero)),
        (1, Op::Remainder, 0, Err(DivisionByZero)),
    ] {
        assert_eq!(infix(op, Value::Int(a), Value::Int(b)), result.map(Value::Int), "{a} {op:?} {b}");
    }
}

#[test]
fn floats_are_finite_and_have_one_zero() {
    for (a, op, b, result) in [
        (0.1, Op::Add, 0.2, Ok(0.1 + 0.2)),
        (f64::MAX, Op::Add, f64::MAX, Err(TrapKind::Overflow)),
        (1.0, Op::Divide, 0.0, Err(TrapKind::Overflow)),
        (0.0, Op::Divide, 0.0, Err(TrapKind::Overflow)),
        (1.0, Op::Remainder, 0.0, Err(TrapKind::Overflow)),
        (7.5, Op::Remainder, -2.0, Ok(1.5)),
        (-0.0, Op::Multiply, 1.0, Ok(0.0)),
    ] {
        let found = infix(op, Value::Float(a), Value::Float(b));
        assert_eq!(found, result.map(Value::Float), "{a} {op:?} {b}");
        if let Ok(Value::Float(value)) = found {
            assert!(value.is_sign_positive(), "{a} {op:?} {b}");
        }
    }
    let mut program = Program::new();
    let zero = program.constant(0.0);
    let negated = program.add(Expr::Unary(UnaryOp::Negate, zero), Type::FLOAT);
    assert!(matches!(program.eval(negated), Ok(Value::Float(value)) if value.is_sign_positive()));
}

#[test]
fn money_mixes_at_the_pinned_rate_rounding_up() {
    for (a, op, b, result) in [
        (usd(3), Op::Add, usd(4), Ok(usd(7))),
        (usd(3), Op::Subtract, usd(4), Err(TrapKind::Overflow)),
        // One rao is 0.3 micro-dollars.
        (usd(3), Op::Add, rao(1), Ok(usd(4))),
        (rao(3), Op::Add, usd(1), Ok(rao(7))),
        (usd(3), Op::Multiply, Value::Int(4), Ok(usd(12))),
        (Value::Int(4), Op::Multiply, usd(3), Ok(usd(12))),
        (usd(3), Op::Multiply, Value::Int(-1), Err(TrapKind::Overflow)),
        (usd(7), Op::Divide, Value::Int(2), Ok(usd(3))),
        (usd(7), Op::Divide, Value::Int(0), Err(TrapKind::DivisionByZero)),
        (usd(u64::MAX), Op::Add, usd(1), Err(TrapKind::Overflow)),
        (usd(u64::MAX), Op::Add, rao(u64::MAX), Err(TrapKind::Overflow)),
        (usd(3), Op::LessEqual, rao(10), Ok(Value::Bool(true))),
        (usd(3), Op::Equal, rao(10), Ok(Value::Bool(true))),
        (usd(3), Op::Greater, rao(9), Ok(Value::Bool(true))),
        (usd(0), Op::Equal, rao(0), Ok(Value::Bool(true))),
    ] {
        assert_eq!(infix(op, a.clone(), b.clone()), result, "{a:?} {op:?} {b:?}");
    }
    let mut program = Program::new();
    let (a, b) = (program.constant(of(usd(1))), program.constant(of(rao(1))));
    for op in [Op::Add, Op::Less] {
        let whole = program.binary(op, a, b);
        assert!(matches!(program.trap(whole), TrapKind::NoRate), "no rate is pinned");
    }
    let same = program.binary(Op::Equal, a, b);
    assert_eq!(program.eval(same), Ok(Value::Bool(false)));
}

#[test]
fn moments_and_spans() {
    let (time, span) = (Value::Time, Value::Duration);
    for (a, op, b, result) in [
        (time(5), Op::Add, span(-7), Ok(time(-2))),
        (time(5), Op::Subtract, time(7), Ok(span(-2))),
        (time(i64::MAX / 2), Op::Subtract, time(0), Ok(span(i64::MAX / 2))),
        (time(schema::text_form::TIME_US_MAX), Op::Add, span(1), Err(TrapKind::Overflow)),
        (span(i64::MAX), Op::Add, span(1), Err(TrapKind::Overflow)),
        (span(7), Op::Divide, Value::Int(2), Ok(span(3))),
        (span(7), Op::Divide, Value::Int(0), Err(TrapKind::DivisionByZero)),
        (span(7), Op::Multiply, Value::Int(2), Ok(span(14))),
        (span(7), Op::Less, span(8), Ok(Value::Bool(true))),
    ] {
        assert_eq!(infix(op, a.clone(), b.clone()), result, "{a:?} {op:?} {b:?}");
    }
}

#[test]
fn text_is_ordered_by_scalars_and_joined() {
    let text = Value::string;
    assert_eq!(infix(Op::Less, text("Z"), text("a")), Ok(Value::Bool(true)));
    assert_eq!(infix(Op::Less, text("\u{ffff}"), text("😀")), Ok(Value::Bool(true)));
    assert_eq!(infix(Op::Add, text("a"), text("b")), Ok(text("ab")));
    assert!(matches!(infix(Op::Add, text("a"), Value::Int(1)), Err(TrapKind::Malformed(_))));
}

#[test]
fn equality_is_deep() {
    let list = |n| Value::list([Value::Int(n), Value::ok(Value::string("x"))]);
    assert_eq!(infix(Op::Equal, list(1), list(1)), Ok(Value::Bool(true)));
    assert_eq!(infix(Op::NotEqual, list(1), list(2)), Ok(Value::Bool(true)));
    assert_eq!(infix(Op::Equal, Value::Null, Value::Json(Json::Null)), Ok(Value::Bool(true)));
    assert_eq!(infix(Op::Equal, Value::Null, Value::Int(0)), Ok(Value::Bool(false)));
}

#[test]
fn logic_evaluates_its_right_side_only_when_needed() {
    let mut program = Program::new();
    let (one, zero) = (program.constant(1), program.constant(0));
    let trap = program.binary(Op::Divide, one, zero);
    let trap = program.binary(Op::Equal, trap, one);
    let (yes, no) = (program.constant(true), program.constant(false));
    for (op, left, result) in [(Op::And, no, false), (Op::Or, yes, true)] {
        let whole = program.binary(op, left, trap);
        assert_eq!(program.eval(whole), Ok(Value::Bool(result)));
    }
    let whole = program.binary(Op::And, yes, trap);
    assert_eq!(program.trap(whole), TrapKind::DivisionByZero);
    let whole = program.binary(Op::Coalesce, one, trap);
    assert_eq!(program.eval(whole), Ok(Value::Int(1)));
    for null in [Value::Null, Value::Json(Json::Null)] {
        let null = program.constant(of(null));
        let whole = program.binary(Op::Coalesce, null, one);
        assert_eq!(program.eval(whole), Ok(Value::Int(1)));
    }
}

#[test]
fn long_chains_and_lets_do_not_nest() {
    let mut program = Program::new();
    let one = program.constant(1);
    let mut sum = one;
    for _ in 0..20_000 {
        sum = program.binary(Op::Add, sum, one);
    }
    assert_eq!(program.eval(sum), Ok(Value::Int(20_001)));
    let local = program.local();
    let mut body = program.read(local, Type::INT);
    for _ in 0..20_000 {
        body = program.add(Expr::Let { local, value: one, body }, Type::INT);
    }
    assert_eq!(program.eval(body), Ok(Value::Int(1)));
}

#[test]
fn nesting_stops_at_its_limit_within_a_thread_stack() {
    // A call per level takes the most stack: nested operands within nested functions.
    let mut program = Program::new();
    let mut value = program.constant(1);
    for _ in 0..EVAL_DEPTH_MAX - 1 {
        value = program.add(Expr::Unary(UnaryOp::Negate, value), Type::INT);
    }
    assert!(program.eval(value).is_ok());
    let deeper = program.add(Expr::Unary(UnaryOp::Negate, value), Type::INT);
    assert_eq!(program.trap(deeper), TrapKind::Quota(Quota::Depth));

    for op in [Builtin::Map, Builtin::SortBy, Builtin::Count] {
        let mut program = Program::new();
        let local = program.local();
        let mut body = program.read(local, Type::list(Type::INT));
        for _ in 0..2 * EVAL_DEPTH_MAX {
            let list = program.constant(vec![1]);
            let f = program.function(1, body);
            let applied = program.add(Expr::Apply(f, vec![list]), Type::list(Type::INT));
            let param = program.local();
            body = program.with_lambda(op, list, param, applied, Type::list(Type::INT));
        }
        // Threads start with 2 MiB, some of which their caller has used.
        let stack_bytes = 3 << 19;
        let thread = std::thread::Builder::new().stack_size(stack_bytes);
        let outcome = thread.spawn(move || program.trap(body)).unwrap().join();
        assert_eq!(outcome.unwrap(), TrapKind::Quota(Quota::Depth), "{op:?}");
    }
}

#[test]
fn records_fields_and_indices() {
    let mut program = Program::new();
    let field = |name: &str| FieldDef { name: name.into(), ty: Type::INT, doc: String::new() };
    let record = RecordDef { name: "R".into(), fields: vec![field("a"), field("b")], doc: String::new() };
    let def = program.body.types.push(TypeDef::Record(record));
    let (one, two) = (program.constant(1), program.constant(2));
    let record = program.add(Expr::Record(def, vec![one, two]), Type::Named(def));
    let field = |record, index, optional| Expr::Field { record, index, optional };
    let b = program.add(field(record, 1, false), Type::INT);
    assert_eq!(program.eval(b), Ok(Value::Int(2)));
    let null = program.constant(of(Value::Null));
    let absent = program.add(field(null, 1, true), Type::INT.optional());
    assert_eq!(program.eval(absent), Ok(Value::Null));
    for bad in [field(null, 1, false), field(record, 2, false)] {
        let bad = program.add(bad, Type::INT);
        assert!(matches!(program.trap(bad), TrapKind::Malformed(_)));
    }
    let list = program.constant(vec![10, 20]);
    for (index, result) in [
        (1, Ok(Value::Int(20))),
        (2, Err(TrapKind::Index { index: 2, length: 2 })),
        (-1, Err(TrapKind::Index { index: -1, length: 2 })),
    ] {
        let index = program.constant(index);
        let item = program.add(Expr::Index { list, index }, Type::INT);
        assert_eq!(program.eval(item).map_err(|trap| trap.kind), result);
    }
}

#[test]
fn maps_are_in_key_order_and_the_last_of_equal_keys_stands() {
    let mut program = Program::new();
    let entries: Vec<_> = [("b", 1), ("a", 2), ("b", 3)]
        .map(|(key, value)| (program.constant(key), program.constant(value)))
        .into();
    let map = program.add(Expr::Map(entries), Type::Map(Box::new(Type::INT)));
    let json = program.builtin(Builtin::ToJson, &[map], Type::STRING);
    assert_eq!(program.eval(json), Ok(Value::string(r#"{"a":2,"b":3}"#)));
}

#[test]
fn the_first_arm_that_fits_is_taken() {
    let mut program = Program::new();
    let local = program.local();
    let bound = program.read(local, Type::INT);
    let zero = program.constant(0);
    let scrutinees = [Value::ok(Value::Int(5)), Value::ok(Value::Int(7)), Value::err(Value::string("x"))];
    let arms = vec![
        Arm { pattern: Pattern::Variant(0, Some(Box::new(Pattern::Literal(Value::Int(7))))), body: zero },
        Arm { pattern: Pattern::Variant(0, Some(Box::new(Pattern::Bind(local)))), body: bound },
        Arm { pattern: Pattern::Any, body: zero },
    ];
    let results = scrutinees.map(|scrutinee| {
        let scrutinee = program.constant(of(scrutinee));
        let whole = program.add(Expr::Match { scrutinee, arms: arms.clone() }, Type::INT);
        program.eval(whole).unwrap()
    });
    assert_eq!(results, [5, 0, 0].map(Value::Int));
    let none = program.add(Expr::Match { scrutinee: zero, arms: vec![] }, Type::INT);
    assert!(matches!(program.trap(none), TrapKind::Malformed(_)));
}

#[test]
fn patterns_bind_in_order() {
    let bind = |n| Box::new(Pattern::Bind(LocalId(n)));
    let value = Value::Variant(3, Some(Value::Int(1).into()));
    for (pattern, value, bound) in [
        (Pattern::Any, Value::Null, Some(vec![])),
        (*bind(0), value.clone(), Some(vec![value.clone()])),
        (Pattern::Variant(3, Some(bind(0))), value.clone(), Some(vec![Value::Int(1)])),
        (Pattern::Variant(3, None), value.clone(), Some(vec![])),
        (Pattern::Variant(2, Some(bind(0))), value, None),
        (Pattern::Variant(3, Some(bind(0))), Value::Variant(3, None), None),
        (Pattern::Present(bind(0)), Value::Null, None),
        (Pattern::Present(bind(0)), Value::Json(Json::Null), None),
        (Pattern::Present(bind(0)), Value::Int(1), Some(vec![Value::Int(1)])),
        (Pattern::Literal(Value::Null), Value::Null, Some(vec![])),
        (Pattern::Literal(Value::string("a")), Value::string("b"), None),
    ] {
        assert_eq!(match_pattern(&pattern, &value), bound, "{pattern:?}");
    }
}

#[test]
fn templates_show_values_in_fixed_forms() {
    let mut program = Program::new();
    let variant = |name: &str| VariantDef {
        name: name.into(),
        wire: format!("{:?}", name.to_lowercase()),
        payload: None,
        doc: String::new(),
    };
    let def = program.body.types.push(TypeDef::Enum(EnumDef {
        name: "Stance".into(),
        variants: vec![variant("Ahead"), variant("Level")],
        wire: EnumWire::Literal,
        doc: String::new(),
    }));
    for (value, ty, shown) in [
        (Value::string("a{b}"), Type::STRING, "a{b}"),
        (Value::Int(-3), Type::INT, "-3"),
        (Value::Bool(true), Type::Bool, "true"),
        (Value::Float(0.1), Type::FLOAT, "0.1"),
        (Value::Float(2.0), Type::FLOAT, "2.0"),
        (Value::Float(1e16), Type::FLOAT, "1e16"),
        (Value::Float(0.1 + 0.2), Type::FLOAT, "0.30000000000000004"),
        (usd(20_000), Type::Amount, "0.02 USD"),
        (Value::Duration(1_500_000), Type::Duration, "PT1.5S"),
        (Value::Time(0), Type::Time, "1970-01-01T00:00:00Z"),
        (Value::Variant(1, None), Type::Named(def), "Level"),
        (Value::list([Value::Int(1)]), Type::list(Type::INT), "[1]"),
    ] {
        let part = program.constant((value, ty));
        let template = program.add(Expr::Template(vec![part, part]), Type::STRING);
        assert_eq!(program.eval(template), Ok(Value::string(format!("{shown}{shown}"))));
    }
    let empty = program.add(Expr::Template(vec![]), Type::STRING);
    assert_eq!(program.eval(empty), Ok(Value::string("")));
}

#[test]
fn casts_decode_or_trap_with_the_path() {
    let mut program = Program::new();
    let percent = Type::Int(IntRange { min: 0, max: 100 });
    let json = Json::Array([Json::Int(1), Json::String("x".into())].into());
    for (value, from, to, result) in [
        (Value::Int(100), Type::INT, percent.clone(), Ok(Value::Int(100))),
        (Value::Int(101), Type::INT, percent.clone(), Err("$")),
        (Value::string("https://a.example"), Type::STRING, Type::Url, Ok(Value::string("https://a.example"))),
        (Value::string("nowhere"), Type::STRING, Type::Url, Err("$")),
        (Value::string("PT4S"), Type::STRING, Type::Duration, Ok(Value::Duration(4_000_000))),
        (Value::string("abc"), Type::STRING, Type::String(LengthRange::up_to(2)), Err("$")),
        (Value::Json(json), Type::Json, Type::list(Type::INT), Err("$[1]")),
        (Value::Json(Json::Null), Type::Json, Type::INT.optional(), Ok(Value::Null)),
    ] {
        let inner = program.constant((value, from));
        let cast = program.add(Expr::Cast(inner), to);
        match (program.eval(cast).map_err(|trap| trap.kind), result) {
            (found, Ok(value)) => assert_eq!(found, Ok(value)),
            (Err(TrapKind::Decode { path, .. }), Err(wanted)) => assert_eq!(path, wanted),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn widening_changes_the_representation_only_where_it_must() {
    let mut program = Program::new();
    let one = program.constant(1);
    for (widening, result) in [
        (Widening::Identity, Value::Int(1)),
        (Widening::Inject(2), Value::Variant(2, Some(Value::Int(1).into()))),
        (Widening::IntToFloat, Value::Float(1.0)),
    ] {
        let wide = program.add(Expr::Widen(one, widening), Type::FLOAT);
        assert_eq!(program.eval(wide), Ok(result));
    }
}

#[test]
fn values_become_opaque_json_no_deeper_than_json_may_be() {
    let mut program = Program::new();
    let inner = |depth| (0..depth).fold(Json::Int(1), |json, _| Json::Array([json].into()));
    for (depth, fits) in [(63, true), (64, false)] {
        let list = Value::list([Value::Json(inner(depth))]);
        let list = program.constant((list, Type::list(Type::Json)));
        let wide = program.add(Expr::Widen(list, Widening::ToJson), Type::Json);
        match program.eval(wide) {
            Ok(value) => assert!(fits && value == Value::Json(inner(64))),
            Err(trap) => assert!(!fits && trap.kind == TrapKind::Quota(Quota::Depth)),
        }
    }
    let span = program.constant((Value::Duration(1_000_000), Type::Duration));
    let wide = program.add(Expr::Widen(span, Widening::ToJson), Type::Json);
    assert_eq!(program.eval(wide), Ok(Value::Json(Json::String("PT1S".into()))));
}

#[test]
fn text_answers_are_read_as_the_wanted_type() {
    let mut program = Program::new();
    let text = program.constant("```json\n[1, 2]\n```");
    let list = program.add(Expr::DecodeText(text), Type::list(Type::INT));
    assert_eq!(program.eval(list), Ok(Value::list([1, 2].map(Value::Int))));
    let plain = program.add(Expr::DecodeText(text), Type::STRING);
    assert_eq!(program.eval(plain), Ok(Value::string("```json\n[1, 2]\n```")));
    let wrong = program.add(Expr::DecodeText(text), Type::list(Type::Bool));
    assert!(matches!(program.trap(wrong), TrapKind::Decode { path, .. } if path == "$[0]"));
}

#[test]
fn functions_have_frames_of_their_own() {
    // fn f(x) = { let y = x * 2; y + x }, called with 3 where the caller's first local is 10.
    let mut program = Program::new();
    let (x, y) = (program.local(), program.local());
    let (x_value, two) = (program.read(x, Type::INT), program.constant(2));
    let double = program.binary(Op::Multiply, x_value, two);
    let y_value = program.read(y, Type::INT);
    let sum = program.binary(Op::Add, y_value, x_value);
    let body = program.add(Expr::Let { local: y, value: double, body: sum }, Type::INT);
    let f = program.function(1, body);
    let (ten, three) = (program.constant(10), program.constant(3));
    let applied = program.add(Expr::Apply(f, vec![three]), Type::INT);
    let caller = program.read(x, Type::INT);
    let whole = program.binary(Op::Add, applied, caller);
    let whole = program.add(Expr::Let { local: x, value: ten, body: whole }, Type::INT);
    assert_eq!(program.eval(whole), Ok(Value::Int(19)));
    let wrong = program.add(Expr::Apply(f, vec![]), Type::INT);
    assert!(matches!(program.trap(wrong), TrapKind::Malformed(_)));
}

#[test]
fn the_environment_answers_for_what_is_outside() {
    struct Fixed;
    impl Env for Fixed {
        fn param(&self, index: u32) -> Option<Value> {
            (index == 0).then_some(Value::Int(1))
        }
        fn node(&self, node: NodeId) -> Option<Value> {
            (node.0 == 4).then_some(Value::Int(10))
        }
        fn item(&self, fan_out: NodeId) -> Option<Value> {
            (fan_out.0 == 5).then_some(Value::Int(100))
        }
        fn bound(&self, branch: NodeId, index: u32) -> Option<Value> {
            (branch.0 == 6 && index == 1).then_some(Value::Int(1_000))
        }
    }
    let mut program = Program::new();
    let parts = [
        Expr::Param(0),
        Expr::Node(NodeId(4)),
        Expr::Item(NodeId(5)),
        Expr::Bound(NodeId(6), 1),
        Expr::Local(LocalId(0)),
    ]
    .map(|expr| program.add(expr, Type::INT));
    let sum = parts.into_iter().reduce(|a, b| program.binary(Op::Add, a, b)).unwrap();
    let fragment = Fragment { params: 1, frame: 1, body: sum };
    let args = [Value::Int(10_000)];
    let value = eval(&program.body, &fragment, &args, &Fixed, &mut Meter::default());
    assert_eq!(value, Ok(Value::Int(11_111)));
    let absent = eval(&program.body, &fragment, &args, &NoEnv, &mut Meter::default());
    assert!(matches!(absent, Err(Trap { kind: TrapKind::Malformed(_), .. })));
}

#[test]
fn loops_are_charged_for_all_elements_when_they_are_entered() {
    let mut program = Program::new();
    let list = program.constant(vec![1; 1_000]);
    let x = program.local();
    let (value, limit) = (program.read(x, Type::INT), program.constant(5));
    let test = program.binary(Op::Less, value, limit);
    let any = program.with_lambda(Builtin::Any, list, x, test, Type::Bool);
    let fragment = program.fragment(any);
    // The call and its list, one local, and three steps per element though the first one decides.
    let steps = 2 + 1 + 3 * 1_000;
    let run = |fuel| {
        let mut meter = Meter::new(fuel, EVAL_BYTES_MAX);
        let result = eval(&program.body, &fragment, &[], &NoEnv, &mut meter);
        (result.map_err(|trap| trap.kind), meter.fuel())
    };
    // One more for the size of the result.
    assert_eq!(run(steps + 1), (Ok(Value::Bool(true)), 0));
    assert_eq!(run(steps).0, Err(TrapKind::Quota(Quota::Steps)));
    assert_eq!(run(steps - 1).0, Err(TrapKind::Quota(Quota::Steps)));
}

#[test]
fn shared_parts_cannot_hide_a_large_result() {
    // Ten times a list of ten times itself: 10^10 characters in a few hundred bytes.
    let mut program = Program::new();
    let mut value = program.constant("x");
    let mut ty = Type::STRING;
    for _ in 0..10 {
        let local = program.local();
        let read = program.read(local, ty.clone());
        ty = Type::list(ty);
        let list = program.add(Expr::List(vec![read; 10]), ty.clone());
        value = program.add(Expr::Let { local, value, body: list }, ty.clone());
    }
    assert!(matches!(program.trap(value), TrapKind::Quota(Quota::Bytes | Quota::Steps)));
    let json = program.builtin(Builtin::ToJson, &[value], Type::STRING);
    let length = program.builtin(Builtin::Len, &[json], Type::INT);
    assert!(matches!(program.trap(length), TrapKind::Quota(Quota::Bytes | Quota::Steps)));
    let same = program.binary(Op::Equal, value, value);
    assert_eq!(program.trap(same), TrapKind::Quota(Quota::Steps));
}

#[test]
fn text_growth_meets_the_byte_quota_before_it_is_built() {
    let mut program = Program::new();
    let mut text = program.constant("0123456789abcdef");
    for _ in 0..40 {
        let local = program.local();
        let read = program.read(local, Type::STRING);
        let twice = program.add(Expr::Template(vec![read, read]), Type::STRING);
        text = program.add(Expr::Let { local, value: text, body: twice }, Type::STRING);
    }
    assert_eq!(program.trap(text), TrapKind::Quota(Quota::Bytes));
}

#[test]
fn recursive_values_nest_no_deeper_than_json() {
    let mut program = Program::new();
    let def = program.body.types.push(TypeDef::Record(RecordDef {
        name: "Link".into(),
        fields: vec![],
        doc: String::new(),
    }));
    let link = Type::Named(def);
    if let Some(TypeDef::Record(record)) = program.body.types.get_mut(def) {
        record.fields.push(FieldDef { name: "next".into(), ty: link.clone().optional(), doc: String::new() });
    }
    let null = program.constant((Value::Null, link.clone().optional()));
    let chain = |program: &mut Program, length: usize| {
        let mut value = null;
        for _ in 0..length {
            let local = program.local();
            let read = program.read(local, link.clone());
            let next = program.add(Expr::Record(def, vec![read]), link.clone());
            value = program.add(Expr::Let { local, value, body: next }, link.clone());
        }
        value
    };
    // The null at the end is a level of its own.
    let fits = chain(&mut program, 63);
    assert!(program.eval(fits).is_ok());
    let too_deep = chain(&mut program, 64);
    assert_eq!(program.trap(too_deep), TrapKind::Quota(Quota::Depth));
}

#[test]
fn a_table_that_lies_is_refused_and_never_looped_over() {
    let mut program = Program::new();
    let itself = ExprId(0);
    program.add(Expr::Binary(Op::Add, itself, itself), Type::INT);
    assert!(matches!(program.trap(itself), TrapKind::Malformed(_)));
    let absent = Fragment { params: 0, frame: 0, body: ExprId(99) };
    let result = eval(&program.body, &absent, &[], &NoEnv, &mut Meter::default());
    assert!(matches!(result, Err(Trap { kind: TrapKind::Malformed(_), .. })));
    let wide = Fragment { params: 0, frame: FRAME_LOCALS_MAX + 1, body: ExprId(99) };
    let result = eval(&program.body, &wide, &[], &NoEnv, &mut Meter::default());
    assert!(matches!(result, Err(Trap { kind: TrapKind::Malformed(_), .. })));
    // A function that calls itself ends at the depth limit.
    let mut program = Program::new();
    let call = program.add(Expr::Apply(crate::expr::FnId(0), vec![]), Type::INT);
    let negated = program.add(Expr::Unary(UnaryOp::Negate, call), Type::INT);
    program.function(0, negated);
    assert_eq!(program.trap(negated), TrapKind::Quota(Quota::Depth));
}

#[test]
fn traps_name_code_and_place() {
    let trap = Trap { kind: TrapKind::DivisionByZero, expr: ExprId(1) };
    let span = |source| crate::plan::SourceSpan { source, start: 5, end: 9 };
    let debug = DebugInfo { exprs: vec![span(1), span(0)], ..DebugInfo::default() };
    let error = trap.to_plan_error(&debug, Some("total#3".into()));
    assert_eq!((error.code.as_str(), error.span), ("E0802", Some((5, 9))));
    let elsewhere = Trap { expr: ExprId(0), ..trap }.to_plan_error(&debug, None);
    assert_eq!(elsewhere.span, None, "a capability's source is not the plan's");
}
