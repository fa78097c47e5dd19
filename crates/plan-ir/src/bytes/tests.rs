use schema::types::Type;
use schema::value::Value;

use super::*;
use crate::expr::{Expr, ExprId};
use crate::graph::NodeKind;
use crate::program::sketch::{Plan, competitive_analysis, spec, usd};

fn without_positions(plan: &CompiledPlan) -> CompiledPlan {
    CompiledPlan { debug: DebugInfo::default(), ..plan.clone() }
}

#[test]
fn a_plan_comes_back_from_its_bytes() {
    let mut plan = competitive_analysis();
    plan.debug.sources.push("analyse.orch".into());
    let bytes = encode(&plan).unwrap();
    let back = decode(&bytes).unwrap();
    assert_eq!(back, without_positions(&plan));
    assert_eq!(encode(&back).unwrap(), bytes);
    let outline = decode_outline(&bytes).unwrap();
    assert_eq!((outline.graph, outline.lock_hash), (plan.graph, plan.lock_hash));
}

#[test]
fn the_hash_covers_everything_that_runs() {
    let hash = |plan: &CompiledPlan| plan_hash(&encode(plan).unwrap());
    let plan = competitive_analysis();
    let original = hash(&plan);
    let mut moved = plan.clone();
    moved.debug.sources.push("elsewhere.orch".into());
    assert_eq!(hash(&moved), original);
    let mut other_lock = plan.clone();
    other_lock.lock_hash = Hash([8; 32]);
    let mut other_label = plan.clone();
    other_label.graph.nodes[0].label = "assertions".into();
    let mut other_limit = plan.clone();
    other_limit.body.scopes[0].deadline_us = Some(1);
    for changed in [other_lock, other_label, other_limit] {
        assert_ne!(hash(&changed), original);
    }
}

#[test]
fn a_node_hash_is_of_the_published_form() {
    let mut plan = Plan::new();
    plan.call("found", &[], spec(1, usd(1)));
    let plan = plan.finish();
    let node = plan.graph.node(crate::graph::NodeId(0)).unwrap();
    // {1: 2, 2: "found", 3: [], 4: []}
    assert_eq!(node_bytes(node), b"\xa4\x01\x02\x02\x65found\x03\x80\x04\x80");
    assert_eq!(node_hash(node), Context::PlanNode.hash(&[&node_bytes(node)]));
}

#[test]
fn truncated_bytes_are_refused() {
    let bytes = encode(&competitive_analysis()).unwrap();
    for length in 0..bytes.len() {
        assert!(decode(&bytes[..length]).is_err(), "{length}");
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(matches!(decode(&longer), Err(BytesError::Encoding(_))));
}

#[test]
fn a_flipped_bit_is_refused_or_another_plan() {
    let plan = competitive_analysis();
    let bytes = encode(&plan).unwrap();
    for position in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[position] ^= 1 << (position % 8);
        if let Ok(other) = decode(&changed) {
            assert_ne!(other, plan, "byte {position}");
            assert_eq!(encode(&other).unwrap(), changed, "byte {position}");
        }
    }
}

/// The bytes of the sample plan with another body.
fn with_body(body: Vec<u8>) -> Vec<u8> {
    let plan = competitive_analysis();
    MapBuilder::new()
        .with(1, IR_VERSION)
        .with(2, outline::graph_item(&plan.graph))
        .with(3, body)
        .with(4, LIBRARY_VERSION)
        .with(5, plan.lock_hash)
        .build()
        .encode(Profile::Proof)
        .unwrap()
}

#[test]
fn other_versions_are_refused_by_name() {
    for (key, what) in [(1, "format"), (4, "library")] {
        let bytes = encode(&competitive_analysis()).unwrap();
        let Item::Map(mut entries) = Item::decode(&bytes, Profile::Proof).unwrap() else { panic!() };
        entries.insert(key, 99_u64.into());
        let bytes = Item::Map(entries).encode(Profile::Proof).unwrap();
        let error = decode(&bytes).unwrap_err();
        assert!(matches!(error, BytesError::Version { what: found, found: 99, .. } if found == what));
        assert_eq!(error.code(), "E0807");
    }
    let Item::Map(mut entries) =
        Item::decode(&encode(&competitive_analysis()).unwrap(), Profile::Proof).unwrap()
    else {
        panic!()
    };
    entries.insert(6, true.into());
    let bytes = Item::Map(entries).encode(Profile::Proof).unwrap();
    assert_eq!(decode(&bytes), Err(BytesError::Shape(FieldError::Unknown { key: 6 })));
}

#[test]
fn a_body_has_one_form() {
    let body = postcard::to_stdvec(&competitive_analysis().body).unwrap();
    assert!(decode(&with_body(body.clone())).is_ok());
    let mut trailing = body.clone();
    trailing.push(0);
    assert!(matches!(decode(&with_body(trailing)), Err(BytesError::Body(_))));
    // The name's length, `4`, in two bytes.
    assert_eq!(body[0], 4);
    let mut longer = vec![0x84, 0x00];
    longer.extend(&body[1..]);
    assert!(matches!(decode(&with_body(longer)), Err(BytesError::Body(_))));
}

