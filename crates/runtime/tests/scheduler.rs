//! What each policy and each kind of node does, on virtual time.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use plan_ir::graph::NodeId;
use plan_ir::plan::{CompiledPlan, Tolerance};
use runtime::core::{End, Event, Outcome, ProgressKind, Send};
use schema::error::CallErrorKind::{self, Invalid, Rejected, Unavailable};
use schema::operation::OperationDescriptor;
use schema::price::{PriceBasis, PriceRule};
use schema::types::Type;
use schema::value::Value;
use support::simulator::{Answer, Simulation, outcome};
use support::{Builder, CallOptions, FallbackOptions, LoopOptions, operation, per_call, prepared, usd};

const MS: u64 = 1_000;
const URL: &str = "https://subnet.example";

fn safe() -> Vec<OperationDescriptor> {
    vec![operation("sn1.a", URL, per_call(100), true), operation("sn1.b", URL, per_call(200), true)]
}

fn run(plan: CompiledPlan, answer: impl FnMut(&Send) -> Answer) -> Simulation {
    let mut simulation = Simulation::new(prepared(plan));
    simulation.run(answer);
    simulation
}

fn one_call(budget: Option<u64>, options: &CallOptions) -> CompiledPlan {
    let mut b = Builder::new(budget.map(usd), None, &safe());
    let arg = b.text("question");
    let call = b.call("ask", arg, options, &[]);
    b.finish(call, Type::STRING)
}

fn fine(after_ms: u64) -> Answer {
    Some((after_ms * MS, Ok("fine"), None))
}

fn fails(kind: CallErrorKind) -> Answer {
    Some((MS, Err(kind), None))
}

/// The question an attempt carries.
fn question(send: &Send) -> &str {
    send.request.as_record().unwrap()[0].as_str().unwrap()
}

#[test]
fn calls_without_a_path_between_them_run_at_the_same_time() {
    let mut b = Builder::new(None, None, &safe());
    let arg = b.text("question");
    let left = b.call("left", arg, &CallOptions::to(0), &[]);
    let right = b.call("right", arg, &CallOptions::to(0), &[]);
    let after_left = b.node_value(left);
    let next = b.call("next", after_left, &CallOptions::to(0), &[left]);
    let parts = [b.node_value(right), b.node_value(next)];
    let text = b.joined(&parts);
    let both = b.pure("both", text, &[right, next]);
    let done = run(b.finish(both, Type::STRING), |send| {
        let text = if question(send) == "question" { "one" } else { "two" };
        Some((10 * MS, Ok(text), None))
    });
    assert_eq!(done.value(), Value::string("onetwo"));
    assert_eq!((done.most_in_flight, done.elapsed_us()), (2, 20 * MS));
}

#[test]
fn retries_wait_longer_each_time_and_every_attempt_is_paid() {
    let options = CallOptions { retries: 2, backoff_us: 100 * MS, ..CallOptions::to(0) };
    let mut count = 0;
    let done = run(one_call(None, &options), |_| {
        count += 1;
        if count < 3 { fails(Unavailable) } else { fine(1) }
    });
    assert_eq!(done.value(), Value::string("fine"));
    let waits = done.elapsed_us() - 3 * MS;
    assert!((300 * MS..=500 * MS).contains(&waits), "100 + 200 ms and jitter up to 100 ms each: {waits}");
    let row = &done.finished.as_ref().unwrap().costs[0];
    assert_eq!((row.calls, row.attempts, row.cost, row.basis), (1, 3, usd(300), PriceBasis::Assumed));
}

#[test]
fn a_failure_that_is_not_listed_is_not_repeated() {
    let options = CallOptions { retries: 5, ..CallOptions::to(0) };
    let done = run(one_call(None, &options), |_| fails(Rejected));
    let error = done.error();
    assert_eq!(error.call.unwrap().kind, Rejected);
    assert_eq!(error.node.as_deref(), Some("ask#0"));
    assert_eq!(done.sent.len(), 1);
}

#[test]
fn silence_ends_at_the_timeout_and_is_charged_as_assumed() {
    let options = CallOptions { timeout_us: 30 * MS, ..CallOptions::to(0) };
    let done = run(one_call(None, &options), |_| None);
    let error = done.error();
    assert_eq!((error.code.as_str(), error.call.unwrap().kind), ("E1153", CallErrorKind::Timeout));
    assert_eq!(done.elapsed_us(), 30 * MS);
    let finished = done.finished.as_ref().unwrap();
    assert_eq!((finished.total, finished.costs[0].basis), (usd(100), PriceBasis::Assumed));
    let cancelled: Vec<_> = done.turns.iter().flat_map(|turn| &turn.actions.cancels).collect();
    assert_eq!(cancelled.len(), 1);
}

