use schema::amount::{Amount, Currency, Rate};
use schema::price::{PriceBasis, PriceError, PriceRule};
use schema::types::{DefId, Type};
use schema::value::Value;

use super::*;
use crate::builtin::Builtin;
use crate::expr::Expr;
use crate::plan::{CallSpec, Candidate, Fallback, Hedge, HedgeAfter, Param, Quorum, Scope, ScopeKind};
use crate::program::operation;
use crate::program::sketch::{
    HOLDS, MS, Plan, SECOND, TEXT, competitive_analysis, list_of, retried, spec, usd,
};

fn figures(plan: &CompiledPlan) -> (u64, u64) {
    let bound = bound(plan, None).unwrap();
    (bound.cost.units, bound.latency_us)
}

#[test]
fn the_competitive_analysis_costs_42_cents_and_53_seconds_at_most() {
    let plan = competitive_analysis();
    let bound = bound(&plan, None).unwrap();
    assert_eq!(bound.cost.to_string(), "0.42 USD");
    assert_eq!(bound.latency_us, 53 * SECOND);
    assert_eq!(bound.basis, PriceBasis::Declared);
    let rows: Vec<_> = bound
        .contributors
        .iter()
        .map(|row| format!("{}: {} = {}, {} ms", row.label, row.factors(), row.cost, row.latency_us / MS))
        .collect();
    assert_eq!(
        rows,
        [
            "found: 5 rivals x 2 attempts x 0.004 USD = 0.04 USD, 8400 ms",
            "text: 5 rivals x 4 pages x 2 attempts x 0.004 USD = 0.16 USD, 8400 ms",
            "claim: 5 rivals x 2 attempts x 0.02 USD = 0.2 USD, 24200 ms",
            "summary: 0.02 USD = 0.02 USD, 12000 ms",
        ]
    );
    assert_eq!(bound.contributors.iter().map(|row| row.requests).collect::<Vec<_>>(), [10, 40, 10, 1]);
    assert!(bound.contributors.iter().all(|row| row.in_cost && row.in_latency));
    let [root] = bound.scopes.as_slice() else { panic!("one scope") };
    assert_eq!((root.cost, root.latency_us), (bound.cost, bound.latency_us));
    assert!(!root.exceeds_budget() && !root.exceeds_deadline());
}

#[test]
fn real_arguments_give_a_tighter_bound() {
    let plan = competitive_analysis();
    let rivals = Value::list(["a", "b"].map(Value::string));
    let bound = bound(&plan, Some(&[Value::string("me"), rivals])).unwrap();
    assert_eq!(bound.cost, usd(2 * 80_000 + 20_000));
}

#[test]
fn retries_back_off_and_add_their_jitter() {
    let with = |max| {
        let mut plan = Plan::new();
        plan.call("c", &[], retried(SECOND, usd(10), max, 100 * MS));
        figures(&plan.finish())
    };
    assert_eq!(with(0), (10, SECOND));
    assert_eq!(with(1), (20, 2 * SECOND + 200 * MS));
    // 100 + 100, then 200 + 100, then 400 + 100.
    assert_eq!(with(3), (40, 4 * SECOND + 1_000 * MS));
}

#[test]
fn fallbacks_add_money_and_time() {
    let mut plan = Plan::new();
    let mut main = retried(10 * SECOND, usd(50_000), 0, 0);
    let mut second = spec(5 * SECOND, usd(10_000));
    second.fallback = Some(Fallback::Value(TEXT));
    main.fallback = Some(Fallback::Call(Box::new(second)));
    plan.call("text", &[], main);
    let plan = plan.finish();
    assert_eq!(figures(&plan), (60_000, 15 * SECOND));
    let labels: Vec<_> = bound(&plan, None).unwrap().contributors.into_iter().map(|row| row.label).collect();
    assert_eq!(labels, ["text", "text (fallback)"]);
}

