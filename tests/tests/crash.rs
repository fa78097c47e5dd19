//! `orch serve`, killed without warning again and again while a run is under way: the run ends all the same,
//! nothing that was journalled is bought twice, nothing unsafe is sent twice, and who watches sees one
//! history.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helpers")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use e2e::process::{Orch, serve_command};
use e2e::service::{Clients, PATIENT, code_of, request, result_of, total_of, verified};
use e2e::subnet::{Reply, Subnet, micro_usd};
use parking_lot::Mutex;
use proof::verify::TrustPolicy;
use proto::v1;
use proto::v1::RunEventKind::{AttemptDone, AttemptSent, Closed};
use serde_json::{Value as Json, json};
use tokio::sync::watch;
use uuid::Uuid;

const SAFE: u64 = 100;
const UNSAFE: u64 = 7;
const WORDS: usize = 40;

/// Two safe questions in a row about each word, and beside them some that must not be asked twice.
const PLAN: &str = r#"
edition 2026
use sn65020 { ask, once }

record Work { pairs: [String](..40), singles: Int }

plan work(words: [String(1..10)](..40)) -> Work with { budget: 1USD, deadline: 24h } {
  let pairs = for word in words with { concurrency: 4 } {
    let first = call ask(q: "{word} first") with { timeout: 60s }
    let second = call ask(q: "{first.v} second") with { timeout: 60s }
    second.v
  }
  let singles = for word in words.take(8) with { concurrency: 2, tolerate: 8 } {
    let single = call once(q: "{word} once") with { timeout: 60s }
    single.v
  }
  return Work { pairs, singles: singles.len() }
}
"#;

/// How many answers the subnet gives before it falls silent. So a run cannot end before the test lets it,
/// and each kill meets calls under way.
struct Ration {
    left: Mutex<usize>,
    given: watch::Sender<usize>,
}

impl Ration {
    fn answer(&self, question: &str) -> Reply {
        let mut left = self.left.lock();
        if *left == 0 {
            return Reply::Silence;
        }
        *left -= 1;
        self.given.send_modify(|given| *given += 1);
        // Answers of one moment arrive at different ones, so kills meet every mixture of states.
        let spread = question.bytes().map(u64::from).sum::<u64>() % 7;
        Reply::Answer(question.to_owned(), Duration::from_millis(spread))
    }

    /// Lets it give `count` more answers; returns how many it will have given then.
    fn allow(&self, count: usize) -> usize {
        *self.left.lock() += count;
        *self.given.borrow() + count
    }

    async fn has_given(&self, count: usize) {
        let mut given = self.given.subscribe();
        let waited = tokio::time::timeout(PATIENT, given.wait_for(|given| *given >= count)).await;
        waited.unwrap().unwrap();
    }
}

/// A small generator, so that every run of this test kills at the same points as far as it can choose them.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

fn configure(folder: &Path) {
    fs::write(folder.join("orchestra.toml"), "[development]\nallow_loopback = true\n").unwrap();
}

async fn serve(folder: &Path) -> (Orch, Clients) {
    let folder = folder.to_owned();
    let orch = tokio::task::spawn_blocking(move || Orch::serve(&folder)).await.unwrap();
    let clients = Clients::connect(orch.address).await;
    (orch, clients)
}

fn now_us() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()
}

fn time_us(event: &v1::RunEvent) -> u128 {
    let time = event.time.unwrap();
    u128::from(time.seconds.unsigned_abs()) * 1_000_000 + u128::from(time.nanos.unsigned_abs()) / 1_000
}

/// The question that the attempt of an event carried.
fn question(event: &v1::RunEvent) -> String {
    let index = event.iteration[0];
    match event.node.as_str() {
        "first" => format!("w{index} first"),
        "second" => format!("w{index} first second"),
        _ => format!("w{index} once"),
    }
}

fn times(events: &[v1::RunEvent], kind: v1::RunEventKind) -> BTreeMap<String, u32> {
    let mut times = BTreeMap::new();
    for event in events.iter().filter(|event| event.kind() == kind) {
        *times.entry(question(event)).or_default() += 1;
    }
    times
}

