//! `PlanService`, and runs of plans by name.

use e2e::service::{Clients, Host, code_of, in_folder, released, request, result_of, source, total_of};
use e2e::subnet::{Subnet, micro_usd};
use proto::v1;
use schema::operation::{OperationDescriptor, Version};
use serde_json::json;
use tonic::{Code, Response, Status};

use super::{MANY, PRICE, World, assert_not_found, assert_refused, bare};

/// Needs no subnet.
fn double(name: &str) -> String {
    format!("edition 2026\n\n/// Doubles.\nplan {name}(x: Int(0..9)) -> Int(0..18) {{ x * 2 }}\n")
}

/// The next version of `ask`.
fn newer(subnet: &Subnet, price: u64) -> OperationDescriptor {
    let version = Version { compatible: 1, ..Version::FIRST };
    OperationDescriptor { version, ..subnet.operation("ask", micro_usd(price), true) }
}

async fn publish(clients: &Clients, text: &str) -> Result<v1::PublishPlanResponse, Status> {
    let request = v1::PublishPlanRequest { source: Some(source(text)), plan: String::new() };
    clients.plans().publish_plan(request).await.map(Response::into_inner)
}

async fn published(clients: &Clients, text: &str) -> (v1::Plan, bool) {
    let answer = publish(clients, text).await.unwrap();
    (answer.plan.unwrap(), answer.changed)
}

async fn get(clients: &Clients, name: &str) -> Result<v1::Plan, Status> {
    let request = v1::GetPlanRequest { name: name.into() };
    clients.plans().get_plan(request).await.map(|answer| answer.into_inner().plan.unwrap())
}

async fn withdraw(clients: &Clients, name: &str) -> Result<(), Status> {
    clients.plans().withdraw_plan(v1::WithdrawPlanRequest { name: name.into() }).await.map(drop)
}

async fn list(clients: &Clients, page_size: u32, page_token: &str) -> Result<v1::ListPlansResponse, Status> {
    let request = v1::ListPlansRequest { page_size, page_token: page_token.into() };
    clients.plans().list_plans(request).await.map(Response::into_inner)
}

fn names(page: &v1::ListPlansResponse) -> Vec<&str> {
    page.plans.iter().map(|plan| plan.name.as_str()).collect()
}

fn by_name(name: &str, inputs: &serde_json::Value) -> v1::CreateRunRequest {
    v1::CreateRunRequest { source: None, published_plan: name.into(), ..request("", inputs) }
}

