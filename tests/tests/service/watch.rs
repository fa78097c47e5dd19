//! `RunService.WatchRun`: without a gap, from any point, across broken connections and a stop of the server.

use std::time::Duration;

use e2e::cable::Cable;
use e2e::service::{Clients, PATIENT, Served, in_folder, result_of};
use e2e::subnet::{Gate, Reply, Subnet, micro_usd};
use proto::v1;
use serde_json::json;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;

use super::{MANY, PRICE, World, assert_refused};

async fn watch(clients: &Clients, name: &str, after_seq: u64) -> Streaming<v1::WatchRunResponse> {
    let request = v1::WatchRunRequest { name: name.into(), after_seq };
    clients.runs().watch_run(request).await.unwrap().into_inner()
}

/// The next event that is no heartbeat.
async fn next(stream: &mut Streaming<v1::WatchRunResponse>) -> Result<Option<v1::RunEvent>, Status> {
    loop {
        let message = tokio::time::timeout(PATIENT, stream.message()).await.unwrap()?;
        let Some(event) = message.map(|response| response.event.unwrap()) else { return Ok(None) };
        if event.kind() != v1::RunEventKind::Heartbeat {
            return Ok(Some(event));
        }
    }
}

fn assert_gap_free(events: &[v1::RunEvent]) {
    let sequence: Vec<u64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(sequence, (1..=events.len() as u64).collect::<Vec<_>>());
    let times = events.iter().map(|event| event.time.unwrap()).map(|time| (time.seconds, time.nanos));
    assert!(times.is_sorted(), "time never goes back");
    assert_eq!(events.first().map(v1::RunEvent::kind), Some(v1::RunEventKind::Opened));
    assert_eq!(events.last().map(v1::RunEvent::kind), Some(v1::RunEventKind::Closed));
    let closed = events.iter().filter(|event| event.kind() == v1::RunEventKind::Closed).count();
    assert_eq!(closed, 1);
}

fn words(count: usize) -> serde_json::Value {
    json!({"words": (0..count).map(|index| format!("w{index}")).collect::<Vec<_>>()})
}

