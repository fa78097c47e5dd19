//! Runs that are cancelled, by request or because nobody waits for them.

use runtime::CreateRun;
use runtime::view::{RunFilter, RunState};
use schema::price::PriceBasis;
use schema::types::Type;

use crate::support::server::{Reply, Server};
use crate::support::world::{TENANT, World, request};
use crate::support::{Builder, CallOptions, usd};
use crate::{HOUR_US, echo, one_call};

#[tokio::test]
async fn a_cancelled_run_stops_at_once_and_settles_what_it_sent() {
    let server = Server::start(|_| Reply::answer("never").after(3_600_000)).await;
    let world = World::in_memory();
    let options = CallOptions { timeout_us: 50_000_000, ..CallOptions::to(0) };
    let plan = world.load(one_call(echo(&server), &options));
    let id = world.create(&plan).await.unwrap();
    server.arrived(1).await;
    assert_eq!(world.handle.get_run(TENANT, id).await.unwrap().state, RunState::Running);
    assert_eq!(world.handle.proof(TENANT, id).await.unwrap_err().code(), "E1165");
    let run = world.handle.cancel_run(TENANT, id).await.unwrap();
    assert_eq!((run.state, run.total, run.total_certain), (RunState::Cancelled, usd(100), false));
    assert_eq!(run.costs[0].basis, PriceBasis::Assumed);
    world.proof(&run).await;
    assert_eq!(world.handle.cancel_run(TENANT, id).await.unwrap(), run);
}

#[tokio::test]
async fn a_call_is_cancelled_when_nobody_waits_for_it_any_more() {
    let server = Server::start(|_| Reply::answer("never").after(3_600_000)).await;
    let world = World::in_memory();
    let options = CallOptions { timeout_us: 50_000_000, ..CallOptions::to(0) };
    let plan = world.load(one_call(echo(&server), &options));
    let request = CreateRun { request_id: Some("once".into()), ..request(&plan, "{}") };
    let call = world.handle.call(request.clone()).await.unwrap();
    let id = call.run();
    server.arrived(1).await;
    // Who asks again, with the same id, waits for the same run and does not end it.
    let again = world.handle.call(request).await.unwrap();
    assert_eq!(again.run(), id);
    drop(again);
    let waiting = tokio::spawn(call.ended());
    tokio::task::yield_now().await;
    assert_eq!(world.handle.get_run(TENANT, id).await.unwrap().state, RunState::Running);
    waiting.abort();
    let run = world.handle.wait(TENANT, id).await.unwrap();
    assert_eq!((run.state, run.total, run.total_certain), (RunState::Cancelled, usd(100), false));
    world.proof(&run).await;
}

#[tokio::test]
async fn a_call_to_its_end_tells_how_it_ended_and_is_cancelled_when_it_is_given_up() {
    let server = Server::start(|question| match question {
        "never" => Reply::answer("never").after(3_600_000),
        other => Reply::answer(other),
    })
    .await;
    let world = World::in_memory();
    let options = CallOptions { timeout_us: 50_000_000, ..CallOptions::to(0) };
    let mut plan = Builder::new(Some(usd(10_000)), Some(HOUR_US), &[echo(&server)]);
    let question = plan.param("question", Type::STRING, None);
    let asked = plan.call("ask", question, &options, &[]);
    let plan = world.load(plan.finish(asked, Type::STRING));
    let once = CreateRun { request_id: Some("once".into()), ..request(&plan, r#"{"question": "now"}"#) };
    let run = world.handle.call_to_end(once.clone()).await.unwrap();
    assert_eq!(
        (run.state, run.result_json.as_deref(), run.total),
        (RunState::Succeeded, Some("\"now\""), usd(100))
    );
    assert_eq!(world.handle.call_to_end(once).await.unwrap(), run);
    assert_eq!(server.count(), 1);
    let refused = world.handle.call_to_end(request(&plan, "{}")).await;
    assert_eq!(refused.unwrap_err().code(), "E1162");
    let given_up = {
        let handle = world.handle.clone();
        let request = request(&plan, r#"{"question": "never"}"#);
        tokio::spawn(async move { handle.call_to_end(request).await })
    };
    server.arrived(2).await;
    given_up.abort();
    let page = world.handle.list_runs(TENANT, &RunFilter::default(), None, 10).await.unwrap();
    let last = world.handle.wait(TENANT, page.runs[0].id).await.unwrap();
    assert_eq!((last.state, last.total, last.total_certain), (RunState::Cancelled, usd(100), false));
    world.proof(&last).await;
}

#[tokio::test]
async fn a_call_that_is_given_up_before_it_is_stored_is_cancelled() {
    let server = Server::start(|_| Reply::answer("never").after(3_600_000)).await;
    let world = World::in_memory();
    let plan = world.load(one_call(echo(&server), &CallOptions::to(0)));
    let mut call = Box::pin(world.handle.call(request(&plan, "{}")));
    let polled = std::future::poll_fn(|context| std::task::Poll::Ready(call.as_mut().poll(context))).await;
    assert!(polled.is_pending());
    drop(call);
    let page = async {
        loop {
            let page = world.handle.list_runs(TENANT, &RunFilter::default(), None, 10).await.unwrap();
            if let [run] = page.runs.as_slice() {
                return world.handle.wait(TENANT, run.id).await.unwrap();
            }
            tokio::task::yield_now().await;
        }
    };
    assert_eq!(page.await.state, RunState::Cancelled);
}
