//! A compiled plan with the tables a scheduler asks all the time, made once and shared by all its runs.

use std::sync::Arc;

use bytes::Bytes;
use plan_ir::bound::Bound;
use plan_ir::expr::Fragment;
use plan_ir::graph::{NodeId, NodeKind, Region};
use plan_ir::interp::{self, Env, Evaluator, Evaluators, Meter, Trap};
use plan_ir::plan::{CallSpec, CompiledPlan, NodeBody, OnError, Scope, ScopeId};
use proof::builder::ProofPlan;
use schema::amount::{Amount, Currency};
use schema::hash::Hash;
use schema::operation::OperationDescriptor;
use schema::types::{Type, TypeDefs};
use schema::value::Value;

use super::tables::Tables;

/// Index of a region in a [`Prepared`] plan; 0 is the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RegionId(pub(crate) u32);

impl RegionId {
    pub(crate) const ROOT: Self = Self(0);
}

/// A compiled plan, checked and indexed.
#[derive(Debug)]
pub struct Prepared {
    /// The plan.
    pub plan: Arc<CompiledPlan>,
    /// Hash of the plan.
    pub hash: Hash,
    /// The plan as its proofs see it.
    pub proof: Arc<ProofPlan>,
    /// The plan's bytes, which its hash covers.
    pub bytes: Bytes,
    /// Its records and enums, shared with the transports.
    pub types: Arc<TypeDefs>,
    /// What it can cost and take whatever its arguments are, where that is bounded.
    pub bound: Option<Bound>,
    /// The currency all costs of a run are added up in: that of the plan's budget, else of its prices.
    pub currency: Currency,
    pub(crate) operations: Vec<OperationFacts>,
    regions: Vec<RegionFacts>,
    nodes: Vec<NodeFacts>,
    scopes: Vec<ScopeFacts>,
    /// Type of each node's value; `None` where the plan does not say.
    value_types: Vec<Option<Type>>,
    /// Evaluates its expressions; the interpreter where there is none.
    evaluator: Option<Arc<dyn Evaluator>>,
}

/// An operation the plan may call.
#[derive(Debug)]
pub(crate) struct OperationFacts {
    pub(crate) descriptor: Arc<OperationDescriptor>,
    pub(crate) entry: Hash,
}

#[derive(Debug)]
pub(crate) struct RegionFacts {
    /// The branch or fan-out that opens it; `None` for the root.
    pub(crate) opener: Option<NodeId>,
    pub(crate) outer: Option<RegionId>,
    pub(crate) nodes: Vec<NodeId>,
    pub(crate) result: Option<NodeId>,
    /// Scopes whose outermost nodes are here.
    pub(crate) scopes: Vec<ScopeId>,
}

#[derive(Debug)]
pub(crate) struct NodeFacts {
    pub(crate) region: RegionId,
    /// Position in the region.
    pub(crate) position: usize,
    /// Nodes of the same region that wait for this one.
    pub(crate) children: Vec<NodeId>,
    pub(crate) regions: Vec<RegionId>,
    /// The scopes around it, the plan's own first.
    pub(crate) scopes: Vec<ScopeId>,
}

#[derive(Debug)]
pub(crate) struct ScopeFacts {
    /// The region its outermost nodes are in.
    pub(crate) home: RegionId,
    /// How many nodes of that region belong to it.
    pub(crate) nodes: u32,
}

/// A plan that no compiler of this version makes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the compiled plan is malformed: {what}")]
pub struct Malformed {
    what: String,
}

impl Malformed {
    /// The stable code of this error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "E1170"
    }
}

impl From<plan_ir::bytes::BytesError> for Malformed {
    fn from(error: plan_ir::bytes::BytesError) -> Self {
        malformed(error.to_string())
    }
}

pub(super) fn malformed(what: impl Into<String>) -> Malformed {
    Malformed { what: what.into() }
}

impl Prepared {
    /// Checks `plan` and makes its tables.
    ///
    /// # Errors
    /// [`Malformed`] where ids, kinds or bodies do not fit together.
    pub fn new(plan: Arc<CompiledPlan>) -> Result<Self, Malformed> {
        let bytes = plan_ir::bytes::encode(&plan)?;
        Self::of(plan, bytes.into())
    }

    /// The plan that was stored as `bytes`.
    ///
    /// # Errors
    /// [`Malformed`] where they are not a plan of this version.
    pub fn from_bytes(bytes: Bytes) -> Result<Self, Malformed> {
        Self::of(Arc::new(plan_ir::bytes::decode(&bytes)?), bytes)
    }

