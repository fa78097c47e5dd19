//! What a plan does when something fails, step by step.

use std::collections::BTreeSet;

use plan_ir::graph::NodeKind;
use plan_ir::plan::{CallSpec, CompiledPlan, Fallback, NodeBody, OnError, Tolerance};

use crate::graph::{GraphNode, PlanGraph, RegionKind};

/// A step that can fail, and what happens then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Name of the step.
    pub step: String,
    /// What happens, a sentence without a full stop. Code stands in back-quotes.
    pub then: String,
}

/// A row for each step whose failure is not only that of an expression.
pub(super) fn failures(plan: &CompiledPlan, graph: &PlanGraph, source: &str) -> Vec<Failure> {
    let row = |node: &GraphNode| {
        let body = plan.body.nodes.get(node.id as usize)?;
        let then = match body {
            NodeBody::Call(call) if call.caught.is_some() => {
                format!("{} its value is an `Err` that says why", attempts(call))
            }
            NodeBody::Call(call) => format!("{} {}", attempts(call), outcome(graph, node)),
            NodeBody::FanOut { tolerate, on_error, .. } => elements(*tolerate, on_error, graph, node),
            NodeBody::Ensure { .. } => {
                let written = node.span.and_then(|at| source.get(at.start as usize..at.end as usize));
                let written = written.map(|text| format!("`{}`: ", one_line(text))).unwrap_or_default();
                format!("{written}where it does not hold, {}", outcome(graph, node))
            }
            _ => return None,
        };
        Some(Failure { step: node.label.clone(), then })
    };
    let mut rows: Vec<Failure> = graph.nodes.iter().filter_map(row).collect();
    let mut seen = BTreeSet::new();
    // A plan that is run in several arms has its steps several times.
    rows.retain(|row| seen.insert((row.step.clone(), row.then.clone())));
    rows
}

/// Blanks and line ends as one blank each; back-quotes would end the code.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('`', "'")
}

fn attempts(call: &CallSpec) -> String {
    let kinds =
        || call.retry.on.iter().map(|kind| format!("`{}`", kind.name())).collect::<Vec<_>>().join(", ");
    let tried = match call.retry.max {
        0 => "tried once".to_owned(),
        1 => format!("tried once more after {}", kinds()),
        more => format!("tried up to {more} times more after {}", kinds()),
    };
    match &call.fallback {
        None => format!("{tried}; then"),
        Some(Fallback::Value(_)) => {
            format!("{tried}; then a value of the plan stands in, and if that has none,")
        }
        Some(Fallback::Call(other)) => {
            format!("{tried}; then `{}` is called instead, and if that fails too,", other.target)
        }
    }
}

fn elements(tolerate: Tolerance, on_error: &OnError, graph: &PlanGraph, node: &GraphNode) -> String {
    let outcome = outcome(graph, node);
    match (on_error, tolerate) {
        (OnError::Keep { .. }, _) => "an element that fails stands in the list as an `Err`".to_owned(),
        (OnError::Drop, Tolerance::All) => "elements that fail are left out".to_owned(),
        (OnError::Drop, Tolerance::Count(0)) => format!("if one element fails, {outcome}"),
        (OnError::Drop, Tolerance::Count(1)) => {
            format!("one element may fail and is left out; if more do, {outcome}")
        }
        (OnError::Drop, Tolerance::Count(count)) => {
            format!("up to {count} elements may fail and are left out; if more do, {outcome}")
        }
        (OnError::Drop, Tolerance::BasisPoints(points)) => {
            let share = f64::from(points) / 100.0;
            format!("up to {share} % of the elements may fail and are left out; if more do, {outcome}")
        }
    }
}

/// What the failure of a step means for what is around it.
fn outcome(graph: &PlanGraph, node: &GraphNode) -> String {
    let mut region = graph.region(node.region);
    while let Some(owner) = region.and_then(|region| region.owner).and_then(|owner| graph.node(owner)) {
        if owner.kind == NodeKind::FanOut && region.is_some_and(|region| region.kind == RegionKind::Body) {
            return format!("its element of `{}` fails", owner.label);
        }
        region = graph.region(owner.region);
    }
    "the plan fails".to_owned()
}