#[test]
fn an_answer_that_accept_refuses_is_a_failed_attempt_and_paid() {
    let options = CallOptions { retries: 1, refuse: Some("bad".into()), ..CallOptions::to(0) };
    let mut answers = ["bad", "good"].into_iter();
    let done = run(one_call(None, &options), |_| Some((MS, Ok(answers.next().unwrap()), None)));
    assert_eq!(done.value(), Value::string("good"));
    assert_eq!(done.finished.as_ref().unwrap().total, usd(200));
    let first = done.turns.iter().flat_map(|turn| &turn.actions.progress).find_map(|p| match &p.kind {
        ProgressKind::AttemptDone { error, basis, .. } => Some((error.clone().unwrap().kind, *basis)),
        _ => None,
    });
    assert_eq!(first, Some((CallErrorKind::Unaccepted, PriceBasis::Known)));
}

#[test]
fn an_answer_that_the_adapter_cannot_read_is_invalid() {
    let mut simulation = Simulation::new(prepared(one_call(None, &CallOptions::to(0))));
    simulation.turn(vec![Event::Start], &mut |_: &Send| None);
    let fits = outcome(simulation.now_us, MS, Ok("fine"), None);
    // A record without the field that the adapter reads.
    let outcome = Outcome { result: Ok(Value::record([])), ..fits };
    let attempt = simulation.core.in_flight().next().unwrap();
    simulation.turn(vec![Event::AttemptDone(attempt, Box::new(outcome))], &mut |_: &Send| None);
    let error = simulation.error().call.unwrap();
    assert_eq!((error.kind, error.path.as_deref()), (Invalid, Some("$")));
    let row = &simulation.finished.as_ref().unwrap().costs[0];
    assert_eq!((row.cost, row.basis), (usd(100), PriceBasis::Known), "the peer did its work");
}

#[test]
fn fallbacks_stand_in_for_every_failure() {
    let value = Some(FallbackOptions::Value("instead".into()));
    let options = CallOptions { fallback: value.clone(), ..CallOptions::to(0) };
    assert_eq!(run(one_call(None, &options), |_| fails(Rejected)).value(), Value::string("instead"));
    // Nothing can be reserved: the value stands in, and nothing is sent.
    let broke = run(one_call(Some(99), &options), |_| fine(1));
    assert_eq!((broke.value(), broke.sent.len()), (Value::string("instead"), 0));

    let call = FallbackOptions::Call(Box::new(CallOptions { fallback: value, ..CallOptions::to(1) }));
    let options = CallOptions { fallback: Some(call), ..CallOptions::to(0) };
    let second =
        run(one_call(None, &options), |send| if send.operation == 0 { fails(Rejected) } else { fine(1) });
    assert_eq!(second.value(), Value::string("fine"));
    assert_eq!(second.finished.as_ref().unwrap().total, usd(300));
    assert_eq!(run(one_call(None, &options), |_| fails(Rejected)).value(), Value::string("instead"));
}

#[test]
fn a_loop_keeps_its_window_and_its_order() {
    let mut b = Builder::new(None, None, &safe());
    let list = b.texts(7);
    let options = LoopOptions { concurrency: Some(3), ..LoopOptions::default() };
    let each = b.fan_out("each", list, &options, &[], |b, id| {
        let item = b.item(id);
        let call = b.call("ask", item, &CallOptions::to(0), &[]);
        let parts = [b.item(id), b.node_value(call)];
        let text = b.joined(&parts);
        b.pure("text", text, &[call])
    });
    let mut after = 70;
    let done = run(b.finish(each, Type::list(Type::STRING)), |_| {
        after -= 10;
        Some((after * MS, Ok("!"), None))
    });
    let expected: Vec<_> = (0..7).map(|index| Value::string(format!("item {index}!"))).collect();
    assert_eq!(done.value(), Value::list(expected));
    assert_eq!(done.most_in_flight, 3);
}