    fn of(plan: Arc<CompiledPlan>, bytes: Bytes) -> Result<Self, Malformed> {
        let proof = ProofPlan::new(bytes.to_vec()).map_err(|error| malformed(error.to_string()))?;
        let proof = Arc::new(proof);
        let hash = proof.graph.hash;
        let operations = plan
            .body
            .operations
            .iter()
            .map(|operation| {
                let descriptor = plan_ir::plan::descriptor(operation)
                    .map_err(|error| malformed(format!("operation `{}`: {error}", operation.id)))?;
                Ok(OperationFacts { descriptor: Arc::new(descriptor), entry: operation.entry })
            })
            .collect::<Result<Vec<_>, Malformed>>()?;
        let mut tables = Tables::new(&plan)?;
        tables.link(&plan)?;
        tables.place_scopes(&plan)?;
        let Tables { regions, nodes, scopes } = tables;
        let nodes = nodes.into_iter().flatten().collect();
        check_bodies(&plan)?;
        let bound = plan_ir::bound::bound(&plan, None).ok();
        let currency =
            bound.as_ref().map_or_else(|| currency(&plan, &operations), |bound| bound.cost.currency);
        let types = Arc::new(plan.body.types.clone());
        let value_types = value_types(&plan);
        Ok(Self {
            plan,
            hash,
            proof,
            bytes,
            types,
            bound,
            currency,
            operations,
            regions,
            nodes,
            scopes,
            value_types,
            evaluator: None,
        })
    }

    /// The same plan, its expressions evaluated by what `evaluators` has for it.
    #[must_use]
    pub fn evaluated_by(self, evaluators: &dyn Evaluators) -> Self {
        let evaluator = Some(evaluators.of(self.hash, &self.plan));
        Self { evaluator, ..self }
    }

    /// The value of one of the plan's expressions.
    pub(super) fn eval(&self, fragment: &Fragment, args: &[Value], env: &dyn Env) -> Result<Value, Trap> {
        let mut meter = Meter::default();
        match &self.evaluator {
            Some(evaluator) => evaluator.eval(fragment, args, env, &mut meter),
            None => interp::eval(&self.plan.body, fragment, args, env, &mut meter),
        }
    }

    /// Name of the plan.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.plan.body.name
    }

    /// The operations it may call, by their position in the plan.
    pub fn operations(&self) -> impl Iterator<Item = &Arc<OperationDescriptor>> {
        self.operations.iter().map(|operation| &operation.descriptor)
    }

    /// The label of a node.
    #[must_use]
    pub fn label(&self, id: NodeId) -> &str {
        self.plan.graph.node(id).map_or("", |node| node.label.as_str())
    }

    /// `label#id[i][j]`.
    #[must_use]
    pub fn show(&self, instance: &super::Instance) -> String {
        use std::fmt::Write as _;

        let mut text = format!("{}#{}", self.label(instance.node), instance.node.0);
        for index in instance.iteration.iter() {
            let _ = write!(text, "[{index}]");
        }
        text
    }

    /// Where a node stands in the plan's own source, byte offsets.
    #[must_use]
    pub fn span(&self, id: NodeId) -> Option<(u32, u32)> {
        let span = self.plan.debug.nodes.get(id.0 as usize)?;
        (span.source == 0).then_some((span.start, span.end))
    }

    /// The control nodes around a node, innermost first.
    pub(crate) fn openers(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        let mut region = self.node(id).region;
        std::iter::from_fn(move || {
            let opener = self.region(region).opener?;
            region = self.node(opener).region;
            Some(opener)
        })
    }

    /// The type of a node's value.
    pub(crate) fn value_type(&self, id: NodeId) -> Option<&Type> {
        self.value_types.get(id.0 as usize)?.as_ref()
    }

    /// The type of the elements a fan-out goes over.
    pub(crate) fn item_type(&self, id: NodeId) -> Option<&Type> {
        match self.body(id) {
            NodeBody::FanOut { item, .. } => Some(item),
            _ => None,
        }
    }

    pub(crate) fn parents(&self, id: NodeId) -> &[NodeId] {
        self.plan.graph.node(id).map_or(&[], |node| &node.parents)
    }

    pub(crate) fn kind(&self, id: NodeId) -> NodeKind {
        self.plan.graph.node(id).map_or(NodeKind::Pure, |node| node.kind)
    }

    #[expect(clippy::indexing_slicing, reason = "`new` made one entry per node of the plan")]
    pub(crate) fn node(&self, id: NodeId) -> &NodeFacts {
        &self.nodes[id.0 as usize]
    }

    #[expect(clippy::indexing_slicing, reason = "`new` checked that every node has a body")]
    pub(crate) fn body(&self, id: NodeId) -> &NodeBody {
        &self.plan.body.nodes[id.0 as usize]
    }

    #[expect(clippy::indexing_slicing, reason = "region ids are made by `new` only")]
    pub(crate) fn region(&self, id: RegionId) -> &RegionFacts {
        &self.regions[id.0 as usize]
    }

    #[expect(clippy::indexing_slicing, reason = "`new` checked the scope of every node and scope")]
    pub(crate) fn scope(&self, id: ScopeId) -> (&Scope, &ScopeFacts) {
        (&self.plan.body.scopes[id.0 as usize], &self.scopes[id.0 as usize])
    }

    #[expect(clippy::indexing_slicing, reason = "`new` checked the operation of every candidate")]
    pub(crate) fn operation(&self, index: u32) -> &OperationFacts {
        &self.operations[index as usize]
    }

    /// The call of a node: the one written first at level 0, its fallback at level 1, and so on.
    pub(crate) fn call(&self, node: NodeId, level: u32) -> Option<&CallSpec> {
        self.body(node).legs().nth(level as usize)
    }

    /// `price` in the currency of the run; `None` where the lock pins no rate.
    #[must_use]
    pub fn in_run_currency(&self, price: Amount) -> Option<u64> {
        price.convert(self.currency, self.plan.body.rate).map(|amount| amount.units)
    }
}

