//! A store that is full, damaged or taken.

use std::fs;
use std::time::Duration;

use e2e::service::{Clients, Host, code_of, in_folder, released, result_of, total_of};
use e2e::subnet::{Gate, Reply, Subnet, micro_usd};
use proto::v1;
use schema::operation::OperationDescriptor;
use serde_json::{Value as Json, json};
use server::{Options, Service};
use store::DATABASE_FILE;
use tonic::{Code, Status};

use super::{PRICE, one, run_count};

/// Long answers, one after the other and always some at once.
const LONG: &str = r#"
edition 2026
use sn65020 { tell }

plan long(words: [String(1..10)](..64)) -> [Int](..64) with { budget: 1USD, deadline: 24h } {
  let lengths = for word in words with { concurrency: 4 } {
    let answer = call tell(q: word) with { timeout: 60s }
    answer.v.len()
  }
  return lengths
}
"#;

/// Above what a journal holds itself, so that answers are blobs.
const ANSWER_BYTES: usize = 70_000;

fn tell(subnet: &Subnet) -> OperationDescriptor {
    let mut operation = subnet.operation("tell", micro_usd(PRICE), true);
    operation.output["properties"]["v"]["maxLength"] = json!(ANSWER_BYTES);
    operation
}

/// Watches until the stream ends or fails.
async fn watched(clients: &Clients, name: &str) -> (Vec<v1::RunEvent>, Option<Status>) {
    let request = v1::WatchRunRequest { name: name.into(), after_seq: 0 };
    let mut stream = clients.runs().watch_run(request).await.unwrap().into_inner();
    let mut events = Vec::new();
    loop {
        let message = tokio::time::timeout(e2e::service::PATIENT, stream.message()).await.unwrap();
        match message {
            Ok(Some(response)) => {
                let event = response.event.unwrap();
                if event.kind() != v1::RunEventKind::Heartbeat {
                    events.push(event);
                }
            }
            Ok(None) => return (events, None),
            Err(status) => return (events, Some(status)),
        }
    }
}

