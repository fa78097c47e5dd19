use schema::types::{DefId, Type};
use schema::value::{Json, Value};

use super::*;
use crate::expr::{Arm, Expr, FnId, LocalId, Pattern};
use crate::graph::Region;
use crate::plan::{Candidate, Param, Scope, ScopeKind};
use crate::program::sketch::{HOLDS, Plan, SECOND, TEXT, competitive_analysis, list_of, spec, usd};

const UNBOUND: Fragment = Fragment { params: 0, frame: 0, body: ExprId(u32::MAX) };

/// The rule that `change` breaks in a sound plan.
fn broken(change: impl FnOnce(&mut CompiledPlan)) -> &'static str {
    let mut plan = competitive_analysis();
    assert_eq!(validate(&plan), Ok(()));
    change(&mut plan);
    validate(&plan).unwrap_err().what
}

fn add(plan: &mut CompiledPlan, expr: Expr, ty: Type) -> Fragment {
    plan.body.exprs.exprs.push(expr);
    plan.body.exprs.types.push(ty);
    Fragment { params: 0, frame: 2, body: ExprId(plan.body.exprs.exprs.len() as u32 - 1) }
}

/// The rule broken by an expression in the first node inside the first loop.
fn broken_by(expr: Expr) -> &'static str {
    broken(|plan| {
        let value = add(plan, expr, Type::INT);
        let inside = plan.graph.nodes.iter().position(|node| node.label == "best").unwrap();
        plan.body.nodes[inside] = NodeBody::Pure(value);
    })
}

fn call(plan: &mut CompiledPlan) -> &mut CallSpec {
    let spec = plan.body.nodes.iter_mut().find_map(|body| match body {
        NodeBody::Call(spec) => Some(spec.as_mut()),
        _ => None,
    });
    spec.unwrap()
}

#[test]
fn types_must_be_there_and_shallow() {
    let nest = |levels| (1..levels).fold(Type::INT, |ty, _| Type::List(Box::new(ty), list_range()));
    fn list_range() -> schema::types::LengthRange {
        schema::types::LengthRange::FULL
    }
    let mut plan = competitive_analysis();
    plan.body.output = nest(64);
    assert_eq!(validate(&plan), Ok(()));
    assert_eq!(broken(|plan| plan.body.output = nest(65)), "a type nests too deep");
    assert_eq!(broken(|plan| plan.body.output = Type::Named(DefId(99))), "a type that is not there");
    assert_eq!(broken(|plan| plan.body.params[0].ty = Type::Error), "the type of a mistake");
}

#[test]
fn constants_must_be_values_of_their_type() {
    let constant = |value, ty: Type| {
        broken(|plan| {
            add(plan, Expr::Const(value), ty);
        })
    };
    let fake = "a float that no run could have made";
    assert_eq!(constant(Value::Int(1), Type::STRING), "a value does not have its type");
    for float in [f64::NAN, f64::INFINITY, -0.0] {
        assert_eq!(constant(Value::Float(float), Type::FLOAT), fake);
        assert_eq!(constant(Value::Json(Json::Array([Json::Float(float)].into())), Type::Json), fake);
    }
    let long = |length| (Value::list(std::iter::repeat_n(Value::Int(1), length)), Type::list(Type::INT));
    let (value, ty) = long(100_001);
    assert_eq!(constant(value, ty), "a list is too long");
    let mut plan = competitive_analysis();
    let (value, ty) = long(100_000);
    add(&mut plan, Expr::Const(value), ty);
    assert_eq!(validate(&plan), Ok(()));
    let default = broken(|plan| plan.body.params[0].default = Some(Value::Int(1)));
    assert_eq!(default, "a value does not have its type");
}

#[test]
fn operands_come_before_what_uses_them() {
    assert_eq!(broken_by(Expr::Cast(ExprId(u32::MAX))), "an operand is not before what uses it");
    let lambda = |body| Expr::Builtin {
        op: crate::builtin::Builtin::Map,
        args: vec![ExprId(0)],
        lambda: Some(crate::expr::Lambda { params: vec![LocalId(0)], body }),
    };
    assert_eq!(broken_by(lambda(ExprId(u32::MAX))), "an operand is not before what uses it");
    assert_eq!(broken(|plan| drop(plan.body.exprs.types.pop())), "not every expression has a type");
    assert_eq!(
        broken_by(Expr::Record(DefId(0), vec![ExprId(0)])),
        "a record does not have the fields of its type"
    );
    assert_eq!(broken_by(Expr::Apply(FnId(0), vec![])), "a call does not fit its function");
}

