//! A graph as shapes on a plane: a card for a step, a frame for what holds others, a wire for an edge.

use std::collections::BTreeMap;

use plan_ir::explain::time;
use plan_ir::graph::NodeKind;
use schema::price::PriceBasis;

use super::measure::{widest, wrap};
use crate::graph::{Cost, GraphNode, PlanGraph, RegionKind};
use crate::layout::{Point, Size, layout};

/// Widest a row of steps gets before it is broken.
const ROW_WIDTH_MAX: f64 = 900.0;
/// Widest text in a card.
const TEXT_WIDTH_MAX: f64 = 210.0;
/// Narrowest card.
const CARD_WIDTH_MIN: f64 = 40.0;
/// Blank between the border of a card and its text.
const CARD_PAD: f64 = 11.0;
/// Blank between the border of a frame and what is in it.
const FRAME_PAD: f64 = 14.0;
/// Blank between two arms.
const ARM_GAP: f64 = 12.0;
/// Lines of one label: more than the names and steps of a plan take that was written by a person.
const LABEL_LINES_MAX: usize = 12;
/// More edges than this in one frame, and those that the others imply are left out.
const EDGES_MAX: usize = 160;

/// What a line of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineKind {
    Name,
    Detail,
    Cost,
    When,
}

impl LineKind {
    pub(super) const fn size(self) -> f64 {
        match self {
            Self::Name => 13.0,
            Self::Detail | Self::Cost | Self::When => 11.0,
        }
    }

    pub(super) const fn is_bold(self) -> bool {
        matches!(self, Self::Name | Self::Cost)
    }

    const fn height(self) -> f64 {
        match self {
            Self::Name => 17.0,
            Self::Detail | Self::Cost | Self::When => 15.0,
        }
    }

    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Detail => "detail",
            Self::Cost => "cost",
            Self::When => "when",
        }
    }
}

/// A line of text with the height of its base line in its box.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TextLine {
    pub(super) kind: LineKind,
    pub(super) text: String,
    pub(super) base: f64,
}

/// What a shape stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Step(u32),
    SubPlan(u32),
    Arm(u32),
}

/// A rectangle with text in its upper left corner.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shape {
    pub(super) subject: Subject,
    /// Whether it holds others.
    pub(super) is_frame: bool,
    pub(super) corner: Point,
    pub(super) size: Size,
    pub(super) lines: Vec<TextLine>,
}

/// The points of an edge, as those of [`crate::layout::Layout::routes`].
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wire {
    pub(super) points: Vec<(Point, Point)>,
    pub(super) implied: bool,
}

/// All shapes, those that hold others before those in them.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scene {
    pub(super) shapes: Vec<Shape>,
    pub(super) wires: Vec<Wire>,
    pub(super) size: Size,
}

/// Steps and frames that are laid out together.
struct Group {
    /// The group and item that this one is in.
    within: Option<(usize, usize)>,
    depth: usize,
    items: Vec<Item>,
    /// Pairs of items, and whether all edges between them are implied.
    edges: BTreeMap<(usize, usize), bool>,
    corners: Vec<Point>,
    routes: Vec<(Vec<(Point, Point)>, bool)>,
    size: Size,
}

/// A step or sub-plan in a group.
struct Item {
    subject: Subject,
    lines: Vec<TextLine>,
    /// The groups in it with their corners in it and what is said above each; empty for a card.
    inner: Vec<Inner>,
    size: Size,
}

struct Inner {
    group: usize,
    /// The region, for an arm with a frame of its own.
    arm: Option<u32>,
    lines: Vec<TextLine>,
    corner: Point,
}

/// Arranges a graph.
pub(super) fn arrange(graph: &PlanGraph) -> Scene {
    let mut arranger = Arranger { graph, groups: Vec::new(), homes: vec![(0, 0); graph.nodes.len()] };
    arranger.open(0, 0, None);
    arranger.join();
    // Groups come after those they are in.
    for group in (0..arranger.groups.len()).rev() {
        arranger.lay_out(group);
    }
    arranger.scene()
}

struct Arranger<'a> {
    graph: &'a PlanGraph,
    groups: Vec<Group>,
    /// Group and item of each step.
    homes: Vec<(usize, usize)>,
}

