//! What a run costs above the bare HTTP client, on the same no-op server on loopback in one process:
//! one call, a fan-out of 100, a chain of 20 and 1,000 concurrent one-call runs; with a store in memory
//! and with one on disk. Prints medians, overhead per call, ratios, runs per second, commits and memory.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints its result and stops where it cannot go on"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use plan_ir::plan::CompiledPlan;
use runtime::LoadedPlan;
use runtime::view::RunState;
use schema::types::{LengthRange, Type};
use support::server::{Reply, Server};
use support::world::{TENANT, World};
use support::{Builder, CallOptions, LoopOptions, list_of, operation, per_call, usd};

/// As `orch` has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FAN: usize = 100;
const CHAIN: usize = 20;
const CONCURRENT: usize = 1_000;
/// The runtime admits so many calls to one host at once, so the bare client does too.
const IN_FLIGHT: usize = subnet::egress::IN_FLIGHT_PER_HOST;

type Bare = Client<HttpConnector, Full<Bytes>>;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // In a task, as a server's requests are, rather than on a thread that no worker shares.
    runtime.block_on(async { tokio::spawn(measure()).await.unwrap() });
}

async fn measure() {
    let server = Server::start(|_| Reply::answer("fine")).await;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let bare: Bare = Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(IN_FLIGHT)
        .pool_timer(TokioTimer::new())
        .build(connector);
    let url = format!("{}/call", server.url);

    // First, while the process is small.
    memory(&World::in_memory()).await;
    let one = bare_one(&bare, &url).await;
    let fan = bare_many(&bare, &url, FAN, 100).await;
    let chain = one * u32::try_from(CHAIN).unwrap();
    let many = bare_many(&bare, &url, CONCURRENT, 10).await;
    println!(
        "bare client            one call {one:>10.1?}  fan-out 100 {fan:>10.1?}  1,000 calls {many:>10.1?}"
    );

    let dir = tempfile::tempdir().unwrap();
    // `cargo bench .. -- profile` only keeps the runtime busy, for a profiler.
    if std::env::args().any(|arg| arg == "profile") {
        for _ in 0..20 {
            let world = World::in_memory();
            let plan = world.load(chained(&server, 1));
            println!("{:?}", concurrent(&world, &plan).await);
        }
        return;
    }
    for (name, world) in [("in memory", World::in_memory()), ("durable", World::on_disk(dir.path()))] {
        println!("\n{name}");
        let plan = world.load(chained(&server, 1));
        report("one call", 1, one, runs(&world, &plan, 500).await, None);
        let plan = world.load(fanned(&server));
        let before = world.log.stats().commits;
        let time = runs(&world, &plan, 50).await;
        let commits = (world.log.stats().commits - before) as f64 / 50.0;
        report("fan-out of 100", FAN, fan, time, Some(format!("{commits:.1} commits a run")));
        let plan = world.load(chained(&server, CHAIN));
        report("chain of 20", CHAIN, chain, runs(&world, &plan, 50).await, None);
        let plan = world.load(chained(&server, 1));
        let mut times = vec![];
        for _ in 0..5 {
            times.push(concurrent(&world, &plan).await);
        }
        let time = median(&mut times);
        let rate = CONCURRENT as f64 / time.as_secs_f64();
        report("1,000 concurrent runs", CONCURRENT, many, time, Some(format!("{rate:.0} runs/s")));
    }
    proof_size(&World::in_memory(), &server).await;
}