#[test]
fn expressions_read_only_what_their_place_sees() {
    let (outer, inner) = (NodeId(0), NodeId(3));
    let nothing = "an expression reads or binds what is not there";
    for bad in [
        Expr::Param(2),
        // A node that exists, but is no parent.
        Expr::Node(NodeId(4)),
        Expr::Node(NodeId(999)),
        // A loop beside it, and a branch that is none.
        Expr::Item(inner),
        Expr::Bound(outer, 0),
        Expr::Local(LocalId(2)),
        Expr::Let { local: LocalId(2), value: ExprId(0), body: ExprId(0) },
        Expr::Builtin {
            op: crate::builtin::Builtin::Map,
            args: vec![ExprId(0)],
            lambda: Some(crate::expr::Lambda { params: vec![LocalId(2)], body: ExprId(0) }),
        },
    ] {
        assert_eq!(broken_by(bad.clone()), nothing, "{bad:?}");
    }
    let arm = |pattern| Expr::Match { scrutinee: ExprId(0), arms: vec![Arm { pattern, body: ExprId(0) }] };
    assert_eq!(broken_by(arm(Pattern::Bind(LocalId(2)))), "a pattern binds out of place");
    let deep = (0..64).fold(Pattern::Any, |inner, _| Pattern::Present(Box::new(inner)));
    assert_eq!(broken_by(arm(deep)), "a pattern nests too deep");
    for good in [Expr::Param(1), Expr::Node(NodeId(1)), Expr::Item(outer), Expr::Local(LocalId(1))] {
        let mut plan = competitive_analysis();
        let value = add(&mut plan, good.clone(), Type::INT);
        plan.body.nodes[2] = NodeBody::Pure(value);
        assert_eq!(validate(&plan), Ok(()), "{good:?}");
    }
}

#[test]
fn functions_see_nothing_and_do_not_recurse() {
    let with = |expr: Expr| {
        broken(|plan| {
            let body = add(plan, expr, Type::INT).body;
            let fragment = Fragment { params: 0, frame: 0, body };
            plan.body.functions.push(crate::plan::Function { name: "f".into(), fragment });
        })
    };
    let nothing = "an expression reads or binds what is not there";
    assert_eq!(with(Expr::Param(0)), nothing);
    assert_eq!(with(Expr::Node(NodeId(0))), nothing);
    assert_eq!(with(Expr::Local(LocalId(0))), nothing);
    assert_eq!(with(Expr::Apply(FnId(0), vec![])), "functions call each other in a circle");
}

#[test]
fn branches_bind_in_order_and_arms_see_only_their_own() {
    let with = |pattern: Pattern, read: u32| {
        let mut plan = Plan::new();
        plan.branch(
            "b",
            vec![
                Box::new(|plan: &mut Plan| {
                    plan.pure("in", &[]);
                }),
                Box::new(|plan: &mut Plan| {
                    plan.pure("other", &[]);
                }),
            ],
        );
        let mut plan = plan.finish();
        let scrutinee = TEXT;
        plan.body.nodes[0] = NodeBody::Branch { scrutinee, patterns: vec![pattern, Pattern::Any] };
        let value = add(&mut plan, Expr::Bound(NodeId(0), read), Type::STRING);
        plan.body.nodes[1] = NodeBody::Pure(value);
        let first = validate(&plan).map_err(|error| error.what);
        plan.body.nodes.swap(1, 2);
        assert!(validate(&plan).is_err(), "the other arm binds nothing");
        first
    };
    let bind = |n| Pattern::Present(Box::new(Pattern::Bind(LocalId(n))));
    assert_eq!(with(bind(0), 0), Ok(()));
    assert_eq!(with(bind(0), 1), Err("an expression reads or binds what is not there"));
    assert_eq!(with(bind(1), 0), Err("a pattern binds out of place"));
}

#[test]
fn bodies_fit_their_nodes() {
    assert_eq!(broken(|plan| plan.body.nodes.swap(0, 1)), "a body is of another kind than its node");
    assert_eq!(broken(|plan| drop(plan.body.nodes.pop())), "not every node has a body and a scope");
    assert_eq!(
        broken(|plan| plan.body.nodes[2] = NodeBody::Pure(UNBOUND)),
        "an expression that is not there"
    );
    let frame = |params, frame| {
        broken(|plan| plan.body.nodes[2] = NodeBody::Pure(Fragment { params, frame, ..HOLDS }))
    };
    let arguments = "a fragment has another number of arguments than its place gives";
    assert_eq!(frame(1, 1), arguments);
    assert_eq!(frame(0, 10_001), "a fragment has too many locals");
    let mut plan = competitive_analysis();
    plan.body.nodes[2] = NodeBody::Pure(Fragment { params: 0, frame: 10_000, ..HOLDS });
    assert_eq!(validate(&plan), Ok(()));
    let fan_out = |change: fn(&mut NodeBody)| broken(|plan| change(&mut plan.body.nodes[0]));
    let rule = fan_out(|body| {
        let NodeBody::FanOut { concurrency, .. } = body else { return };
        *concurrency = Some(0);
    });
    assert_eq!(rule, "a fan-out runs no element at once");
    let rule = fan_out(|body| {
        let NodeBody::FanOut { tolerate, .. } = body else { return };
        *tolerate = Tolerance::BasisPoints(10_001);
    });
    assert_eq!(rule, "a fan-out tolerates more than all");
    let rule = fan_out(|body| {
        let NodeBody::FanOut { on_error, .. } = body else { return };
        *on_error = OnError::Keep { item_error: DefId(0) };
    });
    assert_eq!(rule, "an item's error is no record of three fields");
}

