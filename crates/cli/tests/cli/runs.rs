//! `orch runs`: what was run before, here and on a server.

use crate::orch::{Folder, Running};
use crate::serve::Server;

/// The runs that `orch runs list` names, newest first.
fn listed(folder: &Folder, args: &[&str]) -> Vec<String> {
    let out = folder.orch([&["runs", "list"], args].concat()).succeeds().out;
    out.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

#[test]
fn a_run_of_before_is_listed_shown_and_its_proof_is_fetched() {
    let folder = Folder::project_with_latency(1);
    assert!(listed(&folder, &[]).is_empty());
    assert!(!folder.path(".orchestra").exists(), "looking makes nothing");
    folder.orch(["run", "plan.orch", "-q"]).succeeds();
    let call = ["call", "sn22.web_search", "query=\"Meridian\"", "--max-cost", "0.005USD"];
    folder.orch(call).succeeds();
    let runs = listed(&folder, &[]);
    assert_eq!(runs.len(), 2);
    assert_eq!(listed(&folder, &["--limit", "1"]), runs[..1]);
    assert_eq!(listed(&folder, &["--plan", "sn22.web_search"]), runs[..1]);

    let name = &runs[1];
    let shown = folder.orch(["runs", "show", name]).succeeds().out;
    assert!(shown.starts_with(&format!("{name} of ")) && shown.contains("paid    0.0225 USD"), "{shown}");
    let row = shown.lines().find(|line| line.starts_with("hits ")).unwrap();
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["hits", "succeeded", "1", "sn22.web_search"]);
    let short = name.strip_prefix("runs/").unwrap();
    let json = folder.orch(["runs", "show", short, "--json"]).succeeds().json();
    assert_eq!((&json["state"], &json["steps"][0]["state"]), (&"succeeded".into(), &"succeeded".into()));
    assert_eq!(json["result"]["topic"], "Halcyon versus Meridian");
    assert_eq!(json["costs"].as_array().map(Vec::len), Some(2));

    // The first eight characters are the time but for its last seconds, which both have in common as a rule.
    let common = short.bytes().zip(runs[0].bytes().skip("runs/".len())).take_while(|(a, b)| a == b).count();
    let ((many, _), (one, _)) = (short.split_at(common), short.split_at(common + 1));
    for id in [one.to_owned(), format!("runs/{one}"), one.to_uppercase(), short.to_uppercase()] {
        let shown = folder.orch(["runs", "show", &id]).succeeds().out;
        assert!(shown.starts_with(&format!("{name} of ")), "{shown}");
    }
    for command in ["show", "cancel", "proof"] {
        let several = folder.orch(["runs", command, many]).exits(2).err;
        assert!(
            several.starts_with(&format!("error[E1523]: the ids of several runs begin with `{many}`:\n"))
        );
        assert!(several.contains(&format!("\n  {}, sn22.web_search, began 20", runs[0])), "{several}");
        assert!(several.contains(&format!("\n  {name}, brief, began 20")), "{several}");
    }
    let none = folder.orch(["runs", "show", "dead"]).err;
    assert!(none.starts_with("error[E1164]: there is no run whose id begins with `dead`\n"), "{none}");
    assert!(none.contains("`orch runs list` names the runs there are"), "{none}");
    // Too little to mean anything.
    let little = folder.orch(["runs", "show", short.split_at(3).0]).exits(2).err;
    assert!(little.starts_with("error[E1510]") && little.contains("from 4 characters on"), "{little}");

    let fetched = folder.orch(["runs", "proof", short, "--out", "again.orchproof"]).succeeds().out;
    assert!(fetched.starts_with("again.orchproof (verified, level L1, "), "{fetched}");
    folder.orch(["proof", "verify", "again.orchproof"]).succeeds();
    let none = folder.orch(["runs", "list", "--plan", "breif"]).succeeds();
    assert_eq!((none.out.as_str(), none.err.starts_with("no run here is of `breif`")), ("", true));
    for run in ["nonsense", "01a20312-e3b0-71c1-8f80-cf4a5739d298"] {
        let unknown = folder.orch(["runs", "show", run]);
        assert!(unknown.err.contains("`orch runs list` names the runs there are"), "{}", unknown.err);
    }
    for args in [["runs", "show"], ["runs", "proof"]] {
        let unknown = folder.orch([&args[..], &["01a20312-e3b0-71c1-8f80-cf4a5739d298"]].concat()).exits(2);
        assert!(unknown.err.starts_with("error[E1164]"), "{}", unknown.err);
    }
}

