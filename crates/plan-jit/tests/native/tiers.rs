//! Plans that are interpreted at first.

use std::sync::Arc;

use plan_ir::interp::Meter;
use plan_jit::{Engine, TierLimits, Tiered};
use schema::hash::Hash;

use crate::common::{Arguments, ints, plan};

const TEXT: &str = "plan p(xs: [Int]) -> Int { xs.filter(x => x % 2 == 0).map(x => x * 3).sum() }";

fn tiered(limits: TierLimits) -> Tiered {
    Tiered::new(Some(Engine::new().unwrap()), limits).unwrap()
}

#[test]
fn a_plan_is_compiled_once_it_was_expensive_and_gives_the_same() {
    let (plan, tiered) = (plan(TEXT), tiered(TierLimits { heat_steps: 15_000, ..TierLimits::default() }));
    let entry = tiered.plan(Hash([1; 32]), &plan.plan);
    let args = Arguments(vec![ints(&(0..1_000).collect::<Vec<_>>())]);
    let (mut native, mut results) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let mut meter = Meter::default();
        results.push((entry.eval(&plan.fragment, &[], &args, &mut meter), meter));
        tiered.wait_until_idle();
        native.push(entry.native().is_some());
    }
    assert_eq!(native, [false, true, true, true], "about 9,500 steps each");
    assert!(results.iter().all(|result| result == &results[0]), "{results:?}");
}

#[test]
fn the_same_plan_is_found_again_and_others_are_forgotten() {
    let (plan, tiered) =
        (plan(TEXT), tiered(TierLimits { heat_steps: 1, plans_max: 2, ..TierLimits::default() }));
    let args = Arguments(vec![ints(&[1, 2])]);
    let evaluate = |hash: u8| {
        let entry = tiered.plan(Hash([hash; 32]), &plan.plan);
        let native = entry.native().is_some();
        entry.eval(&plan.fragment, &[], &args, &mut Meter::default()).unwrap();
        tiered.wait_until_idle();
        native
    };
    assert_eq!([1, 1, 2, 1].map(evaluate), [false, true, false, true]);
    // The third plan takes the place of the second, which was looked up longest ago.
    assert_eq!([3, 1, 2].map(evaluate), [false, true, false]);
}

#[test]
fn code_is_bounded_and_a_held_plan_keeps_its_own() {
    let limits = TierLimits { heat_steps: 1, code_bytes_max: 1, ..TierLimits::default() };
    let (plan, tiered) = (plan(TEXT), tiered(limits));
    let args = Arguments(vec![ints(&[1, 2])]);
    let held = tiered.plan(Hash([1; 32]), &plan.plan);
    held.eval(&plan.fragment, &[], &args, &mut Meter::default()).unwrap();
    tiered.wait_until_idle();
    assert!(held.native().is_some_and(|native| native.code_bytes() > 1));
    assert!(tiered.plan(Hash([2; 32]), &plan.plan).native().is_none());
    assert!(tiered.plan(Hash([1; 32]), &plan.plan).native().is_none(), "forgotten");
    assert!(held.native().is_some());
}

#[test]
fn plans_without_loops_and_machines_without_an_engine_stay_interpreted() {
    let (no_loop, limits) =
        (plan("plan p(x: Int) -> Int { x + 1 }"), TierLimits { heat_steps: 0, ..TierLimits::default() });
    let args = Arguments(vec![schema::value::Value::Int(1)]);
    let tiered = tiered(limits);
    let entry = tiered.plan(Hash([1; 32]), &no_loop.plan);
    for _ in 0..3 {
        assert!(entry.eval(&no_loop.fragment, &[], &args, &mut Meter::default()).is_ok());
        tiered.wait_until_idle();
        assert!(entry.native().is_none());
    }
    let (plan, none) = (plan(TEXT), Tiered::new(None, limits).unwrap());
    let entry = none.plan(Hash([1; 32]), &plan.plan);
    let args = Arguments(vec![ints(&[2])]);
    assert!(entry.eval(&plan.fragment, &[], &args, &mut Meter::default()).is_ok());
    none.wait_until_idle();
    assert!(entry.native().is_none());
}

#[test]
fn many_threads_may_evaluate_while_a_plan_is_compiled() {
    let (plan, tiered) =
        (plan(TEXT), Arc::new(tiered(TierLimits { heat_steps: 500, ..TierLimits::default() })));
    let args = Arguments(vec![ints(&(0..100).collect::<Vec<_>>())]);
    let expected = plan.interpreted(&args, &mut Meter::default());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let entry = tiered.plan(Hash([1; 32]), &plan.plan);
                    assert_eq!(entry.eval(&plan.fragment, &[], &args, &mut Meter::default()), expected);
                }
            });
        }
    });
    tiered.wait_until_idle();
    assert!(tiered.plan(Hash([1; 32]), &plan.plan).native().is_some());
}
