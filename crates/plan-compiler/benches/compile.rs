//! How long a plan takes from text to a plan that can run, and whether that grows with its length alone.
//!
//! Texts of 100, 1,000 and 10,000 lines in several shapes, see [`SHAPES`]; and what an edit of them takes in a
//! session. `cargo bench .. -- sessions` measures the latter alone, `.. -- profile [SHAPE] [LINES] [edit|new]
//! [ROUNDS]` compiles one text again and again, or edits it, or adds a record to it, for a profiler.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "a benchmark")]

#[path = "../tests/compiler/common.rs"]
#[expect(dead_code, reason = "shared with the tests, which use more of it")]
mod common;
#[path = "../tests/compiler/shapes.rs"]
mod shapes;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use plan_compiler::{Compilation, Options, Session, Source, compile};
use schema::lock::Lock;

use common::lock;
use shapes::SHAPES;

/// The allocator of the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Median of 1,000 lines of the first shape that the project aims at.
const AIM_MS: f64 = 25.0;
/// The same for a change inside of one declaration.
const AIM_EDIT_MS: f64 = 3.0;
const LINES: [usize; 3] = [100, 1_000, 10_000];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    if args.first().is_some_and(|arg| arg == "profile") {
        let shape = args.get(1).map_or(SHAPES[0].name, String::as_str);
        let lines = args.get(2).map_or(1_000, |lines| lines.parse().unwrap());
        let rounds = args.get(4).map(|rounds| rounds.parse().unwrap());
        return profile(shape, lines, args.get(3).map(String::as_str), rounds);
    }
    if args.first().is_some_and(|arg| arg == "sessions") {
        return sessions();
    }
    println!(
        "aim: 1,000 lines of {:?} in {AIM_MS} ms, and the same time per line at every length",
        SHAPES[0].name
    );
    println!("all: parse, check and lower, with the operations and capabilities of the lock");
    println!("cpu: the same without the time in which other processes had the core\n");
    println!(
        "{:<24} {:>6} {:>8} {:>6} {:>10} {:>10} {:>10} {:>12}",
        "shape", "lines", "bytes", "plans", "parse ms", "all ms", "cpu ms", "cpu us/line"
    );
    for shape in SHAPES {
        let mut per_line = Vec::new();
        for lines in LINES {
            let text = (shape.text)(lines);
            let count = text.lines().count();
            let compilation = compiled(&text);
            assert_eq!(
                compilation.has_errors(),
                shape.has_errors,
                "{}: {:?}",
                shape.name,
                compilation.diagnostics.first()
            );
            let (parse, _) = measured(lines, || (), |()| drop(black_box(plan_lang::parse(black_box(&text)))));
            let (all, cpu) = from_nothing(lines, &text);
            per_line.push(cpu * 1e3 / count as f64);
            println!(
                "{:<24} {count:>6} {:>8} {:>6} {parse:>10.2} {all:>10.2} {cpu:>10.2} {:>12.1}",
                shape.name,
                text.len(),
                compilation.plans.len(),
                cpu * 1e3 / count as f64
            );
        }
        println!("  time per line at 10,000 lines over that at 1,000: x{:.2}\n", per_line[2] / per_line[1]);
    }
    sessions();
}

/// What an edit costs in a [`Session`], beside compiling from the start.
fn sessions() {
    println!("a session, aim: {AIM_EDIT_MS} ms for an edit inside of one declaration of 1,000 lines");
    println!(
        "body, signature: such edits in the middle; new: a record is added; again: nothing is changed\n"
    );
    println!(
        "{:<24} {:>6} {:>10} {:>9} {:>9} {:>9} {:>9} {:>12}",
        "shape", "lines", "start ms", "body ms", "sign. ms", "new ms", "again ms", "start/body"
    );
    for shape in SHAPES {
        for lines in [LINES[1], LINES[2]] {
            let text = (shape.text)(lines);
            let (start, _) = from_nothing(lines, &text);
            let body = edits(lines, &text, &edited(&text, shape.body));
            let signature = edits(lines, &text, &edited(&text, shape.signature));
            let new = edits(lines, &text, &with_a_record(&text));
            let again = edits(lines, &text, &text);
            println!(
                "{:<24} {:>6} {start:>10.2} {body:>9.2} {signature:>9.2} {new:>9.2} {again:>9.2} {:>11.1}x",
                shape.name,
                text.lines().count(),
                start / body
            );
        }
    }
}