#[test]
fn runs_of_a_server_are_seen_from_elsewhere() {
    let folder = Folder::project_with_latency(1);
    let server = Server::start(&folder, &["127.0.0.1:0"]);
    folder.orch(["run", "plan.orch", "-q", "--server", &server.address]).succeeds();
    let elsewhere = Folder::empty();
    let runs = listed(&elsewhere, &["--server", &server.address]);
    let shown = elsewhere.orch(["runs", "show", &runs[0], "--server", &server.address]).succeeds().out;
    assert!(shown.contains("succeeded"), "{shown}");
    let proof = ["runs", "proof", &runs[0], "--out", "their.orchproof", "--server", &server.address];
    assert!(elsewhere.orch(proof).succeeds().out.contains("signed by the unknown key "));
}

/// The name of the one run that is under way.
fn underway(folder: &Folder, args: &[&str]) -> String {
    let json = folder.orch([&["runs", "list", "--json"], args].concat()).succeeds().json();
    let run = json["runs"].as_array().unwrap().iter().find(|run| run["ended"].is_null()).unwrap().clone();
    run["run"].as_str().unwrap().to_owned()
}

#[test]
fn a_run_is_cancelled_from_elsewhere_and_what_it_sent_is_booked() {
    let folder = Folder::project_with_latency(600_000);
    let server = Server::start(&folder, &["127.0.0.1:0"]);
    let mut running = Running::start(&mut folder.command(["run", "plan.orch", "--server", &server.address]));
    running.wait_for("call    hits");
    let elsewhere = Folder::empty();
    let at = ["--server", server.address.as_str()];
    let run = underway(&elsewhere, &at);
    let cancel =
        |json: &[&str]| elsewhere.orch([&["runs", "cancel", &run], &at[..], json].concat()).succeeds();
    let said = cancel(&[]).out;
    // The search had been sent and its charge is not known, so it is booked at its limit.
    assert_eq!(said, format!("{run} of brief: cancelled, paid at most 0.004 USD\n"));
    let ended = running.end().exits(130);
    assert!(ended.err.contains("the run was cancelled"), "{}", ended.err);
    assert!(cancel(&[]).out.contains("had ended before: cancelled"));
    let json = cancel(&["--json"]).json();
    assert_eq!((&json["state"], &json["costs"][0]["basis"]), (&"cancelled".into(), &"assumed".into()));
    assert_eq!(json["cancelled"], false, "it had been before");
    let proof = ["runs", "proof", &run, "--out", "their.orchproof", at[0], at[1]];
    elsewhere.orch(proof).succeeds();
    let shown = elsewhere.orch(["proof", "show", "their.orchproof"]).exits(9).out;
    assert!(shown.contains("the run was cancelled\n"), "{shown}");
    let row = shown.lines().find(|line| line.starts_with("hits ")).unwrap();
    assert!(row.contains(" cancelled ") && !shown.contains("failed, E1156"), "{shown}");
}

#[test]
fn a_run_that_a_killed_process_left_is_cancelled_without_going_on() {
    let folder = Folder::project_with_latency(600_000);
    let mut running = Running::start(&mut folder.command(["run", "plan.orch"]));
    running.wait_for("call    hits");
    running.signal("KILL");
    running.end().exits(-1);
    folder.set_latency(1);
    let run = underway(&folder, &[]);
    let json = folder.orch(["runs", "cancel", &run, "--json"]).succeeds().json();
    assert_eq!((&json["cancelled"], &json["state"]), (&true.into(), &"cancelled".into()));
    assert_eq!((&json["total"]["units"], &json["total_certain"]), (&4_000.into(), &false.into()));
    let shown = folder.orch(["runs", "show", &run, "--json"]).succeeds().json();
    assert_eq!((&shown["state"], &shown["steps"][0]["attempts"]), (&"cancelled".into(), &1.into()));
    // The next run has nothing to take up.
    let ran = folder.orch(["run", "plan.orch"]).succeeds();
    assert!(!ran.err.contains("taking up"), "{}", ran.err);
    for run in ["01a20312-e3b0-71c1-8f80-cf4a5739d298", "nonsense"] {
        let unknown = folder.orch(["runs", "cancel", run]);
        assert!(unknown.err.starts_with("error[E1"), "{}", unknown.err);
    }
}
