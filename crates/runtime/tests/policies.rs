//! Policies of calls as the language says: votes, hedges, budgets, caught failures, what was spent.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, reason = "tests")]

mod support;

use runtime::core::{Given, Send};
use schema::error::CallErrorKind;
use schema::price::PriceBasis;
use schema::route::Route;
use support::simulator::{Answer, Simulation};
use support::source::{MS, fine, json, run};

fn says(text: &'static str) -> Answer {
    Some((10 * MS, Ok(text), None))
}

fn fails(kind: CallErrorKind) -> Answer {
    Some((10 * MS, Err(kind), None))
}

/// Answers in the order requests are sent.
fn in_order(answers: Vec<Answer>) -> impl FnMut(&Send) -> Answer {
    let mut answers = answers.into_iter();
    move |_| answers.next().expect("no more requests than answers")
}

fn total(simulation: &Simulation) -> u64 {
    simulation.finished.as_ref().unwrap().total.units
}

const VOTE: &str = r#"
fn same(a: String, b: String) -> Bool = a.normalize() == b.normalize()
record Out { value: String, agreed: Int, of: Int, share: Float(0..1) }
plan main() -> Out with { budget: 1USD, deadline: 60s } {
  let v = call ask(q: "capital?") with { timeout: 1s, quorum: { of: 5, need: 3, by: same } }
  return Out { value: v.value, agreed: v.agreed, of: v.of, share: v.share }
}"#;

