//! The graph of a plan as data: what the other forms are made from, and what an editor shows beside the text.

use std::collections::{BTreeMap, HashMap};

use plan_ir::bound::{Bound, Contributor, ScopeBound};
use plan_ir::bytes::{encode, plan_hash};
use plan_ir::graph::{Node, NodeKind};
use plan_ir::plan::{CallSpec, CompiledPlan, NodeBody};
use plan_lang::{LineIndex, Span};
use schema::amount::Amount;
use schema::price::PriceBasis;
use serde::Serialize;

/// Version of the shape of [`PlanGraph`] as JSON: raised when a field changes its meaning or goes.
pub const GRAPH_FORMAT: u32 = 1;

/// A plan with its sub-plans inlined, and the most its steps can cost and take.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlanGraph {
    /// [`GRAPH_FORMAT`].
    pub format: u32,
    /// Name of the plan.
    pub plan: String,
    /// Its hash, in hex; empty for a plan that has no canonical bytes.
    pub plan_hash: String,
    /// Most money a run can cost.
    pub cost_max: Amount,
    /// Longest time a run can take, microseconds.
    pub latency_us_max: u64,
    /// Most requests of calls in a run, each page of an answer one.
    pub calls_max: u64,
    /// Where the prices come from.
    pub basis: PriceBasis,
    /// What a run may spend, where that is known.
    pub budget: Option<Amount>,
    /// How long a run may take, microseconds.
    pub deadline_us: Option<u64>,
    /// Every step, by id.
    pub nodes: Vec<GraphNode>,
    /// Who waits for whom, by `to` and then `from`.
    pub edges: Vec<Edge>,
    /// The plan's own region, then the arms and bodies of its steps, by the step and in order.
    pub regions: Vec<Region>,
    /// The plan itself, then every plan that it runs, each after the one that runs it.
    pub sub_plans: Vec<SubPlan>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GraphNode {
    /// Its index in [`PlanGraph::nodes`]. Steps come after those they wait for and after those they are in.
    pub id: u32,
    /// What it does.
    pub kind: NodeKind,
    /// Its name, those of the sub-plans it is in before it: `arbitrate.text`.
    pub label: String,
    /// In words what it does beyond its kind, such as `call sn22.web_search, 4 s each, 1 retry`; may be empty.
    pub detail: String,
    /// Index of the region it is in.
    pub region: u32,
    /// Index of the sub-plan it is part of.
    pub sub_plan: u32,
    /// Indices of the regions it opens.
    pub regions: Vec<u32>,
    /// Where it stands in the file of the plan; `None` where it stands in a text of the Ledger.
    pub span: Option<Place>,
    /// The operations it may call, fallbacks included; empty where it calls none.
    pub operations: Vec<String>,
    /// The most it can cost and take with all that is in it; `None` where it makes no call.
    pub cost: Option<Cost>,
}

/// The most that a step contributes to its plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// Money: of a call with its fallbacks; of a step that holds others what is in it, but for what an arm costs that
    /// a costlier one outweighs.
    pub cost_max: Amount,
    /// For a call the time for all its attempts, in all rounds of the loops around it, microseconds; `None` for a
    /// step that holds others, whose times overlap.
    pub latency_us_max: Option<u64>,
    /// Where the prices come from.
    pub basis: PriceBasis,
    /// How it comes about: one row for a call and one for each fallback; empty for a step that holds others.
    pub rows: Vec<CostRow>,
}

/// One call or one fallback of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CostRow {
    /// Name of the step; a fallback says so.
    pub label: String,
    /// What is called, as the plan wrote it.
    pub target: String,
    /// Such as `5 rivals x 4 pages x 2 attempts x 0.004 USD`.
    pub factors: String,
    /// The product of the factors, or what budgets inside the plan hold of it.
    pub cost_max: Amount,
    /// The outermost budget inside the plan that may be spent before everything in it is bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purse: Option<Amount>,
    /// All its attempts and waits, microseconds.
    pub latency_us_max: u64,
    /// Where the price comes from.
    pub basis: PriceBasis,
    /// Whether the money is part of the plan's bound.
    pub in_cost: bool,
    /// Whether the time is part of the plan's bound.
    pub in_latency: bool,
}