fn tolerant(tolerate: Tolerance, keep: bool, bad: &'static [&'static str]) -> Simulation {
    let mut b = Builder::new(None, None, &safe());
    let list = b.texts(4);
    let options = LoopOptions { concurrency: None, tolerate, keep, budget: None };
    let each = b.fan_out("each", list, &options, &[], |b, id| {
        let item = b.item(id);
        b.call("ask", item, &CallOptions::to(0), &[])
    });
    run(b.finish(each, Type::list(Type::STRING)), move |send| {
        if bad.contains(&question(send)) { fails(Rejected) } else { fine(5) }
    })
}

#[test]
fn loops_tolerate_so_many_failures_and_no_more() {
    let fine = Value::string("fine");
    let dropped = tolerant(Tolerance::Count(1), false, &["item 2"]);
    assert_eq!(dropped.value(), Value::list([fine.clone(), fine.clone(), fine.clone()]));
    let too_many = tolerant(Tolerance::Count(1), false, &["item 0", "item 2"]);
    assert_eq!(too_many.error().node.as_deref(), Some("ask#1[2]"));
    assert_eq!(too_many.error().message, "simulated; tolerated before: [0] E1199");
    assert_eq!(too_many.elapsed_us(), MS, "the others are cancelled at once");
    assert_eq!(too_many.finished.as_ref().unwrap().total, usd(400), "and settled");
    // Half of four elements may fail, a third one may not.
    assert!(
        tolerant(Tolerance::BasisPoints(5_000), false, &["item 0", "item 1"]).value().as_list().is_some()
    );
    assert_eq!(
        tolerant(Tolerance::BasisPoints(7_499), false, &["item 0", "item 1", "item 2"]).error().code,
        "E1199"
    );
    let none = tolerant(Tolerance::All, false, &["item 0", "item 1", "item 2", "item 3"]);
    assert_eq!(none.value(), Value::list([]));
}

#[test]
fn the_failure_that_is_too_many_names_those_before() {
    let bad = &["item 0", "item 1", "item 2", "item 3", "item 4", "item 5"];
    let said = |allowed: u32| {
        let mut b = Builder::new(None, None, &safe());
        let list = b.texts(6);
        let tolerate = Tolerance::Count(allowed);
        let options = LoopOptions { concurrency: Some(1), tolerate, keep: false, budget: None };
        let each = b.fan_out("each", list, &options, &[], |b, id| {
            let item = b.item(id);
            b.call("ask", item, &CallOptions::to(0), &[])
        });
        let done = run(b.finish(each, Type::list(Type::STRING)), |send| {
            if bad.contains(&question(send)) { fails(Rejected) } else { fine(5) }
        });
        done.error().message.clone()
    };
    assert_eq!(said(0), "simulated");
    assert_eq!(said(3), "simulated; tolerated before: [0] E1199, [1] E1199, [2] E1199");
    assert_eq!(said(5), "simulated; tolerated before: [0] E1199, [1] E1199, [2] E1199 and 2 more");
}

#[test]
fn kept_failures_say_which_element_failed_and_why() {
    let kept = tolerant(Tolerance::All, true, &["item 1"]);
    let value = kept.value();
    let rows = value.as_list().unwrap();
    assert_eq!(rows[0], Value::ok(Value::string("fine")));
    let error =
        Value::record([Value::string("E1199"), Value::string("simulated"), Value::string("ask#1[1]")]);
    assert_eq!(rows[1], Value::err(Value::record([Value::Int(1), Value::string("item 1"), error])));
    assert_eq!(rows.len(), 4);
}

#[test]
fn an_empty_loop_is_an_empty_list() {
    let mut b = Builder::new(None, None, &safe());
    let list = b.texts(0);
    let each = b.fan_out("each", list, &LoopOptions::default(), &[], |b, id| {
        let item = b.item(id);
        b.call("ask", item, &CallOptions::to(0), &[])
    });
    let done = run(b.finish(each, Type::list(Type::STRING)), |_| fine(1));
    assert_eq!((done.value(), done.sent.len()), (Value::list([]), 0));
}

#[test]
fn only_the_taken_arm_runs_and_sees_what_its_pattern_bound() {
    let mut b = Builder::new(None, None, &safe());
    let yes = b.constant(Value::Bool(false), Type::Bool);
    let branch = b.branch(
        "choice",
        yes,
        &[],
        vec![
            Box::new(|b| {
                let arg = b.text("then");
                b.call("ask", arg, &CallOptions::to(0), &[])
            }),
            Box::new(|b| {
                let arg = b.text("otherwise");
                b.call("ask", arg, &CallOptions::to(0), &[])
            }),
        ],
    );
    let mut asked = vec![];
    let done = run(b.finish(branch, Type::STRING), |send| {
        asked.push(question(send).to_owned());
        fine(1)
    });
    assert_eq!((done.value(), asked), (Value::string("fine"), vec!["otherwise".to_owned()]));
}