#[test]
fn a_branch_counts_its_costliest_and_its_longest_arm() {
    let mut plan = Plan::new();
    plan.branch(
        "b",
        vec![
            Box::new(|plan: &mut Plan| {
                plan.call("dear", &[], spec(SECOND, usd(100)));
            }),
            Box::new(|plan: &mut Plan| {
                plan.call("slow", &[], spec(9 * SECOND, usd(1)));
            }),
            Box::new(|plan: &mut Plan| {
                plan.pure("none", &[]);
            }),
        ],
    );
    let plan = plan.finish();
    assert_eq!(figures(&plan), (100, 9 * SECOND));
    let rows = bound(&plan, None).unwrap().contributors;
    let marks: Vec<_> = rows.iter().map(|row| (row.label.as_str(), row.in_cost, row.in_latency)).collect();
    assert_eq!(marks, [("dear", true, false), ("slow", false, true)]);
}

#[test]
fn nodes_without_a_path_between_them_run_side_by_side() {
    let mut plan = Plan::new();
    let a = plan.call("a", &[], spec(3 * SECOND, usd(1)));
    let b = plan.call("b", &[], spec(5 * SECOND, usd(1)));
    plan.call("c", &[a, b], spec(SECOND, usd(1)));
    let plan = plan.finish();
    assert_eq!(figures(&plan), (3, 6 * SECOND));
    let rows = bound(&plan, None).unwrap().contributors;
    assert_eq!(rows.iter().map(|row| row.in_latency).collect::<Vec<_>>(), [false, true, true]);
}

#[test]
fn an_ensure_holds_back_what_it_gates() {
    let gated = |gate: bool| {
        let mut plan = Plan::new();
        let a = plan.call("a", &[], spec(3 * SECOND, usd(1)));
        let ensure = NodeBody::Ensure { condition: HOLDS, message: TEXT };
        let ensure = plan.push(NodeKind::Ensure, "e", &[a], ensure);
        plan.call("b", if gate { std::slice::from_ref(&ensure) } else { &[] }, spec(4 * SECOND, usd(1)));
        figures(&plan.finish()).1
    };
    assert_eq!((gated(true), gated(false)), (7 * SECOND, 4 * SECOND));
}

#[test]
fn rounds_are_rounded_up() {
    for (elements, concurrency, rounds) in
        [(200, Some(16), 13), (16, Some(16), 1), (17, Some(16), 2), (5, None, 1), (0, Some(1), 0)]
    {
        let mut plan = Plan::new();
        let list = plan.list(Some(elements));
        plan.fan_out("rows", &[], list, concurrency, |plan, _| {
            plan.call("r", &[], spec(SECOND, usd(2)));
        });
        assert_eq!(figures(&plan.finish()), (2 * elements, rounds * SECOND), "{elements}, {concurrency:?}");
    }
}

#[test]
fn a_body_may_wait_for_a_node_that_runs_beside_its_loop() {
    // The loop starts at once; its bodies call for 2 s, then wait for a call of 10 s outside, then call for
    // 1 s. The first round ends at 11 s; each further one takes 3 s.
    let of_rounds = |elements| {
        let mut plan = Plan::new();
        let list = plan.list(Some(elements));
        // Its id is larger than the loop's, as ids do not order nodes without a path between them.
        let outside = NodeId(3);
        let rows = plan.fan_out("rows", &[], list, Some(1), |plan, _| {
            let first = plan.call("first", &[], spec(2 * SECOND, usd(1)));
            plan.region_gap(outside);
            plan.call("second", &[first, outside], spec(SECOND, usd(1)));
        });
        plan.pure("result", &[rows]);
        plan.finish()
    };
    let plan = of_rounds(1);
    assert_eq!(figures(&plan).1, 11 * SECOND);
    let rows = bound(&plan, None).unwrap().contributors;
    let on_path: Vec<_> = rows.iter().filter(|row| row.in_latency).map(|row| row.label.as_str()).collect();
    assert_eq!(on_path, ["slow", "second"]);
    assert_eq!(figures(&of_rounds(3)).1, 17 * SECOND);
}

