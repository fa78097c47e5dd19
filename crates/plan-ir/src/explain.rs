//! A plan and its bounds as text: the most it can cost and take, what contributes, and its graph.

use std::fmt::Write as _;

use schema::price::PriceBasis;

use crate::bound::{Bound, Contributor};
use crate::bytes::{encode, plan_hash};
use crate::graph::{NodeId, Region};
use crate::plan::{CallSpec, CompiledPlan, Fallback, HedgeAfter, NodeBody, OnError, Prefer, Tolerance};

mod arms;

pub use arms::arms;

/// What `orch explain` prints: totals, one line per contributor, the graph. Ends with a line break.
#[must_use]
pub fn explain(plan: &CompiledPlan, bound: &Bound) -> String {
    let mut text = String::new();
    head(&mut text, plan, bound);
    contributors(&mut text, bound);
    let mut rows = Vec::new();
    region(&mut rows, plan, &plan.graph.root, "");
    text.push_str(
        "\ngraph: a step waits for those in brackets; steps without a path between them run at once\n\n",
    );
    let width = |part: fn(&Row) -> &str| rows.iter().map(|row| part(row).chars().count()).max().unwrap_or(0);
    let (id_width, name_width) = (width(|row| &row.id), width(|row| &row.name));
    for Row { id, name, what } in &rows {
        let line = format!("  {id:>id_width$}  {name:<name_width$}  {what}");
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn head(text: &mut String, plan: &CompiledPlan, bound: &Bound) {
    let own = bound.scopes.first();
    let of_budget = match own.and_then(|scope| scope.budget) {
        Some(budget) => format!(" of a budget of {budget}"),
        None if plan.body.scopes.first().is_some_and(|scope| scope.budget.is_some()) => {
            " of a budget that the inputs say".to_owned()
        }
        None => String::new(),
    };
    let of_deadline =
        own.and_then(|scope| scope.deadline_us).map(|us| format!(" of a deadline of {}", time(us)));
    let hash = encode(plan).map(|bytes| plan_hash(&bytes).short()).unwrap_or_default();
    let _ = writeln!(text, "plan {} {hash}", plan.body.name);
    if bound.contributors.is_empty() {
        let _ = writeln!(text, "  makes no call: costs nothing");
        return;
    }
    let _ = writeln!(text, "  costs at most {}{}", bound.cost, of_budget);
    let _ = writeln!(text, "  takes at most {}{}", time(bound.latency_us), of_deadline.unwrap_or_default());
    let noun = if bound.requests == 1 { "request" } else { "requests" };
    let _ = writeln!(text, "  sends at most {} {noun}", bound.requests);
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
    if bound.basis != PriceBasis::Known {
        text.push_str("\n  declared: the price is the plan's own `max_price`, because none is known\n");
    }
}

fn row(part: &Contributor) -> [String; 4] {
    let mut how = part.factors();
    if part.basis != PriceBasis::Known {
        how.push_str(", declared");
    }
    if let Some(budget) = part.purse {
        let _ = write!(how, "; until a budget of {budget} is spent");
    }
    if !part.in_cost {
        how.push_str("; another branch costs more");
    }
    if !part.in_latency {
        how.push_str("; not on the longest path");
    }
    [part.cost.to_string(), time(part.latency_us), format!("{} ({})", part.label, part.target), how]
}

/// One line of the graph.
struct Row {
    id: String,
    name: String,
    what: String,
}

fn region(rows: &mut Vec<Row>, plan: &CompiledPlan, nodes: &Region, indent: &str) {
    for (index, id) in nodes.nodes.iter().enumerate() {
        let (Some(node), Some(body)) = (plan.graph.node(*id), plan.body.nodes.get(id.0 as usize)) else {
            continue;
        };
        let is_last = index + 1 == nodes.nodes.len();
        let (branch, below) = match (indent, is_last) {
            ("", _) => ("", " "),
            (_, false) => ("├ ", "│ "),
            (_, true) => ("└ ", "  "),
        };
        let waits = if node.parents.is_empty() { String::new() } else { format!("[{}]", ids(&node.parents)) };
        let what = [what(plan, body), waits].into_iter().filter(|part| !part.is_empty());
        rows.push(Row {
            id: id.0.to_string(),
            name: format!("{indent}{branch}{}", node.label),
            what: what.collect::<Vec<_>>().join("  "),
        });
        let below = format!("{indent}{below}");
        let arms = arms(plan, body);
        for (arm, inner) in node.regions.iter().enumerate() {
            if matches!(body, NodeBody::Branch { .. }) {
                let name = arms.get(arm).map_or("", String::as_str);
                rows.push(Row { id: String::new(), name: format!("{below}{name}"), what: String::new() });
                region(rows, plan, inner, &format!("{below}  "));
            } else {
                region(rows, plan, inner, &below);
            }
        }
    }
}

fn ids(nodes: &[NodeId]) -> String {
    nodes.iter().map(|id| id.0.to_string()).collect::<Vec<_>>().join(" ")
}

/// In words what a node does beyond its kind; empty where its kind says it all.
#[must_use]
pub fn what(plan: &CompiledPlan, body: &NodeBody) -> String {
    match body {
        NodeBody::Call(call) => self::call(plan, call),
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
        NodeBody::Branch { .. } => "one of".to_owned(),
        NodeBody::Spent(_) => "what was spent so far".to_owned(),
        // Its label says so.
        NodeBody::Ensure { .. } | NodeBody::Pure(_) => String::new(),
    }
}

/// The operations that may serve a call and what happens around it.
fn call(plan: &CompiledPlan, call: &CallSpec) -> String {
    let operations: Vec<&str> = call
        .candidates
        .iter()
        .filter_map(|candidate| plan.body.operations.get(candidate.operation as usize))
        .map(|operation| operation.id.as_str())
        .collect();
    let mut text = format!("call {}, {} each", operations.join(" | "), time(call.timeout_us));
    match call.retry.max {
        0 => {}
        1 => text.push_str(", 1 retry"),
        retries => {
            let _ = write!(text, ", {retries} retries");
        }
    }
    if let Some(quorum) = &call.quorum {
        let _ = write!(text, ", {} votes of which {} agree", quorum.of, quorum.need);
    }
    if let Some(hedge) = &call.hedge {
        let after = match hedge.after {
            HedgeAfter::Us(us) => time(us),
            HedgeAfter::P95 => "p95".to_owned(),
        };
        let _ = write!(text, ", hedged after {after}");
    }
    if call.pages > 1 {
        let _ = write!(text, ", {} pages", call.pages);
    }
    match (call.poll.every_us, call.poll.max) {
        (None, None) => {}
        (Some(us), None) => drop(write!(text, ", asked after every {}", time(us))),
        (None, Some(max)) => drop(write!(text, ", asked after {max} times")),
        (Some(us), Some(max)) => drop(write!(text, ", asked after every {}, {max} times", time(us))),
    }
    if call.accept.is_some() {
        text.push_str(", accept");
    }
    if let Some(us) = call.cache_us {
        let _ = write!(text, ", cached for {}", age(us));
    }
    match call.prefer {
        Prefer::Cheapest => {}
        Prefer::Fastest => text.push_str(", fastest first"),
        Prefer::MostReliable => text.push_str(", most reliable first"),
    }
    match &call.fallback {
        None => {}
        Some(Fallback::Value(_)) => text.push_str(", fallback to a value"),
        Some(Fallback::Call(fallback)) => {
            let _ = write!(text, ", fallback to {}", self::call(plan, fallback));
        }
    }
    if call.caught.is_some() {
        text.push_str(", failure caught");
    }
    text
}

/// How old something may be, in the largest unit that says it in whole numbers.
fn age(us: u64) -> String {
    let units = [("d", 86_400_000_000), ("h", 3_600_000_000), ("min", 60_000_000)];
    let found = units.into_iter().find(|(_, length)| us >= *length && us.is_multiple_of(*length));
    found.map_or_else(|| time(us), |(unit, length)| format!("{} {unit}", us / length))
}

/// Microseconds for a reader, rounded up: in seconds with up to three decimals, `8.4 s`, and from an hour on as
/// `10h 1m 44s` without what is zero.
#[must_use]
pub fn time(us: u64) -> String {
    let ms = us.div_ceil(1_000);
    if ms < 3_600_000 {
        let text = format!("{}.{:03}", ms / 1_000, ms % 1_000);
        let trimmed = text.trim_end_matches('0');
        return format!("{} s", trimmed.strip_suffix('.').unwrap_or(trimmed));
    }
    let s = ms.div_ceil(1_000);
    let parts = [(s / 3_600, "h"), (s / 60 % 60, "m"), (s % 60, "s")];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    parts.map(|(count, unit)| format!("{count}{unit}")).collect::<Vec<_>>().join(" ")
}

/// Microseconds as a duration literal of the language, in the largest unit that says it in whole numbers, rounded up to a
/// whole millisecond: `8.4s`, `5m`, `2h`.
#[must_use]
pub fn duration_literal(us: u64) -> String {
    let ms = us.div_ceil(1_000);
    for (unit, length) in [("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
        if ms >= length && ms.is_multiple_of(length) {
            return format!("{}{unit}", ms / length);
        }
    }
    match (ms / 1_000, ms % 1_000) {
        (0, _) => format!("{ms}ms"),
        (whole, rest) => {
            let fraction = format!("{rest:03}");
            format!("{whole}.{}s", fraction.trim_end_matches('0'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{age, duration_literal, time};

    #[test]
    fn ages_are_told_in_large_units() {
        let hours = [3_600_000_000, 86_400_000_000, 900_000_000, 90_000_000, 5_400_000_000].map(age);
        assert_eq!(hours, ["1 h", "1 d", "15 min", "90 s", "90 min"]);
    }

    #[test]
    fn times_are_rounded_up_to_the_millisecond() {
        assert_eq!(time(53_000_000), "53 s");
        assert_eq!(time(8_400_000), "8.4 s");
        assert_eq!(time(1), "0.001 s");
        assert_eq!(time(3_599_999_000), "3599.999 s");
        assert_eq!(time(3_599_999_001), "1h");
        assert_eq!(time(36_103_000_001), "10h 1m 44s");
        assert_eq!(time(7 * 24 * 3_600_000_000), "168h");
    }

    #[test]
    fn times_are_written_as_literals() {
        let shown = [0, 1, 200_000, 4_000_000, 8_400_000, 300_000_000, 301_000_000, 7_200_000_000]
            .map(duration_literal);
        assert_eq!(shown, ["0ms", "1ms", "200ms", "4s", "8.4s", "5m", "301s", "2h"]);
    }
}
