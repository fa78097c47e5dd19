//! Plans made by hand, for tests of the runtime alone.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    clippy::type_complexity,
    reason = "tests"
)]

pub mod random;
pub mod server;
pub mod simulator;
pub mod source;
pub mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use plan_ir::expr::{BinaryOp, Expr, ExprId, ExprTable, Fragment, LocalId, Pattern};
use plan_ir::graph::{Graph, Node, NodeId, NodeKind, Region};
use plan_ir::plan::{
    CallSpec, Candidate, CompiledPlan, DebugInfo, Fallback, Hedge, HedgeAfter, LIBRARY_VERSION, NodeBody,
    OnError, Param, PinnedOperation, PlanBody, Poll, Quorum, Retry, Scope, ScopeId, ScopeKind, Tolerance,
};
use schema::amount::{Amount, Currency};
use schema::error::CallErrorKind;
use schema::hash::Hash;
use schema::operation::{
    Access, Auth, HttpBinding, OperationDescriptor, Repeat, RequestBody, ResponseBody, SideEffects,
    Transport, Version,
};
use schema::price::PriceRule;
use schema::types::{DefId, FieldDef, LengthRange, RecordDef, Type, TypeDef, TypeDefs};
use schema::value::Value;

pub fn usd(micro: u64) -> Amount {
    Amount::new(micro, Currency::MicroUsd)
}

/// The input record of every test operation: `{ q: String }`.
pub const INPUT: DefId = DefId(0);
/// `PlanError { code, message, node }`.
pub const PLAN_ERROR: DefId = DefId(1);
/// `ItemError { index, item, error }` over strings.
pub const ITEM_ERROR: DefId = DefId(2);
/// The answer record of every test operation: `{ v: String }`.
pub const ANSWER: DefId = DefId(3);
/// `Voted { value, agreed, of, share }` over strings.
pub const VOTED: DefId = DefId(4);

fn record(name: &str, fields: &[(&str, Type)]) -> TypeDef {
    let field =
        |(name, ty): &(&str, Type)| FieldDef { name: (*name).into(), ty: ty.clone(), doc: String::new() };
    TypeDef::Record(RecordDef {
        name: name.into(),
        fields: fields.iter().map(field).collect(),
        doc: String::new(),
    })
}

/// An operation `{ q } -> { v }` by POST to `/call` of some base URL.
pub fn operation(id: &str, base_url: &str, price: PriceRule, safe: bool) -> OperationDescriptor {
    let text = serde_json::json!({ "type": "string" });
    OperationDescriptor {
        id: id.into(),
        netuid: id.trim_start_matches("sn").split('.').next().unwrap().parse().unwrap(),
        version: Version::FIRST,
        summary: String::new(),
        tags: vec![],
        transport: Transport::Http(HttpBinding {
            method: "POST".into(),
            base_url: base_url.into(),
            path: "/call".into(),
            parameters: BTreeMap::new(),
            styles: BTreeMap::new(),
            fixed_body: BTreeMap::new(),
            body: RequestBody::Json,
            media_type: None,
            accept: None,
            response: ResponseBody::Json,
        }),
        access: Access::Open,
        auth: Auth::None,
        side_effects: SideEffects::Metered,
        repeat: Repeat { safe, costs_again: true },
        input: serde_json::json!({ "type": "object", "properties": { "q": text }, "required": ["q"] }),
        output: serde_json::json!({ "type": "object", "properties": { "v": text }, "required": ["v"] }),
        output_complete: true,
        price,
        observed_cost: None,
        refusals: Default::default(),
        latency: None,
        delivery: None,
        example: None,
        sources: vec![],
        verified: false,
    }
}

pub fn per_call(micro: u64) -> PriceRule {
    PriceRule::PerCall { amount: usd(micro) }
}

/// Policies of a call under construction.
#[derive(Clone, Debug)]
pub struct CallOptions {
    pub operations: Vec<u32>,
    pub timeout_us: u64,
    pub retries: u32,
    pub backoff_us: u64,
    pub on: Vec<CallErrorKind>,
    pub max_price: Option<Amount>,
    /// Accept only answers that differ from this.
    pub refuse: Option<String>,
    pub fallback: Option<FallbackOptions>,
    /// After how long, and how often.
    pub hedge: Option<(HedgeAfter, u32)>,
    /// How many votes, how many agree, early.
    pub quorum: Option<(u32, u32, bool)>,
    pub budget: Option<Amount>,
    pub cache_us: Option<u64>,
    pub pages: u32,
    pub poll: Poll,
}

#[derive(Clone, Debug)]
pub enum FallbackOptions {
    Value(String),
    Call(Box<CallOptions>),
}

