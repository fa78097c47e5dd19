//! A graph in the language of Graphviz: a cluster for each step that holds others.

use std::fmt::Write as _;

use plan_ir::explain::time;
use plan_ir::graph::NodeKind;

use crate::graph::{GraphNode, PlanGraph};

/// The graph as DOT. Ends with a line break.
///
/// A step that holds others is a cluster with an invisible point in it that its edges meet; drawn with
/// `compound=true`, they end at the border.
#[must_use]
pub fn to_dot(graph: &PlanGraph) -> String {
    let mut dot = format!(
        "digraph {} {{\n  compound=true; rankdir=TB; fontname=\"Helvetica\";\n  \
         node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\", fontsize=11, fillcolor=\"#f6f8fa\", color=\"#8c959f\"];\n  \
         edge [color=\"#57606a\", arrowsize=0.7];\n",
        quoted(&graph.plan)
    );
    let mut open = vec![Open::Region(0, 1)];
    while let Some(next) = open.pop() {
        match next {
            Open::Close(depth) => line(&mut dot, depth, "}"),
            Open::Region(id, depth) => {
                let Some(region) = graph.region(id) else { continue };
                let depth = if region.label.is_empty() {
                    depth
                } else {
                    line(&mut dot, depth, &format!("subgraph \"cluster_region_{id}\" {{"));
                    line(
                        &mut dot,
                        depth + 1,
                        &format!("label={}; style=\"rounded,dashed\";", quoted(&region.label)),
                    );
                    open.push(Open::Close(depth));
                    depth + 1
                };
                open.extend(region.nodes.iter().rev().map(|node| Open::Step(*node, depth)));
            }
            Open::Step(id, depth) => {
                let Some(node) = graph.node(id) else { continue };
                step(&mut dot, node, depth);
                if !node.regions.is_empty() {
                    open.push(Open::Close(depth));
                    open.extend(node.regions.iter().rev().map(|region| Open::Region(*region, depth + 1)));
                }
            }
        }
    }
    for edge in &graph.edges {
        let is_frame = |id: u32| graph.node(id).is_some_and(|node| !node.regions.is_empty());
        let mut attributes = Vec::new();
        attributes.extend(is_frame(edge.from).then(|| format!("ltail=\"cluster_{}\"", edge.from)));
        attributes.extend(is_frame(edge.to).then(|| format!("lhead=\"cluster_{}\"", edge.to)));
        attributes.extend(edge.implied.then(|| "style=dotted".to_owned()));
        let list =
            if attributes.is_empty() { String::new() } else { format!(" [{}]", attributes.join(", ")) };
        line(&mut dot, 1, &format!("n{} -> n{}{list};", edge.from, edge.to));
    }
    dot.push_str("}\n");
    dot
}

enum Open {
    Region(u32, usize),
    Step(u32, usize),
    Close(usize),
}

fn line(dot: &mut String, depth: usize, text: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(dot, "{}{text}", "  ".repeat(depth));
}

fn step(dot: &mut String, node: &GraphNode, depth: usize) {
    let mut label = vec![node.label.clone()];
    label.extend((!node.detail.is_empty()).then(|| node.detail.clone()));
    if let Some(cost) = &node.cost {
        let time = cost.latency_us_max.map(|us| format!(", {}", time(us))).unwrap_or_default();
        label.push(format!("at most {}{time}", cost.cost_max));
    }
    let label = quoted(&label.join("\n"));
    if node.regions.is_empty() {
        let fill = match node.kind {
            NodeKind::Call => ", fillcolor=\"#ddf4ff\", color=\"#0969da\"",
            NodeKind::Ensure => ", fillcolor=\"#fff8c5\", color=\"#bf8700\"",
            NodeKind::Pure | NodeKind::Branch | NodeKind::FanOut => "",
        };
        line(dot, depth, &format!("n{} [label={label}{fill}];", node.id));
    } else {
        line(dot, depth, &format!("subgraph \"cluster_{}\" {{", node.id));
        line(dot, depth + 1, &format!("label={label}; style=rounded; color=\"#1a7f37\";"));
        line(dot, depth + 1, &format!("n{} [shape=point, style=invis];", node.id));
    }
}

/// A string of DOT.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() => {}
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
