//! `orch call`: arguments, answers, receipts, exit codes.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::orch::{Folder, Running, ended, shape};
use crate::serve::Server;

const SEARCH: &str = "sn22.web_search";
const LIMIT: [&str; 2] = ["--max-cost", "0.005USD"];

/// A call with a limit.
fn search<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [&["call", SEARCH][..], args, &LIMIT].concat()
}

#[test]
fn the_answer_is_data_and_the_cost_is_one_line() {
    let folder = Folder::project_with_latency(1);
    let called = folder.orch(search(&["query=bittensor"])).succeeds();
    assert!(called.json()["data"].is_array());
    let lines: Vec<&str> = called.err.lines().collect();
    assert!(lines[0].starts_with("sn22.web_search 1.1: 0.0025 USD (observed), "), "{}", called.err);
    assert!(lines[0].contains(" ms, receipt "), "{}", called.err);
    assert_eq!(
        lines[1..],
        ["the call went to a sample subnet on this machine: `samples = true` in orchestra.toml"]
    );
    assert_eq!(folder.orch(search(&["query=bittensor", "-q"])).succeeds().err, "");
}

#[test]
fn a_program_gets_one_document() {
    let folder = Folder::project_with_latency(1);
    let called = folder.orch(search(&["query=bittensor", "--json"])).succeeds();
    assert_eq!(called.err, "");
    let mut json = called.json();
    json["result"] = "..".into();
    insta::assert_snapshot!(shape(json), @r#"
    {
      "operation": "sn22.web_search",
      "version": "1.1",
      "entry_hash": "<hash>",
      "run": "runs/<uuid>",
      "result": "..",
      "error": null,
      "costs": [
        {
          "label": "web_search",
          "operation": "sn22.web_search",
          "calls": 1,
          "attempts": 1,
          "cost": {
            "units": 2500,
            "currency": "micro_usd"
          },
          "basis": "observed",
          "charged_above_agreed": false
        }
      ],
      "total": {
        "units": 2500,
        "currency": "micro_usd"
      },
      "total_certain": true,
      "charge_remarks": [],
      "latency_us": "<number>",
      "receipt": {
        "id": "<hash>",
        "file": null,
        "verdict": null
      }
    }
    "#);
}

#[test]
fn a_receipt_is_a_proof() {
    let folder = Folder::project_with_latency(1);
    let called = folder.orch(search(&["query=a", "--receipt", "sub/a.orchproof"])).succeeds();
    assert!(
        called.err.contains("receipt sub/a.orchproof (verified, level L1, signed by this runtime)"),
        "{}",
        called.err
    );
    let verified = folder.orch(["proof", "verify", "sub/a.orchproof", "--json"]).succeeds().json();
    let id = verified["run"]["proof_id"].clone();
    let json = folder.orch(search(&["query=a", "--receipt", "b.orchproof", "--json"])).succeeds().json();
    assert_ne!(json["receipt"]["id"], id);
    folder.orch(["proof", "verify", "b.orchproof"]).succeeds();
    // Tried before anything is spent.
    assert!(folder.orch(search(&["query=a", "--receipt", "."])).exits(1).err.contains("E1503"));
    let below_a_file = folder.orch(search(&["query=a", "--receipt", "plan.orch/a.orchproof"])).exits(1);
    assert!(below_a_file.err.contains("a part of the path is no folder"), "{}", below_a_file.err);
    // Of a call without an answer, too; the samples find nothing at their own address.
    folder.write("orchestra.toml", nowhere());
    let refused = folder.orch(search(&["query=a", "--receipt", "c.orchproof"])).exits(1);
    assert!(refused.err.contains("error[E1141]: the call failed: "), "{}", refused.err);
    assert!(refused.err.contains("; it cost 0 USD"), "{}", refused.err);
    folder.orch(["proof", "verify", "c.orchproof"]).succeeds();
}

/// A configuration whose search is at an address where nobody listens.
fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    format!(
        "[development]\nallow_loopback = true\n[endpoints]\nsn22 = \"http://{address}\"\n\
         [secrets.sn22]\norigin = \"http://{address}\"\nenv = \"PATH\"\n"
    )
}

