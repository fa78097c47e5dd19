//! `orch ledger`: find, show, add.

use serde_json::{Value, json};

use crate::orch::{Folder, shape};

#[test]
fn looking_something_up_leaves_no_trace() {
    let folder = Folder::empty();
    let found = folder.orch(["ledger", "search", "web", "search"]).succeeds();
    let first: Vec<&str> = found.out.lines().nth(1).unwrap().split('\t').collect();
    assert_eq!(first[..4], ["sn22.web_search", "unknown", "key", "Web search, page by page."]);
    folder.orch(["ledger", "show", "sn22.web_search"]).succeeds();
    assert_eq!(folder.files(".").len(), 0);
}

#[test]
fn hits_are_json_for_a_program() {
    let folder = Folder::empty();
    let found = folder.orch(["ledger", "search", "chat", "--limit", "1", "--json"]).succeeds();
    assert_eq!(found.err, "");
    insta::assert_snapshot!(shape(found.json()), @r#"
    {
      "hits": [
        {
          "operation": "sn28.chat_completions",
          "version": "1.1",
          "summary": "Chat with a model, OpenAI style.",
          "tags": [
            "llm_inference"
          ],
          "capabilities": [
            "generate"
          ],
          "price": null,
          "price_known": false,
          "access": "key",
          "callable": true,
          "not_callable_reason": "",
          "verified": false,
          "reason": "`chat` in its id; `chat` in its summary"
        }
      ],
      "capabilities": []
    }
    "#);
}

#[test]
fn nothing_found_and_nothing_of_that_name_are_two_things() {
    let folder = Folder::empty();
    let nothing = folder.orch(["ledger", "search", "xyzzy"]).succeeds();
    assert_eq!(
        (nothing.out.as_str(), nothing.err.as_str()),
        ("", "nothing found; fewer or other words may help\n")
    );
    assert_eq!(
        folder.orch(["ledger", "search", "xyzzy", "--json"]).succeeds().json(),
        json!({ "hits": [], "capabilities": [] })
    );
    let cases = [
        (&["search", "--tag", "serch"][..], 2, "E1507", "did you mean `web_search`?"),
        (&["search", "--capability", "web_serch"], 2, "E1202", "did you mean `web_search`?"),
        (&["search", "--capability", "nothing"], 2, "E1202", "there are "),
        (&["show", "genrate"], 2, "E1201", "did you mean the capability `generate`?"),
        (&["show", "sn22.web_serch"], 2, "E1201", "did you mean `sn22.web_search`?"),
        (&["show", "sn22"], 2, "E1201", "sn22 is a subnet; its operations are sn22."),
        (&["show", "sn22.web_search", "--version", "9.9"], 2, "E1208", "it has 1.1"),
    ];
    for (args, exit, code, help) in cases {
        let refused = folder.orch([&["ledger"], args].concat()).exits(exit);
        assert!(refused.err.starts_with(&format!("error[{code}]: ")), "{}", refused.err);
        assert!(refused.err.contains(help), "{}", refused.err);
    }
    let limit = folder.orch(["ledger", "search", "--limit", "101"]).exits(2);
    assert!(limit.err.contains("1..=100"), "{}", limit.err);
    assert_eq!(folder.orch(["ledger", "search", "--limit", "100", "-q"]).succeeds().out.lines().count(), 100);
}

#[test]
fn of_a_subnet_without_operations_it_is_said_what_is_known() {
    let folder = Folder::empty();
    for (args, known, document) in [
        (
            &["ledger", "show", "sn15"][..],
            "sn15: it is ORO, active",
            "https://api.oroagents.com/openapi.json --netuid 15",
        ),
        (&["ledger", "show", "sn15", "--as", "mcp"], "sn15: it is ORO, active", "--netuid 15"),
        (&["ledger", "show", "sn5.search"], "sn5: it is Hone, active", "URL --netuid 5"),
        (&["call", "sn5.search"], "sn5: it is Hone, active", "URL --netuid 5"),
        (&["ledger", "show", "sn300"], "sn300: nothing is known of it", "URL --netuid 300"),
    ] {
        let refused = folder.orch(args).exits(2).err;
        let message = format!("error[E1201]: the Ledger has no operation of {known}\n");
        assert!(refused.starts_with(&message), "{refused}");
        assert!(refused.contains("help: `orch ledger add ") && refused.contains(document), "{refused}");
    }
}

#[test]
fn an_operation_is_shown_as_a_plan_uses_it() {
    let folder = Folder::empty();
    let shown = folder.orch(["ledger", "show", "sn22.web_search"]).succeeds();
    let (text, _) = shown.out.split_once("\nSources:").unwrap();
    let text: String =
        text.lines().filter(|line| !line.starts_with("  entry ")).map(|line| format!("{line}\n")).collect();
    insta::assert_snapshot!(text, @r#"
    sn22.web_search 1.1
    Web search, page by page.

      tags          web_search
      capabilities  web_search
      price         unknown: a plan has to say `max_price`
      access        key
      repeating     safe, and costs again
      reached by    GET https://api.desearch.ai/web
      answer        in pages, the next by `start`: `page` says how many are read
      verified      no: facts of public sources only

    In a plan:

      use sn22 { web_search }

      web_search(
        query: String(1..),
        start: Int(0..)?,
      ) -> WebSearchOutput

      record WebSearchOutput {
        data: [WebSearchOutputDataItem],
      }

      record WebSearchOutputDataItem {
        title: String,
        snippet: String,
        link: String,
      }

    Example input (made up):

      {
        "query": "subnet list",
        "start": 0
      }

    Example output (made up):

      {
        "data": [
          {
            "link": "https://bittensor.com",
            "snippet": "network",
            "title": "Bittensor"
          }
        ]
      }
    "#);
}

#[test]
fn a_capability_is_shown_with_what_fulfils_it() {
    let folder = Folder::empty();
    let shown = folder.orch(["ledger", "show", "generate"]).succeeds().out;
    assert!(shown.starts_with("generate 1.0\n"), "{shown}");
    assert!(shown.contains("sn28.chat_completions, sn64.chat_completions"), "{shown}");
    assert!(
        shown.contains("\n  use cap { generate }\n") && shown.contains("\n  capability generate("),
        "{shown}"
    );
    let json = folder.orch(["ledger", "show", "generate", "--json"]).succeeds().json();
    assert_eq!((&json["capability"], &json["version"]), (&json!("generate"), &json!("1.0")));
    // As plans import it.
    assert_eq!(folder.orch(["ledger", "show", "cap.generate"]).succeeds().out, shown);
    let misspelt = folder.orch(["ledger", "show", "cap.generat"]).exits(2).err;
    assert!(misspelt.contains("there is no capability `generat`"), "{misspelt}");
    assert!(misspelt.contains("did you mean the capability `generate`?"), "{misspelt}");
}

#[test]
fn a_capability_is_found_by_its_name_and_its_summary() {
    let folder = Folder::empty();
    let search = |args: &[&str]| folder.orch([&["ledger", "search"], args].concat()).succeeds();
    let first = |args: &[&str]| search(args).out.lines().next().map(str::to_owned).unwrap_or_default();
    for words in [&["generate text"][..], &["generate", "text"], &["cap.generate"], &["Gener tex"]] {
        let row = first(words);
        assert!(row.starts_with("cap.generate\t-\tcapability\t"), "{words:?}: {row}");
        assert!(row.contains("\tfulfilled by sn28.chat_completions, "), "{row}");
    }
    let json = search(&["generate", "text", "--json"]).json();
    assert_eq!(json["capabilities"][0]["capability"], "generate");
    // Other words, and what is asked of operations alone.
    for args in [&["generate", "xyzzy"][..], &["generate", "--tag", "llm_inference"], &[]] {
        assert!(!first(args).starts_with("cap."), "{args:?}");
    }
}

fn entry(folder: &Folder) -> Value {
    folder.orch(["ledger", "show", "sn22.web_search", "--json"]).succeeds().json()["entry"].clone()
}

#[test]
fn what_show_prints_can_be_changed_and_imported() {
    let folder = Folder::project();
    let mut entry = entry(&folder);
    entry["version"] = json!({ "breaking": 1, "compatible": 2 });
    entry["summary"] = json!("Web search, mended.");
    folder.write("entry.json", entry.to_string());
    assert_eq!(folder.orch(["ledger", "import", "entry.json"]).succeeds().out, "1 published, 0 unchanged\n");
    let again = folder.orch(["ledger", "import", "--json", "entry.json"]).succeeds().json();
    assert_eq!(again, json!({ "published": 0, "unchanged": 1, "left_out": 0 }));
    let shown = folder.orch(["ledger", "show", "sn22.web_search"]).succeeds();
    assert!(shown.out.starts_with("sn22.web_search 1.2\nWeb search, mended.\n"), "{}", shown.out);
    let update = folder.orch(["lock", "update"]).succeeds();
    assert!(update.err.contains("~ sn22.web_search 1.1 -> 1.2"), "{}", update.err);
    // A published version never changes.
    entry["summary"] = json!("Something else.");
    folder.write("entry.json", entry.to_string());
    let refused = folder.orch(["ledger", "import", "entry.json"]).exits(1);
    assert!(refused.err.starts_with("error[E1205]: entry.json: "), "{}", refused.err);
    assert!(refused.err.contains("raise `compatible`"), "{}", refused.err);
}

#[test]
fn the_catalogue_can_be_imported_as_it_lies_in_its_folder() {
    let folder = Folder::empty();
    let catalogue = concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalog");
    let imported = folder.orch(["ledger", "import", catalogue, "--json"]).succeeds().json();
    assert_eq!((&imported["published"], &imported["left_out"]), (&0.into(), &0.into()));
    assert!(imported["unchanged"].as_u64().unwrap() > 200);
}

#[test]
fn files_that_hold_no_entries_are_refused_before_anything_is_published() {
    let folder = Folder::project();
    let mut good = entry(&folder);
    good["version"] = json!({ "breaking": 1, "compatible": 2 });
    folder.write("good.json", good.to_string());
    folder.write("list.json", "[1, 2]");
    folder.write("empty/.keep", "");
    let cases = [
        ("nope.json", 2, "E1502", "there is no such file"),
        ("empty", 2, "E1502", "no entry (*.json)"),
        ("plan.orch", 1, "E1203", "it is not JSON"),
        ("list.json", 1, "E1203", "neither an operation"),
    ];
    for (file, exit, code, message) in cases {
        let refused = folder.orch(["ledger", "import", "good.json", file]).exits(exit);
        assert!(refused.err.contains(code) && refused.err.contains(message), "{}", refused.err);
        assert!(refused.err.contains("help: "), "{}", refused.err);
    }
    assert!(
        folder
            .orch(["ledger", "show", "sn22.web_search"])
            .succeeds()
            .out
            .starts_with("sn22.web_search 1.1\n")
    );
    good["input"] = json!("no schema");
    folder.write("bad.json", good.to_string());
    let refused = folder.orch(["ledger", "import", "bad.json"]).exits(1);
    assert!(refused.err.starts_with("error[E1204]: bad.json: "), "{}", refused.err);
}

#[test]
fn an_operation_is_shown_as_a_tool() {
    let folder = Folder::empty();
    let shown = folder.orch(["ledger", "show", "sn22.web_search", "--as", "openai"]).succeeds();
    let tool = shown.json();
    assert_eq!(
        (&tool["function"]["name"], &tool["function"]["strict"]),
        (&"sn22_web_search".into(), &true.into())
    );
    assert!(shown.err.contains("not said by the schema: start: at least 0"), "{}", shown.err);
    let tool = folder.orch(["ledger", "show", "cap.generate", "--as", "anthropic"]).succeeds().json();
    assert_eq!(tool["name"], "cap_generate");
    let json = folder.orch(["ledger", "show", "sn22.web_search", "--as", "mcp", "--json"]).succeeds().json();
    assert_eq!(
        (&json["tool_name"], &json["definition"]["annotations"]["readOnlyHint"]),
        (&"sn22_web_search".into(), &true.into())
    );
    assert!(
        folder
            .orch(["ledger", "show", "sn22.web_serch", "--as", "mcp"])
            .exits(2)
            .err
            .starts_with("error[E1201]")
    );
    folder.orch(["ledger", "show", "sn22.web_search", "--as", "mcp", "--version", "1.0"]).exits(2);
}