#[test]
fn a_loop_without_calls_ends_after_what_its_body_waits_for() {
    let mut plan = Plan::new();
    let outside = plan.call("outside", &[], spec(10 * SECOND, usd(1)));
    let list = plan.list(Some(5));
    let rows = plan.fan_out("rows", &[], list, Some(2), |plan, _| {
        plan.pure("p", &[outside]);
    });
    plan.call("after", &[rows], spec(3 * SECOND, usd(1)));
    assert_eq!(figures(&plan.finish()).1, 13 * SECOND);
}

#[test]
fn nested_rounds_multiply() {
    let mut plan = Plan::new();
    let outer = plan.list(Some(6));
    plan.fan_out("outer", &[], outer, Some(2), |plan, _| {
        let inner = plan.list(Some(4));
        plan.fan_out("inner", &[], inner, Some(3), |plan, _| {
            plan.call("c", &[], spec(SECOND, usd(1)));
        });
    });
    let plan = plan.finish();
    assert_eq!(figures(&plan), (24, 3 * 2 * SECOND));
    let row = bound(&plan, None).unwrap().contributors.remove(0);
    assert_eq!((row.factors().as_str(), row.latency_us), ("6 outer x 4 inner x 0.000001 USD", 6 * SECOND));
}

#[test]
fn a_list_without_an_end_is_refused_only_where_it_makes_calls() {
    let with = |calls: bool| {
        let mut plan = Plan::new();
        let list = plan.list(None);
        plan.fan_out("rows", &[], list, None, |plan, _| {
            if calls {
                plan.call("c", &[], spec(SECOND, usd(1)));
            } else {
                plan.pure("p", &[]);
            }
        });
        bound(&plan.finish(), None)
    };
    assert_eq!(with(false).unwrap().cost, usd(0));
    let errors = with(true).unwrap_err();
    assert_eq!(errors, [BoundError::Unbounded { node: NodeId(0), label: "rows".into() }]);
    assert_eq!(errors[0].code(), "E0702");
}

#[test]
fn prices_come_from_the_worst_operation_that_may_serve() {
    let of = |max_price: Option<Amount>, rate: Option<Rate>, rules: &[PriceRule]| {
        let mut plan = Plan::new();
        plan.program.body.rate = rate;
        plan.program.body.operations = rules.iter().map(|rule| operation("sn1.a", rule.clone())).collect();
        let mut spec = spec(SECOND, usd(1));
        spec.max_price = max_price;
        let one = spec.candidates.remove(0);
        spec.candidates = (0..).zip(rules).map(|(n, _)| Candidate { operation: n, ..one.clone() }).collect();
        plan.call("c", &[], spec);
        bound(&plan.finish(), None).map(|bound| (bound.cost, bound.basis)).map_err(|mut e| e.remove(0))
    };
    let per_call = |amount| PriceRule::PerCall { amount };
    let tao = |rao| Amount::new(rao, Currency::Rao);
    let rate = Some(Rate { micro_usd_per_tao: 300_000_000 });
    let (known, declared) = (PriceBasis::Known, PriceBasis::Declared);
    assert_eq!(of(None, None, &[per_call(usd(5))]), Ok((usd(5), known)));
    assert_eq!(of(None, None, &[per_call(usd(5)), per_call(usd(7)), PriceRule::Free]), Ok((usd(7), known)));
    assert_eq!(of(Some(usd(9)), None, &[per_call(usd(5)), PriceRule::Unknown]), Ok((usd(9), declared)));
    assert_eq!(of(Some(usd(5)), None, &[per_call(usd(5)), PriceRule::Unknown]), Ok((usd(5), declared)));
    assert_eq!(of(Some(usd(6)), None, &[per_call(usd(5)), per_call(usd(7))]), Ok((usd(5), known)));
    // 10 rao are 3 micro-dollars, and dearer than 2 of them.
    assert_eq!(of(None, rate, &[per_call(usd(2)), per_call(tao(10))]), Ok((tao(10), known)));
    assert_eq!(of(Some(usd(3)), rate, &[per_call(tao(10))]), Ok((tao(10), known)));
    let price_error = |result: Result<_, BoundError>| match result.unwrap_err() {
        BoundError::Price { source, operation, .. } => {
            assert_eq!(operation, "sn1.a");
            source
        }
        other => panic!("{other}"),
    };
    assert_eq!(price_error(of(None, None, &[PriceRule::Unknown])), PriceError::Unbounded);
    assert!(matches!(price_error(of(Some(usd(2)), rate, &[per_call(tao(10))])), PriceError::AboveMax { .. }));
    assert!(matches!(
        price_error(of(None, None, &[per_call(usd(2)), per_call(tao(10))])),
        PriceError::NoRate { .. }
    ));
    assert!(matches!(of(None, None, &[]), Err(BoundError::Malformed(_))));
}

