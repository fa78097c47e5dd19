//! What is measured: functions of plans over 1,000 records and 100 texts.

use std::hint::black_box;
use std::sync::LazyLock;

use plan_compiler::{Options, Source};
use plan_ir::expr::Fragment;
use plan_ir::graph::NodeId;
use plan_ir::interp::{Env, Meter, eval};
use plan_ir::plan::{NodeBody, PlanBody};
use plan_jit::{Coverage, Engine, Flat, FlatEnv, NativePlan};
use schema::lock::Lock;
use schema::value::Value;

use crate::hand::{self, Record};

/// Elements of the list of records.
const RECORDS: usize = 1_000;
/// Texts.
const TEXTS: usize = 100;

/// Engines in the order they are shown; the first one is the floor.
pub(crate) const ENGINES: &[&str] =
    &["hand", "hand, copies", "native", "native+values", "interpreter", "cel"];

/// One operation.
pub(crate) type Work = Box<dyn FnMut()>;

/// Something to measure.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    /// The work of an engine, if it takes part.
    pub(crate) engine: fn(&str) -> Option<Work>,
}

const TEXT: &str = r#"
edition 2026
record Record { title: String, text: String, score: Int, rank: Float, lang: String?, votes: Int(0..1000000) }
fn wanted(r: Record) -> Bool = r.score > 40 && r.lang == "en"
fn work(rs: [Record]) -> Float = {
  let kept = rs.filter(r => wanted(r))
  kept.top(10, r => r.rank).map(r => r.rank).sum() + kept.map(r => r.rank * 0.5).sum()
}
plan guard(rs: [Record]) -> Bool { rs.take(1).any(r => wanted(r)) }
plan filter(rs: [Record]) -> [Record] { rs.filter(r => wanted(r)) }
plan map(rs: [Record]) -> [Float] { rs.map(r => r.rank * 2.0 + 1.0) }
plan top(rs: [Record]) -> [Record] { rs.top(10, r => r.rank) }
plan sum(rs: [Record]) -> Int { rs.map(r => r.votes * 3).sum() }
plan list_work(rs: [Record]) -> Float { work(rs) }
plan join(rs: [String]) -> String { rs.map(t => "- {t}").join("\n") }
plan vote(rs: [String]) -> String? { (rs.group_by(t => t.normalize()).values().max_by(g => g.len()) ?? []).first() }
"#;

pub(crate) const CASES: &[Case] = &[
    Case { name: "guard", what: "a condition on one record", engine: |e| records("guard", e, guard()) },
    Case { name: "filter", what: "records by number and text", engine: |e| records("filter", e, filter()) },
    Case { name: "map", what: "a number of each record", engine: |e| records("map", e, map()) },
    Case { name: "top", what: "ten records by number", engine: |e| records("top", e, top()) },
    Case { name: "sum", what: "checked integers", engine: |e| records("sum", e, sum()) },
    Case {
        name: "list_work",
        what: "filter, map, top ten and sum of 1,000 records",
        engine: |e| records("list_work", e, list_work()),
    },
    Case { name: "join", what: "100 texts from a template", engine: |e| texts("join", e, join()) },
    Case { name: "vote", what: "the text most of 100 agree on", engine: |e| texts("vote", e, vote()) },
];

/// Keeps the compiler from leaving the work out.
fn done<T>(result: T) {
    black_box(result);
}

/// What an engine but ours does for a case: hand-written Rust, and an expression of cel.
struct Others<T: 'static> {
    hand: fn(&[T]),
    /// The same, where the result would else be references to what was given.
    copies: Option<fn(&[T])>,
    cel: &'static str,
}

fn guard() -> Others<Record> {
    Others {
        hand: |rs| done(hand::guard(black_box(rs))),
        copies: None,
        cel: "rs[0].score > 40 && rs[0].lang == 'en'",
    }
}

fn filter() -> Others<Record> {
    Others {
        hand: |rs| done(hand::filter(black_box(rs))),
        copies: Some(|rs| done(hand::filter_copies(black_box(rs)))),
        cel: "rs.filter(r, r.score > 40 && r.lang == 'en')",
    }
}

fn map() -> Others<Record> {
    Others { hand: |rs| done(hand::map(black_box(rs))), copies: None, cel: "rs.map(r, r.rank * 2.0 + 1.0)" }
}

fn top() -> Others<Record> {
    Others {
        hand: |rs| done(hand::top(black_box(rs))),
        copies: Some(|rs| done(hand::top_copies(black_box(rs)))),
        cel: "top(rs)",
    }
}

fn sum() -> Others<Record> {
    Others { hand: |rs| done(hand::sum(black_box(rs))), copies: None, cel: "sum(rs.map(r, r.votes * 3))" }
}

