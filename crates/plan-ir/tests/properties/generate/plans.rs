//! Random graphs of calls, branches and fan-outs, with their bodies.

use plan_ir::expr::{Expr, ExprId, ExprTable, Fragment, LocalId, Pattern};
use plan_ir::graph::{Graph, Node, NodeId, NodeKind, Region};
use plan_ir::plan::{
    CallSpec, Candidate, CompiledPlan, DebugInfo, Fallback, Hedge, HedgeAfter, LIBRARY_VERSION, NodeBody,
    OnError, PinnedOperation, PlanBody, Retry, Scope, ScopeId, ScopeKind, Tolerance,
};
use schema::amount::{Amount, Currency};
use schema::hash::Hash;
use schema::price::PriceRule;
use schema::types::{LengthRange, RecordDef, Type, TypeDef, TypeDefs};
use schema::value::Value;

use super::Choices;

/// Nodes of one plan, more or less.
const NODES_MAX: usize = 24;

const RECORD: ExprId = ExprId(0);
const TRUE: ExprId = ExprId(1);
const TEXT: ExprId = ExprId(2);
const ANSWER: ExprId = ExprId(3);

pub(crate) fn plan(numbers: Vec<u32>) -> CompiledPlan {
    let mut make = Generator::new(Choices::new(numbers));
    let root = make.region(&[], 0);
    CompiledPlan {
        graph: Graph { nodes: make.nodes, root },
        body: make.body,
        library_version: LIBRARY_VERSION,
        lock_hash: Hash([3; 32]),
        debug: DebugInfo::default(),
    }
}

/// A pinned operation of one string answer.
pub(crate) fn operation(id: &str, price: PriceRule) -> PinnedOperation {
    let descriptor = serde_json::from_value(serde_json::json!({
        "id": id,
        "netuid": 22,
        "version": { "breaking": 1, "compatible": 0 },
        "summary": "A generated operation",
        "transport": { "kind": "other", "protocol": "none", "base_url": null },
        "access": "open",
        "auth": { "kind": "none" },
        "side_effects": "none",
        "repeat": { "safe": true, "costs_again": true },
        "input": { "type": "object" },
        "output": { "type": "string" },
        "output_complete": true,
        "price": price,
        "sources": [],
    }))
    .expect("a descriptor");
    PinnedOperation {
        entry: schema::lock::entry_hash(&descriptor).expect("a hash"),
        entry_bytes: schema::lock::entry_bytes(&descriptor).expect("bytes"),
        input: schema::types::DefId(0),
        output: Type::STRING,
        id: id.into(),
    }
}

struct Generator {
    choices: Choices,
    nodes: Vec<Node>,
    body: PlanBody,
}

impl Generator {
    fn new(choices: Choices) -> Self {
        let mut types = TypeDefs::new();
        let input = RecordDef { name: "Input".into(), fields: vec![], doc: String::new() };
        let input = types.push(TypeDef::Record(input));
        let exprs = ExprTable {
            exprs: vec![
                Expr::Record(input, vec![]),
                Expr::Const(Value::Bool(true)),
                Expr::Const(Value::string("x")),
                Expr::Local(LocalId(0)),
            ],
            types: vec![Type::Named(input), Type::Bool, Type::STRING, Type::STRING],
        };
        let cent = Amount::new(10_000, Currency::MicroUsd);
        let body = PlanBody {
            name: "generated".into(),
            types,
            params: vec![],
            output: Type::STRING,
            exprs,
            functions: vec![],
            nodes: vec![],
            scopes: vec![Scope::new(ScopeKind::Plan)],
            node_scopes: vec![],
            operations: vec![
                operation("sn22.known", PriceRule::PerCall { amount: cent }),
                operation("sn22.unknown", PriceRule::Unknown),
            ],
            rate: None,
        };
        Self { choices, nodes: Vec::new(), body }
    }

    /// A region whose nodes may wait for those of `visible`, and for each other.
    fn region(&mut self, visible: &[NodeId], depth: u32) -> Region {
        let (mut own, mut visible) = (Vec::new(), visible.to_vec());
        for _ in 0..=self.choices.below(4) {
            let id = self.node(&visible, depth);
            own.push(id);
            visible.push(id);
        }
        Region { result: own.last().copied(), nodes: own }
    }

