//! A page as HTML: one file that needs nothing beside it, readable without colour, without a mouse and aloud.

use std::fmt::Write as _;

use plan_ir::explain::time;
use schema::price::PriceBasis;

use super::markdown::{basis, besides, rows, short};
use super::prose::{sentence_to_html, to_html};
use super::{IndexRow, Page, Table};
use crate::svg::{Svg, escape};
use crate::text::to_text;

/// The looks of pages.
const STYLE: &str = include_str!("style.css");

/// The page of a plan. Ends with a line break.
#[must_use]
pub fn html(page: &Page) -> String {
    let mut main = format!("<h1><span class=\"word\">plan</span> {}</h1>\n", escape(&page.plan));
    main.push_str(&to_html(&page.docs));
    let _ = writeln!(main, "<p class=\"bound\">{}</p>", escape(&sentence(&page.bound_line())));
    let _ = writeln!(main, "<pre tabindex=\"0\"><code>{}</code></pre>", escape(&page.signature));
    inputs(&mut main, page);
    types(&mut main, page);
    bounds(&mut main, page);
    graph(&mut main, page);
    operations(&mut main, page);
    failures(&mut main, page);
    let _ = writeln!(
        main,
        "<section aria-labelledby=\"source\"><h2 id=\"source\">Source</h2>\n<details><summary>{}</summary>\n\
         <pre tabindex=\"0\"><code>{}</code></pre></details></section>",
        escape(&page.file),
        escape(&page.source)
    );
    let footer = format!(
        "From {}; plan <code>{}</code>, lock <code>{}</code>.",
        escape(&page.file),
        escape(short(&page.graph.plan_hash)),
        escape(&page.lock)
    );
    document(&format!("plan {}", page.plan), &main, &footer)
}

/// An index of pages. Ends with a line break.
#[must_use]
pub fn html_index(rows: &[IndexRow]) -> String {
    let mut main = String::from("<h1>Plans</h1>\n");
    let rows = rows.iter().map(|row| {
        let link = format!("<a href=\"{}\">{}</a>", escape(&row.link.replace(' ', "%20")), escape(&row.plan));
        let bound = row.bound.strip_prefix("at most ").unwrap_or(&row.bound);
        vec![link, to_html(&row.summary), escape(bound), code(&row.file)]
    });
    table(&mut main, "Plans", &["plan", "what it does", "at most", "file"], rows);
    document("Plans", &main, "")
}

fn document(title: &str, main: &str, footer: &str) -> String {
    let footer = if footer.is_empty() { String::new() } else { format!("<footer>{footer}</footer>\n") };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{}</title>\n<style>\n{STYLE}{}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">To the content</a>\n<main id=\"main\">\n{main}</main>\n{footer}</body>\n</html>\n",
        escape(title),
        Svg::style()
    )
}

fn section(main: &mut String, id: &str, title: &str) {
    let _ = writeln!(main, "<section aria-labelledby=\"{id}\"><h2 id=\"{id}\">{title}</h2>");
}

fn end(main: &mut String) {
    main.push_str("</section>\n");
}

/// A table that scrolls by itself where it is wider than the page. Cells are HTML.
fn table(main: &mut String, caption: &str, head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let (caption, table) = (escape(caption), Table::new(head, rows));
    let _ = writeln!(
        main,
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"{caption}\"><table><caption>{caption}</caption>\n<thead><tr>"
    );
    for title in &table.head {
        let _ = write!(main, "<th scope=\"col\">{title}</th>");
    }
    main.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        main.push_str("<tr>");
        for (at, cell) in row.iter().enumerate() {
            let _ = if at == 0 {
                write!(main, "<th scope=\"row\">{cell}</th>")
            } else {
                write!(main, "<td>{cell}</td>")
            };
        }
        main.push_str("</tr>\n");
    }
    main.push_str("</tbody></table></div>\n");
}

fn inputs(main: &mut String, page: &Page) {
    section(main, "inputs", "Inputs and result");
    if !page.params.is_empty() {
        let rows = page.params.iter().map(|param| {
            let default = param.default.as_ref().map(|default| code(default)).unwrap_or_default();
            vec![code(&param.name), code(&param.ty), default, to_html(&param.docs)]
        });
        table(main, "Inputs", &["input", "type", "default", "meaning"], rows);
    }
    let _ = writeln!(main, "<p>Gives {}.</p>", code(&page.output));
    end(main);
}

