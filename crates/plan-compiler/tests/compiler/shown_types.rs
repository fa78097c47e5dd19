//! A type that a message shows can be written in a plan, and is the same there.

use std::fmt::Write as _;

use plan_ir::plan::CompiledPlan;
use proptest::prelude::*;
use schema::types::{FloatRange, IntRange, LengthRange, Type};

use crate::common::{compiled, shown};
use crate::soundness::cases;

/// A type of each kind that has a name, as parameters of a plan.
const NAMED: [&str; 9] = [
    "R",
    "E",
    "Voted<R>",
    "CallError<[E]>",
    "ItemError<Url>",
    "PlanError",
    "Pair<R, Int>",
    "Entry<E?>",
    "Result<Voted<R>, CallError<R>>",
];

/// A plan with a parameter of each of [`NAMED`], and of `more`.
fn plan(more: Option<&str>) -> CompiledPlan {
    let mut text = String::from("record R { a: Int, next: R? }\nenum E { A, B([R]) }\nplan p(");
    for (at, ty) in NAMED.into_iter().chain(more).enumerate() {
        write!(text, "p{at}: {ty}, ").unwrap();
    }
    text.push_str(") -> Int { 1 }\n");
    let mut compilation = compiled(&text);
    assert!(!compilation.has_errors(), "{}", shown(&text));
    compilation.plans.remove(0)
}

fn float() -> impl Strategy<Value = f64> {
    let beyond_int = prop_oneof![Just(9_223_372_036_854_775_808.0), Just(-9_223_372_036_854_776_000.0)];
    let tiny = prop_oneof![Just(5e-324), Just(f64::MIN_POSITIVE), Just(0.1 + 0.2), Just(0.0)];
    prop_oneof![
        -4.0..4.0,
        -1e22..1e22,
        any::<f64>().prop_filter("a number", |n| n.is_finite()),
        beyond_int,
        tiny
    ]
}

fn lengths() -> impl Strategy<Value = LengthRange> {
    let length = prop_oneof![0_u64..9, 0..=i64::MAX.unsigned_abs()];
    (length.clone(), prop::option::of(length)).prop_map(|(a, b)| match b {
        Some(b) => LengthRange { min: a.min(b), max: Some(a.max(b)) },
        None => LengthRange { min: a, max: None },
    })
}

fn plain() -> impl Strategy<Value = Type> {
    let int = prop_oneof![Just(i64::MIN), Just(i64::MAX), -9_i64..9, any::<i64>()];
    let int = (int.clone(), int).prop_map(|(a, b)| Type::Int(IntRange { min: a.min(b), max: a.max(b) }));
    let floats = (float(), float()).prop_map(|(a, b)| FloatRange { min: a.min(b), max: a.max(b) });
    let open = (floats, 0..4_u8).prop_map(|(range, open)| {
        let min = if open & 1 == 0 { range.min } else { f64::NEG_INFINITY };
        let max = if open & 2 == 0 { range.max } else { f64::INFINITY };
        Type::Float(FloatRange { min, max })
    });
    prop_oneof![
        int,
        open,
        lengths().prop_map(Type::String),
        lengths().prop_map(Type::Bytes),
        prop::sample::select(vec![
            Type::Bool,
            Type::Url,
            Type::Time,
            Type::Duration,
            Type::Amount,
            Type::Json
        ]),
        prop::sample::select(plan(None).body.params).prop_map(|param| param.ty),
    ]
}

fn types() -> impl Strategy<Value = Type> {
    plain().prop_recursive(4, 16, 2, |inner| {
        // `<..>` nests three times at most: brackets start anew.
        let in_brackets =
            (inner.clone(), lengths()).prop_map(|(of, length)| Type::List(Box::new(of), length));
        let in_brackets = in_brackets.boxed();
        prop_oneof![
            in_brackets.clone(),
            inner.clone().prop_map(|of| Type::Map(Box::new(of))),
            inner.prop_map(Type::optional),
            (in_brackets.clone(), in_brackets).prop_map(|(a, b)| Type::Result(Box::new(a), Box::new(b))),
        ]
    })
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn what_a_message_shows_of_a_type_is_that_type(ty in types()) {
        let base = plan(None);
        let written = base.body.types.show(&ty);
        let read = plan(Some(&written));
        prop_assert_eq!(&read.body.params.last().unwrap().ty, &ty, "{}", written);
    }
}

/// The types that inference finds in real plans, as their messages show them.
#[test]
fn what_inference_finds_can_be_written() {
    let head = "use sn22 { web_crawl as crawl }\npolicy web = { timeout: 4s, max_price: 0.01USD }\n";
    for (value, wanted, ty) in [
        (
            "for x in u with { on_error: keep } { try call crawl(url: x) with web { quorum: { of: 3, need: 2 } } }",
            "Int",
            "[Result<Result<Voted<String>, CallError<String>>, ItemError<Url>>]",
        ),
        ("n.to_float() * 2.0", "Float(0..1)", "Float(-1.8446744073709552e19..1.8446744073709552e19)"),
        // No text is so long that its length is no `Int`.
        ("s + s", "String(..9)", "String"),
    ] {
        let text = format!(
            "{head}plan p(u: [Url](..2), n: Int, s: String(..9223372036854775807)) -> Int with {{ budget: 1USD, deadline: 1m }} {{\n  let a: {wanted} = {value}\n  1\n}}"
        );
        let message = shown(&text);
        assert!(message.contains(&format!("is `{ty}`")), "{ty}: {message}");
        let again = format!("fn f(a: {ty}) -> Int = 1");
        assert!(compiled(&again).diagnostics.is_empty(), "{}", shown(&again));
    }
}
