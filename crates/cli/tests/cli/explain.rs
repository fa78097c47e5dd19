//! `orch explain`: a plan, a code, the policies.

use crate::orch::{Folder, shape};

#[test]
fn a_plan_is_explained_with_its_costs_and_its_graph() {
    let folder = Folder::project();
    let explained = folder.orch(["explain", "plan.orch"]).succeeds();
    assert_eq!(explained.err, "");
    let (head, rest) = explained.out.split_once('\n').unwrap();
    assert!(head.starts_with("plan brief "), "{head}");
    insta::assert_snapshot!(rest, @r#"
      costs at most 0.028 USD of a budget of 0.05 USD
      takes at most 50.4 s of a deadline of 60 s
      sends at most 3 requests

      0.008 USD  20.4 s  hits (web_search)   2 attempts x 0.004 USD, declared
       0.02 USD    30 s  summary (generate)  0.02 USD, declared

      declared: the price is the plan's own `max_price`, because none is known

    graph: a step waits for those in brackets; steps without a path between them run at once

      0  hits     call sn22.web_search, 10 s each, 1 retry
      1  best     [0]
      2  ensure   [1]
      3  notes    [1 2]
      4  summary  call sn28.chat_completions | sn64.chat_completions | sn96.chat_completions, 30 s each  [2 3]
      5  result   [1 2 4]
    "#);
    // The same from standard input, with the lock of the working folder.
    let from_stdin = folder.orch_with_input(["explain", "-"], folder.read("plan.orch")).succeeds();
    assert_eq!(from_stdin.out, explained.out);
}

/// What a bound comes from is wanted most where it is too high.
#[test]
fn a_plan_beyond_its_limits_is_explained_and_refused() {
    let folder = Folder::project();
    let explained = folder.orch(["explain", "plan.orch"]).succeeds().out;
    let (_, table) = explained.split_once("a deadline of 60 s\n").unwrap();
    let original = folder.read("plan.orch");
    for (from, to, code, exit, bound) in [
        (
            "budget: 0.05USD",
            "budget: 0.02USD",
            "E0701",
            5,
            "costs at most 0.028 USD of a budget of 0.02 USD\n",
        ),
        ("deadline: 60s", "deadline: 50s", "E0704", 1, "takes at most 50.4 s of a deadline of 50 s\n"),
        (", deadline: 60s", "", "E0705", 1, "takes at most 50.4 s\n"),
    ] {
        folder.write("plan.orch", &original);
        folder.replace("plan.orch", from, to);
        let refused = folder.orch(["explain", "plan.orch"]).exits(exit);
        assert!(refused.out.contains(bound), "{}", refused.out);
        // All but the head, which has the hash and the limits.
        let (_, same) = table.split_once("\n\n").unwrap();
        assert!(refused.out.ends_with(same), "{}", refused.out);
        assert!(refused.err.starts_with(&format!("error[{code}]: ")), "{}", refused.err);
        let document = folder.orch(["explain", "plan.orch", "--json"]).exits(exit).json();
        assert_eq!(document["diagnostics"][0]["code"], code);
        assert_eq!(document["contributors"][1]["cost_max"]["units"], 20_000);
        assert_eq!(document["latency_us_max"], 50_400_000);
    }
    // Which of several is to be explained is asked for, beside what is wrong.
    let another = "\nplan another(query: String(1..80)) -> String { query }\n";
    folder.write("plan.orch", original.replace("budget: 0.05USD", "budget: 0.02USD") + another);
    let refused = folder.orch(["explain", "plan.orch"]).exits(5);
    assert!(refused.err.starts_with("plan.orch has several plans: "), "{}", refused.err);
    assert!(refused.err.contains("--plan NAME\nerror[E0701]: "), "{}", refused.err);
    let other = folder.orch(["explain", "plan.orch", "--plan", "another"]).exits(5);
    assert!(other.out.starts_with("plan another "), "{}", other.out);
    // Beside another mistake there is no bound to be trusted.
    folder.write(
        "plan.orch",
        original.replace("budget: 0.05USD", "budget: 0.02USD") + "\nfn wrong() -> Int = true\n",
    );
    let refused = folder.orch(["explain", "plan.orch"]).exits(1);
    assert_eq!(refused.out, "");
    assert!(refused.err.contains("error[E0301]"), "{}", refused.err);
}

#[test]
fn loops_and_branches_are_drawn_as_a_tree() {
    let folder = Folder::project();
    let plan = "edition 2026
use cap { web_search, generate }

plan pick(topics: [String(1..50)](1..3), deep: Bool) -> [Int]
  with { budget: 1USD, deadline: 300s }
{
  for topic in topics with { concurrency: 2, tolerate: 50% } {
    let hits = call web_search(query: topic) with {
      timeout: 5s,
      max_price: 0.01USD,
      retry: { max: 2, backoff: 100ms },
      accept: hits => hits.len() > 0,
      fallback: [],
    }
    let words = if deep {
      (call generate(prompt: \"Words for {topic}\") as [String(..40)](..8) with { timeout: 5s, max_price: 0.01USD }).len()
    } else { 0 }
    hits.len() + words
  }
}
";
    let explained = folder.orch_with_input(["explain", "-"], plan).succeeds();
    let (_, graph) = explained.out.split_once("graph: ").unwrap();
    insta::assert_snapshot!(graph, @r#"
    a step waits for those in brackets; steps without a path between them run at once

      0  for              for each, 2 at once, 50 % may fail
      1   ├ hits          call sn22.web_search, 5 s each, 2 retries, accept, fallback to a value
      2   ├ words         one of
          │ if true
      3   │   ├ generate  call sn28.chat_completions | sn64.chat_completions | sn96.chat_completions, 5 s each
      4   │   └ value     [3]
          │ otherwise
      5   │   └ value
      6   └ value         [1 2]
    "#);
}

#[test]
fn an_explained_plan_is_json_for_a_program() {
    let folder = Folder::project();
    let explained = folder.orch(["explain", "--json", "plan.orch"]).succeeds();
    insta::assert_snapshot!(shape(explained.json()), @r#"
    {
      "plan": "brief",
      "plan_hash": "<hash>",
      "cost_max": {
        "units": 28000,
        "currency": "micro_usd"
      },
      "latency_us_max": 50400000,
      "basis": "declared",
      "budget": {
        "units": 50000,
        "currency": "micro_usd"
      },
      "deadline_us": "<number>",
      "contributors": [
        {
          "node": 0,
          "label": "hits",
          "target": "web_search",
          "factors": "2 attempts x 0.004 USD",
          "cost_max": {
            "units": 8000,
            "currency": "micro_usd"
          },
          "latency_us_max": 20400000,
          "basis": "declared",
          "in_cost": true,
          "in_latency": true
        },
        {
          "node": 4,
          "label": "summary",
          "target": "generate",
          "factors": "0.02 USD",
          "cost_max": {
            "units": 20000,
            "currency": "micro_usd"
          },
          "latency_us_max": 30000000,
          "basis": "declared",
          "in_cost": true,
          "in_latency": true
        }
      ],
      "graph": {
        "nodes": [
          {
            "kind": "call",
            "label": "hits",
            "parents": [],
            "regions": []
          },
          {
            "kind": "pure",
            "label": "best",
            "parents": [
              0
            ],
            "regions": []
          },
          {
            "kind": "ensure",
            "label": "ensure",
            "parents": [
              1
            ],
            "regions": []
          },
          {
            "kind": "pure",
            "label": "notes",
            "parents": [
              1,
              2
            ],
            "regions": []
          },
          {
            "kind": "call",
            "label": "summary",
            "parents": [
              2,
              3
            ],
            "regions": []
          },
          {
            "kind": "pure",
            "label": "result",
            "parents": [
              1,
              2,
              4
            ],
            "regions": []
          }
        ],
        "root": {
          "nodes": [
            0,
            1,
            2,
            3,
            4,
            5
          ],
          "result": 5
        }
      }
    }
    "#);
}

#[test]
fn a_code_is_explained_by_its_page() {
    let folder = Folder::empty();
    let explained = folder.orch(["explain", "e0304"]).succeeds();
    assert!(explained.out.starts_with("E0304: there is no such field\n\n"), "{}", explained.out);
    let json = folder.orch(["explain", "E0304", "--json"]).succeeds().json();
    assert_eq!((&json["code"], &json["title"]), (&"E0304".into(), &"there is no such field".into()));
    assert!(json["text"].as_str().unwrap().starts_with("# E0304"));
    assert_eq!(folder.files(".").len(), 0);
}

#[test]
fn what_is_no_code_plan_or_topic_is_answered_with_the_nearest() {
    let folder = Folder::project();
    let cases = [
        ("E1799", "E1515", "those that begin with E17 are E1701, E1702, "),
        ("E9999", "E1515", "there are errors from E0101 to E1853 and warnings from W0901 to W0916"),
        ("E0399", "E1515", "those that begin with E03 are E0301, "),
        ("E304", "E1515", "did you mean E0304, there is no such field?"),
        ("0304", "E1502", "did you mean `orch explain E0304`?"),
        ("polcy", "E1502", "did you mean `orch explain policy`?"),
        ("plam.orch", "E1502", "did you mean `plan.orch`?"),
    ];
    for (word, code, help) in cases {
        let refused = folder.orch(["explain", word]).exits(2);
        assert!(
            refused.err.starts_with(&format!("error[{code}]")) && refused.err.contains(help),
            "{}",
            refused.err
        );
    }
    let refused = folder.orch(["explain", "plan.orch", "--plan", "breif"]).exits(2);
    assert!(
        refused.err.contains("E1506") && refused.err.contains("did you mean `brief`?"),
        "{}",
        refused.err
    );
}

#[test]
fn the_page_of_policies_has_every_policy_of_a_call() {
    let folder = Folder::project();
    let page = folder.orch(["explain", "policy"]).succeeds().out;
    assert!(page.contains("budget( fallback( cache( retry( quorum( timeout( hedge( accept( call ))))))))"));
    let calls = [
        ("timeout", "timeout: 5s"),
        ("retry", "retry: { max: 1, backoff: 100ms }"),
        ("accept", "accept: hits => hits.len() > 0"),
        ("fallback", "fallback: []"),
        ("max_price", ""),
        ("hedge", "hedge: { after: 1s, max: 1 }"),
        ("quorum", "quorum: { of: 3, need: 2 }"),
        ("cache", "cache: 24h"),
        ("budget", "budget: 0.01USD"),
        ("prefer", "prefer: cheapest"),
        ("only", "only: [sn22]"),
        ("page", "page: { max: 3 }"),
        // Its answer is no task.
        ("poll", "poll: { every: 1s }"),
    ];
    let unknown_key = folder.orch(["explain", "E0401"]).succeeds().out;
    for (key, policy) in calls {
        assert!(unknown_key.contains(&format!("`{key}")), "{key}");
        // A line of the page speaks of one key, or of several that are all the same.
        let (_, of_calls) = page.split_once("on a call").unwrap();
        let line = of_calls.lines().find(|line| line.trim_start().starts_with(key)).unwrap();
        let plan = format!(
            "edition 2026\nuse cap {{ web_search }}\nplan p() -> Int with {{ budget: 1USD, deadline: 300s }} {{\n  \
             let found = call web_search(query: \"q\") with {{ max_price: 0.001USD, {policy} }}\n  1\n}}\n"
        );
        let checked = folder.orch_with_input(["check", "--json", "-"], plan).json();
        let codes: Vec<&str> = checked["files"][0]["diagnostics"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|diagnostic| diagnostic["severity"] == "error")
            .map(|diagnostic| diagnostic["code"].as_str().unwrap())
            .collect();
        let expected: &[&str] = if key == "poll" { &["E0411"] } else { &[] };
        assert_eq!(codes, expected, "{key}: {line}");
    }
}
