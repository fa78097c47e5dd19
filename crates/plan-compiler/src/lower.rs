//! From checked bodies to a compiled plan: every call, `run` and `for` becomes a node, everything else
//! stays an expression.
//!
//! Nodes are made in the order of the source, a control node before those of its regions, so ids are in
//! topological order by construction. A node's parents are the nodes it reads, and the last `ensure`
//! before it in its block: each `ensure` waits for the one before, so the last stands for all.

mod block;
mod branch;
mod call;
mod candidate;
mod expr;
mod fragment;
mod function;
mod test_block;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use plan_ir::expr::{ExprTable, FnId};
use plan_ir::graph::{Graph, NodeId, Region};
use plan_ir::interp::FRAME_LOCALS_MAX;
use plan_ir::plan::{
    CompiledPlan, DebugInfo, Function, LIBRARY_VERSION, NodeBody, Param, PinnedOperation, PlanBody, Scope,
    ScopeId, ScopeKind, SourceSpan,
};
use plan_lang::{Diagnostic, Span};
use schema::limits::{JSON_DEPTH_MAX, PLAN_NODES_MAX};
use schema::types::Type;

use crate::check::{Checked, constant_value};
use crate::codes;
use crate::hir;
use crate::kept::Placed;
use crate::program::Program;
use crate::sink::SourceId;

use fragment::{Frag, Operand};
use types::TypeMap;

/// How many bytes of source an expression takes, about.
const SOURCE_BYTES_PER_EXPR: usize = 6;
/// Nesting of sub-plans in one plan.
const RUN_DEPTH_MAX: usize = 100;

/// What came out of one plan.
pub(crate) struct Lowered {
    /// The plan, or the limits it exceeds.
    pub(crate) plan: Result<CompiledPlan, Vec<Diagnostic>>,
    /// How many nodes, expressions and members of types were made.
    pub(crate) parts: usize,
}

pub(crate) use test_block::lower_test;

/// The plan at `at`, with the plans it runs inlined.
pub(crate) fn lower(program: &Program<'_>, checked: &Checked, sources: &[String], at: usize) -> Lowered {
    lower_for(program, checked, sources, at, &BTreeSet::new())
}

/// The same, for a test: the answers of capabilities in `mocked` are what those give.
fn lower_for(
    program: &Program<'_>,
    checked: &Checked,
    sources: &[String],
    at: usize,
    mocked: &BTreeSet<usize>,
) -> Lowered {
    let mut lowerer = Lowerer::new(program, checked);
    lowerer.mocked.clone_from(mocked);
    let Some((plan, body)) = program.plans.get(at).zip(checked.plans.get(at)) else {
        return Lowered { plan: Err(Vec::new()), parts: 0 };
    };
    lowerer.make_room(plan.decl.span, body.vars.len());
    let defaults = checked.plan_defaults.get(at).map_or(&[][..], Vec::as_slice);
    for (index, (param, var)) in plan.params.iter().zip(&body.params).enumerate() {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        lowerer.bind(*var, Operand::Param(index), param.ty.clone());
        let default = defaults.get(index as usize).and_then(Option::as_ref);
        let default = default.and_then(|default| constant_value(default, &checked.types));
        let ty = lowerer.types.map(&param.ty);
        lowerer.params.push(Param { name: param.name.name.clone(), ty, default, doc: param.docs.into() });
    }
    let budget = body.budget.as_ref().map(|budget| lowerer.closed(&budget.amount).0);
    let deadline_us = body.deadline_us.map(|(us, _)| us);
    lowerer.scopes.push(Scope { budget, deadline_us, ..Scope::new(ScopeKind::Plan) });
    lowerer.vars.push(&body.vars);
    let root = lowerer.region(|this| this.region_result(&body.body, "result"));
    lowerer.functions_of_queue();
    let output = lowerer.types.map(&plan.output);
    lowerer.types.complete();
    let parts = lowerer.nodes.len() + lowerer.exprs.exprs.len() + lowerer.types.members;
    let plan = lowerer.finish(plan.decl.name.name.clone(), output, root, sources.to_vec());
    Lowered { plan, parts }
}

