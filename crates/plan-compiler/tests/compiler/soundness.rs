//! The value of a method call always lies in the type that was inferred for it, and a call that is
//! admitted never fails as malformed: for random receivers, arguments and chains of calls.

use std::collections::BTreeMap;

use plan_compiler::{Options, Source, compile};
use plan_ir::builtin::{Builtin, Receiver};
use plan_ir::expr::Fragment;
use plan_ir::interp::{Env, Meter, TrapKind, eval};
use plan_ir::plan::{CompiledPlan, NodeBody};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use schema::decode::{check, decode};
use schema::lock::Lock;
use schema::types::Type;
use schema::value::Value;

/// What decides, one number after the other; 0 once they have ended.
struct Choices(std::vec::IntoIter<u32>);

impl Choices {
    fn below(&mut self, n: usize) -> usize {
        self.0.next().unwrap_or(0) as usize % n.max(1)
    }

    fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// The text of a type, and a value of it as JSON.
struct Typed {
    ty: String,
    json: String,
}

fn typed(ty: impl Into<String>, json: impl Into<String>) -> Typed {
    Typed { ty: ty.into(), json: json.into() }
}

const CHARS: [&str; 12] = ["a", "B", "ß", "é", "😀", "ﷺ", "İ", " ", "\n", ",", "7", "-"];

fn text(choices: &mut Choices, length: usize) -> String {
    (0..length).map(|_| *choices.one_of(&CHARS)).collect()
}

/// Bounds, and a length within them.
fn length(choices: &mut Choices, most: usize) -> (String, usize) {
    let min = choices.below(3);
    let max = min + choices.below(most);
    let length = min + choices.below(max - min + 1);
    match choices.below(4) {
        0 => (String::new(), length),
        1 => (format!("({min}..)"), length),
        _ => (format!("({min}..{max})"), length),
    }
}

fn int(choices: &mut Choices) -> Typed {
    const ENDS: [i64; 9] = [i64::MIN, -1_000, -3, -1, 0, 1, 2, 90_000, i64::MAX];
    let (a, b) = (*choices.one_of(&ENDS), *choices.one_of(&ENDS));
    let (min, max) = (a.min(b), a.max(b));
    let inside: Vec<i64> = ENDS.into_iter().filter(|n| (min..=max).contains(n)).collect();
    let value = *choices.one_of(&inside);
    let ty = match (min, max) {
        (i64::MIN, i64::MAX) => "Int".into(),
        (i64::MIN, max) => format!("Int(..{max})"),
        (min, i64::MAX) => format!("Int({min}..)"),
        (min, max) => format!("Int({min}..{max})"),
    };
    typed(ty, value.to_string())
}

fn float(choices: &mut Choices) -> Typed {
    const ENDS: [(f64, &str); 8] = [
        (-1e300, ""),
        (-2.5, "-2.5"),
        (-0.1, "-0.1"),
        (0.0, "0.0"),
        (0.1, "0.1"),
        (0.7, "0.7"),
        (123.456, "123.456"),
        (1e300, ""),
    ];
    let (a, b) = (choices.below(ENDS.len()), choices.below(ENDS.len()));
    let (min, max) = (a.min(b), a.max(b));
    let value = ENDS[min + choices.below(max - min + 1)].0;
    let (min, max) = (ENDS[min].1, ENDS[max].1);
    let ty = if min.is_empty() && max.is_empty() { "Float".into() } else { format!("Float({min}..{max})") };
    typed(ty, format!("{value:?}"))
}

const TIMES: [&str; 4] =
    ["1970-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2026-02-28T01:02:03.5Z"];
const URLS: [&str; 6] = [
    "https://A.example/x/y?q=1&q=%C3%A9+b#t",
    "mailto:a@b.example",
    "https://bücher.example/ä",
    "x:",
    "file:///",
    "https://[::1]:8080?n",
];
const JSON: [&str; 5] = ["null", "[1, \"x\", {}]", "{\"a\": {\"b\": [2]}}", "1.5", "\"text\""];

fn value(choices: &mut Choices, depth: usize) -> Typed {
    let kinds = if depth == 0 { 8 } else { 15 };
    match choices.below(kinds) {
        0 => int(choices),
        1 => float(choices),
        2 => {
            let (range, length) = length(choices, 7);
            let text = text(choices, length);
            typed(format!("String{range}"), serde_json::to_string(&text).unwrap())
        }
        3 => typed("Bool", *choices.one_of(&["true", "false"])),
        4 => typed("Duration", *choices.one_of(&["\"PT1.5S\"", "\"-PT36H\"", "\"PT0S\""])),
        5 => typed("Amount", *choices.one_of(&["\"0.02USD\"", "\"3rao\"", "\"0USD\"", "\"5TAO\""])),
        6 => typed("Time", format!("\"{}\"", choices.one_of(&TIMES))),
        7 => typed("Url", format!("\"{}\"", choices.one_of(&URLS))),
        8 => typed("Json", *choices.one_of(&JSON)),
        9 => optional(choices, depth),
        10 => map(choices, depth),
        _ => list(choices, depth),
    }
}

fn optional(choices: &mut Choices, depth: usize) -> Typed {
    let inner = value(choices, depth - 1);
    let json = if choices.below(3) == 0 { "null".into() } else { inner.json };
    if inner.ty == "Json" || inner.ty.ends_with('?') {
        typed(inner.ty, json)
    } else {
        typed(format!("{}?", inner.ty), json)
    }
}

fn map(choices: &mut Choices, depth: usize) -> Typed {
    let inner = value(choices, depth - 1);
    let keys = ["a", "b", "é"].into_iter().take(choices.below(4));
    let entries: Vec<String> = keys.map(|key| format!("\"{key}\": {}", inner.json)).collect();
    typed(format!("{{String: {}}}", inner.ty), format!("{{{}}}", entries.join(", ")))
}

fn list(choices: &mut Choices, depth: usize) -> Typed {
    // Elements of one type need not be one value: the numbers of the type are used again.
    let numbers: Vec<u32> = (0..40).map(|_| choices.0.next().unwrap_or(0)).collect();
    let of = |shift: usize| {
        let mut element = Choices(numbers.clone().into_iter());
        let ty = value(&mut element, depth - 1);
        // Another value of the same type where the last choices alone decide.
        let mut other = numbers.clone();
        if let Some(last) = numbers.len().checked_sub(element.0.len() + 1) {
            other[last] = other[last].wrapping_add(shift as u32);
        }
        let changed = value(&mut Choices(other.into_iter()), depth - 1);
        if changed.ty == ty.ty { changed } else { ty }
    };
    let (range, length) = length(choices, 5);
    let items: Vec<String> = (0..length).map(|at| of(at).json).collect();
    typed(format!("[{}]{range}", of(0).ty), format!("[{}]", items.join(", ")))
}

/// A call behind the expression `receiver`.
fn call(choices: &mut Choices, op: Builtin, receiver: &str) -> String {
    const SCALARS: [&str; 8] = ["same", "other", "t", "n", "m", "0.5", "2s", "0.01USD"];
    let signature = op.signature();
    let mut args: Vec<String> = signature
        .arguments
        .iter()
        .map(|(_, ty)| match *ty {
            "Int" => (*choices.one_of(&["n", "2", "0", "-1", "m"])).to_owned(),
            "String" => (*choices.one_of(&["t", "\"\"", "\",\"", "\"a\"", "t.take(1)", "u"])).to_owned(),
            _ if choices.below(2) == 0 => receiver.to_owned(),
            ty if ty.starts_with(['[', '{']) => (*choices.one_of(&["same", "other", "[x0]"])).to_owned(),
            _ => (*choices.one_of(&SCALARS)).to_owned(),
        })
        .collect();
    let bodies: &[&str] = match signature.lambda {
        None => &[],
        Some("Bool") => &["true", "x.to_json().len() > 3", "x == x", "x.to_json() > t"],
        Some("String") => &["x.to_json()", "x.to_json().take(1)", "t"],
        Some("K") => &["x", "x.to_json()", "x.to_json().len()", "n"],
        Some(_) => &["x", "x.to_json()", "x.to_json().len()", "[x]", "if n > 0 { Ok(x) } else { Err(t) }"],
    };
    if !bodies.is_empty() {
        args.push(format!("x => {}", choices.one_of(bodies)));
    }
    format!("{}({})", signature.name, args.join(", "))
}

struct Arguments(Vec<Value>);

impl Env for Arguments {
    fn param(&self, index: u32) -> Option<Value> {
        self.0.get(index as usize).cloned()
    }
}

/// The parameters of a generated plan.
fn parameters(choices: &mut Choices) -> Vec<(&'static str, Typed)> {
    let depth = choices.below(3);
    let (t_range, t_length) = length(choices, 4);
    let (u_range, u_length) = length(choices, 3);
    let mut string = |range: &str, length: usize| {
        let text = text(choices, length);
        typed(format!("String{range}"), serde_json::to_string(&text).unwrap())
    };
    let (t, u) = (string(&t_range, t_length), string(&u_range, u_length));
    let (n, m) = (int(choices), int(choices));
    let receiver = value(choices, depth);
    let same_type = typed(receiver.ty.clone(), receiver.json.clone());
    let other = value(choices, depth);
    vec![("x0", receiver), ("same", same_type), ("other", other), ("t", t), ("u", u), ("n", n), ("m", m)]
}

fn compiled(params: &[(&str, Typed)], code: &str) -> Option<CompiledPlan> {
    let params: Vec<String> = params.iter().map(|(name, of)| format!("{name}: {}", of.ty)).collect();
    let text = format!("plan main({}) -> Bool {{\n  let r = {code}\n  r == r\n}}\n", params.join(", "));
    let compilation =
        compile(&Source { name: "test.orch", text: &text }, &Lock::empty(), &Options::default());
    compilation.plans.into_iter().next()
}

/// What `r` is bound to, with its inferred type.
fn bound(plan: &CompiledPlan) -> (&Type, &Fragment) {
    let place = plan.graph.nodes.iter().position(|node| node.label == "r").unwrap();
    let NodeBody::Pure(fragment) = &plan.body.nodes[place] else { unreachable!("`r` is an expression") };
    (plan.body.exprs.ty(fragment.body).unwrap(), fragment)
}

/// Evaluates what `r` is bound to and checks it against its type. Whether it has a value.
fn assert_sound(params: &[(&str, Typed)], code: &str, plan: &CompiledPlan) -> bool {
    plan_ir::validate::validate(plan).unwrap();
    let types = &plan.body.types;
    let values = params.iter().zip(&plan.body.params).map(|((_, of), param)| {
        decode(of.json.as_bytes(), &param.ty, types)
            .unwrap_or_else(|error| unreachable!("{}: {error}", of.json))
    });
    let env = Arguments(values.collect());
    let (ty, fragment) = bound(plan);
    match eval(&plan.body, fragment, &[], &env, &mut Meter::new(2_000_000, 1 << 22)) {
        Ok(value) => {
            let fits = check(&value, ty, types);
            let shown: Vec<String> =
                params.iter().map(|(name, of)| format!("{name}: {} = {}", of.ty, of.json)).collect();
            let shown = shown.join("\n");
            assert!(fits.is_ok(), "{code} is {value:?}, no `{}`: {fits:?}\n{shown}", types.show(ty));
            true
        }
        Err(trap) => {
            assert!(!matches!(trap.kind, TrapKind::Malformed(_)), "{code}: {trap:?}");
            false
        }
    }
}

/// What a value of this type may be called with.
fn methods(ty: &Type) -> Vec<Builtin> {
    let is_on = |receivers: &[Receiver]| -> Vec<Builtin> {
        let on = |op: &Builtin| receivers.iter().any(|receiver| op.is_on(*receiver));
        Builtin::ALL.into_iter().filter(|op| *op != Builtin::DecodeList && on(op)).collect()
    };
    match ty {
        Type::List(element, _) => match **element {
            Type::List(..) => is_on(&[Receiver::List, Receiver::Lists]),
            Type::Result(..) => is_on(&[Receiver::List, Receiver::Results]),
            Type::Optional(_) => is_on(&[Receiver::List, Receiver::Optionals]),
            Type::String(_) => is_on(&[Receiver::List, Receiver::Texts, Receiver::Ordered]),
            Type::Int(_) | Type::Float(_) => {
                is_on(&[Receiver::List, Receiver::Ordered, Receiver::Summable, Receiver::Numbers])
            }
            Type::Amount | Type::Duration => is_on(&[Receiver::List, Receiver::Ordered, Receiver::Summable]),
            Type::Time => is_on(&[Receiver::List, Receiver::Ordered]),
            _ => is_on(&[Receiver::List]),
        },
        Type::String(_) => is_on(&[Receiver::Text]),
        Type::Url => is_on(&[Receiver::Text, Receiver::Url]),
        Type::Map(_) => is_on(&[Receiver::Map]),
        Type::Int(_) => is_on(&[Receiver::Int]),
        Type::Float(_) => is_on(&[Receiver::Float]),
        Type::Amount => is_on(&[Receiver::Amount]),
        Type::Duration => is_on(&[Receiver::Duration]),
        Type::Time => is_on(&[Receiver::Time]),
        Type::Json => is_on(&[Receiver::Json]),
        _ => is_on(&[Receiver::Any]),
    }
}

/// A chain of calls behind a parameter. Each of its prefixes is checked; `seen` counts the functions that
/// gave a value.
fn chain(numbers: Vec<u32>, seen: &mut BTreeMap<Builtin, usize>) {
    let mut choices = Choices(numbers.into_iter());
    let params = parameters(&mut choices);
    let mut code = "x0".to_owned();
    let mut ty = compiled(&params, &code).unwrap().body.params[0].ty.clone();
    for _ in 0..4 {
        let (dot, methods) = match &ty {
            Type::Optional(inner) => ("?.", methods(inner)),
            other => (".", methods(other)),
        };
        // Some arguments do not fit; half of the calls are of what not every list has.
        for _ in 0..4 {
            let rare: Vec<Builtin> = methods
                .iter()
                .copied()
                .filter(|op| !op.is_on(Receiver::List) || *op == Builtin::Map)
                .collect();
            let among = if rare.is_empty() || choices.below(2) == 0 { &methods } else { &rare };
            let op = *choices.one_of(among);
            let longer = format!("{code}{dot}{}", call(&mut choices, op, &code));
            if let Some(plan) = compiled(&params, &longer) {
                if assert_sound(&params, &longer, &plan) {
                    *seen.entry(op).or_default() += 1;
                }
                (code, ty) = (longer, bound(&plan).0.clone());
                break;
            }
        }
    }
}

pub(crate) fn cases(cases: u32) -> Config {
    // `PROPTEST_CASES=10000` makes a long run.
    let cases = Config::default().cases.max(cases);
    Config { cases, rng_seed: RngSeed::Fixed(20_261_122), failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn values_lie_in_their_inferred_types(numbers in prop::collection::vec(any::<u32>(), 60..400)) {
        chain(numbers, &mut BTreeMap::new());
    }
}

#[test]
fn chains_reach_the_whole_library() {
    // Guards the generator: a property over calls that are never admitted would prove nothing.
    let mut seen = BTreeMap::new();
    let mut number = 12_345_u32;
    for _ in 0..1_000 {
        let numbers = std::iter::repeat_with(|| {
            // xorshift32
            number ^= number << 13;
            number ^= number >> 17;
            number ^= number << 5;
            number
        });
        chain(numbers.take(400).collect(), &mut seen);
    }
    for op in Builtin::ALL {
        assert!(op == Builtin::DecodeList || seen.contains_key(&op), "{op:?} never gives a value");
    }
}
