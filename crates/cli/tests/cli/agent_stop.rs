//! The end of `orch mcp` by a signal while a call is open.

use std::sync::Mutex;
use std::sync::mpsc::channel;

use serde_json::json;

use crate::agent::{Agent, configure};
use crate::documents::{Answer, Documents};
use crate::orch::Folder;

#[test]
fn a_call_that_is_open_when_a_signal_comes_is_answered_and_what_it_cost_is_kept() {
    for signal in ["TERM", "INT"] {
        let folder = Folder::project();
        let (arrived, arrivals) = channel();
        let (_until_the_end, held) = channel::<()>();
        let held = Mutex::new(held);
        let subnet = Documents::serve(move |_| {
            arrived.send(()).unwrap();
            let _ = held.lock().unwrap().recv();
            Answer::ok("{}")
        });
        configure(&folder, &subnet.origin);
        let mut agent = Agent::start(&folder, &["--spend-max", "1USD"]);
        let call = json!({
            "operation": "sn22.web_search", "arguments_json": "{\"query\": \"a\"}", "cost_max": "0.005 USD",
            "timeout_seconds": 600,
        });
        agent.ask(2, "call", &call);
        arrivals.recv().unwrap();
        agent.signal(signal);
        let (code, said) = agent.ended();
        assert_eq!(code, Some(0), "{said:?}");
        let answer = said.iter().find(|answer| answer["id"] == 2).unwrap_or_else(|| panic!("{said:?}"));
        let told = answer["result"]["content"][0]["text"].as_str().unwrap();
        let told: serde_json::Value = serde_json::from_str(told).unwrap();
        let listed = folder.orch(["runs", "list", "--json"]).succeeds().json();
        let run = &listed["runs"][0];
        assert_eq!((&told["error"]["code"], &told["error"]["run"]), (&json!("E1508"), &run["run"]), "{told}");
        // It was sent: what it may have cost counts.
        assert_eq!((&run["state"], &run["total"]["units"]), (&json!("cancelled"), &json!(5_000)), "{listed}");
    }
}
