//! Bounds as messages: budgets, deadlines, and what has no bound.

mod own_budget;

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashSet};

use plan_ir::bound::{Bound, BoundError, Charges, Contributor, bound_by};
use plan_ir::explain::{duration_literal, time};
use plan_ir::graph::NodeId;
use plan_ir::plan::{CallSpec, CompiledPlan, Fallback, NodeBody, PinnedOperation, Tolerance, descriptor};
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
            let mut told = HashSet::new();
            let reports = errors.iter().map(|error| no_bound(error, plan, body, compiled));
            return (None, reports.filter(|report| told.insert((report.code, report.span()))).collect());
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
    reports.extend(own_budget::check(compiled, &found, texts));
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
    let deadline = duration_literal(bound.latency_us.min(POLICY_DURATION_MAX_US));
    let (what, keys) = match (&body.budget, body.deadline_us) {
        (Some(_), Some(_)) => return None,
        (None, Some(_)) => ("a budget", format!("budget: {cost}")),
        (Some(_), None) => ("a deadline", format!("deadline: {deadline}")),
        (None, None) => ("a budget and a deadline", format!("budget: {cost}, deadline: {deadline}")),
    };
    let name = &plan.decl.name;
    let report = Diagnostic::error(codes::NO_BUDGET, format!("`{}` makes calls and lacks {what}", name.name))
        .primary(name.span, format!("can cost {} and take {}", bound.cost, time(bound.latency_us)))
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
    let paid: Vec<&Contributor> =
        bound.contributors.iter().filter(|row| row.in_cost && row.cost.units > 0).collect();
    if paid.iter().all(|row| handling.has(row.node)) {
        return labelled(
            Diagnostic::warning(codes::OVER_BUDGET_HANDLED, message),
            &paid,
            Contributor::priced,
        )
        .primary(span, format!("stops buying at {limit}"))
        .note("every call that costs something goes on without its answer once the budget is spent");
    }
    let is_literal = body.budget.as_ref().is_some_and(|b| constant_value(&b.amount, types).is_some());
    let report = labelled(Diagnostic::error(codes::OVER_BUDGET, message), &paid, Contributor::priced)
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
    let (taken, limit) = (time(bound.latency_us), time(limit));
    let message = format!("`{name}` can take {taken}, longer than its deadline of {limit}");
    let waits: Vec<&Contributor> = bound.contributors.iter().filter(|row| row.in_latency).collect();
    let report = labelled(Diagnostic::error(codes::OVER_DEADLINE, message), &waits, Contributor::timed)
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

/// One label for each of the first rows.
fn labelled(
    mut report: Diagnostic,
    rows: &[&Contributor],
    text: impl Fn(&Contributor) -> String,
) -> Diagnostic {
    for row in rows.iter().take(CONTRIBUTORS_SHOWN) {
        let span = row.span;
        // What stands in a capability's text is shown where the plan calls it.
        let start = Span::new(span.start, span.end.min(span.start.saturating_add(4)));
        report = report.secondary(start, format!("`{}`: {}", row.target, text(row)));
    }
    match rows.len().checked_sub(CONTRIBUTORS_SHOWN) {
        Some(rest) if rest > 0 => report.note(format!("and {rest} more calls")),
        _ => report,
    }
}

/// The call of a node as written, then its fallback calls.
fn legs(compiled: &CompiledPlan, node: NodeId) -> impl Iterator<Item = &CallSpec> {
    compiled.body.nodes.get(node.0 as usize).into_iter().flat_map(NodeBody::legs)
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
