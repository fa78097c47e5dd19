//! Hand-built plans for unit tests.

use schema::amount::{Amount, Currency};
use schema::price::PriceRule;
use schema::types::{LengthRange, RecordDef, Type, TypeDef};
use schema::value::Value;

use super::{Program, operation};
use crate::expr::{Expr, ExprId, Fragment, LocalId, Pattern};
use crate::graph::{Graph, Node, NodeId, NodeKind, Region};
use crate::plan::{CallSpec, Candidate, CompiledPlan, NodeBody, OnError, Param, Retry, ScopeId, Tolerance};

pub(crate) const MS: u64 = 1_000;
pub(crate) const SECOND: u64 = 1_000_000;

pub(crate) fn usd(micro: u64) -> Amount {
    Amount::new(micro, Currency::MicroUsd)
}

pub(crate) fn list_of(max: Option<u64>) -> Type {
    Type::List(Box::new(Type::STRING), LengthRange { min: 0, max })
}

/// Fills one arm of a branch.
pub(crate) type Arm = Box<dyn FnOnce(&mut Plan)>;

/// A plan that grows node by node; nodes of an open region stand in it.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) program: Program,
    pub(crate) nodes: Vec<Node>,
    regions: Vec<Vec<NodeId>>,
    pub(crate) scope: ScopeId,
}

impl Plan {
    pub(crate) fn new() -> Self {
        let mut program = Program::new();
        let empty = RecordDef { name: "Input".into(), fields: vec![], doc: String::new() };
        let input = program.body.types.push(TypeDef::Record(empty));
        program.add(Expr::Record(input, vec![]), Type::Named(input));
        program.constant(true);
        program.constant("x");
        program.add(Expr::Local(LocalId(0)), Type::STRING);
        program.body.operations.push(operation("sn22.unknown", PriceRule::Unknown));
        Self { program, nodes: Vec::new(), regions: vec![Vec::new()], scope: ScopeId(0) }
    }

    pub(crate) fn push(&mut self, kind: NodeKind, label: &str, parents: &[NodeId], body: NodeBody) -> NodeId {
        let id = NodeId(self.nodes.len() as u32);
        let node = Node { kind, label: label.into(), parents: parents.to_vec(), regions: vec![] };
        self.nodes.push(node);
        self.program.body.nodes.push(body);
        self.program.body.node_scopes.push(self.scope);
        self.regions.last_mut().unwrap().push(id);
        id
    }

    pub(crate) fn pure(&mut self, label: &str, parents: &[NodeId]) -> NodeId {
        let value = self.program.constant("x");
        let body = NodeBody::Pure(self.program.fragment(value));
        self.push(NodeKind::Pure, label, parents, body)
    }

    pub(crate) fn call(&mut self, label: &str, parents: &[NodeId], spec: CallSpec) -> NodeId {
        self.push(NodeKind::Call, label, parents, NodeBody::Call(Box::new(spec)))
    }

    pub(crate) fn fan_out(
        &mut self,
        label: &str,
        parents: &[NodeId],
        list: ExprId,
        concurrency: Option<u32>,
        body: impl FnOnce(&mut Self, NodeId),
    ) -> NodeId {
        let list = self.program.fragment(list);
        let control = self.push(
            NodeKind::FanOut,
            label,
            parents,
            NodeBody::FanOut {
                list,
                item: Type::STRING,
                concurrency,
                tolerate: Tolerance::Count(0),
                on_error: OnError::Drop,
            },
        );
        self.region(control, |plan| body(plan, control));
        control
    }

    pub(crate) fn branch(&mut self, label: &str, arms: Vec<Arm>) -> NodeId {
        let scrutinee = self.program.constant(true);
        let scrutinee = self.program.fragment(scrutinee);
        let patterns = vec![Pattern::Any; arms.len()];
        let control = self.push(NodeKind::Branch, label, &[], NodeBody::Branch { scrutinee, patterns });
        for arm in arms {
            self.region(control, arm);
        }
        control
    }

