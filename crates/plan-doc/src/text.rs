//! A graph as text: a line for each step, indented by what it is in.

use std::fmt::Write as _;

use plan_ir::explain::time;
use plan_ir::graph::NodeKind;
use schema::price::PriceBasis;

use crate::graph::{GraphNode, PlanGraph};

/// Longest text that says what a step does, in characters.
const WHAT_CHARS_MAX: usize = 60;
/// Widest column, in characters: what is longer moves the rest of its own row only, so that one step that waits for
/// thousands does not widen every row.
const COLUMN_CHARS_MAX: usize = 60;

/// The graph for a terminal. Ends with a line break.
#[must_use]
pub fn to_text(graph: &PlanGraph) -> String {
    let mut rows = Vec::new();
    // Regions still to be shown, the next last.
    let mut open = vec![Open::Region(0, 0)];
    while let Some(next) = open.pop() {
        match next {
            Open::Region(region, depth) => {
                let Some(region) = graph.region(region) else { continue };
                if !region.label.is_empty() {
                    rows.push(Row { name: format!("{}{}", indent(depth), region.label), ..Row::default() });
                }
                let depth = depth + usize::from(!region.label.is_empty());
                open.extend(region.nodes.iter().rev().map(|id| Open::Step(*id, depth)));
            }
            Open::Step(id, depth) => {
                let Some(node) = graph.node(id) else { continue };
                rows.push(row(graph, node, depth));
                open.extend(node.regions.iter().rev().map(|region| Open::Region(*region, depth + 1)));
            }
        }
    }
    let mut text = format!(
        "plan {}: at most {}, {}, {} {}\n\n",
        graph.plan,
        graph.cost_max,
        time(graph.latency_us_max),
        graph.calls_max,
        if graph.calls_max == 1 { "request" } else { "requests" },
    );
    table(&mut text, &rows);
    text
}

enum Open {
    Region(u32, usize),
    Step(u32, usize),
}

#[derive(Default)]
struct Row {
    id: String,
    name: String,
    cost: String,
    time: String,
    waits: String,
    what: String,
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}

fn row(graph: &PlanGraph, node: &GraphNode, depth: usize) -> Row {
    let kind = match node.kind {
        NodeKind::Pure => "",
        // The words of the others say it.
        NodeKind::Ensure if node.label == "ensure" => "",
        NodeKind::Ensure => "ensure",
        NodeKind::Call | NodeKind::Branch | NodeKind::FanOut => &node.detail,
    };
    let mut what: String = kind.chars().take(WHAT_CHARS_MAX).collect();
    if what.len() < kind.len() {
        what.push('…');
    }
    let waits: Vec<String> = graph.waits_for_ids(node.id).map(|id| id.to_string()).collect();
    let declared = |basis| if basis == PriceBasis::Known { "" } else { "*" };
    Row {
        id: node.id.to_string(),
        name: format!("{}{}", indent(depth), node.label),
        cost: node
            .cost
            .as_ref()
            .map(|cost| format!("{}{}", cost.cost_max, declared(cost.basis)))
            .unwrap_or_default(),
        time: node.cost.as_ref().and_then(|cost| cost.latency_us_max).map(time).unwrap_or_default(),
        waits: waits.join(" "),
        what,
    }
}

fn table(text: &mut String, rows: &[Row]) {
    let head = Row {
        id: "ID".into(),
        name: "STEP".into(),
        cost: "COSTS AT MOST".into(),
        time: "TAKES AT MOST".into(),
        waits: "AFTER".into(),
        what: "WHAT".into(),
    };
    let all: Vec<&Row> = std::iter::once(&head).chain(rows).collect();
    let width = |part: fn(&Row) -> &str| {
        all.iter().map(|row| part(row).chars().count().min(COLUMN_CHARS_MAX)).max().unwrap_or(0)
    };
    let (id, name, cost, time, waits) =
        (width(|r| &r.id), width(|r| &r.name), width(|r| &r.cost), width(|r| &r.time), width(|r| &r.waits));
    for row in &all {
        let line = format!(
            "{:>id$}  {:<name$}  {:>cost$}  {:>time$}  {:<waits$}  {}",
            row.id, row.name, row.cost, row.time, row.waits, row.what
        );
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if rows.iter().any(|row| row.cost.ends_with('*')) {
        text.push_str("\n* declared: the price is the plan's own `max_price`, because none is known\n");
    }
}
