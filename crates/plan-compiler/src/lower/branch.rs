//! `if`, `match`, `for` and `run` that take nodes.

use plan_ir::expr::{BinaryOp, Fragment, LocalId, Pattern, Widening};
use plan_ir::graph::{NodeId, NodeKind, Region};
use plan_ir::plan::{NodeBody, OnError, Scope, ScopeId, ScopeKind};
use plan_ir::topology::REGION_DEPTH_MAX;
use plan_lang::{Diagnostic, Span};
use schema::types::Type;
use schema::value::Value;

use super::fragment::{Operand, Reads};
use super::{Lowerer, RUN_DEPTH_MAX};
use crate::codes;
use crate::hir::{self, ExprKind};

impl Lowerer<'_, '_> {
    /// The node of an expression that takes one.
    pub(super) fn effect_node(&mut self, expr: &hir::Expr, label: Option<&str>) -> NodeId {
        match &expr.kind {
            ExprKind::Call(call) => self.call_node(call, label, expr.span),
            ExprKind::Run(run) => self.run_node(run, label, expr.span),
            ExprKind::For(node) => self.for_node(node, label, expr.span),
            ExprKind::Spent => self.spent_node(label.unwrap_or("spent"), expr.span),
            ExprKind::If(node) => {
                self.if_node(&node.branches, node.otherwise.as_ref(), label.unwrap_or("if"), expr.span)
            }
            ExprKind::Match(node) => self.match_node(node, label.unwrap_or("match"), expr.span),
            ExprKind::Binary(op, left, right) => self.lazy_node(*op, left, right, expr, label),
            ExprKind::Widen(inner, Widening::Identity) => self.effect_node(inner, label),
            // A block that makes calls stands where its region does.
            _ => self.region_result(expr, label.unwrap_or("value")),
        }
    }

    fn branch(
        &mut self,
        scrutinee: (Fragment, Reads),
        patterns: Vec<Pattern>,
        label: &str,
        span: Span,
        regions: impl FnOnce(&mut Self, NodeId) -> Vec<Region>,
    ) -> NodeId {
        let (scrutinee, reads) = scrutinee;
        let body = NodeBody::Branch { scrutinee, patterns };
        let node = self.node(NodeKind::Branch, body, label, reads.nodes, span);
        let regions = regions(self, node);
        self.set_regions(node, regions);
        node
    }

    fn if_node(
        &mut self,
        branches: &[(hir::Expr, hir::Expr)],
        otherwise: Option<&hir::Expr>,
        label: &str,
        span: Span,
    ) -> NodeId {
        let Some(((cond, then), rest)) = branches.split_first() else {
            return match otherwise {
                Some(value) => self.region_result(value, "value"),
                None => self.null_result(span),
            };
        };
        if self.too_deep(span) {
            return NodeId(0);
        }
        let scrutinee = self.closed(cond);
        let patterns = vec![Pattern::Literal(Value::Bool(true)), Pattern::Any];
        self.branch(scrutinee, patterns, label, span, |this, _| {
            let then = this.region(|this| this.region_result(then, "value"));
            let otherwise = this.region(|this| this.if_node(rest, otherwise, label, span));
            vec![then, otherwise]
        })
    }

    fn null_result(&mut self, span: Span) -> NodeId {
        let null = hir::Expr::constant(Value::Null, Type::Bool.optional(), span);
        self.region_result(&null, "value")
    }

    fn match_node(&mut self, node: &hir::Match, label: &str, span: Span) -> NodeId {
        if self.too_deep(span) {
            return NodeId(0);
        }
        let scrutinee = self.closed(&node.value);
        let mut bound = Vec::new();
        let patterns = node.arms.iter().map(|(pattern, _)| {
            let mut vars = Vec::new();
            let pattern = numbered(pattern, &mut vars);
            bound.push(vars);
            pattern
        });
        let patterns = patterns.collect();
        self.branch(scrutinee, patterns, label, span, |this, id| {
            let arms = node.arms.iter().zip(bound);
            let regions = arms.map(|((_, body), vars)| {
                for (index, var) in (0_u32..).zip(vars) {
                    this.bind(var, Operand::Bound(id, index), Type::Error);
                }
                this.region(|this| this.region_result(body, "value"))
            });
            regions.collect()
        })
    }

