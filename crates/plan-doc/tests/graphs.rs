//! Graphs of real plans in all forms, and what must hold of any.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use plan_doc::{PlanGraph, RegionKind, Svg, to_dot, to_svg, to_text};
use plan_ir::graph::NodeKind;
use plan_lang::LineIndex;

use support::{COMPARE, compiled};

/// The graph of the plan called `name`.
fn graph(text: &str, name: &str) -> PlanGraph {
    let compilation = compiled(text);
    let (plan, bound) = compilation.plan(name).unwrap();
    PlanGraph::of(plan, bound, &LineIndex::new(text))
}

/// One whose hash does not matter.
fn compare() -> PlanGraph {
    PlanGraph { plan_hash: "<hash>".into(), ..graph(COMPARE, "compare") }
}

#[test]
fn a_step_that_waits_for_many_widens_no_other_row() {
    let steps: String = (0..500).fold(String::new(), |mut text, at| {
        let _ = writeln!(text, "  let step{at} = x + {at}");
        text
    });
    let all = (0..500).map(|at| format!("step{at}")).collect::<Vec<_>>().join(", ");
    let text = to_text(&graph(&format!("plan p(x: Int(0..9)) -> Int {{\n{steps}  [{all}].len()\n}}\n"), "p"));
    let wide = text.lines().filter(|line| line.len() > 200).count();
    assert!(text.lines().any(|line| line.contains("498 499")), "{text}");
    assert_eq!(wide, 1, "{text}");
}

