//! A graph as an SVG picture that stands alone: no font, style or script is fetched, it follows the light or dark
//! theme of whoever shows it, and a screen reader gets its steps in words.

mod arrange;
mod measure;

use std::fmt::Write as _;

use plan_ir::explain::time;
use plan_ir::graph::NodeKind;

use crate::graph::PlanGraph;
use crate::layout::Point;
use arrange::{Scene, Shape, Subject, Wire, arrange, cost_line};

/// Blank around the picture.
const MARGIN: f64 = 12.0;

/// The looks of all pictures.
const STYLE: &str = include_str!("svg/style.css");

/// How a picture is used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Svg {
    /// What the ids in the picture start with, so that several can stand in one page.
    pub id: String,
    /// Leaves out the style: the page has it once, from [`Svg::style`].
    pub bare: bool,
}

impl Svg {
    /// The style of all pictures.
    #[must_use]
    pub const fn style() -> &'static str {
        STYLE
    }

    /// A picture in a page that has the style, with ids that start with `id`.
    #[must_use]
    pub fn in_page(id: impl Into<String>) -> Self {
        Self { id: id.into(), bare: true }
    }

    /// Draws `graph`.
    #[must_use]
    pub fn draw(&self, graph: &PlanGraph) -> String {
        let scene = arrange(graph);
        let (width, height) = (scene.size.width + 2.0 * MARGIN, scene.size.height + 2.0 * MARGIN);
        let id = escape(&self.id);
        let mut svg = String::with_capacity(scene.shapes.len() * 400 + 4_000);
        // Writing to a string cannot fail.
        let _ = write!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"orch-graph\" role=\"img\" \
             width=\"{w}\" height=\"{h}\" viewBox=\"{x} {x} {w} {h}\" \
             aria-labelledby=\"{id}title {id}desc\">\n\
             <title id=\"{id}title\">{title}</title>\n<desc id=\"{id}desc\">{desc}</desc>\n",
            w = number(width),
            h = number(height),
            x = number(-MARGIN),
            title = escape(&format!("Graph of the plan {}", graph.plan)),
            desc = escape(&describe(graph)),
        );
        if !self.bare {
            let _ = writeln!(svg, "<style>{STYLE}</style>");
        }
        let _ = writeln!(
            svg,
            "<defs><marker id=\"{id}arrow\" class=\"arrow\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" \
             markerWidth=\"7\" markerHeight=\"7\" orient=\"auto-start-reverse\"><path d=\"M0 0.5 8 4 0 7.5z\"/>\
             </marker></defs>"
        );
        self.shapes(&mut svg, graph, &scene, true);
        // Those that the others imply lie below the others.
        for implied in [true, false] {
            for wire in scene.wires.iter().filter(|wire| wire.implied == implied) {
                self.wire(&mut svg, wire);
            }
        }
        self.shapes(&mut svg, graph, &scene, false);
        svg.push_str("</svg>\n");
        svg
    }

    fn shapes(&self, svg: &mut String, graph: &PlanGraph, scene: &Scene, frames: bool) {
        for shape in scene.shapes.iter().filter(|shape| shape.is_frame == frames) {
            let (class, title) = subject(graph, shape);
            let radius = if shape.is_frame { 10 } else { 7 };
            let _ = write!(svg, "<g class=\"{class}\">");
            if !title.is_empty() {
                let _ = write!(svg, "<title>{}</title>", escape(&title));
            }
            let _ = write!(
                svg,
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{radius}\"/>",
                number(shape.corner.x),
                number(shape.corner.y),
                number(shape.size.width),
                number(shape.size.height),
            );
            for line in &shape.lines {
                let _ = write!(
                    svg,
                    "<text class=\"{}\" x=\"{}\" y=\"{}\">{}</text>",
                    line.kind.class(),
                    number(shape.corner.x + 11.0),
                    number(shape.corner.y + line.base),
                    escape(&line.text),
                );
            }
            svg.push_str("</g>\n");
        }
    }

    fn wire(&self, svg: &mut String, wire: &Wire) {
        let class = match (wire.implied, wire.points.len()) {
            (true, _) => "wire implied",
            // One that there was no way around the boxes for.
            (false, 1) => "wire far",
            (false, _) => "wire",
        };
        let path = path(&wire.points);
        let _ = writeln!(
            svg,
            "<path class=\"{class}\" d=\"{path}\" marker-end=\"url(#{}arrow)\"/>",
            escape(&self.id)
        );
    }
}

