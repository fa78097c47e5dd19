//! A process that is killed again and again, at any point, still ends every run it was given: nothing
//! that was journalled is bought twice, nothing unsafe is sent twice, and every attempt is paid once.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, reason = "tests")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use plan_ir::plan::{CompiledPlan, Tolerance};
use runtime::view::{EventState, RunEvent, RunEventKind, RunFilter, RunId, RunState};
use schema::types::{LengthRange, Type};
use support::server::{Reply, Server};
use support::simulator::Random;
use support::world::{TENANT, World, request};
use support::{Builder, CallOptions, LoopOptions, list_of, operation, per_call, usd};

/// `ORCHESTRA_TEST_KILLS` sets another number, for a long night.
const KILLS: usize = 25;
const DIR: &str = "ORCHESTRA_TEST_KILL_DIR";
const URL: &str = "ORCHESTRA_TEST_KILL_URL";
const SAFE: u64 = 100;
const UNSAFE: u64 = 7;

/// Ten elements with two safe calls in a row, and six with one that must not be repeated.
fn plan(url: &str) -> CompiledPlan {
    let operations = [
        operation("sn1.safe", url, per_call(SAFE), true),
        operation("sn1.unsafe", url, per_call(UNSAFE), false),
    ];
    let mut b = Builder::new(Some(usd(1_000_000)), Some(3_600_000_000), &operations);
    let tag = b.param("tag", Type::String(LengthRange::up_to(20)), None);
    let list = b.texts(10);
    let options = LoopOptions { concurrency: Some(4), ..LoopOptions::default() };
    let safe = b.fan_out("safe", list, &options, &[], |b, id| {
        let parts = [tag, b.item(id), b.text(" first")];
        let question = b.joined(&parts);
        let first = b.call("first", question, &CallOptions::to(0), &[]);
        let parts = [tag, b.item(id), b.text(" second")];
        let question = b.joined(&parts);
        b.call("second", question, &CallOptions::to(0), &[first])
    });
    let list = b.texts(6);
    let options = LoopOptions { concurrency: Some(2), tolerate: Tolerance::All, keep: false, budget: None };
    let once = b.fan_out("once", list, &options, &[], |b, id| {
        let parts = [tag, b.item(id), b.text(" unsafe")];
        let question = b.joined(&parts);
        b.call("unsafe", question, &CallOptions::to(1), &[])
    });
    let value = b.node_value(safe);
    let result = b.pure("result", value, &[safe, once]);
    b.retype(value, list_of(LengthRange::up_to(10)));
    b.finish(result, list_of(LengthRange::up_to(10)))
}

/// The process under test: takes up what is there, else begins a run, and ends when the run has.
#[test]
#[ignore = "started by the test below"]
fn child() {
    let (Ok(dir), Ok(url)) = (std::env::var(DIR), std::env::var(URL)) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let world = World::on_disk(Path::new(&dir));
        world.handle.recover().await.unwrap();
        let page = world.handle.list_runs(TENANT, &RunFilter::default(), None, 500).await.unwrap();
        let open = page.runs.iter().find(|run| !run.state.has_ended()).map(|run| run.id);
        let id = match open {
            Some(id) => id,
            None => {
                let plan = world.load(plan(&url));
                let inputs = format!(r#"{{"tag":"run {} "}}"#, page.runs.len());
                world.handle.create_run(request(&plan, &inputs)).await.unwrap()
            }
        };
        assert_eq!(world.handle.wait(TENANT, id).await.unwrap().state, RunState::Succeeded);
    });
}

fn spawn(dir: &Path, url: &str) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--ignored", "--nocapture"])
        .env(DIR, dir)
        .env(URL, url)
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// The events of all runs, in order of creation, read from the store that the child left behind.
async fn journals(world: &World) -> Vec<(RunId, Vec<RunEvent>)> {
    let page = world.handle.list_runs(TENANT, &RunFilter::default(), None, 500).await.unwrap();
    let mut all = vec![];
    for run in page.runs.iter().rev() {
        let mut events = world.handle.watch(TENANT, run.id, 0).await.unwrap();
        let mut read = vec![];
        // A run that has not ended has no last event, and nobody writes here.
        while let Ok(Ok(Some(event))) = tokio::time::timeout(Duration::from_millis(200), events.next()).await
        {
            read.push(event);
        }
        all.push((run.id, read));
    }
    all
}

