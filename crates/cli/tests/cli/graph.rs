//! `orch graph`: forms, choices, refusals.

use crate::orch::{Folder, shape};

#[test]
fn a_plan_is_drawn_in_every_form() {
    let folder = Folder::project();
    let text = folder.orch(["graph", "plan.orch"]).succeeds();
    insta::assert_snapshot!(text.out, @r"
    plan brief: at most 0.028 USD, 50.4 s, 3 requests

    ID  STEP     COSTS AT MOST  TAKES AT MOST  AFTER  WHAT
     0  hits        0.008 USD*         20.4 s         call sn22.web_search, 10 s each, 1 retry
     1  best                                   0
     2  ensure                                 1
     3  notes                                  2
     4  summary      0.02 USD*           30 s  3      call sn28.chat_completions | sn64.chat_completions | sn96.ch…
     5  result                                 4

    * declared: the price is the plan's own `max_price`, because none is known
    ");
    assert_eq!(folder.orch(["graph", "plan.orch", "--format", "text"]).succeeds().out, text.out);
    let svg = folder.orch(["graph", "plan.orch", "--format", "svg"]).succeeds().out;
    assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"), "{svg}");
    let dot = folder.orch(["graph", "plan.orch", "--format", "dot"]).succeeds().out;
    assert!(dot.starts_with("digraph \"brief\" {") && dot.contains("n3 -> n4;"), "{dot}");
    let json = folder.orch(["graph", "plan.orch", "--format", "json"]).succeeds().json();
    assert_eq!(json["nodes"].as_array().unwrap().len(), 6);
    assert_eq!(shape(json), shape(folder.orch(["graph", "plan.orch", "--json"]).succeeds().json()));
}

#[test]
fn the_documented_example_is_the_one_that_comes_out() {
    let folder = Folder::project();
    let json = folder.orch(["graph", "plan.orch", "--json"]).succeeds().json();
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/formats.md")).unwrap();
    let (_, section) = page.split_once("## `orch graph --format json`").unwrap();
    let block = section.split("```").nth(1).unwrap().trim_start_matches("json");
    let shown: serde_json::Value = serde_json::from_str(block).unwrap();
    for name in
        ["format", "plan", "cost_max", "latency_us_max", "calls_max", "basis", "budget", "deadline_us"]
    {
        assert_eq!(shown[name], json[name], "{name}");
    }
    assert_eq!(shown["nodes"][0], json["nodes"][0]);
    assert_eq!(shown["edges"][0], json["edges"][0]);
    let fields = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(&shown), fields(&json));
    for list in ["regions", "sub_plans"] {
        assert_eq!(fields(&shown[list][0]), fields(&json[list][0]));
    }
}

#[test]
fn what_cannot_be_drawn_is_refused_as_elsewhere() {
    let folder = Folder::project();
    let several = "edition 2026\nplan a() -> Int { 1 }\nplan b() -> Int { 2 }\n";
    let refused = folder.orch_with_input(["graph", "-"], several).exits(2);
    assert!(refused.err.contains("E1506") && refused.err.contains("--plan NAME"), "{}", refused.err);
    let chosen = folder.orch_with_input(["graph", "-", "--plan", "b"], several).succeeds();
    assert!(chosen.out.starts_with("plan b: at most 0 USD"), "{}", chosen.out);
    let broken = folder.orch_with_input(["graph", "-", "--format", "svg"], "plan a() -> Int {").exits(1);
    assert!(broken.out.is_empty() && broken.err.contains("E0116"), "{}", broken.err);
    let both = folder.orch(["graph", "plan.orch", "--json", "--format", "svg"]).exits(2);
    assert!(both.err.contains("`--json` is another format"), "{}", both.err);
    folder.orch(["graph", "nowhere.orch"]).exits(2);
}
