//! How long an answer of about 90 KB takes to be read: by type into the layout, by type into values, and as
//! a tree of serde, which checks nothing.

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

use plan_jit::{Answer, AnswerReader, Shape};
use schema::types::{FieldDef, RecordDef, Type, TypeDef, TypeDefs};

use crate::{instructions, nanoseconds};

/// Records in the answer.
const RECORDS: usize = 620;

const ENGINES: &[&str] = &["serde_json::Value", "layout", "values"];

/// An answer with fields that the type does not name, as most have.
fn document() -> String {
    let mut text = String::from("{\"took_ms\":12,\"data\":[");
    for at in 0..RECORDS {
        if at > 0 {
            text.push(',');
        }
        let rank = f64::from(u32::try_from(at * 37 % 1_000).unwrap()) / 8.0;
        write!(
            text,
            "{{\"title\":\"Title number {at}\",\"snippet\":\"a few words of text, {at} of them\",\"score\":{},\
             \"rank\":{rank},\"lang\":\"en\",\"date\":\"{at}-ignored\",\"seen\":{}}}",
            at * 7 % 100,
            at % 3 == 0
        )
        .unwrap();
    }
    text.push_str("],\"next\":null}");
    text
}

fn ty() -> (Type, Arc<TypeDefs>) {
    let mut defs = TypeDefs::new();
    let field = |name: &str, ty| FieldDef { name: name.into(), ty, doc: String::new() };
    let record =
        |name: &str, fields| TypeDef::Record(RecordDef { name: name.into(), fields, doc: String::new() });
    let item = defs.push(record(
        "Item",
        vec![
            field("title", Type::STRING),
            field("snippet", Type::STRING),
            field("score", Type::INT),
            field("rank", Type::FLOAT),
            field("lang", Type::STRING.optional()),
            field("seen", Type::Bool),
        ],
    ));
    let answer = defs.push(record("Answer", vec![field("data", Type::list(Type::Named(item)))]));
    (Type::Named(answer), Arc::new(defs))
}

fn work(engine: &str) -> Box<dyn FnMut()> {
    let document = document();
    let (ty, defs) = ty();
    match engine {
        "layout" => {
            let reader = AnswerReader::new(&ty, &defs, Shape::new(&ty, &defs)).unwrap();
            let expected = schema::decode::decode(document.as_bytes(), &ty, &defs).unwrap();
            let laid_out = match reader.read(document.as_bytes()) {
                Ok(Answer::Flat(flat)) => flat.to_value(),
                _ => None,
            };
            assert_eq!(laid_out, Some(expected));
            Box::new(move || drop(black_box(reader.read(black_box(document.as_bytes())))))
        }
        "values" => Box::new(move || {
            drop(black_box(schema::decode::decode(black_box(document.as_bytes()), &ty, &defs)));
        }),
        _ => Box::new(move || {
            let tree: Result<serde_json::Value, _> = serde_json::from_slice(black_box(document.as_bytes()));
            drop(black_box(tree));
        }),
    }
}

pub(crate) fn run(engine: &str, iterations: u64) {
    let mut work = work(engine);
    for _ in 0..iterations {
        work();
    }
}

pub(crate) fn measure() {
    println!(
        "\ndecode: an answer of {} bytes; aim: 1.5 times as fast as serde_json::Value",
        document().len()
    );
    println!("{:<20} {:>12} {:>10} {:>16} {:>10}", "reader", "us", "speed-up", "instructions", "fewer");
    let mut floor = None;
    for engine in ENGINES {
        let time = nanoseconds(&mut *work(engine)) / 1e3;
        let count = instructions("decode", engine, 10);
        let (floor_time, floor_count) = *floor.get_or_insert((time, count));
        let fewer = floor_count
            .zip(count)
            .map_or_else(|| "-".into(), |(floor, count)| format!("{:.2}", floor / count));
        println!(
            "{engine:<20} {time:>12.1} {:>10.2} {:>16} {fewer:>10}",
            floor_time / time,
            count.map_or_else(|| "-".into(), |count| format!("{count:.0}")),
        );
    }
}
