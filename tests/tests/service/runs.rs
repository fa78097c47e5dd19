//! `RunService`: creating, reading and cancelling runs.

use e2e::service::{Clients, Host, counts_of, development, failure_of, request, result_of, total_of};
use e2e::subnet::{Gate, Reply};
use proto::v1;
use serde_json::json;
use server::StoreLocation;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

use super::{MANY, PRICE, World, assert_not_found, assert_refused};

async fn create(clients: &Clients, request: v1::CreateRunRequest) -> Result<v1::Run, Status> {
    Ok(clients.runs().create_run(request).await?.into_inner().run.unwrap())
}

async fn cancel(clients: &Clients, name: &str) -> Result<v1::Run, Status> {
    let request = v1::CancelRunRequest { name: name.into() };
    Ok(clients.runs().cancel_run(request).await?.into_inner().run.unwrap())
}

async fn run_count(clients: &Clients) -> usize {
    clients.runs().list_runs(v1::ListRunsRequest::default()).await.unwrap().into_inner().runs.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_ends_with_result_costs_and_a_proof() {
    let World { served, clients, subnet } = World::echoing().await;
    let run = clients.run(MANY, &json!({"words": ["a", "b", "c"]})).await;
    assert_eq!(result_of(&run), json!(["a", "b", "c"]));
    assert_eq!((run.plan.as_str(), run.plan_hash.len(), run.proof_id.len()), ("many", 64, 64));
    assert_eq!((counts_of(&run), total_of(&run), run.total_certain), ((3, 3), 3 * PRICE, true));
    assert_eq!(run.costs[0].basis(), v1::PriceBasis::Known);
    assert_eq!(subnet.count(), 3);
    let (began, ended) = (run.create_time.unwrap(), run.end_time.unwrap());
    assert!((began.seconds, began.nanos) <= (ended.seconds, ended.nanos));
    served.host.verified(&run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_failed_says_where_and_why() {
    let World { served, clients, subnet: _subnet } = World::start(|question| match question {
        "long" => Reply::Answer("x".repeat(201), std::time::Duration::ZERO),
        other => Reply::echo(other),
    })
    .await;
    let run = clients.run(MANY, &json!({"words": ["a", "long"]})).await;
    assert_eq!(failure_of(&run), ("invalid".into(), "E1120".into(), "$.v".into()));
    let error = run.error.clone().unwrap();
    assert!(error.node.starts_with("answer#") && error.node.ends_with("[1]"), "{error:?}");
    let span = error.span.unwrap();
    let call = MANY.get(span.start as usize..span.end as usize);
    assert!(call.is_some_and(|call| call.starts_with("call ask")), "{span:?}");
    assert!(run.result_json.is_empty());
    served.host.verified(&run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_makes_one_run() {
    let World { served: _served, clients, subnet } = World::echoing().await;
    let mut same = request(MANY, &json!({"words": ["a"]}));
    same.request_id = Uuid::new_v4().to_string();
    // Also when they arrive together, and however the inputs are spelt.
    let mut respelt = same.clone();
    respelt.inputs_json = b"{ \"words\" : [\"\\u0061\"] }".to_vec().into();
    let (one, two, three) = tokio::join!(
        create(&clients, same.clone()),
        create(&clients, respelt),
        create(&clients, same.clone())
    );
    let name = one.unwrap().name;
    assert_eq!([two.unwrap().name, three.unwrap().name], [name.clone(), name.clone()]);
    clients.ended(&name).await;
    let late = create(&clients, same.clone()).await.unwrap();
    assert_eq!((late.name.as_str(), late.state()), (name.as_str(), v1::RunState::Succeeded));
    assert_eq!((run_count(&clients).await, subnet.count()), (1, 1));

    let mut other_inputs = same.clone();
    other_inputs.inputs_json = b"{\"words\":[\"b\"]}".to_vec().into();
    let mut other_plan = same.clone();
    other_plan.source.as_mut().unwrap().text = MANY.replace("1USD", "2USD");
    let mut other_limit = same.clone();
    other_limit.cost_max = Some(v1::Amount { units: 90_000, currency: v1::Currency::MicroUsd.into() });
    for different in [other_inputs, other_plan, other_limit] {
        assert_refused(create(&clients, different).await, Code::AlreadyExists, "E1008", &[]);
    }
    let too_long = v1::CreateRunRequest { request_id: "x".repeat(129), ..same.clone() };
    assert_refused(create(&clients, too_long).await, Code::InvalidArgument, "E1510", &["request_id"]);
    // Without an id, each request is a run of its own.
    let anonymous = v1::CreateRunRequest { request_id: String::new(), ..same };
    let first = create(&clients, anonymous.clone()).await.unwrap().name;
    assert_ne!(create(&clients, anonymous).await.unwrap().name, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_begin_is_refused_before_anything_is_spent() {
    let World { served: _served, clients, subnet } = World::echoing().await;
    let inputs = |inputs_json: &str| v1::CreateRunRequest {
        inputs_json: inputs_json.as_bytes().to_vec().into(),
        ..request(MANY, &json!({}))
    };
    for (text, code) in [
        ("{}", "E1162"),
        ("[]", "E1160"),
        ("{\"words\": [\"a\"], \"word\": 1}", "E1161"),
        ("{\"words\": [\"a\", 7]}", "E1163"),
        ("{\"words\": [], \"words\": [\"a\"]}", "E1160"),
        ("not json", "E1160"),
        ("\u{feff}{}", "E1160"),
    ] {
        let refused = create(&clients, inputs(text)).await;
        assert_refused(refused, Code::InvalidArgument, code, &["inputs_json"]);
    }
    let misfit = create(&clients, inputs("{\"words\": [\"a\", 7]}")).await.unwrap_err();
    assert!(misfit.message().contains("$.words[1]"), "{misfit:?}");

    let broken = create(&clients, request("plan broken(", &json!({}))).await.unwrap_err();
    let fields = broken.get_details_bad_request().unwrap().field_violations;
    assert!(fields.iter().all(|violation| violation.field.starts_with("source.text:1:")), "{fields:?}");
    assert!(e2e::service::code_of(&broken).starts_with("E01"));
    let no_source = create(&clients, v1::CreateRunRequest::default()).await;
    assert_refused(no_source, Code::InvalidArgument, "E1510", &["source"]);
    let mut no_plan = request(MANY, &json!({"words": []}));
    no_plan.plan = "mani".into();
    assert_refused(create(&clients, no_plan).await, Code::InvalidArgument, "E1506", &["plan"]);

    let limited = |units, currency: v1::Currency| v1::CreateRunRequest {
        cost_max: Some(v1::Amount { units, currency: currency.into() }),
        ..request(MANY, &json!({"words": ["a", "b"]}))
    };
    let below = create(&clients, limited(2 * PRICE - 1, v1::Currency::MicroUsd)).await;
    assert_refused(below, Code::FailedPrecondition, "E1402", &[]);
    let no_currency = create(&clients, limited(1, v1::Currency::Unspecified)).await;
    assert_refused(no_currency, Code::InvalidArgument, "E1510", &["cost_max"]);
    let no_rate = create(&clients, limited(1, v1::Currency::Rao)).await;
    assert_refused(no_rate, Code::FailedPrecondition, "E1403", &[]);
    let poor = MANY.replace("budget: 1USD", "budget: 0.000150USD");
    let above = create(&clients, request(&poor, &json!({"words": ["a", "b"]}))).await.unwrap_err();
    assert!(["E1402", "E0701"].contains(&e2e::service::code_of(&above).as_str()), "{above:?}");

    assert_eq!((run_count(&clients).await, subnet.count()), (0, 0));
    let exact = create(&clients, limited(2 * PRICE, v1::Currency::MicroUsd)).await.unwrap();
    assert_eq!(total_of(&clients.ended(&exact.name).await), 2 * PRICE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_names_no_run_is_refused_by_every_method() {
    let World { served: _served, clients, subnet: _subnet } = World::echoing().await;
    let missing = format!("runs/{}", Uuid::now_v7());
    let proof = async |name: &str| clients.proof(name).await;
    let watch = async |name: &str| {
        let request = v1::WatchRunRequest { name: name.into(), after_seq: 0 };
        clients.runs().watch_run(request).await
    };
    let get = async |name: &str| clients.runs().get_run(v1::GetRunRequest { name: name.into() }).await;
    assert_not_found(get(&missing).await, "E1164", "run", &missing);
    assert_not_found(watch(&missing).await, "E1164", "run", &missing);
    assert_not_found(cancel(&clients, &missing).await, "E1164", "run", &missing);
    assert_not_found(proof(&missing).await, "E1164", "run", &missing);
    for bad in ["", "runs/", "runs/x", "run/0192f0c1-0000-7000-8000-000000000001", "runs/../x"] {
        assert_refused(get(bad).await, Code::InvalidArgument, "E1510", &["name"]);
        assert_refused(watch(bad).await, Code::InvalidArgument, "E1510", &["name"]);
        assert_refused(cancel(&clients, bad).await, Code::InvalidArgument, "E1510", &["name"]);
        assert_refused(proof(bad).await, Code::InvalidArgument, "E1510", &["name"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_settles_what_was_sent() {
    let World { served, clients, subnet } = World::start(|question| match question {
        "answered" => Reply::echo(question),
        _ => Reply::Silence,
    })
    .await;
    let words = json!({"words": ["answered", "b", "c", "d", "e", "never", "sent"]});
    let run = clients.start(MANY, &words).await.unwrap();
    // The fifth question is sent when the answer to the first is in the journal.
    subnet.arrived(5).await;
    let early = clients.proof(&run.name).await;
    assert_not_found(early, "E1165", "proof", &format!("{}/proof", run.name));
    assert_eq!(clients.get(&run.name).await.state(), v1::RunState::Running);

    let ended = cancel(&clients, &run.name).await.unwrap();
    assert_eq!(ended.state(), v1::RunState::Cancelled);
    assert_eq!((counts_of(&ended), total_of(&ended)), ((5, 5), 5 * PRICE));
    assert!(!ended.total_certain, "nobody knows what the four silent ones charge");
    assert_eq!(ended.costs[0].basis(), v1::PriceBasis::Assumed);
    assert_eq!(cancel(&clients, &run.name).await.unwrap(), ended, "twice is once");
    assert_eq!(clients.get(&run.name).await, ended);
    let events = clients.events(&run.name, 0).await;
    let settled = events.iter().filter(|event| event.kind() == v1::RunEventKind::AttemptDone);
    assert_eq!(settled.count(), 5);
    assert_eq!(events.last().map(|event| event.state.as_str()), Some("cancelled"));
    served.host.verified(&ended).await;
    assert_eq!(subnet.count(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_run_too_many_is_told_to_wait() {
    let gate = Gate::closed();
    let held = gate.clone();
    let subnet =
        e2e::subnet::Subnet::start(move |question| Reply::Gated(question.into(), held.clone())).await;
    let mut options = development(StoreLocation::Memory);
    options.runtime.runs_max = 2;
    let served = e2e::service::Served::start(options).await;
    let clients = Clients::connect(served.address).await;
    clients.publish(&subnet.operation("ask", e2e::subnet::micro_usd(PRICE), true)).await;
    let inputs = json!({"words": ["a"]});
    let first = clients.start(MANY, &inputs).await.unwrap();
    clients.start(MANY, &inputs).await.unwrap();
    let refused = clients.start(MANY, &inputs).await.unwrap_err();
    assert!(refused.get_details_retry_info().is_some_and(|retry| retry.retry_delay.is_some()));
    assert_refused::<()>(Err(refused), Code::ResourceExhausted, "E1172", &[]);
    gate.open();
    clients.ended(&first.name).await;
    let next = clients.start(MANY, &inputs).await.unwrap();
    result_of(&clients.ended(&next.name).await);
}

/// More runs at once than a connection has streams, over several connections, each watched from its start.
#[tokio::test(flavor = "multi_thread")]
async fn many_runs_at_once_do_not_mix() {
    let World { served, clients: _clients, subnet } = World::echoing().await;
    let mut connections = Vec::new();
    for _ in 0..4 {
        connections.push(Clients::connect(served.address).await);
    }
    let mut runs = tokio::task::JoinSet::new();
    for index in 0..200 {
        let clients = connections[index % connections.len()].clone();
        runs.spawn(async move {
            let words = json!([format!("run {index} a"), format!("run {index} b")]);
            let run = clients.run(MANY, &json!({ "words": words })).await;
            assert_eq!(result_of(&run), words);
            run
        });
    }
    let runs = runs.join_all().await;
    assert_eq!(subnet.asked().values().sum::<u32>(), 400);
    assert!(subnet.asked().values().all(|times| *times == 1));
    let names: std::collections::BTreeSet<_> = runs.iter().map(|run| run.name.clone()).collect();
    assert_eq!(names.len(), 200);
    for run in runs.iter().step_by(40) {
        served.host.verified(run).await;
    }
}

/// A client's plan with long lists is interpreted at first, and native code once it came a few times.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_run_again_and_again_becomes_native_code() {
    const TEXT: &str = "edition 2026\nplan even(xs: [Int](..20000)) -> Int {\n  \
                        return xs.filter(x => x % 2 == 0).map(x => x * 3).sum()\n}\n";
    let host = Host::open(development(StoreLocation::Memory)).await;
    let inputs = json!({ "xs": (0..20_000).collect::<Vec<u32>>() });
    let mut native = Vec::new();
    for _ in 0..2 {
        let run = host.clients.run(TEXT, &inputs).await;
        assert_eq!(result_of(&run), json!(299_970_000));
        host.service.native().wait_until_idle();
        native.push(host.service.native().has(run.plan_hash.parse().unwrap()));
    }
    assert_eq!(native.last(), Some(&true), "{native:?}");
}
