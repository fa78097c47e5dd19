//! `orch ledger crawl`: the documents that the Ledger knows of, fetched politely and filed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::documents::{Answer, Documents, Request};
use crate::orch::Folder;
use crate::serve::Server;

/// A document with one operation, which answers a whole number of at most `maximum`.
fn document(maximum: usize) -> String {
    let schema = json!({ "type": "integer", "minimum": 0, "maximum": maximum });
    let content = json!({ "application/json": { "schema": schema } });
    let get =
        json!({ "operationId": "count", "responses": { "200": { "description": "", "content": content } } });
    json!({ "openapi": "3.1.0", "info": { "title": "Counter" }, "paths": { "/count": { "get": get } } })
        .to_string()
}

/// A folder whose Ledger knows of these documents, `(netuid, address, whether its facts are doubtful)`.
fn folder(documents: &[(u16, String, bool)]) -> Folder {
    let folder = Folder::empty();
    folder.write("orchestra.toml", "[development]\nallow_loopback = true\n");
    let subnet = |(netuid, url, doubtful): &(u16, String, bool)| {
        json!({
            "netuid": netuid, "version": { "breaking": 9, "compatible": 0 }, "name": "Test", "slug": "test",
            "status": "active", "tags": [], "stale_risk": doubtful, "openapi_urls": [url],
            "sources": [{ "kind": "docs", "reference": "a test" }],
        })
    };
    let subnets: Vec<Value> = documents.iter().map(subnet).collect();
    let file =
        json!({ "network": "test", "captured_on": "2026-01-01", "chain_block": 1, "subnets": subnets });
    folder.write("known/subnets.json", file.to_string());
    folder.orch(["ledger", "import", "known"]).succeeds();
    folder
}

fn crawl(folder: &Folder, more: &[&str]) -> crate::orch::Ended {
    folder.orch([&["ledger", "crawl", "--json"], more].concat())
}

#[test]
fn what_changed_is_fetched_and_filed() {
    let maximum = Arc::new(AtomicUsize::new(9));
    let present = Arc::clone(&maximum);
    let service = Documents::serve(move |request: &Request| {
        let etag = format!("\"{}\"", present.load(Ordering::SeqCst));
        match request.path() {
            "/robots.txt" => Answer::ok("User-agent: *\nDisallow: /private\n"),
            "/openapi.json" if request.has(&format!("if-none-match: {etag}")) => Answer::status(304),
            "/openapi.json" => Answer::ok(document(present.load(Ordering::SeqCst))).with("etag", &etag),
            _ => Answer::status(404),
        }
    });
    let folder = folder(&[(7, format!("{}/openapi.json", service.origin), false)]);
    let only = &["--only", "sn7"];
    // Looking does not remember.
    let dry = crawl(&folder, &["--only", "7", "--dry-run"]).succeeds().json();
    assert_eq!((&dry["new"], &dry["documents"][0]["found"]), (&json!(1), &json!("read")));
    let first = crawl(&folder, only).succeeds().json();
    assert_eq!((&first["new"], &first["documents"][0]["title"]), (&json!(1), &json!("Counter")));
    assert_eq!(
        service.seen().iter().map(Request::path).collect::<Vec<_>>(),
        ["/robots.txt", "/openapi.json"].repeat(2)
    );

    let again = crawl(&folder, only).succeeds().json();
    assert_eq!((&again["new"], &again["documents"][0]["found"]), (&json!(0), &json!("unchanged")));
    assert!(service.seen()[1].has("if-none-match: \"9\""));
    maximum.store(99, Ordering::SeqCst);
    let told = folder.orch(["ledger", "crawl", "--dry-run", "--only", "sn7"]).succeeds().out;
    assert!(told.contains("sn7.count breaking: output was Int(0..9), may be Int(0..99) now"), "{told}");
    assert!(told.ends_with("0 would be new, 1 would be raised, 0 unchanged\n"), "{told}");
    let changed = crawl(&folder, only).succeeds().json();
    assert_eq!(changed["raised"], 1);
    assert_eq!(changed["documents"][0]["operations"][0]["version"], "2.0");
    let shown = folder.orch(["ledger", "show", "sn7.count"]).succeeds().out;
    assert!(shown.starts_with("sn7.count 2.0\n"), "{shown}");
    assert!(shown.contains(&format!("GET {}/count", service.origin)), "{shown}");

    // Without its memory it fetches everything, and still nothing is new.
    folder.write(".orchestra/documents.json", "damaged");
    let again = crawl(&folder, only).succeeds().json();
    assert_eq!((&again["raised"], &again["unchanged"]), (&json!(0), &json!(1)));
}