/// Every node has the body of its kind, and what a body names exists.
fn check_bodies(plan: &CompiledPlan) -> Result<(), Malformed> {
    if plan.body.nodes.len() != plan.graph.nodes.len() {
        return Err(malformed("a node has no body"));
    }
    for (node, body) in plan.graph.nodes.iter().zip(&plan.body.nodes) {
        let fits = match (node.kind, body) {
            (NodeKind::Pure, NodeBody::Pure(_) | NodeBody::Spent(_))
            | (NodeKind::Ensure, NodeBody::Ensure { .. }) => node.regions.is_empty(),
            (NodeKind::Call, NodeBody::Call(spec)) => node.regions.is_empty() && check_call(plan, spec),
            (NodeKind::Branch, NodeBody::Branch { patterns, .. }) => node.regions.len() == patterns.len(),
            (NodeKind::FanOut, NodeBody::FanOut { .. }) => node.regions.len() == 1,
            _ => false,
        };
        if !fits {
            return Err(malformed(format!("node `{}` has a body of another kind", node.label)));
        }
    }
    Ok(())
}

fn check_call(plan: &CompiledPlan, spec: &CallSpec) -> bool {
    let known = |operation: u32| (operation as usize) < plan.body.operations.len();
    spec.legs().all(|spec| {
        !spec.candidates.is_empty() && spec.candidates.iter().all(|candidate| known(candidate.operation))
    })
}

/// The type of each node's value. Nodes of regions have larger ids than the node that opens them.
fn value_types(plan: &CompiledPlan) -> Vec<Option<Type>> {
    let mut types: Vec<Option<Type>> = vec![None; plan.graph.nodes.len()];
    for (id, (node, body)) in plan.graph.nodes.iter().zip(&plan.body.nodes).enumerate().rev() {
        let result = |region: &Region| types.get(region.result?.0 as usize)?.clone();
        let ty = match body {
            NodeBody::Pure(fragment) => plan.body.exprs.ty(fragment.body).cloned(),
            NodeBody::Spent(_) => Some(Type::Amount),
            NodeBody::Ensure { .. } => Some(Type::Bool),
            NodeBody::Call(spec) => Some(spec.value()),
            // Arms differ in refinements at most, which canonical bytes do not show.
            NodeBody::Branch { .. } => node.regions.iter().find_map(result),
            NodeBody::FanOut { on_error, .. } => node.regions.first().and_then(result).map(|element| {
                Type::list(match on_error {
                    OnError::Drop => element,
                    OnError::Keep { item_error } => {
                        Type::Result(Box::new(element), Box::new(Type::Named(*item_error)))
                    }
                })
            }),
        };
        if let Some(slot) = types.get_mut(id) {
            *slot = ty;
        }
    }
    types
}

/// The currency of the plan's budget where it is a literal amount or a parameter's default, else of the
/// first price, else dollars.
fn currency(plan: &CompiledPlan, operations: &[OperationFacts]) -> Currency {
    let body = &plan.body;
    let budget = body.scopes.first().and_then(|scope| scope.budget.as_ref()).and_then(|budget| {
        let expr = body.exprs.exprs.get(budget.body.0 as usize)?;
        match expr {
            plan_ir::expr::Expr::Const(schema::value::Value::Amount(amount)) => Some(amount.currency),
            plan_ir::expr::Expr::Param(index) => match body.params.get(*index as usize)?.default.as_ref()? {
                schema::value::Value::Amount(amount) => Some(amount.currency),
                _ => None,
            },
            _ => None,
        }
    });
    let declared = || {
        body.nodes.iter().find_map(|node| match node {
            NodeBody::Call(spec) => spec.max_price.map(|price| price.currency),
            _ => None,
        })
    };
    let priced = || {
        operations.iter().find_map(|operation| match &operation.descriptor.price {
            schema::price::PriceRule::PerCall { amount } => Some(amount.currency),
            _ => None,
        })
    };
    budget.or_else(declared).or_else(priced).unwrap_or(Currency::MicroUsd)
}