impl Arranger<'_> {
    /// Makes the group for what `sub_plan` itself does in `region`, and those within it, without recursion: a list of
    /// groups that still have to be filled.
    fn open(&mut self, region: u32, sub_plan: u32, within: Option<(usize, usize)>) {
        let nodes = self.graph.region(region).map_or_else(Vec::new, |region| region.nodes.clone());
        let mut open = vec![(nodes, sub_plan, within, None::<(u32, bool)>)];
        while let Some((nodes, sub_plan, within, arm)) = open.pop() {
            let group = self.groups.len();
            let depth =
                within.and_then(|(outer, _)| self.groups.get(outer)).map_or(0, |outer| outer.depth + 1);
            if let Some(item) =
                within.and_then(|(outer, item)| self.groups.get_mut(outer)?.items.get_mut(item))
            {
                let lines = arm.map_or_else(Vec::new, |(region, _)| arm_lines(self.graph, region));
                let arm = arm.filter(|(_, framed)| *framed).map(|(region, _)| region);
                item.inner.push(Inner { group, arm, lines, corner: Point { x: 0.0, y: 0.0 } });
            }
            let mut filled = Group {
                within,
                depth,
                items: Vec::new(),
                edges: BTreeMap::new(),
                corners: Vec::new(),
                routes: Vec::new(),
                size: Size { width: 0.0, height: 0.0 },
            };
            let mut later = Vec::new();
            let mut runs: BTreeMap<u32, (usize, Vec<u32>)> = BTreeMap::new();
            for id in nodes {
                let Some(node) = self.graph.node(id) else { continue };
                match self.child_on_the_way(sub_plan, node.sub_plan) {
                    Some(child) => {
                        let (item, steps) = runs.entry(child).or_insert_with(|| {
                            filled
                                .items
                                .push(Item::new(Subject::SubPlan(child), sub_plan_lines(self.graph, child)));
                            (filled.items.len() - 1, Vec::new())
                        });
                        steps.push(id);
                        if let Some(home) = self.homes.get_mut(id as usize) {
                            *home = (group, *item);
                        }
                    }
                    None => {
                        let item = filled.items.len();
                        filled.items.push(Item::new(Subject::Step(id), step_lines(self.graph, node)));
                        if let Some(home) = self.homes.get_mut(id as usize) {
                            *home = (group, item);
                        }
                        for region in &node.regions {
                            let Some(region) = self.graph.region(*region) else { continue };
                            let framed = region.kind == RegionKind::Arm;
                            let inner = region.nodes.clone();
                            later.push((
                                inner,
                                node.sub_plan,
                                Some((group, item)),
                                Some((region.id, framed)),
                            ));
                        }
                    }
                }
            }
            later.extend(
                runs.into_iter().map(|(child, (item, steps))| (steps, child, Some((group, item)), None)),
            );
            self.groups.push(filled);
            // The first is to be made first.
            open.extend(later.into_iter().rev());
        }
    }

    /// The sub-plan that `outer` runs itself and that `inner` is or is in; `None` for `outer` itself.
    fn child_on_the_way(&self, outer: u32, inner: u32) -> Option<u32> {
        let mut at = inner;
        // Each is after the one that runs it, so this ends.
        while at > outer {
            let parent = self.graph.sub_plans.get(at as usize)?.parent?;
            if parent == outer {
                return Some(at);
            }
            if parent >= at {
                return None;
            }
            at = parent;
        }
        None
    }

    /// Gives each edge to the group in which its ends are different items.
    fn join(&mut self) {
        for edge in &self.graph.edges {
            let ends = self.homes.get(edge.from as usize).zip(self.homes.get(edge.to as usize));
            let Some((&(mut from), &(mut to))) = ends else { continue };
            while from.0 != to.0 {
                let depth = |home: (usize, usize)| self.groups.get(home.0).map_or(0, |group| group.depth);
                let lift = |home: (usize, usize)| self.groups.get(home.0).and_then(|group| group.within);
                let deeper = if depth(from) > depth(to) { &mut from } else { &mut to };
                let Some(outer) = lift(*deeper) else { break };
                *deeper = outer;
            }
            if from.0 == to.0
                && from.1 != to.1
                && let Some(group) = self.groups.get_mut(from.0)
            {
                let implied = group.edges.entry((from.1, to.1)).or_insert(true);
                *implied &= edge.implied;
            }
        }
    }

    fn lay_out(&mut self, at: usize) {
        let sizes: Vec<Size> = self.groups.iter().map(|group| group.size).collect();
        let Some(group) = self.groups.get_mut(at) else { return };
        for item in &mut group.items {
            item.fit(&sizes);
        }
        let many = group.edges.len() > EDGES_MAX;
        let edges: Vec<((usize, usize), bool)> = group
            .edges
            .iter()
            .filter(|(_, implied)| !(many && **implied))
            .map(|(edge, i)| (*edge, *i))
            .collect();
        let pairs: Vec<(usize, usize)> = edges.iter().map(|(pair, _)| *pair).collect();
        let item_sizes: Vec<Size> = group.items.iter().map(|item| item.size).collect();
        let laid_out = layout(&item_sizes, &pairs, ROW_WIDTH_MAX);
        group.corners = laid_out.corners;
        group.size = laid_out.size;
        group.routes =
            laid_out.routes.into_iter().zip(edges).map(|(route, (_, implied))| (route, implied)).collect();
    }

    fn scene(self) -> Scene {
        let size = self.groups.first().map_or(Size { width: 0.0, height: 0.0 }, |group| group.size);
        let mut scene = Scene { shapes: Vec::new(), wires: Vec::new(), size };
        let mut corners = vec![Point { x: 0.0, y: 0.0 }; self.groups.len()];
        // Groups come after those they are in, so that their corners are known.
        for (at, group) in self.groups.iter().enumerate() {
            let origin = corners.get(at).copied().unwrap_or(Point { x: 0.0, y: 0.0 });
            let moved = |point: Point| Point { x: origin.x + point.x, y: origin.y + point.y };
            for (item, corner) in group.items.iter().zip(&group.corners) {
                let corner = moved(*corner);
                scene.shapes.push(Shape {
                    subject: item.subject,
                    is_frame: !item.inner.is_empty(),
                    corner,
                    size: item.size,
                    lines: item.lines.clone(),
                });
                for inner in &item.inner {
                    let inner_corner = Point { x: corner.x + inner.corner.x, y: corner.y + inner.corner.y };
                    let inner_size = self.groups.get(inner.group).map_or(size, |group| group.size);
                    if let Some(slot) = corners.get_mut(inner.group) {
                        *slot = inner_corner;
                    }
                    if let Some(arm) = inner.arm {
                        scene.shapes.push(arm_shape(arm, inner, inner_corner, inner_size));
                    }
                }
            }
            scene.wires.extend(group.routes.iter().map(|(route, implied)| Wire {
                points: route.iter().map(|(a, b)| (moved(*a), moved(*b))).collect(),
                implied: *implied,
            }));
        }
        scene
    }
}

