//! What a session of `orch mcp --spend-max` sets aside and counts, on the real binary with a subnet that charges what it likes.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use serde_json::{Value, json};

use crate::agent::{Agent, configure};
use crate::documents::{Answer, Documents};
use crate::orch::Folder;

/// A search that charges as many dollars for each request.
fn charging(dollars: &str) -> Answer {
    let answer = Answer::ok(r#"{"data": []}"#).with("content-type", "application/json");
    answer.with("x-desearch-cost-usd", dollars)
}

/// A run of so many searches, of which its author says that they cost next to nothing.
fn searches(count: usize, cost_max: &str) -> Value {
    let queries = (0..count).map(|number| format!("\"q{number}\"")).collect::<Vec<_>>().join(", ");
    let source = format!(
        "edition 2026\nuse sn22 {{ web_search as search }}\n\n\
         plan many() -> [Int](..{count}) with {{ budget: 0.001USD, deadline: 5m }} {{\n  \
         return for q in [{queries}] with {{ concurrency: {count} }} {{\n    \
         let found = call search(query: q) with {{ timeout: 60s, max_price: 0.000001USD }}\n    \
         found.data.len()\n  }}\n}}\n"
    );
    json!({ "source": source, "inputs_json": "{}", "cost_max": cost_max })
}

fn search() -> Value {
    json!({ "operation": "sn22.web_search", "arguments_json": "{\"query\": \"a\"}", "cost_max": "0.000001 USD" })
}

#[test]
fn each_request_whose_price_nobody_has_published_is_set_aside_and_counts_as_it_was_charged() {
    let folder = Folder::empty();
    let subnet = Documents::serve(|_| charging("0.05"));
    configure(&folder, &subnet.origin);
    let mut agent = Agent::start(&folder, &["--no-journal", "--spend-max", "0.25USD"]);
    agent.ask(2, "run_plan", &searches(30, "0.001 USD"));
    let (_, refused) = agent.answer(2);
    let error = &refused["error"];
    assert_eq!((&error["code"], &error["left"]), (&json!("E1852"), &json!("0.25 USD")), "{refused}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("30 requests whose price nobody has published count for 0.3 USD"), "{refused}");
    assert!(subnet.seen().is_empty(), "nothing was sent");

    // What was charged counts, although it is more than was set aside.
    agent.ask(3, "run_plan", &searches(3, "0.001 USD"));
    let (result, ran) = agent.answer(3);
    assert_eq!((&result["isError"], &ran["cost"]), (&json!(false), &json!("0.15 USD")), "{ran}");
    assert_eq!(subnet.seen().len(), 3);
    agent.ask(4, "run_plan", &searches(11, "0.001 USD"));
    let (_, refused) = agent.answer(4);
    assert_eq!(refused["error"]["left"], "0.1 USD", "{refused}");
    for id in [5, 6] {
        agent.ask(id, "call", &search());
        let (result, called) = agent.answer(id);
        assert_eq!((&result["isError"], &called["cost"]), (&json!(false), &json!("0.05 USD")), "{called}");
    }
    agent.ask(7, "call", &search());
    let (_, refused) = agent.answer(7);
    assert_eq!(refused["error"]["left"], "0 USD", "{refused}");
    assert_eq!(subnet.seen().len(), 2);
}

#[test]
fn what_is_under_way_leaves_no_room_for_what_does_not_fit_beside_it() {
    let folder = Folder::empty();
    let (arrived, arrivals): (Sender<()>, Receiver<()>) = channel();
    let (release, held) = channel::<()>();
    let held = Mutex::new(held);
    let subnet = Documents::serve(move |_| {
        arrived.send(()).unwrap();
        held.lock().unwrap().recv().unwrap();
        charging("0.01")
    });
    configure(&folder, &subnet.origin);
    let min = ["--no-journal", "--spend-max", "0.10USD", "--unpriced-min", "0.02USD"];
    let mut agent = Agent::start(&folder, &min);
    agent.ask(2, "run_plan", &searches(4, "0.001 USD"));
    arrivals.recv().unwrap();
    // Of 0.10 USD 0.08 are set aside; one request more fits, and two do not.
    agent.ask(3, "run_plan", &searches(2, "0.001 USD"));
    let (_, refused) = agent.answer(3);
    let error = &refused["error"];
    assert_eq!((&error["code"], &error["left"]), (&json!("E1852"), &json!("0.02 USD")), "{refused}");
    assert!(error["message"].as_str().unwrap().contains("0.08 USD reserved"), "{refused}");
    for number in 0..4 {
        release.send(()).unwrap();
        if number < 3 {
            arrivals.recv().unwrap();
        }
    }
    let (result, ran) = agent.answer(2);
    assert_eq!((&result["isError"], &ran["cost"]), (&json!(false), &json!("0.04 USD")), "{ran}");
    agent.ask(4, "run_plan", &searches(5, "0.001 USD"));
    let (_, refused) = agent.answer(4);
    assert_eq!(refused["error"]["left"], "0.06 USD", "{refused}");
}

/// A run of two pages, whose price is published, and three searches.
fn pages_and_searches() -> Value {
    let source = "edition 2026\nuse sn22 { web_crawl as crawl, web_search as search }\n\n\
         plan both(urls: [Url](2..2)) -> [Int](..3) with { budget: 0.2USD, deadline: 5m } {\n  \
         let pages = for url in urls { call crawl(url) with { timeout: 60s } }\n  \
         return for q in [\"a\", \"b\", \"c\"] {\n    \
         let found = call search(query: \"{q} {pages.len()}\") with { timeout: 60s, max_price: 0.000001USD }\n    \
         found.data.len()\n  }\n}\n";
    let urls = ["https://example.org/a", "https://example.org/b"];
    json!({ "source": source, "inputs_json": json!({ "urls": urls }).to_string(), "cost_max": "0.11 USD" })
}

#[test]
fn requests_with_and_without_a_published_price_are_set_aside_beside_one_another() {
    let folder = Folder::empty();
    let subnet = Documents::serve(|request| match request.path().starts_with("/web/crawl") {
        true => Answer::ok("A page.").with("content-type", "text/plain"),
        false => charging("0.008"),
    });
    configure(&folder, &subnet.origin);
    let shown = folder.orch(["ledger", "show", "sn22.web_crawl", "--json"]).succeeds().json();
    let mut entry = shown["entry"].clone();
    let compatible = entry["version"]["compatible"].as_u64().unwrap() + 1;
    entry["version"]["compatible"] = json!(compatible);
    entry["price"] = json!({ "kind": "per_call", "amount": { "units": 50_000, "currency": "micro_usd" } });
    entry["observed_cost"].take();
    folder.write("entry.json", entry.to_string());
    folder.orch(["ledger", "import", "entry.json"]).succeeds();

    // Two pages may cost 0.10 USD; with the least of two searches beside that all is taken, and there is a third.
    let mut agent = Agent::start(&folder, &["--no-journal", "--spend-max", "0.12USD"]);
    agent.ask(2, "run_plan", &pages_and_searches());
    let (_, refused) = agent.answer(2);
    assert_eq!(refused["error"]["left"], "0.12 USD", "{refused}");
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(
        message.contains(
            "3 requests whose price nobody has published count for 0.03 USD beside 0.1 USD for the others"
        ),
        "{refused}"
    );
    assert!(subnet.seen().is_empty(), "nothing was sent");
    drop(agent);

    let mut agent = Agent::start(&folder, &["--no-journal", "--spend-max", "0.20USD"]);
    agent.ask(2, "run_plan", &pages_and_searches());
    let (result, ran) = agent.answer(2);
    assert_eq!((&result["isError"], &ran["cost"]), (&json!(false), &json!("0.124 USD")), "{ran}");
    assert_eq!(subnet.seen().len(), 5);
    agent.ask(3, "run_plan", &pages_and_searches());
    let (_, refused) = agent.answer(3);
    assert_eq!(refused["error"]["left"], "0.076 USD", "{refused}");
}

#[test]
fn what_a_request_counts_for_at_least_goes_with_the_limit() {
    let folder = Folder::empty();
    let refused = |args: &[&str]| folder.orch([&["mcp"], args].concat()).exits(2).err;
    let mixed = refused(&["--spend-max", "1USD", "--unpriced-min", "5rao"]);
    assert!(
        mixed.contains("error[E1507]: --unpriced-min is 0.000000005 TAO, and --spend-max counts in USD"),
        "{mixed}"
    );
    let wrong = refused(&["--spend-max", "1USD", "--unpriced-min", "much"]);
    assert!(wrong.contains("error[E1507]: --unpriced-min: "), "{wrong}");
    assert!(refused(&["--unpriced-min", "1USD"]).contains("--spend-max"));
}
