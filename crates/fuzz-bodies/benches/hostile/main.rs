//! How long the worst plans take: texts of one part again and again, and a generator that hunts for worse ones.
//!
//! Processor time of compiling (which reads first) and showing what was found, as `orch check` does, and of laying out (`orch fmt`) at the size limit,
//! each against the aim and the two together, and what a byte takes there over what it takes at half of that: 1 is
//! linear, 2 quadratic. `cargo bench -p fuzz-bodies -- hunt SECONDS [SEED]` only
//! hunts, for longer; `-- file PATH` measures one text.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a benchmark"
)]

mod hunt;
mod parts;

use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::Duration;

use fuzz_bodies::ledger;
use plan_compiler::{Options, Source, compile};
use plan_lang::limits::MAX_SOURCE_BYTES;
use plan_lang::{SourceFile, render};

use parts::{PARTS, Part};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Seconds that no text may take, whatever is done with it.
const AIM_S: f64 = 2.0;
/// How long the usual hunt is.
const HUNT: Duration = Duration::from_secs(60);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let number = |at: usize| args.get(at).and_then(|arg| arg.parse::<u64>().ok());
    match args.first().map(String::as_str) {
        Some("hunt") => hunt::hunt(number(1).map_or(HUNT, Duration::from_secs), number(2).unwrap_or(1)),
        Some("file") => {
            let text = std::fs::read_to_string(&args[1]).unwrap();
            let (time, codes) = measured(&text);
            println!("{}: {}  {codes}", args[1], shown(time));
        }
        _ => {
            known();
            println!();
            hunt::hunt(HUNT, number(0).unwrap_or(1));
        }
    }
}

/// Processor time of compiling and of laying out.
#[derive(Clone, Copy)]
struct Time {
    compile: Duration,
    format: Duration,
}

impl Time {
    fn total_s(self) -> f64 {
        (self.compile + self.format).as_secs_f64()
    }

    /// The longer one of the two.
    fn longer_s(self) -> f64 {
        self.compile.max(self.format).as_secs_f64()
    }
}

/// How many take longer than they may, either of the two and both together.
fn misses(times: &[Time]) -> String {
    let over = |seconds: fn(Time) -> f64| times.iter().filter(|time| seconds(**time) > AIM_S).count();
    let worst = |seconds: fn(Time) -> f64| times.iter().map(|time| seconds(*time)).fold(0.0, f64::max);
    format!(
        "of {}, compiling or laying out takes over {AIM_S} s for {}, at most {:.2} s; both together for {}, at most {:.2} s",
        times.len(),
        over(Time::longer_s),
        worst(Time::longer_s),
        over(Time::total_s),
        worst(Time::total_s)
    )
}

fn shown(time: Time) -> String {
    format!(
        "{:>6.2} s ({:.2} compiling, {:.2} laying out)",
        time.total_s(),
        time.compile.as_secs_f64(),
        time.format.as_secs_f64()
    )
}

/// Also the codes that are found, each once.
fn measured(text: &str) -> (Time, String) {
    let start = on_cpu();
    let found = compile(&Source { name: "bench.orch", text }, ledger(), &Options::with_tests());
    drop(black_box(render(&SourceFile { name: "bench.orch", text }, &found.diagnostics, false)));
    let compiled = on_cpu();
    drop(black_box(plan_lang::format(text)));
    let time = Time { compile: compiled.saturating_sub(start), format: on_cpu().saturating_sub(compiled) };
    let codes: BTreeSet<&str> = found.diagnostics.iter().map(|found| found.code.as_str()).collect();
    (time, codes.into_iter().collect::<Vec<_>>().join(" "))
}

/// How long this thread was on a core; by the clock where Linux does not say so.
fn on_cpu() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns = stat.split_whitespace().next().and_then(|ns| ns.parse().ok());
    ns.map_or_else(|| START.get_or_init(std::time::Instant::now).elapsed(), Duration::from_nanos)
}

/// Every known part at the size limit and at half of it, the worst first.
fn known() {
    let mut rows: Vec<(Time, f64, &Part)> = PARTS
        .iter()
        .map(|part| {
            let (half, _) = measured(&part.text(MAX_SOURCE_BYTES / 2));
            let (full, codes) = measured(&part.text(MAX_SOURCE_BYTES));
            // On the way, so that one that does not end is known.
            eprintln!("{}  {:?} .. {:?}  {codes}", shown(full), part.beginning(), part.unit);
            (full, full.total_s() / half.total_s() / 2.0, part)
        })
        .collect();
    rows.sort_by(|(a, ..), (b, ..)| b.total_s().total_cmp(&a.total_s()));
    println!(
        "one part repeated to 1 MiB; aim: at most {AIM_S} s each, and a byte takes as long as at half the size"
    );
    for (time, growth, part) in &rows {
        println!("{}  x{growth:.2} a byte  {:?} .. {:?}", shown(*time), part.beginning(), part.unit);
    }
    println!("{}", misses(&rows.iter().map(|(time, ..)| *time).collect::<Vec<_>>()));
}