fn list_work() -> Others<Record> {
    Others {
        hand: |rs| done(hand::list_work(black_box(rs))),
        copies: None,
        cel: "sum(top(rs.filter(r, r.score > 40 && r.lang == 'en')).map(r, r.rank)) \
              + sum(rs.filter(r, r.score > 40 && r.lang == 'en').map(r, r.rank * 0.5))",
    }
}

fn join() -> Others<String> {
    Others { hand: |rs| done(hand::join(black_box(rs))), copies: None, cel: "join(rs.map(t, '- ' + t))" }
}

fn vote() -> Others<String> {
    Others { hand: |rs| done(hand::vote(black_box(rs))), copies: None, cel: "vote(rs)" }
}

static PLANS: LazyLock<plan_compiler::Compilation> = LazyLock::new(|| {
    let source = Source { name: "bench.orch", text: TEXT };
    let compiled = plan_compiler::compile(&source, &Lock::empty(), &Options::default());
    assert!(!compiled.has_errors(), "{:#?}", compiled.diagnostics);
    compiled
});

fn plan(name: &str) -> (&'static PlanBody, Fragment) {
    let (plan, _) = PLANS.plan(name).unwrap();
    match plan.body.nodes.last() {
        Some(NodeBody::Pure(fragment)) => (&plan.body, *fragment),
        other => unreachable!("{other:?}"),
    }
}

fn native(name: &str) -> (NativePlan, Fragment) {
    let (body, fragment) = plan(name);
    let native = Engine::new().unwrap().compile_fragments(body, &[fragment], Coverage::All).unwrap();
    assert!(native.covers(&fragment), "{:?}", native.refused());
    (native, fragment)
}

/// Shows how large the code of a case is.
pub(crate) fn code(name: &str) {
    println!("{name}: {} bytes of code", native(name).0.code_bytes());
}

/// The argument of a plan.
struct Argument(Value);

impl Env for Argument {
    fn param(&self, _: u32) -> Option<Value> {
        Some(self.0.clone())
    }
}

struct FlatArgument(Flat);

impl FlatEnv for FlatArgument {
    fn param(&self, _: u32) -> Option<Flat> {
        Some(self.0.clone())
    }
    fn node(&self, _: NodeId) -> Option<Flat> {
        None
    }
    fn item(&self, _: NodeId) -> Option<Flat> {
        None
    }
    fn bound(&self, _: NodeId, _: u32) -> Option<Flat> {
        None
    }
}

/// A small generator of numbers, so that every run sees the same records.
pub(crate) fn numbers() -> impl Iterator<Item = u32> {
    let mut number = 2_463_534_242_u32;
    std::iter::repeat_with(move || {
        number ^= number << 13;
        number ^= number >> 17;
        number ^= number << 5;
        number
    })
}

fn hand_records() -> Vec<Record> {
    let mut numbers = numbers();
    let mut next = move || numbers.next().unwrap();
    (0..RECORDS)
        .map(|at| Record {
            title: format!("Title number {at}"),
            text: "some text that is a little longer".repeat(1 + (next() % 3) as usize),
            score: i64::from(next() % 100),
            rank: f64::from(next() % 10_000) / 100.0,
            lang: [Some("en"), Some("de"), None].get(next() as usize % 3).unwrap().map(str::to_owned),
            votes: i64::from(next() % 1_000),
        })
        .collect()
}

fn record_values() -> Value {
    Value::list(hand_records().into_iter().map(|r| {
        let lang = r.lang.map_or(Value::Null, Value::string);
        Value::record([
            Value::string(r.title),
            Value::string(r.text),
            Value::Int(r.score),
            Value::Float(r.rank),
            lang,
            Value::Int(r.votes),
        ])
    }))
}

fn hand_texts() -> Vec<String> {
    let answers =
        ["Paris.", "paris", "The capital is Paris", "PARIS!", "Lyon", "  Marseille ", "Parí\u{301}s"];
    numbers().take(TEXTS).map(|n| (*answers.get(n as usize % answers.len()).unwrap()).to_owned()).collect()
}

fn text_values() -> Value {
    Value::list(hand_texts().into_iter().map(Value::string))
}

fn records(name: &'static str, engine: &str, others: Others<Record>) -> Option<Work> {
    let records = hand_records();
    match engine {
        "hand" => Some(Box::new(move || (others.hand)(&records))),
        "hand, copies" => others.copies.map(|copies| -> Work { Box::new(move || copies(&records)) }),
        "cel" => Some(cel::work(others.cel, cel::records(&records))),
        _ => ours(name, engine, record_values()),
    }
}

