//! The live tree: a head line with sums, and below it what is under way, nested as the plan is.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use console::Style;
use indicatif::{ProgressBar, ProgressStyle};
use plan_ir::bound::Bound;
use plan_ir::graph::{Graph, NodeId, NodeKind, Region};
use plan_ir::plan::CompiledPlan;
use proto::v1;

use super::lines::name;
use crate::output::money;

/// Lines below the head that are visible at once; the rest is counted.
const LINES_MAX: usize = 16;

/// Columns where the terminal does not say.
const WIDTH_DEFAULT: usize = 80;

/// A live view.
#[derive(Debug)]
pub(super) struct Tree {
    bar: ProgressBar,
    started: Instant,
    plan: String,
    cost_max: String,
    places: Vec<Place>,
    /// What is under way, by its place in the tree.
    open: BTreeMap<Vec<u32>, Line>,
    calls_done: usize,
    calls_failed: usize,
    spent: String,
}

/// Where a node of the plan stands.
#[derive(Clone, Debug)]
struct Place {
    label: String,
    kind: NodeKind,
    /// The control node around it, with the index of the region.
    control: Option<(usize, u32)>,
    /// Whether its value is that of its region, so that an element of a loop is done with it.
    is_result: bool,
}

/// Something under way.
#[derive(Debug)]
struct Line {
    depth: usize,
    name: String,
    what: String,
    since: Instant,
    /// Elements of a loop: done and all.
    elements: Option<(u32, u32)>,
}

impl Tree {
    pub(super) fn new(plan: &CompiledPlan, bound: &Bound) -> Self {
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner:.cyan} {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        let mut tree = Self {
            bar,
            started: Instant::now(),
            plan: plan.body.name.clone(),
            cost_max: bound.cost.to_string(),
            places: places(&plan.graph),
            open: BTreeMap::new(),
            calls_done: 0,
            calls_failed: 0,
            spent: String::new(),
        };
        tree.redraw();
        tree
    }

    pub(super) fn event(&mut self, event: &v1::RunEvent) {
        if let Some(spent) = &event.spent {
            self.spent = money::shown(Some(spent));
        }
        let Some(node) = self.node(event) else { return };
        let path = self.path(node, &event.iteration);
        match (event.kind(), event.state.as_str()) {
            (v1::RunEventKind::Node, "running") => self.begin(node, path, event),
            (v1::RunEventKind::Node, "waiting") => {
                if let Some(line) = self.open.get_mut(&path) {
                    line.what = "waits to try again".to_owned();
                }
            }
            (v1::RunEventKind::AttemptSent, _) => {
                let again =
                    if event.attempt > 1 { format!(", attempt {}", event.attempt) } else { String::new() };
                self.begin(node, path.clone(), event);
                if let Some(line) = self.open.get_mut(&path) {
                    line.what = format!("{}{again}", event.operation);
                }
            }
            (v1::RunEventKind::Node, "succeeded" | "failed" | "cancelled") => self.end(node, &path, event),
            _ => {}
        }
    }

    fn begin(&mut self, node: usize, path: Vec<u32>, event: &v1::RunEvent) {
        let Some(place) = self.places.get(node) else { return };
        let elements = (place.kind == NodeKind::FanOut)
            .then(|| event.message.parse().ok())
            .flatten()
            .map(|all| (0, all));
        let line = Line {
            depth: self.depth(node),
            name: name(event),
            what: String::new(),
            since: Instant::now(),
            elements,
        };
        let line = self.open.entry(path).or_insert(line);
        line.elements = line.elements.or(elements);
    }

    fn end(&mut self, node: usize, path: &[u32], event: &v1::RunEvent) {
        self.open.remove(path);
        let Some(place) = self.places.get(node) else { return };
        let (is_call, failed) = (place.kind == NodeKind::Call, event.state == "failed");
        self.calls_done += usize::from(is_call && !failed);
        self.calls_failed += usize::from(is_call && failed);
        if failed {
            self.say(&format!("{} {}: {}", Style::new().red().apply_to("✗"), name(event), event.message));
        }
        if let (true, Some((control, _))) = (place.is_result, place.control) {
            let outer = self.path(control, &event.iteration);
            if let Some((done, _)) = self.open.get_mut(&outer).and_then(|line| line.elements.as_mut()) {
                *done += 1;
            }
        }
    }

