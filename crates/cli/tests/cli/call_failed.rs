//! `orch call` where there is no answer: what it cost all the same, when to ask again, and which run it was.

use std::process::Stdio;

use serde_json::json;

#[cfg(feature = "mcp")]
use crate::agent::Agent;
use crate::documents::{Answer, Documents};
use crate::orch::{Ended, Folder, Running};
use crate::serve::Server;

const CALL: [&str; 5] = ["call", "sn22.web_search", "query=a", "--max-cost", "0.005USD"];

/// A call of a search that answers everything alike.
fn asked(answer: &Answer, args: &[&str]) -> Ended {
    let folder = Folder::empty();
    let answer = answer.clone();
    let search = Documents::serve(move |_| answer.clone());
    configure(&folder, &search.origin);
    folder.orch([&CALL[..], args].concat())
}

/// Sends the calls of SN22 to `origin`, with a key.
fn configure(folder: &Folder, origin: &str) {
    folder.write(
        "orchestra.toml",
        format!(
            "[development]\nallow_loopback = true\n[endpoints]\nsn22 = \"{origin}\"\n\
             [secrets.sn22]\norigin = \"{origin}\"\nenv = \"PATH\"\n"
        ),
    );
}

#[test]
fn what_a_failed_call_was_charged_is_told_with_its_failure() {
    let dear = Answer::status(503).with("x-desearch-cost-usd", "0.9");
    let failed = asked(&dear, &[]).exits(1);
    for part in [
        "sn22.web_search failed: [E1406] charged 0.9 USD, above the agreed 0.005 USD\n",
        "error[E1143]: the call failed: ",
        "; it cost 0.9 USD, above agreed\n",
    ] {
        assert!(failed.err.contains(part), "{part}: {}", failed.err);
    }
    let json = asked(&dear, &["--json"]).exits(1).json();
    let row = &json["costs"][0];
    assert_eq!((&row["charged_above_agreed"], &row["attempts"]), (&json!(true), &json!(1)));
    assert_eq!((&row["cost"]["units"], &json["total"]["units"]), (&json!(900_000), &json!(900_000)));
    assert_eq!(json["charge_remarks"], json!(["[E1406] charged 0.9 USD, above the agreed 0.005 USD"]));

    let unreadable = Answer::status(503).with("x-desearch-cost-usd", "much");
    let failed = asked(&unreadable, &[]).exits(1);
    for part in ["sn22.web_search failed: [E1408] the charge that is stated", "; it cost at most 0.005 USD\n"]
    {
        assert!(failed.err.contains(part), "{part}: {}", failed.err);
    }
    let json = asked(&unreadable, &["--json"]).exits(1).json();
    assert!(json["charge_remarks"][0].as_str().unwrap().starts_with("[E1408] "), "{json}");
    assert_eq!((&json["costs"][0]["cost"], &json["total"]), (&json["total"], &json["costs"][0]["cost"]));
    assert_eq!(json["total_certain"], false);

    // Nothing is remarked where nothing is remarkable.
    let plain = asked(&Answer::status(503), &[]).exits(1);
    assert!(!plain.err.contains("sn22.web_search failed"), "{}", plain.err);
    assert_eq!(asked(&Answer::status(503), &["--json"]).exits(1).json()["charge_remarks"], json!([]));
}

#[test]
fn how_long_a_subnet_wants_to_be_left_alone_is_told_to_people_too() {
    let busy = Answer::status(429).with("retry-after", "12");
    let failed = asked(&busy, &[]).exits(1);
    assert!(failed.err.contains("= help: try again in 12 s, as the subnet asks\n"), "{}", failed.err);
    assert!(failed.err.contains("; it cost 0 USD\n"), "{}", failed.err);
    let json = asked(&busy, &["--json"]).exits(1).json();
    assert_eq!(
        (&json["error"]["retry_after_ms"], &json["costs"][0]["attempts"]),
        (&12_000.into(), &1.into())
    );
    assert!(!asked(&Answer::status(429), &[]).exits(1).err.contains("try again in"));
}

