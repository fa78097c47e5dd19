//! How long schemas and answers take: those of the catalogue, and the worst that strangers could write at the size
//! limits. The floor is reading the same bytes as JSON without looking at them.
//! Run with `cargo bench -p schema`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "a benchmark")]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use schema::boundary::Checks;
use schema::decode::decode;
use schema::json_schema::{OperationTypes, from_json_schema};
use schema::operation::OperationDescriptor;
use serde_json::Value as Json;

#[path = "../tests/mapping/bombs.rs"]
mod bombs;

/// As large as an entry of the Ledger may be.
const SCHEMA_BYTES: usize = schema::lock::ENTRY_BYTES_MAX;
/// As large as an answer may be.
const ANSWER_BYTES: usize = schema::limits::CALL_BODY_BYTES_MAX - 1_000_000;
/// Runs of which the median counts.
const RUNS: usize = 5;

fn main() {
    catalogue();
    hostile();
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let done = work();
    (done, start.elapsed())
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS).map(|_| timed(&mut work).1).collect();
    times.sort_unstable();
    times.get(RUNS / 2).copied().unwrap_or_default()
}

fn catalogue() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog/operations");
    let mut operations: Vec<OperationDescriptor> = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let mut document: Json = serde_json::from_str(&text).unwrap();
        let more: Vec<OperationDescriptor> = serde_json::from_value(document["operations"].take()).unwrap();
        operations.extend(more);
    }
    let texts: Vec<String> = operations.iter().map(|op| format!("[{},{}]", op.input, op.output)).collect();
    let floor = median(|| texts.iter().for_each(|text| drop(black_box(serde_json::from_str::<Json>(text)))));
    let map =
        median(|| operations.iter().for_each(|operation| drop(black_box(OperationTypes::of(operation)))));
    println!("mapping the {} operations of the catalogue: {map:.1?}", operations.len());
    println!(
        "  {:.1} times reading their schemas as JSON ({floor:.1?})",
        map.as_secs_f64() / floor.as_secs_f64()
    );
}

/// Each once: what counts is the order of magnitude.
fn hostile() {
    println!("\nat the size limits              schema  answer |    map  decode   rules | times the floor");
    let mut worst = Duration::ZERO;
    for bomb in bombs::all(SCHEMA_BYTES, ANSWER_BYTES) {
        let schema = bomb.schema.to_string();
        let answer = bomb.answer.unwrap_or_default();
        let floor = timed(|| drop(black_box(serde_json::from_str::<Json>(&schema)))).1
            + timed(|| drop(black_box(serde_json::from_str::<Json>(&answer)))).1;
        let (mapped, map) = timed(|| from_json_schema(&bomb.schema, "Op"));
        let (mut read, mut rules) = (Duration::ZERO, Duration::ZERO);
        if let (Ok((defs, ty)), false) = (&mapped, answer.is_empty()) {
            read = timed(|| drop(black_box(decode(answer.as_bytes(), ty, defs)))).1;
            let checks = Checks::of(&bomb.schema).unwrap_or_default();
            let value: Json = serde_json::from_str(&answer).unwrap_or_default();
            rules = timed(|| black_box(checks.check(&value))).1;
        }
        worst = worst.max(map).max(read).max(rules);
        println!(
            "{:<36} {:>4} K {:>5} K | {:>6.0?} {:>7.0?} {:>7.0?} | {:>5.1}  {}",
            bomb.name,
            schema.len() >> 10,
            answer.len() >> 10,
            map,
            read,
            rules,
            (map + read + rules).as_secs_f64() / floor.as_secs_f64().max(1e-5),
            mapped.err().map_or("", |error| error.code),
        );
    }
    println!("\nthe worst takes {worst:.1?}");
}