#[test]
fn nothing_is_bought_after_a_failed_ensure() {
    let mut b = Builder::new(None, None, &safe());
    let no = b.constant(Value::Bool(false), Type::Bool);
    let gate = b.ensure(no, "the answer is too short", &[]);
    let arg = b.text("question");
    let call = b.call("ask", arg, &CallOptions::to(0), &[gate]);
    let done = run(b.finish(call, Type::STRING), |_| fine(1));
    let error = done.error();
    assert_eq!((error.code.as_str(), error.message.as_str()), ("E1150", "the answer is too short"));
    assert_eq!(done.sent.len(), 0);
}

#[test]
fn a_body_waits_for_what_it_reads_from_outside() {
    let mut b = Builder::new(None, None, &safe());
    let arg = b.text("slow");
    let slow = b.call("slow", arg, &CallOptions::to(0), &[]);
    let list = b.texts(2);
    let each = b.fan_out("each", list, &LoopOptions::default(), &[], |b, id| {
        let item = b.item(id);
        let quick = b.call("quick", item, &CallOptions::to(0), &[]);
        let parts = [b.node_value(slow), b.node_value(quick)];
        let text = b.joined(&parts);
        b.pure("both", text, &[slow, quick])
    });
    let done = run(b.finish(each, Type::list(Type::STRING)), |send| {
        let (after, text) = if question(send) == "slow" { (50, "s") } else { (10, "q") };
        Some((after * MS, Ok(text), None))
    });
    assert_eq!(done.value(), Value::list([Value::string("sq"), Value::string("sq")]));
    assert_eq!((done.most_in_flight, done.elapsed_us()), (3, 50 * MS));
}

#[test]
fn money_is_reserved_before_a_call_and_released_when_it_cost_less() {
    let mut b = Builder::new(Some(usd(250)), None, &safe());
    let list = b.texts(3);
    let options = LoopOptions { concurrency: Some(1), tolerate: Tolerance::All, keep: false, budget: None };
    let each = b.fan_out("each", list, &options, &[], |b, id| {
        let item = b.item(id);
        b.call("ask", item, &CallOptions::to(0), &[])
    });
    let plan = b.finish(each, Type::list(Type::STRING));
    // At the full price two fit into 250; where the peer charges half, all three do.
    let full = run(plan.clone(), |_| fine(1));
    assert_eq!(full.value().as_list().unwrap().len(), 2);
    assert_eq!(full.finished.as_ref().unwrap().total, usd(200));
    let half = run(plan, |_| Some((MS, Ok("fine"), Some(50))));
    assert_eq!(half.value().as_list().unwrap().len(), 3);
    let row = &half.finished.as_ref().unwrap().costs[0];
    assert_eq!((row.cost, row.basis), (usd(150), PriceBasis::Observed));
}

#[test]
fn a_call_that_does_not_fit_the_budget_fails_with_what_is_left() {
    let error = run(one_call(Some(99), &CallOptions::to(0)), |_| fine(1)).error();
    assert_eq!((error.code.as_str(), error.call.unwrap().kind), ("E1401", CallErrorKind::OverBudget));
    assert_eq!(
        error.message,
        "a request may cost 0.0001 USD, and the budget of the plan has 0.000099 USD left"
    );
}

#[test]
fn the_budget_of_a_sub_plan_holds_per_run_of_it() {
    let mut b = Builder::new(Some(usd(10_000)), None, &safe());
    let list = b.texts(3);
    let options = LoopOptions { concurrency: None, tolerate: Tolerance::All, keep: false, budget: None };
    let each = b.fan_out("each", list, &options, &[], |b, id| {
        b.scope("inner", Some(usd(150)), None, |b| {
            let item = b.item(id);
            let first = b.call("first", item, &CallOptions::to(0), &[]);
            let second = b.node_value(first);
            // The second call of each run would make it 200 of 150.
            b.call("second", second, &CallOptions::to(0), &[first])
        })
    });
    let done = run(b.finish(each, Type::list(Type::STRING)), |_| fine(1));
    assert_eq!(done.value(), Value::list([]));
    assert_eq!(done.finished.as_ref().unwrap().total, usd(300), "each run bought its first call");
}

