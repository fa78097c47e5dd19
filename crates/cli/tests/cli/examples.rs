//! Every plan of `examples/plans` compiles, is formatted, costs what it says, passes its tests, and runs on samples in
//! its own folder.

use std::path::Path;

use serde_json::{Value, json};

use crate::orch::{Folder, copy};

/// The plan whose bound is above its budget, because a purse is what it shows.
const WITH_A_PURSE: &str = "deepfake_screening.orch";

/// A file with its inputs and what must be true of its result.
struct Example {
    file: &'static str,
    inputs: Vec<(&'static str, Value)>,
    holds: fn(&Value) -> bool,
}

fn example(file: &'static str, inputs: &[(&'static str, Value)], holds: fn(&Value) -> bool) -> Example {
    Example { file, inputs: inputs.to_vec(), holds }
}

/// A new example needs a row here.
fn rows() -> Vec<Example> {
    let ferry = "The ferry leaves at nine and is back by noon, weather allowing. ".repeat(5);
    let machine = format!("{ferry}Furthermore, it is important to note that it is a testament to the sea.");
    vec![
        example(
            "ai_text_check.orch",
            &[(
                "submissions",
                json!([{"id": "a", "text": ferry}, {"id": "b", "text": machine}, {"id": "c", "text": "short"}]),
            )],
            |found| {
                *found
                    == json!([
                        {"id": "a", "verdict": {"Human": 0.06}},
                        {"id": "b", "verdict": {"Machine": 0.99}},
                        {"id": "c", "verdict": "TooShort"},
                    ])
            },
        ),
        example("cited_answer.orch", &[("question", json!("Halcyon versus Meridian"))], |answer| {
            answer["Found"].as_array().is_some_and(|statements| statements.len() == 4)
        }),
        example(
            "competitive_analysis.orch",
            &[("company", json!("Halcyon")), ("rivals", json!(["Meridian"]))],
            |report| report["claims"][0]["sources"][0].is_string(),
        ),
        example(
            "content_synthesis.orch",
            &[
                ("topic", json!("the bridge")),
                ("notes", json!(["The bridge was opened in 1932.", "It carries trams, cars and bicycles."])),
            ],
            |article| article["edit"] == "Kept" && article["sections"].as_array().unwrap().len() == 2,
        ),
        example(
            "deepfake_screening.orch",
            &[(
                "items",
                json!([
                    {"id": "1", "image": "https://photos.example/boat.jpg"},
                    {"id": "2", "image": "https://photos.example/generated/boat.jpg"},
                    {"id": "3", "image": "https://photos.example/blurred.jpg"},
                ]),
            )],
            |batch| {
                let fakes = [&batch["done"][0]["fake"], &batch["done"][1]["fake"]];
                fakes == [&json!(false), &json!(true)] && batch["skipped"] == json!(["3"])
            },
        ),
        example("ensemble_answer.orch", &[("question", json!("What is the capital of France?"))], |answer| {
            *answer == json!({"text": "Paris", "agreement": 1.0, "path": "Quorum"})
        }),
        example("first_links.orch", &[("query", json!("Halcyon versus Meridian"))], |links| {
            links.as_array().is_some_and(|links| links.len() == 5)
        }),
        example("gpu_offers.orch", &[("gpu", json!("h100"))], |board| {
            let markets: Vec<&Value> =
                board["cheapest"].as_array().unwrap().iter().map(|offer| &offer["market"]).collect();
            markets == ["Lium", "Targon"] && board["unreadable"] == 2
        }),
        example("market_research.orch", &[("market", json!("garden robots"))], |market| {
            let disputed = market["disputed"].as_array().unwrap();
            market["estimates"].as_array().unwrap().len() == 5
                && disputed.len() == 1
                && disputed[0]["publisher"] == "moonshot.example"
        }),
        example(
            "model_comparison.orch",
            &[("questions", json!(["What is the capital of France?", "What is the largest planet?"]))],
            |comparison| {
                let scores = comparison["scores"].as_array().unwrap();
                scores.iter().map(|score| score["wins"].as_u64().unwrap()).sum::<u64>() == 2
            },
        ),
        example(
            "nearest_match.orch",
            &[
                ("question", json!("How do I reset my password?")),
                (
                    "entries",
                    json!([
                        {"id": "invoice", "text": "Where to find an invoice"},
                        {"id": "password", "text": "Reset a forgotten password"},
                    ]),
                ),
            ],
            |nearest| nearest["Found"][0]["id"] == "password",
        ),
        example(
            "price_forecast.orch",
            &[("asset", json!("BTC")), ("known_price", json!(90_000.0))],
            |outlook| outlook["method"] == "Percentiles" && outlook["band"]["middle"] == 91_000.5,
        ),
        example("social_digest.orch", &[("terms", json!(["Halcyon", "Meridian"]))], |digest| {
            digest["posts"] == 23 && digest["loudest_complaints"].as_array().unwrap().len() == 3
        }),
    ]
}