#[test]
fn arguments_are_read_as_the_schema_has_them() {
    let folder = Folder::project_with_latency(1);
    folder.write("q.txt", "from a file");
    folder.write("all.json", r#"{"query": "whole", "start": 2}"#);
    for args in [
        &["query=5"][..],
        &["query=5", "start=3"],
        &["query:=\"5\"", "start:=3"],
        &["query=@q.txt"],
        &["query={}", "start=null"],
        &["--args", r#"{"query": "a", "start": 3}"#],
        &["--args", r#"{"query": "a"}"#, "start=3"],
        &["--args", "@all.json"],
    ] {
        folder.orch(search(&[args, &["-q"]].concat())).succeeds();
    }
    folder.orch_with_input(search(&["--args", "-"]), r#"{"query": "a"}"#).succeeds();
    let cases: [(&[&str], &str, &str); 12] = [
        (&[], "E1162", "`query` is missing: give a value of type String(1..)"),
        (&["qeury=a"], "E1161", "there is no input `qeury`; did you mean `query`?"),
        (&["query=a", "zzz=1"], "E1161", "there is no input `zzz`"),
        (&["query=a", "start=x"], "E1163", "at $.start"),
        (&["query=a", "start=-1"], "E1163", "at $.start"),
        (&["query:=5"], "E1163", "at $.query"),
        (&["query="], "E1163", "at $.query"),
        (&["--args", "[1]"], "E1160", "they are a list"),
        (&["query"], "E1507", "NAME=VALUE"),
        (&["{\"query\": \"a\"}"], "E1507", "one JSON object with all arguments goes to --args"),
        (&["query=a", "query=b"], "E1507", "given twice"),
        (&["query:=a"], "E1507", "argument `query` is not JSON"),
    ];
    for (args, code, message) in cases {
        let refused = folder.orch(search(args)).exits(2);
        assert!(refused.err.starts_with(&format!("error[{code}]: ")), "{args:?}\n{}", refused.err);
        assert!(refused.err.contains(message), "{args:?}\n{}", refused.err);
        if code != "E1507" {
            assert!(refused.err.contains("= help: sn22.web_search takes"), "{}", refused.err);
        }
    }
    // No switch of ours is like it.
    let switch = folder.orch(search(&["--query", "a"])).exits(2).err;
    assert!(
        switch.contains("tip: an argument of the operation is written `query=VALUE`, without `--`"),
        "{switch}"
    );
    assert!(!switch.contains("--quiet"), "{switch}");
    let misspelt = folder.orch(search(&["query=a", "--max-cots", "1USD"])).exits(2).err;
    assert!(misspelt.contains("a similar argument exists: '--max-cost'"), "{misspelt}");
    assert!(folder.orch(search(&["query=@nope.txt"])).exits(2).err.contains("E1502"));
    assert!(folder.orch(search(&["--args", "[1]", "query=a"])).exits(2).err.contains("E1160"));
}

#[test]
fn an_argument_without_a_name_or_a_file_is_told_so() {
    let folder = Folder::project();
    for (argument, says) in [
        ("=a", "`=a` is not of the form NAME=VALUE"),
        (":=1", "`:=1` is not of the form NAME=VALUE"),
        ("query=@", "argument `query`: `@` names no file"),
    ] {
        let refused = folder.orch(search(&[argument])).exits(2).err;
        assert!(refused.starts_with("error[E1507]: ") && refused.contains(says), "{argument}: {refused}");
    }
}

#[test]
fn the_words_that_an_argument_may_be_are_told() {
    let folder = Folder::project();
    let refused = folder.orch(["call", "sn50.volatility", "asset=Btc", "--max-cost", "1USD"]).exits(2).err;
    assert!(refused.contains(r#"expected VolatilityInputAsset ("BTC", "ETH", "SOL""#), "{refused}");
    assert!(refused.contains("required  BTC, ETH, SOL"), "{refused}");
    let shown = folder.orch(["ledger", "show", "sn50.volatility"]).succeeds().out;
    assert!(
        shown.contains(r#"enum VolatilityInputHorizon { V1h, V24h }  // in JSON: "1h", "24h""#),
        "{shown}"
    );
}

#[test]
fn what_an_operation_takes_is_one_command_away() {
    let folder = Folder::project();
    insta::assert_snapshot!(folder.orch(["call", SEARCH, "--help"]).succeeds().out);
    insta::assert_snapshot!(folder.orch(["call", SEARCH]).exits(2).err);
    let help = folder.orch(["call", "--help"]).succeeds().out;
    assert!(help.contains("--max-cost") && help.contains("NAME=VALUE"), "{help}");
    assert!(folder.orch(["call"]).exits(2).err.contains("OPERATION"));
}

#[test]
fn what_does_not_exist_is_told_with_what_was_meant() {
    let folder = Folder::project();
    let unknown = |id: &str| folder.orch(["call", id, "query=a"]).exits(2).err;
    assert!(unknown("sn22.web_serch").contains("error[E1201]"));
    assert!(unknown("sn22.web_serch").contains("did you mean `sn22.web_search`?"));
    for subnet in ["sn22", "SN22", "22"] {
        assert!(unknown(subnet).contains("sn22 is a subnet; its operations are sn22."), "{subnet}");
    }
    assert!(unknown("generate").contains("`generate` is a capability: `orch call cap.generate`"));
    for plan in ["plan.orch", "plans/brief"] {
        assert!(unknown(plan).contains(&format!("a plan is run: `orch run {plan}`")));
    }
    let version = folder.orch(search(&["query=a", "--version", "9.9"])).exits(2).err;
    assert!(version.contains("error[E1208]") && version.contains("it has 1.1"), "{version}");
    folder.orch(search(&["query=a", "--version", "1.1", "--help"])).succeeds();
}

#[test]
fn each_way_to_end_has_its_exit_code() {
    let folder = Folder::project_with_latency(1);
    let err =
        |args: &[&str], exit: i32| folder.orch([&["call", SEARCH, "query=a"], args].concat()).exits(exit).err;
    let unpriced = err(&[], 2);
    assert!(unpriced.contains("error[E0703]") && unpriced.contains("--max-cost 0.01USD"), "{unpriced}");
    assert!(err(&["--max-cost", "5"], 2).contains("E1507"));
    assert!(err(&["--timeout=-1s", "--max-cost", "1USD"], 2).contains("timeout"));
    assert!(err(&["--timeout", "0s", "--max-cost", "1USD"], 2).contains("E0404"));
    assert!(err(&["--timeout", "soon"], 2).contains("--timeout"));
    assert!(
        err(&["--timeout", "5"], 2).contains("`5` is no length of time; one has its unit, such as `90s`")
    );
    assert!(err(&["--server", "http://127.0.0.1:1"], 3).contains("E1504"));
    // A price that is known, and above the limit.
    folder.write("orchestra.toml", "");
    let missing = err(&LIMIT, 7);
    assert!(missing.contains("error[E1105]") && missing.contains("`orch keys add sn22`"), "{missing}");
    folder.write("orchestra.toml", nowhere());
    let failed = folder.orch(search(&["query=a", "--json"])).exits(1).json();
    assert_eq!(failed["error"]["call_kind"], "unavailable");
    assert_eq!((&failed["result"], &failed["total_certain"]), (&Value::Null, &json!(true)));
}

#[test]
fn a_known_price_is_its_own_limit() {
    let folder = Folder::project_with_latency(1);
    let mut entry = folder.orch(["ledger", "show", SEARCH, "--json"]).succeeds().json()["entry"].clone();
    entry["version"] = json!({"breaking": 1, "compatible": 2});
    entry["price"] = json!({"kind": "per_call", "amount": {"units": 4000, "currency": "micro_usd"}});
    folder.write(
        "entry.json",
        json!({"netuid": 22, "captured_on": "2026-11-01", "operations": [entry]}).to_string(),
    );
    folder.orch(["ledger", "import", "entry.json"]).succeeds();
    folder.orch(["call", SEARCH, "query=a"]).succeeds();
    folder.orch(["call", SEARCH, "query=a", "--max-cost", "0.004USD"]).succeeds();
    let above = folder.orch(["call", SEARCH, "query=a", "--max-cost", "0.0039USD"]).exits(5);
    assert!(
        above.err.contains("error[E1402]: the run may cost 0.004 USD, more than the 0.0039 USD"),
        "{}",
        above.err
    );
    assert!(above.err.contains("nothing was sent"), "{}", above.err);
    // The version that was there first is still called by its name.
    assert!(folder.orch(["call", SEARCH, "query=a", "--version", "1.1"]).exits(2).err.contains("E0703"));
}

#[test]
fn ctrl_c_cancels_the_call_and_says_what_it_cost() {
    let folder = Folder::project_with_latency(600_000);
    let mut command = folder.command(search(&["query=a", "--stream", "--timeout", "9m"]));
    let mut running = Running::start(command.stdin(Stdio::null()));
    running.wait_for("sn22.web_search sent");
    running.signal("INT");
    let stopped = running.end().exits(130);
    assert!(
        stopped.err.contains("error[E1508]: the call was cancelled; it cost at most 0.005 USD"),
        "{}",
        stopped.err
    );
}

#[test]
fn a_server_makes_calls_for_its_clients() {
    let folder = Folder::project_with_latency(1);
    let server = Server::start(&folder, &["127.0.0.1:0"]);
    let served = |args: &[&str]| {
        let mut command = folder.command(search(args));
        ended(command.args(["--server", &server.address]))
    };
    let called = served(&["query=a", "--stream", "--receipt", "a.orchproof"]).succeeds();
    assert!(called.err.contains("sn22.web_search sent\nsn22.web_search succeeded\n"), "{}", called.err);
    folder.orch(["proof", "verify", "a.orchproof"]).succeeds();
    assert!(served(&["start=1"]).exits(2).err.contains("E1162"));
    // The store is the server's.
    assert!(
        folder.orch(search(&["query=a"])).exits(6).err.contains(&format!("add --server {}", server.address))
    );
    folder.orch(search(&["query=a", "--no-journal"])).succeeds();
}

#[test]
fn a_capability_is_called_by_whatever_operation_answers() {
    let folder = Folder::project_with_latency(1);
    let called =
        folder.orch(["call", "cap.generate", "prompt=Say hello.", "--max-cost", "0.03USD"]).succeeds();
    assert!(called.json().is_string(), "{}", called.out);
    assert!(called.err.contains(".chat_completions "), "{}", called.err);
    let json = folder
        .orch(["call", "cap.generate", "prompt=x", "--max-cost", "0.03USD", "--json"])
        .succeeds()
        .json();
    assert!(json["operation"].as_str().unwrap().ends_with(".chat_completions"));

    let help = folder.orch(["call", "cap.generate", "--help"]).succeeds().out;
    for part in ["Usage: orch call cap.generate prompt=..", "model   String?", "answers String;"] {
        assert!(help.contains(part), "{help}");
    }
    let missing = folder.orch(["call", "cap.generate"]).exits(2).err;
    assert!(missing.starts_with("error[E1162]") && missing.contains("cap.generate takes"), "{missing}");
    let unknown = folder.orch(["call", "cap.generat", "prompt=x"]).exits(2).err;
    assert!(unknown.starts_with("error[E1202]") && unknown.contains("`generate`"), "{unknown}");
    let dear = folder.orch(["call", "cap.web_search", "query=x"]).exits(2).err;
    assert!(dear.starts_with("error[E0703]"), "{dear}");
}

#[test]
fn without_a_journal_the_entries_of_the_project_are_known() {
    let folder = Folder::project_with_latency(1);
    folder.write(
        "ask.toml",
        "url = \"https://api.example.invalid/v1/ask\"\nanswer_complete = true\n\n[answer]\ntext = \"so\"\n",
    );
    folder.orch(["ledger", "add", "ask.toml", "--netuid", "7", "--example"]).succeeds();
    let call = ["call", "sn7.ask", "--no-journal", "--max-cost", "0USD"];
    // Nobody is there, and who is asked is known.
    let asked = folder.orch(call).exits(1);
    assert!(asked.err.starts_with("error[E1141]"), "{}", asked.err);
    // Nothing is kept of it.
    assert!(folder.orch(["runs", "list"]).succeeds().out.is_empty());
    // The same beside a server, which goes on as before.
    let server = Server::start(&folder, &["127.0.0.1:0"]);
    let beside = folder.orch(call).exits(1);
    assert!(beside.err.starts_with("error[E1141]"), "{}", beside.err);
    folder.orch(["ledger", "show", "sn7.ask", "--server", &server.address]).succeeds();
    assert!(folder.orch(["doctor"]).out.contains("115 operations"), "one beside those of the catalogue");
    // What a plan that is kept nowhere compiles against is its lock, as ever.
    folder.orch(["run", "plan.orch", "--no-journal", "-q"]).succeeds();
    drop(server);
    // A store that cannot be read is told as that, not passed over.
    folder.write(".orchestra/orchestra.db", "no database ".repeat(1_000));
    assert!(folder.orch(call).exits(6).err.starts_with("error[E1002]"));
}

#[test]
fn arguments_have_the_names_of_tools_too() {
    let folder = Folder::project_with_latency(1);
    folder.write(
        "list.toml",
        "url = \"https://api.example.invalid/v1/list?$top=3\"\nmethod = \"GET\"\nanswer_complete = true\n\n[answer]\ntext = \"so\"\n",
    );
    folder.orch(["ledger", "add", "list.toml", "--netuid", "7", "--example"]).succeeds();
    let shown = folder.orch(["ledger", "show", "sn7.list"]).succeeds().out;
    assert!(shown.contains("    `$top`: "), "as a plan writes it: {shown}");
    let call = |arguments: &[&str]| {
        let call = ["call", "sn7.list", "--max-cost", "0USD", "--no-journal"];
        folder.orch([&call[..], arguments].concat()).exits(1)
    };
    for arguments in
        [&["_top=3"][..], &["$top=3"], &["--args", "{\"_top\": 3}"], &["--args", "{\"$top\": 3}"]]
    {
        // Nobody is there, so it was asked.
        let asked = call(arguments);
        assert!(asked.err.starts_with("error[E1141]"), "{arguments:?}: {}", asked.err);
    }
}

#[test]
fn a_limit_that_leaves_nothing_or_is_in_another_currency_is_told_as_that() {
    let folder = Folder::project_with_latency(1);
    let nothing = folder.orch(["call", "cap.generate", "prompt=x", "--max-cost", "0USD"]).exits(2);
    assert!(nothing.err.contains("a limit of 0 USD leaves nothing for a call"), "{}", nothing.err);
    let other = folder.orch(["call", "sn22.web_search", "query=a", "--max-cost", "0.001TAO"]).exits(2);
    assert!(
        other.err.starts_with("error[E0707]: ") && other.err.contains("give the limit in USD"),
        "{}",
        other.err
    );
    let help = folder.orch(["call", "--help"]).succeeds().out;
    assert!(help.contains("Usage: orch call [OPTIONS] [OPERATION] [NAME=VALUE]..."), "{help}");
}
