//! One call as a plan, of every operation that the catalogue has.

use plan_compiler::{CallRefused, CallTerms, DEFAULT_TIMEOUT_US, Signature, one_call};
use plan_ir::plan::NodeBody;
use plan_ir::validate::validate;
use schema::amount::{Amount, Currency};
use schema::json_schema::OperationTypes;
use schema::operation::Transport;
use schema::price::{PriceBasis, PriceRule};

use crate::common::lock;

const CENT: Amount = Amount::new(10_000, Currency::MicroUsd);

fn terms(max_price: Option<Amount>) -> CallTerms {
    CallTerms { max_price, timeout_us: DEFAULT_TIMEOUT_US }
}

#[test]
fn every_operation_that_can_be_called_is_a_plan_of_one_node() {
    let mut made = 0;
    for (id, pinned) in &lock().operations {
        let operation = pinned.descriptor();
        let called = one_call(lock(), id, &terms(Some(CENT)));
        if matches!(operation.transport, Transport::Other { .. }) {
            assert_eq!(called.unwrap_err().code(), "E0408", "{id}");
            continue;
        }
        if OperationTypes::of(operation).is_err() {
            assert_eq!(called.unwrap_err().code(), "E0205", "{id}");
            continue;
        }
        let (plan, bound) = called.unwrap();
        validate(&plan).unwrap_or_else(|error| panic!("{id}: {error}"));
        let expected = match &operation.price {
            PriceRule::Unknown => (CENT, PriceBasis::Declared),
            PriceRule::PerCall { amount } => (*amount, PriceBasis::Known),
            _ => (Amount::new(0, Currency::MicroUsd), PriceBasis::Known),
        };
        assert_eq!((bound.cost, bound.basis), expected, "{id}");
        assert_eq!((bound.latency_us, bound.requests), (DEFAULT_TIMEOUT_US, 1), "{id}");
        assert!(!bound.scopes[0].exceeds_budget() && !bound.scopes[0].exceeds_deadline(), "{id}");
        assert_eq!(plan.body.name, *id);
        assert_eq!(plan.body.params, Signature::of(operation).unwrap().params);
        made += 1;
    }
    assert!(made > 80, "{made}");
}

#[test]
fn the_same_terms_give_the_same_plan() {
    let hash = |terms: &CallTerms, id: &str| {
        let (plan, _) = one_call(lock(), id, terms).unwrap();
        plan_ir::bytes::plan_hash(&plan_ir::bytes::encode(&plan).unwrap())
    };
    let search = |terms: &CallTerms| hash(terms, "sn22.web_search");
    assert_eq!(search(&terms(Some(CENT))), search(&terms(Some(CENT))));
    let dearer = terms(Some(Amount::new(20_000, Currency::MicroUsd)));
    assert_ne!(search(&terms(Some(CENT))), search(&dearer));
    let longer = CallTerms { timeout_us: 1_000_000, ..terms(Some(CENT)) };
    assert_ne!(search(&terms(Some(CENT))), search(&longer));
    // A limit is for what has no price.
    assert_eq!(hash(&terms(None), "sn999.echo"), hash(&dearer, "sn999.echo"));
}

#[test]
fn arguments_are_the_fields_of_the_input() {
    let (plan, _) = one_call(lock(), "sn22.web_search", &terms(Some(CENT))).unwrap();
    let shown: Vec<String> = plan
        .body
        .params
        .iter()
        .map(|param| format!("{}: {}", param.name, plan.body.types.show(&param.ty)))
        .collect();
    assert_eq!(shown, ["query: String(1..)", "start: Int(0..)?"]);
    assert!(matches!(plan.body.nodes.as_slice(), [NodeBody::Call(spec)] if spec.target == "web_search"));
}

#[test]
fn what_cannot_be_called_is_refused_with_a_code() {
    let refused = |id: &str, terms: &CallTerms| one_call(lock(), id, terms).unwrap_err();
    let unknown = refused("sn22.web_serch", &terms(Some(CENT)));
    assert_eq!(unknown.code(), "E0205");
    assert!(unknown.to_string().ends_with("did you mean `sn22.web_search`?"), "{unknown}");
    let unpriced = refused("sn22.web_search", &terms(None));
    assert_eq!(unpriced, CallRefused::PriceUnknown { id: "sn22.web_search".into() });
    assert_eq!(unpriced.code(), "E0703");
    let most = plan_compiler::POLICY_DURATION_MAX_US;
    for (timeout_us, admitted) in [(0, false), (1, true), (most, true), (most + 1, false)] {
        let called = one_call(lock(), "sn22.web_search", &CallTerms { timeout_us, ..terms(Some(CENT)) });
        assert_eq!(
            called.map_err(|refused| refused.code()).map(drop),
            if admitted { Ok(()) } else { Err("E0404") }
        );
    }
}