/// A graph as a picture that stands alone.
#[must_use]
pub fn to_svg(graph: &PlanGraph) -> String {
    Svg::default().draw(graph)
}

/// Pairs are joined by lines, the end of one and the start of the next by a curve that leaves and arrives upright.
fn path(points: &[(Point, Point)]) -> String {
    let mut path = String::new();
    let mut last: Option<Point> = None;
    for (start, end) in points {
        match last {
            None => {
                let _ = write!(path, "M{} {}", number(start.x), number(start.y));
            }
            Some(from) => {
                let middle = f64::midpoint(from.y, start.y);
                let (from_x, x, y, middle) =
                    (number(from.x), number(start.x), number(start.y), number(middle));
                let _ = write!(path, "C{from_x} {middle} {x} {middle} {x} {y}");
            }
        }
        if start != end {
            let _ = write!(path, "L{} {}", number(end.x), number(end.y));
        }
        last = Some(*end);
    }
    path
}

/// The class of a shape, and what a pointer on it is told.
fn subject(graph: &PlanGraph, shape: &Shape) -> (&'static str, String) {
    match shape.subject {
        Subject::Arm(_) => ("arm", String::new()),
        Subject::SubPlan(id) => {
            let label = graph.sub_plans.get(id as usize).map_or("", |sub_plan| &sub_plan.label);
            ("run", format!("run {label}"))
        }
        Subject::Step(id) => {
            let Some(node) = graph.node(id) else { return ("pure", String::new()) };
            let class = match node.kind {
                NodeKind::Pure => "pure",
                NodeKind::Ensure => "ensure",
                NodeKind::Call => "call",
                NodeKind::Branch => "branch",
                NodeKind::FanOut => "loop",
            };
            let mut parts = vec![format!("{} {}", node.id, node.label)];
            parts.extend((!node.detail.is_empty()).then(|| node.detail.clone()));
            parts.extend(node.cost.as_ref().map(cost_line));
            let rows = node.cost.iter().flat_map(|cost| &cost.rows);
            parts.extend(rows.map(|row| format!("{}: {}", row.label, row.factors)));
            let waits = graph.waits_for(id);
            parts.extend((!waits.is_empty()).then(|| format!("waits for {}", waits.join(", "))));
            (class, parts.join("\n"))
        }
    }
}

/// The picture in words.
fn describe(graph: &PlanGraph) -> String {
    let steps = match graph.nodes.len() {
        1 => "1 step".to_owned(),
        count => format!("{count} steps"),
    };
    let mut text = format!("{steps}, at most {} and {}.", graph.cost_max, time(graph.latency_us_max));
    for node in graph.nodes.iter().take(DESCRIBED_MAX) {
        let waits = graph.waits_for(node.id);
        let after = if waits.is_empty() { String::new() } else { format!(" after {}", waits.join(", ")) };
        let _ = write!(text, " {}{after}.", node.label);
    }
    if graph.nodes.len() > DESCRIBED_MAX {
        let _ = write!(text, " And {} more.", graph.nodes.len() - DESCRIBED_MAX);
    }
    text
}

/// Most steps that are described in words; nobody listens to more.
const DESCRIBED_MAX: usize = 100;

/// A coordinate, to a tenth.
fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    let short = text.strip_suffix(".0").unwrap_or(&text);
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

/// Text as it may stand in an element or an attribute. Control characters, which XML has no way to write, are left
/// out.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => escaped.push(c),
        }
    }
    escaped
}