/// `to` waits for `from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// The step that has to end first.
    pub from: u32,
    /// The step that waits. It is in the region of `from` or in one within it.
    pub to: u32,
    /// Whether `to` waits for something else that waits for `from`, so that the order would be the same without.
    pub implied: bool,
}

/// Steps that run together or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Region {
    /// Its index in [`PlanGraph::regions`].
    pub id: u32,
    /// What it is.
    pub kind: RegionKind,
    /// The step that opens it; `None` for the plan's own.
    pub owner: Option<u32>,
    /// For an arm, when it is taken: `if true`, `Ok(..)`, `otherwise`; else empty.
    pub label: String,
    /// Ids of its steps, without those of regions within it.
    pub nodes: Vec<u32>,
    /// The step whose value is the region's.
    pub result: Option<u32>,
}

/// What a region is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RegionKind {
    /// All of the plan.
    Plan,
    /// An arm of a branch: one of them runs.
    Arm,
    /// The body of a loop: runs once for each element.
    Body,
}

/// A plan that is run by another, or the plan itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SubPlan {
    /// Its index in [`PlanGraph::sub_plans`].
    pub id: u32,
    /// The names of the runs that lead to it, `a.b`; empty for the plan itself.
    pub label: String,
    /// The plan that runs it.
    pub parent: Option<u32>,
    /// Most money of one execution, where it has a bound of its own.
    pub cost_max: Option<Amount>,
    /// Longest time of one execution, microseconds, where it has a bound of its own.
    pub latency_us_max: Option<u64>,
    /// What one execution may spend.
    pub budget: Option<Amount>,
    /// How long one execution may take, microseconds.
    pub deadline_us: Option<u64>,
}

/// A place in the file of the plan: bytes from 0, and lines and columns from 0, columns in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// Line of the first byte.
    pub line: u32,
    /// Column of the first byte.
    pub column: u32,
    /// Line of the end.
    pub end_line: u32,
    /// Column of the end.
    pub end_column: u32,
}

impl PlanGraph {
    /// The graph of `plan`. `lines` are those of the text it was compiled from.
    #[must_use]
    pub fn of(plan: &CompiledPlan, bound: &Bound, lines: &LineIndex) -> Self {
        let own = bound.scopes.first();
        let mut graph = Self {
            format: GRAPH_FORMAT,
            plan: plan.body.name.clone(),
            plan_hash: encode(plan).map(|bytes| plan_hash(&bytes).to_hex()).unwrap_or_default(),
            cost_max: bound.cost,
            latency_us_max: bound.latency_us,
            calls_max: bound.requests,
            basis: bound.basis,
            budget: own.and_then(|scope| scope.budget),
            deadline_us: own.and_then(|scope| scope.deadline_us),
            nodes: Vec::with_capacity(plan.graph.nodes.len()),
            edges: Vec::new(),
            regions: Vec::new(),
            sub_plans: sub_plans(plan, bound),
        };
        let mut rows: BTreeMap<u32, Vec<&Contributor>> = BTreeMap::new();
        for row in &bound.contributors {
            rows.entry(row.node.0).or_default().push(row);
        }
        graph.open_region(RegionKind::Plan, None, String::new(), &plan.graph.root);
        for (id, node) in (0_u32..).zip(&plan.graph.nodes) {
            let cost = rows.get(&id).and_then(|rows| call_cost(rows));
            graph.add_node(plan, lines, id, node, cost);
        }
        graph.add_up();
        graph.mark_implied();
        graph
    }

    /// The step with this id.
    #[must_use]
    pub fn node(&self, id: u32) -> Option<&GraphNode> {
        self.nodes.get(id as usize)
    }

    /// The region with this index.
    #[must_use]
    pub fn region(&self, id: u32) -> Option<&Region> {
        self.regions.get(id as usize)
    }

