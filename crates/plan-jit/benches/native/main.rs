//! How fast native code is: beside hand-written Rust that keeps the same rules, beside the interpreter, and
//! beside the crate `cel` as an engine one would take instead.
//!
//! `cargo bench -p plan-jit --bench native` prints times, and instructions per operation where `valgrind` is
//! installed: the bench runs itself under callgrind with two counts of iterations and takes the difference,
//! so that what comes before the loop does not count. `.. -- run CASE ENGINE ITERATIONS` is one such run.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

mod cases;
mod compile;
mod decode;
mod hand;

use std::process::Command;
use std::time::Instant;

use cases::{CASES, Case, ENGINES};

/// What the project aims at, as factors.
const AIMS: [&str; 3] = [
    "lists: instructions within 1.5 of hand-written Rust, and 100 times fewer than cel",
    "texts: instructions within 1.3 of hand-written Rust",
    "interpreter: time within 30 times of native code",
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["run", "decode", engine, iterations] => decode::run(engine, iterations.parse().unwrap()),
        ["run", case, engine, iterations] => {
            let case = CASES.iter().find(|known| known.name == *case).unwrap();
            let mut work = (case.engine)(engine).unwrap();
            for _ in 0..iterations.parse::<u64>().unwrap() {
                work();
            }
        }
        ["code", case] => cases::code(case),
        _ => {
            AIMS.iter().for_each(|aim| println!("aim: {aim}"));
            for case in CASES {
                measure(case);
            }
            compile::measure();
            decode::measure();
        }
    }
}

fn measure(case: &Case) {
    println!("\n{}: {}", case.name, case.what);
    println!(
        "{:<16} {:>12} {:>10} {:>16} {:>10}",
        "engine", "ns/op", "to hand", "instructions/op", "to hand"
    );
    let mut floor = None;
    for engine in ENGINES {
        let Some(mut work) = (case.engine)(engine) else { continue };
        let time = nanoseconds(&mut work);
        let count = instructions(case.name, engine, if *engine == "cel" { 3 } else { 40 });
        let (floor_time, floor_count) = *floor.get_or_insert((time, count));
        let ratio = |of: Option<f64>, to: Option<f64>| match (of, to) {
            (Some(of), Some(to)) => format!("{:.2}", of / to),
            _ => "-".into(),
        };
        println!(
            "{engine:<16} {time:>12.0} {:>10} {:>16} {:>10}",
            ratio(Some(time), Some(floor_time)),
            count.map_or_else(|| "-".into(), |count| format!("{count:.0}")),
            ratio(count, floor_count),
        );
    }
}

/// Median of batches that take about 20 ms each.
pub(crate) fn nanoseconds(work: &mut dyn FnMut()) -> f64 {
    let mut batch = 1_u32;
    loop {
        let start = Instant::now();
        (0..batch).for_each(|_| work());
        if start.elapsed().as_millis() >= 20 || batch >= 1 << 24 {
            break;
        }
        batch *= 2;
    }
    let mut times: Vec<f64> = (0..9)
        .map(|_| {
            let start = Instant::now();
            (0..batch).for_each(|_| work());
            start.elapsed().as_secs_f64() * 1e9 / f64::from(batch)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap()
}

/// Instructions of one operation, where they can be counted.
pub(crate) fn instructions(case: &str, engine: &str, iterations: u64) -> Option<f64> {
    let count = |iterations: u64| -> Option<f64> {
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(std::env::current_exe().ok()?)
            .args(["run", case, engine, &iterations.to_string()])
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&output.stderr);
        let line = text.lines().find_map(|line| line.split_once("Collected :").map(|(_, count)| count))?;
        line.trim().parse().ok()
    };
    Some((count(2 * iterations)? - count(iterations)?) / iterations as f64)
}