/// `text` with an edit in its second half, or where it first fits.
fn edited(text: &str, (from, to): (&str, &str)) -> String {
    let half = text.match_indices('\n').map(|(at, _)| at).find(|at| *at > text.len() / 2).unwrap();
    let (before, after) = text.split_at(half);
    let edited = if after.contains(from) {
        format!("{before}{}", after.replacen(from, to, 1))
    } else {
        text.replacen(from, to, 1)
    };
    assert_ne!(edited, text);
    edited
}

/// `text` with a record more, which nothing names.
fn with_a_record(text: &str) -> String {
    format!("{text}\nrecord Another {{ n: Int }}\n")
}

/// In ms, the median of turning from one text to the other and back.
fn edits(lines: usize, text: &str, edited: &str) -> f64 {
    let mut session = Session::new("bench.orch", Arc::new(lock().clone()), Options::default());
    session.update(text);
    assert_eq!(session.update(edited), compiled(edited).diagnostics);
    let mut versions = [text, edited].into_iter().cycle();
    measured(lines, || (), |()| _ = black_box(session.update(black_box(versions.next().unwrap()))).len()).0
}

fn compiled(text: &str) -> Compilation {
    compiled_with(text, lock())
}

fn compiled_with(text: &str, lock: &Lock) -> Compilation {
    compile(&Source { name: "bench.orch", text }, lock, &Options::default())
}

/// [`measured`] compilations, each with a lock that no other has compiled against.
fn from_nothing(lines: usize, text: &str) -> (f64, f64) {
    measured(lines, new_lock, |lock| drop(black_box(compiled_with(black_box(text), lock))))
}

/// The lock as it is when it was just read: it keeps what it works out of its entries.
fn new_lock() -> Lock {
    let operations = lock().operations.values().map(|pinned| pinned.descriptor().clone());
    let capabilities = lock().capabilities.values().map(|(_, capability)| capability.clone());
    Lock::pin(lock().snapshot, lock().rate, operations, capabilities).unwrap()
}

/// In ms: the median by the clock, and the mean of this thread's time on a core, of `what` alone.
fn measured<T>(lines: usize, setup: impl Fn() -> T, mut what: impl FnMut(&T)) -> (f64, f64) {
    what(&setup());
    let rounds = (30_000 / lines).clamp(7, 101);
    // All before the first: what the kernel says of a thread that runs is as old as its last tick, some ms.
    let given: Vec<T> = (0..rounds).map(|_| setup()).collect();
    let before = on_cpu_ns();
    let timed = |given| {
        let start = Instant::now();
        what(given);
        start.elapsed().as_secs_f64() * 1e3
    };
    let mut times: Vec<f64> = given.iter().map(timed).collect();
    let on_cpu = on_cpu_ns() - before;
    times.sort_unstable_by(f64::total_cmp);
    (times[rounds / 2], on_cpu as f64 / 1e6 / rounds as f64)
}

/// How long this thread was on a core; 0 where Linux does not say so.
fn on_cpu_ns() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}

fn profile(name: &str, lines: usize, change: Option<&str>, rounds: Option<usize>) {
    let shape = SHAPES.iter().find(|shape| shape.name.contains(name)).unwrap();
    let text = (shape.text)(lines);
    let usual = (20_000 / lines).max(1);
    let rounds = rounds.unwrap_or(if change.is_some() { usual * 20 } else { usual });
    if let Some(change) = change {
        let changed = if change == "new" { with_a_record(&text) } else { edited(&text, shape.body) };
        let mut session = Session::new("bench.orch", Arc::new(lock().clone()), Options::default());
        for version in [&text, &changed].into_iter().cycle().take(rounds) {
            black_box(session.update(black_box(version)));
        }
    } else {
        // Callgrind counts the making of the locks, too, unless `--toggle-collect` names the compilation.
        for lock in (0..rounds).map(|_| new_lock()) {
            black_box(compiled_with(black_box(&text), &lock));
        }
    }
    println!("{rounds} x {} lines of {:?}", text.lines().count(), shape.name);
}