impl CallOptions {
    pub fn to(operation: u32) -> Self {
        Self {
            operations: vec![operation],
            timeout_us: 1_000_000,
            retries: 0,
            backoff_us: 0,
            on: CallErrorKind::RETRIED.to_vec(),
            max_price: None,
            refuse: None,
            fallback: None,
            hedge: None,
            quorum: None,
            budget: None,
            cache_us: None,
            pages: 1,
            poll: Poll::default(),
        }
    }
}

#[derive(Clone, Debug)]
pub struct LoopOptions {
    pub concurrency: Option<u32>,
    pub tolerate: Tolerance,
    pub keep: bool,
    pub budget: Option<Amount>,
}

impl Default for LoopOptions {
    fn default() -> Self {
        Self { concurrency: None, tolerate: Tolerance::Count(0), keep: false, budget: None }
    }
}

/// Builds a plan node by node; a region is built by a closure.
#[derive(Debug)]
pub struct Builder {
    exprs: ExprTable,
    nodes: Vec<Node>,
    bodies: Vec<NodeBody>,
    node_scopes: Vec<ScopeId>,
    scopes: Vec<Scope>,
    operations: Vec<PinnedOperation>,
    types: TypeDefs,
    params: Vec<Param>,
    /// Nodes of the regions being built, innermost last.
    open: Vec<Vec<NodeId>>,
    scope: ScopeId,
}

impl Builder {
    pub fn new(budget: Option<Amount>, deadline_us: Option<u64>, operations: &[OperationDescriptor]) -> Self {
        let mut types = TypeDefs::new();
        types.push(record("Input", &[("q", Type::STRING)]));
        types.push(record(
            "PlanError",
            &[("code", Type::STRING), ("message", Type::STRING), ("node", Type::STRING.optional())],
        ));
        types.push(record(
            "ItemError",
            &[("index", Type::INT), ("item", Type::STRING), ("error", Type::Named(PLAN_ERROR))],
        ));
        types.push(record("Answer", &[("v", Type::STRING)]));
        let counts =
            [("value", Type::STRING), ("agreed", Type::INT), ("of", Type::INT), ("share", Type::FLOAT)];
        types.push(record("Voted", &counts));
        let operations = operations.iter().map(pinned).collect();
        let mut builder = Self {
            exprs: ExprTable::default(),
            nodes: vec![],
            bodies: vec![],
            node_scopes: vec![],
            scopes: vec![],
            operations,
            types,
            params: vec![],
            open: vec![vec![]],
            scope: ScopeId(0),
        };
        let budget = budget.map(|budget| builder.constant(Value::Amount(budget), Type::Amount));
        let budget = budget.map(|body| fragment(0, body));
        builder.scopes.push(Scope { budget, deadline_us, ..Scope::new(ScopeKind::Plan) });
        builder
    }

    /// Makes an expression over parameters the plan's budget.
    pub fn budget(&mut self, budget: ExprId) {
        self.scopes[0].budget = Some(fragment(0, budget));
    }

    pub fn expr(&mut self, expr: Expr, ty: Type) -> ExprId {
        self.exprs.exprs.push(expr);
        self.exprs.types.push(ty);
        ExprId(u32::try_from(self.exprs.exprs.len() - 1).unwrap())
    }

    pub fn retype(&mut self, expr: ExprId, ty: Type) {
        self.exprs.types[expr.0 as usize] = ty;
    }

    pub fn constant(&mut self, value: Value, ty: Type) -> ExprId {
        self.expr(Expr::Const(value), ty)
    }

    pub fn text(&mut self, text: &str) -> ExprId {
        self.constant(Value::string(text), Type::STRING)
    }

    pub fn texts(&mut self, count: usize) -> ExprId {
        let items = (0..count).map(|index| Value::string(format!("item {index}")));
        let ty = list_of(LengthRange::up_to(count as u64));
        self.constant(Value::list(items), ty)
    }

    pub fn node_value(&mut self, node: NodeId) -> ExprId {
        self.expr(Expr::Node(node), Type::STRING)
    }

    pub fn item(&mut self, fan_out: NodeId) -> ExprId {
        self.expr(Expr::Item(fan_out), Type::STRING)
    }

    pub fn param(&mut self, name: &str, ty: Type, default: Option<Value>) -> ExprId {
        let index = u32::try_from(self.params.len()).unwrap();
        self.params.push(Param { name: name.into(), ty: ty.clone(), default, doc: String::new() });
        self.expr(Expr::Param(index), ty)
    }

    /// A text that reads the values of all `parts`.
    pub fn joined(&mut self, parts: &[ExprId]) -> ExprId {
        self.expr(Expr::Template(parts.to_vec()), Type::STRING)
    }