#[test]
fn text_shows_each_step_in_what_it_is_in() {
    insta::assert_snapshot!(to_text(&compare()));
    insta::assert_snapshot!(to_text(&graph("plan p(x: Int(0..9)) -> Int { x + 1 }", "p")), @r"
    plan p: at most 0 USD, 0 s, 0 requests

    ID  STEP    COSTS AT MOST  TAKES AT MOST  AFTER  WHAT
     0  result
    ");
}

/// An arm reads the same here and in what `orch explain` prints.
#[test]
fn arms_are_named_in_the_words_of_the_plan() {
    let text = "use sn22 { web_crawl as crawl }
enum Mood { Good, Bad(String), Worse(Mood) }
policy web = { timeout: 1s, max_price: 0.01USD }
plan p(mood: Mood, n: Int(0..9)?, purse: Amount, wait: Duration, word: String, url: Url) -> [String]
with { budget: 9USD, deadline: 24h } {
  let a = match mood { Good => call crawl(url) with web, Bad(\"x\") => \"\", Worse(Bad(_)) => \"\", _ => \"\" }
  let b = match n { 3 => call crawl(url) with web, null => \"\", _ => \"\" }
  let c = match purse { 1USD => call crawl(url) with web, _ => \"\" }
  let d = match wait { 90s => call crawl(url) with web, _ => \"\" }
  let e = match word { \"a\\n\\{\" => call crawl(url) with web, _ => \"\" }
  let f = match try call crawl(url) with web { Ok(t) => t, Err(_) => call crawl(url) with web }
  let g = if url == \"https://x.example\" { call crawl(url) with web } else { \"\" }
  [a, b, c, d, e, f, g]
}
";
    let graph = graph(text, "p");
    let arms = graph.regions.iter().filter(|region| region.kind == RegionKind::Arm);
    let arms: Vec<&str> = arms.map(|region| region.label.as_str()).collect();
    insta::assert_snapshot!(arms.join("\n"), @r#"
    if Good
    if Bad("x")
    if Worse(Bad(..))
    otherwise
    if 3
    if null
    otherwise
    if 1USD
    otherwise
    if 90s
    otherwise
    if "a\n\{"
    otherwise
    if Ok(..)
    if Err(..)
    if true
    otherwise
    "#);
    let compilation = compiled(text);
    let (plan, bound) = compilation.plan("p").unwrap();
    let explained = plan_ir::explain::explain(plan, bound);
    let told: Vec<&str> = explained
        .lines()
        .map(|line| line.trim_start_matches([' ', '├', '└', '│']))
        .filter(|line| line.starts_with("if ") || *line == "otherwise")
        .collect();
    assert_eq!(told, arms, "{explained}");
}

#[test]
fn json_is_what_an_editor_reads() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&compare()).unwrap());
}

#[test]
fn dot_has_a_cluster_for_what_holds_others() {
    insta::assert_snapshot!(to_dot(&compare()));
}

#[test]
fn svg_is_the_same_every_time() {
    insta::assert_snapshot!(Svg::in_page("p-").draw(&compare()));
}

#[test]
fn the_parts_of_a_graph_fit_together() {
    for (text, name) in all() {
        let graph = graph(&text, &name);
        let mut seen = BTreeSet::new();
        for region in &graph.regions {
            assert_eq!(region.owner.is_none(), region.kind == RegionKind::Plan);
            for id in &region.nodes {
                assert!(seen.insert(*id), "{id} is in two regions");
                assert_eq!(graph.node(*id).unwrap().region, region.id);
            }
            assert!(region.result.is_some_and(|result| region.nodes.contains(&result)));
        }
        assert_eq!(seen.len(), graph.nodes.len());
        for edge in &graph.edges {
            assert!(edge.from < edge.to && (edge.to as usize) < graph.nodes.len());
        }
        for node in &graph.nodes {
            let is_leaf = matches!(node.kind, NodeKind::Pure | NodeKind::Ensure | NodeKind::Call);
            assert_eq!(is_leaf, node.regions.is_empty());
            assert_eq!(
                node.kind == NodeKind::Call,
                node.cost.as_ref().is_some_and(|cost| !cost.rows.is_empty())
            );
            assert_eq!(node.kind == NodeKind::Call, !node.operations.is_empty());
            let place = node.span.unwrap();
            assert!(text.get(place.start as usize..place.end as usize).is_some());
            let line = text.lines().nth(place.line as usize).unwrap();
            assert!(place.column as usize <= line.len());
        }
        // What the steps of the plan cost adds up to what the plan costs.
        let rows = graph.nodes.iter().filter_map(|node| node.cost.as_ref()).flat_map(|cost| &cost.rows);
        let total: u64 = rows.filter(|row| row.in_cost).map(|row| row.cost_max.units).sum();
        assert_eq!(total, graph.cost_max.units);
    }
}

/// Order by all edges is order by those that are not implied.
#[test]
fn implied_edges_are_implied() {
    for (text, name) in all() {
        let graph = graph(&text, &name);
        let mut before: Vec<BTreeSet<u32>> = Vec::new();
        for node in &graph.nodes {
            let mut all = BTreeSet::new();
            if let Some(owner) = graph.regions[node.region as usize].owner {
                all.extend(before[owner as usize].iter().copied());
            }
            for edge in graph.edges.iter().filter(|edge| edge.to == node.id && !edge.implied) {
                assert!(!all.contains(&edge.from) || graph.edges.len() < 2);
                all.insert(edge.from);
                all.extend(before[edge.from as usize].iter().copied());
            }
            for edge in graph.edges.iter().filter(|edge| edge.to == node.id && edge.implied) {
                assert!(all.contains(&edge.from), "{} -> {} is called implied", edge.from, edge.to);
            }
            before.push(all);
        }
    }
}

#[test]
fn pictures_stand_alone_and_hold_everything() {
    for (text, name) in all() {
        let graph = graph(&text, &name);
        let svg = to_svg(&graph);
        assert_eq!(svg.matches("http").count(), 1, "only the name space");
        let document = roxmltree::Document::parse(&svg).unwrap();
        let root = document.root_element();
        let view: Vec<f64> =
            root.attribute("viewBox").unwrap().split(' ').map(|part| part.parse().unwrap()).collect();
        let mut cards = 0;
        for rect in document.descendants().filter(|node| node.has_tag_name("rect")) {
            let part = |name: &str| rect.attribute(name).unwrap().parse::<f64>().unwrap();
            assert!(part("x") >= view[0] && part("x") + part("width") <= view[0] + view[2] + 0.2);
            assert!(part("y") >= view[1] && part("y") + part("height") <= view[1] + view[3] + 0.2);
            cards += 1;
        }
        let arms = graph.regions.iter().filter(|region| region.kind == RegionKind::Arm).count();
        assert_eq!(cards, graph.nodes.len() + arms + graph.sub_plans.len() - 1);
        let ids: BTreeSet<&str> = document.descendants().filter_map(|node| node.attribute("id")).collect();
        for wire in document.descendants().filter_map(|node| node.attribute("marker-end")) {
            assert!(ids.contains(wire.trim_start_matches("url(#").trim_end_matches(')')));
        }
        for id in root.attribute("aria-labelledby").unwrap().split(' ') {
            assert!(ids.contains(id));
        }
        let dot = to_dot(&graph);
        assert_eq!(dot.matches('{').count(), dot.matches('}').count());
        assert!(to_text(&graph).lines().count() > graph.nodes.len());
    }
}

/// The fixture, and plans that are long, wide, deep and dense.
fn all() -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> =
        ["read", "answer", "compare"].map(|name| (COMPARE.to_owned(), name.to_owned())).to_vec();
    let mut chain = String::from("plan p(x: Int(0..9)) -> Int {\n  let v0 = x\n");
    let mut wide = chain.clone();
    let mut dense = chain.clone();
    for at in 1..1_000 {
        let _ = writeln!(chain, "  let v{at} = v{} + 1", at - 1);
        let _ = writeln!(wide, "  let v{at} = x + {at}");
        let _ = writeln!(dense, "  let v{at} = v{} + v{} + v{}", at - 1, at / 2, at / 3);
    }
    let sum: Vec<String> = (0..200).map(|at| format!("v{at}")).collect();
    let _ = writeln!(chain, "  v999\n}}");
    let _ = writeln!(wide, "  [{}].len()\n}}", sum.join(", "));
    let _ = writeln!(dense, "  v999\n}}");
    let mut deep = String::from(
        "use sn22 { web_crawl as crawl }\nplan p(n: Int, xs: [Url](..2)) -> String with { budget: 9USD, deadline: 24h } {\n",
    );
    for level in 0..40 {
        let _ = write!(
            deep,
            "if n == {level} {{ call crawl(url: \"https://x.example\") with {{ max_price: 0.01USD }} }} else {{ "
        );
    }
    deep.push_str("\"none\"");
    deep.push_str(&"}".repeat(41));
    all.extend([chain, wide, dense, deep].map(|text| (text, "p".to_owned())));
    all
}