/// The question that the attempt of an event carried.
fn question(run: usize, event: &RunEvent) -> String {
    let item = event.iteration[0];
    format!("run {run} item {item} {}", event.node)
}

fn count(
    events: &[RunEvent],
    run: usize,
    kind: RunEventKind,
    state: Option<EventState>,
) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    let fits = |event: &&RunEvent| event.kind == kind && state.is_none_or(|state| event.state == state);
    for event in events.iter().filter(fits) {
        *counts.entry(question(run, event)).or_default() += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_survive_kill_9_at_any_point() {
    let server = Server::start(|question| {
        // Answers of one element come at different times, so kills meet every mixture of states.
        let spread = question.bytes().map(u64::from).sum::<u64>() % 7;
        Reply::answer(question).after(1 + spread)
    })
    .await;
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random::new(20);
    // What was answered in the journal at some kill, with how often it had been asked by then.
    let mut answered: BTreeMap<String, u32> = BTreeMap::new();
    let wanted = std::env::var("ORCHESTRA_TEST_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS);
    let (mut kills, mut mid_run) = (0, 0);
    while kills < wanted {
        let mut child = spawn(dir.path(), &server.url);
        // Some kills fall into the start or the recovery of the process, most between two requests.
        let target = server.count() + random.below(14) as usize;
        let pause = Duration::from_micros(random.below(12_000));
        let arrived = tokio::time::timeout(Duration::from_secs(20), server.arrived(target));
        let (arrived, ended) = tokio::select! {
            arrived = arrived => (arrived.is_ok(), None),
            status = async { loop {
                if let Some(status) = child.try_wait().unwrap() { break status }
                tokio::time::sleep(Duration::from_millis(2)).await;
            } } => (true, Some(status)),
        };
        assert!(arrived, "the child makes progress");
        if let Some(status) = ended {
            assert!(status.success(), "the child ended with {status}");
            continue;
        }
        tokio::time::sleep(pause).await;
        if child.try_wait().unwrap().is_none() {
            kills += 1;
        }
        let _ = child.kill();
        child.wait().unwrap();
        let world = World::on_disk(dir.path());
        for (run, (_, events)) in journals(&world).await.iter().enumerate() {
            mid_run += usize::from(events.last().is_some_and(|last| last.kind != RunEventKind::Closed));
            let asked = server.asked();
            for question in
                count(events, run, RunEventKind::AttemptDone, Some(EventState::Succeeded)).into_keys()
            {
                answered.entry(question.clone()).or_insert(asked[&question]);
            }
        }
        world.handle.shutdown(Duration::ZERO).await;
    }
    let status = spawn(dir.path(), &server.url).wait().unwrap();
    assert!(status.success());
    assert!(mid_run >= wanted / 2, "{mid_run} of {wanted} kills met a run under way");

    let asked = server.asked();
    for (question, times) in &answered {
        assert_eq!(asked[question], *times, "`{question}` was answered in the journal and asked again");
    }
    let world = World::on_disk(dir.path());
    for (number, (id, events)) in journals(&world).await.into_iter().enumerate() {
        let run = world.handle.get_run(TENANT, id).await.unwrap();
        assert_eq!(run.state, RunState::Succeeded, "{:?}", run.error);
        world.proof(&run).await;
        assert!(events.windows(2).all(|pair| pair[0].time_us <= pair[1].time_us), "time never goes back");
        assert!(events.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq), "no gap");
        let sent = count(&events, number, RunEventKind::AttemptSent, None);
        let done = count(&events, number, RunEventKind::AttemptDone, None);
        assert_eq!(sent, done, "every attempt is settled once");
        let mut owed = 0;
        for (question, attempts) in &sent {
            let arrived = asked.get(question).copied().unwrap_or(0);
            let is_unsafe = question.ends_with("unsafe");
            // A kill between commit and send leaves an intent that never arrived.
            assert!(arrived <= *attempts, "`{question}` arrived {arrived} times for {attempts} intents");
            assert!(!is_unsafe || *attempts == 1, "`{question}` was sent again");
            owed += u64::from(*attempts) * if is_unsafe { UNSAFE } else { SAFE };
        }
        assert_eq!(sent.len(), 26);
        assert_eq!(run.total, usd(owed));
        let attempts: u32 = run.costs.iter().map(|row| row.attempts).sum();
        assert_eq!(attempts, sent.values().sum::<u32>());
    }
}
