//! Bounds as messages: budgets, deadlines, and what has no bound.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap};
use std::iter;

use plan_ir::bound::{Bound, BoundError, Charges, Contributor, bound_by};
use plan_ir::explain::{duration_literal, seconds};
use plan_ir::expr::{Expr, Fragment};
use plan_ir::graph::NodeId;
use plan_ir::plan::{
    CallSpec, CompiledPlan, Fallback, NodeBody, PinnedOperation, ScopeId, ScopeKind, Tolerance, descriptor,
};
use plan_ir::topology::Topology;
use plan_lang::{Diagnostic, Fix, Span};
use schema::amount::Amount;
use schema::types::TypeDefs;

use crate::POLICY_DURATION_MAX_US;
use crate::check::{Checked, constant_value};
use crate::codes;
use crate::hir::PlanBody;
use crate::program::{Plan, Program};
use crate::texts::Texts;

/// Contributors that a message names.
const CONTRIBUTORS_SHOWN: usize = 8;

const HOUR_US: u64 = 3_600_000_000;

/// The bound of the plan at `at`, and what there is to say about it.
pub(crate) fn check(
    program: &Program<'_>,
    checked: &Checked,
    at: usize,
    compiled: &CompiledPlan,
    sub_plans: &BTreeSet<&str>,
    texts: &Texts,
) -> (Option<Bound>, Vec<Diagnostic>) {
    let Some((plan, body)) = program.plans.get(at).zip(checked.plans.get(at)) else {
        return (None, Vec::new());
    };
    // The plan's entries are those of the lock, where they have been read.
    let charges_of = |operation: &PinnedOperation| match program.lock.operations.get(&operation.id) {
        Some(pinned) => Ok(Charges::from(pinned.descriptor())),
        None => descriptor(operation).map(|operation| Charges::from(&operation)),
    };
    let found = match bound_by(compiled, None, &charges_of) {
        Ok(found) => found,
        Err(errors) => {
            let mut reports: Vec<Diagnostic> = Vec::new();
            for report in errors.iter().map(|error| no_bound(error, plan, body, compiled)) {
                if !reports.iter().any(|known| known.code == report.code && known.span() == report.span()) {
                    reports.push(report);
                }
            }
            return (None, reports);
        }
    };
    let mut reports = Vec::new();
    if !found.contributors.is_empty() && !sub_plans.contains(plan.decl.name.name.as_str()) {
        reports.extend(undeclared(plan, body, &found));
    }
    if let Some(scope) = found.scopes.first() {
        if scope.exceeds_budget() {
            reports.push(over_budget(plan, body, &checked.types, compiled, &found, scope.budget, scope.cost));
        }
        if scope.exceeds_deadline() {
            reports.push(over_deadline(plan, body, &found));
        }
    }
    reports.extend(parts_over_budget(compiled, &found, texts));
    (Some(found), reports)
}

/// The names of the plans that other plans of the file run: they are no roots themselves.
pub(crate) fn sub_plans<'a>(program: &Program<'a>) -> BTreeSet<&'a str> {
    program.plans.iter().flat_map(|plan| &plan.runs).map(|name| name.name.as_str()).collect()
}

fn no_bound(error: &BoundError, plan: &Plan<'_>, body: &PlanBody, compiled: &CompiledPlan) -> Diagnostic {
    let whole = body.budget.as_ref().map_or(plan.decl.name.span, |budget| budget.span);
    let span = error.node().map_or(whole, |node| node_span(compiled, node));
    let code = match error {
        BoundError::Unbounded { .. } => codes::UNBOUNDED_LIST,
        BoundError::Saturated { .. } => codes::BOUND_OVERFLOW,
        BoundError::TooMany { .. } => codes::TOO_MANY_INSTANCES,
        BoundError::Price { source, .. } | BoundError::Budget { source, .. } => match source {
            schema::price::PriceError::NoRate { .. } => codes::NO_RATE,
            schema::price::PriceError::AboveMax { .. } => codes::NOT_ADMISSIBLE,
            _ => codes::PRICE_UNKNOWN,
        },
        _ => codes::TOO_MANY_NODES,
    };
    let message = match error {
        BoundError::Price { source, .. } | BoundError::Budget { source, .. } if code == codes::NO_RATE => {
            source.to_string()
        }
        _ => error.to_string(),
    };
    let label = match error {
        BoundError::TooMany { what, .. } => format!("most of the {what} come from here"),
        _ => String::new(),
    };
    let report = Diagnostic::error(code, message).primary(span, label);
    match error {
        BoundError::TooMany { .. } => report
            .help("add `.take(n)` to a list, shorten the type of the input, `(..n)`, or repeat calls less"),
        BoundError::Unbounded { .. } => report.help("add `.take(n)`, or `(..n)` to the type of the input"),
        BoundError::Price { .. } | BoundError::Budget { .. } if code == codes::NO_RATE => {
            report.help("write all amounts in one currency, or run `orch lock update` to pin a rate")
        }
        BoundError::Saturated { .. } => {
            report.help("lower the bounds of the lists that loops with calls go through")
        }
        _ => report,
    }
}

