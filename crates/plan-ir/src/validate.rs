//! Whether a compiled plan is one that the compiler could have made, as far as running it relies on it:
//! every id points at something, every expression reads only what its place can see, every loop ends.
//!
//! What is not checked is that expressions have the types they claim. The interpreter meets a lie with
//! [`crate::interp::TrapKind::Malformed`], and casts and decodes check values anyway.

use petgraph::algo::is_cyclic_directed;
use petgraph::graph::{DiGraph, NodeIndex};
use schema::error::CallErrorKind;
use schema::hash::Context;

use crate::expr::{ExprId, Fragment};
use crate::graph::{Node, NodeId, NodeKind};
use crate::plan::{
    CallSpec, CompiledPlan, Fallback, NodeBody, OnError, ScopeId, ScopeKind, Tolerance, descriptor,
};
use crate::topology::{Topology, nodes};

mod exprs;
mod values;

use exprs::{Reader, Sight};

/// Fallbacks of fallbacks of one call.
pub const FALLBACKS_MAX: usize = 8;
/// Votes of one call.
pub const QUORUM_MAX: u32 = 100;
/// Nesting of sub-plans.
pub const SCOPE_DEPTH_MAX: usize = 128;
/// Expressions visited while a plan is validated. Fragments of one plan share few expressions, so real plans
/// stay far below it.
const VISITS_MAX: u64 = 10_000_000;

/// A plan that no compiler made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the compiled plan is malformed: {what}, at {place}")]
pub struct InvalidPlan {
    /// The rule it breaks.
    pub what: &'static str,
    /// Where: `node 3`, `expression 17`.
    pub place: String,
}

impl InvalidPlan {
    fn new(what: &'static str, kind: &str, index: impl std::fmt::Display) -> Self {
        Self { what, place: format!("{kind} {index}") }
    }
}

/// Checks `plan`.
///
/// # Errors
/// The first rule it breaks.
pub fn validate(plan: &CompiledPlan) -> Result<(), InvalidPlan> {
    let topology = Topology::of(&plan.graph)
        .map_err(|error| InvalidPlan { what: "its graph is not well formed", place: error.to_string() })?;
    values::types(&plan.body)?;
    exprs::table(&plan.body)?;
    values::params(&plan.body)?;
    let seen = vec![0; plan.body.exprs.exprs.len()];
    let mut check = Check { plan, topology: &topology, visits: 0, seen, fragment: 0 };
    check.operations()?;
    check.functions()?;
    check.scopes()?;
    check.nodes()
}

struct Check<'a> {
    plan: &'a CompiledPlan,
    topology: &'a Topology,
    visits: u64,
    /// The last fragment that reached each expression.
    seen: Vec<u32>,
    fragment: u32,
}