async fn run(clients: &Clients, name: &str, inputs: &serde_json::Value) -> v1::Run {
    let created = clients.runs().create_run(by_name(name, inputs)).await.unwrap().into_inner();
    clients.ended(&created.run.unwrap().name).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_plan_runs_by_its_name() {
    let World { served: _served, clients, subnet } = World::echoing().await;
    let (plan, changed) = published(&clients, MANY).await;
    assert!(changed && plan.source.is_none());
    assert_eq!((plan.name.as_str(), plan.revision), ("plans/many", 1));
    let summary = plan.summary.clone().unwrap();
    assert_eq!((summary.name.as_str(), summary.doc.as_str()), ("many", "Asks about each word."));
    assert_eq!(summary.cost_max.unwrap().units, 64 * PRICE);
    let ended = run(&clients, "plans/many", &json!({ "words": ["a", "b"] })).await;
    assert_eq!(result_of(&ended), json!(["a", "b"]));
    assert_eq!((ended.plan_hash, total_of(&clients.get(&ended.name).await)), (summary.plan_hash, 2 * PRICE));
    assert_eq!(subnet.count(), 2);

    let kept = get(&clients, "plans/many").await.unwrap();
    let file = kept.source.clone().unwrap();
    assert_eq!((file.text.as_str(), file.file_name.as_str()), (MANY, "plan.orch"));
    let lock = file.lock.unwrap();
    assert!(
        lock.toml.contains("sn65020.ask") && lock.bodies.len() == 1,
        "what it was compiled against is kept"
    );
    assert_eq!(v1::Plan { source: None, ..kept }, plan);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_content_changes_nothing_and_another_is_a_revision() {
    let World { served: _served, clients, subnet } = World::echoing().await;
    let (first, _) = published(&clients, MANY).await;
    let before = list(&clients, 0, "").await.unwrap();
    // Another snapshot of the Ledger, but the same pins.
    clients.publish(&subnet.operation("other", micro_usd(PRICE), true)).await;
    assert_eq!(published(&clients, MANY).await, (first.clone(), false));
    assert_eq!(list(&clients, 0, "").await.unwrap(), before);

    let changed = MANY.replace("concurrency: 4", "concurrency: 2");
    let (second, is_new) = published(&clients, &changed).await;
    assert_eq!((second.revision, is_new), (2, true));
    assert!(list(&clients, 0, "").await.unwrap().generation > before.generation);
    // The same text against another entry is another content.
    clients.publish(&newer(&subnet, 2 * PRICE)).await;
    let (third, _) = published(&clients, &changed).await;
    assert_eq!(third.revision, 3);
    let ended = run(&clients, "plans/many", &json!({ "words": ["a"] })).await;
    assert_eq!((total_of(&ended), ended.plan_hash), (2 * PRICE, third.summary.unwrap().plan_hash));
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_survive_a_restart() {
    let folder = e2e::folder();
    let subnet = Subnet::start(e2e::subnet::Reply::echo).await;
    let host = Host::open(in_folder(folder.path())).await;
    host.clients.publish(&subnet.operation("ask", micro_usd(PRICE), true)).await;
    published(&host.clients, MANY).await;
    published(&host.clients, &double("gone")).await;
    withdraw(&host.clients, "plans/gone").await.unwrap();
    let before = list(&host.clients, 0, "").await.unwrap();
    let kept = get(&host.clients, "plans/many").await.unwrap();
    // A newer entry does not change what is published.
    host.clients.publish(&newer(&subnet, 3 * PRICE)).await;
    host.service.close().await;
    drop(host);
    released(folder.path()).await;

    let host = Host::open(in_folder(folder.path())).await;
    assert_eq!(list(&host.clients, 0, "").await.unwrap(), before);
    assert_eq!(get(&host.clients, "plans/many").await.unwrap(), kept);
    let ended = run(&host.clients, "plans/many", &json!({ "words": ["a"] })).await;
    assert_eq!((result_of(&ended), total_of(&ended)), (json!(["a"]), PRICE));
    assert_eq!(ended.plan_hash, kept.summary.unwrap().plan_hash);
    assert_eq!(published(&host.clients, &double("gone")).await.0.revision, 2, "revisions count on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_plan_is_unknown_and_its_runs_go_on() {
    let world = World::start(|_| e2e::subnet::Reply::Silence).await;
    published(&world.clients, MANY).await;
    let started = world.clients.runs().create_run(by_name("plans/many", &json!({ "words": ["a"] }))).await;
    let started = started.unwrap().into_inner().run.unwrap();
    world.subnet.arrived(1).await;
    withdraw(&world.clients, "plans/many").await.unwrap();
    assert!(names(&list(&world.clients, 0, "").await.unwrap()).is_empty());
    assert_eq!(world.clients.get(&started.name).await.state(), v1::RunState::Running);
    for refused in
        [get(&world.clients, "plans/many").await.map(drop), withdraw(&world.clients, "plans/many").await]
    {
        assert_not_found(refused, "E1550", "plan", "plans/many");
    }
    let refused = world.clients.runs().create_run(by_name("plans/many", &json!({ "words": [] }))).await;
    assert_not_found(refused, "E1550", "plan", "plans/many");
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_are_listed_by_name_in_pages() {
    let (_served, clients) = bare().await;
    let empty = list(&clients, 0, "").await.unwrap();
    assert_eq!((empty.plans.len(), empty.generation), (0, 0));
    for name in ["delta", "alpha", "charlie", "bravo", "echo"] {
        published(&clients, &double(name)).await;
    }
    let (mut all, mut token, mut sizes) = (Vec::new(), String::new(), Vec::new());
    loop {
        let page = list(&clients, 2, &token).await.unwrap();
        assert!(page.plans.iter().all(|plan| plan.source.is_none() && plan.summary.is_some()));
        assert_eq!(page.generation, 5);
        sizes.push(page.plans.len());
        all.extend(names(&page).into_iter().map(str::to_owned));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(all, ["plans/alpha", "plans/bravo", "plans/charlie", "plans/delta", "plans/echo"]);
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(list(&clients, u32::MAX, "").await.unwrap().plans.len(), 5);
    assert_refused(list(&clients, 2, "bogus!").await, Code::InvalidArgument, "E1207", &["page_token"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_run_is_not_published() {
    let World { served: _served, clients, .. } = World::echoing().await;
    let text = MANY.replace("answer.v", "answer.w");
    let refused = publish(&clients, &text).await.unwrap_err();
    let created = clients.start(&text, &json!({})).await.unwrap_err();
    assert_eq!((refused.message(), refused.details()), (created.message(), created.details()));

    for (left_out, missing) in [("budget: 1USD, ", "budget"), (", deadline: 2h", "deadline")] {
        let text = MANY.replace(left_out, "");
        assert_eq!(code_of(&publish(&clients, &text).await.unwrap_err()), "E0705");
        // It may leave its limits to a plan that runs it, but has none by itself.
        let text = format!(
            "{text}\nplan outer() -> [String](..64) with {{ budget: 1USD, deadline: 3h }} {{ run many(words: [\"a\"]) }}\n"
        );
        let request = v1::PublishPlanRequest { source: Some(source(&text)), plan: "many".into() };
        let refused = clients.plans().publish_plan(request).await.unwrap_err();
        assert_eq!((refused.code(), code_of(&refused).as_str()), (Code::FailedPrecondition, "E1405"));
        assert!(refused.message().contains(missing), "{}", refused.message());
    }
    let both = format!("{}\nplan other() -> Int {{ 1 }}\n", double("one"));
    assert_refused(publish(&clients, &both).await, Code::InvalidArgument, "E1506", &["plan"]);
    let named = |plan: &str| v1::PublishPlanRequest { source: Some(source(&both)), plan: plan.into() };
    assert_refused(
        clients.plans().publish_plan(named("othr")).await,
        Code::InvalidArgument,
        "E1506",
        &["plan"],
    );
    let answer = clients.plans().publish_plan(named("other")).await.unwrap().into_inner();
    assert_eq!(answer.plan.unwrap().name, "plans/other");
    let nothing = v1::PublishPlanRequest::default();
    assert_refused(clients.plans().publish_plan(nothing).await, Code::InvalidArgument, "E1510", &["source"]);
    assert_eq!(names(&list(&clients, 0, "").await.unwrap()), ["plans/other"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_wrong_say_what_was_meant() {
    let (_served, clients) = bare().await;
    published(&clients, &double("market_research")).await;
    let refused = get(&clients, "plans/market_reserch").await;
    let message = refused.as_ref().unwrap_err().message().to_owned();
    assert!(message.contains("did you mean `plans/market_research`?"), "{message}");
    assert_not_found(refused, "E1550", "plan", "plans/market_reserch");
    for bad in ["market_research", "plans/", "plans/a/b", "plans/\0", ""] {
        assert_refused(get(&clients, bad).await, Code::InvalidArgument, "E1510", &["name"]);
    }
    let long = format!("plans/{}", "x".repeat(257));
    assert_refused(get(&clients, &long).await, Code::InvalidArgument, "E1510", &["name"]);

    let name = "plans/market_research";
    let inputs = json!({ "x": 1 });
    let both = v1::CreateRunRequest { source: Some(source("")), ..by_name(name, &inputs) };
    assert_refused(clients.runs().create_run(both).await, Code::InvalidArgument, "E1510", &["source"]);
    let both = v1::CreateRunRequest { plan: "market_research".into(), ..by_name(name, &inputs) };
    assert_refused(clients.runs().create_run(both).await, Code::InvalidArgument, "E1510", &["plan"]);
    let bad = by_name("market_research", &inputs);
    assert_refused(clients.runs().create_run(bad).await, Code::InvalidArgument, "E1510", &["published_plan"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_gives_the_same_run_of_a_published_plan() {
    let (_served, clients) = bare().await;
    published(&clients, &double("double")).await;
    let request = |x: u8| v1::CreateRunRequest {
        request_id: "one".into(),
        ..by_name("plans/double", &json!({ "x": x }))
    };
    let mut runs = Vec::new();
    for _ in 0..2 {
        runs.push(clients.runs().create_run(request(4)).await.unwrap().into_inner().run.unwrap().name);
    }
    assert_eq!(runs[0], runs[1]);
    assert_eq!(result_of(&clients.ended(&runs[0]).await), json!(8));
    let refused = clients.runs().create_run(request(5)).await.unwrap_err();
    assert_eq!((refused.code(), code_of(&refused).as_str()), (Code::AlreadyExists, "E1008"));
}