struct Lowerer<'p, 'a> {
    program: &'p Program<'a>,
    checked: &'p Checked,
    graph: Graph,
    nodes: Vec<NodeBody>,
    node_scopes: Vec<ScopeId>,
    node_spans: Vec<SourceSpan>,
    exprs: ExprTable,
    expr_spans: Vec<SourceSpan>,
    types: TypeMap<'p>,
    params: Vec<Param>,
    scopes: Vec<Scope>,
    functions: Vec<Function>,
    function_ids: BTreeMap<usize, FnId>,
    /// Functions that are used and not lowered yet.
    function_queue: Vec<usize>,
    /// Operations that are used, by their place in the program.
    operations: Vec<usize>,
    /// Candidates made so far: the adapter, the wanted type, the result.
    candidates: Vec<(usize, Type, plan_ir::plan::Candidate)>,
    /// Capabilities whose answers a test gives.
    mocked: BTreeSet<usize>,
    /// The text that spans are in.
    source: SourceId,
    /// The kept statement that is being laid out, if it is one.
    placed: Option<Placed>,
    /// What variables of the current body stand for.
    env: Vec<Option<(Operand, Type)>>,
    /// The variables of the plan that is being laid out and of those around it.
    vars: Vec<&'p [hir::Var]>,
    /// The fragments that are being made, the innermost last.
    frags: Vec<Frag>,
    /// The regions that are being made, the innermost last.
    regions: Vec<OpenRegion>,
    scope: ScopeId,
    /// Labels of the sub-plans around, with a dot behind each.
    prefix: String,
    run_depth: usize,
    /// The type that the caller of the adapter at hand wants, where its capability leaves it open.
    wanted: Option<Type>,
    diagnostics: Vec<Diagnostic>,
    /// Whether there are too many nodes.
    full: bool,
    /// Whether it runs plans within plans more than [`RUN_DEPTH_MAX`] deep.
    runs_too_deep: bool,
    /// Whether a fragment has too many locals.
    crowded: bool,
}

/// A region that is being made.
#[derive(Debug, Default)]
struct OpenRegion {
    nodes: Vec<NodeId>,
    /// The last `ensure` of the block.
    gate: Option<NodeId>,
}

impl<'p, 'a> Lowerer<'p, 'a> {
    fn new(program: &'p Program<'a>, checked: &'p Checked) -> Self {
        Self {
            program,
            checked,
            graph: Graph::default(),
            nodes: Vec::new(),
            node_scopes: Vec::new(),
            node_spans: Vec::new(),
            exprs: ExprTable::default(),
            expr_spans: Vec::new(),
            types: TypeMap::new(&checked.types),
            params: Vec::new(),
            scopes: Vec::new(),
            functions: Vec::new(),
            function_ids: BTreeMap::new(),
            function_queue: Vec::new(),
            operations: Vec::new(),
            candidates: Vec::new(),
            mocked: BTreeSet::new(),
            source: 0,
            placed: None,
            env: Vec::new(),
            vars: Vec::new(),
            frags: Vec::new(),
            regions: Vec::new(),
            scope: ScopeId(0),
            prefix: String::new(),
            run_depth: 0,
            wanted: None,
            diagnostics: Vec::new(),
            full: false,
            runs_too_deep: false,
            crowded: false,
        }
    }

    /// Makes room for what the body at `span` with so many variables will need, more or less.
    fn make_room(&mut self, span: Span, vars: usize) {
        let exprs = (span.end - span.start) as usize / SOURCE_BYTES_PER_EXPR;
        self.exprs.exprs.reserve(exprs);
        self.exprs.types.reserve(exprs);
        self.expr_spans.reserve(exprs);
        self.env.reserve(vars);
        // Most variables stand for a node.
        self.graph.nodes.reserve(vars);
        self.nodes.reserve(vars);
        self.node_scopes.reserve(vars);
        self.node_spans.reserve(vars);
    }

    fn finish(
        mut self,
        name: String,
        output: Type,
        root: Region,
        sources: Vec<String>,
    ) -> Result<CompiledPlan, Vec<Diagnostic>> {
        let operations = self.pinned_operations();
        self.types.complete();
        self.check_limits(&name);
        if !self.diagnostics.is_empty() {
            return Err(self.diagnostics);
        }
        self.graph.root = root;
        let body = PlanBody {
            name,
            types: self.types.into_defs(),
            params: self.params,
            output,
            exprs: self.exprs,
            functions: self.functions,
            nodes: self.nodes,
            scopes: self.scopes,
            node_scopes: self.node_scopes,
            operations,
            rate: self.program.lock.rate,
        };
        let debug = DebugInfo { sources, exprs: self.expr_spans, nodes: self.node_spans };
        Ok(CompiledPlan {
            graph: self.graph,
            body,
            library_version: LIBRARY_VERSION,
            lock_hash: self.program.lock.hash,
            debug,
        })
    }