/// Room that an arm takes beyond what is in it: left, above, right and below.
fn arm_margin(inner: &Inner) -> (f64, f64, f64, f64) {
    match inner.arm {
        Some(_) => (FRAME_PAD, text_height(&inner.lines) + 12.0, FRAME_PAD, FRAME_PAD),
        None => (0.0, 0.0, 0.0, 0.0),
    }
}

fn arm_shape(arm: u32, inner: &Inner, corner: Point, size: Size) -> Shape {
    let (left, above, right, below) = arm_margin(inner);
    let width = arm_width(inner, size) - left - right;
    Shape {
        subject: Subject::Arm(arm),
        is_frame: true,
        corner: Point { x: corner.x - left, y: corner.y - above },
        size: Size { width: width + left + right, height: size.height + above + below },
        lines: inner.lines.clone(),
    }
}

fn arm_width(inner: &Inner, size: Size) -> f64 {
    let (left, _, right, _) = arm_margin(inner);
    (size.width + left + right).max(widest(&inner.lines) + 2.0 * CARD_PAD)
}

impl Item {
    fn new(subject: Subject, lines: Vec<TextLine>) -> Self {
        Self { subject, lines, inner: Vec::new(), size: Size { width: 0.0, height: 0.0 } }
    }

    /// Places what is in it, in rows, and takes the size that this needs.
    fn fit(&mut self, sizes: &[Size]) {
        let text = widest(&self.lines) + 2.0 * CARD_PAD;
        if self.inner.is_empty() {
            let width = text.max(CARD_WIDTH_MIN);
            self.size = Size { width, height: text_height(&self.lines) + 14.0 };
            return;
        }
        let top = text_height(&self.lines) + 16.0;
        let (mut x, mut y, mut row_height, mut right) = (FRAME_PAD, top, 0.0_f64, text - FRAME_PAD);
        for inner in &mut self.inner {
            let size = sizes.get(inner.group).copied().unwrap_or(Size { width: 0.0, height: 0.0 });
            let (left, above, _, below) = arm_margin(inner);
            let (width, height) = (arm_width(inner, size), size.height + above + below);
            if x > FRAME_PAD && x + width > ROW_WIDTH_MAX {
                (x, y, row_height) = (FRAME_PAD, y + row_height + ARM_GAP, 0.0);
            }
            inner.corner = Point { x: x + left, y: y + above };
            right = right.max(x + width);
            row_height = row_height.max(height);
            x += width + ARM_GAP;
        }
        self.size = Size { width: right + FRAME_PAD, height: y + row_height + FRAME_PAD };
    }
}