/// Collects what a watcher sees until its server dies.
fn follow(
    clients: &Clients,
    name: &str,
    seen: &Arc<Mutex<Vec<v1::RunEvent>>>,
) -> tokio::task::JoinHandle<()> {
    let (clients, name, seen) = (clients.clone(), name.to_owned(), Arc::clone(seen));
    tokio::spawn(async move {
        let after_seq = seen.lock().last().map_or(0, |event| event.seq);
        let request = v1::WatchRunRequest { name, after_seq };
        let Ok(stream) = clients.runs().watch_run(request).await else { return };
        let mut stream = stream.into_inner();
        while let Ok(Some(response)) = stream.message().await {
            let event = response.event.unwrap();
            if event.kind() != v1::RunEventKind::Heartbeat {
                seen.lock().push(event);
            }
        }
    })
}

struct Kill {
    at_us: u128,
    asked: BTreeMap<String, u32>,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_survives_kill_9_at_any_point() {
    let ration = Arc::new(Ration { left: Mutex::new(0), given: watch::Sender::new(0) });
    let shared = Arc::clone(&ration);
    let subnet = Subnet::start(move |question| shared.answer(question)).await;
    let folder = e2e::folder();
    configure(folder.path());
    let mut random = Random(11);
    let mut kills = Vec::new();
    let mut killed = |orch: Orch| {
        orch.kill();
        // What was journalled happened before now, what the next process journals happens later.
        kills.push(Kill { at_us: now_us(), asked: subnet.asked() });
    };

    let (orch, clients) = serve(folder.path()).await;
    clients.publish(&subnet.operation("ask", micro_usd(SAFE), true)).await;
    clients.publish(&subnet.operation("once", micro_usd(UNSAFE), false)).await;
    let words: Vec<String> = (0..WORDS).map(|index| format!("w{index}")).collect();
    let mut create = request(PLAN, &json!({ "words": words }));
    create.request_id = Uuid::new_v4().to_string();
    let run = clients.runs().create_run(create.clone()).await.unwrap().into_inner().run.unwrap();
    // The reply says that the run is stored; nothing else has to have happened.
    killed(orch);

    let seen: Arc<Mutex<Vec<v1::RunEvent>>> = Arc::default();
    for round in 0..11 {
        let count = if round % 5 == 4 { 0 } else { 1 + usize::try_from(random.below(6)).unwrap() };
        let count = ration.allow(count);
        let (orch, clients) = serve(folder.path()).await;
        let again = clients.runs().create_run(create.clone()).await.unwrap().into_inner().run.unwrap();
        assert_eq!((again.name.as_str(), again.state()), (run.name.as_str(), v1::RunState::Running));
        let watcher = follow(&clients, &run.name, &seen);
        ration.has_given(count).await;
        // Between the answer on the wire and the commit of what follows from it, or a little later.
        tokio::time::sleep(Duration::from_micros(random.below(9_000))).await;
        killed(orch);
        watcher.await.unwrap();
    }
    // One that is killed while it starts, wherever it has got to.
    for wait_ms in [5, 40] {
        let mut starting = serve_command(folder.path());
        let mut starting = starting.args(["--listen", "127.0.0.1:0"]).stdout(Stdio::null()).spawn().unwrap();
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        starting.kill().unwrap();
        starting.wait().unwrap();
    }

    ration.allow(1_000_000);
    let (orch, clients) = serve(folder.path()).await;
    let ended = clients.ended(&run.name).await;
    let events = clients.events(&run.name, 0).await;
    let proof = clients.proof(&run.name).await.unwrap();
    drop(orch);

    let result = result_of(&ended);
    let pairs: Vec<Json> = words.iter().map(|word| json!(format!("{word} first second"))).collect();
    assert_eq!(result["pairs"], json!(pairs));
    check_history(&events, &seen.lock());
    check_calls(&events, &kills, &subnet.asked());
    check_costs(&ended, &events);
    let key = runtime::keys::load_or_create(&folder.path().join(".orchestra")).unwrap().public();
    verified(&proof, &ended, &TrustPolicy::of_key(key, "orch serve"));
    assert!(kills.len() >= 10, "{} kills", kills.len());
}

/// SIGTERM is no crash: watchers are told, the process ends in time and well, and the next one goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_after_a_polite_stop() {
    let ration = Arc::new(Ration { left: Mutex::new(5), given: watch::Sender::new(0) });
    let shared = Arc::clone(&ration);
    let subnet = Subnet::start(move |question| shared.answer(question)).await;
    let folder = e2e::folder();
    configure(folder.path());
    let (orch, clients) = serve(folder.path()).await;
    clients.publish(&subnet.operation("ask", micro_usd(SAFE), true)).await;
    clients.publish(&subnet.operation("once", micro_usd(UNSAFE), false)).await;
    let words: Vec<String> = (0..WORDS).map(|index| format!("w{index}")).collect();
    let run = clients.start(PLAN, &json!({ "words": words })).await.unwrap();
    let request = v1::WatchRunRequest { name: run.name.clone(), after_seq: 0 };
    let mut stream = clients.runs().watch_run(request).await.unwrap().into_inner();
    ration.has_given(5).await;

