//! A page as Markdown.

use std::fmt::Write as _;

use plan_ir::explain::time;
use schema::price::PriceBasis;

use super::prose::{in_cell, to_markdown};
use super::{IndexRow, Page, Table};
use crate::graph::CostRow;
use crate::text::to_text;

/// The page of a plan. Ends with a line break.
#[must_use]
pub fn markdown(page: &Page) -> String {
    let mut text = format!("# plan {}\n\n", page.plan);
    if !page.docs.is_empty() {
        let _ = writeln!(text, "{}\n", to_markdown(&page.docs));
    }
    let _ = writeln!(text, "{}\n", fence("orch", &page.signature));
    inputs(&mut text, page);
    types(&mut text, page);
    bounds(&mut text, page);
    let _ = writeln!(
        text,
        "## Graph\n\nA step waits for those named after it; steps without a path between them run at once.\n\n{}\n",
        fence("text", to_text(&page.graph).trim_end())
    );
    operations(&mut text, page);
    failures(&mut text, page);
    let _ = writeln!(
        text,
        "---\n\nFrom {}; plan {}, lock {}.",
        code(&page.file),
        short(&page.graph.plan_hash),
        page.lock
    );
    text
}

/// An index of pages. Ends with a line break.
#[must_use]
pub fn markdown_index(rows: &[IndexRow]) -> String {
    let rows = rows.iter().map(|row| {
        let link = row.link.replace(' ', "%20").replace('(', "%28").replace(')', "%29");
        let bound = row.bound.strip_prefix("at most ").unwrap_or(&row.bound).to_owned();
        vec![format!("[{}]({link})", row.plan), in_cell(&row.summary), bound, code(&row.file)]
    });
    let mut text = String::from("# Plans\n\n");
    table(&mut text, &["plan", "what it does", "at most", "file"], rows);
    text
}

/// A table whose cells are Markdown.
fn table(text: &mut String, head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let table = Table::new(head, rows);
    let _ = writeln!(text, "| {} |\n|{}", table.head.join(" | "), "---|".repeat(table.head.len()));
    for row in &table.rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
}

fn inputs(text: &mut String, page: &Page) {
    text.push_str("## Inputs and result\n\n");
    if !page.params.is_empty() {
        let rows = page.params.iter().map(|param| {
            let default = param.default.as_ref().map(|default| code(default)).unwrap_or_default();
            vec![code(&param.name), code(&param.ty), default, in_cell(&param.docs)]
        });
        table(text, &["input", "type", "default", "meaning"], rows);
        text.push('\n');
    }
    let _ = writeln!(text, "Gives {}.\n", code(&page.output));
}

fn types(text: &mut String, page: &Page) {
    if page.types.is_empty() {
        return;
    }
    text.push_str("## Types\n\n");
    for ty in &page.types {
        let _ = writeln!(text, "### {} {}\n", ty.kind, ty.name);
        if !ty.docs.is_empty() {
            let _ = writeln!(text, "{}\n", to_markdown(&ty.docs));
        }
        let what = if ty.kind == "record" { "field" } else { "variant" };
        let rows = ty.members.iter().map(|member| {
            let shown = if member.ty.is_empty() { String::new() } else { code(&member.ty) };
            vec![code(&member.name), shown, in_cell(&member.docs)]
        });
        table(text, &[what, "type", "meaning"], rows);
        text.push('\n');
    }
}

fn bounds(text: &mut String, page: &Page) {
    let graph = &page.graph;
    text.push_str("## Bounds\n\n");
    if graph.calls_max == 0 {
        text.push_str("Makes no call: costs nothing and waits for nobody.\n\n");
        return;
    }
    let of = |limit: Option<String>, what: &str| {
        limit.map(|limit| format!(", of a {what} of {limit}")).unwrap_or_default()
    };
    let budget = of(graph.budget.map(|budget| budget.to_string()), "budget");
    let deadline = of(graph.deadline_us.map(time), "deadline");
    let _ = writeln!(
        text,
        "Costs at most {}{budget}. Takes at most {}{deadline}. Sends at most {} {}.\n",
        graph.cost_max,
        time(graph.latency_us_max),
        graph.calls_max,
        if graph.calls_max == 1 { "request" } else { "requests" }
    );
    let rows = rows(page).map(|row| {
        vec![
            format!("{} ({})", in_cell(&row.label), code(&row.target)),
            row.cost_max.to_string(),
            time(row.latency_us_max),
            format!("{}{}", in_cell(&row.factors), besides(row)),
            basis(row.basis).to_owned(),
        ]
    });
    table(text, &["call", "costs at most", "takes at most", "how", "price"], rows);
    text.push('\n');
    if graph.basis != PriceBasis::Known {
        text.push_str("Declared: nobody has published the price, so the plan's own `max_price` counts.\n\n");
    }
}

/// The calls and fallbacks of a plan.
pub(super) fn rows(page: &Page) -> impl Iterator<Item = &CostRow> {
    page.graph.nodes.iter().filter_map(|node| node.cost.as_ref()).flat_map(|cost| &cost.rows)
}

/// What is to be said of a row beyond its factors.
pub(super) fn besides(row: &CostRow) -> String {
    let purse = row.purse.map(|budget| format!("; until a budget of {budget} is spent"));
    let cost = if row.in_cost { "" } else { "; another branch costs more" };
    let latency = if row.in_latency { "" } else { "; not on the longest path" };
    format!("{}{cost}{latency}", purse.unwrap_or_default())
}

pub(super) const fn basis(basis: PriceBasis) -> &'static str {
    match basis {
        PriceBasis::Known => "known",
        _ => "declared",
    }
}

fn operations(text: &mut String, page: &Page) {
    if page.operations.is_empty() {
        return;
    }
    text.push_str("## Operations\n\n");
    let rows = page.operations.iter().map(|operation| {
        let steps: Vec<String> = operation.steps.iter().map(|step| code(step)).collect();
        vec![
            format!("{} {}", code(&operation.id), operation.version),
            in_cell(&operation.summary),
            in_cell(&operation.price),
            operation.access.to_owned(),
            operation.status.to_owned(),
            steps.join(", "),
        ]
    });
    table(text, &["operation", "what it does", "price", "who may call it", "entry", "steps"], rows);
    text.push('\n');
    for operation in page.operations.iter().filter(|operation| !operation.sources.is_empty()) {
        let sources: Vec<String> = operation.sources.iter().map(|source| in_cell(source)).collect();
        let _ = writeln!(text, "- {}: {}", code(&operation.id), sources.join("; "));
    }
    text.push('\n');
}

fn failures(text: &mut String, page: &Page) {
    text.push_str("## When something fails\n\n");
    if page.failures.is_empty() {
        text.push_str("Nothing but an expression can fail: that fails the plan.\n\n");
        return;
    }
    let rows = page.failures.iter().map(|failure| vec![code(&failure.step), in_cell(&failure.then)]);
    table(text, &["step", "what happens"], rows);
    text.push_str(
        "\nAn expression that has no value fails like its step: the plan, or its element of a loop.\n\n",
    );
}

pub(super) fn short(hash: &str) -> &str {
    hash.get(..8).unwrap_or(hash)
}

/// Text as code within a line or a cell of a table.
fn code(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

/// A block of code whose fence nothing in it ends.
fn fence(language: &str, text: &str) -> String {
    let mut ticks = "```".to_owned();
    while text.contains(&ticks) {
        ticks.push('`');
    }
    format!("{ticks}{language}\n{text}\n{ticks}")
}