fn text_height(lines: &[TextLine]) -> f64 {
    lines.iter().map(|line| line.kind.height()).sum()
}

/// Lines below one another, each with its base line.
fn stack(lines: Vec<(LineKind, String)>) -> Vec<TextLine> {
    let mut top = 6.0;
    let one = |(kind, text): (LineKind, String)| {
        top += kind.height();
        TextLine { kind, text, base: top - 4.0 }
    };
    lines.into_iter().map(one).collect()
}

fn step_lines(graph: &PlanGraph, node: &GraphNode) -> Vec<TextLine> {
    // The frame around it says which sub-plan it is part of.
    let around = graph.sub_plans.get(node.sub_plan as usize).map_or("", |sub_plan| &sub_plan.label);
    let own = node.label.strip_prefix(around).and_then(|rest| rest.strip_prefix('.'));
    let label = own.unwrap_or(&node.label);
    let mut lines = wrapped(label, LineKind::Name, TEXT_WIDTH_MAX);
    let detail = match node.kind {
        NodeKind::Ensure if label != "ensure" => "ensure".to_owned(),
        _ => node.detail.clone(),
    };
    // A frame has room for a longer line.
    let room = if node.regions.is_empty() { TEXT_WIDTH_MAX } else { 1.6 * TEXT_WIDTH_MAX };
    lines.extend(wrapped(&detail, LineKind::Detail, room));
    if let Some(cost) = &node.cost {
        lines.push((LineKind::Cost, cost_line(cost)));
    }
    stack(lines)
}

/// `≤ 0.04 USD · ≤ 8.4 s`.
pub(super) fn cost_line(cost: &Cost) -> String {
    let declared = if cost.basis == PriceBasis::Known { "" } else { " declared" };
    let time = cost.latency_us_max.map(|us| format!(" \u{b7} \u{2264} {}", time(us)));
    format!("\u{2264} {}{declared}{}", cost.cost_max, time.unwrap_or_default())
}

fn sub_plan_lines(graph: &PlanGraph, id: u32) -> Vec<TextLine> {
    let Some(sub_plan) = graph.sub_plans.get(id as usize) else { return Vec::new() };
    let around = sub_plan.parent.and_then(|parent| graph.sub_plans.get(parent as usize));
    let own = around.and_then(|around| sub_plan.label.strip_prefix(&around.label));
    let name = own.map_or(sub_plan.label.as_str(), |own| own.trim_start_matches('.'));
    let mut lines = wrapped(name, LineKind::Name, TEXT_WIDTH_MAX);
    lines.push((LineKind::Detail, "run".to_owned()));
    let cost = sub_plan.cost_max.map(|cost| format!("\u{2264} {cost}"));
    let time = sub_plan.latency_us_max.map(|us| format!("\u{2264} {}", time(us)));
    let bound: Vec<String> = cost.into_iter().chain(time).collect();
    if !bound.is_empty() {
        lines.push((LineKind::Cost, bound.join(" \u{b7} ")));
    }
    stack(lines)
}

fn arm_lines(graph: &PlanGraph, region: u32) -> Vec<TextLine> {
    let label = graph.region(region).map_or("", |region| &region.label);
    stack(wrapped(label, LineKind::When, 1.6 * TEXT_WIDTH_MAX))
}

/// A text in as many lines as it takes.
fn wrapped(text: &str, kind: LineKind, room: f64) -> Vec<(LineKind, String)> {
    let lines = wrap(text, kind.size(), kind.is_bold(), room, LABEL_LINES_MAX);
    lines.into_iter().map(|line| (kind, line)).collect()
}