    pub(crate) fn region(&mut self, control: NodeId, fill: impl FnOnce(&mut Self)) {
        self.regions.push(Vec::new());
        fill(self);
        let nodes = self.regions.pop().unwrap();
        let result = nodes.last().copied();
        self.nodes[control.0 as usize].regions.push(Region { nodes, result });
    }

    pub(crate) fn list(&mut self, max: Option<u64>) -> ExprId {
        self.program.constant((Value::list([]), list_of(max)))
    }

    pub(crate) fn budget(&mut self, budget: Amount) -> Fragment {
        let budget = self.program.constant(budget);
        self.program.fragment(budget)
    }

    pub(crate) fn finish(mut self) -> CompiledPlan {
        let nodes = self.regions.pop().unwrap();
        let root = Region { result: nodes.last().copied(), nodes };
        self.program.compiled(Graph { nodes: self.nodes, root })
    }
}

/// A condition that holds.
pub(crate) const HOLDS: Fragment = Fragment { params: 0, frame: 0, body: ExprId(1) };
/// A text.
pub(crate) const TEXT: Fragment = Fragment { params: 0, frame: 0, body: ExprId(2) };

/// A call of the operation without a known price.
pub(crate) fn spec(timeout_us: u64, max_price: Amount) -> CallSpec {
    let request = Fragment { params: 0, frame: 0, body: ExprId(0) };
    let response = Fragment { params: 1, frame: 1, body: ExprId(3) };
    let candidates = vec![Candidate { operation: 0, request, response }];
    CallSpec { max_price: Some(max_price), ..CallSpec::once("search", candidates, Type::STRING, timeout_us) }
}

pub(crate) fn retried(timeout_us: u64, max_price: Amount, max: u32, backoff_us: u64) -> CallSpec {
    CallSpec { retry: Retry { max, backoff_us, on: vec![] }, ..spec(timeout_us, max_price) }
}

impl Plan {
    /// A call outside every region, numbered between the nodes of one.
    pub(crate) fn region_gap(&mut self, expected: NodeId) {
        let inner = self.regions.pop().unwrap();
        while self.nodes.len() < expected.0 as usize {
            self.pure("padding", &[]);
        }
        let id = self.call("slow", &[], spec(10 * SECOND, usd(1)));
        assert_eq!(id, expected);
        self.regions.push(inner);
    }
}

/// The competitive analysis: a search per rival, a crawl per page, a model per rival, a summary.
pub(crate) fn competitive_analysis() -> CompiledPlan {
    let mut plan = Plan::new();
    let rivals = list_of(Some(5));
    let param = |name: &str, ty: &Type| Param {
        name: name.into(),
        ty: ty.clone(),
        default: None,
        doc: String::new(),
    };
    plan.program.body.params = vec![param("company", &Type::STRING), param("rivals", &rivals)];
    let rivals = plan.program.add(Expr::Param(1), rivals);
    let budget = plan.budget(usd(600_000));
    plan.program.body.scopes[0].budget = Some(budget);
    plan.program.body.scopes[0].deadline_us = Some(60 * SECOND);
    let web = || retried(4 * SECOND, usd(4_000), 1, 200 * MS);
    let claims = plan.fan_out("claims", &[], rivals, Some(5), |plan, _| {
        let found = plan.call("found", &[], web());
        let best = plan.pure("best", &[found]);
        let list = plan.program.add(Expr::Node(best), list_of(Some(4)));
        let pages = plan.fan_out("pages", &[best], list, None, |plan, _| {
            let url = plan.pure("url", &[]);
            let text = plan.call("text", &[url], web());
            plan.pure("result", &[text]);
        });
        plan.call("claim", &[pages], retried(12 * SECOND, usd(20_000), 1, 100 * MS));
    });
    let flat = plan.pure("flat", &[claims]);
    let sourced =
        plan.push(NodeKind::Ensure, "sourced", &[flat], NodeBody::Ensure { condition: HOLDS, message: TEXT });
    let summary = plan.call("summary", &[flat, sourced], spec(12 * SECOND, usd(20_000)));
    plan.pure("result", &[flat, summary]);
    plan.finish()
}
