//! Blocks as regions: `let`s, `ensure`s, results.

use plan_ir::expr::{Fragment, Widening};
use plan_ir::graph::{Node, NodeId, NodeKind, Region};
use plan_ir::plan::{NodeBody, ScopeId, ScopeKind};
use plan_lang::{Diagnostic, Span};
use schema::limits::PLAN_NODES_MAX;

use super::fragment::{Operand, Reads};
use super::{Lowerer, OpenRegion};
use crate::codes;
use crate::hir::{self, ExprKind, Stmt};
use crate::kept::Placed;

impl<'p> Lowerer<'p, '_> {
    /// A region whose nodes `inside` makes and whose result it returns.
    pub(super) fn region(&mut self, inside: impl FnOnce(&mut Self) -> NodeId) -> Region {
        self.regions.push(OpenRegion::default());
        let result = inside(self);
        let nodes = self.regions.pop().map(|region| region.nodes).unwrap_or_default();
        Region { nodes, result: Some(result) }
    }

    /// Adds a node to the current region.
    pub(super) fn node(
        &mut self,
        kind: NodeKind,
        body: NodeBody,
        label: &str,
        mut reads: Vec<NodeId>,
        span: Span,
    ) -> NodeId {
        if self.graph.nodes.len() >= PLAN_NODES_MAX {
            self.full = true;
            return NodeId(0);
        }
        let id = NodeId(u32::try_from(self.graph.nodes.len()).unwrap_or(u32::MAX));
        if let Some(region) = self.regions.last_mut() {
            reads.extend(region.gate);
            region.nodes.push(id);
        }
        reads.sort_unstable();
        reads.dedup();
        // Most stand in the plan itself.
        let label = if self.prefix.is_empty() { label.to_owned() } else { [&self.prefix, label].concat() };
        self.graph.nodes.push(Node { kind, label, parents: reads, regions: Vec::new() });
        self.nodes.push(body);
        self.node_scopes.push(self.scope);
        let place = self.place(span);
        self.node_spans.push(place);
        id
    }

    pub(super) fn set_regions(&mut self, id: NodeId, regions: Vec<Region>) {
        if self.full {
            return;
        }
        if let Some(node) = self.graph.nodes.get_mut(id.0 as usize) {
            node.regions = regions;
        }
    }

    /// The result of a region: a node of it, behind its last `ensure`.
    pub(super) fn region_result(&mut self, expr: &hir::Expr, label: &str) -> NodeId {
        let value = match &expr.kind {
            ExprKind::Block(block) => block.value.as_ref(),
            _ => Some(expr),
        };
        if !value.is_some_and(hir::Expr::uses_spent) {
            return self.block_result(expr, label);
        }
        let outer_scope = self.scope;
        self.scope = self.push_scope(ScopeKind::Block, label, None, None);
        let result = self.block_result(expr, label);
        self.scope = outer_scope;
        result
    }

    fn block_result(&mut self, expr: &hir::Expr, label: &str) -> NodeId {
        let value = match &expr.kind {
            ExprKind::Block(block) => {
                self.statements(&block.stmts);
                match &block.value {
                    Some(value) => value,
                    None => return self.null_node(label, block.span),
                }
            }
            _ => expr,
        };
        // A call that is the value keeps its own name.
        let named = if self.takes_node(value) { None } else { Some(label) };
        match self.operand(value, named) {
            Operand::Node(node) if self.is_result(node) => node,
            other => {
                let read = |this: &mut Self| this.read_operand(&other, &value.ty, value.span);
                let (fragment, reads) = self.fragment(0, read);
                self.pure_node(fragment, reads, label, value.span)
            }
        }
    }

    /// Whether a node can be the result of the current region: it is in it and waits for its `ensure`s.
    fn is_result(&self, node: NodeId) -> bool {
        self.regions.last().is_some_and(|region| {
            region.gate.is_none_or(|gate| node > gate) && region.nodes.binary_search(&node).is_ok()
        })
    }

    fn null_node(&mut self, label: &str, span: Span) -> NodeId {
        let null = Operand::Const(schema::value::Value::Null);
        let ty = schema::types::Type::Bool.optional();
        let (fragment, reads) = self.fragment(0, |this| this.read_operand(&null, &ty, span));
        self.pure_node(fragment, reads, label, span)
    }

    pub(super) fn pure_node(&mut self, fragment: Fragment, reads: Reads, label: &str, span: Span) -> NodeId {
        self.node(NodeKind::Pure, NodeBody::Pure(fragment), label, reads.nodes, span)
    }

    pub(super) fn statements(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            if self.full {
                return;
            }
            self.statement(stmt);
        }
    }

    fn statement(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Let { var, value } => {
                let name = self.var_name(*var);
                let operand = self.operand(value, Some(name));
                self.bind(*var, operand, value.ty.clone());
            }
            Stmt::Ensure { cond, message, span } => self.ensure(cond, message, *span),
            Stmt::Expr(expr) => {
                self.operand(expr, None);
            }
            Stmt::Kept(placed) => self.at_its_place(placed, |this| this.statement(placed.stmt())),
        }
    }

    /// Runs `inside` with the places and variables of a kept statement.
    pub(super) fn at_its_place(&mut self, placed: &Placed, inside: impl FnOnce(&mut Self)) {
        let outer = self.placed.replace(placed.clone());
        inside(self);
        self.placed = outer;
    }

    fn var_name(&self, var: hir::VarId) -> &'p str {
        self.vars.last().and_then(|vars| vars.get(self.slot(var))).map_or("", |var| &var.name)
    }

    fn ensure(&mut self, cond: &hir::Expr, message: &hir::Expr, span: Span) {
        let (condition, mut reads) = self.closed(cond);
        let (message, more) = self.closed(message);
        reads.nodes.extend(more.nodes);
        let body = NodeBody::Ensure { condition, message };
        let node = self.node(NodeKind::Ensure, body, "ensure", reads.nodes, span);
        if let Some(region) = self.regions.last_mut()
            && !self.full
        {
            region.gate = Some(node);
        }
    }

    /// What the scope of the current block has spent, once everything in it that can spend is done.
    pub(super) fn spent_node(&mut self, label: &str, span: Span) -> NodeId {
        let scope = self.scope;
        let nodes = self.regions.last().map_or(&[][..], |region| &region.nodes);
        let spends = |id: &NodeId| {
            let at = id.0 as usize;
            let kind = self.graph.nodes.get(at).map(|node| node.kind);
            !matches!(kind, Some(NodeKind::Pure | NodeKind::Ensure) | None)
                && self.node_scopes.get(at).is_some_and(|inner| self.is_within(*inner, scope))
        };
        let reads: Vec<NodeId> = nodes.iter().copied().filter(spends).collect();
        if reads.is_empty() && !self.full {
            self.diagnostics.push(
                Diagnostic::error(codes::SPENT_MISPLACED, "nothing in this block can spend")
                    .primary(self.moved(span), "always zero")
                    .note("`spent()` counts the calls of its own block, nested ones included")
                    .help("use it in the value of the block that makes the calls"),
            );
        }
        self.node(NodeKind::Pure, NodeBody::Spent(scope), label, reads, span)
    }

    fn is_within(&self, inner: ScopeId, outer: ScopeId) -> bool {
        let mut scope = Some(inner);
        while let Some(id) = scope {
            if id == outer {
                return true;
            }
            scope = self.scopes.get(id.0 as usize).and_then(|scope| scope.parent);
        }
        false
    }

    /// What an expression stands for, with a node of its own unless it is a name or a literal.
    pub(super) fn operand(&mut self, expr: &hir::Expr, label: Option<&str>) -> Operand {
        match &expr.kind {
            ExprKind::Widen(inner, Widening::Identity) => self.operand(inner, label),
            ExprKind::Const(value) => Operand::Const(value.clone()),
            ExprKind::Var(var) => match self.env.get(self.slot(*var)).cloned().flatten() {
                Some((operand, _)) => operand,
                None => Operand::Const(schema::value::Value::Null),
            },
            _ if self.takes_node(expr) => Operand::Node(self.effect_node(expr, label)),
            _ => {
                let (fragment, reads) = self.closed(expr);
                Operand::Node(self.pure_node(fragment, reads, label.unwrap_or("value"), expr.span))
            }
        }
    }
}