#[test]
fn size_is_limited() {
    let error = decode(&vec![0; PLAN_BYTES_MAX + 1]).unwrap_err();
    assert_eq!((error.code(), error), ("E0808", BytesError::TooLarge { size: PLAN_BYTES_MAX + 1 }));
    let mut largest = vec![0x5a];
    largest.extend((PLAN_BYTES_MAX as u32 - 5).to_be_bytes());
    largest.resize(PLAN_BYTES_MAX, 0);
    assert_eq!(decode(&largest), Err(BytesError::Shape(FieldError::NotAMap)));
    let of_length = |length: usize| {
        let mut plan = Plan::new();
        plan.pure("p", &[]);
        plan.program.body.name = "x".repeat(length);
        encode(&plan.finish())
    };
    let overhead = of_length(PLAN_BYTES_MAX - 10_000).unwrap().len() - (PLAN_BYTES_MAX - 10_000);
    assert!(of_length(PLAN_BYTES_MAX - overhead).is_ok());
    assert!(matches!(of_length(PLAN_BYTES_MAX - overhead + 1), Err(BytesError::TooLarge { .. })));
}

/// A plan with one constant in it.
fn holding(value: Value, ty: Type) -> CompiledPlan {
    let mut plan = Plan::new();
    plan.pure("p", &[]);
    plan.program.constant((value, ty));
    plan.finish()
}

#[test]
fn the_deepest_value_survives_and_a_deeper_one_does_not_reach_the_stack() {
    let nest = |levels| {
        (1..levels).fold((Value::Int(1), Type::INT), |(value, ty), _| (Value::list([value]), Type::list(ty)))
    };
    let (value, ty) = nest(64);
    let plan = holding(value, ty);
    assert_eq!(decode(&encode(&plan).unwrap()).unwrap(), plan);
    let (value, ty) = nest(65);
    assert!(matches!(encode(&holding(value, ty)), Err(BytesError::Invalid(_))));

    // One byte per level: `T?` of `T?` of ..., far deeper than any stack.
    let plan = holding(Value::Int(1), Type::INT);
    let mut body = postcard::to_stdvec(&plan.body).unwrap();
    let output = postcard::to_stdvec(&Type::STRING.optional()).unwrap()[0];
    body.splice(..1, [0, 0, 0, output].into_iter().chain(std::iter::repeat_n(output, 1_000_000)));
    // No name, no types, no parameters, then the type of the output.
    assert!(matches!(decode(&with_body(body)), Err(BytesError::Body(_))));
}

#[test]
fn reading_stays_within_half_a_thread_stack_at_the_deepest() {
    let plan = holding(Value::Int(1), Type::INT);
    let body = postcard::to_stdvec(&plan.body).unwrap();
    let output = postcard::to_stdvec(&Type::STRING.optional()).unwrap()[0];
    let mut deep = vec![0, 0, 0];
    deep.extend(std::iter::repeat_n(output, 100_000));
    deep.extend(body);
    let bytes = with_body(deep);
    let outcome = std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(move || decode(&bytes).is_err())
        .unwrap()
        .join();
    assert!(outcome.unwrap());
}

#[test]
fn ids_that_point_nowhere_are_refused() {
    let mut plan = competitive_analysis();
    plan.body.exprs.exprs.push(Expr::Field { record: ExprId(99_999), index: 0, optional: false });
    plan.body.exprs.types.push(Type::INT);
    let bytes = with_body(postcard::to_stdvec(&plan.body).unwrap());
    assert!(matches!(decode(&bytes), Err(BytesError::Invalid(_))));
    let mut plan = competitive_analysis();
    plan.graph.nodes[0].kind = NodeKind::Branch;
    assert!(matches!(encode(&plan), Err(BytesError::Invalid(_))));
}

#[test]
fn a_tree_larger_than_any_graph_is_refused_before_it_is_built() {
    // An array head, then one-byte items.
    let array = |items: usize| {
        let mut bytes = vec![0x9a];
        bytes.extend((items as u32).to_be_bytes());
        bytes.extend(std::iter::repeat_n(0, items));
        bytes
    };
    assert!(matches!(decode(&array(ITEMS_MAX - 1)), Err(BytesError::Shape(_))));
    assert_eq!(decode(&array(ITEMS_MAX)), Err(BytesError::TooManyItems));
    let plan = encode(&competitive_analysis()).unwrap();
    fn count(item: &Item) -> usize {
        match item {
            Item::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
            Item::Map(entries) => 1 + entries.values().map(|item| 1 + count(item)).sum::<usize>(),
            _ => 1,
        }
    }
    assert_eq!(count_items(&plan), count(&Item::decode(&plan, Profile::Proof).unwrap()));
}

#[test]
fn the_largest_graph_fits() {
    let mut plan = Plan::new();
    let all: Vec<_> = (0..10_000).map(|_| plan.pure("p", &[])).collect();
    // 50,000 edges: 500 nodes that wait for 100 others each.
    for node in plan.nodes.iter_mut().skip(100).take(500) {
        node.parents = all[..100].to_vec();
    }
    let plan = plan.finish();
    let bytes = encode(&plan).unwrap();
    assert_eq!(decode_outline(&bytes).unwrap().graph, plan.graph);
}