    /// The steps that `id` waits for, without those that the others imply.
    pub(crate) fn waits_for_ids(&self, id: u32) -> impl Iterator<Item = u32> + '_ {
        let first = self.edges.partition_point(|edge| edge.to < id);
        let own = self.edges.iter().skip(first).take_while(move |edge| edge.to == id);
        own.filter(|edge| !edge.implied).map(|edge| edge.from)
    }

    /// Their names.
    pub(crate) fn waits_for(&self, id: u32) -> Vec<&str> {
        self.waits_for_ids(id).filter_map(|from| Some(self.node(from)?.label.as_str())).collect()
    }

    fn open_region(
        &mut self,
        kind: RegionKind,
        owner: Option<u32>,
        label: String,
        of: &plan_ir::graph::Region,
    ) -> u32 {
        let id = index(self.regions.len());
        let nodes = of.nodes.iter().map(|node| node.0).collect();
        let result = of.result.map(|node| node.0);
        self.regions.push(Region { id, kind, owner, label, nodes, result });
        id
    }

    fn add_node(&mut self, plan: &CompiledPlan, lines: &LineIndex, id: u32, node: &Node, cost: Option<Cost>) {
        let body = plan.body.nodes.get(id as usize);
        let arms = body.map_or_else(Vec::new, |body| plan_ir::explain::arms(plan, body));
        let mut regions = Vec::new();
        for (at, region) in node.regions.iter().enumerate() {
            let label = arms.get(at).cloned().unwrap_or_default();
            let kind = if node.kind == NodeKind::Branch { RegionKind::Arm } else { RegionKind::Body };
            regions.push(self.open_region(kind, Some(id), label, region));
        }
        self.edges.extend(node.parents.iter().map(|from| Edge { from: from.0, to: id, implied: false }));
        self.nodes.push(GraphNode {
            id,
            kind: node.kind,
            label: node.label.clone(),
            detail: body.map(|body| plan_ir::explain::what(plan, body)).unwrap_or_default(),
            // Known when all regions are there.
            region: 0,
            sub_plan: plan.body.node_scopes.get(id as usize).map_or(0, |scope| scope.0),
            regions,
            span: plan
                .debug
                .nodes
                .get(id as usize)
                .filter(|span| span.source == 0)
                .map(|span| place(lines, Span::new(span.start, span.end))),
            operations: body.map_or_else(Vec::new, |body| operations(plan, body)),
            cost,
        });
    }

    /// Which region each step is in, and what steps cost that hold others. Steps come after those they are in, so
    /// from the last to the first each is complete before it counts.
    fn add_up(&mut self) {
        for region in &self.regions {
            for id in &region.nodes {
                if let Some(node) = self.nodes.get_mut(*id as usize) {
                    node.region = region.id;
                }
            }
        }
        // What of each step is part of the plan's bound.
        let mut counted: Vec<Option<Amount>> =
            self.nodes.iter().map(|node| node.cost.as_ref()?.counted()).collect();
        for id in (0..self.nodes.len()).rev() {
            let Some(node) = self.nodes.get(id).filter(|node| !node.regions.is_empty()) else { continue };
            let inner = node.regions.iter().filter_map(|region| self.region(*region)).flat_map(|r| &r.nodes);
            let mut total: Option<Cost> = None;
            for inner in inner {
                let Some(cost) = self.node(*inner).and_then(|inner| inner.cost.as_ref()) else { continue };
                let counts = counted.get(*inner as usize).copied().flatten();
                let money = counts.unwrap_or(Amount::zero(cost.cost_max.currency));
                let so_far = total.take();
                total = Some(Cost {
                    cost_max: so_far.as_ref().map_or(money, |so_far| sum(so_far.cost_max, money)),
                    latency_us_max: None,
                    basis: so_far.as_ref().map_or(cost.basis, |so_far| so_far.basis.max(cost.basis)),
                    rows: Vec::new(),
                });
            }
            if let Some(slot) = counted.get_mut(id) {
                *slot = total.as_ref().map(|total| total.cost_max);
            }
            if let Some(node) = self.nodes.get_mut(id) {
                node.cost = total;
            }
        }
    }

    /// Marks the edges that the others imply.
    fn mark_implied(&mut self) {
        let words = self.nodes.len().div_ceil(64);
        // For each step the steps of its region that it waits for, as bits.
        let mut behind: Vec<Vec<u64>> = Vec::with_capacity(self.nodes.len());
        let mut first = 0;
        for node in &self.nodes {
            let count = self.edges.iter().skip(first).take_while(|edge| edge.to == node.id).count();
            // A step in a region starts after all that the step around it has waited for.
            let around = self.region(node.region).and_then(|region| region.owner);
            let known = around.and_then(|owner| behind.get(owner as usize));
            let mut reached = known.cloned().unwrap_or_else(|| vec![0_u64; words]);
            // The latest first: what is reached through it is implied for the earlier ones.
            for at in (first..first + count).rev() {
                let Some(edge) = self.edges.get_mut(at) else { continue };
                let from = edge.from as usize;
                edge.implied = bit(&reached, from);
                if !edge.implied {
                    for (word, more) in reached.iter_mut().zip(behind.get(from).into_iter().flatten()) {
                        *word |= more;
                    }
                    set(&mut reached, from);
                }
            }
            first += count;
            behind.push(reached);
        }
    }
}

