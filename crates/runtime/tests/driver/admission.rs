//! Which runs may begin: their inputs, secrets, limits and request ids.

use std::sync::Arc;
use std::time::Duration;

use plan_ir::plan::Tolerance;
use runtime::view::RunState;
use runtime::{Error, Options};
use schema::operation::{Auth, OperationDescriptor};
use schema::price::PriceRule;
use schema::types::{LengthRange, Type};
use schema::value::Value;
use store::Memory;

use crate::support::server::{Reply, Server};
use crate::support::world::{TENANT, World, request, services};
use crate::support::{Builder, CallOptions, LoopOptions, list_of, operation, per_call, usd};
use crate::{HOUR_US, echo, echoing, fan_out, one_call};

#[tokio::test]
async fn a_request_id_makes_one_run_and_refuses_another_request() {
    let server = echoing().await;
    let world = World::in_memory();
    let plan = world.load(one_call(echo(&server), &CallOptions::to(0)));
    let other = world.load(fan_out(echo(&server), 2));
    let with_id = |plan| runtime::CreateRun { request_id: Some("id-1".into()), ..request(plan, "") };
    let same = futures_util::future::join_all((0..5).map(|_| world.handle.create_run(with_id(&plan)))).await;
    let ids: std::collections::BTreeSet<_> = same.into_iter().map(Result::unwrap).collect();
    assert_eq!(ids.len(), 1);
    let id = *ids.first().unwrap();
    world.handle.wait(TENANT, id).await.unwrap();
    assert_eq!(world.handle.create_run(with_id(&plan)).await.unwrap(), id);
    let refused = world.handle.create_run(with_id(&other)).await.unwrap_err();
    assert_eq!(refused.code(), "E1008");
    assert!(matches!(refused, Error::RequestConflict(key) if key == "id-1"));
    assert_eq!((server.count(), world.handle.runs_under_way()), (1, 0));
    let another = runtime::CreateRun { tenant: "other".into(), ..with_id(&other) };
    assert_ne!(world.handle.create_run(another).await.unwrap(), id, "ids of tenants never meet");
}