#[tokio::test(flavor = "multi_thread")]
async fn every_watcher_sees_the_same_events_from_any_point_on() {
    let World { served, clients, subnet: _subnet } = World::echoing().await;
    let run = clients.start(MANY, &words(40)).await.unwrap();
    let mut watchers = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (clients, name) = (Clients::connect(served.address).await, run.name.clone());
        watchers.spawn(async move { clients.events(&name, 0).await });
    }
    let seen = watchers.join_all().await;
    let events = &seen[0];
    assert_gap_free(events);
    assert!(seen.iter().all(|other| other == events));
    let kinds = |kind| events.iter().filter(|event| event.kind() == kind).count();
    assert_eq!(kinds(v1::RunEventKind::AttemptSent), 40);
    assert_eq!(kinds(v1::RunEventKind::AttemptDone), 40);
    assert_eq!(events.last().unwrap().spent.unwrap().units, 40 * PRICE);
    assert_eq!(clients.get(&run.name).await.last_seq, events.len() as u64);

    for after in [0, 1, 7, events.len() - 1, events.len()] {
        assert_eq!(clients.events(&run.name, after as u64).await, events[after..], "after {after}");
    }
    // Beyond the end there is nothing, and nothing is waited for.
    for beyond in [events.len() as u64 + 1, u64::MAX] {
        assert_eq!(clients.events(&run.name, beyond).await, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_goes_on_after_its_connection_was_cut() {
    let gate = Gate::closed();
    let held = gate.clone();
    let world = World::start(move |question| match question {
        "w5" | "w6" => Reply::Gated(question.into(), held.clone()),
        _ => Reply::echo(question),
    })
    .await;
    let cable = Cable::to(world.served.address).await;
    let far = Clients::connect(cable.address).await;
    let run = far.start(MANY, &words(12)).await.unwrap();
    let mut stream = watch(&far, &run.name, 0).await;
    let mut events = Vec::new();
    while events.len() < 8 {
        events.push(next(&mut stream).await.unwrap().unwrap());
    }
    cable.cut();
    // What was under way on the wire may still arrive; then the stream fails instead of ending.
    let broken = loop {
        match next(&mut stream).await {
            Ok(Some(event)) => events.push(event),
            Ok(None) => panic!("a cut stream must not look like the end of the run"),
            Err(status) => break status,
        }
    };
    assert!(matches!(broken.code(), Code::Unavailable | Code::Unknown | Code::Internal), "{broken:?}");
    gate.open();
    // The same client connects again by itself, at the latest when it has noticed that the old connection is gone.
    let request = v1::WatchRunRequest { name: run.name.clone(), after_seq: events.last().unwrap().seq };
    let mut stream = loop {
        match far.runs().watch_run(request.clone()).await {
            Ok(stream) => break stream.into_inner(),
            Err(status) => assert_eq!(status.code(), Code::Cancelled, "{status:?}"),
        }
    };
    while let Some(event) = next(&mut stream).await.unwrap() {
        events.push(event);
    }
    assert_gap_free(&events);
    assert_eq!(events, world.clients.events(&run.name, 0).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_who_leaves_does_not_disturb_the_run() {
    let World { served, clients, subnet: _subnet } = World::echoing().await;
    let run = clients.start(MANY, &words(64)).await.unwrap();
    for _ in 0..20 {
        let leaver = Clients::connect(served.address).await;
        let mut stream = watch(&leaver, &run.name, 0).await;
        next(&mut stream).await.unwrap();
    }
    result_of(&clients.ended(&run.name).await);
}

/// A server that stops tells its watchers, does not wait for runs that take long, and finishes them when it is
/// started again.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_hands_its_runs_to_the_next() {
    let gate = Gate::closed();
    let held = gate.clone();
    let subnet = Subnet::start(move |question| match question {
        "w2" => Reply::Gated(question.into(), held.clone()),
        _ => Reply::echo(question),
    })
    .await;
    let folder = e2e::folder();
    let mut options = in_folder(folder.path());
    options.close_grace = Duration::from_millis(100);
    let served = Served::start(options.clone()).await;
    let clients = Clients::connect(served.address).await;
    clients.publish(&subnet.operation("ask", micro_usd(PRICE), true)).await;
    let run = clients.start(MANY, &words(6)).await.unwrap();
    let mut stream = watch(&clients, &run.name, 0).await;
    let mut events = vec![next(&mut stream).await.unwrap().unwrap()];
    // A stream that never ends by itself must not hold up the server either.
    let mut health = tonic_health::pb::health_client::HealthClient::new(clients.channel());
    let request = tonic_health::pb::HealthCheckRequest::default();
    let mut health = health.watch(request).await.unwrap().into_inner();
    subnet.arrived(6).await;

    let watcher = tokio::spawn(async move {
        loop {
            match next(&mut stream).await {
                Ok(Some(event)) => events.push(event),
                Ok(None) => panic!("the run has not ended"),
                Err(status) => return (events, status),
            }
        }
    });
    let host = served.stop().await;
    let (mut events, status) = watcher.await.unwrap();
    assert_eq!(status.get_details_error_info().unwrap().metadata["run"], run.name);
    assert_refused::<()>(Err(status), Code::Unavailable, "E1173", &[]);
    let mut last = None;
    while let Ok(Some(now)) = health.message().await {
        last = Some(now.status());
    }
    assert_eq!(last, Some(tonic_health::pb::health_check_response::ServingStatus::NotServing));
    let refused = host.clients.start(MANY, &words(1)).await;
    assert_refused(refused, Code::Unavailable, "E1173", &[]);
    drop((host, clients));

    gate.open();
    let served = Served::start(options).await;
    let clients = Clients::connect(served.address).await;
    let ended = clients.ended(&run.name).await;
    assert_eq!(result_of(&ended), words(6)["words"]);
    events.extend(clients.events(&run.name, events.len() as u64).await);
    assert_gap_free(&events);
    served.host.verified(&ended).await;
    // Five answers were in the journal; the sixth question was interrupted and asked again.
    let asked = subnet.asked();
    assert_eq!(asked.iter().filter(|(word, times)| **times != 1 && *word != "w2").count(), 0, "{asked:?}");
}
