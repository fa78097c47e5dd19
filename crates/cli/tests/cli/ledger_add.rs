//! `orch ledger add`: a document or an example as callable operations.

use serde_json::{Value, json};

use crate::documents::{Answer, Documents, Request};
use crate::orch::Folder;
use crate::serve::Server;

const LOOPBACK: &str = "[development]\nallow_loopback = true\n";

/// A search service that describes itself.
fn document(title: &str, hit: &Value) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": { "title": title, "version": "1" },
        "paths": {
            "/search/{index}": { "get": {
                "operationId": "searchIndex",
                "summary": "Searches an index.",
                "parameters": [
                    { "name": "index", "in": "path", "required": true, "schema": { "type": "string" } },
                    { "name": "q", "in": "query", "required": true, "schema": { "type": "string" } },
                ],
                "responses": { "200": { "description": "hits", "content": { "application/json": { "schema": {
                    "type": "object",
                    "required": ["hits"],
                    "properties": { "hits": { "type": "array", "items": hit } },
                } } } } },
            } },
            "/feed": { "get": {
                "responses": { "200": { "description": "", "content": { "text/event-stream": {} } } },
            } },
        },
    })
}

fn hit(maximum: u32) -> Value {
    json!({ "type": "object", "required": ["title", "rank"], "properties": {
        "title": { "type": "string" },
        "rank": { "type": "integer", "minimum": 0, "maximum": maximum },
    } })
}

fn service() -> Documents {
    Documents::serve(|request: &Request| match request.path() {
        "/openapi.json" => Answer::ok(document("Search", &hit(9)).to_string()),
        path if path.starts_with("/search/") => {
            let title = format!("{path} {}", request.body);
            Answer::ok(json!({ "hits": [{ "title": title.trim(), "rank": 1 }] }).to_string())
        }
        _ => Answer::status(404),
    })
}

