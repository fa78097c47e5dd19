//! `orch run` and `orch demo`: results, inputs, progress, interruption, runs left behind.

use std::fs;
use std::process::Stdio;

use crate::orch::{Folder, Running, shape};

#[test]
fn the_result_is_data_and_the_rest_is_chatter() {
    let folder = Folder::project_with_latency(1);
    let ran = folder.orch(["run", "plan.orch"]).succeeds();
    let result: serde_json::Value = ran.json();
    assert_eq!(result["topic"], "Halcyon versus Meridian");
    for part in [
        "run     opened",
        "call    hits -> sn22.web_search",
        "node    summary succeeded",
        "run     succeeded",
    ] {
        assert!(ran.err.contains(part), "{part}\n{}", ran.err);
    }
    let (_, table) = ran.err.split_once("\n\n").unwrap();
    let (table, proof) = table.split_once("proof ").unwrap();
    insta::assert_snapshot!(table, @r#"
    CALL     OPERATION              CALLS  ATTEMPTS        COST  BASIS
    hits     sn22.web_search            1         1  0.0025 USD  observed
    summary  sn28.chat_completions      1         1    0.02 USD  declared
    total                               2         2  0.0225 USD  at most
    "#);
    let shown = folder.proof().strip_prefix(folder.path(".")).unwrap().display().to_string();
    assert_eq!(proof, format!("{shown} (verified, level L1, signed by this runtime)\n"));
    assert_eq!(folder.orch(["run", "plan.orch", "--quiet"]).succeeds().err, "");
}

#[test]
fn a_plan_without_calls_is_not_said_to_use_samples() {
    let folder = Folder::project();
    let said = folder.orch(["run", "plan.orch"]).succeeds().err;
    assert!(said.contains("calls went to sample subnets"), "{said}");
    folder.write("double.orch", "edition 2026\nplan double(x: Int(0..9)) -> Int(0..18) { x * 2 }\n");
    let ran = folder.orch(["run", "double.orch", "--input", "x=4"]).succeeds();
    assert_eq!(ran.out, "8\n");
    assert!(!ran.err.contains("sample"), "{}", ran.err);
}

#[test]
fn a_run_is_one_json_document_for_a_program() {
    let folder = Folder::project_with_latency(1);
    let ran = folder.orch(["run", "plan.orch", "--json", "--input", "topic=Northwind"]).succeeds();
    assert_eq!(ran.err, "");
    let mut json = ran.json();
    json["result"] = "..".into();
    insta::assert_snapshot!(shape(json), @r#"
    {
      "run": "runs/<uuid>",
      "plan": "brief",
      "plan_hash": "<hash>",
      "state": "succeeded",
      "result": "..",
      "error": null,
      "costs": [
        {
          "label": "hits",
          "operation": "sn22.web_search",
          "calls": 1,
          "attempts": 1,
          "cost": {
            "units": 2500,
            "currency": "micro_usd"
          },
          "basis": "observed",
          "charged_above_agreed": false
        },
        {
          "label": "summary",
          "operation": "sn28.chat_completions",
          "calls": 1,
          "attempts": 1,
          "cost": {
            "units": 20000,
            "currency": "micro_usd"
          },
          "basis": "declared",
          "charged_above_agreed": false
        }
      ],
      "total": {
        "units": 22500,
        "currency": "micro_usd"
      },
      "total_certain": false,
      "proof": {
        "file": "<proof>",
        "id": "<hash>",
        "verdict": "verified, level L1, signed by this runtime"
      }
    }
    "#);
}

#[test]
fn events_are_json_lines_for_a_program() {
    let folder = Folder::project_with_latency(1);
    let ran = folder.orch(["run", "plan.orch", "--json", "--progress", "json"]).succeeds();
    let events: Vec<serde_json::Value> =
        ran.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seqs: Vec<u64> = events.iter().map(|event| event["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, (1..=events.len() as u64).collect::<Vec<_>>());
    let kinds = |index: usize| events[index]["kind"].as_str().unwrap();
    assert_eq!((kinds(0), kinds(events.len() - 1)), ("opened", "closed"));
    insta::assert_snapshot!(shape(events[events.len() - 1].clone()), @r#"
    {
      "seq": 10,
      "time_us": "<number>",
      "kind": "closed",
      "node": "",
      "iteration": [],
      "state": "succeeded",
      "attempt": 0,
      "operation": "",
      "message": "",
      "spent": {
        "units": 22500,
        "currency": "micro_usd"
      }
    }
    "#);
}

#[test]
fn inputs_are_checked_before_anything_starts() {
    let folder = Folder::project();
    folder.write(
        "many.orch",
        "edition 2026\nenum Mood { Calm, Loud }\nrecord Cat { lives: Int }\nplan p(name: String(1..9), mood: Mood, ages: [Int(0..99)](..3), \
         note: String?, cat: Cat?, wait: Duration?) -> String { return \"{name} {ages.len()}\" }\n",
    );
    let good = ["run", "many.orch", "--no-journal", "-i", "name=Ann", "-i", "mood=Loud", "-i", "ages=[1, 2]"];
    assert_eq!(folder.orch(good).succeeds().out, "\"Ann 2\"\n");
    let with = |args: &[&'static str]| folder.orch([&good[..], args].concat());
    assert_eq!(with(&["-i", "note=1=2"]).succeeds().out, "\"Ann 2\"\n");
    let cases: [(&[&str], &str, &str); 12] = [
        (&["-i", "name"], "E1507", "NAME=VALUE"),
        (&["-i", "name=Bob"], "E1507", "given twice"),
        (&["-i", "nmae=Bob"], "E1161", "did you mean `name`?"),
        (
            &["-i", "zzz=1"],
            "E1161",
            "it takes name: String(1..9), mood: Mood, ages: [Int(0..99)](..3), note: String?, cat: Cat?, wait: \
             Duration?",
        ),
        (&["--max-cost", "5"], "E1507", "it ends in none of TAO, rao, USD"),
        (&["--max-cost", "-1USD"], "E1507", "--max-cost"),
        (&["--plan", "q"], "E1506", "it has p"),
        (
            &["-i", r#"cat={"lives":9,"tail":1}"#],
            "E1163",
            "`Cat` has no such field; it has `lives`, at $.cat.tail",
        ),
        (&["-i", "wait=5s"], "E1163", "such as `PT5S`"),
        (&["--proof", "."], "E1503", "it is a folder"),
        (&["--proof", "/dev/null"], "E1503", "it is a device or a pipe, not a file"),
        (&["--config", "nope.toml"], "E1501", "nope.toml"),
    ];
    for (args, code, message) in cases {
        let refused = with(args);
        assert!(matches!(refused.code, 1 | 2), "{args:?}");
        assert!(refused.err.starts_with(&format!("error[{code}]: ")), "{}", refused.err);
        assert!(refused.err.contains(message) && refused.err.contains("help: "), "{}", refused.err);
    }
    let bare = |args: &[&str]| folder.orch([&["run", "many.orch"], args].concat()).exits(2).err;
    assert!(bare(&[]).contains("E1162") && bare(&[]).contains("add --input name=VALUE"));
    assert!(bare(&["-i", "name=", "-i", "mood=Calm", "-i", "ages=[]"]).contains("E1163"));
    assert!(bare(&["-i", "name=A", "-i", "mood=Mild", "-i", "ages=[]"]).contains("E1163"));
    assert!(bare(&["-i", "ages=one"]).contains("input `ages` is not JSON"));
    assert!(bare(&["-i", "name=A", "--inputs-file", "x"]).contains("cannot be used with"));
    assert!(bare(&["--inputs-file", "nope.json"]).contains("E1502"));
    assert_eq!(folder.files(".orchestra").len(), 0);
}

#[test]
fn inputs_come_from_a_file_or_standard_input() {
    let folder = Folder::project_with_latency(1);
    let inputs = "{\"topic\": \"Vantage\"}";
    folder.write("in.json", inputs);
    let from_file = folder.orch(["run", "plan.orch", "-q", "--inputs-file", "in.json"]).succeeds();
    assert!(from_file.out.contains("\"topic\": \"Vantage\""));
    let from_stdin =
        folder.orch_with_input(["run", "plan.orch", "-q", "--inputs-file", "-"], inputs).succeeds();
    assert!(from_stdin.out.contains("\"topic\": \"Vantage\""));
    let plan = folder.orch_with_input(["run", "-", "-q"], folder.read("plan.orch")).succeeds();
    assert!(plan.out.contains("topic"));
    folder.orch_with_input(["run", "-", "--inputs-file", "-"], "x").exits(2);
    for (text, code) in
        [("[1]", "E1160"), ("{\"topic\": ", "E1160"), ("{\"topic\": 5}", "E1163"), ("", "E1160")]
    {
        folder.write("in.json", text);
        let refused = folder.orch(["run", "plan.orch", "--inputs-file", "in.json", "--no-journal"]);
        if text.is_empty() {
            // Nothing at all is an object without members, and every input has a default.
            refused.succeeds();
        } else {
            assert!(refused.exits(2).err.starts_with(&format!("error[{code}]")), "{text}");
        }
    }
}

#[test]
fn a_failed_run_is_shown_at_its_place_and_still_has_a_proof() {
    let folder = Folder::project_with_latency(1);
    folder.replace("plan.orch", "best.len() > 0", "best.len() > 9");
    let failed = folder.orch(["run", "plan.orch"]).exits(1);
    assert_eq!(failed.out, "");
    let (_, error) = failed.err.split_once("error[E1150]").unwrap();
    insta::assert_snapshot!(error, @r#"
    : the run failed: nothing was found for Halcyon versus Meridian
      --> plan.orch:16:3
       |
    16 |   ensure best.len() > 9 else "nothing was found for {topic}"
       |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ ensure#2
       |
       = help: `orch explain E1150` says what it means and what to do
    "#);
    folder.orch(["proof".as_ref(), "verify".as_ref(), folder.proof().as_os_str()]).succeeds();
    let json = folder.orch(["run", "plan.orch", "--json"]).exits(1);
    assert_eq!(json.err, "");
    assert_eq!((&json.json()["state"], &json.json()["error"]["code"]), (&"failed".into(), &"E1150".into()));
}

#[test]
fn nothing_is_kept_without_a_journal() {
    let folder = Folder::project_with_latency(1);
    folder.orch(["run", "plan.orch", "-q", "--no-journal", "--proof", "p.orchproof"]).succeeds();
    assert_eq!(folder.files(".orchestra").len(), 0);
    // Its key is gone with it, so nobody vouches for it any more.
    folder.orch(["proof", "verify", "p.orchproof"]).exits(9);
}

#[test]
fn ctrl_c_cancels_the_run_settles_it_and_leaves_its_proof() {
    let folder = Folder::project_with_latency(600_000);
    let mut running = Running::start(&mut folder.command(["run", "plan.orch"]));
    running.wait_for("call    hits");
    running.signal("INT");
    let ended = running.end().exits(130);
    assert!(ended.err.contains("cancelling the run; Ctrl-C again leaves at once"), "{}", ended.err);
    assert!(ended.err.contains("error[E1508]: the run was cancelled"), "{}", ended.err);
    let shown = folder.orch(["proof".as_ref(), "show".as_ref(), folder.proof().as_os_str()]).succeeds();
    assert!(shown.out.contains("the run was cancelled\n"), "{}", shown.out);
    let mut running =
        Running::start(&mut folder.command(["run", "plan.orch", "--json", "--progress", "json"]));
    running.wait_for("attempt_sent");
    running.signal("INT");
    assert_eq!(running.end().exits(130).json()["state"], "cancelled");
}

#[test]
fn a_killed_run_is_finished_by_the_next() {
    let folder = Folder::project_with_latency(600_000);
    let mut running = Running::start(&mut folder.command(["run", "plan.orch"]));
    running.wait_for("call    hits");
    running.signal("KILL");
    running.end().exits(-1);
    folder.set_latency(1);
    // Looking something up does not spend money on it.
    folder.orch(["ledger", "search", "web"]).succeeds();
    let ran = folder.orch(["run", "plan.orch"]).succeeds();
    assert!(
        ran.err.contains("taking up runs/") && ran.err.contains("left by an earlier process"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("of `brief`: succeeded, "), "{}", ran.err);
    let proofs = folder.files(".orchestra/proofs");
    assert_eq!(proofs.len(), 2);
    for proof in proofs {
        folder.orch(["proof".as_ref(), "verify".as_ref(), proof.as_os_str()]).succeeds();
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = Folder::project();
    let mut command = folder.command(["ledger", "search", "--limit", "100"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(!String::from_utf8(output.stderr).unwrap().contains("panicked"));
}

#[cfg(target_os = "linux")]
#[test]
fn data_that_gets_nowhere_is_an_error() {
    let folder = Folder::project();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = folder.command(["ledger", "search", "web"]);
    let output = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("error[E1503]: standard output cannot be written: "), "{said}");
}

#[test]
fn the_demo_runs_and_its_proof_verifies_anywhere() {
    let folder = Folder::empty();
    let demo = folder.orch(["demo", "--data", "state"]).succeeds();
    assert_eq!(demo.json()["company"], "Halcyon");
    assert!(
        demo.err.contains("costs at most 0.42 USD") && demo.err.contains("(verified, level L1, "),
        "{}",
        demo.err
    );
    let again = demo.err.lines().last().unwrap().split_once("offline: orch ").unwrap().1;
    folder.orch(again.split(' ')).succeeds();
    let json = folder.orch(["demo", "--data", "other", "--json"]).succeeds();
    assert_eq!((&json.json()["state"], json.err.as_str()), (&"succeeded".into(), ""));
    assert_eq!(fs::read_dir(folder.path("state/proofs")).unwrap().count(), 1);
}