    fn add(&mut self, kind: NodeKind, label: &str, mut parents: Vec<NodeId>, body: NodeBody) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap());
        parents.sort_unstable();
        parents.dedup();
        self.nodes.push(Node { kind, label: label.into(), parents, regions: vec![] });
        self.bodies.push(body);
        self.node_scopes.push(self.scope);
        self.open.last_mut().unwrap().push(id);
        id
    }

    pub fn pure(&mut self, label: &str, body: ExprId, parents: &[NodeId]) -> NodeId {
        self.add(NodeKind::Pure, label, parents.to_vec(), NodeBody::Pure(fragment(0, body)))
    }

    pub fn ensure(&mut self, condition: ExprId, message: &str, parents: &[NodeId]) -> NodeId {
        let message = self.text(message);
        let body = NodeBody::Ensure { condition: fragment(0, condition), message: fragment(0, message) };
        self.add(NodeKind::Ensure, "ensure", parents.to_vec(), body)
    }

    /// A call whose value is a text; what votes agree on is taken out of its record.
    pub fn call(&mut self, label: &str, arg: ExprId, options: &CallOptions, parents: &[NodeId]) -> NodeId {
        let spec = self.spec(arg, options);
        let voted = spec.quorum.is_some();
        let call = self.add(NodeKind::Call, label, parents.to_vec(), NodeBody::Call(Box::new(spec)));
        if !voted {
            return call;
        }
        let record = self.expr(Expr::Node(call), Type::Named(VOTED));
        let value = self.expr(Expr::Field { record, index: 0, optional: false }, Type::STRING);
        self.pure("agreed", value, &[call])
    }

    fn spec(&mut self, arg: ExprId, options: &CallOptions) -> CallSpec {
        let local = self.expr(Expr::Local(LocalId(0)), Type::STRING);
        let request = self.expr(Expr::Record(INPUT, vec![local]), Type::Named(INPUT));
        let answer = self.expr(Expr::Local(LocalId(1)), Type::Named(ANSWER));
        let response = self.expr(Expr::Field { record: answer, index: 0, optional: false }, Type::STRING);
        let candidates = options.operations.iter().map(|operation| Candidate {
            operation: *operation,
            request: fragment(1, request),
            response: fragment(2, response),
        });
        let candidates = candidates.collect();
        let accept = options.refuse.as_ref().map(|refused| {
            let answer = self.expr(Expr::Local(LocalId(0)), Type::STRING);
            let refused = self.text(refused);
            fragment(1, self.expr(Expr::Binary(BinaryOp::NotEqual, answer, refused), Type::Bool))
        });
        let fallback = options.fallback.as_ref().map(|fallback| match fallback {
            FallbackOptions::Value(text) => Fallback::Value(fragment(0, self.text(text))),
            FallbackOptions::Call(options) => Fallback::Call(Box::new(self.spec(arg, options))),
        });
        let quorum =
            options.quorum.map(|(of, need, early)| Quorum { of, need, by: None, early, voted: VOTED });
        let budget = options.budget.map(|budget| {
            let budget = self.constant(Value::Amount(budget), Type::Amount);
            fragment(0, budget)
        });
        CallSpec {
            quorum,
            hedge: options.hedge.map(|(after, max)| Hedge { after, max }),
            budget,
            cache_us: options.cache_us,
            pages: options.pages,
            poll: options.poll,
            args: vec![fragment(0, arg)],
            retry: Retry { max: options.retries, backoff_us: options.backoff_us, on: options.on.clone() },
            accept,
            max_price: options.max_price,
            fallback,
            ..CallSpec::once("operation", candidates, Type::STRING, options.timeout_us)
        }
    }

    fn region(&mut self, build: impl FnOnce(&mut Self) -> NodeId) -> Region {
        self.open.push(vec![]);
        let result = build(self);
        let nodes = self.open.pop().unwrap();
        Region { nodes, result: Some(result) }
    }

    /// `for item in list { .. }`; the closure gets the fan-out's id and gives the body's result.
    pub fn fan_out(
        &mut self,
        label: &str,
        list: ExprId,
        options: &LoopOptions,
        parents: &[NodeId],
        build: impl FnOnce(&mut Self, NodeId) -> NodeId,
    ) -> NodeId {
        let on_error = if options.keep { OnError::Keep { item_error: ITEM_ERROR } } else { OnError::Drop };
        let body = NodeBody::FanOut {
            list: fragment(0, list),
            item: Type::STRING,
            concurrency: options.concurrency,
            tolerate: options.tolerate,
            on_error,
        };
        let add = |b: &mut Self| {
            let id = b.add(NodeKind::FanOut, label, parents.to_vec(), body);
            let region = b.region(|b| build(b, id));
            b.nodes[id.0 as usize].regions = vec![region];
            id
        };
        match options.budget {
            Some(budget) => self.limited(ScopeKind::Loop, label, Some(budget), None, add),
            None => add(self),
        }
    }

    /// `if condition { .. } else { .. }`.
    pub fn branch(
        &mut self,
        label: &str,
        condition: ExprId,
        parents: &[NodeId],
        arms: Vec<Box<dyn FnOnce(&mut Self) -> NodeId + '_>>,
    ) -> NodeId {
        let patterns = vec![Pattern::Literal(Value::Bool(true)), Pattern::Any];
        let body = NodeBody::Branch { scrutinee: fragment(0, condition), patterns };
        let id = self.add(NodeKind::Branch, label, parents.to_vec(), body);
        let regions = arms.into_iter().map(|arm| self.region(arm)).collect();
        self.nodes[id.0 as usize].regions = regions;
        id
    }

    /// `run label(..)`: nodes built by the closure belong to a scope of their own.
    pub fn scope<T>(
        &mut self,
        label: &str,
        budget: Option<Amount>,
        deadline_us: Option<u64>,
        build: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.limited(ScopeKind::Plan, label, budget, deadline_us, build)
    }

    fn limited<T>(
        &mut self,
        kind: ScopeKind,
        label: &str,
        budget: Option<Amount>,
        deadline_us: Option<u64>,
        build: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let budget = budget.map(|budget| self.constant(Value::Amount(budget), Type::Amount));
        let id = ScopeId(u32::try_from(self.scopes.len()).unwrap());
        let parent = Some(self.scope);
        let budget = budget.map(|body| fragment(0, body));
        self.scopes.push(Scope { kind, label: label.into(), parent, budget, deadline_us });
        let outer = std::mem::replace(&mut self.scope, id);
        let built = build(self);
        self.scope = outer;
        built
    }

    pub fn finish(mut self, result: NodeId, output: Type) -> CompiledPlan {
        let root = Region { nodes: self.open.pop().unwrap(), result: Some(result) };
        CompiledPlan {
            graph: Graph { nodes: self.nodes, root },
            body: PlanBody {
                name: "test".into(),
                types: self.types,
                params: self.params,
                output,
                exprs: self.exprs,
                functions: vec![],
                nodes: self.bodies,
                scopes: self.scopes,
                node_scopes: self.node_scopes,
                operations: self.operations,
                rate: None,
            },
            library_version: LIBRARY_VERSION,
            lock_hash: Hash::default(),
            debug: DebugInfo::default(),
        }
    }
}