#[test]
fn every_attempt_is_converted_and_rounded_up_by_itself() {
    let mut plan = Plan::new();
    plan.program.body.rate = Some(Rate { micro_usd_per_tao: 300_000_000 });
    let budget = plan.budget(usd(100));
    plan.program.body.scopes[0].budget = Some(budget);
    // One rao is 0.3 micro-dollars; the runtime reserves 1 for each attempt.
    plan.call("c", &[], retried(SECOND, Amount::new(1, Currency::Rao), 2, 0));
    assert_eq!(bound(&plan.finish(), None).unwrap().cost, usd(3));
}

#[test]
fn a_symbolic_budget_counts_with_its_default_and_then_with_its_value() {
    let mut plan = Plan::new();
    let purse = Param {
        name: "purse".into(),
        ty: Type::Amount,
        default: Some(Value::Amount(usd(10))),
        doc: String::new(),
    };
    plan.program.body.params.push(purse);
    let purse = plan.program.add(Expr::Param(0), Type::Amount);
    plan.program.body.scopes[0].budget = Some(plan.program.fragment(purse));
    plan.call("c", &[], spec(SECOND, usd(11)));
    let plan = plan.finish();
    let exceeds = |arguments: Option<&[Value]>| bound(&plan, arguments).unwrap().scopes[0].exceeds_budget();
    assert!(exceeds(None));
    assert!(!exceeds(Some(&[Value::Amount(usd(11))])));
}

#[test]
fn a_sub_plan_is_bounded_by_itself_once_per_run() {
    // for x in xs { run sub(x) } where sub calls for each of 3, with a budget of its own.
    let mut plan = Plan::new();
    let budget = plan.budget(usd(5));
    plan.program.body.scopes.push(Scope {
        kind: ScopeKind::Plan,
        label: "sub".into(),
        parent: Some(ScopeId(0)),
        budget: Some(budget),
        deadline_us: Some(2 * SECOND),
    });
    let xs = plan.list(Some(10));
    plan.fan_out("xs", &[], xs, Some(1), |plan, _| {
        let before = plan.call("before", &[], spec(30 * SECOND, usd(100)));
        plan.scope = ScopeId(1);
        let list = plan.list(Some(3));
        let rows = plan.fan_out("sub.rows", &[before], list, Some(1), |plan, _| {
            plan.call("sub.c", &[], spec(SECOND, usd(2)));
        });
        plan.pure("sub.result", &[rows]);
        plan.scope = ScopeId(0);
    });
    let bound = bound(&plan.finish(), None).unwrap();
    // Of the 6 its own budget lets 5 through.
    assert_eq!(bound.cost, usd(10 * (100 + 5)));
    let sub = &bound.scopes[1];
    assert_eq!((sub.label.as_str(), sub.cost, sub.latency_us), ("sub", usd(6), 3 * SECOND));
    assert!(sub.exceeds_budget() && sub.exceeds_deadline());
}