#[test]
fn a_call_whose_server_is_killed_is_found_again_by_its_run() {
    let folder = Folder::project_with_latency(600_000);
    let mut server = Server::start(&folder, &["127.0.0.1:0"]);
    let address = server.address.clone();
    let call = |json: &[&str]| {
        let args = [&CALL[..], &["--stream", "--timeout", "9m", "--server", &address], json].concat();
        Running::start(folder.command(args).stdin(Stdio::null()))
    };
    let mut told = call(&[]);
    told.wait_for("sn22.web_search sent");
    let document = call(&["--json"]);
    let elsewhere = Folder::empty();
    let runs = || elsewhere.orch(["runs", "list", "--server", &address]).succeeds().out.lines().count();
    while runs() < 2 {}
    server.signal("KILL");

    let lost = told.end().exits(3);
    let name = lost.err.split("the call is ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    for part in [
        "error[E1504]: the server at ".to_owned(),
        format!("the call is {name} there, and may cost up to 0.005 USD\n"),
        format!("= help: `orch runs show {name} --server http://{address}` says what became of it"),
    ] {
        assert!(lost.err.contains(&part), "{part}: {}", lost.err);
    }
    let json = document.end().exits(3).json();
    assert_eq!((&json["error"]["code"], &json["cost_max"]["units"]), (&"E1504".into(), &5_000.into()));

    // The server goes on with both when it starts again.
    folder.set_latency(1);
    let server = Server::start(&folder, &["127.0.0.1:0"]);
    for name in [name, json["run"].as_str().unwrap()] {
        let shown = elsewhere.orch(["runs", "show", name, "--server", &server.address]).succeeds().out;
        assert!(shown.starts_with(&format!("{name} of sn22.web_search: ")), "{shown}");
    }
}

/// An agent whose server is killed is told the name of its run, as people are.
#[test]
#[cfg(feature = "mcp")]
fn an_agent_whose_server_is_killed_is_told_the_run_of_its_call() {
    let folder = Folder::project_with_latency(600_000);
    let mut server = Server::start(&folder, &["127.0.0.1:0"]);
    let address = server.address.clone();
    let mut agent = Agent::start(&folder, &["--spend-max", "1USD", "--server", &address]);
    let arguments = json!({
        "operation": "sn22.web_search", "arguments_json": "{\"query\": \"a\"}", "cost_max": "0.005 USD",
        "timeout_seconds": 600,
    });
    agent.ask(2, "call", &arguments);
    let elsewhere = Folder::empty();
    let runs = || elsewhere.orch(["runs", "list", "--server", &address, "--json"]).succeeds().json();
    let run = loop {
        if let Some(run) = runs()["runs"][0]["run"].as_str() {
            break run.to_owned();
        }
    };
    server.signal("KILL");
    let (_, told) = agent.answer(2);
    let error = &told["error"];
    assert_eq!((&error["code"], &error["run"]), (&"E1853".into(), &run.into()), "{told}");
    assert!(error["help"].as_str().unwrap().starts_with("get_run says what became of it"), "{told}");
}

/// An agent is told where a peer charges more than was agreed, and only there.
#[test]
#[cfg(feature = "mcp")]
fn an_agent_is_told_that_a_peer_charged_above_the_limit() {
    for (charge, cost, above) in [("0.9", "0.9 USD", true), ("0.005", "0.005 USD", false)] {
        let folder = Folder::empty();
        let answer = Answer::ok(r#"{"data": []}"#).with("content-type", "application/json");
        let answer = answer.with("x-desearch-cost-usd", charge);
        let search = Documents::serve(move |_| answer.clone());
        configure(&folder, &search.origin);
        let mut agent = Agent::start(&folder, &["--no-journal", "--spend-max", "1USD"]);
        let arguments = json!({
            "operation": "sn22.web_search", "arguments_json": "{\"query\": \"a\"}", "cost_max": "0.005 USD",
        });
        agent.ask(2, "call", &arguments);
        let (result, told) = agent.answer(2);
        assert_eq!(result["isError"], false, "{told}");
        assert_eq!((&told["cost"], &told["charged_above_limit"]), (&json!(cost), &json!(above)), "{told}");
        assert_eq!(result["structuredContent"], told);
    }
}