fn bit(words: &[u64], at: usize) -> bool {
    words.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
}

fn set(words: &mut [u64], at: usize) {
    if let Some(word) = words.get_mut(at / 64) {
        *word |= 1 << (at % 64);
    }
}

/// At most `PLAN_NODES_MAX`, and for regions a small multiple of it.
fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// The sum; one of the two where they cannot be added, which no bound has.
fn sum(a: Amount, b: Amount) -> Amount {
    a.checked_add(b).unwrap_or(a)
}

impl Cost {
    /// The part of a call's cost that is in the plan's bound.
    fn counted(&self) -> Option<Amount> {
        self.rows.iter().filter(|row| row.in_cost).map(|row| row.cost_max).reduce(sum)
    }
}

fn sub_plans(plan: &CompiledPlan, bound: &Bound) -> Vec<SubPlan> {
    let known: HashMap<u32, &ScopeBound> = bound.scopes.iter().map(|known| (known.scope.0, known)).collect();
    let one = |(id, scope): (u32, &plan_ir::plan::Scope)| {
        let known = known.get(&id);
        SubPlan {
            id,
            label: scope.label.clone(),
            parent: scope.parent.map(|parent| parent.0),
            cost_max: known.map(|known| known.cost),
            latency_us_max: known.map(|known| known.latency_us),
            budget: known.and_then(|known| known.budget),
            deadline_us: scope.deadline_us,
        }
    };
    (0_u32..).zip(&plan.body.scopes).map(one).collect()
}

fn call_cost(rows: &[&Contributor]) -> Option<Cost> {
    let first = rows.first()?;
    let zero = Amount::zero(first.cost.currency);
    Some(Cost {
        cost_max: rows.iter().map(|row| row.cost).fold(zero, sum),
        latency_us_max: Some(rows.iter().fold(0, |total: u64, row| total.saturating_add(row.latency_us))),
        basis: rows.iter().map(|row| row.basis).max().unwrap_or(first.basis),
        rows: rows
            .iter()
            .map(|row| CostRow {
                label: row.label.clone(),
                target: row.target.clone(),
                factors: row.factors(),
                cost_max: row.cost,
                purse: row.purse,
                latency_us_max: row.latency_us,
                basis: row.basis,
                in_cost: row.in_cost,
                in_latency: row.in_latency,
            })
            .collect(),
    })
}

fn operations(plan: &CompiledPlan, body: &NodeBody) -> Vec<String> {
    let mut ids = Vec::new();
    for call in body.legs() {
        for id in candidates(plan, call) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    ids
}

fn candidates<'a>(plan: &'a CompiledPlan, call: &'a CallSpec) -> impl Iterator<Item = String> {
    let pinned = |index: u32| plan.body.operations.get(index as usize);
    call.candidates.iter().filter_map(move |candidate| Some(pinned(candidate.operation)?.id.clone()))
}

fn place(lines: &LineIndex, span: Span) -> Place {
    let (start, end) = (lines.utf8(span.start), lines.utf8(span.end));
    Place {
        start: span.start,
        end: span.end,
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
    }
}