#[test]
fn what_does_not_fit_is_refused() {
    let nested = |levels: u32| {
        fn level(plan: &mut Plan, levels: u32) {
            if levels == 0 {
                plan.call("c", &[], spec(SECOND, usd(1_000_000)));
                return;
            }
            let list = plan.list(Some(100_000));
            plan.fan_out("xs", &[], list, Some(1), |plan, _| level(plan, levels - 1));
        }
        let mut plan = Plan::new();
        level(&mut plan, levels);
        bound(&plan.finish(), None)
    };
    assert!(matches!(nested(2).unwrap_err()[..], [BoundError::TooMany { .. }]));
    for levels in [3, 20] {
        assert!(nested(levels).unwrap_err().contains(&BoundError::Saturated { what: "cost" }));
    }
    let mut plan = Plan::new();
    plan.call("c", &[], retried(SECOND, usd(0), u32::MAX, 1));
    assert!(bound(&plan.finish(), None).unwrap_err().contains(&BoundError::Saturated { what: "time" }));
}

#[test]
fn requests_and_steps_hold_at_the_limit_and_not_beyond() {
    use schema::limits::{RUN_CALLS_MAX, RUN_INSTANCES_MAX};
    // for x in xs { for y in ys { call } }, free of charge.
    let requests = |outer: u64, inner: u64, retries: u32| {
        let mut plan = Plan::new();
        let (xs, ys) = (plan.list(Some(outer)), plan.list(Some(inner)));
        plan.fan_out("xs", &[], xs, None, |plan, _| {
            plan.fan_out("ys", &[], ys, None, |plan, _| {
                plan.call("c", &[], retried(1, usd(0), retries, 0));
            });
        });
        bound(&plan.finish(), None)
            .map(|bound| (bound.requests, bound.instances))
            .map_err(|mut e| e.remove(0))
    };
    let most = u64::from(RUN_CALLS_MAX);
    assert_eq!(requests(most / 4, 2, 1), Ok((most, 1 + most / 4 * 3)));
    let refused = |count: u64| {
        let (label, limit) = ("xs".to_owned(), u128::from(most));
        Err(BoundError::TooMany { node: NodeId(0), label, what: "requests", count: count.into(), limit })
    };
    assert_eq!(requests(most + 1, 1, 0), refused(most + 1));
    assert_eq!(requests(100, 100, 2), refused(30_000));
    assert_eq!(requests(100, 100, 2).unwrap_err().code(), "E0709");

    let steps = |elements: Option<u64>| {
        let mut plan = Plan::new();
        plan.pure("first", &[]);
        let xs = plan.list(elements);
        plan.fan_out("xs", &[], xs, None, |plan, _| {
            plan.pure("x", &[]);
        });
        bound(&plan.finish(), None).map(|bound| bound.instances).map_err(|mut e| e.remove(0))
    };
    let most = u64::from(RUN_INSTANCES_MAX);
    assert_eq!(steps(Some(most - 2)), Ok(most));
    assert!(matches!(
        steps(Some(most - 1)),
        Err(BoundError::TooMany { node: NodeId(1), what: "steps", count, .. }) if count == u128::from(most + 1)
    ));
    // Without an upper bound the run itself counts.
    assert_eq!(steps(None), Ok(2));
}

#[test]
fn a_branch_counts_the_steps_and_requests_of_its_largest_arm() {
    let mut plan = Plan::new();
    plan.branch(
        "b",
        vec![
            Box::new(|plan: &mut Plan| {
                plan.call("c", &[], retried(SECOND, usd(1), 2, 0));
            }),
            Box::new(|plan: &mut Plan| {
                plan.pure("x", &[]);
                plan.pure("y", &[]);
            }),
        ],
    );
    let bound = bound(&plan.finish(), None).unwrap();
    assert_eq!((bound.requests, bound.instances), (3, 1 + 2));
}