/// A root plan with calls must say what it may spend and take.
fn undeclared(plan: &Plan<'_>, body: &PlanBody, bound: &Bound) -> Option<Diagnostic> {
    let cost = written(bound.cost);
    // What takes longer than a deadline may be has to take less first.
    let time = duration_literal(bound.latency_us.min(POLICY_DURATION_MAX_US));
    let (what, keys) = match (&body.budget, body.deadline_us) {
        (Some(_), Some(_)) => return None,
        (None, Some(_)) => ("a budget", format!("budget: {cost}")),
        (Some(_), None) => ("a deadline", format!("deadline: {time}")),
        (None, None) => ("a budget and a deadline", format!("budget: {cost}, deadline: {time}")),
    };
    let name = &plan.decl.name;
    let report = Diagnostic::error(codes::NO_BUDGET, format!("`{}` makes calls and lacks {what}", name.name))
        .primary(name.span, format!("can cost {} and take {}", bound.cost, shown(bound.latency_us)))
        .note("a plan that is run by itself says the most it may cost and take");
    Some(match &plan.decl.policy {
        None => report.help(format!("add `with {{ {keys} }}`")).fix(
            Fix::maybe("declare the bound").insert(plan.decl.body.span.start, format!("with {{ {keys} }} ")),
        ),
        Some(_) => report.help(format!("add `{keys}` to its policy")),
    })
}

fn over_budget(
    plan: &Plan<'_>,
    body: &PlanBody,
    types: &TypeDefs,
    compiled: &CompiledPlan,
    bound: &Bound,
    budget: Option<Amount>,
    cost: Amount,
) -> Diagnostic {
    let name = &plan.decl.name.name;
    let limit = budget.map_or_else(String::new, |budget| budget.to_string());
    let span = body.budget.as_ref().map_or(plan.decl.name.span, |budget| budget.span);
    let message = format!("`{name}` can cost {cost}, more than its budget of {limit}");
    let handling = Handling::of(compiled);
    let handled = bound
        .contributors
        .iter()
        .filter(|row| row.in_cost && row.cost.units > 0)
        .all(|row| handling.has(row.node));
    if handled {
        return labelled(Diagnostic::warning(codes::OVER_BUDGET_HANDLED, message), bound, |row| {
            (row.in_cost && row.cost.units > 0).then(|| row.priced())
        })
        .primary(span, format!("stops buying at {limit}"))
        .note("every call that costs something goes on without its answer once the budget is spent");
    }
    let is_literal = body.budget.as_ref().is_some_and(|b| constant_value(&b.amount, types).is_some());
    let report = labelled(Diagnostic::error(codes::OVER_BUDGET, message), bound, |row| {
        (row.in_cost && row.cost.units > 0).then(|| row.priced())
    })
    .primary(span, format!("the budget is {limit}"));
    let raised = written(cost);
    let report =
        report.help(format!("raise the budget to `{raised}`, or buy less: shorter lists, fewer attempts"));
    if is_literal {
        report.fix(Fix::maybe(format!("raise the budget to `{raised}`")).replace(span, raised))
    } else {
        report
    }
}

fn over_deadline(plan: &Plan<'_>, body: &PlanBody, bound: &Bound) -> Diagnostic {
    let name = &plan.decl.name.name;
    let (limit, span) = body.deadline_us.unwrap_or((0, plan.decl.name.span));
    let (time, limit) = (shown(bound.latency_us), shown(limit));
    let message = format!("`{name}` can take {time}, longer than its deadline of {limit}");
    let report = labelled(Diagnostic::error(codes::OVER_DEADLINE, message), bound, |row| {
        row.in_latency.then(|| row.timed())
    })
    .primary(span, format!("the deadline is {limit}"));
    let wait_less = "wait less: shorter timeouts, fewer attempts, more `concurrency`";
    if bound.latency_us > POLICY_DURATION_MAX_US {
        // No deadline may be that long.
        return report.help(wait_less);
    }
    let raised = duration_literal(bound.latency_us);
    report
        .help(format!("raise the deadline to `{raised}`, or {wait_less}"))
        .fix(Fix::maybe(format!("raise the deadline to `{raised}`")).replace(span, raised))
}