fn types(main: &mut String, page: &Page) {
    if page.types.is_empty() {
        return;
    }
    section(main, "types", "Types");
    for ty in &page.types {
        let _ = writeln!(main, "<h3><span class=\"word\">{}</span> {}</h3>", ty.kind, escape(&ty.name));
        main.push_str(&to_html(&ty.docs));
        let what = if ty.kind == "record" { "field" } else { "variant" };
        let rows = ty.members.iter().map(|member| {
            let shown = if member.ty.is_empty() { String::new() } else { code(&member.ty) };
            vec![code(&member.name), shown, to_html(&member.docs)]
        });
        table(main, &format!("{} {}", ty.kind, ty.name), &[what, "type", "meaning"], rows);
    }
    end(main);
}

fn bounds(main: &mut String, page: &Page) {
    let graph = &page.graph;
    section(main, "bounds", "Bounds");
    if graph.calls_max == 0 {
        main.push_str("<p>Makes no call: costs nothing and waits for nobody.</p>\n");
        return end(main);
    }
    let limit =
        |limit: Option<String>| limit.map(|limit| format!(" of {}", escape(&limit))).unwrap_or_default();
    let _ = writeln!(
        main,
        "<dl><dt>costs at most</dt><dd><strong>{}</strong>{}</dd><dt>takes at most</dt><dd><strong>{}</strong>{}</dd>\
         <dt>requests at most</dt><dd><strong>{}</strong></dd></dl>",
        graph.cost_max,
        limit(graph.budget.map(|budget| budget.to_string())),
        time(graph.latency_us_max),
        limit(graph.deadline_us.map(time)),
        graph.calls_max
    );
    let rows = rows(page).map(|row| {
        vec![
            format!("{} ({})", escape(&row.label), code(&row.target)),
            row.cost_max.to_string(),
            time(row.latency_us_max),
            escape(&format!("{}{}", row.factors, besides(row))),
            basis(row.basis).to_owned(),
        ]
    });
    table(main, "What contributes", &["call", "costs at most", "takes at most", "how", "price"], rows);
    if graph.basis != PriceBasis::Known {
        main.push_str("<p>Declared: nobody has published the price, so the plan's own <code>max_price</code> counts.</p>\n");
    }
    end(main);
}

fn graph(main: &mut String, page: &Page) {
    section(main, "graph", "Graph");
    main.push_str(
        "<p>A step waits for those it hangs from; steps without a path between them run at once.</p>\n",
    );
    let _ = writeln!(
        main,
        "<div class=\"scroll picture\" tabindex=\"0\" role=\"group\" aria-label=\"Graph\">\n{}</div>\n\
         <details><summary>The graph as text</summary>\n<pre tabindex=\"0\">{}</pre></details>",
        Svg::in_page("graph-").draw(&page.graph),
        escape(&to_text(&page.graph))
    );
    end(main);
}

fn operations(main: &mut String, page: &Page) {
    if page.operations.is_empty() {
        return;
    }
    section(main, "operations", "Operations");
    let rows = page.operations.iter().map(|operation| {
        let steps: Vec<String> = operation.steps.iter().map(|step| code(step)).collect();
        vec![
            format!("{} {}", code(&operation.id), escape(&operation.version)),
            escape(&operation.summary),
            sentence_to_html(&operation.price),
            operation.access.to_owned(),
            format!("{}{}", operation.status, sources(&operation.sources)),
            steps.join(", "),
        ]
    });
    let head = ["operation", "what it does", "price", "who may call it", "entry", "steps"];
    table(main, "Operations the plan may call", &head, rows);
    end(main);
}

fn sources(sources: &[String]) -> String {
    if sources.is_empty() {
        return String::new();
    }
    let items: String = sources.iter().map(|source| format!("<li>{}</li>", escape(source))).collect();
    format!("<details><summary>sources</summary><ul>{items}</ul></details>")
}

fn failures(main: &mut String, page: &Page) {
    section(main, "failures", "When something fails");
    if page.failures.is_empty() {
        main.push_str("<p>Nothing but an expression can fail: that fails the plan.</p>\n");
    } else {
        let rows =
            page.failures.iter().map(|failure| vec![code(&failure.step), sentence_to_html(&failure.then)]);
        table(main, "What happens when a step fails", &["step", "what happens"], rows);
        main.push_str(
            "<p>An expression that has no value fails like its step: the plan, or its element of a loop.</p>\n",
        );
    }
    end(main);
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

/// With a capital at the start and a full stop at the end.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}