    /// Reports the limits that the plan exceeds.
    fn check_limits(&mut self, name: &str) {
        // A plan that keeps to them is not looked for: that takes as long as the file has plans.
        if !(self.full || self.runs_too_deep || self.types.too_deep || self.crowded) {
            return;
        }
        let span = self.plan_span(name);
        let mut report = |message: String, help: &str| {
            let report = Diagnostic::error(codes::TOO_MANY_NODES, message).primary(span, "too large");
            self.diagnostics.push(report.help(help));
        };
        if self.runs_too_deep {
            report(
                format!("`{name}` runs plans in plans more than {RUN_DEPTH_MAX} deep"),
                "run some of them one after the other",
            );
        } else if self.full {
            report(
                format!("`{name}` has more than {PLAN_NODES_MAX} nodes with its sub-plans"),
                "loop with `for`, or split it into plans that are run one by one",
            );
        }
        if self.types.too_deep {
            report(
                format!("a type in `{name}` nests more than {JSON_DEPTH_MAX} deep"),
                "nest less, or use records",
            );
        }
        if self.crowded {
            report(
                format!("a function or expression of `{name}` binds more than {FRAME_LOCALS_MAX} names"),
                "split it into functions",
            );
        }
    }

    /// The operations of the plan sorted by id, with the calls pointing at them.
    fn pinned_operations(&mut self) -> Vec<PinnedOperation> {
        let program = self.program;
        let mut order: Vec<(u32, usize)> = (0_u32..).zip(self.operations.iter().copied()).collect();
        let id = |at: usize| program.operations.get(at).map_or("", |op| op.descriptor().id.as_str());
        order.sort_by_key(|(_, at)| id(*at));
        let mut moved = vec![0_u32; order.len()];
        let mut pinned = Vec::new();
        for (new, (old, at)) in (0_u32..).zip(order) {
            if let Some(slot) = moved.get_mut(old as usize) {
                *slot = new;
            }
            let Some(operation) = program.operations.get(at) else { continue };
            pinned.push(PinnedOperation {
                entry: operation.entry.hash(),
                entry_bytes: operation.entry.bytes().to_vec(),
                input: self.types.def(operation.input),
                output: self.types.map(&operation.output),
                id: operation.descriptor().id.clone(),
            });
        }
        for node in &mut self.nodes {
            if let NodeBody::Call(spec) = node {
                candidate::renumber(spec, &moved);
            }
        }
        pinned
    }

    fn plan_span(&self, name: &str) -> Span {
        let plan = self.program.plans.iter().find(|plan| plan.decl.name.name == name);
        plan.map_or_else(Span::default, |plan| plan.decl.name.span)
    }

    /// Where what the statement at hand has at `span` stands in the text.
    fn moved(&self, span: Span) -> Span {
        self.placed.as_ref().map_or(span, |placed| placed.span(span))
    }

    /// The place of a variable of the statement at hand in [`Self::env`].
    fn slot(&self, var: hir::VarId) -> usize {
        self.placed.as_ref().map_or(var, |placed| placed.var(var)).0 as usize
    }

    fn place(&self, span: Span) -> SourceSpan {
        let span = self.moved(span);
        SourceSpan { source: self.source, start: span.start, end: span.end }
    }

    fn bind(&mut self, var: hir::VarId, operand: Operand, ty: Type) {
        let at = self.slot(var);
        if self.env.len() <= at {
            self.env.resize(at + 1, None);
        }
        if let Some(slot) = self.env.get_mut(at) {
            *slot = Some((operand, ty));
        }
    }

    /// Runs `inside` with an empty environment, as in another body.
    fn in_body<T>(&mut self, source: SourceId, inside: impl FnOnce(&mut Self) -> T) -> T {
        let env = std::mem::take(&mut self.env);
        let placed = self.placed.take();
        let before = std::mem::replace(&mut self.source, source);
        let result = inside(self);
        self.env = env;
        self.placed = placed;
        self.source = before;
        result
    }
}
