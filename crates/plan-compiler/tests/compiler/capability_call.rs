//! One call of a capability as a plan.

use plan_compiler::{CallRefused, CallTerms, DEFAULT_TIMEOUT_US, Signature, capability_call};
use plan_ir::bound::Bound;
use plan_ir::plan::{CallSpec, CompiledPlan, Fallback, NodeBody};
use plan_ir::validate::validate;
use schema::amount::{Amount, Currency};
use schema::lock::{Lock, PinnedEntry};
use schema::operation::ObservedCost;
use schema::price::{PriceBasis, PriceRule};
use schema::types::Type;

use crate::common::lock;

const fn usd(micro: u64) -> Amount {
    Amount::new(micro, Currency::MicroUsd)
}

/// The catalogue's lock with these prices.
fn priced(prices: &[(&str, PriceRule)]) -> Lock {
    let mut lock = lock().clone();
    for (id, price) in prices {
        let pinned = lock.operations.get_mut(*id).unwrap();
        let mut operation = pinned.descriptor().clone();
        operation.price = price.clone();
        *pinned = PinnedEntry::new(operation).unwrap();
    }
    lock
}

fn call(lock: &Lock, name: &str, limit: Option<Amount>) -> Result<(CompiledPlan, Bound), CallRefused> {
    capability_call(lock, name, &CallTerms { max_price: limit, timeout_us: DEFAULT_TIMEOUT_US }, &|_| true)
}

/// The operations in the order in which they are tried, with their limits and timeouts.
fn tried(plan: &CompiledPlan) -> Vec<(&str, Option<Amount>, u64)> {
    let call = plan.body.nodes.iter().find_map(|node| match node {
        NodeBody::Call(spec) => Some(spec.as_ref()),
        _ => None,
    });
    let mut next: Option<&CallSpec> = call;
    let mut tried = Vec::new();
    while let Some(spec) = next {
        assert_eq!(spec.candidates.len(), 1);
        let operation = &plan.body.operations[spec.candidates[0].operation as usize];
        tried.push((operation.id.as_str(), spec.max_price, spec.timeout_us));
        next = match &spec.fallback {
            Some(Fallback::Call(fallback)) => Some(fallback),
            _ => None,
        };
    }
    tried
}

fn ids(plan: &CompiledPlan) -> Vec<&str> {
    tried(plan).into_iter().map(|(id, ..)| id).collect()
}

const SN28: &str = "sn28.chat_completions";
const SN64: &str = "sn64.chat_completions";
const SN96: &str = "sn96.chat_completions";

fn generators() -> Lock {
    let price = |micro| PriceRule::PerCall { amount: usd(micro) };
    priced(&[(SN28, price(3_000)), (SN64, PriceRule::Unknown), (SN96, price(1_000))])
}

#[test]
fn every_capability_of_the_catalogue_is_a_plan() {
    for (name, (_, capability)) in &lock().capabilities {
        let (plan, bound) = call(lock(), name, Some(usd(30_000))).unwrap();
        validate(&plan).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(plan.body.name, format!("cap.{name}"));
        assert!(bound.cost.units <= 30_000, "{name}");
        assert!(!bound.scopes[0].exceeds_budget(), "{name}");
        let signature = Signature::of_capability(capability).unwrap();
        let names = |params: &[plan_ir::plan::Param]| {
            params.iter().map(|p| (p.name.clone(), p.default.clone())).collect::<Vec<_>>()
        };
        assert_eq!(names(&plan.body.params), names(&signature.params), "{name}");
        let show = |types: &schema::types::TypeDefs, ty: &Type| types.show(ty);
        assert_eq!(
            show(&plan.body.types, &plan.body.output),
            show(&signature.types, &signature.output),
            "{name}"
        );
    }
}

#[test]
fn the_cheapest_known_price_comes_first_and_unknown_ones_share_what_is_left() {
    let lock = generators();
    let (plan, bound) = call(&lock, "generate", Some(usd(10_000))).unwrap();
    let half = DEFAULT_TIMEOUT_US / 2;
    let expected = [(SN96, None, half), (SN28, None, half), (SN64, Some(usd(6_000)), DEFAULT_TIMEOUT_US)];
    assert_eq!(tried(&plan), expected);
    assert_eq!((bound.cost, bound.basis), (usd(10_000), PriceBasis::Declared));
    assert_eq!(plan.body.scopes[0].deadline_us, Some(DEFAULT_TIMEOUT_US + 1_000_000));
}

