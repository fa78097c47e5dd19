//! A plan and its bounds as text: the most it can cost and take, what contributes, and its graph.

use std::fmt::Write as _;

use schema::price::PriceBasis;

use crate::bound::{Bound, Contributor};
use crate::bytes::{encode, plan_hash};
use crate::graph::{NodeId, Region};
use crate::plan::{CompiledPlan, NodeBody, OnError, Tolerance};

/// What `orch explain` prints: totals, one line per contributor, the graph. Ends with a line break.
#[must_use]
pub fn explain(plan: &CompiledPlan, bound: &Bound) -> String {
    let mut text = String::new();
    head(&mut text, plan, bound);
    contributors(&mut text, bound);
    text.push_str(
        "\ngraph (a node waits for the nodes in brackets; nodes without a path between them run together)\n",
    );
    region(&mut text, plan, &plan.graph.root, 1);
    text
}

fn head(text: &mut String, plan: &CompiledPlan, bound: &Bound) {
    let own = bound.scopes.first();
    let of_budget = own.and_then(|scope| scope.budget).map(|budget| format!(" of a budget of {budget}"));
    let of_deadline =
        own.and_then(|scope| scope.deadline_us).map(|us| format!(" of a deadline of {}", seconds(us)));
    let sure = match bound.basis {
        PriceBasis::Known => "every price is known",
        _ => "prices declared by the plan's `max_price`, not known",
    };
    let hash = encode(plan).map(|bytes| plan_hash(&bytes).short()).unwrap_or_default();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "plan {} {hash}", plan.body.name);
    if bound.contributors.is_empty() {
        let _ = writeln!(text, "  makes no call: costs nothing");
        return;
    }
    let _ = writeln!(text, "  costs at most {}{} ({sure})", bound.cost, of_budget.unwrap_or_default());
    let _ =
        writeln!(text, "  takes at most {}{}", seconds(bound.latency_us), of_deadline.unwrap_or_default());
}

fn contributors(text: &mut String, bound: &Bound) {
    if bound.contributors.is_empty() {
        return;
    }
    let rows: Vec<[String; 4]> = bound.contributors.iter().map(row).collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let (cost, time, label) = (width(0), width(1), width(2));
    text.push('\n');
    for [row_cost, row_time, row_label, how] in &rows {
        let _ = writeln!(text, "  {row_cost:>cost$}  {row_time:>time$}  {row_label:<label$}  {how}");
    }
}

fn row(part: &Contributor) -> [String; 4] {
    let declared = if part.basis == PriceBasis::Known { "" } else { ", declared" };
    let mut how = format!("{} = {}{declared}", part.factors, part.cost);
    if !part.in_cost {
        how.push_str("; another branch costs more");
    }
    if !part.in_latency {
        how.push_str("; not on the longest path");
    }
    [part.cost.to_string(), seconds(part.latency_us), format!("{} ({})", part.label, part.target), how]
}

fn region(text: &mut String, plan: &CompiledPlan, nodes: &Region, depth: usize) {
    for id in &nodes.nodes {
        let (Some(node), Some(body)) = (plan.graph.node(*id), plan.body.nodes.get(id.0 as usize)) else {
            continue;
        };
        let indent = "  ".repeat(depth);
        let waits =
            if node.parents.is_empty() { String::new() } else { format!(" [{}]", ids(&node.parents)) };
        let what = what(plan, body);
        // A node without a name of its own is labelled by what it is.
        let label = if node.label == what { "" } else { node.label.as_str() };
        let _ = writeln!(
            text,
            "{indent}{:<3} {label}{}{what}{waits}",
            id.0,
            if label.is_empty() { "" } else { " " }
        );
        for (arm, inner) in node.regions.iter().enumerate() {
            if node.regions.len() > 1 {
                let _ = writeln!(text, "{indent}  arm {arm}");
            }
            region(text, plan, inner, depth + 1);
        }
    }
}

fn ids(nodes: &[NodeId]) -> String {
    nodes.iter().map(|id| id.0.to_string()).collect::<Vec<_>>().join(" ")
}

fn what(plan: &CompiledPlan, body: &NodeBody) -> String {
    match body {
        NodeBody::Call(call) => {
            let operations: Vec<&str> = call
                .candidates
                .iter()
                .filter_map(|candidate| plan.body.operations.get(candidate.operation as usize))
                .map(|operation| operation.id.as_str())
                .collect();
            format!("call {}", operations.join(" | "))
        }
        NodeBody::FanOut { concurrency, tolerate, on_error, .. } => {
            let at_once = concurrency.map(|n| format!(", {n} at once")).unwrap_or_default();
            let failures = match (on_error, tolerate) {
                (OnError::Keep { .. }, _) => ", failures kept".to_owned(),
                (OnError::Drop, Tolerance::Count(0)) => String::new(),
                (OnError::Drop, Tolerance::Count(n)) => format!(", {n} may fail"),
                (OnError::Drop, Tolerance::BasisPoints(points)) => {
                    format!(", {} % may fail", f64::from(*points) / 100.0)
                }
                (OnError::Drop, Tolerance::All) => ", all may fail".to_owned(),
            };
            format!("for each{at_once}{failures}")
        }
        NodeBody::Branch { .. } => "branch".to_owned(),
        NodeBody::Ensure { .. } => "ensure".to_owned(),
        NodeBody::Pure(_) => "=".to_owned(),
    }
}

/// Microseconds as seconds, as many decimals as it needs up to three.
fn seconds(us: u64) -> String {
    let ms = us.div_ceil(1_000);
    let text = format!("{}.{:03}", ms / 1_000, ms % 1_000);
    let trimmed = text.trim_end_matches('0');
    format!("{} s", trimmed.strip_suffix('.').unwrap_or(trimmed))
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn times_are_rounded_up_to_the_millisecond() {
        assert_eq!(seconds(53_000_000), "53 s");
        assert_eq!(seconds(8_400_000), "8.4 s");
        assert_eq!(seconds(1), "0.001 s");
    }
}