#[test]
fn votes_go_out_at_once_to_different_operations_and_the_first_of_those_who_agree_is_the_answer() {
    let mut asked = vec![];
    let mut answers = ["Paris", "paris ", "Lyon", "PARIS", "Nice"].into_iter();
    let done = run(VOTE, "", |send| {
        asked.push(send.operation);
        says(answers.next().unwrap())
    });
    assert_eq!(json(&done), r#"{"value":"Paris","agreed":3,"of":5,"share":0.6}"#);
    assert_eq!((done.most_in_flight, done.elapsed_us()), (5, 10 * MS));
    // Cheapest first, then round again.
    assert_eq!(asked.len(), 5);
    assert!(asked[0] == asked[3] && asked[1] == asked[4] && asked[0] != asked[1] && asked[1] != asked[2]);
    assert_eq!(total(&done), 2 * 100 + 2 * 200 + 300);
}

#[test]
fn votes_that_could_not_decide_are_not_bought() {
    // Operations cost 100, 200 and 300; where the next is too dear, a cheaper one is asked again.
    let with = |budget: &str| {
        let text = r#"
plan main() -> String with { budget: 1USD, deadline: 60s } {
  let vote = try call ask(q: "x") with { timeout: 1s, budget: 0.000600USD, quorum: { of: 5, need: 3 } }
  return match vote {
    Ok(voted) => "{voted.agreed} of {voted.of}",
    Err(OverBudget) => "over budget",
    Err(_) => "other",
  }
}"#;
        text.replace("0.000600USD", budget)
    };
    let done = run(&with("0.000399USD"), "", |_| panic!("a vote is sent"));
    assert_eq!((json(&done), done.settled(), total(&done)), (r#""over budget""#.into(), 0, 0));
    // As many as must agree, and no more than can be paid.
    let done = run(&with("0.000400USD"), "", |_| says("Paris"));
    assert_eq!((json(&done), done.settled(), total(&done)), (r#""3 of 5""#.into(), 3, 400));
    let done = run(&with("0.000600USD"), "", |_| says("Paris"));
    assert_eq!((json(&done), done.settled(), total(&done)), (r#""3 of 5""#.into(), 3, 600));
    let done = run(&with("0.000750USD"), "", |_| says("Paris"));
    assert_eq!((json(&done), done.settled(), total(&done)), (r#""4 of 5""#.into(), 4, 700));
}

#[test]
fn too_few_who_agree_are_no_answer() {
    let done = run(VOTE, "", in_order(vec![says("a"), says("b"), says("a"), says("c"), says("d")]));
    let error = done.error();
    assert_eq!((error.code.as_str(), error.call.unwrap().kind), ("E1158", CallErrorKind::NoQuorum));
    assert!(error.message.contains("2 of 5 votes agree, and 3 must"), "{}", error.message);
}

#[test]
fn where_nobody_answers_the_reason_is_told_instead() {
    let done = run(VOTE, "", |_| fails(CallErrorKind::Rejected));
    assert_eq!(done.error().call.unwrap().kind, CallErrorKind::Rejected);
    let silent = run(VOTE, "", |_| None);
    assert_eq!(silent.error().call.unwrap().kind, CallErrorKind::Timeout);
    assert_eq!((silent.elapsed_us(), silent.settled()), (1_000 * MS, 5));
}

#[test]
fn a_vote_waits_for_all_or_the_timeout_unless_it_is_early() {
    let slow = |send: &Send| {
        let us = u64::from(send.attempt.0) * 100 * MS;
        Some((us, Ok("yes"), None))
    };
    let patient = run(VOTE, "", slow);
    assert_eq!(
        (patient.elapsed_us(), json(&patient)),
        (500 * MS, r#"{"value":"yes","agreed":5,"of":5,"share":1.0}"#.into())
    );
    let early = run(&VOTE.replace("by: same", "by: same, early: true"), "", slow);
    assert_eq!(
        (early.elapsed_us(), json(&early)),
        (300 * MS, r#"{"value":"yes","agreed":3,"of":5,"share":0.6}"#.into())
    );
    // Those that were given up were sent, so they are paid.
    assert_eq!((early.settled(), total(&early)), (5, 900));
    assert_eq!(early.finished.as_ref().unwrap().costs[0].basis, PriceBasis::Assumed);
}

#[test]
fn failed_votes_do_not_count_and_a_vote_may_be_repeated() {
    let text = VOTE.replace("quorum:", "retry: { max: 1, backoff: 5ms, on: [no_quorum] }, quorum:");
    let first = vec![says("a"), says("b"), fails(CallErrorKind::Invalid), says("c"), says("d")];
    let second = vec![says("x"), says("x"), says("x"), fails(CallErrorKind::Timeout), says("y")];
    let done = run(&text, "", in_order([first, second].concat()));
    assert_eq!(json(&done), r#"{"value":"x","agreed":3,"of":5,"share":0.6}"#);
    assert_eq!(done.sent.len(), 10);
}

const HEDGED: &str = r#"
plan main() -> String with { budget: 1USD, deadline: 60s } {
  return call ask(q: "slow?") with { timeout: 1s, hedge: { after: 200ms, max: 2 } }
}"#;

#[test]
fn a_late_request_is_hedged_and_the_first_answer_counts() {
    let mut asked = vec![];
    let done = run(HEDGED, "", |send| {
        asked.push(send.operation);
        match send.attempt.0 {
            1 => Some((900 * MS, Ok("late"), None)),
            _ => Some((50 * MS, Ok("hedge"), None)),
        }
    });
    assert_eq!((json(&done), done.elapsed_us()), (r#""hedge""#.into(), 250 * MS));
    assert_eq!((asked.len(), asked[0] != asked[1]), (2, true));
    assert_eq!((total(&done), done.settled()), (300, 2));
}

#[test]
fn hedges_share_the_timeout_and_a_failure_waits_for_the_others() {
    let silent = run(HEDGED, "", |_| None);
    assert_eq!((silent.sent.len(), silent.elapsed_us()), (3, 1_000 * MS));
    assert_eq!(silent.error().call.unwrap().kind, CallErrorKind::Timeout);
    let done = run(HEDGED, "", |send| match send.attempt.0 {
        1 => Some((300 * MS, Err(CallErrorKind::Unavailable), None)),
        _ => Some((400 * MS, Ok("second"), None)),
    });
    assert_eq!((json(&done), done.elapsed_us()), (r#""second""#.into(), 600 * MS));
    // An answer in time needs no hedge, and a failure before the hedge is due ends the attempt.
    assert_eq!(run(HEDGED, "", fine).sent.len(), 1);
    let failed = run(HEDGED, "", |_| fails(CallErrorKind::Rejected));
    assert_eq!((failed.sent.len(), failed.elapsed_us()), (1, 10 * MS));
}

#[test]
fn a_hedge_at_p95_goes_by_what_is_measured_else_by_the_entry_and_never_beyond_the_timeout() {
    let text = HEDGED.replace("after: 200ms, max: 2", "after: p95, max: 1");
    let hedged = |pinned_ms: u32, live_ms: Option<u32>| {
        let plan = support::source::prepare_with_p95(&text, pinned_ms);
        let route = Route { latency_ms_p95: live_ms, ..Route::default() };
        let given = Given { callable: vec![true; 3], routes: vec![route; 3], ..Given::default() };
        let mut simulation = Simulation::with(plan, given);
        simulation.run(|send| match send.attempt.0 {
            1 => None,
            _ => Some((10 * MS, Ok("hedge"), None)),
        });
        simulation
    };
    for (pinned_ms, live_ms, after_ms) in [(400, None, 400), (400, Some(150), 150), (150, Some(400), 400)] {
        let done = hedged(pinned_ms, live_ms);
        let found = (json(&done), done.elapsed_us(), done.sent.len());
        assert_eq!(found, (r#""hedge""#.into(), (after_ms + 10) * MS, 2), "{pinned_ms} {live_ms:?}");
    }
    for (pinned_ms, live_ms) in [(5_000, None), (400, Some(5_000))] {
        let done = hedged(pinned_ms, live_ms);
        assert_eq!(done.elapsed_us(), 1_000 * MS);
        assert_eq!(done.error().call.unwrap().kind, CallErrorKind::Timeout);
    }
}

#[test]
fn a_hedge_that_the_budget_has_no_room_for_is_not_sent() {
    let text = HEDGED.replace("timeout: 1s", "timeout: 1s, budget: 0.000150USD").replace("max: 2", "max: 1");
    let text = text
        .replace("return call", "return match try call")
        .replace(" } }\n}", " } } { Ok(v) => v, Err(OverBudget) => \"over\", Err(_) => \"other\" }\n}");
    let done = run(&text, "", |_| Some((900 * MS, Ok("late"), None)));
    assert_eq!((json(&done), done.sent.len()), (r#""late""#.into(), 1));
}

#[test]
fn caught_failures_are_values() {
    let text = r#"
plan main() -> String with { budget: 1USD, deadline: 60s } {
  let answer = try call echo(q: "x") with { timeout: 1s, accept: r => r.v != "bad" }
  return match answer {
    Ok(r) => "fine: {r.v}",
    Err(Timeout) => "timeout",
    Err(Unaccepted) => "unaccepted",
    Err(Invalid(path)) => "invalid at {path}",
    Err(NoQuorum(votes)) => "votes: {votes.len()}",
    Err(_) => "other",
  }
}"#;
    assert_eq!(json(&run(text, "", |_| says("good"))), r#""fine: good""#);
    assert_eq!(json(&run(text, "", |_| says("bad"))), r#""unaccepted""#);
    assert_eq!(json(&run(text, "", |_| None)), r#""timeout""#);
    assert_eq!(json(&run(text, "", |_| fails(CallErrorKind::Invalid))), r#""invalid at $""#);
    assert_eq!(json(&run(text, "", |_| fails(CallErrorKind::Rejected))), r#""other""#);
}

#[test]
fn the_votes_that_did_not_agree_can_be_looked_at() {
    let text = r#"
plan main() -> String with { budget: 1USD, deadline: 60s } {
  let vote = try call ask(q: "x") with { timeout: 1s, quorum: { of: 3, need: 2 } }
  return match vote {
    Ok(v) => v.value,
    Err(NoQuorum(votes)) => run decide(votes),
    Err(_) => "nobody",
  }
}
plan decide(votes: [String](..3)) -> String {
  let best = call echo(q: votes.join("|")) with { timeout: 1s }
  return "arbiter: {best.v}"
}"#;
    let mut asked = vec![];
    let mut answers = vec![says("a"), fails(CallErrorKind::Rejected), says("c"), says("c!")].into_iter();
    let done = run(text, "", |send| {
        asked.push(support::source::question(send).to_owned());
        answers.next().unwrap()
    });
    assert_eq!((json(&done), asked[3].as_str()), (r#""arbiter: c!""#.into(), "a|c"));
    assert_eq!(json(&run(text, "", |_| fails(CallErrorKind::Rejected))), r#""nobody""#);
}

#[test]
fn a_sub_plan_that_fails_can_be_caught() {
    let text = r#"
plan main() -> String with { budget: 1USD, deadline: 60s } {
  let part = try run risky()
  let more = call echo(q: "after") with { timeout: 1s }
  return match part {
    Ok(v) => "{v} {more.v}",
    Err(e) => "{e.code}: {e.message} {more.v}",
  }
}
plan risky() -> String {
  let r = call echo(q: "risk") with { timeout: 1s }
  ensure r.v == "fine" else "{r.v} is not fine"
  return r.v
}"#;
    assert_eq!(json(&run(text, "", fine)), r#""fine fine""#);
    assert_eq!(json(&run(text, "", |_| says("odd"))), r#""E1150: odd is not fine odd""#);
}

#[test]
fn a_call_spends_no_more_than_its_own_budget_fallbacks_included() {
    let text = r#"
record Out { text: String, spent: Amount }
plan main() -> Out with { budget: 1USD, deadline: 60s } {
  let text = try call ask(q: "x") with {
    timeout: 1s, budget: 0.000350USD, retry: { max: 5, backoff: 1ms, on: [unavailable] }, only: [sn1],
    fallback: call ask(q: "y") with { timeout: 1s, only: [sn2] },
  }
  return Out { text: match text { Ok(v) => v, Err(OverBudget) => "over budget", Err(_) => "other" }, spent: spent() }
}"#;
    let done = run(text, "", |_| Some((MS, Err(CallErrorKind::Unavailable), Some(100))));
    // Three at 100, a fourth does not fit, and the fallback at 200 does not either.
    assert_eq!(json(&done), r#"{"text":"over budget","spent":"0.0003USD"}"#);
    assert_eq!(done.sent.len(), 3);
}

#[test]
fn a_loop_spends_no_more_than_its_own_budget() {
    let text = r#"
record Out { done: Int, skipped: Int, spent: Amount }
plan main(items: [String(1..10)](1..9)) -> Out with { budget: 1USD, deadline: 60s } {
  let rows = for item in items with { on_error: keep, budget: 0.000250USD } {
    let r = call echo(q: item) with { timeout: 1s }
    r.v
  }
  let more = call echo(q: "more") with { timeout: 1s }
  return Out { done: rows.ok().len(), skipped: rows.errors().len(), spent: spent() }
}"#;
    let done = run(text, r#"{"items":["a","b","c","d"]}"#, fine);
    assert_eq!(json(&done), r#"{"done":2,"skipped":2,"spent":"0.0003USD"}"#);
}

#[test]
fn what_was_spent_counts_the_calls_of_its_own_block() {
    let text = r#"
record Row { text: String, spent: Amount }
record Out { rows: [Row](..3), total: Amount }
plan main(items: [String(1..10)](1..3)) -> Out with { budget: 1USD, deadline: 60s } {
  let first = call once(q: "first") with { timeout: 1s }
  let rows = for item in items {
    let a = call echo(q: item) with { timeout: 1s }
    let b = call echo(q: a.v) with quick
    Row { text: b.v, spent: spent() }
  }
  return Out { rows, total: spent() }
}"#;
    let mut answers = vec![says("x"), says("a"), says("b"), says("c")];
    answers.extend([says("1"), fails(CallErrorKind::Unavailable), says("3"), says("2")]);
    let done = run(text, r#"{"items":["p","q","r"]}"#, in_order(answers));
    assert_eq!(
        json(&done),
        r#"{"rows":[{"text":"1","spent":"0.0002USD"},{"text":"2","spent":"0.0003USD"},{"text":"3","spent":"0.0002USD"}],"total":"0.0017USD"}"#
    );
}

#[test]
fn operations_can_be_preferred_named_and_left_out() {
    let plan = |policy: &str| {
        format!(
            "plan main() -> String with {{ budget: 1USD, deadline: 60s }} {{\n  return call ask(q: \"x\") with {{ timeout: 1s, {policy} }}\n}}"
        )
    };
    let cost = |policy: &str| total(&run(&plan(policy), "", fine));
    assert_eq!(cost("prefer: cheapest"), 100);
    assert_eq!(cost("only: [sn3, sn2]"), 200);
    assert_eq!(cost("only: [sn3.echo]"), 300);
    assert_eq!(cost("ignore: [sn1]"), 200);
    assert_eq!(cost("ignore: [sn1], only: [sn1.echo, sn3]"), 300);
}

#[test]
fn what_earlier_calls_say_decides_who_is_asked_first() {
    let measured = |latency_ms_p50: Option<u32>, success_share: Option<f64>| Route {
        latency_ms_p50,
        success_share,
        ..Route::default()
    };
    // Operations by their cost: 100, 200 and 300, in the order of the lock.
    let cost = |prefer: &str, routes: [Route; 3]| {
        let plan = support::source::prepare(&format!(
            "plan main() -> String with {{ budget: 1USD, deadline: 60s }} {{\n  return call ask(q: \"x\") with {{ timeout: 1s, prefer: {prefer} }}\n}}"
        ));
        let given = Given { callable: vec![true; 3], routes: routes.into(), ..Given::default() };
        let mut simulation = Simulation::with(plan, given);
        simulation.run(fine);
        total(&simulation)
    };
    let unknown = Route::default;
    assert_eq!(cost("fastest", [unknown(), unknown(), unknown()]), 100);
    assert_eq!(cost("fastest", [unknown(), unknown(), measured(Some(900), None)]), 300);
    assert_eq!(cost("fastest", [measured(Some(30), None), measured(Some(20), None), unknown()]), 200);
    // What was not tried comes after what succeeds and before what fails.
    let share = |succeeded, calls| measured(None, Some(Route::success_share_of(succeeded, calls)));
    assert_eq!(cost("most_reliable", [unknown(), unknown(), unknown()]), 100);
    assert_eq!(cost("most_reliable", [share(0, 1), unknown(), unknown()]), 200);
    assert_eq!(cost("most_reliable", [unknown(), share(1, 1), share(90, 100)]), 300);
    assert_eq!(cost("most_reliable", [share(40, 100), share(50, 100), share(49, 100)]), 200);
    assert_eq!(cost("cheapest", [share(0, 100), share(100, 100), measured(Some(1), None)]), 100);
}

#[test]
fn a_crash_asks_again_for_what_was_lost_of_a_vote() {
    let plan = support::source::prepare(VOTE);
    let mut simulation = Simulation::new(plan);
    let mut answer = |send: &Send| match send.attempt.0 {
        1 => Some((5 * MS, Ok("yes"), None)),
        2..=5 => None,
        _ => Some((5 * MS, Ok("yes"), None)),
    };
    simulation.turn(vec![runtime::core::Event::Start], &mut answer);
    assert!(simulation.advance(&mut answer));
    simulation.crash(30_000 * MS, &mut answer);
    while simulation.advance(&mut answer) {}
    assert_eq!(json(&simulation), r#"{"value":"yes","agreed":5,"of":5,"share":1.0}"#);
    // Four were lost, assumed paid, and sent again.
    assert_eq!((simulation.sent.len(), simulation.settled()), (9, 9));
}

const ONE_PEER: &str = r#"
plan main() -> String with { budget: 1USD, deadline: 60s } {
  let a = call echo(q: "x") with { timeout: 1s, retry: { max: 2, backoff: 10ms } }
  return a.v
}"#;

/// When requests were sent, milliseconds from the start.
fn sent_at(simulation: &Simulation) -> Vec<u64> {
    let start = simulation.turns[0].events[0].0;
    simulation
        .turns
        .iter()
        .flat_map(|turn| turn.actions.sends.values().map(|_| (turn.events[0].0 - start) / MS))
        .collect()
}

#[test]
fn a_peer_is_left_alone_for_as_long_as_it_asks() {
    let mut answers = in_order(vec![Some((300 * MS, Err(CallErrorKind::RateLimited), None)), says("fine")]);
    let done = run(ONE_PEER, "", &mut answers);
    assert_eq!(json(&done), "\"fine\"");
    // It took 300 ms to ask for 600 ms; the backoff alone is 20 ms at most.
    assert_eq!(sent_at(&done), [0, 900]);
}

#[test]
fn a_wait_that_the_bound_has_no_time_for_ends_the_call() {
    // All attempts take 3.05 s at most, so that the last begins after 2.05 s.
    let busy = |ms: u64| Some((ms * MS, Err(CallErrorKind::RateLimited), None));
    let done = run(ONE_PEER, "", in_order(vec![busy(690)]));
    assert_eq!((sent_at(&done), done.elapsed_us()), (vec![0], 690 * MS));
    let error = done.error();
    assert_eq!(error.call.as_ref().unwrap().kind, CallErrorKind::RateLimited);
    assert!(error.message.ends_with("longer than the call's attempts may take"), "{}", error.message);
    let done = run(ONE_PEER, "", in_order(vec![busy(680), says("fine")]));
    assert_eq!(sent_at(&done), [0, 2_040]);
    // Time that a wait has taken is gone for the attempts after it.
    let done = run(ONE_PEER, "", in_order(vec![busy(600), None]));
    assert_eq!((sent_at(&done), done.elapsed_us()), (vec![0, 1_800], 2_800 * MS));
    assert!(done.error().message.ends_with("have used up the time of further attempts"));
}

#[test]
fn another_operation_is_asked_while_one_is_left_alone() {
    let text = r#"
plan main() -> String with { budget: 1USD, deadline: 60s } {
  call ask(q: "x") with { timeout: 1s, retry: { max: 3, backoff: 10ms } }
}"#;
    let mut asked = vec![];
    let done = run(text, "", |send| {
        asked.push(send.operation);
        match asked.len() {
            1 => Some((400 * MS, Err(CallErrorKind::RateLimited), None)),
            4 => says("fine"),
            _ => fails(CallErrorKind::Unavailable),
        }
    });
    let at = sent_at(&done);
    // The first is passed over in the second round of all, when it still rests.
    assert!(asked[0] != asked[1] && asked[1] != asked[2] && asked[3] == asked[1], "{asked:?}");
    assert!(at[1] <= 420 && at[3] < 600, "{at:?}");
}