#[test]
fn bodies_that_do_not_match_the_graph_are_refused() {
    let mut plan = competitive_analysis();
    plan.body.nodes.pop();
    assert!(matches!(bound(&plan, None).unwrap_err()[..], [BoundError::Malformed(_)]));
    let mut plan = competitive_analysis();
    plan.body.node_scopes[3] = ScopeId(9);
    assert!(matches!(bound(&plan, None).unwrap_err()[..], [BoundError::Malformed(_)]));
    let mut plan = competitive_analysis();
    plan.body.scopes[0].parent = Some(ScopeId(0));
    assert!(matches!(bound(&plan, None).unwrap_err()[..], [BoundError::Malformed(_)]));
    let mut plan = competitive_analysis();
    plan.body.operations[0].entry_bytes = b"{}".to_vec();
    assert!(matches!(bound(&plan, None).unwrap_err()[0], BoundError::Entry(_)));
    let mut plan = competitive_analysis();
    plan.graph.nodes[1].parents = vec![NodeId(1)];
    assert!(matches!(bound(&plan, None).unwrap_err()[..], [BoundError::Graph(_)]));
}

#[test]
fn a_take_on_a_known_argument_is_a_known_length() {
    let mut plan = Plan::new();
    let ty = list_of(None);
    plan.program.body.params.push(Param {
        name: "xs".into(),
        ty: ty.clone(),
        default: None,
        doc: String::new(),
    });
    let xs = plan.program.add(Expr::Param(0), ty.clone());
    let three = plan.program.constant(3);
    let taken = plan.program.builtin(Builtin::Take, &[xs, three], ty);
    plan.fan_out("rows", &[], taken, None, |plan, _| {
        plan.call("c", &[], spec(SECOND, usd(1)));
    });
    let plan = plan.finish();
    let xs = Value::list(["a", "b", "c", "d"].map(Value::string));
    assert_eq!(bound(&plan, Some(&[xs])).unwrap().cost, usd(3));
    assert_eq!(bound(&plan, None).unwrap_err()[0].code(), "E0702");
}

/// Five votes, each hedged twice, asked three times over.
fn voted() -> CallSpec {
    CallSpec {
        quorum: Some(Quorum { of: 5, need: 3, by: None, early: false, voted: DefId(0) }),
        hedge: Some(Hedge { after: HedgeAfter::Us(MS), max: 2 }),
        ..retried(SECOND, usd(7), 2, 100 * MS)
    }
}

#[test]
fn votes_and_hedges_multiply_money_and_take_no_time() {
    let mut plan = Plan::new();
    plan.call("vote", &[], voted());
    let plain = {
        let mut plan = Plan::new();
        plan.call("once", &[], retried(SECOND, usd(7), 2, 100 * MS));
        bound(&plan.finish(), None).unwrap()
    };
    let found = bound(&plan.finish(), None).unwrap();
    assert_eq!(found.cost, usd(3 * 5 * 3 * 7));
    assert_eq!(found.requests, 3 * 5 * 3);
    assert_eq!(found.latency_us, plain.latency_us);
    assert_eq!(found.contributors[0].factors(), "3 attempts x 5 votes x 3 requests x 0.000007 USD");
    assert_eq!(found.contributors[0].requests, found.requests);
}

#[test]
fn the_budget_of_a_call_stands_beside_what_it_and_its_fallbacks_can_cost() {
    let mut plan = Plan::new();
    let (outer, inner) = (plan.budget(usd(200)), plan.budget(usd(9)));
    let fallback = CallSpec { budget: Some(inner), ..retried(SECOND, usd(10), 1, 0) };
    let call =
        CallSpec { budget: Some(outer), fallback: Some(Fallback::Call(Box::new(fallback))), ..voted() };
    let node = plan.call("vote", &[], call);
    let found = bound(&plan.finish(), None).unwrap().call_budgets;
    let row = |level, cost, budget| super::CallBudget { node, level, cost: usd(cost), budget: usd(budget) };
    assert_eq!(found, [row(0, 324, 200), row(1, 20, 9)]);
}