fn examples() -> Folder {
    let folder = Folder::empty();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plans"), &folder.path("."));
    // Whoever tried them here may have left state behind.
    let _ = std::fs::remove_dir_all(folder.path(".orchestra"));
    folder
}

/// The names of the plan files, sorted.
fn files(folder: &Folder) -> Vec<String> {
    let files = folder.files(".").into_iter();
    let plans = files.filter(|path| path.extension().is_some_and(|extension| extension == "orch"));
    let mut names: Vec<String> =
        plans.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn they_compile_against_their_lock_and_are_formatted() {
    let folder = examples();
    let checked = folder.orch(["check", "--json"]).succeeds().json();
    for file in checked["files"].as_array().unwrap() {
        let codes: Vec<&str> = file["diagnostics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|found| found["code"].as_str().unwrap())
            .collect();
        let expected: &[&str] = if file["file"] == WITH_A_PURSE { &["W0901"] } else { &[] };
        assert_eq!(codes, expected, "{}", file["file"]);
    }
    folder.orch(["fmt", "--check"]).succeeds();
    let lock = || std::fs::read_to_string(folder.path("orchestra.lock")).unwrap();
    let before = lock();
    let update = folder.orch(["lock", "update"]).succeeds();
    assert!(update.err.ends_with("pins, unchanged\n"), "the lock is behind the catalogue:\n{}", update.err);
    assert_eq!(lock(), before, "the lock is of an earlier catalogue");
}

#[test]
fn each_has_tests_and_they_pass() {
    let folder = examples();
    let tested = folder.orch(["test", "--json"]).succeeds().json();
    assert_eq!(tested["failed"], 0);
    for file in tested["files"].as_array().unwrap() {
        let count = file["tests"].as_array().unwrap().len();
        assert!(
            count >= 2,
            "{} has {count} tests: the normal case, and a subnet that fails or lies",
            file["file"]
        );
    }
}

#[test]
fn each_plan_says_what_it_is_for() {
    let folder = examples();
    for file in files(&folder) {
        let text = std::fs::read_to_string(folder.path(&file)).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("plan ")) {
            let above = at.checked_sub(1).and_then(|above| lines.get(above));
            assert!(above.is_some_and(|above| above.starts_with("///")), "{file}: {line}");
        }
    }
}

/// A budget or deadline is at most so much of the bound, in percent: far above it, it would promise nothing.
const DECLARED_PERCENT_MAX: u64 = 150;

#[test]
fn each_states_its_bound_and_declares_little_more() {
    let folder = examples();
    let index = std::fs::read_to_string(folder.path("README.md")).unwrap();
    for file in files(&folder) {
        let text = std::fs::read_to_string(folder.path(&file)).unwrap();
        let explained = folder.orch(["explain", "--json", &file]).succeeds().json();
        let number = |pointer: &str| explained.pointer(pointer).unwrap().as_u64().unwrap();
        let (cost, time) = (number("/cost_max/units"), number("/latency_us_max"));
        let bound = format!("{} USD, {} s", cost as f64 / 1e6, time as f64 / 1e6);
        let row = index.lines().find(|line| line.contains(&format!("]({file})")));
        let row = row.unwrap_or_else(|| panic!("README.md does not know {file}"));
        assert!(row.contains(&bound), "README.md states another bound of {file} than {bound}: {row}");
        assert!(text.starts_with("// "), "{file} does not begin with what it is for");
        let stated = text.lines().find_map(|line| line.strip_prefix("// Bound: ")?.split_once(": "));
        assert_eq!(stated.map(|(stated, _)| stated), Some(bound.as_str()), "{file}");
        let little = |declared: u64, bound: u64| declared * 100 <= bound * DECLARED_PERCENT_MAX;
        assert!(little(number("/budget/units"), cost) && little(number("/deadline_us"), time), "{file}");
        let fits = number("/budget/units") >= cost && number("/deadline_us") >= time;
        assert_eq!(fits, file != WITH_A_PURSE, "{file}");
    }
}

#[test]
fn they_run_on_samples_and_cost_no_more_than_they_may() {
    let folder = examples();
    let rows = rows();
    let known: Vec<&str> = rows.iter().map(|row| row.file).collect();
    assert_eq!(files(&folder), known, "a new example needs its inputs in this test");
    for Example { file, inputs, holds } in rows {
        let inputs = inputs.iter().map(|(name, value)| format!("{name}={value}"));
        let args = ["run", file, "--json"].map(str::to_owned).into_iter();
        let args: Vec<String> = args.chain(inputs.flat_map(|input| ["--input".to_owned(), input])).collect();
        let ran = folder.orch(args).succeeds().json();
        assert_eq!(ran["state"], "succeeded", "{file}");
        assert!(holds(&ran["result"]), "{file}: {:#}", ran["result"]);
        let explained = folder.orch(["explain", "--json", file]).succeeds().json();
        let most = explained["budget"]["units"].as_u64().min(explained["cost_max"]["units"].as_u64());
        assert!(ran["total"]["units"].as_u64() <= most, "{file}");
    }
}