fn pinned(operation: &OperationDescriptor) -> PinnedOperation {
    PinnedOperation {
        entry: schema::lock::entry_hash(operation).unwrap(),
        entry_bytes: schema::lock::entry_bytes(operation).unwrap(),
        input: INPUT,
        output: Type::Named(ANSWER),
        id: operation.id.clone(),
    }
}

pub fn fragment(params: u32, body: ExprId) -> Fragment {
    Fragment { params, frame: params, body }
}

pub fn prepared(plan: CompiledPlan) -> Arc<runtime::core::Prepared> {
    Arc::new(runtime::core::Prepared::new(Arc::new(plan)).unwrap())
}

/// Makes the proof of a simulated run and gives what a verifier objects to.
pub fn proven(
    plan: &Arc<runtime::core::Prepared>,
    simulation: &simulator::Simulation,
) -> Vec<proof::verify::Failure> {
    proven_with(plan, simulation, &[])
}

/// As [`proven`], of a run with arguments.
pub fn proven_with(
    plan: &Arc<runtime::core::Prepared>,
    simulation: &simulator::Simulation,
    inputs: &[Value],
) -> Vec<proof::verify::Failure> {
    let (secret, key) = ([3; 32], proof::key::RuntimeKey::from_seed(&[7; 32]));
    let inputs = runtime::inputs::canonical(&plan.plan.body, inputs).unwrap();
    let opening = proof::builder::Opening {
        run_id: [1; 16],
        inputs: &inputs,
        opened_at_us: simulator::START_US,
        nonce: [2; 32],
        build_hash: Hash::default(),
        ledger: None,
        tenant: None,
        payment_hash: None,
    };
    let opened = opening.open(&plan.proof, &proof::body::RunSecret::new(secret), key.public()).unwrap();
    let mut prover = runtime::Prover::new(Arc::clone(plan), opened, &secret, &inputs, Default::default());
    prover.absorb(simulation.facts.clone());
    let end = &simulation.finished.as_ref().unwrap().end;
    let mut bundle = prover.finish(end, simulation.core.now_us()).unwrap().bundle;
    bundle.sign(&key).unwrap();
    let bundle = bundle.to_bytes();
    let policy = proof::verify::TrustPolicy::of_key(key.public(), "test");
    proof::verify::verify(&bundle, &policy).failures
}

pub fn list_of(range: LengthRange) -> Type {
    Type::List(Box::new(Type::STRING), range)
}