impl Check<'_> {
    fn operations(&self) -> Result<(), InvalidPlan> {
        let body = &self.plan.body;
        let mut last: Option<&str> = None;
        for (index, operation) in body.operations.iter().enumerate() {
            let fail = |what| InvalidPlan::new(what, "operation", index);
            if last.is_some_and(|last| last >= operation.id.as_str()) {
                return Err(fail("operations are not sorted by id"));
            }
            if body.types.record(operation.input).is_none() {
                return Err(fail("an input is no record"));
            }
            values::known_type(&operation.output, &body.types).map_err(fail)?;
            if Context::LedgerEntry.hash(&[&operation.entry_bytes]) != operation.entry {
                return Err(fail("an entry is not the one that is pinned"));
            }
            match descriptor(operation) {
                Ok(entry) if entry.id == operation.id => {}
                Ok(_) => return Err(fail("an entry is of another operation")),
                Err(_) => return Err(fail("an entry cannot be read")),
            }
            last = Some(&operation.id);
        }
        Ok(())
    }

    fn functions(&mut self) -> Result<(), InvalidPlan> {
        let functions = &self.plan.body.functions;
        let mut calls = DiGraph::<(), ()>::new();
        let places: Vec<NodeIndex> = functions.iter().map(|_| calls.add_node(())).collect();
        for ((index, function), caller) in (0_u32..).zip(functions).zip(&places) {
            let reader = Reader { sight: Sight::NOTHING, place: ("function", index) };
            let params = function.fragment.params;
            self.fragment(&reader, &function.fragment, params, |callee| {
                if let Some(callee) = places.get(callee as usize) {
                    calls.update_edge(*caller, *callee, ());
                }
            })?;
        }
        if is_cyclic_directed(&calls) {
            return Err(InvalidPlan::new("functions call each other in a circle", "function", 0));
        }
        Ok(())
    }

    fn scopes(&mut self) -> Result<(), InvalidPlan> {
        let body = &self.plan.body;
        let mut depths: Vec<usize> = Vec::with_capacity(body.scopes.len());
        for (index, scope) in (0_u32..).zip(&body.scopes) {
            let fail = |what| InvalidPlan::new(what, "scope", index);
            let depth = match scope.parent {
                None if index == 0 => 0,
                Some(parent) => match depths.get(parent.0 as usize) {
                    Some(depth) if *depth < SCOPE_DEPTH_MAX => depth + 1,
                    Some(_) => return Err(fail("sub-plans nest too deep")),
                    None => return Err(fail("a scope is not after the one around it")),
                },
                None => return Err(fail("a second scope is outside all others")),
            };
            depths.push(depth);
            // The budget of a loop is read where its node is, which sees more: see `loop_budget`.
            if let Some(budget) = scope.budget.as_ref().filter(|_| scope.kind == ScopeKind::Plan) {
                let reader = Reader { sight: Sight::PARAMS, place: ("scope", index) };
                self.fragment(&reader, budget, 0, |_| {})?;
            }
        }
        if depths.is_empty() {
            return Err(InvalidPlan::new("the plan has no scope", "scope", 0));
        }
        Ok(())
    }

    fn nodes(&mut self) -> Result<(), InvalidPlan> {
        let (graph, body) = (&self.plan.graph, &self.plan.body);
        if body.nodes.len() != graph.nodes.len() || body.node_scopes.len() != graph.nodes.len() {
            return Err(InvalidPlan::new("not every node has a body and a scope", "node", body.nodes.len()));
        }
        for ((id, node), node_body) in nodes(graph).zip(&body.nodes) {
            self.node_scope(id)?;
            self.node(id, node, node_body)?;
        }
        values::known_type(&body.output, &body.types)
            .map_err(|what| InvalidPlan::new(what, "the plan's", "output"))
    }

    /// A node is in the scope of its control node or in one that stands in it.
    fn node_scope(&self, id: NodeId) -> Result<(), InvalidPlan> {
        let scopes = &self.plan.body.scopes;
        let scope_of = |id: NodeId| self.plan.body.node_scopes.get(id.0 as usize).copied();
        let owner = self.topology.place(id).and_then(|place| place.owner);
        let around = owner.and_then(|(control, _)| scope_of(control)).unwrap_or(ScopeId(0));
        let mut scope = scope_of(id);
        while let Some(inner) = scope {
            if inner == around {
                return Ok(());
            }
            scope = scopes.get(inner.0 as usize).and_then(|scope| scope.parent);
        }
        Err(InvalidPlan::new("a node is not in the scope of its control node", "node", id.0))
    }

    /// A node asks only what a scope around it has spent.
    fn spent(&self, id: NodeId, scope: ScopeId) -> Result<(), InvalidPlan> {
        let scopes = &self.plan.body.scopes;
        let mut around = self.plan.body.node_scopes.get(id.0 as usize).copied();
        while let Some(inner) = around {
            if inner == scope {
                return Ok(());
            }
            around = scopes.get(inner.0 as usize).and_then(|scope| scope.parent);
        }
        Err(InvalidPlan::new("a node asks for the spending of a scope it is not in", "node", id.0))
    }

    /// The budget of a loop that this node is the first of.
    fn loop_budget(&mut self, id: NodeId, reader: &Reader<'_>) -> Result<(), InvalidPlan> {
        let body = &self.plan.body;
        let scope = body.node_scopes.get(id.0 as usize).and_then(|scope| body.scopes.get(scope.0 as usize));
        match scope.filter(|scope| scope.kind == ScopeKind::Loop).and_then(|scope| scope.budget) {
            Some(budget) => self.fragment(reader, &budget, 0, |_| {}),
            None => Ok(()),
        }
    }

    fn node(&mut self, id: NodeId, node: &Node, body: &NodeBody) -> Result<(), InvalidPlan> {
        let fail = |what| InvalidPlan::new(what, "node", id.0);
        let sight = Sight { params: true, node: Some((self.plan, self.topology, id)) };
        let reader = Reader { sight, place: ("node", id.0) };
        if node.kind == NodeKind::FanOut {
            self.loop_budget(id, &reader)?;
        }
        match (node.kind, body) {
            (NodeKind::Pure, NodeBody::Pure(value)) => self.fragment(&reader, value, 0, |_| {}),
            (NodeKind::Pure, NodeBody::Spent(scope)) => self.spent(id, *scope),
            (NodeKind::Ensure, NodeBody::Ensure { condition, message }) => {
                self.fragment(&reader, condition, 0, |_| {})?;
                self.fragment(&reader, message, 0, |_| {})
            }
            (NodeKind::Call, NodeBody::Call(spec)) => self.call(&reader, spec),
            (NodeKind::Branch, NodeBody::Branch { scrutinee, patterns }) => {
                if patterns.len() != node.regions.len() {
                    return Err(fail("a branch has another number of patterns than arms"));
                }
                for pattern in patterns {
                    let mut binders = 0;
                    values::pattern(pattern, &mut |local| {
                        binders += 1;
                        local.0 + 1 == binders
                    })
                    .map_err(fail)?;
                }
                self.fragment(&reader, scrutinee, 0, |_| {})
            }
            (NodeKind::FanOut, NodeBody::FanOut { list, item, concurrency, tolerate, on_error }) => {
                values::known_type(item, &self.plan.body.types).map_err(fail)?;
                if *concurrency == Some(0) {
                    return Err(fail("a fan-out runs no element at once"));
                }
                if matches!(tolerate, Tolerance::BasisPoints(10_001..)) {
                    return Err(fail("a fan-out tolerates more than all"));
                }
                if let OnError::Keep { item_error } = on_error
                    && self.plan.body.types.record(*item_error).is_none_or(|record| record.fields.len() != 3)
                {
                    return Err(fail("an item's error is no record of three fields"));
                }
                self.fragment(&reader, list, 0, |_| {})
            }
            _ => Err(fail("a body is of another kind than its node")),
        }
    }

    fn call(&mut self, reader: &Reader<'_>, spec: &CallSpec) -> Result<(), InvalidPlan> {
        for (fallbacks, spec) in spec.legs().enumerate() {
            if fallbacks > FALLBACKS_MAX {
                return Err(reader.fail("a call has too many fallbacks"));
            }
            self.call_alone(reader, spec)?;
            if let Some(Fallback::Value(value)) = &spec.fallback {
                self.fragment(reader, value, 0, |_| {})?;
            }
        }
        Ok(())
    }

    fn call_alone(&mut self, reader: &Reader<'_>, spec: &CallSpec) -> Result<(), InvalidPlan> {
        let args = u32::try_from(spec.args.len()).unwrap_or(u32::MAX - 1);
        for arg in &spec.args {
            self.fragment(reader, arg, 0, |_| {})?;
        }
        if spec.candidates.is_empty() {
            return Err(reader.fail("a call has no operation to serve it"));
        }
        for candidate in &spec.candidates {
            if candidate.operation as usize >= self.plan.body.operations.len() {
                return Err(reader.fail("a call names an operation that is not pinned"));
            }
            self.fragment(reader, &candidate.request, args, |_| {})?;
            self.fragment(reader, &candidate.response, args + 1, |_| {})?;
        }
        if let Some(accept) = &spec.accept {
            self.fragment(reader, accept, 1, |_| {})?;
        }
        if let Some(budget) = &spec.budget {
            self.fragment(reader, budget, 0, |_| {})?;
        }
        self.quorum(reader, spec)?;
        self.caught(reader, spec)?;
        values::known_type(&spec.output, &self.plan.body.types).map_err(|what| reader.fail(what))
    }

    fn quorum(&self, reader: &Reader<'_>, spec: &CallSpec) -> Result<(), InvalidPlan> {
        let Some(quorum) = &spec.quorum else { return Ok(()) };
        let body = &self.plan.body;
        if quorum.of > QUORUM_MAX || !(1..=quorum.of).contains(&quorum.need) {
            return Err(reader.fail("a quorum of more than all, or of none"));
        }
        if body.types.record(quorum.voted).is_none_or(|record| record.fields.len() != 4) {
            return Err(reader.fail("what a quorum gives is no record of four fields"));
        }
        match quorum.by {
            None => Ok(()),
            Some(by) => match body.functions.get(by.0 as usize) {
                Some(function) if function.fragment.params == 2 => Ok(()),
                _ => Err(reader.fail("a quorum compares by no function of two values")),
            },
        }
    }

    fn caught(&self, reader: &Reader<'_>, spec: &CallSpec) -> Result<(), InvalidPlan> {
        let Some(error) = spec.caught else { return Ok(()) };
        let variants = self.plan.body.types.enumeration(error).map_or(0, |def| def.variants.len());
        if variants != CallErrorKind::ALL.len() {
            return Err(reader.fail("the error of a `try` has not a variant for each kind"));
        }
        Ok(())
    }

    /// Checks a fragment that takes `params` arguments, and tells which functions it calls.
    fn fragment(
        &mut self,
        reader: &Reader<'_>,
        fragment: &Fragment,
        params: u32,
        mut calls: impl FnMut(u32),
    ) -> Result<(), InvalidPlan> {
        let table = &self.plan.body.exprs;
        reader.frame(fragment, params)?;
        self.fragment += 1;
        let mut open: Vec<ExprId> = vec![fragment.body];
        while let Some(id) = open.pop() {
            match self.seen.get_mut(id.0 as usize) {
                Some(seen) if *seen == self.fragment => continue,
                Some(seen) => *seen = self.fragment,
                None => return Err(reader.fail("an expression that is not there")),
            }
            self.visits += 1;
            if self.visits > VISITS_MAX {
                return Err(reader.fail("the expressions of the plan are too entangled"));
            }
            let expr = table.get(id).ok_or_else(|| reader.fail("an expression that is not there"))?;
            reader.reads(&self.plan.body, expr, fragment.frame)?;
            if let crate::expr::Expr::Apply(function, _) = expr {
                calls(function.0);
            }
            expr.each_operand(|operand| open.push(operand));
            open.extend(expr.lambda().map(|lambda| lambda.body));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