    /// The node an event speaks of: the first of its name in as many loops as the event has positions.
    fn node(&self, event: &v1::RunEvent) -> Option<usize> {
        (0..self.places.len()).find(|node| {
            let labelled = self.places.get(*node).is_some_and(|place| place.label == event.node);
            labelled && self.loops(*node) == event.iteration.len()
        })
    }

    fn controls(&self, node: usize) -> impl Iterator<Item = (usize, u32)> {
        let next = |node: usize| self.places.get(node).and_then(|place| place.control);
        std::iter::successors(next(node), move |(control, _)| next(*control))
    }

    fn is_loop(&self, node: usize) -> bool {
        self.places.get(node).is_some_and(|place| place.kind == NodeKind::FanOut)
    }

    fn loops(&self, node: usize) -> usize {
        self.controls(node).filter(|(control, _)| self.is_loop(*control)).count()
    }

    fn depth(&self, node: usize) -> usize {
        self.controls(node).count()
    }

    /// A key that sorts an instance of a node below what opened its region, elements apart.
    fn path(&self, node: usize, iteration: &[u32]) -> Vec<u32> {
        let mut positions = iteration.iter().take(self.loops(node)).rev();
        let mut path = vec![number(node)];
        for (control, region) in self.controls(node) {
            let position =
                if self.is_loop(control) { positions.next().copied().unwrap_or(0) } else { region };
            path.extend([position, number(control)]);
        }
        path.reverse();
        path
    }

    /// Draws the head and the lines.
    pub(super) fn redraw(&mut self) {
        let size = console::Term::stderr().size_checked();
        let width = size.map_or(WIDTH_DEFAULT, |(_, width)| usize::from(width));
        self.bar.set_message(self.text(width, Instant::now()));
        self.bar.tick();
    }

    /// What is drawn behind the spinner.
    fn text(&self, width: usize, now: Instant) -> String {
        // The spinner and a space stand before the head; a full line would wrap.
        let cut = |line: &str| console::truncate_str(line, width.saturating_sub(3), "…").into_owned();
        let mut text = cut(&self.head(now));
        for line in self.open.values().take(LINES_MAX) {
            text.push('\n');
            text.push_str(&cut(&line.text(now)));
        }
        if self.open.len() > LINES_MAX {
            text.push_str(&format!("\n  and {} more", self.open.len() - LINES_MAX));
        }
        text
    }

    fn head(&self, now: Instant) -> String {
        let failed = match self.calls_failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        let spent = if self.spent.is_empty() { "nothing" } else { &self.spent };
        format!(
            "{}  {} calls done{failed}  {spent} spent of at most {}  {}",
            Style::new().bold().apply_to(&self.plan),
            self.calls_done,
            self.cost_max,
            seconds(now.saturating_duration_since(self.started)),
        )
    }

    pub(super) fn say(&self, text: &str) {
        self.bar.println(text);
    }
}