    fn node(&mut self, visible: &[NodeId], depth: u32) -> NodeId {
        let kinds = if depth >= 3 || self.nodes.len() >= NODES_MAX { 4 } else { 7 };
        let kind = match self.choices.below(kinds) {
            0 => NodeKind::Pure,
            1 => NodeKind::Ensure,
            2 | 3 => NodeKind::Call,
            4 => NodeKind::Branch,
            _ => NodeKind::FanOut,
        };
        let parents = visible.iter().copied().filter(|_| self.choices.below(3) == 1).collect();
        let id = NodeId(self.nodes.len() as u32);
        let label = format!("n{}", id.0);
        self.nodes.push(Node { kind, label, parents, regions: vec![] });
        let body = self.node_body(kind);
        let arms = match &body {
            NodeBody::Branch { patterns, .. } => patterns.len(),
            NodeBody::FanOut { .. } => 1,
            _ => 0,
        };
        self.body.nodes.push(body);
        self.body.node_scopes.push(ScopeId(0));
        for _ in 0..arms {
            let region = self.region(visible, depth + 1);
            self.nodes[id.0 as usize].regions.push(region);
        }
        id
    }

    fn node_body(&mut self, kind: NodeKind) -> NodeBody {
        let closed = |body| Fragment { params: 0, frame: 0, body };
        match kind {
            NodeKind::Pure => NodeBody::Pure(closed(TEXT)),
            NodeKind::Ensure => NodeBody::Ensure { condition: closed(TRUE), message: closed(TEXT) },
            NodeKind::Call => NodeBody::Call(Box::new(self.call(0))),
            NodeKind::Branch => {
                let patterns = vec![Pattern::Any; 1 + self.choices.below(3) as usize];
                NodeBody::Branch { scrutinee: closed(TRUE), patterns }
            }
            NodeKind::FanOut => {
                let length = LengthRange::up_to(u64::from(self.choices.below(5)));
                self.body.exprs.exprs.push(Expr::Const(Value::list([])));
                self.body.exprs.types.push(Type::List(Box::new(Type::STRING), length));
                let list = closed(ExprId(self.body.exprs.exprs.len() as u32 - 1));
                let concurrency = match self.choices.below(4) {
                    0 => None,
                    n => Some(n),
                };
                NodeBody::FanOut {
                    list,
                    item: Type::STRING,
                    concurrency,
                    tolerate: Tolerance::All,
                    on_error: OnError::Drop,
                }
            }
        }
    }

    fn call(&mut self, depth: u32) -> CallSpec {
        let request = Fragment { params: 0, frame: 0, body: RECORD };
        let response = Fragment { params: 1, frame: 1, body: ANSWER };
        let candidate = |operation| Candidate { operation, request, response };
        let candidates = match self.choices.below(3) {
            0 => vec![candidate(0)],
            1 => vec![candidate(1)],
            _ => vec![candidate(0), candidate(1)],
        };
        let fallback = match self.choices.below(6) {
            0 => Some(Fallback::Value(Fragment { params: 0, frame: 0, body: TEXT })),
            1 if depth < 2 => Some(Fallback::Call(Box::new(self.call(depth + 1)))),
            _ => None,
        };
        let timeout_us = u64::from(1 + self.choices.below(9)) * 1_000_000;
        let hedge = (self.choices.below(4) == 0).then(|| Hedge {
            after: HedgeAfter::Us(u64::from(1 + self.choices.below(3)) * 500_000),
            max: 1 + self.choices.below(2),
        });
        CallSpec {
            hedge,
            retry: Retry {
                max: self.choices.below(4),
                backoff_us: u64::from(self.choices.below(3)) * 100_000,
                on: vec![],
            },
            max_price: Some(Amount::new(10_000 + u64::from(self.choices.below(9)), Currency::MicroUsd)),
            fallback,
            ..CallSpec::once("c", candidates, Type::STRING, timeout_us)
        }
    }
}