fn texts(name: &'static str, engine: &str, others: Others<String>) -> Option<Work> {
    let texts = hand_texts();
    match engine {
        "hand" => Some(Box::new(move || (others.hand)(&texts))),
        "hand, copies" => others.copies.map(|copies| -> Work { Box::new(move || copies(&texts)) }),
        "cel" => Some(cel::work(others.cel, cel::texts(&texts))),
        _ => ours(name, engine, text_values()),
    }
}

fn ours(name: &'static str, engine: &str, argument: Value) -> Option<Work> {
    let (body, fragment) = plan(name);
    let env = Argument(argument.clone());
    let expected = eval(body, &fragment, &[], &env, &mut Meter::default()).unwrap();
    match engine {
        "native" => {
            let (native, fragment) = native(name);
            let shape = native.shape(&body.params.first().unwrap().ty);
            let env = FlatArgument(shape.lay_out(argument, 1 << 26).unwrap());
            let result = native.eval_flat(&fragment, &[], &env, &mut Meter::default()).unwrap();
            assert_eq!(result.to_value(), Some(expected));
            Some(Box::new(move || {
                let result = native.eval_flat(&fragment, &[], black_box(&env), &mut Meter::default());
                drop(black_box(result));
            }))
        }
        "native+values" => {
            let (native, fragment) = native(name);
            assert_eq!(native.eval(&fragment, &[], &env, &mut Meter::default()), Ok(expected));
            Some(Box::new(move || {
                drop(black_box(native.eval(&fragment, &[], black_box(&env), &mut Meter::default())));
            }))
        }
        _ => Some(Box::new(move || {
            drop(black_box(eval(body, &fragment, &[], black_box(&env), &mut Meter::default())));
        })),
    }
}

mod cel {
    use std::hint::black_box;
    use std::sync::Arc;

    use cel::objects::{Key, Map};
    use cel::{Context, Program, Value};

    use crate::hand::Record;

    fn text(text: &str) -> Value {
        Value::String(Arc::new(text.to_owned()))
    }

    pub(super) fn records(records: &[Record]) -> Value {
        let record = |r: &Record| {
            let fields = [
                ("title", text(&r.title)),
                ("text", text(&r.text)),
                ("score", Value::Int(r.score)),
                ("rank", Value::Float(r.rank)),
                ("lang", r.lang.as_deref().map_or(Value::Null, text)),
                ("votes", Value::Int(r.votes)),
            ];
            let fields =
                fields.into_iter().map(|(name, value)| (Key::String(Arc::new(name.to_owned())), value));
            Value::Map(Map { map: Arc::new(fields.collect()) })
        };
        Value::List(Arc::new(records.iter().map(record).collect()))
    }

    pub(super) fn texts(texts: &[String]) -> Value {
        Value::List(Arc::new(texts.iter().map(|t| text(t)).collect()))
    }

    /// What cel has no words for is a function in Rust, which is to its advantage.
    pub(super) fn work(expression: &str, argument: Value) -> Box<dyn FnMut()> {
        let program = Program::compile(expression).unwrap();
        let mut context = Context::default();
        context.add_function("top", top).unwrap();
        context.add_function("sum", sum).unwrap();
        context.add_function("join", join).unwrap();
        context.add_function("vote", vote).unwrap();
        context.add_variable("rs", argument).unwrap();
        program.execute(&context).unwrap();
        Box::new(move || drop(black_box(program.execute(black_box(&context)))))
    }

    fn rank(value: &Value) -> f64 {
        match value {
            Value::Map(map) => match map.map.get(&Key::String(Arc::new("rank".into()))) {
                Some(Value::Float(rank)) => *rank,
                _ => 0.0,
            },
            _ => 0.0,
        }
    }

    fn top(list: Arc<Vec<Value>>) -> Value {
        let mut items = list.as_ref().clone();
        items.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
        items.truncate(10);
        Value::List(Arc::new(items))
    }

    fn sum(list: Arc<Vec<Value>>) -> Value {
        list.iter().fold(Value::Int(0), |sum, item| match (sum, item) {
            (Value::Int(sum), Value::Int(item)) => Value::Int(sum + item),
            (Value::Int(sum), Value::Float(item)) => Value::Float(sum as f64 + item),
            (Value::Float(sum), Value::Float(item)) => Value::Float(sum + item),
            (sum, _) => sum,
        })
    }

    fn words(list: &[Value]) -> Vec<String> {
        list.iter()
            .filter_map(|item| match item {
                Value::String(text) => Some(text.to_string()),
                _ => None,
            })
            .collect()
    }

    fn join(list: Arc<Vec<Value>>) -> Value {
        Value::String(Arc::new(words(&list).join("\n")))
    }

    fn vote(list: Arc<Vec<Value>>) -> Value {
        crate::hand::vote(&words(&list)).map_or(Value::Null, |text| self::text(text))
    }
}