#[test]
fn a_deadline_ends_the_plan_or_the_sub_plan_it_belongs_to() {
    let mut b = Builder::new(None, Some(40 * MS), &safe());
    let arg = b.text("question");
    let call = b.call("ask", arg, &CallOptions::to(0), &[]);
    let done = run(b.finish(call, Type::STRING), |_| fine(100));
    assert_eq!((done.error().code.as_str(), done.elapsed_us()), ("E1404", 40 * MS));

    let mut b = Builder::new(None, None, &safe());
    let list = b.texts(2);
    let options = LoopOptions { concurrency: None, tolerate: Tolerance::Count(1), keep: false, budget: None };
    let each = b.fan_out("each", list, &options, &[], |b, id| {
        let inner = b.scope("inner", None, Some(40 * MS), |b| {
            let item = b.item(id);
            b.call("first", item, &CallOptions::to(0), &[])
        });
        // Outside of the sub-plan there is no hurry.
        let again = b.node_value(inner);
        b.call("after", again, &CallOptions::to(0), &[inner])
    });
    let done = run(b.finish(each, Type::list(Type::STRING)), |send| match question(send) {
        "item 0" => fine(100),
        "item 1" => fine(10),
        _ => fine(90),
    });
    assert_eq!(done.value(), Value::list([Value::string("fine")]));
    assert_eq!(done.elapsed_us(), 100 * MS);
}

#[test]
fn candidates_are_tried_cheapest_first_and_retries_move_on() {
    let operations = vec![
        operation("sn1.a_unknown", URL, PriceRule::Unknown, true),
        operation("sn1.b_dear", URL, per_call(300), true),
        operation("sn1.c_cheap", URL, per_call(100), true),
        operation("sn1.d_too_dear", URL, per_call(901), true),
    ];
    let mut b = Builder::new(None, None, &operations);
    let arg = b.text("question");
    let options = CallOptions {
        operations: vec![0, 1, 2, 3],
        retries: 3,
        max_price: Some(usd(900)),
        ..CallOptions::to(0)
    };
    let call = b.call("ask", arg, &options, &[]);
    let plan = prepared(b.finish(call, Type::STRING));
    let mut simulation = Simulation::new(std::sync::Arc::clone(&plan));
    let mut asked = vec![];
    simulation.run(|send| {
        asked.push((send.operation, send.reserved));
        fails(Unavailable)
    });
    assert_eq!(asked, [(2, usd(100)), (1, usd(300)), (0, usd(900)), (2, usd(100))]);

    // An operation that cannot be called here is left out while another can.
    let given = |callable: &[bool]| runtime::core::Given {
        inputs: std::sync::Arc::from([]),
        seed: 1,
        callable: callable.to_vec(),
        cost_max: None,
        ..runtime::core::Given::default()
    };
    for (callable, expected) in [([true, true, false, true], 1), ([false, false, false, false], 2)] {
        let mut simulation = Simulation::with(std::sync::Arc::clone(&plan), given(&callable));
        let mut first = None;
        simulation.run(|send| {
            first.get_or_insert(send.operation);
            fine(1)
        });
        assert_eq!(first, Some(expected));
    }
}

#[test]
fn an_interrupted_call_is_sent_again_only_where_that_is_safe() {
    let operations = vec![
        operation("sn1.safe", URL, per_call(100), true),
        operation("sn1.unsafe", URL, per_call(100), false),
    ];
    let plan = |operation, budget| {
        let mut b = Builder::new(Some(usd(budget)), None, &operations);
        let arg = b.text("question");
        let call = b.call("ask", arg, &CallOptions::to(operation), &[]);
        prepared(b.finish(call, Type::STRING))
    };
    let crashed = |operation, budget| {
        let mut simulation = Simulation::new(plan(operation, budget));
        simulation.turn(vec![Event::Start], &mut |_: &Send| None);
        simulation.crash(7 * MS, &mut |_: &Send| fine(1));
        simulation.run(|_| fine(1));
        simulation
    };
    let again = crashed(0, 200);
    assert_eq!((again.value(), again.sent.len()), (Value::string("fine"), 2));
    let row = &again.finished.as_ref().unwrap().costs[0];
    assert_eq!((row.calls, row.attempts, row.cost, row.basis), (1, 2, usd(200), PriceBasis::Assumed));
    for (operation, budget) in [(1, 200), (0, 199)] {
        let error = crashed(operation, budget).error();
        assert_eq!((error.code.as_str(), error.call.unwrap().kind), ("E1152", CallErrorKind::Interrupted));
    }
}