impl Drop for Tree {
    /// Whatever ends the view, nothing live is left on the terminal.
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Line {
    fn text(&self, now: Instant) -> String {
        let indent = "│ ".repeat(self.depth);
        let what = match self.elements {
            Some((done, all)) => format!("{done} of {all}"),
            None => self.what.clone(),
        };
        let dim = Style::new().dim();
        let time = dim.apply_to(seconds(now.saturating_duration_since(self.since)));
        format!("  {}{}  {what}  {time}", dim.apply_to(indent), self.name)
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn number(node: usize) -> u32 {
    u32::try_from(node).unwrap_or(u32::MAX)
}

/// Every node of the graph with the region it is in.
fn places(graph: &Graph) -> Vec<Place> {
    let mut places: Vec<Place> = graph
        .nodes
        .iter()
        .map(|node| Place { label: node.label.clone(), kind: node.kind, control: None, is_result: false })
        .collect();
    let mut claim = |region: &Region, control: Option<(usize, u32)>| {
        for NodeId(id) in &region.nodes {
            if let Some(place) = places.get_mut(*id as usize) {
                place.control = control;
                place.is_result = region.result == Some(NodeId(*id));
            }
        }
    };
    claim(&graph.root, None);
    for (index, node) in graph.nodes.iter().enumerate() {
        for (arm, region) in (0..).zip(&node.regions) {
            claim(region, Some((index, arm)));
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::diagnostics::compile;
    use crate::project::{PlanFile, lockfile};

    fn event(kind: v1::RunEventKind, node: &str, iteration: &[u32], state: &str) -> v1::RunEvent {
        v1::RunEvent {
            kind: kind.into(),
            node: node.into(),
            iteration: iteration.into(),
            state: state.into(),
            ..v1::RunEvent::default()
        }
    }

    fn sent(node: &str, iteration: &[u32], attempt: u32) -> v1::RunEvent {
        let operation = "sn22.web_crawl".to_owned();
        v1::RunEvent {
            attempt,
            operation,
            ..event(v1::RunEventKind::AttemptSent, node, iteration, "running")
        }
    }

    /// What a terminal of `width` columns shows, without colours and times.
    fn shown(tree: &Tree, width: usize) -> String {
        console::strip_ansi_codes(&tree.text(width, tree.started)).replace("  0.0 s", "")
    }

    #[test]
    fn what_is_under_way_stands_below_the_loop_it_belongs_to() {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plans/competitive_analysis.orch");
        let file = PlanFile::read(&path).unwrap();
        let compiled = compile(&file, &lockfile::load(&file.folder()).unwrap());
        let (plan, bound) = compiled.compilation.plan("analyse").unwrap();
        let mut tree = Tree::new(plan, bound);
        let node = v1::RunEventKind::Node;
        let begin = |node_name: &str, iteration: &[u32], elements: &str| v1::RunEvent {
            message: elements.into(),
            ..event(node, node_name, iteration, "running")
        };
        tree.event(&begin("claims", &[], "2"));
        // Element 1 gets ahead of element 0, and its loop begins first.
        tree.event(&begin("pages", &[1], "4"));
        tree.event(&sent("text", &[1, 2], 1));
        tree.event(&sent("found", &[0], 1));
        tree.event(&sent("text", &[1, 0], 2));
        insta::assert_snapshot!(shown(&tree, 80), @r"
        analyse  0 calls done  nothing spent of at most 0.42 USD
          claims  0 of 2
          │ found[0]  sn22.web_crawl
          │ pages[1]  0 of 4
          │ │ text[1][0]  sn22.web_crawl, attempt 2
          │ │ text[1][2]  sn22.web_crawl
        ");
        for step in [
            event(node, "text", &[1, 2], "succeeded"),
            event(node, "value", &[1, 2], "succeeded"),
            event(node, "found", &[0], "failed"),
            event(node, "text", &[1, 0], "waiting"),
        ] {
            tree.event(&step);
        }
        insta::assert_snapshot!(shown(&tree, 50), @r"
        analyse  1 calls done, 1 failed  nothing spent…
          claims  0 of 2
          │ pages[1]  1 of 4
          │ │ text[1][0]  waits to try again
        ");
    }

    #[test]
    fn no_more_lines_than_fit_a_small_terminal() {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plans/competitive_analysis.orch");
        let file = PlanFile::read(&path).unwrap();
        let compiled = compile(&file, &lockfile::load(&file.folder()).unwrap());
        let (plan, bound) = compiled.compilation.plan("analyse").unwrap();
        let mut tree = Tree::new(plan, bound);
        for index in 0..=u32::try_from(LINES_MAX).unwrap() {
            assert_eq!(shown(&tree, 80).lines().count(), 1 + index as usize);
            tree.event(&sent("found", &[index], 1));
        }
        assert!(
            shown(&tree, 80).ends_with("found[15]  sn22.web_crawl\n  and 1 more"),
            "{}",
            shown(&tree, 80)
        );
    }
}
