//! Bounds as messages: budgets, deadlines, and what has no bound.

use std::collections::BTreeSet;

use plan_ir::bound::{Bound, BoundError, Charges, Contributor, bound_by};
use plan_ir::explain::duration_literal;
use plan_ir::graph::NodeId;
use plan_ir::plan::{
    CompiledPlan, Fallback, NodeBody, PinnedOperation, ScopeId, ScopeKind, Tolerance, descriptor,
};
use plan_ir::topology::Topology;
use plan_lang::{Diagnostic, Fix, Span};
use schema::amount::Amount;
use schema::types::TypeDefs;

use crate::check::{Checked, constant_value};
use crate::codes;
use crate::hir::PlanBody;
use crate::program::{Plan, Program};

/// Contributors that a message names.
const CONTRIBUTORS_SHOWN: usize = 8;

/// The bound of the plan at `at`, and what there is to say about it.
pub(crate) fn check(
    program: &Program<'_>,
    checked: &Checked,
    at: usize,
    compiled: &CompiledPlan,
    sub_plans: &BTreeSet<&str>,
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
    reports.extend(parts_over_budget(compiled, &found));
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
    let time = duration_literal(bound.latency_us);
    let (what, keys) = match (&body.budget, body.deadline_us) {
        (Some(_), Some(_)) => return None,
        (None, Some(_)) => ("a budget", format!("budget: {cost}")),
        (Some(_), None) => ("a deadline", format!("deadline: {time}")),
        (None, None) => ("a budget and a deadline", format!("budget: {cost}, deadline: {time}")),
    };
    let name = &plan.decl.name;
    let report = Diagnostic::error(codes::NO_BUDGET, format!("`{}` makes calls and lacks {what}", name.name))
        .primary(name.span, format!("can cost {} and take {time}", bound.cost))
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
    let handled = bound
        .contributors
        .iter()
        .filter(|row| row.in_cost && row.cost.units > 0)
        .all(|row| handles_over_budget(compiled, row.node));
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
    let time = duration_literal(bound.latency_us);
    let message =
        format!("`{name}` can take {time}, longer than its deadline of {}", duration_literal(limit));
    let report = labelled(Diagnostic::error(codes::OVER_DEADLINE, message), bound, |row| {
        row.in_latency.then(|| format!("up to {}", duration_literal(row.latency_us)))
    })
    .primary(span, format!("the deadline is {}", duration_literal(limit)));
    report
        .help(format!("raise the deadline to `{time}`, or wait less: shorter timeouts, fewer attempts, more `concurrency`"))
        .fix(Fix::maybe(format!("raise the deadline to `{time}`")).replace(span, time))
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
fn parts_over_budget(compiled: &CompiledPlan, bound: &Bound) -> Vec<Diagnostic> {
    let mut reports = Vec::new();
    let loops = bound.scopes.iter().filter(|scope| {
        let kind = compiled.body.scopes.get(scope.scope.0 as usize).map(|scope| scope.kind);
        kind == Some(ScopeKind::Loop) && scope.exceeds_budget()
    });
    for scope in loops {
        let inside = |node: NodeId| is_in_scope(compiled, node, scope.scope);
        let first = (0_u32..).zip(&compiled.body.node_scopes).find(|(_, own)| **own == scope.scope);
        let node = NodeId(first.map_or(0, |(id, _)| id));
        let what = format!("the loop `{}`", scope.label);
        reports.push(part_over_budget(compiled, bound, node, inside, &what, scope.cost, scope.budget));
    }
    for call in bound.call_budgets.iter().filter(|call| call.cost.units > call.budget.units) {
        let label = compiled.graph.node(call.node).map_or("", |node| node.label.as_str());
        let what = match call.level {
            0 => format!("the call `{label}`"),
            _ => format!("a fallback of `{label}`"),
        };
        let own = |node| node == call.node;
        reports.push(part_over_budget(compiled, bound, call.node, own, &what, call.cost, Some(call.budget)));
    }
    reports
}

fn part_over_budget(
    compiled: &CompiledPlan,
    bound: &Bound,
    node: NodeId,
    inside: impl Fn(NodeId) -> bool,
    what: &str,
    cost: Amount,
    budget: Option<Amount>,
) -> Diagnostic {
    let limit = budget.map_or_else(String::new, |budget| budget.to_string());
    let message = format!("{what} can cost {cost}, more than its budget of {limit}");
    let rows = || bound.contributors.iter().filter(|row| row.cost.units > 0 && inside(row.node));
    let handled = rows().all(|row| handles_over_budget(compiled, row.node));
    let factors: Vec<String> = rows().map(|row| format!("`{}`: {}", row.target, row.factors)).collect();
    let span = node_span(compiled, node);
    let report = if handled {
        Diagnostic::warning(codes::OVER_BUDGET_HANDLED, message)
            .primary(span, format!("stops buying at {limit}"))
            .note("what would go beyond it is not bought, and the plan goes on without the answer")
    } else {
        let raised = written(cost);
        Diagnostic::error(codes::OVER_BUDGET, message).primary(span, format!("its budget is {limit}")).help(
            format!(
                "raise its budget to `{raised}`, buy less, or handle `OverBudget` by `try` or `on_error`"
            ),
        )
    };
    report.note(factors.join("; "))
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

/// Whether the plan goes on without this call once the budget is spent: it has a value to fall back to, its
/// failure is caught, or it stands in a loop that any number of elements may leave.
fn handles_over_budget(compiled: &CompiledPlan, node: NodeId) -> bool {
    let body = |node: NodeId| compiled.body.nodes.get(node.0 as usize);
    let mut spec = match body(node) {
        Some(NodeBody::Call(spec)) => Some(&**spec),
        _ => None,
    };
    if spec.is_some_and(|spec| spec.caught.is_some()) {
        return true;
    }
    while let Some(call) = spec {
        spec = match &call.fallback {
            Some(Fallback::Value(_)) => return true,
            Some(Fallback::Call(next)) => Some(next),
            None => None,
        };
    }
    let Ok(topology) = Topology::of(&compiled.graph) else { return false };
    topology
        .around(node)
        .any(|(control, _)| matches!(body(control), Some(NodeBody::FanOut { tolerate: Tolerance::All, .. })))
}

fn node_span(compiled: &CompiledPlan, node: NodeId) -> Span {
    let span = compiled.debug.nodes.get(node.0 as usize).copied().unwrap_or_default();
    Span::new(span.start, span.end)
}

/// An amount as a literal of the language: `0.42USD`.
fn written(amount: Amount) -> String {
    amount.to_string().replace(' ', "")
}