/// A duration in a message: in seconds, and from an hour on as it is written.
fn shown(us: u64) -> String {
    if us < HOUR_US { seconds(us) } else { duration_literal(us) }
}

/// One label per contributor.
fn labelled(
    mut report: Diagnostic,
    bound: &Bound,
    text: impl Fn(&Contributor) -> Option<String>,
) -> Diagnostic {
    let rows: Vec<(&Contributor, String)> =
        bound.contributors.iter().filter_map(|row| text(row).map(|text| (row, text))).collect();
    for (row, text) in rows.iter().take(CONTRIBUTORS_SHOWN) {
        let span = row.span;
        // What stands in a capability's text is shown where the plan calls it.
        let start = Span::new(span.start, span.end.min(span.start.saturating_add(4)));
        report = report.secondary(start, format!("`{}`: {text}", row.target));
    }
    match rows.len().checked_sub(CONTRIBUTORS_SHOWN) {
        Some(rest) if rest > 0 => report.note(format!("and {rest} more calls")),
        _ => report,
    }
}

/// The loops and calls whose own budgets are smaller than what they can cost.
fn parts_over_budget(compiled: &CompiledPlan, bound: &Bound, texts: &Texts) -> Vec<Diagnostic> {
    let parts = over_own_budget(compiled, bound);
    // Several may share a budget, that of a named policy: it has room for each of them when it has for the dearest.
    let mut dearest: HashMap<Span, Amount> = HashMap::new();
    for part in &parts {
        let cost = dearest.entry(part.span).or_insert(part.cost);
        cost.units = cost.units.max(part.cost.units);
    }
    let handling = Handling::of(compiled);
    let report = |part: &Part| {
        let raised = dearest.get(&part.span).copied().unwrap_or(part.cost);
        part_over_budget(&handling, bound, part, written(raised), texts)
    };
    parts.iter().map(report).collect()
}

/// A loop or call with a budget of its own.
struct Part {
    what: String,
    cost: Amount,
    budget: Option<Amount>,
    /// Where the budget is written.
    span: Span,
    /// Whether it is a constant, which a literal is, and an argument of a plan that is run.
    is_constant: bool,
    inside: Inside,
}

/// Whose calls a part is made of.
#[derive(Clone, Copy)]
enum Inside {
    Scope(ScopeId),
    Call(NodeId),
}

impl Inside {
    fn has(self, compiled: &CompiledPlan, node: NodeId) -> bool {
        match self {
            Self::Scope(scope) => is_in_scope(compiled, node, scope),
            Self::Call(call) => node == call,
        }
    }
}

fn over_own_budget(compiled: &CompiledPlan, bound: &Bound) -> Vec<Part> {
    let part = |what, cost, budget, declared: Option<&Fragment>, node, inside| {
        let span = declared.and_then(|budget| compiled.debug.exprs.get(budget.body.0 as usize));
        let value = declared.and_then(|budget| compiled.body.exprs.get(budget.body));
        Part {
            what,
            cost,
            budget,
            span: span.map_or_else(|| node_span(compiled, node), |span| Span::new(span.start, span.end)),
            is_constant: matches!(value, Some(Expr::Const(_))),
            inside,
        }
    };
    let loops = bound.scopes.iter().filter(|scope| scope.exceeds_budget()).filter_map(|scope| {
        let declared = compiled.body.scopes.get(scope.scope.0 as usize)?;
        let first = (0_u32..).zip(&compiled.body.node_scopes).find(|(_, own)| **own == scope.scope);
        let (what, node) = (format!("the loop `{}`", scope.label), NodeId(first.map_or(0, |(id, _)| id)));
        let inside = Inside::Scope(scope.scope);
        (declared.kind == ScopeKind::Loop)
            .then(|| part(what, scope.cost, scope.budget, declared.budget.as_ref(), node, inside))
    });
    let calls = bound.call_budgets.iter().filter(|call| call.cost.units > call.budget.units).map(|call| {
        let label = compiled.graph.node(call.node).map_or("", |node| node.label.as_str());
        let what = match call.level {
            0 => format!("the call `{label}`"),
            _ => format!("a fallback of `{label}`"),
        };
        let declared = legs(compiled, call.node).nth(call.level).and_then(|spec| spec.budget.as_ref());
        part(what, call.cost, Some(call.budget), declared, call.node, Inside::Call(call.node))
    });
    loops.chain(calls).collect()
}