    /// `&&`, `||` and `??` whose right side makes calls: it is bought only if needed.
    fn lazy_node(
        &mut self,
        op: BinaryOp,
        left: &hir::Expr,
        right: &hir::Expr,
        expr: &hir::Expr,
        label: Option<&str>,
    ) -> NodeId {
        let scrutinee = self.closed(left);
        let (label, span) = (label.unwrap_or("value"), expr.span);
        let constant = |value: bool| hir::Expr::constant(Value::Bool(value), Type::Bool, span);
        match op {
            BinaryOp::Coalesce => {
                let patterns = vec![Pattern::Present(Box::new(Pattern::Bind(LocalId(0)))), Pattern::Any];
                self.branch(scrutinee, patterns, label, span, |this, id| {
                    let present = this.region(|this| {
                        let bound = Operand::Bound(id, 0);
                        let (fragment, reads) =
                            this.fragment(0, |this| this.read_operand(&bound, &expr.ty, span));
                        this.pure_node(fragment, reads, "value", span)
                    });
                    vec![present, this.region(|this| this.region_result(right, "value"))]
                })
            }
            _ => {
                // Which value of the left side asks for the right one.
                let asks = op == BinaryOp::And;
                let patterns = vec![Pattern::Literal(Value::Bool(asks)), Pattern::Any];
                self.branch(scrutinee, patterns, label, span, |this, _| {
                    let asked = this.region(|this| this.region_result(right, "value"));
                    vec![asked, this.region(|this| this.region_result(&constant(!asks), "value"))]
                })
            }
        }
    }

    fn for_node(&mut self, node: &hir::For, label: Option<&str>, span: Span) -> NodeId {
        if self.too_deep(span) {
            return NodeId(0);
        }
        let (list, mut reads) = self.closed(&node.list);
        let outer_scope = self.scope;
        if let Some(budget) = &node.budget {
            let (fragment, more) = self.closed(&budget.amount);
            reads.nodes.extend(more.nodes);
            let name = label.unwrap_or("for");
            self.scope = self.push_scope(ScopeKind::Loop, name, Some(fragment), None);
        }
        let element = match &node.list.ty {
            Type::List(element, _) => (**element).clone(),
            _ => Type::Error,
        };
        let on_error = match node.on_error {
            OnError::Drop => OnError::Drop,
            OnError::Keep { item_error } => OnError::Keep { item_error: self.types.def(item_error) },
        };
        let body = NodeBody::FanOut {
            list,
            item: self.types.map(&element),
            concurrency: node.concurrency,
            tolerate: node.tolerate,
            on_error,
        };
        let id = self.node(NodeKind::FanOut, body, label.unwrap_or("for"), reads.nodes, span);
        self.bind(node.item, Operand::Item(id), element);
        let region = self.region(|this| this.region_result(&node.body, "value"));
        self.set_regions(id, vec![region]);
        self.scope = outer_scope;
        id
    }

    /// Whether regions nest as deep as a runtime admits; reported once.
    fn too_deep(&mut self, span: Span) -> bool {
        if self.regions.len() < REGION_DEPTH_MAX {
            return false;
        }
        if self.diagnostics.is_empty() {
            let message =
                format!("branches and loops with calls nest more than {} deep", REGION_DEPTH_MAX - 1);
            let report =
                Diagnostic::error(codes::TOO_MANY_NODES, message).primary(self.moved(span), "too deep");
            self.diagnostics.push(report.help("use a `match`, or split it into plans"));
        }
        true
    }

