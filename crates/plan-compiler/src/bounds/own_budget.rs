//! Budgets of loops and calls: parts of a plan that say the most they may cost.

use std::cell::LazyCell;
use std::collections::HashMap;
use std::iter;

use plan_ir::bound::{Bound, Contributor};
use plan_ir::expr::{Expr, Fragment};
use plan_ir::graph::NodeId;
use plan_ir::plan::{CompiledPlan, ScopeId, ScopeKind};
use plan_lang::{Diagnostic, Fix, Span};
use schema::amount::Amount;

use super::{Handling, labelled, legs, node_span, written};
use crate::codes;
use crate::texts::Texts;

/// The loops and calls whose own budgets are smaller than what they can cost.
pub(super) fn check(compiled: &CompiledPlan, bound: &Bound, texts: &Texts) -> Vec<Diagnostic> {
    let parts = over_own_budget(compiled, bound);
    // Several may share a budget, that of a named policy: it has room for each of them when it has for the dearest.
    let mut dearest: HashMap<Span, Amount> = HashMap::new();
    for part in &parts {
        let cost = dearest.entry(part.span).or_insert(part.cost);
        cost.units = cost.units.max(part.cost.units);
    }
    let paid = paid_inside(&parts, compiled, bound);
    let handling = Handling::of(compiled);
    let report = |part: &Part| {
        let raised = dearest.get(&part.span).copied().unwrap_or(part.cost);
        let rows = paid.get(&part.inside).map_or(&[][..], Vec::as_slice);
        part_over_budget(&handling, rows, part, written(raised), texts)
    };
    parts.iter().map(report).collect()
}

/// What costs something in each of the parts, in the order of the plan. Gathered in one pass: there may be thousands of
/// parts and of contributors.
fn paid_inside<'b>(
    parts: &[Part],
    compiled: &CompiledPlan,
    bound: &'b Bound,
) -> HashMap<Inside, Vec<&'b Contributor>> {
    let mut paid: HashMap<Inside, Vec<&Contributor>> =
        parts.iter().map(|part| (part.inside, Vec::new())).collect();
    if paid.is_empty() {
        return paid;
    }
    for row in bound.contributors.iter().filter(|row| row.cost.units > 0) {
        let scopes = scopes_around(compiled, row.node).map(Inside::Scope);
        for place in iter::once(Inside::Call(row.node)).chain(scopes) {
            if let Some(rows) = paid.get_mut(&place) {
                rows.push(row);
            }
        }
    }
    paid
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
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Inside {
    Scope(ScopeId),
    Call(NodeId),
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
    // The first node of each scope.
    let first = LazyCell::new(|| {
        let mut first: HashMap<ScopeId, NodeId> = HashMap::new();
        for (node, scope) in (0_u32..).map(NodeId).zip(&compiled.body.node_scopes) {
            first.entry(*scope).or_insert(node);
        }
        first
    });
    let loops = bound.scopes.iter().filter(|scope| scope.exceeds_budget()).filter_map(|scope| {
        let declared = compiled.body.scopes.get(scope.scope.0 as usize)?;
        if declared.kind != ScopeKind::Loop {
            return None;
        }
        let what = format!("the loop `{}`", scope.label);
        let node = first.get(&scope.scope).copied().unwrap_or(NodeId(0));
        let inside = Inside::Scope(scope.scope);
        Some(part(what, scope.cost, scope.budget, declared.budget.as_ref(), node, inside))
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
    rows: &[&Contributor],
    part: &Part,
    raised: String,
    texts: &Texts,
) -> Diagnostic {
    let limit = part.budget.map_or_else(String::new, |budget| budget.to_string());
    let message = format!("{} can cost {}, more than its budget of {limit}", part.what, part.cost);
    let how = Contributor::factors;
    if rows.iter().all(|row| handling.has(row.node)) {
        return labelled(Diagnostic::warning(codes::OVER_BUDGET_HANDLED, message), rows, how)
            .primary(part.span, format!("stops buying at {limit}"))
            .note("what would go beyond it is not bought, and the plan goes on without the answer");
    }
    let report = labelled(Diagnostic::error(codes::OVER_BUDGET, message), rows, how)
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

/// The scopes that a node stands in, innermost first.
fn scopes_around(compiled: &CompiledPlan, node: NodeId) -> impl Iterator<Item = ScopeId> {
    let own = compiled.body.node_scopes.get(node.0 as usize).copied();
    iter::successors(own, |scope| compiled.body.scopes.get(scope.0 as usize).and_then(|scope| scope.parent))
}