fn part_over_budget(
    handling: &Handling<'_>,
    bound: &Bound,
    part: &Part,
    raised: String,
    texts: &Texts,
) -> Diagnostic {
    let limit = part.budget.map_or_else(String::new, |budget| budget.to_string());
    let message = format!("{} can cost {}, more than its budget of {limit}", part.what, part.cost);
    let is_in = |row: &Contributor| row.cost.units > 0 && part.inside.has(handling.compiled, row.node);
    let mut rows = bound.contributors.iter().filter(|row| is_in(row));
    let how = |row: &Contributor| is_in(row).then(|| row.factors());
    if rows.all(|row| handling.has(row.node)) {
        return labelled(Diagnostic::warning(codes::OVER_BUDGET_HANDLED, message), bound, how)
            .primary(part.span, format!("stops buying at {limit}"))
            .note("what would go beyond it is not bought, and the plan goes on without the answer");
    }
    let report = labelled(Diagnostic::error(codes::OVER_BUDGET, message), bound, how)
        .primary(part.span, format!("its budget is {limit}"))
        .help(format!(
            "raise its budget to `{raised}`, buy less, or handle `OverBudget` by `try` or `on_error`"
        ));
    // A parameter that is given a constant is one for other runs of its plan, too.
    let is_number = || texts.char_at(part.span.start).is_some_and(|first| first.is_ascii_digit());
    if part.is_constant && is_number() {
        report.fix(Fix::maybe(format!("raise its budget to `{raised}`")).replace(part.span, raised))
    } else {
        report
    }
}

/// A call as written, then its fallback calls.
fn legs(compiled: &CompiledPlan, node: NodeId) -> impl Iterator<Item = &CallSpec> {
    let call = match compiled.body.nodes.get(node.0 as usize) {
        Some(NodeBody::Call(spec)) => Some(&**spec),
        _ => None,
    };
    iter::successors(call, |call| match &call.fallback {
        Some(Fallback::Call(next)) => Some(&**next),
        _ => None,
    })
}

fn is_in_scope(compiled: &CompiledPlan, node: NodeId, outer: ScopeId) -> bool {
    let mut scope = compiled.body.node_scopes.get(node.0 as usize).copied();
    while let Some(id) = scope {
        if id == outer {
            return true;
        }
        scope = compiled.body.scopes.get(id.0 as usize).and_then(|scope| scope.parent);
    }
    false
}

/// Which calls of a plan go on without their answer where a budget is spent.
struct Handling<'a> {
    compiled: &'a CompiledPlan,
    /// Made once, when it is first asked for: a plan may have thousands of calls above their budgets.
    topology: OnceCell<Option<Topology>>,
}

impl<'a> Handling<'a> {
    const fn of(compiled: &'a CompiledPlan) -> Self {
        Self { compiled, topology: OnceCell::new() }
    }

    /// Whether the plan goes on without this call once the budget is spent: it has a value to fall back to, its
    /// failure is caught, or it stands in a loop that any number of elements may leave.
    fn has(&self, node: NodeId) -> bool {
        let goes_on = |(level, call): (usize, &CallSpec)| {
            (level == 0 && call.caught.is_some()) || matches!(call.fallback, Some(Fallback::Value(_)))
        };
        if legs(self.compiled, node).enumerate().any(goes_on) {
            return true;
        }
        let topology = self.topology.get_or_init(|| Topology::of(&self.compiled.graph).ok());
        let body = |node: NodeId| self.compiled.body.nodes.get(node.0 as usize);
        topology.as_ref().is_some_and(|topology| {
            topology.around(node).any(|(control, _)| {
                matches!(body(control), Some(NodeBody::FanOut { tolerate: Tolerance::All, .. }))
            })
        })
    }
}

fn node_span(compiled: &CompiledPlan, node: NodeId) -> Span {
    let span = compiled.debug.nodes.get(node.0 as usize).copied().unwrap_or_default();
    Span::new(span.start, span.end)
}

/// An amount as a literal of the language: `0.42USD`.
fn written(amount: Amount) -> String {
    amount.to_string().replace(' ', "")
}
