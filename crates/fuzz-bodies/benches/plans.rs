//! What a plan costs before and beside its calls: evaluating expressions, validating, reading from bytes.
//! Run with `cargo bench -p fuzz-bodies --bench plans`.
#![expect(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a benchmark")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use plan_ir::bound::bound;
use plan_ir::builtin::Builtin;
use plan_ir::bytes::{decode, encode};
use plan_ir::expr::{BinaryOp, Expr, ExprId, ExprTable, Fragment, Lambda, LocalId};
use plan_ir::graph::{Graph, Node, NodeId, NodeKind, Region};
use plan_ir::interp::{Meter, NoEnv, eval};
use plan_ir::plan::{
    CompiledPlan, DebugInfo, LIBRARY_VERSION, NodeBody, PlanBody, Scope, ScopeId, ScopeKind,
};
use schema::hash::Hash;
use schema::types::{Type, TypeDefs};
use schema::value::Value;

fn empty_body() -> PlanBody {
    PlanBody {
        name: "bench".into(),
        types: TypeDefs::new(),
        params: vec![],
        output: Type::INT,
        exprs: ExprTable::default(),
        functions: vec![],
        nodes: vec![],
        scopes: vec![Scope::new(ScopeKind::Plan)],
        node_scopes: vec![],
        operations: vec![],
        rate: None,
    }
}

fn add(body: &mut PlanBody, expr: Expr, ty: Type) -> ExprId {
    body.exprs.exprs.push(expr);
    body.exprs.types.push(ty);
    ExprId(body.exprs.exprs.len() as u32 - 1)
}

/// `xs.filter(x => x % 2 == 0).map(x => x * 3 + 1)` over 1,000 integers.
fn filter_and_map(body: &mut PlanBody) -> Fragment {
    let list = Type::list(Type::INT);
    let x = LocalId(0);
    let numbers = add(body, Expr::Const(Value::list((0..1_000).map(Value::Int))), list.clone());
    let value = add(body, Expr::Local(x), Type::INT);
    let [zero, one, two, three] = [0, 1, 2, 3].map(|n| add(body, Expr::Const(Value::Int(n)), Type::INT));
    let rest = add(body, Expr::Binary(BinaryOp::Remainder, value, two), Type::INT);
    let even = add(body, Expr::Binary(BinaryOp::Equal, rest, zero), Type::Bool);
    let lambda = |body| Some(Lambda { params: vec![x], body });
    let filter = Expr::Builtin { op: Builtin::Filter, args: vec![numbers], lambda: lambda(even) };
    let filtered = add(body, filter, list.clone());
    let product = add(body, Expr::Binary(BinaryOp::Multiply, value, three), Type::INT);
    let sum = add(body, Expr::Binary(BinaryOp::Add, product, one), Type::INT);
    let map = Expr::Builtin { op: Builtin::Map, args: vec![filtered], lambda: lambda(sum) };
    let mapped = add(body, map, list);
    Fragment { params: 0, frame: 1, body: mapped }
}

/// As many pure nodes, each after the one before it.
fn chain(length: u32) -> CompiledPlan {
    let mut body = empty_body();
    let nodes = (0..length)
        .map(|id| {
            let parents = id.checked_sub(1).map(NodeId);
            let expr = parents.map_or(Expr::Const(Value::Int(1)), Expr::Node);
            let value = add(&mut body, expr, Type::INT);
            body.nodes.push(NodeBody::Pure(Fragment { params: 0, frame: 0, body: value }));
            body.node_scopes.push(ScopeId(0));
            let parents = parents.into_iter().collect();
            Node { kind: NodeKind::Pure, label: format!("step{id}"), parents, regions: vec![] }
        })
        .collect();
    let ids: Vec<NodeId> = (0..length).map(NodeId).collect();
    CompiledPlan {
        graph: Graph { nodes, root: Region { result: ids.last().copied(), nodes: ids } },
        body,
        library_version: LIBRARY_VERSION,
        lock_hash: Hash([1; 32]),
        debug: DebugInfo::default(),
    }
}

fn plans(criterion: &mut Criterion) {
    let mut body = empty_body();
    let fragment = filter_and_map(&mut body);
    criterion.bench_function("eval filter and map, 1,000 elements", |bencher| {
        bencher.iter(|| eval(black_box(&body), &fragment, &[], &NoEnv, &mut Meter::default()).unwrap());
    });
    let one = Fragment { params: 0, frame: 0, body: ExprId(2) };
    criterion.bench_function("eval a constant", |bencher| {
        bencher.iter(|| eval(black_box(&body), &one, &[], &NoEnv, &mut Meter::default()).unwrap());
    });
    for length in [100, 10_000] {
        let plan = chain(length);
        let bytes = encode(&plan).unwrap();
        criterion.bench_function(&format!("bound, {length} nodes"), |bencher| {
            bencher.iter(|| bound(black_box(&plan), None).unwrap());
        });
        criterion.bench_function(&format!("encode, {length} nodes"), |bencher| {
            bencher.iter(|| encode(black_box(&plan)).unwrap());
        });
        criterion.bench_function(&format!("decode, {length} nodes"), |bencher| {
            bencher.iter(|| decode(black_box(&bytes)).unwrap());
        });
    }
}

criterion_group!(benches, plans);
criterion_main!(benches);