#[test]
fn a_service_is_called_by_a_plan_in_four_commands() {
    let service = service();
    let folder = Folder::empty();
    folder.write("orchestra.toml", LOOPBACK);
    let url = format!("{}/openapi.json", service.origin);
    let added = folder.orch(["ledger", "add", &url, "--netuid", "7"]).succeeds();
    let out = added.out.replace(&service.origin, "http://127.0.0.1");
    insta::assert_snapshot!(out, @r#"
    OPERATION         FILED    CALL
    sn7.search_index  new 1.0  GET /search/{index}
    sn7.get_feed      refused  GET /feed

    guessed: side_effects none: a GET without a key
      of sn7.search_index

    [E1256] GET /feed
      an answer of `text/event-stream` is a stream, which no plan reads
      at #/paths/~1feed/get/responses/200/content/text~1event-stream

    1 new, 0 raised, 0 unchanged, 1 refused
    "#);
    let plan = "edition 2026\n\
         use sn7 { search_index }\n\
         plan first(query: String) -> [String](..3) with { budget: 0.01USD, deadline: 60s } {\n\
         \x20 let found = call search_index(index: \"web\", q: query) with { max_price: 0USD }\n\
         \x20 return found.hits.take(3).map(h => h.title)\n\
         }\n";
    // No document says what a call costs, so the plan does, and that is how it counts.
    folder.write("first.orch", plan.replace(" with { max_price: 0USD }", ""));
    folder.orch(["lock", "update"]).succeeds();
    assert!(folder.orch(["check"]).exits(1).err.contains("error[E0703]"));
    folder.write("first.orch", plan);
    let bound = folder.orch(["explain", "first.orch", "--json"]).succeeds().json();
    assert_eq!(bound["basis"], "declared", "{bound}");
    let ran = folder.orch(["run", "first.orch", "-i", "query=a b"]).succeeds();
    assert_eq!(ran.json(), json!(["/search/web?q=a%20b"]), "{}", ran.out);
}

#[test]
fn adding_again_changes_nothing_and_a_change_raises_the_version() {
    let folder = Folder::empty();
    let add = |text: &Value| {
        folder.write("search.json", text.to_string());
        folder.orch([
            "ledger",
            "add",
            "search.json",
            "--netuid",
            "7",
            "--base-url",
            "https://a.example",
            "--json",
        ])
    };
    let first = add(&document("Search", &hit(9))).succeeds().json();
    assert_eq!((&first["new"], &first["refused"]), (&json!(1), &json!(1)));
    let entry = || folder.orch(["ledger", "show", "sn7.search_index", "--json"]).succeeds().json();
    let filed = entry();
    let again = add(&document("Search", &hit(9))).succeeds().json();
    assert_eq!((&again["new"], &again["raised"], &again["unchanged"]), (&json!(0), &json!(0), &json!(1)));
    // The document changed, and this operation did not.
    add(&document("Find", &hit(9))).succeeds();
    assert_eq!(entry()["entry_hash"], filed["entry_hash"]);

    let dry = folder.orch(["ledger", "show", "sn7.search_index"]).succeeds().out;
    let raised = add(&document("Search", &hit(99))).succeeds().json();
    let operation = &raised["operations"][0];
    assert_eq!(operation["filed"], "raised");
    assert_eq!((&operation["was"], &operation["version"]), (&json!("1.0"), &json!("2.0")));
    assert_eq!(operation["changes"][0]["path"], "output.hits[].rank");
    assert!(dry.starts_with("sn7.search_index 1.0\n"), "{dry}");
    let mut more = hit(99);
    more["properties"]["note"] = json!({ "type": "string" });
    let raised = add(&document("Search", &more)).succeeds().json();
    assert_eq!(raised["operations"][0]["version"], "2.1");
    assert_eq!(raised["operations"][0]["level"], "compatible");
}

#[test]
fn what_is_from_elsewhere_is_left_alone() {
    let folder = Folder::empty();
    let mut text = document("Search", &hit(9));
    text["paths"]["/search/{index}"]["get"]["operationId"] = "webSearch".into();
    folder.write("search.json", text.to_string());
    let add = |more: &[&str]| {
        let args = ["ledger", "add", "search.json", "--netuid", "22", "--base-url", "https://a.example"];
        folder.orch([&args, more].concat())
    };
    let refused = add(&[]).exits(1);
    assert!(refused.out.contains("[E1211] GET /search/{index}"), "{}", refused.out);
    assert!(
        refused.out.contains("`--name-prefix`") && refused.out.contains("`--replace`"),
        "{}",
        refused.out
    );
    assert!(
        folder
            .orch(["ledger", "show", "sn22.web_search"])
            .succeeds()
            .out
            .starts_with("sn22.web_search 1.1\n")
    );
    let beside = add(&["--name-prefix", "my_", "--json"]).succeeds().json();
    assert_eq!(beside["operations"][0]["operation"], "sn22.my_web_search");
    let replaced = add(&["--replace", "--json"]).exits(0).json();
    assert_eq!(replaced["operations"][0]["version"], "2.0");
}

#[test]
fn a_dry_run_leaves_no_trace_and_only_picks() {
    let folder = Folder::empty();
    folder.write("search.json", document("Search", &hit(9)).to_string());
    let add = |more: &[&str]| {
        folder.orch([&["ledger", "add", "search.json", "--netuid", "7", "--dry-run"], more].concat())
    };
    let shown = add(&["--json", "--only", "search*"]).succeeds().json();
    assert_eq!(shown["operations"].as_array().unwrap().len(), 1);
    assert_eq!(shown["operations"][0]["callable"], false);
    assert!(shown["operations"][0]["not_callable_reason"].as_str().unwrap().contains("[endpoints]"));
    assert!(
        add(&["--only", "/search/*"])
            .succeeds()
            .out
            .ends_with("1 would be new, 0 would be raised, 0 unchanged\n")
    );
    let nothing = add(&["--only", "nothing"]).exits(2);
    assert!(nothing.err.starts_with("error[E1542]: "), "{}", nothing.err);
    assert_eq!(folder.files(".").len(), 1);
}

#[test]
fn a_document_that_is_wrong_is_refused_as_a_whole_unless_it_is_asked_for() {
    let folder = Folder::empty();
    let mut text = document("Search", &hit(9));
    text["paths"]["/x"] = json!({ "get": { "responses": { "200": { "$ref": "other.json#/x" } } } });
    folder.write("search.json", text.to_string());
    let add =
        |more: &[&str]| folder.orch([&["ledger", "add", "search.json", "--netuid", "7"], more].concat());
    let refused = add(&[]).exits(1);
    assert!(
        refused.err.starts_with("error[E1253]: search.json: `other.json#/x` leads out"),
        "{}",
        refused.err
    );
    assert!(refused.err.contains("at #/paths/~1x/get/responses/200"), "{}", refused.err);
    assert!(
        refused.err.contains("1 of 3 operations are wrong") && refused.err.contains("--partial"),
        "{}",
        refused.err
    );
    folder.orch(["ledger", "show", "sn7.search_index"]).exits(2);
    let partial = add(&["--partial", "--json"]).succeeds().json();
    assert_eq!((&partial["new"], &partial["refused"]), (&json!(1), &json!(2)));
}

#[test]
fn addresses_that_bring_no_document_are_told_apart() {
    let service = Documents::serve(|request: &Request| match request.path() {
        "/docs" => Answer::ok("<!DOCTYPE html><html></html>"),
        "/moved" => Answer::status(308).with("location", "/openapi.json"),
        "/large" => Answer::ok(vec![b' '; (16 << 20) + 1]),
        "/down" => Answer::status(503),
        "/text" => Answer::ok("no document"),
        "/elsewhere" => Answer::ok(
            json!({ "openapi": "3.1.0", "servers": [{ "url": "http://169.254.169.254:8080" }],
                "paths": { "/a": { "get": { "responses": { "200": { "description": "" } } } } } })
            .to_string(),
        ),
        _ => Answer::status(404),
    });
    let folder = Folder::empty();
    let at = |path: &str| format!("{}{path}", service.origin);
    let add = |url: &str| folder.orch(["ledger", "add", url, "--netuid", "7"]);
    let refused = add(&at("/openapi.json")).exits(1);
    assert!(
        refused.err.starts_with("error[E1101]: ") && refused.err.contains("allow_loopback"),
        "{}",
        refused.err
    );
    assert_eq!(service.seen().len(), 0);
    folder.write("orchestra.toml", LOOPBACK);
    for (path, code, says) in [
        ("/openapi.json", "E1540", "status 404"),
        ("/moved", "E1540", "which leads to `/openapi.json`"),
        ("/down", "E1540", "status 503"),
        ("/docs", "E1252", "HTML or XML"),
        ("/text", "E1252", ""),
        ("/large", "E1251", "more than 16777216 bytes"),
    ] {
        let refused = add(&at(path)).exits(1);
        assert!(refused.err.starts_with(&format!("error[{code}]: ")), "{path}: {}", refused.err);
        assert!(refused.err.contains(says) && refused.err.contains("help: "), "{path}: {}", refused.err);
    }
    // A document can say any server; it is not called, whatever it says.
    let lie = add(&at("/elsewhere")).exits(1);
    assert!(lie.out.contains("[E1101] GET /a") && lie.out.contains("cloud metadata"), "{}", lie.out);
    let seen = service.seen();
    assert!(seen.iter().all(|request| request.has("user-agent: orchestra/0.1.0")), "{seen:?}");
}

#[test]
fn an_example_is_an_operation() {
    let folder = Folder::empty();
    folder.write(
        "ask.toml",
        "url = \"https://api.example.com/v1/ask\"\nanswer_complete = true\n\n[headers]\nAuthorization = \"Bearer <key>\"\n\n\
         [request]\nquestion = \"why\"\n\n[answer]\ntext = \"so\"\nscore = 0.5\n",
    );
    folder.write("ask.sh", "curl https://api.example.com/v1/tell -H 'X-Api-Key: k' \\\n  -d '{\"a\": 1}'\n");
    folder.write("tell.json", r#"{ "b": [1, 2] }"#);
    let add = |more: &[&str]| folder.orch([&["ledger", "add", "--netuid", "7", "--example"], more].concat());
    add(&["ask.toml"]).succeeds();
    let shown = folder.orch(["ledger", "show", "sn7.ask"]).succeeds().out;
    assert!(shown.contains("ask(\n    question: String,\n  ) -> AskOutput"), "{shown}");
    assert!(add(&["ask.toml"]).succeeds().out.ends_with("0 new, 0 raised, 1 unchanged\n"));
    let curl = add(&["ask.sh", "--answer", "tell.json", "--json"]).succeeds().json();
    assert_eq!(curl["operations"][0]["operation"], "sn7.tell");
    // A browser's way to write a body, and headers as a list.
    folder.write(
        "say.sh",
        r#"curl https://api.example.com/v1/say -H 'X-Api-Key: k' --data-raw $'{"a": "it\'s\u0021"}'"#,
    );
    let curl = add(&["say.sh", "--answer", "tell.json", "--json"]).succeeds().json();
    assert_eq!(curl["operations"][0]["operation"], "sn7.say");
    let listed = r#"{ "url": "https://api.example.com/v1/sing", "headers": ["Authorization: Bearer <key>", "Accept-Language: en"], "answer": {} }"#;
    folder.write("sing.json", listed);
    add(&["sing.json"]).succeeds();
    let shown = folder.orch(["ledger", "show", "sn7.sing", "--json"]).succeeds().out;
    assert!(shown.contains("Bearer <key>") && !shown.contains("Accept-Language"), "{shown}");
    folder.write("sing.json", listed.replace("Accept-Language: en", "Accept-Language"));
    let bad = add(&["sing.json"]).exits(1).err;
    assert!(bad.contains("is no line `Name: value`"), "{bad}");
    // The same under another name is the same.
    folder.write("copy.toml", folder.read("ask.toml"));
    assert!(add(&["copy.toml"]).succeeds().out.ends_with("0 new, 0 raised, 1 unchanged\n"));
    let bad =
        folder.orch_with_input(["ledger", "add", "-", "--netuid", "7", "--example"], "url = 1").exits(1);
    assert!(bad.err.starts_with("error[E1260]: "), "{}", bad.err);
}

#[test]
fn no_key_of_an_address_or_an_example_is_kept() {
    let service = service();
    let folder = Folder::empty();
    folder.write("orchestra.toml", LOOPBACK);
    let url = format!("{}/openapi.json?token=real-key-1", service.origin);
    let missing = folder.orch(["ledger", "add", &url, "--netuid", "7"]).exits(1);
    assert!(!missing.err.contains("real-key-1"), "{}", missing.err);
    let document = document("Search", &hit(9));
    let service = Documents::serve(move |_: &Request| Answer::ok(document.to_string()));
    let url = format!("{}/openapi.json?token=real-key-1&v=2", service.origin);
    let added = folder.orch(["ledger", "add", &url, "--netuid", "7", "--json"]).succeeds();
    // The server itself was asked with it.
    assert!(service.seen()[0].path().contains("token=real-key-1"));
    folder.write("ask.sh", "curl 'https://a.example/ask?token=real-key-1&q=tao' -H 'accept-language: en'\n");
    folder.write("answer.json", r#"{ "echo": "real-key-1" }"#);
    let example =
        ["ledger", "add", "ask.sh", "--answer", "answer.json", "--netuid", "7", "--example", "--json"];
    let asked = folder.orch(example).succeeds();
    let show = |id: &str| folder.orch(["ledger", "show", id, "--json"]).succeeds().out;
    let shown = [show("sn7.search_index"), show("sn7.ask")];
    assert!(shown[0].contains("/openapi.json?v=2"), "{}", shown[0]);
    for text in [&added.out, &asked.out, &shown[0], &shown[1]] {
        assert!(!text.contains("real-key-1"), "{text}");
    }
    folder.write("body.sh", "curl https://a.example/ask -d '{\"apiKey\": \"real-key-1\"}'\n");
    let body = folder.orch(["ledger", "add", "body.sh", "--netuid", "7", "--example"]).exits(1);
    assert!(body.err.starts_with("error[E1260]: ") && !body.err.contains("real-key-1"), "{}", body.err);
}

#[test]
fn documents_are_added_to_the_ledger_of_a_server() {
    let folder = Folder::empty();
    folder.write("search.json", document("Search", &hit(9)).to_string());
    let server = Server::start(&folder, &["127.0.0.1:0"]);
    let with = |args: &[&str]| {
        folder.orch([args, &["--server", &server.address, "--json"]].concat()).succeeds().json()
    };
    let add = ["ledger", "add", "search.json", "--netuid", "7"];
    assert_eq!(with(&add)["new"], 1);
    assert_eq!(with(&add)["unchanged"], 1);
    assert_eq!(with(&["ledger", "show", "sn7.search_index"])["version"], "1.0");
}

/// Writes the files of `docs/importing.md` and runs its commands, on a server in place of the one it speaks of.
#[test]
fn the_guide_runs_as_it_is_written() {
    let page = include_str!("../../../../docs/importing.md");
    let blocks: Vec<(&str, &str)> =
        page.split("\n```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap()).collect();
    let document = blocks.iter().find(|(info, _)| *info == "json openapi.json").unwrap().1;
    let service = Documents::serve(move |request: &Request| match request.path() {
        "/openapi.json" => Answer::ok(document),
        "/quotes/patience?limit=3" => Answer::ok(r#"{ "quotes": [{ "text": "Wait." }] }"#),
        _ => Answer::status(404),
    });
    let folder = Folder::empty();
    folder.write("orchestra.toml", LOOPBACK);
    let here = |text: &str| text.replace("https://api.example.com", &service.origin);
    let mut out = String::new();
    for (info, text) in blocks {
        if let Some((_, file)) = info.split_once(' ') {
            folder.write(file, here(text));
        }
        let commands = if info == "console" { text } else { "" };
        for command in commands.lines() {
            let args = here(command);
            let args = args.split(' ').skip(1);
            out.push_str(&folder.orch(args).succeeds().out);
        }
    }
    for says in [
        "new 1.0",
        "find_quotes(\n    topic: String,\n    limit: Int(1..50)?,",
        "[\n  \"Wait.\"\n]",
        "unchanged 1.0",
        "MoodOutput",
    ] {
        assert!(out.contains(says), "{says}: {out}");
    }
}

/// Every document of the folder that `ORCHESTRA_DOCUMENTS` names, if it does, is added twice: the second time nothing
/// is new, and what is refused says why and where.
#[test]
fn a_folder_of_documents_is_added_twice() {
    let Some(documents) = std::env::var_os("ORCHESTRA_DOCUMENTS") else { return };
    let folder = Folder::empty();
    let mut files: Vec<_> = std::fs::read_dir(documents).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension != "md"));
    files.sort();
    for (place, file) in files.iter().enumerate() {
        let netuid = (1_000 + place).to_string();
        let add = ["ledger", "add", file.to_str().unwrap(), "--netuid", &netuid, "--json", "--partial"];
        let first = folder.orch(add).json();
        assert_eq!((&first["raised"], &first["conflicts"]), (&json!(0), &json!(0)), "{first}");
        for operation in first["operations"].as_array().unwrap() {
            let refusal = &operation["refusal"];
            assert!(refusal.is_null() || refusal["at"].as_str().unwrap().starts_with('#'), "{operation}");
        }
        let again = folder.orch(add).json();
        assert_eq!((&again["new"], &again["raised"]), (&json!(0), &json!(0)), "{}", file.display());
        assert_eq!(again["unchanged"], first["new"]);
    }
}

#[test]
fn a_key_given_in_the_place_of_its_form_is_not_repeated() {
    let folder = Folder::empty();
    for given in ["cnry-0rch3stra", "X-Api-Key: cnry-0rch3stra", "Authorization: Bearer cnry-0rch3stra"] {
        let args = ["ledger", "add", "grpcs://api.example.com", "--netuid", "7", "--key-header", given];
        let refused = folder.orch(args).exits(2);
        assert!(refused.err.starts_with("error[E1530]: "), "{}", refused.err);
        assert!(refused.err.contains("`orch keys add sn7` takes the key itself"), "{}", refused.err);
        assert!(!refused.err.contains("cnry") && refused.out.is_empty(), "{}", refused.err);
    }
}

#[test]
fn a_subnet_is_a_number_with_or_without_sn_and_a_wrong_server_is_no_fault_of_single_operations() {
    let folder = Folder::empty();
    folder.write("api.json", document("Search", &hit(9)).to_string());
    let add = |netuid: &str, more: &[&str]| {
        folder.orch([&["ledger", "add", "api.json", "--dry-run", "--netuid", netuid], more].concat())
    };
    assert!(add("sn7", &[]).succeeds().out.contains("sn7.search_index"));
    for netuid in ["x", "70000"] {
        let refused = add(netuid, &[]).exits(2).err;
        assert!(refused.contains("a subnet is written like `22` or `sn22`"), "{refused}");
    }
    let refused = add("7", &["--base-url", "https://a.example/../b"]).err;
    assert!(refused.starts_with("error[E1259]: ") && refused.contains("dot segments"), "{refused}");
    assert!(refused.contains("`orch explain E1259`") && !refused.contains("--partial"), "{refused}");
}