#[test]
fn without_a_limit_only_known_prices_are_paid() {
    let lock = generators();
    let (plan, bound) = call(&lock, "generate", None).unwrap();
    assert_eq!((ids(&plan), bound.cost), (vec![SN96, SN28], usd(4_000)));
    let unknown =
        priced(&[(SN28, PriceRule::Unknown), (SN64, PriceRule::Unknown), (SN96, PriceRule::Unknown)]);
    let refused = call(&unknown, "generate", None).unwrap_err();
    assert_eq!(
        (refused.code(), refused.to_string()),
        ("E0703", "the price of `cap.generate` is not known, so the call needs a limit".into())
    );
    let (plan, bound) = call(&unknown, "generate", Some(usd(9_000))).unwrap();
    assert!(tried(&plan).iter().all(|(_, limit, _)| *limit == Some(usd(3_000))));
    assert_eq!((ids(&plan), bound.cost), (vec![SN28, SN64, SN96], usd(9_000)));
}

#[test]
fn a_limit_leaves_out_what_it_does_not_reach() {
    let lock = generators();
    assert_eq!(ids(&call(&lock, "generate", Some(usd(4_000))).unwrap().0), [SN96, SN28]);
    assert_eq!(ids(&call(&lock, "generate", Some(usd(1_000))).unwrap().0), [SN96]);
    // Too little for any: the cheapest stays, and its bound says so.
    let known = priced(&[
        (SN64, PriceRule::PerCall { amount: usd(2_000) }),
        (SN28, PriceRule::PerCall { amount: usd(3_000) }),
        (SN96, PriceRule::PerCall { amount: usd(1_000) }),
    ]);
    let (plan, bound) = call(&known, "generate", Some(usd(999))).unwrap();
    assert_eq!((ids(&plan), bound.cost), (vec![SN96], usd(1_000)));
}

/// `lock`, where these operations say in TAO what they charged.
fn charging_tao(mut lock: Lock, ids: &[&str]) -> Lock {
    for id in ids {
        let pinned = lock.operations.get_mut(*id).unwrap();
        let mut operation = pinned.descriptor().clone();
        operation.observed_cost =
            Some(ObservedCost::Header { name: "x-cost".into(), currency: Currency::Rao });
        *pinned = PinnedEntry::new(operation).unwrap();
    }
    lock
}

#[test]
fn what_charges_in_another_currency_than_that_of_the_limit_is_left_out() {
    let limit = Some(usd(10_000));
    let lock = charging_tao(generators(), &[SN64]);
    assert_eq!(ids(&call(&lock, "generate", limit).unwrap().0), [SN96, SN28]);
    // A published price is the limit of itself.
    let lock = charging_tao(lock, &[SN96]);
    assert_eq!(ids(&call(&lock, "generate", limit).unwrap().0), [SN96, SN28]);
    let unknown =
        priced(&[(SN28, PriceRule::Unknown), (SN64, PriceRule::Unknown), (SN96, PriceRule::Unknown)]);
    let in_tao = charging_tao(unknown, &[SN28, SN64, SN96]);
    assert_eq!(ids(&call(&in_tao, "generate", Some(Amount::new(3, Currency::Rao))).unwrap().0).len(), 3);
    // Where no other is left, it is said why.
    let refused = call(&in_tao, "generate", limit).unwrap_err();
    assert_eq!(refused.code(), "E0707");
    assert!(refused.to_string().contains("give the limit in TAO"), "{refused}");
}

#[test]
fn what_is_not_admitted_is_not_tried() {
    let lock = generators();
    let terms = CallTerms { max_price: None, timeout_us: DEFAULT_TIMEOUT_US };
    let (plan, _) = capability_call(&lock, "generate", &terms, &|id| id != SN96).unwrap();
    assert_eq!(ids(&plan), [SN28]);
    let refused = capability_call(&lock, "generate", &terms, &|_| false).unwrap_err();
    assert_eq!(refused.code(), "E0408");
    let refused = call(&lock, "generat", None).unwrap_err();
    assert!(refused.to_string().contains("did you mean `cap.generate`?"), "{refused}");
    let terms = CallTerms { timeout_us: 0, ..terms };
    assert!(matches!(
        capability_call(&lock, "generate", &terms, &|_| true),
        Err(CallRefused::Timeout { .. })
    ));
}

#[test]
fn a_capability_whose_text_is_none_is_refused() {
    let mut lock = generators();
    for source in ["", "capability other() -> Int", "capability generate(x: Nothing) -> Int", "\u{0}"] {
        lock.capabilities.get_mut("generate").unwrap().1.source = source.into();
        let refused = call(&lock, "generate", None).unwrap_err();
        assert!(matches!(refused, CallRefused::Untyped { .. }), "{source}: {refused:?}");
        assert!(Signature::of_capability(&lock.capabilities["generate"].1).is_err(), "{source}");
    }
}