#[tokio::test]
async fn wrong_arguments_are_named_before_anything_is_spent() {
    let server = echoing().await;
    let world = World::in_memory();
    let mut b = Builder::new(Some(usd(10_000)), Some(HOUR_US), &[echo(&server)]);
    let question = b.param("question", Type::String(LengthRange::up_to(10)), None);
    b.param("limit", Type::INT, Some(Value::Int(3)));
    let call = b.call("ask", question, &CallOptions::to(0), &[]);
    let plan = world.load(b.finish(call, Type::STRING));
    for (inputs, code, message) in [
        ("[]", "E1160", "the inputs are no JSON object: they are a list"),
        (r#"{"question":"#, "E1160", "the inputs are no JSON object"),
        (r#"{"qestion":"a"}"#, "E1161", "there is no input `qestion`; did you mean `question`?"),
        (r#"{"question":"a","xyz":1}"#, "E1161", "there is no input `xyz`; taken are question, limit"),
        ("{}", "E1162", "`question` is missing: give a value of type String(..10)"),
        (r#"{"question":"longer than ten"}"#, "E1163", "`question` does not fit String(..10)"),
        (r#"{"question":"a","limit":"x"}"#, "E1163", "at $.limit"),
        (r#"{"question":"a","question":"b"}"#, "E1160", "question"),
    ] {
        let refused = world.handle.create_run(request(&plan, inputs)).await.unwrap_err();
        assert_eq!(refused.code(), code, "{inputs}");
        assert!(refused.to_string().contains(message), "{refused}");
    }
    let fine = world.handle.create_run(request(&plan, r#"{"question":"hi","limit":null}"#)).await.unwrap();
    assert_eq!(world.handle.wait(TENANT, fine).await.unwrap().result_json.as_deref(), Some(r#""re: hi""#));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_missing_secret_is_refused_before_anything_is_spent_unless_another_operation_serves() {
    let server = echoing().await;
    let world = World::in_memory();
    let auth = Auth::Header { name: "authorization".into(), format: "Bearer <key>".into() };
    let locked = OperationDescriptor { auth, ..operation("sn1.a_locked", &server.url, per_call(50), true) };
    let plan = world.load(one_call(locked.clone(), &CallOptions::to(0)));
    let refused = world.create(&plan).await.unwrap_err();
    assert_eq!(refused.code(), "E1105", "{refused}");
    assert!(refused.to_string().contains("sn1.a_locked"), "{refused}");

    let mut b = Builder::new(
        Some(usd(1_000)),
        Some(HOUR_US),
        &[locked, operation("sn1.b_open", &server.url, per_call(100), true)],
    );
    let arg = b.text("hello");
    let call = b.call("ask", arg, &CallOptions { operations: vec![0, 1], ..CallOptions::to(0) }, &[]);
    let run = world.run(b.finish(call, Type::STRING)).await;
    assert_eq!((run.state, run.costs[0].operation.as_str()), (RunState::Succeeded, "sn1.b_open"));
}

#[tokio::test]
async fn a_run_that_may_cost_too_much_is_refused_before_it_starts() {
    let server = echoing().await;
    let world = World::in_memory();
    let capped = |plan, cap| runtime::CreateRun { cost_max: Some(usd(cap)), ..request(plan, "") };
    let plan = world.load(fan_out(echo(&server), 3));
    let refused = world.handle.create_run(capped(&plan, 299)).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.to_string().as_str()),
        ("E1402", "the run may cost 0.0003 USD, more than the 0.000299 USD that the request admits")
    );
    world.handle.create_run(capped(&plan, 300)).await.unwrap();

    // Of these prices somebody has published each.
    let counted = |plan, most| runtime::CreateRun { unpriced_max: Some(most), ..request(plan, "") };
    world.handle.create_run(counted(&plan, 0)).await.unwrap();
    let unpriced = operation("sn1.echo", &server.url, PriceRule::Unknown, true);
    let mut b = Builder::new(Some(usd(1_000)), Some(HOUR_US), &[unpriced]);
    let list = b.texts(3);
    let options =
        LoopOptions { concurrency: Some(1), tolerate: Tolerance::Count(0), keep: false, budget: None };
    let each = b.fan_out("each", list, &options, &[], |b, id| {
        let item = b.item(id);
        b.call("ask", item, &CallOptions { retries: 1, max_price: Some(usd(0)), ..CallOptions::to(0) }, &[])
    });
    let unpriced = world.load(b.finish(each, list_of(LengthRange::up_to(3))));
    let refused = world.handle.create_run(counted(&unpriced, 5)).await.unwrap_err();
    let runtime::Error::UnpricedAboveMax { requests: 6, admitted: 5, priced } = &refused else {
        panic!("{refused}")
    };
    assert_eq!((refused.code(), *priced), ("E1402", usd(0)));
    world.handle.create_run(counted(&unpriced, 6)).await.unwrap();

    // A budget that comes with the inputs is held against the bound when the run is admitted.
    let with_purse = |tolerate| {
        let mut b = Builder::new(Some(usd(1_000_000)), Some(HOUR_US), &[echo(&server)]);
        let purse = b.param("purse", Type::Amount, Some(Value::Amount(usd(1_000))));
        b.budget(purse);
        let list = b.texts(3);
        let options = LoopOptions { concurrency: Some(1), tolerate, keep: false, budget: None };
        let each = b.fan_out("each", list, &options, &[], |b, id| {
            let item = b.item(id);
            b.call("ask", item, &CallOptions::to(0), &[])
        });
        world.load(b.finish(each, list_of(LengthRange::up_to(3))))
    };
    let strict = with_purse(Tolerance::Count(0));
    let refused = world.handle.create_run(request(&strict, r#"{"purse":"0.0002USD"}"#)).await.unwrap_err();
    assert_eq!(refused.code(), "E1402");
    assert!(refused.to_string().contains("0.0003 USD, more than its budget of 0.0002 USD"), "{refused}");
    world.handle.create_run(request(&strict, "")).await.unwrap();
    // A plan that goes on without what it cannot buy may begin.
    let frugal = with_purse(Tolerance::All);
    let id = world.handle.create_run(request(&frugal, r#"{"purse":"0.0002USD"}"#)).await.unwrap();
    let run = world.handle.wait(TENANT, id).await.unwrap();
    assert_eq!((run.state, run.total), (RunState::Succeeded, usd(200)));
}

#[tokio::test]
async fn a_plan_with_calls_needs_limits_of_its_own() {
    let server = Server::start(Reply::answer).await;
    let world = World::in_memory();
    for (budget, deadline_us, missing) in [
        (None, None, "no budget and no deadline"),
        (None, Some(HOUR_US), "no budget"),
        (Some(usd(1_000)), None, "no deadline"),
    ] {
        let mut b = Builder::new(budget, deadline_us, &[echo(&server)]);
        let arg = b.text("hello");
        let call = b.call("ask", arg, &CallOptions::to(0), &[]);
        let plan = world.load(b.finish(call, Type::STRING));
        let refused = world.create(&plan).await.unwrap_err();
        assert_eq!(refused.code(), "E1405");
        assert!(refused.to_string().contains(missing), "{refused}");
    }
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn a_run_with_too_many_requests_without_a_price_says_what_its_others_may_cost() {
    let server = echoing().await;
    let world = World::in_memory();
    let unpriced = operation("sn1.open", &server.url, PriceRule::Unknown, true);
    // Served by operations with a price and without; what has none is said to cost 7.
    let served_by = |operations: [&[u32]; 2], budget| {
        let mut b = Builder::new(Some(usd(budget)), Some(HOUR_US), &[echo(&server), unpriced.clone()]);
        let arg = b.text("hello");
        let mut call = |label, operations: &[u32]| {
            let max_price = operations.contains(&1).then(|| usd(if operations.len() == 1 { 7 } else { 100 }));
            let options = CallOptions { operations: operations.to_vec(), max_price, ..CallOptions::to(0) };
            b.call(label, arg, &options, &[])
        };
        let first = call("first", operations[0]);
        call("second", operations[1]);
        world.load(b.finish(first, Type::STRING))
    };
    for (operations, cost) in
        [([&[0][..], &[1]], 100), ([&[1], &[1]], 0), ([&[0, 1], &[1]], 100), ([&[0], &[0, 1]], 200)]
    {
        let plan = served_by(operations, 1_000);
        let create = runtime::CreateRun { unpriced_max: Some(0), ..request(&plan, "") };
        let refused = world.handle.create_run(create).await.unwrap_err();
        let Error::UnpricedAboveMax { admitted: 0, priced, .. } = &refused else { panic!("{refused}") };
        assert_eq!(*priced, usd(cost), "{operations:?}");
    }
}

#[tokio::test]
async fn runs_above_the_limit_are_refused() {
    let server = Server::start(|_| Reply::answer("never").after(3_600_000)).await;
    let log = Arc::new(Memory::new());
    let world = World::with(Options { runs_max: 2, ..Options::default() }, services(log));
    let options = CallOptions { timeout_us: 50_000_000, ..CallOptions::to(0) };
    let plan = world.load(one_call(echo(&server), &options));
    let first = world.create(&plan).await.unwrap();
    world.create(&plan).await.unwrap();
    assert_eq!(world.create(&plan).await.unwrap_err().code(), "E1172");
    world.handle.cancel_run(TENANT, first).await.unwrap();
    world.create(&plan).await.unwrap();
    world.handle.shutdown(Duration::ZERO).await;
    assert_eq!(world.create(&plan).await.unwrap_err().code(), "E1173");
}