    /// A sub-plan, inlined into the current region.
    fn run_node(&mut self, run: &hir::Run, label: Option<&str>, span: Span) -> NodeId {
        let (program, checked) = (self.program, self.checked);
        let Some((plan, body)) = program.plans.get(run.plan).zip(checked.plans.get(run.plan)) else {
            return NodeId(0);
        };
        self.runs_too_deep |= self.run_depth >= RUN_DEPTH_MAX;
        if self.full || self.runs_too_deep || self.scopes.len() >= schema::limits::PLAN_NODES_MAX {
            self.full = true;
            return NodeId(0);
        }
        let name = label.unwrap_or(&plan.decl.name.name).to_owned();
        let mut args = Vec::new();
        for (arg, param) in run.args.iter().zip(&plan.params) {
            let label = format!("{name}.{}", param.name.name);
            let operand = self.operand(arg, Some(&label));
            args.push((operand, crate::relate::narrowed(&param.ty, &arg.ty)));
        }
        let prefix = format!("{}{name}.", self.prefix);
        let outer_prefix = std::mem::replace(&mut self.prefix, prefix);
        let outer_gate = self.regions.last().and_then(|region| region.gate);
        self.run_depth += 1;
        let span = self.moved(span);
        let result = self.in_body(0, |this| {
            this.vars.push(&body.vars);
            for (var, (operand, ty)) in body.params.iter().zip(args) {
                this.bind(*var, operand, ty);
            }
            let outer_scope = this.scope;
            this.scope = this.plan_scope(plan.decl.name.name.as_str(), body, span);
            let result = this.region_result(&body.body, "result");
            this.scope = outer_scope;
            this.vars.pop();
            result
        });
        self.run_depth -= 1;
        self.prefix = outer_prefix;
        // The callee's `ensure`s gate its own calls and its value, not what its caller does beside it.
        if let Some(region) = self.regions.last_mut() {
            region.gate = outer_gate;
        }
        result
    }

    /// A scope within the current one; its label ends in `name`, unless that is empty.
    pub(super) fn push_scope(
        &mut self,
        kind: ScopeKind,
        name: &str,
        budget: Option<Fragment>,
        deadline_us: Option<u64>,
    ) -> ScopeId {
        let id = ScopeId(u32::try_from(self.scopes.len()).unwrap_or(u32::MAX));
        let label = format!("{}{name}", self.prefix).trim_end_matches('.').to_owned();
        self.scopes.push(Scope { kind, label, parent: Some(self.scope), budget, deadline_us });
        id
    }

    /// The scope of a sub-plan.
    fn plan_scope(&mut self, plan: &str, body: &hir::PlanBody, span: Span) -> ScopeId {
        let budget = body.budget.as_ref().map(|budget| {
            let (fragment, reads) = self.closed(&budget.amount);
            if reads.outside {
                let message = format!("the budget of `{plan}` depends on what the run finds out");
                self.diagnostics.push(
                    Diagnostic::error(codes::BAD_POLICY_VALUE, message)
                        .primary(span, "run with a value that is not known before")
                        .secondary(budget.span, "the budget")
                        .help("pass a constant or a parameter of this plan for it"),
                );
            }
            fragment
        });
        self.push_scope(ScopeKind::Plan, "", budget, body.deadline_us.map(|(us, _)| us))
    }
}

/// A pattern whose names are numbered in the order they stand in the text.
fn numbered(pattern: &hir::Pattern, vars: &mut Vec<hir::VarId>) -> Pattern {
    match pattern {
        hir::Pattern::Any => Pattern::Any,
        hir::Pattern::Bind(var) => {
            let local = LocalId(u32::try_from(vars.len()).unwrap_or(u32::MAX));
            vars.push(*var);
            Pattern::Bind(local)
        }
        hir::Pattern::Literal(value) => Pattern::Literal(value.clone()),
        hir::Pattern::Variant(place, inner) => {
            Pattern::Variant(*place, inner.as_ref().map(|inner| Box::new(numbered(inner, vars))))
        }
        hir::Pattern::Present(inner) => Pattern::Present(Box::new(numbered(inner, vars))),
    }
}