#[test]
fn an_attempt_given_up_before_it_was_handed_out_is_never_sent() {
    let mut b = Builder::new(None, None, &safe());
    let arg = b.text("question");
    let call = b.call("ask", arg, &CallOptions::to(0), &[]);
    let no = b.constant(Value::Bool(false), Type::Bool);
    let gate = b.ensure(no, "no", &[]);
    let value = b.node_value(call);
    let result = b.pure("result", value, &[call, gate]);
    let done = run(b.finish(result, Type::STRING), |_| fine(1));
    assert_eq!(done.error().code, "E1150");
    assert_eq!((done.sent.len(), done.finished.as_ref().unwrap().total), (0, usd(0)));
    assert!(done.turns[0].actions.cancels.is_empty());
}

#[test]
fn a_failed_region_cancels_what_it_has_in_flight() {
    let mut b = Builder::new(None, None, &safe());
    let arg = b.text("quick");
    let quick = b.call("quick", arg, &CallOptions::to(0), &[]);
    let arg = b.text("slow");
    let slow = b.call("slow", arg, &CallOptions::to(0), &[]);
    let value = b.node_value(slow);
    let result = b.pure("result", value, &[quick, slow]);
    let done = run(b.finish(result, Type::STRING), |send| {
        if question(send) == "quick" { fails(Rejected) } else { fine(100) }
    });
    assert_eq!(done.error().node.as_deref(), Some("quick#0"));
    assert_eq!((done.elapsed_us(), done.finished.as_ref().unwrap().total), (MS, usd(200)));
}

#[test]
fn a_run_may_be_capped_below_its_budget() {
    let plan = prepared(one_call(Some(1_000), &CallOptions::to(0)));
    let given = runtime::core::Given {
        inputs: std::sync::Arc::from([]),
        seed: 1,
        callable: vec![true, true],
        cost_max: Some(usd(99)),
        ..runtime::core::Given::default()
    };
    let mut simulation = Simulation::with(plan, given);
    simulation.run(|_| fine(1));
    assert_eq!(simulation.error().code, "E1401");
}

#[test]
fn every_end_of_a_run_is_told_once_and_last() {
    let done = run(one_call(None, &CallOptions::to(0)), |_| fine(1));
    let kinds: Vec<_> = done.turns.iter().flat_map(|turn| &turn.actions.progress).map(|p| &p.kind).collect();
    assert!(matches!(kinds.first(), Some(ProgressKind::Opened)));
    assert!(matches!(kinds.last(), Some(ProgressKind::Closed { end: End::Succeeded(_) })));
    let _: NodeId = NodeId(0);
}

/// A loop over `count` texts whose body is one step, or a branch of one step.
fn loop_of(count: u32, branches: bool) -> CompiledPlan {
    let mut b = Builder::new(None, None, &[]);
    let list = b.texts(count as usize);
    let each = b.fan_out("each", list, &LoopOptions::default(), &[], |b, id| {
        let item = b.item(id);
        if !branches {
            return b.pure("same", item, &[]);
        }
        let condition = b.constant(Value::Bool(true), Type::Bool);
        b.branch(
            "which",
            condition,
            &[],
            vec![Box::new(|b| b.pure("this", item, &[])), Box::new(|b| b.pure("that", item, &[]))],
        )
    });
    b.finish(each, support::list_of(schema::types::LengthRange::up_to(count.into())))
}

#[test]
fn a_run_has_so_many_steps_and_a_loop_that_would_bring_more_fails() {
    use schema::limits::RUN_INSTANCES_MAX;
    let of = |count, branches| run(loop_of(count, branches), |_| None);
    // The loop itself is a step too.
    let most = RUN_INSTANCES_MAX - 1;
    assert_eq!(of(most, false).value().as_list().unwrap().len(), most as usize);
    let error = of(most + 1, false).error();
    assert_eq!((error.code.as_str(), error.node.as_deref()), ("E1157", Some("each#0")));
    assert!(error.message.contains("100000 steps"), "{}", error.message);
    // Arms count when they are taken.
    let error = of(RUN_INSTANCES_MAX / 2, true).error();
    assert_eq!((error.code.as_str(), error.node.as_deref()), ("E1157", Some("which#1[49999]")));
}