fn assert_full(status: &Status) {
    assert_eq!((status.code(), code_of(status).as_str()), (Code::Unavailable, "E1005"), "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_a_run_with_a_code_and_a_restart_with_space_finishes_it() {
    // Each answer its own, because equal blobs are stored once.
    let long = |question: &str| {
        let rest = "x".repeat(ANSWER_BYTES - question.len());
        format!("{question}{rest}")
    };
    let subnet = Subnet::start(move |question| Reply::Answer(long(question), Duration::ZERO)).await;
    let folder = e2e::folder();
    let options = in_folder(folder.path());
    let first = Host::open(options.clone()).await;
    first.clients.publish(&tell(&subnet)).await;
    first.service.close().await;
    drop(first);
    let words: Vec<String> = (0..48).map(|index| format!("w{index}")).collect();

    // Room for about a third of what the run will write.
    released(folder.path()).await;
    let size = fs::metadata(folder.path().join(DATABASE_FILE)).unwrap().len();
    let mut narrow = Options { store_bytes_max: Some(size + 2_000_000), ..options.clone() };
    narrow.runtime.disk_patience = Duration::ZERO;
    let host = Host::open(narrow).await;
    let run = host.clients.start(LONG, &json!({ "words": words })).await.unwrap();
    let (seen, stopped) = watched(&host.clients, &run.name).await;
    assert_full(&stopped.unwrap());
    let answered: Vec<u32> = seen
        .iter()
        .filter(|event| event.kind() == v1::RunEventKind::AttemptDone && event.state == "succeeded")
        .map(|event| event.iteration[0])
        .collect();
    assert!(!answered.is_empty() && answered.len() < words.len(), "{} answers", answered.len());
    let asked = subnet.asked();

    // Who comes later is told the same, and what is stored can still be read.
    let (again, stopped) = watched(&host.clients, &run.name).await;
    assert_eq!(again, seen);
    assert_full(&stopped.unwrap());
    assert_eq!(host.clients.get(&run.name).await.state(), v1::RunState::Running);
    let cancel = v1::CancelRunRequest { name: run.name.clone() };
    assert_full(&host.clients.runs().cancel_run(cancel).await.unwrap_err());
    assert_eq!(run_count(&host.clients).await, 1);
    host.service.close().await;
    drop(host);

    let host = Host::open(options).await;
    let ended = host.clients.ended(&run.name).await;
    assert_eq!(result_of(&ended), json!(vec![ANSWER_BYTES; words.len()]));
    let events = host.clients.events(&run.name, 0).await;
    assert_eq!(events[..seen.len()], seen);
    let sequence: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(sequence, (1..=events.len() as u64).collect::<Vec<_>>());
    for index in answered {
        let word = format!("w{index}");
        assert_eq!(subnet.asked()[&word], asked[&word], "{word} was in the journal");
    }
    let attempts: u32 = ended.costs.iter().map(|row| row.attempts).sum();
    assert_eq!(total_of(&ended), PRICE * u64::from(attempts));
    host.verified(&ended).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_room_does_not_open_and_is_no_worse_for_it() {
    let folder = e2e::folder();
    let options = in_folder(folder.path());
    for bytes in [4_096, 100_000, 300_000] {
        let narrow = Options { store_bytes_max: Some(bytes), ..options.clone() };
        let error = Service::open(narrow).await.unwrap_err();
        assert_eq!(error.code(), "E1005", "{bytes}: {error}");
        assert!(!error.help().is_empty());
    }
    let host = Host::open(options).await;
    let request = v1::ListOperationsRequest { page_size: 500, ..Default::default() };
    let listed = host.clients.ledger().list_operations(request).await.unwrap().into_inner();
    assert_eq!(listed.operations.len(), 114, "the catalogue is there whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_database_is_refused_and_left_as_it_is() {
    let folder = e2e::folder();
    let file = folder.path().join(DATABASE_FILE);
    let text = "this was a database once ".repeat(1_000);
    fs::write(&file, &text).unwrap();
    let error = Service::open(in_folder(folder.path())).await.unwrap_err();
    assert_eq!(error.code(), "E1002", "{error}");
    assert!(error.to_string().contains(DATABASE_FILE) && error.help().contains("backup"), "{error}");
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert!(!folder.path().join(runtime::keys::KEY_FILE).exists(), "nothing else was begun");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_service_is_told_who_owns_the_store_and_disturbs_nobody() {
    let gate = Gate::closed();
    let held = gate.clone();
    let subnet = Subnet::start(move |question| Reply::Gated(question.into(), held.clone())).await;
    let folder = e2e::folder();
    let first = Host::open(in_folder(folder.path())).await;
    first.clients.publish(&subnet.operation("ask", micro_usd(PRICE), true)).await;
    let run = first.clients.start(&one("timeout: 60s"), &json!({"q": "still here"})).await.unwrap();
    subnet.arrived(1).await;

    let error = Service::open(in_folder(folder.path())).await.unwrap_err();
    assert_eq!(error.code(), "E1001");
    assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
    assert!(error.help().contains("--server"), "{}", error.help());
    gate.open();
    assert_eq!(result_of(&first.clients.ended(&run.name).await), "still here");
    assert_eq!(subnet.count(), 1, "the second did not take up the run of the first");
}

/// A service that stopped while its runs waited for answers, as a crash leaves it.
async fn left_behind(options: &Options, subnet: &Subnet, questions: &[&str]) -> Vec<String> {
    let host = Host::open(options.clone()).await;
    host.clients.publish(&subnet.operation("ask", micro_usd(PRICE), true)).await;
    let mut names = Vec::new();
    for question in questions {
        let run = host.clients.start(&one("timeout: 60s"), &json!({ "q": question })).await.unwrap();
        names.push(run.name);
    }
    subnet.arrived(questions.len()).await;
    host.service.close().await;
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_journal_fails_its_run_and_no_other() {
    let gate = Gate::closed();
    let held = gate.clone();
    let subnet = Subnet::start(move |question| Reply::Gated(question.into(), held.clone())).await;
    let folder = e2e::folder();
    let options = Options { close_grace: Duration::ZERO, ..in_folder(folder.path()) };
    let names = left_behind(&options, &subnet, &["damaged", "whole"]).await;
    released(folder.path()).await;
    let id = names[0].strip_prefix("runs/").unwrap();
    let changed = rusqlite::Connection::open(folder.path().join(DATABASE_FILE))
        .unwrap()
        .execute(
            "UPDATE records SET bytes = x'ff00ff' WHERE (id & 0xffffffff) = 2 AND (id >> 32) IN
             (SELECT id FROM streams WHERE name LIKE '%' || ?1 || '%')",
            [id],
        )
        .unwrap();
    assert_eq!(changed, 1);

    gate.open();
    let host = Host::open(options).await;
    let whole = host.clients.ended(&names[1]).await;
    assert_eq!(result_of(&whole), "whole");
    let damaged = host.clients.get(&names[0]).await;
    assert_eq!(damaged.state(), v1::RunState::Failed);
    assert_eq!(damaged.error.as_ref().map(|error| error.code.as_str()), Some("E1171"));
    assert!(!damaged.total_certain);
    let proof = host.clients.proof(&names[0]).await.unwrap_err();
    assert_eq!((proof.code(), code_of(&proof).as_str()), (Code::NotFound, "E1165"));
    let listed = v1::ListRunsRequest { state: v1::RunState::Failed.into(), ..Default::default() };
    let listed = host.clients.runs().list_runs(listed).await.unwrap().into_inner();
    assert_eq!(listed.runs.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runtime_key_that_is_none_is_refused_and_not_replaced() {
    let folder = e2e::folder();
    let options = in_folder(folder.path());
    drop(Host::open(options.clone()).await);
    released(folder.path()).await;
    let path = folder.path().join(runtime::keys::KEY_FILE);
    let key = fs::read(&path).unwrap();
    fs::write(&path, &key[..31]).unwrap();
    let error = Service::open(options.clone()).await.unwrap_err();
    assert_eq!(error.code(), "E1174", "{error}");
    assert_eq!(fs::read(&path).unwrap().len(), 31);
    fs::write(&path, &key).unwrap();
    Host::open(options).await;
}

/// What a run costs is written before it is sent, so an interrupted one is paid and, where that does no harm,
/// sent once more.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_call_is_paid_and_asked_again_only_if_that_does_no_harm() {
    let gate = Gate::closed();
    let held = gate.clone();
    let subnet = Subnet::start(move |question| Reply::Gated(question.into(), held.clone())).await;
    let folder = e2e::folder();
    let options = Options { close_grace: Duration::ZERO, ..in_folder(folder.path()) };
    let host = Host::open(options.clone()).await;
    host.clients.publish(&subnet.operation("ask", micro_usd(PRICE), true)).await;
    host.clients.publish(&subnet.operation("buy", micro_usd(PRICE), false)).await;
    let buy = one("timeout: 60s").replace("ask", "buy");
    let asked = host.clients.start(&one("timeout: 60s"), &json!({"q": "safe"})).await.unwrap();
    let bought = host.clients.start(&buy, &json!({"q": "once"})).await.unwrap();
    subnet.arrived(2).await;
    host.service.close().await;
    drop(host);

    gate.open();
    let host = Host::open(options).await;
    let asked = host.clients.ended(&asked.name).await;
    assert_eq!((result_of(&asked), total_of(&asked)), (Json::from("safe"), 2 * PRICE));
    let bought = host.clients.ended(&bought.name).await;
    let error = bought.error.clone().unwrap();
    assert_eq!((error.call_kind.as_str(), error.code.as_str()), ("interrupted", "E1152"));
    assert_eq!((total_of(&bought), bought.total_certain), (PRICE, false));
    assert_eq!(subnet.asked(), [("once".to_owned(), 1), ("safe".to_owned(), 2)].into());
    host.verified(&asked).await;
    host.verified(&bought).await;
}