#[test]
fn each_document_stands_for_itself_and_hosts_are_left_alone_where_they_ask_for_it() {
    let service = Documents::serve(|request: &Request| match request.path() {
        "/robots.txt" => Answer::ok("User-agent: *\nDisallow: /private\n"),
        "/good.json" => Answer::ok(document(9)),
        "/page.json" => Answer::ok("<html>"),
        _ => Answer::status(404),
    });
    let broken = Documents::serve(|_| Answer::status(500));
    let at = |path: &str| format!("{}{path}", service.origin);
    let folder = folder(&[
        (1, at("/good.json"), false),
        (2, at("/page.json"), false),
        (3, at("/gone.json"), false),
        (4, at("/private/openapi.json"), false),
        (5, format!("{}/openapi.json", broken.origin), false),
        (6, at("/doubtful.json"), true),
    ]);
    let all: Vec<&str> = ["1", "2", "3", "4", "5"].iter().flat_map(|netuid| ["--only", netuid]).collect();
    let crawled = crawl(&folder, &all).succeeds().json();
    let codes: Vec<&Value> =
        crawled["documents"].as_array().unwrap().iter().map(|found| &found["error"]["code"]).collect();
    assert_eq!(codes, [&Value::Null, &json!("E1252"), &json!("E1540"), &json!("E1541"), &json!("E1541")]);
    let paths: Vec<String> = service.seen().iter().map(|request| request.path().to_owned()).collect();
    // One after the other, and the rules once.
    assert_eq!(paths, ["/robots.txt", "/good.json", "/page.json", "/gone.json"]);
    assert_eq!(broken.seen().len(), 1);
    // What nobody may have is no reason to ask.
    let nothing = crawl(&folder, &["--only", "sn4"]).exits(1);
    assert_eq!(nothing.json()["documents"][0]["found"], "failed");
    let doubtful = folder.orch(["ledger", "crawl", "--only", "sn6"]).exits(1);
    assert!(doubtful.out.contains("[E1540]") && doubtful.out.contains("status 404"), "{}", doubtful.out);
    let none = folder.orch(["ledger", "crawl", "--only", "sn11111"]).exits(2);
    assert!(none.err.starts_with("error[E1542]: "), "{}", none.err);
}

#[test]
fn a_conflict_is_told_until_it_is_settled() {
    let service = Documents::serve(|request: &Request| match request.path() {
        "/openapi.json" => {
            let text = document(9).replace("\"count\"", "\"webSearch\"");
            Answer::ok(text).with("last-modified", "Sat, 01 Aug 2026 00:00:00 GMT")
        }
        _ => Answer::status(404),
    });
    let folder = folder(&[(22, format!("{}/openapi.json", service.origin), false)]);
    for _ in 0..2 {
        let crawled = crawl(&folder, &["--only", "sn22"]).succeeds().json();
        assert_eq!(
            (&crawled["conflicts"], &crawled["documents"][0]["operations"][0]["refusal"]["code"]),
            (&json!(1), &json!("E1211"))
        );
    }
    assert!(
        service.seen().iter().all(|request| !request.headers.iter().any(|header| header.starts_with("if-")))
    );
}

#[test]
fn a_server_files_what_is_crawled_for_it() {
    let service = Documents::serve(|request: &Request| match request.path() {
        "/openapi.json" => Answer::ok(document(9)),
        _ => Answer::status(404),
    });
    let folder = folder(&[(7, format!("{}/openapi.json", service.origin), false)]);
    let server = Server::start(&folder, &["127.0.0.1:0"]);
    let with = ["--only", "sn7", "--server", &server.address];
    assert_eq!(crawl(&folder, &with).succeeds().json()["new"], 1);
    assert_eq!(crawl(&folder, &with).succeeds().json()["documents"][0]["found"], "unchanged");
}

#[test]
fn a_host_is_asked_for_so_many_documents_and_no_more() {
    let service = Documents::serve(|request: &Request| match request.path() {
        path if path.starts_with("/openapi/") => Answer::ok(document(9)),
        _ => Answer::status(404),
    });
    let documents: Vec<_> =
        (101..=117).map(|netuid| (netuid, format!("{}/openapi/{netuid}", service.origin), false)).collect();
    let folder = folder(&documents);
    let netuids: Vec<String> = documents.iter().map(|(netuid, ..)| netuid.to_string()).collect();
    let only: Vec<&str> = netuids.iter().flat_map(|netuid| ["--only", netuid.as_str()]).collect();
    let crawled = crawl(&folder, &only).succeeds().json();
    let found: Vec<&str> = crawled["documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| found["found"].as_str().unwrap())
        .collect();
    assert_eq!(found, [vec!["read"; 16], vec!["failed"]].concat());
    assert!(
        crawled["documents"][16]["error"]["message"].as_str().unwrap().contains("more than 16 documents")
    );
    assert_eq!(service.seen().len(), 17);
}