#[test]
fn calls_name_pinned_operations_and_few_fallbacks() {
    assert_eq!(broken(|plan| call(plan).candidates.clear()), "a call has no operation to serve it");
    assert_eq!(
        broken(|plan| call(plan).candidates[0].operation = 1),
        "a call names an operation that is not pinned"
    );
    let arguments = "a fragment has another number of arguments than its place gives";
    let candidate = |change: fn(&mut Candidate)| broken(|plan| change(&mut call(plan).candidates[0]));
    assert_eq!(candidate(|candidate| candidate.request.params = 1), arguments);
    assert_eq!(candidate(|candidate| candidate.response.params = 0), arguments);
    assert_eq!(broken(|plan| call(plan).accept = Some(HOLDS)), arguments);
    let chain = |length| {
        let mut plan = Plan::new();
        let last = spec(SECOND, usd(1));
        let chained = (0..length).fold(last, |fallback, _| {
            let fallback = Some(Fallback::Call(Box::new(fallback)));
            CallSpec { fallback, ..spec(SECOND, usd(1)) }
        });
        plan.call("c", &[], chained);
        validate(&plan.finish())
    };
    assert_eq!(chain(FALLBACKS_MAX), Ok(()));
    assert_eq!(chain(FALLBACKS_MAX + 1).unwrap_err().what, "a call has too many fallbacks");
    assert_eq!(
        broken(|plan| plan.body.operations.push(plan.body.operations[0].clone())),
        "operations are not sorted by id"
    );
    assert_eq!(
        broken(|plan| plan.body.operations[0].entry_bytes.push(b' ')),
        "an entry is not the one that is pinned"
    );
    assert_eq!(
        broken(|plan| plan.body.operations[0].id = "sn22.other".into()),
        "an entry is of another operation"
    );
}

#[test]
fn scopes_nest_and_nodes_stay_in_them() {
    let chain = |length: usize| {
        let mut plan = competitive_analysis();
        for parent in 0..length {
            let parent = Some(ScopeId(parent as u32));
            plan.body.scopes.push(Scope { parent, ..Scope::new(ScopeKind::Plan) });
        }
        validate(&plan)
    };
    assert_eq!(chain(SCOPE_DEPTH_MAX), Ok(()));
    assert_eq!(chain(SCOPE_DEPTH_MAX + 1).unwrap_err().what, "sub-plans nest too deep");
    let own = |parent| Scope { parent, ..Scope::new(ScopeKind::Plan) };
    assert_eq!(
        broken(|plan| plan.body.scopes.push(own(Some(ScopeId(1))))),
        "a scope is not after the one around it"
    );
    assert_eq!(broken(|plan| plan.body.scopes.push(own(None))), "a second scope is outside all others");
    assert_eq!(broken(|plan| plan.body.scopes.clear()), "the plan has no scope");
    let outside = "a node is not in the scope of its control node";
    assert_eq!(broken(|plan| plan.body.node_scopes[2] = ScopeId(7)), outside);
    let sideways = broken(|plan| {
        plan.body.scopes.extend([own(Some(ScopeId(0))), own(Some(ScopeId(0)))]);
        plan.body.node_scopes[0] = ScopeId(1);
        plan.body.node_scopes[1] = ScopeId(2);
    });
    assert_eq!(sideways, outside);
    let budget = broken(|plan| {
        let budget = add(plan, Expr::Node(NodeId(0)), Type::Amount);
        plan.body.scopes[0].budget = Some(budget);
    });
    assert_eq!(budget, "an expression reads or binds what is not there");
}

#[test]
fn entangled_fragments_are_given_up() {
    // 2,000 nodes that each reach the same 6,000 expressions.
    let mut plan = Plan::new();
    let mut value = plan.program.constant(1);
    for _ in 0..6_000 {
        value = plan.program.binary(crate::expr::BinaryOp::Add, value, value);
    }
    let shared = plan.program.fragment(value);
    for _ in 0..2_000 {
        plan.push(NodeKind::Pure, "p", &[], NodeBody::Pure(shared));
    }
    let error = validate(&plan.finish()).unwrap_err();
    assert_eq!(error.what, "the expressions of the plan are too entangled");
}

#[test]
fn a_graph_that_is_none_is_refused() {
    let rule = broken(|plan| plan.graph.root = Region::default());
    assert_eq!(rule, "its graph is not well formed");
    let unused = Param { name: "n".into(), ty: list_of(None), default: None, doc: String::new() };
    let mut plan = competitive_analysis();
    plan.body.params.push(unused);
    assert_eq!(validate(&plan), Ok(()));
}