fn report(what: &str, calls: usize, bare: Duration, time: Duration, note: Option<String>) {
    let overhead = time.saturating_sub(bare) / u32::try_from(calls).unwrap();
    let ratio = time.as_secs_f64() / bare.as_secs_f64();
    let note = note.map(|note| format!("  {note}")).unwrap_or_default();
    println!("  {what:<22} {time:>10.1?}  overhead per call {overhead:>9.1?}  x{ratio:.2}{note}");
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

async fn call(bare: &Bare, url: &str) {
    let request = Request::post(url)
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from_static(br#"{"q":"hello"}"#)))
        .unwrap();
    let response = bare.request(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let answer: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(answer["v"], "fine");
}

async fn bare_one(bare: &Bare, url: &str) -> Duration {
    let mut times = vec![];
    for _ in 0..2_000 {
        let start = Instant::now();
        call(bare, url).await;
        times.push(start.elapsed());
    }
    median(&mut times)
}

async fn bare_many(bare: &Bare, url: &str, count: usize, rounds: usize) -> Duration {
    let mut times = vec![];
    for _ in 0..rounds {
        let start = Instant::now();
        // Spawned, as the runtime does, so that both cores work.
        let calls = futures_util::stream::iter(0..count).map(|_| {
            let (bare, url) = (bare.clone(), url.to_owned());
            async move { tokio::spawn(async move { call(&bare, &url).await }).await.unwrap() }
        });
        calls.buffer_unordered(IN_FLIGHT).collect::<Vec<_>>().await;
        times.push(start.elapsed());
    }
    median(&mut times)
}

fn chained(server: &Server, count: usize) -> CompiledPlan {
    let echo = operation("sn1.echo", &server.url, per_call(1), true);
    let mut b = Builder::new(Some(usd(1_000_000)), Some(600_000_000), &[echo]);
    let mut arg = b.text("hello");
    let mut last = b.call("ask", arg, &CallOptions::to(0), &[]);
    for _ in 1..count {
        arg = b.node_value(last);
        last = b.call("ask", arg, &CallOptions::to(0), &[last]);
    }
    b.finish(last, Type::STRING)
}

fn fanned(server: &Server) -> CompiledPlan {
    let echo = operation("sn1.echo", &server.url, per_call(1), true);
    let mut b = Builder::new(Some(usd(1_000_000)), Some(600_000_000), &[echo]);
    let list = b.texts(FAN);
    let each = b.fan_out("each", list, &LoopOptions::default(), &[], |b, id| {
        let item = b.item(id);
        b.call("ask", item, &CallOptions::to(0), &[])
    });
    b.finish(each, list_of(LengthRange::up_to(FAN as u64)))
}

async fn runs(world: &World, plan: &Arc<LoadedPlan>, count: usize) -> Duration {
    let mut times = vec![];
    for _ in 0..count {
        let start = Instant::now();
        one_run(world, plan).await;
        times.push(start.elapsed());
    }
    median(&mut times)
}

async fn one_run(world: &World, plan: &Arc<LoadedPlan>) {
    let id = world.create(plan).await.unwrap();
    let run = world.handle.wait(TENANT, id).await.unwrap();
    assert_eq!(run.state, RunState::Succeeded, "{:?}", run.error);
}

async fn concurrent(world: &World, plan: &Arc<LoadedPlan>) -> Duration {
    let start = Instant::now();
    let runs = (0..CONCURRENT).map(|_| one_run(world, plan));
    futures_util::future::join_all(runs).await;
    start.elapsed()
}

/// Memory of 1,000 runs that all wait for an answer.
async fn memory(world: &World) {
    let silent = Server::start(|_| Reply::answer("never").after(3_600_000)).await;
    let plan = {
        let echo = operation("sn1.echo", &silent.url, per_call(1), true);
        let mut b = Builder::new(Some(usd(1_000_000)), Some(600_000_000), &[echo]);
        let arg = b.text("hello");
        let options = CallOptions { timeout_us: 300_000_000, ..CallOptions::to(0) };
        let call = b.call("ask", arg, &options, &[]);
        world.load(b.finish(call, Type::STRING))
    };
    let before = resident_kib();
    let created = (0..CONCURRENT).map(|_| world.create(&plan));
    futures_util::future::join_all(created).await;
    silent.arrived(IN_FLIGHT).await;
    let (after, count) = (resident_kib(), world.handle.runs_under_way());
    let each = after.saturating_sub(before) as f64 / count as f64;
    println!(
        "memory: {count} runs under way, process {:.1} MiB, {each:.1} KiB a run (its journal in memory included)\n",
        after as f64 / 1024.0
    );
    world.handle.shutdown(Duration::ZERO).await;
}

/// How large a proof is.
async fn proof_size(world: &World, server: &Server) {
    let plan = world.load(fanned(server));
    let id = world.create(&plan).await.unwrap();
    world.handle.wait(TENANT, id).await.unwrap();
    let bundle = world.handle.proof(TENANT, id).await.unwrap();
    println!("proof: {} bytes for a fan-out of 100", bundle.len());
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