    let stopped = tokio::task::spawn_blocking(move || orch.terminate());
    let told = loop {
        match stream.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the run has not ended"),
            Err(status) => break status,
        }
    };
    assert_eq!((told.code(), code_of(&told).as_str()), (tonic::Code::Unavailable, "E1173"), "{told:?}");
    assert_eq!(tokio::time::timeout(PATIENT, stopped).await.unwrap().unwrap(), 0);

    ration.allow(1_000_000);
    let (_orch, clients) = serve(folder.path()).await;
    let ended = clients.ended(&run.name).await;
    assert_eq!(result_of(&ended)["pairs"].as_array().map(Vec::len), Some(WORDS));
    let events = clients.events(&run.name, 0).await;
    let sequence: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(sequence, (1..=events.len() as u64).collect::<Vec<_>>());
    check_costs(&ended, &events);
}

/// One history without a gap, of which every watcher saw a part.
fn check_history(events: &[v1::RunEvent], seen: &[v1::RunEvent]) {
    let sequence: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(sequence, (1..=events.len() as u64).collect::<Vec<_>>());
    assert!(events.iter().map(time_us).is_sorted());
    assert_eq!(events.last().map(v1::RunEvent::kind), Some(Closed));
    assert!(!seen.is_empty());
    assert_eq!(seen, &events[..seen.len()]);
}

/// What was answered in the journal at a kill was never asked again, and nothing unsafe was asked twice.
fn check_calls(events: &[v1::RunEvent], kills: &[Kill], asked: &BTreeMap<String, u32>) {
    let mut journalled = 0;
    for kill in kills {
        let before = events.iter().take_while(|event| time_us(event) <= kill.at_us);
        for event in before.filter(|event| event.kind() == AttemptDone && event.state == "succeeded") {
            let question = question(event);
            assert_eq!(asked[&question], kill.asked[&question], "`{question}` was asked again");
            journalled += 1;
        }
    }
    assert!(journalled > kills.len(), "kills met journals with answers in them");
    let (sent, done) = (times(events, AttemptSent), times(events, AttemptDone));
    assert_eq!(sent, done, "every attempt is settled once");
    let mut interrupted = 0;
    for (question, attempts) in &sent {
        let arrived = asked.get(question).copied().unwrap_or(0);
        // A kill between commit and send leaves an intent that never arrived.
        assert!(arrived <= *attempts, "`{question}` arrived {arrived} times for {attempts} intents");
        assert!(*attempts == 1 || !question.ends_with("once"), "`{question}` was sent again");
        interrupted += attempts - 1;
    }
    assert_eq!(sent.len(), 2 * WORDS + 8);
    assert!(interrupted >= 10, "kills met calls under way");
}

/// Every attempt is paid, those that a crash cut off as well.
fn check_costs(run: &v1::Run, events: &[v1::RunEvent]) {
    let price = |question: &String| if question.ends_with("once") { UNSAFE } else { SAFE };
    let sent = times(events, AttemptSent);
    let owed: u64 = sent.iter().map(|(question, attempts)| u64::from(*attempts) * price(question)).sum();
    assert_eq!(total_of(run), owed);
    let attempts: u32 = run.costs.iter().map(|row| row.attempts).sum();
    assert_eq!(attempts, sent.values().sum::<u32>());
    assert!(!run.total_certain, "nobody knows what an interrupted attempt was charged");
}
