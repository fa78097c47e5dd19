//! What earlier calls say decides whom a plan asks, in later processes too.

use serde_json::{Value, json};

use crate::documents::{Answer, Documents, Request};
use crate::orch::Folder;

const PLAN: &str = "edition 2026
use sn7 { ask as first }
use sn8 { ask as second }

capability asked(q: String(..100)) -> String

adapter sn7.ask as asked {
  request = { q }
  response = r => r.text
}

adapter sn8.ask as asked {
  request = { q }
  response = r => r.text
}

plan main(q: String(..100)) -> String with { budget: 0USD, deadline: 60s } {
  return call asked(q) with { prefer: most_reliable, timeout: 5s, max_price: 0USD }
}
";

fn document() -> Value {
    let answer =
        json!({ "type": "object", "required": ["text"], "properties": { "text": { "type": "string" } } });
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Asked", "version": "1" },
        "paths": { "/ask": { "get": {
            "operationId": "ask",
            "parameters": [{ "name": "q", "in": "query", "required": true, "schema": { "type": "string" } }],
            "responses": { "200": { "description": "", "content": { "application/json": { "schema": answer } } } },
        } } },
    })
}

/// A subnet that describes itself, and answers with this.
fn subnet(answer: Answer) -> Documents {
    Documents::serve(move |request: &Request| match request.path() {
        "/openapi.json" => Answer::ok(document().to_string()),
        _ => answer.clone(),
    })
}

#[test]
fn an_operation_that_failed_is_asked_after_one_that_has_not() {
    let broken = subnet(Answer::status(503));
    let sound = subnet(Answer::ok(json!({ "text": "fine" }).to_string()));
    let folder = Folder::empty();
    folder.write("orchestra.toml", "[development]\nallow_loopback = true\n");
    for (netuid, subnet) in [("7", &broken), ("8", &sound)] {
        let url = format!("{}/openapi.json", subnet.origin);
        folder.orch(["ledger", "add", &url, "--netuid", netuid]).succeeds();
    }
    folder.write("main.orch", PLAN);
    folder.orch(["lock", "update"]).succeeds();
    let run = || folder.orch(["run", "main.orch", "-i", "q=x"]);

    // Nothing is known: in the order of the lock.
    let failed = run().exits(1);
    assert!(failed.err.contains("unavailable"), "{}", failed.err);
    assert!(run().succeeds().out.contains("fine"));
    assert!(run().succeeds().out.contains("fine"));
    let shown = |operation: &str| folder.orch(["ledger", "show", operation]).succeeds().out;
    let line = "  lately        1 call within the hour; 33% may be expected to succeed\n";
    assert!(shown("sn7.ask").contains(line), "{}", shown("sn7.ask"));
    let document = folder.orch(["ledger", "show", "sn8.ask", "--json"]).succeeds().json();
    let known = json!({ "calls": 2, "success_share": 0.75, "latency_ms_p50": null, "latency_ms_p95": null, "charged_p50": null });
    assert_eq!(document["lately"], known);
    assert!(!shown("sn22.web_search").contains("lately"));
}

#[test]
fn what_calls_were_charged_is_shown_beside_the_price() {
    let found = json!({ "data": [] }).to_string();
    let search = Documents::serve(move |_| Answer::ok(found.clone()).with("x-desearch-cost-usd", "0.002"));
    let (folder, origin) = (Folder::empty(), &search.origin);
    folder.write(
        "orchestra.toml",
        format!(
            "[development]\nallow_loopback = true\n[endpoints]\nsn22 = \"{origin}\"\n\
             [secrets.sn22]\norigin = \"{origin}\"\nenv = \"PATH\"\n"
        ),
    );
    let lately =
        || folder.orch(["ledger", "show", "sn22.web_search", "--json"]).succeeds().json()["lately"].clone();
    for call in 1..=5 {
        folder.orch(["call", "sn22.web_search", "query=a", "--max-cost", "0.005USD"]).succeeds();
        // Few calls would tell what one caller paid.
        let charged = if call < 5 { Value::Null } else { json!({ "units": 2_000, "currency": "micro_usd" }) };
        assert_eq!(lately()["charged_p50"], charged, "{call}");
    }
    let shown = folder.orch(["ledger", "show", "sn22.web_search"]).succeeds().out;
    assert!(
        shown.contains(
            "  lately        5 calls within the hour; 86% may be expected to succeed, half within "
        ),
        "{shown}"
    );
    assert!(shown.contains(" ms, median charge 0.002 USD\n"), "{shown}");
}
